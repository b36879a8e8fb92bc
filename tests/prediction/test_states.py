"""Predictions of one state: areas against drawn flights, what has none, wrong calls, and ten thousand random states."""

import math

import numpy as np
import pytest
from shapely import contains_xy

from tocsin.earth.drag import with_shape
from tocsin.earth.ellipsoid import ecef_to_geodetic
from tocsin.earth.flights import to_ground
from tocsin.earth.forces import STANDARD
from tocsin.earth.status import LANDED
from tocsin.errors import UsageError
from tocsin.prediction import states
from tocsin.prediction.departures import STEADY, TUMBLING
from tocsin.prediction.forecast import (
    COMES_DOWN,
    LEAVES,
    NOT_FINITE,
    STAYS_UP,
    STILL_FLYING,
    TOO_FAR,
    TOO_FAST,
    TOO_WIDE,
    UNDER_GROUND,
)
from tocsin.prediction.impact import ln_by_mach
from tocsin.prediction.meteoroids import DARK_M_S, LINE_KG, fall_line, meteoroid
from tocsin.prediction.predictor import predict
from tocsin.prediction.priors import DEFAULT, Kind
from tocsin.prediction.states import predict_state
from tocsin.prediction.winds import FAR_M, grid, profile, wind_at

from ..earth.flights import start
from .random_states import faults, random_states
from .test_impact import track

FALLING = start(47.0, 33.0, 120e3, 3000.0, 70.0, -25.0)
SPREAD = np.array([300.0, 20.0])


def inside(made, states, beta, forces=STANDARD, ground_m=0.0):
    """Share of flights of states that lands inside each area."""
    flown = to_ground(states, beta, forces, ground_m=ground_m, threads=2)
    assert (flown.status == LANDED).all()
    latitude, longitude, _ = ecef_to_geodetic(flown.state[:, :3])
    return [contains_xy(area, np.degrees(longitude), np.degrees(latitude)).mean() for area in made.areas]


@pytest.mark.parametrize("place", [(47.0, 33.0), (89.9, 10.0), (-20.0, 179.8)])
def test_areas_hold_flights_of_the_spread_of_a_state(place):
    x = start(*place, 120e3, 3000.0, 70.0, -25.0)
    made = predict_state(
        x, covariance=SPREAD, ballistic_coefficient=5000.0, ballistic_coefficient_sigma=0.0,
        wind_sigma_m_s=0.0, shares=[0.5, 0.9, 0.95, 0.99],
    )  # fmt: skip
    drawn = x + np.random.default_rng(1).normal(size=(4000, 6)) * np.repeat(SPREAD, 3)
    # what is not known of the drag of 5,000 kg/m2 adds next to nothing to 20 m/s; 4,000 flights know a half to 0.8 %
    np.testing.assert_allclose(inside(made, drawn, 5000.0), [0.5, 0.9, 0.95, 0.99], atol=0.03)
    assert made.origin == "given"
    assert made.notes == ()


@pytest.mark.parametrize("beta", [30.0, 400.0, 6000.0])
def test_areas_hold_flights_of_a_coefficient_that_is_hardly_known(beta):
    sigma = 0.6
    made = predict_state(
        FALLING, covariance=SPREAD, ballistic_coefficient=beta, ballistic_coefficient_sigma=sigma,
        wind_sigma_m_s=0.0, shape="blunt",
    )  # fmt: skip
    rng = np.random.default_rng(2)
    drawn = FALLING + rng.normal(size=(4000, 6)) * np.repeat(SPREAD, 3)
    # at 3 km/s the drag coefficient is that of the end of the table
    held = inside(made, drawn, beta * np.exp(sigma * rng.normal(size=4000)), with_shape(STANDARD, "blunt"))
    np.testing.assert_allclose(held, [0.5, 0.9, 0.99], atol=0.04)


def test_the_median_is_the_flight_itself():
    made = predict_state(FALLING, ballistic_coefficient=5000.0, ballistic_coefficient_sigma=0.0)
    # the coefficient is that at its speed now; a flight takes that at hypersonic speed
    flown = to_ground(FALLING, 5000.0 * math.exp(ln_by_mach(np.append(FALLING, np.zeros(3)), STEADY)), STEADY)
    latitude, longitude, _ = map(float, ecef_to_geodetic(flown.state[0, :3]))
    assert made.status == COMES_DOWN
    assert made.time_s == pytest.approx(flown.time_s[0], abs=1e-3)
    assert (made.latitude_rad, made.longitude_rad) == pytest.approx((latitude, longitude), abs=1e-7)


def test_a_coefficient_is_that_at_the_speed_of_the_state():
    slow = start(47.0, 33.0, 9e3, 150.0, 70.0, -60.0)
    made = predict_state(
        slow,
        ballistic_coefficient=300.0,
        ballistic_coefficient_sigma=0.0,
        wind_sigma_m_s=0.0,
        shape="slender",
    )
    # below Mach 0.5 the drag of the shape changes little, and is four times that of hypersonic speed
    plain = to_ground(slow, 300.0)
    assert made.time_s == pytest.approx(plain.time_s[0], rel=0.06)


def test_a_state_and_a_track_of_it_have_the_same_forecast():
    x, P = np.zeros(9), np.zeros((9, 9))
    x[:6], x[6], P[6, 6] = FALLING, math.log(2000.0), 1.2**2  # as much as a track knows at first
    P[:6, :6] = np.diag(np.repeat(SPREAD, 3) ** 2)
    forecast = predict(track(x, P, parent=0, parted=False), 0.0)
    made = predict_state(FALLING, covariance=SPREAD, origin="whole")
    assert made.areas_km2[2] == pytest.approx(forecast.area_km2, rel=0.02)
    assert made.areas[2].intersection(forecast.area).area > 0.97 * forecast.area.area
    np.testing.assert_allclose(made.time_quantiles_s - made.time_s, forecast.time_quantiles_s, atol=0.5)


def test_the_origin_follows_from_the_state_or_is_given():
    assert predict_state(FALLING).origin == "whole"
    assert predict_state(start(0.0, 0.0, 120e3, 7350.0, 90.0, -1.0)).origin == "orbit"
    child = predict_state(FALLING, origin="child")
    assert child.origin == "child"
    assert child.areas_km2[2] > 10.0 * predict_state(FALLING).areas_km2[2]
    own = predict_state(FALLING, kinds=[Kind("ball", 1.0, math.log(1300.0), 0.02)])
    assert own.origin == "given"
    assert math.exp(own.flights[0, 3]) == pytest.approx(1300.0)


def test_the_ground_may_be_high():
    low = predict_state(FALLING, ballistic_coefficient=5000.0)
    high = predict_state(FALLING, ballistic_coefficient=5000.0, ground_m=3000.0)
    assert high.time_s < low.time_s


@pytest.mark.parametrize(
    ("state", "status", "word"),
    [
        (np.full(6, np.nan), NOT_FINITE, "not finite"),
        (np.array([np.inf, 0, 0, 0, 0, 0]), NOT_FINITE, "not finite"),
        (np.zeros(6), UNDER_GROUND, "under the ground"),
        (start(10.0, 10.0, -200.0, 10.0, 0.0, 0.0), UNDER_GROUND, "under the ground"),
        (start(0.0, 0.0, 400e3, 7180.0, 90.0, 0.0), STAYS_UP, "stays above"),
        (start(0.0, 0.0, 400e3, 12e3, 90.0, 10.0), LEAVES, "leaves the Earth"),
        (start(0.0, 0.0, 300e3, 9.5e3, 90.0, 80.0), STILL_FLYING, "not come down after 90 min"),
        (start(0.0, 0.0, 100e3, 3e8, 90.0, 0.0), TOO_FAST, "no body is faster"),
        (start(0.0, 0.0, 100.0, 60e3, 90.0, 0.0), TOO_FAST, "no body withstands"),
        (np.array([1e300, 1e300, 0, 1e300, 0, 0]), TOO_FAR, "flights begin within"),
    ],
)
def test_what_has_no_impact_has_a_status_and_a_sentence(state, status, word):
    made = predict_state(state)
    assert made.status == status
    assert word in made.sentence
    assert made.areas == ()
    assert math.isnan(made.time_s)
    assert faults(made) == []


@pytest.mark.parametrize(("beta", "taken"), [(5000.0, STEADY), (100.0, TUMBLING)])
def test_how_far_from_linear_it_is_is_told_by_the_drag_that_it_has(monkeypatch, beta, taken):
    flown = []

    def watched(starts, coefficient, forces, **more):
        flown.append(forces.curve)
        return to_ground(starts, coefficient, forces, **more)

    monkeypatch.setattr(states, "to_ground", watched)
    predict_state(FALLING, covariance=[100.0, 5.0], ballistic_coefficient=beta)
    assert len(flown) == 1
    assert len(flown[0]) == len(taken.curve)


def test_what_is_known_too_badly_has_no_area():
    made = predict_state(FALLING, covariance=[1e6, 5000.0])
    assert made.status == TOO_WIDE
    assert faults(made) == []


def test_what_lies_on_the_ground_is_said_to():
    made = predict_state(start(48.0, 35.0, -0.5, 0.0, 90.0, 0.0), covariance=[100.0, 5.0])
    assert made.status == TOO_WIDE
    assert "on the ground" in made.sentence


def test_what_slides_on_the_ground_has_come_down():
    made = predict_state(start(48.0, 35.0, -0.5, 100.0, 90.0, 0.0), covariance=[100.0, 5.0])
    assert made.status == COMES_DOWN
    assert made.time_s == 0.0
    assert made.areas_km2[2] < 100.0
    assert faults(made) == []


@pytest.mark.parametrize("height_m", [-0.5, 0.5, 50.0])
def test_no_impact_is_before_the_state(height_m):
    made = predict_state(start(48.0, 35.0, height_m, 140.0, 90.0, -45.0), covariance=[100.0, 5.0])
    assert made.status == COMES_DOWN
    assert made.time_quantiles_s.min() == 0.0
    assert (np.diff(made.time_quantiles_s) >= 0.0).all()
    assert 0.0 <= made.stays_up < 1e-9


def test_what_may_stay_up_is_told_of():
    # shallow and nearly as fast as a satellite: a light body is caught by the air, a dense one flies on
    kinds = [Kind("light", 0.7, math.log(20.0), 0.2), Kind("dense", 0.3, math.log(5000.0), 0.2)]
    made = predict_state(start(0.0, 0.0, 120e3, 7480.0, 90.0, -1.0), kinds=kinds)
    assert made.status == COMES_DOWN
    assert made.stays_up == pytest.approx(0.3, abs=0.02)
    assert "30 % of what it may be does not come down" in made.notes[0]
    assert made.flights[:, 3].max() < math.log(1000.0)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"state": [1.0, 2.0]}, "state must have the shape (6,), has (2,)"),
        ({"covariance": np.eye(5)}, "covariance must have the shape (6, 6)"),
        ({"covariance": [1.0, -2.0]}, "sigmas must be finite and 0 or more, are [1.0, -2.0]"),
        ({"covariance": np.diag([1.0, 1, 1, 1, 1, -4])}, "covariance[5, 5] is -4, must be 0 or more"),
        ({"covariance": np.eye(6) + np.eye(6, k=1)}, "covariance must be symmetric"),
        ({"covariance": np.eye(6) * 4 + np.ones((6, 6)) * -3}, "positive semi-definite; as correlations"),
        ({"covariance": np.full((6, 6), np.nan)}, "covariance must be finite"),
        ({"ballistic_coefficient": 0.0}, "ballistic_coefficient is 0 kg/m2, must be from 2 to 100000 kg/m2"),
        ({"ballistic_coefficient": math.nan}, "ballistic_coefficient is nan kg/m2"),
        (
            {"ballistic_coefficient": 5.0, "ballistic_coefficient_sigma": -1},
            "ballistic_coefficient_sigma is -1",
        ),
        ({"ballistic_coefficient": 5.0, "kinds": DEFAULT.whole}, "not both"),
        ({"kinds": []}, "kinds is empty"),
        ({"kinds": [Kind("a", 0.0, 5.0, 1.0)]}, "the share of 'a' is 0.0, must be above 0"),
        ({"kinds": [Kind("a", 1.0, 5.0, -1.0)]}, "sigma of 'a' is -1"),
        ({"origin": "mars"}, "origin is 'mars', must be one of whole, child, orbit, meteoroid, breakup"),
        ({"shape": "duck"}, "shape is 'duck', must be one of sphere"),
        ({"shares": [0.5, 1.0]}, "shares must lie between 0 and 1, are [0.5, 1.0]"),
        ({"shares": []}, "shares must lie between 0 and 1"),
        ({"ground_m": 20e3}, "ground_m is 20000 m, must be from -500 to 9000 m"),
        ({"wind_sigma_m_s": -1.0}, "wind_sigma_m_s is -1 m/s, must be from 0 to 100 m/s"),
    ],
)
def test_wrong_calls_name_argument_value_and_limit(more, words):
    with pytest.raises(UsageError) as error:
        predict_state(**{"state": FALLING} | more)
    assert words in str(error.value)


def test_a_known_wind_moves_the_area_and_makes_it_smaller():
    light = {"ballistic_coefficient": 50.0}
    unknown = predict_state(FALLING, **light)
    calm = predict_state(FALLING, winds=profile([0, 30e3], [0, 0], [0, 0]), **light)
    west = predict_state(FALLING, winds=profile([0, 11e3, 30e3], [5, 40, 10], [0, 0, 0]), **light)
    assert calm.areas_km2[1] < 0.3 * unknown.areas_km2[1]
    assert west.longitude_rad > calm.longitude_rad
    wide = predict_state(FALLING, winds=profile([0, 30e3], [0, 0], [0, 0]), wind_sigma_m_s=15.0, **light)
    assert wide.areas_km2[1] == pytest.approx(unknown.areas_km2[1], rel=1e-6)


def test_of_a_grid_the_profile_at_the_impact_is_taken():
    calm, west = (profile([0, 30e3], [v, v], [0, 0]).table[0] for v in (0.0, 30.0))
    impact = predict_state(FALLING, ballistic_coefficient=100.0)
    here, away = impact.latitude_rad, impact.latitude_rad + 0.2
    winds = grid([here, away], [impact.longitude_rad] * 2, [west, calm])
    near = predict_state(FALLING, ballistic_coefficient=100.0, winds=winds)
    one = predict_state(FALLING, ballistic_coefficient=100.0, winds=profile([0, 30e3], [30, 30], [0, 0]))
    assert near.longitude_rad == pytest.approx(one.longitude_rad, abs=1e-5)
    assert near.notes == ()
    far = predict_state(
        FALLING, ballistic_coefficient=100.0, winds=grid([-here], [impact.longitude_rad], [calm])
    )
    assert "nearest profile of wind" in far.notes[0]


def test_winds_between_places_are_weighted_by_their_distance():
    tables = [profile([0, 30e3], [v, v], [0, 0]).table[0] for v in (10.0, 20.0)]
    winds = grid([0.0, 0.0], [0.0, 0.03], tables)
    between, far_m = wind_at(winds, 0.5 * (winds.place_m[0] + winds.place_m[1]))
    np.testing.assert_allclose(between[:, 0], 15.0)
    assert far_m == pytest.approx(0.015 * 6378137.0, rel=1e-3)
    assert far_m < FAR_M
    there, _ = wind_at(winds, winds.place_m[1])
    np.testing.assert_allclose(there[:, 0], 20.0, atol=1e-6)


DARK = start(-30.0, 137.0, 20e3, 2900.0, 80.0, -65.0)


def test_a_fall_line_is_the_flights_of_its_masses():
    line = fall_line(DARK)
    assert line.mass_kg.tolist() == list(LINE_KG)
    np.testing.assert_allclose(line.start_mass_kg, line.mass_kg, rtol=1e-3)  # dark flight: nothing is lost
    assert (np.diff(line.time_s) < 0.0).all()  # the heavier the sooner
    k = 2
    beta = line.mass_kg[k] / (1.14 * 1.65 * (line.mass_kg[k] / 3400.0) ** (2 / 3))
    flown = to_ground(DARK, beta, with_shape(STANDARD, "fragment"))
    latitude, longitude, _ = map(float, ecef_to_geodetic(flown.state[0, :3]))
    assert (line.latitude_rad[k], line.longitude_rad[k]) == pytest.approx((latitude, longitude), abs=1e-8)


def test_what_ablates_starts_with_more_than_it_lands_with():
    line = fall_line(start(-30.0, 137.0, 70e3, 15e3, 80.0, -45.0))
    # dm / m = sigma v dv down to the speed of dark flight
    lost = math.exp(0.5 * 1.4e-8 * (15e3**2 - DARK_M_S**2))
    np.testing.assert_allclose(line.start_mass_kg / line.mass_kg, lost, rtol=0.05)
    made = predict_state(start(-30.0, 137.0, 70e3, 15e3, 80.0, -45.0), origin="meteoroid")
    assert "ablate as a stone" in made.notes[0]
    assert made.fall_line is not None


def test_areas_of_a_meteoroid_hold_flights_of_masses_and_shapes():
    made = predict_state(DARK, origin="meteoroid", wind_sigma_m_s=0.0, covariance=[50.0, 5.0])
    rng = np.random.default_rng(4)
    held = []
    for shape in ("sphere", "fragment"):
        kinds = meteoroid(shape)
        which = rng.choice(len(kinds), 3000, p=[kind.share for kind in kinds])
        ln_beta = np.array([kinds[i].ln_beta for i in which]) + rng.normal(size=3000) * np.array(
            [kinds[i].sigma for i in which]
        )
        drawn = DARK + rng.normal(size=(3000, 6)) * np.repeat([50.0, 5.0], 3)
        held.append(inside(made, drawn, np.exp(ln_beta), with_shape(STANDARD, shape)))
    np.testing.assert_allclose(np.mean(held, axis=0), [0.5, 0.9, 0.99], atol=0.04)
    assert made.fall_line.mass_kg.tolist() == list(LINE_KG)


def test_meteoroids_are_what_they_say():
    (stone, _, _) = meteoroid("sphere", 2.0, 0.3)
    area = 1.35 * (2.0 / 3400.0) ** (2 / 3)
    assert math.exp(stone.ln_beta) == pytest.approx(2.0 / (0.92 * area))
    with pytest.raises(UsageError, match="shape is 'blunt', must be one of sphere, fragment"):
        meteoroid("blunt")
    with pytest.raises(UsageError, match=r"mass_kg is -1\.0 kg, must be above 0"):
        meteoroid("sphere", -1.0)
    with pytest.raises(UsageError, match="density_kg_m3 must be above 0"):
        fall_line(DARK, density_kg_m3=0.0)


@pytest.mark.parametrize("seed", [11, 12])
def test_random_states_have_areas_or_a_sentence(seed):
    wrong = [f for x, more in random_states(150, seed) for f in faults(predict_state(x, **more))]
    assert wrong == []


@pytest.mark.acceptance
@pytest.mark.compiled
def test_ten_thousand_random_states_have_areas_or_a_sentence():
    wrong = [f for x, more in random_states(10_000, 2) for f in faults(predict_state(x, **more))]
    assert wrong == []
