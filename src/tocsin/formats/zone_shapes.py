"""Polygons of GeoJSON in any coordinate reference system (CRS) -> valid polygons in longitude and latitude."""

from __future__ import annotations

import math
import re
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pyproj
import shapely
from pyproj.exceptions import ProjError
from shapely.geometry import MultiPolygon, Polygon

from tocsin.sensors.plots import Floats

Shape: TypeAlias = Polygon | MultiPolygon

# straight edges of a projection are bent in longitude and latitude: 2 m off at 50 degrees after 10 km, 230 m after 100
EDGE_M = 10_000.0
# data of one country often come in one zone of UTM, though some of it lies in the next; further out is an error
OUTSIDE_DEG = 6.0
EDGE_DEG = 1e-9  # rounding of a conversion, 0.1 mm
WORLD = shapely.box(-180.0, -90.0, 180.0, 90.0)


class Faulty(Exception):  # noqa: N818  says what, not that
    """What is wrong with a geometry or a CRS; the reader adds where it stands."""


class Frame(NamedTuple):
    """A CRS in which coordinates stand, the first one east or longitude."""

    name: str
    transformer: pyproj.Transformer | None  # to longitude and latitude; None where they are that already
    edge: float  # longest edge, in its own unit, that may stay straight
    bounds: (
        tuple[float, float, float, float] | None
    )  # where it is made for: west, south, east, north in degrees


LONLAT = Frame("WGS 84, longitude and latitude", None, math.inf, None)


def frame_of(member: object, given: str | None) -> Frame:
    """The CRS that a file's ``crs`` member names, or that the caller gives. Raises Faulty."""
    named = None if member is None else _named(member)
    if named is not None and given is not None and _crs(named) != _crs(given):
        raise Faulty(f"crs names {named}, the call names {given}: they must be the same CRS")
    name = given if named is None else named
    if name is None:
        return LONLAT
    crs = _crs(name)
    if crs == pyproj.CRS("OGC:CRS84") or crs == pyproj.CRS("EPSG:4326"):
        return LONLAT._replace(name=name)
    if not (crs.is_geographic or crs.is_projected):
        raise Faulty(f"CRS {name} ({crs.name}) is neither geographic nor projected in a plane")
    try:
        # a ballpark transformation leaves out the shift of the datum, which may be hundreds of metres
        transformer = pyproj.Transformer.from_crs(crs, "OGC:CRS84", always_xy=True, allow_ballpark=False)
    except ProjError as error:
        raise Faulty(f"CRS {name} ({crs.name}): no way to WGS 84 is known ({error})") from error
    unit = crs.axis_info[0].unit_conversion_factor if crs.is_projected and crs.axis_info else 1.0
    use = crs.area_of_use
    return Frame(
        f"{name} ({crs.name})",
        transformer,
        EDGE_M / unit if crs.is_projected else math.inf,
        None if use is None else (use.west, use.south, use.east, use.north),
    )


def _named(member: object) -> str:
    properties = member.get("properties") if isinstance(member, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    if not isinstance(member, dict) or member.get("type") != "name" or not isinstance(name, str):
        raise Faulty(
            'crs must be as {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::5564"}} or left out'
        )
    return name


def _crs(name: str) -> pyproj.CRS:
    if not re.fullmatch(
        r"(?i)(epsg|ogc|esri|iau_2015):\w+|urn:ogc:def:crs:[\w.:-]+|https?://www\.opengis\.net/[\w./-]+", name
    ):
        raise Faulty(f"CRS {name!r} must be a code such as EPSG:5564 or urn:ogc:def:crs:EPSG::5564")
    try:
        return pyproj.CRS.from_user_input(name)
    except ProjError as error:
        raise Faulty(f"CRS {name!r} is not known") from error


def shape_of(geometry: Any, frame: Frame) -> Shape:
    """A GeoJSON Polygon or MultiPolygon in a frame -> the same in degrees, cut at the antimeridian. Raises Faulty.

    Heights are left out. What of Faulty follows the word ``geometry``.
    """
    if not isinstance(geometry, dict):
        raise Faulty(" is empty: a zone must have an area")
    kind, coordinates = geometry.get("type"), geometry.get("coordinates")
    if kind not in ("Polygon", "MultiPolygon"):
        raise Faulty(f".type is {kind!r}, must be Polygon or MultiPolygon")
    polygons = [coordinates] if kind == "Polygon" else coordinates
    if not isinstance(polygons, list) or not polygons:
        raise Faulty(".coordinates are empty: a zone must have an area")
    parts = []
    for i, rings in enumerate(polygons):
        where = f".coordinates[{i}]" if kind == "MultiPolygon" else ".coordinates"
        if not isinstance(rings, list) or not rings:
            raise Faulty(f"{where} are empty: a zone must have an area")
        found = [_ring(ring, f"{where}[{j}]", frame) for j, ring in enumerate(rings)]
        parts.append(shapely.Polygon(found[0], found[1:]))
    whole: Shape = parts[0] if len(parts) == 1 else MultiPolygon(parts)
    _check(whole)  # in its own coordinates, which its maker can find again
    if frame.transformer is None:
        return whole
    return _converted(whole, frame)


def _ring(ring: Any, where: str, frame: Frame) -> Floats:
    """Coordinates (n, 2) of a closed ring."""
    if not isinstance(ring, list) or len(ring) < 4:
        count = len(ring) if isinstance(ring, list) else "no"
        raise Faulty(f"{where} has {count} positions, must have at least 4, the last one the first")
    try:
        points = np.array([(position[0], position[1]) for position in ring], float)
    except (TypeError, ValueError, IndexError, KeyError):
        raise Faulty(f"{where} must be a list of positions [east, north] in numbers") from None
    if not np.isfinite(points).all():
        raise Faulty(f"{where}[{int(np.argmin(np.isfinite(points).all(axis=1)))}] is not finite")
    if (points[0] != points[-1]).any():
        raise Faulty(f"{where} is not closed: it ends at {_at(points[-1])}, not at {_at(points[0])}")
    if frame.transformer is None:
        _check_degrees(points, where)
    return points


def _check_degrees(points: Floats, where: str) -> None:
    for column, (limit, name) in enumerate(((180.0, "longitude"), (90.0, "latitude"))):
        beyond = np.flatnonzero(np.abs(points[:, column]) > limit)
        if len(beyond):
            value = points[beyond[0], column]
            raise Faulty(
                f"{where}[{beyond[0]}] has {name} {value:g}, beyond {limit:g} degrees: cut the zone at the "
                f"antimeridian, or name the CRS if these are no degrees"
            )
    step = np.abs(np.diff(points[:, 0]))
    at_pole = (np.abs(points[:-1, 1]) == 90.0) & (np.abs(points[1:, 1]) == 90.0)
    wide = np.flatnonzero((step > 180.0) & (step < 360.0) & ~at_pole)
    if len(wide):
        raise Faulty(
            f"{where} goes from longitude {points[wide[0], 0]:g} to {points[wide[0] + 1, 0]:g} in one edge: cut the "
            "zone at the antimeridian in two (RFC 7946, 3.1.9), or set a position between if the long way is meant"
        )


def _check(shape: Shape) -> None:
    """Raise Faulty that says what is wrong with a shape, and where."""
    if not shape.is_valid:
        reason = str(shapely.is_valid_reason(shape))
        match = re.fullmatch(r"(.*?)\[(\S+) (\S+)\]", reason)
        what = reason if match is None else f"{match[1].lower()} at [{match[2]}, {match[3]}]"
        raise Faulty(f" is not valid: {what}")
    if not shape.area > 0.0:
        raise Faulty(" has no area")


def _converted(shape: Shape, frame: Frame) -> Shape:
    transformer = frame.transformer
    if transformer is None:
        return shape

    def to_degrees(points: Floats) -> Floats:
        lon, lat = transformer.transform(points[:, 0], points[:, 1])
        out: Floats = np.column_stack([lon, lat])
        bad = np.flatnonzero(~np.isfinite(out).all(axis=1))
        if len(bad):
            raise Faulty(f".coordinates hold {_at(points[bad[0]])}, which is no place in {frame.name}")
        return out

    dense = shapely.segmentize(shape, frame.edge) if math.isfinite(frame.edge) else shape
    parts = dense.geoms if isinstance(dense, MultiPolygon) else (dense,)
    pieces: list[Polygon] = []
    for part in parts:
        rings = [to_degrees(np.asarray(ring.coords)[:, :2]) for ring in (part.exterior, *part.interiors)]
        _check_use(rings[0], np.asarray(part.exterior.coords), frame)
        pieces += _cut(rings, np.asarray(part.exterior.coords))
    whole: Shape = pieces[0] if len(pieces) == 1 else MultiPolygon(pieces)
    _check(whole)
    return whole


def _check_use(lonlat: Floats, points: Floats, frame: Frame) -> None:
    """Raise Faulty where a ring lies far outside what its CRS is made for: it is most likely another CRS."""
    if frame.bounds is None:
        return
    west, south, east, north = frame.bounds
    width = (east - west) % 360.0 or 360.0
    past = (lonlat[:, 0] - west) % 360.0  # east of the western bound
    off = np.minimum(np.maximum(past - width, 0.0), 360.0 - past)
    off = np.where(past <= width, 0.0, off)
    off = np.maximum(off, np.maximum(south - lonlat[:, 1], lonlat[:, 1] - north))
    worst = int(np.argmax(off))
    if off[worst] > OUTSIDE_DEG:
        raise Faulty(
            f".coordinates hold {_at(points[worst])}, which is lon {lonlat[worst, 0]:.4f}, lat {lonlat[worst, 1]:.4f}, "
            f"{off[worst]:.0f} degrees outside the area of {frame.name}; is it another CRS?"
        )


def _cut(rings: list[Floats], points: Floats) -> list[Polygon]:
    """A polygon's rings (lon, lat), cut where they cross the antimeridian."""
    turned: list[Floats] = []
    for ring in rings:
        lon = np.unwrap(ring[:, 0], period=360.0)
        if abs(lon[-1] - lon[0]) > 180.0:
            raise Faulty(
                f".coordinates go round a pole near {_at(points[0])}: cut the zone in two through the pole"
            )
        lon -= 360.0 * round((lon.mean() - turned[0][:, 0].mean()) / 360.0) if turned else 0.0
        turned.append(np.column_stack([lon, ring[:, 1]]))
    whole = shapely.Polygon(turned[0], turned[1:])
    west, _, east, _ = whole.bounds
    if west >= -180.0 - EDGE_DEG and east <= 180.0 + EDGE_DEG:
        return [shapely.transform(whole, lambda lonlat: np.clip(lonlat, (-180.0, -90.0), (180.0, 90.0)))]
    _check(whole)
    pieces: list[Polygon] = []
    for turn in range(math.floor((west + 180.0) / 360.0), math.floor((east + 180.0) / 360.0) + 1):
        moved = shapely.transform(whole, lambda lonlat, by=360.0 * turn: lonlat - (by, 0.0))
        inside = shapely.get_parts(shapely.intersection(moved, WORLD))
        pieces += [piece for piece in inside if isinstance(piece, Polygon) and piece.area > 0.0]
    return pieces


def _at(point: Floats) -> str:
    return f"[{point[0]:.10g}, {point[1]:.10g}]"
