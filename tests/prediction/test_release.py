"""What may still be released: against bodies drawn and flown one by one, and when there is none."""

import numpy as np
import pytest
from shapely import contains_xy

from tests.earth.flights import start
from tocsin.earth.ellipsoid import ecef_to_geodetic
from tocsin.earth.flights import impact_jacobian, to_ground, to_time
from tocsin.earth.forces import STANDARD, wind_table
from tocsin.earth.integrate import new_tape
from tocsin.earth.motion import BALLISTIC, THRUST
from tocsin.earth.status import LANDED
from tocsin.errors import UsageError
from tocsin.prediction.departures import STEADY, TUMBLING, TUMBLING_LN_BETA
from tocsin.prediction.impact import WIND_SIGMA_M_S, land
from tocsin.prediction.kinds import LIMITS
from tocsin.prediction.predictor import predict, predict_many
from tocsin.prediction.priors import DEFAULT, PRIORS, RELEASE, Release, Speed
from tocsin.prediction.release import above_s, bodies_of, chance_left, of_state, released
from tocsin.prediction.states import predict_state
from tocsin.tracking.modes import LN_BETA_SIGMA
from tocsin.tracking.tracks import Track

RISING = start(48.0, 35.0, 200e3, 3000.0, 80.0, 30.0)
FALLING = start(-35.0, 179.5, 250e3, 2500.0, 80.0, -20.0)
LOFTED = start(88.0, -60.0, 600e3, 1500.0, 200.0, 70.0)


def heights_m(states):
    return ecef_to_geodetic(states[:, :3])[2]


def track(x, *, parent=0, parted=False, ln_beta=7.6, mode=BALLISTIC):
    full, P, mu = np.zeros((3, 9)), np.zeros((3, 9, 9)), np.zeros(3)
    full[:, :6], full[BALLISTIC, 6] = x, ln_beta
    full[THRUST, 6:] = 30.0 * x[3:] / np.linalg.norm(x[3:])
    P[:, range(9), range(9)] = [40.0**2] * 3 + [1.5**2] * 3 + [LN_BETA_SIGMA**2] + [1.0] * 2
    mu[mode] = 1.0
    return Track(7, parent, 1000.0, full, P, mu, 0.99, 30, True, False, True, parted)


def test_a_push_on_the_way_moves_the_impact_as_the_tape_says():
    x = np.array([*RISING, np.log(4500.0), 0.0, 0.0])
    *_, J, _, steps, tape = land(x, 0.0, STEADY, new_tape())
    np.testing.assert_allclose(tape.pushed[0].T, J[:, 3:6], rtol=1e-12)
    late = to_time(RISING, 4500.0, tape.lengths_s[:steps].cumsum()[3], STEADY, error_m=1e-3)
    own = impact_jacobian(to_ground(late.state, 4500.0, STEADY, transition=True))[0, :, 3:6]
    np.testing.assert_allclose(tape.pushed[4].T, own, rtol=2e-3, atol=0.05)


def drawn(x, rng, weathers=40, each=60):
    """Places (rad) and times (s) of bodies that leave a state as the prior has it, in winds of their own."""
    n = weathers * each
    share = np.array([s.share for s in RELEASE.speeds])
    speed = np.array([s.sigma_m_s for s in RELEASE.speeds])[rng.choice(len(share), n, p=share / share.sum())]
    kinds = DEFAULT.child
    kind = rng.choice(len(kinds), n, p=[k.share for k in kinds])
    ln_beta = np.clip(
        rng.normal(np.array([k.ln_beta for k in kinds])[kind], np.array([k.sigma for k in kinds])[kind]),
        *LIMITS,
    )
    carrier = to_time(np.tile(x, (400, 1)), 4500.0, np.linspace(1.0, 2000.0, 400), STEADY)
    fallen = heights_m(carrier.state) < RELEASE.until_height_m
    rises = np.einsum("ni,ni->n", carrier.state[:, :3], carrier.state[:, 3:]) > 0.0
    left_s = float(np.linspace(1.0, 2000.0, 400)[np.argmax(fallen & ~rises)])
    at_s = rng.uniform(0.0, left_s, n)
    states = to_time(np.tile(x, (n, 1)), 4500.0, at_s, STEADY).state
    states[:, 3:] += speed[:, None] * rng.normal(size=(n, 3))
    heights = np.array([0.0, 1.1e3, 11e3, 30e3, 60e3])  # as `motion.wind_share`
    places, times = np.empty((n, 3)), np.empty(n)
    for one in range(weathers):
        east, north = WIND_SIGMA_M_S * rng.normal(size=(2, 1)) * np.array([0.1, 0.1, 1.0, 1.0, 0.0])
        wind = wind_table(heights, east, north)
        own = np.arange(n) % weathers == one
        for curve, some in (
            (TUMBLING.curve, own & (ln_beta < TUMBLING_LN_BETA)),
            (STEADY.curve, own & (ln_beta >= TUMBLING_LN_BETA)),
        ):
            flown = to_ground(states[some], np.exp(ln_beta[some]), STANDARD._replace(wind=wind, curve=curve))
            assert (flown.status == LANDED).all()
            places[some], times[some] = flown.state[:, :3], flown.time_s + at_s[some]
    return *ecef_to_geodetic(places)[:2], times, left_s


@pytest.mark.compiled
@pytest.mark.parametrize("x", [RISING, FALLING, LOFTED])
def test_areas_and_times_hold_what_is_drawn(x):
    may = predict_state(x).may_release
    latitude, longitude, time_s, left_s = drawn(x, np.random.default_rng(3))
    held = [np.mean(contains_xy(area, np.degrees(longitude), np.degrees(latitude))) for area in may.areas]
    # 2,400 bodies in 40 winds; what drag and air may depart by is in the areas and not here
    assert 0.44 < held[0] < 0.58
    assert 0.86 < held[1] < 0.95
    assert held[2] > 0.98
    first, last = may.time_quantiles_s[[0, -1]]
    assert np.mean((first < time_s) & (time_s < last)) > 0.97
    assert may.until_s == pytest.approx(left_s, abs=6.0)


def test_it_shrinks_as_time_runs_out_and_ends_in_the_air():
    may = [predict_state(to_time(RISING, 4500.0, t).state[0]).may_release for t in (0.0, 150.0, 300.0, 380.0)]
    sizes, chances = np.array([m.areas_km2 for m in may]), [m.chance for m in may]
    assert (np.diff(sizes[:, 1:], axis=0) < 0.0).all()
    assert (np.diff(chances) < 0.0).all()
    low = to_time(RISING, 4500.0, may[0].until_s + 1.0).state[0]
    assert heights_m(low[None]) < RELEASE.until_height_m
    assert predict_state(low).may_release is None
    assert (
        predict_state(start(48.0, 35.0, 50e3, 1000.0, 80.0, 10.0)).may_release is None
    )  # never above the air


def test_only_what_may_carry_is_asked():
    assert predict(track(RISING), 0.0).may_release is not None
    assert predict(track(RISING), 0.0, release=None).may_release is None
    assert predict(track(RISING, parent=3, parted=True), 0.0).may_release is None
    assert predict(track(RISING, mode=THRUST), 0.0).may_release is None
    assert predict(track(RISING)._replace(meteor=True), 0.0).may_release is None
    assert predict(track(RISING, ln_beta=np.log(1e-4)), 0.0).may_release is None  # it feels the air
    orbit = start(10.0, 20.0, 120e3, 7600.0, 90.0, -1.0)
    assert predict(track(orbit), 0.0).may_release is None
    assert predict_state(orbit).may_release is None
    for origin in ("child", "orbit", "meteoroid", "breakup"):
        assert predict_state(RISING, origin=origin).may_release is None
    assert predict_state(RISING, ballistic_coefficient=4500.0).may_release is None


def test_what_has_let_go_before_is_likelier_to_again():
    alone, again = predict(track(RISING), 0.0), predict(track(RISING, parted=True), 0.0)
    assert again.may_release.chance > alone.may_release.chance
    assert again.may_release.until_s == alone.may_release.until_s
    assert alone.may_release.until_s > 1000.0  # on the clock of the track
    assert (
        alone.may_release.latest_s > alone.may_release.impact_time_s > alone.may_release.earliest_s > 1000.0
    )


def test_many_at_once_are_as_each_alone():
    tracks = [track(RISING), track(RISING, parent=3), track(LOFTED), track(FALLING, parted=True)]
    for one, alone in zip(
        predict_many(tracks, 5.0, threads=2), [predict(t, 5.0) for t in tracks], strict=True
    ):
        if alone.may_release is None:
            assert one.may_release is None
            continue
        for a, b in zip(one.may_release.areas, alone.may_release.areas, strict=True):
            assert a.equals(b)
        assert one.may_release.chance == alone.may_release.chance


def test_the_chance_follows_bayes_rule():
    assert chance_left(RELEASE, 500.0, 500.0, False) == 0.5
    assert chance_left(RELEASE, 50.0, 500.0, False) == pytest.approx(0.05 / 0.55)
    assert chance_left(RELEASE, 500.0, 400.0, False) == 0.5  # it burnt out late
    assert chance_left(Release(most_bodies=2), 500.0, 500.0, True) == pytest.approx(1.0 / 3.0)
    assert chance_left(Release(chance=0.0), 500.0, 500.0, False) == 0.0
    assert bodies_of(Release(most_bodies=1)) == 1.0
    assert bodies_of(Release(most_bodies=2)) == pytest.approx(4.0 / 3.0)


@pytest.mark.compiled
@pytest.mark.parametrize("x", [RISING, LOFTED])
def test_the_time_above_a_height_is_that_of_a_flight(x):
    heavy, limit = 1e9, 80e3
    times = np.linspace(1.0, 2500.0, 1000)
    ways = []
    for sense in (1.0, -1.0):
        h = heights_m(to_time(np.tile(x, (len(times), 1)), heavy, sense * times).state)
        ways.append(times[np.argmax(h < limit)])
    assert above_s(x, limit) == pytest.approx(sum(ways), rel=0.01)  # the Earth is a ball there
    assert above_s(start(0.0, 0.0, 400e3, 7180.0, 90.0, 0.0), limit) == np.inf
    assert above_s(start(0.0, 0.0, 50e3, 300.0, 90.0, 0.0), limit) == 0.0


def test_a_release_without_speed_adds_nothing_and_more_speed_more():
    def size(sigma_m_s):
        landings, *_ = of_state(
            RISING,
            np.zeros((6, 6)),
            Release(speeds=(Speed(1.0, sigma_m_s),)),
            DEFAULT.whole,
            wind_sigma_m_s=0.0,
        )
        return np.trace(landings.covariance[int(np.argmax(landings.weight)), :3, :3])

    none, some, more = size(0.0), size(10.0), size(20.0)
    assert (more - none) / (some - none) == pytest.approx(4.0, rel=1e-6)


def test_alike_releases_count_together():
    at, weight = np.array([np.log(4500.0)]), np.ones(1)
    args = (RISING, np.zeros((6, 6)), at, weight, 0.3, 80e3, np.array([0.5, 0.5]))
    rest = (0.0, 15.0, STEADY, TUMBLING)
    both = released(*args, np.array([10.0, 10.5]), *rest)
    assert len(both[2]) == 1
    assert both[2].sum() == pytest.approx(1.0)
    assert len(released(*args, np.array([1.0, 100.0]), *rest)[2]) == 2


def test_own_priors_take_the_place_of_the_shipped():
    faster = PRIORS._replace(release=Release(chance=0.9, speeds=(Speed(1.0, 60.0),)))
    wide, usual = predict_state(RISING, priors=faster).may_release, predict_state(RISING).may_release
    assert wide.areas_km2[2] > 3.0 * usual.areas_km2[2]
    assert wide.chance > usual.chance
    assert predict_state(RISING, priors=PRIORS._replace(release=Release(chance=0.0))).may_release is None
    light = PRIORS._replace(kinds=DEFAULT._replace(whole=DEFAULT.child[2:3]))
    assert predict_state(RISING, priors=light).time_s > predict_state(RISING).time_s
    with pytest.raises(UsageError):
        predict_state(RISING, origin="none")
