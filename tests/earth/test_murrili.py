"""The Murrili meteorite: the dark flight of a real fall by benchmarks/murrili.py, against where it was found.

What is drawn, and from where its spreads are, is said there. Nothing is fitted to the fall.
"""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from tocsin.earth.forces import STANDARD, with_air
from tocsin.earth.motion import density_and_slope, layer_at

FOLDER = Path(__file__).parents[3] / "shared" / "real" / "murrili"
BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "murrili.py"

pytestmark = [
    pytest.mark.compiled,
    pytest.mark.real,
    pytest.mark.skipif(not FOLDER.is_dir(), reason="the fall of Murrili is not beside the checkout"),
]


@pytest.fixture(scope="module")
def murrili():
    spec = importlib.util.spec_from_file_location("murrili_benchmark", BENCHMARK)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def fall(murrili):
    return murrili.read(FOLDER)


def test_the_files_are_read(murrili, fall):
    assert fall.value["mass0"] == 1.68
    assert fall.value["gndlvl"] == -15.0
    assert fall.profile.shape == (59, 6)
    east, north = murrili.winds(fall.profile)
    jet = int(
        np.argmax(fall.profile[:, 4])
    )  # 48.6 m/s from 284 degrees at 14.3 km: toward the east, a little south
    assert (east[jet], north[jet]) == pytest.approx((47.2, -11.5), abs=0.1)


def test_the_air_is_that_of_the_profile(murrili, fall):
    layers = murrili.air(fall.profile)
    forces = with_air(STANDARD, layers)
    for height, kelvin, pressure in fall.profile[:, :3]:
        density, _ = density_and_slope(height, layer_at(height, -1.0, layers.knots_m), forces)
        assert density == pytest.approx(pressure / (287.053 * kelvin), rel=2e-4)


# The flight as stated lands 0.25 km (the roundest sphere) and 0.30 km (a cube) from the find; without wind 2.7 and
# 3.5 km west of it. An independent plain integration gave 0.3 and 3 km (real/README.md).
@pytest.mark.parametrize("shape", ["sphere", "fragment"])
def test_the_flight_as_stated(murrili, fall, shape):
    assert np.hypot(*murrili.plain(fall, True, shape)) < 400.0
    east, north = murrili.plain(fall, False, shape)
    assert -4000.0 < east < -2500.0
    assert abs(north) < 300.0


def test_the_find_is_in_the_region_with_the_wind(murrili, fall):
    found = murrili.region(murrili.cloud(fall, 1000, np.random.default_rng(20151127)), cells=60)
    # of 5,000 samples: 260 m, 10 km2, 7 %
    assert found.mean_off_m < 500.0
    assert 5.0 < found.area_km2 < 16.0
    assert found.level < 0.5


def test_the_find_is_in_the_smaller_region_of_errors_that_cancel(murrili, fall):
    impacts = murrili.cloud(fall, 400, np.random.default_rng(20151127), "errors of the heights")
    found = murrili.region(impacts, cells=60)
    # of 5,000 samples: 260 m, 0.8 km2, 79 %
    assert found.mean_off_m < 350.0
    assert 0.4 < found.area_km2 < 1.5
    assert found.level < murrili.LEVEL


def test_without_the_wind_the_find_is_far_outside(murrili, fall):
    found = murrili.region(murrili.cloud(fall, 1000, np.random.default_rng(20151127), "none"), cells=60)
    assert found.mean_off_m > 2500.0
    assert found.level == 1.0


def test_a_region_of_a_known_cloud(murrili):
    # a normal cloud with its mean 1.2 and 0.5 standard deviations from the find: 1 - exp(-(1.2^2 + 0.5^2) / 2) of it
    # is denser, and its region of 95 % has the area 5.99 pi sigma_x sigma_y. The kernel widens it by 1 + n^(-1/3).
    impacts = np.random.default_rng(3).normal([1200.0, 250.0], [1000.0, 500.0], (4000, 2))
    found = murrili.region(impacts)
    assert found.mean_off_m == pytest.approx(np.hypot(1200.0, 250.0), abs=50.0)
    assert found.level == pytest.approx(1.0 - np.exp(-0.5 * (1.2**2 + 0.5**2)), abs=0.04)
    assert found.area_km2 == pytest.approx(5.99 * np.pi * 0.5, rel=0.1)
