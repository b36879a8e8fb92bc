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
    SLACK,
    Chain,
    adjoin,
    begins_s,
    beside,
    endangering,
    in_time,
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
    """Put a body into a stage that people are told of, in the chain about its time of its incident or neighbours."""
    body = desk.bodies[track] = desk.bodies[track]._replace(stage=stage)
    own = _in_time(body, STAGE_OF[stage], desk)
    _move(body, _merge([own, *_adjoining(body, own, desk)], desk), desk)


def unite(track: str, desk: Desk) -> None:
    """Merge the chain of a body that people are told of with those of other incidents that it now adjoins."""
    body = desk.bodies[track]
    _merge([body.chain, *_adjoining(body, body.chain, desk)], desk)


def _adjoining(body: Body, own: str, desk: Desk) -> list[str]:
    """The chains of other incidents than its own, and of the same stage, with bodies that a body adjoins."""
    stage, incident = desk.chains[own].stage, desk.chains[own].incident
    return [
        chain.name
        for chain in desk.chains.values()
        if chain.stage == stage
        and chain.incident != incident
        and any(adjoin(body, other, desk.settings) for other in endangering(chain, desk.bodies))
    ]


def _in_time(body: Body, stage: str, desk: Desk) -> str:
    """The chain of a body's incident that is about the time at which the body is due; a new one if there is none.

    The times of new ones lie end to end with that of the first.
    """
    waves = [
        one
        for one in desk.chains.values()
        if (one.incident, one.stage) == (body.incident, stage) and endangering(one, desk.bodies)
    ]
    for one in waves:
        if in_time(body, one, desk.settings):
            return one.name
    wave_s = desk.settings.wave_s
    from_s = waves[0].from_s if waves else begins_s(body.impact_s, desk.settings)
    from_s += math.floor((body.impact_s - from_s) / wave_s) * wave_s
    name = _open(body, stage, desk)
    desk.chains[name] = desk.chains[name]._replace(from_s=from_s)
    return name


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
            if new.track not in taken and new.incident == old.incident and succeeds(new, old, settings)
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
    """Move what has turned out to come at another time, and join a chain that is over to what is left of its incident.

    No all-clear may be sent while other bodies of the incident, or bound for the same people, still fall.
    """
    for name in list(desk.chains):
        if name not in desk.chains:
            continue  # merged into another by now
        if endangering(desk.chains[name], desk.bodies):
            _retime(name, desk)
        else:
            _go_on(name, desk)


def _retime(name: str, desk: Desk) -> None:
    """Move the bodies of a chain that come at another time to the chains that are about it."""
    chain = desk.chains[name]
    left = endangering(chain, desk.bodies)
    late = [body for body in left if not in_time(body, chain, desk.settings, SLACK)]
    if len(late) == len(left):  # the chain is about another time
        chain = chain._replace(from_s=begins_s(_first_s(chain, desk), desk.settings))
        desk.chains[name] = chain
        late = [body for body in left if not in_time(body, chain, desk.settings, SLACK)]
    for body in late:
        other = _in_time(body, chain.stage, desk)
        if other != name:
            _move(body, other, desk)
            desk.chains[other] = desk.chains[other]._replace(due_s=-math.inf)


def _go_on(name: str, desk: Desk) -> None:
    """Join a chain that is over to the next of its incident, or to one with people in the same places."""
    chain = desk.chains[name]
    if not chain.sent:
        return
    others = [
        one
        for one in desk.chains.values()
        if endangering(one, desk.bodies)
        and (
            (one.incident == chain.incident and one.stage in (TAKE_COVER, chain.stage))
            or overlap(one, chain)
            or any(beside(body, chain, (), 0.0) for body in endangering(one, desk.bodies))
        )
    ]
    if others:
        first = min(others, key=lambda one: (one.stage != TAKE_COVER, _first_s(one, desk)))
        _merge([name, first.name], desk)


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


def _move(body: Body, name: str, desk: Desk) -> None:
    chain = desk.chains[name]
    desk.chains[name] = chain._replace(tracks=tuple(dict.fromkeys((*chain.tracks, body.track))))
    desk.bodies[body.track] = desk.bodies[body.track]._replace(chain=name)
    _rename(body.incident, chain.incident, desk)


def _merge(found: Sequence[str], desk: Desk) -> str:
    """Make one chain of several; the bodies follow, and so do other chains of their incidents. Returns its name."""
    if len(found) == 1:
        return found[0]
    chains = desk.chains
    several = [chains[name] for name in found]
    lasting = [one for one in several if endangering(one, desk.bodies)] or several
    whole = merged(several)._replace(from_s=lasting[0].from_s)
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
