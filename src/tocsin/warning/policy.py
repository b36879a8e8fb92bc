"""When to warn, to change a warning and to end it.

``step`` takes the state and what is new, and returns the state and the messages to send. Between
forecasts, call it at ``next_deadline``: all-clears and changes that waited are then due. The rules and
their reasons stand in docs/warnings.md, the thresholds in settings.py.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from tocsin.errors import SettingsError
from tocsin.prediction.forecast import Forecast
from tocsin.warning.alert import Message
from tocsin.warning.bodies import (
    ALERTED,
    PASSED,
    SUCCEEDED,
    WATCHED,
    Body,
    alertable,
    observed,
    over_s,
    succeeds,
)
from tocsin.warning.chains import (
    Chain,
    adjoin,
    change,
    concurrent,
    endangering,
    later_wave,
    merged,
    new_chain,
    overlap,
)
from tocsin.warning.compose import ended, incident_name, updated
from tocsin.warning.gazetteer import Gazetteer
from tocsin.warning.phrases import PHRASES
from tocsin.warning.settings import Settings

DRILLS = ("Exercise", "Test")
DEFAULTS = Settings()


class State(NamedTuple):
    """All that the policy remembers. Never changed in place."""

    settings: Settings
    now_s: float  # of the last step
    bodies: Mapping[str, Body]
    chains: Mapping[str, Chain]  # the open ones, in the order in which they were opened
    sequences: Mapping[
        str, int
    ]  # incident -> number of its last message; holds all incidents there have been
    parents: Mapping[str, str]  # track -> the track that it separated from


def start(settings: Settings = DEFAULTS) -> State:
    """The state before anything is known.

    Raises SettingsError unless the status is one of a drill (this version cannot send live warnings)
    and there are texts in each of the languages.
    """
    if settings.status not in DRILLS:
        raise SettingsError(f"status is {settings.status!r}; this version writes {' or '.join(DRILLS)} only")
    unknown = [language for language in settings.languages if language not in PHRASES]
    if unknown or not settings.languages:
        raise SettingsError(f"languages are {settings.languages!r}; there are texts in {', '.join(PHRASES)}")
    return State(settings, -math.inf, {}, {}, {}, {})


def step(
    state: State,
    now_s: float,
    forecasts: Sequence[Forecast],
    live_tracks: Collection[str],
    gazetteer: Gazetteer,
) -> tuple[State, tuple[Message, ...]]:
    """What to send at ``now_s``, given the forecasts since the last step and the confirmed tracks alive.

    A ``now_s`` before that of the last step counts as that one: messages never go back in time.
    """
    settings, live = state.settings, frozenset(live_tracks)
    now_s = max(now_s, state.now_s)
    bodies, chains, sequences = dict(state.bodies), dict(state.chains), dict(state.sequences)
    parents = {**state.parents, **{one.track: one.parent for one in forecasts if one.parent is not None}}
    touched: set[str] = set()
    for forecast in forecasts:
        body = observed(bodies.get(forecast.track), _dangerous(forecast), settings)
        if body is not None:
            bodies[forecast.track] = body
            touched.add(forecast.track)

    outlines = {track: body.outline for track, body in state.bodies.items()}
    for track in sorted(touched):
        body = bodies[track]
        if alertable(body, settings) and over_s(body, settings) > now_s:
            _join(body, bodies, chains, sequences, parents, settings)
        elif body.stage == ALERTED and body.outline is not outlines.get(track):
            _unite(body, bodies, chains, settings)
    if touched:
        _hand_over(bodies, live, settings)
    _pass(bodies, chains, now_s, settings)
    _regroup(bodies, chains, settings)

    stirred = {bodies[track].chain for track in touched}
    messages: list[Message] = []
    # chains that must speak at once go first: what they take over is in force before another lets it go
    for chain in sorted(chains.values(), key=lambda chain: chain.due_s > -math.inf):
        if chain.name in stirred or now_s >= chain.due_s or not endangering(chain, bodies):
            sequence = sequences[chain.incident] + 1
            after, message = _speak(chain, bodies, now_s, sequence, settings, gazetteer)
            chains[chain.name] = after
            if message is not None:
                messages.append(message)
                sequences[chain.incident] = sequence
    chains = {name: chain for name, chain in chains.items() if endangering(chain, bodies)}
    kept = {
        track: body
        for track, body in bodies.items()
        if track in live or track in touched or (body.stage != WATCHED and body.chain in chains)
    }
    return State(settings, now_s, kept, chains, sequences, parents), tuple(messages)


def _dangerous(forecast: Forecast) -> Forecast:
    """A forecast whose area is the part of it that people are told of."""
    if forecast.danger_area is None:
        return forecast
    return forecast._replace(area=forecast.danger_area, area_km2=forecast.danger_area_km2)


def next_deadline(state: State) -> float | None:
    """The next moment at which a step is due even without a forecast; None when nothing is in force."""
    moments = [over_s(body, state.settings) for body in state.bodies.values() if body.stage == ALERTED]
    moments += [chain.due_s for chain in state.chains.values() if math.isfinite(chain.due_s)]
    return min(moments, default=None)


def _speak(
    chain: Chain,
    bodies: Mapping[str, Body],
    now_s: float,
    sequence: int,
    settings: Settings,
    gazetteer: Gazetteer,
) -> tuple[Chain, Message | None]:
    """The message that a chain needs now, if any."""
    left = endangering(chain, bodies)
    if not left:
        return ended(chain, now_s, sequence, settings, gazetteer) if chain.sent else (chain, None)
    wanted = change(chain, left, now_s, settings)
    if wanted is None:
        return chain._replace(due_s=math.inf), None
    due_s = chain.sent_s + (settings.urgent_interval_s if wanted.urgent else settings.interval_s)
    if now_s < due_s and chain.due_s > -math.inf:
        return chain._replace(due_s=due_s), None
    return updated(chain, left, now_s, sequence, wanted.reason, settings, gazetteer)


def _join(
    body: Body,
    bodies: dict[str, Body],
    chains: dict[str, Chain],
    sequences: dict[str, int],
    parents: Mapping[str, str],
    settings: Settings,
) -> None:
    """Give a body that is to be alerted its chain: that of its family or its neighbours, else a new one."""
    family = _root(body.track, parents)
    related = [
        chain for chain in chains.values() if any(_root(track, parents) == family for track in chain.tracks)
    ]
    incidents = {chain.incident for chain in related}
    related = [chain for chain in chains.values() if chain.incident in incidents]
    found = [
        chain.name
        for chain in chains.values()
        if (chain in related and concurrent(body, endangering(chain, bodies), settings))
        or any(adjoin(body, other, settings) for other in endangering(chain, bodies))
    ]
    if not found:
        incident = related[0].incident if related else incident_name(body, sequences)
        found = [_open(incident, body.track, chains, sequences)]
    name = _merge(found, bodies, chains)
    _move((body,), name, bodies, chains)


def _open(incident: str, track: str, chains: dict[str, Chain], sequences: dict[str, int]) -> str:
    """Open a chain for a track. Returns its name."""
    name = f"{incident}/{track}"
    chains[name] = new_chain(name, incident)
    sequences.setdefault(incident, 0)
    return name


def _move(some: Sequence[Body], name: str, bodies: dict[str, Body], chains: dict[str, Chain]) -> None:
    tracks = (*chains[name].tracks, *(body.track for body in some))
    chains[name] = chains[name]._replace(tracks=tuple(dict.fromkeys(tracks)))
    for body in some:
        bodies[body.track] = body._replace(stage=ALERTED, chain=name)


def _unite(body: Body, bodies: dict[str, Body], chains: dict[str, Chain], settings: Settings) -> None:
    """Merge the chain of an alerted body with those that it now adjoins."""
    found = [
        chain.name
        for chain in chains.values()
        if chain.name != body.chain
        and any(adjoin(body, other, settings) for other in endangering(chain, bodies))
    ]
    if found:
        _merge([body.chain, *found], bodies, chains)


def _merge(found: Sequence[str], bodies: dict[str, Body], chains: dict[str, Chain]) -> str:
    """Make one chain of several; the bodies follow, and so do other chains of their incidents. Returns its name."""
    if len(found) == 1:
        return found[0]
    whole = merged([chains[name] for name in found])
    incidents = {chains[name].incident for name in found}
    for name in found:
        del chains[name]
    chains[whole.name] = whole
    for name, chain in chains.items():
        if chain.incident in incidents and chain.incident != whole.incident:
            names = dict.fromkeys((*chain.merged, chain.incident))
            chains[name] = chain._replace(incident=whole.incident, merged=tuple(names))
    for track, body in bodies.items():
        if body.chain in found:
            bodies[track] = body._replace(chain=whole.name)
    return whole.name


def _hand_over(bodies: dict[str, Body], live: frozenset[str], settings: Settings) -> None:
    """Drop what is held for lost tracks that were found again under another name."""
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


def _pass(bodies: dict[str, Body], chains: dict[str, Chain], now_s: float, settings: Settings) -> None:
    """Let go of the bodies whose time is over."""
    for track, body in bodies.items():
        if body.stage == ALERTED and over_s(body, settings) <= now_s:
            bodies[track] = body._replace(stage=PASSED, outline=None)
            chains[body.chain] = chains[body.chain]._replace(
                came_down=True, due_s=min(now_s, chains[body.chain].due_s)
            )


def _regroup(bodies: dict[str, Body], chains: dict[str, Chain], settings: Settings) -> None:
    """Part what has turned out to come much later, and join a chain that is over to what is left of its incident.

    No all-clear may be sent while other bodies of the incident, or bound for the same people, still fall.
    """
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
                if endangering(one, bodies) and (one in siblings or overlap(one, chain))
            ]
            if going_on and chain.sent:
                _merge([chain.name, going_on[0].name], bodies, chains)
            continue
        late = later_wave(left, settings)
        if not late:
            continue
        others = [one.name for one in siblings if concurrent(late[0], endangering(one, bodies), settings)]
        name = others[0] if others else f"{chain.incident}/{late[0].track}/{len(chain.sent)}"
        if not others:
            chains[name] = new_chain(name, chain.incident)
        _move(late, name, bodies, chains)
        chains[name] = chains[name]._replace(due_s=-math.inf)


def _root(track: str, parents: Mapping[str, str]) -> str:
    """The first of a track's line of parents."""
    seen = {track}
    while track in parents and parents[track] not in seen:
        track = parents[track]
        seen.add(track)
    return track
