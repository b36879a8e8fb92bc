"""Plots: geometry against another library, statistics against what the scenario says."""

import math

import numpy as np
import pytest
from pyproj import Transformer

from tocsin.earth.ellipsoid import geodetic_to_ecef
from tocsin.simulation.objects import NEVER, Path
from tocsin.simulation.scan import scan_sensor
from tocsin.simulation.scenario import parse_scenario
from tocsin.simulation.station import (
    draw_station,
    hidden,
    jacobian,
    look,
    platform_rows,
    station_position,
)

START_S = 1_700_000_000.0
SENSOR = """
[[sensor]]
id = "s"
kind = "{kind}"
latitude_deg = 50.0
longitude_deg = 10.0
height_m = 100.0
sigma = {{ {sigma} }}
detection_probability = 0.8
false_plots_per_scan = 6.0
scan_period_s = 4.0
field_of_view = {{ {view} }}
{more}
"""
RADAR = "range_m = 20.0, azimuth_deg = 0.1, elevation_deg = 0.1, range_rate_m_s = 2.0"
ANGLES = "azimuth_deg = 0.1, elevation_deg = 0.1"
SECTOR = (
    "range_m = [1e3, 900e3], azimuth_deg = [300.0, 60.0], elevation_deg = [0.5, 89.0], "
    "range_rate_m_s = [-8000.0, 8000.0]"
)


def station(kind="radar", sigma=RADAR, view=SECTOR, more=""):
    text = 'name="x"\ntitle="x"\nstart=2023-11-14T22:13:20Z\nduration_s=10\n'
    text += SENSOR.format(kind=kind, sigma=sigma, view=view, more=more)
    return draw_station(parse_scenario(text).sensors[0], START_S, np.random.default_rng(5))


def object_at(latitude, longitude, height, span_s=2000.0, velocity=(0.0, 0.0, 0.0), name="o", glow=NEVER):
    time_s = START_S + np.arange(0.0, span_s + 1.0)
    velocity = np.array(velocity)
    position = geodetic_to_ecef(math.radians(latitude), math.radians(longitude), height)
    rows = position + (time_s - START_S)[:, None] * velocity
    state = np.hstack([rows, np.tile(velocity, (len(time_s), 1))])
    return Path(name, "body", None, time_s, state, NEVER, glow, None, 0.0, None)


def scanned(of, paths, span_s=2000.0, seed=1):
    return scan_sensor(of, paths, START_S + span_s, np.random.default_rng(seed))


def truth_of(of, path):
    return look(of, path.time_s[:1], path.state[:1]).measured[0]


def matched(plots, wanted, width=(200.0, 0.02, 0.02, 20.0)):
    """Plots near a true measurement: ten sigma either side."""
    apart = plots.measured - wanted
    apart[:, 1] = (apart[:, 1] + np.pi) % (2 * np.pi) - np.pi
    return np.all(np.abs(apart[:, :3]) < np.array(width)[:3], axis=1), apart


def test_geometry_agrees_with_proj():
    of = station()
    rng = np.random.default_rng(2)
    to_local = Transformer.from_pipeline(
        "+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad +step +proj=cart +ellps=WGS84 "
        "+step +proj=topocentric +ellps=WGS84 +lon_0=10 +lat_0=50 +h_0=100"
    )
    for _ in range(20):
        lat, lon, h = rng.uniform(40, 60), rng.uniform(0, 20), rng.uniform(1e3, 1e6)
        east, north, up = to_local.transform(lon, lat, h)
        got = truth_of(of, object_at(lat, lon, h))
        distance = math.sqrt(east**2 + north**2 + up**2)
        assert got[0] == pytest.approx(distance, abs=1e-6)
        assert got[1] == pytest.approx(math.atan2(east, north) % (2 * math.pi), abs=1e-10)
        assert got[2] == pytest.approx(math.asin(up / distance), abs=1e-10)


@pytest.mark.parametrize("orbit", [False, True])
def test_the_jacobian_is_the_slope_of_the_measurement(orbit):
    more = "inclination_deg = 4.0" if orbit else ""
    of = station(more=more)
    path = object_at(48.0, 14.0, 300e3, velocity=(1000.0, -2000.0, 500.0))
    time_s, state = path.time_s[10:11], path.state[10:11]
    found = jacobian(of, look(of, time_s, state))[0]
    for i in range(6):
        step = np.zeros(6)
        step[i] = 10.0 if i < 3 else 0.1
        ahead = look(of, time_s, state + step).measured[0]
        behind = look(of, time_s, state - step).measured[0]
        slope = (ahead - behind) / (2.0 * step[i])
        scale = np.abs(found).max(axis=1) + 1e-30
        assert (found[:, i] - slope) / scale == pytest.approx(0.0, abs=1e-5)


def test_misses_noise_and_clutter_are_as_stated():
    of = station(more="resolution_sigmas = 0.0")
    path = object_at(52.0, 10.5, 200e3)
    plots, looks, true = scanned(of, [path], span_s=2000.0)
    scans = 500
    wanted = truth_of(of, path)
    hit, apart = matched(plots, wanted)
    assert len(looks.time_s) == pytest.approx(scans, abs=1)
    # binomial and Poisson: five standard deviations
    assert abs(true - 0.8 * scans) < 5 * math.sqrt(scans * 0.16)
    assert abs(plots.count - true - 6.0 * scans) < 5 * math.sqrt(6.0 * scans)
    sigma = apart[hit].std(axis=0) / of.plan.sigma
    assert sigma == pytest.approx(1.0, abs=5 / math.sqrt(2 * hit.sum()))
    assert len(np.unique(plots.scan[hit])) == hit.sum()  # at most one a scan


def test_clutter_is_uniform_over_the_field_of_view():
    of = station()
    plots, _, true = scanned(of, [object_at(-50.0, 10.0, 1e3)], span_s=4000.0)
    assert true == 0
    view = of.plan.field_of_view
    for i in range(4):
        width = (view[i, 1] - view[i, 0]) % (2 * np.pi) if i == 1 else view[i, 1] - view[i, 0]
        share = plots.measured[:, i] - view[i, 0]
        share = (share % (2 * np.pi) if i == 1 else share) / width
        assert share.min() >= 0.0
        assert share.max() <= 1.0
        counts, _ = np.histogram(share, 10, (0.0, 1.0))
        expected = plots.count / 10
        assert np.sum((counts - expected) ** 2 / expected) < 40.0  # chi-square of 9: p below 1e-5


def test_when_a_radar_looks():
    path = object_at(52.0, 10.5, 200e3)
    sector = station()
    _, looks, _ = scanned(sector, [path])
    share = (looks.time_s - START_S - sector.scan_offset_s) / 4.0 - looks.scan
    assert share.min() >= 0.0
    assert 0.85 < share.max() <= 0.9
    full = SECTOR.replace("[300.0, 60.0]", "[0.0, 360.0]")
    turning = station(view=full)
    _, looks, _ = scanned(turning, [path])
    share = (looks.time_s - START_S - turning.scan_offset_s) / 4.0 - looks.scan
    assert share == pytest.approx(truth_of(turning, path)[1] / (2 * np.pi), abs=1e-5)


def test_infrared_sees_only_what_burns_above_the_clouds():
    view = "range_m = [0.0, 5e7], azimuth_deg = [0.0, 360.0], elevation_deg = [-90.0, 90.0]"
    of = station("infrared", ANGLES, view)
    cold, low, hot = (object_at(52.0, 10.5, h) for h in (100e3, 3e3, 100e3))
    burning = (START_S + 100.0, START_S + 300.0)
    hot, low = hot._replace(plume_s=burning), low._replace(plume_s=burning)
    _, looks, _ = scanned(of, [cold, low, hot])
    assert set(looks.path) == {2}
    assert looks.time_s.min() >= burning[0]
    assert looks.time_s.max() <= burning[1]
    assert np.isnan(looks.received_s).sum() == 0
    plots, _, _ = scanned(of, [hot])
    assert np.isnan(plots.measured[:, [0, 3]]).all()


def test_what_is_too_close_together_gives_one_plot():
    of = station()
    one = object_at(52.0, 10.5, 200e3)
    other = object_at(52.0, 10.5, 200e3 + 20.0)
    far = object_at(52.0, 10.5, 230e3)
    _, _, single = scanned(of, [one])
    _, looks, both = scanned(of, [one, other])
    _, _, apart = scanned(of, [one, far])
    assert single / 500 == pytest.approx(0.8, abs=0.1)
    assert both / 500 == pytest.approx(0.8, abs=0.1)
    assert apart / 500 == pytest.approx(1.6, abs=0.2)
    first, second = looks.detected[looks.path == 0], looks.detected[looks.path == 1]
    assert (first == second).all()


def test_biases_doubles_lateness_and_outages():
    more = (
        "bias_sigma = { range_m = 500.0 }\noutages_s = [[400.0, 800.0]]\n"
        "latency = { least_s = 0.5, mean_more_s = 0.0, late_fraction = 0.3, late_mean_s = 10.0, "
        "doubled_fraction = 0.2 }"
    )
    of = station(more=more)
    path = object_at(52.0, 10.5, 200e3)
    plots, _, _ = scanned(of, [path])
    hit, _ = matched(plots, truth_of(of, path) + of.bias)
    assert abs(of.bias[0]) > 1.0
    assert hit.sum() > 300
    out = (plots.time_s > START_S + 400.0) & (plots.time_s < START_S + 800.0)
    # false plots of a scan that began before the outage may still fall into it
    assert (plots.time_s[out] < START_S + 404.0).all()
    late = plots.received_s - plots.time_s
    assert late.min() >= 0.5 - 1e-5
    assert (late > 1.0).mean() == pytest.approx(0.3, abs=0.15)
    same = np.stack([plots.time_s, plots.scan, *plots.measured.T])
    _, copies = np.unique(same, axis=1, return_counts=True)
    assert (copies == 2).sum() / len(copies) == pytest.approx(0.2, abs=0.04)


def test_a_geosynchronous_sensor_moves_as_an_orbit_does():
    of = station(more="inclination_deg = 5.0")
    day = 2 * math.pi / 7.292115e-5
    time_s = START_S + np.linspace(0.0, day, 400)
    at = station_position(of, time_s)
    radius = np.linalg.norm(at, axis=1)
    assert radius == pytest.approx(42164.17e3, rel=1e-6)
    assert np.degrees(np.arcsin(at[:, 2] / radius)).max() == pytest.approx(5.0, abs=0.01)
    longitude = np.degrees(np.arctan2(at[:, 1], at[:, 0]))
    assert longitude == pytest.approx(10.0, abs=0.2)  # a figure of eight, i²/4 wide
    assert at[0] == pytest.approx(at[-1], abs=1.0)
    rows = platform_rows(of, START_S + 100.0)
    assert rows.time_s[0] < START_S
    assert rows.time_s[-1] > START_S + 100.0


def test_the_earth_hides():
    at = np.array([[42164e3, 0.0, 0.0]])
    for object_m, behind in (
        ([7000e3, 0.0, 0.0], False),
        ([-7000e3, 0.0, 0.0], True),
        ([-7000e3, 8000e3, 0.0], False),
        ([0.0, 6400e3, 0.0], True),
        ([1000e3, 6400e3, 0.0], False),
    ):
        assert hidden(at, np.array([object_m]) - at)[0] == behind
