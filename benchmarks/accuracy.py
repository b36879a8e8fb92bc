"""Where and when flights come down, against an integration of its own at 1e-14.

    python benchmarks/accuracy.py [--flights 10000] [--seed 2026] [--tolerance 1e-14]

Flights of 100 to 10,000 km, over all the Earth, lofted and flat, 50 to 15,000 kg/m2, at the step error that is
the default. The other side is tests/earth/flights.py: forces written anew, the air by the standard's own equations,
DOP853.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.earth import flights
from tests.earth.random_flights import random_flights

from tocsin.earth.flights import to_ground

KINDS = {
    "any": (-5.0, 80.0),
    "grazing": (-4.0, 4.0),
    "lofted": (60.0, 89.5),
}  # elevations at the start, degrees
CHUNK = 1000


def main():
    """Print the misses of each kind."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--flights", type=int, default=10000)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--tolerance", type=float, default=flights.RTOL, help="of the reference")
    choice = parser.parse_args()
    flights.RTOL, flights.ATOL = choice.tolerance, 1e6 * choice.tolerance
    print("kind        flights   worst     99.9 %    median    worst late   steps")
    for name, (low, high) in KINDS.items():
        count = choice.flights if name == "any" else choice.flights // 10
        states, betas = random_flights(count, choice.seed, low, high)
        off, late, steps = [], [], []
        for first in range(0, count, CHUNK):
            some = slice(first, first + CHUNK)
            time_s, exact = flights.fall(states[some], beta=betas[some])
            ours = to_ground(states[some], betas[some])
            off.append(np.linalg.norm(ours.state[:, :3] - exact[:, :3], axis=1))
            late.append(1e3 * np.abs(ours.time_s - time_s))
            steps.append(ours.steps)
            print(f"\r{name}: {first + CHUNK} of {count}", end="", file=sys.stderr, flush=True)
        miss, delay = np.concatenate(off), np.concatenate(late)
        print(file=sys.stderr)
        print(
            f"{name:10s} {count:8d} {miss.max():7.3f} m {np.percentile(miss, 99.9):7.3f} m {np.median(miss):7.4f} m"
            f" {delay.max():8.3f} ms {np.concatenate(steps).mean():8.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
