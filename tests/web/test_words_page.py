"""The texts as Chromium sets them: in Arabic, names, times and numbers stand where they are read."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

import pytest

from tocsin.formats.words import shipped_words, time_zone
from tocsin.warning.alert import Place
from tocsin.warning.phrases import STAGES
from tocsin.warning.places import Near, Surroundings
from tocsin.warning.wording import Times, texts

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine (apt install chromium)"),
]

NOON_S = 1_800_000_000.0
DNIPRO = Place("Dnipro", "UA", 48.46, 35.04, 968502, (("uk", "Дніпро"),))
INSIDE = Surroundings((DNIPRO, DNIPRO._replace(name="Novi Kodaky 2", names=())), 1_234_567, None)
NEAR = Surroundings((), 0, Near(DNIPRO, 1200.4, 1))
TIMES = Times(NOON_S, NOON_S + 250.0, NOON_S + 300.0, NOON_S + 360.0)
PARTS = ("event", "headline", "description", "instruction", "area_description", "text_90", "text_600")
# where the signs of a paragraph stand: runs from left to right, line by line
IN_SIGHT = """(paragraph) => {
  const node = paragraph.firstChild, range = document.createRange(), signs = [];
  for (let i = 0; i < node.length; i++) {
    range.setStart(node, i);
    range.setEnd(node, i + 1);
    const box = range.getBoundingClientRect();
    if (box.width > 0) signs.push([Math.round(box.top / 8), box.left, node.data[i]]);
  }
  signs.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  return signs.map((sign) => sign[2]).join("");
}"""


def page_of(languages: tuple[str, ...], zone: str) -> str:
    """All texts, each in a paragraph as wide as a telephone."""
    words, rows = shipped_words(time_zone(zone)), []
    for language in languages:
        direction = "rtl" if words.languages[language].right_to_left else "ltr"
        for said in STAGES:
            for around in (INSIDE, NEAR):
                (text,) = texts(said, "Exercise", (language,), words, around, TIMES, 90.0)
                rows += [
                    f'<p lang="{language}" dir="{direction}" class="{part}">{escape(getattr(text, part))}</p>'
                    for part in PARTS
                ]
    style = "body{font:16px sans-serif} p{width:340px;border:1px solid #ccc;overflow-wrap:break-word}"
    return f"<!doctype html><meta charset=utf-8><style>{style}</style>{''.join(rows)}"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as running:
        started = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


def test_no_name_time_or_number_is_scrambled_in_arabic(browser: Any, tmp_path: Path) -> None:
    file = tmp_path / "ar.html"
    file.write_text(page_of(("ar",), "Europe/Kyiv"), encoding="utf-8")
    page = browser.new_page()
    page.goto(file.as_uri())
    # one long line each: order alone is looked at
    page.add_style_tag(content="p{width:max-content;white-space:nowrap}")
    seen = 0
    for paragraph in page.query_selector_all("p"):
        logical, visual = paragraph.text_content(), paragraph.evaluate(IN_SIGHT)
        for whole in ("Dnipro", "Novi Kodaky 2", "UTC+2", "10:04", "10:05", "10:06", "1,200,000", "1,200", "(UTC+2)"):
            # brackets are mirrored where they stand, so they are asked for as they are seen
            if whole in logical.translate({0x2068: None, 0x2069: None}):
                assert whole in visual or whole == "(UTC+2)", visual
                seen += 1
        # from right to left: what is said first stands farther right
        order = [whole for whole in ("Dnipro", "10:04", "UTC+2") if whole in logical and whole in visual]
        if paragraph.get_attribute("class") == "headline" and len(order) == 3:
            assert visual.index("UTC+2") < visual.index("10:04") < visual.index("Dnipro")
    assert seen > 50
    page.close()


def test_no_text_runs_over_the_edge_of_a_telephone(browser: Any, tmp_path: Path) -> None:
    file = tmp_path / "all.html"
    file.write_text(page_of(tuple(shipped_words().languages), "UTC"), encoding="utf-8")
    page = browser.new_page(viewport={"width": 360, "height": 640})
    page.goto(file.as_uri())
    over = page.evaluate("[...document.querySelectorAll('p')].filter((p) => p.scrollWidth > p.clientWidth + 1).length")
    assert over == 0
    page.close()
