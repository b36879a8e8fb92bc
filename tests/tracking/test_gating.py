"""The coarse gate leaves out no pair of track and plot that the fine one would take."""

import numpy as np
import pytest

from tocsin.earth.motion import BALLISTIC, THRUST
from tocsin.tracking import pairs
from tocsin.tracking.modes import MODES
from tocsin.tracking.pairs import Offsets, Scan
from tocsin.tracking.tracks import RECENT, States

from ..sensors.geometry import one_look, place, plots_of, prior
from .scenes import falling_body, freely, radar

TRACKS, AFTER_S = 40, 2.0
NO_OFFSETS = Offsets(np.zeros(0), np.zeros((0, 0)))


def crowd(rng, sigma_along_m, sigma_cross_m, thrust):
    """Tracks about one body, known so well along and across the sight, and plots of where each may be later."""
    of = radar()
    start = falling_body(of, np.zeros(1))[0]
    P = prior(of, start, sigma_along_m, sigma_cross_m, 30.0) + np.diag([0.0] * 6 + [0.1] * 3)
    x = np.tile(start, (TRACKS, 1))
    x[:, :6] += rng.normal(0.0, 1.0, (TRACKS, 6)) * ([3.0 * sigma_cross_m] * 3 + [5.0] * 3)
    true = x.copy()
    true[:, :6] += rng.multivariate_normal(np.zeros(6), P[:6, :6], TRACKS)
    plots = plots_of(of, np.stack([freely(s, AFTER_S) for s in true]), np.full(TRACKS, AFTER_S), rng=rng)
    h = States(
        np.zeros(TRACKS), np.tile(x[:, None], (1, MODES, 1)), np.tile(P, (TRACKS, MODES, 1, 1)),
        np.zeros((TRACKS, MODES, 9, 0)), np.zeros((TRACKS, MODES)), np.zeros((TRACKS, 1), np.int64),
        np.zeros((TRACKS, RECENT), np.int64),
    )  # fmt: skip
    h.x[:, THRUST, 6:] = 0.0
    h.mu[:, BALLISTIC], h.mu[:, THRUST] = (0.6, 0.4) if thrust else (1.0, 0.0)
    return h, Scan(0, of, one_look(of, plots), np.arange(TRACKS), place(of), AFTER_S)


def every_pair(time_s, *_):
    return np.repeat(np.arange(TRACKS), TRACKS), np.tile(np.arange(TRACKS), TRACKS)


@pytest.mark.parametrize("thrust", [False, True])
@pytest.mark.parametrize(("along_m", "cross_m"), [(30.0, 400.0), (300.0, 300.0), (20.0, 8e3), (2e3, 50.0)])
def test_what_lies_in_a_gate_is_looked_at(along_m, cross_m, thrust, monkeypatch):
    h, scan = crowd(np.random.default_rng(7), along_m, cross_m, thrust)
    found = pairs.pairs_of(h, np.ones(TRACKS, np.int64), scan, np.arange(TRACKS), NO_OFFSETS, 1.0)
    monkeypatch.setattr(pairs, "near", every_pair)
    expected = pairs.pairs_of(h, np.ones(TRACKS, np.int64), scan, np.arange(TRACKS), NO_OFFSETS, 1.0)
    assert len(expected.mine) >= TRACKS // 2
    assert (found.mine == expected.mine).all()
    assert (found.theirs == expected.theirs).all()
