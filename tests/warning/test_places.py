"""Who lives under an area: against a search of all places, and over the antimeridian and the poles."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from geographiclib.geodesic import Geodesic

from tests.warning.synthetic import ellipse
from tocsin.errors import DataError
from tocsin.formats.gazetteer import read_gazetteer
from tocsin.warning.alert import Footprint
from tocsin.warning.places import places_in, surroundings


def footprints(area) -> tuple[Footprint, ...]:
    return tuple(
        Footprint(part, ("1",), 0.0, 0.0, (), 0)
        for part in (area.geoms if hasattr(area, "geoms") else (area,))
    )


def test_dnipro(gazetteer):
    places, population = places_in(ellipse(48.45, 35.05, 900.0, ratio=1.0), gazetteer)
    assert places[0].name == "Dnipro"
    assert dict(places[0].names)["uk"] == "Дніпро"
    assert places[0].country == "UA"
    # the districts of the city are places, too, but their people are not counted twice
    assert len(places) > 5
    assert places[0].population <= population < 1.15 * places[0].population
    assert [place.population for place in places] == sorted(
        (place.population for place in places), reverse=True
    )


@pytest.mark.parametrize(
    ("lat", "lon"), [(48.45, 35.05), (35.7, 139.7), (-17.0, 179.9), (71.3, -156.8), (51.5, 0.0)]
)
def test_against_a_search_of_all_places(gazetteer, lat, lon):
    area = ellipse(lat, lon, 3000.0)
    inside = shapely.contains_xy(area, gazetteer.longitude_deg, gazetteer.latitude_deg)
    expected = {(gazetteer.name[row], gazetteer.latitude_deg[row]) for row in np.flatnonzero(inside)}
    around = surroundings(footprints(area), gazetteer)
    assert {(place.name, place.latitude_deg) for place in around.places} == expected
    assert (around.near is None) == bool(expected)


@pytest.mark.parametrize(
    ("lat", "lon"), [(89.9, 12.0), (-89.9, 0.0), (0.0, -150.0), (-40.0, 180.0), (47.6, 35.9)]
)
def test_nearest_place_and_its_direction(gazetteer, lat, lon):
    """Distance within 1 %, direction within half an octant of the geodesic's."""
    area = ellipse(lat, lon, 4.0)
    near = surroundings(footprints(area), gazetteer).near
    assert near is not None
    line = Geodesic.WGS84.Inverse(near.place.latitude_deg, near.place.longitude_deg, lat, lon)
    assert near.distance_km == pytest.approx(line["s12"] / 1000.0, rel=0.01)
    assert abs((near.octant * 45.0 - line["azi1"] + 180.0) % 360.0 - 180.0) <= 24.0
    rows = np.random.default_rng(1).choice(len(gazetteer.name), 300, replace=False)
    others = [
        Geodesic.WGS84.Inverse(gazetteer.latitude_deg[row], gazetteer.longitude_deg[row], lat, lon)["s12"]
        for row in rows
    ]
    assert near.distance_km * 1000.0 <= 1.01 * min(others)


def test_no_footprints_no_place(gazetteer):
    assert surroundings((), gazetteer) == ((), 0, None)


def test_a_file_that_is_no_gazetteer():
    with pytest.raises(DataError, match="cannot be read as Parquet"):
        read_gazetteer(b"PAR1 but not really PAR1")
