"""Numbers, times and places as the brief writes them. All times are UTC."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from tocsin.warning.alert import Place

NARROW, FIXED, MINUS = "\u202f", "\u00a0", "\u2212"
OCTANTS = ("N", "NE", "E", "SE", "S", "SW", "W", "NW")
STAGES = {
    "watch": "Watch",
    "prepare": "Prepare",
    "take-cover": "Take cover",
    "all-clear": "All-clear",
    "withdrawn": "Withdrawn",
}


def date(time_s: float) -> str:
    """21 November 2024."""
    moment = datetime.fromtimestamp(time_s, UTC)
    return f"{moment.day} {moment:%B %Y}"


def clock(time_s: float, places: int = 0) -> str:
    """Time of day, to the second or to so many decimals, cut off: nothing is said to be later than it was."""
    if not math.isfinite(time_s):
        return "–"
    unit = 10**places
    ticks = math.floor(time_s * unit + 1e-4)
    whole, part = divmod(ticks, unit)
    text = f"{datetime.fromtimestamp(whole, UTC):%H:%M:%S}"
    return f"{text}.{part:0{places}d}" if places else text


def bracketed(time_s: float, zero_s: float | None) -> str:
    """The same in brackets behind a time of day; nothing where there is no impact."""
    return "" if zero_s is None else f" ({relative(time_s, zero_s)})"


def span(seconds: float) -> str:
    """A length of time: 12 min 05 s, 1 h 02 min."""
    whole = round(abs(seconds))
    if whole < 60:
        return f"{whole}{FIXED}s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}{FIXED}min{FIXED}{rest:02d}{FIXED}s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}{FIXED}h{FIXED}{minutes:02d}{FIXED}min"


def relative(time_s: float, zero_s: float | None) -> str:
    """Time to or since the first impact: T−11:56, T+0:42; a dash where there is none."""
    if zero_s is None or not math.isfinite(time_s):
        return "–"
    whole = round(time_s - zero_s)
    sign = MINUS if whole < 0 else "+"
    minutes, rest = divmod(abs(whole), 60)
    hours, minutes = divmod(minutes, 60)
    return f"T{sign}{hours}:{minutes:02d}:{rest:02d}" if hours else f"T{sign}{minutes}:{rest:02d}"


def count(value: float) -> str:
    """A whole number, thousands apart."""
    return f"{round(value):,}".replace(",", FIXED)


def people(number: int) -> str:
    """People, to two digits as they are told: the count is of whole places. A dash where it is not known."""
    if number <= 0:
        return "–"
    return count(float(f"{number:.2g}"))


def inhabited(number: int) -> str:
    """An area's people, as the end of a sentence."""
    return f"with about {people(number)} people" if number > 0 else "in which no known place lies"


def area(km2: float) -> str:
    """An area with its unit."""
    if not math.isfinite(km2):
        return "–"
    shown = f"{km2:.1f}" if km2 < 9.95 else count(km2 if km2 < 9950 else float(f"{km2:.3g}"))
    return f"{shown}{FIXED}km²"


def distance(metres: float) -> str:
    """A distance with its unit."""
    if metres < 995:
        return f"{round(metres, -1 if metres >= 100 else 0):.0f}{FIXED}m"
    return f"{metres / 1e3:.1f}{FIXED}km" if metres < 99.5e3 else f"{count(metres / 1e3)}{FIXED}km"


def position(latitude_deg: float, longitude_deg: float) -> str:
    """A place: 48.4372° N 35.0650° E."""
    north, east = "N" if latitude_deg >= 0 else "S", "E" if longitude_deg >= 0 else "W"
    return f"{abs(latitude_deg):.4f}°{FIXED}{north} {abs(longitude_deg):.4f}°{FIXED}{east}"


def plural(number: int, one: str, many: str = "") -> str:
    """1 track, 2 tracks."""
    return f"{count(number)}{FIXED}{one if number == 1 else many or one + 's'}"


def of_all(part: int, whole: int) -> str:
    """All of 7, 3 of 7; nothing said of one."""
    return (
        f"all {count(whole)}"
        if part == whole
        else f"{count(part)} of {count(whole)}"
        if part
        else f"none of {count(whole)}"
    )


def listed(words: list[str]) -> str:
    """A, b and c."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""


def kept(text: str) -> str:
    """A sentence of the files with its numbers and units held together."""
    return text.replace(" %", f"{FIXED}%").replace(" km2", f"{FIXED}km²").replace("km2", "km²")


def seconds(value: float) -> str:
    """A signed span: +0.4 s."""
    sign = MINUS if round(value, 1) < 0 else "+"
    return f"{sign}{abs(value):.1f}{FIXED}s" if abs(value) < 99.5 else f"{sign}{span(value)}"


def named(place: Place) -> str:
    """A place with its local name."""
    local = dict(place.names).get("uk")
    return f"{place.name} ({local})" if local and local != place.name else place.name
