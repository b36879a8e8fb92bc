"""Whole runs: the same seed gives the same, kinds and parents are right, nothing is solved for."""

import numpy as np
import pytest
from pyproj import Geod

from tocsin.earth.ellipsoid import ecef_to_geodetic
from tocsin.metrics.paths import DANGEROUS, interpolate
from tocsin.simulation.columns import impact_columns, oracle_columns, truth_columns
from tocsin.simulation.objects import draw_place
from tocsin.simulation.plans import Region
from tocsin.simulation.run import simulate
from tocsin.simulation.scenario import parse_scenario, read_scenario, shipped

from .test_scenario import GOOD, HEAD, LAUNCH, SENSOR

GEOD = Geod(ellps="WGS84")


@pytest.fixture(scope="module")
def dnipro():
    return simulate(read_scenario("dnipro-2024"), 1)


@pytest.mark.parametrize("name", sorted(shipped()))
def test_every_shipped_scenario_runs(name):
    run = simulate(read_scenario(name), 7, bound=False)
    assert run.plots.count > 100
    assert 0 < run.true_plots < run.plots.count
    assert (np.diff(run.plots.received_s) >= 0.0).all()
    assert (run.plots.received_s >= run.plots.time_s).all()
    assert {p.sensor for p in run.platforms} <= {s.name for s in run.sensors}
    for path in run.paths:
        assert np.isfinite(path.state).all()
        assert (np.diff(path.time_s) > 0.0).all()
        assert path.time_s[-1] <= run.end_s + 1e-6


def test_dnipro_is_as_reported(dnipro):
    kinds = [p.kind for p in dnipro.paths]
    assert kinds.count("body") == 6
    assert kinds.count("carrier") == kinds.count("stage") == 1
    carrier = next(p for p in dnipro.paths if p.kind == "carrier")
    assert carrier.impact is None
    for body in (p for p in dnipro.paths if p.kind == "body"):
        assert body.parent == carrier.name
        assert body.time_s[0] == carrier.time_s[-1]
        assert body.state[0, :3] == pytest.approx(carrier.state[-1, :3], abs=1e-6)
        minutes = (body.impact.time_s - carrier.time_s[0]) / 60.0
        assert minutes == pytest.approx(15.0, abs=0.5)
        assert np.degrees(body.impact.latitude_rad) == pytest.approx(48.45, abs=0.1)  # the city of Dnipro
        assert np.degrees(body.impact.longitude_rad) == pytest.approx(35.05, abs=0.15)
        height = ecef_to_geodetic(body.state[:, :3])[2]
        low = np.linalg.norm(body.state[height < 40e3, 3:], axis=1)
        assert low.max() > 11 * 300.0  # above Mach 11 at the end


def test_the_same_seed_gives_the_same_and_another_does_not(dnipro):
    again = simulate(read_scenario("dnipro-2024"), 1, bound=False)
    other = simulate(read_scenario("dnipro-2024"), 2, bound=False)
    for a, b in zip(dnipro.plots, again.plots, strict=True):
        np.testing.assert_array_equal(a, b)
    assert dnipro.paths[1].impact == again.paths[1].impact
    assert other.paths[1].impact != dnipro.paths[1].impact


def test_a_sensor_more_changes_nothing_else():
    more = SENSOR.replace("radar-1", "radar-2")
    one, two = (simulate(parse_scenario(t), 3, bound=False) for t in (GOOD, GOOD + more))
    assert one.paths[0].impact == two.paths[0].impact
    mine = two.plots.rows(two.plots.sensor == 0)
    np.testing.assert_array_equal(one.plots.measured, mine.measured)


def test_an_ascent_joins_its_fall_smoothly():
    run = simulate(parse_scenario(GOOD), 3, bound=False)
    (path,) = run.paths
    burnout = np.argmin(np.abs(path.time_s - path.plume_s[1]))
    assert np.linalg.norm(path.state[burnout, 3:]) == pytest.approx(1500.0)
    between = (path.time_s[:-1] + path.time_s[1:]) / 2.0
    step = np.diff(path.state[:, :3], axis=0) / np.diff(path.time_s)[:, None]
    inside = interpolate(path.time_s, path.state, between)
    assert step == pytest.approx(inside[:, 3:], abs=1.0)  # no jump of position anywhere
    assert path.kind == "body"
    assert ecef_to_geodetic(path.state[0, :3])[2] == pytest.approx(0.0, abs=1e-3)


def test_pieces_are_named_by_their_ballistic_coefficient():
    breakup = (
        "[launch.breakup]\nafter_s = 40.0\npieces = 200\nspeed_m_s = 50.0\n"
        "ballistic_coefficient_kg_m2 = 50.0\nlog_sigma = 1.0\n"
    )
    run = simulate(parse_scenario(HEAD + LAUNCH + breakup + SENSOR), 4, bound=False)
    pieces = [p for p in run.paths if p.parent == "a"]
    beta = np.exp([p.flight.start[6] for p in pieces])
    assert len(pieces) == 200
    assert all((p.kind == "fragment") == (b >= 50.0) for p, b in zip(pieces, beta, strict=True))
    assert np.std(np.log(beta[beta > 1.0])) == pytest.approx(1.0, abs=0.2)
    kick = np.array([p.state[0, 3:] for p in pieces])
    assert kick.std(axis=0) == pytest.approx(50.0, rel=0.25)


def test_a_breakup_at_a_height_happens_there():
    run = simulate(read_scenario("reentry"), 3, bound=False)
    carrier = run.paths[0]
    height = float(ecef_to_geodetic(carrier.state[-1, :3])[2])
    assert carrier.kind == "carrier"
    assert 70e3 <= height <= 80e3


def test_columns_are_those_of_a_recording(dnipro):
    truth, impacts, oracle = truth_columns(dnipro), impact_columns(dnipro), oracle_columns(dnipro)
    assert list(truth) == ["time", "object", "kind", "x_m", "y_m", "z_m", "vx_m_s", "vy_m_s", "vz_m_s"]
    assert list(impacts) == ["object", "kind", "time", "lat_deg", "lon_deg"]
    assert list(oracle) == [
        "time", "object", "pos_sigma_m", "impact_area99_km2", "in_view", "plots_so_far",
    ]  # fmt: skip
    assert len({len(v) for v in truth.values()}) == 1
    assert len({len(v) for v in oracle.values()}) == 1
    assert (np.diff(impacts["time"]) >= 0.0).all()
    dangerous = [p for p in dnipro.paths if p.kind in DANGEROUS]
    assert {p.name for p in dangerous} <= set(impacts["object"])


@pytest.mark.parametrize(("latitude", "longitude"), [(50.0, 10.0), (0.0, 180.0), (89.9, 0.0), (-90.0, 30.0)])
def test_places_are_drawn_within_their_disc(latitude, longitude):
    rng = np.random.default_rng(0)
    drawn = np.degrees([draw_place(Region(latitude, longitude, 100e3), rng) for _ in range(300)])
    _, _, away = GEOD.inv(drawn[:, 1], drawn[:, 0], np.full(300, longitude), np.full(300, latitude))
    assert away.max() < 101e3
    assert np.median(away) == pytest.approx(100e3 / np.sqrt(2.0), rel=0.1)  # uniform in area
    assert np.abs(drawn[:, 1]).max() <= 180.0


def test_nothing_at_all_is_a_recording_too():
    run = simulate(parse_scenario(HEAD + "duration_s = 60.0\n" + SENSOR), 1)
    assert run.true_plots == 0
    assert run.plots.count > 0
    assert oracle_columns(run) is None
    assert len(truth_columns(run)["time"]) == len(impact_columns(run)["time"]) == 0
