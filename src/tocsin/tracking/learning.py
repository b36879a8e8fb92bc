"""What surely claimed plots tell of the sensors themselves: constant offsets, and how noisy they are.

Offsets: every number that a plot measures says z = H x + D b + noise. With the track's error given b of variance
S = H P H' + R and B = H A + D, the information on b grows by B' B / S (Friedland 1969, IEEE TAC 14, 359-367). Noise: a
sensor's true sigma over its stated one is drawn from a few values, each of which explains the innovations so far
more or less well (Bayes' rule on a grid).
"""

from __future__ import annotations

import math

import numpy as np

from tocsin.earth.forces import STANDARD
from tocsin.earth.motion import BALLISTIC
from tocsin.kernel import jit
from tocsin.sensors.models import residual_and_row, second_order
from tocsin.sensors.plots import AZIMUTH, ELEVATION, RANGE, RANGE_RATE, Floats, Ints
from tocsin.tracking.correct import move_covariance, whole_covariance
from tocsin.tracking.modes import SIZE, USED, WORK, add_noise, move_into

# Ratios of true to stated sigma that are weighed, and how probable each is before any plot: most sensors are as
# stated within a fifth.
RATIOS = np.exp(np.linspace(-math.log(4.0), math.log(4.0), 17))
LOG_PRIOR = -0.5 * (np.log(RATIOS) / 0.4) ** 2
LEAST_PRODUCT = 1e-200  # far from what a number can hold
KINDS = np.array([AZIMUTH, ELEVATION, RANGE, RANGE_RATE])  # in the order of `sensors.models.Looks`


def scales(log_weights: Floats) -> tuple[Floats, Floats]:
    """Mean (s, 4) of the squared ratio of true to stated sigma, and a value (s, 4) that it hardly exceeds."""
    weights = np.exp(log_weights - log_weights.max(-1, keepdims=True))
    weights /= weights.sum(-1, keepdims=True)
    mean = np.exp(weights @ np.log(RATIOS**2))
    above = (np.cumsum(weights[..., ::-1], axis=-1)[..., ::-1] > 0.05).sum(-1) - 1
    return mean, np.maximum(RATIOS[above] ** 2, mean)


@jit
def flown(
    mine: Ints, theirs: Ints, time_s: Floats, x: Floats, P: Floats, A: Floats, plot_time_s: Floats
) -> tuple[Floats, Floats, Floats]:
    """Tracks, mine (k,), at the times of their plots, theirs (k,), in free flight, before they take them.

    time_s (n,) to A as in `tracks.States`. Returns the state (k, 9), its covariance (k, 9, 9) and its derivative by the
    sensors' offsets (k, 9, offsets).
    """
    y, Q = np.empty((len(mine), SIZE)), np.empty((len(mine), SIZE, SIZE))
    C = np.empty((len(mine), SIZE, A.shape[3]))
    F, work, square = np.empty((SIZE, SIZE)), np.empty(WORK), np.empty((SIZE, SIZE))
    for p in range(len(mine)):
        h = mine[p]
        dt = plot_time_s[theirs[p]] - time_s[h]
        move_into(BALLISTIC, x[h, BALLISTIC], dt, STANDARD, y[p], F, work)
        Q[p] = P[h, BALLISTIC]
        C[p] = A[h, BALLISTIC]
        move_covariance(USED[BALLISTIC], F, Q[p], C[p], square)
        add_noise(BALLISTIC, y[p], Q[p], dt)
    return y, Q, C


@jit
def learn(
    which: Ints, theirs: Ints, states: Floats, P: Floats, A: Floats,
    position: Floats, axes: Floats, measured: Floats, variance: Floats, column: Ints, lever: Floats,
    offset: Floats, offset_P: Floats, scale: Floats, ratios2: Floats, log_weights: Floats, information: Floats,
    vector: Floats,
) -> None:  # fmt: skip
    """Add what plots say of their sensor: in place to log_weights (4, grid), information (k, k) and vector (k,).

    which (s,): rows of theirs (n,), the plots, and of states (n, 9), P and A, their tracks as from `flown`, which take
    the plots in place. position to offset_P as in `gating.take_plots`. scale (4,): the square of the ratio of sigmas
    that variance was made with, of range, azimuth, elevation, range rate; ratios2: those of the grid, rising.
    """
    offsets = len(offset)
    H, PH, B, room, MP = np.zeros(6), np.empty(7), np.zeros(offsets), np.empty((6, 6)), np.empty((6, 6))
    products = np.ones((4, len(ratios2)))  # of variances, of which the logarithm is taken now and then
    for p in which:
        j, y, Q, C = theirs[p], states[p], P[p], A[p]
        for q in range(4):
            if math.isnan(variance[j, q]) or (q >= 2 and math.isnan(measured[j, q - 2])):
                continue
            residual, rho = residual_and_row(q, y, position[j], axes[j], measured[j], H)
            if math.isnan(residual):
                break
            rate = measured[j, 1] - residual
            named = offsets > 0 and column[j, q] >= 0
            if named:
                residual -= lever[j, q] * offset[column[j, q]]
            S = 0.0
            if q >= 2:
                wide = Q
                if offsets > 0:
                    wide = room
                    whole_covariance(Q, C, offset_P, wide)
                bias, S = second_order(q, wide, H, rho, rate, MP)
                residual -= bias
            for k in range(7):
                total = 0.0
                for m in range(6):
                    total += Q[k, m] * H[m]
                PH[k] = total
            for m in range(6):
                S += H[m] * PH[m]
            whole = S
            for b in range(offsets):
                total = 0.0
                for m in range(6):
                    total += H[m] * C[m, b]
                B[b] = total
            if named:
                B[column[j, q]] += lever[j, q]
            for b in range(offsets):
                for c in range(offsets):
                    whole += B[b] * offset_P[b, c] * B[c]
            S += variance[j, q]
            kind = KINDS[q]
            stated = variance[j, q] / scale[kind]
            if whole < 4.0 * variance[j, q]:  # else it says more of the track than of the sensor
                for g in range(len(ratios2)):
                    v = whole + stated * ratios2[g]
                    products[kind, g] *= v
                    log_weights[kind, g] -= 0.5 * residual * residual / v
                if products[kind, 0] < LEAST_PRODUCT or products[kind, -1] > 1.0 / LEAST_PRODUCT:
                    log_weights[kind] -= 0.5 * np.log(products[kind])
                    products[kind] = 1.0
            for b in range(offsets):
                vector[b] += B[b] * residual / S
                for c in range(offsets):
                    information[b, c] += B[b] * B[c] / S
            for k in range(7):
                gain = PH[k] / S
                y[k] += gain * residual
                for m in range(7):
                    Q[k, m] -= gain * PH[m]
                for b in range(offsets):
                    C[k, b] -= gain * B[b]
    log_weights -= 0.5 * np.log(products)


@jit
def off_sights(
    which: Ints, theirs: Ints, states: Floats, P: Floats, A: Floats,
    position: Floats, axes: Floats, measured: Floats, variance: Floats, column: Ints, lever: Floats,
    offset: Floats, offset_P: Floats,
) -> Floats:  # fmt: skip
    """By how many sigmas plots lie to the right of and above (s, 2) where tracks in free flight said.

    which (s,) to offset_P as in `learn`. 0 where an angle is not measured.
    """
    out = np.zeros((len(which), 2))
    H, offsets = np.zeros(6), len(offset)
    B = np.zeros(offsets)
    for k in range(len(which)):
        p = which[k]
        j, y, Q, C = theirs[p], states[p], P[p], A[p]
        for q in range(2):
            if math.isnan(variance[j, q]):
                continue
            residual, _ = residual_and_row(q, y, position[j], axes[j], measured[j], H)
            if math.isnan(residual):
                continue
            S = variance[j, q]
            for i in range(3):
                for m in range(3):
                    S += H[i] * Q[i, m] * H[m]
            for b in range(offsets):
                B[b] = 0.0
                for m in range(6):
                    B[b] += H[m] * C[m, b]
            if offsets > 0 and column[j, q] >= 0:
                residual -= lever[j, q] * offset[column[j, q]]
                B[column[j, q]] += lever[j, q]
            for b in range(offsets):
                for c in range(offsets):
                    S += B[b] * offset_P[b, c] * B[c]
            out[k, q] = residual / math.sqrt(S)
    return out


def learned(mean: Floats, P: Floats, information: Floats, vector: Floats) -> tuple[Floats, Floats, Floats]:
    """Offsets (k,) and their covariance (k, k) with more information on them, and how much they moved (k,)."""
    total = np.linalg.inv(P) + information
    after = np.linalg.inv(total)
    after = 0.5 * (after + after.T)
    moved = after @ vector
    return mean + moved, after, moved
