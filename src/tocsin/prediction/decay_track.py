"""The ground track under a window: the places of flights that come down one after the other, joined along the orbit.

Flights of one state with more or less drag keep to one plane, which turns slowly, and the angle that they have gone
round when they come down grows evenly with the time: they lose height along one curve, some faster, some slower. So
angle, plane, and how far the last fall leads out of the plane, are taken between flights as they lie in time. All is
vectors against the sky, of the moment of the state: poles and antimeridian are places as others are.
"""

from __future__ import annotations

import math

import numpy as np

from tocsin.earth.ellipsoid import ecef_to_geodetic, enu_axes
from tocsin.prediction.decay_flights import Fall
from tocsin.prediction.kinds import nodes
from tocsin.prediction.landings import free
from tocsin.sensors.plots import Floats
from tocsin.units import EARTH_GM_M3_S2, EARTH_RATE_RAD_S, ECCENTRICITY_SQUARED

FULL_TURN = 2.0 * math.pi
STRETCH_S, FEWEST = 600.0, 12  # a stretch of the track: so long, or a twelfth of the window
POINTS = 10  # of a stretch
# How far across (one sigma) a body comes down from the track for each second that it stays up: what loses height sooner
# or later than the flights do, and ends at the same time, has gone round a little more or less, and the Earth turned
# under it a little otherwise. Measured: benchmarks/decay.py.
ASIDE_M_S = 0.083
HELD = 2.5758  # sigmas to either side, within which 99 % lie


def to_sky(vectors: Floats, time_s: Floats) -> Floats:
    """Vectors (n, 3) in ECEF turned to the axes of the sky that ECEF had at the time 0."""
    c, s = np.cos(EARTH_RATE_RAD_S * time_s), np.sin(EARTH_RATE_RAD_S * time_s)
    x, y, z = vectors.T
    return np.column_stack([c * x - s * y, s * x + c * y, z])


def from_sky(vectors: Floats, time_s: Floats) -> Floats:
    """`to_sky` backwards."""
    return to_sky(vectors, -np.asarray(time_s, float))


def normals(states: Floats, time_s: Floats) -> Floats:
    """Unit normals (n, 3), against the sky, of the planes that states (n, 6) in ECEF move in."""
    v = states[:, 3:] + np.cross([0.0, 0.0, EARTH_RATE_RAD_S], states[:, :3])
    h = np.cross(states[:, :3], v)
    return to_sky(h / np.linalg.norm(h, axis=1)[:, None], time_s)


def joined(
    x: Floats, ground_s: Floats, entry_s: Floats, entry_state: Floats, place: Floats, chance: Floats, first_s: float,
    last_s: float,
) -> tuple[Floats, Floats, float]:  # fmt: skip
    """The track from one time to another.

    x (6,): the state; of flights (n,) in order of time: when they come down, when and in which state (n, 6) they enter
    the air, where they come down (n, 3), ECEF, and the chance to come down before. Returns points (m, 3): latitude,
    longitude (rad), time (s); stretches (p, 3): first and last point, and the chance to come down between; and the
    revolutions in between.
    """
    plane = normals(entry_state, entry_s)
    down = to_sky(place / np.linalg.norm(place, axis=1)[:, None], ground_s)
    begin, ahead = _axes(plane, x[:3] / np.linalg.norm(x[:3]))
    angle = np.arctan2((down * ahead).sum(1), (down * begin).sum(1))
    aside = np.arcsin(np.clip((down * plane).sum(1), -1.0, 1.0))
    radius = np.linalg.norm(entry_state[:, :3], axis=1)
    rate = np.sqrt(EARTH_GM_M3_S2 / radius**3)
    gone = 0.5 * (rate[1:] + rate[:-1]) * np.diff(ground_s)
    step = np.diff(angle)
    angle = angle[0] + np.concatenate(
        [[0.0], np.cumsum(step + FULL_TURN * np.round((gone - step) / FULL_TURN))]
    )

    count = max(math.ceil((last_s - first_s) / STRETCH_S), FEWEST)
    at = np.linspace(first_s, last_s, count * POINTS + 1)
    normal = np.column_stack([np.interp(at, ground_s, plane[:, c]) for c in range(3)])
    normal /= np.linalg.norm(normal, axis=1)[:, None]
    begin, ahead = _axes(normal, x[:3] / np.linalg.norm(x[:3]))
    u, w = np.interp(at, ground_s, angle)[:, None], np.interp(at, ground_s, aside)[:, None]
    sky = np.cos(w) * (np.cos(u) * begin + np.sin(u) * ahead) + np.sin(w) * normal
    turned = from_sky(sky, at)
    latitude = np.arctan2(turned[:, 2], (1.0 - ECCENTRICITY_SQUARED) * np.hypot(turned[:, 0], turned[:, 1]))
    longitude = np.arctan2(turned[:, 1], turned[:, 0])
    below = np.interp(at, ground_s, chance)
    edges = np.arange(count + 1) * POINTS
    stretches = np.column_stack([edges[:-1], edges[1:], np.diff(below[edges])])
    return np.column_stack([latitude, longitude, at]), stretches, float(u[-1, 0] - u[0, 0]) / FULL_TURN


def _axes(plane: Floats, toward: Floats) -> tuple[Floats, Floats]:
    """Axes (n, 3) in planes of unit normals (n, 3): nearest to a direction (3,), and a quarter of a turn ahead."""
    begin = toward - (plane @ toward)[:, None] * plane
    begin /= np.linalg.norm(begin, axis=1)[:, None]
    return begin, np.cross(plane, begin)


def swath_m(x: Floats, P: Floats, entry_s: float, entry_state: Floats, fall: Fall) -> float:
    """Width (m) across the track that holds 99 %: of the plane of the orbit, and of the last fall.

    x (6,), P (6, 6): the state; entry_s, entry_state (6,): when and where it enters the air, ECEF. What falls long is
    carried along by the wind, and comes down beside what falls fast.
    """
    v = x[3:] + np.cross([0.0, 0.0, EARTH_RATE_RAD_S], x[:3])
    across = np.cross(x[:3], v)
    across /= np.linalg.norm(across)
    rate = float(np.linalg.norm(v)) / float(np.linalg.norm(x[:3]))
    # a quarter of a turn later the velocity across has become a place across
    plane2 = float(across @ P[:3, :3] @ across) + float(across @ P[3:, 3:] @ across) / rate**2
    plane2 += (ASIDE_M_S * entry_s) ** 2
    start = np.zeros(9)
    start[:6] = entry_state
    known = np.zeros((9, 9))
    known[6, 6] = 1.0
    at, weight, _ = nodes(fall.kinds, limits=fall.limits)
    start[6] = at[int(np.argmax(weight))]
    found = free(
        start, known, fall.kinds, wind_sigma_m_s=fall.wind_sigma_m_s, steady=fall.steady, tumbling=fall.tumbling,
        ground_m=fall.ground_m, limits=fall.limits,
    )  # fmt: skip
    if isinstance(found, float):
        return 2.0 * HELD * math.sqrt(plane2)
    middle = found.weight @ found.point[:, :3]
    latitude, longitude, _ = map(float, ecef_to_geodetic(middle))
    up = enu_axes(latitude, longitude)[2]
    side = np.cross(up, entry_state[3:])
    side /= np.linalg.norm(side)
    off = (found.point[:, :3] - middle) @ side
    own = np.einsum("i,kij,j->k", side, found.covariance[:, :3, :3], side)
    return 2.0 * HELD * math.sqrt(plane2 + float(found.weight @ (off**2 + own)))
