"""Windows of decaying orbits against a truth that is richer, and what a window costs.

    python benchmarks/decay.py [--cases 240] [--seed 2026] [--level]

Orbits of 125 to 225 km of perigee, round and not, any plane; 30 to 500 kg/m2. The truth (tests/prediction/
decay_truth.py): air by day and night, off from the standard by a factor that nobody knows, with a weather on top;
bodies that tumble. Windows are made from what is given (coefficient to 10 %, density to 15 %), and from states of the
same orbit so far, with nothing else told. --level prints how the air departs from the standard by NRLMSIS 2.1 (pymsis).
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.prediction.decay_truth import BETA_SIGMA, FACTOR_SIGMA, LONGEST_S, NOISE, cases, decay

from tocsin.earth.ellipsoid import ecef_to_geodetic
from tocsin.earth.flights import to_ground
from tocsin.earth.us1976 import standard_air
from tocsin.prediction import decay as windows
from tocsin.prediction.decay_fit import learn
from tocsin.prediction.impact import TUMBLING
from tocsin.prediction.kinds import NOTHING
from tocsin.prediction.states import predict_state

DAY_S = 86400.0
KEEP_S = 600.0


def account(name, found):
    """A line on the windows of one sort: (true entry, window, true landing) each."""
    truth = np.array([f[0] for f in found])
    q = np.array([f[1].entry_quantiles_s for f in found])
    late = np.where(np.isnan(q), np.inf, q)
    held = [((late[:, i] <= truth) & (truth <= late[:, -1 - i])).mean() for i in (2, 1, 0)]
    half = (late[:, 5] - late[:, 1]) / 2.0 / truth
    along, across = np.array([f[2] for f in found]).T
    known = np.isfinite(along)
    swath = np.array([f[1].swath_m for f in found])
    within = (across < 0.5 * swath)[known].mean()
    print(
        f"{name:<34}{len(found):>5}  {100 * held[0]:5.1f} {100 * held[1]:5.1f} {100 * held[2]:5.1f}   "
        f"{100 * np.median(half):4.0f} %  {np.median(truth) / 3600:6.1f} h  {np.median(along[known]) / 1e3:5.0f} "
        f"{np.quantile(along[known], 0.9) / 1e3:5.0f} km  {np.median(swath) / 1e3:4.0f} km {100 * within:4.0f}   "
        f"{np.median([f[3] for f in found]) * 1e3:4.0f} ms"
    )


def beside_m(window, time_s, place):
    """How far along and across the track from its place at a time a body comes down (m); NaN beyond the track.

    The nearest place of the track within a quarter of an hour: as lines on the ground.
    """
    at = window.track[:, 2]
    if not at[0] <= time_s <= at[-1]:
        return np.nan, np.nan
    latitude, longitude = window.track[:, 0], window.track[:, 1]
    points = np.column_stack(
        [np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)]
    )
    latitude, longitude, _ = ecef_to_geodetic(place)
    there = np.array(
        [np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)]
    )
    fine = np.linspace(max(at[0], time_s - 900.0), min(at[-1], time_s + 900.0), 1801)
    k = np.clip(np.searchsorted(at, fine), 1, len(at) - 1)
    part = ((fine - at[k - 1]) / (at[k] - at[k - 1]))[:, None]
    line = points[k - 1] + part * (points[k] - points[k - 1])
    line /= np.linalg.norm(line, axis=1)[:, None]
    far = np.arccos(np.clip(line @ there, -1.0, 1.0))
    return 7300.0 * abs(fine[np.argmin(far)] - time_s), 6371e3 * far.min()


def level():
    """How density along orbits departs from the standard, by NRLMSIS 2.1, over a cycle of the Sun."""
    import pymsis

    rng = np.random.default_rng(1)
    heights = np.array([100, 120, 140, 160, 180, 200, 225, 250, 300, 350, 400.0])
    standard = standard_air(heights * 1e3).density_kg_m3
    found = []
    for _ in range(120):
        mean = 70.0 + 42.5 * (1.0 - np.cos(rng.uniform(0.0, 2 * np.pi))) * rng.uniform(0.7, 1.3)
        flux, ap = mean * np.exp(0.12 * rng.normal()), min(4.0 + rng.exponential(10.0), 120.0)
        day = np.datetime64("2010-01-01") + np.timedelta64(int(rng.integers(0, 365)), "D")
        inclination, node = np.radians(rng.choice([28, 52, 65, 82, 98])), rng.uniform(0.0, 2 * np.pi)
        u = np.linspace(0.0, 2 * np.pi, 24, endpoint=False)
        latitude = np.degrees(np.arcsin(np.sin(inclination) * np.sin(u)))
        longitude = np.degrees(node + np.arctan2(np.cos(inclination) * np.sin(u), np.cos(u))) % 360.0 - 180.0
        n, k = len(u) * len(heights), len(heights)
        out = pymsis.calculate(
            np.repeat(day, n), np.repeat(longitude, k), np.repeat(latitude, k), np.tile(heights, len(u)),
            f107s=[flux] * n, f107as=[mean] * n, aps=[[ap] * 7] * n, version=2.1,
        )  # fmt: skip
        density = out.reshape(len(u), k, -1)[:, :, 0]
        found.append([np.log(density.mean(0) / standard), np.log(density).std(0)])
    mean, along = np.moveaxis(np.array(found), 1, 0)
    print("height km   mean of ln   one sigma   along an orbit")
    for i, height in enumerate(heights):
        print(f"{height:9.0f} {mean[:, i].mean():12.2f} {mean[:, i].std():11.2f} {along[:, i].mean():16.2f}")


def main():
    """Print what windows hold, how wide they are, and what they take."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=240)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--level", action="store_true", help="print the level of the air instead")
    choice = parser.parse_args()
    if choice.level:
        level()
        return
    rng = np.random.default_rng(choice.seed)
    print(
        f"{'':<34}{'':>5}  {'time holds':<17} 90 %: half  median   along track   swath     cost"
        f"\n{'window from':<34}{'cases':>5}  {'50':>5} {'90':>5} {'99 %':>5}    of left     left   50   90 %        "
        "held %"
    )
    against(*cases(choice.cases // 2, rng, windows.level), rng, any_day=True)
    against(*cases(choice.cases, rng), rng, any_day=False)


def against(bodies, told, rng, any_day):
    """Lines on the windows of bodies."""
    entry_s, entry, kept = decay(bodies, LONGEST_S, KEEP_S)
    some = np.flatnonzero(entry_s > 3 * 3600.0)
    landed = to_ground(np.nan_to_num(entry), bodies.beta, TUMBLING)

    def one(i, t, state, **more):
        begin = time.perf_counter()
        made = predict_state(state, **more)
        took = time.perf_counter() - begin
        if made.window is None:
            print("no window:", i, made.sentence)
            return None
        left = entry_s[i] - t
        off = beside_m(made.window, left + landed.time_s[i], landed.state[i, :3])
        return left, made.window, off, took

    def known(i, **more):
        return one(
            i,
            0.0,
            bodies.state[i],
            ballistic_coefficient=told[i],
            ballistic_coefficient_sigma=BETA_SIGMA,
            **more,
        )

    if any_day:
        account("coefficient, air of any day", [f for i in some if (f := known(i))])
        return
    given = {"density_factor": 1.0, "density_sigma": FACTOR_SIGMA}
    account("coefficient and density as told", [f for i in some if (f := known(i, **given))])
    for share in (0.3, 0.6, 0.8, 0.9, 0.95):
        found, unseen = [], 0
        for i in some:
            last = int(share * entry_s[i] / KEEP_S)
            begin = max(0, last - int(2 * DAY_S / KEEP_S))
            picked = np.unique(np.linspace(begin, last, 13).astype(int))
            noisy = kept[picked, i] + rng.normal(size=(len(picked), 6)) * np.repeat(NOISE, 3)
            P = np.tile(np.diag(np.repeat(NOISE, 3) ** 2), (len(picked), 1, 1))
            decayed = learn(picked * KEEP_S, noisy, P)
            unseen += decayed is NOTHING
            if entry_s[i] - last * KEEP_S > 3600.0:
                found.append(one(i, last * KEEP_S, noisy[-1], covariance=P[-1], decayed=decayed))
        account(f"states so far, {100 * share:.0f} % of life ({unseen} not seen)", [f for f in found if f])


if __name__ == "__main__":
    main()
