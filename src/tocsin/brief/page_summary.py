"""The first page: what happened, in five sentences and in numbers."""

from __future__ import annotations

import math

from tocsin.brief.bodies import source
from tocsin.brief.course import course
from tocsin.brief.cover import at
from tocsin.brief.document import Block, Column, Figure, Paragraph, Table, Tile, Tiles
from tocsin.brief.evidence import Evidence, Fact, Ref, message_ref
from tocsin.brief.fell_map import at_a_glance
from tocsin.brief.incidents import Incident, closing, first_sent, largest
from tocsin.brief.people import Warned, median, warned
from tocsin.brief.seen import looks
from tocsin.brief.seen import tracks as seen_tracks
from tocsin.brief.words import STAGES, area, bracketed, clock, inhabited, listed, named, people, plural, span

FEW_PLACES = 5
GLANCE = "What was told to take cover: first (dashed) and at the first impact (red). Dots: "
KNOWN = "what came down; black: dangerous, grey: light."
LAST = "where the last forecasts put what came down."


def summary(evidence: Evidence, incident: Incident) -> list[Block]:
    """The page of one incident."""
    blocks: list[Block] = [Tiles(_tiles(evidence, incident)), sentences(evidence, incident)]
    blocks.append(course(evidence, incident))
    found = [w for w in warned(incident) if w.lead_s is not None]
    if found:
        blocks.append(_places(found, len(warned(incident))))
    if incident.bodies or incident.extents:
        blocks.append(
            Figure(at_a_glance(evidence, incident), GLANCE + (KNOWN if evidence.fallen is not None else LAST))
        )
    return blocks


def sentences(evidence: Evidence, incident: Incident) -> Paragraph:
    """What happened, in five sentences."""
    found = (
        _seen(evidence, incident), _decided(evidence, incident), _went_on(incident),
        _fell(evidence, incident), _ended(evidence, incident),
    )  # fmt: skip
    return Paragraph(tuple(f for f in found if f), "lead")


def first_look_s(evidence: Evidence, incident: Incident) -> float | None:
    """When the first plot was taken of what the incident is about."""
    found = looks(evidence, incident.tracks)
    return found[0].time_s if found else None


def _tiles(evidence: Evidence, incident: Incident) -> tuple[Tile, ...]:
    zero_s, cover = incident.zero_s, first_sent(incident, "take-cover")
    out = []
    if cover is not None and zero_s is not None:
        late = cover.sent_s > zero_s
        label = "from the first message to take cover to the first impact"
        out.append(Tile(("−" if late else "") + span(zero_s - cover.sent_s), label, "alert" if late else ""))
    extent = at(incident.extents, zero_s) if zero_s is not None else largest(incident)
    if extent is not None:
        when = "at the first impact" if zero_s is not None else "at most"
        if extent.people:
            out.append(
                Tile(people(extent.people), f"people in the places of the area told to take cover {when}")
            )
        else:
            out.append(Tile("No place", f"that is known lay in the area told to take cover {when}"))
    grave = [b for b in incident.bodies if b.dangerous]
    if evidence.fallen is not None and grave:
        held = sum(b.held is not None for b in grave)
        tone = "clear" if held == len(grave) else "alert"
        out.append(Tile(f"{held} of {len(grave)}", "dangerous impacts fell where people had been told", tone))
    end = closing(incident)
    if end is not None:
        after = "" if zero_s is None else f", {span(end.sent_s - zero_s)} after the first impact"
        out.append(Tile(clock(end.sent_s), f"UTC: {STAGES[end.stage].lower()}{after}"))
    return tuple(out)


def _seen(evidence: Evidence, incident: Incident) -> Fact:
    found = looks(evidence, incident.tracks)
    tracks = seen_tracks(evidence, incident.tracks)
    first = tracks[0] if tracks else None
    zero_s = incident.zero_s
    track = ""
    refs: tuple[Ref, ...] = ()
    if first is not None:
        track = f"{'its' if found else 'the'} first track, {first.name}, was reported at {clock(first.first_s, 1)}"
        refs = (Ref("track", first.name),)
    if not found:
        if not track:
            return Fact("Which sensor saw it first is not known: no recording and no track tells.")
        return Fact(
            f"{track[0].upper()}{track[1:]}{bracketed(first.first_s if first else 0.0, zero_s)}.", refs
        )
    sensors = list(dict.fromkeys(look.sensor for look in found))
    others = f", then by {listed(sensors[1:])}" if sensors[1:] else ""
    return Fact(
        f"What came down was seen first by {found[0].sensor}, at {clock(found[0].time_s, 1)} UTC"
        f"{bracketed(found[0].time_s, zero_s)}{others}; {track}.",
        (found[0].ref, *refs),
    )


def _decided(evidence: Evidence, incident: Incident) -> Fact:
    cover, ready = first_sent(incident, "take-cover"), first_sent(incident, "prepare")
    zero_s = incident.zero_s
    if cover is None and ready is None:
        return Fact("Nobody was told to take cover.")
    told = []
    refs = []
    if ready is not None and (cover is None or ready.sent_s < cover.sent_s):
        told.append(f"told to be ready at {clock(ready.sent_s)}{bracketed(ready.sent_s, zero_s)}")
        refs.append(message_ref(ready))
    if cover is not None:
        told.append(f"told to take cover at {clock(cover.sent_s)}{bracketed(cover.sent_s, zero_s)}")
        refs.append(message_ref(cover))
    text = f"People were {listed(told)}"
    first_s = first_look_s(evidence, incident)
    if cover is not None and first_s is not None:
        text += f", {span(cover.sent_s - first_s)} after the first plot"
    if incident.extents:
        first = incident.extents[0]
        cover_first = "to take cover first" if len(told) > 1 else "first"
        text += f": {cover_first} in an area of {area(first.km2)} {inhabited(first.people)}"
    return Fact(text + ".", tuple(refs))


def _went_on(incident: Incident) -> Fact | None:
    zero_s = incident.zero_s
    most, now = largest(incident), None if zero_s is None else at(incident.extents, zero_s)
    if most is None:
        return None
    before = [m for m in incident.sent if zero_s is not None and m.sent_s <= zero_s]
    sent = len(incident.sent)
    text = f"In all {plural(sent, 'message')} {'was' if sent == 1 else 'were'} sent"
    text += f", {len(before)} of them before the first impact; " if zero_s is not None else "; "
    text += f"the area was largest from {clock(most.start_s)} on, with {area(most.km2)}"
    refs = [message_ref(most.messages[-1])]
    if now is not None and now.messages:
        text += f", and measured {area(now.km2)}, {inhabited(now.people)}, when the first object came down"
        refs += [message_ref(m) for m in now.messages[-1:] if message_ref(m) not in refs]
    return Fact(text + ".", tuple(refs))


def _fell(evidence: Evidence, incident: Incident) -> Fact:
    found = incident.bodies
    if not found:
        return Fact("Nothing is known to have come down.")
    first, last = clock(found[0].time_s), clock(found[-1].time_s)
    when = f"between {first} and {last}" if len(found) > 1 else f"at {first}"
    if evidence.fallen is None:
        return Fact(
            f"By the last forecasts {plural(len(found), 'object')} came down {when}; where anything was truly found "
            "is not known to this account.",
            source(found[0]),
        )
    text = (
        f"{plural(len(found), 'object')} {'is' if len(found) == 1 else 'are'} known to have come down {when}"
    )
    grave = [b for b in found if b.dangerous]
    leads = [b.time_s - b.held.start_s for b in grave if b.held]
    if not grave:
        return Fact(text + ", none of them heavy enough to count as dangerous.", source(found[0]))
    some = "it" if len(found) == 1 else f"{len(grave)} of them heavy enough to be dangerous"
    text += "" if len(found) == 1 else f", {some}"
    missed = len(grave) - len(leads)
    if leads:
        each = span(leads[0]) if len(leads) == 1 else f"{span(min(leads))} to {span(max(leads))}"
        middle = f" (in the median {span(median(leads))})" if len(leads) > 2 else ""
        who = (
            "where it fell"
            if len(grave) == 1
            else "where they fell"
            if not missed
            else f"where {len(leads)} of these fell"
        )
        text += f"; {who}, people had been told to take cover {each} before{middle}"
    if missed:
        text += f"; where {'it' if len(grave) == 1 else missed} fell, no one had been told"
    return Fact(text + ".", tuple(dict.fromkeys(source(found[0]) + source(found[-1]))))


def _ended(evidence: Evidence, incident: Incident) -> Fact:
    end = closing(incident)
    if end is None:
        return Fact("The results hold no message that ends the incident.")
    word = "All-clear was given" if end.stage == "all-clear" else "The warning was withdrawn"
    last = [b.time_s for b in incident.bodies if b.time_s < end.sent_s]
    after = f", {span(end.sent_s - max(last))} after the last impact" if last else ""
    known = "" if evidence.fallen is not None or not last else " that was expected"
    return Fact(
        f"{word} at {clock(end.sent_s)}{bracketed(end.sent_s, incident.zero_s)}{after}{known}.",
        (message_ref(end),),
    )


def _places(found: list[Warned], every: int) -> Table:
    rows = []
    for one in found[:FEW_PLACES]:
        if one.held is None or one.arrival is None or one.lead_s is None or not math.isfinite(one.lead_s):
            continue
        rows.append((
            Fact(named(one.place)),
            Fact(people(one.place.population)),
            Fact(clock(one.held.start_s), (message_ref(one.held.first),)),
            Fact(clock(one.arrival.time_s), source(one.arrival)),
            Fact(span(one.lead_s)),
        ))  # fmt: skip
    columns = (
        Column("Place", 0.36), Column("People", 0.12, True), Column("Told at", 0.18, True),
        Column("First impact in its area", 0.2, True), Column("Lead", 0.14, True),
    )  # fmt: skip
    note = (
        f"The largest of {plural(every, 'place')} that were told; all of them stand further on."
        if every > len(rows)
        else ""
    )
    return Table("Who was warned how long before", columns, tuple(rows), note)
