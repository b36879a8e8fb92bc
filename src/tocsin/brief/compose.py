"""From the evidence to the document."""

from __future__ import annotations

from tocsin.brief.appendix import appendix
from tocsin.brief.bodies import Body
from tocsin.brief.document import (
    Block,
    Break,
    Column,
    Document,
    Figure,
    Heading,
    Paragraph,
    Table,
    labels,
    references,
)
from tocsin.brief.evidence import Evidence, Fact, Ref, event_ref
from tocsin.brief.incidents import Incident, closing, first_sent, incidents, where
from tocsin.brief.page_decays import decays
from tocsin.brief.page_decided import decided, said
from tocsin.brief.page_limits import limits, quiet_span, sources
from tocsin.brief.page_people import fell, told
from tocsin.brief.page_seen import seen, sensor_table, silences
from tocsin.brief.page_summary import first_look_s, sentences, summary
from tocsin.brief.seen import looks, sensors
from tocsin.brief.timeline import timeline
from tocsin.brief.words import STAGES, clock, count, date, kept, listed, people, plural, position, span

MOST_IN_SHORT = 4  # incidents with their sentences on the first page
MOST_WATCHED = 8
EXERCISE = "EXERCISE. Not a real event: an account of a simulation or a recording."
TEST = "TEST. Not a real event: an account of a test of the system."

NONE = Incident("", (), (), (), (), (), (), (), ())


def document(evidence: Evidence) -> Document:
    """The whole account."""
    every, outside = incidents(evidence)
    found = tuple(i for i in every if i.sent)
    watched = tuple(i for i in every if not i.sent)  # by operators alone
    outside = (*outside, *(b for i in watched for b in i.bodies))
    blocks = (
        _quiet(evidence, watched, outside) if not found else _incidents(evidence, found, watched, outside)
    )
    refs = references(blocks)
    if found:
        blocks += appendix(evidence, refs)
    summary = evidence.results.summary
    name = str(summary.get("recording", ""))
    start_s = _moment(str(summary["start"])) if "start" in summary else 0.0
    ends = [m.sent_s for m in evidence.sent] + [_moment(str(summary["end"])) if "end" in summary else start_s]
    return Document(
        kicker="After-action brief",
        title=_title(found, start_s, outside),
        subtitle=f"Recording {name}. All times are UTC{'; T is the first impact' if found else ''}.",
        banner=_banner(evidence),
        footer=f"{name}, {date(start_s)}",
        date_s=max(ends),
        blocks=tuple(blocks),
        labels=labels(refs),
    )


def _banner(evidence: Evidence) -> str:
    """What every page must say: of messages, and where there are none of the results."""
    said = {m.status for m in evidence.sent} or {str(evidence.results.summary.get("status", "Exercise"))}
    if said <= {"Actual"}:
        return ""
    return TEST if said <= {"Test"} else EXERCISE


def _title(found: tuple[Incident, ...], start_s: float, outside: tuple[Body, ...]) -> str:
    if not found:
        what = "Objects came down, and no one was warned" if outside else "Nothing to warn of"
        return f"{what}: {date(start_s)}"
    if len(found) > 1:
        return f"{len(found)} incidents of {date(start_s)}"
    return f"Falling objects {_place(found[0])}, {date(start_s)}"


def _place(incident: Incident) -> str:
    largest = where(incident)
    if largest:
        return f"at {largest}"
    polygons = [p for e in incident.extents for p in e.polygons]
    if polygons:
        return f"near {position(round(polygons[0].centroid.y, 1), round(polygons[0].centroid.x, 1))}".replace(
            "000°", "°"
        )
    return "that were watched"


def _moment(text: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(text).timestamp()


def _incidents(
    evidence: Evidence, found: tuple[Incident, ...], watched: tuple[Incident, ...], outside: tuple[Body, ...]
) -> list[Block]:
    several = len(found) > 1
    blocks: list[Block] = []
    if several:
        blocks += [
            Paragraph(
                (
                    Fact(
                        f"The recording holds {plural(len(found), 'incident')}. Each has an account of its own, "
                        "counted from its own first impact."
                    ),
                ),
                "lead",
            )
        ]
        blocks.append(_overview(evidence, found))
        for i, one in enumerate(found[:MOST_IN_SHORT], start=1):
            blocks += [Heading(2, f"Incident {i}: falling objects {_place(one)}"), sentences(evidence, one)]
    for i, one in enumerate(found):
        if several:
            blocks.append(Heading(0, f"Incident {i + 1}: falling objects {_place(one)}"))
        blocks += summary(evidence, one)
        blocks.append(Break())
        blocks += [
            *seen(evidence, one),
            *decided(evidence, one, watched),
            *said(evidence, one),
            *told(evidence, one),
        ]
        blocks += fell(evidence, one, outside if not several else ())
    if several:
        blocks.append(Heading(0, "Of all incidents"))
        if outside:
            blocks += fell(evidence, NONE, outside)
    blocks += decays(evidence)
    every = [t for one in found for t in one.tracks]
    gave = sensors(evidence, looks(evidence, every))
    blocks += limits(evidence, found, outside, gave)
    if watched:
        blocks += [Heading(2, "What was watched, and no one was told of"), watched_table(watched)]
    return [*blocks, *sources(evidence)]


def _nobody(evidence: Evidence, watched: tuple[Incident, ...]) -> str:
    if watched:
        times = plural(len(watched), "time")
        return f"Nobody was told anything. Operators watched {times}; how that ended stands below."
    if evidence.happened is None:
        return "No message was sent. The results hold no events.jsonl, so that what operators watched is not known."
    if evidence.results.windows:
        return "Nobody was told anything. Operators had windows of orbits that decay; they stand below."
    return "No incident: nobody was told to take cover, and no track ever called for a watch."


def _falling(number: int) -> str:
    many = (
        "none of them was"
        if not number
        else "one of them was"
        if number == 1
        else f"{count(number)} of them were"
    )
    return f"{many} ever forecast to come down"


def _overview(evidence: Evidence, found: tuple[Incident, ...]) -> Table:
    rows = []
    for i, one in enumerate(found, start=1):
        cover, zero_s, end = first_sent(one, "take-cover"), one.zero_s, closing(one)
        first_s = first_look_s(evidence, one)
        most = max((e.people for e in one.extents), default=0)
        lead = span(zero_s - cover.sent_s) if cover is not None and zero_s is not None else "–"
        times = (
            first_s,
            None if cover is None else cover.sent_s,
            zero_s,
            None if end is None else end.sent_s,
        )
        rows.append(
            (
                Fact(f"{i}: {where(one) or _place(one)}"),
                *(Fact("–" if t is None else clock(t)) for t in times),
                Fact(lead),
                Fact(people(most)),
            )
        )
    columns = (
        Column("Incident", 0.26), Column("First plot", 0.12, True), Column("Take cover", 0.12, True),
        Column("First impact", 0.12, True), Column("End", 0.12, True), Column("Lead", 0.14, True),
        Column("People, at most", 0.12, True),
    )  # fmt: skip
    return Table("Incidents", columns, tuple(rows))


def watched_table(watched: tuple[Incident, ...]) -> Table:
    """Incidents of which no message was sent."""
    rows = []
    for one in watched[:MOST_WATCHED]:
        last = [e for e in one.happened if e.kind == "stage"][-1:]
        word = STAGES.get(one.stages[-1].name, one.stages[-1].name).lower() if one.stages else "–"
        reason = kept(str(last[0].values.get("reason", ""))) if last else ""
        rows.append((
            Fact(clock(one.stages[0].time_s, 1) if one.stages else "–"),
            Fact(clock(one.stages[-1].time_s, 1) if one.stages else "–"),
            Fact(listed(list(one.tracks[:4])) + (" and others" if len(one.tracks) > 4 else "")),
            Fact(f"{word}: {reason}" if reason else word, tuple(event_ref(e) for e in last)),
        ))  # fmt: skip
    columns = (Column("From", 0.12), Column("To", 0.12), Column("Tracks", 0.2), Column("How it ended", 0.56))
    rest = len(watched) - len(rows)
    note = f"{plural(rest, 'further one')} in events.jsonl." if rest else ""
    return Table("Watched by operators alone", columns, tuple(rows), note)


def _quiet(evidence: Evidence, watched: tuple[Incident, ...], outside: tuple[Body, ...]) -> list[Block]:
    """One page: that there was nothing to warn of, and what that rests on."""
    summary = evidence.results.summary
    counts = summary.get("counts", {})
    known = (Ref("file", "summary.json"),)
    plots, gave_ = plural(counts.get("plots", 0), "plot"), plural(counts.get("sensors", 0), "sensor")
    facts = [
        Fact(_nobody(evidence, watched)),
        Fact(
            f"{gave_} gave {plots} in {quiet_span(evidence)}, of which "
            f"{plural(counts.get('tracks', 0), 'track')} came; "
            f"{_falling(counts.get('tracks_coming_down', 0))}.",
            known,
        ),
    ]
    if evidence.fallen is not None:
        what = (
            "Nothing is"
            if not outside
            else f"{plural(len(outside), 'object')} {'is' if len(outside) == 1 else 'are'}"
        )
        facts.append(Fact(f"{what} known to have come down."))
    blocks: list[Block] = [Paragraph(tuple(facts), "lead"), *decays(evidence)]
    if watched:
        blocks.append(watched_table(watched))
    if outside:
        blocks += fell(evidence, NONE, outside)
    taken = looks(evidence, sorted({row.track for row in evidence.results.rows}))
    gave = sensors(evidence, taken)
    if gave:
        blocks.append(
            Figure(
                timeline(NONE, gave, ()),
                "For each sensor: all its plots (light) and those of some track (dark), as they fell in time.",
            )
        )
        blocks.append(sensor_table(gave, None, "In tracks"))
        quiet = silences(gave)
        if quiet:
            blocks.append(Paragraph(quiet))
    return [*blocks, *sources(evidence)]
