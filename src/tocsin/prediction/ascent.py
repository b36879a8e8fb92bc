"""Where something that is still under thrust may come down: of all the moments at which the thrust may end.

What is not known is when it ends and how the path bends until then. Both have a prior that is written down here and
can be replaced (`Burn`): of the range that the speed at the end is good for every factor e is as likely as any other,
so that short and long flights are believed alike until the speed rules the short ones out. The thrust points along the
path (a gravity turn) and may turn it down by more; acceleration grows as mass is burnt at an even rate (the rocket
equation, Sutton and Biblarz, Rocket Propulsion Elements, chapter 4). Each end of thrust is a flight to the ground with
a spread of its own; together they are a sum of normal distributions, as after the burnout.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from tocsin.earth.ellipsoid import up_and_height
from tocsin.earth.forces import Forces
from tocsin.earth.integrate import new_tape
from tocsin.earth.motion import THRUST, acceleration
from tocsin.earth.status import LANDED
from tocsin.kernel import jit
from tocsin.prediction.impact import land
from tocsin.prediction.priors import BODY
from tocsin.sensors.plots import Floats
from tocsin.tracking.tracks import Track
from tocsin.units import EARTH_GM_M3_S2, SEMI_MAJOR_AXIS_M


class Burn(NamedTuple):
    """What is believed of a burn that goes on."""

    farthest_m: float = 10e6  # along the ground
    longest_s: float = 400.0  # that it goes on
    exhaust_m_s: float = 2600.0  # effective speed of the exhaust: solid and storable fuels, 2,300 to 3,000
    most_m_s2: float = 90.0  # acceleration of its own
    # by how much faster than a gravity turn the path may bend down (rad/s): none to twice what gets from the vertical
    # to 45 degrees in a minute and a half
    bends_rad_s: tuple[float, ...] = (0.0, 0.005, 0.011)
    bend_shares: tuple[float, ...] = (0.4, 0.4, 0.2)
    turn_rad_s: float = 3e-4  # sideways, one sigma: a degree a minute
    ln_beta: float = BODY[0]  # of what flies on
    ln_beta_sigma: float = BODY[1]


DEFAULT = Burn()

ENDS = 16  # moments at which the thrust may end
STEP_S = 1.0
WIDTH = 0.55  # of the distance of two ends, in the speed at them, that each stands for
FASTEST_M_S = 7500.0
LONGEST_BEND_S = 120.0  # a path does not bend down for longer
MOST_SPREAD = 0.3  # of a range, by how steeply it climbs
WAY_M_S = 5.0  # what is not known of the way until then, for every second
# A heading is known where the speed over the ground is so many times what is not known of it.
KNOWN_HEADING = 3.0


@jit
def _rate(x: Floats, a: float, bend: float, f: Forces, partials: Floats, out: Floats) -> None:
    """Slopes (6,) of a state under a thrust of acceleration a along its path, which bends down at a rate (rad/s)."""
    speed = math.sqrt(x[3] * x[3] + x[4] * x[4] + x[5] * x[5])
    sin_lat, cos_lat, sin_lon, cos_lon, _ = up_and_height(x[0], x[1], x[2])
    up = (cos_lat * cos_lon, cos_lat * sin_lon, sin_lat)
    climb = (up[0] * x[3] + up[1] * x[4] + up[2] * x[5]) / speed
    level = math.sqrt(max(1.0 - climb * climb, 1e-6))
    trial = np.zeros(9)
    for i in range(6):
        trial[i] = x[i]
    for i in range(3):
        along = x[3 + i] / speed
        down = (along * climb - up[i]) / level  # across the path, in its plane
        trial[6 + i] = a * along + (speed * bend * down if climb > 0.0 else 0.0)
    ax, ay, az, _, _, _, _ = acceleration(THRUST, trial, len(f.air), f, partials)
    out[0], out[1], out[2], out[3], out[4], out[5] = x[3], x[4], x[5], ax, ay, az


@jit
def cut_offs(
    x: Floats, a: float, ends_m_s: Floats, bend: float, exhaust_m_s: float, most_m_s2: float, longest_s: float,
    f: Forces,
) -> tuple[int, Floats, Floats]:  # fmt: skip
    """States (k, 6) at which a burn reaches speeds (k,), rising, and how long (s) it takes; how many it reaches.

    x (6,): state now; a: its own acceleration (m/s2). Euler's improved method in steps of STEP_S: right to some tens of
    metres a second, where the speeds differ by hundreds.
    """
    states, times = np.zeros((len(ends_m_s), 6)), np.zeros(len(ends_m_s))
    now, first, second, trial = x[:6].copy(), np.empty(6), np.empty(6), np.empty(6)
    partials = np.zeros((4, 9))
    t, k = 0.0, 0
    push = a
    while k < len(ends_m_s) and t < longest_s:
        speed = math.sqrt(now[3] * now[3] + now[4] * now[4] + now[5] * now[5])
        while k < len(ends_m_s) and speed >= ends_m_s[k]:
            states[k], times[k] = now, t
            k += 1
        burnt = a * t / exhaust_m_s
        push = min(a / max(1.0 - burnt, 0.1), most_m_s2)
        _rate(now, push, bend, f, partials, first)
        for i in range(6):
            trial[i] = now[i] + STEP_S * first[i]
        _rate(trial, push, bend, f, partials, second)
        for i in range(6):
            now[i] += 0.5 * STEP_S * (first[i] + second[i])
        t += STEP_S
    return k, states, times


@jit
def landings_of(
    x: Floats, P: Floats, a: float, ends_m_s: Floats, bends: Floats, shares: Floats, widths_m_s: Floats,
    exhaust_m_s: float, most_m_s2: float, longest_s: float, turn_rad_s: float, ln_beta: float, ln_beta_sigma: float,
    wind_sigma_m_s: float, ground_m: float, f: Forces,
) -> tuple[Floats, Floats, Floats]:  # fmt: skip
    """Points (n, 4), covariances (n, 4, 4) and weights (n,) of the flights after each end and bend."""
    count = len(ends_m_s) * len(bends)
    points, C, weights = np.zeros((count, 4)), np.zeros((count, 4, 4)), np.zeros(count)
    n = 0
    start, covariance, tape = np.zeros(9), np.zeros((9, 9)), new_tape()
    for b in range(len(bends)):
        reached, states, times = cut_offs(x, a, ends_m_s, bends[b], exhaust_m_s, most_m_s2, longest_s, f)
        step = 0.5 * (bends[min(b + 1, len(bends) - 1)] - bends[max(b - 1, 0)])
        for k in range(reached):
            start[:] = 0.0
            start[:6] = states[k]
            start[6] = ln_beta
            code, t, y, J, _, _, tape = land(start, ground_m, f, tape)
            if code != LANDED:
                continue
            sin_lat, cos_lat, sin_lon, cos_lon, _ = up_and_height(start[0], start[1], start[2])
            up = np.array([cos_lat * cos_lon, cos_lat * sin_lon, sin_lat])
            speed = math.sqrt((start[3:6] ** 2).sum())
            along = start[3:6] / speed
            side = np.cross(along, up)
            side /= max(math.sqrt((side**2).sum()), 1e-6)
            down = np.cross(along, side)
            # what is not known of the speed now is in that at the end; how steeply it climbs decides how far a flat
            # flight goes, but not by more than is far from linear
            V = np.ascontiguousarray(P[3:6, 3:6])
            bent2 = (speed * WIDTH * step * min(times[k], LONGEST_BEND_S)) ** 2 + (down * (V @ down)).sum()
            turned2 = (speed * turn_rad_s * times[k]) ** 2 + (side * (V @ side)).sum()
            by_climb = math.sqrt(((np.ascontiguousarray(J[:3, 3:6]) @ down) ** 2).sum())
            far = math.sqrt(((y[:3] - start[:3]) ** 2).sum())
            bent2 = min(bent2, (MOST_SPREAD * far / by_climb) ** 2)
            covariance[:, :] = 0.0
            for i in range(3):
                covariance[i, i] = (times[k] * WAY_M_S) ** 2
                for m in range(3):
                    covariance[i, m] += P[i, m]
                    covariance[3 + i, 3 + m] = (
                        widths_m_s[k] ** 2 * along[i] * along[m]
                        + bent2 * down[i] * down[m]
                        + turned2 * side[i] * side[m]
                    )
            covariance[6, 6] = ln_beta_sigma**2
            covariance[7, 7] = covariance[8, 8] = wind_sigma_m_s**2
            points[n, :3] = y[:3]
            points[n, 3] = times[k] + t
            C[n] = J @ covariance @ J.T
            # the speed at the end goes with its place among the others
            C[n, 3, 3] += (0.5 * WIDTH * (times[min(k + 1, reached - 1)] - times[max(k - 1, 0)])) ** 2
            weights[n] = shares[b]
            n += 1
    return points[:n], C[:n], weights[:n]


def heading_known(track: Track) -> bool:
    """Whether it is known which way a track under thrust goes."""
    x, P = track.x[THRUST], track.P[THRUST]
    sin_lat, cos_lat, sin_lon, cos_lon, _ = up_and_height(x[0], x[1], x[2])
    up = np.array([cos_lat * cos_lon, cos_lat * sin_lon, sin_lat])
    level = x[3:6] - (x[3:6] @ up) * up
    size = float(np.linalg.norm(level))
    if size == 0.0:
        return False
    across = np.cross(up, level / size)
    return bool(size > KNOWN_HEADING * math.sqrt(max(float(across @ P[3:6, 3:6] @ across), 1e-9)))


def ends(track: Track, burn: Burn) -> tuple[Floats, Floats]:
    """Speeds (k,) at which a burn may end, evenly in ln of the greatest range, and what each stands for (k,)."""
    speed = float(np.linalg.norm(track.x[THRUST, 3:6]))
    shortest = greatest_range_m(min(speed, FASTEST_M_S))
    at = speed_for_m_s(np.geomspace(shortest, max(burn.farthest_m, 1.1 * shortest), ENDS))
    return at, WIDTH * np.gradient(at)


def greatest_range_m(speed_m_s: float) -> float:
    """Range along the ground of the best flight with a speed, on a ball that does not turn and has no air.

    Bate, Mueller and White 1971, Fundamentals of Astrodynamics, section 6.2.
    """
    q = speed_m_s**2 * SEMI_MAJOR_AXIS_M / EARTH_GM_M3_S2
    return float(2.0 * SEMI_MAJOR_AXIS_M * math.asin(q / (2.0 - q)))


def speed_for_m_s(range_m: Floats) -> Floats:
    """The least speeds (k,) for ranges (k,): `greatest_range_m` backwards."""
    s = np.sin(np.minimum(0.5 * range_m / SEMI_MAJOR_AXIS_M, 0.5 * math.pi))
    return np.asarray(np.sqrt(2.0 * s / (1.0 + s) * EARTH_GM_M3_S2 / SEMI_MAJOR_AXIS_M))
