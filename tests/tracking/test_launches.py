"""Launches that one infrared sensor sees alone: soon a track, of honest covariance; fires and false plots make none."""

import math

import numpy as np
import pytest

from tocsin.earth.ellipsoid import ecef_to_geodetic, enu_axes, geodetic_to_ecef
from tocsin.earth.motion import THRUST
from tocsin.sensors.models import looks
from tocsin.sensors.plots import Plots
from tocsin.tracking import initiation, launches, modes, unclaimed

from ..sensors.geometry import NAN, place, plots_of, sensor

PERIOD_S = 2.0
FIELD = np.array([[3e5, 5e7], [0.0, 2 * math.pi], [-math.pi / 2, math.radians(-81.2)], [NAN, NAN]])
EYE = sensor((NAN, 2.27e-4, 2.27e-5, NAN), kind="infrared", latitude_deg=0.3, longitude_deg=10.0, height_m=35786e3,
             field=FIELD, false_plots=2.0, detection=0.93, period_s=PERIOD_S)  # fmt: skip
NOTHING_UNKNOWN = initiation.Known(np.zeros(0), np.zeros((0, 0)), 1.0)
WHERE = (math.radians(42.0), math.radians(25.0))


def pool_of(plots):
    seen = looks(plots, (EYE,), np.ones((1, 4)), np.full((1, 4), -1))
    number = np.arange(plots.count)
    return unclaimed.make_pool(seen, 0, 0, number, seen.variance)._replace(scan=plots.scan)


def ascent(count, rng):
    """States (n, 9) at scans of a launch that has just left the clouds, drawn as `launches.ASCENTS` has it."""
    axes = enu_axes(*WHERE)
    as_known = launches.ASCENTS[launches.MISSILE]
    climb = as_known[0] + 80.0 * rng.normal()
    up = as_known[2] + 6.0 * (climb - as_known[0]) / 80.0 + 2.0 * rng.normal()
    heading, level = rng.uniform(0.0, 2 * math.pi), rng.uniform(200.0, 450.0)
    east, north = math.sin(heading), math.cos(heading)
    x = np.zeros(9)
    x[:3] = geodetic_to_ecef(*WHERE, 10e3 + 500.0 * rng.normal() + climb * PERIOD_S * rng.random())
    x[3:6] = np.array([level * east, level * north, climb]) @ axes
    x[6:] = np.array([0.06 * level * east, 0.06 * level * north, up]) @ axes
    return np.stack([modes.move(THRUST, x, PERIOD_S * k)[0] for k in range(count)])


def seen(states, rng, first=0):
    count = len(states)
    time_s = PERIOD_S * (first + np.arange(count))
    plots = plots_of(EYE, states, time_s, rng=rng, scan=first + np.arange(count))
    return plots._replace(scan=plots.scan.astype(np.int64), sensor=plots.sensor.astype(np.int64))


def starts_after(plots, scan):
    pool = pool_of(plots.rows(plots.scan <= scan))
    return launches.from_one_sensor(pool, int((pool.scan < scan).sum()), (EYE,), NOTHING_UNKNOWN)


@pytest.mark.parametrize("height_m", [0.0, 10e3, 50e3])
def test_a_line_meets_a_height(height_m):
    target = geodetic_to_ecef(*WHERE, height_m)
    sight = target - place(EYE)
    good, there = launches.place_on(place(EYE), sight / np.linalg.norm(sight), height_m)
    assert good
    assert np.linalg.norm(there - target) < 10.0  # a metre of height, on a slanted line
    assert not launches.place_on(place(EYE), -sight / np.linalg.norm(sight), height_m)[0]


def test_a_launch_is_a_track_within_some_looks_and_where_it_says():
    nees, looks_needed, sigma_m = [], [], []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        states = ascent(8, rng)
        plots = seen(states, rng)
        for scan in range(2, 8):
            begun = starts_after(plots, scan)
            if begun:
                (start,) = begun
                d = start.x[THRUST, :6] - states[scan, :6]
                nees.append(d @ np.linalg.solve(start.P[THRUST, :6, :6], d))
                sigma_m.append(math.sqrt(np.trace(start.P[THRUST, :3, :3])))
                looks_needed.append(scan + 1)
                assert start.mu[THRUST] == 1.0
                break
    assert len(nees) >= 38
    assert np.median(looks_needed) <= 5
    assert np.percentile(looks_needed, 90) <= 7
    # the prior is wider than what is drawn here; the upper bound is that of chi-square, 1 in 1,000
    assert 2.0 < np.mean(nees) < 7.9
    assert np.median(sigma_m) < 5e3


@pytest.mark.compiled
def test_a_fire_stays_a_fire():
    for seed in range(30):
        rng = np.random.default_rng(100 + seed)
        x = np.zeros(9)
        x[:3] = geodetic_to_ecef(*WHERE, 0.0)
        plots = seen(np.tile(x, (12, 1)), rng)
        for scan in range(2, 12):
            assert not starts_after(plots, scan)


def test_false_plots_begin_nothing():
    rng = np.random.default_rng(7)
    scan = np.repeat(np.arange(300), rng.poisson(4.0, 300))
    n = len(scan)
    measured = np.full((n, 4), NAN)
    for q in (1, 2):
        measured[:, q] = rng.uniform(*FIELD[q], n)
    time_s = PERIOD_S * scan
    plots = Plots(
        time_s, time_s, np.zeros(n, np.int64), scan, measured, np.tile(place(EYE), (n, 1)), np.full(n, NAN)
    )
    for last in range(12, 300):
        recent = plots.rows((plots.scan > last - 12) & (plots.scan <= last))
        assert not starts_after(recent, last)


def test_two_launches_side_by_side_are_two():
    rng = np.random.default_rng(11)
    one, other = ascent(7, rng), ascent(7, rng)
    other[:, :3] += np.array([9e3, 4e3, 0.0]) @ enu_axes(*WHERE)
    plots = [seen(one, rng), seen(other, rng)]
    both = Plots(*(np.concatenate(c) for c in zip(*plots, strict=True)))
    both = both.rows(np.argsort(both.time_s, kind="stable"))
    starts = starts_after(both, 6)
    assert len(starts) == 2
    assert not set(starts[0].plots) & set(starts[1].plots)
    heights = [float(ecef_to_geodetic(s.x[THRUST, :3])[2]) for s in starts]
    assert all(10e3 < height < 35e3 for height in heights)
