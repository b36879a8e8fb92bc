"""Plots shared out anew among bodies, and bodies that are two or none: against other solvers and by definition."""

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from tocsin.tracking.crowd_splits import Plots, best_owners, likelihood, settled, shared_out, split
from tocsin.tracking.crowd_swaps import plots_of
from tocsin.tracking.crowd_weights import told_by, value_of, weigh

PERIOD_S, CHANCE, LEAST = 5.0, 0.9, 0.3
TOP = 14.0  # ln of what a plot is worth at its best
LOG_BIRTH = np.log(0.5)
PRIOR = np.diag([500.0**-2] * 3 + [3.0**-2] * 3)
NEAR = [[0.0] * 6, [120.0, -90.0, 60.0, 0.5, 0.8, -0.6], [-400.0, 350.0, 310.0, -1.7, 1.3, 1.9]]


def worth(Y, y):
    """ln of what is left of a Gaussian after its integral, but for constants."""
    return 0.5 * y @ np.linalg.solve(Y, y) - 0.5 * np.linalg.slogdet(Y)[1]


class Scene:
    """Bodies that two sensors see in turn, each well along its own axis alone; of (S, K) only those that are shown."""

    def __init__(self, rng, truth, shown, cells=1e-3):
        truth = np.asarray(truth, float)
        self.S = len(shown)
        self.scan, self.body = np.nonzero(shown)
        N = len(self.scan)
        sensor = np.arange(self.S) % 2
        W = np.zeros((N, 4, 6))
        for n, s in enumerate(self.scan.tolist()):
            own = int(sensor[s])
            sigma = [60.0, 60.0, 10.0]
            for row, axis in enumerate(((own + 1) % 3, (own + 2) % 3, own)):
                W[n, row, axis] = 1.0 / sigma[row]
                W[n, row, 3 + axis] = PERIOD_S * s / sigma[row]
        self.r = np.einsum("nqi,ni->nq", W, truth[self.body]) + rng.normal(size=(N, 4)) * W.any(2)
        B, b = told_by(W, self.r, np.ones((N, 4)))
        cell = np.zeros((self.S, 4, 6))
        cell[:, :3, :3] = np.eye(3) / cells
        self.plots = Plots(
            sensor=sensor, first=np.searchsorted(self.scan, np.arange(self.S + 1)), scan=self.scan, B=B, b=b,
            net=TOP - 0.5 * (self.r**2).sum(1), most=np.full(N, TOP), along=np.ascontiguousarray(W[:, 2]),
            range=np.ascontiguousarray(self.r[:, 2]), cell=cell, finer=np.ones(self.S),
            chance=np.full(self.S, CHANCE),
        )  # fmt: skip

    def totals(self, member, K):
        Y, y = np.tile(PRIOR, (K, 1, 1)), np.zeros((K, 6))
        for n, k in enumerate(member.tolist()):
            if k >= 0:
                Y[k] += self.plots.B[n]
                y[k] += self.plots.b[n]
        return Y, y

    def misses(self, K):
        return np.full((self.S, K), np.log(1.0 - CHANCE))

    def tried(self, member, K):
        """What `split` makes of a choice of K bodies: the gain, the choice, and which bodies there are."""
        member, miss, left = member.copy(), self.misses(K + 1), np.ones(K + 1, bool)
        Y, y = self.totals(member, K + 1)
        before = np.full(K + 1, LOG_BIRTH - worth(PRIOR, np.zeros(6)))
        gain = split(
            np.array([0, 1]), self.plots, member, Y, y, miss, np.zeros(K + 1, bool), before, LEAST, left
        )
        np.testing.assert_allclose(Y[left], self.totals(member, K + 1)[0][left], rtol=1e-9)
        return gain, member, left


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (6, 4), (9, 9), (12, 3)])
def test_the_best_owners_are_those_of_another_solver(shape):
    rng = np.random.default_rng(shape[0])
    shared = 0
    for _ in range(200):
        gain = rng.normal(0.3, 2.0, size=shape)
        gain[rng.random(shape) < 0.2] = -np.inf
        owner = best_owners(gain)
        rows, columns = linear_sum_assignment(np.maximum(gain, 0.0), maximize=True)
        mine = [(k, j) for j, k in enumerate(owner.tolist()) if k >= 0]
        assert len({k for k, _ in mine}) == len(mine)
        assert all(gain[k, j] > 0.0 for k, j in mine)
        total = sum(gain[k, j] for k, j in mine)
        assert total == pytest.approx(np.maximum(gain, 0.0)[rows, columns].sum(), abs=1e-9)
        best = [int(gain[:, j].argmax()) for j in range(shape[1]) if gain[:, j].max() > 0.0]
        shared += len(set(best)) < len(best)
    assert shared > 50 or min(shape) < 3  # most were no matter of course


def test_plots_of_nobody_are_nobodys():
    assert best_owners(np.full((3, 2), -1.0)).tolist() == [-1, -1]
    assert best_owners(np.zeros((2, 0))).tolist() == []


def test_a_scan_is_shared_out_as_its_plots_are_worth_given_all_others():
    rng = np.random.default_rng(3)
    scene = Scene(rng, NEAR, np.ones((20, 3), bool))
    member = rng.integers(-1, 3, len(scene.scan))
    for s in range(20):  # one plot a body and scan
        for k in range(3):
            mine = np.flatnonzero((scene.scan == s) & (member == k))
            member[mine[1:]] = -1
    Y, y = scene.totals(member, 3)
    miss = scene.misses(3)
    begin = np.zeros(3, int)
    rows = np.arange(scene.plots.first[7], scene.plots.first[8])
    gain = weigh(rows, member, scene.plots.B, scene.plots.b, scene.plots.net, Y, y, miss[7])
    owner, column = linear_sum_assignment(np.maximum(gain, 0.0), maximize=True)
    expected = np.full(len(rows), -1)
    good = gain[owner, column] > 0.0
    expected[column[good]] = owner[good]
    found, keep = member.copy(), np.empty((len(member), 3))
    shared_out(
        np.array([7]), scene.plots, found, Y, y, miss, begin, np.zeros(3, bool), keep, np.zeros((20, 3), bool)
    )
    np.testing.assert_array_equal(found[rows], expected)
    np.testing.assert_array_equal(np.delete(found, rows), np.delete(member, rows))
    for got, by_definition in zip((Y, y), scene.totals(found, 3), strict=True):
        np.testing.assert_allclose(got, by_definition, rtol=1e-9, atol=1e-12)


def test_what_the_range_rules_out_changes_nothing():
    rng = np.random.default_rng(4)
    scene = Scene(rng, NEAR, rng.random((60, 3)) < CHANCE)
    other = scene.plots._replace(most=np.full(len(scene.scan), 1e9))
    out = []
    for plots in (scene.plots, other):
        member = scene.body.copy()
        member[::3] = (member[::3] + 1) % 3
        Y, y = scene.totals(member, 3)
        keep, fresh = np.empty((len(member), 3)), np.zeros((60, 3), bool)
        moved = shared_out(
            np.arange(60),
            plots,
            member,
            Y,
            y,
            scene.misses(3),
            np.zeros(3, int),
            np.zeros(3, bool),
            keep,
            fresh,
        )
        out.append((moved, member.tolist(), int(np.isinf(keep).sum())))
    assert out[0][:2] == out[1][:2]
    assert out[0][0] > 5
    assert out[0][2] > 30 > out[1][2]  # and spares work


def test_likelihood_by_definition():
    rng = np.random.default_rng(5)
    scene = Scene(rng, NEAR, rng.random((30, 3)) < 0.7)
    member = np.where(rng.random(len(scene.scan)) < 0.8, scene.body, -1)
    Y, y = scene.totals(member, 3)
    cost, before = np.log(rng.random((30, 3))), rng.normal(size=3)
    begin, gone = np.array([0, 3, 9]), np.array([False, False, True])
    member[member == 2] = -1
    own = plots_of(30, 3, member, scene.scan) >= 0
    expected = scene.plots.net[member >= 0].sum()
    for k in range(2):
        expected += worth(Y[k], y[k]) + before[k] + cost[begin[k] :, k][~own[begin[k] :, k]].sum()
    assert likelihood(scene.plots, member, Y, y, cost, begin, gone, before) == pytest.approx(
        expected, rel=1e-12
    )


def test_settling_puts_right_what_was_mixed_up():
    rng = np.random.default_rng(6)
    scene = Scene(rng, NEAR, rng.random((60, 3)) < CHANCE)
    member = scene.body.copy()
    wrong = rng.random(len(member)) < 0.2
    member[wrong] = -1
    Y, y = scene.totals(member, 3)
    before = np.full(3, -worth(PRIOR, np.zeros(6)))
    none = np.zeros(3, bool)
    settled(
        4, scene.plots, member, Y, y, scene.misses(3), none, none, before, np.empty((len(member), 3)),
        np.zeros((60, 3), bool), LEAST,
    )  # fmt: skip
    assert (member == scene.body).mean() > 0.97
    assert not (scene.body[wrong] != member[wrong]).mean() > 0.1


@pytest.mark.parametrize("seed", range(4))
def test_a_body_with_the_plots_of_two_is_two(seed):
    rng = np.random.default_rng(seed)
    even = np.arange(60)[:, None] % 2 == 0
    # of the first the even sensor shows most, of the second the odd one
    scene = Scene(rng, NEAR[:2], rng.random((60, 2)) < np.where(even, [0.9, 0.15], [0.15, 0.9]))
    gain, member, left = scene.tried(np.where(scene.scan % 2 == scene.body, 0, -1), 1)
    assert gain > 10.0
    assert left.tolist() == [True, True]
    same = max((member == scene.body).mean(), (member == 1 - scene.body).mean())
    assert same > 0.9


@pytest.mark.parametrize("seed", range(4))
def test_a_body_stays_one(seed):
    rng = np.random.default_rng(seed)
    scene = Scene(rng, NEAR[:1], rng.random((60, 1)) < CHANCE)
    gain, member, left = scene.tried(scene.body, 1)
    assert gain == 0.0
    assert left.tolist() == [True, False]
    np.testing.assert_array_equal(member, scene.body)


@pytest.mark.parametrize("seed", range(4))
def test_of_two_that_share_the_plots_of_one_by_turns_one_is_left(seed):
    rng = np.random.default_rng(seed)
    scene = Scene(rng, NEAR[:1], rng.random((60, 1)) < CHANCE, cells=300.0)
    gain, member, left = scene.tried(rng.integers(0, 2, len(scene.scan)), 2)
    assert gain > 1.0
    assert left.sum() == 1
    assert (member == left.argmax()).all()


def test_two_bodies_that_are_there_stay_two():
    rng = np.random.default_rng(8)
    scene = Scene(rng, NEAR[:2], rng.random((60, 2)) < CHANCE)
    gain, member, left = scene.tried(scene.body, 2)
    assert gain <= 3.0
    assert left.tolist() == [True, True, False]
    assert (member == scene.body).mean() > 0.95


def test_what_plots_tell_by_definition():
    rng = np.random.default_rng(9)
    W, r, share = rng.normal(size=(7, 4, 6)), rng.normal(size=(7, 4)), rng.random((7, 4))
    B, b = told_by(W, r, share)
    np.testing.assert_allclose(B, np.einsum("nqi,nq,nqj->nij", W, share, W), rtol=1e-12)
    np.testing.assert_allclose(b, np.einsum("nqi,nq,nq->ni", W, share, r), rtol=1e-12)
    assert value_of(B[0] + PRIOR, b[0], np.zeros((7, 6))) == pytest.approx(
        worth(B[0] + PRIOR, b[0]), rel=1e-9
    )
