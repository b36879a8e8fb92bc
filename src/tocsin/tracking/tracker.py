"""The tracker: state and plots in, new state and rows of tracks out.

Plots are held until the scan that they belong to is over (a later scan of the same sensor has
begun, or its period has passed), then the scan is taken as a whole: association, update, misses,
separations, new tracks, ends. Scans of the last while are kept, with beliefs before them: when a plot of such a scan
comes late, all scans from it on are taken again, with the plot in its place. Nothing here reads a clock: time is what
`step` is told.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from tocsin.sensors.coverage import scan_s
from tocsin.sensors.plots import Ints, Plots, Sensor
from tocsin.tracking import crowds, life, steady
from tocsin.tracking.belief import Belief, Names, Output, Past, TrackerState
from tocsin.tracking.fusion import named
from tocsin.tracking.learning import LOG_PRIOR, scales
from tocsin.tracking.one_scan import take
from tocsin.tracking.pairs import Offsets
from tocsin.tracking.past import resumed, thinned
from tocsin.tracking.reported import (
    ROW_EVERY_S,
    ROWS_TOGETHER,
    as_reported,
    last_rows_s,
    row_due_s,
    rows_of_seen,
    which_speak,
)
from tocsin.tracking.tracks import Bools, Table, Track, TrackRow, keep, no_states, no_tracks, track_name
from tocsin.tracking.waiting import SCAN_GRACE, Done, Key, lay_by, with_more

DONE_SCANS_S = 60.0  # how long a scan is remembered, for doubles
SAME_SIGMAS = 3.0  # within which a track that is found again is the one that was lost


def start(sensors: tuple[Sensor, ...]) -> TrackerState:
    """A tracker that has seen nothing."""
    bias = np.array([s.bias_sigma for s in sensors]).reshape(-1, 4)
    sigma = np.array([s.sigma for s in sensors]).reshape(-1, 4)
    unknown = (bias > 0.0) & ~np.isnan(sigma)
    columns = np.where(unknown, np.cumsum(unknown.ravel()).reshape(unknown.shape) - 1, -1)
    offsets = Offsets(np.zeros(unknown.sum()), np.diag(bias[unknown] ** 2))
    noise = np.tile(LOG_PRIOR, (len(sensors), 4, 1))
    states = no_states(len(sensors), len(offsets.mean))
    belief = Belief(
        no_tracks(len(sensors), len(offsets.mean)),
        states,
        (),
        noise,
        *scales(noise),
        offsets,
        0,
    )
    return TrackerState(sensors, columns, belief, (), {}, {}, {}, {}, math.inf, 1, -math.inf, 0, 0)


def next_deadline(state: TrackerState) -> float:
    """When a scan is over or a row is due even if no plot comes; infinite where nothing is."""
    scans = min((w.deadline_s for w in state.waiting.values()), default=math.inf)
    return max(min(scans, state.row_due_s), state.now_s)


def step(state: TrackerState, plots: Plots | None, now_s: float) -> tuple[TrackerState, Output | None]:
    """Take plots received by now_s, and finish the scans that are over by then.

    now_s never goes back. The output is None where no scan was over and no row was due.
    """
    if plots is not None:
        waiting, doubles, too_late = lay_by(state.waiting, state.done, state.sensors, plots)
        state = state._replace(
            waiting=waiting, doubles=state.doubles + doubles, too_late=state.too_late + too_late
        )
    state = state._replace(now_s=now_s)
    newest: dict[int, int] = {}
    for sensor, scan in state.waiting:
        newest[sensor] = max(newest.get(sensor, scan), scan)
    over = [key for key, w in state.waiting.items() if now_s >= w.deadline_s or key[1] < newest[key[0]]]
    late = [key for key in state.waiting if key in state.done]
    if not over and now_s < state.row_due_s:
        return state, None
    if over:
        over += [key for key in late if key not in over]
    rows: list[TrackRow] = []
    changed: set[int] = set()
    if over:
        state, rows, changed = _finish(state, sorted(over))
    state, more, speaking = _tidy(state, now_s)
    state = state._replace(row_due_s=float(row_due_s(state, speaking).min(initial=math.inf)))
    visible = tuple(state.belief.table.name[speaking].tolist())
    return state, Output((*rows, *more), tuple(n for n in visible if n in changed), visible)


def _finish(state: TrackerState, keys: list[Key]) -> tuple[TrackerState, list[TrackRow], set[int]]:
    """Take whole scans: new state, rows, and the numbers of the tracks that took a plot.

    A scan that is over for long, or was taken without these plots, is taken in its place among the past ones,
    and all after it once more.
    """
    waiting = dict(state.waiting)
    done = {k: v for k, v in state.done.items() if v.at_s > state.now_s - DONE_SCANS_S}
    past = thinned(state.past)
    first = len(past)  # of the past scans that are to be taken again
    coming: list[tuple[float, float, Key, Plots]] = []
    for key in keys:
        held = waiting.pop(key)
        plots = held.plots[0]
        if len(held.plots) > 1:
            plots = Plots(*(np.concatenate(c) for c in zip(*held.plots, strict=True)))
        before = done[key].marks if key in done else ()
        done[key] = Done(state.now_s, with_more(before, held.marks))
        due_s = float(plots.time_s.min()) + (1.0 + SCAN_GRACE) * scan_s(state.sensors[key[0]])
        place = next((k for k, p in enumerate(past) if p.key == key), None)
        if place is not None:
            first = min(first, place)
            old = past[place]
            both = Plots(*(np.concatenate(c) for c in zip(old.plots, plots, strict=True)))
            past[place] = old._replace(plots=both)
        else:
            at_s = state.now_s
            if due_s < float(plots.received_s.min()):  # as if it had come in time
                at_s = min(at_s, due_s)
                first = min(first, sum(p.at_s <= at_s for p in past))
            coming.append((at_s, float(plots.time_s.max()), key, plots))
    belief = state.belief
    if first < len(past):
        first, belief = resumed(past, first)
    again = [(p.at_s, float(p.plots.time_s.max()), p.key, p.plots) for p in past[first:]]
    # past scans stay in their order; new ones come after those that were taken by then
    queue = sorted([*again, *coming], key=lambda q: q[0]) if first < len(past) else sorted(coming)
    past = past[:first]
    state = state._replace(waiting=waiting, done=done)
    known = Names(dict(state.names), state.next_number)
    rows: list[TrackRow] = []
    changed: set[int] = set()
    rows_s = dict(state.rows_s)
    for at_s, _, key, plots in queue:
        plots = plots.rows(np.lexsort((plots.measured[:, 1], plots.time_s)))
        past.append(Past(key, plots, at_s, belief.scans, belief))
        belief, touched = take(state, belief, key, plots, known, at_s)
        table, h = belief.table, belief.states
        if again and at_s < state.now_s and key != queue[-1][2]:
            continue  # what is long past is not reported again
        touched = touched[which_speak(state, table, h, at_s)[touched]]
        changed.update(table.name[touched].tolist())
        due = h.time_s[touched] - last_rows_s(rows_s, table.name[touched]) >= ROW_EVERY_S
        fresh = rows_of_seen(belief, touched[due])
        rows += fresh
        rows_s.update(zip(table.name[touched[due]].tolist(), (r.time_s for r in fresh), strict=True))
    if again:
        renamed = _found_again(state.belief, belief)
        if renamed:
            renumbered = tuple(crowds.renamed(c, renamed) for c in belief.crowds)
            belief = belief._replace(table=_renamed(belief.table, renamed), crowds=renumbered)
            rows = [
                r._replace(track=track_name(renamed[n])) if (n := _number(r)) in renamed else r for r in rows
            ]
            rows_s |= {old: rows_s.pop(new) for new, old in renamed.items() if new in rows_s}
            changed = {renamed.get(n, n) for n in changed}
            known.known.update({seed: renamed[n] for seed, n in known.known.items() if n in renamed})
    state = state._replace(
        belief=belief, past=tuple(past), rows_s=rows_s, names=known.known, next_number=known.following
    )
    return state, rows, changed


def _number(row: TrackRow) -> int:
    return int(row.track[1:])


def _found_again(before: Belief, after: Belief) -> dict[int, int]:
    """Numbers of tracks that are new after scans were taken again, and of those that they were before.

    Two are one where they lie at one place at one time.
    """
    new = np.flatnonzero(~np.isin(after.table.number, before.table.number))
    old = np.flatnonzero(before.table.shown & ~np.isin(before.table.number, after.table.number))
    out: dict[int, int] = {}
    for i in new.tolist():
        for j in old.tolist():
            t = life.track_at(after.table, after.states, i, after.offsets.P)
            u = life.track_at(before.table, before.states, j, before.offsets.P, t.time_s)
            # both at the later of their times
            t = life.track_at(after.table, after.states, i, after.offsets.P, u.time_s)
            best = int(u.mu.argmax())
            far = float(np.linalg.norm(t.x[int(t.mu.argmax()), :3] - u.x[best, :3]))
            near = far < SAME_SIGMAS * math.sqrt(float(np.trace(u.P[best, :3, :3])))
            if near and u.number not in out.values():
                out[t.number] = u.number
                break
    return out


def _renamed(table: Table, new: Mapping[int, int]) -> Table:
    """The table with other numbers for some tracks."""

    def of(numbers: Ints) -> Ints:
        return np.array([new.get(n, n) for n in numbers.tolist()], np.int64)

    return table._replace(
        number=of(table.number),
        name=of(table.name),
        parent=of(table.parent),
        partner=of(table.partner),
        family=of(table.family),
    )


def _tidy(state: TrackerState, now_s: float) -> tuple[TrackerState, list[TrackRow], Bools]:
    """Ends of tracks by a time, and rows of those that have long given none; and which (n,) are reported then."""
    belief = state.belief
    table = belief.table
    h = steady.moved(table, belief.states, now_s - steady.BEHIND_S, steady.STORED_S)
    rows: list[TrackRow] = []
    rows_s = dict(state.rows_s)
    ended = life.over(table, h, now_s)
    speaking = which_speak(state, table, h, now_s)
    known_as = named(table)
    numbers = known_as.number
    for i in np.flatnonzero(ended & speaking).tolist():
        t = as_reported(table, known_as, h, i, belief.offsets.P)
        if t.time_s > rows_s.get(t.number, -math.inf):
            rows.append(life.row_of(t, True))
    due = row_due_s(state, speaking, ROWS_TOGETHER) <= now_s
    for i in np.flatnonzero(due & ~ended).tolist():
        row = life.row_of(as_reported(table, known_as, h, i, belief.offsets.P, now_s), False)
        # what has met the air since it was seen is known less well than `which_speak` thinks, who asks for no flight
        if table.steady[i] or np.trace(row.covariance[:3, :3]) < life.WIDEST_SHOWN_M**2:
            rows.append(row)
        rows_s[int(numbers[i])] = now_s
    if ended.any():
        table, h = keep(table, h, ~ended)
        speaking = which_speak(state, table, h, now_s)
    alive = set(table.number.tolist()) | set(numbers.tolist())
    rows_s = {n: t for n, t in rows_s.items() if n in alive or t > now_s - DONE_SCANS_S}
    seeds = state.names
    if len(seeds) > 4 * len(alive) + 100:
        seeds = {seed: n for seed, n in seeds.items() if n in alive or seed[0] > now_s - DONE_SCANS_S}
    state = state._replace(belief=belief._replace(table=table, states=h), rows_s=rows_s, names=seeds)
    return state, rows, speaking


def shown(state: TrackerState, now_s: float) -> tuple[int, ...]:
    """Numbers of the tracks that are reported."""
    table = state.belief.table
    return tuple(table.name[which_speak(state, table, state.belief.states, now_s)].tolist())


def track(state: TrackerState, number: int) -> Track:
    """A track. Raises KeyError where there is none of that number."""
    table = state.belief.table
    found = np.flatnonzero(
        (table.name == number) & which_speak(state, table, state.belief.states, state.now_s)
    )
    if len(found) == 0:
        raise KeyError(number)
    return as_reported(table, named(table), state.belief.states, int(found[0]), state.belief.offsets.P)


def mark_orbit(state: TrackerState, number: int, orbit: bool) -> TrackerState:
    """Note of a track whether its flight was found to stay above the air."""
    table = state.belief.table
    marks = np.where(table.name == number, orbit, table.orbit)
    return state._replace(belief=state.belief._replace(table=table._replace(orbit=marks)))
