"""Plots that no track claims, kept for a while: of them new tracks are made (`initiation`, `launches`).

Of a radar without elevation, the height that an aircraft reports stands in its place (`raised`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tocsin.earth.ellipsoid import ecef_to_geodetic
from tocsin.kernel import jit
from tocsin.sensors.models import Looks, some
from tocsin.sensors.plots import Floats, Ints

SMALL_POOL = 1000  # plots, up to which those of several scans are kept in one array

# Of plots without elevation: heights that transponders report are of pressure (the weather's offset is some 100 m).
# Without one, air traffic is anywhere up to 13 km; the sigma is larger since each plot of a start says so again.
HEIGHT_SIGMA_M = 60.0
MIDDLE_HEIGHT_M, WIDE_HEIGHT_SIGMA_M = 6.5e3, 6e3


class Pool(NamedTuple):
    """Plots of the last while that no track claims; m rows."""

    looks: Looks
    sensor: Ints  # (m,)
    scan: Ints  # (m,)
    number: Ints  # (m,) names of the plots
    sight_m: Floats  # (m, 3) position where range is measured, NaN elsewhere
    spread_m: Floats  # (m,) one-sigma of that position; of a sight line, of its direction (rad)


def make_pool(looks: Looks, sensor: int, scan: int, number: Ints, blur2: Floats, flat: bool = False) -> Pool:
    """A pool of the plots of one scan; blur2 (m, 4): their variances with what is not known of the sensors' offsets.

    flat: of a radar without elevation.
    """
    count = len(looks.time_s)
    sight_m, spread_m = _placed(looks.position_m, looks.axes, looks.measured, blur2, flat)
    return Pool(
        looks, np.full(count, sensor, np.int64), np.full(count, scan, np.int64), number, sight_m, spread_m
    )


@jit
def _placed(
    position: Floats, axes: Floats, measured: Floats, blur2: Floats, flat: bool
) -> tuple[Floats, Floats]:
    """Where plots lie and how uncertainly, as in `Pool`."""
    count = len(position)
    sight, spread = np.empty((count, 3)), np.empty(count)
    for k in range(count):
        rho = measured[k, 0]
        angle2 = blur2[k, 0] if flat else max(blur2[k, 0], blur2[k, 1])
        spread[k] = math.sqrt(angle2) if math.isnan(rho) else math.sqrt(rho * rho * angle2 + blur2[k, 2])
        for i in range(3):
            sight[k, i] = position[k, i] + rho * axes[k, 0, i]
    return sight, spread


def keep(pool: Pool, mask: NDArray[np.bool_] | Ints) -> Pool:
    """The rows of a pool picked by a mask or indices."""
    return Pool(
        some(pool.looks, mask),
        pool.sensor[mask],
        pool.scan[mask],
        pool.number[mask],
        pool.sight_m[mask],
        pool.spread_m[mask],
    )


def whole(pools: Sequence[Pool]) -> Pool:
    """Pools as one, the rows of each after those of the one before."""
    if len(pools) == 1:
        return pools[0]
    return Pool(
        Looks(*(np.concatenate(c) for c in zip(*(p.looks for p in pools), strict=True))),
        *(np.concatenate(c) for c in zip(*(p[1:] for p in pools), strict=True)),
    )


def picked(pools: tuple[Pool, ...], mask: NDArray[np.bool_]) -> tuple[Pool, ...]:
    """Pools without the rows that a mask of all of them leaves out: those that lose none stay as they are."""
    out, begin = [], 0
    for pool in pools:
        mine = mask[begin : begin + len(pool.sensor)]
        begin += len(mine)
        if mine.all():
            out.append(pool)
        elif mine.any():
            out.append(keep(pool, mine))
    return tuple(out)


def added(pools: tuple[Pool, ...], fresh: Pool) -> tuple[Pool, ...]:
    """Pools and one more; small ones are put together."""
    if pools and len(pools[-1].sensor) + len(fresh.sensor) < SMALL_POOL:
        return (*pools[:-1], whole((pools[-1], fresh)))
    return (*pools, fresh)


def raised(looks: Looks, height_m: Floats) -> Looks:
    """Looks of a radar without elevation, with the elevation that reported heights (m,) give in its place.

    Where no height is reported, that of the middle of air traffic. The curve of the Earth is that of a sphere, right to
    some metres out to 400 km.
    """
    none = np.isnan(looks.variance[:, 1]) & ~np.isnan(looks.variance[:, 0]) & ~np.isnan(looks.measured[:, 0])
    if not none.any():
        return looks
    told = ~np.isnan(height_m)
    height = np.where(told, height_m, MIDDLE_HEIGHT_M)
    rho = np.maximum(looks.measured[:, 0], 1.0)
    _, _, own = ecef_to_geodetic(looks.position_m)
    radius = np.linalg.norm(looks.position_m, axis=1)
    far = radius - own + height
    sine = np.clip((far**2 - radius**2 - rho**2) / (2.0 * radius * rho), -1.0, 1.0)
    cosine = np.sqrt(1.0 - sine**2)
    axes = looks.axes.copy()
    axes[:, 0] = cosine[:, None] * looks.axes[:, 0] + sine[:, None] * looks.axes[:, 2]
    axes[:, 2] = cosine[:, None] * looks.axes[:, 2] - sine[:, None] * looks.axes[:, 0]
    variance, log_area, lever = looks.variance.copy(), looks.log_area.copy(), looks.lever.copy()
    sigma = np.where(told, HEIGHT_SIGMA_M, WIDE_HEIGHT_SIGMA_M) / (rho * np.maximum(cosine, 0.1))
    variance[:, 1] = sigma**2
    variance[:, 0] *= cosine**2
    log_area += np.log(np.maximum(cosine, 1e-3))
    lever[:, 0] *= cosine
    swap = none[:, None]
    return looks._replace(
        axes=np.where(none[:, None, None], axes, looks.axes),
        variance=np.where(swap, variance, looks.variance),
        log_area=np.where(none, log_area, looks.log_area),
        lever=np.where(swap, lever, looks.lever),
    )
