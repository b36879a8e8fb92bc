"""Orbits that decayed while they were tracked: their windows, and how these narrowed."""

from __future__ import annotations

import math

from tocsin.brief.document import Block, Column, Heading, Paragraph, Table
from tocsin.brief.evidence import Evidence, Fact, Ref
from tocsin.brief.words import FIXED, clock, listed, plural, span
from tocsin.formats.windows import FILE, belt, between, last_of_each, minute, span_s, turns_of
from tocsin.prediction.forecast import DecayWindow

MOST_BODIES, MOST_WINDOWS = 6, 10  # told of, and rows of each, the first and the newest
SURE = (
    "Nobody was told of a window: hours before, nobody can say where along the line it comes down. "
    "A window is for operators, who can look for it where it passes next."
)


def decays(evidence: Evidence) -> list[Block]:
    """The section; nothing where no orbit was found to decay."""
    told = evidence.results.windows
    last = last_of_each(told)
    if not last:
        return []
    blocks: list[Block] = [Heading(1, "Orbits that decay")]
    facts = []
    for window, end in last[:MOST_BODIES]:
        facts += _facts(window, end)
    rest = len(last) - MOST_BODIES
    if rest > 0:
        facts.append(
            Fact(f"{plural(rest, 'further body', 'further bodies')} in {FILE}.", (Ref("file", FILE),))
        )
    blocks.append(Paragraph((*facts, Fact(SURE))))
    for window, _ in last[:MOST_BODIES]:
        blocks.append(_table([one for one in told if one.body == window.body and one.window is not None]))
    return blocks


def _facts(window: DecayWindow, end: DecayWindow | None) -> list[Fact]:
    known = (Ref("track", window.tracks[-1]), Ref("file", FILE))
    where = f" {belt(window)}" if belt(window) else ""
    passes = plural(window.passes, "pass", "passes")
    names = list(window.tracks)
    seen = listed(names) if len(names) <= 4 else f"{names[0]} to {names[-1]}"
    drag = (
        ""
        if math.isnan(window.drag_sigma)
        else f", which told its drag to {100 * window.drag_sigma:.0f}{FIXED}%"
    )
    verb = between(window).replace("comes down", "would come down", 1)
    out = [
        Fact(
            f"{window.body} was on an orbit that decays. By the last window, of {clock(window.issued_s)}, it {verb}, "
            f"somewhere along its ground track{where}; that came of {passes} ({seen}){drag}.",
            known,
        )
    ]
    if end is not None:
        out.append(Fact(f"The window ended at {clock(end.issued_s)}: {end.reason}.", (Ref("file", FILE),)))
    return out


def _table(told: list[DecayWindow]) -> Table:
    shown = told if len(told) <= MOST_WINDOWS else [told[0], *told[1 - MOST_WINDOWS :]]
    rows = []
    for one in shown:
        early_s, middle_s, late_s = span_s(one)
        day = late_s - early_s > 43200.0 or not math.isfinite(late_s)
        turns = turns_of(one)
        known = "–" if math.isnan(one.drag_sigma) else f"{100 * one.drag_sigma:.0f}{FIXED}%"
        rows.append((
            Fact(clock(one.issued_s)),
            Fact(str(one.passes)),
            Fact(minute(early_s, day)),
            Fact("later" if not math.isfinite(middle_s) else minute(middle_s, day)),
            Fact("later" if not math.isfinite(late_s) else minute(late_s, day)),
            Fact("over 7 days" if not math.isfinite(late_s) else span(late_s - early_s)),
            Fact("–" if math.isnan(turns) else f"{turns:.1f}"),
            Fact(known),
        ))  # fmt: skip
    columns = (
        Column("Told at", 0.12), Column("Passes", 0.09, True), Column("5 %", 0.16, True),
        Column("Even odds", 0.16, True),
        Column("95 %", 0.16, True), Column("Width", 0.13, True), Column("Times round", 0.09, True),
        Column("Drag to", 0.09, True),
    )  # fmt: skip
    left = len(told) - len(shown)
    note = f"{plural(left, 'window')} between stand in {FILE}." if left else ""
    return Table(
        f"Windows of {told[0].body}: when it comes down, as it was known then", columns, tuple(rows), note
    )
