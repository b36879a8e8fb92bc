"""Who belongs together: bodies to incidents, and those that people are told of to chains of messages."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tocsin.warning.alert import PREPARE, TAKE_COVER
from tocsin.warning.bodies import (
    ALERTED,
    OPEN,
    PASSED,
    PREPARED,
    SUCCEEDED,
    WITHDRAWN,
    Body,
    outlined,
    over_s,
    succeeds,
    told_where,
)
from tocsin.warning.chains import (
    Chain,
    adjoin,
    beside,
    concurrent,
    endangering,
    later_wave,
    merged,
    new_chain,
    overlap,
    stage_for,
)
from tocsin.warning.compose import incident_name
from tocsin.warning.incidents import Incident
from tocsin.warning.settings import Settings

STAGE_OF = {PREPARED: PREPARE, ALERTED: TAKE_COVER}
APART = 2.0  # times adjoin_m: how far from people in cover a body must be before others are told to prepare for it


class Desk(NamedTuple):
    """What a step works on: copies of what the policy remembers, of its own."""

    bodies: dict[str, Body]
    chains: dict[str, Chain]
    incidents: dict[str, Incident]
    sequences: dict[str, int]
    parents: Mapping[str, str]
    merges: list[tuple[str, str]]  # incidents that turned out to be another, in this step
    settings: Settings


def enrol(body: Body, desk: Desk) -> None:
    """Give a body its incident: that of its family, else a new one."""
    if body.incident in desk.incidents:
        return
    family = root(body.track, desk.parents)
    found = [
        incident.name
        for incident in desk.incidents.values()
        if any(root(track, desk.parents) == family for track in incident.tracks)
    ]
    name = found[0] if found else incident_name(body, desk.sequences)
    incident = desk.incidents.get(name) or Incident(name, "", (), False, 0)
    desk.sequences.setdefault(name, 0)
    desk.incidents[name] = incident._replace(tracks=tuple(dict.fromkeys((*incident.tracks, body.track))))
    desk.bodies[body.track] = body._replace(incident=name)


def join(track: str, stage: str, desk: Desk) -> None:
    """Put a body into a stage that people are told of, in a chain of its incident or its neighbours, or a new one."""
    body = desk.bodies[track]._replace(stage=stage)
    desk.bodies[track] = body
    chains = [chain for chain in desk.chains.values() if chain.stage == STAGE_OF[stage]]
    found = [
        chain.name
        for chain in chains
        if (
            chain.incident == body.incident
            and concurrent(body, endangering(chain, desk.bodies), desk.settings)
        )
        or any(adjoin(body, other, desk.settings) for other in endangering(chain, desk.bodies))
    ]
    waves = [one for one in chains if one.incident == body.incident and endangering(one, desk.bodies)]
    if not found and len(waves) > 1:  # neither with the first wave nor near what comes later: with the later
        found = [max(waves, key=lambda one: _first_s(one, desk)).name]
    name = _merge(found, desk) if found else _open(body, STAGE_OF[stage], desk)
    _move((desk.bodies[track],), name, desk)


def unite(track: str, desk: Desk) -> None:
    """Merge the chain of a body that people are told of with those that it now adjoins."""
    body = desk.bodies[track]
    own = desk.chains[body.chain]
    found = [
        chain.name
        for chain in desk.chains.values()
        if chain.name != own.name
        and chain.stage == own.stage
        and any(adjoin(body, other, desk.settings) for other in endangering(chain, desk.bodies))
    ]
    if found:
        _merge([own.name, *found], desk)


def hand_over(live: frozenset[str], desk: Desk) -> None:
    """Drop what is held for lost tracks that were found again under another name."""
    bodies, settings = desk.bodies, desk.settings
    lost = [body for body in bodies.values() if body.stage == ALERTED and body.track not in live]
    taken = {body.succeeded_by for body in bodies.values()}
    alive = [body for body in bodies.values() if body.stage == ALERTED and body.track in live] if lost else []
    for old in sorted(lost, key=lambda body: (body.last_s, body.track)):
        heirs = [
            new
            for new in alive
            if new.track not in taken and new.chain == old.chain and succeeds(new, old, settings)
        ]
        if heirs:
            heir = min(
                heirs, key=lambda new: (new.parent != old.track, abs(new.first_s - old.last_s), new.track)
            )
            bodies[old.track] = old._replace(stage=SUCCEEDED, outline=None, succeeded_by=heir.track)
            taken.add(heir.track)


def let_go(now_s: float, desk: Desk) -> None:
    """Let go of the bodies whose time is over."""
    for track, body in desk.bodies.items():
        if body.stage in OPEN and over_s(body, desk.settings) <= now_s:
            known = bool(body.recent)
            desk.bodies[track] = body._replace(stage=PASSED if known else WITHDRAWN, outline=None)
            if body.chain:
                chain = desk.chains[body.chain]
                desk.chains[body.chain] = chain._replace(came_down=True, due_s=min(now_s, chain.due_s))


def make_ready(now_s: float, desk: Desk) -> None:
    """Tell people to prepare for bodies, but none where people are in cover: to them it would sound like an end.

    Of such a body operators alone know. Where people had been told to prepare for it before, their messages end in
    those of the alert that has overtaken them.
    """
    settings = desk.settings
    for track in sorted(desk.bodies):
        body = desk.bodies[track]
        if body.stage != PREPARED or over_s(body, settings) <= now_s:
            continue
        gap_m = settings.adjoin_m * (1.0 if body.chain else APART)  # a body on the edge must not come and go
        in_cover = [
            one.name for one in _in_cover(desk) if beside(body, one, endangering(one, desk.bodies), gap_m)
        ]
        if in_cover and body.chain:
            left = desk.chains[body.chain]
            desk.bodies[track] = body._replace(chain="", outline=None)
            desk.chains[left.name] = left._replace(due_s=min(now_s, left.due_s))
            if left.sent and not endangering(left, desk.bodies):
                _merge([left.name, in_cover[0]], desk)
        elif not in_cover and not body.chain and told_where(body, settings):
            desk.bodies[track] = outlined(body, now_s, settings)
            join(track, PREPARED, desk)


def _in_cover(desk: Desk) -> list[Chain]:
    """The chains that have people in cover."""
    return [one for one in desk.chains.values() if one.stage == TAKE_COVER and endangering(one, desk.bodies)]


def regroup(desk: Desk) -> None:
    """Part what has turned out to come much later, and join a chain that is over to what is left of its incident.

    No all-clear may be sent while other bodies of the incident, or bound for the same people, still fall.
    """
    bodies, chains = desk.bodies, desk.chains
    for chain_name in list(chains):
        if chain_name not in chains:
            continue  # merged into another by now
        chain = chains[chain_name]
        left = endangering(chain, bodies)
        siblings = [
            one for one in chains.values() if one.incident == chain.incident and one.name != chain.name
        ]
        if not left:
            going_on = [
                one
                for one in chains.values()
                if endangering(one, bodies)
                and (
                    (one in siblings and one.stage in (TAKE_COVER, chain.stage))
                    or overlap(one, chain)
                    or any(beside(body, chain, (), 0.0) for body in endangering(one, bodies))
                )
            ]
            going_on.sort(key=lambda one: one.stage != TAKE_COVER)
            if going_on and chain.sent:
                _merge([chain.name, going_on[0].name], desk)
            continue
        late = later_wave(left, desk.settings)
        if not late:
            continue
        # two chains an incident are enough: what comes first, and what comes later
        waves = [one for one in siblings if one.stage == chain.stage and endangering(one, bodies)]
        later = [one for one in waves if _first_s(one, desk) > min(body.impact_s for body in left)]
        near = [one for one in later if concurrent(late[0], endangering(one, bodies), desk.settings)]
        if waves and not later:
            continue
        name = (near or later)[0].name if later else _open(late[0], chain.stage, desk)
        _move(late, name, desk)
        chains[name] = chains[name]._replace(due_s=-math.inf)


def _first_s(chain: Chain, desk: Desk) -> float:
    return min(body.impact_s for body in endangering(chain, desk.bodies))


def root(track: str, parents: Mapping[str, str]) -> str:
    """The first of a track's line of parents."""
    seen = {track}
    while track in parents and parents[track] not in seen:
        track = parents[track]
        seen.add(track)
    return track


def _open(body: Body, stage: str, desk: Desk) -> str:
    """Open a chain for a body. Returns its name."""
    count = 1
    while (name := f"{body.incident}/{body.track}/{stage}/{count}") in desk.chains:
        count += 1  # a body that was let go may be told of again while others of its first chain still fall
    desk.chains[name] = new_chain(name, body.incident, stage)
    return name


def _move(some: Sequence[Body], name: str, desk: Desk) -> None:
    chain = desk.chains[name]
    tracks = (*chain.tracks, *(body.track for body in some))
    desk.chains[name] = chain._replace(tracks=tuple(dict.fromkeys(tracks)))
    for body in some:
        desk.bodies[body.track] = desk.bodies[body.track]._replace(chain=name)
        _rename(body.incident, chain.incident, desk)


def _merge(found: Sequence[str], desk: Desk) -> str:
    """Make one chain of several; the bodies follow, and so do other chains of their incidents. Returns its name."""
    if len(found) == 1:
        return found[0]
    chains = desk.chains
    whole = merged([chains[name] for name in found])
    incidents = dict.fromkeys(chains[name].incident for name in found)
    for name in found:
        del chains[name]
    chains[whole.name] = whole
    for track, body in desk.bodies.items():
        if body.chain in found:
            desk.bodies[track] = body._replace(chain=whole.name)
    left = endangering(whole, desk.bodies)
    if left:
        chains[whole.name] = whole._replace(stage=stage_for(left))
    for incident in incidents:
        _rename(incident, whole.incident, desk)
    return whole.name


def _rename(old: str, new: str, desk: Desk) -> None:
    """An incident has turned out to be another one."""
    if old == new or old not in desk.incidents:
        return
    gone, going_on = desk.incidents.pop(old), desk.incidents[new]
    desk.incidents[new] = going_on._replace(
        tracks=tuple(dict.fromkeys((*going_on.tracks, *gone.tracks))),
        came_down=going_on.came_down or gone.came_down,
        plots=going_on.plots + gone.plots,
    )
    desk.merges.append((old, new))
    for name, chain in desk.chains.items():
        if chain.incident == old:
            names = dict.fromkeys((*chain.merged, old))
            desk.chains[name] = chain._replace(incident=new, merged=tuple(names))
    for track, body in desk.bodies.items():
        if body.incident == old:
            desk.bodies[track] = body._replace(incident=new)
