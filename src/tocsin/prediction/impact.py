"""Where and when a body in free flight comes down: points, times and covariances.

The state is carried to the ground with its transition matrix and projected along the velocity onto
the ellipsoid (linear in position and velocity). Where the ballistic coefficient is uncertain, the
flight is far from linear in it, so it is flown at several nodes of its distribution, each with the
covariance that is left when it is known. An unknown wind is two components more of the state; what drag
may depart by on the way that is left adds its own (`departures`).
"""

from __future__ import annotations

import math

import numpy as np

from tocsin.earth.ellipsoid import up_and_height
from tocsin.earth.forces import Forces
from tocsin.earth.integrate import Tape, back, flight, new_tape
from tocsin.earth.motion import BALLISTIC, layer_at, mach_factor
from tocsin.earth.status import LANDED, STARTS_BELOW
from tocsin.kernel import jit
from tocsin.prediction.departures import TUMBLING_LN_BETA, departures, mach_of
from tocsin.prediction.drift import LEAST_DRIFT_M, drift, learn_wind, slow_below_m
from tocsin.sensors.plots import Floats

KIND: int = np.int64(BALLISTIC)  # type: ignore[assignment]  # a literal would have Numba compile the flight anew
SLOWEST_M_S = 2.0  # that anything comes down with: the terminal speed of a leaf
LONGEST_FLIGHT_S = 5400.0  # an orbit: what has not landed by then is not coming down
STEP_ERROR_M = 1.0  # allowed in a step of a flight: in all about as much, of areas of hundreds
# Unknown wind, each axis at 11 km: as the referee's bound and the climate of middle latitudes have it.
WIND_SIGMA_M_S = 15.0

COMES_DOWN, STAYS_UP = 0, 1


@jit
def land(
    x: Floats, ground_m: float, f: Forces, tape: Tape, error_m: float = STEP_ERROR_M
) -> tuple[int, float, Floats, Floats, float, int, Tape]:
    """One flight. error_m: allowed in a step.

    Returns code, time, state (9,) at the ground, derivative (4, 9) of place and time, lowest height, steps, tape.
    """
    code, t, y, lowest, _, steps, tape = flight(KIND, x, LONGEST_FLIGHT_S, ground_m, error_m, f, tape)
    if code == STARTS_BELOW:  # it has just landed
        code = LANDED
    if code != LANDED:
        return code, t, y, np.zeros((4, 9)), lowest, steps, tape
    sin_lat, cos_lat, sin_lon, cos_lon, _ = up_and_height(y[0], y[1], y[2])
    up = (cos_lat * cos_lon, cos_lat * sin_lon, sin_lat)
    # nothing lands level: what is found below the ground at rest has just done so
    down = min(up[0] * y[3] + up[1] * y[4] + up[2] * y[5], -SLOWEST_M_S)
    end = np.zeros((7, 4))  # of place and time on the ground by the state when the flight ends
    if steps == 0 and y[3] == 0.0 and y[4] == 0.0 and y[5] == 0.0:  # it lies there: no flight leads to it
        end[:] = math.nan
    for c in range(3):
        end[c, 3] = -up[c] / down
        for i in range(3):
            end[c, i] = y[3 + i] * end[c, 3] + (1.0 if i == c else 0.0)
    J = np.ascontiguousarray(back(steps, tape, f.ablation_s2_m2 > 0.0, end).T)
    return code, t, y, J, lowest, steps, tape


@jit
def ln_by_mach(x: Floats, f: Forces) -> float:
    """ln of the drag coefficient of a state over its hypersonic value."""
    height = up_and_height(x[0], x[1], x[2])[4]
    speed = math.sqrt(x[3] * x[3] + x[4] * x[4] + x[5] * x[5])
    layer = layer_at(height, 0.0, f.air_knots_m)
    return math.log(mach_factor(max(speed, 1.0), height, layer, f)[0])


@jit
def fall(
    x: Floats, tumbles: bool, ground_m: float, f: Forces, tape: Tape, error_m: float = STEP_ERROR_M
) -> tuple[int, float, Floats, Floats, Floats, float, int, Tape]:
    """One flight, with the last part of a slow fall by quadrature.

    tumbles: it keeps no attitude; error_m: allowed in a step. Returns code, time, state (9,) at the ground, derivative
    (4, 9) of place and time by the start, and by `departures` (3, 4), lowest height, steps, tape.
    """
    slow_m = slow_below_m(x, f)
    slow, middle_m, mach = np.zeros(4), ground_m, 0.0
    if slow_m < ground_m + LEAST_DRIFT_M:
        code, t, y, J, lowest, steps, tape = land(x, ground_m, f, tape, error_m)
    else:
        code, t, y, J, lowest, steps, tape = land(x, slow_m, f, tape, error_m)
        if code == LANDED:
            slow -= J[:, 6]
            t += drift(y, J, ground_m, f)
            slow += J[:, 6]
            lowest, middle_m, mach = ground_m, 0.5 * (slow_m + ground_m), mach_of(y, f)
    if code != LANDED:
        return code, t, y, J, np.zeros((3, 4)), lowest, steps, tape
    D = departures(x, tumbles, steps, tape, slow, middle_m, mach, f)
    return code, t, y, J, D, lowest, steps, tape


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
        tumbles = nodes[k] < TUMBLING_LN_BETA
        f = tumbling if tumbles else steady
        learn_wind(start, covariance, f)
        if len(f.curve) > 0:
            start[6] += ln_by_mach(start, f)
        code, t, y, J, D, lowest, _, tape = fall(start, tumbles, ground_m, f, tape)
        if code != LANDED and turn == 0:
            return STAYS_UP, points, C, left, nodes, lowest
        if code != LANDED:
            left[k] = 0.0
            continue
        points[k, :3] = y[:3]
        points[k, 3] = t
        C[k] = J @ covariance @ J.T + D.T @ D
    some = left > 0.0
    return COMES_DOWN, points[some], C[some], left[some] / left.sum(), nodes[some], lowest_of_all
