"""Whether errors are as large as their covariances say: NEES and NIS.

Bar-Shalom, Li and Kirubarajan (2001), section 5.4. Normalised squared errors of dimension d
follow a chi-square law of d degrees of freedom; the sum of m independent ones of m d.

    nees   errors of states against truth, in the metric of their covariances: mean d
    nis    innovations of plots, in the metric of theirs; it needs no truth: mean the numbers in a plot
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import chi2

from tocsin.sensors.plots import Floats


class Consistency(NamedTuple):
    """Mean of normalised squared errors, and where it should lie if the samples are independent."""

    mean: float
    median: float
    samples: int
    low: float  # 95 % interval of the mean
    high: float
    expected: float  # the mean that honest covariances have: the dimension, averaged over the samples


def nees(errors: Floats, covariances: Floats) -> Consistency:
    """Normalised estimation error squared of n states: errors (n, d), covariances (n, d, d)."""
    return consistency(normalised_squared(errors, covariances), errors.shape[1])


def nis(innovations: Floats, covariances: Floats) -> Consistency:
    """Normalised innovation squared of n plots: innovations (n, d), their covariances (n, d, d).

    What a plot does not measure is NaN and does not count: plots of a radar and of a camera may stand together.
    """
    known = np.isfinite(innovations)
    both = known[:, :, None] & known[:, None, :]
    # in place of what is not measured stand zeros of unit variance, which add nothing
    padded = np.where(both, covariances, np.eye(innovations.shape[1]))
    values = normalised_squared(np.where(known, innovations, 0.0), padded)
    values[~known.any(axis=1)] = np.nan
    return consistency(values, known.sum(axis=1))


def normalised_squared(errors: Floats, covariances: Floats) -> Floats:
    """Squared errors (n, d) in the metric of their covariances (n, d, d).

    NaN where a covariance is not positive definite.
    """
    out = np.full(len(errors), np.nan)
    for i, (e, p) in enumerate(zip(errors, covariances, strict=True)):
        try:
            white = np.linalg.solve(np.linalg.cholesky((p + p.T) / 2.0), e)
        except np.linalg.LinAlgError:
            continue
        out[i] = white @ white
    return out


def consistency(normalised: Floats, dimension: ArrayLike) -> Consistency:
    """Summary of normalised squared errors (n,) of a dimension, or of one each (n,); NaN are left out."""
    known = np.isfinite(normalised)
    values, n = normalised[known], int(known.sum())
    if n == 0:
        return Consistency(np.nan, np.nan, 0, np.nan, np.nan, np.nan)
    freedom = float(np.broadcast_to(np.asarray(dimension, float), normalised.shape)[known].sum())
    low, high = chi2.ppf([0.025, 0.975], freedom) / n
    return Consistency(
        float(values.mean()), float(np.median(values)), n, float(low), float(high), freedom / n
    )
