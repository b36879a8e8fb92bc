"""Tracks of two sensors and one body: against marginal likelihoods, and a filter that took both sensors' plots."""

import math

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from tocsin.earth.motion import BALLISTIC
from tocsin.tracking import modes
from tocsin.tracking.correct import correct
from tocsin.tracking.fusion import (
    ASKEW,
    ASKEW_M,
    LEADING_SCANS,
    SURE_HITS,
    Held,
    dissolve,
    fuse,
    inherit,
    leading,
    log_same,
    named,
    release,
    restrict,
    together,
)
from tocsin.tracking.separation import SEPARATION_SPEEDS_M_S, spread
from tocsin.tracking.tracks import begun, join

from ..sensors.geometry import one_look, plots_of, rows_of, sensor, state_at
from .scenes import freely

NO_OFFSETS = np.zeros((0, 0))
RADARS = (
    sensor((20.0, 1e-3, 1e-3, 2.0), longitude_deg=35.0, name="a"),
    sensor((15.0, 5e-4, 5e-4, 2.0), longitude_deg=38.0, latitude_deg=46.5, name="b"),
)


def fused(table, h, sensor, unseen=()):
    """Tables after fusion; unseen: numbers of the tracks that their own sensor sees no longer."""
    none = np.zeros(len(table.number), bool)
    return fuse(table, h, sensor, NO_OFFSETS, np.isin(table.number, unseen), none)


def toy(rng):
    """A prior, and two sensors that each measure half of the state and a mixture: H, R of each."""
    root = rng.normal(size=(6, 6)) * np.array([300.0] * 3 + [10.0] * 3)[:, None]
    prior = np.array([6e6, 1e6, 2e6, 1e3, -2e3, 500.0]), root @ root.T + np.diag([1e4] * 3 + [10.0] * 3)
    sensors = []
    for _ in range(2):
        H = rng.normal(size=(4, 6)) / np.array([100.0] * 3 + [3.0] * 3)
        sensors.append((H, np.diag(rng.uniform(0.5, 2.0, 4))))
    return prior, sensors


def posterior(prior, H, R, z):
    m, P = prior
    K = P @ H.T @ np.linalg.inv(H @ P @ H.T + R)
    return m + K @ (z - H @ m), P - K @ H @ P


def measured(rng, x, H, R):
    return H @ x + np.linalg.cholesky(R) @ rng.normal(size=len(R))


@pytest.mark.parametrize("same", [True, False])
def test_odds_of_one_thing_are_those_of_the_measurements(same):
    rng = np.random.default_rng(1)
    values = []
    for _ in range(60):
        prior, ((H1, R1), (H2, R2)) = toy(rng)
        things = rng.multivariate_normal(*prior, 2)
        z1, z2 = measured(rng, things[0], H1, R1), measured(rng, things[0 if same else 1], H2, R2)
        H, R = np.vstack([H1, H2]), np.block([[R1, np.zeros((4, 4))], [np.zeros((4, 4)), R2]])
        z = np.concatenate([z1, z2])

        def log_p(z, H, R, prior=prior):
            return multivariate_normal.logpdf(z, H @ prior[0], H @ prior[1] @ H.T + R)

        direct = log_p(z, H, R) - log_p(z1, H1, R1) - log_p(z2, H2, R2)
        # each sensor is off by an unknown of its own, by so much of it
        L1, L2 = rng.normal(size=(2, 4)) * np.sqrt([np.diag(R1), np.diag(R2)])
        A1 = posterior(prior, H1, R1, z1 - L1)[0] - posterior(prior, H1, R1, z1)[0]
        A2 = posterior(prior, H2, R2, z2 - L2)[0] - posterior(prior, H2, R2, z2)[0]
        none = np.zeros(6)
        value, (m, P, A) = log_same(
            Held(*posterior(prior, H1, R1, z1), np.stack([A1, none], -1)),
            Held(*posterior(prior, H2, R2, z2), np.stack([none, A2], -1)),
            Held(*prior, np.zeros((6, 2))),
        )
        if value == -math.inf:  # never one
            assert direct < -10.0
            continue
        assert value == pytest.approx(direct, abs=1e-4)
        expected_m, expected_P = posterior(prior, H, R, z)
        sigma = np.sqrt(np.diag(expected_P))
        np.testing.assert_allclose((m - expected_m) / sigma, 0.0, atol=1e-4)
        np.testing.assert_allclose((P - expected_P) / np.outer(sigma, sigma), 0.0, atol=1e-4)
        for k, off in enumerate((np.concatenate([L1, 0.0 * L2]), np.concatenate([0.0 * L1, L2]))):
            moved = posterior(prior, H, R, z - off)[0] - expected_m
            np.testing.assert_allclose((A[:, k] - moved) / sigma, 0.0, atol=1e-4)
        values.append(value)
    if same:
        assert len(values) == 60
        assert np.mean(np.array(values) > 0.0) > 0.85
    else:
        assert np.mean(np.array([*values, *[-99.0] * (60 - len(values))]) < 0.0) > 0.8


def released(rng, count, apart_m, speed_m_s=20.0, seconds=60.0, period_s=2.0):
    """Bodies that left one place; for each sensor a table of tracks of its own plots; and the filters of all plots.

    Returns truths (n, 9) at the end, states and covariances (n, ...) after all plots of both, tracks.
    """
    start = state_at(RADARS[0], 400e3, 60.0, 45.0, (900.0, -2500.0, 1100.0))
    start[6] = modes.CHILD_LN_BETA_MEAN
    seed_P = np.zeros((9, 9))
    seed_P[:3, :3], seed_P[3:6, 3:6] = 400.0**2 * np.eye(3), 40.0**2 * np.eye(3)
    truths = []
    for _ in range(count):
        x = start.copy()
        x[:6] += np.concatenate([apart_m * rng.normal(size=3), speed_m_s * rng.normal(size=3)])
        truths.append(x)
    x = np.zeros((3, 9))
    own = [[[start.copy(), seed_P.copy()] for _ in RADARS] for _ in truths]
    both = [[start.copy(), seed_P.copy()] for _ in truths]
    before = 0.0
    for t in np.arange(1.0, seconds, period_s / 2.0):
        which = int(t) % 2
        for i in range(count):
            truths[i] = freely(truths[i], t - before)
            rows = rows_of(one_look(RADARS[which], plots_of(RADARS[which], truths[i], rng=rng)))
            for belief in (*own[i], both[i]):
                belief[0], belief[1], _ = modes.predict(BALLISTIC, belief[0], belief[1], t - before)
            for belief in (own[i][which], both[i]):
                correct(belief[0], belief[1], np.zeros((9, 0)), 7, *rows, np.zeros(0), NO_OFFSETS)
        before = t
    parts = []
    for s in range(2):
        order = rng.permutation(count)
        for i in order:
            x, P = np.zeros((3, 9)), np.zeros((3, 9, 9))
            x[BALLISTIC], P[BALLISTIC] = own[i][s]
            number = 1 + len(parts)
            table, h = begun(
                number, 0, 0.99, SURE_HITS, before, before, x, P, np.zeros((3, 9, 0)), np.array([1.0, 0.0, 0.0]),
                [(s, 100 * s + i)], 2, True,
            )  # fmt: skip
            parts.append((
                table._replace(
                    only=np.array([s]), family=np.array([1]), shown=np.array([True]), seed_s=np.array([0.0]),
                    seed_x=start[None, :6], seed_cov=seed_P[None, :6, :6],
                ),
                h,
            ))  # fmt: skip
    return np.stack(truths), both, *join(parts)


def test_two_restricted_tracks_of_one_body_become_the_joint_estimate():
    rng = np.random.default_rng(2)
    truths, both, table, h = released(rng, 1, 300.0)
    assert table.only.tolist() == [0, 1]
    table, h = fused(table, h, 0)
    assert table.number.tolist() == [1]
    assert table.only.tolist() == [-1]
    assert table.hits.tolist() == [2 * SURE_HITS]
    assert h.claims.tolist() == [[0, 100]]
    x, P = h.x[0, BALLISTIC, :6], h.P[0, BALLISTIC, :6, :6]
    sigma = np.sqrt(np.diag(both[0][1])[:6])
    # process noise of 20 s, which both tracks counted, and the curvature of sights
    np.testing.assert_allclose((x - both[0][0][:6]) / sigma, 0.0, atol=0.15)
    np.testing.assert_allclose((P - both[0][1][:6, :6]) / np.outer(sigma, sigma), 0.0, atol=0.1)
    d = truths[0, :6] - x
    assert d @ np.linalg.solve(P, d) < 22.5  # one in a thousand


def test_bodies_that_are_told_apart_are_fused_each_with_itself():
    rng = np.random.default_rng(3)
    truths, _, table, h = released(rng, 3, 1500.0)
    table, h = fused(table, h, 1)
    assert (table.only == -1).all()
    assert len(table.number) == 3
    for i in range(3):
        off = [np.linalg.norm(h.x[k, BALLISTIC, :3] - truths[i, :3]) for k in range(3)]
        best = int(np.argmin(off))
        d = truths[i, :6] - h.x[best, BALLISTIC, :6]
        assert d @ np.linalg.solve(h.P[best, BALLISTIC, :6, :6], d) < 22.5
        assert h.claims[best].tolist() == [i, 100 + i]


def test_partners_are_reported_as_one_before_they_become_one():
    rng = np.random.default_rng(2)
    _, both, table, h = released(rng, 1, 300.0)
    at_s = float(h.time_s.max())
    assert together(table, h, 0, at_s, NO_OFFSETS) is None
    table, h = fused(table._replace(hits=np.full(2, SURE_HITS - 1)), h, 0)
    assert table.only.tolist() == [0, 1]
    assert table.partner.tolist() == [2, 1]
    one, other = (together(table, h, i, at_s, NO_OFFSETS) for i in range(2))
    sigma = np.sqrt(np.diag(both[0][1])[:6])
    for mean, covariance in (one, other):
        np.testing.assert_allclose((mean - both[0][0][:6]) / sigma, 0.0, atol=0.15)
        np.testing.assert_allclose((covariance - both[0][1][:6, :6]) / np.outer(sigma, sigma), 0.0, atol=0.1)
    # where one is out of its sensor's sight, likely is enough
    assert fused(table, h, 0, unseen=[2])[0].only.tolist() == [-1]
    lone = table._replace(number=np.array([1, 9]))
    assert together(lone, h, 0, at_s, NO_OFFSETS) is None


@pytest.mark.parametrize("ln_beta", [modes.PIECE_LN_BETA_MEAN + d for d in (-1.0, 0.0, 1.5)])
def test_a_piece_in_the_air_is_where_both_sensors_say(ln_beta):
    """Forty seconds after a break-up at 72 km: where it began says nothing any more, whatever the piece weighs."""
    rng = np.random.default_rng(8)
    start = state_at(RADARS[0], 200e3, 60.0, 20.0, (-4500.0, -4300.0, -200.0))
    truth = start.copy()
    truth[:6] += np.concatenate([50.0 * rng.normal(size=3), 10.0 * rng.normal(size=3)])
    truth[6] = ln_beta
    truth = freely(truth, 40.0)
    seed_cov = np.diag([150.0**2] * 3 + [15.0**2] * 3)
    parts, said = [], []
    for s, (far_m, speed_m_s, open_) in enumerate([(80.0, 8.0, 0.05), (500.0, 20.0, 0.3)]):
        sigma = np.array([far_m] * 3 + [speed_m_s] * 3 + [open_])
        root = sigma[:, None] * (np.eye(7) + 0.3 * rng.normal(size=(7, 7)))
        x, P = np.zeros((3, 9)), np.zeros((3, 9, 9))
        P[BALLISTIC, :7, :7] = root @ root.T
        x[BALLISTIC, :7] = truth[:7] + root @ rng.normal(size=7)
        said.append((x[BALLISTIC, :7], P[BALLISTIC, :7, :7]))
        table, h = begun(
            s + 1, 0, 0.99, SURE_HITS, 40.0, 40.0, x, P, np.zeros((3, 9, 0)), np.array([1.0, 0.0, 0.0]), [(s, s)], 2,
            True,
        )  # fmt: skip
        parts.append((
            table._replace(
                only=np.array([s]), family=np.array([1]), shown=np.array([True]), seed_s=np.array([0.0]),
                seed_x=start[None, :6], seed_cov=seed_cov[None], burst=np.array([True]), partner=np.array([2 - s]),
            ),
            h,
        ))  # fmt: skip
    table, h = join(parts)
    mean, covariance = together(table, h, 0, 40.0, NO_OFFSETS)
    informations = [np.linalg.inv(P) for _, P in said]
    expected_P = np.linalg.inv(sum(informations))
    expected = expected_P @ sum(Y @ x for Y, (x, _) in zip(informations, said, strict=True))
    sigma = np.sqrt(np.diag(expected_P))[:6]
    np.testing.assert_allclose((mean - expected[:6]) / sigma, 0.0, atol=0.3)
    np.testing.assert_allclose((covariance - expected_P[:6, :6]) / np.outer(sigma, sigma), 0.0, atol=0.15)
    after, fused_h = fused(table, h, 0)
    assert after.only.tolist() == [-1]
    assert fused_h.x[0, BALLISTIC, 6] == pytest.approx(expected[6], abs=0.3 * math.sqrt(expected_P[6, 6]))


@pytest.mark.compiled
@pytest.mark.parametrize("speed_m_s", [0.3, 1.0])
def test_bodies_are_fused_with_each_other_hardly_ever(speed_m_s):
    """Three bodies that part so slowly that whose is whose is often open: nearly all that are fused are so rightly."""
    right, wrong = 0, 0
    for seed in range(12):
        _, _, table, h = released(np.random.default_rng(100 + seed), 3, 5.0, speed_m_s=speed_m_s)
        table, h = fused(table, h, 0)
        for k in np.flatnonzero(table.only == -1):
            mine, theirs = h.claims[k] % 100
            right, wrong = right + int(mine == theirs), wrong + int(mine != theirs)
    assert wrong <= 1, (right, wrong)


@pytest.mark.parametrize(
    "more",
    [{"family": np.array([1, 2])}, {"hits": np.array([SURE_HITS, 2])}, {"existence": np.array([0.99, 0.5])}],
)
def test_what_is_not_ready_is_not_fused(more):
    table, h = released(np.random.default_rng(2), 1, 300.0)[2:]
    table = table._replace(**more)
    after, _ = fused(table, h, 0)
    assert after.only.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("told", "speaking", "name"),
    [((0, 0), (0, 0), 1), ((0, 1), (0, 1), 2), ((1, 1), (0, 1), 2), ((1, 1), (1, 0), 1), ((1, 0), (0, 1), 1)],
)
def test_what_becomes_one_keeps_the_name_that_it_is_known_by(told, speaking, name):
    table, h = released(np.random.default_rng(2), 1, 300.0)[2:]
    table = table._replace(told=np.array(told, bool))
    after, _ = fuse(table, h, 0, NO_OFFSETS, np.zeros(2, bool), np.array(speaking, bool))
    assert after.number.tolist() == [1]
    assert after.name.tolist() == [name]
    assert after.told.tolist() == [any(told)]


def test_a_partner_that_now_speaks_has_the_name_that_its_body_was_told_by():
    table, _ = released(np.random.default_rng(5), 2, 300.0)[2:]
    assert table.name.tolist() == table.number.tolist() == [1, 2, 3, 4]
    table = table._replace(partner=np.array([3, 0, 1, 0]))
    first = inherit(table, np.array([True, True, False, False]))
    assert first.told.tolist() == [True, True, False, False]
    assert first.name.tolist() == [1, 2, 3, 4]
    then = inherit(first, np.array([False, False, True, True]))
    assert then.name.tolist() == [3, 2, 1, 4]  # the second body is another one for all that is known
    assert named(then).number.tolist() == [3, 2, 1, 4]
    again = inherit(then._replace(partner=np.array([4, 0, 0, 1])), np.array([False, False, True, True]))
    assert again.name.tolist() == [3, 2, 1, 4]  # who has a name keeps it


def test_parents_are_named_as_they_are_reported():
    table, _ = released(np.random.default_rng(5), 2, 300.0)[2:]
    table = table._replace(parent=np.array([0, 1, 9, 3]), name=np.array([7, 2, 3, 4]))
    assert named(table).parent.tolist() == [0, 7, 9, 3]
    itself = table._replace(parent=np.array([4, 1, 9, 3]), name=np.array([4, 2, 3, 8]))
    assert named(itself).parent.tolist() == [8, 4, 9, 3]


def test_a_family_speaks_through_the_tracks_of_one_sensor():
    table, _ = released(np.random.default_rng(5), 2, 300.0)[2:]
    assert table.only.tolist() == [0, 0, 1, 1]
    now = float(table.hit_s.max())
    periods = np.array([2.0, 2.0])
    assert leading(table, now, periods).tolist() == [True, True, False, False]
    assert leading(table, now, np.array([2.0, 1.5])).tolist() == [
        False,
        False,
        True,
        True,
    ]  # it looks more often
    # not seen any more: the others speak
    long_ago = table.hit_s - 2.0 * LEADING_SCANS * np.where(table.only == 0, 2.0, 0.0)
    assert leading(table._replace(hit_s=long_ago), now, periods).tolist() == [False, False, True, True]
    # nor shown yet
    young = table._replace(shown=table.only == 1)
    assert leading(young, now, periods).tolist() == [False, False, True, True]
    # those that follow all sensors speak for themselves, and each family for itself
    free = table._replace(only=np.array([0, -1, 1, 1]))
    assert leading(free, now, periods).tolist() == [True, True, False, False]
    families = table._replace(family=np.array([1, 1, 3, 3]))
    assert leading(families, now, periods).all()


def test_what_has_just_let_go_of_something_follows_one_sensor_and_is_known_no_better_than_its_child():
    table, h = released(np.random.default_rng(6), 1, 300.0)[2:]
    table = table._replace(only=np.array([-1, -1]), brood=np.array([0.9, 0.1]))
    apart = h._replace(recent=np.where(h.recent < 0, -1, np.array([[700], [800]])))
    assert restrict(table, apart, 1, True, 100)[0].only.tolist() == [-1, -1]  # one body may have given these
    h = h._replace(recent=np.where(h.recent < 0, -1, np.array([[700], [701]])))
    assert restrict(table, h, 1, False, 100)[0].only.tolist() == [-1, -1]
    after, wide = restrict(table, h, 1, True, 100)
    assert after.only.tolist() == [1, -1]
    np.testing.assert_allclose(wide.P[0], spread(h.P, SEPARATION_SPEEDS_M_S[0])[0])
    np.testing.assert_array_equal(wide.P[1], h.P[1])
    assert after.seed_s[0] == h.time_s[0]
    np.testing.assert_array_equal(after.seed_x[0], h.x[0, BALLISTIC, :6])
    np.testing.assert_array_equal(after.seed_cov[0], wide.P[0, BALLISTIC, :6, :6])


def test_a_track_that_its_sensor_sees_no_longer_takes_plots_of_all():
    table, _ = released(np.random.default_rng(7), 2, 300.0)[2:]
    table = table._replace(partner=np.array([0, 3, 2, 0]))
    assert table.only.tolist() == [0, 0, 1, 1]
    # of the unseen ones not the one with a partner, nor those of the sensor that has just looked
    assert release(table, 1, np.array([True, True, True, True])).only.tolist() == [-1, 0, 1, 1]
    assert release(table, 1, np.array([False, True, True, True])).only.tolist() == [0, 0, 1, 1]
    assert release(table, 0, np.array([False, False, False, True])).only.tolist() == [0, 0, 1, -1]


def test_a_track_beside_which_plots_always_lie_follows_one_sensor_again():
    table, h = released(np.random.default_rng(6), 2, 300.0)[2:]
    beside = np.zeros((4, 2, 2))
    beside[0, 1, 0] = beside[1, 1, 1] = -1.01 * ASKEW
    beside[2, 0, 0] = 0.99 * ASKEW
    h = h._replace(claims=np.abs(h.claims))
    table = table._replace(only=np.array([-1, 1, -1, -1]), askew=beside)
    after, wide = dissolve(table, h, np.array([2.0, 1.5]))
    assert after.only.tolist() == [
        1,
        1,
        -1,
        -1,
    ]  # by the sensor that looks more often; the second has no others' plots
    assert not after.askew[0].any()
    np.testing.assert_array_equal(after.askew[1:], beside[1:])
    expected = spread(h.P[:1], SEPARATION_SPEEDS_M_S[0])[0, BALLISTIC]
    expected[[0, 1, 2], [0, 1, 2]] += ASKEW_M**2
    np.testing.assert_allclose(wide.P[0, BALLISTIC], expected)
    np.testing.assert_array_equal(wide.P[1:], h.P[1:])
    np.testing.assert_array_equal(after.seed_cov[0], wide.P[0, BALLISTIC, :6, :6])
    # alone in its family it has nobody's plots but its own
    lone = table._replace(family=np.array([1, 2, 3, 4]))
    assert dissolve(lone, h, np.array([2.0, 1.5]))[0].only.tolist() == [-1, 1, -1, -1]
