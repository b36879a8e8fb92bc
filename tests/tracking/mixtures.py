"""Tracks for tests: modes near each other, and the moments of a mixture by their definition."""

import numpy as np

from tocsin.earth.motion import BALLISTIC, THRUST
from tocsin.tracking import modes

from ..sensors.geometry import sensor, state_at

RADAR = sensor((20.0, 5e-4, 5e-4, 2.0))
UP = (1500.0, 800.0, 1200.0)


def falling(height_over_radar_m=250e3):
    """A track in free flight above the air: x (3, 9), P (3, 9, 9), nearly linear for the radar."""
    x, P = np.zeros((3, 9)), np.zeros((3, 9, 9))
    x[:] = state_at(RADAR, height_over_radar_m * 1.5, 70.0, 42.0, UP)
    x[BALLISTIC, 6], x[THRUST, 6:] = 8.0, [3.0, -2.0, 5.0]
    for j, n in enumerate(modes.USED):
        P[j, :3, :3] = 60.0**2 * np.eye(3)
        P[j, 3:6, 3:6] = 8.0**2 * np.eye(3)
        P[j, :3, 3:6] = P[j, 3:6, :3] = 100.0 * np.eye(3)
        P[j, 6:n, 6:n] = 0.25 * np.eye(n - 6)
    return x, P


def random_mixture(rng):
    """Modes far enough apart that the spread of their means counts."""
    x, P = falling()
    x[:, :6] += rng.normal(size=(3, 6)) * np.array([300.0] * 3 + [20.0] * 3)
    for j, n in enumerate(modes.USED):
        root = rng.normal(size=(n, n)) * np.array([60.0] * 3 + [8.0] * 3 + [0.5] * 3)[:n, None]
        P[j, :n, :n] = root @ root.T
    return x, P, rng.dirichlet(np.ones(3))


def moments(x, P, weights):
    """Mean and covariance of a mixture, by their definition."""
    mean = sum(w * m for w, m in zip(weights, x, strict=True))
    second = sum(w * (C + np.outer(m - mean, m - mean)) for w, m, C in zip(weights, x, P, strict=True))
    return mean, second
