"""From frames of the sky to ECEF: TEME, true of date, and the mean equator and equinox of 2000.

What is left out: UT1 is taken as UTC, which turns the Earth by up to 0.9 s (420 m at the equator, toward the east or
the west); polar motion (up to 20 m); the small terms of nutation and of its theory (1 m); the bias between the mean
equator of 2000 and the celestial frame (0.02 arcseconds, 1 m), so that EME2000, GCRF and ICRF are one.

Sources: precession of Lieske et al. (1977), Astronomy and Astrophysics 58; the larger terms of the nutation of the
International Astronomical Union of 1980; sidereal time of Aoki et al. (1982), Astronomy and Astrophysics 105; all as
in Vallado (2013), Fundamentals of Astrodynamics and Applications, section 3.7, whose example 3-15 is a test.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from tocsin.earth.ellipsoid import Floats, fit_shapes
from tocsin.earth.frames import SPIN, TURN_RAD
from tocsin.errors import UsageError
from tocsin.units import DEGREE_RAD

EPOCH_S = 946_728_000.0  # 2000-01-01 12h, seconds since 1970
CENTURY_S = 36525.0 * 86400.0
TT_AHEAD_S = 69.184  # of UTC since 2017; some seconds less before, which moves nothing that matters here
ARCSECOND_RAD = DEGREE_RAD / 3600.0
FRAMES = ("TEME", "TOD", "EME2000", "GCRF", "ICRF")

# Multiples of l, l', F, D, Omega; longitude and obliquity in arcseconds. Those left out sum to some hundredths.
NUTATION = np.array(
    [
        [0, 0, 0, 0, 1, -17.1996, 9.2025], [0, 0, 2, -2, 2, -1.3187, 0.5736], [0, 0, 2, 0, 2, -0.2274, 0.0977],
        [0, 0, 0, 0, 2, 0.2062, -0.0895], [0, 1, 0, 0, 0, 0.1426, 0.0054], [1, 0, 0, 0, 0, 0.0712, -0.0007],
        [0, 1, 2, -2, 2, -0.0517, 0.0224], [0, 0, 2, 0, 1, -0.0386, 0.0200], [1, 0, 2, 0, 2, -0.0301, 0.0129],
        [0, -1, 2, -2, 2, 0.0217, -0.0095], [1, 0, 0, -2, 0, -0.0158, -0.0001], [0, 0, 2, -2, 1, 0.0129, -0.0070],
        [-1, 0, 2, 0, 2, 0.0123, -0.0053],
    ]
)  # fmt: skip
# Degrees at 2000, and degrees a century, of l, l', F, D and Omega
ARGUMENTS = np.array(
    [
        [134.96298139, 477198.8673981], [357.52772333, 35999.0503400], [93.27191028, 483202.0175381],
        [297.85036306, 445267.1114800], [125.04452222, -1934.1362608],
    ]
)  # fmt: skip


def _about(axis: int, angle: float) -> Floats:
    """Turn (3, 3) of the axes about one of them (0, 1, 2)."""
    c, s = math.cos(angle), math.sin(angle)
    i, j = (axis + 1) % 3, (axis + 2) % 3
    out = np.eye(3)
    out[i, i], out[j, j], out[i, j], out[j, i] = c, c, s, -s
    return out


def _sidereal(time_s: float) -> float:
    """Greenwich mean sidereal time (rad); UT1 taken as UTC."""
    t = (time_s - EPOCH_S) / CENTURY_S
    seconds = 67310.54841 + (876600.0 * 3600.0 + 8640184.812866) * t + 0.093104 * t * t - 6.2e-6 * t**3
    return (seconds / 86400.0 % 1.0) * TURN_RAD


def _nutation(t: float) -> tuple[float, float, float, float]:
    """Nutation in longitude and obliquity, mean obliquity, and the node of the Moon (rad)."""
    angles = DEGREE_RAD * (ARGUMENTS[:, 0] + ARGUMENTS[:, 1] * t)
    phase = NUTATION[:, :5] @ angles
    psi = float(NUTATION[:, 5] @ np.sin(phase)) - 0.01742 * t * math.sin(angles[4])
    eps = float(NUTATION[:, 6] @ np.cos(phase)) + 0.00089 * t * math.cos(angles[4])
    mean = 84381.448 - 46.8150 * t - 0.00059 * t * t + 0.001813 * t**3
    return psi * ARCSECOND_RAD, eps * ARCSECOND_RAD, mean * ARCSECOND_RAD, float(angles[4])


def sky_axes(time_s: float, frame: str) -> Floats:
    """Turn (3, 3) from a frame of the sky to ECEF at a time (seconds since 1970 UTC).

    frame: one of `FRAMES`; TEME is that of two-line elements, TOD the true equator and equinox of date. Raises
    `UsageError` for another.
    """
    if frame not in FRAMES:
        raise UsageError(f"frame is {frame!r}, must be one of {', '.join(FRAMES)}")
    if frame == "TEME":
        return _about(2, _sidereal(time_s))
    t = (time_s + TT_AHEAD_S - EPOCH_S) / CENTURY_S
    psi, eps, mean, node = _nutation(t)
    equinoxes = psi * math.cos(mean) + ARCSECOND_RAD * (
        0.00264 * math.sin(node) + 0.000063 * math.sin(2 * node)
    )
    turn = _about(2, _sidereal(time_s) + equinoxes)
    if frame == "TOD":
        return turn
    zeta = ARCSECOND_RAD * (2306.2181 * t + 0.30188 * t * t + 0.017998 * t**3)
    theta = ARCSECOND_RAD * (2004.3109 * t - 0.42665 * t * t - 0.041833 * t**3)
    z = ARCSECOND_RAD * (2306.2181 * t + 1.09468 * t * t + 0.018203 * t**3)
    precession = _about(2, -z) @ _about(1, theta) @ _about(2, -zeta)
    nutation = _about(0, -mean - eps) @ _about(2, -psi) @ _about(0, mean)
    return np.asarray(turn @ nutation @ precession)


def sky_to_ecef(state: ArrayLike, time_s: float, frame: str) -> Floats:
    """ECEF state (6,) of a state (6,) in a frame of the sky, as `sky_axes`. Velocity: as `frames.inertial_to_ecef`."""
    (sky,) = fit_shapes(state=(state, (6,)))
    return np.asarray(sky_to_ecef_jacobian(time_s, frame) @ sky)


def sky_to_ecef_jacobian(time_s: float, frame: str) -> Floats:
    """Derivative (6, 6) of `sky_to_ecef` by the state, which is linear in it."""
    turn = sky_axes(time_s, frame)
    out = np.zeros((6, 6))
    out[:3, :3], out[3:, :3], out[3:, 3:] = turn, -(SPIN @ turn), turn
    return out
