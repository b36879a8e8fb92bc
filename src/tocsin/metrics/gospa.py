"""The generalised optimal sub-pattern assignment metric between a set of objects and one of tracks.

Rahmathullah, García-Fernández and Svensson (2017), with p = 2 and alpha = 2: then it is the
least sum of squared distances of assigned pairs, and c²/2 for each object and each track
that is left over.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from tocsin.sensors.plots import Floats, Ints

CUT_OFF_M = 10e3
Mask = NDArray[np.bool_]


class Gospa(NamedTuple):
    """GOSPA of one moment, as sums: localisation in m², and numbers of missed and false."""

    localisation_m2: float
    missed: int
    false: int
    loose: Ints  # (k,) the tracks that are near no object at all

    def total_m(self, cut_off_m: float = CUT_OFF_M) -> float:
        """The metric in metres."""
        left = cut_off_m**2 / 2.0 * (self.missed + self.false)
        return float(np.sqrt(self.localisation_m2 + left))


def best_pairs(rows: Ints, columns: Ints, gain: Floats) -> Ints:
    """Indices of the one-to-one choice among pairs (n,) that has the least sum of gains; only negative ones."""
    if not len(rows):
        return np.zeros(0, np.int64)
    a, i = np.unique(rows, return_inverse=True)
    b, j = np.unique(columns, return_inverse=True)
    table = np.zeros((len(a), len(b)))
    which = np.full(table.shape, -1)
    table[i, j], which[i, j] = np.minimum(gain, 0.0), np.arange(len(rows))
    chosen_i, chosen_j = linear_sum_assignment(table)
    good = table[chosen_i, chosen_j] < 0.0
    return np.asarray(which[chosen_i[good], chosen_j[good]])


def near_pairs(objects_m: Floats, tracks_m: Floats, cut_off_m: float) -> tuple[Ints, Ints, Floats]:
    """Object, track and squared distance (m²) of all pairs closer than the cut-off."""
    apart = objects_m[:, None, :] - tracks_m[None, :, :]
    squared = np.einsum("ijk,ijk->ij", apart, apart)
    i, j = np.nonzero(squared < cut_off_m**2)
    return i, j, squared[i, j]


def gospa(objects_m: Floats, counted: Mask, tracks_m: Floats, cut_off_m: float = CUT_OFF_M) -> Gospa:
    """GOSPA between objects (n, 3) and tracks (m, 3).

    An object that is not ``counted`` (n,) (out of view, an aircraft) is never missed, and a
    track near it is neither right nor false; tracks go to counted objects first.
    """
    i, j, squared = near_pairs(objects_m, tracks_m, cut_off_m)
    gain = np.where(counted[i], 1.0, 0.5) * (squared - cut_off_m**2)
    chosen = best_pairs(i, j, gain)
    right = chosen[counted[i[chosen]]]
    loose = np.setdiff1d(np.arange(len(tracks_m)), j[chosen])
    return Gospa(
        float(squared[right].sum()),
        int(counted.sum()) - len(right),
        len(tracks_m) - len(chosen),
        loose,
    )
