"""A track, and the rows that are reported of it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tocsin.earth.motion import BALLISTIC, LEVEL, THRUST
from tocsin.sensors.plots import Floats
from tocsin.tracking import modes
from tocsin.units import STANDARD_GRAVITY_M_S2

PHASES = ("boost", "coast", "reentry", "other")
REENTRY_DRAG_M_S2 = 0.1 * STANDARD_GRAVITY_M_S2  # from here on a falling body is said to re-enter

SHOWN_EXISTENCE = 0.9
FEWEST_HITS = 3  # plots of a track before it is shown

Key = tuple[int, int]  # sensor and scan that a plot belongs to


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


class Track(NamedTuple):
    """A track: what is believed of one object."""

    number: int
    parent: int  # the track that it separated from; 0: none
    time_s: float
    x: Floats  # (3, 9) states of the modes, as in `modes`
    P: Floats  # (3, 9, 9)
    mu: Floats  # (3,) probabilities of the modes
    existence: float
    hits: int  # plots taken
    hit_s: float  # time of the last of them
    shown: bool
    row_s: float  # time of its last row
    orbit: bool  # its flight was found to stay above the air
    recent: tuple[Key, ...]  # the scans of its latest plots
    fallen: bool  # was once too fast or too high for an aircraft
    lean: Floats  # (number of sensors, 2) mean normalised innovation of the two angles


def track_name(number: int) -> str:
    """Public name of a track."""
    return f"T{number:05d}"


def phase(t: Track) -> str:
    """The phase of a track, in the words of the results contract."""
    if t.mu[LEVEL] > 0.5 or (t.orbit and t.mu[THRUST] < 0.5):
        return "other"
    if t.mu[THRUST] > 0.5:
        return "boost"
    return "reentry" if modes.drag_m_s2(t.x[BALLISTIC]) > REENTRY_DRAG_M_S2 else "coast"


def row_of(t: Track, last: bool) -> TrackRow:
    """The row that reports a track as it stands."""
    mean, covariance = modes.combine(t.x, t.P, t.mu)
    parent = track_name(t.parent) if t.parent else None
    return TrackRow(t.time_s, track_name(t.number), parent, phase(t), t.existence, mean, covariance, last)


def shown(t: Track) -> Track:
    """The track, shown from now on if it has earned it."""
    if not t.shown and t.hits >= FEWEST_HITS and t.existence > SHOWN_EXISTENCE:
        return t._replace(shown=True)
    return t


def squared_distance(d: Floats, covariance: Floats) -> float:
    """Squared distance in sigmas of a difference (6,) of two states; infinite where it makes no sense.

    A metre and a centimetre a second on top keep a covariance that has lost its rank invertible.
    """
    total = covariance + np.diag([1.0] * 3 + [1e-4] * 3)
    if not np.isfinite(total).all():
        return float("inf")
    return float(d @ np.linalg.solve(total, d))
