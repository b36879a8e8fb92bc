"""Forecasts of tracks: which to make when, and what they say."""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np

from tocsin.earth.motion import BALLISTIC, LEVEL, THRUST
from tocsin.errors import UsageError
from tocsin.prediction import meteoroids
from tocsin.prediction.ascent import DEFAULT as BURN
from tocsin.prediction.ascent import Burn, heading_known
from tocsin.prediction.departures import STEADY, TUMBLING
from tocsin.prediction.forecast import Forecast
from tocsin.prediction.kinds import kinds_of, learned_by
from tocsin.prediction.landings import Impact, Landings, account_of, drawn_together, either, free, thrusting
from tocsin.prediction.priors import DEFAULT, RELEASE, Kinds, Release
from tocsin.prediction.release import ASKED, bodies_of, of_track, told_of
from tocsin.tracking.life import phase_of
from tocsin.tracking.tracks import Track, track_name

# What was never faster or higher than an aircraft must show for a while that it falls.
SURE_HITS = 10
SURE_FALL = 0.99
# Probability of thrust below which it is left out, and above which free flight is.
LEAST_THRUST, SURE_THRUST = 0.02, 0.98

BURNING = meteoroids.ablating(STEADY), meteoroids.ablating(TUMBLING)


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
    now = (
        _burning(track, kinds)
        if track.meteor
        else free(x, P, kinds_of(track, x[:6], kinds), learned_by(track))
    )
    if isinstance(now, float):
        if longer is not None and thrust > 0.5:
            return longer
        return Reason(f"stays above {now / 1000:.0f} km", stays_up=True)
    return now if longer is None else either(now, longer, thrust)


def _burning(track: Track, kinds: Kinds) -> Landings | float:
    """Landings of a meteoroid in free flight, which goes on losing mass, nobody knows how much; as `free`."""
    x, P = track.x[BALLISTIC], track.P[BALLISTIC]
    lost = meteoroids.ln_beta_lost(float(np.linalg.norm(x[3:6])))
    learned = learned_by(track)
    if learned.precision > 0.0:
        unsure = (meteoroids.ABLATION_SIGMA * lost) ** 2
        learned = learned._replace(precision=1.0 / (1.0 / learned.precision + unsure))
    found = free(x, P, kinds_of(track, x[:6], kinds), learned, steady=BURNING[0], tumbling=BURNING[1])
    return found if isinstance(found, float) else found._replace(ln_beta=found.ln_beta - lost)


def predict(
    track: Track,
    issued_s: float,
    kinds: Kinds = DEFAULT,
    burn: Burn = BURN,
    release: Release | None = RELEASE,
) -> Forecast:
    """Where and when a track comes down.

    kinds: priors of the ballistic coefficient; burn: of what goes on under thrust; release: of what a body in coast may
    let go, None: not asked. An aircraft, a body that stays in orbit, and one under thrust whose heading is not known
    yet have no impact; the status says which.
    """
    return predict_many([track], issued_s, kinds, burn, release)[0]


def predict_many(
    tracks: Sequence[Track], issued_s: float, kinds: Kinds = DEFAULT, burn: Burn = BURN,
    release: Release | None = RELEASE, *, threads: int = 1,
) -> list[Forecast]:  # fmt: skip
    """`predict` for each of many tracks, to the last bit the same, by so many threads.

    All of a forecast but its polygons is worked out in compiled code, which threads run side by side; the polygons of
    all are made in one go. Raises `UsageError` for less than one thread.
    """
    if threads < 1:
        raise UsageError(f"threads must be 1 or more, is {threads}")
    if threads == 1 or len(tracks) < 2:
        found = [_account(track, kinds, burn, release) for track in tracks]
    else:
        with ThreadPoolExecutor(threads) as pool:
            found = list(pool.map(lambda track: _account(track, kinds, burn, release), tracks))
    told = [one for one in found if not isinstance(one, Reason)]
    impacts = iter(drawn_together([one.own for one in told]))
    others = iter(drawn_together([one.released for one in told if one.released is not None]))
    forecasts = []
    for track, one in zip(tracks, found, strict=True):
        if isinstance(one, Reason):
            forecasts.append(_nowhere(track, issued_s, one))
            continue
        forecast = _somewhere(track, issued_s, next(impacts))
        if one.released is not None and release is not None:
            may = told_of(next(others), one.chance, bodies_of(release), one.left_s, track.time_s)
            forecast = forecast._replace(may_release=may)
        forecasts.append(forecast)
    return forecasts


class _Accounts(NamedTuple):
    """All that is told of a track's impact but its polygons, see `account.account`, and of what it may release."""

    own: tuple[Any, ...]
    released: tuple[Any, ...] | None = None
    chance: float = 0.0  # that anything is
    left_s: float = 0.0  # for that


def _account(track: Track, kinds: Kinds, burn: Burn, release: Release | None) -> _Accounts | Reason:
    """What is told of a track; or why it has no impact."""
    found = landings_of_track(track, kinds, burn)
    if isinstance(found, Reason):
        return found
    landings = _finite(found)
    if landings is None:
        return Reason("its impact may be anywhere")
    own = account_of(landings)
    may = None if release is None else of_track(track, release, kinds)
    if may is None:
        return _Accounts(own)
    others, chance, left_s = may
    return _Accounts(own, account_of(others, ASKED), chance, left_s)


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


def _nowhere(track: Track, issued_s: float, reason: Reason) -> Forecast:
    nan = math.nan
    return Forecast(
        issued_s, track_name(track.number), nan, nan, nan, nan, np.full((2, 2), nan), None, nan,
        phase_of(track), _parent(track), track.existence, track.hits, reason.status, reason.stays_up,
    )  # fmt: skip


def _somewhere(track: Track, issued_s: float, impact: Impact) -> Forecast:
    first_s, last_s = impact.danger_s
    return Forecast(
        issued_s, track_name(track.number), track.time_s + impact.time_s,
        math.sqrt(max(float(impact.covariance[2, 2]), 1e-6)),
        impact.latitude_rad, impact.longitude_rad, impact.covariance[:2, :2],
        impact.areas[2], float(impact.areas_km2[2]), phase_of(track), _parent(track), track.existence, track.hits, "",
        False, impact.danger, impact.danger_share or 1.0, impact.danger_share == 0.0,
        track.time_s + first_s, track.time_s + last_s,
        impact.areas[0], impact.areas[1], impact.late_s,
    )  # fmt: skip


def _parent(track: Track) -> str | None:
    return track_name(track.parent) if track.parent else None
