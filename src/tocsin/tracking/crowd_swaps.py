"""What it is worth if bodies of a crowd (`crowd`) swap plots, in compiled loops."""

from __future__ import annotations

import math

import numpy as np

from tocsin.kernel import jit
from tocsin.sensors.plots import Floats, Ints
from tocsin.tracking.crowd_weights import value_of
from tocsin.tracking.tracks import Bools

SWAPPED = -4.0  # ln of the odds of a swap below which it is no doubt (one in fifty)
OTHER_M = 1500.0  # that a swap in doubt adds to what is not known of a place, at most


@jit
def plots_of(S: int, K: int, member: Ints, scan: Ints) -> Ints:
    """The plot (S, K) of each scan that a body has, -1: none."""
    out = np.full((S, K), -1)
    for n in range(len(member)):
        if member[n] >= 0:
            out[scan[n], member[n]] = n
    return out


@jit
def _missing(
    a: int, c: int, cut: int, which: int, sensor: Ints, plot_of: Ints, miss: Floats, old: Bools
) -> float:
    """ln of the probability of all that is missing of a body, a, if it has what another, c, had since a scan."""
    begun, total = old[a], 0.0
    for s in range(len(sensor)):
        k = c if s >= cut and (which < 0 or sensor[s] == which) else a
        if plot_of[s, k] >= 0:
            begun = True
        elif begun:
            total += miss[s, k]
    return total


@jit
def _turn(n: int, sign: float, B: Floats, b: Floats, tail: Floats, v: Floats) -> None:
    """Add a plot, if there is one (n; -1: none), to what goes over from one body to the other, or take it away."""
    if n >= 0:
        for i in range(6):
            v[i] += sign * b[n, i]
            for j in range(6):
                tail[i, j] += sign * B[n, i, j]


@jit
def _swaps(
    a: int, c: int, which: int, sensor: Ints, plot_of: Ints, B: Floats, b: Floats, Y: Floats, y: Floats, miss: Floats,
    old: Bools,
) -> tuple[float, int]:  # fmt: skip
    """The best scan from which two bodies, a and c, swap their plots of a sensor (which; -1: of all), and its gain."""
    L, S = np.zeros((7, 6)), len(sensor)
    tail, v = np.zeros((6, 6)), np.zeros(6)
    now = value_of(Y[a], y[a], L) + value_of(Y[c], y[c], L)
    missing = _missing(a, a, S, which, sensor, plot_of, miss, old) + _missing(
        c, c, S, which, sensor, plot_of, miss, old
    )
    best, cut = SWAPPED, -1
    for s in range(S - 1, -1, -1):
        m, n = plot_of[s, a], plot_of[s, c]
        if (m < 0 and n < 0) or (which >= 0 and sensor[s] != which):
            continue
        _turn(n, 1.0, B, b, tail, v)
        _turn(m, -1.0, B, b, tail, v)
        gain = value_of(Y[a] + tail, y[a] + v, L) + value_of(Y[c] - tail, y[c] - v, L) - now
        if gain > best:
            gain += _missing(a, c, s, which, sensor, plot_of, miss, old) - missing
            gain += _missing(c, a, s, which, sensor, plot_of, miss, old)
            if gain > best:
                best, cut = gain, s
    return best, cut


@jit
def links(
    cuts: Ints, which: int, sensor: Ints, plot_of: Ints, B: Floats, b: Floats, Y: Floats, y: Floats
) -> Floats:
    """What each body (row) with what each had since a scan (column) is worth (c, K, K); cuts (c,) descend."""
    K, L = len(Y), np.zeros((7, 6))
    out = np.empty((len(cuts), K, K))
    tail, v = np.zeros((K, 6, 6)), np.zeros((K, 6))
    s = len(sensor) - 1
    for c in range(len(cuts)):
        while s >= cuts[c]:
            if which < 0 or sensor[s] == which:
                for k in range(K):
                    if plot_of[s, k] >= 0:
                        tail[k] += B[plot_of[s, k]]
                        v[k] += b[plot_of[s, k]]
            s -= 1
        for k in range(K):
            head, h = Y[k] - tail[k], y[k] - v[k]
            for j in range(K):
                out[c, k, j] = value_of(head + tail[j], h + v[j], L)
    return out


@jit
def best_swaps(
    sensors: Ints, sensor: Ints, plot_of: Ints, B: Floats, b: Floats, Y: Floats, y: Floats, miss: Floats, old: Bools,
    asked: Bools, gain: Floats, cut: Ints, of: Ints,
) -> None:  # fmt: skip
    """Fill gain, scan and sensor (K, K) of the best swap of every two bodies that are asked for (K, K)."""
    K = len(Y)
    for a in range(K):
        for c in range(a + 1, K):
            if not asked[a, c]:
                continue
            gain[a, c], cut[a, c], of[a, c] = -np.inf, -1, -1
            for q in range(len(sensors)):
                value, at = _swaps(a, c, sensors[q], sensor, plot_of, B, b, Y, y, miss, old)
                if at >= 0 and value > gain[a, c]:
                    gain[a, c], cut[a, c], of[a, c] = value, at, sensors[q]


@jit
def solution(L: Floats, out: Floats) -> None:
    """Fill out (6,) with Y^-1 y, of the factor L (7, 6) that `value_of` left."""
    for i in range(5, -1, -1):
        t = L[6, i]
        for k in range(i + 1, 6):
            t -= L[k, i] * out[k]
        out[i] = t / L[i, i]


@jit
def _moved(d: Floats, Y: Floats) -> float:
    total = 0.0
    for i in range(6):
        for j in range(6):
            total += d[i] * Y[i, j] * d[j]
    return total


@jit
def others(
    F: Floats, near: Bools, sensors: Ints, sensor: Ints, plot_of: Ints, B: Floats, b: Floats, Y: Floats, y: Floats,
    miss: Floats, old: Bools,
) -> Floats:  # fmt: skip
    """Spread (K, 6, 6) of the deviations of bodies by swaps that may be right as well.

    Of the swaps of two bodies the one counts that matters most: its odds times the squared sigmas by which it would
    move the body.
    """
    K, S = len(Y), len(sensor)
    out = np.zeros((K, 6, 6))
    L, M = np.zeros((7, 6)), np.zeros((7, 6))
    here, there, delta, other = np.empty((K, 6)), np.empty((2, 6)), np.empty((2, 6)), np.empty((2, 6))
    value = np.empty(K)
    for k in range(K):
        value[k] = value_of(Y[k], y[k], L)
        solution(L, here[k])
    for a in range(K):
        for c in range(a + 1, K):
            if not near[a, c]:
                continue
            missing = _missing(a, a, S, -1, sensor, plot_of, miss, old) + _missing(
                c, c, S, -1, sensor, plot_of, miss, old
            )
            worst, kept = np.zeros(2), np.zeros((2, 6))
            for q in range(len(sensors)):
                which = sensors[q]
                tail, v = np.zeros((6, 6)), np.zeros(6)
                for s in range(S - 1, -1, -1):
                    m, n = plot_of[s, a], plot_of[s, c]
                    if (m < 0 and n < 0) or (which >= 0 and sensor[s] != which):
                        continue
                    _turn(n, 1.0, B, b, tail, v)
                    _turn(m, -1.0, B, b, tail, v)
                    gain = (
                        value_of(Y[a] + tail, y[a] + v, L)
                        + value_of(Y[c] - tail, y[c] - v, M)
                        - value[a]
                        - value[c]
                    )
                    if not SWAPPED < gain < np.inf:
                        continue
                    solution(L, there[0])
                    solution(M, there[1])
                    # which of the two goes on as which: as they lie nearer to what they were
                    size, turned = np.zeros(2), np.zeros(2)
                    for i in range(6):
                        delta[0, i], delta[1, i] = there[0, i] - here[a, i], there[1, i] - here[c, i]
                    size[0], size[1] = _moved(delta[0], Y[a]), _moved(delta[1], Y[c])
                    for i in range(6):
                        other[0, i], other[1, i] = there[1, i] - here[a, i], there[0, i] - here[c, i]
                    turned[0], turned[1] = _moved(other[0], Y[a]), _moved(other[1], Y[c])
                    if turned[0] + turned[1] < size[0] + size[1]:
                        size[:], delta[:, :] = turned, other
                    gain = min(gain, 0.0)
                    if math.exp(gain) * max(size[0], size[1]) < max(worst[0], worst[1]):
                        continue
                    gain += _missing(a, c, s, which, sensor, plot_of, miss, old) - missing
                    gain += _missing(c, a, s, which, sensor, plot_of, miss, old)
                    w = 1.0 / (1.0 + math.exp(min(max(-gain, 0.0), 50.0)))
                    for z in range(2):
                        if w * size[z] > worst[z]:
                            worst[z] = w * size[z]
                            for i in range(6):
                                kept[z, i] = math.sqrt(w) * delta[z, i]
            for z in range(2):
                size2 = 0.0
                for i in range(3):
                    way = 0.0
                    for j in range(6):
                        way += F[i, j] * kept[z, j]
                    size2 += way * way
                if size2 > OTHER_M * OTHER_M:
                    kept[z] *= OTHER_M / math.sqrt(size2)
            for i in range(6):
                for j in range(6):
                    out[a, i, j] += kept[0, i] * kept[0, j]
                    out[c, i, j] += kept[1, i] * kept[1, j]
    return out
