"""Which plot belongs to which track, in one scan of one sensor: how probably.

Gating, then the probability of each single pairing over all joint assignments in which a plot has
one origin and a track gives one plot (joint integrated probabilistic data association; Musicki and
Evans 2004, IEEE TAES 40, 1093-1099), by belief propagation (Williams and Lau 2014, IEEE TAES 50,
2942-2959).
"""

from __future__ import annotations

import math

import numpy as np

from tocsin.earth.motion import BALLISTIC, THRUST
from tocsin.kernel import jit
from tocsin.sensors.plots import Floats, Ints
from tocsin.tracking.imm import take_plot

# A plot passes where its squared normalised innovations sum to less than this plus four a number:
# 17 for two angles, 25 for all four (chi-square tails of 2e-4 and 5e-5).
GATE = 9.0
GATE_A_NUMBER = 4.0
COARSE_SIGMAS = 6.0
# What an object may do beyond its prediction: half of these accelerations times the time squared.
THRUST_REACH_M_S2 = 80.0
FREE_REACH_M_S2 = 15.0
COARSE_MARGIN_M = 500.0
MOST_GAIN = 300.0  # ln of the greatest odds, and of the smallest: their products stay within float64
PASSES = 100  # of belief propagation at most; it converges (theorem 2 there)


@jit
def _near(
    x: Floats,
    P: Floats,
    mu: Floats,
    dt: float,
    position: Floats,
    axes: Floats,
    measured: Floats,
    variance: Floats,
) -> bool:
    """A quick look whether a plot can be of a track at all."""
    best = np.argmax(mu)
    r = math.sqrt(x[best, 0] ** 2 + x[best, 1] ** 2 + x[best, 2] ** 2)
    pull = 0.0 if best != BALLISTIC and best != THRUST else 3.986e14 / (r * r * r)
    spread_r, spread_v = 0.0, 0.0
    for i in range(3):
        spread_r += P[best, i, i]
        spread_v += P[best, 3 + i, 3 + i]
    reach = THRUST_REACH_M_S2 if mu[THRUST] > 0.01 else FREE_REACH_M_S2
    tolerance = COARSE_SIGMAS * math.sqrt(spread_r + spread_v * dt * dt) + reach * dt * dt + COARSE_MARGIN_M
    along = 0.0
    size = 0.0
    d = np.empty(3)
    for i in range(3):
        d[i] = x[best, i] + x[best, 3 + i] * dt - 0.5 * pull * x[best, i] * dt * dt - position[i]
        along += d[i] * axes[0, i]
        size += d[i] * d[i]
    if not math.isnan(variance[1]):  # both angles are measured
        if along <= 0.0:
            return False
        off = math.sqrt(max(size - along * along, 0.0))
        angle = math.sqrt(max(variance[0], variance[1]))
        if off > tolerance + COARSE_SIGMAS * angle * along:
            return False
    if math.isnan(measured[0]):
        return True
    return abs(math.sqrt(size) - float(measured[0])) <= tolerance + COARSE_SIGMAS * math.sqrt(variance[2])


@jit
def pairs(
    x: Floats,
    P: Floats,
    mu: Floats,
    track_time_s: Floats,
    busy: Ints,
    fallen: Ints,
    time_s: Floats,
    position: Floats,
    axes: Floats,
    measured: Floats,
    variance: Floats,
    stated_detection: float,
    heat: bool,
) -> tuple[Ints, Ints, Floats]:
    """Gated pairs of n tracks and m plots: indices of track and plot, and ln of detection times likelihood.

    x (n, 3, 9), P (n, 3, 9, 9), mu (n, 3), track_time_s (n,), busy (n,) 1 where a track takes no plot,
    fallen (n,) 1 where it was once too fast or too high for an aircraft;
    the rest as rows of `sensors.models.Looks`.
    """
    n, m = len(x), len(time_s)
    tracks, plots, logs = np.empty(n * m, np.int64), np.empty(n * m, np.int64), np.empty(n * m)
    count = 0
    for i in range(n):
        if busy[i]:
            continue
        for j in range(m):
            dt = time_s[j] - track_time_s[i]
            if not _near(x[i], P[i], mu[i], dt, position[j], axes[j], measured[j], variance[j]):
                continue
            _, _, _, log_likelihood, nis = take_plot(
                x[i],
                P[i],
                mu[i],
                dt,
                position[j],
                axes[j],
                measured[j],
                variance[j],
                stated_detection,
                heat,
                fallen[i] == 1,
            )
            numbers = 0.0
            for q in range(4):
                if not math.isnan(variance[j, q]) and (q < 2 or not math.isnan(measured[j, q - 2])):
                    numbers += 1.0
            if nis * numbers < GATE + GATE_A_NUMBER * numbers:
                tracks[count], plots[count], logs[count] = i, j, log_likelihood
                count += 1
    return tracks[:count], plots[:count], logs[:count]


@jit
def _others(group: Ints, value: Floats) -> Floats:
    """Sum (k,) of the values of the other members of each one's group.

    By sums from either end: a sum over all less one's own loses the others beside odds of e36 and more.
    """
    out = np.zeros(len(value))
    if len(value) == 0:
        return out
    sums = np.zeros((2, group.max() + 1))
    for k in range(len(value)):
        out[k] += sums[0, group[k]]
        sums[0, group[k]] += value[k]
    for k in range(len(value) - 1, -1, -1):
        out[k] += sums[1, group[k]]
        sums[1, group[k]] += value[k]
    return out


def marginals(track: Ints, plot: Ints, gain: Floats) -> Floats:
    """Probability (k,) of each gated pair, given that a plot has one origin and a track one plot.

    gain (k,): ln of the odds of the pair against a missed track and a false plot.
    """
    weight = np.exp(np.clip(gain, -MOST_GAIN, MOST_GAIN))
    to_track = np.ones(len(weight))
    for _ in range(PASSES):
        to_plot = weight / (1.0 + _others(track, weight * to_track))
        following = 1.0 / (1.0 + _others(plot, to_plot))
        change = float(np.abs(following - to_track).max(initial=0.0))
        to_track = following
        if change < 1e-4:
            break
    product = weight * to_track
    return product / (1.0 + product + _others(track, product))
