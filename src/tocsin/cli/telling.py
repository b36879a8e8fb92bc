"""Warnings and outcomes in words, for a terminal of 80 columns."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from typing import Any

from tocsin.cli.scored import notices_of
from tocsin.metrics.lead import numbered
from tocsin.warning.alert import Message

STAGES = {
    "prepare": "prepare",
    "take-cover": "take cover",
    "all-clear": "all clear",
    "withdrawn": "withdrawn",
}
PLACES_WIDTH = 33  # characters that a line of 80 has left for the names of places


def clock(time_s: float) -> str:
    """Time of day, UTC."""
    return f"{datetime.datetime.fromtimestamp(time_s, datetime.UTC):%H:%M:%S}"


def span(seconds: float) -> str:
    """A span of time as 12 min 05 s."""
    minutes, rest = divmod(round(abs(seconds)), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def before_impact(message: Message) -> str:
    """How long before the next impact that it warns of the message was sent."""
    if message.stage not in ("prepare", "take-cover") or not message.footprints:
        return ""
    waits_s = [footprint.impact_time_s - message.sent_s for footprint in message.footprints]
    ahead_s = [wait_s for wait_s in waits_s if wait_s >= 0.0]
    return span(min(ahead_s)) if ahead_s else "after impact"


def people(message: Message) -> int:
    """People in the known places inside the areas of a message."""
    return sum(footprint.population for footprint in message.footprints)


def places(message: Message, width: int = PLACES_WIDTH) -> str:
    """The largest places inside, as many names as fit, and how many more there are."""
    found = {
        (place.name, place.country): place for footprint in message.footprints for place in footprint.places
    }
    names = [place.name for place in sorted(found.values(), key=lambda place: -place.population)]
    for shown in range(len(names), 0, -1):
        more = f" +{len(names) - shown}" if shown < len(names) else ""
        text = ", ".join(names[:shown]) + more
        if len(text) <= width or shown == 1:
            return text
    return "no known place"


def message_line(message: Message) -> str:
    """One message as one line, as it is issued."""
    ahead = before_impact(message)
    before = f" {ahead} before impact;" if ahead and ahead != "after impact" else ""
    told = f"{places(message)}; {people(message):,} people"
    return f"{clock(message.sent_s)} {message.kind} ({STAGES[message.stage]}):{before} {told}"


def message_table(messages: Sequence[Message]) -> Iterator[str]:
    """Messages as the lines of a table of 80 columns, with numbers where there are several alerts at a time."""
    if messages:
        yield f"{'Sent UTC':<10}{'Message':<10}{'To impact':>12}{'People':>12}  Places"
    numbers = numbered(notices_of(messages))
    several = max(numbers, default=0) > 1
    for message, number in zip(messages, numbers, strict=True):
        what = message.kind if message.stage == "take-cover" else STAGES[message.stage].capitalize()
        if several and message.stage in ("take-cover", "prepare"):
            what += f" {number}"
        ahead = before_impact(message)
        yield f"{clock(message.sent_s):<10}{what:<10}{ahead:>12}{people(message):>12,}  {places(message)}"


def outcome_lines(summary: dict[str, Any]) -> Iterator[str]:
    """What came of a replay."""
    counts, timing = summary["counts"], summary["timing"]
    fast = "" if timing["paced"] else f" ({timing['times_real_time']:.0f} times as fast as it happened)"
    yield f"{summary['recording']}: {counts['plots']:,} plots in {timing['loop_s']:.1f} s{fast}"
    yield f"{counts['tracks']} tracks, {counts['tracks_coming_down']} of them coming down"
    if counts["alerts"]:
        yield (
            f"Exercise messages: {counts['alerts']} alerts, {counts['updates']} updates, "
            f"{counts['cancels']} cancels, of {counts['incidents']} incidents"
        )
    else:
        yield "Nothing to warn of"
    if "windows" in counts:
        bodies = f"{counts['decaying']} {'body' if counts['decaying'] == 1 else 'bodies'}"
        windows = f"{counts['windows']} {'window' if counts['windows'] == 1 else 'windows'}"
        yield f"Orbits that decay: {windows} of {bodies}, for operators (windows.parquet)"
    if "subscribers" in summary:
        reach = summary["subscribers"]
        yield (
            f"Subscribers: {reach['told_to_take_cover']} of {reach['subscribers']} told to take cover; "
            f"zones renamed {reach['zones_renamed']}, not found {reach['zones_unreached']}"
        )
