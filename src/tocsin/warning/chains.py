"""Chains of messages: what each has in force, and whether it must change.

An incident (one launch, one entry) has a chain for each time at which something of it comes down: most often one. The
pieces of a break-up come down for minutes, and whoever is told of all at once is told of more than concerns him.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import shapely
from shapely.geometry import Polygon

from tocsin.warning.alert import PREPARE, TAKE_COVER, Footprint
from tocsin.warning.bodies import ALERTED, PREPARED, Body, over_s, reach, silent_s
from tocsin.warning.outline import pokes_out
from tocsin.warning.plane import Plane, filled, moved, near_each_other
from tocsin.warning.settings import Settings

# Shares of the time that a chain is about (decision 0027).
EARLY = 1 / 3  # of it lies before the first of its bodies
SLACK = 0.25  # by which a body may turn out to come before or after without leaving the chain
GRID_M = 1.0  # corners of what is kept are rounded to it: it shares edges with what else is told


class Sent(NamedTuple):
    """What later messages must know of one that was sent."""

    identifier: str
    sent_s: float
    expires_s: float
    replaced: bool = False  # a later one has referred to it


class Standing(NamedTuple):
    """One footprint in force."""

    plane: Plane
    polygon: Polygon
    tracks: tuple[str, ...]


class Fresh(NamedTuple):
    """Places that a message told of to take cover which were not in cover before; they stay told for a while."""

    at_s: float
    plane: Plane
    polygon: Polygon
    tracks: tuple[str, ...]  # that they were told of


class Chain(NamedTuple):
    """An Alert and all that refers to it, about bodies that come down near each other within minutes."""

    name: str  # unique; never sent
    incident: str
    stage: str  # take-cover, or prepare: what people are told to do
    said: str  # the stage of its last message; "" before the first
    merged: tuple[str, ...]  # incidents that turned out to be this one
    tracks: tuple[str, ...]  # all that ever belonged to it, in the order in which they joined
    sent: tuple[Sent, ...]  # oldest first, those of chains that ended in this one too
    standing: tuple[Standing, ...]  # in force
    footprints: tuple[Footprint, ...]  # the same, as last sent
    fresh: tuple[Fresh, ...]  # of these, what has not stood for stay_s yet
    told: tuple[str, ...]  # tracks that were in danger at the last message
    onset_s: float  # as announced
    expires_s: float
    impact_s: float  # first arrival, as announced
    sent_s: float  # decision of the last message, -inf before the first
    came_down: bool  # some body has reached its time
    from_s: float  # it is about what comes down from then on, for wave_s; NaN before its first body
    due_s: (
        float  # when a change that waits may be sent; inf: none waits; -inf: at once, however late the last
    )


class Change(NamedTuple):
    """Why a message is needed."""

    urgent: bool
    reason: str
    reduced: bool = False  # nothing has changed but that less is in danger


def new_chain(name: str, incident: str, stage: str) -> Chain:
    """A chain in which nothing has been said yet."""
    nothing: tuple[str, ...] = ()
    nan = math.nan
    return Chain(
        name, incident, stage, "", nothing, nothing, (), (), (), (), nothing, nan, nan, nan, -math.inf, False,
        nan, -math.inf,
    )  # fmt: skip


def endangering(chain: Chain, bodies: Mapping[str, Body]) -> tuple[Body, ...]:
    """The bodies of a chain that still have to come down."""
    found = (bodies[track] for track in chain.tracks if track in bodies)
    return tuple(body for body in found if body.stage in (ALERTED, PREPARED) and body.chain == chain.name)


def merged(chains: Sequence[Chain]) -> Chain:
    """One chain for several: the first to have spoken goes on, and speaks at once, so that the others end."""
    first, *others = sorted(chains, key=lambda one: (one.sent[0].sent_s if one.sent else math.inf, one.name))
    everyone = [first, *others]
    spoken = [one for one in everyone if one.sent]
    names = dict.fromkeys(
        name for one in everyone for name in (one.incident, *one.merged) if name != first.incident
    )
    return first._replace(
        said=TAKE_COVER if any(one.said == TAKE_COVER for one in everyone) else first.said,
        merged=tuple(names),
        tracks=tuple(dict.fromkeys(track for one in everyone for track in one.tracks)),
        sent=tuple(sorted((sent for one in everyone for sent in one.sent), key=lambda sent: sent.sent_s)),
        standing=tuple(standing for one in everyone for standing in one.standing),
        footprints=tuple(footprint for one in everyone for footprint in one.footprints),
        fresh=tuple(fresh for one in everyone for fresh in one.fresh),
        told=tuple(track for one in everyone for track in one.told),
        onset_s=min((one.onset_s for one in spoken), default=math.nan),
        expires_s=min((one.expires_s for one in spoken), default=math.nan),
        impact_s=min((one.impact_s for one in spoken), default=math.nan),
        sent_s=max(one.sent_s for one in everyone),
        came_down=any(one.came_down for one in everyone),
        due_s=-math.inf,
    )


def stage_for(bodies: Sequence[Body]) -> str:
    """What people are told to do about bodies."""
    return TAKE_COVER if any(body.stage == ALERTED for body in bodies) else PREPARE


def adjoin(one: Body, other: Body, settings: Settings) -> bool:
    """Whether two bodies are due so near each other, in place and time, that people see one event."""
    if one.outline is None or other.outline is None or not concurrent(one, other, settings):
        return False
    if not near_each_other(one.plane, one.outline, other.plane, other.outline, settings.adjoin_m):
        return False
    return bool(one.outline.distance(moved(other.outline, other.plane, one.plane)) <= settings.adjoin_m)


def overlap(one: Chain, other: Chain) -> bool:
    """Whether some people are inside what both have in force."""
    return any(
        near_each_other(first.plane, first.polygon, second.plane, second.polygon, 0.0)
        and first.polygon.intersects(moved(second.polygon, second.plane, first.plane))
        for first in one.standing
        for second in other.standing
    )


def beside(body: Body, chain: Chain, others: Sequence[Body], gap_m: float) -> bool:
    """Whether a body may come down within a distance of what a chain has in force, or ``others``, its bodies, need."""
    area = reach(body) if body.outline is None else body.outline
    shapes = [(one.plane, one.polygon) for one in chain.standing]
    shapes += [(one.plane, one.outline) for one in others if one.outline is not None]
    return not area.is_empty and any(
        near_each_other(body.plane, area, plane, shape, gap_m)
        and bool(area.distance(moved(shape, plane, body.plane)) <= gap_m)
        for plane, shape in shapes
    )


def concurrent(one: Body, other: Body, settings: Settings) -> bool:
    """Whether two bodies are due about the same time."""
    return abs(one.impact_s - other.impact_s) <= settings.wave_s


def begins_s(first_s: float, settings: Settings) -> float:
    """When the time begins that a chain is about whose first body is due at ``first_s``."""
    return first_s - EARLY * settings.wave_s


def in_time(body: Body, chain: Chain, settings: Settings, slack: float = 0.0) -> bool:
    """Whether a body is due in the time that a chain is about, give or take a share of it."""
    after_s, slack_s = body.impact_s - chain.from_s, slack * settings.wave_s
    return -slack_s <= after_s < settings.wave_s + slack_s


def change(chain: Chain, bodies: Sequence[Body], now_s: float, settings: Settings) -> Change | None:
    """What of a chain's danger is not in force as it should be. ``bodies``: those that endanger now."""
    if not chain.sent:
        return Change(True, "first alert")
    if chain.said != chain.stage:
        return Change(True, f"now {chain.stage}")
    outside = [body.track for body in bodies if not _held(body, chain, settings)]
    if outside:
        return Change(True, f"places above C/L outside the area in force: {_listed(outside)}")
    if max(over_s(body, settings) for body in bodies) > chain.expires_s:
        return Change(True, "danger lasts beyond expires")
    earliest_s = min(body.earliest_s for body in bodies)
    if now_s < chain.onset_s and earliest_s < chain.onset_s - settings.onset_s:
        return Change(True, "arrival may come before the announced onset")
    first_s = min(body.impact_s for body in bodies)
    if abs(first_s - chain.impact_s) > settings.arrival_s and max(first_s, chain.impact_s) > now_s:
        return Change(False, f"first arrival {first_s - chain.impact_s:+.0f} s")
    joined = [body.track for body in bodies if body.track not in chain.told]
    if joined:
        return Change(False, f"joined: {_listed(joined)}")
    shrunk: list[Standing] = []
    if any(body.latest_s > now_s for body in bodies):  # else the end is near, and says it for all
        kept = lately(chain, bodies, now_s, settings)
        shrunk = [standing for standing in chain.standing if _shrinks(standing, bodies, kept, settings)]
    if shrunk:
        whole = "the area in force"
        of = whole if len(chain.standing) == 1 else f"{len(shrunk)} of {len(chain.standing)} parts of {whole}"
        reason = f"at most {settings.shrink:.0%} is needed of {of}"
        return Change(False, reason, reduced=True)
    return Change(True, "regrouped") if chain.due_s == -math.inf else None


def let_out_s(kept: Sequence[Fresh], settings: Settings) -> float:
    """When the first of what was told lately may be let out of cover; infinite where there is none."""
    return min((one.at_s for one in kept), default=math.inf) + settings.stay_s


def lately(chain: Chain, bodies: Sequence[Body], now_s: float, settings: Settings) -> tuple[Fresh, ...]:
    """The places of a chain that were told to take cover too lately to be let out again.

    They might be called back by the next forecast. Where nothing is heard any more of any body that they were told of,
    of ``bodies``, those that endanger now, there is none.
    """

    def wavers(one: Fresh) -> bool:
        told_of = [body for body in bodies if body.track in one.tracks]
        return not told_of or any(now_s < silent_s(body, settings) for body in told_of)

    return tuple(one for one in chain.fresh if now_s < one.at_s + settings.stay_s and wavers(one))


def _held(body: Body, chain: Chain, settings: Settings) -> bool:
    """Whether what is in force covers the places that a body puts above C/L."""
    area = reach(body)

    def near(some: Iterable[Standing]) -> list[shapely.Geometry]:
        return [
            moved(one.polygon, one.plane, body.plane)
            for one in some
            if near_each_other(body.plane, area, one.plane, one.polygon, 0.0)
        ]

    own = near(one for one in chain.standing if body.track in one.tracks)
    if any(not pokes_out(area, shape, settings.poke) for shape in own):  # most often
        return True
    shapes = [*own, *near(one for one in chain.standing if body.track not in one.tracks)]
    return bool(shapes) and not pokes_out(area, filled(shapely.union_all(shapes)), settings.poke)


def _shrinks(standing: Standing, bodies: Sequence[Body], kept: Sequence[Fresh], settings: Settings) -> bool:
    """Whether what is still needed of a footprint is at most a share of it."""
    needed = [body for body in bodies if body.track in standing.tracks and body.outline is not None]
    most_m2 = settings.shrink * standing.polygon.area
    if any(body.outline is not None and body.outline.area > most_m2 for body in needed):
        return False
    if not needed:
        return True
    plane = standing.plane
    outlines = [moved(one.outline, one.plane, plane) for one in needed if one.outline is not None]
    together = shapely.union_all(outlines)
    if together.intersection(standing.polygon).area > most_m2:  # most often, and what is kept only adds to it
        return False
    near = [one for one in kept if near_each_other(one.plane, one.polygon, plane, standing.polygon, 0.0)]
    if near:
        together = shapely.union_all(
            [together, *(moved(one.polygon, one.plane, plane) for one in near)], grid_size=GRID_M
        )
    return bool(together.intersection(standing.polygon).area <= most_m2)


def _listed(tracks: Sequence[str]) -> str:
    return ", ".join(tracks[:6]) + (f" and {len(tracks) - 6} more" if len(tracks) > 6 else "")
