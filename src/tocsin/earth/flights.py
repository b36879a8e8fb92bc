"""Flights of bodies: to a time, to the ground, to the perigee; one or many, with or without transition matrices.

The way in for whoever computes with motion alone::

    from tocsin.earth.flights import to_ground
    landings = to_ground(states, ballistic_coefficient_kg_m2)

States are positions (m) and velocities (m/s) in ECEF. Every flight has a status; `status.sentence` says in
words what it means. What becomes of a flight does not depend on what flies beside it, nor on the number of threads.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tocsin.earth import batch
from tocsin.earth.ellipsoid import up_and_height_on
from tocsin.earth.forces import STANDARD, Forces
from tocsin.earth.status import LANDED
from tocsin.errors import UsageError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

LONGEST_S = 7200.0
# Error of the place of impact that a step may make. Of 10,000 flights of 100 to 10,000 km, drag coefficients of
# every kind, the worst then lands within 1 m and 1 ms (benchmarks/propagation.py).
STEP_ERROR_M = 0.1


class Flights(NamedTuple):
    """What became of n flights.

    time_s (n,): time of the end since the start; state (n, 6): there; ballistic_coefficient_kg_m2 (n,): there (it
    shrinks with ablation); status (n,): see `status`; steps (n,): tried. Where the status says that there is no
    result, the numbers are NaN. transition (n, 7, 9) or None: derivatives of the state and of ln of the ballistic
    coefficient at that time by those at the start and, the last two columns, by a wind east and north (m/s at 11 km,
    see `motion.WIND_HEIGHT_M`) beside that of the forces.
    """

    time_s: Floats
    state: Floats
    ballistic_coefficient_kg_m2: Floats
    status: Integers
    steps: Integers
    transition: Floats | None


def to_time(
    state: ArrayLike,
    ballistic_coefficient_kg_m2: ArrayLike,
    duration_s: ArrayLike,
    forces: Forces = STANDARD,
    *,
    error_m: float = STEP_ERROR_M,
    transition: bool = False,
    threads: int = 1,
) -> Flights:
    """Flights of a duration, back in time where it is negative; there is no ground.

    state (n, 6) or (6,); ballistic coefficient m / (Cd A) and duration: scalars or (n,). error_m: of the place where
    the flight would come down, allowed in a step. Raises `UsageError` for shapes that do not fit and for values out
    of their limits.
    """
    starts, limits = _starts(state, ballistic_coefficient_kg_m2, duration_s)
    return _fly(starts, limits, batch.TIME, 0.0, forces, error_m, transition, threads)


def to_ground(
    state: ArrayLike,
    ballistic_coefficient_kg_m2: ArrayLike,
    forces: Forces = STANDARD,
    *,
    ground_m: float = 0.0,
    longest_s: float = LONGEST_S,
    error_m: float = STEP_ERROR_M,
    transition: bool = False,
    threads: int = 1,
) -> Flights:
    """Flights to the ground, at a height over the ellipsoid, within a longest time. Else as `to_time`.

    The transition matrices are those to the time of impact; `impact_jacobian` makes that of the place of impact.
    """
    starts, limits = _starts(state, ballistic_coefficient_kg_m2, _positive("longest_s", longest_s))
    return _fly(starts, limits, batch.GROUND, ground_m, forces, error_m, transition, threads)


def to_perigee(
    state: ArrayLike,
    ballistic_coefficient_kg_m2: ArrayLike,
    forces: Forces = STANDARD,
    *,
    ground_m: float = 0.0,
    longest_s: float = LONGEST_S,
    error_m: float = STEP_ERROR_M,
    threads: int = 1,
) -> Flights:
    """Flights to their next perigee (the least distance from the Earth's centre), or to the ground before it."""
    starts, limits = _starts(state, ballistic_coefficient_kg_m2, _positive("longest_s", longest_s))
    return _fly(starts, limits, batch.PERIGEE, ground_m, forces, error_m, False, threads)


def impact_jacobian(flights: Flights, forces: Forces = STANDARD) -> Floats:
    """Derivatives (n, 4, 9) of place (m, ECEF) and time (s) of impact by the columns of the transition matrices.

    The transition matrix to the time of impact, along the velocity onto the ground: with n the normal of the
    ellipsoid, v the velocity: (I - v n' / n'v) Phi and -n' Phi / n'v. NaN for a flight that did not land. Raises
    `UsageError` for flights without transition matrices.
    """
    if flights.transition is None:
        raise UsageError(
            "impact_jacobian: the flights have no transition matrices; fly them with transition=True"
        )
    out = np.full((len(flights.time_s), 4, 9), np.nan)
    for i in np.flatnonzero(flights.status == LANDED):
        x = flights.state[i]
        sin_lat, cos_lat, sin_lon, cos_lon, _ = up_and_height_on(
            x[0], x[1], x[2], forces.semi_major_axis_m, forces.flattening
        )
        normal = np.array([cos_lat * cos_lon, cos_lat * sin_lon, sin_lat])
        place = flights.transition[i, :3]
        out[i, 3] = -(normal @ place) / (normal @ x[3:])
        out[i, :3] = place + np.outer(x[3:], out[i, 3])
    return out


def _positive(name: str, value: float) -> float:
    if not value > 0.0:
        raise UsageError(f"{name} must be above 0 s, is {value}")
    return value


def _starts(state: ArrayLike, coefficient: ArrayLike, limit_s: ArrayLike) -> tuple[Floats, Floats]:
    """Starts (n, 7) and times (n,) of what a caller gave."""
    x = np.atleast_2d(np.asarray(state, float))
    if x.ndim != 2 or x.shape[1] != 6:
        raise UsageError(f"state must have the shape (n, 6), has {np.shape(state)}")
    count = len(x)
    columns = []
    for name, value in (("ballistic_coefficient_kg_m2", coefficient), ("duration_s", limit_s)):
        column = np.asarray(value, float)
        if column.shape not in ((), (count,)):
            raise UsageError(f"{name} must be one number or {count}, has the shape {column.shape}")
        columns.append(np.broadcast_to(column, (count,)).copy())
    bad = ~(columns[0] > 0.0)
    if bad.any():
        worst = int(np.argmax(bad))
        raise UsageError(
            f"ballistic_coefficient_kg_m2[{worst}] must be above 0 kg/m2, is {columns[0][worst]}"
        )
    # in C's order whatever was given: each order is a kernel of its own to compile
    return np.ascontiguousarray(np.column_stack([x, np.log(columns[0])])), columns[1]


def _fly(
    starts: Floats, limits_s: Floats, end: int, ground_m: float, forces: Forces, error_m: float, transition: bool,
    threads: int,
) -> Flights:  # fmt: skip
    if not error_m > 0.0:
        raise UsageError(f"error_m must be above 0 m, is {error_m}")
    if threads < 1:
        raise UsageError(f"threads must be 1 or more, is {threads}")
    count = len(starts)
    times, ends = np.empty(count), np.empty((count, 7))
    status, steps = np.empty(count, np.int64), np.empty(count, np.int64)
    matrices = np.empty((count if transition else 0, 7, 9))

    def some(who: Integers) -> None:
        batch.fly(who, starts, end, ground_m, limits_s, error_m, forces, times, ends, status, steps, matrices)

    back = limits_s < 0.0  # a batch goes one way in time
    ways = [np.flatnonzero(~back), np.flatnonzero(back)] if back.any() else [np.arange(count)]
    parts = [np.ascontiguousarray(way[first::threads]) for way in ways for first in range(threads)]
    if threads == 1:
        for part in parts:
            some(part)
    else:
        with ThreadPoolExecutor(threads) as pool:
            for job in [pool.submit(some, part) for part in parts]:
                job.result()
    with np.errstate(over="ignore"):  # back in time a burning body grows without end
        coefficient = np.exp(ends[:, 6])
    return Flights(times, ends[:, :6], coefficient, status, steps, matrices if transition else None)
