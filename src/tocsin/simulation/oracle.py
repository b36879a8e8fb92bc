"""The bound of every ballistic object of a run, from its true path and the sensors' looks.

In free flight the unknowns are the state at the start of the flight, the logarithm of the
ballistic coefficient (prior sigma 1), two wind components (15 m/s at 11 km) and the biases
of the sensors; there is no process noise. While it thrusts: nearly constant acceleration
with white jerk. A child starts from its parent's bound plus the spread of velocities.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tocsin.earth.ellipsoid import enu_axes
from tocsin.metrics.bounds import Information, covariance_at, ellipse_km2, maneuvering
from tocsin.metrics.paths import interpolate
from tocsin.sensors.plots import Floats, Ints
from tocsin.simulation.flight import MOST_S, fly
from tocsin.simulation.objects import Flight, Path
from tocsin.simulation.plans import Scenario
from tocsin.simulation.scan import Looks
from tocsin.simulation.station import Mask, Station, jacobian, look, sees

LOG_BETA_SIGMA = 1.0
WIND_SIGMA_M_S = 15.0  # at 11 km
JERK_DENSITY_M2_S5 = 1.0
# one sigma per axis before the first plot: wide enough to say next to nothing. A launch
# begins at rest and thrusts; what enters the air is already under way
PRIOR_POSITION_M, PRIOR_ACCELERATION_M_S2 = 50e3, 50.0
PRIOR_LAUNCH_VELOCITY_M_S, PRIOR_ENTRY_VELOCITY_M_S = 300.0, 3e3
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


class _Seen(NamedTuple):
    """Looks of all sensors at one object, in order of time."""

    time_s: Floats
    received_s: Floats
    detected: Mask
    jacobian: Floats  # (n, 4, 6)
    weight: Floats  # (n, 4)
    bias: Floats  # (n, 4, b) which bias enters which measurement


def bias_places(stations: list[Station]) -> list[tuple[int, int]]:
    """The unknown biases: (sensor, quantity)."""
    return [(s, int(q)) for s, st in enumerate(stations) for q in np.flatnonzero(st.plan.bias_sigma > 0.0)]


def _seen(index: int, path: Path, stations: list[Station], looks: list[Looks]) -> _Seen:
    places = bias_places(stations)
    parts = []
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
            (
                time_s,
                its.received_s[mine],
                its.detected[mine],
                jacobian(station, geometry),
                np.broadcast_to(weight, (len(mine), 4)),
                bias,
            )
        )
    whole = [np.concatenate(column) for column in zip(*parts, strict=True)]
    order = np.argsort(whole[0], kind="stable")
    return _Seen(*(column[order] for column in whole))


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
    seen = _seen(index, path, stations, looks)
    step = scenario.bound_step_s
    time_s = path.time_s[0] + np.arange(0.0, path.time_s[-1] - path.time_s[0] + 1e-6, step)
    biases = np.array([stations[s].plan.bias_sigma[q] for s, q in bias_places(stations)])
    spread = np.diag([path.separation_speed_m_s**2] * 3)
    thrusts = path.plume_s[1] > path.time_s[0]
    if path.parent is not None:
        prior = parents[path.parent].last.copy()
        prior[3:6, 3:6] += spread
    else:
        speed = PRIOR_LAUNCH_VELOCITY_M_S if thrusts else PRIOR_ENTRY_VELOCITY_M_S
        prior = np.diag(np.concatenate([[PRIOR_POSITION_M**2] * 3, [speed**2] * 3, biases**2]))
    sigma, area = np.full(len(time_s), np.nan), np.full(len(time_s), np.nan)
    thrust_end_s = path.plume_s[1] if thrusts else float(path.time_s[0])
    rising = (time_s <= thrust_end_s) & thrusts
    if rising.any():
        made = seen.time_s <= thrust_end_s
        at = np.append(time_s[rising], thrust_end_s)
        wide = _with_acceleration(prior)
        sensitivity = np.concatenate(
            [seen.jacobian[made], np.zeros((int(made.sum()), 4, 3)), seen.bias[made]], axis=2
        )
        # at its end all of its looks count: what is still under way arrives within moments
        received = np.where(made, seen.received_s, np.inf)[made]
        information = Information(received, sensitivity, seen.weight[made])
        found = maneuvering(
            wide, float(path.time_s[0]), information, seen.time_s[made], at[:-1], JERK_DENSITY_M2_S5
        )
        sigma[rising] = np.sqrt(np.trace(found[:, :3, :3], axis1=1, axis2=2))
        whole = information._replace(received_s=np.minimum(received, thrust_end_s))
        end = maneuvering(wide, float(path.time_s[0]), whole, seen.time_s[made], at[-1:], JERK_DENSITY_M2_S5)
        keep = np.r_[0:6, 9 : len(wide)]
        prior = end[0][np.ix_(keep, keep)]
    last = prior
    falling = ~rising
    if path.flight is not None:
        sigma[falling], area[falling], last = _free_flight(
            path, path.flight, prior, seen, thrust_end_s, time_s[falling], weather, scenario.truth_step_s
        )
    arrived = np.sort(seen.received_s[seen.detected])
    plots = np.searchsorted(arrived, time_s, "right")
    if path.parent is None and thrusts:  # of a launch nothing is known before
        sigma[plots == 0], area[plots == 0] = np.nan, np.nan
    return Bound(path.name, time_s, sigma, area, _in_view(path, stations, time_s), plots, last)


def _with_acceleration(prior: Floats) -> Floats:
    d = len(prior)
    wide = np.zeros((d + 3, d + 3))
    keep = np.r_[0:6, 9 : d + 3]
    wide[np.ix_(keep, keep)] = prior
    wide[range(6, 9), range(6, 9)] = PRIOR_ACCELERATION_M_S2**2
    return wide


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


def _free_flight(
    path: Path,
    flight: Flight,
    prior: Floats,
    seen: _Seen,
    from_s: float,
    time_s: Floats,
    weather: Floats,
    row_s: float,
) -> tuple[Floats, Floats, Floats]:
    """Position sigma (k,), impact area (k,) and the last covariance of state and biases."""
    most_s = MOST_S if path.impact is not None else float(path.time_s[-1]) - flight.start_s
    times, states, slope, down = flight_sensitivity(flight, weather, row_s, most_s)
    b = len(prior) - 6
    full = np.zeros((9 + b, 9 + b))
    keep = np.r_[0:6, 9 : 9 + b]
    full[np.ix_(keep, keep)] = prior
    full[6, 6], full[7, 7], full[8, 8] = LOG_BETA_SIGMA**2, WIND_SIGMA_M_S**2, WIND_SIGMA_M_S**2
    made = seen.time_s > from_s
    columns = _at(times, slope, np.append(seen.time_s[made], path.time_s[-1]))
    sensitivity = np.concatenate([seen.jacobian[made] @ columns[:-1], seen.bias[made]], axis=2)
    information = Information(seen.received_s[made], sensitivity, seen.weight[made])
    when = np.append(time_s, path.time_s[-1])
    found = covariance_at(full, information, when)
    # at its end all of its looks count, for what comes after it
    all_in = information._replace(received_s=np.zeros(int(made.sum())))
    found[-1] = covariance_at(full, all_in, when[-1:])[0]
    at = np.zeros((len(when), 6 + b, 9 + b))
    at[:, :6, :9] = _at(times, slope, when)
    at[:, range(6, 6 + b), range(9, 9 + b)] = 1.0
    moved = at @ found @ at.transpose(0, 2, 1)
    sigma = np.sqrt(np.trace(moved[:-1, :3, :3], axis1=1, axis2=2))
    area = np.full(len(time_s), np.nan)
    if down and path.impact is not None:
        axes = enu_axes(path.impact.latitude_rad, path.impact.longitude_rad)
        velocity = states[-1, 3:6]
        along = np.outer(velocity, axes[2]) / (axes[2] @ velocity)
        ground = axes[:2] @ (np.eye(3) - along) @ slope[-1, :3]
        area = ellipse_km2(ground @ found[:-1, :9, :9] @ ground.T)
    return sigma, area, moved[-1]


def _at(times: Floats, slope: Floats, at_s: Floats) -> Floats:
    """Derivatives (m, 6, 9) at times (m,) between rows: each column is a state of its own."""
    columns = [interpolate(times, slope[:, :, c], at_s) for c in range(slope.shape[2])]
    return np.stack(columns, axis=-1)


def _in_view(path: Path, stations: list[Station], time_s: Floats) -> NDArray[np.bool_]:
    state = interpolate(path.time_s, path.state, time_s)
    seen = np.zeros(len(time_s), bool)
    for station in stations:
        seen |= sees(station, time_s, state, look(station, time_s, state), path)
    return seen
