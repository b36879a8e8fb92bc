"""A batch least-squares orbit from a recording of one satellite, with constant offsets of its stations.

Nothing of the tracker: gravity of `tests.earth.flights`, written anew from Vallado, Sun and Moon by series, steps of
SciPy. What is estimated: the state at the first look; three accelerations that grow evenly with time, along inertial
axes (a satellite that leaks); for each station an offset of range, azimuth and elevation.
"""

from typing import NamedTuple

import numpy as np
from scipy.integrate import solve_ivp
from scipy.interpolate import CubicSpline

from tocsin.earth.frames import earth_rotation_angle
from tocsin.earth.measurements import ecef_to_look
from tocsin.units import DEGREE_RAD, EARTH_RATE_RAD_S

from ..earth.flights import gravity

J2000_S = 946_728_000.0
TT_S = 66.2  # dynamical time is that much ahead of UTC in 2010
SUN_GM, MOON_GM = 1.32712440018e20, 4.9028e12  # Montenbruck and Gill (2000), table 3.1 and section 3.3
ARCSECOND_RAD = DEGREE_RAD / 3600.0
TURN = np.array([0.0, 0.0, EARTH_RATE_RAD_S])
# spreads taken before the fit: 1e-5 m/s2 is ten times what such a leak was found to be
LEAK_M_S2, LEAK_M_S3 = 1e-5, 1e-9
STEPS = np.array([100.0] * 3 + [0.1] * 3 + [1e-7] * 3 + [1e-11] * 3)


class Fit(NamedTuple):
    """An orbit: state (6,) ECEF at the first look, and what is left of the looks (measured less reckoned)."""

    state: np.ndarray
    leak_m_s2: np.ndarray  # (3,) at the first look, inertial axes
    offsets: np.ndarray  # (stations, 3) m, rad, rad
    range_m: np.ndarray  # residuals of the looks with range
    across_rad: np.ndarray  # of azimuth, times the cosine of the elevation
    elevation_rad: np.ndarray


def sun_and_moon(time_s):
    """Positions (2, 3, n) on the Earth-fixed axes, to some arcminutes (Montenbruck and Gill 2000, section 3.3.2)."""
    t = (time_s - J2000_S + TT_S) / 86400.0 / 36525.0
    d = DEGREE_RAD
    tilt = 23.43929111 * d
    precession = 1.3972 * t * d  # of the equinox since 2000
    anomaly = (357.5256 + 35999.049 * t) * d
    sun = (
        282.94 * d
        + anomaly
        + (6892 * np.sin(anomaly) + 72 * np.sin(2 * anomaly)) * ARCSECOND_RAD
        + precession
    )
    sun_m = (149.619 - 2.499 * np.cos(anomaly) - 0.021 * np.cos(2 * anomaly)) * 1e9
    mean = (218.31617 + 481267.88088 * t) * d
    own = (134.96292 + 477198.86753 * t) * d
    node = (93.27283 + 483202.01873 * t) * d
    apart = (297.85027 + 445267.11135 * t) * d
    moon = mean + ARCSECOND_RAD * (
        22640 * np.sin(own) + 769 * np.sin(2 * own) - 4586 * np.sin(own - 2 * apart) + 2370 * np.sin(2 * apart)
        - 668 * np.sin(anomaly) - 412 * np.sin(2 * node) - 212 * np.sin(2 * own - 2 * apart)
    )  # fmt: skip
    height = ARCSECOND_RAD * (
        18520 * np.sin(node + moon - mean)
        - 526 * np.sin(node - 2 * apart)
        + 44 * np.sin(own + node - 2 * apart)
    )
    moon_m = (
        385000
        - 20905 * np.cos(own)
        - 3699 * np.cos(2 * apart - own)
        - 2956 * np.cos(2 * apart)
        - 570 * np.cos(2 * own)
    ) * 1e3
    # the equinox runs ahead of the origin of the Earth rotation angle by what precession added (4612 arcseconds a
    # century, IERS Conventions 2010, chapter 5)
    turn = earth_rotation_angle(time_s) + 4612.157 * t * ARCSECOND_RAD
    out = []
    for longitude, latitude, distance in ((sun, np.zeros_like(t), sun_m), (moon, height, moon_m)):
        x = np.cos(longitude) * np.cos(latitude)
        y = np.sin(longitude) * np.cos(latitude) * np.cos(tilt) - np.sin(latitude) * np.sin(tilt)
        z = np.sin(longitude) * np.cos(latitude) * np.sin(tilt) + np.sin(latitude) * np.cos(tilt)
        c, s = np.cos(turn), np.sin(turn)
        out.append(distance * np.stack([c * x + s * y, c * y - s * x, z]))
    return np.stack(out)


def _turned(vectors, angle):
    c, s = np.cos(angle), np.sin(angle)
    x, y, z = vectors.T
    return np.stack([c * x + s * y, c * y - s * x, z], -1)


def _fly(parameters, start_s, times_s):
    """States (times, flights, 6) of flights side by side, parameters (flights, 12): state, leak, its growth."""
    grid = np.arange(-600.0, times_s[-1] - start_s + 1200.0, 600.0)
    bodies = CubicSpline(grid, np.moveaxis(sun_and_moon(start_s + grid), -1, 0))

    def slope(t, flat):
        y = flat.reshape(-1, 6)
        p, v = y[:, :3], y[:, 3:]
        pull = gravity(p) - 2.0 * np.cross(TURN, v) - np.cross(TURN, np.cross(TURN, p))
        for there, gm in zip(bodies(t), (SUN_GM, MOON_GM), strict=True):
            away = there - p
            pull += gm * (
                away / np.linalg.norm(away, axis=1)[:, None] ** 3 - there / np.linalg.norm(there) ** 3
            )
        pull += _turned(parameters[:, 6:9] + t * parameters[:, 9:12], EARTH_RATE_RAD_S * t)
        return np.concatenate([v, pull], 1).ravel()

    seconds = times_s - start_s
    done = solve_ivp(
        slope, (0.0, seconds[-1]), parameters[:, :6].ravel(), "DOP853", seconds, rtol=1e-10, atol=1e-3
    )
    return done.y.T.reshape(len(times_s), -1, 6)


def fit(plots, sensors, guess, *, leaks=True, rounds=8):
    """Fit an orbit to plots with range or both angles, from a guess (6,) at the first of them (some 100 km off)."""
    order = np.argsort(plots.time_s, kind="stable")
    plots = plots.rows(order)
    start_s = float(plots.time_s[0])
    sigma = np.array([s.sigma[:3] for s in sensors])[plots.sensor]
    n, k = plots.count, len(sensors)
    x = np.concatenate([guess, np.zeros(6)])
    free = 12 if leaks else 6
    offsets = np.zeros((k, 3))
    has = ~np.isnan(plots.measured[:, :3])
    spread = np.concatenate([[np.inf] * 6, [LEAK_M_S2] * 3, [LEAK_M_S3] * 3])[:free]
    spread = np.concatenate([spread, np.array([s.bias_sigma[:3] for s in sensors]).ravel()])

    def reckoned(flights):
        states = _fly(flights, start_s, np.unique(plots.time_s))[
            np.unique(plots.time_s, return_inverse=True)[1]
        ]
        return ecef_to_look(states, plots.position_m[:, None, :])[..., :3]

    for _ in range(rounds):
        flights = np.vstack([x, x + np.diag(STEPS)[:free]])
        looks = reckoned(flights)
        scale = np.ones((n, 3))
        scale[:, 1] = np.cos(looks[:, 0, 2])  # an azimuth counts by what it is across the sight
        left = _less(plots.measured[:, :3] - offsets[plots.sensor], looks[:, 0]) * scale / sigma
        by_state = _less(looks[:, 1:], looks[:, :1]) / STEPS[:free, None] * (scale / sigma)[:, None, :]
        by_offset = np.zeros((n, 3, k, 3))
        for q in range(3):
            by_offset[np.arange(n), q, plots.sensor, q] = scale[:, q] / sigma[:, q]
        rows = np.concatenate([np.moveaxis(by_state, 1, 2), by_offset.reshape(n, 3, -1)], axis=2)[has]
        # what was taken before the fit counts as one look at each parameter
        now = np.concatenate([x[:free], offsets.ravel()])
        rows = np.vstack([rows, np.diag(1.0 / spread)])
        left = np.concatenate([left[has], np.where(np.isinf(spread), 0.0, -now / spread)])
        size = np.sqrt((rows**2).sum(0))
        change = np.linalg.lstsq(rows / size, left, rcond=None)[0] / size
        x[:free] += change[:free]
        offsets += change[free:].reshape(k, 3)
        if np.linalg.norm(change[:3]) < 1.0:  # m
            break
    looks = reckoned(x[None])[:, 0]
    left = _less(plots.measured[:, :3] - offsets[plots.sensor], looks)
    return Fit(
        x[:6], x[6:9], offsets, left[has[:, 0], 0], (left[:, 1] * np.cos(looks[:, 2]))[has[:, 1]], left[has[:, 2], 2]
    )  # fmt: skip


def _less(a, b):
    """a less b, azimuths by the short way."""
    out = a - b
    out[..., 1] = (out[..., 1] + np.pi) % (2.0 * np.pi) - np.pi
    return out
