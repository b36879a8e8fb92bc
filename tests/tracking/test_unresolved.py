"""Objects that give one plot between them: against finite differences, sampling and the filter of all at once."""

import itertools
import math

import numpy as np
import pytest

from tocsin.earth.motion import BALLISTIC, LEVEL, THRUST
from tocsin.sensors.models import residual_and_row
from tocsin.tracking import modes
from tocsin.tracking.pairs import Offsets, Scan
from tocsin.tracking.tracks import RECENT, States
from tocsin.tracking.unresolved import (
    CELL_SIGMAS,
    LEAST_TOGETHER,
    TOGETHER,
    cell_of,
    groups,
    seen,
    shared,
    together,
)

from ..sensors.geometry import NAN, local, measure, one_look, place, plots_of, sensor, state_at
from .mixtures import RADAR

NONE = Offsets(np.zeros(0), np.zeros((0, 0)))
INF = math.inf


def random_covariance(rng, n, scale=1.0):
    """Covariance (9, 9) of the first n components: tens of metres, some metres a second."""
    root = rng.normal(size=(n, n)) * (scale * np.array([30.0] * 3 + [3.0] * 3 + [0.3] * 3))[:n, None]
    out = np.zeros((9, 9))
    out[:n, :n] = root @ root.T / n
    return out


def by_differences(mode, x, P, dt):
    """Value and variance (4,) of what a radar would measure of a mode after a time, in the order of `seen`."""

    def then(y):
        distance, azimuth, elevation, rate = measure(RADAR, modes.move(mode, y, dt)[0][None])[0]
        return np.array([azimuth, elevation, distance, rate])

    n = modes.USED[mode]
    value = then(x)
    H = np.zeros((4, 9))
    for c, step in enumerate([10.0] * 3 + [1.0] * 3 + [0.05] * (n - 6)):
        d = np.zeros(9)
        d[c] = step
        H[:, c] = (then(x + d) - then(x - d)) / (2.0 * step)
    H[0] *= math.cos(value[1])
    y = modes.move(mode, x, dt)[0]
    noise = np.zeros((9, 9))
    modes.add_noise(mode, y, noise, dt)
    G = np.zeros((4, 9))  # of the state then
    for c, step in enumerate([10.0] * 3 + [1.0] * 3):
        d = np.zeros(9)
        d[c] = step
        ahead, behind = (measure(RADAR, (y + s * d)[None])[0][[1, 2, 0, 3]] for s in (1.0, -1.0))
        G[:, c] = (ahead - behind) / (2.0 * step)
    G[0] *= math.cos(value[1])
    return value, np.diag(H @ P @ H.T) + np.diag(G @ noise @ G.T)


@pytest.mark.parametrize("dt", [0.0, 3.0, -2.0])
@pytest.mark.parametrize("mode", [BALLISTIC, THRUST, LEVEL])
def test_what_a_sensor_would_measure_of_a_track_against_finite_differences(mode, dt):
    """Also in the air, where the drag of a light body makes its coefficient felt in the range rate."""
    rng = np.random.default_rng([mode, int(dt + 9)])
    for azimuth_deg, elevation_deg, range_m in (
        (70.0, 42.0, 250e3),
        (200.0, 30.0, 90e3),
        (310.0, 75.0, 60e3),
    ):
        x, P = rng.normal(size=(2, 3, 9)), np.zeros((2, 3, 9, 9))  # other rows and modes: of no account
        mu = np.tile([0.3, 0.3, 0.3], (2, 1))
        mu[1, mode] = 0.4
        x[1, mode] = state_at(RADAR, range_m, azimuth_deg, elevation_deg, 1500.0 * rng.normal(size=3))
        x[1, mode, 6:] = {BALLISTIC: [5.0, 0.0, 0.0], THRUST: [20.0, -8.0, 11.0], LEVEL: 0.0}[mode]
        P[1, mode] = random_covariance(rng, modes.USED[mode])
        A = rng.normal(size=(2, 3, 9, 2))
        value, variance, by_offset = seen(
            np.array([1]), np.array([0.0, 50.0]), x, P, A, mu, 50.0 + dt, place(RADAR), local(RADAR)
        )
        expected, spread = by_differences(mode, x[1, mode], P[1, mode], dt)
        value[0, 0] %= 2.0 * math.pi
        assert (np.abs(value[0] - expected) < [1e-9, 1e-9, 1e-3, 1e-4]).all()
        # the transition of a step is good to a hundredth where drag is strong (test_modes)
        np.testing.assert_allclose(variance[0], spread, rtol=0.02)
        small = 1e-3 * A[1, mode]
        for b in range(2):
            moved = x.copy()
            moved[1, mode] += small[:, b]
            shifted, *_ = seen(
                np.array([1]), np.array([0.0, 50.0]), moved, P, A, mu, 50.0 + dt, place(RADAR), local(RADAR)
            )
            change = (shifted - value)[0]
            change[0] = (change[0] + math.pi) % (2.0 * math.pi) - math.pi
            change *= np.array([math.cos(value[0, 1]), 1.0, 1.0, 1.0])
            used = modes.USED[mode]
            # of drag, a share of these derivatives, one is good to some hundredths: measured 4 at most
            size = np.abs(small[:used, b]).sum() * np.array([1e-7, 1e-7, 1.0, 1.0])
            assert (np.abs(1e-3 * by_offset[0, :, b] - change) < 0.05 * np.abs(change) + 0.02 * size).all()


def test_no_tracks_are_seen_and_none_are_together():
    none = np.zeros((0, 4))
    value, variance, by_offset = seen(
        np.zeros(0, np.int64), np.zeros(1), np.zeros((1, 3, 9)), np.zeros((1, 3, 9, 9)), np.zeros((1, 3, 9, 2)),
        np.ones((1, 3)), 0.0, place(RADAR), local(RADAR),
    )  # fmt: skip
    assert value.shape == variance.shape == none.shape
    assert by_offset.shape == (0, 4, 2)
    assert all(len(c) == 0 for c in together(none, none, np.ones(4)))


CELL = np.array([2e-3, 2e-3, 80.0, 8.0])
SPREAD = np.array([8e-4, 6e-4, 30.0, 3.0])


def chance_by_sampling(rng, value, variance, cell, count=200_000):
    """How often two objects, drawn by what is known of them, are nearer than a cell in all that is measured."""
    inside = np.ones(count, bool)
    turn = value[1, 0] - value[0, 0]
    turn = math.atan2(math.sin(turn), math.cos(turn)) * math.cos(0.5 * (value[0, 1] + value[1, 1]))
    for q, apart in enumerate([turn, *(value[1, 1:] - value[0, 1:])]):
        d = apart + rng.normal(size=(2, count)).T @ np.sqrt(variance[:, q]) * [1.0]
        inside &= np.abs(d) < cell[q]
    return inside.mean()


# Azimuths are between minus and plus half a turn: beyond south they leap.
@pytest.mark.parametrize("azimuth_deg", [0.0, 77.0, 180.0, -90.0])
@pytest.mark.parametrize(
    "cell", [CELL, [2e-3, INF, 80.0, INF], [2e-3, 2e-3, INF, INF], [INF, INF, 80.0, 8.0]]
)
def test_how_probably_two_are_one_against_sampling(azimuth_deg, cell):
    rng = np.random.default_rng([int(azimuth_deg) + 90, np.isfinite(cell) @ [1, 2, 4, 8]])
    cell = np.array(cell)
    met, pairs = 0, 0
    for _ in range(10):
        value = np.array([math.radians(azimuth_deg), 1.0, 200e3, -700.0]) + CELL * rng.uniform(
            -0.9, 0.9, (2, 4)
        )
        value[0, ~np.isfinite(cell)] += 1e3  # what is not measured is of no account
        value[:, 1] = np.where(np.isfinite(cell[1]), value[:, 1], 1.0)
        value[:, 0] = np.arctan2(np.sin(value[:, 0]), np.cos(value[:, 0]))
        met += int(abs(value[0, 0] - value[1, 0]) > 6.0)
        variance = (SPREAD * rng.uniform(0.3, 1.5, (2, 4))) ** 2
        first, second, chance = together(value, variance, cell)
        expected = chance_by_sampling(rng, value, variance, cell)
        assert (first.tolist(), second.tolist()) in (([0], [1]), ([], []))
        pairs += len(chance)
        assert chance.sum() == pytest.approx(expected, abs=5e-3)  # five sigma of the sampling
    assert pairs > 5
    assert (met > 0) == (azimuth_deg == 180.0 and math.isfinite(cell[0]))


@pytest.mark.parametrize("q", range(4))
def test_two_that_are_apart_in_one_thing_are_no_pair(q):
    value = np.tile([0.5, 0.7, 150e3, 300.0], (2, 1))
    variance = np.tile((0.1 * CELL) ** 2, (2, 1))
    scale = 1.0 / math.cos(0.7) if q == 0 else 1.0
    for cells, pairs in ((0.5, 1), (2.0, 0), (1e3, 0)):
        value[1, q] = value[0, q] + cells * CELL[q] * scale
        assert len(together(value, variance, CELL)[0]) == pairs
    cell = np.where(np.arange(4) == q, INF, CELL)
    assert len(together(value, variance, cell)[0]) == 1  # unless it is not measured


@pytest.mark.parametrize("cell", [CELL, [2e-3, 2e-3, INF, INF], [2e-3, INF, INF, INF]])
def test_pairs_of_a_crowd_are_those_of_each_two(cell):
    """Sorting, and looking no farther than the widest, leaves out none; order is of no account."""
    rng = np.random.default_rng(3)
    cell = np.array(cell)
    value = np.array([0.2, 0.6, 100e3, -50.0]) + 3.0 * CELL * rng.normal(size=(40, 4))
    value[:12] = value[0] + 0.2 * CELL * rng.normal(size=(12, 4))  # a knot: more pairs than tracks
    variance = (SPREAD * rng.uniform(0.1, 2.0, (40, 4))) ** 2
    order = rng.permutation(40)
    value, variance = value[order], variance[order]
    first, second, chance = together(value, variance, cell)
    ours = dict(zip(zip(first.tolist(), second.tolist(), strict=True), chance.tolist(), strict=True))
    assert len(ours) == len(first) > 40
    for i, j in itertools.combinations(range(40), 2):
        two = together(value[[i, j]], variance[[i, j]], cell)[2]
        assert len(two) == ((i, j) in ours)
        if len(two):
            assert ours[i, j] == pytest.approx(two[0], rel=1e-9)
            assert two[0] >= LEAST_TOGETHER


def scan_of(of, looks, time_s=0.0):
    """A scan of a sensor with plots made ready."""
    return Scan(0, of, looks, np.arange(len(looks.time_s)), place(of), time_s)


def test_a_cell_is_some_sigmas_wide_and_has_no_edge_where_nothing_is_measured():
    of = sensor((20.0, 1e-3, NAN, 3.0))
    looks = one_look(of, plots_of(of, state_at(of, 90e3, 10.0, 20.0)))
    np.testing.assert_allclose(cell_of(scan_of(of, looks)), CELL_SIGMAS * np.array([1e-3, INF, 20.0, 3.0]))


def grouped(tracks, pairs, plot):
    """As `groups`, of pairs (i, j, probability)."""
    i, j, p = zip(*pairs, strict=True) if pairs else ((), (), ())
    found = groups(np.array(tracks), (np.array(i, int), np.array(j, int), np.array(p, float)), np.array(plot))
    return {k: (members[0], sorted(members[1:])) for k, members in found.items()}


def test_a_track_without_a_plot_has_part_in_that_of_its_likeliest_neighbour():
    sure, less = TOGETHER + 0.4, TOGETHER + 0.1
    three = [0, 1, 2]
    assert grouped(three, [], [5, -1, -1]) == {}
    assert grouped(three, [(0, 1, sure)], [5, -1, -1]) == {5: (0, [1])}
    assert grouped(three, [(0, 1, TOGETHER - 0.1)], [5, -1, -1]) == {}
    assert grouped(three, [(0, 1, sure)], [5, 6, -1]) == {}  # each has its own
    assert grouped(three, [(0, 1, sure)], [-1, -1, 5]) == {}  # neither has one
    assert grouped(three, [(0, 1, less), (1, 2, sure)], [5, -1, 6]) == {6: (2, [1])}
    assert grouped(three, [(0, 1, sure), (1, 2, less)], [5, -1, 6]) == {5: (0, [1])}
    assert grouped(three, [(0, 1, sure), (0, 2, less), (1, 2, sure)], [-1, 5, -1]) == {5: (1, [0, 2])}
    # one beside another that has none either: of that one nothing is seen
    assert grouped(three, [(0, 1, less), (1, 2, sure)], [5, -1, -1]) == {5: (0, [1])}
    two = [(0, 1, sure), (2, 3, sure)]
    assert grouped([0, 1, 2, 3], two, [7, -1, -1, 0]) == {7: (0, [1]), 0: (3, [2])}


def test_groups_are_of_rows_of_the_table():
    """Pairs are numbered among the tracks asked, which are rows 2, 5, 6 of the table."""
    assert grouped([2, 5, 6], [(0, 2, 0.9)], [-1, -1, 4, -1, -1, 8, -1]) == {4: (2, [6])}


# A radar that measures no angles: all that it says of the two is the mean.
FLAT = sensor((10.0, NAN, NAN, 2.0))


def neighbours(rng, count=2, *, azimuth_deg=60.0, correlated=0.0, dt=0.0, spread_m=40.0):
    """Tracks beside each other: true states (n, 9), and what is believed of them. Nearly linear for the radar.

    correlated: of the error of each position with that of the velocity along the same axis, such that after a time dt
    there is none where it is 0.
    """
    base = state_at(FLAT, 250e3, azimuth_deg, 35.0, (900.0, -1400.0, 600.0))
    base[6] = 8.0
    truth = np.tile(base, (count, 1))
    truth[:, :6] += rng.normal(size=(count, 6)) * np.array([spread_m] * 3 + [2.0] * 3)
    x, P = np.zeros((count, 3, 9)), np.zeros((count, 3, 9, 9))
    for k in range(count):
        r, v = 35.0 * (1.0 + k), 4.0 + 3.0 * k
        P[k, 0, :3, :3], P[k, 0, 3:6, 3:6] = r * r * np.eye(3), v * v * np.eye(3)
        P[k, 0, :3, 3:6] = P[k, 0, 3:6, :3] = (correlated * r - v * dt) * v * np.eye(3)
        P[k, 0, 6, 6] = 0.25
        P[k, 1], P[k, 2] = np.eye(9), np.diag([1.0] * 6 + [0.0] * 3)
        x[k] = truth[k]
        x[k, 0, :6] += np.linalg.cholesky(P[k, 0, :6, :6]) @ rng.normal(size=6)
    mu = np.tile([1.0, 0.0, 0.0], (count, 1))
    nothing = np.full((count, RECENT), -1)
    h = States(np.zeros(count), x, P, np.zeros((count, 3, 9, 0)), mu, nothing[:, :1], nothing)
    return truth, h


def mean_plot(of, truth, time_s=0.0, rng=None, offsets=(-1, -1, -1, -1)):
    """One plot that is the mean of what all would have given."""
    all_of_them = plots_of(of, truth, np.full(len(truth), time_s))
    plot = all_of_them.rows(np.array([0]))
    measured = all_of_them.measured.mean(0, keepdims=True)
    turn = all_of_them.measured[:, 1]
    measured[:, 1] = np.arctan2(np.sin(turn).mean(), np.cos(turn).mean())
    if rng is not None:
        measured = measured + rng.normal(size=(1, 4)) * np.nan_to_num(of.sigma)
    return scan_of(of, one_look(of, plot._replace(measured=measured), offsets=offsets), time_s)


def all_at_once(of, x, P, scan):
    """A Kalman filter of all states side by side, and its plot the mean: states (n, 9) and covariances (n, 9, 9)."""
    m = len(x)
    looks = scan.looks
    H, residual = np.zeros((2, 9 * m)), looks.measured[0].copy()
    for k in range(m):
        for q in (2, 3):
            row = np.empty(6)
            gap, _ = residual_and_row(q, x[k], looks.position_m[0], looks.axes[0], looks.measured[0], row)
            residual[q - 2] -= (looks.measured[0, q - 2] - gap) / m
            H[q - 2, 9 * k : 9 * k + 6] = row / m
    wide = np.zeros((9 * m, 9 * m))
    for k in range(m):
        wide[9 * k : 9 * k + 9, 9 * k : 9 * k + 9] = P[k]
    S = H @ wide @ H.T + np.diag(of.sigma[[0, 3]] ** 2)
    K = wide @ H.T @ np.linalg.inv(S)
    y, Q = x.ravel() + K @ residual, wide - K @ S @ K.T
    return y.reshape(m, 9), np.stack([Q[9 * k : 9 * k + 9, 9 * k : 9 * k + 9] for k in range(m)])


def share_out(h, scan, of=FLAT, offsets=NONE):
    """States after a plot of all: rows corrected, x and P of free flight."""
    rows = np.arange(len(h.time_s))
    inside, x, P, _, _ = shared(rows, 0, h, np.ones(len(rows), np.int64), scan, local(of), offsets)
    return inside, x[:, 0], P[:, 0]


@pytest.mark.parametrize("dt", [0.0, 2.0])
@pytest.mark.parametrize("count", [2, 3])
def test_a_plot_of_all_corrects_each_as_a_filter_of_all_at_once(count, dt):
    rng = np.random.default_rng([count, int(dt)])
    for _ in range(10):
        truth, h = neighbours(rng, count, dt=dt)
        moved = [modes.predict(BALLISTIC, h.x[k, 0], h.P[k, 0], dt)[:2] for k in range(count)]
        then = np.stack([modes.move(BALLISTIC, y, dt)[0] for y in truth])
        scan = mean_plot(FLAT, then, dt, rng)
        expected_x, expected_P = all_at_once(
            FLAT, np.stack([y for y, _ in moved]), np.stack([Q for _, Q in moved]), scan
        )
        inside, x, P = share_out(h, scan)
        assert inside.tolist() == list(range(count))
        for k in range(count):
            sigma = np.sqrt(np.diag(expected_P[k])[:7])
            root = np.linalg.inv(np.linalg.cholesky(moved[k][1][:6, :6]))
            left = np.linalg.eigvalsh(root @ expected_P[k, :6, :6] @ root.T)
            assert left[1] < 0.95  # in two directions it says something
            np.testing.assert_allclose((x[k] - expected_x[k])[:7] / sigma, 0.0, atol=0.02)
            np.testing.assert_allclose(
                (P[k] - expected_P[k])[:7, :7] / np.outer(sigma, sigma), 0.0, atol=0.02
            )


# Plots about as good as the tracks, and plots several times better; how much too sure a track may then be, and how far
# off in sigmas: measured 2 and 15 per cent, 0.11 and 0.42.
@pytest.mark.parametrize(
    ("sigma", "least", "off"), [((50.0, NAN, NAN, 6.0), 0.97, 0.2), ((10.0, NAN, NAN, 2.0), 0.84, 0.5)]
)
@pytest.mark.parametrize("correlated", [0.5, 0.9, -0.9])
def test_a_plot_of_all_of_tracks_whose_range_and_rate_hang_together(correlated, sigma, least, off):
    """The errors of what the others give in range and range rate then hang together too: that is left out."""
    of = sensor(sigma)
    rng = np.random.default_rng(6)
    for _ in range(10):
        truth, h = neighbours(rng, 2, correlated=correlated)
        scan = mean_plot(of, truth, 0.0, rng)
        expected_x, expected_P = all_at_once(of, h.x[:, 0], h.P[:, 0], scan)
        _, x, P = share_out(h, scan, of)
        for k in range(2):
            root = np.linalg.inv(np.linalg.cholesky(expected_P[k, :6, :6]))
            ratio = np.sqrt(np.linalg.eigvalsh(root @ P[k, :6, :6] @ root.T))  # of sigmas, in any direction
            assert least < ratio.min() <= ratio.max() < 1.0 + 0.8 * (1.0 - least)
            spread = np.sqrt(np.diag(expected_P[k])[:6])
            np.testing.assert_allclose((x[k] - expected_x[k])[:6] / spread, 0.0, atol=off)


def test_a_plot_that_none_of_them_could_have_given_corrects_none():
    rng = np.random.default_rng(7)
    truth, h = neighbours(rng)
    truth[:, :3] += 3e3
    inside, *_ = share_out(h, mean_plot(FLAT, truth))
    assert inside.tolist() == []


def test_known_offsets_are_taken_off_a_plot_of_all():
    """The plot is the mean of what is believed of the tracks, with the sensor's offsets on it: it changes nothing."""
    rng = np.random.default_rng(8)
    _, h = neighbours(rng, 3)
    offset = np.array([400.0, 15.0])
    scan = mean_plot(FLAT, h.x[:, 0], offsets=(0, -1, -1, 1))
    scan = scan._replace(looks=scan.looks._replace(measured=scan.looks.measured + offset))
    h = h._replace(A=np.zeros((3, 3, 9, 2)))
    inside, x, _ = share_out(h, scan, offsets=Offsets(offset, np.zeros((2, 2))))
    assert inside.tolist() == [0, 1, 2]
    # metres and m/s of a sigma of tens and some: what the curvature of the range is worth
    np.testing.assert_allclose(x[:, :6] - h.x[:, 0, :6], 0.0, atol=0.1)


def test_derivative_by_an_offset_of_a_plot_of_all():
    """The states move with what the offset is taken for as they say."""
    rng = np.random.default_rng(10)
    truth, h = neighbours(rng, 2)
    h = h._replace(A=np.zeros((2, 3, 9, 1)))
    scan = mean_plot(FLAT, truth, rng=rng, offsets=(0, -1, -1, -1))
    (_, x, _, A, _), (_, y, *_) = (
        shared(
            np.arange(2),
            0,
            h,
            np.ones(2, np.int64),
            scan,
            local(FLAT),
            Offsets(np.array([b]), 1e-6 * np.eye(1)),
        )
        for b in (0.0, 5.0)
    )
    np.testing.assert_allclose(A[:, 0, :3, 0], (y - x)[:, 0, :3] / 5.0, rtol=0.02)


@pytest.mark.parametrize(
    "azimuth_deg",
    [
        0.0,
        90.0,
        180.0,
    ],
)
def test_angles_of_a_plot_of_all_have_the_spread_of_the_group(azimuth_deg):
    of = sensor((27.0, 1e-3, 1e-3, 5.0))
    rng = np.random.default_rng(9)
    truth, h = neighbours(rng, 2, azimuth_deg=azimuth_deg, spread_m=0.0)
    right = np.array(
        [math.cos(math.radians(azimuth_deg)), -math.sin(math.radians(azimuth_deg)), 0.0]
    ) @ local(of)
    for k, side in enumerate((-1.0, 1.0)):  # 100 m to either side: a spread of 0.4 mrad
        truth[k, :3] += side * 100.0 * right
        h.x[k, 0] = truth[k]
        h.P[k, 0, :3, :3] = 1e3**2 * np.eye(3)
    _, _, P = share_out(h, mean_plot(of, truth), of)
    for k in range(2):
        # in metres: the noise of the angle, and of where in the group it points
        noise = (250e3 * 1e-3 * math.cos(math.radians(35.0))) ** 2 + 100.0**2
        expected = math.sqrt(1e6 * noise / (1e6 + noise))
        assert math.sqrt(right @ P[k, :3, :3] @ right) == pytest.approx(expected, rel=0.02)
