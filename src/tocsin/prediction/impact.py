"""Where and when a body in free flight comes down: points, times and covariances.

The state is carried to the ground with its transition matrix and projected along the velocity onto
the ellipsoid (linear in position and velocity). Where the ballistic coefficient is uncertain, the
flight is far from linear in it, so it is flown at several nodes of its distribution, each with the
covariance that is left when it is known. An unknown wind is two components more of the state.
"""

from __future__ import annotations

import math

import numpy as np

from tocsin.earth.drag import drag_curve, with_shape
from tocsin.earth.ellipsoid import up_and_height
from tocsin.earth.forces import STANDARD, Forces
from tocsin.earth.integrate import Tape, back, flight, new_tape
from tocsin.earth.motion import BALLISTIC, layer_at, mach_factor
from tocsin.earth.status import LANDED, STARTS_BELOW
from tocsin.kernel import jit
from tocsin.prediction.drift import LEAST_DRIFT_M, drift, learn_wind, slow_below_m
from tocsin.sensors.plots import Floats

KIND: int = np.int64(BALLISTIC)  # type: ignore[assignment]  # a literal would have Numba compile the flight anew
SLOWEST_M_S = 2.0  # that anything comes down with: the terminal speed of a leaf
LONGEST_FLIGHT_S = 5400.0  # an orbit: what has not landed by then is not coming down
STEP_ERROR_M = 1.0  # allowed in a step of a flight: in all about as much, of areas of hundreds
# Unknown wind, each axis at 11 km: as the referee's bound and the climate of middle latitudes have it.
WIND_SIGMA_M_S = 15.0
# What has no fixed attitude, and so all that is lighter than this, has the drag of a tumbling fragment by Mach number.
# What is denser keeps its attitude: its drag rises toward the speed of sound, that of a sharp cone fivefold
# (`earth.drag`), that of a round body hardly; this power of the cone's lies between, nearer to the round body.
TUMBLING_LN_BETA = math.log(1200.0)
STEADY_POWER = 0.15
TUMBLING = with_shape(STANDARD, "fragment")
STEADY = STANDARD._replace(curve=drag_curve("slender", STEADY_POWER))
# What no track can tell is how drag will depart, on the way that is left, from what it was so far (one sigma of ln
# beta): air from the standard, by 2 % near the ground and 5 to 10 % above; and the drag coefficient as the body slows,
# for each factor e in its speed: of what keeps its attitude, and of what tumbles, whose shapes differ less (as the
# tables of `earth.drag` do).
AIR_SIGMA, MOST_FOLDS = 0.04, 2.0
STEADY_SIGMA, TUMBLING_SIGMA = 0.1, 0.09

COMES_DOWN, STAYS_UP = 0, 1


@jit
def land(x: Floats, ground_m: float, f: Forces, tape: Tape) -> tuple[int, float, Floats, Floats, float, Tape]:
    """One flight: code, time, state (9,) at the ground, derivative (4, 9) of place and time, lowest height, tape."""
    code, t, y, lowest, _, steps, tape = flight(KIND, x, LONGEST_FLIGHT_S, ground_m, STEP_ERROR_M, f, tape)
    if code == STARTS_BELOW:  # it has just landed
        code = LANDED
    if code != LANDED:
        return code, t, y, np.zeros((4, 9)), lowest, tape
    sin_lat, cos_lat, sin_lon, cos_lon, _ = up_and_height(y[0], y[1], y[2])
    up = (cos_lat * cos_lon, cos_lat * sin_lon, sin_lat)
    # nothing lands level: what is found below the ground at rest has just done so
    down = min(up[0] * y[3] + up[1] * y[4] + up[2] * y[5], -SLOWEST_M_S)
    end = np.zeros((7, 4))  # of place and time on the ground by the state when the flight ends
    for c in range(3):
        end[c, 3] = -up[c] / down
        for i in range(3):
            end[c, i] = y[3 + i] * end[c, 3] + (1.0 if i == c else 0.0)
    J = np.ascontiguousarray(back(steps, tape, f.ablation_s2_m2 > 0.0, end).T)
    return code, t, y, J, lowest, tape


@jit
def ln_by_mach(x: Floats, f: Forces) -> float:
    """ln of the drag coefficient of a state over its hypersonic value."""
    height = up_and_height(x[0], x[1], x[2])[4]
    speed = math.sqrt(x[3] * x[3] + x[4] * x[4] + x[5] * x[5])
    layer = layer_at(height, 0.0, f.air_knots_m)
    return math.log(mach_factor(max(speed, 1.0), height, layer, f)[0])


@jit
def fall(x: Floats, ground_m: float, f: Forces, tape: Tape) -> tuple[int, float, Floats, Floats, float, Tape]:
    """As `land`, with the last part of a slow fall by quadrature."""
    slow_m = slow_below_m(x, f)
    if slow_m < ground_m + LEAST_DRIFT_M:
        return land(x, ground_m, f, tape)
    code, t, y, J, lowest, tape = land(x, slow_m, f, tape)
    if code != LANDED:
        return code, t, y, J, lowest, tape
    return code, t + drift(y, J, ground_m, f), y, J, ground_m, tape


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
    lowest_of_all, tape = ground_m, new_tape()
    for turn in range(count):  # the likeliest first: where it stays up, no other need fly
        k = (first + turn) % count
        start = x + gain * (nodes[k] - x[6])
        start[6] = nodes[k]
        covariance = known.copy()
        f, sigma = steady, STEADY_SIGMA
        if nodes[k] < TUMBLING_LN_BETA:
            f, sigma = tumbling, TUMBLING_SIGMA
        learn_wind(start, covariance, f)
        if len(f.curve) > 0:
            start[6] += ln_by_mach(start, f)
        code, t, y, J, lowest, tape = fall(start, ground_m, f, tape)
        if code != LANDED and turn == 0:
            return STAYS_UP, points, C, left, nodes, lowest
        if code != LANDED:
            left[k] = 0.0
            continue
        points[k, :3] = y[:3]
        points[k, 3] = t
        slower = 0.5 * math.log((start[3:6] ** 2).sum() / (y[3:6] ** 2).sum())
        depart = sigma * min(max(slower, 0.0), MOST_FOLDS)
        covariance[6, 6] += AIR_SIGMA**2 + depart * depart
        C[k] = J @ covariance @ J.T
    some = left > 0.0
    return COMES_DOWN, points[some], C[some], left[some] / left.sum(), nodes[some], lowest_of_all
