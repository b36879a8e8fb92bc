"""Where an object is, and how it moves, at its first infrared plot: figures for `tocsin.tracking.launches`.

    PYTHONPATH=src:benchmarks python builders/launch_prior.py 60 single carrier salvo failure

Ascents are drawn for so many seeds of each of some families of benchmarks/tracking_families.py (their sensors are not
looked at). The first plot comes at a random part of a scan of 1, 2 or 4 s after the object has passed the clouds at
10 km (+- CLOUDS_M), and a scan later for each miss (detection .9). Printed are means and covariances of height, climb
and own acceleration upward, and of speed and acceleration along one level axis (any heading is alike).
"""

from __future__ import annotations

import sys
import zlib

import numpy as np
from tracking_families import FAMILIES, _infrared, _toml

from tocsin.earth.ellipsoid import ecef_to_geodetic, enu_axes
from tocsin.earth.forces import STANDARD
from tocsin.earth.motion import THRUST, acceleration
from tocsin.metrics.paths import interpolate
from tocsin.simulation.scenario import parse_scenario
from tocsin.simulation.truth import draw_paths, draw_weather

CLOUDS_M = 1000.0
DETECTION = 0.9
SEEDS = 50_000  # apart from those of the benchmarks


def ascents(family: str, seed: int):
    """Burning paths of a scenario: times and states."""
    things = FAMILIES[family](np.random.default_rng([seed, zlib.crc32(family.encode())]), seed)
    things["sensor"] = [_infrared("ir-1", (0.0, 0.0), np.random.default_rng(0))]
    scenario = parse_scenario(_toml({"name": family, "title": family, **things}))
    weather_rng, path_rng, _ = np.random.default_rng(seed).spawn(3)
    for path in draw_paths(scenario, draw_weather(scenario, weather_rng), path_rng)[0]:
        burning = path.time_s <= path.plume_s[1]
        if burning.sum() > 10:
            yield path.time_s[burning], path.state[burning]


def local(time_s, state, at_s):
    """Height, and east-north-up velocity and own acceleration at a time."""
    x = interpolate(time_s, state, np.array([at_s - 0.5, at_s, at_s + 0.5]))
    lat, lon, height = ecef_to_geodetic(x[1:2, :3])
    axes = enu_axes(lat, lon)[0]
    y = np.zeros(9)
    y[:6] = x[1]
    force = np.array(acceleration(THRUST, y, 0, STANDARD, np.zeros((4, 9)))[:3])
    own = x[2, 3:] - x[0, 3:] - force
    return height[0], axes @ x[1, 3:], axes @ own


def main(count: int, families: list[str]) -> None:
    """Print the figures, for scans of three periods."""
    rng = np.random.default_rng(1)
    for period in (1.0, 2.0, 4.0):
        up, level = [], []
        for family in families:
            for seed in range(SEEDS, SEEDS + count):
                for time_s, state in ascents(family, seed):
                    heights = ecef_to_geodetic(state[:, :3])[2]
                    clouds = 10e3 + CLOUDS_M * rng.normal()
                    crossed = np.interp(clouds, heights, time_s)
                    first = crossed + period * (rng.random() + rng.geometric(DETECTION) - 1)
                    if first > time_s[-1] - 1.0:
                        continue
                    h, v, a = local(time_s, state, first)
                    up.append((h, v[2], a[2]))
                    for turn in rng.uniform(0.0, 2 * np.pi, 4):
                        axis = np.array([np.cos(turn), np.sin(turn)])
                        level.append((v[:2] @ axis, a[:2] @ axis))
        up, level = np.array(up), np.array(level)
        print(f"scans of {period} s, {len(up)} ascents")
        print("  up mean", up.mean(0).round(1).tolist(), "sigma", up.std(0).round(1).tolist())
        print("  correlation", np.corrcoef(up.T).round(2).tolist())
        print(
            "  level sigma",
            level.std(0).round(1).tolist(),
            "correlation",
            np.corrcoef(level.T)[0, 1].round(2),
        )


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
