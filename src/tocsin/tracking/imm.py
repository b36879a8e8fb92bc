"""The modes of a track together: how they mix, take plots, and are seen as one.

Method: interacting multiple model filter (Blom and Bar-Shalom 1988, IEEE TAC 33, 780-783), with
modes of unequal states: a component that a mode lacks enters the mixing with its prior mean and
covariance (Granstrom, Willett and Bar-Shalom 2015, "Systematic approach to IMM mixing for unequal
dimension states"). States are those of `modes`.

A mode alone is carried on and corrected by `correct`; where drag sets in, by `by_beta`.
"""

from __future__ import annotations

import math

import numpy as np

from tocsin.earth.forces import STANDARD
from tocsin.earth.motion import BALLISTIC, THRUST
from tocsin.kernel import jit, jit_inline
from tocsin.sensors.plots import Floats, Ints
from tocsin.tracking.by_beta import SPLIT, by_beta, fly_parts, join_parts, may_drag
from tocsin.tracking.correct import Room, correct_in, correct_late, move_covariance, room_for
from tocsin.tracking.modes import (
    LEAST_LN_BETA,
    LN_BETA_MEAN,
    LN_BETA_SIGMA,
    MODES,
    MOST_LN_BETA,
    SIZE,
    THRUST_SIGMA_M_S2,
    USED,
    add_noise,
    comes_down,
    detection,
    move_into,
    too_fast_or_high,
)

# Rates of change between modes (1/s): row from, column to. What was once too fast or too high for an
# aircraft is none, ever after.
RATES_1_S = np.array([[0.0, 3e-4, 1e-2], [2e-2, 0.0, 1e-2], [1e-5, 1e-5, 0.0]])
RATES_FALLEN_1_S = np.array([[0.0, 3e-4, 0.0], [2e-2, 0.0, 0.0], [1.0, 0.0, 0.0]])

LEAST_MU = 1e-8  # below which a mode is forgotten


@jit
def _prior(mode: int, extra: int) -> tuple[float, float]:
    """Mean and variance of component 6 + extra of a mode, for a track that comes from another mode."""
    if mode == BALLISTIC:
        return LN_BETA_MEAN, LN_BETA_SIGMA**2
    return 0.0, THRUST_SIGMA_M_S2**2


@jit
def changes(x: Floats, mu: Floats, dt: float, fallen: bool, change: Floats) -> None:
    """Fill change (3, 3) with the probabilities to pass from mode to mode in a time dt >= 0.

    fallen: the object was once too fast or too high for an aircraft.
    """
    best = x[np.argmax(mu)]
    no_aircraft = fallen or too_fast_or_high(best)
    falling = comes_down(best)
    # one jump at most in a time: left with 1 - exp(-sum of rates * dt), to each in the share of its rate
    for i in range(MODES):
        away = 0.0
        for j in range(MODES):
            change[i, j] = 0.0
            if not (falling and j == THRUST):
                change[i, j] = RATES_FALLEN_1_S[i, j] if no_aircraft else RATES_1_S[i, j]
                away += change[i, j]
        if away > 0.0:
            left = 1.0 - math.exp(-away * dt)
            for j in range(MODES):
                change[i, j] *= left / away
            change[i, i] = 1.0 - left
        else:
            change[i, i] = 1.0


@jit
def _mix_into(
    j: int, x: Floats, P: Floats, A: Floats, mu: Floats, change: Floats, before: float, y: Floats, Q: Floats, B: Floats
) -> None:  # fmt: skip
    """Mode j after mixing: y (9,), Q (9, 9), B (9, offsets), given its probability ``before`` after mixing."""
    n, offsets = USED[j], A.shape[2]
    y[:] = 0.0
    Q[:, :] = 0.0
    B[:, :] = 0.0
    if before < 1e-12 or change[j, j] * mu[j] > (1.0 - 1e-9) * before:  # nothing comes in
        y[:n] = x[j, :n]
        Q[:n, :n] = P[j, :n, :n]
        B[:, :] = A[j]
        return
    for i in range(MODES):
        w = change[i, j] * mu[i] / before
        if w == 0.0:
            continue
        for k in range(n):
            y[k] += w * (x[i, k] if i == j or k < 6 else _prior(j, k - 6)[0])
            for b in range(offsets):
                if i == j or k < 6:
                    B[k, b] += w * A[i, k, b]
    for i in range(MODES):
        w = change[i, j] * mu[i] / before
        if w == 0.0:
            continue
        for k in range(6):
            d = x[i, k] - y[k]
            for m in range(k + 1):
                Q[k, m] += w * (d * (x[i, m] - y[m]) + P[i, k, m])
        for k in range(6, n):
            mean, variance = _prior(j, k - 6)
            d = (x[i, k] if i == j else mean) - y[k]
            for m in range(k + 1):
                p = d * ((x[i, m] if i == j or m < 6 else _prior(j, m - 6)[0]) - y[m])
                if i == j:
                    p += P[i, k, m]
                elif k == m:
                    p += variance
                Q[k, m] += w * p
    for k in range(n):
        for m in range(k):
            Q[m, k] = Q[k, m]


@jit_inline
def take_plot(
    x: Floats, P: Floats, A: Floats, mu: Floats, dt: float, fallen: bool,
    position: Floats, axes: Floats, measured: Floats, variance: Floats, column: Ints, lever: Floats,
    offset: Floats, offset_P: Floats, stated_detection: float, heat: bool,
    out_x: Floats, out_P: Floats, out_A: Floats, out_mu: Floats, room: Room,
) -> tuple[float, float]:  # fmt: skip
    """All modes corrected by one plot taken dt seconds after the state's time (or before it).

    x (3, 9), P (3, 9, 9), A (3, 9, k), mu (3,) stay as they are; the corrected modes go to out_x to out_mu. Returns ln
    of the detection probability times likelihood (in the units of `correct`), -inf where the plot is impossible, and
    the squared normalised innovation of the likeliest mode per number measured.

    With dt < 0 the state stays at its own time.
    """
    change, before, logs, nis, y, F = room.change, room.before, room.logs, room.nis, room.y, room.F
    if dt > 0.0:
        changes(x, mu, dt, fallen, change)
        for j in range(MODES):
            before[j] = 0.0
            for i in range(MODES):
                before[j] += change[i, j] * mu[i]
    else:
        for j in range(MODES):
            for i in range(MODES):
                change[i, j] = 1.0 if i == j else 0.0
            before[j] = mu[j]
    logs[:], nis[:] = -np.inf, np.inf
    numbers = 0
    for j in range(MODES):
        if before[j] < 1e-9:
            out_mu[j] = 0.0
            out_x[j], out_P[j], out_A[j] = x[j], P[j], A[j]
            continue
        n = USED[j]
        _mix_into(j, x, P, A, mu, change, before[j], out_x[j], out_P[j], out_A[j])
        move_into(j, out_x[j], dt, STANDARD, y, F, room.flight)
        if j == BALLISTIC and dt > 0.0 and may_drag(y, out_P[j, 6, 6]):
            likelihood, squares, count = by_beta(
                out_x[j], out_P[j], out_A[j], dt, position, axes, measured, variance, column, lever,
                offset, offset_P, stated_detection, heat, room,
            )  # fmt: skip
            if count > 0:
                numbers = count
                logs[j] = likelihood + math.log(before[j])
                nis[j] = squares / count
            continue
        if dt < 0.0:
            old_x, old_P, old_A = out_x[j].copy(), out_P[j].copy(), out_A[j].copy()
        out_x[j] = y
        move_covariance(n, F, out_P[j], out_A[j], room.square)
        add_noise(j, y, out_P[j], dt)
        if dt < 0.0:
            then_x, then_P, then_A = out_x[j].copy(), out_P[j].copy(), out_A[j].copy()
        seen, _ = detection(j, y, stated_detection, heat)
        likelihood, squares, count = correct_in(
            out_x[j], out_P[j], out_A[j], n, position, axes, measured, variance, column, lever, offset, offset_P, room
        )  # fmt: skip
        if likelihood > -np.inf and count > 0:
            numbers = count
            logs[j] = likelihood + math.log(seen * before[j])
            nis[j] = squares / count
            if dt < 0.0:
                correct_late(n, old_x, old_P, old_A, F, then_x, then_P, then_A, out_x[j], out_P[j], out_A[j])
            if j == BALLISTIC:
                out_x[j, 6] = min(max(out_x[j, 6], LEAST_LN_BETA), MOST_LN_BETA)
    top = logs.max()
    if top == -np.inf or numbers == 0:
        return -np.inf, np.inf
    best = np.argmax(logs)
    total = 0.0
    for j in range(MODES):
        out_mu[j] = math.exp(logs[j] - top)
        total += out_mu[j]
    left = 0.0
    for j in range(MODES):
        out_mu[j] /= total
        if out_mu[j] < LEAST_MU:
            out_mu[j] = 0.0
        left += out_mu[j]
    for j in range(MODES):
        out_mu[j] /= left
    return top + math.log(total), nis[best]


@jit
def forecast(
    x: Floats, P: Floats, A: Floats, mu: Floats, dt: float, fallen: bool
) -> tuple[Floats, Floats, Floats, Floats]:
    """All modes dt >= 0 seconds later, without a plot."""
    out_x, out_P, out_A, out_mu = x.copy(), P.copy(), A.copy(), np.zeros(MODES)
    room = room_for(A.shape[2])
    change, y, F = room.change, room.y, room.F
    changes(x, mu, dt, fallen, change)
    parts_x, parts_P = np.empty((SPLIT, SIZE)), np.empty((SPLIT, SIZE, SIZE))
    parts_A, parts = np.empty((SPLIT, SIZE, A.shape[2])), np.empty(SPLIT)
    for k in range(SPLIT):
        parts[k] = -0.5 * (k - SPLIT // 2) ** 2
    for j in range(MODES):
        before = 0.0
        for i in range(MODES):
            before += change[i, j] * mu[i]
        if before < LEAST_MU:
            continue
        out_mu[j] = before
        _mix_into(j, x, P, A, mu, change, before, out_x[j], out_P[j], out_A[j])
        move_into(j, out_x[j], dt, STANDARD, y, F, room.flight)
        if j == BALLISTIC and may_drag(y, out_P[j, 6, 6]):
            fly_parts(out_x[j], out_P[j], out_A[j], dt, parts_x, parts_P, parts_A, room)
            join_parts(parts, parts_x, parts_P, parts_A, out_x[j], out_P[j], out_A[j])
            continue
        out_x[j] = y
        move_covariance(USED[j], F, out_P[j], out_A[j], room.square)
        add_noise(j, y, out_P[j], dt)
    return out_x, out_P, out_A, out_mu / out_mu.sum()


@jit
def miss(x: Floats, mu: Floats, stated_detection: float, heat: bool, left: Floats) -> float:
    """Fill left (3,) with the mode probabilities after a scan without a plot; returns how probable one was."""
    seen, total = 0.0, 0.0
    for j in range(MODES):
        p = detection(j, x[j], stated_detection, heat)[1] if mu[j] > 0.0 else 0.0
        seen += mu[j] * p
        left[j] = mu[j] * (1.0 - p)
        total += left[j]
    for j in range(MODES):  # what no mode explains tells none apart
        left[j] = left[j] / total if total > 0.0 else mu[j]
    return seen


@jit
def combine(x: Floats, P: Floats, A: Floats, mu: Floats, offset_P: Floats) -> tuple[Floats, Floats]:
    """Mean (6,) and covariance (6, 6) of position and velocity over the modes and the sensors' offsets."""
    mean, covariance = np.empty(6), np.empty((6, 6))
    combine_into(x, P, A, mu, offset_P, mean, covariance)
    return mean, covariance


@jit
def combine_into(
    x: Floats, P: Floats, A: Floats, mu: Floats, offset_P: Floats, mean: Floats, covariance: Floats
) -> None:
    """Fill mean and covariance as `combine` does."""
    offsets = offset_P.shape[0]
    mean[:], covariance[:, :] = 0.0, 0.0
    for j in range(MODES):
        if mu[j] > 0.0:
            for k in range(6):
                mean[k] += mu[j] * x[j, k]
    for j in range(MODES):
        if mu[j] == 0.0:
            continue
        for k in range(6):
            d = x[j, k] - mean[k]
            for m in range(k + 1):
                total = P[j, k, m] + d * (x[j, m] - mean[m])
                for b in range(offsets):
                    for c in range(offsets):
                        total += A[j, k, b] * offset_P[b, c] * A[j, m, c]
                covariance[k, m] += mu[j] * total
    for k in range(6):
        for m in range(k):
            covariance[m, k] = covariance[k, m]
