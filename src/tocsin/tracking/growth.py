"""How the hypotheses of tracks branch over the plots of a scan, and which of them live on."""

from __future__ import annotations

import math

import numpy as np

from tocsin.earth.ellipsoid import up_and_height
from tocsin.kernel import jit
from tocsin.sensors.coverage import in_view
from tocsin.sensors.plots import Floats, Ints
from tocsin.tracking.imm import forecast, miss
from tocsin.tracking.modes import MODES, SIZE

MOST_HYPOTHESES = 12  # of a track
LEAST_BELIEF = 2e-3  # of a hypothesis, as a share of its track's
# Two hypotheses of a track are one where their states lie so near: squared distance in sigmas of both, of six numbers.
ALIKE = 0.5
MOST_LOG_ODDS = math.log(1e4)  # of a track: so it can be given up again


@jit
def branches(
    first: Ints, time_s: Floats, x: Floats, mu: Floats, log_weight: Floats, claims: Ints,
    mine: Ints, theirs: Ints, gain: Floats, plot_number: Ints, sensor: int, idle: Ints,
    scan_s: float, position: Floats, local: Floats, field: Floats, stated_detection: float, heat: bool,
) -> tuple[Ints, Ints, Ints, Floats, Ints, Floats]:  # fmt: skip
    """Every hypothesis after the scan: without a plot, and with each of its plots.

    first to claims as in `tracks.Hypotheses`; mine, theirs, gain (k,): pairs of hypothesis and plot, in order of
    hypothesis, with ln of their odds against a false plot. plot_number (m,): names of the plots. idle (n,): 1 where a
    track is not asked. position to field: of the sensor, see `coverage.in_view`.
    Returns where those of each track begin (n + 1,), the hypothesis that each comes from (c,), its pair or -1 (c,), ln
    of its weight (c,), its claims (c, sensors), the mode probabilities of a miss (h, 3).
    """
    count, tracks, pairs = len(time_s), len(first) - 1, len(mine)
    total = count + pairs
    begin = np.zeros(tracks + 1, np.int64)
    source, pair = np.empty(total, np.int64), np.empty(total, np.int64)
    weight, claimed = np.empty(total), np.empty((total, claims.shape[1]), np.int64)
    missed = np.empty((count, MODES))
    there = np.empty(3)
    c, p = 0, 0
    for i in range(tracks):
        for h in range(first[i], first[i + 1]):
            best = np.argmax(mu[h])
            for k in range(3):
                there[k] = x[h, best, k] + x[h, best, 3 + k] * (scan_s - time_s[h])
            missed[h] = mu[h]
            chance = 0.0
            if idle[i] == 0 and in_view(there, position, local, field):
                chance = miss(x[h], mu[h], stated_detection, heat, missed[h])
            source[c], pair[c], claimed[c] = h, -1, claims[h]
            weight[c] = log_weight[h] + math.log1p(-min(chance, 1.0 - 1e-9))
            c += 1
            while p < pairs and mine[p] == h:
                source[c], pair[c], claimed[c] = h, p, claims[h]
                claimed[c, sensor] = plot_number[theirs[p]]
                weight[c] = log_weight[h] + gain[p]
                c += 1
                p += 1
        begin[i + 1] = c
    return begin, source, pair, weight, claimed, missed


@jit
def _alike(x: Floats, P: Floats, mu: Floats, other_x: Floats, other_P: Floats, other_mu: Floats) -> bool:
    """Whether two sets of modes of one time are hardly to be told apart."""
    best = np.argmax(mu)
    if np.argmax(other_mu) != best:
        return False
    d, far = np.empty(6), 0.0
    total = np.empty((6, 6))
    for k in range(6):
        d[k] = x[best, k] - other_x[best, k]
        v = P[best, k, k] + other_P[best, k, k]
        far = max(far, d[k] * d[k] / (v + 1e-6))
        for m in range(6):
            total[k, m] = P[best, k, m] + other_P[best, k, m]
    if far > ALIKE:
        return False
    scale = np.empty(6)
    for k in range(6):
        scale[k] = 1.0 / math.sqrt(total[k, k] + 1e-6)
    for k in range(6):
        for m in range(6):
            total[k, m] *= scale[k] * scale[m]
        total[k, k] += 1e-9
        d[k] *= scale[k]
    return bool((d * np.linalg.solve(total, d)).sum() < ALIKE)


@jit
def merge(
    x: Floats, P: Floats, A: Floats, mu: Floats, w: float,
    other_x: Floats, other_P: Floats, other_A: Floats, other_mu: Floats, v: float,
) -> None:  # fmt: skip
    """Merge a second set of modes, of weight v, into the first, of weight w, in place.

    Mode by mode, the mean and covariance of the mixture (Bar-Shalom and Li 1995, Multitarget-Multisensor Tracking,
    section 3.4).
    """
    for j in range(MODES):
        a, b = w * mu[j], v * other_mu[j]
        if b > 0.0 and a == 0.0:
            x[j], P[j], A[j] = other_x[j], other_P[j], other_A[j]
        elif b > 0.0:
            a, b = a / (a + b), b / (a + b)
            for k in range(SIZE):
                for m in range(SIZE):
                    d = (x[j, k] - other_x[j, k]) * (x[j, m] - other_x[j, m])
                    P[j, k, m] = a * P[j, k, m] + b * other_P[j, k, m] + a * b * d
            for k in range(SIZE):
                x[j, k] = a * x[j, k] + b * other_x[j, k]
                for c in range(A.shape[2]):
                    A[j, k, c] = a * A[j, k, c] + b * other_A[j, k, c]
    for j in range(MODES):
        mu[j] = (w * mu[j] + v * other_mu[j]) / (w + v)


@jit
def grow(
    begin: Ints, source: Ints, pair: Ints, weight: Floats, claimed: Ints, belief: Floats, missed: Floats,
    time_s: Floats, x: Floats, P: Floats, A: Floats, mu: Floats, claims: Ints, recent: Ints, fallen: Ints,
    theirs: Ints, new_x: Floats, new_P: Floats, new_A: Floats, new_mu: Floats,
    plot_time_s: Floats, plot_number: Ints, most: int, alike_all: bool,
) -> tuple[Ints, Floats, Floats, Floats, Floats, Floats, Floats, Ints, Ints, Floats]:  # fmt: skip
    """The hypotheses that live on, the likeliest of each track first.

    begin to claimed as from `branches`, belief (c,) of each; time_s to recent: the hypotheses before; theirs to new_mu:
    the pairs, their plots and states. most: of a track; alike_all: all of a track are merged into one.
    Returns the columns of `tracks.Hypotheses`, and the belief in each.
    """
    tracks, offsets, sensors = len(begin) - 1, A.shape[3], claims.shape[1]
    room = 0
    for i in range(tracks):
        room += min(begin[i + 1] - begin[i], most)
    first = np.zeros(tracks + 1, np.int64)
    out_time, out_x, out_P = (
        np.empty(room),
        np.empty((room, MODES, SIZE)),
        np.empty((room, MODES, SIZE, SIZE)),
    )
    out_A, out_mu, out_weight = (
        np.empty((room, MODES, SIZE, offsets)),
        np.empty((room, MODES)),
        np.empty(room),
    )
    out_claims, out_recent = np.empty((room, sensors), np.int64), np.empty((room, recent.shape[1]), np.int64)
    out_belief = np.zeros(room)
    k = 0
    for i in range(tracks):
        begin_k = k
        mine = belief[begin[i] : begin[i + 1]]
        order = np.argsort(-mine, kind="mergesort")
        sum_i = mine.sum()
        latest = -1e300
        kept = 0
        for o in order:
            c = begin[i] + o
            if kept > 0 and (kept >= most or mine[o] < LEAST_BELIEF * sum_i) and not alike_all:
                break
            if alike_all and kept > 0 and mine[o] < LEAST_BELIEF * sum_i:
                break
            t = time_s[source[c]]
            if pair[c] >= 0:
                t = max(t, plot_time_s[theirs[pair[c]]])
            latest = max(latest, t)
            kept += 1
        for o in order[:kept]:
            c = begin[i] + o
            h = source[c]
            t = time_s[h]
            if pair[c] >= 0:
                p = pair[c]
                t = max(t, plot_time_s[theirs[p]])
                cx, cP, cA, cmu = new_x[p], new_P[p], new_A[p], new_mu[p]
            else:
                cx, cP, cA, cmu = x[h], P[h], A[h], missed[h]
            if kept > 1 and latest > t:
                cx, cP, cA, cmu = forecast(cx, cP, cA, cmu, latest - t, fallen[i] == 1)
                t = latest
            same = -1
            for m in range(begin_k, k):
                if alike_all or _alike(out_x[m], out_P[m], out_mu[m], cx, cP, cmu):
                    same = m
                    break
            if same >= 0:
                merge(
                    out_x[same], out_P[same], out_A[same], out_mu[same], out_belief[same] + 1e-300,
                    cx, cP, cA, cmu, mine[o] + 1e-300,
                )  # fmt: skip
                top = max(out_weight[same], weight[c])
                out_weight[same] = top + math.log(
                    math.exp(out_weight[same] - top) + math.exp(weight[c] - top)
                )
                out_belief[same] += mine[o]
                continue
            out_time[k], out_x[k], out_P[k], out_A[k], out_mu[k] = t, cx, cP, cA, cmu
            out_weight[k], out_claims[k], out_belief[k] = weight[c], claimed[c], mine[o]
            out_recent[k] = recent[h]
            if pair[c] >= 0:
                out_recent[k, 1:] = recent[h, :-1]
                out_recent[k, 0] = plot_number[theirs[pair[c]]]
            k += 1
        top = out_weight[begin_k:k].max()
        whole = top + math.log(np.exp(out_weight[begin_k:k] - top).sum())
        if whole > MOST_LOG_ODDS:
            out_weight[begin_k:k] -= whole - MOST_LOG_ODDS
        first[i + 1] = k
    return (
        first, out_time[:k], out_x[:k], out_P[:k], out_A[:k], out_mu[:k], out_weight[:k], out_claims[:k],
        out_recent[:k], out_belief[:k],
    )  # fmt: skip


@jit
def heights(x: Floats, mu: Floats) -> Floats:
    """Height (m), (h,), of the likeliest mode of hypotheses."""
    height = np.empty(len(x))
    for h in range(len(x)):
        s = x[h, np.argmax(mu[h])]
        height[h] = up_and_height(s[0], s[1], s[2])[4]
    return height
