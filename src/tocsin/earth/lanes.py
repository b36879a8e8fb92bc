"""Many flights side by side: what acts on them, as loops along the lanes that become vector code.

The arrays are flat, lane i of row c at c * LANES + i: with a constant distance between rows the compiler sees that
they do not overlap. Rows 0 to 6 of a state are position (m) and velocity (m/s) in ECEF and ln of the ballistic
coefficient (kg/m2). So are those of a column of the transition matrix: their derivatives by a component of the start
or, in the last two of nine columns, by an unknown wind at 11 km, see `motion.WIND_HEIGHT_M`.

`batch` flies them. The same forces for one state, in plain words, are in `motion.acceleration`.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tocsin.earth.air import exponential
from tocsin.earth.ellipsoid import up_and_height_on
from tocsin.earth.forces import MACH_STEP, WIND_STEP_M, Forces
from tocsin.earth.gravity import gravity_terms
from tocsin.earth.motion import DEEPEST, HIGHEST, SHAPE_KEPT, wind_and_slope, wind_share, wind_shear
from tocsin.earth.steps import height_series
from tocsin.kernel import jit, jit_inline, jit_lanes

Floats = NDArray[np.float64]

LANES = 32
ROWS = 7  # position, velocity, ln of the ballistic coefficient
SIZE = ROWS * LANES
COLUMNS = 9  # of the transition matrix

# Rows of what each lane holds beside its state. Of its layer of air: the polynomial of ln density but for its
# constant term (1 to 10), the middle (m) and inverse half thickness (1/m), bounds (m), and density in the
# middle over twice the ballistic coefficient at the start of the flight (1/m).
POLY, MIDDLE, SCALE, FLOOR, CEILING, HALF = 0, 11, 12, 13, 14, 15
# Of the weather: wind (m/s, ECEF), and drag over that of hypersonic speed and the first ballistic coefficient.
WIND, FACTOR = 16, 19
# Of the step: drag over speed (1/s), height (m), time to go (s), and the length (s) that the error allows.
DRAG, HEIGHT, TO_GO, ALLOWED = 20, 21, 22, 23
# Of the step just tried: the height it led to (m), the climb rate there (m/s), and its error over that allowed.
# Then: 1 once a flight to its perigee has come down toward it.
AFTER, AFTER_RATE, EXCESS, ARMED = 24, 25, 26, 27
# The square of the speed of sound in the layer: five coefficients.
SOUND = 28
# Logarithmic slopes of the drag coefficient by airspeed (s/m) and by height (1/m).
BY_SPEED, BY_HEIGHT = 33, 34
SHALLOW = 35  # how an error grows on the way to the ground, see `steps.shallowness`
SLACK = 36  # how far from a bound a step may end (m)
KEPT = 37
MOST_GROWN = 10.0  # a body whose ln beta fell by more has burnt up

# Rows of the derivatives of acceleration by position, velocity but for the Earth's turning, ln of the ballistic
# coefficient and unknown wind; and those of the rate of ln of the ballistic coefficient by the same.
# Those by velocity are symmetric: xx, xy, xz, yy, yz, zz.
BY_VELOCITY, BY_WIND, LOSS_BY_POSITION, LOSS_BY_VELOCITY, LOSS_BY_WIND = 9, 18, 24, 27, 31
PARTIALS = 33
SYMMETRIC = ((0, 1, 2), (1, 3, 4), (2, 4, 5))


@jit_lanes
def push(y: Floats, kept: Floats, out: Floats, f: Forces) -> None:
    """Fill ``out`` with the slope of the state of every lane, and the row DRAG."""
    w = f.rate_rad_s
    gm, radius, j2, j3, j4 = f.gm_m3_s2, f.radius_m, f.j2, f.j3, f.j4
    a = f.semi_major_axis_m
    second = 1.0 / (1.0 - f.flattening) ** 2 - 1.0
    burn = SHAPE_KEPT * f.ablation_s2_m2
    least2 = f.ablation_speed_m_s**2
    for i in range(LANES):
        px, py, pz = y[i], y[LANES + i], y[2 * LANES + i]
        vx, vy, vz = y[3 * LANES + i], y[4 * LANES + i], y[5 * LANES + i]
        r = math.sqrt(px * px + py * py + pz * pz)
        inverse_r = 1.0 / r
        sine = pz * inverse_r
        radial, axial = gravity_terms(gm, radius, j2, j3, j4, sine, inverse_r)
        height = height_series(r, inverse_r, sine * sine, a, second)
        t = (height - kept[MIDDLE * LANES + i]) * kept[SCALE * LANES + i]
        t = min(max(t, DEEPEST), HIGHEST)
        # density over that in the middle of the layer
        log = kept[10 * LANES + i]
        log = log * t + kept[9 * LANES + i]
        log = log * t + kept[8 * LANES + i]
        log = log * t + kept[7 * LANES + i]
        log = log * t + kept[6 * LANES + i]
        log = log * t + kept[5 * LANES + i]
        log = log * t + kept[4 * LANES + i]
        log = log * t + kept[3 * LANES + i]
        log = log * t + kept[2 * LANES + i]
        log = log * t + kept[LANES + i]
        ux = vx - kept[WIND * LANES + i]
        uy = vy - kept[(WIND + 1) * LANES + i]
        uz = vz - kept[(WIND + 2) * LANES + i]
        speed2 = ux * ux + uy * uy + uz * uz
        share = kept[HALF * LANES + i] * kept[FACTOR * LANES + i]
        drag = share * exponential(log * t) * math.sqrt(speed2)
        kept[DRAG * LANES + i] = drag
        turning = radial + w * w
        out[i] = vx
        out[LANES + i] = vy
        out[2 * LANES + i] = vz
        out[3 * LANES + i] = turning * px + 2.0 * w * vy - drag * ux
        out[4 * LANES + i] = turning * py - 2.0 * w * vx - drag * uy
        out[5 * LANES + i] = radial * pz + axial - drag * uz
        out[6 * LANES + i] = -burn * drag * speed2 if speed2 > least2 else 0.0


@jit_lanes
def feel_wind(y: Floats, kept: Floats, f: Forces) -> None:
    """Fill the rows WIND of every lane for its place.

    The normal's direction is that of a point as high over the equator: within 4e-5 rad of the true one below 100 km,
    far less than any wind's direction is known.
    """
    a = f.semi_major_axis_m
    second = 1.0 / (1.0 - f.flattening) ** 2 - 1.0
    level = a * (1.0 - f.flattening) ** 2
    last = len(f.wind) - 1
    for i in range(LANES):
        px, py, pz = y[i], y[LANES + i], y[2 * LANES + i]
        p2 = px * px + py * py
        r = math.sqrt(p2 + pz * pz)
        inverse_r = 1.0 / r
        sine = pz * inverse_r
        height = height_series(r, inverse_r, sine * sine, a, second)
        place = min(max(height / WIND_STEP_M, 0.0), float(last))
        k = min(int(place), last - 1)
        part = place - k
        east = f.wind[k, 0] + part * (f.wind[k + 1, 0] - f.wind[k, 0])
        north = f.wind[k, 1] + part * (f.wind[k + 1, 1] - f.wind[k, 1])
        p = math.sqrt(p2)
        inverse_p = 1.0 / p if p > 0.0 else 0.0
        sin_lon = py * inverse_p
        cos_lon = px * inverse_p if p > 0.0 else 1.0
        up = pz * (a + height) / (level + height)
        inverse_n = 1.0 / math.sqrt(p2 + up * up)
        sin_lat, cos_lat = up * inverse_n, p * inverse_n
        kept[WIND * LANES + i] = -sin_lon * east - sin_lat * cos_lon * north
        kept[(WIND + 1) * LANES + i] = cos_lon * east - sin_lat * sin_lon * north
        kept[(WIND + 2) * LANES + i] = cos_lat * north


@jit_lanes
def feel_mach(y: Floats, kept: Floats, f: Forces) -> None:
    """Multiply the row FACTOR of every lane by its drag coefficient over the hypersonic value; fill its slopes."""
    a = f.semi_major_axis_m
    second = 1.0 / (1.0 - f.flattening) ** 2 - 1.0
    last = len(f.curve) - 1
    for i in range(LANES):
        px, py, pz = y[i], y[LANES + i], y[2 * LANES + i]
        ux = y[3 * LANES + i] - kept[WIND * LANES + i]
        uy = y[4 * LANES + i] - kept[(WIND + 1) * LANES + i]
        uz = y[5 * LANES + i] - kept[(WIND + 2) * LANES + i]
        r = math.sqrt(px * px + py * py + pz * pz)
        inverse_r = 1.0 / r
        sine = pz * inverse_r
        height = height_series(r, inverse_r, sine * sine, a, second)
        t = (height - kept[MIDDLE * LANES + i]) * kept[SCALE * LANES + i]
        t = min(max(t, -1.0), 1.0)
        square = kept[(SOUND + 4) * LANES + i]
        square = square * t + kept[(SOUND + 3) * LANES + i]
        square = square * t + kept[(SOUND + 2) * LANES + i]
        square = square * t + kept[(SOUND + 1) * LANES + i]
        square = square * t + kept[SOUND * LANES + i]
        mach = math.sqrt((ux * ux + uy * uy + uz * uz) / max(square, 1.0))
        place = min(mach / MACH_STEP, last + 1.0)
        k = min(int(place), last)
        d = place - k
        factor = ((f.curve[k, 3] * d + f.curve[k, 2]) * d + f.curve[k, 1]) * d + f.curve[k, 0]
        kept[FACTOR * LANES + i] *= factor
        by_mach = (3.0 * f.curve[k, 3] * d + 2.0 * f.curve[k, 2]) * d + f.curve[k, 1]
        relative = by_mach / (MACH_STEP * factor) if place < last + 1.0 else 0.0
        slope = 4.0 * kept[(SOUND + 4) * LANES + i]
        slope = slope * t + 3.0 * kept[(SOUND + 3) * LANES + i]
        slope = slope * t + 2.0 * kept[(SOUND + 2) * LANES + i]
        slope = slope * t + kept[(SOUND + 1) * LANES + i]
        # Mach number goes with speed, and with the sound's square to the power of -1/2
        sound = max(square, 1.0)
        kept[BY_SPEED * LANES + i] = relative / math.sqrt(sound)
        kept[BY_HEIGHT * LANES + i] = -0.5 * relative * mach * slope * kept[SCALE * LANES + i] / sound


@jit_lanes
def feel(y: Floats, kept: Floats, first: Floats, f: Forces) -> None:
    """Fill the rows WIND and FACTOR of every lane for its state.

    first (LANES,): ln of the ballistic coefficient at the start.
    """
    if len(f.wind) > 0:
        feel_wind(y, kept, f)
    for i in range(LANES):
        grown = first[i] - y[6 * LANES + i]
        kept[FACTOR * LANES + i] = exponential(min(max(grown, -MOST_GROWN), MOST_GROWN))
    if len(f.curve) > 0:
        feel_mach(y, kept, f)


@jit_inline
def density_slope(kept: Floats, i: int, t: float) -> float:
    """Slope by height (1/m) of ln density in lane i, at a height t that is scaled to -1..1 over its layer."""
    slope = 10.0 * kept[10 * LANES + i]
    slope = slope * t + 9.0 * kept[9 * LANES + i]
    slope = slope * t + 8.0 * kept[8 * LANES + i]
    slope = slope * t + 7.0 * kept[7 * LANES + i]
    slope = slope * t + 6.0 * kept[6 * LANES + i]
    slope = slope * t + 5.0 * kept[5 * LANES + i]
    slope = slope * t + 4.0 * kept[4 * LANES + i]
    slope = slope * t + 3.0 * kept[3 * LANES + i]
    slope = slope * t + 2.0 * kept[2 * LANES + i]
    whole: float = (slope * t + kept[LANES + i]) * kept[SCALE * LANES + i]
    return whole


@jit_lanes
def body_slopes(y: Floats, kept: Floats, part: Floats, f: Forces) -> None:
    """Fill ``part`` as `slopes` does, with the known wind taken as the same all round."""
    w = f.rate_rad_s
    gm, radius, j2, j3, j4 = f.gm_m3_s2, f.radius_m, f.j2, f.j3, f.j4
    a = f.semi_major_axis_m
    second = 1.0 / (1.0 - f.flattening) ** 2 - 1.0
    for i in range(LANES):
        px, py, pz = y[i], y[LANES + i], y[2 * LANES + i]
        r2 = px * px + py * py + pz * pz
        r = math.sqrt(r2)
        inverse_r = 1.0 / r
        ex, ey, s = px * inverse_r, py * inverse_r, pz * inverse_r
        # gravity, as in `gravity.gravity_gradient`
        s2 = s * s
        ratio = radius * inverse_r
        q2, q3, q4 = j2 * ratio * ratio, j3 * ratio * ratio * ratio, j4 * ratio * ratio * ratio * ratio
        d2, d3, d4 = 3.0 * s, 7.5 * s2 - 1.5, (17.5 * s2 - 7.5) * s
        d5 = (39.375 * s2 - 26.25) * s2 + 1.875
        dd3, dd4, dd5 = 15.0 * s, 52.5 * s2 - 7.5, (157.5 * s2 - 52.5) * s
        pull = gm * inverse_r * inverse_r
        radial, _ = gravity_terms(gm, radius, j2, j3, j4, s, inverse_r)
        by_r = pull * inverse_r * inverse_r * (3.0 - 5.0 * q2 * d3 - 6.0 * q3 * d4 - 7.0 * q4 * d5)
        by_s = pull * inverse_r * inverse_r * (q2 * dd3 + q3 * dd4 + q4 * dd5)
        up_r = pull * inverse_r * (4.0 * q2 * d2 + 5.0 * q3 * d3 + 6.0 * q4 * d4)
        up_s = -pull * inverse_r * (3.0 * q2 + q3 * dd3 + q4 * dd4)
        # height and its gradient, of `steps.height_series`
        e = second * s2
        surface = a * (1.0 + e * (-0.5 + e * (0.375 + e * (-0.3125 + e * (0.2734375 - e * 0.24609375)))))
        surface_e = a * (-0.5 + e * (0.75 + e * (-0.9375 + e * (1.09375 - e * 1.23046875))))
        lean = 0.5 * e * (second - e) * (1.0 - 2.0 * e)
        lean_e = 0.5 * ((second - 2.0 * e) * (1.0 - 2.0 * e) - 2.0 * e * (second - e))
        share = 1.0 - lean * surface * inverse_r
        over = r - surface
        height = over * share
        out = share + over * lean * surface * inverse_r * inverse_r
        by_e = -surface_e * share - over * (lean_e * surface + lean * surface_e) * inverse_r
        turn = by_e * 2.0 * second * s * inverse_r
        hx, hy, hz = (out - turn * s) * ex, (out - turn * s) * ey, (out - turn * s) * s + turn
        # drag
        t = (height - kept[MIDDLE * LANES + i]) * kept[SCALE * LANES + i]
        slope = density_slope(kept, i, t) if DEEPEST < t < HIGHEST else 0.0
        ux = y[3 * LANES + i] - kept[WIND * LANES + i]
        uy = y[4 * LANES + i] - kept[(WIND + 1) * LANES + i]
        uz = y[5 * LANES + i] - kept[(WIND + 2) * LANES + i]
        speed2 = ux * ux + uy * uy + uz * uz
        inverse_speed = 1.0 / math.sqrt(speed2) if speed2 > 0.0 else 0.0
        drag = kept[DRAG * LANES + i]
        along = drag * (inverse_speed + kept[BY_SPEED * LANES + i]) * inverse_speed
        thick = drag * (slope + kept[BY_HEIGHT * LANES + i])
        # by position
        change = by_r * ex - by_s * s * ex
        part[i] = radial + w * w + px * change - ux * thick * hx
        part[3 * LANES + i] = py * change - uy * thick * hx
        part[6 * LANES + i] = pz * change + (up_r - up_s * s) * ex - uz * thick * hx
        change = by_r * ey - by_s * s * ey
        part[LANES + i] = px * change - ux * thick * hy
        part[4 * LANES + i] = radial + w * w + py * change - uy * thick * hy
        part[7 * LANES + i] = pz * change + (up_r - up_s * s) * ey - uz * thick * hy
        change = by_r * s + by_s * (1.0 - s2)
        part[2 * LANES + i] = px * change - ux * thick * hz
        part[5 * LANES + i] = py * change - uy * thick * hz
        part[8 * LANES + i] = radial + pz * change + up_r * s + up_s * (1.0 - s2) - uz * thick * hz
        # by velocity, and by ln of the ballistic coefficient
        vxx, vxy, vxz = -along * ux * ux - drag, -along * ux * uy, -along * ux * uz
        vyy, vyz, vzz = -along * uy * uy - drag, -along * uy * uz, -along * uz * uz - drag
        part[9 * LANES + i], part[10 * LANES + i], part[11 * LANES + i] = vxx, vxy, vxz
        part[12 * LANES + i], part[13 * LANES + i], part[14 * LANES + i] = vyy, vyz, vzz
        part[15 * LANES + i], part[16 * LANES + i], part[17 * LANES + i] = drag * ux, drag * uy, drag * uz
        # by the unknown wind, east and north
        p = math.sqrt(hx * hx + hy * hy)
        inverse_p = 1.0 / p if p > 0.0 else 0.0
        sin_lon = hy * inverse_p
        cos_lon = hx * inverse_p if p > 0.0 else 1.0
        size = 1.0 / math.sqrt(p * p + hz * hz)
        sin_lat, cos_lat = hz * size, p * size
        nx, ny, nz = -sin_lat * cos_lon, -sin_lat * sin_lon, cos_lat
        blow = -wind_share(height)
        part[18 * LANES + i] = blow * (vxy * cos_lon - vxx * sin_lon)
        part[20 * LANES + i] = blow * (vyy * cos_lon - vxy * sin_lon)
        part[22 * LANES + i] = blow * (vyz * cos_lon - vxz * sin_lon)
        part[19 * LANES + i] = blow * (vxx * nx + vxy * ny + vxz * nz)
        part[21 * LANES + i] = blow * (vxy * nx + vyy * ny + vyz * nz)
        part[23 * LANES + i] = blow * (vxz * nx + vyz * ny + vzz * nz)
        # of the loss: -burn drag speed2, where the body burns
        fast = speed2 > f.ablation_speed_m_s**2
        burn = SHAPE_KEPT * f.ablation_s2_m2 if fast else 0.0
        lx = -burn * (along * speed2 + 2.0 * drag) * ux
        ly = -burn * (along * speed2 + 2.0 * drag) * uy
        lz = -burn * (along * speed2 + 2.0 * drag) * uz
        part[24 * LANES + i] = -burn * speed2 * thick * hx
        part[25 * LANES + i] = -burn * speed2 * thick * hy
        part[26 * LANES + i] = -burn * speed2 * thick * hz
        part[27 * LANES + i], part[28 * LANES + i], part[29 * LANES + i] = lx, ly, lz
        part[30 * LANES + i] = burn * drag * speed2
        part[31 * LANES + i] = blow * (ly * cos_lon - lx * sin_lon)
        part[32 * LANES + i] = blow * (lx * nx + ly * ny + lz * nz)


@jit
def add_shear(y: Floats, part: Floats, shear: Floats, f: Forces) -> None:
    """Add to ``part`` what the change of the known wind over height and place does. shear (3, 3): room to work in."""
    for i in range(LANES):
        sin_lat, cos_lat, sin_lon, cos_lon, height = up_and_height_on(
            y[i], y[LANES + i], y[2 * LANES + i], f.semi_major_axis_m, f.flattening
        )
        east, north, east_slope, north_slope = wind_and_slope(height, f.wind)
        wind_shear(sin_lat, cos_lat, sin_lon, cos_lon, height, east, north, east_slope, north_slope, f, shear)
        for m in range(3):
            for r in range(3):
                for k in range(3):
                    by_velocity = part[(BY_VELOCITY + SYMMETRIC[r][k]) * LANES + i]
                    part[(3 * r + m) * LANES + i] -= by_velocity * shear[k, m]
            for k in range(3):
                by_velocity = part[(LOSS_BY_VELOCITY + k) * LANES + i]
                part[(LOSS_BY_POSITION + m) * LANES + i] -= by_velocity * shear[k, m]


@jit_lanes
def slopes(y: Floats, kept: Floats, part: Floats, shear: Floats, f: Forces) -> None:
    """Fill ``part`` (PARTIALS * LANES) for the states of ``y``, after `push` has filled the row DRAG for them."""
    body_slopes(y, kept, part, f)
    if len(f.wind) > 0:
        add_shear(y, part, shear, f)


@jit_lanes
def push_column(c: int, y: Floats, part: Floats, out: Floats, f: Forces) -> None:
    """Fill ``out`` (SIZE) with the slopes of column c of the transition matrices, y (SIZE). part: as of `slopes`."""
    w2 = 2.0 * f.rate_rad_s
    for i in range(LANES):
        px, py, pz = y[i], y[LANES + i], y[2 * LANES + i]
        vx, vy, vz = y[3 * LANES + i], y[4 * LANES + i], y[5 * LANES + i]
        b = y[6 * LANES + i]
        xy, xz, yz = part[10 * LANES + i], part[11 * LANES + i], part[13 * LANES + i]
        ax = part[i] * px + part[LANES + i] * py + part[2 * LANES + i] * pz
        ay = part[3 * LANES + i] * px + part[4 * LANES + i] * py + part[5 * LANES + i] * pz
        az = part[6 * LANES + i] * px + part[7 * LANES + i] * py + part[8 * LANES + i] * pz
        ax += part[9 * LANES + i] * vx + xy * vy + xz * vz
        ay += xy * vx + part[12 * LANES + i] * vy + yz * vz
        az += xz * vx + yz * vy + part[14 * LANES + i] * vz
        out[i], out[LANES + i], out[2 * LANES + i] = vx, vy, vz
        out[3 * LANES + i] = ax + part[15 * LANES + i] * b + w2 * vy
        out[4 * LANES + i] = ay + part[16 * LANES + i] * b - w2 * vx
        out[5 * LANES + i] = az + part[17 * LANES + i] * b
        out[6 * LANES + i] = 0.0
    if c >= ROWS:  # an unknown wind, which is constant
        for r in range(3):
            for i in range(LANES):
                out[(3 + r) * LANES + i] += part[(BY_WIND + 2 * r + c - ROWS) * LANES + i]
    if f.ablation_s2_m2 > 0.0:
        for i in range(LANES):
            loss = part[30 * LANES + i] * y[6 * LANES + i]
            for k in range(3):
                loss += part[(LOSS_BY_POSITION + k) * LANES + i] * y[k * LANES + i]
                loss += part[(LOSS_BY_VELOCITY + k) * LANES + i] * y[(3 + k) * LANES + i]
            out[6 * LANES + i] = loss
        if c >= ROWS:
            for i in range(LANES):
                out[6 * LANES + i] += part[(LOSS_BY_WIND + c - ROWS) * LANES + i]
