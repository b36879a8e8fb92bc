"""NEES and NIS of errors that are drawn from their covariances, and of a Kalman filter."""

import numpy as np
import pytest
from scipy.linalg import solve_discrete_are

from tocsin.metrics.consistency import consistency, nees, nis, normalised_squared


def drawn(rng, n, d):
    root = rng.normal(size=(n, d, d))
    p = root @ root.transpose(0, 2, 1) + 1e-3 * np.eye(d)
    return np.einsum("nij,nj->ni", np.linalg.cholesky(p), rng.normal(size=(n, d))), p


def test_honest_covariances_give_the_dimension():
    errors, p = drawn(np.random.default_rng(0), 500, 6)
    found = nees(errors, p)
    assert found.low < found.mean < found.high
    assert (found.samples, found.expected) == (500, 6.0)
    assert found.mean == pytest.approx(np.einsum("ni,nij,nj->n", errors, np.linalg.inv(p), errors).mean())
    assert nees(2.0 * errors, p).mean == pytest.approx(4.0 * found.mean)


def test_the_interval_is_that_of_the_textbook():
    """Of 50 runs of two components: chi-square of 100 degrees lies in 74.22 to 129.56 with 95 % (Bar-Shalom, Li and
    Kirubarajan 2001, section 5.4 and table 1.5.4)."""
    found = consistency(np.full(50, 2.0), 2)
    assert (found.low, found.high) == pytest.approx((74.22 / 50, 129.56 / 50), abs=1e-4)
    each = consistency(np.full(50, 2.0), np.repeat([1, 3], 25))
    assert each == found


def test_it_holds_the_mean_in_95_of_100_cases():
    rng = np.random.default_rng(3)
    means = [consistency(np.sum(rng.normal(size=(40, 4)) ** 2, axis=1), 4) for _ in range(2000)]
    share = np.mean([m.low < m.mean < m.high for m in means])
    assert share == pytest.approx(0.95, abs=0.015)  # three sigma of 2,000 draws


def test_a_covariance_that_is_none_is_left_out():
    p = np.stack([np.eye(2), -np.eye(2)])
    values = normalised_squared(np.ones((2, 2)), p)
    assert values[0] == pytest.approx(2.0)
    assert np.isnan(values[1])
    assert consistency(values, 2).samples == 1
    assert consistency(values, np.array([2, 3])).expected == 2.0
    assert consistency(values[1:], 2).samples == 0


F = np.array([[1.0, 2.0], [0.0, 1.0]])
Q = 0.3 * np.array([[8.0 / 3.0, 2.0], [2.0, 2.0]])
H, R = np.array([[1.0, 0.0]]), np.array([[25.0]])


def tracked(rng, steps, q=1.0, r=1.0):
    """Errors and innovations of a Kalman filter on a drawn path, whose own Q and R are q and r times the true ones."""
    P = solve_discrete_are(F.T, H.T, Q, R)  # before an update, in its steady state
    x = np.linalg.cholesky(P) @ rng.normal(size=2)
    P = P * q
    m = np.zeros(2)
    errors, states, innovations, gains = [], [], [], []
    for _ in range(steps):
        innovation = H @ (x - m) + np.sqrt(R[0]) * rng.normal()
        S = H @ P @ H.T + r * R
        K = P @ H.T / S
        m = m + K @ innovation
        P = P - K @ S @ K.T
        errors.append(x - m)
        states.append(P)
        innovations.append(innovation)
        gains.append(S)
        x = F @ x + np.linalg.cholesky(Q) @ rng.normal(size=2)
        m, P = F @ m, F @ P @ F.T + q * Q
    return (np.array(a) for a in (errors, states, innovations, gains))


def test_a_kalman_filter_is_consistent():
    errors, P, innovations, S = tracked(np.random.default_rng(1), 4000)
    # white innovations; states are correlated over some steps, so every twentieth is taken
    for found, dimension in ((nis(innovations, S), 1.0), (nees(errors[::20], P[::20]), 2.0)):
        assert found.low < found.mean < found.high
        assert found.expected == dimension
    assert S[-1, 0, 0] == pytest.approx(solve_discrete_are(F.T, H.T, Q, R)[0, 0] + R[0, 0])
    assert nis(innovations, S).median == pytest.approx(0.4549, abs=0.05)  # of chi-square of one degree


def test_a_filter_that_takes_all_noise_for_half_is_seen():
    """With q and r both a quarter its gains stay the same, so every normalised square is four times what it was."""
    honest = list(tracked(np.random.default_rng(2), 300))
    sure = list(tracked(np.random.default_rng(2), 300, 0.25, 0.25))
    assert sure[2] == pytest.approx(honest[2])
    assert nis(sure[2], sure[3]).mean == pytest.approx(4.0 * nis(honest[2], honest[3]).mean)
    assert nis(sure[2], sure[3]).mean > nis(sure[2], sure[3]).high
    timid = nis(honest[2], 9.0 * honest[3])
    assert timid.mean < timid.low


def test_what_a_plot_does_not_measure_does_not_count():
    innovations, S = drawn(np.random.default_rng(5), 400, 4)
    innovations[::2, [0, 3]] = np.nan  # angles alone
    S[::2, 0], S[::2, :, 0] = np.nan, np.nan
    found = nis(innovations, S)
    assert found.expected == 3.0
    assert found.low < found.mean < found.high
    angles = nis(innovations[::2][:, 1:3], S[::2][:, 1:3, 1:3])
    whole = nis(innovations[1::2], S[1::2])
    assert found.mean == pytest.approx((angles.mean + whole.mean) / 2.0)
    nothing = nis(np.full((3, 2), np.nan), np.tile(np.eye(2), (3, 1, 1)))
    assert nothing.samples == 0
