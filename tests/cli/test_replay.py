"""tocsin replay and convert: what they leave behind, and what they say of bad input."""

import json

from tocsin.cli.main import main
from tocsin.formats.recording import read_recording

from ..formats.test_ecsv import BLANKS, PLAIN

RESULTS = ("tracks.parquet", "predictions.parquet", "alerts.geojson", "summary.json", "map.html")


def files(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def without_timing(found):
    summary = json.loads(found["summary.json"])
    del summary["timing"]
    return found | {"summary.json": summary}


def test_an_empty_recording_is_nothing_to_warn_of(capsys, tmp_path, empty_recording):
    out = tmp_path / "results"
    assert main(["replay", str(empty_recording), "--out", str(out)]) == 0
    said = capsys.readouterr()
    assert "Nothing to warn of" in said.out
    assert said.err == ""
    for name in RESULTS:
        assert (out / name).stat().st_size > 0
    assert json.loads((out / "summary.json").read_text())["counts"]["plots"] == 0


def test_a_bad_row_is_told_counted_and_skipped(capsys, tmp_path, small_recording):
    out = tmp_path / "results"
    assert main(["replay", str(small_recording), "--out", str(out), "--latency", "0"]) == 0
    said = capsys.readouterr()
    assert said.err.splitlines() == [
        "tocsin: warning: plots.csv, line 4: azimuth_deg '400' must be a number from -180 to 360",
        "tocsin: warning: 1 row skipped; the rest is used",
    ]
    summary = json.loads((out / "summary.json").read_text())
    assert summary["counts"]["plots"] == 9
    assert summary["counts"]["rejected"] == 1
    assert summary["rejected"] == [
        {
            "file": "plots.csv",
            "row": 4,
            "field": "azimuth_deg",
            "value": "400",
            "reason": "must be a number from -180 to 360",
        }
    ]
    assert summary["timing"]["plots_per_s"] > 0


def test_many_bad_rows_are_told_in_few_lines(capsys, tmp_path, small_recording):
    path = small_recording / "plots.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines, *["2024-11-21T02:54:20Z,radar-1,3,1,2,95,4,"] * 30]) + "\n")
    assert main(["replay", str(small_recording), "--out", str(tmp_path / "r"), "--latency", "0"]) == 0
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 6
    assert said[-1] == "tocsin: warning: 31 rows skipped (the first 5 are named above); the rest is used"


def test_with_a_constant_latency_two_replays_give_the_same_bytes(tmp_path, small_recording):
    for name in ("a", "b"):
        argv = ["replay", str(small_recording), "--out", str(tmp_path / name), "--latency", "0.5"]
        assert main(argv) == 0
    assert without_timing(files(tmp_path / "a")) == without_timing(files(tmp_path / "b"))


def test_a_pace_is_kept(tmp_path, empty_recording, small_recording):
    # nothing happens in it, so nothing is waited for; the option is taken and noted
    assert main(["replay", str(small_recording), "--out", str(tmp_path / "r"), "--speed", "1000"]) == 0
    assert json.loads((tmp_path / "r" / "summary.json").read_text())["timing"]["paced"] is True


def test_results_that_cannot_be_written_are_1(capsys, tmp_path, empty_recording):
    (tmp_path / "file").write_text("")
    assert main(["replay", str(empty_recording), "--out", str(tmp_path / "file" / "r")]) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_convert_a_folder(capsys, tmp_path):
    source = tmp_path / "fireball"
    source.mkdir()
    (source / "a.ecsv").write_text(PLAIN)
    (source / "b.ECSV").write_text(BLANKS.replace("120.25", "nan"))
    (source / "solution.ecsv").write_text(PLAIN.replace("obs_", "x_"))
    out = tmp_path / "recording"
    assert main(["convert", str(source), "--out", str(out)]) == 0
    said = capsys.readouterr()
    assert "CAM01: 3 plots, no errors given: 2 arcminutes taken" in said.out
    assert "Recording of 2 cameras, 4 plots" in said.out
    assert "solution.ecsv: skipped" in said.err
    assert "1 row skipped" in said.err
    assert "b.ECSV, line 19: azimuth is missing" in said.err
    assert read_recording(out).plots.count == 4


def test_convert_files_to_csv_and_json(capsys, tmp_path):
    path = tmp_path / "a.ecsv"
    path.write_text(PLAIN)
    assert main(["convert", str(path), "--out", str(tmp_path / "out"), "--csv", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["plots"] == 3
    assert (tmp_path / "out" / "plots.csv").exists()


def test_convert_says_what_is_wrong(capsys, tmp_path):
    for source, words in (
        (tmp_path / "nowhere", "no such file or folder"),
        (tmp_path, "has no file of a form that is known"),
    ):
        assert main(["convert", str(source), "--out", str(tmp_path / "out")]) == 1
        assert words in capsys.readouterr().err
    (tmp_path / "solution.ecsv").write_text(PLAIN.replace("obs_", "x_"))
    assert main(["convert", str(tmp_path), "--out", str(tmp_path / "out")]) == 1
    assert "no file with a camera's observations" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
