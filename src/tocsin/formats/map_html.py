"""The map: one HTML file that opens from disk and asks no network for anything.

The page is the committed bundle ``data/map.html`` (built from ``web/``) with the list
of warnings and one block of data put in. The list is plain HTML, so that it reads
without the globe, without a script and before the rest of the file has arrived.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import cache
from html import escape
from importlib import resources

from tocsin.formats.map_data import ORBIT_HEIGHT_M, Impact, first_impact_s, map_data
from tocsin.formats.map_list import message_list
from tocsin.formats.map_windows import window_lines, window_list
from tocsin.formats.map_words import WORDS, clock, languages, right_to_left, say
from tocsin.prediction.forecast import DecayWindow, Forecast
from tocsin.sensors.plots import Sensor
from tocsin.tracking.tracks import TrackRow
from tocsin.warning.alert import Message

PLACEHOLDER = re.compile(r"<!--tocsin:([a-z]+)-->")


def map_html(
    *,
    title: str,
    sensors: Sequence[Sensor],
    rows: Sequence[TrackRow],
    forecasts: Sequence[Forecast],
    messages: Sequence[Message],
    impacts: Sequence[tuple[str, float, float, float]] = (),
    start_s: float,
    end_s: float,
    exercise: bool = True,
    windows: Sequence[DecayWindow] = (),
) -> str:
    """The page for one replay.

    ``impacts`` is the truth where there is one: (object, time_s, lat_deg, lon_deg). With it
    the page counts from the first true impact, without it from the first one that was
    warned of last. Times are seconds since 1970 UTC. A row that holds no finite position
    is left out. ``windows`` are those of decaying orbits, in the order told. Track points
    are thinned to one a second or fewer, and text is escaped.
    """
    truth = [Impact(*impact) for impact in impacts]
    of = languages(messages)
    first = first_impact_s(messages, truth)
    data = map_data(sensors, rows, forecasts, messages, truth, start_s, end_s)
    if windows:
        data["windows"] = window_lines(windows, start_s, float(data["end"]))
    parts = {
        "title": escape(("EXERCISE · " if exercise else "") + title),
        "heading": escape(title),
        "languages": _language_switch(of),
        "languagestyle": _language_style(of),
        "banner": f'<p class="exercise">{say(of, "exercise")}</p>' if exercise else "",
        "loading": say(of, "loading"),
        "newest": say(of, "newest"),
        "clock": say(of, "clock"),
        "summary": _summary(of, messages, start_s, end_s),
        "list": message_list(messages, of, first) + window_list(windows),
        "sensors": _sensor_list(of, sensors),
        # "<" never stands in the block, so no text can close it
        "data": json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False).replace(
            "<", "\\u003c"
        ),
    }
    return PLACEHOLDER.sub(lambda found: parts[found[1]], _template())


@cache
def _template() -> str:
    return (resources.files("tocsin.formats") / "data" / "map.html").read_text(encoding="utf-8")


def _language_switch(of: Sequence[str]) -> str:
    """Radio buttons that work through the style sheet alone; the last one shows every language at once."""
    buttons = []
    for i, code in enumerate(of):
        name = WORDS.get(code, {}).get("language", code)
        checked = " checked" if i == 0 else ""
        buttons.append(
            f'<label><input type="radio" name="language" value="{code}" id="see-{code}"{checked}>'
            f'<span lang="{code}">{escape(name)}</span></label>'
        )
    every = " + ".join(code.upper() for code in of)
    buttons.append(
        f'<label><input type="radio" name="language" value="" id="see-all"><span>{escape(every)}</span></label>'
    )
    return "".join(buttons)


def _language_style(of: Sequence[str]) -> str:
    rules = []
    for code in of:
        chosen = f"html:has(#see-{code}:checked)"
        rules.append(f'{chosen} [data-for]:not([data-for="{code}"]){{display:none}}')
        rules.append(f"{chosen} [data-for]::before{{content:none}}")
        if right_to_left(code):
            rules.append(f"{chosen} :is(.exercise,#now,#log){{direction:rtl}}")
            # what the page says in another language instead keeps its own direction
            other = f':is(#now,#log) [lang]:not([lang="{code}"])'
            rules.append(f"{chosen} {other}{{direction:ltr;unicode-bidi:isolate}}")
            rules.append(f"{chosen} #now .countdown{{unicode-bidi:plaintext}}")
    return f"<style>{''.join(rules)}</style>"


def _summary(of: Sequence[str], messages: Sequence[Message], start_s: float, end_s: float) -> str:
    if not messages:
        return f"<p>{say(of, 'quiet', first=clock(start_s), last=clock(end_s))}</p>"
    sent = [m.sent_s for m in messages]
    count = str(len(messages))
    return f"<p>{say(of, 'summary', count=count, first=clock(min(sent)), last=clock(max(sent)))}</p>"


def _sensor_list(of: Sequence[str], sensors: Sequence[Sensor]) -> str:
    if not sensors:
        return ""
    items = []
    for sensor in sensors:
        orbit = f" ({say(of, 'orbit')})" if sensor.height_m > ORBIT_HEIGHT_M else ""
        items.append(f"<li>{escape(sensor.name)}: {say(of, sensor.kind)}{orbit}</li>")
    return f"<details><summary>{say(of, 'sensors')} ({len(sensors)})</summary><ul>{''.join(items)}</ul></details>"
