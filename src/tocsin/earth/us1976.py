"""The U.S. Standard Atmosphere 1976 from -5 to 1,000 km, by its own equations.

Source: NOAA, NASA, USAF (1976), U.S. Standard Atmosphere, NOAA-S/T 76-1562; equations, tables and
constants below are named by its numbers. Up to 86 km the layers of table 4; above it the gases one by
one, each by its diffusion integral (equations 32 to 41).

The integrals are taken once, by Gauss-Legendre panels whose edges lie on every height where an
equation changes. A polynomial through the nodes of a panel gives the integral up to any height inside.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tocsin.errors import DataError

Floats = NDArray[np.float64]

# table 2 and page 9
GAS_CONSTANT_J_KMOL_K = 8314.32
AVOGADRO_PER_KMOL = 6.022169e26
BOLTZMANN_J_K = 1.380622e-23
MOLAR_MASS_KG_KMOL = 28.9644
GRAVITY_M_S2 = 9.80665
RADIUS_M = 6356766.0
HEAT_RATIO = 1.4
SEA_LEVEL_TEMPERATURE_K = 288.15
SEA_LEVEL_PRESSURE_PA = 101325.0

BOTTOM_M = -5e3
MIXED_TOP_M = 86e3  # Z7
TOP_M = 1000e3

# table 4: geopotential height (m) and lapse rate (K/m) of the layers
LAYER_HEIGHT_M = np.array([0.0, 11e3, 20e3, 32e3, 47e3, 51e3, 71e3])
LAYER_LAPSE_K_M = np.array([-6.5e-3, 0.0, 1e-3, 2.8e-3, 0.0, -2.8e-3, -2e-3])

# table 8: geometric height (m) and molar mass over that at sea level
RATIO_HEIGHT_M = np.linspace(80e3, 86e3, 13)
RATIO = np.array(
    [
        1.0, 0.999996, 0.999989, 0.999971, 0.999941, 0.999909, 0.999870,
        0.999829, 0.999786, 0.999741, 0.999694, 0.999641, 0.999579,
    ]
)  # fmt: skip

# tables 5 and 6: temperatures (K) above 86 km
T7_K, T9_K, T10_K, T11_K, T_INFINITY_K = 186.8673, 240.0, 360.0, 999.2356, 1000.0
LAPSE9_K_M = 0.012
ELLIPSE_CENTRE_K, ELLIPSE_HEIGHT_K, ELLIPSE_WIDTH_M = 263.1905, 76.3232, 19942.9  # Tc, -A, -a of equation 27
DECAY_PER_M = LAPSE9_K_M / (T_INFINITY_K - T10_K)  # lambda

EDDY_M2_S = 120.0  # K7
HYDROGEN_FLUX_PER_M2_S = 7.2e11
HYDROGEN_BOTTOM_M, HYDROGEN_LEVEL_M = 150e3, 500e3  # lowest height, and Z11 of the number that follows
HYDROGEN_PER_M3 = 8e10


class _Gas(NamedTuple):
    """A row of tables 3, 6, 7 and 9; the unused fields of nitrogen and hydrogen are zero."""

    molar_mass_kg_kmol: float
    per_m3: float = 0.0  # at 86 km
    alpha: float = 0.0  # thermal diffusion
    a: float = 0.0  # molecular diffusion, 1/(m s)
    b: float = 0.0
    Q: float = 0.0  # vertical transport, 1/m3
    U: float = 0.0  # m
    W: float = 0.0  # 1/m3


NITROGEN = _Gas(28.0134, 1.129794e20)
OXYGEN_ATOM = _Gas(15.9994, 8.6e16, 0.0, 6.986e20, 0.75, -5.809644e-13, 56903.11, 2.706240e-14)
OXYGEN = _Gas(31.9988, 3.030898e19, 0.0, 4.863e20, 0.75, 1.366212e-13, 86e3, 8.333333e-14)
ARGON = _Gas(39.948, 1.351400e18, 0.0, 4.487e20, 0.87, 9.434079e-14, 86e3, 8.333333e-14)
HELIUM = _Gas(4.0026, 7.5817e14, -0.4, 1.7e21, 0.691, -2.457369e-13, 86e3, 6.666667e-13)
HYDROGEN = _Gas(1.00797, 0.0, -0.25, 3.305e21, 0.5)
# table 7: q, u and w, the second transport term of atomic oxygen, below 97 km
OXYGEN_Q_PER_M3, OXYGEN_U_M, OXYGEN_W_PER_M3 = -3.416248e-12, 97e3, 5.008765e-13

GASES = (NITROGEN, OXYGEN_ATOM, OXYGEN, ARGON, HELIUM, HYDROGEN)
MASSES = np.array([gas.molar_mass_kg_kmol for gas in GASES])
NUMBERS = np.array([gas.per_m3 for gas in GASES[:5]])

# Panels: every height where an equation changes (91, 95, 97, 100, 110, 115, 120, 150, 500 km) is an edge.
NODES = 6
EDGES_M = 1e3 * np.concatenate([np.arange(86, 120), np.arange(120, 200, 2), np.arange(200, 1001, 10)])


class Air(NamedTuple):
    """Air at heights, each field shaped like the heights asked for."""

    temperature_k: Floats  # kinetic
    pressure_pa: Floats
    density_kg_m3: Floats
    sound_speed_m_s: Floats
    molar_mass_kg_mol: Floats


class _Integrals(NamedTuple):
    """Integrals from 86 km up: of the exponents of the five gases, of hydrogen's, and of hydrogen's flow."""

    rate: Floats  # (7, panels, nodes) what is integrated, at the nodes
    to_edge: Floats  # (7, panels + 1) its integral up to each edge


def standard_air(height_m: ArrayLike) -> Air:
    """Air of the standard at geometric heights (m), an array of any shape.

    Below -5 km the air of -5 km. Above 1,000 km density and pressure are zero, temperature and molar
    mass those of 1,000 km. The standard defines no speed of sound above 86 km: that of 86 km is held.
    Between 80 and 86 km the temperature is the kinetic one, by table 8; table I prints the
    molecular-scale one there, up to 0.08 K higher.
    Raises DataError where a height is not finite.
    """
    height = np.asarray(height_m, dtype=np.float64)
    z = height.ravel()
    if not np.isfinite(z).all():
        bad = int(np.argmin(np.isfinite(z)))
        raise DataError(f"height_m[{bad}] is {z[bad]}; a height must be a finite number of metres")
    mixed = _mixed(np.clip(z, BOTTOM_M, MIXED_TOP_M))
    separated = _separated(np.clip(z, MIXED_TOP_M, TOP_M))
    is_mixed = z < MIXED_TOP_M
    temperature, pressure, density, mass = (
        np.where(is_mixed, low, high) for low, high in zip(mixed[:4], separated, strict=True)
    )
    there = z <= TOP_M
    fields = (temperature, pressure * there, density * there, mixed[4], mass)
    return Air(*(field.reshape(height.shape) for field in fields))


def _layer_pressure(bottom_pa: Floats, bottom_k: Floats, lapse: Floats, rise: Floats) -> Floats:
    """Pressure (Pa) a geopotential rise (m) above a level: equation 33a, and 33b where there is no lapse."""
    k = GRAVITY_M_S2 * MOLAR_MASS_KG_KMOL / GAS_CONSTANT_J_KMOL_K
    steady = lapse == 0.0
    exponent = np.log1p(lapse * rise / bottom_k) / np.where(steady, 1.0, lapse)
    pressure: Floats = bottom_pa * np.exp(-k * np.where(steady, rise / bottom_k, exponent))
    return pressure


def _layers() -> tuple[Floats, Floats]:
    """Molecular-scale temperatures (K) and pressures (Pa) at the bottoms of the layers of table 4."""
    thick = np.diff(LAYER_HEIGHT_M)
    climb = np.concatenate([[0.0], np.cumsum(LAYER_LAPSE_K_M[:-1] * thick)])
    kelvin = SEA_LEVEL_TEMPERATURE_K + climb
    ratio = _layer_pressure(np.ones(6), kelvin[:-1], LAYER_LAPSE_K_M[:-1], thick)
    return kelvin, SEA_LEVEL_PRESSURE_PA * np.concatenate([[1.0], np.cumprod(ratio)])


LAYER_TEMPERATURE_K, LAYER_PRESSURE_PA = _layers()


def _mixed(z: Floats) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Temperature, pressure, density, molar mass (kg/mol) and speed of sound up to 86 km."""
    h = RADIUS_M * z / (RADIUS_M + z)  # equation 18
    i = np.maximum(np.searchsorted(LAYER_HEIGHT_M, h, side="right") - 1, 0)
    rise, lapse = h - LAYER_HEIGHT_M[i], LAYER_LAPSE_K_M[i]
    scale_k = LAYER_TEMPERATURE_K[i] + lapse * rise  # molecular-scale temperature, equation 23
    pressure = _layer_pressure(LAYER_PRESSURE_PA[i], LAYER_TEMPERATURE_K[i], lapse, rise)
    per_kelvin = GAS_CONSTANT_J_KMOL_K / MOLAR_MASS_KG_KMOL
    ratio = np.interp(z, RATIO_HEIGHT_M, RATIO)
    density = pressure / (per_kelvin * scale_k)  # equation 42
    sound = np.sqrt(HEAT_RATIO * per_kelvin * scale_k)  # equation 50
    return scale_k * ratio, pressure, density, 1e-3 * MOLAR_MASS_KG_KMOL * ratio, sound


def _temperature(z: Floats) -> tuple[Floats, Floats]:
    """Temperature (K) and its gradient (K/m) above 86 km: equations 25 to 31."""
    x = np.clip((z - 91e3) / ELLIPSE_WIDTH_M, 0.0, 0.96)
    root = np.sqrt(1.0 - x * x)
    falling = (RADIUS_M + 120e3) / (RADIUS_M + z)
    below = (T_INFINITY_K - T10_K) * np.exp(-DECAY_PER_M * np.maximum(z - 120e3, 0.0) * falling)
    where = [z < 91e3, z < 110e3, z < 120e3]
    kelvin = np.select(
        where,
        [T7_K, ELLIPSE_CENTRE_K - ELLIPSE_HEIGHT_K * root, T9_K + LAPSE9_K_M * (z - 110e3)],
        T_INFINITY_K - below,
    )
    gradient = np.select(
        where,
        [0.0, ELLIPSE_HEIGHT_K / ELLIPSE_WIDTH_M * x / root, LAPSE9_K_M],
        DECAY_PER_M * below * falling * falling,
    )
    return kelvin, gradient


def _transport(z: Floats, gas: _Gas) -> Floats:
    """The transport term of equation 37 (1/m)."""
    up = z - gas.U
    rate: Floats = gas.Q * up**2 * np.exp(-gas.W * up**3)
    if gas is OXYGEN_ATOM:
        down = np.maximum(OXYGEN_U_M - z, 0.0)
        rate += OXYGEN_Q_PER_M3 * down**2 * np.exp(-OXYGEN_W_PER_M3 * down**3)
    return rate


# The integral of the polynomial through values at the nodes of a panel [-1, 1], from -1 to x:
# powers(x) @ TO_WEIGHTS @ values, with powers 0 to NODES.
_X = np.polynomial.legendre.leggauss(NODES)[0]
_BASIS = np.linalg.inv(np.vander(_X, increasing=True)) / np.arange(1, NODES + 1)[:, None]
TO_WEIGHTS = np.vstack([(-((-1.0) ** np.arange(1, NODES + 1))) @ _BASIS, _BASIS])
HALF_M = 0.5 * np.diff(EDGES_M)


def _weights(x: Floats) -> Floats:
    """Weights (..., NODES) of the integral from -1 to x (...)."""
    weights: Floats = x[..., None] ** np.arange(NODES + 1) @ TO_WEIGHTS
    return weights


@cache
def _integrals() -> _Integrals:
    z = EDGES_M[:-1, None] + HALF_M[:, None] * (1.0 + _X)  # (panels, nodes)
    inside, across = _weights(_X), _weights(np.array(1.0))
    rates, edges = [], []

    def integral(rate: Floats) -> Floats:
        """Integral from 86 km to each node, of a rate at the nodes (panels, NODES)."""
        edge = np.concatenate([[0.0], np.cumsum(HALF_M * (rate @ across))])
        rates.append(rate)
        edges.append(edge)
        reached: Floats = edge[:-1, None] + HALF_M[:, None] * (rate @ inside.T)
        return reached

    t, gradient = _temperature(z)
    weight = GRAVITY_M_S2 * (RADIUS_M / (RADIUS_M + z)) ** 2 / (GAS_CONSTANT_J_KMOL_K * t)  # g / (R T)
    squares = np.maximum(4e8 - (z - 95e3) ** 2, 1.0)  # equation 7, between 95 and 115 km
    eddy = np.select([z < 95e3, z < 115e3], [EDDY_M2_S, EDDY_M2_S * np.exp(1.0 - 4e8 / squares)], 0.0)
    mixing = z < 100e3

    n = np.empty((5, *z.shape))
    n[0] = NITROGEN.per_m3 * T7_K / t  # equation 32
    n[0] *= np.exp(-integral(weight * np.where(mixing, MOLAR_MASS_KG_KMOL, NITROGEN.molar_mass_kg_kmol)))
    for i, gas in enumerate(GASES[1:5], start=1):
        others = n[:1] if i < 3 else n[:3]  # the oxygens diffuse through nitrogen, the rest through all three
        number = others.sum(axis=0)
        mean = np.tensordot(MASSES[: len(others)], others, 1) / number
        mass = np.where(mixing, MOLAR_MASS_KG_KMOL, mean)
        d = gas.a / number * (t / 273.15) ** gas.b  # equation 8
        # equation 36, multiplied out
        rate = weight * (d * gas.molar_mass_kg_kmol + eddy * mass) + d * gas.alpha / t * gradient
        n[i] = gas.per_m3 * T7_K / t * np.exp(-integral(rate / (d + eddy) + _transport(z, gas)))

    # hydrogen, equations 39 and 40: no flow is counted above 500 km
    level = int(np.searchsorted(EDGES_M, HYDROGEN_LEVEL_M))
    tau = integral(weight * HYDROGEN.molar_mass_kg_kmol)
    tau -= edges[-1][level]
    d = HYDROGEN.a / n.sum(axis=0) * (t / 273.15) ** HYDROGEN.b
    flow = HYDROGEN_FLUX_PER_M2_S / d * (t / T11_K) ** (1.0 + HYDROGEN.alpha) * np.exp(tau)
    integral(np.where((z > HYDROGEN_BOTTOM_M) & (z < HYDROGEN_LEVEL_M), flow, 0.0))
    to_edge = np.array(edges)
    to_edge[5:] -= to_edge[5:, level : level + 1]  # both counted from 500 km
    return _Integrals(np.array(rates), to_edge)


def number_densities(height_m: Floats) -> Floats:
    """Numbers (6, n) of N2, O, O2, Ar, He, H in a cubic metre at heights (n,) from 86 to 1,000 km."""
    rate, to_edge = _integrals()
    panel = np.clip(np.searchsorted(EDGES_M, height_m, side="right") - 1, 0, len(HALF_M) - 1)
    half = HALF_M[panel]
    weights = half[:, None] * _weights((height_m - EDGES_M[panel]) / half - 1.0)
    reached = to_edge[:, panel] + np.einsum("km,ikm->ik", weights, rate[:, panel])
    t = _temperature(height_m)[0]
    n = np.empty((6, len(height_m)))
    n[:5] = NUMBERS[:, None] * T7_K / t * np.exp(-reached[:5])
    n[5] = (HYDROGEN_PER_M3 - reached[6]) * (T11_K / t) ** (1.0 + HYDROGEN.alpha) * np.exp(-reached[5])
    n[5, height_m < HYDROGEN_BOTTOM_M] = 0.0
    return n


def _separated(z: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Temperature, pressure, density and molar mass (kg/mol) from 86 to 1,000 km."""
    n = number_densities(z)
    number, t = n.sum(axis=0), _temperature(z)[0]
    grams = MASSES @ n  # kg/kmol a cubic metre
    return t, number * BOLTZMANN_J_K * t, grams / AVOGADRO_PER_KMOL, 1e-3 * grams / number
