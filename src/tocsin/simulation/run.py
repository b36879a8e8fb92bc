"""One run of a scenario: everything that a recording holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from tocsin.metrics.paths import BALLISTIC
from tocsin.sensors.plots import Plots, Sensor
from tocsin.simulation.objects import Path
from tocsin.simulation.oracle import Bound, bound_of
from tocsin.simulation.plans import Scenario
from tocsin.simulation.scan import scan_sensor
from tocsin.simulation.station import Platform, draw_station, platform_rows
from tocsin.simulation.truth import draw_paths, draw_weather


class Run(NamedTuple):
    """A simulated recording with its truth."""

    scenario: Scenario
    seed: int
    sensors: tuple[Sensor, ...]
    platforms: tuple[Platform, ...]
    plots: Plots  # in the order received
    paths: tuple[Path, ...]  # truth, with impacts
    bounds: tuple[Bound, ...]  # one for each ballistic path
    true_plots: int  # plots of objects; one for several where they merged, doubles once
    end_s: float


def _quiet(done: int, total: int) -> None:
    return None


def simulate(
    scenario: Scenario, seed: int, *, bound: bool = True, progress: Callable[[int, int], None] = _quiet
) -> Run:
    """Simulate a scenario. The same scenario and seed give the same run.

    ``bound=False`` leaves the oracle out, and so does an orbit that decays. ``progress(done, total)`` is told how far
    it is.
    """
    weather_rng, path_rng, sensor_rng = np.random.default_rng(seed).spawn(3)
    weather = draw_weather(scenario, weather_rng)
    paths, end_s = draw_paths(scenario, weather, path_rng)
    ballistic = (
        [i for i, p in enumerate(paths) if p.kind in BALLISTIC] if bound and not scenario.orbits else []
    )
    total = len(scenario.sensors) + len(ballistic)
    stations, plots, looks = [], [], []
    true_plots = 0
    for i, (plan, rng) in enumerate(
        zip(scenario.sensors, sensor_rng.spawn(len(scenario.sensors)), strict=True)
    ):
        station = draw_station(plan, scenario.start_s, rng)
        found, seen, true = scan_sensor(station, paths, end_s, rng)
        true_plots += true
        if not scenario.received:
            found = found._replace(received_s=found.time_s)
            seen = seen._replace(received_s=seen.time_s)
        stations.append(station)
        plots.append(found._replace(sensor=found.sensor + i))
        looks.append(seen)
        progress(i + 1, total)
    together = Plots(*(np.concatenate(column) for column in zip(*plots, strict=True)))
    order = np.lexsort((together.time_s, together.received_s))
    bounds: dict[str, Bound] = {}
    for done, i in enumerate(ballistic):
        bounds[paths[i].name] = bound_of(scenario, i, paths, stations, looks, weather, bounds)
        progress(len(stations) + done + 1, total)
    platforms = [platform_rows(station, end_s) for station in stations]
    return Run(
        scenario,
        seed,
        tuple(s.sensor for s in stations),
        tuple(p for p in platforms if p is not None),
        together.rows(order),
        tuple(paths),
        tuple(bounds.values()),
        true_plots,
        end_s,
    )
