"""How an object moves over the rotating Earth: acceleration in ECEF and its derivatives.

Forces: gravity with zonal terms, the rotating frame (Coriolis and centrifugal terms), and either
drag with a ballistic coefficient (a body in free flight, which may lose mass) or a given acceleration of
its own (a body under thrust). Sources: Montenbruck and Gill (2000), Satellite Orbits, chapter 3; of the
loss of mass Ceplecha et al. (1998), Space Science Reviews 84, equations 6 to 8: relative to the mass it is the
ablation coefficient times drag times speed, and a body that keeps its shape has m / (Cd A) in proportion
to the cubic root of its mass.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tocsin.earth.ellipsoid import up_and_height_on
from tocsin.earth.forces import MACH_STEP, WIND_STEP_M, Forces
from tocsin.earth.gravity import gravity_gradient, gravity_terms
from tocsin.kernel import jit, jit_inline

Floats = NDArray[np.float64]

BALLISTIC, THRUST, LEVEL = 0, 1, 2  # the kinds of motion

SHAPE_KEPT = 1.0 / 3.0  # d ln(m / A) / d ln m of a body that keeps its shape
# in scaled height, beyond which the air of a layer is held: no flight goes there
DEEPEST, HIGHEST = -2.0, 2.0


@jit
def layer_at(height: float, rate: float, knots_m: Floats) -> int:
    """Number of the layer of air at a height (m); on a bound, that which a flight at this climb rate enters."""
    layer = 0
    while layer < len(knots_m) - 1 and (
        height > knots_m[layer + 1] or (height == knots_m[layer + 1] and rate > 0.0)
    ):
        layer += 1
    return layer


@jit
def density_and_slope(height: float, layer: int, f: Forces) -> tuple[float, float]:
    """Density (kg/m3) and the slope of its logarithm (1/m) by the polynomial of a layer."""
    if layer >= len(f.air):
        return 0.0, 0.0
    low, high = f.air_knots_m[layer], f.air_knots_m[layer + 1]
    scale = 2.0 / (high - low)
    t = min(max((height - 0.5 * (low + high)) * scale, DEEPEST), HIGHEST)
    value, slope = 0.0, 0.0
    for c in range(f.air.shape[1] - 1, -1, -1):
        slope = slope * t + value
        value = value * t + f.air[layer, c]
    return math.exp(value), slope * scale


@jit
def density_kg_m3(height: float, f: Forces) -> float:
    """Density of the air (kg/m3) at a height over the ellipsoid (m)."""
    return density_and_slope(height, layer_at(height, 0.0, f.air_knots_m), f)[0]


@jit
def sound_and_slope(height: float, layer: int, f: Forces) -> tuple[float, float]:
    """Square of the speed of sound (m2/s2) and its slope by height (m/s2); beyond the air that of its edge."""
    layer = min(layer, len(f.sound) - 1)
    low, high = f.air_knots_m[layer], f.air_knots_m[layer + 1]
    scale = 2.0 / (high - low)
    t = min(max((height - 0.5 * (low + high)) * scale, -1.0), 1.0)
    square, slope = 0.0, 0.0
    for c in range(f.sound.shape[1] - 1, -1, -1):
        slope = slope * t + square
        square = square * t + f.sound[layer, c]
    return square, slope * scale


@jit
def sound_speed_m_s(height: float, f: Forces) -> float:
    """Speed of sound (m/s) at a height over the ellipsoid (m)."""
    return math.sqrt(sound_and_slope(height, layer_at(height, 0.0, f.air_knots_m), f)[0])


@jit
def wind_and_slope(height: float, wind: Floats) -> tuple[float, float, float, float]:
    """Wind east and north (m/s) at a height, and their slopes by height (1/s)."""
    last = len(wind) - 1
    place = height / WIND_STEP_M
    if place <= 0.0:
        return wind[0, 0], wind[0, 1], 0.0, 0.0
    if place >= last:
        return wind[last, 0], wind[last, 1], 0.0, 0.0
    i = int(place)
    part = place - i
    east, north = wind[i + 1, 0] - wind[i, 0], wind[i + 1, 1] - wind[i, 1]
    return wind[i, 0] + part * east, wind[i, 1] + part * north, east / WIND_STEP_M, north / WIND_STEP_M


# Beside the profile of `Forces`, which is known, a state may carry a wind that is not: its value at this
# height, the usual height of its greatest speed. It grows with height up to there (at least a tenth at the ground)
# and fades between 30 and 60 km.
WIND_HEIGHT_M = 11e3


@jit_inline
def wind_share(height: float) -> float:
    """Share of the wind at 11 km that blows at a height (m)."""
    return min(min(max(height / WIND_HEIGHT_M, 0.1), 1.0), max((60e3 - height) / 30e3, 0.0))


@jit
def wind_shear(
    sin_lat: float, cos_lat: float, sin_lon: float, cos_lon: float, height: float,
    east: float, north: float, east_slope: float, north_slope: float, f: Forces, out: Floats,
) -> None:  # fmt: skip
    """Fill ``out`` (3, 3) with the derivative of a wind by position (1/s, ECEF), from its components and their slopes.

    The axes turn with longitude and latitude: d e = -(cos lon, sin lon, 0) d lon, d n = -up d lat - sin lat e d lon.
    """
    e2 = f.flattening * (2.0 - f.flattening)
    bend = 1.0 - e2 * sin_lat * sin_lat
    across = f.semi_major_axis_m / math.sqrt(bend)
    by_lat = 1.0 / (across * (1.0 - e2) / bend + height)
    by_lon = 1.0 / max((across + height) * cos_lat, 1.0)
    up = (cos_lat * cos_lon, cos_lat * sin_lon, sin_lat)
    e_axis = (-sin_lon, cos_lon, 0.0)
    n_axis = (-sin_lat * cos_lon, -sin_lat * sin_lon, cos_lat)
    away = (cos_lon, sin_lon, 0.0)
    for i in range(3):
        turn = -(away[i] * east + sin_lat * e_axis[i] * north) * by_lon
        for m in range(3):
            out[i, m] = (
                (e_axis[i] * east_slope + n_axis[i] * north_slope) * up[m]
                + turn * e_axis[m]
                - up[i] * north * by_lat * n_axis[m]
            )


@jit
def mach_factor(speed: float, height: float, layer: int, f: Forces) -> tuple[float, float, float]:
    """Drag coefficient over its hypersonic value; its logarithmic slopes by speed (s/m) and by height (1/m)."""
    square, slope = sound_and_slope(height, layer, f)
    mach = speed / math.sqrt(square)
    place = mach / MACH_STEP
    i = int(min(place, len(f.curve) - 1.0))
    d = min(place - i, 1.0)
    c = f.curve
    factor = ((c[i, 3] * d + c[i, 2]) * d + c[i, 1]) * d + c[i, 0]
    by_mach = ((3.0 * c[i, 3] * d + 2.0 * c[i, 2]) * d + c[i, 1]) / MACH_STEP if place < len(c) else 0.0
    relative = by_mach / factor
    return factor, relative * mach / speed, -0.5 * relative * mach * slope / square


@jit
def acceleration(
    kind: int, x: Floats, layer: int, f: Forces, partials: Floats
) -> tuple[float, float, float, float, float, float, float]:
    """Acceleration (m/s2) of a state; fills its partial derivatives, where there is room for them.

    kind: BALLISTIC or THRUST. x (9,): position m, velocity m/s (ECEF), then ln of the ballistic
    coefficient in kg/m2 and an unknown wind's value at 11 km (east and north, m/s, beside that of the forces), or the
    three components of an own acceleration in m/s2. layer: of the air, see `layer_at`. partials (4, 9): of the
    acceleration, and of the rate of ln of the ballistic coefficient, by position, velocity and the rest; (0, 9): none.
    Returns the acceleration, the rate of ln of the ballistic coefficient (1/s), drag over airspeed (1/s), the slope
    of ln density by height (1/m), and the airspeed (m/s; 0 where no air is felt).
    """
    px, py, pz, vx, vy, vz = x[0], x[1], x[2], x[3], x[4], x[5]
    r = math.sqrt(px * px + py * py + pz * pz)
    radial, axial = gravity_terms(f.gm_m3_s2, f.radius_m, f.j2, f.j3, f.j4, pz / r, 1.0 / r)
    w = f.rate_rad_s
    ax = (radial + w * w) * px + 2.0 * w * vy
    ay = (radial + w * w) * py - 2.0 * w * vx
    az = radial * pz + axial
    asked = len(partials) > 0
    if asked:
        for i in range(4):
            for c in range(9):
                partials[i, c] = 0.0
        gravity_gradient(f.gm_m3_s2, f.radius_m, f.j2, f.j3, f.j4, px, py, pz, partials)
        partials[0, 0] += w * w
        partials[1, 1] += w * w
        partials[0, 4] = 2.0 * w
        partials[1, 3] = -2.0 * w
    if kind == THRUST:
        if asked:
            for i in range(3):
                partials[i, 6 + i] = 1.0
        return ax + x[6], ay + x[7], az + x[8], 0.0, 0.0, 0.0, 0.0
    if layer >= len(f.air):
        return ax, ay, az, 0.0, 0.0, 0.0, 0.0
    sin_lat, cos_lat, sin_lon, cos_lon, height = up_and_height_on(
        px, py, pz, f.semi_major_axis_m, f.flattening
    )
    up = (cos_lat * cos_lon, cos_lat * sin_lon, sin_lat)
    density, slope = density_and_slope(height, layer, f)
    e_axis = (-sin_lon, cos_lon, 0.0)
    n_axis = (-sin_lat * cos_lon, -sin_lat * sin_lon, cos_lat)
    share = wind_share(height)
    windy = len(f.wind) > 0 or x[7] != 0.0 or x[8] != 0.0
    if windy:
        shear = np.zeros((3, 3))  # derivative of the wind by position
        east, north, east_slope, north_slope = 0.0, 0.0, 0.0, 0.0
        if len(f.wind) > 0:
            east, north, east_slope, north_slope = wind_and_slope(height, f.wind)
        share_slope = (wind_share(height + 1.0) - wind_share(height - 1.0)) / 2.0
        east += share * x[7]
        north += share * x[8]
        east_slope += share_slope * x[7]
        north_slope += share_slope * x[8]
        vx -= e_axis[0] * east + n_axis[0] * north
        vy -= e_axis[1] * east + n_axis[1] * north
        vz -= n_axis[2] * north
        wind_shear(sin_lat, cos_lat, sin_lon, cos_lon, height, east, north, east_slope, north_slope, f, shear)
    speed = math.sqrt(vx * vx + vy * vy + vz * vz)
    if speed == 0.0:
        return ax, ay, az, 0.0, 0.0, slope, 0.0
    factor, by_speed, by_height = 1.0, 0.0, 0.0
    if len(f.curve) > 0:
        factor, by_speed, by_height = mach_factor(speed, height, layer, f)
    drag = 0.5 * density * factor * math.exp(-x[6]) * speed
    drag_speed = drag * (1.0 / speed + by_speed)
    drag_height = drag * (slope + by_height)
    burn = SHAPE_KEPT * f.ablation_s2_m2 if speed > f.ablation_speed_m_s else 0.0
    loss = -burn * drag * speed * speed
    if not asked:
        return ax - drag * vx, ay - drag * vy, az - drag * vz, loss, drag, slope, speed
    u = (vx, vy, vz)
    for i in range(3):
        for m in range(3):
            by_v = -drag_speed * u[i] * u[m] / speed
            if i == m:
                by_v -= drag
            partials[i, 3 + m] += by_v
            partials[i, m] -= u[i] * drag_height * up[m]
        partials[i, 6] = drag * u[i]
    for m in range(3):
        partials[3, 3 + m] = -burn * speed * (drag_speed * speed + 2.0 * drag) * u[m] / speed
        partials[3, m] = -burn * speed * speed * drag_height * up[m]
    partials[3, 6] = -loss
    for i in range(4):
        bx, by, bz = (
            partials[i, 3],
            partials[i, 4],
            partials[i, 5],
        )  # by airspeed: without the Earth's rotation
        if i == 0:
            by -= 2.0 * w
        elif i == 1:
            bx += 2.0 * w
        partials[i, 7] = -share * (bx * e_axis[0] + by * e_axis[1])
        partials[i, 8] = -share * (bx * n_axis[0] + by * n_axis[1] + bz * n_axis[2])
        if windy:
            for m in range(3):
                partials[i, m] -= bx * shear[0, m] + by * shear[1, m] + bz * shear[2, m]
    return ax - drag * vx, ay - drag * vy, az - drag * vz, loss, drag, slope, speed
