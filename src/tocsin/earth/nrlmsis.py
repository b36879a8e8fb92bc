"""Layers of air of NRLMSIS 2.1 for a place, a time and the activity of the Sun and of the Earth's magnetic field.

Source: Emmert et al. (2021), NRLMSIS 2.0, Earth and Space Science 8, e2020EA001321, and Emmert et al. (2022),
NRLMSIS 2.1, JGR Space Physics 127, e2022JA030896. The model itself is in pymsis, an option: pip install
tocsin[nrlmsis]. Fly through its air with `forces.with_air(forces.STANDARD, layers)`.
"""

from __future__ import annotations

import importlib
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tocsin.earth.air import Layers, fit_layers
from tocsin.errors import UsageError
from tocsin.units import DEGREE_RAD, STANDARD_GRAVITY_M_S2

Floats = NDArray[np.float64]

BOTTOM_M, TOP_M = -5e3, 1000e3
SOUND_TOP_M = 105e3  # above it the speed of sound is held: the air is too thin for drag to tell
HEAT_RATIO = 1.4  # of air as it is near the ground: of N2 and O2, which it consists of up to there
BOLTZMANN_J_K = 1.380649e-23  # SI (2019), exact
LAPSE_K_M = 6.5e-3  # below height 0, where the model has no air: as in the US Standard Atmosphere 1976

# The model's temperature is a cubic spline of height with knots every 5 km up to 85 km and every 10 km from 92.5 to
# 122.5 km, smooth above. These are the longest layers, on steps of 2.5 km, whose polynomials keep to
# `air.FIT_ERROR` for 40 places and times over the Earth, F10.7 of 70 to 220 and ap of 3 to 200.
KNOTS_M = (
    BOTTOM_M, 0.0, 7.5e3, 12.5e3, 17.5e3, 25e3, 32.5e3, 42.5e3, 55e3, 65e3, 72.5e3, 80e3, 87.5e3, 95e3,
    SOUND_TOP_M, 115e3, 125e3, 165e3, 425e3, 750e3, TOP_M,
)  # fmt: skip

# Limits of what has been observed, with some room. F10.7: 1e-22 W/(m2 Hz), 63 to 380. ap: 0 to 400 by definition.
LEAST_F107, MOST_F107 = 50.0, 450.0
MOST_AP = 400.0


def nrlmsis_layers(
    time_s: float, latitude_rad: float, longitude_rad: float, *, f107: float, f107a: float, ap: float
) -> Layers:
    """Air of NRLMSIS 2.1 over a geodetic place (rad) at a time (seconds since 1970-01-01 UTC), -5 to 1,000 km.

    f107: flux of the Sun at 10.7 cm on the day before; f107a: its mean over the 81 days around (both in 1e-22
    W/(m2 Hz)); ap: the day's mean planetary index. Nothing is looked up: a caller without them takes 150, 150 and 4 for
    ordinary days. Density within 0.01 % of the model. Speed of sound of its temperature and mean molar mass
    with a ratio of heats of 1.4, held above 105 km; within 0.05 %. Below height 0, where the model ends, temperature
    rises by 6.5 K/km and the air rests on itself.

    Raises `UsageError` where pymsis is not installed, and for values that are not finite or out of their limits.
    """
    for name, value, low, high, unit in (
        ("time_s", time_s, -math.inf, math.inf, "s"),
        ("latitude_rad", latitude_rad, -0.5 * math.pi, 0.5 * math.pi, "rad"),
        ("longitude_rad", longitude_rad, -math.inf, math.inf, "rad"),
        ("f107", f107, LEAST_F107, MOST_F107, "1e-22 W/(m2 Hz)"),
        ("f107a", f107a, LEAST_F107, MOST_F107, "1e-22 W/(m2 Hz)"),
        ("ap", ap, 0.0, MOST_AP, "nT"),
    ):
        if not math.isfinite(value):
            raise UsageError(f"nrlmsis_layers: {name} must be a finite number, is {value}")
        if not low <= value <= high:
            raise UsageError(
                f"nrlmsis_layers: {name} must be from {low:.6g} to {high:.6g} {unit}, is {value}"
            )
    pymsis = _pymsis()
    date = np.datetime64(round(time_s), "s")
    place = longitude_rad / DEGREE_RAD, latitude_rad / DEGREE_RAD

    def model(height_m: Floats) -> tuple[Floats, Floats, Floats]:
        """Temperature (K), density (kg/m3) and specific gas constant (J/(kg K)) at heights (n,) from 0 up."""
        out = pymsis.calculate(
            date, *place, height_m * 1e-3, f107s=[f107], f107as=[f107a], aps=[[ap] * 7], version=2.1
        )
        rows = np.asarray(out, np.float64).reshape(-1, 11)
        density, kelvin = rows[:, 0], rows[:, 10]
        number = np.nansum(rows[:, 1:10], axis=1)  # a gas that is not modelled at a height is NaN there
        return kelvin, density, BOLTZMANN_J_K * number / density

    def air_at(height_m: Floats) -> tuple[Floats, Floats]:
        """Density and speed of sound at heights (n,)."""
        kelvin, density, gas = model(np.maximum(height_m, 0.0))
        depth = np.maximum(-height_m, 0.0)
        warmer = 1.0 + LAPSE_K_M * depth / kelvin
        density = density * warmer ** (STANDARD_GRAVITY_M_S2 / (gas * LAPSE_K_M) - 1.0)
        if height_m.max() > SOUND_TOP_M:
            kelvin, _, gas = model(np.clip(height_m, 0.0, SOUND_TOP_M))
        return density, np.sqrt(HEAT_RATIO * gas * kelvin * warmer)

    return fit_layers(KNOTS_M, air_at)


def _pymsis() -> Any:
    """The module pymsis."""
    try:
        return importlib.import_module("pymsis")
    except ImportError as error:
        raise UsageError(
            f"NRLMSIS needs the package pymsis, which cannot be imported ({error}): pip install tocsin[nrlmsis]"
        ) from error
