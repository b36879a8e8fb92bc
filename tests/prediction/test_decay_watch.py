"""Windows of tracked bodies: when they are told, whose passes are one body's, how they narrow and end."""

import math
import pickle

import numpy as np
import pytest
from shapely.geometry import Point

from tocsin.earth.flights import to_time
from tocsin.earth.forces import STANDARD
from tocsin.prediction import decay_watch as watch
from tocsin.prediction.decay import drag_of, level, orbit_of
from tocsin.prediction.decay_flights import ENTRY_M, LONGEST_DECAY_S, fly
from tocsin.prediction.decay_link import apart2
from tocsin.prediction.forecast import Forecast
from tocsin.prediction.kinds import DEFAULT, LIMITS
from tocsin.tracking.tracks import Track

from .decay_truth import low_orbit, over

HOUR_S = 3600.0
BETA = 90.0  # kg/m2, in standard air
P = np.diag([60.0**2] * 3 + [0.3**2] * 3)
START = over(20.0, 40.0, 172e3, 50.0)  # comes down after 14 hours
PASSES_H = (0.2, 1.7, 4.6, 6.2, 7.7)


def flown(x, after_s, beta=BETA):
    return to_time(x, beta, after_s).state[0]


def entry_s(x, beta=BETA):
    return float(fly(x, np.array([math.log(beta)]), STANDARD, ENTRY_M, LONGEST_DECAY_S).time_s[0])


def track(number, time_s, x):
    modes, covariance = np.zeros((3, 9)), np.zeros((3, 9, 9))
    modes[0, :6], covariance[0, :6, :6] = x, P
    return Track(number, 0, time_s, modes, covariance, np.array([1.0, 0.0, 0.0]), 0.99, 20, True, True, True)


def forecast(number, time_s, impact_s=math.nan):
    area = None if math.isnan(impact_s) else Point(0.0, 0.0).buffer(1.0)
    return Forecast(
        time_s, f"T{number:05d}", impact_s, 60.0, 0.0, 0.0, np.eye(2), area, 1.0, "other", None, 0.99, 20, "",
        area is None,
    )  # fmt: skip


def passes(x=START, hours=PASSES_H, noise=1.0, seed=1, first=1):
    """What a radar tells of a body each time it passes: three forecasts, half a minute apart, a track each pass."""
    rng = np.random.default_rng(seed)
    out = []
    for i, at_h in enumerate(hours):
        for late_s in (0.0, 30.0, 60.0):
            t = at_h * HOUR_S + late_s
            off = noise * rng.multivariate_normal(np.zeros(6), P)
            out.append((t, track(first + i, t, flown(x, t) + off), forecast(first + i, t)))
    return out


def run(seen, until_s=math.inf, orbits=None):
    """All windows told up to a time, time going on from deadline to deadline as in a replay."""
    orbits, told = orbits or watch.Orbits(), []
    for t, one, says in [*seen, (until_s, None, None)]:
        while (due_s := watch.next_due(orbits)) <= min(t, until_s) and math.isfinite(due_s):
            orbits, more = watch.step(orbits, due_s)
            told += more
        if one is not None and t <= until_s:
            orbits, more = watch.noted(orbits, [(one, says)], t)
            told += more
    return orbits, told


@pytest.fixture(scope="module")
def told():
    return run(passes(), 8.5 * HOUR_S)[1]


def test_a_window_is_told_when_a_pass_is_over_and_not_before(told):
    ends_s = [at_h * HOUR_S + 60.0 for at_h in PASSES_H]
    assert [w.issued_s for w in told] == [t + watch.PASS_OVER_S for t in ends_s]
    assert [w.state_s for w in told] == ends_s
    assert [w.passes for w in told] == [1, 2, 3, 4, 5]


def test_passes_of_new_tracks_are_one_body(told):
    assert {w.body for w in told} == {"T00001"}
    assert told[-1].tracks == ("T00001", "T00002", "T00003", "T00004", "T00005")


def test_windows_narrow_and_hold_the_truth(told):
    end_s = entry_s(START)
    quantiles = np.array([w.state_s + w.window.entry_quantiles_s for w in told])
    late = np.where(np.isnan(quantiles), np.inf, quantiles)
    assert (late[:, 0] <= end_s).all()
    assert (end_s <= late[:, -1]).all()
    widths = np.diff(late[:, [1, 5]])[:, 0]
    assert widths[2] < 0.5 * widths[0]
    assert widths[4] < 0.6 * widths[2]
    sigma = [w.drag_sigma for w in told]
    assert math.isnan(sigma[0])
    assert sigma[4] < sigma[3] < sigma[2] < 0.3


def test_another_orbit_is_another_body():
    other = over(20.0, 60.0, 170e3, 50.0)  # another plane, 20 degrees on
    seen = sorted([*passes(hours=PASSES_H[:2]), *passes(other, (0.5, 2.1), first=7)], key=lambda s: s[0])
    told = run(seen, 3.0 * HOUR_S)[1]
    assert {w.body: w.passes for w in told} == {"T00001": 2, "T00007": 2}


@pytest.mark.parametrize("seed", range(3))
def test_only_the_same_orbit_is_near(seed):
    rng = np.random.default_rng(seed)
    drag = drag_of(DEFAULT.orbit, LIMITS, level(START))
    far_s = float(rng.uniform(1.0, 9.0)) * HOUR_S
    here = flown(START, far_s, math.exp(rng.uniform(math.log(50.0), math.log(300.0))))
    here += rng.multivariate_normal(np.zeros(6), P)
    assert apart2(START, P, here, P, far_s, drag) < watch.LINKED2
    others = [low_orbit(rng, 165e3, 180e3, math.acos(rng.uniform(-0.5, 1.0))) for _ in range(6)]
    # in one plane, far ahead of where any drag would bring it
    others.append(flown(here, 2000.0))
    assert all(apart2(START, P, one, P, far_s, drag) > 3.0 * watch.LINKED2 for one in others)
    assert apart2(START, P, here, P, -far_s, drag) == math.inf


def test_a_body_that_two_tracks_follow_at_once_is_one():
    """A second track begins while the first goes on, and is lost before it; states then come out of order."""
    orbits, _ = run(passes(hours=PASSES_H[:2]), 2.0 * HOUR_S)
    begin_s = PASSES_H[2] * HOUR_S
    seen = [(begin_s + t, track(n, begin_s + t, flown(START, begin_s + t)), forecast(n, begin_s + t))
            for t, n in ((0.0, 2), (100.0, 6), (200.0, 2), (250.0, 6), (300.0, 2))]  # fmt: skip
    orbits, told = run(seen, begin_s + 2000.0, orbits)
    assert {w.body for w in told} == {"T00001"}
    (body,) = orbits.bodies
    assert body.tracks == (1, 2, 6)
    times = [p.time_s for p in body.passes]
    assert times == sorted(set(times))
    assert len(times) == 4
    assert body.going is None
    assert body.due_s == math.inf


def test_what_stays_up_is_no_body():
    stranded = low_orbit(np.random.default_rng(2), 250e3, 35_700e3, 0.1)  # in a transfer orbit
    for x in (over(0.0, 0.0, 400e3, 60.0), over(0.0, 0.0, 20_000e3, 60.0), stranded):
        orbits, told = run(passes(x, (0.2, 3.3)), 12.0 * HOUR_S)
        assert told == []
        assert orbits.bodies == ()


def test_nothing_decays_sooner_than_is_said():
    rng = np.random.default_rng(8)
    for _ in range(12):
        perigee_m, beta = rng.uniform(135e3, 210e3), math.exp(rng.uniform(3.0, 5.5))
        x = low_orbit(rng, perigee_m, perigee_m + rng.exponential(30e3), math.acos(rng.uniform(-1.0, 1.0)))
        least_s = watch.least_decay_s(orbit_of(x).perigee_m, math.log(beta))
        assert least_s < entry_s(x, beta)
    # and of a circular one, not much sooner
    x = over(0.0, 10.0, 190e3, 60.0)
    least_s = watch.least_decay_s(190e3 + watch.DIP_M, math.log(100.0))
    assert least_s == pytest.approx(entry_s(x, 100.0), rel=0.35)


def test_a_window_ends_when_a_forecast_says_more():
    orbits, told = run(passes(hours=PASSES_H[:3]), 5.0 * HOUR_S)
    window = told[-1]
    first_s, last_s = (window.state_s + window.window.ground_quantiles_s[[1, 5]]).tolist()
    at_s = first_s - 3000.0
    now = track(9, at_s, flown(START, at_s))
    # of a track that nobody knew, which is found to be the body
    orbits, ended = watch.noted(orbits, [(now, forecast(9, at_s, 0.5 * (first_s + last_s)))], at_s)
    assert [(w.window, w.reason, w.tracks[-1]) for w in ended] == [(None, watch.FORECAST, "T00009")]
    assert watch.next_due(orbits) == math.inf


def test_a_forecast_far_before_the_window_is_a_pass_as_others():
    orbits, told = run(passes(hours=PASSES_H[:3]), 4.7 * HOUR_S)
    first_s = told[-1].state_s + told[-1].window.ground_quantiles_s[0]
    for late_s in (0.0, 30.0, 70.0):
        at_s = 6.2 * HOUR_S + late_s
        now = track(4, at_s, flown(START, at_s))
        assert at_s + 1200.0 < first_s
        orbits, ended = watch.noted(orbits, [(now, forecast(4, at_s, at_s + 1200.0))], at_s)
        assert ended == ()
    _, more = watch.step(orbits, watch.next_due(orbits))
    assert [(w.passes, w.reason, w.tracks[-1]) for w in more] == [(4, "", "T00004")]


def test_a_window_ends_when_its_time_has_passed():
    _, told = run(passes(), 40.0 * HOUR_S)
    window, end = told[-2:]
    assert end.window is None
    assert end.reason == watch.OVERDUE
    assert end.issued_s == window.state_s + window.window.ground_quantiles_s[-1]


def test_saved_and_gone_on_with_it_is_the_same():
    seen = passes(hours=PASSES_H[:3])
    whole = run(seen, 5.0 * HOUR_S)[1]
    for k in (2, 5):
        orbits, first = run(seen[:k], seen[k - 1][0])
        again = pickle.loads(pickle.dumps(orbits))  # noqa: S301  # our own
        rest = run(seen[k:], 5.0 * HOUR_S, again)[1]
        assert pickle.dumps([plain(w) for w in (*first, *rest)]) == pickle.dumps([plain(w) for w in whole])


def plain(told):
    window = told.window and [np.asarray(v).tolist() for v in told.window]
    return (*told[:8], window, told.reason)
