"""Objects too near to each other for a sensor to tell apart: they give one plot between them.

A track without a plot, beside another one that has one, is not missing: its echo may be in that plot. How probably two
objects lie within one cell of a sensor follows from both tracks; so does what the plot says of each, if it is the mean
of what all in the cell would have given (Koch and van Keuk 1997, IEEE TAES 33, 883-892, with a cell that has edges).
"""

from __future__ import annotations

import math

import numpy as np

from tocsin.earth.forces import STANDARD
from tocsin.kernel import jit
from tocsin.sensors.models import residual_and_row, some
from tocsin.sensors.plots import Floats, Ints
from tocsin.tracking.gating import take_plots
from tocsin.tracking.modes import SIZE, USED, WORK, add_noise, move_into
from tocsin.tracking.pairs import Offsets, Scan
from tocsin.tracking.tracks import States

# Two objects are one to a sensor that finds less than so many of its sigmas between them in all that it measures: its
# sigma is the error of the middle of an echo, whose width is some of that.
CELL_SIGMAS = 2.5
LEAST_TOGETHER = 1e-3  # a smaller probability that two are one is none
TOGETHER = 0.5  # from here on a track without a plot has part in its neighbour's
WIDEST_SIGMAS = 4.0  # of the distance between two tracks, beyond the cell


@jit
def seen(
    rows: Ints, time_s: Floats, x: Floats, P: Floats, A: Floats, mu: Floats, at_s: float, position: Floats,
    local: Floats,
) -> tuple[Floats, Floats, Floats]:  # fmt: skip
    """What a sensor would measure of tracks, rows (n,) of time_s to mu, and how well that is known.

    Returns (n, 4), variances (n, 4) and derivatives by the sensors' offsets (n, 4, k) of the angle to the right
    (azimuth times the cosine of the elevation) and above (rad), range (m), range rate (m/s). position (3,), local
    (3, 3): of the sensor, its axes east, north, up.
    """
    n = len(rows)
    value, variance, by_offset = np.empty((n, 4)), np.empty((n, 4)), np.zeros((n, 4, A.shape[3]))
    y, F, work = np.empty(SIZE), np.empty((SIZE, SIZE)), np.empty(WORK)
    H, axes, none, row = np.empty(6), np.empty((3, 3)), np.zeros(2), np.empty(SIZE)
    noise = np.empty((SIZE, SIZE))
    for k in range(n):
        h = rows[k]
        best = int(np.argmax(mu[h]))
        dt = at_s - time_s[h]
        move_into(best, x[h, best], dt, STANDARD, y, F, work)
        noise[:, :] = 0.0
        add_noise(best, y, noise, dt)
        east, north, up, size = 0.0, 0.0, 0.0, 0.0
        for i in range(3):
            d = y[i] - position[i]
            east += local[0, i] * d
            north += local[1, i] * d
            up += local[2, i] * d
            size += d * d
        size = math.sqrt(size)
        azimuth, elevation = math.atan2(east, north), math.asin(min(max(up / size, -1.0), 1.0))
        for i in range(3):
            axes[0, i] = (y[i] - position[i]) / size
            axes[1, i] = math.cos(azimuth) * local[0, i] - math.sin(azimuth) * local[1, i]
        for i in range(3):
            a, b = (i + 1) % 3, (i + 2) % 3
            axes[2, i] = axes[1, a] * axes[0, b] - axes[1, b] * axes[0, a]
        value[k, 0], value[k, 1] = azimuth, elevation
        n_used = USED[best]
        for q in range(4):
            residual, _ = residual_and_row(q, y, position, axes, none, H)
            if q >= 2:
                value[k, q] = -residual
            total, columns = 0.0, 6 if q == 3 else 3
            for i in range(n_used):
                row[i] = 0.0
                for m in range(columns):
                    row[i] += H[m] * F[m, i]
            for i in range(n_used):
                part = 0.0
                for m in range(n_used):
                    part += P[h, best, i, m] * row[m]
                total += row[i] * part
            for i in range(columns):
                for m in range(columns):
                    total += H[i] * noise[i, m] * H[m]
            for b in range(A.shape[3]):
                for i in range(n_used):
                    by_offset[k, q, b] += row[i] * A[h, best, i, b]
            variance[k, q] = total
    return value, variance, by_offset


@jit
def _share(apart: float, variance: float, cell: float) -> float:
    """Probability that a normal distance lies within a cell on both sides."""
    s = math.sqrt(2.0 * max(variance, 1e-300))
    return 0.5 * (math.erf((cell - apart) / s) + math.erf((cell + apart) / s))


@jit
def together(value: Floats, variance: Floats, cell: Floats) -> tuple[Ints, Ints, Floats]:
    """Pairs (k,) of objects that may be one to a sensor, and how probably.

    value, variance (n, 4) as from `seen`; cell (4,): how near two are that are one, infinite where that is not
    measured.
    """
    n = len(value)
    first, second, chance = np.empty(n + 16, np.int64), np.empty(n + 16, np.int64), np.empty(n + 16)
    key = 2 if math.isfinite(cell[2]) else 1
    order = np.argsort(value[:, key], kind="mergesort")
    k = 0
    if n == 0:
        return first[:0], second[:0], chance[:0]
    widest = cell[key] + WIDEST_SIGMAS * math.sqrt(2.0 * variance[:, key].max())
    for a in range(n):
        i = order[a]
        for b in range(a + 1, n):
            j = order[b]
            if value[j, key] - value[i, key] > widest:
                break
            p = 1.0
            for q in range(4):
                if not math.isfinite(cell[q]):
                    continue
                apart = value[i, q] - value[j, q]
                if q == 0:
                    apart = (apart + math.pi) % (2.0 * math.pi) - math.pi
                    apart *= math.cos(0.5 * (value[i, 1] + value[j, 1]))
                both = variance[i, q] + variance[j, q]
                if abs(apart) > cell[q] + WIDEST_SIGMAS * math.sqrt(both):
                    p = 0.0
                    break
                p *= _share(apart, both, cell[q])
            if p < LEAST_TOGETHER:
                continue
            if k == len(first):
                first, second = np.concatenate((first, first)), np.concatenate((second, second))
                chance = np.concatenate((chance, chance))
            first[k], second[k], chance[k] = min(i, j), max(i, j), p
            k += 1
    return first[:k], second[:k], chance[:k]


def cell_of(scan: Scan) -> Floats:
    """How near (4,) two objects are that are one to the sensor of a scan, in the order of `seen`."""
    azimuth_first = scan.of.sigma[[1, 2, 0, 3]]
    return np.where(np.isnan(azimuth_first), np.inf, CELL_SIGMAS * azimuth_first)


def groups(tracks: Ints, pairs: tuple[Ints, Ints, Floats], plot: Ints) -> dict[int, list[int]]:
    """Tracks that have part in one plot, by the plot.

    tracks (n,): rows of the table, of which pairs speak (as from `together`); plot (rows of the table,): that each
    track took, -1: none. A track without one has part in the plot of the one that it is most probably one with.
    """
    found: dict[int, tuple[float, int]] = {}
    for i, j, p in zip(tracks[pairs[0]].tolist(), tracks[pairs[1]].tolist(), pairs[2].tolist(), strict=True):
        for mine, other in ((i, j), (j, i)):
            if p > TOGETHER and plot[mine] < 0 <= plot[other] and p > found.get(mine, (0.0, 0))[0]:
                found[mine] = (p, other)
    out: dict[int, list[int]] = {}
    for mine in sorted(found):
        other = found[mine][1]
        out.setdefault(int(plot[other]), [other]).append(mine)
    return out


def shared(
    rows: Ints, plot: int, h: States, fallen: Ints, scan: Scan, local: Floats, offsets: Offsets
) -> tuple[Ints, Floats, Floats, Floats, Floats]:
    """Tracks, rows (m,) of h, after a plot that is the mean of what all of them would have given.

    To each the plot says: m times what it measured, less what the others would have given, with their errors. Its
    angles are taken for the object's own, with the spread of the group. Returns the places in rows that were corrected
    (k,), and x, P, A, mu after (k, ...).
    """
    m = len(rows)
    looks = some(scan.looks, np.full(m, plot))
    value, variance, by_offset = seen(
        rows, h.time_s, h.x, h.P, h.A, h.mu, float(looks.time_s[0]), looks.position_m[0], local
    )
    measured, noise, lever = looks.measured, looks.variance, looks.lever
    apart = value[:, :2] - value[0, :2]
    apart[:, 0] = ((apart[:, 0] + math.pi) % (2.0 * math.pi) - math.pi) * math.cos(value[0, 1])
    noise[:, :2] += apart.var(axis=0)
    for q in (2, 3):
        measured[:, q - 2] = m * measured[:, q - 2] - (value[:, q].sum() - value[:, q])
        noise[:, q] = m * m * noise[:, q] + variance[:, q].sum() - variance[:, q]
        column = int(looks.column[0, q])
        if column >= 0:  # m times the sensor's own, and what the others have taken it for
            theirs = by_offset[:, q, column].sum() - by_offset[:, q, column]
            lever[:, q] = m * lever[:, q] + theirs
            measured[:, q - 2] += theirs * offsets.mean[column]
    looks = looks._replace(measured=measured, variance=noise, lever=lever)
    inside, _, x, P, A, mu = take_plots(
        rows, np.arange(m), h.time_s, h.x, h.P, h.A, h.mu, fallen,
        looks.time_s, looks.position_m, looks.axes, looks.measured, looks.variance, looks.column, looks.lever,
        offsets.mean, offsets.P, scan.of.detection_probability, scan.heat, 1.0,
    )  # fmt: skip
    return inside, x, P, A, mu
