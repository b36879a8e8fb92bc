"""Tracks that begin where another one is: what a body releases, or breaks into."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from tocsin.earth.motion import BALLISTIC, LEVEL, THRUST
from tocsin.sensors.models import some
from tocsin.sensors.plots import Floats, Ints
from tocsin.tracking import imm, modes
from tocsin.tracking.gating import near, take_plots
from tocsin.tracking.life import REENTRY_DRAG_M_S2, sharp, squared_distance
from tocsin.tracking.pairs import Offsets, Scan, blur2, pairs_of
from tocsin.tracking.tracks import Bools, States, Table, begun

# What leaves a body leaves it within the last SEPARATION_S, with one of these speeds (one sigma an axis):
# released, or blown apart. One new object in a hundred scans of a parent.
SEPARATION_S = 12.0
SEPARATION_SPEEDS_M_S = (8.0, 40.0, 150.0)
SEPARATIONS_A_SCAN = 0.01
# A body that let go of something lately will do so again: new ones of the last scans, forgotten by BROOD_KEPT a scan,
# are expected anew in this share, but never more than MOST_A_SCAN.
BROOD_SHARE, BROOD_KEPT, MOST_A_SCAN = 0.1, 0.8, 0.3
# What lets go of more than so many within the last scans, in the air or so soon after thrust, has broken up, and so has
# what left it in the time before. Else they may have been released long ago above the air, and a radar has begun to
# look. (Carriers of up to 15 bodies come to 6 while they are watched, all of 43 break-ups to more, decision 0026.)
BURST, BURST_S = 8.0, 30.0
CHILD_EXISTENCE = 0.8  # what one plot is worth at most
LEAST_EXISTENCE = 0.02  # below which a plot begins nothing
PARENT_EXISTENCE = 0.9
PARENT_HITS = 4
CHILD_COASTS = 0.5  # what leaves a body under thrust falls as likely as not: a stage left behind, or a piece
PARENT_REACH_M, PARENT_SPEED_M_S = 50e3, 9e3  # farther away than this and what it may have flown no parent is
PARENT_DISTANCE2 = 16.0  # squared sigmas within which a new track may have left another


class Offspring(NamedTuple):
    """What may have left known bodies, one plot each."""

    plots: Ints  # (c,) plots of the scan
    gain: Floats  # (c,) ln of the density of new objects there over that of false plots
    parent: Ints  # (c,) rows of the table
    speed_m_s: Floats  # (c,) of the separation


NO_OFFSPRING = Offspring(np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.int64), np.zeros(0))


def offspring(
    table: Table, h: States, scan: Scan, which: Ints, offsets: Offsets, gate_scale: float, gone: Bools
) -> Offspring:
    """Plots out of some of a scan that may be of something new that has left a falling body, not one of gone (n,)."""
    if scan.heat or len(which) == 0:
        return NO_OFFSPRING
    mu = without_level(h.mu)
    may = (
        table.shown
        & ~gone
        & table.fallen
        & (table.existence > PARENT_EXISTENCE)
        & (table.hits >= PARENT_HITS)
        & ~table.orbit
        & sharp(table, h, scan.time_s)
        & (mu.sum(1) > 0.0)
    )
    looks, widest2 = some(scan.looks, which), max(SEPARATION_SPEEDS_M_S) ** 2
    mine, _ = near(
        h.time_s, h.x, h.P, mu, (~may).astype(np.int64), widest2 * SEPARATION_S**2 / 3.0, widest2,
        looks.time_s, looks.position_m, looks.axes, looks.measured, blur2(looks, offsets) * gate_scale,
    )  # fmt: skip
    parents = np.unique(mine)
    if len(parents) == 0:
        return NO_OFFSPRING
    mu, fallen = mu[parents], np.ones(len(parents), np.int64)
    rate = np.log(np.minimum(SEPARATIONS_A_SCAN + BROOD_SHARE * table.brood[parents], MOST_A_SCAN))
    near_by = States(*(c[parents] for c in h))._replace(mu=mu)  # type: ignore[arg-type]  # columns of two types
    found: dict[int, tuple[float, int, float]] = {}  # plot -> ln of odds, parent, speed
    for speed in SEPARATION_SPEEDS_M_S:
        wide = near_by._replace(P=spread(near_by.P, speed))
        pairs = pairs_of(wide, fallen, scan, which, offsets, gate_scale)
        gain = pairs.gain + rate[pairs.mine] - math.log(len(SEPARATION_SPEEDS_M_S))
        for i, j, value in zip(pairs.mine.tolist(), pairs.theirs.tolist(), gain.tolist(), strict=True):
            if j not in found or value > found[j][0]:
                found[j] = (value, int(parents[i]), speed)
    plots = np.array(sorted(found), np.int64)
    columns = [np.array([found[j][k] for j in plots.tolist()]) for k in range(3)]
    return Offspring(plots, columns[0].astype(float), columns[1].astype(np.int64), columns[2].astype(float))


def without_level(mu: Floats) -> Floats:
    """Mode probabilities (n, 3) of what is no aircraft; zeros where nothing is left."""
    out = mu.copy()
    out[:, LEVEL] = 0.0
    total = out.sum(1, keepdims=True)
    return np.where(total > 1e-6, out / np.maximum(total, 1e-12), 0.0)


def children(
    table: Table, h: States, scan: Scan, new: Offspring, belief: Floats, offsets: Offsets,
    name: Callable[[int], int],
) -> list[tuple[Table, States]]:  # fmt: skip
    """Tracks of what has left a body, as far as each is believed (c,). table and h: before the scan."""
    out = []
    for k in np.flatnonzero(belief > LEAST_EXISTENCE).tolist():
        i, j = int(new.parent[k]), int(new.plots[k])
        mu = without_level(h.mu[i : i + 1])[0]
        existence = min(float(belief[k]), CHILD_EXISTENCE)
        child = _child(
            h, i, mu, int(table.number[i]), float(new.speed_m_s[k]), scan, j, offsets, existence, name(j),
            bool(table.burst[i]),
        )  # fmt: skip
        if child is not None:
            out.append((_born(child[0], table, h, i, scan, j, float(new.speed_m_s[k])), child[1]))
    return out


def _born(child: Table, table: Table, h: States, i: int, scan: Scan, plot: int, speed_m_s: float) -> Table:
    """A child's own row, with what it has of its parent, row i of the table: it takes plots of its sensor alone."""
    mode = int(h.mu[i].argmax())
    time_s = float(scan.looks.time_s[plot])
    there, F = modes.move(mode, h.x[i, mode], time_s - float(h.time_s[i]))
    P = spread((F @ h.P[i, mode] @ F.T)[None, None], speed_m_s)[0, 0, :6, :6]
    return child._replace(
        brood=table.brood[i : i + 1], burst=table.burst[i : i + 1], meteor=table.meteor[i : i + 1],
        only=np.array([scan.sensor]), family=table.family[i : i + 1],
        seed_s=np.array([time_s]), seed_x=there[None, :6], seed_cov=P[None],
        seed_by_offset=(F @ h.A[i, mode])[None, :6],
    )  # fmt: skip


def _child(
    h: States, row: int, mu: Floats, parent: int, speed_m_s: float, scan: Scan, plot: int, offsets: Offsets,
    existence: float, number: int, burst: bool,
) -> tuple[Table, States] | None:  # fmt: skip
    """A track of one plot near its parent; burst: which breaks up."""
    time_s = float(scan.looks.time_s[plot])
    x, P, A = h.x[row].copy(), spread(h.P[row][None], speed_m_s)[0], h.A[row].copy()
    thrusts = mu[BALLISTIC] < CHILD_COASTS  # then what the parent's free flight would be says little
    if thrusts:
        x[BALLISTIC, :6], A[BALLISTIC, :6] = x[THRUST, :6], A[THRUST, :6]
        P[BALLISTIC, :6, :6] = P[THRUST, :6, :6]
        mu = (1.0 - CHILD_COASTS) / (1.0 - mu[BALLISTIC]) * mu
        mu[BALLISTIC] = CHILD_COASTS
    if burst:
        _weighs(x, P, A, modes.PIECE_LN_BETA_MEAN, modes.PIECE_LN_BETA_SIGMA)
    elif thrusts or modes.drag_m_s2(x[BALLISTIC]) < 1.0:  # what separates need not be as dense as its parent
        _weighs(x, P, A, modes.CHILD_LN_BETA_MEAN, modes.CHILD_LN_BETA_SIGMA)
    else:
        P[BALLISTIC, 6, 6] += modes.CHILD_LN_BETA_SIGMA**2
    then_s = float(h.time_s[row])
    one = np.zeros(1, np.int64)
    look = some(scan.looks, np.array([plot]))
    inside, _, new_x, new_P, new_A, new_mu = take_plots(
        one, one, h.time_s[row : row + 1], x[None], P[None], A[None], mu[None], np.ones(1, np.int64),
        look.time_s, look.position_m, look.axes, look.measured, look.variance, look.column, look.lever,
        offsets.mean, offsets.P, scan.of.detection_probability, False, math.inf,
    )  # fmt: skip
    if len(inside) == 0:
        return None
    claims = [(scan.sensor, int(scan.numbers[plot]))]
    sensors = h.claims.shape[1]
    return begun(
        number, parent, existence, 1, max(then_s, time_s), time_s, new_x[0], new_P[0], new_A[0], new_mu[0],
        claims, sensors, True,
    )  # fmt: skip


def broken_up(table: Table, h: States, now_s: float) -> tuple[Table, States]:
    """Tracks that broke up, or are pieces of what did, by their brood at a time, marked; what they weigh is open.

    Also notes which are under thrust then.
    """
    driven_s = np.where(h.mu[:, THRUST] > 0.5, now_s, table.driven_s)
    table = table._replace(driven_s=driven_s)
    breaks = table.brood > BURST
    for i in np.flatnonzero(breaks).tolist():
        in_air = modes.drag_m_s2(h.x[i, BALLISTIC]) > REENTRY_DRAG_M_S2
        breaks[i] = in_air or driven_s[i] > now_s - BURST_S
    if not breaks.any():
        return table, h
    young = table.seed_s > now_s - BURST_S
    now = breaks | (np.isin(table.parent, table.number[breaks]) & young)
    new = np.flatnonzero(now & ~table.burst).tolist()
    if not new:
        return table, h
    x, P, A = h.x.copy(), h.P.copy(), h.A.copy()
    for i in new:
        _weighs(x[i], P[i], A[i], modes.PIECE_LN_BETA_MEAN, modes.PIECE_LN_BETA_SIGMA)
    return table._replace(burst=table.burst | now), h._replace(x=x, P=P, A=A)


def _weighs(x: Floats, P: Floats, A: Floats, ln_beta: float, sigma: float) -> None:
    """Give modes (3, 9), (3, 9, 9) and (3, 9, k) a prior of ln beta in place of what they knew of it."""
    x[BALLISTIC, 6] = ln_beta
    P[BALLISTIC, 6, :] = P[BALLISTIC, :, 6] = 0.0
    A[BALLISTIC, 6] = 0.0
    P[BALLISTIC, 6, 6] = sigma**2


def spread(P: Floats, speed_m_s: float) -> Floats:
    """Covariances (n, 3, 9, 9) with the spread of a separation within the last SEPARATION_S added.

    A change of velocity of one sigma s at a time uniform over T adds s2 [[T2/3, T/2], [T/2, 1]].
    """
    out = P.copy()
    s2, T = speed_m_s**2, SEPARATION_S
    for i in range(3):
        out[:, :, i, i] += s2 * T * T / 3.0
        out[:, :, i, 3 + i] += s2 * T / 2.0
        out[:, :, 3 + i, i] += s2 * T / 2.0
        out[:, :, 3 + i, 3 + i] += s2
    return out


def parent_of(
    time_s: float, x: Floats, P: Floats, A: Floats, mu: Floats, table: Table, h: States, offsets: Offsets
) -> int:
    """The falling track that a new one, of modes x to mu, may have left: near in position and velocity."""
    best, nearest = 0, PARENT_DISTANCE2
    if mu[LEVEL] > 0.5:
        return best
    mean, covariance = imm.combine(x, P, A, mu, offsets.P)
    asked = table.shown & table.fallen & ~table.orbit & sharp(table, h, time_s)
    apart = np.abs(h.x[:, BALLISTIC, :3] - mean[:3]).max(1) if len(asked) else np.zeros(0)
    asked &= apart < PARENT_REACH_M + PARENT_SPEED_M_S * np.abs(h.time_s - time_s)
    for i in np.flatnonzero(asked).tolist():
        there, F = modes.move(BALLISTIC, h.x[i, BALLISTIC], time_s - float(h.time_s[i]))
        wide = spread((F @ h.P[i, BALLISTIC] @ F.T)[None, None], SEPARATION_SPEEDS_M_S[1])[0, 0, :6, :6]
        distance = squared_distance(mean - there[:6], covariance + wide)
        if distance < nearest:
            best, nearest = int(table.number[i]), distance
    return best
