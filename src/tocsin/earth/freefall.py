"""What acts on one body in free flight, and how that derives: the same as `motion.acceleration`, in half the time.

`motion` says it in plain words and is what this is tested against. Here one square root, one exponential and few
divisions are left, and products and sums are joined (fused operations). The exponential of the air's density is that
of a layer's middle (`base`, reckoned once a layer) times a short series.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tocsin.earth.air import exponential
from tocsin.earth.forces import MACH_STEP, Forces
from tocsin.earth.gravity import gravity_terms
from tocsin.earth.motion import DEEPEST, HIGHEST, SHAPE_KEPT, wind_and_slope, wind_share
from tocsin.kernel import jit, jit_lanes

Floats = NDArray[np.float64]


@jit
def base(ln_beta: float, layer: int, f: Forces) -> float:
    """Half the density in the middle of a layer over the ballistic coefficient (1/m); 0 above the air."""
    if layer >= len(f.air):
        return 0.0
    return 0.5 * math.exp(f.air[layer, 0] - ln_beta)


@jit_lanes
def slopes(
    y: Floats, wind_east: float, wind_north: float, first: float, half: float, layer: int, f: Forces,
    P: Floats, out: Floats,
) -> tuple[float, float, float, float, float]:  # fmt: skip
    """Fill ``out`` (7,) with the slopes of a state ``y`` (7,), and P (4, 9) as `motion.acceleration` does.

    wind_east, wind_north: the unknown wind at 11 km (m/s); layer: of the air; half: `base` of that layer and of
    ``first``, ln of the ballistic coefficient when it was reckoned. Returns drag over
    airspeed (1/s), the slope of ln density by height (1/m), the airspeed (m/s; 0 where no air is felt), the height (m;
    not reckoned there), and the Mach number (0 where the drag coefficient does not hang on it).
    """
    px, py, pz, vx, vy, vz = y[0], y[1], y[2], y[3], y[4], y[5]
    gm, radius, j2, j3, j4, w = f.gm_m3_s2, f.radius_m, f.j2, f.j3, f.j4, f.rate_rad_s
    r = math.sqrt(px * px + py * py + pz * pz)
    inverse_r = 1.0 / r
    ex, ey, s = px * inverse_r, py * inverse_r, pz * inverse_r
    radial, axial = gravity_terms(gm, radius, j2, j3, j4, s, inverse_r)
    turning = radial + w * w
    ax = turning * px + 2.0 * w * vy
    ay = turning * py - 2.0 * w * vx
    az = radial * pz + axial
    # gravity by position, as in `gravity.gravity_gradient`
    s2 = s * s
    ratio = radius * inverse_r
    q2, q3, q4 = j2 * ratio * ratio, j3 * ratio * ratio * ratio, j4 * ratio * ratio * ratio * ratio
    d2, d3, d4 = 3.0 * s, 7.5 * s2 - 1.5, (17.5 * s2 - 7.5) * s
    d5 = (39.375 * s2 - 26.25) * s2 + 1.875
    dd3, dd4, dd5 = 15.0 * s, 52.5 * s2 - 7.5, (157.5 * s2 - 52.5) * s
    pull = gm * inverse_r * inverse_r * inverse_r
    by_r = pull * inverse_r * (3.0 - 5.0 * q2 * d3 - 6.0 * q3 * d4 - 7.0 * q4 * d5)
    by_s = pull * inverse_r * (q2 * dd3 + q3 * dd4 + q4 * dd5)
    up_r = pull * (4.0 * q2 * d2 + 5.0 * q3 * d3 + 6.0 * q4 * d4)
    up_s = -pull * (3.0 * q2 + q3 * dd3 + q4 * dd4)
    change = (by_r - by_s * s) * ex
    P[0, 0], P[1, 0], P[2, 0] = turning + px * change, py * change, pz * change + (up_r - up_s * s) * ex
    change = (by_r - by_s * s) * ey
    P[0, 1], P[1, 1], P[2, 1] = px * change, turning + py * change, pz * change + (up_r - up_s * s) * ey
    change = by_r * s + by_s * (1.0 - s2)
    P[0, 2], P[1, 2] = px * change, py * change
    P[2, 2] = radial + pz * change + up_r * s + up_s * (1.0 - s2)
    for c in range(9):
        P[3, c] = 0.0
    out[0], out[1], out[2], out[6] = vx, vy, vz, 0.0
    if layer >= len(f.air):
        for i in range(3):
            for c in range(3, 9):
                P[i, c] = 0.0
        P[0, 4], P[1, 3] = 2.0 * w, -2.0 * w
        out[3], out[4], out[5] = ax, ay, az
        return 0.0, 0.0, 0.0, 0.0, 0.0
    # height and its gradient, of `steps.height_series`
    a = f.semi_major_axis_m
    inverse = 1.0 / (1.0 - f.flattening)
    second = inverse * inverse - 1.0
    e = second * s2
    surface = a * (1.0 + e * (-0.5 + e * (0.375 + e * (-0.3125 + e * (0.2734375 - e * 0.24609375)))))
    surface_e = a * (-0.5 + e * (0.75 + e * (-0.9375 + e * (1.09375 - e * 1.23046875))))
    lean = 0.5 * e * (second - e) * (1.0 - 2.0 * e)
    lean_e = 0.5 * ((second - 2.0 * e) * (1.0 - 2.0 * e) - 2.0 * e * (second - e))
    share = 1.0 - lean * surface * inverse_r
    over = r - surface
    height = over * share
    outward = share + over * lean * surface * inverse_r * inverse_r
    by_e = -surface_e * share - over * (lean_e * surface + lean * surface_e) * inverse_r
    turn = by_e * 2.0 * second * s * inverse_r
    hx, hy, hz = (outward - turn * s) * ex, (outward - turn * s) * ey, (outward - turn * s) * s + turn
    # density
    low, high = f.air_knots_m[layer], f.air_knots_m[layer + 1]
    scale = 2.0 / (high - low)
    t = min(max((height - 0.5 * (low + high)) * scale, DEEPEST), HIGHEST)
    value, slope = 0.0, 0.0
    for c in range(f.air.shape[1] - 1, 0, -1):
        value = value * t + f.air[layer, c]
        slope = slope * t + value
    slope *= scale
    air = half * exponential(value * t)
    if y[6] != first:
        air *= math.exp(first - y[6])
    # airspeed
    wide = wind_share(height)
    windy = len(f.wind) > 0 or wind_east != 0.0 or wind_north != 0.0
    size, inverse_p = 1.0, 0.0
    if windy or wide > 0.0:
        p2 = hx * hx + hy * hy
        inverse_p = 1.0 / math.sqrt(p2) if p2 > 0.0 else 0.0
        size = 1.0 / math.sqrt(p2 + hz * hz)
        p2 *= inverse_p
    else:
        p2 = 0.0
    sin_lon = hy * inverse_p
    cos_lon = hx * inverse_p if inverse_p > 0.0 else 1.0
    sin_lat, cos_lat = hz * size, p2 * size
    nx, ny, nz = -sin_lat * cos_lon, -sin_lat * sin_lon, cos_lat
    ux, uy, uz = vx, vy, vz
    east, north, east_slope, north_slope = 0.0, 0.0, 0.0, 0.0
    if windy:
        if len(f.wind) > 0:
            east, north, east_slope, north_slope = wind_and_slope(height, f.wind)
        share_slope = (wind_share(height + 1.0) - wind_share(height - 1.0)) / 2.0
        east += wide * wind_east
        north += wide * wind_north
        east_slope += share_slope * wind_east
        north_slope += share_slope * wind_north
        ux -= nx * north - sin_lon * east
        uy -= ny * north + cos_lon * east
        uz -= nz * north
    speed2 = ux * ux + uy * uy + uz * uz
    speed = math.sqrt(speed2)
    inverse_speed = 1.0 / speed if speed > 0.0 else 0.0
    drag = air * speed
    along, thick = drag * inverse_speed * inverse_speed, drag * slope
    mach = 0.0
    if len(f.curve) > 0:
        last = min(layer, len(f.sound) - 1)
        m = min(max(t, -1.0), 1.0)  # sound has the layers of the air
        square, by_height = 0.0, 0.0
        for c in range(f.sound.shape[1] - 1, -1, -1):
            by_height = by_height * m + square
            square = square * m + f.sound[last, c]
        inverse_sound = 1.0 / math.sqrt(square)
        mach = speed * inverse_sound
        at = mach * (1.0 / MACH_STEP)
        knots = len(f.curve)
        k = int(min(at, knots - 1.0))
        d = min(at - k, 1.0)
        c0, c1, c2, c3 = f.curve[k, 0], f.curve[k, 1], f.curve[k, 2], f.curve[k, 3]
        by_mach = ((3.0 * c3 * d + 2.0 * c2) * d + c1) * (1.0 / MACH_STEP) if at < knots else 0.0
        by_mach *= drag
        drag *= ((c3 * d + c2) * d + c1) * d + c0
        along = (drag * inverse_speed + by_mach * inverse_sound) * inverse_speed
        thick = drag * slope - 0.5 * by_mach * mach * by_height * scale * inverse_sound * inverse_sound
    out[3], out[4], out[5] = ax - drag * ux, ay - drag * uy, az - drag * uz
    vxx, vxy, vxz = -along * ux * ux - drag, -along * ux * uy, -along * ux * uz
    vyy, vyz, vzz = -along * uy * uy - drag, -along * uy * uz, -along * uz * uz - drag
    P[0, 3], P[0, 4], P[0, 5] = vxx, vxy + 2.0 * w, vxz
    P[1, 3], P[1, 4], P[1, 5] = vxy - 2.0 * w, vyy, vyz
    P[2, 3], P[2, 4], P[2, 5] = vxz, vyz, vzz
    tx, ty, tz = thick * ux, thick * uy, thick * uz
    P[0, 0] -= tx * hx
    P[0, 1] -= tx * hy
    P[0, 2] -= tx * hz
    P[1, 0] -= ty * hx
    P[1, 1] -= ty * hy
    P[1, 2] -= ty * hz
    P[2, 0] -= tz * hx
    P[2, 1] -= tz * hy
    P[2, 2] -= tz * hz
    P[0, 6], P[1, 6], P[2, 6] = drag * ux, drag * uy, drag * uz
    P[0, 7] = -wide * (vxy * cos_lon - vxx * sin_lon)
    P[1, 7] = -wide * (vyy * cos_lon - vxy * sin_lon)
    P[2, 7] = -wide * (vyz * cos_lon - vxz * sin_lon)
    P[0, 8] = -wide * (vxx * nx + vxy * ny + vxz * nz)
    P[1, 8] = -wide * (vxy * nx + vyy * ny + vyz * nz)
    P[2, 8] = -wide * (vxz * nx + vyz * ny + vzz * nz)
    burn = SHAPE_KEPT * f.ablation_s2_m2 if speed > f.ablation_speed_m_s else 0.0
    lx, ly, lz = 0.0, 0.0, 0.0
    if burn > 0.0:
        loss = burn * drag * speed2
        out[6] = -loss
        change = -burn * (along * speed2 + 2.0 * drag)
        lx, ly, lz = change * ux, change * uy, change * uz
        change = -burn * speed2 * thick
        P[3, 0], P[3, 1], P[3, 2] = change * hx, change * hy, change * hz
        P[3, 3], P[3, 4], P[3, 5], P[3, 6] = lx, ly, lz, loss
        P[3, 7] = -wide * (ly * cos_lon - lx * sin_lon)
        P[3, 8] = -wide * (lx * nx + ly * ny + lz * nz)
    if windy:
        # by what the known and the unknown wind change with place, see `motion.wind_shear`
        e2 = f.flattening * (2.0 - f.flattening)
        bend = 1.0 - e2 * sin_lat * sin_lat
        across = a / math.sqrt(bend)
        by_lat = -north / (across * (1.0 - e2) / bend + height)
        by_lon = -1.0 / max((across + height) * cos_lat, 1.0)
        ox, oy, oz = cos_lat * cos_lon, cos_lat * sin_lon, sin_lat
        gx, gy, gz = (
            nx * north_slope - sin_lon * east_slope,
            ny * north_slope + cos_lon * east_slope,
            nz * north_slope,
        )
        kx, ky = cos_lon * east - sin_lat * sin_lon * north, sin_lon * east + sin_lat * cos_lon * north
        kx, ky = kx * by_lon, ky * by_lon
        for i in range(4):
            if i == 0:
                bx, by, bz = vxx, vxy, vxz
            elif i == 1:
                bx, by, bz = vxy, vyy, vyz
            elif i == 2:
                bx, by, bz = vxz, vyz, vzz
            else:
                bx, by, bz = lx, ly, lz
            rising = bx * gx + by * gy + bz * gz
            eastward = bx * kx + by * ky
            northward = (bx * ox + by * oy + bz * oz) * by_lat
            P[i, 0] -= rising * ox - eastward * sin_lon + northward * nx
            P[i, 1] -= rising * oy + eastward * cos_lon + northward * ny
            P[i, 2] -= rising * oz + northward * nz
    return drag, slope, speed, height, mach
