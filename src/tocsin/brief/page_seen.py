"""What was seen, when, by which sensor."""

from __future__ import annotations

from tocsin.brief.document import Block, Column, Figure, Heading, Paragraph, Table
from tocsin.brief.evidence import Evidence, Fact, Ref
from tocsin.brief.incidents import Incident
from tocsin.brief.overview import overview
from tocsin.brief.page_releases import releases
from tocsin.brief.seen import SensorSeen, TrackSeen, looks, sensors
from tocsin.brief.seen import tracks as seen_tracks
from tocsin.brief.timeline import timeline
from tocsin.brief.words import clock, count, listed, plural, relative, span

MOST_TRACKS = 24  # lines of a table; the rest is in tracks.parquet
KINDS = {"radar": "radar", "optical": "camera", "infrared": "infrared"}


def seen(evidence: Evidence, incident: Incident) -> list[Block]:
    """The section of one incident."""
    found = looks(evidence, incident.tracks)
    gave = sensors(evidence, found)
    tracks = seen_tracks(evidence, incident.tracks)
    drawing = timeline(incident, gave, tracks)
    blocks: list[Block] = [Heading(1, "What was seen"), Paragraph((_counts(evidence, gave, tracks),))]
    blocks.append(Figure(drawing, _caption(gave)))
    if gave:
        blocks.append(sensor_table(gave, incident.zero_s))
    blocks.append(Figure(overview(evidence, incident), _map_caption(evidence)))
    blocks.append(_track_table(tracks, incident.zero_s))
    return [*blocks, *releases(evidence, incident)]


def _counts(evidence: Evidence, gave: tuple[SensorSeen, ...], tracks: tuple[TrackSeen, ...]) -> Fact:
    counts = evidence.results.summary.get("counts", {})
    known = (Ref("file", "summary.json"),)
    plots, sensors_ = plural(counts.get("plots", 0), "plot"), plural(counts.get("sensors", 0), "sensor")
    text = f"The recording holds {plots} of {sensors_}"
    if gave:
        taken = sum(s.taken for s in gave)
        which = "one track" if len(tracks) == 1 else plural(len(tracks), "track")
        text += f"; {count(taken)} of them became part of the {which} of this incident"
        return Fact(text + ". The others are of other objects, or of none.", known)
    return Fact(
        f"{text}. This account was written without it, so that which sensor saw what cannot be told; "
        f"{plural(len(tracks), 'track')} of this incident were reported.",
        known,
    )


def _caption(gave: tuple[SensorSeen, ...]) -> str:
    lanes = (
        "For each sensor: all its plots (light) and those that belong to this incident (dark), as they fell in time. "
        if gave
        else "For each track: from its first to its last report. "
    )
    return f"{lanes}Below: stages, messages, the area told to take cover (logarithmic), and what came down."


def _map_caption(evidence: Evidence) -> str:
    orbit = [s.name for s in evidence.recording.sensors if s.height_m > 100e3] if evidence.recording else []
    away = f" {listed(orbit)} in orbit {'is' if len(orbit) == 1 else 'are'} not drawn." if orbit else ""
    return (
        "Paths over the ground of the tracks of this incident, each from its first report on, and all that was told to "
        f"take cover (red).{away} Coast and borders: Natural Earth; places: GeoNames."
    )


def sensor_table(
    gave: tuple[SensorSeen, ...], zero_s: float | None, taken: str = "Of this incident"
) -> Table:
    """What each sensor gave; taken: what to call the plots that count."""
    rows = []
    for s in gave:
        first, last = (
            Fact("–")
            if look is None
            else Fact(
                f"{clock(look.time_s, 1)}{'' if zero_s is None else f' ({relative(look.time_s, zero_s)})'}",
                (look.ref,),
            )
            for look in (s.first, s.last)
        )
        rows.append(
            (
                Fact(s.name),
                Fact(KINDS.get(s.kind, s.kind)),
                Fact(count(s.plots)),
                Fact(count(s.taken)),
                first,
                last,
            )
        )
    columns = (
        Column("Sensor", 0.14), Column("Kind", 0.11), Column("Plots", 0.09, True), Column(taken, 0.11, True),
        Column("First of them", 0.27, True), Column("Last of them", 0.28, True),
    )  # fmt: skip
    return Table("Sensors", columns, tuple(rows))


def silences(gave: tuple[SensorSeen, ...]) -> tuple[Fact, ...]:
    """Times in which a sensor gave nothing and should have."""
    return tuple(
        Fact(
            f"{s.name} gave no plot for {span(end - start)}, from {clock(start, 1)} to {clock(end, 1)}; its stated "
            "rate of false plots alone would have given several."
        )
        for s in gave
        for start, end in s.silent
    )


def _track_table(tracks: tuple[TrackSeen, ...], zero_s: float | None) -> Table:
    chosen = sorted(tracks, key=lambda t: (-t.plots, t.name))[:MOST_TRACKS]
    rows = []
    for t in sorted(chosen, key=lambda t: (t.first_s, t.name)):
        by = ", ".join(f"{n}\u00a0{name}" for name, n in t.by_sensor) or count(t.plots)
        rows.append((
            Fact(t.name),
            Fact(t.parent or "–"),
            Fact(clock(t.first_s)),
            Fact(clock(t.last_s)),
            Fact(" › ".join(t.phases)),
            Fact(by),
            Fact(f"{t.existence:.3f}"),
        ))  # fmt: skip
    columns = (
        Column("Track", 0.09), Column("From", 0.09), Column("First", 0.1, True), Column("Last", 0.1, True),
        Column("Phases", 0.21), Column("Plots", 0.34), Column("Exists", 0.08, True),
    )  # fmt: skip
    rest = len(tracks) - len(chosen)
    note = "From: the track that it separated from. Exists: probability that it is a real object, at its end."
    if rest:
        note += f" {plural(rest, 'further track')} with fewer plots: in tracks.parquet."
    return Table("Tracks", columns, tuple(rows), note)
