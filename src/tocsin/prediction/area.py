"""From outlines in a plane to polygons on the Earth."""

from __future__ import annotations

import math

import numpy as np
from shapely import union_all
from shapely.geometry import MultiPolygon, Polygon

from tocsin.earth.ellipsoid import ecef_to_geodetic, enu_axes, geodetic_to_ecef
from tocsin.prediction.forecast import Area
from tocsin.prediction.region import SMOOTH, SMOOTH_WIDTH
from tocsin.sensors.plots import Floats, Ints
from tocsin.units import SEMI_MAJOR_AXIS_M

MOST_HALVINGS = 8  # of a side


def polygons(
    latitude_rad: float, longitude_rad: float, corners_m: Floats, parts: Floats, count: int
) -> list[Area]:
    """Areas from the outlines of `region.outlines`, drawn in the plane that touches the Earth at a place.

    corners_m (m, 2) east, north; parts (p, 2); count: how many regions there are. The polygons (lon, lat in degrees)
    have no holes and are cut at the antimeridian.
    """
    found: list[list[Polygon]] = [[] for _ in range(count)]
    latitude, longitude, ring = _placed(latitude_rad, longitude_rad, corners_m, parts[:, 1].astype(int))
    begin = 0
    for region, many in zip(parts[:, 0].astype(int), np.bincount(ring), strict=True):
        area = _polygon(latitude[begin : begin + many], longitude[begin : begin + many])
        begin += many
        found[region] += getattr(area, "geoms", [area])
    return [p[0] if len(p) == 1 else MultiPolygon(p) for p in found]


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


def _placed(
    latitude_rad: float, longitude_rad: float, corners_m: Floats, many: Ints
) -> tuple[Floats, Floats, Ints]:
    """Latitudes and longitudes (rad) of the corners of rings, with more of them where sides would bend; their rings.

    corners_m (m, 2), many (p,) of each ring. A side is a line of the plane; straight over longitude and latitude it is
    another, farther off the farther it goes and the nearer it is to a pole. Sides are halved until they are off by no
    more than an outline may be (`region`).
    """
    ring = np.repeat(np.arange(len(many)), many)
    allowed_m = np.zeros(0)
    for halvings in range(MOST_HALVINGS + 1):
        first = np.searchsorted(ring, np.arange(len(many)))
        following = np.arange(1, len(ring) + 1)
        following[np.append(first[1:], len(ring)) - 1] = first
        after_m = corners_m[following]
        if halvings == 0:
            cross = corners_m[:, 0] * after_m[:, 1] - after_m[:, 0] * corners_m[:, 1]
            area = 0.5 * np.abs(np.add.reduceat(cross, first))
            length = np.add.reduceat(np.hypot(*(after_m - corners_m).T), first)
            allowed_m = np.minimum(SMOOTH * np.sqrt(area), SMOOTH_WIDTH * 2.0 * area / length)
        middle_m = 0.5 * (corners_m + after_m)
        both = place(latitude_rad, longitude_rad, np.concatenate([corners_m, middle_m]))
        (latitude, there), (longitude, across) = (np.split(angle, 2) for angle in both)
        east = across - longitude - 0.5 * _turn(longitude[following] - longitude)
        north = there - 0.5 * (latitude + latitude[following])
        off_m = SEMI_MAJOR_AXIS_M * np.hypot(north, _turn(east) * np.cos(there))
        bent = np.flatnonzero(off_m > allowed_m[ring])
        if not len(bent) or halvings == MOST_HALVINGS:
            break
        corners_m = np.insert(corners_m, bent + 1, middle_m[bent], axis=0)
        ring = np.insert(ring, bent + 1, ring[bent])
    return latitude, longitude, ring


def _turn(angle_rad: Floats) -> Floats:
    """Angles from -pi to pi."""
    return np.asarray(angle_rad - 2.0 * math.pi * np.round(angle_rad / (2.0 * math.pi)))


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
