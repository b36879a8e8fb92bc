"""Three plots of different scans that one object could have made."""

from __future__ import annotations

import math

import numpy as np

from tocsin.kernel import jit
from tocsin.sensors.plots import Floats, Ints

LONGEST_GAP_S = 20.0
STRONGEST_M_S2 = 70.0
SIGMAS = 4.0
MOST_OF_ONE = 4  # triples that end in one plot
MOST_PARTNERS = 200  # plots that may go before one


@jit
def _misfit(
    i: int, k: int, time_s: Floats, sensor: Ints, sight: Floats, spread: Floats, position: Floats,
    measured: Floats, variance: Floats, fastest: Floats,
) -> float:  # fmt: skip
    """How badly plots i (earlier) and k (later) go together: squared sigmas; infinite where no object made both."""
    dt = time_s[k] - time_s[i]
    d0, d1, d2 = sight[k, 0] - sight[i, 0], sight[k, 1] - sight[i, 1], sight[k, 2] - sight[i, 2]
    d = math.sqrt(d0 * d0 + d1 * d1 + d2 * d2)
    blur = SIGMAS * (spread[i] + spread[k])
    most = min(fastest[sensor[i]], fastest[sensor[k]])
    if d > most * dt + blur:
        return np.inf
    speed = min(most, (d + blur) / dt)
    if sensor[i] != sensor[k]:  # what each says of the speed along its sight
        out = 0.0
        for r in (i, k):
            if math.isnan(measured[r, 1]):
                continue
            rho = measured[r, 0]
            along = (
                (sight[r, 0] - position[r, 0]) * d0
                + (sight[r, 1] - position[r, 1]) * d1
                + (sight[r, 2] - position[r, 2]) * d2
            ) / (rho * dt)
            error = math.sqrt(variance[r, 3] + (spread[i] ** 2 + spread[k] ** 2) / (dt * dt))
            drift = 0.5 * (STRONGEST_M_S2 + speed * speed / rho) * dt
            off = abs(along - measured[r, 1])
            if off > SIGMAS * error + drift:
                return np.inf
            out += (off / (SIGMAS * error + drift)) ** 2
        return out
    if math.isnan(measured[i, 1]) or math.isnan(measured[k, 1]):
        return 0.0
    change = measured[k, 1] - measured[i, 1]
    noise = math.sqrt(variance[i, 3] + variance[k, 3])
    # acceleration along the sight: thrust or gravity, and the sight's own turning (v2 / R)
    along = STRONGEST_M_S2 + speed * speed / measured[k, 0]
    if abs(change) > along * dt + SIGMAS * noise:
        return np.inf
    gap = measured[k, 0] - measured[i, 0] - 0.5 * dt * (measured[i, 1] + measured[k, 1])
    error = math.sqrt(variance[i, 2] + variance[k, 2] + 0.25 * dt * dt * (variance[i, 3] + variance[k, 3]))
    # the trapezoid is wrong by dt3 / 12 times the change of acceleration, taken as along / dt at most
    bend = along * dt * dt / 12.0
    if abs(gap) > SIGMAS * error + bend:
        return math.inf
    return float((gap / (error + bend / SIGMAS)) ** 2)


@jit
def _groups(
    rows: Ints, sensor: Ints, scan: Ints, time_s: Floats, rho: Floats
) -> tuple[Ints, Ints, Floats, Floats]:
    """Rows by sensor and scan, nearest first; where each group begins; its first and last time."""
    group, first = np.empty(len(rows), np.int64), np.empty(len(rows), np.int64)
    n, last = 0, -1
    for k in range(len(rows)):
        r = rows[k]
        if last < 0 or sensor[r] != sensor[first[last]] or scan[r] != scan[first[last]]:
            last = 0
            while last < n and (sensor[r] != sensor[first[last]] or scan[r] != scan[first[last]]):
                last += 1
            if last == n:
                first[n] = r
                n += 1
        group[k] = last
    by_scan = np.argsort(scan[first[:n]], kind="mergesort")
    rank = by_scan[np.argsort(sensor[first[by_scan]], kind="mergesort")]
    place, begin, low, high = np.empty(n, np.int64), np.zeros(n + 1, np.int64), np.empty(n), np.empty(n)
    for g in range(n):
        place[rank[g]] = g
    for k in range(len(rows)):
        begin[place[group[k]] + 1] += 1
    begin = np.cumsum(begin)
    order, filled = np.empty(len(rows), np.int64), begin.copy()
    for k in range(len(rows)):
        g = place[group[k]]
        order[filled[g]] = rows[k]
        filled[g] += 1
    for g in range(n):
        mine = order[begin[g] : begin[g + 1]]
        mine[:] = mine[np.argsort(rho[mine], kind="mergesort")]
        low[g], high[g] = time_s[mine].min(), time_s[mine].max()
    return order, begin, low, high


@jit
def _cells(order: Ints, begin: Ints, sight: Floats) -> tuple[Ints, Ints, Ints, Floats, Floats]:
    """Each group's plots in a grid of boxes around them, about one plot a box.

    Returns the boxes a side (g,), where each box begins in the next, of group g from begin[g] + g on; places in order
    by box, rising in each; the grid's corner (g, 3), and boxes a metre (g, 3).
    """
    groups = len(begin) - 1
    sides, corner, per_m = np.empty(groups, np.int64), np.empty((groups, 3)), np.zeros((groups, 3))
    start, places = np.zeros(len(order) + groups, np.int64), np.empty(len(order), np.int64)
    box = np.empty(len(order), np.int64)
    for g in range(groups):
        a, b = begin[g], begin[g + 1]
        side = max(int((b - a + 0.5) ** (1.0 / 3.0)), 1)
        sides[g] = side
        for i in range(3):
            low, high = np.inf, -np.inf
            for m in range(a, b):
                low, high = min(low, sight[order[m], i]), max(high, sight[order[m], i])
            corner[g, i] = low
            if high > low:
                per_m[g, i] = side / (high - low)
        first = start[a + g : b + g + 1]
        for m in range(a, b):
            box[m] = 0
            for i in range(3):
                box[m] = box[m] * side + _box(sight[order[m], i], corner[g, i], per_m[g, i], side)
            first[box[m]] += 1
        total = a
        for c in range(side * side * side):
            total += first[c]
            first[c] = total
        for m in range(b - 1, a - 1, -1):
            first[box[m]] -= 1
            places[first[box[m]]] = m
        first[side * side * side] = b
    return sides, start, places, corner, per_m


@jit
def _box(at: float, corner: float, per_m: float, side: int) -> int:
    """Number of the box of a place (m) along one axis; what lies beyond is in the last."""
    place = (at - corner) * per_m
    return int(min(place, side - 1.0)) if place > 0.0 else 0


@jit
def _near(
    at: Floats, reach: float, near: float, far: float, a: int, g: int, sides: Ints, start: Ints, places: Ints,
    corner: Floats, per_m: Floats, order: Ints, sight: Floats, rho: Floats, out: Ints,
) -> int:  # fmt: skip
    """Fill out with the places in order of a group's plots around a place (3,), rising; returns how many there are.

    reach (m): how far from there; near, far (m): from the sensor. a, g: where the group begins, and its number.
    """
    side, first, count, wide = sides[g], a + g, 0, reach + 1.0
    c, k = corner[g], per_m[g]
    x0, x1 = _box(at[0] - wide, c[0], k[0], side), _box(at[0] + wide, c[0], k[0], side)
    y0, y1 = _box(at[1] - wide, c[1], k[1], side), _box(at[1] + wide, c[1], k[1], side)
    z0, z1 = _box(at[2] - wide, c[2], k[2], side), _box(at[2] + wide, c[2], k[2], side)
    for x in range(x0, x1 + 1):
        for y in range(y0, y1 + 1):
            row = first + (x * side + y) * side
            for p in range(start[row + z0], start[row + z1 + 1]):
                r = order[places[p]]
                if rho[r] < near or rho[r] > far:
                    continue
                apart = 0.0
                for i in range(3):
                    apart += (sight[r, i] - at[i]) ** 2
                if math.sqrt(apart) > reach:
                    continue
                out[count] = places[p]
                count += 1
    if x1 > x0 or y1 > y0 or z1 > z0:
        out[:count].sort()
    return count


@jit
def _before(
    k: int, order: Ints, begin: Ints, low: Floats, high: Floats, grid: tuple[Ints, Ints, Ints, Floats, Floats],
    time_s: Floats, sensor: Ints, scan: Ints, sight: Floats, spread: Floats, position: Floats, measured: Floats,
    variance: Floats, fastest: Floats, blur: float, around: Ints, found: Ints, misfit: Floats,
) -> int:  # fmt: skip
    """Fill found with earlier rows that go together with row k, and how badly; returns how many there are.

    order to high as from `_groups`, grid as from `_cells`; blur: the largest of spread; around (rows,): to work in.
    """
    sides, start, places, corner, per_m = grid
    count = 0
    for g in range(len(begin) - 1):
        first = order[begin[g]]
        longest, shortest = time_s[k] - low[g], time_s[k] - high[g]
        if longest <= 0.0 or shortest > LONGEST_GAP_S:
            continue
        if sensor[first] == sensor[k] and scan[first] == scan[k]:
            continue
        rho = 0.0  # where the group's sensor would see it
        for i in range(3):
            rho += (sight[k, i] - position[first, i]) ** 2
        rho = math.sqrt(rho)
        most = min(fastest[sensor[first]], fastest[sensor[k]])
        shortest, longest = max(shortest, 0.0), min(longest, LONGEST_GAP_S)
        near = rho - most * longest
        far = rho + most * longest
        if sensor[first] == sensor[k] and not math.isnan(measured[k, 1]):
            rate = measured[k, 1]
            reach = (STRONGEST_M_S2 + most * most / max(rho, 1.0)) * longest * longest
            near = max(near, rho - max(rate * shortest, rate * longest) - reach)
            far = min(far, rho - min(rate * shortest, rate * longest) + reach)
        near, far = near - SIGMAS * (spread[k] + blur), far + SIGMAS * (spread[k] + blur)
        close = _near(
            sight[k], most * longest + SIGMAS * (spread[k] + blur), near, far, begin[g], g, sides, start, places,
            corner, per_m, order, sight, measured[:, 0], around,
        )  # fmt: skip
        for m in range(close):
            if count == len(found):
                break
            r = order[around[m]]
            gap = time_s[k] - time_s[r]
            if gap <= 0.0 or gap > LONGEST_GAP_S:
                continue
            value = _misfit(r, k, time_s, sensor, sight, spread, position, measured, variance, fastest)
            if value < np.inf:
                found[count], misfit[count] = r, value
                count += 1
    return count


@jit
def triples(
    fresh: int, time_s: Floats, sensor: Ints, scan: Ints, sight: Floats, spread: Floats, position: Floats,
    measured: Floats, variance: Floats, fastest: Floats,
) -> tuple[Ints, Floats]:  # fmt: skip
    """Rows (k, 3) of plots that one object could have made, the last from row `fresh` on, and how badly they line up.

    fastest (sensors,): speed (m/s) of what each sensor sees. Of one last plot those MOST_OF_ONE that line up best.
    """
    n = len(time_s)
    rows = np.flatnonzero(~np.isnan(measured[:, 0]) & ~np.isnan(variance[:, 1]))
    out, cost = np.empty((64, 3), np.int64), np.empty(64)
    count = 0
    if len(rows) < 3:
        return out[:0], cost[:0]
    blur = spread[rows].max()
    order, begin, low, high = _groups(rows, sensor, scan, time_s, measured[:, 0])
    grid, around = _cells(order, begin, sight), np.empty(len(order), np.int64)
    known = np.full(n, -1)  # where the partners of a row begin, once they were looked for
    partners = np.zeros(n, np.int64)
    store, store_fit = np.empty(256, np.int64), np.empty(256)
    used = 0
    mine, mine_fit = np.empty(MOST_PARTNERS, np.int64), np.empty(MOST_PARTNERS)
    theirs, theirs_fit = np.empty(MOST_PARTNERS, np.int64), np.empty(MOST_PARTNERS)
    best, best_cost = np.empty((MOST_OF_ONE, 2), np.int64), np.empty(MOST_OF_ONE)
    for c in rows:
        if c < fresh:
            continue
        held = 0
        seconds = _before(int(c), order, begin, low, high, grid, time_s, sensor, scan, sight, spread, position,
                          measured, variance, fastest, blur, around, mine, mine_fit)  # fmt: skip
        for s in range(seconds):
            b = mine[s]
            if known[b] < 0:
                partners[b] = _before(b, order, begin, low, high, grid, time_s, sensor, scan, sight, spread, position,
                                      measured, variance, fastest, blur, around, theirs, theirs_fit)  # fmt: skip
                known[b] = used
                while used + partners[b] > len(store):
                    store, store_fit = np.concatenate((store, store)), np.concatenate((store_fit, store_fit))
                store[used : used + partners[b]] = theirs[: partners[b]]
                store_fit[used : used + partners[b]] = theirs_fit[: partners[b]]
                used += partners[b]
            second = time_s[c] - time_s[b]
            for m in range(known[b], known[b] + partners[b]):
                a = store[m]
                if a >= fresh or (sensor[a] == sensor[c] and scan[a] == scan[c]):
                    continue
                first = time_s[b] - time_s[a]
                bend = 0.0
                for i in range(3):
                    bend += ((sight[c, i] - sight[b, i]) / second - (sight[b, i] - sight[a, i]) / first) ** 2
                noise = spread[a] / first + spread[b] * (1.0 / first + 1.0 / second) + spread[c] / second
                limit = STRONGEST_M_S2 * 0.5 * (first + second) + SIGMAS * noise
                if bend > limit * limit:
                    continue
                value = bend / (noise * noise) + mine_fit[s] + store_fit[m]
                place = held
                if held == MOST_OF_ONE:
                    place = int(np.argmax(best_cost))
                    if value >= best_cost[place]:
                        continue
                else:
                    held += 1
                best[place, 0], best[place, 1], best_cost[place] = a, b, value
        for m in range(held):
            if count == len(out):
                out, cost = np.concatenate((out, out)), np.concatenate((cost, cost))
            out[count, 0], out[count, 1], out[count, 2], cost[count] = best[m, 0], best[m, 1], c, best_cost[m]
            count += 1
    return out[:count], cost[:count]
