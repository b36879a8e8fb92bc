"""What a subscriber to a zone hears: the messages of all incidents, put together zone by zone.

A message speaks of an area, a person stands in a zone. Here each zone is in one state whatever comes: nothing,
prepare or take-cover, by the highest stage of the messages in force there. A message takes the place of those it
refers to and of no others, so the all-clear of one chain never ends the alert of another. Only the entry into
take-cover sounds a siren, and no more than one a minute; a siren that has to wait is sounded when its minute is over,
if people must still be in cover then.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tocsin.warning.alert import Message
from tocsin.warning.zones import Gone, Zones, followed

SIREN_S = 60.0  # least time between two sirens in one zone (issue 6: one siren-worthy change a minute)
RANK = {"prepare": 1, "take-cover": 2}  # stages that are in force until something ends them
OVER = ("all-clear", "withdrawn")
MEMORY_S = 86_400.0  # how long a message is known that was replaced before it came: no alert lasts a day


class Subscriber(NamedTuple):
    """Someone who is told what concerns some zones."""

    name: str
    zones: tuple[str, ...]  # codes


class Unreached(NamedTuple):
    """A subscription that leads nowhere."""

    subscriber: str
    code: str
    version: str  # of the zones in which the code is not
    nearest: tuple[str, ...]


class Renamed(NamedTuple):
    """A subscription by a code that a zone had in an earlier version."""

    subscriber: str
    code: str  # as subscribed
    now: str


class Roll(NamedTuple):
    """Subscribers with the codes that hold now, and what had to be changed for it."""

    subscribers: tuple[Subscriber, ...]
    renamed: tuple[Renamed, ...]
    unreached: tuple[Unreached, ...]


class Standing(NamedTuple):
    """A message in force."""

    stage: str
    zones: frozenset[str]
    expires_s: float
    message: Message


class Hearing(NamedTuple):
    """All that has been heard. Never changed in place."""

    now_s: float
    standing: Mapping[str, Standing]  # identifier -> message in force
    done: Mapping[
        str, float
    ]  # identifier heard or replaced -> until when it is known; to hear it again changes nothing
    last: Mapping[str, str]  # zone -> what was told last
    siren_s: Mapping[str, float]  # zone -> its last siren
    owed: Mapping[str, Message]  # zone -> message whose siren waits until a minute has passed


class Telling(NamedTuple):
    """What people in a zone are told."""

    time_s: float
    zone: str
    # take-cover (entered, or its delayed siren), update, prepare, left (the zone is no longer in the area), stay (one
    # danger is over, another is not), all-clear, withdrawn, lapsed (a message expired without an end: no all-clear)
    what: str
    siren: bool
    message: Message  # because of which


SILENCE = Hearing(-math.inf, {}, {}, {}, {}, {})


def roll_call(subscribers: Sequence[Subscriber], zones: Zones) -> Roll:
    """Follow renamed zones, and find the subscriptions that lead nowhere."""
    out, renamed, unreached = [], [], []
    for one in subscribers:
        codes: dict[str, None] = {}
        for code in one.zones:
            now = followed(zones, code)
            if isinstance(now, Gone):
                unreached.append(Unreached(one.name, code, zones.version, now.nearest))
                continue
            codes[now] = None
            if now != code:
                renamed.append(Renamed(one.name, code, now))
        out.append(Subscriber(one.name, tuple(codes)))
    return Roll(tuple(out), tuple(renamed), tuple(unreached))


def hear(state: Hearing, message: Message) -> tuple[Hearing, tuple[Telling, ...]]:
    """What zones are told when a message comes; ``message.sent_s`` is when. It may be a repetition, or late."""
    state, told = pass_time(state, message.sent_s)
    now_s = state.now_s
    replaced = [identifier for identifier, _ in message.references]
    known = {key: until_s for key, until_s in state.done.items() if until_s > now_s}
    done = {
        **known,
        **dict.fromkeys([message.identifier, *replaced], max(message.expires_s, now_s + MEMORY_S)),
    }
    if message.identifier in state.done:
        return state._replace(done=done), told
    standing = {key: one for key, one in state.standing.items() if key not in replaced}
    gone = [state.standing[key] for key in replaced if key in state.standing]
    if message.stage in RANK and message.expires_s > now_s:
        standing[message.identifier] = Standing(
            message.stage, frozenset(message.zones), message.expires_s, message
        )
    was = frozenset(zone for one in gone for zone in one.zones)
    after = state._replace(standing=standing, done=done)
    out = list(told)
    # in the order of the message, then what it no longer names
    for zone in (*message.zones, *sorted(was.difference(message.zones))):
        what = _told(state, after, zone, message, zone in was)
        if what:
            after, telling = _tell(after, zone, what, message)
            out.append(telling)
    return after, tuple(out)


def pass_time(state: Hearing, now_s: float) -> tuple[Hearing, tuple[Telling, ...]]:
    """What zones are told up to a moment without a message: sirens that waited, and alerts that lapsed.

    Up to infinity: all that is still to come if nothing more is heard.
    """
    out: list[Telling] = []
    while math.isfinite(due_s := next_due_s(state)) and due_s <= now_s:
        state = state._replace(now_s=max(state.now_s, due_s))
        for zone in sorted(state.owed):
            if state.siren_s[zone] + SIREN_S <= state.now_s:
                state, telling = _tell(state, zone, "take-cover", state.owed[zone])
                out.append(telling)
        for key in [key for key, one in state.standing.items() if one.expires_s <= state.now_s]:
            over = state.standing[key]
            after = state._replace(standing={k: one for k, one in state.standing.items() if k != key})
            for zone in sorted(over.zones):
                what = _fallen(_level(state, zone), _level(after, zone), "lapsed")
                if what:
                    after, telling = _tell(after, zone, what, over.message)
                    out.append(telling)
            state = after
    return state._replace(now_s=max(state.now_s, now_s) if math.isfinite(now_s) else state.now_s), tuple(out)


def hear_all(messages: Sequence[Message]) -> tuple[Telling, ...]:
    """What zones are told of messages in the order sent, until nothing more is to come."""
    state = SILENCE
    out: list[Telling] = []
    for message in messages:
        state, told = hear(state, message)
        out += told
    return (*out, *pass_time(state, math.inf)[1])


def next_due_s(state: Hearing) -> float:
    """The next moment at which something is told without a message; infinity when nothing waits."""
    sirens = [state.siren_s[zone] + SIREN_S for zone in state.owed]
    return min([*sirens, *(one.expires_s for one in state.standing.values())], default=math.inf)


def _level(state: Hearing, zone: str) -> int:
    return max((RANK[one.stage] for one in state.standing.values() if zone in one.zones), default=0)


def _told(before: Hearing, after: Hearing, zone: str, message: Message, was: bool) -> str:
    """What a message means to one zone; empty: nothing."""
    old, new = _level(before, zone), _level(after, zone)
    listed = zone in message.zones
    if message.stage in RANK and listed:
        if new > old:
            return "take-cover" if new == RANK["take-cover"] else "prepare"
        # a message of a lower stage than what holds there already changes nothing
        return _fallen(old, new, "left") if new < old else "update" if RANK[message.stage] == new else ""
    if not was:
        # the end of what had lapsed is still the all-clear that people wait for
        return message.stage if listed and new == 0 and before.last.get(zone) == "lapsed" else ""
    end = message.stage if message.stage in OVER else "left"
    return "stay" if old == new and message.stage in OVER else _fallen(old, new, end)


def _fallen(old: int, new: int, end: str) -> str:
    """What is told when the level of a zone has fallen; empty: it has not."""
    return "" if new >= old else end if new == 0 else "prepare"


def _tell(state: Hearing, zone: str, what: str, message: Message) -> tuple[Hearing, Telling]:
    """Tell a zone, with a siren where one is due."""
    siren = what == "take-cover" and state.now_s >= state.siren_s.get(zone, -math.inf) + SIREN_S
    owed = {key: one for key, one in state.owed.items() if key != zone}
    if (what == "take-cover" and not siren) or (what in ("update", "stay") and zone in state.owed):
        owed[zone] = message
    after = state._replace(
        last={**state.last, zone: what},
        siren_s={**state.siren_s, zone: state.now_s} if siren else state.siren_s,
        owed=owed,
    )
    return after, Telling(state.now_s, zone, what, siren, message)
