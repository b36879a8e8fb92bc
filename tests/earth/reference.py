"""Frames and measurements in 50-digit numbers, written apart from the code that they check.

Places and directions are lists of mpmath numbers. Only textbook definitions stand here: latitude and height
are the root of the forward formula by Newton's method, derivatives are central differences whose step is far
below, and whose rounding is far above, what float64 can tell.
"""

from collections.abc import Callable, Sequence
from functools import cache

import mpmath
import numpy as np

mp = mpmath.MPContext()  # its own, so that no other test changes the digits
mp.dps = 50
mpf = mp.mpf

A = mpf(6378137)  # WGS 84 (NGA.STND.0036, 2014, table 3.1)
F = 1 / mpf("298.257223563")
RATE = mpf("7.292115e-5")
CLOSE = mpf(10) ** -45
STEP = mpf(10) ** -18  # of the size of a variable; its square, the error of the difference, is 1e-36


def numbers(values: Sequence[float]) -> list[mpf]:
    """Exactly the float64 numbers."""
    return [mpf(float(value)) for value in values]


def meridian(latitude: mpf, height: mpf, a: mpf = A, f: mpf = F) -> tuple[mpf, mpf]:
    """Distances from the axis and from the equator's plane."""
    s, c = mp.sin(latitude), mp.cos(latitude)
    n = a**2 / mp.sqrt((a * c) ** 2 + (a * (1 - f) * s) ** 2)
    return (n + height) * c, (n * (1 - f) ** 2 + height) * s


def to_ecef(g: Sequence[mpf], a: mpf = A, f: mpf = F) -> list[mpf]:
    """Position of latitude, longitude and height."""
    p, z = meridian(g[0], g[2], a, f)
    return [p * mp.cos(g[1]), p * mp.sin(g[1]), z]


def to_geodetic(x: Sequence[mpf], a: mpf = A, f: mpf = F) -> list[mpf]:
    """Latitude, longitude and height of a position outside the evolute; on the axis the longitude is 0."""
    p = mp.sqrt(x[0] ** 2 + x[1] ** 2)
    latitude, height = mp.atan2(x[2], p), mp.sqrt(p**2 + x[2] ** 2) - a
    for _ in range(40):
        s, c = mp.sin(latitude), mp.cos(latitude)
        here_p, here_z = meridian(latitude, height, a, f)
        dp, dz = p - here_p, x[2] - here_z
        w = mp.sqrt(1 - f * (2 - f) * s**2)
        north = (c * dz - s * dp) / (a * (1 - f) ** 2 / w**3 + height)
        up = c * dp + s * dz
        latitude, height = latitude + north, height + up
        if abs(north) < CLOSE and abs(up) < CLOSE * a:
            longitude = mp.atan2(x[1], x[0]) if p > 0 else mpf(0)
            return [latitude, longitude, height]
    raise ArithmeticError("Newton's method did not end")


def dot(u: Sequence[mpf], v: Sequence[mpf]) -> mpf:
    """Scalar product."""
    return mp.fsum(i * j for i, j in zip(u, v, strict=True))


def less(u: Sequence[mpf], v: Sequence[mpf]) -> list[mpf]:
    """Difference."""
    return [i - j for i, j in zip(u, v, strict=True)]


@cache
def _local(site: tuple[mpf, ...]) -> list[list[mpf]]:
    latitude, longitude, _ = to_geodetic(site)
    up = [mp.cos(latitude) * mp.cos(longitude), mp.cos(latitude) * mp.sin(longitude), mp.sin(latitude)]
    east = [-mp.sin(longitude), mp.cos(longitude), mpf(0)]
    north = [
        up[1] * east[2] - up[2] * east[1],
        up[2] * east[0] - up[0] * east[2],
        up[0] * east[1] - up[1] * east[0],
    ]
    return [east, north, up]


def local(site: Sequence[mpf]) -> list[list[mpf]]:
    """East, north and up of a site."""
    return _local(tuple(site))


def to_enu(x: Sequence[mpf], site: Sequence[mpf]) -> list[mpf]:
    """East, north and up of a position (3), and of its velocity (6)."""
    axes = local(site)
    place = [dot(axis, less(x[:3], site)) for axis in axes]
    return place + [dot(axis, x[3:]) for axis in axes] if len(x) == 6 else place


def to_inertial(x: Sequence[mpf], angle: mpf) -> list[mpf]:
    """State in the frame that does not turn: of a point that is carried round, differentiated by hand."""
    c, s = mp.cos(angle), mp.sin(angle)
    return [
        c * x[0] - s * x[1],
        s * x[0] + c * x[1],
        x[2],
        c * x[3] - s * x[4] - RATE * (s * x[0] + c * x[1]),
        s * x[3] + c * x[4] + RATE * (c * x[0] - s * x[1]),
        x[5],
    ]


def from_inertial(x: Sequence[mpf], angle: mpf) -> list[mpf]:
    """The way back: the solution of `to_inertial` by the inverse of its matrix."""
    columns = [to_inertial([mpf(i == k) for i in range(6)], angle) for k in range(6)]
    matrix = mp.matrix(6, 6)
    for k in range(6):
        for i in range(6):
            matrix[i, k] = columns[k][i]
    return list(mp.lu_solve(matrix, mp.matrix(list(x))))


def look(x: Sequence[mpf], site: Sequence[mpf], velocity: Sequence[mpf]) -> list[mpf]:
    """Range, azimuth from north by east, elevation and range rate of a state."""
    d = less(x[:3], site)
    east, north, up = to_enu(x[:3], site)
    distance = mp.sqrt(dot(d, d))
    rate = dot(d, less(x[3:], velocity)) / distance
    return [distance, mp.atan2(east, north), mp.asin(up / distance), rate]


def from_look(measured: Sequence[mpf], site: Sequence[mpf]) -> list[mpf]:
    """Position at a range, azimuth and elevation."""
    distance, azimuth, elevation = measured
    part = [
        mp.sin(azimuth) * mp.cos(elevation),
        mp.cos(azimuth) * mp.cos(elevation),
        mp.sin(elevation),
    ]
    axes = local(site)
    return [site[i] + distance * mp.fsum(part[k] * axes[k][i] for k in range(3)) for i in range(3)]


def sky(x: Sequence[mpf], site: Sequence[mpf], angle: mpf) -> list[mpf]:
    """Right ascension and declination of the direction from a site to a position."""
    d = less(x[:3], site)
    turned = to_inertial([*d, 0, 0, 0], angle)[:3]
    return [mp.atan2(turned[1], turned[0]), mp.asin(turned[2] / mp.sqrt(dot(d, d)))]


def from_sky(angles: Sequence[mpf], angle: mpf) -> list[mpf]:
    """Unit vector (ECEF) towards a right ascension and declination."""
    hour, declination = angles[0] - angle, angles[1]
    return [mp.cos(declination) * mp.cos(hour), mp.cos(declination) * mp.sin(hour), mp.sin(declination)]


def offsets(x: Sequence[mpf], site: Sequence[mpf], axes: Sequence[Sequence[mpf]]) -> list[mpf]:
    """Angles to the right of and above a sight."""
    d = less(x[:3], site)
    along, right, above = (dot(axis, d) for axis in axes)
    return [mp.atan2(right, along), mp.atan2(above, along)]


def jacobian(
    function: Callable[[list[mpf]], list[mpf]], at: Sequence[float], size: Sequence[float]
) -> np.ndarray:
    """Derivatives, a row for each value, by central differences with steps of a part of ``size``."""
    point = numbers(at)
    columns = []
    for k in range(len(point)):
        step = STEP * mpf(float(size[k]))
        ahead, behind = list(point), list(point)
        ahead[k] += step
        behind[k] -= step
        change = less(function(ahead), function(behind))
        # an angle may jump by a turn between the two
        change = [d - mp.sign(d) * 2 * mp.pi if abs(abs(d) - 2 * mp.pi) < 1e-9 else d for d in change]
        columns.append([float(d / (2 * step)) for d in change])
    return np.array(columns).T
