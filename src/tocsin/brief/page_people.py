"""Who was warned how long before, and what came down where."""

from __future__ import annotations

from tocsin.brief.bodies import Body, Near, foreseen, source
from tocsin.brief.document import Block, Column, Figure, Heading, Paragraph, Table
from tocsin.brief.evidence import Evidence, Fact, message_ref
from tocsin.brief.fell_map import fell_map
from tocsin.brief.incidents import Incident
from tocsin.brief.people import Warned, median, warned
from tocsin.brief.words import (
    OCTANTS,
    area,
    clock,
    count,
    distance,
    named,
    of_all,
    people,
    plural,
    position,
    seconds,
    span,
)

MOST_PLACES, MOST_RELEASED, MOST_BODIES = 30, 10, 60
FAR_M = 200e3  # a place farther off says nothing of where it was


def told(evidence: Evidence, incident: Incident) -> list[Block]:
    """The section on places."""
    blocks: list[Block] = [Heading(1, "Who was warned, how long before")]
    found = warned(incident)
    if not found:
        return [
            *blocks,
            Paragraph((Fact("No known place lay inside any area that was told to take cover."),)),
        ]
    held = [w for w in found if w.at_zero]
    out = [w for w in found if not w.at_zero]
    leads = [w.lead_s for w in found if w.lead_s is not None]
    facts = [
        Fact(f"{plural(len(found), 'known place')} lay in an area that was told to take cover at some time.")
    ]
    if leads:
        facts.append(
            Fact(
                f"In the areas of {count(len(leads))} of them something came down; they had been told "
                f"{span(min(leads))} to {span(max(leads))} before, {span(median(leads))} in the median."
            )
        )
    late = [w for w in found if w.arrival is not None and w.lead_s is None]
    if late:
        facts.append(
            Fact(
                f"{plural(len(late), 'place')} had not been told when something came down in the area around."
            )
        )
    blocks.append(Paragraph(tuple(facts)))
    if held:
        blocks.append(_places("Told to take cover when the first impact came", held, MOST_PLACES))
    if out:
        title = "Told earlier or later, but not at the first impact" if held else "Told to take cover"
        blocks.append(_places(title, out, MOST_RELEASED))
    return blocks


def _places(title: str, found: list[Warned], most: int) -> Table:
    rows = []
    ready = any(w.ready_s is not None for w in found[:most])
    for one in found[:most]:
        first, last = one.spans[0], one.spans[-1]
        times = f" ({plural(len(one.spans), 'time')})" if len(one.spans) > 1 else ""
        arrival = Fact("–") if one.arrival is None else Fact(clock(one.arrival.time_s), source(one.arrival))
        start = one.held or first
        rows.append((
            Fact(named(one.place)),
            Fact(people(one.place.population)),
            *((Fact("–" if one.ready_s is None else clock(one.ready_s)),) if ready else ()),
            Fact(clock(start.start_s) + times, (message_ref(start.first),)),
            arrival,
            Fact("–" if one.lead_s is None else span(one.lead_s)),
            Fact(clock(last.end_s)),
        ))  # fmt: skip
    columns = (
        Column("Place", 0.31), Column("People", 0.11, True), *((Column("Ready from", 0.1, True),) if ready else ()),
        Column("Told to take cover", 0.21, True), Column("First impact in its area", 0.2, True),
        Column("Lead", 0.12, True), Column("Until", 0.1, True),
    )  # fmt: skip
    rest = found[most:]
    note = ""
    if any(len(w.spans) > 1 for w in found):
        note = "In brackets: how many times it was told, having been left out in between. "
    if rest:
        leads = [w.lead_s for w in rest if w.lead_s is not None]
        some = f", with a lead of {span(min(leads))} to {span(max(leads))}" if leads else ""
        many = people(sum(w.place.population for w in rest))
        note += f"And {plural(len(rest), 'smaller place')} of {many} people in all{some}."
    return Table(title, columns, tuple(rows), note.strip())


def fell(evidence: Evidence, incident: Incident, outside: tuple[Body, ...]) -> list[Block]:
    """The section on what came down; outside: what no incident knew of."""
    blocks: list[Block] = [Heading(1, "What came down, and where")]
    found = (*incident.bodies, *outside)
    if not found:
        return [*blocks, Paragraph((Fact("Nothing is known to have come down."),))]
    if evidence.fallen is None:
        blocks.append(
            Paragraph((
                Fact(
                    "Where anything truly came down is not known to this account. What follows is the last that was "
                    "predicted of each track that was believed in to the end."
                ),
            ))
        )  # fmt: skip
    else:
        blocks.append(Paragraph(_against_forecast(found)))
    numbered = {body.name: i for i, body in enumerate(found, start=1)}
    known = evidence.fallen is not None
    caption = (
        "Where things came down (numbers as in the table; black: dangerous, grey: light), the 99 % areas of the last "
        "forecasts before (amber), and what was told to take cover at the first impact (red)."
        if known
        else "Where the last forecasts put each track (numbers as in the table), with their 99 % areas (amber)."
    )
    blocks.append(Figure(fell_map(evidence, incident, found, numbered), caption))
    blocks.append(_bodies(found, numbered, incident.zero_s, known))
    return blocks


def _against_forecast(found: tuple[Body, ...]) -> tuple[Fact, ...]:
    facts = [Fact("Where things came down was found out afterwards; no decision knew of it.")]
    with_track = [b for b in found if b.forecast is not None]
    if with_track:
        held = sum(bool(b.inside) for b in with_track)
        off = median([b.off_m for b in with_track])
        facts.append(
            Fact(
                f"The object had a track with a forecast to the end; it came down "
                f"{'inside' if held else 'outside'} its 99 % area, "
                f"{distance(off)} from the place that it named."
                if len(found) == 1
                else f"Of {plural(len(found), 'object')} {of_all(len(with_track), len(found))} had a track with a "
                f"forecast to the end; "
                f"{of_all(held, len(with_track))} came down inside its 99 % area, {distance(off)}"
                f"{' in the median' if len(with_track) > 1 else ''} from the place that it named."
            )
        )
    return tuple(facts)


def whereabouts(near: Near | None) -> str:
    """A place in words: 2.1 km NE of Prydniprovsk; nothing where none is near."""
    if near is None or near.distance_m > FAR_M:
        return ""
    return f"{distance(near.distance_m)} {OCTANTS[near.octant]} of {near.place.name}"


def _bodies(found: tuple[Body, ...], numbered: dict[str, int], zero_s: float | None, known: bool) -> Table:
    chosen = sorted(found, key=lambda b: (not b.dangerous, numbered[b.name]))[:MOST_BODIES]
    rows = []
    for b in sorted(chosen, key=lambda b: numbered[b.name]):
        place = whereabouts(b.near)
        at = position(b.latitude_deg, b.longitude_deg)
        rows.append((
            Fact(str(numbered[b.name])),
            Fact(b.name, source(b)),
            *((Fact(b.kind),) if known else ()),
            Fact(f"{clock(b.time_s, 1)}"),
            Fact(f"{at}{f'; {place}' if place else ''}"),
            *(_foreseen(b) if known else _sure(b)),
            _lead(b),
        ))  # fmt: skip
    columns = (
        Column("", 0.03, True), Column("Object", 0.125), Column("Kind", 0.08), Column("Came down", 0.09, True),
        Column("Where", 0.205), Column("Last forecast", 0.13), Column("Off", 0.1, True), Column("Late", 0.065, True),
        Column("99\u00a0% area", 0.085, True), Column("Told before", 0.12, True),
    ) if known else (
        Column("", 0.04, True), Column("Track", 0.16), Column("Expected", 0.12, True), Column("Where", 0.32),
        Column("Time within", 0.12, True), Column("99\u00a0% area", 0.12, True), Column("Told before", 0.14, True),
    )  # fmt: skip
    note = (
        "Last forecast: of which track, how long before. Off, late: place and time that it named, less the true ones."
        if known
        else "Time within: one standard deviation either way."
    )
    left = {b.name for b in found} - {b.name for b in chosen}
    rest = [b for b in found if b.name in left]
    if rest:
        held = sum(b.held is not None for b in rest)
        note += (
            f" And {plural(len(rest), 'light piece')} more, {count(held)} of them where people had been told."
        )
    return Table("Objects", columns, tuple(rows), note)


def _foreseen(body: Body) -> tuple[Fact, ...]:
    """Track, distance, time and area of the last forecast before a known impact."""
    forecast = body.forecast
    if body.track is None or forecast is None:
        return (
            Fact("no track" if body.track is None else f"{body.track}: none"),
            Fact("–"),
            Fact("–"),
            Fact("–"),
        )
    return (
        Fact(f"{body.track}, {count(body.time_s - forecast.issued_s)}\u00a0s"),
        Fact(distance(body.off_m), foreseen(body)),
        Fact(seconds(forecast.impact_time_s - body.time_s)),
        Fact(("" if body.inside else "outside ") + area(forecast.area_km2)),
    )


def _sure(body: Body) -> tuple[Fact, ...]:
    """How sure the last forecast was."""
    forecast = body.forecast
    if forecast is None:
        return Fact("–"), Fact("–")
    return Fact(f"±{forecast.impact_time_sigma_s:.1f}\u00a0s"), Fact(area(forecast.area_km2))


def _lead(body: Body) -> Fact:
    if body.held is None:
        return Fact("not told")
    return Fact(span(body.time_s - body.held.start_s), (message_ref(body.held.first),))
