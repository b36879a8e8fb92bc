"""Which tracks are reported, as what, and how often."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import repeat

import numpy as np

from tocsin.earth.motion import BALLISTIC
from tocsin.sensors.plots import Floats, Ints
from tocsin.tracking import life
from tocsin.tracking.belief import Belief, TrackerState
from tocsin.tracking.fusion import leading, named, together
from tocsin.tracking.tracks import Bools, States, Table, Track, TrackRow

ROW_EVERY_S = 0.5  # a shown track gives at most one row in this time where it is seen, in twice it where not
# A shown track gives a row at least this often (the contract asks for 10 s), and up to ROWS_TOGETHER of that time
# earlier where other tracks' rows are due: so that many tracks make few steps. Between its rows a track is taken to fly
# freely in vacuum: where thrust or drag would take it farther than this from there, it gives one sooner.
FORECAST_ROW_S = 8.0
ROWS_TOGETHER = 0.25
STRAY_M = 1000.0


def which_speak(state: TrackerState, table: Table, h: States, now_s: float) -> Bools:
    """Which tracks are reported: not those whose place is hardly known (of one infrared sensor alone)."""
    periods = np.array([s.scan_period_s for s in state.sensors])
    return np.asarray(table.shown & life.sharp(table, h, now_s) & leading(table, now_s, periods))


def as_reported(
    table: Table, known_as: Table, h: States, i: int, offset_P: Floats, at_s: float | None = None
) -> Track:
    """A track as it is reported: with its partner, where it has one. known_as: the table as from `fusion.named`."""
    t = life.track_at(known_as, h, i, offset_P, at_s)
    both = together(table, h, i, t.time_s, offset_P)
    if both is None or t.mu[BALLISTIC] < 0.9:
        return t
    x, P = t.x.copy(), t.P.copy()
    x[BALLISTIC, :6] = both[0]
    P[BALLISTIC, :6, :6], P[BALLISTIC, 6, :6], P[BALLISTIC, :6, 6] = both[1], 0.0, 0.0
    return t._replace(x=x, P=P, mu=np.array([1.0, 0.0, 0.0]))


def rows_of_seen(belief: Belief, which: Ints) -> list[TrackRow]:
    """Rows of tracks that have just taken a plot, which (k,) rows of the table."""
    table, h, offset_P = belief.table, belief.states, belief.offsets.P
    known_as = named(table)
    rows = life.rows_of(known_as, h, which, offset_P)
    for k in np.flatnonzero(table.partner[which] > 0).tolist():
        rows[k] = life.row_of(as_reported(table, known_as, h, int(which[k]), offset_P), False)
    return rows


def row_due_s(state: TrackerState, speaking: Bools, early: float = 0.0) -> Floats:
    """When (n,) the next row of each track is due though nothing is seen of it; infinite where none is.

    speaking (n,): which are reported; early: share of the time between rows by which it may come sooner.
    """
    table, h = state.belief.table, state.belief.states
    last = last_rows_s(state.rows_s, table.name)
    apart_s = life.rows_apart_s(state.now_s, h.time_s, h.x, h.mu, 2.0 * ROW_EVERY_S, FORECAST_ROW_S, STRAY_M)
    due = np.maximum(last, h.time_s) + apart_s * (1.0 - early)
    return np.where(speaking, due, np.inf)


def last_rows_s(rows_s: Mapping[int, float], names: Ints) -> Floats:
    """When (n,) tracks of some names gave their last row; -inf where they gave none."""
    return np.fromiter(map(rows_s.get, names.tolist(), repeat(-math.inf)), float, len(names))
