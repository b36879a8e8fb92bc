"""The bound: against brute force, and what must hold of any bound."""

from pathlib import Path as FilePath

import numpy as np
import pytest
from scipy.stats import chi2

from tocsin.formats.recording import read_recording
from tocsin.formats.truth import read_truth
from tocsin.metrics.bounds import Information, covariance_at
from tocsin.simulation.flight import SLENDER, fly
from tocsin.simulation.objects import NEVER, Flight, Impact, Path
from tocsin.simulation.oracle import bound_of, flight_sensitivity
from tocsin.simulation.run import simulate
from tocsin.simulation.scan import scan_sensor
from tocsin.simulation.scenario import parse_scenario, read_scenario
from tocsin.simulation.station import Station

from .test_scenario import GOOD

SHARED = FilePath(__file__).parents[3] / "shared" / "recordings"


@pytest.fixture(scope="module")
def single():
    return simulate(read_scenario("single"), 1)


def test_sensitivities_foretell_other_flights():
    start = np.array([0.0, 0.0, 6.6e6, 1500.0, 300.0, -1500.0, np.log(3000.0)])
    weather = np.zeros(8)
    flight = Flight(0.0, start, SLENDER, 0.0)
    _, _, slope, down = flight_sensitivity(flight, weather, 0.5)
    assert down
    moved = np.array([50.0, -30.0, 20.0, 0.5, 0.3, -0.2, 0.01])
    other = np.stack([start, start + moved])  # the first sets the steps
    wind = np.stack([weather, weather + np.array([1.0, -1.0, 0, 0, 0, 0, 0, 0])])
    _, rows, _ = fly(other, wind, SLENDER, 0.0, 0.5, 0.0, 7200.0)
    apart = rows[:, 1, :6] - rows[:, 0, :6]
    foretold = slope @ np.concatenate([moved, [1.0, -1.0]])
    assert np.abs(apart - foretold)[:, :3].max() < 0.02 * np.abs(apart[:, :3]).max()


def test_it_falls_with_every_plot_and_is_nothing_before_the_first(single):
    (bound,) = single.bounds
    with np.errstate(invalid="ignore"):
        area = bound.impact_area99_km2[np.isfinite(bound.impact_area99_km2)]
    assert (np.diff(area) <= 1e-9 * area[:-1]).all()
    assert np.isnan(bound.pos_sigma_m[bound.plots_so_far == 0]).all()
    assert np.isfinite(bound.pos_sigma_m[bound.plots_so_far > 0]).all()
    assert (np.diff(bound.plots_so_far) >= 0).all()
    assert bound.plots_so_far[-1] <= single.true_plots


def test_better_sensors_bound_tighter():
    sharp = GOOD.replace("azimuth_deg = 0.1, elevation_deg = 0.1", "azimuth_deg = 0.05, elevation_deg = 0.05")
    one, two = (simulate(parse_scenario(text), 3).bounds[0] for text in (GOOD, sharp))
    known = np.isfinite(one.impact_area99_km2) & np.isfinite(two.impact_area99_km2) & (one.plots_so_far > 3)
    assert known.sum() > 50
    assert (two.impact_area99_km2[known] < one.impact_area99_km2[known]).all()


def test_an_unknown_bias_costs():
    blind = GOOD + "bias_sigma = { azimuth_deg = 0.2, elevation_deg = 0.2 }\n"
    one, two = (simulate(parse_scenario(text), 3).bounds[0] for text in (GOOD, blind))
    known = np.isfinite(one.impact_area99_km2) & (one.plots_so_far > 3)
    assert (two.impact_area99_km2[known] > one.impact_area99_km2[known]).all()


def test_it_is_what_an_estimator_reaches():
    """Gauss-Newton over all plots of a flight in vacuum: the errors fit the bound's covariance."""
    weather = np.zeros(8)
    start = np.array([0.0, 0.0, 6.65e6, 1800.0, 200.0, 300.0, np.log(4000.0)])
    flight = Flight(0.0, start, SLENDER, 0.0)
    times, states, slope, _ = flight_sensitivity(flight, weather, 1.0, 120.0)
    sigma = np.array([30.0, 1e-3, 1e-3, 5.0])
    rng = np.random.default_rng(0)
    at = np.array([0.0, 400e3, 6.3e6])

    def measure(position, velocity):
        d = position - at
        r = np.linalg.norm(d, axis=1)
        rate = np.sum(d * velocity, axis=1) / r
        return np.stack([r, np.arctan2(d[:, 1], d[:, 0]), np.arcsin(d[:, 2] / r), rate], -1)

    slopes = []
    for i in range(6):
        step = np.zeros(6)
        step[i] = 1.0 if i < 3 else 0.01
        up, down = states + step, states - step
        difference = measure(up[:, :3], up[:, 3:]) - measure(down[:, :3], down[:, 3:])
        slopes.append(difference / (2.0 * step[i]))
    h = np.stack(slopes, -1) @ slope[:, :, :6]
    weight = np.tile(1.0 / sigma**2, (len(times), 1))
    prior = np.diag([1e5**2] * 3 + [1e4**2] * 3)
    p = covariance_at(prior, Information(times, h, weight), np.array([1e9]))[0]
    true = measure(states[:, :3], states[:, 3:])
    squares = []
    for _ in range(60):
        z = true + rng.normal(size=true.shape) * sigma
        guess = np.zeros(6)
        for _ in range(3):
            state = states + slope[:, :, :6] @ guess
            residual = z - measure(state[:, :3], state[:, 3:])
            normal = np.einsum("nia,ni,nib->ab", h, weight, h) + np.linalg.inv(prior)
            gradient = np.einsum("nia,ni,ni->a", h, weight, residual) - np.linalg.solve(prior, guess)
            guess = guess + np.linalg.solve(normal, gradient)
        squares.append(guess @ np.linalg.solve(p, guess))
    low, high = chi2.ppf([0.001, 0.999], 6 * 60)
    assert low < sum(squares) < high


def test_nothing_is_known_of_a_quiet_sky():
    run = simulate(read_scenario("quiet"), 1)
    assert run.bounds == ()


@pytest.mark.shared
def test_it_agrees_with_an_independent_simulators_bound():
    """The bound of a sample's truth and sensors against the sample's own, plots drawn anew."""
    folder = SHARED / "single-irbm-11"
    if not folder.is_dir():
        pytest.skip("the sample recordings are not beside this checkout (../shared/recordings)")
    recording = read_recording(folder)
    flown, (fallen,), theirs = read_truth(folder)
    order = np.argsort(flown.time_s)
    time_s, state = flown.time_s[order], flown.state[order]
    free = np.flatnonzero(np.isfinite(theirs.impact_area99_km2))[0]  # from then on it has an area
    burnout = int(np.searchsorted(time_s, theirs.time_s[free]))
    beta = 6710.0  # from its deceleration at heights of 35 to 75 km
    flight = Flight(float(time_s[burnout]), np.append(state[burnout], np.log(beta)), SLENDER, 0.0)
    impact = Impact(fallen.time_s, np.radians(fallen.latitude_deg), np.radians(fallen.longitude_deg))
    plume = (float(time_s[0]), float(time_s[burnout]))
    path = Path("a", "body", None, time_s, state, plume, NEVER, flight, 0.0, impact)
    stations = [_standing(sensor, recording.start_s) for sensor in recording.sensors]
    looks = [scan_sensor(s, [path], recording.end_s, np.random.default_rng(1))[1] for s in stations]
    mine = bound_of(parse_scenario(GOOD), 0, [path], stations, looks, np.zeros(8), {})
    known = (theirs.plots_so_far > 40) & (theirs.time_s < path.time_s[-1] - 60.0)
    for ours, wanted in (
        (mine.pos_sigma_m, theirs.pos_sigma_m),
        (mine.impact_area99_km2, theirs.impact_area99_km2),
    ):
        ratio = np.interp(theirs.time_s[known], mine.time_s, ours) / wanted[known]
        assert np.median(ratio) == pytest.approx(1.0, abs=0.03)
        # looks fall at other moments within each scan, so single moments differ by more
        assert np.percentile(ratio, [5, 95]) == pytest.approx(1.0, abs=0.25)


def _standing(sensor, start_s):
    """A sensor of a recording as one of ours; what orbits is taken to stand still for these minutes."""
    swept = sensor.kind == "radar" and (np.diff(sensor.field_of_view[1])[0]) % (2 * np.pi) == 0.0
    infrared = sensor.kind == "infrared"
    template = parse_scenario(GOOD).sensors[0]
    plan = template._replace(
        name=sensor.name,
        kind=sensor.kind,
        height_m=sensor.height_m,
        sigma=sensor.sigma,
        detection_probability=sensor.detection_probability,
        false_plots_per_scan=0.0,
        scan_period_s=sensor.scan_period_s,
        field_of_view=sensor.field_of_view,
        timing="instant" if infrared else "sweep" if swept else "sector",
        lights=("plume",) if infrared else (),
        latency_s=0.0,
        latency_mean_s=1e-9,
    )
    return Station(plan, sensor, np.zeros(4), 0.0, start_s, 0, 0.0, 10e3 if infrared else -1e3)
