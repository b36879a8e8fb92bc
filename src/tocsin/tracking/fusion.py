"""Bodies of one family, told apart by each sensor alone, and whose tracks of two sensors are one body's.

Bodies that leave a carrier fly for minutes nearer to each other than a radar's angles can tell. Ranges tell them apart
at once, but only for the radar that measures them: a track that takes the range of one body from one radar and of
another from the next lies where nothing is, and seems precise. So each sensor first follows the family by itself. Which
tracks of two sensors belong together is asked anew after every scan, from all that either has seen: the likelihood that
they are of one body, for a common prior taken out once (Chong, Mori and Chang 1990, in Bar-Shalom (ed.),
Multitarget-Multisensor Tracking, chapter 8), under the condition that a track has at most one partner
(`association.pair_beliefs`). Partners are reported as one; when there is no doubt left they become one track.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from tocsin.earth.motion import BALLISTIC
from tocsin.kernel import jit
from tocsin.sensors.plots import Floats, Ints
from tocsin.tracking import modes
from tocsin.tracking.association import MOST_EXACT, many_beliefs, pair_beliefs
from tocsin.tracking.imm import forecast
from tocsin.tracking.learning import flown
from tocsin.tracking.separation import SEPARATION_SPEEDS_M_S, spread
from tocsin.tracking.tracks import Bools, States, Table, keep

LIKELY_PAIR = 0.9  # from here on two tracks are reported as one
SURE_PAIR = 0.9995  # and from here on, with so many plots each, they become one for good
SURE_HITS = 10
FEWEST_HITS = 5  # of a track before a partner is looked for
LEAST_EXISTENCE = 0.8
N = int(modes.USED[BALLISTIC])  # numbers of a state in free flight
STRANGE = 60.0  # squared sigmas, of all of them, beyond which two tracks are never one
LEADING_SCANS = 4.0  # without a plot, after which a track's own sensor sees it no longer
FORGET_M2_S3 = 0.1  # of loosened tracks: in a minute their speed is open by 2.4 m/s more
PROVEN_HITS = 2  # of something that left a track, before that is sure
# Plots of a track lie on one side of it, in the mean, by so many of their sigmas: five of such a mean's own (0.23), so
# that chance hardly makes it. It may then be off across the sight by ASKEW_M.
ASKEW = 1.15
ASKEW_M = 2e3
CROWDED = 0.5  # new objects about a track, from which on it follows one sensor alone


def restrict(table: Table, h: States, sensor: int, radar: bool, scan_of: int) -> tuple[Table, States]:
    """Tracks that have surely let go of something follow from now on the sensor that saw it, alone.

    It is sure where both have given plots to one scan. Which of the bodies each of them is is open, so it is known no
    better than what leaves it. scan_of: the scan of a plot is its number over this.
    """
    alone = (table.only < 0) & (table.brood > CROWDED) & table.shown
    if not radar or not alone.any():
        return table, h
    for i in np.flatnonzero(alone).tolist():
        kin = (table.family == table.family[i]) & (table.hits >= PROVEN_HITS)
        kin[i] = False
        mine, theirs = h.recent[i][h.recent[i] >= 0], h.recent[kin]
        alone[i] = bool(np.isin(theirs[theirs >= 0] // scan_of, mine // scan_of).any())
    if not alone.any():
        return table, h
    P = h.P.copy()
    for i in np.flatnonzero(alone).tolist():
        P[i] = spread(P[i : i + 1], SEPARATION_SPEEDS_M_S[0])[0]
    h = h._replace(P=P)
    return _reseeded(table._replace(only=np.where(alone, sensor, table.only)), h, alone), h


def dissolve(table: Table, h: States, periods: Floats) -> tuple[Table, States]:
    """Tracks of a family that are fused wrongly follow one sensor alone again.

    A track with the ranges of two bodies lies where no body is: the angles of either sensor lie beside it, always on
    the same side. Which of its plots are right is open, and so is its place across the sight. periods (sensors,): the
    sensor that looks most often keeps it.
    """
    wrong = (np.abs(table.askew).max(axis=(1, 2), initial=0.0) > ASKEW) & (table.only < 0)
    for i in np.flatnonzero(wrong).tolist():
        wrong[i] = np.sum(table.shown & (table.family == table.family[i])) > 1
    if not wrong.any():
        return table, h
    P, askew, only = h.P.copy(), table.askew.copy(), table.only.copy()
    for i in np.flatnonzero(wrong).tolist():
        P[i] = spread(P[i : i + 1], SEPARATION_SPEEDS_M_S[0])[0]
        for k in range(3):
            P[i, :, k, k] += ASKEW_M**2
        askew[i] = 0.0
        only[i] = int(min(np.flatnonzero(h.claims[i] >= 0).tolist(), key=lambda s: float(periods[s])))
    h = h._replace(P=P)
    return _reseeded(table._replace(askew=askew, only=only), h, wrong), h


def _reseeded(table: Table, h: States, which: Bools) -> Table:
    """The table with what is now known of some tracks, which (n,), as what was known of them at first."""
    seed_s, seed_x, seed_cov = table.seed_s.copy(), table.seed_x.copy(), table.seed_cov.copy()
    seed_by_offset = table.seed_by_offset.copy()
    for i in np.flatnonzero(which).tolist():
        mode = int(h.mu[i].argmax())
        seed_s[i], seed_x[i], seed_cov[i] = h.time_s[i], h.x[i, mode, :6], h.P[i, mode, :6, :6]
        seed_by_offset[i] = h.A[i, mode, :6]
    return table._replace(seed_s=seed_s, seed_x=seed_x, seed_cov=seed_cov, seed_by_offset=seed_by_offset)


class Held(NamedTuple):
    """What is believed of one thing, given the sensors' offsets: position, velocity and ln of its coefficient."""

    x: Floats  # (7,)
    P: Floats  # (7, 7)
    A: Floats  # (7, k) derivative by the offsets


def _states(h: States, rows: Ints, at_s: float) -> list[Held]:
    """Tracks, rows (k,), in free flight at a time."""
    x, P, A = flown(rows, np.zeros(len(rows), np.int64), h.time_s, h.x, h.P, h.A, np.array([at_s]))
    P = np.ascontiguousarray(P[:, :N, :N])
    return [Held(x[k, :N], P[k], A[k, :N]) for k in range(len(rows))]


def _seed(table: Table, i: int, at_s: float) -> Held:
    """What was known of where a track may be at its birth, and of what it weighs, at a time.

    In the air bodies of one place come apart by what they weigh, and where one would be is hardly known by then.
    """
    size, offsets = modes.SIZE, table.seed_by_offset.shape[2]
    x, P, A = np.zeros((3, size)), np.zeros((3, size, size)), np.zeros((3, size, offsets))
    burst, k = bool(table.burst[i]), BALLISTIC
    x[k, :6], P[k, :6, :6], A[k, :6] = table.seed_x[i], table.seed_cov[i], table.seed_by_offset[i]
    x[k, 6] = modes.PIECE_LN_BETA_MEAN if burst else modes.CHILD_LN_BETA_MEAN
    P[k, 6, 6] = (modes.PIECE_LN_BETA_SIGMA if burst else modes.CHILD_LN_BETA_SIGMA) ** 2
    x, P, A, _ = forecast(x, P, A, np.eye(modes.MODES)[k], max(at_s - float(table.seed_s[i]), 0.0), True)
    return Held(x[k, :N], np.ascontiguousarray(P[k, :N, :N]), A[k, :N])


def _open(held: Held, offset_P: Floats) -> Held:
    """The same, the offsets being known to a covariance (k, k) alone."""
    return held._replace(P=held.P + held.A @ offset_P @ held.A.T)


@jit
def _finite(held: Held) -> bool:
    return bool(np.isfinite(held.x).all() and np.isfinite(held.P).all())


@jit
def _informed(held: Held, origin: Floats, scale: Floats) -> tuple[Floats, Floats]:
    """Mean (n,) and information (n, n) of a belief, from an origin (n,) in units of scale (n,)."""
    scaled = held.P / np.outer(scale, scale) + 1e-9 * np.eye(len(scale))
    return (held.x - origin) / scale, np.linalg.inv(scaled)  # type: ignore[return-value]  # of float64, too


@jit
def log_same(a: Held, b: Held, prior: Held) -> tuple[float, Held]:
    """ln of the odds that two Gaussian beliefs are of one thing, given a common prior, and what they say together."""
    variance = np.diag(prior.P).copy()
    sane = _finite(a) and _finite(b) and _finite(prior)
    if not sane or not (variance > 0.0).all():  # a light body flown on too long
        return -math.inf, a
    origin, scale = prior.x, np.sqrt(variance)
    m1, Y1 = _informed(a, origin, scale)
    m2, Y2 = _informed(b, origin, scale)
    m0, Y0 = _informed(prior, origin, scale)
    # neither knows less than their common prior did: where one seems to, the prior was not all common
    values, vectors = np.linalg.eigh(0.5 * (Y0 + Y0.T))
    values = np.maximum(values, 1e-9 * values[-1])
    back = np.ascontiguousarray(vectors.T)
    root = np.ascontiguousarray(vectors / np.sqrt(values)) @ back
    Y0 = np.ascontiguousarray(vectors * values) @ back
    least = min(np.linalg.eigvalsh(root @ Y1 @ root.T)[0], np.linalg.eigvalsh(root @ Y2 @ root.T)[0])
    Y0 = Y0 * min(1.0, least)
    Y = Y1 + Y2 - Y0
    y = Y1 @ m1 + Y2 @ m2 - Y0 @ m0
    m = np.linalg.solve(Y, y)
    squares = m1 @ (Y1 @ m1) + m2 @ (Y2 @ m2) - m0 @ (Y0 @ m0) - y @ m
    value = -math.inf
    if squares <= STRANGE:
        logs = np.linalg.slogdet(Y1)[1] + np.linalg.slogdet(Y2)[1] - np.linalg.slogdet(Y0)[1]
        value = 0.5 * (logs - np.linalg.slogdet(Y)[1] - squares)
    V, A = np.linalg.inv(Y), np.zeros_like(prior.A)
    for k in range(A.shape[1]):
        told = Y1 @ (a.A[:, k] / scale) + Y2 @ (b.A[:, k] / scale) - Y0 @ (prior.A[:, k] / scale)
        A[:, k] = (V @ told) * scale
    return value, Held(origin + m * scale, V * np.outer(scale, scale), A)


def release(table: Table, sensor: int, unseen: Bools) -> Table:
    """Tracks that their own sensor sees no longer, unseen (n,), and that have no partner, take plots of all sensors."""
    alone = ~np.isin(table.partner, table.number)  # it has none, or has outlived it
    free = unseen & (table.only >= 0) & (table.only != sensor) & alone
    return table._replace(only=np.where(free, -1, table.only)) if free.any() else table


def fuse(
    table: Table, h: States, sensor: int, offset_P: Floats, unseen: Bools, speaking: Bools
) -> tuple[Table, States]:
    """Fuse tracks that follow a sensor alone with those of other sensors that are surely the same bodies.

    unseen (n,): those that their sensor sees no longer; for them, likely is enough. speaking (n,): those that speak
    for their bodies; they keep their names.
    """
    ready = np.flatnonzero((table.only >= 0) & _ready(table, h))
    only, families = table.only[ready], table.family[ready]
    if not (only == sensor).any():
        return table, h
    gone, merged = np.zeros(len(table.number), np.bool_), []
    for family in np.unique(families[only == sensor]).tolist():
        own = ready[(families == family) & (only == sensor)]
        for other in np.unique(only[(families == family) & (only != sensor)]).tolist():
            theirs = ready[(families == family) & (only == other)]
            theirs = theirs[~gone[theirs]]
            still = own[~gone[own] & (table.only[own] == sensor)]
            table, more = _pair(table, h, still, theirs, offset_P, unseen, speaking)
            gone[[m.gone for m in more]] = True
            merged += more
    if not merged:
        return table, h
    place = np.cumsum(~gone) - 1
    table, h = keep(table, h, ~gone)  # arrays of their own
    for m in merged:
        i = int(place[m.row])
        h.time_s[i], h.claims[i] = m.time_s, m.claims
        h.x[i, BALLISTIC, :N] = m.after.x
        h.P[i, BALLISTIC] = 0.0
        h.P[i, BALLISTIC, :N, :N] = m.after.P
        h.A[i, BALLISTIC] = 0.0
        h.A[i, BALLISTIC, :N] = m.after.A
        h.mu[i] = np.eye(modes.MODES)[BALLISTIC]
    return table, h


def _ready(table: Table, h: States) -> Bools:
    known = (table.hits >= FEWEST_HITS) & (table.existence > LEAST_EXISTENCE)
    return np.asarray(known & (h.mu[:, BALLISTIC] > 0.9) & table.fallen)


class _Merged(NamedTuple):
    """A track that has become one with another."""

    row: int  # of the table
    gone: int  # row of the other
    time_s: float
    after: Held  # what both say together
    claims: Ints


def _pair(
    table: Table, h: States, own: Ints, theirs: Ints, offset_P: Floats, unseen: Bools, speaking: Bools
) -> tuple[Table, list[_Merged]]:
    """Fuse tracks of two sensors, rows own and theirs: the table with that, and those of which two became one."""
    if len(own) == 0 or len(theirs) == 0:
        return table, []
    at_s = float(max(h.time_s[own].max(), h.time_s[theirs].max()))
    a, b = _states(h, own, at_s), _states(h, theirs, at_s)
    # the family's common prior: that of the oldest member, which is the widest
    eldest = int(min([*own.tolist(), *theirs.tolist()], key=lambda i: float(table.seed_s[i])))
    prior = _seed(table, eldest, at_s)
    weight = np.full((len(a), len(b)), -np.inf)
    for i, mine in enumerate(a):
        for j, other in enumerate(b):
            value, _ = log_same(_open(mine, offset_P), _open(other, offset_P), prior)
            weight[i, j] = value - math.log(max(len(own), len(theirs)))
    belief = _believed(weight)
    one = []  # of them those that become one track
    likely = list(zip(*(k.tolist() for k in np.nonzero(belief > LIKELY_PAIR)), strict=True))
    partner = table.partner.copy()
    both = np.concatenate([own, theirs])
    partner[both[np.isin(partner[both], table.number[both])]] = 0
    for of_own, of_theirs in likely:
        i, j = int(own[of_own]), int(theirs[of_theirs])
        partner[i], partner[j] = table.number[j], table.number[i]
        sure = belief[of_own, of_theirs] > SURE_PAIR and min(table.hits[i], table.hits[j]) >= SURE_HITS
        if sure or unseen[i] or unseen[j]:
            one.append((of_own, of_theirs))
    if not one:
        return table._replace(partner=partner), []
    only, hits, out = table.only.copy(), table.hits.copy(), []
    hit_s, name, told = table.hit_s.copy(), table.name.copy(), table.told.copy()
    for of_own, of_theirs in one:
        i, j = int(own[of_own]), int(theirs[of_theirs])
        if table.number[j] < table.number[i]:
            i, j = j, i  # the elder stays
        if (table.told[j], speaking[j]) > (table.told[i], speaking[i]):
            name[i] = table.name[j]
        told[i] |= table.told[j]
        _, both_say = log_same(a[of_own], b[of_theirs], prior)
        claims = np.maximum(h.claims[i], h.claims[j])
        out.append(_Merged(i, j, at_s, both_say, claims))
        only[i], partner[i] = -1, 0
        hits[i] += hits[j]
        hit_s[i] = max(hit_s[i], hit_s[j])
    return table._replace(only=only, hits=hits, hit_s=hit_s, partner=partner, name=name, told=told), out


def _believed(log_weight: Floats) -> Floats:
    """Probability (n, m) of each pair: exact where there are few, by belief propagation where there are many."""
    n, m = log_weight.shape
    if min(n, m) > MOST_EXACT:
        return many_beliefs(log_weight)
    return pair_beliefs(log_weight) if m <= n else pair_beliefs(np.ascontiguousarray(log_weight.T)).T


def together(table: Table, h: States, i: int, at_s: float, offset_P: Floats) -> tuple[Floats, Floats] | None:
    """Mean (6,) and covariance (6, 6) of a track and its partner at a time; None where it has none."""
    if table.only[i] < 0 or table.partner[i] == 0:
        return None
    found = np.flatnonzero(table.number == table.partner[i])
    if len(found) == 0:
        return None
    j = int(found[0])
    eldest = i if table.seed_s[i] <= table.seed_s[j] else j
    mine, other = (_open(held, offset_P) for held in _states(h, np.array([i, j]), at_s))
    value, both_say = log_same(mine, other, _seed(table, eldest, at_s))
    return (both_say.x[:6], both_say.P[:6, :6]) if value > -math.inf else None


def named(table: Table) -> Table:
    """The table with the numbers under which tracks and their parents are reported."""
    parent = table.parent.copy()
    for i in np.flatnonzero(table.number != table.name).tolist():
        parent[table.parent == table.number[i]] = table.name[i]
    parent[parent == table.name] = 0
    return table._replace(number=table.name, parent=parent)


def leading(table: Table, now_s: float, periods: Floats) -> Bools:
    """Which tracks (n,) speak for their bodies: of those that follow one sensor alone, those of one sensor a family.

    It is the sensor that looks most often, of those that see any of them.
    """
    out = np.ones(len(table.number), np.bool_)
    alone = table.only >= 0
    if not alone.any():
        return out
    for family in np.unique(table.family[alone]).tolist():
        rows = np.flatnonzero(alone & (table.family == family))
        sensor = table.only[rows]
        unseen = now_s - table.hit_s[rows] > LEADING_SCANS * periods[sensor]
        first = np.lexsort((sensor, periods[sensor], unseen | ~table.shown[rows]))[0]
        out[rows[sensor != sensor[first]]] = False
    return out


def inherit(table: Table, speaking: Bools) -> Table:
    """Names for tracks that now speak, speaking (n,), for bodies which others spoke for: of a partner, its name.

    A track that has a name already keeps it.
    """
    name = table.name.copy()
    row = {n: i for i, n in enumerate(table.number.tolist())}
    for i in np.flatnonzero(speaking & ~table.told & (table.partner > 0)).tolist():
        j = row.get(int(table.partner[i]), -1)
        if j >= 0 and table.told[j] and not speaking[j]:
            name[i], name[j] = name[j], name[i]
    return table._replace(name=name, told=table.told | speaking)


def loosen(table: Table, P: Floats, which: Bools, dt: float) -> None:
    """Of tracks, which (n,), that follow one sensor alone: their speed is open again a little; P (n, 3, 9, 9) in place.

    While their plots may be each other's, some are, and what was learned from those is to be forgotten.
    """
    rows = np.flatnonzero(which & (table.only >= 0))
    for i in range(3):
        P[rows, :, 3 + i, 3 + i] += FORGET_M2_S3 * dt
