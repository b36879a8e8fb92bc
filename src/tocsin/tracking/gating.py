"""Which plots of a scan can be which track's: coarsely by place, then by every track's own likelihood."""

from __future__ import annotations

import math

import numpy as np

from tocsin.earth.motion import LEVEL, THRUST
from tocsin.kernel import jit
from tocsin.sensors.plots import Floats, Ints
from tocsin.tracking.correct import room_for
from tocsin.tracking.imm import take_plot
from tocsin.tracking.modes import MODES, SIZE
from tocsin.tracking.tracks import Bools
from tocsin.units import EARTH_GM_M3_S2

# A plot passes where its squared normalised innovations sum to less than this plus four a number:
# 17 for two angles, 25 for all four (chi-square tails of 2e-4 and 5e-5).
GATE = 9.0
GATE_A_NUMBER = 4.0
COARSE_SIGMAS = 6.0
# What an object may do beyond its prediction: half of these accelerations times the time squared.
THRUST_REACH_M_S2 = 80.0
FREE_REACH_M_S2 = 15.0
COARSE_MARGIN_M = 500.0


@jit
def _reach(
    P: Floats, mu: Floats, best: int, dt: float, more_m2: float = 0.0, more_m2_s2: float = 0.0
) -> float:
    """How far (m) an object may be from where its track goes; more_m2, more_m2_s2: of each axis, added to P."""
    spread_r, spread_v = 3.0 * more_m2, 3.0 * more_m2_s2
    for i in range(3):
        spread_r += P[best, i, i]
        spread_v += P[best, 3 + i, 3 + i]
    reach = THRUST_REACH_M_S2 if mu[THRUST] > 0.01 else FREE_REACH_M_S2
    return COARSE_SIGMAS * math.sqrt(spread_r + spread_v * dt * dt) + reach * dt * dt + COARSE_MARGIN_M


@jit
def _there(x: Floats, best: int, dt: float, d: Floats) -> None:
    """Fill d (3,) with the position of a mode after dt seconds, nearly."""
    r = math.sqrt(x[best, 0] ** 2 + x[best, 1] ** 2 + x[best, 2] ** 2)
    pull = 0.0 if best == LEVEL else EARTH_GM_M3_S2 / (r * r * r)
    for i in range(3):
        d[i] = x[best, i] + x[best, 3 + i] * dt - 0.5 * pull * x[best, i] * dt * dt


@jit
def near(
    time_s: Floats, x: Floats, P: Floats, mu: Floats, idle: Ints, more_m2: float, more_m2_s2: float,
    plot_time_s: Floats, position: Floats, axes: Floats, measured: Floats, blur2: Floats,
) -> tuple[Ints, Ints]:  # fmt: skip
    """Tracks and plots (k,) that are near enough to be looked at, in order.

    time_s (n,) to mu (n, 3) as in `tracks.States`; idle (n,): 1 where a track takes none; more_m2, more_m2_s2: variance
    added to each axis of position and velocity. The rest (m, ...) as in `sensors.models.Looks`; blur2 (m, 4):
    variances with what is not known of the sensors' offsets.
    """
    count, plots = len(time_s), len(plot_time_s)
    mine, theirs = np.empty(4 * count + 16, np.int64), np.empty(4 * count + 16, np.int64)
    k = 0
    if plots == 0:
        return mine[:0], theirs[:0]
    ranged = not np.isnan(measured[:, 0]).any()
    order = np.argsort(measured[:, 0], kind="mergesort") if ranged else np.arange(plots)
    sorted_m = measured[order, 0]
    least_s, most_s = plot_time_s.min(), plot_time_s.max()
    blur_m = COARSE_SIGMAS * math.sqrt(blur2[:, 2].max()) if ranged else 0.0
    # where plots lie, in the order of range: looked at first, no farther than twice what the angles and once what the
    # range may be off, as the one is off along the sight as well
    placed = ranged and not np.isnan(blur2[:, :2]).any()
    sight, angle = np.empty((plots if placed else 0, 3)), 0.0
    if placed:
        angle = COARSE_SIGMAS * math.sqrt(blur2[:, :2].max())
        for o in range(plots):
            j = order[o]
            for i in range(3):
                sight[o, i] = position[j, i] + measured[j, 0] * axes[j, 0, i]
    d = np.empty(3)
    for h in range(count):
        if idle[h] == 1:
            continue
        best = int(np.argmax(mu[h]))
        low, high = np.int64(0), np.int64(plots)
        if ranged:  # ranges change evenly enough in the time of a scan
            farthest, nearest, slack = 0.0, 1e12, 0.0
            for end in range(3 if most_s > least_s else 1):
                dt = least_s + 0.5 * end * (most_s - least_s) - time_s[h]
                _there(x[h], best, dt, d)
                size = 0.0
                for i in range(3):
                    size += (d[i] - position[0, i]) ** 2
                farthest = max(farthest, math.sqrt(size))
                nearest = min(nearest, math.sqrt(size))
                slack = max(slack, _reach(P[h], mu[h], best, dt, more_m2, more_m2_s2))
            low = np.searchsorted(sorted_m, nearest - slack - blur_m)
            high = np.searchsorted(sorted_m, farthest + slack + blur_m)
        then_s, tolerance, most2 = np.nan, 0.0, np.inf
        for o in range(low, high):
            j = order[o]
            if plot_time_s[j] != then_s:  # most plots of a scan are of few moments
                then_s = plot_time_s[j]
                tolerance = _reach(P[h], mu[h], best, then_s - time_s[h], more_m2, more_m2_s2)
                _there(x[h], best, then_s - time_s[h], d)
                if placed:
                    longest = sorted_m[plots - 1] + tolerance + blur_m
                    most2 = (3.0 * tolerance + 2.0 * angle * longest + blur_m) ** 2
            if placed and (
                (sight[o, 0] - d[0]) ** 2 + (sight[o, 1] - d[1]) ** 2 + (sight[o, 2] - d[2]) ** 2 > most2
            ):
                continue
            along, size = 0.0, 0.0
            for i in range(3):
                away = d[i] - position[j, i]
                along += axes[j, 0, i] * away
                size += away * away
            if not math.isnan(blur2[j, 1]):  # both angles are measured
                if along <= 0.0:
                    continue
                off = math.sqrt(max(size - along * along, 0.0))
                if off > tolerance + COARSE_SIGMAS * math.sqrt(max(blur2[j, 0], blur2[j, 1])) * along:
                    continue
            if not math.isnan(measured[j, 0]) and abs(math.sqrt(size) - measured[j, 0]) > (
                tolerance + COARSE_SIGMAS * math.sqrt(blur2[j, 2])
            ):
                continue
            if k == len(mine):
                mine, theirs = np.concatenate((mine, mine)), np.concatenate((theirs, theirs))
            mine[k], theirs[k] = h, j
            k += 1
    return mine[:k], theirs[:k]


@jit
def have_neighbours(
    rows: Ints, time_s: Floats, x: Floats, P: Floats, mu: Floats, at_s: float, position: Floats, cell_m: float,
    cell_rad: float,
) -> Bools:  # fmt: skip
    """Which tracks, rows (n,) of time_s to mu, are near enough to another at a time to be looked at together.

    cell_m, cell_rad: how near two are that are one to a sensor at a position (3,).
    """
    n = len(rows)
    out, at, reach = np.zeros(n, np.bool_), np.empty((n, 3)), np.empty(n)
    for k in range(n):
        h = rows[k]
        best, dt = int(np.argmax(mu[h])), at_s - time_s[h]
        _there(x[h], best, dt, at[k])
        away = 0.0
        for i in range(3):
            away += (at[k, i] - position[i]) ** 2
        reach[k] = _reach(P[h], mu[h], best, dt) + cell_m + cell_rad * math.sqrt(away)
    order = np.argsort(at[:, 0] - reach, kind="mergesort")
    for a in range(n):
        i = order[a]
        for b in range(a + 1, n):
            j = order[b]
            both = reach[i] + reach[j]
            if at[j, 0] - reach[j] > at[i, 0] + reach[i]:
                break
            if (
                abs(at[i, 0] - at[j, 0]) <= both
                and abs(at[i, 1] - at[j, 1]) <= both
                and abs(at[i, 2] - at[j, 2]) <= both
            ):
                out[i] = True
                out[j] = True
    return out


@jit
def take_plots(
    mine: Ints, theirs: Ints,
    time_s: Floats, x: Floats, P: Floats, A: Floats, mu: Floats, fallen: Ints,
    plot_time_s: Floats, position: Floats, axes: Floats, measured: Floats, variance: Floats,
    column: Ints, lever: Floats,
    offset: Floats, offset_P: Floats, stated_detection: float, heat: bool, gate_scale: float,
) -> tuple[Ints, Floats, Floats, Floats, Floats, Floats]:  # fmt: skip
    """Every pair's track after its plot, of those within the gate.

    Returns the rows of the pairs within (k,), ln of detection times likelihood (k,), and x, P, A, mu after (k, ...).
    gate_scale: how much wider than usual the gate is.
    """
    pairs, offsets = len(mine), len(offset)
    inside, logs = np.empty(pairs, np.int64), np.empty(pairs)
    out_x, out_P = np.empty((pairs, MODES, SIZE)), np.empty((pairs, MODES, SIZE, SIZE))
    out_A, out_mu = np.empty((pairs, MODES, SIZE, offsets)), np.empty((pairs, MODES))
    k, room = 0, room_for(offsets)
    for p in range(pairs):
        h, j = mine[p], theirs[p]
        log_likelihood, nis = take_plot(
            x[h], P[h], A[h], mu[h], plot_time_s[j] - time_s[h], fallen[h] == 1,
            position[j], axes[j], measured[j], variance[j], column[j], lever[j],
            offset, offset_P, stated_detection, heat, out_x[k], out_P[k], out_A[k], out_mu[k], room,
        )  # fmt: skip
        numbers = 0.0
        for q in range(4):
            if not math.isnan(variance[j, q]) and (q < 2 or not math.isnan(measured[j, q - 2])):
                numbers += 1.0
        if nis * numbers < (GATE + GATE_A_NUMBER * numbers) * gate_scale and math.isfinite(log_likelihood):
            inside[k], logs[k] = p, log_likelihood
            k += 1
    return inside[:k], logs[:k], out_x[:k], out_P[:k], out_A[:k], out_mu[:k]
