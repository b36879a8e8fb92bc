"""Sensors of one run: where they are at any moment, what they measure, what they can see.

This is the simulator's own geometry. It shares no code with `tocsin.sensors.models`, so
that a wrong sign there shows as tracks that do not fit.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tocsin.earth.ellipsoid import ecef_to_geodetic, enu_axes, geodetic_to_ecef
from tocsin.sensors.plots import AZIMUTH, ELEVATION, RANGE_RATE, Floats, Sensor
from tocsin.simulation.objects import Path, draw_place
from tocsin.simulation.plans import SensorPlan
from tocsin.units import (
    DEGREE_RAD,
    EARTH_GM_M3_S2,
    EARTH_RATE_RAD_S,
    SEMI_MAJOR_AXIS_M,
    SEMI_MINOR_AXIS_M,
)

GEOSYNCHRONOUS_RADIUS_M = (EARTH_GM_M3_S2 / EARTH_RATE_RAD_S**2) ** (1.0 / 3.0)
PLATFORM_STEP_S = 1.0  # between rows of platforms; a geosynchronous path is straight to 1 mm over it
Mask = NDArray[np.bool_]


class Station(NamedTuple):
    """A sensor of one run: its plan with all draws made."""

    plan: SensorPlan
    sensor: Sensor
    bias: Floats  # (4,) constant offset of what it measures
    phase_rad: float  # of its orbit at the start of the recording
    start_s: float
    first_scan: int
    scan_offset_s: float  # of its scans after the start
    lowest_m: float


class Platform(NamedTuple):
    """Where a moving sensor was."""

    sensor: str
    time_s: Floats  # (n,)
    position_m: Floats  # (n, 3) ECEF


def draw_station(plan: SensorPlan, start_s: float, rng: np.random.Generator) -> Station:
    """Draw place, bias, phases and numbering of a sensor."""
    latitude, longitude = draw_place(plan.region, rng)
    bias = rng.normal(size=4) * plan.bias_sigma
    phase = rng.uniform(0.0, 2.0 * math.pi)
    first_scan, offset = int(rng.integers(0, 5000)), rng.random() * plan.scan_period_s
    sensor = Sensor(
        plan.name,
        plan.kind,
        latitude,
        longitude,
        plan.height_m,
        plan.sigma,
        plan.detection_probability,
        plan.false_plots_per_scan,
        plan.scan_period_s,
        plan.field_of_view,
        plan.bias_sigma,
    )
    station = Station(plan, sensor, bias, phase, start_s, first_scan, offset, plan.lowest_m.draw(rng))
    if plan.inclination_deg is None:
        return station
    place = ecef_to_geodetic(station_position(station, np.array([start_s]))[0])
    moved = sensor._replace(
        latitude_rad=float(place[0]), longitude_rad=float(place[1]), height_m=float(place[2])
    )
    return station._replace(sensor=moved)


def station_position(station: Station, time_s: Floats) -> Floats:
    """ECEF positions (n, 3) of a sensor at times (n,).

    In orbit: a circular geosynchronous one, in ECEF the well-known figure of eight.
    """
    s, plan = station.sensor, station.plan
    if plan.inclination_deg is None:
        at = geodetic_to_ecef(s.latitude_rad, s.longitude_rad, s.height_m)
        return np.broadcast_to(at, (len(time_s), 3))
    turned = EARTH_RATE_RAD_S * (time_s - station.start_s)
    anomaly, tilt = turned + station.phase_rad, plan.inclination_deg * DEGREE_RAD
    # in the node's frame, then back by the Earth's rotation; at phase 0 it is over its longitude
    x, y, z = np.cos(anomaly), np.sin(anomaly) * math.cos(tilt), np.sin(anomaly) * math.sin(tilt)
    west = anomaly - plan.region.longitude_deg * DEGREE_RAD
    unit = np.stack([x * np.cos(west) + y * np.sin(west), y * np.cos(west) - x * np.sin(west), z], -1)
    return np.asarray(unit * GEOSYNCHRONOUS_RADIUS_M)


def platform_rows(station: Station, end_s: float) -> Platform | None:
    """Where a moving sensor is, every second from before the start until after the end; None if it stands."""
    if station.plan.inclination_deg is None:
        return None
    time_s = (
        math.floor(station.start_s) - 2.0 + np.arange(0.0, end_s - station.start_s + 5.0, PLATFORM_STEP_S)
    )
    return Platform(station.sensor.name, time_s, station_position(station, time_s))


class Look(NamedTuple):
    """Geometry of n looks of one sensor."""

    measured: Floats  # (n, 4) true range_m, azimuth_rad, elevation_rad, range_rate_m_s
    axes: Floats  # (n, 3, 3) local axes, rows east, north, up
    offset_m: Floats  # (n, 3) from the sensor to the object, ECEF
    velocity_m_s: Floats  # (n, 3) of the object relative to the sensor, ECEF


def look(station: Station, time_s: Floats, state: Floats) -> Look:
    """What a perfect sensor would measure of states (n, 6) at times (n,)."""
    at = station_position(station, time_s)
    if station.plan.inclination_deg is None:
        axes = np.broadcast_to(
            enu_axes(station.sensor.latitude_rad, station.sensor.longitude_rad), (len(time_s), 3, 3)
        )
        moving = np.zeros((len(time_s), 3))
    else:
        latitude, longitude, _ = ecef_to_geodetic(at)
        axes = enu_axes(latitude, longitude)
        moving = (station_position(station, time_s + 0.5) - station_position(station, time_s - 0.5)) / 1.0
    offset, velocity = state[:, :3] - at, state[:, 3:6] - moving
    local = np.einsum("nij,nj->ni", axes, offset)
    distance = np.linalg.norm(local, axis=1)
    azimuth = np.arctan2(local[:, 0], local[:, 1]) % (2.0 * math.pi)
    elevation = np.arctan2(local[:, 2], np.hypot(local[:, 0], local[:, 1]))
    rate = np.einsum("ni,ni->n", offset, velocity) / distance
    return Look(np.stack([distance, azimuth, elevation, rate], -1), axes, offset, velocity)


def in_field(station: Station, measured: Floats) -> Mask:
    """Which measurements (n, 4) lie inside the field of view."""
    view = station.plan.field_of_view
    inside = np.ones(len(measured), bool)
    for i in range(4):
        if np.isnan(view[i, 0]):
            continue
        if i == AZIMUTH:
            width = (view[i, 1] - view[i, 0]) % (2.0 * math.pi) or 2.0 * math.pi
            inside &= (measured[:, i] - view[i, 0]) % (2.0 * math.pi) <= width
        else:
            inside &= (view[i, 0] <= measured[:, i]) & (measured[:, i] <= view[i, 1])
    return inside


def sees(station: Station, time_s: Floats, state: Floats, geometry: Look, path: Path) -> Mask:
    """Whether the sensor can see an object with states (n, 6) at times (n,).

    It must lie in the field of view, shine if the sensor sees nothing else, stand above the
    clouds and not behind the Earth, and the sensor must be at work.
    """
    plan = station.plan
    seen = in_field(station, geometry.measured)
    if plan.lights:
        shines = np.zeros(len(time_s), bool)
        for light, (start, end) in (("plume", path.plume_s), ("glow", path.glow_s)):
            if light in plan.lights:
                shines |= (start <= time_s) & (time_s <= end)
        seen &= shines
    if station.lowest_m > 0.0:
        seen &= ecef_to_geodetic(state[:, :3])[2] >= station.lowest_m
    for start, end in plan.outages_s:
        seen &= (time_s < station.start_s + start) | (time_s > station.start_s + end)
    if plan.inclination_deg is not None:
        seen &= ~hidden(state[:, :3] - geometry.offset_m, geometry.offset_m)
    return seen


def hidden(at: Floats, offset: Floats) -> Mask:
    """Whether the Earth stands between sensors at (n, 3) and objects at an offset (n, 3) from them."""
    scale = np.array([SEMI_MAJOR_AXIS_M, SEMI_MAJOR_AXIS_M, SEMI_MINOR_AXIS_M])
    a, d = at / scale, offset / scale  # the ellipsoid becomes the unit sphere
    nearest = np.clip(-np.einsum("ni,ni->n", a, d) / np.einsum("ni,ni->n", d, d), 0.0, 1.0)
    closest = a + nearest[:, None] * d
    return np.asarray((np.sum(closest**2, axis=1) < 1.0) & (nearest < 1.0) & (nearest > 0.0))


def jacobian(station: Station, geometry: Look) -> Floats:
    """Derivatives (n, 4, 6) of what is measured by ECEF position and velocity; rows not measured are 0."""
    n = len(geometry.measured)
    distance, elevation = geometry.measured[:, 0], geometry.measured[:, ELEVATION]
    along = geometry.offset_m / distance[:, None]
    east, north = geometry.axes[:, 0], geometry.axes[:, 1]
    azimuth = geometry.measured[:, AZIMUTH]
    sin_az, cos_az = np.sin(azimuth)[:, None], np.cos(azimuth)[:, None]
    right = east * cos_az - north * sin_az
    level = np.maximum(distance * np.cos(elevation), 1.0)
    out = np.zeros((n, 4, 6))
    out[:, 0, :3] = along
    out[:, AZIMUTH, :3] = right / level[:, None]
    out[:, ELEVATION, :3] = np.cross(right, along) / distance[:, None]
    across = geometry.velocity_m_s - geometry.measured[:, RANGE_RATE, None] * along
    out[:, RANGE_RATE, :3] = across / distance[:, None]
    out[:, RANGE_RATE, 3:] = along
    out[:, np.isnan(station.plan.sigma)] = 0.0
    return out
