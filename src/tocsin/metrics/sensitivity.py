"""How a flight hangs on its start, along a path that is given: the truth of a recording, whose forces nobody tells.

The variational equations are integrated along the path itself (Montenbruck and Gill 2000, Satellite Orbits, section
7.2), so there is no flight of our own that could leave it. The drag is read off the path too: what is left of the
acceleration after gravity and rotation, as the ballistic coefficient that would brake so in calm air. Wind, odd
densities, drag that changes with Mach number and ablation are all in it.

Shapes: n rows of a path.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tocsin.earth.ellipsoid import ecef_to_geodetic, enu_axes
from tocsin.earth.forces import STANDARD, Forces
from tocsin.earth.motion import BALLISTIC, acceleration, layer_at
from tocsin.metrics.paths import interpolate
from tocsin.sensors.plots import Floats

SIZE = 9  # position, velocity, ln of the ballistic coefficient, wind east and north at 11 km
JET_HEIGHT_M, JET_WIDTH_M = 11e3, 6e3
FELT_M_S2 = 0.01  # of drag, below which the path does not tell the ballistic coefficient
UNKNOWN_KG_M2 = 2000.0  # where it never does, and drag does not matter
NO_DRAG = 50.0  # ln of a ballistic coefficient that no air brakes
THRUST_M_S2 = 0.5  # against the drag's direction: more than wind or rounding make


def jet_share(height_m: Floats) -> Floats:
    """Share of the unknown wind at 11 km that blows at heights (n,): exp(-((h - 11 km) / 6 km)^2)."""
    return np.asarray(np.exp(-(((height_m - JET_HEIGHT_M) / JET_WIDTH_M) ** 2)))


def _halfway(time_s: Floats, state: Floats) -> tuple[Floats, Floats]:
    """Times and states (2 n - 1) at the rows and halfway between them."""
    middle_s = (time_s[1:] + time_s[:-1]) / 2.0
    moments = np.empty(2 * len(time_s) - 1)
    states = np.empty((len(moments), 6))
    moments[::2], moments[1::2] = time_s, middle_s
    states[::2], states[1::2] = state, interpolate(time_s, state, middle_s)
    return moments, states


def _accelerations(
    state: Floats, height_m: Floats, log_beta: Floats, forces: Forces
) -> tuple[Floats, Floats]:
    """Accelerations (n, 3) and their derivatives (n, 3, 9) of free flight in calm air."""
    x, partials = np.zeros(SIZE), np.zeros((4, SIZE))
    out, slopes = np.empty((len(state), 3)), np.empty((len(state), 3, SIZE))
    for i, (row, height, coefficient) in enumerate(zip(state, height_m, log_beta, strict=True)):
        x[:6], x[6] = row, coefficient
        layer = layer_at(float(height), 0.0, forces.air_knots_m)
        out[i] = acceleration(BALLISTIC, x, layer, forces, partials)[:3]
        slopes[i] = partials[:3]
    return out, slopes


def _mean(halfway: Floats) -> Floats:
    """Means over the n - 1 intervals, by Simpson's rule."""
    return np.asarray((halfway[:-2:2] + 4.0 * halfway[1::2] + halfway[2::2]) / 6.0)


def _braking(time_s: Floats, state: Floats, forces: Forces) -> tuple[Floats, Floats, Floats]:
    """What else than gravity and rotation moves a body in each of n - 1 intervals (m/s2).

    The acceleration (n - 1, 3), its part along the drag (negative: thrust), and the drag that a ballistic coefficient
    of 1 kg/m2 would have.
    """
    _, states = _halfway(time_s, state)
    height = ecef_to_geodetic(states[:, :3])[2]
    falling, _ = _accelerations(states, height, np.full(len(states), NO_DRAG), forces)
    heavy, _ = _accelerations(states, height, np.zeros(len(states)), forces)
    own = np.diff(state[:, 3:], axis=0) / np.diff(time_s)[:, None] - _mean(falling)
    unit = _mean(heavy - falling)
    size = np.linalg.norm(unit, axis=1)
    back = -(state[1:, 3:] + state[:-1, 3:])  # where there is no air, along the speed
    way = np.where(size[:, None] > 0.0, unit, back)
    way /= np.linalg.norm(way, axis=1)[:, None]
    return own, np.einsum("ni,ni->n", own, way), size


def thrust_end_s(time_s: Floats, state: Floats, forces: Forces = STANDARD) -> float | None:
    """When a body on a path (n,), (n, 6) last thrusts; None if it never does.

    The moment within the last row is that at which the thrust of the rows before and the drag of those after make the
    speed that it has.
    """
    own, along, _ = _braking(time_s, state, forces)
    thrusting = np.flatnonzero(along < -THRUST_M_S2)
    if not len(thrusting):
        return None
    i = int(thrusting[-1])
    if i < 2 or i + 2 >= len(along):
        return float(time_s[i + 1])
    ahead = state[i, 3:] / np.linalg.norm(state[i, 3:])
    push = own @ ahead
    before, after = 2.0 * push[i - 1] - push[i - 2], push[i + 2]
    if before <= after:
        return float(time_s[i + 1])
    share = np.clip((push[i : i + 2] - after) / (before - after), 0.0, 1.0)
    if share[0] < 0.97:  # it ends in this row, else perhaps early in the next one
        share[1] = 0.0
    elif share[1] < 0.02:
        share = np.array([1.0, 0.0])
    return float(time_s[i] + share @ np.diff(time_s[i : i + 3]))


def log_ballistic_coefficient(time_s: Floats, state: Floats, forces: Forces = STANDARD) -> Floats:
    """ln of the ballistic coefficient (kg/m2) that brakes a free flight as it was braked, of its n - 1 intervals.

    Where drag is not felt, between those where it is.
    """
    _, along, unit = _braking(time_s, state, forces)
    felt = np.flatnonzero(along > FELT_M_S2)
    if not len(felt):
        return np.full(len(along), np.log(UNKNOWN_KG_M2))
    return np.interp(np.arange(len(along)), felt, np.log(unit[felt] / along[felt]))


def path_sensitivity(
    time_s: Floats,
    state: Floats,
    wind_share: Callable[[Floats], Floats] = jet_share,
    forces: Forces = STANDARD,
) -> Floats:
    """Derivatives (n, 6, 9) of the states of a free flight by position, velocity, ln beta and wind at its start.

    wind_share: the unknown wind at heights (m) over that at 11 km; it blows east and north beside the one that is
    in the path. By Runge-Kutta steps of order 4, one a row: rows may be a second apart in vacuum, half a second in air.
    """
    _, states = _halfway(time_s, state)
    latitude, longitude, height = ecef_to_geodetic(states[:, :3])
    log_beta = log_ballistic_coefficient(time_s, state, forces)
    # an interval has its own coefficient up to both its bounds, so these are computed with either neighbour's
    halves = np.repeat(log_beta, 2)
    _, until = _accelerations(states, height, np.append(halves[0], halves), forces)
    _, since = _accelerations(states[::2], height[::2], np.append(log_beta, log_beta[-1]), forces)
    spin = np.zeros((3, 3))
    spin[0, 1], spin[1, 0] = 2.0 * forces.rate_rad_s, -2.0 * forces.rate_rad_s
    level = enu_axes(latitude, longitude)[:, :2]  # east and north
    blown = -wind_share(height)[:, None, None] * level.transpose(0, 2, 1)
    for slopes, wind in ((until, blown), (since, blown[::2])):  # by airspeed: without the Earth's rotation
        slopes[:, :, 7:] = (slopes[:, :, 3:6] - spin) @ wind
    out = np.empty((len(time_s), 6, SIZE))
    now = np.eye(SIZE)
    out[0] = now[:6]
    for i, h in enumerate(np.diff(time_s)):
        first, middle, last = since[i], until[2 * i + 1], until[2 * i + 2]
        a = _rate(first, now)
        b = _rate(middle, now + 0.5 * h * a)
        c = _rate(middle, now + 0.5 * h * b)
        d = _rate(last, now + h * c)
        now = now + h / 6.0 * (a + 2.0 * (b + c) + d)
        out[i + 1] = now[:6]
    return out


def _rate(slopes: Floats, matrix: Floats) -> Floats:
    """Slope (9, 9) of the matrix of derivatives by time; only position and velocity change."""
    out = np.zeros((SIZE, SIZE))
    out[:3] = matrix[3:6]
    out[3:6] = slopes @ matrix
    return out
