"""Whether probabilities mean what they say: of what is stated with 0.9, nine in ten should be so.

Reliability in bins and the score of Brier (1950), Monthly Weather Review 78, 1-3: the mean of (p - o)^2, o being 1 or
0; the interval of a share is that of Wilson (1927), Journal of the American Statistical Association 22, 209-212.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

EDGES = (
    0.0,
    0.5,
    0.8,
    0.95,
    0.99,
    1.0,
)  # of the bins; each holds its upper edge, the first its lower as well
NORMAL_95 = 1.959963984540054  # two-sided quantile of the normal law


class Bin(NamedTuple):
    """Samples whose stated probability lies in one bin; NaN where there are none."""

    samples: int
    stated: float  # mean of the probabilities
    true: float  # share of what was so
    low: float  # 95 % interval of that share, if the samples are independent
    high: float


class Reliability(NamedTuple):
    """How stated probabilities agree with what was so."""

    bins: tuple[Bin, ...]  # between `EDGES`
    stated: float  # mean of all
    true: float
    brier: float  # 0 is best; a constant 0.5 has 0.25
    samples: int


def reliability(stated: ArrayLike, true: ArrayLike) -> Reliability:
    """Agreement of probabilities (n,) with outcomes (n,), true or false. What is not finite is left out."""
    p, o = np.asarray(stated, float).ravel(), np.asarray(true, float).ravel()
    known = np.isfinite(p)
    p, o = p[known], o[known]
    which = np.clip(np.searchsorted(EDGES, p, side="left") - 1, 0, len(EDGES) - 2)
    bins = tuple(_bin(p[which == k], o[which == k]) for k in range(len(EDGES) - 1))
    if not len(p):
        return Reliability(bins, math.nan, math.nan, math.nan, 0)
    return Reliability(bins, float(p.mean()), float(o.mean()), float(np.mean((p - o) ** 2)), len(p))


def _bin(p: np.ndarray, o: np.ndarray) -> Bin:
    n = len(p)
    if n == 0:
        return Bin(0, math.nan, math.nan, math.nan, math.nan)
    share, z2 = float(o.mean()), NORMAL_95**2
    centre = (share + z2 / (2 * n)) / (1.0 + z2 / n)
    half = NORMAL_95 * math.sqrt(share * (1.0 - share) / n + z2 / (4.0 * n * n)) / (1.0 + z2 / n)
    return Bin(n, float(p.mean()), share, max(centre - half, 0.0), min(centre + half, 1.0))
