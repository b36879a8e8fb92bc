"""Plots out of order: those that come late, twice, or too late; and states that are laid by and taken up again."""

import pickle

import numpy as np
import pytest

from tocsin.tracking import tracker
from tocsin.tracking.waiting import LATEST_S

from ..sensors.geometry import sensor
from . import scenes
from .scenes import PERIOD_S, falling_body, radar, scans, together

OF = radar()
OTHER = scenes.radar("t", longitude_deg=36.5, period_s=3.0)
COUNT = 40


@pytest.fixture(scope="module")
def one():
    """A body among false plots, seen by one radar."""
    times_s = 0.3 + PERIOD_S * np.arange(COUNT)
    return (OF,), scans(OF, [(times_s, falling_body(OF, times_s))], COUNT, np.random.default_rng(1))


@pytest.fixture(scope="module")
def two():
    """The same, seen by two radars of different periods."""
    rng = np.random.default_rng(2)
    parts = []
    for index, (of, start_s, period_s, count) in enumerate(((OF, 0.3, 2.0, COUNT), (OTHER, 0.9, 3.0, 27))):
        times_s = start_s + period_s * np.arange(count)
        all_s = np.unique(np.concatenate([[0.3], times_s]))
        states = falling_body(OF, all_s)[np.isin(all_s, times_s)]
        parts.append(scans(of, [(times_s, states)], count, rng, index=index))
    return (OF, OTHER), together(*parts)


def go(state, plots, until_s=None):
    """Rows and last state after plots, batches as received; then time moves on to until_s."""
    rows = []

    def advance(batch, now_s):
        nonlocal state
        state, output = tracker.step(state, batch, now_s)
        if output is not None:
            rows.extend(output.rows)

    for moment in np.unique(plots.received_s):
        while tracker.next_deadline(state) < moment:
            advance(None, tracker.next_deadline(state))
        advance(plots.rows(plots.received_s == moment), float(moment))
    while until_s is not None and tracker.next_deadline(state) < until_s:
        advance(None, tracker.next_deadline(state))
    if until_s is not None:
        advance(None, until_s)
    return rows, state


def delayed(plots, which, delay_s):
    received = plots.received_s.copy()
    received[which] = plots.time_s[which] + delay_s
    return scenes.in_order(plots._replace(received_s=received))


def alike(rows, others):
    return len(rows) == len(others) and all(
        a[:5] == b[:5]
        and a.last == b.last
        and (a.state == b.state).all()
        and (a.covariance == b.covariance).all()
        for a, b in zip(rows, others, strict=True)
    )


def standing(state):
    """The shown tracks by name: state and covariance of each."""
    return {n: tracker.track(state, n) for n in tracker.shown(state, state.now_s)}


END_S = COUNT * PERIOD_S + 5.0


@pytest.fixture(scope="module")
def one_in_order(one):
    """What `go` gives of it, nothing being late."""
    sensors, plots = one
    return go(tracker.start(sensors), plots, END_S)


@pytest.fixture(scope="module")
def two_in_order(two):
    sensors, plots = two
    return go(tracker.start(sensors), plots, END_S)


@pytest.mark.parametrize("share", [0.1, 0.5])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_late_plots_end_in_the_tracks_of_the_run_in_order(one, one_in_order, share, seed):
    """A tenth, or half, of all plots 1 to 30 s late: the scans are taken in the same order, so nothing differs.

    The track keeps its name when its beginning is taken again.
    """
    sensors, plots = one
    rng = np.random.default_rng(seed)
    late = np.flatnonzero((rng.random(plots.count) < share) & (plots.time_s < END_S - 40.0))
    assert len(late) > 5
    _, straight = one_in_order
    rows, state = go(tracker.start(sensors), delayed(plots, late, rng.uniform(1.0, 30.0, len(late))), END_S)
    assert len({row.track for row in rows}) == 1
    assert (state.doubles, state.too_late) == (0, 0)
    assert len(standing(straight)) == len(standing(state)) == 1
    (t,), (ours,) = standing(straight).values(), standing(state).values()
    assert ours.hits == t.hits
    assert ours.time_s == pytest.approx(t.time_s, abs=1e-6)
    np.testing.assert_allclose(ours.x[0, :6], t.x[0, :6], rtol=0, atol=1e-6)
    np.testing.assert_allclose(ours.P, t.P, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(ours.mu, t.mu, atol=1e-9)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_late_plots_of_two_radars(two, two_in_order, seed):
    """Which of two radars' scans comes first may differ: then by what the order of a few seconds is worth."""
    sensors, plots = two
    rng = np.random.default_rng(seed)
    late = np.flatnonzero((rng.random(plots.count) < 0.2) & (plots.time_s < END_S - 40.0))
    _, straight = two_in_order
    _, state = go(tracker.start(sensors), delayed(plots, late, rng.uniform(1.0, 30.0, len(late))), END_S)
    expected, found = standing(straight), standing(state)
    assert len(expected) == len(found) == 1
    (t,), (ours,) = expected.values(), found.values()
    assert ours.hits == t.hits
    assert ours.time_s == pytest.approx(t.time_s, abs=1e-6)
    sigma = np.sqrt(np.diag(t.P[0])[:6])
    np.testing.assert_allclose((ours.x[0, :6] - t.x[0, :6]) / sigma, 0.0, atol=0.1)
    np.testing.assert_allclose(np.sqrt(np.diag(ours.P[0])[:6]) / sigma, 1.0, atol=0.1)


def test_whole_scans_that_come_late_are_taken_in_their_place(one, one_in_order):
    sensors, plots = one
    late = np.flatnonzero(np.isin(plots.scan, [8, 9, 15]))
    _, straight = one_in_order
    rows, state = go(tracker.start(sensors), delayed(plots, late, 17.0), END_S)
    (t,), (ours,) = standing(straight).values(), standing(state).values()
    assert ours.hits == t.hits
    np.testing.assert_allclose(ours.x[0, :6], t.x[0, :6], rtol=0, atol=1e-6)
    times = [(row.track, row.time_s) for row in rows]
    assert len(set(times)) == len(times)


def test_rows_of_a_track_go_on_in_time_and_none_comes_after_its_last(one):
    sensors, plots = one
    rng = np.random.default_rng(4)
    late = np.flatnonzero(rng.random(plots.count) < 0.3)
    rows, _ = go(
        tracker.start(sensors), delayed(plots, late, rng.uniform(1.0, 30.0, len(late))), END_S + 700.0
    )
    for name in {row.track for row in rows}:
        own = [row for row in rows if row.track == name]
        assert (np.diff([row.time_s for row in own]) > 0.0).all()
        assert [row.last for row in own[:-1]] == [False] * (len(own) - 1)


def test_doubles_and_plots_too_late_are_counted_and_change_nothing(one):
    sensors, plots = one
    rows, _ = go(tracker.start(sensors), plots, END_S + 100.0)
    again = plots.rows(np.arange(0, plots.count, 7))
    shift = np.where(np.arange(again.count) % 2 == 0, 3.0, 12.0)
    doubled = together(plots, again._replace(received_s=again.time_s + shift))
    twice, state = go(tracker.start(sensors), doubled, END_S + 100.0)
    assert (state.doubles, state.too_late) == (again.count, 0)
    assert alike(rows, twice)
    missing = np.arange(3, plots.count, 9)
    kept = plots.rows(np.delete(np.arange(plots.count), missing))
    rows, _ = go(tracker.start(sensors), kept, END_S + 100.0)
    far = plots.rows(missing)
    far = far._replace(received_s=far.time_s + LATEST_S + PERIOD_S + 1.0)
    without, state = go(tracker.start(sensors), together(kept, far), END_S + 100.0)
    assert (state.doubles, state.too_late) == (0, len(missing))
    assert alike(rows, without)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_order_of_plots_of_a_scan_makes_no_difference(one, two, seed):
    for sensors, plots in (one, two):
        rng = np.random.default_rng(seed)
        # all of a scan come with its last, in any order
        last = {}
        for k, key in enumerate(zip(plots.sensor.tolist(), plots.scan.tolist(), strict=True)):
            last[key] = max(last.get(key, 0.0), float(plots.received_s[k]))
        keys = list(zip(plots.sensor.tolist(), plots.scan.tolist(), strict=True))
        whole = scenes.in_order(plots._replace(received_s=np.array([last[key] for key in keys])))
        shuffled = whole.rows(rng.permutation(whole.count))
        rows, state = go(tracker.start(sensors), whole, END_S)
        others, _ = go(tracker.start(sensors), shuffled, END_S)
        assert rows
        assert alike(rows, others)
        assert standing(state)


@pytest.fixture(scope="module")
def two_with_late(two):
    """A fifth of the plots of two radars late; and the rows of all."""
    sensors, plots = two
    rng = np.random.default_rng(5)
    late = np.flatnonzero(rng.random(plots.count) < 0.2)
    plots = delayed(plots, late, rng.uniform(1.0, 30.0, len(late)))
    return sensors, plots, go(tracker.start(sensors), plots, END_S)[0]


@pytest.mark.parametrize("share", [0.3, 0.7])
def test_a_state_laid_by_goes_on_the_same(two_with_late, share):
    sensors, plots, whole = two_with_late
    cut_s = float(np.quantile(plots.received_s, share))
    first, rest = plots.rows(plots.received_s < cut_s), plots.rows(plots.received_s >= cut_s)
    before, state = go(tracker.start(sensors), first)
    again = pickle.loads(pickle.dumps(state))  # noqa: S301  # our own
    rows, _ = go(state, rest, END_S)
    others, _ = go(again, rest, END_S)
    assert rows
    assert alike(rows, others)
    assert alike([*before, *rows], whole)


def test_a_radar_without_plots_is_of_no_account(one, one_in_order):
    sensors, plots = one
    rows, _ = one_in_order
    more, _ = go(tracker.start((*sensors, sensor(name="silent"))), plots, END_S)
    assert alike(rows, more)
