"""Flights to the ground in a second, beside heyoka: same flights, same forces, same accuracy, same run, one core.

    python benchmarks/propagation.py [--flights 4000] [--seed 2026]

Needs heyoka (pip install heyoka); without it only our own figures are printed. For each atmosphere and program it
prints the loosest setting of a short list whose worst flight lies within 1 m and 1 ms of the program's own tightest
flight of the same start (both are printed), microseconds a flight (best of three), and the ratio. Then what transition
matrices cost, and two threads beside two processes. Both programs run on one core; heyoka's timing leaves out its
compilation, ours does too.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from pathlib import Path

for name in ("OMP_NUM_THREADS", "TBB_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.earth.random_flights import random_flights

from tocsin.earth.air import fit_layers
from tocsin.earth.flights import to_ground
from tocsin.earth.forces import STANDARD, wind_table, with_air

NEAR_M, NEAR_S = 1.0, 1e-3
OURS_M = (3.0, 1.0, 0.5, 0.3, 0.2, 0.1, 0.05)
HEYOKA = (3e-9, 1e-9, 5e-10, 3e-10, 2e-10, 1e-10)


def flights_in_order(count, seed):
    """Random flights in the order of their duration: heyoka's batches like flights of one length together."""
    state, beta = random_flights(count, seed)
    order = np.argsort(to_ground(state, beta).time_s)
    return state[order], beta[order]


def forces_of(air):
    """Our forces with an atmosphere."""
    if air.startswith("us1976"):
        return STANDARD
    from propagation_heyoka import exponential

    knots = (-5e3, 120e3, 280e3)  # no kinks here: layers as thick as `air.exponential` is good for
    return with_air(STANDARD, fit_layers(knots, lambda h: (exponential(h), np.full(len(h), 300.0))))


def best_of(times, job):
    """Least seconds of a job, and what it gave."""
    best, result = np.inf, None
    for _ in range(times):
        begin = time.perf_counter()
        result = job()
        best = min(best, time.perf_counter() - begin)
    return best, result


def miss(times, ends, exact):
    """Worst and 99.9 % distance (m), and worst time (ms), from the exact flights."""
    n = len(times)
    off = np.linalg.norm(ends[:, :3] - exact[1][:n, :3], axis=1)
    late = np.abs(times - exact[0][:n])
    return off.max(), np.percentile(off, 99.9), 1e3 * late.max()


def loosest(name, settings, fly, exact, count):
    """Print and return microseconds a flight of the loosest setting that is near enough."""
    for setting in settings:
        seconds, (times, ends) = fly(setting)
        worst_m, most_m, worst_ms = miss(times, ends, exact)
        near = worst_m <= NEAR_M and worst_ms <= 1e3 * NEAR_S
        print(
            f"  {name:16s} {setting:8.0e} {1e6 * seconds / count:8.2f} us a flight; worst {worst_m:.2f} m,"
            f" {worst_ms:.3f} ms; 99.9 % within {most_m:.2f} m{'' if near else '   not near enough'}",
            flush=True,
        )
        if near:
            return 1e6 * seconds / count
    return np.nan


def process(state, beta, start, queue):
    """One process of two: its flights, again and again between a start and an end."""
    to_ground(state, beta)
    start.wait()
    begin = time.perf_counter()
    for _ in range(10):
        to_ground(state, beta)
    queue.put(time.perf_counter() - begin)


def scaling(state, beta):
    """Flights in a second of two threads over those of two processes, in one run."""
    ratios = []
    for _ in range(3):
        context = multiprocessing.get_context("spawn")
        start, queue = context.Barrier(2), context.Queue()
        parts = ((state[::2], beta[::2]), (state[1::2], beta[1::2]))
        jobs = [context.Process(target=process, args=(*part, start, queue)) for part in parts]
        for job in jobs:
            job.start()
        processes = max(queue.get() for _ in jobs)
        for job in jobs:
            job.join()
        begin = time.perf_counter()
        for _ in range(10):
            to_ground(state, beta, threads=2)
        ratios.append(processes / (time.perf_counter() - begin))
    return ratios


def main():
    """Print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--flights", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=2026)
    choice = parser.parse_args()
    state, beta = flights_in_order(choice.flights // 8 * 8, choice.seed)
    count = len(beta)
    try:
        import propagation_heyoka as heyoka
    except ImportError:
        heyoka = None
        print("heyoka is not installed (pip install heyoka); our own figures alone")
    mean = to_ground(state, beta)
    print(f"{count} flights of {mean.time_s.mean():.0f} s in the mean, {mean.steps.mean():.1f} steps of ours")
    for air in ("us1976", "us1976 by formula", "exponential") if heyoka else ("us1976",):
        forces = forces_of(air)
        print(f"{air}:")
        tight = to_ground(state, beta, forces, error_m=1e-6)

        def ours(setting, forces=forces):
            seconds, flown = best_of(3, lambda: to_ground(state, beta, forces, error_m=setting))
            return seconds, (flown.time_s, flown.state)

        mine = loosest("tocsin", OURS_M, ours, (tight.time_s, tight.state), count)
        if heyoka is None:
            continue
        exact = heyoka.fly(state, beta, air, 1e-14, 1)
        apart = miss(tight.time_s, tight.state, exact)
        print(
            f"  the two programs' tightest flights are apart by {apart[0]:.2f} m at most, 99.9 % {apart[1]:.3f} m"
        )
        theirs = []
        for lanes in (1, 4, 8):

            def fly(setting, lanes=lanes, air=air):
                runs = [heyoka.fly(state, beta, air, setting, lanes) for _ in range(3)]
                return min(run[2] for run in runs), runs[0][:2]

            theirs.append(loosest(f"heyoka, {lanes} lanes", HEYOKA, fly, exact, count))
        print(f"  ratio of flights in a second: {np.nanmin(theirs) / mine:.2f}")
    plain, _ = best_of(3, lambda: to_ground(state, beta))
    whole, _ = best_of(3, lambda: to_ground(state, beta, transition=True))
    print(
        f"with transition matrices of nine columns {1e6 * whole / count:.1f} us a flight:"
        f" {whole / plain:.1f} flights; differences would take fourteen more"
    )
    alone, _ = best_of(20, lambda: to_ground(state[count // 2], beta[count // 2]))
    windy = STANDARD._replace(wind=wind_table([0.0, 12e3, 30e3], [2.0, 30.0, 5.0], [1.0, -5.0, 3.0]))
    blown, _ = best_of(3, lambda: to_ground(state, beta, windy))
    print(f"in wind {blown / plain:.2f} flights without; one flight alone {1e6 * alone:.0f} us")
    ratios = scaling(state, beta)
    print("two threads over two processes:", ", ".join(f"{ratio:.2f}" for ratio in ratios))


if __name__ == "__main__":
    main()
