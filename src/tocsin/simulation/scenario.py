"""Scenarios: what happens in a simulated recording, read from TOML.

A scenario says where paths start, which way they lead, how they are lofted and what
happens along them; where anything comes down follows from the flight and is no input.
Every number may be left open as ``[lowest, highest]``; it is then drawn.
"""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path

import numpy as np

from tocsin.errors import SettingsError
from tocsin.sensors.plots import KINDS, Floats
from tocsin.simulation.plans import (
    LIGHTS,
    NO_HEIGHT,
    NO_TIME,
    TIMING,
    Aircraft,
    Breakup,
    Entry,
    Launch,
    Orbit,
    Region,
    Satellites,
    Scenario,
    SensorPlan,
    Separation,
)
from tocsin.simulation.table import Table
from tocsin.units import DEGREE_RAD

QUANTITIES = ("range_m", "azimuth_deg", "elevation_deg", "range_rate_m_s")
TO_SI = np.array([1.0, DEGREE_RAD, DEGREE_RAD, 1.0])
LIMITS = ((0.0, 1e9), (0.0, 360.0), (-90.0, 90.0), (-1e5, 1e5))
MAX_OBJECTS = 10_000


def shipped() -> dict[str, str]:
    """Names and texts of the scenarios that come with the program."""
    folder = resources.files("tocsin") / "scenarios"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".toml")), key=lambda f: f.name)
    return {f.name.removesuffix(".toml"): f.read_text(encoding="utf-8") for f in files}


def read_scenario(source: str | Path) -> Scenario:
    """Read a scenario from a file, or the shipped one of that name.

    Raises SettingsError that names file, key, value and limit.
    """
    path = Path(source)
    if path.is_file():
        try:
            return parse_scenario(path.read_text(encoding="utf-8"), str(path))
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{path}: cannot be read as text ({error})") from error
    known = shipped()
    if str(source) in known:
        return parse_scenario(known[str(source)], f"{source}.toml")
    raise SettingsError(f"{source}: no such file, and no shipped scenario (they are {', '.join(known)})")


def parse_scenario(text: str, file: str = "scenario") -> Scenario:
    """Read a scenario from TOML text; ``file`` is the name that messages begin with."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{file}: is not TOML: {error}") from error
    top = Table(values, f"{file}: ")
    wind = top.table("wind") or Table({}, f"{file}: wind.")
    scenario = Scenario(
        name=top.text("name"),
        title=top.text("title"),
        start_s=top.time_s("start"),
        duration_s=top.number("duration_s", 1.0, 86400.0) if top.has("duration_s") else None,
        tail_s=top.number("tail_s", 0.0, 3600.0, 30.0),
        truth_step_s=top.number("truth_step_s", 0.05, 1.0, 0.5),
        bound_step_s=top.number("bound_step_s", 0.05, 60.0, 1.0),
        received=top.flag("received", True),
        wind_speed_m_s=wind.spread("speed_m_s", 0.0, 120.0, 20.0),
        wind_toward_deg=wind.spread("toward_deg", 0.0, 360.0, 90.0),
        density_spread=wind.number("density_spread", 0.0, 3.0, 1.0),
        launches=tuple(_launch(t) for t in top.tables("launch")),
        entries=tuple(_entry(t) for t in top.tables("entry")),
        orbits=tuple(_orbit(t) for t in top.tables("orbit")),
        aircraft=tuple(_aircraft(t) for t in top.tables("aircraft")),
        satellites=tuple(_satellites(t) for t in top.tables("satellites")),
        sensors=tuple(_sensor(t) for t in top.tables("sensor")),
    )
    wind.done()
    top.done()
    if not scenario.sensors:
        raise SettingsError(f"{file}: has no [[sensor]]; a recording needs at least one")
    objects = [p.name for plans in (scenario.launches, scenario.entries, scenario.orbits) for p in plans]
    for what, names in (("sensor", [s.name for s in scenario.sensors]), ("launch, entry or orbit", objects)):
        for name in names:
            if names.count(name) > 1:
                raise SettingsError(f"{file}: two of {what} are named {name!r}")
    if not objects and scenario.duration_s is None:
        raise SettingsError(
            f"{file}: duration_s is missing; without a launch, an entry or an orbit nothing ends it"
        )
    return scenario


def _region(t: Table) -> Region:
    return Region(
        t.number("latitude_deg", -90.0, 90.0),
        t.number("longitude_deg", -180.0, 180.0),
        t.number("radius_m", 0.0, 2e6, 0.0),
    )


def _launch(t: Table) -> Launch:
    separation, breakup = t.table("separation"), t.table("breakup")
    if separation is not None and breakup is not None:
        raise t.fail("separation", "and breakup exclude each other")
    launch = Launch(
        name=t.text("name"),
        copies=t.count("count", 1, MAX_OBJECTS, 1),
        region=_region(t),
        after_s=t.spread("after_s", 0.0, 86400.0),
        heading_deg=t.spread("heading_deg", 0.0, 360.0),
        burn_s=t.spread("burn_s", 5.0, 600.0),
        burnout_speed_m_s=t.spread("burnout_speed_m_s", 100.0, 7000.0),
        burnout_elevation_deg=t.spread("burnout_elevation_deg", 0.0, 90.0),
        stages=t.count("stages", 1, 4, 1),
        ascent_spread=t.number("ascent_spread", 0.0, 1.0, 1.0),
        weave_deg=t.number("weave_deg", 0.0, 10.0, 1.0),
        ballistic_coefficient_kg_m2=t.spread("ballistic_coefficient_kg_m2", 1.0, 1e5),
        separation=_separation(separation) if separation is not None else None,
        breakup=_breakup(breakup) if breakup is not None else None,
    )
    t.done()
    return launch


def _separation(t: Table) -> Separation:
    separation = Separation(
        after_burnout_s=t.spread("after_burnout_s", 0.0, 600.0),
        bodies=t.count("bodies", 1, 1000),
        body_speed_m_s=t.number("body_speed_m_s", 0.0, 200.0),
        ballistic_coefficient_kg_m2=t.spread("ballistic_coefficient_kg_m2", 1.0, 1e5),
        stage=t.flag("stage", True),
        stage_speed_m_s=t.spread("stage_speed_m_s", 0.0, 100.0, 5.0),
        stage_ballistic_coefficient_kg_m2=t.spread("stage_ballistic_coefficient_kg_m2", 1.0, 1e5, 300.0),
        debris=t.count("debris", 0, 1000, 0),
        debris_speed_m_s=t.number("debris_speed_m_s", 0.0, 200.0, 5.0),
        debris_ballistic_coefficient_kg_m2=t.spread("debris_ballistic_coefficient_kg_m2", 1.0, 50.0, 10.0),
    )
    t.done()
    return separation


def _breakup(t: Table) -> Breakup:
    if t.has("after_s") == t.has("at_height_m"):
        raise t.fail("after_s", "or at_height_m must be there, and not both")
    breakup = Breakup(
        after_s=t.spread("after_s", 1.0, 7200.0) if t.has("after_s") else NO_TIME,
        at_height_m=t.spread("at_height_m", 1e3, 2e5) if t.has("at_height_m") else NO_HEIGHT,
        pieces=t.spread("pieces", 2, MAX_OBJECTS),
        speed_m_s=t.spread("speed_m_s", 0.0, 500.0),
        ballistic_coefficient_kg_m2=t.number("ballistic_coefficient_kg_m2", 1.0, 1e5),
        log_sigma=t.number("log_sigma", 0.0, 3.0),
    )
    t.done()
    return breakup


def _entry(t: Table) -> Entry:
    breakup = t.table("breakup")
    entry = Entry(
        name=t.text("name"),
        copies=t.count("count", 1, MAX_OBJECTS, 1),
        region=_region(t),
        after_s=t.spread("after_s", 0.0, 86400.0),
        height_m=t.spread("height_m", 1e4, 1e6),
        heading_deg=t.spread("heading_deg", 0.0, 360.0),
        elevation_deg=t.spread("elevation_deg", -90.0, 0.0),
        speed_m_s=t.spread("speed_m_s", 100.0, 72e3),
        ballistic_coefficient_kg_m2=t.spread("ballistic_coefficient_kg_m2", 1.0, 1e6),
        ablation_s2_m2=t.spread("ablation_s2_m2", 0.0, 3e-7, 0.0),
        glow_speed_m_s=t.number("glow_speed_m_s", 0.0, 72e3, 3e3),
        breakup=_breakup(breakup) if breakup is not None else None,
    )
    t.done()
    return entry


def _orbit(t: Table) -> Orbit:
    breakup = t.table("breakup")
    orbit = Orbit(
        name=t.text("name"),
        copies=t.count("count", 1, MAX_OBJECTS, 1),
        region=_region(t),
        after_s=t.spread("after_s", 0.0, 86400.0),
        perigee_m=t.spread("perigee_m", 130e3, 500e3),
        apogee_above_m=t.spread("apogee_above_m", 0.0, 1500e3, 0.0),
        heading_deg=t.spread("heading_deg", 0.0, 360.0),
        ballistic_coefficient_kg_m2=t.spread("ballistic_coefficient_kg_m2", 1.0, 1e5),
        density=t.spread("density", 0.1, 10.0, 1.0),
        unrest=t.number("unrest", 0.0, 1.0, 0.2),
        breakup=_breakup(breakup) if breakup is not None else None,
    )
    t.done()
    return orbit


def _aircraft(t: Table) -> Aircraft:
    aircraft = Aircraft(
        t.count("count", 1, MAX_OBJECTS),
        _region(t),
        t.spread("height_m", 0.0, 3e4),
        t.spread("speed_m_s", 10.0, 700.0),
        t.spread("turn_deg_s", -10.0, 10.0, 0.0),
    )
    t.done()
    return aircraft


def _satellites(t: Table) -> Satellites:
    satellites = Satellites(t.count("count", 1, MAX_OBJECTS), _region(t), t.spread("height_m", 2e5, 2e6))
    t.done()
    return satellites


def _quantities(t: Table | None, low: float, high: tuple[float, ...], default: float) -> Floats:
    values = np.full(4, default)
    if t is not None:
        for i, key in enumerate(QUANTITIES):
            if t.has(key):
                values[i] = t.number(key, low, high[i])
        t.done()
    return np.asarray(values * TO_SI)


def _sensor(t: Table) -> SensorPlan:
    kind = t.text("kind", KINDS)
    sigma = _quantities(t.table("sigma"), 1e-9, (1e5, 36.0, 36.0, 1e4), np.nan)
    measured = ~np.isnan(sigma)
    if kind != "radar" and list(measured) != [False, True, True, False]:
        raise t.fail("sigma", f"of kind {kind} must give azimuth_deg and elevation_deg, nothing else")
    if not measured.any():
        raise t.fail("sigma", "is missing or empty: the sensor measures nothing")
    view = np.full((4, 2), np.nan)
    if (fov := t.table("field_of_view")) is not None:
        for i, key in enumerate(QUANTITIES):
            if fov.has(key):
                pair = fov.get(key)
                if not isinstance(pair, list) or len(pair) != 2:
                    raise fov.fail(key, f"is {pair!r}, must be [lowest, highest]")
                ends = [Table({key: v}, fov.where).number(key, *LIMITS[i]) for v in pair]
                if i != 1 and not ends[0] < ends[1]:
                    raise fov.fail(key, f"is {pair!r}, its first value must be the smaller one")
                view[i] = np.array(ends) * TO_SI[i]
        fov.done()
    for open_end in np.flatnonzero(measured & np.isnan(view[:, 0])):
        raise t.fail(f"field_of_view.{QUANTITIES[open_end]}", "is missing; false plots are spread over it")
    orbiting = t.has("inclination_deg")
    swept = kind == "radar" and (view[1, 1] - view[1, 0]) % (2 * np.pi) == 0.0
    latency = t.table("latency") or Table({}, f"{t.where}latency.")
    sensor = SensorPlan(
        name=t.text("id"),
        kind=kind,
        region=_region(t),
        height_m=t.number("height_m", -1000.0, 5e8),
        inclination_deg=t.number("inclination_deg", 0.0, 20.0) if orbiting else None,
        sigma=sigma,
        detection_probability=t.number("detection_probability", 1e-3, 1.0),
        false_plots_per_scan=t.number("false_plots_per_scan", 0.0, 1e5),
        scan_period_s=t.number("scan_period_s", 1e-3, 3600.0),
        field_of_view=view,
        bias_sigma=_quantities(t.table("bias_sigma"), 0.0, (1e5, 36.0, 36.0, 1e4), 0.0),
        timing=t.text("timing", TIMING, "instant" if kind != "radar" else "sweep" if swept else "sector"),
        lights=_lights(t, {"radar": [], "infrared": ["plume"], "optical": ["glow"]}[kind]),
        lowest_m=t.spread("lowest_m", -1000.0, 1e5, 10e3 if kind == "infrared" else -1000.0),
        sigma_factor=t.number("sigma_factor", 0.1, 10.0, 1.0),
        resolution_sigmas=t.number("resolution_sigmas", 0.0, 100.0, 2.5),
        latency_s=latency.number("least_s", 0.0, 60.0, 0.3),
        latency_mean_s=latency.number("mean_more_s", 0.0, 60.0, 0.2),
        late_fraction=latency.number("late_fraction", 0.0, 1.0, 0.0),
        late_mean_s=latency.number("late_mean_s", 0.0, 600.0, 8.0),
        doubled_fraction=latency.number("doubled_fraction", 0.0, 1.0, 0.0),
        outages_s=_outages(t),
    )
    latency.done()
    t.done()
    return sensor


def _lights(t: Table, default: list[str]) -> tuple[str, ...]:
    value = t.get("lights", default)
    if not isinstance(value, list) or any(v not in LIGHTS for v in value):
        raise t.fail("lights", f"is {value!r}, must be a list out of {', '.join(LIGHTS)}")
    return tuple(value)


def _outages(t: Table) -> tuple[tuple[float, float], ...]:
    value = t.get("outages_s", [])
    outages = []
    for i, pair in enumerate(value if isinstance(value, list) else [value]):
        numbers = isinstance(pair, list) and len(pair) == 2 and all(isinstance(v, int | float) for v in pair)
        if not numbers or not 0.0 <= pair[0] < pair[1]:
            raise t.fail(f"outages_s[{i}]", f"is {pair!r}, must be [from, to] in seconds after the start")
        outages.append((float(pair[0]), float(pair[1])))
    return tuple(outages)
