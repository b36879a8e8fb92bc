"""US Standard Atmosphere 1976: density, and sound speed.

Source: NOAA, NASA, USAF (1976), U.S. Standard Atmosphere, NOAA-S/T 76-1562. Up to 86 km
by its layers (equations 23, 33a, 33b, 42, 50), in which the temperature is the
molecular-scale one; above it, to 1,000 km, a cubic spline through the logarithm of the
densities of its table I. Above 1,000 km the air is taken as nothing.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from tocsin.kernel import jit

Floats = NDArray[np.float64]

GEOPOTENTIAL_RADIUS_M = 6356766.0
G0_M_PER_R_K_M = 9.80665 * 0.0289644 / 8.31432  # g0' M0 / R*, in K/m
GAS_CONSTANT_AIR = 8.31432 / 0.0289644  # R* / M0, in J/(kg K)
HEAT_RATIO = 1.4

# table 4: geopotential height (m) and lapse rate (K/m) of the layers
LAYER_HEIGHT_M = np.array([0.0, 11e3, 20e3, 32e3, 47e3, 51e3, 71e3])
LAYER_LAPSE_K_M = np.array([-6.5e-3, 0.0, 1e-3, 2.8e-3, 0.0, -2.8e-3, -2e-3])
SEA_LEVEL_TEMPERATURE_K = 288.15
SEA_LEVEL_PRESSURE_PA = 101325.0
LAYERED_TOP_M = 86e3
TOP_M = 1000e3


def _layers() -> tuple[Floats, Floats]:
    temperature = np.empty(7)
    pressure = np.empty(7)
    temperature[0], pressure[0] = SEA_LEVEL_TEMPERATURE_K, SEA_LEVEL_PRESSURE_PA
    for i in range(6):
        thick, lapse = LAYER_HEIGHT_M[i + 1] - LAYER_HEIGHT_M[i], LAYER_LAPSE_K_M[i]
        temperature[i + 1] = temperature[i] + lapse * thick
        if lapse == 0.0:
            ratio = math.exp(-G0_M_PER_R_K_M * thick / temperature[i])
        else:
            ratio = (temperature[i] / temperature[i + 1]) ** (G0_M_PER_R_K_M / lapse)
        pressure[i + 1] = pressure[i] * ratio
    return temperature, pressure


LAYER_TEMPERATURE_K, LAYER_PRESSURE_PA = _layers()

# table I: geometric height (km) and density (kg/m3)
_HIGH = np.array(
    [
        (86, 6.958e-6), (88, 4.875e-6), (90, 3.416e-6), (95, 1.393e-6), (100, 5.604e-7), (105, 2.325e-7),
        (110, 9.708e-8), (115, 4.289e-8), (120, 2.222e-8), (130, 8.152e-9), (140, 3.831e-9),
        (150, 2.076e-9), (160, 1.233e-9), (180, 5.194e-10), (200, 2.541e-10), (250, 6.073e-11),
        (300, 1.916e-11), (400, 2.803e-12), (500, 5.215e-13), (600, 1.137e-13), (700, 3.070e-14),
        (800, 1.136e-14), (900, 5.759e-15), (1000, 3.561e-15),
    ]
)  # fmt: skip
HIGH_HEIGHT_M = _HIGH[:, 0] * 1e3
HIGH_COEFFICIENTS = np.ascontiguousarray(CubicSpline(HIGH_HEIGHT_M, np.log(_HIGH[:, 1])).c)  # (4, 23)


@jit
def temperature_k(height: float) -> float:
    """Molecular-scale temperature (K) at a geometric height (m); above 86 km that of 86 km."""
    h = min(max(height, -5e3), LAYERED_TOP_M)
    h = GEOPOTENTIAL_RADIUS_M * h / (GEOPOTENTIAL_RADIUS_M + h)
    i = 6
    while i > 0 and h < LAYER_HEIGHT_M[i]:
        i -= 1
    kelvin: float = LAYER_TEMPERATURE_K[i] + LAYER_LAPSE_K_M[i] * (h - LAYER_HEIGHT_M[i])
    return kelvin


@jit
def density_and_gradient(height: float) -> tuple[float, float]:
    """Air density (kg/m3) and the derivative of its logarithm by height (1/m) at a geometric height (m).

    Below -5 km the density of -5 km; above 1,000 km nothing.
    """
    if height >= LAYERED_TOP_M:
        if height >= TOP_M:
            return 0.0, 0.0
        i = 0
        while i < len(HIGH_HEIGHT_M) - 2 and height >= HIGH_HEIGHT_M[i + 1]:
            i += 1
        d = height - HIGH_HEIGHT_M[i]
        c = HIGH_COEFFICIENTS
        density = math.exp(((c[0, i] * d + c[1, i]) * d + c[2, i]) * d + c[3, i])
        return density, (3.0 * c[0, i] * d + 2.0 * c[1, i]) * d + c[2, i]
    geometric = max(height, -5e3)
    ratio = GEOPOTENTIAL_RADIUS_M / (GEOPOTENTIAL_RADIUS_M + geometric)
    h = ratio * geometric
    i = 6
    while i > 0 and h < LAYER_HEIGHT_M[i]:
        i -= 1
    d = h - LAYER_HEIGHT_M[i]
    lapse = LAYER_LAPSE_K_M[i]
    t = LAYER_TEMPERATURE_K[i] + lapse * d
    if lapse == 0.0:
        p = LAYER_PRESSURE_PA[i] * math.exp(-G0_M_PER_R_K_M * d / t)
    else:
        p = LAYER_PRESSURE_PA[i] * math.exp(G0_M_PER_R_K_M / lapse * math.log(LAYER_TEMPERATURE_K[i] / t))
    return p / (GAS_CONSTANT_AIR * t), -(G0_M_PER_R_K_M + lapse) / t * ratio * ratio


@jit
def density_kg_m3(height: float) -> float:
    """Air density (kg/m3) at a geometric height (m)."""
    return density_and_gradient(height)[0]


@jit
def sound_speed_m_s(height: float) -> float:
    """Speed of sound (m/s) at a geometric height (m); above 86 km that of 86 km."""
    return math.sqrt(HEAT_RATIO * GAS_CONSTANT_AIR * temperature_k(height))
