"""GOSPA and assignment against brute force and Stone Soup, and the laws of a metric."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tocsin.metrics.gospa import best_pairs, gospa

CUT = 10.0
points = st.integers(0, 4).flatmap(lambda n: arrays(float, (n, 3), elements=st.floats(-12.0, 12.0)))


def brute(x, y, c=CUT):
    """The metric by its definition: the best over all permutations of the smaller set into the larger."""
    if len(x) > len(y):
        x, y = y, x
    best = np.inf
    for chosen in permutations(range(len(y)), len(x)):
        d2 = np.sum((x - y[list(chosen)]) ** 2, axis=1) if len(x) else np.zeros(0)
        best = min(best, float(np.minimum(d2, c * c).sum()))
    return np.sqrt(best + c * c / 2.0 * (len(y) - len(x)))


def metric(x, y):
    return gospa(x, np.ones(len(x), bool), y, CUT).total_m(CUT)


@given(points, points)
@settings(max_examples=150, deadline=None)
def test_it_is_the_least_over_all_assignments(x, y):
    assert metric(x, y) == pytest.approx(brute(x, y), abs=1e-9)


@given(points, points, points)
@settings(max_examples=100, deadline=None)
def test_it_is_a_metric(x, y, z):
    assert metric(x, x) == 0.0
    assert metric(x, y) == pytest.approx(metric(y, x))
    assert metric(x, z) <= metric(x, y) + metric(y, z) + 1e-9


def test_its_parts_are_counted():
    objects = np.array([[0.0, 0, 0], [100.0, 0, 0]])
    tracks = np.array([[3.0, 0, 0], [50.0, 0, 0], [50.0, 5, 0]])
    found = gospa(objects, np.ones(2, bool), tracks, CUT)
    assert (found.localisation_m2, found.missed, found.false) == (9.0, 1, 2)
    assert list(found.loose) == [1, 2]


def test_what_is_out_of_view_is_neither_missed_nor_false():
    objects = np.array([[0.0, 0, 0], [100.0, 0, 0]])
    tracks = np.array([[3.0, 0, 0]])
    found = gospa(objects, np.array([False, False]), tracks, CUT)
    assert (found.localisation_m2, found.missed, found.false) == (0.0, 0, 0)


def test_a_track_goes_to_what_counts_first():
    objects = np.array([[0.0, 0, 0], [1.0, 0, 0]])
    found = gospa(objects, np.array([False, True]), np.array([[0.4, 0, 0]]), CUT)
    assert (found.missed, found.false) == (0, 0)
    assert found.localisation_m2 == pytest.approx(0.36)


def test_only_gains_are_taken():
    chosen = best_pairs(np.array([0, 0, 1]), np.array([0, 1, 1]), np.array([-1.0, -5.0, 3.0]))
    assert list(chosen) == [1]
    assert len(best_pairs(np.zeros(0, int), np.zeros(0, int), np.zeros(0))) == 0


def places(n, seed, reach_m):
    """n places in a cube, by a formula that any program can repeat."""
    step = np.array([7919, 104729, 1299709]) * seed
    return np.arange(1, n + 1)[:, None] * step % 10007 / 10007 * reach_m


# Stone Soup 1.9.1: GOSPAMetric(p=2, c=10e3).compute_gospa_metric(tracks, objects) of these very places; its distance,
# its localisation (m2), and its missed and false over c^2 / 2. Run on 26 November 2026.
CROWD = places(40, 8, 60e3)
STONE_SOUP = {
    "as many": (places(6, 1, 20e3), places(6, 1, 20e3) + places(6, 5, 4e3),
                12430.521208932223, 154517857.5257138, 0, 0),
    "more tracks": (places(5, 2, 30e3), places(9, 3, 30e3), 24356.15257559243, 93222168.28553773, 3, 7),
    "more objects": (places(12, 4, 40e3), places(4, 6, 40e3), 23897.480531638557, 71089575.76004387, 9, 1),
    "no track": (places(3, 7, 9e3), np.zeros((0, 3)), 12247.44871391589, 0.0, 3, 0),
    "a crowd": (CROWD, np.vstack([CROWD[5:] + places(35, 9, 3e3), places(8, 11, 60e3)]),
                30056.314498870997, 353382041.2550426, 4, 7),
}  # fmt: skip


@pytest.mark.parametrize("name", STONE_SOUP)
def test_stone_soup_finds_the_same(name):
    objects, tracks, distance, localisation, missed, false = STONE_SOUP[name]
    found = gospa(objects, np.ones(len(objects), bool), tracks)
    assert found.total_m() == pytest.approx(distance, rel=1e-12)
    assert found.localisation_m2 == pytest.approx(localisation, rel=1e-12)
    assert (found.missed, found.false) == (missed, false)
