"""Columns out of Parquet and CSV files, with the number of every row as a person counts.

A row that cannot be used is not an end: a sieve notes it, with file, row, field and
value, and drops it. What makes the whole file unusable raises DataError.
"""

from __future__ import annotations

import csv
import datetime
import io
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tocsin.errors import DataError
from tocsin.sensors.plots import Floats, Ints

MAX_LISTED = 1000  # rejections kept word for word per file; all are counted
VALUE_LENGTH = 60  # characters of a wrong value that are repeated
_TIME = r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)$"
Mask = NDArray[np.bool_]


class Rejection(NamedTuple):
    """One row that was left out, and why."""

    file: str
    row: int  # line of a text file, row of a Parquet file, both from 1
    field: str
    value: str
    reason: str

    @property
    def text(self) -> str:
        """One sentence for a person."""
        count = "row" if self.file.endswith(".parquet") else "line"
        value = f" {self.value!r}" if self.value else ""
        return f"{self.file}, {count} {self.row}: {self.field}{value} {self.reason}"


class Table(NamedTuple):
    """A file's columns, n rows each: native in Parquet, text in CSV."""

    path: Path
    columns: dict[str, pa.Array]
    row: Ints  # (n,) number of each row as a person counts
    ragged: tuple[Rejection, ...]  # lines with more or fewer values than the heading


class Sieve:
    """Notes rows that cannot be used. ``good`` (n,) marks those that are left."""

    def __init__(self, table: Table) -> None:
        """Start with every row of ``table`` good."""
        self.table = table
        self.good: Mask = np.ones(len(table.row), bool)
        self.listed: list[Rejection] = list(table.ragged[:MAX_LISTED])
        self.fields: Counter[str] = Counter(rejection.field for rejection in table.ragged)

    def drop(self, mask: Mask, field: str, reason: str) -> None:
        """Drop the rows of ``mask`` (n,) that are still good, because of ``field``."""
        rows = np.flatnonzero(mask & self.good)
        self.good &= ~mask
        self.fields[field] += len(rows)
        for i in rows[: max(0, MAX_LISTED - len(self.listed))]:
            value = shown(self.table, field, int(i))
            why = reason if value else "is missing"
            self.listed.append(Rejection(self.table.path.name, int(self.table.row[i]), field, value, why))

    @property
    def count(self) -> int:
        """Number of rows dropped."""
        return self.fields.total()

    @property
    def rejected(self) -> list[Rejection]:
        """The rejections kept word for word, in the order of the file."""
        return sorted(self.listed, key=lambda rejection: rejection.row)


def shown(table: Table, field: str, i: int) -> str:
    """The value of a field in row ``i`` of the table (from 0), for a message; empty where there is none."""
    try:
        value = table.columns[field][i].as_py()
    except (ValueError, OverflowError):  # bytes that are no text, a time that is beyond all calendars
        return "(unreadable)"
    return "" if value is None else str(value)[:VALUE_LENGTH]


def find_table(folder: Path, stem: str) -> Path | None:
    """``stem.parquet`` or, where there is none, ``stem.csv``; None if neither is there."""
    for suffix in (".parquet", ".csv"):
        if (path := folder / f"{stem}{suffix}").is_file():
            return path
    return None


def read_table(path: Path, needed: Sequence[str], optional: Sequence[str] = ()) -> Table:
    """Read some columns of a Parquet or CSV file.

    Raises DataError if the file cannot be read or a needed column is missing.
    """
    try:
        return (_read_csv if path.suffix == ".csv" else _read_parquet)(path, needed, optional)
    except (pa.ArrowException, csv.Error, UnicodeDecodeError) as error:
        kind = "CSV" if path.suffix == ".csv" else "Parquet"
        raise DataError(
            f"{path}: is not a whole {kind} file ({' '.join(str(error).split())[:200]})"
        ) from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error


def _pick(path: Path, have: Sequence[str], needed: Sequence[str], optional: Sequence[str]) -> list[str]:
    missing = [name for name in needed if name not in have]
    if missing:
        what = "lacks column" if len(missing) == 1 else "lacks columns"
        raise DataError(f"{path}: {what} {', '.join(missing)} (it has: {', '.join(have) or 'none'})")
    picked = [*needed, *(name for name in optional if name in have)]
    double = [name for name in picked if list(have).count(name) > 1]
    if double:
        raise DataError(f"{path}: has column {double[0]} more than once")
    return picked


def _read_parquet(path: Path, needed: Sequence[str], optional: Sequence[str]) -> Table:
    file = pq.ParquetFile(path)
    picked = _pick(path, file.schema_arrow.names, needed, optional)
    table = file.read(columns=picked)
    columns = {}
    for name in picked:
        column = table.column(name).combine_chunks()
        if isinstance(column, pa.ChunkedArray):  # older pyarrow keeps the wrapper of an empty column
            column = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
        columns[name] = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
    return Table(path, columns, np.arange(1, table.num_rows + 1), ())


def _read_csv(path: Path, needed: Sequence[str], optional: Sequence[str]) -> Table:
    raw = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    try:
        raw.decode()
    except UnicodeDecodeError:  # the row with the odd byte will be found wanting, not the file
        raw = raw.decode(errors="replace").encode()
    if b'"' in raw:  # a quote that is never closed would swallow all lines after it
        lines = raw.split(b"\n")
        raw = b"\n".join(line if line.count(b'"') % 2 == 0 else line.replace(b'"', b"") for line in lines)
    heading = raw.split(b"\n", 1)[0].decode().strip()
    if not heading:
        raise DataError(f"{path}: is empty, without even a heading line")
    have = [name.strip() for name in next(csv.reader([heading]))]
    picked = _pick(path, have, needed, optional)
    ragged: list[Rejection] = []
    skipped: list[int] = []

    def skip(line: pcsv.InvalidRow) -> str:
        skipped.append(line.number)
        reason = f"has {line.actual_columns} values, the heading {line.expected_columns}"
        ragged.append(Rejection(path.name, line.number, "values", line.text[:VALUE_LENGTH], reason))
        return "skip"

    table = pcsv.read_csv(
        io.BytesIO(raw),
        # one thread: only then does pyarrow count the lines
        read_options=pcsv.ReadOptions(use_threads=False, column_names=have, skip_rows=1),
        parse_options=pcsv.ParseOptions(ignore_empty_lines=False, invalid_row_handler=skip),
        convert_options=pcsv.ConvertOptions(
            column_types=dict.fromkeys(have, pa.string()),
            include_columns=picked,
            strings_can_be_null=True,
            null_values=[""],
        ),
    )
    text = {name: pc.utf8_trim_whitespace(table.column(name).combine_chunks()) for name in picked}
    line = np.arange(2, 2 + table.num_rows + len(skipped))
    line = np.setdiff1d(line, skipped, assume_unique=True)
    blank = np.logical_and.reduce([np.asarray(column.is_null()) for column in text.values()])
    keep = pa.array(~blank)
    return Table(path, {k: v.filter(keep) for k, v in text.items()}, line[~blank], tuple(ragged))


def _wrong_type(table: Table, name: str, wanted: str) -> DataError:
    return DataError(f"{table.path}: column {name} is of type {table.columns[name].type}, must be {wanted}")


def seconds(table: Table, name: str) -> Floats:
    """A time column as seconds since 1970 UTC (n,), to the microsecond; NaN for what is no time.

    Text in any ISO 8601 form with date and time; a time without a zone is UTC.
    """
    column = table.columns[name]
    if pa.types.is_timestamp(column.type):
        microseconds = column.cast(pa.timestamp("us", tz=column.type.tz), safe=False).cast(pa.int64())
        return np.where(column.is_null(), np.nan, microseconds.fill_null(0)) / 1e6
    if pa.types.is_null(column.type):
        return np.full(len(column), np.nan)
    if not _is_text(column):
        raise _wrong_type(table, name, "a timestamp (UTC) or ISO 8601 text")
    plain = pc.match_substring_regex(column, _TIME)
    try:
        utc = pc.if_else(plain, column, None).cast(pa.timestamp("us", tz="UTC")).cast(pa.int64())
    except pa.ArrowInvalid:  # some date that does not exist, say 30 February
        utc = pa.nulls(len(column), pa.int64())
    out: Floats = np.where(utc.is_null(), np.nan, utc.fill_null(0)) / 1e6
    for i in np.flatnonzero(np.isnan(out) & np.asarray(column.is_valid())):
        out[i] = time_from_text(column[int(i)].as_py())
    return out


def time_from_text(text: str) -> float:
    """Seconds since 1970 UTC of an ISO 8601 date and time; NaN if it is none."""
    text = text.strip().upper()
    if "T" not in text and " " not in text:
        return np.nan  # a day is not a moment
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        return np.nan
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.UTC)
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    return (moment - epoch) // datetime.timedelta(microseconds=1) / 1e6


def numbers(table: Table, name: str) -> Floats:
    """A column of numbers (n,); NaN for what is empty or no number."""
    column = table.columns[name]
    if pa.types.is_null(column.type):
        return np.full(len(column), np.nan)
    if _is_text(column) and table.path.suffix == ".csv":
        try:
            column = column.cast(pa.float64())
        except pa.ArrowInvalid:
            return np.array([_number(text) for text in column.to_pylist()], float)
    elif not (pa.types.is_floating(column.type) or pa.types.is_integer(column.type)):
        raise _wrong_type(table, name, "a number")
    return np.array(column.cast(pa.float64(), safe=False).fill_null(np.nan), float)


def _number(text: str | None) -> float:
    try:
        return float(text) if text and "_" not in text else np.nan
    except ValueError:
        return np.nan


def texts(table: Table, name: str) -> pa.Array:
    """A column of text."""
    column = table.columns[name]
    if pa.types.is_null(column.type):
        return column.cast(pa.string())
    if not _is_text(column):
        raise _wrong_type(table, name, "text")
    return column


def _is_text(column: pa.Array) -> bool:
    return bool(pa.types.is_string(column.type) or pa.types.is_large_string(column.type))
