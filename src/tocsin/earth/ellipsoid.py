"""Geodetic and Earth-centred, Earth-fixed (ECEF) coordinates, each way with its derivative.

Where a position is not said to lie on another ellipsoid, it lies on WGS 84. ECEF axes: x through Greenwich, y
through 90 degrees east, z north. Latitude is the angle of the ellipsoid's normal with the equator, positive
north, -pi/2 to pi/2; longitude is positive east, -pi to pi; height is along the normal, positive outwards.

Method of the way from ECEF: the tangent T of the parametric latitude is the root of P T - Z - E T / sqrt(1 +
T^2), where P is the distance from the axis, Z is b/a times z, and E is a e^2 (Fukushima, T. (2006),
"Transformation from Cartesian to geodetic coordinates accelerated by Halley's method", Journal of Geodesy 79,
689-693). The start is that of Bowring, B. R. (1985), "The accuracy of geodetic latitude and height
equations", Survey Review 28, 202-206, good at any height: T = b z (1 + e'^2 b / r) / (a P), where r is the
distance from the centre and e'^2 = e^2 / (1 - e^2). One step of Halley's method follows. Tangents are kept as
directions, so that poles and the axis are ordinary places.

From -10 km to 40,000 km, against 50-digit numbers: latitude and longitude within 5e-16 rad, height and
position within 2e-8 m, which is the rounding of float64 at 46,000 km.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tocsin.errors import UsageError
from tocsin.kernel import jit
from tocsin.units import ECCENTRICITY_SQUARED, FLATTENING, SEMI_MAJOR_AXIS_M

Floats = NDArray[np.float64]

# Nearer to an axis than this share of the distance is on it: there a longitude or azimuth is chosen to be 0.
ON_AXIS = 1e-30
# Halley's error is below the cube of its step: 1e-14 rad. On the Earth its step is at most 8e-6.
LARGEST_STEP_SQUARED = (2e-5) ** 2
MOST_STEPS = 200


@jit
def _foot(p: float, z: float, a: float, f: float) -> tuple[float, float]:
    """Sine and cosine, times a common factor, of the parametric latitude of the nearest point.

    p: distance from the axis, z: from the equator's plane. For all places and flattenings from 0 to below 1:
    in the hemisphere of the place the function is convex, so Newton's method, started beyond the root, comes
    down to it. In the plane of the equator near the centre two points are nearest; the northern one is given.
    """
    north = 1.0 if z >= 0.0 else -1.0 if z < 0.0 else math.nan
    P, Z, E = p, (1.0 - f) * abs(z), a * f * (2.0 - f)
    if not P > ON_AXIS * (Z + E):
        return north, 0.0 * P
    T = (Z + E) / P
    for _ in range(MOST_STEPS):
        c = 1.0 / math.sqrt(1.0 + T * T)
        s = T * c
        slope = P - E * c * c * c
        if not slope > 0.0:
            break
        lower = (Z + E * s * s * s) / slope
        if not lower < T:
            break
        T = lower
    return north * T, 1.0


@jit
def up_and_height(x: float, y: float, z: float) -> tuple[float, float, float, float, float]:
    """Sine and cosine of the geodetic latitude, of the longitude, and the height (m) of an ECEF position (m).

    On WGS 84; else as `up_and_height_on`.
    """
    return up_and_height_on(x, y, z, SEMI_MAJOR_AXIS_M, FLATTENING)


@jit
def up_and_height_on(
    x: float, y: float, z: float, semi_major_axis_m: float, flattening: float
) -> tuple[float, float, float, float, float]:
    """Sine and cosine of the latitude, of the longitude, and the height (m) over an ellipsoid.

    x, y, z: a position (m) from the centre, z along the axis. flattening: 0 (a sphere) to below 1. On the
    axis the longitude is 0. Within a e^2 of the centre (43 km in the Earth) several normals meet: there, as
    everywhere, the answer is the nearest point of the ellipsoid (of two, the northern), the height minus its
    distance; at the centre that is a pole. Raises nothing; a place that is NaN has no latitude or height.
    """
    a, f = semi_major_axis_m, flattening
    e2, ratio = f * (2.0 - f), 1.0 - f
    p2 = x * x + y * y
    p, r = math.sqrt(p2), math.sqrt(p2 + z * z)
    off_axis = p > ON_AXIS * r
    s, c = 0.0, 0.0  # sine and cosine of the parametric latitude, times a common factor
    found = False
    if off_axis and r > 0.5 * a:
        P, Z, E = p, ratio * z, a * e2
        s0, c0 = z * (ratio * r + E), p * r  # Bowring's start, times P r
        n = 1.0 / math.sqrt(s0 * s0 + c0 * c0)
        s0 *= n
        c0 *= n
        # with D / F the next tangent by Newton's method, B the part of the second derivative in Halley's
        D, F = Z + E * s0 * s0 * s0, P - E * c0 * c0 * c0
        B = 1.5 * E * s0 * c0 * c0 * (P * s0 - Z * c0 - E * s0 * c0)
        s, c = D * F - B * s0, F * F - B * c0
        step = s * c0 - c * s0
        found = step * step < LARGEST_STEP_SQUARED * (s * s + c * c)
    if not found:
        s, c = _foot(p, z, a, f)
    c *= ratio  # from here on of the geodetic latitude
    n2 = s * s + c * c
    n = 1.0 / math.sqrt(n2)
    # p cos + z sin - a sqrt(1 - e2 sin^2): well behaved at all latitudes, and level where the latitude errs
    height = (p * c + z * s - a * math.sqrt(n2 - e2 * s * s)) * n
    if off_axis:
        return s * n, c * n, y / p, x / p, height
    return s * n, c * n, 0.0 * p, 1.0 + 0.0 * p, height  # NaN stays NaN


@jit
def height_m(x: float, y: float, z: float) -> float:
    """Height above WGS 84 (m) of an ECEF position (m), as `up_and_height`."""
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


@jit
def _axes(position_m: Floats, axes: Floats, radii: Floats) -> None:
    """East, north, up of positions (n, 3); radii (n, 2) of meridian and parallel, this 0 on the axis."""
    for i in range(len(position_m)):
        x, y, z = position_m[i, 0], position_m[i, 1], position_m[i, 2]
        sin_lat, cos_lat, sin_lon, cos_lon, height = up_and_height(x, y, z)
        axes[i, 0, 0], axes[i, 0, 1], axes[i, 0, 2] = -sin_lon, cos_lon, 0.0
        axes[i, 1, 0], axes[i, 1, 1], axes[i, 1, 2] = -sin_lat * cos_lon, -sin_lat * sin_lon, cos_lat
        axes[i, 2, 0], axes[i, 2, 1], axes[i, 2, 2] = cos_lat * cos_lon, cos_lat * sin_lon, sin_lat
        w2 = 1.0 - ECCENTRICITY_SQUARED * sin_lat * sin_lat
        radii[i, 0] = SEMI_MAJOR_AXIS_M * (1.0 - ECCENTRICITY_SQUARED) / (w2 * math.sqrt(w2)) + height
        p = math.sqrt(x * x + y * y)
        radii[i, 1] = p if p > ON_AXIS * math.sqrt(p * p + z * z) else 0.0


def fit_shapes(**named: tuple[ArrayLike, tuple[int, ...]]) -> list[Floats]:
    """Arrays of float64, each of them given with the shape that its last axes must have.

    Raises `UsageError` where they have another, or where the axes before them do not broadcast.
    """
    arrays: list[Floats] = []
    for name, (value, trailing) in named.items():
        array = np.asarray(value, np.float64)
        if array.shape[max(array.ndim - len(trailing), 0) :] != trailing:
            wanted = ", ".join(["...", *map(str, trailing)])
            raise UsageError(f"{name}: must have the shape ({wanted}), not {array.shape}")
        arrays.append(array)
    try:
        np.broadcast_shapes(
            *(
                array.shape[: array.ndim - len(trailing)]
                for array, (_, trailing) in zip(arrays, named.values(), strict=True)
            )
        )
    except ValueError:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in zip(named, arrays, strict=True))
        raise UsageError(f"shapes do not fit together: {shapes}") from None
    return arrays


def geodetic_to_ecef(latitude_rad: ArrayLike, longitude_rad: ArrayLike, height_m: ArrayLike) -> Floats:
    """ECEF positions (..., 3) in metres of geodetic latitudes, longitudes (rad) and heights (m).

    Source: Montenbruck and Gill (2000), Satellite Orbits, section 5.5. The inputs broadcast; `UsageError`
    where they do not.
    """
    latitude, longitude, height = np.broadcast_arrays(
        *fit_shapes(
            latitude_rad=(latitude_rad, ()), longitude_rad=(longitude_rad, ()), height_m=(height_m, ())
        )
    )
    sin_lat, cos_lat = np.sin(latitude), np.cos(latitude)
    normal = SEMI_MAJOR_AXIS_M / np.sqrt(1.0 - ECCENTRICITY_SQUARED * sin_lat**2)
    parallel = (normal + height) * cos_lat
    return np.stack(
        [
            parallel * np.cos(longitude),
            parallel * np.sin(longitude),
            (normal * (1.0 - ECCENTRICITY_SQUARED) + height) * sin_lat,
        ],
        axis=-1,
    )


def geodetic_to_ecef_jacobian(
    latitude_rad: ArrayLike, longitude_rad: ArrayLike, height_m: ArrayLike
) -> Floats:
    """Derivative (..., 3, 3) of `geodetic_to_ecef`: columns by latitude, longitude (m/rad) and height (m/m).

    They are north times the radius of the meridian, east times that of the parallel, and up (Heiskanen and
    Moritz (1967), Physical Geodesy, chapter 5). `UsageError` where the inputs do not broadcast.
    """
    latitude, longitude, height = np.broadcast_arrays(
        *fit_shapes(
            latitude_rad=(latitude_rad, ()), longitude_rad=(longitude_rad, ()), height_m=(height_m, ())
        )
    )
    sin_lat, cos_lat = np.sin(latitude), np.cos(latitude)
    w2 = 1.0 - ECCENTRICITY_SQUARED * sin_lat**2
    normal = SEMI_MAJOR_AXIS_M / np.sqrt(w2)
    meridian = normal * (1.0 - ECCENTRICITY_SQUARED) / w2 + height
    parallel = (normal + height) * cos_lat
    axes = enu_axes(latitude, longitude)
    return np.stack(
        [axes[..., 1, :] * meridian[..., None], axes[..., 0, :] * parallel[..., None], axes[..., 2, :]],
        axis=-1,
    )


def ecef_to_geodetic(position_m: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Geodetic latitude, longitude (rad) and height (m), each (...,), of ECEF positions (..., 3) in metres.

    Method, and what holds on the axis and at the centre: as `up_and_height_on`. Next to the axis a longitude
    is known as well as the position is: its error times the cosine of the latitude is small. `UsageError` on
    another shape.
    """
    (position,) = fit_shapes(position_m=(position_m, (3,)))
    flat = np.ascontiguousarray(position.reshape(-1, 3))
    out = np.empty_like(flat)
    _geodetic(flat, out)
    shaped = out.reshape(position.shape)
    return shaped[..., 0], shaped[..., 1], shaped[..., 2]


def ecef_to_geodetic_jacobian(position_m: ArrayLike) -> Floats:
    """Derivative (..., 3, 3) of `ecef_to_geodetic`: rows latitude, longitude (rad/m) and height (m/m).

    The inverse of `geodetic_to_ecef_jacobian`. On the axis, where a longitude has no derivative, its row is
    0. Nothing is promised within 43 km of the centre, where a latitude has none everywhere. `UsageError` on
    another shape.
    """
    (position,) = fit_shapes(position_m=(position_m, (3,)))
    flat = np.ascontiguousarray(position.reshape(-1, 3))
    axes, radii = np.empty((len(flat), 3, 3)), np.empty((len(flat), 2))
    _axes(flat, axes, radii)
    curvature = np.divide(1.0, radii, out=np.zeros_like(radii), where=radii != 0.0)
    rows = np.stack(
        [axes[:, 1] * curvature[:, 0, None], axes[:, 0] * curvature[:, 1, None], axes[:, 2]], axis=-2
    )
    return rows.reshape(*position.shape, 3)


def enu_axes(latitude_rad: ArrayLike, longitude_rad: ArrayLike) -> Floats:
    """Local axes (..., 3, 3): rows are the unit vectors east, north, up in ECEF.

    Source: Montenbruck and Gill (2000), Satellite Orbits, section 5.5. `UsageError` where the inputs do not
    broadcast.
    """
    latitude, longitude = np.broadcast_arrays(
        *fit_shapes(latitude_rad=(latitude_rad, ()), longitude_rad=(longitude_rad, ()))
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


def enu_axes_at(position_m: ArrayLike) -> Floats:
    """`enu_axes` (..., 3, 3) of ECEF positions (..., 3) in metres. On the axis east is y, north is -x or x.

    `UsageError` on another shape.
    """
    (position,) = fit_shapes(position_m=(position_m, (3,)))
    flat = np.ascontiguousarray(position.reshape(-1, 3))
    axes, radii = np.empty((len(flat), 3, 3)), np.empty((len(flat), 2))
    _axes(flat, axes, radii)
    return axes.reshape(*position.shape, 3)
