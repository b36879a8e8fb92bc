"""What befell each track of a recording, gathered while the tracker runs over it once more.

The tracker sees the same plots in the same order as in a replay, and so finds the same tracks with the same numbers.
Nothing is predicted (but for low orbits, by `windows`), so that of a body that stays in orbit nobody says so: its phase
is "coast" to the end, where a replay says "other".
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from tocsin.earth.ellipsoid import up_and_height
from tocsin.prediction.decay import is_low
from tocsin.prediction.forecast import DecayWindow
from tocsin.record.campaign import observations
from tocsin.record.replay import LONGEST_END_S, arriving
from tocsin.sensors.models import looks, residual_and_row
from tocsin.sensors.plots import Floats, Plots, Sensor
from tocsin.tracking import imm, life, modes, tracker
from tocsin.tracking.belief import PLOTS_OF_A_SCAN, Belief, Output, TrackerState
from tocsin.tracking.tracks import Table, TrackRow, track_name
from tocsin.tracking.waiting import LATEST_S, SCAN_GRACE, Key

RIVAL_SIGMAS = 5.0  # of position and velocity, within which another track lies in the way
ORDER = (1, 2, 0, 3)  # `Looks` begin with the angles, `Plots.measured` with the range


class Change(NamedTuple):
    """A phase that a track came into."""

    time_s: float
    phase: str
    mu: (
        tuple[float, ...] | None
    )  # (3,) probabilities of free flight, thrust, level flight; None where it just ended


class Taken(NamedTuple):
    """A plot that a track took."""

    time_s: float
    sensor: int
    scan: int
    measured: tuple[float, ...]  # (4,) as in `Plots`
    sigmas: (
        tuple[float, ...] | None
    )  # (4,) of each number, by which it was off; None of plots that a track began with


class Rival(NamedTuple):
    """Another track that lies within the errors of a track."""

    name: str
    reported: bool
    sigmas: float
    distance_m: float
    speed_m_s: float  # relative
    existence: float


@dataclass
class Story:
    """One reported track, as it went."""

    name: str
    parent: str | None
    first_s: float
    last_s: float = -math.inf
    existence: float = math.nan
    state: Floats | None = None  # (6,) of its last report
    phases: list[Change] = field(default_factory=list)
    plots: dict[Key, Taken] = field(default_factory=dict)
    follows: list[tuple[float, int, int]] = field(
        default_factory=list
    )  # since when which sensor (-1 all), partner


@dataclass
class History:
    """All reported tracks of a run, up to a time."""

    sensors: tuple[Sensor, ...]
    state: TrackerState
    stories: dict[str, Story] = field(default_factory=dict)
    born_s: dict[int, float] = field(default_factory=dict)  # number -> time of birth
    family: dict[int, int] = field(default_factory=dict)
    known_as: dict[int, int] = field(
        default_factory=dict
    )  # number -> the one that it was last reported under
    scans: dict[int, tuple[Key, Plots]] = field(default_factory=dict)  # number of a scan -> it
    seen: TrackerState | None = None  # the last one that holds the track that is asked for
    late: list[int] = field(default_factory=list)  # plots of each sensor that came after their scan was over
    too_late: list[int] = field(default_factory=list)


def follow(
    sensors: tuple[Sensor, ...],
    plots: Plots,
    until_s: float = math.inf,
    number: int = 0,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> History:
    """Run the tracker over plots in the order of arrival. number: of the track that is asked for."""
    state = tracker.start(sensors)
    history = History(sensors, state, late=[0] * len(sensors), too_late=[0] * len(sensors))
    i, n = 0, plots.count
    stop_s = min(until_s, (float(plots.received_s[-1]) if n else 0.0) + LONGEST_END_S)
    while True:
        moment, batch, i = arriving(plots, i, tracker.next_deadline(state))
        if moment > stop_s or math.isinf(moment):
            return history
        if batch is not None:
            _count_late(history, batch)
            tell(i, n)
        state, output = tracker.step(state, batch, moment)
        history.state = state
        if output is not None:
            _note(history, output, number)


def alive(history: History, story: Story) -> bool:
    """Whether a track has not ended."""
    return int(story.name[1:]) in history.state.belief.table.name.tolist()


def windows(
    history: History,
    plots: Plots,
    until_s: float = math.inf,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[DecayWindow, ...]:
    """The windows of a replay of the same plots up to a time; nothing is run where no track is on a low orbit."""
    low = any(s.state is not None and is_low(s.state) for s in history.stories.values())
    found: list[DecayWindow] = []
    if not low:
        return ()
    end_s = max(float(plots.received_s[-1]), 1.0)
    begin_s = float(plots.received_s[0])
    for seen in observations(history.sensors, plots, 0.0):
        if seen.at_s > until_s:
            break
        found += seen.windows
        tell(int(min(seen.at_s, end_s) - begin_s), int(end_s - begin_s) + 1)
    return tuple(found)


def _count_late(history: History, plots: Plots) -> None:
    periods = np.array([s.scan_period_s for s in history.sensors])[plots.sensor]
    delay = plots.received_s - plots.time_s
    for sensor in plots.sensor[delay > LATEST_S + periods].tolist():
        history.too_late[sensor] += 1
    for sensor in plots.sensor[
        (delay > (1.0 + SCAN_GRACE) * periods) & (delay <= LATEST_S + periods)
    ].tolist():
        history.late[sensor] += 1


def _note(history: History, output: Output, number: int) -> None:
    """Add what a step brought."""
    state = history.state
    table, h = state.belief.table, state.belief.states
    for past in reversed(state.past):
        found = history.scans.get(past.number)
        if found is not None and found[1] is past.plots:
            break
        history.scans[past.number] = past.key, past.plots
    for row in output.rows:
        _report(history, row)
    recent = h.recent.tolist()
    named = table.name.tolist()
    columns = (table.number, table.family, table.seed_s, table.only, table.partner)
    for i, (own, family, seed_s, only, partner) in enumerate(
        zip(*(c.tolist() for c in columns), strict=True)
    ):
        history.born_s.setdefault(own, seed_s)
        history.family[own] = family
        story = history.stories.get(track_name(named[i]))
        history.known_as[own] = named[i]
        if story is None:
            continue
        if not story.follows or story.follows[-1][1:] != (only, partner):
            story.follows.append((state.now_s, only, partner))
        for plot in recent[i]:
            if plot >= 0:
                _take(history, story, plot, own, named[i] == number)
    if number in named:
        history.seen = state


def _report(history: History, row: TrackRow) -> None:
    story = history.stories.setdefault(row.track, Story(row.track, row.parent, row.time_s))
    story.first_s, story.last_s = min(row.time_s, story.first_s), max(row.time_s, story.last_s)
    story.existence, story.parent, story.state = row.existence, row.parent, row.state
    if not story.phases or story.phases[-1].phase != row.phase:
        try:
            mu = tuple(tracker.track(history.state, int(row.track[1:])).mu.tolist())
        except KeyError:
            mu = None
        story.phases.append(Change(row.time_s, row.phase, mu))


def _take(history: History, story: Story, plot: int, own: int, asked: bool) -> None:
    """Note a plot, by its number, that the track numbered own has taken."""
    number, index = divmod(plot, PLOTS_OF_A_SCAN)
    scan, plots = history.scans.get(number, ((0, 0), None))
    if plots is None or index >= plots.count:
        return
    time_s, measured = float(plots.time_s[index]), tuple(plots.measured[index].tolist())
    known = story.plots.get(scan)
    # a track has one plot of a scan: what is believed last counts
    if known is None or (known.time_s, known.measured[1:3]) != (time_s, measured[1:3]):
        sigmas = _off(history, number, index, own) if asked else None
        story.plots[scan] = Taken(time_s, *scan, measured, sigmas)


def _off(history: History, scan: int, index: int, own: int) -> tuple[float, ...] | None:
    """By how many sigmas each number of a plot was off what the track said before."""
    past = next((p for p in reversed(history.state.past) if p.number == scan), None)
    before = None if past is None else past.before
    if past is None or before is None or len(found := np.flatnonzero(before.table.number == own)) == 0:
        return None
    h, offsets = before.states, before.offsets
    i = int(found[0])
    mode = int(h.mu[i].argmax())
    seen = looks(
        past.plots.rows(slice(index, index + 1)), history.sensors, before.scale, history.state.columns
    )
    dt = float(seen.time_s[0] - h.time_s[i])
    x, F = modes.move(mode, h.x[i, mode], dt)
    P = F @ h.P[i, mode] @ F.T
    modes.add_noise(mode, x, P, dt)
    A, H = (F @ h.A[i, mode])[:6], np.zeros(6)
    out = [math.nan] * 4
    for q in range(4):
        residual, _ = residual_and_row(q, x, seen.position_m[0], seen.axes[0], seen.measured[0], H)
        B = H @ A
        if (column := int(seen.column[0, q])) >= 0:
            residual -= seen.lever[0, q] * offsets.mean[column]
            B[column] += seen.lever[0, q]
        S = H @ P[:6, :6] @ H + B @ offsets.P @ B + seen.variance[0, q]
        out[ORDER[q]] = float(residual / math.sqrt(S))
    return tuple(out)


class Standing(NamedTuple):
    """Where a track was when it was last held, and how well that was known."""

    height_m: float
    climb_m_s: float
    speed_m_s: float
    sigma_m: float  # root of the sum of the three variances
    unseen_s: float  # since its last plot


def standing(state: TrackerState, number: int) -> Standing:
    """How a track stands in a state that holds it."""
    table = state.belief.table
    rows = np.flatnonzero(table.name == number)
    x, P = _at(table, state.belief, int(rows[0]), state.now_s)
    *_, height_m = up_and_height(x[0], x[1], x[2])
    climb_m_s, speed_m_s = float(x[:3] @ x[3:] / np.linalg.norm(x[:3])), float(np.linalg.norm(x[3:]))
    sigma_m = math.sqrt(float(np.trace(P[:3, :3])))
    return Standing(height_m, climb_m_s, speed_m_s, sigma_m, state.now_s - float(table.hit_s[rows].max()))


def rivals(state: TrackerState, number: int) -> list[Rival]:
    """The tracks that lie within RIVAL_SIGMAS of a track, the nearest first."""
    table, h = state.belief.table, state.belief.states
    named = table.name
    mine = int(np.flatnonzero(named == number)[0])
    reported = set(tracker.shown(state, state.now_s))
    out = []
    for i in np.flatnonzero(named != number).tolist():
        at_s = float(max(h.time_s[mine], h.time_s[i]))
        a, P = _at(table, state.belief, mine, at_s)
        b, Q = _at(table, state.belief, i, at_s)
        sigmas = math.sqrt(max(life.squared_distance(a - b, P + Q), 0.0))
        if sigmas < RIVAL_SIGMAS:
            apart = (float(np.linalg.norm((a - b)[:3])), float(np.linalg.norm((a - b)[3:])))
            name = track_name(int(named[i]))
            out.append(Rival(name, int(named[i]) in reported, sigmas, *apart, float(table.existence[i])))
    return sorted(out, key=lambda r: r.sigmas)


def _at(table: Table, belief: Belief, i: int, at_s: float) -> tuple[Floats, Floats]:
    t = life.track_at(table, belief.states, i, belief.offsets.P, at_s)
    return imm.combine(t.x, t.P, life.NO_A, t.mu, life.NO_OFFSETS)
