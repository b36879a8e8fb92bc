"""Subscribers to zones: a CSV file of who hears of which zone, and what each was told, a JSON object a line."""

from __future__ import annotations

import csv
import datetime as dt
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tocsin.errors import DataError, RefusedError
from tocsin.warning.hearing import Roll, Subscriber, Telling

COLUMNS = ("name", "zone")


def read_subscribers(path: Path) -> tuple[Subscriber, ...]:
    """Read a CSV file with a heading: a row for each subscriber ``name`` and ``zone``; other columns are ignored.

    The columns stand between commas or semicolons. Raises DataError where it is no such file, and RefusedError
    with every row that lacks one of the two: to leave it out would be a warning that no one misses in time.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: is not UTF-8 text (byte {error.start})") from error
    heading = text.partition("\n")[0]
    between = ";" if ";" in heading and "," not in heading else ","
    rows = csv.DictReader(text.splitlines(), delimiter=between, skipinitialspace=True, strict=True)
    found: dict[str, dict[str, None]] = {}
    problems: list[str] = []
    try:
        lacking = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
        if lacking:
            raise DataError(f"{path}: has no column {' and '.join(lacking)}; a heading name,zone comes first")
        for row in rows:
            name, zone = ((row[column] or "").strip() for column in COLUMNS)
            if None in row:
                problems.append(f"{path}, line {rows.line_num}: has more values than the heading")
            elif name and zone:
                found.setdefault(name, {})[zone] = None
            else:
                problems.append(f"{path}, line {rows.line_num}: {'zone' if name else 'name'} is empty")
    except csv.Error as error:
        raise DataError(f"{path}, line {rows.line_num}: is not CSV ({error})") from error
    if problems:
        raise RefusedError(problems)
    if not found:
        raise DataError(f"{path}: has no subscribers")
    return tuple(Subscriber(name, tuple(zones)) for name, zones in found.items())


def subscribers_jsonl(roll: Roll, told: Sequence[Telling]) -> bytes:
    """Who could not be reached, and what each of the others was told, in order of time."""
    lines = [*_roll_lines(roll), *_told_lines(roll, told)]
    text = "".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines)
    return text.encode()


def _roll_lines(roll: Roll) -> Iterator[dict[str, Any]]:
    for missing in roll.unreached:
        yield {
            "time": None,
            "subscriber": missing.subscriber,
            "zone": missing.code,
            "told": "unreached",
            "siren": False,
            "version": missing.version,
            "nearest": list(missing.nearest),
        }
    for one in roll.renamed:
        yield {
            "time": None,
            "subscriber": one.subscriber,
            "zone": one.now,
            "told": "renamed",
            "siren": False,
            "was": one.code,
        }


def _told_lines(roll: Roll, told: Sequence[Telling]) -> Iterator[dict[str, Any]]:
    listening: dict[str, list[str]] = {}
    for one in roll.subscribers:
        for zone in one.zones:
            listening.setdefault(zone, []).append(one.name)
    for telling in told:
        for name in listening.get(telling.zone, ()):
            yield {
                "time": _moment(telling.time_s),
                "subscriber": name,
                "zone": telling.zone,
                "told": telling.what,
                "siren": telling.siren,
                "status": telling.message.status,
                "incident": telling.message.incident,
                "identifier": telling.message.identifier,
            }


def _moment(time_s: float) -> str:
    """ISO 8601 with milliseconds and +00:00."""
    return dt.datetime.fromtimestamp(round(time_s * 1000.0) / 1000.0, dt.UTC).isoformat(
        timespec="milliseconds"
    )
