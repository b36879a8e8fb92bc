"""Meteoroids after their luminous flight: what they may be, and where pieces of each mass come down.

Neither mass nor shape are known when a fireball goes out. What is believed of them beforehand is a wide
convention, not fitted to falls: nine in ten are ordinary stones, one in twenty is an iron; the mass is log-normal about
a kilogram, one sigma a factor of seven.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from tocsin.earth.drag import ballistic_coefficient, hypersonic_coefficient, with_shape
from tocsin.earth.ellipsoid import ecef_to_geodetic
from tocsin.earth.flights import to_ground
from tocsin.earth.forces import STANDARD, Forces
from tocsin.earth.motion import SHAPE_KEPT
from tocsin.earth.status import LANDED
from tocsin.errors import UsageError
from tocsin.prediction.forecast import FallLine
from tocsin.prediction.impact import LONGEST_FLIGHT_S
from tocsin.prediction.priors import Kind
from tocsin.sensors.plots import Floats

# name, share, density (kg/m3), and its sigma relative to itself
DENSITIES = (
    ("stone", 0.90, 3400.0, 0.08),
    ("carbonaceous", 0.05, 2200.0, 0.15),
    ("iron", 0.05, 7800.0, 0.03),
)
MASS_KG, LN_MASS_SIGMA = 1.0, 2.0
# Area over (mass / density)^(2/3): a sphere has 1.21; what tumbles shows a quarter of its surface in the mean
# (Cauchy 1841), a cube 1.50, a brick of 2:3:5 1.61, one of 1:2:4 1.75. Shares of rounded and of angular bodies.
SHAPES = {"sphere": (0.5, 1.35, 0.07), "fragment": (0.5, 1.65, 0.06)}  # share, factor, its relative sigma
LINE_KG = (0.01, 0.1, 1.0, 10.0, 100.0)
LINE_SHAPE = "fragment"
LINE_DENSITY_KG_M3 = DENSITIES[0][2]
# Above this speed stone melts or breaks off: the mean loss of fireballs of type I, 0.014 s2/km2 (Ceplecha et al. 1998,
# Space Science Reviews 84). Below is dark flight.
ABLATION_S2_M2, DARK_M_S = 1.4e-8, 3000.0
# One sigma of the coefficient of one body, relative to it: types I and II are a factor of three apart (same source).
ABLATION_SIGMA = 0.5
MOST_BEFORE = 400.0  # what loses more (above 29 km/s) leaves next to nothing
TRIES = 6  # to find the mass that a landed one had
NEAR_MASS, FOUND_MASS = 1e-3, 0.05  # relative: near enough; as good as found


def ablating(forces: Forces) -> Forces:
    """The forces with the loss of mass of a stone above DARK_M_S."""
    return forces._replace(ablation_s2_m2=ABLATION_S2_M2, ablation_speed_m_s=DARK_M_S)


def ln_beta_lost(speed_m_s: float) -> float:
    """What ln of the ballistic coefficient still loses, from a speed on, of a body that keeps its shape."""
    return SHAPE_KEPT * 0.5 * ABLATION_S2_M2 * max(speed_m_s**2 - DARK_M_S**2, 0.0)


def mass_before(speed_m_s: float) -> float:
    """What a body had at a speed over what it has left in dark flight: dm / m = sigma v dv, MOST_BEFORE at the most."""
    return math.exp(min(ln_beta_lost(speed_m_s) / SHAPE_KEPT, math.log(MOST_BEFORE)))


def meteoroid(
    shape: str, mass_kg: float = MASS_KG, ln_mass_sigma: float = LN_MASS_SIGMA, ln_by_mach: float = 0.0
) -> tuple[Kind, ...]:
    """Kinds of meteoroids of a shape ("sphere" or "fragment"), of a mass known to so much.

    With area a (m / rho)^(2/3), m / (Cd A) is m^(1/3) rho^(2/3) / (Cd a), Cd that of hypersonic speed; ln_by_mach:
    ln of the drag coefficient over that at the speed for which the kinds are wanted. Raises `UsageError` for another
    shape, and for a mass or sigma that is not above 0.
    """
    if shape not in SHAPES:
        raise UsageError(f"meteoroid: shape is {shape!r}, must be one of {', '.join(SHAPES)}")
    for name, value, unit in (("mass_kg", mass_kg, " kg"), ("ln_mass_sigma", ln_mass_sigma, "")):
        if not (math.isfinite(value) and value > 0.0):
            raise UsageError(f"meteoroid: {name} is {value}{unit}, must be above 0")
    _, factor, factor_sigma = SHAPES[shape]
    least = math.log(mass_kg) / 3.0 - math.log(hypersonic_coefficient(shape) * factor) - ln_by_mach
    return tuple(
        Kind(
            name,
            share,
            least + 2.0 / 3.0 * math.log(density),
            math.sqrt((ln_mass_sigma / 3.0) ** 2 + (2.0 / 3.0 * sigma) ** 2 + factor_sigma**2),
        )
        for name, share, density, sigma in DENSITIES
    )


def fall_line(
    state: ArrayLike,
    masses_kg: ArrayLike = LINE_KG,
    forces: Forces = STANDARD,
    *,
    density_kg_m3: float = LINE_DENSITY_KG_M3,
    shape: str = LINE_SHAPE,
    ground_m: float = 0.0,
) -> FallLine:
    """Where bodies of masses (n,) on the ground come down from a state (6,), ECEF in m and m/s.

    forces: with the wind, if it is known; ablation is set here. shape: "sphere" or "fragment". A body that ablates
    starts with more than it lands with: the start is found by trying. Raises `UsageError` for a shape, a mass or a
    density that cannot be.
    """
    if shape not in SHAPES:
        raise UsageError(f"fall_line: shape is {shape!r}, must be one of {', '.join(SHAPES)}")
    mass = np.atleast_1d(np.asarray(masses_kg, float))
    for name, value, unit in (
        ("masses_kg", mass, "kg"),
        ("density_kg_m3", np.array([density_kg_m3]), "kg/m3"),
    ):
        if not (np.isfinite(value) & (value > 0.0)).all():
            raise UsageError(f"fall_line: {name} must be above 0 {unit}, is {value.tolist()}")
    burning = ablating(with_shape(forces, shape))
    x = np.tile(np.asarray(state, float), (len(mass), 1))
    start = mass.copy()
    for _ in range(TRIES):
        beta = _coefficient(shape, start, density_kg_m3)
        flown = to_ground(x, beta, burning, ground_m=ground_m, longest_s=LONGEST_FLIGHT_S)
        landed = start * (flown.ballistic_coefficient_kg_m2 / beta) ** (1.0 / SHAPE_KEPT)
        with np.errstate(invalid="ignore", divide="ignore"):
            off = np.where(flown.status == LANDED, mass / landed, 1.0)
        if (abs(off - 1.0) < NEAR_MASS).all():
            break
        start = start * np.clip(off, 0.01, 100.0)
    met = (flown.status == LANDED) & (abs(off - 1.0) < FOUND_MASS)
    latitude, longitude, _ = ecef_to_geodetic(np.where(met[:, None], flown.state[:, :3], np.nan))
    return FallLine(
        mass,
        np.where(met, start, np.nan),
        latitude,
        longitude,
        np.where(met, flown.time_s, np.nan),
        density_kg_m3,
        shape,
    )


def _coefficient(shape: str, mass_kg: Floats, density_kg_m3: float) -> Floats:
    return ballistic_coefficient(shape, mass_kg, SHAPES[shape][1] * (mass_kg / density_kg_m3) ** (2.0 / 3.0))
