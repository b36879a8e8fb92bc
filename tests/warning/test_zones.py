"""The user's zones: against brute force, over the antimeridian and the poles, and through the policy."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod

from tests.warning.made_zones import grid, zones_of
from tests.warning.synthetic import NOON_S, ellipse, forecast, replay
from tocsin.formats.cap import cap_xml, read_cap
from tocsin.formats.cap_rules import check_cap
from tocsin.warning.zone_versions import fates
from tocsin.warning.zones import Gone, called, followed, shelter_s_in, touched, touches, zone_name

GEOD = Geod(ellps="WGS84")


def parts(area):
    return list(area.geoms) if hasattr(area, "geoms") else [area]


@st.composite
def stars(draw):
    """A polygon that bends in and out about a middle, never across itself, sometimes with a hole."""
    lon, lat = draw(st.floats(-3.0, 3.0)), draw(st.floats(-3.0, 3.0))
    count = draw(st.integers(3, 12))
    radii = draw(st.lists(st.floats(0.05, 2.0), min_size=count, max_size=count))
    angle = np.linspace(0.0, 2.0 * math.pi, count, endpoint=False)
    ring = np.column_stack([lon + radii * np.cos(angle), lat + radii * np.sin(angle)])
    hole = [ring * 0.3 + np.array([lon, lat]) * 0.7] if draw(st.booleans()) else []
    return shapely.Polygon(ring, hole)


@given(st.lists(stars(), min_size=1, max_size=12), st.lists(stars(), max_size=3))
def test_touched_is_what_brute_force_finds(shapes, areas):
    zones = zones_of({str(number): shape for number, shape in enumerate(shapes)})
    expected = {
        str(number)
        for number, shape in enumerate(shapes)
        if any(shapely.intersects(shape, area) for area in areas)
    }
    found = touches(areas, zones)
    assert {touch.code for touch in found} == expected
    assert len(found) == len(expected)
    assert [touch.overlap_km2 for touch in found] == sorted((t.overlap_km2 for t in found), reverse=True)
    assert touched(areas, zones) == tuple(touch.code for touch in found)
    assert all(0.0 <= touch.share <= 1.0 for touch in found)


@pytest.mark.parametrize(("lat", "lon"), [(48.45, 35.05), (-17.0, 30.0), (78.0, 16.0)])
def test_areas_and_shares(lat, lon):
    """Within 1 % of the geodesic area on the ellipsoid; half a zone inside is half its area."""
    zone = shapely.box(lon, lat, lon + 0.5, lat + 0.5)
    zones = zones_of({"A": zone})
    assert zones.area_km2[0] == pytest.approx(GEOD.geometry_area_perimeter(zone)[0] / 1e6, rel=0.01)
    (touch,) = touches([shapely.box(lon + 0.25, lat - 1.0, lon + 2.0, lat + 2.0)], zones)
    assert touch.share == pytest.approx(0.5, abs=1e-9)
    assert touch.overlap_km2 == pytest.approx(0.5 * zones.area_km2[0])


def test_one_point_in_common_is_enough():
    zones = zones_of({"A": shapely.box(0.0, 0.0, 1.0, 1.0)})
    assert touched([shapely.box(1.0, 1.0, 2.0, 2.0)], zones) == ("A",)
    assert touched([shapely.box(1.0001, 1.0, 2.0, 2.0)], zones) == ()


def test_a_hole_is_outside():
    ring = shapely.box(0.0, 0.0, 3.0, 3.0).difference(shapely.box(1.0, 1.0, 2.0, 2.0))
    zones = zones_of({"round": ring, "in it": shapely.box(1.0, 1.0, 2.0, 2.0)})
    assert touched([shapely.box(1.4, 1.4, 1.6, 1.6)], zones) == ("in it",)


def test_the_antimeridian():
    """A zone cut in two as RFC 7946 says is one zone, and an area cut in two touches what lies on either side."""
    cut = shapely.MultiPolygon(
        [shapely.box(179.0, -18.0, 180.0, -16.0), shapely.box(-180.0, -18.0, -179.0, -16.0)]
    )
    zones = zones_of(
        {
            "both": cut,
            "east": shapely.box(-179.0, -18.0, -178.0, -16.0),
            "west": shapely.box(178.0, -18.0, 179.0, -16.0),
            "far": shapely.box(-1.0, -18.0, 1.0, -16.0),
        }
    )
    area = ellipse(-17.0, 179.99, 2000.0)
    assert len(parts(area)) == 2
    (touch,) = touches(parts(area), zones)
    assert touch.code == "both"
    whole_km2 = sum(touches([part], zones)[0].overlap_km2 for part in parts(area))
    assert touch.overlap_km2 == pytest.approx(whole_km2)
    assert touch.overlap_km2 == pytest.approx(2000.0, rel=0.02)
    wide = touched(parts(ellipse(-17.0, 180.0, 40_000.0, ratio=8.0, bearing_deg=90.0)), zones)
    assert set(wide) == {"both", "east", "west"}
    assert wide[0] == "both"


def test_the_pole():
    """A cap round the pole, as a band that ends at the pole, is touched by what is alerted there."""
    zones = zones_of(
        {"cap": shapely.box(-180.0, 88.0, 180.0, 90.0), "ring": shapely.box(-180.0, 80.0, 180.0, 87.9)}
    )
    assert touched(parts(ellipse(89.99, 5.0, 500.0)), zones) == ("cap",)
    assert touched(parts(ellipse(87.0, -179.9, 500.0)), zones) == ("ring",)


def test_the_longest_time_to_shelter():
    zones = zones_of(
        {"A": shapely.box(0, 0, 1, 1), "B": shapely.box(1, 0, 2, 1), "C": shapely.box(2, 0, 3, 1)},
        shelter_s={"A": 15.0, "B": 90.0},
    )
    inside_a, both = shapely.box(0.2, 0.2, 0.4, 0.4), shapely.box(0.8, 0.2, 1.2, 0.4)
    assert shelter_s_in([inside_a], zones, 60.0) == 15.0
    assert shelter_s_in([both], zones, 60.0) == 90.0
    assert shelter_s_in([inside_a, shapely.box(2.5, 0.5, 2.6, 0.6)], zones, 60.0) == 60.0  # C gives none
    assert shelter_s_in([shapely.box(9, 9, 10, 10)], zones, 60.0) == 60.0
    assert shelter_s_in([inside_a], None, 60.0) == 60.0


def test_names_by_language():
    zones = zones_of(
        {"A": shapely.box(0, 0, 1, 1), "B": shapely.box(1, 0, 2, 1)},
        names={"A": (("", "North"), ("uk", "Північ"))},
    )
    assert [zone_name(zones, "A", language) for language in ("", "uk", "uk-UA", "pl")] == [
        "North",
        "Північ",
        "Північ",
        "North",
    ]
    assert zone_name(zones, "B", "uk") == "B"
    assert called(zones, "A") == "A (North)"
    assert called(zones, "B") == "B"


def test_a_zone_renamed():
    """The old code and the old name lead to the zone; a code of no zone says which ones are near."""
    zones = zones_of(
        {
            "UA12-05": shapely.box(0, 0, 1, 1),
            "UA12-06": shapely.box(1, 0, 2, 1),
            "KYIV": shapely.box(5, 5, 6, 6),
        },
        aliases={"DNI-5": "UA12-05", "Dnipro rural": "UA12-05"},
        names={"UA12-06": (("", "Synelnykove"),)},
    )
    assert followed(zones, "UA12-05") == "UA12-05"
    assert followed(zones, "DNI-5") == "UA12-05"
    assert followed(zones, "Dnipro rural") == "UA12-05"
    assert followed(zones, "UA12_06") == Gone("UA12_06", ("UA12-06 (Synelnykove)", "UA12-05"))
    assert followed(zones, "Sinelnikove") == Gone("Sinelnikove", ("UA12-06 (Synelnykove)",))
    assert followed(zones, "DNI-6") == Gone("DNI-6", ("UA12-05",))
    assert followed(zones, "zzzzzz") == Gone("zzzzzz", ())


def test_what_became_of_zones():
    old = zones_of(
        {
            "kept": shapely.box(0, 0, 1, 1),
            "moved": shapely.box(1, 0, 2, 1),
            "old name": shapely.box(2, 0, 3, 1),
            "split": shapely.box(3, 0, 4, 1),
            "gone": shapely.box(4, 0, 5, 1),
            "unnamed": shapely.box(5, 0, 6, 1),
            "strayed": shapely.box(6, 0, 7, 1),
        }
    )
    new = zones_of(
        {
            "kept": shapely.box(0, 0, 1, 1),
            "moved": shapely.box(1, 0, 1.8, 1),
            "new name": shapely.box(2, 0, 3, 1),
            "left": shapely.box(3, 0, 3.4, 1),
            "right": shapely.box(3.4, 0, 4, 1),
            "5": shapely.box(5, 0, 6, 1),
            "elsewhere": shapely.box(20, 0, 21, 1),
            "fresh": shapely.box(30, 0, 31, 1),
        },
        aliases={"old name": "new name", "strayed": "elsewhere"},
    )
    found = {
        fate.code: (fate.what, {code: round(part, 3) for code, part in fate.into}) for fate in fates(old, new)
    }
    assert found == {
        "kept": ("kept", {"kept": 1.0}),
        "moved": ("moved", {"moved": 0.8}),
        "old name": ("renamed", {"new name": 1.0}),
        "split": ("split", {"right": 0.6, "left": 0.4}),
        "gone": ("removed", {}),
        "unnamed": ("unnamed", {"5": 1.0}),
        "strayed": ("renamed", {"elsewhere": 0.0}),
        "fresh": ("new", {}),
    }


def test_messages_name_the_zones(gazetteer):
    """Footprints, messages, CAP and the words: every zone that a footprint touches, and no other."""
    zones = zones_of(
        grid(34.0, 47.8, 10, 7),
        names={
            f"Z-{i}-{j}": (("", f"Zone {i}.{j}"), ("uk", f"Зона {i}.{j}"))
            for i in range(10)
            for j in range(7)
        },
    )

    def make(t):
        return [
            forecast("1", NOON_S + t, NOON_S + 250.0, area_km2=max(1.0, 600.0 * 0.5 ** (t / 30.0))),
            forecast("1a", NOON_S + t, NOON_S + 250.0, 48.8, 35.5, area_km2=50.0, parent="1"),
        ]

    batches = [(NOON_S + t + 0.37, make(t)) for t in range(120)]
    _, plain = replay(batches, gazetteer)
    _, messages = replay(batches, gazetteer._replace(zones=zones))
    assert len(messages) == len(plain) > 3
    earlier = []
    for message, without in zip(messages, plain, strict=True):
        assert without.zones == ()
        assert [one.polygon for one in message.footprints] == [one.polygon for one in without.footprints]
        for footprint in message.footprints:
            inside = {
                code
                for code, shape in zip(zones.codes, zones.shapes, strict=True)
                if shape.intersects(footprint.polygon)
            }
            assert set(footprint.zones) == inside
        assert set(message.zones) == {code for one in message.footprints for code in one.zones}
        assert len(message.zones) == len(set(message.zones))
        data = cap_xml(message)
        assert check_cap(data, earlier) == []
        assert len(data) < 32_000
        earlier.append(read_cap(data))
        for info in earlier[-1].infos:
            assert tuple(code for name, code in info.geocodes if name == "tocsin:zone") == message.zones
        english, ukrainian = message.texts
        first = zones.names[zones.rows[message.zones[0]]]
        assert english.area_description.startswith(first[0][1])
        assert ukrainian.area_description.startswith(first[1][1])
        assert english.area_description.endswith(without.texts[0].area_description)
        assert english.headline == without.texts[0].headline


def test_the_end_of_one_chain_is_not_told_to_zones_of_another(gazetteer):
    """Two incidents, areas 20 km apart in one large zone: the first all-clear does not name it."""
    zones = zones_of(
        {"large": shapely.box(34.0, 48.0, 37.0, 49.0), "small": shapely.box(34.9, 48.3, 35.2, 48.6)}
    )

    def make(t):
        return [
            forecast("1", NOON_S + t, NOON_S + 120.0, 48.45, 35.05, area_km2=20.0),
            forecast("2", NOON_S + t, NOON_S + 900.0, 48.45, 36.05, area_km2=20.0),
        ]

    _, messages = replay([(NOON_S + t + 0.37, make(t)) for t in range(60)], gazetteer._replace(zones=zones))
    over = [message for message in messages if message.stage == "all-clear"]
    assert [message.zones for message in over] == [("small",), ("large",)]
    codes = [code for name, code in read_cap(cap_xml(over[0])).infos[0].geocodes if name == "tocsin:zone"]
    assert codes == ["small"]
