"""tocsin policy: the curve over recordings, interrupted and gone on with; tocsin replay --policy."""

import json
import shutil

import pyarrow.parquet as pq
import pytest
from lxml import etree

from tocsin.cli import policy
from tocsin.cli.main import main
from tocsin.formats.policy_file import shipped_policy


@pytest.fixture(scope="module")
def curve(flown, tmp_path_factory):
    """Two recordings alike, decided upon at three thresholds; the folder and what was printed."""
    folder = tmp_path_factory.mktemp("policy")
    for name in ("one", "two"):
        shutil.copytree(flown, folder / name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(policy, "VALUES", (1e-6, 1e-3))
        call = [
            "policy",
            str(folder / "one"),
            str(folder / "two"),
            "--out",
            str(folder / "out"),
            "--processes",
            "1",
        ]
        assert main([*call]) == 0
        yield folder, call


def test_the_curve_is_written_and_its_numbers_make_sense(curve):
    folder, _ = curve
    points = pq.read_table(folder / "out" / "policy.parquet").to_pylist()
    assert [point["cost_loss_per_km2"] for point in points] == [1e-6, 2.5e-4, 1e-3]
    assert {point["recordings"] for point in points} == {2}
    assert points[0]["impacts"] > 0
    areas = [point["area_km2"] for point in points]
    assert areas == sorted(areas, reverse=True)
    assert all(0.0 <= point["missed"] <= point["too_late"] <= 1.0 for point in points)
    svg = etree.fromstring((folder / "out" / "policy.svg").read_bytes())
    text = "".join(svg.itertext())
    assert "2 recordings" in text
    assert "2.5e-04" in text
    rows = sorted(path.name for path in (folder / "out" / "rows").iterdir())
    assert rows == ["one.parquet", "two.parquet"]


def test_it_goes_on_where_it_was_and_says_the_same(curve, capsys, monkeypatch):
    folder, call = curve
    main([*call, "--json"])
    whole = capsys.readouterr().out
    (folder / "out" / "rows" / "two.parquet").unlink()
    real, made = policy._decided, []
    monkeypatch.setattr(policy, "_decided", lambda task: made.append(task[0]) or real(task))
    assert main([*call, "--json"]) == 0
    assert capsys.readouterr().out == whole
    assert made == [str(folder / "two")]
    assert json.loads(whole)["points"][0]["recordings"] == 2


def test_other_settings_are_not_mixed_in(curve, capsys, tmp_path):
    _, call = curve
    (tmp_path / "mine.toml").write_text("[decide]\nhold = 0.9\n")
    assert main([*call, "--policy", str(tmp_path / "mine.toml")]) == 1
    assert "the campaign in this folder has settings" in capsys.readouterr().err


def test_the_default_settings_are_printed(capsys):
    assert main(["policy", "--default"]) == 0
    assert capsys.readouterr().out == shipped_policy()


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        ([], 2, "policy: needs RECORDINGs and --out DIR"),
        (["here", "there/here", "--out", "x"], 2, "two recordings are called here"),
        (["here", "--out", "x", "--processes", "0"], 2, "--processes is 0, must be 1 or more"),
        (["here", "--out", "x", "--policy", "none.toml"], 1, "none.toml: cannot be read"),
    ],
)
def test_calls_that_make_no_sense(more, code, said, capsys):
    assert main(["policy", *more]) == code
    assert said in capsys.readouterr().err


def test_a_recording_without_impacts_is_refused(flown, tmp_path, capsys):
    shutil.copytree(flown, tmp_path / "blind")
    (tmp_path / "blind" / "impacts.csv").unlink()
    assert main(["policy", str(tmp_path / "blind"), "--out", str(tmp_path / "out"), "--processes", "1"]) == 1
    assert "blind: has no impacts.csv" in capsys.readouterr().err


def first_alert(folder):
    (first, *_) = json.loads((folder / "alerts.geojson").read_text())["features"]
    return first["properties"]["sent"]


def test_a_replay_goes_by_a_policy_file(flown, tmp_path, capsys):
    """Where a place must be all but sure to be hit, people are told later."""
    (tmp_path / "deaf.toml").write_text("[decide]\ncost_loss_per_km2 = 0.5\n")
    call = ["replay", str(flown), "--latency", "0.5", "--json"]
    assert main([*call, "--out", str(tmp_path / "a")]) == 0
    assert main([*call, "--out", str(tmp_path / "b"), "--policy", str(tmp_path / "deaf.toml")]) == 0
    assert first_alert(tmp_path / "a") < first_alert(tmp_path / "b")
    (tmp_path / "bad.toml").write_text("[decide]\ncost_loss_per_km2 = -1\n")
    assert main([*call, "--out", str(tmp_path / "c"), "--policy", str(tmp_path / "bad.toml")]) == 1
    assert "cost_loss_per_km2 is -1, must be a number from 1e-09 to 1" in capsys.readouterr().err
