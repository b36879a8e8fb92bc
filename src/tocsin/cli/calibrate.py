"""``tocsin calibrate``: whether impact areas and times hold as much as they say, over many drawn flights."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tocsin.cli.campaigns import claim, digest, workers
from tocsin.cli.output import getting_ready, progress

if TYPE_CHECKING:
    from tocsin.calibration.counts import Cell, Curve

KERNELS = 40  # functions to compile, about, on a machine that has none yet: the length of a progress bar
# What the rows of a campaign follow from: files under src/tocsin.
MADE_BY = (
    "units.py", "earth", "tracking/modes.py", "prediction", "simulation/flight.py", "calibration/campaign.py",
    "calibration/estimate.py", "calibration/families.py", "calibration/flights.py", "calibration/levels.py",
)  # fmt: skip
EPILOG = """\
A state is drawn and flown on in drawn weather, by the simulator's richer motion. At the start, 300,
120, 60, 30 and 15 s before the impact an honest estimate of it is drawn and forecast; what the 50, 90
and 99 % areas and times hold is counted. Families: short, medium, long, lofted, flat, carried, pieces,
reentry and fireball; flights are shared out evenly among them, in whole chunks.

The folder gets rows/FAMILY-CHUNK.parquet (every forecast), calibration.parquet (the counts) and
calibration.svg (the plot). Ctrl-C leaves whole chunks: the same command goes on where it was, and
more --flights add to it. Results do not depend on interruptions nor on the number of processes.

In the table, ! is outside of what was asked for (50 %: 44 to 56, 90 %: 86 to 94, 99 %: 98 to 100), ? may
be so by chance: its 99.9 % interval reaches in.

examples:
  tocsin calibrate --out calibration --flights 9000
  tocsin calibrate --out steep --families lofted,fireball --flights 2000 --seed 7
  tocsin calibrate --out million --flights 1000000 --processes 2
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "calibrate",
        help="count over many drawn flights whether areas and times hold what they say",
        description="Draw flights, predict where and when they come down, and count how often that holds.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--out", metavar="DIR", required=True, help="folder to write, or to go on with")
    parser.add_argument(
        "--flights", type=int, default=9000, metavar="N", help="flights of all families (9000)"
    )
    parser.add_argument("--families", metavar="A,B", help="only these families")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="what chance follows from (1)")
    parser.add_argument(
        "--processes", type=int, default=2, metavar="P", help="processes that share the work (2)"
    )
    parser.add_argument("--chunk", type=int, default=500, metavar="N", help="flights of a chunk (500)")
    parser.add_argument("--json", action="store_true", help="print the counts as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Fly what is not there yet, count and print. Returns the exit code."""
    import json

    from tocsin.calibration.families import FAMILIES
    from tocsin.errors import UsageError

    known = [family.name for family in FAMILIES]
    names = known if args.families is None else [name.strip() for name in args.families.split(",")]
    for name in names:
        if name not in known:
            raise UsageError(f"calibrate: there is no family {name!r}; there are {', '.join(known)}")
    for option, least in (("flights", 1), ("processes", 1), ("chunk", 1)):
        if getattr(args, option) < least:
            raise UsageError(f"calibrate: --{option} is {getattr(args, option)}, must be {least} or more")
    if not 0 <= args.seed < 2**63:
        raise UsageError(f"calibrate: --seed is {args.seed}, must be from 0 to {2**63 - 1}")
    names = [name for name in known if name in names]
    folder = Path(args.out)
    claim(folder, {"seed": args.seed, "flights_per_chunk": args.chunk, "code": digest(MADE_BY)})
    chunks = -(-args.flights // (len(names) * args.chunk))
    fly_chunks(folder, names, chunks, args.seed, args.chunk, args.processes)
    cells, curves, flights = count_chunks(folder, names, chunks)
    _write(folder, cells, curves, flights, args.seed)
    if args.json:
        print(
            json.dumps({"flights": flights, "seed": args.seed, "cells": [_plain(c) for c in cells]}, indent=1)
        )
    else:
        print(_text(cells))
        print(f"{flights:,} flights came down. Written to {folder}, the plot as {folder / 'calibration.svg'}")
    return 0


def _path(folder: Path, family: str, number: int) -> Path:
    return folder / "rows" / f"{family}-{number:05d}.parquet"


Task = tuple[str, int, int, int]  # family, number of the chunk, seed, flights


def fly_chunks(
    folder: Path, families: list[str], chunks: int, seed: int, flights: int, processes: int
) -> None:
    """Make the chunks that are not in a folder yet, a file each, with a progress bar on a terminal."""
    from tocsin.formats.files import write_file

    all_of_them = [(family, number, seed, flights) for number in range(chunks) for family in families]
    tasks = [task for task in all_of_them if not _path(folder, task[0], task[1]).exists()]
    if not tasks:
        return
    _get_ready(families)
    done = len(all_of_them) - len(tasks)
    with progress("flying") as advance, workers(_made, min(processes, len(tasks))) as results:
        advance(done * flights, len(all_of_them) * flights)
        for (family, number, _, _), content in results(tasks):
            write_file(_path(folder, family, number), content)
            done += 1
            advance(done * flights, len(all_of_them) * flights)


def _get_ready(families: list[str]) -> None:
    """Compile all that is needed, here, so that the processes find it."""
    import numpy as np

    from tocsin.calibration.families import family_of
    from tocsin.calibration.flights import flight

    with getting_ready(KERNELS):
        for name in families:
            family = family_of(name)
            if family is not None:
                flight(family, 0, np.random.default_rng(1))


def _made(task: Task) -> tuple[Task, bytes]:
    """A task, and the Parquet of its chunk."""
    import pyarrow as pa

    from tocsin.calibration.campaign import chunk
    from tocsin.calibration.families import family_of
    from tocsin.formats.files import parquet_bytes

    name, number, seed, flights = task
    family = family_of(name)
    if family is None:
        raise ValueError(f"no family {name}")
    columns = chunk(family, number, seed, flights)
    table = pa.table(
        {key: pa.array(value.tolist()) if key == "body" else value for key, value in columns.items()}
    )
    return task, parquet_bytes(table)


def count_chunks(folder: Path, families: list[str], chunks: int) -> tuple[list[Cell], list[Curve], int]:
    """What is counted over the chunks of a folder, and how many flights came down."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    from tocsin.calibration.campaign import joined
    from tocsin.calibration.counts import count
    from tocsin.errors import DataError

    cells: list[Cell] = []
    curves: list[Curve] = []
    flights = 0
    for name in families:
        parts = []
        for number in range(chunks):
            path = _path(folder, name, number)
            try:
                table = pq.read_table(path)
            except (OSError, pa.ArrowException) as error:
                raise DataError(
                    f"{path}: cannot be read as Parquet ({error}); delete it to have it made anew"
                ) from error
            parts.append({key: table[key].to_numpy() for key in table.column_names})
        columns = joined(parts)
        columns["body"] = columns["body"].astype(np.str_)
        flights += len(np.unique(columns["flight"]))
        more_cells, more_curves = count(name, columns)
        cells += more_cells
        curves += more_curves
    return cells, curves, flights


def _write(folder: Path, cells: list[Cell], curves: list[Curve], flights: int, seed: int) -> None:
    import pyarrow as pa

    from tocsin.calibration.picture import picture
    from tocsin.formats.files import parquet_bytes, write_file

    table = pa.Table.from_pylist([_plain(cell) for cell in cells])
    write_file(folder / "calibration.parquet", parquet_bytes(table))
    title = f"Calibration of impact areas and times: {flights:,} drawn flights (seed {seed})"
    write_file(folder / "calibration.svg", picture(cells, curves, title).encode())


def _plain(cell: Cell) -> dict[str, Any]:
    import math

    values = cell._asdict() | {"verdict": _verdict(cell)}
    return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in values.items()}


def _verdict(cell: Cell) -> str:
    from tocsin.metrics.calibration import Share, verdict

    return verdict(Share(cell.said, cell.forecasts, cell.held, cell.share, cell.low, cell.high))


def _text(cells: list[Cell]) -> str:
    """The counts as a table for a person."""
    lines = [
        "                       area: % inside, by what is said       time: % inside",
        "family       before  forecasts     50      90      99       km2     50      90      99       s",
    ]
    groups: dict[tuple[str, str, int], list[Cell]] = {}
    for cell in cells:
        groups.setdefault((cell.family, cell.body, cell.lead), []).append(cell)
    for (family, body, lead), group in groups.items():
        label = f"  {body}" if body else family
        line = f"{label:<12} {f'{lead} s' if lead else 'first':>6} {group[0].forecasts:>10,}"
        for of in ("area", "time"):
            mine = [cell for cell in group if cell.of == of]
            for cell in mine:
                places = 2 if cell.said > 0.9 else 1
                line += f" {100 * cell.share:>6.{places}f}{_verdict(cell) or ' '}"
            line += f" {mine[-1].size:>8.1f}"
        lines.append(line)
    return "\n".join(lines)
