"""What the decay of an orbit so far tells of its drag: states of one body, apart in time.

Drag takes energy from an orbit, and nothing else that is known here does: gravity with its zonal terms keeps it. So the
energies of states, less what one flight through them would have with a guessed coefficient, are a line whose slope is
what the guess is off by. It tells density over the ballistic coefficient, which is what decides when the orbit ends.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from tocsin.earth.flights import to_time
from tocsin.earth.forces import STANDARD
from tocsin.earth.status import ARRIVED
from tocsin.errors import UsageError
from tocsin.prediction.decay import is_low, orbit_of
from tocsin.prediction.decay_flights import STEP_ERROR_M
from tocsin.prediction.kinds import NOTHING, Learned
from tocsin.sensors.plots import Floats
from tocsin.units import EARTH_GM_M3_S2, EARTH_RATE_RAD_S, SEMI_MINOR_AXIS_M

# What the energy of a state is off by without the Earth's equator being an ellipse (J22 of 1.8e-6: 330 m2/s2 of
# potential at the most, 70 m of the semi-major axis), one sigma as a height.
FLOOR_M = 50.0
LONGEST_ARC_S = 2 * 86400.0  # what was longer ago tells of other air
# and what lay a scale height higher too: nearer to the end, drag of an hour ago tells more than that of a day ago. By
# this an arc is up to 1.7 times as long as what is left.
HIGHEST_ABOVE_M = 25e3
MOST_STATES = 48
FIRST_BETA = 100.0  # kg/m2, where the search begins
TURNS, CLOSE = 8, 0.01
MOST_SIGMA = 0.4  # of drag relative to itself, beyond which the decay is not seen
LEAST_SIGMA = 0.02
LEAST_BETA, MOST_BETA = 0.5, 1e6
FARTHEST_M, FASTEST_M_S = 1e7, 12e3  # beyond, it is no low orbit


def energy(states: Floats) -> Floats:
    """Energy (n,) in m2/s2, against the sky, of states (n, 6) in ECEF, with the zonal terms of gravity.

    Source: Montenbruck and Gill (2000), Satellite Orbits, section 3.2.
    """
    r = np.linalg.norm(states[:, :3], axis=1)
    v = states[:, 3:] + np.cross([0.0, 0.0, EARTH_RATE_RAD_S], states[:, :3])
    s = states[:, 2] / r
    ratio = STANDARD.radius_m / r
    p2, p3, p4 = 1.5 * s**2 - 0.5, 2.5 * s**3 - 1.5 * s, 4.375 * s**4 - 3.75 * s**2 + 0.375
    zonal = STANDARD.j2 * ratio**2 * p2 + STANDARD.j3 * ratio**3 * p3 + STANDARD.j4 * ratio**4 * p4
    return np.asarray(0.5 * (v**2).sum(1) - STANDARD.gm_m3_s2 / r * (1.0 - zonal))


def learn(time_s: ArrayLike, states: ArrayLike, covariances: ArrayLike | None = None) -> Learned:
    """What states (n, 6) of one body tell of ln of its ballistic coefficient, as it acts in standard air.

    time_s (n,): rising; ECEF, m and m/s; covariances (n, 6, 6), or None where they are exact. What lies
    more than two days before the last, or 25 km higher, is left out. NOTHING where no decay is seen. Raises
    `UsageError` for other shapes.
    """
    t, x = np.asarray(time_s, float), np.asarray(states, float)
    count = len(t) if t.ndim == 1 else -1
    if x.shape != (count, 6):
        raise UsageError(f"states must have the shape ({max(count, 0)}, 6) of time_s, has {x.shape}")
    P = np.zeros((count, 6, 6)) if covariances is None else np.asarray(covariances, float)
    if P.shape != (count, 6, 6):
        raise UsageError(f"covariances must have the shape ({count}, 6, 6), has {P.shape}")
    if not (np.diff(t) > 0.0).all():
        raise UsageError("time_s must rise, does not")
    radius, speed = np.linalg.norm(x[:, :3], axis=1), np.linalg.norm(x[:, 3:], axis=1)
    good = (
        (radius > SEMI_MINOR_AXIS_M)
        & (radius < FARTHEST_M)
        & (speed < FASTEST_M_S)
        & np.isfinite(P).all((1, 2))
    )
    if count < 2 or not (good[-1] and is_low(x[-1])):
        return NOTHING
    some = np.flatnonzero(good & (t >= t[-1] - LONGEST_ARC_S))
    some = some[[is_low(one) for one in x[some]]]
    above = -0.5 * EARTH_GM_M3_S2 / energy(x[some])
    near = above < above[-1] + HIGHEST_ABOVE_M
    near[-2:] = True
    some = some[near]
    some = some[np.unique(np.linspace(0, len(some) - 1, min(len(some), MOST_STATES)).astype(int))]
    return _fitted(t[some], x[some], P[some]) if len(some) > 1 else NOTHING


def _fitted(t: Floats, x: Floats, P: Floats) -> Learned:
    seen = energy(x)
    a = -0.5 * EARTH_GM_M3_S2 / orbit_of(x[-1]).energy_m2_s2
    floor = 0.5 * EARTH_GM_M3_S2 / a**2 * FLOOR_M
    slope = _by_state(x)
    sigma = np.sqrt(np.einsum("ni,nij,nj->n", slope, P, slope) + floor**2)
    beta, share, wide = FIRST_BETA, 1.0, math.inf
    for _ in range(TURNS):
        flown = to_time(np.tile(x[-1], (len(t) - 1, 1)), beta, t[:-1] - t[-1], error_m=STEP_ERROR_M)
        if not (flown.status == ARRIVED).all():
            beta *= 4.0  # so much drag that the way back is lost
            if beta > MOST_BETA:
                return NOTHING
            continue
        lost = np.append(energy(flown.state) - seen[-1], 0.0)
        design = np.column_stack([np.ones(len(t)), lost]) / sigma[:, None]
        wanted = (seen - seen[-1]) / sigma
        size = np.linalg.norm(design, axis=0)
        if not (size > 0.0).all():
            return NOTHING
        normal = (design / size).T @ (design / size)
        if not np.linalg.cond(normal) < 1e12:
            return NOTHING
        cover = np.linalg.inv(normal) / np.outer(size, size)
        found = cover @ design.T @ wanted
        share, wide = float(found[1]), math.sqrt(float(cover[1, 1]))
        if len(t) > 3:  # the drag was not the same all the way
            wide *= math.sqrt(max(float(((wanted - design @ found) ** 2).sum()) / (len(t) - 2), 1.0))
        beta = min(max(beta / min(max(share, 0.2), 5.0), LEAST_BETA), MOST_BETA)
        if abs(share - 1.0) < CLOSE:
            break
    if not (share > 0.0 and wide / share < MOST_SIGMA and abs(share - 1.0) < 0.1):
        return NOTHING
    return Learned(math.log(beta), 1.0 / max(wide / share, LEAST_SIGMA) ** 2)


def _by_state(x: Floats) -> Floats:
    """Derivatives (n, 6) of the energy of states (n, 6)."""
    turn = np.array([0.0, 0.0, EARTH_RATE_RAD_S])
    v = x[:, 3:] + np.cross(turn, x[:, :3])
    r = np.linalg.norm(x[:, :3], axis=1)[:, None]
    return np.column_stack([np.cross(v, turn) + EARTH_GM_M3_S2 * x[:, :3] / r**3, v])
