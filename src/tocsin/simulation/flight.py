"""Kernels that fly what is simulated: free flight with drag and ablation, and drawn ascents.

A state has seven components: ECEF position (m) and velocity (m/s), and the logarithm of
the ballistic coefficient m / (Cd A) in kg/m2 at hypersonic speed. The weather is a flat
array, see `WEATHER`. All this is richer than what a filter assumes: wind by height, air
that departs from the standard, drag by Mach number, ablation.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tocsin.earth.ellipsoid import height_m, up_and_height
from tocsin.earth.forces import J3, J4, STANDARD
from tocsin.earth.gravity import gravity_terms
from tocsin.earth.motion import density_kg_m3, sound_speed_m_s
from tocsin.kernel import jit
from tocsin.units import EARTH_GM_M3_S2, EARTH_RATE_RAD_S, J2, SEMI_MAJOR_AXIS_M

Floats = NDArray[np.float64]

# places in the weather array: jet stream at 11 km and a ripple of the wind (m/s east, north),
# phase of the ripple (rad), scale and phases (rad) of the departure of density
WEATHER = ("jet_east", "jet_north", "ripple_east", "ripple_north", "phase", "density", "phase_a", "phase_b")
SLENDER, BLUNT = 0, 1  # curves of drag by Mach number
JET_HEIGHT_M, JET_DEPTH_M = 11e3, 4e3  # a Gaussian of height, as wide as mid-latitude jets are
NO_AIR_M = 200e3  # above it drag is left out: below 1e-4 m/s2 for all that is simulated here
MOST_S = 7200.0  # what is not down by then does not come down


@jit
def jet(height: float) -> float:
    """Wind at a height (m) over the wind at 11 km."""
    d = (height - JET_HEIGHT_M) / JET_DEPTH_M
    return math.exp(-0.5 * d * d)


@jit
def drag_by_mach(mach: float, curve: int) -> float:
    """Drag coefficient over its hypersonic value: generic shapes of slender and of blunt bodies."""
    if curve == SLENDER:
        d = (mach - 1.1) / (0.3 if mach < 1.1 else 1.3)
        return 1.0 + 0.5 / (1.0 + d * d)
    return 0.75 + 0.25 * math.tanh((mach - 1.0) / 0.4)


@jit
def wind_m_s(height: float, weather: Floats) -> tuple[float, float]:
    """Wind toward east and north (m/s) at a height (m)."""
    level = jet(height)
    d = (height - 8e3) / 8e3
    ripple = math.sin(2.0 * math.pi * height / 9e3 + weather[4]) * math.exp(-0.5 * d * d)
    return weather[0] * level + weather[2] * ripple, weather[1] * level + weather[3] * ripple


@jit
def ln_density_over_standard(height: float, weather: Floats) -> float:
    """ln of the density of the air over that of the standard, at a height (m)."""
    swing = math.sin(2.0 * math.pi * height / 22e3 + weather[6])
    swing += 0.5 * math.sin(2.0 * math.pi * height / 13e3 + weather[7])
    return float(weather[5] * (0.02 + 0.08 * min(max(height, 0.0) / 80e3, 1.5)) * swing)


@jit
def _rate(s: Floats, curve: int, ablation: float, weather: Floats, out: Floats) -> None:
    x, y, z, vx, vy, vz = s[0], s[1], s[2], s[3], s[4], s[5]
    r = math.sqrt(x * x + y * y + z * z)
    radial, axial = gravity_terms(EARTH_GM_M3_S2, SEMI_MAJOR_AXIS_M, J2, J3, J4, z / r, 1.0 / r)
    w = EARTH_RATE_RAD_S
    ax = radial * x + w * (w * x + 2.0 * vy)
    ay = radial * y + w * (w * y - 2.0 * vx)
    az = radial * z + axial
    out[6] = 0.0
    sin_lat, cos_lat, sin_lon, cos_lon, height = up_and_height(x, y, z)
    if height < NO_AIR_M:
        east, north = wind_m_s(height, weather)
        ux = vx + sin_lon * east + sin_lat * cos_lon * north
        uy = vy - cos_lon * east + sin_lat * sin_lon * north
        uz = vz - cos_lat * north
        u = math.sqrt(ux * ux + uy * uy + uz * uz)
        rho = density_kg_m3(height, STANDARD) * math.exp(ln_density_over_standard(height, weather))
        k = 0.5 * rho * u * math.exp(-s[6]) * drag_by_mach(u / sound_speed_m_s(height, STANDARD), curve)
        ax -= k * ux
        ay -= k * uy
        az -= k * uz
        # single body, shape kept: dm/dt = sigma m u du/dt and beta ~ m^(1/3) (Ceplecha et al. 1998, eq. 4-6)
        out[6] = -ablation / 3.0 * u * k * u
    out[0], out[1], out[2] = vx, vy, vz
    out[3], out[4], out[5] = ax, ay, az


@jit
def _step(s: Floats, dt: float, curve: int, ablation: float, weather: Floats, out: Floats, k: Floats) -> None:
    """One classical Runge-Kutta step of order 4 from s to out (7,); k (5, 7) is room to work in."""
    _rate(s, curve, ablation, weather, k[0])
    for i in range(1, 4):
        part = dt if i == 3 else 0.5 * dt
        for j in range(7):
            k[4, j] = s[j] + part * k[i - 1, j]
        _rate(k[4], curve, ablation, weather, k[i])
    for j in range(7):
        out[j] = s[j] + dt / 6.0 * (k[0, j] + 2.0 * (k[1, j] + k[2, j]) + k[3, j])


@jit
def _longest_step(height: float, speed: float) -> float:
    if height > 120e3:
        return 0.5
    if height > 90e3:
        return 0.25
    return 0.05 if speed > 1e3 else 0.1


@jit
def fly(
    starts: Floats, weathers: Floats, curve: int, ablation: float, row_s: float, floor_m: float, most_s: float
) -> tuple[Floats, Floats, bool]:
    """Fly a bundle of states (m, 7), each in its own weather (m, 8), until the first is down.

    The first member sets the steps, so that differences between members are smooth. Rows
    stand ``row_s`` apart below 100 km and a second (or ``row_s``, if more) apart above; the
    last row is where the first member passes ``floor_m``, or ``most_s``. Returns times
    (n,) in seconds after the start, states (n, m, 7), and whether the floor was met.
    """
    m = len(starts)
    room = 256
    times = np.empty(room)
    rows = np.empty((room, m, 7))
    state, ahead = starts.copy(), np.empty((m, 7))
    k = np.empty((5, 7))
    times[0], rows[0] = 0.0, state
    n, t = 1, 0.0
    down = False
    while not down and t < most_s - 1e-9:
        first = state[0]
        height = height_m(first[0], first[1], first[2])
        speed = math.sqrt(first[3] ** 2 + first[4] ** 2 + first[5] ** 2)
        span = min(max(row_s, 1.0) if height > 100e3 else row_s, most_s - t)
        parts = math.ceil(span / _longest_step(height, speed) - 1e-9)
        for _ in range(parts):
            dt = span / parts
            _step(state[0], dt, curve, ablation, weathers[0], ahead[0], k)
            after = height_m(ahead[0, 0], ahead[0, 1], ahead[0, 2])
            before = height_m(state[0, 0], state[0, 1], state[0, 2])
            if after <= floor_m < before:
                low, high = 0.0, dt
                for _ in range(50):  # regula falsi, kept inside its bracket
                    dt = low + (high - low) * min(max((before - floor_m) / (before - after), 0.02), 0.98)
                    _step(state[0], dt, curve, ablation, weathers[0], ahead[0], k)
                    at = height_m(ahead[0, 0], ahead[0, 1], ahead[0, 2])
                    if abs(at - floor_m) < 1e-6:
                        break
                    if at > floor_m:
                        low, before = dt, at
                    else:
                        high, after = dt, at
                down = True
            for i in range(1, m):
                _step(state[i], dt, curve, ablation, weathers[i], ahead[i], k)
            state, ahead = ahead, state
            t += dt
            if down:
                break
        if n == room:
            room *= 2
            more, wide = np.empty(room), np.empty((room, m, 7))
            more[:n], wide[:n] = times, rows
            times, rows = more, wide
        times[n], rows[n] = t, state
        n += 1
    return times[:n].copy(), rows[:n].copy(), down


@jit
def carry(start: Floats, weather: Floats, span_s: float, parts: int) -> Floats:
    """A state (7,) after ``span_s`` seconds (also negative) of free flight in ``parts`` steps."""
    state, ahead, k = start.copy(), np.empty(7), np.empty((5, 7))
    for _ in range(parts):
        _step(state, span_s / parts, BLUNT, 0.0, weather, ahead, k)
        state, ahead = ahead, state
    return state


@jit
def climb(start: Floats, step_s: float, speed: Floats, elevation: Floats, heading: Floats) -> Floats:
    """States (n, 6) along a drawn path from a place (3,): speed (m/s) and direction (rad) every half step.

    The arrays (2 n - 1,) hold the values at 0, 1/2, 1, 3/2 ... steps. The path is integrated
    with Runge-Kutta of order 4, so that positions and velocities agree.
    """
    n = (len(speed) + 1) // 2
    rows = np.empty((n, 6))
    p = start.copy()
    v = np.empty((4, 3))
    q = np.empty(3)
    for i in range(n):
        for stage in range(4):
            j = min(2 * i + (0 if stage == 0 else 1 if stage < 3 else 2), len(speed) - 1)
            part = 0.0 if stage == 0 else 0.5 * step_s if stage < 3 else step_s
            for a in range(3):
                q[a] = p[a] + (part * v[stage - 1, a] if stage > 0 else 0.0)
            sin_lat, cos_lat, sin_lon, cos_lon, _ = up_and_height(q[0], q[1], q[2])
            up = speed[j] * math.sin(elevation[j])
            level = speed[j] * math.cos(elevation[j])
            east, north = level * math.sin(heading[j]), level * math.cos(heading[j])
            v[stage, 0] = -sin_lon * east - sin_lat * cos_lon * north + cos_lat * cos_lon * up
            v[stage, 1] = cos_lon * east - sin_lat * sin_lon * north + cos_lat * sin_lon * up
            v[stage, 2] = cos_lat * north + sin_lat * up
        for a in range(3):
            rows[i, a], rows[i, 3 + a] = p[a], v[0, a]
            p[a] += step_s / 6.0 * (v[0, a] + 2.0 * (v[1, a] + v[2, a]) + v[3, a])
    return rows
