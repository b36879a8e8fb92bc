"""The policy after a restart, from the record of what happened: all that is in force stays, and comes to its end.

What was known of tracks is gone, and new tracks may bear old names. So what people were told is held as bodies of their
own, each until the latest arrival that was announced for it. Tracks found anew that are bound for the same places join
these chains of messages and take over (`bodies.succeeds`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from tocsin.warning.alert import ENDS, TAKE_COVER, Footprint, Merged, Message
from tocsin.warning.bodies import ALERTED, PREPARED, Body, Seen, unheard
from tocsin.warning.chains import Chain, Sent, Standing, begins_s, new_chain
from tocsin.warning.incidents import Incident
from tocsin.warning.phrases import Words
from tocsin.warning.plane import from_lonlat, plane_at
from tocsin.warning.policy import DEFAULTS, Happening, State, start
from tocsin.warning.settings import Settings


def resumed(
    happenings: Sequence[Happening | Message], now_s: float, words: Words, settings: Settings = DEFAULTS
) -> State:
    """The state of a policy that has just started again.

    happenings: all that happened before, or any beginning of it, in order; now_s: the moment of the restart. Raises
    SettingsError as `policy.start` does.
    """
    state = start(words, settings)
    incidents: dict[str, Incident] = {}
    left_s: dict[str, float] = {}  # until when an incident of which people were not told is held
    sequences: dict[str, int] = {}
    told: dict[str, list[Message]] = {}  # by the first message of a chain
    chain_of: dict[str, str] = {}
    into: dict[str, str] = {}  # an incident that turned out to be another one -> that one
    for one in happenings:
        if isinstance(one, Message):
            sequences[one.incident] = max(sequences.get(one.incident, 0), one.sequence)
            roots = list(dict.fromkeys(chain_of[name] for name, _ in one.references if name in chain_of))
            root = roots[0] if roots else one.identifier
            before = [message for name in roots for message in told.pop(name)]
            told[root] = [*sorted(before, key=lambda message: message.sent_s), one]
            chain_of |= {message.identifier: root for message in told[root]}
        elif isinstance(one, Merged):
            incidents.pop(one.incident, None)
            into = {old: one.into if new == one.incident else new for old, new in into.items()}
            into[one.incident] = one.into
        else:
            sequences.setdefault(one.incident, 0)
            incidents[one.incident] = Incident(one.incident, one.after, (), False, one.plots)
            more_s = settings.unseen_s if one.time_left_s is None else one.time_left_s + settings.debris_s
            left_s[one.incident] = one.at_s + more_s
    bodies: dict[str, Body] = {}
    chains: dict[str, Chain] = {}
    for messages in told.values():
        if messages[-1].stage not in ENDS:
            said = messages[-1].incident
            chain, held = _chain(messages, into.get(said, said), now_s, settings)
            chains[chain.name] = chain
            bodies |= {body.track: body for body in held}
    for name, incident in list(incidents.items()):
        if incident.stage in ENDS:
            del incidents[name]
        elif all(chain.incident != name for chain in chains.values()):
            body = _watched(name, max(left_s[name], now_s) - settings.unseen_s)
            bodies[body.track] = body
    for body in bodies.values():
        old = incidents.get(body.incident) or Incident(body.incident, "", (), False, 0)
        incidents[body.incident] = old._replace(tracks=(*old.tracks, body.track))
        sequences.setdefault(body.incident, 0)
    last_s = max((one.sent_s if isinstance(one, Message) else one.at_s for one in happenings), default=now_s)
    return state._replace(
        now_s=max(now_s, last_s), bodies=bodies, chains=chains, incidents=incidents, sequences=sequences
    )


def _chain(
    messages: Sequence[Message], incident: str, now_s: float, settings: Settings
) -> tuple[Chain, list[Body]]:
    """A chain of an incident from its messages, oldest first, and what is held for it."""
    last = messages[-1]
    name = f"{last.incident}/{messages[0].identifier}"
    held = [
        _held(f"{last.identifier}/{number}/{track}", name, footprint, last, now_s, settings)._replace(
            incident=incident
        )
        for number, footprint in enumerate(last.footprints, 1)
        for track in footprint.tracks  # each until it is found again: what follows one of them frees no other
    ]
    standing = tuple(
        Standing(body.plane, body.outline, (body.track,)) for body in held if body.outline is not None
    )
    merged = dict.fromkeys(one for message in messages for one in (message.incident, *message.merged))
    first_s = min(footprint.impact_time_s for footprint in last.footprints)
    chain = new_chain(name, incident, last.stage)._replace(
        said=last.stage,
        merged=tuple(one for one in merged if one != incident),
        tracks=tuple(body.track for body in held),
        sent=tuple(
            Sent(message.identifier, message.sent_s, message.expires_s, message is not last)
            for message in messages
        ),
        standing=standing,
        footprints=last.footprints,
        told=tuple(body.track for body in held),
        onset_s=last.onset_s,
        expires_s=last.expires_s,
        impact_s=first_s,
        sent_s=last.sent_s,
        from_s=begins_s(first_s, settings),
        due_s=math.inf,
    )
    return chain, held


def _held(
    track: str, chain: str, footprint: Footprint, message: Message, now_s: float, settings: Settings
) -> Body:
    centre = footprint.polygon.centroid
    plane = plane_at(math.radians(centre.y), math.radians(centre.x))
    outline = from_lonlat(plane, footprint.polygon)
    latest_s = footprint.last_impact_time_s
    return unheard(track, plane, now_s)._replace(
        incident=message.incident,
        stage=ALERTED if message.stage == TAKE_COVER else PREPARED,
        chain=chain,
        first_s=message.sent_s,
        streak=settings.forecasts,
        recent=(Seen(message.sent_s, outline, min(message.onset_s, latest_s), latest_s),),
        impact_s=footprint.impact_time_s,
        sigma_s=max((latest_s - footprint.impact_time_s) / settings.sigmas, 1.0),
        existence=message.probability,
        held=1.0,
        area_km2=outline.area / 1e6,
        point=(centre.x, centre.y),
        outline=outline,
    )


def _watched(incident: str, last_s: float) -> Body:
    """What stands for an incident of which people were not told, until its time is over: unseen_s after last_s."""
    body = unheard(f"{incident}/watched", plane_at(0.0, 0.0), last_s)
    return body._replace(incident=incident, impact_s=last_s)
