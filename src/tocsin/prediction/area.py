"""From the spread of an impact to the polygon that holds it with a given probability."""

from __future__ import annotations

import math

import numpy as np
from shapely import union_all
from shapely.geometry import MultiPoint, Polygon

from tocsin.earth.ellipsoid import ecef_to_geodetic, enu_axes, geodetic_to_ecef
from tocsin.prediction.forecast import Area
from tocsin.sensors.plots import Floats

CORNERS = 48
SMALLEST_SIGMA_M = 1.0  # no area thinner than this is claimed


def chain_of_ellipses(
    latitude_rad: float, longitude_rad: float, offset_m: Floats, covariance_m2: Floats, radius2: Floats
) -> tuple[Area, float]:
    """The area that a chain of ellipses sweeps, from each to the next.

    offset_m (k, 2) their centres east, north of a place; covariance_m2 (k, 2, 2); radius2 (k,) their size
    in squared sigmas. Returns the polygon (lon, lat in degrees; cut at the antimeridian; no holes) and its
    area in km2. One ellipse keeps its own area.
    """
    values, vectors = np.linalg.eigh(covariance_m2)
    values = np.maximum(values, SMALLEST_SIGMA_M**2)
    turn = np.arange(CORNERS) * (2.0 * math.pi / CORNERS)
    # a polygon of n corners on the ellipse is smaller by this factor squared
    swell = math.sqrt(2.0 * math.pi / CORNERS / math.sin(2.0 * math.pi / CORNERS))
    circle = np.stack([np.cos(turn), np.sin(turn)]) * swell
    axes = vectors * np.sqrt(values * radius2[:, None])[:, None, :]
    rings = (axes @ circle + offset_m[:, :, None]).transpose(0, 2, 1)  # (k, CORNERS, 2)
    links = [rings[max(k - 1, 0) : k + 1].reshape(-1, 2) for k in range(min(1, len(rings) - 1), len(rings))]
    swept = union_all([MultiPoint(link).convex_hull for link in links])
    outline = Polygon(swept.exterior)
    corners = np.asarray(outline.exterior.coords)[:-1]
    return _polygon(*place(latitude_rad, longitude_rad, corners)), outline.area / 1e6


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
