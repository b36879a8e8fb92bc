"""Public text: what is said, where, until when, and what to do. The sentences stand in data/words/*.toml."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from babel.lists import format_list
from babel.numbers import format_decimal

from tocsin.warning.alert import Place, Text
from tocsin.warning.phrases import LONGEST_HEADLINE, LONGEST_LONG, LONGEST_SHORT, Phrases, Words, length
from tocsin.warning.places import Surroundings

NAMED = 6  # places named in a text; the others are counted
FEWER_NAMED = (NAMED, 3, 1)  # in the text of 600 characters: as many of these as there is room for
FEWEST_PEOPLE = 100  # fewer, or an unknown number, are not told
LONGEST_IN_MINUTES = 120  # a time left is told in hours from here on
ISOLATE, END_ISOLATE = "\u2068", "\u2069"  # FSI and PDI of Unicode's bidirectional algorithm (UAX 9)


class Times(NamedTuple):
    """Seconds since 1970 UTC."""

    now_s: float
    impact_s: float  # first expected arrival
    last_s: float  # last credible arrival
    over_s: float  # by when the next message comes


def texts(
    said: str,
    status: str,
    languages: Sequence[str],
    words: Words,
    around: Surroundings,
    times: Times,
    shelter_s: float,
) -> tuple[Text, ...]:
    """The text in each language.

    said: one of phrases.STAGES. status: Exercise and Test are marked in every sentence but the name of the area;
    Actual is not. shelter_s: with less time left than this, people are told to take cover where they are.
    """
    return tuple(
        _text(words.languages[language], words.zone, said, status, around, times, shelter_s)
        for language in languages
    )


def counted(phrases: Phrases, what: str, n: int) -> str:
    """A number with its noun in the right form, as in 5 хвилин."""
    forms = phrases.counts[what]
    return forms[phrases.locale.plural_form(n)].format(n=grouped(phrases, n))


def grouped(phrases: Phrases, n: int) -> str:
    """A whole number in groups of three digits, in the way of the language; digits are 0 to 9 in all of them."""
    return format_decimal(n, locale=phrases.locale)


def _text(
    phrases: Phrases,
    zone: dt.tzinfo | None,
    said: str,
    status: str,
    around: Surroundings,
    times: Times,
    shelter_s: float,
) -> Text:
    templates = phrases.said[said]
    hurry = times.impact_s - times.now_s < shelter_s
    instruction = (hurry and templates.instruction_now) or templates.instruction
    short = (hurry and templates.short_now) or templates.short
    fields = _fields(phrases, zone, times)
    brief = {**fields, "zone": fields["offset"]}
    where = _place(phrases, around)
    area = _area(phrases, around, NAMED)
    description = f"{templates.description} {phrases.area['label']}"

    def marked(part: str, candidates: Iterable[str], longest: float = math.inf) -> str:
        """The first that is no longer when it is marked; else the last, which was measured when it was read."""
        drill, text = (None if status == "Actual" else phrases.drills[status]), ""
        for text in candidates:
            text = text if drill is None else getattr(drill, part).format(text=text)
            if length(text) <= longest:
                break
        return text

    # a name is never shortened, for half of one may be another's: it gives way to words that always fit
    return Text(
        language=phrases.language,
        event=marked("event", [phrases.event]),
        headline=marked(
            "headline",
            (templates.headline.format(place=one, **fields) for one in (where, phrases.place["nowhere"])),
            LONGEST_HEADLINE,
        ),
        description=marked("description", [description.format(area=area, **fields)]),
        instruction=marked("instruction", [instruction.format(**fields)]),
        area_description=area,
        text_90=marked(
            "short",
            (short.format(place=one, **fields) for one in (where, phrases.place["here"])),
            LONGEST_SHORT,
        ),
        text_600=marked(
            "long",
            _long(phrases, around, f"{templates.headline} {instruction}", where, brief),
            LONGEST_LONG,
        ),
    )


def _long(
    phrases: Phrases, around: Surroundings, template: str, where: str, fields: Mapping[str, str]
) -> Iterator[str]:
    """A text that says all, then with fewer names, with one, and with none."""
    labelled = f"{template} {phrases.area['label']}"
    for named in FEWER_NAMED if around.places else ():
        yield labelled.format(place=where, area=_area(phrases, around, named), **fields)
    for place in (where, phrases.place["here"]):
        yield template.format(place=place, **fields)


def _fields(phrases: Phrases, zone: dt.tzinfo | None, times: Times) -> dict[str, str]:
    """The first arrival rounded down to the minute, the others up: no one is told too little."""
    first = dt.datetime.fromtimestamp(60.0 * math.floor(times.impact_s / 60.0), zone or dt.UTC)
    # one offset for all times of a message, though clocks be put back meanwhile
    fixed = dt.timezone(first.utcoffset() or dt.timedelta())
    last_s = max(times.last_s, times.impact_s)
    offset = _isolated(phrases, offset_name(fixed.utcoffset(None)))
    return {
        "first": f"{first:%H:%M}",
        "last": f"{dt.datetime.fromtimestamp(60.0 * math.ceil(last_s / 60.0), fixed):%H:%M}",
        "again": f"{dt.datetime.fromtimestamp(60.0 * math.ceil(times.over_s / 60.0), fixed):%H:%M}",
        "zone": phrases.time["utc"] if zone is None else phrases.time["local"].format(offset=offset),
        "offset": offset,
        "soon": _soon(phrases, times.impact_s - times.now_s),
    }


def offset_name(offset: dt.timedelta) -> str:
    """UTC, UTC+2 or UTC-3:30."""
    minutes = round(offset.total_seconds() / 60.0)
    if not minutes:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours}" + (f":{rest:02d}" if rest else "")


def _soon(phrases: Phrases, left_s: float) -> str:
    minutes = math.floor(left_s / 60.0)
    if minutes < 1:
        return phrases.time["now"]
    if minutes < LONGEST_IN_MINUTES:
        return phrases.time["left"].format(time=counted(phrases, "minutes", minutes))
    return phrases.time["left"].format(time=counted(phrases, "hours", minutes // 60))


def _area(phrases: Phrases, around: Surroundings, named: int) -> str:
    if around.near is not None:
        return phrases.area["open"].format(**_direction(phrases, around))
    if not around.places:
        return phrases.area["nowhere"]
    names = [_name(place, phrases) for place in around.places[:named]]
    if len(around.places) > named:
        names.append(counted(phrases, "more", len(around.places) - named))
    places = phrases.area["places"].format(names=format_list(names, locale=phrases.locale))
    if around.population < FEWEST_PEOPLE:
        return places
    people = counted(phrases, "people", _about(around.population))
    return phrases.area["people"].format(places=places, people=people)


def _place(phrases: Phrases, around: Surroundings) -> str:
    if around.places:
        return phrases.place["inside"].format(name=_name(around.places[0], phrases))
    if around.near is not None:
        return phrases.place["near"].format(**_direction(phrases, around))
    return phrases.place["nowhere"]


def _direction(phrases: Phrases, around: Surroundings) -> dict[str, str]:
    near = around.near
    if near is None:
        return {}
    return {
        "distance": grouped(phrases, max(1, round(near.distance_km))),
        "direction": phrases.compass[near.octant],
        "name": _name(near.place, phrases),
    }


def _name(place: Place, phrases: Phrases) -> str:
    return _isolated(phrases, dict(place.names).get(phrases.locale.language, place.name))


def _isolated(phrases: Phrases, text: str) -> str:
    """In a text from right to left, what is written from left to right is set apart, so that nothing changes places."""
    return f"{ISOLATE}{text}{END_ISOLATE}" if phrases.right_to_left else text


def _about(people: int) -> int:
    """Two digits that count: a census of known places says no more."""
    step: int = 10 ** max(0, len(str(people)) - 2)
    return round(people / step) * step
