"""Flights of one state round the Earth until they enter the air for good, and down to the ground."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tocsin.earth.flights import Flights, to_ground
from tocsin.earth.forces import STANDARD, Forces
from tocsin.earth.status import LANDED, STILL_UP
from tocsin.prediction.departures import TUMBLING_LN_BETA
from tocsin.prediction.priors import Kind
from tocsin.sensors.plots import Floats

LONGEST_DECAY_S = 7 * 86400.0  # that is looked ahead
ENTRY_M = 80e3  # where most bodies break up: the usual moment of re-entry
PART_S = 2 * 86400.0  # flown at a time: a flight may have so many steps
STEP_ERROR_M = 3.0  # of 68 revolutions the end is then off by seconds
FALL_S = 3600.0  # from entry to the ground: what is above 80 km then has left the air again
MOST_DIPS = 50  # into the air, of what comes out again


class Fall(NamedTuple):
    """What acts on a body on its way down, and what it may be, as for `landings.free`."""

    kinds: tuple[Kind, ...]
    limits: tuple[float, float]  # of ln beta
    wind_sigma_m_s: float
    steady: Forces
    tumbling: Forces
    ground_m: float


class Ends(NamedTuple):
    """How n flights end. Infinite times: later than is looked ahead, or not at all."""

    entry_s: Floats  # (n,) when they enter the air for good
    entry_state: Floats  # (n, 6) there, ECEF
    ground_s: Floats  # (n,)
    place: Floats  # (n, 3) on the ground, ECEF


def ends(x: Floats, ln_beta: Floats, fall: Fall) -> Ends:
    """Flights (n,) of one state (6,), or of states (n, 6), to the ground."""
    count = len(ln_beta)
    out = Ends(np.full(count, np.inf), np.zeros((count, 6)), np.full(count, np.inf), np.zeros((count, 3)))
    now, since_s = np.broadcast_to(x, (count, 6)).copy(), np.zeros(count)
    flying = np.arange(count)
    for _ in range(MOST_DIPS):
        entry = fly(now[flying], ln_beta[flying], STANDARD, ENTRY_M, LONGEST_DECAY_S)
        entered = (entry.status == LANDED) & (since_s[flying] + entry.time_s <= LONGEST_DECAY_S)
        flying, entry_s, entry_state = flying[entered], entry.time_s[entered], entry.state[entered]
        if not flying.size:
            break
        out_again = np.zeros(len(flying), bool)
        light = ln_beta[flying] < TUMBLING_LN_BETA
        for some, forces in ((light, fall.tumbling), (~light, fall.steady)):
            if not some.any():
                continue
            who = flying[some]
            fallen = to_ground(
                entry_state[some],
                np.exp(ln_beta[who]),
                forces,
                ground_m=fall.ground_m,
                longest_s=FALL_S,
                error_m=STEP_ERROR_M,
            )
            landed = fallen.status == LANDED
            down = who[landed]
            out.entry_s[down] = since_s[down] + entry_s[some][landed]
            out.entry_state[down] = entry_state[some][landed]
            out.ground_s[down] = out.entry_s[down] + fallen.time_s[landed]
            out.place[down] = fallen.state[landed, :3]
            out_again[some] = fallen.status == STILL_UP
            now[who] = fallen.state
            since_s[who] += entry_s[some] + FALL_S
        flying = flying[out_again]
    return out


def fly(x: Floats, ln_beta: Floats, forces: Forces, ground_m: float, longest_s: float) -> Flights:
    """Flights (n,) of one state, or of states (n, 6), to a height, in parts: what stays up has the status of that."""
    starts = np.broadcast_to(x, (len(ln_beta), 6)).copy()
    beta = np.exp(ln_beta)
    flown = min(PART_S, longest_s)
    out = to_ground(starts, beta, forces, ground_m=ground_m, longest_s=flown, error_m=STEP_ERROR_M)
    while flown < longest_s and (up := np.flatnonzero(out.status == STILL_UP)).size:
        more = min(PART_S, longest_s - flown)
        further = to_ground(
            out.state[up], beta[up], forces, ground_m=ground_m, longest_s=more, error_m=STEP_ERROR_M
        )
        out.time_s[up] = flown + further.time_s
        out.state[up], out.status[up] = further.state, further.status
        out.steps[up] += further.steps
        flown += more
    return out
