"""Windows of tracked bodies: which orbits decay, pass after pass, and when to tell a window of them.

A radar follows a low orbit for some minutes and loses it. What is kept of each pass is the last state; when nothing
more is seen for a while the pass is over, and if it is one of a body that is known, the states of all its passes tell
the drag together. Then, and only then, a window is made: an orbit that surely stays up costs next to nothing, all other
tracks nothing (docs/decisions/0023).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from tocsin.earth.forces import STANDARD
from tocsin.earth.motion import BALLISTIC, density_kg_m3
from tocsin.earth.status import LANDED
from tocsin.prediction import decay
from tocsin.prediction.decay_fit import learn
from tocsin.prediction.decay_flights import ENTRY_M, LONGEST_DECAY_S, Fall, fly
from tocsin.prediction.decay_link import apart2
from tocsin.prediction.forecast import DecayWindow, Forecast, Window
from tocsin.prediction.impact import WIND_SIGMA_M_S
from tocsin.prediction.kinds import NOTHING, Learned, chance_of_orbit
from tocsin.prediction.landings import GROUND_M
from tocsin.prediction.parts import parts_of
from tocsin.prediction.priors import DEFAULT, Kinds
from tocsin.sensors.plots import Floats
from tocsin.tracking.tracks import Track, track_name
from tocsin.units import EARTH_GM_M3_S2, SEMI_MAJOR_AXIS_M

PASS_OVER_S = 120.0  # after the last forecast that it stays up
APART_S = 600.0  # between windows of one body, and between states of one track that count as two
FEWEST_HITS = 6  # plots of a track whose state is noted
SURE_FLIGHT = 0.9  # probability of free flight
MOST_STATES, MOST_BODIES = 64, 256
LIGHT_QUANTILE = 0.1  # of the coefficient: an orbit from which so light a body stays up is not kept
DIP_M = 20e3  # by which the perigee may come lower than that of a state: by J2 10 km, and the Earth is flat
LINKED2 = 40.0  # squared sigmas (of six), within which two passes are one body's
TRIED_S = 60.0  # between looks whose a track is that is forecast to come down


class Pass(NamedTuple):
    """The last state of a pass."""

    time_s: float
    x: Floats  # (6,)
    P: Floats  # (6, 6)
    track: int


class Body(NamedTuple):
    """A body on a low orbit."""

    tracks: tuple[int, ...]  # numbers, in the order in which they were seen
    passes: tuple[Pass, ...]  # that are over, in order of time
    going: Pass | None  # the one that goes on
    due_s: float  # when that is over
    told_s: float  # when the last window was told
    from_s: float  # before which it hardly comes down by that window
    until_s: float  # when that is over; infinite where none stands


class Orbits(NamedTuple):
    """All that is known of low orbits."""

    bodies: tuple[Body, ...] = ()
    tried: tuple[tuple[int, float], ...] = ()  # tracks that come down: when it was last asked whose they are
    kinds: Kinds = DEFAULT  # what is believed of bodies


def next_due(orbits: Orbits) -> float:
    """When a pass is over, or a window; infinite where neither will be."""
    return min((min(body.due_s, body.until_s) for body in orbits.bodies), default=math.inf)


def noted(
    orbits: Orbits, seen: Iterable[tuple[Track, Forecast]], now_s: float
) -> tuple[Orbits, tuple[DecayWindow, ...]]:
    """Take forecasts of tracks that were made at a time; and the ends of windows that they bring.

    What stays up on a low orbit is noted; what comes down has an area that says more than its window did.
    """
    told: list[DecayWindow] = []
    for track, forecast in seen:
        if forecast.stays_up:
            orbits = _stays_up(orbits, track, now_s)
        elif forecast.area is not None and orbits.bodies:
            orbits, ended = _comes_down(orbits, track, forecast.impact_time_s, now_s)
            told += ended
    return orbits, tuple(told)


def step(orbits: Orbits, now_s: float) -> tuple[Orbits, tuple[DecayWindow, ...]]:
    """Windows of the bodies whose pass is over by a time, and ends of those whose time is."""
    if next_due(orbits) > now_s:
        return orbits, ()
    bodies, told = list(orbits.bodies), []
    while (body := min(bodies, key=lambda b: b.due_s, default=None)) and body.due_s <= now_s:
        bodies = [b for b in bodies if b is not body]
        whole, bodies = _joined(body, bodies, orbits.kinds)
        made = _made(whole, orbits.kinds)
        if made is None and not math.isfinite(whole.until_s):
            if _may_decay(whole.passes[-1], orbits.kinds):
                bodies.append(whole)
            continue
        whole, event = _told(whole, made, now_s)
        bodies.append(whole)
        told.append(event)
    for i, body in enumerate(bodies):
        if body.until_s <= now_s:
            told.append(_end(body, now_s, OVERDUE))
            bodies[i] = body._replace(from_s=math.inf, until_s=math.inf)
    newest = sorted(bodies, key=lambda b: (b.going or b.passes[-1]).time_s)[-MOST_BODIES:]
    kept = tuple(b for b in newest if now_s - (b.going or b.passes[-1]).time_s < LONGEST_DECAY_S)
    return orbits._replace(bodies=kept), tuple(told)


FORECAST = "a forecast of where it comes down says more"
OVERDUE = "its time has passed, and it was not seen again"
LATER = f"it stays up for longer than {decay.LOOKED_AHEAD}, or is not known well enough any more"


def _stays_up(orbits: Orbits, track: Track, now_s: float) -> Orbits:
    x, P = track.x[BALLISTIC, :6].copy(), track.P[BALLISTIC, :6, :6].copy()
    good = track.hits >= FEWEST_HITS and track.mu[BALLISTIC] > SURE_FLIGHT
    if not (good and np.isfinite(x).all() and np.isfinite(P).all() and decay.is_low(x)):
        return orbits
    now = Pass(track.time_s, x, P, track.number)
    known = next((b for b in orbits.bodies if track.number in b.tracks), None)
    body = known or Body((track.number,), (), None, math.inf, -math.inf, math.inf, math.inf)
    body = body._replace(going=now, due_s=max(now_s + PASS_OVER_S, body.told_s + APART_S))
    others = tuple(b for b in orbits.bodies if b is not known)
    return orbits._replace(bodies=(*others, body))


def _comes_down(
    orbits: Orbits, track: Track, impact_s: float, now_s: float
) -> tuple[Orbits, list[DecayWindow]]:
    """A track that is forecast to come down: the window of its body ends.

    A forecast knows nothing of what the passes told of drag. Where it puts the impact before the window begins, and the
    orbit still stands, that is a pass as others are: a window of it follows.
    """
    whose = next((i for i, b in enumerate(orbits.bodies) if track.number in b.tracks), -1)
    x, P = track.x[BALLISTIC, :6], track.P[BALLISTIC, :6, :6]
    if whose < 0 or not orbits.bodies[whose].passes:
        before = dict(orbits.tried)
        waits = now_s - before.get(track.number, -math.inf) < TRIED_S
        stands = any(math.isfinite(b.until_s) for b in orbits.bodies)
        if waits or not stands or chance_of_orbit(x) < 1.0:
            return orbits, []
        recent = {n: t for n, t in before.items() if now_s - t < TRIED_S} | {track.number: now_s}
        orbits = orbits._replace(tried=tuple(recent.items()))
        now = Pass(track.time_s, x.copy(), P.copy(), track.number)
        found = _whose(now, [b for b in orbits.bodies if math.isfinite(b.until_s)], orbits.kinds)
        if found is None:
            return orbits, []
        bodies = [b for b in orbits.bodies if track.number not in b.tracks]
        whose = next(i for i, b in enumerate(bodies) if b is found)
        bodies[whose] = found._replace(tracks=(*found.tracks, track.number))
        orbits = orbits._replace(bodies=tuple(bodies))
    body = orbits.bodies[whose]
    if not math.isfinite(body.until_s):
        return orbits, []
    if impact_s < body.from_s and decay.is_low(x):
        return _stays_up(orbits, track, now_s), []
    told = [_end(body, now_s, FORECAST)]
    body = body._replace(going=None, due_s=math.inf, from_s=math.inf, until_s=math.inf)
    return orbits._replace(bodies=(*orbits.bodies[:whose], body, *orbits.bodies[whose + 1 :])), told


def _whose(now: Pass, bodies: list[Body], kinds: Kinds) -> Body | None:
    """The body whose orbit a state may be on: the nearest."""
    best, nearest = None, LINKED2
    for body in bodies:
        if not body.passes or body.passes[-1].time_s >= now.time_s:
            continue
        last = body.passes[-1]
        drag, _ = _drag(body, kinds)
        distance2 = apart2(last.x, last.P, now.x, now.P, now.time_s - last.time_s, drag)
        if distance2 < nearest:
            best, nearest = body, distance2
    return best


def _joined(body: Body, others: list[Body], kinds: Kinds) -> tuple[Body, list[Body]]:
    """A body whose pass is over, with its earlier passes where it has any; and the other bodies."""
    now = body.going
    if now is None:
        return body._replace(due_s=math.inf), others
    known = body if body.passes else _whose(now, others, kinds)
    if known is None:
        return body._replace(passes=(now,), going=None, due_s=math.inf), others
    before = [p for p in known.passes if p.track != now.track or now.time_s - p.time_s >= APART_S]
    passes = sorted({p.time_s: p for p in (*before, now)}.values(), key=lambda p: p.time_s)
    tracks = known.tracks if now.track in known.tracks else (*known.tracks, now.track)
    whole = known._replace(tracks=tracks, passes=tuple(passes[-MOST_STATES:]))
    if known is body:
        whole = whole._replace(going=None, due_s=math.inf)
    return whole, [b for b in others if b is not known]


def _drag(body: Body, kinds: Kinds) -> tuple[decay.Drag, Learned]:
    """What is believed of the drag of a body, and what its passes told of it."""
    x = body.passes[-1].x
    learned = NOTHING
    if len(body.passes) > 1:
        learned = learn(
            [p.time_s for p in body.passes], [p.x for p in body.passes], [p.P for p in body.passes]
        )
    part = parts_of(x, None, None, None, kinds, STANDARD)[0]
    return decay.drag_of(part.kinds, part.limits, decay.level(x), learned), learned


class Made(NamedTuple):
    """A window, and what was learned of drag for it."""

    window: Window
    learned: Learned


def _made(body: Body, kinds: Kinds) -> Made | None:
    """The window of a body, None where it has none."""
    last = body.passes[-1]
    drag, learned = _drag(body, kinds)
    if not _in_time(last, drag, 0.5):
        return None
    part = parts_of(last.x, None, None, None, kinds, STANDARD)[0]
    fall = Fall(part.kinds, part.limits, WIND_SIGMA_M_S, part.steady, part.tumbling, GROUND_M)
    found = decay.window(last.x, last.P, drag, fall)
    return Made(found, learned) if isinstance(found, Window) else None


def _may_decay(last: Pass, kinds: Kinds) -> bool:
    """Whether a light body on an orbit would come down in the time that is looked ahead."""
    part = parts_of(last.x, None, None, None, kinds, STANDARD)[0]
    return _in_time(last, decay.drag_of(part.kinds, part.limits, decay.level(last.x)), LIGHT_QUANTILE)


def _in_time(last: Pass, drag: decay.Drag, chance: float) -> bool:
    """Whether what is as light as a share of all that is believed comes down in the time that is looked ahead."""
    ln_beta = _quantile(drag, chance)
    if not decay.is_low(last.x):
        return False
    if least_decay_s(decay.orbit_of(last.x).perigee_m, ln_beta) > LONGEST_DECAY_S:
        return False
    flown = fly(last.x, np.array([ln_beta]), STANDARD, ENTRY_M, LONGEST_DECAY_S)
    return bool(flown.status[0] == LANDED)


def least_decay_s(perigee_m: float, ln_beta: float) -> float:
    """The least time (s) that an orbit takes to decay; perigee over the equator's radius, ln of the coefficient.

    That of a circular orbit at the perigee, da/dt = -density / beta sqrt(GM a); DIP_M lower, as an osculating perigee
    swings.
    """
    return math.exp(ln_beta) * float(np.interp(perigee_m - DIP_M, *_sinking()))


@lru_cache(1)
def _sinking() -> tuple[Floats, Floats]:
    """Heights (m), and the time (s) that a circular orbit of 1 kg/m2 takes from there down to the entry."""
    height = np.arange(ENTRY_M, decay.HIGHEST_PERIGEE_M + 1e3, 1e3)
    density = np.array([density_kg_m3(float(h), STANDARD) for h in height])
    slow = 1.0 / (density * np.sqrt(EARTH_GM_M3_S2 * (SEMI_MAJOR_AXIS_M + height)))
    return height, np.concatenate([[0.0], np.cumsum(0.5 * (slow[1:] + slow[:-1]) * np.diff(height))])


def _quantile(drag: decay.Drag, chance: float) -> float:
    """The value of ln of the coefficient below which it is with a chance."""
    at = np.linspace(*drag.limits, 400)
    return float(np.interp(chance, decay.chance_below(drag, at), at))


def _told(body: Body, made: Made | None, now_s: float) -> tuple[Body, DecayWindow]:
    if made is None:
        return body._replace(from_s=math.inf, until_s=math.inf, told_s=now_s), _end(body, now_s, LATER)
    last = body.passes[-1]
    late_s = made.window.ground_quantiles_s
    until_s = last.time_s + (float(late_s[-1]) if math.isfinite(late_s[-1]) else LONGEST_DECAY_S)
    orbit = decay.orbit_of(last.x)
    sigma = made.learned.precision**-0.5 if made.learned.precision > 0.0 else math.nan
    event = DecayWindow(
        now_s, track_name(body.tracks[0]), tuple(map(track_name, body.tracks)), len(body.passes), last.time_s,
        orbit.perigee_m, orbit.apogee_m, sigma, made.window, "",
    )  # fmt: skip
    from_s = last.time_s + float(late_s[0])
    return body._replace(from_s=from_s, until_s=max(until_s, now_s + PASS_OVER_S), told_s=now_s), event


def _end(body: Body, now_s: float, reason: str) -> DecayWindow:
    last = body.passes[-1]
    return DecayWindow(
        now_s, track_name(body.tracks[0]), tuple(map(track_name, body.tracks)), len(body.passes), last.time_s,
        math.nan, math.nan, math.nan, None, reason,
    )  # fmt: skip
