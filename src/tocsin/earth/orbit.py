"""The osculating orbit of a state, against the sky."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tocsin.kernel import jit
from tocsin.units import EARTH_GM_M3_S2, EARTH_RATE_RAD_S

Floats = NDArray[np.float64]


@jit
def energy_and_perigee(state: Floats) -> tuple[float, float]:
    """Energy (m2/s2) of a state (6,) in ECEF, and how far from the Earth's centre it comes (m), in a plain field."""
    px, py, pz = state[0], state[1], state[2]
    vx, vy, vz = state[3] - EARTH_RATE_RAD_S * py, state[4] + EARTH_RATE_RAD_S * px, state[5]
    radius = math.sqrt(px * px + py * py + pz * pz)
    energy = 0.5 * (vx * vx + vy * vy + vz * vz) - EARTH_GM_M3_S2 / radius
    h2 = (py * vz - pz * vy) ** 2 + (pz * vx - px * vz) ** 2 + (px * vy - py * vx) ** 2
    parameter = h2 / EARTH_GM_M3_S2
    eccentricity = math.sqrt(max(1.0 + 2.0 * energy * parameter / EARTH_GM_M3_S2, 0.0))
    return energy, parameter / (1.0 + eccentricity)
