"""Zones of the user's own: which of them an area touches, and how long people in them need to reach shelter."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from tocsin.sensors.plots import Floats
from tocsin.units import DEGREE_RAD
from tocsin.warning.plane import Outline

MEAN_RADIUS_KM = 6371.0088  # IUGG mean radius
ALIKE = 0.6  # difflib's ratio from which two names are said to be near


class Zones(NamedTuple):
    """The zones of one version of one file; n of them, which may overlap."""

    version: str
    geocode_name: str  # what CAP calls their codes
    codes: tuple[str, ...]  # (n) each one once
    names: tuple[tuple[tuple[str, str], ...], ...]  # (n) of (language, name); language "" for the main name
    shapes: NDArray[np.object_]  # (n,) lon, lat in degrees, valid, never across the antimeridian
    rows: Mapping[str, int]  # code -> row
    aliases: Mapping[str, int]  # code or name that a zone had in earlier versions -> its row
    shelter_s: Floats  # (n,) time to reach shelter, NaN where the file gives none
    area_km2: Floats  # (n,) on the sphere, true to 0.5 %
    tree: shapely.STRtree


class Touch(NamedTuple):
    """A zone that an area touches."""

    row: int
    code: str
    overlap_km2: float
    share: float  # of the zone that lies inside


class Gone(NamedTuple):
    """A code that no zone has, and what it may mean."""

    code: str
    nearest: tuple[str, ...]  # codes with their names, the most alike first


def make_zones(
    version: str,
    geocode_name: str,
    codes: Sequence[str],
    names: Sequence[tuple[tuple[str, str], ...]],
    shapes: Sequence[Outline],
    aliases: Mapping[str, int],
    shelter_s: Floats,
) -> Zones:
    """Zones that have been checked, with what a search needs."""
    geometry = np.empty(len(shapes), object)
    geometry[:] = shapes
    area_km2 = _area_km2(geometry)
    tree = shapely.STRtree(geometry)
    return Zones(
        version,
        geocode_name,
        tuple(codes),
        tuple(names),
        geometry,
        {code: row for row, code in enumerate(codes)},
        aliases,
        shelter_s,
        area_km2,
        tree,
    )


def touches(areas: Sequence[Outline], zones: Zones) -> tuple[Touch, ...]:
    """The zones that any of the areas touches, be it at a single point; the one that holds most of them first.

    areas: lon, lat in degrees, none across the antimeridian; they should not overlap.
    """
    found: dict[int, float] = {}
    for area in areas:
        rows = zones.tree.query(area, predicate="intersects")
        overlap_km2 = _area_km2(shapely.intersection(zones.shapes[rows], area))
        for row, overlap in zip(rows.tolist(), overlap_km2.tolist(), strict=True):
            found[row] = found.get(row, 0.0) + overlap
    return tuple(
        Touch(row, zones.codes[row], overlap, min(1.0, overlap / float(zones.area_km2[row])))
        for row, overlap in sorted(found.items(), key=lambda one: (-one[1], one[0]))
    )


def touched(areas: Sequence[Outline], zones: Zones | None) -> tuple[str, ...]:
    """Codes of the zones that any of the areas touches, the one that holds most of them first; none without zones."""
    return () if zones is None else tuple(touch.code for touch in touches(areas, zones))


def shelter_s_in(areas: Sequence[Outline], zones: Zones | None, default_s: float) -> float:
    """The longest time to reach shelter in any zone that the areas touch.

    ``default_s`` counts for a zone whose time is not given, and where no zone is touched.
    """
    if zones is None:
        return default_s
    rows = [row for area in areas for row in zones.tree.query(area, predicate="intersects").tolist()]
    given = [float(zones.shelter_s[row]) for row in rows]
    return max((default_s if math.isnan(time_s) else time_s for time_s in given), default=default_s)


def zone_name(zones: Zones, code: str, language: str = "") -> str:
    """The name of a zone in a language (BCP 47; uk serves uk-UA), else its main name, else its code."""
    names = dict(zones.names[zones.rows[code]])
    return names.get(language) or names.get(language.partition("-")[0]) or names.get("") or code


def followed(zones: Zones, code: str) -> str | Gone:
    """The code under which the zone that was called ``code`` goes on, or that there is none, and which are near."""
    if code in zones.rows:
        return code
    if code in zones.aliases:
        return zones.codes[zones.aliases[code]]
    return Gone(code, _nearest(zones, code))


def _nearest(zones: Zones, code: str) -> tuple[str, ...]:
    """Up to three zones with a code, name or alias most like a text."""
    known: dict[str, int] = {}
    for row, own in enumerate(zones.codes):
        for text in (own, *(name for _, name in zones.names[row])):
            known.setdefault(text.casefold(), row)
    for alias, row in zones.aliases.items():
        known.setdefault(alias.casefold(), row)
    like = difflib.get_close_matches(code.casefold(), known, n=6, cutoff=ALIKE)
    rows = list(dict.fromkeys(known[text] for text in like))[:3]
    return tuple(called(zones, zones.codes[row]) for row in rows)


def called(zones: Zones, code: str) -> str:
    """A zone's code, and its name where it has one."""
    name = zone_name(zones, code)
    return code if name == code else f"{code} ({name})"


def _area_km2(shapes: NDArray[np.object_]) -> Floats:
    """Areas (n,) of polygons in lon, lat degrees: in (lon, sin lat) a sphere keeps its areas (Lambert's cylinder)."""

    def cylinder(lonlat: Floats) -> Floats:
        out: Floats = np.column_stack([lonlat[:, 0] * DEGREE_RAD, np.sin(lonlat[:, 1] * DEGREE_RAD)])
        return out

    out: Floats = np.atleast_1d(shapely.area(shapely.transform(shapes, cylinder))) * MEAN_RADIUS_KM**2
    return out
