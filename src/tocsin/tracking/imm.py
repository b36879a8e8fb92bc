"""The modes of a track together: how they mix, take plots, and are seen as one.

Method: interacting multiple model filter (Blom and Bar-Shalom 1988, IEEE TAC 33, 780-783), with
modes of unequal states: a component that a mode lacks enters the mixing with its prior mean and
covariance (Granstrom, Willett and Bar-Shalom 2015, "Systematic approach to IMM mixing for unequal
dimension states"). States are those of `modes`.
"""

from __future__ import annotations

import math

import numpy as np

from tocsin.earth.motion import BALLISTIC, THRUST
from tocsin.kernel import jit
from tocsin.sensors.models import residual_and_row, update
from tocsin.sensors.plots import Floats
from tocsin.tracking.modes import (
    LEAST_LN_BETA,
    LN_BETA_MEAN,
    LN_BETA_SIGMA,
    MODES,
    MOST_LN_BETA,
    SIZE,
    THRUST_SIGMA_M_S2,
    USED,
    comes_down,
    detection,
    predict,
    too_fast_or_high,
)

# Rates of change between modes (1/s): row from, column to. What was once too fast or too high for an
# aircraft is none, ever after.
RATES_1_S = np.array([[0.0, 3e-4, 1e-2], [2e-2, 0.0, 1e-2], [1e-5, 1e-5, 0.0]])
RATES_FALLEN_1_S = np.array([[0.0, 3e-4, 0.0], [2e-2, 0.0, 0.0], [1.0, 0.0, 0.0]])


@jit
def _prior(mode: int, extra: int) -> tuple[float, float]:
    """Mean and variance of component 6 + extra of a mode, for a track that comes from another mode."""
    if mode == BALLISTIC:
        return LN_BETA_MEAN, LN_BETA_SIGMA**2
    return 0.0, THRUST_SIGMA_M_S2**2


@jit
def mix(x: Floats, P: Floats, mu: Floats, dt: float, fallen: bool) -> tuple[Floats, Floats, Floats]:
    """Mix the modes over a time dt >= 0. x (3, 9), P (3, 9, 9), mu (3,) -> the same, mixed.

    fallen: the object was once too fast or too high for an aircraft.
    """
    no_aircraft = fallen or too_fast_or_high(x[np.argmax(mu)])
    rates = RATES_FALLEN_1_S if no_aircraft else RATES_1_S
    falling = comes_down(x[BALLISTIC])
    # one jump at most in a time: left with 1 - exp(-sum of rates * dt), to each in the share of its rate
    change = np.zeros((MODES, MODES))
    for i in range(MODES):
        away = 0.0
        for j in range(MODES):
            if not (falling and j == THRUST):
                change[i, j] = rates[i, j]
                away += rates[i, j]
        if away > 0.0:
            left = 1.0 - math.exp(-away * dt)
            for j in range(MODES):
                change[i, j] *= left / away
            change[i, i] = 1.0 - left
        else:
            change[i, i] = 1.0
    mixed_x, mixed_P, mixed_mu = np.zeros((MODES, SIZE)), np.zeros((MODES, SIZE, SIZE)), np.zeros(MODES)
    for j in range(MODES):
        for i in range(MODES):
            mixed_mu[j] += change[i, j] * mu[i]
    for j in range(MODES):
        n = USED[j]
        if mixed_mu[j] < 1e-12:  # a dead mode keeps its own state
            mixed_x[j] = x[j]
            mixed_P[j] = P[j]
            continue
        entering = np.empty((MODES, SIZE))
        for i in range(MODES):
            w = change[i, j] * mu[i] / mixed_mu[j]
            entering[i] = x[i]
            for k in range(6, n):
                if i != j:
                    entering[i, k] = _prior(j, k - 6)[0]
            for k in range(n):
                mixed_x[j, k] += w * entering[i, k]
        for i in range(MODES):
            w = change[i, j] * mu[i] / mixed_mu[j]
            if w == 0.0:
                continue
            for k in range(n):
                dk = entering[i, k] - mixed_x[j, k]
                for m in range(n):
                    p = dk * (entering[i, m] - mixed_x[j, m])
                    if i == j or (k < 6 and m < 6):
                        p += P[i, k, m]
                    elif k == m:
                        p += _prior(j, k - 6)[1]
                    mixed_P[j, k, m] += w * p
    return mixed_x, mixed_P, mixed_mu


@jit
def take_plot(
    x: Floats,
    P: Floats,
    mu: Floats,
    dt: float,
    position: Floats,
    axes: Floats,
    measured: Floats,
    variance: Floats,
    stated_detection: float,
    heat: bool,
    fallen: bool,
) -> tuple[Floats, Floats, Floats, float, float]:
    """All modes corrected by one plot taken dt seconds after the track's time (or before it).

    x (3, 9), P (3, 9, 9), mu (3,); position to variance as in `sensors.models.update`. Returns the
    corrected modes, ln of the detection probability times likelihood (in the units of `update`), and
    the squared normalised innovation of the best mode per number measured.

    A plot older than the track corrects the state at the track's own time: exact where there is no
    process noise between, else with the covariance between the two times (Bar-Shalom, Li and
    Kirubarajan 2001, section 8.3, the past state smoothed by one step).
    """
    if dt > 0.0:
        x, P, mu = mix(x, P, mu, dt, fallen)
    out_x, out_P, logs = x.copy(), P.copy(), np.full(MODES, -np.inf)
    nis = np.full(MODES, np.inf)
    for j in range(MODES):
        if mu[j] < 1e-9:
            continue
        n = USED[j]
        y, Q, F = predict(j, x[j], P[j], dt)
        seen, _ = detection(j, y, stated_detection, heat)
        before_x, before_P = y.copy(), Q.copy()
        likelihood, squares, count = update(y, Q, n, position, axes, measured, variance)
        if likelihood == -np.inf or count == 0:
            continue
        logs[j] = likelihood + math.log(seen * mu[j])
        nis[j] = squares / count
        if j == BALLISTIC:
            y[6] = min(max(y[6], LEAST_LN_BETA), MOST_LN_BETA)
        if dt >= 0.0:
            out_x[j], out_P[j] = y, Q
        else:
            # G = cov(now, then) cov(then)^-1, over the components in use
            C = np.ascontiguousarray((P[j] @ F.T)[:n, :n])
            then = np.ascontiguousarray(before_P[:n, :n])
            scale = 1.0 / np.sqrt(np.diag(then))
            A = then * np.outer(scale, scale)
            G = np.linalg.solve(A, (C * scale).T).T * scale
            shift = np.ascontiguousarray(y[:n] - before_x[:n])
            out_x[j, :n] = x[j, :n] + G @ shift
            out_P[j, :n, :n] = P[j, :n, :n] + G @ (np.ascontiguousarray(Q[:n, :n]) - then) @ G.T
            for k in range(n):
                for m in range(k):
                    mean = 0.5 * (out_P[j, k, m] + out_P[j, m, k])
                    out_P[j, k, m] = mean
                    out_P[j, m, k] = mean
    top = logs.max()
    if top == -np.inf:
        return x, P, mu, -np.inf, np.inf
    weights = np.exp(logs - top)
    total = weights.sum()
    return out_x, out_P, weights / total, top + math.log(total), nis[np.argmax(logs)]


@jit
def forecast(x: Floats, P: Floats, mu: Floats, dt: float, fallen: bool) -> tuple[Floats, Floats, Floats]:
    """All modes dt >= 0 seconds later, without a plot."""
    x, P, mu = mix(x, P, mu, dt, fallen)
    for j in range(MODES):
        if mu[j] >= 1e-9:
            x[j], P[j], _ = predict(j, x[j], P[j], dt)
    return x, P, mu


@jit
def miss(x: Floats, mu: Floats, stated_detection: float, heat: bool) -> tuple[Floats, float]:
    """Mode probabilities after a scan without a plot, and the probability that there would have been one."""
    left = np.empty(MODES)
    seen = 0.0
    for j in range(MODES):
        p = detection(j, x[j], stated_detection, heat)[1]
        seen += mu[j] * p
        left[j] = mu[j] * (1.0 - p)
    return left / left.sum(), seen


@jit
def combine(x: Floats, P: Floats, mu: Floats) -> tuple[Floats, Floats]:
    """Mean (6,) and covariance (6, 6) of position and velocity over the modes."""
    mean = np.zeros(6)
    for j in range(MODES):
        mean += mu[j] * x[j, :6]
    covariance = np.zeros((6, 6))
    for j in range(MODES):
        d = x[j, :6] - mean
        covariance += mu[j] * (P[j, :6, :6] + np.outer(d, d))
    return mean, covariance


@jit
def blend(x: Floats, P: Floats, mu: Floats, weights: Floats) -> tuple[Floats, Floats, Floats]:
    """One set of modes for k hypotheses of one track: x (k, 3, 9), P (k, 3, 9, 9), mu (k, 3), weights (k,).

    Mode by mode, the mean and covariance of the mixture (probabilistic data association; Bar-Shalom
    and Li 1995, Multitarget-Multisensor Tracking, section 3.4). weights sum to 1.
    """
    count = len(weights)
    out_x, out_P, out_mu = np.zeros((MODES, SIZE)), np.zeros((MODES, SIZE, SIZE)), np.zeros(MODES)
    for j in range(MODES):
        for k in range(count):
            out_mu[j] += weights[k] * mu[k, j]
        if out_mu[j] < 1e-9:
            likeliest = np.argmax(weights)
            out_x[j], out_P[j] = x[likeliest, j], P[likeliest, j]
            continue
        for k in range(count):
            out_x[j] += weights[k] * mu[k, j] / out_mu[j] * x[k, j]
        for k in range(count):
            w = weights[k] * mu[k, j] / out_mu[j]
            if w > 0.0:
                d = x[k, j] - out_x[j]
                out_P[j] += w * (P[k, j] + np.outer(d, d))
    return out_x, out_P, out_mu


@jit
def angle_surprise(
    x: Floats,
    P: Floats,
    mu: Floats,
    dt: float,
    position: Floats,
    axes: Floats,
    measured: Floats,
    variance: Floats,
) -> tuple[float, float]:
    """Normalised innovations of the two angles of a plot, in the likeliest mode."""
    best = int(np.argmax(mu))
    y, Q, _ = predict(best, x[best], P[best], dt)
    H = np.zeros(6)
    out = np.zeros(2)
    for q in range(2):
        residual, _ = residual_and_row(q, y, position, axes, measured, H)
        S = variance[q]
        for i in range(6):
            for m in range(6):
                S += H[i] * Q[i, m] * H[m]
        out[q] = residual / math.sqrt(S)
    return out[0], out[1]
