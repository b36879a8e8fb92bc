"""What was seen when, by which sensor: sensors, tracks, and times in which a sensor was silent."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection
from typing import NamedTuple

import numpy as np

from tocsin.brief.evidence import Evidence, Ref
from tocsin.sensors.plots import Floats

SILENT_SCANS = 5.0  # periods without a plot
SILENT_PLOTS = (
    10.0  # false plots that the sensor states for as long: fewer than one in 20,000 such times has none
)


class Look(NamedTuple):
    """One plot that a track took."""

    time_s: float
    sensor: str
    scan: int
    track: str

    @property
    def ref(self) -> Ref:
        """To the plot."""
        return Ref("plot", f"{self.sensor}/{self.scan}/{self.time_s:.6f}")


class SensorSeen(NamedTuple):
    """What one sensor gave."""

    name: str
    kind: str
    plots: int  # in the recording
    taken: int  # by the tracks asked for
    first: Look | None
    last: Look | None
    silent: tuple[tuple[float, float], ...]  # times without a plot that cannot be chance
    time_s: Floats  # (n,) of all its plots, in order
    taken_s: Floats  # (k,) of those taken


class TrackSeen(NamedTuple):
    """What befell one track."""

    name: str
    parent: str | None
    first_s: float  # first reported
    last_s: float
    phases: tuple[str, ...]
    existence: float  # at the end
    ended: bool
    plots: int  # taken; of the last forecast where no recording tells
    by_sensor: tuple[tuple[str, int], ...]
    first: Look | None
    last: Look | None


def looks(evidence: Evidence, tracks: Collection[str]) -> tuple[Look, ...]:
    """All plots that some tracks took, in order of time; none without the recording."""
    history = evidence.history
    if history is None:
        return ()
    out = [
        Look(plot.time_s, history.sensors[plot.sensor].name, plot.scan, name)
        for name in tracks if name in history.stories
        for plot in history.stories[name].plots.values()
    ]  # fmt: skip
    return tuple(sorted(out, key=lambda look: (look.time_s, look.sensor, look.scan, look.track)))


def sensors(evidence: Evidence, taken: tuple[Look, ...]) -> tuple[SensorSeen, ...]:
    """What each sensor gave; none without the recording."""
    recording = evidence.recording
    if recording is None:
        return ()
    plots = recording.plots
    last_s = (
        float(plots.time_s.max()) if plots.count else recording.start_s
    )  # measured: what is late arrives later
    out = []
    for i, sensor in enumerate(recording.sensors):
        time_s = np.sort(plots.time_s[plots.sensor == i])
        own = [look for look in taken if look.sensor == sensor.name]
        most_s = (
            max(SILENT_SCANS, SILENT_PLOTS / max(sensor.false_plots_per_scan, 1e-9)) * sensor.scan_period_s
        )
        edges = np.concatenate([[recording.start_s], time_s, [last_s]])
        gaps = np.flatnonzero(np.diff(edges) > most_s)
        silent = tuple((float(edges[g]), float(edges[g + 1])) for g in gaps)
        out.append(
            SensorSeen(
                sensor.name,
                sensor.kind,
                len(time_s),
                len({(look.scan, look.time_s) for look in own}),
                own[0] if own else None,
                own[-1] if own else None,
                silent,
                time_s,
                np.array([look.time_s for look in own], float),
            )
        )
    return tuple(out)


def tracks(evidence: Evidence, names: Collection[str]) -> tuple[TrackSeen, ...]:
    """What befell some tracks, in order of their first report."""
    taken = {name: looks(evidence, [name]) for name in names}
    counted = {f.track: f.plots for f in evidence.results.forecasts}
    rows: dict[str, list[int]] = {}
    for i, row in enumerate(evidence.results.rows):
        if row.track in taken:
            rows.setdefault(row.track, []).append(i)
    out = []
    for name, own in rows.items():
        found = sorted((evidence.results.rows[i] for i in own), key=lambda r: r.time_s)
        phases = [r.phase for i, r in enumerate(found) if i == 0 or r.phase != found[i - 1].phase]
        plots = taken[name]
        by = Counter(look.sensor for look in plots)
        out.append(
            TrackSeen(
                name,
                found[0].parent,
                found[0].time_s,
                found[-1].time_s,
                tuple(phases),
                found[-1].existence,
                found[-1].last,
                len(plots) or counted.get(name, 0),
                tuple(sorted(by.items())),
                plots[0] if plots else None,
                plots[-1] if plots else None,
            )
        )
    return tuple(sorted(out, key=lambda t: (t.first_s, t.name)))


def same_tracks(evidence: Evidence) -> bool:
    """Whether the tracker, run over the recording again, reported the tracks that the results hold."""
    if evidence.history is None:
        return True
    held = {row.track for row in evidence.results.rows}
    return held == {name for name, story in evidence.history.stories.items() if math.isfinite(story.last_s)}
