"""Tracks of orbits that are followed over hours with few plots: how they move, and when they end.

Such a track (`Table.steady`) is in free flight and nothing else. It is moved on to each plot by itself, in short
steps and with the little noise that the forces above the air leave out, before the modes are asked (`imm`, for which
then no time has passed in which a mode could change). It ends when it is known too badly, or unseen for a day.
"""

from __future__ import annotations

import numpy as np

from tocsin.earth.forces import STANDARD
from tocsin.earth.motion import BALLISTIC
from tocsin.earth.orbit import energy_and_perigee
from tocsin.kernel import jit
from tocsin.sensors.plots import Floats, Ints
from tocsin.tracking.correct import move_covariance
from tocsin.tracking.modes import MODES, SIZE, USED, WORK, move_into
from tocsin.tracking.tracks import Bools, States, Table
from tocsin.units import FLATTENING, SEMI_MAJOR_AXIS_M

# Spectral density of what the forces leave out above the air, 2 a2 t of an acceleration a that lasts for a time t: Sun
# and Moon at the height of a geostationary orbit and a satellite that leaks, 1e-5 m/s2 for hours; the uneven field of
# the Earth near it (J22), 5e-5 m/s2 for minutes (Montenbruck and Gill 2000, section 3.1).
STEADY_M2_S3 = 1e-6
PIECE_S = 60.0  # of a flight, after which its transition matrix is taken
STORED_S, BEHIND_S = 300.0, 60.0  # a state older than the one is moved up to the other before now
LONGEST_S = 86400.0  # unseen, after which a track ends
LOWEST_M = SEMI_MAJOR_AXIS_M * (1.0 - FLATTENING)  # from the centre: at the poles


@jit
def coast(x: Floats, P: Floats, A: Floats, dt: float, noise_m2_s3: float) -> None:
    """Move a BALLISTIC state (9,), its covariance (9, 9) and its derivative by offsets (9, k), in place.

    dt seconds, forward or back; noise_m2_s3: spectral density of an acceleration that is not known.
    """
    y, F, work, square = np.empty(SIZE), np.empty((SIZE, SIZE)), np.empty(WORK), np.empty((SIZE, SIZE))
    pieces = int(np.ceil(abs(dt) / PIECE_S))
    h = dt / max(pieces, 1)
    q, t = noise_m2_s3, abs(h)  # back in time position and velocity stray against each other
    for _ in range(pieces):
        move_into(BALLISTIC, x, h, STANDARD, y, F, work)
        move_covariance(USED[BALLISTIC], F, P, A, square)
        x[:] = y
        for i in range(3):
            P[i, i] += q * t**3 / 3.0
            P[i, 3 + i] += q * t * h / 2.0
            P[3 + i, i] += q * t * h / 2.0
            P[3 + i, 3 + i] += q * t


def still(table: Table, h: States) -> Bools:
    """Which tracks (n,) are steady, and not under thrust as some radar has seen."""
    return np.asarray(table.steady & (h.mu[:, BALLISTIC] > 0.5))


def moved(table: Table, h: States, to_s: float, least_s: float = 0.0) -> States:
    """The states, those of steady tracks moved on to a time where it is more than least_s after theirs.

    They are in free flight alone then.
    """
    if not table.steady.any():
        return h
    late = np.flatnonzero(still(table, h) & (h.time_s < to_s - least_s))
    if len(late) == 0:
        return h
    time_s, x, P, A, mu = (c.copy() for c in (h.time_s, h.x, h.P, h.A, h.mu))
    for i in late.tolist():
        coast(x[i, BALLISTIC], P[i, BALLISTIC], A[i, BALLISTIC], to_s - float(time_s[i]), STEADY_M2_S3)
        time_s[i], mu[i] = to_s, np.eye(MODES)[BALLISTIC]
    return h._replace(time_s=time_s, x=x, P=P, A=A, mu=mu)


def over(table: Table, h: States, now_s: float, widest_m: float, least_existence: float) -> Bools:
    """Which tracks (n,), were they steady, have ended: no object, known no better than to widest_m, unseen, or down."""
    x, P = h.x[:, BALLISTIC], h.P[:, BALLISTIC]
    sigma_m = np.sqrt(np.maximum(P[:, 0, 0] + P[:, 1, 1] + P[:, 2, 2], 0.0))
    ended = (sigma_m > widest_m) | (now_s - table.hit_s > LONGEST_S) | (table.existence < least_existence)
    return np.asarray(ended | (np.linalg.norm(x[:, :3], axis=1) < LOWEST_M))


def perigee(state: Floats) -> tuple[float, Floats]:
    """Distance (m) of the perigee of a state (6,) from the Earth's centre, in a plain field, and its gradient (6,)."""
    gradient = np.empty(6)
    for i in range(6):
        step = np.zeros(6)
        step[i] = 100.0 if i < 3 else 0.1
        above, below = energy_and_perigee(state + step)[1], energy_and_perigee(state - step)[1]
        gradient[i] = (above - below) / (2.0 * step[i])
    return energy_and_perigee(state)[1], gradient


def chain_order(time_s: Floats, epoch_s: float) -> tuple[Ints, Ints]:
    """Rows of times from an epoch on, rising, and of those before it, falling."""
    order = np.argsort(time_s, kind="stable")
    after = time_s[order] >= epoch_s
    return order[after], np.ascontiguousarray(order[~after][::-1])
