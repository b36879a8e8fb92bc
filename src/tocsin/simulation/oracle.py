"""The bound of every ballistic object of a run, from its true path and the sensors' looks.

`metrics.flight_bound` says what is unknown and what is told beforehand; here are the looks of a run, and the
derivatives of its free flights, by differences of flights in the weather that really was.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tocsin.metrics.flight_bound import (
    Course,
    Leg,
    Seen,
    biases_of,
    child_prior,
    first_prior,
    flight_bound,
    impact_plane,
    joined,
)
from tocsin.metrics.paths import interpolate
from tocsin.sensors.plots import Floats, Ints
from tocsin.simulation.flight import MOST_S, fly
from tocsin.simulation.objects import Flight, Path
from tocsin.simulation.plans import Scenario
from tocsin.simulation.scan import Looks
from tocsin.simulation.station import Mask, Station, jacobian, look, sees

# central differences: far above rounding after minutes of flight, far below any curvature
NUDGES = np.array([10.0, 10.0, 10.0, 0.1, 0.1, 0.1, 1e-3, 0.1, 0.1])


class Bound(NamedTuple):
    """The bound of one object at k moments."""

    name: str
    time_s: Floats  # (k,)
    pos_sigma_m: Floats  # (k,) root of the trace of the position's covariance; NaN before anything is known
    impact_area99_km2: Floats  # (k,) NaN while it thrusts, and where it does not come down
    in_view: Mask  # (k,)
    plots_so_far: Ints  # (k,) received
    last: Floats  # (6 + b, 6 + b) covariance of state and biases at its end


def _seen(index: int, path: Path, stations: list[Station], looks: list[Looks]) -> tuple[Seen, Mask]:
    """Looks of all sensors at a path, and which of them gave a plot."""
    places = biases_of([station.sensor for station in stations])
    parts, detected = [], []
    for s, (station, its) in enumerate(zip(stations, looks, strict=True)):
        mine = np.flatnonzero(its.path == index)
        time_s = its.time_s[mine]
        geometry = look(station, time_s, interpolate(path.time_s, path.state, time_s))
        noise = station.plan.sigma * station.plan.sigma_factor
        with np.errstate(invalid="ignore"):
            weight = np.nan_to_num(station.plan.detection_probability / noise**2)
        bias = np.zeros((len(mine), 4, len(places)))
        for column, (sensor, quantity) in enumerate(places):
            if sensor == s and weight[quantity] > 0.0:
                bias[:, quantity, column] = 1.0
        parts.append(
            Seen(
                time_s,
                its.received_s[mine],
                jacobian(station, geometry),
                np.broadcast_to(weight, (len(mine), 4)),
                bias,
            )
        )
        detected.append(its.detected[mine])
    order = np.argsort(np.concatenate([part.time_s for part in parts]), kind="stable")
    return joined(parts), np.concatenate(detected)[order]


def bound_of(
    scenario: Scenario,
    index: int,
    paths: list[Path],
    stations: list[Station],
    looks: list[Looks],
    weather: Floats,
    parents: dict[str, Bound],
) -> Bound:
    """The bound of one ballistic path; its parent's must be among ``parents``."""
    path = paths[index]
    seen, detected = _seen(index, path, stations, looks)
    begin_s, end_s = float(path.time_s[0]), float(path.time_s[-1])
    time_s = begin_s + np.arange(0.0, end_s - begin_s + 1e-6, scenario.bound_step_s)
    thrusts = path.plume_s[1] > begin_s
    if path.parent is not None:
        prior = child_prior(parents[path.parent].last, path.separation_speed_m_s)
    else:
        places = biases_of([station.sensor for station in stations])
        prior = first_prior(thrusts, np.array([stations[s].plan.bias_sigma[q] for s, q in places]))
    course, ground = None, None
    if path.flight is not None:
        most_s = MOST_S if path.impact is not None else end_s - path.flight.start_s
        times, states, slope, down = flight_sensitivity(path.flight, weather, scenario.truth_step_s, most_s)
        course = Course(times, slope)
        if down and path.impact is not None:
            ground = impact_plane(states[-1], path.impact.latitude_rad, path.impact.longitude_rad)
    leg = Leg(begin_s, float(path.plume_s[1]) if thrusts else None, end_s, course, ground)
    found = flight_bound(prior, seen, leg, time_s)
    sigma, area = found.pos_sigma_m, found.impact_area99_km2
    plots = np.searchsorted(np.sort(seen.received_s[detected]), time_s, "right")
    if path.parent is None and thrusts:  # of a launch nothing is known before
        sigma[plots == 0], area[plots == 0] = math.nan, math.nan
    return Bound(path.name, time_s, sigma, area, _in_view(path, stations, time_s), plots, found.last)


def flight_sensitivity(
    flight: Flight, weather: Floats, row_s: float, most_s: float = MOST_S
) -> tuple[Floats, Floats, Floats, bool]:
    """How a free flight hangs on its start, by central differences of whole flights.

    Returns times (n,) in seconds since 1970 UTC, states (n, 6), derivatives (n, 6, 9) by
    position, velocity, ln beta and wind at 11 km (east, north), and whether it came down.
    """
    starts, weathers = np.repeat(flight.start[None], 19, 0), np.repeat(weather[None], 19, 0)
    for i, nudge in enumerate(NUDGES):
        target, column = (starts, i) if i < 7 else (weathers, i - 7)
        target[1 + 2 * i, column] += nudge
        target[2 + 2 * i, column] -= nudge
    times, rows, down = fly(starts, weathers, flight.curve, flight.ablation_s2_m2, row_s, 0.0, most_s)
    slope = (rows[:, 1::2, :6] - rows[:, 2::2, :6]) / (2.0 * NUDGES[:, None])
    return flight.start_s + times, rows[:, 0, :6].copy(), slope.transpose(0, 2, 1).copy(), down


def _in_view(path: Path, stations: list[Station], time_s: Floats) -> NDArray[np.bool_]:
    state = interpolate(path.time_s, path.state, time_s)
    seen = np.zeros(len(time_s), bool)
    for station in stations:
        seen |= sees(station, time_s, state, look(station, time_s, state), path)
    return seen
