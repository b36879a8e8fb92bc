"""Which hypothesis of which track is right: how probably, given that a plot has one origin.

A track has hypotheses, each with its own weight: the product of what its own plots and misses say, against the track
not being an object at all. Two tracks' hypotheses exclude each other where they claim the same plot. The probability of
each is found by belief propagation over all tracks and all claimed plots at once, the latest plot of every sensor:
Williams and Lau 2014 (IEEE TAES 50, 2942-2959) for the plots of one scan, and 2018 (IEEE Trans. Signal Processing
66, 5081-5096, "Multiple scan data association by convex variational inference") for those of several.
"""

from __future__ import annotations

import math

import numpy as np

from tocsin.kernel import jit
from tocsin.sensors.plots import Floats, Ints

MOST_GAIN = 300.0  # ln of the greatest odds, and of the smallest: their products stay within float64
PASSES = 100  # of belief propagation at most
DAMPING = 0.3  # share of the old message that is kept: plots of several sensors make loops
CONVERGED = 1e-4  # change of ln of a message
MOST_EXACT = 12  # partners, up to which pairs are weighed exactly


@jit
def shared_plots(owner: Ints, claims: Ints) -> Ints:
    """Claims (h, s) with plots numbered from 0 that two tracks or more claim, and -1 for all others.

    owner (h,): the track of each hypothesis, in order. claims (h, s): plots that it says are its own, -1: none.
    """
    count, width = claims.shape
    out = np.full((count, width), -1)
    flat = claims.copy().reshape(count * width)
    order = np.argsort(flat, kind="mergesort")
    number = 0
    k = 0
    while k < len(order):
        end = k
        several = False
        while end < len(order) and flat[order[end]] == flat[order[k]]:
            if owner[order[end] // width] != owner[order[k] // width]:
                several = True
            end += 1
        if several and flat[order[k]] >= 0:
            for i in range(k, end):
                out[order[i] // width, order[i] % width] = number
            number += 1
        k = end
    return out


@jit
def beliefs(first: Ints, log_weight: Floats, claims: Ints) -> Floats:
    """Probability (h,) of each hypothesis.

    first (n + 1,): where the hypotheses of each of n tracks begin. log_weight (h,): ln of the odds of each against
    the track being none. claims (h, s): as from `shared_plots`.
    """
    tracks, count = len(first) - 1, len(log_weight)
    width = claims.shape[1]
    weight = np.exp(np.minimum(np.maximum(log_weight, -MOST_GAIN), MOST_GAIN))
    plots = claims.max() + 1 if count > 0 and width > 0 else 0
    # messages live on edges: a track and a plot that one of its hypotheses claims
    edge = np.full((count, width), -1)
    edge_track, edge_plot = np.empty(count * width, np.int64), np.empty(count * width, np.int64)
    edge_first = np.zeros(tracks + 1, np.int64)
    edges = 0
    mine = np.full(plots, -1)
    for i in range(tracks):
        begin = edges
        for h in range(first[i], first[i + 1]):
            for s in range(width):
                f = claims[h, s]
                if f < 0:
                    continue
                if mine[f] < begin:
                    mine[f] = edges
                    edge_track[edges], edge_plot[edges] = i, f
                    edges += 1
                edge[h, s] = mine[f]
        edge_first[i + 1] = edges
    order = np.argsort(edge_plot[:edges], kind="mergesort")
    to_track, to_plot = np.ones(edges), np.zeros(edges)
    value = weight.copy()
    for _ in range(PASSES if edges > 0 else 0):
        for i in range(tracks):
            if edge_first[i] == edge_first[i + 1]:
                continue
            for h in range(first[i], first[i + 1]):
                v = weight[h]
                for s in range(width):
                    if edge[h, s] >= 0:
                        v *= to_track[edge[h, s]]
                value[h] = v
            for e in range(edge_first[i], edge_first[i + 1]):
                with_it, without = 0.0, 1.0
                for h in range(first[i], first[i + 1]):
                    inside = False
                    for s in range(width):
                        if edge[h, s] == e:
                            inside = True
                    if inside:
                        with_it += value[h]
                    else:
                        without += value[h]
                to_plot[e] = with_it / (max(to_track[e], 1e-300) * without)
        change = 0.0
        k = 0
        while k < edges:
            end = k
            while end < edges and edge_plot[order[end]] == edge_plot[order[k]]:
                end += 1
            for a in range(k, end):
                others = 0.0  # summed over the others alone: a difference would lose them beside great odds
                for b in range(k, end):
                    if b != a:
                        others += to_plot[order[b]]
                e = order[a]
                new = to_track[e] ** DAMPING * (1.0 + others) ** (DAMPING - 1.0)
                change = max(change, abs(math.log(new / to_track[e])))
                to_track[e] = new
            k = end
        if change < CONVERGED:
            break
    out = np.empty(count)
    for i in range(tracks):
        total = 1.0
        for h in range(first[i], first[i + 1]):
            v = weight[h]
            for s in range(width):
                if edge[h, s] >= 0:
                    v *= to_track[edge[h, s]]
            out[h] = v
            total += v
        for h in range(first[i], first[i + 1]):
            out[h] /= total
    return out


@jit
def pair_beliefs(log_weight: Floats) -> Floats:
    """Probability (n, m) of each pair of two sets of things, of which each has at most one partner.

    log_weight (n, m): ln of the odds of a pair against none, -inf where it cannot be; m at most MOST_EXACT. Exact: sums
    over all matchings, by the sets of second things that the first ones have taken (2^m of them).
    """
    n, m = log_weight.shape
    sets = 1 << m
    weight, alone = np.zeros((n, m)), np.ones(n)
    for i in range(n):  # a row may be scaled as a whole
        top = max(log_weight[i].max(), 0.0)
        alone[i] = math.exp(-top)
        for j in range(m):
            weight[i, j] = math.exp(log_weight[i, j] - top)
    ahead, behind = np.zeros((n + 1, sets)), np.zeros((n + 1, sets))
    ahead[0, 0] = 1.0
    for i in range(n):  # ahead[i, S]: the first i have just the partners S
        for s in range(sets):
            if ahead[i, s] == 0.0:
                continue
            ahead[i + 1, s] += alone[i] * ahead[i, s]
            for j in range(m):
                if s & (1 << j) == 0:
                    ahead[i + 1, s | (1 << j)] += weight[i, j] * ahead[i, s]
    behind[n] = 1.0
    for i in range(n - 1, -1, -1):  # behind[i, S]: all from i on, with partners outside S
        for s in range(sets):
            total = alone[i] * behind[i + 1, s]
            for j in range(m):
                if s & (1 << j) == 0:
                    total += weight[i, j] * behind[i + 1, s | (1 << j)]
            behind[i, s] = total
    out = np.zeros((n, m))
    for i in range(n):
        for s in range(sets):
            if ahead[i, s] > 0.0:
                for j in range(m):
                    if s & (1 << j) == 0:
                        out[i, j] += ahead[i, s] * weight[i, j] * behind[i + 1, s | (1 << j)]
    for i in range(n):
        for j in range(m):
            out[i, j] /= behind[0, 0]
    return out


@jit
def best_together(first: Ints, belief: Floats, claims: Ints) -> Ints:
    """One hypothesis (n,) of each track, the likeliest first, so that no two claim the same plot where that can be.

    claims (h, s): as from `shared_plots`.
    """
    tracks = len(first) - 1
    chosen = np.full(tracks, -1)
    owner = np.empty(len(belief), np.int64)
    for i in range(tracks):
        owner[first[i] : first[i + 1]] = i
    taken = np.zeros(claims.max() + 1 if claims.size > 0 else 0, np.int64)
    for h in np.argsort(-belief, kind="mergesort"):
        i = owner[h]
        free = chosen[i] < 0
        for s in range(claims.shape[1]):
            if claims[h, s] >= 0 and taken[claims[h, s]] == 1:
                free = False
        if free:
            chosen[i] = h
            for s in range(claims.shape[1]):
                if claims[h, s] >= 0:
                    taken[claims[h, s]] = 1
    for i in range(tracks):
        if chosen[i] < 0:
            best = first[i]
            for h in range(first[i], first[i + 1]):
                if belief[h] > belief[best]:
                    best = h
            chosen[i] = best
    return chosen
