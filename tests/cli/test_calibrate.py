"""tocsin calibrate: chunks that are resumed, counts and the plot."""

import json

import pyarrow.parquet as pq
import pytest
from lxml import etree

from tocsin.cli import calibrate
from tocsin.cli.main import main

FEW = ["--flights", "8", "--families", "fireball,short", "--chunk", "2", "--seed", "5"]


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A campaign of eight flights."""
    folder = tmp_path_factory.mktemp("campaign") / "a"
    assert main(["calibrate", "--out", str(folder), *FEW, "--processes", "1"]) == 0
    return folder


def test_what_is_written(made, capsys):
    assert main(["calibrate", "--out", str(made), *FEW]) == 0  # all is there: counted anew
    said = capsys.readouterr().out
    assert "8 flights came down" in said
    assert "fireball      first          4" in said
    assert sorted(contents(made)) == [
        "calibration.parquet", "calibration.svg", "campaign.json",
        *(f"rows/{family}-0000{number}.parquet" for family in ("fireball", "short") for number in (0, 1)),
    ]  # fmt: skip
    cells = pq.read_table(made / "calibration.parquet").to_pylist()
    first = [c for c in cells if (c["family"], c["lead"], c["of"], c["said"]) == ("short", 0, "area", 0.99)]
    assert [c["forecasts"] for c in first] == [4]
    root = etree.fromstring((made / "calibration.svg").read_bytes())
    words = " ".join(root.itertext())
    assert "8 drawn flights" in words
    assert "fireball" in words


def test_two_processes_and_an_interruption_change_nothing(made, tmp_path, monkeypatch, capsys):
    folder = tmp_path / "b"
    real, count = calibrate._made, []

    def interrupted(task):
        count.append(task)
        if len(count) == 2:
            raise KeyboardInterrupt
        return real(task)

    monkeypatch.setattr(calibrate, "_made", interrupted)
    assert main(["calibrate", "--out", str(folder), *FEW, "--processes", "1"]) == 130
    assert len(list((folder / "rows").iterdir())) == 1
    monkeypatch.undo()
    assert main(["calibrate", "--out", str(folder), *FEW, "--processes", "2"]) == 0
    assert contents(folder) == contents(made)


def test_more_flights_are_added_to_those_that_are_there(made, tmp_path, capsys):
    folder = tmp_path / "c"
    assert main(["calibrate", "--out", str(folder), *FEW, "--processes", "1"]) == 0
    more = ["--flights", "10", *FEW[2:], "--processes", "1", "--json"]
    capsys.readouterr()
    assert main(["calibrate", "--out", str(folder), *more]) == 0
    assert json.loads(capsys.readouterr().out)["flights"] == 12  # whole chunks
    after = contents(folder)
    assert all(after[name] == content for name, content in contents(made).items() if name.startswith("rows"))


def test_another_campaign_in_the_same_folder_is_refused(made, capsys):
    assert main(["calibrate", "--out", str(made), *FEW[:-1], "6"]) == 1
    assert "the campaign in this folder has seed 5 and not 6; choose another --out" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--families", "short,steep"], "there is no family 'steep'; there are short,"),
        (["--flights", "0"], "--flights is 0, must be 1 or more"),
        (["--processes", "0"], "--processes is 0"),
        (["--seed", "-1"], "--seed is -1"),
    ],
)
def test_wrong_calls(tmp_path, capsys, arguments, words):
    assert main(["calibrate", "--out", str(tmp_path / "d"), *arguments]) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "d").exists()


def test_a_spoilt_chunk_is_named(made, tmp_path, capsys):
    folder = tmp_path / "e"
    assert (
        main(
            [
                "calibrate",
                "--out",
                str(folder),
                *FEW[:2],
                "--families",
                "fireball",
                *FEW[4:],
                "--processes",
                "1",
            ]
        )
        == 0
    )
    (folder / "rows" / "fireball-00001.parquet").write_bytes(b"PAR1")
    assert main(["calibrate", "--out", str(folder), *FEW[:2], "--families", "fireball", *FEW[4:]]) == 1
    assert "fireball-00001.parquet: cannot be read as Parquet" in capsys.readouterr().err
