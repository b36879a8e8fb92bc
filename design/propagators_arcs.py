"""The part of a flight above the air by other means, for `propagators`: Encke, Gauss-Jackson, and Cowell beside them.

An arc is a start, a duration and the exact impact that follows. Except for our frame (ECEF) the arcs are flown in an
inertial frame that has the axes of ECEF at the start. The zonal field and the air are the same all round, so that a
force needs no rotation, only the velocity of the air. There is no air on an arc,
which is the best case for these methods: real flights feel it below 160 km, and their steps must follow it.
"""

import math

import numpy as np
from propagators_pairs import MOST_STEPS, SAFETY, SMOOTH, error_of, slope

from tocsin.earth.ellipsoid import ecef_to_geodetic
from tocsin.earth.flights import to_ground, to_time
from tocsin.earth.forces import STANDARD
from tocsin.kernel import jit

TIGHT_M = 1e-6
ECEF, INERTIAL, ENCKE = 0, 1, 2
FALL_S = (
    60.0  # from the end of an arc to where the air stops a fall, about: velocity errors count so much longer
)
NODES = 9  # of Gauss-Jackson of order 8
STARTED_M = 1e-2


def turned(states, angles, rate):
    """States turned by angles about the axis, the frame's own turning (rad/s) taken into the velocity first."""
    out = states.copy()
    out[:, 3] -= rate * states[:, 1]
    out[:, 4] += rate * states[:, 0]
    c, s = np.cos(angles), np.sin(angles)
    for i in (0, 3):
        out[:, i], out[:, i + 1] = c * out[:, i] - s * out[:, i + 1], s * out[:, i] + c * out[:, i + 1]
    return out


def to_inertial(states):
    """States of ECEF in the inertial frame of that moment."""
    return turned(states, np.zeros(len(states)), STANDARD.rate_rad_s)


def to_ecef(states, durations):
    """And back, after durations."""
    out = states.copy()
    angles = STANDARD.rate_rad_s * durations
    out = turned(out, -angles, 0.0)
    return turned(out, np.zeros(len(out)), -STANDARD.rate_rad_s)


def arcs(states, betas, crossings, entered, f):
    """The first arc of every flight above the bottom of a layer, from its start or the way up to the way down.

    Returns starts (k, 6), durations (k,), ballistic coefficients (k,).
    """
    times, layers = crossings[:, :, 0], crossings[:, :, 1]
    before = np.roll(layers, 1, 1)
    above = ecef_to_geodetic(states[:, :3])[2] >= f.air_knots_m[entered]
    before[:, 0] = np.where(above, entered, entered - 1)
    down = np.where((before >= entered) & (layers == entered - 1), times, np.inf).min(1)
    up = np.where((before == entered - 1) & (layers == entered), times, np.inf).min(1)
    begin = np.where(above, 0.0, up)
    w = np.flatnonzero(np.isfinite(down) & (begin < down))
    start, later = states[w].copy(), ~above[w]
    start[later] = to_time(start[later], betas[w][later], begin[w][later], f, error_m=TIGHT_M).state
    return start, down[w] - begin[w], betas[w]


def miss(ends, durations, betas, exact, f):
    """How far (m, or ms) the flights from the ends (ECEF) of arcs land from the exact ones."""
    there = to_ground(ends, betas, f, error_m=TIGHT_M)
    off = np.linalg.norm(there.state[:, :3] - exact.state[:, :3], axis=1)
    return np.maximum(off, 1e3 * np.abs(durations + there.time_s - exact.time_s))


@jit
def kepler(x, t, gm, out):
    """Fill ``out`` (6,) with the state after a time on an ellipse.

    Kepler's equation in the change of the eccentric anomaly; the arc has no perigee inside.
    """
    r = math.sqrt(x[0] ** 2 + x[1] ** 2 + x[2] ** 2)
    a = 1.0 / (2.0 / r - (x[3] ** 2 + x[4] ** 2 + x[5] ** 2) / gm)
    sigma = (x[0] * x[3] + x[1] * x[4] + x[2] * x[5]) / math.sqrt(gm * a)
    n = math.sqrt(gm / a) / a
    E = math.pi - math.atan2(sigma, 1.0 - r / a) % (
        2.0 * math.pi
    )  # its change, to the apogee: Newton converges
    for _ in range(30):
        s, c = math.sin(E), math.cos(E)
        change = (E - (1.0 - r / a) * s + sigma * (1.0 - c) - n * t) / (1.0 - (1.0 - r / a) * c + sigma * s)
        E -= change
        if abs(change) < 1e-9:
            break
    s, c = math.sin(E), math.cos(E)
    later = a * (1.0 - (1.0 - r / a) * c + sigma * s)
    f, g = 1.0 - a / r * (1.0 - c), t - (E - s) / n
    fd, gd = -math.sqrt(gm * a) / (later * r) * s, 1.0 - a / later * (1.0 - c)
    for i in range(3):
        out[i], out[3 + i] = f * x[i] + g * x[3 + i], fd * x[i] + gd * x[3 + i]


@jit
def arc_slope(kind, t, y, x, beta, f, room, out):
    """Fill ``out`` with the slope of ``y``: of a state, or with ENCKE of what it is beside Kepler's ellipse from x."""
    if kind == ECEF:
        slope(y, beta, SMOOTH, f, out)
        return
    base, w = room[0], f.rate_rad_s
    at = room[1]
    at[:] = y
    if kind == ENCKE:
        kepler(x, t, f.gm_m3_s2, base)
        at += base
    velocity_x, velocity_y = at[3], at[4]
    at[3] += w * at[1]
    at[4] -= w * at[0]
    slope(at, beta, SMOOTH, f, out)
    # that of ECEF less its turning
    out[3] -= w * w * at[0] + 2.0 * w * at[4]
    out[4] -= w * w * at[1] - 2.0 * w * at[3]
    if kind == ENCKE:
        pull = f.gm_m3_s2 / (base[0] ** 2 + base[1] ** 2 + base[2] ** 2) ** 1.5
        for c in range(3):
            out[c] = y[3 + c]
            out[3 + c] += pull * base[c]
    else:
        out[0], out[1], out[2] = velocity_x, velocity_y, at[5]


@jit
def fly_arcs(kind, starts, durations, betas, A, B, E5, E3, root, tol, f, tries, ends):
    """Fly arcs with a pair, an error of tol (m at the ground) a step."""
    S = len(B)
    K, room, trial, after = np.zeros((S, 6)), np.zeros((2, 6)), np.zeros(6), np.zeros(6)
    for i in range(len(betas)):
        x = starts[i]
        y = np.zeros(6) if kind == ENCKE else x.copy()
        t, h, whole = 0.0, min(100.0, durations[i]), durations[i]
        while t < whole and tries[i] < MOST_STEPS:
            h = min(h, whole - t)
            h = 0.5 * (whole - t) if h < whole - t < 1.6 * h else h
            arc_slope(kind, t, y, x, betas[i], f, room, K[0])
            for s in range(1, S):
                at = 0.0
                for j in range(s):
                    at += A[s, j]
                for c in range(6):
                    total = 0.0
                    for j in range(s):
                        total += A[s, j] * K[j, c]
                    trial[c] = y[c] + h * total
                arc_slope(kind, t + at * h, trial, x, betas[i], f, room, K[s])
            for c in range(6):
                total = 0.0
                for j in range(S):
                    total += B[j] * K[j, c]
                after[c] = y[c] + h * total
            excess = error_of(h, E5, E3, K, 1.0 / tol, (whole - t + FALL_S) / tol) + 1e-12
            tries[i] += 1
            if excess <= 1.0:
                t = whole if h >= whole - t else t + h
                y[:] = after
            h *= min(max(SAFETY * excess**-root, 0.2), 4.0)
        if kind == ENCKE:
            kepler(x, whole, f.gm_m3_s2, trial)
            y += trial
        ends[i] = y


def by_pair(kind, pair, starts, durations, betas, tol):
    """Ends (k, 6) in ECEF and evaluations (k,)."""
    tries, ends = np.zeros(len(betas)), np.empty((len(betas), 6))
    begin = starts if kind == ECEF else to_inertial(starts)
    fly_arcs(
        kind, begin, durations, betas, pair.A, pair.B, pair.E5, pair.E3, pair.root, tol, STANDARD, tries, ends
    )
    return ends if kind == ECEF else to_ecef(ends, durations), tries * pair.evaluations


@jit
def accelerations(states, betas, f, out):
    """Fill ``out`` (k, 3) with inertial accelerations."""
    room, one = np.zeros((2, 6)), np.zeros(6)
    for i in range(len(betas)):
        arc_slope(INERTIAL, 0.0, states[i], states[i], betas[i], f, room, one)
        out[i] = one[3:]


@jit
def ellipses(starts, times, gm, out):
    """Fill ``out`` (k, 6) with states on Kepler's ellipses."""
    for i in range(len(times)):
        kepler(starts[i], times[i], gm, out[i])


def on_ellipse(starts, times):
    """States (k, 6) on Kepler's ellipses."""
    out = np.empty_like(starts)
    ellipses(starts, times, STANDARD.gm_m3_s2, out)
    return out


def _integrals():
    """Weights (9, 9) of the first and second integral from node 0 to each node, over the step and its square."""
    nodes = np.arange(NODES) / (NODES - 1.0)
    powers = np.vander(nodes, increasing=True)
    k = np.arange(NODES)
    once = powers * nodes[:, None] / (k + 1)
    twice = powers * nodes[:, None] ** 2 / ((k + 1) * (k + 2))
    inverse = np.linalg.inv(powers)
    return once @ inverse * (NODES - 1), twice @ inverse * (NODES - 1) ** 2


def _weights():
    """Series in backward differences of 1 / (h D) and 1 / (h D)^2: corrector, then predictor.

    With hD = -ln(1 - d), d the backward difference; the predictor has 1 / (1 - d) more.
    """
    count = NODES + 2
    log = 1.0 / (1.0 + np.arange(count))  # -ln(1 - d) / d
    inverse = np.zeros(count)
    for k in range(count):
        inverse[k] = (k == 0) - log[1 : k + 1] @ inverse[:k][::-1]
    square = np.convolve(inverse, inverse)[:count]
    return inverse, square, np.cumsum(inverse), np.cumsum(square)


def _differences(a):
    """Backward differences (9, k, 3) of the newest of nine accelerations (9, k, 3)."""
    out = [a[-1]]
    while len(a) > 1:
        a = np.diff(a, axis=0)
        out.append(a[-1])
    return np.array(out)


def gauss_jackson(starts, durations, betas, longest_s):
    """Gauss-Jackson of order 8, one evaluation a step after its starter. Ends (k, 6) in ECEF and evaluations (k,)."""
    count = np.maximum(NODES - 1, np.ceil(durations / longest_s)).astype(int)
    ends, evaluations = np.empty_like(starts), np.empty(len(starts))
    for steps in np.unique(count):
        w = count == steps
        ends[w], evaluations[w] = _gauss_jackson(to_inertial(starts[w]), durations[w], betas[w], steps)
    return to_ecef(ends, durations), evaluations


def _gauss_jackson(x, durations, betas, steps):
    """The same in the inertial frame, with one number of steps."""
    once, twice = _integrals()
    h = (durations / steps)[:, None]
    k = len(betas)
    states = np.array([on_ellipse(x, j * h[:, 0]) for j in range(NODES)])
    a = np.empty((NODES, k, 3))
    evaluations, moving = np.ones(k), np.ones(k, bool)
    for _ in range(30):  # the starter: Kepler's ellipse, made better until it stands
        for j in range(NODES):
            accelerations(states[j], betas, STANDARD, a[j])
        evaluations[moving] += NODES - 1
        t = np.arange(NODES)[:, None, None] * h
        place = x[:, :3] + t * x[:, 3:] + h * h * np.einsum("jm,mkc->jkc", twice, a)
        moved = np.abs(place - states[:, :, :3]).max((0, 2))
        states[:, :, :3] = place
        states[:, :, 3:] = x[:, 3:] + h * np.einsum("jm,mkc->jkc", once, a)
        moving = moved > STARTED_M
        if not moving.any():
            break
    inverse, square, inverse_ahead, square_ahead = _weights()
    d = _differences(a)
    one = states[-1, :, 3:] / h - np.einsum("j,jkc->kc", inverse[1:-1], d)
    two = states[-1, :, :3] / h**2 - square[1] * one - np.einsum("j,jkc->kc", square[2:], d)
    last = states[-1]
    for _ in range(steps - NODES + 1):
        v = h * (one + np.einsum("j,jkc->kc", inverse_ahead[1:-1], d))
        p = h**2 * (two + square_ahead[1] * one + np.einsum("j,jkc->kc", square_ahead[2:], d))
        newest = np.empty((k, 3))
        accelerations(np.hstack([p, v]), betas, STANDARD, newest)
        a = np.concatenate([a[1:], newest[None]])
        d = _differences(a)
        one = one + newest
        two = two + one
        v = h * (one + np.einsum("j,jkc->kc", inverse[1:-1], d))
        p = h**2 * (two + square[1] * one + np.einsum("j,jkc->kc", square[2:], d))
        last = np.hstack([p, v])
        evaluations += 1
    return last, evaluations


def closed(starts, durations, secular):
    """Ends (k, 6) in ECEF of arcs on Kepler's ellipses alone, or turned by what J2 does in the mean of a revolution."""
    x, f = to_inertial(starts), STANDARD
    p, v = x[:, :3], x[:, 3:]
    h = np.cross(p, v)
    size = np.linalg.norm(h, axis=1)
    r = np.linalg.norm(p, axis=1)
    a = 1.0 / (2.0 / r - np.sum(v * v, 1) / f.gm_m3_s2)
    rest = size**2 / f.gm_m3_s2 / a  # 1 - e^2
    cos_i = h[:, 2] / size
    rate = 1.5 * f.j2 * np.sqrt(f.gm_m3_s2 / a**3) * (f.radius_m / (a * rest)) ** 2 * secular
    ends = on_ellipse(x, durations * (1.0 + 0.5 * f.j2 * 1.5 * (f.radius_m / (a * rest)) ** 2
                                      * np.sqrt(rest) * (3.0 * cos_i**2 - 1.0) * secular))  # fmt: skip
    turn = 0.5 * rate * (5.0 * cos_i**2 - 1.0) * durations
    axis = h / size[:, None]
    c, s = np.cos(turn)[:, None], np.sin(turn)[:, None]
    for part in (slice(0, 3), slice(3, 6)):
        ends[:, part] = c * ends[:, part] + s * np.cross(axis, ends[:, part])
    return to_ecef(turned(ends, -rate * cos_i * durations, 0.0), durations)
