"""Replays of a stage whose orbit decays: windows are causal, the same twice, and go on from a saved state."""

import operator
import pickle
from functools import partial

import numpy as np
import pytest

from tocsin.earth.ellipsoid import ecef_to_geodetic
from tocsin.formats.gazetteer import shipped_gazetteer
from tocsin.record import replay
from tocsin.record.history import follow, windows
from tocsin.record.replay import replay_events
from tocsin.simulation.run import simulate
from tocsin.simulation.scenario import read_scenario
from tocsin.simulation.table import Spread

SHORT_S = 6900.0  # of which three passes are seen


@pytest.fixture(scope="module")
def recording():
    """The beginning of a decay of some hours, with few false plots."""
    scenario = read_scenario("decay")
    orbit = scenario.orbits[0]._replace(
        perigee_m=Spread(152e3, 152e3), apogee_above_m=Spread(5e3, 5e3),
        ballistic_coefficient_kg_m2=Spread(80.0, 80.0), density=Spread(0.9, 0.9),
    )  # fmt: skip
    sensors = tuple(s._replace(scan_period_s=10.0, false_plots_per_scan=0.02) for s in scenario.sensors[:2])
    return simulate(scenario._replace(orbits=(orbit,), sensors=sensors), 6, bound=False)


@pytest.fixture(scope="module")
def early(recording):
    """Its first plots."""
    return recording.plots.rows(recording.plots.received_s < recording.scenario.start_s + SHORT_S)


@pytest.fixture(scope="module")
def told(recording, early):
    return [w for e in replay_events(recording.sensors, early, shipped_gazetteer(), 0.0) for w in e.windows]


def plain(found):
    """All that windows hold, as bytes."""
    return [
        pickle.dumps((*w[:8], w.window and [np.asarray(v).tolist() for v in w.window], w.reason))
        for w in found
    ]


def test_windows_hold_the_truth_and_nobody_is_told(recording, early, told):
    path = recording.paths[0]
    height = ecef_to_geodetic(path.state[:, :3])[2]
    entry_s = path.time_s[np.flatnonzero(height < 80e3)[0]]
    seen = [w for w in told if w.window is not None]
    assert [w.passes for w in seen] == list(range(1, len(seen) + 1))
    assert len(seen) >= 3
    for one in seen:
        late = one.state_s + np.nan_to_num(one.window.entry_quantiles_s, nan=np.inf)
        assert late[0] < entry_s < late[-1]
    events = replay_events(recording.sensors, early, shipped_gazetteer(), 0.0)
    assert not any(e.messages for e in events)


def test_what_was_told_does_not_hang_on_later_plots(recording, early, told):
    cut_s = told[1].issued_s + 600.0
    some = early.rows(early.received_s < cut_s)
    again = [w for e in replay_events(recording.sensors, some, shipped_gazetteer(), 0.0) for w in e.windows]
    assert plain(w for w in again if w.issued_s < cut_s) == plain(w for w in told if w.issued_s < cut_s)


def test_a_line_that_is_saved_and_resumed_tells_the_same(recording, early, told):
    state = replay.start(recording.sensors)
    found, i, saved = [], 0, 0
    while True:
        moment, batch, i = replay.arriving(early, i, replay.next_deadline(state))
        if moment > early.received_s[-1] + replay.LONGEST_END_S:
            break
        state, event = replay.advance(
            state, batch, moment, partial(operator.add, moment, 0.0), shipped_gazetteer()
        )
        found += event.windows
        if saved < len(found) or i == early.count // 2:  # after each window, and in the midst of a pass
            saved = len(found)
            watch = pickle.loads(pickle.dumps(state.watch))  # noqa: S301  # our own
            state = state._replace(watch=watch)
    assert plain(found) == plain(told)


def test_inspect_has_the_windows_of_the_replay(recording, early, told):
    history = follow(recording.sensors, early)
    assert plain(windows(history, early)) == plain(told)
    assert windows(history, early, told[0].issued_s - 1.0) == ()
