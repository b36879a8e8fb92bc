"""What a sensor measures of an object, with derivatives, and how a plot corrects a state.

Angles are compared on the plane across the measured line of sight, so that north, the zenith
and the nadir are ordinary places. A plot is taken in one quantity after the other: first the two
angles, which straighten the long thin region that a range draws across a wide prior (the
"contact lens"), then range and range rate, both with their second-order terms (Jazwinski 1970,
Stochastic Processes and Filtering Theory, section 9.3: bias tr(MP)/2, variance tr(MPMP)/2).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tocsin.earth.ellipsoid import up_and_height
from tocsin.kernel import jit
from tocsin.sensors.plots import Floats, Ints, Plots, Sensor

LOG_TWO_PI = math.log(2.0 * math.pi)
# Near the zenith or nadir an azimuth says little; its noise across the sight is held above this.
SMALLEST_COSINE = 1e-3


class Looks(NamedTuple):
    """Plots made ready for the filter: m rows."""

    time_s: Floats  # (m,)
    position_m: Floats  # (m, 3) of the sensor, ECEF
    axes: Floats  # (m, 3, 3) rows: along the measured sight, to its right, above it (ECEF)
    measured: Floats  # (m, 2) range m and range rate m/s, NaN where not measured
    # (m, 4) variances: angle to the right, angle above (rad2), range (m2), range rate (m2/s2); NaN where not
    # measured
    variance: Floats
    # (m,) ln of the area of the sight plane, in rad2, that one rad2 of azimuth and elevation covers
    log_area: Floats
    column: Ints  # (m, 4) which of the sensors' unknown offsets is in each number, in the order of variance; -1: none
    lever: Floats  # (m, 4) how much of it


def some(looks: Looks, which: Ints | NDArray[np.bool_]) -> Looks:
    """The plots picked by indices or a mask."""
    return Looks(*(column[which] for column in looks))  # type: ignore[arg-type]  # columns of two types


def looks(plots: Plots, sensors: tuple[Sensor, ...], noise_scale: Floats, offsets: Ints) -> Looks:
    """Make plots ready for the filter.

    noise_scale (number of sensors, 4): factor on the variance of each quantity, in the order of `Sensor.sigma`. offsets
    (number of sensors, 4): the number of the unknown offset of each quantity, -1 where there is none.
    """
    sigma2 = np.array([s.sigma for s in sensors]).reshape(-1, 4) ** 2 * noise_scale
    return Looks(
        plots.time_s,
        plots.position_m,
        *_sights(plots.sensor, plots.measured, plots.position_m, sigma2, offsets),
    )


@jit
def _sights(
    sensor: Ints, measured: Floats, position: Floats, sigma2: Floats, offsets: Ints
) -> tuple[Floats, Floats, Floats, Floats, Ints, Floats]:
    """Axes, measured, variance, log_area, column and lever of `Looks`; sigma2, offsets (sensors, 4)."""
    count = len(sensor)
    axes, kept, variance = np.empty((count, 3, 3)), np.empty((count, 2)), np.empty((count, 4))
    log_area, column, lever = np.empty(count), np.empty((count, 4), np.int64), np.ones((count, 4))
    order = (1, 2, 0, 3)
    local = np.empty((3, 3))
    for j in range(count):
        s = sensor[j]
        # a sight without elevation is drawn level, on which an azimuth alone is compared; one without azimuth
        # is drawn north, and neither angle is compared: an elevation alone says little
        no_azimuth = math.isnan(measured[j, 1])
        no_elevation = no_azimuth or math.isnan(measured[j, 2])
        azimuth = 0.0 if no_azimuth else measured[j, 1]
        elevation = 0.0 if math.isnan(measured[j, 2]) else measured[j, 2]
        sin_az, cos_az, sin_el, cos_el = (
            math.sin(azimuth),
            math.cos(azimuth),
            math.sin(elevation),
            math.cos(elevation),
        )
        cosine = max(cos_el, SMALLEST_COSINE)
        sin_lat, cos_lat, sin_lon, cos_lon, _ = up_and_height(position[j, 0], position[j, 1], position[j, 2])
        local[0, 0], local[0, 1], local[0, 2] = -sin_lon, cos_lon, 0.0
        local[1, 0], local[1, 1], local[1, 2] = -sin_lat * cos_lon, -sin_lat * sin_lon, cos_lat
        local[2, 0], local[2, 1], local[2, 2] = cos_lat * cos_lon, cos_lat * sin_lon, sin_lat
        for k in range(3):
            axes[j, 0, k] = (
                sin_az * cos_el * local[0, k] + cos_az * cos_el * local[1, k] + sin_el * local[2, k]
            )
            axes[j, 1, k] = cos_az * local[0, k] - sin_az * local[1, k]
            axes[j, 2, k] = (
                -sin_az * sin_el * local[0, k] - cos_az * sin_el * local[1, k] + cos_el * local[2, k]
            )
        kept[j, 0], kept[j, 1] = measured[j, 0], measured[j, 3]
        variance[j, 0] = np.nan if no_azimuth else sigma2[s, 1] * cosine * cosine
        variance[j, 1] = np.nan if no_elevation else sigma2[s, 2]
        variance[j, 2], variance[j, 3] = sigma2[s, 0], sigma2[s, 3]
        log_area[j] = math.log(cosine)
        for q in range(4):
            column[j, q] = offsets[s, order[q]]
        lever[j, 0] = cosine
    return axes, kept, variance, log_area, column, lever


@jit
def residual_and_row(
    q: int, x: Floats, position: Floats, axes: Floats, measured: Floats, H: Floats
) -> tuple[float, float]:
    """Measured less predicted of one quantity, and the distance (m) of the object; fills its row H (6,).

    q: 0 angle to the right of the sight, 1 angle above it (rad), 2 range (m), 3 range rate (m/s).
    NaN where it is not measured, or where the object lies behind the sensor.
    """
    dx, dy, dz = x[0] - position[0], x[1] - position[1], x[2] - position[2]
    rho = math.sqrt(dx * dx + dy * dy + dz * dz)
    H[:] = 0.0
    if q < 2:
        along = axes[0, 0] * dx + axes[0, 1] * dy + axes[0, 2] * dz
        if along <= 0.0:
            return np.nan, rho
        k = q + 1
        across = axes[k, 0] * dx + axes[k, 1] * dy + axes[k, 2] * dz
        size = along * along + across * across
        for i in range(3):
            H[i] = (along * axes[k, i] - across * axes[0, i]) / size
        return -math.atan2(across, along), rho
    H[0], H[1], H[2] = dx / rho, dy / rho, dz / rho
    if q == 2:
        return measured[0] - rho, rho
    rate = H[0] * x[3] + H[1] * x[4] + H[2] * x[5]
    for i in range(3):
        H[3 + i] = H[i]
        H[i] = (x[3 + i] - rate * H[3 + i]) / rho
    return measured[1] - rate, rho


@jit
def second_order(q: int, P: Floats, H: Floats, rho: float, rate: float, MP: Floats) -> tuple[float, float]:
    """Bias tr(MP)/2 and variance tr(MPMP)/2 that the curvature M of range (q 2) or range rate (q 3) adds.

    P (6, 6) or more; H (6,) the row, rho the distance (m), rate the range rate (m/s; of no account for range). MP
    (6, 6) is overwritten.
    """
    # with u the sight, a = H[:3] and C = (1 - u u') / rho: M is C for range, and for range rate
    # [[-(a u' + u a' + rate C) / rho, C], [C, 0]]
    size, at = (3, 0) if q == 2 else (6, 3)
    for m in range(size):
        along = H[at] * P[0, m] + H[at + 1] * P[1, m] + H[at + 2] * P[2, m]
        if q == 2:
            for i in range(3):
                MP[i, m] = (P[i, m] - H[i] * along) / rho
            continue
        turned = H[0] * P[0, m] + H[1] * P[1, m] + H[2] * P[2, m]
        faster = H[3] * P[3, m] + H[4] * P[4, m] + H[5] * P[5, m]
        for i in range(3):
            flat = (P[i, m] - H[3 + i] * along) / rho
            MP[3 + i, m] = flat
            MP[i, m] = (
                P[3 + i, m] - H[3 + i] * faster - H[i] * along - H[3 + i] * turned - rate * flat
            ) / rho
    trace, square = 0.0, 0.0
    for i in range(size):
        trace += MP[i, i]
        square += 0.5 * MP[i, i] * MP[i, i]
        for m in range(i):
            square += MP[i, m] * MP[m, i]
    return 0.5 * trace, max(square, 0.0)
