"""The bound's arithmetic against a joint Gaussian written out in full."""

from itertools import pairwise

import numpy as np
import pytest

from tocsin.metrics.bounds import HOLDS_99, Information, covariance_at, ellipse_km2, maneuvering


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
