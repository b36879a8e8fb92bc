"""tocsin predict, as a user meets it."""

import json

import numpy as np
import pytest

from tocsin.cli import predict
from tocsin.cli.main import main
from tocsin.earth.flights import to_time
from tocsin.formats.geojson import moment
from tocsin.prediction import forecast, landings

from ..formats.test_oem import START_S, message
from ..prediction.decay_truth import over

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


COAST = ["lat_deg=48", "lon_deg=35", "height_m=300e3", "speed_m_s=3000", "heading_deg=80", "climb_deg=20"]


def test_what_may_still_be_released_is_told_in_all_forms(tmp_path, capsys):
    path = tmp_path / "areas.geojson"
    assert main(["predict", *COAST, "--geojson", str(path)]) == 0
    said = capsys.readouterr().out
    assert "may still release  with a chance of" in said
    assert "Spent stages and light debris among these come down elsewhere and later" in said
    assert main(["predict", *COAST, "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["predictions"]
    may = found["may_release"]
    assert 0.0 < may["chance"] <= 0.5
    assert may["until"] is None
    assert 0.0 < may["until_after_s"] < may["impact_after_s"]
    assert [area["share"] for area in may["areas"]] == [0.5, 0.9, 0.99]
    features = json.loads(path.read_text())["features"]
    drawn = [f for f in features if f["properties"]["what"] == "may release"]
    assert [f["properties"]["area_km2"] for f in drawn] == pytest.approx(
        [area["area_km2"] for area in may["areas"]]
    )
    assert main(["predict", *COAST, "--origin", "child", "--json"]) == 0
    (child,) = json.loads(capsys.readouterr().out)["predictions"]
    assert "may_release" not in child


def test_priors_of_ones_own(tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["predict", "--default-priors"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    own = tmp_path / "own.toml"
    own.write_text(text.replace("chance = 0.5", "chance = 0.0"))
    assert main(["predict", *COAST, "--priors", str(own), "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["predictions"]
    assert "may_release" not in found
    own.write_text("[release]\nchance = 2\n")
    assert main(["predict", *COAST, "--priors", str(own)]) == 1
    assert "own.toml: [release] chance is 2, must be a number from 0 to 1" in capsys.readouterr().err
    assert main(["predict", *COAST, "--priors", str(tmp_path / "none.toml")]) == 1
    assert "none.toml: cannot be read" in capsys.readouterr().err


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


def ephemeris(hours=(0.0, 3.0, 6.0)):
    """Lines of a message: a body of 100 kg/m2 on its last day."""
    seconds = 3600.0 * np.array(hours)
    states = to_time(np.tile(over(20.0, 40.0, 175e3, 50.0), (len(seconds), 1)), 100.0, seconds).state / 1e3
    return "".join(
        f"{moment(START_S + t)[:-1]} {' '.join(f'{v:.9f}' for v in state)}\n"
        for t, state in zip(seconds, states, strict=True)
    )


def test_a_decaying_orbit_has_a_window_that_narrows_as_states_come_in(tmp_path, capsys):
    path, out = tmp_path / "decay.oem", tmp_path / "track.geojson"
    path.write_text("\n".join(message(lines=ephemeris())) + "\n")
    assert main(["predict", str(path), "--origin", "orbit", "--geojson", str(out)]) == 0
    said = capsys.readouterr().out
    assert said.count("It comes down within a window: with a chance of 90 %") == 3
    assert "comes down       2026-05-0" in said
    assert "By its earlier states it is braked as" in said
    assert "revolutions, from" in said
    tracks = [feature["properties"] for feature in json.loads(out.read_text())["features"]]
    assert {one["what"] for one in tracks} == {"track"}
    assert main(["predict", str(path), "--origin", "orbit", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)["predictions"]
    widths = []
    for one in made:
        late = one["window"]["impact_after_quantiles_s"]
        widths.append((late["0.95"] or 7 * 86400.0) - late["0.05"])
    assert widths[2] < widths[1] < 0.3 * widths[0]
    assert made[2]["window"]["acting_ballistic_coefficient_kg_m2"] == pytest.approx(100.0, rel=0.05)


def test_a_decaying_orbit_without_a_time_in_words(capsys):
    state = ["lat_deg=20", "lon_deg=40", "height_m=150e3", "east_m_s=5500", "north_m_s=5080", "up_m_s=0"]
    assert main(["predict", *state, "--beta", "120", "--density", "0.9", "--density-sigma", "0.1"]) == 0
    said = capsys.readouterr().out
    assert "h after the state" in said
    assert "  90 % of times    after " in said
    assert "kg/m2 in standard air, to a factor of 1.2" in said


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
        ([*ONE, "--density", "99"], 2, "density_factor is 99, must be from 0.1 to 10"),
        ([*ONE, "--density-sigma", "0.2"], 2, "density_sigma is given without density_factor"),
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
