"""Who was warned how long before: every place that was ever told to take cover."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import shapely

from tocsin.brief.bodies import Body
from tocsin.brief.cover import Span, holding, spans
from tocsin.brief.incidents import Incident
from tocsin.warning.alert import Place


class Warned(NamedTuple):
    """One place."""

    place: Place
    spans: tuple[Span, ...]  # in which it was told to take cover
    arrival: Body | None  # the first to come down in the area in force that held the place
    held: Span | None  # the span that this arrival fell into
    ready_s: float | None  # since when it had been told to be ready, before it was told to take cover
    at_zero: bool  # it was told to take cover when the first impact came

    @property
    def lead_s(self) -> float | None:
        """How long before that arrival it was told, without a break; None where nothing came down in its area."""
        return None if self.held is None or self.arrival is None else self.arrival.time_s - self.held.start_s


def warned(incident: Incident) -> tuple[Warned, ...]:
    """All places, the largest first."""
    places = {(p.name, p.latitude_deg, p.longitude_deg): p for e in incident.extents for p in e.places}
    zero_s = incident.zero_s
    out = []
    for place in sorted(places.values(), key=lambda p: (-p.population, p.name, p.latitude_deg)):
        found = spans(incident.heard, place.longitude_deg, place.latitude_deg)
        arrival = _arrival(incident, place)
        held = None if arrival is None else holding(found, arrival.time_s)
        at_zero = zero_s is not None and holding(found, zero_s) is not None
        begin_s = (held or found[0]).start_s if found else 0.0
        ready = spans(incident.heard, place.longitude_deg, place.latitude_deg, "prepare")
        ready_s = min((s.start_s for s in ready if s.start_s < begin_s), default=None)
        out.append(Warned(place, found, arrival, held, ready_s, at_zero))
    return tuple(out)


def _arrival(incident: Incident, place: Place) -> Body | None:
    """The first body that came down in a polygon that was in force then, was meant by it, and holds the place."""
    point = shapely.Point(place.longitude_deg, place.latitude_deg)
    around = [
        (w, p) for w in incident.heard if w.message.stage == "take-cover"
        for p in w.message.polygons if p.covers(point)
    ]  # fmt: skip
    for body in incident.bodies:  # in order of time
        fell = shapely.Point(body.longitude_deg, body.latitude_deg)
        for word, polygon in around:
            tracks = word.message.tracks
            meant = body.track is None or not tracks or body.track in tracks
            if meant and word.message.sent_s < body.time_s <= word.end_s and polygon.covers(fell):
                return body
    return None


def median(values: Sequence[float]) -> float:
    """The middle of some values, which must be some."""
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2.0
