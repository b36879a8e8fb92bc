"""Have every kernel of the line compiled, or loaded, before the clock of a replay starts.

A kernel is compiled when it is first called, about a minute for all of them, once a machine; from
then on it is loaded from a cache on disk. A decision that waits for this would count it as its
computing time. So a small made recording goes through the line first: a radar that sees a body,
and another one part from it, two cameras that see a meteor, and a satellite that sees an ascent. Once a process
is enough.
"""

from __future__ import annotations

import gc
import math
from functools import cache

import numpy as np
from numpy.typing import ArrayLike

from tocsin.earth.ellipsoid import enu_axes, geodetic_to_ecef
from tocsin.earth.motion import BALLISTIC, THRUST
from tocsin.formats.gazetteer import shipped_gazetteer
from tocsin.prediction import decay_watch
from tocsin.prediction.ascent import DEFAULT as BURN
from tocsin.prediction.decay_watch import Body, Orbits, Pass
from tocsin.prediction.landings import thrusting
from tocsin.record.replay import replay_events
from tocsin.sensors.plots import Floats, Plots, Sensor
from tocsin.tracking.association import pair_beliefs
from tocsin.tracking.crowd_splits import Plots as CrowdPlots
from tocsin.tracking.crowd_splits import split
from tocsin.tracking.crowd_swaps import best_swaps, links, others, plots_of
from tocsin.tracking.crowd_weights import doubts, forgotten, grow, summed, unseen, value_of, weigh
from tocsin.tracking.fusion import Held, log_same
from tocsin.tracking.modes import MODES, SIZE, add_noise
from tocsin.tracking.sparse_fit import equations
from tocsin.tracking.steady import chain_order, coast, perigee
from tocsin.tracking.tracks import Track
from tocsin.units import DEGREE_RAD, EARTH_GM_M3_S2, EARTH_RATE_RAD_S, SEMI_MAJOR_AXIS_M

LATITUDE_RAD, WEST_RAD, EAST_RAD = 45.0 * DEGREE_RAD, 0.0, 1.0 * DEGREE_RAD
RADAR_S, RADAR_PERIOD_S = 30.0, 1.0
CAMERA_S, CAMERA_PERIOD_S = 3.0, 0.1
PARTING_S, PARTING_M_S = 10.0, 10.0  # slow enough that both plots lie in one gate for a while
ASCENT_S, SATELLITE_PERIOD_S, GEOSTATIONARY_M = 10.0, 1.0, 35.786e6
FALL_M_S2 = 9.6  # of free fall some 60 km up
REENTRY_M, COAST_M = 70e3, 250e3
LOW_ORBIT_M = 130e3
WIDE = np.array([[0.0, 2e6], [0.0, 2.0 * math.pi], [0.0, math.pi / 2.0], [-2e4, 2e4]])


@cache
def warm_up() -> None:
    """Put the small recording through the line, where this process has not done so; nothing of it is kept."""
    for height_m in (REENTRY_M, COAST_M):
        for _ in replay_events(*small_recording(height_m), shipped_gazetteer(), 0.0):
            pass
    warm_up_rare()
    settle()


def settle() -> None:
    """Take what is loaded by now for good: looking through all of it for garbage stops the line for 0.1 s each time."""
    gc.collect()
    gc.freeze()


def warm_up_rare() -> None:
    """Kernels of the tracker that the small recording does not come to."""
    _warm_up_crowds()
    # these need a family that two radars see
    pair_beliefs(np.zeros((1, 1)))
    held = Held(np.zeros(7), np.eye(7), np.zeros((7, 0)))
    log_same(held, held, held)
    high = np.array([6.5e6, 0.0, 0.0, 0.0, 0.0, 0.0, 7.0, 0.0, 0.0])
    add_noise(BALLISTIC, high, np.zeros((9, 9)), 1.0)
    _warm_up_orbits(high)
    _warm_up_windows()
    _warm_up_ascent()


def _warm_up_orbits(x: Floats) -> None:
    """What needs a radar that does not scan the sky."""
    looks = (np.zeros((1, 3)), np.zeros((1, 3, 3)), np.zeros((1, 2)), np.full((1, 4), np.nan))
    column, lever, room = np.full((1, 4), -1), np.ones((1, 4)), (np.zeros((1, 4)), np.zeros((1, 4, SIZE)))
    equations(x, 0.0, *chain_order(np.zeros(1), 0.0), np.zeros(1), *looks, column, lever, np.zeros(0), *room)
    coast(x, np.eye(SIZE), np.zeros((SIZE, 0)), 1.0, 0.0)
    perigee(x[:6])


def _warm_up_windows() -> None:
    """What needs two passes of a body on an orbit that decays: a circular one of the equator, 130 km up."""
    radius_m = SEMI_MAJOR_AXIS_M + LOW_ORBIT_M
    speed_m_s = math.sqrt(EARTH_GM_M3_S2 / radius_m)
    P = np.diag([1e4] * 3 + [1.0] * 3)
    passes = []
    for time_s in (0.0, 5000.0):
        angle = time_s * (speed_m_s / radius_m - EARTH_RATE_RAD_S)
        c, s = math.cos(angle), math.sin(angle)
        v = speed_m_s - EARTH_RATE_RAD_S * radius_m
        passes.append(
            Pass(time_s, np.array([radius_m * c, radius_m * s, 0.0, -v * s, v * c, 0.0]), P, int(time_s) + 1)
        )
    bodies = [Body((p.track,), (), p, p.time_s, -math.inf, math.inf, math.inf) for p in passes]
    orbits, _ = decay_watch.step(Orbits((bodies[0],)), 0.0)
    decay_watch.step(orbits._replace(bodies=(*orbits.bodies, bodies[1])), 5000.0)


def _warm_up_ascent() -> None:
    """What needs a radar that sees a long ascent: a body under thrust that leans to the north, 60 km up."""
    x = np.array([SEMI_MAJOR_AXIS_M + 60e3, 0.0, 0.0, 1500.0, 0.0, 1500.0, 20.0, 0.0, 20.0])
    P = np.diag([1e4] * 3 + [100.0] * 3 + [4.0] * 3)
    mu = np.eye(MODES)[THRUST]
    track = Track(
        1, 0, 0.0, np.tile(x, (MODES, 1)), np.tile(P, (MODES, 1, 1)), mu, 1.0, 100, True, False, True
    )
    thrusting(track, BURN)


def _warm_up_crowds() -> None:
    """What needs more bodies, or a longer flight, than the small recording has."""
    none, real, K, S = np.zeros(0, np.int64), np.zeros(0), 2, 1
    B, b, Y, y = np.zeros((0, 6, 6)), np.zeros((0, 6)), np.tile(np.eye(6), (K, 1, 1)), np.zeros((K, 6))
    miss, all_near, one = np.zeros((S, K)), np.ones((K, K), np.bool_), np.zeros(1, np.int64)
    value_of(Y[0], y[0], np.zeros((7, 6)))
    summed(none, B, b, Y, y)
    weigh(none, none, B, b, real, Y, y, miss[0])
    grow(0, one, one, np.zeros((1, 6, 6)), np.zeros((1, 6)), np.zeros(1), Y[0], y[0], miss[:, 0])
    unseen(0, none, none, np.zeros((S, 4, 6)), np.ones(S), np.zeros(S), y, Y, miss)
    forgotten(np.zeros((S, K), np.bool_), miss, np.zeros(K, np.int64))
    doubts(
        0, np.zeros(S + 1, np.int64), none, np.zeros((0, 4, 6)), B, b, real, Y, y, miss, y, np.zeros((0, 4))
    )
    plot_of = plots_of(S, K, none, none)
    links(one, -1, one, plot_of, B, b, Y, y)
    old, gain, cut = np.ones(K, np.bool_), np.zeros((K, K)), np.zeros((K, K), np.int64)
    best_swaps(one, one, plot_of, B, b, Y, y, miss, old, all_near, gain, cut, cut.copy())
    others(np.eye(6), all_near, one, one, plot_of, B, b, Y, y, miss, old)
    of_one = CrowdPlots(
        one,
        np.zeros(S + 1, np.int64),
        none,
        B,
        b,
        real,
        real,
        b,
        real,
        np.zeros((S, 4, 6)),
        miss[:, 0].copy(),
        miss[:, 0].copy(),
    )
    split(one, of_one, none, Y, y, miss, old, np.zeros(K), 0.0, old.copy())


def small_recording(height_m: float = REENTRY_M) -> tuple[tuple[Sensor, ...], Plots]:
    """The sensors and their plots, without noise and false plots; a body parts at a height."""
    radar = _sensor("radar", WEST_RAD, (20.0, 1e-3, 1e-3, 5.0), RADAR_PERIOD_S)
    angles = (math.nan, 3e-4, 3e-4, math.nan)
    cameras = [_sensor("optical", lon_rad, angles, CAMERA_PERIOD_S) for lon_rad in (WEST_RAD, EAST_RAD)]
    scans_s = np.arange(0.0, RADAR_S, RADAR_PERIOD_S)
    apart_s = scans_s[scans_s > PARTING_S]
    body = _fallen((80e3, 40e3, height_m), (-1200.0, 300.0, -100.0), scans_s)
    part = _fallen((80e3, 40e3, height_m), (-1200.0, 300.0, -100.0), apart_s)
    part[:, 1] += PARTING_M_S * (apart_s - PARTING_S)
    meteor_s = np.arange(0.0, CAMERA_S, CAMERA_PERIOD_S)
    meteor = _fallen((40e3, 60e3, 80e3), (3000.0, -6000.0, -9000.0), meteor_s)
    satellite = _sensor("infrared", WEST_RAD, (math.nan, 2e-4, 2e-5, math.nan), SATELLITE_PERIOD_S)
    satellite = satellite._replace(latitude_rad=0.0, height_m=GEOSTATIONARY_M)
    ascent_s = np.arange(0.0, ASCENT_S, SATELLITE_PERIOD_S)
    ascent = np.array([300e3, 0.0, 10e3]) + np.outer(ascent_s, [100.0, 0.0, 610.0])
    ascent += np.outer(0.5 * ascent_s**2, [10.0, 0.0, 33.0])
    parts = [
        _plots(3, satellite, ascent_s, ascent),
        _plots(0, radar, scans_s, body),
        _plots(0, radar, apart_s, part),
        *(_plots(i, camera, meteor_s, meteor) for i, camera in enumerate(cameras, 1)),
    ]
    plots = Plots(*(np.concatenate(column) for column in zip(*parts, strict=True)))
    return (radar, *cameras, satellite), plots.rows(np.argsort(plots.received_s, kind="stable"))


def _sensor(kind: str, longitude_rad: float, sigma: ArrayLike, period_s: float) -> Sensor:
    name = f"{kind}-{longitude_rad:.3f}"
    return Sensor(
        name, kind, LATITUDE_RAD, longitude_rad, 0.0, np.array(sigma), 0.9, 1.0, period_s, WIDE, np.zeros(4)
    )


def _fallen(start_m: ArrayLike, velocity_m_s: ArrayLike, time_s: Floats) -> Floats:
    """East, north, up (m, n x 3) from the western site, in even free fall."""
    down = np.array([0.0, 0.0, -0.5 * FALL_M_S2])
    t = time_s[:, None]
    return np.asarray(start_m) + np.asarray(velocity_m_s) * t + down * t**2


def _plots(number: int, sensor: Sensor, time_s: Floats, local_m: Floats) -> Plots:
    """What a sensor measures of an object, local_m (n, 3) from the western site, one plot a scan."""
    west_m = geodetic_to_ecef(LATITUDE_RAD, WEST_RAD, 0.0)
    site_m = geodetic_to_ecef(sensor.latitude_rad, sensor.longitude_rad, sensor.height_m)
    away_m = local_m @ enu_axes(LATITUDE_RAD, WEST_RAD) + west_m - site_m
    east, north, up = (away_m @ enu_axes(sensor.latitude_rad, sensor.longitude_rad).T).T
    range_m = np.linalg.norm(away_m, axis=1)
    angles = [np.arctan2(east, north) % (2.0 * math.pi), np.arctan2(up, np.hypot(east, north))]
    measured = np.column_stack([range_m, *angles, np.gradient(range_m, time_s)])
    measured[:, np.isnan(sensor.sigma)] = np.nan
    count = len(time_s)
    scan = np.round(time_s / sensor.scan_period_s).astype(np.int64)
    whose = np.full(count, number, np.int64)
    none = np.full(count, math.nan)
    return Plots(time_s, time_s, whose, scan, measured, np.tile(site_m, (count, 1)), none)
