"""The smallest region of the plane that holds a share of a distribution, and quantiles on a line.

The distribution is a sum of normal ones. Where an impact may be, they stand in a row: one for each value of what is
not known, mostly of the ballistic coefficient. So the plane is cut across that row: along it stands the density of all
of them, and across, at each place, a normal distribution with the mean and the variance that the sum has there. The
region of highest density (Hyndman 1996, The American Statistician 50, 120-126) then is, at each place along, one
interval across; its outline follows without a grid in the plane, and has no holes.
"""

from __future__ import annotations

import math

import numpy as np

from tocsin.kernel import jit
from tocsin.sensors.plots import Floats, Ints

LEAST_VARIANCE = 1.0  # m2: no region is thinner than this claims
# The grid of a normal distribution, in its sigmas: finer where few stand together.
REACH, STEP, FINE_STEP, FEW = 4.5, 0.5, 0.15, 4
BEYOND = (5.3, 6.5)  # and there, so that it has ended before the next one begins
LEAST_PART = 0.005  # share of a region below which a part of it is left out, for a little more of the others
MOST_LEFT_OUT = 0.5  # of what a region need not hold
TRIES = 40
SURE = 1e-6  # of a share, to which it is met
SURELY_IN = 16.0  # ln of a density over the threshold's, from which on all is in but for 1.6e-8
SURELY_BELOW = 5.6  # sigmas, beyond which a normal distribution has next to nothing (1e-8)
END_PARTS = np.array([0.04, 0.15, 0.4])  # of the last step of the grid, where the outline bends most
LOG_TWO_PI = math.log(2.0 * math.pi)
# How far an outline may move where it loses corners: of the square root of its area, and, where it is long and thin, of
# its mean width.
SMOOTH, SMOOTH_WIDTH = 0.004, 0.02


@jit
def grid(middle: Floats, variance: Floats) -> Floats:
    """Places in rising order where a sum of normal distributions (k,) is looked at."""
    step = FINE_STEP if len(middle) < FEW else STEP
    steps = int(2.0 * REACH / step) + 1
    each = steps + 2 * len(BEYOND)
    at = np.empty(len(middle) * each)
    for k in range(len(middle)):
        sigma = math.sqrt(variance[k])
        for s in range(steps):
            at[k * each + s] = middle[k] + sigma * (s * step - REACH)
        for s in range(len(BEYOND)):
            at[k * each + steps + 2 * s] = middle[k] - sigma * BEYOND[s]
            at[k * each + steps + 2 * s + 1] = middle[k] + sigma * BEYOND[s]
    return np.sort(at)


@jit
def _along(weight: Floats, centre: Floats, covariance: Floats) -> tuple[float, float]:
    """Direction (cosine, sine) in which the sum of normal distributions reaches farthest."""
    mean = np.zeros(2)
    for k in range(len(weight)):
        for i in range(2):
            mean[i] += weight[k] * centre[k, i]
    xx, xy, yy = 0.0, 0.0, 0.0
    for k in range(len(weight)):
        dx, dy = centre[k, 0] - mean[0], centre[k, 1] - mean[1]
        xx += weight[k] * (covariance[k, 0, 0] + dx * dx)
        xy += weight[k] * (covariance[k, 0, 1] + dx * dy)
        yy += weight[k] * (covariance[k, 1, 1] + dy * dy)
    turn = 0.5 * math.atan2(2.0 * xy, xx - yy)
    return math.cos(turn), math.sin(turn)


@jit
def _across(a: float, parts: Floats) -> tuple[float, float, float]:
    """Density along at a place, and the mean and the variance across. parts (k, 6): of `_turned`."""
    total, mean, square = 0.0, 0.0, 0.0
    for k in range(len(parts)):
        d = a - parts[k, 0]
        half_z2 = d * d * parts[k, 1]
        if half_z2 > 40.0:
            continue
        p = parts[k, 2] * math.exp(-half_z2)
        m = parts[k, 3] + parts[k, 4] * d
        total += p
        mean += p * m
        square += p * (parts[k, 5] + m * m)
    if total <= 0.0:
        return 0.0, 0.0, LEAST_VARIANCE
    mean /= total
    return total, mean, max(square / total - mean * mean, LEAST_VARIANCE)


@jit
def _held(threshold: float, log_density: Floats, share: Floats, used: Floats) -> float:
    """Share of the distribution where its density is above exp(threshold), of the used places along (1 or 0)."""
    total = 0.0
    for i in range(len(share)):
        over = log_density[i] - threshold
        if used[i] > 0.0 and over > 0.0:
            total += share[i] * (math.erf(math.sqrt(over)) if over < SURELY_IN else 1.0)
    return float(total)


@jit
def _threshold(wanted: float, log_density: Floats, share: Floats, used: Floats) -> float:
    """ln of the density above which a wanted share lies."""
    high, top = log_density.max(), 0.0 - wanted
    low = high - 1.0
    bottom = _held(low, log_density, share, used) - wanted
    while bottom < 0.0 and low > log_density.max() - 60.0:
        high, top = low, bottom
        low -= 2.0
        bottom = _held(low, log_density, share, used) - wanted
    for _ in range(TRIES):  # regula falsi, with half the weight of an end that stays (Illinois)
        middle = (low * top - high * bottom) / (top - bottom) if top < bottom else 0.5 * (low + high)
        value = _held(middle, log_density, share, used) - wanted
        if abs(value) < SURE:
            return float(middle)
        if value > 0.0:
            low, bottom = middle, value
            top *= 0.5
        else:
            high, top = middle, value
            bottom *= 0.5
    return float(low)


@jit
def _turned(
    along: float, up: float, weight: Floats, centre: Floats, covariance: Floats
) -> tuple[Floats, Floats, Floats]:
    """Centres along (k,) and variances along (k,) in a turned frame; and what `_across` needs of each (k, 6).

    That is: the centre along, half the inverse of the variance along, the density there, the centre across, by how
    much it moves across for each metre along, and the variance across where it is known how far along.
    """
    count = len(centre)
    middle, variance, parts = np.empty(count), np.empty(count), np.empty((count, 6))
    for k in range(count):
        middle[k] = along * centre[k, 0] + up * centre[k, 1]
        xx, xy, yy = covariance[k, 0, 0], covariance[k, 0, 1], covariance[k, 1, 1]
        variance[k] = max(along * along * xx + 2.0 * along * up * xy + up * up * yy, LEAST_VARIANCE)
        both = along * up * (yy - xx) + (along * along - up * up) * xy
        across = up * up * xx - 2.0 * along * up * xy + along * along * yy
        parts[k, 0] = middle[k]
        parts[k, 1] = 0.5 / variance[k]
        parts[k, 2] = weight[k] / math.sqrt(2.0 * math.pi * variance[k])
        parts[k, 3] = along * centre[k, 1] - up * centre[k, 0]
        parts[k, 4] = both / variance[k]
        parts[k, 5] = max(across - both * both / variance[k], LEAST_VARIANCE)
    return middle, variance, parts


@jit
def _parts(wanted: float, log_density: Floats, share: Floats) -> tuple[float, Ints]:
    """ln of the density above which a wanted share lies; first and last place (p, 2) of each part of that region.

    Parts that hold next to nothing are left out, and made up for by the others, as far as those can: where many of
    them together hold what a share needs, as those of a wide distribution under a narrow one do, they stay.
    """
    n = len(share)
    used, part = np.ones(n), np.empty((n, 2), np.int64)
    while True:
        threshold = _threshold(wanted, log_density, share, used)
        count, fewer = 0, False
        for i in range(n):
            if used[i] == 0.0 or log_density[i] <= threshold:
                continue
            if count > 0 and part[count - 1, 1] == i - 1:
                part[count - 1, 1] = i
            else:
                part[count, 0], part[count, 1] = i, i
                count += 1
        held, spare = np.empty(count), (share * used).sum() - wanted - MOST_LEFT_OUT * (1.0 - wanted)
        for p in range(count):
            a, b = part[p, 0], part[p, 1] + 1
            held[p] = _held(threshold, log_density[a:b], share[a:b], used[a:b])
        for p in np.argsort(held, kind="mergesort"):
            a, b = part[p, 0], part[p, 1] + 1
            if held[p] < LEAST_PART * wanted and share[a:b].sum() < spare:
                spare -= share[a:b].sum()
                used[a:b] = 0.0
                fewer = True
        if not fewer:
            return threshold, part[:count]


@jit
def _end(inner: int, outer: int, at: Floats, log_density: Floats, threshold: float) -> float:
    """Where the region ends, between its last place of the grid and the next one outside."""
    if outer < 0 or outer >= len(at) or not math.isfinite(log_density[outer]):
        return float(at[inner])
    if log_density[outer] >= threshold:  # that of a part that is left out
        return float(at[inner])
    part = (log_density[inner] - threshold) / (log_density[inner] - log_density[outer])
    return float(at[inner] + part * (at[outer] - at[inner]))


@jit
def _thinned(x: Floats, low: Floats, high: Floats, tolerance: float) -> Ints:
    """Places to keep of an outline so that neither side moves by more than a tolerance (Douglas and Peucker 1973)."""
    n = len(x)
    keep = np.zeros(n, np.bool_)
    keep[0] = keep[n - 1] = True
    stack = np.empty((n + 1, 2), np.int64)
    stack[0, 0], stack[0, 1] = 0, n - 1
    held = 1
    while held > 0:
        held -= 1
        a, b = stack[held, 0], stack[held, 1]
        worst, where = tolerance, -1
        span = x[b] - x[a]
        for i in range(a + 1, b):
            part = (x[i] - x[a]) / span
            off = max(
                abs(low[i] - low[a] - part * (low[b] - low[a])),
                abs(high[i] - high[a] - part * (high[b] - high[a])),
            )
            if off > worst:
                worst, where = off, i
        if where >= 0:
            keep[where] = True
            stack[held, 0], stack[held, 1] = a, where
            stack[held + 1, 0], stack[held + 1, 1] = where, b
            held += 2
    return np.flatnonzero(keep)


@jit
def _sides(
    first: int, last: int, at: Floats, log_density: Floats, mean: Floats, variance: Floats, threshold: float,
    parts: Floats, x: Floats, low: Floats, high: Floats,
) -> int:  # fmt: skip
    """Fill x with places along a part, from its first to its last of the grid, low and high with where it ends across.

    Beyond the grid some places more go to either end, where the outline bends most. Returns how many there are.
    """
    a = _end(first, first - 1, at, log_density, threshold)
    b = _end(last, last + 1, at, log_density, threshold)
    m = 0
    for e in range(len(END_PARTS) + 1):
        x[m] = a + (END_PARTS[e - 1] if e > 0 else 0.0) * (at[first] - a)
        if m == 0 or x[m] > x[m - 1]:
            m += 1
    inside = m
    for i in range(first, last + 1):
        if at[i] > x[m - 1]:
            x[m] = at[i]
            wide = math.sqrt(2.0 * variance[i] * (log_density[i] - threshold))
            low[m], high[m] = mean[i] - wide, mean[i] + wide
            m += 1
    beyond = m
    for e in range(len(END_PARTS), -1, -1):
        x[m] = b - (END_PARTS[e - 1] if e > 0 else 0.0) * (b - at[last])
        if x[m] > x[m - 1]:
            m += 1
    for i in range(m):
        if inside <= i < beyond:
            continue
        g, y, v = _across(x[i], parts)
        over = math.log(max(g, 1e-300)) - 0.5 * (LOG_TWO_PI + math.log(v)) - threshold
        wide = math.sqrt(2.0 * v * max(over, 0.0))
        low[i], high[i] = y - wide, y + wide
    return m


@jit
def _profile(middle: Floats, along_m2: Floats, each: Floats) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Places along; at each ln of the crest's density (1/m2), its share of all, and mean and variance across."""
    at = grid(middle, along_m2)
    n = len(at)
    log_density, share, mean, variance = np.full(n, -np.inf), np.zeros(n), np.empty(n), np.empty(n)
    for i in range(n):
        g, mean[i], variance[i] = _across(at[i], each)
        if g > 0.0:
            log_density[i] = math.log(g) - 0.5 * (LOG_TWO_PI + math.log(variance[i]))
        share[i] = 0.5 * g * (at[min(i + 1, n - 1)] - at[max(i - 1, 0)])
    return at, log_density, share / share.sum(), mean, variance


@jit
def _drawn(
    part: Ints, threshold: float, region: int, at: Floats, log_density: Floats, mean: Floats, variance: Floats,
    each: Floats, along: float, up: float,
    corners: Floats, parts: Floats, filled: int, found: int,
) -> tuple[int, int, float]:  # fmt: skip
    """Add the outlines of a region's parts (p, 2) to corners and parts; how far both are filled, and the area."""
    room = len(at) + 2 * len(END_PARTS) + 2
    x, low, high = np.empty(room), np.empty(room), np.empty(room)
    total = 0.0
    for p in range(len(part)):
        m = _sides(
            part[p, 0], part[p, 1], at, log_density, mean, variance, threshold, each, x, low, high
        )  # fmt: skip
        area = 0.0
        for i in range(1, m):
            area += 0.5 * (high[i] - low[i] + high[i - 1] - low[i - 1]) * (x[i] - x[i - 1])
        if m < 3 or area <= 0.0:  # a crest between two places of the grid: too thin to be drawn
            continue
        total += area
        allowed = min(SMOOTH * math.sqrt(area), SMOOTH_WIDTH * area / (x[m - 1] - x[0]))
        kept = _thinned(x[:m], low[:m], high[:m], allowed)
        start = filled
        for i in kept:
            corners[filled, 0], corners[filled, 1] = along * x[i] - up * low[i], up * x[i] + along * low[i]
            filled += 1
        for i in kept[::-1]:
            if high[i] > low[i]:
                corners[filled, 0], corners[filled, 1] = (
                    along * x[i] - up * high[i],
                    up * x[i] + along * high[i],
                )
                filled += 1
        parts[found, 0], parts[found, 1] = region, filled - start
        found += 1
    return filled, found, total


@jit
def _room(places: int) -> int:
    """The most corners that a region over so many places along can have: two a place, and the ends of each part."""
    return 2 * (places + (2 * len(END_PARTS) + 2) * (places // 2 + 1))


@jit
def outlines(
    weight: Floats, centre: Floats, covariance: Floats, shares: Floats
) -> tuple[Floats, Floats, Floats]:
    """Regions of highest density of a sum of normal distributions that hold given shares.

    weight (k,), summing to 1, centre (k, 2), covariance (k, 2, 2), shares (n,). Returns corners (m, 2), in order around
    each part; for each part (p, 2) the number of its region and of its corners; and the areas (n,) of the regions. A
    region may have several parts, which do not touch.
    """
    along, up = _along(weight, centre, covariance)
    middle, along_m2, each = _turned(along, up, weight, centre, covariance)
    at, log_density, share, mean, variance = _profile(middle, along_m2, each)
    corners, parts = np.empty((_room(len(at)) * len(shares), 2)), np.empty((len(at) * len(shares), 2))
    filled, found = 0, 0
    areas = np.zeros(len(shares))
    for r in range(len(shares)):
        threshold, part = _parts(shares[r], log_density, share)
        filled, found, areas[r] = _drawn(
            part, threshold, r, at, log_density, mean, variance, each, along, up,
            corners, parts, filled, found,
        )  # fmt: skip
    return corners[:filled].copy(), parts[:found].copy(), areas


@jit
def above(
    weight: Floats, centre: Floats, covariance: Floats, density: float
) -> tuple[Floats, Floats, float, float, float]:
    """The region where a sum of normal distributions is denser than a density (1/m2).

    weight, centre, covariance as for `outlines`. Returns corners (m, 2) and parts (p, 2) as there, both empty where it
    is nowhere so dense; the area; the share of the distribution that the region holds; and the greatest density.
    """
    along, up = _along(weight, centre, covariance)
    middle, along_m2, each = _turned(along, up, weight, centre, covariance)
    at, log_density, share, mean, variance = _profile(middle, along_m2, each)
    threshold, greatest = math.log(density), math.exp(log_density.max())
    part, count = np.empty((len(at), 2), np.int64), 0
    for i in range(len(at)):
        if log_density[i] <= threshold:
            continue
        if count > 0 and part[count - 1, 1] == i - 1:
            part[count - 1, 1] = i
        else:
            part[count, 0], part[count, 1] = i, i
            count += 1
    corners, parts = np.empty((_room(len(at)), 2)), np.empty((len(at), 2))
    filled, found, area = _drawn(
        part[:count], threshold, 0, at, log_density, mean, variance, each, along, up,
        corners, parts, 0, 0,
    )  # fmt: skip
    held = _held(threshold, log_density, share, np.ones(len(share))) if found > 0 else 0.0
    return corners[:filled].copy(), parts[:found].copy(), area, held, greatest


@jit
def quantiles(weight: Floats, middle: Floats, variance: Floats, shares: Floats) -> Floats:
    """Quantiles (n,) at shares (n,) of a sum of normal distributions on a line, weight, middle, variance (k,)."""
    at = grid(middle, variance)
    below = np.zeros(len(at))
    for k in range(len(weight)):
        narrow = 1.0 / math.sqrt(variance[k])
        for i in range(len(at)):
            z = (middle[k] - at[i]) * narrow
            if z < -SURELY_BELOW:
                below[i] += weight[k]
            elif z < SURELY_BELOW:
                below[i] += weight[k] * 0.5 * math.erfc(z * math.sqrt(0.5))
    return np.interp(shares, below, at)
