"""tocsin predict, as a user meets it."""

import json

import pytest

from tocsin.cli import predict
from tocsin.cli.main import main
from tocsin.prediction import forecast, landings

from ..formats.test_oem import message

ONE = ["lat_deg=48", "lon_deg=35", "height_m=80e3", "speed_m_s=3000", "heading_deg=80", "climb_deg=-40"]
HEADING = "name,time,lat_deg,lon_deg,height_m,speed_m_s,heading_deg,climb_deg"
ROWS = [
    "first,2026-05-01T12:00:00Z,48,35,80000,3000,80,-40",
    "orbit,2026-05-01T12:00:00Z,0,35,400000,7180,90,0",
    "under,2026-05-01T12:00:00Z,48,35,-3000,100,80,-40",
]


@pytest.fixture
def states(tmp_path):
    path = tmp_path / "states.csv"
    path.write_text("\n".join([HEADING, *ROWS, "bad,2026-05-01T12:00:00Z,98,35,80000,3000,80,-40"]) + "\n")
    return path


def test_one_state_of_the_command_line(capsys):
    assert main(["predict", *ONE, "--beta", "300", "--share", "0.95"]) == 0
    said = capsys.readouterr().out
    assert "It comes down." in said
    assert "95 % area" in said
    assert "after the state" in said
    assert "taken to be    given" in said


def test_a_file_of_states_with_a_bad_row(states, capsys):
    assert main(["predict", str(states)]) == 0
    said = capsys.readouterr()
    assert "2026-05-01T12:00:" in said.out
    assert "It stays above" in said.out
    assert "under the ground" in said.out
    assert "states.csv, line 5: lat_deg '98' must be from -90 to 90" in said.err
    assert "1 row skipped" in said.err


def test_all_skipped_rows_are_counted(tmp_path, capsys):
    path = tmp_path / "states.csv"
    path.write_text("\n".join([HEADING, ROWS[0], *["bad,,98,35,80000,3000,80,-40"] * 1500]) + "\n")
    assert main(["predict", str(path)]) == 0
    assert "1500 rows skipped (the first 5 are named above)" in capsys.readouterr().err


def test_a_folder_is_no_file(tmp_path, capsys):
    assert main(["predict", str(tmp_path)]) == 1
    assert capsys.readouterr().err == f"tocsin: {tmp_path}: is no file\n"


def test_many_states_are_a_table(tmp_path, capsys):
    path = tmp_path / "many.csv"
    path.write_text("\n".join([HEADING, *ROWS, *ROWS]) + "\n")
    assert main(["predict", str(path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("State")
    assert len(lines) == 7


def test_json_and_geojson(states, tmp_path, capsys):
    out = tmp_path / "areas.geojson"
    assert main(["predict", str(states), "--json", "--geojson", str(out)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["status"] for one in found["predictions"]] == [0, 1, 4]
    assert found["rejected"][0]["row"] == 5
    assert len(json.loads(out.read_text())["features"]) == 6


def test_a_fireball_with_a_wind(tmp_path, capsys):
    wind = tmp_path / "wind.csv"
    wind.write_text("height_m,speed_m_s,from_deg\n0,5,270\n11000,40,280\n30000,10,270\n")
    state = [
        "lat_deg=-30",
        "lon_deg=137",
        "height_m=18e3",
        "speed_m_s=2900",
        "heading_deg=80",
        "climb_deg=-65",
    ]
    assert main(["predict", *state, "--origin", "meteoroid", "--wind", str(wind)]) == 0
    said = capsys.readouterr().out
    assert "pieces of 3400 kg/m3 (fragment)" in said
    assert "10 kg" in said


def test_an_orbit_ephemeris_message(tmp_path, capsys):
    path = tmp_path / "decay.oem"
    path.write_text("\n".join(message("TEME")) + "\n")
    assert main(["predict", str(path), "--origin", "orbit"]) == 0
    said = capsys.readouterr()
    assert said.out.count("STAGE: ") == 3
    assert "UT1 is taken as UTC" in said.err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["nowhere.csv"], 1, "nowhere.csv: no such file"),
        ([*ONE, "nonsense"], 2, "'nonsense' is neither a file nor one of a state's name=value"),
        ([*ONE, "--beta", "-3"], 2, "ballistic_coefficient is -3 kg/m2, must be from 2 to 100000 kg/m2"),
        (
            [*ONE, "--origin", "mars"],
            2,
            "origin is 'mars', must be one of whole, child, orbit, meteoroid, breakup",
        ),
        ([*ONE, "--share", "1.5"], 2, "shares must lie between 0 and 1, are [1.5]"),
        ([*ONE, "--wind", "nowhere.csv"], 1, "nowhere.csv: cannot be read"),
        ([*ONE, "--wind-sigma", "-1"], 2, "wind_sigma_m_s is -1 m/s, must be from 0 to 100 m/s"),
        (["lat_deg=1"], 2, "the state is not whole"),
    ],
)
def test_wrong_calls(words, code, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["predict", *words]) == code
    assert said in capsys.readouterr().err


def test_what_the_command_names_is_what_the_predictor_knows():
    """Its help must not load the predictor, so it names them itself."""
    assert predict.ORIGINS == forecast.ORIGINS
    assert tuple(landings.SHARES) == predict.SHARES
