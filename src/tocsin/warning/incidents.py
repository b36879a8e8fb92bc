"""Incidents: from first suspicion to all-clear, as a state machine.

::

    watch ----> prepare ----> take-cover ----> all-clear
      |            |            |    ^             (over: what was expected has come down)
      |            |            v    |
      +------------+---------- watch, prepare  --> withdrawn
                                (reassessed)       (it was no threat)

An incident is as far on as the body of it that is farthest on. It goes back from take-cover only where no body is left
that people must take cover from while others are still watched, and ends when no body is left.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tocsin.warning.alert import ALL_CLEAR, PREPARE, TAKE_COVER, WATCH, WITHDRAWN, Change
from tocsin.warning.bodies import ALERTED, LIGHT, OPEN, PASSED, PREPARED, Body
from tocsin.warning.settings import Settings

# What may follow what; "" is before the first.
FOLLOWS = {
    "": (WATCH, PREPARE, TAKE_COVER),
    WATCH: (PREPARE, TAKE_COVER, ALL_CLEAR, WITHDRAWN),
    PREPARE: (TAKE_COVER, ALL_CLEAR, WITHDRAWN),
    TAKE_COVER: (WATCH, PREPARE, ALL_CLEAR, WITHDRAWN),
    ALL_CLEAR: (),
    WITHDRAWN: (),
}


class Incident(NamedTuple):
    """One launch, one entry, one break-up: all that comes down of it."""

    name: str
    stage: str  # "" before the first change
    tracks: tuple[str, ...]  # all that ever belonged to it, in the order in which they joined
    came_down: bool  # some body has reached its time
    plots: int  # that its tracks have taken


def members(incident: Incident, bodies: Mapping[str, Body]) -> tuple[Body, ...]:
    """The bodies of an incident that still have to come down."""
    found = (bodies[track] for track in incident.tracks if track in bodies)
    return tuple(body for body in found if body.stage in OPEN and body.incident == incident.name)


def stage_of(incident: Incident, left: Sequence[Body]) -> str:
    """How far an incident is, by the bodies that still have to come down."""
    stages = {body.stage for body in left}
    if not left:
        return ALL_CLEAR if incident.came_down else WITHDRAWN
    if ALERTED in stages:
        return TAKE_COVER
    if PREPARED in stages or incident.stage == PREPARE:
        return PREPARE
    return WATCH


def changed(
    incident: Incident, bodies: Mapping[str, Body], now_s: float, settings: Settings
) -> tuple[Incident, Change | None]:
    """An incident at a moment, and the change of its stage, if there is one."""
    left = members(incident, bodies)
    known = [bodies[track] for track in incident.tracks if track in bodies]
    plots = max(incident.plots, sum(body.plots for body in known))
    came_down = incident.came_down or any(body.stage == PASSED for body in known)
    incident = incident._replace(plots=plots, came_down=came_down)
    stage = stage_of(incident, left)
    if stage == incident.stage:
        return incident, None
    change = Change(
        at_s=now_s,
        incident=incident.name,
        before=incident.stage,
        after=stage,
        reason=_reason(incident, stage, left, now_s, settings),
        probability=max((body.existence for body in left), default=None),
        held=max((body.held for body in left), default=None),
        peak_per_km2=max((body.peak_per_km2 for body in left), default=None),
        time_left_s=min((body.impact_s - now_s for body in left if body.recent), default=None),
        plots=plots,
        tracks=tuple(body.track for body in left),
        area_km2=max((body.area_km2 for body in left if body.recent), default=None),
    )
    return incident._replace(stage=stage), change


def _reason(incident: Incident, stage: str, left: Sequence[Body], now_s: float, settings: Settings) -> str:
    """Why a stage begins, in numbers."""
    if stage == ALL_CLEAR:
        return f"the latest credible arrival and {settings.debris_s:.0f} s for debris have passed; {_seen(incident)}"
    if stage == WITHDRAWN:
        return f"no track of it comes down; {_seen(incident)}"
    dated = [body for body in left if body.recent]
    if not dated:
        return f"{_tracks(left)} under thrust, not known yet where to; {_seen(incident)}"
    first = min(dated, key=lambda body: body.impact_s)
    moment = dt.datetime.fromtimestamp(round(first.impact_s), dt.UTC)
    when = f"first arrival about {moment:%H:%M:%S} UTC, in {first.impact_s - now_s:.0f} s, sigma {first.sigma_s:.0f} s"
    likely = max(left, key=lambda body: body.peak_per_km2)
    chance = (
        f"chance on a square kilometre up to {likely.peak_per_km2:.2g} (C/L {settings.cost_loss_per_km2:g})"
    )
    if stage == WATCH:
        again = "nothing left to take cover from; " if incident.stage == TAKE_COVER else ""
        pieces = sum(body.stage == LIGHT for body in left)
        if pieces == len(left):
            plural = "" if pieces == 1 else "s"
            return f"{again}{pieces} light piece{plural} coming down; {when}; {_seen(incident)}"
        return f"{again}{_tracks(left)} coming down, {chance}; {when}; {_seen(incident)}"
    if stage == PREPARE:
        return f"{chance}, places above it hold {likely.held:.0%}; {when}; {_seen(incident)}"
    alerted = [body for body in left if body.stage == ALERTED]
    sure = max(alerted, key=lambda body: body.held)
    return (
        f"{chance}, places above it hold {sure.held:.1%} (asked {settings.hold:.0%}, or what is left at the time to"
        f" shelter); {_tracks(alerted)} to take cover from; {when}; {_seen(incident)}"
    )


def _tracks(bodies: Sequence[Body]) -> str:
    return f"{len(bodies)} track{'' if len(bodies) == 1 else 's'}"


def _seen(incident: Incident) -> str:
    return f"{incident.plots} plots"
