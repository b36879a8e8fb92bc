"""What a track may be by its drag, and where each kind comes down."""

import math

import numpy as np
import pytest

from tocsin.prediction.kinds import NOTHING, Learned, nodes
from tocsin.prediction.predictor import predict
from tocsin.prediction.priors import DEFAULT
from tocsin.prediction.release import of_track
from tocsin.prediction.what import lands, shares

from .test_release import RISING, track


def test_without_drag_the_shares_are_those_believed():
    found = shares(DEFAULT.child, NOTHING)
    assert found == pytest.approx({kind.name: kind.share for kind in DEFAULT.child})


@pytest.mark.parametrize(("beta", "kind"), [(5000.0, "body"), (20.0, "debris")])
def test_drag_tells_the_kind(beta, kind):
    found = shares(DEFAULT.child, Learned(math.log(beta), 100.0))
    assert max(found, key=found.get) == kind
    assert found[kind] > 0.9
    assert sum(found.values()) == pytest.approx(1.0)


def test_shares_are_those_of_the_nodes():
    """The mean over kinds is that over the nodes that forecasts fly."""
    learned = Learned(math.log(900.0), 1.0)
    at, weight, width = nodes(DEFAULT.child, learned)
    mean = float(weight @ at)
    means = []
    for kind in DEFAULT.child:
        own = 1.0 / kind.sigma**2
        means.append((own * kind.ln_beta + learned.precision * learned.ln_beta) / (own + learned.precision))
    assert float(np.array(list(shares(DEFAULT.child, learned).values())) @ means) == pytest.approx(
        mean, abs=0.05
    )
    assert width > 0.0


def test_spent_stages_and_debris_come_down_later_and_elsewhere():
    landings, *_ = of_track(track(RISING))
    by = {one.name: one for one in lands(landings, DEFAULT.child)}
    assert by["body"].short_m == 0.0
    assert by["body"].time_s < by["stage"].time_s < by["debris"].time_s
    assert 1e3 < by["stage"].short_m < by["debris"].short_m
    told = predict(track(RISING), 0.0)
    assert by["body"].time_s + 1000.0 == pytest.approx(told.impact_time_s, abs=5.0)
    assert by["body"].latitude_rad == pytest.approx(told.latitude_rad, abs=2e-4)
    # flown to the east: what is lighter falls short, to the west
    assert by["debris"].longitude_rad < by["stage"].longitude_rad < by["body"].longitude_rad
