"""Tracks of orbits from plots that lie minutes apart: ranges alone, angles alone, of one or of several stations.

Two fixes, each of two crossed sight lines or of a sight line and a range at nearly one time, give a first guess
(`sparse_guess`). An orbit is fitted to their plots (`sparse_fit`), with the offsets of their sensors, which may be
many times their noise. Then the plots around them are asked which of them fit, those are fitted too, and so on, as
long as the set grows (`sparse_grow`). What explains its plots is tentative, and later plots that fit are added to it.
It becomes a track when its plots are by far more likely an object's than false, with more numbers than unknowns; when
it is known so well that a filter can go on with it; and when it surely stays above the air.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from tocsin.earth.motion import BALLISTIC
from tocsin.sensors.coverage import log_clutter_density_of
from tocsin.sensors.plots import Floats, Sensor
from tocsin.tracking.modes import LN_BETA_MEAN, LN_BETA_SIGMA, MODES, SIZE
from tocsin.tracking.pairs import Offsets
from tocsin.tracking.sparse_grow import Grown, grown
from tocsin.tracking.sparse_guess import guesses
from tocsin.tracking.steady import STEADY_M2_S3, coast, perigee
from tocsin.tracking.tracks import MOST_EXISTENCE
from tocsin.tracking.unclaimed import Pool, keep, whole
from tocsin.units import SEMI_MAJOR_AXIS_M

KEPT_S = 4.0 * 3600.0  # how long plots that nothing explains are kept
MOST_PLOTS = 240  # and how many of them
MOST_TENTATIVE = 3

# What makes a track: numbers beyond the unknowns, odds, and errors small enough for a filter.
REDUNDANT = 10
LEAST_LOG_ODDS = math.log(1e4)
BIRTHS = 1e-3  # objects that come into the view of stations that look for them, for each of their plots
SPACE_M3 = 4.0 / 3.0 * math.pi * 5e7**3  # in which they may be
# Where a place is known to this share of its distance from the Earth's centre, the curve of a range is 25 m for a
# geostationary orbit, about its noise: the filter, which is linear in the offsets, can go on.
KNOWN_SHARE = 1e-3
LEAST_PERIGEE_M, PERIGEE_SIGMAS = SEMI_MAJOR_AXIS_M + 100e3, 3.0


class Tentative(NamedTuple):
    """An orbit that explains some plots."""

    epoch_s: float
    state: Floats  # (9,)
    plots: tuple[int, ...]  # their names


class Sought(NamedTuple):
    """Plots that nothing explains for sure, and orbits that may explain some of them."""

    pool: Pool | None = None
    tentative: tuple[Tentative, ...] = ()


class Found(NamedTuple):
    """A new orbit, and what its plots tell of the sensors' offsets."""

    time_s: float  # of its last plot
    x: Floats  # (3, 9) of which free flight alone is likely, with the offsets below
    P: Floats  # (3, 9, 9) given the offsets
    A: Floats  # (3, 9, k) derivative by the offsets
    mu: Floats  # (3,)
    existence: float
    offsets: Offsets  # with what its plots tell of them
    plots: tuple[tuple[int, int], ...]  # sensor and name of each, in order of time
    seeds: tuple[tuple[float, ...], ...]  # time, sensor and direction of each


def search(
    sought: Sought, fresh: Pool, sensors: tuple[Sensor, ...], offsets: Offsets, gate_scale: float
) -> tuple[Sought, Found | None]:
    """Look for an orbit with plots that no track claims, one at least a fresh one; the first that is sure is taken.

    gate_scale: how much larger the variances of the sensors may be than is thought.
    """
    pool = fresh if sought.pool is None else whole((sought.pool, fresh))
    young = pool.looks.time_s > fresh.looks.time_s.max() - KEPT_S
    young[:-MOST_PLOTS] = False
    pool = keep(pool, young)
    orbits: list[Grown] = []
    for old in sought.tentative:
        rows = np.flatnonzero(np.isin(pool.number, old.plots))
        _add(orbits, grown(pool, rows, old.epoch_s, old.state, offsets, gate_scale))
    for row in np.flatnonzero(np.isin(pool.number, fresh.number)).tolist():
        if len(orbits) == MOST_TENTATIVE or any(row in o.rows for o in orbits):
            continue
        for epoch_s, guess, rows in guesses(pool, row):
            found = grown(pool, rows, epoch_s, guess, offsets, gate_scale)
            if found is not None and row in found.rows:
                _add(orbits, found)
                break
    for orbit in orbits:
        track = _sure(orbit, pool, sensors, offsets)
        if track is not None:
            rest = keep(pool, ~np.isin(np.arange(len(pool.sensor)), orbit.rows))
            left = [o for o in orbits if not np.isin(o.rows, orbit.rows).any()]
            return Sought(rest, tuple(_tentative(o, pool) for o in left)), track
    return Sought(pool, tuple(_tentative(o, pool) for o in orbits)), None


def _tentative(orbit: Grown, pool: Pool) -> Tentative:
    return Tentative(orbit.epoch_s, orbit.orbit.state, tuple(pool.number[orbit.rows].tolist()))


def _add(orbits: list[Grown], new: Grown | None) -> None:
    """Put an orbit among others, unless it shares a plot with one of them."""
    if new is not None and not any(np.isin(new.rows, o.rows).any() for o in orbits):
        orbits.append(new)


def log_odds(orbit: Grown, pool: Pool, sensors: tuple[Sensor, ...]) -> float:
    """ln of the odds that the plots of an orbit are an object's against all being false."""
    total = math.log(BIRTHS) - math.log(SPACE_M3) + orbit.orbit.evidence
    looks = pool.looks
    for row in orbit.rows.tolist():
        sensor = sensors[pool.sensor[row]]
        measured = np.array([looks.measured[row, 0], *looks.variance[row, :2], looks.measured[row, 1]])
        total += math.log(sensor.detection_probability) - log_clutter_density_of(sensor, measured)
        if not np.isnan(measured[1]):
            total += float(looks.log_area[row])
    return total


def _sure(orbit: Grown, pool: Pool, sensors: tuple[Sensor, ...], offsets: Offsets) -> Found | None:
    """The track of an orbit that is sure enough, and known well enough; else None."""
    fit, looks = orbit.orbit, pool.looks
    named = looks.column[orbit.rows]
    measured = np.stack([~np.isnan(looks.variance[orbit.rows, q]) for q in range(4)], 1)
    measured[:, 2:] &= ~np.isnan(looks.measured[orbit.rows])
    unknowns = 6 + len(np.unique(named[measured & (named >= 0)]))
    odds = log_odds(orbit, pool, sensors)
    if fit.numbers < unknowns + REDUNDANT or odds < LEAST_LOG_ODDS:
        return None
    share = math.sqrt(float(np.trace(fit.covariance[:3, :3]))) / float(np.linalg.norm(fit.state[:3]))
    lowest_m, gradient = perigee(fit.state[:6])
    sigma_m = math.sqrt(float(gradient @ fit.covariance[:6, :6] @ gradient))
    if share > KNOWN_SHARE or lowest_m - PERIGEE_SIGMAS * sigma_m < LEAST_PERIGEE_M:
        return None
    order = orbit.rows[np.argsort(looks.time_s[orbit.rows], kind="stable")].tolist()
    k = len(offsets.mean)
    x, P, A = np.zeros((MODES, SIZE)), np.zeros((MODES, SIZE, SIZE)), np.zeros((MODES, SIZE, k))
    C = fit.covariance
    A[BALLISTIC, :6] = np.linalg.solve(C[9:, 9:], C[9:, :6]).T
    P[BALLISTIC, :6, :6] = C[:6, :6] - A[BALLISTIC, :6] @ C[9:, :6]
    x[BALLISTIC, :6], x[BALLISTIC, 6], P[BALLISTIC, 6, 6] = fit.state[:6], LN_BETA_MEAN, LN_BETA_SIGMA**2
    last_s = float(looks.time_s[order[-1]])
    coast(x[BALLISTIC], P[BALLISTIC], A[BALLISTIC], last_s - orbit.epoch_s, STEADY_M2_S3)
    return Found(
        last_s, x, P, A, np.eye(MODES)[BALLISTIC], min(1.0 / (1.0 + math.exp(-min(odds, 50.0))), MOST_EXISTENCE),
        Offsets(fit.offset, np.ascontiguousarray(C[9:, 9:])),
        tuple((int(pool.sensor[r]), int(pool.number[r])) for r in order),
        tuple(
            (float(looks.time_s[r]), float(pool.sensor[r]), float(looks.axes[r, 0, 0])) for r in order
        ),
    )  # fmt: skip
