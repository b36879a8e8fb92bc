"""From outlines in a plane to polygons on the Earth."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import shapely
from shapely import union_all
from shapely.geometry import MultiPolygon, Polygon

from tocsin.earth.ellipsoid import up_and_height
from tocsin.kernel import jit
from tocsin.prediction.forecast import Area
from tocsin.prediction.region import SMOOTH, SMOOTH_WIDTH
from tocsin.sensors.plots import Floats, Ints
from tocsin.units import ECCENTRICITY_SQUARED, SEMI_MAJOR_AXIS_M

MOST_HALVINGS = 8  # of a side
# Where a side is off by less than its length squared, times 1 + tan of the latitude, over the Earth's radius (8 times
# the sagitta of a parallel): below 80 degrees, and not farther than this from where the plane touches.
SURELY_FLAT_RAD, SURELY_NEAR_M = 1.4, 1e6
FULL_TURN = 2.0 * math.pi


@jit
def frame(latitude_rad: float, longitude_rad: float) -> tuple[Floats, Floats, float]:
    """Axes (3, 3) east, north, up at a place on the ground; centre (3,) and radius of the sphere that touches there."""
    sin_lat, cos_lat = math.sin(latitude_rad), math.cos(latitude_rad)
    sin_lon, cos_lon = math.sin(longitude_rad), math.cos(longitude_rad)
    axes = np.array(
        [
            [-sin_lon, cos_lon, 0.0],
            [-sin_lat * cos_lon, -sin_lat * sin_lon, cos_lat],
            [cos_lat * cos_lon, cos_lat * sin_lon, sin_lat],
        ]
    )
    normal = SEMI_MAJOR_AXIS_M / math.sqrt(1.0 - ECCENTRICITY_SQUARED * sin_lat * sin_lat)
    at = np.array(
        [
            normal * cos_lat * cos_lon,
            normal * cos_lat * sin_lon,
            normal * (1.0 - ECCENTRICITY_SQUARED) * sin_lat,
        ]
    )
    radius = math.sqrt((at * at).sum())
    return axes, at - radius * axes[2], radius


@jit
def _there(east_m: float, north_m: float, axes: Floats, centre: Floats, radius: float) -> tuple[float, float]:
    """Latitude and longitude (rad) of an offset in a `frame`."""
    level = math.hypot(east_m, north_m)
    angle = min(level, 0.9 * math.pi * radius) / radius
    across, up = radius * math.sin(angle) / max(level, 1e-9), radius * math.cos(angle)
    x = centre[0] + up * axes[2, 0] + across * (east_m * axes[0, 0] + north_m * axes[1, 0])
    y = centre[1] + up * axes[2, 1] + across * (east_m * axes[0, 1] + north_m * axes[1, 1])
    z = centre[2] + up * axes[2, 2] + across * (east_m * axes[0, 2] + north_m * axes[1, 2])
    sin_lat, cos_lat, sin_lon, cos_lon, _ = up_and_height(x, y, z)
    return math.atan2(sin_lat, cos_lat), math.atan2(sin_lon, cos_lon)


@jit
def places(latitude_rad: float, longitude_rad: float, plane_m: Floats) -> Floats:
    """As `place`: latitudes and longitudes (n, 2)."""
    axes, centre, radius = frame(latitude_rad, longitude_rad)
    out = np.empty((len(plane_m), 2))
    for i in range(len(plane_m)):
        out[i, 0], out[i, 1] = _there(plane_m[i, 0], plane_m[i, 1], axes, centre, radius)
    return out


@jit
def offsets(latitude_rad: float, longitude_rad: float, points_m: Floats) -> Floats:
    """As `offsets_m`."""
    axes, centre, radius = frame(latitude_rad, longitude_rad)
    out = np.empty((len(points_m), 2))
    for i in range(len(points_m)):
        local = axes @ (points_m[i, :3] - centre)
        level = math.hypot(local[0], local[1])
        far = radius * math.atan2(level, local[2]) / max(level, 1e-9)
        out[i, 0], out[i, 1] = far * local[0], far * local[1]
    return out


def offsets_m(latitude_rad: float, longitude_rad: float, points_m: Floats) -> Floats:
    """Offsets (n, 2) east, north of a place on the ground, of points (n, 3) on the ground: `place` backwards."""
    return offsets(latitude_rad, longitude_rad, np.ascontiguousarray(points_m, float))


def place(latitude_rad: float, longitude_rad: float, plane_m: Floats) -> tuple[Floats, Floats]:
    """Latitudes and longitudes (rad) of offsets (n, 2) east, north in metres, along great circles.

    Exact in direction on a sphere of the local radius; off by up to 0.7 % of the distance.
    """
    found = places(latitude_rad, longitude_rad, np.ascontiguousarray(plane_m, float))
    return found[:, 0], found[:, 1]


@jit
def _turn(angle_rad: float) -> float:
    """An angle from -pi to pi."""
    return angle_rad - FULL_TURN * round(angle_rad / FULL_TURN)


@jit
def rings(latitude_rad: float, longitude_rad: float, corners_m: Floats, parts: Floats) -> tuple[Floats, Ints]:
    """Outlines of `region.outlines` on the Earth, drawn in the plane that touches it at a place.

    corners_m (m, 2) east, north; parts (p, 2). Returns longitude and latitude (n, 2) in degrees of the corners of all
    rings, each going on without a jump from its first; and for each ring (p, 3) its region, how many corners it has,
    and 1 where it is one from -180 to 180 degrees that goes round no pole.

    A side is a line of the plane; straight over longitude and latitude it is another, farther off the farther it goes
    and the nearer it is to a pole. Sides are halved until they are off by no more than an outline may be (`region`).
    """
    axes, centre, radius = frame(latitude_rad, longitude_rad)
    out = np.empty((4 * len(corners_m) + 2 * MOST_HALVINGS, 2))
    told = np.empty((len(parts), 3), np.int64)
    # the far ends of the halves that wait, the nearest last
    wait, depth = np.empty((MOST_HALVINGS + 1, 4)), np.empty(MOST_HALVINGS + 1, np.int64)
    filled, first = 0, 0
    for p in range(len(parts)):
        many = int(parts[p, 1])
        area, length = 0.0, 0.0
        for i in range(many):
            a, b = corners_m[first + i], corners_m[first + (i + 1) % many]
            area += 0.5 * (a[0] * b[1] - b[0] * a[1])
            length += math.hypot(b[0] - a[0], b[1] - a[1])
        area = abs(area)
        allowed_m = min(SMOOTH * math.sqrt(area), SMOOTH_WIDTH * 2.0 * area / length)
        start = filled
        east, north = corners_m[first, 0], corners_m[first, 1]
        latitude, longitude = _there(east, north, axes, centre, radius)
        begin = (latitude, longitude)
        for i in range(many):
            after = corners_m[first + (i + 1) % many]
            wait[0, 0], wait[0, 1] = after[0], after[1]
            wait[0, 2], wait[0, 3] = (
                begin if i == many - 1 else _there(after[0], after[1], axes, centre, radius)
            )
            depth[0], waiting = 0, 1
            while waiting > 0:
                k = waiting - 1
                length2 = (wait[k, 0] - east) ** 2 + (wait[k, 1] - north) ** 2
                straight = abs(latitude) < SURELY_FLAT_RAD and east * east + north * north < SURELY_NEAR_M**2
                straight &= length2 * (1.0 + abs(math.tan(latitude))) < SEMI_MAJOR_AXIS_M * allowed_m
                if not straight and depth[k] < MOST_HALVINGS:
                    half_east, half_north = 0.5 * (east + wait[k, 0]), 0.5 * (north + wait[k, 1])
                    there, across = _there(half_east, half_north, axes, centre, radius)
                    off_east = across - longitude - 0.5 * _turn(wait[k, 3] - longitude)
                    off_north = there - 0.5 * (latitude + wait[k, 2])
                    off_m = SEMI_MAJOR_AXIS_M * math.hypot(off_north, _turn(off_east) * math.cos(there))
                    if off_m > allowed_m:
                        depth[k] += 1
                        wait[waiting, 0], wait[waiting, 1] = half_east, half_north
                        wait[waiting, 2], wait[waiting, 3] = there, across
                        depth[waiting] = depth[k]
                        waiting += 1
                        continue
                if filled == len(out):
                    out = np.concatenate((out, np.empty_like(out)))
                out[filled, 0], out[filled, 1] = longitude, latitude
                filled += 1
                east, north, latitude, longitude = wait[k, 0], wait[k, 1], wait[k, 2], wait[k, 3]
                waiting -= 1
        turned, west, eastmost = 0.0, math.inf, -math.inf
        for i in range(start, filled):
            if i > start:
                change = out[i, 0] + turned - out[i - 1, 0]
                if abs(change) >= math.pi:
                    turned -= FULL_TURN * round(change / FULL_TURN)
                out[i, 0] += turned
            west, eastmost = min(west, out[i, 0]), max(eastmost, out[i, 0])
        plain = west >= -math.pi and eastmost <= math.pi and abs(_around(out[start:filled, 0])) <= math.pi
        told[p, 0], told[p, 1], told[p, 2] = int(parts[p, 0]), filled - start, int(plain)
        first += many
    for i in range(filled):
        out[i, 0], out[i, 1] = math.degrees(out[i, 0]), math.degrees(out[i, 1])
    return out[:filled].copy(), told


@jit
def _around(longitude_rad: Floats) -> float:
    """By how much the longitude of a ring grows from its first corner to that again: 0, or a full turn round a pole."""
    last = float(longitude_rad[-1] - longitude_rad[0])
    return last + _turn(-last)


def polygons(
    latitude_rad: float, longitude_rad: float, corners_m: Floats, parts: Floats, count: int
) -> list[Area]:
    """Areas from the outlines of `region.outlines`, drawn in the plane that touches the Earth at a place.

    corners_m (m, 2) east, north; parts (p, 2); count: how many regions there are. The polygons (lon, lat in degrees)
    have no holes and are cut at the antimeridian.
    """
    return polygons_of([(*rings(latitude_rad, longitude_rad, corners_m, parts), count)])[0]


def polygons_of(drawn: Sequence[tuple[Floats, Ints, int]]) -> list[list[Area]]:
    """Areas of regions from 0 on from `rings`, for each of many: corners, rings, and how many regions there are.

    A region without a ring is an empty polygon. All are made in one go: most of the cost is in the calls.
    """
    corners = np.concatenate([corners for corners, _, _ in drawn])
    told = np.concatenate([told for _, told, _ in drawn])
    shapes = shapely.polygons(
        shapely.linearrings(corners, indices=np.repeat(np.arange(len(told)), told[:, 1]))
    )
    good = ((told[:, 2] == 1) & shapely.is_valid(shapes)).tolist()
    ring, begin = 0, 0
    found = []
    for _, own, count in drawn:
        regions: list[list[Polygon]] = [[] for _ in range(count)]
        for region, many, _ in own.tolist():
            if good[ring]:
                regions[region].append(shapes[ring])
            else:
                area = _polygon(corners[begin : begin + many])
                regions[region] += getattr(area, "geoms", [area])
            ring += 1
            begin += many
        found.append([p[0] if len(p) == 1 else MultiPolygon(p) for p in regions])
    return found


def _polygon(corners_deg: Floats) -> Area:
    """A ring as a polygon, cut at the antimeridian; a ring around a pole is closed along it."""
    longitude, latitude = corners_deg.T
    around = math.degrees(_around(np.radians(longitude)))
    if abs(around) > 180.0:
        pole = math.copysign(90.0, latitude.mean())
        turn = math.copysign(360.0, around)
        longitude = np.concatenate([longitude, [longitude[0] + turn, longitude[0] + turn, longitude[0]]])
        latitude = np.concatenate([latitude, [latitude[0], pole, pole]])
    ring = Polygon(np.column_stack([longitude, latitude]))
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
