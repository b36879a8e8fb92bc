"""An orbit fitted to plots that lie minutes apart, and the offsets of their sensors with it.

Gauss and Newton's method, with Levenberg and Marquardt's damping (Levenberg 1944; Marquardt 1963), since it begins far
away: crossed sight lines are hundreds of kilometres off where antennas are pointed to a third of a degree.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from tocsin.earth.forces import STANDARD
from tocsin.earth.motion import THRUST
from tocsin.kernel import jit
from tocsin.sensors.models import LOG_TWO_PI, Looks, residual_and_row
from tocsin.sensors.plots import Floats, Ints
from tocsin.tracking.modes import SIZE, WORK, move_into
from tocsin.tracking.steady import PIECE_S, chain_order
from tocsin.units import SEMI_MAJOR_AXIS_M

SPEED_M_S = 4000.0  # prior of a velocity over the turning ground, one sigma an axis
UNKNOWN_M_S2 = 1e-5  # what the forces leave out, one sigma an axis: Sun, Moon, a satellite that leaks
FARTHEST_M = 5e8  # from the centre of the Earth
ROUNDS = 40
CONVERGED = 1e-3  # gain of a step in half squares
LEAST_DAMPING, MOST_DAMPING = 1e-12, 1e6


class Orbit(NamedTuple):
    """A fit: state and offsets at an epoch, together."""

    state: Floats  # (9,) position, velocity, and an acceleration that the forces leave out
    offset: Floats  # (k,)
    covariance: Floats  # (9 + k, 9 + k) of both
    residual: Floats  # (m, 4) normalised by the noise of the plots; NaN where nothing is measured
    squares: float  # of these, summed
    numbers: int  # measured
    evidence: float  # ln, for a density of position of 1 per m3


@jit
def equations(
    x: Floats, epoch_s: float, after: Ints, before: Ints, time_s: Floats, position: Floats, axes: Floats,
    measured: Floats, variance: Floats, column: Ints, lever: Floats, offset: Floats, residual: Floats, rows: Floats,
) -> bool:  # fmt: skip
    """Fill residual (m, 4) and rows (m, 4, 9), measured less predicted and derivatives by the state (9,) at the epoch.

    after, before: as from `steady.chain_order`. NaN where nothing is measured. False where a flight goes astray.
    """
    y, F, work = np.empty(SIZE), np.empty((SIZE, SIZE)), np.empty(WORK)
    s, total, H = np.empty(SIZE), np.empty((SIZE, SIZE)), np.zeros(6)
    residual[:, :] = np.nan
    for way in range(2):
        s[:] = x
        total[:, :] = np.eye(SIZE)
        now = epoch_s
        for k in after if way == 0 else before:
            left = time_s[k] - now
            pieces = int(math.ceil(abs(left) / PIECE_S))
            for _ in range(pieces):
                move_into(THRUST, s, left / pieces, STANDARD, y, F, work)
                s[:] = y
                total[:, :] = F @ total
                r2 = s[0] * s[0] + s[1] * s[1] + s[2] * s[2]
                if not SEMI_MAJOR_AXIS_M**2 * 0.98 < r2 < FARTHEST_M**2:
                    return False
            now = time_s[k]
            for q in range(4):
                if math.isnan(variance[k, q]) or (q >= 2 and math.isnan(measured[k, q - 2])):
                    continue
                value, _ = residual_and_row(q, s, position[k], axes[k], measured[k], H)
                if math.isnan(value):
                    return False
                if column[k, q] >= 0:
                    value -= lever[k, q] * offset[column[k, q]]
                residual[k, q] = value
                for c in range(SIZE):
                    sum_c = 0.0
                    for i in range(6):
                        sum_c += H[i] * total[i, c]
                    rows[k, q, c] = sum_c
    return True


class System(NamedTuple):
    """The linear equations of looks at a state: m numbers by 9 + k unknowns."""

    left: Floats  # (m,) measured less predicted, over its sigma
    rows: Floats  # (m, 9 + k) derivatives, over its sigma
    has: Floats  # (plots, 4) where something is measured
    variance: Floats  # (m,)


def system(looks: Looks, epoch_s: float, state: Floats, offset: Floats) -> System | None:
    """The equations of looks at a state (9,) at an epoch and offsets (k,); None where a flight goes astray."""
    count, k = len(looks.time_s), len(offset)
    residual, by_state = np.full((count, 4), np.nan), np.zeros((count, 4, SIZE))
    good = equations(
        state, epoch_s, *chain_order(looks.time_s, epoch_s), looks.time_s, looks.position_m, looks.axes,
        looks.measured, looks.variance, looks.column, looks.lever, offset, residual, by_state,
    )  # fmt: skip
    if not good:
        return None
    has = ~np.isnan(residual)
    rows = np.zeros((count, 4, SIZE + k))
    rows[..., :SIZE] = by_state
    i, q = np.nonzero(has & (looks.column >= 0))
    rows[i, q, SIZE + looks.column[i, q]] = looks.lever[i, q]
    sigma = np.sqrt(looks.variance[has])
    return System(residual[has] / sigma, rows[has] / sigma[:, None], has, sigma**2)


def fit_orbit(looks: Looks, epoch_s: float, guess: Floats, offset: Floats, offset_P: Floats) -> Orbit | None:
    """The orbit (9,) at an epoch through looks, from a guess (9,); offset (k,), offset_P (k, k): known of the offsets.

    None where none is found.
    """
    size = SIZE + len(offset)
    prior = np.zeros((size, size))
    prior[3:6, 3:6] = np.eye(3) / SPEED_M_S**2
    prior[6:9, 6:9] = np.eye(3) / UNKNOWN_M_S2**2
    prior[9:, 9:] = np.linalg.inv(offset_P)
    middle = np.concatenate([np.zeros(SIZE), offset])
    now = np.concatenate([guess, offset])
    here = system(looks, epoch_s, now[:9], now[9:])
    if here is None:
        return None
    cost = _cost(here, now - middle, prior)
    damping = 1e-3
    for _ in range(ROUNDS):
        total = here.rows.T @ here.rows + prior
        gradient = here.rows.T @ here.left - prior @ (now - middle)
        scale = 1.0 / np.sqrt(np.diag(total))
        even = total * np.outer(scale, scale)
        whole = scale * np.linalg.solve(even + LEAST_DAMPING * np.eye(size), scale * gradient)
        if 0.5 * float(whole @ gradient) < CONVERGED:
            break
        while damping < MOST_DAMPING:
            step = scale * np.linalg.solve(even + damping * np.eye(size), scale * gradient)
            trial = system(looks, epoch_s, now[:9] + step[:9], now[9:] + step[9:])
            value = math.inf if trial is None else _cost(trial, now + step - middle, prior)
            if trial is not None and value < cost:
                break
            damping *= 8.0
        else:
            break
        now, here, cost = now + step, trial, value
        damping = max(damping / 8.0, LEAST_DAMPING)
    total = here.rows.T @ here.rows + prior
    scale = 1.0 / np.sqrt(np.diag(total))
    even = total * np.outer(scale, scale)
    covariance = np.linalg.inv(even) * np.outer(scale, scale)
    residual = np.full(here.has.shape, np.nan)
    residual[here.has] = here.left
    numbers = len(here.left)
    log_prior = 0.5 * np.linalg.slogdet(prior[3:, 3:])[1] - 0.5 * (size - 3) * LOG_TWO_PI
    log_noise = -0.5 * float(np.log(here.variance).sum()) - 0.5 * numbers * LOG_TWO_PI
    spread = 0.5 * size * LOG_TWO_PI + 0.5 * (2.0 * np.log(scale).sum() - np.linalg.slogdet(even)[1])
    return Orbit(
        now[:9], now[9:], covariance, residual, float(here.left @ here.left), numbers,
        float(log_prior + log_noise + spread - cost),
    )  # fmt: skip


def _cost(at: System, off: Floats, prior: Floats) -> float:
    """Half the squares of what is left, and of how far unknowns are off (size,) what was known of them."""
    return 0.5 * float(at.left @ at.left + off @ prior @ off)
