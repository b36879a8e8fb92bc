"""When to warn, to change a warning and to end it.

``step`` takes the state and what is new, and returns the state, the messages to send and what happened to incidents.
Between forecasts, call it at ``next_deadline``: all-clears and changes that waited are then due. The rules and their
reasons stand in docs/warnings.md, the thresholds in settings.py.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from tocsin.errors import SettingsError
from tocsin.prediction.forecast import Forecast
from tocsin.warning.alert import (
    DRILL_AUTHORITY,
    ENDS,
    TAKE_COVER,
    Authority,
    Change,
    Merged,
    Message,
    status_refused,
)
from tocsin.warning.bodies import (
    ALERTED,
    LIGHT,
    OPEN,
    PREPARED,
    WATCHED,
    Body,
    act_s,
    alertable,
    observed,
    outlined,
    over_s,
    preparable,
    reach,
    settle_s,
    settled,
)
from tocsin.warning.chains import Chain, change, endangering, lately, let_out_s
from tocsin.warning.compose import ended, updated
from tocsin.warning.gazetteer import Gazetteer
from tocsin.warning.grouping import Desk, enrol, hand_over, join, let_go, make_ready, regroup, unite
from tocsin.warning.incidents import Incident, changed
from tocsin.warning.outline import parts_of
from tocsin.warning.phrases import Words
from tocsin.warning.plane import to_lonlat
from tocsin.warning.settings import Settings
from tocsin.warning.zones import shelter_s_in

DEFAULTS = Settings()

Happening = Change | Merged


class State(NamedTuple):
    """All that the policy remembers. Never changed in place."""

    settings: Settings
    words: Words
    now_s: float  # of the last step
    bodies: Mapping[str, Body]
    chains: Mapping[str, Chain]  # the open ones, in the order in which they were opened
    incidents: Mapping[str, Incident]  # the open ones
    sequences: Mapping[
        str, int
    ]  # incident -> number of its last message; holds all incidents there have been
    parents: Mapping[str, str]  # track -> the track that it separated from


class Said(NamedTuple):
    """What a step brought."""

    messages: tuple[Message, ...]
    changes: tuple[Happening, ...]  # of incidents, for operators


NOTHING = Said((), ())


def start(words: Words, settings: Settings = DEFAULTS, authority: Authority = DRILL_AUTHORITY) -> State:
    """The state before anything is known.

    Raises SettingsError unless the authority may send messages of the status (only one read from a file
    that says so may send live warnings), and there are texts in each of the languages.
    """
    why = status_refused(settings.status, authority)
    if why:
        raise SettingsError(why)
    unknown = [language for language in settings.languages if language not in words.languages]
    if unknown or not settings.languages:
        known = ", ".join(words.languages)
        raise SettingsError(f"languages are {settings.languages!r}; there are texts in {known}")
    return State(settings, words, -math.inf, {}, {}, {}, {}, {})


def step(
    state: State,
    now_s: float,
    forecasts: Sequence[Forecast],
    live_tracks: Collection[str],
    gazetteer: Gazetteer,
) -> tuple[State, Said]:
    """What to send at ``now_s``, given the forecasts since the last step and the confirmed tracks alive.

    A ``now_s`` before that of the last step counts as that one: messages never go back in time.
    """
    settings, live = state.settings, frozenset(live_tracks)
    now_s = max(now_s, state.now_s)
    parents = {**state.parents, **{one.track: one.parent for one in forecasts if one.parent is not None}}
    desk = Desk(
        dict(state.bodies), dict(state.chains), dict(state.incidents), dict(state.sequences), parents, [], settings
    )  # fmt: skip
    touched: set[str] = set()
    for forecast in forecasts:
        known = desk.bodies.get(forecast.track)
        body = observed(known, forecast, settings)
        if body is None:
            continue
        desk.bodies[forecast.track] = body
        touched.add(forecast.track)
        if known is not None and known.chain in desk.chains and not body.chain:  # its chain has less to tell
            left = desk.chains[known.chain]
            desk.chains[known.chain] = left._replace(due_s=min(now_s, left.due_s))
    for track in sorted(touched):
        if desk.bodies[track].stage in OPEN and over_s(desk.bodies[track], settings) > now_s:
            enrol(desk.bodies[track], desk)

    outlines = {track: body.outline for track, body in state.bodies.items()}
    chains_before = {track: body.chain for track, body in state.bodies.items()}
    stirred = set(touched)
    for track in sorted(desk.bodies):
        body = settled(desk.bodies[track], now_s, settings)
        if body is not desk.bodies[track]:
            desk.bodies[track] = body
            stirred.add(track)
        if over_s(body, settings) <= now_s:
            continue
        if track in touched:
            body = desk.bodies[track] = _sheltered(body, gazetteer, settings)
        if alertable(body, now_s, settings):
            desk.bodies[track] = body if body.outline is not None else outlined(body, now_s, settings)
            join(track, ALERTED, desk)
        elif preparable(body, settings):
            desk.bodies[track] = body._replace(stage=PREPARED)
        elif track in touched and body.chain and body.outline is not outlines.get(track):
            unite(track, desk)
    if touched:
        hand_over(live, desk)
    let_go(now_s, desk)
    if settings.prepare_public:
        make_ready(now_s, desk)
    regroup(desk)
    # a body may join a chain at its time, without a forecast
    stirred.update(
        track
        for track, body in desk.bodies.items()
        if body.chain and body.chain != chains_before.get(track, "")
    )

    messages = _messages(stirred, now_s, desk, gazetteer, state.words)
    changes: list[Happening] = [Merged(now_s, old, into) for old, into in desk.merges]
    for name in list(desk.incidents):
        desk.incidents[name], news = changed(desk.incidents[name], desk.bodies, now_s, settings)
        if news is not None:
            changes.append(news)
    chains = {name: chain for name, chain in desk.chains.items() if endangering(chain, desk.bodies)}
    incidents = {name: one for name, one in desk.incidents.items() if one.stage not in ENDS}
    kept = {
        track: body
        for track, body in desk.bodies.items()
        if body.stage in OPEN or track in live or track in touched or body.chain in chains
    }
    after = State(settings, state.words, now_s, kept, chains, incidents, desk.sequences, parents)
    return after, Said(messages, tuple(changes))


def _sheltered(body: Body, gazetteer: Gazetteer, settings: Settings) -> Body:
    """A body with the longest time to shelter of the user's zones in which it may come down."""
    area = reach(body)
    if gazetteer.zones is None or body.stage not in (WATCHED, PREPARED) or area.is_empty:
        return body
    areas = [part for polygon in parts_of(area) for part in to_lonlat(body.plane, polygon)]
    return body._replace(shelter_s=shelter_s_in(areas, gazetteer.zones, settings.shelter_s))


def next_deadline(state: State) -> float | None:
    """The next moment at which a step is due even without a forecast; None when nothing is open."""
    settings = state.settings
    moments = [over_s(body, settings) for body in state.bodies.values() if body.stage in OPEN]
    moments += [act_s(body, settings) for body in state.bodies.values()]
    moments += [settle_s(body, settings) for body in state.bodies.values()]
    moments += [chain.due_s for chain in state.chains.values()]
    return min((moment for moment in moments if math.isfinite(moment)), default=None)


def _messages(
    tracks: Collection[str], now_s: float, desk: Desk, gazetteer: Gazetteer, words: Words
) -> tuple[Message, ...]:
    """What the chains must say now. tracks: of which something has changed."""
    stirred = {desk.bodies[track].chain for track in tracks}
    messages: list[Message] = []
    # chains that must speak at once go first: what they take over is in force before another lets it go
    for chain in sorted(desk.chains.values(), key=lambda chain: chain.due_s > -math.inf):
        if chain.name in stirred or now_s >= chain.due_s or not endangering(chain, desk.bodies):
            sequence = desk.sequences[chain.incident] + 1
            after, message = _speak(chain, desk, now_s, sequence, gazetteer, words)
            desk.chains[chain.name] = after
            if message is not None:
                messages.append(message)
                desk.sequences[chain.incident] = sequence
    return tuple(messages)


def _others(chain: Chain, desk: Desk) -> list[Chain]:
    """The other chains that tell people of what still comes down."""
    return [one for one in desk.chains.values() if one.name != chain.name and endangering(one, desk.bodies)]


def _speak(
    chain: Chain, desk: Desk, now_s: float, sequence: int, gazetteer: Gazetteer, words: Words
) -> tuple[Chain, Message | None]:
    """The message that a chain needs now, if any."""
    bodies, settings = desk.bodies, desk.settings
    left = endangering(chain, bodies)
    if not left:
        if not chain.sent:
            return chain, None
        light = (
            one.latest_s for one in bodies.values() if (one.stage, one.incident) == (LIGHT, chain.incident)
        )
        # the end of this one is none to those whom another has in cover
        held = {
            code for one in _others(chain, desk) for footprint in one.footprints for code in footprint.zones
        }
        return ended(chain, now_s, sequence, settings, gazetteer, words, held, max(light, default=-math.inf))
    wanted = change(chain, left, now_s, settings)
    if wanted is None:  # what was told lately may be let out of cover in a while
        return chain._replace(due_s=let_out_s(lately(chain, left, now_s, settings), settings)), None
    urgent = wanted.urgent and chain.stage == TAKE_COVER  # nobody has to be ready within seconds
    due_s = chain.sent_s + (settings.urgent_interval_s if urgent else settings.interval_s)
    if now_s < due_s and chain.due_s > -math.inf:
        return chain._replace(due_s=due_s), None
    others = [standing for one in _others(chain, desk) if one.said == TAKE_COVER for standing in one.standing]
    return updated(chain, left, now_s, sequence, wanted, settings, gazetteer, words, others)
