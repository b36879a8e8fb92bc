"""GOSPA and assignment against brute force, and the laws of a metric."""

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
