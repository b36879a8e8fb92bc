"""Many flights side by side: the loop that takes their steps, with or without their transition matrices.

LANES flights are in the air at once, each at its own time with its own step; when one has ended
the next takes its lane. All arithmetic of a stage runs along the lanes (`lanes`); only what happens between steps
(layers, ends) is done lane by lane. What becomes of a flight does not depend on the others beside it.

`flights` is the way in.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tocsin.earth import status as codes
from tocsin.earth.ellipsoid import up_and_height_on
from tocsin.earth.forces import Forces
from tocsin.earth.lanes import (
    AFTER,
    AFTER_RATE,
    ALLOWED,
    ARMED,
    CEILING,
    COLUMNS,
    DRAG,
    EXCESS,
    FACTOR,
    FLOOR,
    HALF,
    HEIGHT,
    KEPT,
    LANES,
    MIDDLE,
    PARTIALS,
    POLY,
    ROWS,
    SCALE,
    SHALLOW,
    SIZE,
    SLACK,
    SOUND,
    TO_GO,
    WIND,
    density_slope,
    feel,
    push,
    push_column,
    slopes,
)
from tocsin.earth.motion import layer_at
from tocsin.earth.steps import (
    AT_PERIGEE_S,
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
    ORBIT_RAD_S,
    SAFETY,
    SHORTEST_S,
    height_rate,
    height_series,
    shallowness,
    slack_m,
    time_to_bound,
    time_to_ceiling,
    time_to_floor,
    time_to_go,
)
from tocsin.earth.verner import STAGES, stepper
from tocsin.kernel import jit, jit_lanes
from tocsin.units import STANDARD_GRAVITY_M_S2

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

GROUND, TIME, PERIGEE = 0, 1, 2  # what ends a flight

stage_state, end_state, step_error = stepper(ROWS, LANES)


@jit_lanes
def carry(matrix: Floats, parts: Floats, h: Floats, K: Floats, trial: Floats, f: Forces, out: Floats) -> None:
    """Carry the columns of the transition matrices through the step whose derivatives stand in ``parts``.

    matrix, out (COLUMNS * SIZE). One column after the other: what a column needs stays in the nearest cache.
    """
    for c in range(COLUMNS):
        y = matrix[c * SIZE : (c + 1) * SIZE]
        push_column(c, y, parts[: PARTIALS * LANES], K[:SIZE], f)
        for stage in range(1, STAGES):
            stage_state(stage, y, h, K, trial)
            part = parts[stage * PARTIALS * LANES : (stage + 1) * PARTIALS * LANES]
            push_column(c, trial, part, K[stage * SIZE : (stage + 1) * SIZE], f)
        end_state(y, h, K, out[c * SIZE : (c + 1) * SIZE])


@jit_lanes
def plan(
    y: Floats, kept: Floats, K: Floats, sense: float, left: Floats, end: int, floor_m: float, error_m: float, f: Forces,
    h: Floats,
) -> None:  # fmt: skip
    """Fill ``h`` with the length (s) of the next step of every lane, and the rows HEIGHT, TO_GO, SHALLOW and SLACK.

    sense: 1 forward, -1 back in time; left (LANES,): time that is left (s, positive); end: what ends the flight;
    floor_m: height of the ground, far below where it ends no flight.
    """
    a = f.semi_major_axis_m
    second = 1.0 / (1.0 - f.flattening) ** 2 - 1.0
    perigee = end == PERIGEE
    for i in range(LANES):
        px, py, pz = y[i], y[LANES + i], y[2 * LANES + i]
        vx, vy, vz = sense * y[3 * LANES + i], sense * y[4 * LANES + i], sense * y[5 * LANES + i]
        ax, ay, az = K[3 * LANES + i], K[4 * LANES + i], K[5 * LANES + i]
        r = math.sqrt(px * px + py * py + pz * pz)
        inverse_r = 1.0 / r
        sine = pz * inverse_r
        height = height_series(r, inverse_r, sine * sine, a, second)
        out_rate = (px * vx + py * vy + pz * vz) * inverse_r
        speed2 = vx * vx + vy * vy + vz * vz
        level2 = speed2 - out_rate * out_rate
        rate = height_rate(out_rate, vz, sine, inverse_r, a, second)
        full = (level2 + px * ax + py * ay + pz * az) * inverse_r
        # how density and speed make the drag change
        t = (height - kept[MIDDLE * LANES + i]) * kept[SCALE * LANES + i]
        slope = density_slope(kept, i, t)
        drag = kept[DRAG * LANES + i]
        growth = slope * rate + (vx * ax + vy * ay + vz * az) / (speed2 + 1e-3)
        jerk = -sense * drag * (rate * growth + full)
        down = time_to_floor(rate, full, jerk, kept[FLOOR * LANES + i] - height)
        up = time_to_ceiling(rate, full, jerk, kept[CEILING * LANES + i] - height)
        bound = time_to_bound(down, up, kept[FLOOR * LANES + i] <= floor_m)
        fall = STANDARD_GRAVITY_M_S2 - level2 * inverse_r
        kept[TO_GO * LANES + i] = time_to_go(sense * rate, fall, height)
        shallow = shallowness(rate, fall, height, speed2)
        kept[SHALLOW * LANES + i] = shallow
        weight = shallow * kept[TO_GO * LANES + i]
        kept[SLACK * LANES + i] = slack_m(drag * math.sqrt(speed2), rate, weight, height, error_m)
        kept[HEIGHT * LANES + i] = height
        ux = vx - sense * kept[WIND * LANES + i]
        uy = vy - sense * kept[(WIND + 1) * LANES + i]
        uz = vz - sense * kept[(WIND + 2) * LANES + i]
        air2 = ux * ux + uy * uy + uz * uz
        change = math.sqrt((ax * ax + ay * ay + az * az) / (air2 + 1e-3))
        thick = abs(slope * rate) + max(drag, change) if drag * drag * air2 > FELT_M2_S4 else drag
        longest = MOST_FOLDS / (thick + ORBIT_RAD_S)
        allowed = kept[ALLOWED * LANES + i]
        allowed = min(allowed, longest) if allowed > 0.0 else min(-allowed * longest, LONGEST_FIRST_S)
        # at the bound rather than just before it
        step = bound if bound < allowed else (0.5 * bound if bound < 1.6 * allowed else allowed)
        if perigee:
            turn = out_rate * out_rate + full * r  # of position times velocity, whose zero is the perigee
            coming = turn > 0.0 and (kept[ARMED * LANES + i] > 0.0 or out_rate < 0.0)
            step = min(step, -out_rate * r / turn) if coming else step
        h[i] = sense * min(step, left[i])


@jit_lanes
def look_back(after: Floats, errors: Floats, kept: Floats, sense: float, error_m: float, f: Forces) -> None:
    """Fill the rows AFTER to EXCESS: what the step just tried led to. errors (2, LANES): squares, of `step_error`."""
    a = f.semi_major_axis_m
    second = 1.0 / (1.0 - f.flattening) ** 2 - 1.0
    for i in range(LANES):
        px, py, pz = after[i], after[LANES + i], after[2 * LANES + i]
        r = math.sqrt(px * px + py * py + pz * pz)
        inverse_r = 1.0 / r
        sine = pz * inverse_r
        kept[AFTER * LANES + i] = height_series(r, inverse_r, sine * sine, a, second)
        vz = after[5 * LANES + i]
        out_rate = (px * after[3 * LANES + i] + py * after[4 * LANES + i] + pz * vz) * inverse_r
        kept[AFTER_RATE * LANES + i] = sense * height_rate(out_rate, vz, sine, inverse_r, a, second)
        error = math.sqrt(errors[i]) + kept[TO_GO * LANES + i] * math.sqrt(errors[LANES + i])
        kept[EXCESS * LANES + i] = kept[SHALLOW * LANES + i] * error / error_m + 1e-12


@jit
def enter_layer(i: int, layer: int, half_1_beta: float, ground_m: float, kept: Floats, f: Forces) -> None:
    """Put a layer of air into lane i. half_1_beta: half the inverse of the ballistic coefficient (m2/kg)."""
    top = len(f.air)
    if layer >= top:
        kept[HALF * LANES + i] = 0.0
        kept[FLOOR * LANES + i] = max(f.air_knots_m[top], ground_m) if top > 0 else ground_m
        kept[CEILING * LANES + i] = FAR_M
        return
    low, high = f.air_knots_m[layer], f.air_knots_m[layer + 1]
    for c in range(1, f.air.shape[1]):
        kept[(POLY + c) * LANES + i] = f.air[layer, c]
    for c in range(f.sound.shape[1]):
        kept[(SOUND + c) * LANES + i] = f.sound[layer, c]
    kept[HALF * LANES + i] = half_1_beta * math.exp(f.air[layer, 0])
    kept[MIDDLE * LANES + i] = 0.5 * (low + high)
    kept[SCALE * LANES + i] = 2.0 / (high - low)
    kept[FLOOR * LANES + i] = low if layer > 0 and low > ground_m else ground_m
    kept[CEILING * LANES + i] = high


@jit
def clear(i: int, y: Floats, kept: Floats) -> None:
    """Leave lane i to itself: a body far out, without air, that meets nothing."""
    for c in range(ROWS):
        y[c * LANES + i] = 0.0
    y[i] = 1e8
    kept[HALF * LANES + i] = 0.0
    kept[FLOOR * LANES + i] = -FAR_M
    kept[CEILING * LANES + i] = FAR_M


@jit_lanes
def fly(
    who_flies: Integers, starts: Floats, end: int, ground_m: float, limits_s: Floats, error_m: float, f: Forces,
    times_s: Floats, ends: Floats, status: Integers, steps: Integers, transitions: Floats,
) -> None:  # fmt: skip
    """Fly every start to its end.

    who_flies: numbers of the flights to fly, in order, so that threads share the arrays. starts (n, 7): position m,
    velocity m/s (ECEF), ln of the ballistic coefficient (kg/m2); end: GROUND, TIME or PERIGEE; ground_m: height of the
    ground; limits_s (n,): the time, or the longest time, of one sign for all that fly; error_m: error allowed in a
    step, see `steps`. Fills times_s (n,), ends (n, 7), status (n,), steps (n,), and transitions (n, 7, 9) of the states
    there by those at the start and by an unknown wind, unless it is empty.
    """
    count = len(who_flies)
    if count == 0:
        return
    whole = len(transitions) > 0
    y, after, trial = np.zeros(SIZE), np.zeros(SIZE), np.zeros(SIZE)
    columns = COLUMNS if whole else 0
    matrix, carried = np.zeros(columns * SIZE), np.zeros(columns * SIZE)
    parts, shear = np.zeros(STAGES * PARTIALS * LANES * min(columns, 1)), np.zeros((3, 3))
    sense = -1.0 if limits_s[who_flies[0]] < 0.0 else 1.0
    floor_m = -FAR_M if end == TIME else ground_m
    weathered = len(f.wind) > 0 or len(f.curve) > 0 or f.ablation_s2_m2 > 0.0
    kept = np.zeros(KEPT * LANES)
    kept[FACTOR * LANES : (FACTOR + 1) * LANES] = 1.0
    K = np.zeros(STAGES * SIZE)
    errors = np.zeros(2 * LANES)
    h, left, first = np.zeros(LANES), np.zeros(LANES), np.zeros(LANES)
    layer, tries = np.zeros(LANES, np.int64), np.zeros(LANES, np.int64)
    who = np.full(LANES, -1)
    waiting, flying = 0, 0
    for i in range(LANES):
        clear(i, y, kept)
    while True:
        for i in range(LANES):  # a free lane takes the next flight that can fly
            while who[i] < 0 and waiting < count:
                n = who_flies[waiting]
                waiting += 1
                times_s[n], steps[n], ends[n] = 0.0, 0, starts[n]
                if whole:
                    transitions[n] = 0.0
                    for c in range(ROWS):
                        transitions[n, c, c] = 1.0
                if not (np.isfinite(starts[n]).all() and math.isfinite(limits_s[n])):
                    status[n], times_s[n], ends[n] = codes.NOT_FINITE, math.nan, math.nan
                    if whole:
                        transitions[n] = math.nan
                    continue
                _, _, _, _, height = up_and_height_on(
                    starts[n, 0], starts[n, 1], starts[n, 2], f.semi_major_axis_m, f.flattening
                )
                if height < floor_m - CLOSE_M:
                    status[n] = codes.STARTS_BELOW
                    continue
                who[i] = n
                flying += 1
                rate = 0.0
                for c in range(ROWS):
                    y[c * LANES + i] = starts[n, c]
                if whole:
                    for c in range(COLUMNS * ROWS):
                        matrix[c * LANES + i] = 1.0 if c % ROWS == c // ROWS else 0.0
                for c in range(3):
                    rate += sense * starts[n, c] * starts[n, 3 + c]
                first[i] = starts[n, 6]
                left[i] = abs(limits_s[n])
                tries[i] = 0
                layer[i] = layer_at(height, rate, f.air_knots_m)
                enter_layer(i, layer[i], 0.5 * math.exp(-first[i]), floor_m, kept, f)
                kept[ALLOWED * LANES + i] = -FIRST_FOLDS / MOST_FOLDS  # the sign: no error is known
                kept[ARMED * LANES + i] = 0.0
        if flying == 0:
            return
        if weathered:
            feel(y, kept, first, f)
        push(y, kept, K[:SIZE], f)
        plan(y, kept, K, sense, left, end, floor_m, error_m, f, h)
        if whole:
            slopes(y, kept, parts[: PARTIALS * LANES], shear, f)
        for stage in range(1, STAGES):
            stage_state(stage, y, h, K, trial)
            if weathered:
                feel(trial, kept, first, f)
            push(trial, kept, K[stage * SIZE : (stage + 1) * SIZE], f)
            if whole:
                part = parts[stage * PARTIALS * LANES : (stage + 1) * PARTIALS * LANES]
                slopes(trial, kept, part, shear, f)
        end_state(y, h, K, after)
        step_error(h, K, errors)
        if whole:
            carry(matrix, parts, h, K, trial, f, carried)
        look_back(after, errors, kept, sense, error_m, f)
        for i in range(LANES):
            n = who[i]
            if n < 0:
                continue
            tries[i] += 1
            code = -1
            excess, height = kept[EXCESS * LANES + i], kept[AFTER * LANES + i]
            low, high = kept[FLOOR * LANES + i], kept[CEILING * LANES + i]
            before = kept[HEIGHT * LANES + i]
            slack = kept[SLACK * LANES + i]
            finite = math.isfinite(excess) and math.isfinite(height)
            factor = min(max(SAFETY / math.sqrt(math.sqrt(math.sqrt(excess))), LEAST_FACTOR), MOST_FACTOR)
            length = abs(h[i])
            beyond = 0.0
            if height < low - (slack if low > floor_m else FAR_BELOW_M):
                beyond = low
            elif height > high + slack:
                beyond = high
            if not finite or excess > 1.0:
                kept[ALLOWED * LANES + i] = length * (factor if finite else LEAST_FACTOR)
                if length < SHORTEST_S:
                    code = codes.NOT_FINITE
            elif beyond != 0.0:
                change = -1 if beyond == low else 1
                # it was as good as there before the step
                if change * (before - beyond) > -slack and low > floor_m:
                    layer[i] += change
                    enter_layer(i, layer[i], 0.5 * math.exp(-first[i]), floor_m, kept, f)
                else:
                    kept[ALLOWED * LANES + i] = length * (before - beyond) / (before - height)
            else:
                allowed = kept[ALLOWED * LANES + i]
                grown = length * factor
                # a step cut short by a bound says little of what would have been allowed
                cut = length < 0.99 * allowed
                kept[ALLOWED * LANES + i] = max(grown, min(allowed, MOST_FACTOR * grown)) if cut else grown
                left[i] -= sense * h[i]
                for c in range(ROWS):
                    y[c * LANES + i] = after[c * LANES + i]
                if whole:
                    for c in range(COLUMNS * ROWS):
                        matrix[c * LANES + i] = carried[c * LANES + i]
                rate = kept[AFTER_RATE * LANES + i]
                if end != TIME and low <= floor_m and abs(height - ground_m) < CLOSE_M:
                    code = codes.LANDED
                elif left[i] <= 0.0:
                    code = codes.ARRIVED if end == TIME else codes.STILL_UP
                elif low > floor_m and height <= low + slack and rate < 0.0:
                    layer[i] -= 1
                    enter_layer(i, layer[i], 0.5 * math.exp(-first[i]), floor_m, kept, f)
                elif height >= high - slack and rate > 0.0:
                    layer[i] += 1
                    enter_layer(i, layer[i], 0.5 * math.exp(-first[i]), floor_m, kept, f)
                if end == PERIGEE and code < 0:
                    climb, speed2 = 0.0, 0.0
                    for c in range(3):
                        climb += sense * after[c * LANES + i] * after[(3 + c) * LANES + i]
                        speed2 += after[(3 + c) * LANES + i] ** 2
                    if climb < 0.0:
                        kept[ARMED * LANES + i] = 1.0
                    if kept[ARMED * LANES + i] > 0.0 and abs(climb) < AT_PERIGEE_S * speed2:
                        code = codes.ARRIVED
            if code < 0 and tries[i] >= MOST_STEPS:
                code = codes.TOO_MANY_STEPS
            if code >= 0:
                status[n], steps[n] = code, tries[i]
                times_s[n] = limits_s[n] - sense * max(left[i], 0.0)
                for c in range(ROWS):
                    ends[n, c] = y[c * LANES + i]
                if whole:
                    for c in range(COLUMNS * ROWS):
                        transitions[n, c % ROWS, c // ROWS] = matrix[c * LANES + i]
                if code == codes.NOT_FINITE or code == codes.TOO_MANY_STEPS:
                    times_s[n], ends[n] = math.nan, math.nan
                    if whole:
                        transitions[n] = math.nan
                who[i] = -1
                flying -= 1
                clear(i, y, kept)
