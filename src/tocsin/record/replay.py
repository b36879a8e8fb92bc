"""Plots through the whole line: tracker, predictor, warning policy.

A replay and a live run go through `advance`: what happens next depends on what has been received
so far, and on nothing else. Between plots, time moves on by the deadlines that the parts ask for.
"""

from __future__ import annotations

import math
import operator
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import NamedTuple

from tocsin.earth.motion import BALLISTIC
from tocsin.formats.words import shipped_words
from tocsin.prediction import decay_watch
from tocsin.prediction.decay_watch import Orbits
from tocsin.prediction.forecast import DecayWindow, Forecast
from tocsin.prediction.predictor import predict_many
from tocsin.prediction.priors import PRIORS, Priors
from tocsin.sensors.plots import Plots, Sensor
from tocsin.tracking import tracker
from tocsin.tracking.belief import TrackerState
from tocsin.tracking.modes import drag_m_s2
from tocsin.tracking.tracks import Track, TrackRow, track_name
from tocsin.warning import policy
from tocsin.warning.alert import Message
from tocsin.warning.gazetteer import Gazetteer
from tocsin.warning.phrases import Words
from tocsin.warning.settings import Settings

# A track's impact is computed anew when so much of the time left has gone by, within bounds, and sooner
# while the track is young or brakes so hard that every plot tells of its ballistic coefficient.
FORECAST_SHARE = 1.0 / 30.0
SHORTEST_EVERY_S, LONGEST_EVERY_S = 2.0, 10.0
FIRST_FORECASTS = 6
YOUNG_EVERY_S = 1.0
HARD_DRAG_M_S2 = 20.0
MANY_DUE = 8  # tracks to be predicted at once, from which on two threads share them
# After the last plot, time goes on until nothing waits, but no longer than this.
LONGEST_END_S = 6 * 3600.0


class Watch(NamedTuple):
    """What the line knows before anything is decided: the tracker, and when each track was last predicted."""

    tracker: TrackerState
    # track number -> time of its last forecast, time left then, how many there were
    forecast: Mapping[int, tuple[float, float, int]]
    priors: Priors = PRIORS  # what is believed of bodies before they are measured
    orbits: Orbits = Orbits()  # low ones, that may decay


class LineState(NamedTuple):
    """All that the line knows."""

    watch: Watch
    policy: policy.State


class Observation(NamedTuple):
    """What a moment brought before anything was decided."""

    at_s: float  # when it was known, on the clock of the plots
    rows: tuple[TrackRow, ...]
    forecasts: tuple[Forecast, ...]
    live: tuple[str, ...]  # tracks that are shown
    windows: tuple[DecayWindow, ...] = ()  # of orbits that decay


class Event(NamedTuple):
    """What a moment brought."""

    at_s: float  # when it was decided, on the clock of the plots
    rows: tuple[TrackRow, ...]
    forecasts: tuple[Forecast, ...]
    messages: tuple[Message, ...]
    changes: tuple[policy.Happening, ...]  # of incidents
    windows: tuple[DecayWindow, ...] = ()  # of orbits that decay


def begin(sensors: tuple[Sensor, ...], priors: Priors = PRIORS) -> Watch:
    """A watch that has seen nothing."""
    return Watch(tracker.start(sensors), {}, priors, Orbits(kinds=priors.kinds))


def start(
    sensors: tuple[Sensor, ...], settings: Settings = policy.DEFAULTS, words: Words | None = None,
    priors: Priors = PRIORS,
) -> LineState:  # fmt: skip
    """A line that has seen nothing. words: None for those that come with the program."""
    return LineState(begin(sensors, priors), policy.start(words or shipped_words(), settings))


def next_deadline(state: LineState) -> float:
    """When something is due even if no plot comes; infinite where nothing is."""
    due = policy.next_deadline(state.policy)
    return min(watch_deadline(state.watch), math.inf if due is None else due)


def watch_deadline(watch: Watch) -> float:
    """When tracker or windows have something to do even if no plot comes; infinite where they have not."""
    return min(tracker.next_deadline(watch.tracker), decay_watch.next_due(watch.orbits))


def observe(
    watch: Watch, plots: Plots | None, received_s: float, clock: Callable[[], float]
) -> tuple[Watch, Observation | None]:
    """Take what was received at a moment; None where neither the tracker nor windows had anything to do.

    clock tells when the forecasts made of it are done, on the clock of the plots: it is asked once.
    """
    following, output = tracker.step(watch.tracker, plots, received_s)
    orbits, windows = decay_watch.step(watch.orbits, received_s)
    if output is None:
        watch = watch._replace(tracker=following, orbits=orbits)
        if not windows:
            return watch, None
        known_s = clock()
        live = tuple(track_name(number) for number in tracker.shown(following, received_s))
        return watch, Observation(known_s, (), (), live, dated(windows, known_s))
    last = dict(watch.forecast)
    changed = [tracker.track(following, number) for number in output.changed]
    due = [track for track in changed if _due(track, last)]
    kinds, release = watch.priors
    forecasts = predict_many(due, received_s, kinds, release=release, threads=1 if len(due) < MANY_DUE else 2)
    for track, forecast in zip(due, forecasts, strict=True):
        left_s = forecast.impact_time_s - track.time_s
        last[track.number] = (track.time_s, left_s, last.get(track.number, (0.0, 0.0, 0))[2] + 1)
        if forecast.stays_up != track.orbit:
            following = tracker.mark_orbit(following, track.number, forecast.stays_up)
    orbits, ended = decay_watch.noted(orbits, zip(due, forecasts, strict=True), received_s)
    alive = set(output.shown)
    last = {number: value for number, value in last.items() if number in alive}
    known_s = clock()
    live = tuple(track_name(number) for number in tracker.shown(following, received_s))
    told = dated((*windows, *ended), known_s)
    made = tuple(one._replace(issued_s=known_s) for one in forecasts)
    watch = watch._replace(tracker=following, forecast=last, orbits=orbits)
    return watch, Observation(known_s, output.rows, made, live, told)


def dated(windows: tuple[DecayWindow, ...], known_s: float) -> tuple[DecayWindow, ...]:
    """Windows, as issued when they were known."""
    return tuple(one._replace(issued_s=known_s) for one in windows)


def advance(
    state: LineState,
    plots: Plots | None,
    received_s: float,
    clock: Callable[[], float],
    gazetteer: Gazetteer,
) -> tuple[LineState, Event]:
    """Take what was received at a moment, and decide. clock is as for `observe`."""
    watch, seen = observe(state.watch, plots, received_s, clock)
    due = policy.next_deadline(state.policy)
    if seen is None:
        at_s = clock()
        # a plot that tells the tracker nothing yet makes nothing due sooner
        if due is None or due > received_s:
            return LineState(watch, state.policy), Event(at_s, (), (), (), ())
        live = tuple(track_name(number) for number in tracker.shown(watch.tracker, received_s))
        seen = Observation(at_s, (), (), live)
    decided, said = policy.step(state.policy, seen.at_s, seen.forecasts, seen.live, gazetteer)
    event = Event(seen.at_s, seen.rows, seen.forecasts, said.messages, said.changes, seen.windows)
    return LineState(watch, decided), event


def _due(track: Track, last: Mapping[int, tuple[float, float, int]]) -> bool:
    """Whether a track that took a plot is to be predicted anew."""
    if track.number not in last:
        return True
    at, left_s, count = last[track.number]
    every = LONGEST_EVERY_S
    if count < FIRST_FORECASTS or drag_m_s2(track.x[BALLISTIC]) > HARD_DRAG_M_S2:
        every = YOUNG_EVERY_S
    elif not math.isnan(left_s):
        every = min(max(FORECAST_SHARE * left_s, SHORTEST_EVERY_S), LONGEST_EVERY_S)
    return track.time_s - at >= every


def arriving(plots: Plots, i: int, deadline_s: float) -> tuple[float, Plots | None, int]:
    """The next moment of a run, the plots that arrive then if any, and the row after them.

    plots stand in the order of arrival, of which those from row i on are still to come; deadline_s: when something is
    due though none comes.
    """
    arrival = float(plots.received_s[i]) if i < plots.count else math.inf
    if arrival > deadline_s or math.isinf(arrival):
        return deadline_s, None, i
    first = i
    while i < plots.count and plots.received_s[i] <= arrival:
        i += 1
    return arrival, plots.rows(slice(first, i)), i


def replay_events(
    sensors: tuple[Sensor, ...],
    plots: Plots,
    gazetteer: Gazetteer,
    latency_s: float | None = None,
    settings: Settings = policy.DEFAULTS,
    words: Words | None = None,
    priors: Priors = PRIORS,
) -> Iterator[Event]:
    """The events of a replay, one for each moment at which something happened, in order.

    plots stand in the order of arrival. latency_s: how long a decision is taken to need; None
    measures the time that it really took, and a decision waits for the one before it.
    settings: what the policy goes by. words: None for those that come with the program. priors: of forecasts.
    """
    state = start(sensors, settings, words, priors)
    i = 0
    free_s = -math.inf  # when the last decision was done
    stop_s = (float(plots.received_s[-1]) if plots.count else 0.0) + LONGEST_END_S
    while True:
        moment, batch, i = arriving(plots, i, next_deadline(state))
        if moment > stop_s or math.isinf(moment):
            return
        if latency_s is not None:
            clock = partial(operator.add, moment, latency_s)
        else:
            clock = partial(_elapsed, time.perf_counter(), max(moment, free_s))
        state, event = advance(state, batch, moment, clock, gazetteer)
        if latency_s is None:
            free_s = clock()
        if event.rows or event.forecasts or event.messages or event.changes or event.windows:
            yield event


def _elapsed(begun_s: float, begin_s: float) -> float:
    """A moment that was begun at begin_s, moved on by the time that has really passed since."""
    return begin_s + time.perf_counter() - begun_s
