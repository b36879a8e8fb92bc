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

from tocsin.earth.ellipsoid import ecef_to_geodetic, enu_axes, height_m
from tocsin.earth.motion import BALLISTIC, LEVEL, THRUST
from tocsin.sensors.coverage import in_view, log_clutter_density
from tocsin.sensors.models import Looks, looks
from tocsin.sensors.plots import Floats, Ints, Plots, Sensor
from tocsin.tracking import initiation, modes
from tocsin.tracking.association import marginals, pairs
from tocsin.tracking.initiation import Pool
from tocsin.tracking.tracks import TrackRow

# Life cycle
SHOWN_EXISTENCE = 0.9
ENDED_EXISTENCE = 0.2
DROPPED_EXISTENCE = 0.02
MOST_EXISTENCE = 0.9999
FEWEST_HITS = 3
ROW_EVERY_S = 1.0  # a shown track gives at most one row in this time
FORECAST_ROW_S = 5.0  # and at least one: the contract asks for 10 s
LEVEL_MEMORY_S = 45.0  # an aircraft not seen for so long is gone
TENTATIVE_MEMORY_S = 30.0
LONGEST_MEMORY_S = 600.0
WIDEST_SIGMA_M = 60e3  # a track that is known no better than this is no track

# Separation: what leaves a body leaves it within the last SEPARATION_S, with one of these speeds
# (one sigma an axis): released, or blown apart. One new object in a hundred scans of a parent.
SEPARATION_S = 12.0
SEPARATION_SPEEDS_M_S = (8.0, 40.0, 150.0)
SEPARATIONS_A_SCAN = 0.01
CHILD_EXISTENCE = 0.6  # what one plot is worth at most
PARENT_EXISTENCE = 0.9
PARENT_HITS = 4

# Plots that no track claims are kept for this many scans, and for at most so long.
POOL_SCANS = 3.5
POOL_S = 28.0
DONE_SCANS_S = 60.0  # how long a scan is remembered, for doubles and late plots
SCAN_GRACE_S = 0.3  # of its period, after which a scan is over

# Noise of a sensor that proves larger than stated: a slow mean of squared normalised innovations.
NOISE_GAIN = 0.01
LARGEST_NOISE = 16.0

# The mean of a track's angle innovations, over about 1 / LEAN_GAIN plots of a sensor, has one sigma of
# sqrt(gain / (2 - gain)) = 0.23 where all is well: 4.3 of these are no chance.
LEAN_GAIN = 0.1
LARGEST_LEAN = 1.0
LEAN_TIME_S = 60.0
LEAST_BELIEF = 0.02  # of a rival plot that is still looked at
RECENT = 12  # plots of each track that are remembered to tell two tracks of one object

Key = tuple[int, int]  # sensor, scan


class Track(NamedTuple):
    """A track: what is believed of one object."""

    number: int
    parent: int  # 0: none
    time_s: float
    x: Floats  # (3, 9)
    P: Floats  # (3, 9, 9)
    mu: Floats  # (3,)
    existence: float
    hits: int
    born_s: float
    hit_s: float  # time of its last plot
    shown: bool
    row_s: float  # time of its last row
    orbit: bool  # does not come down
    recent: tuple[Key, ...]
    fallen: bool  # was once too fast or too high for an aircraft
    lean: Floats  # (number of sensors, 2) mean normalised innovation of the two angles


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


def track_name(number: int) -> str:
    """Public name of a track."""
    return f"T{number:05d}"


def start(sensors: tuple[Sensor, ...]) -> TrackerState:
    """A tracker that has seen nothing."""
    return TrackerState(
        sensors, (), {}, {}, initiation.empty_pool(), np.ones(len(sensors)), 1, -math.inf, 0
    )


def next_deadline(state: TrackerState) -> float:
    """When the next scan is over even if no plot comes; infinite where none waits."""
    return min((w.deadline_s for w in state.waiting.values()), default=math.inf)


def step(state: TrackerState, plots: Plots | None, now_s: float) -> tuple[TrackerState, Output | None]:
    """Take plots received by now_s, and finish the scans that are over by then.

    now_s never goes back. The output is None where no scan was over.
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
    if not over:
        return state, None
    rows: list[TrackRow] = []
    changed: set[int] = set()
    for _, key in sorted(over):
        state, new_rows, touched = _finish_scan(state, key)
        rows += new_rows
        changed |= touched
    state, more = _tidy(state)
    rows += more
    shown = tuple(t for t in state.tracks if t.shown)
    return state, Output(tuple(rows), tuple(t for t in shown if t.number in changed), shown)


def _wait(state: TrackerState, plots: Plots) -> TrackerState:
    """Lay plots by until their scans are over; leave out those that came before."""
    waiting = dict(state.waiting)
    doubles = state.doubles
    for i in range(plots.count):
        key = (int(plots.sensor[i]), int(plots.scan[i]))
        values = (float(plots.time_s[i]), *map(float, np.nan_to_num(plots.measured[i], nan=-1.0)))
        before = waiting.get(key)
        if (before is not None and values in before.keys) or (key in state.done and values in state.done[key][1]):
            doubles += 1
            continue
        row = plots.rows(slice(i, i + 1))
        period = state.sensors[key[0]].scan_period_s
        if before is None:
            late = key in state.done
            deadline = row.received_s[0] if late else row.time_s[0] + (1.0 + SCAN_GRACE_S) * period
            waiting[key] = Waiting((row,), frozenset([values]), max(float(deadline), float(row.received_s[0])))
        else:
            waiting[key] = Waiting((*before.plots, row), before.keys | {values}, before.deadline_s)
    return state._replace(waiting=waiting, doubles=doubles)


def _finish_scan(state: TrackerState, key: Key) -> tuple[TrackerState, list[TrackRow], set[int]]:
    """Take one whole scan."""
    sensor_index, _ = key
    sensor = state.sensors[sensor_index]
    waiting = dict(state.waiting)
    held = waiting.pop(key)
    plots = Plots(*(np.concatenate(c) for c in zip(*held.plots, strict=True)))
    plots = plots.rows(np.lexsort((plots.measured[:, 1], plots.time_s)))
    done = {k: v for k, v in state.done.items() if v[0] > state.now_s - DONE_SCANS_S}
    supplement = key in done
    done[key] = (state.now_s, held.keys | (done[key][1] if supplement else frozenset()))
    state = state._replace(waiting=waiting, done=done)

    seen = looks(plots, state.sensors, state.noise_scale)
    heat = sensor.kind != "radar"
    pd = sensor.detection_probability
    tracks = list(state.tracks)
    noise = state.noise_scale.copy()
    rows: list[TrackRow] = []
    touched: set[int] = set()
    taken = np.zeros(plots.count)
    middle = float(np.median(plots.time_s))
    if tracks:
        busy = np.array([key in t.recent for t in tracks], np.int64)
        track, plot, log_like = pairs(
            np.stack([t.x for t in tracks]),
            np.stack([t.P for t in tracks]),
            np.stack([t.mu for t in tracks]),
            np.array([t.time_s for t in tracks]),
            busy,
            np.array([t.fallen for t in tracks], np.int64),
            *seen[:5],
            pd,
            heat,
        )
        existence = np.array([t.existence for t in tracks])
        gain = log_like + seen.log_area[plot] - log_clutter_density(sensor)
        gain += np.log(existence[track]) - np.log1p(-existence[track] * (0.0 if heat else pd))
        belief = marginals(track, plot, gain)
        claimed = np.minimum(np.bincount(track, belief, len(tracks)), 1.0)
        taken = np.bincount(plot, belief, plots.count)
        order = np.argsort(track, kind="stable")
        latitude, longitude, _ = ecef_to_geodetic(plots.position_m[0])
        local = enu_axes(latitude, longitude)
        bounds = np.searchsorted(track[order], np.arange(len(tracks) + 1))
        for i, t in enumerate(tracks):
            mine = [int(k) for k in order[bounds[i] : bounds[i + 1]] if belief[k] > LEAST_BELIEF]
            if supplement and not mine or busy[i]:
                continue
            mu, chance = _chance(t, sensor, plots.position_m[0], local, middle, pd, heat)
            missed = (1.0 - chance) * t.existence / (1.0 - chance * t.existence)
            alive = min(float(claimed[i]) + (1.0 - float(claimed[i])) * missed, MOST_EXISTENCE)
            if not mine:
                tracks[i] = t._replace(mu=mu, existence=alive)
                continue
            best = int(plot[max(mine, key=lambda k: belief[k])])
            if float(belief[mine].max()) > 0.9:
                t, noise[sensor_index] = _watch(t, float(noise[sensor_index]), seen, best, sensor_index, pd, heat)
            following = _with_plots(t, seen, plot[mine], belief[mine], mu, pd, heat)
            if following is None:
                tracks[i] = t._replace(mu=mu, existence=alive)
                continue
            t = following._replace(existence=alive)
            if claimed[i] > 0.5:
                at = float(seen.time_s[best])
                t = t._replace(hits=t.hits + 1, hit_s=max(t.hit_s, at), recent=(*t.recent, key)[-RECENT:])
                t = _show(t)
                touched.add(t.number)
                if t.shown and t.time_s - t.row_s >= ROW_EVERY_S:
                    rows.append(_row(t, False))
                    t = t._replace(row_s=t.time_s)
            tracks[i] = t
    left = np.flatnonzero(taken < 0.5)
    state = state._replace(tracks=tuple(tracks), noise_scale=noise)
    if len(left):
        state, left = _separate(state, seen, left, key, pd, heat)
    state = _initiate(state, Looks(*(c[left] for c in seen)), key, middle)
    return state, rows, touched


def _with_plots(
    t: Track, seen: Looks, plots: Ints, belief: Floats, missed_mu: Floats, pd: float, heat: bool
) -> Track | None:
    """A track after a scan in which each of some plots may be its own, with the given beliefs.

    missed_mu (3,): the mode probabilities if none is. None where the update broke down.
    """
    latest = max(t.time_s, *(float(seen.time_s[j]) for j in plots))
    states = []
    for j in plots:
        dt = float(seen.time_s[j]) - t.time_s
        x, P, mu, log_likelihood, _ = modes.take_plot(t.x, t.P, t.mu, dt, *(c[j] for c in seen[1:5]), pd, heat, t.fallen)
        if log_likelihood == -math.inf:
            return None
        if dt >= 0.0 and latest > seen.time_s[j]:  # with dt < 0 the state is at the track's own time
            x, P, mu = modes.forecast(x, P, mu, latest - float(seen.time_s[j]), t.fallen)
        elif dt < 0.0 and latest > t.time_s:
            x, P, mu = modes.forecast(x, P, mu, latest - t.time_s, t.fallen)
        states.append((x, P, mu))
    weights = list(belief)
    none = 1.0 - float(np.sum(belief))
    if none > LEAST_BELIEF:
        states.append(modes.forecast(t.x, t.P, missed_mu, latest - t.time_s, t.fallen))
        weights.append(none)
    if len(states) == 1:
        x, P, mu = states[0]
    else:
        share = np.array(weights) / np.sum(weights)
        x, P, mu = modes.blend(*(np.stack([s[k] for s in states]) for k in range(3)), share)
    if not (np.isfinite(x).all() and np.isfinite(P).all()):
        return None
    fallen = t.fallen or bool(mu[LEVEL] < 0.5 and modes.too_fast_or_high(x[int(np.argmax(mu))]) and t.hits >= PARENT_HITS)
    return t._replace(x=x, P=P, mu=mu, time_s=latest, fallen=fallen)


def _watch(
    t: Track, scale: float, seen: Looks, plot: int, sensor: int, pd: float, heat: bool
) -> tuple[Track, float]:
    """Learn of a plot that is surely a track's: the sensor's noise, and whether the track can be right.

    In a crowd a track may take the range of one body from one radar and of another body from the next:
    ranges that agree on a place where nothing is. The angles then disagree, a little and always to one
    side. Where their mean does, the track is told that it knows its place no better than one plot.
    """
    look = [c[plot] for c in seen[1:5]]
    dt = float(seen.time_s[plot]) - t.time_s
    if t.hits < 8 or t.mu[BALLISTIC] < 0.9:
        return t, scale
    nis = modes.take_plot(t.x, t.P, t.mu, dt, *look, pd, heat, t.fallen)[4]
    scale = min(max(scale * math.exp(NOISE_GAIN * (min(nis, 4.0) - 1.0)), 1.0), LARGEST_NOISE)
    right, above = modes.angle_surprise(t.x, t.P, t.mu, dt, *look)
    lean = t.lean.copy()
    lean[sensor] = (1.0 - LEAN_GAIN) * lean[sensor] + LEAN_GAIN * np.clip([right, above], -4.0, 4.0)
    if float(np.hypot(*lean[sensor])) < LARGEST_LEAN:
        return t._replace(lean=lean), scale
    distance = float(np.linalg.norm(t.x[BALLISTIC, :3] - look[0]))
    across = distance * math.sqrt(max(float(look[3][0]), float(look[3][1])))
    P = t.P.copy()
    for i in range(3):
        P[:, i, i] += across**2
        P[:, 3 + i, 3 + i] += (across / LEAN_TIME_S) ** 2
    return t._replace(P=P, lean=np.zeros_like(lean)), scale


def _chance(
    t: Track, sensor: Sensor, position_m: Floats, local: Floats, time_s: float, pd: float, heat: bool
) -> tuple[Floats, float]:
    """Mode probabilities if a scan holds no plot of a track, and how probable a plot was."""
    best = int(np.argmax(t.mu))
    there = t.x[best, :3] + t.x[best, 3:6] * (time_s - t.time_s)
    if not in_view(there, position_m, local, sensor.field_of_view):
        return t.mu, 0.0
    mu, chance = modes.miss(t.x, t.mu, pd, heat)
    return mu, float(chance)


def _show(t: Track) -> Track:
    """Show a track that has earned it."""
    if not t.shown and t.hits >= FEWEST_HITS and t.existence > SHOWN_EXISTENCE:
        return t._replace(shown=True)
    return t


def _row(t: Track, last: bool) -> TrackRow:
    mean, covariance = modes.combine(t.x, t.P, t.mu)
    parent = track_name(t.parent) if t.parent else None
    return TrackRow(t.time_s, track_name(t.number), parent, phase(t), t.existence, mean, covariance, last)


def phase(t: Track) -> str:
    """The phase of a track, in the words of the results contract."""
    if t.mu[LEVEL] > 0.5 or (t.orbit and t.mu[THRUST] < 0.5):
        return "other"
    if t.mu[THRUST] > 0.5:
        return "boost"
    return "reentry" if modes.drag_m_s2(t.x[BALLISTIC]) > 0.1 * 9.80665 else "coast"


def _separate(
    state: TrackerState, seen: Looks, left: Floats, key: Key, pd: float, heat: bool
) -> tuple[TrackerState, Floats]:
    """Begin tracks of what may have left a body: plots near it that it did not claim."""
    sensor = state.sensors[key[0]]
    parents = [
        t
        for t in state.tracks
        if t.shown and t.fallen and t.existence > PARENT_EXISTENCE and t.hits >= PARENT_HITS and not t.orbit
    ]
    if heat or not parents:
        return state, left
    log_clutter = log_clutter_density(sensor)
    x0 = np.stack([t.x for t in parents])
    P0 = np.stack([t.P for t in parents])
    mu0 = np.stack([t.mu for t in parents])
    mu0[:, LEVEL] = 0.0
    mu0 /= mu0.sum(1, keepdims=True)
    time0 = np.array([t.time_s for t in parents])
    idle = np.zeros(len(parents), np.int64)
    fallen = np.array([t.fallen for t in parents], np.int64)
    some = [np.ascontiguousarray(c[left]) for c in seen[:5]]
    best: dict[int, tuple[float, int, float]] = {}
    for speed in SEPARATION_SPEEDS_M_S:
        track, plot, log_like = pairs(x0, _spread(P0, speed), mu0, time0, idle, fallen, *some, pd, heat)
        log_like = log_like + seen.log_area[left[plot]] - log_clutter
        for i, j, value in zip(track.tolist(), plot.tolist(), log_like.tolist(), strict=True):
            if j not in best or value > best[j][0]:
                best[j] = (value, i, speed)
    children = []
    number = state.next_number
    for j, (value, i, speed) in sorted(best.items()):
        odds = math.log(SEPARATIONS_A_SCAN / len(SEPARATION_SPEEDS_M_S)) + value
        existence = CHILD_EXISTENCE / (1.0 + math.exp(-max(min(odds, 50.0), -50.0)))
        if existence < DROPPED_EXISTENCE:
            continue
        parent = parents[i]
        plot = int(left[j])
        dt = float(seen.time_s[plot]) - parent.time_s
        P = _spread(P0[i : i + 1], speed)[0]
        x = x0[i].copy()
        if modes.drag_m_s2(x[BALLISTIC]) < 1.0:  # what separates need not be as dense as its parent
            x[BALLISTIC, 6] = modes.CHILD_LN_BETA_MEAN
            P[BALLISTIC, 6, :] = P[BALLISTIC, :, 6] = 0.0
        P[BALLISTIC, 6, 6] += modes.CHILD_LN_BETA_SIGMA**2
        x, P, mu, _, _ = modes.take_plot(
            x, P, mu0[i], dt, *(c[plot] for c in seen[1:5]), pd, heat, parent.fallen
        )
        now = max(parent.time_s, float(seen.time_s[plot]))
        at = float(seen.time_s[plot])
        children.append(
            Track(
                number, parent.number, now, x, P, mu, existence, 1, at, at, False, -math.inf, False, (key,),
                True, np.zeros_like(parent.lean),
            )  # fmt: skip
        )
        number += 1
    gone = {j for j in best}
    rest = np.array([p for k, p in enumerate(left.tolist()) if k not in gone], np.int64)
    return state._replace(tracks=(*state.tracks, *children), next_number=number), rest


def _spread(P: Floats, speed_m_s: float) -> Floats:
    """Covariances (n, 3, 9, 9) with the spread of a separation within the last SEPARATION_S added.

    A change of velocity of one sigma s at a time uniform over T adds s2 [[T2/3, T/2], [T/2, 1]].
    """
    out = P.copy()
    s2, T = speed_m_s**2, SEPARATION_S
    for i in range(3):
        out[:, :, i, i] += s2 * T * T / 3.0
        out[:, :, i, 3 + i] += s2 * T / 2.0
        out[:, :, 3 + i, i] += s2 * T / 2.0
        out[:, :, 3 + i, 3 + i] += s2
    return out


def _initiate(state: TrackerState, left: Looks, key: Key, time_s: float) -> TrackerState:
    """Try to make new tracks of the plots that nothing claimed, then keep them for a while."""
    sensors = state.sensors
    kind = sensors[key[0]].kind
    keep_s = np.array([min(POOL_SCANS * s.scan_period_s + (1.5 if s.kind == "optical" else 0.0), POOL_S) for s in sensors])
    pool = state.pool
    pool = initiation.keep(pool, pool.looks.time_s > time_s - keep_s[pool.sensor])
    fresh = initiation.make_pool(left, *key)
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
        first = float(min(family.looks.time_s[r] for r in begin.plots))
        t = Track(
            number, 0, begin.time_s, begin.x, begin.P, begin.mu, begin.existence, len(begin.plots), first,
            begin.time_s, False, -math.inf, False, recent[-RECENT:], False, np.zeros((len(sensors), 2)),
        )  # fmt: skip
        t = t._replace(parent=_parent_of(t, tracks))
        tracks.append(_show(t))
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


def _parent_of(t: Track, tracks: list[Track]) -> int:
    """The falling track that a new one may have left: near in position and velocity."""
    best, nearest = 0, 16.0  # squared sigmas
    x, P = modes.combine(t.x, t.P, t.mu)
    for other in tracks:
        if not other.shown or not other.fallen or other.orbit or t.mu[LEVEL] > 0.5:
            continue
        there, F = modes.move(BALLISTIC, other.x[BALLISTIC], t.time_s - other.time_s)
        spread = _spread((F @ other.P[BALLISTIC] @ F.T)[None, None], SEPARATION_SPEEDS_M_S[1])[0, 0, :6, :6]
        d = x - there[:6]
        distance = _mahalanobis2(d, P + spread)
        if distance < nearest:
            best, nearest = other.number, distance
    return best


def _mahalanobis2(d: Floats, covariance: Floats) -> float:
    """Squared distance in sigmas; a covariance that has lost its rank counts with a metre on top."""
    total = covariance + np.diag([1.0] * 3 + [1e-4] * 3)
    if not np.isfinite(total).all():
        return math.inf
    return float(d @ np.linalg.solve(total, d))


def _tidy(state: TrackerState) -> tuple[TrackerState, list[TrackRow]]:
    """End what is over, drop doubles, and carry on what has not been seen for a while."""
    now = state.now_s
    rows: list[TrackRow] = []
    tracks: list[Track] = []
    twins = _twins(state.tracks)
    for t in state.tracks:
        idle = now - t.hit_s
        level = t.mu[LEVEL] > 0.5
        best = int(np.argmax(t.mu))
        sigma = math.sqrt(max(float(np.trace(t.P[best, :3, :3])), 0.0))
        landed = height_m(*t.x[best, :3]) < 0.0 and float(t.x[best, :3] @ t.x[best, 3:6]) < 0.0
        gone = (
            t.number in twins
            or t.existence < (ENDED_EXISTENCE if t.shown else DROPPED_EXISTENCE)
            or idle > (LEVEL_MEMORY_S if level else LONGEST_MEMORY_S)
            or (not t.shown and idle > TENTATIVE_MEMORY_S)
            or sigma > WIDEST_SIGMA_M
            or landed
        )
        if gone:
            if t.shown and t.time_s > t.row_s:
                rows.append(_row(t, True))
            continue
        if t.shown and now - max(t.row_s, t.time_s) > FORECAST_ROW_S:
            x, P, mu = modes.forecast(t.x, t.P, t.mu, now - t.time_s, t.fallen)
            t = t._replace(x=x, P=P, mu=mu, time_s=now)
            rows.append(_row(t, False))
            t = t._replace(row_s=now)
        tracks.append(t)
    return state._replace(tracks=tuple(tracks)), rows


def _twins(tracks: tuple[Track, ...]) -> set[int]:
    """Tracks to drop because another one follows the same object.

    Two tracks are one object's where they lie within their errors of each other and never took plots
    of the same scan: two objects would have.
    """
    drop: set[int] = set()
    if len(tracks) < 2:
        return drop
    best = [int(np.argmax(t.mu)) for t in tracks]
    x = np.stack([t.x[b, :6] for t, b in zip(tracks, best, strict=True)])
    sigma = np.array([math.sqrt(max(float(np.trace(t.P[b, :3, :3])), 0.0)) for t, b in zip(tracks, best, strict=True)])
    time_s = np.array([t.time_s for t in tracks])
    order = np.argsort(x[:, 0], kind="stable")
    reach = 5.0 * float(sigma.max()) + 8e3 * float(time_s.max() - time_s.min())
    for a in range(len(order)):
        for b in range(a + 1, len(order)):
            i, k = int(order[a]), int(order[b])
            if x[k, 0] - x[i, 0] > reach:
                break
            if np.abs(x[k, :3] - x[i, :3]).max() > 5.0 * (sigma[i] + sigma[k]) + 9e3 * abs(time_s[i] - time_s[k]):
                continue
            s, t = tracks[i], tracks[k]
            if s.number in drop or t.number in drop or set(s.recent) & set(t.recent):
                continue
            if min(s.hits, t.hits) < 2 or s.hits + t.hits < 8:
                continue
            early, late = (s, t) if s.time_s <= t.time_s else (t, s)
            xe, Pe, me = modes.forecast(early.x, early.P, early.mu, late.time_s - early.time_s, early.fallen)
            m1, P1 = modes.combine(xe, Pe, me)
            m2, P2 = modes.combine(late.x, late.P, late.mu)
            d = m1 - m2
            if _mahalanobis2(d, P1 + P2) < 12.0:
                weaker = min((s, t), key=lambda q: (q.hits, -q.number))
                drop.add(weaker.number)
    return drop


def mark_orbit(state: TrackerState, number: int, orbit: bool) -> TrackerState:
    """Note of a track whether its flight was found to stay above the air."""
    tracks = tuple(t._replace(orbit=orbit) if t.number == number else t for t in state.tracks)
    return state._replace(tracks=tracks)
