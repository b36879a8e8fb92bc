"""Geodetic and Earth-centred, Earth-fixed (ECEF) coordinates on WGS 84.

Method: Bowring, B. R. (1985), "The accuracy of geodetic latitude and height
equations", Survey Review 28, 202-206, iterated; free of trigonometry until the
end, so that poles and the axis are ordinary places.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tocsin.kernel import jit
from tocsin.units import ECCENTRICITY_SQUARED, SEMI_MAJOR_AXIS_M, SEMI_MINOR_AXIS_M

Floats = NDArray[np.float64]

SECOND_ECCENTRICITY_SQUARED = ECCENTRICITY_SQUARED / (1.0 - ECCENTRICITY_SQUARED)


@jit
def up_and_height(x: float, y: float, z: float) -> tuple[float, float, float, float, float]:
    """Sine and cosine of the geodetic latitude, of the longitude, and the height (m) of an ECEF position (m)."""
    p = math.sqrt(x * x + y * y)
    r = math.sqrt(p * p + z * z)
    # tangent of the parametric latitude as a direction (s, c), Bowring's start for any height
    s = z * SEMI_MINOR_AXIS_M * (1.0 + SECOND_ECCENTRICITY_SQUARED * SEMI_MINOR_AXIS_M / r)
    c = p * SEMI_MAJOR_AXIS_M
    sin_lat, cos_lat = 0.0, 1.0
    for _ in range(2):
        n = math.sqrt(s * s + c * c)
        s, c = s / n, c / n
        a = z + SECOND_ECCENTRICITY_SQUARED * SEMI_MINOR_AXIS_M * s * s * s
        b = p - ECCENTRICITY_SQUARED * SEMI_MAJOR_AXIS_M * c * c * c
        n = math.sqrt(a * a + b * b)
        sin_lat, cos_lat = a / n, b / n
        s, c = SEMI_MINOR_AXIS_M * sin_lat, SEMI_MAJOR_AXIS_M * cos_lat
    height = (
        p * cos_lat
        + z * sin_lat
        - SEMI_MAJOR_AXIS_M * math.sqrt(1.0 - ECCENTRICITY_SQUARED * sin_lat * sin_lat)
    )
    if p > 0.0:
        return sin_lat, cos_lat, y / p, x / p, height
    return sin_lat, cos_lat, 0.0, 1.0, height


@jit
def height_m(x: float, y: float, z: float) -> float:
    """Height above the ellipsoid (m) of an ECEF position (m)."""
    return up_and_height(x, y, z)[4]


@jit
def _geodetic(position_m: Floats, out: Floats) -> None:
    for i in range(len(position_m)):
        sin_lat, cos_lat, sin_lon, cos_lon, height = up_and_height(
            position_m[i, 0], position_m[i, 1], position_m[i, 2]
        )
        out[i, 0] = math.atan2(sin_lat, cos_lat)
        out[i, 1] = math.atan2(sin_lon, cos_lon)
        out[i, 2] = height


def geodetic_to_ecef(latitude_rad: ArrayLike, longitude_rad: ArrayLike, height_m: ArrayLike) -> Floats:
    """ECEF positions (..., 3) in metres of geodetic latitudes, longitudes (rad) and heights (m)."""
    latitude, longitude, height = np.broadcast_arrays(
        np.asarray(latitude_rad, float), np.asarray(longitude_rad, float), np.asarray(height_m, float)
    )
    sin_lat, cos_lat = np.sin(latitude), np.cos(latitude)
    normal = SEMI_MAJOR_AXIS_M / np.sqrt(1.0 - ECCENTRICITY_SQUARED * sin_lat**2)
    return np.stack(
        [
            (normal + height) * cos_lat * np.cos(longitude),
            (normal + height) * cos_lat * np.sin(longitude),
            (normal * (1.0 - ECCENTRICITY_SQUARED) + height) * sin_lat,
        ],
        axis=-1,
    )


def ecef_to_geodetic(position_m: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Geodetic latitude, longitude (rad) and height (m), each (...,), of ECEF positions (..., 3) in metres."""
    position = np.asarray(position_m, float)
    flat = np.ascontiguousarray(position.reshape(-1, 3))
    out = np.empty_like(flat)
    _geodetic(flat, out)
    shaped = out.reshape(position.shape)
    return shaped[..., 0], shaped[..., 1], shaped[..., 2]


def enu_axes(latitude_rad: ArrayLike, longitude_rad: ArrayLike) -> Floats:
    """Local axes (..., 3, 3): rows are the unit vectors east, north, up in ECEF."""
    latitude, longitude = np.broadcast_arrays(
        np.asarray(latitude_rad, float), np.asarray(longitude_rad, float)
    )
    sin_lat, cos_lat = np.sin(latitude), np.cos(latitude)
    sin_lon, cos_lon = np.sin(longitude), np.cos(longitude)
    zero = np.zeros_like(sin_lat)
    return np.stack(
        [
            np.stack([-sin_lon, cos_lon, zero], -1),
            np.stack([-sin_lat * cos_lon, -sin_lat * sin_lon, cos_lat], -1),
            np.stack([cos_lat * cos_lon, cos_lat * sin_lon, sin_lat], -1),
        ],
        axis=-2,
    )
