"""Gravity against the gradient of its potential, and its derivative against a complex step."""

import numpy as np
import pytest

from tocsin.earth.gravity import gravity, gravity_gradient
from tocsin.units import EARTH_GM_M3_S2, EARTH_RATE_RAD_S, J2, SEMI_MAJOR_AXIS_M

RNG = np.random.default_rng(3)
POSITIONS = [
    *(
        v / np.linalg.norm(v) * r
        for v, r in zip(RNG.normal(size=(8, 3)), np.geomspace(6.36e6, 4.6e7, 8), strict=True)
    ),
    np.array([0.0, 0.0, 6.4e6]),
    np.array([0.0, 0.0, -6.4e6]),
    np.array([7e6, 0.0, 0.0]),
]


def potential(p):
    """Potential (m2/s2) with J2: GM/r (1 - J2 (a/r)2 P2(sin phi)), valid for complex components."""
    r2 = p[0] * p[0] + p[1] * p[1] + p[2] * p[2]
    r = np.sqrt(r2)
    legendre = 1.5 * p[2] * p[2] / r2 - 0.5
    return EARTH_GM_M3_S2 / r * (1.0 - J2 * SEMI_MAJOR_AXIS_M**2 / r2 * legendre)


def by_complex_step(function, p):
    """Derivatives of a function of position, exact to rounding (Squire and Trapp 1998)."""
    columns = []
    for i in range(3):
        q = p.astype(complex)
        q[i] += 1e-20j
        columns.append(np.imag(function(q)) / 1e-20)
    return np.stack(columns, -1)


def plain(p):
    """The acceleration in closed form for complex components, itself checked against the potential."""
    r2 = p[0] * p[0] + p[1] * p[1] + p[2] * p[2]
    k, j, q = -EARTH_GM_M3_S2 / r2**1.5, 1.5 * J2 * SEMI_MAJOR_AXIS_M**2 / r2, 5.0 * p[2] * p[2] / r2
    return np.array(
        [k * p[0] * (1 + j * (1 - q)), k * p[1] * (1 + j * (1 - q)), k * p[2] * (1 + j * (3 - q))]
    )


@pytest.mark.parametrize("p", POSITIONS)
def test_gravity_is_the_gradient_of_the_potential(p):
    np.testing.assert_allclose(gravity(*p), by_complex_step(potential, p), rtol=0, atol=1e-13)  # of 9.8 m/s2
    np.testing.assert_allclose(plain(p), by_complex_step(potential, p), rtol=0, atol=1e-13)


@pytest.mark.parametrize("p", POSITIONS)
def test_gradient_by_complex_step(p):
    exact = by_complex_step(plain, p)
    np.testing.assert_allclose(gravity_gradient(*p), exact, rtol=0, atol=1e-13 * np.abs(exact).max())
    assert abs(np.trace(gravity_gradient(*p))) < 1e-12 * np.abs(exact).max()  # Laplace


@pytest.mark.parametrize(
    ("p", "normal_gravity_m_s2"),
    [
        # WGS 84 (NGA.STND.0036, 2014, table 3.6), less the centrifugal part at the equator. The model
        # lacks J4 (-2.37e-6 for the normal ellipsoid): 5 J4 g = 1.2e-4 m/s2 at the poles.
        ((6378137.0, 0.0, 0.0), 9.7803253359 + EARTH_RATE_RAD_S**2 * 6378137.0),
        ((0.0, 0.0, 6356752.3142), 9.8321849378),
    ],
)
def test_normal_gravity(p, normal_gravity_m_s2):
    assert np.linalg.norm(gravity(*p)) == pytest.approx(normal_gravity_m_s2, abs=1.3e-4)
