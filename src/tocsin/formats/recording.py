"""A recording: a folder of sensors, plots and the paths of moving sensors.

The contract stands in docs/recording.md. A row that cannot be used is noted and left
out; what makes the recording unusable as a whole raises DataError.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tocsin.earth.ellipsoid import geodetic_to_ecef
from tocsin.errors import DataError
from tocsin.formats.recording_writer import write_recording as write_recording
from tocsin.formats.sensors import LIMITS, QUANTITIES, TO_SI, read_sensors
from tocsin.formats.tables import (
    Rejection,
    Sieve,
    Table,
    find_table,
    numbers,
    read_table,
    seconds,
    shown,
    texts,
)
from tocsin.sensors.plots import Floats, Ints, Plots, Sensor

# A plot measured outside the rows of its moving sensor takes the nearest position. After
# 5 s even a satellite in low orbit (7.7 km/s) is 40 km off, so no later than that.
PLATFORM_MARGIN_S = 5.0
# The clocks of sensor and centre may differ a little; a plot cannot arrive before it is made.
MAX_EARLY_S = 1.0
# Nothing that falls takes so long; a plot this late has a broken clock.
MAX_LATE_S = 3600.0
# A clock that was never set says 1970, one that lost a GPS week roll-over is 19.6 years off.
MAX_FROM_MEDIAN_S = 31 * 86400.0
LAST_TIME_S = 4102444800.0  # 2100-01-01
MIN_RADIUS_M, MAX_RADIUS_M = 6.33e6, 5e8  # from below the lowest ground to beyond the Moon
# What an object can report as its own height: from the lowest dry land, with some error, to beyond any transponder.
MIN_REPORTED_M, MAX_REPORTED_M = -1000.0, 30000.0
MAX_SCAN = 2.0**53  # whole numbers up to here survive in a float

Progress = Callable[[int, int], None]  # steps done, steps in all


class Platform(NamedTuple):
    """The path of a moving sensor, m rows in order of time."""

    time_s: Floats  # (m,)
    position_m: Floats  # (m, 3) ECEF


class Recording(NamedTuple):
    """All that a replay needs of a recording."""

    name: str
    sensors: tuple[Sensor, ...]
    plots: Plots  # in the order of arrival
    start_s: float  # first measurement; 0 where there are no plots
    end_s: float  # last arrival; 0 where there are no plots
    rejected: tuple[Rejection, ...]  # at most MAX_LISTED a file; counts has them all
    counts: dict[str, int]
    platforms: dict[str, Platform]


def read_recording(folder: str | Path, progress: Progress | None = None) -> Recording:
    """Read a recording from a folder.

    ``progress`` is called with the number of steps done and of all steps. Raises
    DataError, with file, row, field, value and limit, if the recording cannot be used.
    """
    folder = Path(folder)
    tell = progress or (lambda done, total: None)
    if not folder.is_dir():
        raise DataError(f"{folder}: {'is not a folder' if folder.exists() else 'no such folder'}")
    tell(0, 4)
    sensors_path = folder / "sensors.geojson"
    if not sensors_path.is_file():
        raise DataError(f"{folder}: has no sensors.geojson")
    sensors = read_sensors(sensors_path)
    tell(1, 4)
    platforms, sieve_platforms = _read_platforms(folder, sensors)
    tell(2, 4)
    path = find_table(folder, "plots")
    if path is None:
        raise DataError(f"{folder}: has neither plots.parquet nor plots.csv")
    measures = np.array([~np.isnan(sensor.sigma) for sensor in sensors])  # (sensors, 4)
    used = [quantity for i, quantity in enumerate(QUANTITIES) if measures[:, i].any()]
    needed = ["time", "sensor", "scan", *used]
    table = read_table(path, needed, ["received", "height_m"])
    tell(3, 4)
    sieve = Sieve(table)
    plots = _plots(table, sieve, sensors, measures, platforms)
    rows = len(table.row) + len(table.ragged)
    if rows and not plots.count:
        raise DataError(f"{path}: none of its {rows} plots can be used; the first: {sieve.rejected[0].text}")
    order = np.argsort(plots.received_s, kind="stable")
    counts = {
        "rows": rows,
        "plots": plots.count,
        "rejected": sieve.count,
        "platform_rows_rejected": sieve_platforms.count if sieve_platforms else 0,
        "out_of_order": int(np.sum(np.diff(plots.received_s) < 0)),
    }
    counts |= {f"rejected_{field}": n for field, n in sorted(sieve.fields.items()) if n}
    tell(4, 4)
    return Recording(
        name=folder.resolve().name,
        sensors=sensors,
        plots=plots.rows(order),
        start_s=float(plots.time_s.min()) if plots.count else 0.0,
        end_s=float(plots.received_s.max()) if plots.count else 0.0,
        rejected=(*(sieve_platforms.rejected if sieve_platforms else ()), *sieve.rejected),
        counts=counts,
        platforms=platforms,
    )


def _time(table: Table, sieve: Sieve, name: str = "time") -> Floats:
    """The column ``name``; rows without a usable time are dropped, but for an empty ``received``."""
    time_s = seconds(table, name)
    bad = ~((time_s >= 0.0) & (time_s <= LAST_TIME_S))
    if name == "received":
        bad &= np.asarray(table.columns[name].is_valid())
    sieve.drop(bad, name, "is not a time from 1970 to 2100 (ISO 8601, UTC)")
    return time_s


def _sensor_index(table: Table, sieve: Sieve, sensors: tuple[Sensor, ...]) -> Ints:
    """Which sensor each row is of, -1 where the row does not say. An unknown one is an error."""
    column = texts(table, "sensor")
    names = pa.array([sensor.name for sensor in sensors], column.type)
    index = pc.index_in(column, value_set=names)
    empty = np.asarray(pc.fill_null(pc.equal(column, ""), True))
    sieve.drop(empty, "sensor", "is missing")
    unknown = np.flatnonzero(np.asarray(index.is_null()) & ~empty)
    if len(unknown):
        first = int(unknown[0])
        count = "line" if table.path.suffix == ".csv" else "row"
        known = ", ".join(sensor.name for sensor in sensors[:10]) + (", ..." if len(sensors) > 10 else "")
        raise DataError(
            f"{table.path}, {count} {table.row[first]}: sensor {shown(table, 'sensor', first)!r} is not in "
            f"sensors.geojson, which has {known} ({len(unknown)} such rows)"
        )
    return np.asarray(index.fill_null(-1).cast(pa.int64()))


def _plots(
    table: Table,
    sieve: Sieve,
    sensors: tuple[Sensor, ...],
    measures: np.ndarray[tuple[int, int], np.dtype[np.bool_]],
    platforms: dict[str, Platform],
) -> Plots:
    """The good rows of the table, in its order."""
    n = len(table.row)
    sensor = _sensor_index(table, sieve, sensors)
    time_s = _time(table, sieve)
    if sieve.good.any():
        off = np.abs(time_s - np.median(time_s[sieve.good])) > MAX_FROM_MEDIAN_S
        sieve.drop(off, "time", f"is more than {MAX_FROM_MEDIAN_S / 86400:g} days from most of the plots")
    received_s = time_s
    if "received" in table.columns:
        received_s = _time(table, sieve, "received")
        received_s = np.where(np.isnan(received_s), time_s, received_s)
        early, late = received_s < time_s - MAX_EARLY_S, received_s > time_s + MAX_LATE_S
        sieve.drop(early, "received", f"is more than {MAX_EARLY_S:g} s before the time of the measurement")
        sieve.drop(late, "received", f"is more than {MAX_LATE_S:g} s after the time of the measurement")
    scan = numbers(table, "scan")
    whole = (scan == np.floor(scan)) & (np.abs(scan) < MAX_SCAN)
    sieve.drop(~whole, "scan", "is not a whole number")

    measured = np.full((n, 4), np.nan)
    given = np.zeros((n, 4), bool)
    for i, quantity in enumerate(QUANTITIES):
        if quantity not in table.columns:  # no sensor measures it
            continue
        low, high = LIMITS[quantity]
        value = numbers(table, quantity)
        wanted = given[:, i] = measures[sensor, i] & np.asarray(table.columns[quantity].is_valid())
        inside = (value >= low) & (value <= high) & ((value > 0.0) | (quantity != "range_m"))
        limit = (
            f"must be a number above 0 and at most {high:g}"
            if quantity == "range_m"
            else (f"must be a number from {low:g} to {high:g}")
        )
        sieve.drop(wanted & ~inside, quantity, limit)
        measured[:, i] = np.where(wanted & inside, value, np.nan) * TO_SI[i]
    measured[:, 1] %= 2.0 * np.pi
    nothing, half = ~given.any(axis=1), given[:, 1] != given[:, 2]
    for i, quantity in enumerate(
        QUANTITIES
    ):  # a look may have range or angles alone, but not one angle of two
        lacking = measures[sensor, i] & ~given[:, i]
        sieve.drop(lacking & (nothing | half if i in (1, 2) else nothing), quantity, "is missing")

    height_m = np.full(n, np.nan)
    if "height_m" in table.columns:
        height_m = numbers(table, "height_m")
        told = np.asarray(table.columns["height_m"].is_valid())
        outside = told & ~((height_m >= MIN_REPORTED_M) & (height_m <= MAX_REPORTED_M))
        sieve.drop(outside, "height_m", f"must be a number from {MIN_REPORTED_M:g} to {MAX_REPORTED_M:g}")

    position_m = np.zeros((n, 3))
    for i, one in enumerate(sensors):
        its = np.flatnonzero((sensor == i) & sieve.good)
        path = platforms.get(one.name)
        if path is None:
            position_m[its] = geodetic_to_ecef(one.latitude_rad, one.longitude_rad, one.height_m)
            continue
        when = time_s[its]
        outside = np.zeros(n, bool)
        before, after = path.time_s[0] - PLATFORM_MARGIN_S, path.time_s[-1] + PLATFORM_MARGIN_S
        outside[its] = (when < before) | (when > after)
        too_far = f"is more than {PLATFORM_MARGIN_S:g} s outside the platform rows of {one.name}"
        sieve.drop(outside, "time", too_far)
        for axis in range(3):
            position_m[its, axis] = np.interp(when, path.time_s, path.position_m[:, axis])
    whole_scan = np.where(sieve.good, scan, 0.0).astype(np.int64)
    return Plots(time_s, received_s, sensor, whole_scan, measured, position_m, height_m).rows(sieve.good)


def _read_platforms(folder: Path, sensors: tuple[Sensor, ...]) -> tuple[dict[str, Platform], Sieve | None]:
    """The paths of moving sensors, by name. A plain folder without platforms has none."""
    path = find_table(folder, "platforms")
    if path is None:
        return {}, None
    table = read_table(path, ["time", "sensor", "x_m", "y_m", "z_m"])
    sieve = Sieve(table)
    index = _sensor_index(table, sieve, sensors)
    time_s = _time(table, sieve)
    position_m = np.column_stack([numbers(table, axis) for axis in ("x_m", "y_m", "z_m")])
    for i, axis in enumerate(("x_m", "y_m", "z_m")):
        sieve.drop(
            ~(np.abs(position_m[:, i]) <= MAX_RADIUS_M), axis, f"must be a number within {MAX_RADIUS_M:g}"
        )
    radius_m = np.linalg.norm(position_m, axis=1)
    sieve.drop(
        ~(radius_m >= MIN_RADIUS_M),
        "x_m",
        f"makes a position less than {MIN_RADIUS_M:g} m from the Earth's centre",
    )
    platforms = {}
    for i, sensor in enumerate(sensors):
        if not (index == i).any():
            continue
        its = np.flatnonzero((index == i) & sieve.good)
        if not len(its):
            raise DataError(
                f"{path}: no row of {sensor.name} can be used; the first: {sieve.rejected[0].text}"
            )
        its = its[np.argsort(time_s[its], kind="stable")]
        platforms[sensor.name] = Platform(time_s[its], position_m[its])
    return platforms, sieve
