"""The plots that one orbit explains: from a few, as many as fit."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from tocsin.sensors.models import some
from tocsin.sensors.plots import Floats, Ints
from tocsin.tracking.modes import LN_BETA_MEAN, SIZE
from tocsin.tracking.pairs import Offsets
from tocsin.tracking.sparse_fit import Orbit, fit_orbit, system
from tocsin.tracking.sparse_guess import FIX_S
from tocsin.tracking.steady import coast
from tocsin.tracking.unclaimed import Pool

PASSES = 12
# A plot joins where its squared normalised innovations are less than the first and four a number, and leaves where one
# of its numbers is farther from the fit than the last, in sigmas of its noise.
GATE, GATE_A_NUMBER, WORST_SIGMAS = 9.0, 4.0, 6.0
FEWEST_PLOTS = 6
WORST_FIT = 3.0  # squares a number


class Grown(NamedTuple):
    """An orbit and its plots."""

    epoch_s: float
    orbit: Orbit
    rows: Ints  # of the pool


def grown(
    pool: Pool, rows: Ints, epoch_s: float, state: Floats, offsets: Offsets, gate_scale: float
) -> Grown | None:
    """An orbit, begun near a state (9,) with some rows of the pool, with all plots that fit; None where few do.

    gate_scale: how much larger the variances of the sensors may be than is thought.
    """
    best: Grown | None = None
    for _ in range(PASSES):
        if len(rows) < 2:
            return None
        mine = some(pool.looks, rows)
        orbit = fit_orbit(mine, epoch_s, state, offsets.mean, offsets.P)
        if orbit is None:
            return None
        state = orbit.state
        worst = np.nanmax(orbit.residual**2, axis=1)
        if worst.max() > WORST_SIGMAS**2 * gate_scale:  # the worst alone may have drawn the others away
            rows = np.delete(rows, worst.argmax())
            continue
        best = Grown(epoch_s, orbit, rows)
        new = _joining(pool, best, gate_scale)
        if len(new) == 0:
            break
        rows = np.sort(np.concatenate([rows, new]))
        time_s = pool.looks.time_s[rows]
        middle_s = 0.5 * float(time_s.min() + time_s.max())  # where an orbit is known best
        epoch_s, state = middle_s, at(state, epoch_s, middle_s)
    if best is None or len(best.rows) < FEWEST_PLOTS:
        return None
    return best if best.orbit.squares < WORST_FIT * gate_scale * best.orbit.numbers else None


def at(state: Floats, epoch_s: float, at_s: float) -> Floats:
    """A state (9,) of an epoch at another time, with its acceleration."""
    x = np.zeros(SIZE)
    x[:6], x[6] = state[:6], LN_BETA_MEAN
    coast(x, np.zeros((SIZE, SIZE)), np.zeros((SIZE, 0)), at_s - epoch_s, 0.0)
    return np.concatenate([x[:6], state[6:]])


def _joining(pool: Pool, now: Grown, gate_scale: float) -> Ints:
    """Further plots that fit, one of a scan: no longer before or after than those there last, or else longer."""
    time_s, rows = pool.looks.time_s, now.rows
    first_s, last_s = float(time_s[rows].min()), float(time_s[rows].max())
    reach_s = max(last_s - first_s, FIX_S)
    taken = set(zip(pool.sensor[rows].tolist(), pool.scan[rows].tolist(), strict=True))
    free = np.array(
        [key not in taken for key in zip(pool.sensor.tolist(), pool.scan.tolist(), strict=True)], np.bool_
    )
    while True:
        inside = (time_s >= first_s - reach_s) & (time_s <= last_s + reach_s)
        near = np.flatnonzero(free & inside)
        new = _fitting(pool, near, now, gate_scale)
        if len(new) or inside.all():
            return new
        reach_s *= 2.0


def _fitting(pool: Pool, near: Ints, now: Grown, gate_scale: float) -> Ints:
    """Of some rows of a pool those that an orbit explains, the nearest of each scan."""
    if len(near) == 0:
        return near
    looks = some(pool.looks, near)
    equations = system(looks, now.epoch_s, now.orbit.state, now.orbit.offset)
    if equations is None:
        return near[:0]
    best: dict[tuple[int, int], tuple[float, int]] = {}
    plot = np.nonzero(equations.has)[0]
    for k, row in enumerate(near.tolist()):
        mine = plot == k
        H, left = equations.rows[mine], equations.left[mine]
        if len(left) == 0:
            continue
        S = H @ now.orbit.covariance @ H.T + gate_scale * np.eye(len(left))
        distance = float(left @ np.linalg.solve(S, left))
        key = (int(pool.sensor[row]), int(pool.scan[row]))
        if distance < GATE + GATE_A_NUMBER * len(left) and distance < best.get(key, (math.inf, 0))[0]:
            best[key] = (distance, row)
    return np.array(sorted(row for _, row in best.values()), np.int64)
