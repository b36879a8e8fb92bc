"""What the tracker knows, and what a step of it brings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tocsin.sensors.plots import Floats, Ints, Plots, Sensor
from tocsin.tracking.crowd import Crowd
from tocsin.tracking.pairs import Offsets
from tocsin.tracking.sparse import Sought
from tocsin.tracking.tracks import States, Table, TrackRow
from tocsin.tracking.unclaimed import Pool
from tocsin.tracking.waiting import Done, Key, Waiting

PLOTS_OF_A_SCAN = 1 << 20  # numbers of plots: those of a scan begin at a multiple of this


class Names:
    """Numbers for tracks by the plots that each begins with: a track that is found again keeps its number."""

    def __init__(self, known: dict[tuple[float, ...], int], following: int) -> None:
        self.known, self.following = known, following

    def of(self, seeds: Sequence[tuple[float, ...]], taken: Ints) -> int:
        """The number of the track that begins with some plots; taken (n,): numbers of other tracks."""
        before = [self.known[s] for s in seeds if s in self.known and self.known[s] not in taken]
        number = before[0] if before else self.following
        self.following = max(self.following, number + 1)
        self.known.update(dict.fromkeys(seeds, number))
        return number


class Belief(NamedTuple):
    """What the plots of some scans say, one scan after the other."""

    table: Table
    states: States
    pools: tuple[Pool, ...]  # plots that no track claims, in the order of their scans
    noise: Floats  # (sensors, 4, grid) ln of the weights of `learning.RATIOS`
    scale: Floats  # (sensors, 4) mean of the squared ratio of true to stated sigma
    most: Floats  # (sensors, 4) a value that it hardly exceeds
    offsets: Offsets
    scans: int  # that were taken
    crowds: tuple[Crowd, ...] = ()
    sought: Sought = Sought()  # of orbits, with few plots


class Past(NamedTuple):
    """A scan that was taken, and the belief before it."""

    key: Key
    plots: Plots
    at_s: float  # when it was taken
    number: int  # of the scan, in the order in which they were taken
    before: Belief | None  # None: let go, see `past`


class TrackerState(NamedTuple):
    """All that the tracker knows."""

    sensors: tuple[Sensor, ...]
    columns: Ints  # (sensors, 4) number of each unknown offset, -1: none
    belief: Belief
    past: tuple[Past, ...]
    waiting: Mapping[Key, Waiting]
    done: Mapping[Key, Done]
    names: Mapping[tuple[float, ...], int]  # first plot of a track -> its number
    rows_s: Mapping[int, float]  # number -> time of its last row
    row_due_s: float  # when a row is due though nothing is seen
    next_number: int
    now_s: float
    doubles: int
    too_late: int


class Output(NamedTuple):
    """What a step brought: rows, and the tracks that changed."""

    rows: tuple[TrackRow, ...]
    changed: tuple[int, ...]  # numbers of shown tracks that took a plot
    shown: tuple[int, ...]  # numbers of all shown tracks
