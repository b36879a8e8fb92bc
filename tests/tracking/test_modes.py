"""The modes of a track against a plain Kalman filter, Bayes' rule and moments of mixtures by hand."""

import math

import numpy as np
import pytest

from tocsin.earth.ellipsoid import ecef_to_geodetic, enu_axes, height_m
from tocsin.earth.forces import STANDARD
from tocsin.earth.integrate import NO_GROUND, fly
from tocsin.earth.motion import BALLISTIC, LEVEL, THRUST
from tocsin.sensors.models import looks, update
from tocsin.tracking import imm, modes

from ..sensors.geometry import plots_of, sensor, state_at
from .scenes import freely

RADAR = sensor((20.0, 5e-4, 5e-4, 2.0))
UP = (1500.0, 800.0, 1200.0)
ALONE = np.array([1.0, 0.0, 0.0])


def falling(height_over_radar_m=250e3):
    """A track in free flight above the air: x (3, 9), P (3, 9, 9), nearly linear for the radar."""
    x, P = np.zeros((3, 9)), np.zeros((3, 9, 9))
    x[:] = state_at(RADAR, height_over_radar_m * 1.5, 70.0, 42.0, UP)
    x[BALLISTIC, 6], x[THRUST, 6:] = 8.0, [3.0, -2.0, 5.0]
    for j, n in enumerate(modes.USED):
        P[j, :3, :3] = 60.0**2 * np.eye(3)
        P[j, 3:6, 3:6] = 8.0**2 * np.eye(3)
        P[j, :3, 3:6] = P[j, 3:6, :3] = 100.0 * np.eye(3)
        P[j, 6:n, 6:n] = 0.25 * np.eye(n - 6)
    return x, P


def look_at(x, time_s, rng=None):
    """One plot of the radar of an object with a state, made ready."""
    look = looks(plots_of(RADAR, x[None], [time_s], rng=rng), (RADAR,), np.ones(1))
    return tuple(np.ascontiguousarray(column[0]) for column in look[1:5])


def take(x, P, mu, dt, look, detection=0.9, heat=False, fallen=True):
    return imm.take_plot(x, P, mu, dt, *look, detection, heat, fallen)


def random_mixture(rng):
    """Modes far enough apart that the spread of their means counts."""
    x, P = falling()
    x[:, :6] += rng.normal(size=(3, 6)) * np.array([300.0] * 3 + [20.0] * 3)
    for j, n in enumerate(modes.USED):
        root = rng.normal(size=(n, n)) * np.array([60.0] * 3 + [8.0] * 3 + [0.5] * 3)[:n, None]
        P[j, :n, :n] = root @ root.T
    return x, P, rng.dirichlet(np.ones(3))


def moments(x, P, weights):
    """Mean and covariance of a mixture, by their definition."""
    mean = sum(w * m for w, m in zip(weights, x, strict=True))
    second = sum(w * (C + np.outer(m - mean, m - mean)) for w, m, C in zip(weights, x, P, strict=True))
    return mean, second


def assert_covariance(P, n):
    assert (P == P.T).all()
    scale = 1.0 / np.sqrt(np.diag(P)[:n])
    assert np.linalg.eigvalsh(P[:n, :n] * np.outer(scale, scale)).min() > -1e-9
    assert (P[n:] == 0.0).all()


def test_one_mode_is_a_kalman_filter():
    rng = np.random.default_rng(1)
    truth = falling()[0][BALLISTIC]
    x, P = falling()
    x[BALLISTIC, :6] += rng.normal(size=6) * np.array([60.0] * 3 + [8.0] * 3)
    mean, covariance = x[BALLISTIC].copy(), P[BALLISTIC].copy()
    for turn in range(5):
        dt = 2.0
        truth = freely(truth, dt)
        look = look_at(truth, dt * turn, rng)
        _, _, mean, F, _, _ = fly(BALLISTIC, mean, dt, NO_GROUND, 0.1, STANDARD)
        F = np.vstack([F, np.eye(9)[7:]])
        # white acceleration, the same on each axis (Bar-Shalom, Li and Kirubarajan 2001, equation 6.2.2-12)
        q = np.kron([[dt**3 / 3, dt**2 / 2], [dt**2 / 2, dt]], modes.COAST_M2_S3 * np.eye(3))
        covariance = F @ covariance @ F.T
        covariance[:6, :6] += q
        update(mean, covariance, 7, *look)
        x, P, mu, _, _ = take(x, P, ALONE, dt, look)
        np.testing.assert_allclose(x[BALLISTIC], mean, rtol=0, atol=1e-5)
        np.testing.assert_allclose(P[BALLISTIC], covariance, rtol=1e-6, atol=1e-6)
        assert mu[BALLISTIC] > 0.9


def test_likelihood_of_modes_is_bayes_rule():
    rng = np.random.default_rng(2)
    x, P, mu = random_mixture(rng)
    look = look_at(falling()[0][0], 0.0, rng)
    _, _, after, log_likelihood, _ = take(x, P, mu, 0.0, look, detection=0.8)
    each = np.array([update(x[j].copy(), P[j].copy(), modes.USED[j], *look)[0] for j in range(3)])
    joint = mu * np.exp(each - each.max())
    np.testing.assert_allclose(after, joint / joint.sum(), rtol=1e-12)
    assert log_likelihood == pytest.approx(math.log(0.8 * joint.sum()) + each.max(), abs=1e-9)


@pytest.mark.parametrize("fallen", [False, True])
@pytest.mark.parametrize("dt", [0.1, 5.0, 60.0])
def test_mixing_keeps_mean_covariance_and_probability(fallen, dt):
    rng = np.random.default_rng(3)
    for _ in range(10):
        x, P, mu = random_mixture(rng)
        mixed_x, mixed_P, mixed_mu = imm.mix(x, P, mu, dt, fallen)
        assert mixed_mu.sum() == pytest.approx(1.0, abs=1e-12)
        before, after = (
            moments(x[:, :6], P[:, :6, :6], mu),
            moments(mixed_x[:, :6], mixed_P[:, :6, :6], mixed_mu),
        )
        np.testing.assert_allclose(after[0], before[0], rtol=0, atol=1e-6)
        np.testing.assert_allclose(after[1], before[1], rtol=1e-9, atol=1e-3)
        for j, n in enumerate(modes.USED):
            assert_covariance_close(mixed_P[j], n)


def assert_covariance_close(P, n):
    """As `assert_covariance`, but symmetric to rounding: mixing sums in another order on either side."""
    np.testing.assert_allclose(P, P.T, rtol=1e-12, atol=1e-9)
    assert_covariance(0.5 * (P + P.T), n)


def test_mixing_over_no_time_changes_nothing():
    x, P, mu = random_mixture(np.random.default_rng(4))
    mixed = imm.mix(x, P, mu, 0.0, False)
    for ours, old in zip(mixed, (x, P, mu), strict=True):
        np.testing.assert_allclose(ours, old, rtol=1e-12, atol=1e-12)


def test_what_has_fallen_is_no_aircraft_again():
    x, P, mu = random_mixture(np.random.default_rng(5))
    assert imm.mix(x, P, np.array([1.0, 0.0, 0.0]), 30.0, True)[2][LEVEL] == 0.0
    assert imm.mix(x, P, mu, 60.0, True)[2][LEVEL] < 1e-6
    assert modes.too_fast_or_high(x[0])


def test_a_dead_mode_wakes_with_its_prior():
    x, P = falling()
    x[THRUST, 6:], P[THRUST, 6:, 6:] = 1e6, 1e12  # whatever stood there
    mixed_x, mixed_P, mu = imm.mix(x, P, ALONE, 10.0, True)
    if mu[THRUST] > 0.0:
        np.testing.assert_allclose(mixed_x[THRUST], [*x[BALLISTIC, :6], 0.0, 0.0, 0.0], atol=1e-9)
        np.testing.assert_allclose(np.diag(mixed_P[THRUST])[6:], modes.THRUST_SIGMA_M_S2**2)
    assert mu[THRUST] > 0.0


def test_a_late_plot_is_as_good_as_one_in_order():
    """Without process noise (free flight in vacuum, over seconds) the order of plots is of no account."""
    rng = np.random.default_rng(6)
    truth = falling()[0][BALLISTIC]
    x, P = falling()
    x[BALLISTIC, :6] += rng.normal(size=6) * np.array([60.0] * 3 + [8.0] * 3)
    first, second = (look_at(freely(truth, t), t, rng) for t in (2.0, 5.0))
    x1, P1, _, _, _ = take(x, P, ALONE, 2.0, first)
    x1, P1, _, _, _ = take(x1, P1, ALONE, 3.0, second)
    x2, P2, _, _, _ = take(x, P, ALONE, 5.0, second)
    before = P2.copy()
    x2, P2, _, _, _ = take(x2, P2, ALONE, -3.0, first)
    sigma = np.sqrt(np.diag(P1[BALLISTIC])[:7])
    # hundredths of a sigma: what the tiny process noise and the curvature of the sight are worth
    np.testing.assert_allclose((x2 - x1)[BALLISTIC, :7] / sigma, 0.0, atol=0.03)
    np.testing.assert_allclose((P2 - P1)[BALLISTIC, :7, :7] / np.outer(sigma, sigma), 0.0, atol=0.03)
    assert (np.diag(P2[BALLISTIC])[:6] < np.diag(before[BALLISTIC])[:6]).all()
    for j, n in enumerate(modes.USED):
        assert_covariance(P2[j], n)


@pytest.mark.parametrize("dt", [-4.0, 0.0, 4.0])
def test_a_plot_never_makes_a_covariance_negative(dt):
    rng = np.random.default_rng(7)
    for _ in range(5):
        x, P, mu = random_mixture(rng)
        _, after, weights, _, _ = take(x, P, mu, dt, look_at(falling()[0][0], dt, rng))
        assert weights.sum() == pytest.approx(1.0)
        for j, n in enumerate(modes.USED):
            assert_covariance_close(after[j], n)


def test_an_impossible_plot_changes_nothing():
    x, P = falling()
    behind = x[0].copy()
    behind[:3] = -behind[:3]
    after_x, after_P, mu, log_likelihood, nis = take(x, P, ALONE, 0.0, look_at(behind, 0.0))
    assert (log_likelihood, nis) == (-math.inf, math.inf)
    assert (after_x == x).all()
    assert (after_P == P).all()
    assert (mu == ALONE).all()


def test_inputs_are_left_alone():
    x, P, mu = random_mixture(np.random.default_rng(8))
    kept = x.copy(), P.copy(), mu.copy()
    look = look_at(x[0], 3.0)
    for dt in (3.0, 0.0, -3.0):
        take(x, P, mu, dt, look)
    imm.forecast(x, P, mu, 3.0, False)
    imm.forecast(x, P, ALONE, 0.0, True)
    imm.miss(x, mu, 0.9, True)
    imm.angle_surprise(x, P, mu, 3.0, *look)
    for now, before in zip((x, P, mu), kept, strict=True):
        assert (now == before).all()


def test_combine_is_the_mixture():
    x, P, mu = random_mixture(np.random.default_rng(9))
    mean, covariance = imm.combine(x, P, mu)
    expected = moments(x[:, :6], P[:, :6, :6], mu)
    np.testing.assert_allclose(mean, expected[0], rtol=1e-12)
    np.testing.assert_allclose(covariance, expected[1], rtol=1e-9, atol=1e-6)


def test_blend_against_the_mixture_by_hand():
    rng = np.random.default_rng(10)
    x, P, mu = (np.stack(part) for part in zip(*(random_mixture(rng) for _ in range(4)), strict=True))
    weights = rng.dirichlet(np.ones(4))
    out_x, out_P, out_mu = imm.blend(x, P, mu, weights)
    np.testing.assert_allclose(out_mu, weights @ mu, rtol=1e-12)
    for j, n in enumerate(modes.USED):
        share = weights * mu[:, j] / (weights @ mu[:, j])
        mean, covariance = moments(x[:, j], P[:, j], share)
        np.testing.assert_allclose(out_x[j, :n], mean[:n], rtol=1e-12)
        np.testing.assert_allclose(out_P[j, :n, :n], covariance[:n, :n], rtol=1e-9, atol=1e-6)


def test_blending_alike_changes_nothing_and_a_dead_mode_is_the_likeliest_ones():
    x, P, _ = random_mixture(np.random.default_rng(11))
    mu = np.array([0.6, 0.4, 0.0])
    apart = x.copy()
    apart[LEVEL] += 1e3
    weights = np.array([0.3, 0.7])
    out_x, out_P, out_mu = imm.blend(np.stack([x, apart]), np.stack([P, P]), np.stack([mu, mu]), weights)
    np.testing.assert_allclose(out_x[:2], x[:2], rtol=1e-12)
    np.testing.assert_allclose(out_P[:2], P[:2], rtol=1e-9, atol=1e-6)
    np.testing.assert_allclose(out_mu, mu)
    assert (out_x[LEVEL] == apart[LEVEL]).all()


def test_miss_is_bayes_rule():
    x, _, mu = random_mixture(np.random.default_rng(12))
    after, seen = imm.miss(x, mu, 0.9, False)
    assert seen == pytest.approx(0.9)
    np.testing.assert_allclose(after, mu, rtol=1e-9)  # a radar sees every mode alike
    after, seen = imm.miss(x, mu, 0.9, True)
    chance = np.array([modes.detection(j, x[j], 0.9, True)[1] for j in range(3)])
    assert seen == pytest.approx(mu @ chance)
    np.testing.assert_allclose(after, mu * (1 - chance) / (1 - mu @ chance), rtol=1e-9)
    assert after[THRUST] < mu[THRUST]  # a heat sensor that sees nothing sees no flame


def test_level_flight_keeps_its_height():
    x = state_at(RADAR, 60e3, 30.0, 9.0)
    latitude, longitude, _ = ecef_to_geodetic(x[:3])
    x[3:6] = np.array([200.0, 120.0, 0.0]) @ enu_axes(latitude, longitude)
    before = height_m(*x[:3])
    for _ in range(60):
        x, F = modes.move(LEVEL, x, 2.0)
    # 120 s, 28 km: the Earth falls away by 61 m under a straight line; a little of its flattening is left
    assert height_m(*x[:3]) == pytest.approx(before, abs=2.0)
    assert (np.diag(F) == 1.0).all()


@pytest.mark.parametrize("mode", [BALLISTIC, THRUST, LEVEL])
def test_noise_is_that_of_its_time_split_in_two(mode):
    """Adding noise over t, carrying on, and adding it over t again is noise over 2 t (above the air)."""
    x = falling()[0][mode]
    t = 1.5
    F = np.eye(9)
    F[:3, 3:6] = t * np.eye(3)
    if mode == THRUST:
        F[:3, 6:9], F[3:6, 6:9] = 0.5 * t * t * np.eye(3), t * np.eye(3)
    once, twice = np.zeros((9, 9)), np.zeros((9, 9))
    modes.add_noise(mode, x, once, 2.0 * t)
    modes.add_noise(mode, x, twice, t)
    twice = F @ twice @ F.T
    modes.add_noise(mode, x, twice, t)
    np.testing.assert_allclose(twice, once, rtol=1e-9, atol=1e-12)
    assert_covariance_close(once + 1e-12 * np.eye(9), 9)
    back = np.zeros((9, 9))
    modes.add_noise(mode, x, back, -2.0 * t)
    assert (back == once).all()  # a time is a time
