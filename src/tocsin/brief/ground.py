"""The ground of a map: land, borders, places, a scale and north, in an azimuthal equidistant view."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import shapely
from pyproj import Transformer
from shapely.geometry.base import BaseGeometry

from tocsin.brief.cover import parts
from tocsin.brief.svg import INK, PAPER, SOFT, Box, beside, clear, dot, line, rect, shape, text, words_box
from tocsin.formats.basemap import shipped_basemap
from tocsin.metrics.lead import plane
from tocsin.sensors.plots import Floats
from tocsin.warning.gazetteer import Gazetteer

SEA, LAND, BORDER, COAST = "#e6edf2", "#fbfaf6", "#a79f93", "#9fb0bd"
STEP_DEG = 0.5  # long edges are cut so short before they are bent into the view


class View(NamedTuple):
    """A window on the ground, a rectangle of pixels."""

    frame: Transformer
    box: Box
    west_m: float
    north_m: float
    pixels_per_m: float


def view(lonlat_deg: Floats, box: Box, margin: float, least_m: float) -> View:
    """The view of all points (n, 2), with a margin (share of the width) around, at least so many metres wide."""
    unit = _units(lonlat_deg).mean(axis=0)
    middle = math.degrees(math.atan2(unit[2], math.hypot(unit[0], unit[1])))
    frame = plane(middle, math.degrees(math.atan2(unit[1], unit[0])))
    east, north = frame.transform(lonlat_deg[:, 0], lonlat_deg[:, 1])
    east, north = np.asarray(east), np.asarray(north)
    wide, high = box.right - box.left, box.bottom - box.top
    span_m = max(np.ptp(east) * (1 + 2 * margin), np.ptp(north) * (1 + 2 * margin) * wide / high, least_m)
    x, y = (east.max() + east.min()) / 2.0, (north.max() + north.min()) / 2.0
    return View(frame, box, float(x - span_m / 2), float(y + span_m / 2 * high / wide), float(wide / span_m))


def fitting(lonlat_deg: Floats, width: float, low: float, high: float) -> float:
    """A height (pixels) at which points (n, 2) fill a map of a width, between two limits."""
    north = float(np.ptp(lonlat_deg[:, 1]))
    turned = (lonlat_deg[:, 0] - lonlat_deg[0, 0] + 180.0) % 360.0 - 180.0
    east = float(np.ptp(turned)) * max(math.cos(math.radians(float(lonlat_deg[:, 1].mean()))), 0.05)
    return min(max(width * north / east, low), high) if east > 0.0 else low


def _units(lonlat_deg: Floats) -> Floats:
    lon, lat = np.radians(lonlat_deg[:, 0]), np.radians(lonlat_deg[:, 1])
    return np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])


def place(seen: View, lonlat_deg: Floats) -> Floats:
    """Pixels (n, 2) of longitudes and latitudes (n, 2)."""
    east, north = seen.frame.transform(lonlat_deg[:, 0], lonlat_deg[:, 1])
    x = seen.box.left + (np.asarray(east) - seen.west_m) * seen.pixels_per_m
    y = seen.box.top + (seen.north_m - np.asarray(north)) * seen.pixels_per_m
    return np.column_stack([x, y])


def drawn(seen: View, found: BaseGeometry) -> tuple[Floats, ...]:
    """The rings (n, 2) or lines of a geometry in lon, lat as pixels, cut off at the edge of the view."""
    bent = shapely.transform(found, lambda c: place(seen, c))
    if not bent.is_valid and bent.geom_type.endswith("Polygon"):
        bent = shapely.make_valid(bent)
    cut = shapely.clip_by_rect(bent, *seen.box)
    if found.geom_type.endswith(("LineString", "LinearRing")):
        cut = shapely.line_merge(cut) if cut.geom_type == "MultiLineString" else cut
        return tuple(np.asarray(one.coords) for one in getattr(cut, "geoms", [cut]) if not one.is_empty)
    return tuple(np.asarray(ring.coords) for part in parts(cut) for ring in (part.exterior, *part.interiors))


def outlined(
    seen: View, found: BaseGeometry, fill: str, stroke: str, width: float, opacity: float, dash: str = ""
) -> list[str]:
    """Polygons filled, and their outlines where these lie in the view."""
    out = [] if fill == "none" else [shape(drawn(seen, found), fill, opacity=opacity)]
    edges = drawn(seen, shapely.MultiLineString([p.exterior for p in parts(found)]))
    return [*out, *(line(e, stroke, width, dash) for e in edges if len(e) > 1)]


def ground(seen: View) -> list[str]:
    """Sea, land, coast and borders."""
    window = _window(seen)
    out = [rect(seen.box, SEA)]
    land, borders = _base()
    rings = [r for one in _near(land, window) for r in drawn(seen, one)]
    out.append(shape(rings, LAND))
    coast = [e for one in _near(land, window) for p in parts(one) for e in drawn(seen, p.exterior)]
    out += [line(e, COAST, 0.7) for e in coast if len(e) > 1]
    out += [line(part, BORDER, 0.9, "4 2.5") for one in _near(borders, window) for part in drawn(seen, one)]
    return out


@cache
def _base() -> tuple[tuple[BaseGeometry, ...], tuple[BaseGeometry, ...]]:
    base = shipped_basemap()
    land = tuple(shapely.make_valid(shapely.Polygon(p[0], p[1:])) for p in base.land if len(p[0]) > 3)
    return land, tuple(shapely.LineString(b) for b in base.borders if len(b) > 1)


def _near(shapes: Sequence[BaseGeometry], window: Box) -> list[BaseGeometry]:
    """What of some shapes lies in a window of lon, lat, moved by whole turns to lie in it, with short edges."""
    out = []
    left, low, right, high = shapely.bounds(shapes).T
    for turn in (-360.0, 0.0, 360.0):
        west, east = window.left - turn, window.right - turn
        near = (left <= east) & (right >= west) & (low <= window.bottom) & (high >= window.top)
        for i in np.flatnonzero(near).tolist():
            cut = shapely.clip_by_rect(
                shapes[i], max(west, -180.0), window.top, min(east, 180.0), window.bottom
            )
            if not cut.is_empty:
                out.append(shapely.segmentize(cut, STEP_DEG))
    return out


def _window(seen: View) -> Box:
    """Longitudes (in one piece, maybe beyond 180) and latitudes that a view shows; top is the least latitude."""
    t = np.linspace(0.0, 1.0, 25)
    east = seen.west_m + t * (seen.box.right - seen.box.left) / seen.pixels_per_m
    south_m = seen.north_m - (seen.box.bottom - seen.box.top) / seen.pixels_per_m
    north = south_m + t * (seen.north_m - south_m)
    x, y = np.meshgrid(east, north)
    lon, lat = seen.frame.transform(x.ravel(), y.ravel(), direction="INVERSE")
    lon, lat = np.asarray(lon), np.asarray(lat)
    if np.abs(lat).max() > 84.0:
        return (
            Box(-180.0, float(lat.min()), 180.0, 90.0)
            if lat.max() > 84.0
            else Box(-180.0, -90.0, 180.0, float(lat.max()))
        )
    middle = math.degrees(math.atan2(np.sin(np.radians(lon)).sum(), np.cos(np.radians(lon)).sum()))
    off = (lon - middle + 180.0) % 360.0 - 180.0
    return Box(
        middle + off.min() - 0.2, float(lat.min()) - 0.2, middle + off.max() + 0.2, float(lat.max()) + 0.2
    )


def towns(
    seen: View, gazetteer: Gazetteer, taken: list[Box], most: int, size: float = 10.5, districts: bool = False,
    least_people: int = 0,
) -> list[str]:  # fmt: skip
    """The largest places that there is room for, as dots with names."""
    window = _window(seen)
    low, high = np.searchsorted(gazetteer.latitude_deg, [window.top, window.bottom])
    lon = (gazetteer.longitude_deg[low:high] - window.left) % 360.0 + window.left
    rows = low + np.flatnonzero(lon <= window.right)
    rows = rows[gazetteer.population[rows] >= least_people]
    if not districts:
        rows = rows[gazetteer.part_of[rows] < 0]
    at = place(seen, np.column_stack([gazetteer.longitude_deg[rows], gazetteer.latitude_deg[rows]]))
    edge = Box(seen.box.left + 3, seen.box.top + 3, seen.box.right - 3, seen.box.bottom - 3)
    out: list[str] = []
    named: list[Box] = []
    for i in sorted(range(len(rows)), key=lambda k: (-int(gazetteer.population[rows[k]]), k)):
        if len(out) >= most:
            break
        x, y = at[i].tolist()
        mark = Box(x - 3, y - 3, x + 3, y + 3)
        if not clear(mark, named, edge):  # it may lie under what came down, but under no name
            continue
        label = beside(x, y, str(gazetteer.name[rows[i]]), size, 5.0, taken, edge)
        if label:
            named.append(taken[-1])
            taken.append(mark)
            out.append(dot(x, y, 2.2, SOFT, PAPER, 0.8) + label)
    return out


def scale_bar(seen: View, taken: list[Box]) -> list[str]:
    """How long a round distance is, at the lower left, and north at the upper right."""
    wide = seen.box.right - seen.box.left
    most_m = wide / seen.pixels_per_m * (0.25 if wide > 300 else 0.35)
    power = 10.0 ** math.floor(math.log10(most_m))
    length_m = power * max(f for f in (1.0, 2.0, 5.0) if f * power <= most_m)
    pixels = length_m * seen.pixels_per_m
    x, y = seen.box.left + 10, seen.box.bottom - 10
    words = f"{length_m / 1e3:g} km"
    back = Box(x - 5, y - 17, max(x + pixels, words_box(x, 0, words, 10).right) + 6, y + 5)
    taken.append(back)
    bar = np.array([[x, y - 4], [x, y], [x + pixels, y], [x + pixels, y - 4]])
    nx, ny = seen.box.right - 14, seen.box.top + 12
    taken.append(Box(nx - 9, ny - 8, nx + 9, ny + 24))
    arrow = np.array([[nx, ny - 6], [nx + 4.5, ny + 8], [nx, ny + 5], [nx - 4.5, ny + 8], [nx, ny - 6]])
    return [
        rect(back, PAPER, opacity=0.8), line(bar, INK, 1.2), text(x, y - 7, words, 10),
        shape([arrow], INK), text(nx, ny + 19, "N", 10, anchor="middle", bold=True, halo=True),
    ]  # fmt: skip


def edge(seen: View) -> str:
    """The frame around."""
    return rect(seen.box, "none", "#8b95a0", 0.8)
