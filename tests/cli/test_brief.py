"""tocsin brief: files in, a file out, and what it says of bad input."""

import json
import re

import pytest

from tocsin.cli.main import main

from ..brief.made import results


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return results(tmp_path_factory.mktemp("made"))


def test_it_writes_html_and_pdf_the_same_each_time(capsys, tmp_path, made):
    for form in ("html", "pdf"):
        for name in ("a", "b"):
            assert main(["brief", str(made), "--out", str(tmp_path / f"{name}.{form}")]) == 0
        assert (tmp_path / f"a.{form}").read_bytes() == (tmp_path / f"b.{form}").read_bytes()
    said = capsys.readouterr()
    assert "a.pdf: 2 incidents of 1 March 2026" in said.out
    assert said.err == ""


def test_each_file_stands_with_its_sum(tmp_path, made):
    import hashlib

    assert main(["brief", str(made), "--out", str(tmp_path / "a.html")]) == 0
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    for name in ("tracks.parquet", "predictions.parquet", "events.jsonl", "summary.json", "alerts.geojson"):
        assert hashlib.sha256((made / name).read_bytes()).hexdigest() in page


def test_with_the_recording_it_knows_plots_and_truth(capsys, tmp_path, flown):
    out = tmp_path / "results"
    assert main(["replay", str(flown), "--out", str(out), "--latency", "0.5"]) == 0
    page = tmp_path / "brief.html"
    assert main(["brief", str(out), "--recording", str(flown), "--out", str(page)]) == 0
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.read_text(encoding="utf-8")))
    assert "was seen first by radar" in text
    assert re.search(r"radar\S* scan \d+, measured \d\d:\d\d:\d\d", text)
    assert "are known to have come down" in text or "is known to have come down" in text
    summary = json.loads((out / "summary.json").read_text())
    assert f"{summary['counts']['plots']:,}".replace(",", "\u00a0") in page.read_text(encoding="utf-8")
    assert capsys.readouterr().err == ""


def test_another_recording_is_told(capsys, tmp_path, made, empty_recording):
    page = tmp_path / "brief.html"
    assert main(["brief", str(made), "--recording", str(empty_recording), "--out", str(page)]) == 0
    assert "the results are of the recording 'made'" in capsys.readouterr().err
    assert "found other tracks than the results hold" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["brief", "brief.txt", "brief.docx"])
def test_another_form_is_refused(capsys, tmp_path, made, name):
    assert main(["brief", str(made), "--out", str(tmp_path / name)]) == 2
    assert "must end in .pdf or .html" in capsys.readouterr().err
    assert not (tmp_path / name).exists()


def test_a_broken_event_is_named_by_its_line(capsys, tmp_path):
    folder = results(tmp_path / "results")
    lines = (folder / "events.jsonl").read_text().splitlines()
    (folder / "events.jsonl").write_text("\n".join([lines[0], '{"time": "yesterday"}', *lines[2:]]))
    assert main(["brief", str(folder), "--out", str(tmp_path / "a.html")]) == 1
    assert "events.jsonl, line 2: is not an event" in capsys.readouterr().err
    assert main(["brief", str(tmp_path / "nowhere"), "--out", str(tmp_path / "a.html")]) == 1
    assert "no such folder" in capsys.readouterr().err
