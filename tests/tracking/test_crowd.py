"""Bodies that left one another above the air, worked out together: a scene of two radars and four bodies."""

import numpy as np
import pytest

from tocsin.earth.motion import BALLISTIC
from tocsin.sensors.models import looks
from tocsin.tracking import crowd as one
from tocsin.tracking import crowd_moves, crowds, modes
from tocsin.tracking.crowd import deviations, opened, sums, trimmed
from tocsin.tracking.crowd_tells import members, of_offsets, positions
from tocsin.tracking.learning import LOG_PRIOR
from tocsin.tracking.pairs import Offsets, Scan
from tocsin.tracking.tracks import begun, join

from ..sensors.geometry import ALL_ROUND, place, plots_of, sensor, state_at

pytestmark = pytest.mark.compiled

SIGMA = (30.0, 2e-3, 2e-3, 5.0)
FIELD = np.array([[5e3, 1500e3], ALL_ROUND[1], [-np.pi / 2, np.pi / 2], ALL_ROUND[3]])
RADARS = (
    sensor(SIGMA, latitude_deg=48.0, longitude_deg=35.0, field=FIELD, name="west"),
    sensor(SIGMA, latitude_deg=49.5, longitude_deg=39.0, field=FIELD, name="east"),
)
PERIOD_S, COUNT, SCAN_OF = 5.0, 40, 1000
SINCE_S = 60.0  # how long ago the bodies left one another
# m/s, of the second body and so on, against the first
PARTED_M_S = np.array([[0.0, 0.0, 0.0], [6.0, 4.0, -3.0], [-5.0, 9.0, 6.0], [-8.0, -7.0, 5.0]])
NONE = np.full((2, 4), -1)
BIASED = np.array([[-1, -1, -1, -1], [-1, 0, -1, -1]])  # of the second radar's azimuth
BIAS_SIGMA, BIAS = 3e-3, 2.4e-3
NO_OFFSETS = Offsets(np.zeros(0), np.zeros((0, 0)))
UNKNOWN = Offsets(np.zeros(1), np.array([[BIAS_SIGMA**2]]))
CHI2 = 22.46  # of 6 numbers, 99.9 %
NUMBERS = (11, 12, 13, 14)


def moved(x, dt):
    return modes.move(BALLISTIC, x, dt)[0]


def bodies(at_s, count=4):
    """True states (count, 9) at a time."""
    first = state_at(RADARS[0], 420e3, 60.0, 40.0, (700.0, 1500.0, 900.0))
    first[6] = np.log(1e4)
    before = moved(first, -SINCE_S)
    out = np.tile(before, (count, 1))
    out[:, 3:6] += PARTED_M_S[:count]
    return np.stack([moved(x, at_s + SINCE_S) for x in out])


def scan_of(number, sensor_index, states, rng, columns=NONE, bias=0.0, order=None, detection=0.9, false=0):
    """A scan, and the body (m,) that each of its plots is of, -1: of none."""
    of = RADARS[sensor_index]
    time_s = PERIOD_S * (number + 1.0)
    seen = np.flatnonzero(rng.random(len(states)) < detection)
    which = np.concatenate([seen, np.full(false, -1)]) if len(seen) else np.zeros(0, np.int64)
    at = states[which].copy()
    at[which < 0, :3] += 3e3 * rng.normal(size=(int((which < 0).sum()), 3))
    plots = plots_of(of, at, np.full(len(which), time_s), rng=rng, index=sensor_index)
    measured = plots.measured.copy()
    if sensor_index == 1:
        measured[:, 1] += bias
    plots = plots._replace(measured=measured)
    order = np.arange(len(which)) if order is None else order.permutation(len(which))
    plots, which = plots.rows(order), which[order]
    numbers = number * SCAN_OF + np.arange(len(which))
    seen_by = looks(plots, RADARS, np.ones((2, 4)), columns)
    return Scan(sensor_index, of, seen_by, numbers, place(of), time_s), which


def begin(rng, count, offsets):
    """Tracks of the first bodies, and their crowd."""
    parts = []
    for k, x in enumerate(bodies(0.0)[:count]):
        at = np.tile(x, (modes.MODES, 1))
        P = np.tile(np.diag([150.0**2] * 3 + [8.0**2] * 3 + [0.1] * 3), (modes.MODES, 1, 1))
        at[:, :6] += rng.normal(size=6) * np.array([150.0] * 3 + [8.0] * 3)
        A = np.zeros((modes.MODES, modes.SIZE, len(offsets.mean)))
        mu = np.eye(modes.MODES)[BALLISTIC]
        table, h = begun(
            NUMBERS[k], 0 if k == 0 else NUMBERS[0], 0.95, 20 - k, 0.0, 0.0, at, P, A, mu, [], 2, True
        )
        parts.append((table._replace(family=np.array([NUMBERS[0]])), h))
    table, h = join(parts)
    return table, h, opened(table, h, np.arange(count), 0, offsets, 2)


def leaning(h, rng):
    """States that lean on an offset."""
    lean = 1e5 * rng.normal(size=h.A.shape) * np.array([1.0] * 3 + [0.01] * 3 + [0.0] * 3)[:, None]
    return h._replace(A=lean)


class Run:
    """A crowd after some scans, and what its plots are of."""

    def __init__(
        self, seed, known=4, count=COUNT, columns=NONE, offsets=NO_OFFSETS, bias=0.0, order=None, false=0
    ):  # fmt: skip
        rng = np.random.default_rng(seed)
        shuffle = None if order is None else np.random.default_rng(order)
        self.table, self.h, crowd = begin(rng, known, offsets)
        self.crowds, self.offsets, self.body = (crowd,), offsets, {}
        self.number = 100
        noise = np.tile(LOG_PRIOR, (2, 4, 1))
        states = bodies(0.0)
        for s in range(count):
            states = np.stack([moved(x, PERIOD_S) for x in states])
            scan, which = scan_of(
                s, s % 2, states, rng, columns, bias, shuffle, false=false if s % 4 == 3 else 0
            )
            if len(which) == 0:
                continue
            self.body.update(zip(scan.numbers.tolist(), which.tolist(), strict=True))
            taken = crowds.step(
                self.crowds, self.table, self.h, scan, self.offsets, noise, np.ones(4), np.arange(len(which)),
                SCAN_OF, self.name,
            )  # fmt: skip
            self.crowds, self.table, self.h, self.offsets = (
                taken.crowds,
                taken.table,
                taken.states,
                taken.offsets,
            )
            self.left, self.which, self.touched = taken.left, which, taken.touched
        self.states = states

    def name(self, plot):
        self.number += 1
        return self.number

    @property
    def crowd(self):
        (crowd,) = self.crowds
        return crowd

    def bodies_of(self):
        """The body (K,) that most plots of each member are of, and the share (K,) of these."""
        crowd = self.crowd
        of = np.array([self.body[n] for n in crowd.plot.tolist()])
        most, share = [], []
        for k in range(len(crowd.number)):
            count = np.bincount(of[crowd.member == k] + 1, minlength=len(self.states) + 1)
            most.append(int(count[1:].argmax()))
            share.append(count[1:].max() / count.sum())
        return np.array(most), np.array(share)

    def assert_right(self):
        most, share = self.bodies_of()
        assert sorted(most.tolist()) == list(range(len(self.states)))
        assert share.min() >= 0.9
        was = members(self.crowd, self.offsets.mean)
        P = was.P + was.A @ self.offsets.P @ was.A.transpose(0, 2, 1)
        for k, body in enumerate(most.tolist()):
            off = was.x[k] - self.states[body, :6]
            assert off @ np.linalg.solve(P[k], off) < CHI2
            assert np.sqrt(np.trace(P[k, :3, :3])) < 1500.0
        assert (was.existence > 0.9).all()


@pytest.fixture(scope="module")
def known():
    """All bodies were tracks before."""
    return Run(1)


def test_each_body_that_was_known_has_its_plots(known):
    known.assert_right()
    most, _ = known.bodies_of()
    assert [NUMBERS[b] for b in most.tolist()] == known.crowd.number.tolist()


def test_tracks_are_as_their_crowd_has_them(known):
    was = members(known.crowd, known.offsets.mean)
    rows = [known.table.number.tolist().index(n) for n in known.crowd.number.tolist()]
    np.testing.assert_allclose(known.h.x[rows, BALLISTIC, :6], was.x, rtol=1e-9)
    np.testing.assert_allclose(known.h.P[rows, BALLISTIC, :6, :6], was.P, rtol=1e-9)
    assert known.table.hits[rows].tolist() == was.hits.tolist()
    np.testing.assert_array_equal(known.h.time_s[rows], PERIOD_S * COUNT)
    assert set(known.touched.tolist()) == set(known.crowd.number[was.seen].tolist())
    sure = known.crowd._replace(share=np.ones_like(known.crowd.share))
    there = positions(known.crowd, known.offsets.mean)
    np.testing.assert_allclose(there, members(sure, known.offsets.mean).x[:, :3], rtol=1e-12)


def test_what_was_not_known_begins():
    run = Run(2, known=2)
    run.assert_right()


def test_false_plots_are_no_bodies():
    """One near the bodies in every fourth scan is far more than the sensors say."""
    run = Run(3, false=1)
    run.assert_right()


def test_the_order_of_plots_within_a_scan_is_of_no_account():
    here, there = Run(4, order=5), Run(4, order=6)
    assert (here.crowd.plot != there.crowd.plot).any() or here.body != there.body
    a, c = members(here.crowd, np.zeros(0)), members(there.crowd, np.zeros(0))
    np.testing.assert_array_equal(here.crowd.number, there.crowd.number)
    np.testing.assert_allclose(a.x, c.x, rtol=1e-9)
    np.testing.assert_allclose(a.P, c.P, rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(a.hits, c.hits)


@pytest.fixture(scope="module")
def biased():
    return Run(7, columns=BIASED, offsets=UNKNOWN, bias=BIAS)


def test_an_offset_of_a_sensor_is_found(biased):
    G, g = of_offsets(biased.crowd)
    P = np.linalg.inv(np.linalg.inv(UNKNOWN.P) + G)
    mean, sigma = float((P @ g)[0]), float(np.sqrt(P[0, 0]))
    assert sigma < 0.3 * BIAS_SIGMA
    assert abs(mean - BIAS) < 4.0 * sigma
    biased.assert_right()


def test_what_a_crowd_told_of_offsets_is_counted_once(biased):
    np.testing.assert_allclose(
        np.linalg.inv(biased.offsets.P), np.linalg.inv(UNKNOWN.P) + biased.crowd.told_info, rtol=1e-6
    )
    np.testing.assert_allclose(
        np.linalg.solve(biased.offsets.P, biased.offsets.mean), biased.crowd.told_vector, rtol=1e-6
    )


@pytest.mark.parametrize("which", ["known", "biased"])
def test_scans_that_are_let_go_leave_what_they_said(which, request, monkeypatch):
    run = request.getfixturevalue(which)
    crowd = run.crowd._replace(share=np.ones_like(run.crowd.share))
    monkeypatch.setattr(one, "MOST_SCANS", 15)
    less = trimmed(crowd, run.offsets.mean)
    assert len(less.sensor) == len(less.when) == 15
    assert len(less.plot) == len(less.member) < len(crowd.plot)
    for offset in (run.offsets.mean, run.offsets.mean + 1e-3):
        (x, P), (y, Q) = (deviations(c, sums(c, offset)) for c in (crowd, less))
        np.testing.assert_allclose(y, x, rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(Q, P, rtol=1e-6, atol=1e-6 * P.max())
    before, after = members(crowd, run.offsets.mean), members(less, run.offsets.mean)
    np.testing.assert_allclose(after.x, before.x, rtol=1e-6)
    np.testing.assert_allclose(after.P, before.P, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(after.A, before.A, rtol=1e-6, atol=1e-3)
    np.testing.assert_array_equal(after.hits, before.hits)
    for got, expected in zip(of_offsets(less), of_offsets(crowd), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-6)
    assert trimmed(less, run.offsets.mean) is less


def test_a_crowd_without_plots_tells_nothing_of_offsets_but_is_as_its_tracks_were():
    rng = np.random.default_rng(8)
    table, h, _ = begin(rng, 3, UNKNOWN)
    h = leaning(h, rng)
    offset = np.array([1e-3])
    crowd = opened(table, h, np.arange(3), 0, Offsets(offset, UNKNOWN.P), 2)
    was = members(crowd._replace(changed_s=-1e3), offset)
    np.testing.assert_allclose(was.x, h.x[:, BALLISTIC, :6], rtol=1e-9)
    np.testing.assert_allclose(was.A, h.A[:, BALLISTIC, :6], rtol=1e-6, atol=1e-6)
    G, g = of_offsets(crowd)
    size = float(crowd.offset_info[0, 0])
    assert abs(G[0, 0]) < 1e-8 * size
    assert abs(g[0]) < 1e-8 * max(abs(float(crowd.offset_vector[0])), 1.0)


def test_what_is_given_up_takes_what_it_told_of_offsets_with_it():
    rng = np.random.default_rng(9)
    table, h, _ = begin(rng, 3, UNKNOWN)
    h = leaning(h, rng)
    crowd = one.kept(opened(table, h, np.arange(3), 0, UNKNOWN, 2), np.array([True, False, True]))
    G, g = of_offsets(crowd)
    assert abs(G[0, 0]) < 1e-8 * float(crowd.offset_info[0, 0])
    assert abs(g[0]) < 1e-8 * max(abs(float(crowd.offset_vector[0])), 1.0)


@pytest.mark.parametrize("later_s", [0.0, 40.0])
def test_tracks_that_join_are_as_those_that_were_there(later_s):
    rng = np.random.default_rng(16)
    table, h, _ = begin(rng, 4, UNKNOWN)
    offset = np.array([-1e-3])
    h, offsets = leaning(h, rng), Offsets(offset, UNKNOWN.P)
    whole = one.flown(opened(table, h, np.arange(4), 0, offsets, 2), later_s)
    part = one.flown(opened(table, h, np.array([0, 2]), 0, offsets, 2), later_s)
    part = one.joined(part, table, h, np.array([1, 3]), offset)
    order = [0, 2, 1, 3]
    assert part.number.tolist() == whole.number[order].tolist()
    np.testing.assert_array_equal(part.hits, whole.hits[order])
    np.testing.assert_allclose(part.odds, whole.odds[order])
    a, c = (members(crowd._replace(changed_s=-1e3), offset) for crowd in (whole, part))
    np.testing.assert_allclose(c.x, a.x[order], atol=1.0 if later_s else 1e-3)
    if later_s == 0.0:  # speeds are spread when a track comes in, which places take with them
        np.testing.assert_allclose(c.P, a.P[order], rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(of_offsets(part)[0], 0.0, atol=1e-6 * float(part.offset_info[0, 0]))


@pytest.mark.parametrize("index", [0, 1])
@pytest.mark.parametrize("at_s", [5.0, 200.0])
def test_what_plots_say_is_linear_in_deviations(index, at_s):
    """To a tenth of a sigma, without noise, of bodies that are kilometres away from the reference."""
    states = bodies(0.0)
    offsets = Offsets(np.array([BIAS]), np.array([[1e-12]]))
    table, h, _ = begin(np.random.default_rng(17), 1, offsets)
    h = h._replace(x=h.x.copy())
    h.x[0, :, :] = states[0]
    crowd = opened(table, h, np.arange(1), 0, offsets, 2)
    now = np.stack([moved(x, at_s) for x in states])
    plots = plots_of(RADARS[index], now, np.full(4, at_s), index=index)
    if index == 1:
        measured = plots.measured.copy()
        measured[:, 1] += BIAS
        plots = plots._replace(measured=measured)
    seen = looks(plots, RADARS, np.ones((2, 4)), BIASED)
    scan = Scan(index, RADARS[index], seen, np.arange(4), place(RADARS[index]), at_s)
    crowd, mine = one.with_scan(crowd, scan, offsets, np.arange(4), 0.9, np.ones(4), 1.0)
    assert mine.tolist() == [0, 1, 2, 3]
    deviation = (states - states[0])[:, :6]
    left = crowd.r - crowd.J @ offsets.mean - np.einsum("nqi,ni->nq", crowd.W, deviation)
    assert np.abs(left).max() < 0.1
    assert np.abs(np.einsum("nqi,ni->nq", crowd.W, deviation)).max() > 1.0
    assert (crowd.J != 0.0).any() == (index == 1)


def test_something_far_away_is_not_of_the_family():
    _, _, crowd = begin(np.random.default_rng(18), 2, NO_OFFSETS)
    states = bodies(PERIOD_S)[:3]
    states[1, :3] += 3e5
    states[2, 3:6] += 900.0
    scan, which = scan_of(0, 0, states, np.random.default_rng(19), detection=1.0)
    _, mine = one.with_scan(crowd, scan, NO_OFFSETS, np.arange(3), 0.9, np.ones(4), 1.0)
    assert which[mine].tolist() == [0]


def test_what_brings_forth_many_at_once_has_not_released_but_broken_up():
    rng = np.random.default_rng(20)
    table, h, crowd = begin(rng, 2, NO_OFFSETS)
    states = np.repeat(bodies(0.0)[:1], 14, axis=0)
    states[:2] = bodies(0.0)[:2]
    states[2:, 3:6] += 40.0 * rng.normal(size=(12, 3))
    together, names = (crowd,), iter(range(101, 999))
    for s in range(6):
        states = np.stack([moved(x, PERIOD_S) for x in states])
        scan, which = scan_of(s, s % 2, states, rng, detection=1.0)
        taken = crowds.step(
            together, table, h, scan, NO_OFFSETS, np.tile(LOG_PRIOR, (2, 4, 1)), np.ones(4), np.arange(len(which)),
            SCAN_OF, lambda _: next(names),
        )  # fmt: skip
        together, table, h = taken.crowds, taken.table, taken.states
        if not together:
            break
    assert together == ()
    assert table.number.tolist()[:2] == list(NUMBERS[:2])  # as they were before
    assert len(table.number) <= 2 + crowd_moves.SPLITS  # what was told apart before that scan
    assert taken.left.tolist() == list(range(14))  # for others to take


def test_a_crowd_goes_by_other_numbers():
    _, _, crowd = begin(np.random.default_rng(20), 3, NO_OFFSETS)
    again = crowds.renamed(crowd, {11: 51, 13: 53, 99: 1})
    assert again.number.tolist() == [51, 12, 53]
    assert again.family == 51
