"""Tracks that begin where another one is: what a body releases, or breaks into."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tocsin.earth.motion import BALLISTIC, LEVEL
from tocsin.sensors.plots import Floats, Ints
from tocsin.tracking import imm, modes
from tocsin.tracking.life import squared_distance
from tocsin.tracking.tracks import Track
from tocsin.tracking.update import Scan, gated

# What leaves a body leaves it within the last SEPARATION_S, with one of these speeds (one sigma an axis):
# released, or blown apart. One new object in a hundred scans of a parent.
SEPARATION_S = 12.0
SEPARATION_SPEEDS_M_S = (8.0, 40.0, 150.0)
SEPARATIONS_A_SCAN = 0.01
CHILD_EXISTENCE = 0.6  # what one plot is worth at most
LEAST_EXISTENCE = 0.02  # below which a plot begins nothing
PARENT_EXISTENCE = 0.9
PARENT_HITS = 4
PARENT_DISTANCE2 = 16.0  # squared sigmas within which a new track may have left another


def separate(tracks: Sequence[Track], scan: Scan, left: Ints, number: int) -> tuple[list[Track], Ints]:
    """Begin tracks, numbered from `number` on, of plots that lie near a falling body and are not its own.

    left: plots of the scan that no track claims. Returns the new tracks and the plots still left.
    """
    parents = [
        t
        for t in tracks
        if t.shown and t.fallen and t.existence > PARENT_EXISTENCE and t.hits >= PARENT_HITS and not t.orbit
    ]
    if scan.heat or not parents:
        return [], left
    P = np.stack([t.P for t in parents])
    mu = np.stack([t.mu for t in parents])
    mu[:, LEVEL] = 0.0
    mu /= mu.sum(1, keepdims=True)
    idle = np.zeros(len(parents), np.int64)
    best: dict[int, tuple[float, int, float]] = {}  # plot -> ln of odds, parent, speed
    for speed in SEPARATION_SPEEDS_M_S:
        track, plot, log_ratio = gated(parents, spread(P, speed), mu, idle, scan, left)
        for i, j, value in zip(track.tolist(), plot.tolist(), log_ratio.tolist(), strict=True):
            if j not in best or value > best[j][0]:
                best[j] = (value, i, speed)
    children: list[Track] = []
    for j, (value, i, speed) in sorted(best.items()):
        odds = math.log(SEPARATIONS_A_SCAN / len(SEPARATION_SPEEDS_M_S)) + value
        existence = CHILD_EXISTENCE / (1.0 + math.exp(-max(min(odds, 50.0), -50.0)))
        if existence >= LEAST_EXISTENCE:
            children.append(_child(parents[i], mu[i], speed, scan, j, existence, number + len(children)))
    return children, np.array([j for j in left.tolist() if j not in best], np.int64)


def _child(
    parent: Track, mu: Floats, speed_m_s: float, scan: Scan, plot: int, existence: float, number: int
) -> Track:
    """A track of one plot near its parent."""
    time_s = float(scan.looks.time_s[plot])
    x, P = parent.x.copy(), spread(parent.P[None], speed_m_s)[0]
    if modes.drag_m_s2(x[BALLISTIC]) < 1.0:  # what separates need not be as dense as its parent
        x[BALLISTIC, 6] = modes.CHILD_LN_BETA_MEAN
        P[BALLISTIC, 6, :] = P[BALLISTIC, :, 6] = 0.0
    P[BALLISTIC, 6, 6] += modes.CHILD_LN_BETA_SIGMA**2
    x, P, mu, _, _ = imm.take_plot(
        x, P, mu, time_s - parent.time_s, *scan.look(plot), scan.sensor.detection_probability, False, True
    )
    return Track(
        number=number,
        parent=parent.number,
        time_s=max(parent.time_s, time_s),
        x=x,
        P=P,
        mu=mu,
        existence=existence,
        hits=1,
        hit_s=time_s,
        shown=False,
        row_s=-math.inf,
        orbit=False,
        recent=(scan.key,),
        fallen=True,
        lean=np.zeros_like(parent.lean),
    )


def spread(P: Floats, speed_m_s: float) -> Floats:
    """Covariances (n, 3, 9, 9) with the spread of a separation within the last SEPARATION_S added.

    A change of velocity of one sigma s at a time uniform over T adds s2 [[T2/3, T/2], [T/2, 1]].
    """
    out = P.copy()
    s2, T = speed_m_s**2, SEPARATION_S
    for i in range(3):
        out[:, :, i, i] += s2 * T * T / 3.0
        out[:, :, i, 3 + i] += s2 * T / 2.0
        out[:, :, 3 + i, i] += s2 * T / 2.0
        out[:, :, 3 + i, 3 + i] += s2
    return out


def parent_of(t: Track, tracks: Sequence[Track]) -> int:
    """The falling track that a new one may have left: near in position and velocity."""
    best, nearest = 0, PARENT_DISTANCE2
    x, P = imm.combine(t.x, t.P, t.mu)
    for other in tracks:
        if not other.shown or not other.fallen or other.orbit or t.mu[LEVEL] > 0.5:
            continue
        there, F = modes.move(BALLISTIC, other.x[BALLISTIC], t.time_s - other.time_s)
        wide = spread((F @ other.P[BALLISTIC] @ F.T)[None, None], SEPARATION_SPEEDS_M_S[1])[0, 0, :6, :6]
        d = x - there[:6]
        distance = squared_distance(d, P + wide)
        if distance < nearest:
            best, nearest = other.number, distance
    return best
