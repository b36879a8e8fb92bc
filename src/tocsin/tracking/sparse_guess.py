"""First guesses of an orbit from plots that lie minutes apart."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from tocsin.sensors.plots import Floats, Ints
from tocsin.tracking.sparse_fit import FARTHEST_M
from tocsin.tracking.unclaimed import Pool
from tocsin.units import EARTH_GM_M3_S2, EARTH_RATE_RAD_S, SEMI_MAJOR_AXIS_M

FIX_S = 300.0  # between the plots of a fix
LEAST_APART_S, BEST_APART_S, MOST_APART_S = 240.0, 1800.0, 7200.0  # between two fixes
MOST_TRIES = 6  # pairs of fixes that a plot may begin
FASTEST_M_S = 11e3  # of what stays near the Earth
MOST_ENERGY = 1.5  # of that with which something escapes: a guess is off
GAP_SIGMAS = 3.0


class Fix(NamedTuple):
    """Where something is that gave two plots, or one with range and angles."""

    time_s: float
    point_m: Floats  # (3,)
    rows: tuple[int, ...]  # of the pool
    apart_s: float


def fixes(pool: Pool, row: int) -> list[Fix]:
    """Fixes with one plot, row of the pool, the nearest in time first."""
    looks = pool.looks
    out: list[Fix] = []
    sighted = ~np.isnan(looks.variance[:, 1]) & ~np.isnan(looks.variance[:, 0])
    ranged = ~np.isnan(looks.measured[:, 0])
    if sighted[row] and ranged[row]:
        return [Fix(float(looks.time_s[row]), pool.sight_m[row], (row,), 0.0)]
    apart = looks.time_s - looks.time_s[row]
    for other in np.flatnonzero(np.abs(apart) < FIX_S).tolist():
        a, b = (row, other) if sighted[row] else (other, row)
        if other == row or not sighted[a]:
            continue
        middle_s = float(looks.time_s[row] + 0.5 * apart[other])
        away_s = abs(float(apart[other]))
        if ranged[b] and not sighted[b] and pool.sensor[a] == pool.sensor[b]:
            point = looks.position_m[a] + looks.measured[b, 0] * looks.axes[a, 0]
            out.append(Fix(middle_s, point, (min(a, b), max(a, b)), away_s))
        elif sighted[b] and pool.sensor[a] != pool.sensor[b]:
            met = _meeting(looks.position_m[[a, b]], looks.axes[[a, b], 0])
            if met is None:
                continue
            point, far, gap = met
            blur = float(far[0] * pool.spread_m[a] + far[1] * pool.spread_m[b])
            if gap < FASTEST_M_S * away_s + GAP_SIGMAS * blur:
                out.append(Fix(middle_s, point, (min(a, b), max(a, b)), away_s))
    return sorted(out, key=lambda f: (f.apart_s, f.rows))


def _meeting(position: Floats, sight: Floats) -> tuple[Floats, Floats, float] | None:
    """Where two lines (2, 3) come nearest, how far along each, and the gap (m); None where not ahead of both."""
    w = position[0] - position[1]
    b = float(sight[0] @ sight[1])
    if 1.0 - b * b < 1e-4:  # within half a degree of parallel
        return None
    d, e = float(sight[0] @ w), float(sight[1] @ w)
    far = np.array([b * e - d, e - b * d]) / (1.0 - b * b)
    if far.min() <= 0.0:
        return None
    ends = position + far[:, None] * sight
    return 0.5 * (ends[0] + ends[1]), far, float(np.linalg.norm(ends[1] - ends[0]))


def guesses(pool: Pool, row: int) -> list[tuple[float, Floats, Ints]]:
    """First orbits with a plot, row of the pool: time, state (9,) as in `sparse_fit.Orbit`, rows of their plots."""
    here = fixes(pool, row)[:2]
    if not here:
        return []
    time_s = pool.looks.time_s
    old = np.flatnonzero(
        (time_s < time_s[row] - LEAST_APART_S) & (time_s > time_s[row] - MOST_APART_S)
    ).tolist()
    old.sort(key=lambda r: (abs(time_s[row] - time_s[r] - BEST_APART_S), r))
    out: list[tuple[float, Floats, Ints]] = []
    tried: set[tuple[int, ...]] = set()
    for other in old:
        for there in fixes(pool, other)[:1]:
            if there.rows in tried:
                continue
            tried.add(there.rows)
            for now in here:
                if set(now.rows) & set(there.rows) or now.time_s - there.time_s < LEAST_APART_S:
                    continue
                guess = flown_between(now, there)
                if guess is None:
                    continue
                out.append((now.time_s, guess, np.array(sorted({*now.rows, *there.rows}))))
                if len(out) == MOST_TRIES:
                    return out
    return out


def flown_between(now: Fix, before: Fix) -> Floats | None:
    """The state (9,) at one fix of what was at another before, by series to the third order; None where none stays.

    r0 = f r1 + g v1 with f = 1 - s t2 / 2, g = t - s t3 / 6, s = GM / r3 (Bate, Mueller and White 1971, section 5.3).
    """
    t = before.time_s - now.time_s
    turn = EARTH_RATE_RAD_S * t
    c, s = math.cos(turn), math.sin(turn)
    x, y, z = before.point_m
    then = np.array([c * x - s * y, s * x + c * y, z])  # on the axes of now
    r = 0.5 * (float(np.linalg.norm(then)) + float(np.linalg.norm(now.point_m)))
    if not SEMI_MAJOR_AXIS_M < r < FARTHEST_M:
        return None
    pull = EARTH_GM_M3_S2 / r**3
    velocity = (then - (1.0 - 0.5 * pull * t * t) * now.point_m) / (t - pull * t**3 / 6.0)
    if float(velocity @ velocity) > MOST_ENERGY * 2.0 * EARTH_GM_M3_S2 / r:
        return None
    velocity -= EARTH_RATE_RAD_S * np.array([-now.point_m[1], now.point_m[0], 0.0])
    return np.concatenate([now.point_m, velocity, np.zeros(3)])
