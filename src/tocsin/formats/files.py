"""Bytes of tables, and folders that are written wholly or not at all."""

from __future__ import annotations

import io
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv
import pyarrow.parquet as pq
from numpy.typing import ArrayLike

from tocsin.errors import DataError

ROW_GROUP = 1 << 20  # fixed, so that the same rows make the same bytes


class Staged(NamedTuple):
    """A hidden folder that becomes part of the real one when all has been written."""

    folder: Path
    names: list[str]  # in the order written

    def write(self, name: str, content: bytes) -> None:
        """Write one file, ``name`` relative to the folder."""
        self.names.append(name)
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)


@contextmanager
def staged(folder: Path, stale: Sequence[str]) -> Iterator[Staged]:
    """Collect files, then move all into ``folder`` at once.

    Files of ``stale`` (names or globs) are removed first, so that nothing of an earlier
    run stands beside the new. Whatever ends the block early leaves ``folder`` as it was.
    The file written last is moved last. Raises DataError if the folder cannot be written.
    """
    made = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        hidden = Path(tempfile.mkdtemp(prefix=".tocsin-", dir=folder))
    except OSError as error:
        raise DataError(f"{folder}: cannot be written to ({error.strerror})") from error
    done = False
    try:
        out = Staged(hidden, [])
        yield out
        for pattern in stale:
            for old in folder.glob(pattern):
                old.unlink()
        for name in out.names:
            (folder / name).parent.mkdir(exist_ok=True)
            os.replace(hidden / name, folder / name)
        done = True
    except OSError as error:
        raise DataError(f"{folder}: cannot be written to ({error.strerror})") from error
    finally:
        shutil.rmtree(hidden, ignore_errors=True)
        if made and not done:
            shutil.rmtree(folder, ignore_errors=True)


def known(values: ArrayLike) -> pa.Array:
    """Numbers, null for what is not finite."""
    values = np.asarray(values, float)
    return pa.array(values, mask=~np.isfinite(values))


def timestamps(time_s: ArrayLike) -> pa.Array:
    """Seconds since 1970 UTC as timestamps, to the nearest microsecond; null for NaN."""
    time_s = np.asarray(time_s, float)
    finite = np.isfinite(time_s)
    whole = np.rint(np.where(finite, time_s, 0.0) * 1e6).astype(np.int64)
    return pa.array(whole, mask=~finite).cast(pa.timestamp("us", tz="UTC"))


def parquet_bytes(table: pa.Table) -> bytes:
    """A table as Parquet: the same rows always make the same bytes."""
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd", row_group_size=ROW_GROUP, store_schema=True)
    return sink.getvalue()


def csv_bytes(table: pa.Table) -> bytes:
    """A table as CSV: times in ISO 8601 with Z, empty for null."""
    for i, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type):
            text = pc.strftime(table.column(i), format="%Y-%m-%dT%H:%M:%SZ")
            table = table.set_column(i, field.name, text)
    try:
        return _csv(table, "none")
    except pa.ArrowInvalid:  # some text has a comma or a quote in it
        return _csv(table, "needed")


def _csv(table: pa.Table, quoting: str) -> bytes:
    sink = io.BytesIO()
    pcsv.write_csv(table, sink, pcsv.WriteOptions(quoting_style=quoting, quoting_header="none"))
    return sink.getvalue()


def write_file(path: Path, content: bytes) -> None:
    """Write one file wholly or not at all. Raises DataError if it cannot be written."""
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(content)
        os.replace(part, path)
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error.strerror})") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
