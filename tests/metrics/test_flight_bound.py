"""The bound of whole flights: its derivatives against flights, itself against the oracles of the samples."""

from pathlib import Path

import numpy as np
import pytest

from tocsin.earth.ellipsoid import enu_axes, geodetic_to_ecef
from tocsin.earth.flights import to_time
from tocsin.earth.forces import STANDARD, without_air
from tocsin.earth.motion import wind_share
from tocsin.metrics.flight_bound import (
    Course,
    Leg,
    Seen,
    biases_of,
    child_prior,
    first_prior,
    flight_bound,
    impact_plane,
)
from tocsin.metrics.paths import interpolate
from tocsin.metrics.sensitivity import log_ballistic_coefficient, path_sensitivity, thrust_end_s

from .sample_looks import read_sample

SAMPLES = Path(__file__).parents[3] / "shared" / "recordings"


def launched(height_m=60e3, east=1500.0, north=300.0, up=1200.0):
    latitude, longitude = np.radians([48.0, 35.0])
    velocity = np.array([east, north, up]) @ enu_axes(latitude, longitude)
    return np.concatenate([geodetic_to_ecef(latitude, longitude, height_m), velocity])


def flown(start, beta, time_s, forces=STANDARD):
    n = len(time_s)
    found = to_time(np.tile(start, (n, 1)), np.full(n, beta), time_s, forces, error_m=1e-4, transition=True)
    return found.state, found.transition


def shares(height_m):
    return np.array([wind_share(h) for h in height_m])


@pytest.mark.parametrize(("start", "beta", "span_s"), [
    (launched(), 3000.0, 260.0),
    (launched(120e3, 3000.0, 0.0, -1500.0), 800.0, 60.0),
])  # fmt: skip
def test_derivatives_along_a_path_are_those_of_flights(start, beta, span_s):
    time_s = np.arange(0.0, span_s, 0.5)
    state, transition = flown(start, beta, time_s)
    mine = path_sensitivity(time_s, state, shares)
    size = np.abs(transition[:, :6]).max(axis=0)
    # rows half a second apart, up to 1.5 km: density changes by a fifth, steps of order 4 leave 1e-3 of the largest
    assert (np.abs(mine - transition[:, :6]).max(axis=0) <= 2e-3 * size + 1e-9).all()


def test_the_ballistic_coefficient_is_read_off_the_path():
    time_s = np.arange(0.0, 260.0, 0.5)
    state, _ = flown(launched(), 3000.0, time_s)
    felt = np.exp(log_ballistic_coefficient(time_s, state))
    assert felt == pytest.approx(3000.0, rel=0.02)
    assert felt[-40:] == pytest.approx(3000.0, rel=1e-3)
    vacuum, _ = flown(launched(), 3000.0, time_s, without_air(STANDARD))
    assert np.isfinite(log_ballistic_coefficient(time_s, vacuum)).all()


@pytest.mark.parametrize("burnout_s", [20.0, 20.1, 20.37, 20.5, 20.8])
def test_the_end_of_a_thrust_is_found_within_its_row(burnout_s):
    fine = np.arange(0.0, 40.0, 0.01)
    push = np.where(fine < burnout_s - 0.005, 30.0 + fine, 0.0)
    up = launched()[:3] / np.linalg.norm(launched()[:3])
    state, rows = launched(1e3, 0.0, 0.0, 1.0), []
    for acceleration in push:  # a body that climbs through air, by small steps
        rows.append(state)
        ahead, _ = flown(state, 3000.0, np.array([0.01]))
        state = ahead[0] + np.concatenate([0.5e-4 * acceleration * up, 0.01 * acceleration * up])
    time_s, state = fine[::50], np.array(rows)[::50]
    assert thrust_end_s(time_s, state) == pytest.approx(burnout_s, abs=0.06)
    coast = time_s > burnout_s + 0.5
    assert thrust_end_s(time_s[coast], state[coast]) is None


def look_straight(time_s, sigma_m, biased=False):
    """Looks that measure the three coordinates, as ranges of three sensors would."""
    n = len(time_s)
    jacobian = np.zeros((n, 4, 6))
    jacobian[:, range(3), range(3)] = 1.0
    weight = np.tile([1.0, 1.0, 1.0, 0.0], (n, 1)) / sigma_m**2
    bias = np.zeros((n, 4, 1 if biased else 0))
    if biased:
        bias[:, 0, 0] = 1.0
    return Seen(time_s, time_s, jacobian, weight, bias)


def straight(time_s):
    """Derivatives of a flight without any force."""
    slope = np.zeros((len(time_s), 6, 9))
    slope[:, range(6), range(6)] = 1.0
    for i in range(3):
        slope[:, i, 3 + i] = time_s
    return Course(time_s, slope)


def test_a_straight_flight_is_a_line_that_is_fitted():
    """n looks T apart: variance of the last place 2 (2 n - 1) / (n (n + 1)) of one look's (Bar-Shalom, Li and
    Kirubarajan 2001, section 3.5)."""
    n = 12
    time_s = 2.0 * np.arange(1, n + 1)
    course = straight(np.array([0.0, 30.0]))
    prior = np.diag([1e14] * 3 + [1e12] * 3)
    found = flight_bound(prior, look_straight(time_s, 7.0), Leg(0.0, None, 24.0, course, None), time_s[-1:])
    each = 2.0 * (2 * n - 1) / (n * (n + 1))
    assert found.pos_sigma_m[0] == pytest.approx(7.0 * np.sqrt(3.0 * each), rel=1e-6)
    speed = 12.0 * 7.0**2 / (2.0**2 * n * (n * n - 1))
    assert found.last[3, 3] == pytest.approx(speed, rel=1e-6)
    assert np.isnan(found.impact_area99_km2).all()


def test_a_bias_stays_whatever_the_number_of_looks():
    time_s = np.linspace(0.1, 50.0, 5000)
    leg = Leg(0.0, None, 50.0, straight(np.array([0.0, 60.0])), None)
    prior = np.diag([1e10] * 3 + [1e6] * 3 + [30.0**2])
    found = flight_bound(prior, look_straight(time_s, 1.0, biased=True), leg, time_s[-1:])
    assert found.pos_sigma_m[0] == pytest.approx(30.0, abs=0.05)


def test_what_leaves_a_parent_knows_its_place_and_less_of_its_speed():
    parent = np.diag([4.0] * 3 + [1.0] * 3 + [9.0])
    assert np.diag(child_prior(parent, 5.0)) == pytest.approx([4.0] * 3 + [26.0] * 3 + [9.0])
    assert np.diag(parent)[3] == 1.0
    assert np.diag(first_prior(True, np.array([2.0])))[[0, 3, 6]] == pytest.approx([50e3**2, 300.0**2, 4.0])
    assert np.diag(first_prior(False, np.zeros(0)))[3] == 3e3**2


def test_the_impact_plane_follows_the_flight():
    latitude, longitude = 0.8, 0.3
    axes = enu_axes(latitude, longitude)
    state = np.concatenate(
        [geodetic_to_ecef(latitude, longitude, 0.0), np.array([300.0, 0.0, -300.0]) @ axes]
    )
    plane = impact_plane(state, latitude, longitude)
    assert plane[:, :3] @ axes[2] == pytest.approx([1.0, 0.0])  # a metre higher is a metre farther on
    assert plane[:, :3] @ axes[1] == pytest.approx([0.0, 1.0])


# What the samples' simulator took beside what the referee's README says, found from truth and oracle: the spread of
# velocities at a separation, by kind (m/s), and the noise of the sensor whose stated one is wrong: isolated plots of
# degraded-16's radar-2 scatter by 2.97 to 3.06 of it in all four numbers. At a separation it forgets what it knew of
# biases, and a parent's look that is still under way.
SAMPLE_SPREADS = {
    "dnipro-2024": {"body": 5.0, "stage": 10.0, "debris": 12.0},
    "degraded-16": {"body": 13.0, "stage": 10.0, "debris": 12.0},
    "launch-failure-13": {"fragment": 16.0, "debris": 16.0},
}
MOST_OBJECTS = 13  # of 49 in launch-failure-13, whose pieces are much alike
SAMPLE_NOISE = {"degraded-16": {"radar-2": 3.0}}


def ratios(folder):
    """Our bound over the oracle's, of all moments of all objects, by which both have had a plot."""
    sample, sensors = read_sample(folder, SAMPLE_NOISE.get(folder.name), MOST_OBJECTS)
    truth, last, out = sample.truth, {}, []
    bias_sigma = np.array([sensors[s].bias_sigma[q] for s, q in biases_of(sensors)])
    fallen = {impact.name: impact for impact in truth.impacts}
    for name in sample.order:
        path_s, path, burnout_s = truth.time_s[name], truth.state[name], sample.thrust_end_s[name]
        if name in sample.parent:
            parent = last[sample.parent[name]].copy()
            parent[6:, :], parent[:, 6:] = 0.0, 0.0
            parent[6:, 6:] = np.diag(bias_sigma**2)
            prior = child_prior(parent, SAMPLE_SPREADS[folder.name][truth.kind[name]])
        else:
            prior = first_prior(burnout_s is not None, bias_sigma)
        free = path_s > (path_s[0] - 1.0 if burnout_s is None else burnout_s + 1e-3)
        course, ground = None, None
        if free.sum() > 1:
            free_s, freely = path_s[free], path[free]
            if burnout_s is not None:
                begin = interpolate(path_s, path, np.array([burnout_s]))
                free_s, freely = np.append(burnout_s, free_s), np.vstack([begin, freely])
            course = Course(free_s, path_sensitivity(free_s, freely))
            if name in fallen and abs(fallen[name].time_s - path_s[-1]) < 1.0:
                place = np.radians([fallen[name].latitude_deg, fallen[name].longitude_deg])
                ground = impact_plane(path[-1], *place)
        leg = Leg(float(path_s[0]), burnout_s, float(path_s[-1]), course, ground)
        theirs = truth.bounds[name]
        mine = flight_bound(prior, sample.seen[name], leg, theirs.time_s, late_counts=False)
        last[name] = mine.last
        known = (theirs.plots_so_far > 0) & np.isfinite(theirs.pos_sigma_m) & np.isfinite(mine.pos_sigma_m)
        out.append((mine.pos_sigma_m / theirs.pos_sigma_m)[known])
    return np.concatenate(out)


@pytest.mark.shared
@pytest.mark.parametrize("name", [
    "single-irbm-11", "fireball-14", *(
        pytest.param(name, marks=pytest.mark.acceptance)
        for name in ("short-salvo-12", "dnipro-2024", "launch-failure-13", "degraded-16")
    ),
])  # fmt: skip
def test_it_agrees_with_the_oracles_of_the_samples(name):
    """An independent simulator's bound, of the same truth and sensors, at every second of every object."""
    if not (SAMPLES / name).is_dir():
        pytest.skip("the sample recordings are not beside this checkout (../shared/recordings)")
    found = ratios(SAMPLES / name)
    low, middle, high = np.percentile(found, [5, 50, 95])
    print(f"{name}: {len(found)} moments, ours over theirs {middle:.4f}, 5 to 95 % {low:.3f} to {high:.3f}")
    assert middle == pytest.approx(1.0, abs=0.005)
    # when a look took place that gave no plot is not told; it is drawn anew
    assert low > 0.96
    assert high < 1.06
