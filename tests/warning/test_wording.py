"""The texts: complete in every language, in the right forms, short enough, and never without the mark of a drill."""

from __future__ import annotations

import itertools
import re
import unicodedata
import zoneinfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tocsin.formats.cell_broadcast import in_gsm, pages
from tocsin.formats.words import shipped_words
from tocsin.formats.words_check import holds
from tocsin.warning.alert import Place
from tocsin.warning.phrases import STAGES
from tocsin.warning.places import Near, Surroundings
from tocsin.warning.wording import Times, counted, grouped, texts

WORDS = shipped_words()
LANGUAGES = tuple(WORDS.languages)
NOON_S = 1_800_000_000.0  # 2027-01-15T08:00:00Z
DNIPRO = Place("Dnipro", "UA", 48.46, 35.04, 968502, (("uk", "Дніпро"),))
LYON = Place("Lyon", "FR", 45.75, 4.85, 522250)
INSIDE = Surroundings((DNIPRO, *(LYON._replace(name=f"Place {n}") for n in range(8))), 1_234_567, None)
NEAR = Surroundings((), 0, Near(DNIPRO, 12.4, 1))
NOWHERE = Surroundings((), 0, None)
SHELTER_S = 90.0
DANGER = ("prepare", "take-cover", "update", "reduced", "eased")
MARKED = ("event", "headline", "description", "instruction", "text_90", "text_600")
# what a text may never say: only that something falls has been measured, not what or whose it is
GUESSES = {
    "en": "missile rocket warhead bomb shell drone nuclear attack strike enemy hostile launch weapon",
    "uk": "ракет боєголов бомб снаряд дрон ядерн атак удар ворог ворож пуск збро обстріл",
    "pl": "rakiet pocisk głowic bomb dron nuklear jądrow atak wróg wrog ostrzał broń broni",
    "de": "rakete sprengk bombe geschoss drohne nuklear atom angriff feind abschuss waffe",
    "fr": "missile fusée roquette ogive bombe obus drone nucléaire attaque frappe ennemi arme",
    "ar": "صاروخ صواريخ قذيف قنبل مسير نووي هجوم ضرب عدو معاد إطلاق سلاح قصف",
}
# the words that say what a text of 90 characters must not lack
ACTION = {
    "en": ("take cover", "stay in cover"),
    "uk": ("укриття", "ховайтеся", "не виходьте"),
    "pl": ("ukry", "nie wychodź"),
    "de": ("schutz", "deckung"),
    "fr": ("abrite", "à l'abri"),
    "ar": ("احتم", "للاحتماء", "محتمين"),
}
# and of one that lets people out of cover, to be ready
EASED = {
    "en": ("leave cover, be ready",),
    "uk": ("можна вийти, будьте напоготові",),
    "pl": ("możesz wyjść, bądź w gotowości",),
    "de": ("sie können heraus, bleiben sie bereit",),
    "fr": ("vous pouvez sortir, restez vigilants",),
    "ar": ("يمكنكم الخروج، ابقوا مستعدين",),
}


def write(said="take-cover", around=INSIDE, status="Exercise", zone=None, languages=LANGUAGES, **times):
    """The texts by language."""
    values = {"now_s": NOON_S, "impact_s": NOON_S + 250.0, "last_s": NOON_S + 300.0, "over_s": NOON_S + 360.0}
    words = WORDS._replace(zone=None if zone is None else zoneinfo.ZoneInfo(zone))
    made = texts(said, status, languages, words, around, Times(**{**values, **times}), SHELTER_S)
    assert tuple(text.language for text in made) == languages
    return dict(zip(languages, made, strict=True))


# between two marks, so that a name can be told from the words round it, whatever it is
inner = st.one_of(
    st.sampled_from(["Dnipro", "Åmål", "Кам’янське", "القاهرة", "a{place}b", "{}", "EXERCISE", "x" * 200]),
    st.text(st.characters(exclude_categories=("C", "Z"), exclude_characters="Ω"), min_size=1, max_size=70),
)
names = inner.map(lambda text: f"Ω{text}Ω")


def nameless(text: str) -> str:
    return re.sub("Ω[^Ω]*Ω", "NAME", text)


places = st.builds(
    lambda name, own, people: Place(name, "XX", 0.0, 0.0, people, (("uk", own),) if own else ()),
    names, st.one_of(st.none(), names), st.integers(0, 40_000_000),
)  # fmt: skip
arounds = st.one_of(
    st.builds(lambda some, people: Surroundings(tuple(some), people, None), st.lists(places, min_size=1, max_size=9),
              st.integers(0, 10**9)),
    st.builds(lambda place, km, octant: Surroundings((), 0, Near(place, km, octant)), places,
              st.floats(0.0, 20_000.0), st.integers(0, 7)),
    st.just(NOWHERE),
)  # fmt: skip
zones = st.sampled_from([None, "Europe/Kyiv", "Europe/London", "Pacific/Chatham", "America/St_Johns"])


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(STAGES), st.sampled_from(["Exercise", "Test", "Actual"]), arounds, zones,
    st.floats(-600.0, 20_000.0), st.floats(0.0, 7200.0), st.floats(0.0, 3600.0),
)  # fmt: skip
@example(
    "update",
    "Exercise",
    Surroundings((DNIPRO._replace(name="Ω" + "x" * 87 + "Ω"),), 5, None),
    None,
    89.0,
    1.0,
    1.0,
)
def test_every_text_is_whole_marked_and_short_enough(said, status, around, zone, left_s, spread_s, debris_s):
    last_s = NOON_S + left_s + spread_s
    made = write(
        said, around, status, zone, impact_s=NOON_S + left_s, last_s=last_s, over_s=last_s + debris_s
    )
    for language, text in made.items():
        assert len(text.headline.encode("utf-16-le")) <= 2 * 160
        assert len(text.text_90.encode("utf-16-le")) <= 2 * 90
        assert pages(text.text_90) <= 3
        assert len(text.text_600.encode("utf-16-le")) <= 2 * 600
        assert pages(text.text_600) <= 15
        for part in (*MARKED, "area_description"):
            own = nameless(getattr(text, part))
            assert own.strip()
            assert not set("{}Ω") & set(own), own  # no name is cut
            assert "  " not in own
        for part in MARKED:
            own = nameless(getattr(text, part))
            for state, drill in WORDS.languages[language].drills.items():
                assert holds(own, drill.word) == (state == status), (part, own)


@pytest.mark.parametrize(("language", "said"), list(itertools.product(LANGUAGES, STAGES)))
@pytest.mark.parametrize("around", [INSIDE, NEAR, NOWHERE], ids=["inside", "near", "nowhere"])
@pytest.mark.parametrize("left_s", [20.0, 250.0], ids=["now", "soon"])
def test_only_what_was_measured_is_said(language, said, around, left_s):
    for status in ("Exercise", "Test", "Actual"):
        text = write(said, around, status, languages=(language,), impact_s=NOON_S + left_s)[language]
        for guess in GUESSES[language].split():
            # a guess may begin a word, as ракет in ракети; "arme" is no part of "alarme"
            assert not re.search(rf"(?<!\w){guess}", " ".join(text).lower()), guess


@pytest.mark.parametrize(("language", "said"), list(itertools.product(LANGUAGES, DANGER)))
def test_the_short_text_says_what_to_do_where_and_from_when(language, said):
    for left_s, clock in ((20.0, "08:00"), (250.0, "08:04")):
        for around in (NOWHERE, NEAR):
            text = write(said, around, languages=(language,), impact_s=NOON_S + left_s)[language].text_90
            assert f"{clock} UTC" in text.translate({0x2068: None, 0x2069: None})
            assert any(word in text.lower() for word in (EASED if said == "eased" else ACTION)[language]), (
                text
            )
        # where the name does not fit it is left out whole, and nothing else is
        here = WORDS.languages[language].place["here"]
        short = Surroundings((DNIPRO._replace(names=(), name="Lviv"),), 5, None)
        long = Surroundings((DNIPRO._replace(names=(), name="Llanfairpwllgwyngyll-yn-Lloegr" * 2),), 5, None)
        named = write(said, short, languages=(language,), impact_s=NOON_S + left_s)[language].text_90
        unnamed = write(said, long, languages=(language,), impact_s=NOON_S + left_s)[language].text_90
        assert "Lviv" in named
        assert here in unnamed
        assert "Llanf" not in unnamed


def test_english_french_and_german_short_texts_fill_one_page():
    for language, said in itertools.product(("en", "de", "fr"), STAGES):
        text = write(said, languages=(language,))[language].text_90
        assert in_gsm(text), text
        assert pages(text) == 1


def test_take_cover_in_full():
    english, ukrainian = (write(languages=("en", "uk"))[one] for one in ("en", "uk"))
    assert english.headline == (
        "EXERCISE. Take cover now: Dnipro area. Objects may fall in about 4 minutes, from 08:04 UTC."
    )
    assert "between 08:04 and 08:05 UTC, the first in about 4 minutes" in english.description
    assert english.area_description.endswith("Place 4, and 3 more places; about 1,200,000 people")
    assert "be there by 08:04" in english.instruction
    assert "by 08:06 UTC" in english.instruction
    assert english.text_90 == "EXERCISE. Take cover now: Dnipro area. Objects may fall from 08:04 UTC."
    assert "приблизно через 4 хвилини" in ukrainian.description
    assert ukrainian.area_description.startswith("Дніпро, Place 0")
    assert "і ще 3 населені пункти; близько 1\u00a0200\u00a0000 людей" in ukrainian.area_description


def test_in_earnest_nothing_is_said_of_a_drill():
    for language, text in write(status="Actual").items():
        exercise = write(languages=(language,))[language]
        assert exercise.headline.endswith(text.headline)
        assert exercise.text_90.endswith(text.text_90)
        assert exercise.description.endswith(text.description)
        assert exercise.instruction.endswith(text.instruction)
    with pytest.raises(KeyError):
        write(status="System")


def test_a_test_of_the_channel_tells_no_one_to_act_in_its_headline():
    for said in STAGES:
        for language, text in write(said, status="Test").items():
            assert not any(word in text.headline.lower() for word in ACTION[language])
            assert not any(word in text.text_90.lower() for word in ACTION[language])


# language -> what is counted -> numbers and the form that they take, written down by hand
FORMS = {
    ("en", "minutes"): {"{} minute": (1,), "{} minutes": (0, 2, 11, 21)},
    ("en", "more"): {"{} more place": (1,), "{} more places": (2, 100)},
    ("uk", "minutes"): {
        "{} хвилину": (1, 21, 31, 101),
        "{} хвилини": (2, 3, 4, 22, 34, 102),
        "{} хвилин": (0, 5, 10, 11, 12, 14, 20, 25, 100, 111, 112),
    },
    ("uk", "more"): {
        "ще {} населений пункт": (1, 21),
        "ще {} населені пункти": (2, 22),
        "ще {} населених пунктів": (5, 11, 25, 111),
    },
    ("pl", "minutes"): {
        "{} minutę": (1,),
        "{} minuty": (2, 3, 4, 22, 34, 102),
        "{} minut": (0, 5, 11, 12, 14, 21, 25, 31, 100, 101, 112),
    },
    ("pl", "more"): {
        "{} inna miejscowość": (1,),
        "{} inne miejscowości": (2, 22),
        "{} innych miejscowości": (5, 12, 21, 25),
    },
    ("pl", "people"): {"{} osób": (2, 5, 100, 120)},
    ("de", "minutes"): {"{} Minute": (1,), "{} Minuten": (0, 2, 11, 21, 101)},
    ("de", "more"): {"{} weiterer Ort": (1,), "{} weitere Orte": (2, 21)},
    ("fr", "minutes"): {"{} minute": (0, 1), "{} minutes": (2, 11, 21, 101)},
    ("fr", "people"): {"{} personne": (0, 1), "{} personnes": (2, 130, 1100), "{} de personnes": (10**6, 3 * 10**6)},
    ("ar", "minutes"): {
        "دقيقة واحدة": (1,),
        "دقيقتين": (2,),
        "{} دقائق": (3, 4, 10, 103, 110),
        "{} دقيقة": (0, 11, 12, 20, 99, 100, 101, 102, 111),
    },
    ("ar", "people"): {
        "{} أشخاص": (103, 110),
        "{} شخصًا": (111, 150, 199),
        "{} شخص": (100, 101, 102, 200, 1000),
    },
    ("ar", "hours"): {"ساعتين": (2,), "{} ساعات": (3, 10), "{} ساعة": (11, 99, 100)},
}  # fmt: skip


@pytest.mark.parametrize(("language", "what"), FORMS)
def test_plural_forms(language, what):
    phrases = WORDS.languages[language]
    for form, numbers in FORMS[language, what].items():
        for n in numbers:
            assert counted(phrases, what, n) == form.format(grouped(phrases, n))


def test_numbers_are_grouped_as_the_language_does():
    for language, text in {
        "en": "1,234,567",
        "uk": "1\u00a0234\u00a0567",
        "pl": "1\u00a0234\u00a0567",
        "de": "1.234.567",
        "fr": "1\u202f234\u202f567",
        "ar": "1,234,567",
    }.items():
        assert grouped(WORDS.languages[language], 1_234_567) == text


@pytest.mark.parametrize("said", ["take-cover", "update"])
def test_with_no_time_to_reach_a_shelter_people_are_told_to_take_cover_where_they_are(said):
    for impact_s, now in ((NOON_S + 89.0, True), (NOON_S - 20.0, True), (NOON_S + 90.0, False)):
        for language, text in write(said, impact_s=impact_s).items():
            templates = WORDS.languages[language].said[said]
            beginning = templates.instruction_now if now else templates.instruction
            assert beginning.partition("{")[0] in text.instruction
            short = templates.short_now if now and said == "take-cover" else templates.short
            assert short.partition("{")[0] in text.text_90


def test_less_than_a_minute_and_past():
    for impact_s in (NOON_S + 59.0, NOON_S - 20.0):
        made = write(impact_s=impact_s)
        assert "the first at any moment" in made["en"].description
        assert "будь-якої миті" in made["uk"].description


def test_long_ahead_is_told_in_hours():
    made = write("prepare", impact_s=NOON_S + 11_000.0)
    assert "in about 3 hours, from 11:03 UTC" in made["en"].headline
    assert "приблизно через 3 години" in made["uk"].headline
    assert "بعد نحو 3 ساعات" in made["ar"].headline


def test_open_country():
    made = write(around=NEAR)
    assert "12 km north-east of Dnipro" in made["en"].headline
    assert "за 12 км на північний схід від населеного пункту Дніпро" in made["uk"].area_description
    assert "12 km na północny wschód od miejscowości Dnipro" in made["pl"].headline
    assert "12 km nordöstlich von Dnipro" in made["de"].headline
    assert "à 12 km au nord-est de la localité Dnipro" in made["fr"].headline
    assert "على بعد 12 كم إلى الشمال الشرقي من بلدة \u2068Dnipro\u2069" in made["ar"].headline


def test_times_are_of_the_zone_and_say_so():
    winter = write(zone="Europe/Kyiv")
    assert "from 10:04 UTC+2." in winter["en"].headline
    assert "between 10:04 and 10:05 local time (UTC+2)" in winter["en"].description
    assert "з 10:04 UTC+2" in winter["uk"].text_90
    assert "за місцевим часом (UTC+2)" in winter["uk"].instruction
    assert "11:34 UTC+3:30" in write(zone="Asia/Tehran")["en"].text_90
    assert "04:34 UTC-3:30" in write(zone="America/St_Johns")["en"].text_90
    # London in winter: the offset is none, and the time local all the same
    assert "local time (UTC)" in write(zone="Europe/London")["en"].description


def test_one_offset_through_the_night_when_clocks_go_back():
    change_s = 1_792_890_000.0  # 2026-10-25T01:00Z, 04:00 in Kyiv and then 03:00
    text = write(
        zone="Europe/Kyiv", now_s=change_s - 200.0, impact_s=change_s - 60.0, last_s=change_s + 120.0,
        over_s=change_s + 180.0,
    )["en"]  # fmt: skip
    assert "between 03:59 and 04:02 local time (UTC+3)" in text.description
    assert "by 04:03 local time (UTC+3)" in text.instruction


def first_strong(text: str) -> str:
    """Class of the first character that has a direction, isolates skipped (UAX 9, P2)."""
    depth = 0
    for sign in text:
        depth += (sign in "\u2066\u2067\u2068") - (sign == "\u2069")
        if not depth and unicodedata.bidirectional(sign) in ("L", "R", "AL"):
            return unicodedata.bidirectional(sign)
    return ""


@pytest.mark.parametrize("said", STAGES)
@pytest.mark.parametrize("around", [INSIDE, NEAR, NOWHERE], ids=["inside", "near", "nowhere"])
@pytest.mark.parametrize("zone", [None, "Europe/Kyiv"])
def test_arabic_runs_from_right_to_left_and_sets_apart_what_does_not(said, around, zone):
    for status in ("Exercise", "Test", "Actual"):
        text = write(said, around, status, zone, languages=("ar",))["ar"]
        for part in (*MARKED, "area_description"):
            own = getattr(text, part)
            assert first_strong(own) == "AL"
            depth = 0
            for sign in own:
                depth += (sign == "\u2068") - (sign == "\u2069")
                assert depth in (0, 1)
                # a letter of another script outside an isolate is of the word UTC in a sentence alone
                if not depth and unicodedata.bidirectional(sign) == "L":
                    assert sign in "UTC"
            assert depth == 0


def test_no_other_language_has_marks_of_direction():
    for language in LANGUAGES:
        if language != "ar":
            assert not {"\u2068", "\u2069"} & set(
                "".join(write(zone="Europe/Kyiv", languages=(language,))[language])
            )
