"""Bodies that left one another above the air, worked out together from all plots of the last minutes.

Which plot is whose is open for minutes where bodies fly nearer to each other than angles tell and their ranges cross.
In free flight nothing else is: deviations from one reference flight grow linearly, so that every plot is a linear
measurement of its body's deviation at one epoch, and what a set of plots says of a body is a sum. Any choice of plots
is therefore weighed by sums of small matrices, by the likelihood of all of them, and choices of the past are put right
when later plots say so. The choice is improved by the moves of Markov chain Monte Carlo data association (Oh, Russell
and Sastry 2009, IEEE TAC 54, 481-497), taken only where they gain: one scan anew, what all bodies had since some scan
dealt out anew, two bodies that swap that, something new, an end, two that are one.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from tocsin.earth.motion import BALLISTIC
from tocsin.sensors.coverage import log_clutter_density
from tocsin.sensors.plots import Floats, Ints
from tocsin.tracking import modes
from tocsin.tracking.crowd_swaps import plots_of
from tocsin.tracking.crowd_weights import CELL_SIGMAS, forgotten, summed, told_by, value_of
from tocsin.tracking.pairs import Offsets, Scan
from tocsin.tracking.separation import SEPARATION_SPEEDS_M_S, spread
from tocsin.tracking.tracks import Bools, States, Table

# What leaves the family (one sigma an axis, at the epoch): released, with up to a few tens of metres a second.
BIRTH_M, BIRTH_M_S = 600.0, 20.0
GATE = 30.0  # squared sigmas (of four numbers) of what may be of the family: chi-square leaves out 5e-6
# Scans of so long, and so many, may be taken anew; what older ones said is kept as it was taken.
WINDOW_S, MOST_SCANS = 300.0, 200
NEAR_M = 1000.0  # on top of a coarse gate: what free flight bends away from a straight line within a scan
BLUR = 0.5  # of the squared sight angle times speed: what range rate says wrongly off the reference


class Crowd(NamedTuple):
    """A family: K bodies, N plots of S scans. Deviations (6,) are from the reference flight at the epoch."""

    family: int
    epoch_s: float
    time_s: float
    searched_s: float  # when all its plots were last shared out anew
    changed_s: float  # when a body began or was given up last
    reference: Floats  # (9,) BALLISTIC state at time_s
    F: Floats  # (6, 6) takes deviations at the epoch to time_s
    birth_info: Floats  # (6, 6) information on something new
    birth_vector: Floats  # (6,) at offsets of zero
    birth_by_offset: Floats  # (6, k)
    number: Ints  # (K,) of the bodies' tracks
    prior_info: Floats  # (K, 6, 6) what was known before the scans that are kept
    prior_vector: Floats  # (K, 6)
    prior_by_offset: (
        Floats  # (K, 6, k) derivative of that vector, which is at offsets of zero, by the offsets
    )
    odds: Floats  # (K,) ln of the odds that it exists, before those scans
    hits: Ints  # (K,) plots before those scans
    ratio2: Floats  # (sensors, 4) of true to stated sigma, squared, in the order of W
    apart: Floats  # (sensors,) how near to each other two bodies may be told apart, in cells
    offset_info: (
        Floats  # (k, k) information on the offsets, but for what the bodies take of it, before those scans
    )
    offset_vector: Floats  # (k,) its vector
    told_info: Floats  # (k, k) information on the offsets that was given to all others
    told_vector: Floats  # (k,)
    at_first: Offsets  # what was known of the offsets at the epoch
    other: Floats  # (K, 6, 6) spread of the deviation by choices that may be right as well
    member: Ints  # (N,) row of the body, -1: none
    scan: Ints  # (N,) row of the scan
    plot: Ints  # (N,) number of the plot
    W: Floats  # (N, 4, 6) rows of what is measured, in sigmas
    r: Floats  # (N, 4) measured less reference, in sigmas, without offsets
    J: Floats  # (N, 4, k) derivative of r by the offsets
    share: Floats  # (N, 4) of what each number says, where the plot may be another body's
    gain: Floats  # (N,) ln of the best likelihood over the density of false plots
    sensor: Ints  # (S,)
    when: Floats  # (S,) s
    chance: Floats  # (S,) probability of a plot
    cell: Floats  # (S, 4, 6) rows of what is measured, in cells of the sensor
    miss: Floats  # (S, K) ln of the probability of no plot


class Sums(NamedTuple):
    """What the plots of a crowd say, given the offsets."""

    offset: Floats  # (k,)
    B: Floats  # (N, 6, 6)
    b: Floats  # (N, 6)
    net: Floats  # (N,) ln of the likelihood over the density of false plots, but for what the body adds


def opened(table: Table, h: States, rows: Ints, eldest: int, offsets: Offsets, sensors: int) -> Crowd:
    """A crowd of some tracks, rows (K,), about the free flight of one of them."""
    offset, epoch_s = offsets.mean, float(h.time_s[rows].max())
    reference, _ = modes.move(BALLISTIC, h.x[eldest, BALLISTIC], epoch_s - float(h.time_s[eldest]))
    Y, y, D = np.empty((len(rows), 6, 6)), np.empty((len(rows), 6)), np.empty((len(rows), 6, len(offset)))
    for k, i in enumerate(rows.tolist()):
        there, F = modes.move(BALLISTIC, h.x[i, BALLISTIC], epoch_s - float(h.time_s[i]))
        P = spread((F @ h.P[i, BALLISTIC] @ F.T)[None, None], SEPARATION_SPEEDS_M_S[0])[0, 0, :6, :6]
        Y[k] = np.linalg.inv(P)
        y[k] = Y[k] @ (there - reference)[:6]
        D[k] = Y[k] @ (F @ h.A[i, BALLISTIC])[:6]
        y[k] -= D[k] @ offset
    back = np.linalg.inv(Y)
    which = rows.tolist().index(eldest)
    P = back[which] + np.diag([BIRTH_M**2] * 3 + [BIRTH_M_S**2] * 3)
    birth = np.linalg.inv(P)
    birth_by_offset = birth @ back[which] @ D[which]
    none, real, unknown = np.zeros(0, np.int64), np.zeros(0), len(offset)
    return Crowd(
        family=int(table.family[eldest]), epoch_s=epoch_s, time_s=epoch_s, searched_s=epoch_s, changed_s=epoch_s,
        reference=reference, F=np.eye(6), birth_info=birth, birth_vector=-birth_by_offset @ offset,
        birth_by_offset=birth_by_offset,
        number=table.number[rows], prior_info=Y, prior_vector=y, prior_by_offset=D,
        odds=np.log(table.existence[rows]) - np.log1p(-table.existence[rows]), hits=table.hits[rows],
        ratio2=np.ones((sensors, 4)), apart=np.ones(sensors),
        offset_info=np.einsum("kia,kij,kjb->ab", D, back, D), offset_vector=-np.einsum("kia,kij,kj->a", D, back, y),
        told_info=np.zeros((unknown, unknown)), told_vector=np.zeros(unknown), at_first=offsets, other=np.zeros_like(Y),
        member=none, scan=none, plot=none, W=np.zeros((0, 4, 6)), r=np.zeros((0, 4)), J=np.zeros((0, 4, unknown)),
        share=np.zeros((0, 4)), gain=real, sensor=none, when=real, chance=real, cell=np.zeros((0, 4, 6)),
        miss=np.zeros((0, len(rows))),
    )  # fmt: skip


def joined(crowd: Crowd, table: Table, h: States, rows: Ints, offset: Floats) -> Crowd:
    """The crowd with more tracks, rows (j,), as they are known; offset (k,)."""
    back = np.linalg.inv(crowd.F)
    for i in rows.tolist():
        there, F = modes.move(BALLISTIC, h.x[i, BALLISTIC], crowd.time_s - float(h.time_s[i]))
        P = spread((F @ h.P[i, BALLISTIC] @ F.T)[None, None], SEPARATION_SPEEDS_M_S[0])[0, 0, :6, :6]
        information = np.linalg.inv(back @ P @ back.T)
        by_offset = information @ back @ (F @ h.A[i, BALLISTIC])[:6]
        vector = information @ back @ (there - crowd.reference)[:6] - by_offset @ offset
        existence = float(table.existence[i])
        crowd = with_body(
            crowd, int(table.number[i]), information, vector, by_offset, math.log(existence / (1.0 - existence)),
            int(table.hits[i]), np.zeros(len(crowd.sensor)),
        )  # fmt: skip
    return crowd


def with_body(
    crowd: Crowd, number: int, information: Floats, vector: Floats, by_offset: Floats, odds: float, hits: int,
    miss: Floats,
) -> Crowd:  # fmt: skip
    """The crowd with one more body: number to hits as in `Crowd`, of one; miss (S,)."""
    P = np.linalg.inv(information)
    return crowd._replace(
        changed_s=crowd.time_s,
        number=np.append(crowd.number, number), prior_info=np.concatenate([crowd.prior_info, information[None]]),
        prior_vector=np.concatenate([crowd.prior_vector, vector[None]]),
        prior_by_offset=np.concatenate([crowd.prior_by_offset, by_offset[None]]),
        offset_info=crowd.offset_info + by_offset.T @ P @ by_offset,
        offset_vector=crowd.offset_vector - by_offset.T @ P @ vector,
        odds=np.append(crowd.odds, odds), hits=np.append(crowd.hits, hits),
        other=np.concatenate([crowd.other, np.zeros((1, 6, 6))]), miss=np.column_stack([crowd.miss, miss]),
    )  # fmt: skip


def flown(crowd: Crowd, at_s: float) -> Crowd:
    """The crowd with its reference at another time."""
    there, F = modes.move(BALLISTIC, crowd.reference, at_s - crowd.time_s)
    return crowd._replace(time_s=at_s, reference=there, F=F[:6, :6] @ crowd.F)


def with_scan(
    crowd: Crowd,
    scan: Scan,
    offsets: Offsets,
    asked: Ints,
    chance: float,
    made_with: Floats,
    gate_scale: float,
) -> tuple[Crowd, Ints]:
    """The crowd with those plots of a scan, of asked (m,), that may be its; and which they are.

    made_with (4,): the squared ratios of sigmas that the variances of the scan were made with, in the order of W.
    gate_scale: how much wider than usual the gate is.
    """
    crowd = flown(crowd, scan.time_s)
    asked = asked[_near(crowd, scan, asked, gate_scale)]
    W, r, J, gain = _rows(crowd, scan, asked, made_with, len(offsets.mean))
    inside = _inside(crowd, W, r, J, offsets, made_with, GATE * gate_scale)
    mine, S = asked[inside], len(crowd.sensor)
    many = len(mine)
    return crowd._replace(
        member=np.append(crowd.member, np.full(many, -1)), scan=np.append(crowd.scan, np.full(many, S)),
        plot=np.append(crowd.plot, scan.numbers[mine]),
        W=np.concatenate([crowd.W, W[inside]]), r=np.concatenate([crowd.r, r[inside]]),
        J=np.concatenate([crowd.J, J[inside]]), share=np.concatenate([crowd.share, np.ones((many, 4))]),
        gain=np.append(crowd.gain, gain[inside]),
        sensor=np.append(crowd.sensor, scan.sensor), when=np.append(crowd.when, scan.time_s),
        chance=np.append(crowd.chance, chance), cell=np.concatenate([crowd.cell, _cell(crowd, scan)[None]]),
        miss=np.concatenate([crowd.miss, np.full((1, len(crowd.number)), math.log1p(-chance))]),
    ), mine  # fmt: skip


def _near(crowd: Crowd, scan: Scan, asked: Ints, gate_scale: float) -> Bools:
    """Which plots, of asked (m,), lie so near to the reference that they are looked at."""
    looks = scan.looks
    birth_P = crowd.F @ np.linalg.inv(crowd.birth_info) @ crowd.F.T
    wide_m = math.sqrt(GATE * float(np.linalg.eigvalsh(birth_P[:3, :3])[-1]))
    at = looks.position_m[asked] + looks.measured[asked, :1] * looks.axes[asked, 0]
    at -= crowd.reference[:3] + (looks.time_s[asked] - crowd.time_s)[:, None] * crowd.reference[3:6]
    blur_m = np.sqrt(GATE * gate_scale * looks.variance[asked, :2].max(1)) * looks.measured[asked, 0]
    return np.asarray(np.linalg.norm(at, axis=1) < wide_m + blur_m + NEAR_M)


def _rows(
    crowd: Crowd, scan: Scan, asked: Ints, made_with: Floats, offsets: int
) -> tuple[Floats, Floats, Floats, Floats]:
    """W, r, J and gain of plots, asked (m,).

    A plot with its range is a place, given in the axes of its own sight, where the errors of angles and of range are
    each other's own: in these the deviation of its body is linear.
    """
    looks = scan.looks
    sigma = np.sqrt(looks.variance[asked] / made_with)
    far = looks.measured[asked, 0]
    m = len(asked)
    W, r, J = np.zeros((m, 4, 6)), np.zeros((m, 4)), np.zeros((m, 4, offsets))
    for i, j in enumerate(asked.tolist()):
        there, F = modes.move(BALLISTIC, crowd.reference, float(looks.time_s[j]) - crowd.time_s)
        F = F[:6, :6] @ crowd.F
        away, axes = there[:3] - looks.position_m[j], looks.axes[j]
        rho = float(np.linalg.norm(away))
        u = away / rho
        right, above, along, rate = sigma[i]
        short = 1.0 - 0.5 * float((sigma[i, :2] ** 2).sum())  # the mean of a sight that is off either way
        for q, (axis, s) in enumerate(((1, right * far[i]), (2, above * far[i]), (0, along))):
            W[i, q] = axes[axis] @ F[:3] / s
            r[i, q] = ((far[i] * short if axis == 0 else 0.0) - axes[axis] @ away) / s
        if not math.isnan(rate) and not math.isnan(looks.measured[j, 1]):
            across = there[3:6] - u * (u @ there[3:6])
            off2 = float(np.sum((axes[0] - u) ** 2))
            s = math.hypot(rate, BLUR * off2 * float(np.linalg.norm(there[3:6])))
            W[i, 3] = (across / rho @ F[:3] + u @ F[3:]) / s
            r[i, 3] = (looks.measured[j, 1] - u @ there[3:6]) / s
            sigma[i, 3] = s
        for q in range(4):
            if looks.column[j, q] >= 0 and W[i, q].any():
                J[i, q, looks.column[j, q]] = looks.lever[j, q] / sigma[i, q]
    gain = -np.nansum(np.log(sigma) + 0.5 * math.log(2.0 * math.pi), axis=1)
    gain += looks.log_area[asked] + math.log(scan.of.detection_probability) - log_clutter_density(scan.of)
    return W, r, J, gain


def _inside(
    crowd: Crowd, W: Floats, r: Floats, J: Floats, offsets: Offsets, made_with: Floats, gate: float
) -> Bools:
    """Which plots (m,) may be of something new of the family, or of one of its bodies."""
    d = r - J @ offsets.mean
    noise = np.diag(made_with) + J @ offsets.P @ J.transpose(0, 2, 1)
    G = W @ np.linalg.inv(crowd.birth_info) @ W.transpose(0, 2, 1) + noise
    out = np.einsum("mq,mq->m", d, np.linalg.solve(G, d[..., None])[..., 0]) < gate
    if len(crowd.number):
        delta, P = deviations(crowd, sums(crowd, offsets.mean, True))
        for i in np.flatnonzero(~out).tolist():
            off = d[i] - delta @ W[i].T  # (K, 4)
            G = W[i] @ P @ W[i].T + noise[i]
            out[i] = np.einsum("kq,kq->k", off, np.linalg.solve(G, off[..., None])[..., 0]).min() < gate
    return np.asarray(out)


def _cell(crowd: Crowd, scan: Scan) -> Floats:
    """Rows (4, 6) of what a sensor measures of deviations, in its cells; 0 where it does not measure that."""
    away = crowd.reference[:3] - scan.position_m
    rho = float(np.linalg.norm(away))
    u = away / rho
    side = np.cross(u, scan.position_m)
    side /= np.linalg.norm(side)
    across = crowd.reference[3:6] - u * (u @ crowd.reference[3:6])
    R, V = crowd.F[:3], crowd.F[3:]
    rows = np.stack([side @ R / rho, np.cross(side, u) @ R / rho, u @ R, across / rho @ R + u @ V])
    return np.nan_to_num(rows / (CELL_SIGMAS * scan.of.sigma[[1, 2, 0, 3]])[:, None])


def weight(crowd: Crowd) -> Floats:
    """By how much (N, 4) what plots say counts."""
    return crowd.share / crowd.ratio2[crowd.sensor[crowd.scan]]


def sums(crowd: Crowd, offset: Floats, doubted: bool = False) -> Sums:
    """What the plots of a crowd say, given the offsets (k,); doubted: less where they may be another body's."""
    share = weight(crowd) if doubted else 1.0 / crowd.ratio2[crowd.sensor[crowd.scan]]
    r = crowd.r - crowd.J @ offset
    B, b = told_by(crowd.W, r, share)
    return Sums(
        offset, B, b, crowd.gain - 0.5 * (r * r * share - np.log(share) * crowd.W.any(2)).sum(1),
    )  # fmt: skip


def prior_vector_of(crowd: Crowd, told: Sums) -> Floats:
    """What was known of the bodies before the scans that are kept: vectors (K, 6), given the offsets."""
    return np.asarray(crowd.prior_vector + crowd.prior_by_offset @ told.offset)


def totals(crowd: Crowd, told: Sums) -> tuple[Floats, Floats]:
    """Information (K, 6, 6) and vector (K, 6) of the bodies with their plots, given the offsets."""
    return summed(crowd.member, told.B, told.b, crowd.prior_info, prior_vector_of(crowd, told))


def by_offsets(crowd: Crowd) -> Floats:
    """Derivative (K, 6, k) of the vectors of the bodies with their plots by the offsets."""
    mine = crowd.member >= 0
    out = crowd.prior_by_offset.copy()
    np.subtract.at(
        out,
        crowd.member[mine],
        np.einsum("nqi,nq,nqb->nib", crowd.W[mine], weight(crowd)[mine], crowd.J[mine]),
    )
    return out


def deviations(crowd: Crowd, told: Sums) -> tuple[Floats, Floats]:
    """Means (K, 6) and covariances (K, 6, 6) of the bodies, given the offsets."""
    Y, y = totals(crowd, told)
    P = np.asarray(np.linalg.inv(Y), np.float64)
    return np.einsum("kij,kj->ki", P, y), P


def begins(crowd: Crowd) -> Ints:
    """The scan (K,) with the first plot of each body, one past the last where it has none."""
    mine = crowd.member >= 0
    begin = np.full(len(crowd.number), len(crowd.sensor))
    np.minimum.at(begin, crowd.member[mine], crowd.scan[mine])
    return np.where(crowd.hits > 0, 0, begin)


def odds_of(crowd: Crowd, told: Sums) -> Floats:
    """ln of the odds (K,) that each body exists."""
    Y, y = totals(crowd, told)
    L = np.zeros((7, 6))
    S, K = len(crowd.sensor), len(crowd.number)
    own = plots_of(S, K, crowd.member, crowd.scan) >= 0
    mine = crowd.member >= 0
    begin = begins(crowd)
    missed = np.where(own | (np.arange(S)[:, None] < begin), 0.0, crowd.miss).sum(0)
    out = crowd.odds + missed + np.bincount(crowd.member[mine], told.net[mine], K)
    prior_vector = prior_vector_of(crowd, told)
    for k in range(K):
        out[k] += value_of(Y[k], y[k], L) - value_of(crowd.prior_info[k], prior_vector[k], L)
    return np.asarray(np.minimum(out, forgotten(own, crowd.miss, begin)))


def kept(crowd: Crowd, mask: Bools) -> Crowd:
    """The crowd of those bodies that a mask (K,) picks."""
    if mask.all():
        return crowd
    row = np.append(np.where(mask, np.cumsum(mask) - 1, -1), -1)
    # what was known of the others tells no longer of the offsets
    D, y, P = (c[~mask] for c in (crowd.prior_by_offset, crowd.prior_vector, np.linalg.inv(crowd.prior_info)))
    return crowd._replace(
        changed_s=crowd.time_s,
        offset_info=crowd.offset_info - np.einsum("kia,kij,kjb->ab", D, P, D),
        offset_vector=crowd.offset_vector + np.einsum("kia,kij,kj->a", D, P, y),
        number=crowd.number[mask], prior_info=crowd.prior_info[mask], prior_vector=crowd.prior_vector[mask],
        prior_by_offset=crowd.prior_by_offset[mask], odds=crowd.odds[mask], hits=crowd.hits[mask],
        other=crowd.other[mask], member=row[crowd.member], miss=np.ascontiguousarray(crowd.miss[:, mask]),
    )  # fmt: skip


def trimmed(crowd: Crowd, offset: Floats) -> Crowd:
    """The crowd without its oldest scans, which stay as they were taken."""
    over = max(len(crowd.sensor) - MOST_SCANS, int(np.sum(crowd.when < crowd.time_s - WINDOW_S)))
    if over <= 0:
        return crowd
    told = sums(crowd, offset)
    old = crowd.scan < over
    first = crowd._replace(
        member=crowd.member[old], scan=crowd.scan[old], W=crowd.W[old], r=crowd.r[old], J=crowd.J[old],
        share=crowd.share[old], sensor=crowd.sensor[:over], chance=crowd.chance[:over], miss=crowd.miss[:over],
    )  # fmt: skip
    of_old = Sums(offset, told.B[old], told.b[old], told.net[old])
    doubted = sums(crowd, np.zeros_like(offset), True)
    mine = first.member >= 0
    before = crowd.hits > 0
    odds = odds_of(first, of_old)
    D = by_offsets(first)
    hits = crowd.hits + np.bincount(first.member[mine], minlength=len(before))
    # vectors are kept at offsets of zero: what they say of the offsets is in D
    Y, y = summed(first.member, doubted.B[old], doubted.b[old], crowd.prior_info, crowd.prior_vector)
    young = ~old
    J, share, r = first.J[mine], weight(first)[mine], first.r[mine]
    return crowd._replace(
        offset_info=crowd.offset_info + np.einsum("nqa,nq,nqb->ab", J, share, J),
        offset_vector=crowd.offset_vector + np.einsum("nqa,nq,nq->a", J, share, r),
        prior_info=Y, prior_vector=y, prior_by_offset=D, odds=odds, hits=hits,
        member=crowd.member[young], scan=crowd.scan[young] - over, plot=crowd.plot[young], W=crowd.W[young],
        r=crowd.r[young], J=crowd.J[young], share=crowd.share[young], gain=crowd.gain[young],
        sensor=crowd.sensor[over:], when=crowd.when[over:], chance=crowd.chance[over:],
        cell=crowd.cell[over:], miss=crowd.miss[over:],
    )  # fmt: skip
