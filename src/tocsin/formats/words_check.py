"""What may stand in a file of words: keys, words in braces, lengths."""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from tocsin.errors import SettingsError
from tocsin.warning.phrases import (
    DRILLS,
    LONGEST_HEADLINE,
    LONGEST_LONG,
    LONGEST_SHORT,
    STAGES,
    Drill,
    Phrases,
    length,
)

LONGEST_OFFSET = "UTC+12:45"
CLOCK = dict.fromkeys(("first", "last", "again"), "00:00")


class Fields(NamedTuple):
    """The words that may stand in the braces of a template."""

    needed: frozenset[str] = frozenset()
    possible: frozenset[str] = frozenset()  # besides


def braces(needed: str = "", possible: str = "") -> Fields:
    """Words that must stand in the braces of a template, and words that may."""
    return Fields(frozenset(needed.split()), frozenset(possible.split()))


_COMING = {
    "headline": braces("place soon first offset"),
    "description": braces("first last zone soon"),
    "instruction": braces("again zone", "first soon"),
    "short": braces("place first offset"),
}
_HURRIED = {
    **_COMING,
    "instruction-now": _COMING["instruction"],
    "short-now": _COMING["short"],
}
_OVER = {
    "headline": braces("place"),
    "description": braces(),
    "instruction": braces(),
    "short": braces("place"),
}
_LIGHT = {
    "headline": braces("place last offset"),
    "description": braces("last zone"),
    "instruction": braces("", "last zone"),
    "short": braces("place last offset"),
}
STAGE_KEYS: Mapping[str, Mapping[str, Fields]] = {
    "prepare": _COMING,
    "take-cover": _HURRIED,
    "update": _HURRIED,
    "reduced": _HURRIED,
    "eased": _COMING,
    "all-clear": _OVER,
    "withdrawn": _OVER,
    "light": _LIGHT,
}
OPTIONAL = frozenset({"instruction-now", "short-now"})
MARK_KEYS = {name: braces("text") for name in Drill._fields if name != "word"}
# a test of a channel need not say what would be said
TEST_KEYS = {
    **MARK_KEYS,
    **{name: braces("", "text") for name in ("headline", "instruction", "short", "long")},
}
TABLES: Mapping[str, Mapping[str, Fields]] = {
    "time": {"left": braces("time"), "now": braces(), "utc": braces(), "local": braces("offset")},
    "area": {
        "label": braces("area"),
        "places": braces("names"),
        "people": braces("places people"),
        "open": braces("distance direction name"),
        "nowhere": braces(),
    },
    "place": {
        "inside": braces("name"),
        "near": braces("distance direction name"),
        "nowhere": braces(),
        "here": braces(),
    },
}
# numbers that can be told of each: every plural category that they fall into has its form
COUNTS: Mapping[str, Iterable[int]] = {
    "minutes": range(120),
    "hours": range(200),
    "more": range(1, 1000),
    "people": (*range(1000), 10**6, 2 * 10**6, 10**7),
}
TOP = ("event", "compass", *DRILLS.values(), *STAGES, *TABLES, "count")


def check_keys(values: Any, allowed: Iterable[str], optional: frozenset[str], where: str) -> None:
    """Exactly these keys, but for the optional ones. ``where`` ends before the key."""
    if not isinstance(values, dict):
        raise SettingsError(f"{where.rstrip('. ')}: is {values!r}, must be a table")
    names = tuple(allowed)
    for name in values:
        if name not in names:
            raise SettingsError(f"{where}{name}: unknown key; allowed are {', '.join(names)}")
    for name in names:
        if name not in values and name not in optional:
            raise SettingsError(f"{where}{name}: is missing")


def check_template(value: Any, fields: Fields, where: str) -> str:
    """A text of one line whose braces hold the right words."""
    if not isinstance(value, str) or not value.strip():
        raise SettingsError(f"{where}: is {value!r}, must be a text")
    if value != value.strip() or re.search(r"[\x00-\x1f\x7f]", value):
        raise SettingsError(f"{where}: begins or ends with a space, or holds a line break or a tab")
    try:
        parts = list(string.Formatter().parse(value))
    except ValueError as error:
        raise SettingsError(f"{where}: braces do not pair ({error})") from None
    found = [name for _, name, _, _ in parts if name is not None]
    allowed = sorted(fields.needed | fields.possible)
    names = ", ".join(f"{{{name}}}" for name in allowed) or "none"
    for _, name, form, conversion in parts:
        if name is not None and (name not in allowed or form or conversion):
            raise SettingsError(f"{where}: unknown {{{name}}}; allowed are {names}")
    for name in sorted(fields.needed):
        if name not in found:
            raise SettingsError(f"{where}: lacks {{{name}}}")
    return value


def holds(text: str, word: str) -> bool:
    """Whether a word stands in a text, small or capital, and not as a part of another."""
    return re.search(rf"(?<!\w){re.escape(word.casefold())}(?!\w)", text.casefold()) is not None


def check_words(phrases: Phrases, file: str) -> None:
    """The words of drills stand in their marks alone: what is in earnest must not look like a drill."""
    texts = {"event": phrases.event}
    texts |= {
        f"{stage}.{name.replace('_', '-')}": text
        for stage, said in phrases.said.items()
        for name, text in said._asdict().items()
    }
    texts |= {f"{table}.{name}": text for table in TABLES for name, text in getattr(phrases, table).items()}
    for name, text in texts.items():
        for drill in phrases.drills.values():
            if holds(text, drill.word):
                raise SettingsError(
                    f"{file}: {name}: says {drill.word}, which belongs to the marks of drills"
                )


def check_lengths(phrases: Phrases, file: str) -> None:
    """With the shortest name of the area and the longest of all else, every text fits."""
    soon = max(
        phrases.time["now"],
        *(
            phrases.time["left"].format(time=form.format(n="100"))
            for what in ("minutes", "hours")
            for form in phrases.counts[what].values()
        ),
        key=len,
    )
    offset = f"\u2068{LONGEST_OFFSET}\u2069" if phrases.right_to_left else LONGEST_OFFSET
    zone = max(phrases.time["utc"], phrases.time["local"].format(offset=offset), key=len)
    fields = {**CLOCK, "zone": zone, "offset": offset, "soon": soon}
    brief = {**fields, "zone": offset}  # as the text of 600 characters names it
    marks = [(f" with the mark of {table}", phrases.drills[status]) for status, table in DRILLS.items()]
    for stage, said in phrases.said.items():
        headline = said.headline.format(place=phrases.place["nowhere"], **fields)
        for mark, drill in marks:
            where = f"{file}: {stage}."
            _fits(drill.headline.format(text=headline), LONGEST_HEADLINE, f"{where}headline{mark}")
            for name in ("short", "short_now"):
                short = getattr(said, name).format(place=phrases.place["here"], **fields)
                key = name.replace("_", "-")
                _fits(drill.short.format(text=short), LONGEST_SHORT, f"{where}{key}{mark}")
            for name in ("instruction", "instruction_now"):
                parts = (said.headline, getattr(said, name))
                whole = " ".join(parts).format(place=phrases.place["here"], **brief)
                what = f"{where}headline and {name.replace('_', '-')} together{mark}"
                _fits(drill.long.format(text=whole), LONGEST_LONG, what)


def _fits(text: str, longest: int, what: str) -> None:
    if length(text) > longest:
        raise SettingsError(f"{what}: {length(text)} characters at the longest, at most {longest}: {text}")
