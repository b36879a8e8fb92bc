"""What a crowd (`crowd`) tells: of its bodies, and of the offsets and the noise of the sensors."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tocsin.sensors.plots import Floats, Ints
from tocsin.tracking.crowd import Crowd, by_offsets, deviations, odds_of, sums, weight
from tocsin.tracking.crowd_weights import summed
from tocsin.tracking.learning import RATIOS
from tocsin.tracking.separation import SEPARATION_S
from tocsin.tracking.tracks import MOST_EXISTENCE, Bools

# A family in which something began, or was given up, within so long is not sorted; its bodies may be off by such a
# share of the way to the next one, but no more than that of so many metres.
UNSORTED_S, UNSORTED, MOST_UNSORTED_M = 100.0, 0.3, 3e3
SURE_SHARE = 0.8  # from here on a plot tells of the noise


def of_offsets(crowd: Crowd) -> tuple[Floats, Floats]:
    """Information (k, k) and its vector (k,) on the sensors' offsets, of all plots of a crowd."""
    told = sums(crowd, np.zeros(len(crowd.offset_vector)), True)
    Y, y = summed(crowd.member, told.B, told.b, crowd.prior_info, crowd.prior_vector)
    mine = crowd.member >= 0
    J, share, r = crowd.J[mine], weight(crowd)[mine], crowd.r[mine]
    D = by_offsets(crowd)
    P = np.linalg.inv(Y)
    G = crowd.offset_info + np.einsum("nqa,nq,nqb->ab", J, share, J) - np.einsum("kia,kij,kjb->ab", D, P, D)
    g = crowd.offset_vector + np.einsum("nqa,nq,nq->a", J, share, r) + np.einsum("kia,kij,kj->a", D, P, y)
    return 0.5 * (G + G.T), g


def of_noise(crowd: Crowd, offset: Floats) -> Floats:
    """ln of the weights (sensors, 4, grid) of `learning.RATIOS`, in the order of W, by plots about their bodies."""
    delta, _ = deviations(crowd, sums(crowd, offset, True))
    sure = (crowd.member >= 0) & (crowd.share.min(1, initial=1.0) > SURE_SHARE)
    r = (crowd.r - crowd.J @ offset)[sure] - np.einsum("nqi,ni->nq", crowd.W[sure], delta[crowd.member[sure]])
    out = np.zeros((*crowd.ratio2.shape, len(RATIOS)))
    # six numbers of each body were fitted to them
    left = max(1.0 - 6.0 * len(crowd.number) / (4.0 * len(r) + 1.0), 0.0)
    each = -0.5 * (left * np.log(RATIOS**2) + (r * r)[:, :, None] / RATIOS**2)
    np.add.at(out, crowd.sensor[crowd.scan[sure]], each * crowd.W[sure].any(2)[:, :, None])
    return out


def positions(crowd: Crowd, offset: Floats) -> Floats:
    """Where the bodies of a crowd are (K, 3), given the offsets (k,)."""
    delta, _ = deviations(crowd, sums(crowd, offset))
    return np.asarray(crowd.reference[:3] + delta @ crowd.F[:3].T)


def _unsorted(crowd: Crowd, delta: Floats) -> Floats:
    """Spread (K, 6, 6) of deviations, delta (K, 6), while bodies of a family are still found.

    Those that were not known gave plots, which bodies that were known have taken: each of these may lie a share of the
    way to its neighbour off.
    """
    K = len(delta)
    out = np.zeros((K, 6, 6))
    if K < 2 or crowd.time_s > crowd.changed_s + UNSORTED_S:
        return out
    at = delta @ crowd.F[:3].T
    gaps = np.linalg.norm(at[:, None] - at, axis=2) + np.diag(np.full(K, np.inf))
    off_m = UNSORTED * np.minimum(gaps.min(1), MOST_UNSORTED_M)
    back = np.linalg.inv(crowd.F)
    age_s = max(crowd.time_s - crowd.epoch_s, SEPARATION_S)
    for i in range(3):
        out[:, i, i], out[:, 3 + i, 3 + i] = off_m**2, (off_m / age_s) ** 2
    return np.asarray(back @ out @ back.T)


class Members(NamedTuple):
    """The bodies of a crowd at its time."""

    x: Floats  # (K, 6)
    P: Floats  # (K, 6, 6) given the offsets
    A: Floats  # (K, 6, k)
    existence: Floats  # (K,)
    hits: Ints  # (K,)
    latest: list[Ints]  # plots of each, the newest first, as (sensor, number) rows
    seen: Bools  # (K,) has a plot of the last scan


def members(crowd: Crowd, offset: Floats) -> Members:
    """What is believed of the bodies of a crowd, given the offsets (k,)."""
    told = sums(crowd, offset)
    odds = np.clip(odds_of(crowd, told), -50.0, 50.0)
    told = sums(crowd, offset, True)
    delta, P = deviations(crowd, told)
    wide = P + crowd.other + _unsorted(crowd, delta)
    mine = crowd.member >= 0
    A = P @ by_offsets(crowd)
    F, K = crowd.F, len(crowd.number)
    latest = []
    for k in range(K):
        rows = np.flatnonzero(crowd.member == k)[::-1]
        latest.append(np.stack([crowd.sensor[crowd.scan[rows]], crowd.plot[rows]], 1))
    last = crowd.scan[mine] == len(crowd.sensor) - 1
    return Members(
        crowd.reference[:6] + delta @ F.T, F @ wide @ F.T, F @ A,
        np.minimum(1.0 / (1.0 + np.exp(-odds)), MOST_EXISTENCE),
        crowd.hits + np.bincount(crowd.member[mine], minlength=K), latest,
        np.bincount(crowd.member[mine][last], minlength=K) > 0,
    )  # fmt: skip
