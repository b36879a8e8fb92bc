"""Gravity of the Earth with its zonal terms J2, J3 and J4, in ECEF.

With q_n = J_n (a / r)^n, s = z / r and Legendre's polynomials P_n, the acceleration is

    -GM / r^2 (1 - sum q_n P'_{n+1}(s)) r_hat - GM / r^2 sum q_n P'_n(s) z_hat

Source: the gradient of the zonal potential, Montenbruck, O. and Gill, E. (2000), Satellite Orbits,
section 3.2, with (n + 1) P_n + s P'_n = P'_{n+1}.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tocsin.kernel import jit, jit_inline

Floats = NDArray[np.float64]


@jit_inline
def gravity_terms(
    gm: float, radius: float, j2: float, j3: float, j4: float, s: float, inverse_r: float
) -> tuple[float, float]:
    """Radial and axial parts of gravity: the acceleration is radial * position + (0, 0, axial), in m/s2.

    s: z / r; inverse_r: 1 / r (1/m).
    """
    s2 = s * s
    ratio = radius * inverse_r
    ratio2 = ratio * ratio
    # half, quarter, ... of q_n with the factors that the polynomials below leave out
    q2 = 1.5 * j2 * ratio2
    q3 = 0.5 * j3 * ratio2 * ratio
    q4 = 0.125 * j4 * ratio2 * ratio2
    p3 = 5.0 * s2 - 1.0
    p4 = (35.0 * s2 - 15.0) * s
    p5 = (315.0 * s2 - 210.0) * s2 + 15.0
    pull = gm * inverse_r * inverse_r
    radial = -pull * inverse_r * (1.0 - q2 * p3 - q3 * p4 - q4 * p5)
    axial = -pull * (2.0 * q2 * s + 3.0 * q3 * p3 + 4.0 * q4 * p4)
    return radial, axial


@jit
def gravity_gradient(
    gm: float, radius: float, j2: float, j3: float, j4: float, x: float, y: float, z: float, out: Floats
) -> None:
    """Fill ``out`` (3, 3) with the derivative of gravity by position (1/s2) at an ECEF position (m)."""
    r = math.sqrt(x * x + y * y + z * z)
    s = z / r
    s2 = s * s
    ratio = radius / r
    q2, q3, q4 = j2 * ratio**2, j3 * ratio**3, j4 * ratio**4
    # derivatives of P_2 to P_5, and second derivatives
    d2, d3, d4 = 3.0 * s, 7.5 * s2 - 1.5, (17.5 * s2 - 7.5) * s
    d5 = (39.375 * s2 - 26.25) * s2 + 1.875
    dd3, dd4, dd5 = 15.0 * s, 52.5 * s2 - 7.5, (157.5 * s2 - 52.5) * s
    pull = gm / (r * r)
    radial = -pull / r * (1.0 - q2 * d3 - q3 * d4 - q4 * d5)
    radial_r = pull / (r * r) * (3.0 - 5.0 * q2 * d3 - 6.0 * q3 * d4 - 7.0 * q4 * d5)
    radial_s = pull / r * (q2 * dd3 + q3 * dd4 + q4 * dd5)
    axial_r = pull / r * (4.0 * q2 * d2 + 5.0 * q3 * d3 + 6.0 * q4 * d4)
    axial_s = -pull * (3.0 * q2 + q3 * dd3 + q4 * dd4)
    unit = (x / r, y / r, s)
    for m in range(3):
        by_s = -s * unit[m] / r
        if m == 2:
            by_s += 1.0 / r
        change = radial_r * unit[m] + radial_s * by_s
        for i in range(3):
            out[i, m] = r * unit[i] * change
        out[m, m] += radial
        out[2, m] += axial_r * unit[m] + axial_s * by_s
