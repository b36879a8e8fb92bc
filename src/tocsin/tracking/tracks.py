"""The values of a track, and of the rows that are reported of it."""

from __future__ import annotations

from typing import NamedTuple

from tocsin.sensors.plots import Floats

PHASES = ("boost", "coast", "reentry", "other")

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
