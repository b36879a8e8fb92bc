"""Public text: what is said, where, until when, and what to do; the sentences themselves stand in phrases.py."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Mapping, Sequence

from tocsin.warning.alert import Place, Text
from tocsin.warning.phrases import PHRASES, Phrases
from tocsin.warning.places import Surroundings

NAMED = 6  # places named in a text; the others are counted


def _english(n: int) -> int:
    return 0 if n == 1 else 1


def _ukrainian(n: int) -> int:
    """One: 1, 21, 31; few: 2 to 4, 22 to 24; many: the rest, 11 to 14 too (CLDR plural rules, uk)."""
    if n % 10 == 1 and n % 100 != 11:
        return 0
    if 2 <= n % 10 <= 4 and not 12 <= n % 100 <= 14:
        return 1
    return 2


PLURAL_RULES: Mapping[str, Callable[[int], int]] = {"en": _english, "uk": _ukrainian}


def texts(
    said: str,
    languages: Sequence[str],
    around: Surroundings,
    *,
    now_s: float,
    impact_s: float,
    last_s: float,
    over_s: float,
) -> tuple[Text, ...]:
    """The text in each language.

    said: take-cover, update, all-clear or withdrawn. Times in seconds since 1970 UTC: now, the first
    expected arrival, the last credible one, and the moment by which the next message comes.
    """
    return tuple(_text(language, said, around, now_s, impact_s, last_s, over_s) for language in languages)


def counted(language: str, what: str, n: int) -> str:
    """A number with its noun in the right form, as in 5 хвилин."""
    return PHRASES[language].plural[what][PLURAL_RULES[language](n)].format(n=grouped(language, n))


def grouped(language: str, n: int) -> str:
    """A whole number in groups of three digits, in the way of the language."""
    return f"{n:,}".replace(",", PHRASES[language].thousands)


def _text(
    language: str,
    said: str,
    around: Surroundings,
    now_s: float,
    impact_s: float,
    last_s: float,
    over_s: float,
) -> Text:
    phrases = PHRASES[language]
    minutes = math.floor((impact_s - now_s) / 60.0)
    soon = (
        phrases.soon["left"].format(minutes=counted(language, "minutes", minutes))
        if minutes >= 1
        else phrases.soon["now"]
    )
    area = _area(language, phrases, around)
    # the first arrival rounded down to the minute, the others up: no one is told too little
    fields = {
        "place": _short_area(language, phrases, around),
        "area": area,
        "first": _clock(60.0 * math.floor(impact_s / 60.0)),
        "last": _clock(60.0 * math.ceil(max(last_s, impact_s) / 60.0)),
        "again": _clock(60.0 * math.ceil(over_s / 60.0)),
        "soon": soon,
    }
    return Text(
        language=language,
        event=phrases.event,
        headline=phrases.headline[said].format(**fields),
        description=phrases.description[said].format(**fields),
        instruction=phrases.instruction[said].format(**fields),
        area_description=area,
    )


def _area(language: str, phrases: Phrases, around: Surroundings) -> str:
    if around.near is not None:
        return phrases.area["none"].format(**_direction(language, phrases, around))
    if not around.places:
        return phrases.area["nowhere"]
    names = ", ".join(_name(place, language) for place in around.places[:NAMED])
    more = len(around.places) - NAMED
    if more > 0:
        places = phrases.area["more"].format(names=names, more=counted(language, "more", more))
    else:
        places = phrases.area["places"].format(names=names)
    if around.population < 100:  # too few, or unknown, to say a number
        return places
    return phrases.area["people"].format(places=places, people=grouped(language, _about(around.population)))


def _short_area(language: str, phrases: Phrases, around: Surroundings) -> str:
    if around.places:
        return phrases.short_area["inside"].format(name=_name(around.places[0], language))
    if around.near is not None:
        return phrases.short_area["near"].format(**_direction(language, phrases, around))
    return phrases.short_area["nowhere"]


def _direction(language: str, phrases: Phrases, around: Surroundings) -> dict[str, str]:
    near = around.near
    if near is None:
        return {}
    return {
        "distance": grouped(language, max(1, round(near.distance_km))),
        "direction": phrases.compass[near.octant],
        "name": _name(near.place, language),
    }


def _name(place: Place, language: str) -> str:
    return dict(place.names).get(language, place.name)


def _about(people: int) -> int:
    """Two digits that count: a census of known places says no more."""
    step: int = 10 ** max(0, len(str(people)) - 2)
    return round(people / step) * step


def _clock(time_s: float) -> str:
    return f"{dt.datetime.fromtimestamp(time_s, dt.UTC):%H:%M}"
