"""Gravity against the gradient of its potential, and its derivative against complex steps."""

import numpy as np
import pytest

from tocsin.earth.forces import J3, J4
from tocsin.earth.gravity import gravity_gradient, gravity_terms
from tocsin.units import EARTH_GM_M3_S2, EARTH_RATE_RAD_S, J2, SEMI_MAJOR_AXIS_M

EARTH = EARTH_GM_M3_S2, SEMI_MAJOR_AXIS_M, J2, J3, J4
TERMS = {
    "all": EARTH,
    "J2": (*EARTH[:3], 0.0, 0.0),
    "J3": (*EARTH[:2], 0.0, 1e-3, 0.0),
    "J4": (*EARTH[:2], 0.0, 0.0, 1e-3),
}
RNG = np.random.default_rng(3)
OCTANTS = [np.array([a, b, c]) for a in (4e6, -4e6) for b in (3e6, -3e6) for c in (4.5e6, -4.5e6)]
POSITIONS = [
    *OCTANTS,
    *(
        v / np.linalg.norm(v) * r
        for v, r in zip(RNG.normal(size=(8, 3)), np.geomspace(6.36e6, 4.6e7, 8), strict=True)
    ),
    np.array([0.0, 0.0, 6.4e6]),
    np.array([0.0, 0.0, -6.4e6]),
    np.array([7e6, 0.0, 0.0]),
]


def gravity(p, terms=EARTH):
    r = np.linalg.norm(p)
    radial, axial = gravity_terms(*terms, p[2] / r, 1.0 / r)
    return radial * np.asarray(p) + np.array([0.0, 0.0, axial])


def gradient(p, terms=EARTH):
    out = np.empty((3, 3))
    gravity_gradient(*terms, *p, out)
    return out


def potential(p, terms):
    """Potential (m2/s2): GM/r (1 - sum J_n (a/r)^n P_n(sin phi)), valid for complex components."""
    gm, a, j2, j3, j4 = terms
    r2 = p[0] * p[0] + p[1] * p[1] + p[2] * p[2]
    r = np.sqrt(r2)
    s = p[2] / r
    legendre = (1.5 * s**2 - 0.5, 2.5 * s**3 - 1.5 * s, 4.375 * s**4 - 3.75 * s**2 + 0.375)
    return (
        gm
        / r
        * (1.0 - sum(j * (a / r) ** n * q for n, j, q in zip((2, 3, 4), (j2, j3, j4), legendre, strict=True)))
    )


def by_complex_step(function, p):
    """Derivatives of a function of position, exact to rounding (Squire and Trapp 1998)."""
    columns = []
    for i in range(3):
        q = p.astype(complex)
        q[i] += 1e-20j
        columns.append(np.imag(function(q)) / 1e-20)
    return np.stack(columns, -1)


def plain(p, terms):
    """The acceleration in closed form for complex components, itself checked against the potential."""
    gm, a, j2, j3, j4 = terms
    r2 = p[0] * p[0] + p[1] * p[1] + p[2] * p[2]
    r = np.sqrt(r2)
    s = p[2] / r
    q2, q3, q4 = j2 * (a / r) ** 2, j3 * (a / r) ** 3, j4 * (a / r) ** 4
    radial = -gm / r2 / r * (1.0 - _radial(s, q2, q3, q4))
    axial = -gm / r2 * (3.0 * q2 * s + q3 * (7.5 * s**2 - 1.5) + q4 * (17.5 * s**3 - 7.5 * s))
    return np.array([radial * p[0], radial * p[1], radial * p[2] + axial])


def _radial(s, q2, q3, q4):
    """Sum of q_n ((n + 1) P_n + s P'_n)."""
    p2, d2 = 1.5 * s**2 - 0.5, 3.0 * s
    p3, d3 = 2.5 * s**3 - 1.5 * s, 7.5 * s**2 - 1.5
    p4, d4 = 4.375 * s**4 - 3.75 * s**2 + 0.375, 17.5 * s**3 - 7.5 * s
    return q2 * (3 * p2 + s * d2) + q3 * (4 * p3 + s * d3) + q4 * (5 * p4 + s * d4)


@pytest.mark.parametrize("name", TERMS)
@pytest.mark.parametrize("p", POSITIONS)
def test_gravity_is_the_gradient_of_the_potential(p, name):
    exact = by_complex_step(lambda q: potential(q, TERMS[name]), p)
    np.testing.assert_allclose(gravity(p, TERMS[name]), exact, rtol=0, atol=1e-13)  # of 9.8 m/s2
    np.testing.assert_allclose(plain(p, TERMS[name]), exact, rtol=0, atol=1e-13)


@pytest.mark.parametrize("name", TERMS)
@pytest.mark.parametrize("p", POSITIONS)
def test_gradient_by_complex_step(p, name):
    exact = by_complex_step(lambda q: plain(q, TERMS[name]), p)
    ours = gradient(p, TERMS[name])
    np.testing.assert_allclose(ours, exact, rtol=0, atol=1e-13 * np.abs(exact).max())
    assert abs(np.trace(ours)) < 1e-12 * np.abs(exact).max()  # Laplace


@pytest.mark.parametrize(
    ("p", "normal_gravity_m_s2"),
    [
        # WGS 84 (NGA.STND.0036, 2014, table 3.6), less the centrifugal part at the equator. J3 and J4 are the real
        # Earth's, not those of the normal ellipsoid (0 and -2.37e-6): 4 J3 g and 5 (J4 + 2.37e-6) g at the poles.
        ((6378137.0, 0.0, 0.0), 9.7803253359 + EARTH_RATE_RAD_S**2 * 6378137.0),
        ((0.0, 0.0, 6356752.3142), 9.8321849378),
    ],
)
def test_normal_gravity(p, normal_gravity_m_s2):
    assert np.linalg.norm(gravity(p)) == pytest.approx(normal_gravity_m_s2, abs=1.5e-4)
