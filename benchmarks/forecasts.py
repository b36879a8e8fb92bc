"""What a forecast costs: one of each kind, and a thousand tracks at once.

    python benchmarks/forecasts.py [--tracks 1000] [--repeats 7]

Tracks are made, not followed: bodies some minutes before their impact, with what a track would know of them. Times are
the least of some repeats, after compilation, on one thread; the thousand tracks once more on two threads.
"""

from __future__ import annotations

import argparse
import math
import time

import numpy as np

from tocsin.earth.ellipsoid import enu_axes, geodetic_to_ecef
from tocsin.earth.motion import BALLISTIC, THRUST
from tocsin.prediction.draws import drawn
from tocsin.prediction.landings import told
from tocsin.prediction.predictor import landings_of_track, predict, predict_many
from tocsin.tracking.modes import CHILD_LN_BETA_SIGMA, LN_BETA_SIGMA
from tocsin.tracking.tracks import Track


def track(
    height_m: float, speed_m_s: float, climb_deg: float, beta: float, beta_sigma: float, *, parted: bool = False,
    mode: int = BALLISTIC,
) -> Track:  # fmt: skip
    """A track of a body over the middle of the Atlantic, known to 40 m and 1.5 m/s."""
    place = np.radians([40.0, -35.0])
    climb = math.radians(climb_deg)
    x, P = np.zeros((3, 9)), np.zeros((3, 9, 9))
    x[:, :3] = geodetic_to_ecef(*place, height_m)
    x[:, 3:6] = speed_m_s * np.array([math.cos(climb), 0.0, math.sin(climb)]) @ enu_axes(*place)
    x[BALLISTIC, 6] = math.log(beta)
    x[THRUST, 6:] = 30.0 * x[THRUST, 3:6] / speed_m_s
    P[:, range(9), range(9)] = [40.0**2] * 3 + [1.5**2] * 3 + [beta_sigma**2] + [1.0] * 2
    mu = np.zeros(3)
    mu[mode] = 1.0
    return Track(1, int(parted), 0.0, x, P, mu, 0.99, 30, True, False, True, parted)


CASES = {
    "one body, 300 km up": track(300e3, 3000.0, -30.0, 2000.0, LN_BETA_SIGMA),
    "what has left another, 300 km up": track(300e3, 3000.0, -30.0, 600.0, CHILD_LN_BETA_SIGMA, parted=True),
    "half known, 40 km up": track(40e3, 3000.0, -40.0, 4000.0, 0.3, parted=True),
    "known, 20 km up": track(20e3, 2000.0, -40.0, 5000.0, 0.05, parted=True),
    "a slow fall, 10 km up": track(10e3, 60.0, -89.0, 100.0, 0.1, parted=True),
    "under thrust, 60 km up": track(60e3, 2000.0, 45.0, 2000.0, LN_BETA_SIGMA, mode=THRUST),
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tracks", type=int, default=1000, help="tracks at once")
    parser.add_argument("--repeats", type=int, default=7, help="repeats, of which the least counts")
    args = parser.parse_args()

    def least_s(function) -> float:
        function()
        best = math.inf
        for _ in range(args.repeats):
            begin = time.perf_counter()
            function()
            best = min(best, time.perf_counter() - begin)
        return best

    print(f"{'a forecast of':<36}{'flights':>8}{'flown ms':>10}{'told ms':>9}{'all ms':>8}")
    for name, t in CASES.items():
        landings = landings_of_track(t)
        flown = least_s(lambda t=t: landings_of_track(t))
        areas = least_s(lambda landings=landings: told(landings))
        whole = least_s(lambda t=t: predict(t, 0.0))
        print(
            f"{name:<36}{len(landings.weight):>8}{flown * 1e3:>10.2f}{areas * 1e3:>9.2f}{whole * 1e3:>8.2f}"
        )
    landings = landings_of_track(CASES["what has left another, 300 km up"])
    print(f"{'16,384 draws of one impact':<36}{least_s(lambda: drawn(landings, 14)) * 1e3:>35.1f}")
    many = [list(CASES.values())[k % 5] for k in range(args.tracks)]
    for threads in (1, 2):
        took_s = least_s(lambda threads=threads: predict_many(many, 0.0, threads=threads))
        print(f"{f'{args.tracks} tracks, threads {threads}, s':<36}{took_s:>35.2f}")


if __name__ == "__main__":
    main()
