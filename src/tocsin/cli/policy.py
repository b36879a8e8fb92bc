"""``tocsin policy``: what a threshold of the warning policy costs, over a set of recordings."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tocsin.cli.campaigns import claim, digest, workers
from tocsin.cli.output import getting_ready, progress
from tocsin.cli.policy_picture import threshold
from tocsin.errors import DataError, UsageError

if TYPE_CHECKING:
    from tocsin.metrics.tradeoff import Point, Trial
    from tocsin.warning.settings import Settings

# Thresholds that are tried, beside that of the policy itself: chances on a square kilometre.
VALUES = (3e-6, 1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2)
LATENCY_S = 0.5  # of every decision
# What the rows follow from: files under src/tocsin.
MADE_BY = (
    "units.py", "earth", "sensors", "tracking", "prediction", "warning", "record", "metrics/lead.py", "cli/policy.py",
)  # fmt: skip
EPILOG = """\
Each recording is followed once; then the policy decides again and again, each time with another
C/L (cost_loss_per_km2). Where things truly came down (impacts.csv) says what was missed, how long
before the impact people were told, and how large an area was alerted.

The folder gets rows/RECORDING.parquet, policy.parquet (the curve) and policy.svg (the plot). Ctrl-C
leaves whole recordings: the same command goes on where it was.

examples:
  tocsin policy recordings/* --out policy
  tocsin policy recordings/* --out mine --policy mine.toml
  tocsin policy --default > mine.toml                    the settings, to edit
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "policy",
        help="what a threshold of the warnings costs in misses, false alarms and time",
        description="Draw misses against alerted area against warning time, for many thresholds, over recordings\n"
        "whose end is known.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("recordings", metavar="RECORDING", nargs="*", type=Path, help="folders of recordings")
    parser.add_argument("--out", metavar="DIR", type=Path, help="folder to write, or to go on with")
    parser.add_argument("--policy", metavar="FILE", type=Path, help="settings of the policy (the default)")
    parser.add_argument("--default", action="store_true", help="print the default settings and end")
    parser.add_argument(
        "--processes", type=int, default=2, metavar="P", help="processes that share the work (2)"
    )
    parser.add_argument("--json", action="store_true", help="print the curve as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Decide what is not decided yet, and print the curve. Returns the exit code."""
    from tocsin.formats.policy_file import shipped_policy

    if args.default:
        print(shipped_policy(), end="")
        return 0
    if not args.recordings or args.out is None:
        raise UsageError("policy: needs RECORDINGs and --out DIR (or --default, to print the settings)")
    if args.processes < 1:
        raise UsageError(f"policy: --processes is {args.processes}, must be 1 or more")
    names = [path.resolve().name for path in args.recordings]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(f"policy: two recordings are called {twice[0]}; their names must differ")
    settings = read_settings(args.policy)
    values = sorted({*VALUES, settings.cost_loss_per_km2})
    facts = {"code": digest(MADE_BY), "settings": {k: _json(v) for k, v in settings._asdict().items()}}
    claim(args.out, facts)
    decide_all(args.out, args.recordings, settings, values, args.processes)
    trials = [trial for path in args.recordings for trial in _trials(_path(args.out, path), path)]

    from tocsin.metrics.tradeoff import curve

    points = curve(trials, settings.shelter_s)
    best = knee_of(points)
    _write(args.out, points, best, settings)
    if args.json:
        print(_as_json(points, best))
    else:
        print(text(points, best, settings))
        print(f"Written to {args.out}, the plot as {args.out / 'policy.svg'}")
    return 0


def read_settings(path: Path | None) -> Settings:
    """Settings of a policy file; the default ones without a file. Raises DataError and SettingsError."""
    from tocsin.formats.policy_file import read_policy
    from tocsin.warning.settings import Settings

    if path is None:
        return Settings()
    try:
        return read_policy(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read ({error})") from error


def _path(folder: Path, recording: Path) -> Path:
    return folder / "rows" / f"{recording.resolve().name}.parquet"


Task = tuple[str, dict[str, Any], list[float]]  # recording, settings, thresholds


def decide_all(
    folder: Path, recordings: list[Path], settings: Settings, values: list[float], processes: int
) -> None:
    """Decide about the recordings that are not in the folder yet, a file each, with a progress bar on a terminal."""
    from tocsin.cli.line import KERNELS
    from tocsin.formats.files import write_file
    from tocsin.record.warm_up import warm_up

    tasks: list[Task] = [
        (str(path), settings._asdict(), values) for path in recordings if not _path(folder, path).exists()
    ]
    if not tasks:
        return
    with getting_ready(KERNELS):
        warm_up()
    done = len(recordings) - len(tasks)
    with progress("deciding") as advance, workers(_decided, min(processes, len(tasks))) as results:
        advance(done, len(recordings))
        for name, content in results(tasks):
            write_file(_path(folder, Path(name)), content)
            done += 1
            advance(done, len(recordings))


def _decided(task: Task) -> tuple[str, bytes]:
    """A recording, and the Parquet of its trials."""
    import pyarrow as pa

    from tocsin.formats.files import parquet_bytes

    name, settings, values = task
    trials = trials_of(Path(name), settings, values)
    rows = [
        {k: v.tolist() if hasattr(v, "tolist") else v for k, v in trial._asdict().items()} for trial in trials
    ]
    return name, parquet_bytes(pa.Table.from_pylist(rows))


def trials_of(folder: Path, settings: dict[str, Any], values: list[float]) -> list[Trial]:
    """A recording, decided upon at each threshold. Raises DataError where it does not tell what came down where."""
    import numpy as np

    from tocsin.cli.scored import notices_of, read_truth_of
    from tocsin.formats.gazetteer import shipped_gazetteer
    from tocsin.formats.recording import read_recording
    from tocsin.formats.words import shipped_words
    from tocsin.metrics.coverage import bound_lead_s
    from tocsin.metrics.lead import warned
    from tocsin.metrics.tradeoff import Trial
    from tocsin.record.campaign import decide, observations
    from tocsin.warning.settings import Settings

    recording, truth, gazetteer = read_recording(folder), read_truth_of(folder), shipped_gazetteer()
    words = shipped_words()
    seen = [one._replace(rows=()) for one in observations(recording.sensors, recording.plots, LATENCY_S)]
    out = []
    for value in values:
        tried = Settings(**{**settings, "cost_loss_per_km2": value})
        notices = notices_of(decide(seen, gazetteer, words, LATENCY_S, tried).messages)
        verdict = warned(notices, truth.impacts, truth.end_s)
        best = [bound_lead_s(truth, lead.impact, 1000.0) for lead in verdict.leads]
        out.append(
            Trial(
                folder.resolve().name,
                value,
                np.array([math.nan if lead.lead_s is None else lead.lead_s for lead in verdict.leads]),
                np.array([lead.lead_1000_s for lead in verdict.leads]),
                np.array([math.nan if one is None else one for one in best], float),
                verdict.alerted_km2,
                verdict.false_km2_min,
                sum(notice.kind != "Cancel" and not notice.clear for notice in notices),
                verdict.around_nothing,
            )
        )
    return out


def _trials(path: Path, recording: Path) -> list[Trial]:
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    from tocsin.metrics.tradeoff import Trial

    try:
        rows = pq.read_table(path).to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise DataError(
            f"{path}: cannot be read as Parquet ({error}); delete it to have it made anew"
        ) from error
    return [
        Trial(
            str(row["recording"]),
            float(row["cost_loss_per_km2"]),
            np.array(row["lead_s"], float),
            np.array(row["lead_1000_s"], float),
            np.array(row["best_s"], float),
            float(row["alerted_km2"]),
            float(row["false_km2_min"]),
            int(row["messages"]),
            int(row["around_nothing"]),
        )
        for row in rows
    ]


def knee_of(points: list[Point]) -> int | None:
    """The point where more alerted area brings no more warning time; None where nothing was to be warned of."""
    import numpy as np

    from tocsin.metrics.tradeoff import knee

    area = np.array([point.area_km2 for point in points])
    gain = np.array([point.lead_over_best for point in points])
    if len(points) < 3 or not np.isfinite(gain).all() or not (area > 0.0).all():
        return None
    return knee(np.log(area), gain)


def text(points: list[Point], best: int | None, settings: Settings) -> str:
    """The curve as a table for a person."""
    head = points[0]
    lines = [
        f"{head.recordings} recordings, {head.impacts} dangerous impacts. Too late: less than {settings.shelter_s:g} s"
        " (shelter_s) before the impact.",
        "     C/L   missed  too late   lead     over best   area an impact   false       messages",
        "  per km2       %         %   median s      (mean)            km2   km2 min     around nothing %",
    ]
    for i, point in enumerate(points):
        mark = " <- policy" if point.cost_loss_per_km2 == settings.cost_loss_per_km2 else ""
        lines.append(
            f"{threshold(point.cost_loss_per_km2):>9} {_percent(point.missed)} {_percent(point.too_late, 9)} "
            f"{_number(point.lead_s, 10)} {_number(point.lead_over_best, 11, 3)} {_number(point.area_km2, 14)} "
            f"{_number(point.false_km2_min, 9)} {_percent(point.around_nothing, 11)}"
            f"{' <- knee' if i == best else ''}{mark}"
        )
    return "\n".join(lines)


def _percent(value: float, width: int = 8) -> str:
    return f"{'-':>{width}}" if math.isnan(value) else f"{100.0 * value:>{width}.1f}"


def _number(value: float, width: int, places: int = 0) -> str:
    return f"{'-':>{width}}" if math.isnan(value) else f"{value:>{width},.{places}f}"


def _json(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _as_json(points: list[Point], best: int | None) -> str:
    import json

    rows = [
        {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in point._asdict().items()}
        for point in points
    ]
    return json.dumps(
        {"knee": None if best is None else points[best].cost_loss_per_km2, "points": rows}, indent=1
    )


def _write(folder: Path, points: list[Point], best: int | None, settings: Settings) -> None:
    import pyarrow as pa

    from tocsin.cli.policy_picture import picture
    from tocsin.formats.files import parquet_bytes, write_file

    table = pa.Table.from_pylist([point._asdict() for point in points])
    write_file(folder / "policy.parquet", parquet_bytes(table))
    write_file(
        folder / "policy.svg", picture(points, best, settings.cost_loss_per_km2, settings.shelter_s).encode()
    )
