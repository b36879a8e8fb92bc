"""Layers of air for flights: the logarithm of density as one polynomial in height a layer.

A flight's steps end at the bounds of the layers, and a step uses the polynomial of the layer it starts
in, so that the force is smooth within each step whatever kinks the atmosphere has at the bounds: a
method of high order keeps its order (docs/decisions/0008).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import ArrayLike, NDArray

from tocsin.errors import DataError
from tocsin.kernel import jit_inline

Floats = NDArray[np.float64]

DENSITY_DEGREE = 10
SOUND_DEGREE = 4
NODES = 24  # of a layer, at which its polynomials are fitted: Chebyshev's
FIT_ERROR = 2e-5  # of the density, relative: a layer whose polynomial is worse is halved
THINNEST_M = 500.0  # but not below this


class Layers(NamedTuple):
    """Air in layers.

    knots_m (k + 1,): their bounds, heights over the ellipsoid. density (k, 11): polynomials of the natural logarithm
    of density (kg/m3) in the height scaled to -1..1 over the layer, lowest power first. sound (k, 5):
    the same of the square of the speed of sound (m2/s2). There is no air above the last bound; below the
    first the lowest polynomial goes on.
    """

    knots_m: Floats
    density: Floats
    sound: Floats


def _powers(fit: ArrayLike, degree: int) -> Floats:
    """Coefficients (degree + 1,) of a Chebyshev series as powers; those that vanish are zeros, not left out."""
    powers = np.asarray(chebyshev.cheb2poly(np.asarray(fit, float)))
    return np.pad(powers, (0, degree + 1 - len(powers)))


def fit_layers(knots_m: ArrayLike, air_at: Callable[[Floats], tuple[Floats, Floats]]) -> Layers:
    """Layers between given bounds (m, at least two, rising), halved where one polynomial is too little.

    air_at: density (kg/m3) and speed of sound (m/s) at heights (n,). Raises `DataError` for bounds that do not rise
    and for a density or speed of sound that is not positive.
    """
    knots = np.asarray(knots_m, float)
    if knots.ndim != 1 or len(knots) < 2 or not (np.diff(knots) > 0.0).all():
        raise DataError(f"layers of air: bounds must rise, at least two of them; got {knots.tolist()} m")
    nodes = np.cos(np.pi * (np.arange(NODES) + 0.5) / NODES)
    bounds, density, sound = [knots[0]], [], []
    waiting = list(itertools.pairwise(knots))[::-1]
    while waiting:
        low, high = waiting.pop()
        height = 0.5 * (low + high) + 0.5 * (high - low) * nodes
        rho, speed = air_at(height)
        for name, value, unit in (("density", rho, "kg/m3"), ("speed of sound", speed, "m/s")):
            if not (value > 0.0).all():
                worst = int(np.argmin(value))
                raise DataError(
                    f"layers of air: {name} at {height[worst]:.0f} m must be above 0, is {value[worst]} {unit}"
                )
        fit = chebyshev.chebfit(nodes, np.log(rho), DENSITY_DEGREE)
        miss = np.abs(chebyshev.chebval(nodes, fit) - np.log(rho)).max()
        if miss > FIT_ERROR and high - low > 2.0 * THINNEST_M:
            waiting += [(0.5 * (low + high), high), (low, 0.5 * (low + high))]
            continue
        bounds.append(high)
        density.append(_powers(fit, DENSITY_DEGREE))
        sound.append(_powers(chebyshev.chebfit(nodes, speed**2, SOUND_DEGREE), SOUND_DEGREE))
    return Layers(np.array(bounds), np.array(density), np.array(sound))


@jit_inline
def exponential(x: float) -> float:
    """The exponential function for -10 < x < 10 to 2e-10, for -5 < x < 5 to 1e-13, by operations that make vector code.

    Taylor's series of e^(x/32) to the ninth power, squared five times.
    """
    t = x * 0.03125
    p = t * (1.0 / 40320.0 + t * (1.0 / 362880.0))
    p = t * (1.0 / 720.0 + t * (1.0 / 5040.0 + p))
    p = t * (1.0 / 24.0 + t * (1.0 / 120.0 + p))
    p = 1.0 + t * (1.0 + t * (0.5 + t * (1.0 / 6.0 + p)))
    p = p * p
    p = p * p
    p = p * p
    p = p * p
    return p * p
