"""Marginals of association against every joint assignment, one by one."""

import itertools
import math

import numpy as np
import pytest

from tocsin.tracking.association import marginals


def by_enumeration(track, plot, gain):
    """Exact marginals: each set of pairs without a track or a plot twice weighs the product of its odds."""
    total, out = 0.0, np.zeros(len(gain))
    top = max(gain.max(initial=0.0) * min(len(set(track)), len(set(plot))), 0.0)
    for chosen in itertools.product([False, True], repeat=len(gain)):
        pick = np.flatnonzero(chosen)
        if len(set(track[pick])) < len(pick) or len(set(plot[pick])) < len(pick):
            continue
        weight = math.exp(gain[pick].sum() - top)
        total += weight
        out[pick] += weight
    return out / total


def problem(pairs, gain):
    track, plot = np.array(pairs, np.int64).reshape(-1, 2).T
    return track, plot, np.array(gain, float)


# Belief propagation is exact where the graph of pairs has no loop.
TREES = {
    "one and one": ([(0, 0)], [1.3]),
    "one track, three plots": ([(0, 0), (0, 1), (0, 2)], [1.0, 2.0, -1.0]),
    "three tracks, one plot": ([(0, 0), (1, 0), (2, 0)], [1.0, 2.0, -1.0]),
    "a chain": ([(0, 0), (0, 1), (1, 1), (1, 2), (2, 2)], [3.0, 2.5, 2.0, 1.0, 4.0]),
    "apart": ([(0, 0), (1, 1)], [5.0, -5.0]),
    "a false plot for sure": ([(0, 0)], [-60.0]),
}


@pytest.mark.parametrize("name", TREES)
def test_exact_on_trees(name):
    track, plot, gain = problem(*TREES[name])
    # passes end when nothing moves by more than 1e-4
    np.testing.assert_allclose(marginals(track, plot, gain), by_enumeration(track, plot, gain), atol=1e-3)


@pytest.mark.parametrize("height", [30.0, 36.0, 38.0, 45.0, 80.0])
def test_exact_for_plots_that_are_very_sure(height):
    """A sharp radar with few false plots gives odds of e40 and more; what counts is their ratio."""
    for pairs, gain in (
        ([(0, 0)], [height]),
        ([(0, 0), (1, 0)], [height, height + 1.0]),
        ([(0, 0), (0, 1)], [height, height + 1.0]),
        ([(0, 0), (0, 1), (1, 1)], [height, height - 2.0, height + 1.0]),
    ):
        track, plot, gain = problem(pairs, gain)
        np.testing.assert_allclose(marginals(track, plot, gain), by_enumeration(track, plot, gain), atol=2e-3)


def test_nothing_in_the_gate():
    assert len(marginals(*problem([], []))) == 0


def test_close_to_exact_with_loops():
    """Three tracks, four plots, all gated. Williams and Lau (2014) find errors of a few per cent."""
    rng = np.random.default_rng(2)
    errors = []
    for _ in range(40):
        pairs = list(itertools.product(range(3), range(4)))
        track, plot, gain = problem(pairs, rng.normal(0.0, 3.0, len(pairs)))
        ours = marginals(track, plot, gain)
        assert (np.bincount(track, ours) <= 1.0 + 1e-9).all()
        assert (np.bincount(plot, ours) <= 1.0 + 0.02).all()
        errors.append(np.abs(ours - by_enumeration(track, plot, gain)))
    assert np.mean(errors) < 0.02
    assert np.max(errors) < 0.2


def test_the_order_of_pairs_is_of_no_account():
    rng = np.random.default_rng(3)
    pairs = list(itertools.product(range(4), range(4)))
    track, plot, gain = problem(pairs, rng.normal(0.0, 3.0, len(pairs)))
    order = rng.permutation(len(pairs))
    ours = marginals(track, plot, gain)
    np.testing.assert_allclose(marginals(track[order], plot[order], gain[order]), ours[order], rtol=1e-9)
