"""Plots that wait until their scan is over, each of them once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from tocsin.sensors.coverage import scan_s
from tocsin.sensors.plots import Plots, Sensor

SCAN_GRACE = 0.3  # of its period, after which a scan is over
LATEST_S = 40.0  # a plot that comes later than this is left out
LATE_WAIT_S = 2.0  # late plots wait so long for others, or for the next scan

Key = tuple[int, int]  # sensor and scan that a plot belongs to
# Marks of plots, by which doubles are known: sets that get smaller from the first to the last, so that to add one plot
# after the other costs n log n altogether, and a state that was laid by keeps its own.
Marks = tuple[frozenset[bytes], ...]


class Waiting(NamedTuple):
    """The plots of a scan that is not over."""

    plots: tuple[Plots, ...]
    marks: Marks
    deadline_s: float


class Done(NamedTuple):
    """A scan that was taken."""

    at_s: float
    marks: Marks


def with_more(marks: Marks, more: Marks) -> Marks:
    """Marks and more of them, none in both."""
    sets = list(marks)
    for new in more:
        while sets and len(sets[-1]) <= len(new):
            new = new | sets.pop()
        sets.append(new)
    return tuple(sets)


def lay_by(
    waiting: Mapping[Key, Waiting], done: Mapping[Key, Done], sensors: tuple[Sensor, ...], plots: Plots
) -> tuple[dict[Key, Waiting], int, int]:
    """Lay plots by until their scans are over: what waits then, how many were doubles, and how many came too late."""
    out = dict(waiting)
    doubles, too_late = 0, 0
    marks = _marks(plots)
    for key, rows in _by_scan(plots).items():
        before, over = out.get(key), done.get(key)
        period_s = sensors[key[0]].scan_period_s
        mine, its = plots, marks
        if len(rows) < plots.count:
            mine, its = plots.rows(np.array(rows)), [marks[i] for i in rows]
        old = mine.time_s < mine.received_s - LATEST_S - period_s
        known = (*(before.marks if before else ()), *(over.marks if over else ()))
        new = frozenset(its)
        if len(new) < len(its) or old.any() or not all(new.isdisjoint(some) for some in known):
            kept: dict[bytes, int] = {}
            for i, (mark, late) in enumerate(zip(its, old.tolist(), strict=True)):
                if mark in kept or any(mark in some for some in known):
                    doubles += 1
                elif late:
                    too_late += 1
                else:
                    kept[mark] = i
            if not kept:
                continue
            mine, new = mine.rows(np.array(list(kept.values()))), frozenset(kept)
        due_s = mine.time_s + (1.0 + SCAN_GRACE) * scan_s(sensors[key[0]])
        closed = (due_s < mine.received_s) | (over is not None)  # its scan is over already
        deadline_s = float(np.where(closed, mine.received_s + LATE_WAIT_S, due_s).min())
        if before is None:
            out[key] = Waiting((mine,), (new,), deadline_s)
        else:  # the earliest counts, whichever came first
            out[key] = Waiting(
                (*before.plots, mine), with_more(before.marks, (new,)), min(before.deadline_s, deadline_s)
            )
    return out, doubles, too_late


def _marks(plots: Plots) -> list[bytes]:
    """What each plot says, as bytes that are the same for doubles alone."""
    said = np.empty((plots.count, 5))
    said[:, 0], said[:, 1:] = plots.time_s, plots.measured
    said[np.isnan(said)] = -1.0
    said += 0.0  # -0.0 is 0.0
    marks: list[bytes] = said.view("V40").ravel().tolist()
    return marks


def _by_scan(plots: Plots) -> Mapping[Key, Sequence[int]]:
    """Rows of plots by the scan that they belong to."""
    if plots.count and (plots.sensor == plots.sensor[0]).all() and (plots.scan == plots.scan[0]).all():
        return {(int(plots.sensor[0]), int(plots.scan[0])): range(plots.count)}
    out: dict[Key, list[int]] = {}
    for i, key in enumerate(zip(plots.sensor.tolist(), plots.scan.tolist(), strict=True)):
        out.setdefault(key, []).append(i)
    return out
