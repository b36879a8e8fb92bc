"""Which beliefs of past scans are kept: few, near enough to each other, and always one to begin from."""

import numpy as np
import pytest

from tocsin.tracking import past as of_past
from tocsin.tracking import tracker
from tocsin.tracking.belief import Past
from tocsin.tracking.past import APART, resumed, thinned
from tocsin.tracking.waiting import LATEST_S

from . import test_late_plots

NOTHING = tracker.start(()).belief


def run(period_s, until_s, tracks=2000):
    """Past scans after one every period, as the tracker keeps them, and the time then."""
    table, past = NOTHING.table._replace(number=np.arange(tracks)), ()
    for number in range(int(until_s / period_s)):
        at_s = number * period_s
        before = NOTHING._replace(table=table, scans=number)
        past = (*thinned(past), Past((0, number), None, at_s, number, before))
    return past, at_s


def held(past):
    return sum(p.before is not None for p in past)


@pytest.mark.parametrize("period_s", [0.1, 1.0 / 3.0, 2.0, 10.0])
def test_every_scan_is_kept_with_a_belief_not_far_before_it(period_s):
    past, now_s = run(period_s, 200.0)
    assert past[0].before is not None
    assert past[-1].before is not None
    assert [p.number for p in past] == list(range(past[0].number, past[-1].number + 1))
    assert past[0].at_s <= now_s - LATEST_S + period_s
    for k, one in enumerate(past):
        place, belief = resumed(past, k)
        assert belief.scans == past[place].number  # none is taken for another's
        # so many more seconds are taken again than need be
        assert one.at_s - past[place].at_s <= APART * (now_s - past[place].at_s)


def test_few_beliefs_of_thousands_of_tracks_are_kept_and_all_of_a_few():
    counts = [held(run(period_s, 100.0)[0]) for period_s in (0.2, 0.1, 0.05)]
    assert max(counts) < 60
    assert counts[2] - counts[1] < 15
    few, _ = run(0.1, 100.0, tracks=20)
    assert held(few) == len(few) >= LATEST_S / 0.1


one, one_in_order = test_late_plots.one, test_late_plots.one_in_order


def test_late_plots_end_in_the_tracks_of_the_run_in_order_where_beliefs_were_let_go(
    one, one_in_order, monkeypatch
):
    monkeypatch.setattr(of_past, "PLENTY", 0)
    test_late_plots.test_late_plots_end_in_the_tracks_of_the_run_in_order(one, one_in_order, 0.5, 4)
