"""Plots of invented radars along real first stages: the speed and height of two Falcon 9 webcasts, laid over a place.

Source: shahar603/Telemetry-Data b245d3b8 (Unlicense), ``stage1 raw.json``, frames of the webcasts at 30 Hz; read where
it lies. Both stages coast from cut-off to the entry burn, some 230 s, without a burn between. To make an arc::

    sensors, plots, cutoff_s, truth = arc("BulgariaSat-1", seed=1)

``plots`` go into the tracker as they are (in order of time, received when made); ``cutoff_s`` is the main engines'
cut-off, on the clock of the plots; ``truth.at(time_s)`` gives states (n, 6) in ECEF. The coast ends with the plots.

What is real: speed over the ground (whole km/h) and height (0.1 km, above 99.5 km whole km), so where along the track
the stage was, how fast, how high, and when its engines stopped. What is invented: the place, the heading, the radars
and their noise. The latitude is near the real one and the heading east, as then: a free flight hangs on both by
Coriolis' force (0.3 m/s2, 2 km in a coast).
"""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.interpolate import CubicHermiteSpline, make_lsq_spline

from tocsin.earth.ellipsoid import enu_axes, geodetic_to_ecef
from tocsin.earth.measurements import ecef_to_look
from tocsin.sensors.plots import Plots, Sensor
from tocsin.units import EARTH_RATE_RAD_S, ECCENTRICITY_SQUARED, SEMI_MAJOR_AXIS_M

FOLDER = Path(__file__).parents[2] / "shared" / "real" / "spacex"
NAMES = ("BulgariaSat-1", "KoreaSat 5A")
ABSENT = "the telemetry of first stages is not beside the checkout"

EPOCH_S = 1_780_000_000.0  # lift-off, on the clock of the plots; invented
START_S = 60.0  # after lift-off; before it the horizontal speed is the small difference of large ones
STEP_S = 0.1
LATITUDE, LONGITUDE, HEADING = np.radians([28.6, 10.0, 95.0])
COARSEST_M = 150.0  # a height step that took a frame or two; larger ones skipped frames
WIDE = np.array([[10e3, 1500e3], [0.0, 2 * np.pi], np.radians([1.0, 85.0]), [-6e3, 6e3]])


class Truth(NamedTuple):
    """Where the stage was: n rows, 0.1 s apart."""

    time_s: np.ndarray  # (n,)
    state: np.ndarray  # (n, 6) ECEF

    def at(self, time_s):
        """States (..., 6) at times within the rows."""
        path = CubicHermiteSpline(self.time_s, self.state[:, :3], self.state[:, 3:])
        return np.concatenate([path(time_s), path.derivative()(time_s)], axis=-1)


class Arc(NamedTuple):
    """One first stage as two radars saw it."""

    sensors: tuple[Sensor, ...]
    plots: Plots
    cutoff_s: float
    truth: Truth


class Telemetry(NamedTuple):
    """What the webcast showed: n speeds, m moments at which the height passed from one shown value to the next."""

    time_s: np.ndarray  # (n,) after lift-off
    speed_m_s: np.ndarray  # (n,)
    crossing_s: np.ndarray  # (m,)
    height_m: np.ndarray  # (m,)
    cutoff_s: float
    entry_s: float  # entry burn begins


def telemetry(name):
    """What the webcast of a launch showed, from START_S until two seconds before the entry burn."""
    raw = json.loads((FOLDER / name / "stage1 raw.json").read_text())
    events = json.loads((FOLDER / name / "events.json").read_text())
    time_s, speed, height = (np.array(raw[key], float) for key in ("time", "velocity", "altitude"))
    used = (time_s > START_S - 10.0) & (time_s < events["entry_start"] - 2.0)
    time_s, speed, height = time_s[used], speed[used], height[used] * 1e3
    # the display rounds: between two values the height is their mean. (99.5 to 100 km is where it drops a digit.)
    step = np.diff(height)
    passed = (step != 0.0) & ((np.abs(step) < COARSEST_M) | (np.abs(np.abs(step) - 1e3) < 1.0))
    crossing_s, middle_m = 0.5 * (time_s[1:] + time_s[:-1])[passed], 0.5 * (height[1:] + height[:-1])[passed]
    return Telemetry(time_s, speed, crossing_s, middle_m, float(events["meco"]), float(events["entry_start"]))


def smoothed(seen):
    """Height and speed as splines in time; acceleration may jump at cut-off, and nothing else does."""
    first, last, off = seen.time_s[0], seen.time_s[-1], seen.cutoff_s
    boost = np.arange(first + 10.0, off - 4.0, 10.0)
    coast = np.linspace(off + 2.0, last, 6)[:-1]
    heights = np.concatenate([boost, [off, off], coast[1:]])  # twice: its third derivative, and its second
    height = make_lsq_spline(
        seen.crossing_s, seen.height_m, np.concatenate([[first] * 4, heights, [last] * 4]),
        w=1.0 / (10.0 + 0.02 * np.abs(np.gradient(seen.height_m, seen.crossing_s))),
    )  # fmt: skip
    tail = np.arange(off - 3.0, off + 3.1, 0.75)  # thrust goes within a second or two
    knots = np.concatenate([np.arange(first + 3.0, off - 4.0, 3.0), tail, coast[1:]])
    speed = make_lsq_spline(seen.time_s, seen.speed_m_s, np.concatenate([[first] * 4, knots, [last] * 4]))
    return height, speed


def laid(seen):
    """The arc over the invented place. Across the track nothing pushes: heading turns as in a free flight."""
    height, speed = smoothed(seen)
    climb = height.derivative()
    count = int((seen.time_s[-1] - START_S) / STEP_S) + 1
    times = START_S + STEP_S * np.arange(count)

    def flat(t):
        return np.sqrt(np.maximum(speed(t) ** 2 - climb(t) ** 2, 1.0))

    def slope(t, place):
        latitude, _, heading = place
        v, h, rise = flat(t), height(t), climb(t)
        curve = 1.0 - ECCENTRICITY_SQUARED * np.sin(latitude) ** 2
        across = SEMI_MAJOR_AXIS_M / np.sqrt(curve) + h
        along = SEMI_MAJOR_AXIS_M * (1.0 - ECCENTRICITY_SQUARED) / curve**1.5 + h
        east, north = v * np.sin(heading), v * np.cos(heading)
        # Vinh (1981), Optimal Trajectories in Atmospheric Flight, section 2: meridians that meet, and Coriolis; the
        # centrifugal force is in the vertical of the ellipsoid
        turn = east / across * np.tan(latitude)
        turn += 2.0 * EARTH_RATE_RAD_S * (np.sin(latitude) - rise / v * np.cos(heading) * np.cos(latitude))
        return np.array([north / along, east / (across * np.cos(latitude)), turn])

    place = np.empty((count, 3))
    place[0] = LATITUDE, LONGITUDE, HEADING
    for i in range(count - 1):  # the midpoint rule: 0.1 s of so slow a turn is millimetres off
        half = place[i] + 0.5 * STEP_S * slope(times[i], place[i])
        place[i + 1] = place[i] + STEP_S * slope(times[i] + 0.5 * STEP_S, half)
    latitude, longitude, heading = place.T
    v = flat(times)
    local = np.stack([v * np.sin(heading), v * np.cos(heading), climb(times)], -1)
    velocity = np.einsum("nc,ncj->nj", local, enu_axes(latitude, longitude))
    position = geodetic_to_ecef(latitude, longitude, height(times))
    return Truth(EPOCH_S + times, np.concatenate([position, velocity], axis=1))


def radars(truth, false_plots):
    """A sector radar 150 km beside the track, and a precise one ahead on the other side."""
    sigmas = {"sector": (30.0, 2e-3, 2e-3, 8.0), "precise": (10.0, 3e-4, 3e-4, 1.0)}
    periods = {"sector": 5.0, "precise": 1.5}
    places = {"sector": (150e3, 150e3), "precise": (350e3, -120e3)}  # along and to the left of the start
    out = []
    for name, (ahead, left) in places.items():
        north = (ahead * np.cos(HEADING) + left * np.sin(HEADING)) / 6.371e6
        east = (ahead * np.sin(HEADING) - left * np.cos(HEADING)) / 6.371e6
        site = (LATITUDE + north, LONGITUDE + east / np.cos(LATITUDE), 100.0)
        chances = (0.9, max(false_plots, 1e-3), periods[name])
        out.append(Sensor(name, "radar", *site, np.array(sigmas[name]), *chances, WIDE, np.zeros(4)))
    return tuple(out)


def arc(name, seed, *, false_plots=0.0):
    """A first stage (one of NAMES) as two radars saw it, nine in ten looks, and some uniform ``false_plots`` a scan."""
    seen = telemetry(name)
    truth = laid(seen)
    sensors = radars(truth, false_plots)
    rng = np.random.default_rng(seed)
    parts = []
    for i, one in enumerate(sensors):
        site = geodetic_to_ecef(one.latitude_rad, one.longitude_rad, one.height_m)
        scans = np.arange(int((truth.time_s[-1] - truth.time_s[0]) / one.scan_period_s))
        time_s = truth.time_s[0] + (scans + 0.9 * rng.random(len(scans))) * one.scan_period_s
        measured = ecef_to_look(truth.at(time_s), site)
        in_view = (measured[:, 2] > one.field_of_view[2, 0]) & (measured[:, 0] < one.field_of_view[0, 1])
        in_view &= rng.random(len(scans)) < one.detection_probability
        measured += rng.normal(size=measured.shape) * one.sigma
        number = np.repeat(scans, rng.poisson(false_plots, len(scans)))
        low, high = one.field_of_view.T
        false_s = truth.time_s[0] + (number + 0.9 * rng.random(len(number))) * one.scan_period_s
        time_s = np.round(np.concatenate([time_s[in_view], false_s]), 6)
        scan = np.concatenate([scans[in_view], number])
        measured = np.concatenate([measured[in_view], low + (high - low) * rng.random((len(number), 4))])
        measured[:, 1] %= 2 * np.pi
        n = len(time_s)
        parts.append(
            Plots(time_s, time_s, np.full(n, i), scan, measured, np.tile(site, (n, 1)), np.full(n, np.nan))
        )
    plots = Plots(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
    return Arc(sensors, plots.rows(np.argsort(plots.time_s, kind="stable")), EPOCH_S + seen.cutoff_s, truth)
