"""Measurements: no residual at the truth, rows and curvature by finite differences, noise and offsets as stated."""

import math

import numpy as np
import pytest

from tocsin.sensors.models import looks, residual_and_row, second_order
from tocsin.tracking.pairs import Offsets, blur2

from .geometry import one_look, plots_of, prior, rows_of, sensor, state_at

RADAR = sensor()
RNG = np.random.default_rng(11)
VELOCITY = (900.0, -2500.0, 1100.0)
GEOMETRIES = {
    "north": (400e3, 0.0, 20.0),
    "just west of north": (400e3, 359.9999, 20.0),
    "just east of north": (400e3, 0.0001, 20.0),
    "south": (400e3, 180.0, 3.0),
    "zenith": (200e3, 77.0, 90.0),
    "near the zenith": (200e3, 200.0, 89.999),
    "nadir": (200e3, 10.0, -90.0),
    "near the nadir": (800e3, 300.0, -89.9),
    **{
        f"random {i}": (
            RNG.uniform(10e3, 2e6),
            RNG.uniform(0, 360),
            math.degrees(math.asin(RNG.uniform(-1, 1))),
        )
        for i in range(12)
    },
}


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_no_residual_at_the_truth(geometry):
    x = state_at(RADAR, *GEOMETRIES[geometry], VELOCITY)
    position, axes, measured, *_ = rows_of(one_look(RADAR, plots_of(RADAR, x)))
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-14)
    H = np.empty(6)
    residual = [residual_and_row(q, x, position, axes, measured, H)[0] for q in range(4)]
    # angles: the noise of float64 at 6.4e6 m over 10 km is 1e-13; PROJ's rate is a difference quotient
    assert (np.abs(residual) < [1e-9, 1e-9, 1e-6, 1e-4]).all()


@pytest.mark.parametrize("geometry", GEOMETRIES)
@pytest.mark.parametrize("q", range(4))
def test_rows_by_finite_differences(geometry, q):
    x = state_at(RADAR, *GEOMETRIES[geometry], VELOCITY)
    position, axes, measured, *_ = rows_of(one_look(RADAR, plots_of(RADAR, x)))
    x[:6] += np.array([500.0, -300.0, 200.0, 10.0, -20.0, 5.0])  # away from the measured place
    H, other = np.empty(6), np.empty(6)
    residual_and_row(q, x, position, axes, measured, H)
    steps = np.array([10.0] * 3 + [0.1] * 3)
    for c in range(6):
        d = np.zeros(9)
        d[c] = steps[c]
        ahead, behind = (
            residual_and_row(q, x + s * d, position, axes, measured, other)[0] for s in (1.0, -1.0)
        )
        slope = -(ahead - behind) / (2.0 * steps[c])  # the residual falls as the prediction rises
        assert H[c] == pytest.approx(slope, abs=1e-5 * np.abs(H).max() + 1e-11)


@pytest.mark.parametrize("elevation_deg", [0.0, 30.0, 70.0, -80.0])
def test_angles_lie_across_the_sight(elevation_deg):
    x = state_at(RADAR, 300e3, 359.99, elevation_deg)
    exact = plots_of(RADAR, x)
    H = np.empty(6)
    for q, shift in ((0, [0.0, 1e-4, 0.0, 0.0]), (1, [0.0, 0.0, 1e-4, 0.0])):
        plots = exact._replace(measured=exact.measured + np.array(shift))
        position, axes, measured, variance, *_ = rows_of(one_look(RADAR, plots))
        angle = 1e-4 * (math.cos(math.radians(elevation_deg)) if q == 0 else 1.0)
        assert residual_and_row(q, x, position, axes, measured, H)[0] == pytest.approx(angle, rel=1e-3)
        sigma = 2e-3 * (math.cos(math.radians(elevation_deg)) if q == 0 else 1.0)
        assert math.sqrt(variance[q]) == pytest.approx(sigma, rel=1e-3)


def test_noise_is_scaled_a_quantity_at_a_time_and_offsets_are_named():
    """One factor a sensor and quantity; what is not known of an offset is no noise of the plots, but blurs them."""
    of = sensor(bias=(40.0, 0.0, 3e-3, 0.0), name="biased")
    other = sensor(name="other")
    x = state_at(of, 300e3, 50.0, 60.0)
    scale = np.array([[9.0, 9.0, 9.0, 9.0], [4.0, 3.0, 2.0, 0.25]])
    columns = np.array([[-1, -1, -1, -1], [0, 2, 1, -1]])
    look = looks(plots_of(of, x, index=1), (other, of), scale, columns)
    # in the order of Looks: right, above, range, range rate; an azimuth turns the sight by its cosine
    variance = [3.0 * 2e-3**2 * 0.25, 2.0 * 2e-3**2, 4.0 * 30.0**2, 0.25 * 2.0**2]
    np.testing.assert_allclose(look.variance[0], variance, rtol=1e-9)
    assert look.column[0].tolist() == [2, 1, 0, -1]
    np.testing.assert_allclose(look.lever[0], [0.5, 1.0, 1.0, 1.0], rtol=1e-9)
    assert look.log_area[0] == pytest.approx(math.log(0.5), rel=1e-9)
    blurred = blur2(look, Offsets(np.zeros(3), np.diag([40.0, 3e-3, 1e-3]) ** 2))
    np.testing.assert_allclose(blurred[0], np.add(variance, [0.25e-6, 9e-6, 1600.0, 0.0]), rtol=1e-9)
    known = looks(plots_of(other, x), (other, of), scale, columns)
    assert known.column[0].tolist() == [-1, -1, -1, -1]
    np.testing.assert_array_equal(blur2(known, Offsets(np.zeros(3), np.eye(3))), known.variance)


@pytest.mark.parametrize("q", [2, 3])
def test_second_order_by_differences_of_rows(q):
    """tr(MP)/2 and tr(MPMP)/2 with the Hessian M from differences of the rows."""
    x = state_at(RADAR, 300e3, 60.0, 30.0, VELOCITY)
    position, axes, measured, *_ = rows_of(one_look(RADAR, plots_of(RADAR, x)))
    P = prior(RADAR, x, 100.0, 5e3, 500.0)
    P[:3, 3:6] = P[3:6, :3] = 4e4 * np.eye(3)
    M = np.empty((6, 6))
    for c, step in enumerate([10.0] * 3 + [0.1] * 3):
        d = np.zeros(9)
        d[c] = step
        ahead, behind = np.empty(6), np.empty(6)
        residual_and_row(q, x + d, position, axes, measured, ahead)
        residual_and_row(q, x - d, position, axes, measured, behind)
        M[:, c] = (ahead - behind) / (2.0 * step)
    H = np.empty(6)
    residual, rho = residual_and_row(q, x, position, axes, measured, H)
    bias, spread = second_order(q, P, H, rho, measured[1] - residual, np.empty((6, 6)))
    MP = M @ P[:6, :6]
    assert bias == pytest.approx(0.5 * np.trace(MP), rel=1e-5)
    assert spread == pytest.approx(0.5 * np.trace(MP @ MP), rel=1e-5)
