"""Layers of air as flights evaluate them, against the standard; the fit, and its errors."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from tocsin.earth.air import FIT_ERROR, THINNEST_M, exponential, fit_layers
from tocsin.earth.forces import STANDARD, with_air
from tocsin.earth.motion import density_and_slope, layer_at
from tocsin.earth.us1976 import standard_air
from tocsin.earth.us1976_layers import US1976_LAYERS
from tocsin.errors import DataError

BUILDER = Path(__file__).parents[2] / "builders" / "us1976_layers.py"


def density(heights, forces=STANDARD):
    """Density and its logarithm's slope (n, 2) at heights, as flights have them."""
    return np.array([density_and_slope(h, layer_at(h, 1.0, forces.air_knots_m), forces) for h in heights])


def sound(heights, layers):
    """Speed of sound of the layers, by powers of the scaled height."""
    i = np.clip(np.searchsorted(layers.knots_m, heights, side="right") - 1, 0, len(layers.sound) - 1)
    low, high = layers.knots_m[i], layers.knots_m[i + 1]
    t = (2.0 * heights - low - high) / (high - low)
    return np.sqrt(sum(layers.sound[i, c] * t**c for c in range(layers.sound.shape[1])))


def builder():
    spec = importlib.util.spec_from_file_location("us1976_layers_builder", BUILDER)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_flights_have_the_standard_air_everywhere():
    heights = np.concatenate(
        [np.arange(-5e3, 200e3, 97.0), np.arange(200e3, 1000e3, 970.0), US1976_LAYERS.knots_m[:-1]]
    )
    air = standard_air(heights)
    assert density(heights)[:, 0] == pytest.approx(air.density_kg_m3, rel=1e-4)
    assert sound(heights, US1976_LAYERS) == pytest.approx(air.sound_speed_m_s, rel=1e-6)


def test_the_slope_is_that_of_the_density():
    heights = np.arange(-4.9e3, 999e3, 1777.0)
    heights = heights[[np.abs(h - US1976_LAYERS.knots_m).min() > 1.0 for h in heights]]
    fall = np.log(density(heights + 0.5)[:, 0]) - np.log(density(heights - 0.5)[:, 0])
    assert density(heights)[:, 1] == pytest.approx(fall, rel=1e-6)


def test_there_is_no_air_above_the_layers():
    assert density([1000.001e3, 4e7]).tolist() == [[0.0, 0.0], [0.0, 0.0]]


def test_below_the_layers_the_lowest_goes_on():
    # the standard's lowest lapse rate, 6.5 K/km, continued: density goes with the temperature's power of 4.25588
    kelvin = 288.15 + 6.5e-3 * 6356766.0 * 6e3 / (6356766.0 - 6e3)
    assert density([-6e3])[0, 0] == pytest.approx(1.2249992 * (kelvin / 288.15) ** 4.2558797, rel=1e-6)


def test_the_builder_gives_the_committed_numbers():
    build = builder()
    again = fit_layers(build.KNOTS_M, build.air_at)
    for new, committed in zip(again, US1976_LAYERS, strict=True):
        assert new.shape == committed.shape
        assert np.abs(new - committed).max() < 1e-12 * np.abs(committed).max()


def test_the_builder_writes_what_python_reads(tmp_path):
    build = builder()
    text = build.rows("_KNOTS_M", US1976_LAYERS.knots_m) + build.rows("_SOUND", US1976_LAYERS.sound)
    names = {"np": np}
    exec(text, names)  # noqa: S102
    assert (names["_KNOTS_M"] == US1976_LAYERS.knots_m).all()
    assert (names["_SOUND"] == US1976_LAYERS.sound).all()


def exponential_air(height_m):
    return 1.2 * np.exp(-height_m / 7200.0), np.full(len(height_m), 300.0)


def kinked_air(height_m):
    """An exponential with a kink at 1 km and at 21 km, where its scale height doubles and halves."""
    at = np.interp(height_m, [0.0, 1e3, 21e3, 40e3], [0.0, -0.2, -2.2, -6.0])
    return np.exp(at), 300.0 + 1e-3 * height_m


def test_an_exponential_is_fitted_exactly():
    layers = fit_layers([0.0, 30e3], exponential_air)
    assert len(layers.density) == 1
    heights = np.linspace(0.0, 30e3, 50)[:-1]
    assert density(heights, with_air(STANDARD, layers))[:, 0] == pytest.approx(
        exponential_air(heights)[0], rel=1e-12
    )
    assert sound(heights, layers) == pytest.approx(300.0, rel=1e-12)


def test_a_layer_too_rough_for_a_polynomial_is_halved():
    layers = fit_layers([0.0, 40e3], kinked_air)
    assert len(layers.density) > 4
    assert (np.diff(layers.knots_m) >= THINNEST_M).all()
    heights = np.linspace(0.0, 40e3, 4001)[:-1]
    thin = np.isin(
        np.diff(layers.knots_m), np.diff(layers.knots_m)[np.diff(layers.knots_m) < 2.0 * THINNEST_M]
    )
    in_thin = thin[np.clip(np.searchsorted(layers.knots_m, heights, side="right") - 1, 0, len(thin) - 1)]
    miss = np.abs(density(heights, with_air(STANDARD, layers))[:, 0] / kinked_air(heights)[0] - 1.0)
    assert miss[~in_thin].max() < 2.0 * FIT_ERROR  # between the nodes a little more than at them
    assert miss.max() < 0.02


@pytest.mark.parametrize("knots", [[], [0.0], [0.0, 0.0], [0.0, 2e3, 1e3], [[0.0, 1.0]], [0.0, np.nan]])
def test_bounds_that_do_not_rise(knots):
    with pytest.raises(DataError, match="layers of air: bounds must rise, at least two of them; got"):
        fit_layers(knots, exponential_air)


@pytest.mark.parametrize(
    ("name", "air_at"),
    [
        (
            r"density at 10\d{3} m must be above 0, is -\d\S* kg/m3",
            lambda h: (10e3 - h, np.full(len(h), 300.0)),
        ),
        (
            r"speed of sound at \d+ m must be above 0, is 0.0 m/s",
            lambda h: (np.exp(-h / 7e3), np.zeros(len(h))),
        ),
        (
            r"density at \d+ m must be above 0, is nan kg/m3",
            lambda h: (np.full(len(h), np.nan), np.ones(len(h))),
        ),
    ],
)
def test_air_that_is_none(name, air_at):
    with pytest.raises(DataError, match=f"layers of air: {name}"):
        fit_layers([0.0, 11e3], air_at)


def test_the_inlined_exponential():
    x = np.linspace(-10.0, 10.0, 2001)
    values = np.array([exponential(v) for v in x])
    miss = np.abs(values / np.exp(x) - 1.0)
    assert miss.max() < 2e-10
    assert miss[np.abs(x) < 5.0].max() < 1e-13
