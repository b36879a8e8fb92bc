"""Lead times of messages written out by hand."""

import math

import numpy as np
import pytest

from tocsin.metrics.lead import Notice, in_force, warned
from tocsin.metrics.paths import Impact

HIT = Impact("a", "body", 1000.0, 50.0, 30.0)


def square(latitude=50.0, longitude=30.0, half_km=5.0):
    dy = half_km / 111.2
    dx = dy / math.cos(math.radians(latitude))
    return np.array([
        [latitude - dy, longitude - dx], [latitude - dy, longitude + dx], [latitude + dy, longitude + dx],
        [latitude + dy, longitude - dx], [latitude - dy, longitude - dx],
    ])  # fmt: skip


def notice(name, start_s, expires_s=math.inf, kind="Alert", refs=(), polygon=None, clear=False):
    polygons = (square() if polygon is None else polygon,) if kind != "Cancel" else ()
    return Notice(name, kind, start_s, expires_s, clear, refs, polygons)


def lead(*notices, impact=HIT):
    return warned(notices, [impact], 2000.0).leads[0]


def test_a_lead_is_counted_from_the_first_message_of_an_unbroken_cover():
    found = lead(notice("1", 700.0, 2000.0), notice("2", 800.0, 2000.0, "Update", ("1",)))
    assert found.lead_s == pytest.approx(300.0)
    assert found.first_covered_s == pytest.approx(300.0)
    assert found.area_at_impact_km2 == pytest.approx(100.0, rel=0.01)
    assert found.lead_100_s == 0.0 or found.lead_100_s == pytest.approx(300.0)
    assert found.lead_1000_s == pytest.approx(300.0)


def test_a_message_that_expires_breaks_it():
    found = lead(notice("1", 700.0, 790.0), notice("2", 800.0, 2000.0))
    assert found.lead_s == pytest.approx(200.0)
    assert lead(notice("1", 700.0, 799.5), notice("2", 800.0, 2000.0)).lead_s == pytest.approx(300.0)


@pytest.mark.parametrize(
    "end",
    [
        notice("2", 900.0, kind="Cancel", refs=("1",)),
        notice("2", 900.0, 2000.0, "Update", ("1",), clear=True),
        notice("2", 900.0, 2000.0, "Update", ("1",), square(40.0)),
    ],
)
def test_what_ends_a_message_ends_its_cover(end):
    found = lead(notice("1", 700.0, 2000.0), end)
    assert found.lead_s is None
    assert found.first_covered_s == pytest.approx(300.0)


def test_an_update_ends_the_whole_chain():
    messages = [
        notice("1", 100.0, 500.0),
        notice("2", 200.0, 500.0, "Update", ("1",)),
        notice("3", 300.0, 500.0, "Update", ("1",)),  # refers to the first alone
    ]
    ends, chains = in_force(messages)
    assert ends == [200.0, 300.0, 500.0]
    assert set(chains) == {"1"}


def test_a_wide_alert_is_no_sharp_lead():
    found = lead(notice("1", 500.0, 2000.0, polygon=square(half_km=50.0)), notice("2", 900.0, 2000.0))
    assert found.lead_s == pytest.approx(500.0)
    assert found.lead_1000_s == pytest.approx(100.0)


def test_alarm_around_nothing_is_counted_in_area_and_time():
    away = warned([notice("1", 0.0, 600.0, polygon=square(40.0))], [HIT], 2000.0)
    assert away.false_km2_min == pytest.approx(100.0 * 10.0, rel=0.01)
    assert (away.around_nothing, away.chains, away.chains_around_nothing) == (1, 1, 1)
    late = warned([notice("1", 900.0, 1720.0)], [HIT], 2000.0)  # 120 s after the impact are free
    assert late.false_km2_min == pytest.approx(100.0 * 10.0, rel=0.01)
    assert late.around_nothing == 0
    assert late.alerted_km2 == pytest.approx(100.0, rel=0.01)


def test_nothing_said_is_missed():
    found = warned([], [HIT, HIT._replace(kind="debris")], 2000.0)
    assert [x.lead_s for x in found.leads] == [None]
    assert found.alerted_km2 == 0.0


def test_it_works_across_the_antimeridian():
    impact = Impact("a", "body", 1000.0, -30.0, -179.99)
    ring = square(-30.0, 179.99)
    ring[:, 1] = (ring[:, 1] + 180.0) % 360.0 - 180.0
    assert lead(notice("1", 700.0, 2000.0, polygon=ring), impact=impact).lead_s == pytest.approx(300.0)
