"""The life of a track: when it is shown and what is reported, how it lives on unseen, when it ends."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tocsin.earth.ellipsoid import height_m
from tocsin.earth.motion import BALLISTIC, LEVEL, THRUST
from tocsin.sensors.plots import Floats
from tocsin.tracking import imm, modes
from tocsin.tracking.tracks import Track, TrackRow, track_name
from tocsin.units import STANDARD_GRAVITY_M_S2

REENTRY_DRAG_M_S2 = 0.1 * STANDARD_GRAVITY_M_S2  # from here on a falling body is said to re-enter

SHOWN_EXISTENCE = 0.9
FEWEST_HITS = 3  # plots of a track before it is shown

ENDED_EXISTENCE = 0.2
DROPPED_EXISTENCE = 0.02
# A shown track gives a row at least this often (the contract asks for 10 s), and up to ROWS_TOGETHER_S
# earlier where other tracks' rows are due: so that many tracks make few steps.
FORECAST_ROW_S = 8.0
ROWS_TOGETHER_S = 2.0
LEVEL_MEMORY_S = 45.0  # an aircraft not seen for so long is gone
TENTATIVE_MEMORY_S = 30.0
LONGEST_MEMORY_S = 600.0
WIDEST_SIGMA_M = 60e3  # a track that is known no better than this is no track
# A track that is not seen is shown while it is worth more than none: while its expected squared error
# is below half of the square of the distance (10 km) beyond which it counts as false (Rahmathullah,
# Garcia-Fernandez and Svensson 2017, the GOSPA metric).
WIDEST_UNSEEN_M = 7e3
UNSEEN_S = 15.0
TWIN_DISTANCE2 = 12.0  # squared sigmas (of six) within which two tracks may be one object's
TWIN_SIGMAS = 5.0  # of position, beyond which two tracks are not looked at
FASTEST_M_S = 9e3  # that two tracks may have flown apart between their times
TWIN_HITS = 8  # plots that both together have taken before that is asked


def next_row_s(tracks: Sequence[Track]) -> float:
    """When the next row of a shown track is due even if nothing is seen of it; infinite where none is."""
    return min((max(t.row_s, t.time_s) + FORECAST_ROW_S for t in tracks if t.shown), default=math.inf)


def tidy(tracks: Sequence[Track], now_s: float, scanned: bool) -> tuple[list[Track], list[TrackRow]]:
    """The tracks that live on at a time, and rows of those that end or have long given none.

    scanned: tracks have changed by a scan since the last time, so that two may now be one object's.
    """
    rows: list[TrackRow] = []
    alive: list[Track] = []
    drop = twins(tracks) if scanned else set()
    for t in tracks:
        idle_s = now_s - t.hit_s
        following = t
        if t.shown and now_s >= max(t.row_s, t.time_s) + FORECAST_ROW_S - ROWS_TOGETHER_S:
            x, P, mu = imm.forecast(t.x, t.P, t.mu, now_s - t.time_s, t.fallen)
            following = t._replace(x=x, P=P, mu=mu, time_s=now_s, row_s=now_s)
        if t.number in drop or _over(following, idle_s):  # its last row lies above the ground
            if t.shown and t.time_s > t.row_s:
                rows.append(row_of(t, True))
            continue
        if following is not t:
            rows.append(row_of(following, False))
        alive.append(following)
    return alive, rows


def _over(t: Track, idle_s: float) -> bool:
    """Whether a track that took its last plot idle_s ago has ended."""
    best = int(np.argmax(t.mu))
    x = t.x[best]
    sigma_m = math.sqrt(max(float(np.trace(t.P[best, :3, :3])), 0.0))
    return (
        t.existence < (ENDED_EXISTENCE if t.shown else DROPPED_EXISTENCE)
        or idle_s > (LEVEL_MEMORY_S if t.mu[LEVEL] > 0.5 else LONGEST_MEMORY_S)
        or (not t.shown and idle_s > TENTATIVE_MEMORY_S)
        or sigma_m > (WIDEST_UNSEEN_M if idle_s > UNSEEN_S else WIDEST_SIGMA_M)
        or (height_m(x[0], x[1], x[2]) < 0.0 and float(x[:3] @ x[3:6]) < 0.0)
    )


def twins(tracks: Sequence[Track]) -> set[int]:
    """Tracks to drop because another one follows the same object.

    Two tracks are one object's where they lie within their errors of each other and never took plots
    of the same scan: two objects would have.
    """
    drop: set[int] = set()
    if len(tracks) < 2:
        return drop
    best = [int(np.argmax(t.mu)) for t in tracks]
    x = np.stack([t.x[b, :6] for t, b in zip(tracks, best, strict=True)])
    sigma = np.array(
        [math.sqrt(max(float(np.trace(t.P[b, :3, :3])), 0.0)) for t, b in zip(tracks, best, strict=True)]
    )
    time_s = np.array([t.time_s for t in tracks])
    for i in range(len(tracks) - 1):
        gap = np.abs(x[i + 1 :, :3] - x[i, :3]).max(1)
        near = gap < TWIN_SIGMAS * (sigma[i] + sigma[i + 1 :]) + FASTEST_M_S * np.abs(
            time_s[i + 1 :] - time_s[i]
        )
        for k in (np.flatnonzero(near) + i + 1).tolist():
            s, t = tracks[i], tracks[k]
            if s.number in drop or t.number in drop or set(s.recent) & set(t.recent):
                continue
            if min(s.hits, t.hits) < 2 or s.hits + t.hits < TWIN_HITS:
                continue
            early, late = (s, t) if s.time_s <= t.time_s else (t, s)
            xe, Pe, me = imm.forecast(early.x, early.P, early.mu, late.time_s - early.time_s, early.fallen)
            m1, P1 = imm.combine(xe, Pe, me)
            m2, P2 = imm.combine(late.x, late.P, late.mu)
            d = m1 - m2
            if squared_distance(d, P1 + P2) < TWIN_DISTANCE2:
                weaker = min((s, t), key=lambda q: (q.hits, -q.number))
                drop.add(weaker.number)
    return drop


def phase(t: Track) -> str:
    """The phase of a track, in the words of the results contract."""
    if t.mu[LEVEL] > 0.5 or (t.orbit and t.mu[THRUST] < 0.5):
        return "other"
    if t.mu[THRUST] > 0.5:
        return "boost"
    return "reentry" if modes.drag_m_s2(t.x[BALLISTIC]) > REENTRY_DRAG_M_S2 else "coast"


def row_of(t: Track, last: bool) -> TrackRow:
    """The row that reports a track as it stands."""
    mean, covariance = imm.combine(t.x, t.P, t.mu)
    parent = track_name(t.parent) if t.parent else None
    return TrackRow(t.time_s, track_name(t.number), parent, phase(t), t.existence, mean, covariance, last)


def shown(t: Track) -> Track:
    """The track, shown from now on if it has earned it."""
    if not t.shown and t.hits >= FEWEST_HITS and t.existence > SHOWN_EXISTENCE:
        return t._replace(shown=True)
    return t


def squared_distance(d: Floats, covariance: Floats) -> float:
    """Squared distance in sigmas of a difference (6,) of two states; infinite where it makes no sense.

    A metre and a centimetre a second on top keep a covariance that has lost its rank invertible.
    """
    total = covariance + np.diag([1.0] * 3 + [1e-4] * 3)
    if not np.isfinite(total).all():
        return float("inf")
    return float(d @ np.linalg.solve(total, d))
