"""Reliability of probabilities: draws that are honest, draws that are not, and an interval by hand."""

import math

import numpy as np
import pytest

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
