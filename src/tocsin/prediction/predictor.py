"""Forecasts of tracks: which to make when, and what they say."""

from __future__ import annotations

import math

import numpy as np
from scipy.stats import chi2

from tocsin.earth.ellipsoid import ecef_to_geodetic, enu_axes
from tocsin.earth.motion import BALLISTIC, LEVEL, THRUST
from tocsin.prediction.area import chain_of_ellipses
from tocsin.prediction.forecast import Forecast
from tocsin.prediction.impact import STAYS_UP, impact
from tocsin.sensors.plots import Floats
from tocsin.tracking.life import phase_of
from tocsin.tracking.tracks import Track, track_name

GROUND_M = 0.0  # the ellipsoid, where nothing better is known
PROBABILITY = 0.99
# Squared sigmas within which a Gaussian of two, of three dimensions lies with PROBABILITY (chi-square).
RADIUS2_OF_TWO, RADIUS2_OF_THREE = (float(r) for r in chi2.ppf(PROBABILITY, [2, 3]))
ONE_SIDE_SIGMAS = 2.5758  # of a normal distribution, which leave (1 - PROBABILITY) / 2 on either side
# Of what people are told: pieces from here on (kg/m2). What is lighter falls slower than 30 m/s at the
# ground, minutes later and far downwind.
DANGEROUS_LN_BETA = math.log(50.0)
# What was never faster or higher than an aircraft must show for a while that it falls.
SURE_HITS = 10
SURE_FALL = 0.99


def predict(track: Track, issued_s: float) -> Forecast:
    """Where and when a track comes down.

    An aircraft, a body that stays in orbit, and one that is still under thrust have no impact; the
    status says which.
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
    code, points, covariances, weights, nodes, lowest_m = impact(
        track.x[BALLISTIC], track.P[BALLISTIC], GROUND_M
    )
    if code == STAYS_UP:
        return nothing(f"stays above {lowest_m / 1000:.0f} km")._replace(stays_up=True)
    middle = int(np.argmax(weights))
    ln_beta = track.x[BALLISTIC, 6] + nodes * math.sqrt(max(track.P[BALLISTIC, 6, 6], 0.0))
    centre = points[middle]  # the flight of the mean state: the median in ln beta
    latitude, longitude, _ = (float(v) for v in ecef_to_geodetic(centre[:3]))
    turn = np.eye(4)[[0, 1, 3]]
    turn[:2, :3] = enu_axes(latitude, longitude)[:2]
    offsets = (points - centre) @ turn.T  # (k, 3) east, north, time
    spreads = turn @ covariances @ turn.T
    # second moments about the reported point, which is not the mean
    moments = np.einsum("k,kij->ij", weights, spreads + offsets[:, :, None] * offsets[:, None, :])
    moments = 0.5 * (moments + moments.T)
    # the ellipsoid that holds ln beta and the two coordinates of the point, cut at each node of ln beta
    radius2 = np.full(1, RADIUS2_OF_TWO) if len(nodes) == 1 else np.maximum(RADIUS2_OF_THREE - nodes**2, 0.0)
    area, area_km2 = chain_of_ellipses(latitude, longitude, offsets[:, :2], spreads[:, :2, :2], radius2)
    dense = ln_beta >= DANGEROUS_LN_BETA
    if not dense[middle]:  # light for certain, or nearly: then light is what there is to tell of
        dense[:] = True
    danger_area, danger_area_km2 = area, area_km2
    if not dense.all():
        danger_area, danger_area_km2 = chain_of_ellipses(
            latitude, longitude, offsets[dense, :2], spreads[dense, :2, :2], radius2[dense]
        )
    return Forecast(
        issued_s, name, track.time_s + float(centre[3]), math.sqrt(max(moments[2, 2], 1e-6)), latitude, longitude,
        moments[:2, :2], area, area_km2, phase_of(track), parent, track.existence, track.hits, "", False,
        danger_area, danger_area_km2, *(track.time_s + arrival(points[dense, 3], spreads[dense, 2, 2])),
    )  # fmt: skip


def arrival(flight_s: Floats, variance_s2: Floats) -> Floats:
    """Earliest and latest time of flight (2,) among Gaussians (k,), each held with PROBABILITY."""
    reach = ONE_SIDE_SIGMAS * np.sqrt(variance_s2)
    return np.array([np.min(flight_s - reach), np.max(flight_s + reach)])
