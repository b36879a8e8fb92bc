"""Fits against scipy's least squares, and their evidence against integration by sampling."""

import math

import numpy as np
import pytest
from scipy.optimize import least_squares
from scipy.special import logsumexp

from tocsin.earth.motion import BALLISTIC, LEVEL, THRUST
from tocsin.sensors.models import looks
from tocsin.tracking import fit, modes

from ..earth.flights import fly
from ..sensors.geometry import NAN, local, measure, place, plots_of, sensor, state_at

RADAR = sensor((20.0, 5e-4, 5e-4, 2.0))
TIMES_S = np.array([0.0, 4.0, 9.0])


def seen(of, states, times_s, rng):
    plots = plots_of(of, states, times_s, rng=rng)
    look = looks(plots, (of,), np.ones((1, 4)), np.full((1, 4), -1))
    return plots, (*look[:5], look.column, look.lever, np.zeros(0), np.zeros((0, 0)))


def first_guess(look):
    guess = np.zeros(9)
    place = look[1] + look[3][:, :1] * look[2][:, 0]
    guess[:3] = place[-1]
    guess[3:6] = (place[-1] - place[0]) / (look[0][-1] - look[0][0])
    return guess


def fitted_as(mode, look, fast=False):
    """The fit of one mode alone: whether it converged, state, covariance, derivative by offsets, ln of the evidence
    and the squared residuals per number measured."""
    log_prior = np.full(3, -math.inf)
    log_prior[mode] = 0.0
    good, x, P, by_offset, _, evidence, quality = fit.fit_modes(first_guess(look), *look, fast, log_prior)
    return good, x[mode], P[mode], by_offset[mode], evidence, quality


def coasting():
    """Three plots of a body that coasts at 200 km, and its state at the last."""
    rng = np.random.default_rng(1)
    last = state_at(RADAR, 320e3, 70.0, 38.0, (1500.0, -2100.0, 300.0))[:6]
    states = np.stack([fly(last, t - TIMES_S[-1], beta=2000.0) if t < TIMES_S[-1] else last for t in TIMES_S])
    return last, *seen(RADAR, states, TIMES_S, rng)


def test_free_flight_against_scipy():
    last, plots, look = coasting()
    good, x, P, _, _, quality = fitted_as(BALLISTIC, look)
    assert good
    cosine = np.cos(plots.measured[:, 2])

    def residuals(y):
        before = fly(np.tile(y[:6], (2, 1)), TIMES_S[:2] - TIMES_S[2], beta=math.exp(y[6]))
        there = np.vstack([before, y[:6]])
        d = plots.measured - measure(RADAR, there)
        d[:, 1] = ((d[:, 1] + math.pi) % (2 * math.pi) - math.pi) * cosine
        d[:, 1] /= cosine  # sigma of the azimuth shrinks with it
        prior = [*(y[3:6] / fit.BALLISTIC_SPEED_M_S), (y[6] - modes.LN_BETA_MEAN) / modes.LN_BETA_SIGMA]
        return np.concatenate([(d / RADAR.sigma).ravel(), prior])

    scale = np.array([100.0] * 3 + [10.0] * 3 + [1.0])
    best = least_squares(residuals, np.append(last, modes.LN_BETA_MEAN), x_scale=scale, diff_step=1e-7)
    # derivatives by finite steps of known size, for the covariance
    columns = []
    for i, h in enumerate([1.0] * 3 + [0.1] * 3 + [0.01]):
        d = np.zeros(7)
        d[i] = h
        columns.append((residuals(best.x + d) - residuals(best.x - d)) / (2 * h))
    J = np.stack(columns, -1)
    covariance = np.linalg.inv(J.T @ J)
    sigma = np.sqrt(np.diag(covariance))
    # a twentieth of a sigma: the fit stops where the next step would gain a thousandth in the squares
    np.testing.assert_allclose((x[:7] - best.x) / sigma, 0.0, atol=0.05)
    np.testing.assert_allclose((P[:7, :7] - covariance) / np.outer(sigma, sigma), 0.0, atol=0.02)
    # 12 numbers are measured
    assert 12 * quality == pytest.approx((residuals(best.x)[:12] ** 2).sum(), abs=0.05)


def test_the_likeliest_mode_is_the_true_one():
    last, _, look = coasting()
    good, x, P, _, mu, _, quality = fit.fit_modes(first_guess(look), *look, False, np.log([0.4, 0.2, 0.4]))
    assert good
    assert mu.sum() == pytest.approx(1.0)
    assert mu[LEVEL] < 1e-6
    assert quality < 3.0
    d = x[BALLISTIC, :6] - last
    assert d @ np.linalg.solve(P[BALLISTIC, :6, :6], d) < 24.1  # chi-square of 6, 1 in 2,000


def test_mode_probabilities_are_prior_times_evidence():
    _, _, look = coasting()
    log_prior = np.log([0.3, 0.7, 1e-9])
    log_prior[LEVEL] = -math.inf
    guess = first_guess(look)
    _, _, _, _, mu, evidence, _ = fit.fit_modes(guess, *look, False, log_prior)
    each = np.array([fitted_as(mode, look)[4] for mode in (BALLISTIC, THRUST)]) + log_prior[:2]
    np.testing.assert_allclose(mu, [*np.exp(each - logsumexp(each)), 0.0], rtol=1e-9)
    assert evidence == pytest.approx(logsumexp(each))


def test_derivative_by_an_offset_and_its_evidence():
    """A range offset: the fit moves with its mean as it says, and its evidence is that of a wider noise."""
    _, _, look = coasting()
    looks_alone, lever = look[:5], look[6]
    column = np.full((3, 4), -1)
    column[:, 2] = 0

    def fitted(mean_m, sigma_m):
        offset = (column, lever, np.array([mean_m]), np.array([[sigma_m**2]]))
        return fitted_as(BALLISTIC, (*looks_alone, *offset))

    good, x, P, by_offset, *_ = fitted(0.0, 40.0)
    sigma = np.sqrt(np.diag(P)[:6])
    for given in (-40.0, 40.0):  # known: the state is that for this offset
        at = fitted(given, 1e-3)[1]
        np.testing.assert_allclose((at - x - by_offset[:, 0] * given)[:6] / sigma, 0.0, atol=0.05)
    assert good
    # ln of the evidence over the offset: integral of the evidences for known ones
    steps = np.linspace(-200.0, 200.0, 41)
    each = [fitted(step, 1e-3)[4] - 0.5 * (step / 40.0) ** 2 for step in steps]
    total = logsumexp(each) + math.log(10.0 / (40.0 * math.sqrt(2 * math.pi)))
    assert fitted(0.0, 40.0)[4] == pytest.approx(total, abs=0.02)


def test_plots_of_nothing_do_not_fit():
    rng = np.random.default_rng(4)
    states = np.stack([state_at(RADAR, 100e3 + 300e3 * rng.random(), 60.0 + 20 * i, 40.0) for i in range(3)])
    _, look = seen(RADAR, states, TIMES_S, rng)
    good, *_, quality = fit.fit_modes(first_guess(look), *look, False, np.log([0.4, 0.2, 0.4]))
    assert not good or quality > 10.0


def test_evidence_of_level_flight_by_sampling():
    """A linear case: two plots of an aircraft without range rate; position anywhere, velocity by its prior."""
    of = sensor((300.0, 2e-3, 2e-3, NAN))
    last = state_at(of, 80e3, 70.0, 6.0)
    up = last[:3] / np.linalg.norm(last[:3])
    last[3:6] = np.array([120.0, -80.0, 0.0]) @ local(of)
    dt = 6.0
    rng = np.random.default_rng(6)
    first = last[:6].copy()
    first[:3] -= dt * last[3:6]
    _, look = seen(of, np.stack([first, last[:6]]), np.array([0.0, dt]), rng)
    good, _, _, _, evidence, _ = fitted_as(LEVEL, look)
    assert good

    n = 400_000

    def log_density(points, k):
        """ln p(plot k | points), per m and rad2 of the sight plane."""
        d = points - place(of)
        along, right, above = (d @ look[2][k].T).T
        z = [np.arctan2(right, along), np.arctan2(above, along), np.linalg.norm(d, axis=1) - look[3][k, 0]]
        return sum(
            -0.5 * r * r / v - 0.5 * math.log(2 * math.pi * v) for r, v in zip(z, look[4][k][:3], strict=True)
        )

    # positions drawn from the last plot, velocities from the prior; what is left is the first plot's density
    rho = look[3][1, 0] + math.sqrt(look[4][1, 2]) * rng.normal(size=n)
    a, b = (math.sqrt(look[4][1, q]) * rng.normal(size=n) for q in (0, 1))
    sight = np.stack([np.ones(n), np.tan(a), np.tan(b)], -1)
    points = place(of) + rho[:, None] * (sight / np.linalg.norm(sight, axis=1)[:, None]) @ look[2][1]
    velocity = fit.LEVEL_ACROSS_M_S * rng.normal(size=(n, 3))
    velocity += ((fit.LEVEL_UP_M_S * rng.normal(size=n)) - velocity @ up)[:, None] * up
    total = logsumexp(log_density(points - dt * velocity, 0) + 2.0 * np.log(rho)) - math.log(n)
    # what the samples know (some per cent), the tangents of 2 mrad, and up taken at the centre of the Earth
    assert evidence == pytest.approx(total, abs=0.1)
