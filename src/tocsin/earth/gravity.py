"""Gravity of the Earth with its flattening (J2), in ECEF.

Source: Montenbruck, O. and Gill, E. (2000), Satellite Orbits, section 3.2.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tocsin.kernel import jit
from tocsin.units import EARTH_GM_M3_S2, J2, SEMI_MAJOR_AXIS_M

Floats = NDArray[np.float64]


@jit
def gravity(x: float, y: float, z: float) -> tuple[float, float, float]:
    """Gravitational acceleration (m/s2), no rotating-frame terms, at an ECEF position (m)."""
    r2 = x * x + y * y + z * z
    r = math.sqrt(r2)
    k = -EARTH_GM_M3_S2 / (r2 * r)
    j = 1.5 * J2 * SEMI_MAJOR_AXIS_M * SEMI_MAJOR_AXIS_M / r2
    q = 5.0 * z * z / r2
    a = k * (1.0 + j * (1.0 - q))
    return a * x, a * y, k * (1.0 + j * (3.0 - q)) * z


@jit
def gravity_gradient(x: float, y: float, z: float) -> Floats:
    """Derivative (3, 3) of `gravity` by position (1/s2)."""
    r2 = x * x + y * y + z * z
    r = math.sqrt(r2)
    k = -EARTH_GM_M3_S2 / (r2 * r)
    j = 1.5 * J2 * SEMI_MAJOR_AXIS_M * SEMI_MAJOR_AXIS_M / r2
    u = np.array([x, y, z])
    q = z * z / r2
    g = np.empty((3, 3))
    # a_i = k x_i (1 + j (c_i - 5 z2/r2)), c = 1, 1, 3; differentiate k ~ r^-3, j ~ r^-2
    for i in range(3):
        c = 3.0 if i == 2 else 1.0
        for m in range(3):
            d = u[i] * u[m] / r2 * (-3.0 - 5.0 * j * c + 35.0 * j * q)
            if m == 2:
                d -= 10.0 * j * u[i] * z / r2
            if i == m:
                d += 1.0 + j * (c - 5.0 * q)
            g[i, m] = k * d
    return g
