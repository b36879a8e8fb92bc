"""Flights against scipy's DOP853 at 1e-12 with forces written anew, and against finite differences."""

import numpy as np
import pytest

from tocsin.earth.integrate import LANDED, STILL_UP, propagate, to_ground
from tocsin.earth.motion import BALLISTIC, THRUST, acceleration

from .flights import fall, fly, geodetic, slope, start

CALM = np.zeros(2)

# name: start, ballistic coefficient kg/m2, wind m/s, miss m, time s. What is asked: metres where a
# forecast's own spread is hundreds, and milliseconds; a long glide through thin air counts double.
FALLS = {
    "descent": (start(48, 35, 600e3, 4000, 80, -20), 5000.0, (0.0, 0.0), 0.1, 1e-3),
    "steep re-entry over the antimeridian": (
        start(10, -179.9, 130e3, 6500, -45, -35),
        6000.0,
        (0.0, 0.0),
        0.1,
        1e-3,
    ),
    "shallow re-entry": (start(-35, 130, 110e3, 7500, 100, -2), 150.0, (0.0, 0.0), 6.0, 5e-3),
    "half round the Earth by the pole": (
        start(70, 179.9, 400e3, 6800, 10, 15),
        4000.0,
        (0.0, 0.0),
        5.0,
        5e-3,
    ),
    "light fragment in wind": (start(60, 20, 90e3, 2500, 200, -10), 25.0, (12.0, -9.0), 0.5, 5e-3),
    "short path": (start(-25, 130, 20e3, 1600, 60, 45), 4000.0, (0.0, 0.0), 1.0, 1e-3),
    "dropped at rest": (start(0, 0, 9e3, 0, 0, 0), 500.0, (0.0, 0.0), 0.1, 0.03),
    "a light thing dropped at rest": (start(0, 0, 9e3, 0, 0, 0), 25.0, (0.0, 0.0), 0.1, 0.03),
}


def ballistic(state, beta):
    return np.concatenate([state, [np.log(beta), 0.0, 0.0]])


@pytest.mark.parametrize("name", FALLS)
def test_fall_to_the_ground(name):
    state, beta, wind, miss_m, late_s = FALLS[name]
    t, there = fall(state, beta, wind)
    code, time_s, y, _, lowest = to_ground(ballistic(state, beta), np.array(wind), 5400.0, 0.0)
    assert (code, lowest) == (LANDED, 0.0)
    assert abs(geodetic(y[:3])[2]) < 1e-3
    assert time_s == pytest.approx(t, abs=late_s)
    assert np.linalg.norm(y[:3] - there[:3]) < miss_m


def test_fall_to_a_height():
    state = start(48, 35, 40e3, 1500, 80, -60)
    t, there = fall(state, 5000.0, ground_m=850.0)
    code, time_s, y, _, lowest = to_ground(ballistic(state, 5000.0), CALM, 600.0, 850.0)
    assert (code, lowest) == (LANDED, 850.0)
    assert geodetic(y[:3])[2] == pytest.approx(850.0, abs=1e-3)
    assert time_s == pytest.approx(t, abs=1e-3)
    assert np.linalg.norm(y[:3] - there[:3]) < 0.1


def test_a_satellite_stays_up_and_a_thing_in_the_ground_has_landed():
    code, time_s, _, _, lowest = to_ground(
        ballistic(start(0, 0, 400e3, 7180, 90, 0), 100.0), CALM, 1500.0, 0.0
    )
    assert code == STILL_UP
    assert time_s >= 1500.0
    assert 300e3 < lowest <= 400e3
    below = ballistic(start(0, 0, -3.0, 100, 90, -80), 100.0)
    code, time_s, y, transition, _ = to_ground(below, CALM, 1500.0, 0.0)
    assert (code, time_s) == (LANDED, 0.0)
    assert (y == below).all()
    assert (transition == np.eye(6, 9)).all()


@pytest.mark.parametrize("height_km", [200, 400])
def test_long_coast(height_km):
    state = start(10, 20, height_km * 1e3, 6900, 70, 15)
    y, _ = propagate(BALLISTIC, ballistic(state, 1e12), 900.0, CALM)
    # 30 steps of 30 s, a few millimetres each
    assert np.linalg.norm(y[:3] - fly(state, 900.0, 1e12)[:3]) < 0.1


def test_thrust():
    state, own = start(10, 20, 10e3, 500, 70, 60), np.array([20.0, -5.0, 10.0])
    y, _ = propagate(THRUST, np.concatenate([state, own]), 40.0, CALM)
    np.testing.assert_allclose(y[:6], fly(state, 40.0, thrust=own), rtol=0, atol=1e-3)
    assert (y[6:] == own).all()


MOVES = [
    (BALLISTIC, ballistic(start(48, 35, 300e3, 4000, 80, 20), 5000.0), (0.0, 0.0), 120.0),
    (BALLISTIC, ballistic(start(-48, 135, 40e3, 3000, 200, -40), 2000.0), (10.0, 20.0), 12.0),
    (BALLISTIC, ballistic(start(70, -35, 15e3, 900, 80, -40), 500.0), (0.0, 0.0), -8.0),
    (THRUST, np.concatenate([start(10, 20, 10e3, 500, 70, 60), [20.0, -5.0, 10.0]]), (0.0, 0.0), 25.0),
]


@pytest.mark.parametrize("case", MOVES)
def test_transition_matrix_by_finite_differences(case):
    kind, x, wind, duration_s = case
    wind = np.array(wind)
    transition = propagate(kind, x, duration_s, wind)[1]
    steps = np.array([10.0] * 3 + [0.1] * 3 + ([1e-3, 1.0, 1.0] if kind == BALLISTIC else [1e-2] * 3))
    for c in range(9):
        d = np.zeros(9)
        d[c] = steps[c]
        ahead, behind = (propagate(kind, x + s * d, duration_s, wind)[0] for s in (1.0, -1.0))
        column = (ahead - behind)[:6] / (2.0 * steps[c])
        # The matrix is that of fixed steps; the steps themselves follow the state, hence not exact.
        size = max(np.abs(column[:3]).max(), 0.01), max(np.abs(column[3:]).max(), 1e-4)
        np.testing.assert_allclose(transition[:3, c], column[:3], rtol=0, atol=2e-3 * size[0])
        np.testing.assert_allclose(transition[3:, c], column[3:], rtol=0, atol=2e-3 * size[1])


@pytest.mark.parametrize("case", MOVES)
def test_there_and_back(case):
    kind, x, wind, duration_s = case
    wind = np.array(wind)
    there, forth = propagate(kind, x, duration_s, wind)
    again, back = propagate(kind, there, -duration_s, wind)
    np.testing.assert_allclose(again[:3], x[:3], rtol=0, atol=0.3)  # m: the steps back are other steps
    np.testing.assert_allclose(again[3:6], x[3:6], rtol=0, atol=0.01)
    square = [np.vstack([m, np.eye(9)[6:]]) for m in (back, forth)]
    scale = np.array([1e3] * 3 + [10.0] * 3 + [0.1] * 3)
    np.testing.assert_allclose(
        (square[0] @ square[1]) * scale / scale[:, None], np.eye(9), atol=0.03
    )  # of the scale


def test_no_time_changes_nothing():
    x = MOVES[0][1]
    y, transition = propagate(BALLISTIC, x, 0.0, CALM)
    assert (y == x).all()
    assert (transition == np.eye(6, 9)).all()


@pytest.mark.parametrize("case", MOVES)
def test_acceleration_and_its_derivatives(case):
    kind, x, wind, _ = case
    wind = np.array(wind)
    partials = np.empty((3, 9))
    a = acceleration(kind, x, wind, partials)[:3]
    thrust = x[6:9] if kind == THRUST else None
    beta = np.exp(x[6]) if kind == BALLISTIC else np.inf
    np.testing.assert_allclose(a, slope(x[:6], beta, wind, thrust)[3:], rtol=0, atol=1e-7)
    other = np.empty((3, 9))
    steps = np.array([1.0] * 3 + [0.1] * 3 + [1e-3] * 3)
    for c in range(9):
        d = np.zeros(9)
        d[c] = steps[c]
        ahead, behind = (np.array(acceleration(kind, x + s * d, wind, other)[:3]) for s in (1.0, -1.0))
        column = (ahead - behind) / (2.0 * steps[c])
        # With wind, its own change over the place is left out: it is small beside the density's.
        slack = 3e-3 if wind.any() else 1e-5
        np.testing.assert_allclose(partials[:, c], column, rtol=0, atol=slack * np.abs(column).max() + 1e-9)
