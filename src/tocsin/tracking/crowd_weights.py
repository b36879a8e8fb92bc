"""What plots are worth to the bodies of a crowd (`crowd`): the sums of what they say, weighed in compiled loops."""

from __future__ import annotations

import math

import numpy as np

from tocsin.kernel import jit
from tocsin.sensors.plots import Floats, Ints
from tocsin.tracking.tracks import MOST_EXISTENCE, Bools

MOST_ODDS = math.log(MOST_EXISTENCE / (1.0 - MOST_EXISTENCE))
# Two bodies are one to a sensor that finds less than so many of its sigmas between them in all that it measures, until
# bodies nearer than that give two plots: as in the sample recordings (benchmarks/resolution.py).
CELL_SIGMAS = 4.5
SEEN_ODDS = 3.0  # that a plot adds to the odds of what was missing: a little more than a miss at 0.9 takes
# What a plot would say of another body, which it may be of, counts so many times as noise: from scan to scan it is the
# same body's, and does not average out.
DOUBT = 4.0


@jit
def value_of(Y: Floats, y: Floats, L: Floats) -> float:
    """y' Y^-1 y / 2 - ln |Y| / 2; fills L (7, 6) with the Cholesky factor and its solution."""
    total = 0.0
    for i in range(6):
        for j in range(i + 1):
            s = Y[i, j]
            for k in range(j):
                s -= L[i, k] * L[j, k]
            if i == j:
                if s <= 0.0:
                    return -np.inf
                L[i, i] = math.sqrt(s)
                total -= math.log(L[i, i])
            else:
                L[i, j] = s / L[j, j]
        z = y[i]
        for k in range(i):
            z -= L[i, k] * L[6, k]
        L[6, i] = z / L[i, i]
        total += 0.5 * L[6, i] * L[6, i]
    return total


@jit
def told_by(W: Floats, r: Floats, share: Floats) -> tuple[Floats, Floats]:
    """What plots say of deviations: information (N, 6, 6) and vector (N, 6), of W (N, 4, 6), r and share (N, 4)."""
    N = len(W)
    B, b = np.zeros((N, 6, 6)), np.zeros((N, 6))
    for n in range(N):
        for q in range(4):
            for i in range(6):
                w = W[n, q, i] * share[n, q]
                b[n, i] += w * r[n, q]
                for j in range(6):
                    B[n, i, j] += w * W[n, q, j]
    return B, b


@jit
def summed(
    member: Ints, B: Floats, b: Floats, prior_info: Floats, prior_vector: Floats
) -> tuple[Floats, Floats]:
    """Information (K, 6, 6) and vector (K, 6) of all bodies with their plots."""
    Y, y = prior_info.copy(), prior_vector.copy()
    for n in range(len(member)):
        k = member[n]
        if k >= 0:
            Y[k] += B[n]
            y[k] += b[n]
    return Y, y


@jit
def weigh(
    rows: Ints, member: Ints, B: Floats, b: Floats, net: Floats, Y: Floats, y: Floats, miss: Floats
) -> Floats:
    """What each plot of a scan, rows (m,), is worth to each body (K, m), all of them taken from it before."""
    K, m = len(Y), len(rows)
    out, L = np.empty((K, m)), np.zeros((7, 6))
    S, s = np.empty((6, 6)), np.empty(6)
    for k in range(K):
        S[:, :], s[:] = Y[k], y[k]
        for j in range(m):
            if member[rows[j]] == k:
                S -= B[rows[j]]
                s -= b[rows[j]]
        without = value_of(S, s, L)
        for j in range(m):
            n = rows[j]
            out[k, j] = value_of(S + B[n], s + b[n], L) - without + net[n] - miss[k]
    return out


@jit
def grow(
    seed: int, free: Ints, scan: Ints, B: Floats, b: Floats, net: Floats, Y: Floats, y: Floats, miss: Floats,
) -> tuple[Ints, float]:  # fmt: skip
    """Plots, of free ones (ascending), that make a body with one of the last scan, and the gain; miss (S,)."""
    L = np.zeros((7, 6))
    begin = value_of(Y, y, L)
    S, s = Y + B[seed], y + b[seed]
    now = value_of(S, s, L)
    gain = now - begin + net[seed]
    best_gain, kept = gain, 1
    taken, count = np.empty(len(free) + 1, np.int64), 1
    taken[0] = seed
    at = scan[seed]
    n = len(free) - 1
    while n >= 0:
        this = scan[free[n]]
        if this >= scan[seed]:
            n -= 1
            continue
        for missed in range(this + 1, at):
            gain += miss[missed]
        at = this
        best, value = -1, miss[this]
        while n >= 0 and scan[free[n]] == this:
            j = free[n]
            v = value_of(S + B[j], s + b[j], L) - now + net[j]
            if v > value:
                best, value = j, v
            n -= 1
        gain += value
        if best >= 0:
            S += B[best]
            s += b[best]
            now = value_of(S, s, L)
            taken[count] = best
            count += 1
            if gain > best_gain:
                best_gain, kept = gain, count
    return taken[:kept], best_gain


@jit
def _share(apart: float, variance: float) -> float:
    """Probability that a normal distance lies within 1 on both sides."""
    s = math.sqrt(2.0 * max(variance, 1e-12))
    return 0.5 * (math.erf((1.0 - apart) / s) + math.erf((1.0 + apart) / s))


@jit
def unseen(
    first_scan: int, member: Ints, scan: Ints, cell: Floats, finer: Floats, chance: Floats, mean: Floats, P: Floats,
    miss: Floats,
) -> None:  # fmt: skip
    """Fill miss (S, K) from a scan on: no plot, or hidden in another's."""
    K = len(mean)
    S = len(chance)
    own = np.zeros((S, K), np.bool_)
    for n in range(len(member)):
        if member[n] >= 0:
            own[scan[n], member[n]] = True
    value, variance, one = np.empty((K, 4)), np.empty((K, 4)), np.zeros((K, K))
    for s in range(first_scan, S):
        for k in range(K):
            for q in range(4):
                value[k, q] = 0.0
                variance[k, q] = 0.0
                for i in range(6):
                    value[k, q] += cell[s, q, i] * mean[k, i]
                    for j in range(6):
                        variance[k, q] += cell[s, q, i] * P[k, i, j] * cell[s, q, j]
                value[k, q] *= finer[s]
                variance[k, q] *= finer[s] * finer[s]
        for k in range(K):
            for j in range(k):
                p = 1.0
                for q in range(4):
                    p *= _share(abs(value[k, q] - value[j, q]), variance[k, q] + variance[j, q])
                one[k, j], one[j, k] = p, p
        for via in range(K):  # chains of bodies are one, too
            for k in range(K):
                for j in range(K):
                    if k != j:
                        one[k, j] = max(one[k, j], one[k, via] * one[via, j])
        for k in range(K):
            hidden = 0.0
            for j in range(K):
                if j != k and own[s, j]:
                    hidden = max(hidden, one[k, j])
            miss[s, k] = math.log1p(-chance[s] * (1.0 - hidden))


@jit
def forgotten(own: Bools, miss: Floats, begin: Ints) -> Floats:
    """ln of the most odds (K,) of what misses plots of late: own, miss (S, K), begin (K,) its first scan."""
    S, K = own.shape
    out = np.full(K, MOST_ODDS)
    for k in range(K):
        for s in range(begin[k], S):
            out[k] = min(out[k] + (SEEN_ODDS if own[s, k] else miss[s, k]), MOST_ODDS)
    return out


@jit
def doubts(
    first_scan: int, first: Ints, member: Ints, W: Floats, B: Floats, b: Floats, net: Floats, Y: Floats, y: Floats,
    miss: Floats, mean: Floats, share: Floats,
) -> None:  # fmt: skip
    """Fill share (N, 4), of the plots from a scan on: variances grow by what the plot would say of other bodies.

    first (S + 1,): the first plot of each scan; mean (K, 6).
    """
    K = len(mean)
    apart = np.empty(4)
    plot_of = np.empty(K, np.int64)
    for s in range(first_scan, len(first) - 1):
        rows = np.arange(first[s], first[s + 1])
        if len(rows) == 0:
            continue
        gain = weigh(rows, member, B, b, net, Y, y, miss[s])
        plot_of[:] = -1
        for m in range(len(rows)):
            if member[rows[m]] >= 0:
                plot_of[member[rows[m]]] = m
        for m in range(len(rows)):
            n = rows[m]
            k = member[n]
            share[n] = 1.0
            if k < 0:
                continue
            spread = np.zeros(4)
            for j in range(K):
                if j == k:
                    continue
                inside = True
                for q in range(4):
                    apart[q] = 0.0
                    for i in range(6):
                        apart[q] += W[n, q, i] * (mean[k, i] - mean[j, i])
                    inside = inside and abs(apart[q]) < CELL_SIGMAS
                if plot_of[j] < 0:
                    p = 1.0 / (1.0 + math.exp(min(gain[k, m] - gain[j, m], 50.0)))
                    if inside:
                        p = max(p, 0.25)
                else:
                    other = gain[j, m] - gain[k, m] + max(gain[k, plot_of[j]], 0.0) - gain[j, plot_of[j]]
                    p = 1.0 / (1.0 + math.exp(min(-other, 50.0)))
                for q in range(4):
                    spread[q] += p * apart[q] * apart[q]
            for q in range(4):
                share[n, q] = 1.0 / (1.0 + DOUBT * spread[q])
