"""NEES of errors that are drawn from their covariance."""

import numpy as np
import pytest

from tocsin.metrics.consistency import consistency, normalised_squared


def test_honest_covariances_give_the_dimension():
    rng = np.random.default_rng(0)
    root = rng.normal(size=(500, 6, 6))
    p = root @ root.transpose(0, 2, 1) + 1e-3 * np.eye(6)
    errors = np.einsum("nij,nj->ni", np.linalg.cholesky(p), rng.normal(size=(500, 6)))
    found = consistency(normalised_squared(errors, p), 6)
    assert found.low < found.mean < found.high
    assert found.samples == 500
    small = consistency(normalised_squared(2.0 * errors, p), 6)
    assert small.mean == pytest.approx(4.0 * found.mean)


def test_a_covariance_that_is_none_is_left_out():
    p = np.stack([np.eye(2), -np.eye(2)])
    values = normalised_squared(np.ones((2, 2)), p)
    assert values[0] == pytest.approx(2.0)
    assert np.isnan(values[1])
    assert consistency(values, 2).samples == 1
    assert consistency(values[1:], 2).samples == 0
