"""Where drag sets in: a ballistic coefficient of which little is known, in narrow parts.

Until drag is felt a body may be anything from a flake to a body of steel. Where it may be felt, a normal ln beta is
taken as a sum of narrow ones, each flown and corrected by itself (Alspach and Sorenson 1972, IEEE TAC 17, 439-448).
"""

from __future__ import annotations

import math

import numpy as np

from tocsin.earth.forces import STANDARD
from tocsin.earth.motion import BALLISTIC
from tocsin.kernel import jit
from tocsin.sensors.plots import Floats, Ints
from tocsin.tracking.correct import Room, correct_in, move_covariance
from tocsin.tracking.modes import (
    LEAST_LN_BETA,
    MOST_LN_BETA,
    SIZE,
    USED,
    add_noise,
    detection,
    drag_m_s2,
    move_into,
)

# Drag goes with exp(-ln beta): where a body may be so light that drag is felt, and ln beta is known no better than
# this, a normal ln beta is taken as SPLIT narrow ones of SPLIT_WIDTH of its sigma, SPLIT_STEP sigmas apart, so that
# their mean and variance are its own.
SPLIT = 9
SPLIT_WIDTH = 0.5
SPLIT_STEP = math.sqrt(1.0 - SPLIT_WIDTH**2)
SPLIT_LN_BETA_SIGMA = 0.5
SPLIT_SIGMAS = 3.0
SPLIT_DRAG_M_S2 = 0.5


@jit
def may_drag(x: Floats, variance: float) -> bool:
    """Whether a body may be so light that drag is felt at a state (9,), ln beta being known to a variance."""
    if variance < SPLIT_LN_BETA_SIGMA**2:
        return False
    return bool(drag_m_s2(x) * math.exp(SPLIT_SIGMAS * math.sqrt(variance)) > SPLIT_DRAG_M_S2)


@jit
def fly_parts(
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
def join_parts(
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
def by_beta(
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
    fly_parts(x, P, A, dt, parts_x, parts_P, parts_A, room)
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
    total = join_parts(logs, parts_x, parts_P, parts_A, x, P, A)
    x[6] = min(max(x[6], LEAST_LN_BETA), MOST_LN_BETA)
    return total - math.log(prior), nis[np.argmax(logs)], numbers
