"""New tracks from plots that no track claims.

Radar: three plots of different scans that one object could have made, found by range within each scan. Of a radar
without elevation, the height that an aircraft reports stands in its place (`unclaimed.raised`). Angles alone: sight
lines of two sensors that nearly meet, twice, and every other line that fits between (of one infrared sensor:
`launches`). Either way the state is fitted to the plots (`fit`), and the track begins with the probability that they
are an object's and not false: the evidence of the fit against the density of false plots.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from tocsin.earth.ellipsoid import ecef_to_geodetic, up_and_height
from tocsin.earth.motion import LEVEL
from tocsin.kernel import jit
from tocsin.sensors.coverage import log_clutter_density, widths
from tocsin.sensors.models import some
from tocsin.sensors.plots import ELEVATION, Floats, Ints, Sensor
from tocsin.tracking.fit import fit_modes
from tocsin.tracking.modes import LEVEL_HEIGHT_M
from tocsin.tracking.triples import SIGMAS, STRONGEST_M_S2, triples
from tocsin.tracking.unclaimed import Pool

# Objects expected to come into the view of a sensor in one scan.
BIRTHS_A_SCAN = 0.01
LEAST_EXISTENCE = 0.9
WORST_FIT = 3.0  # squared normalised residuals a number

FASTEST_M_S = 8500.0  # a little over orbital speed
FASTEST_METEOR_M_S = 75e3  # 72 km/s is the most a body bound to the Sun can have
FASTEST_AIRCRAFT_M_S = 400.0
SLOWEST_AIRCRAFT_M_S = 30.0  # of what a radar without elevation sees: else it is ground clutter
MOST_FITS = 60  # tries a scan; a bound on the time that a dense scan may take
FITS_A_PLOT = 2  # and so many more for each plot that no track claims
MOST_LINES = 40
FEWEST_LINES = 6
MOST_MEETINGS = 4000
TRAFFIC_HEIGHT_M = 13e3  # of air traffic at most

# ln of the probabilities of free flight, thrust, level flight of something new
RADAR_LOG_PRIOR = np.log(np.array([0.4, 0.2, 0.4]))
FALLING_LOG_PRIOR = np.log(np.array([0.4, 0.2, 1e-9]))
FALLING_LOG_PRIOR[LEVEL] = -np.inf
AIRCRAFT_LOG_PRIOR = np.array([-np.inf, -np.inf, 0.0])
METEOR_LOG_PRIOR = np.array([0.0, -np.inf, -np.inf])
HEAT_LOG_PRIOR = np.array([math.log(0.3), math.log(0.7), -np.inf])


class Known(NamedTuple):
    """What is known of the sensors beside what they state."""

    offset: Floats  # (k,)
    offset_cov: Floats  # (k, k)
    gate_scale: float  # how much larger their variances may be than is thought


class Start(NamedTuple):
    """A new track: its modes at a time, and the plots that it was made from."""

    time_s: float
    x: Floats
    P: Floats
    A: Floats
    mu: Floats
    existence: float
    plots: tuple[int, ...]  # rows of the pool


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
    if math.isnan(first.sigma[ELEVATION]):
        wide[ELEVATION] = TRAFFIC_HEIGHT_M / rho
    span = wide[0] if not math.isnan(first.sigma[0]) else 4e5
    density = -math.log(span * wide[1] * wide[2] * rho * rho) - float(pool.looks.log_area[rows[0]])
    total = math.log(BIRTHS_A_SCAN) + density + evidence
    for row in rows:
        sensor = sensors[pool.sensor[row]]
        total += math.log(sensor.detection_probability) + float(pool.looks.log_area[row])
        total -= log_clutter_density(sensor)
        if math.isnan(sensor.sigma[ELEVATION]):  # a false plot may seem to have any height
            total -= math.log(float(pool.looks.measured[row, 0]) / TRAFFIC_HEIGHT_M)
    return total


def _start(
    rows: list[int],
    guess: Floats,
    pool: Pool,
    sensors: tuple[Sensor, ...],
    known: Known,
    fast: bool,
    prior: Floats,
) -> Start | None:
    """Fit a track to rows of the pool, in order of time; None where they do not make one."""
    looks = some(pool.looks, np.array(rows))
    good, x, P, A, mu, evidence, quality = fit_modes(
        guess, *looks[:5], looks.column, looks.lever, known.offset, known.offset_cov, fast, prior
    )
    if not good or quality > WORST_FIT * known.gate_scale:
        return None
    best = int(np.argmax(mu))
    odds = log_odds(evidence, rows, pool, sensors, x[best, :3])
    existence = 1.0 / (1.0 + math.exp(min(max(-odds, -50.0), 50.0)))
    if existence < LEAST_EXISTENCE:
        return None
    return Start(float(looks.time_s.max()), x, P, A, mu, min(existence, 0.99), tuple(rows))


def _no_aircraft(guess: Floats, blur_m: float) -> bool:
    """True for a state (9,), of a place known to some blur, that is surely too high for an aircraft."""
    height = up_and_height(guess[0], guess[1], guess[2])[4]
    return bool(height > LEVEL_HEIGHT_M + SIGMAS * blur_m)


def from_ranges(pool: Pool, fresh: int, sensors: tuple[Sensor, ...], known: Known) -> list[Start]:
    """New tracks from plots with range, the newest of each among the rows from `fresh` on; other rows may be there.

    The triples that line up best are tried first, and none with a plot of a track that has begun. How many are tried
    grows with the plots of the scan.
    """
    looks = pool.looks
    level = [math.isnan(s.sigma[ELEVATION]) for s in sensors]
    found, cost = triples(
        fresh, looks.time_s, pool.sensor, pool.scan, pool.sight_m, pool.spread_m, looks.position_m,
        looks.measured, looks.variance, np.array([FASTEST_AIRCRAFT_M_S if flat else FASTEST_M_S for flat in level]),
    )  # fmt: skip
    starts: list[Start] = []
    if len(found) == 0:
        return starts
    taken: set[int] = set()
    tries = MOST_FITS + FITS_A_PLOT * (len(looks.time_s) - fresh)
    for rows in found[np.argsort(cost, kind="stable")].tolist():
        if tries == 0:
            break
        if not taken.isdisjoint(rows):
            continue
        tries -= 1
        a, _, c = rows
        guess = np.zeros(9)
        guess[:3] = pool.sight_m[c]
        guess[3:6] = (pool.sight_m[c] - pool.sight_m[a]) / (looks.time_s[c] - looks.time_s[a])
        flat = all(level[s] for s in pool.sensor[rows])
        prior = AIRCRAFT_LOG_PRIOR if flat else RADAR_LOG_PRIOR
        if not flat and _no_aircraft(guess, pool.spread_m[a] + pool.spread_m[c]):
            prior = FALLING_LOG_PRIOR
        start = _start(rows, guess, pool, sensors, known, False, prior)
        if start is None or (flat and np.linalg.norm(start.x[LEVEL, 3:6]) < SLOWEST_AIRCRAFT_M_S):
            continue
        starts.append(start)
        taken.update(rows)
    return starts


def disjoint(starts: list[Start]) -> list[Start]:
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


def from_angles(pool: Pool, fresh: int, sensors: tuple[Sensor, ...], known: Known) -> list[Start]:
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
            if len(rows) < FEWEST_LINES or len({int(pool.sensor[r]) for r in rows}) < 2 or max(rows) < fresh:
                continue
            tries += 1
            rows.sort(key=lambda r: (looks.time_s[r], r))
            guess = np.zeros(9)
            last = looks.time_s[rows].max()
            guess[:3] = point[new] + velocity * (last - when[new])
            guess[3:6] = velocity
            guess[6] = 6.0
            log_prior = METEOR_LOG_PRIOR if optical else HEAT_LOG_PRIOR
            start = _start(rows, guess, pool, sensors, known, optical, log_prior)
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
