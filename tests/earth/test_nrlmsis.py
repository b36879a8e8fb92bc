"""Layers of NRLMSIS air against the model itself (pymsis), and a flight through them."""

import sys

import numpy as np
import pytest

from tocsin.earth.ellipsoid import enu_axes, geodetic_to_ecef
from tocsin.earth.flights import to_ground
from tocsin.earth.forces import STANDARD, with_air
from tocsin.earth.motion import density_and_slope, layer_at, mach_factor
from tocsin.earth.nrlmsis import HEAT_RATIO, SOUND_TOP_M, nrlmsis_layers
from tocsin.earth.status import LANDED
from tocsin.errors import UsageError

ORDINARY = {"f107": 150.0, "f107a": 150.0, "ap": 4.0}
NOON = 1_448_625_600.0  # 2015-11-27 12:00 UTC

CASES = [
    (NOON, -0.511, 2.399, {"f107": 110.0, "f107a": 115.0, "ap": 10.0}),
    (NOON + 0.25 * 365.25 * 86400.0, 1.2, -1.9, {"f107": 70.0, "f107a": 70.0, "ap": 3.0}),
    (NOON + 0.6 * 365.25 * 86400.0, 0.0, 0.0, {"f107": 220.0, "f107a": 200.0, "ap": 200.0}),
]


@pytest.fixture
def pymsis():
    return pytest.importorskip("pymsis", reason="pymsis is not installed (pip install tocsin[nrlmsis])")


def model(pymsis, time_s, latitude, longitude, heights, f107, f107a, ap):
    """Density, temperature and mean molar mass (kg/mol) of pymsis at heights (n,), by the gases' own masses."""
    date = np.datetime64(int(time_s), "s")
    place = np.degrees(longitude), np.degrees(latitude)
    out = pymsis.calculate(date, *place, heights / 1e3, [f107], [f107a], [[ap] * 7], version=2.1)
    out = out.reshape(-1, 11).astype(float)
    number = np.nan_to_num(out[:, 1:10])
    gram = [28.0134, 31.9988, 15.9994, 4.0026, 1.00797, 39.948, 14.0067, 15.9994, 30.0061]
    return out[:, 0], out[:, 10], 1e-3 * number @ gram / number.sum(axis=1)


@pytest.mark.parametrize(("time_s", "latitude", "longitude", "activity"), CASES)
def test_the_layers_are_the_model(pymsis, time_s, latitude, longitude, activity):
    layers = nrlmsis_layers(time_s, latitude, longitude, **activity)
    assert (layers.knots_m[0], layers.knots_m[-1]) == (-5e3, 1000e3)
    assert len(layers.density) <= 24
    forces = with_air(STANDARD, layers)
    heights = np.concatenate([np.arange(1.0, 130e3, 331.0), np.arange(130e3, 1000e3, 3310.0)])
    density, kelvin, mass = model(pymsis, time_s, latitude, longitude, heights, **activity)
    layer = [layer_at(h, 1.0, layers.knots_m) for h in heights]
    ours = [density_and_slope(h, i, forces)[0] for h, i in zip(heights, layer, strict=True)]
    assert ours == pytest.approx(density, rel=1e-4)
    # speed of sound, read through the Mach number: a curve that rises by 1 a Mach number
    ramp = np.zeros((400, 4))
    ramp[:, 0] = 0.05 * np.arange(400)
    ramp[:, 1] = 0.05
    slanted = forces._replace(curve=ramp)
    low = np.flatnonzero(heights < SOUND_TOP_M)
    sound = [1000.0 / mach_factor(1000.0, heights[i], layer[i], slanted)[0] for i in low]
    assert sound == pytest.approx(np.sqrt(HEAT_RATIO * 8.314462618 * kelvin[low] / mass[low]), rel=5e-4)
    held = [1000.0 / mach_factor(1000.0, heights[i], layer[i], slanted)[0] for i in (low[-1] + 1, -1)]
    assert held[0] == pytest.approx(held[1], rel=1e-9)


def test_below_height_0_the_air_rests_on_itself(pymsis):
    layers = nrlmsis_layers(*CASES[0][:3], **CASES[0][3])
    forces = with_air(STANDARD, layers)
    density, kelvin, mass = model(pymsis, *CASES[0][:3], np.array([0.0]), **CASES[0][3])
    depth = np.arange(0.0, 5e3, 100.0)
    ours = np.array([density_and_slope(-d, 0, forces)[0] for d in depth])
    assert ours[0] == pytest.approx(density[0], rel=1e-4)
    # closed form of an ideal gas with 6.5 K/km more and the gravity of sea level
    power = 9.80665 * mass[0] / (8.314462618 * 6.5e-3) - 1.0
    assert ours == pytest.approx(density[0] * (1.0 + 6.5e-3 * depth / kelvin[0]) ** power, rel=1e-4)


def test_a_flight_lands_near_that_through_the_standard_air(pymsis):
    layers = nrlmsis_layers(*CASES[0][:3], **CASES[0][3])
    latitude, longitude = CASES[0][1:3]
    velocity = np.array([2000.0, 3000.0, 500.0]) @ enu_axes(latitude, longitude)
    state = np.concatenate([geodetic_to_ecef(latitude, longitude, 110e3), velocity])
    landings = [to_ground(state, 3000.0, forces) for forces in (STANDARD, with_air(STANDARD, layers))]
    assert all(landing.status[0] == LANDED for landing in landings)
    apart = np.linalg.norm(landings[0].state[0, :3] - landings[1].state[0, :3])
    assert 300.0 < apart < 10e3


def test_activity_matters_high_up(pymsis):
    quiet = nrlmsis_layers(NOON, 0.0, 0.0, f107=70.0, f107a=70.0, ap=3.0)
    active = nrlmsis_layers(NOON, 0.0, 0.0, f107=220.0, f107a=220.0, ap=50.0)
    high, low = (
        [density_and_slope(h, layer_at(h, 1.0, a.knots_m), with_air(STANDARD, a))[0] for a in (quiet, active)]
        for h in (400e3, 20e3)
    )
    assert high[1] > 5.0 * high[0]
    assert low[1] == pytest.approx(low[0], rel=1e-3)


def test_it_says_what_to_install_where_pymsis_is_absent(monkeypatch):
    monkeypatch.setitem(sys.modules, "pymsis", None)
    with pytest.raises(UsageError, match=r"pip install tocsin\[nrlmsis\]"):
        nrlmsis_layers(NOON, 0.0, 0.0, **ORDINARY)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"f107": np.nan}, "f107 must be a finite number, is nan"),
        ({"f107a": 20.0}, r"f107a must be from 50 to 450 1e-22 W/\(m2 Hz\), is 20.0"),
        ({"ap": -1.0}, "ap must be from 0 to 400 nT, is -1.0"),
        ({"latitude_rad": 45.0}, "latitude_rad must be from -1.5708 to 1.5708 rad, is 45.0"),
        ({"time_s": np.inf}, "time_s must be a finite number, is inf"),
    ],
)
def test_values_out_of_their_limits(change, sentence):
    call = {"time_s": NOON, "latitude_rad": 0.0, "longitude_rad": 0.0, **ORDINARY, **change}
    with pytest.raises(UsageError, match=sentence):
        nrlmsis_layers(**call)
