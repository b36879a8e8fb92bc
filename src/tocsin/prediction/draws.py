"""An impact drawn many times, and how likely it is in each cell of a grid.

For whoever decides by place: what a polygon leaves out is how likely each place in it is, and when it is hit.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri
from scipy.stats import qmc

from tocsin.earth.ellipsoid import ecef_to_geodetic, enu_axes
from tocsin.errors import UsageError
from tocsin.prediction.area import offsets_m, place
from tocsin.prediction.landings import Landings
from tocsin.sensors.plots import Floats, Ints
from tocsin.units import SEMI_MAJOR_AXIS_M

SEED = 0  # of the scrambling: the same landings always give the same draws
LEAST, MOST = 2, 20  # powers of two


class Draws(NamedTuple):
    """Places and times of n impacts, each as likely as any other."""

    latitude_rad: Floats  # (n,)
    longitude_rad: Floats  # (n,)
    time_s: Floats  # (n,) after the state


class Grid(NamedTuple):
    """Cells of equal area in which something may come down, the likeliest first: n of them."""

    latitude_rad: Floats  # (n,) of the middle
    longitude_rad: Floats  # (n,)
    probability: Floats  # (n,)
    first_s: Floats  # (n,) of those that come down there: the first, the median and the last arrival, after the state
    middle_s: Floats  # (n,)
    last_s: Floats  # (n,)
    cell_km2: float


def drawn(landings: Landings, power: int = 12) -> Draws:
    """2 ** power impacts, spread evenly (Sobol's sequence, scrambled; Owen 1998): no chance is in them.

    Raises `UsageError` for a power outside of 2 to 20.
    """
    if not LEAST <= power <= MOST:
        raise UsageError(f"power must be from {LEAST} to {MOST}, is {power}")
    even = qmc.Sobol(4, scramble=True, seed=SEED).random_base2(power)
    even = np.clip(even, 1e-12, 1.0 - 1e-12)
    # in the order of arrival, so that neighbours in the sequence are neighbours in flight
    order = np.argsort(landings.point[:, 3], kind="stable")
    edges = np.cumsum(landings.weight[order])
    which = order[np.minimum(np.searchsorted(edges, even[:, 0] * edges[-1]), len(order) - 1)]
    centre = landings.point[int(np.argmax(landings.weight)), :3]
    latitude, longitude, _ = (float(v) for v in ecef_to_geodetic(centre))
    turn = np.eye(4)[[0, 1, 3]]
    turn[:2, :3] = enu_axes(latitude, longitude)[:2]
    middle = np.column_stack([offsets_m(latitude, longitude, landings.point[:, :3]), landings.point[:, 3]])
    values, vectors = np.linalg.eigh(turn @ landings.covariance @ turn.T)
    spread = vectors * np.sqrt(np.maximum(values, 0.0))[:, None, :]
    at = middle[which] + np.einsum("nij,nj->ni", spread[which], ndtri(even[:, 1:]))
    return Draws(*place(latitude, longitude, at[:, :2]), at[:, 2])


def on_grid(draws: Draws, cell_m: float) -> Grid:
    """How likely an impact is in the cells of a grid, and when it comes there.

    cell_m: side of a cell. The grid is the same for all impacts: rings of latitude of that width, each cut into as many
    parts as make cells of (nearly) that area, from the meridian of -180 degrees on. Raises `UsageError` for a side that
    is not above 0 or beyond a thousand kilometres.
    """
    if not 0.0 < cell_m <= 1e6:
        raise UsageError(f"cell_m must be above 0 and at most 1e6 m, is {cell_m}")
    rings = max(round(math.pi * SEMI_MAJOR_AXIS_M / cell_m), 2)
    ring = np.clip(((draws.latitude_rad / math.pi + 0.5) * rings).astype(int), 0, rings - 1)
    south, north = (ring / rings - 0.5) * math.pi, ((ring + 1) / rings - 0.5) * math.pi
    cells = np.maximum(
        np.rint(2.0 * math.pi * (np.sin(north) - np.sin(south)) * (SEMI_MAJOR_AXIS_M / cell_m) ** 2), 1.0
    ).astype(int)
    cell = np.clip(((draws.longitude_rad / (2.0 * math.pi) + 0.5) * cells).astype(int), 0, cells - 1)
    name: Ints = ring * int(np.rint(2.0 * math.pi * SEMI_MAJOR_AXIS_M / cell_m) + 1) + cell
    order = np.lexsort((draws.time_s, name))
    _, begin, count = np.unique(name[order], return_index=True, return_counts=True)
    ranked = np.argsort(-count, kind="stable")
    begin, count = begin[ranked], count[ranked]
    first = order[begin]
    time_s = draws.time_s[order]
    middle = 0.5 * (south + north)[first]
    return Grid(
        middle,
        ((cell[first] + 0.5) / cells[first] - 0.5) * 2.0 * math.pi,
        count / len(order),
        time_s[begin],
        time_s[begin + count // 2],
        time_s[begin + count - 1],
        (cell_m / 1e3) ** 2,
    )
