"""What leaves a body: one that is released, and many at once, into which it breaks."""

import math

import numpy as np
import pytest

from tocsin.earth.motion import BALLISTIC, THRUST
from tocsin.metrics.paths import interpolate
from tocsin.prediction.kinds import NOTHING, kinds_of, learned_by
from tocsin.prediction.priors import DEFAULT
from tocsin.record.replay import arriving
from tocsin.sensors.models import looks
from tocsin.simulation.run import simulate
from tocsin.simulation.scenario import read_scenario
from tocsin.tracking import modes, tracker
from tocsin.tracking.life import track_at
from tocsin.tracking.pairs import Offsets, Scan
from tocsin.tracking.separation import BURST, BURST_S, Offspring, broken_up, children
from tocsin.tracking.tracks import begun, join

from ..sensors.geometry import place, plots_of, state_at
from .scenes import STEP, breaking, radar

NO_OFFSETS = Offsets(np.zeros(0), np.zeros((0, 0)))
NOW_S = 100.0


def track(number, parent=0, born_s=0.0, mode=BALLISTIC):
    x = np.tile(state_at(radar(), 250e3, 20.0, 30.0, (-500.0, -1600.0, 900.0)), (modes.MODES, 1))
    x[BALLISTIC, 6] = math.log(5e3)
    x[THRUST, 6:] = (10.0, 20.0, 30.0)
    P = np.tile(np.diag([50.0**2] * 3 + [3.0**2] * 3 + [0.04] * 3), (modes.MODES, 1, 1))
    P[BALLISTIC, 3, 6] = P[BALLISTIC, 6, 3] = 0.1
    mu = np.eye(modes.MODES)[mode]
    table, h = begun(
        number, parent, 0.99, 30, NOW_S, NOW_S, x, P, np.zeros((modes.MODES, modes.SIZE, 0)), mu, [], 1, True
    )
    return table._replace(seed_s=np.array([born_s]), shown=np.array([True])), h


def test_what_many_leave_at_once_has_broken_up_and_so_has_what_left_it_just_before():
    table, h = join(
        [
            track(1, mode=THRUST),
            track(2, parent=1, born_s=NOW_S - 10.0),
            track(3, parent=1, born_s=NOW_S - BURST_S - 10.0),  # a stage left behind long ago
            track(4, parent=3, born_s=NOW_S - 10.0),
        ]
    )
    few = broken_up(table._replace(brood=np.array([BURST, 0.0, 0.0, 0.0])), h, NOW_S)
    assert not few[0].burst.any()
    assert few[1] is h
    many = table._replace(brood=np.array([BURST + 0.1, 0.0, 0.0, 0.0]))
    after, then = broken_up(many, h, NOW_S)
    assert after.burst.tolist() == [True, True, False, False]
    # what a piece weighs is open, and nothing else of it
    np.testing.assert_allclose(then.x[:, BALLISTIC, 6], [math.log(75.0)] * 2 + [math.log(5e3)] * 2)
    np.testing.assert_allclose(then.P[:2, BALLISTIC, 6, 6], modes.PIECE_LN_BETA_SIGMA**2)
    assert (then.P[:2, BALLISTIC, 6, :6] == 0.0).all()
    assert (then.P[2:, BALLISTIC, 3, 6] == 0.1).all()
    np.testing.assert_array_equal(then.x[:, :, :6], h.x[:, :, :6])
    # of what flies freely above the air many may be seen at once that were released long ago
    coasting = h._replace(mu=np.tile(np.eye(modes.MODES)[BALLISTIC], (4, 1)))
    assert not broken_up(many, coasting, NOW_S)[0].burst.any()
    before = broken_up(table, h, NOW_S - 10.0)[0]  # under thrust
    assert broken_up(many._replace(driven_s=before.driven_s), coasting, NOW_S)[0].burst.any()
    assert not broken_up(many._replace(driven_s=before.driven_s), coasting, NOW_S + BURST_S)[0].burst.any()
    low = coasting.x.copy()
    low[:, :, :3] *= 6.40e6 / np.linalg.norm(low[:, :, :3], axis=2, keepdims=True)
    assert broken_up(many, coasting._replace(x=low), NOW_S)[0].burst.any()
    # once only: what was learned since stays
    learned = then._replace(x=then.x + 0.5)
    again = broken_up(after, learned, NOW_S)
    np.testing.assert_array_equal(again[1].x, learned.x)


def child_of(parent, burst=False):
    """The track of a plot 400 m beside a body."""
    table, h = parent
    of = radar()
    beside = h.x[0, BALLISTIC].copy()
    beside[:3] += np.array([250.0, -250.0, 180.0])
    plots = plots_of(of, beside[None], np.array([NOW_S]), rng=np.random.default_rng(1))
    seen = looks(plots, (of,), np.ones((1, 4)), np.full((1, 4), -1))
    scan = Scan(0, of, seen, np.array([0]), place(of), NOW_S)
    new = Offspring(np.array([0]), np.array([5.0]), np.array([0]), np.array([40.0]))
    table = table._replace(burst=np.array([burst]))
    ((born, its),) = children(table, h, scan, new, np.array([0.8]), NO_OFFSETS, lambda _: 9)
    return born, its


@pytest.mark.compiled
def test_what_leaves_a_body_under_thrust_may_fall_freely_and_be_lighter():
    born, h = child_of(track(1, mode=THRUST))
    assert 0.3 < h.mu[0, BALLISTIC] < 0.7
    assert h.x[0, BALLISTIC, 6] == pytest.approx(modes.CHILD_LN_BETA_MEAN, abs=0.05)
    assert h.P[0, BALLISTIC, 6, 6] == pytest.approx(modes.CHILD_LN_BETA_SIGMA**2, rel=0.05)
    one = track_at(born, h, 0, NO_OFFSETS.P)
    assert learned_by(one) == NOTHING
    assert kinds_of(one, one.x[BALLISTIC, :6]) == DEFAULT.child


@pytest.mark.compiled
def test_what_leaves_a_body_that_breaks_up_is_a_piece():
    born, h = child_of(track(1), burst=True)
    assert born.burst.tolist() == [True]
    assert h.x[0, BALLISTIC, 6] == pytest.approx(modes.PIECE_LN_BETA_MEAN, abs=0.05)
    one = track_at(born, h, 0, NO_OFFSETS.P)
    assert learned_by(one) == NOTHING
    assert kinds_of(one, one.x[BALLISTIC, :6]) == DEFAULT.breakup


def test_what_a_filter_has_forgotten_it_has_not_learned():
    """Above the air what is known of ln beta goes back to what is known of any body, and no further."""
    born, h = track(2, parent=1)
    h.x[0, BALLISTIC, 6], h.P[0, BALLISTIC, 6, 6] = math.log(2000.0), modes.LN_BETA_SIGMA**2
    assert learned_by(track_at(born, h, 0, NO_OFFSETS.P)) == NOTHING
    h.P[0, BALLISTIC, 6, 6] = 0.2
    assert learned_by(track_at(born, h, 0, NO_OFFSETS.P)).precision == pytest.approx(5.0 - 1.35**-2)


def followed(of, plots):
    """The tracker after plots."""
    state = tracker.start((of,))
    for moment in np.unique(plots.received_s):
        while tracker.next_deadline(state) < moment:
            state, _ = tracker.step(state, None, tracker.next_deadline(state))
        state, _ = tracker.step(state, plots.rows(np.flatnonzero(plots.received_s == moment)), float(moment))
    return state


@pytest.mark.compiled
def test_a_body_that_breaks_up_becomes_its_pieces():
    of, plots, objects = breaking(15, 60.0)
    state = followed(of, plots)
    table, h = state.belief.table, state.belief.states
    known = np.flatnonzero(table.shown & table.burst)
    end = [track_at(table, h, i, NO_OFFSETS.P, float(STEP[-1])) for i in known.tolist()]
    there = np.stack([one.x[BALLISTIC, :3] for one in end])
    apart_m = [np.linalg.norm(there - states[-1, :3], axis=1).min() for _, states in objects[1:]]
    assert max(apart_m) < 1000.0
    assert len(known) == 15
    assert state.next_number < 40  # tracks that there ever were
    for i in known.tolist():
        one = tracker.track(state, int(table.name[i]))
        assert one.burst
        assert kinds_of(one, one.x[BALLISTIC, :6]) == DEFAULT.breakup


@pytest.mark.compiled
def test_pieces_in_the_air_are_known_as_well_as_is_said():
    """A stage that breaks up at 75 km: for a minute three radars follow its pieces, each by itself, then together."""
    run = simulate(read_scenario("reentry"), 7006, bound=False)
    begin_s = min(path.time_s[0] for path in run.paths if path.parent)
    state, rows, squares, i = tracker.start(run.sensors), [], [], 0
    while (arrival := arriving(run.plots, i, tracker.next_deadline(state)))[0] < begin_s + 95.0:
        moment, plots, i = arrival
        state, output = tracker.step(state, plots, moment)
        rows += [] if output is None else output.rows
    for row in rows:
        if row.time_s >= begin_s + 30.0:
            off = [row.state - _at(path, row.time_s) for path in run.paths if path.time_s[-1] > row.time_s]
            near = min(off, key=lambda d: float(np.linalg.norm(d[:3])))
            squares.append(float(near @ np.linalg.solve(row.covariance, near)))
    assert len(squares) > 300
    assert np.mean(squares) < 12.0  # six are right; 86 before decision 0029
    assert len({row.track for row in rows}) < 1.3 * len(run.paths)


@pytest.mark.compiled
def test_what_was_faster_than_anything_launched_is_a_meteor_when_it_is_slow_too():
    run = simulate(read_scenario("fireball"), 7001, bound=False)
    state, i, seen = tracker.start(run.sensors), 0, []
    while (arrival := arriving(run.plots, i, tracker.next_deadline(state)))[0] <= run.plots.received_s[-1]:
        moment, plots, i = arrival
        state, output = tracker.step(state, plots, moment)
        seen += [] if output is None else [tracker.track(state, number) for number in output.changed]
    assert len({one.number for one in seen}) == 1
    assert all(one.meteor for one in seen[3:])
    assert np.linalg.norm(seen[-1].x[BALLISTIC, 3:6]) < 7000.0


def test_children_of_a_meteor_are_meteors():
    parent, h = track(1)
    for meteor in (False, True):
        child, _ = child_of((parent._replace(meteor=np.array([meteor])), h))
        assert child.meteor.tolist() == [meteor]


def _at(path, time_s):
    return interpolate(path.time_s, path.state, np.array([time_s]))[0]


@pytest.mark.compiled
def test_what_is_released_has_not_broken_up():
    state = followed(*breaking(3, 15.0)[:2])
    assert not state.belief.table.burst.any()
    assert (state.belief.table.shown).sum() == 3
