"""Where a flight that is not exactly known comes down: the covariance of the impact, and whether it can be trusted."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tocsin.earth.ellipsoid import ecef_to_geodetic, enu_axes
from tocsin.earth.flights import LONGEST_S, STEP_ERROR_M, impact_jacobian, to_ground
from tocsin.earth.forces import STANDARD, Forces
from tocsin.earth.status import LANDED, sentence
from tocsin.errors import UsageError

Floats = NDArray[np.float64]

# Where the impact is a z + b z^2 of a normal z, its variance is a^2 + 2 b^2: at b = 0.07 a the linear one is 1 % short.
LINEAR_BEND = 0.07
NEAR_M, NEAR_S = 1.0, 1e-3  # bends below this are no more than the flights' own error


class ImpactSpread(NamedTuple):
    """Impact of a flight whose start has a covariance.

    time_s: of the flight; position_m (3,): of the impact, ECEF; axes (3, 3): rows east, north, up there. covariance
    (3, 3): of east and north (m) and time (s), linear in the start. bend: how far flights one sigma off land from
    where the linear map has them, over the spread; infinite where some do not come down.
    """

    time_s: float
    position_m: Floats
    axes: Floats
    covariance: Floats
    bend: float

    @property
    def near_linear(self) -> bool:
        """Whether the covariance is good to about 1 %. Where it is not, draw states and fly them."""
        return self.bend < LINEAR_BEND


def impact_spread(
    state: ArrayLike,
    ballistic_coefficient_kg_m2: float,
    covariance: ArrayLike,
    forces: Forces = STANDARD,
    *,
    ground_m: float = 0.0,
    longest_s: float = LONGEST_S,
    error_m: float = STEP_ERROR_M,
) -> ImpactSpread:
    """Spread of the impact of a state (6,), ECEF in m and m/s.

    covariance (7, 7): of the state and of ln of the ballistic coefficient. The linear map is the flight's transition
    matrix, along the velocity onto the ground; fourteen flights, one sigma to either side along each principal axis
    of the covariance, tell how much it bends. Raises `UsageError` for shapes that do not fit, for a covariance that is
    not one, and for a flight that does not come down.
    """
    x, P = np.asarray(state, float), np.asarray(covariance, float)
    if x.shape != (6,):
        raise UsageError(f"state must have the shape (6,), has {x.shape}")
    if P.shape != (7, 7):
        raise UsageError(f"covariance must have the shape (7, 7), has {P.shape}")
    if not (np.isfinite(P).all() and np.allclose(P, P.T, rtol=1e-6, atol=0.0) and (np.diag(P) >= 0.0).all()):
        raise UsageError("covariance must be finite and symmetric, with no negative variance")
    fall = partial(to_ground, forces=forces, ground_m=ground_m, longest_s=longest_s, error_m=error_m)
    landing = fall(x, ballistic_coefficient_kg_m2, transition=True)
    if landing.status[0] != LANDED:
        raise UsageError(f"impact_spread: the state does not come down. {sentence(landing.status[0])}")
    place = landing.state[0, :3]
    latitude, longitude, _ = ecef_to_geodetic(place)
    axes = enu_axes(latitude, longitude)
    slopes = impact_jacobian(landing, forces)[0, :, :7]
    A = np.vstack([axes[:2] @ slopes[:3], slopes[3]])
    C = A @ P @ A.T
    scale = np.sqrt(np.diag(P))
    size = np.where(scale > 0.0, scale, 1.0)
    values, vectors = np.linalg.eigh(P / np.outer(size, size))
    root = size[:, None] * vectors * np.sqrt(np.maximum(values, 0.0))  # (7, 7): columns of one sigma each
    off = np.concatenate([root.T, -root.T])
    aside = fall(x + off[:, :6], ballistic_coefficient_kg_m2 * np.exp(off[:, 6]))
    bend = np.inf
    if (aside.status == LANDED).all():
        ends = np.column_stack([(aside.state[:, :3] - place) @ axes[:2].T, aside.time_s - landing.time_s[0]])
        miss = ends - off @ A.T
        there = np.linalg.inv(C[:2, :2] + NEAR_M**2 * np.eye(2))
        squares = np.maximum(
            np.einsum("ki,ij,kj->k", miss[:, :2], there, miss[:, :2]), miss[:, 2] ** 2 / (C[2, 2] + NEAR_S**2)
        )
        bend = float(np.sqrt(0.5 * squares.sum()))
    return ImpactSpread(float(landing.time_s[0]), place, axes, C, bend)
