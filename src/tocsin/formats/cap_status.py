"""Exercise, test or real: what a message says of itself in ``status`` must be what its texts say.

The drill sent as live (Hawaii, 2018) and the warning that passes for a drill are the same fault: two
places that differ. Here they are compared, when a message is written and when it is read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from tocsin.warning.alert import Text

STATUSES = ("Actual", "Exercise", "Test")
# the word that says "exercise" in each language that the program writes, in small letters
DRILL_WORD = {
    "ar": "تدريب",
    "de": "übung",
    "en": "exercise",
    "fr": "exercice",
    "pl": "ćwiczenia",
    "uk": "навчання",
}
# the words of which one says that the channel is tested
TEST_WORDS = {
    "ar": ("اختبار",),
    "de": ("test",),
    "en": ("test",),
    "fr": ("test", "essai"),
    "pl": ("test",),
    "uk": ("тест", "перевірка"),
}
SHORT = ("text_90", "text_600")  # texts that others leave out
SAYS_SO = ("event", "headline", "description", *SHORT)  # the texts that must say what the status says
# top-level domains, and domains, that can never be real (RFC 2606, RFC 6761)
NEVER_REAL = ("invalid", "test", "example", "localhost", "example.com", "example.net", "example.org")


def never_real(sender: str) -> bool:
    """Whether a sender's domain is set aside for examples and tests."""
    domain = sender.rpartition("@")[2].lower().rstrip(".")
    return any(domain == one or domain.endswith(f".{one}") for one in NEVER_REAL)


def contradictions(status: str, sender: str, note: str, texts: Sequence[Text]) -> list[str]:
    """Where sender, note and texts of a message say otherwise than its status; an empty list if nowhere."""
    if status not in STATUSES:
        return [f"status is {status!r}, not {', '.join(STATUSES[:-1])} or {STATUSES[-1]}"]
    if status == "Actual":
        return _not_real(sender, note, texts)
    problems = []
    for text in texts:
        language = text.language.split("-")[0].lower()
        word = DRILL_WORD.get(language)
        words = TEST_WORDS.get(language, ()) if status == "Test" else (word,) if word else ()
        if not words:
            problems.append(f"info {text.language}: no word for {status.lower()} is known in this language")
        problems += [
            f"info {text.language}: {name} does not say {' or '.join(words)}"
            for name in SAYS_SO
            if (said := getattr(text, name)) or name not in SHORT
            if words and not any(word in said.lower() for word in words)
        ]
    return problems


def _not_real(sender: str, note: str, texts: Sequence[Text]) -> list[str]:
    """What in an Actual message says that it is none."""
    problems = [f"status is Actual, but {sender!r} can be no real sender"] if never_real(sender) else []
    said = [("note", note)]
    for text in texts:
        # a place may be named as it likes: its name must not stop a warning
        places = (text.area_description, *re.split(r"[,;]\s*", text.area_description))
        for name in (*SAYS_SO, "instruction"):
            rest = getattr(text, name)
            if name != "event":
                for place in filter(None, places):
                    rest = rest.replace(place, " ")
            said.append((f"info {text.language}: {name}", rest))
    for name, rest in said:
        found = [word for word in DRILL_WORD.values() if word in rest.lower()]
        found += [word for word in _tests() if re.search(rf"(?<!\w){word}(?!\w)", rest.lower())]
        if found:
            problems.append(f"{name} says {found[0]}, but the status is Actual")
    return problems


def _tests() -> list[str]:
    return list(dict.fromkeys(word for words in TEST_WORDS.values() for word in words))
