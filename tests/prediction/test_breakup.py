"""Break-ups: areas against pieces that are drawn and flown one by one, and the line from heel to toe."""

import numpy as np
import pytest
from shapely import contains_xy
from shapely.geometry import Point

from tests.earth.flights import start
from tocsin.earth.ellipsoid import ecef_to_geodetic
from tocsin.earth.flights import to_ground
from tocsin.earth.forces import STANDARD, wind_table
from tocsin.earth.status import LANDED
from tocsin.errors import UsageError
from tocsin.prediction.breakup import LINE_KG_M2, THROWN_M_S
from tocsin.prediction.departures import TUMBLING
from tocsin.prediction.forecast import STAYS_UP
from tocsin.prediction.impact import WIND_SIGMA_M_S
from tocsin.prediction.kinds import LIMITS
from tocsin.prediction.priors import DEFAULT
from tocsin.prediction.states import predict_state

ASCENT = start(28.0, -75.0, 140e3, 5200.0, 110.0, 2.0)
REENTRY = start(89.0, 10.0, 78e3, 7300.0, 40.0, -2.0)
WEATHERS, PIECES = 60, 50


def pieces(x, rng):
    """Places (rad) and times (s) of pieces drawn from the kinds, thrown, each sixtieth of them in a wind of its own."""
    share = np.array([kind.share for kind in DEFAULT.breakup])
    kind = rng.choice(len(share), WEATHERS * PIECES, p=share)
    ln_beta = np.array([k.ln_beta for k in DEFAULT.breakup])[kind] + np.array(
        [k.sigma for k in DEFAULT.breakup]
    )[kind] * rng.normal(size=len(kind))
    beta = np.exp(np.clip(ln_beta, *LIMITS))
    states = np.tile(x, (len(kind), 1))
    states[:, 3:] += THROWN_M_S * rng.normal(size=(len(kind), 3))
    height_m = np.array([0.0, 1.1e3, 11e3, 30e3, 60e3])  # as `motion.wind_share`
    share_at = np.array([0.1, 0.1, 1.0, 1.0, 0.0])
    places, times = [], []
    for one in range(WEATHERS):
        east, north = WIND_SIGMA_M_S * rng.normal(size=(2, 1)) * share_at
        forces = STANDARD._replace(wind=wind_table(height_m, east, north), curve=TUMBLING.curve)
        some = slice(one * PIECES, (one + 1) * PIECES)
        flown = to_ground(states[some], beta[some], forces)
        assert (flown.status == LANDED).all()
        places.append(flown.state[:, :3])
        times.append(flown.time_s)
    return *ecef_to_geodetic(np.concatenate(places))[:2], np.concatenate(times)


@pytest.mark.parametrize("x", [ASCENT, REENTRY])
def test_areas_and_times_hold_the_pieces(x):
    made = predict_state(x, origin="breakup")
    latitude, longitude, time_s = pieces(x, np.random.default_rng(5))
    held = [np.mean(contains_xy(area, np.degrees(longitude), np.degrees(latitude))) for area in made.areas]
    # 3,000 pieces in 60 winds; drag and air depart in the areas and not here
    assert 0.44 < held[0] < 0.58
    assert 0.86 < held[1] < 0.95
    assert held[2] > 0.98
    first, last = made.time_quantiles_s[[0, -1]]
    assert np.mean((first < time_s) & (time_s < last)) > 0.98


def test_the_line_runs_from_the_light_heel_to_the_dense_toe():
    made = predict_state(ASCENT, origin="breakup")
    line = made.pieces
    assert tuple(line.ballistic_coefficient_kg_m2) == LINE_KG_M2
    assert (np.diff(line.time_s) < 0.0).all()  # the dense fall first
    flown = np.degrees(line.longitude_rad) + 75.0
    assert (np.diff(flown) < 0.0).all() or (np.diff(flown) > 0.0).all()
    for longitude, latitude in zip(line.longitude_rad, line.latitude_rad, strict=True):
        assert made.areas[2].covers(Point(np.degrees(longitude), np.degrees(latitude)))
    assert predict_state(ASCENT).pieces is None


def test_what_is_thrown_farther_covers_more():
    sizes = [predict_state(ASCENT, origin="breakup", thrown_m_s=v).areas_km2[2] for v in (0.0, 25.0, 100.0)]
    assert sizes[0] < sizes[1] < sizes[2]
    assert predict_state(ASCENT, origin="breakup").areas_km2[2] == sizes[1]
    assert predict_state(ASCENT, thrown_m_s=50.0).areas_km2[2] > predict_state(ASCENT).areas_km2[2]
    with pytest.raises(UsageError, match="thrown_m_s is -1 m/s, must be from 0 to 1000 m/s"):
        predict_state(ASCENT, thrown_m_s=-1.0)


def test_pieces_that_stay_up_have_no_place():
    made = predict_state(start(0.0, 0.0, 500e3, 7500.0, 90.0, 0.0), origin="breakup")
    assert made.status == STAYS_UP
    assert np.isnan(made.pieces.latitude_rad).all()
