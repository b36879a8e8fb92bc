"""Fireball observations in ECSV (Enhanced Character-Separated Values): one camera a file.

A YAML heading in comment lines, then one row a pick. The Global Fireball Exchange
standard 1.2 (UKFAll, 2021) fixes the names used here: columns ``datetime, azimuth,
altitude``, metadata ``obs_latitude, obs_longitude, obs_elevation``. The files of the
Desert Fireball Network, from which it grew, add columns of errors.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import yaml

from tocsin.earth.ellipsoid import geodetic_to_ecef
from tocsin.errors import DataError
from tocsin.formats.tables import MAX_LISTED, Rejection, time_from_text
from tocsin.sensors.plots import Floats, Plots, Sensor
from tocsin.units import DEGREE_RAD

MAX_HEADING = 1_000_000  # characters; real ones have some thousand
# Where a file gives no errors: 2 arcminutes, what the Desert Fireball Network states for
# its own picks (medians of 1.4 to 2.9 arcminutes a camera and angle in DN141125_01).
DEFAULT_SIGMA_DEG = 2.0 / 60.0
# A pick is made by a person or a program that follows one fireball: most frames have one,
# next to none is false. The files say nothing about either.
DETECTION_PROBABILITY = 0.9
FALSE_PLOTS_PER_SCAN = 0.01
DEFAULT_PERIOD_S = 0.1  # of a file with a single pick
ALL_SKY = np.array([[0.0, 1e6], [0.0, 2.0 * math.pi], [0.0, math.pi / 2.0], [np.nan, np.nan]])
UNITS = {None: 1.0, "": 1.0, "deg": 1.0, "degree": 1.0, "rad": 1.0 / DEGREE_RAD, "arcmin": 1 / 60.0}
PLACE = {"obs_latitude": (-90.0, 90.0), "obs_longitude": (-180.0, 180.0), "obs_elevation": (-500.0, 9000.0)}


class Ecsv(NamedTuple):
    """A file's heading and body."""

    path: Path
    meta: dict[str, Any]
    units: dict[str, str | None]  # by column
    columns: dict[str, list[str]]  # text, n rows each
    line: list[int]  # of each row
    ragged: list[Rejection]


class Observation(NamedTuple):
    """What one camera saw of a fireball, n picks in order of time."""

    sensor: Sensor
    time_s: Floats  # (n,)
    azimuth_rad: Floats  # (n,) clockwise from true north
    elevation_rad: Floats  # (n,)
    rejected: tuple[Rejection, ...]
    errors_given: bool  # the file states errors; else they are DEFAULT_SIGMA_DEG


class _Loader(yaml.SafeLoader):
    """The safe loader; an astropy object, which it would refuse, becomes None."""


_Loader.add_multi_constructor("!", lambda loader, suffix, node: None)


def read_ecsv(path: Path) -> Ecsv:
    """Read an ECSV 0.9 or 1.0 file, delimited by commas or blanks. Raises DataError."""
    try:
        lines = path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    if not lines or not lines[0].startswith("# %ECSV "):
        raise DataError(f"{path}: is not ECSV (its first line must begin with '# %ECSV')")
    body = next((i for i, line in enumerate(lines) if not line.startswith("#")), len(lines))
    heading = "\n".join(line[2:] for line in lines[1:body])
    try:
        if len(heading) > MAX_HEADING:
            raise DataError(f"{path}: its heading has {len(heading)} characters, at most {MAX_HEADING}")
        head = yaml.load(heading, _Loader)  # noqa: S506
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        where = getattr(error, "problem_mark", None)
        place = f"line {where.line + 2}" if where else "the heading"
        raise DataError(
            f"{path}: {place} is not YAML ({getattr(error, 'problem', None) or error})"
        ) from error
    if not isinstance(head, dict) or not isinstance(head.get("datatype"), list):
        raise DataError(f"{path}: its heading lacks the list datatype")
    delimiter = head.get("delimiter", " ")
    if delimiter not in (" ", ","):
        raise DataError(f"{path}: delimiter is {delimiter!r}, must be a comma or a blank")
    units = {str(c.get("name")): c.get("unit") for c in head["datatype"] if isinstance(c, dict)}
    numbered = [(i, line) for i, line in enumerate(lines[body:], start=body + 1) if line.strip()]
    rows = list(csv.reader([line for _, line in numbered], delimiter=delimiter, skipinitialspace=True))
    if not rows:
        raise DataError(f"{path}: has no line of column names after its heading")
    names = [name.strip() for name in rows[0]]
    good, ragged = [], []
    for (number, line), row in zip(numbered[1:], rows[1:], strict=False):
        if len(row) == len(names):
            good.append((number, row))
        else:
            reason = f"has {len(row)} values, the heading {len(names)}"
            ragged.append(Rejection(path.name, number, "values", line[:60], reason))
    columns = {name: [row[i].strip() for _, row in good] for i, name in enumerate(names)}
    return Ecsv(path, _meta(head.get("meta")), units, columns, [number for number, _ in good], ragged)


def _meta(value: Any) -> dict[str, Any]:
    """Metadata as written: a mapping, an ordered mapping (pairs), or a list of small mappings."""
    if isinstance(value, dict):
        return {str(k): v for k, v in value.items()}
    pairs: dict[str, Any] = {}
    for item in value if isinstance(value, list) else []:
        if isinstance(item, dict):
            pairs |= {str(k): v for k, v in item.items()}
        elif isinstance(item, tuple) and len(item) == 2:
            pairs[str(item[0])] = item[1]
    return pairs


def is_observation(table: Ecsv) -> bool:
    """Whether the file is of one camera; files of a solution lack its place or its angles."""
    has_place = any(key in table.meta for key in PLACE)
    return has_place and ("azimuth" in table.columns or "altitude" in table.columns)


def observation(table: Ecsv) -> Observation:
    """The picks of one camera. Raises DataError that names file, field, value and limit.

    Azimuth and altitude are taken as they stand, free of refraction, as the exchange
    standard asks (note 1 of its appendix 3). obs_elevation is taken as height above the
    ellipsoid: the geoid, at most 105 m off, is under 2 arcminutes at 200 km.
    """
    missing = [name for name in ("datetime", "azimuth", "altitude") if name not in table.columns]
    if missing:
        raise DataError(f"{table.path}: lacks column {', '.join(missing)}")
    latitude, longitude, height = (_place(table, key) for key in PLACE)
    time_s = np.array([time_from_text(text) for text in table.columns["datetime"]], float)
    azimuth, altitude = _angles(table, "azimuth"), _angles(table, "altitude")
    timed = _timed(table)
    listed = list(table.ragged)
    checks = (
        ("datetime", np.isfinite(time_s), "is not a date and time (ISO 8601, UTC)"),
        ("timing", timed, "says that the time of this pick is not known"),
        ("azimuth", (azimuth >= -180.0) & (azimuth <= 360.0), "must be from -180 to 360 degrees"),
        ("altitude", (altitude >= -90.0) & (altitude <= 90.0), "must be from -90 to 90 degrees"),
    )
    good = np.ones(len(time_s), bool)
    for field, ok, reason in checks:
        for i in np.flatnonzero(good & ~ok):
            value = table.columns[field][i]
            empty = value in ("", "nan")
            why = "is missing" if empty else reason
            listed.append(Rejection(table.path.name, table.line[i], field, "" if empty else value[:60], why))
        good &= ok
    listed.sort(key=lambda rejection: rejection.row)
    if not good.any():
        if not listed:
            raise DataError(f"{table.path}: has no picks")
        raise DataError(
            f"{table.path}: none of its {len(listed)} picks can be used; the first: {listed[0].text}"
        )
    order = np.flatnonzero(good)[np.argsort(time_s[good], kind="stable")]
    sigma, given = _sigma(table, order)
    spacing = np.diff(np.unique(time_s[order]))
    sensor = Sensor(
        name=_name(table),
        kind="optical",
        latitude_rad=latitude * DEGREE_RAD,
        longitude_rad=longitude * DEGREE_RAD,
        height_m=height,
        sigma=np.array([np.nan, sigma[0], sigma[1], np.nan]) * DEGREE_RAD,
        detection_probability=DETECTION_PROBABILITY,
        false_plots_per_scan=FALSE_PLOTS_PER_SCAN,
        scan_period_s=round(float(np.median(spacing)), 6) if len(spacing) else DEFAULT_PERIOD_S,
        field_of_view=ALL_SKY,
        bias_sigma=np.zeros(4),
    )
    angles = (azimuth[order] * DEGREE_RAD) % (2.0 * math.pi), altitude[order] * DEGREE_RAD
    return Observation(sensor, time_s[order], *angles, tuple(listed[:MAX_LISTED]), given)


def _place(table: Ecsv, key: str) -> float:
    low, high = PLACE[key]
    value = table.meta.get(key)
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        number = math.nan
    if not low <= number <= high:
        shown = "missing" if value is None else repr(value)
        raise DataError(f"{table.path}: metadata {key} is {shown}, must be a number from {low:g} to {high:g}")
    return number


def _angles(table: Ecsv, name: str) -> Floats:
    """A column of angles in degrees (n,); NaN for what is no number."""
    unit = table.units.get(name)
    if unit not in UNITS:
        raise DataError(f"{table.path}: column {name} has unit {unit!r}, must be deg, rad or arcmin")
    out = np.full(len(table.line), np.nan)
    for i, text in enumerate(table.columns[name]):
        try:
            out[i] = float(text)
        except ValueError:
            continue
    return out * UNITS[unit]


def _timed(table: Ecsv) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Where the column ``timing`` (Desert Fireball Network) does not deny that the time is known."""
    return np.array(
        [text.lower() != "false" for text in table.columns.get("timing", [""] * len(table.line))], bool
    )


def _sigma(table: Ecsv, rows: Any) -> tuple[tuple[float, float], bool]:
    """One-sigma of azimuth and altitude in degrees: the median of the errors given, or the default."""
    medians = []
    for angle in ("azimuth", "altitude"):
        names = [
            f"err_{sign}_{angle}" for sign in ("minus", "plus") if f"err_{sign}_{angle}" in table.columns
        ]
        errors = np.array([np.abs(_angles(table, name))[rows] for name in names]).reshape(-1)
        errors = errors[(errors > 0.0) & (errors < 36.0)]
        medians.append(float(np.median(errors)) if len(errors) else math.nan)
    if not any(math.isfinite(median) for median in medians):
        return (DEFAULT_SIGMA_DEG, DEFAULT_SIGMA_DEG), False
    azimuth, altitude = (DEFAULT_SIGMA_DEG if math.isnan(median) else median for median in medians)
    return (azimuth, altitude), True


def _name(table: Ecsv) -> str:
    for key in ("camera_id", "dfn_camera_codename", "telescope", "location"):
        if name := str(table.meta.get(key) or "").strip():
            return name
    return table.path.stem


def merged(observations: Sequence[Observation]) -> tuple[tuple[Sensor, ...], Plots]:
    """All cameras as the sensors and plots of one recording.

    Each moment of a camera is a scan of its own. Cameras of one name are told apart by a number.
    """
    sensors: list[Sensor] = []
    parts: list[Plots] = []
    names: list[str] = []
    for i, seen in enumerate(observations):
        count = names.count(seen.sensor.name)
        names.append(seen.sensor.name)
        sensors.append(seen.sensor._replace(name=f"{seen.sensor.name}-{count + 1}") if count else seen.sensor)
        n = len(seen.time_s)
        blank = np.full(n, np.nan)
        measured = np.column_stack([blank, seen.azimuth_rad, seen.elevation_rad, blank])
        scan = np.unique(seen.time_s, return_inverse=True)[1] + 1
        place = (seen.sensor.latitude_rad, seen.sensor.longitude_rad, seen.sensor.height_m)
        position_m = np.tile(geodetic_to_ecef(*place), (n, 1))
        parts.append(Plots(seen.time_s, seen.time_s, np.full(n, i), scan, measured, position_m, blank))
    plots = Plots(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
    return tuple(sensors), plots.rows(np.argsort(plots.received_s, kind="stable"))
