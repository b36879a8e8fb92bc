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
from tocsin.sensors.plots import Floats

LEAST_VARIANCE = 1.0  # m2: no region is thinner than this claims
# The grid of a normal distribution, in its sigmas: finer where few stand together.
REACH, STEP, FINE_STEP, FEW = 4.5, 0.5, 0.15, 4
LEAST_PART = 0.005  # share of a region below which a part of it is left out, for a little more of the others
TRIES = 40
SURE = 1e-6  # of a share, to which it is met
END_PARTS = np.array([0.02, 0.08, 0.2, 0.45])  # of the last step of the grid, where the outline bends most
LOG_TWO_PI = math.log(2.0 * math.pi)


@jit
def grid(middle: Floats, variance: Floats) -> Floats:
    """Places in rising order where a sum of normal distributions (k,) is looked at."""
    step = FINE_STEP if len(middle) < FEW else STEP
    steps = int(2.0 * REACH / step) + 1
    at = np.empty(len(middle) * steps)
    for k in range(len(middle)):
        sigma = math.sqrt(variance[k])
        for s in range(steps):
            at[k * steps + s] = middle[k] + sigma * (s * step - REACH)
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
def _across(a: float, weight: Floats, middle: Floats, side: Floats, C: Floats) -> tuple[float, float, float]:
    """Density along at a place, and the mean and the variance across. C (k, 3): variances along, both, across."""
    total, mean, square = 0.0, 0.0, 0.0
    for k in range(len(weight)):
        d = a - middle[k]
        z2 = d * d / C[k, 0]
        if z2 > 80.0:
            continue
        p = weight[k] * math.exp(-0.5 * z2) / math.sqrt(2.0 * math.pi * C[k, 0])
        m = side[k] + C[k, 1] / C[k, 0] * d
        total += p
        mean += p * m
        square += p * (max(C[k, 2] - C[k, 1] * C[k, 1] / C[k, 0], LEAST_VARIANCE) + m * m)
    if total <= 0.0:
        return 0.0, 0.0, LEAST_VARIANCE
    mean /= total
    return total, mean, max(square / total - mean * mean, LEAST_VARIANCE)


@jit
def _held(threshold: float, log_density: Floats, share: Floats, used: Floats) -> float:
    """Share of the distribution where its density is above exp(threshold), of the used places along (1 or 0)."""
    total = 0.0
    for i in range(len(share)):
        if used[i] > 0.0 and log_density[i] > threshold:
            total += share[i] * math.erf(math.sqrt(log_density[i] - threshold))
    return float(total)


@jit
def _threshold(wanted: float, log_density: Floats, share: Floats, used: Floats) -> float:
    """ln of the density above which a wanted share lies."""
    high = log_density.max()
    low = high - 1.0
    while _held(low, log_density, share, used) < wanted and low > high - 60.0:
        low -= 2.0
    top, bottom = 0.0 - wanted, _held(low, log_density, share, used) - wanted
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
def outlines(
    weight: Floats, centre: Floats, covariance: Floats, shares: Floats
) -> tuple[Floats, Floats, Floats]:
    """Regions of highest density of a sum of normal distributions that hold given shares.

    weight (k,), summing to 1, centre (k, 2), covariance (k, 2, 2), shares (n,). Returns corners (m, 2), in order around
    each part; for each part (p, 2) the number of its region and of its corners; and the areas (n,) of the regions. A
    region may have several parts, which do not touch.
    """
    along, up = _along(weight, centre, covariance)
    count = len(weight)
    middle, side, C = np.empty(count), np.empty(count), np.empty((count, 3))
    for k in range(count):
        middle[k] = along * centre[k, 0] + up * centre[k, 1]
        side[k] = along * centre[k, 1] - up * centre[k, 0]
        xx, xy, yy = covariance[k, 0, 0], covariance[k, 0, 1], covariance[k, 1, 1]
        C[k, 0] = max(along * along * xx + 2.0 * along * up * xy + up * up * yy, LEAST_VARIANCE)
        C[k, 1] = along * up * (yy - xx) + (along * along - up * up) * xy
        C[k, 2] = up * up * xx - 2.0 * along * up * xy + along * along * yy
    at = grid(middle, C[:, 0])
    n = len(at)
    log_density, share = np.full(n, -np.inf), np.zeros(n)
    for i in range(n):
        g, _, v = _across(at[i], weight, middle, side, C)
        if g > 0.0:
            log_density[i] = math.log(g) - 0.5 * (LOG_TWO_PI + math.log(v))
        left, right = at[max(i - 1, 0)], at[min(i + 1, n - 1)]
        share[i] = 0.5 * g * (right - left)
    share /= share.sum()
    corners, parts = np.empty((2 * (n + 2 * len(END_PARTS) + 2), 2)), np.empty((n, 2))
    filled, found = 0, 0
    areas = np.zeros(len(shares))
    begin, end = np.empty(n, np.int64), np.empty(n, np.int64)
    places = np.empty(n + 2 * len(END_PARTS) + 2)
    lower, upper = np.empty(len(places)), np.empty(len(places))
    for r in range(len(shares)):
        used = np.ones(n)
        threshold, pieces = 0.0, 0
        for _ in range(3):  # what is left out is made up for by the rest
            threshold = _threshold(shares[r], log_density, share, used)
            pieces = 0
            for i in range(n):
                if used[i] == 0.0 or log_density[i] <= threshold:
                    continue
                if pieces > 0 and end[pieces - 1] == i - 1:
                    end[pieces - 1] = i
                else:
                    begin[pieces], end[pieces] = i, i
                    pieces += 1
            left_out = False
            for p in range(pieces):
                held = _held(threshold, log_density[begin[p] : end[p] + 1], share[begin[p] : end[p] + 1],
                             used[begin[p] : end[p] + 1])  # fmt: skip
                if held < LEAST_PART:
                    used[begin[p] : end[p] + 1] = 0.0
                    left_out = True
            if not left_out:
                break
        for p in range(pieces):
            first, last = begin[p], end[p]
            if used[first] == 0.0:
                continue
            # where the outline ends, between two places of the grid
            a, b = at[first], at[last]
            if first > 0 and math.isfinite(log_density[first - 1]):
                part = (log_density[first] - threshold) / (log_density[first] - log_density[first - 1])
                a = at[first] - min(part, 1.0) * (at[first] - at[first - 1])
            if last < n - 1 and math.isfinite(log_density[last + 1]):
                part = (log_density[last] - threshold) / (log_density[last] - log_density[last + 1])
                b = at[last] + min(part, 1.0) * (at[last + 1] - at[last])
            m = 0
            places[m] = a
            m += 1
            near = at[first] if first < last else b
            far = at[min(first + 1, last)] if first < last else b
            for e in END_PARTS:
                if a + e * (far - a) < near or first == last:
                    places[m] = a + e * (far - a)
                    m += 1
            for i in range(first, last + 1):
                if at[i] > places[m - 1]:
                    places[m] = at[i]
                    m += 1
            for q in range(len(END_PARTS)):
                e = END_PARTS[len(END_PARTS) - 1 - q]
                place = b - e * (b - at[max(last - 1, first)])
                if place > places[m - 1]:
                    places[m] = place
                    m += 1
            if b > places[m - 1]:
                places[m] = b
                m += 1
            for i in range(m):
                g, mean, v = _across(places[i], weight, middle, side, C)
                height = math.log(max(g, 1e-300)) - 0.5 * (LOG_TWO_PI + math.log(v)) - threshold
                wide = math.sqrt(2.0 * v * max(height, 0.0))
                lower[i], upper[i] = mean - wide, mean + wide
                if i > 0:
                    areas[r] += (
                        0.5
                        * (upper[i] - lower[i] + upper[i - 1] - lower[i - 1])
                        * (places[i] - places[i - 1])
                    )
            if filled + 2 * m > len(corners):
                corners = np.concatenate((corners, np.empty((2 * m + len(corners), 2))))
            start = filled
            for turn in range(2):
                for q in range(m):
                    i = q if turn == 0 else m - 1 - q
                    if turn == 1 and (i == m - 1 or i == 0) and upper[i] == lower[i]:
                        continue
                    across = lower[i] if turn == 0 else upper[i]
                    corners[filled, 0] = along * places[i] - up * across
                    corners[filled, 1] = up * places[i] + along * across
                    filled += 1
            parts[found, 0], parts[found, 1] = r, filled - start
            found += 1
            if found == len(parts):
                parts = np.concatenate((parts, np.empty((len(parts), 2))))
    return corners[:filled].copy(), parts[:found].copy(), areas


@jit
def quantiles(weight: Floats, middle: Floats, variance: Floats, shares: Floats) -> Floats:
    """Quantiles (n,) at shares (n,) of a sum of normal distributions on a line, weight, middle, variance (k,)."""
    at = grid(middle, variance)
    below = np.zeros(len(at))
    for i in range(len(at)):
        for k in range(len(weight)):
            below[i] += weight[k] * 0.5 * math.erfc((middle[k] - at[i]) / math.sqrt(2.0 * variance[k]))
    return np.interp(shares, below, at)
