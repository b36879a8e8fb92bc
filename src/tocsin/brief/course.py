"""The course of an incident, a line a step."""

from __future__ import annotations

from itertools import pairwise

from tocsin.brief.bodies import source
from tocsin.brief.cover import Extent
from tocsin.brief.document import Column, Table
from tocsin.brief.evidence import Evidence, Fact, Ref, message_ref
from tocsin.brief.incidents import Incident, largest
from tocsin.brief.seen import looks
from tocsin.brief.seen import tracks as seen_tracks
from tocsin.brief.words import STAGES, area, clock, people, relative


def course(evidence: Evidence, incident: Incident) -> Table:
    """From the first plot to the end."""
    zero_s = incident.zero_s
    rows: list[tuple[float, int, str, tuple[Ref, ...]]] = []
    found = looks(evidence, incident.tracks)
    if found:
        rows.append((found[0].time_s, 0, f"First plot, by {found[0].sensor}", (found[0].ref,)))
    tracks = seen_tracks(evidence, incident.tracks)
    if tracks:
        rows.append((tracks[0].first_s, 1, "First track reported", (Ref("track", tracks[0].name),)))
    seen: set[str] = set()
    for stage in incident.stages:
        if stage.name not in seen:
            seen.add(stage.name)
            rows.append(
                (stage.time_s, 2, f"Stage: {STAGES.get(stage.name, stage.name).lower()}", (stage.ref,))
            )
    most = largest(incident)
    if most is not None:
        rows.append((most.start_s, 3, "Largest area", tuple(message_ref(m) for m in most.messages[-1:])))
    known = "" if evidence.fallen is not None else ", predicted"
    fell = incident.bodies
    for body, word in (
        ((fell[0], "First"), (fell[-1], "Last")) if len(fell) > 1 else ((b, "First") for b in fell)
    ):
        rows.append((body.time_s, 4, f"{word} impact{known}", source(body)))
    out = []
    for time_s, kind, text, refs in sorted(rows, key=lambda r: (r[0], r[1])):
        now = _told(incident, time_s) if kind >= 2 else None
        size = (area(now.km2), people(now.people)) if now is not None and now.messages else ("–", "–")
        out.append(
            (
                Fact(text, refs),
                Fact(clock(time_s, 1)),
                Fact(relative(time_s, zero_s)),
                *(Fact(s) for s in size),
            )
        )
    columns = (
        Column("What", 0.4), Column("UTC", 0.14, True), Column("To impact", 0.14, True),
        Column("Told to take cover", 0.18, True), Column("People", 0.14, True),
    )  # fmt: skip
    return Table("The course of the incident", columns, tuple(out))


def _told(incident: Incident, time_s: float) -> Extent | None:
    """What is told from a moment on."""
    for extent, after in pairwise((*incident.extents, None)):
        if extent is not None and extent.start_s <= time_s and (after is None or time_s < after.start_s):
            return extent
    return None
