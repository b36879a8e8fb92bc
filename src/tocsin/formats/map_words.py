"""The words of the map page in its languages, and how it writes times and numbers.

Each sentence stands once for every language of the page, marked ``data-for``;
the style sheet shows the chosen one. Values are text and are escaped here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from html import escape

from babel import Locale, UnknownLocaleError
from babel.numbers import format_decimal

from tocsin.warning.alert import Message

LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")

# English is the fallback of every sentence; a language that is not here gets English words round its own text.
WORDS: dict[str, dict[str, str]] = {
    "en": {
        "language": "English",
        "prepare": "Be ready",
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
        "loading": "The map is loading; the warnings are below.",
        "newest": "Warnings, newest first",
        "clock": "All times are UTC.",
    },
    "uk": {
        "language": "Українська",
        "prepare": "Будьте напоготові",
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
        "loading": "Карта завантажується; попередження нижче.",
        "newest": "Попередження, від найновіших",
        "clock": "Увесь час за UTC.",
    },
    "pl": {
        "language": "Polski",
        "prepare": "Bądź w gotowości",
        "take-cover": "Ukryj się",
        "all-clear": "Odwołanie",
        "withdrawn": "Wycofane",
        "Update": "aktualizacja",
        "before": "{span} przed pierwszym upadkiem",
        "after": "{span} po pierwszym upadku",
        "at": "w chwili pierwszego upadku",
        "here": "Spodziewane od {time}",
        "people": "około {people} osób w miejscowościach wewnątrz",
        "nobody": "brak znanych miejscowości wewnątrz",
        "more": "i jeszcze {count}",
        "nothing": "Nie wysłano żadnego ostrzeżenia.",
        "full": "Pełny tekst",
        "in_area": "Obszar",
        "do": "Co robić",
        "until": "Obowiązuje do {time}",
        "minutes": "min",
        "seconds": "s",
        "hours": "godz.",
        "exercise": "ĆWICZENIA. To nie jest prawdziwe ostrzeżenie: strona pokazuje symulację lub nagranie.",
        "sensors": "Czujniki",
        "radar": "radar",
        "optical": "kamera",
        "infrared": "podczerwień",
        "orbit": "na orbicie",
        "summary": "Komunikaty: {count}, od {first} do {last}.",
        "quiet": "Między {first} a {last} nie wysłano żadnego ostrzeżenia.",
        "loading": "Mapa się wczytuje; ostrzeżenia są poniżej.",
        "newest": "Ostrzeżenia, od najnowszych",
        "clock": "Wszystkie czasy w UTC.",
    },
    "de": {
        "language": "Deutsch",
        "prepare": "Bereithalten",
        "take-cover": "Schutz suchen",
        "all-clear": "Entwarnung",
        "withdrawn": "Zurückgenommen",
        "Update": "Aktualisierung",
        "before": "{span} vor dem ersten Aufschlag",
        "after": "{span} nach dem ersten Aufschlag",
        "at": "beim ersten Aufschlag",
        "here": "Erwartet ab {time}",
        "people": "etwa {people} Menschen in den Orten darin",
        "nobody": "kein bekannter Ort darin",
        "more": "und noch {count}",
        "nothing": "Es wurde keine Warnung gesendet.",
        "full": "Vollständiger Text",
        "in_area": "Gebiet",
        "do": "Was zu tun ist",
        "until": "Gültig bis {time}",
        "minutes": "min",
        "seconds": "s",
        "hours": "h",
        "exercise": "ÜBUNG. Keine echte Warnung: Diese Seite zeigt eine Simulation oder eine Aufzeichnung.",
        "sensors": "Sensoren",
        "radar": "Radar",
        "optical": "Kamera",
        "infrared": "Infrarot",
        "orbit": "im Orbit",
        "summary": "{count} Meldungen von {first} bis {last}.",
        "quiet": "Zwischen {first} und {last} wurde keine Warnung gesendet.",
        "loading": "Die Karte wird geladen; die Warnungen stehen unten.",
        "newest": "Warnungen, die neueste zuerst",
        "clock": "Alle Zeiten in UTC.",
    },
    "fr": {
        "language": "Français",
        "prepare": "Se tenir prêt",
        "take-cover": "S’abriter",
        "all-clear": "Fin d’alerte",
        "withdrawn": "Annulée",
        "Update": "mise à jour",
        "before": "{span} avant le premier impact",
        "after": "{span} après le premier impact",
        "at": "au premier impact",
        "here": "Attendu à partir de {time}",
        "people": "environ {people} personnes dans les localités à l’intérieur",
        "nobody": "aucune localité connue à l’intérieur",
        "more": "et encore {count}",
        "nothing": "Aucune alerte n’a été envoyée.",
        "full": "Texte complet",
        "in_area": "Zone",
        "do": "Que faire",
        "until": "En vigueur jusqu’à {time}",
        "minutes": "min",
        "seconds": "s",
        "hours": "h",
        "exercise": "EXERCICE. Ce n’est pas une vraie alerte : cette page montre une simulation ou un enregistrement.",
        "sensors": "Capteurs",
        "radar": "radar",
        "optical": "caméra",
        "infrared": "infrarouge",
        "orbit": "en orbite",
        "summary": "{count} messages de {first} à {last}.",
        "quiet": "Aucune alerte n’a été envoyée entre {first} et {last}.",
        "loading": "La carte se charge ; les alertes sont ci-dessous.",
        "newest": "Alertes, de la plus récente à la plus ancienne",
        "clock": "Toutes les heures sont en UTC.",
    },
    "ar": {
        "language": "العربية",
        "prepare": "استعدوا",
        "take-cover": "احتموا",
        "all-clear": "زال الخطر",
        "withdrawn": "أُلغي",
        "Update": "تحديث",
        "before": "{span} قبل السقوط الأول",
        "after": "{span} بعد السقوط الأول",
        "at": "لحظة السقوط الأول",
        "here": "متوقع ابتداءً من {time}",
        "people": "نحو {people} نسمة في البلدات داخل المنطقة",
        "nobody": "لا بلدات معروفة داخل المنطقة",
        "more": "و{count} غيرها",
        "nothing": "لم يُرسل أي إنذار.",
        "full": "النص الكامل",
        "in_area": "المكان",
        "do": "ما العمل",
        "until": "ساري حتى {time}",
        "minutes": "د",
        "seconds": "ث",
        "hours": "س",
        "exercise": "تدريب. ليس إنذارًا حقيقيًا: تعرض هذه الصفحة محاكاة أو تسجيلًا.",
        "sensors": "أجهزة الرصد",
        "radar": "رادار",
        "optical": "كاميرا",
        "infrared": "أشعة تحت حمراء",
        "orbit": "في المدار",
        "summary": "عدد الرسائل: {count}، من {first} إلى {last}.",
        "quiet": "لم يُرسل أي إنذار بين {first} و{last}.",
        "loading": "الخريطة قيد التحميل، والإنذارات أدناه.",
        "newest": "الإنذارات، الأحدث أولًا",
        "clock": "جميع الأوقات بتوقيت UTC.",
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
    return format_decimal(int(float(f"{value:.3g}")), locale=_locale(language))


def right_to_left(language: str) -> bool:
    """Whether a language is written from right to left."""
    return _locale(language).text_direction == "rtl"


@cache
def _locale(language: str) -> Locale:
    """What CLDR knows of a language; English where it does not know it."""
    try:
        return Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale.parse("en")


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
