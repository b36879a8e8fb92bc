"""What the predictor reports: where and when a track comes down."""

from __future__ import annotations

import math
from typing import NamedTuple, TypeAlias

import numpy as np
from shapely.geometry import MultiPolygon, Polygon

from tocsin.sensors.plots import Floats

Area: TypeAlias = Polygon | MultiPolygon

ORIGINS = ("whole", "child", "orbit", "meteoroid", "breakup")  # what a body may come from
# Probabilities at which the time of an impact is told, as the results contract has them.
QUANTILES = np.array([0.005, 0.05, 0.25, 0.5, 0.75, 0.95, 0.995])


class Spread(NamedTuple):
    """Where an impact may be: normal distributions (k,) in the plane of `prediction.area` at a place on the ground."""

    weight: Floats  # (k,) summing to 1
    offset_m: Floats  # (k, 2) east, north of the place
    covariance_m2: Floats  # (k, 2, 2)


class MayRelease(NamedTuple):
    """Where and when one body would come down that something in coast may still release.

    Times are on the clock of what holds it: of a `Forecast` as its own, of a `Prediction` seconds after the state.
    """

    chance: float  # that it still releases anything
    bodies: float  # how many it then releases, on the mean
    until_s: float  # when no more release is reckoned with: it is back in the air
    impact_time_s: float  # the median, at the place of
    latitude_rad: float
    longitude_rad: float
    areas: tuple[Area, ...]  # (3,) that hold a released body with 0.5, 0.9 and 0.99, as `Forecast.area`
    areas_km2: Floats  # (3,)
    time_quantiles_s: Floats  # (7,) of its impact at QUANTILES
    danger: Spread  # as `Forecast.danger`, about the place above
    danger_share: float
    earliest_s: float  # its first and last credible arrival, of what is dense enough to be dangerous
    latest_s: float


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
    # what people are told of, about the place above: the part that is dense enough to be dangerous, how likely that
    # part is, and its first and last credible arrival; all of it where it is known to be light
    danger: Spread | None = None
    danger_share: float = 1.0
    light: bool = False
    earliest_s: float = math.nan
    latest_s: float = math.nan
    area_50: Area | None = None  # these hold the impact with 0.5 and with 0.9
    area_90: Area | None = None
    time_quantiles_s: Floats | None = None  # (7,) of the impact at QUANTILES, less impact_time_s
    may_release: MayRelease | None = None  # what it may still let go; None: nothing


# How the prediction of one state ended
COMES_DOWN, STAYS_UP, STILL_FLYING, LEAVES, UNDER_GROUND, NOT_FINITE, TOO_FAST, TOO_FAR, TOO_WIDE = range(9)
IN_A_WINDOW = 9


class FallLine(NamedTuple):
    """Where bodies of n masses of one density and shape come down, all from one state.

    Where one does not come down or burns up, its place and time are NaN.
    """

    mass_kg: Floats  # (n,) on the ground
    start_mass_kg: Floats  # (n,) of the same bodies at the state, before they ablate
    latitude_rad: Floats  # (n,)
    longitude_rad: Floats  # (n,)
    time_s: Floats  # (n,) after the state
    density_kg_m3: float
    shape: str


class Pieces(NamedTuple):
    """Where pieces of n ballistic coefficients come down that are thrown nowhere, from the heel (light) to the toe.

    Where one does not come down, its place and time are NaN.
    """

    ballistic_coefficient_kg_m2: Floats  # (n,) at the speed of the state
    latitude_rad: Floats  # (n,)
    longitude_rad: Floats  # (n,)
    time_s: Floats  # (n,) after the state


class Window(NamedTuple):
    """When a decaying orbit ends, and the ground track under that. Times are seconds after that of the state.

    The track goes from the first to the last of ``ground_quantiles_s``; where a quantile is later than is looked ahead
    it is NaN, and the track ends with what is looked ahead.
    """

    entry_quantiles_s: Floats  # (7,) of the entry into the air (80 km) at QUANTILES
    ground_quantiles_s: Floats  # (7,) of the impact
    within: float  # chance that it comes down in the time that is looked ahead (`decay.LONGEST_DECAY_S`)
    revolutions: float  # along the track
    latitude_rad: Floats  # (2,) southernmost and northernmost of the track
    swath_m: float  # width across the track that holds 99 %
    track: Floats  # (m, 3) latitude, longitude (rad), and time at which what comes down there does so
    # (p, 3) pieces of the track: number of the first and of the last point, chance to come down between
    stretches: Floats
    # ln of the ballistic coefficient over the density factor, as it acts on the way that is left
    ln_beta: float
    ln_beta_sigma: float


class DecayWindow(NamedTuple):
    """The window of a tracked body whose orbit decays, as known at one moment; or that it has none any more."""

    issued_s: float
    body: str  # name of the first track of it
    tracks: tuple[str, ...]  # of it, in the order in which they were seen
    passes: int  # whose states it is made from
    state_s: float  # time of the last of them; those of the window are after that
    perigee_m: float  # over the equator's radius
    apogee_m: float
    drag_sigma: float  # of drag relative to itself, as the passes told it; NaN where they told nothing
    window: Window | None  # None: it has ended
    reason: str  # why it has ended, else empty


class Prediction(NamedTuple):
    """Where and when one state comes down. Times are seconds after that of the state.

    status: COMES_DOWN, or why there is no impact, in words in ``sentence``; then the numbers are NaN and there are no
    areas. IN_A_WINDOW: it comes down later than an area could be told, within ``window``. ``notes`` are sentences that
    whoever uses the areas should read.
    """

    status: int
    sentence: str
    time_s: float  # the median flight's, with its place
    latitude_rad: float
    longitude_rad: float
    covariance: Floats  # (3, 3) second moments of east, north (m) and time (s) about these
    shares: Floats  # (n,) of the impact that the areas hold
    areas: tuple[Area, ...]  # (n,) lon, lat in degrees, cut at the antimeridian
    areas_km2: Floats  # (n,)
    time_quantiles_s: Floats  # (7,) of the impact at QUANTILES, 0 where it may be down already
    origin: str  # one of ORIGINS: what was believed of its ballistic coefficient; given
    stays_up: float  # share of what it may be that does not come down, of which the areas know nothing
    # the flights behind the areas, the lightest first (k, 5): latitude, longitude (rad), time (s), ln of the ballistic
    # coefficient at the speed of the state, and weight
    flights: Floats
    fall_line: FallLine | None  # of a meteoroid
    pieces: Pieces | None  # of a break-up
    notes: tuple[str, ...]
    window: Window | None = None  # of a decaying orbit, unless it comes down within half a revolution
    may_release: MayRelease | None = (
        None  # what it may still let go, where it flies as it was launched; None: nothing
    )
