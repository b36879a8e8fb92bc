"""How drag may depart, on the way that is left, from what it has been so far.

A track knows the drag of now. What it cannot know is how that changes: the drag coefficient as the body slows, by the
body's shape, and the density of the air below. Each of these ways is nothing now and grows along the flight: it is a
departure of ln Cd, D, that hangs on Mach number and height. The derivatives of the end by the drag at each stage of the
flight stand on its tape (`earth.integrate.back`); so the end moves by the sum of D times those, exactly, and no other
flight is needed.

Shape. The logarithms of textbook drag curves go like sums of two: of a sharp cone's, which rises toward the speed of
sound, and of a tumbling cube's, which falls below it. Shares of cone and cube, by the tables of `earth.drag` from Mach
3 to 1.1 and from there to 0.6: a ball 0 and 1.7, a cylinder with its face ahead -0.3 and 1.7, a cone 1 and 0; of the
standard projectiles G1, with a short nose and a flat base, 0.1 and 2.9, and G7, with a long nose and a boat tail, 0.6
and 2.3 (McCoy 2012, Modern Exterior Ballistics, chapter 4). What keeps its attitude is believed to lie between a cube
and a cone, nearer to the cube; what tumbles between a cube and a ball. Beyond Mach 8 the coefficient of what is not as
sharp as a needle no longer changes (Hayes and Probstein 1966, Hypersonic Flow Theory).

Air. The density departs from the standard by 2 % near the ground and by 10 % at 80 km, and by something else some
kilometres lower.
"""

from __future__ import annotations

import math

import numpy as np

from tocsin.earth.drag import ln_curve, mixed_curve
from tocsin.earth.ellipsoid import up_and_height
from tocsin.earth.forces import MACH_STEP, STANDARD, Forces
from tocsin.earth.integrate import NUMBERS, PASSED, Tape
from tocsin.earth.motion import layer_at, sound_and_slope
from tocsin.kernel import jit
from tocsin.sensors.plots import Floats

# What has no fixed attitude, and so all that is lighter than this, has the drag of a tumbling fragment by Mach number.
TUMBLING_LN_BETA = math.log(1200.0)
MOST_MACH = 8.0
STEADY = STANDARD._replace(curve=mixed_curve({"slender": 0.2, "fragment": 0.8}, MOST_MACH))
TUMBLING = STANDARD._replace(curve=mixed_curve({"fragment": 1.2}))
CONE, CUBE = ln_curve("slender", MOST_MACH), ln_curve("fragment")
# One sigma of the shares of cone and cube: of what keeps its attitude, and of what tumbles.
STEADY_SIGMAS, TUMBLING_SIGMAS = (0.2, 0.7), (0.0, 0.6)
# One sigma of ln density: near the ground, its growth with height up to there, and the height over which it changes.
AIR_SIGMA, AIR_SIGMA_1_M, AIR_TOP_M, AIR_DEPTH_M = 0.02, 1e-6, 80e3, 4e3
WAYS = 3


@jit
def at_mach(mach: float, curve: Floats) -> float:
    """Value of cubics (n, 4) every MACH_STEP at a Mach number; constant beyond."""
    place = mach / MACH_STEP
    i = int(min(place, len(curve) - 1.0))
    d = min(place - i, 1.0)
    return float(((curve[i, 3] * d + curve[i, 2]) * d + curve[i, 1]) * d + curve[i, 0])


@jit
def mach_of(x: Floats, f: Forces) -> float:
    """Mach number of a state over the ground; 0 where drag does not hang on it."""
    if len(f.curve) == 0:
        return 0.0
    height = up_and_height(x[0], x[1], x[2])[4]
    speed = math.sqrt(x[3] * x[3] + x[4] * x[4] + x[5] * x[5])
    return float(speed / math.sqrt(sound_and_slope(height, layer_at(height, 0.0, f.air_knots_m), f)[0]))


@jit
def air_sigma(height: float) -> float:
    """Sigma of ln density at a height (m)."""
    return AIR_SIGMA + AIR_SIGMA_1_M * min(max(height, 0.0), AIR_TOP_M)


@jit
def departures(
    x: Floats, tumbles: bool, steps: int, tape: Tape, slow: Floats, slow_m: float, slow_mach: float, f: Forces
) -> Floats:
    """Derivatives (3, 4) of place and time of an impact by departures of one sigma to less drag: of cone, cube and air.

    x (9,): the state at the start. tumbles: it keeps no attitude. steps, tape: of its flight, after `back`. slow (4,):
    the derivative by ln beta of what follows the flight, a slow fall about a height (m) and a Mach number.
    """
    height, mach = up_and_height(x[0], x[1], x[2])[4], mach_of(x, f)
    sigmas = TUMBLING_SIGMAS if tumbles else STEADY_SIGMAS
    cone, cube, air = at_mach(mach, CONE), at_mach(mach, CUBE), air_sigma(height)
    out = np.zeros((WAYS, NUMBERS))
    for n in range(steps * PASSED + 1):
        if n < steps * PASSED:
            step, stage = n // PASSED, n % PASSED
            by = tape.braked[step, stage]
            at_m, at = tape.felt[step, stage, 0], tape.felt[step, stage, 1]
        else:
            by, at_m, at = slow, slow_m, slow_mach
        if by[3] == 0.0 and by[0] == 0.0:  # above the air
            continue
        there, far = air_sigma(at_m), abs(height - at_m)
        by_air = math.sqrt(air * air + there * there) * far / (AIR_DEPTH_M + far)
        by_cone, by_cube = -sigmas[0] * cone, -sigmas[1] * cube
        if at < MOST_MACH:
            by_cone += sigmas[0] * at_mach(at, CONE)
            by_cube += sigmas[1] * at_mach(at, CUBE)
        for q in range(NUMBERS):
            out[0, q] += by_cone * by[q]
            out[1, q] += by_cube * by[q]
            out[2, q] += by_air * by[q]
    return out
