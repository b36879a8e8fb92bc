"""Forecasts of tracks: which to make when, and what they say."""

from __future__ import annotations

import math

import numpy as np

from tocsin.earth.motion import BALLISTIC, LEVEL, THRUST
from tocsin.prediction.forecast import Forecast
from tocsin.prediction.kinds import DEFAULT, Kinds, kinds_of, learned_by
from tocsin.prediction.landings import free, told
from tocsin.tracking.life import phase_of
from tocsin.tracking.tracks import Track, track_name

# What was never faster or higher than an aircraft must show for a while that it falls.
SURE_HITS = 10
SURE_FALL = 0.99


def predict(track: Track, issued_s: float, kinds: Kinds = DEFAULT) -> Forecast:
    """Where and when a track comes down.

    kinds: priors of the ballistic coefficient. An aircraft, a body that stays in orbit, and one that is still under
    thrust have no impact; the status says which.
    """
    name = track_name(track.number)
    parent = track_name(track.parent) if track.parent else None

    def nothing(status: str) -> Forecast:
        nan = math.nan
        return Forecast(
            issued_s, name, nan, nan, nan, nan, np.full((2, 2), nan), None, nan,
            phase_of(track), parent, track.existence, track.hits, status,
        )  # fmt: skip

    if track.mu[LEVEL] > 0.5:
        return nothing("level flight")
    if track.mu[THRUST] > 0.5:
        return nothing("under thrust: where it comes down depends on when the thrust ends")
    if not track.fallen and (track.hits < SURE_HITS or track.mu[BALLISTIC] < SURE_FALL):
        return nothing("not known yet from an aircraft")
    x, P = track.x[BALLISTIC], track.P[BALLISTIC]
    landings = free(x, P, kinds_of(track, x[:6], kinds), learned_by(track))
    if isinstance(landings, float):
        return nothing(f"stays above {landings / 1000:.0f} km")._replace(stays_up=True)
    impact = told(landings)
    first_s, last_s = impact.danger_s
    return Forecast(
        issued_s, name, track.time_s + impact.time_s, math.sqrt(max(impact.covariance[2, 2], 1e-6)),
        impact.latitude_rad, impact.longitude_rad, impact.covariance[:2, :2],
        impact.areas[2], float(impact.areas_km2[2]), phase_of(track), parent, track.existence, track.hits, "", False,
        impact.danger, impact.danger_km2, track.time_s + first_s, track.time_s + last_s,
        impact.areas[0], impact.areas[1], impact.late_s,
    )  # fmt: skip
