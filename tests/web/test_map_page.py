"""The map page in Chromium, opened from disk with the network off.

Skipped where there is no Chromium (apt: chromium) or no playwright (pip).
Without a graphics card the globe is drawn in software: small windows, long time-outs.
"""

from __future__ import annotations

import base64
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tocsin.formats.map_html import map_html

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine (apt install chromium)"),
]

FLAGS = [
    "--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run",
]  # fmt: skip
READY_MS = 60_000
DESKTOP = {"width": 900, "height": 560}
PHONE = {"width": 360, "height": 640}
ALERT_RED = (255, 77, 61)  # the edge of an alert in the dark colours, web/src/style.ts
READY_AMBER, CLEAR_GREEN = (245, 163, 0), (62, 207, 142)  # and those of to be ready, and all clear
COUNT_COLOURS = """async ([png, near]) => {
  const image = new Image();
  image.src = `data:image/png;base64,${png}`;
  await image.decode();
  const canvas = Object.assign(document.createElement("canvas"), {width: image.width, height: image.height});
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  const data = context.getImageData(0, 0, image.width, image.height).data;
  const colours = new Set();
  let close = 0;
  for (let i = 0; i < data.length; i += 4) {
    colours.add(data[i] * 65536 + data[i + 1] * 256 + data[i + 2]);
    close += near.every((v, k) => Math.abs(data[i + k] - v) < 40);
  }
  return [colours.size, close];
}"""


class Opened:
    """A page opened from disk, and everything that it asked for or complained of."""

    def __init__(self, browser: Any, file: Path, **context: Any) -> None:
        options = {"offline": True, "color_scheme": "dark", "locale": "en-GB", "reduced_motion": "reduce"}
        self.context = browser.new_context(**{**options, **context})
        self.context.set_default_timeout(READY_MS)
        self.page = self.context.new_page()
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda m: m.type in ("error", "warning") and self.complaints.append(m.text))
        self.page.goto(file.as_uri())

    def wait_for_globe(self) -> Opened:
        self.page.wait_for_selector('#globe[data-state="ready"]', timeout=READY_MS)
        return self

    def seek(self, seconds: int) -> None:
        self.page.locator("#player input[type=range]").fill(str(seconds))

    def colours(self, near: tuple[int, int, int] = ALERT_RED) -> tuple[int, int]:
        """How many colours the globe shows, and how many pixels are about one of them (alert red)."""
        bare = "#views, #legend { visibility: hidden }"  # the picture holds what lies over the canvas, too
        png = base64.b64encode(self.page.locator("#globe canvas").screenshot(style=bare)).decode()
        count, red = self.page.evaluate(COUNT_COLOURS, [png, list(near)])
        return count, red

    def close_to(self, colour: tuple[int, int, int]) -> int:
        """How many pixels of the globe are about a colour."""
        return self.colours(colour)[1]

    def settles(self, wanted: Callable[[int], bool]) -> bool:
        """Whether the number of red pixels becomes what is wanted; a worker cuts new areas before they are drawn."""
        for _ in range(20):
            if wanted(self.colours()[1]):
                return True
            self.page.wait_for_timeout(500)
        return False


@pytest.fixture(scope="module")
def file(event: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("map") / "map.html"
    path.write_text(map_html(**event), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as running:
        opened = running.chromium.launch(executable_path=CHROMIUM, args=FLAGS, timeout=READY_MS)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def desktop(browser: Any, file: Path) -> Iterator[Opened]:
    opened = Opened(browser, file, viewport=DESKTOP).wait_for_globe()
    yield opened
    opened.context.close()


def test_slider_moves_globe_list_and_words(desktop: Opened) -> None:
    page = desktop.page
    desktop.seek(100)
    assert page.locator("#player output").inner_text() == "00:01:40 UTC"
    assert page.locator("#player .gap").inner_text() == "8\u00a0min 20\u00a0s before the first impact"
    assert page.locator("#now").inner_text().startswith("No warning in force")
    assert page.locator('.message[data-state="later"]').count() == 4
    assert desktop.colours()[0] > 20  # land, water, borders, a track
    assert desktop.settles(lambda red: red == 0)

    desktop.seek(540)
    assert "Take cover" in page.locator("#now").text_content()
    assert "1\u00a0min 00\u00a0s before the first impact" in page.locator("#now .countdown").inner_text()
    assert page.locator('.message[data-state="inForce"]').count() == 1
    assert desktop.settles(lambda red: red > 20)

    desktop.seek(690)
    assert "All clear" in page.locator("#now").text_content()
    assert page.locator('.message[data-state="over"]').count() == 3


def test_to_be_ready_is_neither_an_alert_nor_an_all_clear(
    browser: Any, event: dict[str, Any], tmp_path: Path
) -> None:
    first, *rest = event["messages"]
    path = tmp_path / "ready.html"
    path.write_text(map_html(**{**event, "messages": [first._replace(stage="prepare"), *rest]}), encoding="utf-8")
    opened = Opened(browser, path, viewport=DESKTOP).wait_for_globe()
    opened.seek(300)
    now = opened.page.locator("#now")
    assert now.text_content().startswith("Be ready")
    assert "before the first impact" in now.inner_text()
    assert now.get_attribute("class") == "ready"
    assert opened.page.locator("#legend .swatch.ready").count() == 1
    assert opened.settles(lambda _: opened.close_to(READY_AMBER) > 20)
    assert opened.close_to(CLEAR_GREEN) == 0
    opened.seek(540)
    assert now.get_attribute("class") == "danger"
    assert now.text_content().startswith("Take cover")
    assert opened.complaints == []
    opened.context.close()


def test_of_several_alerts_that_which_comes_first_stands_first(
    browser: Any, event: dict[str, Any], tmp_path: Path
) -> None:
    first, *rest = event["messages"]
    later = first._replace(
        identifier="later",
        sent_s=first.sent_s - 1.0,
        footprints=tuple(one._replace(impact_time_s=one.impact_time_s + 90.0) for one in first.footprints),
        texts=tuple(text._replace(headline=f"Later. {text.headline}") for text in first.texts),
    )
    path = tmp_path / "several.html"
    path.write_text(map_html(**{**event, "messages": [later, first, *rest]}), encoding="utf-8")
    opened = Opened(browser, path, viewport=DESKTOP).wait_for_globe()
    opened.seek(300)
    headings = [one.inner_text() for one in opened.page.locator("#now h2").all()]
    assert ["Later." in one for one in headings] == [False, True]
    assert opened.complaints == []
    opened.context.close()


def test_list_says_what_python_said(desktop: Opened) -> None:
    items = desktop.page.locator(".messages > li")
    assert items.count() == 4
    first = items.nth(3).inner_text()
    assert "00:03:20 UTC" in first
    assert "before the first impact" in first
    assert "Dnipro" in first
    details = items.nth(3).locator("details")
    details.locator("summary").click()
    assert "Go to shelter now" in details.inner_text()


def test_new_warnings_are_announced(desktop: Opened) -> None:
    desktop.seek(100)
    desktop.page.get_by_role("button", name="Next message").click()
    spoken = desktop.page.locator("[aria-live=polite]")
    assert spoken.text_content() == "Take cover. EXERCISE: Objects will fall near Dnipro"
    assert desktop.page.locator("#player output").inner_text() == "00:03:20 UTC"


def test_keyboard_alone(desktop: Opened) -> None:
    page = desktop.page
    slider = page.get_by_role("slider")
    desktop.seek(300)
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert (
        slider.get_attribute("aria-valuetext") == "00:05:01 UTC, 4\u00a0min 59\u00a0s before the first impact"
    )
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert "Pause" in page.locator(".play").inner_text()
    page.wait_for_function("slider => slider.value > 303", arg=slider.element_handle())
    page.keyboard.press("Space")
    assert "Play" in page.locator(".play").inner_text()
    stopped = slider.input_value()
    assert int(stopped) < 500
    page.wait_for_timeout(300)
    assert slider.input_value() == stopped


def test_language_switch(desktop: Opened) -> None:
    page = desktop.page
    desktop.seek(540)
    page.get_by_label("Українська").check()
    assert "НАВЧАННЯ" in page.locator("header").inner_text()
    now = page.locator("#now").inner_text()
    assert "Негайно в укриття" in now
    assert "Go to shelter" not in now
    assert "до першого падіння" in page.get_by_role("slider").get_attribute("aria-valuetext")
    page.get_by_label("EN + UK").check()
    now = page.locator("#now").inner_text()
    assert "Негайно в укриття" in now
    assert "Go to shelter" in now
    page.get_by_label("English").check()


def test_nothing_leaves_the_page(desktop: Opened, file: Path) -> None:
    for name in ("Whole event", "Warned area", "Zoom in", "Zoom out"):
        desktop.page.get_by_role("button", name=name).click()
    desktop.page.wait_for_timeout(500)
    assert [url for url in desktop.requests if not url.startswith(("blob:", "data:"))] == [file.as_uri()]
    assert desktop.complaints == []
    # and could not if it tried: the policy refuses before the (absent) network does
    refused = desktop.page.evaluate(
        """() => new Promise((done) => {
          document.addEventListener("securitypolicyviolation", (e) => done(e.effectiveDirective));
          fetch("https://example.org/").catch(() => setTimeout(() => done("not refused"), 1000));
        })"""
    )
    assert refused == "connect-src"


def test_phone(browser: Any, file: Path) -> None:
    opened = Opened(browser, file, viewport=PHONE, is_mobile=True, has_touch=True, color_scheme="light")
    opened.wait_for_globe()
    page = opened.page
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    order = [page.locator(s).bounding_box()["y"] for s in ("header", "#now", "#map", "#player", "#log")]
    assert order == sorted(order)
    assert order[1] < PHONE["height"] / 2  # what is in force is on the first screen
    for button in page.locator("#player button, #views button").all():
        assert button.bounding_box()["height"] >= 40.0  # a thumb's width
    assert opened.colours()[0] > 20
    assert opened.complaints == []
    opened.context.close()


def test_without_script_the_list_is_whole(browser: Any, file: Path) -> None:
    opened = Opened(browser, file, viewport=PHONE, java_script_enabled=False)
    page = opened.page
    assert page.locator(".messages > li").count() == 4
    assert page.locator("#map").is_hidden()
    assert page.locator("#player").is_hidden()
    first = page.locator(".messages > li").nth(3)
    assert "Objects will fall near Dnipro" in first.inner_text()
    page.get_by_label("Українська").check()
    assert "впадуть поблизу Дніпра" in first.inner_text()
    assert "Objects will fall" not in first.inner_text()
    opened.context.close()


def test_without_a_graphics_driver_the_list_still_works(file: Path, browser: Any) -> None:
    opened = Opened(browser, file, viewport=PHONE)
    opened.page.add_init_script("HTMLCanvasElement.prototype.getContext = () => null")
    opened.page.reload()
    opened.page.wait_for_selector("#map.failed")
    assert "The map cannot be drawn here" in opened.page.locator("#globe-note").inner_text()
    opened.seek(540)
    assert "Take cover" in opened.page.locator("#now").text_content()
    opened.context.close()
