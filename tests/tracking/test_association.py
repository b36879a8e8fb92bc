"""Pairs and their probabilities against every assignment and every matching, one by one."""

import itertools
import math

import numpy as np
import pytest

from tocsin.tracking.association import assign, many_beliefs, pair_beliefs


def most_by_enumeration(owner, partner, gain):
    """The greatest sum of gains of pairs of which no two share an owner or a partner."""
    best = 0.0
    for chosen in itertools.product([False, True], repeat=len(gain)):
        k = np.flatnonzero(chosen)
        if len(set(owner[k])) == len(k) == len(set(partner[k])):
            best = max(best, float(gain[k].sum()))
    return best


def assert_assigned(owner, partner, gain, best):
    """Rows ascend, none is worth nothing, no owner or partner comes twice, and their gains sum to the best."""
    kept = owner.copy(), partner.copy(), gain.copy()
    taken = assign(owner, partner, gain)
    assert (np.diff(taken) > 0).all()
    assert (gain[taken] > 0.0).all()
    assert len(set(owner[taken])) == len(taken) == len(set(partner[taken]))
    assert gain[taken].sum() == pytest.approx(best, abs=1e-12)
    for now, before in zip((owner, partner, gain), kept, strict=True):
        assert (now == before).all()
    return taken


def sparse(rng, owners, partners, pairs):
    """Pairs in any order, none twice: owner, partner, gain, a third of them worth nothing."""
    both = rng.permutation(owners * partners)[:pairs]
    return both // partners, both % partners, rng.normal(1.0, 2.0, len(both))


def test_the_most_of_all_assignments_is_taken():
    rng = np.random.default_rng(1)
    fewer = 0
    for _ in range(60):
        owner, partner, gain = sparse(rng, 4, 4, int(rng.integers(1, 11)))
        best = most_by_enumeration(owner, partner, gain)
        taken = assert_assigned(owner, partner, gain, best)
        greedy, held = 0.0, (set(), set())
        for k in np.argsort(-gain):
            if gain[k] > 0.0 and owner[k] not in held[0] and partner[k] not in held[1]:
                greedy += gain[k]
                held[0].add(owner[k])
                held[1].add(partner[k])
        fewer += int(gain[taken].sum() > greedy + 1e-9)
    assert fewer > 3  # nearest first would not do


def test_groups_that_share_nothing_are_each_assigned_at_their_best():
    """Five groups, their owners, partners and rows mixed, with numbers that no one has between them."""
    rng = np.random.default_rng(2)
    for _ in range(20):
        parts, best = [], 0.0
        for group in range(5):
            owner, partner, gain = sparse(rng, 3, 3, int(rng.integers(1, 8)))
            best += most_by_enumeration(owner, partner, gain)
            parts.append((5 * owner + group, 7 * partner + group, gain))
        order = rng.permutation(sum(len(gain) for *_, gain in parts))
        owner, partner, gain = (np.concatenate(c)[order] for c in zip(*parts, strict=True))
        assert_assigned(owner, partner, gain, best)


def test_of_equal_choices_one_is_taken():
    rng = np.random.default_rng(3)
    for _ in range(40):
        owner, partner, _ = sparse(rng, 4, 4, 9)
        gain = rng.integers(-1, 3, 9).astype(float)
        assert_assigned(owner, partner, gain, most_by_enumeration(owner, partner, gain))


def test_of_a_pair_that_comes_twice_the_better_row_is_taken():
    owner, partner = np.array([0, 0, 1, 0]), np.array([0, 0, 0, 1])
    for gain, rows in (
        ([2.0, 3.0, 1.0, 1.0], [1]),
        ([3.0, 2.0, 1.0, 1.0], [0]),
        ([1.0, 2.0, 3.0, 1.0], [2, 3]),
    ):
        assert assign(owner, partner, np.array(gain)).tolist() == rows


def test_what_is_worth_nothing_is_not_taken():
    """A track whose only plot is worse than none goes without, even where that leaves the plot to no one."""
    owner, partner = np.array([0, 1, 1]), np.array([0, 0, 1])
    assert assign(owner, partner, np.array([-1.0, -2.0, 0.0])).tolist() == []
    assert assign(owner, partner, np.array([-1.0, 3.0, 4.0])).tolist() == [2]
    nothing = np.zeros(0, np.int64)
    assert assign(nothing, nothing, np.zeros(0)).tolist() == []


def by_matchings(log_weight):
    """Exact probabilities of pairs: each row has one column or none, and no column two rows."""
    n, m = log_weight.shape
    total, sums = -np.inf, np.full((n, m), -np.inf)
    for partners in itertools.product(range(-1, m), repeat=n):
        taken = [j for j in partners if j >= 0]
        if len(set(taken)) < len(taken):
            continue
        worth = sum(log_weight[i, j] for i, j in enumerate(partners) if j >= 0)
        total = np.logaddexp(total, worth)
        for i, j in enumerate(partners):
            if j >= 0:
                sums[i, j] = np.logaddexp(sums[i, j], worth)
    return np.exp(sums - total)


@pytest.mark.parametrize("sure", [0.0, 3.0, 6.0, 12.0, 200.0])
@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (3, 4), (5, 3)])
def test_pairs_are_weighed_exactly(sure, shape):
    """Against the sum over all matchings, one by one."""
    rng = np.random.default_rng([int(sure), *shape])
    weight = sure + rng.normal(0.0, 2.0, shape)
    weight[rng.random(shape) < 0.2] = -np.inf
    np.testing.assert_allclose(pair_beliefs(weight), by_matchings(weight), atol=1e-9)


NO = -math.inf
# Belief propagation is exact where the pairs that can be make no loop.
TREES = {
    "one pair": [[0.7]],
    "one with several": [[1.0, 2.0, -1.0, 0.3]],
    "several with one": [[1.0], [2.0], [-1.0]],
    "a chain": [[3.0, 2.5, NO], [NO, 2.0, 1.0], [NO, NO, 4.0]],
    "a chain that ends in two": [[3.0, 2.5, NO], [NO, 2.0, 1.0]],
    "a star": [[1.0, 0.5, NO, -1.0], [2.0, NO, NO, NO], [NO, 1.5, NO, NO], [NO, NO, 0.2, 0.9]],
    "apart": [[5.0, NO], [NO, -5.0]],
    "one that can be no pair's": [[1.0, 0.0], [NO, NO]],
}


@pytest.mark.parametrize("more", [0.0, 40.0, 80.0])
@pytest.mark.parametrize("name", TREES)
def test_many_are_weighed_exactly_without_loops(name, more):
    """Also where the odds are e40 or e80, as of two sharp tracks that agree: what counts is their ratio."""
    weight = np.array(TREES[name]) + more
    # passes end when no message moves by more than 1e-4
    np.testing.assert_allclose(many_beliefs(weight), by_matchings(weight), atol=1e-4)


def test_great_odds_of_one_beside_small_ones_of_another():
    for weight in ([[40.0, 0.5]], [[80.0], [1.0]], [[40.0, 0.0, NO], [NO, 81.0, 79.0]]):
        np.testing.assert_allclose(many_beliefs(np.array(weight)), by_matchings(np.array(weight)), atol=1e-4)


def test_many_are_weighed_closely_with_loops():
    """Three and four, all of them near to each other. Williams and Lau (2014) find errors of a few per cent."""
    rng = np.random.default_rng(4)
    errors = []
    for _ in range(60):
        weight = rng.normal(0.0, 3.0, (3, 4))
        belief = many_beliefs(weight)
        assert (belief.sum(1) <= 1.0 + 1e-9).all()
        assert (belief.sum(0) <= 1.0 + 1e-3).all()
        errors.append(np.abs(belief - by_matchings(weight)))
    # measured 0.004 and 0.11
    assert np.mean(errors) < 0.01
    assert np.max(errors) < 0.2


def test_the_order_of_many_is_of_no_account():
    rng = np.random.default_rng(5)
    for _ in range(10):
        weight = rng.normal(0.0, 3.0, (5, 6))
        weight[rng.random((5, 6)) < 0.3] = -np.inf
        belief = many_beliefs(weight)
        i, j = rng.permutation(5), rng.permutation(6)
        np.testing.assert_allclose(many_beliefs(weight[i][:, j]), belief[i][:, j], rtol=1e-9)
        # asked the other way round, messages start on the other side: as near as passes end
        np.testing.assert_allclose(many_beliefs(weight.T).T, belief, atol=1e-4)


def test_what_cannot_be_has_no_probability():
    rng = np.random.default_rng(6)
    weight = rng.normal(0.0, 2.0, (4, 5))
    never = rng.random((4, 5)) < 0.4
    never[2], never[:, 1] = True, True
    weight[never] = -np.inf
    for belief in (many_beliefs(weight), pair_beliefs(weight)):
        assert (belief[never] == 0.0).all()
        assert (belief[~never] > 0.0).all()
    assert (many_beliefs(np.full((2, 3), -np.inf)) == 0.0).all()


def test_many_and_few_are_weighed_alike():
    """Fourteen tracks in pairs that exclude each other: what the exact sum cannot take says what it says of two."""
    rng = np.random.default_rng(7)
    weight = np.full((14, 14), -np.inf)
    expected = np.zeros((14, 14))
    for k in range(0, 14, 2):
        part = rng.normal(0.0, 2.0, (2, 2))
        part[1, 0] = -np.inf
        weight[k : k + 2, k : k + 2] = part
        expected[k : k + 2, k : k + 2] = by_matchings(part)
    np.testing.assert_allclose(many_beliefs(weight), expected, atol=1e-4)
