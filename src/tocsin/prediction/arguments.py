"""What `states.predict_state` is called with: its limits, and the same in one form."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from tocsin.errors import UsageError
from tocsin.prediction.forecast import ORIGINS
from tocsin.prediction.priors import Kind
from tocsin.sensors.plots import Floats

LEAST_BETA_KG_M2, MOST_BETA_KG_M2 = 2.0, 100e3  # a leaf, and more than any solid body
LEAST_SIGMA = 1e-4
LEAST_DENSITY, MOST_DENSITY = (
    0.1,
    10.0,
)  # of the standard: what the Sun makes of the air at 400 km, with some room
DENSITY_SIGMA = 0.15  # of a density factor that is given, relative
NEGATIVE = -1e-6  # least eigenvalue of a correlation that is rounding


def within(name: str, value: float, low: float, high: float, unit: str) -> None:
    """Raise `UsageError` for an argument beyond its limits."""
    if not low <= value <= high:
        tail = f" {unit}" if unit else ""
        raise UsageError(f"{name} is {value:g}{tail}, must be from {low:g} to {high:g}{tail}")


def covariance_of(given: ArrayLike | None) -> Floats:
    """Covariance (6, 6) of what was given; see `states.predict_state`. Raises `UsageError` for what is none."""
    P = np.zeros((6, 6)) if given is None else np.asarray(given, float)
    if P.shape in ((2,), (6,)):
        if not (np.isfinite(P) & (P >= 0.0)).all():
            raise UsageError(f"covariance: sigmas must be finite and 0 or more, are {P.tolist()}")
        return np.diag(np.square(np.repeat(P, 6 // len(P))))
    if P.shape != (6, 6):
        raise UsageError(f"covariance must have the shape (6, 6), or (6,) or (2,) for sigmas, has {P.shape}")
    size = np.sqrt(np.abs(np.diag(P)))
    if not np.isfinite(P).all():
        raise UsageError("covariance must be finite, has entries that are not")
    if (np.diag(P) < 0.0).any():
        worst = int(np.argmin(np.diag(P)))
        raise UsageError(f"covariance[{worst}, {worst}] is {P[worst, worst]:g}, must be 0 or more")
    scale = np.where(size > 0.0, size, 1.0)
    related = P / np.outer(scale, scale)
    if not np.allclose(related, related.T, rtol=0.0, atol=1e-6):
        raise UsageError("covariance must be symmetric, is not")
    values, vectors = np.linalg.eigh(0.5 * (related + related.T))
    if values[0] < NEGATIVE:
        raise UsageError(
            f"covariance must be positive semi-definite; as correlations its least eigenvalue is {values[0]:.3g}, must "
            f"be above {NEGATIVE:g}"
        )
    root = scale[:, None] * vectors * np.sqrt(np.maximum(values, 0.0))
    return np.asarray(root @ root.T)


def air_of(factor: float | None, sigma: float | None) -> tuple[float, float] | None:
    """ln of a density factor and its sigma, as given; None where none is. Raises `UsageError` beyond their limits."""
    if factor is None:
        if sigma is not None:
            raise UsageError("density_sigma is given without density_factor; give both, or neither")
        return None
    within("density_factor", factor, LEAST_DENSITY, MOST_DENSITY, "")
    sigma = DENSITY_SIGMA if sigma is None else sigma
    within("density_sigma", sigma, 0.0, 2.0, "")
    return math.log(factor), sigma


def believed_of(
    coefficient: float | None, sigma: float, origin: str | None, kinds: Sequence[Kind] | None
) -> tuple[tuple[Kind, ...] | None, str]:
    """Kinds as given, None where they follow from the origin; and the origin, empty where it follows from the state.

    Raises `UsageError` for values beyond their limits.
    """
    if origin is not None and origin not in ORIGINS:
        raise UsageError(f"origin is {origin!r}, must be one of {', '.join(ORIGINS)}")
    if coefficient is not None and kinds is not None:
        raise UsageError("give ballistic_coefficient or kinds, not both")
    limits = (LEAST_BETA_KG_M2, MOST_BETA_KG_M2, "kg/m2")
    if coefficient is not None:
        within("ballistic_coefficient", coefficient, *limits)
        within("ballistic_coefficient_sigma", sigma, 0.0, 3.0, "of it")
        return (Kind("given", 1.0, math.log(coefficient), max(sigma, LEAST_SIGMA)),), origin or "given"
    if kinds is None:
        return None, origin or ""
    if not kinds:
        raise UsageError("kinds is empty, must have at least one kind")
    for kind in kinds:
        if not (math.isfinite(kind.share) and kind.share > 0.0):
            raise UsageError(f"kinds: the share of {kind.name!r} is {kind.share}, must be above 0")
        if not math.isfinite(kind.ln_beta):
            raise UsageError(f"kinds: ln_beta of {kind.name!r} is {kind.ln_beta}, must be finite")
        within(f"kinds: exp(ln_beta) of {kind.name!r}", math.exp(min(kind.ln_beta, 99.0)), *limits)
        within(f"kinds: sigma of {kind.name!r}", kind.sigma, 0.0, 3.0, "of ln beta")
    return tuple(kind._replace(sigma=max(kind.sigma, LEAST_SIGMA)) for kind in kinds), origin or "given"
