"""A plot corrects a state: against textbook and brute force, and against the joint filter of state and offsets."""

import math

import numpy as np
import pytest
from scipy.stats import chi2, multivariate_normal

from tocsin.earth.ellipsoid import enu_axes, geodetic_to_ecef
from tocsin.sensors.models import residual_and_row, second_order
from tocsin.sensors.plots import Plots, Sensor
from tocsin.tracking.correct import correct

from ..sensors.geometry import (
    NAN,
    local,
    measure,
    one_look,
    place,
    plots_of,
    prior,
    rows_of,
    sensor,
    state_at,
)

RADAR = sensor()
VELOCITY = (900.0, -2500.0, 1100.0)
NONE = np.zeros(0), np.zeros((0, 0))


def update(x, P, n, *rows):
    """Correct a state where no sensor has an unknown offset."""
    return correct(x, P, np.zeros((9, 0)), n, *rows, *NONE)


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
        look = one_look(sensor, plots)
        x = np.concatenate([there, [500.0, -400.0, 100.0], np.zeros(3)])
        P = np.diag([1e6] * 3 + [1e4] * 3 + [0.0] * 3)
        likelihood, _, count = update(x, P, 6, *rows_of(look))
        assert math.isfinite(likelihood)
        results.append((x, P, count))
    assert [count for _, _, count in results] == [3, 4]
    # the level sight of the first and the raised one of the second differ in how azimuth maps to the plane
    assert np.abs(results[0][0][:3] - results[1][0][:3]).max() < 30.0  # metres, of a kilometre's uncertainty
    assert (
        np.abs(np.sqrt(np.diag(results[0][1]) + 1e-9) - np.sqrt(np.diag(results[1][1]) + 1e-9)).max() < 30.0
    )


def jointly(x, P, A, offset, offset_P):
    """Mean and covariance of state (6) and offsets together, from the state given the offsets."""
    mean = np.concatenate([x[:6], offset])
    P, A = P[:6, :6], A[:6]
    return mean, np.block([[P + A @ offset_P @ A.T, A @ offset_P], [offset_P @ A.T, offset_P]])


def given_offsets(mean, C, offset):
    """State (6,) at offsets, its covariance and its derivative by them, by the rules of Gaussians."""
    A = np.linalg.solve(C[6:, 6:], C[6:, :6]).T
    P = C[:6, :6] - A @ C[6:, :6]
    return mean[:6] + A @ (offset - mean[6:]), P, A


def joint_update(mean, C, offset, offset_P, rows):
    """A Kalman filter of state and offsets together, one number after the other.

    Each is drawn straight at the state that holds for the offsets as given, and bent as far as the state is unknown
    with the offsets as they were before the plot.
    """
    position, axes, measured, variance, column, lever = rows
    log_likelihood = 0.0
    for q in range(4):
        if math.isnan(variance[q]):
            continue
        x, P, A = given_offsets(mean, C, offset)
        state, H = np.zeros(9), np.empty(6)
        state[:6] = x
        residual, rho = residual_and_row(q, state, position, axes, measured, H)
        rate, noise = measured[1] - residual, variance[q]
        if q >= 2:
            whole = np.ascontiguousarray(P + A @ offset_P @ A.T)
            bias, spread = second_order(q, whole, H, rho, rate, np.empty((6, 6)))
            residual, noise = residual - bias, noise + spread
        row = np.concatenate([H, np.zeros(len(offset))])
        if column[q] >= 0:
            row[6 + column[q]] = lever[q]
        at = np.concatenate([x, offset])
        innovation = residual - row[6:] @ offset - row @ (mean - at)
        S = row @ C @ row + noise
        log_likelihood += -0.5 * (math.log(2.0 * math.pi * S) + innovation**2 / S)
        gain = C @ row / S
        mean = mean + gain * innovation
        C = C - np.outer(gain, gain) * S
    return mean, C, log_likelihood


OFFSET = np.array([3.0, 1e-3, -5e-4])
OFFSET_P = np.diag([40.0, 2e-3, 1.5e-3]) ** 2
OFFSET_P[1, 2] = OFFSET_P[2, 1] = 1e-6


def biased_plot(rng, sigma=RADAR.sigma):
    """A state that hangs on the offsets of range, azimuth, elevation, and a plot of it."""
    of = sensor(sigma)
    truth = state_at(of, 300e3, 60.0, 30.0, VELOCITY)
    P = prior(of, truth, 50.0, 300.0, 20.0)
    P[:3, 3:6] = P[3:6, :3] = 300.0 * np.eye(3)
    x = truth.copy()
    x[:6] += np.linalg.cholesky(P[:6, :6]) @ rng.normal(size=6)
    A = np.zeros((9, 3))
    A[:6] = rng.normal(size=(6, 3)) * np.array([2.0, 3e5, 3e5]) * 0.3
    A[3:6] *= 0.02
    rows = rows_of(one_look(of, plots_of(of, truth, rng=rng), offsets=(0, 1, 2, -1)))
    return x, P, A, rows


def assert_joint(x, P, A, expected, offset):
    expected_x, expected_P, expected_A = given_offsets(*expected, offset)
    sigma = np.sqrt(np.diag(expected_P))
    np.testing.assert_allclose((x[:6] - expected_x) / sigma, 0.0, atol=1e-9)
    np.testing.assert_allclose((P[:6, :6] - expected_P) / np.outer(sigma, sigma), 0.0, atol=1e-9)
    np.testing.assert_allclose(A[:6], expected_A, rtol=1e-6, atol=1e-9 * np.abs(expected_A).max())


@pytest.mark.parametrize("q", [0, 1, 2, 3])
def test_a_number_with_an_offset_against_the_joint_filter(q):
    rng = np.random.default_rng(31)
    for _ in range(10):
        x, P, A, rows = biased_plot(rng)
        rows[3][[k for k in range(4) if k != q]] = NAN
        mean, C, log_likelihood = joint_update(*jointly(x, P, A, OFFSET, OFFSET_P), OFFSET, OFFSET_P, rows)
        ours, squares, count = correct(x, P, A, 6, *rows, OFFSET, OFFSET_P)
        assert count == 1
        assert ours == pytest.approx(log_likelihood, abs=1e-9)
        assert_joint(x, P, A, (mean, C), OFFSET)
        assert squares >= 0.0


def test_plots_with_offsets_against_the_joint_filter():
    """All numbers of several plots: the state given the offsets is that of the joint filter, whatever it says of them.

    (Of the offsets themselves `learning` keeps the count, so the likelihood of a second number is not the joint one.)
    """
    rng = np.random.default_rng(32)
    x, P, A, _ = biased_plot(rng)
    joint = jointly(x, P, A, OFFSET, OFFSET_P)
    for _ in range(4):
        *_, rows = biased_plot(rng)
        *joint, _ = joint_update(*joint, OFFSET, OFFSET_P, rows)
        correct(x, P, A, 6, *rows, OFFSET, OFFSET_P)
        assert_joint(x, P, A, joint, OFFSET)


def test_the_likelihood_of_a_plot_with_offsets():
    """What a number tells of the offsets is not yet counted for the next one of the same plot."""
    rng = np.random.default_rng(33)
    errors = []
    for _ in range(40):
        x, P, A, rows = biased_plot(rng)
        *_, log_likelihood = joint_update(*jointly(x, P, A, OFFSET, OFFSET_P), OFFSET, OFFSET_P, rows)
        ours, *_ = correct(x, P, A, 6, *rows, OFFSET, OFFSET_P)
        errors.append(ours - log_likelihood)
        assert abs(ours - log_likelihood) < 3.0
    assert abs(np.mean(errors)) < 0.3


def test_an_offset_known_for_sure_is_taken_off_and_one_of_no_column_is_of_no_account():
    rng = np.random.default_rng(34)
    x, P, A, rows = biased_plot(rng)
    A[:] = 0.0
    y, Q, B = x.copy(), P.copy(), np.zeros((9, 0))
    position, axes, measured, variance, _, lever = rows
    shifted = measured - np.array([OFFSET[0], 0.0])
    none = np.full(4, -1)
    at_offset = correct(x, P, A, 6, *rows, OFFSET, np.zeros((3, 3)))
    turned = axes.copy()
    for k, b, arm in (
        (1, OFFSET[1], lever[0]),
        (2, OFFSET[2], lever[1]),
    ):  # a sight that is as it should have been
        turned[0] = turned[0] - b * arm * axes[k]
        turned[k] = turned[k] + b * arm * axes[0]
    without = correct(y, Q, B, 6, position, turned, shifted, variance, none, lever, *NONE)
    # the sight turns by a milliradian: its square counts for a hundredth of a sigma of angle
    sigma = np.sqrt(np.diag(Q)[:6])
    np.testing.assert_allclose((x - y)[:6] / sigma, 0.0, atol=0.01)
    np.testing.assert_allclose((P - Q)[:6, :6] / np.outer(sigma, sigma), 0.0, atol=0.01)
    assert at_offset[0] == pytest.approx(without[0], abs=0.02)
