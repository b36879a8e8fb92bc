"""What a sensor measures of a place or a state, and back, each with its derivative.

Arrays and errors as in `frames`.

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

import numpy as np
from numpy.typing import ArrayLike

from tocsin.earth.ellipsoid import ON_AXIS, Floats, enu_axes_at, fit_shapes
from tocsin.earth.frames import MATRIX, STATE, TURN_RAD, VECTOR, apply, transposed, turned, turning

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
    angles = _angles(apply(_north_east_up(sensor), offset))
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
    out[..., 1:3, :3] = _angle_rows(apply(axes, offset)) @ axes
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
    return transposed(axes * lengths[..., None])


def ecef_to_sky(position_m: ArrayLike, sensor_m: ArrayLike, angle_rad: ArrayLike) -> Floats:
    """Right ascension and declination (..., 2) of ECEF positions (..., 3) from a sensor (..., 3).

    angle_rad (...,): that by which the Earth is turned. The celestial pole: see the head of the module.
    """
    position, sensor, angle = fit_shapes(
        position_m=(position_m, VECTOR), sensor_m=(sensor_m, VECTOR), angle_rad=(angle_rad, ())
    )
    return _angles(turned(position - sensor, angle))


def ecef_to_sky_jacobian(position_m: ArrayLike, sensor_m: ArrayLike, angle_rad: ArrayLike) -> Floats:
    """Derivative (..., 2, 3) of `ecef_to_sky` by the position; a velocity does not matter.

    At the celestial pole the row of the right ascension is 0. Where that matters, take
    `ecef_to_offsets_jacobian` with `sky_axes`.
    """
    position, sensor, angle = fit_shapes(
        position_m=(position_m, VECTOR), sensor_m=(sensor_m, VECTOR), angle_rad=(angle_rad, ())
    )
    turn = turning(angle)
    return np.asarray(_angle_rows(apply(turn, position - sensor)) @ turn)


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
    return np.asarray(_sight(ascension, declination) @ turning(angle))


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
    local = apply(sight, position - sensor)
    return np.asarray(np.arctan2(local[..., 1:], local[..., :1]))


def ecef_to_offsets_jacobian(position_m: ArrayLike, sensor_m: ArrayLike, axes: ArrayLike) -> Floats:
    """Derivative (..., 2, 3) of `ecef_to_offsets` by the position.

    A row is 0 where it has no derivative: a quarter turn from the sight along the other axis.
    """
    position, sensor, sight = fit_shapes(
        position_m=(position_m, VECTOR), sensor_m=(sensor_m, VECTOR), axes=(axes, MATRIX)
    )
    local = apply(sight, position - sensor)
    along, across = local[..., :1], local[..., 1:]
    size = along * along + across * across
    inverse = np.divide(1.0, size, out=np.zeros_like(size), where=size != 0.0)
    rows = along[..., None] * sight[..., 1:, :] - across[..., None] * sight[..., :1, :]
    return np.asarray(rows * inverse[..., None])
