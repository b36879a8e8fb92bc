"""Plots that wait: in one batch or one after the other, each of them once."""

import itertools
import math

import numpy as np
import pytest

from tocsin.sensors.plots import Plots
from tocsin.tracking.waiting import LATEST_S, Done, lay_by, with_more

from .scenes import PERIOD_S, radar

SENSORS = (radar(), radar("t"))


def some_plots(rng, count):
    """Plots of two sensors and three scans, a third of which come twice, some too late, in any order."""
    measured = rng.uniform(1.0, 2.0, (count, 4))
    measured[rng.random(count) < 0.2, 3] = math.nan
    time_s = rng.uniform(0.0, 10.0, count)
    delay_s = np.where(rng.random(count) < 0.1, LATEST_S + 3.0 * PERIOD_S, rng.uniform(0.0, 5.0, count))
    plots = Plots(
        time_s, time_s + delay_s, rng.integers(2, size=count), rng.integers(3, size=count), measured,
        np.zeros((count, 3)), np.full(count, math.nan),
    )  # fmt: skip
    which = np.concatenate([np.arange(count), rng.integers(count, size=count // 2)])
    return plots.rows(rng.permutation(which))


@pytest.mark.parametrize("seed", range(5))
def test_one_batch_is_as_one_plot_after_the_other(seed):
    plots = some_plots(np.random.default_rng(seed), 60)
    together, doubles, late = lay_by({}, {}, SENSORS, plots)
    waiting, counted, left_out = {}, 0, 0
    for i in range(plots.count):
        waiting, twice, too_late = lay_by(waiting, {}, SENSORS, plots.rows(slice(i, i + 1)))
        counted, left_out = counted + twice, left_out + too_late
    assert (doubles, late) == (counted, left_out)
    assert doubles >= 20
    assert late > 0
    assert together.keys() == waiting.keys()
    for key, held in together.items():
        one = waiting[key]
        assert held.deadline_s == one.deadline_s
        assert frozenset().union(*held.marks) == frozenset().union(*one.marks)
        for whole, parts in zip(held.plots[0], zip(*one.plots, strict=True), strict=True):
            np.testing.assert_array_equal(whole, np.concatenate(parts))
        sizes = [len(marks) for marks in one.marks]
        assert all(a > b for a, b in itertools.pairwise(sizes))
        assert sum(sizes) == len(held.plots[0].time_s)


def test_what_was_taken_is_a_double_and_what_is_new_waits_a_little():
    plots = some_plots(np.random.default_rng(7), 30)
    first, _, _ = lay_by({}, {}, SENSORS, plots)
    done = {key: Done(20.0, held.marks) for key, held in first.items()}
    again, twice, left_out = lay_by({}, done, SENSORS, plots)
    assert not again
    assert twice + left_out == plots.count
    other = plots.rows(slice(0, 1))._replace(measured=np.full((1, 4), 3.0), received_s=np.array([12.0]))
    (held,) = lay_by({}, done, SENSORS, other)[0].values()
    assert held.deadline_s > 12.0


def test_zero_has_no_sign():
    plots = some_plots(np.random.default_rng(8), 1).rows(slice(0, 1))
    plots = plots._replace(received_s=plots.time_s)
    zero, minus = (plots._replace(measured=np.full((1, 4), v)) for v in (0.0, -0.0))
    waiting, _, _ = lay_by({}, {}, SENSORS, zero)
    assert lay_by(waiting, {}, SENSORS, minus)[1] == 1


def test_marks_stay_few_sets():
    marks = ()
    for i in range(1000):
        marks = with_more(marks, (frozenset([bytes([i % 256, i // 256])]),))
    assert sum(map(len, marks)) == 1000
    assert len(marks) <= 10
