"""A state fitted to a few plots at once, and how well it explains them.

Gauss-Newton with a prior on velocity and what else a mode has; position is free. How far thrust may have
strayed from what it is at the end is added to each plot's noise, as if plots knew nothing of each other. The
evidence is Laplace's approximation of the integral over the state (MacKay 2003, Information Theory, Inference,
and Learning Algorithms, chapter 27), with a position anywhere in the field of view alike.
"""

from __future__ import annotations

import math

import numpy as np

from tocsin.earth.ellipsoid import up_and_height
from tocsin.earth.forces import STANDARD
from tocsin.earth.motion import BALLISTIC, LEVEL, THRUST
from tocsin.kernel import jit, jit_inline
from tocsin.sensors.models import LOG_TWO_PI, residual_and_row
from tocsin.sensors.plots import Floats, Ints
from tocsin.tracking.imm import LEAST_MU
from tocsin.tracking.modes import (
    LN_BETA_MEAN,
    LN_BETA_SIGMA,
    MODES,
    SIZE,
    THRUST_SIGMA_M_S2,
    USED,
    WORK,
    add_noise,
    move_into,
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


@jit_inline
def fit(
    mode: int,
    start: Floats,
    time_s: Floats,
    position: Floats,
    axes: Floats,
    measured: Floats,
    variance: Floats,
    column: Ints,
    lever: Floats,
    offset: Floats,
    offset_P: Floats,
    fast: bool,
) -> tuple[bool, Floats, Floats, Floats, float, float, int]:
    """Fit a mode's state at the last plot's time, and the sensors' offsets with it, to m plots.

    start (9,) at that time; the rest as rows of `sensors.models.Looks`; offset (k,) and offset_P (k, k): what is known
    of the offsets. Returns whether it converged, the state (9,) for the offsets as given, its covariance (9, 9) for
    known offsets, its derivative (9, k) by them, ln of the evidence for a density of 1 per m3 of position, the sum of
    squared normalised residuals, and how many numbers were measured.
    """
    n = USED[mode]
    offsets = len(offset)
    size = n + offsets
    count = len(time_s)
    end = time_s.max()
    x, found = start.copy(), offset.copy()
    offset_information = np.ascontiguousarray(np.linalg.inv(offset_P)) if offsets > 0 else np.zeros((0, 0))
    H = np.zeros(6)
    row = np.zeros(size)
    squares, prior_squares, log_noise = 0.0, 0.0, 0.0
    used = 0
    P, by_offset = np.zeros((SIZE, SIZE)), np.zeros((SIZE, offsets))
    done = False
    mean, information = prior_information(mode, x, fast)
    scale, A, total = np.ones(size), np.eye(size), np.eye(size)
    F, work, y = np.empty((SIZE, SIZE)), np.empty(WORK), np.empty(SIZE)
    noise = np.empty((SIZE, SIZE))
    for iteration in range(ITERATIONS):
        total = np.zeros((size, size))
        total[:n, :n] = information[:n, :n]
        total[n:, n:] = offset_information
        d, o = x - mean, found - offset
        gradient = np.zeros(size)
        gradient[:n] = -(information @ d)[:n]
        gradient[n:] = -(offset_information @ o)
        prior_squares = float((d * (information @ d)).sum() + (o * (offset_information @ o)).sum())
        squares, log_noise, used = 0.0, 0.0, 0
        for k in range(count):
            move_into(mode, x, time_s[k] - end, STANDARD, y, F, work)
            noise[:, :] = 0.0
            if mode == THRUST:
                add_noise(mode, y, noise, time_s[k] - end)
            for q in range(4):
                if math.isnan(variance[k, q]) or (q >= 2 and math.isnan(measured[k, q - 2])):
                    continue
                residual, _ = residual_and_row(q, y, position[k], axes[k], measured[k], H)
                if math.isnan(residual):
                    return False, x, P, by_offset, -np.inf, np.inf, 0
                for c in range(n):
                    sum_c = 0.0
                    for i in range(6):
                        sum_c += H[i] * F[i, c]
                    row[c] = sum_c
                row[n:] = 0.0
                if offsets > 0 and column[k, q] >= 0:
                    row[n + column[k, q]] = lever[k, q]
                    residual -= lever[k, q] * found[column[k, q]]
                v = variance[k, q]
                for i in range(6):
                    for c in range(6):
                        v += H[i] * noise[i, c] * H[c]
                for c in range(size):
                    if row[c] != 0.0:
                        gradient[c] += row[c] * residual / v
                        for i in range(size):
                            total[c, i] += row[c] * row[i] / v
                squares += residual * residual / v
                log_noise += math.log(v)
                used += 1
        diagonal = np.diag(total)
        if not (np.isfinite(diagonal).all() and (diagonal > 0.0).all()):
            return False, x, P, by_offset, -np.inf, np.inf, 0
        scale = 1.0 / np.sqrt(diagonal)
        A = total * np.outer(scale, scale)
        for i in range(size):
            A[i, i] += 1e-12
        step = scale * np.linalg.solve(A, scale * gradient)
        if not np.isfinite(step).all():
            return False, x, P, by_offset, -np.inf, np.inf, 0
        far = math.sqrt(step[0] ** 2 + step[1] ** 2 + step[2] ** 2)
        quick = math.sqrt(step[3] ** 2 + step[4] ** 2 + step[5] ** 2)
        if far > 1e6 or quick > 5e4:
            return False, x, P, by_offset, -np.inf, np.inf, 0
        gain = (step * gradient).sum()
        if iteration > 0 and gain < 1e-3:
            done = True
            break
        x[:n] += step[:n]
        found += step[n:]
        if mode == BALLISTIC:
            x[6] = min(max(x[6], LN_BETA_MEAN - 4.0 * LN_BETA_SIGMA), LN_BETA_MEAN + 4.0 * LN_BETA_SIGMA)
    inner = np.ascontiguousarray(A[:n, :n])
    P[:n, :n] = np.linalg.inv(inner) * np.outer(scale[:n], scale[:n])
    if offsets > 0:
        by_offset[:n] = -P[:n, :n] @ np.ascontiguousarray(total[:n, n:])
        x[:n] += np.ascontiguousarray(by_offset[:n]) @ (offset - found)
    # ln of: prior at the mode x likelihood at the mode x (2 pi)^(n/2) |P|^(1/2)
    log_det = -np.log(np.linalg.eigvalsh(A)).sum() + 2.0 * np.log(scale).sum()
    log_prior = -0.5 * prior_squares - 0.5 * (size - 3) * LOG_TWO_PI
    if offsets > 0:
        log_prior -= 0.5 * np.log(np.linalg.eigvalsh(offset_P)).sum()
    if n > 3:
        log_prior += 0.5 * np.log(np.linalg.eigvalsh(np.ascontiguousarray(information[3:n, 3:n]))).sum()
    evidence = (
        log_prior
        - 0.5 * squares
        - 0.5 * log_noise
        - 0.5 * used * LOG_TWO_PI
        + 0.5 * size * LOG_TWO_PI
        + 0.5 * log_det
    )
    return done, x, P, by_offset, evidence, squares, used


@jit
def fit_modes(
    start: Floats,
    time_s: Floats,
    position: Floats,
    axes: Floats,
    measured: Floats,
    variance: Floats,
    column: Ints,
    lever: Floats,
    offset: Floats,
    offset_P: Floats,
    fast: bool,
    log_prior: Floats,
) -> tuple[bool, Floats, Floats, Floats, Floats, float, float]:
    """Fit every mode. log_prior (3,), -inf for a mode that is not to be tried.

    Returns whether any fits, states (3, 9), covariances (3, 9, 9), derivatives by the offsets (3, 9, k), mode
    probabilities (3,), ln of the evidence over all modes, and the squared normalised residuals of the best per number
    measured.
    """
    x, P, A = np.zeros((MODES, SIZE)), np.zeros((MODES, SIZE, SIZE)), np.zeros((MODES, SIZE, len(offset)))
    logs, quality = np.full(MODES, -np.inf), np.full(MODES, np.inf)
    for mode in range(MODES):
        if log_prior[mode] == -np.inf:
            continue
        good, xm, Pm, Am, evidence, squares, used = fit(
            mode, start, time_s, position, axes, measured, variance, column, lever, offset, offset_P, fast
        )
        if not good or not math.isfinite(evidence) or (mode == LEVEL and too_fast_or_high(xm)):
            continue
        x[mode], P[mode], A[mode] = xm, Pm, Am
        logs[mode] = log_prior[mode] + evidence
        quality[mode] = squares / used
    top = logs.max()
    if top == -np.inf:
        return False, x, P, A, np.zeros(MODES), top, np.inf
    mu = np.exp(logs - top)
    total = mu.sum()
    mu /= total
    for mode in range(MODES):
        if mu[mode] < LEAST_MU:
            mu[mode] = 0.0
    return True, x, P, A, mu / mu.sum(), top + math.log(total), quality[np.argmax(logs)]
