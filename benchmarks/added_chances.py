"""What adding the chances of several bodies would change: places above C/L together though none is by one body.

    python benchmarks/added_chances.py RECORDING ...

The policy takes for each body the places where its own chance is above C/L. Here, at seven moments before the first
impact of each recording, the latest forecasts of all bodies are drawn on one grid: the area where some body's chance is
above C/L, that where their sum is, and how many of the impacts that the forecasts expect lie in what the second adds.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tocsin.cli.scored import read_truth_of
from tocsin.formats.recording import read_recording
from tocsin.metrics.paths import DANGEROUS
from tocsin.prediction.forecast import Forecast
from tocsin.record.campaign import observations
from tocsin.units import SEMI_MAJOR_AXIS_M
from tocsin.warning.risk import comes_down
from tocsin.warning.settings import Settings

LATENCY_S, SIDE = 0.5, 700
BEFORE_S = (240.0, 180.0, 120.0, 90.0, 60.0, 30.0, 10.0)
OLDEST_S = 90.0
REACH = 4.5  # sigmas that the grid holds
COST_LOSS = Settings().cost_loss_per_km2


def compared(forecasts: Sequence[Forecast]) -> np.ndarray:
    """Area (km2) by one body, area by all, impacts expected, and of these in what is added."""
    latitude = np.mean([one.latitude_rad for one in forecasts])
    longitude = np.mean([one.longitude_rad for one in forecasts])
    parts = []
    for body, one in enumerate(forecasts):
        at = np.array([(one.longitude_rad - longitude) * math.cos(latitude), one.latitude_rad - latitude])
        for weight, offset, covariance in zip(*one.danger, strict=True):
            chance = weight * one.existence * one.danger_share
            parts.append((body, chance, at * SEMI_MAJOR_AXIS_M + offset, covariance))
    sigma = np.array([np.sqrt(np.diag(covariance)) for *_, covariance in parts])
    middle = np.array([place for _, _, place, _ in parts])
    low, high = (middle - REACH * sigma).min(axis=0), (middle + REACH * sigma).max(axis=0)
    x, y = np.meshgrid(*(np.linspace(low[i], high[i], SIDE) for i in range(2)))
    cell_km2 = float(np.prod((high - low) / (SIDE - 1))) / 1e6
    density = np.zeros((len(forecasts), SIDE, SIDE))  # per km2
    for body, chance, place, covariance in parts:
        inverse, dx, dy = np.linalg.inv(covariance), x - place[0], y - place[1]
        square = inverse[0, 0] * dx * dx + 2.0 * inverse[0, 1] * dx * dy + inverse[1, 1] * dy * dy
        peak = chance / (2.0 * math.pi * math.sqrt(np.linalg.det(covariance))) * 1e6
        density[body] += peak * np.exp(-0.5 * square)
    alone, together = density.max(axis=0) >= COST_LOSS, density.sum(axis=0)
    added = (together >= COST_LOSS) & ~alone
    return cell_km2 * np.array(
        [alone.sum(), (together >= COST_LOSS).sum(), together.sum(), together[added].sum()]
    )


def of_recording(folder: Path) -> np.ndarray:
    """The sums over the moments of a recording."""
    recording = read_recording(folder)
    first_s = min(impact.time_s for impact in read_truth_of(folder).impacts if impact.kind in DANGEROUS)
    moments = [first_s - before_s for before_s in BEFORE_S]
    latest: dict[str, tuple[float, Forecast]] = {}
    found = np.zeros(4)
    for seen in observations(recording.sensors, recording.plots, LATENCY_S):
        while moments and moments[0] < seen.at_s:
            now_s = moments.pop(0)
            due = [
                one
                for at_s, one in latest.values()
                if at_s > now_s - OLDEST_S and comes_down(one) and one.impact_time_s > now_s and not one.light
            ]
            if due:
                found += compared(due)
        latest.update({one.track: (seen.at_s, one) for one in seen.forecasts})
    return found


def main() -> None:
    """Each recording, a line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recordings", nargs="+", type=Path, metavar="RECORDING")
    args = parser.parse_args()
    print(f"{'recording':<24} {'larger by':>10} {'impacts in what is added':>26}")
    for path in args.recordings:
        alone, together, expected, added = of_recording(path)
        print(f"{path.name:<24} {together / alone - 1.0:>10.1%} {added / expected:>26.2%}", flush=True)


if __name__ == "__main__":
    main()
