"""Beliefs in hypotheses against every joint assignment, one by one."""

import itertools
import math

import numpy as np
import pytest

from tocsin.tracking.association import beliefs, best_together, pair_beliefs, shared_plots


def by_enumeration(first, log_weight, claims):
    """Exact probabilities: each track has one of its hypotheses or is none, and no plot has two origins."""
    options = [[None, *range(first[i], first[i + 1])] for i in range(len(first) - 1)]
    total, out = 0.0, np.zeros(len(log_weight))
    for chosen in itertools.product(*options):
        pick = [h for h in chosen if h is not None]
        plots = [f for h in pick for f in claims[h] if f >= 0]
        if len(set(plots)) < len(plots):
            continue
        weight = math.exp(math.fsum(log_weight[pick]))
        total += weight
        out[pick] += weight
    return out / total


def problem(tracks):
    """Tracks as lists of hypotheses (ln of odds, plots by sensor): first, log_weight, claims."""
    first = np.cumsum([0, *(len(t) for t in tracks)])
    flat = [h for t in tracks for h in t]
    width = max((len(h) - 1 for h in flat), default=1)
    claims = np.array([h[1:] for h in flat], np.int64).reshape(len(flat), width)
    return first, np.array([h[0] for h in flat], float), claims


def ours(first, log_weight, claims):
    owner = np.repeat(np.arange(len(first) - 1), np.diff(first))
    return beliefs(first, log_weight, shared_plots(owner, claims))


# Belief propagation is exact where tracks and the plots that they share make no loop. -1: no plot.
TREES = {
    "one track, one plot": [[(0.5, -1), (1.3, 0)]],
    "one track, three plots": [[(-1.0, -1), (1.0, 0), (2.0, 1), (-1.0, 2)]],
    "three tracks, one plot": [[(0.0, -1), (1.0, 0)], [(-2.0, -1), (2.0, 0)], [(-1.0, 0)]],
    "a chain": [
        [(0.3, -1), (3.0, 0), (2.5, 1)],
        [(0.0, -1), (2.0, 1), (1.0, 2)],
        [(1.0, -1), (4.0, 2), (0.0, 3)],
    ],
    "apart": [[(0.0, -1), (5.0, 0)], [(-1.0, -1), (-5.0, 1)]],
    "a false plot for sure": [[(0.0, -1), (-60.0, 0)]],
    "hypotheses that share their plot": [[(1.0, 0), (0.5, 0), (0.0, -1)], [(2.0, 0), (1.0, 1)]],
    "two sensors, one plot shared of each": [
        [(1.0, 0, -1), (0.5, -1, -1)],
        [(2.0, 0, 7), (1.0, -1, 7), (0.0, 0, -1), (0.1, -1, -1)],
        [(1.5, -1, 7), (0.2, -1, -1)],
    ],
    "two sensors, a star": [
        [(1.0, 0, 10), (0.0, 1, 10), (2.0, 0, 11), (-1.0, -1, -1)],
        [(0.7, 0, 12)],
        [(0.9, 1, 13)],
        [(1.9, 2, 10)],
        [(0.4, 3, 11), (0.0, -1, -1)],
    ],
}


@pytest.mark.parametrize("name", TREES)
def test_exact_on_trees(name):
    given = problem(TREES[name])
    # passes end when nothing moves by more than 1e-4
    np.testing.assert_allclose(ours(*given), by_enumeration(*given), atol=1e-3)


@pytest.mark.parametrize("height", [30.0, 36.0, 38.0, 45.0, 80.0])
def test_exact_for_plots_that_are_very_sure(height):
    """A sharp radar with few false plots gives odds of e40 and more; what counts is their ratio."""
    for tracks in (
        [[(0.0, -1), (height, 0)]],
        [[(0.0, -1), (height, 0)], [(0.0, -1), (height + 1.0, 0)]],
        [[(0.0, -1), (height, 0), (height + 1.0, 1)]],
        [[(0.0, -1), (height, 0), (height - 2.0, 1)], [(0.0, -1), (height + 1.0, 1)]],
    ):
        given = problem(tracks)
        np.testing.assert_allclose(ours(*given), by_enumeration(*given), atol=2e-3)


def test_nothing_in_the_gate():
    assert len(ours(*problem([]))) == 0
    np.testing.assert_allclose(ours(*problem([[(0.7, -1)]])), [1.0 / (1.0 + math.exp(-0.7))], rtol=1e-12)


def gated(rng, tracks, plots, spread):
    """Tracks that all gate all plots of one scan."""
    return problem(
        [[(rng.normal(), -1), *((rng.normal(0.0, spread), f) for f in range(plots))] for _ in range(tracks)]
    )


def test_close_to_exact_with_loops():
    """Three tracks, four plots, all gated. Williams and Lau (2014) find errors of a few per cent."""
    rng = np.random.default_rng(2)
    errors = []
    for _ in range(40):
        first, log_weight, claims = gated(rng, 3, 4, 3.0)
        belief = ours(first, log_weight, claims)
        assert (np.add.reduceat(belief, first[:-1]) <= 1.0 + 1e-9).all()
        of_plots = np.bincount(claims[claims >= 0], belief[claims[:, 0] >= 0])
        assert (of_plots <= 1.0 + 0.02).all()
        errors.append(np.abs(belief - by_enumeration(first, log_weight, claims)))
    assert np.mean(errors) < 0.02
    assert np.max(errors) < 0.2


def test_close_to_exact_for_claims_of_several_sensors():
    """Three tracks of eight hypotheses, each with one of two plots of each of three sensors, or none: all loops."""
    rng = np.random.default_rng(5)
    errors, likeliest = [], 0
    for _ in range(40):
        tracks = [
            [
                (
                    rng.normal(1.0, 2.0),
                    *(-1 if p < 0 else 10 * s + p for s, p in enumerate(rng.integers(-1, 2, 3))),
                )
                for _ in range(8)
            ]
            for _ in range(3)
        ]
        given = problem(tracks)
        belief, exact = ours(*given), by_enumeration(*given)
        assert (np.add.reduceat(belief, given[0][:-1]) <= 1.0 + 1e-9).all()
        errors.append(np.abs(belief - exact))
        likeliest += int(np.argmax(belief) == np.argmax(exact))
    assert np.mean(errors) < 0.03
    assert np.max(errors) < 0.35
    assert likeliest >= 32


def test_the_order_of_tracks_and_hypotheses_is_of_no_account():
    rng = np.random.default_rng(3)
    tracks = [[(rng.normal(), -1), *((rng.normal(0.0, 3.0), f) for f in range(4))] for _ in range(4)]
    belief = np.split(ours(*problem(tracks)), np.cumsum([len(t) for t in tracks])[:-1])
    order = rng.permutation(4)
    inner = [rng.permutation(5) for _ in range(4)]
    turned = ours(*problem([[tracks[i][k] for k in inner[i]] for i in order]))
    np.testing.assert_allclose(turned, np.concatenate([belief[i][inner[i]] for i in order]), rtol=1e-9)


def test_plots_that_one_track_alone_claims_bind_nothing():
    rng = np.random.default_rng(4)
    for _ in range(20):
        owner = np.sort(rng.integers(0, 4, 10))
        claims = rng.integers(-1, 6, (10, 2)) + np.array([0, 100])
        claims[claims == 99] = -1
        out = shared_plots(owner, claims)
        names = {}
        for h, s in itertools.product(range(10), range(2)):
            plot = claims[h, s]
            tracks = {owner[g] for g in range(10) if plot in claims[g]}
            assert (out[h, s] >= 0) == (plot >= 0 and len(tracks) > 1)
            if out[h, s] >= 0:
                assert names.setdefault(plot, out[h, s]) == out[h, s]
        assert sorted(names.values()) == list(range(len(names)))


def test_the_chosen_claim_no_plot_twice_and_are_the_likeliest_first():
    """Of all choices without a plot twice the one that comes first where the likeliest hypothesis counts above all."""
    rng = np.random.default_rng(6)
    for _ in range(60):
        tracks, each = 3, 4
        first = np.arange(0, tracks * each + 1, each)
        belief = rng.random(tracks * each)
        claims = rng.integers(-1, 3, (tracks * each, 2))
        claims[claims[:, 1] >= 0, 1] += 3
        best, held = (), []
        for chosen in itertools.product(*([None, *range(first[i], first[i + 1])] for i in range(tracks))):
            pick = [h for h in chosen if h is not None]
            plots = [f for h in pick for f in claims[h] if f >= 0]
            if len(set(plots)) == len(plots):
                worth = tuple(h in pick for h in np.argsort(-belief))
                best, held = max((best, held), (worth, list(chosen)))
        for i, h in enumerate(held):
            if h is None:  # the likelier ones leave it nothing: it keeps its own likeliest
                held[i] = first[i] + int(np.argmax(belief[first[i] : first[i + 1]]))
        assert best_together(first, belief, claims).tolist() == held


def test_two_tracks_that_are_seen_or_not_and_two_plots_near_both():
    """The crossing of two bodies, which is open by half a nat. Where both are surely seen it would be too sure."""
    tracks = [[(0.0, -1), (1.0, 0), (0.0, 1)], [(0.0, -1), (1.0, 0), (0.5, 1)]]
    given = problem(tracks)
    np.testing.assert_allclose(ours(*given), by_enumeration(*given), atol=0.1)


@pytest.mark.parametrize("sure", [0.0, 3.0, 6.0, 12.0, 200.0])
@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (3, 4), (5, 3)])
def test_pairs_are_weighed_exactly(sure, shape):
    """Against the sum over all matchings, one by one."""
    rng = np.random.default_rng([int(sure), *shape])
    weight = sure + rng.normal(0.0, 2.0, shape)
    weight[rng.random(shape) < 0.2] = -np.inf
    n, m = shape
    total, sums = -np.inf, np.full(shape, -np.inf)
    for partners in itertools.product(range(-1, m), repeat=n):
        taken = [j for j in partners if j >= 0]
        if len(set(taken)) < len(taken):
            continue
        worth = sum(weight[i, j] for i, j in enumerate(partners) if j >= 0)
        total = np.logaddexp(total, worth)
        for i, j in enumerate(partners):
            if j >= 0:
                sums[i, j] = np.logaddexp(sums[i, j], worth)
    np.testing.assert_allclose(pair_beliefs(weight), np.exp(sums - total), atol=1e-9)
