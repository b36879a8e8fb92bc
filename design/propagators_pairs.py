"""Explicit Runge-Kutta pairs in one driver that counts, for `propagators`.

The driver has the step logic of `tocsin.earth.batch` for one flight, with any pair, with errors weighted as ours or
plainly relative, with steps that end on the bounds of the layers of air or run over them. It tallies every try. With
our pair it takes as many steps as `batch`, within 1 % in the mean.
"""

import math
from typing import NamedTuple

import numpy as np
from scipy.integrate._ivp import dop853_coefficients as dop
from scipy.integrate._ivp.rk import RK45

from tocsin.earth import steps, verner
from tocsin.earth.ellipsoid import up_and_height_on
from tocsin.earth.gravity import gravity_terms
from tocsin.earth.motion import density_and_slope, layer_at
from tocsin.kernel import jit
from tocsin.units import STANDARD_GRAVITY_M_S2

ANY, SMOOTH = (
    -1,
    -2,
)  # in place of a layer: that of the height, at each evaluation; the exponential atmosphere
SURFACE_KG_M3, SCALE_M = 1.4, 7000.0  # of the exponential atmosphere
WEIGHTED, PLAIN = (
    0,
    1,
)  # how errors count: as ours, in metres at the ground; relative to position and velocity
VACUUM_M = 120e3  # above: "vacuum"
CROSSINGS = 64

# What is tallied of a flight: tries above and below VACUUM_M, and of all tries those refused for their error, those
# that ended beyond a bound, those aimed at the ground but for the first, and good ones at the limit of stability, and
# cut at a bound or halfway to it.
ABOVE, IN_AIR, REFUSED, BEYOND, LANDING, STIFF, CUT, TALLIES = range(8)
STIFF_FROM = 3.0  # step times the rate 2 g / v at which a fall settles, from which a step counts as stiff

FELT_M2_S4, FIRST_FOLDS, MOST_FOLDS = steps.FELT_M2_S4, steps.FIRST_FOLDS, steps.MOST_FOLDS
LONGEST_FIRST_S, ORBIT_RAD_S, SAFETY = steps.LONGEST_FIRST_S, steps.ORBIT_RAD_S, steps.SAFETY
LEAST_FACTOR, MOST_FACTOR, CLOSE_M, NEVER_S = (
    steps.LEAST_FACTOR, steps.MOST_FACTOR, steps.CLOSE_M, steps.NEVER_S,
)  # fmt: skip
FAR_BELOW_M, MOST_STEPS = steps.FAR_BELOW_M, 20_000
slack_m, time_to_floor, time_to_ceiling = steps.slack_m, steps.time_to_floor, steps.time_to_ceiling
time_to_go, height_series, shallowness = steps.time_to_go, steps.height_series, steps.shallowness


class Pair(NamedTuple):
    """A pair: A (s, s), B (s,), two rows of error weights (as DOP853; else the second is 0), and its numbers.

    evaluations: new ones a try; root: the power of the error that changes the step.
    """

    name: str
    A: np.ndarray
    B: np.ndarray
    E5: np.ndarray
    E3: np.ndarray
    evaluations: int
    root: float


def _with_end(name, A, B, E5, E3, root):
    """A pair whose last stage is the first of the next step."""
    s = len(B)
    whole = np.zeros((s + 1, s + 1))
    whole[:s, :s], whole[s, :s] = A, B
    return Pair(name, whole, np.append(B, 0.0), np.array(E5), np.array(E3), s, root)


def _verner():
    """Our pair, of the constants of `tocsin.earth.verner`."""
    A, B, E = np.zeros((10, 10)), np.zeros(10), np.zeros(10)
    for i in range(10):
        B[i], E[i] = getattr(verner, f"B{i + 1}", 0.0), getattr(verner, f"E{i + 1}", 0.0)
        for j in range(i):
            A[i, j] = getattr(verner, f"A{i + 1}{j + 1}", 0.0)
    return Pair("Verner 7(6)", A, B, E, np.zeros(10), 10, 1.0 / 8.0)


DP5 = _with_end("Dormand-Prince 5(4)", RK45.A[:, :5] @ np.eye(5, 6), RK45.B, RK45.E, np.zeros(7), 1.0 / 5.0)
VERNER = _verner()
DOP853 = _with_end("DOP853 8(5,3)", dop.A[:12, :12], dop.B, dop.E5, dop.E3, 1.0 / 8.0)
PAIRS = (DP5, VERNER, DOP853)


def stable_to(pair):
    """How far along the negative real axis a pair is stable."""
    s = len(pair.B)
    power = np.ones(s)
    R = [1.0]
    for _ in range(s):
        R.append(pair.B @ power)
        power = pair.A @ power
    z = np.arange(0.0, 20.0, 1e-3)
    return z[np.argmax(np.abs(np.polynomial.polynomial.polyval(-z, R)) > 1.0 + 1e-9) - 1]


@jit
def slope(y, beta, layer, f, out):
    """Fill ``out`` (6,) with the slope of a state; height (m), drag over speed (1/s), slope of ln density (1/m)."""
    px, py, pz, vx, vy, vz = y
    r = math.sqrt(px * px + py * py + pz * pz)
    s = pz / r
    second = 1.0 / (1.0 - f.flattening) ** 2 - 1.0
    height = height_series(r, 1.0 / r, s * s, f.semi_major_axis_m, second)
    radial, axial = gravity_terms(f.gm_m3_s2, f.radius_m, f.j2, f.j3, f.j4, s, 1.0 / r)
    if layer == SMOOTH:
        density, fold = SURFACE_KG_M3 * math.exp(-height / SCALE_M), -1.0 / SCALE_M
    else:
        known = layer if layer != ANY else layer_at(height, 0.0, f.air_knots_m)
        density, fold = density_and_slope(height, known, f)
    drag = 0.5 * density / beta * math.sqrt(vx * vx + vy * vy + vz * vz)
    w = f.rate_rad_s
    out[0], out[1], out[2] = vx, vy, vz
    out[3] = (radial + w * w) * px + 2.0 * w * vy - drag * vx
    out[4] = (radial + w * w) * py - 2.0 * w * vx - drag * vy
    out[5] = radial * pz + axial - drag * vz
    return height, drag, fold


@jit
def step(y, beta, layer, f, h, A, B, K, trial, after):
    """One step from ``y``, whose slope is K[0]: fills K and ``after``."""
    for s in range(1, len(B)):
        for c in range(6):
            total = 0.0
            for j in range(s):
                total += A[s, j] * K[j, c]
            trial[c] = y[c] + h * total
        slope(trial, beta, layer, f, K[s])
    for c in range(6):
        total = 0.0
        for j in range(len(B)):
            total += B[j] * K[j, c]
        after[c] = y[c] + h * total


@jit
def error_of(h, E5, E3, K, by_place, by_velocity):
    """Error of a step, the two parts weighted."""
    sizes = np.zeros(4)
    for c in range(6):
        five, three = 0.0, 0.0
        for j in range(len(E5)):
            five += E5[j] * K[j, c]
            three += E3[j] * K[j, c]
        sizes[c // 3] += five * five
        sizes[2 + c // 3] += three * three
    five = abs(h) * (by_place * math.sqrt(sizes[0]) + by_velocity * math.sqrt(sizes[1]))
    three = abs(h) * (by_place * math.sqrt(sizes[2]) + by_velocity * math.sqrt(sizes[3]))
    return five * five / math.sqrt(five * five + 0.01 * three * three) if five > 0.0 else 0.0


@jit
def fly(x, beta, A, B, E5, E3, root, control, tol, bounded, air, f, tally, crossings):
    """One flight to the ground: time (s) and state (6,); (nan, x) if it takes too many steps.

    tol: metres at the ground, or relative; bounded: steps end on the bounds of the layers; air: ANY or SMOOTH where
    they do not. Fills tally (TALLIES,) and crossings (CROSSINGS, 2) with times and numbers of the layers entered.
    """
    a, flattening = f.semi_major_axis_m, f.flattening
    top = len(f.air)
    y, after, trial = x.copy(), x.copy(), x.copy()
    K = np.zeros((len(B), 6))
    t, allowed, aimed, crossed = 0.0, 0.0, False, 0
    layer = -9
    for tries in range(MOST_STEPS):
        sin_lat, cos_lat, sin_lon, cos_lon, height = up_and_height_on(y[0], y[1], y[2], a, flattening)
        up = (cos_lat * cos_lon, cos_lat * sin_lon, sin_lat)
        rate = up[0] * y[3] + up[1] * y[4] + up[2] * y[5]
        if layer == -9:
            layer = layer_at(height, rate, f.air_knots_m)
        _, drag, fold = slope(y, beta, layer if bounded else air, f, K[0])
        low = max(f.air_knots_m[layer], 0.0) if bounded else 0.0
        high = f.air_knots_m[layer + 1] if bounded and layer < top else math.inf
        speed2 = y[3] ** 2 + y[4] ** 2 + y[5] ** 2
        radius = math.sqrt(y[0] ** 2 + y[1] ** 2 + y[2] ** 2)
        bend = (speed2 - rate * rate) / radius
        full, pull, own2 = bend, 0.0, 0.0
        for c in range(3):
            full += up[c] * K[0, 3 + c]
            pull += y[3 + c] * K[0, 3 + c]
            own2 += K[0, 3 + c] ** 2
        jerk = -drag * (rate * (fold * rate + pull / (speed2 + 1e-3)) + full)
        bound = min(
            time_to_floor(rate, full, jerk, low - height), time_to_ceiling(rate, full, jerk, high - height)
        )
        to_go = time_to_go(rate, STANDARD_GRAVITY_M_S2 - bend, height)
        shallow = shallowness(rate, STANDARD_GRAVITY_M_S2 - bend, height, speed2)
        thick = drag
        if drag * drag * speed2 > FELT_M2_S4:
            thick = abs(fold * rate) + max(drag, math.sqrt(own2 / (speed2 + 1e-3)))
        longest = MOST_FOLDS / (thick + ORBIT_RAD_S)
        most = (
            min(allowed, longest) if tries > 0 else min(longest / MOST_FOLDS * FIRST_FOLDS, LONGEST_FIRST_S)
        )
        h = bound if bound < most else (0.5 * bound if bound < 1.6 * most else most)
        step(y, beta, layer if bounded else air, f, h, A, B, K, trial, after)
        if control == WEIGHTED:
            excess = error_of(h, E5, E3, K, shallow / tol, shallow * to_go / tol) + 1e-12
        else:
            excess = error_of(h, E5, E3, K, 1.0 / (tol * radius), 1.0 / (tol * math.sqrt(speed2))) + 1e-12
        sin_lat, cos_lat, sin_lon, cos_lon, ends = up_and_height_on(
            after[0], after[1], after[2], a, flattening
        )
        rises = cos_lat * (cos_lon * after[3] + sin_lon * after[4]) + sin_lat * after[5] > 0.0
        allowed_m = tol if control == WEIGHTED else 0.1
        slack = slack_m(drag * math.sqrt(speed2), rate, shallow * to_go, height, allowed_m)
        factor = min(max(SAFETY * excess**-root, LEAST_FACTOR), MOST_FACTOR)
        tally[ABOVE if height > VACUUM_M - slack else IN_AIR] += 1
        at_ground = low <= 0.0 and h == bound
        if at_ground and aimed:
            tally[LANDING] += 1
        beyond = 0.0 if low > 0.0 else -1.0
        wrong = ends < low - (slack if low > 0.0 else FAR_BELOW_M) or ends > high + slack
        if ends > high + slack:
            beyond = high
        elif wrong:
            beyond = low
        if not excess <= 1.0:
            tally[REFUSED] += 1
            allowed = h * (factor if math.isfinite(excess) else LEAST_FACTOR)
        elif wrong:
            if not (at_ground and aimed):
                tally[BEYOND] += 1
            change = 1 if beyond == high else -1
            if change * (height - beyond) > -slack and low > 0.0:
                layer += change
            else:
                allowed = h * (height - beyond) / (height - ends)
        else:
            tally[STIFF] += 2.0 * drag * h > STIFF_FROM and own2 < 9.0
            tally[CUT] += not at_ground and h < 0.99 * most
            grown = h * factor
            allowed = max(grown, min(most, MOST_FACTOR * grown)) if h < 0.99 * most else grown
            t += h
            y[:] = after
            if low <= 0.0 and abs(ends) < CLOSE_M:
                return t, y
            change = 0
            if low > 0.0 and ends <= low + slack and not rises:
                change = -1
            elif ends >= high - slack and rises:
                change = 1
            if change != 0:
                layer += change
                crossings[crossed, 0], crossings[crossed, 1] = t, layer
                crossed += 1
        aimed = aimed or at_ground
    return math.nan, x


@jit
def fly_all(states, betas, A, B, E5, E3, root, control, tol, bounded, air, f, tally, crossings, times, ends):
    """All flights, one after the other. Shapes of `fly` with a first axis for the flights."""
    for i in range(len(betas)):
        times[i], ends[i] = fly(
            states[i], betas[i], A, B, E5, E3, root, control, tol, bounded, air, f, tally[i], crossings[i]
        )


def flights(pair, states, betas, control, tol, bounded, air, f):
    """Times (n,), states (n, 6), tallies (n, TALLIES), crossings (n, CROSSINGS, 2; nan where none)."""
    n = len(betas)
    tally, crossings = np.zeros((n, TALLIES)), np.full((n, CROSSINGS, 2), np.nan)
    times, ends = np.empty(n), np.empty((n, 6))
    fly_all(
        states, betas, pair.A, pair.B, pair.E5, pair.E3, pair.root, control, tol, bounded, air, f,
        tally, crossings, times, ends,
    )  # fmt: skip
    return times, ends, tally, crossings


@jit
def step_all(states, betas, layers, f, h, A, B, after):
    """One step of every flight."""
    K, trial = np.zeros((len(B), 6)), np.zeros(6)
    for i in range(len(betas)):
        slope(states[i], betas[i], layers[i], f, K[0])
        step(states[i], betas[i], layers[i], f, h[i], A, B, K, trial, after[i])


# Classical Runge-Kutta with the steps that the project had before: shares of the time in which speed or density
# change, 30 s at most, no error control, no bounds.
LONGEST_S, SHORTEST_S, SHARE, SETTLING, AIR_TOP_M, FOLD_M = 30.0, 0.02, 0.25, 0.7, 130e3, 6e3


@jit
def old_step_s(height, climb, speed, own, push, scale):
    """Length of a step (s). own, push: acceleration and that of drag (m/s2); scale: of all lengths."""
    fall = abs(climb) + 1.0
    if height > AIR_TOP_M:
        return scale * min(max((height - AIR_TOP_M) / fall, 2.0 * FOLD_M / fall), LONGEST_S)
    change = own if push > 1.0 else push
    free_fall = math.sqrt(2.0 * FOLD_M / STANDARD_GRAVITY_M_S2)
    h = scale * SHARE * min(FOLD_M / fall, free_fall, speed / (change + 1e-9))
    settle = SETTLING * speed / math.sqrt(push * max(push, STANDARD_GRAVITY_M_S2) + 1e-18)
    return min(max(min(h, settle), SHORTEST_S), LONGEST_S)


@jit
def fly_old(states, betas, scale, f, tally, times, ends):
    """All flights by RK4. tally (n, 2): steps above and below VACUUM_M, with those that find the ground."""
    A = np.array([[0.0, 0.0, 0.0, 0.0], [0.5, 0.0, 0.0, 0.0], [0.0, 0.5, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]])
    B = np.array([1.0, 2.0, 2.0, 1.0]) / 6.0
    K, trial, after = np.zeros((4, 6)), np.zeros(6), np.zeros(6)
    a, flattening = f.semi_major_axis_m, f.flattening
    for i in range(len(betas)):
        y, t = states[i].copy(), 0.0
        while True:
            height, drag, _ = slope(y, betas[i], ANY, f, K[0])
            speed = math.sqrt(y[3] ** 2 + y[4] ** 2 + y[5] ** 2)
            own = math.sqrt(K[0, 3] ** 2 + K[0, 4] ** 2 + K[0, 5] ** 2)
            climb = (y[0] * y[3] + y[1] * y[4] + y[2] * y[5]) / math.sqrt(y[0] ** 2 + y[1] ** 2 + y[2] ** 2)
            h = old_step_s(height, climb, speed, own, drag * speed, scale)
            step(y, betas[i], ANY, f, h, A, B, K, trial, after)
            tally[i, 0 if height > VACUUM_M else 1] += 1
            ends_at = up_and_height_on(after[0], after[1], after[2], a, flattening)[4]
            if ends_at <= 0.0:
                break
            y[:] = after
            t += h
        lower, upper, under, above = 0.0, h, height, ends_at
        for _ in range(50):  # the secant kept between its ends
            h = (lower * above - upper * under) / (above - under)
            step(y, betas[i], ANY, f, h, A, B, K, trial, after)
            tally[i, 1] += 1
            ends_at = up_and_height_on(after[0], after[1], after[2], a, flattening)[4]
            if abs(ends_at) < CLOSE_M:
                break
            if ends_at > 0.0:
                lower, under, above = h, ends_at, 0.5 * above
            else:
                upper, above, under = h, ends_at, 0.5 * under
        times[i], ends[i] = t + h, after
