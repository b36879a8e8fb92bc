"""What may become of something that is still under thrust."""

import math

import numpy as np
import pytest
from shapely.geometry import Point

from tocsin.earth.ellipsoid import ecef_to_geodetic, enu_axes
from tocsin.earth.forces import STANDARD
from tocsin.earth.motion import THRUST
from tocsin.prediction.ascent import Burn, cut_offs, greatest_range_m, heading_known, speed_for_m_s
from tocsin.prediction.predictor import predict

from ..earth.flights import fall, start
from .test_impact import track

PUSH_M_S2 = 30.0


def climbing(speed_m_s=2000.0, elevation_deg=45.0, sigma_m_s=20.0):
    """A track under thrust along its path, 60 km up and going north-east."""
    x, P = np.zeros(9), np.diag([100.0**2] * 3 + [sigma_m_s**2] * 3 + [3.0**2] * 3)
    x[:6] = start(10.0, 20.0, 60e3, speed_m_s, 40.0, elevation_deg)
    x[6:9] = PUSH_M_S2 * x[3:6] / np.linalg.norm(x[3:6])
    return track(x, P, THRUST, parent=0, parted=False)


def reached(t, speeds_m_s, bend=0.0):
    return cut_offs(
        t.x[THRUST], PUSH_M_S2, np.asarray(speeds_m_s, float), bend, 2600.0, 90.0, 400.0, STANDARD
    )


def test_a_burn_gains_what_it_says():
    t = climbing()
    speeds = [2000.0, 2500.0, 4000.0]
    count, states, times = reached(t, speeds)
    assert count == 3
    # speeds are those of the first step past them, of 25 to 60 m/s
    gained = np.linalg.norm(states[:, 3:], axis=1) - speeds
    assert (gained >= 0.0).all()
    assert (gained < 70.0).all()
    assert times[0] <= 1.0  # rounding: the speed now may be a hair below itself
    # 500 m/s at 30 m/s2 growing, less gravity along the path of at most 7 m/s2
    assert 500.0 / 40.0 < times[1] < 500.0 / 22.0


def test_a_path_that_bends_is_flatter_at_the_end():
    t = climbing()

    def elevation_deg(state):
        up = enu_axes(*ecef_to_geodetic(state[:3])[:2])[2]
        return math.degrees(math.asin(up @ state[3:] / np.linalg.norm(state[3:])))

    straight = elevation_deg(reached(t, [4000.0])[1][0])
    bent = elevation_deg(reached(t, [4000.0], 0.005)[1][0])
    assert bent < straight < 45.0


def test_a_burn_that_lasts_too_long_is_not_followed():
    count, _, _ = reached(climbing(), [2000.0, 7000.0, 90e3])
    assert count < 3


@pytest.mark.parametrize("range_m", [100e3, 1000e3, 10e6])
def test_least_speed_and_greatest_range_belong_together(range_m):
    assert greatest_range_m(float(speed_for_m_s(np.array([range_m]))[0])) == pytest.approx(range_m, rel=1e-9)


def test_short_ranges_are_those_of_a_flat_earth():
    assert greatest_range_m(1000.0) == pytest.approx(1000.0**2 / 9.8, rel=0.02)


@pytest.mark.parametrize("speed_m_s", [2000.0, 2600.0, 3500.0])
def test_the_area_holds_where_it_comes_down_whenever_the_thrust_ends(speed_m_s):
    t = climbing()
    forecast = predict(t, 1000.0)
    assert forecast.phase == "boost"
    _, states, times = reached(t, [speed_m_s])
    (fall_s,), (there,) = fall(states[0], beta=4500.0)
    latitude, longitude = np.degrees(ecef_to_geodetic(there[:3])[:2])
    assert forecast.area.covers(Point(longitude, latitude))
    late_s = t.time_s + times[0] + fall_s - forecast.impact_time_s
    assert forecast.time_quantiles_s[0] < late_s < forecast.time_quantiles_s[6]


def test_nothing_comes_down_nearer_than_if_the_thrust_ended_now():
    """It goes on from here, with its speed: so the parent's own place is not in the area."""
    forecast = predict(climbing(), 1000.0)
    latitude, longitude = np.degrees(ecef_to_geodetic(climbing().x[THRUST, :3])[:2])
    assert not forecast.area.covers(Point(longitude, latitude))


def test_what_is_believed_of_a_burn_can_be_replaced():
    near = predict(climbing(), 1000.0, burn=Burn(farthest_m=1500e3))
    assert near.area_km2 < 0.3 * predict(climbing(), 1000.0).area_km2


def test_a_heading_that_is_not_known_is_said():
    assert heading_known(climbing())
    t = climbing(speed_m_s=200.0, elevation_deg=89.0, sigma_m_s=30.0)
    assert not heading_known(t)
    forecast = predict(t, 1000.0)
    assert forecast.area is None
    assert "which way" in forecast.status


def test_what_may_or_may_not_burn_is_told_of_by_both():
    t = climbing()
    mu = np.array([0.6, 0.4, 0.0])
    x, P = t.x.copy(), t.P.copy()
    x[0, 6] = math.log(4500.0)
    P[0, 6, 6] = 1.0
    both = predict(t._replace(mu=mu, x=x, P=P), 1000.0)
    free = predict(t._replace(mu=np.array([1.0, 0.0, 0.0]), x=x, P=P), 1000.0)
    assert both.area_km2 > free.area_km2
    assert both.area.intersects(free.area)
