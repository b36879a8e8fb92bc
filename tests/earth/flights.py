"""A second opinion on flights: the forces written anew, DOP853, many flights side by side in NumPy.

Nothing of ours but the standard's air by its own equations (`us1976.standard_air`, which has tests of its own) and
constants: gravity from Vallado's Cartesian formulas, heights from PROJ, steps and coefficients as SciPy has them.

Its tolerance is 1e-14: at 1e-12 the kinks of the standard atmosphere still cost it up to 0.4 m at the ground.
"""

import numpy as np
from pyproj import Transformer
from scipy.integrate._ivp import dop853_coefficients as dop

from tocsin.earth.ellipsoid import enu_axes, geodetic_to_ecef
from tocsin.earth.forces import J3, J4
from tocsin.earth.us1976 import standard_air
from tocsin.units import EARTH_GM_M3_S2, EARTH_RATE_RAD_S, J2, SEMI_MAJOR_AXIS_M

PROJ = Transformer.from_crs(4978, 4979)
STAGES = 12
A, B = dop.A[:STAGES, :STAGES], dop.B
E3, E5 = dop.E3, dop.E5
RTOL, ATOL = 1e-14, 1e-8


def geodetic(position):
    """Latitudes and longitudes (deg), heights (m) of positions (..., 3)."""
    latitude, longitude, height = PROJ.transform(*np.moveaxis(position, -1, 0))
    return latitude, longitude, height


def gravity(p):
    """Gravity (n, 3): Vallado (2013), Fundamentals of Astrodynamics, section 8.7.1, J2 to J4 written out."""
    x, y, z = p.T
    r = np.sqrt(x * x + y * y + z * z)
    a = SEMI_MAJOR_AXIS_M
    mu = EARTH_GM_M3_S2
    s = (z / r) ** 2
    level = -mu / r**3
    level2 = -1.5 * J2 * mu * a**2 / r**5
    level3 = -2.5 * J3 * mu * a**3 / r**7
    level4 = 1.875 * J4 * mu * a**4 / r**7
    across = level + level2 * (1 - 5 * s) + level3 * (3 * z - 7 * z * s) + level4 * (1 - 14 * s + 21 * s * s)
    up = (level + level2 * (3 - 5 * s)) * z
    up += level3 * (6 * z**2 - 7 * z**2 * s - 0.6 * r**2)
    up += level4 * (5 - 70 / 3 * s + 21 * s * s) * z
    return np.stack([across * x, across * y, up], -1)


def air(height):
    """Density and speed of sound of the standard; far up there is none."""
    low = standard_air(np.minimum(height, 999_999.0))
    return np.where(height < 1e6, low.density_kg_m3, 0.0), low.sound_speed_m_s


def slope(state, beta=np.inf, wind=None, factor=None, thrust=0.0):
    """Time derivative (n, 6) of states (n, 6) in ECEF.

    wind: east and north (n, 2) by height (n,); factor: of the drag by Mach number; thrust: own acceleration.
    """
    p, v = state[:, :3], state[:, 3:]
    turn = EARTH_RATE_RAD_S * np.array(
        [[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    )  # a cross product
    pull = gravity(p) - 2.0 * v @ turn.T - p @ (turn @ turn).T + thrust
    if np.isfinite(beta).any():
        latitude, longitude, height = geodetic(p)
        u = v
        if wind is not None:
            axes = enu_axes(np.radians(latitude), np.radians(longitude))
            u = v - np.einsum("nc,ncj->nj", wind(height), axes[:, :2])
        density, sound = air(height)
        speed = np.linalg.norm(u, axis=1)
        push = 0.5 * density / beta * speed
        if factor is not None:
            push = push * factor(speed / sound)
        pull = pull - push[:, None] * u
    return np.concatenate([v, pull], 1)


def _step(f, y, h):
    """One step of DOP853: states (n, 6) after h (n,), and its error over what is allowed."""
    k = np.empty((STAGES + 1, *y.shape))
    k[0] = f(y)
    for s in range(1, STAGES):
        k[s] = f(y + h[:, None] * np.tensordot(A[s, :s], k[:s], 1))
    after = y + h[:, None] * np.tensordot(B, k[:STAGES], 1)
    k[STAGES] = f(after)
    scale = ATOL + RTOL * np.maximum(np.abs(y), np.abs(after))
    e5, e3 = (np.sum((np.tensordot(e, k, 1) / scale) ** 2, 1) for e in (E5, E3))
    with np.errstate(invalid="ignore", divide="ignore"):
        error = np.abs(h) * e5 / np.sqrt((e5 + 0.01 * e3) * y.shape[1])
    return after, np.nan_to_num(error)


def _within(forces, picked):
    """The forces of some of the flights."""
    beta = forces.get("beta")
    return forces if beta is None or np.ndim(beta) == 0 else {**forces, "beta": beta[picked]}


def fly(states, duration_s, **forces):
    """States (n, 6) after a duration (s), forward or back, one or (n,); other arguments as of `slope`."""
    y = np.array(np.atleast_2d(states), float)
    left = np.broadcast_to(np.asarray(duration_s, float), len(y)).copy()
    h = np.sign(left) * np.minimum(0.1, np.abs(left))
    while (flying := np.flatnonzero(left != 0.0)).size:
        step = np.where(np.abs(h[flying]) < np.abs(left[flying]), h[flying], left[flying])
        after, error = _step(_of(_within(forces, flying)), y[flying], step)
        good = error <= 1.0
        y[flying[good]] = after[good]
        left[flying[good]] -= step[good]
        h[flying] = step * np.clip(0.9 * np.maximum(error, 1e-12) ** -0.125, 0.2, np.where(good, 5.0, 1.0))
    return y.reshape(np.shape(states))


def fall(states, ground_m=0.0, **forces):
    """Times (n,) and states (n, 6) at which flights meet the ground, at one height (m) or (n,). Else as `fly`."""
    y = np.array(np.atleast_2d(states), float)
    count = len(y)
    ground = np.broadcast_to(ground_m, count)
    time, h, landed = np.zeros(count), np.full(count, 0.1), np.zeros(count, bool)
    while (flying := np.flatnonzero(~landed)).size:
        step = h[flying]
        after, error = _step(_of(_within(forces, flying)), y[flying], step)
        good = error <= 1.0
        below = geodetic(after[:, :3])[2] < ground[flying]
        grow = np.clip(0.9 * np.maximum(error, 1e-12) ** -0.125, 0.2, np.where(good, 5.0, 1.0))
        h[flying] = step * grow
        on = good & ~below
        y[flying[on]] = after[on]
        time[flying[on]] += step[on]
        down = np.flatnonzero(good & below)
        if down.size:  # the part of the step that ends on the ground, by the secant kept between its ends
            who = flying[down]
            then = _of(_within(forces, who))
            low, high = np.zeros(down.size), step[down]
            above, under = (geodetic(s[:, :3])[2] - ground[who] for s in (y[who], after[down]))
            for _ in range(60):
                part = low + (high - low) * above / (above - under)
                there, _ = _step(then, y[who], part)
                miss = geodetic(there[:, :3])[2] - ground[who]
                if np.abs(miss).max() < 1e-7:
                    break
                up = miss > 0.0
                # Illinois: the end that stays counts half
                above, under = np.where(up, miss, 0.5 * above), np.where(up, 0.5 * under, miss)
                low = np.where(up, part, low)
                high = np.where(up, high, part)
            y[who], landed[who] = there, True
            time[who] += part
    return time, y


def _of(some):
    """The slope under some forces."""
    return lambda s: slope(s, **some)


def start(latitude_deg, longitude_deg, height_m, speed_m_s, heading_deg, climb_deg):
    """Position and velocity (6,) in ECEF."""
    latitude, longitude = np.radians([latitude_deg, longitude_deg])
    heading, climb = np.radians([heading_deg, climb_deg])
    local = speed_m_s * np.array(
        [np.sin(heading) * np.cos(climb), np.cos(heading) * np.cos(climb), np.sin(climb)]
    )
    return np.concatenate(
        [geodetic_to_ecef(latitude, longitude, height_m), local @ enu_axes(latitude, longitude)]
    )
