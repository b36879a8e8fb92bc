"""The account of a sample recording, with all that a recording tells."""

import re

from tocsin.cli.main import main

from .conftest import SHARED


def test_the_brief_of_dnipro(replayed, scored, tmp_path):
    one = replayed("dnipro-2024")
    for form in ("pdf", "html"):
        out = tmp_path / f"brief.{form}"
        command = ["brief", str(one.results), "--recording", str(SHARED / "recordings" / "dnipro-2024")]
        assert main([*command, "--out", str(out)]) == 0
    assert (tmp_path / "brief.pdf").stat().st_size < 2_000_000
    page = (tmp_path / "brief.html").read_text(encoding="utf-8")
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
    assert "Falling objects at Dnipro, 21 November 2024" in text
    assert "Dnipro (Дніпро)" in text
    assert "What came down was seen first by ir-1" in text
    # 7 dangerous impacts; how many were warned of is the referee's to say
    warned = scored("dnipro-2024")["warning"]
    missed = warned.get("missed", 0)
    assert f"{7 - missed} of 7" in text
    assert text.count("a-body-") >= 6
