"""Where a sensor can see, and how dense its false plots lie there."""

from __future__ import annotations

import math

import numpy as np

from tocsin.kernel import jit
from tocsin.sensors.plots import AZIMUTH, ELEVATION, RANGE, RANGE_RATE, Floats, Sensor

# A sensor that states no false plots still makes one now and then.
FEWEST_FALSE_PLOTS = 1e-3
# A radar that looks less often than this does not scan the sky: it follows something, and each of its plots stands for
# itself.
LONGEST_SCAN_S = 30.0


def sparse(sensor: Sensor) -> bool:
    """Whether a sensor gives plots that are no scans of the sky."""
    return sensor.kind == "radar" and sensor.scan_period_s > LONGEST_SCAN_S


def scan_s(sensor: Sensor) -> float:
    """How long (s) a scan of a sensor may take."""
    return min(sensor.scan_period_s, LONGEST_SCAN_S) if sensor.kind == "radar" else sensor.scan_period_s


def widths(sensor: Sensor) -> Floats:
    """Width (4,) of the field of view in each quantity that the sensor measures, 1 in the others.

    Where no limit is stated: azimuth all round, elevation over a quarter circle, range as far as
    50,000 km, range rate 16 km/s wide.
    """
    whole = {RANGE: 5e7, AZIMUTH: 2.0 * math.pi, ELEVATION: math.pi / 2.0, RANGE_RATE: 16e3}
    out = np.ones(4)
    for quantity, usual in whole.items():
        if math.isnan(sensor.sigma[quantity]):
            continue
        low, high = sensor.field_of_view[quantity]
        if math.isnan(low) or math.isnan(high):
            out[quantity] = usual
        elif quantity == AZIMUTH:
            out[quantity] = (high - low) % (2.0 * math.pi) or 2.0 * math.pi
        else:
            out[quantity] = high - low
    return out


def log_clutter_density(sensor: Sensor) -> float:
    """ln of the false plots of one scan per unit of the measured coordinates (m, rad, rad, m/s)."""
    return math.log(max(sensor.false_plots_per_scan, FEWEST_FALSE_PLOTS)) - float(
        np.log(widths(sensor)).sum()
    )


def log_clutter_density_of(sensor: Sensor, measured: Floats) -> float:
    """As `log_clutter_density`, of plots that have some of the quantities, measured (4,), alone: NaN for the others."""
    missing = np.isnan(measured)
    return log_clutter_density(sensor) + float(np.log(widths(sensor))[missing].sum())


@jit
def in_view(position: Floats, sensor_position: Floats, local: Floats, field: Floats) -> bool:
    """True where a position lies in a field of view.

    position, sensor_position (3,) ECEF m; local (3, 3) east, north, up at the sensor; field (4, 2)
    as in `Sensor.field_of_view` (range rate is not looked at).
    """
    d = np.empty(3)
    for i in range(3):
        d[i] = position[i] - sensor_position[i]
    east = local[0, 0] * d[0] + local[0, 1] * d[1] + local[0, 2] * d[2]
    north = local[1, 0] * d[0] + local[1, 1] * d[1] + local[1, 2] * d[2]
    up = local[2, 0] * d[0] + local[2, 1] * d[1] + local[2, 2] * d[2]
    distance = math.sqrt(east * east + north * north + up * up)
    if distance == 0.0:
        return False
    elevation = math.asin(min(max(up / distance, -1.0), 1.0))
    # NaN limits compare false: no limit
    if distance < field[0, 0] or distance > field[0, 1]:
        return False
    if elevation < field[2, 0] or elevation > field[2, 1]:
        return False
    if math.isnan(field[1, 0]) or math.isnan(field[1, 1]):
        return True
    turn = 2.0 * math.pi
    width = (field[1, 1] - field[1, 0]) % turn
    if width == 0.0:
        return True
    return bool((math.atan2(east, north) - field[1, 0]) % turn <= width)
