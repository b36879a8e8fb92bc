"""The tracker over many simulated runs of many families: figures by family, and one variant against another.

    python benchmarks/tracking.py --families carrier,salvo --runs 20 --seed 1000 --cache DIR --out a.json
    python benchmarks/tracking.py --families carrier,salvo --runs 20 --seed 1000 --cache DIR --out b.json
    python benchmarks/tracking.py --compare a.json b.json
    python benchmarks/tracking.py --recording ../shared/recordings/dnipro-2024

The families are those of tracking_families.py. The tracker alone runs, without prediction and warning, and meets the
same moments as in a replay; what a forecast would tell it of orbits it does not hear. Recordings are kept in the cache,
so that another variant meets the same ones. The table gives the median over the runs and the worst one with its seed.
The comparison is a paired bootstrap over the same runs: the mean difference (second less first) and its 95 % interval.

Figures are those of `tocsin.metrics`, and these: "looks to first track" are the scans of range-measuring sensors with
the object in their field of view, after the first true plot of any sensor (not counting its own scan) and up to the
first row of a track; an object without a track counts with all its looks. A plot is true where it lies within 13 stated
sigmas (and offsets) of the object in all that it measures: sensors may be three times as bad as they say. Outages, in
which a sensor sends not even false plots, are not counted. Without oracle.parquet "in view" is reckoned from the fields
of view of ground sensors, as the referee does. Rows later than all truth are left out: `tocsin score` takes a track
that goes on then for one that follows nothing.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import platform
import shutil
import sys
import time
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import tocsin
from tocsin.cli.scored import read_truth_of
from tocsin.earth.ellipsoid import ecef_to_geodetic, enu_axes
from tocsin.formats.recording import read_recording
from tocsin.formats.recording_writer import write_recording
from tocsin.metrics.coverage import Predictions
from tocsin.metrics.follow import Tracks
from tocsin.metrics.paths import BALLISTIC, DANGEROUS, Bound, Truth, in_view, interpolate
from tocsin.metrics.score import score
from tocsin.record.warm_up import small_recording
from tocsin.sensors.plots import AZIMUTH, ELEVATION, RANGE, Floats, Ints, Plots, Sensor
from tocsin.simulation.columns import impact_columns, oracle_columns, truth_columns
from tocsin.simulation.run import simulate
from tocsin.simulation.scenario import parse_scenario
from tocsin.tracking import tracker

sys.path.insert(0, str(Path(__file__).parent))
from tracking_families import FAMILIES, bounded, scenario_text

Record = dict[str, Any]

LONGEST_END_S = 6 * 3600.0  # as in a replay: so long after the last plot, time goes on until nothing waits
VIEW_S = 30.0  # an object in view for so long should have a track
GATE_SIGMAS = 13.0  # of a true plot: more than four times a noise that is three times the stated one
OFF_FALSE_PLOTS = 20.0  # so many false plots in a row do not stay away by chance
NEES_MEAN, NEES_MEDIAN = 6.0, 5.348  # of six degrees of freedom
RESAMPLES = 10_000
FEWEST_PAIRS = 5  # of fewer the resampled interval says nothing: nothing is called better or worse


class Figure(NamedTuple):
    """A figure of the table: which value is best, and how it is written."""

    key: str
    label: str
    best: float  # 0: the less the better; infinite: the more the better; else this value
    places: int = 2


FIGURES = (
    Figure("gospa_m", "GOSPA, m", 0.0, 0),
    Figure("gospa_localisation_m", "  localisation, m", 0.0, 0),
    Figure("gospa_missed_m", "  missed, m", 0.0, 0),
    Figure("gospa_false_m", "  false, m", 0.0, 0),
    Figure("missed_per_moment", "missed a moment", 0.0, 3),
    Figure("false_per_moment", "false a moment", 0.0, 3),
    Figure("tracked_fraction", "share of time in view with a track", math.inf, 3),
    Figure("ids_per_object", "track ids an object", 1.0, 3),
    Figure("switches", "switches", 0.0, 1),
    Figure("dangerous_never_tracked", "dangerous, in view >= 30 s, never tracked", 0.0, 2),
    Figure("nees_mean", "NEES mean (6)", NEES_MEAN),
    Figure("nees_median", "NEES median (5.35)", NEES_MEDIAN),
    Figure("nees_mean_log", "  |ln(NEES mean / 6)|", 0.0),
    Figure("nees_median_log", "  |ln(NEES median / 5.35)|", 0.0),
    Figure("position_over_bound", "position error over bound, median", 0.0),
    Figure("position_median_m", "position error, median, m", 0.0, 1),
    Figure("existence_gap", "existence: stated less real", 0.0, 3),
    Figure("existence_brier", "existence: Brier score", 0.0, 3),
    Figure("first_track_delay_s", "first plot to first track, median, s", 0.0, 1),
    Figure("looks_median", "looks to first track, median", 0.0, 1),
    Figure("looks_90", "looks to first track, 90 %", 0.0, 1),
    Figure("tracks", "tracks shown", 0.0, 1),
    Figure("plots_per_s", "plots/s of the loop", math.inf, 0),
    Figure("plots_per_cpu_s", "plots/s of processor time", math.inf, 0),
    Figure("longest_step_ms", "longest step, ms", 0.0, 0),
)


class Job(NamedTuple):
    """One run to be measured."""

    family: str  # of a recording: its name
    seed: int | None
    folder: str  # where its recording lies, or will
    most_s: float  # of the loop; longer is a failure

    @property
    def name(self) -> str:
        """What a person calls it."""
        return self.family if self.seed is None else f"{self.family} {self.seed}"


class Driven(NamedTuple):
    """What the tracker made of a recording."""

    rows: tuple[Any, ...]  # of tocsin.tracking.tracks.TrackRow
    loop_s: float
    cpu_s: float
    longest_step_s: float


class Watch(NamedTuple):
    """One sensor of a recording and its plots in order of time."""

    sensor: Sensor
    time_s: Floats  # (n,)
    received_s: Floats  # (n,)
    scan: Ints  # (n,)
    measured: Floats  # (n, 4)
    position_m: Floats  # (n, 3)


# --- recordings


def recording_of(family: str, seed: int, folder: Path) -> Path:
    """The folder with the recording of a family and seed, simulated unless it is there already."""
    text = scenario_text(family, seed)
    mark = folder / "scenario.toml"  # written last
    if mark.is_file() and mark.read_text(encoding="utf-8") == text:
        return folder
    made = simulate(parse_scenario(text, f"{family} {seed}"), seed, bound=bounded(family))
    part = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(part, ignore_errors=True)
    write_recording(
        part,
        made.sensors,
        {p.sensor: (p.time_s, p.position_m) for p in made.platforms},
        made.plots,
        truth=truth_columns(made),
        impacts=impact_columns(made),
        oracle=oracle_columns(made),
    )
    (part / "scenario.toml").write_text(text, encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)
    return folder


# --- the tracker


def drive(sensors: tuple[Sensor, ...], plots: Plots, most_s: float = math.inf) -> Driven:
    """Take plots (in the order of arrival) through the tracker, at the moments that a replay has."""
    state = tracker.start(sensors)
    rows: list[Any] = []
    i, n, longest_s = 0, plots.count, 0.0
    received_s = plots.received_s.tolist()
    stop_s = (received_s[-1] if n else 0.0) + LONGEST_END_S
    begun_s, begun_cpu_s = time.perf_counter(), time.process_time()
    while True:
        arrival_s = received_s[i] if i < n else math.inf
        moment = min(arrival_s, tracker.next_deadline(state))
        if moment > stop_s or math.isinf(moment):
            break
        batch, first = None, i
        while i < n and received_s[i] <= moment:
            i += 1
        if i > first:
            batch = plots.rows(slice(first, i))
        before_s = time.perf_counter()
        state, output = tracker.step(state, batch, moment)
        now_s = time.perf_counter()
        longest_s = max(longest_s, now_s - before_s)
        if output is not None:
            rows += output.rows
        if now_s - begun_s > most_s:
            raise TimeoutError(f"{i} of {n} plots in {most_s:.0f} s")
    return Driven(tuple(rows), time.perf_counter() - begun_s, time.process_time() - begun_cpu_s, longest_s)


def warm_up() -> None:
    """Have the tracker's kernels compiled, or loaded, before anything is timed."""
    with suppress(Exception):  # the runs themselves will tell
        drive(*small_recording())


def tracks_of(rows: Sequence[Any]) -> Tracks:
    """Rows of tracks as columns."""
    return Tracks(
        track=tuple(r.track for r in rows),
        time_s=np.array([r.time_s for r in rows], float),
        state=np.array([r.state for r in rows], float).reshape(-1, 6),
        covariance=np.array([r.covariance for r in rows], float).reshape(-1, 6, 6),
        phase=tuple(r.phase for r in rows),
        existence=np.array([r.existence for r in rows], float),
    )


# --- figures


def measure(job: Job) -> Record:
    """Drive and score one run. A failure is told in the record, as ``error``."""
    record: Record = {"family": job.family, "seed": job.seed, "recording": job.folder}
    try:
        if job.seed is not None:
            recording_of(job.family, job.seed, Path(job.folder))
        recording = read_recording(job.folder)
        made = drive(recording.sensors, recording.plots, job.most_s)
        begun_s = time.perf_counter()
        truth = read_truth_of(job.folder)
        watches = watches_of(recording.sensors, recording.plots)
        first = first_plots(watches, truth)
        if not truth.bounds:
            truth = with_views(truth, first)
        nothing = np.zeros(0)
        no_forecasts = Predictions(
            issued_s=nothing,
            track=(),
            impact_time_s=nothing,
            impact_time_sigma_s=nothing,
            latitude_deg=nothing,
            longitude_deg=nothing,
            covariance_m2=np.zeros((0, 2, 2)),
            area=(),
        )
        # after the end of truth nothing can be told: what still flies is not in it any more
        end_s = max(rows[-1] for rows in truth.time_s.values())
        rows = [r for r in made.rows if r.time_s <= end_s]
        found = score(truth, tracks_of(rows), no_forecasts, [])["tracking"]
        looks = looks_to_track(watches, truth, first, found["by_object"])
        record |= figures_of(found, looks, made, recording.plots.count)
        record["duration_s"] = truth.end_s - truth.start_s
        record["scoring_s"] = time.perf_counter() - begun_s
    except Exception as error:  # one run must not end all others
        record["error"] = f"{type(error).__name__}: {error}"
        record["traceback"] = traceback.format_exc()
    return {key: plain(value) for key, value in record.items()}


def figures_of(found: Mapping[str, Any], looks: Mapping[str, int], made: Driven, plots: int) -> Record:
    """The figures of a run by key, and some numbers that belong to them."""
    nees, sure = found.get("nees") or {}, found["existence"]
    mean, median = nees.get("mean"), nees.get("median")
    objects = found["by_object"]
    never = [n for n, o in objects.items() if o["in_view_s"] >= VIEW_S and not o["tracked_s"]]
    dangerous = [n for n in never if objects[n]["kind"] in DANGEROUS]
    known = sure["samples"] > 0
    return {
        **{f"gospa{part}_m": found[f"gospa{part}_m"] for part in ("", "_localisation", "_missed", "_false")},
        "missed_per_moment": found["missed_per_moment"],
        "false_per_moment": found["false_per_moment"],
        "tracked_fraction": found.get("tracked_fraction_mean"),
        "ids_per_object": found.get("track_ids_per_tracked_object"),
        "switches": found.get("switches"),
        "dangerous_never_tracked": len(dangerous) if objects else None,
        "never_tracked": never,
        "nees_mean": mean,
        "nees_median": median,
        "nees_mean_log": abs(math.log(mean / NEES_MEAN)) if mean else None,
        "nees_median_log": abs(math.log(median / NEES_MEDIAN)) if median else None,
        "nees_samples": nees.get("samples"),
        "bad_covariances": found.get("bad_covariances"),
        "position_over_bound": found.get("position_error_over_bound_median"),
        "position_median_m": found.get("position_error_median_m"),
        "existence_gap": sure["stated"] - sure["real"] if known else None,
        "existence_brier": sure["brier"] if known else None,
        "existence_bins": [[b["samples"], b["stated"], b["true"]] for b in sure["bins"]],
        "existence_edges": sure["edges"],
        "first_track_delay_s": found.get("first_track_delay_median_s"),
        "looks_median": float(np.median(list(looks.values()))) if looks else None,
        "looks_90": float(np.percentile(list(looks.values()), 90)) if looks else None,
        "looks": dict(looks) if len(looks) <= 100 else None,
        "tracks": found["tracks"],
        "objects": len(objects),
        "objects_in_view": found["objects_in_view"],
        "rows": len(made.rows),
        "plots": plots,
        "loop_s": made.loop_s,
        "cpu_s": made.cpu_s,
        "plots_per_s": plots / made.loop_s,
        "plots_per_cpu_s": plots / made.cpu_s if made.cpu_s else None,
        "longest_step_ms": 1e3 * made.longest_step_s,
    }


def watches_of(sensors: Sequence[Sensor], plots: Plots) -> list[Watch]:
    """The plots of each sensor by itself."""
    out = []
    for i, sensor in enumerate(sensors):
        its = np.flatnonzero(plots.sensor == i)
        its = its[np.argsort(plots.time_s[its], kind="stable")]
        p = plots.rows(its)
        out.append(Watch(sensor, p.time_s, p.received_s, p.scan, p.measured, p.position_m))
    return out


def seen_from(position_m: Floats, state: Floats) -> Floats:
    """Range, azimuth, elevation and range rate (n, 4) of states (n, 6) from places (n, 3) that stand still."""
    standing = bool((position_m == position_m[0]).all())  # then its axes are found once
    latitude, longitude, _ = ecef_to_geodetic(position_m[0] if standing else position_m)
    offset = state[:, :3] - position_m
    east, north, up = np.einsum("...ij,...j->i...", enu_axes(latitude, longitude), offset)
    distance = np.linalg.norm(offset, axis=1)
    rate = np.einsum("ni,ni->n", offset, state[:, 3:]) / distance
    azimuth = np.arctan2(east, north) % (2.0 * math.pi)
    return np.stack([distance, azimuth, np.arctan2(up, np.hypot(east, north)), rate], -1)


def first_plots(watches: Sequence[Watch], truth: Truth) -> dict[str, tuple[float, float, int]]:
    """Of each ballistic object that gave a plot: when the first was made, when it was received, and whose it is."""
    out: dict[str, tuple[float, float, int]] = {}
    for name, kind in truth.kind.items():
        bound = truth.bounds.get(name)
        if kind not in BALLISTIC or (bound is not None and not (bound.plots_so_far > 0).any()):
            continue
        from_s = -math.inf  # plots of close neighbours are not taken for its own where the bound knows better
        if bound is not None:
            row = int(np.flatnonzero(bound.plots_so_far > 0)[0])
            from_s = float(bound.time_s[row - 1]) if row else -math.inf
        for number, watch in enumerate(watches):
            until_s = out[name][0] if name in out else math.inf
            hit = _first_plot(watch, truth.time_s[name], truth.state[name], from_s, until_s)
            if hit is not None:
                out[name] = (float(watch.time_s[hit]), float(watch.received_s[hit]), number)
    return out


def _first_plot(watch: Watch, time_s: Floats, state: Floats, from_s: float, until_s: float) -> int | None:
    """The first row of a sensor's plots that is of an object, received from one time on and made before another."""
    sensor = watch.sensor
    if not len(watch.time_s):
        return None
    # only while it is in the field of view, or nearly: most of many objects never are
    step_s = max(sensor.scan_period_s, 1.0)
    grid_s = np.append(np.arange(time_s[0], time_s[-1], step_s), time_s[-1])
    near = np.clip(np.searchsorted(watch.time_s, grid_s), 0, len(watch.time_s) - 1)
    seen = inside(sensor, seen_from(watch.position_m[near], interpolate(time_s, state, grid_s)))
    if not seen.any():
        return None
    met = np.flatnonzero(seen)
    row = int(np.searchsorted(watch.time_s, max(time_s[0], grid_s[met[0]] - 2.0 * step_s)))
    end_s = min(time_s[-1], grid_s[met[-1]] + 2.0 * step_s, until_s)
    end = int(np.searchsorted(watch.time_s, end_s))
    span_s = sensor.scan_period_s
    while row < end:  # most objects are met soon: longer and longer pieces
        to = max(int(np.searchsorted(watch.time_s[:end], watch.time_s[row] + span_s)), row + 1)
        at = slice(row, to)
        predicted = seen_from(watch.position_m[at], interpolate(time_s, state, watch.time_s[at]))
        off = watch.measured[at] - predicted
        off[:, AZIMUTH] = (off[:, AZIMUTH] + math.pi) % (2.0 * math.pi) - math.pi
        off[:, AZIMUTH] *= np.cos(predicted[:, ELEVATION])
        width = GATE_SIGMAS * np.hypot(sensor.sigma, sensor.bias_sigma)
        its = (np.isnan(off) | (np.abs(off) <= width)).all(axis=1)
        hits = np.flatnonzero(its & (watch.received_s[at] > from_s - 1e-3))
        if len(hits):
            return row + int(hits[0])
        row, span_s = to, 2.0 * span_s
    return None


def looks_to_track(
    watches: Sequence[Watch],
    truth: Truth,
    first: Mapping[str, tuple[float, float, int]],
    by_object: Mapping[str, Any],
) -> dict[str, int]:
    """Looks of range-measuring sensors from the first plot to the first row, of each object that gave a plot."""
    ranging = [(i, w, on) for i, w in enumerate(watches) if (on := _scans(w)) is not None]
    out = {}
    for name, (first_s, _, whose) in first.items():
        delay, bound = by_object[name]["first_track_delay_s"], truth.bounds[name]
        row_s = math.inf
        if delay is not None:
            row_s = delay + float(bound.time_s[np.flatnonzero(bound.plots_so_far > 0)[0]])
        out[name] = sum(
            _looks(watch, scans, truth.time_s[name], truth.state[name], first_s, row_s, i == whose)
            for i, watch, scans in ranging
        )
    return out


class Scans(NamedTuple):
    """Scans in which a sensor was at work."""

    number: Ints  # (k,)
    start_s: Floats  # (k,)


def _scans(watch: Watch) -> Scans | None:
    """The scans of a sensor that measures ranges, from its plots; None for others.

    A scan may have no plot; a long row of such scans is an outage.
    """
    sensor = watch.sensor
    if not len(watch.time_s) or math.isnan(sensor.sigma[RANGE]):
        return None
    # the earliest plot of a scan is near its start: of all scans together, very near
    base_s = float(np.min(watch.time_s - watch.scan * sensor.scan_period_s))
    there = np.unique(watch.scan)
    number = np.arange(there[0], there[-1] + 1)
    after = np.searchsorted(there, number, "right")  # how many scans with plots up to this one
    gap = there[np.minimum(after, len(there) - 1)] - there[after - 1]
    silent = ~np.isin(number, there) & (gap * sensor.false_plots_per_scan > OFF_FALSE_PLOTS)
    number = number[~silent]
    return Scans(number, base_s + number * sensor.scan_period_s)


def _looks(
    watch: Watch, scans: Scans, time_s: Floats, state: Floats, first_s: float, row_s: float, own: bool
) -> int:
    """Looks of one sensor at one object after its first plot (own: of this sensor) up to the first row."""
    period_s = watch.sensor.scan_period_s
    alive = (scans.start_s >= time_s[0]) & (scans.start_s + period_s <= time_s[-1])
    start_s = scans.start_s[alive]
    if not len(start_s):
        return 0
    at_m = np.broadcast_to(watch.position_m[0], (len(start_s), 3))
    measured = seen_from(at_m, interpolate(time_s, state, start_s))
    swept = azimuth_width(watch.sensor) > 6.28
    look_s = start_s + period_s * (measured[:, AZIMUTH] / (2.0 * math.pi) if swept else 0.45)
    after = look_s > first_s
    if own:  # not the scan of the first plot itself
        after = start_s > first_s
    before = look_s <= row_s
    # a row at the time of a plot came of that plot's scan
    its_scan = watch.scan[np.abs(watch.time_s - row_s) < 1e-4]
    before |= np.isin(scans.number[alive], its_scan)
    return int((inside(watch.sensor, measured) & after & before).sum())


def azimuth_width(sensor: Sensor) -> float:
    """How wide (rad) a sensor's field of view is; all round where it states no limit."""
    low, high = sensor.field_of_view[AZIMUTH]
    return 2.0 * math.pi if math.isnan(low) else (high - low) % (2.0 * math.pi) or 2.0 * math.pi


def inside(sensor: Sensor, measured: Floats) -> NDArray[np.bool_]:
    """Which of what is seen (n, 4) lies in the field of view; range rate is not looked at."""
    view = sensor.field_of_view
    out = ~((measured[:, AZIMUTH] - view[AZIMUTH, 0]) % (2.0 * math.pi) > azimuth_width(sensor))
    for quantity in (RANGE, ELEVATION):  # NaN compares false: no limit
        out &= ~(measured[:, quantity] < view[quantity, 0]) & ~(measured[:, quantity] > view[quantity, 1])
    return np.asarray(out)


def with_views(truth: Truth, first: Mapping[str, tuple[float, float, int]]) -> Truth:
    """Truth with a bound that tells nothing but when objects are in view and when their first plot came in."""
    bounds = {}
    for name, kind in truth.kind.items():
        if kind in BALLISTIC:
            rows = truth.time_s[name]
            time_s = np.arange(rows[0], rows[-1] + 1e-6, 1.0)
            none = np.full(len(time_s), np.nan)
            received_s = first[name][1] if name in first else math.inf
            bounds[name] = Bound(
                time_s=time_s,
                pos_sigma_m=none,
                impact_area99_km2=none,
                in_view=in_view(truth, name, time_s),
                plots_so_far=(time_s >= received_s).astype(np.int64),
            )
    return truth._replace(bounds=bounds)


def plain(value: Any) -> Any:
    """Values for JSON, with null for what is not finite."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return float(f"{value:.8g}") if math.isfinite(value) else None
    return value


# --- many runs


def measure_all(jobs: Sequence[Job], workers: int, out: Path | None, about: Record) -> list[Record]:
    """All records in the order of the jobs; written after each, so that an interruption loses one run at most."""
    done: dict[int, Record] = {}
    for i, record in _measured(jobs, workers):
        done[i] = record
        say = record.get("error") or (
            f"{record['loop_s']:.1f} s, GOSPA {_number(record['gospa_m'], 0)} m, "
            f"ids {_number(record['ids_per_object'], 2)}, NEES {_number(record['nees_mean'], 1)}"
        )
        print(f"{len(done)}/{len(jobs)} {jobs[i].name}: {say}", file=sys.stderr, flush=True)
        if out is not None:
            runs = [done[k] for k in sorted(done)]
            part = out.with_name(f".{out.name}.part")
            part.write_text(json.dumps({"about": about, "runs": runs}, indent=1) + "\n")
            part.replace(out)
    return [done[k] for k in sorted(done)]


def _measured(jobs: Sequence[Job], workers: int) -> Iterator[tuple[int, Record]]:
    if workers <= 1:
        warm_up()
        for i, job in enumerate(jobs):
            yield i, measure(job)
        return
    context = get_context("spawn")
    with ProcessPoolExecutor(workers, context, warm_up) as pool:
        waiting: dict[Future[Record], int] = {pool.submit(measure, job): i for i, job in enumerate(jobs)}
        for future in as_completed(waiting):
            i = waiting[future]
            try:
                yield i, future.result()
            except Exception as error:  # the process died
                broken = {"family": jobs[i].family, "seed": jobs[i].seed, "recording": jobs[i].folder}
                yield i, {**broken, "error": f"{type(error).__name__}: {error}"}


def by_family(records: Iterable[Record]) -> dict[str, list[Record]]:
    """Records that have figures, by family."""
    out: dict[str, list[Record]] = {}
    for record in records:
        if "error" not in record:
            out.setdefault(record["family"], []).append(record)
    return out


def badness(figure: Figure, value: float) -> float:
    """How bad a value is: the larger, the worse."""
    if math.isinf(figure.best):
        return -value
    return abs(math.log(value / figure.best)) if figure.best > 0.0 and value > 0.0 else abs(value)


def table(records: Sequence[Record]) -> str:
    """Per family the median over the runs and the worst run with its seed, and what failed."""
    lines = []
    for family, runs in by_family(records).items():
        plots = sum(r["plots"] for r in runs)
        lines += ["", f"{family}: {len(runs)} runs, {plots} plots, {sum(r['loop_s'] for r in runs):.0f} s"]
        lines.append(f"  {'':<42}{'median':>10}{'worst':>10}  seed")
        for figure in FIGURES:
            known = [(r[figure.key], r["seed"]) for r in runs if r.get(figure.key) is not None]
            if known:
                worst, seed = max(known, key=lambda one: badness(figure, one[0]))
                middle = float(np.median([value for value, _ in known]))
                values = "".join(f"{_number(v, figure.places):>10}" for v in (middle, worst))
                lines.append(f"  {figure.label:<42}{values}  {'' if seed is None else seed}")
        lines.append(f"  existence, stated/real (samples): {_bins(runs)}")
    failed = [r for r in records if "error" in r]
    lines += ["", *(f"FAILED {r['family']} {r['seed'] or ''}: {r['error']}" for r in failed)]
    return "\n".join(lines).strip("\n")


def _bins(runs: Sequence[Record]) -> str:
    """Stated and real existence of all runs together, by bin."""
    out = []
    for bins in zip(*(r["existence_bins"] for r in runs), strict=True):
        n = sum(count for count, _, _ in bins)
        if n:
            stated, real = (sum(b[0] * b[k] for b in bins if b[0]) / n for k in (1, 2))
            out.append(f"{stated:.3f}/{real:.3f} ({n})")
    return ", ".join(out) or "-"


def _number(value: float | None, places: int) -> str:
    return "-" if value is None else f"{value:.{places}f}"


# --- comparison


def paired_bootstrap(
    a: Sequence[float], b: Sequence[float], seed: int = 1, resamples: int = RESAMPLES
) -> tuple[float, float, float]:
    """Mean of b less a over the same runs, and its 95 % interval (percentiles of resampled pairs)."""
    apart = np.asarray(b, float) - np.asarray(a, float)
    rng = np.random.default_rng(seed)
    means = [
        apart[rng.integers(len(apart), size=(100, len(apart)))].mean(axis=1) for _ in range(resamples // 100)
    ]
    low, high = np.percentile(np.concatenate(means), [2.5, 97.5])
    return float(apart.mean()), float(low), float(high)


def comparison(a: Sequence[Record], b: Sequence[Record]) -> str:
    """Per family, and over all, the mean of each figure in both, the difference and its interval."""
    before, after = by_family(a), by_family(b)
    pairs: dict[str, list[tuple[Record, Record]]] = {}
    for family, runs in before.items():
        others = {r["seed"]: r for r in after.get(family, [])}
        both = [(r, others[r["seed"]]) for r in runs if r["seed"] in others]
        if both:
            pairs[family] = both
    if len(pairs) > 1:
        pairs["all"] = [pair for both in pairs.values() for pair in both]
    lines = []
    for family, both in pairs.items():
        lines += ["", f"{family}: {len(both)} runs in both"]
        lines.append(f"  {'':<42}{'first':>10}{'second':>10}{'change':>10}   95 % interval")
        for figure in FIGURES:
            values = [(x[figure.key], y[figure.key]) for x, y in both]
            known = [(x, y) for x, y in values if x is not None and y is not None]
            if not known:
                continue
            first, second = zip(*known, strict=True)
            change, low, high = paired_bootstrap(first, second)
            places = figure.places + 1 if figure.places else 0
            mark = ""
            if len(known) >= FEWEST_PAIRS and (low > 0.0 or high < 0.0):
                bad = [float(np.mean([badness(figure, v) for v in side])) for side in (first, second)]
                mark = "better" if bad[1] < bad[0] else "worse"
            lines.append(
                f"  {figure.label:<42}{_number(np.mean(first), places):>10}{_number(np.mean(second), places):>10}"
                f"{change:>+10.{places}f}   {low:+.{places}f} .. {high:+.{places}f}  {mark}".rstrip()
            )
    for name, records in (("first", a), ("second", b)):
        lines += [
            f"FAILED in the {name}: {r['family']} {r['seed']}: {r['error']}" for r in records if "error" in r
        ]
    return "\n".join(lines).strip("\n") or "No run is in both."


# --- command line


def about() -> Record:
    """What was measured: the sources of the tracker by a digest, versions, the machine."""
    root = Path(tocsin.__file__).parent
    digest = hashlib.sha256()
    for source in sorted(p for room in ("tracking", "sensors", "earth") for p in (root / room).glob("*.py")):
        digest.update(source.read_bytes())
    return {
        "tocsin": str(root),
        "sources": digest.hexdigest()[:16],
        "python": platform.python_version(),
        "processors": os.cpu_count(),
        "made": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description="The tracker over many simulated runs of many families.")
    parser.add_argument("--families", default="", metavar="A,B", help=f"of {', '.join(FAMILIES)}, many-N")
    parser.add_argument("--runs", type=int, default=20, metavar="N", help="runs of each family (20)")
    parser.add_argument(
        "--seed", type=int, default=1000, metavar="S", help="of the first run; then S + 1 ... (1000)"
    )
    parser.add_argument("--workers", type=int, default=1, metavar="W", help="processes (1)")
    parser.add_argument(
        "--cache", type=Path, default=Path("build/tracking"), metavar="DIR", help="of recordings"
    )
    parser.add_argument(
        "--recording", action="append", default=[], metavar="DIR", help="also this one (repeatable)"
    )
    parser.add_argument("--most-s", type=float, default=1800.0, metavar="T", help="of a run's loop (1800)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the records as JSON")
    parser.add_argument("--generate", action="store_true", help="fill the cache and stop")
    parser.add_argument("--compare", nargs=2, type=Path, metavar=("A", "B"), help="two files of records")
    return parser


def main() -> int:
    """Measure or compare. Returns the exit code: 1 if a run failed."""
    parser = arguments()
    args = parser.parse_args()
    if args.compare:
        first, second = (json.loads(path.read_text()) for path in args.compare)
        print(comparison(first["runs"], second["runs"]))
        return 0
    families = [family for family in args.families.split(",") if family]
    if not families and not args.recording:
        parser.error("name families, recordings or two files to compare")
    try:
        for family in families:
            scenario_text(family, args.seed)
    except ValueError as error:
        parser.error(str(error))
    args.cache.mkdir(parents=True, exist_ok=True)
    if args.out is not None:
        args.out.parent.mkdir(parents=True, exist_ok=True)
    seeds = range(args.seed, args.seed + args.runs)
    jobs = [Job(Path(d).resolve().name, None, d, args.most_s) for d in args.recording]
    for family in families:
        for seed in seeds:
            jobs.append(Job(family, seed, str(args.cache / f"{family}-{seed}"), args.most_s))
    if args.generate:
        return generate(jobs)
    records = measure_all(jobs, args.workers, args.out, about())
    print(table(records))
    return int(any("error" in record for record in records))


def generate(jobs: Sequence[Job]) -> int:
    """Simulate what is not in the cache yet. Returns the exit code: 1 if one failed."""
    failed = 0
    for job in jobs:
        if job.seed is None:
            continue
        begun_s = time.perf_counter()
        try:
            recording_of(job.family, job.seed, Path(job.folder))
            print(f"{job.name}: {time.perf_counter() - begun_s:.1f} s", flush=True)
        except Exception as error:  # one run must not end all others
            failed += 1
            print(f"{job.name}: FAILED {type(error).__name__}: {error}", flush=True)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
