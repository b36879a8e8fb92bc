"""How probably a scan should have shown each track."""

from __future__ import annotations

import numpy as np

from tocsin.earth.ellipsoid import up_and_height
from tocsin.kernel import jit
from tocsin.sensors.coverage import in_view
from tocsin.sensors.plots import Floats, Ints
from tocsin.tracking.imm import miss


@jit
def misses(
    time_s: Floats, x: Floats, mu: Floats, idle: Ints, scan_s: float, position: Floats, local: Floats, field: Floats,
    stated_detection: float, heat: bool,
) -> tuple[Floats, Floats]:  # fmt: skip
    """Probability (n,) of a plot of each track in a scan, and the probabilities of its modes if it gave none (n, 3).

    idle (n,): 1 where a track is not asked; position to field: of the sensor, see `coverage.in_view`.
    """
    chance, left = np.zeros(len(time_s)), mu.copy()
    there = np.empty(3)
    for i in range(len(time_s)):
        best = np.argmax(mu[i])
        for k in range(3):
            there[k] = x[i, best, k] + x[i, best, 3 + k] * (scan_s - time_s[i])
        if idle[i] == 0 and in_view(there, position, local, field):
            chance[i] = min(miss(x[i], mu[i], stated_detection, heat, left[i]), 1.0 - 1e-9)
    return chance, left


@jit
def heights(x: Floats, mu: Floats) -> Floats:
    """Height (m), (n,), of the likeliest mode of tracks."""
    height = np.empty(len(x))
    for i in range(len(x)):
        s = x[i, np.argmax(mu[i])]
        height[i] = up_and_height(s[0], s[1], s[2])[4]
    return height
