"""Where and when a body may come down: a sum of normal distributions, one for each flight that stands for many."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from tocsin.earth.forces import Forces
from tocsin.earth.motion import THRUST
from tocsin.prediction.account import account
from tocsin.prediction.area import polygons, polygons_of
from tocsin.prediction.ascent import Burn, ends, landings_of
from tocsin.prediction.departures import STEADY, TUMBLING
from tocsin.prediction.forecast import Area, Spread
from tocsin.prediction.impact import STAYS_UP, WIND_SIGMA_M_S, impact
from tocsin.prediction.kinds import LIMITS, NOTHING, Learned, nodes
from tocsin.prediction.priors import Kind
from tocsin.prediction.region import outlines
from tocsin.sensors.plots import Floats
from tocsin.tracking.tracks import Track

GROUND_M = 0.0  # the ellipsoid, where nothing better is known
SHARES = np.array([0.5, 0.9, 0.99])  # that areas hold
# Of what people are told: pieces from here on (kg/m2). What is lighter falls slower than 30 m/s at the
# ground, minutes later and far downwind.
DANGEROUS_LN_BETA = math.log(50.0)


class Landings(NamedTuple):
    """Flights (k,) to the ground, each with what it stands for."""

    point: Floats  # (k, 4) place (ECEF, m) and time of flight (s)
    covariance: Floats  # (k, 4, 4) of both
    weight: Floats  # (k,) summing to 1
    ln_beta: Floats  # (k,)


class Impact(NamedTuple):
    """The distribution of an impact as it is told. Times are seconds after that of the state."""

    time_s: float  # the median, at the place of
    latitude_rad: float
    longitude_rad: float
    covariance: Floats  # (3, 3) second moments of east, north (m) and time (s) about these
    areas: list[Area]  # that hold it with each of the shares
    areas_km2: Floats
    late_s: Floats  # (7,) quantiles of the time at QUANTILES, less time_s
    danger: Spread  # where, of what is dense enough to be dangerous
    danger_share: float  # chance that it is; 0 where that is next to nothing, and danger is all of it
    danger_s: tuple[float, float]  # its first and last credible arrival


def free(
    x: Floats, P: Floats, kinds: tuple[Kind, ...], learned: Learned = NOTHING, *,
    wind_sigma_m_s: float = WIND_SIGMA_M_S, steady: Forces = STEADY, tumbling: Forces = TUMBLING,
    ground_m: float = GROUND_M, limits: tuple[float, float] = LIMITS,
) -> Landings | float:  # fmt: skip
    """Landings of a body in free flight, of a state (9,) and covariance (9, 9) as in `tracking.modes`.

    kinds: priors of ln beta (x and P tell only how the rest hangs on it). wind_sigma_m_s: of what is not known of the
    wind, each axis at 11 km. steady, tumbling: what acts on what keeps its attitude, and on what does not. ground_m:
    height of the ground. limits: of ln beta. A float is the lowest height (m) of what does not come down.
    """
    ln_beta, weight, width = nodes(kinds, learned, limits)
    code, point, covariance, weight, ln_beta, lowest_m = impact(
        x, P, ln_beta, weight, float(width), ground_m, wind_sigma_m_s, steady, tumbling
    )
    return float(lowest_m) if code == STAYS_UP else Landings(point, covariance, weight, ln_beta)


def thrusting(track: Track, burn: Burn) -> Landings | None:
    """Landings of a body under thrust, of which so much is believed; None where no end of it leads to the ground."""
    ends_m_s, widths_m_s = ends(track, burn)
    x, P = track.x[THRUST], track.P[THRUST]
    push = float(np.linalg.norm(x[6:9]))
    point, covariance, weight = landings_of(
        x, P, push, ends_m_s, np.array(burn.bends_rad_s), np.array(burn.bend_shares), widths_m_s,
        burn.exhaust_m_s, burn.most_m_s2, burn.longest_s, burn.turn_rad_s, burn.ln_beta, burn.ln_beta_sigma,
        WIND_SIGMA_M_S, GROUND_M, STEADY,
    )  # fmt: skip
    if len(weight) == 0:
        return None
    return Landings(point, covariance, weight / weight.sum(), np.full(len(weight), burn.ln_beta))


def either(first: Landings, second: Landings, chance: float) -> Landings:
    """The first or the second, which has a chance."""
    return Landings(
        np.concatenate([first.point, second.point]),
        np.concatenate([first.covariance, second.covariance]),
        np.concatenate([(1.0 - chance) * first.weight, chance * second.weight]),
        np.concatenate([first.ln_beta, second.ln_beta]),
    )


def told(landings: Landings, shares: Floats = SHARES) -> Impact:
    """The distribution as places, areas that hold shares (n,) of it, and times."""
    return drawn_together([account_of(landings, shares)])[0]


def account_of(landings: Landings, shares: Floats = SHARES) -> tuple[Any, ...]:
    """All of an `Impact` but its polygons, see `account`."""
    return account(
        landings.point, landings.covariance, landings.weight, landings.ln_beta, shares, DANGEROUS_LN_BETA
    )


def drawn_together(accounts: Sequence[tuple[Any, ...]]) -> list[Impact]:
    """Impacts of accounts, their polygons made in one go."""
    if not accounts:
        return []
    shapes = polygons_of([(a[11], a[12], len(a[4])) for a in accounts])
    found = []
    for a, areas in zip(accounts, shapes, strict=True):
        time_s, latitude, longitude, moments, sizes_m2, late_s, chance, weight, offset, flat, arrival = a[:11]
        found.append(
            Impact(
                time_s, latitude, longitude, moments, areas, sizes_m2 / 1e6, late_s,
                Spread(weight, offset, flat), chance, (time_s + float(arrival[0]), time_s + float(arrival[-1])),
            )
        )  # fmt: skip
    return found


def areas_of(latitude: float, longitude: float, spread: Spread, shares: Floats) -> tuple[list[Area], Floats]:
    """Areas about a place (rad) that hold shares (n,) of a spread, and their sizes (n,) in km2."""
    corners, parts, sizes = outlines(*spread, shares)
    return polygons(latitude, longitude, corners, parts, len(shares)), sizes / 1e6
