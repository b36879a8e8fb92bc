"""The choice of plots of a crowd (`crowd`), improved by moves that are taken where they gain."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy.optimize import linear_sum_assignment

from tocsin.sensors.plots import Floats, Ints
from tocsin.tracking.crowd import (
    Crowd,
    Sums,
    begins,
    deviations,
    kept,
    odds_of,
    prior_vector_of,
    sums,
    totals,
    with_body,
)
from tocsin.tracking.crowd_splits import Plots, shared_out, split
from tocsin.tracking.crowd_swaps import best_swaps, links, others, plots_of
from tocsin.tracking.crowd_weights import doubts, grow, unseen, value_of
from tocsin.tracking.tracks import Bools

# Something new: ln of its odds before its plots, how many it needs, and out of how many of the last scans.
LOG_BIRTH, FEWEST_PLOTS, NEW_SCANS = math.log(0.5), 3, 20
END_ODDS = math.log(0.02)  # of a body that is given up
LATEST_SCANS = 4  # taken anew with each scan
# Splits a search, and what one must gain: a body more fits noise, too (decision 0028).
SPLITS, SPLIT_GAIN = 3, 10.0
SEARCH_EVERY_S, PASSES = 10.0, 3  # when all scans are, and how often at most
LEAST_GAIN = 0.3  # of a move, that none is made to and fro
NAMED_S = 40.0  # what swaps more than that goes by its later name: the referee of names looks 30 s either way
CUTS = 24  # scans at which all bodies' later plots are dealt out anew
# Bodies may be taken for each other where at one of so many moments their ranges were as near as so many cells, and
# sigmas.
NEAR_SCANS, NEAR_CELLS, NEAR_SIGMAS = 9, 3.0, 3.0
# So many pairs of plots of bodies nearer than a cell show that the cell is finer, down to such a share of it.
ENOUGH_PAIRS, FINEST = 5, 0.3


def solved(crowd: Crowd, offset: Floats, name: Callable[[int], int]) -> Crowd:
    """The crowd with the best choice of plots that is found; name: a number for what begins with a plot."""
    S = len(crowd.sensor)
    told = sums(crowd, offset)
    plots = _plots(crowd, told)
    crowd = _again(crowd, told, plots, np.arange(S - 1, max(S - 1 - LATEST_SCANS, -1), -1))
    crowd = _with_misses(crowd, told, max(S - LATEST_SCANS, 0))
    if crowd.time_s < crowd.searched_s + SEARCH_EVERY_S:
        crowd, _ = _begun(crowd, told, name)
        while odds_of(crowd, told).min(initial=np.inf) < END_ODDS:
            crowd, _ = _fewer(crowd, told)
            crowd = _again(crowd, told, plots, np.arange(S - 1, -1, -1))
        return _with_doubts(crowd, told, max(S - LATEST_SCANS, 0))
    crowd = _searched(crowd._replace(searched_s=crowd.time_s), told, plots, name)
    for _ in range(SPLITS):
        crowd, more = _split(crowd, told, plots, name)
        if not more:
            break
        crowd = _searched(crowd, told, plots, name)
    return _with_others(_resolved(_with_doubts(crowd, told, 0), told), told)


def _searched(crowd: Crowd, told: Sums, plots: Plots, name: Callable[[int], int]) -> Crowd:
    """The crowd after all moves but splits, as long as they gain."""
    S = len(crowd.sensor)
    for _ in range(PASSES):
        crowd, linked = _linked(crowd, told)
        crowd, moved = _swapped(crowd, told)
        crowd, more = _begun(crowd, told, name)
        crowd, fewer = _fewer(crowd, told)
        if not (linked or moved or more or fewer):
            break
        crowd = _with_misses(crowd, told, 0)
        crowd = _again(crowd, told, plots, np.arange(S - 1, -1, -1))
    return crowd


def _split(crowd: Crowd, told: Sums, plots: Plots, name: Callable[[int], int]) -> tuple[Crowd, bool]:
    """A body that turns out to be two, as one sensor gave plots of the one and another of the other; or to be none."""
    S, sensors = len(crowd.sensor), np.unique(crowd.sensor)
    if len(sensors) < 2 or len(crowd.number) == 0:
        return crowd, False
    more = with_body(
        crowd, 0, crowd.birth_info, crowd.birth_vector, crowd.birth_by_offset, LOG_BIRTH, 0,
        np.log1p(-crowd.chance * 0.8),
    )  # fmt: skip
    member, miss, left = more.member.copy(), more.miss.copy(), np.ones(len(more.number), np.bool_)
    Y, y = totals(more, told)
    prior_vector, L = prior_vector_of(more, told), np.zeros((7, 6))
    known = np.array([value_of(*c, L) for c in zip(more.prior_info, prior_vector, strict=True)])
    gain = split(sensors, plots, member, Y, y, miss, more.hits > 0, more.odds - known, LEAST_GAIN, left)
    if not gain > (SPLIT_GAIN if left[-1] else LEAST_GAIN):
        return crowd, False
    if left[-1]:
        numbers = (name(plot) for plot in crowd.plot[crowd.scan == S - 1].tolist())
        number = next((n for n in numbers if n not in crowd.number), None)
        if number is None:  # the scan has no plot that could name it
            return crowd, False
        crowd = more._replace(member=member, miss=miss, number=np.append(crowd.number, number))
    else:
        crowd = kept(crowd._replace(member=member, miss=np.ascontiguousarray(miss[:, :-1])), left[:-1])
    return _with_misses(crowd, told, 0), True


def _plots(crowd: Crowd, told: Sums) -> Plots:
    """The plots of a crowd as `crowd_splits` takes them."""
    share = 1.0 / crowd.ratio2[crowd.sensor[crowd.scan]]
    root = np.sqrt(share[:, 2])
    return Plots(
        crowd.sensor, np.searchsorted(crowd.scan, np.arange(len(crowd.sensor) + 1)), crowd.scan, told.B, told.b,
        told.net, crowd.gain + 0.5 * (np.log(share) * crowd.W.any(2)).sum(1), crowd.W[:, 2] * root[:, None],
        (crowd.r[:, 2] - crowd.J[:, 2] @ told.offset) * root, crowd.cell, 1.0 / crowd.apart[crowd.sensor],
        crowd.chance,
    )  # fmt: skip


def _resolved(crowd: Crowd, told: Sums) -> Crowd:
    """The crowd with how fine its sensors are, by the nearest bodies that gave two plots to one scan."""
    K, S = len(crowd.number), len(crowd.sensor)
    if K < 2:
        return crowd
    mean, _ = deviations(crowd, told)
    own = plots_of(S, K, crowd.member, crowd.scan) >= 0
    value = crowd.cell @ mean.T  # (S, 4, K)
    apart = crowd.apart.copy()
    a, c = np.triu_indices(K, 1)
    gap = np.abs(value[:, :, a] - value[:, :, c]).max(1)
    both = own[:, a] & own[:, c]
    for sensor in np.unique(crowd.sensor).tolist():
        here = crowd.sensor == sensor
        gaps = np.sort(gap[here][both[here]])
        if len(gaps) >= ENOUGH_PAIRS:
            apart[sensor] = min(max(float(gaps[ENOUGH_PAIRS - 1]), FINEST), 1.0)
    return crowd._replace(apart=apart)


def _with_misses(crowd: Crowd, told: Sums, first: int) -> Crowd:
    """The crowd with what a missing plot is worth, from a scan on."""
    if len(crowd.number) == 0:
        return crowd
    miss = crowd.miss.copy()
    mean, P = deviations(crowd, told)
    finer = 1.0 / crowd.apart[crowd.sensor]
    unseen(first, crowd.member, crowd.scan, crowd.cell, finer, crowd.chance, mean, P, miss)
    return crowd._replace(miss=miss)


def _with_doubts(crowd: Crowd, told: Sums, first: int) -> Crowd:
    """The crowd with how far its plots may be other bodies', from a scan on."""
    if len(crowd.number) == 0:
        return crowd
    first_of = np.searchsorted(crowd.scan, np.arange(len(crowd.sensor) + 1))
    mean, _ = deviations(crowd, told)
    Y, y = totals(crowd, told)
    share = crowd.share.copy()
    scaled = crowd.W / np.sqrt(crowd.ratio2[crowd.sensor[crowd.scan]])[:, :, None]
    doubts(first, first_of, crowd.member, scaled, told.B, told.b, told.net, Y, y, crowd.miss, mean, share)
    return crowd._replace(share=share)


def _again(crowd: Crowd, told: Sums, plots: Plots, which: Ints) -> Crowd:
    """Plots of some scans shared out anew, each given all others."""
    K = len(crowd.number)
    if K == 0:
        return crowd
    member = crowd.member.copy()
    Y, y = totals(crowd, told)
    gain, fresh = np.empty((len(member), K)), np.zeros((len(crowd.sensor), K), np.bool_)
    shared_out(which, plots, member, Y, y, crowd.miss, begins(crowd), np.zeros(K, np.bool_), gain, fresh)
    return crowd._replace(member=member)


def _linked(crowd: Crowd, told: Sums) -> tuple[Crowd, bool]:
    """What bodies had since some scan, of one sensor or of all, dealt out anew among them where that gains."""
    K, S = len(crowd.number), len(crowd.sensor)
    if K < 3:
        return crowd, False
    changed = False
    cuts = np.ascontiguousarray(np.unique(np.linspace(0, S - 1, CUTS).astype(np.int64))[::-1])
    for which in _sensors(crowd).tolist():
        plot_of = plots_of(S, K, crowd.member, crowd.scan)
        Y, y = totals(crowd, told)
        worth = links(cuts, which, crowd.sensor, plot_of, told.B, told.b, Y, y)
        worth = np.where(np.isfinite(worth), worth, -1e9)
        best, found = LEAST_GAIN, None
        for c in range(len(cuts)):
            _, to = linear_sum_assignment(worth[c], maximize=True)
            gain = float(worth[c, np.arange(K), to].sum() - np.trace(worth[c]))
            if gain > best:
                best, found = gain, (int(cuts[c]), to)
        if found is not None:
            crowd, changed = _dealt(crowd, found[0], which, found[1]), True
    return crowd, changed


def _dealt(crowd: Crowd, cut: int, which: int, to: Ints) -> Crowd:
    """The crowd in which each body has what another, to (K,), had since a scan, of a sensor (-1: of all)."""
    scans = np.arange(len(crowd.sensor)) >= cut
    if which >= 0:
        scans &= crowd.sensor == which
    tail = scans[crowd.scan] & (crowd.member >= 0)
    member, miss, number = crowd.member.copy(), crowd.miss.copy(), crowd.number
    member[tail] = np.argsort(to)[crowd.member[tail]]
    miss[scans] = crowd.miss[scans][:, to]
    if which < 0 and crowd.when[cut] < crowd.time_s - NAMED_S:
        number = number[to]  # known by what they were of late
    return crowd._replace(member=member, miss=miss, number=number)


def _swapped(crowd: Crowd, told: Sums) -> tuple[Crowd, bool]:
    """Two bodies after the other swap what they had since some scan, while that gains."""
    K, S = len(crowd.number), len(crowd.sensor)
    if K < 2:
        return crowd, False
    sensors = _sensors(crowd)
    gain, cut, of = np.full((K, K), -np.inf), np.full((K, K), -1), np.full((K, K), -1)
    near = _near(crowd, told)
    asked, moved, old = near, False, crowd.hits > 0
    Y, y = totals(crowd, told)
    for _ in range(2 * K):
        plot_of = plots_of(S, K, crowd.member, crowd.scan)
        best_swaps(
            sensors, crowd.sensor, plot_of, told.B, told.b, Y, y, crowd.miss, old, asked, gain, cut, of
        )
        a, c = np.unravel_index(int(gain.argmax()), gain.shape)
        if not gain[a, c] > LEAST_GAIN:
            break
        to = np.arange(K)
        to[a], to[c] = c, a
        crowd, moved = _dealt(crowd, int(cut[a, c]), int(of[a, c]), to), True
        stale = np.isin(np.arange(K), [a, c])
        asked = near & (stale[:, None] | stale)
        Y, y = totals(crowd, told)
    return crowd, moved


def _sensors(crowd: Crowd) -> Ints:
    """What two bodies may swap: -1: all plots since a scan, or those of one sensor."""
    sensors = np.unique(crowd.sensor)
    return np.append(-1, sensors) if len(sensors) > 1 else np.array([-1])


def _near(crowd: Crowd, told: Sums) -> Bools:
    """Which two bodies (K, K) were ever so near to each other in range that plots may be taken for the other's."""
    mean, P = deviations(crowd, told)
    some = np.unique(np.linspace(0, len(crowd.sensor) - 1, NEAR_SCANS).astype(int))
    rows = crowd.cell[some, 2]  # (s, 6)
    value = rows @ mean.T
    sigma = np.sqrt(np.einsum("si,kij,sj->sk", rows, P, rows))
    apart = value[:, :, None] - value[:, None, :]
    wide = NEAR_CELLS + NEAR_SIGMAS * (sigma[:, :, None] + sigma[:, None, :])
    crossed = (apart.min(0) < 0.0) & (apart.max(0) > 0.0)
    return np.asarray(crossed | (np.abs(apart) < wide).any(0))


def _with_others(crowd: Crowd, told: Sums) -> Crowd:
    """The crowd with how far its bodies may be elsewhere, by other choices."""
    Y, y = totals(crowd, told)
    plot_of = plots_of(len(crowd.sensor), len(crowd.number), crowd.member, crowd.scan)
    return crowd._replace(
        other=others(
            crowd.F, _near(crowd, told), _sensors(crowd), crowd.sensor, plot_of, told.B, told.b, Y, y, crowd.miss,
            crowd.hits > 0,
        )
    )  # fmt: skip


def _begun(crowd: Crowd, told: Sums, name: Callable[[int], int]) -> tuple[Crowd, bool]:
    """Bodies that begin with plots which no other one explains."""
    S = len(crowd.sensor)
    more = False
    unseen = np.log1p(-crowd.chance * 0.8)
    birth_vector = crowd.birth_vector + crowd.birth_by_offset @ told.offset
    for seed in np.flatnonzero((crowd.scan == S - 1) & (crowd.member < 0)).tolist():
        free = np.flatnonzero((crowd.member < 0) & (crowd.scan >= S - NEW_SCANS))
        plots, gain = grow(
            seed, free, crowd.scan, told.B, told.b, told.net, crowd.birth_info, birth_vector, unseen
        )
        if len(plots) < FEWEST_PLOTS or gain + LOG_BIRTH < 0.0:
            continue
        member = crowd.member.copy()
        member[plots] = len(crowd.number)
        crowd = with_body(
            crowd, name(int(crowd.plot[seed])), crowd.birth_info, crowd.birth_vector, crowd.birth_by_offset, LOG_BIRTH,
            0, unseen,
        )._replace(member=member)  # fmt: skip
        more = True
    return crowd, more


def _fewer(crowd: Crowd, told: Sums) -> tuple[Crowd, bool]:
    """Without bodies that are nothing, or one with another."""
    odds = odds_of(crowd, told)
    if odds.min(initial=np.inf) < END_ODDS:  # one at a time: what it had may be another's
        return kept(crowd, np.arange(len(odds)) != int(odds.argmin())), True
    Y, y = totals(crowd, told)
    S, K = len(crowd.sensor), len(crowd.number)
    own = plots_of(S, K, crowd.member, crowd.scan) >= 0
    L = np.zeros((7, 6))
    value = np.array([value_of(Y[k], y[k], L) for k in range(K)])
    prior = value_of(crowd.birth_info, crowd.birth_vector + crowd.birth_by_offset @ told.offset, L)
    prior_vector = prior_vector_of(crowd, told)
    missed = np.where(own, 0.0, crowd.miss)
    for a in range(K):
        for c in range(K):
            if a == c or crowd.hits[c] > 0 or (own[:, a] & own[:, c]).any():
                continue
            joined = value_of(Y[a] + Y[c] - crowd.prior_info[c], y[a] + y[c] - prior_vector[c], L)
            begin = int(own[:, c].argmax())
            together = np.where(own[:, a] | own[:, c], 0.0, crowd.miss[:, a])
            gain = joined - value[a] - value[c] + prior - LOG_BIRTH
            gain += together.sum() - missed[:, a].sum() - missed[begin:, c].sum()
            if gain > LEAST_GAIN:
                member = np.where(crowd.member == c, a, crowd.member)
                return kept(crowd._replace(member=member), np.arange(K) != c), True
    return crowd, False
