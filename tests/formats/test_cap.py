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

from tests.warning.synthetic import NOON_S
from tocsin.errors import DataError
from tocsin.formats.cap import LEFT_OUT, MEANING, ROOM_BYTES, cap_sent, cap_time, cap_xml, read_cap
from tocsin.formats.cap_rules import check_cap
from tocsin.formats.geojson import alerts_geojson
from tocsin.formats.signature import new_key, read_certificates, read_key, sign

SHARED = Path(__file__).parents[3] / "shared"
SCHEMA = SHARED / "standards" / "CAP-v1.2.xsd"
REFEREE = SHARED / "referee" / "score.py"


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
    private, certificate = new_key("Drill centre", NOON_S, 30.0)
    key, trusted = read_key(private), read_certificates(certificate)[0]
    for message in [*messages, messages[0]._replace(stage="prepare")]:
        schema.assertValid(etree.fromstring(cap_xml(message)))
        schema.assertValid(etree.fromstring(sign(cap_xml(message), key, trusted, message.sent_s)))


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


@pytest.mark.parametrize(
    ("stage", "probability", "expected"),
    [
        ("take-cover", 0.9, (("Shelter",), "Immediate", "Extreme", "Likely")),
        ("take-cover", 0.3, (("Shelter",), "Immediate", "Extreme", "Possible")),
        ("prepare", 0.5, (("Prepare", "Monitor"), "Expected", "Severe", "Likely")),
        ("prepare", 0.4994, (("Prepare", "Monitor"), "Expected", "Severe", "Possible")),
        ("prepare", 0.4996, (("Prepare", "Monitor"), "Expected", "Severe", "Likely")),  # written as 0.500
        ("all-clear", math.nan, (("AllClear",), "Past", "Minor", "Observed")),
        ("withdrawn", math.nan, (("AllClear",), "Past", "Minor", "Unlikely")),
    ],
)
def test_meaning_by_stage(messages, stage, probability, expected):
    kind = {"all-clear": "Update", "withdrawn": "Cancel"}.get(stage, "Alert")
    before = messages[0]
    after = before._replace(
        identifier="tocsin-x-2", sequence=2, references=((before.identifier, before.sent_s),)
    )
    message = before if kind == "Alert" else after
    data = cap_xml(message._replace(stage=stage, kind=kind, probability=probability))
    assert check_cap(data, [] if kind == "Alert" else [read_cap(cap_xml(before))]) == []
    for info in read_cap(data).infos:
        assert (info.response, info.urgency, info.severity, info.certainty) == expected
        assert info.categories == ("Safety",)


def test_the_documented_mapping_is_that_of_the_code():
    page = (Path(__file__).parents[2] / "docs" / "warnings.md").read_text()
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in page.splitlines()
        if line.startswith("| ")
    ]
    documented = {row[0]: row[2:5] for row in rows if row[0] in MEANING and len(row) == 6}
    assert documented == {
        stage: [" and ".join(responses), urgency, severity]
        for stage, (responses, urgency, severity) in MEANING.items()
    }


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


def test_times():
    assert cap_time(NOON_S) == "2027-01-15T08:00:00+00:00"
    assert cap_sent(NOON_S + 0.001) == "2027-01-15T08:00:01+00:00"
    assert cap_sent(NOON_S) == "2027-01-15T08:00:00+00:00"


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
    assert first["event"] == "EXERCISE. Falling objects"
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
