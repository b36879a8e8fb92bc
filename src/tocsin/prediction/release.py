"""Where bodies would come down that something in coast may still release.

A body above the air that has burnt out may be one of a kind that lets others go. Whoever watches knows neither whether
it does, nor how many, when, how fast nor which way. So a forecast says besides where the body itself comes down, where
what it may still release would: each flight to the ground keeps what a push at any moment of it would do to the impact
(`earth.integrate.back`), and a release of a velocity v at a time t moves the impact by J(t) v. That is linear, as are
the errors of the state, with which it adds up.

The prior (`priors.Release`) is a statement of ignorance, in orders of magnitude.
"""

from __future__ import annotations

import math

import numpy as np

from tocsin.earth.ellipsoid import up_and_height
from tocsin.earth.forces import Forces
from tocsin.earth.integrate import new_tape
from tocsin.earth.motion import BALLISTIC, LEVEL, THRUST
from tocsin.earth.orbit import energy_and_perigee
from tocsin.earth.status import LANDED
from tocsin.kernel import jit
from tocsin.prediction.departures import STEADY, TUMBLING, TUMBLING_LN_BETA
from tocsin.prediction.forecast import MayRelease
from tocsin.prediction.impact import WIND_SIGMA_M_S, fall, ln_by_mach
from tocsin.prediction.kinds import LIMITS, chance_of_orbit, nodes
from tocsin.prediction.landings import GROUND_M, Impact, Landings
from tocsin.prediction.priors import DEFAULT, RELEASE, Kind, Kinds, Release
from tocsin.sensors.plots import Floats
from tocsin.tracking.life import REENTRY_DRAG_M_S2
from tocsin.tracking.modes import drag_m_s2
from tocsin.tracking.tracks import Track
from tocsin.units import EARTH_GM_M3_S2

NODES = 9  # of ln beta: what a release adds blurs the places of single ones
FEWEST_WEIGHT = 0.02  # of a node: what is less likely is left out; its neighbours reach into its place
STEP_ERROR_M = 30.0  # allowed in a step of a flight: in all some metres, of areas of kilometres
ALIKE = 2.0  # a release that spreads impacts (m2) no more than so many times the one before counts with it
LEAST_CHANCE = 0.01  # below which nothing is said
MOST_THRUST = 0.02  # probability of thrust from which on it has not burnt out
MOST_ORBIT = 0.5  # chance to be on an orbit, from which on it is no missile
# What areas of the shares of `landings.SHARES` are asked to hold. A region takes what lies across at each place along
# as one normal distribution (`region`), and here it is a sum of narrow and wide ones about one middle: of that an area
# of 50 % holds 53 %, one of 90 % 88 and one of 99 % 97.
ASKED = np.array([0.47, 0.92, 0.9985])


def of_track(
    track: Track, release: Release = RELEASE, kinds: Kinds = DEFAULT
) -> tuple[Landings, float, float] | None:
    """What a track may still release: landings of one such body, the chance that there is any, the time left (s).

    None where it may not: it is under thrust or level, on an orbit, has itself left a known body or broken up, is a
    meteor, feels the air, is on its last way down below `Release.until_height_m` or never above that.
    """
    x, P = track.x[BALLISTIC], track.P[BALLISTIC]
    if (
        track.parent
        or track.burst
        or track.meteor
        or track.mu[THRUST] > MOST_THRUST
        or track.mu[LEVEL] > MOST_THRUST
        or track.orbit
    ):
        return None
    if drag_m_s2(x) > REENTRY_DRAG_M_S2:
        return None
    return of_state(x[:6], P[:6, :6], release, kinds.child, again=track.parted)


def of_state(
    x: Floats, P: Floats, release: Release, kinds: tuple[Kind, ...], *, again: bool = False,
    steady: Forces = STEADY, tumbling: Forces = TUMBLING, wind_sigma_m_s: float = WIND_SIGMA_M_S,
    ground_m: float = GROUND_M, limits: tuple[float, float] = LIMITS,
) -> tuple[Landings, float, float] | None:  # fmt: skip
    """As `of_track`, of a state (6,) with its covariance (6, 6).

    kinds: what is released. again: others have left it before. The rest as for `landings.free`.
    """
    if chance_of_orbit(x) >= MOST_ORBIT:
        return None
    at, weight, width = nodes(kinds, limits=limits, most=NODES)
    share, sigma_m_s = _speeds(release)
    point, covariance, weight, ln_beta, left_s = released(
        x,
        P,
        at,
        weight,
        width,
        release.until_height_m,
        share,
        sigma_m_s,
        ground_m,
        wind_sigma_m_s,
        steady,
        tumbling,
    )
    if not left_s > 0.0 or not weight.sum() > 0.0:
        return None
    chance = chance_left(release, left_s, above_s(x, release.until_height_m), again) * (
        1.0 - chance_of_orbit(x)
    )
    good = np.isfinite(point).all(1) & np.isfinite(covariance).all((1, 2)) & (weight > 0.0)
    if chance < LEAST_CHANCE or not good.any():
        return None
    weight = weight[good]
    return Landings(point[good], covariance[good], weight / weight.sum(), ln_beta[good]), chance, left_s


def _speeds(release: Release) -> tuple[Floats, Floats]:
    share = np.array([speed.share for speed in release.speeds])
    return share / share.sum(), np.array([speed.sigma_m_s for speed in release.speeds])


def chance_left(release: Release, left_s: float, whole_s: float, again: bool) -> float:
    """Chance that something is still let go in the time that is left of a whole coast.

    By Bayes's rule, of a release that is as likely at any time of it as at any other, and has not been seen so far.
    again: others have been: then that of one more at the least, of a number of `Release.most_bodies`.
    """
    chance = release.chance
    if again:
        chance = 1.0 - 1.0 / sum(1.0 / n for n in range(1, release.most_bodies + 1))
    part = min(left_s / whole_s, 1.0) if whole_s > 0.0 else 1.0
    return chance * part / (1.0 - chance + chance * part)


def bodies_of(release: Release) -> float:
    """How many are let go on the mean, where any is."""
    return release.most_bodies / sum(1.0 / n for n in range(1, release.most_bodies + 1))


def above_s(x: Floats, height_m: float) -> float:
    """How long (s) the orbit of a state (6,) is above a height, from rise to fall; 0 where never, inf where always."""
    energy, perigee_m = energy_and_perigee(x)
    own_m = float(up_and_height(x[0], x[1], x[2])[4])
    radius = float(np.linalg.norm(x[:3])) - own_m + height_m
    if energy >= 0.0 or perigee_m > radius:
        return math.inf
    half_m = -0.5 * EARTH_GM_M3_S2 / energy
    eccentricity = max(1.0 - perigee_m / half_m, 1e-9)
    at = (1.0 - radius / half_m) / eccentricity
    if at <= -1.0:
        return 0.0
    anomaly = math.acos(min(at, 1.0))
    mean = anomaly - eccentricity * math.sin(anomaly)  # Kepler's equation
    return 2.0 * (math.pi - mean) * math.sqrt(half_m**3 / EARTH_GM_M3_S2)


def told_of(impact: Impact, chance: float, bodies: float, left_s: float, at_s: float = 0.0) -> MayRelease:
    """An impact of what may be released as it is told. at_s: the time of the state."""
    first_s, last_s = impact.danger_s
    return MayRelease(
        chance, bodies, at_s + left_s, at_s + impact.time_s, impact.latitude_rad, impact.longitude_rad,
        tuple(impact.areas), impact.areas_km2, at_s + impact.time_s + impact.late_s, impact.danger,
        impact.danger_share, at_s + first_s, at_s + last_s,
    )  # fmt: skip


@jit
def released(
    x: Floats, P: Floats, nodes: Floats, weights: Floats, width: float, until_m: float, share: Floats,
    sigma_m_s: Floats, ground_m: float, wind_sigma_m_s: float, steady: Forces, tumbling: Forces,
) -> tuple[Floats, Floats, Floats, Floats, float]:  # fmt: skip
    """Impacts of bodies that are let go between now and the fall through a height.

    x (6,), P (6, 6): the state and what is not known of it; nodes (k,) of ln beta, weights (k,) and the sigma that each
    stands for; share, sigma_m_s (s,): of releases, each axis. A time is as likely as any other until the fall through
    until_m. Returns points (m, 4), covariances (m, 4, 4), weights (m,) and ln beta (m,) as `impact.impact`, of no more
    than k s; and the time until that fall (s) of the densest, 0 where there is none.
    """
    speeds, count = len(share), len(nodes)
    points, C = np.zeros((count * speeds, 4)), np.zeros((count * speeds, 4, 4))
    left, ln_beta = np.zeros(count * speeds), np.zeros(count * speeds)
    start, known = np.zeros(9), np.zeros((9, 9))
    known[:6, :6] = P
    known[6, 6] = width * width
    known[7, 7] = known[8, 8] = wind_sigma_m_s**2
    tape, time_left_s, i = new_tape(), 0.0, -1
    for k in range(count):
        if weights[k] < FEWEST_WEIGHT:
            continue
        start[:6], start[6] = x, nodes[k]
        tumbles = nodes[k] < TUMBLING_LN_BETA
        f = tumbling if tumbles else steady
        if len(f.curve) > 0:
            start[6] += ln_by_mach(start, f)
        code, t, y, J, D, _, steps, tape = fall(start, tumbles, ground_m, f, tape, STEP_ERROR_M)
        if code != LANDED:
            continue
        moved, left_s = _moved(x, until_m, steps, tape.lengths_s, tape.felt, tape.pushed)
        if left_s == 0.0:
            return points, C, left, ln_beta, 0.0
        time_left_s = left_s
        still = J @ known @ J.T + D.T @ D
        still_m2, moved_s2 = np.trace(still[:3, :3]), np.trace(moved[:3, :3])
        wide_m2 = 0.0  # of the one before, of this node
        for s in range(speeds):
            both = still + sigma_m_s[s] ** 2 * moved
            weight = weights[k] * share[s]
            own_m2 = still_m2 + sigma_m_s[s] ** 2 * moved_s2
            if own_m2 < ALIKE * wide_m2:
                total = left[i] + weight
                C[i] = (left[i] * C[i] + weight * both) / total
                left[i] = total
                continue
            i += 1
            wide_m2 = own_m2
            points[i, :3], points[i, 3] = y[:3], t
            C[i], left[i], ln_beta[i] = both, weight, nodes[k]
    return points[: i + 1], C[: i + 1], left[: i + 1], ln_beta[: i + 1], time_left_s


@jit
def _moved(
    x: Floats, until_m: float, steps: int, lengths_s: Floats, felt: Floats, pushed: Floats
) -> tuple[Floats, float]:
    """Mean of J J' (4, 4) of a push at any time of a flight until it falls through a height, and that time (s).

    J (4, 3): place and time of the impact by a velocity; between steps it is taken as straight, which in free fall it
    nearly is. lengths_s (n,), felt (n, 9, 2), pushed (n, 3, 4): of the flight's tape.
    """
    last = -1
    for n in range(steps):
        if felt[n, 0, 0] >= until_m:
            last = n
    out, time_s = np.zeros((4, 4)), 0.0
    if last < 0 or last + 1 >= steps:
        return out, 0.0
    for n in range(last + 1):
        part = 1.0
        if n == last:  # by the height, which is nearly straight over one step there
            part = (felt[n, 0, 0] - until_m) / (felt[n, 0, 0] - felt[n + 1, 0, 0])
        span = part * lengths_s[n]
        time_s += span
        for c in range(3):
            for i in range(4):
                a, b = pushed[n, c, i], pushed[n, c, i] + part * (pushed[n + 1, c, i] - pushed[n, c, i])
                for m in range(4):
                    d, e = pushed[n, c, m], pushed[n, c, m] + part * (pushed[n + 1, c, m] - pushed[n, c, m])
                    out[i, m] += span * (a * d + 0.5 * (a * e + b * d) + b * e) / 3.0
    return out / max(time_s, 1e-9), time_s
