"""Where and when a body may come down: a sum of normal distributions, one for each flight that stands for many."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from tocsin.earth.ellipsoid import ecef_to_geodetic, enu_axes
from tocsin.earth.forces import Forces
from tocsin.earth.motion import THRUST
from tocsin.prediction.area import offsets_m, polygons
from tocsin.prediction.ascent import Burn, ends, landings_of
from tocsin.prediction.forecast import QUANTILES, Area, Spread
from tocsin.prediction.impact import STAYS_UP, STEADY, TUMBLING, WIND_SIGMA_M_S, impact
from tocsin.prediction.kinds import LIMITS, NOTHING, Kind, Learned, nodes
from tocsin.prediction.region import outlines, quantiles
from tocsin.sensors.plots import Floats
from tocsin.tracking.tracks import Track

GROUND_M = 0.0  # the ellipsoid, where nothing better is known
SHARES = np.array([0.5, 0.9, 0.99])  # that areas hold
# Of what people are told: pieces from here on (kg/m2). What is lighter falls slower than 30 m/s at the
# ground, minutes later and far downwind.
DANGEROUS_LN_BETA = math.log(50.0)
LEAST_DANGER = 0.01  # chance to be so dense below which a body is told of as what it is


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
    weight, ln_beta = landings.weight, landings.ln_beta
    # the median in time: what is lighter, or burns longer, comes down later
    order = np.argsort(landings.point[:, 3], kind="stable")
    middle = int(order[np.flatnonzero(np.cumsum(weight[order]) > 0.5 - 1e-9)[0]])
    centre = landings.point[middle]
    latitude, longitude, _ = (float(v) for v in ecef_to_geodetic(centre[:3]))
    turn = np.eye(4)[[0, 1, 3]]
    turn[:2, :3] = enu_axes(latitude, longitude)[:2]
    offset = np.column_stack(
        [offsets_m(latitude, longitude, landings.point[:, :3]), landings.point[:, 3] - centre[3]]
    )
    spread = turn @ landings.covariance @ turn.T
    # second moments about the reported point, which is not the mean
    moments = np.einsum("k,kij->ij", weight, spread + offset[:, :, None] * offset[:, None, :])
    moments = 0.5 * (moments + moments.T)
    areas, areas_km2 = areas_of(
        latitude, longitude,
        Spread(weight, np.ascontiguousarray(offset[:, :2]), np.ascontiguousarray(spread[:, :2, :2])), shares,
    )  # fmt: skip
    late_s = _quantiles(weight, offset[:, 2], spread[:, 2, 2])
    dense = np.asarray(ln_beta >= DANGEROUS_LN_BETA)
    chance = float(weight[dense].sum())
    if chance < LEAST_DANGER:
        dense[:], chance = True, 0.0
    share, arrival = weight[dense] / weight[dense].sum(), late_s
    if not dense.all():
        arrival = _quantiles(share, offset[dense, 2], spread[dense, 2, 2])
    danger = Spread(
        share, np.ascontiguousarray(offset[dense, :2]), np.ascontiguousarray(spread[dense, :2, :2])
    )
    return Impact(
        float(centre[3]), latitude, longitude, moments, areas, areas_km2, late_s,
        danger, chance, (float(centre[3] + arrival[0]), float(centre[3] + arrival[-1])),
    )  # fmt: skip


def areas_of(latitude: float, longitude: float, spread: Spread, shares: Floats) -> tuple[list[Area], Floats]:
    """Areas about a place (rad) that hold shares (n,) of a spread, and their sizes (n,) in km2."""
    corners, parts, sizes = outlines(*spread, shares)
    return polygons(latitude, longitude, corners, parts, len(shares)), sizes / 1e6


def _quantiles(weight: Floats, time_s: Floats, variance_s2: Floats) -> Floats:
    """Quantiles of a time (7,) at `QUANTILES`."""
    return quantiles(weight, np.ascontiguousarray(time_s), np.maximum(variance_s2, 1e-6), QUANTILES)
