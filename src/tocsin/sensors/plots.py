"""The values that pass from files into the core: sensors and plots.

Times are seconds since 1970-01-01 UTC (float64: 0.24 microseconds apart in 2026).
Measured quantities always stand in the order range_m, azimuth_rad, elevation_rad,
range_rate_m_s; what is not measured is NaN.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

RANGE, AZIMUTH, ELEVATION, RANGE_RATE = 0, 1, 2, 3
KINDS = ("radar", "optical", "infrared")


class Sensor(NamedTuple):
    """One sensor, as its owner describes it."""

    name: str
    kind: str  # one of KINDS
    latitude_rad: float
    longitude_rad: float
    height_m: float
    sigma: Floats  # (4,) one-sigma noise, NaN where not measured
    detection_probability: float
    false_plots_per_scan: float
    scan_period_s: float
    # (4, 2) lowest and highest of each measured quantity, NaN where not limited;
    # an azimuth interval runs clockwise from its first to its second value
    field_of_view: Floats
    bias_sigma: Floats  # (4,) one-sigma of an unknown constant offset, 0 where none


class Plots(NamedTuple):
    """Plots in the order in which they were received; n rows."""

    time_s: Floats  # (n,) moment of measurement
    received_s: Floats  # (n,) moment of arrival at the centre
    sensor: Ints  # (n,) index into the tuple of sensors
    scan: Ints  # (n,)
    measured: Floats  # (n, 4) range_m, azimuth_rad, elevation_rad, range_rate_m_s
    position_m: Floats  # (n, 3) ECEF position of the sensor at time_s
    # (n,) height above the ellipsoid that the object itself reported (a transponder's flight level), NaN where none
    height_m: Floats

    @property
    def count(self) -> int:  # type: ignore[override]  # of rows: no one counts a tuple's values
        """Number of plots."""
        return len(self.time_s)

    def rows(self, which: slice | NDArray[np.bool_] | Ints) -> Plots:
        """The plots picked by a slice, a mask or an index array."""
        return Plots(
            self.time_s[which],
            self.received_s[which],
            self.sensor[which],
            self.scan[which],
            self.measured[which],
            self.position_m[which],
            self.height_m[which],
        )
