"""Reliability of probabilities: draws that are honest, draws that are not, and an interval by hand."""

import math

import numpy as np
import pytest
from scipy.stats import binomtest

from tocsin.metrics.existence import EDGES, reliability


def test_honest_probabilities_lie_in_their_intervals():
    rng = np.random.default_rng(4)
    stated = rng.beta(2.0, 0.5, 20_000)
    found = reliability(stated, rng.random(20_000) < stated)
    assert found.samples == sum(b.samples for b in found.bins) == 20_000
    for low, high, b in zip(EDGES[:-1], EDGES[1:], found.bins, strict=True):
        assert low <= b.stated <= high
        assert b.low < b.stated < b.high
        assert b.low < b.true < b.high
    assert found.brier == pytest.approx(np.mean(stated * (1.0 - stated)), abs=0.005)


def test_what_is_too_sure_is_seen():
    rng = np.random.default_rng(5)
    stated = np.full(2000, 0.97)
    b = reliability(stated, rng.random(2000) < 0.7).bins[3]
    assert b.samples == 2000
    assert b.high < 0.97


def test_a_bin_holds_its_upper_edge():
    counts = [b.samples for b in reliability([0.0, 0.5, 0.5001, 0.8, 0.95, 0.99, 0.995, 1.0], [1] * 8).bins]
    assert counts == [2, 2, 1, 1, 2]


def test_wilsons_interval():
    # by hand: 9 of 10, z = 1.96: centre (0.9 + 0.192) / 1.384, half 1.96 sqrt(0.009 + 0.0096) / 1.384
    b = reliability([0.9] * 10, [1] * 9 + [0]).bins[2]
    assert (b.low, b.high) == pytest.approx((0.5958, 0.9821), abs=2e-4)


def test_nothing_to_judge():
    found = reliability([math.nan], [True])
    assert found.samples == 0
    assert math.isnan(found.brier)
    assert all(b.samples == 0 and math.isnan(b.true) for b in found.bins)


@pytest.mark.parametrize(("right", "of"), [(0, 4), (3, 7), (40, 41), (500, 500)])
def test_the_interval_is_scipys(right, of):
    b = reliability([0.7] * of, [1] * right + [0] * (of - right)).bins[1]
    wanted = binomtest(right, of).proportion_ci(0.95, method="wilson")
    assert (b.low, b.high) == pytest.approx((wanted.low, wanted.high), abs=1e-9)


@pytest.mark.parametrize("probability", [0.3, 0.65, 0.9, 0.97, 0.995])
def test_the_interval_holds_an_honest_probability_in_95_of_100_cases(probability):
    rng = np.random.default_rng(6)
    held = 0
    for _ in range(2000):
        found = reliability(np.full(300, probability), rng.random(300) < probability)
        (b,) = (b for b in found.bins if b.samples)
        held += b.low <= probability <= b.high
    # 95 % on average over probabilities; of 300 draws at one probability, whole numbers make it 93 to 98 %
    assert 0.925 < held / 2000 < 0.985


def test_the_score_of_brier_parts_as_murphy_says():
    """Murphy (1973), Journal of Applied Meteorology 12, 595-600: reliability - resolution + uncertainty, where all of a
    bin state one probability."""
    rng = np.random.default_rng(7)
    stated = rng.choice([0.3, 0.65, 0.9, 0.97, 0.995], 5000)
    found = reliability(stated, rng.random(5000) < stated**2)
    share = found.true
    parts = sum(b.samples * ((b.stated - b.true) ** 2 - (b.true - share) ** 2) for b in found.bins)
    assert found.brier == pytest.approx(parts / found.samples + share * (1.0 - share))
