"""Replays: causal, repeatable, and quiet where there is nothing."""

import itertools
import pickle

import numpy as np
import pytest

from tocsin.formats.gazetteer import shipped_gazetteer
from tocsin.formats.words import shipped_words
from tocsin.record.campaign import decide, observations
from tocsin.record.replay import replay_events
from tocsin.simulation.run import simulate
from tocsin.simulation.scenario import read_scenario
from tocsin.warning.settings import Settings

LATENCY_S = 0.25


@pytest.fixture(scope="module")
def gazetteer():
    return shipped_gazetteer()


@pytest.fixture(scope="module")
def recording():
    """One body of the short-range salvo, from first plot to impact, with late plots and doubles, half the scans."""
    scenario = read_scenario("short-salvo")
    scenario = scenario._replace(
        launches=(scenario.launches[0]._replace(copies=1),),
        sensors=tuple(
            s._replace(
                scan_period_s=2.0 * s.scan_period_s,
                late_fraction=0.03,
                late_mean_s=6.0,
                doubled_fraction=0.03,
                false_plots_per_scan=4.0,
            )
            for s in scenario.sensors
        ),
        received=True,
    )
    return simulate(scenario, 3, bound=False)


@pytest.fixture(scope="module")
def events(recording, gazetteer):
    return list(replay_events(recording.sensors, recording.plots, gazetteer, 0.0))


@pytest.fixture(scope="module")
def delayed(recording, gazetteer):
    return list(replay_events(recording.sensors, recording.plots, gazetteer, LATENCY_S))


def frozen(events):
    """Everything that events hold, as bytes."""
    return [pickle.dumps(e._replace(forecasts=[plain(f) for f in e.forecasts])) for e in events]


def plain(forecast):
    return (*forecast[:7], None if forecast.area is None else forecast.area.wkb, *forecast[8:])


def test_a_body_is_warned_of_before_it_comes_down(recording, events):
    down = next(p.impact for p in recording.paths if p.impact is not None)
    messages = [m for e in events for m in e.messages]
    forecasts = [f for e in events for f in e.forecasts if f.area is not None]
    assert messages
    assert forecasts
    assert min(e.at_s for e in events if e.messages) < down.time_s - 60.0
    near = [f for f in forecasts if f.issued_s < down.time_s]
    assert abs(near[-1].impact_time_s - down.time_s) < 10.0
    assert [e.at_s for e in events] == sorted(e.at_s for e in events)


@pytest.mark.parametrize("share", [0.35, 0.6, 0.85])
def test_what_was_issued_does_not_hang_on_later_plots(recording, events, gazetteer, share):
    plots = recording.plots
    cut_s = float(np.quantile(plots.received_s, share))
    early = plots.rows(plots.received_s < cut_s)
    assert 0 < early.count < plots.count
    again = replay_events(recording.sensors, early, gazetteer, 0.0)
    before, before_again = ([e for e in all_of if e.at_s < cut_s] for all_of in (events, again))
    assert before
    assert frozen(before) == frozen(before_again)


def test_the_same_twice_with_a_constant_latency(recording, events, delayed, gazetteer):
    again = list(replay_events(recording.sensors, recording.plots, gazetteer, LATENCY_S))
    assert frozen(delayed) == frozen(again)
    assert [e.at_s for e in delayed][:5] == pytest.approx([e.at_s + LATENCY_S for e in events][:5])


def test_real_latency_changes_when_but_not_what_is_tracked(recording, events, gazetteer):
    timed = list(replay_events(recording.sensors, recording.plots, gazetteer))
    rows, timed_rows = ([r for e in all_of for r in e.rows] for all_of in (events, timed))
    assert len(rows) == len(timed_rows)
    assert all(
        (a.state == b.state).all() and a.time_s == b.time_s for a, b in zip(rows, timed_rows, strict=True)
    )
    assert all(b.at_s >= a.at_s for a, b in itertools.pairwise(timed))


def test_an_empty_recording_gives_nothing(recording, gazetteer):
    nothing = recording.plots.rows(slice(0, 0))
    assert list(replay_events(recording.sensors, nothing, gazetteer, 0.0)) == []


def test_decided_again_over_what_was_observed_it_is_the_same_replay(recording, delayed, gazetteer):
    """What `tocsin policy` counts is what a replay would have sent."""
    seen = list(observations(recording.sensors, recording.plots, LATENCY_S))
    again = decide(seen, gazetteer, shipped_words(), LATENCY_S)
    assert again.messages == tuple(m for e in delayed for m in e.messages)
    assert again.changes == tuple(c for e in delayed for c in e.changes)
    assert len(again.messages) > 3
    other = decide(seen, gazetteer, shipped_words(), LATENCY_S, Settings(cost_loss_per_km2=1e-2))
    assert other.messages[0].sent_s > again.messages[0].sent_s
