"""What is drawn, what is felt, what is known of it, and how it is counted."""

import math

import numpy as np
import pytest
from scipy.stats import norm

from tocsin.calibration.campaign import chunk, joined
from tocsin.calibration.counts import count
from tocsin.calibration.estimate import LEAST_SHARE, estimate, felt, learn
from tocsin.calibration.families import FAMILIES, draw, family_of
from tocsin.calibration.levels import POINTS, level_of_place, level_of_time
from tocsin.earth.ellipsoid import ecef_to_geodetic
from tocsin.metrics.calibration import MAY_BE_OUT, OUT, Share, verdict
from tocsin.prediction.priors import DEFAULT, Kind
from tocsin.simulation.flight import BLUNT, fly


def verdicts(columns, of, lead=0):
    """Verdicts by what is said, for one lead."""
    cells, _ = count("test", columns)
    return {
        c.said: verdict(Share(c.said, *c[5:10]))
        for c in cells
        if c.of == of and c.lead == lead and not c.body
    }


def test_shares_of_bodies_are_shares():
    for family in FAMILIES:
        assert sum(body.share for body in family.bodies) == pytest.approx(1.0)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_starts_are_in_their_ranges_and_all_over_the_globe(family):
    drawn = [draw(family, rng) for rng in np.random.default_rng(3).spawn(300)]
    latitude, longitude, height = ecef_to_geodetic(np.array([d.start[:3] for d in drawn]))
    assert (height > family.height_m.low - 1e-3).all()
    assert (height < family.height_m.high + 1e-3).all()
    assert (np.abs(latitude) > math.radians(86.0)).mean() > 0.07
    assert (np.abs(longitude) > math.radians(177.0)).mean() > 0.07
    assert {np.sign(latitude).min(), np.sign(latitude).max()} == {-1.0, 1.0}
    assert len({d.weather.tobytes() for d in drawn}) == 300
    for d in drawn:
        assert d.body.beta_kg_m2.low <= math.exp(d.start[6]) <= d.body.beta_kg_m2.high * (1 + 1e-12)


def test_the_speed_lost_to_drag_is_what_ablation_works_with():
    # of d ln(beta) = -sigma / 3 times drag times airspeed (Ceplecha 1998); in still air
    drawn, calm = draw(family_of("fireball"), np.random.default_rng(5)), np.zeros(8)
    time_s, rows, _ = fly(drawn.start[None], calm[None], BLUNT, 3e-9, 0.1, 12e3, 60.0)
    lost, _ = felt(time_s, np.ascontiguousarray(rows[:, 0]), calm, BLUNT)
    assert lost[-1] > 1000.0
    speed = np.linalg.norm(rows[:, 0, 3:6], axis=1)
    work = np.cumsum(0.5 * (speed[1:] + speed[:-1]) * np.diff(lost))
    # rows stand 0.1 s apart, in which drag falls by up to a third: the trapezoidal rule is off by less than 1 %
    np.testing.assert_allclose(1e9 * (rows[0, 0, 6] - rows[1:, 0, 6]), work, rtol=1e-2)


def test_where_no_drag_was_felt_the_prior_stays():
    mean, variance = learn((7.0, 1.2), 0.0, 0.0, 1.0)
    assert (mean, variance) == (pytest.approx(7.0, abs=0.02), pytest.approx(1.44, rel=0.02))


def test_strong_drag_tells_ln_beta_to_its_share():
    ln_beta, lost = math.log(300.0), 2000.0
    mean, variance = learn((7.6, 1.2), lost, lost * 300.0, 1.0)
    assert mean == pytest.approx(ln_beta, abs=0.003)
    assert math.sqrt(variance) == pytest.approx(LEAST_SHARE, rel=0.02)


def test_that_no_drag_was_felt_says_that_a_body_is_dense():
    # one of 100 kg/m2 would have lost 30 m/s; less than 1 m/s was felt
    mean, _ = learn((7.6, 1.2), 0.0, 3000.0, 1.0)
    assert mean > 7.6


def test_errors_are_those_that_are_stated():
    state = np.array([7e6, 0.0, 0.0, 0.0, 3000.0, -500.0])
    squared, by_beta = [], []
    for rng in np.random.default_rng(4).spawn(800):
        known = estimate(state, 400.0, 8.0, False, rng)
        x, P = known.track.x[0], known.track.P[0]
        miss = x[:6] - state
        squared.append(miss @ np.linalg.solve(P[:6, :6], miss))
        by_beta.append((x[6] - 8.0) / math.sqrt(P[6, 6]))
    # 800 draws know the mean of a chi-square of six degrees to 0.12, a variance of one to 0.05: three of these
    assert np.mean(squared) == pytest.approx(6.0, abs=0.37)
    assert np.mean(np.square(by_beta)) == pytest.approx(1.0, abs=0.16)


def test_levels_of_one_normal_distribution():
    covariance = np.array([[[9e6, 4e6], [4e6, 6e6]]])
    root = np.linalg.cholesky(covariance[0])
    for radius in (0.3, 1.0, 2.0, 2.8):
        place = np.array([100.0, -50.0]) + root @ (radius * np.array([math.cos(2.0), math.sin(2.0)]))
        level = level_of_place(np.ones(1), np.array([[100.0, -50.0]]), covariance, place, POINTS)
        assert level == pytest.approx(1.0 - math.exp(-0.5 * radius**2), abs=3.0 / len(POINTS))
        assert level_of_time(
            np.ones(1), np.array([5.0]), np.array([4.0]), 5.0 + 2.0 * radius
        ) == pytest.approx(norm.cdf(radius))


def test_levels_of_two_far_apart():
    # the narrow one has a quarter of the weight and is the likelier everywhere but at the wide one's foot
    weight, centre = np.array([0.25, 0.75]), np.array([[0.0, 0.0], [1e6, 0.0]])
    covariance = np.array([100.0**2, 10e3**2])[:, None, None] * np.eye(2)
    level = level_of_place(weight, centre, covariance, np.array([1e6, 0.0]), POINTS)
    assert level == pytest.approx(0.25, abs=0.01)


@pytest.fixture(scope="module")
def short():
    """A few flights of a family."""
    return chunk(family_of("short"), 3, 11, 12)


def test_a_chunk_follows_from_seed_family_and_number(short):
    again = chunk(family_of("short"), 3, 11, 12)
    assert all(
        np.array_equal(short[name], again[name], equal_nan=short[name].dtype.kind == "f") for name in short
    )
    assert not np.array_equal(short["latitude_deg"], chunk(family_of("short"), 4, 11, 12)["latitude_deg"])
    assert short["flight"].min() >= 36
    assert set(short["lead"]) == {0, 120, 60, 30, 15}
    measured = short["lead"] > 0
    np.testing.assert_allclose(short["lead_s"][measured], short["lead"][measured], atol=0.51)


def test_areas_hold_what_is_likelier_than_their_edge(short):
    """The areas that are told, against the levels that are reckoned without them."""
    for percent in (50, 90, 99):
        clear = np.abs(short["level"] - percent / 100.0) > 0.04  # of grids on both sides
        np.testing.assert_array_equal(
            short[f"inside_{percent}"][clear], (short["level"] < percent / 100.0)[clear]
        )
        between = np.abs(2.0 * short["time_level"] - 1.0)
        clear = np.abs(between - percent / 100.0) > 0.005
        np.testing.assert_array_equal(short[f"time_{percent}"][clear], (between < percent / 100.0)[clear])


def test_a_predictor_that_is_too_sure_is_seen_as_such():
    sure = DEFAULT._replace(whole=(Kind("body", 1.0, math.log(4500.0), 0.02),))
    columns = joined(chunk(family_of("flat"), number, 1, 20, sure) for number in range(2))
    assert verdicts(columns, "area")[0.99] == OUT
    assert verdicts(columns, "time")[0.9] in (OUT, MAY_BE_OUT)


def test_what_is_not_told_of_holds_nothing(short):
    given = {name: values.copy() for name, values in short.items()}
    for name in ("inside_50", "inside_90", "inside_99"):
        given[name][:] = False
    given["area_99_km2"][:] = np.nan
    given["level"][:] = np.nan
    cells, curves = count("test", given)
    assert all(c.held == 0 for c in cells if c.of == "area")
    assert all((c.held == 0.0).all() for c in curves if c.of == "area")
