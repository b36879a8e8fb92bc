"""The tracker: state and plots in, new state and rows of tracks out.

Plots are held until the scan that they belong to is over (a later scan of the same sensor has
begun, or its period has passed), then the scan is taken as a whole: association, update, misses,
separations, new tracks, ends. The belief before each scan of the last while is kept: when a plot of such a scan comes
late, all scans from it on are taken again, with the plot in its place. Nothing here reads a clock: time is what
`step` is told.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import repeat
from typing import NamedTuple

import numpy as np

from tocsin.earth.motion import BALLISTIC, LEVEL
from tocsin.sensors.models import looks, some
from tocsin.sensors.plots import ELEVATION, Floats, Ints, Plots, Sensor
from tocsin.tracking import crowds, initiation, launches, life, unclaimed
from tocsin.tracking.crowd import Crowd
from tocsin.tracking.fusion import (
    LEADING_SCANS,
    dissolve,
    fuse,
    inherit,
    leading,
    named,
    release,
    restrict,
    together,
)
from tocsin.tracking.initiation import Known
from tocsin.tracking.learning import LOG_PRIOR, RATIOS, learn, learned, scales
from tocsin.tracking.modes import MODES
from tocsin.tracking.pairs import Offsets, Scan, blur2
from tocsin.tracking.separation import children, parent_of
from tocsin.tracking.tracks import (
    Bools,
    States,
    Table,
    Track,
    TrackRow,
    begun,
    join,
    keep,
    no_states,
    no_tracks,
    track_name,
)
from tocsin.tracking.unclaimed import Pool
from tocsin.tracking.update import Told, take_scan
from tocsin.tracking.waiting import LATEST_S, SCAN_GRACE, Done, Key, Waiting, lay_by, with_more

ROW_EVERY_S = 0.5  # a shown track gives at most one row in this time where it is seen, in twice it where not
# A shown track gives a row at least this often (the contract asks for 10 s), and up to ROWS_TOGETHER of that time
# earlier where other tracks' rows are due: so that many tracks make few steps. Between its rows a track is taken to fly
# freely in vacuum: where thrust or drag would take it farther than this from there, it gives one sooner.
FORECAST_ROW_S = 8.0
ROWS_TOGETHER = 0.25
STRAY_M = 1000.0

# Plots that no track claims are kept for this many scans, those of cameras a little longer (they scan
# many times a second), and all for at most so long.
POOL_SCANS = 3.5
POOL_OPTICAL_S = 1.5
POOL_S = 28.0
POOL_INFRARED_S = 24.0  # lines of one sensor alone, that a launch is told from a fire by
DONE_SCANS_S = 60.0  # how long a scan is remembered, for doubles
SAME_SIGMAS = 3.0  # within which a track that is found again is the one that was lost
PLOTS_OF_A_SCAN = 1 << 20  # numbers of plots: those of a scan begin at a multiple of this

SHOWN_AT_ONCE = 0.98  # existence of a new track that is reported with its first three plots


class Names:
    """Numbers for tracks by the plots that each begins with: a track that is found again keeps its number."""

    def __init__(self, known: dict[tuple[float, ...], int], following: int) -> None:
        self.known, self.following = known, following

    def of(self, seeds: Sequence[tuple[float, ...]], taken: Ints) -> int:
        """The number of the track that begins with some plots; taken (n,): numbers of other tracks."""
        before = [self.known[s] for s in seeds if s in self.known and self.known[s] not in taken]
        number = before[0] if before else self.following
        self.following = max(self.following, number + 1)
        self.known.update(dict.fromkeys(seeds, number))
        return number


class Belief(NamedTuple):
    """What the plots of some scans say, one scan after the other."""

    table: Table
    states: States
    pools: tuple[Pool, ...]  # plots that no track claims, in the order of their scans
    noise: Floats  # (sensors, 4, grid) ln of the weights of `learning.RATIOS`
    scale: Floats  # (sensors, 4) mean of the squared ratio of true to stated sigma
    most: Floats  # (sensors, 4) a value that it hardly exceeds
    offsets: Offsets
    scans: int  # that were taken
    crowds: tuple[Crowd, ...] = ()


class Past(NamedTuple):
    """A scan that was taken, and the belief before it."""

    key: Key
    plots: Plots
    at_s: float  # when it was taken
    before: Belief


class TrackerState(NamedTuple):
    """All that the tracker knows."""

    sensors: tuple[Sensor, ...]
    columns: Ints  # (sensors, 4) number of each unknown offset, -1: none
    belief: Belief
    past: tuple[Past, ...]
    waiting: Mapping[Key, Waiting]
    done: Mapping[Key, Done]
    names: Mapping[tuple[float, ...], int]  # first plot of a track -> its number
    rows_s: Mapping[int, float]  # number -> time of its last row
    row_due_s: float  # when a row is due though nothing is seen
    next_number: int
    now_s: float
    doubles: int
    too_late: int


class Output(NamedTuple):
    """What a step brought: rows, and the tracks that changed."""

    rows: tuple[TrackRow, ...]
    changed: tuple[int, ...]  # numbers of shown tracks that took a plot
    shown: tuple[int, ...]  # numbers of all shown tracks


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


def _row_due_s(state: TrackerState, speaking: Bools, early: float = 0.0) -> Floats:
    """When (n,) the next row of each track is due though nothing is seen of it; infinite where none is.

    speaking (n,): which are reported; early: share of the time between rows by which it may come sooner.
    """
    table, h = state.belief.table, state.belief.states
    last = _last_rows_s(state.rows_s, table.name)
    apart_s = life.rows_apart_s(state.now_s, h.time_s, h.x, h.mu, 2.0 * ROW_EVERY_S, FORECAST_ROW_S, STRAY_M)
    due = np.maximum(last, h.time_s) + apart_s * (1.0 - early)
    return np.where(speaking, due, np.inf)


def _last_rows_s(rows_s: Mapping[int, float], names: Ints) -> Floats:
    """When (n,) tracks of some names gave their last row; -inf where they gave none."""
    return np.fromiter(map(rows_s.get, names.tolist(), repeat(-math.inf)), float, len(names))


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
    state = state._replace(row_due_s=float(_row_due_s(state, speaking).min(initial=math.inf)))
    visible = tuple(state.belief.table.name[speaking].tolist())
    return state, Output((*rows, *more), tuple(n for n in visible if n in changed), visible)


def _finish(state: TrackerState, keys: list[Key]) -> tuple[TrackerState, list[TrackRow], set[int]]:
    """Take whole scans: new state, rows, and the numbers of the tracks that took a plot.

    A scan that is over for long, or was taken without these plots, is taken in its place among the past ones,
    and all after it once more.
    """
    waiting = dict(state.waiting)
    done = {k: v for k, v in state.done.items() if v.at_s > state.now_s - DONE_SCANS_S}
    past = list(state.past)
    first = len(past)  # of the past scans that are to be taken again
    coming: list[tuple[float, float, Key, Plots]] = []
    for key in keys:
        held = waiting.pop(key)
        plots = held.plots[0]
        if len(held.plots) > 1:
            plots = Plots(*(np.concatenate(c) for c in zip(*held.plots, strict=True)))
        before = done[key].marks if key in done else ()
        done[key] = Done(state.now_s, with_more(before, held.marks))
        period = state.sensors[key[0]].scan_period_s
        due_s = float(plots.time_s.min()) + (1.0 + SCAN_GRACE) * period
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
    belief = past[first].before if first < len(past) else state.belief
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
        past.append(Past(key, plots, at_s, belief))
        belief, touched = _take(state, belief, key, plots, known, at_s)
        table, h = belief.table, belief.states
        if again and at_s < state.now_s and key != queue[-1][2]:
            continue  # what is long past is not reported again
        touched = touched[_speaking(state, table, h, at_s)[touched]]
        changed.update(table.name[touched].tolist())
        due = h.time_s[touched] - _last_rows_s(rows_s, table.name[touched]) >= ROW_EVERY_S
        fresh = _rows(belief, touched[due])
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
    past = [p for p in past if p.at_s > state.now_s - LATEST_S]
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


def _take(
    state: TrackerState,
    belief: Belief,
    key: Key,
    plots: Plots,
    known: Names,
    at_s: float,
) -> tuple[Belief, Ints]:
    """Take one whole scan: the belief after it, and the rows of the tracks that took a plot."""
    sensor = key[0]
    mean, most = belief.scale, belief.most
    seen = looks(plots, state.sensors, mean, state.columns)
    numbers = belief.scans * PLOTS_OF_A_SCAN + np.arange(plots.count)
    scan = Scan(
        sensor, state.sensors[sensor], seen, numbers, plots.position_m[0], float(np.median(plots.time_s))
    )
    measured = ~np.isnan(state.sensors[sensor].sigma)
    gate_scale = float((most / mean)[sensor][measured].max())
    gone = life.lost(belief.table, belief.states, scan.time_s) | crowds.inside(belief.crowds, belief.table)
    taken = take_scan(belief.table, belief.states, scan, belief.offsets, gate_scale, gone)
    table, h, left = taken.table, taken.states, taken.left
    offsets, noise = belief.offsets, belief.noise
    if len(taken.told.sure):
        offsets, noise, h = _learn(belief, h, scan, taken.told, mean)
        mean, most = scales(noise)
    touched = taken.touched
    names_of_touched = table.number[touched]
    # without an azimuth, and an elevation or a range, nothing begins
    angles = ~np.isnan(scan.looks.variance[left, :2])
    left = left[angles[:, 0] & (angles[:, 1] | ~np.isnan(scan.looks.measured[left, 0]))]

    def name(plot: int) -> int:
        seed = (float(seen.time_s[plot]), float(sensor), float(seen.axes[plot, 0, 0]))
        return known.of([seed], np.concatenate([belief.table.number, belief.table.name]))

    if len(taken.new.plots):
        young = children(belief.table, belief.states, scan, taken.new, taken.new_belief, belief.offsets, name)
        table, h = join([(table, h), *young])
    found = crowds.step(
        belief.crowds, table, h, scan, offsets, noise, belief.scale[sensor], left, PLOTS_OF_A_SCAN, name
    )
    table, h, left, offsets, noise = found.table, found.states, found.left, found.offsets, found.noise
    mean, most = scales(noise)
    names_of_touched = np.concatenate([names_of_touched, found.touched])
    table, h = dissolve(table, h, np.array([s.scan_period_s for s in state.sensors]))
    table, h = restrict(table, h, sensor, scan.of.kind == "radar", PLOTS_OF_A_SCAN)
    if (table.only >= 0).any():
        unseen = _unseen(state, table, scan.time_s)
        table, h = fuse(table, h, sensor, offsets.P, unseen, _speaking(state, table, h, scan.time_s))
        table = release(table, sensor, _unseen(state, table, scan.time_s))
    h = _level(h, state.sensors)
    of_sensors = Known(offsets.mean, offsets.P, gate_scale)
    before = table.number
    table, h, pools = _initiate(
        state, (table, h, belief.pools), scan, key, left, plots.height_m, of_sensors, known
    )
    begun_now = table.number[np.asarray(table.shown & ~np.isin(table.number, before))]
    alone = ~crowds.inside(found.crowds, table)
    doubled, existence = life.twins(table, h, offsets.P, PLOTS_OF_A_SCAN, scan.time_s, alone)
    table, h = keep(table._replace(existence=existence), h, ~(life.over(table, h, at_s) | doubled))
    table = inherit(table, _speaking(state, table, h, scan.time_s))
    belief = Belief(table, h, pools, noise, mean, most, offsets, belief.scans + 1, found.crowds)
    return belief, np.flatnonzero(np.isin(table.number, np.concatenate([names_of_touched, begun_now])))


def _level(h: States, sensors: tuple[Sensor, ...]) -> States:
    """What radars without elevation have seen alone is air traffic, whatever a turn looks like."""
    tall = np.array([not math.isnan(s.sigma[ELEVATION]) for s in sensors])
    if tall.all() or len(h.mu) == 0:
        return h
    flat = (h.claims[:, tall] < 0).all(axis=1, keepdims=True)
    return h._replace(mu=np.where(flat, np.eye(MODES)[LEVEL], h.mu))


def _learn(belief: Belief, h: States, scan: Scan, told: Told, mean: Floats) -> tuple[Offsets, Floats, States]:
    """What plots that surely belong to tracks tell of their sensor; the states, moved with its offsets."""
    seen, offsets = scan.looks, belief.offsets
    noise = belief.noise.copy()
    information, vector = np.zeros_like(offsets.P), np.zeros_like(offsets.mean)
    learn(
        told.sure, told.theirs, told.x, told.P, told.A,
        seen.position_m, seen.axes, seen.measured, seen.variance, seen.column, seen.lever,
        offsets.mean, offsets.P, mean[scan.sensor], RATIOS**2, noise[scan.sensor], information, vector,
    )  # fmt: skip
    if len(vector) and information.any():
        after, P, moved = learned(offsets.mean, offsets.P, information, vector)
        offsets = Offsets(after, P)
        h = h._replace(x=h.x + h.A @ moved)
    return offsets, noise, h


def _initiate(
    state: TrackerState,
    now: tuple[Table, States, tuple[Pool, ...]],
    scan: Scan,
    key: Key,
    left: Ints,
    height_m: Floats,
    known: Known,
    known_names: Names,
) -> tuple[Table, States, tuple[Pool, ...]]:
    """Try to make new tracks of the plots that nothing claimed, then keep them for a while."""
    table, h, pools = now
    sensors = state.sensors
    kind = scan.of.kind
    more_s = [POOL_OPTICAL_S if s.kind == "optical" else 0.0 for s in sensors]
    few_s = np.array(
        [min(POOL_SCANS * s.scan_period_s + m, POOL_S) for s, m in zip(sensors, more_s, strict=True)]
    )
    keep_s = np.where([s.kind == "infrared" for s in sensors], np.maximum(few_s, POOL_INFRARED_S), few_s)
    young = [p.looks.time_s > scan.time_s - keep_s[p.sensor] for p in pools]
    if pools:
        pools = unclaimed.picked(pools, np.concatenate(young))
    if len(left) == 0:
        return table, h, pools
    flat = math.isnan(scan.of.sigma[ELEVATION])
    mine = some(scan.looks, left)
    if flat:
        mine = unclaimed.raised(mine, height_m[left])
    offsets = Offsets(known.offset, known.offset_cov)
    blurred = blur2(mine, offsets) * known.gate_scale
    fresh = unclaimed.make_pool(mine, *key, scan.numbers[left], blurred, flat)
    pools = unclaimed.added(pools, fresh)
    pool = unclaimed.whole(pools)
    family, old = pool, len(pool.sensor) - len(left)
    if kind == "radar":
        starts = initiation.from_ranges(pool, old, sensors, known)
    else:
        same = np.array([s.kind == kind for s in sensors])[pool.sensor]
        same &= pool.looks.time_s > scan.time_s - few_s[pool.sensor]
        family = unclaimed.keep(pool, same)
        starts = initiation.from_angles(family, int(same[:old].sum()), sensors, known)
        if kind == "infrared" and not starts:
            same = pool.sensor == key[0]
            family = unclaimed.keep(pool, same)
            starts = launches.from_one_sensor(family, int(same[:old].sum()), sensors, known)
    if not starts:
        return table, h, pools
    new: list[tuple[Table, States]] = []
    used: set[int] = set()
    gone = life.lost(table, h, scan.time_s)
    dropped = np.zeros(len(gone), np.bool_)
    for begin in starts:
        parent = parent_of(begin.time_s, begin.x, begin.P, begin.A, begin.mu, table, h, offsets)
        plots = [(int(family.sensor[r]), int(family.number[r])) for r in begin.plots]
        seeds = [
            (float(family.looks.time_s[r]), float(family.sensor[r]), float(family.looks.axes[r, 0, 0]))
            for r in begin.plots
        ]
        again = life.found_again(begin.time_s, begin.x, begin.P, begin.A, begin.mu, table, h, gone, offsets.P)
        if again >= 0:
            number, parent = int(table.number[again]), int(table.parent[again])
            gone[again], dropped[again] = False, True
            known_names.known.update(dict.fromkeys(seeds, number))
        else:
            taken = np.concatenate([table.number, table.name, *(t.number for t, _ in new)])
            number = known_names.of(seeds, taken)
        new.append(
            begun(
                number, parent, begin.existence, len(plots), begin.time_s, begin.time_s,
                begin.x, begin.P, begin.A, begin.mu, plots, len(sensors), False,
            )
        )  # fmt: skip
        if again >= 0:
            new[-1] = (new[-1][0]._replace(name=table.name[[again]], told=table.told[[again]]), new[-1][1])
        if begin.existence > SHOWN_AT_ONCE or again >= 0:
            new[-1] = (new[-1][0]._replace(shown=np.array([True])), new[-1][1])
        used |= {n for _, n in plots}
    table, h = join([keep(table, h, ~dropped), *new])
    return table, h, unclaimed.picked(pools, ~np.isin(pool.number, list(used)))


def _at(
    table: Table, known_as: Table, h: States, i: int, offset_P: Floats, at_s: float | None = None
) -> Track:
    """A track as it is reported: with its partner, where it has one. known_as: the table as from `fusion.named`."""
    t = life.track_at(known_as, h, i, offset_P, at_s)
    both = together(table, h, i, t.time_s, offset_P)
    if both is None or t.mu[BALLISTIC] < 0.9:
        return t
    x, P = t.x.copy(), t.P.copy()
    x[BALLISTIC, :6] = both[0]
    P[BALLISTIC, :6, :6], P[BALLISTIC, 6, :6], P[BALLISTIC, :6, 6] = both[1], 0.0, 0.0
    return t._replace(x=x, P=P, mu=np.array([1.0, 0.0, 0.0]))


def _rows(belief: Belief, which: Ints) -> list[TrackRow]:
    """Rows of tracks that have just taken a plot, which (k,) rows of the table."""
    table, h, offset_P = belief.table, belief.states, belief.offsets.P
    known_as = named(table)
    rows = life.rows_of(known_as, h, which, offset_P)
    for k in np.flatnonzero(table.partner[which] > 0).tolist():
        rows[k] = life.row_of(_at(table, known_as, h, int(which[k]), offset_P), False)
    return rows


def _tidy(state: TrackerState, now_s: float) -> tuple[TrackerState, list[TrackRow], Bools]:
    """Ends of tracks by a time, and rows of those that have long given none; and which (n,) are reported then."""
    belief = state.belief
    table, h = belief.table, belief.states
    rows: list[TrackRow] = []
    rows_s = dict(state.rows_s)
    ended = life.over(table, h, now_s)
    speaking = _speaking(state, table, h, now_s)
    known_as = named(table)
    numbers = known_as.number
    for i in np.flatnonzero(ended & speaking).tolist():
        t = _at(table, known_as, h, i, belief.offsets.P)
        if t.time_s > rows_s.get(t.number, -math.inf):
            rows.append(life.row_of(t, True))
    due = _row_due_s(state, speaking, ROWS_TOGETHER) <= now_s
    for i in np.flatnonzero(due & ~ended).tolist():
        rows.append(life.row_of(_at(table, known_as, h, i, belief.offsets.P, now_s), False))
        rows_s[int(numbers[i])] = now_s
    if ended.any():
        table, h = keep(table, h, ~ended)
        speaking = _speaking(state, table, h, now_s)
    alive = set(table.number.tolist()) | set(numbers.tolist())
    rows_s = {n: t for n, t in rows_s.items() if n in alive or t > now_s - DONE_SCANS_S}
    seeds = state.names
    if len(seeds) > 4 * len(alive) + 100:
        seeds = {seed: n for seed, n in seeds.items() if n in alive or seed[0] > now_s - DONE_SCANS_S}
    state = state._replace(belief=belief._replace(table=table, states=h), rows_s=rows_s, names=seeds)
    return state, rows, speaking


def _unseen(state: TrackerState, table: Table, now_s: float) -> Bools:
    """Which tracks that follow one sensor alone that sensor sees no longer."""
    periods = np.array([s.scan_period_s for s in state.sensors])
    return np.asarray((table.only >= 0) & (now_s - table.hit_s > LEADING_SCANS * periods[table.only]))


def _speaking(state: TrackerState, table: Table, h: States, now_s: float) -> Bools:
    """Which tracks are reported: not those whose place is hardly known (of one infrared sensor alone)."""
    periods = np.array([s.scan_period_s for s in state.sensors])
    return np.asarray(table.shown & life.sharp(table, h, now_s) & leading(table, now_s, periods))


def shown(state: TrackerState, now_s: float) -> tuple[int, ...]:
    """Numbers of the tracks that are reported."""
    table = state.belief.table
    return tuple(table.name[_speaking(state, table, state.belief.states, now_s)].tolist())


def track(state: TrackerState, number: int) -> Track:
    """A track. Raises KeyError where there is none of that number."""
    table = state.belief.table
    found = np.flatnonzero((table.name == number) & _speaking(state, table, state.belief.states, state.now_s))
    if len(found) == 0:
        raise KeyError(number)
    return _at(table, named(table), state.belief.states, int(found[0]), state.belief.offsets.P)


def mark_orbit(state: TrackerState, number: int, orbit: bool) -> TrackerState:
    """Note of a track whether its flight was found to stay above the air."""
    table = state.belief.table
    marks = np.where(table.name == number, orbit, table.orbit)
    return state._replace(belief=state.belief._replace(table=table._replace(orbit=marks)))
