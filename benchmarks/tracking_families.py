"""Families of simulated recordings that trackers are compared on: a scenario for each family and seed.

Each scenario is a text that ``tocsin simulate`` also takes. All that the shipped samples fix is drawn here: how many
sensors of which sort, where they stand and look, noise, clutter, the paths and the number of bodies. The places are
random points of the globe. Where anything comes down follows from the flight and is no input: the flight is drawn
first, then sensors are set up where they see much of it.

Families: `FAMILIES`, and ``many-N`` for N bodies at once over a wide region (``many`` alone: 200).
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np

from tocsin.earth.ellipsoid import ecef_to_geodetic, enu_axes
from tocsin.metrics.paths import DANGEROUS
from tocsin.simulation.objects import Path
from tocsin.simulation.scenario import parse_scenario
from tocsin.simulation.truth import draw_paths, draw_weather

Things = dict[str, Any]  # a table of a scenario, by key
Generator = np.random.Generator
Sets = tuple[tuple[str, ...], ...]  # of sorts of sensors

EARTH_M = 6.371e6
RESOLUTION_SIGMAS = 4.5  # of radars, as in the sample recordings (resolution.py)
DENSEST_BOUND = 300  # with more objects the bound is left out: it takes longer than all else
# Ground sensors as in the sample recordings: noise (range m, azimuth and elevation degrees, range rate m/s),
# detection probability, false plots a scan, period s, range m (one of them), elevation degrees.
RADARS: dict[str, Things] = {
    "long": {
        "sigma": (30.0, 0.12, 0.12, 8.0),
        "detection": (0.9, 0.82, 0.95),
        "false": 8.0,
        "period": 5.0,
        "range": [(60e3, 1500e3), (60e3, 2000e3)],
        "elevation": (2.0, 85.0),
    },
    "precise": {
        "sigma": (8.5, 0.032, 0.032, 1.6),
        "detection": (0.95, 0.88, 0.98),
        "false": 4.0,
        "period": 1.5,
        "range": [(2e3, 1000e3)],
        "elevation": (1.0, 85.0),
    },
    "rotating": {
        "sigma": (27.0, 0.13, 0.1625, 3.25),
        "detection": (0.88, 0.75, 0.93),
        "false": 30.0,
        "period": 8.0,
        "range": [(3e3, 470e3), (3e3, 600e3)],
        "elevation": (0.8, 75.0),
    },
}
# How far from where things come down they stand (km), as in the sample recordings.
DISTANCES_KM = {"long": (40.0, 450.0), "precise": (30.0, 250.0), "rotating": (10.0, 180.0)}
FAR_SETS: Sets = (
    ("long", "ir"),
    ("long", "rotating"),
    ("long", "long", "ir"),
    ("long", "rotating", "ir"),
    ("long", "precise", "ir"),
    ("precise", "rotating", "ir"),
    ("long", "precise", "rotating", "ir"),
    ("long", "long", "precise", "rotating"),
)
NEAR_SETS: Sets = (
    ("precise", "rotating"),
    ("rotating", "rotating"),
    ("rotating", "precise", "rotating"),
    ("precise", "rotating", "ir"),
    ("long", "precise", "rotating"),
    ("rotating", "rotating", "precise", "ir"),
)


class Site(NamedTuple):
    """Where the paths of a run lead, in degrees and metres: what sensors are set up by."""

    start: tuple[float, float]  # latitude, longitude
    end: tuple[float, float]


def scenario_text(family: str, seed: int) -> str:
    """The scenario of a family and a seed as TOML. Raises ValueError where there is no such family."""
    name, _, count = family.partition("-")
    if (name == "many") != bool(count) and family != "many":
        raise ValueError(f"{family}: no such family; they are {', '.join(FAMILIES)}, many-N")
    if name == "many":
        if not (count or "200").isdigit() or not 1 <= int(count or "200") <= 10_000:
            raise ValueError(f"{family}: N of many-N must be a whole number from 1 to 10000")
        build: Callable[[Generator, int], Things] = lambda rng, _: _many(rng, int(count or "200"))  # noqa: E731
    elif name in FAMILIES:
        build = FAMILIES[name]
    else:
        raise ValueError(f"{family}: no such family; they are {', '.join(FAMILIES)}, many-N")
    things = build(np.random.default_rng([seed, crc32(name.encode())]), seed)
    return _toml({"name": family, "title": f"Benchmark {family}, seed {seed} (invented)", **things})


def bounded(family: str) -> bool:
    """Whether the bound is simulated for a family."""
    return not family.startswith("many-") or int(family.partition("-")[2]) <= DENSEST_BOUND


def _single(rng: Generator, seed: int) -> Things:
    speed = rng.uniform(1500.0, 4600.0)
    launch = _launch("a", _place(rng), rng.uniform(0, 360), speed, (36, 60), rng)
    return _with_sensors({"launch": [launch]}, FAR_SETS if speed > 2200 else NEAR_SETS, rng, seed)


def _carrier(rng: Generator, seed: int) -> Things:
    return _with_sensors({"launch": [_carrier_launch("a", _place(rng), rng)]}, FAR_SETS, rng, seed)


def _salvo(rng: Generator, seed: int) -> Things:
    place, heading, speed = _place(rng), rng.uniform(0, 360), rng.uniform(1200, 2000)
    count = int(rng.integers(4, 11))
    aside = int(rng.integers(1, count // 2 + 1)) if rng.random() < 0.4 else 0
    launches = [_salvo_launch("a", count - aside, place, heading, speed, rng)]
    if aside:  # some start elsewhere, and their paths cross those of the others
        other = _moved(place, rng.uniform(25e3, 80e3), heading + rng.choice([-90, 90]))
        launches.append(_salvo_launch("b", aside, other, heading + rng.normal(0, 12), speed, rng))
    return _with_sensors({"launch": launches}, NEAR_SETS, rng, seed)


def _mixed(rng: Generator, seed: int) -> Things:
    most = int(rng.integers(12, 41))
    place, heading, count = _place(rng), rng.uniform(0, 360), 0
    launches: list[Things] = []
    while count < most:
        near = _moved(place, rng.uniform(0, 120e3), rng.uniform(0, 360))
        toward = heading + rng.normal(0, 8)
        name = f"{chr(ord('a') + len(launches) % 26)}{len(launches) // 26 or ''}"
        if rng.random() < 0.4 and most - count >= 5:
            one = _carrier_launch(name, near, rng, heading=toward, bodies=(2, 5), debris=3)
            one["burnout_speed_m_s"] = _figures(rng.uniform(2000, 2800))
            count += one["separation"]["bodies"] + one["separation"]["debris"] + 2
        else:
            copies = min(int(rng.integers(1, 5)), most - count)
            one = _launch(name, near, toward, rng.uniform(1500, 2600), (42, 58), rng)
            one |= {"count": copies, "radius_m": _figures(rng.uniform(2e3, 20e3))}
            count += copies
        one["after_s"] = [10.0, 190.0]
        launches.append(one)
    return _with_sensors({"launch": launches}, FAR_SETS + NEAR_SETS, rng, seed, clutter=(2.0, 6.0))


def _failure(rng: Generator, seed: int) -> Things:
    burn_s = rng.uniform(240, 420)
    launch = _launch("a", _place(rng), rng.uniform(0, 360), rng.uniform(5000, 6900), (2, 8), rng)
    launch |= {"burn_s": _figures(burn_s), "stages": 2, "radius_m": 0.0}
    launch["breakup"] = {
        "after_s": _figures(burn_s * rng.uniform(0.4, 0.75)),
        "pieces": int(rng.integers(20, 61)),
        "speed_m_s": _figures(rng.uniform(25, 100)),
        "ballistic_coefficient_kg_m2": _figures(rng.uniform(50, 130)),
        "log_sigma": _figures(rng.uniform(0.7, 1.3)),
    }
    return _with_sensors({"launch": [launch]}, FAR_SETS, rng, seed, at_start=True)


def _fireball(rng: Generator, seed: int) -> Things:
    place = _place(rng, 70.0)
    entry: Things = {
        "name": "m",
        **_at(place),
        "after_s": _figures(rng.uniform(3, 9)),
        "height_m": _figures(rng.uniform(80e3, 105e3)),
        "heading_deg": _figures(rng.uniform(0, 360)),
        "elevation_deg": _figures(rng.uniform(-75, -22)),
        "speed_m_s": _figures(rng.uniform(12e3, 22e3)),
        "ballistic_coefficient_kg_m2": _figures(_between(60, 500, rng)),
        "ablation_s2_m2": _figures(rng.uniform(0.5e-8, 2e-8)),
        "glow_speed_m_s": 3500.0,
    }
    if rng.random() < 0.2:
        entry["breakup"] = {
            "at_height_m": _figures(rng.uniform(30e3, 50e3)),
            "pieces": int(rng.integers(2, 6)),
            "speed_m_s": _figures(rng.uniform(5, 60)),
            "ballistic_coefficient_kg_m2": _figures(rng.uniform(80, 300)),
            "log_sigma": 0.7,
        }
    things = {**_frame(rng), "tail_s": 15.0, "truth_step_s": 0.1, "bound_step_s": 0.2, "entry": [entry]}
    site = _site(things, seed)
    middle = _moved(site.start, 0.6 * _distance_m(site.start, site.end), _bearing(site.start, site.end))
    received, turn = rng.random() < 0.7, rng.uniform(0, 360)
    count = int(rng.integers(6, 11))
    cameras = []
    for i in range(count):  # all round
        toward = turn + (i + rng.uniform(-0.4, 0.4)) * 360.0 / count
        noise = _figures(_between(0.012, 0.035, rng))
        camera: Things = {
            "id": f"camera-{i + 1}",
            "kind": "optical",
            **_at(_moved(middle, rng.uniform(50e3, 160e3), toward)),
            "height_m": _figures(rng.uniform(0, 1200)),
            "sigma": {"azimuth_deg": noise, "elevation_deg": noise},
            "detection_probability": _figures(rng.uniform(0.8, 0.96)),
            "false_plots_per_scan": _figures(_between(0.01, 0.15, rng)),
            "scan_period_s": float(rng.choice([0.04, 0.1, 0.2])),
            "field_of_view": {
                "range_m": [0.0, 400e3],
                "azimuth_deg": [0.0, 360.0],
                "elevation_deg": [_figures(rng.uniform(4, 10)), 88.0],
            },
        }
        if received:
            camera["latency"] = {"least_s": 0.2, "mean_more_s": 0.1}
        cameras.append(camera)
    return things | {"received": received, "sensor": cameras}


def _quiet(rng: Generator, seed: int) -> Things:
    place = _place(rng)
    radius_m = rng.uniform(250e3, 450e3)
    aircraft = {
        "count": int(rng.integers(40, 131)),
        **_at(place),
        "radius_m": _figures(radius_m),
        "height_m": [1000.0, 12500.0],
        "speed_m_s": [70.0, 270.0],
        "turn_deg_s": [-1.0, 1.0],
    }
    satellites = {
        "count": int(rng.integers(2, 7)),
        **_at(place),
        "radius_m": _figures(1.6 * radius_m),
        "height_m": [350e3, 1400e3],
    }
    sets = (
        ("rotating", "long", "precise", "ir"),
        ("rotating", "rotating"),
        ("rotating", "precise", "rotating", "long", "ir"),
        ("rotating", "precise", "ir"),
    )
    sensors = []
    for i, sort in enumerate(sets[int(rng.integers(len(sets)))]):
        if sort == "ir":
            sensors.append(_infrared("ir-1", place, rng))
        else:
            at = _moved(place, radius_m * math.sqrt(rng.uniform(0, 0.6)), rng.uniform(0, 360))
            clutter = rng.uniform(0.8, 5.0) if sort != "rotating" else rng.uniform(0.6, 2.0)
            sensors.append(_radar(sort, f"radar-{i + 1}", at, rng.uniform(0, 360), clutter, rng))
    things = {**_frame(rng), "duration_s": _figures(rng.uniform(400, 700)), "received": rng.random() < 0.3}
    if things["received"]:
        _delay(sensors, rng)
    return things | {"aircraft": [aircraft], "satellites": [satellites], "sensor": sensors}


def _degraded(rng: Generator, seed: int) -> Things:
    place, sort, sets = _place(rng), rng.random(), FAR_SETS
    if sort < 0.5:
        launches = [_carrier_launch("a", place, rng, bodies=(2, 6), debris=3)]
    elif sort < 0.8:
        heading, speed = rng.uniform(0, 360), rng.uniform(1400, 2000)
        launches = [_salvo_launch("a", int(rng.integers(2, 7)), place, heading, speed, rng)]
        sets = NEAR_SETS
    else:
        launches = [_launch("a", place, rng.uniform(0, 360), rng.uniform(2200, 4200), (40, 60), rng)]
    things = _with_sensors({"launch": launches}, sets, rng, seed)
    down_s = max(p.time_s[-1] for p in _paths(things, seed) if p.kind in DANGEROUS) - _start_s(things, seed)
    things["received"] = True
    for sensor in things["sensor"]:
        sensor["latency"] = {
            "least_s": _figures(rng.uniform(0.3, 0.9)),
            "mean_more_s": _figures(rng.uniform(0.15, 0.35)),
            "late_fraction": _figures(rng.uniform(0.1, 0.35)),
            "late_mean_s": _figures(rng.uniform(4.0, 9.0)),
            "doubled_fraction": _figures(rng.uniform(0.01, 0.08)),
        }
        if sensor["kind"] != "radar":
            continue
        sensor["sigma_factor"] = _figures(_between(1.0 / 3.0, 3.0, rng))
        # offsets in sigmas of the noise that the sensor states
        size = {"range_m": (0.8, 2.0), "azimuth_deg": (0.8, 2.0), "elevation_deg": (0.7, 1.4)}
        sensor["bias_sigma"] = {k: _figures(sensor["sigma"][k] * rng.uniform(*s)) for k, s in size.items()}
    out = things["sensor"][int(rng.integers(len(things["sensor"])))]
    start_s = rng.uniform(0.15, 0.8) * down_s
    out["outages_s"] = [[_figures(start_s), _figures(start_s + rng.uniform(30, 100))]]
    return things


def _many(rng: Generator, count: int) -> Things:
    """A given number of bodies at once, some 20 km apart, and three radars that look all round."""
    place = _place(rng, 55.0)
    radius_m = 12e3 * math.sqrt(count) + 100e3
    entry = {
        "name": "m",
        "count": count,
        **_at(place),
        "radius_m": _figures(radius_m),
        "after_s": [2.0, 40.0],
        "height_m": [90e3, 280e3],
        "heading_deg": [0.0, 360.0],
        "elevation_deg": [-60.0, -10.0],
        "speed_m_s": [1500.0, 3500.0],
        "ballistic_coefficient_kg_m2": [1000.0, 6000.0],
    }
    sensors = []
    for i, sort in enumerate(("long", "precise", "rotating")):
        at = _moved(place, rng.uniform(0.1, 0.4) * radius_m, rng.uniform(0, 360))
        radar = _radar(sort, f"radar-{i + 1}", at, 0.0, rng.uniform(1, 2), rng)
        radar["field_of_view"]["azimuth_deg"] = [0.0, 360.0]
        radar["timing"] = "sweep" if sort == "rotating" else "sector"
        sensors.append(radar)
    steps = {"truth_step_s": 1.0, "duration_s": 150.0, "received": False}
    return {**_frame(rng), **steps, "entry": [entry], "sensor": sensors}


def _frame(rng: Generator) -> Things:
    """When it is, and the weather."""
    month, day, hour, minute = (int(rng.integers(*ends)) for ends in ((1, 13), (1, 29), (0, 24), (0, 60)))
    toward = rng.uniform(0, 300)
    return {
        "start": f"2026-{month:02d}-{day:02d}T{hour:02d}:{minute:02d}:00Z",
        "wind": {"speed_m_s": [5.0, 45.0], "toward_deg": [_figures(toward), _figures(toward + 60.0)]},
    }


def _launch(
    name: str,
    place: tuple[float, float],
    heading: float,
    speed_m_s: float,
    elevation: tuple[float, float],
    rng: Generator,
) -> Things:
    return {
        "name": name,
        **_at(place),
        "after_s": _figures(rng.uniform(20, 50)),
        "heading_deg": _figures(heading % 360.0),
        "burn_s": _figures(speed_m_s / rng.uniform(23, 34)),
        "burnout_speed_m_s": _figures(speed_m_s),
        "burnout_elevation_deg": _figures(rng.uniform(*elevation)),
        "stages": int(rng.integers(1, 4)) if speed_m_s > 2200 else 1,
        "ballistic_coefficient_kg_m2": _figures(rng.uniform(3000, 7000)),
    }


def _salvo_launch(
    name: str, count: int, place: tuple[float, float], heading: float, speed_m_s: float, rng: Generator
) -> Things:
    one = _launch(name, place, heading, speed_m_s, (42, 56), rng)
    width, middle = rng.uniform(1, 6), min(max(heading % 360.0, 6.0), 354.0)
    return one | {
        "count": count,
        "radius_m": _figures(rng.uniform(2e3, 20e3)),
        "after_s": [15.0, 135.0],
        "heading_deg": [_figures(middle - width), _figures(middle + width)],
        "burnout_speed_m_s": [_figures(0.97 * speed_m_s), _figures(1.03 * speed_m_s)],
        "ballistic_coefficient_kg_m2": [3000.0, 6000.0],
    }


def _carrier_launch(
    name: str,
    place: tuple[float, float],
    rng: Generator,
    *,
    heading: float | None = None,
    bodies: tuple[int, int] = (3, 10),
    debris: int = 6,
) -> Things:
    toward = rng.uniform(0, 360) if heading is None else heading
    one = _launch(name, place, toward, rng.uniform(2200, 4200), (45, 70), rng)
    return one | {
        "separation": {
            "after_burnout_s": _figures(rng.uniform(15, 70)),
            "bodies": int(rng.integers(bodies[0], bodies[1] + 1)),
            "body_speed_m_s": _figures(_between(1.5, 15, rng)),
            "ballistic_coefficient_kg_m2": [1500.0, 7000.0],
            "stage": bool(rng.random() < 0.85),
            "stage_speed_m_s": _figures(rng.uniform(4, 12)),
            "stage_ballistic_coefficient_kg_m2": [150.0, 500.0],
            "debris": int(rng.integers(0, debris + 1)),
            "debris_speed_m_s": _figures(_between(4, 20, rng)),
            "debris_ballistic_coefficient_kg_m2": [3.0, 40.0],
        }
    }


def _with_sensors(
    things: Things,
    sets: Sets,
    rng: Generator,
    seed: int,
    *,
    clutter: tuple[float, float] = (0.5, 2.5),
    at_start: bool = False,
) -> Things:
    """The scenario of some launches, with one of some sets of sensors about where they come down."""
    things = {**_frame(rng), **things}
    site = _site(things, seed)
    back = _bearing(site.end, site.start)
    sensors = []
    for i, sort in enumerate(sets[int(rng.integers(len(sets)))]):
        if sort == "ir":
            sensors.append(_infrared("ir-1", site.start, rng))
            continue
        distance_m = rng.uniform(*DISTANCES_KM[sort]) * 1e3
        if at_start and sort != "long" and rng.random() < 0.7:  # near the start, looking along the path
            at = _moved(site.start, rng.uniform(15e3, 120e3), rng.uniform(0, 360))
            toward = _bearing(at, site.end) + rng.uniform(-25, 25)
        else:
            turn = 180.0 if sort == "rotating" else 125.0  # mostly beyond where things come down
            at = _moved(site.end, distance_m, back + 180.0 + rng.uniform(-turn, turn))
            toward = _bearing(at, site.start) + rng.uniform(-20, 20)
        sensors.append(_radar(sort, f"radar-{i + 1}", at, toward, rng.uniform(*clutter), rng))
    received = bool(rng.random() < 0.6)
    if received:
        _delay(sensors, rng)
    return things | {"received": received, "sensor": sensors}


def _radar(
    sort: str, name: str, place: tuple[float, float], toward: float, clutter: float, rng: Generator
) -> Things:
    """A radar of one of the sorts in `RADARS`; a scale of its own for all of its noise."""
    is_like = RADARS[sort]
    scale = float(np.clip(np.exp(rng.normal(0.0, 0.2)), 0.6, 1.7))
    width = 150.0 if rng.random() < 0.2 else 120.0
    azimuth = [_figures((toward - width / 2) % 360.0), _figures((toward + width / 2) % 360.0)]
    reach = is_like["range"][int(rng.integers(len(is_like["range"])))]
    names = ("range_m", "azimuth_deg", "elevation_deg", "range_rate_m_s")
    _, low, high = is_like["detection"]
    return {
        "id": name,
        "kind": "radar",
        "resolution_sigmas": RESOLUTION_SIGMAS,
        **_at(place),
        "height_m": _figures(rng.uniform(0, 900)),
        "sigma": {n: _figures(s * scale) for n, s in zip(names, is_like["sigma"], strict=True)},
        "detection_probability": _figures(rng.uniform(low, high)),
        "false_plots_per_scan": _figures(is_like["false"] * clutter),
        "scan_period_s": is_like["period"],
        "field_of_view": {
            "range_m": list(reach),
            "azimuth_deg": [0.0, 360.0] if sort == "rotating" else azimuth,
            "elevation_deg": list(is_like["elevation"]),
            "range_rate_m_s": [-8000.0, 8000.0],
        },
    }


def _infrared(name: str, start: tuple[float, float], rng: Generator) -> Things:
    noise = _between(0.0125, 0.019, rng)
    return {
        "id": name,
        "kind": "infrared",
        "latitude_deg": 0.0,
        "longitude_deg": _figures(_half_turn(start[1] + rng.uniform(-40, 40))),
        "height_m": 35786e3,
        "inclination_deg": _figures(rng.uniform(0.5, 4)),
        "sigma": {"azimuth_deg": _figures(noise), "elevation_deg": _figures(noise / 10.0)},
        "detection_probability": _figures(rng.uniform(0.85, 0.96)),
        "false_plots_per_scan": _figures(rng.uniform(1, 5)),
        "scan_period_s": float(rng.choice([1.0, 2.0, 4.0])),
        "field_of_view": {
            "range_m": [300e3, 50000e3],
            "azimuth_deg": [0.0, 360.0],
            "elevation_deg": [-90.0, -81.2],
        },
    }


def _delay(sensors: list[Things], rng: Generator) -> None:
    for sensor in sensors:
        least_s, more_s = _figures(rng.uniform(0.1, 0.9)), _figures(rng.uniform(0.1, 0.4))
        sensor["latency"] = {"least_s": least_s, "mean_more_s": more_s}


def _paths(things: Things, seed: int) -> list[Path]:
    """What `tocsin.simulation.run.simulate` will draw of the paths: they do not hang on sensors."""
    any_sensor = _infrared("ir-1", (0.0, 0.0), np.random.default_rng(0))
    scenario = parse_scenario(_toml({"name": "paths", "title": "paths", **things, "sensor": [any_sensor]}))
    weather_rng, path_rng, _ = np.random.default_rng(seed).spawn(3)
    return draw_paths(scenario, draw_weather(scenario, weather_rng), path_rng)[0]


def _site(things: Things, seed: int) -> Site:
    """The middle of where paths start and of where what is dangerous comes down (or is, at the end)."""
    paths = _paths(things, seed)
    starts = [p.state[0, :3] for p in paths if p.parent is None]
    ends = [p.state[-1, :3] for p in paths if p.kind in DANGEROUS] or [p.state[-1, :3] for p in paths]
    return Site(_ground(np.mean(starts, axis=0)), _ground(np.mean(ends, axis=0)))


def _start_s(things: Things, seed: int) -> float:
    return parse_scenario(_toml({"name": "start", "title": "start", **things})).start_s


def _place(rng: Generator, most_deg: float = 62.0) -> tuple[float, float]:
    """A random point of the globe, not beyond a latitude (an infrared sensor over the equator must see it)."""
    sine = math.sin(math.radians(most_deg))
    return math.degrees(math.asin(rng.uniform(-sine, sine))), rng.uniform(-180.0, 180.0)


def _at(place: tuple[float, float]) -> Things:
    return {"latitude_deg": round(place[0], 4), "longitude_deg": round(_half_turn(place[1]), 4)}


def _ground(position_m: np.ndarray) -> tuple[float, float]:
    latitude, longitude, _ = ecef_to_geodetic(position_m)
    return math.degrees(float(latitude)), math.degrees(float(longitude))


def _moved(place: tuple[float, float], distance_m: float, bearing_deg: float) -> tuple[float, float]:
    """A place some way off, on a sphere: sensors need stand nowhere in particular."""
    axes = enu_axes(*np.radians(place))
    toward, angle = math.radians(bearing_deg), distance_m / EARTH_M
    level = math.sin(toward) * axes[0] + math.cos(toward) * axes[1]
    x, y, z = math.cos(angle) * axes[2] + math.sin(angle) * level
    return math.degrees(math.atan2(z, math.hypot(x, y))), math.degrees(math.atan2(y, x))


def _bearing(place: tuple[float, float], to: tuple[float, float]) -> float:
    east, north, _ = enu_axes(*np.radians(place)) @ enu_axes(*np.radians(to))[2]
    return math.degrees(math.atan2(east, north)) % 360.0


def _distance_m(place: tuple[float, float], to: tuple[float, float]) -> float:
    cosine = float(enu_axes(*np.radians(place))[2] @ enu_axes(*np.radians(to))[2])
    return EARTH_M * math.acos(min(max(cosine, -1.0), 1.0))


def _half_turn(angle_deg: float) -> float:
    return (angle_deg + 180.0) % 360.0 - 180.0


def _between(low: float, high: float, rng: Generator) -> float:
    """Drawn so that its logarithm is even between two limits."""
    return float(low * (high / low) ** rng.random())


def _figures(value: float) -> float:
    """Five figures are enough for a text."""
    return float(f"{value:.5g}")


def _toml(things: Things) -> str:
    """Lists of tables as [[tables]], tables in their rows as inline ones, ``start`` as a time."""
    lines = [f"{k} = {v if k == 'start' else _value(v)}" for k, v in things.items() if not _is_tables(v)]
    for key, tables in things.items():
        for table in tables if _is_tables(tables) else []:
            lines += ["", f"[[{key}]]", *(f"{k} = {_value(v)}" for k, v in table.items())]
    return "\n".join(lines) + "\n"


def _is_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{k} = {_value(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    return json.dumps(value) if isinstance(value, str) else repr(value)


FAMILIES: dict[str, Callable[[Generator, int], Things]] = {
    "single": _single,
    "carrier": _carrier,
    "salvo": _salvo,
    "mixed": _mixed,
    "failure": _failure,
    "fireball": _fireball,
    "quiet": _quiet,
    "degraded": _degraded,
}
