"""Geodetic and ECEF coordinates against PROJ and 50-digit numbers, and there and back."""

import math

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Transformer

from tests.earth import reference
from tocsin.earth.ellipsoid import (
    ecef_to_geodetic,
    ecef_to_geodetic_jacobian,
    enu_axes,
    enu_axes_at,
    geodetic_to_ecef,
    geodetic_to_ecef_jacobian,
    height_m,
    up_and_height,
    up_and_height_on,
)
from tocsin.errors import UsageError
from tocsin.units import SEMI_MAJOR_AXIS_M, SEMI_MINOR_AXIS_M

PROJ = Transformer.from_crs(4979, 4978)  # WGS 84 latitude, longitude, height to ECEF

# From 10 km under the ground (the deepest that a state may sink in a step) to beyond geostationary height.
LATITUDES_DEG = [-90.0, -89.9999, -60.0, -1e-7, 0.0, 33.0, 45.0, 89.9, 90.0]
LONGITUDES_DEG = [-180.0, -179.9999, -90.0, 0.0, 17.0, 180.0]
HEIGHTS_M = [-10e3, 0.0, 1e3, 120e3, 2e6, 40e6]
PLACES = np.array([(a, o, h) for a in LATITUDES_DEG for o in LONGITUDES_DEG for h in HEIGHTS_M])


def test_ecef_is_that_of_proj():
    ours = geodetic_to_ecef(np.radians(PLACES[:, 0]), np.radians(PLACES[:, 1]), PLACES[:, 2])
    # 46,000 km have steps of 7e-9 m in float64; a few of them are lost on the way
    np.testing.assert_allclose(ours, np.stack(PROJ.transform(*PLACES.T), -1), rtol=0, atol=5e-8)


def test_there_and_back():
    latitude, longitude, height = ecef_to_geodetic(
        geodetic_to_ecef(np.radians(PLACES[:, 0]), np.radians(PLACES[:, 1]), PLACES[:, 2])
    )
    # the rounding of positions: 7e-9 m at 46,000 km
    np.testing.assert_allclose(latitude, np.radians(PLACES[:, 0]), rtol=0, atol=2e-15)
    np.testing.assert_allclose(height, PLACES[:, 2], rtol=0, atol=5e-8)
    off_axis = np.abs(PLACES[:, 0]) < 90.0
    turn = longitude[off_axis] - np.radians(PLACES[off_axis, 1])
    # 0.1 mm off the pole, a longitude is known no better than the position: 11 m from the axis here
    np.testing.assert_allclose(np.sin(turn), 0.0, atol=1e-8)
    assert (np.cos(turn) > 0.0).all()


@given(st.floats(-90.0, 90.0), st.floats(-180.0, 180.0), st.floats(-10e3, 40e6))
def test_there_and_back_anywhere(latitude_deg, longitude_deg, height):
    there = geodetic_to_ecef(math.radians(latitude_deg), math.radians(longitude_deg), height)
    back = geodetic_to_ecef(*ecef_to_geodetic(there))
    np.testing.assert_allclose(back, there, rtol=0, atol=1e-7)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_on_the_axis(sign):
    sin_lat, cos_lat, sin_lon, cos_lon, height = up_and_height(0.0, 0.0, sign * (SEMI_MINOR_AXIS_M + 500.0))
    assert (sin_lat, cos_lat) == pytest.approx((sign, 0.0), abs=1e-15)
    assert (sin_lon, cos_lon) == (0.0, 1.0)  # a longitude must be chosen: that of Greenwich
    assert height == pytest.approx(500.0, abs=1e-8)


def test_heights_on_the_equator_are_distances():
    assert height_m(SEMI_MAJOR_AXIS_M + 123.0, 0.0, 0.0) == pytest.approx(123.0, abs=1e-8)


def test_shapes_are_kept():
    position = geodetic_to_ecef(np.zeros((2, 3)), 0.5, np.zeros(3))
    assert position.shape == (2, 3, 3)
    assert [v.shape for v in ecef_to_geodetic(position)] == [(2, 3)] * 3
    assert ecef_to_geodetic(position[0, 0])[0].shape == ()


@pytest.mark.parametrize("latitude_deg", [-90.0, -30.0, 0.0, 60.0, 90.0])
def test_axes_are_where_a_small_step_leads(latitude_deg):
    latitude, longitude = math.radians(latitude_deg), 2.7
    axes = enu_axes(latitude, longitude)
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-15)
    np.testing.assert_allclose(np.cross(axes[0], axes[1]), axes[2], atol=1e-15)
    here = geodetic_to_ecef(latitude, longitude, 100.0)
    up = geodetic_to_ecef(latitude, longitude, 101.0) - here
    np.testing.assert_allclose(axes @ up, [0.0, 0.0, 1.0], atol=1e-8)  # float64 at 6.4e6 m
    if abs(latitude_deg) < 90.0:
        east = geodetic_to_ecef(latitude, longitude + 1e-6, 100.0) - here
        north = geodetic_to_ecef(latitude + 1e-6, longitude, 100.0) - here
        np.testing.assert_allclose(axes @ east / np.linalg.norm(east), [1.0, 0.0, 0.0], atol=1e-6)
        np.testing.assert_allclose(axes @ north / np.linalg.norm(north), [0.0, 1.0, 0.0], atol=1e-6)


def reference_places():
    """Places (n, 3) of latitude and longitude (rad) and height (m): all the corners, and any others."""
    rng = np.random.default_rng(11)
    n = 300
    others = np.stack(
        [
            np.pi / 2 - np.arccos(rng.uniform(-1, 1, n)),
            rng.uniform(-np.pi, np.pi, n),
            np.geomspace(1.0, 40.01e6, n) - 10e3,
        ],
        -1,
    )
    return np.concatenate([PLACES * [math.pi / 180, math.pi / 180, 1.0], others])


def test_ecef_is_that_of_50_digits():
    places = reference_places()
    exact = np.array([[float(v) for v in reference.to_ecef(reference.numbers(g))] for g in places])
    error = np.linalg.norm(geodetic_to_ecef(*places.T) - exact, axis=1)
    assert error.max() < 5e-8  # 46,000 km have steps of 7e-9 m in float64; a few of them are lost on the way


def worst_errors(points, a, f):
    """Worst errors in latitude (rad), in longitude along the parallel (rad), and in height (m)."""
    worst = np.zeros(3)
    for x in points:
        exact = reference.to_geodetic(reference.numbers(x), reference.mpf(a), f)
        sin_lat, cos_lat, sin_lon, cos_lon, height = up_and_height_on(*x, a, float(f))
        latitude = reference.mp.atan2(*reference.numbers([sin_lat, cos_lat]))
        longitude = reference.mp.atan2(*reference.numbers([sin_lon, cos_lon]))
        turn = math.remainder(float(longitude - exact[1]), 2 * math.pi)
        error = [float(latitude - exact[0]), turn, float(reference.mpf(height) - exact[2])]
        worst = np.maximum(worst, np.abs(error))
    return worst


@pytest.mark.parametrize(
    ("a", "flattening"),
    [
        (SEMI_MAJOR_AXIS_M, "1/298.257223563"),
        (6371e3, "0"),
        (3396.19e3, "1/169.89444722"),
        (60268e3, "0.09796"),
    ],
    ids=["WGS 84", "a sphere", "Mars", "Saturn"],  # radii and flattenings of the two by IAU (2015)
)
def test_geodetic_is_that_of_50_digits(a, flattening):
    top, _, bottom = flattening.partition("/")
    f = reference.mpf(top) / reference.mpf(bottom or 1)
    places = reference_places()[:: 1 if a == SEMI_MAJOR_AXIS_M else 7]
    points = [[float(v) for v in reference.to_ecef(reference.numbers(g), a, f)] for g in places]
    latitude, longitude, height = worst_errors(points, a, f)
    # To be below 1e-12 rad and a micrometre; what float64 allows is a few of its steps: 2e-16 of a turn,
    # 1e-16 of the distance (46,000 km; 100,000 km over Saturn).
    assert latitude < 5e-16
    assert longitude < 5e-16
    assert height < (1e-7 if a > 1e7 else 3e-8)


def test_angles_and_heights_in_arrays():
    places = reference_places()
    points = geodetic_to_ecef(*places.T)
    latitude, longitude, height = ecef_to_geodetic(points)
    for i in range(0, len(points), 9):
        exact = [float(v) for v in reference.to_geodetic(reference.numbers(points[i]))]
        assert latitude[i] == pytest.approx(exact[0], abs=5e-16)
        assert math.remainder(longitude[i] - exact[1], 2 * math.pi) == pytest.approx(0.0, abs=1e-15)
        assert height[i] == pytest.approx(exact[2], abs=3e-8)


def test_a_million_there_and_back():
    n = 20_000 if numba.config.DISABLE_JIT else 1_000_000
    rng = np.random.default_rng(12)
    latitude, longitude = rng.uniform(-np.pi / 2, np.pi / 2, n), rng.uniform(-np.pi, np.pi, n)
    latitude[::10] = np.copysign(np.pi / 2 - 10.0 ** rng.uniform(-14, -1, n // 10), latitude[::10])
    latitude[1::10] = np.copysign(10.0 ** rng.uniform(-14, -1, n // 10), latitude[1::10])
    longitude[2::10] = np.copysign(np.pi - 10.0 ** rng.uniform(-14, -1, n // 10), longitude[2::10])
    height = rng.uniform(-10e3, 40e6, n)
    height[::3] = rng.uniform(-10e3, 100e3, len(height[::3]))
    position = geodetic_to_ecef(latitude, longitude, height)
    back = ecef_to_geodetic(position)
    # A position is rounded to 1e-16 of 46,000 km, 7e-9 m: of any latitude 1e-15 rad. Of a longitude as much
    # along the parallel: next to the axis float64 positions do not know it better, and no more can be asked.
    np.testing.assert_allclose(back[0], latitude, rtol=0, atol=2e-15)
    turn = np.abs(back[1] - longitude)
    turn = np.minimum(turn, 2 * np.pi - turn)
    assert (turn * np.cos(latitude)).max() < 2e-15
    assert turn[np.cos(latitude) > 0.02].max() < 5e-14  # the same, further than a degree from the axis
    np.testing.assert_allclose(back[2], height, rtol=0, atol=5e-8)
    again = geodetic_to_ecef(*back) - position
    assert np.sqrt((again * again).sum(axis=1).max()) < 1e-7


@pytest.mark.parametrize("f", [0.0, 1 / 298.257223563, 0.1, 0.5])
def test_deep_down_the_nearest_point_is_meant(f):
    a, b = 6378137.0, 6378137.0 * (1.0 - f)
    rng = np.random.default_rng(13)
    places = rng.normal(size=(60, 3))
    places *= (10.0 ** rng.uniform(-3, 7, 60) / np.linalg.norm(places, axis=1))[:, None]
    places[:12, 2] = 0.0
    places[12:15] *= [0.0, 0.0, 1.0]
    parametric = np.linspace(-np.pi / 2, np.pi / 2, 20_001)
    for x, y, z in [*places, (0.0, 0.0, 0.0), (1e-9, 0.0, 0.0), (0.0, 0.0, -1e-9), (1e-300, 1e-300, 0.0)]:
        sin_lat, cos_lat, sin_lon, cos_lon, height = up_and_height_on(x, y, z, a, f)
        assert np.isfinite([sin_lat, cos_lat, sin_lon, cos_lon, height]).all()
        normal = a / math.sqrt(1.0 - f * (2.0 - f) * sin_lat**2)
        p = math.hypot(x, y)
        assert (normal + height) * cos_lat == pytest.approx(p, abs=1e-7)
        assert (normal * (1.0 - f) ** 2 + height) * sin_lat == pytest.approx(z, abs=1e-7)
        distance = np.hypot(p - a * np.cos(parametric), z - b * np.sin(parametric)).min()
        assert abs(height) == pytest.approx(distance, abs=0.5)  # steps of 1 km at most miss by (500 m)2 / 2a
        assert (height < 0.0) == (math.hypot(p / a, z / b) < 1.0)


def test_the_plane_of_the_equator_near_the_centre_looks_north():
    assert up_and_height(1000.0, 0.0, 0.0)[0] > 0.999
    assert up_and_height(0.0, 0.0, 0.0) == pytest.approx((1.0, 0.0, 0.0, 1.0, -SEMI_MINOR_AXIS_M))


def test_not_a_number_stays_one():
    assert np.isnan(up_and_height(math.nan, 0.0, 0.0)).all()
    assert np.isnan(ecef_to_geodetic([0.0, math.nan, 1e6])).all()
    sin_lat, cos_lat, _, _, height = up_and_height(0.0, 0.0, math.nan)
    assert np.isnan([sin_lat, cos_lat, height]).all()


OCTANTS = [
    np.array([sx * 3.1e6, sy * 4.4e6, sz * 4.2e6]) for sx in (1, -1) for sy in (1, -1) for sz in (1, -1)
]
AXES = [np.array([s * 6.6e6 * (i == k) for i in range(3)]) for k in range(3) for s in (1, -1)]
ELSEWHERE = [
    np.array(v) for v in [(42e6, -1e6, 10.0), (-6.3e6, -1e-3, 3e5), (1e-3, 0.02, -6.37e6), (10.0, -3.0, 46e6)]
]


@pytest.mark.parametrize("position", OCTANTS + AXES[:4] + ELSEWHERE)
def test_derivatives_are_those_of_50_digits(position):
    there = ecef_to_geodetic_jacobian(position)
    exact = reference.jacobian(reference.to_geodetic, position, [1e-6] * 3)
    # 1e-7 is asked for
    np.testing.assert_array_less(np.abs(there - exact).max(axis=1), 1e-12 * np.abs(exact).max(axis=1))
    place = [float(v) for v in ecef_to_geodetic(position)]
    back = geodetic_to_ecef_jacobian(*place)
    exact = reference.jacobian(reference.to_ecef, place, [1.0, 1.0, 1.0])
    np.testing.assert_array_less(np.abs(back - exact).max(axis=1), 1e-12 * np.abs(exact).max(axis=1) + 1e-30)
    scale = np.array([1e7, np.hypot(*position[:2]), 1.0])  # rad to m
    np.testing.assert_allclose((there @ back) * scale[:, None] / scale, np.eye(3), atol=1e-12)


@pytest.mark.parametrize("position", AXES[4:])
def test_derivatives_on_the_axis(position):
    there = ecef_to_geodetic_jacobian(position)
    back = geodetic_to_ecef_jacobian(*ecef_to_geodetic(position))
    # latitude and height are those along the meridian of Greenwich; a longitude has no derivative
    np.testing.assert_allclose(there[[0, 2]] @ back[:, [0, 2]], np.eye(2), atol=1e-8)
    np.testing.assert_array_equal(there[1], 0.0)


def test_derivatives_in_arrays_and_at_the_centre():
    positions = np.array(OCTANTS).reshape(2, 4, 3)
    assert ecef_to_geodetic_jacobian(positions).shape == (2, 4, 3, 3)
    np.testing.assert_array_equal(
        ecef_to_geodetic_jacobian(positions)[1, 2], ecef_to_geodetic_jacobian(positions[1, 2])
    )
    assert geodetic_to_ecef_jacobian(0.1, [0.2, 0.3], [[0.0], [1.0]]).shape == (2, 2, 3, 3)
    assert np.isfinite(ecef_to_geodetic_jacobian([0.0, 0.0, 0.0])).all()


@pytest.mark.parametrize("position", OCTANTS + AXES + ELSEWHERE)
def test_axes_at_a_position(position):
    latitude, longitude, _ = ecef_to_geodetic(position)
    np.testing.assert_allclose(enu_axes_at(position), enu_axes(latitude, longitude), atol=1e-15)


def test_wrong_shapes_are_named():
    with pytest.raises(UsageError, match=r"position_m: must have the shape \(\.\.\., 3\), not \(2,\)"):
        ecef_to_geodetic([1.0, 2.0])
    with pytest.raises(UsageError, match=r"position_m: .* not \(\)"):
        ecef_to_geodetic_jacobian(1.0)
    with pytest.raises(UsageError, match=r"position_m: .* not \(3, 1\)"):
        enu_axes_at(np.zeros((3, 1)))
    for function in (geodetic_to_ecef, geodetic_to_ecef_jacobian):
        with pytest.raises(UsageError, match=r"latitude_rad \(2,\), longitude_rad \(3,\), height_m \(\)"):
            function(np.zeros(2), np.zeros(3), 0.0)
    with pytest.raises(UsageError, match=r"latitude_rad \(2,\), longitude_rad \(3,\)"):
        enu_axes(np.zeros(2), np.zeros(3))
