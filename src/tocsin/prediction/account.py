"""All that is told of an impact, but for its polygons, in one compiled call: from flights to the corners of areas."""

from __future__ import annotations

import math

import numpy as np

from tocsin.earth.ellipsoid import up_and_height
from tocsin.kernel import jit
from tocsin.prediction.area import frame, offsets, rings
from tocsin.prediction.forecast import QUANTILES
from tocsin.prediction.region import outlines, quantiles
from tocsin.sensors.plots import Floats, Ints

LEAST_DANGER = 0.01  # chance to be so dense as to be dangerous below which a body is told of as what it is
LEAST_VARIANCE_S2 = 1e-6


@jit
def account(
    point: Floats, covariance: Floats, weight: Floats, ln_beta: Floats, shares: Floats, danger_ln_beta: float
) -> tuple[
    float, float, float, Floats, Floats, Floats, float, Floats, Floats, Floats, Floats, Floats, Ints
]:  # fmt: skip
    """What is told of flights (k,), see `landings.Landings`, with areas that hold shares (n,).

    danger_ln_beta: of what is dangerous. Returns the time (s), latitude and longitude (rad) of the median flight; the
    second moments (3, 3) of east, north (m) and time (s) about it; the sizes (n,) of the areas (m2); the quantiles (7,)
    of the time less that of the median (s) at `QUANTILES`; how likely it is to be dangerous, 0 for next to nothing, and
    of that (of all, where it is nothing) weights (m,), offsets (m, 2) and covariances (m, 2, 2) on the ground, and the
    quantiles (7,); and the rings of the areas, see `area.rings`.
    """
    count = len(weight)
    # the median in time: what is lighter, or burns longer, comes down later
    middle, sum_ = 0, 0.0
    for k in np.argsort(point[:, 3].copy(), kind="mergesort"):
        middle = k
        sum_ += weight[k]
        if sum_ > 0.5 - 1e-9:
            break
    sin_lat, cos_lat, sin_lon, cos_lon, _ = up_and_height(
        point[middle, 0], point[middle, 1], point[middle, 2]
    )
    latitude, longitude = math.atan2(sin_lat, cos_lat), math.atan2(sin_lon, cos_lon)
    time_s = point[middle, 3]
    axes, _, _ = frame(latitude, longitude)
    turn = np.zeros((3, 4))
    turn[:2, :3] = axes[:2]
    turn[2, 3] = 1.0
    offset = offsets(latitude, longitude, point)
    late_s = point[:, 3] - time_s
    flat, wide_s2 = np.empty((count, 2, 2)), np.empty(count)
    moments, aside = np.zeros((3, 3)), np.empty(3)
    for k in range(count):
        spread = turn @ covariance[k] @ turn.T
        flat[k] = spread[:2, :2]
        wide_s2[k] = max(spread[2, 2], LEAST_VARIANCE_S2)
        aside[0], aside[1], aside[2] = offset[k, 0], offset[k, 1], late_s[k]
        for i in range(3):
            for m in range(3):
                # second moments about the reported point, which is not the mean
                moments[i, m] += weight[k] * (0.5 * (spread[i, m] + spread[m, i]) + aside[i] * aside[m])
    corners, parts, sizes = outlines(weight, offset, flat, shares)
    quantiles_s = quantiles(weight, late_s, wide_s2, QUANTILES)
    dense = ln_beta >= danger_ln_beta
    likely = weight[dense].sum()
    own = weight
    danger_s = quantiles_s
    if likely < LEAST_DANGER:
        likely = 0.0
    elif not dense.all():
        own, offset, flat = weight[dense] / likely, offset[dense], flat[dense]
        danger_s = quantiles(own, late_s[dense], wide_s2[dense], QUANTILES)
    found, told = rings(latitude, longitude, corners, parts)
    return (
        time_s,
        latitude,
        longitude,
        moments,
        sizes,
        quantiles_s,
        likely,
        own,
        offset,
        flat,
        danger_s,
        found,
        told,
    )
