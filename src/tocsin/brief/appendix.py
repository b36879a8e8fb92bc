"""What each reference stands for."""

from __future__ import annotations

from collections.abc import Sequence

from tocsin.brief.document import Block, Entries, Entry, Heading, Paragraph
from tocsin.brief.evidence import Evidence, Fact, Ref
from tocsin.brief.words import area, clock, position
from tocsin.units import DEGREE_RAD

TITLES = {
    "event": "Events (events.jsonl)",
    "message": "Messages (alerts)",
    "track": "Tracks (tracks.parquet)",
    "forecast": "Forecasts (predictions.parquet)",
    "impact": "Impacts (impacts.csv)",
    "plot": "Plots",
    "file": "Files",
}


def appendix(evidence: Evidence, refs: Sequence[Ref]) -> list[Block]:
    """The section, a list for each kind of reference."""
    blocks: list[Block] = [
        Heading(1, "References"),
        Paragraph((Fact("What stands in brackets behind a statement, and where to find it."),)),
    ]
    for kind, title in TITLES.items():
        entries = tuple(Entry(ref, _text(evidence, ref)) for ref in refs if ref.kind == kind)
        if entries:
            blocks.append(Entries(title, entries))
    return blocks


def _text(evidence: Evidence, ref: Ref) -> str:
    if ref.kind == "event":
        event = next(e for e in evidence.happened or () if str(e.number) == ref.ident)
        numbers = {m.identifier: f"M{m.number}" for m in evidence.sent}
        named = str(event.values.get("identifier", ""))
        what = event.values.get("to") or numbers.get(named, named) or event.values.get("into") or ""
        return f"line {event.number}, {clock(event.time_s, 3)}, {event.kind} {what}"
    if ref.kind == "message":
        message = evidence.sent[int(ref.ident) - 1]
        return f"{message.file}, {clock(message.sent_s, 3)}, {message.identifier}"
    if ref.kind == "track":
        rows = [r for r in evidence.results.rows if r.track == ref.ident]
        if not rows:
            return "no row"
        first, last = min(r.time_s for r in rows), max(r.time_s for r in rows)
        return f"{len(rows)} rows, {clock(first, 1)} to {clock(last, 1)}"
    if ref.kind == "forecast":
        track, issued = ref.ident.split("/")
        one = next(
            f for f in evidence.results.forecasts if f.track == track and f"{f.issued_s:.6f}" == issued
        )
        at = position(one.latitude_rad / DEGREE_RAD, one.longitude_rad / DEGREE_RAD)
        return f"{track} issued {clock(one.issued_s, 3)}: {at} at {clock(one.impact_time_s, 1)}, {area(one.area_km2)}"
    if ref.kind == "impact":
        fallen = (evidence.fallen or ())[int(ref.ident) - 1]
        return f"row {ref.ident}: {fallen.name}, {clock(fallen.time_s, 3)}"
    if ref.kind == "plot":
        sensor, scan, time = ref.ident.rsplit("/", 2)
        return f"{sensor} scan {scan}, measured {clock(float(time), 3)}"
    return ref.ident
