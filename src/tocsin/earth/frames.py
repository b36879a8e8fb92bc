"""Frames and measurements: from one to the other, each with its derivative.

Positions are (..., 3) in metres, states (..., 6) are a position and its velocity (m/s); a Jacobian has a row
for each value that comes out and a column for each that goes in. The axes before the last broadcast. Every
function raises `UsageError`, with the name and the shape it got, where a shape is wrong or shapes do not fit
together. Latitude, longitude and height, with their Jacobians, are in `ellipsoid`.

- ECEF: Earth-centred, Earth-fixed (WGS 84). A velocity is that seen from the turning Earth.
- East, north, up (ENU) at a site: up along the normal of WGS 84.
- Inertial: ECEF turned about z by an angle. Earth rotation angles give the celestial intermediate frame of
  date, but for the motion of the pole, below 0.6 arcseconds (20 m on the ground). Precession and nutation are
  left out: against the sky of 2000 (ICRS) the pole has moved by 20 arcseconds a year (0.15 degrees in 2026),
  and nods by another 10 arcseconds.
- Look: range (m), azimuth (clockwise from north, 0 to 2 pi), elevation (rad), range rate (m/s).
- Sky: right ascension (0 to 2 pi) and declination (rad) in the inertial frame, of the direction from a
  sensor to a place at one moment: no light time, aberration or refraction.
- Offsets: the angles (rad) to the right of and above a sight, on planes through it, as `sensors.models`
  compares them.

Azimuth and right ascension are singular where the direction lies along the pole of the angle: up or down, and
along z. There the angle is 0, its row of the Jacobian is 0, and the row of the elevation or declination is
that of a direction which nears the pole on the side of angle 0; all is finite, and the row of the angle grows
as 1 / cos of the elevation towards it. A filter that meets such places takes offsets, which are smooth there.

Sources: Montenbruck and Gill (2000), Satellite Orbits, chapters 5 and 6; Vallado (2013), Fundamentals of
Astrodynamics and Applications, chapters 3 and 4.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from tocsin.earth.ellipsoid import ON_AXIS, Floats, enu_axes_at, fit_shapes
from tocsin.units import EARTH_RATE_RAD_S

DAY_S = 86400.0
TURN_RAD = 2.0 * math.pi
# Earth rotation angle in turns (Capitaine, Guinot and McCarthy 2000; IERS Conventions 2010, equation 5.15),
# without the whole turn a day, and days from 1970-01-01 0h to 2000-01-01 12h
ERA_AT_2000 = 0.7790572732640
ERA_BEYOND_A_TURN_A_DAY = 0.00273781191135448
WHOLE_DAYS_TO_2000 = 10957.0

VECTOR, STATE, MATRIX = (3,), (6,), (3, 3)


def _apply(matrix: Floats, vector: Floats) -> Floats:
    return np.asarray(np.einsum("...ij,...j->...i", matrix, vector))


def _transposed(matrix: Floats) -> Floats:
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
    return _apply(enu_axes_at(site), position - site)


def ecef_to_enu_jacobian(site_m: ArrayLike) -> Floats:
    """Derivative (..., 3, 3) of `ecef_to_enu` by the position: the axes of the site."""
    (site,) = fit_shapes(site_m=(site_m, VECTOR))
    return enu_axes_at(site)


def enu_to_ecef(enu_m: ArrayLike, site_m: ArrayLike) -> Floats:
    """ECEF positions (..., 3) of east, north and up (..., 3) in metres from a site (..., 3)."""
    enu, site = fit_shapes(enu_m=(enu_m, VECTOR), site_m=(site_m, VECTOR))
    return site + _apply(_transposed(enu_axes_at(site)), enu)


def enu_to_ecef_jacobian(site_m: ArrayLike) -> Floats:
    """Derivative (..., 3, 3) of `enu_to_ecef` by east, north and up."""
    return _transposed(ecef_to_enu_jacobian(site_m))


def ecef_state_to_enu(state: ArrayLike, site_m: ArrayLike) -> Floats:
    """States (..., 6) along east, north and up of a site (..., 3) on the Earth, of ECEF states (..., 6)."""
    ecef, site = fit_shapes(state=(state, STATE), site_m=(site_m, VECTOR))
    axes = enu_axes_at(site)
    return np.concatenate([_apply(axes, ecef[..., :3] - site), _apply(axes, ecef[..., 3:])], axis=-1)


def ecef_state_to_enu_jacobian(site_m: ArrayLike) -> Floats:
    """Derivative (..., 6, 6) of `ecef_state_to_enu` by the state."""
    axes = ecef_to_enu_jacobian(site_m)
    return _blocks(axes, np.zeros_like(axes), axes)


def enu_state_to_ecef(state: ArrayLike, site_m: ArrayLike) -> Floats:
    """ECEF states (..., 6) of states (..., 6) along east, north and up of a site (..., 3)."""
    enu, site = fit_shapes(state=(state, STATE), site_m=(site_m, VECTOR))
    back = _transposed(enu_axes_at(site))
    return np.concatenate([site + _apply(back, enu[..., :3]), _apply(back, enu[..., 3:])], axis=-1)


def enu_state_to_ecef_jacobian(site_m: ArrayLike) -> Floats:
    """Derivative (..., 6, 6) of `enu_state_to_ecef` by the state."""
    return _transposed(ecef_state_to_enu_jacobian(site_m))


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


def _turn(angle: Floats) -> Floats:
    """Matrices (..., 3, 3) from ECEF to inertial axes."""
    out = np.zeros((*angle.shape, 3, 3))
    c, s = np.cos(angle), np.sin(angle)
    out[..., 0, 0], out[..., 0, 1], out[..., 1, 0], out[..., 1, 1], out[..., 2, 2] = c, -s, s, c, 1.0
    return out


def _turned(vector: Floats, angle: Floats) -> Floats:
    """Vectors (..., 3) turned about z, as by `_turn`, which is slower where each has its own angle."""
    c, s = np.cos(angle), np.sin(angle)
    x, y = vector[..., 0], vector[..., 1]
    return np.stack(np.broadcast_arrays(c * x - s * y, s * x + c * y, vector[..., 2]), axis=-1)


# omega cross r = SPIN @ r
SPIN = EARTH_RATE_RAD_S * np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])


def ecef_to_inertial_jacobian(angle_rad: ArrayLike) -> Floats:
    """Derivative (..., 6, 6) of `ecef_to_inertial` by the state."""
    (angle,) = fit_shapes(angle_rad=(angle_rad, ()))
    turn = _turn(angle)
    return _blocks(turn, turn @ SPIN, turn)


def inertial_to_ecef_jacobian(angle_rad: ArrayLike) -> Floats:
    """Derivative (..., 6, 6) of `inertial_to_ecef` by the state."""
    (angle,) = fit_shapes(angle_rad=(angle_rad, ()))
    back = _transposed(_turn(angle))
    return _blocks(back, -(back @ SPIN), back)


def ecef_to_inertial(state: ArrayLike, angle_rad: ArrayLike) -> Floats:
    """Inertial states (..., 6) of ECEF states (..., 6), the Earth being turned by an angle (...,).

    r' = R r, v' = R (v + omega x r), with R the turn about z (Montenbruck and Gill 2000, section 5.4). omega
    is `EARTH_RATE_RAD_S`, the rate of the equations of motion, and not that of the Earth rotation angle,
    which is 2e-8 of it greater: 1e-5 m/s at the ground.
    """
    ecef, angle = fit_shapes(state=(state, STATE), angle_rad=(angle_rad, ()))
    position, velocity = ecef[..., :3], ecef[..., 3:]
    moved = velocity + _apply(SPIN, position)
    return np.concatenate([_turned(position, angle), _turned(moved, angle)], axis=-1)


def inertial_to_ecef(state: ArrayLike, angle_rad: ArrayLike) -> Floats:
    """ECEF states (..., 6) of inertial states (..., 6): the inverse of `ecef_to_inertial`, same rate."""
    inertial, angle = fit_shapes(state=(state, STATE), angle_rad=(angle_rad, ()))
    position, velocity = inertial[..., :3], inertial[..., 3:]
    moved = velocity - _apply(SPIN, position)
    return np.concatenate([_turned(position, -angle), _turned(moved, -angle)], axis=-1)


# Two angles of a direction, in axes of which the first is where the angle is 0, the second a quarter turn on,
# and the third the pole


def _angles(vector: Floats) -> Floats:
    """Angle (0 to 2 pi) and height over the plane of it (..., 2) in radians."""
    first, second, pole = (vector[..., i] + 0.0 for i in range(3))  # no -0, whose angle would be pi
    angle = np.arctan2(second, first)
    angle = np.where(angle < 0.0, angle + TURN_RAD, angle)
    angle = np.where(angle >= TURN_RAD, 0.0, angle)  # a small negative angle rounds to the whole turn
    return np.stack([angle, np.arctan2(pole, np.hypot(first, second))], axis=-1)


def _angle_rows(vector: Floats) -> Floats:
    """Derivative (..., 2, 3) of `_angles` by the vector."""
    first, second, pole = vector[..., 0], vector[..., 1], vector[..., 2]
    flat = np.hypot(first, second)
    size = np.hypot(flat, pole)
    off_pole = ~(flat <= ON_AXIS * size)  # so that NaN stays NaN
    c = np.divide(first, flat, out=np.ones_like(flat), where=off_pole)
    s = np.divide(second, flat, out=np.zeros_like(flat), where=off_pole)
    by_flat = np.divide(1.0, flat, out=np.zeros_like(flat), where=off_pole)
    by_size = np.divide(1.0, size, out=np.zeros_like(size), where=size != 0.0)
    rise = pole * by_size * by_size
    return np.stack(
        [
            np.stack([-s * by_flat, c * by_flat, np.zeros_like(flat)], -1),
            np.stack([-c * rise, -s * rise, flat * by_size * by_size], -1),
        ],
        axis=-2,
    )


def _sight(angle: Floats, height: Floats) -> Floats:
    """Unit vectors (..., 3, 3), rows: the direction, that of growing angle, that of growing height."""
    angle, height = np.broadcast_arrays(angle, height)
    sin_a, cos_a, sin_h, cos_h = np.sin(angle), np.cos(angle), np.sin(height), np.cos(height)
    return np.stack(
        [
            np.stack([cos_a * cos_h, sin_a * cos_h, sin_h], -1),
            np.stack([-sin_a, cos_a, np.zeros_like(sin_a)], -1),
            np.stack([-cos_a * sin_h, -sin_a * sin_h, cos_h], -1),
        ],
        axis=-2,
    )


def _north_east_up(site: Floats) -> Floats:
    return enu_axes_at(site)[..., [1, 0, 2], :]


# What a sensor sees


def ecef_to_look(
    state: ArrayLike, sensor_m: ArrayLike, sensor_velocity_m_s: ArrayLike = (0.0, 0.0, 0.0)
) -> Floats:
    """Range, azimuth, elevation and range rate (..., 4) of states (..., 6) from a sensor (..., 3); all ECEF.

    Range rate is the relative velocity along the sight, positive away (Montenbruck and Gill 2000, chapter 6).
    A sensor fixed to the Earth has velocity 0. Its horizon is across the normal of the ellipsoid. The zenith:
    see the head of the module. An object at the sensor itself has range, elevation and range rate 0.
    """
    target, sensor, velocity = fit_shapes(
        state=(state, STATE),
        sensor_m=(sensor_m, VECTOR),
        sensor_velocity_m_s=(sensor_velocity_m_s, VECTOR),
    )
    offset, speed = np.broadcast_arrays(target[..., :3] - sensor, target[..., 3:] - velocity)
    distance, sight = _distance_and_sight(offset)
    angles = _angles(_apply(_north_east_up(sensor), offset))
    rate = np.sum(sight * speed, axis=-1)
    return np.stack([distance, angles[..., 0], angles[..., 1], rate], axis=-1)


def ecef_to_look_jacobian(
    state: ArrayLike, sensor_m: ArrayLike, sensor_velocity_m_s: ArrayLike = (0.0, 0.0, 0.0)
) -> Floats:
    """Derivative (..., 4, 6) of `ecef_to_look` by the state.

    At the zenith and nadir the row of the azimuth is 0 and that of the elevation points north or south; 0
    throughout for an object at the sensor itself. Where that matters, take `ecef_to_offsets_jacobian`.
    """
    target, sensor, velocity = fit_shapes(
        state=(state, STATE),
        sensor_m=(sensor_m, VECTOR),
        sensor_velocity_m_s=(sensor_velocity_m_s, VECTOR),
    )
    offset, speed = np.broadcast_arrays(target[..., :3] - sensor, target[..., 3:] - velocity)
    distance, sight = _distance_and_sight(offset)
    axes = _north_east_up(sensor)
    out = np.zeros((*offset.shape[:-1], 4, 6))
    out[..., 0, :3] = sight
    out[..., 1:3, :3] = _angle_rows(_apply(axes, offset)) @ axes
    rate = np.sum(sight * speed, axis=-1, keepdims=True)
    across = speed - rate * sight
    out[..., 3, :3] = np.divide(
        across, distance[..., None], out=np.zeros_like(across), where=distance[..., None] != 0.0
    )
    out[..., 3, 3:] = sight
    return out


def _distance_and_sight(offset: Floats) -> tuple[Floats, Floats]:
    """Length and direction of vectors; the direction of a vector 0 is 0."""
    distance = np.sqrt(np.sum(offset * offset, axis=-1))
    size = distance[..., None]
    return distance, np.divide(offset, size, out=np.zeros_like(offset), where=size != 0.0)


def look_to_ecef(
    range_m: ArrayLike, azimuth_rad: ArrayLike, elevation_rad: ArrayLike, sensor_m: ArrayLike
) -> Floats:
    """ECEF positions (..., 3) at ranges, azimuths and elevations (...,) from a sensor (..., 3)."""
    distance, azimuth, elevation, sensor = fit_shapes(
        range_m=(range_m, ()),
        azimuth_rad=(azimuth_rad, ()),
        elevation_rad=(elevation_rad, ()),
        sensor_m=(sensor_m, VECTOR),
    )
    return sensor + distance[..., None] * look_axes(azimuth, elevation, sensor)[..., 0, :]


def look_to_ecef_jacobian(
    range_m: ArrayLike, azimuth_rad: ArrayLike, elevation_rad: ArrayLike, sensor_m: ArrayLike
) -> Floats:
    """Derivative (..., 3, 3) of `look_to_ecef`: columns by range (m/m), azimuth and elevation (m/rad)."""
    distance, azimuth, elevation, sensor = fit_shapes(
        range_m=(range_m, ()),
        azimuth_rad=(azimuth_rad, ()),
        elevation_rad=(elevation_rad, ()),
        sensor_m=(sensor_m, VECTOR),
    )
    axes = look_axes(azimuth, elevation, sensor)
    lengths = np.stack(
        np.broadcast_arrays(np.ones_like(distance), distance * np.cos(elevation), distance), axis=-1
    )
    return _transposed(axes * lengths[..., None])


def ecef_to_sky(position_m: ArrayLike, sensor_m: ArrayLike, angle_rad: ArrayLike) -> Floats:
    """Right ascension and declination (..., 2) of ECEF positions (..., 3) from a sensor (..., 3).

    angle_rad (...,): that by which the Earth is turned. The celestial pole: see the head of the module.
    """
    position, sensor, angle = fit_shapes(
        position_m=(position_m, VECTOR), sensor_m=(sensor_m, VECTOR), angle_rad=(angle_rad, ())
    )
    return _angles(_turned(position - sensor, angle))


def ecef_to_sky_jacobian(position_m: ArrayLike, sensor_m: ArrayLike, angle_rad: ArrayLike) -> Floats:
    """Derivative (..., 2, 3) of `ecef_to_sky` by the position; a velocity does not matter.

    At the celestial pole the row of the right ascension is 0. Where that matters, take
    `ecef_to_offsets_jacobian` with `sky_axes`.
    """
    position, sensor, angle = fit_shapes(
        position_m=(position_m, VECTOR), sensor_m=(sensor_m, VECTOR), angle_rad=(angle_rad, ())
    )
    turn = _turn(angle)
    return np.asarray(_angle_rows(_apply(turn, position - sensor)) @ turn)


def sky_to_sight(right_ascension_rad: ArrayLike, declination_rad: ArrayLike, angle_rad: ArrayLike) -> Floats:
    """Unit vectors (..., 3) in ECEF to right ascensions and declinations, the Earth turned by an angle."""
    return sky_axes(right_ascension_rad, declination_rad, angle_rad)[..., 0, :]


def sky_to_sight_jacobian(
    right_ascension_rad: ArrayLike, declination_rad: ArrayLike, angle_rad: ArrayLike
) -> Floats:
    """Derivative (..., 3, 2) of `sky_to_sight`: columns by right ascension and declination."""
    axes = sky_axes(right_ascension_rad, declination_rad, angle_rad)
    east = axes[..., 1, :] * np.cos(np.asarray(declination_rad, np.float64))[..., None]
    return np.stack([east, axes[..., 2, :]], axis=-1)


# Angles across a sight


def look_axes(azimuth_rad: ArrayLike, elevation_rad: ArrayLike, sensor_m: ArrayLike) -> Floats:
    """Unit vectors (..., 3, 3) in ECEF, rows: along a sight, to its right, above it.

    As those of `sensors.models`: to the right is where the azimuth grows, above where the elevation does.
    """
    azimuth, elevation, sensor = fit_shapes(
        azimuth_rad=(azimuth_rad, ()), elevation_rad=(elevation_rad, ()), sensor_m=(sensor_m, VECTOR)
    )
    return np.asarray(_sight(azimuth, elevation) @ _north_east_up(sensor))


def sky_axes(right_ascension_rad: ArrayLike, declination_rad: ArrayLike, angle_rad: ArrayLike) -> Floats:
    """Unit vectors (..., 3, 3) in ECEF, rows: along a sight, to growing right ascension and declination.

    angle_rad (...,): that by which the Earth is turned.
    """
    ascension, declination, angle = fit_shapes(
        right_ascension_rad=(right_ascension_rad, ()),
        declination_rad=(declination_rad, ()),
        angle_rad=(angle_rad, ()),
    )
    return np.asarray(_sight(ascension, declination) @ _turn(angle))


def ecef_to_offsets(position_m: ArrayLike, sensor_m: ArrayLike, axes: ArrayLike) -> Floats:
    """Angles (..., 2) of positions (..., 3) from a sensor (..., 3), to the right of and above a sight.

    axes (..., 3, 3): of `look_axes` or `sky_axes`. Each angle, from -pi to pi, is that of the projection on
    the plane of the sight and the one axis: smooth within a quarter turn of the sight, wherever that points.
    Small ones are the difference in azimuth times the cosine of the elevation, and the difference in
    elevation.
    """
    position, sensor, sight = fit_shapes(
        position_m=(position_m, VECTOR), sensor_m=(sensor_m, VECTOR), axes=(axes, MATRIX)
    )
    local = _apply(sight, position - sensor)
    return np.asarray(np.arctan2(local[..., 1:], local[..., :1]))


def ecef_to_offsets_jacobian(position_m: ArrayLike, sensor_m: ArrayLike, axes: ArrayLike) -> Floats:
    """Derivative (..., 2, 3) of `ecef_to_offsets` by the position.

    A row is 0 where it has no derivative: a quarter turn from the sight along the other axis.
    """
    position, sensor, sight = fit_shapes(
        position_m=(position_m, VECTOR), sensor_m=(sensor_m, VECTOR), axes=(axes, MATRIX)
    )
    local = _apply(sight, position - sensor)
    along, across = local[..., :1], local[..., 1:]
    size = along * along + across * across
    inverse = np.divide(1.0, size, out=np.zeros_like(size), where=size != 0.0)
    rows = along[..., None] * sight[..., 1:, :] - across[..., None] * sight[..., :1, :]
    return np.asarray(rows * inverse[..., None])
