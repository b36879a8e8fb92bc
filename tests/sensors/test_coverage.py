"""Fields of view and the density of false plots."""

import math

import numpy as np
import pytest

from tocsin.sensors.coverage import FEWEST_FALSE_PLOTS, in_view, log_clutter_density, widths
from tocsin.simulation.scan import scan_sensor
from tocsin.simulation.scenario import parse_scenario
from tocsin.simulation.station import draw_station

from .geometry import NAN, local, place, sensor, state_at

DEG = math.pi / 180.0


def sees(of, range_m, azimuth_deg, elevation_deg):
    return in_view(
        state_at(of, range_m, azimuth_deg, elevation_deg)[:3], place(of), local(of), of.field_of_view
    )


def field(azimuth_deg, elevation_deg=(2.0, 60.0), range_m=(10e3, 500e3)):
    return [range_m, np.array(azimuth_deg) * DEG, np.array(elevation_deg) * DEG, (NAN, NAN)]


@pytest.mark.parametrize("limits_deg", [(300.0, 60.0), (-60.0, 60.0), (300.0, 420.0)])
def test_an_azimuth_interval_through_north(limits_deg):
    of = sensor(field=field(limits_deg))
    for azimuth_deg in (300.1, 359.9999, 0.0, 0.0001, 59.9):
        assert sees(of, 100e3, azimuth_deg, 30.0), azimuth_deg
    for azimuth_deg in (60.1, 180.0, 299.9):
        assert not sees(of, 100e3, azimuth_deg, 30.0), azimuth_deg
    assert widths(of)[1] == pytest.approx(120.0 * DEG)


@pytest.mark.parametrize("limits_deg", [(0.0, 360.0), (-180.0, 180.0), (NAN, NAN)])
def test_all_round(limits_deg):
    of = sensor(field=field(limits_deg))
    assert all(sees(of, 100e3, azimuth_deg, 30.0) for azimuth_deg in range(0, 360, 30))
    assert widths(of)[1] == pytest.approx(2.0 * math.pi)


@pytest.mark.parametrize(
    ("range_m", "elevation_deg", "seen"),
    [(9.9e3, 30.0, False), (10.1e3, 30.0, True), (499e3, 30.0, True), (501e3, 30.0, False),
     (100e3, 1.99, False), (100e3, 2.01, True), (100e3, 59.9, True), (100e3, 60.1, False), (100e3, -30.0, False)],
)  # fmt: skip
def test_range_and_elevation(range_m, elevation_deg, seen):
    assert sees(sensor(field=field((300.0, 60.0))), range_m, 10.0, elevation_deg) == seen


def test_no_limits_no_end():
    of = sensor(field=np.full((4, 2), NAN))
    assert sees(of, 4e7, 123.0, -88.0)
    assert not in_view(place(of), place(of), local(of), of.field_of_view)  # at the sensor there is no sight


def test_what_is_not_measured_has_no_width():
    of = sensor((NAN, 1e-4, 1e-4, NAN), field=field((0.0, 90.0)))
    np.testing.assert_allclose(widths(of), [1.0, 90 * DEG, 58 * DEG, 1.0])


def test_a_sensor_without_false_plots_still_has_some():
    assert log_clutter_density(sensor(false_plots=0.0)) == log_clutter_density(
        sensor(false_plots=FEWEST_FALSE_PLOTS)
    )


def test_density_by_counting():
    """False plots of the simulator in a box of the measured coordinates, over many scans."""
    scenario = parse_scenario("""
name = "x"
title = "x"
start = 2026-01-01T00:00:00Z
duration_s = 10
[[sensor]]
id = "s"
kind = "radar"
latitude_deg = 50.0
longitude_deg = 10.0
height_m = 100.0
sigma = { range_m = 20.0, azimuth_deg = 0.1, elevation_deg = 0.1, range_rate_m_s = 2.0 }
detection_probability = 0.8
false_plots_per_scan = 40.0
scan_period_s = 4.0
[sensor.field_of_view]
range_m = [1e3, 900e3]
azimuth_deg = [300.0, 60.0]
elevation_deg = [0.5, 89.0]
range_rate_m_s = [-8000.0, 8000.0]
""")
    rng = np.random.default_rng(5)
    station = draw_station(scenario.sensors[0], 0.0, rng)
    scans = 1000
    plots, _, true = scan_sensor(station, [], 4.0 * scans, rng)
    assert true == 0
    low, width = np.array([200e3, 350.0 * DEG, 20 * DEG, -3e3]), np.array([300e3, 40.0 * DEG, 30 * DEG, 5e3])
    offset = plots.measured - low
    offset[:, 1] %= 2.0 * math.pi
    inside = int(((offset >= 0.0) & (offset < width)).all(1).sum())
    expected = scans * math.exp(log_clutter_density(station.sensor)) * width.prod()
    assert inside == pytest.approx(expected, abs=4.0 * math.sqrt(expected))  # Poisson
    assert expected > 400
