"""The modes of a track together: how they mix, take plots, and are seen as one.

Method: interacting multiple model filter (Blom and Bar-Shalom 1988, IEEE TAC 33, 780-783), with
modes of unequal states: a component that a mode lacks enters the mixing with its prior mean and
covariance (Granstrom, Willett and Bar-Shalom 2015, "Systematic approach to IMM mixing for unequal
dimension states"). States are those of `modes`.

Sensors may have constant unknown offsets b, common to all tracks. Given b, tracks are independent; so a state is
kept as x | b ~ N(x + A (b - mean of b), P), with one matrix A (9, number of offsets) a mode (Friedland 1969, IEEE TAC
14, 359-367, who splits the filter of a state with a constant offset in this way). What a plot tells of b is learned
apart (`learning`).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from tocsin.earth.forces import STANDARD
from tocsin.earth.motion import BALLISTIC, THRUST
from tocsin.kernel import jit, jit_inline
from tocsin.sensors.models import LOG_TWO_PI, residual_and_row, second_order
from tocsin.sensors.plots import Floats, Ints
from tocsin.tracking.modes import (
    LEAST_LN_BETA,
    LN_BETA_MEAN,
    LN_BETA_SIGMA,
    MODES,
    MOST_LN_BETA,
    SIZE,
    THRUST_SIGMA_M_S2,
    USED,
    WORK,
    add_noise,
    comes_down,
    detection,
    drag_m_s2,
    move_into,
    too_fast_or_high,
)

# Rates of change between modes (1/s): row from, column to. What was once too fast or too high for an
# aircraft is none, ever after.
RATES_1_S = np.array([[0.0, 3e-4, 1e-2], [2e-2, 0.0, 1e-2], [1e-5, 1e-5, 0.0]])
RATES_FALLEN_1_S = np.array([[0.0, 3e-4, 0.0], [2e-2, 0.0, 0.0], [1.0, 0.0, 0.0]])

LEAST_MU = 1e-8  # below which a mode is forgotten

# Drag goes with exp(-ln beta): where a body may be so light that drag is felt, and ln beta is known no better than
# this, a normal ln beta is taken as SPLIT narrow ones of SPLIT_WIDTH of its sigma, SPLIT_STEP sigmas apart, so that
# their mean and variance are its own.
SPLIT = 9
SPLIT_WIDTH = 0.5
SPLIT_STEP = math.sqrt(1.0 - SPLIT_WIDTH**2)
SPLIT_LN_BETA_SIGMA = 0.5
SPLIT_SIGMAS = 3.0
SPLIT_DRAG_M_S2 = 0.5


class Room(NamedTuple):
    """Arrays to work in: so none has to be made for a plot."""

    change: Floats  # (3, 3)
    before: Floats  # (3,)
    logs: Floats  # (3,)
    nis: Floats  # (3,)
    y: Floats  # (9,)
    F: Floats  # (9, 9)
    square: Floats  # (9, 9)
    flight: Floats  # (WORK,)
    H: Floats  # (6,)
    PH: Floats  # (9,)
    wide: Floats  # (6, 6)
    MP: Floats  # (6, 6)
    B: Floats  # (k,)


@jit
def room_for(offsets: int) -> Room:
    """Room for plots of sensors with so many unknown offsets."""
    return Room(
        np.empty((MODES, MODES)), np.empty(MODES), np.empty(MODES), np.empty(MODES), np.empty(SIZE),
        np.empty((SIZE, SIZE)), np.empty((SIZE, SIZE)), np.empty(WORK), np.empty(6), np.empty(SIZE), np.empty((6, 6)),
        np.empty((6, 6)), np.empty(offsets),
    )  # fmt: skip


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


@jit
def move_covariance(n: int, F: Floats, Q: Floats, B: Floats, work: Floats) -> None:
    """Q <- F Q F', B <- F B, in place, by a transition matrix of `modes.move_into`.

    What a mode has beside position and velocity stays as it is. n: components of the mode; work (9, 9) is overwritten.
    """
    for k in range(6):
        for m in range(n):
            total = (
                F[k, 0] * Q[0, m] + F[k, 1] * Q[1, m] + F[k, 2] * Q[2, m]
                + F[k, 3] * Q[3, m] + F[k, 4] * Q[4, m] + F[k, 5] * Q[5, m]
            )  # fmt: skip
            for c in range(6, n):
                total += F[k, c] * Q[c, m]
            work[k, m] = total
    for k in range(6):
        for m in range(k + 1):
            total = (
                work[k, 0] * F[m, 0] + work[k, 1] * F[m, 1] + work[k, 2] * F[m, 2]
                + work[k, 3] * F[m, 3] + work[k, 4] * F[m, 4] + work[k, 5] * F[m, 5]
            )  # fmt: skip
            for c in range(6, n):
                total += work[k, c] * F[m, c]
            Q[k, m] = total
            Q[m, k] = total
        for m in range(6, n):
            Q[k, m] = work[k, m]
            Q[m, k] = work[k, m]
    for b in range(B.shape[1]):
        for k in range(6):
            total = 0.0
            for c in range(n):
                total += F[k, c] * B[c, b]
            work[k, 0] = total
        for k in range(6):
            B[k, b] = work[k, 0]


@jit
def whole_covariance(P: Floats, A: Floats, offset_P: Floats, out: Floats) -> None:
    """Fill out (6, 6) with the covariance of position and velocity, with what is not known of the offsets."""
    offsets = A.shape[1]
    for k in range(6):
        for m in range(k + 1):
            total = P[k, m]
            for b in range(offsets):
                for c in range(offsets):
                    total += A[k, b] * offset_P[b, c] * A[m, c]
            out[k, m] = total
            out[m, k] = total


@jit
def correct(
    x: Floats, P: Floats, A: Floats, n: int,
    position: Floats, axes: Floats, measured: Floats, variance: Floats, column: Ints, lever: Floats,
    offset: Floats, offset_P: Floats,
) -> tuple[float, float, int]:  # fmt: skip
    """As `correct_in`, which does not make its own room."""
    return correct_in(
        x, P, A, n, position, axes, measured, variance, column, lever, offset, offset_P, room_for(len(offset))
    )


@jit
def correct_in(
    x: Floats, P: Floats, A: Floats, n: int,
    position: Floats, axes: Floats, measured: Floats, variance: Floats, column: Ints, lever: Floats,
    offset: Floats, offset_P: Floats, room: Room,
) -> tuple[float, float, int]:  # fmt: skip
    """Correct one mode by one plot, in place: x (9,), P (9, 9), A (9, k) of which the first n rows are in use.

    position to lever as rows of `sensors.models.Looks`; offset (k,), offset_P (k, k): the sensors' offsets. Returns
    the log-likelihood of the plot (per rad2 of the sight plane, per m, per m/s), the sum of squared normalised
    innovations, and how many numbers were measured. An object behind the sensor has likelihood 0 (-inf).
    """
    H, PH, B = room.H, room.PH, room.B
    offsets = A.shape[1]
    product, squares, count = 1.0, 0.0, 0
    for q in range(4):
        if math.isnan(variance[q]) or (q >= 2 and math.isnan(measured[q - 2])):
            continue
        residual, rho = residual_and_row(q, x, position, axes, measured, H)
        if math.isnan(residual):
            return -np.inf, np.inf, count
        noise = variance[q]
        rate = measured[1] - residual
        if offsets > 0 and column[q] >= 0:
            residual -= lever[q] * offset[column[q]]
        if q >= 2:
            wide = P
            if offsets > 0:
                wide = room.wide
                whole_covariance(P, A, offset_P, wide)
            bias, spread = second_order(q, wide, H, rho, rate, room.MP)
            residual -= bias
            noise += spread
        S = noise
        for k in range(n):
            PH[k] = P[k, 0] * H[0] + P[k, 1] * H[1] + P[k, 2] * H[2]
            if q == 3:
                PH[k] += P[k, 3] * H[3] + P[k, 4] * H[4] + P[k, 5] * H[5]
        for m in range(6):
            S += H[m] * PH[m]
        whole = S  # with what is not known of the offsets
        if offsets > 0:
            for b in range(offsets):
                total = 0.0
                for m in range(6):
                    total += H[m] * A[m, b]
                B[b] = total
            if column[q] >= 0:
                B[column[q]] += lever[q]
            for b in range(offsets):
                if B[b] != 0.0:
                    for c in range(offsets):
                        whole += B[b] * offset_P[b, c] * B[c]
        inverse = 1.0 / S
        for k in range(n):
            gain = PH[k] * inverse
            x[k] += gain * residual
            for m in range(k + 1):
                value = P[k, m] - gain * PH[m]
                P[k, m] = value
                P[m, k] = value
            for b in range(offsets):
                A[k, b] -= gain * B[b]
        product *= whole
        squares += residual * residual / whole
        count += 1
    return -0.5 * (count * LOG_TWO_PI + math.log(product) + squares), squares, count


@jit
def _late(
    n: int, x: Floats, P: Floats, A: Floats, F: Floats,
    then_x: Floats, then_P: Floats, then_A: Floats, y: Floats, Q: Floats, B: Floats,
) -> None:  # fmt: skip
    """Bring the correction of a past state (then -> y, Q, B) to the state x, P, A of now: out in y, Q, B.

    The covariance between the two times carries it (Bar-Shalom, Li and Kirubarajan 2001, section 8.3): exact where
    there is no process noise between.
    """
    C = np.ascontiguousarray((P @ F.T)[:n, :n])
    then = np.ascontiguousarray(then_P[:n, :n])
    scale = 1.0 / np.sqrt(np.diag(then))
    G = np.linalg.solve(then * np.outer(scale, scale), (C * scale).T).T * scale
    shift = np.ascontiguousarray(y[:n] - then_x[:n])
    change = G @ (np.ascontiguousarray(Q[:n, :n]) - then) @ G.T
    move = G @ np.ascontiguousarray(B[:n] - then_A[:n])
    y[:n] = x[:n] + G @ shift
    Q[:n, :n] = P[:n, :n] + 0.5 * (change + change.T)
    B[:n] = A[:n] + move


@jit
def _may_drag(x: Floats, variance: float) -> bool:
    """Whether a body may be so light that drag is felt at a state (9,), ln beta being known to a variance."""
    if variance < SPLIT_LN_BETA_SIGMA**2:
        return False
    return bool(drag_m_s2(x) * math.exp(SPLIT_SIGMAS * math.sqrt(variance)) > SPLIT_DRAG_M_S2)


@jit
def _fly_parts(
    x: Floats, P: Floats, A: Floats, dt: float, parts_x: Floats, parts_P: Floats, parts_A: Floats, room: Room
) -> None:
    """Free flight for dt seconds of a ln beta of which little is known: fill x, P, A of its narrow parts."""
    n = USED[BALLISTIC]
    sigma = math.sqrt(P[6, 6])
    y = room.y
    for k in range(SPLIT):
        place = k - SPLIT // 2
        for i in range(SIZE):
            parts_x[k, i] = x[i] + (P[i, 6] / sigma * SPLIT_STEP * place if i < n else 0.0)
            for m in range(SIZE):
                parts_P[k, i, m] = P[i, m] - SPLIT_STEP**2 * P[i, 6] * P[6, m] / P[6, 6]
        parts_A[k] = A
        parts_x[k, 6] = min(max(parts_x[k, 6], LEAST_LN_BETA), MOST_LN_BETA)
        move_into(BALLISTIC, parts_x[k], dt, STANDARD, y, room.F, room.flight)
        parts_x[k] = y
        move_covariance(n, room.F, parts_P[k], parts_A[k], room.square)
        add_noise(BALLISTIC, y, parts_P[k], dt)


@jit
def _join_parts(
    logs: Floats, parts_x: Floats, parts_P: Floats, parts_A: Floats, x: Floats, P: Floats, A: Floats
) -> float:
    """Mean and covariance of parts with odds of given ln (k,), in x, P, A; returns ln of the sum of the odds."""
    n, offsets = USED[BALLISTIC], A.shape[1]
    top = logs.max()
    total = np.exp(logs - top).sum()
    x[:] = 0.0
    A[:, :] = 0.0
    P[:, :] = 0.0
    for k in range(SPLIT):
        w = math.exp(logs[k] - top) / total
        for i in range(n):
            x[i] += w * parts_x[k, i]
            for b in range(offsets):
                A[i, b] += w * parts_A[k, i, b]
    for k in range(SPLIT):
        w = math.exp(logs[k] - top) / total
        for i in range(n):
            for m in range(n):
                P[i, m] += w * (parts_P[k, i, m] + (parts_x[k, i] - x[i]) * (parts_x[k, m] - x[m]))
    return float(top + math.log(total))


@jit
def _by_beta(
    x: Floats, P: Floats, A: Floats, dt: float,
    position: Floats, axes: Floats, measured: Floats, variance: Floats, column: Ints, lever: Floats,
    offset: Floats, offset_P: Floats, stated_detection: float, heat: bool, room: Room,
) -> tuple[float, float, int]:  # fmt: skip
    """Free flight for dt seconds and a plot, for a ln beta of which little is known: x, P, A of the mode, in place.

    A sum of normal parts, of which mean and covariance are kept (Alspach and Sorenson 1972, IEEE TAC 17, 439-448).
    Returns ln of detection probability times likelihood, the squared normalised innovations of the likeliest part, and
    how many numbers were measured.
    """
    parts_x, parts_P = np.empty((SPLIT, SIZE)), np.empty((SPLIT, SIZE, SIZE))
    parts_A = np.empty((SPLIT, SIZE, A.shape[1]))
    _fly_parts(x, P, A, dt, parts_x, parts_P, parts_A, room)
    logs, nis = np.full(SPLIT, -np.inf), np.full(SPLIT, np.inf)
    numbers, prior = 0, 0.0
    for k in range(SPLIT):
        seen, _ = detection(BALLISTIC, parts_x[k], stated_detection, heat)
        likelihood, squares, count = correct_in(
            parts_x[k], parts_P[k], parts_A[k], USED[BALLISTIC], position, axes, measured, variance, column, lever,
            offset, offset_P, room,
        )  # fmt: skip
        weight = -0.5 * (k - SPLIT // 2) ** 2
        prior += math.exp(weight)
        if likelihood > -np.inf and count > 0:
            numbers = count
            logs[k] = likelihood + math.log(seen) + weight
            nis[k] = squares
    if numbers == 0:
        return -np.inf, np.inf, 0
    total = _join_parts(logs, parts_x, parts_P, parts_A, x, P, A)
    x[6] = min(max(x[6], LEAST_LN_BETA), MOST_LN_BETA)
    return total - math.log(prior), nis[np.argmax(logs)], numbers


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
        if j == BALLISTIC and dt > 0.0 and _may_drag(y, out_P[j, 6, 6]):
            likelihood, squares, count = _by_beta(
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
                _late(n, old_x, old_P, old_A, F, then_x, then_P, then_A, out_x[j], out_P[j], out_A[j])
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
        if j == BALLISTIC and _may_drag(y, out_P[j, 6, 6]):
            _fly_parts(out_x[j], out_P[j], out_A[j], dt, parts_x, parts_P, parts_A, room)
            _join_parts(parts, parts_x, parts_P, parts_A, out_x[j], out_P[j], out_A[j])
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
