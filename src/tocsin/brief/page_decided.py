"""What was decided and why, and what was said."""

from __future__ import annotations

import math

from tocsin.brief.areas import areas, moments
from tocsin.brief.cover import km2, notice, told
from tocsin.brief.document import Block, Column, Figure, Heading, Paragraph, Quote, Table
from tocsin.brief.evidence import Evidence, Fact, event_ref, message_ref
from tocsin.brief.incidents import Incident, closing, first_sent, number
from tocsin.brief.words import STAGES, area, clock, count, kept, listed, plural, relative, span
from tocsin.formats.sent import Happened, Sent
from tocsin.metrics.lead import numbered

NO_EVENTS = (
    "The results hold no events.jsonl: stages are taken from the messages, and the reasons are theirs."
)
CAPTION = (
    "What was told to take cover (red). Amber: where each track would come down with 99 % by its last forecast before "
    "that moment, light pieces included; people are told of the dangerous part of it."
)
MOST_NAMED = 6  # tracks in a sentence
MOST_STAGES, MOST_MESSAGES = 24, 60
REASON_LENGTH = 110  # characters of a reason in the table of messages
LANGUAGES = {
    "ar": "Arabic", "de": "German", "en": "English", "fr": "French", "pl": "Polish", "uk": "Ukrainian",
}  # fmt: skip
KINDS = {"Alert": "new alert", "Update": "update", "Cancel": "cancel"}


def decided(evidence: Evidence, incident: Incident, watched: tuple[Incident, ...]) -> list[Block]:
    """The section on decisions; watched: incidents of which no one was told, maybe of the same tracks."""
    blocks: list[Block] = [Heading(1, "What was decided, and why")]
    if evidence.happened is None:
        blocks.append(
            Paragraph((
                Fact(NO_EVENTS),
            ))
        )  # fmt: skip
        return blocks
    before = [_watched(one) for one in watched if set(one.tracks) & set(incident.tracks) and one.stages]
    if before:
        blocks.append(Paragraph(tuple(before)))
    stages = [e for e in incident.happened if e.kind == "stage"]
    rows = [_stage_row(incident, e) for e in stages[:MOST_STAGES]]
    columns = (
        Column("UTC", 0.1), Column("To impact", 0.1, True), Column("Stage", 0.13), Column("Why", 0.49),
        Column("Time left", 0.11, True), Column("Plots", 0.07, True),
    )  # fmt: skip
    note = ""
    if len(stages) > MOST_STAGES:
        note = f"{plural(len(stages) - MOST_STAGES, 'further change')} stand in events.jsonl alone."
    blocks.append(Table("Changes of stage", columns, tuple(rows), note))
    merged = [e for e in incident.happened if e.kind == "merged"]
    if merged:
        blocks.append(
            Paragraph(
                tuple(
                    Fact(
                        f"At {clock(e.time_s, 1)} incident {e.incident} turned out to be one with "
                        f"{e.values.get('into')}.",
                        (event_ref(e),),
                    )
                    for e in merged
                )
            )
        )
    return blocks


def _watched(one: Incident) -> Fact:
    """An earlier incident of the same tracks, of which no one was told."""
    first, last = one.stages[0], one.stages[-1]
    ends = [str(e.values.get("reason", "")) for e in one.happened if e.kind == "stage"]
    why = f" ({kept(ends[-1])})" if ends and ends[-1] else ""
    return Fact(
        f"Operators had watched {listed(list(one.tracks[:MOST_NAMED]))} from {clock(first.time_s, 1)} on, as incident "
        f"{one.ident}; that was {STAGES.get(last.name, last.name).lower()} at {clock(last.time_s, 1)}{why}.",
        (first.ref, last.ref),
    )


def _stage_row(incident: Incident, event: Happened) -> tuple[Fact, ...]:
    left, plots = number(event, "time_left_s"), number(event, "plots")
    to, came = str(event.values.get("to")), event.values.get("from")
    name = STAGES.get(to, to) + (f" (from {STAGES.get(str(came), str(came)).lower()})" if came else "")
    name += ", of one that joined" if event.incident != incident.ident else ""
    numbers = _numbers(event)
    reason = kept(str(event.values.get("reason", "")).rstrip("."))
    return (
        Fact(clock(event.time_s, 1)),
        Fact(relative(event.time_s, incident.zero_s)),
        Fact(name),
        Fact(f"{reason[:1].upper()}{reason[1:]}.{f' {numbers}' if numbers else ''}", (event_ref(event),)),
        Fact("–" if left is None else span(left)),
        Fact("–" if plots is None else count(plots)),
    )


def _numbers(event: Happened) -> str:
    """The numbers of a change that its reason does not tell."""
    told = []
    real, size = number(event, "probability"), number(event, "area_km2")
    if real is not None:
        told.append(f"the likeliest track is real with probability {real:.4g}")
    if size is not None:
        told.append(f"the largest 99\u00a0% area is {area(size)}")
    text = "; ".join(told)
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def said(evidence: Evidence, incident: Incident) -> list[Block]:
    """The section on messages."""
    blocks: list[Block] = [Heading(1, "What was said")]
    if not incident.sent:
        return [
            *blocks,
            Paragraph((Fact("No message was sent: the incident never went beyond what operators saw."),)),
        ]
    languages = list(dict.fromkeys(code for m in incident.sent for code in m.languages))
    spoken = listed([LANGUAGES.get(code.split("-")[0], code) for code in languages])
    blocks.append(
        Paragraph((
            Fact(
                f"{plural(len(incident.sent), 'message')} went out as CAP 1.2 with the status "
                f"{listed(sorted({m.status for m in incident.sent}))}, in {spoken}. "
                "The English words of those that mattered most follow the table."
            ),
        ))
    )  # fmt: skip
    if len(moments(incident)) > 1:  # else the map of the first page shows all
        blocks.append(Figure(areas(evidence, incident), CAPTION))
    blocks.append(_table(evidence, incident))
    blocks += [_quote(title, message) for title, message in _key_messages(incident)]
    return blocks


def _table(evidence: Evidence, incident: Incident) -> Table:
    why = {
        str(e.values.get("identifier")): e for e in incident.happened if e.kind == "message"
    }  # fmt: skip
    chosen = incident.sent
    if len(chosen) > MOST_MESSAGES:  # the first ones and the last: what lies between only moves areas
        chosen = chosen[: MOST_MESSAGES // 2] + chosen[-MOST_MESSAGES // 2 :]
    numbers = numbered([notice(message) for message in incident.sent])
    several = max(numbers) > 1
    alert = dict(zip((message.identifier for message in incident.sent), numbers, strict=True))
    rows = []
    for message in chosen:
        event = why.get(message.identifier)
        reason = str(event.values.get("reason", "")) if event else message.reason
        refs = (message_ref(message), *((event_ref(event),) if event else ()))
        size = km2(message.polygons) if message.stage in ("take-cover", "prepare") else math.nan
        rows.append((
            Fact(clock(message.sent_s, 1)),
            Fact(relative(message.sent_s, incident.zero_s)),
            Fact(_what(message, alert[message.identifier] if several else None)),
            Fact(area(size)),
            Fact(_short(reason), refs),
        ))  # fmt: skip
    columns = (
        Column("UTC", 0.12), Column("To impact", 0.1, True), Column("Message", 0.25), Column("Area", 0.1, True),
        Column("Why", 0.43),
    )  # fmt: skip
    left = len(incident.sent) - len(chosen)
    note = f"{plural(left, 'message')} between these stand in alerts alone." if left else ""
    return Table("Messages", columns, tuple(rows), note)


def _what(message: Sent, alert: int | None) -> str:
    """What a message was, and of which alert where there were several."""
    kind = KINDS.get(message.kind, message.kind)
    of = "" if alert is None else f" {alert}" if message.kind == "Alert" else f" of alert {alert}"
    return f"{STAGES.get(message.stage, message.stage)}, {kind}{of}"


def _short(reason: str) -> str:
    """The first clause of a reason, at most so many characters."""
    text = kept(reason.split("; ")[0].strip())
    if len(text) > REASON_LENGTH:
        text = text[:REASON_LENGTH].rsplit(" ", 1)[0].rstrip(",;:") + " …"
    return text[:1].upper() + text[1:]


def _key_messages(incident: Incident) -> list[tuple[str, Sent]]:
    """The first of each stage, the last word before the first impact, and the one that ended it."""
    zero_s = incident.zero_s
    before = [w.message for w in told(incident.heard, zero_s)] if zero_s is not None else []
    before.sort(key=lambda m: m.first_arrival_s if math.isfinite(m.first_arrival_s) else math.inf)
    found = [
        ("The first call to be ready", first_sent(incident, "prepare")),
        ("The first call to take cover", first_sent(incident, "take-cover")),
        ("In force at the first impact", before[0] if before else None),
        ("The end", closing(incident)),
    ]
    out: list[tuple[str, Sent]] = []
    for title, message in found:
        if message is not None and message not in [m for _, m in out]:
            out.append((title, message))
    return out


def _quote(title: str, message: Sent) -> Quote:
    text = message.text
    lines = tuple(t for t in (text.description, text.instruction) if t)
    return Quote(f"{title}, {clock(message.sent_s)} UTC", (message_ref(message),), text.headline, lines)
