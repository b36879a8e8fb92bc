"""Sensors for tests, and what they measure by another library (PROJ's topocentric axes)."""

import math

import numpy as np
from pyproj import Transformer

from tocsin.earth.ellipsoid import enu_axes, geodetic_to_ecef
from tocsin.sensors.models import looks
from tocsin.sensors.plots import Plots, Sensor

NAN = math.nan
ALL_ROUND = np.array([[5e3, 2000e3], [0.0, 2 * math.pi], [-math.pi / 2, math.pi / 2], [-8e3, 8e3]])


def sensor(
    sigma=(30.0, 2e-3, 2e-3, 2.0), *, kind="radar", latitude_deg=48.0, longitude_deg=35.0, height_m=100.0,
    field=ALL_ROUND, false_plots=5.0, detection=0.9, period_s=5.0, bias=(0.0, 0.0, 0.0, 0.0), name="s",
):  # fmt: skip
    return Sensor(
        name, kind, math.radians(latitude_deg), math.radians(longitude_deg), height_m, np.array(sigma, float),
        detection, false_plots, period_s, np.array(field, float), np.array(bias, float),
    )  # fmt: skip


def place(of):
    """Position (3,) ECEF of a sensor on the ground."""
    return geodetic_to_ecef(of.latitude_rad, of.longitude_rad, of.height_m)


def local(of):
    return enu_axes(of.latitude_rad, of.longitude_rad)


def state_at(of, range_m, azimuth_deg, elevation_deg, velocity_enu=(0.0, 0.0, 0.0)):
    """State (9,) of an object seen at a range and angles, with a velocity in the sensor's axes."""
    azimuth, elevation = math.radians(azimuth_deg), math.radians(elevation_deg)
    offset = range_m * np.array(
        [
            math.sin(azimuth) * math.cos(elevation),
            math.cos(azimuth) * math.cos(elevation),
            math.sin(elevation),
        ]
    )
    out = np.zeros(9)
    out[:3] = place(of) + offset @ local(of)
    out[3:6] = np.array(velocity_enu, float) @ local(of)
    return out


def measure(of, states):
    """What a sensor measures without noise of states (n, 6 or more): (n, 4)."""
    x0, y0, z0 = map(float, place(of))
    axes = Transformer.from_pipeline(f"+proj=topocentric +ellps=WGS84 +X_0={x0!r} +Y_0={y0!r} +Z_0={z0!r}")
    now, soon = (
        np.stack(axes.transform(*(states[:, :3] + dt * states[:, 3:6]).T), -1) for dt in (-0.005, 0.005)
    )
    east, north, up = (0.5 * (now + soon)).T
    distance = np.sqrt(east**2 + north**2 + up**2)
    rate = (np.linalg.norm(soon, axis=1) - np.linalg.norm(now, axis=1)) / 0.01
    measured = np.stack(
        [distance, np.arctan2(east, north) % (2 * math.pi), np.arcsin(up / distance), rate], -1
    )
    return np.where(np.isnan(of.sigma), NAN, measured)


def plots_of(of, states, time_s=None, *, rng=None, index=0, scan=None):
    """Plots of states (n, 6 or more), with noise where a generator is given."""
    states = np.atleast_2d(states)
    n = len(states)
    time_s = np.zeros(n) if time_s is None else np.asarray(time_s, float)
    measured = measure(of, states)
    if rng is not None:
        measured = measured + rng.normal(size=measured.shape) * np.nan_to_num(of.sigma)
    return Plots(
        time_s, time_s, np.full(n, index), np.arange(n) if scan is None else np.asarray(scan),
        measured, np.tile(place(of), (n, 1)), np.full(n, NAN),
    )  # fmt: skip


def one_look(of, plots, scale=1.0, offsets=(-1, -1, -1, -1)):
    """Plots of one sensor made ready; offsets (4,): the number of each quantity's unknown offset."""
    return looks(plots, (of,), np.full((1, 4), scale), np.array([offsets]))


def rows_of(look, i=0):
    """Position, axes, measured, variance, column and lever of one plot made ready."""
    return tuple(np.ascontiguousarray(column[i]) for column in (*look[1:5], look.column, look.lever))


def prior(of, x, sigma_along_m, sigma_cross_m, sigma_v_m_s):
    """Covariance (9, 9): along and across the sight, and of the velocity."""
    u = x[:3] - place(of)
    u = u / np.linalg.norm(u)
    P = np.zeros((9, 9))
    P[:3, :3] = sigma_cross_m**2 * np.eye(3) + (sigma_along_m**2 - sigma_cross_m**2) * np.outer(u, u)
    P[3:6, 3:6] = sigma_v_m_s**2 * np.eye(3)
    return P
