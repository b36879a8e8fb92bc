"""What a scenario asks for, as frozen values: ranges that are drawn from, places, things and sensors."""

from __future__ import annotations

from typing import NamedTuple

from tocsin.sensors.plots import Floats
from tocsin.simulation.table import Spread

NO_TIME, NO_HEIGHT = Spread(1e9, 1e9), Spread(0.0, 0.0)  # of a break-up that something else decides
TIMING = ("sector", "sweep", "instant")
LIGHTS = ("plume", "glow")


class Region(NamedTuple):
    """A disc on the ground from which a place is drawn."""

    latitude_deg: float
    longitude_deg: float
    radius_m: float


class Separation(NamedTuple):
    """A carrier that lets go of bodies, and of what is left of itself."""

    after_burnout_s: Spread
    bodies: int
    body_speed_m_s: float  # one sigma per axis
    ballistic_coefficient_kg_m2: Spread
    stage: bool
    stage_speed_m_s: Spread  # backward
    stage_ballistic_coefficient_kg_m2: Spread
    debris: int
    debris_speed_m_s: float  # one sigma per axis
    debris_ballistic_coefficient_kg_m2: Spread


class Breakup(NamedTuple):
    """A body that falls to pieces, after a time or below a height, whatever comes first."""

    after_s: Spread  # NO_TIME where a height decides
    at_height_m: Spread  # NO_HEIGHT where a time decides
    pieces: Spread
    speed_m_s: Spread  # one sigma per axis
    ballistic_coefficient_kg_m2: float  # median of a log-normal
    log_sigma: float


class Launch(NamedTuple):
    """A path that starts on the ground: a drawn ascent, then free flight."""

    name: str
    copies: int
    region: Region
    after_s: Spread
    heading_deg: Spread
    burn_s: Spread
    burnout_speed_m_s: Spread
    burnout_elevation_deg: Spread
    stages: int
    ascent_spread: float  # 1: shapes of the ascent differ widely from draw to draw; 0: not at all
    weave_deg: float
    ballistic_coefficient_kg_m2: Spread
    separation: Separation | None
    breakup: Breakup | None


class Entry(NamedTuple):
    """A path that starts high up in free flight: a meteoroid, or something out of orbit."""

    name: str
    copies: int
    region: Region
    after_s: Spread
    height_m: Spread
    heading_deg: Spread
    elevation_deg: Spread  # negative: downward
    speed_m_s: Spread
    ballistic_coefficient_kg_m2: Spread
    ablation_s2_m2: Spread
    glow_speed_m_s: float  # seen by cameras while faster than this
    breakup: Breakup | None


class Orbit(NamedTuple):
    """A path that decays: a stage that is left on a low orbit, until the air takes it down."""

    name: str
    copies: int
    region: Region  # of its perigee
    after_s: Spread
    perigee_m: Spread
    apogee_above_m: Spread  # over the perigee
    heading_deg: Spread  # against the sky
    ballistic_coefficient_kg_m2: Spread
    density: Spread  # of the air over the standard, all along
    unrest: float  # one sigma of ln of drag that changes within hours: air and attitude
    breakup: Breakup | None


class Aircraft(NamedTuple):
    """Level flights within a region."""

    copies: int
    region: Region
    height_m: Spread
    speed_m_s: Spread
    turn_deg_s: Spread


class Satellites(NamedTuple):
    """Near-circular orbits that pass over a region."""

    copies: int
    region: Region
    height_m: Spread


class SensorPlan(NamedTuple):
    """A sensor, as its owner describes it (SI, NaN where not measured), and as it really behaves."""

    name: str
    kind: str
    region: Region
    height_m: float
    inclination_deg: float | None  # of a geosynchronous orbit; None on the ground
    sigma: Floats  # (4,)
    detection_probability: float
    false_plots_per_scan: float
    scan_period_s: float
    field_of_view: Floats  # (4, 2)
    bias_sigma: Floats  # (4,)
    timing: str  # one of TIMING
    lights: tuple[str, ...]  # sees only what shines so; empty: everything
    lowest_m: Spread  # sees nothing below this height: clouds
    sigma_factor: float  # true noise over stated noise
    resolution_sigmas: float  # objects closer than this in all coordinates give one plot
    latency_s: float
    latency_mean_s: float  # of the exponential part
    late_fraction: float
    late_mean_s: float
    doubled_fraction: float
    outages_s: tuple[tuple[float, float], ...]


class Scenario(NamedTuple):
    """All that a simulated recording is made from, but for the seed."""

    name: str
    title: str
    start_s: float  # of the recording, seconds since 1970 UTC
    duration_s: float | None  # None: until some time after the last dangerous impact
    tail_s: float
    truth_step_s: float  # between rows of truth below 100 km; above it once a second
    bound_step_s: float
    received: bool  # plots say when they arrived
    wind_speed_m_s: Spread  # at 11 km
    wind_toward_deg: Spread
    density_spread: float  # 1: air density departs from the standard by 2 % low down, 10 % at 80 km
    launches: tuple[Launch, ...]
    entries: tuple[Entry, ...]
    orbits: tuple[Orbit, ...]
    aircraft: tuple[Aircraft, ...]
    satellites: tuple[Satellites, ...]
    sensors: tuple[SensorPlan, ...]
