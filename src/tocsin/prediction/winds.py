"""Winds that are known: one profile, or many, each of a place."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from tocsin.earth.ellipsoid import geodetic_to_ecef
from tocsin.earth.forces import wind_table
from tocsin.errors import DataError
from tocsin.sensors.plots import Floats

NEAREST = 4  # profiles that a place between them is told by
SAME_PLACE_M = 1.0
FAR_M = 300e3  # from the nearest profile: weather has changed by then


class Winds(NamedTuple):
    """Profiles of wind: place (p, 3) ECEF in m, none where one profile is for everywhere; table (p, n, 2)."""

    place_m: Floats
    table: Floats  # each as `earth.forces.wind_table` makes it


def profile(height_m: ArrayLike, east_m_s: ArrayLike, north_m_s: ArrayLike) -> Winds:
    """One profile for everywhere: heights (k,) rising (m), components (k,) toward east and north (m/s).

    Linear between the heights and constant beyond. Raises `DataError` as `earth.forces.wind_table` does.
    """
    return Winds(np.zeros((0, 3)), wind_table(height_m, east_m_s, north_m_s)[None])


def grid(latitude_rad: ArrayLike, longitude_rad: ArrayLike, tables: ArrayLike) -> Winds:
    """Profiles at places (p,), each (n, 2) as `earth.forces.wind_table` makes it. Raises `DataError` for none."""
    table = np.asarray(tables, float)
    if table.ndim != 3 or len(table) == 0:
        raise DataError(f"winds: tables must have the shape (p, n, 2) with p at least 1, have {table.shape}")
    place = geodetic_to_ecef(latitude_rad, longitude_rad, np.zeros(len(table)))
    return Winds(np.atleast_2d(place), table)


def wind_at(winds: Winds, place_m: Floats) -> tuple[Floats, float]:
    """Wind (n, 2) at a place (3,) ECEF, and how far the nearest profile is from there (m).

    The mean of the four nearest profiles, weighted by the inverse square of their distance (Shepard 1968).
    """
    if len(winds.place_m) == 0:
        return winds.table[0], 0.0
    far = np.linalg.norm(winds.place_m - place_m, axis=1)
    near = np.argsort(far, kind="stable")[:NEAREST]
    weight = np.maximum(far[near], SAME_PLACE_M) ** -2.0
    return np.einsum("p,pnc->nc", weight / weight.sum(), winds.table[near]), float(far[near[0]])
