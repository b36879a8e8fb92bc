"""The posterior Cramér-Rao bound: how well the best possible estimator could know an object.

Perfect association, the sensors' true noise, each look weighted by the detection
probability and counted from when it was received. Without process noise the information
about the state at a fixed epoch just adds up (Tichavský, Muravchik and Nehorai 1998, IEEE
Transactions on Signal Processing 46, section III; Van Trees 1968, section 2.4), so a free flight needs no
recursion. With it, `recursive` is theirs; `maneuvering` takes late looks in their own place. `flight_bound` puts
them together.

Shapes: n looks, d unknowns, k moments.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from tocsin.sensors.plots import Floats

HOLDS_99 = -2.0 * math.log(0.01)  # squared Mahalanobis radius of a plane Gaussian's 99 % ellipse


class Information(NamedTuple):
    """What n looks tell about d unknowns at an epoch."""

    received_s: Floats  # (n,)
    sensitivity: Floats  # (n, 4, d) of what is measured by the unknowns
    weight: Floats  # (n, 4) detection probability over noise variance; 0 where not measured


def covariance_at(prior: Floats, looks: Information, time_s: Floats) -> Floats:
    """Bounds (k, d, d) on the covariance of the unknowns, by what was received by times (k,).

    ``prior`` (d, d) is positive definite. The unknowns are whitened by it, so that metres
    and logarithms may stand side by side.
    """
    root = np.linalg.cholesky(prior)
    white = looks.sensitivity @ root
    order = np.argsort(looks.received_s, kind="stable")
    gain = np.einsum("nia,ni,nib->nab", white[order], looks.weight[order], white[order])
    total = np.concatenate([np.zeros((1, *prior.shape)), np.cumsum(gain, axis=0)])
    known = total[np.searchsorted(looks.received_s[order], time_s, "right")] + np.eye(len(prior))
    return np.asarray(root @ np.linalg.inv(known) @ root.T)


def recursive(prior: Floats, F: Floats, Q: Floats, gained: Floats) -> Floats:
    """Bounds (k, d, d) of a discrete system with additive Gaussian noise, after each of k looks.

    Before look i the state moves by F[i] (d, d) and gains noise Q[i] (d, d), which may be singular; the look brings
    information gained[i] (d, d), expected over truth: H' R^-1 H, times the detection probability. The recursion of
    Tichavský, Muravchik and Nehorai (1998) for moves that do not hang on chance, written for covariances.
    """
    out = np.empty((len(F), *prior.shape))
    now = prior
    for i in range(len(F)):
        before = F[i] @ now @ F[i].T + Q[i]
        root = np.linalg.cholesky((before + before.T) / 2.0)
        now = root @ np.linalg.inv(np.eye(len(root)) + root.T @ gained[i] @ root) @ root.T
        out[i] = now
    return out


def ellipse_km2(covariance_m2: Floats) -> Floats:
    """Area (km2) of the 99 % ellipses of plane covariances (..., 2, 2)."""
    det = np.linalg.det(covariance_m2)
    return np.asarray(math.pi * HOLDS_99 * np.sqrt(np.maximum(det, 0.0)) / 1e6)


class Maneuver(NamedTuple):
    """A nearly-constant-acceleration filter that has seen looks up to ``time_s``."""

    time_s: float
    covariance: Floats  # (d, d): position, velocity, acceleration, then constants
    last: int  # looks taken


def _carried(covariance: Floats, dt: float, jerk_density: float) -> Floats:
    """Covariance dt later: position, velocity and acceleration under white jerk (m2/s5)."""
    d = len(covariance)
    f = np.eye(d)
    i = np.arange(3)
    f[i, i + 3] = f[i + 3, i + 6] = dt
    f[i, i + 6] = dt * dt / 2.0
    q = np.array(
        [
            [dt**5 / 20, dt**4 / 8, dt**3 / 6],
            [dt**4 / 8, dt**3 / 3, dt**2 / 2],
            [dt**3 / 6, dt**2 / 2, dt],
        ]
    )
    out = f @ covariance @ f.T
    out[:9, :9] += jerk_density * np.kron(q, np.eye(3))
    return np.asarray(out)


def _taken(covariance: Floats, sensitivity: Floats, weight: Floats) -> Floats:
    rows = np.flatnonzero(weight > 0.0)
    h = sensitivity[rows]
    s = h @ covariance @ h.T + np.diag(1.0 / weight[rows])
    k = np.linalg.solve(s, h @ covariance)
    out = covariance - (h @ covariance).T @ k
    return np.asarray((out + out.T) / 2.0)


def maneuvering(
    prior: Floats, start_s: float, looks: Information, look_s: Floats, time_s: Floats, jerk_density: float
) -> Floats:
    """Bounds (k, d, d) while an object thrusts, by what was received by times (k,), in order.

    Looks were made at look_s (n,), in order. A late one is taken in its own place once it
    is there: the filter runs again from the last moment up to which nothing is missing.
    """
    settled = Maneuver(start_s, prior, 0)
    out = np.empty((len(time_s), *prior.shape))

    def take(to: Maneuver, i: int) -> Maneuver:
        p = _carried(to.covariance, look_s[i] - to.time_s, jerk_density)
        return Maneuver(float(look_s[i]), _taken(p, looks.sensitivity[i], looks.weight[i]), i + 1)

    for row, now in enumerate(time_s):
        while settled.last < len(look_s) and looks.received_s[settled.last] <= now:
            settled = take(settled, settled.last)
        tail = settled
        for i in range(settled.last, len(look_s)):
            if look_s[i] > now:
                break
            if looks.received_s[i] <= now:
                tail = take(tail, i)
        out[row] = _carried(tail.covariance, now - tail.time_s, jerk_density)
    return out
