"""Flights in steps: to a time, and to the ground, with the state-transition matrix.

Classical Runge-Kutta of fourth order with steps that follow the drag: in vacuum up to 30 s
(error of a few millimetres a step), in air a fraction of the time in which speed or density change.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tocsin.earth.ellipsoid import up_and_height
from tocsin.earth.motion import BALLISTIC, acceleration
from tocsin.kernel import jit
from tocsin.units import STANDARD_GRAVITY_M_S2

Floats = NDArray[np.float64]

LONGEST_STEP_S = 30.0
SHORTEST_STEP_S = 0.02
STEP_SHARE = 0.25  # of the time in which speed or density change e-fold
# Of v / drag: twice its inverse is how fast a fall settles at its terminal speed; the method is stable
# for steps up to 2.78 of that time, 1.39 of this one (Hairer and Wanner 1996, section IV.2).
SETTLING_SHARE = 0.7
AIR_TOP_M = 130e3  # above it drag changes too slowly to shorten a step
SCALE_HEIGHT_M = 6e3
FREE_FALL_S = math.sqrt(2.0 * SCALE_HEIGHT_M / STANDARD_GRAVITY_M_S2)  # through that height, from rest

THRUST_STEP_S = 8.0

LANDED, STILL_UP = 0, 1


@jit
def _stage(kind: int, x: Floats, transition: Floats, wind: Floats, partials: Floats, slope: Floats) -> float:
    """Time derivative of the state (row 0 of ``slope``) and of the transition matrix (rows 1 to 6)."""
    ax, ay, az, drag = acceleration(kind, x, wind, partials)
    slope[0, 0], slope[0, 1], slope[0, 2] = x[3], x[4], x[5]
    slope[0, 3], slope[0, 4], slope[0, 5] = ax, ay, az
    for c in range(9):
        for i in range(3):
            slope[1 + i, c] = transition[3 + i, c]
            total = 0.0
            for m in range(6):
                total += partials[i, m] * transition[m, c]
            slope[4 + i, c] = total
    for c in range(6, 9):  # the rest of the state is constant: its rows of the matrix are the identity
        for i in range(3):
            slope[4 + i, c] += partials[i, c]
    return drag


@jit
def _step(kind: int, x: Floats, transition: Floats, h: float, wind: Floats, work: Floats) -> None:
    """One step of h seconds, in place. transition (6, 9), work (7, 7, 9)."""
    partials = work[6, 0:3]
    s1, s2, s3, s4, y = work[0], work[1], work[2], work[3], work[4]
    y[0, 6:9] = x[6:9]
    _stage(kind, x, transition, wind, partials, s1)
    for share, before, after in ((0.5, s1, s2), (0.5, s2, s3), (1.0, s3, s4)):
        for c in range(6):
            y[0, c] = x[c] + share * h * before[0, c]
        for i in range(6):
            for c in range(9):
                y[1 + i, c] = transition[i, c] + share * h * before[1 + i, c]
        _stage(kind, y[0], y[1:7], wind, partials, after)
    for c in range(6):
        x[c] += h / 6.0 * (s1[0, c] + 2.0 * (s2[0, c] + s3[0, c]) + s4[0, c])
    for i in range(1, 7):
        for c in range(9):
            transition[i - 1, c] += h / 6.0 * (s1[i, c] + 2.0 * (s2[i, c] + s3[i, c]) + s4[i, c])


@jit
def _next_step(kind: int, x: Floats, wind: Floats, partials: Floats) -> tuple[float, float]:
    """Length of the next step (s), short enough for where the object is, and the height now (m)."""
    sin_lat, cos_lat, sin_lon, cos_lon, height = up_and_height(x[0], x[1], x[2])
    if kind != BALLISTIC:  # thrust: no drag to follow
        return THRUST_STEP_S, height
    climb = cos_lat * (cos_lon * x[3] + sin_lon * x[4]) + sin_lat * x[5]
    fall = abs(climb) + 1.0
    if height > AIR_TOP_M:
        # no step reaches deep into the air from above it
        return min(max((height - AIR_TOP_M) / fall, 2.0 * SCALE_HEIGHT_M / fall), LONGEST_STEP_S), height
    ax, ay, az, drag = acceleration(kind, x, wind, partials)
    speed = math.sqrt(x[3] * x[3] + x[4] * x[4] + x[5] * x[5])
    change = math.sqrt(ax * ax + ay * ay + az * az) if drag > 1.0 else drag
    # near the top of a flight it is gravity that makes the density change
    h = STEP_SHARE * min(SCALE_HEIGHT_M / fall, FREE_FALL_S, speed / (change + 1e-9))
    # slower than its terminal speed, an object may reach that speed within the step
    h = min(h, SETTLING_SHARE * speed / math.sqrt(drag * max(drag, STANDARD_GRAVITY_M_S2) + 1e-18))
    return min(max(h, SHORTEST_STEP_S), LONGEST_STEP_S), height


@jit
def identity_transition() -> Floats:
    """The transition matrix (6, 9) of no time."""
    transition = np.zeros((6, 9))
    for i in range(6):
        transition[i, i] = 1.0
    return transition


@jit
def propagate(kind: int, x: Floats, duration_s: float, wind: Floats) -> tuple[Floats, Floats]:
    """State (9,) after a time, forward or back, and the transition matrix (6, 9) to it.

    kind and x as in `motion.acceleration` (unused components 0); wind east, north at 11 km.
    """
    y = x.copy()
    transition = identity_transition()
    work = np.empty((7, 7, 9))
    left = abs(duration_s)
    sign = 1.0 if duration_s >= 0.0 else -1.0
    while left > 0.0:
        h, _ = _next_step(kind, y, wind, work[6, 0:3])
        if h >= left:
            h, left = left, 0.0
        else:
            left -= h
        _step(kind, y, transition, sign * h, wind, work)
    return y, transition


@jit
def to_ground(
    x: Floats, wind: Floats, longest_s: float, ground_m: float
) -> tuple[int, float, Floats, Floats, float]:
    """Free flight to the ground.

    x (9,) as in `motion.acceleration`, kind BALLISTIC; ground_m: height of the ground over the
    ellipsoid. Returns LANDED or STILL_UP (after longest_s), the time of flight (s), the state
    there, the transition matrix (6, 9) to that time, and the lowest height met (m).
    """
    y = x.copy()
    transition = identity_transition()
    work = np.empty((7, 7, 9))
    t = 0.0
    lowest = 1e12
    while t < longest_s:
        h, height = _next_step(BALLISTIC, y, wind, work[6, 0:3])
        lowest = min(lowest, height)
        if height <= ground_m:
            return LANDED, t, y, transition, height
        before, before_transition = y.copy(), transition.copy()
        _step(BALLISTIC, y, transition, h, wind, work)
        if up_and_height(y[0], y[1], y[2])[4] <= ground_m:
            # crossing time within the step by the rule of false position (Illinois variant)
            low, f_low = 0.0, height - ground_m
            high, f_high = h, up_and_height(y[0], y[1], y[2])[4] - ground_m
            at = h
            for _ in range(50):
                at = (low * f_high - high * f_low) / (f_high - f_low)
                y, transition = before.copy(), before_transition.copy()
                _step(BALLISTIC, y, transition, at, wind, work)
                f = up_and_height(y[0], y[1], y[2])[4] - ground_m
                if abs(f) < 1e-4 or high - low < 1e-9:
                    break
                if f > 0.0:
                    low, f_low = at, f
                    f_high *= 0.5
                else:
                    high, f_high = at, f
                    f_low *= 0.5
            return LANDED, t + at, y, transition, ground_m
        t += h
    return STILL_UP, t, y, transition, lowest
