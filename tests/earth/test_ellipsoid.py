"""Geodetic and ECEF coordinates against PROJ, and there and back."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Transformer

from tocsin.earth.ellipsoid import ecef_to_geodetic, enu_axes, geodetic_to_ecef, height_m, up_and_height
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
    # A micrometre on the ground, and the same in height: far below any use.
    np.testing.assert_allclose(latitude, np.radians(PLACES[:, 0]), rtol=0, atol=2e-13)
    np.testing.assert_allclose(height, PLACES[:, 2], rtol=0, atol=1e-6)
    off_axis = np.abs(PLACES[:, 0]) < 90.0
    turn = longitude[off_axis] - np.radians(PLACES[off_axis, 1])
    # 0.1 mm off the pole, a longitude is known no better than the position: 11 m from the axis here
    np.testing.assert_allclose(np.sin(turn), 0.0, atol=1e-8)
    assert (np.cos(turn) > 0.0).all()


@given(st.floats(-90.0, 90.0), st.floats(-180.0, 180.0), st.floats(-10e3, 40e6))
def test_there_and_back_anywhere(latitude_deg, longitude_deg, height):
    there = geodetic_to_ecef(math.radians(latitude_deg), math.radians(longitude_deg), height)
    back = geodetic_to_ecef(*ecef_to_geodetic(there))
    np.testing.assert_allclose(back, there, rtol=0, atol=2e-6)


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
