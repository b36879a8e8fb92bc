"""How the map page stores times, places and outlines.

Times are whole tenths of a second since ``start``; longitudes and latitudes whole
1e-4 degrees (11 m); heights whole tens of metres. Runs of numbers are stored as
differences, which gzip and the eye both like.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import numpy as np
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry

from tocsin.sensors.plots import Floats

TIME_UNITS = 10.0  # per second
DEGREE_UNITS = 1e4  # per degree
HEIGHT_UNITS = 0.1  # per metre
MAX_RING_POINTS = 40


def tenths(seconds: float) -> int:
    """A time in units of the page."""
    return round(seconds * TIME_UNITS)


def degrees(angle_deg: float) -> int:
    """An angle in units of the page."""
    return round(angle_deg * DEGREE_UNITS)


def differences(values: Iterable[int]) -> list[int]:
    """The first value, and how far each one is from that before."""
    listed = list(values)
    return listed[:1] + [b - a for a, b in pairwise(listed)]


def unwrapped(longitude_deg: Floats) -> Floats:
    """Longitudes without the jump at the antimeridian, so that lines and rings stay in one piece."""
    return np.asarray(np.unwrap(longitude_deg, period=360.0), float)


def _thinned(times_s: Floats, step_s: float) -> list[int]:
    """Indices that keep the first, the last, and between them nothing closer than step_s."""
    kept = [0]
    for i in range(1, len(times_s)):
        if times_s[i] - times_s[kept[-1]] >= step_s:
            kept.append(i)
    if kept[-1] != len(times_s) - 1:
        kept.append(len(times_s) - 1)
    return kept


def thinned_together(times_s: list[Floats], step_s: float, most: int) -> list[list[int]]:
    """Thin every series with one step, doubled until all of them together hold no more than ``most``."""
    while True:
        kept = [_thinned(t, step_s) for t in times_s]
        if sum(map(len, kept)) <= max(most, 2 * len(times_s)):
            return kept
        step_s *= 2.0


def rings(area: BaseGeometry) -> list[list[int]]:
    """Outer rings as differences of lon, lat, lon, lat...; simplified where there are too many corners."""
    parts = [p for p in getattr(area, "geoms", [area]) if isinstance(p, Polygon) and not p.is_empty]
    rings = []
    for part in parts:
        tolerance = 1e-4 * max(part.bounds[2] - part.bounds[0], part.bounds[3] - part.bounds[1])
        ring = part.exterior
        while len(ring.coords) > MAX_RING_POINTS and tolerance < 1.0:
            tolerance *= 3.0
            ring = part.exterior.simplify(tolerance)
        corners = np.round(np.array(ring.coords)[:, :2] * DEGREE_UNITS).astype(int)
        steps = np.vstack([corners[:1], np.diff(corners, axis=0)])
        rings.append([int(v) for v in steps.ravel()])
    return rings
