"""Objects of a run as values, and the places that they are drawn at."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from tocsin.earth.ellipsoid import enu_axes
from tocsin.sensors.plots import Floats
from tocsin.simulation.plans import Region
from tocsin.units import DEGREE_RAD, SEMI_MAJOR_AXIS_M


class Impact(NamedTuple):
    """Where and when something came down."""

    time_s: float
    latitude_rad: float
    longitude_rad: float


class Flight(NamedTuple):
    """The free flight of an object, enough to fly it again."""

    start_s: float
    start: Floats  # (7,)
    curve: int
    ablation_s2_m2: float


class Path(NamedTuple):
    """One object from its first to its last moment; times are seconds since 1970 UTC."""

    name: str
    kind: str
    parent: str | None
    time_s: Floats  # (n,)
    state: Floats  # (n, 6)
    plume_s: tuple[float, float]  # while it thrusts; nan, nan: never
    glow_s: tuple[float, float]  # while it shines
    flight: Flight | None
    separation_speed_m_s: float  # one sigma per axis of what it got when it left its parent
    impact: Impact | None


NEVER = (math.nan, math.nan)


def draw_place(region: Region, rng: np.random.Generator) -> tuple[float, float]:
    """Latitude and longitude (rad) of a place drawn uniformly from a disc."""
    distance = region.radius_m / SEMI_MAJOR_AXIS_M * math.sqrt(rng.random())
    toward = rng.uniform(0.0, 2.0 * math.pi)
    # on a sphere: poles and the antimeridian are ordinary places
    axes = enu_axes(region.latitude_deg * DEGREE_RAD, region.longitude_deg * DEGREE_RAD)
    level = math.sin(toward) * axes[0] + math.cos(toward) * axes[1]
    x, y, z = (math.cos(distance) * axes[2] + math.sin(distance) * level).tolist()
    return math.atan2(z, math.hypot(x, y)), math.atan2(y, x)
