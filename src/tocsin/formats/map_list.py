"""The list of warnings as HTML that needs no script: what was said, when, to whom, how long before impact.

Everything that comes from data is escaped.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape

from tocsin.formats.map_words import WORDS, clock, number, relative, right_to_left, say, words
from tocsin.warning.alert import Footprint, Message, Place

TOWNS_IN_SHORT = 3
TOWNS_IN_FULL = 8
AHEAD = ("prepare", "take-cover")  # stages of what is still to come


def message_list(messages: Sequence[Message], of: Sequence[str], impact_s: float | None) -> str:
    """The warnings, the newest first, as one ordered list."""
    if not messages:
        return f'<p class="nothing">{say(of, "nothing")}</p>'
    ordered = sorted(enumerate(messages), key=lambda pair: (-pair[1].sent_s, -pair[1].sequence))
    items = "\n".join(_item(i, message, of, impact_s) for i, message in ordered)
    return f'<ol class="messages" reversed>\n{items}\n</ol>'


def _item(index: int, message: Message, of: Sequence[str], impact_s: float | None) -> str:
    stamp = datetime.fromtimestamp(round(message.sent_s), UTC).isoformat()
    stage = message.stage if message.stage in WORDS["en"] else "take-cover"
    tag = say(of, stage)
    update = message.kind == "Update" and stage in AHEAD
    note = f' <span class="kind">{say(of, "Update")}</span>' if update else ""
    when = f'<time datetime="{stamp}">{clock(message.sent_s)}</time>'
    gap = relative(of, message.sent_s, impact_s)
    headline = _texts(message, "headline", of, "span")
    warned = f'<p class="who">{_who(message.footprints, of)}</p>' if stage in AHEAD else ""
    return f"""<li id="m{index}" class="message {escape(stage)}"><article>
<p class="when">{when}{f'<span class="gap">{gap}</span>' if gap else ""}</p>
<h3><span class="tag">{tag}</span>{note} {headline}</h3>
{warned}
<details><summary>{say(of, "full")}</summary>
<div class="full">
{_texts(message, "description", of, "p")}
<p class="label">{say(of, "do")}</p>
<div class="do">{_texts(message, "instruction", of, "p")}</div>
<p class="label">{say(of, "in_area")}</p>
{_texts(message, "area_description", of, "p")}
{_footprints(message.footprints, of) if stage in AHEAD else ""}\
<p class="small">{_until(message, of)}. <code>{escape(message.identifier)}</code> · {escape(message.kind)} · \
{escape(message.status)}</p>
</div></details></article></li>"""


def _until(message: Message, of: Sequence[str]) -> str:
    return say(of, "until", time=clock(message.expires_s))


def _texts(message: Message, field: str, of: Sequence[str], tag: str) -> str:
    """A field of the message in each language of the page; the message's first text where it lacks one."""
    if not message.texts:
        return ""
    by_language = {text.language: text for text in message.texts}
    out = []
    for code in of:
        text = by_language.get(code, message.texts[0])
        content = escape(str(getattr(text, field)))
        out.append(f'<{tag} data-for="{code}" lang="{escape(text.language)}" dir="auto">{content}</{tag}>')
    return "".join(out)


def _who(footprints: Sequence[Footprint], of: Sequence[str]) -> str:
    """The largest towns of all footprints and how many people live in all, in one short sentence."""
    seen = {(p.name, p.latitude_deg, p.longitude_deg): p for f in footprints for p in f.places}
    places = sorted(seen.values(), key=lambda p: (-p.population, p.name))
    return _towns(places, sum(f.population for f in footprints), "", of, TOWNS_IN_SHORT, counted=False)


def _footprints(footprints: Sequence[Footprint], of: Sequence[str]) -> str:
    """Towns, people and the time of the first impact, a line for each footprint."""
    lines = []
    for footprint in footprints:
        finite = math.isfinite(footprint.impact_time_s)
        when = clock(footprint.impact_time_s) if finite else ""
        towns = _towns(footprint.places, footprint.population, when, of, TOWNS_IN_FULL, counted=True)
        lines.append(f"<li>{towns}</li>")
    return f'<ul class="footprints">{"".join(lines)}</ul>\n' if lines else ""


def _towns(
    places: Sequence[Place], people: int, when: str, of: Sequence[str], most: int, counted: bool
) -> str:
    parts = []
    for code in of:
        count, table = words(code, "people", people=number(people, code)) if people else words(code, "nobody")
        sentence = "; ".join(part for part in (_places(places, code, most, counted), count) if part)
        sentence = sentence[0].upper() + sentence[1:] + "."
        if when:
            sentence += " " + words(code, "here", time=when)[0] + "."
        parts.append(f'<span data-for="{code}" lang="{table}">{escape(sentence)}</span>')
    return "".join(parts)


def _places(places: Sequence[Place], language: str, most: int, counted: bool) -> str:
    names = [dict(p.names).get(language.split("-")[0], p.name) for p in places[:most]]
    people = [f"\u00a0({number(p.population, language)})" if counted else "" for p in places[:most]]
    shown = [name + count for name, count in zip(names, people, strict=True)]
    rest = len(places) - len(shown)
    # in a line from right to left, names that run from left to right are set apart
    start, comma, end = ("\u2068", "، ", "\u2069") if right_to_left(language) else ("", ", ", "")
    listed = comma.join(f"{start}{one}{end}" for one in shown)
    return f"{listed} {words(language, 'more', count=str(rest))[0]}" if rest > 0 else listed
