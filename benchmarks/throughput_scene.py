"""The plots of throughput.py: ballistic bodies around a few radars, with false plots, and what becomes of tracks."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from tocsin.earth.ellipsoid import enu_axes, geodetic_to_ecef
from tocsin.earth.flights import to_time
from tocsin.earth.measurements import ecef_to_look
from tocsin.sensors.plots import Plots, Sensor

SITES_DEG = ((40.0, -35.0), (40.6, -34.2), (39.5, -34.1))
SIGMA = np.array([25.0, 1e-3, 1e-3, 2.0])  # range m, azimuth rad, elevation rad, range rate m/s
DETECTION, CLUTTER_SHARE, CLUTTER_LEAST = 0.9, 0.5, 5
NEAR_M = 1e3


class Scene(NamedTuple):
    """Plots of scans in order, and the truth at each of them."""

    sensors: tuple[Sensor, ...]
    sensor: list[int]  # of each scan
    time_s: np.ndarray  # (scans,)
    measured: list[np.ndarray]  # (plots, 4) of each scan
    start: np.ndarray  # (bodies, 6) a second before the first scan
    beta: np.ndarray  # (bodies,)
    truth: np.ndarray  # (scans, bodies, 6)


def bodies(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Places and velocities (count, 6) after burnout, 250 to 550 km around the first site and flying inward."""
    place = np.radians(SITES_DEG[0])
    axes = enu_axes(*place)
    bearing, distance = rng.uniform(0.0, 2.0 * math.pi, count), rng.uniform(250e3, 550e3, count)
    out = np.cos(bearing)[:, None] * axes[1] + np.sin(bearing)[:, None] * axes[0]
    position = geodetic_to_ecef(*place, 0.0) + distance[:, None] * out
    up = position / np.linalg.norm(position, axis=1)[:, None]
    position = up * (np.linalg.norm(geodetic_to_ecef(*place, 0.0)) + 70e3)
    toward = bearing + math.pi + rng.normal(0.0, 0.15, count)
    ahead = np.cos(toward)[:, None] * axes[1] + np.sin(toward)[:, None] * axes[0]
    ahead -= np.sum(ahead * up, axis=1)[:, None] * up
    ahead /= np.linalg.norm(ahead, axis=1)[:, None]
    speed, climb = rng.uniform(1800.0, 2300.0, count), np.radians(rng.uniform(35.0, 48.0, count))
    velocity = speed[:, None] * (np.cos(climb)[:, None] * ahead + np.sin(climb)[:, None] * up)
    return np.hstack([position, velocity]), rng.uniform(3000.0, 10000.0, count)


def make(count: int, radars: int, scans: int, period_s: float, seed: int = 2026) -> Scene:
    """Scans of each radar, taking turns; the same for the same arguments."""
    rng = np.random.default_rng([seed, count, radars])
    start, beta = bodies(count, rng)
    step_s = period_s / radars
    clutter = max(int(CLUTTER_SHARE * count), CLUTTER_LEAST)
    sites = [geodetic_to_ecef(*np.radians(SITES_DEG[r]), 0.0) for r in range(radars)]
    state, truth = start, []
    for _ in range(scans * radars):
        state = to_time(state, beta, np.full(count, step_s)).state
        truth.append(state)
    which = [k % radars for k in range(len(truth))]
    looks = [ecef_to_look(state, sites[r]) for state, r in zip(truth, which, strict=True)]
    views = []
    for r in range(radars):
        seen = np.concatenate([z for z, s in zip(looks, which, strict=True) if s == r])
        views.append(np.stack([seen.min(axis=0) - 5.0 * SIGMA, seen.max(axis=0) + 5.0 * SIGMA], axis=-1))
        views[-1][1] = 0.0, 2.0 * math.pi
    measured = []
    for z, r in zip(looks, which, strict=True):
        real = z[rng.random(count) < DETECTION]
        real = real + SIGMA * rng.normal(size=real.shape)
        false = views[r][:, 0] + np.ptp(views[r], axis=1) * rng.random((rng.poisson(clutter), 4))
        both = np.concatenate([real, false])
        both[:, 1] %= 2.0 * math.pi
        measured.append(both[rng.permutation(len(both))])
    sensors = tuple(
        Sensor(f"radar-{r + 1}", "radar", *map(float, np.radians(SITES_DEG[r])), 0.0, SIGMA, DETECTION,
               float(clutter), period_s, views[r], np.zeros(4))
        for r in range(radars)
    )  # fmt: skip
    return Scene(
        sensors, which, 1.8e9 + step_s * np.arange(1, len(truth) + 1), measured, start, beta, np.array(truth)
    )


def plots_of(scene: Scene, k: int) -> Plots:
    """All plots of one scan, received at once."""
    n, r = len(scene.measured[k]), scene.sensor[k]
    site = geodetic_to_ecef(scene.sensors[r].latitude_rad, scene.sensors[r].longitude_rad, 0.0)
    columns = {
        "time_s": np.full(n, scene.time_s[k]),
        "received_s": np.full(n, scene.time_s[k]),
        "sensor": np.full(n, r),
        "scan": np.full(n, k // len(scene.sensors)),
        "measured": scene.measured[k],
        "position_m": np.tile(site, (n, 1)),
        "height_m": np.full(n, math.nan),
    }
    return Plots(*(columns[field] for field in Plots._fields))


def right(truth: np.ndarray, position_m: np.ndarray) -> int:
    """How many of positions (m, 3) have a body of their own, of truth (n, 6), within 1 km."""
    if not len(position_m):
        return 0
    apart = cdist(truth[:, :3], position_m)  # large: no copy of it, or it counts as memory of the tracker
    np.minimum(apart, 10.0 * NEAR_M, out=apart)
    i, j = linear_sum_assignment(apart)
    return int((apart[i, j] < NEAR_M).sum())
