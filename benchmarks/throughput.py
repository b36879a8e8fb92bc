"""How many plots a second the tracker takes, beside Stone Soup on the same plots in the same run.

    python benchmarks/throughput.py [--counts 10,100,1000] [--growth 1000,5000] [--scans 10] [--settle 10]
        [--json FILE]

Needs Stone Soup and its tree (pip install stonesoup rtree); without them only our own figures are printed.

Bodies fly ballistic arcs around one radar that looks at all of them once a second; half as many false plots again
are spread over the space that they fill. Stone Soup's extended Kalman filter with global nearest neighbours and a
TPR-tree is given its tracks; our tracker finds its own in the first scans, and goes on looking for new ones. Both are
timed over the same later scans: association, update and life of the tracks, after compilation, without reading,
writing and prediction of impacts; what either has loaded by then is not looked through for garbage. A track is right
where it lies within 1 km of a body of its own; this is printed because a tracker that loses its tracks is fast.
"processors" is processor time over time: well below 1, the machine had other work, and only the ratio means something.

Then our tracker alone with three radars that take turns: how its cost grows with the number of bodies, how
much faster than real time it is, and in how much memory. Last, what one predict and update of one body costs inside
it. Every line is a process of its own.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from throughput_scene import Scene, make, plots_of, right

from tocsin.earth.measurements import ecef_to_look

WARM_UP_BODIES = 50  # of a whole untimed run before, in which everything is compiled


def stone_soup(count: int, radars: int, settle: int, scans: int, period_s: float) -> dict[str, float]:
    """Stone Soup, given its tracks."""
    from throughput_stone_soup import run

    return run(make(count, radars, settle + scans, period_s), settle, period_s)


def ours(count: int, radars: int, settle: int, scans: int, period_s: float) -> dict[str, float]:
    """Our tracker, from its first plot on; timed after ``settle`` scans of each radar."""
    from tocsin.record.warm_up import settle as settle_memory
    from tocsin.record.warm_up import warm_up_rare
    from tocsin.tracking import tracker

    def through(scene: Scene) -> tuple[np.ndarray, dict[str, np.ndarray], int]:
        """Seconds and processor seconds of each scan (scans, 2), the tracks' last rows, and how many are shown."""
        state, spent, last, shown = tracker.start(scene.sensors), [], {}, 0
        for k, now_s in enumerate(scene.time_s):
            plots = plots_of(scene, k)
            begin = time.perf_counter(), time.process_time()
            outputs = []
            while (due_s := tracker.next_deadline(state)) < now_s:
                state, output = tracker.step(state, None, due_s)
                outputs.append(output)
            state, output = tracker.step(state, plots, now_s)
            outputs.append(output)
            spent.append((time.perf_counter() - begin[0], time.process_time() - begin[1]))
            for output in outputs:
                if output is not None:
                    shown = len(output.shown)
                    for row in output.rows:
                        last[row.track] = np.append(row.time_s, row.state)
        return np.array(spent), last, shown

    begin = time.perf_counter()
    warm_up_rare()
    through(make(min(count, WARM_UP_BODIES), radars, settle + scans, period_s))
    settle_memory()
    compiled_s = time.perf_counter() - begin
    scene = make(count, radars, settle + scans, period_s)
    spent, last, shown = through(scene)
    settled = settle * radars
    rows = np.array([row for row in last.values() if row[0] > scene.time_s[-1] - 2.5 * period_s]).reshape(
        -1, 7
    )
    moved = rows[:, 1:4] + rows[:, 4:7] * (scene.time_s[-1] - rows[:, :1])
    plots, (busy_s, processor_s) = sum(map(len, scene.measured[settled:])), spent[settled:].sum(axis=0)
    return {
        "plots": plots,
        "seconds": busy_s,
        "plots_per_s": plots / busy_s,
        "slowest_scan_s": spent[settled:, 0].max(),
        "times_real_time": (scene.time_s[-1] - scene.time_s[settled - 1]) / busy_s,
        "tracks": shown,
        "right": right(scene.truth[-1], moved),
        "processors": processor_s / busy_s,
        "settling_s": spent[:settled, 0].sum(),
        "compiled_s": compiled_s,
    }


def kernel(count: int, radars: int, settle: int, scans: int, period_s: float) -> dict[str, float]:
    """Microseconds of one predict and update of one body, in a compiled loop: all modes of its track, four numbers."""
    import numba

    from tocsin.earth.motion import BALLISTIC
    from tocsin.sensors.models import looks
    from tocsin.tracking.correct import room_for
    from tocsin.tracking.imm import take_plot
    from tocsin.tracking.modes import MODES, SIZE

    scene = make(1, 1, 2, period_s)
    seen = looks(plots_of(scene, 1), scene.sensors, np.ones((1, 4)), np.full((1, 4), -1))
    x, P, A = np.zeros((MODES, SIZE)), np.zeros((MODES, SIZE, SIZE)), np.zeros((MODES, SIZE, 0))
    x[:, :6] = scene.truth[0, 0]
    x[BALLISTIC, 6] = math.log(scene.beta[0])
    P[:] = np.diag([100.0**2] * 3 + [10.0**2] * 3 + [0.3**2] * 3)
    mu = np.array([0.9, 0.05, 0.05])
    distance = ecef_to_look(scene.truth[1, 0], seen.position_m[0])[0]
    near = int(np.argmin(np.abs(scene.measured[1][:, 0] - distance)))
    plot = tuple(
        getattr(seen, column)[near]
        for column in ("position_m", "axes", "measured", "variance", "column", "lever")
    )

    @numba.njit
    def many(times, x, P, A, mu, dt, position, axes, measured, variance, column, lever):
        none, nothing = np.zeros(0), np.zeros((0, 0))
        out_x, out_P, out_A, out_mu, room = x.copy(), P.copy(), A.copy(), mu.copy(), room_for(0)
        total = 0.0
        for _ in range(times):
            total += take_plot(
                x, P, A, mu, dt, True, position, axes, measured, variance, column, lever,
                none, nothing, 0.9, False, out_x, out_P, out_A, out_mu, room,
            )[0]  # fmt: skip
        return total

    many(1, x, P, A, mu, period_s, *plot)
    best = math.inf
    for _ in range(5):
        begin = time.perf_counter()
        many(2000, x, P, A, mu, period_s, *plot)
        best = min(best, (time.perf_counter() - begin) / 2000)
    return {"microseconds": best * 1e6}


JOBS = {"ours": ours, "stone_soup": stone_soup, "kernel": kernel}


def measure(job: str, count: int, radars: int, args: argparse.Namespace) -> dict[str, float]:
    """One job in a process of its own, and the peak of its memory."""
    command = [sys.executable, __file__, "--job", job, "--counts", str(count), "--radars", str(radars)]
    command += ["--settle", str(args.settle), "--scans", str(args.scans), "--period", str(args.period)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{job} with {count} bodies: exit code {process.returncode}")
    unit = 1 if sys.platform == "darwin" else 1024
    return {
        "job": job,
        "bodies": count,
        "radars": radars,
        **json.loads(said),
        "peak_mb": usage.ru_maxrss * unit / 1e6,
    }


def numbers(text: str) -> list[int]:
    """Counts from a list with commas."""
    return [int(part) for part in text.split(",") if part]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--counts", type=numbers, default=[10, 100, 1000], help="bodies, both trackers, one radar"
    )
    parser.add_argument(
        "--growth", type=numbers, default=[1000, 5000], help="bodies, ours alone, three radars"
    )
    parser.add_argument("--scans", type=int, default=10, help="timed scans of each radar")
    parser.add_argument(
        "--settle", type=int, default=10, help="scans of each radar before, in which tracks are found"
    )
    parser.add_argument("--period", type=float, default=1.0, help="seconds between the scans of a radar")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to FILE")
    parser.add_argument("--job", choices=JOBS, help=argparse.SUPPRESS)
    parser.add_argument("--radars", type=int, default=1, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.job:
        print(json.dumps(JOBS[args.job](args.counts[0], args.radars, args.settle, args.scans, args.period)))
        return
    peer = all(importlib.util.find_spec(module) for module in ("stonesoup", "rtree"))
    print(f"Python {platform.python_version()}, {os.cpu_count()} processors; one thread each")
    if not peer:
        print("Stone Soup is not here (pip install stonesoup rtree): our figures alone")
    rows = []
    print(f"\none radar, a scan every {args.period:g} s, {args.scans} scans timed")
    print(
        f"{'bodies':>7}{'':>12}{'plots/s':>10}{'s a scan':>10}{'tracks':>8}{'right':>7}{'processors':>12}{'ratio':>8}"
    )
    for count in args.counts:
        pair = [measure("ours", count, 1, args)]
        pair += [measure("stone_soup", count, 1, args)] if peer else []
        for row in pair:
            ratio = f"{row['plots_per_s'] / pair[-1]['plots_per_s']:8.1f}" if row is pair[0] and peer else ""
            print(
                f"{count:>7}{row['job']:>12}{row['plots_per_s']:>10.0f}{row['seconds'] / args.scans:>10.4f}"
                f"{row['tracks']:>8}{row['right']:>7}{row['processors']:>12.2f}{ratio}",
                flush=True,
            )
        rows += pair
    if args.growth:
        print(f"\nours, three radars, each a scan every {args.period:g} s")
        print(
            f"{'bodies':>7}{'plots/s':>10}{'x real':>8}{'slowest scan s':>16}{'tracks':>8}{'right':>7}"
            f"{'processors':>12}{'peak MB':>9}"
        )
    grown = [measure("ours", count, 3, args) for count in args.growth]
    for row in grown:
        print(
            f"{row['bodies']:>7}{row['plots_per_s']:>10.0f}{row['times_real_time']:>8.2f}{row['slowest_scan_s']:>16.3f}"
            f"{row['tracks']:>8}{row['right']:>7}{row['processors']:>12.2f}{row['peak_mb']:>9.0f}",
            flush=True,
        )
    if len(grown) > 1:
        more = grown[-1]["bodies"] / grown[0]["bodies"]
        cost = grown[-1]["seconds"] / grown[0]["seconds"]
        print(f"{more:g} times the bodies cost {cost:.2f} times the time ({cost / more:.2f} a body)")
    one = measure("kernel", 1, 1, args)
    print(f"\none predict and update of one body, inside: {one['microseconds']:.2f} microseconds")
    rows += [*grown, one]
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
