"""Which pairs of things are right, given that each has one partner at most: tracks and plots, tracks and tracks."""

from __future__ import annotations

import math

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from tocsin.kernel import jit
from tocsin.sensors.plots import Floats, Ints

MOST_EXACT = 12  # partners, up to which pairs are weighed exactly
MOST_GAIN = 300.0  # ln of the greatest odds, and of the smallest: their products stay within float64
PASSES = 200  # of belief propagation at most
DAMPING = 0.3  # share of the old message that is kept
CONVERGED = 1e-4  # change of ln of a message


def assign(owner: Ints, partner: Ints, gain: Floats) -> Ints:
    """Which pairs (ascending rows) make the most of the sum of gains, each owner and partner having one pair at most.

    owner, partner (k,): numbers from 0; gain (k,): what a pair is worth more than its owner's going without; pairs that
    are worth less are never taken. Global nearest neighbours (Blackman and Popoli 1999, Design and Analysis of Modern
    Tracking Systems, section 6.4); groups that share nothing are solved one by one.
    """
    worth = np.flatnonzero(gain > 0.0)
    if len(worth) == 0:
        return worth
    alone = (np.bincount(owner[worth])[owner[worth]] == 1) & (
        np.bincount(partner[worth])[partner[worth]] == 1
    )
    taken, worth = [worth[alone]], worth[~alone]
    for rows in _groups(owner, partner, worth):
        mine, i = np.unique(owner[rows], return_inverse=True)
        theirs, j = np.unique(partner[rows], return_inverse=True)
        value, pair = np.zeros((len(mine), len(theirs))), np.full((len(mine), len(theirs)), -1)
        better = np.argsort(gain[rows], kind="stable")  # of two alike pairs the better one stays
        value[i[better], j[better]], pair[i[better], j[better]] = gain[rows[better]], rows[better]
        found = pair[linear_sum_assignment(value, maximize=True)]
        taken.append(found[found >= 0])
    return np.sort(np.concatenate(taken))


@jit
def pair_beliefs(log_weight: Floats) -> Floats:
    """Probability (n, m) of each pair of two sets of things, of which each has at most one partner.

    log_weight (n, m): ln of the odds of a pair against none, -inf where it cannot be; m at most MOST_EXACT. Exact: sums
    over all matchings, by the sets of second things that the first ones have taken (2^m of them).
    """
    n, m = log_weight.shape
    sets = 1 << m
    weight, alone = np.zeros((n, m)), np.ones(n)
    for i in range(n):  # a row may be scaled as a whole
        top = max(log_weight[i].max(), 0.0)
        alone[i] = math.exp(-top)
        for j in range(m):
            weight[i, j] = math.exp(log_weight[i, j] - top)
    ahead, behind = np.zeros((n + 1, sets)), np.zeros((n + 1, sets))
    ahead[0, 0] = 1.0
    for i in range(n):  # ahead[i, S]: the first i have just the partners S
        for s in range(sets):
            if ahead[i, s] == 0.0:
                continue
            ahead[i + 1, s] += alone[i] * ahead[i, s]
            for j in range(m):
                if s & (1 << j) == 0:
                    ahead[i + 1, s | (1 << j)] += weight[i, j] * ahead[i, s]
    behind[n] = 1.0
    for i in range(n - 1, -1, -1):  # behind[i, S]: all from i on, with partners outside S
        for s in range(sets):
            total = alone[i] * behind[i + 1, s]
            for j in range(m):
                if s & (1 << j) == 0:
                    total += weight[i, j] * behind[i + 1, s | (1 << j)]
            behind[i, s] = total
    out = np.zeros((n, m))
    for i in range(n):
        for s in range(sets):
            if ahead[i, s] > 0.0:
                for j in range(m):
                    if s & (1 << j) == 0:
                        out[i, j] += ahead[i, s] * weight[i, j] * behind[i + 1, s | (1 << j)]
    for i in range(n):
        for j in range(m):
            out[i, j] /= behind[0, 0]
    return out


def _groups(owner: Ints, partner: Ints, rows: Ints) -> list[Ints]:
    """Pairs, rows of owner and partner, in groups that share nothing."""
    if len(rows) == 0:
        return []
    o, p = owner[rows], partner[rows]
    owners = int(o.max()) + 1
    size = owners + int(p.max()) + 1
    _, label = connected_components(coo_matrix((np.ones(len(rows)), (o, owners + p)), (size, size)), False)
    order = np.argsort(label[o], kind="stable")
    return np.split(rows[order], np.flatnonzero(np.diff(label[o][order])) + 1)


def many_beliefs(log_weight: Floats) -> Floats:
    """As `pair_beliefs`, for any number of things: nearly, by belief propagation.

    Williams and Lau 2014 (IEEE TAES 50, 2942-2959), equations 30 and 31. Near certainty it is too sure.
    """
    weight = np.where(log_weight > -np.inf, np.exp(np.clip(log_weight, -MOST_GAIN, MOST_GAIN)), 0.0)
    back = np.ones_like(weight)
    for _ in range(PASSES):
        value = weight * back
        # summed over the others alone: a difference would lose them beside great odds
        there = weight / (1.0 + _others(value, 1))
        new = back**DAMPING * (1.0 + _others(there, 0)) ** (DAMPING - 1.0)
        change = float(np.abs(np.log(new / back)).max())
        back = new
        if change < CONVERGED:
            break
    value = weight * back
    return np.asarray(value / (1.0 + value.sum(1, keepdims=True)))


def _others(value: Floats, axis: int) -> Floats:
    """Sums over all but the element itself, along an axis."""
    v = np.moveaxis(value, axis, 0)
    ahead = np.concatenate([np.zeros_like(v[:1]), np.cumsum(v, 0)[:-1]])
    behind = np.concatenate([np.cumsum(v[::-1], 0)[::-1][1:], np.zeros_like(v[:1])])
    return np.moveaxis(ahead + behind, 0, axis)
