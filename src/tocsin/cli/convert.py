"""tocsin convert: observation files of others into a recording."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tocsin.cli.output import example, warn, warn_of_rows
from tocsin.errors import DataError, UsageError

if TYPE_CHECKING:
    from tocsin.formats.observed import Observed

KNOWN = "fireball observations (ECSV), tracking data messages (TDM), inputs of Orekit's orbit determination"


HEAD = 100_000  # characters that tell the form of a file


class _Converted(NamedTuple):
    observed: Observed
    noun: str  # for the sensors
    of_each: list[dict[str, Any]]  # a sensor, for JSON
    notes: list[str]  # a sensor, for people
    skipped: list[str]  # files


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "convert",
        help="make a recording of observations in other forms (ECSV, TDM, Orekit)",
        description="Make a recording of observation files. Their form is seen from what is in them:\n"
        "\n"
        "ECSV     fireball observations of the Global Fireball Exchange, one file a camera\n"
        "TDM      CCSDS tracking data messages (KVN) of range, azimuth and elevation, range rate;\n"
        "         where the stations stand is not in them: give --sensors\n"
        "Orekit   the input of an orbit determination (key = value), with the files of RANGE\n"
        "         and AZ_EL measurements that it names\n"
        "\n"
        "What is assumed where the files are silent stands in the how-to.",
        epilog=example(
            "tocsin convert fireball/ --out recording",
            "tocsin convert cam1.ecsv cam2.ecsv --out recording",
            "tocsin convert pass.tdm --sensors sensors.geojson --out recording",
            "tocsin convert od_test_W3.in --out recording",
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "source", metavar="SOURCE", nargs="+", type=Path, help="a file of observations, or a folder of them"
    )
    parser.add_argument("--out", metavar="RECORDING", type=Path, required=True, help="folder to write")
    parser.add_argument(
        "--sensors",
        metavar="FILE",
        type=Path,
        help="sensors.geojson of the stations of tracking data messages",
    )
    parser.add_argument("--csv", action="store_true", help="write plots.csv instead of plots.parquet")
    parser.add_argument("--json", action="store_true", help="print what was done as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Convert, and say what came of it."""
    from tocsin.formats.recording import write_recording

    form, files = _files(args.source)
    done = form(files, args.sensors)
    sensors, plots, rejected = done.observed
    write_recording(args.out, sensors, {}, plots, csv=args.csv)

    warn_of_rows(rejected, len(rejected))
    if args.json:
        result = {"recording": str(args.out), "plots": plots.count, done.noun: done.of_each}
        result |= {"skipped_files": done.skipped, "rejected": [rejection._asdict() for rejection in rejected]}
        print(json.dumps(result, indent=1))
        return 0
    for one, note in zip(done.of_each, done.notes, strict=True):
        print(f"{one['sensor']}: {one['plots']} plots{note}")
    noun = done.noun if len(sensors) > 1 else done.noun[:-1]
    print(f"Recording of {len(sensors)} {noun}, {plots.count} plots: {args.out}")
    return 0


def _ecsv(files: list[Path], sensors: Path | None) -> _Converted:
    from tocsin.formats import ecsv
    from tocsin.formats.observed import Observed

    _no_sensors(sensors, "ECSV")
    seen: list[ecsv.Observation] = []
    skipped: list[str] = []
    for path in files:
        table = ecsv.read_ecsv(path)
        if ecsv.is_observation(table):
            seen.append(ecsv.observation(table))
        else:
            skipped.append(str(path))
            warn(f"{path}: skipped; no camera's observations (no obs_latitude or no azimuth and altitude)")
    if not seen:
        raise DataError(f"{', '.join(map(str, files))}: no file with a camera's observations")
    cameras, plots = ecsv.merged(seen)
    observed = Observed(cameras, plots, tuple(rejection for one in seen for rejection in one.rejected))
    of_each = [
        {"sensor": camera.name, "plots": len(one.time_s), "errors_given": one.errors_given}
        for camera, one in zip(cameras, seen, strict=True)
    ]
    assumed = f", no errors given: {ecsv.DEFAULT_SIGMA_DEG * 60:g} arcminutes taken"
    return _Converted(
        observed, "cameras", of_each, ["" if one.errors_given else assumed for one in seen], skipped
    )


def _orekit(files: list[Path], sensors: Path | None) -> _Converted:
    from tocsin.formats import orekit
    from tocsin.formats.observed import read_lines

    _no_sensors(sensors, "Orekit")
    if len(files) > 1:
        raise DataError(f"{files[1]}: a second input of an orbit determination; give one at a time")
    return _stations(orekit.observed(orekit.read_setup(files[0], read_lines(files[0]))))


def _tdm(files: list[Path], sensors: Path | None) -> _Converted:
    from tocsin.formats import tdm
    from tocsin.formats.observed import read_lines
    from tocsin.formats.sensors import read_sensors

    if sensors is None:
        raise UsageError(
            f"convert: {files[0]} does not say where its stations stand; give --sensors sensors.geojson"
        )
    done = tdm.observed([(path, read_lines(path)) for path in files], read_sensors(sensors))
    if done.unused:
        warn(f"not used: {', '.join(done.unused)}")
    return _stations(done.observed)


def _stations(observed: Observed) -> _Converted:
    import numpy as np

    counts = np.bincount(observed.plots.sensor, minlength=len(observed.sensors))
    of_each = [{"sensor": one.name, "plots": int(n)} for one, n in zip(observed.sensors, counts, strict=True)]
    return _Converted(observed, "stations", of_each, [""] * len(of_each), [])


def _no_sensors(sensors: Path | None, form: str) -> None:
    if sensors is not None:
        raise UsageError(
            f"convert: --sensors is of no use for {form} files, which say where their sensors are"
        )


Form = Callable[[list[Path], Path | None], _Converted]


def _files(sources: list[Path]) -> tuple[Form, list[Path]]:
    """The files of observations, and what converts them. All must be of one form."""
    found: dict[Form, list[Path]] = {}
    for source in sources:
        if source.is_dir():
            inside = [(path, _form(path)) for path in sorted(source.iterdir()) if path.is_file()]
            known = [(path, form) for path, form in inside if form is not None]
            if not known:
                raise DataError(f"{source}: has no file of a form that is known: {KNOWN}")
        elif source.is_file():
            form = _form(source)
            if form is None:
                raise DataError(f"{source}: is not of a form that is known: {KNOWN}{_hint(source)}")
            known = [(source, form)]
        else:
            raise DataError(f"{source}: no such file or folder")
        for path, form in known:
            found.setdefault(form, []).append(path)
    if len(found) > 1:
        mixed = " and ".join(str(files[0]) for files in found.values())
        raise DataError(f"{mixed} are of different forms; convert one form at a time")
    return next(iter(found.items()))


def _form(path: Path) -> Form | None:
    """What converts a file, by what is in it; an .ecsv is one whatever is in it."""
    from tocsin.formats import orekit, tdm
    from tocsin.formats.observed import read_lines

    if path.suffix.lower() == ".ecsv":
        return _ecsv
    lines = read_lines(path, HEAD)
    if lines and lines[0].startswith("# %ECSV "):
        return _ecsv
    if tdm.is_tdm(lines):
        return _tdm
    return _orekit if orekit.is_setup(lines) else None


def _hint(path: Path) -> str:
    from tocsin.formats import orekit
    from tocsin.formats.observed import read_lines

    measurements = orekit.is_measurements(read_lines(path, HEAD))
    return (
        " (it has measurements: give the input file that names it and the stations)" if measurements else ""
    )
