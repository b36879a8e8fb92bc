"""A scan made ready, and which tracks and plots of it go together."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tocsin.sensors.coverage import log_clutter_density
from tocsin.sensors.models import Looks, some
from tocsin.sensors.plots import Floats, Ints, Sensor
from tocsin.tracking.gating import near, take_plots
from tocsin.tracking.tracks import States


class Scan(NamedTuple):
    """The plots of one scan, ready for the filter."""

    sensor: int
    of: Sensor
    looks: Looks
    numbers: Ints  # (m,) names of the plots
    position_m: Floats  # (3,) of the sensor at the first plot
    time_s: float  # middle of the scan

    @property
    def heat(self) -> bool:
        """True for a sensor that sees heat or light, not echoes."""
        return self.of.kind != "radar"


class Offsets(NamedTuple):
    """What is known of the constant offsets of the sensors: k of them."""

    mean: Floats  # (k,)
    P: Floats  # (k, k)


def blur2(scan: Looks, offsets: Offsets) -> Floats:
    """Variances (m, 4) of plots with what is not known of the sensors' offsets."""
    if len(offsets.mean) == 0:
        return scan.variance
    variance = np.diag(offsets.P)[scan.column]
    return scan.variance + np.where(scan.column >= 0, variance * scan.lever**2, 0.0)


def _off2(scan: Looks, offsets: Offsets) -> Floats:
    """Squares (m, 4) of the offsets that plots are believed to have: a coarse gate looks at them as they are."""
    if len(offsets.mean) == 0:
        return np.zeros_like(scan.variance)
    return np.where(scan.column >= 0, (offsets.mean[scan.column] * scan.lever) ** 2, 0.0)


class Pairs(NamedTuple):
    """Tracks after plots that they gate: k rows."""

    mine: Ints  # (k,) track
    theirs: Ints  # (k,) plot
    gain: Floats  # (k,) ln of the likelihood with detection over the density of false plots
    x: Floats
    P: Floats
    A: Floats
    mu: Floats


def pairs_of(
    h: States,
    fallen: Ints,
    scan: Scan,
    which: Ints,
    offsets: Offsets,
    gate_scale: float,
    idle: Ints | None = None,
) -> Pairs:
    """Gated pairs of tracks, of which fallen (n,) speaks, and some plots of a scan.

    idle (n,): 1 where a track takes none.
    """
    looks = some(scan.looks, which)
    mine, theirs = near(
        h.time_s, h.x, h.P, h.mu, np.zeros(len(h.time_s), np.int64) if idle is None else idle, 0.0, 0.0,
        looks.time_s, looks.position_m, looks.axes, looks.measured,
        blur2(looks, offsets) * gate_scale + _off2(looks, offsets),
    )  # fmt: skip
    # in order of track, then of plot: the order of ranges is not one of plots
    order = np.lexsort((theirs, mine))
    mine, theirs = mine[order], theirs[order]
    inside, logs, x, P, A, mu = take_plots(
        mine, theirs, h.time_s, h.x, h.P, h.A, h.mu, fallen,
        looks.time_s, looks.position_m, looks.axes, looks.measured, looks.variance, looks.column, looks.lever,
        offsets.mean, offsets.P, scan.of.detection_probability, scan.heat, gate_scale,
    )  # fmt: skip
    mine, theirs = mine[inside], theirs[inside]
    gain = logs + looks.log_area[theirs] - log_clutter_density(scan.of)
    return Pairs(mine, which[theirs], gain, x, P, A, mu)
