"""What the predictor reports: where and when a track comes down."""

from __future__ import annotations

import math
from typing import NamedTuple, TypeAlias

import numpy as np
from shapely.geometry import MultiPolygon, Polygon

from tocsin.sensors.plots import Floats

Area: TypeAlias = Polygon | MultiPolygon

# Probabilities at which the time of an impact is told, as the results contract has them.
QUANTILES = np.array([0.005, 0.05, 0.25, 0.5, 0.75, 0.95, 0.995])


class Forecast(NamedTuple):
    """Where and when one track comes down, as known at one moment.

    A track that does not come down has ``impact_time_s`` NaN and ``area`` None.
    """

    issued_s: float
    track: str
    impact_time_s: float
    impact_time_sigma_s: float
    latitude_rad: float
    longitude_rad: float
    covariance_m2: Floats  # (2, 2) east, north
    area: Area | None  # lon, lat in degrees, cut at the antimeridian; holds the impact with 0.99
    area_km2: float
    # why: the state that it was made from
    phase: str  # boost, coast, reentry or other
    parent: str | None
    existence: float
    plots: int  # plots that the track has taken so far
    status: str  # "" or a sentence why there is no impact
    stays_up: bool = False  # it flies on above the air: an orbit
    # the part of the area, and the arrivals, of what is dense enough to be dangerous (all of it where the
    # track is known to be lighter): what people are told of; None: the whole area
    danger_area: Area | None = None
    danger_area_km2: float = math.nan
    # of that part, the first and last credible arrival; NaN: impact_time_s -+ 3 sigma
    earliest_s: float = math.nan
    latest_s: float = math.nan
    area_50: Area | None = None  # these hold the impact with 0.5 and with 0.9
    area_90: Area | None = None
    time_quantiles_s: Floats | None = None  # (7,) of the impact at QUANTILES, less impact_time_s
