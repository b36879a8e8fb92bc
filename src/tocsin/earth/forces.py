"""What acts on a body: the numbers and tables of gravity, rotation, air, wind, drag and ablation.

Every force is a value, none a switch: gravity without J3 has J3 = 0, an Earth that does not turn has
rate 0, no air is no layers (`without_air`), calm is an empty wind, a drag coefficient that is the same at every speed
an empty curve. ``STANDARD._replace(j3=0.0)`` changes one. `motion` turns them into an acceleration.

Sources. Gravity: EGM96 (Lemoine et al. 1998, NASA/TP-1998-206861), zonal terms, unnormalised:
J_n = -sqrt(2 n + 1) C_n0. Ellipsoid and rate: WGS 84. Air: US Standard Atmosphere 1976.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tocsin.earth.air import Layers
from tocsin.earth.us1976_layers import US1976_LAYERS
from tocsin.errors import DataError
from tocsin.units import EARTH_GM_M3_S2, EARTH_RATE_RAD_S, FLATTENING, J2, SEMI_MAJOR_AXIS_M

Floats = NDArray[np.float64]

# EGM96: C30 = 0.957254173792e-6, C40 = 0.539873863789e-6
J3 = -math.sqrt(7.0) * 0.957254173792e-6
J4 = -3.0 * 0.539873863789e-6

WIND_STEP_M = 100.0
WIND_TOP_M = 100e3
FASTEST_WIND_M_S = 300.0
MACH_STEP = 0.05


class Forces(NamedTuple):
    """The numbers and tables that make an acceleration.

    gm_m3_s2, radius_m, j2, j3, j4: gravity and its zonal terms (of that radius). rate_rad_s: rotation of the
    Earth. semi_major_axis_m, flattening: the ellipsoid that heights are over.
    air_knots_m, air, sound: layers of air, see `air.Layers`.
    wind (n, 2): east and north (m/s) every WIND_STEP_M from height 0 up, linear between, constant beyond; empty: calm.
    curve (n, 4): drag coefficient over its hypersonic value, cubics in Mach number every MACH_STEP, lowest power
    first, in the share of the step; constant beyond; empty: 1.
    ablation_s2_m2, ablation_speed_m_s: relative to its mass a body loses this times drag times airspeed, where
    it is faster than that. 0: nothing.
    """

    gm_m3_s2: float
    radius_m: float
    j2: float
    j3: float
    j4: float
    rate_rad_s: float
    semi_major_axis_m: float
    flattening: float
    air_knots_m: Floats
    air: Floats
    sound: Floats
    wind: Floats
    curve: Floats
    ablation_s2_m2: float
    ablation_speed_m_s: float


def wind_table(height_m: ArrayLike, east_m_s: ArrayLike, north_m_s: ArrayLike) -> Floats:
    """Wind (n, 2) for `Forces`, of a profile: heights (k,) rising (m), components (k,) toward east and north (m/s).

    It is linear between the heights and constant beyond. The profile is taken every WIND_STEP_M to WIND_TOP_M. Raises
    `DataError` for heights that do not rise and for winds that are not finite or faster than any on the Earth.
    """
    height, east, north = (np.atleast_1d(np.asarray(a, float)) for a in (height_m, east_m_s, north_m_s))
    if not (len(height) == len(east) == len(north)):
        raise DataError(
            f"wind: heights, east and north must be as many, are {len(height)}, {len(east)} and {len(north)}"
        )
    rises = np.diff(height) > 0.0
    if not (np.isfinite(height).all() and rises.all()):
        worst = int(np.argmin(rises)) + 1 if not rises.all() else int(np.argmin(np.isfinite(height)))
        raise DataError(f"wind: heights must rise; height_m[{worst}] is {height[worst]} m")
    for name, value in (("east_m_s", east), ("north_m_s", north)):
        bad = ~(np.abs(value) <= FASTEST_WIND_M_S)
        if bad.any():
            worst = int(np.argmax(bad))
            raise DataError(
                f"wind: {name}[{worst}] is {value[worst]} m/s; a wind is finite and at most {FASTEST_WIND_M_S:.0f} m/s"
            )
    at = np.arange(0.0, WIND_TOP_M + WIND_STEP_M, WIND_STEP_M)
    return np.column_stack([np.interp(at, height, east), np.interp(at, height, north)])


def with_air(forces: Forces, layers: Layers) -> Forces:
    """The forces with other air."""
    return forces._replace(air_knots_m=layers.knots_m, air=layers.density, sound=layers.sound)


def without_air(forces: Forces) -> Forces:
    """The forces in a vacuum."""
    bottom = forces.air_knots_m[:1]
    return with_air(forces, Layers(bottom, forces.air[:0], forces.sound[:0]))


NO_WIND = np.zeros((0, 2))
ALWAYS_ONE = np.zeros((0, 4))

STANDARD = Forces(
    gm_m3_s2=EARTH_GM_M3_S2, radius_m=SEMI_MAJOR_AXIS_M, j2=J2, j3=J3, j4=J4, rate_rad_s=EARTH_RATE_RAD_S,
    semi_major_axis_m=SEMI_MAJOR_AXIS_M, flattening=FLATTENING, air_knots_m=US1976_LAYERS.knots_m,
    air=US1976_LAYERS.density, sound=US1976_LAYERS.sound, wind=NO_WIND, curve=ALWAYS_ONE,
    ablation_s2_m2=0.0, ablation_speed_m_s=0.0,
)  # fmt: skip
