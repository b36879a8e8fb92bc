"""Kinds of bodies: nodes against a fine product of prior and likelihood, and which prior a state has."""

import math

import numpy as np
import pytest
from scipy.stats import norm

from tocsin.earth.ellipsoid import enu_axes, geodetic_to_ecef
from tocsin.prediction.kinds import LINEAR_SIGMA, NOTHING, Learned, chance_of_orbit, kinds_alone, nodes
from tocsin.prediction.priors import DEFAULT, Kind

FINE = np.linspace(math.log(2.0), math.log(100e3), 40_001)
LEARNED = [
    NOTHING,
    Learned(math.log(300.0), 1.0),
    Learned(math.log(3000.0), 4.0),
    Learned(math.log(60.0), 20.0),
]


def exact(kinds, learned):
    """The product of prior and likelihood on a fine grid, summing to 1."""
    density = sum(kind.share * norm.pdf(FINE, kind.ln_beta, kind.sigma) for kind in kinds)
    if learned.precision > 0.0:
        density = density * norm.pdf(FINE, learned.ln_beta, learned.precision**-0.5)
    return density / density.sum()


@pytest.mark.parametrize("learned", LEARNED)
@pytest.mark.parametrize("origin", DEFAULT._fields)
def test_nodes_are_the_product_of_prior_and_likelihood(origin, learned):
    kinds = getattr(DEFAULT, origin)
    at, weight, width = nodes(kinds, learned)
    assert weight.sum() == pytest.approx(1.0)
    assert len(at) <= 21
    density = exact(kinds, learned)
    cdf = np.cumsum(density)
    ours = (weight * norm.cdf((FINE[:, None] - at) / width)).sum(1)
    # nodes a few tenths apart: the cumulative distributions differ by no more than
    assert abs(ours - cdf).max() < 0.03
    mean, variance = density @ FINE, density @ (FINE - density @ FINE) ** 2
    assert weight @ at == pytest.approx(mean, abs=0.05)
    assert weight @ (at - weight @ at) ** 2 + width**2 == pytest.approx(variance, rel=0.12)


def test_a_narrow_likelihood_is_one_node():
    learned = Learned(math.log(700.0), 0.05**-2)
    at, weight, width = nodes(DEFAULT.child, learned)
    assert len(at) == 1
    assert weight.tolist() == [1.0]
    assert at[0] == pytest.approx(math.log(700.0), abs=0.01)
    assert width == pytest.approx(0.05, rel=0.02)
    assert width < LINEAR_SIGMA


def test_a_kind_that_was_ruled_out_has_no_nodes():
    kinds = (Kind("light", 0.5, math.log(20.0), 0.3), Kind("dense", 0.5, math.log(5000.0), 0.3))
    at, weight, _ = nodes(kinds, Learned(math.log(20.0), 10.0))
    assert weight[at > math.log(1000.0)].sum() < 1e-3


def test_two_kinds_far_apart_keep_their_shares():
    kinds = (Kind("light", 0.3, math.log(20.0), 0.3), Kind("dense", 0.7, math.log(5000.0), 0.3))
    at, weight, _ = nodes(kinds)
    assert weight[at < math.log(300.0)].sum() == pytest.approx(0.3, abs=0.02)


def state(height_m, speed_m_s, climb_deg, latitude_deg=0.0, heading_deg=90.0):
    latitude, heading, climb = np.radians([latitude_deg, heading_deg, climb_deg])
    local = speed_m_s * np.array(
        [math.sin(heading) * math.cos(climb), math.cos(heading) * math.cos(climb), math.sin(climb)]
    )
    return np.concatenate([geodetic_to_ecef(latitude, 0.3, height_m), local @ enu_axes(latitude, 0.3)])


@pytest.mark.parametrize(
    ("height_m", "speed_m_s", "climb_deg", "expected"),
    [
        (400e3, 7180.0, 0.0, 1.0),  # a circle
        (120e3, 7350.0, -1.0, 1.0),  # decaying
        (100e3, 15000.0, -20.0, 1.0),  # from beyond the Earth
        (300e3, 3500.0, -20.0, 0.0),
        (500e3, 6000.0, 30.0, 0.0),
        (20e3, 300.0, -80.0, 0.0),
    ],
)
def test_what_comes_from_an_orbit(height_m, speed_m_s, climb_deg, expected):
    x = state(height_m, speed_m_s, climb_deg)
    assert chance_of_orbit(x) == expected
    assert kinds_alone(x) == (DEFAULT.orbit if expected else DEFAULT.whole)


def test_between_an_orbit_and_a_throw_it_may_be_either():
    speeds_m_s = np.linspace(6000.0, 7500.0, 31)
    chances = np.array([chance_of_orbit(state(120e3, speed_m_s, -2.0)) for speed_m_s in speeds_m_s])
    assert chances[0] == 0.0
    assert chances[-1] == 1.0
    assert (np.diff(chances) >= 0.0).all()
    either = speeds_m_s[(chances > 0.0) & (chances < 1.0)]
    assert len(either) > 1
    kinds = kinds_alone(state(120e3, either[0], -2.0))
    assert sum(k.share for k in kinds) == pytest.approx(1.0)
    assert {k.name for k in kinds} == {"body", "hull", "stone", "any"}


@pytest.mark.parametrize("ln_beta", [-2.0, 0.5, 1.5, 2.0, 2.2, 11.6, 12.5, 20.0])
@pytest.mark.parametrize("sigma", [0.05, 0.11, 0.2, 0.5, 1.0])
@pytest.mark.parametrize("kinds", DEFAULT)
def test_what_drag_says_is_beyond_the_limits_still_has_nodes(kinds, ln_beta, sigma):
    at, weight, width = nodes(kinds, Learned(ln_beta, sigma**-2))
    assert np.isfinite(at).all()
    assert (weight >= 0.0).all()
    assert weight.sum() == pytest.approx(1.0)
    assert width > 0.0
    assert (np.diff(at) > 0.0).all()
