"""What passes through and does not come down: aircraft and satellites."""

from __future__ import annotations

import math

import numpy as np

from tocsin.earth.ellipsoid import enu_axes, geodetic_to_ecef
from tocsin.sensors.plots import Floats
from tocsin.simulation.flight import BLUNT, carry, fly
from tocsin.simulation.objects import NEVER, Path, draw_place
from tocsin.simulation.plans import Aircraft, Satellites
from tocsin.units import DEGREE_RAD, EARTH_GM_M3_S2, EARTH_RATE_RAD_S, SEMI_MAJOR_AXIS_M


def aircraft(plan: Aircraft, name: str, start_s: float, span_s: float, rng: np.random.Generator) -> Path:
    """A level flight with gentle turns, over its drawn place at some moment of the recording."""
    latitude, longitude = draw_place(plan.region, rng)
    height, speed = plan.height_m.draw(rng), plan.speed_m_s.draw(rng)
    turn, period_s = plan.turn_deg_s.draw(rng) * DEGREE_RAD, rng.uniform(120.0, 600.0)
    t = np.append(np.arange(0.0, span_s, 1.0), span_s)
    swing = turn * period_s / (2 * math.pi) * np.sin(2 * math.pi * (t / period_s + rng.random()))
    heading = rng.uniform(0.0, 2 * math.pi) + swing
    step = np.diff(t)

    def travelled(rate: Floats) -> Floats:
        return np.concatenate([[0.0], np.cumsum((rate[1:] + rate[:-1]) / 2 * step)]) * speed

    middle = rng.random() * span_s  # it is at the drawn place then
    east, north = travelled(np.sin(heading)), travelled(np.cos(heading))
    east -= np.interp(middle, t, east)
    north -= np.interp(middle, t, north)
    lat = latitude + north / SEMI_MAJOR_AXIS_M
    lon = longitude + east / (SEMI_MAJOR_AXIS_M * np.cos(lat))
    position = geodetic_to_ecef(lat, lon, height)
    velocity = np.gradient(position, t, axis=0, edge_order=2)
    state = np.hstack([position, velocity])
    return Path(name, "aircraft", None, start_s + t, state, NEVER, NEVER, None, 0.0, None)


def satellite(
    plan: Satellites, name: str, start_s: float, span_s: float, weather: Floats, rng: np.random.Generator
) -> Path:
    """A near-circular orbit, over its drawn place at some moment of the recording."""
    latitude, longitude = draw_place(plan.region, rng)
    position = geodetic_to_ecef(latitude, longitude, plan.height_m.draw(rng))
    toward = rng.uniform(0.0, 2 * math.pi)
    axes = enu_axes(latitude, longitude)
    level = math.sin(toward) * axes[0] + math.cos(toward) * axes[1]
    speed = math.sqrt(EARTH_GM_M3_S2 / float(np.linalg.norm(position)))
    turning = np.array([-position[1], position[0], 0.0]) * EARTH_RATE_RAD_S
    state = np.concatenate([position, speed * level - turning, [math.log(100.0)]])
    back = rng.random() * span_s
    state = carry(state, weather, -back, max(int(back / 2.0), 1))
    times, rows, _ = fly(state[None], weather[None], BLUNT, 0.0, 1.0, 0.0, span_s)
    states = np.ascontiguousarray(rows[:, 0, :6])
    return Path(name, "satellite", None, start_s + times, states, NEVER, NEVER, None, 0.0, None)
