"""Tangent planes: against the geodesic on the ellipsoid, over the antimeridian and the poles."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
import shapely.affinity
from geographiclib.geodesic import Geodesic
from hypothesis import given
from hypothesis import strategies as st

from tocsin.warning.plane import centre_of, draw, filled, from_lonlat, moved, plane_at, to_lonlat

latitudes = st.floats(-90.0, 90.0)
longitudes = st.floats(-180.0, 180.0)


@given(latitudes, longitudes, st.floats(0.0, 360.0), st.floats(1.0, 30_000.0))
def test_lengths_are_those_of_the_geodesic(lat, lon, azimuth, length_m):
    there = Geodesic.WGS84.Direct(lat, lon, azimuth, length_m)
    x, y = draw(plane_at(math.radians(lat), math.radians(lon)), np.array([[there["lon2"], there["lat2"]]]))[0]
    # one scale for both axes: off by half of 0.67 % at the equator, and a little more at 30 km
    assert math.hypot(x, y) == pytest.approx(length_m, rel=4e-3, abs=1e-3)


@pytest.mark.parametrize("lat", [0.0, 48.45, -77.0, 89.9])
def test_areas_are_true(lat):
    plane = plane_at(math.radians(lat), 0.6)
    ring = shapely.Point(0.0, 0.0).buffer(18_000.0, quad_segs=32)
    area_m2 = 0.0
    for part in to_lonlat(plane, ring, decimals=9):
        geodesic = Geodesic.WGS84.Polygon()
        for lon_deg, lat_deg in list(part.exterior.coords)[:-1]:
            geodesic.AddPoint(lat_deg, lon_deg)
        area_m2 += abs(geodesic.Compute()[2])
    assert area_m2 == pytest.approx(ring.area, rel=1e-4)


@given(latitudes, longitudes, st.floats(100.0, 300_000.0), st.integers(3, 40))
def test_there_and_back(lat, lon, radius_m, corners):
    """Polygons in degrees are valid, within bounds, and give the same outline again, wherever they lie."""
    plane = plane_at(math.radians(lat), math.radians(lon))
    angle = np.linspace(0.0, 2.0 * math.pi, corners, endpoint=False)
    polygon = shapely.Polygon(radius_m * np.column_stack([np.cos(angle), 0.6 * np.sin(angle)]))
    parts = to_lonlat(plane, polygon, decimals=9)
    assert 1 <= len(parts) <= 2
    for part in parts:
        west, south, east, north = part.bounds
        assert part.is_valid
        assert not part.interiors
        assert west >= -180.0
        assert east <= 180.0
        assert south >= -90.0
        assert north <= 90.0
        assert east - west <= 180.0 + 1e-9
    again = from_lonlat(plane, parts[0] if len(parts) == 1 else shapely.MultiPolygon(list(parts)))
    assert again.symmetric_difference(polygon).area <= 1e-3 * polygon.area


@given(st.floats(-84.0, 84.0), longitudes, st.floats(1e3, 300e3), st.floats(0.0, 360.0))
def test_edges_drawn_straight_in_degrees_keep_to_the_outline(lat, lon, half_m, turn_deg):
    """Every map draws straight lines between corners, and on none of them is a great circle one."""
    plane = plane_at(math.radians(lat), math.radians(lon))
    box = shapely.box(-half_m, -0.3 * half_m, half_m, 0.3 * half_m)
    outline = shapely.affinity.rotate(box, turn_deg)
    parts = [from_lonlat(plane, part.segmentize(0.01)) for part in to_lonlat(plane, outline, decimals=9)]
    drawn = filled(shapely.union_all([part.buffer(1e-2, quad_segs=1) for part in parts]))
    assert drawn.hausdorff_distance(outline) <= 28.0  # 25 m on a sphere; 26.7 of 4,000 at random


@given(
    st.sampled_from([0.0, -17.0, 60.0, 89.9, 89.98]),
    st.sampled_from([10.0, 179.99]),
    st.lists(st.tuples(st.floats(-1.0, 1.0), st.floats(-1.0, 1.0)), min_size=5, max_size=20),
    st.floats(10.0, 2000.0),
)
def test_what_is_rounded_is_valid_and_stays_so_when_it_is_written(lat, lon, corners, size_m):
    plane = plane_at(math.radians(lat), math.radians(lon))
    hull = shapely.MultiPoint(size_m * np.array(corners)).convex_hull
    if not isinstance(hull, shapely.Polygon) or hull.area < 1.0:
        return
    for part in to_lonlat(plane, hull):
        written = np.array([[float(f"{x:.4f}") for x in corner] for corner in part.exterior.coords])
        assert shapely.Polygon(written).is_valid


def test_antimeridian_cuts_one_outline_in_two():
    plane = plane_at(math.radians(-17.0), math.radians(179.95))
    parts = to_lonlat(plane, shapely.Point(0.0, 0.0).buffer(20_000.0))
    assert sorted(part.bounds[2] for part in parts)[-1] == 180.0
    assert min(part.bounds[0] for part in parts) == -180.0


def test_pole_inside():
    plane = plane_at(math.radians(89.95), 0.3)
    parts = to_lonlat(plane, shapely.Point(0.0, 0.0).buffer(30_000.0))
    assert [part.bounds[3] for part in parts] == [90.0, 90.0]
    # every meridian at 89.9 degrees is inside
    assert all(
        any(part.buffer(1e-6).covers(shapely.Point(lon, 89.9)) for part in parts)
        for lon in range(-179, 180, 7)
    )


def test_straight_edges_stay_straight_in_another_plane():
    here, there = plane_at(0.8, 0.6), plane_at(0.83, 0.63)
    triangle = shapely.Polygon([(0, 0), (200e3, 10e3), (40e3, 150e3)])
    dense = triangle.segmentize(1000.0)
    assert moved(dense, here, there).symmetric_difference(moved(triangle, here, there)).area < 1.0
    assert moved(triangle, here, here) is triangle
    back = moved(moved(triangle, here, there), there, here)
    assert back.symmetric_difference(triangle).area < 1.0


def test_centre_and_holes():
    plane = plane_at(0.1, -3.1)
    assert np.allclose(centre_of(plane, shapely.Point(0.0, 0.0).buffer(10.0)), plane.axes[2])
    ring = shapely.Point(0.0, 0.0).buffer(10.0).difference(shapely.Point(0.0, 0.0).buffer(5.0))
    assert not filled(ring).interiors
    assert filled(shapely.GeometryCollection([ring, shapely.Point(1.0, 1.0)])).area > ring.area
