"""The words that the public reads, from TOML: one file a language, named by its tag, as uk.toml.

Everything is checked when it is read, so that nothing can go wrong when a warning must be written.
docs/words.md explains the keys to translators.
"""

from __future__ import annotations

import datetime as dt
import tomllib
import zoneinfo
from collections import Counter
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from babel import Locale, UnknownLocaleError

from tocsin.errors import SettingsError
from tocsin.formats.words_check import (
    COUNTS,
    MARK_KEYS,
    OPTIONAL,
    STAGE_KEYS,
    TABLES,
    TEST_KEYS,
    TOP,
    Fields,
    braces,
    check_keys,
    check_lengths,
    check_template,
    check_words,
    holds,
)
from tocsin.warning.phrases import DRILLS, STAGES, Drill, Phrases, Said, Words

COMPASS = 8


def shipped_words(zone: dt.tzinfo | None = None) -> Words:
    """The languages that come with the program."""
    folder = resources.files("tocsin.warning").joinpath("data", "words")
    files = sorted((one for one in folder.iterdir() if one.name.endswith(".toml")), key=lambda one: one.name)
    return Words({one.name[:-5]: parse_words(one.read_bytes(), one.name) for one in files}, zone)


def read_words(folder: Path, zone: dt.tzinfo | None = None) -> Words:
    """The shipped languages, with those of a folder beside them or in their place: every file TAG.toml in it.

    Raises SettingsError that names file, key and what is wrong.
    """
    try:
        files = sorted(folder.iterdir())
        own = {one.name: one.read_bytes() for one in files if one.suffix == ".toml"}
    except OSError as error:
        raise SettingsError(f"{folder}: cannot be read ({error.strerror})") from error
    if not own:
        raise SettingsError(f"{folder}: has no file like uk.toml; name the files by their language's tag")
    shipped = shipped_words(zone)
    read = {name[:-5]: parse_words(content, str(folder / name)) for name, content in own.items()}
    return shipped._replace(languages={**shipped.languages, **read})


def chosen(tags: str, words: Words) -> tuple[str, ...]:
    """Languages named as en,uk. Raises SettingsError where one is named twice or has no words."""
    names = tuple(tag.strip() for tag in tags.split(","))
    for i, name in enumerate(names):
        if name not in words.languages or name in names[:i]:
            why = "is named twice" if name in words.languages else "has no words"
            raise SettingsError(f"languages {tags!r}: {name!r} {why}; there are {', '.join(words.languages)}")
    return names


def time_zone(name: str) -> dt.tzinfo | None:
    """A zone by its name in the IANA database, as Europe/Kyiv; None for UTC. Raises SettingsError."""
    if name == "UTC":
        return None
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise SettingsError(
            f"time zone {name!r}: not in the IANA database; write it as Europe/Kyiv"
        ) from None


def parse_words(content: bytes, file: str) -> Phrases:
    """The words of one language; the name of the file without .toml is its tag. Raises SettingsError."""
    tag = Path(file).stem
    try:
        locale = Locale.parse(tag, sep="-")
    except (UnknownLocaleError, ValueError):
        raise SettingsError(
            f"{file}: {tag!r} is no language that CLDR knows; write it as uk or pt-BR"
        ) from None
    try:
        values = tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file}: is not TOML in UTF-8: {error}") from None
    check_keys(values, TOP, frozenset(), f"{file}: ")
    tables = {name: _table(values, name, keys, file) for name, keys in TABLES.items()}
    phrases = Phrases(
        language=tag,
        locale=locale,
        event=check_template(values["event"], braces(), f"{file}: event"),
        drills={status: _drill(values, table, file) for status, table in DRILLS.items()},
        said={stage: _said(values, stage, file) for stage in STAGES},
        time=tables["time"],
        area=tables["area"],
        place=tables["place"],
        counts=_counts(values["count"], locale, f"{file}: count"),
        compass=_compass(values["compass"], f"{file}: compass"),
    )
    check_words(phrases, file)
    check_lengths(phrases, file)
    return phrases


def _table(values: dict[str, Any], name: str, keys: Mapping[str, Fields], file: str) -> dict[str, str]:
    check_keys(values[name], keys, OPTIONAL, f"{file}: {name}.")
    return {
        key: check_template(values[name][key], fields, f"{file}: {name}.{key}")
        for key, fields in keys.items()
        if key in values[name]
    }


def _drill(values: dict[str, Any], table: str, file: str) -> Drill:
    keys = TEST_KEYS if table == "test" else MARK_KEYS
    made = Drill(**_table(values, table, {"word": braces(), **keys}, file))
    for name, template in made._asdict().items():
        if not holds(template, made.word):
            raise SettingsError(f"{file}: {table}.{name}: does not say {made.word}")
    return made


def _said(values: dict[str, Any], stage: str, file: str) -> Said:
    made = _table(values, stage, STAGE_KEYS[stage], file)
    return Said(**{key.replace("-", "_"): text for key, text in made.items()})


def _counts(values: Any, locale: Locale, where: str) -> dict[str, dict[str, str]]:
    check_keys(values, COUNTS, frozenset(), f"{where}.")
    out = {}
    for what in COUNTS:
        cases = _cases(locale, what)
        known = sorted({*cases, "other", *locale.plural_form.tags})
        check_keys(values[what], known, frozenset(known) - frozenset(cases), f"{where}.{what}.")
        # dual and the like say the number by themselves
        out[what] = {
            form: check_template(
                text,
                braces("", "n") if cases.get(form) == 1 else braces("n"),
                f"{where}.{what}.{form}",
            )
            for form, text in values[what].items()
        }
    return out


@cache
def _cases(locale: Locale, what: str) -> dict[str, int]:
    """How many of the numbers that are counted take each plural form: thousands of rules, so once a language."""
    return Counter(str(locale.plural_form(n)) for n in COUNTS[what])


def _compass(values: Any, where: str) -> tuple[str, ...]:
    if not isinstance(values, list) or len(values) != COMPASS:
        count = len(values) if isinstance(values, list) else 1
        raise SettingsError(f"{where}: has {count} names, must be {COMPASS}, from north clockwise")
    return tuple(check_template(one, braces(), where) for one in values)
