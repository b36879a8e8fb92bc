"""Orbits that decay: nothing is lost without air, and air takes what the closed form says."""

import math

import numpy as np
import pytest

from tocsin.earth.ellipsoid import ecef_to_geodetic
from tocsin.earth.forces import J3, J4
from tocsin.errors import SettingsError
from tocsin.simulation.decay import C22, LOWEST_M, S22, STEP_S, circle, draw_air
from tocsin.simulation.run import simulate
from tocsin.simulation.scenario import parse_scenario, read_scenario
from tocsin.simulation.table import Spread
from tocsin.units import EARTH_GM_M3_S2, EARTH_RATE_RAD_S, J2, SEMI_MAJOR_AXIS_M

from ..prediction.decay_truth import low_orbit

CALM, NOON = np.zeros(40), np.array([0.0, 0.0, 1e-12])


def jacobi(states):
    """What is kept without drag (n,) in m2/s2: with J2 to J4 and the ellipse of the equator, in the turning frame."""
    x, y, z, vx, vy, vz = states[:, :6].T
    r = np.sqrt(x * x + y * y + z * z)
    s, q = z / r, SEMI_MAJOR_AXIS_M / r
    zonal = J2 * q**2 * (1.5 * s**2 - 0.5) + J3 * q**3 * (2.5 * s**3 - 1.5 * s)
    zonal += J4 * q**4 * (4.375 * s**4 - 3.75 * s**2 + 0.375)
    longitude = np.arctan2(y, x)
    sectoral = 3.0 * q**2 * (1.0 - s**2) * (C22 * np.cos(2 * longitude) + S22 * np.sin(2 * longitude))
    kinetic = 0.5 * (vx * vx + vy * vy + vz * vz) - 0.5 * EARTH_RATE_RAD_S**2 * (x * x + y * y)
    return kinetic - EARTH_GM_M3_S2 / r * (1.0 - zonal + sectoral)


def test_without_drag_nothing_is_lost():
    rng = np.random.default_rng(4)
    for _ in range(3):
        x = np.append(low_orbit(rng, 300e3, 900e3, rng.uniform(0.3, 1.6)), math.log(1e12))
        _, states, low = circle(x, CALM, NOON, 6 * 3600.0)
        assert not low
        kept = jacobi(states)
        assert (
            np.abs(kept - kept[0]).max() < 0.05
        )  # m2/s2: 12 m of the height; the equator's ellipse makes 700


def test_air_takes_what_it_does():
    rng = np.random.default_rng(5)
    x = np.append(low_orbit(rng, 190e3, 191e3, 0.9), math.log(200.0))
    times, states, _ = circle(x, CALM, NOON, 5400.0)
    dense, _, _ = circle(x, CALM + math.log(2.0), NOON, 60 * 3600.0)
    thin, _, low = circle(x, CALM, NOON, 120 * 3600.0)
    assert low
    assert thin[-1] / dense[-1] == pytest.approx(2.0, abs=0.15)
    assert np.diff(times) == pytest.approx(STEP_S)
    assert jacobi(states)[-1] < jacobi(states)[0] - 1e3


def test_the_unrest_is_as_large_as_is_said():
    rng = np.random.default_rng(6)
    plan = read_scenario("decay").orbits[0]._replace(unrest=0.3, density=Spread(0.8, 0.8))
    air = np.array([draw_air(plan, 20 * 3600.0, rng)[0] for _ in range(2000)])
    assert air.mean() == pytest.approx(math.log(0.8), abs=0.03)
    assert air.std(axis=0) == pytest.approx(0.3, rel=0.1)
    still = [np.corrcoef(air[:, 0], air[:, k])[0, 1] for k in (1, 6, 18)]
    assert still[0] > 0.8 > still[1] > still[2] > 0.0


def test_a_stage_falls_out_of_orbit_in_one_piece_and_breaks_up():
    run = simulate(read_scenario("decay"), 3)
    whole, pieces = run.paths[0], run.paths[1:]
    height = ecef_to_geodetic(whole.state[:, :3])[2]
    assert whole.kind == "carrier"
    assert len(pieces) >= 6
    assert {p.parent for p in pieces} == {"d"}
    assert 70e3 < height[-1] < 80e3
    assert (np.diff(whole.time_s) > 0.0).all()
    # where the flight near the ground takes over nothing jumps
    seam = int(np.argmax(height < LOWEST_M))
    speed = np.linalg.norm(np.diff(whole.state[:, :3], axis=0), axis=1) / np.diff(whole.time_s)
    assert np.abs(np.diff(speed[seam - 5 : seam + 5])).max() < 15.0
    assert run.bounds == ()
    assert all(p.impact is not None for p in pieces)


def test_an_orbit_that_outlasts_the_recording_is_cut():
    run = simulate(read_scenario("decay")._replace(duration_s=7200.0), 1, bound=False)
    assert [p.kind for p in run.paths] == ["stage"]
    assert run.paths[0].impact is None
    assert run.paths[0].time_s[-1] == pytest.approx(run.scenario.start_s + 7200.0)


def test_a_perigee_in_the_air_is_refused():
    text = """
name = "x"
title = "x"
start = 2026-01-01T00:00:00Z
[[orbit]]
name = "a"
latitude_deg = 0.0
longitude_deg = 0.0
after_s = 0.0
perigee_m = 90e3
heading_deg = 60.0
ballistic_coefficient_kg_m2 = 100.0
"""
    with pytest.raises(SettingsError, match=r"orbit\[0\].perigee_m is 90000.0, must be a number from 130000"):
        parse_scenario(text, "x.toml")
