"""Where and when a body in free flight comes down: points, times and covariances.

The state is carried to the ground with its transition matrix and projected along the velocity onto
the ellipsoid (linear in position and velocity). Where the ballistic coefficient is uncertain, the
flight is far from linear in it, so it is flown at several nodes of its distribution, each with the
covariance that is left when it is known. An unknown wind is two components more of the state.
"""

from __future__ import annotations

import math

import numpy as np

from tocsin.earth.ellipsoid import up_and_height
from tocsin.earth.forces import STANDARD
from tocsin.earth.integrate import fly
from tocsin.earth.motion import BALLISTIC
from tocsin.earth.status import LANDED, STARTS_BELOW
from tocsin.kernel import jit
from tocsin.sensors.plots import Floats
from tocsin.tracking.modes import LEAST_LN_BETA, MOST_LN_BETA

KIND: int = np.int64(BALLISTIC)  # type: ignore[assignment]  # a literal would have Numba compile the flight anew
LONGEST_FLIGHT_S = 5400.0  # an orbit: what has not landed by then is not coming down
STEP_ERROR_M = 0.3  # allowed in a step of a flight: in all about a metre, of areas of hundreds
# Unknown wind, each axis at 11 km: as the referee's bound and the climate of middle latitudes have it.
WIND_SIGMA_M_S = 15.0
# Nodes of ln beta in its sigmas, out to where 99 % lie, and the share of the distribution that each
# stands for (the density there times the spacing, scaled to one).
NODES = np.array([-2.6, -1.7, -0.8, 0.0, 0.8, 1.7, 2.6])
WEIGHTS = np.exp(-0.5 * NODES**2) * np.gradient(NODES)
WEIGHTS /= WEIGHTS.sum()
LINEAR_SIGMA = 0.03  # of ln beta, below which one flight does

COMES_DOWN, STAYS_UP = 0, 1


@jit
def _land(x: Floats, P: Floats, ground_m: float) -> tuple[int, float, Floats, Floats, float]:
    """One flight: code, time, point (3,), covariance (4, 4) of point and time, lowest height."""
    code, t, y, transition, lowest, _ = fly(KIND, x, LONGEST_FLIGHT_S, ground_m, STEP_ERROR_M, STANDARD)
    if code == STARTS_BELOW:  # it has just landed
        code = LANDED
    point, C = y[:3].copy(), np.zeros((4, 4))
    if code != LANDED:
        return code, t, point, C, lowest
    sin_lat, cos_lat, sin_lon, cos_lon, _ = up_and_height(y[0], y[1], y[2])
    up = np.array([cos_lat * cos_lon, cos_lat * sin_lon, sin_lat])
    down = up[0] * y[3] + up[1] * y[4] + up[2] * y[5]
    J = np.zeros((4, 9))
    for c in range(9):
        rise = up[0] * transition[0, c] + up[1] * transition[1, c] + up[2] * transition[2, c]
        J[3, c] = -rise / down
        for i in range(3):
            J[i, c] = transition[i, c] + y[3 + i] * J[3, c]
    return code, t, point, J @ P @ J.T, lowest


@jit
def impact(x: Floats, P: Floats, ground_m: float) -> tuple[int, Floats, Floats, Floats, Floats, float]:
    """Impact of a BALLISTIC state.

    x (9,), P (9, 9), of which seven components are in use; ground_m: height of the ground. Returns
    COMES_DOWN or STAYS_UP; the points (k, 4) of k flights, ECEF (m) and time of flight (s); their
    covariances (k, 4, 4); their weights (k,); where they stand in ln beta (k,), in
    sigmas from the mean; and the lowest height met where it stays up (m). The
    flight in the middle is that of the mean state; k is 1 where the ballistic coefficient is known.
    """
    sigma = math.sqrt(max(P[6, 6], 0.0))
    count = len(NODES) if sigma > LINEAR_SIGMA else 1
    points, C, weights = np.zeros((count, 4)), np.zeros((count, 4, 4)), np.ones(count)
    known = P.copy()
    gain = np.zeros(len(x))
    nodes = np.zeros(1)
    if count > 1:  # the rest of the state given ln beta
        gain = P[:, 6] / P[6, 6]
        known = P - np.outer(gain, P[6, :])
        nodes = NODES
        weights = WEIGHTS.copy()
    known[7, 7] = known[8, 8] = WIND_SIGMA_M_S**2
    middle = count // 2
    for turn in range(count):  # the middle first: where it stays up, no other need fly
        k = (middle + turn) % count
        start = x + gain * (nodes[k] * sigma)
        start[6] = min(max(start[6], LEAST_LN_BETA), MOST_LN_BETA)
        code, t, point, Ck, lowest = _land(start, known, ground_m)
        if code != LANDED and k == middle:
            return STAYS_UP, points, C, weights, nodes, lowest
        if code != LANDED:
            weights[k] = 0.0
            continue
        points[k, :3] = point
        points[k, 3] = t
        C[k] = Ck
    some = weights > 0.0
    return COMES_DOWN, points[some], C[some], weights[some] / weights.sum(), nodes[some], ground_m
