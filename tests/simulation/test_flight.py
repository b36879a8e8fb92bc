"""The flight kernels against closed forms and another integrator."""

import math

import numpy as np
import pytest

from tocsin.earth.ellipsoid import ecef_to_geodetic, geodetic_to_ecef
from tocsin.earth.forces import STANDARD
from tocsin.earth.motion import density_kg_m3
from tocsin.simulation.flight import BLUNT, SLENDER, carry, climb, drag_by_mach, fly

from ..earth.flights import fly as exact

CALM = np.zeros(8)


def state(latitude, longitude, height, velocity, beta):
    position = geodetic_to_ecef(math.radians(latitude), math.radians(longitude), height)
    return np.concatenate([position, velocity, [math.log(beta)]])


def test_free_fall_above_the_air_agrees_with_another_integrator():
    start = state(40.0, 30.0, 300e3, [500.0, -2500.0, 1500.0], 1e9)
    times, rows, down = fly(start[None], CALM[None], SLENDER, 0.0, 1.0, 0.0, 100.0)
    other = exact(start[:6], times[-1])
    assert not down
    assert times[-1] == pytest.approx(100.0)
    assert rows[-1, 0, :6] == pytest.approx(other, abs=1e-4)  # 0.1 mm


def test_there_and_back_again():
    start = state(-20.0, 100.0, 800e3, [7000.0, 1000.0, 500.0], 100.0)
    there = carry(start, CALM, -600.0, 300)
    again = carry(there, CALM, 600.0, 300)
    assert again[:3] == pytest.approx(start[:3], abs=1e-3)


@pytest.mark.parametrize("beta", [5.0, 40.0])
def test_light_debris_falls_at_terminal_speed(beta):
    _, rows, down = fly(
        state(10.0, 20.0, 20e3, [0.0, 0.0, 0.0], beta)[None], CALM[None], BLUNT, 0.0, 0.5, 0.0, 7200.0
    )
    assert down
    slow = drag_by_mach(0.0, BLUNT)
    wanted = math.sqrt(2.0 * 9.78 * beta / (density_kg_m3(0.0, STANDARD) * slow))  # g at 10 degrees north
    assert np.linalg.norm(rows[-1, 0, 3:6]) == pytest.approx(wanted, rel=0.01)


def test_it_ends_on_the_ellipsoid():
    start = state(50.0, 10.0, 30e3, [1000.0, 1000.0, -2000.0], 3000.0)
    times, rows, down = fly(start[None], CALM[None], SLENDER, 0.0, 0.5, 0.0, 7200.0)
    assert down
    assert ecef_to_geodetic(rows[-1, 0, :3])[2] == pytest.approx(0.0, abs=1e-3)
    assert np.all(np.diff(times) > 0.0)


def test_ablation_follows_the_speed():
    # d ln beta = sigma/3 v dv by drag alone: ln beta falls by sigma/6 of what v² loses to the air
    start = state(0.0, 0.0, 80e3, [-15e3, 0.0, 0.0], 500.0)
    sigma = 1.5e-8
    _, rows, _ = fly(start[None], CALM[None], BLUNT, sigma, 0.1, 40e3, 60.0)
    lost = start[6] - rows[-1, 0, 6]
    speed = np.linalg.norm(rows[[0, -1], 0, 3:6], axis=1)
    fallen = 2.0 * 9.63 * 40e3  # gravity at 60 km gives some of it back
    assert lost == pytest.approx(sigma / 6.0 * (speed[0] ** 2 - speed[1] ** 2 + fallen), rel=0.005)


def test_wind_carries_what_falls_slowly():
    weather = np.zeros(8)
    weather[0] = 25.0  # east, at 11 km
    start = state(0.0, 0.0, 11.5e3, [0.0, 0.0, 0.0], 5.0)
    _, rows, _ = fly(start[None], weather[None], BLUNT, 0.0, 0.5, 10.5e3, 300.0)
    assert rows[-1, 0, 4] == pytest.approx(25.0, rel=0.05)  # y is east at the prime meridian


def test_members_of_a_bundle_fly_alone():
    start = state(50.0, 10.0, 60e3, [1000.0, 1000.0, -2000.0], 3000.0)
    moved = start + np.array([100.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.01])
    times, rows, _ = fly(np.stack([start, moved]), np.zeros((2, 8)), SLENDER, 0.0, 0.5, 0.0, 20.0)
    _, alone, _ = fly(moved[None], np.zeros((1, 8)), SLENDER, 0.0, 0.5, 0.0, 20.0)
    assert rows[-1, 1] == pytest.approx(alone[-1, 0], rel=1e-9)
    assert times[-1] == pytest.approx(20.0)


def test_a_climb_is_where_its_speed_leads():
    n = 201
    u = np.linspace(0.0, 1.0, 2 * n - 1)
    place = geodetic_to_ecef(0.5, 1.0, 0.0)
    rows = climb(place, 0.2, 1000.0 * u**2, (90.0 - 40.0 * u) * np.pi / 180.0, np.full(2 * n - 1, 2.0))
    speed = np.linalg.norm(rows[:, 3:], axis=1)
    assert speed == pytest.approx(1000.0 * u[::2] ** 2, abs=1e-9)
    summed = np.trapezoid(rows[:, 3:], dx=0.2, axis=0)
    assert rows[-1, :3] - place == pytest.approx(summed, abs=1.0)
    assert rows[0, :3] == pytest.approx(place)
