"""tocsin convert: observation files of others into a recording."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from tocsin.cli.output import example, warn, warn_of_rows
from tocsin.errors import DataError

if TYPE_CHECKING:
    from tocsin.formats.ecsv import Observation


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "convert",
        help="make a recording of fireball observations (ECSV)",
        description="Make a recording of fireball observations: Global Fireball Exchange ECSV files,\n"
        "one a camera. Azimuth and altitude are taken as free of refraction.",
        epilog=example(
            "tocsin convert fireball/ --out recording", "tocsin convert cam1.ecsv cam2.ecsv --out recording"
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "source", metavar="SOURCE", nargs="+", type=Path, help="an ECSV file, or a folder of them"
    )
    parser.add_argument("--out", metavar="RECORDING", type=Path, required=True, help="folder to write")
    parser.add_argument("--csv", action="store_true", help="write plots.csv instead of plots.parquet")
    parser.add_argument("--json", action="store_true", help="print what was done as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Convert, and say what came of it."""
    from tocsin.formats import ecsv
    from tocsin.formats.recording import write_recording

    seen: list[Observation] = []
    skipped: list[str] = []
    for path in _files(args.source):
        table = ecsv.read_ecsv(path)
        if ecsv.is_observation(table):
            seen.append(ecsv.observation(table))
        else:
            skipped.append(str(path))
            warn(f"{path}: skipped; no camera's observations (no obs_latitude or no azimuth and altitude)")
    if not seen:
        raise DataError(f"{', '.join(map(str, args.source))}: no file with a camera's observations")
    sensors, plots = ecsv.merged(seen)
    write_recording(args.out, sensors, {}, plots, csv=args.csv)

    rejected = [rejection for one in seen for rejection in one.rejected]
    warn_of_rows(rejected, len(rejected))
    cameras = [
        {"sensor": sensor.name, "plots": len(one.time_s), "errors_given": one.errors_given}
        for sensor, one in zip(sensors, seen, strict=True)
    ]
    if args.json:
        result = {"recording": str(args.out), "plots": plots.count, "cameras": cameras}
        result |= {"skipped_files": skipped, "rejected": [rejection._asdict() for rejection in rejected]}
        print(json.dumps(result, indent=1))
        return 0
    for camera in cameras:
        note = (
            ""
            if camera["errors_given"]
            else f", no errors given: {ecsv.DEFAULT_SIGMA_DEG * 60:g} arcminutes taken"
        )
        print(f"{camera['sensor']}: {camera['plots']} plots{note}")
    print(f"Recording of {len(cameras)} cameras, {plots.count} plots: {args.out}")
    return 0


def _files(sources: list[Path]) -> list[Path]:
    files: list[Path] = []
    for source in sources:
        if source.is_dir():
            found = sorted(path for path in source.iterdir() if path.suffix.lower() == ".ecsv")
            if not found:
                raise DataError(f"{source}: has no .ecsv file")
            files += found
        elif source.is_file():
            files.append(source)
        else:
            raise DataError(f"{source}: no such file or folder")
    return files
