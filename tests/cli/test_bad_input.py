"""Bad input, through the command line as a process of its own: one clear line, or one row less."""

import json
import shutil
import subprocess
import sys

import pyarrow.csv as pcsv
import pyarrow.parquet as pq
import pytest

TOCSIN = (sys.executable, "-m", "tocsin.cli.main")
ROW = 100  # of plots.csv as a person counts, the heading being 1


@pytest.fixture
def recording(flown, tmp_path):
    """A copy to spoil."""
    return shutil.copytree(flown, tmp_path / "spoilt")


def replay(recording, results):
    command = [*TOCSIN, "replay", str(recording), "--out", str(results), "--latency", "0"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert "Traceback" not in done.stderr
    return done


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
def test_data_that_cannot_be_used_is_1_and_one_line(recording, tmp_path, spoil, words):
    spoil(recording)
    done = replay(recording, tmp_path / "results")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("tocsin: ")
    for word in words:
        assert word in line
    assert done.stdout == ""
    assert not (tmp_path / "results").exists()


def test_an_empty_recording_works(recording, tmp_path):
    write(recording, plots(recording)[:1])
    done = replay(recording, tmp_path / "results")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Nothing to warn of" in done.stdout
    assert json.loads((tmp_path / "results" / "summary.json").read_text())["counts"]["plots"] == 0


@pytest.fixture(scope="module")
def without_the_row(flown, tmp_path_factory):
    """What comes of the recording that never had the row."""
    folder = shutil.copytree(flown, tmp_path_factory.mktemp("without") / "spoilt")
    lines = plots(folder)
    write(folder, lines[: ROW - 1] + lines[ROW:])
    done = replay(folder, folder.with_name("results"))
    assert done.returncode == 0
    assert done.stderr == ""
    return results_of(folder.with_name("results"))


def results_of(folder):
    """Tracks, forecasts and warnings as bytes."""
    found = {p.name: p.read_bytes() for p in [*folder.glob("*.parquet"), *folder.glob("alerts/*.xml")]}
    assert found["tracks.parquet"]
    return found


@pytest.mark.parametrize(
    ("field", "value"),
    [("azimuth_deg", "400"), ("azimuth_deg", "nan"), ("elevation_deg", "inf"), ("time", "half past two")],
)
def test_one_bad_row_is_told_counted_and_skipped(recording, tmp_path, without_the_row, field, value):
    set_field(recording, field, value)
    done = replay(recording, tmp_path / "results")
    assert done.returncode == 0
    first, second = done.stderr.splitlines()
    assert first.startswith(f"tocsin: warning: plots.csv, line {ROW}: {field} '{value}' ")
    assert second == "tocsin: warning: 1 row skipped; the rest is used"
    summary = json.loads((tmp_path / "results" / "summary.json").read_text())
    assert summary["counts"]["rejected"] == 1
    (rejected,) = summary["rejected"]
    assert (rejected["file"], rejected["row"], rejected["field"]) == ("plots.csv", ROW, field)
    # all the rest goes through: the same as if the row had never been
    assert results_of(tmp_path / "results") == without_the_row
