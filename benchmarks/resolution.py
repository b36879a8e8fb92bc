"""How near to each other two objects may be that give two plots: counted on a recording with truth.

    python benchmarks/resolution.py ../shared/recordings/dnipro-2024

Pairs of objects that have no third one within APART sigmas of range, in a scan in which at least one of them has a
plot. A plot is an object's where it is the nearest one within GATE stated sigmas in all that is measured. Rows: how far
apart in range the two are, in stated sigmas; columns: in angle. Told is the share of pairs of which both have a plot:
the square of the detection probability, nearly, where a sensor tells them apart, and 0 where it does not.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tocsin.cli.scored import read_truth_of
from tocsin.formats.recording import read_recording
from tocsin.metrics.paths import interpolate

sys.path.insert(0, str(Path(__file__).parent))
import itertools

from tracking import seen_from

Floats = NDArray[np.float64]

GATE = 5.0
APART = 10.0
RANGES = (0.0, 1.0, 2.0, 3.0, 4.0, 4.5, 5.0, 6.0, 9.0)
ANGLES = (0.0, 2.0, 4.0, 6.0, 30.0)


def pairs_of(folder: str) -> Floats:
    """Range and angle (sigmas) between the two of each pair, and whether both have a plot (n, 3)."""
    recording, truth = read_recording(folder), read_truth_of(folder)
    plots, out = recording.plots, []
    for number, sensor in enumerate(recording.sensors):
        if np.isnan(sensor.sigma[:3]).any():
            continue
        wide = np.sqrt(sensor.sigma**2 + np.nan_to_num(sensor.bias_sigma) ** 2)
        mine = np.flatnonzero(plots.sensor == number)
        for rows in np.split(mine, np.flatnonzero(np.diff(plots.scan[mine])) + 1):
            at_s = np.median(plots.time_s[rows])
            alive = [n for n, t in truth.time_s.items() if t[0] <= at_s <= t[-1]]
            if len(alive) < 2:
                continue
            now = np.concatenate(
                [interpolate(truth.time_s[n], truth.state[n], np.array([at_s])) for n in alive]
            )
            expected = seen_from(np.tile(plots.position_m[rows[0]], (len(now), 1)), now)
            off = (plots.measured[rows][:, None] - expected) / wide
            turn = np.angle(np.exp(1j * (plots.measured[rows][:, None, 1] - expected[:, 1])))
            off[..., 1] = turn / wide[1]
            off = np.nan_to_num(off)
            near = np.where((np.abs(off) < GATE).all(2), (off**2).sum(2), np.inf)
            has = np.zeros(len(alive), bool)
            has[near.argmin(1)[np.isfinite(near.min(1))]] = True
            away = np.abs(expected[:, None, 0] - expected[:, 0]) / sensor.sigma[0]
            for i in range(len(alive)):
                for j in range(i):
                    others = np.delete(np.minimum(away[i], away[j]), [i, j])
                    if away[i, j] > RANGES[-1] or (others < APART).any() or not (has[i] or has[j]):
                        continue
                    angle = np.hypot(
                        (expected[i, 1] - expected[j, 1]) * np.cos(expected[i, 2]) / sensor.sigma[1],
                        (expected[i, 2] - expected[j, 2]) / sensor.sigma[2],
                    )
                    out.append((away[i, j], angle, float(has[i] and has[j])))
    return np.array(out).reshape(-1, 3)


def main() -> int:
    """Print the table."""
    pairs = np.concatenate([pairs_of(folder) for folder in sys.argv[1:]] or [np.zeros((0, 3))])
    print(f"{len(pairs)} pairs; told (pairs), by sigmas of range (rows) and of angle (columns)")
    print("range    " + "".join(f"{a:4.0f} to {b:2.0f}      " for a, b in itertools.pairwise(ANGLES)))
    for low, high in itertools.pairwise(RANGES):
        cells = []
        for a, b in itertools.pairwise(ANGLES):
            here = (pairs[:, 0] >= low) & (pairs[:, 0] < high) & (pairs[:, 1] >= a) & (pairs[:, 1] < b)
            cells.append(f"{pairs[here, 2].mean():.2f} ({here.sum()})" if here.any() else "-")
        print(f"{low:3.1f}-{high:3.1f}  " + "".join(f"{c:15s}" for c in cells))
    return 0


if __name__ == "__main__":
    sys.exit(main())
