"""Bad input, through the command line: one clear line, or one row less."""

import json
import shutil
import subprocess
import sys

import pyarrow.csv as pcsv
import pyarrow.parquet as pq
import pytest

from tocsin.cli.main import main

TOCSIN = (sys.executable, "-m", "tocsin.cli.main")
ROW = 100  # of plots.csv as a person counts, the heading being 1


@pytest.fixture
def recording(flown, tmp_path):
    """A copy to spoil."""
    return shutil.copytree(flown, tmp_path / "spoilt")


def arguments(recording, results):
    return ["replay", str(recording), "--out", str(results), "--latency", "0"]


def as_process(recording, results):
    """Exit code, and what it said on stdout and stderr, of a process of its own."""
    done = subprocess.run([*TOCSIN, *arguments(recording, results)], capture_output=True, text=True)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def replay(capsys):
    """The same of a call in this process, where an exception or a warning fails the test."""

    def run(recording, results):
        capsys.readouterr()
        code = main(arguments(recording, results))
        return code, *capsys.readouterr()

    return run


def plots(folder):
    return (folder / "plots.csv").read_text().splitlines()


def write(folder, lines):
    (folder / "plots.csv").write_text("\n".join(lines) + "\n")


def set_field(folder, field, value, line=ROW):
    lines = plots(folder)
    values = lines[line - 1].split(",")
    assert values[lines[0].split(",").index(field)] != ""
    values[lines[0].split(",").index(field)] = value
    write(folder, [*lines[: line - 1], ",".join(values), *lines[line:]])


def no_plots(folder):
    (folder / "plots.csv").unlink()


def no_sensor_file(folder):
    (folder / "sensors.geojson").unlink()


def no_sensors(folder):
    (folder / "sensors.geojson").write_text('{"type": "FeatureCollection", "features": []}')


def no_column(folder):
    lines = plots(folder)
    write(folder, [lines[0].replace("azimuth_deg", "azimut"), *lines[1:]])


def unknown_sensor(folder):
    set_field(folder, "sensor", "radar-9")


def truncated(folder):
    path = folder / "plots.parquet"
    pq.write_table(pcsv.read_csv(folder / "plots.csv"), path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    no_plots(folder)


def all_gone(folder):
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (all_gone, ["spoilt: no such folder"]),
        (no_plots, ["spoilt", "plots.parquet", "plots.csv"]),
        (no_sensor_file, ["spoilt", "no sensors.geojson"]),
        (no_sensors, ["sensors.geojson", "no sensors"]),
        (no_column, ["plots.csv", "lacks column azimuth_deg"]),
        (unknown_sensor, [f"plots.csv, line {ROW}", "sensor 'radar-9'"]),
        (truncated, ["plots.parquet", "not a whole Parquet file"]),
    ],
)
def test_data_that_cannot_be_used_is_1_and_one_line(recording, tmp_path, replay, spoil, words):
    spoil(recording)
    code, out, err = replay(recording, tmp_path / "results")
    assert code == 1
    (line,) = err.splitlines()
    assert line.startswith("tocsin: ")
    for word in words:
        assert word in line
    assert out == ""
    assert not (tmp_path / "results").exists()


def test_a_process_says_the_same_of_data_that_cannot_be_used(recording, tmp_path, replay):
    truncated(recording)
    said = replay(recording, tmp_path / "results")
    assert said[0] == 1
    assert as_process(recording, tmp_path / "results") == said


def test_an_empty_recording_works(recording, tmp_path, replay):
    write(recording, plots(recording)[:1])
    code, out, err = replay(recording, tmp_path / "results")
    assert (code, err) == (0, "")
    assert "Nothing to warn of" in out
    assert json.loads((tmp_path / "results" / "summary.json").read_text())["counts"]["plots"] == 0


@pytest.fixture(scope="module")
def without_the_row(flown, tmp_path_factory):
    """What comes of the recording that never had the row."""
    folder = shutil.copytree(flown, tmp_path_factory.mktemp("without") / "spoilt")
    lines = plots(folder)
    write(folder, lines[: ROW - 1] + lines[ROW:])
    code, _, err = as_process(folder, folder.with_name("results"))
    assert (code, err) == (0, "")
    return results_of(folder.with_name("results"))


def results_of(folder):
    """Tracks, forecasts and warnings as bytes."""
    found = {p.name: p.read_bytes() for p in [*folder.glob("*.parquet"), *folder.glob("alerts/*.xml")]}
    assert found["tracks.parquet"]
    assert found["0001.xml"]
    return found


@pytest.mark.parametrize(
    ("field", "value"),
    [("azimuth_deg", "400"), ("azimuth_deg", "nan"), ("elevation_deg", "inf"), ("time", "half past two")],
)
def test_one_bad_row_is_told_counted_and_skipped(recording, tmp_path, replay, without_the_row, field, value):
    set_field(recording, field, value)
    code, _, err = replay(recording, tmp_path / "results")
    assert code == 0
    first, second = err.splitlines()
    assert first.startswith(f"tocsin: warning: plots.csv, line {ROW}: {field} '{value}' ")
    assert second == "tocsin: warning: 1 row skipped; the rest is used"
    summary = json.loads((tmp_path / "results" / "summary.json").read_text())
    assert summary["counts"]["rejected"] == 1
    (rejected,) = summary["rejected"]
    assert (rejected["file"], rejected["row"], rejected["field"]) == ("plots.csv", ROW, field)
    # all the rest goes through: the same as if the row had never been
    assert results_of(tmp_path / "results") == without_the_row
