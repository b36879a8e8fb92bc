"""What is believed of the ballistic coefficient of a body, by where it comes from: priors at nodes.

Above the air nothing tells it, and in the air it decides where a body comes down. So a forecast needs a prior: a sum of
kinds, each log-normal (`priors`). It can be replaced: `predictor.predict` takes any other.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from tocsin.earth.motion import BALLISTIC
from tocsin.earth.orbit import energy_and_perigee
from tocsin.kernel import jit
from tocsin.prediction.priors import DEFAULT, Kind, Kinds
from tocsin.sensors.plots import Floats
from tocsin.tracking.fit import METEOR_LN_BETA_MEAN, METEOR_LN_BETA_SIGMA
from tocsin.tracking.modes import (
    CHILD_LN_BETA_MEAN,
    CHILD_LN_BETA_SIGMA,
    LN_BETA_MEAN,
    LN_BETA_SIGMA,
    PIECE_LN_BETA_MEAN,
    PIECE_LN_BETA_SIGMA,
)
from tocsin.tracking.tracks import Track
from tocsin.units import SEMI_MAJOR_AXIS_M

# A flight whose perigee is so deep below the ground was thrown up from the Earth; one whose perigee is no deeper than
# this, or that is faster than a satellite, comes from an orbit; between, it may be either.
THROWN_PERIGEE_M, ORBIT_PERIGEE_M = -700e3, -200e3


def kinds_of(track: Track, state: Floats, kinds: Kinds = DEFAULT) -> tuple[Kind, ...]:
    """The prior for a track in free flight at a state (6,)."""
    if track.burst:
        return kinds.breakup
    return kinds.child if track.parted else kinds_alone(state, kinds)


def kinds_alone(state: Floats, kinds: Kinds = DEFAULT) -> tuple[Kind, ...]:
    """The prior for what flies alone at a state (6,): as launched, from an orbit, or either."""
    orbit = chance_of_orbit(state)
    if orbit in (0.0, 1.0):
        return kinds.orbit if orbit else kinds.whole
    whole = (k._replace(share=k.share * (1.0 - orbit)) for k in kinds.whole)
    return (*whole, *(k._replace(share=k.share * orbit) for k in kinds.orbit))


def chance_of_orbit(state: Floats) -> float:
    """Probability that a state (6,), ECEF, is on an orbit about the Earth, decaying or hyperbolic."""
    return float(_chance_of_orbit(state))


@jit
def _chance_of_orbit(state: Floats) -> float:
    energy, lowest_m = energy_and_perigee(state)
    if energy > 0.0:
        return 1.0
    perigee_m = lowest_m - SEMI_MAJOR_AXIS_M
    share = (perigee_m - THROWN_PERIGEE_M) / (ORBIT_PERIGEE_M - THROWN_PERIGEE_M)
    return float(min(max(share, 0.0), 1.0))


class Learned(NamedTuple):
    """What plots have told of ln beta: a likelihood, normal, of so much information."""

    ln_beta: float
    precision: float  # 1 / variance; 0: nothing


NOTHING = Learned(0.0, 0.0)


def learned_by(track: Track) -> Learned:
    """What a track has learned: what it says, less the prior that it began with."""
    if track.meteor:
        before, spread = METEOR_LN_BETA_MEAN, METEOR_LN_BETA_SIGMA
    elif track.burst:
        before, spread = PIECE_LN_BETA_MEAN, PIECE_LN_BETA_SIGMA
    elif track.parent:
        before, spread = CHILD_LN_BETA_MEAN, CHILD_LN_BETA_SIGMA
    else:
        before, spread = LN_BETA_MEAN, LN_BETA_SIGMA
    mean, variance = float(track.x[BALLISTIC, 6]), max(float(track.P[BALLISTIC, 6, 6]), 1e-8)
    precision = 1.0 / variance - 1.0 / spread**2
    if precision < LEAST_PRECISION or variance >= FORGOTTEN * LN_BETA_SIGMA**2:
        return NOTHING
    return Learned((mean / variance - before / spread**2) / precision, precision)


# How ln beta is taken apart. Between nodes the sum of normal distributions of WIDTH of their distance is smooth.
LIMITS = (math.log(4.0), math.log(100e3))  # a thin foil, and more than any solid body
LEAST_PRECISION = 1e-3
FORGOTTEN = 0.99  # of the variance up to which a filter forgets what it has learned, see `modes.add_noise`
LOOKED_AT = 96
FEWEST, MOST = 9, 13
WIDEST_STEP = 0.4
WIDTH = 0.55
LEAST_WEIGHT = math.log(1e-3)
LINEAR_SIGMA = 0.1  # of ln beta, below which one flight does
LEAST_NARROWED = 0.05  # of the distance of nodes
REACH = 3.2  # sigmas of a kind within which nodes stand


def nodes(
    kinds: tuple[Kind, ...],
    learned: Learned = NOTHING,
    limits: tuple[float, float] = LIMITS,
    most: int = MOST,
) -> tuple[Floats, Floats, float]:
    """What is believed of ln beta, at nodes (k,): their weights (k,), and the sigma of what each stands for.

    limits: of ln beta, beyond which nothing is believed. most: nodes, 9 or more. Each kind is shared out among the
    nodes on either side of it, in proportion to how near they are: that keeps its share and its mean, however narrow it
    is.
    """
    at, weight, width = nodes_of(table(kinds), learned.ln_beta, learned.precision, *limits, most)
    return at, weight, float(width)


@lru_cache(64)
def table(kinds: tuple[Kind, ...]) -> Floats:
    """Kinds as numbers (k, 3): ln of the share, mean and sigma of ln beta."""
    return np.array([[math.log(kind.share), kind.ln_beta, kind.sigma] for kind in kinds])


@jit
def nodes_of(
    kinds: Floats, learned: float, precision: float, lowest: float, highest: float, most: int
) -> tuple[Floats, Floats, float]:
    """As `nodes`, of a `table` (k, 3), of what was learned and of its precision, within limits."""
    share, mean, sigma = _together(kinds, learned, precision)
    middle = (share * mean).sum()
    spread = math.sqrt((share * (sigma**2 + (mean - middle) ** 2)).sum())
    one, whole = np.array([middle]), np.ones(1)
    if spread < LINEAR_SIGMA:
        return one, whole, spread
    low, high = math.inf, -math.inf
    for k in range(len(share)):
        if share[k] > math.exp(LEAST_WEIGHT):
            low, high = min(low, mean[k] - REACH * sigma[k]), max(high, mean[k] + REACH * sigma[k])
    low, high = max(low, lowest), min(high, highest)
    if low >= high:  # drag has told that it is beyond the limits
        return one, whole, spread
    low, high = _narrowed(low, high, share, mean, sigma)
    count = int(min(max((high - low) / WIDEST_STEP + 1.0, FEWEST), most))
    at = np.linspace(low, high, count)
    step = at[1] - at[0]
    width = WIDTH * step
    # what the nodes' own width and the sharing out add to the variance
    narrowed = np.sqrt(np.maximum(sigma**2 - width**2 - step**2 / 6.0, (LEAST_NARROWED * step) ** 2))
    weight = _shared_out(at, step, share, mean, narrowed)
    total = weight.sum()
    if not total > 0.0:  # next to nothing of it is within the limits
        return one, whole, spread
    return at, weight / total, width


@jit
def _together(kinds: Floats, learned: float, precision: float) -> tuple[Floats, Floats, Floats]:
    """Kinds and what was learned together: shares (k,), means and sigmas."""
    share, mean, sigma = np.empty(len(kinds)), np.empty(len(kinds)), np.empty(len(kinds))
    for k in range(len(kinds)):
        own = kinds[k, 2] ** -2
        both = own + precision
        mean[k] = (own * kinds[k, 1] + precision * learned) / both
        sigma[k] = both**-0.5
        apart2 = (kinds[k, 1] - learned) ** 2 * own * precision / both
        share[k] = kinds[k, 0] - 0.5 * apart2 + 0.5 * math.log(own / both)
    share = np.exp(share - share.max())
    return share / share.sum(), mean, sigma


@jit
def _beyond(t: float, mean: float, sigma: float) -> float:
    """The mean of x - t, where that is above 0, of a normal x."""
    z = (mean - t) / sigma
    return sigma * (
        math.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi) + 0.5 * z * math.erfc(-z / math.sqrt(2.0))
    )


@jit
def _shared_out(at: Floats, step: float, share: Floats, mean: Floats, sigma: Floats) -> Floats:
    """Weights (k,) of nodes: means of 1 - |x - node| / step, where that is above 0, over normal distributions of x."""
    weight = np.zeros(len(at))
    for i in range(len(at)):
        for k in range(len(share)):
            hat = _beyond(at[i] - step, mean[k], sigma[k]) - 2.0 * _beyond(at[i], mean[k], sigma[k])
            weight[i] += share[k] * (hat + _beyond(at[i] + step, mean[k], sigma[k])) / step
    return np.maximum(weight, 0.0)


@jit
def _narrowed(low: float, high: float, share: Floats, mean: Floats, sigma: Floats) -> tuple[float, float]:
    """The part of an interval in which there is more than a thousandth of the greatest density."""
    at = np.linspace(low, high, LOOKED_AT)
    density = np.zeros(LOOKED_AT)
    for i in range(LOOKED_AT):
        for k in range(len(share)):
            density[i] += share[k] / sigma[k] * math.exp(-0.5 * ((at[i] - mean[k]) / sigma[k]) ** 2)
    likely = np.flatnonzero(density > density.max() * math.exp(LEAST_WEIGHT))
    return at[max(likely[0] - 1, 0)], at[min(likely[-1] + 1, LOOKED_AT - 1)]
