"""The tracker as a whole: what starts, what ends, and what makes no difference."""

import copy
import math

import numpy as np
import pytest

from tocsin.tracking import life, tracker

from ..sensors.geometry import NAN, place, plots_of, sensor
from . import scenes
from .scenes import PERIOD_S, falling_body, height_and_climb, radar, run, scans, state_then, together

OF = radar()


def times(count, start_s=0.3, period_s=PERIOD_S):
    return start_s + period_s * np.arange(count)


@pytest.fixture(scope="module")
def fall():
    """A body on its last two minutes, among 5 false plots a scan: times, true states, plots until after the end."""
    times_s = times(70)
    states = falling_body(OF, times_s)
    up = np.array([height_and_climb(x)[0] for x in states]) > 0.0
    return (
        times_s[up],
        states[up],
        scans(OF, [(times_s[up], states[up])], up.sum() + 15, np.random.default_rng(1)),
    )


@pytest.fixture(scope="module")
def fall_run(fall):
    return run((OF,), fall[2])


def same(rows, others):
    return len(rows) == len(others) and all(
        a[:5] == b[:5] and (a.state == b.state).all() and (a.covariance == b.covariance).all()
        for a, b in zip(rows, others, strict=True)
    )


def test_one_body_is_one_track_soon(fall_run):
    rows, _, _ = fall_run
    assert {row.track for row in rows} == {"T00001"}
    assert rows[0].time_s < 5 * PERIOD_S
    assert {row.parent for row in rows} == {None}


def test_the_track_is_where_the_body_is(fall, fall_run):
    times_s, states, _ = fall
    nees = []
    for row in fall_run[0]:
        if row.time_s <= times_s[-1]:
            d = row.state - state_then(times_s, states, row.time_s)
            nees.append(d @ np.linalg.solve(row.covariance, d))
    assert len(nees) > 45
    # 6 where all is as modelled; rows of one body hang together, and the noise allowed for in air is not there
    assert 1.5 < np.mean(nees) < 12.0


def test_rows_come_often_and_in_order(fall, fall_run):
    time_s = np.array([row.time_s for row in fall_run[0]])
    assert (np.diff(time_s) > 0.0).all()
    assert (np.diff(time_s) <= 10.0).all()  # docs: at least every 10 s


def test_it_ends_at_the_ground(fall, fall_run):
    rows, shown, state = fall_run
    impact_s = fall[0][-1] + PERIOD_S
    assert len(state.belief.table.number) == 0
    assert rows[-1].time_s < impact_s + 2.0 * PERIOD_S
    assert all(not numbers for at, numbers in shown if at > impact_s + 10.0)


def test_no_row_lies_under_the_ground(fall_run):
    # a filter's mean may dip a little, but no row carries on below
    assert min(height_and_climb(row.state)[0] for row in fall_run[0]) > -300.0


@pytest.mark.compiled
def test_what_has_met_the_air_unseen_is_told_as_long_as_it_is_known(monkeypatch):
    """What it weighs is not known, and where drag may have taken it is soon more than rows are good for."""
    times_s = times(20)
    high = falling_body(OF, times_s, (-600.0, -2200.0, -300.0), beta=60.0)
    plots = scans(OF, [(times_s, high)], 20, np.random.default_rng(3))

    def widest_m():
        rows, _, _ = run((OF,), plots)
        assert rows[-1].time_s > times_s[-1] + 20.0
        return max(math.sqrt(np.trace(row.covariance[:3, :3])) for row in rows)

    assert widest_m() < life.WIDEST_SHOWN_M
    monkeypatch.setattr(life, "WIDEST_SHOWN_M", 1e9)
    assert widest_m() > 8e3


def test_phases_follow_the_air(fall_run):
    rows, _, _ = fall_run
    phases = [row.phase for row in rows]
    assert phases[0] == "coast"
    assert phases[-1] == "reentry"
    assert "other" not in phases


@pytest.mark.parametrize("false_plots", [5.0, 40.0])
def test_false_plots_alone_start_nothing(false_plots):
    of = radar(false_plots=false_plots)
    rows, shown, _ = run((of,), scans(of, [], 80, np.random.default_rng(2)))
    assert rows == []
    assert all(not numbers for _, numbers in shown)


def test_an_aircraft_is_tracked_as_other():
    times_s = times(40)
    states = scenes.aircraft(OF, times_s)
    rows, _, state = run((OF,), scans(OF, [(times_s, states)], 40, np.random.default_rng(3)))
    assert {row.track for row in rows} == {"T00001"}
    late = [row for row in rows if 20.0 < row.time_s <= times_s[-1]]
    assert {row.phase for row in late} == {"other"}
    assert np.linalg.norm(late[-1].state[:3] - state_then(times_s, states, late[-1].time_s)[:3]) < 300.0
    assert state.doubles == 0


def test_two_bodies_are_two_tracks():
    times_s = times(35)
    objects = [
        (times_s, falling_body(OF, times_s)),
        (times_s + 0.2, falling_body(OF, times_s, velocity_enu=(-480.0, -1590.0, -690.0), range_m=252e3)),
    ]
    rows, shown, _ = run((OF,), scans(OF, objects, 35, np.random.default_rng(4)))
    assert {row.track for row in rows} == {"T00001", "T00002"}
    assert len([numbers for now, numbers in shown if now <= times_s[-1]][-1]) == 2


def test_what_leaves_a_body_is_its_child():
    times_s = times(45)
    parent = falling_body(OF, times_s)
    apart = 20
    left = parent[apart].copy()
    left[3:6] += np.array([25.0, -20.0, 15.0])
    child = scenes.body(left, 800.0, times_s[apart:])
    plots = scans(OF, [(times_s, parent), (times_s[apart:] + 1e-3, child)], 45, np.random.default_rng(6))
    rows, _, _ = run((OF,), plots)
    parents = {row.track: row.parent for row in rows}
    assert parents == {"T00001": None, "T00002": "T00001"}
    first = min(row.time_s for row in rows if row.track == "T00002")
    assert times_s[apart] < first < times_s[apart] + 24.0
    lasts = [[row for row in rows if row.track == name][-1] for name in parents]
    assert all(last.time_s > times_s[-4] for last in lasts)
    followed = set()  # which body the old track stays with is open: they parted slowly
    for last in lasts:
        for k, states in enumerate((parent, child)):
            d = last.state - state_then(times_s[-len(states) :], states, last.time_s)
            if d @ np.linalg.solve(last.covariance, d) < 30.0:
                followed.add(k)
    assert followed == {0, 1}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_order_within_a_batch_makes_no_difference(fall, seed):
    rows, _, _ = run((OF,), fall[2], batch_s=PERIOD_S)
    shuffled, _, _ = run((OF,), fall[2], batch_s=PERIOD_S, shuffle=np.random.default_rng(seed))
    assert same(rows, shuffled)


@pytest.mark.parametrize("after_s", [0.0, 0.4, 9.0])
def test_doubles_are_counted_and_change_nothing(fall, fall_run, after_s):
    plots = fall[2]
    again = plots.rows(np.arange(0, plots.count, 3))
    again = again._replace(received_s=again.received_s + after_s)
    rows, _, state = run((OF,), together(plots, again))
    assert state.doubles == again.count
    assert same(rows, fall_run[0])


def test_a_late_plot_is_taken(fall):
    times_s, _, plots = fall
    now_s = times_s[30]
    early = plots.rows(plots.time_s < now_s)
    held = tracker_after(early, now_s)[0]
    # the body's own plot of an earlier scan: it lies nearest to the truth
    mine = np.flatnonzero((early.scan == 26) & (np.abs(early.time_s - times_s[26]) < 1e-9))
    assert len(mine) == 1
    without = early.rows(np.delete(np.arange(early.count), mine))
    late = early.rows(mine)._replace(received_s=early.time_s[mine] + 5.5)
    missed, taken = (tracker_after(p, now_s)[0] for p in (without, together(without, late)))
    assert (missed.hits, taken.hits) == (held.hits - 1, held.hits)
    best = int(np.argmax(held.mu))
    assert np.trace(taken.P[best, :3, :3]) < np.trace(missed.P[best, :3, :3])
    # as good as in order
    np.testing.assert_allclose(taken.x[best, :6], held.x[best, :6], rtol=0, atol=1e-6)


def tracker_after(plots, now_s):
    """The shown tracks at a moment."""
    state = tracker.start((OF,))
    for moment in np.unique(plots.received_s):
        while tracker.next_deadline(state) < moment:
            state, _ = tracker.step(state, None, tracker.next_deadline(state))
        state, _ = tracker.step(state, plots.rows(plots.received_s == moment), float(moment))
    state, _ = tracker.step(state, None, now_s + 2 * PERIOD_S)
    return [tracker.track(state, n) for n in tracker.shown(state, state.now_s)]


def test_a_step_leaves_its_input_alone_and_gives_the_same_again(fall):
    plots = fall[2]
    half = plots.count // 2
    state = tracker.start((OF,))
    for i in range(half):
        state, _ = tracker.step(state, plots.rows(slice(i, i + 1)), float(plots.received_s[i]))
    kept = copy.deepcopy(state)
    batch, now_s = plots.rows(slice(half, half + 20)), float(plots.received_s[half + 19])
    kept_batch = copy.deepcopy(batch)
    once, twice = (tracker.step(state, batch, now_s) for _ in range(2))
    assert alike(state, kept)
    assert alike(batch, kept_batch)
    assert alike(once, twice)
    assert not alike(once[0], state)


def alike(a, b):
    """True where two values are the same, arrays bit by bit."""
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(alike(a[k], b[k]) for k in a)
    if isinstance(a, tuple):
        return len(a) == len(b) and all(map(alike, a, b))
    return a == b or (isinstance(a, float) and math.isnan(a) and math.isnan(b))


def test_two_cameras_make_a_track_of_a_meteor():
    """Angles alone: a fireball between two cameras 120 km apart, 10 frames a second."""
    cameras = tuple(
        sensor(
            (NAN, 2e-4, 2e-4, NAN), kind="optical", latitude_deg=48.0, longitude_deg=35.0 + 1.6 * k, period_s=0.1,
            field=[(NAN, NAN), (0.0, 2 * math.pi), (0.05, 1.5), (NAN, NAN)], false_plots=0.0,
            detection=0.95, name=f"c{k}",
        )
        for k in range(2)
    )  # fmt: skip
    times_s = times(40, 0.0, 0.1)
    start = scenes.state_at(cameras[0], 130e3, 40.0, 40.0, (9e3, 11e3, -7e3))
    states = scenes.body(start, 300.0, times_s)
    rng = np.random.default_rng(6)
    plots = together(*(plots_of(c, states, times_s, rng=rng, index=k) for k, c in enumerate(cameras)))
    rows, _, _ = run(cameras, plots)
    assert {row.track for row in rows} == {"T00001"}
    last = [row for row in rows if row.time_s <= times_s[-1]][-1]
    there = state_then(times_s, states, last.time_s)
    assert np.linalg.norm(last.state[:3] - there[:3]) < 200.0  # 2e-4 rad at 130 km is 26 m a line
    assert np.linalg.norm(last.state[3:] - there[3:]) < 300.0
    assert np.linalg.norm(place(cameras[0]) - place(cameras[1])) > 100e3


def test_nothing_comes_of_nothing():
    state = tracker.start((OF,))
    assert tracker.next_deadline(state) == math.inf
    following, output = tracker.step(state, None, 100.0)
    assert output is None
    assert len(following.belief.table.number) == 0
    with pytest.raises(KeyError):
        tracker.track(following, 1)


def run_to(sensors, plots, end_s):
    """All rows, and the last state."""
    state = tracker.start(sensors)
    rows = []

    def advance(batch, now):
        nonlocal state
        state, output = tracker.step(state, batch, now)
        if output is not None:
            rows.extend(output.rows)

    for moment in np.unique(plots.received_s):
        while tracker.next_deadline(state) < moment:
            advance(None, tracker.next_deadline(state))
        advance(plots.rows(plots.received_s == moment), float(moment))
    advance(None, end_s)
    return rows, state


def nees(row, truth):
    d = row.state - truth
    return float(d @ np.linalg.solve(row.covariance, d))


@pytest.mark.compiled
def test_bodies_and_an_aircraft_are_followed():
    times_s = times(35)
    objects = [
        (times_s, falling_body(OF, times_s)),
        (times_s + 0.2, falling_body(OF, times_s, velocity_enu=(-480.0, -1590.0, -690.0), range_m=252e3)),
        (times_s + 0.4, scenes.aircraft(OF, times_s + 0.4)),
    ]
    plots = scans(OF, objects, 35, np.random.default_rng(8))
    rows, state = run_to((OF,), plots, times_s[-1] + 3.0)
    assert len(tracker.shown(state, state.now_s)) == 3
    assert {row.track for row in rows} == {f"T{n:05d}" for n in tracker.shown(state, state.now_s)}
    late = [row for row in rows if 30.0 < row.time_s <= times_s[-1]]
    phases = sorted({(row.track, row.phase) for row in late}, key=lambda p: p[1])
    assert [phase for _, phase in phases] == ["coast", "coast", "other"]
    for name in {row.track for row in rows}:
        values = [
            min(nees(row, state_then(at_s, states, row.time_s)) for at_s, states in objects)
            for row in late
            if row.track == name and row.phase == "coast"
        ]
        assert np.median([0.0, *values]) < 15.0


# Two radars, one of which stands askew, or is better or worse than it says.
PAIR = (
    scenes.radar("a", false_plots=2.0),
    scenes.radar("b", false_plots=2.0, latitude_deg=49.5, longitude_deg=36.0, bias=(0.0, 4e-3, 0.0, 0.0)),
)
STARTS = [
    (250e3, 20.0, (-500.0, -1600.0, 500.0)),
    (300e3, 60.0, (-900.0, -900.0, 700.0)),
    (220e3, 340.0, (400.0, -1500.0, 600.0)),
    (280e3, 90.0, (-1500.0, -300.0, 500.0)),
]


def seen_by_two(sensors, starts, count, rng, real=None, askew_rad=0.0):
    """Bodies, and their plots by two radars that are really others: times and states of each body, plots."""
    real = sensors if real is None else real
    objects, plots = [], []
    at_s = np.unique(np.concatenate([times(count), times(count, 1.1)]))
    for k, (range_m, azimuth_deg, velocity) in enumerate(starts):
        states = scenes.body(
            scenes.state_at(PAIR[0], range_m, azimuth_deg, 35.0, velocity), 5000.0, at_s + 0.01 * k
        )
        objects.append((at_s + 0.01 * k, states))
    for index, start_s in enumerate((0.3, 1.1)):
        which = np.isin(at_s, times(count, start_s))
        its = scans(
            real[index], [(t[which], x[which]) for t, x in objects], count, rng, index=index, start_s=0.0
        )
        if index == 1:
            its.measured[:, 1] = (its.measured[:, 1] + askew_rad) % (2.0 * math.pi)
        plots.append(its)
    return objects, together(*plots)


def errors_of(rows, objects, after_s):
    """Squared errors in their own covariances of the rows after a time, each against the body that it is nearest to."""
    return np.array(
        [
            min(nees(row, state_then(at_s, states, row.time_s)) for at_s, states in objects)
            for row in rows
            if after_s < row.time_s <= objects[0][0][-1]
        ]
    )


def test_a_radar_that_stands_askew_is_found_out():
    """0.12 degrees, of a sigma of 0.23 that it states; the other radar is straight."""
    askew = math.radians(0.12)
    objects, plots = seen_by_two(PAIR, STARTS, 60, np.random.default_rng(9), askew_rad=askew)
    rows, state = run_to(PAIR, plots, 121.0)
    offsets = state.belief.offsets
    assert state.columns.tolist() == [[-1] * 4, [-1, 0, -1, -1]]
    sigma = math.sqrt(offsets.P[0, 0])
    assert sigma < 1e-4  # 200 looks of 0.5 mrad give 3.5e-5
    assert abs(offsets.mean[0] - askew) < 3.0 * sigma
    assert len(tracker.shown(state, state.now_s)) == len(STARTS)
    values = errors_of(rows, objects, 60.0)
    assert len(values) > 100
    assert 2.0 < np.mean(values) < 12.0


@pytest.mark.compiled
@pytest.mark.parametrize("ratio", [1 / 3, 3.0])
def test_a_radar_better_or_worse_than_it_says_is_found_out(ratio):
    """The truth is three times as good, or as bad, in all it measures."""
    stated = (PAIR[0], PAIR[1]._replace(bias_sigma=np.zeros(4)))
    real = (stated[0], stated[1]._replace(sigma=ratio * stated[1].sigma))
    objects, plots = seen_by_two(stated, STARTS, 60, np.random.default_rng(10), real)
    rows, state = run_to(stated, plots, 121.0)
    scale = np.sqrt(state.belief.scale)
    np.testing.assert_allclose(scale[1], ratio, rtol=0.3)
    np.testing.assert_allclose(scale[0], 1.0, rtol=0.3)
    assert len(tracker.shown(state, state.now_s)) == len(STARTS)
    values = errors_of(rows, objects, 60.0)
    # measured 14 and 4.5: until it is found out a radar is believed, and what it said then is not unsaid
    assert 2.0 < np.mean(values) < 20.0


@pytest.mark.compiled
@pytest.mark.parametrize("seed", [11, 12, 13])
def test_two_bodies_that_part_slowly_are_two_tracks(seed):
    """Released at 5 m/s, seen by two radars: for minutes nearer than angles tell; ranges tell them apart."""
    sensors = (PAIR[0], PAIR[1]._replace(bias_sigma=np.zeros(4)))
    rng = np.random.default_rng(seed)
    apart, count = 12, 85
    begin = scenes.state_at(PAIR[0], 420e3, 30.0, 40.0, (-700.0, -1500.0, 600.0))
    at_s = np.unique(np.concatenate([times(count), times(count, 1.1)]))
    old = scenes.body(begin, 5000.0, at_s)
    k = int(np.searchsorted(at_s, times(count)[apart]))
    u = rng.normal(size=3)
    left = old[k].copy()
    left[3:6] += 5.0 * u / np.linalg.norm(u)
    young = scenes.body(left, 3000.0, at_s[k:])
    objects = [(at_s, old), (at_s[k:], young)]
    plots = []
    for index, start_s in enumerate((0.3, 1.1)):
        parts = []
        for j, (t, x) in enumerate(objects):
            which = np.isin(t, times(count, start_s))
            parts.append((t[which] + 1e-3 * j, x[which]))
        plots.append(scans(sensors[index], parts, count, rng, index=index))
    plots = together(*plots)
    rows, state = run_to(sensors, plots, at_s[-1] + 3.0)
    assert len(tracker.shown(state, state.now_s)) == 2
    late_s = at_s[k] + 120.0
    names = {f"T{n:05d}" for n in tracker.shown(state, state.now_s)}
    late = [row for row in rows if row.track in names and late_s < row.time_s <= at_s[-1]]
    best = {}
    for name in names:
        own = [row for row in late if row.track == name]
        assert own
        best[name] = [np.median([nees(row, state_then(t, x, row.time_s)) for row in own]) for t, x in objects]
    # each track follows one of the bodies, and not both the same
    followed = {name: int(np.argmin(values)) for name, values in best.items()}
    assert sorted(followed.values()) == [0, 1]
    assert max(min(values) for values in best.values()) < 15.0
