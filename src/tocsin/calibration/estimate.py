"""What an estimator would know of a flight at a moment: an honest one, of stated errors.

Position and velocity are drawn around the truth with the covariance that is stated. Of ln beta it has what drag has
told. Drag has taken the speed L (m/s) from the body so far, and the estimator has measured that as well as it knows the
velocity before and after, but no better than a share of it, since air and shape depart from what it takes them to be:

    measured L ~ normal(L, 2 sigma_v^2 + (LEAST_SHARE L)^2)

A body of ln beta b would have lost L exp(b' - b), b' being the ln beta that has the drag of this moment in standard
air by a coefficient that does not change with speed (as `tracking.modes` takes it). That is a likelihood of b; with
the tracker's prior it gives the mean and the variance that a track has. Drag is that of the airspeed: what the wind
along the way so far has done, the estimator knows. It has no lag either.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from tocsin.calibration.families import Span
from tocsin.earth.ellipsoid import up_and_height
from tocsin.earth.forces import STANDARD
from tocsin.earth.motion import BALLISTIC, density_kg_m3, sound_speed_m_s
from tocsin.kernel import jit
from tocsin.sensors.plots import Floats
from tocsin.simulation.flight import NO_AIR_M, drag_by_mach, ln_density_over_standard, wind_m_s
from tocsin.tracking.modes import (
    CHILD_LN_BETA_MEAN,
    CHILD_LN_BETA_SIGMA,
    LN_BETA_MEAN,
    LN_BETA_SIGMA,
)
from tocsin.tracking.tracks import Track

# Errors along three axes drawn at random, and the correlation of position and velocity along each.
POSITION_M = Span(10.0, 300.0, True)
VELOCITY_M_S = Span(0.3, 10.0, True)
CORRELATION = Span(-0.9, 0.9)
LEAST_SHARE = 0.03  # of the speed lost
LEAST_LN_BETA, MOST_LN_BETA = 0.0, math.log(200e3)  # of what is thought of at all
LOOKED_AT = 201  # values of ln beta, twice: over all, then about the mean
SIGMAS = 6.0


class Estimate(NamedTuple):
    """What is known at a moment."""

    track: Track
    position_sigma_m: float  # root mean square of the axes
    velocity_sigma_m_s: float
    precision: float  # 1 / sigma of ln beta that drag has told; 0: nothing


@jit
def felt(time_s: Floats, rows: Floats, weather: Floats, curve: int) -> tuple[Floats, Floats]:
    """Drag along the rows (n, 7) of a flight at times (n,).

    Returns the speed (n,) in m/s that it has taken since the first row, by the trapezoidal rule, and the ln beta (n,)
    of the drag at each row by a coefficient that does not change with speed, in standard air.
    """
    lost, ln_beta = np.zeros(len(rows)), np.zeros(len(rows))
    before = 0.0
    for i in range(len(rows)):
        s = rows[i]
        sin_lat, cos_lat, sin_lon, cos_lon, height = up_and_height(s[0], s[1], s[2])
        ln_beta[i] = s[6]
        drag = 0.0
        if height < NO_AIR_M:
            east, north = wind_m_s(height, weather)
            ux = s[3] + sin_lon * east + sin_lat * cos_lon * north
            uy = s[4] - cos_lon * east + sin_lat * sin_lon * north
            uz = s[5] - cos_lat * north
            u2 = ux * ux + uy * uy + uz * uz
            ln_beta[i] -= math.log(drag_by_mach(math.sqrt(u2) / sound_speed_m_s(height, STANDARD), curve))
            ln_beta[i] -= ln_density_over_standard(height, weather)
            drag = 0.5 * density_kg_m3(height, STANDARD) * u2 * math.exp(-ln_beta[i])
        if i > 0:
            lost[i] = lost[i - 1] + 0.5 * (before + drag) * (time_s[i] - time_s[i - 1])
        before = drag
    return lost, ln_beta


def estimate(
    state: Floats, lost_m_s: float, ln_beta: float, child: bool, rng: np.random.Generator
) -> Estimate:
    """An estimate of a state (6,) that has lost so much speed to drag, and has the drag of such an ln beta."""
    C, position, velocity = _covariance(rng)
    x, P = np.zeros(9), np.zeros((9, 9))
    x[:6] = state + np.linalg.cholesky(C) @ rng.normal(size=6)
    P[:6, :6] = C
    along = state[3:] / np.linalg.norm(state[3:])
    sigma = math.sqrt(2.0 * float(along @ C[3:, 3:] @ along) + (LEAST_SHARE * lost_m_s) ** 2)
    measured = lost_m_s + sigma * rng.normal()
    prior = (CHILD_LN_BETA_MEAN, CHILD_LN_BETA_SIGMA) if child else (LN_BETA_MEAN, LN_BETA_SIGMA)
    x[6], variance = learn(
        prior, measured, lost_m_s * math.exp(ln_beta), sigma**2 - (LEAST_SHARE * lost_m_s) ** 2
    )
    P[6, 6] = variance
    mu = np.zeros(3)
    mu[BALLISTIC] = 1.0
    track = Track(
        1,
        1 if child else 0,
        0.0,
        np.stack([x] * 3),
        np.stack([P] * 3),
        mu,
        1.0,
        1000,
        True,
        False,
        True,
        child,
    )
    told = max(1.0 / variance - 1.0 / prior[1] ** 2, 0.0)
    return Estimate(track, position, velocity, math.sqrt(told))


def learn(prior: tuple[float, float], lost_m_s: float, pull: float, variance: float) -> tuple[float, float]:
    """Mean and variance of ln beta, of a normal prior and a measured loss of speed.

    pull: what a body of a ballistic coefficient of 1 kg/m2 would have lost, were drag small; variance: of the measured
    loss, but for what is in proportion to it. By sums over a grid.
    """
    at = np.linspace(LEAST_LN_BETA, MOST_LN_BETA, LOOKED_AT)
    for turn in range(2):
        lost = pull * np.exp(-at)
        spread = variance + (LEAST_SHARE * lost) ** 2
        log = (
            -0.5 * ((at - prior[0]) / prior[1]) ** 2
            - 0.5 * (lost_m_s - lost) ** 2 / spread
            - 0.5 * np.log(spread)
        )
        weight = np.exp(log - log.max())
        weight /= weight.sum()
        mean = float(weight @ at)
        square = float(weight @ (at - mean) ** 2)
        if turn == 0:
            reach = SIGMAS * max(math.sqrt(square), float(at[1] - at[0]))
            at = np.linspace(mean - reach, mean + reach, LOOKED_AT)
    return mean, square


def _covariance(rng: np.random.Generator) -> tuple[Floats, float, float]:
    """A covariance (6, 6) of position and velocity, and the root mean square of both."""
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    position = np.array([POSITION_M.draw(rng) for _ in range(3)])
    velocity = np.array([VELOCITY_M_S.draw(rng) for _ in range(3)])
    both = np.array([CORRELATION.draw(rng) for _ in range(3)]) * position * velocity
    C = np.block(
        [
            [turn @ np.diag(position**2) @ turn.T, turn @ np.diag(both) @ turn.T],
            [turn @ np.diag(both) @ turn.T, turn @ np.diag(velocity**2) @ turn.T],
        ]
    )
    return C, math.sqrt(float(np.mean(position**2))), math.sqrt(float(np.mean(velocity**2)))
