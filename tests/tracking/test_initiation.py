"""New tracks from plots with range: many at once, few by mistake, the index against a search of all pairs."""

import math

import numpy as np
import pytest

from tocsin.earth.ellipsoid import ecef_to_geodetic, geodetic_to_ecef
from tocsin.earth.motion import LEVEL
from tocsin.sensors.models import looks
from tocsin.sensors.plots import Plots
from tocsin.tracking import initiation, triples, unclaimed

from ..sensors.geometry import NAN, local, place, plots_of, sensor

FIELD = np.array([[60e3, 1500e3], [0.0, 2 * math.pi], [0.02, 1.48], [-8e3, 8e3]])
OF = sensor((30.0, 2e-3, 2e-3, 8.0), field=FIELD, false_plots=100.0)
OTHER = sensor((20.0, 1e-3, 1e-3, 4.0), longitude_deg=36.5, field=FIELD, false_plots=20.0, name="t")
NOTHING_UNKNOWN = initiation.Known(np.zeros(0), np.zeros((0, 0)), 1.0)


def pool_of(sensors, plots, index=0, scan=0):
    seen = looks(plots, sensors, np.ones((len(sensors), 4)), np.full((len(sensors), 4), -1))
    flat = math.isnan(sensors[index].sigma[2])
    if flat:
        seen = unclaimed.raised(seen, plots.height_m)
    return unclaimed.make_pool(seen, index, scan, 1000 * scan + np.arange(plots.count), seen.variance, flat)


def swarm(count, rng):
    """States (n, 9) of bodies high over a place."""
    out = np.zeros((count, 9))
    spread = rng.uniform(-300e3, 300e3, (count, 2))
    out[:, :3] = place(OF) + np.column_stack([spread, rng.uniform(90e3, 280e3, count)]) @ local(OF)
    out[:, 3:6] = rng.normal(size=(count, 3)) * 1500.0
    return out


def scans(states, sensors, count, rng, period_s=5.0):
    """Pools of some scans of each sensor over bodies (unaccelerated), and the body of each row, -1: none."""
    pools, owners = [], []
    for k in range(count):
        for index, of in enumerate(sensors):
            time_s = k * period_s + index * 1.7 + rng.uniform(0.0, 1.5, len(states))
            there = states.copy()
            there[:, :3] += states[:, 3:6] * time_s[:, None]
            true = plots_of(of, there, time_s, rng=rng, index=index, scan=np.full(len(states), k))
            n = int(of.false_plots_per_scan)
            values = np.stack([rng.uniform(*FIELD[q], n) for q in range(4)], -1)
            when = k * period_s + index * 1.7 + rng.uniform(0.0, 1.5, n)
            false = Plots(when, when, np.full(n, index), np.full(n, k), values, np.tile(place(of), (n, 1)),
                          np.full(n, NAN))  # fmt: skip
            both = Plots(*(np.concatenate(c) for c in zip(true, false, strict=True)))
            both = both._replace(sensor=both.sensor.astype(np.int64), scan=both.scan.astype(np.int64))
            pools.append(pool_of(sensors, both, index, 10 * k + index)._replace(scan=both.scan))
            owners.append(np.concatenate([np.arange(len(states)), np.full(n, -1)]))
    return pools, owners


def joined(pools):
    out = pools[0]
    for pool in pools[1:]:
        out = unclaimed.whole((out, pool))
    return out


def test_many_new_objects_have_tracks_at_the_third_look():
    rng = np.random.default_rng(3)
    pools, owners = scans(swarm(250, rng), (OF,), 3, rng)
    owner = np.concatenate(owners)
    starts = initiation.from_ranges(joined(pools), len(owner) - len(owners[-1]), (OF,), NOTHING_UNKNOWN)
    found = [set(owner[list(start.plots)].tolist()) for start in starts]
    assert all(len(of) == 1 for of in found)
    assert len({next(iter(of)) for of in found} - {-1}) >= 245  # of 250


def test_false_plots_begin_nothing():
    rng = np.random.default_rng(4)
    pools, owners = scans(swarm(0, rng), (OF,), 12, rng)
    for k in range(2, 12):
        three = joined(pools[k - 2 : k + 1])
        assert not initiation.from_ranges(three, len(three.sensor) - len(owners[k]), (OF,), NOTHING_UNKNOWN)


def test_the_order_of_plots_is_of_no_account():
    rng = np.random.default_rng(5)
    pools, owners = scans(swarm(40, rng), (OF, OTHER), 2, rng)
    fresh = len(owners[-1])
    pool = joined(pools)
    old = len(pool.sensor) - fresh
    order = np.concatenate([rng.permutation(old), old + rng.permutation(fresh)])
    plain, mixed = (
        initiation.from_ranges(p, old, (OF, OTHER), NOTHING_UNKNOWN)
        for p in (pool, unclaimed.keep(pool, order))
    )
    assert len(plain) > 20
    numbers = {frozenset(pool.sight_m[list(s.plots), 0].tolist()) for s in plain}
    assert numbers == {frozenset(pool.sight_m[order[list(s.plots)], 0].tolist()) for s in mixed}


def test_the_index_finds_what_a_search_of_all_pairs_finds():
    rng = np.random.default_rng(6)
    pool = joined(scans(swarm(60, rng), (OF, OTHER), 2, rng)[0])
    seen = pool.looks
    fastest = np.full(2, initiation.FASTEST_M_S)
    given = (
        seen.time_s,
        pool.sensor,
        pool.sight_m,
        pool.spread_m,
        seen.position_m,
        seen.measured,
        seen.variance,
    )
    groups = triples._groups(
        np.arange(len(pool.sensor)), pool.sensor, pool.scan, seen.time_s, seen.measured[:, 0]
    )
    grid, around = triples._cells(groups[0], groups[1], pool.sight_m), np.empty(len(pool.sensor), np.int64)
    assert grid[0].min() > 2
    room, fit = np.empty(500, np.int64), np.empty(500)
    pairs = 0
    for k in range(len(pool.sensor)):
        count = triples._before(
            k,
            *groups,
            grid,
            seen.time_s,
            pool.sensor,
            pool.scan,
            *given[2:],
            fastest,
            pool.spread_m.max(),
            around,
            room,
            fit,
        )
        every = [
            i
            for i in np.flatnonzero(
                (seen.time_s < seen.time_s[k])
                & ((pool.sensor != pool.sensor[k]) | (pool.scan != pool.scan[k]))
            ).tolist()
            if triples._misfit(i, k, *given, fastest) < math.inf
        ]
        assert sorted(room[:count].tolist()) == every
        pairs += count
    assert pairs > 100


# --- air traffic: range, azimuth, and a height that the aircraft reports

FLAT = sensor((60.0, 1.4e-3, NAN, NAN), period_s=4.8, false_plots=8.0, field=np.array(
    [[5e3, 300e3], [0.0, 2 * math.pi], [NAN, NAN], [NAN, NAN]]))  # fmt: skip


def aircraft(time_s, speed_m_s=200.0, height_m=10e3):
    """States (n, 9) of an aircraft that flies east, 150 km off."""
    out = np.zeros((len(time_s), 9))
    latitude = FLAT.latitude_rad + 0.02
    per_rad = 6.4e6 * math.cos(latitude)
    for k, t in enumerate(time_s):
        longitude = FLAT.longitude_rad + 0.03 + speed_m_s * t / per_rad
        out[k, :3] = geodetic_to_ecef(latitude, longitude, height_m)
        out[k, 3:6] = (
            (geodetic_to_ecef(latitude, longitude + 1e-6, height_m) - out[k, :3]) / 1e-6 * speed_m_s / per_rad
        )
    return out


def flat_pool(states, time_s, height_m, rng):
    pools = []
    for k in range(len(time_s)):
        plots = plots_of(FLAT, states[k : k + 1], time_s[k : k + 1], rng=rng, scan=np.array([k]))
        pools.append(pool_of((FLAT,), plots._replace(height_m=np.array([height_m])), 0, k))
    return joined(pools)


def test_a_reported_height_stands_for_the_elevation():
    time_s = np.zeros(1)
    for height_m in (300.0, 5e3, 12e3):
        state = aircraft(time_s, height_m=height_m)
        exact = plots_of(FLAT, state, time_s)
        pool = pool_of((FLAT,), exact._replace(height_m=np.array([height_m])))
        off = pool.sight_m[0] - state[0, :3]
        # the sphere's radius is that below the radar: metres over 150 km; range and azimuth are exact
        assert np.linalg.norm(off) < 30.0
        assert ecef_to_geodetic(pool.sight_m[0])[2] == pytest.approx(height_m, abs=30.0)


@pytest.mark.parametrize("told", [True, False])
def test_an_aircraft_starts_from_range_and_azimuth(told):
    rng = np.random.default_rng(8)
    time_s = 4.8 * np.arange(3)
    states = aircraft(time_s)
    pool = flat_pool(states, time_s, 10e3 if told else NAN, rng)
    (start,) = initiation.from_ranges(pool, 2, (FLAT,), NOTHING_UNKNOWN)
    assert start.mu.tolist() == [0.0, 0.0, 1.0]
    d = start.x[LEVEL, :6] - states[-1, :6]
    assert d @ np.linalg.solve(start.P[LEVEL, :6, :6], d) < 24.1  # chi-square of 6, 1 in 2,000
    assert math.sqrt(np.trace(start.P[LEVEL, :3, :3])) < (500.0 if told else 5e3)


def test_ground_clutter_is_no_aircraft():
    rng = np.random.default_rng(9)
    time_s = 4.8 * np.arange(3)
    pool = flat_pool(aircraft(time_s, speed_m_s=0.0), time_s, NAN, rng)
    assert not initiation.from_ranges(pool, 2, (FLAT,), NOTHING_UNKNOWN)
