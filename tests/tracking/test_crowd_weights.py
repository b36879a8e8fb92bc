"""What plots are worth to the bodies of a crowd, and swaps of them: against formulas and all choices."""

import itertools
import math

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from scipy.stats import norm

from tocsin.tracking.crowd_moves import LEAST_GAIN
from tocsin.tracking.crowd_swaps import OTHER_M, best_swaps, links, others, plots_of
from tocsin.tracking.crowd_weights import (
    DOUBT,
    MOST_ODDS,
    SEEN_ODDS,
    doubts,
    forgotten,
    grow,
    summed,
    unseen,
    value_of,
    weigh,
)

PERIOD_S = 5.0


def worth(Y, y):
    """ln of what is left of a Gaussian after its integral, but for constants."""
    return 0.5 * y @ np.linalg.solve(Y, y) - 0.5 * np.linalg.slogdet(Y)[1]


def random_info(rng, count):
    root = rng.normal(size=(count, 6, 8))
    return root @ root.transpose(0, 2, 1)


class Toy:
    """Bodies with constant deviations, each with one plot a scan of place (10 m) and speed (3 m/s)."""

    def __init__(self, rng, truth, S, sigma_m=10.0, prior=(500.0, 50.0)):
        truth = np.asarray(truth, float)
        K = len(truth)
        self.K, self.S = K, S
        self.scan, self.member = np.repeat(np.arange(S), K), np.tile(np.arange(K), S)
        self.first = np.arange(S + 1) * K
        self.W = np.zeros((S * K, 4, 6))
        for i in range(3):
            self.W[:, i, i] = 1.0 / sigma_m
            self.W[:, i, 3 + i] = PERIOD_S * self.scan / sigma_m
        self.W[:, 3, 3:] = np.array([0.6, -0.48, 0.64]) / 3.0
        self.r = np.einsum("nqi,ni->nq", self.W, truth[self.member]) + rng.normal(size=(S * K, 4))
        self.B = np.einsum("nqi,nqj->nij", self.W, self.W)
        self.b = np.einsum("nqi,nq->ni", self.W, self.r)
        self.net = np.full(S * K, 12.0) - 0.5 * (self.r**2).sum(1)
        self.prior_info = np.tile(np.diag([prior[0] ** -2] * 3 + [prior[1] ** -2] * 3), (K, 1, 1))
        self.prior_vector = np.zeros((K, 6))

    def sums(self, member):
        """By definition: information and vector of all bodies."""
        Y, y = self.prior_info.copy(), self.prior_vector.copy()
        for n, k in enumerate(member):
            if k >= 0:
                Y[k] += self.B[n]
                y[k] += self.b[n]
        return Y, y

    def total(self, member):
        return sum(worth(*c) for c in zip(*self.sums(member), strict=True))

    def swapped(self, member, to, cut):
        """The choice with which body k has what to[k] had since a scan."""
        out = member.copy()
        tail = (self.scan >= cut) & (member >= 0)
        out[tail] = np.argsort(to)[member[tail]]
        return out


APART = [[0.0] * 6, [90.0, -60.0, 40.0, 5.0, 8.0, -6.0], [-70.0, 50.0, 110.0, -7.0, 3.0, 9.0]]


def test_the_value_of_information_and_its_factor():
    rng = np.random.default_rng(1)
    L = np.zeros((7, 6))
    for Y in random_info(rng, 20):
        y = 3.0 * rng.normal(size=6)
        assert value_of(Y, y, L) == pytest.approx(worth(Y, y), rel=1e-9, abs=1e-9)
        factor = np.linalg.cholesky(Y)
        np.testing.assert_allclose(np.tril(L[:6]), factor, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(L[6], np.linalg.solve(factor, y), rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("at", range(6))
def test_what_is_no_information_has_no_value(at):
    rng = np.random.default_rng(2)
    values = np.ones(6)
    values[at] = -0.1
    Q = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    L = np.zeros((7, 6))
    assert value_of(Q @ np.diag(values) @ Q.T, np.ones(6), L) == -np.inf
    assert value_of(np.diag(values), np.ones(6), L) == -np.inf
    values[at] = 0.0
    assert value_of(np.diag(values), np.ones(6), L) == -np.inf


def test_sums_are_of_each_bodys_own_plots():
    rng = np.random.default_rng(3)
    toy = Toy(rng, APART, 4)
    member = rng.integers(-1, 3, len(toy.scan))
    prior = toy.prior_info.copy()
    for got, expected in zip(
        summed(member, toy.B, toy.b, toy.prior_info, toy.prior_vector), toy.sums(member), strict=True
    ):
        np.testing.assert_allclose(got, expected, rtol=1e-12)
    np.testing.assert_array_equal(toy.prior_info, prior)
    assert (member < 0).any()


def test_a_plot_is_weighed_with_all_others_but_those_of_its_scan():
    rng = np.random.default_rng(4)
    toy = Toy(rng, APART, 5)
    member = toy.member.copy()
    member[[1, 7, 8]] = -1
    miss = np.log([0.1, 0.3, 0.8])
    Y, y = toy.sums(member)
    for s in range(toy.S):
        rows = np.flatnonzero(toy.scan == s)
        got = weigh(rows, member, toy.B, toy.b, toy.net, Y, y, miss)
        rest = member.copy()
        rest[rows] = -1
        Y0, y0 = toy.sums(rest)
        for k, j in itertools.product(range(3), range(len(rows))):
            n = rows[j]
            with_it = worth(Y0[k] + toy.B[n], y0[k] + toy.b[n]) - worth(Y0[k], y0[k])
            assert got[k, j] == pytest.approx(with_it + toy.net[n] - miss[k], rel=1e-7, abs=1e-7)
    assert weigh(np.zeros(0, np.int64), member, toy.B, toy.b, toy.net, Y, y, miss).shape == (3, 0)


def grown(toy, free, seed, miss):
    return grow(seed, free, toy.scan, toy.B, toy.b, toy.net, toy.prior_info[0], toy.prior_vector[0], miss)


def test_what_begins_takes_plots_that_go_together_and_pays_for_scans_without():
    toy = Toy(
        np.random.default_rng(5),
        [[30.0, -20.0, 10.0, 4.0, -3.0, 2.0], [900.0, 700.0, -800.0, 60, -40, 9]],
        12,
    )
    seed = int(np.flatnonzero((toy.scan == 11) & (toy.member == 0))[0])
    mine = (toy.member == 0) & ~np.isin(toy.scan, [4, 8])  # of scan 4 nothing is free, of 8 another's plot
    free = np.flatnonzero(mine | ((toy.member == 1) & np.isin(toy.scan, [2, 8, 10, 11])))
    miss = -0.1 * np.arange(1.0, 13.0)
    taken, gain = grown(toy, free, seed, miss)
    assert sorted(taken.tolist()) == np.flatnonzero(mine).tolist()
    assert taken[0] == seed
    Y, y = toy.prior_info[0] + toy.B[mine].sum(0), toy.prior_vector[0] + toy.b[mine].sum(0)
    expected = worth(Y, y) - worth(toy.prior_info[0], toy.prior_vector[0]) + toy.net[mine].sum()
    assert gain == pytest.approx(expected + miss[4] + miss[8], rel=1e-9)


def test_what_begins_begins_late_where_earlier_plots_are_not_worth_what_is_missing():
    toy = Toy(np.random.default_rng(6), [[30.0, -20.0, 10.0, 4.0, -3.0, 2.0]], 12)
    free = np.flatnonzero((toy.scan == 0) | (toy.scan > 7))
    miss = np.full(12, math.log(0.001))
    taken, gain = grown(toy, free, 11, miss)
    assert taken.tolist() == [11, 10, 9, 8]
    cheap, more = grown(toy, free, 11, np.full(12, -0.01))
    assert cheap.tolist() == [11, 10, 9, 8, 0]
    assert more > gain
    alone, _ = grown(toy, np.zeros(0, np.int64), 11, miss)
    assert alone.tolist() == [11]


def test_odds_are_forgotten_but_for_what_was_missed_of_late():
    own = np.array([[1, 0, 0], [1, 0, 1], [0, 0, 0], [0, 1, 0]], bool)
    miss = np.array([[-1.0, -2.0, -9.0], [-1.0, -2.0, -9.0], [-1.0, -2.5, -8.0], [-2.0, -9.0, -8.0]])
    begin = np.array([0, 0, 1])
    got = forgotten(own, miss, begin)
    np.testing.assert_allclose(
        got, [MOST_ODDS - 3.0, min(MOST_ODDS - 6.5 + SEEN_ODDS, MOST_ODDS), MOST_ODDS - 16.0]
    )
    assert (got <= MOST_ODDS).all()
    assert forgotten(np.ones((9, 1), bool), np.full((9, 1), -1.0), np.array([0]))[0] == MOST_ODDS
    assert forgotten(own, miss, np.full(3, 4)).tolist() == [MOST_ODDS] * 3


CELL = np.zeros((1, 4, 6))
CELL[0, 0, 0], CELL[0, 1, 1], CELL[0, 2, 2], CELL[0, 3, 3] = 1e-3, 1e-3, 1e-2, 0.1


def missed(mean, variance, seen, chance=0.9, finer=1.0):
    """ln of the probability (K,) of no plot of one scan, of bodies of which some have one."""
    mean = np.asarray(mean, float)
    P = np.tile(variance * np.eye(6), (len(mean), 1, 1))
    member = np.array([*seen, -1])
    miss = np.full((1, len(mean)), np.nan)
    unseen(
        0, member, np.zeros(len(member), np.int64), CELL, np.array([finer]), np.array([chance]), mean, P, miss
    )
    return miss[0]


def along(*metres):
    out = np.zeros((len(metres), 6))
    out[:, 2] = metres
    return out


def test_bodies_far_apart_hide_nothing():
    np.testing.assert_allclose(missed(along(0.0, 1e4), 1.0, [1]), math.log1p(-0.9), rtol=1e-9)
    np.testing.assert_allclose(missed(along(0.0), 1.0, [0]), math.log1p(-0.9), rtol=1e-9)


def test_a_body_is_hidden_in_the_plot_of_another_at_its_place():
    got = missed(along(0.0, 0.0), 1e-8, [1])
    assert got[0] == pytest.approx(0.0, abs=1e-9)
    assert got[1] == pytest.approx(math.log1p(-0.9))  # none other has a plot
    np.testing.assert_allclose(missed(along(0.0, 0.0), 1e-8, []), math.log1p(-0.9))


def test_bodies_in_a_chain_are_one_plot():
    got = missed(along(0.0, 80.0, 160.0), 1e-8, [2])
    np.testing.assert_allclose(got[:2], 0.0, atol=1e-9)
    assert got[2] == pytest.approx(math.log1p(-0.9))
    # without the one between, or with a finer sensor, nothing is hidden
    np.testing.assert_allclose(missed(along(0.0, 160.0), 1e-8, [1]), math.log1p(-0.9))
    np.testing.assert_allclose(missed(along(0.0, 80.0, 160.0), 1e-8, [2], finer=2.0), math.log1p(-0.9))


def test_how_probably_a_body_is_hidden_against_the_normal_distribution():
    mean, sigma = np.array([[0.0] * 6, [500.0, -300.0, 60.0, 4.0, 0.0, 0.0]]), 40.0
    wide = math.sqrt(2.0) * sigma
    p = 1.0
    for scale, apart in zip([1e-3, 1e-3, 1e-2, 0.1], mean[1, :4], strict=True):
        p *= norm.cdf((1.0 / scale - apart) / wide) - norm.cdf((-1.0 / scale - apart) / wide)
    assert 0.01 < p < 0.9
    assert missed(mean, sigma**2, [1])[0] == pytest.approx(math.log1p(-0.9 * (1.0 - p)), rel=1e-9)


def test_what_is_unseen_is_filled_from_a_scan_on():
    cell = np.repeat(CELL, 3, 0)
    miss = np.full((3, 1), 7.0)
    unseen(
        2, np.zeros(0, np.int64), np.zeros(0, np.int64), cell, np.ones(3), np.array([0.2, 0.3, 0.4]),
        np.zeros((1, 6)), np.eye(6)[None], miss,
    )  # fmt: skip
    np.testing.assert_allclose(miss[:, 0], [7.0, 7.0, math.log1p(-0.4)])


def shares(toy, member, miss, first_scan=0):
    Y, y = toy.sums(member)
    mean = np.linalg.solve(Y, y[..., None])[..., 0]
    share = np.full((len(member), 4), np.nan)
    doubts(first_scan, toy.first, member, toy.W, toy.B, toy.b, toy.net, Y, y, miss, mean, share)
    return share, mean


def test_plots_of_a_body_alone_are_not_in_doubt():
    toy = Toy(np.random.default_rng(7), APART[:1], 6)
    share, _ = shares(toy, toy.member, np.full((6, 1), -2.0))
    np.testing.assert_array_equal(share, 1.0)
    share, _ = shares(toy, toy.member, np.full((6, 1), -2.0), first_scan=4)
    assert np.isnan(share[:4]).all()
    np.testing.assert_array_equal(share[4:], 1.0)


def test_plots_of_bodies_far_apart_are_not_in_doubt():
    toy = Toy(np.random.default_rng(8), 10.0 * np.array(APART), 6)
    share, _ = shares(toy, toy.member, np.full((6, 3), -2.0))
    np.testing.assert_allclose(share, 1.0, atol=1e-6)


def test_plots_of_near_bodies_count_less_in_each_quantity():
    """By the odds that both have the other's plot, and the squared sigmas between them."""
    toy = Toy(np.random.default_rng(9), [[0.0] * 6, [8.0, -7.0, 6.0, 0.2, -0.3, 0.2]], 6)
    member = toy.member.copy()
    member[5] = -1  # the second has none of scan 2
    miss = np.full((6, 2), -2.0)
    share, mean = shares(toy, member, miss)
    Y, y = toy.sums(member)
    for s in range(6):
        rows = np.flatnonzero(toy.scan == s)
        gain = weigh(rows, member, toy.B, toy.b, toy.net, Y, y, miss[s])
        for m, n in enumerate(rows.tolist()):
            k = member[n]
            if k < 0:
                np.testing.assert_array_equal(share[n], 1.0)
                continue
            apart = toy.W[n] @ (mean[k] - mean[1 - k])
            if s == 2:
                p = max(1.0 / (1.0 + math.exp(gain[k, m] - gain[1 - k, m])), 0.25)
            else:
                crossed = gain[1 - k, m] + max(gain[k, 1 - m], 0.0)
                p = 1.0 / (1.0 + math.exp(gain[k, m] + gain[1 - k, 1 - m] - crossed))
            np.testing.assert_allclose(share[n], 1.0 / (1.0 + DOUBT * p * apart**2), rtol=1e-9)
            assert (share[n] < 1.0).all()
    assert share[member >= 0].min() < 0.8


def test_the_plots_of_each_body():
    member, scan = np.array([1, -1, 0, 1, -1]), np.array([0, 0, 1, 2, 2])
    assert plots_of(4, 2, member, scan).tolist() == [[-1, 0], [2, -1], [-1, 3], [-1, -1]]


def missing_of(own, miss, old):
    """ln of the probability of what is missing of bodies, after their first plots."""
    begun = old | (np.cumsum(own, 0) > 0)
    return float(np.where(begun & ~own, miss, 0.0).sum())


def by_brute_force(toy, member, a, c, which, sensor, miss, old):
    """Gain (S,) of all swaps of two bodies' plots since a scan, of one sensor or of all."""
    out = np.full(toy.S, -np.inf)
    own = plots_of(toy.S, toy.K, member, toy.scan) >= 0
    pair = [a, c]
    for s in range(toy.S):
        if which >= 0 and sensor[s] != which:
            continue
        scans = (np.arange(toy.S) >= s) & ((which < 0) | (sensor == which))
        tail = scans[toy.scan]
        new = np.where(tail & (member == a), c, np.where(tail & (member == c), a, member))
        then, lost = own.copy(), miss.copy()
        then[np.ix_(scans, pair)] = own[np.ix_(scans, [c, a])]
        lost[np.ix_(scans, pair)] = miss[np.ix_(scans, [c, a])]
        out[s] = toy.total(new) - toy.total(member)
        out[s] += missing_of(then[:, pair], lost[:, pair], old[pair])
        out[s] -= missing_of(own[:, pair], miss[:, pair], old[pair])
    return out


def best(toy, member, sensors, sensor, miss, old, asked=None):
    K = toy.K
    Y, y = toy.sums(member)
    gain, cut, of = np.full((K, K), -np.inf), np.full((K, K), -1), np.full((K, K), -1)
    asked = np.ones((K, K), bool) if asked is None else asked
    plot_of = plots_of(toy.S, K, member, toy.scan)
    best_swaps(np.array(sensors), sensor, plot_of, toy.B, toy.b, Y, y, miss, old, asked, gain, cut, of)
    return gain, cut, of


@pytest.mark.parametrize(("which", "cut"), [(-1, 7), (1, 9), (0, 6)])
@pytest.mark.parametrize("old", [True, False])
def test_swapped_plots_are_found_from_their_first_scan_on(which, cut, old):
    rng = np.random.default_rng([10, which + 1, int(old)])
    toy = Toy(rng, APART, 14)
    sensor = np.arange(14) % 2
    miss = np.log(rng.uniform(0.05, 0.5, (14, 3)))
    planted = (toy.scan >= cut) & ((which < 0) | (sensor[toy.scan] == which))
    member = np.where(planted, np.array([0, 2, 1])[toy.member], toy.member)
    member[(member == 1) & np.isin(toy.scan, [0, 1, 10])] = -1
    member[(member == 0) & (toy.scan == 3)] = -1
    old = np.full(3, old)
    gain, at, of = best(toy, member, [-1, 0, 1], sensor, miss, old)
    assert np.unravel_index(gain.argmax(), gain.shape) == (1, 2)
    assert (at[1, 2], of[1, 2]) == (cut, which)
    expected = by_brute_force(toy, member, 1, 2, which, sensor, miss, old)
    assert expected.argmax() == cut
    assert gain[1, 2] == pytest.approx(expected[cut], rel=1e-7)
    # what is right gains nothing
    gain, _, _ = best(toy, toy.member, [-1, 0, 1], sensor, miss, old)
    assert gain.max() < LEAST_GAIN


def test_only_swaps_that_are_asked_for_are_worked_out():
    toy = Toy(np.random.default_rng(11), APART, 6)
    member = toy.swapped(toy.member, np.array([0, 2, 1]), 3)
    gain, cut, of = best(
        toy, member, [-1], np.zeros(6, np.int64), np.zeros((6, 3)), np.ones(3, bool), np.zeros((3, 3), bool)
    )
    assert (gain == -np.inf).all()
    assert (cut == -1).all()
    assert (of == -1).all()


@pytest.mark.parametrize("which", [-1, 0])
def test_plots_dealt_out_in_a_ring_are_found(which):
    toy = Toy(np.random.default_rng([12, which + 1]), [*APART, [40.0, 120.0, -90.0, 9.0, -5.0, 7.0]], 14)
    sensor = np.arange(14) % 2
    ring = np.array([1, 2, 0, 3])  # body k's plots are given to ring[k]
    planted = (toy.scan >= 8) & ((which < 0) | (sensor[toy.scan] == which))
    member = np.where(planted, ring[toy.member], toy.member)
    Y, y = toy.sums(member)
    plot_of = plots_of(14, 4, member, toy.scan)
    cuts = np.array([12, 8, 2])
    got = links(cuts, which, sensor, plot_of, toy.B, toy.b, Y, y)
    assert got.shape == (3, 4, 4)
    gains = []
    for c, cut in enumerate(cuts.tolist()):
        tail = (toy.scan >= cut) & ((which < 0) | (sensor[toy.scan] == which))
        head_Y, head_y = toy.sums(np.where(tail, -1, member))
        for k, j in itertools.product(range(4), range(4)):
            had = tail & (member == j)
            expected = worth(head_Y[k] + toy.B[had].sum(0), head_y[k] + toy.b[had].sum(0))
            assert got[c, k, j] == pytest.approx(expected, rel=1e-6)
        _, to = linear_sum_assignment(got[c], maximize=True)
        gains.append(got[c, np.arange(4), to].sum() - np.trace(got[c]))
        if cut == 8:
            assert to.tolist() == ring.tolist()
    assert np.argmax(gains) == 1


def elsewhere(toy, near=True):
    Y, y = toy.sums(toy.member)
    return others(
        np.eye(6), np.full((toy.K, toy.K), near), np.array([-1]), np.zeros(toy.S, np.int64),
        plots_of(toy.S, toy.K, toy.member, toy.scan), toy.B, toy.b, Y, y, np.zeros((toy.S, toy.K)),
        np.ones(toy.K, bool),
    )  # fmt: skip


def test_bodies_far_apart_are_nowhere_else():
    toy = Toy(np.random.default_rng(13), 10.0 * np.array(APART), 8)
    np.testing.assert_allclose(elsewhere(toy), 0.0, atol=1e-9)


def test_bodies_that_may_be_each_other_may_be_elsewhere():
    near = [[0.0] * 6, [9.0, -6.0, 5.0, 0.1, -0.2, 0.1], [5e3, 5e3, 5e3, 0.0, 0.0, 0.0]]
    toy = Toy(np.random.default_rng(14), near, 8, prior=(1e4, 50.0))
    out = elsewhere(toy)
    assert np.trace(out[0]) > 1.0
    assert np.trace(out[1]) > 1.0
    np.testing.assert_allclose(out[2], 0.0, atol=1e-9)
    for one in out:
        assert np.linalg.eigvalsh(one).min() > -1e-9
    np.testing.assert_array_equal(elsewhere(toy, near=False), 0.0)


def test_a_swap_in_doubt_moves_a_body_no_further_than_a_bound():
    toy = Toy(
        np.random.default_rng(15),
        [[0.0] * 6, [1.2e4, -8e3, 8e3, 1.0, -2.0, 1.0]],
        8,
        sigma_m=2e4,
        prior=(1e6, 50.0),
    )
    out = elsewhere(toy)
    size = np.sqrt(np.trace(out[:, :3, :3], axis1=1, axis2=2))
    assert (size <= OTHER_M * (1.0 + 1e-9)).all()
    assert size.max() == pytest.approx(OTHER_M)
