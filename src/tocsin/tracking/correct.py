"""One mode of a track: its covariance carried on, and its correction by one plot.

Sensors may have constant unknown offsets b, common to all tracks. Given b, tracks are independent; so a state is
kept as x | b ~ N(x + A (b - mean of b), P), with one matrix A (9, number of offsets) a mode (Friedland 1969, IEEE TAC
14, 359-367, who splits the filter of a state with a constant offset in this way). What a plot tells of b is learned
apart (`learning`).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from tocsin.kernel import jit
from tocsin.sensors.models import LOG_TWO_PI, residual_and_row, second_order
from tocsin.sensors.plots import Floats, Ints
from tocsin.tracking.modes import MODES, SIZE, WORK


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
def correct_late(
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
