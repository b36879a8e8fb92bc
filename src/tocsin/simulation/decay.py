"""Decaying orbits: what circles for hours or days until the air takes it down.

Gravity has the ellipse of the equator beside the zonal terms; the air departs from the standard by a factor, by day and
night, and by an unrest (air and attitude) that changes within hours. Nothing that predicts knows of these.
"""

from __future__ import annotations

import math

import numpy as np

from tocsin.earth.ellipsoid import enu_axes, geodetic_to_ecef, height_m
from tocsin.earth.forces import J3, J4, STANDARD
from tocsin.earth.gravity import gravity_terms
from tocsin.earth.motion import density_kg_m3
from tocsin.kernel import jit
from tocsin.sensors.plots import Floats
from tocsin.simulation.objects import draw_place
from tocsin.simulation.plans import Orbit
from tocsin.units import EARTH_GM_M3_S2, EARTH_RATE_RAD_S, J2, SEMI_MAJOR_AXIS_M

# The equator's ellipse, C22 and S22 not normalised: Montenbruck and Gill (2000), Satellite Orbits, table 3.2.
C22, S22 = 1.57e-6, -9.04e-7
LOWEST_M = 115e3  # below, it comes down: the flight goes on as any other
STEP_S = 10.0  # of Runge and Kutta: errors of a millimetre a revolution; and between rows
UNREST_S = 3600.0  # between values of the unrest
QUICK_S, SLOW_S = (
    (2 * 3600.0, 24 * 3600.0),
    (6 * 3600.0, 48 * 3600.0),
)  # in which it forgets itself, half each
# Amplitude of ln of density between day and night, that spreads along an orbit as NRLMSIS 2.1 does in the mean
# (decision 0021): at 100 km, and more for each metre.
WAVE, WAVE_1_M = 0.05, 0.08 / 100e3


@jit
def _rate(t: float, s: Floats, ln_air: Floats, noon: Floats, out: Floats) -> None:
    """Derivative of a state (7,) at a time (s): ECEF, ln of the ballistic coefficient."""
    x, y, z = s[0], s[1], s[2]
    r2 = x * x + y * y + z * z
    r = math.sqrt(r2)
    radial, axial = gravity_terms(EARTH_GM_M3_S2, SEMI_MAJOR_AXIS_M, J2, J3, J4, z / r, 1.0 / r)
    w = EARTH_RATE_RAD_S
    ax = radial * x + w * (w * x + 2.0 * s[4])
    ay = radial * y + w * (w * y - 2.0 * s[3])
    az = radial * z + axial
    # gradient of GM a2 (3 C22 (x2 - y2) + 6 S22 x y) / r5
    bulge = EARTH_GM_M3_S2 * SEMI_MAJOR_AXIS_M**2 / (r2 * r2 * r)
    five = 5.0 * (3.0 * C22 * (x * x - y * y) + 6.0 * S22 * x * y) / r2
    ax += bulge * (6.0 * C22 * x + 6.0 * S22 * y - five * x)
    ay += bulge * (6.0 * S22 * x - 6.0 * C22 * y - five * y)
    az -= bulge * five * z
    height = height_m(x, y, z)
    at = min(max(t / UNREST_S, 0.0), len(ln_air) - 1.001)
    k = int(at)
    ln = ln_air[k] + (at - k) * (ln_air[k + 1] - ln_air[k])
    c, n = math.cos(w * t), math.sin(w * t)  # the Sun stands still against the sky of the time 0
    ln += (WAVE + WAVE_1_M * (height - 100e3)) * (
        (c * x - n * y) * noon[0] + (n * x + c * y) * noon[1] + z * noon[2]
    ) / r  # fmt: skip
    speed = math.sqrt(s[3] * s[3] + s[4] * s[4] + s[5] * s[5])
    drag = 0.5 * density_kg_m3(height, STANDARD) * math.exp(ln - s[6]) * speed
    out[0], out[1], out[2] = s[3], s[4], s[5]
    out[3], out[4], out[5], out[6] = ax - drag * s[3], ay - drag * s[4], az - drag * s[5], 0.0


@jit
def circle(start: Floats, ln_air: Floats, noon: Floats, most_s: float) -> tuple[Floats, Floats, bool]:
    """Fly a state (7,) until it is below LOWEST_M, or so long.

    ln_air (k,): ln of the air over the standard, UNREST_S apart; noon (3,): direction of the Sun, ECEF of the start.
    Returns times (n,) in seconds after the start, STEP_S apart, states (n, 7), and whether it got so low.
    """
    count = int(math.ceil(most_s / STEP_S)) + 1
    times, rows = np.zeros(count), np.empty((count, 7))
    for i in range(1, count):
        times[i] = i * STEP_S
    rows[0] = start
    k, part = np.empty((4, 7)), np.empty(7)
    h = STEP_S
    for i in range(count - 1):
        s, t = rows[i], times[i]
        if height_m(s[0], s[1], s[2]) < LOWEST_M:
            return times[: i + 1].copy(), rows[: i + 1].copy(), True
        _rate(t, s, ln_air, noon, k[0])
        for stage in range(1, 4):
            share = h if stage == 3 else 0.5 * h
            for j in range(7):
                part[j] = s[j] + share * k[stage - 1, j]
            _rate(t + share, part, ln_air, noon, k[stage])
        for j in range(7):
            rows[i + 1, j] = s[j] + h / 6.0 * (k[0, j] + 2.0 * (k[1, j] + k[2, j]) + k[3, j])
    return times, rows, False


def draw_orbit(plan: Orbit, rng: np.random.Generator) -> Floats:
    """A state (7,) at the perigee over a drawn place, with ln of the ballistic coefficient."""
    latitude, longitude = draw_place(plan.region, rng)
    heading = math.radians(plan.heading_deg.draw(rng))
    perigee_m = plan.perigee_m.draw(rng)
    above_m = plan.apogee_above_m.draw(rng)
    axes = enu_axes(latitude, longitude)
    place = geodetic_to_ecef(latitude, longitude, perigee_m)
    r = float(np.linalg.norm(place))
    speed = math.sqrt(EARTH_GM_M3_S2 * (2.0 / r - 1.0 / (r + 0.5 * above_m)))
    level = math.sin(heading) * axes[0] + math.cos(heading) * axes[1]
    turning = np.array([-place[1], place[0], 0.0]) * EARTH_RATE_RAD_S
    ln_beta = math.log(plan.ballistic_coefficient_kg_m2.draw(rng))
    return np.concatenate([place, speed * level - turning, [ln_beta]])


def draw_air(plan: Orbit, most_s: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """ln of the air over the standard (k,), UNREST_S apart, and where the Sun stands (3,)."""
    count = int(most_s / UNREST_S) + 3
    ln_air = np.full(count, math.log(plan.density.draw(rng)))
    for lasts_s in (rng.uniform(*QUICK_S), rng.uniform(*SLOW_S)):
        keep, value = math.exp(-UNREST_S / lasts_s), rng.normal()
        for k, fresh in enumerate(rng.normal(size=count).tolist()):
            ln_air[k] += math.sqrt(0.5) * plan.unrest * value
            value = keep * value + math.sqrt(1.0 - keep * keep) * fresh
    declination, hour = rng.uniform(-0.41, 0.41), rng.uniform(0.0, 2.0 * math.pi)  # rad; the tropics
    level = math.cos(declination)
    return ln_air, np.array([level * math.cos(hour), level * math.sin(hour), math.sin(declination)])
