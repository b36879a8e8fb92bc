"""How probably a scan should have shown a track, and what it says of its modes if it did not: by Bayes' rule."""

import numpy as np
import pytest

from tocsin.earth.ellipsoid import ecef_to_geodetic
from tocsin.earth.motion import BALLISTIC, THRUST
from tocsin.tracking import modes
from tocsin.tracking.misses import heights, misses

from ..sensors.geometry import local, place, state_at
from .mixtures import RADAR, falling, random_mixture

STATED = 0.8
MIXED = np.array([0.7, 0.3, 0.0])


def asked(x, mu, *, idle=0, dt=0.5, field=RADAR.field_of_view, stated=STATED, heat=False):
    """Probability of a plot of one track, and its modes without one."""
    given = x.copy(), mu.copy()
    chance, left = misses(
        np.full(1, 100.0), x[None], mu[None], np.array([idle]), 100.0 + dt, place(RADAR), local(RADAR),
        np.array(field, float), stated, heat,
    )  # fmt: skip
    assert (x == given[0]).all()
    assert (mu == given[1]).all()
    return chance[0], left[0]


def test_a_radar_misses_every_mode_alike():
    chance, left = asked(falling()[0], MIXED)
    assert chance == pytest.approx(STATED, abs=1e-12)
    np.testing.assert_allclose(left, MIXED, rtol=1e-12)


@pytest.mark.parametrize("heat", [False, True])
@pytest.mark.parametrize(
    "more", [{"idle": 1}, {"field": [[1.0, 2.0], *RADAR.field_of_view[1:]]}], ids=["idle", "out of view"]
)
def test_what_is_not_looked_at_is_not_missed(more, heat):
    chance, left = asked(falling()[0], MIXED, heat=heat, **more)
    assert chance == 0.0
    assert (left == MIXED).all()


def test_a_heat_sensor_misses_thrust_more_than_coast():
    x = falling()[0]
    chance, left = asked(x, MIXED, heat=True)
    # cold in free flight: its lack says nothing
    assert chance == pytest.approx(0.3 * STATED, abs=1e-12)
    joint = MIXED * [1.0, 1.0 - STATED, 1.0]
    np.testing.assert_allclose(left, joint / joint.sum(), rtol=1e-12)
    assert left[THRUST] < MIXED[THRUST]


def test_what_may_glow_is_missed_a_little():
    x = falling()[0]
    x[BALLISTIC] = state_at(RADAR, 60e3, 70.0, 80.0, (5000.0, 3000.0, -1000.0))
    assert modes.heating_w_m2(x[BALLISTIC]) > modes.GLOW_W_M2
    chance, left = asked(x, MIXED, heat=True)
    each = np.array([0.1 * STATED, STATED, 0.0])
    assert chance == pytest.approx(MIXED @ each, abs=1e-12)
    np.testing.assert_allclose(left, MIXED * (1 - each) / (1 - MIXED @ each), rtol=1e-12)


def test_a_track_is_sought_where_its_likeliest_mode_is_at_the_scan():
    """It moves away at 5 km/s, the field of view ends 1 km farther."""
    x = falling()[0]
    away = x[BALLISTIC, :3] - place(RADAR)
    distance = np.linalg.norm(away)
    x[BALLISTIC, 3:6] = 5000.0 * away / distance
    x[THRUST, :3] = place(RADAR) + 2.0 * away
    field = RADAR.field_of_view.copy()
    field[0] = [5e3, distance + 1000.0]
    for dt, there in ((-1.0, True), (0.1, True), (0.3, False)):
        assert (asked(x, MIXED, field=field, dt=dt)[0] > 0.0) == there
    assert asked(x, MIXED[[1, 0, 2]], field=field, dt=0.1)[0] == 0.0


def test_each_track_is_asked_by_itself():
    rng = np.random.default_rng(1)
    given = [random_mixture(rng) for _ in range(6)]
    x, mu = np.stack([x for x, _, _ in given]), np.stack([mu for *_, mu in given])
    idle, time_s = np.array([0, 1, 0, 0, 1, 0]), np.zeros(6)
    more = (place(RADAR), local(RADAR), RADAR.field_of_view, STATED, True)
    chance, left = misses(time_s, x, mu, idle, 2.0, *more)
    assert len(set(chance.tolist())) == 5  # the idle ones are alike
    for i in range(6):
        one = slice(i, i + 1)
        alone = misses(time_s[one], x[one], mu[one], idle[one], 2.0, *more)
        assert chance[i] == alone[0][0]
        assert (left[i] == alone[1][0]).all()
        assert left[i].sum() == pytest.approx(1.0, abs=1e-12)


def test_a_sensor_that_never_misses_may_miss_all_the_same():
    """Its stated probability may be 1 (`formats.sensors`): the chance stays below it, and the modes as they are."""
    chance, left = asked(falling()[0], MIXED, stated=1.0)
    assert 0.999 < chance < 1.0
    np.testing.assert_allclose(left, MIXED, rtol=1e-9)


def test_no_tracks():
    none = np.zeros((0, 3, 9)), np.zeros((0, 3))
    where = place(RADAR), local(RADAR), RADAR.field_of_view
    chance, left = misses(np.zeros(0), *none, np.zeros(0, np.int64), 0.0, *where, STATED, False)
    assert chance.shape == (0,)
    assert left.shape == (0, 3)
    assert heights(*none).shape == (0,)


def test_the_height_is_that_of_the_likeliest_mode():
    rng = np.random.default_rng(2)
    given = [random_mixture(rng) for _ in range(8)]
    x, mu = np.stack([x for x, _, _ in given]), np.stack([mu for *_, mu in given])
    x[:, :, :3] *= 1.0 + 0.02 * rng.random((8, 3, 1))  # kilometres apart
    likeliest = x[np.arange(8), mu.argmax(1)]
    assert len(set(mu.argmax(1).tolist())) > 1
    np.testing.assert_allclose(heights(x, mu), [ecef_to_geodetic(p[:3])[2] for p in likeliest], atol=0.1)
