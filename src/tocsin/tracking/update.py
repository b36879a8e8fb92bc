"""One scan of one sensor: the tracks that it shows, and those that it should have shown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tocsin.earth.ellipsoid import ecef_to_geodetic, enu_axes
from tocsin.earth.motion import BALLISTIC, LEVEL
from tocsin.sensors.coverage import in_view, log_clutter_density
from tocsin.sensors.models import Looks
from tocsin.sensors.plots import Floats, Ints, Sensor
from tocsin.tracking import imm, modes
from tocsin.tracking.association import marginals, pairs
from tocsin.tracking.life import shown
from tocsin.tracking.tracks import Key, Track

MOST_EXISTENCE = 0.9999
LEAST_BELIEF = 0.02  # of a plot that is still looked at
SURE_BELIEF = 0.9
RECENT = 12  # scans that a track remembers, to tell two tracks of one object
FALLEN_HITS = 4  # plots before a track is believed to be no aircraft

# Noise of a sensor that proves larger than stated: a slow mean of squared normalised innovations.
NOISE_GAIN = 0.01
LARGEST_NOISE = 16.0
WATCHED_HITS = 8  # plots before a track's innovations say something of its sensors

# The mean of a track's angle innovations, over about 1 / LEAN_GAIN plots of a sensor, has one sigma of
# sqrt(gain / (2 - gain)) = 0.23 where all is well. At 2.8 of these a track in a crowd is loosened; a
# false alarm costs a few plots' worth of accuracy.
LEAN_GAIN = 0.1
LARGEST_LEAN = 0.65
LEAN_TIME_S = 60.0
CROWD_M = 20e3  # bodies within this distance of each other are a crowd


class Scan(NamedTuple):
    """The plots of one scan, ready for the filter."""

    key: Key
    sensor: Sensor
    looks: Looks
    position_m: Floats  # (3,) of the sensor at the first plot
    time_s: float  # middle of the scan

    @property
    def heat(self) -> bool:
        """True for a sensor that sees heat or light, not echoes."""
        return self.sensor.kind != "radar"

    def look(self, plot: int) -> tuple[Floats, Floats, Floats, Floats]:
        """Position, axes, measured and variance of one plot."""
        return (
            self.looks.position_m[plot],
            self.looks.axes[plot],
            self.looks.measured[plot],
            self.looks.variance[plot],
        )


def gated(
    tracks: Sequence[Track], P: Floats, mu: Floats, busy: Ints, scan: Scan, plots: Ints
) -> tuple[Ints, Ints, Floats]:
    """Gated pairs of tracks, with the given covariances and mode probabilities, and some plots of a scan.

    Returns indices into the tracks, plots, and ln of the likelihood over the density of false plots.
    """
    track, some, log_likelihood = pairs(
        np.stack([t.x for t in tracks]),
        P,
        mu,
        np.array([t.time_s for t in tracks]),
        busy,
        np.array([t.fallen for t in tracks], np.int64),
        scan.looks.time_s[plots],
        scan.looks.position_m[plots],
        scan.looks.axes[plots],
        scan.looks.measured[plots],
        scan.looks.variance[plots],
        scan.sensor.detection_probability,
        scan.heat,
    )
    plot = plots[some]
    return track, plot, log_likelihood + scan.looks.log_area[plot] - log_clutter_density(scan.sensor)


def take_scan(
    tracks: Sequence[Track], scan: Scan, supplement: bool, noise_scale: float
) -> tuple[list[Track], Ints, set[int], float]:
    """All tracks after a scan.

    supplement: the scan was taken before, and these are plots of it that came late. Returns the tracks,
    the plots that none of them claims, the numbers of those that took one, and the sensor's noise scale.
    """
    out = list(tracks)
    count = len(scan.looks.time_s)
    every = np.arange(count)
    if not out:
        return out, every, set(), noise_scale
    busy = np.array([scan.key in t.recent for t in out], np.int64)
    P, mu = np.stack([t.P for t in out]), np.stack([t.mu for t in out])
    track, plot, log_ratio = gated(out, P, mu, busy, scan, every)
    existence = np.array([t.existence for t in out])
    seen = 0.0 if scan.heat else scan.sensor.detection_probability
    belief = marginals(track, plot, log_ratio + np.log(existence[track]) - np.log1p(-existence[track] * seen))
    claimed = np.minimum(np.bincount(track, belief, len(out)), 1.0)
    order = np.argsort(track, kind="stable")
    bounds = np.searchsorted(track[order], np.arange(len(out) + 1))
    latitude, longitude, _ = ecef_to_geodetic(scan.position_m)
    local = enu_axes(latitude, longitude)
    crowd = _crowd(out)
    touched: set[int] = set()
    for i, t in enumerate(out):
        mine = [int(k) for k in order[bounds[i] : bounds[i + 1]] if belief[k] > LEAST_BELIEF]
        if (supplement and not mine) or busy[i]:
            continue
        missed_mu, chance = _chance(t, scan, local)
        missed = (1.0 - chance) * t.existence / (1.0 - chance * t.existence)
        share = float(claimed[i])
        alive = min(share + (1.0 - share) * missed, MOST_EXISTENCE)
        following = None
        if mine:
            best = int(plot[max(mine, key=lambda k: belief[k])])
            if float(belief[mine].max()) > SURE_BELIEF:
                t, noise_scale = _watch(t, noise_scale, scan, best, crowd[i])
            following = _with_plots(t, scan, plot[mine], belief[mine], missed_mu)
        if following is None:
            out[i] = t._replace(mu=missed_mu, existence=alive)
            continue
        t = following._replace(existence=alive)
        if share > 0.5:
            hit_s = max(t.hit_s, float(scan.looks.time_s[best]))
            t = t._replace(hits=t.hits + 1, hit_s=hit_s, recent=(*t.recent, scan.key)[-RECENT:])
            t = shown(t)
            touched.add(t.number)
        out[i] = t
    return out, np.flatnonzero(np.bincount(plot, belief, count) < 0.5), touched, noise_scale


def _crowd(tracks: Sequence[Track]) -> list[bool]:
    """Whether each track has a shown one near it."""
    where = np.stack([t.x[int(np.argmax(t.mu)), :3] for t in tracks])
    others = where[[t.shown for t in tracks]]
    return [
        bool(np.count_nonzero(np.abs(others - place).max(1) < CROWD_M) > int(t.shown))
        for place, t in zip(where, tracks, strict=True)
    ]


def _with_plots(t: Track, scan: Scan, plots: Ints, belief: Floats, missed_mu: Floats) -> Track | None:
    """A track after a scan in which each of some plots may be its own, with the given beliefs.

    missed_mu (3,): the mode probabilities if none is. None where the update broke down.
    """
    times = scan.looks.time_s
    latest = max(t.time_s, *(float(times[j]) for j in plots))
    states = []
    for j in plots:
        dt = float(times[j]) - t.time_s
        x, P, mu, log_likelihood, _ = imm.take_plot(
            t.x, t.P, t.mu, dt, *scan.look(j), scan.sensor.detection_probability, scan.heat, t.fallen
        )
        if log_likelihood == -math.inf:
            return None
        if dt >= 0.0 and latest > times[j]:  # with dt < 0 the state is at the track's own time
            x, P, mu = imm.forecast(x, P, mu, latest - float(times[j]), t.fallen)
        elif dt < 0.0 and latest > t.time_s:
            x, P, mu = imm.forecast(x, P, mu, latest - t.time_s, t.fallen)
        states.append((x, P, mu))
    weights = list(belief)
    none = 1.0 - float(np.sum(belief))
    if none > LEAST_BELIEF:
        states.append(imm.forecast(t.x, t.P, missed_mu, latest - t.time_s, t.fallen))
        weights.append(none)
    if len(states) == 1:
        x, P, mu = states[0]
    else:
        share = np.array(weights) / np.sum(weights)
        each_x, each_P, each_mu = (np.stack([s[k] for s in states]) for k in range(3))
        x, P, mu = imm.blend(each_x, each_P, each_mu, share)
    if not (np.isfinite(x).all() and np.isfinite(P).all()):
        return None
    fallen = t.fallen or bool(
        t.hits >= FALLEN_HITS and mu[LEVEL] < 0.5 and modes.too_fast_or_high(x[int(np.argmax(mu))])
    )
    return t._replace(x=x, P=P, mu=mu, time_s=latest, fallen=fallen)


def _watch(t: Track, scale: float, scan: Scan, plot: int, crowded: bool) -> tuple[Track, float]:
    """Learn of a plot that is surely a track's: the sensor's noise, and whether the track can be right.

    In a crowd a track may take the range of one body from one radar and of another body from the next:
    ranges that agree on a place where nothing is. The angles then disagree, a little and always to one
    side. Where their mean does, the track is told that it knows its place no better than one plot.
    """
    look = scan.look(plot)
    dt = float(scan.looks.time_s[plot]) - t.time_s
    if t.hits < WATCHED_HITS or t.mu[BALLISTIC] < 0.9:
        return t, scale
    detection, heat = scan.sensor.detection_probability, scan.heat
    _, _, _, _, nis = imm.take_plot(t.x, t.P, t.mu, dt, *look, detection, heat, t.fallen)
    scale = min(max(scale * math.exp(NOISE_GAIN * (min(nis, 4.0) - 1.0)), 1.0), LARGEST_NOISE)
    if not crowded or np.isnan(look[3][:2]).any():
        return t, scale
    right, above = imm.angle_surprise(t.x, t.P, t.mu, dt, *look)
    lean, sensor = t.lean.copy(), scan.key[0]
    lean[sensor] = (1.0 - LEAN_GAIN) * lean[sensor] + LEAN_GAIN * np.clip([right, above], -4.0, 4.0)
    if float(np.hypot(*lean[sensor])) < LARGEST_LEAN:
        return t._replace(lean=lean), scale
    distance = float(np.linalg.norm(t.x[BALLISTIC, :3] - look[0]))
    across = distance * math.sqrt(max(float(look[3][0]), float(look[3][1])))
    P = t.P.copy()
    for i in range(3):
        P[:, i, i] += across**2
        P[:, 3 + i, 3 + i] += (across / LEAN_TIME_S) ** 2
    return t._replace(P=P, lean=np.zeros_like(lean)), scale


def _chance(t: Track, scan: Scan, local: Floats) -> tuple[Floats, float]:
    """Mode probabilities if a scan holds no plot of a track, and how probable a plot was."""
    best = int(np.argmax(t.mu))
    there = t.x[best, :3] + t.x[best, 3:6] * (scan.time_s - t.time_s)
    if not in_view(there, scan.position_m, local, scan.sensor.field_of_view):
        return t.mu, 0.0
    mu, chance = imm.miss(t.x, t.mu, scan.sensor.detection_probability, scan.heat)
    return mu, float(chance)
