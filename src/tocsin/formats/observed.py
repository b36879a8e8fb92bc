"""What converters of observation files share: looks of sensors on the ground, made into a recording's values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tocsin.earth.ellipsoid import geodetic_to_ecef
from tocsin.errors import DataError
from tocsin.formats.tables import Rejection
from tocsin.sensors.plots import Floats, Ints, Plots, Sensor

LIGHT_M_S = 299_792_458.0  # CGPM 1983


class Observed(NamedTuple):
    """Sensors and plots out of files of another form, and the lines that could not be used."""

    sensors: tuple[Sensor, ...]
    plots: Plots  # in order of time
    rejected: tuple[Rejection, ...]


def read_lines(path: Path, most: int = -1) -> list[str]:
    """The lines of a text file, or of its first ``most`` characters. Raises DataError if it cannot be read."""
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            return file.read(most).splitlines()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error


def plots_of_looks(sensors: Sequence[Sensor], sensor: Ints, time_s: Floats, measured: Floats) -> Plots:
    """Looks of one object as plots: n rows, received when made; each moment of a sensor is a scan of its own.

    sensor (n,): index into ``sensors``; measured (n, 4), NaN where not measured.
    """
    n = len(time_s)
    scan = np.zeros(n, np.int64)
    position_m = np.zeros((n, 3))
    for i, one in enumerate(sensors):
        its = sensor == i
        scan[its] = np.unique(time_s[its], return_inverse=True)[1] + 1
        position_m[its] = geodetic_to_ecef(one.latitude_rad, one.longitude_rad, one.height_m)
    plots = Plots(time_s, time_s, sensor, scan, measured, position_m, np.full(n, np.nan))
    return plots.rows(np.argsort(time_s, kind="stable"))


def spacing_s(sensor: Ints, time_s: Floats, count: int, otherwise_s: float) -> Iterator[float]:
    """Median time between the looks of each of ``count`` sensors; ``otherwise_s`` where a sensor has one or none."""
    for i in range(count):
        gaps = np.diff(np.unique(time_s[sensor == i]))
        yield round(float(np.median(gaps)), 6) if len(gaps) else otherwise_s
