"""Forecasts of tracks: which to make when, and what they say."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from tocsin.earth.motion import BALLISTIC, LEVEL, THRUST
from tocsin.prediction.ascent import DEFAULT as BURN
from tocsin.prediction.ascent import Burn, heading_known
from tocsin.prediction.forecast import Forecast
from tocsin.prediction.kinds import DEFAULT, Kinds, kinds_of, learned_by
from tocsin.prediction.landings import Landings, either, free, thrusting, told
from tocsin.tracking.life import phase_of
from tocsin.tracking.tracks import Track, track_name

# What was never faster or higher than an aircraft must show for a while that it falls.
SURE_HITS = 10
SURE_FALL = 0.99
# Probability of thrust below which it is left out, and above which free flight is.
LEAST_THRUST, SURE_THRUST = 0.02, 0.98


class Reason(NamedTuple):
    """Why a track has no impact."""

    status: str
    stays_up: bool = False


def landings_of_track(track: Track, kinds: Kinds = DEFAULT, burn: Burn = BURN) -> Landings | Reason:
    """Where a track may come down: by what it does now, or by both where it may be in free flight or under thrust."""
    thrust = float(track.mu[THRUST])
    if track.mu[LEVEL] > 0.5:
        return Reason("level flight")
    if not track.fallen and (track.hits < SURE_HITS or track.mu[BALLISTIC] + thrust < SURE_FALL):
        return Reason("not known yet from an aircraft")
    longer = None
    if thrust > LEAST_THRUST:
        known = heading_known(track)
        if thrust > 0.5 and not known:
            return Reason("under thrust, and not known yet which way it goes")
        longer = thrusting(track, burn) if known else None
        if thrust > SURE_THRUST:
            return longer or Reason("under thrust, and too fast to come down")
    x, P = track.x[BALLISTIC], track.P[BALLISTIC]
    if not (np.isfinite(x).all() and np.isfinite(P).all()):
        return Reason("its state is not known")
    now = free(x, P, kinds_of(track, x[:6], kinds), learned_by(track))
    if isinstance(now, float):
        if longer is not None and thrust > 0.5:
            return longer
        return Reason(f"stays above {now / 1000:.0f} km", stays_up=True)
    return now if longer is None else either(now, longer, thrust)


def _finite(landings: Landings) -> Landings | None:
    """The flights whose spread is a number (at rest on the ground it is none); None where there is no such."""
    good = (
        np.isfinite(landings.point).all(1)
        & np.isfinite(landings.covariance).all((1, 2))
        & (landings.weight > 0)
    )
    if good.all():
        return landings
    weight = landings.weight[good]
    if not weight.sum() > 0.0:
        return None
    return Landings(
        landings.point[good], landings.covariance[good], weight / weight.sum(), landings.ln_beta[good]
    )


def predict(track: Track, issued_s: float, kinds: Kinds = DEFAULT, burn: Burn = BURN) -> Forecast:
    """Where and when a track comes down.

    kinds: priors of the ballistic coefficient; burn: of what goes on under thrust. An aircraft, a body that stays in
    orbit, and one under thrust whose heading is not known yet have no impact; the status says which.
    """
    name = track_name(track.number)
    parent = track_name(track.parent) if track.parent else None

    def nothing(status: str) -> Forecast:
        nan = math.nan
        return Forecast(
            issued_s, name, nan, nan, nan, nan, np.full((2, 2), nan), None, nan,
            phase_of(track), parent, track.existence, track.hits, status,
        )  # fmt: skip

    found = landings_of_track(track, kinds, burn)
    if isinstance(found, Reason):
        return nothing(found.status)._replace(stays_up=found.stays_up)
    landings = _finite(found)
    if landings is None:
        return nothing("its impact may be anywhere")
    impact = told(landings)
    first_s, last_s = impact.danger_s
    return Forecast(
        issued_s, name, track.time_s + impact.time_s, math.sqrt(max(impact.covariance[2, 2], 1e-6)),
        impact.latitude_rad, impact.longitude_rad, impact.covariance[:2, :2],
        impact.areas[2], float(impact.areas_km2[2]), phase_of(track), parent, track.existence, track.hits, "", False,
        impact.danger, impact.danger_share or 1.0, impact.danger_share == 0.0,
        track.time_s + first_s, track.time_s + last_s,
        impact.areas[0], impact.areas[1], impact.late_s,
    )  # fmt: skip
