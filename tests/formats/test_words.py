"""Files of words: what is shipped is right, and each thing that can be wrong in one is told by file and key."""

from __future__ import annotations

import datetime as dt
from importlib import resources

import pytest

from tocsin.errors import SettingsError
from tocsin.formats.words import chosen, parse_words, read_words, shipped_words, time_zone
from tocsin.formats.words_check import holds
from tocsin.warning.phrases import STAGES

TAGS = ("ar", "de", "en", "fr", "pl", "uk")
FOLDER = resources.files("tocsin.warning").joinpath("data", "words")


def text_of(tag):
    return FOLDER.joinpath(f"{tag}.toml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def words():
    return shipped_words()


def test_six_languages_are_shipped(words):
    assert tuple(words.languages) == TAGS
    assert [tag for tag, one in words.languages.items() if one.right_to_left] == ["ar"]
    for tag, one in words.languages.items():
        assert one.language == tag
        assert tuple(one.said) == STAGES
        assert len(set(one.compass)) == 8


def test_reading_twice_gives_the_same(words):
    assert shipped_words() == words


EVENT = 'event = "Falling objects"'
CLEAR = 'headline = "All clear: {place}."'
FEW, ONE = 'few = "{n} хвилини"', 'one = "{n} хвилину"'


def clear(text):
    return f'headline = "{text}"'


WRONG = [
    (
        EVENT,
        f'{EVENT}\nevents = "x"',
        "events: unknown key; allowed are event, compass, exercise, test, prepare",
    ),
    (EVENT, "", "event: is missing"),
    (EVENT, "event = 3", "event: is 3, must be a text"),
    (EVENT, 'event = ""', "event: is '', must be a text"),
    (EVENT, 'event = "Falling "', "event: begins or ends with a space"),
    (EVENT, 'event = "a\\nb"', "holds a line break"),
    (EVENT, 'event = "{place}"', "event: unknown {place}; allowed are none"),
    (EVENT, 'event = "EXERCISE"', "event: says exercise, which belongs to the marks"),
    (CLEAR, clear("All clear: {plaec}."), "all-clear.headline: unknown {plaec}; allowed are {place}"),
    (CLEAR, clear("All clear."), "all-clear.headline: lacks {place}"),
    (CLEAR, clear("All clear: {place!r}."), "all-clear.headline: unknown {place}"),
    (CLEAR, clear("All clear: {place:>9}."), "all-clear.headline: unknown {place}"),
    (CLEAR, clear("All clear: {place.x}."), "unknown {place.x}"),
    (CLEAR, clear("All clear: {}."), "all-clear.headline: unknown {}"),
    (CLEAR, clear("All clear: {place."), "all-clear.headline: braces do not pair"),
    (
        CLEAR,
        clear("x" * 150 + " {place}"),
        "headline with the mark of exercise: 180 characters at the longest, at most 160",
    ),
    (
        '"All clear: {place}. You',
        f'"{"x" * 30}: {{place}}. You',
        "all-clear.short with the mark of exercise: ",
    ),
    (
        '"You can leave cover. There',
        f'"{"x" * 500}',
        "withdrawn.headline and instruction together with the mark",
    ),
    (
        "[withdrawn]",
        "[withdrawal]",
        "withdrawal: unknown key; allowed are event, compass, exercise, test, prepare",
    ),
    ("[time]", "[[time]]", "time: is [{"),
    ('word = "exercise"\n', "", "exercise.word: is missing"),
    ('["north", ', "[", "compass: has 7 names, must be 8, from north clockwise"),
    (FEW, "", "count.minutes.few: is missing"),
    (FEW, f'{FEW}\ntwo = "{{n}}"', "count.minutes.two: unknown key; allowed are few, many, one, other"),
    (ONE, 'one = "хвилину"', "count.minutes.one: lacks {n}"),  # 21, 31 too
    ('two = "دقيقتين"', "", "count.minutes.two: is missing"),
]


@pytest.mark.parametrize(("old", "new", "problem"), WRONG, ids=range(len(WRONG)))
def test_each_fault_is_told_by_file_and_key(old, new, problem):
    tag = next(tag for tag in ("en", "uk", "ar") if old in text_of(tag))
    text = text_of(tag).replace(old, new)
    with pytest.raises(SettingsError) as told:
        parse_words(text.encode(), f"own/{tag}.toml")
    assert str(told.value).startswith(f"own/{tag}.toml: ")
    assert problem in str(told.value)


@pytest.mark.parametrize("part", ["event", "headline", "description", "instruction", "short", "long"])
@pytest.mark.parametrize("table", ["exercise", "test"])
def test_no_mark_of_a_drill_may_lack_its_word(table, part):
    head, _, rest = text_of("en").partition(f"[{table}]\n")
    mine, _, others = rest.partition("\n\n")
    lines = [f'{part} = "{{text}}"' if line.startswith(f"{part} =") else line for line in mine.splitlines()]
    text = "\n".join([f"{head}[{table}]", *lines, "", others])
    with pytest.raises(SettingsError, match=rf"en.toml: {table}.{part}: does not say {table}"):
        parse_words(text.encode(), "en.toml")


@pytest.mark.parametrize("content", [b"event =", b"\xff\xfe", b"a = 1\na = 2"])
def test_what_is_no_toml(content):
    with pytest.raises(SettingsError, match=r"uk.toml: is not TOML in UTF-8"):
        parse_words(content, "uk.toml")


@pytest.mark.parametrize("name", ["xx.toml", "english.toml", "my words.toml", ".toml"])
def test_a_file_that_is_named_by_no_language(name):
    with pytest.raises(SettingsError, match="is no language that CLDR knows"):
        parse_words(text_of("en").encode(), name)


def test_own_words_stand_beside_the_shipped_and_in_their_place(tmp_path, words):
    (tmp_path / "en.toml").write_text(
        text_of("en").replace("Take cover now", "Down to the cellar"), encoding="utf-8"
    )
    (tmp_path / "nl-BE.toml").write_text(text_of("en"), encoding="utf-8")
    (tmp_path / "README.md").write_text("not read")
    own = read_words(tmp_path)
    assert own.languages["en"].said["take-cover"].headline.startswith("Down to the cellar")
    assert own.languages["nl-BE"].language == "nl-BE"
    assert own.languages["uk"] == words.languages["uk"]
    assert chosen("nl-BE, uk", own) == ("nl-BE", "uk")


def test_a_folder_of_no_words(tmp_path):
    with pytest.raises(SettingsError, match=r"has no file like uk\.toml"):
        read_words(tmp_path)
    with pytest.raises(SettingsError, match="cannot be read"):
        read_words(tmp_path / "absent")


@pytest.mark.parametrize(
    ("tags", "why"),
    [("en,xx", "'xx' has no words"), ("en,en", "'en' is named twice"), ("", "'' has no words")],
)
def test_languages_that_cannot_be_chosen(words, tags, why):
    with pytest.raises(SettingsError, match=why):
        chosen(tags, words)


def test_time_zones():
    assert time_zone("UTC") is None
    kyiv = time_zone("Europe/Kyiv")
    assert kyiv is not None
    assert kyiv.utcoffset(dt.datetime(2026, 7, 1)) == dt.timedelta(hours=3)
    for name in ("Kyiv", "", "../etc/passwd", "/etc/passwd"):
        with pytest.raises(SettingsError, match="not in the IANA database; write it as Europe/Kyiv"):
            time_zone(name)


def test_a_word_is_held_whole():
    assert holds("ÜBUNG. Gehen Sie", "Übung")
    assert holds("هذا تدريب.", "تدريب")
    assert not holds("spätestens um", "test")
    assert not holds("Übungen", "Übung")
