"""Coastlines and borders for maps that Python draws (Natural Earth 1:50m, public domain).

``data/basemap.json`` is taken out of the map page by builders/basemap.py. Borders are those of Natural Earth, but for
the line that it draws across the isthmus of Perekop (docs/map.md).
"""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import NamedTuple

import numpy as np

from tocsin.sensors.plots import Floats


class Basemap(NamedTuple):
    """Lines (n, 2) of lon, lat in degrees, cut at the antimeridian."""

    land: tuple[tuple[Floats, ...], ...]  # polygons: outline, then holes
    borders: tuple[Floats, ...]


@cache
def shipped_basemap() -> Basemap:
    """The lines that come with the program."""
    text = (resources.files("tocsin.formats") / "data" / "basemap.json").read_text(encoding="utf-8")
    values = json.loads(text)
    units = float(values["units"])
    land = tuple(tuple(_line(ring, units) for ring in polygon) for polygon in values["land"])
    return Basemap(land, tuple(_line(line, units) for line in values["borders"]))


def _line(packed: str, units: float) -> Floats:
    """Differences of lon, lat in 1/units degrees, base 36."""
    steps = np.array([int(step, 36) for step in packed.split(" ")], float).reshape(-1, 2)
    return np.asarray(np.cumsum(steps, axis=0) / units)
