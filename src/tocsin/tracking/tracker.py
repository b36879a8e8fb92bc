"""The tracker: state and plots in, new state and rows of tracks out.

Plots are held until the scan that they belong to is over (a later scan of the same sensor has
begun, or its period has passed), then the scan is taken as a whole: association, update, misses,
separations, new tracks, ends. Nothing here reads a clock: time is what `step` is told.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from tocsin.sensors.models import Looks, looks
from tocsin.sensors.plots import Floats, Plots, Sensor
from tocsin.tracking import initiation
from tocsin.tracking.initiation import Pool
from tocsin.tracking.life import next_row_s, row_of, shown, tidy
from tocsin.tracking.separation import parent_of, separate
from tocsin.tracking.tracks import Key, Track, TrackRow
from tocsin.tracking.update import RECENT, Scan, take_scan

ROW_EVERY_S = 1.0  # a shown track gives at most one row in this time

# Plots that no track claims are kept for this many scans, those of cameras a little longer (they scan
# many times a second), and all for at most so long.
POOL_SCANS = 3.5
POOL_OPTICAL_S = 1.5
POOL_S = 28.0
DONE_SCANS_S = 60.0  # how long a scan is remembered, for doubles and late plots
SCAN_GRACE = 0.3  # of its period, after which a scan is over


class Waiting(NamedTuple):
    """The plots of a scan that is not over."""

    plots: tuple[Plots, ...]
    keys: frozenset[tuple[float, ...]]
    deadline_s: float


class TrackerState(NamedTuple):
    """All that the tracker knows."""

    sensors: tuple[Sensor, ...]
    tracks: tuple[Track, ...]
    waiting: Mapping[Key, Waiting]
    done: Mapping[Key, tuple[float, frozenset[tuple[float, ...]]]]
    pool: Pool
    noise_scale: Floats
    next_number: int
    now_s: float
    doubles: int


class Output(NamedTuple):
    """What a step brought: rows, and the tracks that changed."""

    rows: tuple[TrackRow, ...]
    changed: tuple[Track, ...]  # shown tracks that took a plot
    shown: tuple[Track, ...]  # all shown tracks


def start(sensors: tuple[Sensor, ...]) -> TrackerState:
    """A tracker that has seen nothing."""
    return TrackerState(sensors, (), {}, {}, initiation.empty_pool(), np.ones(len(sensors)), 1, -math.inf, 0)


def next_deadline(state: TrackerState) -> float:
    """When a scan is over or a row is due even if no plot comes; infinite where nothing is."""
    scans = min((w.deadline_s for w in state.waiting.values()), default=math.inf)
    return max(min(scans, next_row_s(state.tracks)), state.now_s)


def step(state: TrackerState, plots: Plots | None, now_s: float) -> tuple[TrackerState, Output | None]:
    """Take plots received by now_s, and finish the scans that are over by then.

    now_s never goes back. The output is None where no scan was over and no row was due.
    """
    if plots is not None:
        state = _wait(state, plots)
    state = state._replace(now_s=now_s)
    newest: dict[int, int] = {}
    for sensor, scan in state.waiting:
        newest[sensor] = max(newest.get(sensor, scan), scan)
    over = [
        (max(float(p.time_s.max()) for p in w.plots), key)
        for key, w in state.waiting.items()
        if now_s >= w.deadline_s or key[1] < newest[key[0]]
    ]
    if not over and now_s < next_row_s(state.tracks):
        return state, None
    rows: list[TrackRow] = []
    changed: set[int] = set()
    for _, key in sorted(over):
        state, new_rows, touched = _finish_scan(state, key)
        rows += new_rows
        changed |= touched
    alive, more = tidy(state.tracks, now_s, bool(over))
    state = state._replace(tracks=tuple(alive))
    visible = tuple(t for t in alive if t.shown)
    return state, Output((*rows, *more), tuple(t for t in visible if t.number in changed), visible)


def _wait(state: TrackerState, plots: Plots) -> TrackerState:
    """Lay plots by until their scans are over; leave out those that came before."""
    waiting = dict(state.waiting)
    doubles = state.doubles
    for i in range(plots.count):
        key = (int(plots.sensor[i]), int(plots.scan[i]))
        values = (float(plots.time_s[i]), *map(float, np.nan_to_num(plots.measured[i], nan=-1.0)))
        before = waiting.get(key)
        if (before is not None and values in before.keys) or (
            key in state.done and values in state.done[key][1]
        ):
            doubles += 1
            continue
        row = plots.rows(slice(i, i + 1))
        period = state.sensors[key[0]].scan_period_s
        deadline = float(row.received_s[0])
        if key not in state.done:  # the scan of a late plot is over already
            deadline = max(deadline, float(row.time_s[0]) + (1.0 + SCAN_GRACE) * period)
        if before is None:
            waiting[key] = Waiting((row,), frozenset([values]), deadline)
        else:  # the earliest counts, whichever came first
            waiting[key] = Waiting(
                (*before.plots, row), before.keys | {values}, min(before.deadline_s, deadline)
            )
    return state._replace(waiting=waiting, doubles=doubles)


def _finish_scan(state: TrackerState, key: Key) -> tuple[TrackerState, list[TrackRow], set[int]]:
    """Take one whole scan: new state, rows, and the numbers of the tracks that took a plot."""
    waiting = dict(state.waiting)
    held = waiting.pop(key)
    plots = Plots(*(np.concatenate(c) for c in zip(*held.plots, strict=True)))
    plots = plots.rows(np.lexsort((plots.measured[:, 1], plots.time_s)))
    done = {k: v for k, v in state.done.items() if v[0] > state.now_s - DONE_SCANS_S}
    supplement = key in done
    done[key] = (state.now_s, held.keys | (done[key][1] if supplement else frozenset()))
    seen = looks(plots, state.sensors, state.noise_scale)
    scan = Scan(key, state.sensors[key[0]], seen, plots.position_m[0], float(np.median(plots.time_s)))

    noise = state.noise_scale.copy()
    tracks, left, touched, noise[key[0]] = take_scan(state.tracks, scan, supplement, float(noise[key[0]]))
    rows: list[TrackRow] = []
    for i, t in enumerate(tracks):
        if t.number in touched and t.shown and t.time_s - t.row_s >= ROW_EVERY_S:
            rows.append(row_of(t, False))
            tracks[i] = t._replace(row_s=t.time_s)
    number = state.next_number
    left = left[~np.isnan(seen.variance[left, :2]).any(1)]  # without both angles nothing begins
    if len(left):
        children, left = separate(tracks, scan, left, number)
        tracks += children
        number += len(children)
    state = state._replace(
        tracks=tuple(tracks), waiting=waiting, done=done, noise_scale=noise, next_number=number
    )
    return _initiate(state, scan, Looks(*(c[left] for c in seen))), rows, touched


def _initiate(state: TrackerState, scan: Scan, left: Looks) -> TrackerState:
    """Try to make new tracks of the plots that nothing claimed, then keep them for a while."""
    sensors = state.sensors
    kind = scan.sensor.kind
    more_s = [POOL_OPTICAL_S if s.kind == "optical" else 0.0 for s in sensors]
    keep_s = np.array(
        [min(POOL_SCANS * s.scan_period_s + m, POOL_S) for s, m in zip(sensors, more_s, strict=True)]
    )
    pool = initiation.keep(state.pool, state.pool.looks.time_s > scan.time_s - keep_s[state.pool.sensor])
    fresh = initiation.make_pool(left, *scan.key)
    ranged = ~np.isnan(pool.looks.measured[:, 0])
    starts: list[initiation.Start] = []
    family = pool
    if len(left.time_s):
        if kind == "radar" and not np.isnan(left.measured[:, 0]).any():
            same = np.flatnonzero(ranged)
            family = initiation.join(initiation.keep(pool, same), fresh)
            starts = initiation.from_ranges(family, len(same), sensors)
        elif kind != "radar":
            same = np.flatnonzero(np.array([sensors[s].kind == kind for s in pool.sensor], bool))
            family = initiation.join(initiation.keep(pool, same), fresh)
            starts = initiation.from_angles(family, len(same), sensors)
    tracks = list(state.tracks)
    number = state.next_number
    used: set[tuple[float, int, int]] = set()
    for begin in starts:
        recent = tuple((int(family.sensor[r]), int(family.scan[r])) for r in begin.plots)
        t = Track(
            number=number,
            parent=0,
            time_s=begin.time_s,
            x=begin.x,
            P=begin.P,
            mu=begin.mu,
            existence=begin.existence,
            hits=len(begin.plots),
            hit_s=begin.time_s,
            shown=False,
            row_s=-math.inf,
            orbit=False,
            recent=recent[-RECENT:],
            fallen=False,
            lean=np.zeros((len(sensors), 2)),
        )
        tracks.append(shown(t._replace(parent=parent_of(t, tracks))))
        number += 1
        used |= {_plot_id(family, r) for r in begin.plots}
    pool = initiation.join(pool, fresh)
    if used:
        pool = initiation.keep(
            pool, np.array([_plot_id(pool, r) not in used for r in range(len(pool.sensor))], bool)
        )
    return state._replace(tracks=tuple(tracks), pool=pool, next_number=number)


def _plot_id(pool: Pool, row: int) -> tuple[float, int, int]:
    return float(pool.looks.axes[row, 0, 0]), int(pool.sensor[row]), int(pool.scan[row])


def mark_orbit(state: TrackerState, number: int, orbit: bool) -> TrackerState:
    """Note of a track whether its flight was found to stay above the air."""
    tracks = tuple(t._replace(orbit=orbit) if t.number == number else t for t in state.tracks)
    return state._replace(tracks=tracks)
