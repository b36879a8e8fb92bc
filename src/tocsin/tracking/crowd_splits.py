"""Whether a body of a crowd (`crowd`) is two, or none: tried with all plots shared out anew, in compiled loops.

A body may have the plots of two, those of one sensor of the one and those of another of the other: their ranges fit,
and no move of plots between the bodies that are known finds the one that is missing. So bodies are split by sensor, all
plots are shared out anew about that, and the choice is kept where all plots together are likelier. The way back is
tried as well: a body is taken away that has few plots.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from tocsin.kernel import jit
from tocsin.sensors.plots import Floats, Ints
from tocsin.tracking.crowd_swaps import solution
from tocsin.tracking.crowd_weights import unseen, value_of
from tocsin.tracking.tracks import Bools

BEGUN, FINALISTS = 6, 3  # splits that are tried, by what they gain at once; and of these, followed to the end
FEW_PLOTS = 0.7  # of the scans that may have shown it: a body with fewer may be none
SWEEPS = 4  # at most, there and back
SLACK = 5.0  # of what a plot may be worth, as misses change with a body's first plot
# Bodies nearer than a cell give one plot. To choose whose it is fits noise, which costs ln of 1 less this for each that
# goes without: without it more bodies than there are share plots in turn (decision 0028).
HIDDEN = 0.2


class Plots(NamedTuple):
    """What the plots of a crowd say, N of S scans, given the offsets."""

    sensor: Ints  # (S,)
    first: Ints  # (S + 1,) the first plot of each scan
    scan: Ints  # (N,)
    B: Floats  # (N, 6, 6)
    b: Floats  # (N, 6)
    net: Floats  # (N,) ln of the likelihood over the density of false plots, but for what the body adds
    most: Floats  # (N,) the most that it may be with any body
    along: Floats  # (N, 6) row of the range, in sigmas
    range: Floats  # (N,) and what was measured less that of the reference
    cell: Floats  # (S, 4, 6) rows of what is measured, in cells
    finer: Floats  # (S,) how much finer the cells are
    chance: Floats  # (S,) probability of a plot


@jit
def best_owners(gain: Floats) -> Ints:
    """The body (m,) of each plot, -1: none, with the greatest sum of gains (K, m); no gain below zero counts.

    The shortest augmenting paths of the assignment problem (Jonker and Volgenant 1987, Computing 38, 325-340).
    """
    K, m = gain.shape
    owner = np.full(m, -1)
    taken = np.zeros(K, np.bool_)
    clear = True
    for j in range(m):  # most often each plot has a best body of its own
        best = -1
        for k in range(K):
            if gain[k, j] > 0.0 and (best < 0 or gain[k, j] > gain[best, j]):
                best = k
        if best >= 0:
            clear = clear and not taken[best]
            taken[best] = True
            owner[j] = best
    if clear:
        return owner
    columns = K + m  # a plot may be nobody's: a column of its own, without gain
    u, v = np.zeros(m + 1), np.zeros(columns + 1)
    row, way = np.zeros(columns + 1, np.int64), np.zeros(columns + 1, np.int64)
    for i in range(1, m + 1):
        row[0], at = i, 0
        least = np.full(columns + 1, np.inf)
        used = np.zeros(columns + 1, np.bool_)
        while True:
            used[at] = True
            here, step, following = row[at], np.inf, 0
            for j in range(1, columns + 1):
                if used[j]:
                    continue
                cost = -max(gain[j - 1, here - 1], 0.0) if j <= K else 0.0
                cost -= u[here] + v[j]
                if cost < least[j]:
                    least[j], way[j] = cost, at
                if least[j] < step:
                    step, following = least[j], j
            for j in range(columns + 1):
                if used[j]:
                    u[row[j]] += step
                    v[j] -= step
                else:
                    least[j] -= step
            at = following
            if row[at] == 0:
                break
        while at != 0:
            row[at] = row[way[at]]
            at = way[at]
    owner[:] = -1
    for k in range(K):
        i = row[k + 1] - 1
        if i >= 0 and gain[k, i] > 0.0:
            owner[i] = k
    return owner


@jit
def shared_out(
    scans: Ints, plots: Plots, member: Ints, Y: Floats, y: Floats, cost: Floats, begin: Ints, gone: Bools, gain: Floats,
    fresh: Bools,
) -> int:  # fmt: skip
    """Plots of some scans shared out anew, each scan given all others; how many went to another body.

    member (N,), Y (K, 6, 6), y (K, 6) and begin (K,) are changed; cost (S, K): ln of the probability of no plot; bodies
    that are gone (K,) get none. gain (N, K): what plots are worth to bodies, where fresh (S, K) says so; the others are
    found, and kept in it.
    """
    K, moved = len(Y), 0
    B, b, first = plots.B, plots.b, plots.first
    since = np.zeros((len(cost) + 1, K))
    for s in range(len(cost)):
        since[s + 1] = since[s] + cost[s]
    L, M, Z, z, t = np.zeros((7, 6)), np.zeros((7, 6)), np.empty((6, 6)), np.empty(6), np.empty(6)
    for s in scans:
        m = first[s + 1] - first[s]
        if m == 0 or fresh[s].all():
            continue
        table = np.empty((K, m))
        for k in range(K):
            # before its first plot nothing is missing; an earlier one must be worth those that then are
            missed = cost[s, k] if begin[k] <= s else since[s + 1, k] - since[max(begin[k], s + 1), k]
            if not fresh[s, k]:
                fresh[s, k] = True
                Z[:, :], z[:] = Y[k], y[k]
                for n in range(first[s], first[s + 1]):
                    if member[n] == k:
                        Z -= B[n]
                        z -= b[n]
                without = value_of(Z, z, L)
                for n in range(first[s], first[s + 1]):
                    gain[n, k] = -np.inf
                    if gone[k]:
                        continue
                    off, spread = plots.range[n], 1.0
                    for i in range(6):
                        t[i] = plots.along[n, i]
                        for j in range(i):
                            t[i] -= L[i, j] * t[j]
                        t[i] /= L[i, i]
                        off -= t[i] * L[6, i]
                        spread += t[i] * t[i]
                    if plots.most[n] - 0.5 * off * off / spread > missed - SLACK:
                        gain[n, k] = value_of(Z + B[n], z + b[n], M) - without + plots.net[n]
            for j in range(m):
                table[k, j] = gain[first[s] + j, k] - missed
        owner = best_owners(table)
        for j in range(m):
            n = first[s] + j
            old, new = member[n], owner[j]
            if old == new:
                continue
            moved += 1
            if old >= 0:
                Y[old] -= B[n]
                y[old] -= b[n]
                fresh[:s, old] = False
                fresh[s + 1 :, old] = False
            if new >= 0:
                Y[new] += B[n]
                y[new] += b[n]
                fresh[:s, new] = False
                fresh[s + 1 :, new] = False
                begin[new] = min(begin[new], s)
            member[n] = new
    return moved


@jit
def _costs(miss: Floats, chance: Floats, cost: Floats) -> None:
    """Fill cost (S, K): miss, and what it takes to choose whose a plot is that is of several."""
    S, K = miss.shape
    for s in range(S):
        for k in range(K):
            hidden = 0.0
            if chance[s] > 0.0:
                hidden = min(max(1.0 - (1.0 - math.exp(miss[s, k])) / chance[s], 0.0), 1.0)
            cost[s, k] = miss[s, k] + math.log1p(-HIDDEN * hidden)


@jit
def _begun_by(member: Ints, scan: Ints, old: Bools, S: int) -> Ints:
    """The scan (K,) with the first plot of each body, S where it has none, 0 of old ones (K,)."""
    begin = np.full(len(old), S)
    for n in range(len(member)):
        k = member[n]
        if k >= 0:
            begin[k] = min(begin[k], scan[n])
    for k in range(len(old)):
        if old[k]:
            begin[k] = 0
    return begin


@jit
def likelihood(
    plots: Plots, member: Ints, Y: Floats, y: Floats, cost: Floats, begin: Ints, gone: Bools, before: Floats
) -> float:
    """ln of how likely all plots are by a choice of theirs; before (K,): what is known of a body without its plots."""
    S, K = cost.shape
    own = np.zeros((S, K), np.bool_)
    total, L = 0.0, np.zeros((7, 6))
    for n in range(len(member)):
        if member[n] >= 0:
            own[plots.scan[n], member[n]] = True
            total += plots.net[n]
    for k in range(K):
        if gone[k]:
            continue
        total += value_of(Y[k], y[k], L) + before[k]
        for s in range(begin[k], S):
            if not own[s, k]:
                total += cost[s, k]
    return total


@jit
def _known(Y: Floats, y: Floats, mean: Floats, P: Floats) -> None:
    """Fill mean (K, 6) and P (K, 6, 6)."""
    L, e = np.zeros((7, 6)), np.zeros(6)
    for k in range(len(Y)):
        for c in range(7):
            for i in range(6):
                e[i] = y[k, i] if c == 6 else (1.0 if i == c else 0.0)
            value_of(Y[k], e, L)
            solution(L, e)
            if c < 6:
                P[k, :, c] = e
            else:
                mean[k] = e


@jit
def settled(
    sweeps: int, plots: Plots, member: Ints, Y: Floats, y: Floats, miss: Floats, old: Bools, gone: Bools,
    before: Floats, gain: Floats, fresh: Bools, least: float,
) -> float:  # fmt: skip
    """Share all plots out anew until that gains no more than least, and return the likelihood (`likelihood`).

    member, Y, y, miss (S, K), gain and fresh are changed, as by `shared_out`.
    """
    S, K = miss.shape
    scans = np.arange(S)
    mean, P = np.empty((K, 6)), np.empty((K, 6, 6))
    cost = np.empty((S, K))
    most = -np.inf
    for _ in range(sweeps):
        begin = _begun_by(member, plots.scan, old, S)
        _costs(miss, plots.chance, cost)
        moved = shared_out(scans[::-1], plots, member, Y, y, cost, begin, gone, gain, fresh)
        moved += shared_out(scans, plots, member, Y, y, cost, begin, gone, gain, fresh)
        _known(Y, y, mean, P)
        unseen(0, member, plots.scan, plots.cell, plots.finer, plots.chance, mean, P, miss)
        _costs(miss, plots.chance, cost)
        value = likelihood(plots, member, Y, y, cost, _begun_by(member, plots.scan, old, S), gone, before)
        if moved == 0 or value < most + least:
            return max(value, most)
        most = value
    return most


@jit
def split(
    sensors: Ints, plots: Plots, member: Ints, Y: Floats, y: Floats, miss: Floats, old: Bools, before: Floats,
    least: float, left: Bools,
) -> float:  # fmt: skip
    """Split the body, or take away that, for which that gains most: return by how much all plots are likelier.

    The last of the bodies is the new one, without plots so far. member (N,), Y, y, miss (S, K) and left (K,), which
    bodies there are then, are changed.
    """
    S, K = miss.shape
    N, L = len(member), np.zeros((7, 6))
    gain, fresh = np.empty((N, K)), np.zeros((S, K), np.bool_)
    left[:] = True
    left[K - 1] = False
    cost = np.empty((S, K))
    _costs(miss, plots.chance, cost)
    now = likelihood(plots, member, Y, y, cost, _begun_by(member, plots.scan, old, S), ~left, before)
    best = settled(SWEEPS, plots, member, Y, y, miss, old, ~left, before, gain, fresh, least) - now
    begin = _begun_by(member, plots.scan, old, S)
    _costs(miss, plots.chance, cost)
    shared_out(np.arange(S), plots, member, Y, y, cost, begin, ~left, gain, fresh)  # all gains are found

    # what each split gains at once
    many = (K - 1) * len(sensors)
    tail, v = np.zeros((many, 6, 6)), np.zeros((many, 6))
    count = np.zeros(many, np.int64)
    for n in range(N):
        if member[n] >= 0:
            at = member[n] * len(sensors) + np.searchsorted(sensors, plots.sensor[plots.scan[n]])
            tail[at] += plots.B[n]
            v[at] += plots.b[n]
            count[at] += 1
    shown = count.reshape((K - 1, len(sensors))).sum(axis=1)
    at_once = np.full(many, -np.inf)
    for at in range(many):
        k = at // len(sensors)
        if 0 < count[at] < shown[k]:
            at_once[at] = value_of(Y[k] - tail[at], y[k] - v[at], L) - value_of(Y[k], y[k], L)
            at_once[at] += value_of(Y[K - 1] + tail[at], y[K - 1] + v[at], L)
    may_show = np.array([plots.chance[begin[k] :].sum() for k in range(K - 1)])
    few = np.flatnonzero(shown < FEW_PLOTS * may_show)
    likely = np.argsort(-at_once)[:BEGUN]
    likely = likely[at_once[likely] > -np.inf]

    tries = len(likely) + len(few)
    value = np.empty(tries)
    members = np.empty((tries, N), np.int64)
    misses, infos, vectors = np.empty((tries, S, K)), np.empty((tries, K, 6, 6)), np.empty((tries, K, 6))
    lefts = np.ones((tries, K), np.bool_)
    for i in range(tries):
        members[i], misses[i], infos[i], vectors[i] = member, miss, Y, y
        if i < len(likely):
            k, which = likely[i] // len(sensors), sensors[likely[i] % len(sensors)]
            infos[i, k] -= tail[likely[i]]
            vectors[i, k] -= v[likely[i]]
            infos[i, K - 1] += tail[likely[i]]
            vectors[i, K - 1] += v[likely[i]]
        else:
            k, which = few[i - len(likely)], -1
            lefts[i, k], lefts[i, K - 1] = False, False
        for n in range(N):
            if member[n] == k and (which < 0 or plots.sensor[plots.scan[n]] == which):
                members[i, n] = -1 if which < 0 else K - 1
        new, of = gain.copy(), fresh.copy()
        of[:, k], of[:, K - 1] = False, False
        value[i] = settled(
            1, plots, members[i], infos[i], vectors[i], misses[i], old, ~lefts[i], before, new, of, least
        )
    for i in np.argsort(-value)[:FINALISTS]:
        new, of = gain.copy(), np.zeros((S, K), np.bool_)
        there = settled(
            SWEEPS, plots, members[i], infos[i], vectors[i], misses[i], old, ~lefts[i], before, new, of, least
        )
        if there - now > best + least:
            best = there - now
            member[:], miss[:], left[:] = members[i], misses[i], lefts[i]
            Y[:], y[:] = infos[i], vectors[i]
    return best
