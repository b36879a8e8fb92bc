"""Which messages to take cover were in force where, and since when: for a point, for a place, and as areas."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import shapely
from pyproj import Geod
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry

from tocsin.formats.sent import Sent
from tocsin.metrics.lead import GAP_S, Notice, in_force
from tocsin.warning.alert import Footprint, Place
from tocsin.warning.gazetteer import Gazetteer
from tocsin.warning.places import surroundings

EARTH = Geod(ellps="WGS84")


class Word(NamedTuple):
    """A message while it is the word of its chain."""

    message: Sent
    end_s: float  # it expires, or another of its chain replaces it
    chain: str  # identifier of the first message of its chain


class Span(NamedTuple):
    """A time without a break in which a point was told the same."""

    start_s: float
    end_s: float
    first: Sent  # the message that told it
    last: Sent  # the message in force at the end


class Extent(NamedTuple):
    """All that is told to take cover, from one moment on."""

    start_s: float
    messages: tuple[Sent, ...]  # in force
    km2: float
    people: int
    places: tuple[Place, ...]
    polygons: tuple[Polygon, ...]


def words(sent: Sequence[Sent]) -> tuple[Word, ...]:
    """When each message ends, and which chain it is of."""
    ends, chains = in_force([notice(message) for message in sent])
    return tuple(Word(m, e, c) for m, e, c in zip(sent, ends, chains, strict=True))


def notice(message: Sent) -> Notice:
    """What counts of a message as a warning to take cover."""
    return Notice(
        message.identifier,
        message.kind,
        message.sent_s,
        message.expires_s if math.isfinite(message.expires_s) else math.inf,
        message.stage != "take-cover",
        message.references,
        tuple(np.array([(lat, lon) for lon, lat in p.exterior.coords]) for p in message.polygons),
    )


def spans(
    heard: Sequence[Word], longitude_deg: float, latitude_deg: float, stage: str = "take-cover"
) -> tuple[Span, ...]:
    """The times in which a point was told (to take cover), in order; a break of at most GAP_S is none."""
    point = shapely.Point(longitude_deg, latitude_deg)
    over = [
        w for w in heard
        if w.message.stage == stage and w.end_s > w.message.sent_s
        and any(p.covers(point) for p in w.message.polygons)
    ]  # fmt: skip
    out: list[Span] = []
    for word in sorted(over, key=lambda w: (w.message.sent_s, w.message.number)):
        start_s = word.message.sent_s
        if out and start_s <= out[-1].end_s + GAP_S + 1e-6:
            if word.end_s > out[-1].end_s:
                out[-1] = out[-1]._replace(end_s=word.end_s, last=word.message)
        else:
            out.append(Span(start_s, word.end_s, word.message, word.message))
    return tuple(out)


def holding(found: Sequence[Span], time_s: float) -> Span | None:
    """The span that holds a moment after its start; the first, should there be several."""
    return next((s for s in found if s.start_s < time_s <= s.end_s), None)


def told(heard: Sequence[Word], time_s: float) -> tuple[Word, ...]:
    """The messages to take cover that are in force at a moment; one sent at that very moment is."""
    return tuple(w for w in heard if w.message.stage == "take-cover" and w.message.sent_s <= time_s < w.end_s)


def extents(heard: Sequence[Word], gazetteer: Gazetteer) -> tuple[Extent, ...]:
    """What was told to take cover, at each moment at which that changed, in order."""
    moments = sorted({w.message.sent_s for w in heard} | {w.end_s for w in heard if math.isfinite(w.end_s)})
    out: list[Extent] = []
    for moment_s in moments:
        messages = tuple(w.message for w in told(heard, moment_s))
        if messages == (out[-1].messages if out else ()):
            continue
        polygons = tuple(p for m in messages for p in m.polygons)
        inside = surroundings([Footprint(p, (), 0.0, 0.0, (), 0) for p in polygons], gazetteer)
        out.append(Extent(moment_s, messages, km2(polygons), inside.population, inside.places, polygons))
    return tuple(out)


def at(found: Sequence[Extent], time_s: float) -> Extent | None:
    """What was told just before a moment."""
    return next((e for e in reversed(found) if e.start_s < time_s), None)


def km2(polygons: Sequence[Polygon]) -> float:
    """Area on WGS 84 of the union of polygons (lon, lat in degrees), with geodesics for edges (Karney 2013)."""
    union = shapely.union_all([shapely.make_valid(p) for p in polygons])
    return sum(abs(EARTH.geometry_area_perimeter(part)[0]) for part in parts(union)) / 1e6


def parts(shape: BaseGeometry | None) -> tuple[Polygon, ...]:
    """The polygons of a geometry."""
    if shape is None:
        return ()
    return tuple(p for p in getattr(shape, "geoms", [shape]) if isinstance(p, Polygon) and not p.is_empty)
