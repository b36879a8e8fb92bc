"""New tracks from the sight lines of one infrared sensor alone: objects that have just been launched.

One line says nothing of distance, but the heat of an ascent is first seen where it leaves the clouds, and how an object
climbs there is known well enough. So a track begins as a Gaussian where the first line passes that height, with the
climb, the level speed and the acceleration of ascents there, and takes the lines after it as any track does. Whether
they are an object's is told by the product of their likelihoods against the density of false plots, and against a fire
on the ground, which would stay where it is.

The figures of ascents are those of builders/launch_prior.py, their sigmas widened since no two makers of rockets draw
alike. It gives, for scans of 1 to 4 s, with `15 single carrier salvo` 613 to 656 m/s and 33 to 34 m/s2 upward with
sigmas of 66 to 80 and 6.6, and 275 to 295 and 17 to 18 level; with `12 failure` 319 and 15.5, 27 and 1, 114 and 3.8.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tocsin.earth.ellipsoid import up_and_height
from tocsin.earth.motion import THRUST
from tocsin.kernel import jit
from tocsin.sensors.coverage import FEWEST_FALSE_PLOTS, log_clutter_density
from tocsin.sensors.models import LOG_TWO_PI, residual_and_row, some
from tocsin.sensors.plots import Floats, Ints, Sensor
from tocsin.tracking.correct import correct
from tocsin.tracking.initiation import LEAST_EXISTENCE, Known, Start, disjoint
from tocsin.tracking.modes import MODES, SIZE, add_noise, move
from tocsin.tracking.unclaimed import Pool
from tocsin.units import SEMI_MAJOR_AXIS_M

CLOUDS_M, CLOUDS_SIGMA_M = 10e3, 1500.0  # where a plume comes into sight
FIRST_SEEN_SCANS, FIRST_SEEN_SIGMA_SCANS = 0.6, 0.4  # when, after that, it is first seen
# What ascents are like there. Climb m/s and own acceleration upward m/s2: means, sigmas, their correlation; along any
# level axis: sigmas and correlation. Missiles that burn out at 1.5 to 4.6 km/s in 45 to 200 s; launchers that take 240
# to 420 s to 5 to 7 km/s; and what has long been on its way (and was lost, or hidden).
MISSILE, LAUNCHER, OLD = 0, 1, 2
CLIMB_M_S, CLIMB_SIGMA_M_S, UP_M_S2, UP_SIGMA_M_S2, UP_CORRELATION = 0, 1, 2, 3, 4
LEVEL_SIGMA_M_S, LEVEL_SIGMA_M_S2, LEVEL_CORRELATION = 5, 6, 7
ASCENTS = np.array(
    [
        [610.0, 115.0, 33.0, 9.0, 0.85, 340.0, 21.0, 0.97],
        [330.0, 80.0, 16.0, 4.0, 0.85, 150.0, 6.0, 0.9],
        [1200.0, 700.0, 20.0, 15.0, 0.0, 1500.0, 15.0, 0.0],
    ]
)
LOG_SHARES = np.log([0.6, 0.4, 0.1])  # nothing begins where the last is as likely as the others
OLD_M, OLD_SIGMA_M = 50e3, 30e3  # height of what has long been on its way

ANYWHERE_M = (
    50e3  # one-sigma of a place on the ground that is not known at all, against the breadth of a line
)

GATE = 25.0  # squared sigmas of two angles within which a line goes on with a launch
FEWEST_LOOKS = 3
MOST_LOOKS = 24
MOST_MISSES = 5
FASTEST_M_S = 3000.0  # level and upward, in the first seconds
LAUNCHES_A_SCAN = 0.01
FIRES_A_LAUNCH = 10.0  # fires that come into sight, for each launch


@jit
def place_on(position: Floats, sight: Floats, height: float) -> tuple[bool, Floats]:
    """Where a line first passes a height (m) over the ellipsoid; false where it never does."""
    along = position[0] * sight[0] + position[1] * sight[1] + position[2] * sight[2]
    far2 = position[0] ** 2 + position[1] ** 2 + position[2] ** 2
    radius = SEMI_MAJOR_AXIS_M + height
    there = np.zeros(3)
    for _ in range(20):
        root = along * along - far2 + radius * radius
        if along >= 0.0 or root < 0.0:
            return False, there
        distance = -along - math.sqrt(root)
        for i in range(3):
            there[i] = position[i] + distance * sight[i]
        error = up_and_height(there[0], there[1], there[2])[4] - height
        radius -= error
        if abs(error) < 1.0:
            return True, there
    return False, there


@jit
def launch_prior(there: Floats, period_s: float, kind: int) -> tuple[Floats, Floats]:
    """State (9,) and covariance (9, 9) of an ascent that is first seen somewhere, but for the place on the ground.

    kind: row of ASCENTS.
    """
    sin_lat, cos_lat, sin_lon, cos_lon, _ = up_and_height(there[0], there[1], there[2])
    up = np.array([cos_lat * cos_lon, cos_lat * sin_lon, sin_lat])
    as_known = ASCENTS[kind]
    x, P = np.zeros(SIZE), np.zeros((SIZE, SIZE))
    up_P, level_P = np.zeros((3, 3)), np.zeros((3, 3))
    seen = FIRST_SEEN_SIGMA_SCANS * period_s * as_known[CLIMB_M_S]
    up_P[0, 0] = OLD_SIGMA_M**2 if kind == OLD else CLOUDS_SIGMA_M**2 + seen**2
    level_P[0, 0] = ANYWHERE_M**2
    sigma_v, sigma_a = as_known[CLIMB_SIGMA_M_S], as_known[UP_SIGMA_M_S2]
    up_P[1, 1], up_P[2, 2] = sigma_v**2, sigma_a**2
    up_P[1, 2] = up_P[2, 1] = as_known[UP_CORRELATION] * sigma_v * sigma_a
    sigma_v, sigma_a = as_known[LEVEL_SIGMA_M_S], as_known[LEVEL_SIGMA_M_S2]
    level_P[1, 1], level_P[2, 2] = sigma_v**2, sigma_a**2
    level_P[1, 2] = level_P[2, 1] = as_known[LEVEL_CORRELATION] * sigma_v * sigma_a
    x[:3] = there
    x[3:6] = as_known[CLIMB_M_S] * up
    x[6:] = as_known[UP_M_S2] * up
    for a in range(3):
        for b in range(3):
            for i in range(3):
                for m in range(3):
                    P[3 * a + i, 3 * b + m] = up[i] * up[m] * (up_P[a, b] - level_P[a, b])
                P[3 * a + i, 3 * b + i] += level_P[a, b]
    return x, P


@jit
def _passes(place: Floats, position: Floats, axes: Floats, variance: Floats, dt: float) -> bool:
    """Whether a line passes so near to a place that what was there dt seconds ago may be on it."""
    along, size = 0.0, 0.0
    for i in range(3):
        d = place[i] - position[i]
        along += axes[0, i] * d
        size += d * d
    off = math.sqrt(max(size - along * along, 0.0))
    return along > 0.0 and off < FASTEST_M_S * dt + 8.0 * math.sqrt(max(variance[0], variance[1])) * along


@jit
def _stays(
    fire: Floats, place: Floats, known: Floats, position: Floats, axes: Floats, variance: Floats
) -> float:
    """ln of the likelihood (per rad2 of the sight plane) that a line is of a fire at a place on the ground.

    fire (2, 2): mean and variance of where the fire lies on the sight plane, beside the place; brought up to date.
    """
    H, out = np.zeros(6), 0.0
    for q in range(2):
        residual, _ = residual_and_row(q, place, position, axes, known, H)
        S = fire[1, q] + variance[q]
        d = residual - fire[0, q]
        out -= 0.5 * (LOG_TWO_PI + math.log(S) + d * d / S)
        fire[0, q] += fire[1, q] / S * d
        fire[1, q] *= variance[q] / S
    return out


@jit
def follow(
    seed: int, kind: int, period_s: float, scan: Ints, time_s: Floats, position: Floats, axes: Floats,
    measured: Floats, variance: Floats, column: Ints, lever: Floats, offset: Floats, offset_P: Floats,
) -> tuple[Ints, float, Floats, Floats, Floats, Floats, int]:  # fmt: skip
    """The lines that go on from a seed as a launch does, best of each scan, and the launch at the last of them.

    kind: of launch, row of ASCENTS. All rows are of one sensor, in order of scan, as in `sensors.models.Looks`.
    Returns the rows, the time (s), state (9,), covariance (9, 9) and derivative by the offsets (9, k) at the last, and
    the number of scans without a line; ln of the likelihood of all lines but the first (each per rad2 of the sight
    plane), if they are of a launch, of a fire on the ground, of an ascent that was on its way before (3,).
    """
    rows = np.empty(MOST_LOOKS, np.int64)
    rows[0] = seed
    count, missed = 1, 0
    x, P, A = np.zeros(SIZE), np.zeros((SIZE, SIZE)), np.zeros((SIZE, len(offset)))
    old_x, old_P, old_A = x, P, A
    good, there = place_on(
        position[seed], axes[seed, 0], CLOUDS_M + FIRST_SEEN_SCANS * period_s * ASCENTS[kind, CLIMB_M_S]
    )
    on_ground, place = place_on(position[seed], axes[seed, 0], 0.0)
    high, over = place_on(position[seed], axes[seed, 0], OLD_M)
    logs = np.zeros(3)
    now, before = time_s[seed], scan[seed]
    begun = False
    fire = np.zeros((2, 2))
    for q in range(2):
        fire[1, q] = variance[seed, q]
    k = seed + 1
    while good and on_ground and high and k < len(time_s) and count < MOST_LOOKS:
        end = k
        near = False
        while end < len(time_s) and scan[end] == scan[k]:
            near = near or _passes(
                x[:3] if begun else there, position[end], axes[end], variance[end], time_s[end] - now
            )
            end += 1
        if scan[k] == before:
            k = end
            continue
        missed += scan[k] - before - 1
        before = scan[k]
        best = -1
        if near:
            if not begun:
                x, P = launch_prior(there, period_s, kind)
                old_x, old_P = launch_prior(over, period_s, OLD)
                correct(x, P, A, SIZE, position[seed], axes[seed], measured[seed], variance[seed], column[seed],
                        lever[seed], offset, offset_P)  # fmt: skip
                correct(old_x, old_P, old_A, SIZE, position[seed], axes[seed], measured[seed], variance[seed],
                        column[seed], lever[seed], offset, offset_P)  # fmt: skip
                begun = True
            y, F = move(THRUST, x, time_s[k] - now)
            Q = F @ P @ F.T
            add_noise(THRUST, y, Q, time_s[k] - now)
            B = F @ A
            best_log = -np.inf
            for r in range(k, end):
                z, R, C = y.copy(), Q.copy(), B.copy()
                log, squares, _ = correct(z, R, C, SIZE, position[r], axes[r], measured[r], variance[r], column[r],
                                          lever[r], offset, offset_P)  # fmt: skip
                if squares < GATE and log > best_log:
                    best, best_log = r, log
                    x, P, A = z, R, C
        if best >= 0:
            old_x, F = move(THRUST, old_x, time_s[best] - now)
            old_P = F @ old_P @ F.T
            add_noise(THRUST, old_x, old_P, time_s[best] - now)
            old_A = F @ old_A
            logs[0] += best_log
            logs[1] += _stays(fire, place, measured[best], position[best], axes[best], variance[best])
            logs[2] += correct(old_x, old_P, old_A, SIZE, position[best], axes[best], measured[best], variance[best],
                               column[best], lever[best], offset, offset_P)[0]  # fmt: skip
            now = time_s[best]
            rows[count] = best
            count += 1
        else:
            missed += 1
        if missed > MOST_MISSES:
            break
        k = end
    return rows[:count], now, x, P, A, logs, missed


@jit
def _seeds(
    fresh_scan: int, scan: Ints, time_s: Floats, position: Floats, axes: Floats, variance: Floats
) -> Ints:
    """Rows from which one of the newest scan may go on."""
    out = np.empty(len(scan), np.int64)
    count = 0
    for i in range(len(scan)):
        if scan[i] == fresh_scan:
            continue
        good, there = place_on(position[i], axes[i, 0], CLOUDS_M)
        for k in range(len(scan)):
            if not good or scan[k] != fresh_scan:
                continue
            if _passes(there, position[k], axes[k], variance[k], time_s[k] - time_s[i]):
                out[count] = i
                count += 1
                break
    return out[:count]


def from_one_sensor(pool: Pool, fresh: int, sensors: tuple[Sensor, ...], known: Known) -> list[Start]:
    """New tracks from lines of one infrared sensor, all of the pool, the newest among the rows from `fresh` on."""
    looks = pool.looks
    if fresh < FEWEST_LOOKS - 1 or fresh == len(looks.time_s):
        return []
    sensor = sensors[pool.sensor[fresh]]
    order = np.lexsort((np.arange(len(pool.scan)), pool.scan))
    lines = some(looks, order)
    scan = pool.scan[order]
    kappa = log_clutter_density(sensor)
    seen = math.log(sensor.detection_probability)
    unseen = math.log1p(-min(sensor.detection_probability, 0.999))
    clutter = max(sensor.false_plots_per_scan, FEWEST_FALSE_PLOTS)
    starts: list[Start] = []
    for seed in _seeds(
        int(pool.scan[fresh]), scan, lines.time_s, lines.position_m, lines.axes, lines.variance
    ).tolist():
        both = [
            follow(
                seed,
                kind,
                sensor.scan_period_s,
                scan,
                lines.time_s,
                lines.position_m,
                lines.axes,
                lines.measured,
                lines.variance,
                lines.column,
                lines.lever,
                known.offset,
                known.offset_cov,
            )
            for kind in (MISSILE, LAUNCHER)
        ]
        # of the two, those that have the lines of the longer one
        rows = max((of[0] for of in both), key=len)
        own = order[rows]
        if len(rows) < FEWEST_LOOKS or own[-1] < fresh:
            continue
        likely = [
            (of, LOG_SHARES[kind] + of[5][0]) for kind, of in enumerate(both) if np.array_equal(of[0], rows)
        ]
        top = max(log for _, log in likely)
        shares = np.array([math.exp(log - top) for _, log in likely])
        log_launch = top + math.log(shares.sum())
        x, P, A = _together([of for of, _ in likely], shares / shares.sum())
        _, time_s, _, _, _, logs, missed = likely[0][0]
        same = math.log(LAUNCHES_A_SCAN / clutter) + missed * unseen + len(rows) * seen
        same += float(looks.log_area[own[1:]].sum()) - (len(rows) - 1) * kappa
        others = [-same, logs[1] + math.log(FIRES_A_LAUNCH), logs[2] + LOG_SHARES[OLD]]
        existence = 1.0 / (1.0 + sum(math.exp(min(other - log_launch, 50.0)) for other in others))
        if existence < LEAST_EXISTENCE:
            continue
        every = np.tile(x, (MODES, 1)), np.tile(P, (MODES, 1, 1)), np.tile(A, (MODES, 1, 1))
        mu = np.zeros(MODES)
        mu[THRUST] = 1.0
        starts.append(Start(time_s, *every, mu, min(existence, 0.99), tuple(own.tolist())))
    return disjoint(starts)


def _together(each: list[tuple[Any, ...]], shares: Floats) -> tuple[Floats, Floats, Floats]:
    """Mean (9,), covariance (9, 9) and derivative by the offsets (9, k) of several of `follow`."""
    x = sum(w * of[2] for w, of in zip(shares, each, strict=True))
    A = sum(w * of[4] for w, of in zip(shares, each, strict=True))
    P = sum(w * (of[3] + np.outer(of[2] - x, of[2] - x)) for w, of in zip(shares, each, strict=True))
    return np.asarray(x), np.asarray(P), np.asarray(A)
