"""Whether what is said to hold with a probability holds as often: shares, their intervals, and bands to be in.

The interval of a share is that of Clopper and Pearson (1934), Biometrika 26, 404-413: it holds the true share at least
as often as it says, whatever that is, if the samples are independent.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import beta

from tocsin.sensors.plots import Floats

CONFIDENCE = 0.999
# What is said, and the band in which the share that is held is to be.
BANDS = {0.5: (0.44, 0.56), 0.9: (0.86, 0.94), 0.99: (0.98, 1.0)}
WITHIN, MAY_BE_OUT, OUT = "", "?", "!"


class Share(NamedTuple):
    """How often what is said with a probability was so. NaN where there are no samples."""

    said: float
    samples: int
    held: int
    share: float
    low: float  # interval of the true share, with `CONFIDENCE`
    high: float


def share(said: float, held: ArrayLike) -> Share:
    """The share of samples (n,) that held."""
    held = np.asarray(held, bool)
    count, many = len(held), int(held.sum())
    return Share(said, count, many, many / count if count else math.nan, *interval(many, count))


def interval(held: int, samples: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Lowest and highest true share that is in keeping with so many of so many samples."""
    if samples == 0:
        return math.nan, math.nan
    tail = 0.5 * (1.0 - confidence)
    low = 0.0 if held == 0 else float(beta.ppf(tail, held, samples - held + 1))
    high = 1.0 if held == samples else float(beta.ppf(1.0 - tail, held + 1, samples - held))
    return low, high


def verdict(found: Share) -> str:
    """`WITHIN` its band, `OUT` of it, or out so little that it may be chance: `MAY_BE_OUT`."""
    low, high = BANDS[found.said]
    if not found.samples or low <= found.share <= high:
        return WITHIN
    return OUT if found.high < low or found.low > high else MAY_BE_OUT


def held_by_level(level: ArrayLike, said: ArrayLike) -> Floats:
    """Shares (n,) of levels (m,) that are at most what is said (n,): on the diagonal where all is right.

    A level is the least probability with which what happened would have been held; NaN: none would have.
    """
    ordered = np.sort(np.asarray(level, float))  # NaN last
    return np.searchsorted(ordered[np.isfinite(ordered)], np.asarray(said, float), "right") / max(
        len(ordered), 1
    )
