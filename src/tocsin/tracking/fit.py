"""A state fitted to a few plots at once, and how well it explains them.

Gauss-Newton with a prior on velocity and what else a mode has; position is free. The evidence is
Laplace's approximation of the integral over the state (MacKay 2003, Information Theory, Inference,
and Learning Algorithms, chapter 27), with a position anywhere in the field of view alike.
"""

from __future__ import annotations

import math

import numpy as np

from tocsin.earth.ellipsoid import up_and_height
from tocsin.earth.motion import BALLISTIC, LEVEL, THRUST
from tocsin.kernel import jit
from tocsin.sensors.models import LOG_TWO_PI, residual_and_row
from tocsin.sensors.plots import Floats
from tocsin.tracking.modes import (
    LN_BETA_MEAN,
    LN_BETA_SIGMA,
    MODES,
    SIZE,
    THRUST_SIGMA_M_S2,
    USED,
    move,
    too_fast_or_high,
)

# Velocity prior of each mode (one sigma an axis). Free flight: up to orbital speed at 2.5 sigma;
# meteoroids, seen by cameras alone, come with 11 to 72 km/s.
BALLISTIC_SPEED_M_S = 3000.0
METEOR_SPEED_M_S = 15e3
THRUST_SPEED_M_S = 1500.0
LEVEL_ACROSS_M_S = 150.0
LEVEL_UP_M_S = 8.0

# ln of the ballistic coefficient of a meteoroid in kg/m2: stone of 3,500 kg/m3 and 5 to 30 cm radius has
# 200 to 1,400 when it comes and, ablated, a fraction of it when it goes dark.
METEOR_LN_BETA_MEAN = math.log(400.0)
METEOR_LN_BETA_SIGMA = 1.5

ITERATIONS = 12


@jit
def prior_information(mode: int, x: Floats, fast: bool) -> tuple[Floats, Floats]:
    """Mean (9,) and information (9, 9) of the prior of a mode; nothing known of position."""
    mean, information = np.zeros(SIZE), np.zeros((SIZE, SIZE))
    if mode == LEVEL:
        sin_lat, cos_lat, sin_lon, cos_lon, _ = up_and_height(x[0], x[1], x[2])
        up = (cos_lat * cos_lon, cos_lat * sin_lon, sin_lat)
        for i in range(3):
            for m in range(3):
                information[3 + i, 3 + m] = up[i] * up[m] * (LEVEL_UP_M_S**-2 - LEVEL_ACROSS_M_S**-2)
            information[3 + i, 3 + i] += LEVEL_ACROSS_M_S**-2
        return mean, information
    speed = METEOR_SPEED_M_S if fast else BALLISTIC_SPEED_M_S
    if mode == THRUST:
        speed = THRUST_SPEED_M_S
    for i in range(3):
        information[3 + i, 3 + i] = speed**-2
    if mode == BALLISTIC:
        mean[6] = METEOR_LN_BETA_MEAN if fast else LN_BETA_MEAN
        information[6, 6] = (METEOR_LN_BETA_SIGMA if fast else LN_BETA_SIGMA) ** -2
    else:
        for i in range(6, 9):
            information[i, i] = THRUST_SIGMA_M_S2**-2
    return mean, information


@jit
def fit(
    mode: int,
    start: Floats,
    time_s: Floats,
    position: Floats,
    axes: Floats,
    measured: Floats,
    variance: Floats,
    fast: bool,
) -> tuple[bool, Floats, Floats, float, float, int]:
    """Fit a mode's state at the last plot's time to m plots.

    start (9,) at that time; the rest as rows of `sensors.models.Looks`. Returns whether it converged,
    the state (9,), its covariance (9, 9), ln of the evidence for a density of 1 per m3 of position,
    the sum of squared normalised residuals, and how many numbers were measured.
    """
    n = USED[mode]
    count = len(time_s)
    end = time_s.max()
    x = start.copy()
    H = np.zeros(6)
    row = np.zeros(SIZE)
    squares, prior_squares, log_noise = 0.0, 0.0, 0.0
    used = 0
    P = np.zeros((SIZE, SIZE))
    done = False
    mean, information = prior_information(mode, x, fast)
    scale, A = np.ones(n), np.eye(n)
    for iteration in range(ITERATIONS):
        total = information.copy()
        gradient = information @ (mean - x)
        d = x - mean
        prior_squares = float((d * (information @ d)).sum())
        squares, log_noise, used = 0.0, 0.0, 0
        for k in range(count):
            y, F = move(mode, x, time_s[k] - end)
            for q in range(4):
                if math.isnan(variance[k, q]) or (q >= 2 and math.isnan(measured[k, q - 2])):
                    continue
                residual, _ = residual_and_row(q, y, position[k], axes[k], measured[k], H)
                if math.isnan(residual):
                    return False, x, P, -np.inf, np.inf, 0
                for c in range(SIZE):
                    sum_c = 0.0
                    for i in range(6):
                        sum_c += H[i] * F[i, c]
                    row[c] = sum_c
                v = variance[k, q]
                for c in range(n):
                    gradient[c] += row[c] * residual / v
                    for i in range(n):
                        total[c, i] += row[c] * row[i] / v
                squares += residual * residual / v
                log_noise += math.log(v)
                used += 1
        diagonal = np.diag(total)[:n]
        if not (np.isfinite(diagonal).all() and (diagonal > 0.0).all()):
            return False, x, P, -np.inf, np.inf, 0
        scale = 1.0 / np.sqrt(diagonal)
        A = np.ascontiguousarray(total[:n, :n]) * np.outer(scale, scale)
        for i in range(n):
            A[i, i] += 1e-12
        step = scale * np.linalg.solve(A, scale * gradient[:n])
        if not np.isfinite(step).all():
            return False, x, P, -np.inf, np.inf, 0
        far = math.sqrt(step[0] ** 2 + step[1] ** 2 + step[2] ** 2)
        quick = math.sqrt(step[3] ** 2 + step[4] ** 2 + step[5] ** 2)
        if far > 1e6 or quick > 5e4:
            return False, x, P, -np.inf, np.inf, 0
        gain = (step * gradient[:n]).sum()
        if iteration > 0 and gain < 1e-3:
            done = True
            break
        x[:n] += step
        if mode == BALLISTIC:
            x[6] = min(max(x[6], LN_BETA_MEAN - 4.0 * LN_BETA_SIGMA), LN_BETA_MEAN + 4.0 * LN_BETA_SIGMA)
    inverse = np.linalg.inv(A)
    P[:n, :n] = inverse * np.outer(scale, scale)
    # ln of: prior at the mode x likelihood at the mode x (2 pi)^(n/2) |P|^(1/2)
    log_det = -np.log(np.linalg.eigvalsh(A)).sum() + 2.0 * np.log(scale).sum()
    log_prior = -0.5 * prior_squares - 0.5 * (n - 3) * LOG_TWO_PI
    if n > 3:
        log_prior += 0.5 * np.log(np.linalg.eigvalsh(np.ascontiguousarray(information[3:n, 3:n]))).sum()
    evidence = (
        log_prior
        - 0.5 * squares
        - 0.5 * log_noise
        - 0.5 * used * LOG_TWO_PI
        + 0.5 * n * LOG_TWO_PI
        + 0.5 * log_det
    )
    return done, x, P, evidence, squares, used


@jit
def fit_modes(
    start: Floats,
    time_s: Floats,
    position: Floats,
    axes: Floats,
    measured: Floats,
    variance: Floats,
    fast: bool,
    log_prior: Floats,
) -> tuple[bool, Floats, Floats, Floats, float, float]:
    """Fit every mode. log_prior (3,), -inf for a mode that is not to be tried.

    Returns whether any fits, states (3, 9), covariances (3, 9, 9), mode probabilities (3,), ln of the
    evidence over all modes, and the squared normalised residuals of the best per number measured.
    """
    x, P = np.zeros((MODES, SIZE)), np.zeros((MODES, SIZE, SIZE))
    logs, quality = np.full(MODES, -np.inf), np.full(MODES, np.inf)
    for mode in range(MODES):
        if log_prior[mode] == -np.inf:
            continue
        good, xm, Pm, evidence, squares, used = fit(
            mode, start, time_s, position, axes, measured, variance, fast
        )
        if not good or not math.isfinite(evidence) or (mode == LEVEL and too_fast_or_high(xm)):
            continue
        x[mode], P[mode] = xm, Pm
        logs[mode] = log_prior[mode] + evidence
        quality[mode] = squares / used
    top = logs.max()
    if top == -np.inf:
        return False, x, P, np.zeros(MODES), top, np.inf
    mu = np.exp(logs - top)
    total = mu.sum()
    best = np.argmax(logs)
    for mode in range(MODES):  # a mode without a fit starts where the best one stands
        if logs[mode] == -np.inf:
            x[mode, :6] = x[best, :6]
            P[mode, :6, :6] = P[best, :6, :6]
            if mode == BALLISTIC:
                x[mode, 6] = LN_BETA_MEAN
                P[mode, 6, 6] = LN_BETA_SIGMA**2
            elif mode == THRUST:
                for i in range(6, 9):
                    P[mode, i, i] = THRUST_SIGMA_M_S2**2
    return True, x, P, mu / total, top + math.log(total), quality[best]
