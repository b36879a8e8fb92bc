"""Winds from CSV files: one profile, or a grid of them with columns of latitude and longitude.

Columns: ``height_m``; ``east_m_s, north_m_s`` or ``speed_m_s, from_deg`` (the direction that it blows from, clockwise
from north); ``lat_deg, lon_deg`` in a grid. The names of the Desert Fireball Network's profiles are known too: Height,
Wind, WDir. Other columns are left out.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tocsin.earth.forces import FASTEST_WIND_M_S, wind_table
from tocsin.errors import DataError
from tocsin.formats.observed import read_lines
from tocsin.formats.tables import Rejection, Sieve, numbers, read_table
from tocsin.prediction.winds import Winds, grid, profile
from tocsin.sensors.plots import Floats, Ints

ALIASES = {"height": "height_m", "wind": "speed_m_s", "wdir": "from_deg"}
SAME_PLACE_DEG = 1e-6


def read_winds(path: Path | str) -> tuple[Winds, tuple[Rejection, ...]]:
    """Winds of a file, and its rows that could not be used.

    Raises DataError, naming file, row, field, value and limit, where a column lacks or no row is left, and for heights
    that stand twice in a profile.
    """
    path = Path(path)
    lines = read_lines(path)
    heading = [name.strip() for name in lines[0].split(",")] if lines else []
    column = {}
    for name in heading:
        plain = name.lstrip("# ").lower()
        column[ALIASES.get(plain, plain)] = name
    own = ["height_m", *(("east_m_s", "north_m_s") if "east_m_s" in column else ("speed_m_s", "from_deg"))]
    if "lat_deg" in column or "lon_deg" in column:
        own += ["lat_deg", "lon_deg"]
    missing = [name for name in own if name not in column]
    if missing:
        raise DataError(
            f"{path}: lacks columns {', '.join(missing)}; winds have height_m, and east_m_s and north_m_s or speed_m_s "
            f"and from_deg (it has: {', '.join(heading)})"
        )
    table = read_table(path, [column[name] for name in own])
    value = {name: numbers(table, column[name]) for name in own}
    sieve = Sieve(table)
    limits = {
        "height_m": (-500.0, 100e3), "from_deg": (-360.0, 720.0), "speed_m_s": (0.0, FASTEST_WIND_M_S),
        "lat_deg": (-90.0, 90.0), "lon_deg": (-180.0, 360.0),
    }  # fmt: skip
    for name in own:
        low, high = limits.get(name, (-FASTEST_WIND_M_S, FASTEST_WIND_M_S))
        sieve.drop(
            ~((value[name] >= low) & (value[name] <= high)), column[name], f"must be from {low:g} to {high:g}"
        )
    if not sieve.good.any():
        first = f"; the first: {sieve.rejected[0].text}" if sieve.rejected else ""
        raise DataError(f"{path}: has no row of wind that can be used{first}")
    kept = {name: column[sieve.good] for name, column in value.items()}
    row = table.row[sieve.good]
    if "east_m_s" in kept:
        east, north = kept["east_m_s"], kept["north_m_s"]
    else:
        toward = np.radians(kept["from_deg"] + 180.0)
        east, north = kept["speed_m_s"] * np.sin(toward), kept["speed_m_s"] * np.cos(toward)
    if "lat_deg" not in kept:
        order = _rising(path, kept["height_m"], row)
        return profile(kept["height_m"][order], east[order], north[order]), tuple(sieve.rejected)
    places = np.column_stack([kept["lat_deg"], (kept["lon_deg"] + 180.0) % 360.0 - 180.0])
    apart, which = np.unique(np.round(places / SAME_PLACE_DEG), axis=0, return_inverse=True)
    tables = []
    for p in range(len(apart)):
        its = np.flatnonzero(which.reshape(-1) == p)
        its = its[_rising(path, kept["height_m"][its], row[its])]
        tables.append(wind_table(kept["height_m"][its], east[its], north[its]))
    latitude, longitude = np.radians(apart.T * SAME_PLACE_DEG)
    return grid(latitude, longitude, np.array(tables)), tuple(sieve.rejected)


def _rising(path: Path, height_m: Floats, row: Ints) -> Ints:
    """The order of rising heights."""
    order = np.argsort(height_m, kind="stable")
    level = np.flatnonzero(np.diff(height_m[order]) == 0.0)
    if len(level):
        twice = order[level[0] + 1]
        raise DataError(
            f"{path}, line {row[twice]}: height_m {height_m[twice]:g} stands twice in one profile"
        )
    return np.asarray(order)
