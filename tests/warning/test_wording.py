"""The texts: complete in every language, in the right forms, and never without the word exercise."""

from __future__ import annotations

import string

import pytest

from tocsin.warning.alert import Place
from tocsin.warning.phrases import PHRASES, Phrases
from tocsin.warning.places import Near, Surroundings
from tocsin.warning.wording import PLURAL_RULES, counted, grouped, texts

NOON_S = 1_800_000_000.0  # 2027-01-15T08:00:00Z
DNIPRO = Place("Dnipro", "UA", 48.46, 35.04, 968502, (("uk", "Дніпро"),))
LYON = Place("Lyon", "FR", 45.75, 4.85, 522250)
INSIDE = Surroundings((DNIPRO, *(LYON._replace(name=f"Place {n}") for n in range(8))), 1_234_567, None)
NEAR = Surroundings((), 0, Near(DNIPRO, 12.4, 1))
NOWHERE = Surroundings((), 0, None)
SAID = ("take-cover", "update", "all-clear", "withdrawn")


def write(said="take-cover", around=INSIDE, **times):
    values = {"now_s": NOON_S, "impact_s": NOON_S + 250.0, "last_s": NOON_S + 300.0, "over_s": NOON_S + 360.0}
    english, ukrainian = texts(said, ("en", "uk"), around, **{**values, **times})
    return english, ukrainian


def braces(value) -> list[set[str]]:
    forms = value.values() if isinstance(value, dict) else value if isinstance(value, tuple) else (value,)
    flat = [one for form in forms for one in (form if isinstance(form, tuple) else (form,))]
    return [{field for _, field, _, _ in string.Formatter().parse(one) if field} for one in flat]


@pytest.mark.parametrize("language", PHRASES)
def test_tables_agree(language):
    """Each language has the same keys and the same words in braces as English."""
    for field in Phrases._fields:
        mine, model = getattr(PHRASES[language], field), getattr(PHRASES["en"], field)
        assert type(mine) is type(model)
        if isinstance(model, dict):
            assert list(mine) == list(model), field
        if field == "plural":
            assert all(found == {"n"} for found in braces(mine))
            assert all(
                len(forms) == 1 + max(PLURAL_RULES[language](n) for n in range(200))
                for forms in mine.values()
            )
        else:
            assert braces(mine) == braces(model), field


@pytest.mark.parametrize("said", SAID)
@pytest.mark.parametrize("around", [INSIDE, NEAR, NOWHERE])
def test_every_text_says_exercise_and_fits(said, around):
    for text, word in zip(write(said, around), ("exercise", "навчання"), strict=True):
        for part in (text.event, text.headline, text.description):
            assert word in part.lower()
        assert "{" not in "".join(text)
        assert len(text.headline) <= 160  # CAP 1.2: of headlines that fit on small screens
        assert len(text.description) < 600
        for guess in ("missile", "rocket", "ракет", "drone", "nuclear"):
            assert guess not in " ".join(text).lower()


def test_take_cover_in_full():
    english, ukrainian = write()
    assert english.headline == (
        "EXERCISE. Take cover now: Dnipro and surroundings. Objects may fall from about 08:04 UTC."
    )
    assert "between 08:04 and 08:05 UTC, the first in about 4 minutes" in english.description
    assert english.area_description.endswith("Place 4 and 3 more places; about 1,200,000 people")
    assert "by 08:06 UTC" in english.instruction
    assert "приблизно через 4 хвилини" in ukrainian.description
    assert ukrainian.area_description.startswith("Дніпро, Place 0")
    assert "та ще 3 населені пункти" in ukrainian.area_description


@pytest.mark.parametrize(
    ("n", "form"),
    [
        *((n, "хвилину") for n in (1, 21, 101)),
        *((n, "хвилини") for n in (2, 3, 4, 22, 134)),
        *((n, "хвилин") for n in (0, 5, 11, 12, 14, 20, 25, 111, 112)),
    ],
)
def test_ukrainian_plurals(n, form):
    assert counted("uk", "minutes", n) == f"{n} {form}"


def test_english_plurals_and_groups():
    assert counted("en", "minutes", 1) == "1 minute"
    assert counted("en", "more", 2) == "2 more places"
    assert grouped("en", 1234567) == "1,234,567"
    assert grouped("uk", 1234567) == "1\u00a0234\u00a0567"


def test_less_than_a_minute_and_past():
    for impact_s in (NOON_S + 59.0, NOON_S - 20.0):
        english, ukrainian = write(impact_s=impact_s)
        assert "the first at any moment" in english.description
        assert "будь-якої миті" in ukrainian.description


def test_open_country():
    english, ukrainian = write(around=NEAR)
    assert "12 km north-east of Dnipro" in english.headline
    assert "за 12 км на північний схід від населеного пункту Дніпро" in ukrainian.area_description
