"""True paths: states between rows, and when an object is in view of some sensor."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tocsin.earth.ellipsoid import enu_axes, geodetic_to_ecef
from tocsin.sensors.plots import AZIMUTH, Floats, Ints, Sensor
from tocsin.units import EARTH_GM_M3_S2, EARTH_RATE_RAD_S

BALLISTIC = ("carrier", "body", "stage", "fragment", "meteoroid", "debris")
DANGEROUS = ("body", "stage", "fragment", "meteoroid")
AFTER_BOUND_S = 6.0  # how long the last row of a bound holds
Mask = NDArray[np.bool_]


class Bound(NamedTuple):
    """The bound that no estimator can beat, at k moments."""

    time_s: Floats
    pos_sigma_m: Floats  # NaN where nothing is known
    impact_area99_km2: Floats  # NaN where there is none
    in_view: Mask
    plots_so_far: Ints


class Impact(NamedTuple):
    """Where something came down."""

    name: str
    kind: str
    time_s: float
    latitude_deg: float
    longitude_deg: float


class Truth(NamedTuple):
    """What really flew, by name."""

    start_s: float  # of the recording
    end_s: float
    kind: Mapping[str, str]
    time_s: Mapping[str, Floats]  # (n,)
    state: Mapping[str, Floats]  # (n, 6) ECEF
    impacts: tuple[Impact, ...]
    bounds: Mapping[str, Bound]  # empty where the recording has none
    sensors: Sequence[Sensor]


def interpolate(time_s: Floats, state: Floats, at_s: Floats) -> Floats:
    """States (m, 6) at times (m,) inside rows (n,), (n, 6): cubic Hermite."""
    i = np.clip(np.searchsorted(time_s, at_s, "right") - 1, 0, len(time_s) - 2)
    h = (time_s[i + 1] - time_s[i])[:, None]
    u = (at_s - time_s[i])[:, None] / h
    p, q = state[i, :3], state[i + 1, :3]
    v, w = state[i, 3:] * h, state[i + 1, 3:] * h
    rise = q - p
    c, d = 3.0 * rise - 2.0 * v - w, v + w - 2.0 * rise
    return np.hstack([p + u * (v + u * (c + u * d)), (v + u * (2.0 * c + 3.0 * u * d)) / h])


def coasted(state: Floats, span_s: Floats) -> Floats:
    """Positions (n, 3) of ECEF states (n, 6) after (n,) seconds: to second order, for up to some 15 s."""
    position, velocity = state[:, :3], state[:, 3:]
    radius = np.linalg.norm(position, axis=1)[:, None]
    pull = -EARTH_GM_M3_S2 * position / radius**3
    turning = np.array([0.0, 0.0, EARTH_RATE_RAD_S])
    pull -= np.cross(turning, 2.0 * velocity + np.cross(turning, position))
    t = span_s[:, None]
    return np.asarray(position + t * (velocity + 0.5 * t * pull))


def in_view(truth: Truth, name: str, time_s: Floats) -> Mask:
    """Whether some sensor can see an object at times (n,).

    By its bound where there is one, else by the fields of view of ground sensors (infrared
    sensors in orbit then count for nothing).
    """
    bound = truth.bounds.get(name)
    if bound is not None:
        row = np.searchsorted(bound.time_s, time_s + 1e-6, "right") - 1
        held = (row >= 0) & (time_s <= bound.time_s[-1] + AFTER_BOUND_S)
        return np.asarray(held & bound.in_view[np.maximum(row, 0)])
    seen = np.zeros(len(time_s), bool)
    rows = truth.time_s[name]
    alive = (time_s >= rows[0]) & (time_s <= rows[-1])
    position = interpolate(rows, truth.state[name], time_s[alive])[:, :3]
    for sensor in truth.sensors:
        if sensor.kind != "infrared":
            seen[alive] |= _inside(sensor, position)
    return seen


def _inside(sensor: Sensor, position_m: Floats) -> Mask:
    at = geodetic_to_ecef(sensor.latitude_rad, sensor.longitude_rad, sensor.height_m)
    local = (position_m - at) @ enu_axes(sensor.latitude_rad, sensor.longitude_rad).T
    distance = np.linalg.norm(local, axis=1)
    azimuth = np.arctan2(local[:, 0], local[:, 1]) % (2.0 * math.pi)
    elevation = np.arcsin(local[:, 2] / distance)
    inside = elevation > math.radians(-0.5)  # above the horizon of a sensor on a hill
    for quantity, value in enumerate((distance, azimuth, elevation)):
        low, high = sensor.field_of_view[quantity]
        if math.isnan(low):
            continue
        if quantity == AZIMUTH:
            width = (high - low) % (2.0 * math.pi) or 2.0 * math.pi
            inside &= (value - low) % (2.0 * math.pi) <= width
        else:
            inside &= (low <= value) & (value <= high)
    return np.asarray(inside)
