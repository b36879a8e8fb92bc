"""Incidents: which messages, events, tracks and bodies belong together, and what the stages were."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import shapely

from tocsin.brief.bodies import Body, bodies
from tocsin.brief.cover import Extent, Word, extents, words
from tocsin.brief.evidence import Evidence, Ref, event_ref, message_ref
from tocsin.formats.sent import Happened, Sent

OPEN_STAGES = ("watch", "prepare", "take-cover")  # how far an incident is; the others end it


class Stage(NamedTuple):
    """A stage that an incident came into."""

    name: str  # one of OPEN_STAGES, all-clear or withdrawn
    time_s: float
    ref: Ref


class Incident(NamedTuple):
    """One incident, from first suspicion to its end."""

    ident: str
    merged: tuple[str, ...]  # incidents that turned out to be this one
    sent: tuple[Sent, ...]
    happened: tuple[Happened, ...]
    tracks: tuple[str, ...]
    stages: tuple[Stage, ...]
    heard: tuple[Word, ...]
    extents: tuple[Extent, ...]
    bodies: tuple[Body, ...]

    @property
    def zero_s(self) -> float | None:
        """The first impact: the known one, else the first that was last predicted."""
        counted = [b for b in self.bodies if b.held or b.track in self.tracks] or self.bodies
        return min((b.time_s for b in counted), default=None)

    def stage_s(self, name: str) -> float | None:
        """When it first came into a stage."""
        return next((s.time_s for s in self.stages if s.name == name), None)


def incidents(evidence: Evidence) -> tuple[tuple[Incident, ...], tuple[Body, ...]]:
    """All incidents in order of time, and what came down outside all of them."""
    groups = _groups(evidence)
    heard = words(evidence.sent)
    fell = bodies(evidence, heard)
    out = []
    for idents in groups:
        sent = tuple(m for m in evidence.sent if m.incidents[0] in idents)
        happened = tuple(e for e in evidence.happened or () if e.incident in idents)
        tracks = {t for m in sent for t in m.tracks} | {
            t for e in happened for t in e.values.get("tracks") or ()
        }
        own = words(sent)
        stages = _stages(sent, happened)
        shapes = extents(own, evidence.gazetteer)
        out.append(
            Incident(idents[0], idents[1:], sent, happened, tuple(sorted(tracks)), stages, own, shapes, ())
        )
    out.sort(key=lambda i: (i.stages[0].time_s if i.stages else 0.0, i.ident))
    homes = [_home(body, out) for body in fell]
    placed = tuple(
        one._replace(bodies=tuple(b for b, home in zip(fell, homes, strict=True) if home == i))
        for i, one in enumerate(out)
    )
    return placed, tuple(b for b, home in zip(fell, homes, strict=True) if home is None)


def _groups(evidence: Evidence) -> list[tuple[str, ...]]:
    """Identifiers of incidents that are one, the one that goes on first."""
    found = [m.incidents for m in evidence.sent]
    for event in evidence.happened or ():
        into = event.values.get("into") if event.kind == "merged" else None
        found.append((str(into), event.incident) if into else (event.incident,))
    groups: list[list[str]] = []
    for idents in found:
        mine = [g for g in groups if set(g) & set(idents)]
        joined = [i for g in mine for i in g]
        joined += [i for i in dict.fromkeys(idents) if i not in joined]
        groups = [g for g in groups if g not in mine] + [joined]
    gone = {e.incident for e in evidence.happened or () if e.kind == "merged"}
    return [tuple(sorted(g, key=lambda i: i in gone)) for g in groups]


def _stages(sent: Sequence[Sent], happened: Sequence[Happened]) -> tuple[Stage, ...]:
    """By the events, or where there are none by the messages."""
    if any(e.kind == "stage" for e in happened):
        return _by_events(happened)
    out: list[Stage] = []
    for message in sent:
        # a chain of an incident may be cleared while another goes on: its last word ends the incident
        over = message.stage in ("all-clear", "withdrawn")
        if (over and message is not sent[-1]) or (out and out[-1].name == message.stage):
            continue
        if not over and any(s.name == "take-cover" for s in out):
            continue
        out.append(Stage(message.stage, message.sent_s, message_ref(message)))
    return tuple(out)


def _by_events(happened: Sequence[Happened]) -> tuple[Stage, ...]:
    """Of incidents that turned out to be one the stage is that of the one farthest on."""
    out: list[Stage] = []
    now: dict[str, int] = {}  # how far each of them is, while it is open
    for event in happened:
        name = str(event.values.get("to"))
        if event.kind == "merged":
            now.pop(event.incident, None)
        elif event.kind == "stage" and name in OPEN_STAGES:
            now[event.incident] = OPEN_STAGES.index(name)
        elif event.kind == "stage":
            now.pop(event.incident, None)
        else:
            continue
        if now:
            name = OPEN_STAGES[max(now.values())]
        elif event.kind == "merged":
            continue
        if not out or out[-1].name != name:
            out.append(Stage(name, event.time_s, event_ref(event)))
    return tuple(out)


def _home(body: Body, found: Sequence[Incident]) -> int | None:
    """The incident that a body belongs to: by its track, by what was told where it fell, or as the only one.

    A track may have been watched before, as an incident of which no one was told: that comes last.
    """
    order = sorted(range(len(found)), key=lambda i: (not found[i].sent, i))
    for i in order:
        if body.track is not None and body.track in found[i].tracks:
            return i
    point = shapely.Point(body.longitude_deg, body.latitude_deg)
    for i, one in enumerate(found):
        for word in one.heard:
            inside = any(p.covers(point) for p in word.message.polygons)
            if inside and word.message.sent_s <= body.time_s <= word.end_s:
                return i
    told = [i for i in order if found[i].sent]
    return told[0] if len(told) == 1 else None


def number(event: Happened, key: str) -> float | None:
    """A number of an event; None where it says none."""
    value: Any = event.values.get(key)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def where(incident: Incident) -> str:
    """The largest place that was told, or nothing where no place was."""
    found = [p for e in incident.extents for p in e.places]
    return max(found, key=lambda p: p.population).name if found else ""


def first_sent(incident: Incident, stage: str) -> Sent | None:
    """The first message of a stage."""
    return next((m for m in incident.sent if m.stage == stage), None)


def closing(incident: Incident) -> Sent | None:
    """The message that ended the incident, if its last word is one."""
    last = incident.sent[-1] if incident.sent else None
    return last if last is not None and last.stage in ("all-clear", "withdrawn") else None


def largest(incident: Incident) -> Extent | None:
    """The largest area that was told at once."""
    return max(incident.extents, key=lambda e: e.km2, default=None)
