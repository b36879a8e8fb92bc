"""US Standard Atmosphere 1976 against its printed table, and against its own differential equation."""

import csv
from pathlib import Path

import numpy as np
import pytest

from tocsin.earth.us1976 import (
    GRAVITY_M_S2,
    LAYER_HEIGHT_M,
    RADIUS_M,
    RATIO_HEIGHT_M,
    number_densities,
    standard_air,
)
from tocsin.errors import DataError

TABLE = Path(__file__).parents[2] / "authorities" / "us1976_table1.csv"
# the one cell that is farther off than 0.01 % and half a unit, in half units
WIDER = {("700000", "density_kg_m3"): 1.05}
MOLAR_MASS_KG_MOL = 28.9644e-3
BOUNDS_M = [RADIUS_M * h / (RADIUS_M - h) for h in LAYER_HEIGHT_M[1:]]


def rows():
    with TABLE.open() as file:
        return list(csv.DictReader(file))


def half_unit(printed):
    """Half a unit of the last digit of a printed number."""
    mantissa, _, exponent = printed.partition("e")
    return 0.5 * 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))


def test_the_table_spans_the_standard():
    heights = [float(row["height_m"]) for row in rows()]
    assert len(heights) >= 120
    assert heights == sorted(heights)
    assert (heights[0], heights[-1]) == (-5e3, 1000e3)


@pytest.mark.parametrize("row", rows(), ids=lambda row: row["height_m"])
def test_every_printed_cell(row):
    air = standard_air(float(row["height_m"]))
    scale = 1.0
    if float(row["height_m"]) < 86e3:  # the table's temperature is the molecular-scale one there
        scale = MOLAR_MASS_KG_MOL / air.molar_mass_kg_mol
    for column, value in (
        ("temperature_k", air.temperature_k * scale),
        ("pressure_pa", air.pressure_pa),
        ("density_kg_m3", air.density_kg_m3),
    ):
        if row[column]:
            printed = float(row[column])
            wide = WIDER.get((row["height_m"], column), 1.0)
            assert value == pytest.approx(printed, abs=max(wide * half_unit(row[column]), 1e-4 * printed)), (
                column
            )


def test_the_densities_obey_the_balance_of_each_gas():
    # Above 150 km there is no eddy diffusion and little transport: by equation 36 each gas but hydrogen, which
    # flows, falls off by (g M / R T + (1 + alpha) T' / T). Differences over 20 m.
    z = np.linspace(160e3, 990e3, 84)
    t = standard_air(z).temperature_k
    gradient = (standard_air(z + 10.0).temperature_k - standard_air(z - 10.0).temperature_k) / 20.0
    fall = -(np.log(number_densities(z + 10.0)) - np.log(number_densities(z - 10.0))) / 20.0
    weight = GRAVITY_M_S2 * (RADIUS_M / (RADIUS_M + z)) ** 2 / (8314.32 * t)
    for gas, (mass, alpha) in enumerate(
        [(28.0134, 0.0), (15.9994, 0.0), (31.9988, 0.0), (39.948, 0.0), (4.0026, -0.4)]
    ):
        expected = weight * mass + (1.0 + alpha) * gradient / t
        # transport of table 7 fades with height: 3e-7 per metre at most, of 5e-5
        assert fall[gas] == pytest.approx(expected, rel=1e-2 if gas < 4 else 5e-2)
        assert fall[gas][z > 300e3] == pytest.approx(expected[z > 300e3], rel=1e-5)


def test_pressure_carries_the_weight_of_the_air():
    # dp = -rho g dz up to 80 km, where the air is mixed
    z = np.linspace(-4990.0, 79_990.0, 500)
    z = z[[min(abs(h - bound) for bound in BOUNDS_M) > 10.0 for h in z]]
    fall = np.log(standard_air(z - 5.0).pressure_pa) - np.log(standard_air(z + 5.0).pressure_pa)
    air = standard_air(z)
    gravity = GRAVITY_M_S2 * (RADIUS_M / (RADIUS_M + z)) ** 2
    assert fall / 10.0 == pytest.approx(air.density_kg_m3 * gravity / air.pressure_pa, rel=1e-6)


@pytest.mark.parametrize("height_m", [0.0, *BOUNDS_M, *RATIO_HEIGHT_M[:-1], 91e3, 97e3, 110e3, 120e3, 500e3])
def test_no_step_where_an_equation_changes(height_m):
    below, above = standard_air(height_m - 1e-3), standard_air(height_m + 1e-3)
    for low, high in zip(below, above, strict=True):
        # within 2 mm density falls by 4e-7 at most. Equation 28 misses 240 K at 110 km by 0.3 mK.
        assert high == pytest.approx(low, rel=2e-6)


def test_hydrogen_starts_at_150_km():
    # in the standard too: 7 millionths of the pressure, next to nothing of the mass
    below, above = standard_air(150e3 - 1e-3), standard_air(150e3)
    assert above.pressure_pa == pytest.approx(below.pressure_pa, rel=1e-5)
    assert above.density_kg_m3 == pytest.approx(below.density_kg_m3, rel=1e-6)


def test_the_step_at_86_km():
    # The two halves of the standard meet there within their constants' digits: 1 in 50,000.
    below, above = standard_air(86e3 - 1e-3), standard_air(86e3 + 1e-3)
    assert above.density_kg_m3 == pytest.approx(below.density_kg_m3, rel=2e-5)
    assert above.pressure_pa == pytest.approx(below.pressure_pa, rel=2e-5)
    assert above.temperature_k == pytest.approx(below.temperature_k, abs=1e-3)


def test_the_speed_of_sound():
    # table III (page 3 of its metric part): 340.29, 295.07, 329.80, 289.40 m/s; held above 86 km
    heights = [0.0, 15e3, 50e3, 75e3]
    assert standard_air(heights).sound_speed_m_s == pytest.approx([340.29, 295.07, 329.80, 289.40], abs=5e-3)
    top = standard_air(86e3).sound_speed_m_s
    assert top == pytest.approx(274.10, abs=5e-3)
    assert (standard_air([100e3, 500e3, 2000e3]).sound_speed_m_s == top).all()


def test_shapes():
    assert all(field.shape == () for field in standard_air(10e3))
    assert all(field.shape == (0,) for field in standard_air([]))
    grid = np.array([[0.0, 50e3, 200e3], [90e3, 1.0, 2000e3]])
    air = standard_air(grid)
    for field, alone in zip(air, standard_air(grid[0, 2]), strict=True):
        assert field.shape == (2, 3)
        assert field[0, 2] == pytest.approx(alone, rel=1e-15)  # whatever stands beside it


def test_beyond_the_ends():
    for field, bottom in zip(standard_air(-9e3), standard_air(-5e3), strict=True):
        assert field == bottom
    top, beyond = standard_air(1000e3), standard_air([1000.001e3, 3.6e7])
    assert (beyond.density_kg_m3 == 0.0).all()
    assert (beyond.pressure_pa == 0.0).all()
    assert (beyond.temperature_k == top.temperature_k).all()
    assert (beyond.molar_mass_kg_mol == top.molar_mass_kg_mol).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_height_that_is_no_number(bad):
    with pytest.raises(DataError, match=r"height_m\[1\] is (nan|inf|-inf); a height must be a finite number"):
        standard_air([0.0, bad, bad])
