"""Whether two states, hours apart, are on one decaying orbit."""

from __future__ import annotations

import math

import numpy as np

from tocsin.earth.flights import to_time
from tocsin.earth.status import ARRIVED
from tocsin.prediction.decay import Drag, chance_below, orbit_of
from tocsin.prediction.decay_flights import STEP_ERROR_M
from tocsin.prediction.decay_track import normals
from tocsin.sensors.plots import Floats

LOOKED_AT = 24  # values of drag
TAIL = 0.002
# What flights leave out (the ellipse of the equator, air by day and night), one sigma of each axis.
FLOOR_M, FLOOR_M_S = 2e3, 2.5
TILT_RAD, TILT_SIGMAS = math.radians(0.2), 6.0  # of inclination, beyond which nothing is flown
WIDEST_M = 1000e3  # beyond, the orbit is known too badly to say
ROUNDING = 1e-9 * np.eye(6)
FULL_TURN = 2.0 * math.pi
EARTH_POLE = np.array([0.0, 0.0, 1.0])


def apart2(x: Floats, P: Floats, y: Floats, Q: Floats, dt_s: float, drag: Drag) -> float:
    """Squared distance in sigmas (of six) of a state y (6,), Q from where x, P (6, 6) would be dt_s seconds later.

    With the drag, out of what is believed of it, that brings it to the same place along the orbit; infinite where none
    does.
    """
    if not dt_s > 0.0 or _tilted(x, P, y, Q):
        return math.inf
    at = _values(drag)
    flown = to_time(np.tile(x, (len(at), 1)), np.exp(at), dt_s, error_m=STEP_ERROR_M)
    up = flown.status == ARRIVED
    if up.sum() < 2:
        return math.inf
    at, state = at[up], flown.state[up]
    ahead = np.unwrap(_ahead(state, y))
    best = math.inf
    low, high = float(ahead.min()), float(ahead.max())
    for turn in range(math.floor(low / FULL_TURN), math.ceil(high / FULL_TURN) + 1):
        wanted = min(max(turn * FULL_TURN, low), high)
        order = np.argsort(ahead, kind="stable")
        beta = float(np.interp(wanted, ahead[order], at[order]))
        there = to_time(x, math.exp(beta), dt_s, error_m=STEP_ERROR_M, transition=True)
        if there.status[0] != ARRIVED or there.transition is None:
            continue
        F, by_drag = there.transition[0, :6, :6], there.transition[0, :6, 6]
        # between two values looked at the place along the orbit is right to a part of their distance
        step = 0.25 * float(at[1] - at[0])
        S = F @ P @ F.T + Q + step**2 * np.outer(by_drag, by_drag)
        S += np.diag([FLOOR_M**2] * 3 + [FLOOR_M_S**2] * 3)
        if np.isfinite(S).all() and float(np.trace(S[:3, :3])) < WIDEST_M**2:
            size = np.sqrt(np.diag(S))
            d = (y - there.state[0]) / size
            best = min(best, float(d @ np.linalg.solve(S / np.outer(size, size) + ROUNDING, d)))
    return best


def _values(drag: Drag) -> Floats:
    """Values of ln of the coefficient that reach over all that is believed."""
    at = np.linspace(*drag.limits, 400)
    low, high = np.interp([TAIL, 1.0 - TAIL], chance_below(drag, at), at)
    return np.linspace(low, max(high, low + 1e-3), LOOKED_AT)


def _ahead(state: Floats, y: Floats) -> Floats:
    """Angles (n,) by which states (n, 6) are ahead of y (6,) along its orbit."""
    begin = y[:3] / np.linalg.norm(y[:3])
    normal = normals(y[None], np.zeros(1))[0]
    ahead = np.cross(normal, begin)
    return np.arctan2(state[:, :3] @ ahead, state[:, :3] @ begin)


def _tilted(x: Floats, P: Floats, y: Floats, Q: Floats) -> bool:
    """Whether the planes of two states differ in inclination by more than can be."""
    tilt = [
        math.acos(float(np.clip(normals(z[None], np.zeros(1))[0] @ EARTH_POLE, -1.0, 1.0))) for z in (x, y)
    ]
    rate = orbit_of(y).turn_s / FULL_TURN
    variance = sum(float(np.trace(C[:3, :3])) + float(np.trace(C[3:, 3:])) * rate**2 for C in (P, Q)) / float(
        y[:3] @ y[:3]
    )
    return abs(tilt[0] - tilt[1]) > TILT_RAD + TILT_SIGMAS * math.sqrt(variance)
