"""New tracks from plots that no track claims.

Radar: three plots of different scans that one object could have made. Angles alone: sight lines of
two sensors that nearly meet, twice, and every other line that fits between. Either way the state is
fitted to the plots (`fit`), and the track begins with the probability that they are an object's and
not false: the evidence of the fit against the density of false plots.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tocsin.earth.ellipsoid import ecef_to_geodetic
from tocsin.kernel import jit
from tocsin.sensors.coverage import log_clutter_density, widths
from tocsin.sensors.models import Looks
from tocsin.sensors.plots import Floats, Ints, Sensor
from tocsin.tracking.fit import fit_modes

# Objects expected to come into the view of a sensor in one scan.
BIRTHS_A_SCAN = 0.01
LEAST_EXISTENCE = 0.9
WORST_FIT = 3.0  # squared normalised residuals a number

LONGEST_GAP_S = 20.0
FASTEST_M_S = 8500.0  # a little over orbital speed
FASTEST_METEOR_M_S = 75e3  # 72 km/s is the most a body bound to the Sun can have
STRONGEST_M_S2 = 70.0
SIGMAS = 4.0
MOST_FITS = 60  # tries a scan; a bound on the time that a dense scan may take
MOST_LINES = 40
FEWEST_LINES = 6
MOST_MEETINGS = 4000

# ln of the probabilities of free flight, thrust, level flight of something new
RADAR_LOG_PRIOR = np.log(np.array([0.4, 0.2, 0.4]))
METEOR_LOG_PRIOR = np.array([0.0, -np.inf, -np.inf])
HEAT_LOG_PRIOR = np.array([math.log(0.3), math.log(0.7), -np.inf])


class Pool(NamedTuple):
    """Plots of the last while that no track claims; m rows."""

    looks: Looks
    sensor: Ints  # (m,)
    scan: Ints  # (m,)
    sight_m: Floats  # (m, 3) position where range is measured, NaN elsewhere
    spread_m: Floats  # (m,) one-sigma of that position; of a sight line, of its direction (rad)


class Start(NamedTuple):
    """A new track: its modes at a time, and the plots that it was made from."""

    time_s: float
    x: Floats
    P: Floats
    mu: Floats
    existence: float
    plots: tuple[int, ...]  # rows of the pool


def empty_pool() -> Pool:
    """A pool without plots."""
    looks = Looks(
        np.zeros(0), np.zeros((0, 3)), np.zeros((0, 3, 3)), np.zeros((0, 2)), np.zeros((0, 4)), np.zeros(0)
    )
    return Pool(looks, np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, 3)), np.zeros(0))


def make_pool(looks: Looks, sensor: int, scan: int) -> Pool:
    """A pool of the plots of one scan."""
    count = len(looks.time_s)
    rho = looks.measured[:, 0]
    angle = np.sqrt(np.maximum(looks.variance[:, 0], looks.variance[:, 1]))
    spread = np.where(
        np.isnan(rho), angle, np.hypot(np.nan_to_num(rho) * angle, np.sqrt(looks.variance[:, 2]))
    )
    return Pool(
        looks,
        np.full(count, sensor, np.int64),
        np.full(count, scan, np.int64),
        looks.position_m + rho[:, None] * looks.axes[:, 0],
        spread,
    )


def keep(pool: Pool, mask: NDArray[np.bool_] | Ints) -> Pool:
    """The rows of a pool picked by a mask or indices."""
    return Pool(
        Looks(*(c[mask] for c in pool.looks)),
        pool.sensor[mask],
        pool.scan[mask],
        pool.sight_m[mask],
        pool.spread_m[mask],
    )


def join(a: Pool, b: Pool) -> Pool:
    """Two pools as one, rows of the second after those of the first."""
    return Pool(
        Looks(*(np.concatenate(c) for c in zip(a.looks, b.looks, strict=True))),
        np.concatenate([a.sensor, b.sensor]),
        np.concatenate([a.scan, b.scan]),
        np.concatenate([a.sight_m, b.sight_m]),
        np.concatenate([a.spread_m, b.spread_m]),
    )


@jit
def _could_be_one(
    i: int,
    k: int,
    time_s: Floats,
    sensor: Ints,
    sight: Floats,
    spread: Floats,
    measured: Floats,
    variance: Floats,
) -> bool:
    """True where plots i (earlier) and k (later) could be of one object."""
    dt = time_s[k] - time_s[i]
    d = math.sqrt(
        (sight[k, 0] - sight[i, 0]) ** 2 + (sight[k, 1] - sight[i, 1]) ** 2 + (sight[k, 2] - sight[i, 2]) ** 2
    )
    blur = SIGMAS * (spread[i] + spread[k])
    if d > FASTEST_M_S * dt + blur:
        return False
    if sensor[i] != sensor[k] or math.isnan(measured[i, 1]) or math.isnan(measured[k, 1]):
        return True
    speed = min(FASTEST_M_S, (d + blur) / dt)
    change = measured[k, 1] - measured[i, 1]
    noise = math.sqrt(variance[i, 3] + variance[k, 3])
    # acceleration along the sight: thrust or gravity, and the sight's own turning (v2 / R)
    along = STRONGEST_M_S2 + speed * speed / measured[k, 0]
    if abs(change) > along * dt + SIGMAS * noise:
        return False
    gap = measured[k, 0] - measured[i, 0] - 0.5 * dt * (measured[i, 1] + measured[k, 1])
    error = math.sqrt(variance[i, 2] + variance[k, 2] + 0.25 * dt * dt * (variance[i, 3] + variance[k, 3]))
    # the trapezoid is wrong by dt3 / 12 times the change of acceleration, taken as along / dt at most
    return bool(abs(gap) < SIGMAS * error + along * dt * dt / 12.0)


@jit
def _triples(
    fresh: int,
    time_s: Floats,
    sensor: Ints,
    scan: Ints,
    sight: Floats,
    spread: Floats,
    measured: Floats,
    variance: Floats,
    most: int,
) -> tuple[Ints, Floats]:
    """Rows (k, 3) of plots that one object could have made, the last from row `fresh` on, and how well they line up."""
    out, cost = np.empty((most, 3), np.int64), np.empty(most)
    count = 0
    for c in range(fresh, len(time_s)):
        for b in range(len(time_s)):
            second = time_s[c] - time_s[b]
            if second <= 0.0 or second > LONGEST_GAP_S or (sensor[b] == sensor[c] and scan[b] == scan[c]):
                continue
            if not _could_be_one(b, c, time_s, sensor, sight, spread, measured, variance):
                continue
            for a in range(fresh):
                first = time_s[b] - time_s[a]
                if first <= 0.0 or first > LONGEST_GAP_S:
                    continue
                if sensor[a] == sensor[b] and scan[a] == scan[b]:
                    continue
                if sensor[a] == sensor[c] and scan[a] == scan[c]:
                    continue
                if not _could_be_one(a, b, time_s, sensor, sight, spread, measured, variance):
                    continue
                bend = 0.0
                for i in range(3):
                    bend += ((sight[c, i] - sight[b, i]) / second - (sight[b, i] - sight[a, i]) / first) ** 2
                blur = spread[a] / first + spread[b] * (1.0 / first + 1.0 / second) + spread[c] / second
                limit = STRONGEST_M_S2 * 0.5 * (first + second) + SIGMAS * blur
                if bend > limit * limit:
                    continue
                value = bend / (blur * blur)
                if count < most:
                    out[count, 0], out[count, 1], out[count, 2], cost[count] = a, b, c, value
                    count += 1
                else:  # full: the worst gives way
                    worst = np.argmax(cost)
                    if value < cost[worst]:
                        out[worst, 0], out[worst, 1], out[worst, 2], cost[worst] = a, b, c, value
    return out[:count], cost[:count]


def log_odds(
    evidence: float, rows: list[int], pool: Pool, sensors: tuple[Sensor, ...], origin_m: Floats
) -> float:
    """ln of the odds that plots are an object's against all being false.

    evidence: of the fit, for a density of position of 1 per m3; rows of the pool, the first of which
    counts for the sensor that would have seen it come; origin_m (3,) where it was then.
    """
    first = sensors[pool.sensor[rows[0]]]
    rho = float(np.linalg.norm(origin_m - pool.looks.position_m[rows[0]]))
    wide = widths(first)
    span = wide[0] if not math.isnan(first.sigma[0]) else 4e5
    density = -math.log(span * wide[1] * wide[2] * rho * rho) - float(pool.looks.log_area[rows[0]])
    total = math.log(BIRTHS_A_SCAN) + density + evidence
    for row in rows:
        sensor = sensors[pool.sensor[row]]
        total += math.log(sensor.detection_probability) + float(pool.looks.log_area[row])
        total -= log_clutter_density(sensor)
    return total


def _start(
    rows: list[int], guess: Floats, pool: Pool, sensors: tuple[Sensor, ...], fast: bool, prior: Floats
) -> Start | None:
    """Fit a track to rows of the pool, in order of time; None where they do not make one."""
    looks = Looks(*(c[rows] for c in pool.looks))
    good, x, P, mu, evidence, quality = fit_modes(guess, *looks[:5], fast, prior)
    if not good or quality > WORST_FIT:
        return None
    best = int(np.argmax(mu))
    odds = log_odds(evidence, rows, pool, sensors, x[best, :3])
    existence = 1.0 / (1.0 + math.exp(min(max(-odds, -50.0), 50.0)))
    if existence < LEAST_EXISTENCE:
        return None
    return Start(float(looks.time_s.max()), x, P, mu, min(existence, 0.99), tuple(rows))


def from_ranges(pool: Pool, fresh: int, sensors: tuple[Sensor, ...]) -> list[Start]:
    """New tracks from plots with range, the newest of each among the rows from `fresh` on."""
    looks = pool.looks
    triples, cost = _triples(
        fresh,
        looks.time_s,
        pool.sensor,
        pool.scan,
        pool.sight_m,
        pool.spread_m,
        looks.measured,
        looks.variance,
        4 * MOST_FITS,
    )
    starts: list[Start] = []
    for a, b, c in triples[np.argsort(cost, kind="stable")][:MOST_FITS]:
        rows = [int(a), int(b), int(c)]
        guess = np.zeros(9)
        guess[:3] = pool.sight_m[c]
        guess[3:6] = (pool.sight_m[c] - pool.sight_m[a]) / (looks.time_s[c] - looks.time_s[a])
        start = _start(rows, guess, pool, sensors, False, RADAR_LOG_PRIOR)
        if start is not None:
            starts.append(start)
    return _disjoint(starts)


def _disjoint(starts: list[Start]) -> list[Start]:
    """The likeliest starts of which no two share a plot."""
    taken: set[int] = set()
    out = []
    for start in sorted(starts, key=lambda s: (-s.existence, s.plots)):
        if not taken & set(start.plots):
            taken |= set(start.plots)
            out.append(start)
    return out


@jit
def _meeting(p1: Floats, u1: Floats, p2: Floats, u2: Floats) -> tuple[bool, float, float, float]:
    """Where two sight lines come nearest: whether ahead of both, distances along each, and the gap (m)."""
    w0, w1, w2 = p1[0] - p2[0], p1[1] - p2[1], p1[2] - p2[2]
    b = u1[0] * u2[0] + u1[1] * u2[1] + u1[2] * u2[2]
    d = u1[0] * w0 + u1[1] * w1 + u1[2] * w2
    e = u2[0] * w0 + u2[1] * w1 + u2[2] * w2
    det = 1.0 - b * b
    if det < 1e-4:  # nearly parallel (within half a degree): no distance to be had
        return False, 0.0, 0.0, 0.0
    s, t = (b * e - d) / det, (e - b * d) / det
    gap = 0.0
    for i in range(3):
        gap += (p1[i] + s * u1[i] - p2[i] - t * u2[i]) ** 2
    return s > 0.0 and t > 0.0, s, t, math.sqrt(gap)


@jit
def _meetings(
    time_s: Floats,
    sensor: Ints,
    position: Floats,
    sight: Floats,
    spread: Floats,
    apart_s: float,
    fastest: float,
) -> tuple[Ints, Floats, Floats]:
    """Pairs of rows (k, 2) of different sensors whose lines nearly meet, where (k, 3), and when (k,)."""
    rows, points, times = (
        np.empty((MOST_MEETINGS, 2), np.int64),
        np.empty((MOST_MEETINGS, 3)),
        np.empty(MOST_MEETINGS),
    )
    count = 0
    for k in range(len(time_s)):
        for i in range(k):
            if sensor[i] == sensor[k] or count == MOST_MEETINGS:
                continue
            dt = abs(time_s[k] - time_s[i])
            if dt > apart_s:
                continue
            ahead, s, t, gap = _meeting(position[i], sight[i], position[k], sight[k])
            if not ahead or gap > fastest * dt + SIGMAS * (s * spread[i] + t * spread[k]):
                continue
            rows[count, 0], rows[count, 1] = i, k
            for c in range(3):
                points[count, c] = 0.5 * (position[i, c] + s * sight[i, c] + position[k, c] + t * sight[k, c])
            times[count] = 0.5 * (time_s[i] + time_s[k])
            count += 1
    return rows[:count], points[:count], times[:count]


def from_angles(pool: Pool, fresh: int, sensors: tuple[Sensor, ...]) -> list[Start]:
    """New tracks from sight lines of two or more sensors of one kind, the newest among the rows from `fresh` on."""
    looks = pool.looks
    if len(looks.time_s) < FEWEST_LINES or fresh == len(looks.time_s):
        return []
    optical = sensors[pool.sensor[fresh]].kind == "optical"
    fastest = FASTEST_METEOR_M_S if optical else FASTEST_M_S
    period = max(sensors[s].scan_period_s for s in set(pool.sensor.tolist()))
    sight = np.ascontiguousarray(looks.axes[:, 0])
    meet, point, when = _meetings(
        looks.time_s, pool.sensor, looks.position_m, sight, pool.spread_m, 1.5 * period, fastest
    )
    if len(meet) == 0:
        return []
    _, _, height = ecef_to_geodetic(point)
    high = (height > 0.0) & (height < 2e5)
    meet, point, when = meet[high], point[high], when[high]
    starts: list[Start] = []
    tries = 0
    for new in np.flatnonzero((meet >= fresh).any(1)):
        # the farther apart in time, the better the speed
        for old in np.argsort(when, kind="stable"):
            apart = when[new] - when[old]
            if apart < 2.0 * period or tries >= MOST_FITS:
                break
            velocity = (point[new] - point[old]) / apart
            if np.linalg.norm(velocity) > fastest:
                continue
            lead = looks.time_s - when[new]
            d = point[new] + velocity * lead[:, None] - looks.position_m
            along = np.einsum("ij,ij->i", d, sight)
            off = np.sqrt(np.maximum(np.einsum("ij,ij->i", d, d) - along**2, 0.0))
            slack = 0.5 * STRONGEST_M_S2 * apart**2 + 0.05 * np.linalg.norm(velocity) * apart
            fits = (along > 0) & (off < SIGMAS * pool.spread_m * along + slack)
            fits &= (looks.time_s >= when[old] - period) & (looks.time_s <= when[new] + period)
            rows = [int(r) for r in np.flatnonzero(fits)]
            rows = _one_a_scan(rows, off / np.maximum(along, 1.0), pool)[-MOST_LINES:]
            if len(rows) < FEWEST_LINES or len({int(pool.sensor[r]) for r in rows}) < 2:
                continue
            tries += 1
            rows.sort(key=lambda r: (looks.time_s[r], r))
            guess = np.zeros(9)
            last = looks.time_s[rows].max()
            guess[:3] = point[new] + velocity * (last - when[new])
            guess[3:6] = velocity
            guess[6] = 6.0
            start = _start(
                rows, guess, pool, sensors, optical, METEOR_LOG_PRIOR if optical else HEAT_LOG_PRIOR
            )
            if start is not None:
                starts.append(start)
                break
        if starts:
            break
    return starts


def _one_a_scan(rows: list[int], off: Floats, pool: Pool) -> list[int]:
    """Of the rows of one scan only the one that lies nearest."""
    best: dict[tuple[int, int], int] = {}
    for row in rows:
        key = (int(pool.sensor[row]), int(pool.scan[row]))
        if key not in best or off[row] < off[best[key]]:
            best[key] = row
    return sorted(best.values())
