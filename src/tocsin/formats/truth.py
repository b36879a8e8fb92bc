"""Truth, impacts and bounds of a recording, for scoring alone; never an input of a replay."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from tocsin.errors import DataError
from tocsin.formats.tables import Table, find_table, numbers, read_table, seconds, texts
from tocsin.sensors.plots import Floats, Ints

STATE = ("x_m", "y_m", "z_m", "vx_m_s", "vy_m_s", "vz_m_s")


class Flown(NamedTuple):
    """Rows of truth, n of them, in any order."""

    time_s: Floats  # (n,)
    name: tuple[str, ...]
    kind: tuple[str, ...]
    state: Floats  # (n, 6) ECEF


class Fallen(NamedTuple):
    """One row of impacts.csv."""

    name: str
    kind: str
    time_s: float
    latitude_deg: float
    longitude_deg: float


class Oracle(NamedTuple):
    """Rows of oracle.parquet, n of them, in any order."""

    time_s: Floats
    name: tuple[str, ...]
    pos_sigma_m: Floats
    impact_area99_km2: Floats
    in_view: np.ndarray[tuple[int], np.dtype[np.bool_]]
    plots_so_far: Ints


def _names(table: Table, column: str) -> tuple[str, ...]:
    values = texts(table, column)
    if values.null_count:
        row = int(table.row[np.flatnonzero(np.asarray(values.is_null()))[0]])
        raise DataError(f"{table.path}, row {row}: {column} is missing")
    return tuple(values.to_pylist())


def _finite(table: Table, column: str, values: Floats) -> Floats:
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad):
        value = table.columns[column][int(bad[0])].as_py()
        raise DataError(f"{table.path}, row {table.row[bad[0]]}: {column} {value!r} is not usable")
    return values


def read_truth(folder: str | Path) -> tuple[Flown, tuple[Fallen, ...], Oracle | None]:
    """Read truth, impacts and, where there is one, the oracle of a recording.

    Raises DataError where truth or impacts are missing or a value cannot be used: truth is
    made by a program, and a score of half a truth would mislead.
    """
    folder = Path(folder)
    path = find_table(folder, "truth")
    if path is None:
        raise DataError(f"{folder}: has neither truth.parquet nor truth.csv; without truth there is no score")
    table = read_table(path, ["time", "object", "kind", *STATE])
    state = np.stack([_finite(table, c, numbers(table, c)) for c in STATE], -1)
    time_s = _finite(table, "time", seconds(table, "time"))
    flown = Flown(time_s, _names(table, "object"), _names(table, "kind"), state)
    path = folder / "impacts.csv"
    if not path.is_file():
        raise DataError(f"{folder}: has no impacts.csv; without it there is no score")
    return flown, read_fallen(path), _oracle(folder)


def read_fallen(path: Path) -> tuple[Fallen, ...]:
    """The rows of impacts.csv. Raises DataError where a value cannot be used."""
    table = read_table(path, ["object", "kind", "time", "lat_deg", "lon_deg"])
    time_s = _finite(table, "time", seconds(table, "time"))
    places = [_finite(table, c, numbers(table, c)) for c in ("lat_deg", "lon_deg")]
    rows = zip(_names(table, "object"), _names(table, "kind"), time_s, *places, strict=True)
    return tuple(Fallen(name, kind, float(t), float(lat), float(lon)) for name, kind, t, lat, lon in rows)


def _oracle(folder: Path) -> Oracle | None:
    path = folder / "oracle.parquet"
    if not path.is_file():
        return None
    needed = ["time", "object", "pos_sigma_m", "impact_area99_km2", "in_view", "plots_so_far"]
    table = read_table(path, needed)
    view = table.columns["in_view"]
    if not pa.types.is_boolean(view.type):
        raise DataError(f"{path}: column in_view is of type {view.type}, must be true or false")
    return Oracle(
        _finite(table, "time", seconds(table, "time")),
        _names(table, "object"),
        numbers(table, "pos_sigma_m"),
        numbers(table, "impact_area99_km2"),
        np.asarray(view.fill_null(False)),
        numbers(table, "plots_so_far").astype(np.int64),
    )
