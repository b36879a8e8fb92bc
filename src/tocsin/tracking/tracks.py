"""What the tracker reports: rows of tracks."""

from __future__ import annotations

from typing import NamedTuple

from tocsin.sensors.plots import Floats

PHASES = ("boost", "coast", "reentry", "other")


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
