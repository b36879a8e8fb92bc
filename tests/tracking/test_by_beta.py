"""Free flight where ln beta is hardly known and drag sets in: against sampling, and a filter of one normal ln beta."""

import math

import numpy as np
import pytest
from scipy.stats import norm

from tocsin.earth.ellipsoid import height_m
from tocsin.earth.flights import to_time
from tocsin.earth.motion import BALLISTIC
from tocsin.tracking import by_beta, correct, gating, imm, modes
from tocsin.tracking.by_beta import SPLIT, SPLIT_LN_BETA_SIGMA, SPLIT_STEP, SPLIT_WIDTH

from ..sensors.geometry import NAN, local, measure, one_look, plots_of, rows_of, sensor, state_at
from .scenes import freely

RADAR = sensor((27.0, math.radians(0.13), math.radians(0.13), NAN))
NONE = np.zeros(0), np.zeros((0, 0))
NO_A = np.zeros((9, 0))
ALONE = np.array([1.0, 0.0, 0.0])
LOG_WEIGHTS = -0.5 * (np.arange(SPLIT) - SPLIT // 2) ** 2.0
DETECTION = 0.9

compiled = pytest.mark.compiled


def body(rng, beta, *, height=75e3, speed=2500.0, dive_deg=50.0, sigma_m=30.0, sigma_m_s=5.0):
    """True state (9,) of a body that comes down, and what is known of it: x (9,), P (9, 9), of beta the prior alone."""
    truth = state_at(RADAR, 180e3, 40.0, math.degrees(math.asin(height / 180e3)))
    dive = math.radians(dive_deg)
    velocity = np.array([0.6 * math.cos(dive), 0.8 * math.cos(dive), -math.sin(dive)])
    truth[3:6] = speed * velocity @ local(RADAR)
    truth[6] = math.log(beta)
    sigma = np.array([sigma_m] * 3 + [sigma_m_s] * 3)
    x, P = truth.copy(), np.diag([*sigma**2, modes.CHILD_LN_BETA_SIGMA**2, 0.0, 0.0])
    x[:6] += sigma * rng.normal(size=6)
    x[6] = modes.CHILD_LN_BETA_MEAN
    return truth, x, P


def fly_parts(x, P, A, dt):
    """The narrow parts after a time: x, P, A (SPLIT, ...)."""
    out = np.empty((SPLIT, 9)), np.empty((SPLIT, 9, 9)), np.empty((SPLIT, *A.shape))
    by_beta.fly_parts(x, P, A, dt, *out, correct.room_for(A.shape[1]))
    return out


def join_parts(logs, parts):
    """Mean, covariance and A of parts, and ln of the sum of their odds."""
    x, P, A = np.empty(9), np.empty((9, 9)), np.empty(parts[2].shape[1:])
    return x, P, A, by_beta.join_parts(logs, *parts, x, P, A)


def known_state(rng, sigma_ln_beta, offsets=0):
    """A state whose errors all hang together: x, P, A."""
    _, x, _ = body(rng, 600.0)
    root = rng.normal(size=(7, 9)) * np.array([40.0] * 3 + [6.0] * 3 + [1.0])[:, None]
    P = np.zeros((9, 9))
    P[:7, :7] = root @ root.T
    P[6], P[:, 6] = P[6] * sigma_ln_beta / math.sqrt(P[6, 6]), P[:, 6] * sigma_ln_beta / math.sqrt(P[6, 6])
    P[6, 6] = sigma_ln_beta**2
    A = np.zeros((9, offsets))
    A[:6] = rng.normal(size=(6, offsets))
    return x, P, A


def test_the_parts_together_are_the_standard_normal():
    """Mean 0, variance 1 to a thousandth (what the nine leave out beyond), and its distribution to two."""
    weight = np.exp(LOG_WEIGHTS) / np.exp(LOG_WEIGHTS).sum()
    place = SPLIT_STEP * (np.arange(SPLIT) - SPLIT // 2)
    assert weight @ place == pytest.approx(0.0, abs=1e-12)
    assert weight @ (place**2 + SPLIT_WIDTH**2) == pytest.approx(1.0, abs=1e-3)
    z = np.linspace(-5.0, 5.0, 201)[:, None]
    np.testing.assert_allclose(norm.cdf((z - place) / SPLIT_WIDTH) @ weight, norm.cdf(z[:, 0]), atol=2e-3)


@pytest.mark.parametrize("sigma", [0.6, 1.0])
def test_over_no_time_the_parts_are_what_was_split(sigma):
    rng = np.random.default_rng(1)
    for _ in range(5):
        x, P, A = known_state(rng, sigma, 2)
        kept = x.copy(), P.copy(), A.copy()
        parts = fly_parts(x, P, A, 0.0)
        for now, before in zip((x, P, A), kept, strict=True):
            assert (now == before).all()
        step = np.diff(parts[0][:, 6])
        np.testing.assert_allclose(step, SPLIT_STEP * sigma, rtol=1e-9)
        np.testing.assert_allclose(parts[1][:, 6, 6], (SPLIT_WIDTH * sigma) ** 2, rtol=1e-9)
        mean, covariance, B, log_sum = join_parts(LOG_WEIGHTS, parts)
        spread = np.sqrt(np.diag(P)[:7])
        np.testing.assert_allclose((mean - x)[:7] / spread, 0.0, atol=1e-9)
        np.testing.assert_allclose((covariance - P)[:7, :7] / np.outer(spread, spread), 0.0, atol=1e-3)
        np.testing.assert_allclose(B, A, atol=1e-12)
        assert log_sum == pytest.approx(math.log(np.exp(LOG_WEIGHTS).sum()), abs=1e-12)
        assert (mean[7:] == 0.0).all()
        assert (covariance[7:] == 0.0).all()


def test_no_part_is_lighter_or_denser_than_what_can_be():
    x, P, A = known_state(np.random.default_rng(2), modes.CHILD_LN_BETA_SIGMA)
    for mean, end in ((math.log(20.0), modes.LEAST_LN_BETA), (math.log(100e3), modes.MOST_LN_BETA)):
        x[6] = mean
        ln_beta = fly_parts(x, P, A, 0.0)[0][:, 6]
        expected = mean + modes.CHILD_LN_BETA_SIGMA * SPLIT_STEP * (np.arange(SPLIT) - SPLIT // 2)
        clipped = np.clip(expected, modes.LEAST_LN_BETA, modes.MOST_LN_BETA)
        assert end in clipped
        np.testing.assert_allclose(ln_beta, clipped, rtol=1e-12)


def test_each_part_flies_as_a_filter_of_its_own():
    """A part is the state given a narrow ln beta about its middle, by the rules of Gaussians."""
    rng = np.random.default_rng(3)
    x, P, A = known_state(rng, 1.0, 2)
    dt = 6.0
    parts = fly_parts(x, P, A, dt)
    gain = P[:, 6] / P[6, 6]
    for k in range(SPLIT):
        shift = SPLIT_STEP * (k - SPLIT // 2) * math.sqrt(P[6, 6])
        narrow = P - np.outer(gain, gain) * P[6, 6] * (1.0 - SPLIT_WIDTH**2)
        y, Q, F = modes.predict(BALLISTIC, x + gain * shift, narrow, dt)
        spread = np.sqrt(np.diag(Q)[:7])
        np.testing.assert_allclose((parts[0][k] - y)[:7] / spread, 0.0, atol=1e-6)
        np.testing.assert_allclose((parts[1][k] - Q)[:7, :7] / np.outer(spread, spread), 0.0, atol=1e-6)
        np.testing.assert_allclose(parts[2][k], F @ A, rtol=1e-6, atol=1e-6)


def test_parts_are_joined_by_their_odds():
    """Mean and covariance of a mixture by their definition."""
    rng = np.random.default_rng(4)
    parts = fly_parts(*known_state(rng, 1.0, 2), 4.0)
    logs = rng.normal(-400.0, 2.0, SPLIT)
    logs[3] = -math.inf
    mean, covariance, B, log_sum = join_parts(logs, parts)
    w = np.exp(logs + 400.0)
    assert log_sum == pytest.approx(math.log(w.sum()) - 400.0, abs=1e-9)
    w /= w.sum()
    middle = w @ parts[0]
    second = np.einsum(
        "k,kij->ij", w, parts[1] + np.einsum("ki,kj->kij", parts[0] - middle, parts[0] - middle)
    )
    np.testing.assert_allclose(mean[:7], middle[:7], rtol=1e-12)
    np.testing.assert_allclose(covariance[:7, :7], second[:7, :7], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(B[:7], np.einsum("k,kib->ib", w, parts[2])[:7], rtol=1e-9, atol=1e-12)


def both_ways(x, P, dt, plots):
    """State after a flight and a plot by parts, with ln of the plot's likelihood; and by one normal ln beta."""
    look = rows_of(one_look(RADAR, plots))
    y, Q = x.copy(), P.copy()
    total, nis, numbers = by_beta.by_beta(
        y, Q, NO_A.copy(), dt, *look, *NONE, DETECTION, False, correct.room_for(0)
    )
    assert numbers == 3
    z, W, _ = modes.predict(BALLISTIC, x, P, dt)
    likelihood, squares, _ = correct.correct(z, W, NO_A.copy(), 7, *look, *NONE)
    return (y, Q, total - math.log(DETECTION), nis), (z, W, likelihood, squares)


@pytest.mark.parametrize("beta", [100.0, 600.0, 4000.0])
@pytest.mark.parametrize(("height", "dt", "asked"), [(160e3, 8.0, False), (93e3, 4.0, True)])
def test_where_drag_is_weak_the_parts_change_nothing(height, dt, asked, beta):
    """To a fiftieth of a sigma; asked: whether the tracker flies parts there."""
    rng = np.random.default_rng(5)
    truth, x, P = body(rng, beta, height=height, dive_deg=20.0)
    plots = plots_of(RADAR, modes.move(BALLISTIC, truth, dt)[0][None], rng=rng)
    (y, Q, ours, nis), (z, W, plain, squares) = both_ways(x, P, dt, plots)
    assert by_beta.may_drag(modes.move(BALLISTIC, x, dt)[0], P[6, 6]) == asked
    n = 7 if asked else 6  # above the air ln beta is forgotten, of each part
    spread = np.sqrt(np.diag(W)[:n])
    np.testing.assert_allclose((y - z)[:n] / spread, 0.0, atol=0.02)
    np.testing.assert_allclose((Q - W)[:n, :n] / np.outer(spread, spread), 0.0, atol=0.02)
    assert ours == pytest.approx(plain, abs=0.02)
    assert nis == pytest.approx(squares, abs=0.05)


def test_the_tracker_takes_a_plot_by_parts_where_drag_may_set_in():
    """Also with a sensor's offset that is known: it is taken off."""
    rng = np.random.default_rng(10)
    truth, x, P = body(rng, 100.0)
    dt = 8.0
    plots = plots_of(RADAR, modes.move(BALLISTIC, truth, dt)[0][None], rng=rng)
    (y, Q, ours, _), (z, *_) = both_ways(x, P, dt, plots)
    spread = np.sqrt(np.diag(Q)[:7])
    assert np.abs((y - z)[:7] / spread).max() > 0.2
    shifted = plots._replace(measured=plots.measured + np.array([70.0, 0.0, 0.0, 0.0]))
    one = np.zeros(1, np.int64)
    for given, columns, offset in (
        (plots, (-1, -1, -1, -1), np.zeros(0)),
        (shifted, (0, -1, -1, -1), np.array([70.0])),
    ):
        look = rows_of(one_look(RADAR, given, offsets=columns))
        k = len(offset)
        _, logs, after, covariance, _, mu = gating.take_plots(
            one, one, np.zeros(1), np.stack([x] * 3)[None], np.stack([P] * 3)[None], np.zeros((1, 3, 9, k)),
            ALONE[None], one + 1, np.array([dt]), *(column[None] for column in look), offset, np.zeros((k, k)),
            DETECTION, False, 1.0,
        )  # fmt: skip
        assert mu[0].tolist() == [1.0, 0.0, 0.0]
        np.testing.assert_allclose((after[0, 0] - y)[:7] / spread, 0.0, atol=1e-6)
        np.testing.assert_allclose((covariance[0, 0] - Q)[:7, :7] / np.outer(spread, spread), 0.0, atol=1e-6)
        assert logs[0] == pytest.approx(ours + math.log(DETECTION), abs=1e-6)


def test_a_body_behind_the_radar_gives_no_plot_by_parts():
    rng = np.random.default_rng(11)
    truth, x, P = body(rng, 600.0)
    look = rows_of(one_look(RADAR, plots_of(RADAR, truth[None])))
    axes = -look[1]
    total, nis, numbers = by_beta.by_beta(
        x, P, NO_A.copy(), 8.0, look[0], axes, *look[2:], *NONE, DETECTION, False, correct.room_for(0)
    )
    assert (total, nis, numbers) == (-math.inf, math.inf, 0)


def test_ln_beta_stays_within_what_can_be():
    """As it does in a filter of one normal ln beta."""
    for seed in range(5):
        rng = np.random.default_rng(seed)
        truth, x, P = body(rng, 10.0, speed=4000.0)
        (y, *_), _ = both_ways(
            x, P, 8.0, plots_of(RADAR, modes.move(BALLISTIC, truth, 8.0)[0][None], rng=rng)
        )
        assert modes.LEAST_LN_BETA <= y[6] <= modes.MOST_LN_BETA


def test_parts_are_for_a_body_that_may_be_light_where_there_is_air():
    _, x, _ = body(np.random.default_rng(6), 600.0)
    wide = modes.CHILD_LN_BETA_SIGMA**2
    x[6] = modes.CHILD_LN_BETA_MEAN
    assert by_beta.may_drag(x, wide)
    assert not by_beta.may_drag(x, 0.9 * SPLIT_LN_BETA_SIGMA**2)
    x[:3] *= 1.02  # 130 km higher
    assert not by_beta.may_drag(x, wide)


def drawn(rng, x, P, dt, count):
    """States (n, 9) drawn from what is known, and flown on without noise."""
    states = np.zeros((count, 9))
    states[:, :7] = x[:7] + rng.normal(size=(count, 7)) @ np.linalg.cholesky(P[:7, :7]).T
    states[:, 6] = np.clip(states[:, 6], modes.LEAST_LN_BETA, modes.MOST_LN_BETA)
    states[:, :6] = to_time(states[:, :6], np.exp(states[:, 6]), dt).state
    return states


def with_noise(rng, states, dt):
    """States with the process noise of a time, each with its own."""
    out = states.copy()
    for s in out:
        Q = np.zeros((9, 9))
        modes.add_noise(BALLISTIC, s, Q, dt)
        s[:7] += np.linalg.cholesky(Q[:7, :7] + 1e-12 * np.eye(7)) @ rng.normal(size=7)
    return out


def nees(error, P):
    """Squared errors (n, 3) of positions in sigmas, summed: 3 on average where P is right."""
    return np.einsum("ni,ni->n", error, np.linalg.solve(P[:3, :3], error.T).T)


# To 62 km and 53 km high, where a body of 100 kg/m2 feels 0.8 g and 5.5 g.
@compiled
@pytest.mark.parametrize("beta", [100.0, 300.0, 2000.0])
@pytest.mark.parametrize("speed", [2500.0, 4000.0])
def test_a_plot_of_what_may_be_light_by_sampling(speed, beta):
    """Mean, sigmas and evidence against 40,000 flights weighted by the plot's likelihood."""
    rng = np.random.default_rng([int(speed), int(beta)])
    dt = 8.0
    truth, x, P = body(rng, beta, speed=speed)
    plots = plots_of(RADAR, freely(truth, dt)[None], rng=rng)
    (y, Q, ours, _), (z, W, *_) = both_ways(x, P, dt, plots)

    states = with_noise(rng, drawn(rng, x, P, dt, 40_000), dt)
    d = (plots.measured - measure(RADAR, states))[:, :3]
    logs = -0.5 * ((d / RADAR.sigma[:3]) ** 2).sum(1)
    w = np.exp(logs - logs.max())
    evidence = math.log(w.mean()) + logs.max() - np.log(RADAR.sigma[:3]).sum() - 1.5 * math.log(2.0 * math.pi)
    evidence -= math.log(math.cos(plots.measured[0, 2]))  # per rad2 of the sight plane, as ours
    w /= w.sum()
    assert 1.0 / (w**2).sum() > 1000.0
    mean = w @ states[:, :7]
    spread = np.sqrt(w @ (states[:, :7] - mean) ** 2)
    assert (np.abs((y[:7] - mean) / spread) < 0.2).all()
    assert (np.abs(np.log(np.sqrt(np.diag(Q)[:7]) / spread)) < 0.15).all()
    assert ours == pytest.approx(evidence, abs=0.06)
    off, wide = np.abs((z[:7] - mean) / spread).max(), np.abs(np.log(np.sqrt(np.diag(W)[:7]) / spread)).max()
    assert max(off, wide) > 0.22  # one normal ln beta would not do


@compiled
@pytest.mark.parametrize(
    ("height", "speed", "dive_deg", "dt"),
    [
        (75e3, 2500.0, 50.0, 10.0), (75e3, 4000.0, 50.0, 8.0), (120e3, 2500.0, 20.0, 60.0),
        (150e3, 1500.0, 60.0, 60.0), (110e3, 6000.0, 10.0, 60.0),
    ],
)  # fmt: skip
def test_a_forecast_into_the_air_covers_what_the_body_may_do(height, speed, dive_deg, dt):
    """Flights of bodies of all ln beta of the prior: the forecast has their mean and about their spread."""
    rng = np.random.default_rng(8)
    _, x, P = body(rng, 600.0, height=height, speed=speed, dive_deg=dive_deg)
    y, Q, _, mu = imm.forecast(np.stack([x] * 3), np.stack([P] * 3), np.zeros((3, 9, 0)), ALONE, dt, True)
    assert mu[BALLISTIC] > 0.99
    states = drawn(rng, x, P, dt, 4000)
    mean, covariance = states[:, :6].mean(0), np.cov(states[:, :6].T)
    spread = np.sqrt(np.diag(covariance))
    root = np.linalg.inv(np.linalg.cholesky(covariance[:3, :3]))
    ratio = np.sqrt(np.linalg.eigvalsh(root @ Q[BALLISTIC, :3, :3] @ root.T))
    z, W, _ = modes.predict(BALLISTIC, x, P, dt)
    # the forecast has process noise besides: it may be wider
    assert (np.abs((y[BALLISTIC, :6] - mean) / spread) < 0.15).all()
    assert ratio.min() > 0.9
    ours = nees(states[:, :3] - y[BALLISTIC, :3], Q[BALLISTIC]).mean()
    assert 1.0 < ours < 3.5
    assert nees(states[:, :3] - z[:3], W).mean() > ours + 0.4  # one normal ln beta says less of it


def followed(seed, beta, looks, **more):
    """A body that a radar sees every 8 s: for each look its height, and how far off the tracker's filter is, by `nees`.

    And the same of a filter of one normal ln beta, with the squared normalised innovation of each of its plots, of
    which it takes all.
    """
    rng = np.random.default_rng(seed)
    dt, one = 8.0, np.zeros(1, np.int64)
    truth, x, P = body(rng, beta, **more)
    z, W = x.copy(), P.copy()
    x, P, mu = np.stack([x] * 3), np.stack([P] * 3), ALONE
    out = []
    for _ in range(looks):
        truth = freely(truth, dt)
        look = rows_of(one_look(RADAR, plots_of(RADAR, truth[None], rng=rng)))
        inside, _, *after = gating.take_plots(
            one, one, np.zeros(1), x[None], P[None], np.zeros((1, 3, 9, 0)), mu[None], one + 1, np.array([dt]),
            *(column[None] for column in look), *NONE, DETECTION, False, 1.0,
        )  # fmt: skip
        assert len(inside) == 1  # within the gate
        x, P, _, mu = (column[0] for column in after)
        assert mu[BALLISTIC] > 0.99
        z, W, _ = modes.predict(BALLISTIC, z, W, dt)
        _, squares, _ = correct.correct(z, W, NO_A.copy(), 7, *look, *NONE)
        errors = nees((truth - x[BALLISTIC])[None, :3], P[BALLISTIC])[0], nees((truth - z)[None, :3], W)[0]
        out.append((height_m(*truth[:3]), *errors, squares))
    return np.array(out).T


@compiled
@pytest.mark.parametrize(
    ("speed", "dive_deg", "looks"), [(1500.0, 40.0, 4), (4000.0, 20.0, 3), (4000.0, 50.0, 3)]
)
def test_a_light_body_is_not_lost_where_drag_sets_in(speed, dive_deg, looks):
    """Of 15 kg/m2, where 600 were thought likely: 2.7 sigmas off."""
    for seed in range(20):
        height, ours, plain, squares = followed(seed, 15.0, looks, speed=speed, dive_deg=dive_deg)
        assert height[0] < 70e3
        assert height[-1] < 51e3
        assert ours.max() < 25.0  # measured 19 at the first look, where an exact filter has much the same
        assert plain.max() > 25.0
        assert (
            squares.max() > gating.GATE + 3.0 * gating.GATE_A_NUMBER
        )  # and its plot would not have been taken


@compiled
def test_bodies_of_all_kinds_are_followed_as_well_as_is_believed():
    rng = np.random.default_rng(9)
    """Position errors in sigmas, squared and summed: 3 on average, and none far off."""
    ours, plain = [], []
    for seed in range(60):
        ln_beta = modes.CHILD_LN_BETA_MEAN + modes.CHILD_LN_BETA_SIGMA * rng.normal()
        beta = math.exp(min(max(ln_beta, modes.LEAST_LN_BETA), modes.MOST_LN_BETA))
        _, error, by_one, _ = followed(100 + seed, beta, 3, speed=4000.0, dive_deg=30.0)
        ours += error.tolist()
        plain += by_one.tolist()
    assert 2.0 < np.mean(ours) < 3.3
    assert np.max(ours) < 20.0 < np.max(plain)
