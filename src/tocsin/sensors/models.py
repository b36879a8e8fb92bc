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

from tocsin.earth.ellipsoid import ecef_to_geodetic, enu_axes
from tocsin.kernel import jit
from tocsin.sensors.plots import Floats, Plots, Sensor

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


def looks(plots: Plots, sensors: tuple[Sensor, ...], noise_scale: Floats) -> Looks:
    """Make plots ready for the filter.

    noise_scale (number of sensors,): factor on the variance of each sensor's noise. An unknown
    constant offset of a sensor (``bias_sigma``) is counted as noise.
    """
    sigma = np.array([s.sigma for s in sensors]).reshape(-1, 4)
    bias = np.array([s.bias_sigma for s in sensors]).reshape(-1, 4)
    total = (sigma**2 * noise_scale[:, None] + bias**2)[plots.sensor]
    # a sight without elevation is drawn level, on which an azimuth alone is compared; one without azimuth
    # is drawn north, and neither angle is compared: an elevation alone says little
    azimuth, elevation = np.nan_to_num(plots.measured[:, 1]), np.nan_to_num(plots.measured[:, 2])
    no_azimuth = np.isnan(plots.measured[:, 1])
    no_elevation = no_azimuth | np.isnan(plots.measured[:, 2])
    cosine = np.maximum(np.cos(elevation), SMALLEST_COSINE)
    latitude, longitude, _ = ecef_to_geodetic(plots.position_m)
    local = enu_axes(latitude, longitude)
    sin_az, cos_az = np.sin(azimuth), np.cos(azimuth)
    sin_el, cos_el = np.sin(elevation), np.cos(elevation)
    sight = np.stack(
        [
            np.stack([sin_az * cos_el, cos_az * cos_el, sin_el], -1),
            np.stack([cos_az, -sin_az, np.zeros_like(sin_az)], -1),
            np.stack([-sin_az * sin_el, -cos_az * sin_el, cos_el], -1),
        ],
        axis=-2,
    )
    variance = np.stack(
        [
            np.where(no_azimuth, np.nan, total[:, 1] * cosine**2),
            np.where(no_elevation, np.nan, total[:, 2]),
            total[:, 0],
            total[:, 3],
        ],
        axis=-1,
    )
    return Looks(
        plots.time_s,
        plots.position_m,
        np.ascontiguousarray(sight @ local),
        np.ascontiguousarray(plots.measured[:, [0, 3]]),
        variance,
        np.log(cosine),
    )


@jit
def _scalar_update(x: Floats, P: Floats, n: int, H: Floats, residual: float, variance: float) -> float:
    """Kalman update by one number, in place, kept symmetric. Returns the variance of the innovation."""
    PH = np.zeros(n)
    S = variance
    for i in range(n):
        total = 0.0
        for m in range(6):
            total += P[i, m] * H[m]
        PH[i] = total
    for i in range(6):
        S += H[i] * PH[i]
    for i in range(n):
        k = PH[i] / S
        x[i] += k * residual
        for m in range(n):
            P[i, m] -= k * PH[m]
    for i in range(n):
        for m in range(i):
            mean = 0.5 * (P[i, m] + P[m, i])
            P[i, m] = mean
            P[m, i] = mean
    return S


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
def second_order(q: int, P: Floats, H: Floats, rho: float, rate: float) -> tuple[float, float]:
    """Bias tr(MP)/2 and variance tr(MPMP)/2 that the curvature M of range (q 2) or range rate (q 3) adds.

    P (6, 6) or more; H (6,) the row, rho the distance (m), rate the range rate (m/s; of no account for range).
    """
    M = np.zeros((6, 6))
    if q == 2:
        for i in range(3):
            for m in range(3):
                M[i, m] = ((1.0 if i == m else 0.0) - H[i] * H[m]) / rho
    else:
        # with u the sight and w the velocity across it: H = (w / rho, u)
        for i in range(3):
            for m in range(3):
                flat = ((1.0 if i == m else 0.0) - H[3 + i] * H[3 + m]) / rho
                M[i, m] = -(H[i] * H[3 + m] + H[3 + i] * H[m] + rate * flat) / rho
                M[i, 3 + m] = flat
                M[3 + m, i] = flat
    MP = np.zeros((6, 6))
    for i in range(6):
        for m in range(6):
            total = 0.0
            for k in range(6):
                total += M[i, k] * P[k, m]
            MP[i, m] = total
    trace, square = 0.0, 0.0
    for i in range(6):
        trace += MP[i, i]
        for m in range(6):
            square += MP[i, m] * MP[m, i]
    return 0.5 * trace, max(0.5 * square, 0.0)


@jit
def update(
    x: Floats,
    P: Floats,
    n: int,
    position: Floats,
    axes: Floats,
    measured: Floats,
    variance: Floats,
) -> tuple[float, float, int]:
    """Correct a state and its covariance by one plot, in place.

    x (9,), P (9, 9), of which the first n components are in use; the rest as in `Looks`.
    Returns the log-likelihood of the plot (per rad2 of the sight plane, per m, per m/s), the sum of
    squared normalised innovations, and how many numbers were measured. An object behind the
    sensor has likelihood 0 (-inf).
    """
    H = np.zeros(6)
    likelihood = 0.0
    squares = 0.0
    count = 0
    for q in range(4):
        if math.isnan(variance[q]) or (q >= 2 and math.isnan(measured[q - 2])):
            continue
        residual, rho = residual_and_row(q, x, position, axes, measured, H)
        if math.isnan(residual):
            return -np.inf, np.inf, count
        S = variance[q]
        if q >= 2:
            bias, spread = second_order(q, P, H, rho, measured[1] - residual)
            residual -= bias
            S += spread
        S = _scalar_update(x, P, n, H, residual, S)
        likelihood -= 0.5 * (LOG_TWO_PI + math.log(S) + residual * residual / S)
        squares += residual * residual / S
        count += 1
    return likelihood, squares, count
