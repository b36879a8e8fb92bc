"""Derivatives of an impact by departures of drag against flights whose drag departs, and where there is none."""

import math

import numpy as np
import pytest

from tocsin.earth.drag import drag_coefficient, hypersonic_coefficient
from tocsin.earth.forces import STANDARD
from tocsin.earth.integrate import new_tape
from tocsin.earth.status import LANDED
from tocsin.prediction.departures import (
    CONE,
    CUBE,
    MOST_MACH,
    STEADY,
    TUMBLING,
    TUMBLING_LN_BETA,
    WAYS,
    at_mach,
    mach_of,
)
from tocsin.prediction.impact import fall, ln_by_mach

from ..earth.flights import start
from .departed import departed


def falling(height_m, speed_m_s, climb_deg, beta):
    x = np.zeros(9)
    x[:6] = start(47.0, 33.0, height_m, speed_m_s, 70.0, climb_deg)
    x[6] = math.log(beta)
    return x


def ends(x, forces):
    """Place and time (4,) of the impact of a body of ln beta x[6] now, and its derivative (3, 4) by departures."""
    tumbles = x[6] <= TUMBLING_LN_BETA
    moved = x.copy()
    moved[6] += ln_by_mach(x, forces)
    code, time_s, y, _, D, _, _, _ = fall(moved, tumbles, 0.0, forces, new_tape())
    assert code == LANDED
    return np.append(y[:3], time_s), D


STATES = {
    "dense, from space": falling(150e3, 3000.0, -35.0, 4000.0),
    "dense, through the speed of sound": falling(20e3, 1000.0, -45.0, 1800.0),
    "dense, slower than sound": falling(4e3, 320.0, -60.0, 2500.0),
    "dense, still climbing": falling(15e3, 1500.0, 20.0, 3000.0),
    "tumbling, from space": falling(120e3, 2500.0, -30.0, 500.0),
    "tumbling, low": falling(12e3, 400.0, -50.0, 300.0),
    "tumbling, a slow fall": falling(60e3, 1500.0, -40.0, 30.0),
}


@pytest.mark.parametrize("name", STATES)
def test_derivatives_are_those_of_flights_whose_drag_departs(name):
    x = STATES[name]
    tumbles = x[6] <= TUMBLING_LN_BETA
    _, ours = ends(x, departed(x, tumbles, np.zeros(WAYS)))
    for way in range(WAYS):
        share = np.zeros(WAYS)
        share[way] = 0.1
        ahead, _ = ends(x, departed(x, tumbles, share))
        behind, _ = ends(x, departed(x, tumbles, -share))
        beside = (behind - ahead) / 0.2  # by ln beta: less drag
        # a place moves along the ground; of a slow fall the last part is taken as one, at its middle
        allowed = 0.06 if "slow" in name else 0.02
        np.testing.assert_allclose(
            ours[way, :3], beside[:3], rtol=0, atol=allowed * np.linalg.norm(beside[:3]) + 0.05
        )
        # a step may be off by a metre, and so the time by some milliseconds
        np.testing.assert_allclose(ours[way, 3], beside[3], rtol=allowed, atol=0.02)


def test_they_are_what_moves_the_impact():
    # of a body that passes the speed of sound: a fifth of the share of the cone is not nothing
    _, D = ends(STATES["dense, through the speed of sound"], STEADY)
    assert np.linalg.norm(D[0, :3]) > 50.0
    assert abs(D[0, 3]) > 0.3
    # and nothing departs that has no way left
    _, D = ends(falling(30.0, 900.0, -60.0, 4000.0), STEADY)
    assert np.abs(D).max() < 0.01


def test_of_what_tumbles_no_cone_is_believed():
    _, D = ends(STATES["tumbling, low"], TUMBLING)
    assert (D[0] == 0.0).all()
    assert np.abs(D[1:, 3]).min() > 0.0


def test_a_coefficient_that_is_the_same_at_every_speed_departs_by_air_alone():
    x = STATES["dense, through the speed of sound"]
    assert mach_of(x, STANDARD) == 0.0
    *_, D, _, _, _ = fall(x, False, 0.0, STANDARD, new_tape())
    assert (D[:2] == 0.0).all()
    assert np.abs(D[2]).max() > 1.0


@pytest.mark.parametrize(
    ("curve", "shape", "most"), [(CONE, "slender", MOST_MACH), (CUBE, "fragment", math.inf)]
)
def test_shares_are_of_the_logarithms_of_the_tables(curve, shape, most):
    hypersonic = float(drag_coefficient(shape, min(most, 30.0)))
    for mach in (0.0, 0.3, 0.8, 1.0, 1.1, 1.2, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0):
        expected = math.log(float(drag_coefficient(shape, mach)) / hypersonic)
        assert at_mach(mach, curve) == pytest.approx(expected, abs=2e-3)
    assert at_mach(30.0, curve) == pytest.approx(0.0, abs=1e-12)
    if shape == "fragment":
        assert hypersonic == hypersonic_coefficient(shape)
