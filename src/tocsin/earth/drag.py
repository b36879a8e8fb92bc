"""Drag coefficients of generic shapes by Mach number, as tables and as the curves that flights use.

The shapes are bodies of textbooks, none is a vehicle. A coefficient is over the area named; values are rounded to
the scatter of the sources, some 5 %. None knows of Reynolds' number: spheres are those before the drag crisis, as
rough bodies are. The coefficient at the end of a table holds beyond it and is called hypersonic; a ballistic
coefficient is always that of hypersonic speed::

    forces = with_shape(STANDARD, "sphere")
    landings = to_ground(states, ballistic_coefficient("sphere", mass_kg, area_m2), forces)

sphere (frontal area): Miller and Bailey (1979), Journal of Fluid Mechanics 93, figure 4, Mach 0.3 to 3 at Reynolds
numbers of 2e5 to 1e6 before the crisis; Hoerner (1965), Fluid-Dynamic Drag, chapter 16, beyond; Bailey and Hiatt
(1972), AIAA Journal 10, for the end.

fragment (mean area seen from all sides, a quarter of the surface of a convex body): cubes that keep no face ahead,
Hoerner (1965), chapter 16, figure 17, the lower of its two curves of cubes. Hansche and Rinehart (1952), Journal of
the Aeronautical Sciences 19, measured tumbling ones at Mach 0.5 to 3.5.

blunt (frontal area): a cylinder with a flat face, along its axis. 0.85 at low speed (Hoerner, chapter 3); from there
the pressure on the face grows with the stagnation pressure, of which the face has 0.9 at supersonic speed
(Rayleigh's formula, NACA Report 1135; Hoerner, chapter 16), and there is the drag of the base.

slender (area of the base): a sharp cone of 10 degrees half angle with a flat base. Supersonic pressure on the cone by
Taylor and Maccoll (Sims 1964, NASA SP-3004), else Hoerner, chapters 3 and 16; the base 0.12 at low speed, 0.25 at
Mach 1, falling off with Mach number, never below vacuum; skin friction of 0.02 falling to 0.006.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import PchipInterpolator

from tocsin.earth.forces import MACH_STEP, Forces
from tocsin.errors import UsageError

Floats = NDArray[np.float64]

# (Mach number, drag coefficient); every Mach number a multiple of MACH_STEP, so that a step has one cubic. The last two
# are equal: the curve ends level.
TABLES: dict[str, tuple[tuple[float, float], ...]] = {
    "sphere": (
        (0.0, 0.47), (0.3, 0.485), (0.6, 0.53), (0.7, 0.56), (0.8, 0.62), (0.9, 0.73), (1.0, 0.84), (1.1, 0.90),
        (1.2, 0.94), (1.4, 0.98), (1.6, 0.99), (2.0, 0.98), (2.5, 0.965), (3.0, 0.945), (4.0, 0.93), (5.0, 0.92),
        (6.0, 0.92),
    ),
    "fragment": (
        (0.0, 0.77), (0.3, 0.78), (0.5, 0.82), (0.7, 0.89), (0.8, 0.93), (0.9, 0.99), (1.0, 1.09), (1.1, 1.16),
        (1.2, 1.20), (1.35, 1.225), (1.55, 1.24), (1.9, 1.23), (2.25, 1.21), (2.7, 1.175), (3.2, 1.15), (4.0, 1.14),
        (5.0, 1.14),
    ),
    "blunt": (
        (0.0, 0.85), (0.3, 0.87), (0.6, 0.93), (0.8, 1.00), (0.9, 1.09), (1.0, 1.22), (1.1, 1.34), (1.2, 1.43),
        (1.5, 1.55), (2.0, 1.63), (3.0, 1.67), (4.0, 1.67), (6.0, 1.66), (8.0, 1.66),
    ),
    "slender": (
        (0.0, 0.165), (0.5, 0.195), (0.8, 0.25), (0.9, 0.31), (1.0, 0.40), (1.1, 0.41), (1.2, 0.375), (1.5, 0.30),
        (2.0, 0.24), (3.0, 0.18), (4.0, 0.15), (5.0, 0.135), (6.0, 0.12), (8.0, 0.10), (10.0, 0.09), (15.0, 0.08),
        (20.0, 0.075), (25.0, 0.075),
    ),
}  # fmt: skip
SHAPES = tuple(TABLES)


def drag_coefficient(shape: str, mach: ArrayLike) -> Floats:
    """Drag coefficients of a shape at Mach numbers (any shape of array), over the area that the module names for it.

    Between the rows of its table by cubics that keep its rises and falls (Fritsch and Carlson 1980, SIAM Journal on
    Numerical Analysis 17). Raises `UsageError` for a shape that is not in `SHAPES` and for a Mach number below 0 or
    NaN.
    """
    number = np.asarray(mach, float)
    if not (number >= 0.0).all():
        worst = number.ravel()[int(np.argmin(number.ravel() >= 0.0))]
        raise UsageError(f"a Mach number must be 0 or more, is {worst}")
    table = _table(shape)
    value: Floats = PchipInterpolator(*table.T)(np.minimum(number, table[-1, 0]))
    return value


def hypersonic_coefficient(shape: str) -> float:
    """The drag coefficient of a shape at the end of its table and beyond. Raises `UsageError` for an unknown shape."""
    return float(_table(shape)[-1, 1])


def ballistic_coefficient(shape: str, mass_kg: ArrayLike, area_m2: ArrayLike) -> Floats:
    """Hypersonic ballistic coefficient m / (Cd A) in kg/m2, of masses and areas that may be arrays of one shape.

    Raises `UsageError` for an unknown shape and for a mass or an area that is not above 0.
    """
    hypersonic = hypersonic_coefficient(shape)
    mass, area = np.asarray(mass_kg, float), np.asarray(area_m2, float)
    for name, value, unit in (("mass_kg", mass, "kg"), ("area_m2", area, "m2")):
        if not (value > 0.0).all():
            worst = value.ravel()[int(np.argmin(value.ravel() > 0.0))]
            raise UsageError(f"{name} must be above 0 {unit}, is {worst}")
    coefficient: Floats = mass / (hypersonic * area)
    return coefficient


def drag_curve(shape: str) -> Floats:
    """Cubics (n, 4) of the drag coefficient over its hypersonic value, as `forces.Forces.curve` has them.

    The same function as `drag_coefficient`; value and slope have no step at any Mach number, the second derivative
    has one at each row of the table. Raises `UsageError` for a shape that is not in `SHAPES`.
    """
    return _curve(shape).copy()


def ln_curve(shape: str, most_mach: float = math.inf) -> Floats:
    """Cubics (n, 4) like those of `drag_curve`, of the logarithm of that ratio.

    most_mach: a row of the table, from which on the coefficient is held; it is the hypersonic one then. Raises
    `UsageError` for a shape that is not in `SHAPES`.
    """
    table = _held(shape, most_mach)
    return _cubics(table[:, 0], np.log(table[:, 1] / table[-1, 1]))


def mixed_curve(powers: Mapping[str, float], most_mach: float = math.inf) -> Floats:
    """Cubics as `drag_curve`, of the product of powers of the coefficients of shapes: of a body between them.

    most_mach: as in `ln_curve`. Raises `UsageError` for a shape that is not in `SHAPES`.
    """
    tables = [(power, _held(shape, most_mach)) for shape, power in powers.items()]
    mach = np.unique(np.concatenate([table[:, 0] for _, table in tables]))
    value = np.zeros(len(mach))
    for power, table in tables:
        at = PchipInterpolator(*table.T)(np.minimum(mach, table[-1, 0]))
        value += power * np.log(at / table[-1, 1])
    return _cubics(mach, np.exp(value))


def with_shape(forces: Forces, shape: str) -> Forces:
    """The forces with the drag curve of a shape. Raises `UsageError` for a shape that is not in `SHAPES`."""
    return forces._replace(curve=drag_curve(shape))


def _table(shape: str) -> Floats:
    """Rows (n, 2) of Mach number and drag coefficient."""
    if shape not in TABLES:
        raise UsageError(f"there is no drag curve of the shape {shape!r}; there are {', '.join(SHAPES)}")
    return np.array(TABLES[shape])


def _held(shape: str, most_mach: float) -> Floats:
    """Rows (n, 2) of a shape's table, which hold the coefficient from a Mach number on; the curve ends level."""
    table = _table(shape)
    last = int(np.searchsorted(table[:, 0], most_mach))
    table = table[: last + 2]
    table[last:, 1] = table[min(last, len(table) - 1), 1]
    return table


@cache
def _curve(shape: str) -> Floats:
    table = _table(shape)
    return _cubics(table[:, 0], table[:, 1] / table[-1, 1])


def _cubics(mach: Floats, value: Floats) -> Floats:
    """Cubics (n, 4) every MACH_STEP through values (k,) at Mach numbers (k,)."""
    through = PchipInterpolator(mach, value)
    at = MACH_STEP * np.arange(round(mach[-1] / MACH_STEP) + 1)
    value, slope = through(at), MACH_STEP * through(at, 1)
    rise = np.diff(value)
    low, high = slope[:-1], slope[1:]
    return np.column_stack([value[:-1], low, 3.0 * rise - 2.0 * low - high, low + high - 2.0 * rise])
