"""A recording through the whole line into a folder of results, for ``replay`` and ``demo``."""

from __future__ import annotations

import datetime
import platform
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from tocsin import __version__
from tocsin.cli.output import getting_ready, progress
from tocsin.formats.cap import cap_xml
from tocsin.formats.feed import feed_of
from tocsin.formats.files import write_file
from tocsin.formats.gazetteer import shipped_gazetteer
from tocsin.formats.impacts import read_impacts
from tocsin.formats.map_html import map_html
from tocsin.formats.recording import Recording
from tocsin.formats.results import write_results
from tocsin.formats.subscribers import subscribers_jsonl
from tocsin.prediction.forecast import DecayWindow, Forecast
from tocsin.prediction.priors import PRIORS, Priors
from tocsin.record.replay import Event, replay_events
from tocsin.record.warm_up import warm_up
from tocsin.tracking.tracks import TrackRow
from tocsin.warning.alert import Change, Merged, Message
from tocsin.warning.hearing import Roll, Telling, hear_all
from tocsin.warning.phrases import Words
from tocsin.warning.policy import DEFAULTS
from tocsin.warning.settings import Settings
from tocsin.warning.zones import Zones

KERNELS = 190  # functions to compile, about, on a machine that has none yet: the length of a progress bar
MAX_REJECTED = 200  # rejected rows told one by one in summary.json; all are counted


class Outcome(NamedTuple):
    """What came of a replay."""

    rows: tuple[TrackRow, ...]
    forecasts: tuple[Forecast, ...]
    messages: tuple[Message, ...]
    happenings: tuple[Change | Merged | Message, ...]  # to incidents, messages too, in order
    summary: dict[str, Any]
    windows: tuple[DecayWindow, ...]


def run_line(
    recording: Recording,
    source: Path,
    folder: Path,
    latency_s: float | None,
    settings: Settings = DEFAULTS,
    speed: float | None = None,
    tell: Callable[[Message], None] | None = None,
    words: Words | None = None,
    zones: Zones | None = None,
    roll: Roll | None = None,
    priors: Priors = PRIORS,
) -> Outcome:
    """Replay a recording, read from ``source``, and write results and map into ``folder``.

    latency_s: how long every decision is taken to need; None measures it. settings: what the policy goes by. speed:
    paced at so many times the recording's clock, None as fast as can be. tell is called with each message when it is
    issued. words: None for those that come with the program. zones: the user's own; roll: who subscribes to them.
    priors: what is believed of bodies before they are measured.
    """
    gazetteer = shipped_gazetteer()
    begin = time.perf_counter()
    if recording.plots.count:
        with getting_ready(KERNELS):
            warm_up()
    ready = time.perf_counter()
    around = gazetteer._replace(zones=zones)
    made = replay_events(recording.sensors, recording.plots, around, latency_s, settings, words, priors)
    if speed is not None:
        made = _paced(made, recording.start_s, speed)
    rows, forecasts, messages, happenings, windows = _collect(made, recording, tell)
    loop_s = max(time.perf_counter() - ready, 1e-9)
    summary = _summary(recording, rows, forecasts, messages, latency_s)
    if windows:
        summary["counts"] |= {
            "decaying": len({told.body for told in windows}),
            "windows": sum(told.window is not None for told in windows),
        }
    summary["timing"] = {
        "plots_per_s": round(recording.plots.count / loop_s, 1),
        "loop_s": round(loop_s, 3),
        "warm_up_s": round(ready - begin, 3),
        "times_real_time": round((recording.end_s - recording.start_s) / loop_s, 1),
        "paced": speed is not None,
    }
    told = None
    if zones is not None:
        summary["zones"] = {"version": zones.version, "count": len(zones.codes)}
    if roll is not None:
        tellings = hear_all(messages)
        told = subscribers_jsonl(roll, tellings)
        summary["subscribers"] = _reach(roll, tellings)
    cap = [cap_xml(message) for message in messages]
    write_results(folder, rows, forecasts, messages, cap, happenings, summary, feed_of(cap), told, windows)
    page = map_html(
        title=recording.name,
        sensors=recording.sensors,
        rows=rows,
        forecasts=forecasts,
        messages=messages,
        impacts=read_impacts(source),
        windows=windows,
        start_s=recording.start_s,
        end_s=max([recording.end_s, *(message.sent_s for message in messages)]),
    )
    write_file(folder / "map.html", page.encode())
    return Outcome(rows, forecasts, messages, happenings, summary, windows)


def _reach(roll: Roll, tellings: Sequence[Telling]) -> dict[str, int]:
    """How many subscribers were told, and how many of their zones are in no file."""
    sounded = {telling.zone for telling in tellings if telling.siren}
    told = {telling.zone for telling in tellings}
    return {
        "subscribers": len(roll.subscribers),
        "told": sum(1 for one in roll.subscribers if told.intersection(one.zones)),
        "told_to_take_cover": sum(1 for one in roll.subscribers if sounded.intersection(one.zones)),
        "zones_renamed": len(roll.renamed),
        "zones_unreached": len(roll.unreached),
    }


def _collect(
    events: Iterable[Event], recording: Recording, tell: Callable[[Message], None] | None
) -> tuple[
    tuple[TrackRow, ...],
    tuple[Forecast, ...],
    tuple[Message, ...],
    tuple[Change | Merged | Message, ...],
    tuple[DecayWindow, ...],
]:
    rows: list[TrackRow] = []
    forecasts: list[Forecast] = []
    messages: list[Message] = []
    happenings: list[Change | Merged | Message] = []
    windows: list[DecayWindow] = []
    duration_s = max(recording.end_s - recording.start_s, 1.0)
    with progress(f"replaying {recording.name}") as advance:
        for event in events:
            rows += event.rows
            forecasts += event.forecasts
            messages += event.messages
            happenings += (*event.changes, *event.messages)
            windows += event.windows
            for message in event.messages:
                if tell is not None:
                    tell(message)
            advance(int(min(event.at_s - recording.start_s, duration_s)), int(duration_s))
    return tuple(rows), tuple(forecasts), tuple(messages), tuple(happenings), tuple(windows)


def _paced(events: Iterator[Event], start_s: float, speed: float) -> Iterator[Event]:
    """The same events, each not before its time on a clock that runs ``speed`` times as fast."""
    begin = time.monotonic()
    for event in events:
        wait = begin + (event.at_s - start_s) / speed - time.monotonic()
        if wait > 0.0:
            time.sleep(wait)
        yield event


def moment(time_s: float) -> str:
    """A time as ISO 8601 in UTC, to the microsecond."""
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    return (epoch + datetime.timedelta(microseconds=round(time_s * 1e6))).isoformat(timespec="microseconds")


def _summary(
    recording: Recording,
    rows: tuple[TrackRow, ...],
    forecasts: tuple[Forecast, ...],
    messages: tuple[Message, ...],
    latency_s: float | None,
) -> dict[str, Any]:
    kinds = Counter(message.kind for message in messages)
    falling = {forecast.track for forecast in forecasts if forecast.area is not None}
    rejected = [rejection._asdict() for rejection in recording.rejected[:MAX_REJECTED]]
    return {
        "recording": recording.name,
        "status": "Exercise",
        "start": moment(recording.start_s),
        "end": moment(recording.end_s),
        "duration_s": round(recording.end_s - recording.start_s, 6),
        "latency_s": latency_s,
        "counts": {
            "sensors": len(recording.sensors),
            "plots": recording.plots.count,
            "rejected": recording.counts["rejected"] + recording.counts["platform_rows_rejected"],
            "tracks": len({row.track for row in rows}),
            "tracks_coming_down": len(falling),
            "track_rows": len(rows),
            "forecasts": len(forecasts),
            "incidents": len({message.incident for message in messages}),
            "alerts": kinds["Alert"],
            "updates": kinds["Update"],
            "cancels": kinds["Cancel"],
        },
        "rejected": rejected,
        "read": recording.counts,
        "versions": {
            "tocsin": __version__,
            "python": platform.python_version(),
            **{name: version(name) for name in ("numpy", "numba", "pyarrow", "shapely")},
        },
    }
