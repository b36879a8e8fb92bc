"""Draws of an impact, and its grid, against the areas and times of the same landings."""

import math

import numpy as np
import pytest
from shapely import contains_xy

from tocsin.errors import UsageError
from tocsin.prediction.draws import Draws, drawn, on_grid
from tocsin.prediction.landings import free, told

from .test_impact import given, state


@pytest.fixture(scope="module")
def landings():
    x, P = state(sigma_ln_beta=0.5)
    return free(x, P, given(3000.0, 0.5))


def test_areas_hold_their_share_of_draws(landings):
    impact, draws = told(landings), drawn(landings)
    assert len(draws.time_s) == 4096
    held = [
        contains_xy(area, np.degrees(draws.longitude_rad), np.degrees(draws.latitude_rad)).mean()
        for area in impact.areas
    ]
    np.testing.assert_allclose(held, [0.5, 0.9, 0.99], atol=0.012)
    below = [np.mean(draws.time_s - impact.time_s < q) for q in impact.late_s]
    np.testing.assert_allclose(below, [0.005, 0.05, 0.25, 0.5, 0.75, 0.95, 0.995], atol=0.012)


def test_the_same_landings_give_the_same_draws(landings):
    for a, b in zip(drawn(landings), drawn(landings), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_grid_holds_all_and_says_when(landings):
    draws = drawn(landings)
    grid = on_grid(draws, 500.0)
    assert grid.probability.sum() == pytest.approx(1.0)
    assert (np.diff(grid.probability) <= 0.0).all()
    assert (grid.first_s <= grid.middle_s).all()
    assert (grid.middle_s <= grid.last_s).all()
    assert grid.first_s.min() == draws.time_s.min()
    assert grid.last_s.max() == draws.time_s.max()
    # the likeliest cells lie in the 50 % area
    likeliest = grid.longitude_rad[:3], grid.latitude_rad[:3]
    assert contains_xy(told(landings).areas[0], *np.degrees(likeliest)).all()


@pytest.mark.parametrize("latitude_deg", [0.0, 50.0, -80.0])
def test_cells_have_the_area_that_they_say(latitude_deg):
    """Draws that are even over a square degree or so fill cells evenly."""
    rng = np.random.default_rng(3)
    n = 200_000
    sine = np.sin(np.radians(latitude_deg + np.array([-0.5, 0.5])))
    latitude = np.arcsin(rng.uniform(*sine, n))
    longitude = np.radians(rng.uniform(10.0, 14.0, n))
    grid = on_grid(Draws(latitude, longitude, np.zeros(n)), 5e3)
    inside = (np.abs(np.degrees(grid.latitude_rad) - latitude_deg) < 0.4) & (
        np.abs(np.degrees(grid.longitude_rad) - 12.0) < 1.7
    )
    square_km2 = np.ptp(sine) * math.radians(4.0) * 6378.137**2
    expected = grid.cell_km2 / square_km2
    assert inside.sum() > 20
    assert np.mean(grid.probability[inside]) == pytest.approx(expected, rel=0.03)


@pytest.mark.parametrize("longitude_deg", [-180.0, 179.999, 180.0])
def test_places_on_the_antimeridian_and_at_the_poles_have_cells(longitude_deg):
    for latitude_deg in (-90.0, 0.0, 90.0):
        at = Draws(np.radians([latitude_deg]), np.radians([longitude_deg]), np.zeros(1))
        grid = on_grid(at, 1000.0)
        assert abs(np.degrees(grid.latitude_rad[0]) - latitude_deg) < 0.02
        assert abs(np.degrees(grid.longitude_rad[0])) <= 180.0


@pytest.mark.parametrize("cell_m", [0.0, -1.0, 2e6, math.nan])
def test_a_side_that_is_none_is_refused(cell_m):
    with pytest.raises(UsageError, match="cell_m"):
        on_grid(Draws(np.zeros(1), np.zeros(1), np.zeros(1)), cell_m)


def test_a_power_that_is_too_large_is_refused(landings):
    with pytest.raises(UsageError, match="power"):
        drawn(landings, 30)
