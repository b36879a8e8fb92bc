"""What a pair needs at least, for `propagators`: steps of perfect length.

A perfect step starts on the exact flight and is so long that its error alone would move the impact by a given share
of what is allowed; how far it moves it is found by flying on tightly from both. With equal shares a flight takes the
fewest steps (of the integral of dt / h under a given sum of errors that go with h^(p+1)), and the shares of all its
steps add up to 1: 1 m or 1 ms. No step is refused, and the last one ends on the ground.
"""

import numpy as np
from propagators_pairs import ANY, SCALE_M, SMOOTH, SURFACE_KG_M3, slope, stable_to, step_all

from tocsin.earth.air import fit_layers
from tocsin.earth.ellipsoid import ecef_to_geodetic
from tocsin.earth.flights import to_ground, to_time
from tocsin.earth.forces import STANDARD, with_air
from tocsin.earth.status import LANDED

TIGHT_M = 1e-6
# The error of a step is read at a ground below the ground, so that the last step has one too.
DEEPER_M = -500.0
GROW, HALVINGS = 1.2, 4


def exponential_forces():
    """The exponential atmosphere for the tight flights; its layers have no kinks."""
    knots = np.arange(-20e3, 290e3, 20e3)
    return with_air(
        STANDARD, fit_layers(knots, lambda h: (SURFACE_KG_M3 * np.exp(-h / SCALE_M), np.full(len(h), 300.0)))
    )


def _settled(states, betas, layers, f):
    """How fast the falls of those near their terminal speed settle (1/s); 0 for the others."""
    rate, out = np.zeros(len(betas)), np.zeros(6)
    for i, y in enumerate(states):
        _, drag, _ = slope(y, betas[i], layers[i], f, out)
        if np.linalg.norm(out[3:]) < 3.0 and drag * np.linalg.norm(y[3:]) > 5.0:
            rate[i] = 2.0 * drag
    return rate


def perfect_steps(pair, states, betas, f, share, crossings=None, stable=False):
    """Steps (n,) of flights whose every step does a share (n,) of the error allowed.

    crossings: of `propagators_pairs.flights`, where steps end on the bounds, in the air of f; else the air is the
    exponential one, in one piece. stable: no step longer than the pair is stable for, near terminal speed.
    """
    n = len(betas)
    ends = to_ground(states, betas, f, error_m=TIGHT_M)
    aim = to_ground(states, betas, f, error_m=TIGHT_M, ground_m=DEEPER_M)
    y, t, steps = states.copy(), np.zeros(n), np.zeros(n)
    h_before = np.full(n, 4.0)
    left = np.ones(n, bool)
    while left.any():
        w = np.flatnonzero(left)
        most = ends.time_s[w] - t[w]
        layers = np.full(len(w), SMOOTH)
        if crossings is not None:
            layers[:] = ANY
            ahead = np.where(crossings[w, :, 0] > t[w, None] + 1e-9, crossings[w, :, 0], np.inf).min(1)
            most = np.minimum(most, ahead - t[w])
            middle = to_time(y[w], betas[w], 0.5 * np.minimum(most, 1e-3), f, error_m=TIGHT_M).state
            layers = _layers(middle, f)
        if stable:
            rate = _settled(y[w], betas[w], layers, f)
            most = np.minimum(most, stable_to(pair) / np.maximum(rate, 1e-9))

        def effect(h, w=w, layers=layers):
            after = np.empty((len(w), 6))
            step_all(y[w], betas[w], layers, f, h, pair.A, pair.B, after)
            after = np.where(np.isfinite(after), after, y[w])
            there = to_ground(after, betas[w], f, error_m=TIGHT_M, ground_m=DEEPER_M)
            off = np.linalg.norm(there.state[:, :3] - aim.state[w, :3], axis=1)
            late = 1e3 * np.abs(t[w] + h + there.time_s - aim.time_s[w])
            return np.where(there.status == LANDED, np.maximum(off, late), np.inf)

        good, bad = np.zeros(len(w)), np.full(len(w), np.inf)
        h = np.minimum(0.6 * h_before[w], most)
        while True:  # the first length from below that does more than its share, or the most
            fits = effect(h) <= share[w]
            good, bad = np.where(fits, h, good), np.where(fits, bad, h)
            if (np.isfinite(bad) & (good > 0.0) | (good >= most)).all():
                break
            h = np.where(good > 0.0, np.where(np.isfinite(bad), good, np.minimum(GROW * good, most)), 0.5 * h)
            bad = np.where(good > 0.0, bad, np.inf)
        for _ in range(HALVINGS):
            h = np.where(np.isfinite(bad), np.sqrt(good * np.minimum(bad, 1e9)), good)
            fits = effect(h) <= share[w]
            good, bad = np.where(fits, h, good), np.where(fits, bad, h)
        y[w] = to_time(y[w], betas[w], good, f, error_m=TIGHT_M).state
        t[w] += good
        steps[w] += 1.0
        h_before[w] = good
        left[w] = t[w] < ends.time_s[w] - 1e-9
    return steps


def _layers(states, f):
    """Numbers of the layers of states."""
    return np.searchsorted(f.air_knots_m, ecef_to_geodetic(states[:, :3])[2]) - 1


def floor(pair, states, betas, f, crossings=None, stable=False):
    """Steps (n,) with shares that add up to 1."""
    share = np.full(len(betas), 1.0 / 30.0)
    for _ in range(2):
        steps = perfect_steps(pair, states, betas, f, share, crossings, stable)
        share = 1.0 / steps
    return steps
