"""How orbits with few plots move, what their plots say, and first guesses of them."""

import math

import numpy as np
import pytest

from tocsin.earth.flights import to_time
from tocsin.sensors.coverage import log_clutter_density, log_clutter_density_of, scan_s, sparse
from tocsin.tracking.pairs import Offsets, Scan, pairs_of
from tocsin.tracking.sparse_fit import fit_orbit, system
from tocsin.tracking.sparse_guess import Fix, flown_between
from tocsin.tracking.steady import coast, perigee
from tocsin.tracking.tracks import begun
from tocsin.units import EARTH_GM_M3_S2, EARTH_RATE_RAD_S

from ..earth.flights import fly
from ..sensors.geometry import NAN, one_look, place, plots_of, sensor
from .test_sparse import BIAS, SIGMA, orbit, stations


def test_an_orbit_moves_as_others_fly_it():
    x, P, A = orbit(radius_m=12e6), np.eye(9), np.zeros((9, 1))
    start = x.copy()
    coast(x, P, A, 1500.0, 0.0)
    want = fly(start[:6], 1500.0)
    assert np.linalg.norm(x[:3] - want[:3]) < 0.1  # m
    assert np.linalg.norm(x[3:6] - want[3:6]) < 1e-4
    coast(x, P, A, -1500.0, 0.0)
    np.testing.assert_allclose(x[:6], start[:6], atol=0.1)


def test_its_covariance_moves_with_the_transition_matrix_and_grows_by_the_noise():
    start, sigma = orbit(), np.array([1e3] * 3 + [1.0] * 3)
    P, A = np.zeros((9, 9)), np.zeros((9, 2))
    P[:6, :6] = np.diag(sigma**2)
    A[:6] = np.arange(12.0).reshape(6, 2)
    F = to_time(start[:6], math.exp(start[6]), 600.0, transition=True).transition[0, :6, :6]
    want, moved_A = F @ P[:6, :6] @ F.T, F @ A[:6]
    x, still = start.copy(), P.copy()
    coast(x, still, A, 600.0, 0.0)
    np.testing.assert_allclose(still[:6, :6], want, atol=1e-3 * want.max())
    np.testing.assert_allclose(A[:6], moved_A, rtol=1e-3, atol=1.0)
    coast(start, P, np.zeros((9, 0)), 600.0, 1e-4)
    # a random walk of velocity, about as on a line: q t3 / 3 and q t
    np.testing.assert_allclose(np.diag(P - still)[:3], 1e-4 * 600.0**3 / 3.0, rtol=0.05)
    np.testing.assert_allclose(np.diag(P - still)[3:6], 1e-4 * 600.0, rtol=0.05)


def test_the_perigee_and_how_it_hangs_on_the_state():
    apogee_m, perigee_m = 42e6, 6.6e6
    x = orbit(radius_m=apogee_m, inclination_deg=10.0)
    inertial = x[3:6] + EARTH_RATE_RAD_S * np.array([-x[1], x[0], 0.0])
    speed = math.sqrt(EARTH_GM_M3_S2 * (2.0 / apogee_m - 2.0 / (apogee_m + perigee_m)))  # vis viva
    inertial *= speed / np.linalg.norm(inertial)
    x[3:6] = inertial - EARTH_RATE_RAD_S * np.array([-x[1], x[0], 0.0])
    lowest_m, gradient = perigee(x[:6])
    assert lowest_m == pytest.approx(perigee_m, abs=1.0)
    # d rp / d v at the apogee: 4 v a2 / GM (semi-major axis), all of it at the perigee
    a = 0.5 * (apogee_m + perigee_m)
    along = inertial / speed
    assert gradient[3:] @ along == pytest.approx(4.0 * a * a * speed / EARTH_GM_M3_S2, rel=1e-3)


def test_a_guess_between_two_exact_places_is_near_the_orbit():
    x = orbit()
    before, now = x.copy(), x.copy()
    now[:6] = to_time(x[:6], math.exp(x[6]), 1800.0).state[0]
    guess = flown_between(Fix(1800.0, now[:3], (1,), 0.0), Fix(0.0, before[:3], (0,), 0.0))
    assert np.linalg.norm(guess[3:6] - now[3:6]) < 20.0  # m/s, of 3,900
    assert flown_between(Fix(300.0, now[:3], (1,), 0.0), Fix(0.0, -now[:3], (0,), 0.0)) is None


def seen_pass(rng=None):
    """Looks of one station at an orbit over an hour, and its state (9,) at the first."""
    of, x = stations()[0], orbit(phase_deg=40.0)
    times_s = np.arange(0.0, 3600.0, 150.0)
    states = np.stack(
        [np.append(to_time(x[:6], math.exp(x[6]), float(t)).state[0], [0.0] * 3) for t in times_s]
    )
    return one_look(of, plots_of(of, states, times_s, rng=rng), offsets=(0, 1, 2, -1)), x


def test_the_equations_of_a_fit_are_derivatives():
    looks, x = seen_pass()
    state, offset = np.append(x[:6], [2e-6, -3e-6, 1e-6]), np.array([50.0, 1e-3, -1e-3])
    steps = np.array([10.0] * 3 + [1e-2] * 3 + [1e-6] * 3 + [1.0, 1e-6, 1e-6])
    at = system(looks, 1200.0, state, offset)
    for c, step in enumerate(steps):
        move = np.zeros(12)
        move[c] = step
        up, down = (system(looks, 1200.0, state + m[:9], offset + m[9:]) for m in (move, -move))
        want = (down.left - up.left) / (2.0 * step)
        np.testing.assert_allclose(at.rows[:, c], want, atol=2e-3 * np.abs(want).max())


def test_a_fit_finds_the_orbit_and_says_how_well():
    looks, x = seen_pass(np.random.default_rng(3))
    guess = np.append(x[:6] + np.array([2e5, -1e5, 1e5, 50.0, -50.0, 50.0]), [0.0] * 3)
    fit = fit_orbit(looks, 0.0, guess, np.zeros(3), np.diag(np.array(BIAS[:3]) ** 2))
    off = np.concatenate([fit.state[:6] - x[:6], fit.offset])
    C = np.delete(np.delete(fit.covariance, [6, 7, 8], 0), [6, 7, 8], 1)
    # with offsets of 0 the truth lies nearer than usual: chi-square of 9 is below 21.7 with 99 %
    assert off @ np.linalg.solve(C, off) < 21.7
    assert 0.6 < fit.squares / fit.numbers < 1.2
    assert fit_orbit(looks, 0.0, np.append(x[:3] * 0.1, np.zeros(6)), np.zeros(3), np.eye(3)) is None


def test_a_learned_offset_of_many_sigmas_leaves_plots_in_the_coarse_gate():
    of = sensor(SIGMA, bias=BIAS, period_s=150.0)
    x = orbit(phase_deg=40.0)
    of = of._replace(latitude_rad=math.radians(40.0), longitude_rad=math.radians(30.0))
    plot = plots_of(of, x[None], np.zeros(1))
    plot = plot._replace(measured=np.array([[NAN, plot.measured[0, 1] + 0.02, plot.measured[0, 2], NAN]]))
    look = one_look(of, plot, offsets=(0, 1, 2, -1))
    P = np.zeros((3, 9, 9))
    P[0, :6, :6] = np.diag([100.0**2] * 3 + [0.1**2] * 3)
    modes = np.stack([x, x, x]), P, np.zeros((3, 9, 3)), np.array([1.0, 0.0, 0.0])
    _, h = begun(1, 0, 0.99, 9, 0.0, 0.0, *modes, [(0, 1)], 1, True)
    offsets = Offsets(np.array([0.0, 0.02, 0.0]), np.diag([1.0, 1e-10, 1e-10]))
    scan = Scan(0, of, look, np.array([7]), place(of), 0.0)
    assert pairs_of(h, np.ones(1, np.int64), scan, np.array([0]), offsets, 1.0).theirs.tolist() == [0]
    none = offsets._replace(mean=np.zeros(3))
    assert len(pairs_of(h, np.ones(1, np.int64), scan, np.array([0]), none, 1.0).theirs) == 0


def test_what_looks_seldom_does_not_scan_the_sky():
    of = sensor(SIGMA, period_s=150.0)
    assert sparse(of)
    assert scan_s(of) == 30.0
    turning = of._replace(scan_period_s=12.0)
    assert not sparse(turning)
    assert scan_s(turning) == 12.0
    camera = of._replace(kind="optical")
    assert not sparse(camera)
    assert scan_s(camera) == 150.0


def test_false_plots_lie_denser_where_fewer_quantities_are_measured():
    of = stations()[0]
    whole = log_clutter_density(of)
    assert log_clutter_density_of(of, np.array([1.0, 1.0, 1.0, NAN])) == pytest.approx(whole)
    ranged = log_clutter_density_of(of, np.array([1.0, NAN, NAN, NAN]))
    assert ranged == pytest.approx(math.log(0.05 / 1e8))  # 0.05 a scan over 100,000 km
    angles = log_clutter_density_of(of, np.array([NAN, 1.0, 1.0, NAN]))
    assert angles == pytest.approx(math.log(0.05 / (2.0 * math.pi * math.pi / 2.0)))
