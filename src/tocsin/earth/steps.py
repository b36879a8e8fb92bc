"""How long a step may be, and whether it was good: the same for one flight and for many side by side.

A step ends where its estimated error at the end of the flight would reach what is allowed, or at
the next bound of a layer of air, whichever comes first. The bound's time is predicted by height, climb rate, and
how drag changes both; a step that ends too far beyond a bound is taken again, shorter.
"""

from __future__ import annotations

import math

from tocsin.kernel import jit_inline

NEVER_S = 1e9
FAR_M = 1e12  # the height of a bound that is not there
# A step of order 7 holds about this many e-folds of density or of speed at the errors in use; more would
# only be refused.
MOST_FOLDS = 4.0
FIRST_FOLDS = 1.0  # for the first step, before any error is known
ORBIT_RAD_S = 1.24e-3  # sqrt(GM / a^3): how fast gravity turns at the surface
LONGEST_FIRST_S = 300.0
SAFETY = 0.9
LEAST_FACTOR, MOST_FACTOR = 0.2, 4.0
# Error of the velocity counts with the time to the ground, within these.
LEAST_TO_GO_S, MOST_TO_GO_S = 3.0, 2000.0
MOST_SHALLOW = 20.0
LEAST_FALL_M_S2 = 0.3  # gravity less what the speed round the Earth takes off, at least
# The slope of the logarithm of density changes by up to this at a bound (US 1976, 11 km: 6.5 K/km at 216.65 K).
KINK_1_M = 3e-5
# A layer's polynomial is good for a little beyond its bounds, and layers are the thicker the higher they lie.
LEAST_SLACK_M, MOST_SLACK_M = 1.0, 200.0
THICKER_M, THICKER = 90e3, 0.02  # above that height, by this share of the height over it
FAR_BELOW_M = 2000.0  # a step that ends so far below the ground is taken again
CLOSE_M = 1e-4  # to the ground: there
AT_PERIGEE_S = 1e-9  # from the perigee: there, as position times velocity over speed squared
FELT_M2_S4 = 1e-8  # square of the deceleration above which the change of density shortens a step
SHORTEST_S = 1e-9  # no flight needs a shorter step; numbers that are not finite do
MOST_STEPS = 5000


@jit_inline
def height_series(r: float, inverse_r: float, s2: float, a: float, second: float) -> float:
    """Height (m) over an ellipsoid as flat as the Earth, by a series.

    Within 4 um up to 10 km, 0.1 mm up to 100 km, 2 mm up to 1,000 km. r: distance from the Earth's centre (m); s2:
    (z / r)^2; a: semi-major axis (m); second: second eccentricity squared. With e = second s2 the radius of the
    ellipsoid under the point is a (1 + e)^(-1/2), and the square of the sine between it and the normal is
    e (second - e) / (1 + (2 + second) e).
    """
    e = second * s2
    surface = a * (1.0 + e * (-0.5 + e * (0.375 + e * (-0.3125 + e * (0.2734375 - e * 0.24609375)))))
    return (r - surface) * (1.0 - 0.5 * e * (second - e) * (1.0 - 2.0 * e) * surface * inverse_r)


@jit_inline
def height_rate(out: float, north: float, sine: float, inverse_r: float, a: float, second: float) -> float:
    """How fast that height changes (m/s); where a step begins and where it ends it must be the same to the sign.

    out: velocity away from the Earth's centre, north: along its axis (m/s); sine: z / r; the others as of
    `height_series`.
    """
    return out + a * second * (1.0 - 1.5 * second * sine * sine) * sine * (north - sine * out) * inverse_r


@jit_inline
def time_to_floor(rate: float, full: float, jerk: float, distance: float) -> float:
    """Time (s) until the height has changed by ``distance`` (m), downward; NEVER_S if it never does.

    rate (m/s), full (m/s2) and jerk (m/s3) are the first derivatives of the height. The root of the parabola, then
    two steps of Newton for the cubic. Below the floor the time is negative.
    """
    square = rate * rate + 2.0 * full * distance
    root = math.sqrt(max(square, 0.0))
    time = NEVER_S
    if square >= 0.0 and rate <= 0.0 and rate != root:
        time = 2.0 * distance / (rate - root)
    elif square >= 0.0 and rate > 0.0 and full < 0.0:
        time = -(rate + root) / full
    return newton(newton(time, rate, full, jerk, distance), rate, full, jerk, distance)


@jit_inline
def time_to_ceiling(rate: float, full: float, jerk: float, distance: float) -> float:
    """Like `time_to_floor`, upward."""
    square = rate * rate + 2.0 * full * distance
    time = NEVER_S
    if square >= 0.0 and rate > 0.0:
        time = 2.0 * distance / (rate + math.sqrt(square))
    return newton(time, rate, full, jerk, distance)


@jit_inline
def time_to_bound(down: float, up: float, on_ground: bool) -> float:
    """Time (s) to the next bound of a layer, from those to its floor and its ceiling.

    A flight goes back to the ground alone. It may be beyond another bound by the slack and turn there: a step back
    would be undone by the next one, for ever.
    """
    down = down if down > 0.0 or on_ground else NEVER_S
    return min(down, up if up > 0.0 else NEVER_S)


@jit_inline
def newton(time: float, rate: float, full: float, jerk: float, distance: float) -> float:
    """One step of Newton toward the time at which the cubic has gone the distance, at most 30 % of it."""
    j = jerk * time
    miss = time * (rate + time * (0.5 * full + j * (1.0 / 6.0))) - distance
    slope = rate + time * (full + 0.5 * j)
    most = 0.3 * time
    if time > 0.0 and time < 0.1 * NEVER_S and slope != 0.0:
        return time - min(max(miss / slope, -most), most)
    return time


@jit_inline
def time_to_go(rate: float, fall: float, height: float) -> float:
    """Time (s) to the ground in free fall; it weighs errors of velocity."""
    g = max(fall, LEAST_FALL_M_S2)
    time = (rate + math.sqrt(rate * rate + 2.0 * g * max(height, 0.0))) / g
    return min(max(time, LEAST_TO_GO_S), MOST_TO_GO_S)


@jit_inline
def shallowness(rate: float, fall: float, height: float, speed2: float) -> float:
    """Speed over that down at the ground in free fall, within limits; arguments as of `time_to_go`, speed2 (m2/s2).

    A body that enters the air a metre too high comes down this many metres too far.
    """
    g = max(fall, LEAST_FALL_M_S2)
    down2 = rate * rate + 2.0 * g * max(height, 0.0) + 1.0
    return min(max(math.sqrt(speed2 / down2), 1.0), MOST_SHALLOW)


@jit_inline
def slack_m(push: float, rate: float, weight: float, height: float, error_m: float) -> float:
    """How far from a bound (m) a step may end so that the wrong layer's air costs a twentieth of the error allowed.

    push: deceleration by drag (m/s2), rate: climb rate (m/s), height (m), all at the start of the step; weight: of an
    error of the velocity (s). While the body goes the offset, its deceleration is off by up to itself times KINK_1_M
    times the offset.
    """
    most = MOST_SLACK_M + THICKER * max(height - THICKER_M, 0.0)
    cost = KINK_1_M * push * weight / (abs(rate) + 1.0)
    return min(max(math.sqrt(0.1 * error_m / (cost + 1e-12)), LEAST_SLACK_M), most)
