"""tocsin inspect: why a track is what it is, and that it is the track of a replay."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from tocsin.cli.main import main
from tocsin.cli.releases import track_lines
from tocsin.earth.ellipsoid import geodetic_to_ecef
from tocsin.formats.recording import read_recording, write_recording
from tocsin.formats.results import read_results
from tocsin.record.history import follow, rivals
from tocsin.record.warm_up import COAST_M, small_recording

from ..tracking.scenes import breaking


@pytest.fixture(scope="module")
def parted(tmp_path_factory):
    """A body and its part, seen by a radar, a meteor, seen by two cameras, and an ascent, seen by a satellite."""
    folder = tmp_path_factory.mktemp("parted") / "parted"
    sensors, plots = small_recording()
    plots = plots._replace(time_s=plots.time_s + 1.7e9, received_s=plots.received_s + 1.7e9)
    sites = [geodetic_to_ecef(s.latitude_rad, s.longitude_rad, s.height_m) for s in sensors]
    write_recording(folder, sensors, {}, plots._replace(position_m=np.array(sites)[plots.sensor]), csv=True)
    return folder


@pytest.fixture(scope="module")
def coast(tmp_path_factory):
    """A body in coast, seen by a radar, without its part."""
    sensors, plots = small_recording(COAST_M)
    first = np.flatnonzero(plots.sensor == 0)
    alone = plots.rows(first[np.unique(plots.time_s[first], return_index=True)[1]])
    alone = alone._replace(time_s=alone.time_s + 1.7e9, received_s=alone.received_s + 1.7e9)
    site = geodetic_to_ecef(sensors[0].latitude_rad, sensors[0].longitude_rad, sensors[0].height_m)
    folder = tmp_path_factory.mktemp("coast") / "coast"
    alone = alone._replace(position_m=np.tile(site, (alone.count, 1)))
    write_recording(folder, sensors[:1], {}, alone, csv=True)
    return folder


def told(capsys, *argv):
    assert main(["inspect", *map(str, argv)]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    return said.out


def test_the_table_has_the_tracks_of_a_replay(capsys, tmp_path, parted):
    assert main(["replay", str(parted), "--out", str(tmp_path / "r"), "--latency", "0"]) == 0
    capsys.readouterr()
    rows = pq.read_table(tmp_path / "r" / "tracks.parquet").to_pylist()
    found = json.loads(told(capsys, parted, "--json"))["tracks"]
    assert [row["track"] for row in found] == sorted({row["track"] for row in rows})
    assert found
    for row in found:
        mine = [r for r in rows if r["track"] == row["track"]]
        assert row["parent"] == mine[-1]["parent"]
        assert set(row["phases"]) == {r["phase"] for r in mine}
    text = told(capsys, parted)
    assert text.startswith("parted up to 2023-11-14T22:1")
    for row in found:
        assert f"\n{row['track']} " in text


def test_one_track_is_told(capsys, parted):
    rows = json.loads(told(capsys, parted, "--json"))["tracks"]
    name = max(rows, key=lambda row: row["plots"].get("radar-0.000", 0))["track"]
    found = json.loads(told(capsys, parted, name, "--json"))
    assert found["track"] == name
    assert found["born"] <= found["first"] <= found["last"]
    assert found["timeline"][0]["phase"] == found["phases"][0]
    assert len(found["last_plots"]) == 12
    last = found["last_plots"][-1]
    assert last["sensor"] == "radar-0.000"
    assert all(abs(off) < 3.0 for off in last["sigmas_off"].values())  # plots without noise
    assert [s["sensor"] for s in found["sensors"]] == [
        "radar-0.000", "optical-0.000", "optical-0.017", "infrared-0.000",
    ]  # fmt: skip
    text = told(capsys, parted, name)
    for part in ("Phases", "Last plots taken", "Competes with", "Sensors, as the tracker sees them"):
        assert f"\n{part}" in text
    # a number names it too
    assert told(capsys, parted, str(int(name[1:]))) == text


@pytest.mark.compiled
def test_a_piece_of_a_break_up_is_told_as_one(capsys, tmp_path):
    of, plots, _ = breaking(15, 60.0)
    plots = plots._replace(time_s=plots.time_s + 1.7e9, received_s=plots.received_s + 1.7e9)
    write_recording(tmp_path / "broken", (of,), {}, plots, csv=True)
    rows = json.loads(told(capsys, tmp_path / "broken", "--json"))["tracks"]
    piece = next(row["track"] for row in rows if row["parent"] and sum(row["plots"].values()) > 20)
    found = json.loads(told(capsys, tmp_path / "broken", piece, "--at", "100", "--json"))
    assert (found["broken_up"], found["meteor"]) == (True, False)
    assert set(found["may_be"]) == {"sheet", "engine", "any"}
    assert found["may_release"] is None
    text = told(capsys, tmp_path / "broken", piece, "--at", "100")
    assert "\n  it broke up, or is a piece of what did" in text
    assert "a sheet or shell" in text


def test_a_meteor_is_told_as_one():
    found = {"broken_up": False, "meteor": True, "may_be": {"stone": 0.9}, "may_release": None}
    assert "a meteor: " in track_lines(found)[0]
    assert "a meteor: " not in "\n".join(track_lines({**found, "meteor": False}))


def test_a_body_in_coast_is_told_with_what_it_may_still_release(capsys, coast):
    (row,) = json.loads(told(capsys, coast, "--json"))["tracks"]
    found = json.loads(told(capsys, coast, row["track"], "--at", "28", "--json"))
    assert found["may_be"]["body"] > 0.9
    may = found["may_release"]
    assert 0.02 < may["chance"] < 0.5
    assert may["until"] > found["seen_at"]
    assert [one["kind"] for one in may["kinds"]] == ["body", "stage", "debris"]
    assert 0.0 == may["kinds"][0]["short_km"] < may["kinds"][1]["short_km"] < may["kinds"][2]["short_km"]
    text = told(capsys, coast, row["track"], "--at", "28")
    assert "by its origin and its drag it is a dense body" in text
    assert "bodies that it may still release would come down within" in text
    assert "a spent stage among them" in text
    end = json.loads(told(capsys, coast, row["track"], "--json"))
    assert end["may_release"] is None
    assert end["may_be"]["body"] > 0.9


def test_priors_of_ones_own_go_into_the_forecasts_of_a_replay(capsys, tmp_path, coast):
    own = tmp_path / "own.toml"
    own.write_text("[release]\nchance = 0.0\n")
    usual, none = tmp_path / "usual", tmp_path / "none"
    assert main(["replay", str(coast), "--out", str(usual), "--latency", "0"]) == 0
    assert main(["replay", str(coast), "--out", str(none), "--latency", "0", "--priors", str(own)]) == 0
    first, second = ([f.may_release for f in read_results(folder).forecasts] for folder in (usual, none))
    assert len(first) == len(second) > 0
    assert any(first)
    assert not any(second)


def test_no_plot_is_told_that_the_recording_does_not_hold(parted):
    recording = read_recording(parted)
    known = {
        (int(s), int(c), float(t))
        for s, c, t in zip(recording.plots.sensor, recording.plots.scan, recording.plots.time_s, strict=True)
    }
    history = follow(recording.sensors, recording.plots)
    taken = [plot for story in history.stories.values() for plot in story.plots.values()]
    assert taken
    assert {(plot.sensor, plot.scan, plot.time_s) for plot in taken} <= known


def test_bodies_compete_until_they_are_apart(parted):
    recording = read_recording(parted)
    at = {}
    for after_s in (14.0, 25.0):
        state = follow(recording.sensors, recording.plots, recording.start_s + after_s).state
        table, h = state.belief.table, state.belief.states
        of_radar = h.claims[:, 0] >= 0
        near = {n: rivals(state, n) for n in table.number[of_radar].tolist()}
        at[after_s] = {f"T{n:05d}": [r.name for r in found] for n, found in near.items()}
        assert all(r.sigmas < 5.0 and r.distance_m < 100.0 for found in near.values() for r in found)
    one, other = at[14.0]
    assert at[14.0] == {one: [other], other: [one]}
    assert at[25.0] == {one: [], other: []}


def test_a_time_cuts_what_comes_later(capsys, parted):
    whole = json.loads(told(capsys, parted, "--json"))
    early = json.loads(told(capsys, parted, "--at", "12", "--json"))
    assert early["at"] == "2023-11-14T22:13:32.000Z"
    assert told(capsys, parted, "--at", early["at"], "--json") == json.dumps(early, indent=1) + "\n"
    assert sum(sum(row["plots"].values()) for row in early["tracks"]) < sum(
        sum(row["plots"].values()) for row in whole["tracks"]
    )


def test_an_empty_recording_has_no_tracks(capsys, empty_recording):
    assert "0 tracks" in told(capsys, empty_recording)
    assert main(["inspect", str(empty_recording), "T00001"]) == 1
    assert "'T00001' is no track that was reported; there are none" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["T00999", "radar-1"])
def test_an_unknown_track_is_1_and_says_what_is_there(capsys, parted, name):
    assert main(["inspect", str(parted), name]) == 1
    line = capsys.readouterr().err
    assert line.startswith(f"tocsin: parted: '{name}' is no track that was reported; there are T0")
    assert line.count("\n") == 1


@pytest.mark.parametrize("value", ["yesterday", "nan", "2023-11-14", "9999", "-5", "2020-01-01T00:00:00Z"])
def test_a_time_that_cannot_be_is_2_and_says_what_could(capsys, parted, value):
    assert main(["inspect", str(parted), f"--at={value}"]) == 2
    line = capsys.readouterr().err
    assert line.startswith(f"tocsin: inspect: --at is '{value}', must ")
    assert "2023-11-14T22:13:20.000Z" in line
