"""Misses, lead and area by threshold, and the knee."""

import math

import numpy as np
import pytest

from tocsin.metrics.tradeoff import Trial, curve, knee


def trial(value=1e-4, lead=(100.0, math.nan, 60.0), **other):
    k = len(lead)
    values = {
        "recording": "a", "cost_loss_per_km2": value, "lead_s": np.array(lead), "lead_1000_s": np.array(lead),
        "best_s": np.full(k, 120.0), "alerted_km2": 300.0, "false_km2_min": 10.0, "messages": 4, "around_nothing": 1,
    }  # fmt: skip
    return Trial(**{**values, **other})


def test_a_point_counts_all_recordings_at_its_threshold():
    points = curve([trial(), trial(lead=(200.0,)), trial(1e-5, (90.0,))], 90.0)
    assert [point.cost_loss_per_km2 for point in points] == [1e-5, 1e-4]
    low, high = points
    assert (low.recordings, low.impacts, low.missed, low.too_late) == (1, 1, 0.0, 0.0)
    assert (high.recordings, high.impacts) == (2, 4)
    assert high.missed == 0.25
    assert high.too_late == 0.5  # one missed, one of 60 s
    assert high.lead_s == 80.0
    # 100, 0, 60 and 120 (at most the best) of 120
    assert high.lead_over_best == pytest.approx((100.0 + 0.0 + 60.0 + 120.0) / 480.0)
    assert high.area_km2 == 150.0
    assert high.false_km2_min == 10.0
    assert high.around_nothing == 0.25


def test_without_impacts_or_bounds_there_is_nothing_to_say_of_them():
    (point,) = curve([trial(lead=())], 90.0)
    assert math.isnan(point.missed)
    assert point.area_km2 == 300.0
    (point,) = curve([trial(best_s=np.full(3, math.nan))], 90.0)
    assert math.isnan(point.lead_over_best)


def test_the_knee_is_where_the_curve_bends():
    cost = np.linspace(0.0, 10.0, 41)
    gain = 1.0 - np.exp(-cost)  # in 0 to 1 of both its slope is that of the line at ln 10 = 2.3
    assert cost[knee(cost, gain)] == pytest.approx(math.log(10.0), abs=0.13)
    order = np.random.default_rng(1).permutation(41)
    assert cost[order][knee(cost[order], gain[order])] == cost[knee(cost, gain)]


def test_two_points_have_no_knee():
    with pytest.raises(ValueError, match="2 points"):
        knee(np.array([1.0, 2.0]), np.array([1.0, 2.0]))
