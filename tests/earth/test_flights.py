"""Flights against an integration of its own, and what must hold of any flight."""

import itertools
import json
import math
import os
import subprocess
import sys
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tocsin.earth import status
from tocsin.earth.drag import ballistic_coefficient, with_shape
from tocsin.earth.ellipsoid import ecef_to_geodetic
from tocsin.earth.flights import STEP_ERROR_M, impact_jacobian, to_ground, to_perigee, to_time
from tocsin.earth.forces import STANDARD, wind_table, without_air
from tocsin.earth.frames import ecef_to_inertial
from tocsin.earth.spread import impact_spread
from tocsin.errors import DataError, UsageError

from .flights import fall, fly, geodetic, start
from .random_flights import random_flights

compiled = pytest.mark.compiled
VACUUM = without_air(STANDARD)
WIND = wind_table([0.0, 5e3, 11e3, 30e3, 60e3], [3.0, -8.0, 40.0, 10.0, 60.0], [5.0, 12.0, -20.0, 0.0, 5.0])
WINDY = STANDARD._replace(wind=WIND)
BURNING = STANDARD._replace(ablation_s2_m2=1.2e-8, ablation_speed_m_s=3000.0)
WEATHER = {"calm": STANDARD, "wind": WINDY, "sphere": with_shape(STANDARD, "sphere"), "burning": BURNING,
           "all": with_shape(WINDY, "fragment")._replace(ablation_s2_m2=1.2e-8, ablation_speed_m_s=3000.0)}  # fmt: skip


def wind_of(height):
    """The wind of WIND, written anew: linear in the profile's heights, which are multiples of its step."""
    knots = [0.0, 5e3, 11e3, 30e3, 60e3]
    return np.stack(
        [
            np.interp(height, knots, [3.0, -8.0, 40.0, 10.0, 60.0]),
            np.interp(height, knots, [5.0, 12.0, -20.0, 0.0, 5.0]),
        ],
        -1,
    )


class Fallen(NamedTuple):
    """Starts, and where another integration has them come down."""

    states: np.ndarray
    betas: np.ndarray
    ground_m: np.ndarray
    time_s: np.ndarray
    exact: np.ndarray

    def of(self, some):
        """Some of them."""
        return Fallen(*(column[some] for column in self))


def fallen(states, betas, ground_m=0.0):
    """All side by side: the other integration takes its time by the step, not by the flight."""
    ground_m = np.broadcast_to(ground_m, len(states))
    return Fallen(states, betas, ground_m, *fall(states, ground_m=ground_m, beta=betas))


RANDOM = slice(0, 24)  # any, grazing and steep ones, to the ellipsoid
AT_HEIGHTS = slice(24, 30)


@pytest.fixture(scope="module")
def random_falls():
    """Flights of RANDOM and AT_HEIGHTS, in calm air."""
    kinds = [random_flights(8, 7, *elevations) for elevations in ((-5.0, 80.0), (-4.0, 4.0), (60.0, 89.0))]
    kinds.append(random_flights(6, 3))
    states, betas = (np.concatenate([kind[i] for kind in kinds]) for i in range(2))
    return fallen(states, betas, np.repeat([0.0, -400.0, 850.0, 8000.0], [24, 2, 2, 2]))


# what is asked of every flight: 1 m and 1 ms; benchmarks/accuracy.py flies ten thousand
@compiled
def test_flights_come_down_where_another_integration_has_them(random_falls):
    states, betas, _, time_s, exact = random_falls.of(RANDOM)
    for matrices in (False, True):
        ours = to_ground(states, betas, transition=matrices)
        assert (ours.status == status.LANDED).all()
        assert np.abs(ecef_to_geodetic(ours.state[:, :3])[2]).max() < 1e-3
        assert np.linalg.norm(ours.state[:, :3] - exact[:, :3], axis=1).max() < 1.0
        assert np.abs(ours.time_s - time_s).max() < 1e-3
    tight = to_ground(states, betas, error_m=1e-4)
    assert np.linalg.norm(tight.state[:, :3] - exact[:, :3], axis=1).max() < 0.05


FALLS = {
    "over the antimeridian": (start(10, -179.9, 130e3, 6500, -45, -35), 6000.0),
    "half round the Earth by the pole": (start(70, 179.9, 400e3, 6800, 10, 15), 4000.0),
    "straight down on the pole": (start(90, 0, 100e3, 3000, 0, -90), 3000.0),
    "straight up from near the ground": (start(0, 0, 1e3, 2500, 0, 90), 5000.0),
    "up from the ground": (start(52, 7, 0.0, 2500, 40, 60), 8000.0),
    "dropped at rest": (start(0, 0, 9e3, 0, 0, 0), 500.0),
    "a light thing dropped at rest": (start(-30, 60, 9e3, 0, 0, 0), 25.0),
    "from 10 m": (start(-30, 60, 10.0, 5, 40, 0), 100.0),
    "out of the air and in again": (start(-35, 130, 105e3, 7750, 100, -2.2), 2000.0),
}


@pytest.fixture(scope="module")
def odd_falls():
    states, betas = zip(*FALLS.values(), strict=True)
    return fallen(np.stack(states), np.array(betas))


@pytest.mark.parametrize("name", FALLS)
def test_odd_flights(odd_falls, name):
    state, beta, _, time_s, exact = odd_falls.of(list(FALLS).index(name))
    ours = to_ground(state, beta)
    assert np.linalg.norm(ours.state[0, :3] - exact[:3]) < 1.0
    assert ours.time_s[0] == pytest.approx(time_s, abs=1e-3 if "rest" not in name else 5e-3)


@compiled
def test_to_the_ground_at_a_height(random_falls):
    states, betas, ground_m, time_s, exact = random_falls.of(AT_HEIGHTS)
    for first in (0, 2, 4):
        some = slice(first, first + 2)
        ours = to_ground(states[some], betas[some], ground_m=ground_m[first])
        assert np.linalg.norm(ours.state[:, :3] - exact[some, :3], axis=1).max() < 1.0
        assert np.abs(ours.time_s - time_s[some]).max() < 1e-3


@compiled
def test_wind_and_the_shape_of_the_drag_curve():
    from scipy.interpolate import PchipInterpolator

    from tocsin.earth.drag import TABLES, hypersonic_coefficient

    table = np.array(TABLES["sphere"])
    curve = PchipInterpolator(table[:, 0], table[:, 1] / hypersonic_coefficient("sphere"))
    top = table[-1, 0]
    forces = with_shape(WINDY, "sphere")
    states, betas = random_flights(3, 4)
    _, exact = fall(states, beta=betas, wind=wind_of, factor=lambda mach: curve(np.minimum(mach, top)))
    for matrices in (False, True):
        ours = to_ground(states, betas, forces, error_m=1e-3, transition=matrices)
        # the curve's second derivative jumps at its rows, the wind's first at its heights
        assert np.linalg.norm(ours.state[:, :3] - exact[:, :3], axis=1).max() < 0.1
    ours = to_ground(states, betas, forces)
    assert np.linalg.norm(ours.state[:, :3] - exact[:, :3], axis=1).max() < 1.0


def test_ablation_takes_mass_by_the_work_of_drag():
    """d ln m = -sigma dE / m by drag: without gravity ln beta falls by sigma/6 of what the speed's square loses."""
    state = start(10, 20, 90e3, 16e3, 80, -60)
    heavy = BURNING._replace(gm_m3_s2=1e-3, rate_rad_s=0.0)
    there = to_time(state, 400.0, 4.0, heavy, error_m=1e-4)
    lost = math.log(400.0 / there.ballistic_coefficient_kg_m2[0])
    change = np.sum(state[3:] ** 2) - np.sum(there.state[0, 3:] ** 2)
    assert lost > 0.05
    assert lost == pytest.approx(BURNING.ablation_s2_m2 / 6.0 * change, rel=1e-6)
    slow = to_time(start(10, 20, 40e3, 2900, 80, -60), 400.0, 5.0, BURNING)
    assert slow.ballistic_coefficient_kg_m2[0] == pytest.approx(400.0, rel=1e-12)


def test_dark_flight_ends_at_terminal_speed_in_the_wind():
    forces = with_shape(WINDY, "sphere")
    landing = to_ground(start(10, 20, 30e3, 3000, 80, -60), 40.0, forces)
    west_to_east = np.array([-math.sin(math.radians(20)), math.cos(math.radians(20)), 0.0])
    assert landing.state[0, 3:] @ west_to_east == pytest.approx(3.0, abs=0.5)  # the wind at the ground
    down = np.linalg.norm(landing.state[0, 3:])
    from tocsin.earth.drag import drag_coefficient, hypersonic_coefficient

    low = drag_coefficient("sphere", down / 340.0) / hypersonic_coefficient("sphere")
    assert down == pytest.approx(math.sqrt(2.0 * 9.78 * 40.0 / (1.225 * low)), rel=0.03)


# what must hold of any flight --------------------------------------------------------------------

ANY = {
    "latitude_deg": st.floats(-90.0, 90.0), "longitude_deg": st.floats(-180.0, 180.0),
    "height_m": st.floats(150e3, 2e6), "speed_m_s": st.floats(500.0, 7600.0),
    "heading_deg": st.floats(0.0, 360.0), "climb_deg": st.floats(-80.0, 80.0),
}  # fmt: skip


def energy(state):
    """Energy of mass (J/kg) in the frame that turns with the Earth, of its potential with J2 to J4 (Jacobi)."""
    f = STANDARD
    p, v = state[:3], state[3:]
    r = np.linalg.norm(p)
    s, q = p[2] / r, f.radius_m / r
    legendre = (1.5 * s**2 - 0.5, 2.5 * s**3 - 1.5 * s, 4.375 * s**4 - 3.75 * s**2 + 0.375)
    zonal = sum(j * q**n * k for n, j, k in zip((2, 3, 4), (f.j2, f.j3, f.j4), legendre, strict=True))
    level = f.rate_rad_s**2 * (p[0] ** 2 + p[1] ** 2) / 2.0
    return v @ v / 2.0 - f.gm_m3_s2 / r * (1.0 - zonal) - level


def least_radius(state):
    """Distance (m) of the perigee of the two-body orbit from the Earth's centre."""
    inertial = ecef_to_inertial(state, 0.0)
    p, v = inertial[:3], inertial[3:]
    moment2 = np.sum(np.cross(p, v) ** 2)
    half = v @ v / 2.0 - STANDARD.gm_m3_s2 / np.linalg.norm(p)
    gm = STANDARD.gm_m3_s2
    return moment2 / gm / (1.0 + math.sqrt(max(1.0 + 2.0 * half * moment2 / gm**2, 0.0)))


def spin(state):
    """Angular momentum about the Earth's axis (m2/s), which zonal terms leave alone."""
    inertial = ecef_to_inertial(state, 0.0)
    return inertial[0] * inertial[4] - inertial[1] * inertial[3]


@compiled
@given(duration_s=st.floats(-2000.0, 2000.0), **(ANY | {"speed_m_s": st.floats(5000.0, 7600.0)}))
@settings(max_examples=60, deadline=None)
def test_energy_and_angular_momentum_hold_without_air(duration_s, **place):
    before = start(**place)
    assume(least_radius(before) > 3e6)  # nearer the centre the zonal terms are no field of any body
    after = to_time(before, 1000.0, duration_s, VACUUM, error_m=1e-3)
    assert after.status[0] == status.ARRIVED
    # a millimetre of error a step, and the rounding of 6e7 m2/s2 and 5e10 m2/s
    assert energy(after.state[0]) == pytest.approx(energy(before), abs=0.1)
    assert spin(after.state[0]) == pytest.approx(spin(before), abs=3e4)


@compiled
@given(duration_s=st.floats(1.0, 300.0), beta=st.floats(500.0, 15000.0), part=st.floats(0.01, 0.99), **ANY)
@settings(max_examples=60, deadline=None)
def test_forth_and_back_and_in_parts(duration_s, beta, part, **place):
    before = start(
        **(place | {"height_m": 30e3 + place["height_m"] / 10.0, "climb_deg": abs(place["climb_deg"])})
    )
    there = to_time(before, beta, duration_s, error_m=1e-4)
    assume(ecef_to_geodetic(there.state[0, :3])[2] > 0.0)
    back = to_time(there.state, beta, -duration_s, error_m=1e-4)
    half = to_time(before, beta, part * duration_s, error_m=1e-4)
    again = to_time(half.state, beta, (1.0 - part) * duration_s, error_m=1e-4)
    if np.linalg.norm(there.state[0, 3:]) > 0.5 * np.linalg.norm(
        before[3:]
    ):  # backwards drag multiplies every error
        np.testing.assert_allclose(back.state[0, :3], before[:3], rtol=0, atol=0.05)
        np.testing.assert_allclose(back.state[0, 3:], before[3:], rtol=0, atol=0.005)
    np.testing.assert_allclose(again.state[0, :3], there.state[0, :3], rtol=0, atol=0.05)
    np.testing.assert_allclose(again.state[0, 3:], there.state[0, 3:], rtol=0, atol=0.005)


@compiled
def test_a_flight_that_turns_just_beside_a_bound_of_the_air_goes_on():
    # after 29 hours they come 101 m below the bound at 160 km, inside the slack of both layers, and climb again
    low_orbit = [4729847.94, 3968813.66, 2232680.62, -5111.12804, 4681.38823, 2506.09104]
    beta = np.exp(np.linspace(5.0597, 5.0600, 300))
    flown = to_ground(np.tile(low_orbit, (300, 1)), beta, ground_m=80e3, longest_s=172800.0, error_m=3.0)
    assert np.isin(flown.status, (status.LANDED, status.STILL_UP)).all()
    assert flown.steps.max() < 1000


@compiled
@given(scale=st.floats(1e-3, 1e3), beta=st.floats(50.0, 15000.0), **ANY)
@settings(max_examples=20, deadline=None)
def test_only_mass_over_area_counts(scale, beta, **place):
    mass_kg, area_m2 = beta * 0.3, 0.3
    one, other = (
        to_ground(start(**place), ballistic_coefficient("sphere", k * mass_kg, k * area_m2), longest_s=4000.0)
        for k in (1.0, scale)
    )
    assert one.status[0] == other.status[0]
    # a component near zero is as exact as the others, not as itself
    np.testing.assert_allclose(one.state, other.state, rtol=1e-9, atol=1e-9)


@compiled
def test_a_flight_does_not_depend_on_its_neighbours_nor_on_threads():
    states, betas = random_flights(101, 5)
    whole = to_ground(states, betas, WEATHER["all"], transition=True)
    for count, threads in ((101, 3), (7, 1)):
        some = to_ground(states[:count], betas[:count], WEATHER["all"], transition=True, threads=threads)
        for ours, theirs in zip(some, whole, strict=True):
            assert np.array_equal(ours, theirs[:count])
    alone = to_ground(states[5], betas[5], WEATHER["all"])
    assert np.array_equal(alone.state[0], whole.state[5])


PROGRAM = """
import json, sys
import numpy as np
from tocsin.earth.flights import to_ground, to_time
from tocsin.earth.forces import STANDARD, wind_table, without_air
states, betas = np.array(json.loads(sys.argv[1])), np.array(json.loads(sys.argv[2]))
windy = STANDARD._replace(wind=wind_table([0.0, 20e3], [5.0, 30.0], [0.0, -10.0]))
out = [to_ground(states, betas, windy, transition=True), to_time(states, betas, 40.0)]
print(json.dumps([out[0].state.tolist(), out[0].transition.tolist(), out[1].state.tolist()]))
"""


@compiled
def test_the_compiler_changes_nothing():
    states, betas = random_flights(3, 6)
    results = []
    for off in ("0", "1"):
        command = [sys.executable, "-c", PROGRAM, json.dumps(states.tolist()), json.dumps(betas.tolist())]
        done = subprocess.run(
            command, env={**os.environ, "NUMBA_DISABLE_JIT": off}, capture_output=True, text=True, check=True
        )
        results.append([np.array(a) for a in json.loads(done.stdout)])
    # fused operations round differently, and a step may be chosen a hair longer
    np.testing.assert_allclose(results[0][0], results[1][0], rtol=0, atol=1e-4)
    np.testing.assert_allclose(results[0][2], results[1][2], rtol=0, atol=1e-5)
    size = np.abs(results[0][1]).max(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(results[0][1] / size, results[1][1] / size, rtol=0, atol=1e-7)


# how a flight ends --------------------------------------------------------------------------------


def test_every_end_has_a_sentence():
    up = start(0, 0, 400e3, 7180, 90, 0)
    satellite = to_ground(up, 100.0, longest_s=1500.0)
    assert satellite.status[0] == status.STILL_UP
    assert satellite.time_s[0] == pytest.approx(1500.0)
    below = start(0, 0, -3.0, 100, 90, -80)
    buried = to_ground(below, 100.0, transition=True)
    assert (buried.status[0], buried.time_s[0]) == (status.STARTS_BELOW, 0.0)
    assert (buried.state[0] == below).all()
    assert (buried.transition[0] == np.eye(7, 9)).all()
    for bad in (math.nan, math.inf):
        broken = up.copy()
        broken[4] = bad
        lost = to_ground(np.stack([up, broken, up]), 100.0, longest_s=100.0, transition=True)
        assert list(lost.status) == [status.STILL_UP, status.NOT_FINITE, status.STILL_UP]
        assert np.isnan(lost.state[1]).all()
        assert np.isnan(lost.transition[1]).all()
        assert np.isfinite(lost.state[[0, 2]]).all()
    backwards = to_time(start(0, 0, 1e3, 300, 90, -60), 50.0, -500.0)  # drag backwards blows the speed up
    assert backwards.status[0] in (status.NOT_FINITE, status.TOO_MANY_STEPS)
    assert np.isnan(backwards.state).all()
    for code in status.SENTENCES:
        assert status.sentence(code).endswith(".")


@compiled
@pytest.mark.parametrize("weather", WEATHER)
def test_nonsense_never_ends_in_a_silent_nan(weather):
    rng, forces = np.random.default_rng(3), WEATHER[weather]
    states = rng.normal(size=(96, 6)) * 10.0 ** rng.uniform(-3, 12, (96, 1))
    betas = 10.0 ** rng.uniform(-6, 8, 96)
    for flown in (
        to_ground(states, betas, forces),
        to_ground(states, betas, forces, transition=True),
        to_time(states, betas, 100.0, forces),
        to_time(states, betas, -10.0, forces),
    ):
        good = np.isfinite(flown.state).all(axis=1)
        failed = np.isin(flown.status, (status.NOT_FINITE, status.TOO_MANY_STEPS))
        assert (good == ~failed).all()


def test_what_makes_no_sense_is_refused():
    state = start(0, 0, 1e5, 3000, 90, 0)
    with pytest.raises(UsageError, match=r"state must have the shape \(n, 6\), has \(5,\)"):
        to_ground(state[:5], 100.0)
    with pytest.raises(UsageError, match=r"ballistic_coefficient_kg_m2\[1\] must be above 0 kg/m2, is -2"):
        to_ground(np.stack([state, state]), [1.0, -2.0])
    with pytest.raises(UsageError, match="duration_s must be one number or 1"):
        to_time(state, 100.0, [1.0, 2.0])
    with pytest.raises(UsageError, match="error_m must be above 0 m, is 0"):
        to_ground(state, 100.0, error_m=0.0)
    with pytest.raises(UsageError, match="threads must be 1 or more"):
        to_ground(state, 100.0, threads=0)
    with pytest.raises(UsageError, match="longest_s must be above 0"):
        to_perigee(state, 100.0, longest_s=-5.0)
    with pytest.raises(UsageError, match="transition=True"):
        impact_jacobian(to_ground(state, 100.0))
    with pytest.raises(DataError, match=r"height_m\[1\] is 0"):
        wind_table([5.0, 0.0], [0.0, 0.0], [0.0, 0.0])
    with pytest.raises(DataError, match=r"north_m_s\[0\] is 900"):
        wind_table([0.0], [0.0], [900.0])
    with pytest.raises(DataError, match="as many, are 2, 1 and 1"):
        wind_table([0.0, 1.0], [0.0], [0.0])


def test_no_flights_are_no_trouble():
    none = to_ground(np.zeros((0, 6)), np.zeros(0), transition=True)
    assert none.state.shape == (0, 6)
    assert none.transition.shape == (0, 7, 9)


@pytest.mark.parametrize("climb_deg", [30.0, -20.0])
def test_to_the_perigee(climb_deg):
    """An orbit of 300 by 2,500 km or so: there the radius is least, and the velocity level."""
    state = start(20, 40, 900e3, 7300, 60, climb_deg / 10)
    there = to_perigee(state, 1e30, VACUUM, error_m=1e-3)
    assert there.status[0] == status.ARRIVED
    p, v = there.state[0, :3], there.state[0, 3:]
    assert abs(p @ v) / np.linalg.norm(p) < 1e-5
    for late in (-20.0, 20.0):
        other = fly(state, there.time_s[0] + late)
        assert np.linalg.norm(other[:3]) > np.linalg.norm(p) + 100.0
    np.testing.assert_allclose(fly(state, there.time_s[0])[:3], p, atol=0.05)


def test_to_the_perigee_of_what_comes_down_before():
    down = to_perigee(start(20, 40, 100e3, 3000, 60, 20), 1000.0)
    assert down.status[0] == status.LANDED
    assert abs(geodetic(down.state[0, :3])[2]) < 1e-3


# transition matrices ------------------------------------------------------------------------------

STEPS = np.array([3.0] * 3 + [0.03] * 3 + [1e-4])


def differences(fly_on, state, beta):
    """Derivatives (6, 7) by the start, by differences of fourth order."""
    columns = []
    for c in range(7):
        parts = []
        for k in (-2, -1, 1, 2):
            moved, ln_beta = state.copy(), math.log(beta)
            if c < 6:
                moved[c] += k * STEPS[c]
            else:
                ln_beta += k * STEPS[c]
            parts.append(fly_on(moved, math.exp(ln_beta)))
        columns.append((parts[0] - 8.0 * parts[1] + 8.0 * parts[2] - parts[3]) / (12.0 * STEPS[c]))
    return np.stack(columns, -1)


MOVES = {
    "vacuum": (start(48, 35, 300e3, 4000, 80, 20), 5000.0, 200.0),
    "re-entry": (start(-48, 135, 70e3, 5000, 200, -40), 2000.0, 10.0),
    "thick air": (start(70, -35, 15e3, 900, 80, -40), 500.0, 8.0),
    "back": (start(-70, -135, 25e3, 1500, 80, 40), 5000.0, -8.0),
    "a body that burns": (start(30, 100, 75e3, 14000, 80, -50), 300.0, 1.5),
}


@compiled
@pytest.mark.parametrize("weather", WEATHER)
@pytest.mark.parametrize("name", MOVES)
def test_transition_matrix_by_differences(name, weather):
    state, beta, duration_s = MOVES[name]
    forces = WEATHER[weather]
    ours = to_time(state, beta, duration_s, forces, error_m=1e-6, transition=True).transition[0]

    def fly_on(x, b):
        return to_time(x, b, duration_s, forces, error_m=1e-6).state[0]

    exact = differences(fly_on, state, beta)
    place, speed, ln_beta = slice(0, 3), slice(3, 6), slice(6, 7)
    for rows, columns in itertools.product((place, speed), (place, speed, ln_beta)):
        size = np.abs(exact[rows, columns]).max()
        floor = 1e-12 if columns.start < 6 else 3e-5  # by ln beta in vacuum there is next to nothing
        # what differences of flights with errors of a micrometre can tell; kinks of wind and curve
        atol = (2e-6 if weather in ("calm", "burning") else 3e-4) * size + floor
        np.testing.assert_allclose(ours[rows, columns], exact[rows, columns], rtol=0, atol=atol)


@compiled
@pytest.mark.parametrize("weather", ["calm", "wind"])
def test_unknown_wind_is_a_wind_more(weather):
    """The last two columns against flights in a profile of one more metre a second, in the shape that is assumed."""
    from tocsin.earth.motion import wind_share

    height = np.arange(0.0, 100e3 + 1, 100.0)
    share = np.array([wind_share(h) for h in height])
    state, beta = start(60, 20, 90e3, 2500, 200, -10), 250.0
    base = WEATHER[weather]
    ours = impact_jacobian(to_ground(state, beta, base, error_m=1e-4, transition=True), base)[0]
    known = wind_of(height) if weather == "wind" else np.zeros((len(height), 2))
    for axis in range(2):
        ends = []
        for blow in (-2.0, 2.0):
            wind = known.copy()
            wind[:, axis] += blow * share
            landing = to_ground(state, beta, STANDARD._replace(wind=wind), error_m=1e-4)
            ends.append(np.append(landing.state[0, :3], landing.time_s[0]))
        slope = (ends[1] - ends[0]) / 4.0
        np.testing.assert_allclose(ours[:3, 7 + axis], slope[:3], rtol=0, atol=2e-3 * np.abs(slope[:3]).max())
        assert ours[3, 7 + axis] == pytest.approx(slope[3], abs=0.01)


@compiled
def test_impact_jacobian_by_differences():
    states, betas = random_flights(6, 8)
    landing = to_ground(states, betas, error_m=1e-3, transition=True)
    ours = impact_jacobian(landing)
    for i in range(len(betas)):

        def fly_on(x, b):
            down = to_ground(x, b, error_m=1e-5)
            return np.append(down.state[0, :3], down.time_s[0])

        exact = differences(fly_on, states[i], betas[i])
        size = np.abs(exact).max(axis=0)
        np.testing.assert_allclose(ours[i, :, :7] / size, exact / size, rtol=0, atol=2e-3)
    assert np.isnan(
        impact_jacobian(to_ground(start(0, 0, 4e5, 7300, 9, 0), 1e3, longest_s=9.0, transition=True))
    ).all()


# the spread of the impact -------------------------------------------------------------------------


def spread_of(sigma_m, sigma_m_s, sigma_ln_beta):
    P = np.diag([sigma_m**2] * 3 + [sigma_m_s**2] * 3 + [sigma_ln_beta**2])
    P[:3, 3:6] = P[3:6, :3] = 0.3 * sigma_m * sigma_m_s * np.eye(3)
    return P


@compiled
def test_covariance_is_that_of_a_hundred_thousand_flights_where_it_says_so():
    count = 100_000
    rng = np.random.default_rng(17)
    state, beta = start(47, 33, 300e3, 3500, 70, -25), 5000.0
    for P, linear in ((spread_of(30.0, 1.0, 0.03), True), (spread_of(300.0, 20.0, 1.0), False)):
        spread = impact_spread(state, beta, P)
        assert spread.near_linear == linear
        draws = rng.multivariate_normal(np.zeros(7), P, count)
        drawn = to_ground(state + draws[:, :6], beta * np.exp(draws[:, 6]), threads=2)
        assert (drawn.status == status.LANDED).all()
        ends = np.column_stack(
            [(drawn.state[:, :3] - spread.position_m) @ spread.axes[:2].T, drawn.time_s - spread.time_s]
        )
        exact = np.cov(ends.T)
        scale = np.sqrt(np.diag(exact))
        miss = np.abs(spread.covariance - exact) / np.outer(scale, scale)
        # 100,000 flights know a variance to 0.45 %: four of these, and what a bend of the limit adds
        assert (miss.max() < 0.02) == linear, miss


def test_a_spread_that_does_not_all_come_down_is_not_linear():
    state = start(-35, 130, 105e3, 7750, 100, -2.0)
    spread = impact_spread(state, 2000.0, spread_of(500.0, 30.0, 0.5))
    assert not spread.near_linear
    with pytest.raises(UsageError, match="does not come down"):
        impact_spread(start(0, 0, 400e3, 7700, 90, 0), 1e4, spread_of(1.0, 1.0, 0.1), longest_s=100.0)
    with pytest.raises(UsageError, match=r"covariance must have the shape \(7, 7\)"):
        impact_spread(state, 2000.0, np.eye(6))


@compiled
def test_a_looser_error_takes_fewer_steps():
    states, betas = random_flights(64, 9)
    steps = [to_ground(states, betas, error_m=e).steps.mean() for e in (10.0, STEP_ERROR_M, 1e-3)]
    assert steps[0] < steps[1] < steps[2]
