"""Measurements and updates: rows by finite differences, updates against textbook and brute force."""

import math

import numpy as np
import pytest
from scipy.stats import chi2, multivariate_normal

from tocsin.earth.ellipsoid import enu_axes, geodetic_to_ecef
from tocsin.sensors.models import looks, residual_and_row, second_order, update
from tocsin.sensors.plots import Plots, Sensor

from .geometry import NAN, local, measure, place, plots_of, sensor, state_at

RADAR = sensor()
RNG = np.random.default_rng(11)
VELOCITY = (900.0, -2500.0, 1100.0)
GEOMETRIES = {
    "north": (400e3, 0.0, 20.0),
    "just west of north": (400e3, 359.9999, 20.0),
    "just east of north": (400e3, 0.0001, 20.0),
    "south": (400e3, 180.0, 3.0),
    "zenith": (200e3, 77.0, 90.0),
    "near the zenith": (200e3, 200.0, 89.999),
    "nadir": (200e3, 10.0, -90.0),
    "near the nadir": (800e3, 300.0, -89.9),
    **{
        f"random {i}": (
            RNG.uniform(10e3, 2e6),
            RNG.uniform(0, 360),
            math.degrees(math.asin(RNG.uniform(-1, 1))),
        )
        for i in range(12)
    },
}


def rows_of(look, i=0):
    """Position, axes, measured and variance of one plot made ready."""
    return tuple(np.ascontiguousarray(column[i]) for column in look[1:5])


def one_look(of, plots, scale=1.0):
    return looks(plots, (of,), np.array([scale]))


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_no_residual_at_the_truth(geometry):
    x = state_at(RADAR, *GEOMETRIES[geometry], VELOCITY)
    position, axes, measured, _ = rows_of(one_look(RADAR, plots_of(RADAR, x)))
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-14)
    H = np.empty(6)
    residual = [residual_and_row(q, x, position, axes, measured, H)[0] for q in range(4)]
    # angles: the noise of float64 at 6.4e6 m over 10 km is 1e-13; PROJ's rate is a difference quotient
    assert (np.abs(residual) < [1e-9, 1e-9, 1e-6, 1e-4]).all()


@pytest.mark.parametrize("geometry", GEOMETRIES)
@pytest.mark.parametrize("q", range(4))
def test_rows_by_finite_differences(geometry, q):
    x = state_at(RADAR, *GEOMETRIES[geometry], VELOCITY)
    position, axes, measured, _ = rows_of(one_look(RADAR, plots_of(RADAR, x)))
    x[:6] += np.array([500.0, -300.0, 200.0, 10.0, -20.0, 5.0])  # away from the measured place
    H, other = np.empty(6), np.empty(6)
    residual_and_row(q, x, position, axes, measured, H)
    steps = np.array([10.0] * 3 + [0.1] * 3)
    for c in range(6):
        d = np.zeros(9)
        d[c] = steps[c]
        ahead, behind = (
            residual_and_row(q, x + s * d, position, axes, measured, other)[0] for s in (1.0, -1.0)
        )
        slope = -(ahead - behind) / (2.0 * steps[c])  # the residual falls as the prediction rises
        assert H[c] == pytest.approx(slope, abs=1e-5 * np.abs(H).max() + 1e-11)


@pytest.mark.parametrize("elevation_deg", [0.0, 30.0, 70.0, -80.0])
def test_angles_lie_across_the_sight(elevation_deg):
    x = state_at(RADAR, 300e3, 359.99, elevation_deg)
    exact = plots_of(RADAR, x)
    H = np.empty(6)
    for q, shift in ((0, [0.0, 1e-4, 0.0, 0.0]), (1, [0.0, 0.0, 1e-4, 0.0])):
        plots = exact._replace(measured=exact.measured + np.array(shift))
        position, axes, measured, variance = rows_of(one_look(RADAR, plots))
        angle = 1e-4 * (math.cos(math.radians(elevation_deg)) if q == 0 else 1.0)
        assert residual_and_row(q, x, position, axes, measured, H)[0] == pytest.approx(angle, rel=1e-3)
        sigma = 2e-3 * (math.cos(math.radians(elevation_deg)) if q == 0 else 1.0)
        assert math.sqrt(variance[q]) == pytest.approx(sigma, rel=1e-3)


def test_noise_scale_and_bias_count_as_noise():
    of = sensor(bias=(40.0, 0.0, 3e-3, 0.0))
    variance = one_look(of, plots_of(of, state_at(of, 300e3, 50.0, 0.0)), 4.0).variance[0]
    expected = [4 * 2e-3**2, 4 * 2e-3**2 + 3e-3**2, 4 * 30.0**2 + 40.0**2, 4 * 2.0**2]
    np.testing.assert_allclose(variance, expected, rtol=1e-9)


def prior(of, x, sigma_along_m, sigma_cross_m, sigma_v_m_s):
    """Covariance (9, 9): along and across the sight, and of the velocity."""
    u = x[:3] - place(of)
    u = u / np.linalg.norm(u)
    P = np.zeros((9, 9))
    P[:3, :3] = sigma_cross_m**2 * np.eye(3) + (sigma_along_m**2 - sigma_cross_m**2) * np.outer(u, u)
    P[3:6, 3:6] = sigma_v_m_s**2 * np.eye(3)
    return P


def textbook(of, x, P, plots):
    """Joint EKF in range, azimuth, elevation, range rate, its Jacobian by differences."""

    def h(y):
        return measure(of, y[None])[0]

    steps = np.array([1.0] * 3 + [0.01] * 3)
    H = np.stack(
        [(h(x + d) - h(x - d)) / (2 * s) for d, s in zip(np.diag([*steps, 0, 0, 0])[:6], steps, strict=True)],
        -1,
    )
    R = np.diag(of.sigma**2)
    S = H @ P[:6, :6] @ H.T + R
    K = P[:, :6] @ H.T @ np.linalg.inv(S)
    residual = plots.measured[0] - h(x)
    return (
        x + K @ residual,
        P - K @ S @ K.T,
        multivariate_normal.logpdf(residual, None, S),
        residual @ np.linalg.solve(S, residual),
    )


def test_update_is_the_textbook_one_where_all_is_nearly_linear():
    truth = state_at(RADAR, 500e3, 60.0, 30.0, VELOCITY)
    truth[6] = 8.0
    P = prior(RADAR, truth, 50.0, 500.0, 20.0)
    P[:3, 3:6] = 2.0 * np.eye(3) * 50.0
    P[3:6, :3] = P[:3, 3:6].T
    P[6, 6] = 0.5
    P[6, 3:6] = P[3:6, 6] = 1.0  # ln beta is corrected by its correlation alone
    rng = np.random.default_rng(5)
    x = truth.copy()
    x[:7] += rng.multivariate_normal(np.zeros(7), P[:7, :7])
    plots = plots_of(RADAR, truth, rng=rng)
    look = one_look(RADAR, plots)
    expected_x, expected_P, log_likelihood, squares = textbook(RADAR, x, P, plots)
    y, Q = x.copy(), P.copy()
    ours, our_squares, count = update(y, Q, 7, *rows_of(look))
    sigma = np.sqrt(np.diag(expected_P))[:7]
    # what the curvature is worth here: a hundredth of a sigma
    np.testing.assert_allclose((y - expected_x)[:7] / sigma, 0.0, atol=0.02)
    np.testing.assert_allclose((Q - expected_P)[:7, :7] / np.outer(sigma, sigma), 0.0, atol=0.02)
    assert count == 4
    # per rad2 of the sight plane there, per rad2 of azimuth and elevation here
    assert ours + look.log_area[0] == pytest.approx(log_likelihood, abs=0.05)
    assert our_squares == pytest.approx(squares, abs=0.05)
    assert (Q == Q.T).all()
    assert (Q[7:] == 0.0).all()


# What was not measured changes nothing: cameras, and radars without range rate.
@pytest.mark.parametrize(
    ("sigma", "count"),
    [((30.0, 2e-3, 2e-3, NAN), 3), ((NAN, 2e-3, 2e-3, NAN), 2), ((NAN, 2e-3, 2e-3, 2.0), 3)],
)
def test_what_is_not_measured_is_skipped(sigma, count):
    of = sensor(sigma)
    truth = state_at(of, 500e3, 60.0, 30.0, VELOCITY)
    x, P = truth.copy(), prior(of, truth, 50.0, 500.0, 20.0)
    x[:3] += 200.0
    lacking, full = x.copy(), x.copy()
    P_lacking, P_full = P.copy(), P.copy()
    *_, measured_count = update(lacking, P_lacking, 6, *rows_of(one_look(of, plots_of(of, truth))))
    # the same as a radar that knows nothing of it
    blind = sensor(np.where(np.isnan(sigma), 1e9, sigma))
    update(full, P_full, 6, *rows_of(one_look(blind, plots_of(blind, truth))))
    assert measured_count == count
    np.testing.assert_allclose(lacking[:6], full[:6], rtol=0, atol=1e-3)
    np.testing.assert_allclose(P_lacking, P_full, rtol=1e-6, atol=1e-3)


def test_an_object_behind_the_sensor_is_impossible():
    truth = state_at(RADAR, 500e3, 60.0, 30.0)
    x = truth.copy()
    x[:3] = 2.0 * place(RADAR) - truth[:3]
    log_likelihood, squares, _ = update(
        x, prior(RADAR, x, 50.0, 500.0, 20.0), 6, *rows_of(one_look(RADAR, plots_of(RADAR, truth)))
    )
    assert (log_likelihood, squares) == (-np.inf, np.inf)


@pytest.mark.parametrize("q", [2, 3])
def test_second_order_by_differences_of_rows(q):
    """tr(MP)/2 and tr(MPMP)/2 with the Hessian M from differences of the rows."""
    x = state_at(RADAR, 300e3, 60.0, 30.0, VELOCITY)
    position, axes, measured, _ = rows_of(one_look(RADAR, plots_of(RADAR, x)))
    P = prior(RADAR, x, 100.0, 5e3, 500.0)
    P[:3, 3:6] = P[3:6, :3] = 4e4 * np.eye(3)
    M = np.empty((6, 6))
    for c, step in enumerate([10.0] * 3 + [0.1] * 3):
        d = np.zeros(9)
        d[c] = step
        ahead, behind = np.empty(6), np.empty(6)
        residual_and_row(q, x + d, position, axes, measured, ahead)
        residual_and_row(q, x - d, position, axes, measured, behind)
        M[:, c] = (ahead - behind) / (2.0 * step)
    H = np.empty(6)
    residual, rho = residual_and_row(q, x, position, axes, measured, H)
    bias, spread = second_order(q, P, H, rho, measured[1] - residual)
    MP = M @ P[:6, :6]
    assert bias == pytest.approx(0.5 * np.trace(MP), rel=1e-5)
    assert spread == pytest.approx(0.5 * np.trace(MP @ MP), rel=1e-5)


# Contact lens: one radar at 1,200 km with 2.2 mrad and 30 m, the prior wide across the sight. The
# squared error in its own covariance has mean 6. 200 runs know it to 6 sqrt(2/6/200) = 0.25 where Gaussian;
# a joint EKF is at 1,000 and beyond from 30 km on.
@pytest.mark.parametrize("cross_m", [3e3, 30e3, 100e3])
@pytest.mark.parametrize("range_rate", [False, True])
def test_contact_lens_is_not_overconfident(cross_m, range_rate):
    of = sensor((30.0, 2.2e-3, 2.2e-3, 2.0 if range_rate else NAN), longitude_deg=30.0)
    runs = 200
    rng = np.random.default_rng(17)
    truth = state_at(of, 1200e3, 60.0, 30.0, VELOCITY)
    P0 = prior(of, truth, 3e3, cross_m, 300.0)
    root = np.linalg.cholesky(P0[:6, :6])
    nees = np.zeros((runs, 2))
    states = truth[:6] + rng.normal(size=(runs, 6)) @ root.T
    for k in range(runs):
        # the prior is drawn about the truth's place, and the truth about the prior: alike for a flat world
        x = truth.copy()
        real = np.concatenate([states[k], np.zeros(3)])
        P = P0.copy()
        for turn in range(2):
            update(x, P, 6, *rows_of(one_look(of, plots_of(of, real, rng=rng))))
            d = real[:6] - x[:6]
            nees[k, turn] = d @ np.linalg.solve(P[:6, :6], d)
    mean = nees.mean(0)
    low, high = chi2.ppf([0.0005, 0.9995], 6 * runs) / runs
    assert (mean > low - 0.3).all(), mean
    assert (mean < high + 1.0).all(), mean  # a few per cent of curvature are left


# Where the curvature itself is larger than the noise: the lens 15 m deep at a range known to 1 m, and a
# range rate that is bilinear in an unknown angle (5 mrad) and an unknown velocity (2 km/s).
@pytest.mark.parametrize(
    ("sigma", "speed_m_s"), [((1.0, 5e-3, 5e-3, NAN), 100.0), ((30.0, 2.2e-3, 2.2e-3, 2.0), 2000.0)]
)
def test_sharp_ranges_and_rates_are_not_believed_too_much(sigma, speed_m_s):
    of = sensor(sigma, longitude_deg=30.0)
    rng = np.random.default_rng(19)
    truth = state_at(of, 1200e3, 60.0, 30.0, VELOCITY)
    P0 = prior(of, truth, 3e3, 100e3, speed_m_s)
    root = np.linalg.cholesky(P0[:6, :6])
    u = (truth[:3] - place(of)) / np.linalg.norm(truth[:3] - place(of))
    nees, along = [], []
    for _ in range(300):
        real = truth.copy()
        real[:6] += root @ rng.normal(size=6)
        x, P = truth.copy(), P0.copy()
        update(x, P, 6, *rows_of(one_look(of, plots_of(of, real, rng=rng))))
        d = (real - x)[:6]
        nees.append(d @ np.linalg.solve(P[:6, :6], d))
        along.append(u @ d[:3] / math.sqrt(u @ P[:3, :3] @ u))
    assert 5.0 < np.mean(nees) < 7.2  # 6 where Gaussian; 300 runs know it to 0.2
    # no bias along the sight: 300 runs know it to 0.06; a third of a sigma is left by so wide a velocity
    assert abs(np.mean(along)) < (0.2 if math.isnan(of.sigma[3]) else 0.6)


def test_contact_lens_against_brute_force():
    """Mean and covariance of the exact posterior, by a million weighted samples of the measurement."""
    of = sensor((30.0, 2.2e-3, 2.2e-3, NAN))
    truth = state_at(of, 1200e3, 60.0, 30.0)
    P = prior(of, truth, 3e3, 30e3, 100.0)
    rng = np.random.default_rng(23)
    x = truth.copy()
    x[:3] += rng.multivariate_normal(np.zeros(3), P[:3, :3])
    plots = plots_of(of, truth, rng=rng)
    r, az, el = (plots.measured[0, i] + of.sigma[i] * rng.normal(size=1_000_000) for i in range(3))
    enu = np.stack([np.sin(az) * np.cos(el), np.cos(az) * np.cos(el), np.sin(el)], -1) * r[:, None]
    d = place(of) + enu @ local(of) - x[:3]
    log_w = -0.5 * np.einsum("ni,ij,nj->n", d, np.linalg.inv(P[:3, :3]), d) + np.log(r**2 * np.cos(el))
    w = np.exp(log_w - log_w.max())
    w /= w.sum()
    mean = w @ d
    covariance = (d - mean).T @ ((d - mean) * w[:, None])
    y, Q = x.copy(), P.copy()
    update(y, Q, 6, *rows_of(one_look(of, plots)))
    sigma = np.sqrt(np.diag(covariance))
    np.testing.assert_allclose((y[:3] - x[:3] - mean) / sigma, 0.0, atol=0.05)
    # along the sight the lens is 30 m deep and bent by 2 km sin(...): its spread is what the second
    # order adds
    u = (truth[:3] - place(of)) / np.linalg.norm(truth[:3] - place(of))
    assert u @ Q[:3, :3] @ u == pytest.approx(u @ covariance @ u, rel=0.1)
    np.testing.assert_allclose(np.sqrt(np.diag(Q)[:3]), sigma, rtol=0.05)


def test_an_angle_that_is_not_measured_changes_nothing_of_its_own() -> None:
    """A radar without elevation: what is left of the plot corrects as it would with a useless elevation."""
    position = geodetic_to_ecef(0.8, 0.2, 100.0)
    axes = enu_axes(0.8, 0.2)
    there = position + axes.T @ np.array([90e3, 60e3, 40e3])
    offset = axes @ (there - position)
    distance = float(np.linalg.norm(offset))
    azimuth, elevation = math.atan2(offset[0], offset[1]), math.asin(offset[2] / distance)
    results = []
    for sigma, seen in ((math.nan, math.nan), (1e3, elevation)):
        sensor = Sensor(
            "r", "radar", 0.8, 0.2, 100.0, np.array([30.0, 1e-3, sigma, 5.0]), 0.9, 1.0, 5.0,
            np.full((4, 2), np.nan), np.zeros(4),
        )  # fmt: skip
        measured = np.array([[distance + 20.0, azimuth + 1e-3, seen, -300.0]])
        plots = Plots(
            np.zeros(1),
            np.zeros(1),
            np.zeros(1, int),
            np.zeros(1, int),
            measured,
            position[None],
            np.full(1, math.nan),
        )
        look = looks(plots, (sensor,), np.ones(1))
        x = np.concatenate([there, [500.0, -400.0, 100.0], np.zeros(3)])
        P = np.diag([1e6] * 3 + [1e4] * 3 + [0.0] * 3)
        likelihood, _, count = update(x, P, 6, *(column[0] for column in look[1:5]))
        assert math.isfinite(likelihood)
        results.append((x, P, count))
    assert [count for _, _, count in results] == [3, 4]
    # the level sight of the first and the raised one of the second differ in how azimuth maps to the plane
    assert np.abs(results[0][0][:3] - results[1][0][:3]).max() < 30.0  # metres, of a kilometre's uncertainty
    assert (
        np.abs(np.sqrt(np.diag(results[0][1]) + 1e-9) - np.sqrt(np.diag(results[1][1]) + 1e-9)).max() < 30.0
    )
