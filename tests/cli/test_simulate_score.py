"""tocsin simulate and score: what they write, what they say, and the referee's opinion of the same."""

import importlib.util
import json
import sys
import warnings
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from tocsin.cli.main import main
from tocsin.formats.recording import read_recording
from tocsin.formats.truth import read_truth

REFEREE = Path(__file__).parents[3] / "shared" / "referee"
SCENARIO = """
name = "small"
title = "A small test"
start = 2026-02-03T04:05:06Z

[[launch]]
name = "a"
latitude_deg = -15.0
longitude_deg = -140.0
after_s = 5.0
heading_deg = 90.0
burn_s = 50.0
burnout_speed_m_s = 1200.0
burnout_elevation_deg = 45.0
ballistic_coefficient_kg_m2 = 3000.0

[launch.separation]
after_burnout_s = 10.0
bodies = 2
body_speed_m_s = 15.0
ballistic_coefficient_kg_m2 = 3000.0
debris = 1

[[aircraft]]
count = 3
latitude_deg = -15.0
longitude_deg = -139.0
radius_m = 50e3
height_m = 9e3
speed_m_s = 220.0

[[sensor]]
id = "radar-1"
kind = "radar"
latitude_deg = -15.3
longitude_deg = -138.6
height_m = 20.0
sigma = { range_m = 20.0, azimuth_deg = 0.05, elevation_deg = 0.05, range_rate_m_s = 2.0 }
detection_probability = 0.95
false_plots_per_scan = 3.0
scan_period_s = 2.0

[sensor.field_of_view]
range_m = [2e3, 600e3]
azimuth_deg = [0.0, 360.0]
elevation_deg = [0.5, 89.0]
range_rate_m_s = [-8000.0, 8000.0]

[[sensor]]
id = "ir-1"
kind = "infrared"
latitude_deg = 0.0
longitude_deg = -150.0
height_m = 35786e3
inclination_deg = 3.0
sigma = { azimuth_deg = 0.015, elevation_deg = 0.0015 }
detection_probability = 0.93
false_plots_per_scan = 1.0
scan_period_s = 2.0
field_of_view = { range_m = [300e3, 50000e3], azimuth_deg = [0.0, 360.0], elevation_deg = [-90.0, -81.2] }
"""


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    folder = tmp_path_factory.mktemp("small")
    (folder / "small.toml").write_text(SCENARIO)
    assert main(["simulate", str(folder / "small.toml"), "--seed", "5", "--out", str(folder / "rec")]) == 0
    return folder / "rec"


def test_it_writes_a_recording_without_a_fault(small):
    recording = read_recording(small)
    assert recording.counts["rejected"] == 0
    assert [s.name for s in recording.sensors] == ["radar-1", "ir-1"]
    assert set(recording.platforms) == {"ir-1"}
    flown, fallen, oracle = read_truth(small)
    assert set(flown.kind) == {"carrier", "body", "stage", "debris", "aircraft"}
    assert [f.kind for f in fallen].count("body") == 2
    assert set(oracle.name) == {n for n, k in zip(flown.name, flown.kind, strict=True) if k != "aircraft"}


def test_the_files_are_typed_as_the_contract_says(small):
    plots = pq.read_schema(small / "plots.parquet")
    assert str(plots.field("time").type) == "timestamp[us, tz=UTC]"
    assert str(plots.field("received").type) == "timestamp[us, tz=UTC]"
    oracle = pq.read_schema(small / "oracle.parquet")
    assert str(oracle.field("in_view").type) == "bool"
    head = (small / "impacts.csv").read_text().splitlines()
    assert head[0] == "object,kind,time,lat_deg,lon_deg"
    assert head[1].split(",")[2].endswith("Z")


def test_the_same_seed_makes_the_same_bytes(small, tmp_path):
    assert main(["simulate", str(small.parent / "small.toml"), "--seed", "5", "--out", str(tmp_path)]) == 0
    for path in small.iterdir():
        assert path.read_bytes() == (tmp_path / path.name).read_bytes(), path.name


def test_csv_holds_the_same(small, tmp_path, capsys):
    call = [
        "simulate",
        str(small.parent / "small.toml"),
        "--seed",
        "5",
        "--csv",
        "--json",
        "--out",
        str(tmp_path),
    ]
    assert main(call) == 0
    told = json.loads(capsys.readouterr().out)
    one, two = read_recording(small), read_recording(tmp_path)
    assert told["plots"] == one.plots.count == two.plots.count
    np.testing.assert_allclose(one.plots.measured, two.plots.measured, rtol=0, atol=1e-9)
    np.testing.assert_array_equal(one.plots.time_s, two.plots.time_s)


def test_the_list_names_what_is_shipped(capsys):
    assert main(["simulate", "--list"]) == 0
    assert "dnipro-2024 " in capsys.readouterr().out
    assert main(["simulate", "--list", "--json"]) == 0
    assert "quiet" in json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("argv", "code", "words"),
    [
        (["simulate"], 2, "--list"),
        (["simulate", "quiet"], 2, "--out"),
        (["simulate", "quiet", "--out", "x", "--seed", "-1"], 2, "--seed"),
        (["simulate", "nowhere.toml", "--out", "x"], 1, "nowhere.toml"),
    ],
)
def test_a_wrong_call_says_why(capsys, argv, code, words):
    assert main(argv) == code
    said = capsys.readouterr().err
    assert words in said
    assert "Traceback" not in said


def test_a_bad_scenario_names_file_key_and_limit(capsys, tmp_path):
    path = tmp_path / "bad.toml"
    path.write_text(SCENARIO.replace("burn_s = 50.0", "burn_s = 5000.0"))
    assert main(["simulate", str(path), "--out", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().err
    assert f"{path}: launch[0].burn_s is 5000.0, must be a number from 5 to 600" in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("missing", ["truth.parquet", "impacts.csv"])
def test_without_truth_there_is_no_score(capsys, small, tmp_path, missing):
    for path in small.iterdir():
        if path.name != missing:
            (tmp_path / path.name).write_bytes(path.read_bytes())
    assert main(["score", str(tmp_path), str(tmp_path)]) == 1
    assert missing.split(".")[0] in capsys.readouterr().err


def referee(name):
    """A module of the referee, under a name of its own."""
    if not (REFEREE / f"{name}.py").is_file():
        pytest.skip("the referee is not beside this checkout (../shared/referee)")
    sys.path.insert(0, str(REFEREE))
    try:
        spec = importlib.util.spec_from_file_location(name, REFEREE / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        return module
    finally:
        sys.path.remove(str(REFEREE))


@pytest.mark.shared
@pytest.mark.parametrize("good", [True, False])
def test_the_referee_says_the_same(capsys, small, tmp_path, good):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the referee's own
        theirs, selftest = referee("score"), referee("selftest")
        selftest.fake(theirs.Recording(str(small)), str(tmp_path / "fake"), good)
        wanted = theirs.clean(theirs.score(str(small), str(tmp_path / "fake")))
    capsys.readouterr()
    assert main(["score", str(small), str(tmp_path / "fake"), "--json"]) == 0
    got = json.loads(capsys.readouterr().out)

    def near(x):
        return x if x is None else pytest.approx(x, rel=0.01, abs=1e-6)

    t, u = wanted["tracking"], got["tracking"]
    for key in ("gospa_m", "gospa_localisation_m", "gospa_missed_m", "gospa_false_m", "position_rmse_m"):
        assert u[key] == near(t[key]), key
    assert u["nees"]["mean"] == near(t["nees"]["mean"])
    assert u["nees"]["interval95"] == near(t["nees"]["interval95"])
    assert u["position_error_over_bound_median"] == near(t["position_error_over_bound_median"])
    assert (u["switches"], u["objects_in_view"]) == (t["switches"], t["objects_in_view"])
    sure = u["existence"]
    assert sum(b["samples"] for b in sure["bins"]) == sure["samples"] > 0
    assert (sure["real"] > 0.95) == good  # the bad fake has tracks of nothing
    p, q = wanted["prediction"], got["prediction"]
    assert q["inside_area"]["rows"] == near(p["inside_area"]["rows"])
    for level, share in q["inside_ellipse"].items():
        assert share["objects"] == near(p["inside_ellipse"][level]["objects"])
    for lead, row in q["before_impact"].items():
        for key, value in row.items():
            assert value == near(p["before_impact"][lead][key]), (lead, key)
    w, v = wanted["warning"], got["warning"]
    assert v["false_area_time_km2_min"] == near(w["false_area_time_km2_min"])
    assert v["alerted_area_km2"] == near(w["alerted_area_total_km2"])
    assert (v["warned"], v["missed"], v["chains"]) == (w["warned"], w["missed"], w["alert_chains"])
    for theirs_, ours in zip(w["impacts"], v["impacts"], strict=True):
        for key in ("lead_s", "first_covered_s", "lead_100_s", "lead_1000_s"):
            assert ours[key] == near(theirs_[key]), (ours["object"], key)


@pytest.mark.shared
def test_the_verdict_reads_well(capsys, small, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs, selftest = referee("score"), referee("selftest")
        selftest.fake(theirs.Recording(str(small)), str(tmp_path / "fake"), True)
    assert main(["score", str(small), str(tmp_path / "fake")]) == 0
    text = capsys.readouterr().out
    for word in ("GOSPA", "NEES", "existence", "inside the area", "lead time", "around nothing"):
        assert word in text
    assert max(map(len, text.splitlines())) < 120
