"""Whether errors are as large as their covariances say: NEES and NIS.

Bar-Shalom, Li and Kirubarajan (2001), section 5.4. Normalised squared errors of dimension d
follow a chi-square law of d degrees of freedom; the sum of m independent ones of m d.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.stats import chi2

from tocsin.sensors.plots import Floats


class Consistency(NamedTuple):
    """Mean of normalised squared errors, and where it should lie if the samples are independent."""

    mean: float
    median: float
    samples: int
    low: float  # 95 % interval of the mean
    high: float


def normalised_squared(errors: Floats, covariances: Floats) -> Floats:
    """Squared errors (n, d) in the metric of their covariances (n, d, d): NEES, or NIS of innovations.

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


def consistency(normalised: Floats, dimension: int) -> Consistency:
    """Summary of normalised squared errors (n,) of a dimension; NaN are left out."""
    values = normalised[np.isfinite(normalised)]
    n = len(values)
    if n == 0:
        return Consistency(np.nan, np.nan, 0, np.nan, np.nan)
    low, high = chi2.ppf([0.025, 0.975], dimension * n) / n
    return Consistency(float(values.mean()), float(np.median(values)), n, float(low), float(high))
