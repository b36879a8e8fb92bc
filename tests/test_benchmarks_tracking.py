"""The harness that compares trackers: it makes, drives and scores a run, and its bootstrap finds what is there."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"

pytestmark = [
    pytest.mark.compiled,
    pytest.mark.skipif(not BENCHMARKS.is_dir(), reason="the benchmarks are not beside the tests"),
]


@pytest.fixture(scope="module")
def bench():
    spec = importlib.util.spec_from_file_location("tracking_benchmark", BENCHMARKS / "tracking.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def run(bench, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "single-1000"
    return bench.measure(bench.Job("single", 1000, str(folder), 60.0))


def test_a_run_is_simulated_driven_and_scored(bench, run):
    assert "error" not in run, run.get("traceback")
    assert run["objects"] == 1
    assert run["plots"] > 1000 and run["rows"] > 10  # noqa: PT018
    for figure in bench.FIGURES:
        assert isinstance(run[figure.key], float | int), figure.key
    assert 0.0 < run["gospa_m"] < 7072.0  # 10 km / sqrt(2), as if its one object were never tracked
    assert run["looks"]["a"] >= 1
    json.dumps(run)


def test_a_second_call_takes_the_recording_that_is_there(bench, run):
    folder = Path(run["recording"])
    before = (folder / "plots.parquet").stat().st_mtime_ns
    assert bench.recording_of("single", 1000, folder) == folder
    assert (folder / "plots.parquet").stat().st_mtime_ns == before


def test_a_run_that_fails_is_told_and_the_others_go_on(bench, run, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(bench, "warm_up", lambda: None)  # nothing here is timed
    jobs = [
        bench.Job("nowhere", None, str(tmp_path / "nowhere"), 60.0),
        bench.Job("single", 1000, run["recording"], 60.0),
        bench.Job("single", 1000, run["recording"], 0.0),  # out of time at once
    ]
    out = tmp_path / "out.json"
    records = bench.measure_all(jobs, 1, out, bench.about())
    assert [("error" in r) for r in records] == [True, False, True]
    assert "no such folder" in records[0]["error"]
    assert records[2]["error"].startswith("TimeoutError")
    assert json.loads(out.read_text())["runs"] == records
    text = bench.table(records)
    assert "single: 1 runs" in text and "FAILED nowhere" in text  # noqa: PT018
    timing = ("loop_s", "cpu_s", "plots_per_s", "plots_per_cpu_s", "longest_step_ms", "scoring_s")
    same = [{k: v for k, v in r.items() if k not in timing} for r in (run, records[1])]
    assert same[0] == same[1]  # the same recording gives the same tracks
    capsys.readouterr()


def test_every_family_has_a_scenario_and_the_same_one_again(bench):
    for family in (*bench.FAMILIES, "many-20"):
        text = bench.scenario_text(family, 7)
        assert bench.parse_scenario(text).sensors
    assert text == bench.scenario_text("many-20", 7)
    assert text.split("\n", 2)[2] != bench.scenario_text("many-20", 8).split("\n", 2)[2]
    for family in ("none", "many-0", "single-3"):
        with pytest.raises(ValueError, match=family):
            bench.scenario_text(family, 7)


def test_what_is_seen_from_a_place_is_what_the_simulator_sees(bench, run):
    # the plots of the body, found by the gate, lie about the truth as their noise says
    recording, truth = bench.read_recording(run["recording"]), bench.read_truth_of(run["recording"])
    watches = bench.watches_of(recording.sensors, recording.plots)
    first_s, received_s, number = bench.first_plots(watches, truth)["a"]
    bound = truth.bounds["a"]
    told_s = bound.time_s[np.flatnonzero(bound.plots_so_far > 0)[0]]
    assert told_s - 1.0 <= received_s <= told_s
    watch = watches[number]
    row = int(np.flatnonzero(watch.time_s == first_s)[0])
    state = bench.interpolate(truth.time_s["a"], truth.state["a"], watch.time_s[[row]])
    off = watch.measured[[row]] - bench.seen_from(watch.position_m[[row]], state)
    assert np.nanmax(np.abs(off / watch.sensor.sigma)) < 5.0


def test_the_bootstrap_covers_the_true_difference(bench):
    rng = np.random.default_rng(5)
    held = 0
    for seed in range(200):
        a = rng.normal(10.0, 5.0, 30)
        b = a + rng.normal(1.0, 2.0, 30)
        change, low, high = bench.paired_bootstrap(a, b, seed, 1000)
        assert low <= change <= high
        held += low <= 1.0 <= high
    # 95 % of 200, less about 2 points that percentiles lack at 30 pairs; 1.7 points is one sigma
    assert 0.87 <= held / 200 <= 0.99
    assert bench.paired_bootstrap([3.0, 4.0], [3.0, 4.0]) == (0.0, 0.0, 0.0)


def test_a_comparison_pairs_runs_and_says_what_is_better(bench, run):
    first = [
        run | {"seed": s, "ids_per_object": 3.0 + 0.1 * (s % 3), "plots_per_s": 1000.0} for s in range(8)
    ]
    second = [r | {"ids_per_object": r["ids_per_object"] - 1.0, "plots_per_s": 900.0} for r in first[::-1]]
    second[0] = {"family": "single", "seed": 7, "error": "it broke"}
    lines = bench.comparison(first, second).splitlines()
    assert lines[0] == "single: 7 runs in both"
    (ids,) = (line for line in lines if "track ids" in line)
    (speed,) = (line for line in lines if "plots/s of the loop" in line)
    assert ids.split()[-6:] == ["2.1000", "-1.0000", "-1.0000", "..", "-1.0000", "better"] or ids.endswith(
        "better"
    )
    assert speed.endswith("worse")
    assert "FAILED in the second: single 7: it broke" in lines
