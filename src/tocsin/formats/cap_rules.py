"""What the CAP 1.2 schema lets through and this program does not send."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import shapely

from tocsin.errors import DataError
from tocsin.formats.cap import DRILLS, CapInfo, CapMessage, cap_time, read_cap

LARGEST_BYTES = 32_000
LEGAL = re.compile(r"[^\s,<&]+")
# the word that says "exercise" in each language that the program writes
DRILL_WORD = {"en": "exercise", "uk": "навчання"}


def check_cap(data: bytes, earlier: Sequence[CapMessage] = ()) -> list[str]:
    """What is wrong with a CAP document, given the messages sent before it; an empty list if nothing is."""
    try:
        message = read_cap(data)
    except DataError as why:
        return [str(why)]
    problems = [] if len(data) <= LARGEST_BYTES else [f"{len(data)} bytes, more than {LARGEST_BYTES}"]
    for name, value in (("identifier", message.identifier), ("sender", message.sender)):
        if not LEGAL.fullmatch(value):
            problems.append(f"{name} {value!r} has a space, comma, < or &")
    if message.status not in DRILLS:
        problems.append(f"status is {message.status!r}, not {' or '.join(DRILLS)}")
    problems += _order(message, earlier)
    if not message.infos:
        problems.append("has no info")
    for info in message.infos:
        problems += [f"info {info.text.language}: {problem}" for problem in _info(message, info)]
    return problems


def _order(message: CapMessage, earlier: Sequence[CapMessage]) -> list[str]:
    problems = []
    known = {one.identifier: one for one in earlier}
    if message.identifier in known:
        problems.append(f"identifier {message.identifier!r} was used before")
    if earlier and message.sent_s < earlier[-1].sent_s:
        problems.append(
            f"sent {cap_time(message.sent_s)} is before the last message, {cap_time(earlier[-1].sent_s)}"
        )
    if message.kind in ("Update", "Cancel") and not message.references:
        problems.append(f"{message.kind} without references")
    if message.kind == "Alert" and message.references:
        problems.append("Alert with references")
    for sender, identifier, sent in message.references:
        one = known.get(identifier)
        if one is None:
            problems.append(f"reference to {identifier!r}, which was not sent before")
        elif (sender, sent) != (one.sender, cap_time(one.sent_s)):
            was = f"{one.sender},{cap_time(one.sent_s)}"
            problems.append(f"reference to {identifier!r} gives {sender},{sent}; it was {was}")
    return problems


def _info(message: CapMessage, info: CapInfo) -> list[str]:
    problems = []
    word = DRILL_WORD.get(info.text.language.split("-")[0])
    if word is None:
        problems.append("no word for exercise is known in this language")
    else:
        for name in ("event", "headline", "description"):
            if word not in getattr(info.text, name).lower():
                problems.append(f"{name} does not say {word}")
    if math.isnan(info.expires_s):
        problems.append("has no expires")
    elif info.expires_s <= message.sent_s:
        problems.append("expires before it is sent")
    if math.isfinite(info.onset_s) and info.onset_s > info.expires_s:
        problems.append("onset after expires")
    if "tocsin:sequence" not in info.parameters:
        problems.append("has no sequence number")
    if not info.polygons:
        problems.append("has no polygon")
    for name, value in info.geocodes:
        if not LEGAL.fullmatch(value):
            problems.append(f"geocode {name} {value!r} has a space, comma, < or &")
    if info.geocodes != message.infos[0].geocodes:
        problems.append("has other geocodes than the first info")
    for number, ring in enumerate(info.polygons):
        problems += [f"polygon {number}: {problem}" for problem in _ring(ring)]
    return problems


def _ring(ring: tuple[tuple[float, float], ...]) -> list[str]:
    if len(ring) < 4:
        return [f"{len(ring)} points, fewer than 4"]
    problems = [] if ring[0] == ring[-1] else ["is not closed"]
    outside = [(lat, lon) for lat, lon in ring if not (abs(lat) <= 90.0 and abs(lon) <= 180.0)]
    if outside:
        problems.append(f"{outside[0]} is not a latitude and a longitude in degrees, in this order")
    if not shapely.Polygon(ring).is_valid:
        problems.append("crosses itself")
    return problems
