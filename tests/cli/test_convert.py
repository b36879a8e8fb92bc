"""tocsin convert: the form is seen from the files, and what cannot be done is said."""

import json

import pytest

from tocsin.cli.main import main
from tocsin.formats.recording import read_recording
from tocsin.formats.sensors import sensors_text

from ..formats.conftest import sensors
from ..formats.test_ecsv import PLAIN
from ..formats.test_orekit import LOOKS, SETUP
from ..formats.test_tdm import MESSAGE


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "source"
    folder.mkdir()
    return folder


@pytest.fixture
def sensors_file(tmp_path):
    path = tmp_path / "sensors.geojson"
    path.write_text(sensors_text(sensors()))
    return path


def test_orekit_folder(capsys, tmp_path, source):
    (source / "README.txt").write_text("what this is\n")
    (source / "case.in").write_text(SETUP)
    (source / "pass.aer").write_text(LOOKS + "2010-11-02T03:00:00 RANGE West 1.0\n")
    out = tmp_path / "recording"
    assert main(["convert", str(source), "--out", str(out)]) == 0
    said = capsys.readouterr()
    assert said.out.splitlines() == [
        "North: 2 plots",
        "South: 2 plots",
        f"Recording of 2 stations, 4 plots: {out}",
    ]
    assert "pass.aer, line 6: station 'West' is not one of the stations, North, South" in said.err
    assert "1 row skipped" in said.err
    assert read_recording(out).plots.count == 4
    assert main(["convert", str(source / "case.in"), "--out", str(out), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["stations"] == [{"sensor": "North", "plots": 2}, {"sensor": "South", "plots": 2}]
    assert len(result["rejected"]) == 1


def test_tracking_data_messages(capsys, tmp_path, source, sensors_file):
    (source / "pass.tdm").write_text(MESSAGE)
    out = tmp_path / "recording"
    command = ["convert", str(source / "pass.tdm"), "--out", str(out)]
    assert main([*command, "--sensors", str(sensors_file)]) == 0
    said = capsys.readouterr()
    assert f"Recording of 1 station, 3 plots: {out}" in said.out
    assert "not used: DOPPLER_INTEGRATED" in said.err
    assert read_recording(out).sensors[0].name == "radar-1"
    assert main(command) == 2
    assert "does not say where its stations stand; give --sensors" in capsys.readouterr().err


def test_what_cannot_be_converted_is_one_clear_line(capsys, tmp_path, source, sensors_file):
    (source / "a.ecsv").write_text(PLAIN)
    (source / "case.in").write_text(SETUP)
    (source / "other.in").write_text(SETUP)
    (source / "pass.aer").write_text(LOOKS)
    (source / "picture.png").write_bytes(bytes(range(256)) * 1000)
    out = ["--out", str(tmp_path / "out")]
    for files, more, code, words in (
        (["picture.png"], [], 1, "picture.png: is not of a form that is known: fireball observations (ECSV)"),
        (["pass.aer"], [], 1, "give the input file that names it and the stations"),
        (["case.in", "a.ecsv"], [], 1, "are of different forms; convert one form at a time"),
        (["case.in", "other.in"], [], 1, "a second input of an orbit determination"),
        (["case.in"], ["--sensors", str(sensors_file)], 2, "--sensors is of no use for Orekit files"),
        (["a.ecsv"], ["--sensors", str(sensors_file)], 2, "--sensors is of no use for ECSV files"),
    ):
        assert main(["convert", *(str(source / name) for name in files), *out, *more]) == code
        said = capsys.readouterr().err
        assert words in said
        assert len(said.splitlines()) == 1
    assert not (tmp_path / "out").exists()
