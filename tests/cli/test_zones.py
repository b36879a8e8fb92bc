"""tocsin zones, and a replay with zones and subscribers."""

import json
import shutil

import pytest
import shapely
from shapely.geometry import mapping

from tocsin.cli.main import main
from tocsin.formats.cap import read_cap


def zone(code, shape, **properties):
    return {"type": "Feature", "properties": {"code": code, **properties}, "geometry": mapping(shape)}


def write(path, version, *features, **members):
    document = {"type": "FeatureCollection", "version": version, **members, "features": features}
    path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    return path


WEST, EAST = shapely.box(34.7, 48.3, 35.05, 48.6), shapely.box(35.05, 48.3, 35.4, 48.6)


@pytest.fixture
def files(tmp_path):
    new = write(
        tmp_path / "new.geojson",
        "2026-10",
        zone("DNI-W", WEST, name="Dnipro west", aliases=["DNI-1"], shelter_s=60),
        zone("DNI-E", EAST, name="Dnipro east"),
    )
    old = write(tmp_path / "old.geojson", "2025-01", zone("DNI-1", WEST), zone("OST", EAST))
    subscribers = tmp_path / "s.csv"
    subscribers.write_text("name,zone\nHospital 7,DNI-1\nSchool 3,OST\n")
    return new, old, subscribers


def test_a_table_of_zones(capsys, files):
    assert main(["zones", str(files[0])]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    lines = said.out.splitlines()
    assert lines[0] == "Version 2026-10: 2 zones, in CAP as tocsin:zone"
    assert lines[2].split() == ["DNI-W", "Dnipro", "west", "1,018,060", "861.1", "60", "s"]
    assert lines[3].split()[-1] == "-"
    assert max(map(len, lines)) <= 80


def test_what_has_changed_and_who_is_lost(capsys, files):
    new, old, subscribers = map(str, files)
    assert main(["zones", new, "--against", old]) == 0
    assert capsys.readouterr().out.splitlines()[-3:] == [
        "From version 2025-01 to 2026-10: 0 zones as before:",
        "  DNI-1: renamed DNI-W",
        "  OST: removed, 100% of it lies in DNI-E, which does not name it as an alias",
    ]
    assert main(["zones", new, "--against", old, "--subscribers", subscribers]) == 1
    said = capsys.readouterr()
    assert said.out.splitlines()[-1] == "2 subscribers; zones renamed 1; not reached 1"
    assert said.err.splitlines() == [
        "tocsin: warning: Hospital 7: zone DNI-1 is now DNI-W (Dnipro west); it is followed",
        "tocsin: NOT WARNED: School 3 subscribes to zone 'OST', which version 2026-10 of the zones does not have "
        "(it was removed, 100% of it lies in DNI-E, which does not name it as an alias); none is like it",
    ]
    assert main(["zones", old, "--subscribers", subscribers]) == 0


def test_as_json(capsys, files):
    new, old, _ = map(str, files)
    assert main(["zones", new, "--against", old, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["version"] == "2026-10"
    assert found["zones"][0] == {
        "code": "DNI-W",
        "names": {"": "Dnipro west"},
        "people": 1018060,
        "area_km2": pytest.approx(861.1, abs=0.1),
        "shelter_s": 60.0,
    }
    assert found["zones"][1]["shelter_s"] is None
    assert found["changes"] == [
        {"code": "DNI-1", "what": "renamed", "into": {"DNI-W": 1.0}},
        {"code": "OST", "what": "unnamed", "into": {"DNI-E": 1.0}},
    ]


def test_a_broken_file_is_1_with_a_line_for_each_problem(capsys, tmp_path):
    path = write(tmp_path / "z.geojson", "1", zone("a b", WEST), zone("B", EAST, shelter_s=-1))
    for argv in (
        ["zones", str(path)],
        ["replay", "nowhere", "--out", str(tmp_path / "r"), "--zones", str(path)],
    ):
        assert main(argv) == 1
        lines = capsys.readouterr().err.splitlines()
        assert len(lines) == 2
        assert lines[0].startswith(f'tocsin: {path}: features[0].properties.code is "a b"')
        assert lines[1].startswith(f"tocsin: {path}: features[1] (B).properties.shelter_s is -1")


@pytest.mark.parametrize(("option", "value"), [("--subscribers", "s.csv"), ("--zones-crs", "EPSG:5564")])
def test_options_that_need_zones(capsys, option, value):
    assert main(["replay", "here", "--out", "there", option, value]) == 2
    assert capsys.readouterr().err == f"tocsin: replay: {option} needs --zones\n"


def test_a_replay_tells_subscribers(capsys, tmp_path, flown):
    """Zones drawn round what is alerted: their subscribers hear of it, and the one whose zone is gone is found."""
    plain = tmp_path / "plain"
    assert main(["replay", str(flown), "--out", str(plain), "--latency", "0"]) == 0
    features = json.loads((plain / "alerts.geojson").read_text())["features"]
    assert features
    alerted = shapely.union_all([shapely.geometry.shape(one["geometry"]) for one in features])
    west, south, east, north = alerted.bounds
    middle = 0.5 * (west + east)
    path = write(
        tmp_path / "z.geojson",
        "7",
        zone("W", shapely.box(west - 1.0, south - 1.0, middle, north + 1.0), aliases=["OLD-W"]),
        zone("E", shapely.box(middle, south - 1.0, east + 1.0, north + 1.0)),
        zone("far", shapely.box(-100.0, 40.0, -99.0, 41.0)),
        geocode_name="test:zone",
    )
    subscribers = tmp_path / "s.csv"
    subscribers.write_text("name,zone\nwest,OLD-W\nboth,W\nboth,E\nfar,far\nlost,Q\n")
    capsys.readouterr()
    out = tmp_path / "results"
    argv = ["replay", str(flown), "--out", str(out), "--latency", "0", "--zones", str(path)]
    assert main([*argv, "--subscribers", str(subscribers)]) == 1
    said = capsys.readouterr()
    alarm = "tocsin: NOT WARNED: lost subscribes to zone 'Q', which version 7 of the zones does not have"
    told_of_it = [line for line in said.err.splitlines() if line.startswith(alarm)]
    assert len(told_of_it) == 2  # before the replay and, where it is seen, behind it
    assert said.err.splitlines()[-1] == told_of_it[1]
    lines = [json.loads(line) for line in (out / "subscribers.jsonl").read_text().splitlines()]
    assert [(one["subscriber"], one["told"]) for one in lines[:2]] == [
        ("lost", "unreached"),
        ("west", "renamed"),
    ]
    heard = {
        name: [(one["zone"], one["told"], one["siren"]) for one in lines[2:] if one["subscriber"] == name]
        for name in ("west", "both", "far", "lost")
    }
    assert heard["far"] == heard["lost"] == []
    assert heard["west"] == [one for one in heard["both"] if one[0] == "W"]
    assert heard["west"][0] == ("W", "take-cover", True)
    assert heard["west"][-1][1] in ("all-clear", "withdrawn", "left")
    summary = json.loads((out / "summary.json").read_text())
    assert summary["zones"] == {"version": "7", "count": 3}
    assert summary["subscribers"]["subscribers"] == 4
    assert summary["subscribers"]["zones_unreached"] == 1
    cap = read_cap((out / "alerts" / "0001.xml").read_bytes())
    assert {value for name, value in cap.infos[0].geocodes if name == "test:zone"} <= {"W", "E"}
    # areas and times are those without zones
    again = json.loads((out / "alerts.geojson").read_text())["features"]
    assert [one["geometry"] for one in again] == [one["geometry"] for one in features]
    assert all(set(one["properties"]["zones"]) & {"W", "E"} for one in again)
    # without subscribers the file of an earlier replay does not stay behind
    shutil.rmtree(plain)
    assert main(argv) == 0
    assert not (out / "subscribers.jsonl").exists()
