"""The life of a track: what is reported of it, how it lives on unseen, when it ends."""

from __future__ import annotations

import math
from itertools import repeat

import numpy as np

from tocsin.earth.ellipsoid import up_and_height
from tocsin.earth.motion import BALLISTIC, LEVEL, THRUST
from tocsin.kernel import jit
from tocsin.sensors.plots import Floats, Ints
from tocsin.tracking import imm, modes, steady
from tocsin.tracking.tracks import MOST_EXISTENCE, PHASES, Bools, States, Table, Track, TrackRow, track_name
from tocsin.units import STANDARD_GRAVITY_M_S2

BOOST, COAST, REENTRY, OTHER = range(4)  # places in PHASES
REENTRY_DRAG_M_S2 = 0.1 * STANDARD_GRAVITY_M_S2  # from here on a falling body is said to re-enter

ENDED_EXISTENCE = 0.2
DROPPED_EXISTENCE = 0.02
LEVEL_MEMORY_S = 45.0  # an aircraft not seen for so long is gone
TENTATIVE_MEMORY_S = 30.0
LONGEST_MEMORY_S = 600.0
# A track that is known no better than this takes no plots; its object may be found again, by a track that begins where
# it may have gone, while it is known better than that.
WIDEST_SIGMA_M = 60e3
WIDEST_LOST_M = 300e3
WIDEST_ANGLES_M = 1e6  # but one under thrust, seen again and again by one infrared sensor alone, goes on
# A track is shown while it is worth more than none: while its expected squared error is below half of the square of
# the distance (10 km) beyond which it counts as false (Rahmathullah, Garcia-Fernandez and Svensson 2017, the GOSPA
# metric); one that is not seen ends there.
WIDEST_SHOWN_M = 7e3
UNSEEN_S = 15.0
LOWEST_ORBIT2_M2 = 6.5e6**2  # from the centre of the Earth: what is farther away lies above the ground
FOUND_DISTANCE2 = 30.0  # squared sigmas (of six) within which a new track is one that was lost
TWIN_DISTANCE2 = 12.0  # squared sigmas (of six) within which two tracks may be one object's
TWIN_SIGMAS = 5.0  # of position, beyond which two tracks are not looked at
FASTEST_M_S = 9e3  # that two tracks may have flown apart between their times
MOST_OF_RIVALS = 1.2  # existence of both together, of two tracks that claim one plot and are taken for one
TWIN_HITS = 8  # plots that both together have taken before that is asked


@jit
def _sigma_m(mode: int, x: Floats, P: Floats, dt: float) -> float:
    """Root of the summed variances of position (m), of a mode (9,), (9, 9) dt seconds later.

    Thrust that may end at any time is not known at all: its whole way counts.
    """
    variance = 0.0
    for k in range(3):
        variance += P[k, k] + dt * (2.0 * P[k, 3 + k] + dt * P[3 + k, 3 + k])
        if mode == THRUST:
            variance += 0.25 * dt**4 * (P[6 + k, 6 + k] + x[6 + k] ** 2) + modes.JERK_M2_S5 * dt**5 / 20.0
    return math.sqrt(max(variance, 0.0))


@jit
def _over(
    now_s: float, time_s: Floats, x: Floats, P: Floats, mu: Floats, existence: Floats, hit_s: Floats, shown: Bools,
) -> Bools:  # fmt: skip
    """Which tracks (n,) have ended."""
    out = np.zeros(len(time_s), np.bool_)
    for i in range(len(time_s)):
        j = int(np.argmax(mu[i]))
        s = x[i, j]
        dt = max(now_s - time_s[i], 0.0)
        idle_s = now_s - hit_s[i]
        r = math.sqrt(s[0] * s[0] + s[1] * s[1] + s[2] * s[2])
        pull = 0.0 if j == LEVEL else 0.5 * STANDARD_GRAVITY_M_S2 * dt * dt
        reach2, climb = 0.0, 0.0
        there = np.empty(3)
        for k in range(3):
            there[k] = s[k] * (1.0 - pull / r) + s[3 + k] * dt
            climb += there[k] * s[3 + k]
            reach2 += there[k] * there[k]
        sigma_m = _sigma_m(j, s, P[i, j], dt)
        low = False
        if reach2 < LOWEST_ORBIT2_M2 and climb < 0.0:
            low = up_and_height(there[0], there[1], there[2])[4] < 0.0
        out[i] = (
            existence[i] < (ENDED_EXISTENCE if shown[i] else DROPPED_EXISTENCE)
            or idle_s > (LEVEL_MEMORY_S if mu[i, LEVEL] > 0.5 else LONGEST_MEMORY_S)
            or (not shown[i] and idle_s > TENTATIVE_MEMORY_S)
            or (not shown[i] and idle_s > UNSEEN_S and sigma_m > WIDEST_SHOWN_M)
            or sigma_m > (WIDEST_ANGLES_M if mu[i, THRUST] > 0.5 and idle_s < UNSEEN_S else WIDEST_LOST_M)
            or low
        )
    return out


@jit
def _sigmas_m(now_s: float, time_s: Floats, x: Floats, P: Floats, mu: Floats) -> Floats:
    out = np.empty(len(time_s))
    for i in range(len(time_s)):
        j = int(np.argmax(mu[i]))
        out[i] = _sigma_m(j, x[i, j], P[i, j], max(now_s - time_s[i], 0.0))
    return out


@jit
def rows_apart_s(
    now_s: float, time_s: Floats, x: Floats, mu: Floats, least_s: float, most_s: float, stray_m: float
) -> Floats:
    """In what times (n,) free flight in vacuum would stray so far from tracks, between least_s and most_s."""
    out = np.full(len(time_s), most_s)
    s = np.empty(modes.SIZE)
    for i in range(len(time_s)):
        j = int(np.argmax(mu[i]))
        if j == LEVEL:
            continue
        dt = max(now_s - time_s[i], 0.0)
        s[:] = x[i, j]
        r = math.sqrt(s[0] * s[0] + s[1] * s[1] + s[2] * s[2])
        for k in range(3):
            s[k] += s[3 + k] * dt - 0.5 * STANDARD_GRAVITY_M_S2 * dt * dt * s[k] / r
        strong = math.sqrt(s[6] ** 2 + s[7] ** 2 + s[8] ** 2) if j == THRUST else modes.drag_m_s2(s)
        out[i] = min(max(math.sqrt(2.0 * stray_m / (strong + 1e-9)), least_s), most_s)
    return out


def sharp(table: Table, h: States, now_s: float) -> Bools:
    """Which tracks (n,) are worth to be reported at a time."""
    return np.asarray(_sigmas_m(now_s, h.time_s, h.x, h.P, h.mu) < WIDEST_SHOWN_M)


def lost(table: Table, h: States, now_s: float) -> Bools:
    """Which tracks (n,) have not been seen for so long that any plot may be theirs."""
    wide = _sigmas_m(now_s, h.time_s, h.x, h.P, h.mu) > WIDEST_SIGMA_M
    return np.asarray(wide & (now_s - table.hit_s > UNSEEN_S))


def found_again(
    time_s: float, x: Floats, P: Floats, A: Floats, mu: Floats, table: Table, h: States, gone: Bools,
    offset_P: Floats,
) -> int:  # fmt: skip
    """The row of a lost track, gone (n,), whose object a new one, of modes x to mu, may be; -1 where it is none's."""
    best, nearest = -1, FOUND_DISTANCE2
    if mu[LEVEL] > 0.5:
        return best
    m2, P2 = imm.combine(x, P, A, mu, offset_P)
    for i in np.flatnonzero(gone & table.shown).tolist():
        dt = max(time_s - float(h.time_s[i]), 0.0)
        m1, P1 = imm.combine(*imm.forecast(h.x[i], h.P[i], h.A[i], h.mu[i], dt, True), offset_P)
        distance = squared_distance(m1 - m2, P1 + P2)
        if distance < nearest:
            best, nearest = i, distance
    return best


def over(table: Table, h: States, now_s: float) -> Bools:
    """Which tracks have ended by a time."""
    ended = _over(now_s, h.time_s, h.x, h.P, h.mu, table.existence, table.hit_s, table.shown)
    if table.steady.any():
        orbits = steady.over(table, h, now_s, WIDEST_LOST_M, ENDED_EXISTENCE)
        ended = np.where(steady.still(table, h), orbits, ended)
    return np.asarray(ended)


@jit
def _close(at: Floats, sigma: Floats, time_s: Floats) -> tuple[Ints, Ints]:
    """Pairs of tracks (k,) that lie near each other: position (n, 3), its sigma (n,), when (n,)."""
    n = len(at)
    first, second = np.empty(n + 16, np.int64), np.empty(n + 16, np.int64)
    k = 0
    if n == 0:
        return first[:0], second[:0]
    # each has its own reach, and two are not farther apart than both of these
    own = TWIN_SIGMAS * sigma + FASTEST_M_S * (time_s.max() - time_s) + 1.0
    low, high = at[:, 0] - own, at[:, 0] + own
    order = np.argsort(low, kind="mergesort")
    for a in range(n):
        i = order[a]
        for b in range(a + 1, n):
            j = order[b]
            if low[j] > high[i]:
                break
            reach = TWIN_SIGMAS * (sigma[i] + sigma[j]) + FASTEST_M_S * abs(time_s[i] - time_s[j])
            if (
                abs(at[j, 0] - at[i, 0]) < reach
                and abs(at[j, 1] - at[i, 1]) < reach
                and abs(at[j, 2] - at[i, 2]) < reach
            ):
                if k == len(first):
                    first, second = np.concatenate((first, first)), np.concatenate((second, second))
                first[k], second[k] = min(i, j), max(i, j)
                k += 1
    return first[:k], second[:k]


@jit
def _may_be_twins(
    first: Ints, second: Ints, hits: Ints, only: Ints, claims: Ints, recent: Ints, scan_of: int
) -> tuple[Bools, Bools]:
    """Which pairs of tracks (k,) may be one object's by what they took, and which of them claim one plot."""
    may, rivals = np.zeros(len(first), np.bool_), np.zeros(len(first), np.bool_)
    for k in range(len(first)):
        a, b = first[k], second[k]
        if min(hits[a], hits[b]) < 2 or hits[a] + hits[b] < TWIN_HITS:
            continue
        if only[a] != only[b] and only[a] >= 0 and only[b] >= 0:
            continue
        for s in range(claims.shape[1]):
            if claims[a, s] == claims[b, s] and claims[a, s] >= 0:
                rivals[k] = True
        may[k] = True
        if not rivals[k]:
            for mine in recent[a]:
                for theirs in recent[b]:
                    if mine >= 0 and theirs >= 0 and mine // scan_of == theirs // scan_of:
                        may[k] = False
    return may, rivals


def twins(
    table: Table, h: States, offset_P: Floats, scan_of: int, now_s: float, asked: Bools
) -> tuple[Bools, Floats]:
    """Tracks (n,) to drop because another one follows the same object, and the existence (n,) of all without them.

    Two tracks are one object's where they lie within their errors of each other and never took plots
    of the same scan: two objects would have; or where they claim one plot, and are but one together. scan_of: the scan
    of a plot is its number over this.
    """
    drop, existence = np.zeros(len(table.number), np.bool_), table.existence
    if len(drop) < 2:
        return drop, existence
    existence = existence.copy()
    mode = h.mu.argmax(1)
    each = np.arange(len(mode))
    at = h.x[each, mode, :3]
    variance = sum(h.P[each, mode, k, k] for k in range(3))
    sigma = np.sqrt(np.maximum(variance, 0.0))
    known = np.flatnonzero(asked & ~lost(table, h, now_s))
    first, second = _close(np.ascontiguousarray(at[known]), sigma[known], h.time_s[known])
    first, second = known[first], known[second]
    may, claim_one = _may_be_twins(first, second, table.hits, table.only, h.claims, h.recent, scan_of)
    first, second, claim_one = first[may], second[may], claim_one[may]
    for k in np.lexsort((second, first)).tolist():
        a, b, rivals = int(first[k]), int(second[k]), bool(claim_one[k])
        if drop[a] or drop[b] or (rivals and existence[a] + existence[b] > MOST_OF_RIVALS):
            continue
        e, g = (a, b) if h.time_s[a] <= h.time_s[b] else (b, a)
        dt = float(h.time_s[g] - h.time_s[e])
        m1, P1 = imm.combine(
            *imm.forecast(h.x[e], h.P[e], h.A[e], h.mu[e], dt, bool(table.fallen[e])), offset_P
        )
        m2, P2 = imm.combine(h.x[g], h.P[g], h.A[g], h.mu[g], offset_P)
        if squared_distance(m1 - m2, P1 + P2) < TWIN_DISTANCE2:
            weaker = min((a, b), key=lambda q: (table.shown[q], table.hits[q], -table.number[q]))
            drop[weaker] = True
            if rivals:
                stronger = a if weaker == b else b
                existence[stronger] = min(float(existence[a] + existence[b]), MOST_EXISTENCE)
    return drop, existence


def track_at(table: Table, h: States, i: int, offset_P: Floats, at_s: float | None = None) -> Track:
    """Row i of the table; at_s: at that time, where it is later than the track's own."""
    time_s, fallen = float(h.time_s[i]), bool(table.fallen[i])
    x, P, A, mu = h.x[i].copy(), h.P[i].copy(), h.A[i].copy(), h.mu[i].copy()
    if at_s is not None and at_s > time_s and table.steady[i] and mu[BALLISTIC] > 0.5:
        steady.coast(x[BALLISTIC], P[BALLISTIC], A[BALLISTIC], at_s - time_s, steady.STEADY_M2_S3)
        time_s, mu = at_s, np.eye(modes.MODES)[BALLISTIC]
    elif at_s is not None and at_s > time_s:
        x, P, A, mu = imm.forecast(x, P, A, mu, at_s - time_s, fallen)
        time_s = at_s
    if len(offset_P):
        P = P + np.einsum("jkb,bc,jmc->jkm", A, offset_P, A)
    return Track(
        int(table.number[i]), int(table.parent[i]), time_s, x, P, mu, float(table.existence[i]),
        int(table.hits[i]), bool(table.shown[i]), bool(table.orbit[i]), fallen,
        bool(table.parent[i] > 0 or ((table.family == table.family[i]) & table.shown).sum() > 1),
        bool(table.burst[i]), bool(table.meteor[i]),
    )  # fmt: skip


@jit
def _phase(x: Floats, mu: Floats, orbit: bool) -> int:
    """The place in PHASES of what modes x (3, 9) of probabilities mu (3,) do."""
    if mu[LEVEL] > 0.5 or (orbit and mu[THRUST] < 0.5):
        return OTHER
    if mu[THRUST] > 0.5:
        return BOOST
    return REENTRY if modes.drag_m_s2(x[BALLISTIC]) > REENTRY_DRAG_M_S2 else COAST


def phase_of(t: Track) -> str:
    """The phase of a track."""
    return PHASES[_phase(t.x, t.mu, t.orbit)]


def row_of(t: Track, last: bool) -> TrackRow:
    """The row that reports a track as it stands."""
    mean, covariance = imm.combine(t.x, t.P, NO_A, t.mu, NO_OFFSETS)
    parent = track_name(t.parent) if t.parent else None
    return TrackRow(t.time_s, track_name(t.number), parent, phase_of(t), t.existence, mean, covariance, last)


@jit
def _as_one(
    x: Floats, P: Floats, A: Floats, mu: Floats, orbit: Bools, rows: Ints, offset_P: Floats
) -> tuple[Floats, Floats, Ints]:
    """Mean (n, 6), covariance (n, 6, 6) and phase (n,) of tracks, rows (n,) of x to orbit."""
    n = len(rows)
    mean, covariance, phase = np.empty((n, 6)), np.empty((n, 6, 6)), np.empty(n, np.int64)
    for k in range(n):
        h = rows[k]
        imm.combine_into(x[h], P[h], A[h], mu[h], offset_P, mean[k], covariance[k])
        phase[k] = _phase(x[h], mu[h], orbit[h])
    return mean, covariance, phase


def rows_of(table: Table, h: States, which: Ints, offset_P: Floats) -> list[TrackRow]:
    """The rows that report some tracks, which (k,) rows of the table, as they stand."""
    mean, covariance, phase = _as_one(h.x, h.P, h.A, h.mu, table.orbit, which, offset_P)
    parents = table.parent[which].tolist()
    columns = zip(
        h.time_s[which].tolist(),
        [track_name(n) for n in table.number[which].tolist()],
        [track_name(p) if p else None for p in parents],
        [PHASES[p] for p in phase.tolist()],
        table.existence[which].tolist(),
        mean,
        covariance,
        repeat(False, len(which)),
        strict=True,
    )
    return list(map(TrackRow._make, columns))


NO_A, NO_OFFSETS = np.zeros((modes.MODES, modes.SIZE, 0)), np.zeros((0, 0))


def squared_distance(d: Floats, covariance: Floats) -> float:
    """Squared distance in sigmas of a difference (6,) of two states; infinite where it makes no sense.

    A metre and a centimetre a second on top keep a covariance that has lost its rank invertible.
    """
    total = covariance + np.diag([1.0] * 3 + [1e-4] * 3)
    if not np.isfinite(total).all():
        return float("inf")
    return float(d @ np.linalg.solve(total, d))
