"""Rules for the infos and areas of a CAP message, which the schema lacks."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

import shapely

from tocsin.formats.cap import MEANING, CapInfo, CapMessage, Ring, certainty

# stage -> the kinds of message that say it
KINDS = {
    "prepare": ("Alert", "Update"),
    "take-cover": ("Alert", "Update"),
    "all-clear": ("Update",),
    "withdrawn": ("Cancel",),
}
# what must not differ between the languages of a message
SAME = (
    "categories",
    "response",
    "urgency",
    "severity",
    "certainty",
    "onset_s",
    "expires_s",
    "polygons",
    "geocodes",
)
NUMBERS = (
    "tocsin:sequence",
    "tocsin:stage",
    "tocsin:probability",
    "tocsin:first-arrival",
)  # parameters, the same too
NEEDED = ("language", "event", "headline", "description", "instruction", "area_description")
# control characters, marks that turn the order of letters, and what stands for an unknown character
ILLEGAL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\ufffd\ufffe\uffff]")
LEGAL = re.compile(r"[^\s,<&]+")  # a code
NEAR_KM, FAR_KM = 500.0, 1000.0  # swapped: so near the other way round, so far as it stands
DEGREE_KM = 111.2


def info_problems(message: CapMessage) -> Iterator[str]:
    """What is wrong with a message's infos."""
    if not message.infos:
        yield "has no info"
        return
    languages = [info.text.language.lower() for info in message.infos]
    for language in dict.fromkeys(one for one in languages if languages.count(one) > 1):
        yield f"{languages.count(language)} infos in the language {language!r}"
    first = message.infos[0]
    for info in message.infos:
        of = f"info {info.text.language}"
        problems = [*_texts(info), *_times(message, info)]
        if info is first:
            problems += [*_meaning(message, info), *_areas(info.polygons), *_codes(info)]
        else:
            differ = [name.removesuffix("_s") for name in SAME if getattr(info, name) != getattr(first, name)]
            differ += [name for name in NUMBERS if info.parameters.get(name) != first.parameters.get(name)]
            problems += [f"{name} differs from info {first.text.language}" for name in differ]
        for problem in problems:
            yield f"{of}: {problem}"


def _codes(info: CapInfo) -> Iterator[str]:
    for name, value in info.geocodes:
        if not LEGAL.fullmatch(value):
            yield f"geocode {name} {value!r} has a space, comma, < or &"


def _texts(info: CapInfo) -> Iterator[str]:
    for name, text in info.text._asdict().items():
        if name in NEEDED and not text.strip():
            yield f"{name} is empty"
        if illegal := ILLEGAL.search(text):
            yield f"{name} holds the character U+{ord(illegal[0]):04X}"
        if left := re.search(r"[{}]", text):
            yield f"{name} holds a {left[0]}, left over from a template"


def _times(message: CapMessage, info: CapInfo) -> Iterator[str]:
    if math.isnan(info.expires_s):
        yield "has no expires"
    elif info.expires_s <= message.sent_s:
        yield "expires before it is sent"
    if math.isfinite(info.onset_s) and info.onset_s > info.expires_s:
        yield "onset after expires"


def _meaning(message: CapMessage, info: CapInfo) -> Iterator[str]:
    """Whether the codes say what the stage says (docs/warnings.md, Stages of a message)."""
    if not re.fullmatch(r"[1-9]\d{0,8}", info.parameters.get("tocsin:sequence", "")):
        yield "has no sequence number"
    stage = info.parameters.get("tocsin:stage", "")
    if stage not in MEANING:
        yield f"stage is {stage!r}, not one of {', '.join(MEANING)}"
        return
    if message.kind not in KINDS[stage]:
        yield f"msgType is {message.kind}; {stage} is said by {' or '.join(KINDS[stage])}"
    probability = math.nan
    if stage in ("prepare", "take-cover"):
        try:
            probability = float(info.parameters.get("tocsin:probability", ""))
        except ValueError:
            probability = math.nan
        if not 0.0 <= probability <= 1.0:
            yield "has no probability from 0 to 1"
            return
    responses, urgency, severity = MEANING[stage]
    wanted: dict[str, str | tuple[str, ...]] = {
        "response": responses,
        "urgency": urgency,
        "severity": severity,
        "certainty": certainty(stage, probability),
        "categories": ("Safety",),
    }
    for name, value in wanted.items():
        if getattr(info, name) != value:
            yield f"{name} is {_said(getattr(info, name))}; {stage} has {_said(value)}"


def _said(value: str | tuple[str, ...]) -> str:
    return value if isinstance(value, str) else " and ".join(value) or "nothing"


def _areas(rings: Sequence[Ring]) -> Iterator[str]:
    if not rings:
        yield "has no polygon"
    for number, ring in enumerate(rings):
        for problem in _ring(ring):
            yield f"polygon {number}: {problem}"


def _ring(ring: Ring) -> Iterator[str]:
    if len(ring) < 4:
        yield f"{len(ring)} points, fewer than 4"
        return
    if ring[0] != ring[-1]:
        yield "is not closed"
    outside = [(lat, lon) for lat, lon in ring if not (abs(lat) <= 90.0 and abs(lon) <= 180.0)]
    if outside:
        fits = all(abs(lon) <= 90.0 and abs(lat) <= 180.0 for lat, lon in ring)
        hint = "; they seem to be swapped" if fits else ""
        yield f"{outside[0]} is not a latitude and a longitude in degrees, in this order{hint}"
        return
    for (lat, lon), (next_lat, next_lon) in pairwise(ring):
        if abs(next_lon - lon) > 180.0 and not abs(lat) == abs(next_lat) == 90.0:
            yield f"goes from longitude {lon:g} to {next_lon:g}: cut it at the antimeridian"
            return
    if not shapely.Polygon(ring).is_valid:
        yield "crosses itself"


def swapped(message: CapMessage, earlier: Sequence[CapMessage]) -> list[str]:
    """Whether latitude and longitude look swapped, by where the areas of the messages referred to are.

    Both ways round are places on the Earth wherever the longitude is within 90 degrees, so only what was said
    before tells.
    """
    middles = [_middle(ring) for ring in _rings(message)]
    if not middles or any(abs(lon) > 90.0 for _, lon in middles):
        return []
    named = {identifier for _, identifier, _ in message.references}
    places = [ring[0] for one in earlier if one.identifier in named for ring in _rings(one)]
    pairs = [(middle, place) for middle in middles for place in places]
    if not pairs or any(_apart_km(*pair) <= FAR_KM for pair in pairs):  # nearly always the first
        return []
    other_km = min(_apart_km(middle[::-1], place) for middle, place in pairs)
    if other_km >= NEAR_KM:
        return []
    return [
        "latitude and longitude seem to be swapped: the areas are"
        f" {min(_apart_km(*pair) for pair in pairs):.0f} km from those before, the other way round {other_km:.0f} km"
    ]


def _rings(message: CapMessage) -> tuple[Ring, ...]:
    return tuple(ring for ring in message.infos[0].polygons if ring) if message.infos else ()


def _middle(ring: Ring) -> tuple[float, float]:
    return sum(lat for lat, _ in ring) / len(ring), sum(lon for _, lon in ring) / len(ring)


def _apart_km(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Great-circle distance on a sphere (haversines)."""
    lat, other_lat = math.radians(one[0]), math.radians(other[0])
    half_lat, half_lon = (other_lat - lat) / 2.0, math.radians(other[1] - one[1]) / 2.0
    squared = math.sin(half_lat) ** 2 + math.cos(lat) * math.cos(other_lat) * math.sin(half_lon) ** 2
    return 2.0 * math.degrees(math.asin(min(1.0, math.sqrt(squared)))) * DEGREE_KM
