"""The re-entry problem of Julier and Uhlmann: a body falls through exponential air beside a radar.

Julier and Uhlmann (2004), Proceedings of the IEEE 92, 401-422, section V, with the constants of the EKF/UKF toolbox
(Hartikainen, Solin and Särkkä 2011, section 2.3.5, reentry_param.m and make_reentry_data.m). All in a plane through the
centre of an Earth that is a sphere and does not turn; range and bearing ten times a second for 200 s.

State of the problem, in SI: x, y (m), their rates (m/s), and x5, on which drag depends:

    acceleration = B0 exp(x5) exp((R0 - r) / H0) v V - GM P / r^3 + white noise,   B0 < 0,   x5 constant

The tracker's motion can be this problem exactly (`forces`, `to_package`): ln of the ballistic coefficient is
ln BETA0 - x5 with BETA0 = rho0 / (-2 B0), air of density rho0 exp(-h / H0), a sphere of radius R0, and GM; no zonal
terms, no rotation. The plane is that of the equator, x through the radar: so a bearing from x toward y is seen from a
radar at latitude and longitude 0 to the east, at an elevation of 90 degrees less the bearing (6 to 40 degrees in these
flights). The plane's third coordinate is no part of the problem: measured as 0 with the noise of the bearing, it stays
apart from the other two.
"""

import math
from typing import NamedTuple

import numpy as np
import pytest

from tocsin.earth.air import Layers
from tocsin.earth.forces import STANDARD, with_air
from tocsin.earth.integrate import NO_GROUND, fly
from tocsin.earth.motion import BALLISTIC, acceleration, layer_at
from tocsin.earth.status import ARRIVED

B0_1_M, H0_M, GM_M3_S2, R0_M = -0.59783e-3, 13406.0, 3.9860e14, 6374e3
STEP_S, STEPS = 0.1, 2000
START = np.array([6500.4e3, 349.14e3, -1809.3, -6796.7, 0.6932])
START_SIGMA = np.array([1.0, 1.0, 1.0, 1.0, 0.0])
RANGE_SIGMA_M, BEARING_SIGMA_RAD = 1.0, 0.17e-3
# variance that each step adds: to the two rates (m2/s2; a density of 240.64 m2/s3) and to x5 (a density of 1e-5 1/s),
# as the truth has it and as filters take it
TRUE_NOISE = np.array([24.064, 24.064, 0.0])
FILTER_NOISE = np.array([24.064, 24.064, 1e-6])
TOLD, TOLD_SIGMA = START * [1, 1, 1, 1, 0], np.array([1.0, 1.0, 1.0, 1.0, 1.0])

# What the unscented filter reaches over 100 runs, by its published constants (alpha 0.5, beta 2, kappa 3 - n), with the
# toolbox's steps of Euler; ../shared/peers/README.md has the same numbers of a program of its own.
UNSCENTED_RMSE_M, UNSCENTED_NEES = 8.37, 4.50


class Runs(NamedTuple):
    """Flights and what the radar measures of them."""

    truth: np.ndarray  # (steps, runs, 5)
    plots: np.ndarray  # (steps, runs, 2) range m, bearing rad


class Score(NamedTuple):
    """How near estimates are, and whether they know it."""

    rmse_m: float  # of position, over all steps and runs
    nees: float  # of all five components; 5 where covariances are honest


def slope(x):
    """Rates of states (..., 5)."""
    radius, speed = np.hypot(x[..., 0], x[..., 1]), np.hypot(x[..., 2], x[..., 3])
    drag = B0_1_M * np.exp(x[..., 4] + (R0_M - radius) / H0_M) * speed
    pull = -GM_M3_S2 / radius**3
    return np.stack(
        [
            x[..., 2],
            x[..., 3],
            drag * x[..., 2] + pull * x[..., 0],
            drag * x[..., 3] + pull * x[..., 1],
            np.zeros_like(drag),
        ],
        axis=-1,
    )


def euler(x):
    """States a step later as the toolbox has them."""
    return x + STEP_S * slope(x)


def runge_kutta(x):
    """States a step later by the classical method of order 4: within 1 mm of the exact motion."""
    a = slope(x)
    b = slope(x + 0.5 * STEP_S * a)
    c = slope(x + 0.5 * STEP_S * b)
    return x + STEP_S / 6.0 * (a + 2.0 * (b + c) + slope(x + STEP_S * c))


def measure(x):
    """Range and bearing (..., 2) of states (..., 5)."""
    return np.stack([np.hypot(x[..., 0] - R0_M, x[..., 1]), np.arctan2(x[..., 1], x[..., 0] - R0_M)], axis=-1)


def make(runs=100, seed=11, move=runge_kutta):
    """Flights and plots; the same for the same arguments."""
    rng = np.random.default_rng(seed)
    x = START + START_SIGMA * rng.standard_normal((5, runs)).T
    truth, plots = np.empty((STEPS, runs, 5)), np.empty((STEPS, runs, 2))
    for k in range(STEPS):
        x = move(x)
        x[:, 2:] += np.sqrt(TRUE_NOISE) * rng.standard_normal((3, runs)).T
        noise = np.array([RANGE_SIGMA_M, BEARING_SIGMA_RAD]) * rng.standard_normal((2, runs)).T
        truth[k], plots[k] = x, measure(x) + noise
    return Runs(truth, plots)


def score(estimates, covariances, truth):
    """Score of estimates (steps, runs, 5) with covariances (steps, runs, 5, 5)."""
    error = estimates - truth
    rmse = math.sqrt(np.mean(np.sum(error[..., :2] ** 2, axis=-1)))
    # in units of like size: metres, metres a second and a number do not stand well in one matrix
    size = np.sqrt(np.diagonal(covariances, axis1=-2, axis2=-1))
    whole = covariances / (size[..., :, None] * size[..., None, :])
    white = np.linalg.solve(whole, (error / size)[..., None])[..., 0]
    return Score(rmse, float(np.mean(np.sum(white * error / size, axis=-1))))


def unscented(plots, move):
    """The unscented filter by its published constants: estimates and covariances of all runs side by side."""
    n, alpha, beta, kappa = 5, 0.5, 2.0, -2.0
    total = alpha**2 * (n + kappa)
    mean_weight = np.full(2 * n + 1, 0.5 / total)
    mean_weight[0] = 1.0 - n / total
    weight = mean_weight.copy()
    weight[0] += 1.0 - alpha**2 + beta
    R = np.diag([RANGE_SIGMA_M**2, BEARING_SIGMA_RAD**2])
    Q = np.diag(np.concatenate([[0.0, 0.0], FILTER_NOISE]))

    def sigma_points(m, P):
        root = np.sqrt(total) * np.linalg.cholesky(P).swapaxes(-1, -2)
        return np.concatenate([m[:, None], m[:, None] + root, m[:, None] - root], axis=1)

    def moments(points):
        m = mean_weight @ points
        apart = points - m[:, None]
        return m, apart, (apart * weight[:, None]).swapaxes(-1, -2)

    runs = plots.shape[1]
    m, P = np.tile(TOLD, (runs, 1)), np.tile(np.diag(TOLD_SIGMA**2), (runs, 1, 1))
    estimates, covariances = np.empty((STEPS, runs, 5)), np.empty((STEPS, runs, 5, 5))
    for k in range(STEPS):
        m, apart, weighted = moments(move(sigma_points(m, P)))
        P = weighted @ apart + Q
        points = sigma_points(m, P)
        z, z_apart, z_weighted = moments(measure(points))
        S = z_weighted @ z_apart + R
        K = np.linalg.solve(S, z_weighted @ (points - m[:, None])).swapaxes(-1, -2)
        m = m + (K @ (plots[k] - z)[..., None])[..., 0]
        P = P - K @ S @ K.swapaxes(-1, -2)
        P = 0.5 * (P + P.swapaxes(-1, -2))
        estimates[k], covariances[k] = m, P
    return estimates, covariances


# The same problem in the tracker's own terms

RHO0_KG_M3 = 1.225  # any will do: ballistic coefficients are in proportion
BETA0_KG_M2 = RHO0_KG_M3 / (-2.0 * B0_1_M)  # 1,024.5: of x5 = 0; the true body has half of it
AIR_M = (-20e3, 200e3)  # of the one layer; flights begin at 136 km and end at 10


def forces():
    """The forces of the problem."""
    low, high = AIR_M
    density = np.zeros((1, STANDARD.air.shape[1]))
    density[0, :2] = math.log(RHO0_KG_M3) - (low + high) / (2.0 * H0_M), -(high - low) / (2.0 * H0_M)
    sound = np.zeros((1, STANDARD.sound.shape[1]))
    sound[0, 0] = 300.0**2  # not used: no drag curve
    sphere = STANDARD._replace(
        gm_m3_s2=GM_M3_S2,
        radius_m=R0_M,
        j2=0.0,
        j3=0.0,
        j4=0.0,
        rate_rad_s=0.0,
        semi_major_axis_m=R0_M,
        flattening=0.0,
    )
    return with_air(sphere, Layers(np.array(AIR_M), density, sound))


def to_package(x):
    """States of `earth.motion` (..., 9) of the problem's (..., 5)."""
    zero = np.zeros_like(x[..., 0])
    log_beta = math.log(BETA0_KG_M2) - x[..., 4]
    return np.stack([x[..., 0], x[..., 1], zero, x[..., 2], x[..., 3], zero, log_beta, zero, zero], axis=-1)


PLANE = np.array([0, 1, 3, 4, 6])  # of the tracker's components, those of the problem
SIGN = np.array([1.0, 1.0, 1.0, 1.0, -1.0])


def from_package(x, P):
    """The problem's states (..., 5) and covariances (..., 5, 5) of the tracker's (..., 9) and (..., 9, 9)."""
    state = x[..., PLANE] * SIGN
    state[..., 4] += math.log(BETA0_KG_M2)
    return state, P[..., PLANE[:, None], PLANE] * SIGN[:, None] * SIGN


def sight(plot):
    """Of one plot (2,) what `sensors.models` makes of plots: position (3,), axes (3, 3), measured (2,), variance (4,).

    The axes are along the sight, toward a greater bearing, and out of the plane.
    """
    cos, sin = math.cos(plot[1]), math.sin(plot[1])
    axes = np.array([[cos, sin, 0.0], [-sin, cos, 0.0], [0.0, 0.0, 1.0]])
    variance = np.array([BEARING_SIGMA_RAD**2, BEARING_SIGMA_RAD**2, RANGE_SIGMA_M**2, np.nan])
    return np.array([R0_M, 0.0, 0.0]), axes, np.array([plot[0], np.nan]), variance


def test_the_unscented_filter_gets_its_published_figures():
    made = make(move=euler)
    found = score(*unscented(made.plots, euler), made.truth)
    assert found.rmse_m == pytest.approx(UNSCENTED_RMSE_M, abs=0.01)
    assert found.nees == pytest.approx(UNSCENTED_NEES, abs=0.01)


def test_steps_of_euler_make_no_difference_to_the_figures():
    """So the exact motion of the package may be held against them."""
    made = make()
    found = score(*unscented(made.plots, runge_kutta), made.truth)
    assert found.rmse_m == pytest.approx(UNSCENTED_RMSE_M, abs=0.02)
    assert found.nees == pytest.approx(UNSCENTED_NEES, abs=0.02)


def test_the_motion_of_the_package_is_that_of_the_problem():
    made, f, partials = make(3), forces(), np.zeros((4, 9))
    for x in made.truth[::50].reshape(-1, 5):
        y = to_package(x)
        height = math.hypot(x[0], x[1]) - R0_M
        found = np.array(acceleration(BALLISTIC, y, layer_at(height, 0.0, f.air_knots_m), f, partials)[:3])
        assert found == pytest.approx(np.append(slope(x)[2:4], 0.0), rel=1e-11, abs=1e-12)
    state, covariance = from_package(to_package(made.truth[:5]), np.tile(np.eye(9), (5, 3, 1, 1)))
    assert state == pytest.approx(made.truth[:5])
    assert (covariance == np.eye(5)).all()


def test_a_plot_looks_to_where_the_body_is():
    x = make(1).truth[700, 0]
    position, axes, measured, _ = sight(measure(x))
    assert position + measured[0] * axes[0] == pytest.approx(np.append(x[:2], 0.0))
    assert axes @ axes.T == pytest.approx(np.eye(3))
    more = sight(measure(x) + np.array([0.0, 1e-6]))[1][0]
    assert (more - axes[0]) @ axes[1] == pytest.approx(1e-6)


@pytest.mark.compiled
def test_an_extended_filter_on_the_packages_motion_reaches_the_unscented_one():
    """Ten runs: `integrate.fly` moves the state and its covariance, a plain Kalman update takes the plots."""
    runs = 10
    made, f = make(runs), forces()
    Q = np.diag(np.concatenate([[0.0, 0.0], FILTER_NOISE]))
    R = np.diag([RANGE_SIGMA_M**2, BEARING_SIGMA_RAD**2])
    estimates, covariances = np.empty((STEPS, runs, 5)), np.empty((STEPS, runs, 5, 5))
    for run in range(runs):
        x, P = TOLD.copy(), np.diag(TOLD_SIGMA**2)
        for k in range(STEPS):
            code, _, y, transition, _, _ = fly(BALLISTIC, to_package(x), STEP_S, NO_GROUND, 1e-3, f)
            assert code == ARRIVED
            F = transition[PLANE[:, None], PLANE] * SIGN[:, None] * SIGN
            x, _ = from_package(y, np.eye(9))
            P = F @ P @ F.T + Q
            away = np.array([x[0] - R0_M, x[1]])
            distance = np.hypot(*away)
            H = np.zeros((2, 5))
            H[0, :2], H[1, :2] = away / distance, np.array([-away[1], away[0]]) / distance**2
            S = H @ P @ H.T + R
            K = np.linalg.solve(S, H @ P).T
            x = x + K @ (made.plots[k, run] - measure(x))
            left = np.eye(5) - K @ H
            P = left @ P @ left.T + K @ R @ K.T
            estimates[k, run], covariances[k, run] = x, P
    found = score(estimates, covariances, made.truth)
    wanted = score(*unscented(made.plots, runge_kutta), made.truth)
    assert found.rmse_m == pytest.approx(wanted.rmse_m, rel=0.01)
    assert found.nees == pytest.approx(wanted.nees, rel=0.03)
