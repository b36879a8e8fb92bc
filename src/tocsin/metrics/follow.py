"""Which track follows which object: the judgement after the fact that all figures rest on.

The one-to-one choice at every moment with the least mean square distance over 30 s before
and after, so that neighbours do not swap by chance. It looks ahead.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from tocsin.metrics.gospa import CUT_OFF_M, Gospa, best_pairs, gospa, near_pairs
from tocsin.metrics.paths import BALLISTIC, Mask, Truth, coasted, in_view, interpolate
from tocsin.sensors.plots import Floats, Ints

HOLD_S = 15.0  # a track lives this long after its last row; a track this long after its object is not false
WINDOW_S = 30.0


class Tracks(NamedTuple):
    """Rows of tracks, n of them, in any order."""

    track: tuple[str, ...]
    time_s: Floats  # (n,)
    state: Floats  # (n, 6) ECEF
    covariance: Floats  # (n, 6, 6)
    phase: tuple[str, ...]
    existence: Floats  # (n,)


class Following(NamedTuple):
    """Who follows whom, and GOSPA, at moments ``start_s + j step_s``."""

    step_s: float
    start_s: float
    names: tuple[str, ...]  # of objects
    tracks: tuple[str, ...]
    rows: Mapping[str, Ints]  # rows of each track in order of time
    numbers: Mapping[str, int]  # of the tracks
    moments: tuple[Gospa, ...]
    pairs: Mapping[tuple[int, int], int]  # (track, moment) -> object
    followers: tuple[tuple[tuple[int, int], ...], ...]  # of each object: (moment, track), in order
    counted: Mask  # (objects, moments) ballistic, alive and in view

    def object_at(self, track: str, *moments: int) -> str | None:
        """The object that a track follows at the first of some moments at which it follows any."""
        k = self.numbers.get(track, -1)
        for j in moments:
            if (k, j) in self.pairs:
                return self.names[self.pairs[k, j]]
        return None


def follow(truth: Truth, tracks: Tracks, step_s: float) -> Following:
    """Compare tracks with truth every ``step_s`` over the whole recording."""
    moments = np.arange(truth.start_s, truth.end_s + step_s / 2.0, step_s)
    names = tuple(truth.kind)
    objects = np.full((len(names), len(moments), 3), np.nan)
    counted = np.zeros((len(names), len(moments)), bool)
    for i, name in enumerate(names):
        rows = truth.time_s[name]
        alive = (moments >= rows[0]) & (moments <= rows[-1])
        objects[i, alive] = interpolate(rows, truth.state[name], moments[alive])[:, :3]
        if truth.kind[name] in BALLISTIC:
            counted[i, alive] = in_view(truth, name, moments[alive])
    rows_of = _rows(tracks)
    ids = tuple(rows_of)
    held = np.full((len(ids), len(moments), 3), np.nan)
    for k, its in enumerate(rows_of.values()):
        alive, held_m = _held(tracks.time_s[its], tracks.state[its], moments)
        held[k, alive] = held_m
    each: list[Gospa] = []
    near: list[tuple[Ints, Ints]] = []
    for j in range(len(moments)):
        here = np.flatnonzero(np.isfinite(objects[:, j, 0]))
        there = np.flatnonzero(np.isfinite(held[:, j, 0]))
        found = gospa(objects[here, j], counted[here, j], held[there, j])
        each.append(found._replace(loose=there[found.loose]))
        a, b, _ = near_pairs(objects[here, j], held[there, j], CUT_OFF_M)
        near.append((here[a], there[b]))
    cost = _mean_squares(objects, held, near, round(WINDOW_S / step_s))
    pairs: dict[tuple[int, int], int] = {}
    last: dict[int, int] = {}  # track -> the object that it followed last
    ends = [truth.time_s[name][-1] for name in names]
    for j, (a, b) in enumerate(near):
        over = sum(
            1
            for k in each[j].loose.tolist()
            if k in last and ends[last[k]] < moments[j] <= ends[last[k]] + HOLD_S + step_s
        )
        each[j] = each[j]._replace(false=each[j].false - over)
        gain = np.array([cost[int(o), int(k)][j] for o, k in zip(a, b, strict=True)]) - CUT_OFF_M**2
        for g in best_pairs(a, b, gain):
            pairs[int(b[g]), j] = last[int(b[g])] = int(a[g])
    followers: list[list[tuple[int, int]]] = [[] for _ in names]
    for (k, j), o in pairs.items():  # in order of time, as made
        followers[o].append((j, k))
    return Following(
        step_s,
        truth.start_s,
        names,
        ids,
        rows_of,
        {track: k for k, track in enumerate(ids)},
        tuple(each),
        pairs,
        tuple(tuple(f) for f in followers),
        counted,
    )


def _rows(tracks: Tracks) -> dict[str, Ints]:
    if not tracks.track:
        return {}
    names = np.array(tracks.track)
    order = np.lexsort((tracks.time_s, names))
    parts = np.split(order, np.flatnonzero(names[order][1:] != names[order][:-1]) + 1)
    return {str(names[part[0]]): part for part in parts}


def _held(time_s: Floats, state: Floats, moments: Floats) -> tuple[Mask, Floats]:
    """Moments (m,) at which a track lives, and its positions there: the last row carried on."""
    row = np.searchsorted(time_s, moments + 1e-6, "right") - 1
    at = np.maximum(row, 0)
    age = np.maximum(moments - time_s[at], 0.0)
    alive = (row >= 0) & (age <= HOLD_S) & np.isfinite(state[at]).all(axis=1)
    return alive, coasted(state[at[alive]], age[alive])


def _mean_squares(
    objects: Floats, held: Floats, near: list[tuple[Ints, Ints]], reach: int
) -> dict[tuple[int, int], Floats]:
    """Of every pair that is ever near: the mean squared distance over +-reach moments at which both live.

    Farther than the cut-off counts as the cut-off.
    """
    out: dict[tuple[int, int], Floats] = {}
    seen = {(int(o), int(k)) for a, b in near for o, k in zip(a, b, strict=True)}
    for o, k in seen:
        squared = np.sum((objects[o] - held[k]) ** 2, axis=1)
        both = np.isfinite(squared)
        total = _window_sum(np.where(both, np.minimum(squared, CUT_OFF_M**2), 0.0), reach)
        out[o, k] = total / np.maximum(_window_sum(both.astype(float), reach), 1.0)
    return out


def _window_sum(values: Floats, reach: int) -> Floats:
    padded = np.concatenate([[0.0], np.cumsum(values)])
    n = len(values)
    i = np.arange(n)
    return np.asarray(padded[np.minimum(i + reach + 1, n)] - padded[np.maximum(i - reach, 0)])


def moment_of(following: Following, time_s: float) -> int:
    """The nearest moment."""
    last = len(following.moments) - 1
    return min(max(math.floor((time_s - following.start_s) / following.step_s + 0.5), 0), last)
