"""How hypotheses branch, merge and are left out: against moments of mixtures and counts by hand."""

import math

import numpy as np
import pytest

from tocsin.tracking import growth, modes
from tocsin.tracking.growth import MOST_HYPOTHESES, MOST_LOG_ODDS, branches, grow, merge
from tocsin.tracking.tracks import RECENT

from ..sensors.geometry import local, place
from .mixtures import RADAR, falling, moments, random_mixture

DETECTION = 0.8


def test_merging_keeps_mean_and_covariance_of_each_mode():
    rng = np.random.default_rng(1)
    for _ in range(10):
        (x, P, mu), (y, Q, nu) = random_mixture(rng), random_mixture(rng)
        A, B = rng.normal(size=(2, 3, 9, 2))
        w, v = rng.random(2)
        out_x, out_P, out_A, out_mu = x.copy(), P.copy(), A.copy(), mu.copy()
        merge(out_x, out_P, out_A, out_mu, w, y, Q, B, nu, v)
        np.testing.assert_allclose(out_mu, (w * mu + v * nu) / (w + v), rtol=1e-12)
        for j, n in enumerate(modes.USED):
            share = np.array([w * mu[j], v * nu[j]]) / (w * mu[j] + v * nu[j])
            mean, covariance = moments([x[j], y[j]], [P[j], Q[j]], share)
            np.testing.assert_allclose(out_x[j, :n], mean[:n], rtol=1e-12)
            np.testing.assert_allclose(out_P[j, :n, :n], covariance[:n, :n], rtol=1e-9, atol=1e-6)
            np.testing.assert_allclose(out_A[j], share[0] * A[j] + share[1] * B[j], rtol=1e-12)


@pytest.mark.parametrize("dead", [0, 1])
def test_a_mode_that_one_of_two_lacks_is_the_others(dead):
    rng = np.random.default_rng(2)
    given = [random_mixture(rng) for _ in range(2)]
    given[dead][2][1] = 0.0
    given[dead][2][:] /= given[dead][2].sum()
    (x, P, mu), (y, Q, nu) = given
    A, B = np.zeros((3, 9, 0)), np.zeros((3, 9, 0))
    out_x, out_P, out_mu = x.copy(), P.copy(), mu.copy()
    merge(out_x, out_P, A, out_mu, 0.4, y, Q, B, nu, 0.6)
    np.testing.assert_array_equal(out_x[1], given[1 - dead][0][1])
    np.testing.assert_array_equal(out_P[1], given[1 - dead][1][1])
    assert out_mu.sum() == pytest.approx(1.0, abs=1e-12)


def branch(tracks, pairs, gain, *, idle=None, seen=True, sensors=2, plots=6):
    """Branches of tracks of so many hypotheses each, all at one place; pairs of hypothesis and plot."""
    count = sum(tracks)
    x, _ = falling()
    field = RADAR.field_of_view.copy()
    if not seen:
        field[0] = [1.0, 2.0]
    return branches(
        np.cumsum([0, *tracks]), np.zeros(count), np.stack([x] * count), np.tile([0.7, 0.3, 0.0], (count, 1)),
        np.linspace(-1.0, 1.0, count), np.full((count, sensors), -1), np.array([p[0] for p in pairs], np.int64),
        np.array([p[1] for p in pairs], np.int64), np.array(gain, float), 100 + np.arange(plots), 1,
        np.zeros(len(tracks), np.int64) if idle is None else np.array(idle), 0.5, place(RADAR), local(RADAR), field,
        DETECTION, False,
    )  # fmt: skip


def test_each_hypothesis_branches_into_a_miss_and_its_plots():
    pairs, gain = [(0, 2), (0, 4), (2, 4)], [3.0, -1.0, 2.0]
    begin, source, pair, weight, claimed, missed = branch([2, 1], pairs, gain)
    assert begin.tolist() == [0, 4, 6]
    assert source.tolist() == [0, 0, 0, 1, 2, 2]
    assert pair.tolist() == [-1, 0, 1, -1, -1, 2]
    before = np.linspace(-1.0, 1.0, 3)[source]
    change = np.array([math.log(1.0 - DETECTION) if p < 0 else gain[p] for p in pair])
    np.testing.assert_allclose(weight, before + change, rtol=1e-12)
    assert claimed[:, 0].tolist() == [-1] * 6
    assert claimed[:, 1].tolist() == [-1, 102, 104, -1, -1, 104]
    np.testing.assert_allclose(missed, [[0.7, 0.3, 0.0]] * 3)  # a radar sees every mode alike


@pytest.mark.parametrize("more", [{"seen": False}, {"idle": [1, 1]}])
def test_what_is_not_looked_at_is_not_missed(more):
    _, source, _, weight, _, _ = branch([2, 1], [], [], **more)
    np.testing.assert_allclose(weight, np.linspace(-1.0, 1.0, 3)[source], rtol=1e-12)


def grown(tracks, belief, weight, *, most=MOST_HYPOTHESES, alike_all=False, spread_m=5e3, sensors=2):
    """Tracks that each had one hypothesis, and branch into a miss and len - 1 plots at places far from each other."""
    rng = np.random.default_rng(4)
    x, P = falling()
    mu = np.array([1.0, 0.0, 0.0])
    pairs = [(i, i * 100 + k) for i, n in enumerate(tracks) for k in range(n - 1)]
    count = len(pairs)
    new_x = np.stack([x] * count)
    new_x[:, :, :3] += spread_m * rng.normal(size=(count, 1, 3))
    total = sum(tracks)
    begin = np.cumsum([0, *tracks])
    pair = np.full(total, -1)
    pair[np.setdiff1d(np.arange(total), begin[:-1])] = np.arange(count)
    names = np.arange(max((p[1] for p in pairs), default=0) + 1) + 1000
    claimed = np.full((total, sensors), -1)
    claimed[pair >= 0, 0] = names[[p[1] for p in pairs]]
    n = len(tracks)
    recent = np.tile(np.arange(RECENT), (n, 1))
    out = grow(
        begin, np.repeat(np.arange(n), tracks), pair, np.array(weight, float), claimed, np.array(belief, float),
        np.tile(mu, (n, 1)), np.zeros(n), np.stack([x] * n), np.stack([P] * n), np.zeros((n, 3, 9, 0)),
        np.tile(mu, (n, 1)), np.full((n, sensors), -1), recent, np.ones(n, np.int64),
        np.array([p[1] for p in pairs], np.int64), new_x, np.stack([P] * count), np.zeros((count, 3, 9, 0)),
        np.tile(mu, (count, 1)), np.full(len(names), 0.0), names, most, alike_all,
    )  # fmt: skip
    return out, new_x, x, P, names


def test_no_track_has_more_hypotheses_than_allowed_and_the_likeliest_stay():
    rng = np.random.default_rng(5)
    tracks = [30, 3]
    belief = 0.1 + rng.random(33)
    (first, _, _, _, _, _, _, claims, recent, after), *_ = grown(tracks, belief, np.log(belief))
    assert np.diff(first).tolist() == [MOST_HYPOTHESES, 3]
    for i, part in enumerate(np.split(belief, [30])):
        np.testing.assert_allclose(
            after[first[i] : first[i + 1]], np.sort(part)[::-1][: first[i + 1] - first[i]]
        )
        for h in range(first[i], first[i + 1]):
            which = int(np.flatnonzero(part == after[h])[0])
            if which == 0:  # the miss remembers what its track took
                assert recent[h].tolist() == list(range(RECENT))
                assert claims[h].tolist() == [-1, -1]
            else:
                name = 1000 + 100 * i + which - 1
                assert recent[h].tolist() == [name, *range(RECENT - 1)]
                assert claims[h].tolist() == [name, -1]


def test_what_is_hardly_believed_is_left_out():
    belief = np.array([0.5, 0.3, 0.9 * growth.LEAST_BELIEF * 0.8, 1.5 * growth.LEAST_BELIEF * 0.8])
    (first, *_, after), *_ = grown([4], belief, np.log(belief))
    np.testing.assert_allclose(after, [0.5, 0.3, belief[3]])
    assert first.tolist() == [0, 3]


def test_weights_are_bounded_so_that_a_track_can_be_given_up():
    weight = np.array([30.0, 29.0, 10.0])
    (_, *_, out_weight, _, _, _), *_ = grown([3], np.exp(weight - 31.0), weight)
    assert math.log(np.exp(out_weight).sum()) == pytest.approx(MOST_LOG_ODDS, abs=1e-9)
    assert out_weight[0] - out_weight[1] == pytest.approx(1.0, abs=1e-9)
    low = np.array([-1.0, 0.5, 2.0])
    (_, *_, out_weight, _, _, _), *_ = grown([3], np.exp(low), low)
    np.testing.assert_allclose(np.sort(out_weight), low, rtol=1e-12)


def test_hypotheses_that_are_hardly_told_apart_become_one():
    belief = np.array([0.3, 0.5, 0.2])
    (first, _, x, P, _, _, weight, _, _, after), new_x, old_x, old_P, _ = grown(
        [3], belief, np.log(belief), spread_m=2.0
    )
    assert first.tolist() == [0, 1]
    assert after.tolist() == pytest.approx([1.0])
    assert weight[0] == pytest.approx(0.0, abs=1e-12)
    # first the likeliest with the second, then both with the third: as all at once
    mean, covariance = moments([new_x[0, 0], old_x[0], new_x[1, 0]], [old_P[0]] * 3, [0.5, 0.3, 0.2])
    np.testing.assert_allclose(x[0, 0], mean, rtol=1e-12)
    np.testing.assert_allclose(P[0, 0], covariance, rtol=1e-9, atol=1e-6)


def test_all_are_merged_where_asked_to():
    belief = np.array([0.3, 0.5, 0.2])
    (first, _, x, P, _, _, _, _, _, _), new_x, old_x, old_P, _ = grown(
        [3], belief, np.log(belief), most=1, alike_all=True
    )
    assert first.tolist() == [0, 1]
    mean, covariance = moments([new_x[0, 0], old_x[0], new_x[1, 0]], [old_P[0]] * 3, [0.5, 0.3, 0.2])
    np.testing.assert_allclose(x[0, 0], mean, rtol=1e-12)
    np.testing.assert_allclose(P[0, 0], covariance, rtol=1e-9, atol=1e-6)
