"""Who lives under an area."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import Polygon

from tocsin.units import DEGREE_RAD
from tocsin.warning.alert import Footprint, Place
from tocsin.warning.gazetteer import Gazetteer
from tocsin.warning.plane import Outline, directions

Rows = NDArray[np.int64]

MEAN_RADIUS_KM = 6371.0088  # IUGG mean radius


class Near(NamedTuple):
    """The nearest known place to an area that holds none."""

    place: Place
    distance_km: float
    octant: int  # direction from the place to the area: 0 north, 1 north-east, clockwise


class Surroundings(NamedTuple):
    """What to call an area, and how many people live in it."""

    places: tuple[Place, ...]  # inside, largest first
    population: int  # of the places inside, districts of a city inside not counted again
    near: Near | None  # where no place is inside, and the gazetteer is not empty


def places_in(polygon: Polygon, gazetteer: Gazetteer) -> tuple[tuple[Place, ...], int]:
    """Places inside a polygon (lon, lat in degrees, not across the antimeridian), largest first, and their people."""
    rows = _inside(polygon, gazetteer)
    return tuple(_place(gazetteer, row) for row in _by_size(rows, gazetteer)), _people(rows, gazetteer)


def people_in(area: Outline, gazetteer: Gazetteer) -> int:
    """People in the known places inside an area (lon, lat in degrees, not across the antimeridian)."""
    return _people(_inside(area, gazetteer), gazetteer)


def surroundings(footprints: Sequence[Footprint], gazetteer: Gazetteer) -> Surroundings:
    """Places and people inside any of the footprints, or the nearest place where there is none."""
    found = [_inside(footprint.polygon, gazetteer) for footprint in footprints]
    rows: Rows = np.unique(np.concatenate(found)) if found else np.zeros(0, np.int64)
    places = tuple(_place(gazetteer, row) for row in _by_size(rows, gazetteer))
    near = None if places or not footprints else nearest(footprints, gazetteer)
    return Surroundings(places, _people(rows, gazetteer), near)


def nearest(footprints: Sequence[Footprint], gazetteer: Gazetteer) -> Near | None:
    """The known place nearest to the middle of the footprints; None where the gazetteer is empty."""
    if not len(gazetteer.name):
        return None
    corners = [
        directions(np.asarray(one.polygon.exterior.coords)[:-1, :2]).mean(axis=0) for one in footprints
    ]
    middle = np.sum(corners, axis=0)
    middle = middle / np.linalg.norm(middle)
    cosine = gazetteer.direction @ middle
    row = int(np.argmax(cosine))
    place = gazetteer.direction[row]
    # bearing from the place to the middle: components along its own east and north
    lat, lon = gazetteer.latitude_deg[row] * DEGREE_RAD, gazetteer.longitude_deg[row] * DEGREE_RAD
    east = np.dot(middle, [-math.sin(lon), math.cos(lon), 0.0])
    north = np.dot(middle, [-math.sin(lat) * math.cos(lon), -math.sin(lat) * math.sin(lon), math.cos(lat)])
    octant = round(math.atan2(east, north) / (math.pi / 4.0)) % 8
    chord = float(np.linalg.norm(middle - place))
    return Near(_place(gazetteer, row), 2.0 * MEAN_RADIUS_KM * math.asin(min(1.0, chord / 2.0)), octant)


def _inside(polygon: Outline, gazetteer: Gazetteer) -> Rows:
    west, south, east, north = polygon.bounds
    low, high = np.searchsorted(gazetteer.latitude_deg, [south, np.nextafter(north, np.inf)])
    lon = gazetteer.longitude_deg[low:high]
    rows = low + np.flatnonzero((lon >= west) & (lon <= east))
    hit = shapely.contains_xy(polygon, gazetteer.longitude_deg[rows], gazetteer.latitude_deg[rows])
    out: Rows = rows[hit].astype(np.int64)
    return out


def _by_size(rows: Rows, gazetteer: Gazetteer) -> list[int]:
    return sorted(rows.tolist(), key=lambda row: (-int(gazetteer.population[row]), row))


def _people(rows: Rows, gazetteer: Gazetteer) -> int:
    counted = ~np.isin(gazetteer.part_of[rows], rows)  # -1 is no row
    return int(gazetteer.population[rows][counted].sum())


def _place(gazetteer: Gazetteer, row: int) -> Place:
    local, admin1 = str(gazetteer.name_uk[row]), str(gazetteer.admin1[row])
    return Place(
        name=str(gazetteer.name[row]),
        country=str(gazetteer.country[row]),
        latitude_deg=float(gazetteer.latitude_deg[row]),
        longitude_deg=float(gazetteer.longitude_deg[row]),
        population=int(gazetteer.population[row]),
        names=(("uk", local),) if local else (),
        admin1=admin1 if len(admin1) > 2 else "",
    )
