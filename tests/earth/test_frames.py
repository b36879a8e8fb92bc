"""Frames and measurements against 50-digit numbers, and there and back."""

import math
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.earth import reference
from tocsin.earth import frames, measurements
from tocsin.earth.ellipsoid import enu_axes, geodetic_to_ecef
from tocsin.errors import UsageError
from tocsin.sensors.models import residual_and_row
from tocsin.units import EARTH_RATE_RAD_S, SEMI_MAJOR_AXIS_M, SEMI_MINOR_AXIS_M

RNG = np.random.default_rng(21)
SIGNS = np.array([(x, y, z) for x in (1.0, -1.0) for y in (1.0, -1.0) for z in (1.0, -1.0)])
ALONG_AXES = np.concatenate([np.eye(3), -np.eye(3)])
# Sites in all eight octants, and on the axes: the poles, and the equator at 0, 90, 180 (antimeridian) and -90
# degrees
SITES = np.concatenate([SIGNS * [3.2e6, 4.1e6, 3.7e6], ALONG_AXES * 6.4e6])
AWAY = np.concatenate([RNG.normal(size=(len(SITES) - 6, 3)) * 2e5, RNG.normal(size=(6, 3)) * 2e7])
VELOCITIES = RNG.normal(size=SITES.shape) * 3e3
STATES = np.concatenate([SITES + AWAY, VELOCITIES], axis=1)
SENSOR_VELOCITIES = RNG.normal(size=SITES.shape) * 300.0
ANGLES = np.linspace(0.0, 6.2, len(SITES))
EACH = range(len(SITES))

ZENITH_SITES = ALONG_AXES * 6.5e6  # float64 draws up exactly here


def exact(values):
    return np.array([float(v) for v in values])


def assert_close_rows(ours, true, relative=1e-12):
    """Each row, its part by position and that by velocity each on their own, relative to its largest element.

    1e-7 is asked for; formulae that are right leave only rounding.
    """
    assert ours.shape == true.shape
    for k in range(0, true.shape[-1], 3):
        part, true_part = ours[:, k : k + 3], true[:, k : k + 3]
        size = np.abs(true_part).max(axis=1, keepdims=True)
        size[size < 1e-25 * np.abs(true).max()] = 0.0  # noise of the difference where the derivative is 0
        assert (np.abs(part - true_part) <= relative * size + 1e-25 * np.abs(true).max()).all(), (
            part,
            true_part,
        )


def by_state(function, state):
    return reference.jacobian(function, state, [1.0] * 3 + [1e-3] * (len(state) - 3))


@pytest.mark.parametrize("i", EACH)
def test_east_north_up(i):
    state, site = STATES[i], SITES[i]
    site_mp = reference.numbers(site)
    true = exact(reference.to_enu(reference.numbers(state), site_mp))
    size = np.linalg.norm(AWAY[i])
    ours = frames.ecef_state_to_enu(state, site)
    np.testing.assert_allclose(ours[:3], true[:3], rtol=0, atol=1e-15 * size)
    np.testing.assert_allclose(ours[3:], true[3:], rtol=0, atol=1e-11)
    np.testing.assert_array_equal(frames.ecef_to_enu(state[:3], site), ours[:3])
    np.testing.assert_allclose(frames.enu_to_ecef(ours[:3], site), state[:3], rtol=0, atol=2e-8)
    np.testing.assert_allclose(frames.enu_state_to_ecef(ours, site), state, rtol=0, atol=2e-8)

    there = frames.ecef_state_to_enu_jacobian(site)
    assert_close_rows(there, by_state(lambda x: reference.to_enu(x, site_mp), state))
    np.testing.assert_array_equal(frames.ecef_to_enu_jacobian(site), there[:3, :3])
    np.testing.assert_array_equal(frames.enu_to_ecef_jacobian(site), there[:3, :3].T)
    np.testing.assert_allclose(there @ frames.enu_state_to_ecef_jacobian(site), np.eye(6), atol=1e-15)


# erfa.era00(2440587.5 + days, part of a day) of pyerfa 2.0.1.5 for these seconds since 1970-01-01, as UT1
ERFA = [
    (0.0, 1.7560450788883983),
    (946684800.0, 1.7447674694463426),
    (946728000.0, 4.894961212823757),
    (1000000000.0, 0.25883702240179574),
    (1700000000.0, 0.4674284442970844),
    (1764104585.25, 0.35773065162291573),
    (-315372345.5, 0.8996946256079781),
    (4102444800.0, 1.7358457372648743),
]


def test_earth_rotation_angle_is_that_of_erfa():
    time_s, angle = np.array(ERFA).T
    np.testing.assert_allclose(frames.earth_rotation_angle(time_s), angle, rtol=0, atol=1e-13)
    # UT1 enters as a shift of the clock
    np.testing.assert_allclose(frames.earth_rotation_angle(time_s - 0.5, 0.5), angle, rtol=0, atol=1e-13)


def test_earth_rotation_angle_of_50_digits():
    """Within the rounding of the 130 turns that the Earth makes beyond one a day until 2128."""
    mp, mpf = reference.mp, reference.mpf
    for time_s in np.append(np.random.default_rng(22).uniform(-1e9, 5e9, 200), np.arange(20) * 43200.0):
        days = mpf(float(time_s)) / 86400 + mpf("2440587.5") - 2451545
        turns = mpf("0.7790572732640") + mpf("1.00273781191135448") * days
        difference = float(
            2 * mp.pi * (turns - mp.floor(turns)) - mpf(float(frames.earth_rotation_angle(time_s)))
        )
        assert math.remainder(difference, 2 * math.pi) == pytest.approx(0.0, abs=2e-13)


def test_rates_of_the_two_angles():
    epoch, later = 1.7e9, 1.7e9 + 3600.0
    assert frames.rotation_angle_since(epoch, epoch) == frames.earth_rotation_angle(epoch)
    gone = frames.rotation_angle_since(later, epoch) - frames.earth_rotation_angle(epoch)
    assert gone == pytest.approx(EARTH_RATE_RAD_S * 3600.0, abs=1e-15)
    # the documented drift: 3 cm at the ground in an hour
    drift = frames.earth_rotation_angle(later) - frames.rotation_angle_since(later, epoch)
    assert drift * SEMI_MAJOR_AXIS_M == pytest.approx(0.034, abs=0.001)


@pytest.mark.parametrize("i", EACH)
def test_inertial(i):
    state, angle = STATES[i], ANGLES[i]
    there = frames.ecef_to_inertial(state, angle)
    true = exact(reference.to_inertial(reference.numbers(state), reference.mpf(float(angle))))
    np.testing.assert_allclose(there[:3], true[:3], rtol=0, atol=3e-8)
    np.testing.assert_allclose(there[3:], true[3:], rtol=0, atol=1e-11)
    back = frames.inertial_to_ecef(there, angle)
    np.testing.assert_allclose(back[:3], state[:3], rtol=0, atol=3e-8)
    np.testing.assert_allclose(back[3:], state[3:], rtol=0, atol=1e-11)
    angle_mp = reference.mpf(float(angle))
    assert_close_rows(
        frames.ecef_to_inertial_jacobian(angle), by_state(lambda x: reference.to_inertial(x, angle_mp), state)
    )
    assert_close_rows(
        frames.inertial_to_ecef_jacobian(angle),
        by_state(lambda x: reference.from_inertial(x, angle_mp), there),
    )


def test_a_velocity_is_how_a_position_moves():
    """Of a body free of forces, straight in the inertial frame, turned back: its velocity is its motion in ECEF."""
    epoch, step = 1.7e9, 10.0
    start = np.array([3e7, -2.4e7, 1.2e7, 1e3, 2e3, -3e3])
    steps = np.arange(-2, 3)
    inertial = np.tile(start, (5, 1))
    inertial[:, :3] += steps[:, None] * step * start[3:]
    angle = frames.rotation_angle_since(epoch + 600.0 + steps * step, epoch)
    ecef = frames.inertial_to_ecef(inertial, angle)
    slope = np.array([1.0, -8.0, 0.0, 8.0, -1.0]) / (12.0 * step) @ ecef[:, :3]  # five-point rule, of order 4
    # rounding of 4e7 m over 10 s; the rate of the Earth rotation angle instead would show as 5e-5 m/s
    np.testing.assert_allclose(slope, ecef[2, 3:], rtol=0, atol=2e-8)


@pytest.mark.parametrize("i", EACH)
def test_looks(i):
    state, site, velocity = STATES[i], SITES[i], SENSOR_VELOCITIES[i]
    site_mp, velocity_mp = reference.numbers(site), reference.numbers(velocity)
    true = exact(reference.look(reference.numbers(state), site_mp, velocity_mp))
    ours = measurements.ecef_to_look(state, site, velocity)
    assert ours[0] == pytest.approx(true[0], rel=1e-15)
    assert 0.0 <= ours[1] < 2.0 * math.pi
    assert math.remainder(ours[1] - true[1], 2.0 * math.pi) == pytest.approx(0.0, abs=2e-15)
    assert ours[2] == pytest.approx(true[2], abs=1e-15)
    assert ours[3] == pytest.approx(true[3], abs=1e-11)
    assert_close_rows(
        measurements.ecef_to_look_jacobian(state, site, velocity),
        by_state(lambda x: reference.look(x, site_mp, velocity_mp), state),
    )

    back = measurements.look_to_ecef(*ours[:3], site)
    np.testing.assert_allclose(back, state[:3], rtol=0, atol=1e-15 * ours[0] + 2e-9)
    jacobian = measurements.look_to_ecef_jacobian(*ours[:3], site)
    true_back = reference.jacobian(lambda m: reference.from_look(m, site_mp), ours[:3], [1.0, 1.0, 1.0])
    assert_close_rows(jacobian, true_back)
    scale = np.array([1.0, ours[0] * math.cos(ours[2]), ours[0]])[:, None]
    there = measurements.ecef_to_look_jacobian(state, site, velocity)[:3, :3]
    np.testing.assert_allclose(scale * there @ jacobian / scale.T, np.eye(3), atol=1e-12)


@pytest.mark.parametrize("site", ZENITH_SITES)
@pytest.mark.parametrize("down", [1.0, -1.0])
def test_the_zenith_is_finite(site, down):
    up = site / np.linalg.norm(site)
    state = np.concatenate([site + down * 1e5 * up, [10.0, 20.0, 30.0]])
    look = measurements.ecef_to_look(state, site)
    np.testing.assert_allclose(
        look, [1e5, 0.0, down * math.pi / 2, down * up @ state[3:]], rtol=1e-15, atol=1e-13
    )
    jacobian = measurements.ecef_to_look_jacobian(state, site)
    np.testing.assert_array_equal(jacobian[1], 0.0)
    # as of an object that nears the zenith on the side of north
    _, north, _ = frames.ecef_to_enu_jacobian(site)
    np.testing.assert_allclose(jacobian[2, :3], -down * north / 1e5, atol=1e-20)
    np.testing.assert_allclose(jacobian[0, :3], down * up, atol=1e-16)
    np.testing.assert_allclose(jacobian[3, 3:], down * up, atol=1e-16)
    np.testing.assert_allclose(jacobian[3, :3], (state[3:] - (up @ state[3:]) * up) / 1e5, atol=1e-18)


@pytest.mark.parametrize("miss_m", [1e-6, 1e-3, 1.0])
def test_next_to_the_zenith(miss_m):
    """Ordinary but for the azimuth, whose row grows as the distance from the zenith shrinks."""
    site = np.array([0.0, 6.5e6, 0.0])
    state = np.array([-miss_m, 6.6e6, 0.0, 1.0, 2.0, 3.0])  # east of it
    site_mp, still = reference.numbers(site), reference.numbers([0.0] * 3)
    look = measurements.ecef_to_look(state, site)
    assert look[1] == pytest.approx(math.pi / 2, abs=1e-15)
    assert look[2] == pytest.approx(math.pi / 2 - miss_m / 1e5, abs=1e-15)
    ours = measurements.ecef_to_look_jacobian(state, site)
    assert_close_rows(ours, by_state(lambda x: reference.look(x, site_mp, still), state), 1e-9)
    assert ours[1, 2] == pytest.approx(-1.0 / miss_m)


def test_an_object_at_the_sensor():
    state = np.array([6.5e6, 1.0, 2.0, 3.0, 4.0, 5.0])
    np.testing.assert_array_equal(measurements.ecef_to_look(state, state[:3]), 0.0)
    np.testing.assert_array_equal(measurements.ecef_to_look_jacobian(state, state[:3]), 0.0)
    np.testing.assert_array_equal(measurements.ecef_to_sky(state[:3], state[:3], 1.0), 0.0)
    np.testing.assert_array_equal(measurements.ecef_to_sky_jacobian(state[:3], state[:3], 1.0), 0.0)


def test_not_a_number_stays_one():
    state = np.full(6, math.nan)
    assert np.isnan(measurements.ecef_to_look(state, SITES[0])).all()
    assert np.isnan(measurements.ecef_to_look_jacobian(state, SITES[0])[:3, :3]).all()
    assert np.isnan(measurements.ecef_to_sky(state[:3], SITES[0], 0.0)).all()


@pytest.mark.parametrize("i", EACH)
def test_sky(i):
    position, site, angle = STATES[i, :3], SITES[i], ANGLES[i]
    site_mp, angle_mp = reference.numbers(site), reference.mpf(float(angle))
    true = exact(reference.sky(reference.numbers(position), site_mp, angle_mp))
    ours = measurements.ecef_to_sky(position, site, angle)
    assert 0.0 <= ours[0] < 2.0 * math.pi
    assert math.remainder(ours[0] - true[0], 2.0 * math.pi) == pytest.approx(0.0, abs=2e-15)
    assert ours[1] == pytest.approx(true[1], abs=1e-15)
    assert_close_rows(
        measurements.ecef_to_sky_jacobian(position, site, angle),
        by_state(lambda x: reference.sky(x, site_mp, angle_mp), position),
    )
    sight = measurements.sky_to_sight(*ours, angle)
    np.testing.assert_allclose(sight, AWAY[i] / np.linalg.norm(AWAY[i]), rtol=0, atol=1e-13)
    true_back = reference.jacobian(lambda a: reference.from_sky(a, angle_mp), ours, [1.0, 1.0])
    np.testing.assert_allclose(
        measurements.sky_to_sight_jacobian(*ours, angle), true_back, rtol=0, atol=1e-14
    )


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_celestial_pole_is_finite(sign):
    site = np.array([4e6, -3e6, 4e6])
    position = site + np.array([0.0, 0.0, sign * 1e6])
    sky = measurements.ecef_to_sky(position, site, 0.0)
    np.testing.assert_allclose(sky, [0.0, sign * math.pi / 2], rtol=1e-15)
    jacobian = measurements.ecef_to_sky_jacobian(position, site, 0.0)
    np.testing.assert_array_equal(jacobian[0], 0.0)
    np.testing.assert_allclose(jacobian[1], [-sign * 1e-6, 0.0, 0.0], atol=1e-20)
    np.testing.assert_allclose(
        measurements.sky_to_sight(2.0, sign * math.pi / 2, 1.0), [0.0, 0.0, sign], atol=1e-16
    )


@pytest.mark.parametrize("i", EACH)
def test_offsets(i):
    """On planes across a sight, nearby or not, as the residuals of the tracker."""
    state, site, angle = STATES[i], SITES[i], ANGLES[i]
    look = measurements.ecef_to_look(state, site)
    sky = measurements.ecef_to_sky(state[:3], site, angle)
    for axes, small in [
        (measurements.look_axes(look[1] - 3e-7, look[2] + 2e-7, site), [3e-7 * math.cos(look[2]), -2e-7]),
        (measurements.sky_axes(sky[0] - 3e-7, sky[1] + 2e-7, angle), [3e-7 * math.cos(sky[1]), -2e-7]),
        (measurements.look_axes(look[1] + 0.6, look[2] - 0.8, site), None),
        (measurements.sky_axes(sky[0] + 2.6, sky[1] - 0.8, angle), None),
    ]:
        ours = measurements.ecef_to_offsets(state[:3], site, axes)
        if small is not None:
            np.testing.assert_allclose(ours, small, rtol=0, atol=2e-12)  # the square of the angles
        look_there = partial(
            reference.offsets, site=reference.numbers(site), axes=[reference.numbers(axis) for axis in axes]
        )
        true = exact(look_there(reference.numbers(state)))
        np.testing.assert_allclose(ours, true, rtol=0, atol=5e-15)
        jacobian = measurements.ecef_to_offsets_jacobian(state[:3], site, axes)
        assert_close_rows(jacobian, by_state(look_there, state[:3]))
        for q in (0, 1):
            row = np.empty(6)
            residual, _ = residual_and_row(q, state, site, axes, np.zeros(2), row)
            if not math.isnan(residual):
                assert residual == pytest.approx(-ours[q], abs=1e-15)
                np.testing.assert_allclose(row[:3], jacobian[q], rtol=1e-13, atol=1e-20)


@pytest.mark.parametrize("site", ZENITH_SITES)
@pytest.mark.parametrize("azimuth", [0.0, 1.0, 4.0])
def test_offsets_are_smooth_at_the_zenith(site, azimuth):
    axes = measurements.look_axes(azimuth, math.pi / 2, site)
    east, north, up = frames.ecef_to_enu_jacobian(site)
    np.testing.assert_allclose(axes[0], up, atol=1e-15)
    position = site + 1e5 * up
    np.testing.assert_allclose(measurements.ecef_to_offsets(position, site, axes), 0.0, atol=1e-15)
    right = math.cos(azimuth) * east - math.sin(azimuth) * north
    above = -math.cos(azimuth) * north - math.sin(azimuth) * east
    jacobian = measurements.ecef_to_offsets_jacobian(position, site, axes)
    np.testing.assert_allclose(jacobian, np.stack([right, above]) / 1e5, atol=1e-19)


def test_offsets_behind_and_beside():
    axes = measurements.look_axes(0.0, 0.0, SITES[-1])
    beside = SITES[-1] + 100.0 * axes[1]
    np.testing.assert_allclose(measurements.ecef_to_offsets(beside, SITES[-1], axes)[0], math.pi / 2)
    behind = SITES[-1] - 100.0 * axes[0]
    np.testing.assert_allclose(np.abs(measurements.ecef_to_offsets(behind, SITES[-1], axes)), math.pi)
    assert np.isfinite(measurements.ecef_to_offsets_jacobian([beside, SITES[-1]], SITES[-1], axes)).all()


def test_a_million_there_and_back():
    """In arrays, and from any site: the poles among them."""
    n = 1_000_000
    rng = np.random.default_rng(23)
    site = geodetic_to_ecef(math.pi / 2, 0.0, 10.0)
    state = np.concatenate([rng.normal(size=(n, 3)) * 2e7, rng.normal(size=(n, 3)) * 5e3], axis=1)
    angle = rng.uniform(0.0, 2.0 * math.pi, n)
    there = frames.ecef_to_inertial(state, angle)
    back = frames.inertial_to_ecef(there, angle) - state
    assert np.abs(back[:, :3]).max() < 2e-7  # of 1e8 m
    assert np.abs(back[:, 3:]).max() < 5e-11  # of 3e4 m/s
    look = measurements.ecef_to_look(state, site)
    back = measurements.look_to_ecef(look[:, 0], look[:, 1], look[:, 2], site) - state[:, :3]
    assert np.abs(back).max() < 2e-7


RANGES = st.floats(1.0, 4e7)
TURNS = st.floats(-math.pi, 3.0 * math.pi)
HEIGHTS = st.floats(-math.pi / 2, math.pi / 2)
SENSORS = st.tuples(HEIGHTS, st.floats(-math.pi, math.pi), st.floats(-10e3, 4e7)).map(
    lambda g: geodetic_to_ecef(*g)
)


@given(RANGES, TURNS, HEIGHTS, SENSORS)
def test_looks_there_and_back(distance, azimuth, elevation, sensor):
    position = measurements.look_to_ecef(distance, azimuth, elevation, sensor)
    look = measurements.ecef_to_look([*position, 0.0, 0.0, 0.0], sensor)
    # positions are rounded to 1e-16 of 9e7 m
    assert look[0] == pytest.approx(distance, abs=5e-8)
    assert look[2] == pytest.approx(elevation, abs=5e-8 / distance)
    turn = math.remainder(look[1] - azimuth, 2.0 * math.pi)
    assert turn * math.cos(elevation) == pytest.approx(0.0, abs=8e-8 / distance)
    assert look[3] == 0.0
    np.testing.assert_allclose(measurements.look_to_ecef(*look[:3], sensor), position, rtol=0, atol=1e-7)


@given(TURNS, HEIGHTS, TURNS)
def test_sky_there_and_back(ascension, declination, angle):
    sight = measurements.sky_to_sight(ascension, declination, angle)
    sky = measurements.ecef_to_sky(sight, np.zeros(3), angle)
    assert sky[1] == pytest.approx(declination, abs=1e-14)
    turn = math.remainder(sky[0] - ascension, 2.0 * math.pi)
    assert turn * math.cos(declination) == pytest.approx(0.0, abs=1e-14)


@given(SENSORS, RANGES, TURNS, HEIGHTS, st.floats(-1e4, 1e4), st.floats(-1e4, 1e4))
def test_states_there_and_back(sensor, distance, azimuth, elevation, vx, vz):
    state = np.array([*measurements.look_to_ecef(distance, azimuth, elevation, sensor), vx, -vz, vz])
    back = frames.enu_state_to_ecef(frames.ecef_state_to_enu(state, sensor), sensor)
    np.testing.assert_allclose(back[:3], state[:3], rtol=0, atol=1e-7)
    np.testing.assert_allclose(back[3:], state[3:], rtol=0, atol=1e-11)
    back = frames.inertial_to_ecef(frames.ecef_to_inertial(state, azimuth), azimuth)
    np.testing.assert_allclose(back[:3], state[:3], rtol=0, atol=1e-7)
    np.testing.assert_allclose(back[3:], state[3:], rtol=0, atol=5e-11)


def test_azimuth_and_right_ascension_stay_below_a_turn():
    site = np.array([SEMI_MAJOR_AXIS_M, 0.0, 0.0])
    state = np.array([SEMI_MAJOR_AXIS_M, -1e-14, 1e5, 0.0, 0.0, 0.0])  # a hair west of north
    assert measurements.ecef_to_look(state, site)[1] == 0.0
    assert measurements.ecef_to_sky([1e5, -1e-14, 0.0], np.zeros(3), 0.0)[0] == 0.0


def test_cardinal_points():
    for site in [SITES[0], np.array([0.0, 0.0, SEMI_MINOR_AXIS_M]), np.array([-SEMI_MAJOR_AXIS_M, 0.0, 0.0])]:
        axes = frames.ecef_to_enu_jacobian(site)
        targets = site + 1e3 * np.array([axes[1], axes[0], -axes[1], -axes[0], axes[2]])
        states = np.concatenate([targets, 3.0 * (targets - site) / 1e3], axis=1)
        look = measurements.ecef_to_look(states, site)
        np.testing.assert_allclose(look[:, 0], 1e3, rtol=0, atol=1e-8)
        np.testing.assert_allclose(np.sin(look[:4, 1]), [0.0, 1.0, 0.0, -1.0], atol=1e-11)
        np.testing.assert_allclose(np.cos(look[:4, 1]), [1.0, 0.0, -1.0, 0.0], atol=1e-11)
        np.testing.assert_allclose(look[:, 2], [0.0, 0.0, 0.0, 0.0, math.pi / 2], atol=1e-11)
        np.testing.assert_allclose(look[:, 3], 3.0, atol=1e-11)  # they go away
    np.testing.assert_allclose(
        frames.ecef_to_enu_jacobian([0.0, 0.0, 7e6]), enu_axes(math.pi / 2, 0.0), atol=1e-16
    )


def test_shapes_broadcast():
    states, site = np.tile(STATES[0], (2, 5, 1)), SITES[0]
    sites = np.tile(site, (5, 1))
    angle = np.zeros((2, 1))
    assert frames.ecef_to_enu(states[..., :3], sites).shape == (2, 5, 3)
    assert frames.enu_to_ecef(np.zeros(3), sites).shape == (5, 3)
    assert frames.ecef_state_to_enu(states[0, 0], sites).shape == (5, 6)
    assert frames.enu_state_to_ecef(states[0, 0], sites).shape == (5, 6)
    assert frames.ecef_state_to_enu_jacobian(sites).shape == (5, 6, 6)
    assert frames.ecef_to_inertial(states[0], angle).shape == (2, 5, 6)
    assert frames.inertial_to_ecef_jacobian(angle).shape == (2, 1, 6, 6)
    assert measurements.ecef_to_look(states[:, :1], sites, np.zeros(3)).shape == (2, 5, 4)
    assert measurements.ecef_to_look(states[0, 0], site, np.zeros((4, 3))).shape == (4, 4)
    assert measurements.ecef_to_look_jacobian(states[0, 0], sites).shape == (5, 4, 6)
    assert measurements.look_to_ecef(1.0, [0.0, 1.0], 0.0, site).shape == (2, 3)
    assert measurements.look_to_ecef_jacobian([[1.0], [2.0]], [0.0, 1.0], 0.0, site).shape == (2, 2, 3, 3)
    assert measurements.ecef_to_sky(states[..., :3], sites, angle).shape == (2, 5, 2)
    assert measurements.ecef_to_sky_jacobian(states[..., :3], site, 0.0).shape == (2, 5, 2, 3)
    assert measurements.sky_to_sight(0.0, [0.0, 1.0], 0.0).shape == (2, 3)
    assert measurements.sky_to_sight_jacobian([0.0, 1.0], 0.0, [[0.0], [1.0]]).shape == (2, 2, 3, 2)
    axes = measurements.look_axes(0.0, [0.0, 1.0], site)
    assert axes.shape == (2, 3, 3)
    assert measurements.ecef_to_offsets(states[:, :1, :3], site, axes).shape == (2, 2, 2)
    assert measurements.ecef_to_offsets_jacobian(states[:, :1, :3], site, axes).shape == (2, 2, 2, 3)
    assert frames.earth_rotation_angle([0.0, 1.0], [[0.0], [0.1]]).shape == (2, 2)
    # one by one as in the array
    np.testing.assert_array_equal(
        measurements.ecef_to_look_jacobian(STATES, SITES)[3],
        measurements.ecef_to_look_jacobian(STATES[3], SITES[3]),
    )


GOOD = {
    "position_m": np.zeros(3),
    "enu_m": np.zeros(3),
    "site_m": np.zeros(3),
    "sensor_m": np.zeros(3),
    "sensor_velocity_m_s": np.zeros(3),
    "state": np.zeros(6),
    "axes": np.eye(3),
}
CALLS = [
    (frames.ecef_to_enu, ["position_m", "site_m"]),
    (frames.ecef_to_enu_jacobian, ["site_m"]),
    (frames.enu_to_ecef, ["enu_m", "site_m"]),
    (frames.enu_to_ecef_jacobian, ["site_m"]),
    (frames.ecef_state_to_enu, ["state", "site_m"]),
    (frames.ecef_state_to_enu_jacobian, ["site_m"]),
    (frames.enu_state_to_ecef, ["state", "site_m"]),
    (frames.enu_state_to_ecef_jacobian, ["site_m"]),
    (frames.earth_rotation_angle, ["time_s", "ut1_minus_utc_s"]),
    (frames.rotation_angle_since, ["time_s", "epoch_s", "ut1_minus_utc_s"]),
    (frames.ecef_to_inertial, ["state", "angle_rad"]),
    (frames.inertial_to_ecef, ["state", "angle_rad"]),
    (measurements.ecef_to_look, ["state", "sensor_m", "sensor_velocity_m_s"]),
    (measurements.ecef_to_look_jacobian, ["state", "sensor_m", "sensor_velocity_m_s"]),
    (measurements.look_to_ecef, ["range_m", "azimuth_rad", "elevation_rad", "sensor_m"]),
    (measurements.look_to_ecef_jacobian, ["range_m", "azimuth_rad", "elevation_rad", "sensor_m"]),
    (measurements.ecef_to_sky, ["position_m", "sensor_m", "angle_rad"]),
    (measurements.ecef_to_sky_jacobian, ["position_m", "sensor_m", "angle_rad"]),
    (measurements.sky_to_sight, ["right_ascension_rad", "declination_rad", "angle_rad"]),
    (measurements.sky_to_sight_jacobian, ["right_ascension_rad", "declination_rad", "angle_rad"]),
    (measurements.look_axes, ["azimuth_rad", "elevation_rad", "sensor_m"]),
    (measurements.sky_axes, ["right_ascension_rad", "declination_rad", "angle_rad"]),
    (measurements.ecef_to_offsets, ["position_m", "sensor_m", "axes"]),
    (measurements.ecef_to_offsets_jacobian, ["position_m", "sensor_m", "axes"]),
]


@pytest.mark.parametrize(("function", "names"), CALLS, ids=[function.__name__ for function, _ in CALLS])
def test_wrong_shapes_are_named(function, names):
    good = {name: GOOD.get(name, 0.0) for name in names}
    function(**good)
    for name in names:
        if name in GOOD:
            with pytest.raises(UsageError, match=rf"{name}: must have the shape \(.*\), not \(2,\)"):
                function(**{**good, name: np.zeros(2)})
    if len(names) > 1:
        two, three = (np.broadcast_to(good[names[k]], (k + 2, *np.shape(good[names[k]]))) for k in (0, 1))
        with pytest.raises(UsageError, match=rf"do not fit together: {names[0]} \(2.*{names[1]} \(3"):
            function(**{**good, names[0]: two, names[1]: three})
