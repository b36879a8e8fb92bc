"""Impact points and their spread against two thousand flights, and what does not come down."""

import math

import numpy as np
import pytest
from shapely import contains_xy

from tocsin.earth.ellipsoid import ecef_to_geodetic, enu_axes
from tocsin.earth.forces import STANDARD
from tocsin.earth.integrate import fly
from tocsin.earth.motion import BALLISTIC, LEVEL, THRUST
from tocsin.earth.status import LANDED
from tocsin.prediction.impact import (
    COMES_DOWN,
    LONGEST_FLIGHT_S,
    STAYS_UP,
    STEP_ERROR_M,
    WIND_SIGMA_M_S,
    impact,
)
from tocsin.prediction.predictor import predict
from tocsin.tracking.tracks import Track

from ..earth.flights import fall, start


def state(beta=5000.0, sigma_ln_beta=0.0):
    """A body 200 s before its impact, known to 40 m and 1.5 m/s."""
    x, P = np.zeros(9), np.zeros((9, 9))
    x[:6] = start(47.0, 33.0, 300e3, 3500.0, 70.0, -25.0)
    x[6] = math.log(beta)
    P[:3, :3], P[3:6, 3:6] = 40.0**2 * np.eye(3), 1.5**2 * np.eye(3)
    P[:3, 3:6] = P[3:6, :3] = 30.0 * np.eye(3)
    P[6, 6] = sigma_ln_beta**2
    return x, P


def track(x, P, mode=BALLISTIC, **more):
    mu = np.zeros(3)
    mu[mode] = 1.0
    given = {
        "number": 7, "parent": 3, "time_s": 1000.0, "x": np.stack([x] * 3), "P": np.stack([P] * 3), "mu": mu,
        "existence": 0.99, "hits": 30, "shown": True, "orbit": False, "fallen": True, **more,
    }  # fmt: skip
    return Track(**given)


def landing(x):
    """Time (s) and state (9,) of the impact of a state."""
    code, t, y, _, _, _ = fly(BALLISTIC, x, LONGEST_FLIGHT_S, 0.0, STEP_ERROR_M, STANDARD)
    assert code == LANDED
    return t, y


def flights(x, P, count, rng, wind=False):
    """Offsets east, north (m) and times (s) of flights drawn from a state about the mean's, and their impacts (rad)."""
    t0, y0 = landing(x)
    latitude, longitude, _ = ecef_to_geodetic(y0[:3])
    axes = enu_axes(latitude, longitude)[:2]
    out, places = np.empty((count, 3)), np.empty((count, 3))
    draws = rng.multivariate_normal(np.zeros(7), P[:7, :7], count)
    for k, d in enumerate(draws):
        drawn = x.copy()
        drawn[:7] += d
        if wind:
            drawn[7:] = WIND_SIGMA_M_S * rng.normal(size=2)
        t, y = landing(drawn)
        places[k] = y[:3]
        out[k] = [*(axes @ (y[:3] - y0[:3])), t - t0]
    return out, *ecef_to_geodetic(places)[:2]


def test_spread_of_a_known_body_is_that_of_two_thousand_flights():
    x, P = state()
    code, points, covariances, weights, _, _ = impact(x, P, 0.0)
    assert code == COMES_DOWN
    assert len(points) == len(weights) == 1
    latitude, longitude, height = ecef_to_geodetic(points[0, :3])
    assert abs(height) < 1e-3
    turn = np.eye(4)[[0, 1, 3]]
    turn[:2, :3] = enu_axes(latitude, longitude)[:2]
    ours = turn @ covariances[0] @ turn.T
    drawn = np.cov(flights(x, P, 2000, np.random.default_rng(1), wind=True)[0].T)
    # 2,000 flights know a variance to 3.2 %; three of these
    np.testing.assert_allclose(np.diag(ours), np.diag(drawn), rtol=0.1)
    scale = np.sqrt(np.diag(drawn))
    np.testing.assert_allclose((ours - drawn) / np.outer(scale, scale), 0.0, atol=0.1)
    up = enu_axes(latitude, longitude)[2]
    assert up @ covariances[0][:3, :3] @ up < 1e-3 * np.trace(covariances[0][:3, :3])  # it lies in the ground


def test_point_and_time_are_those_of_the_flight():
    x, P = state()
    (t,), (there,) = fall(x[:6], beta=5000.0)
    _, points, _, _, _, _ = impact(x, P, 0.0)
    assert points[0, 3] == pytest.approx(t, abs=1e-3)
    assert np.linalg.norm(points[0, :3] - there[:3]) < 0.5


@pytest.mark.parametrize(("sigma_ln_beta", "beta"), [(0.0, 5000.0), (0.3, 4000.0), (1.2, 1500.0)])
def test_the_area_holds_99_of_100_impacts(sigma_ln_beta, beta):
    x, P = state(beta, sigma_ln_beta)
    forecast = predict(track(x, P), 1010.0)
    drawn, latitude, longitude = flights(x, P, 1500, np.random.default_rng(2), wind=True)
    inside = contains_xy(forecast.area, np.degrees(longitude), np.degrees(latitude))
    # 0.99 with a margin of three sigmas; the chain of ellipses claims no less, and not absurdly more
    assert np.mean(inside) > 0.98
    assert np.sqrt(forecast.covariance_m2.trace()) == pytest.approx(
        np.sqrt((drawn[:, :2] ** 2).sum(1).mean()), rel=0.25
    )
    assert forecast.impact_time_sigma_s == pytest.approx(np.sqrt((drawn[:, 2] ** 2).mean()), rel=0.25)
    assert (forecast.track, forecast.parent, forecast.issued_s) == ("T00007", "T00003", 1010.0)
    assert forecast.earliest_s < forecast.impact_time_s < forecast.latest_s
    assert forecast.area_km2 > 0.0


def test_what_stays_up_has_no_impact():
    x, P = state()
    x[:6] = start(0.0, 0.0, 400e3, 7180.0, 90.0, 0.0)
    assert impact(x, P, 0.0)[0] == STAYS_UP
    forecast = predict(track(x, P), 1000.0)
    assert "stays above" in forecast.status
    assert forecast.area is None
    assert math.isnan(forecast.impact_time_s)


@pytest.mark.parametrize(("mode", "word"), [(LEVEL, "level"), (THRUST, "thrust")])
def test_aircraft_and_climbing_rockets_have_no_impact(mode, word):
    forecast = predict(track(*state(), mode), 1000.0)
    assert word in forecast.status
    assert forecast.area is None


def test_the_reported_point_is_the_mean_states_where_some_flights_go_on():
    """A grazing body: light, it comes down; dense, it leaves the air again."""
    x, P = state(2000.0, 1.2)
    x[:6] = start(-35.0, 130.0, 105e3, 7750.0, 100.0, -1.6)
    code, points, _, weights, _, _ = impact(x, P, 0.0)
    assert code == COMES_DOWN
    assert len(points) < 7  # the case at hand
    assert weights.sum() == pytest.approx(1.0)
    _, y = landing(x)
    latitude, longitude, _ = ecef_to_geodetic(y[:3])
    forecast = predict(track(x, P), 1000.0)
    assert forecast.latitude_rad == pytest.approx(float(latitude), abs=1e-9)
    assert forecast.longitude_rad == pytest.approx(float(longitude), abs=1e-9)
