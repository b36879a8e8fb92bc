"""The words of the map page in its languages, and how it writes times and numbers.

Each sentence stands once for every language of the page, marked ``data-for``;
the style sheet shows the chosen one. Values are text and are escaped here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape

from tocsin.warning.alert import Message

LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")

# English is the fallback of every sentence; a language that is not here gets English words round its own text.
WORDS: dict[str, dict[str, str]] = {
    "en": {
        "language": "English",
        "take-cover": "Take cover",
        "all-clear": "All clear",
        "withdrawn": "Withdrawn",
        "Update": "update",
        "before": "{span} before the first impact",
        "after": "{span} after the first impact",
        "at": "at the first impact",
        "here": "Expected from {time}",
        "people": "about {people} people in the towns inside",
        "nobody": "no known town inside",
        "more": "and {count} more",
        "nothing": "No warning was sent.",
        "full": "Full text",
        "in_area": "Area",
        "do": "What to do",
        "until": "In force until {time}",
        "minutes": "min",
        "seconds": "s",
        "hours": "h",
        "exercise": "EXERCISE. Not a real warning: this page shows a simulation or a recording.",
        "sensors": "Sensors",
        "radar": "radar",
        "optical": "camera",
        "infrared": "infrared",
        "orbit": "in orbit",
        "summary": "{count} messages from {first} to {last}.",
        "quiet": "No warning was sent between {first} and {last}.",
    },
    "uk": {
        "language": "Українська",
        "take-cover": "В укриття",
        "all-clear": "Відбій",
        "withdrawn": "Скасовано",
        "Update": "оновлення",
        "before": "{span} до першого падіння",
        "after": "{span} після першого падіння",
        "at": "у мить першого падіння",
        "here": "Очікується з {time}",
        "people": "близько {people} людей у населених пунктах усередині",
        "nobody": "жодного відомого населеного пункту всередині",
        "more": "і ще {count}",
        "nothing": "Жодного попередження не надіслано.",
        "full": "Повний текст",
        "in_area": "Територія",
        "do": "Що робити",
        "until": "Чинне до {time}",
        "minutes": "хв",
        "seconds": "с",
        "hours": "год",
        "exercise": "НАВЧАННЯ. Це не справжнє попередження: сторінка показує імітацію або запис.",
        "sensors": "Датчики",
        "radar": "радар",
        "optical": "камера",
        "infrared": "інфрачервоний",
        "orbit": "на орбіті",
        "summary": "Повідомлень: {count}, від {first} до {last}.",
        "quiet": "Від {first} до {last} не надіслано жодного попередження.",
    },
}


def languages(messages: Sequence[Message]) -> tuple[str, ...]:
    """Languages of the page: English, Ukrainian, then the others that the messages speak (BCP 47 alone)."""
    found = {text.language for message in messages for text in message.texts}
    others = {code for code in found if LANGUAGE.fullmatch(code)} - {"en", "uk"}
    return ("en", "uk", *sorted(others))


def words(language: str, key: str, **values: str) -> tuple[str, str]:
    """A sentence of the page in a language, and the language that it really is in."""
    base = language.split("-")[0]
    table = base if key in WORDS.get(base, {}) else "en"
    return WORDS[table][key].format(**values), table


def say(of: Sequence[str], key: str, tag: str = "span", **values: str) -> str:
    """One element a language for a sentence of the page. Values are text, not HTML."""
    return "".join(
        f'<{tag} data-for="{code}" lang="{table}">{escape(text)}</{tag}>'
        for code in of
        for text, table in [words(code, key, **values)]
    )


def clock(time_s: float) -> str:
    """HH:MM:SS UTC."""
    return datetime.fromtimestamp(round(time_s), UTC).strftime("%H:%M:%S UTC")


def span(seconds: float, language: str) -> str:
    """A length of time in words: 4 min 10 s, 1 h 02 min."""
    whole = round(abs(seconds))
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    unit = {key: words(language, key)[0] for key in ("hours", "minutes", "seconds")}
    if hours:
        return f"{hours}\u00a0{unit['hours']} {minutes:02d}\u00a0{unit['minutes']}"
    if minutes:
        return f"{minutes}\u00a0{unit['minutes']} {rest:02d}\u00a0{unit['seconds']}"
    return f"{rest}\u00a0{unit['seconds']}"


def number(value: float, language: str) -> str:
    """A whole number with thousands apart, as the language writes them; three digits are enough for people."""
    whole = int(float(f"{value:.3g}"))
    return f"{whole:,}".replace(",", "\u00a0" if language.split("-")[0] == "uk" else ",")


def relative(of: Sequence[str], time_s: float, impact_s: float | None) -> str:
    """How long before or after the first impact a moment is; empty where there is no impact."""
    if impact_s is None:
        return ""
    gap = impact_s - time_s
    key = "at" if round(gap) == 0 else "before" if gap > 0 else "after"
    return "".join(
        f'<span data-for="{code}" lang="{table}">{escape(text)}</span>'
        for code in of
        for text, table in [words(code, key, **({} if key == "at" else {"span": span(gap, code)}))]
    )
