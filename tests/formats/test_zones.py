"""Files of zones: what is read, in which reference system, and what is refused with which words."""

from __future__ import annotations

import contextlib
import copy
import json
import math
from typing import Any

import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import mapping

from tocsin.errors import DataError, RefusedError
from tocsin.formats.zones import read_zones
from tocsin.warning.zones import touched

SQUARE = [[35.0, 48.0], [35.5, 48.0], [35.5, 48.5], [35.0, 48.5], [35.0, 48.0]]


def feature(code: Any = "A", geometry: Any = None, **properties: Any) -> dict[str, Any]:
    return {
        "type": "Feature",
        "properties": {"code": code, **properties},
        "geometry": geometry or {"type": "Polygon", "coordinates": [SQUARE]},
    }


def collection(*features: Any, **members: Any) -> dict[str, Any]:
    return {"type": "FeatureCollection", "version": "2026-10", **members, "features": list(features)}


def crs(name: str) -> dict[str, Any]:
    return {"type": "name", "properties": {"name": name}}


@pytest.fixture
def read(tmp_path):
    def write_and_read(document: Any, given: str | None = None):
        path = tmp_path / "z.geojson"
        path.write_text(
            document if isinstance(document, str) else json.dumps(document, ensure_ascii=False),
            encoding="utf-8",
        )
        return read_zones(path, given)

    return write_and_read


def problems(read, document, given=None) -> list[str]:
    with pytest.raises(RefusedError) as caught:
        read(document, given)
    return [line.partition("z.geojson: ")[2] for line in str(caught.value).splitlines()]


def test_all_that_a_file_can_say(read):
    holed = [[[36.0, 48.0], [37.0, 48.0], [37.0, 49.0], [36.0, 49.0], [36.0, 48.0]],
             [[36.4, 48.4], [36.4, 48.6], [36.6, 48.6], [36.6, 48.4], [36.4, 48.4]]]  # fmt: skip
    zones = read(
        collection(
            feature(
                "UA12-05",
                name="Dnipro",
                **{"name:uk": "Дніпро", "name:zh-Hant": "x"},
                aliases=["DNI", "old name"],
                shelter_s=90,
                more={"a": 1},
            ),
            feature(
                "B",
                {"type": "MultiPolygon", "coordinates": [holed, [SQUARE]]},
                name=None,
                aliases=None,
                shelter_s=None,
            ),
            feature(
                "Ж-1",
                {"type": "Polygon", "coordinates": [[[*point, 120.5] for point in SQUARE]]},
                shelter_s=0,
            ),
            geocode_name="UA-KATOTTH",
            note="other members are ignored",
        )
    )
    assert zones.version == "2026-10"
    assert zones.geocode_name == "UA-KATOTTH"
    assert zones.codes == ("UA12-05", "B", "Ж-1")
    assert zones.names == ((("", "Dnipro"), ("uk", "Дніпро"), ("zh-Hant", "x")), (), ())
    assert zones.aliases == {"DNI": 0, "old name": 0}
    assert np.array_equal(zones.shelter_s, [90.0, math.nan, 0.0], equal_nan=True)
    assert zones.shapes[1].equals(shapely.MultiPolygon([(holed[0], holed[1:]), (SQUARE, [])]))
    assert zones.shapes[2].equals(shapely.Polygon(SQUARE))
    assert not shapely.has_z(zones.shapes).any()


def test_the_name_of_the_code_without_one(read):
    assert read(collection(feature())).geocode_name == "tocsin:zone"
    assert read("\ufeff" + json.dumps(collection(feature()))).codes == ("A",)


# places of known coordinates in national grids, in metres or feet, by pyproj alone: x, y -> lon, lat
@pytest.mark.parametrize("code", [5564, 2180, 25832, 27700, 31467, 3857, 2154, 2229, 6646, 28356])
@pytest.mark.parametrize(
    "form", ["EPSG:{}", "urn:ogc:def:crs:EPSG::{}", "http://www.opengis.net/def/crs/EPSG/0/{}"]
)
def test_any_crs_by_its_code(read, code, form):
    system = pyproj.CRS.from_epsg(code)
    use = system.area_of_use
    lon, lat = 0.5 * (use.west + use.east), max(-60.0, min(60.0, 0.5 * (use.south + use.north)))
    there = pyproj.Transformer.from_crs("OGC:CRS84", system, always_xy=True)
    back = pyproj.Transformer.from_crs(system, "OGC:CRS84", always_xy=True)
    x, y = there.transform(lon, lat)
    square = shapely.box(x, y, x + 20_000.0, y + 20_000.0)
    document = collection(feature("A", mapping(square)))
    name = form.format(code)
    for zones in (
        read({**document, "crs": crs(name)}),
        read(document, name),
        read({**document, "crs": crs(name)}, f"EPSG:{code}"),
    ):
        corners = shapely.get_coordinates(zones.shapes[0])
        wanted = np.column_stack(back.transform(*shapely.get_coordinates(square).T))
        for corner in wanted:
            assert np.abs(corners - corner).max(axis=1).min() < 1e-9
        assert zones.area_km2[0] == pytest.approx(
            pyproj.Geod(ellps="WGS84").geometry_area_perimeter(zones.shapes[0].normalize())[0] / -1e6,
            rel=0.01,
        )


def test_degrees_of_another_datum(read):
    """DHDN (EPSG:4314) lies some 100 m from WGS 84; its order is longitude, latitude in a file all the same."""
    square = shapely.box(9.0, 50.0, 9.2, 50.2)
    moved = read(collection(feature("A", mapping(square)), crs=crs("EPSG:4314"))).shapes[0]
    shift_deg = np.abs(np.array(moved.bounds) - np.array(square.bounds))
    assert (shift_deg > 1e-4).any()
    assert (shift_deg < 3e-3).all()


@pytest.mark.parametrize(
    "name", ["urn:ogc:def:crs:OGC:1.3:CRS84", "OGC:CRS84", "EPSG:4326", "urn:ogc:def:crs:EPSG::4326"]
)
def test_wgs84_under_its_other_names(read, name):
    assert read(collection(feature(), crs=crs(name))).shapes[0].equals(shapely.Polygon(SQUARE))


def test_long_edges_of_a_projection_stay_where_they_are(read):
    """An edge of 400 km across UTM zone 36: no point of it is further than 3 m from the border of the zone."""
    square = shapely.box(300_000.0, 5_300_000.0, 700_000.0, 5_400_000.0)
    zone = read(collection(feature("A", mapping(square))), "EPSG:32636").shapes[0]
    back = pyproj.Transformer.from_crs("OGC:CRS84", "EPSG:32636", always_xy=True)
    dense = shapely.segmentize(zone.exterior, 0.001)
    border = shapely.linestrings(np.column_stack(back.transform(*shapely.get_coordinates(dense).T)))
    assert shapely.hausdorff_distance(border, square.exterior, densify=0.01) < 3.0


def test_the_antimeridian(read):
    """Cut as RFC 7946 says it stays as it is; uncut in a projection it is cut here; one edge across is refused."""
    halves = [shapely.box(179.0, -18.0, 180.0, -16.0), shapely.box(-180.0, -18.0, -179.0, -16.0)]
    cut = read(collection(feature("A", mapping(shapely.MultiPolygon(halves)))))
    assert touched([shapely.box(-179.9, -17.1, -179.8, -17.0)], cut) == ("A",)
    assert touched([shapely.box(179.8, -17.1, 179.9, -17.0)], cut) == ("A",)
    # Fiji's grid, EPSG:3460, on either side of 180 degrees
    there = pyproj.Transformer.from_crs("OGC:CRS84", "EPSG:3460", always_xy=True)
    corners = np.column_stack(there.transform([179.5, -179.5, -179.5, 179.5], [-18.0, -18.0, -17.0, -17.0]))
    zones = read(collection(feature("A", mapping(shapely.Polygon(corners)))), "EPSG:3460")
    shape = zones.shapes[0]
    assert shape.is_valid
    assert len(shape.geoms) == 2
    (west, *_), (*_, east, _) = sorted(part.bounds for part in shape.geoms)
    assert (west, east) == (-180.0, 180.0)
    assert zones.area_km2[0] == pytest.approx(106.0 * 110.7, rel=0.01)
    across = [[179.0, -18.0], [-179.0, -18.0], [-179.0, -16.0], [179.0, -16.0], [179.0, -18.0]]
    assert problems(read, collection(feature("A", {"type": "Polygon", "coordinates": [across]}))) == [
        "features[0] (A).geometry.coordinates[0] goes from longitude 179 to -179 in one edge: cut the zone at the "
        "antimeridian in two (RFC 7946, 3.1.9), or set a position between if the long way is meant"
    ]
    # a band round the whole Earth, and the cap that it encloses, are no such edge
    cap = [[-180.0, 80.0], [180.0, 80.0], [180.0, 90.0], [-180.0, 90.0], [-180.0, 80.0]]
    assert read(collection(feature("A", {"type": "Polygon", "coordinates": [cap]}))).codes == ("A",)


def test_a_pole_inside_a_projection_must_be_cut(read):
    square = shapely.box(-500_000.0, -500_000.0, 500_000.0, 500_000.0)
    (problem,) = problems(read, collection(feature("A", mapping(square))), "EPSG:3413")
    assert "go round a pole" in problem


GEOMETRIES = {
    "bow": [[0, 0], [2, 2], [2, 0], [0, 2], [0, 0]],
    "open": [[0, 0], [2, 0], [2, 2], [0, 2]],
    "short": [[0, 0], [2, 0], [0, 0]],
    "far": [[0, 0], [500000, 0], [500000, 5400000], [0, 0]],
    "south": [[0, 0], [2, 0], [2, -91], [0, 0]],
    "flat": [[0, 0], [1, 0], [2, 0], [0, 0]],
    "text": [[0, 0], ["a", 0], [2, 0], [0, 0]],
    "nan": [[0, 0], [1, math.nan], [1, 1], [0, 0]],
    "lone": [[0], [1], [2], [0]],
}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"code": None}, ".properties.code is null, must be text of 1 to 100 printable characters"),
        ({"code": 5}, ".properties.code is 5, must be text"),
        ({"code": "a b"}, '.properties.code is "a b", must be without blanks, comma, < and &'),
        ({"code": "a<b"}, '.properties.code is "a<b", must be without'),
        ({"code": "x" * 101}, "must be text of 1 to 100 printable characters"),
        ({"code": "a\u0000b"}, "must be text of 1 to 100 printable characters"),
        ({"name": ""}, '(A).properties.name is "", must be text of 1 to 200'),
        ({"name:uk": 7}, "(A).properties.name:uk is 7, must be text"),
        ({"aliases": "B"}, '(A).properties.aliases is "B", must be a list of codes or names'),
        ({"aliases": ["B", 3]}, "(A).properties.aliases[1] is 3, must be text"),
        ({"alias": ["B"]}, "(A).properties.alias is not known; aliases may be meant"),
        ({"shelter": 5}, "(A).properties.shelter is not known; shelter_s may be meant"),
        ({"shelter_s": -1}, "(A).properties.shelter_s is -1, must be a number of seconds from 0 to 3600"),
        ({"shelter_s": 3601}, "(A).properties.shelter_s is 3601, must be"),
        ({"shelter_s": "90"}, '(A).properties.shelter_s is "90", must be'),
        ({"shelter_s": True}, "(A).properties.shelter_s is true, must be"),
    ],
)  # fmt: skip
def test_each_property_is_checked(read, change, problem):
    (found,) = problems(read, collection(feature(**{"code": "A", **change})))
    assert found.startswith("features[0]")
    assert problem in found


@pytest.mark.parametrize(
    ("geometry", "problem"),
    [
        ("bow", ".geometry is not valid: self-intersection at [1, 1]"),
        ("open", ".geometry.coordinates[0] is not closed: it ends at [0, 2], not at [0, 0]"),
        ("short", ".geometry.coordinates[0] has 3 positions, must have at least 4"),
        ("far", ".geometry.coordinates[0][1] has longitude 500000, beyond 180 degrees: cut the zone"),
        ("south", ".geometry.coordinates[0][2] has latitude -91, beyond 90 degrees"),
        ("flat", ".geometry is not valid: "),
        ("text", ".geometry.coordinates[0] must be a list of positions [east, north] in numbers"),
        ("lone", ".geometry.coordinates[0] must be a list of positions"),
        ({"type": "Point", "coordinates": [0, 0]}, ".geometry.type is 'Point', must be Polygon or MultiPolygon"),
        ({"type": "Polygon", "coordinates": []}, ".geometry.coordinates are empty: a zone must have an area"),
        ({"type": "MultiPolygon", "coordinates": [[]]}, ".geometry.coordinates[0] are empty"),
        ({"type": "MultiPolygon", "coordinates": [[SQUARE], [SQUARE]]}, ".geometry is not valid: "),
        ("nan", ".geometry.coordinates[0][1] is not finite"),
        (None, ".geometry is empty: a zone must have an area"),
    ],
)  # fmt: skip
def test_each_geometry_is_checked_and_none_repaired(read, geometry, problem):
    ring = GEOMETRIES.get(geometry) if isinstance(geometry, str) else None
    one = feature("A")
    one["geometry"] = {"type": "Polygon", "coordinates": [ring]} if ring else geometry
    (found,) = problems(read, collection(one))
    assert found.startswith(f"features[0] (A){problem}")


@pytest.mark.parametrize(
    ("members", "given", "problem"),
    [
        ({"version": None}, None, "version is null, must be text"),
        ({"version": 3}, None, "version is 3, must be text"),
        ({"geocode_name": "GeoNames-ADM1"}, None, "geocode_name is 'GeoNames-ADM1', which stands for GeoNames' units"),
        ({"geocode_name": "my zone"}, None, 'geocode_name is "my zone", must be without blanks'),
        ({"crs": "EPSG:5564"}, None, "crs must be as {"),
        ({"crs": crs("EPSG:99999999")}, None, "CRS 'EPSG:99999999' is not known"),
        ({"crs": crs("here be dragons")}, None, "CRS 'here be dragons' must be a code such as EPSG:5564"),
        ({}, "EPSG:5773", "CRS EPSG:5773 (EGM96 height) is neither geographic nor projected in a plane"),
        ({"crs": crs("EPSG:2180")}, "EPSG:5564", "crs names EPSG:2180, the call names EPSG:5564: they must"),
        ({"features": []}, None, "has no zones; features is empty"),
        ({"features": ["x"]}, None, 'features[0] must be a Feature, not "x"'),
        ({"features": [feature() | {"properties": None}]}, None, "features[0].properties must be an object, not null"),
    ],
)  # fmt: skip
def test_what_concerns_the_whole_file(read, members, given, problem):
    (found,) = problems(read, collection(feature(), **members) | members, given)
    assert found.startswith(problem)


def test_coordinates_of_another_zone_of_a_grid(read):
    """Metres of UTM zone 36 taken for Poland's grid come to lie in Sweden or beyond: refused, with where."""
    square = shapely.box(600_000.0, 5_300_000.0, 610_000.0, 5_310_000.0)
    (found,) = problems(read, collection(feature("A", mapping(square))), "EPSG:2180")
    assert "degrees outside the area of EPSG:2180 (ETRF2000-PL / CS92); is it another CRS?" in found
    (found,) = problems(
        read, collection(feature("A", mapping(shapely.box(1e9, 1e9, 2e9, 2e9)))), "EPSG:32636"
    )
    assert "which is no place in EPSG:32636" in found or "is it another CRS?" in found


def test_codes_and_aliases_are_one_namespace(read):
    document = collection(
        feature("A", aliases=["OLD", "B"]),
        feature("B", aliases=["OLD", "B"]),
        feature("A"),
        feature("C", aliases=["X", "X"]),
    )
    assert problems(read, document) == [
        "features[2].properties.code 'A' is that of features[0], too",
        "features[0] (A).properties.aliases has 'B', the code of features[1]: that zone still exists",
        "features[1] (B).properties.aliases has 'OLD', as features[0] does: it must lead to one zone",
    ]


def test_all_problems_are_told_at_once_up_to_twenty(read):
    found = problems(
        read, collection(*[feature(f"bad code {i}") for i in range(7)], feature("A", shelter_s=-1))
    )
    assert len(found) == 8
    with pytest.raises(RefusedError) as caught:
        read(collection(*[feature(f"bad code {i}") for i in range(25)]))
    lines = str(caught.value).splitlines()
    assert len(lines) == 21
    assert lines[-1] == "and 5 more problems"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "is not JSON (line 1, column 2"),
        ("[]", "is not a GeoJSON FeatureCollection"),
        ('{"type": "Feature"}', "is not a GeoJSON FeatureCollection"),
        ('{"type": "FeatureCollection", "features": {}}', "features must be a list, not {}"),
        ("[" * 100_000, "nested too deep"),
    ],
)
def test_what_is_no_file_of_zones(read, text, problem):
    with pytest.raises(DataError, match=r"z\.geojson: ") as caught:
        read(text)
    assert problem in str(caught.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        read_zones(tmp_path / "none.geojson")


LEAVES = st.none() | st.booleans() | st.integers(-400, 400) | st.floats() | st.text(max_size=5)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=200)
@given(st.data())
def test_whatever_is_broken_is_refused_with_words(tmp_path_factory, data):
    """Any value anywhere in a good file replaced by anything: it is read, or refused as any user's error is."""
    document = collection(
        feature("A", name="n", aliases=["x"], shelter_s=9),
        feature("B"),
        crs=crs("EPSG:4326"),
        geocode_name="g",
    )
    broken = copy.deepcopy(document)
    spot: Any = broken
    while True:
        keys = sorted(spot) if isinstance(spot, dict) else range(len(spot))
        key = data.draw(st.sampled_from(list(keys)))
        if isinstance(spot[key], dict | list) and len(spot[key]) and data.draw(st.booleans()):
            spot = spot[key]
            continue
        spot[key] = data.draw(JSON)
        break
    path = tmp_path_factory.mktemp("fuzz") / "z.geojson"
    path.write_text(json.dumps(broken), encoding="utf-8")
    with contextlib.suppress(DataError):
        assert all(shape.is_valid and shape.area > 0.0 for shape in read_zones(path).shapes)
