"""CCSDS Tracking Data Messages (503.0-B-2) as keyword = value text: range, azimuth and elevation, range rate.

A message does not say where its stations stand, nor how good they are: sensors.geojson does, by the same
names. Of two-way data the standard leaves open whether a range is the whole round trip or half of it; it is
taken as half, a distance. It was true when the signal turned: its light time before a time tag of reception.
"""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tocsin.errors import DataError
from tocsin.formats.observed import LIGHT_M_S, Observed, plots_of_looks
from tocsin.formats.sensors import LIMITS, QUANTITIES, TO_SI
from tocsin.formats.tables import MAX_LISTED, Rejection, time_from_text
from tocsin.sensors.plots import Floats, Sensor

# keyword: place in a plot, and what makes the unit of files of it (m, degrees, m/s)
USED = {"RANGE": (0, 1e3), "ANGLE_1": (1, 1.0), "ANGLE_2": (2, 1.0), "DOPPLER_INSTANTANEOUS": (3, 1e3)}
CORRECTIONS = {
    "RANGE": "RANGE",
    "ANGLE_1": "ANGLE_1",
    "ANGLE_2": "ANGLE_2",
    "DOPPLER_INSTANTANEOUS": "DOPPLER",
}
RANGE_UNITS = {"KM": 1.0, "S": LIGHT_M_S / 1e3}  # to km
DAY_OF_YEAR = re.compile(r"(\d{4})-(\d{3})T(.*)")


class Messages(NamedTuple):
    """What came of some messages."""

    observed: Observed
    unused: tuple[str, ...]  # keywords of data that no plot has a place for


class _Segment(NamedTuple):
    """What the metadata before some data say."""

    sensor: int
    target: str  # the other participant
    way: float  # light times from a time tag to the moment of a range: -1 before it, 1 after
    range_to_km: float
    correction: dict[str, float]  # by keyword, added


_Key = tuple[int, str, float]  # sensor, object, time tag


class _Look(NamedTuple):
    """Data of one sensor, object and moment."""

    path: Path
    line: int  # of its first
    way: float
    measured: Floats  # (4,) in units of files, NaN where there is none


def is_tdm(lines: Sequence[str]) -> bool:
    """Whether lines are a message in keywords (there is an XML form too, which is not read)."""
    return any(re.match(r"\s*CCSDS_TDM_VERS\s*=", line) for line in lines[:50])


def observed(files: Sequence[tuple[Path, Sequence[str]]], sensors: Sequence[Sensor]) -> Messages:
    """All messages as one recording of the sensors that are in them; data of one moment are one look.

    Raises DataError, with file and line, where a message holds what cannot be told apart or has no place.
    """
    looks: dict[_Key, _Look] = {}
    rejected: list[Rejection] = []
    unused: set[str] = set()
    for path, lines in files:
        meta: dict[str, tuple[int, str]] = {}
        segment: _Segment | None = None
        for number, line in enumerate(lines, 1):
            word, _, text = (part.strip() for part in line.partition("="))
            if not word or word.startswith("COMMENT"):
                continue
            if word == "META_START":
                meta, segment = {}, None
            elif word == "DATA_START":
                segment = _segment(path, number, meta, sensors)
            elif word == "DATA_STOP":
                segment = None
            elif segment is None:
                meta[word] = (number, text)
            elif word not in USED:
                unused.add(word)
            else:
                _check(path, number, word, meta, sensors[segment.sensor])
                time_s, value, wrong = _datum(word, text, segment)
                if wrong:
                    rejected.append(Rejection(path.name, number, word, text[:60], wrong))
                    continue
                key = (segment.sensor, segment.target, time_s)
                look = looks.setdefault(key, _Look(path, number, segment.way, np.full(4, np.nan)))
                look.measured[USED[word][0]] = value
    names = ", ".join(str(path) for path, _ in files)
    return Messages(_observed(names, sensors, looks, rejected), tuple(sorted(unused)))


def _observed(
    names: str, sensors: Sequence[Sensor], looks: dict[_Key, _Look], rejected: list[Rejection]
) -> Observed:
    for key, look in list(looks.items()):
        lacking = np.isnan(look.measured[1:3])
        if lacking.any() and not lacking.all():  # half a sight
            why = f"of {sensors[key[0]].name} is missing at this time"
            rejected.append(Rejection(look.path.name, look.line, f"ANGLE_{1 + int(lacking[1])}", "", why))
            del looks[key]
    if not looks:
        first = f"; the first: {rejected[0].text}" if rejected else f" (it needs {', '.join(USED)})"
        raise DataError(f"{names}: has no data that can be used{first}")
    have = sorted({i for i, _, _ in looks})
    sensor = np.array([have.index(i) for i, _, _ in looks], np.int64)
    measured = np.stack([look.measured for look in looks.values()]) * TO_SI
    measured[:, 1] %= 2.0 * math.pi
    light_s = np.nan_to_num(measured[:, 0]) / LIGHT_M_S
    time_s = (
        np.array([tag for _, _, tag in looks]) + np.array([look.way for look in looks.values()]) * light_s
    )
    seen = tuple(sensors[i] for i in have)
    return Observed(seen, plots_of_looks(seen, sensor, time_s, measured), tuple(rejected[:MAX_LISTED]))


def _segment(
    path: Path, number: int, meta: dict[str, tuple[int, str]], sensors: Sequence[Sensor]
) -> _Segment:
    """What the metadata say of the data after them, which begin at line ``number``."""

    def get(key: str, otherwise: str = "") -> str:
        return meta.get(key, (number, otherwise))[1] or otherwise

    def refuse(key: str, why: str) -> DataError:
        line, text = meta.get(key, (number, ""))
        return DataError(f"{path}, line {line}: {key} is {repr(text) if text else 'missing'}, {why}")

    if get("TIME_SYSTEM") != "UTC":
        raise refuse("TIME_SYSTEM", "must be UTC")
    if get("MODE", "SEQUENTIAL") != "SEQUENTIAL":
        raise refuse("MODE", "must be SEQUENTIAL: differences have no place in a plot")
    path_of = [step.strip() for step in get("PATH", "2,1").split(",")]
    if (
        len(path_of) not in (2, 3)
        or len(set(path_of)) != 2
        or (len(path_of) == 3 and path_of[0] != path_of[2])
    ):
        raise refuse(
            "PATH", "must lead from a station to the object and back (1,2,1) or from the object (2,1)"
        )
    key = f"PARTICIPANT_{path_of[-1]}"
    names = [sensor.name for sensor in sensors]
    if get(key) not in names:
        raise refuse(key, f"must be a station of the sensors file, which has {', '.join(names[:10])}")
    tagged = get("TIMETAG_REF", "RECEIVE")
    if tagged not in ("RECEIVE", "TRANSMIT"):
        raise refuse("TIMETAG_REF", "must be RECEIVE or TRANSMIT")
    correction = {}
    if get("CORRECTIONS_APPLIED", "YES") == "NO":
        for word, name in CORRECTIONS.items():
            text = get(f"CORRECTION_{name}", "0")
            try:
                correction[word] = float(text)
            except ValueError as error:
                raise refuse(f"CORRECTION_{name}", "must be a number") from error
    to_km = RANGE_UNITS.get(get("RANGE_UNITS", "km").upper(), math.nan)
    target = get(f"PARTICIPANT_{path_of[-2]}")
    return _Segment(names.index(get(key)), target, -1.0 if tagged == "RECEIVE" else 1.0, to_km, correction)


def _check(path: Path, number: int, word: str, meta: dict[str, tuple[int, str]], sensor: Sensor) -> None:
    """Refuse data that the metadata make unusable, or that the sensor is not said to measure."""
    line, angles = meta.get("ANGLE_TYPE", (number, ""))
    if word.startswith("ANGLE") and angles != "AZEL":
        shown = f"is {angles!r}" if angles else "is missing"
        raise DataError(
            f"{path}, line {line}: ANGLE_TYPE {shown}; only AZEL (azimuth and elevation) can be converted"
        )
    line, units = meta.get("RANGE_UNITS", (number, "km"))
    if word == "RANGE" and units.upper() not in RANGE_UNITS:
        raise DataError(
            f"{path}, line {line}: RANGE_UNITS is {units!r}, must be km or s; range units (RU) need the frequencies "
            "and the agreement between those who exchange them"
        )
    quantity = QUANTITIES[USED[word][0]]
    if math.isnan(sensor.sigma[USED[word][0]]):
        raise DataError(
            f"{path}, line {number}: has {word} of {sensor.name}, whose sigma in the sensors file lacks {quantity}"
        )


def _datum(word: str, text: str, segment: _Segment) -> tuple[float, float, str]:
    """Time tag and value of a line (m, degrees, m/s), and what is wrong with it."""
    moment, _, value_text = text.partition(" ")
    time_s = _time(moment)
    if math.isnan(time_s):
        return time_s, math.nan, "does not begin with a date and time (UTC)"
    place, factor = USED[word]
    try:
        value = float(value_text) + segment.correction.get(word, 0.0)
    except ValueError:
        return time_s, math.nan, "does not end with a number"
    value *= factor * (segment.range_to_km if word == "RANGE" else 1.0)
    low, high = LIMITS[QUANTITIES[place]]
    if not low <= value <= high or (word == "RANGE" and value <= 0.0):
        return time_s, value, f"is {value:g} as {QUANTITIES[place]}, must be from {low:g} to {high:g}"
    return time_s, value, ""


def _time(text: str) -> float:
    """Seconds since 1970 UTC; a date may be a month and day, or a day of the year."""
    if found := DAY_OF_YEAR.fullmatch(text):
        try:
            day = datetime.date(int(found[1]), 1, 1) + datetime.timedelta(days=int(found[2]) - 1)
        except (ValueError, OverflowError):
            return math.nan
        text = f"{day.isoformat()}T{found[3]}"
    return time_from_text(text)
