"""One flight with its transition matrix: to a time, and to the ground. The kernels of tracker and forecast.

The state and the nine columns of its derivative by the start go through Verner's steps side by side
(`verner`), with the steps of `steps`; so the matrix costs one pass with more columns, not a flight a
column. `batch` flies many side by side.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tocsin.earth import status as codes
from tocsin.earth.ellipsoid import up_and_height_on
from tocsin.earth.forces import Forces
from tocsin.earth.motion import BALLISTIC, acceleration, layer_at
from tocsin.earth.steps import (
    CLOSE_M,
    FAR_BELOW_M,
    FAR_M,
    FELT_M2_S4,
    FIRST_FOLDS,
    LEAST_FACTOR,
    LONGEST_FIRST_S,
    MOST_FACTOR,
    MOST_FOLDS,
    MOST_STEPS,
    NEVER_S,
    ORBIT_RAD_S,
    SAFETY,
    SHORTEST_S,
    shallowness,
    slack_m,
    time_to_ceiling,
    time_to_floor,
    time_to_go,
)
from tocsin.earth.verner import STAGES, stepper
from tocsin.kernel import jit
from tocsin.units import STANDARD_GRAVITY_M_S2

Floats = NDArray[np.float64]

# position, velocity, and ln of the ballistic coefficient or the first component of an own acceleration
ROWS = 7
COLUMNS = 10  # the state, and its derivative by each of the nine components at the start
SIZE = ROWS * COLUMNS
NO_GROUND = -FAR_M

# The steps are the same for all columns, so that all rows are one long loop; only the errors go row by row.
stage_state, end_state, _ = stepper(1, SIZE)
_, _, step_error = stepper(ROWS, COLUMNS)


@jit
def _slope(
    kind: int, y: Floats, rest: Floats, layer: int, f: Forces, work: Floats, out: Floats
) -> tuple[float, float, float]:
    """Fill ``out`` with the slopes of ``y``. work (5, 9). Returns what `acceleration` does of drag, air and speed."""
    x, partials = work[4], work[:4]
    for c in range(ROWS):
        x[c] = y[c * COLUMNS]
    x[7], x[8] = rest[7], rest[8]
    ax, ay, az, loss, drag, slope, airspeed = acceleration(kind, x, layer, f, partials)
    out[0], out[COLUMNS], out[2 * COLUMNS] = x[3], x[4], x[5]
    out[3 * COLUMNS], out[4 * COLUMNS], out[5 * COLUMNS], out[6 * COLUMNS] = ax, ay, az, loss
    for i in range(3):
        for c in range(1, COLUMNS):
            out[i * COLUMNS + c] = y[(3 + i) * COLUMNS + c]
    for i in range(4):
        for c in range(1, COLUMNS):
            out[(3 + i) * COLUMNS + c] = 0.0
        if i == 3 and loss == 0.0:
            continue
        for m in range(ROWS):
            share = partials[i, m]
            for c in range(1, COLUMNS):
                out[(3 + i) * COLUMNS + c] += share * y[m * COLUMNS + c]
        for c in range(7, 9):  # the rest of the state is constant
            out[(3 + i) * COLUMNS + 1 + c] += partials[i, c]
    return drag, slope, airspeed


@jit
def fly(
    kind: int, x: Floats, limit_s: float, ground_m: float, error_m: float, f: Forces
) -> tuple[int, float, Floats, Floats, float, int]:
    """One flight, as `batch.fly`, with its transition matrix.

    kind and x (9,) as in `motion.acceleration`; ground_m: height of the ground, NO_GROUND for a flight of a time;
    limit_s: that time, or the longest time to the ground; error_m: allowed in a step. Returns a code of `status`, the
    time (s), the state (9,), the matrix (7, 9) of its derivatives by the start at that time, the lowest height met (m),
    and the number of steps tried.
    """
    y, after, trial = np.zeros(SIZE), np.zeros(SIZE), np.empty(SIZE)
    K = np.empty(STAGES * SIZE)
    work = np.empty((5, 9))
    h, errors = np.empty(SIZE), np.empty(2 * COLUMNS)
    for c in range(ROWS):
        y[c * COLUMNS] = x[c]
        y[c * COLUMNS + 1 + c] = 1.0
    a, flattening = f.semi_major_axis_m, f.flattening
    sense = -1.0 if limit_s < 0.0 else 1.0
    to_ground = ground_m > NO_GROUND
    left = abs(limit_s)
    sin_lat, cos_lat, sin_lon, cos_lon, height = up_and_height_on(x[0], x[1], x[2], a, flattening)
    lowest = height
    code, tries = -1, 0
    if not (np.isfinite(x).all() and math.isfinite(limit_s)):
        code = codes.NOT_FINITE
    elif height < ground_m - CLOSE_M:
        code = codes.STARTS_BELOW
    elif left == 0.0:
        code = codes.STILL_UP if to_ground else codes.ARRIVED
    rate = sense * (cos_lat * (cos_lon * x[3] + sin_lon * x[4]) + sin_lat * x[5])
    layer = layer_at(height, rate, f.air_knots_m)
    top = len(f.air)
    allowed = 0.0
    fresh = True
    while code < 0:
        if fresh:
            drag, slope, airspeed = _slope(kind, y, x, layer, f, work, K[:SIZE])
            fresh = False
        low = f.air_knots_m[layer] if layer > 0 else -FAR_M
        low = low if low > ground_m else ground_m
        high = f.air_knots_m[layer + 1] if layer < top else FAR_M
        speed2 = y[3 * COLUMNS] ** 2 + y[4 * COLUMNS] ** 2 + y[5 * COLUMNS] ** 2
        up = (cos_lat * cos_lon, cos_lat * sin_lon, sin_lat)
        level2, full, pull = speed2 - rate * rate, 0.0, 0.0
        radius2, own2 = 0.0, 0.0
        for i in range(3):
            full += up[i] * K[(3 + i) * COLUMNS]
            pull += y[(3 + i) * COLUMNS] * K[(3 + i) * COLUMNS]
            radius2 += y[i * COLUMNS] ** 2
            own2 += K[(3 + i) * COLUMNS] ** 2
        bend = level2 / math.sqrt(radius2)
        full += bend
        growth = slope * rate + sense * pull / (speed2 + 1e-3)
        jerk = -sense * drag * (rate * growth + full)
        bound = (
            NEVER_S
            if kind != BALLISTIC
            else min(
                time_to_floor(rate, full, jerk, low - height),
                time_to_ceiling(rate, full, jerk, high - height),
            )
        )
        to_go = time_to_go(sense * rate, STANDARD_GRAVITY_M_S2 - bend, height)
        shallow = shallowness(rate, STANDARD_GRAVITY_M_S2 - bend, height, speed2)
        thick = drag
        if (drag * airspeed) ** 2 > FELT_M2_S4:
            thick = abs(slope * rate) + max(drag, math.sqrt(own2 / (airspeed**2 + 1e-3)))
        longest = MOST_FOLDS / (thick + ORBIT_RAD_S)
        most = (
            min(allowed, longest) if tries > 0 else min(longest * FIRST_FOLDS / MOST_FOLDS, LONGEST_FIRST_S)
        )
        step = bound if bound < most else (0.5 * bound if bound < 1.6 * most else most)
        step = min(step, left)
        h[:] = sense * step
        tries += 1
        for stage in range(1, STAGES):
            stage_state(stage, y, h, K, trial)
            _slope(kind, trial, x, layer, f, work, K[stage * SIZE : (stage + 1) * SIZE])
        end_state(y, h, K, after)
        step_error(h, K, errors)
        excess = shallow * (math.sqrt(errors[0]) + to_go * math.sqrt(errors[COLUMNS])) / error_m + 1e-12
        ends_at = up_and_height_on(after[0], after[COLUMNS], after[2 * COLUMNS], a, flattening)
        slack = slack_m(drag * math.sqrt(speed2), rate, shallow * to_go, height, error_m)
        finite = math.isfinite(excess) and math.isfinite(ends_at[4])
        length = abs(step)
        factor = min(max(SAFETY / math.sqrt(math.sqrt(math.sqrt(excess))), LEAST_FACTOR), MOST_FACTOR)
        beyond = 0.0
        if kind == BALLISTIC:
            if ends_at[4] < low - (slack if low > ground_m else FAR_BELOW_M):
                beyond = low
            elif ends_at[4] > high + slack:
                beyond = high
        if not finite or excess > 1.0:
            allowed = length * (factor if finite else LEAST_FACTOR)
            if length < SHORTEST_S:
                code = codes.NOT_FINITE
        elif beyond != 0.0:
            change = -1 if beyond == low else 1
            if change * (height - beyond) > -slack and low > ground_m:
                layer += change
                fresh = True
            else:
                allowed = length * (height - beyond) / (height - ends_at[4])
            if tries == 1 and allowed == 0.0:
                allowed = most
        else:
            grown = length * factor
            allowed = max(grown, min(most, MOST_FACTOR * grown)) if length < 0.99 * most else grown
            left -= step
            y[:] = after
            fresh = True
            sin_lat, cos_lat, sin_lon, cos_lon, height = ends_at
            lowest = min(lowest, height)
            rate = sense * (
                cos_lat * (cos_lon * y[3 * COLUMNS] + sin_lon * y[4 * COLUMNS]) + sin_lat * y[5 * COLUMNS]
            )
            if to_ground and low <= ground_m and abs(height - ground_m) < CLOSE_M:
                code = codes.LANDED
            elif left <= 0.0:
                code = codes.STILL_UP if to_ground else codes.ARRIVED
            elif low > ground_m and height <= low + slack and rate < 0.0:
                layer -= 1
            elif height >= high - slack and rate > 0.0:
                layer += 1
        if code < 0 and tries >= MOST_STEPS:
            code = codes.TOO_MANY_STEPS
    end = x.copy()
    transition = np.zeros((ROWS, 9))
    for i in range(ROWS):
        end[i] = y[i * COLUMNS]
        for c in range(9):
            transition[i, c] = y[i * COLUMNS + 1 + c]
    time_s = limit_s - sense * max(left, 0.0)
    if code == codes.NOT_FINITE or code == codes.TOO_MANY_STEPS:
        time_s = math.nan
        end[:] = math.nan
        transition[:] = math.nan
    return code, time_s, end, transition, lowest, tries
