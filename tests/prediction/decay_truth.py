"""Decaying orbits truer than what predicts them: air by day and night and with a weather, drag of a body that tumbles.

Nothing of ours but the standard's air by its own equations: forces of `tests.earth.flights`, steps of Runge and Kutta
of 20 s, all bodies side by side in NumPy.
"""

from typing import NamedTuple

import numpy as np

from tocsin.earth.ellipsoid import geodetic_to_ecef
from tocsin.earth.us1976 import standard_air
from tocsin.units import EARTH_GM_M3_S2, EARTH_RATE_RAD_S, SEMI_MAJOR_AXIS_M

from ..earth.flights import geodetic, gravity

STEP_S = 20.0
ENTRY_M = 80e3
TURN = np.array([0.0, 0.0, EARTH_RATE_RAD_S])
HEIGHT_M = np.arange(60e3, 500e3, 250.0)
LN_DENSITY = np.log(standard_air(HEIGHT_M).density_kg_m3)
# Amplitude of ln of density between day and night: that which spreads along an orbit as NRLMSIS 2.1 does in the mean
WAVE_M, WAVE = np.array([100e3, 140e3, 200e3, 300e3, 400e3]), np.array([0.05, 0.09, 0.13, 0.25, 0.4])

LONGEST_S = 5 * 86400.0
FACTOR_SIGMA, BETA_SIGMA = 0.15, 0.1  # as they are told to the window
# ln of drag by a weather that forgets itself in 2 to 24 hours, and by one (air, attitude) that does so in 6 to 48: the
# means of what was and of what comes differ by some 0.15 in all.
WEATHER_SIGMA, SLOW_SIGMA = 0.15, 0.15
NOISE = np.array([30.0, 0.03])  # of states on the way, m and m/s


class Bodies(NamedTuple):
    """n bodies and their air."""

    state: np.ndarray  # (n, 6) ECEF
    beta: np.ndarray  # (n,) kg/m2 in the mean
    factor: np.ndarray  # (n,) of density, the same all the time
    weather: np.ndarray  # (n, k) ln of density, every weather_s, linear between
    weather_s: float
    noon: np.ndarray  # (n, 3) unit, against the sky of the time 0
    tumble: np.ndarray  # (n, 3) share of drag, angular rate (rad/s), phase


def low_orbit(rng, perigee_m, apogee_m, inclination):
    """A state (6,) in ECEF on an orbit, anywhere along it, its plane and perigee anywhere."""
    a = SEMI_MAJOR_AXIS_M + 0.5 * (perigee_m + apogee_m)
    e = 0.5 * (apogee_m - perigee_m) / a
    node, argument, anomaly = rng.uniform(0.0, 2.0 * np.pi, 3)
    p = a * (1.0 - e * e)
    r = p / (1.0 + e * np.cos(anomaly))
    place = r * np.array([np.cos(anomaly), np.sin(anomaly), 0.0])
    velocity = np.sqrt(EARTH_GM_M3_S2 / p) * np.array([-np.sin(anomaly), e + np.cos(anomaly), 0.0])

    def about(axis, angle):
        c, s = np.cos(angle), np.sin(angle)
        return (
            np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
            if axis == 2
            else np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
        )

    turn = about(2, node) @ about(0, inclination) @ about(2, argument)
    place, velocity = turn @ place, turn @ velocity
    return np.concatenate([place, velocity - np.cross(TURN, place)])


def weather(rng, count, steps, step_s, sigma, lasts_s):
    """ln of density (count, steps) that forgets itself in a time (s) or (count,), with a sigma."""
    keep = np.exp(-step_s / np.broadcast_to(lasts_s, count))
    out = np.empty((count, steps))
    out[:, 0] = sigma * rng.normal(size=count)
    for k in range(1, steps):
        out[:, k] = keep * out[:, k - 1] + sigma * np.sqrt(1.0 - keep**2) * rng.normal(size=count)
    return out


def slope(t, y, bodies):
    """Derivative (n, 6) of states (n, 6) in ECEF at a time (s)."""
    p, v = y[:, :3], y[:, 3:]
    height = geodetic(p)[2]
    ln = np.interp(height, HEIGHT_M, LN_DENSITY)
    at = min(t / bodies.weather_s, bodies.weather.shape[1] - 1.001)
    k = int(at)
    ln += bodies.weather[:, k] + (at - k) * (bodies.weather[:, k + 1] - bodies.weather[:, k])
    c, s = np.cos(EARTH_RATE_RAD_S * t), np.sin(EARTH_RATE_RAD_S * t)
    up = p / np.linalg.norm(p, axis=1)[:, None]
    sky = np.column_stack([c * up[:, 0] - s * up[:, 1], s * up[:, 0] + c * up[:, 1], up[:, 2]])
    ln += np.interp(height, WAVE_M, WAVE) * (sky * bodies.noon).sum(1)
    share, rate, phase = bodies.tumble.T
    drag = 0.5 * np.exp(ln) * bodies.factor / bodies.beta * (1.0 + share * np.sin(rate * t + phase))
    pull = gravity(p) - 2.0 * np.cross(TURN, v) - np.cross(TURN, np.cross(TURN, p))
    return np.concatenate([v, pull - (drag * np.linalg.norm(v, axis=1))[:, None] * v], 1)


def decay(bodies, longest_s, keep_s=np.inf):
    """Times (n,) and states (n, 6) of the entry at 80 km, NaN where later than the longest; states kept on the way.

    The states (k, n, 6) are those every keep_s from 0 on, NaN after the entry.
    """
    y = bodies.state.copy()
    n = len(y)
    time, entry = np.full(n, np.nan), np.full((n, 6), np.nan)
    kept = []
    flying = np.arange(n)
    height = geodetic(y[:, :3])[2]
    t, h = 0.0, STEP_S
    while t < longest_s and flying.size:
        if t >= len(kept) * keep_s:
            now = np.full((n, 6), np.nan)
            now[flying] = y[flying]
            kept.append(now)
        some = Bodies(*(a[flying] if isinstance(a, np.ndarray) else a for a in bodies))
        x = y[flying]
        k1 = slope(t, x, some)
        k2 = slope(t + 0.5 * h, x + 0.5 * h * k1, some)
        k3 = slope(t + 0.5 * h, x + 0.5 * h * k2, some)
        k4 = slope(t + h, x + h * k3, some)
        after = x + h / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
        high = geodetic(after[:, :3])[2]
        down = high < ENTRY_M
        part = (height[flying] - ENTRY_M)[down] / (height[flying][down] - high[down])
        time[flying[down]] = t + h * part
        entry[flying[down]] = x[down] + part[:, None] * (after[down] - x[down])
        y[flying], height[flying] = after, high
        flying = flying[~down]
        t += h
    return time, entry, np.array(kept)


def over(latitude_deg, longitude_deg, height_m, heading_deg):
    """A state (6,) on a circular orbit over a place, with a heading against the sky."""
    latitude, longitude, heading = np.radians([latitude_deg, longitude_deg, heading_deg])
    place = geodetic_to_ecef(latitude, longitude, height_m)
    up = place / np.linalg.norm(place)
    east = np.array([-np.sin(longitude), np.cos(longitude), 0.0])
    level = np.sin(heading) * east + np.cos(heading) * np.cross(up, east)
    velocity = np.sqrt(EARTH_GM_M3_S2 / np.linalg.norm(place)) * level
    return np.concatenate([place, velocity - np.cross(TURN, place)])


def cases(count, rng, level=None):
    """Bodies, and what is told of their coefficients.

    level: of a state, the mean and sigma of ln of the density factor; None: 0 and FACTOR_SIGMA.
    """
    state, beta = np.empty((count, 6)), np.empty(count)
    for i in range(count):
        perigee = rng.uniform(125e3, 225e3)
        apogee = perigee + (rng.exponential(20e3) if rng.random() < 0.7 else rng.uniform(0.0, 250e3))
        state[i] = low_orbit(rng, perigee, apogee, np.arccos(rng.uniform(-0.5, 1.0)))
        beta[i] = np.exp(rng.uniform(np.log(30.0), np.log(500.0)))
    noon = rng.normal(size=(count, 3)) * [1.0, 1.0, 0.2]
    noon /= np.linalg.norm(noon, axis=1)[:, None]
    tumble = np.column_stack(
        [
            rng.uniform(0.0, 0.4, count),
            2 * np.pi / rng.uniform(30.0, 3000.0, count),
            rng.uniform(0, 6.28, count),
        ]
    )
    steps = int(LONGEST_S / 3600.0) + 2
    air = weather(rng, count, steps, 3600.0, WEATHER_SIGMA, rng.uniform(2.0, 24.0, count) * 3600.0)
    air += weather(rng, count, steps, 3600.0, SLOW_SIGMA, rng.uniform(6.0, 48.0, count) * 3600.0)
    factor = np.exp(FACTOR_SIGMA * rng.normal(size=count))
    if level is not None:
        factor = np.exp([mean + sigma * rng.normal() for mean, sigma in map(level, state)])
    told = beta * np.exp(BETA_SIGMA * rng.normal(size=count))
    return Bodies(state, beta, factor, air, 3600.0, noon, tumble), told
