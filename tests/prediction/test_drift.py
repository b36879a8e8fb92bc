"""Slow falls by quadrature against flights step by step."""

import math

import numpy as np
import pytest

from tocsin.earth.ellipsoid import ecef_to_geodetic, enu_axes
from tocsin.earth.forces import STANDARD, wind_table
from tocsin.earth.integrate import new_tape
from tocsin.earth.status import LANDED
from tocsin.prediction.departures import TUMBLING
from tocsin.prediction.drift import drift, learn_wind, slow_below_m
from tocsin.prediction.impact import land

from ..earth.flights import start

WINDY = TUMBLING._replace(
    wind=wind_table([0.0, 5e3, 11e3, 30e3], [3.0, 10.0, 30.0, 5.0], [0.0, -4.0, -8.0, 0.0])
)


def coming_in(beta):
    """A body 300 km up and coming down, in a wind of 8 m/s east and 4 south at 11 km beside that of the forces."""
    x = np.zeros(9)
    x[:6] = start(47.0, 33.0, 300e3, 3500.0, 70.0, -25.0)
    x[6:] = math.log(beta), 8.0, -4.0
    return x


@pytest.mark.parametrize("beta", [10.0, 40.0, 120.0])
@pytest.mark.parametrize("forces", [TUMBLING, WINDY, STANDARD])
def test_a_slow_fall_is_that_of_a_flight(beta, forces):
    x = coming_in(beta)
    code, time_s, there, J, *_ = land(x, 0.0, forces, new_tape())
    assert code == LANDED
    slow_m = slow_below_m(x, forces)
    assert 10e3 < slow_m < 30e3
    _, above_s, state, own, *_ = land(x, slow_m, forces, new_tape())
    slow_s = drift(state, own, 0.0, forces)
    assert above_s + slow_s == pytest.approx(time_s, rel=1e-3)
    # the wind takes it at once, where a flight lags by a second or two
    assert np.linalg.norm(state[:3] - there[:3]) < 300.0
    assert np.linalg.norm(state[3:6]) == pytest.approx(np.linalg.norm(there[3:6]), rel=0.05)
    for column, rel in ((0, 0.01), (3, 0.01), (6, 0.05), (7, 0.05), (8, 0.05)):
        np.testing.assert_allclose(own[:, column], J[:, column], atol=rel * np.abs(J[:, column]).max())


def test_what_is_dense_or_has_little_air_below_it_is_never_slow():
    assert slow_below_m(coming_in(3000.0), TUMBLING) == -1.0
    low = coming_in(100.0)
    low[:6] = start(47.0, 33.0, 1e3, 300.0, 70.0, 10.0)
    assert slow_below_m(low, TUMBLING) == -1.0


def falling(beta, east_m_s, down_m_s, height_m=5e3):
    x, P = np.zeros(9), np.diag([20.0**2] * 3 + [0.5**2] * 3 + [0.01] + [15.0**2] * 2)
    x[:6] = start(40.0, 10.0, height_m, 0.0, 0.0, 0.0)
    axes = enu_axes(math.radians(40.0), math.radians(10.0))
    x[3:6] = east_m_s * axes[0] - down_m_s * axes[2]
    x[6] = math.log(beta)
    return x, P


def test_speed_across_of_what_falls_slowly_is_wind():
    x, P = falling(100.0, 12.0, 50.0)
    learn_wind(x, P, TUMBLING)
    # at 5 km there is 5 / 11 of the wind at 11 km; 4 m/s of it are left to shear, so the prior pulls by a third
    assert x[7] == pytest.approx(12.0 * 11.0 / 5.0 * 0.745, rel=0.05)
    assert abs(x[8]) < 0.1
    assert 4.0**2 <= P[7, 7] < 9.0**2
    assert np.linalg.eigvalsh(P)[0] > 0.0


def test_a_wind_that_is_known_is_not_learned_again():
    x, P = falling(100.0, 10.0, 50.0)
    learn_wind(x, P, WINDY)  # which blows with 10 m/s to the east and 4 to the south there
    assert abs(x[7]) < 0.1
    assert x[8] > 1.0


@pytest.mark.parametrize(("beta", "down_m_s"), [(100.0, 500.0), (100.0, -50.0), (8000.0, 800.0)])
def test_what_does_not_fall_slowly_tells_nothing(beta, down_m_s):
    x, P = falling(beta, 100.0, down_m_s)
    before = x.copy(), P.copy()
    learn_wind(x, P, TUMBLING)
    np.testing.assert_array_equal(x, before[0])
    np.testing.assert_array_equal(P, before[1])


def test_a_place_moved_by_the_wind_stays_on_the_ground():
    x = coming_in(20.0)
    slow_m = slow_below_m(x, WINDY)
    _, _, state, J, *_ = land(x, slow_m, WINDY, new_tape())
    drift(state, J, 0.0, WINDY)
    assert abs(ecef_to_geodetic(state[:3])[2]) < 60.0
