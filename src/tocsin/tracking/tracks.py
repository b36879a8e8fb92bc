"""The values of tracks, and of the rows that are reported of them."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tocsin.sensors.plots import Floats, Ints
from tocsin.tracking.modes import MODES, SIZE

PHASES = ("boost", "coast", "reentry", "other")
MOST_EXISTENCE = 0.9999  # that is ever believed: so a track can be given up again
RECENT = 12  # plots that a track remembers

Bools = NDArray[np.bool_]


class TrackRow(NamedTuple):
    """A confirmed track at one moment (an update or a forecast)."""

    time_s: float
    track: str
    parent: str | None  # the track that this one separated from
    phase: str  # one of PHASES; "other" does not come down
    existence: float  # probability that the track is a real object
    state: Floats  # (6,) ECEF position m and velocity m/s
    covariance: Floats  # (6, 6)
    last: bool  # the track ends with this row


class States(NamedTuple):
    """Where the object of each track is: n rows."""

    time_s: Floats  # (n,)
    x: Floats  # (n, 3, 9) states of the modes, as in `modes`; k offsets of sensors at their means
    P: Floats  # (n, 3, 9, 9) given the offsets
    A: Floats  # (n, 3, 9, k) derivative by the offsets
    mu: Floats  # (n, 3) probabilities of the modes
    claims: Ints  # (n, sensors) latest plot taken of each sensor, -1: none
    recent: Ints  # (n, RECENT) latest plots taken, the newest first, -1: none


class Table(NamedTuple):
    """The tracks: n rows."""

    number: Ints  # (n,) no two tracks ever have the same
    name: Ints  # (n,) number under which it is reported: its own, or that of a track of its body before it
    parent: Ints  # (n,) the track that it separated from; 0: none
    existence: Floats  # (n,) probability that it is an object
    hits: Ints  # (n,) plots taken
    hit_s: Floats  # (n,) time of the last of them
    shown: Bools  # (n,)
    told: Bools  # (n,) was reported, or could have been
    orbit: Bools  # (n,) its flight was found to stay above the air
    fallen: Bools  # (n,) was once too fast or too high for an aircraft
    brood: Floats  # (n,) objects that left it, or its parent, in the last scans
    burst: Bools  # (n,) it broke up, or is a piece of what did
    driven_s: Floats  # (n,) when it was last under thrust, as it seems; -inf: never
    only: Ints  # (n,) the sensor whose plots alone it takes, while its family is not told apart; -1: all
    partner: Ints  # (n,) number of the track of another sensor that is of the same body, as it seems; 0: none
    family: (
        Ints  # (n,) number of the track that it and its siblings come from; its own where it comes from none
    )
    seed_s: Floats  # (n,) time of its birth from a parent
    seed_x: Floats  # (n, 6) what was known then of where it may be: mean
    seed_cov: Floats  # (n, 6, 6) and covariance, given the offsets
    seed_by_offset: Floats  # (n, 6, k) and derivative by the offsets
    askew: (
        Floats  # (n, sensors, 2) by how many sigmas its plots of late lay to the right and above, on average
    )
    steady: Bools  # (n,) an orbit that is followed with few plots, see `steady`
    meteor: Bools  # (n,) it, or what it has left, was once too fast for anything that was launched


class Track(NamedTuple):
    """One track: what is believed of one object."""

    number: int
    parent: int
    time_s: float
    x: Floats  # (3, 9)
    P: Floats  # (3, 9, 9)
    mu: Floats  # (3,)
    existence: float
    hits: int
    shown: bool
    orbit: bool
    fallen: bool
    parted: bool = False  # it has left another body, or others have left it
    burst: bool = False  # it broke up, or is a piece of what did
    meteor: bool = False  # it, or what it has left, was once too fast for anything that was launched


def no_states(sensors: int, offsets: int) -> States:
    """States of no track."""
    return States(
        np.zeros(0), np.zeros((0, MODES, SIZE)), np.zeros((0, MODES, SIZE, SIZE)),
        np.zeros((0, MODES, SIZE, offsets)), np.zeros((0, MODES)), np.zeros((0, sensors), np.int64),
        np.zeros((0, RECENT), np.int64),
    )  # fmt: skip


def no_tracks(sensors: int, offsets: int) -> Table:
    """A table without tracks."""
    whole, real, no = np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.bool_)
    return Table(
        whole, whole, whole, real, whole, real, no, no, no, no, real, no, real, whole, whole, whole, real,
        np.zeros((0, 6)),
        np.zeros((0, 6, 6)), np.zeros((0, 6, offsets)),
        np.zeros((0, sensors, 2)), no, no,
    )  # fmt: skip


def keep(table: Table, states: States, mask: Bools) -> tuple[Table, States]:
    """The tracks picked by a mask."""
    if mask.all():
        return table, states
    return Table(*(c[mask] for c in table)), States(*(c[mask] for c in states))  # type: ignore[arg-type]


def join(tables: list[tuple[Table, States]]) -> tuple[Table, States]:
    """Several tables as one, in their order."""
    if len(tables) == 1:
        return tables[0]
    table = Table(*(np.concatenate(c) for c in zip(*(t for t, _ in tables), strict=True)))
    return table, States(*(np.concatenate(c) for c in zip(*(s for _, s in tables), strict=True)))


def begun(
    number: int, parent: int, existence: float, hits: int, time_s: float, hit_s: float,
    x: Floats, P: Floats, A: Floats, mu: Floats, plots: list[tuple[int, int]], sensors: int, fallen: bool,
) -> tuple[Table, States]:  # fmt: skip
    """A new track. plots: sensor and number of each plot that it was made from, the newest last."""
    claims, recent = np.full((1, sensors), -1), np.full((1, RECENT), -1)
    for k, (sensor, plot) in enumerate(plots):
        claims[0, sensor] = plot
        back = len(plots) - 1 - k
        if back < RECENT:
            recent[0, back] = plot
    one = np.array
    return Table(
        one([number]), one([number]), one([parent]), one([existence]), one([hits]), one([hit_s]),
        one([False]), one([False]), one([False]), one([fallen]), one([0.0]),
        one([False]), one([-math.inf]), one([-1]), one([0]),
        one([number]), one([time_s]), x[:1, :6], P[:1, :6, :6], A[:1, :6],
        np.zeros((1, sensors, 2)), one([False]), one([False]),
    ), States(one([time_s]), x[None], P[None], A[None], mu[None], claims, recent)  # fmt: skip


@lru_cache(maxsize=1 << 16)
def track_name(number: int) -> str:
    """Public name of a track."""
    return f"T{number:05d}"
