"""``tocsin brief``: the account after the fact, as PDF or HTML."""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from tocsin.cli.output import example, progress, warn
from tocsin.errors import UsageError

if TYPE_CHECKING:
    from tocsin.brief.evidence import Evidence, Source

RESULTS = (
    "summary.json",
    "tracks.parquet",
    "predictions.parquet",
    "alerts.geojson",
    "events.jsonl",
    "windows.parquet",
)
RECORDING = ("sensors.geojson", "plots", "platforms", "truth", "impacts.csv")


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "brief",
        help="the account after the fact, as PDF or HTML",
        description="Write what was seen when, what was decided and why, who was warned how long before, and\n"
        "what came down where; each statement with what it rests on. The recording tells which sensor\n"
        "saw what and, where it has truth, where things came down.",
        epilog=example(
            "tocsin brief results --out brief.pdf",
            "tocsin brief results --recording recording --out brief.pdf",
            "tocsin brief results --recording recording --out brief.html",
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("results", metavar="RESULTS", type=Path, help="folder of the results")
    parser.add_argument(
        "--out",
        metavar="FILE",
        type=Path,
        required=True,
        help="file to write: its name ends in .pdf or .html",
    )
    parser.add_argument(
        "--recording", metavar="FOLDER", type=Path, help="the recording that the results are of"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Read, compose, write."""
    form = args.out.suffix.lower()
    if form not in (".pdf", ".html"):
        raise UsageError(f"brief: --out is {str(args.out)!r}, its name must end in .pdf or .html")

    from tocsin.brief.compose import document
    from tocsin.brief.html import html
    from tocsin.brief.pdf import pdf
    from tocsin.formats.files import write_file

    evidence = gather(args.results, args.recording)
    with progress("writing") as advance:
        advance(0, 1)
        made = document(evidence)
        content = pdf(made) if form == ".pdf" else html(made).encode()
    write_file(args.out, content)
    print(f"{args.out}: {made.title}")
    return 0


def gather(results: Path, folder: Path | None) -> Evidence:
    """All that the account may rest on. Raises DataError."""
    from tocsin.brief.evidence import Evidence
    from tocsin.cli.scored import read_truth_of, rows_of
    from tocsin.formats.gazetteer import shipped_gazetteer
    from tocsin.formats.recording import read_recording
    from tocsin.formats.results import read_results
    from tocsin.formats.sent import read_happened, read_sent
    from tocsin.formats.tables import find_table
    from tocsin.formats.truth import read_fallen
    from tocsin.metrics.follow import follow as follow_objects
    from tocsin.metrics.score import COARSE_STEP_S, MANY_OBJECTS, STEP_S
    from tocsin.record.history import follow
    from tocsin.record.learned import learned

    with progress(f"reading {results}") as advance:
        advance(0, 1)
        read = read_results(results)
        sent, happened = read_sent(results, read.cap), read_happened(results)
    evidence = Evidence(read, sent, happened, shipped_gazetteer(), _sources(results, folder))
    if folder is None:
        return evidence
    with progress(f"reading {folder}") as advance:
        recording = read_recording(folder, advance)
    name = read.summary.get("recording")
    if name != recording.name:
        warn(f"the results are of the recording {name!r}, {folder} is {recording.name!r}")
    with progress("tracking") as advance:
        history = follow(recording.sensors, recording.plots, tell=advance)
    evidence = evidence._replace(recording=recording, history=history, learned=tuple(learned(history)))
    if (folder / "impacts.csv").is_file():
        evidence = evidence._replace(fallen=read_fallen(folder / "impacts.csv"))
        if find_table(folder, "truth") is not None and recording.plots.count:
            truth = read_truth_of(folder)
            step_s = STEP_S if len(truth.kind) <= MANY_OBJECTS else COARSE_STEP_S
            evidence = evidence._replace(following=follow_objects(truth, rows_of(read)[0], step_s))
    return evidence


def _sources(results: Path, folder: Path | None) -> tuple[Source, ...]:
    """All files that were read, with their sums."""
    from tocsin.brief.evidence import Source
    from tocsin.formats.tables import find_table

    paths = [(name, results / name) for name in RESULTS]
    alerts = sorted((results / "alerts").glob("*.xml"))
    if folder is not None:
        for name in RECORDING:
            path = folder / name if "." in name else find_table(folder, name)
            if path is not None:
                paths.append((f"recording: {path.name}", path))
    out = []
    for name, path in paths:
        if path.is_file():
            data = path.read_bytes()
            out.append(Source(name, len(data), hashlib.sha256(data).hexdigest()))
    if alerts:
        texts = [path.read_bytes() for path in alerts]
        joined = hashlib.sha256(b"".join(texts)).hexdigest()
        out.append(
            Source(f"alerts/*.xml ({len(alerts)} files, one after the other)", sum(map(len, texts)), joined)
        )
    return tuple(out)
