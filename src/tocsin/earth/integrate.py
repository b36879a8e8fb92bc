"""One flight with its derivatives: to a time, and to the ground. The kernels of the forecast.

The state goes through Verner's steps (`verner`), as long as `steps` has them, and what the forces derive to at each
stage is kept. Then numbers of the end are carried back through the same stages by the chain rule (the discrete adjoint:
Hager 2000, Numerische Mathematik 87, 247-282): four of them in one pass, for little against the flight itself, where
all nine columns of the transition matrix carried forward cost as much as it. `batch` flies many side by side.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tocsin.earth import status as codes
from tocsin.earth.ellipsoid import up_and_height_on
from tocsin.earth.forces import Forces
from tocsin.earth.freefall import base, slopes
from tocsin.earth.motion import BALLISTIC, THRUST, acceleration, layer_at
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
    time_to_bound,
    time_to_ceiling,
    time_to_floor,
    time_to_go,
)
from tocsin.earth.verner import STAGES, backstepper, stepper
from tocsin.kernel import jit, jit_lanes
from tocsin.units import STANDARD_GRAVITY_M_S2

Floats = NDArray[np.float64]

# position, velocity, and ln of the ballistic coefficient or the first component of an own acceleration
ROWS = 7
NO_GROUND = -FAR_M
NUMBERS = 4  # of the end, carried back side by side
BACK = ROWS * NUMBERS
PASSED = STAGES - 1  # stages that the end of a step hangs on; the last is for its error alone
FEW_STEPS = 24  # room that a flight begins with

stage_state, end_state, _ = stepper(1, ROWS)  # the step is the same for all rows: one loop
_, _, step_error = stepper(ROWS, 1)
stage_back = backstepper(BACK)


class Tape(NamedTuple):
    """Room for what a flight keeps of its steps, for `back`; many flights may use one, one after the other."""

    lengths_s: Floats  # (n,) of the steps
    parts: Floats  # (n, 9, 4, 9) derivatives of the forces at each stage
    felt: Floats  # (n, 9, 2) height (m) and Mach number at each stage, as `freefall.slopes` gives them
    braked: Floats  # (n, 9, 4) of `back`: derivatives by ln of the ballistic coefficient at that stage alone
    pushed: Floats  # (n, 3, 4) of `back`: derivatives by the velocity at the start of that step


@jit
def new_tape() -> Tape:
    """Room for a flight; it grows where a flight needs more."""
    return Tape(
        np.empty(FEW_STEPS), np.empty((FEW_STEPS, PASSED, 4, 9)), np.empty((FEW_STEPS, PASSED, 2)),
        np.empty((FEW_STEPS, PASSED, NUMBERS)), np.empty((FEW_STEPS, 3, NUMBERS)),
    )  # fmt: skip


@jit
def _under_thrust(
    y: Floats, x: Floats, f: Forces, partials: Floats, out: Floats
) -> tuple[float, float, float]:
    """As `freefall.slopes`, of a state ``y`` (7,) under the thrust that x (9,) holds."""
    state = x.copy()
    state[:6] = y[:6]
    ax, ay, az, _, _, _, _ = acceleration(THRUST, state, len(f.air), f, partials)
    out[0], out[1], out[2], out[3], out[4], out[5], out[6] = y[3], y[4], y[5], ax, ay, az, 0.0
    return 0.0, 0.0, 0.0


@jit
def flight(
    kind: int, x: Floats, limit_s: float, ground_m: float, error_m: float, f: Forces, tape: Tape
) -> tuple[int, float, Floats, float, int, int, Tape]:
    """One flight, as `batch.fly`, with what `back` needs to carry derivatives back.

    kind and x (9,) as in `motion.acceleration`; ground_m: height of the ground, NO_GROUND for a flight of a time;
    limit_s: that time, or the longest time to the ground; error_m: allowed in a step. Returns a code of `status`, the
    time (s), the state (9,), the lowest height met (m), the numbers of steps tried and taken, and the tape, with the
    steps taken on it.
    """
    y, after, trial = x[:ROWS].copy(), np.empty(ROWS), np.empty(ROWS)
    K = np.empty(STAGES * ROWS)
    spare = np.empty((4, 9))
    h, errors = np.empty(ROWS), np.empty(2)
    lengths, parts, felt, braked, pushed = tape.lengths_s, tape.parts, tape.felt, tape.braked, tape.pushed
    steps = 0
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
            half = base(x[6], layer, f)
            if kind == BALLISTIC:
                drag, slope, airspeed, felt[steps, 0, 0], felt[steps, 0, 1] = slopes(
                    y, x[7], x[8], x[6], half, layer, f, parts[steps, 0], K[:ROWS]
                )
            else:
                drag, slope, airspeed = _under_thrust(y, x, f, parts[steps, 0], K[:ROWS])
            fresh = False
        low = f.air_knots_m[layer] if layer > 0 else -FAR_M
        low = low if low > ground_m else ground_m
        high = f.air_knots_m[layer + 1] if layer < top else FAR_M
        speed2 = y[3] ** 2 + y[4] ** 2 + y[5] ** 2
        up = (cos_lat * cos_lon, cos_lat * sin_lon, sin_lat)
        level2, full, pull = speed2 - rate * rate, 0.0, 0.0
        radius2, own2 = 0.0, 0.0
        for i in range(3):
            full += up[i] * K[3 + i]
            pull += y[3 + i] * K[3 + i]
            radius2 += y[i] ** 2
            own2 += K[3 + i] ** 2
        bend = level2 / math.sqrt(radius2)
        full += bend
        growth = slope * rate + sense * pull / (speed2 + 1e-3)
        jerk = -sense * drag * (rate * growth + full)
        bound = (
            NEVER_S
            if kind != BALLISTIC
            else time_to_bound(
                time_to_floor(rate, full, jerk, low - height),
                time_to_ceiling(rate, full, jerk, high - height),
                low <= ground_m,
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
            kept = parts[steps, stage] if stage < PASSED else spare
            out = K[stage * ROWS : (stage + 1) * ROWS]
            if kind == BALLISTIC:
                _, _, _, at_m, mach = slopes(trial, x[7], x[8], x[6], half, layer, f, kept, out)
                if stage < PASSED:
                    felt[steps, stage, 0], felt[steps, stage, 1] = at_m, mach
            else:
                _under_thrust(trial, x, f, kept, out)
        end_state(y, h, K, after)
        step_error(h, K, errors)
        excess = shallow * (math.sqrt(errors[0]) + to_go * math.sqrt(errors[1])) / error_m + 1e-12
        ends_at = up_and_height_on(after[0], after[1], after[2], a, flattening)
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
            lengths[steps] = h[0]
            steps += 1
            if steps == len(lengths):
                lengths = np.concatenate((lengths, np.empty_like(lengths)))
                parts = np.concatenate((parts, np.empty_like(parts)))
                felt = np.concatenate((felt, np.empty_like(felt)))
                braked = np.concatenate((braked, np.empty_like(braked)))
                pushed = np.concatenate((pushed, np.empty_like(pushed)))
            fresh = True
            sin_lat, cos_lat, sin_lon, cos_lon, height = ends_at
            lowest = min(lowest, height)
            rate = sense * (cos_lat * (cos_lon * y[3] + sin_lon * y[4]) + sin_lat * y[5])
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
    end[:ROWS] = y
    time_s = limit_s - sense * max(left, 0.0)
    if code == codes.NOT_FINITE or code == codes.TOO_MANY_STEPS:
        time_s = math.nan
        end[:] = math.nan
    return code, time_s, end, lowest, tries, steps, Tape(lengths, parts, felt, braked, pushed)


@jit_lanes
def back(steps: int, tape: Tape, burning: bool, end: Floats) -> Floats:
    """Derivatives (9, 4) of four numbers by the start of a flight, from those by its end (7, 4).

    steps, tape: as of `flight`; burning: whether ln of the ballistic coefficient changes on the way. Fills the tape's
    ``braked``: with it the end follows from any departure of drag along the way, D (n, 9) of ln Cd at the stages, as
    - sum(D * braked); and its ``pushed``: what a push at the start of a step would do.
    """
    now, slope, M = np.empty(BACK), np.empty(BACK), np.empty(PASSED * BACK)
    rest = np.zeros(2 * NUMBERS)
    for r in range(ROWS):
        for q in range(NUMBERS):
            now[r * NUMBERS + q] = end[r, q]
    for n in range(steps - 1, -1, -1):
        for stage in range(PASSED - 1, -1, -1):
            stage_back(stage, now, tape.lengths_s[n], M, slope)
            p = tape.parts[n, stage]
            m = stage * BACK
            for c in range(3):
                for q in range(NUMBERS):
                    x, y, z = slope[12 + q], slope[16 + q], slope[20 + q]
                    M[m + 4 * c + q] = p[0, c] * x + p[1, c] * y + p[2, c] * z
                    M[m + 12 + 4 * c + q] = (
                        slope[4 * c + q] + p[0, 3 + c] * x + p[1, 3 + c] * y + p[2, 3 + c] * z
                    )
            for q in range(NUMBERS):
                x, y, z = slope[12 + q], slope[16 + q], slope[20 + q]
                M[m + 24 + q] = p[0, 6] * x + p[1, 6] * y + p[2, 6] * z
                rest[q] += p[0, 7] * x + p[1, 7] * y + p[2, 7] * z
                rest[4 + q] += p[0, 8] * x + p[1, 8] * y + p[2, 8] * z
            if burning:
                for c in range(ROWS):
                    for q in range(NUMBERS):
                        M[m + 4 * c + q] += p[3, c] * slope[24 + q]
                for c in range(2):
                    for q in range(NUMBERS):
                        rest[4 * c + q] += p[3, 7 + c] * slope[24 + q]
        for stage in range(PASSED):
            for i in range(BACK):
                now[i] += M[stage * BACK + i]
            for q in range(NUMBERS):
                tape.braked[n, stage, q] = M[stage * BACK + 24 + q]
        for c in range(3):
            for q in range(NUMBERS):
                tape.pushed[n, c, q] = now[(3 + c) * NUMBERS + q]
    out = np.empty((9, NUMBERS))
    for q in range(NUMBERS):
        for r in range(ROWS):
            out[r, q] = now[r * NUMBERS + q]
        out[7, q], out[8, q] = rest[q], rest[NUMBERS + q]
    return out


@jit
def fly(
    kind: int, x: Floats, limit_s: float, ground_m: float, error_m: float, f: Forces
) -> tuple[int, float, Floats, Floats, float, int]:
    """One flight, as `flight`, with its transition matrix.

    Returns code, time, state, the matrix (7, 9) of its derivatives by the start at that time, the lowest height met
    (m), and the number of steps tried.
    """
    code, time_s, end, lowest, tries, steps, tape = flight(kind, x, limit_s, ground_m, error_m, f, new_tape())
    transition = np.full((ROWS, 9), math.nan)
    if math.isfinite(time_s):
        for first in range(0, ROWS, NUMBERS):
            numbers = np.zeros((ROWS, NUMBERS))
            for r in range(first, min(first + NUMBERS, ROWS)):
                numbers[r, r - first] = 1.0
            found = back(steps, tape, f.ablation_s2_m2 > 0.0, numbers)
            for r in range(first, min(first + NUMBERS, ROWS)):
                transition[r] = found[:, r - first]
    return code, time_s, end, transition, lowest, tries
