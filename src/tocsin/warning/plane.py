"""A plane that touches the Earth, in which outlines are cut, joined and measured.

Gnomonic projection of the sphere of ellipsoid normals: great circles become straight
lines, so outlines pass from one plane to another without bending, and the
antimeridian is a straight line, too. The scale is that of the Gaussian radius at the
point of contact: areas are true there, and too large by 1.5 (d / R)^2 at distance d
(0.04 % at 100 km). (Snyder, Map Projections: A Working Manual, USGS 1395, 1987, ch. 22.)
"""

from __future__ import annotations

import math
from typing import NamedTuple, TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.polygon import orient

from tocsin.units import ECCENTRICITY_SQUARED, SEMI_MAJOR_AXIS_M

Floats = NDArray[np.float64]
Outline: TypeAlias = Polygon | MultiPolygon

LEAST_COSINE = 0.2  # points further than 78 degrees from the point of contact cannot be drawn
BEND_M = 25.0  # about the most of an edge drawn straight in degrees from its great circle
SHORTEST_EDGE_M, NEAREST_POLE = 2000.0, math.radians(89.9)
FAR = 1e9  # m, beyond anything in a plane


class Plane(NamedTuple):
    """A tangent plane: axes as unit vectors, and the scale."""

    axes: tuple[tuple[float, float, float], ...]  # east, north, up
    radius_m: float


def plane_at(latitude_rad: float, longitude_rad: float) -> Plane:
    """The plane that touches at a geodetic position."""
    sin_lat, cos_lat = math.sin(latitude_rad), math.cos(latitude_rad)
    sin_lon, cos_lon = math.sin(longitude_rad), math.cos(longitude_rad)
    east = (-sin_lon, cos_lon, 0.0)
    north = (-sin_lat * cos_lon, -sin_lat * sin_lon, cos_lat)
    up = (cos_lat * cos_lon, cos_lat * sin_lon, sin_lat)
    # sqrt(M N) of the meridional and transverse radii of curvature
    radius_m = (
        SEMI_MAJOR_AXIS_M * math.sqrt(1.0 - ECCENTRICITY_SQUARED) / (1.0 - ECCENTRICITY_SQUARED * sin_lat**2)
    )
    return Plane((east, north, up), radius_m)


def directions(lonlat_deg: Floats) -> Floats:
    """Longitudes and latitudes (n, 2) in degrees -> unit normals (n, 3)."""
    lon, lat = np.radians(lonlat_deg[:, 0]), np.radians(lonlat_deg[:, 1])
    return np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])


def draw(plane: Plane, lonlat_deg: Floats) -> Floats:
    """Longitudes and latitudes (n, 2) in degrees -> metres (n, 2) in the plane.

    Points more than 78 degrees away are drawn on the edge of what the plane can show.
    """
    return _project(plane, directions(lonlat_deg))


def _project(plane: Plane, unit: Floats) -> Floats:
    east, north, up = np.array(plane.axes)
    scale = plane.radius_m / np.maximum(unit @ up, LEAST_COSINE)
    out: Floats = np.column_stack([unit @ east, unit @ north]) * scale[:, None]
    return out


def _lift(plane: Plane, metres: Floats) -> Floats:
    """Plane (n, 2) -> directions (n, 3), not of unit length."""
    east, north, up = np.array(plane.axes)
    out: Floats = up + (metres[:, :1] * east + metres[:, 1:] * north) / plane.radius_m
    return out


def centre_of(plane: Plane, outline: Outline) -> tuple[float, float, float]:
    """Unit vector to the middle of an outline's bounding box."""
    west, south, east, north = outline.bounds
    x, y = (west + east) / 2.0 / plane.radius_m, (south + north) / 2.0 / plane.radius_m
    # numbers one by one: for a single place arrays take longer
    a, b, c = (up + x * across + y * along for across, along, up in zip(*plane.axes, strict=True))
    long = math.sqrt(a * a + b * b + c * c)
    return a / long, b / long, c / long


def near_each_other(plane: Plane, outline: Outline, other_plane: Plane, other: Outline, gap_m: float) -> bool:
    """Whether the discs round two outlines are within a distance (great circles; cheap)."""
    one, two = centre_of(plane, outline), centre_of(other_plane, other)
    cosine = one[0] * two[0] + one[1] * two[1] + one[2] * two[2]
    apart_m = plane.radius_m * math.acos(max(-1.0, min(1.0, cosine)))
    return apart_m <= radius_m(outline) + radius_m(other) + gap_m


def radius_m(outline: Outline) -> float:
    """Of a disc that covers an outline, about the middle of its bounding box."""
    west, south, east, north = outline.bounds
    return math.hypot(east - west, north - south) / 2.0


def from_lonlat(plane: Plane, area: Outline) -> Outline:
    """A polygon in longitude and latitude (degrees, cut at the antimeridian or not) -> in the plane, holes filled."""
    parts = area.geoms if isinstance(area, MultiPolygon) else (area,)
    drawn = [shapely.Polygon(draw(plane, np.asarray(part.exterior.coords)[:, :2])) for part in parts]
    valid = [part if part.is_valid else shapely.make_valid(part) for part in drawn]
    if len(valid) == 1 and isinstance(valid[0], Polygon):
        return valid[0]
    # a millimetre closes the seam where the antimeridian cut one outline in two
    return filled(shapely.union_all([part.buffer(1e-3, quad_segs=1) for part in valid]))


def filled(shape: shapely.Geometry) -> Outline:
    """The polygons of a geometry without their holes."""
    if isinstance(shape, Polygon):
        return shapely.Polygon(shape.exterior) if shape.interiors else shape
    rings = [
        part.exterior for part in shapely.get_parts(shapely.get_parts(shape)) if isinstance(part, Polygon)
    ]
    out: Outline = shapely.union_all([shapely.Polygon(ring) for ring in rings])
    return out if isinstance(out, Polygon | MultiPolygon) else MultiPolygon()


def moved(outline: Outline, old: Plane, new: Plane) -> Outline:
    """The same outline in another plane; straight edges stay straight, and it is valid whatever rounding does."""
    if old == new:
        return outline

    def turn(coordinates: Floats) -> Floats:
        unit = _lift(old, coordinates)
        return _project(new, unit / np.linalg.norm(unit, axis=1)[:, None])

    out: Outline = shapely.transform(outline, turn)
    return out if out.is_valid else filled(shapely.make_valid(out))


def to_lonlat(
    plane: Plane, polygon: Polygon, decimals: int = 4, bend_m: float = BEND_M
) -> tuple[Polygon, ...]:
    """A polygon without holes in the plane -> polygons in degrees, rounded, none across the antimeridian.

    One polygon, or two where the antimeridian cuts it. 4 decimals are 11 m. Whoever draws it draws straight lines over
    longitude and latitude; long edges get corners, so that these keep within about ``bend_m`` of the outline.
    """
    polygon = polygon.segmentize(max(SHORTEST_EDGE_M, _longest_edge_m(plane, polygon, bend_m)))
    halves = _halves(plane, polygon)
    if halves is None:
        unit = _lift(plane, np.asarray(polygon.exterior.coords)[:, :2])
        return _rounded(_degrees(unit), decimals)
    out: list[Polygon] = []
    for half, side in halves:
        unit = _lift(plane, np.asarray(half.exterior.coords)[:, :2])
        out.extend(_rounded(_half_degrees(unit, side), decimals))
    return tuple(out)


def _longest_edge_m(plane: Plane, polygon: Polygon, bend_m: float) -> float:
    """Length of an edge that leaves its great circle by ``bend_m`` where it is drawn straight in degrees.

    A parallel is curved by tan(latitude) / R: over a length L it is off by L^2 tan(latitude) / (8 R).
    """
    reach = radius_m(polygon) / plane.radius_m
    latitude = math.asin(max(-1.0, min(1.0, centre_of(plane, polygon)[2])))
    steepest = max(1e-9, min(abs(latitude) + reach, NEAREST_POLE))
    return math.sqrt(8.0 * plane.radius_m * bend_m / math.tan(steepest))


def _degrees(unit: Floats) -> Floats:
    lon = np.degrees(np.arctan2(unit[:, 1], unit[:, 0]))
    lat = np.degrees(np.arctan2(unit[:, 2], np.hypot(unit[:, 0], unit[:, 1])))
    return np.column_stack([lon, lat])


def _halves(plane: Plane, polygon: Polygon) -> list[tuple[Polygon, float]] | None:
    """The parts east (1.0) and west (-1.0) of Greenwich where the antimeridian crosses the polygon, else None."""
    (east, north, up), radius_m = np.array(plane.axes), plane.radius_m
    # the y component of a direction is linear in the plane: a x + b y + c, zero on the antimeridian and on Greenwich
    a, b, c = east[1] / radius_m, north[1] / radius_m, up[1]
    xy = np.asarray(polygon.exterior.coords)[:, :2]
    value = a * xy[:, 0] + b * xy[:, 1] + c
    if value.min() >= 0.0 or value.max() <= 0.0:
        return None
    length = math.hypot(a, b)
    normal, foot = np.array([a, b]) / length, -c / length * np.array([a, b]) / length
    along = np.array([-normal[1], normal[0]])
    cut = shapely.LineString([foot - FAR * along, foot + FAR * along]).intersection(polygon)
    ends = _lift(plane, np.asarray(shapely.get_coordinates(cut)))
    if (ends[:, 0] >= 0.0).all():
        return None  # Greenwich alone
    out: list[tuple[Polygon, float]] = []
    for side in (1.0, -1.0):
        corners = [foot - FAR * along, foot + FAR * along]
        corners += [corners[1] + side * FAR * normal, corners[0] + side * FAR * normal]
        piece = polygon.intersection(shapely.Polygon(corners))
        parts = piece.geoms if hasattr(piece, "geoms") else (piece,)
        out.extend((part, side) for part in parts if isinstance(part, Polygon) and part.area > 1.0)
    return out


def _half_degrees(unit: Floats, side: float) -> Floats:
    """Degrees (m, 2) of a ring that lies in one hemisphere of longitude, with the way along its cut through a pole."""
    unit = unit / np.linalg.norm(unit, axis=1)[:, None]
    out = _degrees(unit)
    on_cut = np.abs(unit[:, 1]) < 1e-9
    out[on_cut, 0] = np.where(unit[on_cut, 0] < 0.0, 180.0 * side, 0.0)
    out[~on_cut, 0] = np.clip(out[~on_cut, 0], min(0.0, 180.0 * side), max(0.0, 180.0 * side))
    rows = [out[0]]
    for before, after, first, second in zip(out[:-1], out[1:], on_cut[:-1], on_cut[1:], strict=True):
        if first and second and before[0] != after[0]:  # over the pole
            pole = math.copysign(90.0, before[1])
            rows += [np.array([before[0], pole]), np.array([after[0], pole])]
        rows.append(after)
    return np.array(rows)


def _rounded(ring: Floats, decimals: int) -> tuple[Polygon, ...]:
    polygon = orient(shapely.Polygon(np.round(ring, decimals)))
    if polygon.is_valid:
        return (polygon,)
    # what crosses itself by rounding is cut there, in corners on the same grid: they are rounded again when sent
    repaired = filled(shapely.set_precision(shapely.make_valid(polygon), 10.0**-decimals))
    parts = repaired.geoms if isinstance(repaired, MultiPolygon) else (repaired,)
    return tuple(orient(part) for part in parts if part.area > 0.0)
