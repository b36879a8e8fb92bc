"""The sentences that the public reads, as values: formats/words.py makes them of data/words/*.toml and checks them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import NamedTuple

from babel import Locale

# what can be said; update: the area or the time has changed; reduced: the area has only become smaller; eased: nobody
# need be in cover any more, but be ready; light: it is over or withdrawn, but light pieces still fall
STAGES = ("prepare", "take-cover", "update", "reduced", "eased", "all-clear", "withdrawn", "light")
DRILLS = {"Exercise": "exercise", "Test": "test"}  # CAP status -> table of its marks in a language's file

LONGEST_HEADLINE = 160  # CAP 1.2, 3.2.2: headlines of at most 160 characters fit on small screens
LONGEST_SHORT = 90  # a page of cell broadcast in the GSM alphabet has 93
LONGEST_LONG = 600


def length(text: str) -> int:
    """Characters as cell broadcast counts them: units of UTF-16."""
    return len(text.encode("utf-16-le")) // 2


class Said(NamedTuple):
    """The templates of one stage. The fields in their braces stand in docs/words.md."""

    headline: str
    description: str
    instruction: str
    short: str
    instruction_now: str = ""  # where there is no time to reach a shelter; empty: the same
    short_now: str = ""


class Drill(NamedTuple):
    """How the texts of a drill are marked: templates round {text}."""

    word: str  # stands in every one of them
    event: str
    headline: str
    description: str
    instruction: str
    short: str
    long: str


class Phrases(NamedTuple):
    """The texts of one language."""

    language: str  # BCP 47
    locale: Locale  # plural rules, numbers, lists and direction, loaded
    event: str
    drills: Mapping[str, Drill]  # by status; what is in earnest has no mark
    said: Mapping[str, Said]  # by stage
    time: Mapping[str, str]  # left, now; utc, local
    area: Mapping[str, str]  # where, in full: places, people, open, nowhere
    place: Mapping[str, str]  # where, in short: inside, near, nowhere, here
    counts: Mapping[str, Mapping[str, str]]  # minutes, hours, more, people: by CLDR plural category
    compass: tuple[str, ...]  # from north, clockwise, eight

    @property
    def right_to_left(self) -> bool:
        """Whether the language is written from right to left."""
        return self.locale.text_direction == "rtl"


class Words(NamedTuple):
    """All languages, and the clock that texts go by."""

    languages: Mapping[str, Phrases]
    zone: dt.tzinfo | None = None  # None: UTC
