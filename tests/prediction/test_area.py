"""Areas: what they hold, how large they are, and where the map has its seams."""

import math

import numpy as np
import pytest
from geographiclib.geodesic import Geodesic
from pyproj import Geod
from shapely import contains_xy
from shapely.geometry import Point, Polygon

from tocsin.prediction.area import place, polygons, rings
from tocsin.prediction.region import outlines

GEOD = Geod(ellps="WGS84")
WIDE = np.array([[9e6, 4e6], [4e6, 6e6]])  # sigmas of some km


def areas(latitude_deg, longitude_deg, weight, offset_m, covariance, shares):
    """Areas of a sum of normal distributions about a place, and their sizes in km2."""
    latitude, longitude = math.radians(latitude_deg), math.radians(longitude_deg)
    corners, parts, sizes = outlines(weight, offset_m, covariance, np.array(shares))
    return polygons(latitude, longitude, corners, parts, len(shares)), sizes / 1e6


def one(latitude_deg, longitude_deg, covariance=WIDE, probability=0.99):
    """The area of one normal distribution about a place."""
    (area,), (size,) = areas(
        latitude_deg, longitude_deg, np.ones(1), np.zeros((1, 2)), covariance[None], [probability]
    )
    return area, size


@pytest.mark.parametrize("latitude_deg", [0.0, 48.5, -75.0])
@pytest.mark.parametrize("azimuth_deg", [0.0, 45.0, 90.0, 200.0])
@pytest.mark.parametrize("distance_m", [1.0, 20e3, 300e3])
def test_place_against_geographiclib(latitude_deg, azimuth_deg, distance_m):
    azimuth = math.radians(azimuth_deg)
    offset = distance_m * np.array([[math.sin(azimuth), math.cos(azimuth)]])
    latitude, longitude = place(math.radians(latitude_deg), math.radians(30.0), offset)
    line = Geodesic.WGS84.Inverse(latitude_deg, 30.0, math.degrees(latitude[0]), math.degrees(longitude[0]))
    # the sphere of the local radius is not the ellipsoid: up to 0.7 % in distance and 0.2 degrees at the equator
    assert line["s12"] == pytest.approx(distance_m, rel=7e-3)
    turn = (line["azi1"] - azimuth_deg + 180.0) % 360.0 - 180.0
    assert abs(turn) < 0.3


@pytest.mark.parametrize("probability", [0.5, 0.9, 0.99])
def test_one_ellipse_holds_its_share_and_keeps_its_area(probability):
    area, area_km2 = one(48.0, 35.0, probability=probability)
    exact = -2.0 * math.log(1.0 - probability) * math.pi * math.sqrt(np.linalg.det(WIDE)) / 1e6
    assert area_km2 == pytest.approx(exact, rel=0.03)
    # no region that holds as much is smaller, but for the grid
    on_earth = abs(GEOD.geometry_area_perimeter(area)[0]) / 1e6
    assert on_earth == pytest.approx(exact, rel=0.04)  # the sphere of the local radius
    draws = np.random.default_rng(1).multivariate_normal(np.zeros(2), WIDE, 40_000)
    lon, lat, _ = GEOD.fwd(
        np.full(len(draws), 35.0),
        np.full(len(draws), 48.0),
        np.degrees(np.arctan2(*draws.T)),
        np.hypot(*draws.T),
    )
    share = contains_xy(area, lon, lat).mean()
    assert share == pytest.approx(
        probability, abs=4 * math.sqrt(probability * (1 - probability) / 40_000) + 5e-3
    )


@pytest.mark.parametrize("latitude_deg", [0.0, 50.0, -75.0, 88.0])
@pytest.mark.parametrize("angle_deg", [0.0, 45.0, 90.0])
def test_long_thin_areas_keep_their_size_on_the_map(latitude_deg, angle_deg):
    # 1,000 km to 2 km: sides that are straight over longitude and latitude would lie beside it
    c, s = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
    turn = np.array([[c, -s], [s, c]])
    area, area_km2 = one(latitude_deg, 30.0, turn @ np.diag([165e3**2, 330.0**2]) @ turn.T)
    assert area.is_valid
    check(area, area_km2)


def test_no_area_is_thinner_than_a_metre():
    area, _ = one(10.0, 10.0, np.diag([1e6, 0.0]))
    assert area.is_valid
    assert area.area > 0.0


@pytest.mark.parametrize("latitude_deg", [0.0, 60.0, -80.0, 89.5])
@pytest.mark.parametrize("azimuth_deg", [0.0, 50.0, 90.0])
def test_a_long_thin_area_stays_on_its_line(latitude_deg, azimuth_deg):
    """A re-entry from orbit may come down anywhere along a thousand km, and 2 km to each side of that."""
    along = np.array([math.sin(math.radians(azimuth_deg)), math.cos(math.radians(azimuth_deg))])
    across = np.array([-along[1], along[0]])
    covariance = 400e3**2 * np.outer(along, along) + 2e3**2 * np.outer(across, across)
    area, _ = one(latitude_deg, 20.0, covariance)
    assert area.is_valid
    far = np.linspace(-900e3, 900e3, 181)
    for side, share in ((0.0, 1.0), (4e3, 0.6), (9e3, 0.0)):
        points = far[:, None] * along + side * across
        latitude, longitude = place(math.radians(latitude_deg), math.radians(20.0), points)
        assert contains_xy(area, np.degrees(longitude), np.degrees(latitude)).mean() >= share
    assert not contains_xy(area, np.degrees(longitude), np.degrees(latitude)).any()


@pytest.mark.parametrize("longitude_deg", [180.0, -180.0, 179.99, -179.95])
@pytest.mark.parametrize("latitude_deg", [0.0, -65.0, 88.0])
def test_areas_at_the_antimeridian(latitude_deg, longitude_deg):
    area, area_km2 = one(latitude_deg, longitude_deg)
    check(area, area_km2)
    assert area.geom_type == "MultiPolygon"
    assert covers(area, latitude_deg, longitude_deg)


@pytest.mark.parametrize("latitude_deg", [90.0, -90.0, 89.98, -89.98])
@pytest.mark.parametrize("longitude_deg", [0.0, 135.0, -179.9])
def test_areas_round_a_pole(latitude_deg, longitude_deg):
    area, area_km2 = one(latitude_deg, longitude_deg)
    check(area, area_km2)
    pole = math.copysign(90.0, latitude_deg)
    for longitude in (-179.0, -60.0, 0.0, 100.0, 179.0):
        assert area.covers(Point(longitude, pole))
        assert covers(area, pole - math.copysign(0.02, pole), longitude)
    assert not covers(area, pole - math.copysign(0.5, pole), 10.0)


def check(area, area_km2):
    """Valid, within the map, and as large as it says (by an equal-area count)."""
    assert area.is_valid
    west, south, east, north = area.bounds
    assert -180.0 <= west < east <= 180.0
    assert -90.0 <= south < north <= 90.0
    parts = getattr(area, "geoms", [area])
    # area on a sphere from the rings themselves: integral of sin(latitude) over longitude
    total = 0.0
    for part in parts:
        lon, lat = np.radians(np.asarray(part.exterior.segmentize(0.05).coords)).T
        total += abs(np.sum(np.diff(lon) * np.sin(0.5 * (lat[1:] + lat[:-1])))) * 6371.0**2
    assert total == pytest.approx(area_km2, rel=0.03)


def covers(area, latitude_deg, longitude_deg):
    return any(area.covers(Point(longitude_deg + turn, latitude_deg)) for turn in (-360.0, 0.0, 360.0))


@pytest.mark.parametrize("latitude_deg", [0.0, 52.0, -79.0, 84.0])
def test_corners_that_are_spared_would_change_nothing(latitude_deg):
    """Sides that surely are straight are not looked at; the outline stays as near to the line of the plane."""
    covariance = np.array([[150e3**2, 0.0], [0.0, 400.0**2]])
    corners, parts, _ = outlines(np.ones(1), np.zeros((1, 2)), covariance[None], np.array([0.99]))
    latitude, longitude = math.radians(latitude_deg), math.radians(20.0)
    drawn_deg, told = rings(latitude, longitude, corners, parts)
    assert told.tolist() == [[0, len(drawn_deg), 1]]
    share = np.linspace(0.0, 1.0, 21)[:, None]
    line = Polygon(drawn_deg).exterior
    cos_lat = math.cos(latitude)
    for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        lat, lon = place(latitude, longitude, a + share * (b - a))
        off_deg = max(line.distance(Point(p)) for p in np.degrees(np.column_stack([lon, lat])))
        assert off_deg * 111e3 * max(cos_lat, 0.1) < 60.0  # 2 % of a mean width of about 2 km, and a little
