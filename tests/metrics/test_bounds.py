"""The bound's arithmetic against a joint Gaussian written out in full, and against closed forms."""

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy.linalg import solve_discrete_are

from tocsin.metrics.bounds import HOLDS_99, Information, covariance_at, ellipse_km2, maneuvering, recursive


def looks(rng, n=12, d=9):
    made = np.sort(rng.uniform(0.0, 30.0, n))
    received = made + rng.exponential(2.0, n)
    received[3] += 20.0
    h = np.zeros((n, 4, d))
    h[:, :, :6] = rng.normal(size=(n, 4, 6))
    weight = rng.uniform(0.5, 2.0, (n, 4))
    weight[:, 2] = 0.0  # not measured
    return made, Information(received, h, weight)


def test_information_adds_up():
    rng = np.random.default_rng(0)
    made, info = looks(rng)
    root = rng.normal(size=(9, 9))
    prior = root @ root.T + 0.1 * np.eye(9)
    for now in (-1.0, 5.0, 20.0, 100.0):
        wanted = np.linalg.inv(prior)
        for i in range(len(made)):
            if info.received_s[i] <= now:
                wanted += info.sensitivity[i].T @ np.diag(info.weight[i]) @ info.sensitivity[i]
        got = covariance_at(prior, info, np.array([now]))[0]
        assert got == pytest.approx(np.linalg.inv(wanted), rel=1e-8, abs=1e-10)


def joint(prior, start, info, made, now, q):
    """Covariance at ``now`` by conditioning the joint Gaussian of all states and measurements."""
    taken = [i for i in range(len(made)) if info.received_s[i] <= now and made[i] <= now]
    times = sorted({start, now, *(made[i] for i in taken)})
    d = len(prior)

    def f(dt):
        m = np.eye(d)
        for i in range(3):
            m[i, i + 3] = m[i + 3, i + 6] = dt
            m[i, i + 6] = dt**2 / 2
        return m

    def noise(dt):
        # the integral over s of q times the outer product of the response to jerk s before the end
        s, w = np.polynomial.legendre.leggauss(5)
        s, w = (s + 1) * dt / 2, w * dt / 2
        g = np.stack([s**2 / 2, s, np.ones_like(s)])
        out = np.zeros((d, d))
        out[:9, :9] = np.kron(q * (g * w) @ g.T, np.eye(3))
        return out

    cov = prior.copy()
    index = {times[0]: 0}
    for a, b in pairwise(times):
        step = f(b - a)
        last = slice(len(cov) - d, len(cov))
        cross = step @ cov[last]
        new = step @ cov[last, last] @ step.T + noise(b - a)
        cov = np.block([[cov, cross.T], [cross, new]])
        index[b] = len(cov) - d
    rows = np.concatenate([np.pad(info.sensitivity[i], ((0, 0), (index[made[i]], len(cov) - d - index[made[i]])))
                           [info.weight[i] > 0] for i in taken]) if taken else np.zeros((0, len(cov)))  # fmt: skip
    r = np.concatenate([1.0 / info.weight[i][info.weight[i] > 0] for i in taken]) if taken else np.zeros(0)
    s = rows @ cov @ rows.T + np.diag(r)
    gain = cov @ rows.T @ np.linalg.inv(s) if taken else np.zeros((len(cov), 0))
    after = cov - gain @ rows @ cov
    here = slice(index[now], index[now] + d)
    return after[here, here]


def test_a_late_look_is_taken_in_its_own_place():
    rng = np.random.default_rng(1)
    made, info = looks(rng)
    prior = np.diag(rng.uniform(1.0, 50.0, 9))
    moments = np.array([4.0, 11.0, 19.0, 30.0, 45.0])
    got = maneuvering(prior, 0.0, info, made, moments, 0.7)
    for now, p in zip(moments, got, strict=True):
        assert p == pytest.approx(joint(prior, 0.0, info, made, now, 0.7), rel=1e-4, abs=1e-4)


def test_the_ellipse_holds_99_percent():
    p = np.array([[4e6, 1e6], [1e6, 1e6]])
    rng = np.random.default_rng(2)
    x = rng.multivariate_normal([0, 0], p, 200_000)
    inside = np.einsum("ni,ni->n", x, np.linalg.solve(p, x.T).T) <= HOLDS_99
    assert inside.mean() == pytest.approx(0.99, abs=0.001)
    assert ellipse_km2(p) == pytest.approx(np.pi * 9.2103404 * np.sqrt(3e12) / 1e6)


def kalman(prior, F, Q, H, R, detection):
    """Covariances of a Kalman filter, step by step as in a textbook (Joseph form)."""
    out, P = [], prior
    for f, q, h, r, seen in zip(F, Q, H, R, detection, strict=True):
        P = f @ P @ f.T + q
        K = P @ h.T @ np.linalg.inv(h @ P @ h.T + r / seen)
        left = np.eye(len(P)) - K @ h
        P = left @ P @ left.T + K @ (r / seen) @ K.T
        out.append(P)
    return np.array(out)


def test_of_a_linear_system_it_is_the_kalman_filters_covariance():
    rng = np.random.default_rng(4)
    k, d = 15, 4
    F = np.eye(d) + 0.3 * rng.normal(size=(k, d, d))
    root = rng.normal(size=(k, d, 2))
    Q = root @ root.transpose(0, 2, 1)  # singular: two noises move four components
    H, r = rng.normal(size=(k, 2, d)), rng.uniform(0.5, 3.0, (k, 2))
    R = np.array([np.diag(row) for row in r])
    seen = rng.uniform(0.5, 1.0, k)
    gained = np.einsum("kmi,km,kmj->kij", H, seen[:, None] / r, H)
    prior = np.diag(rng.uniform(1.0, 9.0, d))
    assert recursive(prior, F, Q, gained) == pytest.approx(
        kalman(prior, F, Q, H, R, seen), rel=1e-8, abs=1e-10
    )


def test_without_process_noise_it_is_the_sum_of_what_the_looks_tell():
    """The recursion against information at the start, carried along."""
    rng = np.random.default_rng(5)
    dt, n = 2.0, 9
    f = np.array([[1.0, dt], [0.0, 1.0]])
    to_start = np.array(
        [[[1.0, dt * (i + 1)]] for i in range(n)]
    )  # of a place, by the start's place and speed
    weight = rng.uniform(0.5, 2.0, n)
    gained = np.zeros((n, 2, 2))
    gained[:, 0, 0] = weight
    prior = np.diag([100.0, 4.0])
    looks = Information(dt * np.arange(1.0, n + 1), np.pad(to_start, ((0, 0), (0, 3), (0, 0))),
                        np.pad(weight[:, None], ((0, 0), (0, 3))))  # fmt: skip
    start = covariance_at(prior, looks, looks.received_s)
    along = np.array([np.linalg.matrix_power(f, i + 1) for i in range(n)])
    found = recursive(prior, np.tile(f, (n, 1, 1)), np.zeros((n, 2, 2)), gained)
    assert found == pytest.approx(along @ start @ along.transpose(0, 2, 1), rel=1e-9)


@pytest.mark.parametrize("index", [0.01, 0.3, 1.0, 5.0])
def test_constant_velocity_settles_as_the_alpha_beta_filter(index):
    """Piecewise constant accelerations of sigma index * sigma / T^2: Kalata (1984), IEEE Transactions on Aerospace and
    Electronic Systems 20, 174-182; Bar-Shalom, Li and Kirubarajan (2001), section 6.5.2."""
    sigma, T = 30.0, 2.5
    r = (4.0 + index - math.sqrt(8.0 * index + index**2)) / 4.0
    alpha = 1.0 - r * r
    beta = 2.0 * (2.0 - alpha) - 4.0 * math.sqrt(1.0 - alpha)
    speed = beta * (2.0 * alpha - beta) / (2.0 * (1.0 - alpha)) / T**2
    settled = sigma**2 * np.array([[alpha, beta / T], [beta / T, speed]])
    k = 1500
    F = np.tile([[1.0, T], [0.0, 1.0]], (k, 1, 1))
    g = np.array([T * T / 2.0, T]) * index * sigma / T**2
    gained = np.tile([[1.0 / sigma**2, 0.0], [0.0, 0.0]], (k, 1, 1))
    found = recursive(np.diag([1e6, 1e4]), F, np.tile(np.outer(g, g), (k, 1, 1)), gained)
    assert found[-1] == pytest.approx(settled, rel=1e-6)


def test_a_maneuver_settles_as_riccatis_equation_says():
    """Positions once a second under white jerk, for a long time: scipy's solution of the discrete Riccati equation."""
    n, sigma, jerk = 400, 20.0, 2.0
    made = np.arange(1.0, n + 1)
    h = np.zeros((n, 4, 9))
    h[:, range(3), range(3)] = 1.0
    weight = np.tile([1.0, 1.0, 1.0, 0.0], (n, 1)) * 0.9 / sigma**2
    found = maneuvering(np.diag([1e6] * 3 + [1e4] * 3 + [100.0] * 3), 0.0, Information(made, h, weight),
                        made, made[-1:], jerk)[0]  # fmt: skip
    F = np.array([[1.0, 1.0, 0.5], [0.0, 1.0, 1.0], [0.0, 0.0, 1.0]])
    Q = jerk * np.array([[1 / 20, 1 / 8, 1 / 6], [1 / 8, 1 / 3, 1 / 2], [1 / 6, 1 / 2, 1.0]])
    H, R = np.array([[1.0, 0.0, 0.0]]), np.array([[sigma**2 / 0.9]])
    before = solve_discrete_are(F.T, H.T, Q, R)
    after = before - before @ H.T @ np.linalg.inv(H @ before @ H.T + R) @ H @ before
    assert found == pytest.approx(np.kron(after, np.eye(3)), rel=1e-6, abs=1e-6)
    many = recursive(np.diag([1e6, 1e4, 100.0]), np.tile(F, (n, 1, 1)), np.tile(Q, (n, 1, 1)),
                     np.tile(H.T @ H / R, (n, 1, 1)))  # fmt: skip
    assert found == pytest.approx(np.kron(many[-1], np.eye(3)), rel=1e-9, abs=1e-9)
