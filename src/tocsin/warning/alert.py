"""The values of a public warning, before any format."""

from __future__ import annotations

import math
from typing import NamedTuple

from shapely.geometry import Polygon

WATCH, PREPARE, TAKE_COVER, ALL_CLEAR, WITHDRAWN = (
    "watch",
    "prepare",
    "take-cover",
    "all-clear",
    "withdrawn",
)  # stages of an incident; people are told of all but the first
ENDS = (ALL_CLEAR, WITHDRAWN)


class Place(NamedTuple):
    """A populated place."""

    name: str
    country: str  # ISO 3166-1 alpha-2
    latitude_deg: float
    longitude_deg: float
    population: int
    names: tuple[tuple[str, str], ...] = ()  # (language, name) where another than ``name`` is known
    admin1: str = ""  # GeoNames code of its first-level administrative unit, as in UA.04; empty where unknown


class Footprint(NamedTuple):
    """One polygon of an alert: where one body, or several united ones, may come down."""

    polygon: Polygon  # lon, lat in degrees; one ring, no holes, never across the antimeridian
    tracks: tuple[str, ...]
    impact_time_s: float  # of the first of them
    last_impact_time_s: float  # latest credible arrival of the last of them
    places: tuple[Place, ...]  # inside, largest first
    population: int  # people in the known places inside
    zones: tuple[
        str, ...
    ] = ()  # codes of the user's zones that it touches, the one that holds most of it first


class Authority(NamedTuple):
    """Who sends messages. A live one is made of a file that says so in a sentence (formats/authority.py)."""

    sender: str  # CAP's sender: no spaces, commas, < or &
    name: str = ""  # as people know it
    web: str = ""
    contact: str = ""
    live: bool = False  # whether its messages are real and go to the public


DRILL_AUTHORITY = Authority("exercise@tocsin.invalid")  # RFC 2606: a name that can never be real


def status_refused(status: str, authority: Authority) -> str:
    """Why messages of a status must not go out under an authority; empty where they may.

    Actual goes out under a live authority only, Exercise under one that is not, Test under both.
    """
    if status not in ("Actual", "Exercise", "Test"):
        return f"status is {status!r}; there are Exercise, Test and Actual"
    if status == "Actual" and not authority.live:
        return f"status is 'Actual', but {authority.sender} has no authority to send real warnings"
    if status == "Exercise" and authority.live:
        return f"status is 'Exercise', but {authority.sender} sends real warnings: a drill needs a sender of its own"
    return ""


class Text(NamedTuple):
    """Public text in one language."""

    language: str  # BCP 47: en, uk
    event: str
    headline: str
    description: str
    instruction: str
    area_description: str
    text_90: str = ""  # for cell broadcast and the smallest screens: at most 90 characters
    text_600: str = ""  # complete in itself, at most 600 characters


class Message(NamedTuple):
    """One message of an incident: what is said to whom, from when, until when."""

    incident: str
    sequence: int  # from 1, within the incident
    identifier: str  # derived from incident and sequence
    kind: str  # Alert, Update or Cancel
    stage: str  # prepare, take-cover, all-clear or withdrawn
    status: str  # Exercise, Test or Actual
    sent_s: float
    onset_s: float
    expires_s: float
    references: tuple[tuple[str, float], ...]  # (identifier, sent_s) of unexpired predecessors
    footprints: tuple[Footprint, ...]
    texts: tuple[Text, ...]
    reason: str  # in numbers, for operators
    probability: float = math.nan  # that something comes down inside; NaN when the danger is over
    merged: tuple[str, ...] = ()  # incidents that turned out to be this one
    area_km2: float = math.nan  # of the footprints together
    zones: tuple[str, ...] = ()  # codes of the user's zones that it concerns
    geocode_name: str = ""  # the name of these codes in CAP


class Change(NamedTuple):
    """A change of an incident's stage, for operators and the record. What is not known is None."""

    at_s: float
    incident: str
    before: str  # "" for the first
    after: str
    reason: str  # in numbers
    probability: float | None  # that the likeliest of its tracks is real
    held: float | None  # share of where the surest of them comes down that the places above C/L hold
    peak_per_km2: float | None  # greatest chance that one of them comes down on a square kilometre
    time_left_s: float | None  # to the first expected arrival
    plots: int  # taken by its tracks so far
    tracks: tuple[str, ...]  # that still threaten
    area_km2: float | None  # largest 99 % area of these


class Merged(NamedTuple):
    """An incident that has turned out to be another one."""

    at_s: float
    incident: str
    into: str
