"""Tracks that no one sees: when they take no plots, who finds them again, and how often they are told of."""

import math

import numpy as np
import pytest

from tocsin.earth.ellipsoid import geodetic_to_ecef
from tocsin.earth.motion import BALLISTIC, LEVEL, THRUST
from tocsin.tracking import life, modes
from tocsin.tracking.tracks import begun, join

NO_OFFSETS = np.zeros((0, 0))
UP = geodetic_to_ecef(0.9, 0.3, 0.0) / np.linalg.norm(geodetic_to_ecef(0.9, 0.3, 0.0))


def state(mode, height_m=200e3, climb_m_s=1500.0, own=0.0):
    """Modes (3, 9) of which one is in use, and their probabilities; own: thrust upward, m/s2."""
    x, mu = np.zeros((3, 9)), np.zeros(3)
    x[:, :3] = geodetic_to_ecef(0.9, 0.3, height_m)
    x[:, 3:6] = climb_m_s * UP
    x[BALLISTIC, 6] = math.log(1000.0)
    x[THRUST, 6:] = own * UP
    mu[mode] = 1.0
    return x, mu


def track(number, mode=BALLISTIC, sigma_m=100.0, shown=True, hit_s=0.0, **more):
    """A track of time 0, known to sigma_m and sigma_m / 100 a second."""
    x, mu = state(mode, **more)
    P = np.tile(np.diag([sigma_m**2] * 3 + [(sigma_m / 100.0) ** 2] * 3 + [0.25] * 3), (3, 1, 1))
    table, h = begun(number, 0, 0.99, 9, 0.0, hit_s, x, P, np.zeros((3, 9, 0)), mu, [(0, number)], 1, True)
    return table._replace(shown=np.array([shown])), h


def test_what_is_hardly_known_and_not_seen_is_lost():
    wide = 0.9 * life.WIDEST_SIGMA_M  # of each axis
    rows = [track(1, sigma_m=wide), track(2, sigma_m=wide, hit_s=25.0), track(3, sigma_m=100.0)]
    table, h = join(rows)
    assert life.lost(table, h, 30.0).tolist() == [True, False, False]
    assert life.over(table, h, 30.0).tolist() == [False, False, False]
    assert life.over(*join([track(1, sigma_m=life.WIDEST_LOST_M), rows[2]]), 30.0).tolist() == [True, False]


def test_thrust_that_no_one_sees_is_soon_known_to_nothing():
    """In 60 s a body that may thrust with 40 m/s2, or no longer, is anywhere within 70 km; a falling one is not."""
    table, h = join([track(1, THRUST, own=40.0), track(2)])
    assert life.sharp(table, h, 5.0).tolist() == [True, True]
    assert life.sharp(table, h, 60.0).tolist() == [False, True]
    assert life.lost(table, h, 60.0).tolist() == [True, False]


@pytest.mark.parametrize(
    ("off_m", "found", "more"),
    [
        (0.0, 0, {}),
        (2.0 * 30e3, 0, {}),
        (20.0 * 30e3, -1, {}),
        (0.0, -1, {"mode": LEVEL}),
        (0.0, -1, {"shown": False}),
    ],
)
def test_a_new_track_where_a_lost_one_may_be_is_it(off_m, found, more):
    table, h = join([track(1, sigma_m=30e3, shown=more.get("shown", True)), track(2, sigma_m=10.0)])
    x, mu = state(more.get("mode", BALLISTIC))
    later = modes.move(BALLISTIC, x[BALLISTIC], 50.0)[0]
    x[:, :6] = later[:6]
    x[:, :3] += off_m * np.cross(UP, [0.0, 0.0, 1.0])
    P = np.tile(np.diag([300.0**2] * 3 + [30.0**2] * 3 + [0.25] * 3), (3, 1, 1))
    gone = np.array([True, False])  # the second is not lost: it would have the plots
    new = (50.0, x, P, np.zeros((3, 9, 0)), mu)
    assert life.found_again(*new, table, h, gone, NO_OFFSETS) == found


def test_of_two_lost_tracks_the_nearer_one_is_found():
    table, h = join([track(1, sigma_m=30e3, height_m=240e3), track(2, sigma_m=30e3)])
    x, mu = state(BALLISTIC)
    P = np.tile(np.diag([300.0**2] * 3 + [30.0**2] * 3 + [0.25] * 3), (3, 1, 1))
    both = np.array([True, True])
    assert life.found_again(0.0, x, P, np.zeros((3, 9, 0)), mu, table, h, both, NO_OFFSETS) == 1


def test_rows_come_before_flight_in_vacuum_strays():
    """In that time the strongest acceleration that is not gravity makes just so many metres."""
    cases = [
        state(BALLISTIC),
        state(THRUST, own=40.0),
        state(LEVEL, height_m=9e3),
        state(BALLISTIC, 25e3, -2500.0),
    ]
    x, mu = np.stack([c[0] for c in cases]), np.stack([c[1] for c in cases])
    apart_s = life.rows_apart_s(0.0, np.zeros(4), x, mu, 1.0, 8.0, 1000.0)
    drag = modes.drag_m_s2(x[3, BALLISTIC])
    assert apart_s[[0, 2]].tolist() == [8.0, 8.0]
    assert 0.5 * 40.0 * apart_s[1] ** 2 == pytest.approx(1000.0)
    assert 1.0 < apart_s[3] < 8.0
    assert 0.5 * drag * apart_s[3] ** 2 == pytest.approx(1000.0)
    # some seconds on it is deeper in the air, and its rows come sooner; never sooner than the least
    assert life.rows_apart_s(4.0, np.zeros(4), x, mu, 1.0, 8.0, 1000.0)[3] < apart_s[3]
    assert life.rows_apart_s(0.0, np.zeros(4), x, mu, 7.5, 8.0, 1000.0)[3] == 7.5
