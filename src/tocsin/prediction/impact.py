"""Where and when a body in free flight comes down: points, times and covariances.

The state is carried to the ground with its transition matrix and projected along the velocity onto
the ellipsoid (linear in position and velocity). Where the ballistic coefficient is uncertain, the
flight is far from linear in it, so it is flown at several nodes of its distribution, each with the
covariance that is left when it is known. An unknown wind is two components more of the state.
"""

from __future__ import annotations

import math

import numpy as np

from tocsin.earth.drag import with_shape
from tocsin.earth.ellipsoid import up_and_height
from tocsin.earth.forces import STANDARD, Forces
from tocsin.earth.integrate import fly
from tocsin.earth.motion import (
    BALLISTIC,
    density_and_slope,
    layer_at,
    mach_factor,
    wind_and_slope,
    wind_share,
)
from tocsin.earth.status import LANDED, STARTS_BELOW
from tocsin.kernel import jit
from tocsin.sensors.plots import Floats
from tocsin.units import STANDARD_GRAVITY_M_S2

KIND: int = np.int64(BALLISTIC)  # type: ignore[assignment]  # a literal would have Numba compile the flight anew
LONGEST_FLIGHT_S = 5400.0  # an orbit: what has not landed by then is not coming down
STEP_ERROR_M = 0.3  # allowed in a step of a flight: in all about a metre, of areas of hundreds
# Unknown wind, each axis at 11 km: as the referee's bound and the climate of middle latitudes have it.
WIND_SIGMA_M_S = 15.0
# What has no fixed attitude, and so all that is lighter than this, has the drag of a tumbling fragment by Mach number;
# what is denser one that is the same at every speed.
TUMBLING_LN_BETA = math.log(1200.0)
TUMBLING = with_shape(STANDARD, "fragment")
# What no track can tell is how drag will depart, on the way that is left, from what it was so far (one sigma of ln
# beta): air from the standard, by 2 % near the ground and 5 to 10 % above; and the drag coefficient as the body slows,
# for each factor e in its speed (in the tables of `earth.drag` shapes differ by so much).
AIR_SIGMA, SHAPE_SIGMA, MOST_FOLDS = 0.05, 0.15, 2.0
# What falls about as slowly as its drag lets it goes with the air. What is left of its speed across has been braked by
# all the air above it: of this speed at the most (m/s), exp(- that mass of air over 2 beta).
SLOW_DRAG = (0.5, 2.0)  # over gravity
ACROSS_M_S = 3000.0
SCALE_HEIGHT_M = 7e3  # of the air
# The wind at one height says that of others to so much (m/s), and so much of it stays unknown below.
SHEAR_M_S, LEAST_WIND_M_S = 4.0, 4.0

COMES_DOWN, STAYS_UP = 0, 1


@jit
def land(x: Floats, ground_m: float, f: Forces) -> tuple[int, float, Floats, Floats, float]:
    """One flight: code, time, state (9,) at the ground, derivative (4, 9) of place and time, lowest height."""
    code, t, y, transition, lowest, _ = fly(KIND, x, LONGEST_FLIGHT_S, ground_m, STEP_ERROR_M, f)
    if code == STARTS_BELOW:  # it has just landed
        code = LANDED
    J = np.zeros((4, 9))
    if code != LANDED:
        return code, t, y, J, lowest
    sin_lat, cos_lat, sin_lon, cos_lon, _ = up_and_height(y[0], y[1], y[2])
    up = np.array([cos_lat * cos_lon, cos_lat * sin_lon, sin_lat])
    down = up[0] * y[3] + up[1] * y[4] + up[2] * y[5]
    for c in range(9):
        rise = up[0] * transition[0, c] + up[1] * transition[1, c] + up[2] * transition[2, c]
        J[3, c] = -rise / down
        for i in range(3):
            J[i, c] = transition[i, c] + y[3 + i] * J[3, c]
    return code, t, y, J, lowest


@jit
def _learn_wind(x: Floats, P: Floats, f: Forces) -> None:
    """What the speed across of something that falls slowly tells of the wind: x (9,) and P (9, 9), in place.

    An update of a Kalman filter by: speed across = wind + what is left of its own.
    """
    sin_lat, cos_lat, sin_lon, cos_lon, height = up_and_height(x[0], x[1], x[2])
    share = wind_share(height)
    layer = layer_at(height, 0.0, f.air_knots_m)
    density = density_and_slope(height, layer, f)[0]
    speed2 = x[3] * x[3] + x[4] * x[4] + x[5] * x[5]
    falling = cos_lat * (cos_lon * x[3] + sin_lon * x[4]) + sin_lat * x[5] < 0.0
    drag = 0.5 * density * speed2 * math.exp(-x[6]) / STANDARD_GRAVITY_M_S2
    if share <= 0.0 or not falling or drag < SLOW_DRAG[0] or drag > SLOW_DRAG[1]:
        return
    # the mass of the air above is its pressure over gravity, density over its slope
    above = density * SCALE_HEIGHT_M
    own = ACROSS_M_S * math.exp(-0.5 * above * math.exp(-x[6]))
    axes = np.array([[-sin_lon, cos_lon, 0.0], [-sin_lat * cos_lon, -sin_lat * sin_lon, cos_lat]])
    east, north = 0.0, 0.0
    if len(f.wind) > 0:
        east, north, _, _ = wind_and_slope(height, f.wind)
    H, PH = np.zeros(9), np.zeros(9)
    for turn in range(2):
        H[:] = 0.0
        value = -(east if turn == 0 else north) - share * x[7 + turn]
        for i in range(3):
            H[3 + i] = axes[turn, i]
            value += axes[turn, i] * x[3 + i]
        H[7 + turn] = -share
        S = own * own + SHEAR_M_S * SHEAR_M_S
        for i in range(9):
            PH[i] = 0.0
            for m in range(9):
                PH[i] += P[i, m] * H[m]
        for i in range(9):
            S += H[i] * PH[i]
        for i in range(9):
            x[i] -= PH[i] / S * value
            for m in range(9):
                P[i, m] -= PH[i] * PH[m] / S
    for i in range(7, 9):
        P[i, i] = max(P[i, i], LEAST_WIND_M_S * LEAST_WIND_M_S)


@jit
def _by_mach(x: Floats, f: Forces) -> float:
    """ln of the drag coefficient of a state over its hypersonic value."""
    height = up_and_height(x[0], x[1], x[2])[4]
    speed = math.sqrt(x[3] * x[3] + x[4] * x[4] + x[5] * x[5])
    layer = layer_at(height, 0.0, f.air_knots_m)
    return math.log(mach_factor(max(speed, 1.0), height, layer, f)[0])


@jit
def impact(
    x: Floats, P: Floats, nodes: Floats, weights: Floats, width: float, ground_m: float,
    wind_sigma_m_s: float, steady: Forces, tumbling: Forces,
) -> tuple[int, Floats, Floats, Floats, Floats, float]:  # fmt: skip
    """Impacts of a BALLISTIC state at some values of ln beta.

    x (9,), P (9, 9), of which seven components are in use; nodes (k,) of ln beta, weights (k,), and the sigma of ln
    beta that each stands for; ground_m: height of the ground; wind_sigma_m_s: of what is not known of the wind, each
    axis at 11 km; steady, tumbling: what acts on a body that keeps its attitude, and on one that does not.

    Returns COMES_DOWN or STAYS_UP; the points (m, 4) of the m flights that come down, ECEF (m) and time of flight (s);
    their covariances (m, 4, 4); their weights (m,), summing to 1; their ln beta (m,); and the lowest height met where
    the likeliest stays up (m).
    """
    count = len(nodes)
    points, C, left = np.zeros((count, 4)), np.zeros((count, 4, 4)), weights.copy()
    gain = np.zeros(len(x))
    gain[6] = 1.0
    known = P.copy()
    if P[6, 6] > 0.0:
        for i in range(7):
            gain[i] = P[i, 6] / P[6, 6]
        for i in range(7):
            for m in range(7):
                known[i, m] = P[i, m] + gain[i] * gain[m] * (width * width - P[6, 6])
    known[7, 7] = known[8, 8] = wind_sigma_m_s**2
    first = int(np.argmax(weights))
    lowest_of_all = ground_m
    for turn in range(count):  # the likeliest first: where it stays up, no other need fly
        k = (first + turn) % count
        start = x + gain * (nodes[k] - x[6])
        start[6] = nodes[k]
        covariance = known.copy()
        f = steady
        _learn_wind(start, covariance, f)
        if nodes[k] < TUMBLING_LN_BETA:
            f = tumbling
            start[6] += _by_mach(start, tumbling)
        code, t, y, J, lowest = land(start, ground_m, f)
        if code != LANDED and turn == 0:
            return STAYS_UP, points, C, left, nodes, lowest
        if code != LANDED:
            left[k] = 0.0
            continue
        points[k, :3] = y[:3]
        points[k, 3] = t
        slower = 0.5 * math.log((start[3:6] ** 2).sum() / (y[3:6] ** 2).sum())
        depart = SHAPE_SIGMA * min(max(slower, 0.0), MOST_FOLDS)
        covariance[6, 6] += AIR_SIGMA**2 + depart * depart
        C[k] = J @ covariance @ J.T
    some = left > 0.0
    return COMES_DOWN, points[some], C[some], left[some] / left.sum(), nodes[some], lowest_of_all
