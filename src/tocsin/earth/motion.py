"""How an object moves over the rotating Earth: acceleration in ECEF and its derivatives.

Forces: gravity with J2, the rotating frame (Coriolis and centrifugal terms), and either
drag with a ballistic coefficient (a body in free flight) or a given acceleration of its own
(a body under thrust). Source: Montenbruck and Gill (2000), Satellite Orbits, chapter 3.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tocsin.earth.atmosphere import density_and_gradient
from tocsin.earth.ellipsoid import up_and_height
from tocsin.earth.gravity import gravity, gravity_gradient
from tocsin.kernel import jit
from tocsin.units import EARTH_RATE_RAD_S

Floats = NDArray[np.float64]

BALLISTIC, THRUST, LEVEL = 0, 1, 2  # the kinds of motion

# The wind is given by its value at this height, the usual height of its greatest speed; it grows
# with height up to there (at least a tenth at the ground) and fades between 30 and 60 km.
WIND_HEIGHT_M = 11e3


@jit
def wind_share(height: float) -> float:
    """Share of the wind at 11 km that blows at a height (m)."""
    if height > 60e3:
        return 0.0
    if height > 30e3:
        return (60e3 - height) / 30e3
    return min(max(height / WIND_HEIGHT_M, 0.1), 1.0)


@jit
def acceleration(kind: int, x: Floats, wind: Floats, partials: Floats) -> tuple[float, float, float, float]:
    """Acceleration (m/s2) of a state and the size of its drag (m/s2); fills the partial derivatives.

    kind: BALLISTIC or THRUST. x: position m, velocity m/s (ECEF), then ln of the ballistic
    coefficient in kg/m2, or the three components of an own acceleration in m/s2. wind: east and
    north at 11 km (m/s). partials (3, 9): by position, velocity and the rest.
    """
    px, py, pz, vx, vy, vz = x[0], x[1], x[2], x[3], x[4], x[5]
    ax, ay, az = gravity(px, py, pz)
    partials[:, 0:3] = gravity_gradient(px, py, pz)
    partials[:, 3:9] = 0.0
    w = EARTH_RATE_RAD_S
    ax += 2.0 * w * vy + w * w * px
    ay += -2.0 * w * vx + w * w * py
    partials[0, 0] += w * w
    partials[1, 1] += w * w
    partials[0, 4] = 2.0 * w
    partials[1, 3] = -2.0 * w
    if kind == THRUST:
        for i in range(3):
            partials[i, 6 + i] = 1.0
        return ax + x[6], ay + x[7], az + x[8], 0.0
    sin_lat, cos_lat, sin_lon, cos_lon, height = up_and_height(px, py, pz)
    density, gradient = density_and_gradient(height)
    if density == 0.0:
        return ax, ay, az, 0.0
    if wind[0] != 0.0 or wind[1] != 0.0:
        share = wind_share(height)
        we, wn = share * wind[0], share * wind[1]
        vx -= -sin_lon * we - sin_lat * cos_lon * wn
        vy -= cos_lon * we - sin_lat * sin_lon * wn
        vz -= cos_lat * wn
    speed = math.sqrt(vx * vx + vy * vy + vz * vz)
    if speed == 0.0:
        return ax, ay, az, 0.0
    k = -0.5 * density * math.exp(-x[6])
    v = (vx, vy, vz)
    up = (cos_lat * cos_lon, cos_lat * sin_lon, sin_lat)
    for i in range(3):
        drag = k * speed * v[i]
        for m in range(3):
            partials[i, m] += drag * gradient * up[m]
            partials[i, 3 + m] += k * v[i] * v[m] / speed
        partials[i, 3 + i] += k * speed
        partials[i, 6] = -drag
    return ax + k * speed * vx, ay + k * speed * vy, az + k * speed * vz, -k * speed * speed
