"""Observations of a satellite in the form of Orekit's orbit determination examples.

A file of ``key = value`` lines describes the stations and names files of measurements, each line a
time, ``RANGE`` or ``AZ_EL``, the station, and km or two angles in degrees. What is measured is taken
as that program takes it, and corrected to what a recording holds:

- A range is half a round trip: the mean of the ways up and down, with the delays of the station and of the
  satellite's transponder (``ground.station.range.bias``, ``onboard.range.bias``) and of the air. It
  was true when the signal turned, its light time before the time tag.
- An elevation is refracted by the air.
"""

from __future__ import annotations

import math
import re
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tocsin.errors import DataError
from tocsin.formats.observed import LIGHT_M_S, Observed, plots_of_looks, read_lines, spacing_s
from tocsin.formats.tables import MAX_LISTED, Rejection, time_from_text
from tocsin.sensors.plots import Floats, Ints, Sensor
from tocsin.units import DEGREE_RAD

# An antenna that follows one satellite by its own signal: hardly a look is missed or false. The files say nothing.
DETECTION_PROBABILITY = 0.99
FALSE_PLOTS_PER_SCAN = 0.001
# Antennas are pointed to some tenths of a degree, and the files let their offsets go to 0.5: 0.3 is one sigma of that.
ANGLE_BIAS_RAD = 0.3 * DEGREE_RAD
# The delays are known to some hundred metres: on the satellite W3B they come out up to 220 m off the file's.
RANGE_BIAS_M = 200.0
DEFAULT_PERIOD_S = 60.0  # of a station with a single look
ALL_SKY = np.array([[0.0, 1e8], [0.0, 2.0 * math.pi], [0.0, math.pi / 2.0], [np.nan, np.nan]])

LINE = re.compile(r"([A-Za-z][\w.]*)\s*(?:\[(\d+)\])?\s*=\s*(.*?)\s*;?")
STATION = "ground.station."
# key of a station: lowest and highest value, and the one taken where it is absent (None: it is needed)
PLACE: dict[str, tuple[float, float, float | None]] = {
    "latitude": (-90.0, 90.0, None),
    "longitude": (-180.0, 360.0, None),
    "altitude": (-1000.0, 9000.0, None),
    "range.bias": (-1e6, 1e6, 0.0),
    "range.sigma": (1e-3, 1e5, None),
    "azimuth.sigma": (1e-6, 36.0, None),
    "elevation.sigma": (1e-6, 36.0, None),
}
# type of a measurement: for each value its place in a plot, its name, and what it is above and at most (km, degrees)
LIMITS = {
    "RANGE": ((0, "range", 0.0, 5e5),),
    "AZ_EL": ((1, "azimuth", -180.0, 360.0), (2, "elevation", 0.0, 90.0)),
}
ONBOARD = ("onboard.range.bias", "on.board.range.bias")

# Air at sea level: refractivity N = 315 parts in a million, less by e in 7.35 km (ITU-R P.453, the mean of the
# world), and 2.4 m longer a way to the zenith (Saastamoinen 1972, at 1013 hPa, 18 degrees, half moist).
REFRACTIVITY, REFRACTIVITY_HEIGHT_M = 315e-6, 7350.0
ZENITH_DELAY_M, PRESSURE_PER_M, PRESSURE_POWER = 2.4, 2.26e-5, 5.225


class Setup(NamedTuple):
    """The keys of a file, as written: by name, then by number in brackets (-1 without), line and text."""

    path: Path
    values: dict[str, dict[int, tuple[int, str]]]


class _Wrong(NamedTuple):
    """Why a line cannot be used."""

    field: str
    value: str
    reason: str


class _Rows(NamedTuple):
    """Measurements of all files, n of them, as written but for units."""

    station: Ints  # (n,)
    time_s: Floats  # (n,)
    measured: Floats  # (n, 4) SI


def is_setup(lines: list[str]) -> bool:
    """Whether lines are of a file that describes stations."""
    return any(re.match(r"\s*ground[._]station[._]name\s*\[", line, re.IGNORECASE) for line in lines)


def is_measurements(lines: list[str]) -> bool:
    """Whether lines are measurements, which need a file that describes their stations."""
    return any(re.match(r"\s*[\d-]+T[\d:.]+\s+(AZ_EL|RANGE)\s", line) for line in lines)


def read_setup(path: Path, lines: list[str]) -> Setup:
    """The keys and values of a file."""
    values: dict[str, dict[int, tuple[int, str]]] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found = LINE.fullmatch(line.strip())
        if found is None:
            raise DataError(f"{path}, line {number}: {line.strip()[:60]!r} is not a key and a value")
        key = found[1].lower().replace("_", ".")
        values.setdefault(key, {})[int(found[2] or -1)] = (number, found[3])
    return Setup(path, values)


def observed(setup: Setup) -> Observed:
    """Stations and their measurements. Raises DataError that names file, line, key, value and limit."""
    names = setup.values.get(f"{STATION}name", {})
    stations = {text: i for i, (_, text) in names.items()}
    if len(stations) < len(names):
        raise DataError(
            f"{setup.path}: two stations have one name ({', '.join(n for _, n in names.values())})"
        )
    rows, rejected = _measurements(setup, list(stations))
    keys = [
        [_number(setup, f"{STATION}{key}", i, *limits) for key, limits in PLACE.items()]
        for i in stations.values()
    ]
    of = {key: np.array(column) for key, column in zip(PLACE, zip(*keys, strict=True), strict=True)}
    onboard = next((key for key in ONBOARD if key in setup.values), ONBOARD[0])
    delay_m = of["range.bias"] + _number(setup, onboard, -1, -1e6, 1e6, 0.0)
    air = {
        key: np.array([_true(setup, f"{STATION}{key}", i) for i in stations.values()])
        for key in ("range.tropospheric.correction", "elevation.refraction.correction")
    }
    time_s, measured = rows.time_s.copy(), rows.measured.copy()
    for k in range(len(stations)):
        its = rows.station == k
        range_m, elevation = measured[its, 0], measured[its, 2]
        sighted, height = ~np.isnan(elevation), float(of["altitude"][k])
        range_m = range_m - delay_m[k]
        if air["range.tropospheric.correction"][k] and sighted.any():
            at = np.interp(time_s[its], time_s[its][sighted], elevation[sighted])
            range_m = range_m - air_delay_m(at, height)
        if air["elevation.refraction.correction"][k]:
            elevation = elevation - refraction_rad(elevation, height)
        measured[its, 0], measured[its, 2] = range_m, elevation
        time_s[its] -= np.nan_to_num(range_m) / LIGHT_M_S
    period_s = spacing_s(rows.station, time_s, len(stations), DEFAULT_PERIOD_S)
    sensors = [
        Sensor(
            name=name,
            kind="radar",
            latitude_rad=of["latitude"][k] * DEGREE_RAD,
            longitude_rad=((of["longitude"][k] + 180.0) % 360.0 - 180.0) * DEGREE_RAD,
            height_m=float(of["altitude"][k]),
            sigma=np.array(
                [
                    of["range.sigma"][k],
                    of["azimuth.sigma"][k] * DEGREE_RAD,
                    of["elevation.sigma"][k] * DEGREE_RAD,
                    np.nan,
                ]
            ),
            detection_probability=DETECTION_PROBABILITY,
            false_plots_per_scan=FALSE_PLOTS_PER_SCAN,
            scan_period_s=period,
            field_of_view=ALL_SKY,
            bias_sigma=np.array([RANGE_BIAS_M, ANGLE_BIAS_RAD, ANGLE_BIAS_RAD, 0.0]),
        )
        for k, (name, period) in enumerate(zip(stations, period_s, strict=True))
    ]
    return Observed(tuple(sensors), plots_of_looks(sensors, rows.station, time_s, measured), rejected)


def refraction_rad(apparent_rad: Floats, height_m: float) -> Floats:
    """How much the air raises an elevation, seen from a height.

    Bennett (1982), The calculation of astronomical refraction in marine navigation: the shape of it, good to 1 %
    over 5 degrees, scaled to the refractivity of radio waves.
    """
    degrees = np.asarray(apparent_rad) / DEGREE_RAD
    raised = (degrees + 7.31 / (degrees + 4.4)) * DEGREE_RAD
    refractivity = REFRACTIVITY * math.exp(-height_m / REFRACTIVITY_HEIGHT_M)
    return np.asarray(refractivity / np.tan(raised))


def air_delay_m(elevation_rad: Floats, height_m: float) -> Floats:
    """How much longer the air makes a way, seen from a height: that to the zenith over the sine of the elevation."""
    zenith_m = ZENITH_DELAY_M * (1.0 - PRESSURE_PER_M * height_m) ** PRESSURE_POWER
    return np.asarray(zenith_m / np.sin(np.maximum(elevation_rad, DEGREE_RAD)))


def _number(setup: Setup, key: str, i: int, low: float, high: float, otherwise: float | None) -> float:
    line, text = setup.values.get(key, {}).get(i, (0, ""))
    if not text and otherwise is not None:
        return otherwise
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not low <= value <= high:
        where = f", line {line}" if line else ""
        shown = f"is {text!r}" if text else f"of station {i} is missing"
        raise DataError(f"{setup.path}{where}: {key} {shown}, must be a number from {low:g} to {high:g}")
    return value


def _true(setup: Setup, key: str, i: int) -> bool:
    return setup.values.get(key, {}).get(i, (0, ""))[1].lower() == "true"


def _measurements(setup: Setup, stations: list[str]) -> tuple[_Rows, tuple[Rejection, ...]]:
    """The rows of all files that the setup names, and the lines that could not be used."""
    line, text = setup.values.get("measurements.files", {}).get(-1, (0, ""))
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise DataError(f"{setup.path}: measurements.files names no file")
    rejected: list[Rejection] = []
    rows: list[tuple[int, float, Floats]] = []
    for name in names:
        path = setup.path.parent / name
        if not path.is_file():
            raise DataError(
                f"{setup.path}, line {line}: measurements.files names {name}, which is not beside it"
            )
        for number, words in enumerate(map(str.split, read_lines(path)), 1):
            if not words or words[0].startswith("#"):
                continue
            row = _row(words, stations)
            if isinstance(row, _Wrong):
                rejected.append(Rejection(path.name, number, row.field, row.value[:60], row.reason))
            else:
                rows.append(row)
    if not rows:
        first = f"; the first: {rejected[0].text}" if rejected else ""
        raise DataError(f"{setup.path}: {', '.join(names)} has no measurement that can be used{first}")
    station, time_s, measured = zip(*rows, strict=True)
    return _Rows(np.array(station), np.array(time_s), np.stack(measured)), tuple(rejected[:MAX_LISTED])


def _row(words: list[str], stations: list[str]) -> tuple[int, float, Floats] | _Wrong:
    """Station, time and measurement of a line, or what is wrong with it."""
    time_s = time_from_text(words[0])
    if math.isnan(time_s):
        return _Wrong("time", words[0], "is not a date and time (ISO 8601, UTC)")
    kind = words[1] if len(words) > 1 else ""
    if kind not in LIMITS:
        return _Wrong("type", kind, f"is not {' or '.join(LIMITS)}" if kind else "is missing")
    limits = LIMITS[kind]
    if len(words) != 3 + len(limits):
        return _Wrong("values", " ".join(words), f"are {len(words)}, where {kind} has {3 + len(limits)}")
    if words[2] not in stations:
        return _Wrong("station", words[2], f"is not one of the stations, {', '.join(stations[:10])}")
    measured = np.full(4, np.nan)
    for (q, name, low, high), text in zip(limits, words[3:], strict=True):
        with suppress(ValueError):
            measured[q] = float(text)
        if not low < measured[q] <= high:
            return _Wrong(name, text, f"must be a number above {low:g} and at most {high:g}")
    measured *= [1e3, DEGREE_RAD, DEGREE_RAD, 1.0]
    measured[1] %= 2.0 * math.pi
    return stations.index(words[2]), time_s, measured
