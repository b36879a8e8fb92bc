"""What falls as slowly as its drag lets it: it goes with the air.

Its own speed has been braked by all the air above it. So the time of the rest of its fall is an integral over height,
of the time in which its terminal speed takes it through each layer, and the wind moves it by the same integral
(Ceplecha et al. 1998, Space Science Reviews 84, on dark flight); and its speed across tells of the wind.
"""

from __future__ import annotations

import math

import numpy as np

from tocsin.earth.ellipsoid import up_and_height
from tocsin.earth.forces import Forces
from tocsin.earth.motion import density_and_slope, layer_at, mach_factor, wind_and_slope, wind_share
from tocsin.kernel import jit
from tocsin.sensors.plots import Floats
from tocsin.units import SEMI_MAJOR_AXIS_M

# What falls about as slowly as its drag lets it goes with the air. What is left of its speed across has been braked by
# all the air above it: of this speed at the most (m/s), exp(- that mass of air over 2 beta).
SLOW_DRAG = (0.5, 2.0)  # over gravity
ACROSS_M_S = 3000.0
SCALE_HEIGHT_M = 7e3  # of the air
GRAVITY_M_S2 = (
    9.780327,
    0.0053024,
)  # at the equator, and its growth by sin2 of the latitude (GRS 80; Moritz 1980)
# The wind at one height says that of others to so much (m/s), and so much of it stays unknown below. Over the jet
# stream it says ever less of what blows in and under it.
SHEAR_M_S, LEAST_WIND_M_S = 4.0, 4.0
JET_TOP_M, SHEAR_OVER_1_S = 12e3, 2e-3

# A fall is taken as slow below the height at which the air above, and below where it is now, is so many times beta: its
# own speed is 2e-4 of what it was. It must be worth it.
BRAKED = 17.0
LEAST_DRIFT_M = 10e3
HIGHEST_SLOW_M = 60e3
PARTS = 24  # of Simpson's rule


@jit
def slow_below_m(x: Floats, f: Forces) -> float:
    """Height (m) below which a state (9,) that comes from above falls slowly; -1 where that is not worth it."""
    height = up_and_height(x[0], x[1], x[2])[4]
    wanted = BRAKED * math.exp(x[6]) / SCALE_HEIGHT_M
    if height < HIGHEST_SLOW_M:
        wanted += density_and_slope(height, layer_at(height, 0.0, f.air_knots_m), f)[0]
    low, high = 0.0, min(height, HIGHEST_SLOW_M)
    if density_and_slope(0.0, 0, f)[0] < wanted or high <= low:
        return -1.0
    for _ in range(16):
        middle = 0.5 * (low + high)
        if density_and_slope(middle, layer_at(middle, 0.0, f.air_knots_m), f)[0] > wanted:
            low = middle
        else:
            high = middle
    return low


@jit
def _slow_speed(height: float, sin2: float, ln_beta: float, f: Forces) -> float:
    """Speed (m/s) of a slow fall: the terminal one, and a little more where it is slowing."""
    layer = layer_at(height, 0.0, f.air_knots_m)
    density, slope = density_and_slope(height, layer, f)
    gravity = GRAVITY_M_S2[0] * (1.0 + GRAVITY_M_S2[1] * sin2) * (1.0 - 2.0 * height / SEMI_MAJOR_AXIS_M)
    still = 2.0 * gravity * math.exp(ln_beta) / density
    speed = math.sqrt(still)
    if len(f.curve) > 0:
        for _ in range(3):
            speed = math.sqrt(still / mach_factor(speed, height, layer, f)[0])
    return speed * math.sqrt(1.0 - 0.5 * slope * speed * speed / gravity)


@jit
def drift(y: Floats, J: Floats, ground_m: float, f: Forces) -> float:
    """Time (s) of a slow fall from a state (9,) to the ground; it and its derivative J (4, 9) move there in place."""
    sin_lat, cos_lat, sin_lon, cos_lon, top = up_and_height(y[0], y[1], y[2])
    up = (cos_lat * cos_lon, cos_lat * sin_lon, sin_lat)
    axes = ((-sin_lon, cos_lon, 0.0), (-sin_lat * cos_lon, -sin_lat * sin_lon, cos_lat))
    time_s, shared_s, east_m, north_m = 0.0, 0.0, 0.0, 0.0
    step = (top - ground_m) / PARTS
    speed = 1.0
    for k in range(PARTS, -1, -1):
        height = ground_m + k * step
        speed = _slow_speed(height, sin_lat * sin_lat, y[6], f)
        passing = (1.0 if k == 0 or k == PARTS else (4.0 if k % 2 == 1 else 2.0)) * step / 3.0 / speed
        share = wind_share(height)
        east, north = share * y[7], share * y[8]
        if len(f.wind) > 0:
            more_east, more_north, _, _ = wind_and_slope(height, f.wind)
            east, north = east + more_east, north + more_north
        time_s += passing
        shared_s += passing * share
        east_m += passing * east
        north_m += passing * north
    for i in range(3):
        way = east_m * axes[0][i] + north_m * axes[1][i]
        y[i] += way - (top - ground_m) * up[i]
        y[3 + i] = -speed * up[i]
        J[i, 6] -= 0.5 * way  # the slower, the longer
        J[i, 7] += shared_s * axes[0][i]
        J[i, 8] += shared_s * axes[1][i]
    J[3, 6] -= 0.5 * time_s
    return time_s


@jit
def learn_wind(x: Floats, P: Floats, f: Forces) -> None:
    """What the speed across of something that falls slowly tells of the wind: x (9,) and P (9, 9), in place.

    An update of a Kalman filter by: speed across = wind + what is left of its own.
    """
    sin_lat, cos_lat, sin_lon, cos_lon, height = up_and_height(x[0], x[1], x[2])
    share = wind_share(height)
    layer = layer_at(height, 0.0, f.air_knots_m)
    density = density_and_slope(height, layer, f)[0]
    speed2 = x[3] * x[3] + x[4] * x[4] + x[5] * x[5]
    falling = cos_lat * (cos_lon * x[3] + sin_lon * x[4]) + sin_lat * x[5] < 0.0
    drag = 0.5 * density * speed2 * math.exp(-x[6]) / GRAVITY_M_S2[0]
    if share <= 0.0 or not falling or drag < SLOW_DRAG[0] or drag > SLOW_DRAG[1]:
        return
    # the mass of the air above is its pressure over gravity, density over its slope
    above = density * SCALE_HEIGHT_M
    own = ACROSS_M_S * math.exp(-0.5 * above * math.exp(-x[6]))
    axes = np.array([[-sin_lon, cos_lon, 0.0], [-sin_lat * cos_lon, -sin_lat * sin_lon, cos_lat]])
    east, north = 0.0, 0.0
    if len(f.wind) > 0:
        east, north, _, _ = wind_and_slope(height, f.wind)
    shear = SHEAR_M_S + SHEAR_OVER_1_S * max(height - JET_TOP_M, 0.0)
    H, PH = np.zeros(9), np.zeros(9)
    for turn in range(2):
        H[:] = 0.0
        value = -(east if turn == 0 else north) - share * x[7 + turn]
        for i in range(3):
            H[3 + i] = axes[turn, i]
            value += axes[turn, i] * x[3 + i]
        H[7 + turn] = -share
        S = own * own + shear * shear
        for i in range(9):
            PH[i] = 0.0
            for m in range(9):
                PH[i] += P[i, m] * H[m]
        for i in range(9):
            S += H[i] * PH[i]
        for i in range(9):
            x[i] -= PH[i] / S * value
            for m in range(9):
                P[i, m] -= PH[i] * PH[m] / S
    for i in range(7, 9):
        P[i, i] = max(P[i, i], LEAST_WIND_M_S * LEAST_WIND_M_S)
