"""The map page without a browser: what it says, what it escapes, how large it is, what it may do."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import math
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html
from pyproj import Geod
from shapely.geometry import MultiPolygon, Point, Polygon
from tests import decaying
from tests.web import conftest as invented

from tocsin.earth.ellipsoid import ecef_to_geodetic
from tocsin.formats import map_areas, map_data, map_units
from tocsin.formats.map_html import map_html
from tocsin.formats.map_words import WORDS, number, span
from tocsin.formats.words import shipped_words
from tocsin.units import DEGREE_RAD
from tocsin.warning.places import Surroundings
from tocsin.warning.wording import Times, texts

MAX_PAGE_BYTES = 1_600_000
HOSTILE = '</script><script>alert(1)</script><!--tocsin:data--><img src=x onerror="alert(2)">'


@pytest.fixture(scope="module")
def page(event: dict[str, Any]) -> str:
    return map_html(**event)


def block(page: str) -> dict[str, Any]:
    text = html.document_fromstring(page).get_element_by_id("data").text
    data: dict[str, Any] = json.loads(text)
    return data


def words_of(element: Any, language: str) -> str:
    """What the style sheet shows when a language is chosen."""
    for other in element.xpath(f'.//*[@data-for and @data-for!="{language}"]'):
        other.drop_tree()
    return " ".join(element.text_content().split())


def test_list_reads_without_script(page: str) -> None:
    items = html.document_fromstring(page).xpath('//ol[@class="messages"]/li')
    assert [i.xpath(".//time/@datetime")[0][11:19] for i in items] == [
        "00:11:00",
        "00:08:20",
        "00:05:50",
        "00:03:20",
    ]
    first = words_of(items[-1], "en")
    assert "00:03:20 UTC" in first
    assert "6\u00a0min 40\u00a0s before the first impact".replace("\u00a0", " ") in first
    assert "EXERCISE: Objects will fall near Dnipro" in first
    assert "Dnipro, Kamianske, Novomoskovsk and 1 more; about 1,300,000 people" in first
    assert "Dnipro (969,000); about 969,000 people in the towns inside. Expected from 00:10:04 UTC" in first
    assert "Go to shelter now" in first
    assert "1 min 00 s after the first impact" in words_of(items[0], "en")


def test_list_reads_in_ukrainian(page: str) -> None:
    first = words_of(html.document_fromstring(page).xpath('//ol[@class="messages"]/li')[-1], "uk")
    assert "6 хв 40 с до першого падіння" in first
    assert "НАВЧАННЯ: Об'єкти впадуть поблизу Дніпра" in first
    assert (
        "Дніпро, Kamianske, Novomoskovsk і ще 1; близько 1\u00a0300\u00a0000".replace("\u00a0", " ") in first
    )
    assert "EXERCISE:" not in first


def test_exercise_is_said_on_top_or_not_at_all(event: dict[str, Any], page: str) -> None:
    assert "EXERCISE" in html.document_fromstring(page).xpath("//header")[0].text_content()
    assert "EXERCISE" in html.document_fromstring(page).xpath("//title")[0].text
    plain = html.document_fromstring(map_html(**{**event, "exercise": False}))
    assert "EXERCISE" not in plain.xpath("//header")[0].text_content()


def test_everything_given_is_escaped(event: dict[str, Any], page: str) -> None:
    message = event["messages"][0]
    footprint = message.footprints[0]._replace(places=(invented.PLACES[0]._replace(name=HOSTILE),))
    hostile = message._replace(
        identifier=HOSTILE, kind=HOSTILE, status=HOSTILE, footprints=(footprint,),
        texts=tuple(t._replace(**{f: HOSTILE for f in t._fields if f != "language"}) for t in message.texts),
    )  # fmt: skip
    strange = hostile._replace(
        sequence=9, stage=HOSTILE, texts=(message.texts[0]._replace(language=HOSTILE),)
    )
    made = map_html(
        **{
            **event,
            "title": HOSTILE,
            "messages": [hostile, strange],
            "sensors": [event["sensors"][0]._replace(name=HOSTILE)],
            "rows": [row._replace(track=HOSTILE) for row in event["rows"]],
            "impacts": [(HOSTILE, invented.END_S, 48.0, 35.0)],
        }
    )
    count = len(re.findall(r"<script", page, re.IGNORECASE))
    assert len(re.findall(r"<script", made, re.IGNORECASE)) == count
    assert "<img" not in made
    document = html.document_fromstring(made)
    assert document.xpath("//h1")[0].text == HOSTILE
    assert document.get_element_by_id("m0").xpath(".//h3//*[@dir='auto']")[0].text == HOSTILE
    assert block(made)["sensors"][0]["name"] == HOSTILE


def test_policy_names_the_two_scripts_and_no_address(page: str) -> None:
    document = html.document_fromstring(page)
    policy = document.xpath('//meta[@http-equiv="Content-Security-Policy"]/@content')[0]
    packed = document.get_element_by_id("bundle").text
    program = gzip.decompress(base64.b64decode(packed))
    boot = document.xpath("//script[not(@type)]")[0].text.encode()
    for script in (boot, program):
        assert base64.b64encode(hashlib.sha256(script).digest()).decode() in policy
    assert policy.startswith("default-src 'none'")
    assert "http" not in policy
    assert "unsafe-eval" not in policy
    assert "*" not in policy
    assert not re.search(rb"/(work|tmp|root|home)/|node_modules", program)


def test_basemap_has_seas_where_seas_are(page: str) -> None:
    packed = html.document_fromstring(page).get_element_by_id("bundle").text
    program = gzip.decompress(base64.b64decode(packed)).decode()
    found = re.search(r'\{"units":(\d+),"land":(\[.*?\]\]),"borders":(\[.*?\]),"names":', program)
    assert found is not None

    def line(text: str) -> np.ndarray[Any, Any]:
        steps = np.array([int(step, 36) for step in text.split()]).reshape(-1, 2)
        return np.cumsum(steps, axis=0) / int(found[1])

    land = [[line(ring) for ring in polygon] for polygon in json.loads(found[2])]
    whole = MultiPolygon([(outer, holes) for outer, *holes in land]).buffer(0)
    for name, lon, lat in (
        ("Dnipro", 35.0, 48.5),
        ("Nairobi", 36.8, -1.3),
        ("Fiji", 178.0, -17.8),
        ("Pole", 0, -89),
    ):
        assert whole.contains(Point(lon, lat)), name
    for name, lon, lat in (("Caspian", 50.5, 42.0), ("Black Sea", 34.0, 43.5), ("Pacific", 180.0, 0.0)):
        assert not whole.contains(Point(lon, lat)), name
    borders = [line(text) for text in json.loads(found[3])]
    for drawn in (*borders, *(ring for polygon in land for ring in polygon)):
        steps = np.abs(np.diff(drawn[:, 0]))[drawn[1:, 1] > -85.0]  # Antarctica closes along the pole
        assert steps.max(initial=0.0) < 90.0  # nothing else is drawn round the globe
    # the isthmus of Perekop is no border, web/basemap.js says why
    assert not any(((p > [33, 45.5]) & (p < [34.5, 46.3])).all(axis=1).any() for p in borders)


def test_page_is_small(page: str) -> None:
    assert len(page.encode()) < MAX_PAGE_BYTES


def test_same_event_same_page(event: dict[str, Any], page: str) -> None:
    assert map_html(**event) == page


def test_quiet_sky(event: dict[str, Any]) -> None:
    made = map_html(**{**event, "rows": [], "forecasts": [], "messages": [], "impacts": []})
    assert "No warning was sent" in made
    data = block(made)
    assert data["impact"] is None
    assert data["tracks"] == []
    assert data["messages"] == []


def test_a_third_language_gets_its_own_choice(event: dict[str, Any]) -> None:
    message = event["messages"][0]
    czech = message.texts[0]._replace(language="cs", headline="CVIČENÍ: spadnou předměty")
    made = map_html(**{**event, "messages": [message._replace(texts=(*message.texts, czech))]})
    assert html.document_fromstring(made).xpath('//input[@name="language"]/@value') == ["en", "uk", "cs", ""]
    item = html.document_fromstring(made).get_element_by_id("m0")
    shown = words_of(item, "cs")
    assert "CVIČENÍ: spadnou předměty" in shown
    assert "Take cover" in shown  # what the page itself cannot say in Czech it says in English


@pytest.mark.parametrize("language", [code for code in WORDS if code != "en"])
def test_the_page_says_all_that_it_says_in_english(language: str) -> None:
    assert WORDS[language].keys() == WORDS["en"].keys()
    for key, text in WORDS["en"].items():
        fields = re.findall(r"\{\w+\}", text)
        assert sorted(re.findall(r"\{\w+\}", WORDS[language][key])) == sorted(fields)


def test_six_languages_and_the_direction_of_each(event: dict[str, Any]) -> None:
    words = shipped_words()
    place = event["messages"][0].footprints[0].places[0]
    times = Times(event["start_s"], event["start_s"] + 300.0, event["start_s"] + 400.0, event["start_s"] + 500.0)
    six = texts("take-cover", "Exercise", tuple(words.languages), words, Surroundings((place,), 3, None), times, 90)
    made = map_html(**{**event, "messages": [event["messages"][0]._replace(texts=six)]})
    document = html.document_fromstring(made)
    for text in six:
        # no sentence of the page is missing where this language is chosen
        for heading in ("//h2", "//footer/p", '//p[@class="exercise"]', '//*[@id="globe-note"]'):
            assert document.xpath(f'{heading}//*[@data-for="{text.language}"]')[0].text_content().strip()
        shown = words_of(html.document_fromstring(made).get_element_by_id("m0"), text.language)
        assert text.headline.replace("\u00a0", " ") in shown.replace("\u00a0", " ")
    assert "html:has(#see-ar:checked) :is(.exercise,#now,#log){direction:rtl}" in made
    assert made.count("direction:rtl") == 1


def test_tracks_are_thinned_and_keep_their_place(event: dict[str, Any], page: str) -> None:
    data = block(page)
    for track in data["tracks"]:
        rows = [row for row in event["rows"] if row.track == track["name"]]
        times = np.cumsum(track["t"]) / map_units.TIME_UNITS + data["start"]
        assert np.all(np.diff(times)[:-1] >= map_data.MIN_STEP_S - 0.1)
        assert times[0] == pytest.approx(rows[0].time_s, abs=0.06)
        assert times[-1] == pytest.approx(rows[-1].time_s, abs=0.06)
        by_time = {round(row.time_s, 1): row.state[:3] for row in rows}
        latitude, longitude, height = ecef_to_geodetic(np.array([by_time[round(t, 1)] for t in times]))
        # half a unit of rounding: 5.6 m on the ground, 5 m in height
        assert np.allclose(np.cumsum(track["x"]) / map_units.DEGREE_UNITS, longitude / DEGREE_RAD, atol=5.1e-5)
        assert np.allclose(np.cumsum(track["y"]) / map_units.DEGREE_UNITS, latitude / DEGREE_RAD, atol=5.1e-5)
        assert np.allclose(np.cumsum(track["z"]) / map_units.HEIGHT_UNITS, height, atol=5.1)


def test_many_points_are_capped(event: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(map_data, "MAX_TRACK_POINTS", 200)
    monkeypatch.setattr(map_areas, "MAX_AREAS", 60)
    monkeypatch.setattr(map_areas, "MAX_RELEASES", 20)
    data = block(map_html(**event))
    assert sum(len(track["t"]) for track in data["tracks"]) <= 200
    assert 0 < len(data["areas"]) <= 60
    assert 0 < len(data["releases"]) <= 20


def test_areas_follow_one_another_without_gap(page: str) -> None:
    data = block(page)
    for i in range(len(data["tracks"])):
        own = [area for area in data["areas"] if area[0] == i]
        assert [area[2] for area in own[:-1]] == [area[1] for area in own[1:]]
        assert (
            own[-1][2] >= (invented.FLIGHT_S + 4.0 * i) * map_units.TIME_UNITS
        )  # the last stays until impact


def test_what_may_still_be_released_is_drawn_until_it_may_no_more(page: str) -> None:
    data = block(page)
    assert {area[0] for area in data["releases"]} == {0}
    own = data["releases"]
    assert [area[2] for area in own[:-1]] == [area[1] for area in own[1:]]
    assert own[-1][2] == invented.RELEASES_UNTIL_S * map_units.TIME_UNITS
    ring = np.cumsum(np.array(own[0][3][0]).reshape(-1, 2), axis=0) / map_units.DEGREE_UNITS
    lon, lat = invented.TARGETS[0]
    assert Polygon(ring).contains(Point(lon, lat))
    packed = html.document_fromstring(page).get_element_by_id("bundle").text
    assert "bodies that it may still release would come down within this line" in gzip.decompress(base64.b64decode(packed)).decode()


def test_a_track_that_was_given_up_takes_its_area_with_it(event: dict[str, Any]) -> None:
    early = [f for f in event["forecasts"] if f.issued_s < invented.START_S + 300.0 and f.track == "T1"]
    seen = [r for r in event["rows"] if r.time_s < invented.START_S + 310.0 and r.track == "T1"]
    lost = [*seen[:-1], seen[-1]._replace(existence=0.3, last=True)]
    until = [
        block(map_html(**{**event, "rows": rows, "forecasts": early}))["areas"][-1][2]
        for rows in (seen, lost)
    ]
    assert until[0] >= invented.FLIGHT_S * map_units.TIME_UNITS
    assert until[1] == pytest.approx(309.5 * map_units.TIME_UNITS)


def test_values_that_are_not_finite_are_left_out(event: dict[str, Any]) -> None:
    row, forecast = event["rows"][0], event["forecasts"][0]
    lost = row._replace(state=np.full(6, math.nan))
    up = forecast._replace(impact_time_s=math.nan, area=None, area_km2=math.nan)
    strange = forecast._replace(
        issued_s=forecast.issued_s + 10, impact_time_sigma_s=math.inf, area_km2=math.nan
    )
    made = map_html(**{**event, "rows": [row, lost], "forecasts": [up, strange]})
    data = block(made)
    assert len(data["tracks"][0]["t"]) == 1
    assert len(data["areas"]) == 1


def test_a_message_stands_until_one_refers_to_it(event: dict[str, Any]) -> None:
    """Another chain of its incident leaves it in force: to be ready in one town ends no alert in another."""
    first, second, *_ = event["messages"]
    other = second._replace(identifier="other", stage="prepare", references=())
    assert map_data.in_force_until_s([first, second, other]) == [
        second.sent_s,
        second.expires_s,
        other.expires_s,
    ]


def test_to_be_ready_is_said_in_words_of_its_own(event: dict[str, Any]) -> None:
    first, second, *_ = event["messages"]
    ready = first._replace(stage="prepare")
    page = map_html(**{**event, "messages": [ready, second]})
    document = html.document_fromstring(page)
    item = document.get_element_by_id("m0")
    assert item.get("class") == "message prepare"
    assert [one.text_content() for one in item.xpath(".//*[@class='tag']/*")] == ["Be ready", "Будьте напоготові"]
    shown = words_of(item, "en")
    assert "Dnipro, Kamianske" in shown  # who, as of an alert
    assert "Expected from" in shown
    for words in WORDS.values():
        assert words["prepare"] not in (words["take-cover"], words["all-clear"], words["withdrawn"])
    # without a true impact the page counts from the alert where there is one, else from what to be ready for
    later = ready._replace(
        footprints=tuple(one._replace(impact_time_s=one.impact_time_s + 60.0) for one in ready.footprints)
    )
    alone = map_data.first_impact_s([later], [])
    assert alone == invented.START_S + invented.FLIGHT_S + 60.0
    assert map_data.first_impact_s([second, later], []) == invented.START_S + invented.FLIGHT_S


def test_page_counts_from_truth_or_else_from_the_last_warning(event: dict[str, Any]) -> None:
    messages = event["messages"]
    assert map_data.first_impact_s(messages, [map_data.Impact("a", 5.0, 0.0, 0.0)]) == 5.0
    assert map_data.first_impact_s(messages, []) == invented.START_S + invented.FLIGHT_S
    assert map_data.first_impact_s([], []) is None


@given(
    st.floats(-179.9, 179.9), st.floats(-60, 60), st.floats(2e4, 2e6), st.floats(0, 359), st.floats(5, 359.9)
)
def test_view_ends_at_its_range(lon: float, lat: float, range_m: float, first: float, width: float) -> None:
    view = np.array(
        [[0.0, range_m], [first * DEGREE_RAD, (first + width) % 360 * DEGREE_RAD], [0, 1], [0, 1]]
    )
    sensor = invented.sensors()[0]._replace(
        longitude_rad=lon * DEGREE_RAD, latitude_rad=lat * DEGREE_RAD, field_of_view=view
    )
    steps = map_data._view(sensor)
    assert steps is not None
    ring = np.cumsum(np.array(steps).reshape(-1, 2), axis=0) / map_units.DEGREE_UNITS
    assert np.all(np.abs(np.diff(ring[:, 0])) < 180.0)  # in one piece, also over the antimeridian
    # the same sphere by another library; at elevation 0 the beam ends where tan(angle) = range / radius
    sphere = Geod(a=map_data.EARTH_MEAN_RADIUS_M, b=map_data.EARTH_MEAN_RADIUS_M)
    arc = ring[1:-1]
    azimuth, _, distance = sphere.inv(np.full(len(arc), lon), np.full(len(arc), lat), arc[:, 0], arc[:, 1])
    expected = map_data.EARTH_MEAN_RADIUS_M * math.atan(range_m / map_data.EARTH_MEAN_RADIUS_M)
    assert np.allclose(distance, expected, atol=20.0)  # two coordinates rounded to 11 m
    assert (azimuth[0] - first + 180) % 360 - 180 == pytest.approx(0.0, abs=0.1)
    assert (azimuth[-1] - first - width + 180) % 360 - 180 == pytest.approx(0.0, abs=0.1)


@given(st.integers(3, 400), st.floats(-150, 150), st.floats(-60, 60), st.floats(0.01, 5))
def test_rings_keep_their_area(corners: int, lon: float, lat: float, radius: float) -> None:
    angles = np.linspace(0, 2 * math.pi, corners, endpoint=False)
    polygon = Polygon(np.stack([lon + radius * np.cos(angles), lat + radius * np.sin(angles)], axis=1))
    (steps,) = map_units.rings(polygon)
    assert len(steps) <= 2 * max(map_units.MAX_RING_POINTS, 5)
    back = Polygon(np.cumsum(np.array(steps).reshape(-1, 2), axis=0) / map_units.DEGREE_UNITS)
    # rounding moves each corner by at most 5e-5 degrees; simplifying takes at most 3 % of a circle's area
    assert back.symmetric_difference(polygon).area <= polygon.length * 1e-4 + 0.03 * polygon.area


@pytest.mark.parametrize(
    ("seconds", "en", "uk"),
    [(0, "0 s", "0 с"), (59.6, "1 min 00 s", "1 хв 00 с"), (-250, "4 min 10 s", "4 хв 10 с"),
     (3720, "1 h 02 min", "1 год 02 хв")],
)  # fmt: skip
def test_spans_in_words(seconds: float, en: str, uk: str) -> None:
    assert span(seconds, "en").replace("\u00a0", " ") == en
    assert span(seconds, "uk").replace("\u00a0", " ") == uk


def test_people_are_rounded_to_what_is_known() -> None:
    assert number(968_502, "en") == "969,000"
    assert number(968_502, "uk") == "969\u00a0000"
    assert number(0, "en") == "0"


def test_windows_of_decaying_orbits_are_lines_and_words(event: dict[str, Any]) -> None:
    plain = map_html(**event)
    assert "windows" not in block(plain)
    assert "Orbits that decay" not in plain
    start_s = decaying.START_S
    page = map_html(**{**event, "start_s": start_s, "end_s": start_s + 86400.0}, windows=decaying.told())
    lines = block(page)["windows"]
    # of T00008, seen once, the line goes round too often to be drawn
    assert 1 <= len(lines) < 3
    from_t, until_t, steps = lines[-1]
    second, end = decaying.told()[1], decaying.told()[3]
    assert from_t == round(10 * (second.issued_s - start_s))
    assert until_t == round(10 * (end.issued_s - start_s))
    points = np.cumsum(np.array(steps).reshape(-1, 2), axis=0) / 1e4
    assert np.abs(points[:, 1]).max() < 90.0
    assert np.abs(np.diff(points[:, 0])).max() < 30.0  # no jump at the antimeridian
    words = html.document_fromstring(page).xpath('//section[@class="windows"]')[0].text_content()
    assert "That is not a warning." in words
    assert words.index("has ended") < words.index("T00008 comes down")  # the newest first
