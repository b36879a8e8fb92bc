"""US Standard Atmosphere 1976 against its printed tables."""

import numpy as np
import pytest

from tocsin.earth.atmosphere import density_and_gradient, density_kg_m3, sound_speed_m_s, temperature_k

# NOAA-S/T 76-1562 (1976), table I by geometric height: km, temperature K, density kg/m3; table III: speed of sound m/s
LOWER = [
    (0, 288.150, 1.2250, 340.29),
    (1, 281.651, 1.1117, 336.43),
    (2, 275.154, 1.0066, 332.53),
    (5, 255.676, 7.3643e-1, 320.55),
    (10, 223.252, 4.1351e-1, 299.53),
    (15, 216.650, 1.9476e-1, 295.07),
    (20, 216.650, 8.8910e-2, 295.07),
    (25, 221.552, 4.0084e-2, 298.39),
    (30, 226.509, 1.8410e-2, 301.71),
    (40, 250.350, 3.9957e-3, 317.19),
    (50, 270.650, 1.0269e-3, 329.80),
    (60, 247.021, 3.0968e-4, 315.07),
    (70, 219.585, 8.2829e-5, 297.06),
]
# The model's temperature is the molecular-scale one, which from 80 km on exceeds the kinetic one of
# table I by up to 0.08 K: densities alone.
UPPER_DENSITY = [
    (80, 1.8458e-5), (86, 6.958e-6), (87, 5.824e-6), (89, 4.081e-6), (91, 2.860e-6), (93, 2.000e-6),
    (100, 5.604e-7), (110, 9.708e-8), (120, 2.222e-8), (125, 1.291e-8), (135, 5.465e-9), (145, 2.781e-9),
    (150, 2.076e-9), (170, 7.815e-10), (190, 3.581e-10), (200, 2.541e-10), (220, 1.367e-10),
    (240, 7.858e-11), (260, 4.742e-11), (280, 2.971e-11), (300, 1.916e-11), (350, 7.014e-12),
    (400, 2.803e-12), (450, 1.184e-12), (500, 5.215e-13), (550, 2.384e-13), (600, 1.137e-13),
    (650, 5.712e-14), (700, 3.070e-14), (750, 1.788e-14), (800, 1.136e-14), (850, 7.824e-15),
    (900, 5.759e-15), (950, 4.453e-15),
]  # fmt: skip


@pytest.mark.parametrize(("height_km", "kelvin", "density", "sound_m_s"), LOWER)
def test_lower_air_to_the_last_printed_digit(height_km, kelvin, density, sound_m_s):
    assert temperature_k(height_km * 1e3) == pytest.approx(kelvin, abs=6e-4)
    assert density_kg_m3(height_km * 1e3) == pytest.approx(density, rel=6e-5)  # five digits
    assert sound_speed_m_s(height_km * 1e3) == pytest.approx(sound_m_s, abs=6e-3)


@pytest.mark.parametrize(("height_km", "density"), UPPER_DENSITY)
def test_upper_air(height_km, density):
    # Four printed digits; between its knots the spline is off by at most 0.2 % (170, 350 km), where the
    # real air differs from the standard by tens of per cent.
    assert density_kg_m3(height_km * 1e3) == pytest.approx(density, rel=2.5e-3)


def test_the_gradient_is_that_of_the_density():
    heights = np.concatenate([np.linspace(-4.9e3, 85.9e3, 97), np.linspace(86.1e3, 999e3, 97)])
    for h in heights:
        density, gradient = density_and_gradient(h)
        assert density == density_kg_m3(h)
        low, high = np.log(density_kg_m3(h - 0.5)), np.log(density_kg_m3(h + 0.5))
        assert gradient == pytest.approx(high - low, rel=2e-4)


@pytest.mark.parametrize("height", [11019.1, 20063.1, 32161.9, 47350.1, 51412.5, 71802.0, 86e3, 100e3, 500e3])
def test_no_step_where_layers_meet(height):
    # the table itself is rounded at 86 km to one in 7,000
    assert density_kg_m3(height - 1e-3) == pytest.approx(density_kg_m3(height + 1e-3), rel=2e-4)


def test_beyond_the_table():
    assert density_and_gradient(1000e3) == (0.0, 0.0)
    assert density_and_gradient(3.6e7) == (0.0, 0.0)
    assert density_kg_m3(-9e3) == density_kg_m3(-5e3)  # the bottom of the table
    assert density_kg_m3(-4996.07) == pytest.approx(1.9305, rel=6e-5)  # table I at a geopotential -5 km
