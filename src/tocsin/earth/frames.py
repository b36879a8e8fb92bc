"""Frames: from one to the other, each with its derivative.

Positions are (..., 3) in metres, states (..., 6) are a position and its velocity (m/s); a Jacobian has a row
for each value that comes out and a column for each that goes in. The axes before the last broadcast. Every
function raises `UsageError`, with the name and the shape it got, where a shape is wrong or shapes do not fit
together. Latitude, longitude and height, with their Jacobians, are in `ellipsoid`, what a sensor measures in
`measurements`.

- ECEF: Earth-centred, Earth-fixed (WGS 84). A velocity is that seen from the turning Earth.
- East, north, up (ENU) at a site: up along the normal of WGS 84.
- Inertial: ECEF turned about z by an angle. Earth rotation angles give the celestial intermediate frame of
  date, but for the motion of the pole, below 0.6 arcseconds (20 m on the ground). Precession and nutation are
  left out: against the sky of 2000 (ICRS) the pole has moved by 20 arcseconds a year (0.15 degrees in 2026),
  and nods by another 10 arcseconds.

Sources: Montenbruck and Gill (2000), Satellite Orbits, chapters 5 and 6; Vallado (2013), Fundamentals of
Astrodynamics and Applications, chapters 3 and 4.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from tocsin.earth.ellipsoid import Floats, enu_axes_at, fit_shapes
from tocsin.units import EARTH_RATE_RAD_S

DAY_S = 86400.0
TURN_RAD = 2.0 * math.pi
# Earth rotation angle in turns (Capitaine, Guinot and McCarthy 2000; IERS Conventions 2010, equation 5.15),
# without the whole turn a day, and days from 1970-01-01 0h to 2000-01-01 12h
ERA_AT_2000 = 0.7790572732640
ERA_BEYOND_A_TURN_A_DAY = 0.00273781191135448
WHOLE_DAYS_TO_2000 = 10957.0

VECTOR, STATE, MATRIX = (3,), (6,), (3, 3)


def apply(matrix: Floats, vector: Floats) -> Floats:
    """Matrices (..., 3, 3) times vectors (..., 3)."""
    return np.asarray(np.einsum("...ij,...j->...i", matrix, vector))


def transposed(matrix: Floats) -> Floats:
    """Matrices (..., m, n) with rows and columns changed."""
    return np.swapaxes(matrix, -1, -2)


def _blocks(upper_left: Floats, lower_left: Floats, lower_right: Floats) -> Floats:
    """Matrices (..., 6, 6) of blocks (..., 3, 3); the upper right one is 0."""
    out = np.zeros((*upper_left.shape[:-2], 6, 6))
    out[..., :3, :3], out[..., 3:, :3], out[..., 3:, 3:] = upper_left, lower_left, lower_right
    return out


# East, north and up at a site


def ecef_to_enu(position_m: ArrayLike, site_m: ArrayLike) -> Floats:
    """East, north and up (..., 3) in metres from a site of ECEF positions (..., 3); both ECEF."""
    position, site = fit_shapes(position_m=(position_m, VECTOR), site_m=(site_m, VECTOR))
    return apply(enu_axes_at(site), position - site)


def ecef_to_enu_jacobian(site_m: ArrayLike) -> Floats:
    """Derivative (..., 3, 3) of `ecef_to_enu` by the position: the axes of the site."""
    (site,) = fit_shapes(site_m=(site_m, VECTOR))
    return enu_axes_at(site)


def enu_to_ecef(enu_m: ArrayLike, site_m: ArrayLike) -> Floats:
    """ECEF positions (..., 3) of east, north and up (..., 3) in metres from a site (..., 3)."""
    enu, site = fit_shapes(enu_m=(enu_m, VECTOR), site_m=(site_m, VECTOR))
    return site + apply(transposed(enu_axes_at(site)), enu)


def enu_to_ecef_jacobian(site_m: ArrayLike) -> Floats:
    """Derivative (..., 3, 3) of `enu_to_ecef` by east, north and up."""
    return transposed(ecef_to_enu_jacobian(site_m))


def ecef_state_to_enu(state: ArrayLike, site_m: ArrayLike) -> Floats:
    """States (..., 6) along east, north and up of a site (..., 3) on the Earth, of ECEF states (..., 6)."""
    ecef, site = fit_shapes(state=(state, STATE), site_m=(site_m, VECTOR))
    axes = enu_axes_at(site)
    return np.concatenate([apply(axes, ecef[..., :3] - site), apply(axes, ecef[..., 3:])], axis=-1)


def ecef_state_to_enu_jacobian(site_m: ArrayLike) -> Floats:
    """Derivative (..., 6, 6) of `ecef_state_to_enu` by the state."""
    axes = ecef_to_enu_jacobian(site_m)
    return _blocks(axes, np.zeros_like(axes), axes)


def enu_state_to_ecef(state: ArrayLike, site_m: ArrayLike) -> Floats:
    """ECEF states (..., 6) of states (..., 6) along east, north and up of a site (..., 3)."""
    enu, site = fit_shapes(state=(state, STATE), site_m=(site_m, VECTOR))
    back = transposed(enu_axes_at(site))
    return np.concatenate([site + apply(back, enu[..., :3]), apply(back, enu[..., 3:])], axis=-1)


def enu_state_to_ecef_jacobian(site_m: ArrayLike) -> Floats:
    """Derivative (..., 6, 6) of `enu_state_to_ecef` by the state."""
    return transposed(ecef_state_to_enu_jacobian(site_m))


# The frame that does not turn


def earth_rotation_angle(time_s: ArrayLike, ut1_minus_utc_s: ArrayLike = 0.0) -> Floats:
    """Earth rotation angle (...,), 0 to 2 pi, of seconds since 1970-01-01 UTC, leap seconds not counted.

    theta = 2 pi (0.7790572732640 + 1.00273781191135448 Tu), Tu the days of UT1 since 2000-01-01 12h
    (Capitaine, Guinot and McCarthy 2000; IERS Conventions 2010, equation 5.15). Whole days are taken out
    first, so that the result is as good as the time: a float64 of today tells 2e-7 s, which is 2e-11 rad.
    ut1_minus_utc_s: below 0.9 s in size; to leave it out turns the Earth by up to 7e-5 rad, 420 m on the
    equator. Its rate is 7.292115147e-5 rad/s, 2e-8 of it above that of the equations of motion: see
    `rotation_angle_since`.
    """
    time, shift = fit_shapes(time_s=(time_s, ()), ut1_minus_utc_s=(ut1_minus_utc_s, ()))
    days = np.floor(time / DAY_S)
    part = (time - days * DAY_S + shift) / DAY_S - 0.5
    turns = ERA_AT_2000 + part + ERA_BEYOND_A_TURN_A_DAY * (days - WHOLE_DAYS_TO_2000 + part)
    return np.asarray(TURN_RAD * (turns - np.floor(turns)))


def rotation_angle_since(time_s: ArrayLike, epoch_s: ArrayLike, ut1_minus_utc_s: ArrayLike = 0.0) -> Floats:
    """Angle (...,) in radians, not reduced, of the Earth that turns as in the equations of motion.

    It is the Earth rotation angle of the epoch and `EARTH_RATE_RAD_S` (WGS 84) from there on. States that are
    turned by this angle at different times belong to one inertial frame, in which a body free of forces moves
    straight; with `earth_rotation_angle` at each time instead they would drift apart by 1.5e-12 rad/s, 3 cm
    at the ground in an hour. Times in seconds since 1970-01-01 UTC.
    """
    time, epoch, _ = fit_shapes(
        time_s=(time_s, ()), epoch_s=(epoch_s, ()), ut1_minus_utc_s=(ut1_minus_utc_s, ())
    )
    return np.asarray(earth_rotation_angle(epoch, ut1_minus_utc_s) + EARTH_RATE_RAD_S * (time - epoch))


def turning(angle: Floats) -> Floats:
    """Matrices (..., 3, 3) from ECEF to inertial axes."""
    out = np.zeros((*angle.shape, 3, 3))
    c, s = np.cos(angle), np.sin(angle)
    out[..., 0, 0], out[..., 0, 1], out[..., 1, 0], out[..., 1, 1], out[..., 2, 2] = c, -s, s, c, 1.0
    return out


def turned(vector: Floats, angle: Floats) -> Floats:
    """Vectors (..., 3) turned about z, as by `turning`, which is slower where each has its own angle."""
    c, s = np.cos(angle), np.sin(angle)
    x, y = vector[..., 0], vector[..., 1]
    return np.stack(np.broadcast_arrays(c * x - s * y, s * x + c * y, vector[..., 2]), axis=-1)


# omega cross r = SPIN @ r
SPIN = EARTH_RATE_RAD_S * np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])


def ecef_to_inertial_jacobian(angle_rad: ArrayLike) -> Floats:
    """Derivative (..., 6, 6) of `ecef_to_inertial` by the state."""
    (angle,) = fit_shapes(angle_rad=(angle_rad, ()))
    turn = turning(angle)
    return _blocks(turn, turn @ SPIN, turn)


def inertial_to_ecef_jacobian(angle_rad: ArrayLike) -> Floats:
    """Derivative (..., 6, 6) of `inertial_to_ecef` by the state."""
    (angle,) = fit_shapes(angle_rad=(angle_rad, ()))
    back = transposed(turning(angle))
    return _blocks(back, -(back @ SPIN), back)


def ecef_to_inertial(state: ArrayLike, angle_rad: ArrayLike) -> Floats:
    """Inertial states (..., 6) of ECEF states (..., 6), the Earth being turned by an angle (...,).

    r' = R r, v' = R (v + omega x r), with R the turn about z (Montenbruck and Gill 2000, section 5.4). omega
    is `EARTH_RATE_RAD_S`, the rate of the equations of motion, and not that of the Earth rotation angle,
    which is 2e-8 of it greater: 1e-5 m/s at the ground.
    """
    ecef, angle = fit_shapes(state=(state, STATE), angle_rad=(angle_rad, ()))
    position, velocity = ecef[..., :3], ecef[..., 3:]
    moved = velocity + apply(SPIN, position)
    return np.concatenate([turned(position, angle), turned(moved, angle)], axis=-1)


def inertial_to_ecef(state: ArrayLike, angle_rad: ArrayLike) -> Floats:
    """ECEF states (..., 6) of inertial states (..., 6): the inverse of `ecef_to_inertial`, same rate."""
    inertial, angle = fit_shapes(state=(state, STATE), angle_rad=(angle_rad, ()))
    position, velocity = inertial[..., :3], inertial[..., 3:]
    moved = velocity - apply(SPIN, position)
    return np.concatenate([turned(position, -angle), turned(moved, -angle)], axis=-1)
