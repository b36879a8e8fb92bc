"""CAP 1.2: against the OASIS schema, the rules that it lacks, and the referee's own reading."""

from __future__ import annotations

import importlib.util
import json
import math
import sys
from pathlib import Path

import pytest
import shapely
from lxml import etree

from tests.warning.synthetic import NOON_S, forecast, replay
from tocsin.errors import DataError
from tocsin.formats.cap import LEFT_OUT, NAMESPACE, ROOM_BYTES, cap_sent, cap_time, cap_xml, read_cap
from tocsin.formats.cap_rules import check_cap
from tocsin.formats.gazetteer import shipped_gazetteer
from tocsin.formats.geojson import alerts_geojson
from tocsin.warning.alert import Message

SHARED = Path(__file__).parents[3] / "shared"
SCHEMA = SHARED / "standards" / "CAP-v1.2.xsd"
REFEREE = SHARED / "referee" / "score.py"


@pytest.fixture(scope="module")
def messages() -> list[Message]:
    """Alerts, Updates, an all-clear and a Cancel: three incidents, one across the antimeridian, one at the pole."""

    def make(t: int):
        area_km2 = max(1.0, 600.0 * 0.5 ** (t / 30.0))
        later_s = NOON_S + 250.0
        return [
            forecast("1", NOON_S + t, later_s, area_km2=area_km2),
            forecast("1a", NOON_S + t, later_s, 48.8, 35.5, area_km2=area_km2, parent="1"),
            forecast("2", NOON_S + t, later_s, -17.0, 179.99, area_km2=area_km2),
            forecast("3", NOON_S + t, later_s, 89.99, 5.0, area_km2=math.nan if t > 100 else area_km2),
        ]

    return replay([(NOON_S + t + 0.37, make(t)) for t in range(160)], shipped_gazetteer())[1]


def test_every_kind_is_there(messages):
    assert {(message.kind, message.stage) for message in messages} == {
        ("Alert", "take-cover"),
        ("Update", "take-cover"),
        ("Update", "all-clear"),
        ("Cancel", "withdrawn"),
    }


@pytest.mark.shared
@pytest.mark.skipif(not SCHEMA.exists(), reason="the OASIS schema is not beside the checkout")
def test_valid_against_the_schema(messages):
    schema = etree.XMLSchema(etree.parse(SCHEMA))
    for message in messages:
        schema.assertValid(etree.fromstring(cap_xml(message)))


def test_rules(messages):
    earlier = []
    for message in messages:
        data = cap_xml(message)
        assert check_cap(data, earlier) == []
        assert len(data) < 32_000
        earlier.append(read_cap(data))


def test_reading_gives_what_was_written(messages):
    for message in messages:
        cap = read_cap(cap_xml(message))
        assert cap.identifier == message.identifier
        assert cap.kind == message.kind
        assert cap.status == "Exercise"
        assert cap.scope == "Public"
        assert cap.sent_s == math.ceil(message.sent_s)
        assert cap.incidents == (message.incident, *message.merged)
        assert [one[1] for one in cap.references] == [one for one, _ in message.references]
        assert [info.text for info in cap.infos] == list(message.texts)
        for info in cap.infos:
            assert info.onset_s <= message.onset_s
            assert info.expires_s >= message.expires_s
            assert info.parameters["tocsin:sequence"] == str(message.sequence)
            for ring, footprint in zip(info.polygons, message.footprints, strict=True):
                assert ring == tuple((lat, lon) for lon, lat in footprint.polygon.exterior.coords)


def test_first_level_units_stand_next_to_the_polygons(messages):
    first = read_cap(cap_xml(messages[0])).infos
    assert first[0].geocodes == first[1].geocodes == (("GeoNames-ADM1", "UA.04"),)  # Dnipro and around
    for message in messages:
        for info in read_cap(cap_xml(message)).infos:
            assert info.polygons
            assert list(info.geocodes) == sorted(set(info.geocodes))
            inside = {place.admin1 for one in message.footprints for place in one.places}
            assert {value for _, value in info.geocodes} == inside - {""}


def test_codes_never_make_a_message_too_large(messages):
    """Zones by the thousand: as many as fit stand in the message, the first ones, and it says how many are missing."""
    largest = max(messages, key=lambda one: len(cap_xml(one)))
    codes = tuple(f"ZONE-{number:05d}" for number in range(2000))
    for count in (1, 10, 50, 100, 2000):
        message = largest._replace(zones=codes[:count], geocode_name="tocsin:zone")
        data = cap_xml(message)
        assert len(data) <= ROOM_BYTES
        assert [one for one in check_cap(data) if "not sent before" not in one] == []
        for info in read_cap(data).infos:
            assert len(info.polygons) == len(message.footprints)
            zones = tuple(value for name, value in info.geocodes if name == "tocsin:zone")
            assert zones == codes[: len(zones)]
            assert int(info.parameters.get(LEFT_OUT, "0")) == count - len(zones)
            assert count > 50 or len(zones) == count


def test_meaning_by_stage(messages):
    expected = {
        "take-cover": (("Shelter",), "Immediate", "Extreme", "Likely"),
        "all-clear": (("AllClear",), "Past", "Minor", "Observed"),
        "withdrawn": (("AllClear",), "Past", "Minor", "Unlikely"),
    }
    for message in messages:
        for info in read_cap(cap_xml(message)).infos:
            assert (info.response, info.urgency, info.severity, info.certainty) == expected[message.stage]
    doubtful = messages[0]._replace(probability=0.3)
    assert read_cap(cap_xml(doubtful)).infos[0].certainty == "Possible"


@pytest.mark.parametrize("status", ["Actual", "System", "Draft", ""])
def test_live_messages_cannot_be_written(messages, status):
    with pytest.raises(DataError, match="Exercise or Test"):
        cap_xml(messages[0]._replace(status=status))


def test_times():
    assert cap_time(NOON_S) == "2027-01-15T08:00:00+00:00"
    assert cap_sent(NOON_S + 0.001) == "2027-01-15T08:00:01+00:00"
    assert cap_sent(NOON_S) == "2027-01-15T08:00:00+00:00"


def changed(message: Message, tag: str, text: str | None) -> bytes:
    """The message as CAP with the first element of a name changed, or left out."""
    root = etree.fromstring(cap_xml(message))
    found = next(root.iter(f"{{{NAMESPACE}}}{tag}"))
    if text is None:
        found.getparent().remove(found)
    else:
        found.text = text
    return etree.tostring(root)


@pytest.mark.parametrize(
    ("tag", "text", "problem"),
    [
        ("identifier", "a b", "identifier 'a b' has a space"),
        ("identifier", None, "alert lacks identifier"),
        ("sender", "x<y", "sender 'x<y' has a space, comma, < or &"),
        ("status", "Actual", "status is 'Actual'"),
        ("sent", "2027-01-15T08:00:00", "has no offset"),
        ("sent", "yesterday", "is not a date and time"),
        ("references", None, "Update without references"),
        ("references", "a,b", "is not sender,identifier,sent"),
        ("references", "a,b,c", "reference to 'b', which was not sent before"),
        ("headline", "Take cover now", "headline does not say exercise"),
        ("expires", None, "has no expires"),
        ("expires", "2020-01-15T08:00:00+00:00", "expires before it is sent"),
        ("language", "xx", "no word for exercise is known"),
        ("polygon", "1,2 3,4 5,6", "3 points, fewer than 4"),
        ("polygon", "1,2 3,4 5,6 7,9", "is not closed"),
        ("polygon", "1,120 1,121 2,121 120,2 1,120", "is not a latitude and a longitude"),
        ("polygon", "0,0 1,1 0,1 1,0 0,0", "crosses itself"),
        ("polygon", "here", "is not a list of lat,lon pairs"),
        ("valueName", "other", "has no sequence number"),
        ("geocode", None, "has other geocodes than the first info"),
    ],
)
def test_each_rule_finds_its_fault(messages, tag, text, problem):
    number = next(n for n, message in enumerate(messages) if message.kind == "Update")
    earlier = [read_cap(cap_xml(message)) for message in messages[:number]]
    found = check_cap(changed(messages[number], tag, text), earlier)
    assert any(problem in one for one in found), found


def test_order_and_names_are_checked(messages):
    earlier = [read_cap(cap_xml(message)) for message in messages[:3]]
    assert any("used before" in one for one in check_cap(cap_xml(messages[0]), earlier))
    late = [earlier[0]._replace(sent_s=earlier[0].sent_s + 99.0)]
    assert any("before the last message" in one for one in check_cap(cap_xml(messages[1]), late))
    number = next(n for n, message in enumerate(messages) if message.kind == "Update")
    wrong = [read_cap(cap_xml(one))._replace(sender="someone@else.invalid") for one in messages[:number]]
    assert any("it was someone@else.invalid" in one for one in check_cap(cap_xml(messages[number]), wrong))


@pytest.mark.parametrize("data", [b"", b"<alert", b"<alert/>", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'])
def test_what_is_no_cap(data):
    with pytest.raises(DataError, match="CAP"):
        read_cap(data)


def test_geojson(messages):
    features = json.loads(alerts_geojson(messages))["features"]
    assert [one["properties"]["identifier"] for one in features] == [
        message.identifier for message in messages
    ]
    first = features[0]["properties"]
    assert first["sent"] == "2027-01-15T08:00:02.370Z"
    assert first["msgType"] == "Alert"
    assert first["status"] == "Exercise"
    assert first["event"] == "EXERCISE: falling objects"
    for feature, message in zip(features, messages, strict=True):
        shape = shapely.geometry.shape(feature["geometry"])
        assert shape.equals(shapely.MultiPolygon([one.polygon for one in message.footprints]))
        assert {"identifier", "msgType", "sent", "onset", "expires", "event"} <= feature["properties"].keys()


@pytest.mark.shared
@pytest.mark.skipif(not REFEREE.exists(), reason="the referee is not beside the checkout")
def test_the_referee_reads_the_same(messages, tmp_path):
    spec = importlib.util.spec_from_file_location("referee_score", REFEREE)
    assert spec is not None
    referee = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = referee
    spec.loader.exec_module(referee)
    (tmp_path / "alerts").mkdir()
    for number, message in enumerate(messages):
        (tmp_path / "alerts" / f"{number:05d}.xml").write_bytes(cap_xml(message))
    (tmp_path / "alerts.geojson").write_bytes(alerts_geojson(messages))
    read, problems = referee.messages(tmp_path)
    assert problems == []
    assert [one.id for one in read] == [message.identifier for message in messages]
    assert [one.clear for one in read] == [message.stage != "take-cover" for message in messages]
