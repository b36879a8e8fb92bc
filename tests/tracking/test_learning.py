"""What plots tell of their sensors: against the joint filter, and where the truth is known."""

import math

import numpy as np
import pytest

from tocsin.earth.motion import BALLISTIC
from tocsin.sensors.models import looks
from tocsin.tracking import correct, modes
from tocsin.tracking.learning import LOG_PRIOR, RATIOS, flown, learn, learned, off_sights, scales
from tocsin.tracking.pairs import Offsets

from ..sensors.geometry import plots_of, prior, sensor, state_at
from .test_correct import given_offsets, joint_update, jointly

OF = sensor((20.0, 1e-3, 1e-3, 2.0))
VELOCITY = (900.0, -2500.0, 1100.0)
BIAS = np.array([0.0, 4e-3, 0.0, 0.0])
COLUMNS = np.array([[-1, 0, -1, -1]])


def some_states(rng, count, sigma_m, speed_m_s):
    """Bodies high above the air, and what is thought of each: truth (n, 9), x (n, 3, 9), P (n, 3, 9, 9)."""
    truth, x, P = np.zeros((count, 9)), np.zeros((count, 3, 9)), np.zeros((count, 3, 9, 9))
    for i in range(count):
        truth[i] = state_at(OF, rng.uniform(300e3, 600e3), rng.uniform(0, 360), rng.uniform(35, 70), VELOCITY)
        truth[i, 6] = 8.0
        P[i] = prior(OF, truth[i], sigma_m, sigma_m, speed_m_s)
        P[i, :, 6, 6] = 0.5
        x[i] = truth[i]
        x[i, :, :6] += np.linalg.cholesky(P[i, 0, :6, :6]) @ rng.normal(size=6)
    return truth, x, P


def told(of, plots, x, P, A, offsets, log_weights, columns):
    """Offsets after plots, each of one track, and what the scales are then; log_weights (4, grid) in place."""
    mean, _ = scales(log_weights[None])
    seen = looks(plots, (of,), mean, columns)
    count, k = plots.count, len(offsets.mean)
    information, vector = np.zeros((k, k)), np.zeros(k)
    each = np.arange(count)
    learn(
        each, each, *flown(each, each, np.zeros(count), x, P, A, seen.time_s),
        seen.position_m, seen.axes, seen.measured, seen.variance, seen.column, seen.lever,
        offsets.mean, offsets.P, mean[0], RATIOS**2, log_weights, information, vector,
    )  # fmt: skip
    if k == 0:
        return offsets
    after, offset_P, _ = learned(offsets.mean, offsets.P, information, vector)
    return Offsets(after, offset_P)


def test_an_offset_of_a_known_size_is_found():
    """0.12 degrees of azimuth, seen of 300 bodies whose tracks come from elsewhere."""
    rng = np.random.default_rng(1)
    true = math.radians(0.12)
    offsets, log_weights = Offsets(np.zeros(1), np.diag(BIAS[1:2] ** 2)), np.tile(LOG_PRIOR, (4, 1))
    for _ in range(30):
        truth, x, P = some_states(rng, 10, 300.0, 10.0)
        plots = plots_of(OF, truth, rng=rng)
        plots.measured[:, 1] += true
        offsets = told(OF, plots, x, P, np.zeros((10, 3, 9, 1)), offsets, log_weights, COLUMNS)
    sigma = math.sqrt(offsets.P[0, 0])
    # 300 looks of 1 mrad and of 300 m at some 450 km, two in three of it beside the sight: 7e-5 by hand
    assert 4e-5 < sigma < 1.2e-4
    assert abs(offsets.mean[0] - true) < 3.0 * sigma
    mean, most = scales(log_weights[None])
    np.testing.assert_allclose(np.sqrt(mean[0]), 1.0, atol=0.2)
    assert (most >= mean).all()


@pytest.mark.parametrize("ratio", [1 / 3, 1.0, 3.0])
@pytest.mark.parametrize("quantity", range(4))
def test_how_noisy_a_sensor_is_is_found(ratio, quantity):
    rng = np.random.default_rng(2)
    factor = np.ones(4)
    factor[quantity] = ratio
    real = OF._replace(sigma=OF.sigma * factor)
    log_weights = np.tile(LOG_PRIOR, (4, 1))
    none = Offsets(np.zeros(0), np.zeros((0, 0)))
    for _ in range(20):
        truth, x, P = some_states(rng, 10, 3.0, 0.1)
        told(
            OF,
            plots_of(real, truth, rng=rng),
            x,
            P,
            np.zeros((10, 3, 9, 0)),
            none,
            log_weights,
            np.full((1, 4), -1),
        )
    mean, most = scales(log_weights[None])
    # 200 draws know a sigma to 5 in 100; the grid is 19 in 100 wide
    np.testing.assert_allclose(np.sqrt(mean[0]), factor, rtol=0.15)
    assert (most >= mean).all()
    assert (np.sqrt(most[0]) < 1.35 * factor).all()


def test_a_wide_track_tells_nothing_of_its_sensors_noise():
    rng = np.random.default_rng(3)
    log_weights = np.tile(LOG_PRIOR, (4, 1))
    none = Offsets(np.zeros(0), np.zeros((0, 0)))
    truth, x, P = some_states(rng, 10, 5e3, 300.0)
    told(
        OF,
        plots_of(OF, truth, rng=rng),
        x,
        P,
        np.zeros((10, 3, 9, 0)),
        none,
        log_weights,
        np.full((1, 4), -1),
    )
    np.testing.assert_array_equal(log_weights[[0, 1, 3]], np.tile(LOG_PRIOR, (3, 1)))


def test_before_any_plot_a_sensor_is_as_stated():
    mean, most = scales(np.tile(LOG_PRIOR, (2, 4, 1)))
    assert mean.shape == most.shape == (2, 4)
    np.testing.assert_allclose(mean, 1.0, rtol=1e-12)
    assert (most > 1.2).all()
    assert (most < 5.0).all()
    sure = np.full((1, 4, len(RATIOS)), -1e4)
    sure[..., 12] = 0.0
    mean, most = scales(sure)
    np.testing.assert_allclose(mean, RATIOS[12] ** 2, rtol=1e-9)
    np.testing.assert_allclose(most, RATIOS[12] ** 2, rtol=1e-9)


def test_tracks_and_offsets_are_those_of_the_joint_filter():
    """A body followed over some plots, offsets of azimuth and elevation unknown: what is known of the offsets, and
    of the state with them, is what one filter of both finds."""
    rng = np.random.default_rng(4)
    columns = np.array([[-1, 0, 1, -1]])
    truth, x, P = some_states(rng, 1, 200.0, 10.0)
    A = np.zeros((1, 3, 9, 2))
    offsets = Offsets(np.zeros(2), np.diag([3e-3, 2e-3]) ** 2)
    joint = jointly(x[0, 0], P[0, 0], A[0, 0], *offsets)
    true = np.array([2e-3, -1e-3])
    dt = 2.0
    state, log_weights = truth[0], np.tile(LOG_PRIOR, (4, 1))
    mean, C = joint
    for turn in range(6):
        if turn > 0:
            state = modes.move(BALLISTIC, state, dt)[0]
        step = dt if turn > 0 else 0.0
        plots = plots_of(OF, state, [step], rng=rng)
        plots.measured[:, 1:3] += true
        seen = looks(plots, (OF,), np.ones((1, 4)), columns)
        rows = [
            c[0] for c in (seen.position_m, seen.axes, seen.measured, seen.variance, seen.column, seen.lever)
        ]
        # the joint filter moves on by the same matrix, about the state that holds for the offsets as they were thought
        at = np.zeros(9)
        at[:6], at[6] = given_offsets(mean, C, offsets.mean)[0], 8.0
        there, F = modes.move(BALLISTIC, at, step)
        big = np.eye(8)
        big[:6, :6] = F[:6, :6]
        noise = np.zeros((9, 9))
        modes.add_noise(BALLISTIC, there, noise, step)
        onto = np.concatenate([there[:6], offsets.mean])
        mean = onto + big @ (mean - np.concatenate([at[:6], offsets.mean]))
        C = big @ C @ big.T
        C[:6, :6] += noise[:6, :6]
        mean, C, _ = joint_update(mean, C, *offsets, rows)
        # ours: learn before, then correct, then move with the offsets
        log_weights[:] = LOG_PRIOR
        after = told(OF, plots, x, P, A, offsets, log_weights, columns)
        y, Q, B = (c[0, BALLISTIC].copy() for c in (x, P, A))
        y, Q, F = modes.predict(BALLISTIC, y, Q, step)
        B = F @ B
        correct.correct(y, Q, B, 7, *rows, *offsets)
        y = y + B @ (after.mean - offsets.mean)
        x[0, BALLISTIC], P[0, BALLISTIC], A[0, BALLISTIC] = y, Q, B
        offsets = after
        sigma = np.sqrt(np.diag(C))
        np.testing.assert_allclose((offsets.mean - mean[6:]) / sigma[6:], 0.0, atol=1e-5)
        np.testing.assert_allclose((offsets.P - C[6:, 6:]) / np.outer(sigma[6:], sigma[6:]), 0.0, atol=1e-5)
        np.testing.assert_allclose((y[:6] - mean[:6]) / sigma[:6], 0.0, atol=1e-4)
        wide = Q[:6, :6] + B[:6] @ offsets.P @ B[:6].T
        np.testing.assert_allclose((wide - C[:6, :6]) / np.outer(sigma[:6], sigma[:6]), 0.0, atol=1e-4)
    assert (np.abs(offsets.mean - true) < 4.0 * np.sqrt(np.diag(offsets.P))).all()


def test_plots_lie_beside_tracks_by_what_both_say():
    """A sigma, in the mean nothing; with a known offset of the sensor too; and all of one that is not known of."""
    rng = np.random.default_rng(11)
    truth, x, P = some_states(rng, 400, 300.0, 10.0)
    plots = plots_of(OF, truth, rng=rng)
    none = Offsets(np.zeros(1), np.zeros((1, 1)))

    def off(plots, offsets):
        seen, each = looks(plots, (OF,), np.ones((1, 4)), COLUMNS), np.arange(400)
        return off_sights(
            each, each, *flown(each, each, np.zeros(400), x, P, np.zeros((400, 3, 9, 1)), seen.time_s),
            seen.position_m, seen.axes, seen.measured, seen.variance, seen.column, seen.lever, offsets.mean, offsets.P,
        )  # fmt: skip

    plain = off(plots, none)
    np.testing.assert_allclose(plain.mean(axis=0), 0.0, atol=4.0 / 20.0)
    np.testing.assert_allclose(plain.std(axis=0), 1.0, atol=0.15)
    moved = plots._replace(measured=plots.measured + np.array([0.0, 4e-3, 0.0, 0.0]))
    np.testing.assert_allclose(off(moved, Offsets(np.array([4e-3]), np.zeros((1, 1)))), plain, atol=0.03)
    assert off(moved, none)[:, 0].mean() > 1.0
    assert np.abs(off(moved, none)[:, 1] - plain[:, 1]).max() < 0.1
    unsure = off(moved, Offsets(np.zeros(1), np.array([[16e-6]])))
    assert 0.3 < unsure[:, 0].mean() < 1.0
    blind = plots._replace(measured=np.where([False, True, True, False], np.nan, plots.measured))
    assert not off(blind, none).any()
