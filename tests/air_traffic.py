"""A made hour of an air-traffic radar: range, azimuth, and the height that most transponders report.

One radar turns in 4.8 s and meets each azimuth at its own moment. It measures neither elevation nor range rate.
Aircraft fly level, climb or sink at about 10 m/s and turn at 1 to 3 degrees a second, between 300 m and 12 km, at 60 to
260 m/s; some come in over the edge or take off while it runs, and some leave. To make one::

    sensors, plots, truth = traffic(seed=1, minutes=10, aircraft=60)

``truth.owner[i]`` is the aircraft of plot i, -1 where it is clutter; ``truth.at(k, time_s)`` gives states of aircraft
k. Some aircraft give two plots in a scan, which the contract of recordings does not foresee and real radars do.

What such data look like is from real captures of ASTERIX category 048 (CroatiaControlLtd/asterix, cat_034_048.pcap):
range in 1/256 nautical miles, azimuth in 1/65536 turns, time in 1/128 s, flight levels in steps of 25 ft, most of them
whole tens from 280 to 400; aircraft from 40 to 450 km away at 39 to 260 m/s. Heights are of pressure: off by the
weather, alike for all, and by each altimeter.
"""

from typing import NamedTuple

import numpy as np
from scipy.interpolate import CubicHermiteSpline

from tocsin.earth.ellipsoid import ecef_to_geodetic, enu_axes, geodetic_to_ecef
from tocsin.earth.measurements import ecef_to_look
from tocsin.sensors.plots import Plots, Sensor
from tocsin.units import ECCENTRICITY_SQUARED, SEMI_MAJOR_AXIS_M

EPOCH_S = 1_790_000_000.0
PERIOD_S = 4.8
LATITUDE, LONGITUDE, HEIGHT_M = np.radians(45.5), np.radians(16.0), 250.0  # invented
NEAR_M, FAR_M = 5e3, 300e3
SIGMA = np.array([60.0, np.radians(0.08), np.nan, np.nan])
FIELD = np.array([[NEAR_M, FAR_M], [0.0, 2 * np.pi], np.radians([0.0, 45.0]), [np.nan, np.nan]])
FOOT_M = 0.3048
DETECTION = 0.95
SILENT = 0.06  # aircraft without a transponder
ANSWERED = 0.86  # plots with a height, of the others: 0.81 of all
DOUBLED, SPLIT = 0.01, 0.015  # of plots: seen twice (by echo and by transponder); in two parts of the beam
UNIFORM, PATCHES, PATCH_SHOWS = (
    8.0,
    20,
    0.25,
)  # false plots a scan; places of ground clutter, and how often each shows
PRESSURE_M, ALTIMETER_M = (
    100.0,
    20.0,
)  # one-sigma of the weather's offset of all heights, and of each aircraft's own
LEVELS_M = np.arange(280, 400, 10) * 100 * FOOT_M
# kind: share, speeds (m/s), heights at which it flies level (m)
KINDS = ((0.7, (190.0, 260.0), None), (0.2, (90.0, 150.0), (3e3, 7e3)), (0.1, (60.0, 75.0), (300.0, 2e3)))


class Truth(NamedTuple):
    """Where aircraft were: m moments a second apart, k aircraft; NaN where one was not about."""

    time_s: np.ndarray  # (m,)
    state: np.ndarray  # (k, m, 6) ECEF
    owner: np.ndarray  # (n,) aircraft of each plot, -1 for clutter
    turn_rad_s: np.ndarray  # (k, m)
    climb_m_s: np.ndarray  # (k, m)

    def at(self, k, time_s):
        """States (..., 6) of aircraft k at times at which it was about."""
        about = ~np.isnan(self.state[k, :, 0])
        rows = self.state[k, about]
        path = CubicHermiteSpline(self.time_s[about], rows[:, :3], rows[:, 3:])
        return np.concatenate([path(time_s), path.derivative()(time_s)], axis=-1)


def traffic(seed, minutes, aircraft):
    """Sensors (one), plots in order of time, and the truth."""
    rng = np.random.default_rng(seed)
    times = np.arange(0.0, 60.0 * minutes + 2.0)
    plans = [_plan(rng, times) for _ in range(aircraft)]
    state = _flown(rng, times, plans)
    site = geodetic_to_ecef(LATITUDE, LONGITUDE, HEIGHT_M)
    scans = int(60.0 * minutes / PERIOD_S)
    truth = Truth(
        EPOCH_S + times,
        state,
        np.zeros(0, int),
        np.stack([p.turn for p in plans]),
        np.stack([p.climb for p in plans]),
    )
    weather = rng.normal() * PRESSURE_M
    columns = [_looks(rng, truth, k, site, scans, weather) for k in range(aircraft)]
    columns.append(_clutter(rng, scans))
    owner, scan, time_s, measured, height_m = (np.concatenate(c) for c in zip(*columns, strict=True))
    measured[:, 0] = np.round(measured[:, 0] / (1852.0 / 256.0)) * (1852.0 / 256.0)
    measured[:, 1] = np.round(measured[:, 1] / (2 * np.pi / 65536)) * (2 * np.pi / 65536) % (2 * np.pi)
    time_s = np.round(time_s * 128.0) / 128.0
    order = np.argsort(time_s, kind="stable")
    n = len(order)
    plots = Plots(
        time_s[order], time_s[order], np.zeros(n, np.int64), scan[order], measured[order], np.tile(site, (n, 1)),
        height_m[order],
    )  # fmt: skip
    false = UNIFORM + PATCHES * PATCH_SHOWS
    radar = Sensor(
        "asr", "radar", LATITUDE, LONGITUDE, HEIGHT_M, SIGMA, DETECTION, false, PERIOD_S, FIELD, np.zeros(4)
    )
    return (radar,), plots, truth._replace(owner=owner[order])


class _Plan(NamedTuple):
    """What a pilot does, m moments a second apart, and where it begins."""

    begin: int
    end: int
    speed: np.ndarray
    turn: np.ndarray  # rad/s
    climb: np.ndarray
    height: np.ndarray
    range_m: float
    bearing: float
    heading: float


def _plan(rng, times):
    m = len(times)
    kind = rng.choice(len(KINDS), p=[share for share, _, _ in KINDS])
    _, speeds, levels = KINDS[kind]
    speed = np.full(m, rng.uniform(*speeds))
    level = rng.choice(LEVELS_M) if levels is None else rng.uniform(*levels)
    late = rng.random() < 0.4
    begin = int(rng.uniform(0.0, 0.8) * m) if late else 0
    takes_off = late and rng.random() < 0.3
    end = m
    bearing = rng.uniform(0.0, 2 * np.pi)
    if takes_off:
        range_m, heading, first = rng.uniform(8e3, 60e3), rng.uniform(0.0, 2 * np.pi), 300.0
    elif late:  # over the edge, inward
        range_m, heading, first = FAR_M, bearing + np.pi + rng.uniform(-0.9, 0.9), level
    else:
        range_m, heading, first = FAR_M * np.sqrt(rng.uniform(0.002, 1.0)), rng.uniform(0.0, 2 * np.pi), level
    turn, climb = np.zeros(m), np.zeros(m)
    height = np.full(m, first)
    t, now = begin, first
    while t < m:
        if takes_off and now == first:
            what, change = "climb", level - now
        else:
            what = rng.choice(["level", "turn", "climb"], p=[0.5, 0.3, 0.2])
            change = 0.0
        if what == "level":
            t += int(rng.uniform(60.0, 300.0))
            continue
        if what == "turn":
            rate = np.radians(rng.uniform(1.0, 3.0)) * rng.choice([-1.0, 1.0])
            last = min(m, t + max(3, int(rng.uniform(0.35, np.pi) / abs(rate))))
            turn[t:last] = rate
            t = last + int(rng.uniform(20.0, 120.0))
            continue
        if change == 0.0:
            low, high = (900.0, 12e3) if levels is None else (300.0, levels[1])
            change = np.clip(now + rng.uniform(-3e3, 3e3), low, high) - now
        rate = np.sign(change) * rng.uniform(8.0, 12.0)
        last = min(m, t + int(abs(change / rate)))
        climb[t:last] = rate
        height[t:last] = now + rate * np.arange(last - t)
        now += rate * (last - t)
        height[last:] = now
        t = last + int(rng.uniform(20.0, 120.0))
    return _Plan(begin, end, speed, turn, climb, height, range_m, bearing, heading)


def _flown(rng, times, plans):
    """States (k, m, 6): along headings over the ellipsoid, by the midpoint rule, a second a step."""
    k, m = len(plans), len(times)
    state = np.full((k, m, 6), np.nan)
    latitude = LATITUDE + np.array([p.range_m * np.cos(p.bearing) for p in plans]) / 6.371e6
    longitude = LONGITUDE + np.array([p.range_m * np.sin(p.bearing) for p in plans]) / 6.371e6 / np.cos(
        latitude
    )
    heading = np.array([p.heading for p in plans])
    speed, turn, climb, height = (
        np.stack([getattr(p, x) for p in plans]) for x in ("speed", "turn", "climb", "height")
    )
    begin = np.array([p.begin for p in plans])
    gone = np.zeros(k, bool)
    for i in range(m):
        about = (i >= begin) & ~gone
        h = height[:, i]
        axes = enu_axes(latitude, longitude)
        local = np.stack([speed[:, i] * np.sin(heading), speed[:, i] * np.cos(heading), climb[:, i]], -1)
        position = geodetic_to_ecef(latitude, longitude, h)
        state[about, i] = np.concatenate([position, np.einsum("nc,ncj->nj", local, axes)], 1)[about]
        curve = 1.0 - ECCENTRICITY_SQUARED * np.sin(latitude) ** 2
        across = SEMI_MAJOR_AXIS_M / np.sqrt(curve) + h
        along = SEMI_MAJOR_AXIS_M * (1.0 - ECCENTRICITY_SQUARED) / curve**1.5 + h
        middle = heading + 0.5 * turn[:, i]
        latitude = np.where(about, latitude + speed[:, i] * np.cos(middle) / along, latitude)
        longitude = np.where(
            about, longitude + speed[:, i] * np.sin(middle) / (across * np.cos(latitude)), longitude
        )
        heading = np.where(about, heading + turn[:, i], heading)
        apart = 6.371e6 * np.hypot(latitude - LATITUDE, (longitude - LONGITUDE) * np.cos(LATITUDE))
        gone |= about & (apart > FAR_M + 10e3)
    return state


def _looks(rng, truth, k, site, scans, weather):
    """Plots of one aircraft: owner, scan, time, measured, height."""
    about = np.flatnonzero(~np.isnan(truth.state[k, :, 0]))
    none = np.zeros(0)
    if len(about) < 3:
        return none.astype(int), none.astype(int), none, np.zeros((0, 4)), none
    first, last = truth.time_s[about[0]], truth.time_s[about[-1]]
    scan = np.arange(scans)
    begin_s = EPOCH_S + scan * PERIOD_S
    time_s = begin_s + 0.5 * PERIOD_S
    for _ in range(3):  # it moves while the beam turns
        azimuth = ecef_to_look(truth.at(k, np.clip(time_s, first, last)), site)[:, 1]
        time_s = begin_s + azimuth / (2 * np.pi) * PERIOD_S
    alive = (time_s >= first) & (time_s <= last)
    scan, time_s = scan[alive], time_s[alive]
    state = truth.at(k, time_s)
    look = ecef_to_look(state, site)
    seen = (
        (look[:, 0] > NEAR_M)
        & (look[:, 0] < FAR_M)
        & (look[:, 2] > 0.0)
        & (rng.random(len(scan)) < DETECTION)
    )
    scan, time_s, look = scan[seen], time_s[seen], look[seen]
    height_m = ecef_to_geodetic(state[seen, :3])[2]
    part = rng.random(len(scan))
    split, doubled = part < SPLIT, (part >= SPLIT) & (part < SPLIT + DOUBLED)
    again = np.flatnonzero(split | doubled)
    offset = np.zeros((len(scan) + len(again), 2))  # m, rad
    width = np.radians(rng.uniform(0.25, 0.5, split.sum()))
    offset[np.flatnonzero(split), 1] = -width
    offset[len(scan) + np.flatnonzero(split[again]), 1] = width
    rows = np.concatenate([np.arange(len(scan)), again])
    measured = np.full((len(rows), 4), np.nan)
    measured[:, :2] = look[rows, :2] + offset + rng.normal(size=(len(rows), 2)) * SIGMA[:2]
    own = rng.normal() * ALTIMETER_M
    step = 25.0 * FOOT_M if rng.random() < 0.7 else 100.0 * FOOT_M
    told = np.round((height_m + weather + own)[rows] / step) * step
    answers = (rng.random() >= SILENT) & (rng.random(len(rows)) < ANSWERED)
    return np.full(len(rows), k), scan[rows], time_s[rows], measured, np.where(answers, told, np.nan)


def _clutter(rng, scans):
    """False plots: everywhere, and at places near the radar that show now and then."""
    number = np.repeat(np.arange(scans), rng.poisson(UNIFORM, scans))
    spread = np.stack([rng.uniform(NEAR_M, FAR_M, len(number)), rng.uniform(0, 2 * np.pi, len(number))], -1)
    places = np.stack([rng.uniform(NEAR_M, 40e3, PATCHES), rng.uniform(0, 2 * np.pi, PATCHES)], -1)
    shows = rng.random((scans, PATCHES)) < PATCH_SHOWS
    again, which = np.nonzero(shows)
    near = places[which] + rng.normal(size=(len(which), 2)) * [150.0, np.radians(0.3)]
    scan = np.concatenate([number, again])
    measured = np.full((len(scan), 4), np.nan)
    measured[:, :2] = np.concatenate([spread, near])
    measured[:, 0] = np.maximum(measured[:, 0], NEAR_M)
    measured[:, 1] %= 2 * np.pi
    time_s = EPOCH_S + (scan + measured[:, 1] / (2 * np.pi)) * PERIOD_S
    return np.full(len(scan), -1), scan, time_s, measured, np.full(len(scan), np.nan)
