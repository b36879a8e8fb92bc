"""Shares and their intervals against the binomial law, and bands."""

import math

import numpy as np
import pytest
from scipy.stats import binom

from tocsin.metrics.calibration import (
    CONFIDENCE,
    MAY_BE_OUT,
    OUT,
    WITHIN,
    held_by_level,
    interval,
    share,
    verdict,
)


def test_the_interval_of_none_and_of_all_has_a_closed_form():
    edge = (0.5 * (1.0 - CONFIDENCE)) ** (1.0 / 40.0)
    np.testing.assert_allclose(interval(0, 40), (0.0, 1.0 - edge))
    np.testing.assert_allclose(interval(40, 40), (edge, 1.0))
    assert all(map(math.isnan, interval(0, 0)))


@pytest.mark.parametrize(("held", "samples"), [(1, 20), (90, 100), (989, 1000)])
def test_at_the_ends_of_the_interval_what_was_counted_is_as_rare_as_it_says(held, samples):
    low, high = interval(held, samples)
    assert binom.sf(held - 1, samples, low) == pytest.approx(0.5 * (1.0 - CONFIDENCE))
    assert binom.cdf(held, samples, high) == pytest.approx(0.5 * (1.0 - CONFIDENCE))


def test_the_interval_holds_the_true_share_as_often_as_it_says():
    held = np.arange(201)
    inside = [low <= 0.9 <= high for low, high in (interval(h, 200) for h in held)]
    assert binom.pmf(held[inside], 200, 0.9).sum() >= CONFIDENCE


def test_verdicts():
    def of(said, held, samples):
        return verdict(share(said, np.arange(samples) < held))

    assert of(0.9, 900, 1000) == WITHIN
    assert of(0.9, 17, 20) == MAY_BE_OUT
    assert of(0.9, 800, 1000) == OUT
    assert of(0.9, 990, 1000) == OUT
    assert of(0.99, 1000, 1000) == WITHIN
    assert of(0.99, 970, 1000) == MAY_BE_OUT
    assert of(0.99, 0, 0) == WITHIN


def test_levels_that_are_uniform_lie_on_the_diagonal():
    said = np.array([0.0, 0.1, 0.5, 0.9])
    level = (np.arange(1000) + 0.5) / 1000
    np.testing.assert_allclose(held_by_level(level[::-1], said), said, atol=1e-12)
    np.testing.assert_allclose(held_by_level(np.append(level, [np.nan] * 1000), said), 0.5 * said)
    np.testing.assert_allclose(held_by_level([], said), 0.0)
