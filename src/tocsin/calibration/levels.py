"""How far out an impact lies in what was told of it: the share of the distribution that is likelier.

Of areas the share is counted over points that stand for the distribution, by its density itself; it shares no code
with `prediction.region`, which draws the areas. If forecasts are honest, levels are uniform between 0 and 1, whatever
the distribution (Hyndman 1996, The American Statistician 50, 120-126).
"""

from __future__ import annotations

import math

import numpy as np
from scipy.stats import norm, qmc

from tocsin.kernel import jit
from tocsin.prediction.region import LEAST_VARIANCE
from tocsin.sensors.plots import Floats

# Points of a standard normal distribution in the plane: Halton's sequence without its first point.
POINTS = np.ascontiguousarray(norm.ppf(qmc.Halton(2, scramble=False).random(257)[1:]))


@jit
def _density(east: float, north: float, centre: Floats, root: Floats, factor: Floats) -> float:
    """Density of a sum of normal distributions. centre (k, 2), root (k, 3): Cholesky's lower factor by rows."""
    total = 0.0
    for k in range(len(centre)):
        a = (east - centre[k, 0]) / root[k, 0]
        b = (north - centre[k, 1] - root[k, 1] * a) / root[k, 2]
        square = a * a + b * b
        if square < 80.0:
            total += factor[k] * math.exp(-0.5 * square)
    return total


@jit
def level_of_place(
    weight: Floats, centre: Floats, covariance: Floats, place: Floats, points: Floats
) -> float:
    """Share of a sum of normal distributions in the plane that is likelier than a place (2,).

    weight (k,), summing to 1, centre (k, 2), covariance (k, 2, 2); points (p, 2) of a standard normal one. Right to
    about 1 / p.
    """
    count = len(weight)
    root, factor = np.empty((count, 3)), np.empty(count)
    for k in range(count):
        root[k, 0] = math.sqrt(max(covariance[k, 0, 0], LEAST_VARIANCE))
        root[k, 1] = covariance[k, 1, 0] / root[k, 0]
        root[k, 2] = math.sqrt(max(covariance[k, 1, 1] - root[k, 1] ** 2, LEAST_VARIANCE))
        factor[k] = weight[k] / (root[k, 0] * root[k, 2])
    there = _density(place[0], place[1], centre, root, factor)
    share = 0.0
    for k in range(count):
        if weight[k] < 1e-6:
            continue
        likelier = 0
        for p in range(len(points)):
            east = centre[k, 0] + root[k, 0] * points[p, 0]
            north = centre[k, 1] + root[k, 1] * points[p, 0] + root[k, 2] * points[p, 1]
            if _density(east, north, centre, root, factor) > there:
                likelier += 1
        share += weight[k] * likelier / len(points)
    return share


@jit
def level_of_time(weight: Floats, middle_s: Floats, variance_s2: Floats, time_s: float) -> float:
    """Probability of an earlier time, of a sum of normal distributions, weight, middle, variance (k,)."""
    below = 0.0
    for k in range(len(weight)):
        below += (
            weight[k] * 0.5 * math.erfc((middle_s[k] - time_s) / math.sqrt(2.0 * max(variance_s2[k], 1e-6)))
        )
    return below
