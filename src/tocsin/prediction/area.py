"""From outlines in a plane to polygons on the Earth."""

from __future__ import annotations

import math

import numpy as np
from shapely import union_all
from shapely.geometry import MultiPolygon, Polygon

from tocsin.earth.ellipsoid import ecef_to_geodetic, enu_axes, geodetic_to_ecef
from tocsin.prediction.forecast import Area
from tocsin.sensors.plots import Floats, Ints
from tocsin.units import SEMI_MAJOR_AXIS_M

BENT = 0.004  # of the square root of an area: how far an edge may be from where it is straight in the plane
HALVINGS = 8  # of an edge that would not be straight on the map, at most


def polygons(
    latitude_rad: float, longitude_rad: float, corners_m: Floats, parts: Floats, count: int
) -> list[Area]:
    """Areas from the outlines of `region.outlines`, drawn in the plane that touches the Earth at a place.

    corners_m (m, 2) east, north; parts (p, 2); count: how many regions there are. The polygons (lon, lat in degrees)
    have no holes and are cut at the antimeridian.
    """
    found: list[list[Polygon]] = [[] for _ in range(count)]
    latitude, longitude = place(latitude_rad, longitude_rad, corners_m)
    many = parts[:, 1].astype(int)
    ends = np.cumsum(many)
    after = np.arange(1, len(corners_m) + 1)
    after[ends - 1] = ends - many
    off_m = _aside_m(latitude_rad, longitude_rad, corners_m, after, latitude, longitude)
    for region, begin, end in zip(parts[:, 0].astype(int).tolist(), ends - many, ends, strict=True):
        ring = slice(begin, end)
        allowed_m = BENT * math.sqrt(Polygon(corners_m[ring]).area)
        there = latitude[ring], longitude[ring]
        if off_m[ring].max() > allowed_m:
            there = _bent(latitude_rad, longitude_rad, corners_m[ring], allowed_m)
        area = _polygon(*there)
        found[region] += getattr(area, "geoms", [area])
    return [p[0] if len(p) == 1 else MultiPolygon(p) for p in found]


def _aside_m(
    latitude_rad: float,
    longitude_rad: float,
    corners_m: Floats,
    after: Ints,
    latitude: Floats,
    longitude: Floats,
) -> Floats:
    """How far the middles of edges (n,) on the map, straight in longitude and latitude, are from those in the plane.

    after (n,): the corner to which the edge from each leads; latitude, longitude (n,) rad: of the corners.
    """
    true_lat, true_lon = place(latitude_rad, longitude_rad, 0.5 * (corners_m + corners_m[after]))
    step = np.remainder(longitude[after] - longitude + math.pi, 2.0 * math.pi) - math.pi
    east = np.remainder(longitude + 0.5 * step - true_lon + math.pi, 2.0 * math.pi) - math.pi
    north = 0.5 * (latitude + latitude[after]) - true_lat
    return np.asarray(SEMI_MAJOR_AXIS_M * np.hypot(north, np.cos(true_lat) * east))


def _bent(
    latitude_rad: float, longitude_rad: float, corners_m: Floats, allowed_m: float
) -> tuple[Floats, Floats]:
    """Latitudes and longitudes (rad) of a ring of corners (n, 2), with more of them where edges are too far aside."""
    for _ in range(HALVINGS):
        latitude, longitude = place(latitude_rad, longitude_rad, corners_m)
        after = np.roll(np.arange(len(corners_m)), -1)
        off_m = _aside_m(latitude_rad, longitude_rad, corners_m, after, latitude, longitude)
        far = np.flatnonzero(off_m > allowed_m)
        if not len(far):
            break
        corners_m = np.insert(corners_m, far + 1, 0.5 * (corners_m + corners_m[after])[far], axis=0)
    return place(latitude_rad, longitude_rad, corners_m)


def offsets_m(latitude_rad: float, longitude_rad: float, points_m: Floats) -> Floats:
    """Offsets (n, 2) east, north of a place on the ground, of points (n, 3) on the ground: `place` backwards."""
    axes = enu_axes(latitude_rad, longitude_rad)
    centre = geodetic_to_ecef(latitude_rad, longitude_rad, 0.0)
    radius = float(np.linalg.norm(centre))
    local = (points_m - (centre - radius * axes[2])) @ axes.T
    level = np.hypot(local[:, 0], local[:, 1])
    far = radius * np.arctan2(level, local[:, 2])
    return np.asarray(local[:, :2] * (far / np.maximum(level, 1e-9))[:, None])


def place(latitude_rad: float, longitude_rad: float, plane_m: Floats) -> tuple[Floats, Floats]:
    """Latitudes and longitudes (rad) of offsets (n, 2) east, north in metres, along great circles.

    Exact in direction on a sphere of the local radius; off by up to 0.7 % of the distance.
    """
    axes = enu_axes(latitude_rad, longitude_rad)
    centre = geodetic_to_ecef(latitude_rad, longitude_rad, 0.0)
    radius = float(np.linalg.norm(centre))
    distance = np.minimum(np.hypot(plane_m[:, 0], plane_m[:, 1]), 0.9 * math.pi * radius)
    direction = plane_m / np.maximum(np.hypot(plane_m[:, 0], plane_m[:, 1]), 1e-9)[:, None]
    angle = distance / radius
    horizontal = direction @ axes[:2]
    points = radius * (np.cos(angle)[:, None] * axes[2] + np.sin(angle)[:, None] * horizontal)
    points += centre - radius * axes[2]
    latitude, longitude, _ = ecef_to_geodetic(points)
    return latitude, longitude


def _polygon(latitude_rad: Floats, longitude_rad: Floats) -> Area:
    """A ring as a polygon, cut at the antimeridian; a ring around a pole is closed along it."""
    longitude = np.degrees(np.unwrap(longitude_rad))
    latitude = np.degrees(latitude_rad)
    around = longitude[-1] - longitude[0] + ((longitude[0] - longitude[-1] + 180.0) % 360.0 - 180.0)
    if abs(around) > 180.0:
        pole = math.copysign(90.0, latitude.mean())
        turn = math.copysign(360.0, around)
        longitude = np.concatenate([longitude, [longitude[0] + turn, longitude[0] + turn, longitude[0]]])
        latitude = np.concatenate([latitude, [latitude[0], pole, pole]])
    ring = Polygon(np.column_stack([longitude, latitude]))
    if abs(around) <= 180.0 and ring.is_valid and longitude.min() >= -180.0 and longitude.max() <= 180.0:
        return ring
    if not ring.is_valid:
        ring = ring.buffer(0)
    parts = []
    low, _, high, _ = ring.bounds
    for shift in range(int(math.floor((low + 180.0) / 360.0)), int(math.floor((high + 180.0) / 360.0)) + 1):
        window = Polygon(
            [
                (-180 + 360 * shift, -90),
                (180 + 360 * shift, -90),
                (180 + 360 * shift, 90),
                (-180 + 360 * shift, 90),
            ]
        )
        piece = ring.intersection(window)
        for part in getattr(piece, "geoms", [piece]):
            if isinstance(part, Polygon) and part.area > 0.0:
                corners = np.asarray(part.exterior.coords) - np.array([360.0 * shift, 0.0])
                parts.append(Polygon(np.clip(corners, [-180.0, -90.0], [180.0, 90.0])))
    # round a pole the parts share a meridian, on which they become one
    return union_all(parts)
