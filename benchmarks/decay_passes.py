"""Windows of decaying stages that radars see when they pass: what they hold, and how they narrow from pass to pass.

    python benchmarks/decay_passes.py [--cases 40] [--seed 2026]

Each case is a recording of its own, replayed plot by plot. The truth (simulation/decay.py) is richer than what
predicts: gravity with the ellipse of the equator; air by day and night, off from the standard by a factor (one sigma
18 %), with an unrest of 15 to 30 % that changes within hours; and it breaks up. Perigees of 145 to 195 km, 40 to
300 kg/m2, any inclination from 30 to 90 degrees, two to four radars anywhere between 55 degrees south and north.
"""

from __future__ import annotations

import argparse
import math
import time
from typing import NamedTuple

import numpy as np

from tocsin.earth.ellipsoid import ecef_to_geodetic
from tocsin.formats.gazetteer import shipped_gazetteer
from tocsin.record.replay import replay_events
from tocsin.simulation.objects import Path
from tocsin.simulation.plans import Region, Scenario
from tocsin.simulation.run import simulate
from tocsin.simulation.scenario import read_scenario
from tocsin.simulation.table import Spread

ENTRY_M = 80e3
LEAST_S, MOST_S = 3 * 3600.0, 36 * 3600.0  # that a case lasts
LEVEL, LEVEL_SIGMA = -0.2, 0.18  # ln of density over the standard


class Told(NamedTuple):
    """One window against the truth."""

    case: int
    passes: int
    left_s: float  # to the true entry, from the state of the window
    quantiles_s: np.ndarray  # (7,)


def case_of(rng: np.random.Generator) -> Scenario:
    """A scenario like the shipped one, drawn wider."""
    scenario = read_scenario("decay")
    inclination = rng.uniform(30.0, 90.0)
    latitude = rng.uniform(-0.9, 0.9) * inclination
    heading = math.degrees(math.asin(math.cos(math.radians(inclination)) / math.cos(math.radians(latitude))))
    density = math.exp(LEVEL + LEVEL_SIGMA * rng.normal())
    orbit = scenario.orbits[0]._replace(
        region=Region(latitude, rng.uniform(-180.0, 180.0), 0.0),
        perigee_m=Spread(145e3, 195e3),
        apogee_above_m=Spread(0.0, 80e3),
        heading_deg=Spread(heading, heading),
        ballistic_coefficient_kg_m2=Spread(*[math.exp(rng.uniform(math.log(40.0), math.log(300.0)))] * 2),
        density=Spread(density, density),
        unrest=rng.uniform(0.15, 0.3),
    )
    sensors = tuple(
        plan._replace(region=Region(rng.uniform(-55.0, 55.0), rng.uniform(-180.0, 180.0), 0.0))
        for plan in scenario.sensors[: int(rng.integers(2, 5))]
    )
    return scenario._replace(orbits=(orbit,), sensors=sensors)


def entry_s(path: Path) -> float:
    """When a path passes ENTRY_M for the first time."""
    height = ecef_to_geodetic(path.state[:, :3])[2]
    low = np.flatnonzero(height < ENTRY_M)
    return float(path.time_s[low[0]]) if len(low) else math.nan


def account(name: str, found: list[Told]) -> None:
    """A line on some windows."""
    if not found:
        return
    left = np.array([f.left_s for f in found])
    q = np.array([f.quantiles_s for f in found])
    late = np.where(np.isnan(q), np.inf, q)
    held = [100 * ((late[:, i] <= left) & (left <= late[:, -1 - i])).mean() for i in (2, 1, 0)]
    half = np.where(np.isfinite(late[:, 5]), late[:, 5] - late[:, 1], np.inf) / 2.0
    print(
        f"{name:<22}{len(found):>5} {len({f.case for f in found}):>5}  {held[0]:5.0f} {held[1]:5.0f} {held[2]:5.0f}   "
        f"{np.median(left) / 3600:6.1f} h {np.median(half) / 3600:7.1f} h {100 * np.median(half / left):6.0f} %"
    )


def main() -> None:
    """Print what windows hold, how wide they are, and what they take."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=40)
    parser.add_argument("--seed", type=int, default=2026)
    choice = parser.parse_args()
    rng = np.random.default_rng(choice.seed)
    gazetteer = shipped_gazetteer()
    found: list[Told] = []
    ends: dict[str, int] = {}
    case = bodies = several = messages = tracks = 0
    begin = time.perf_counter()
    while case < choice.cases:
        run = simulate(case_of(rng), int(rng.integers(1 << 31)), bound=False)
        down_s = entry_s(run.paths[0])
        lasts_s = down_s - run.scenario.start_s
        if not LEAST_S < lasts_s < MOST_S or run.true_plots < 20:
            continue
        case += 1
        own, seen = [], set()
        names: set[str] = set()
        for event in replay_events(run.sensors, run.plots, gazetteer, 0.0):
            names |= {row.track for row in event.rows}
            messages += len(event.messages)
            for told in event.windows:
                seen.add(told.body)
                if told.window is None:
                    ends[told.reason] = ends.get(told.reason, 0) + 1
                elif told.issued_s < down_s:
                    own.append(Told(case, told.passes, down_s - told.state_s, told.window.entry_quantiles_s))
        found += own
        tracks += len(names)
        bodies += bool(seen)
        several += len(seen) > 1
        last = (
            f"{own[-1].passes} passes, the last {own[-1].left_s / 3600:.1f} h before" if own else "no window"
        )
        print(
            f"  {case:3d}: {lasts_s / 3600:5.1f} h, {len(run.sensors)} radars, {len(names)} tracks, {last}",
            flush=True,
        )
    took_s = (time.perf_counter() - begin) / case
    print(
        f"\n{case} recordings, {bodies} with windows, {several} with more than one body; {tracks} tracks; "
        f"{messages} messages; ends: {ends}; {took_s:.1f} s each"
    )
    print(f"{'':<22}{'':>5} {'':>5}  {'time holds':<17}   {'median of':>8}   90 %: half  of what")
    heads = f"{'window after':<22}{'told':>5} {'cases':>5}  {'50':>5} {'90':>5} {'99 %':>5}"
    print(f"{heads}   {'left':>6}     width      is left")
    for name, low, high in (("1 pass", 1, 1), ("2 passes", 2, 2), ("3", 3, 3), ("4", 4, 4), ("5 to 6", 5, 6),
                            ("7 to 9", 7, 9), ("10 and more", 10, 999)):  # fmt: skip
        account(name, [f for f in found if low <= f.passes <= high])
    for name, low, high in (("over 12 h left", 12, 99), ("6 to 12 h", 6, 12), ("3 to 6 h", 3, 6), ("1 to 3 h", 1, 3),
                            ("under 1 h", 0, 1)):  # fmt: skip
        account(name, [f for f in found if low <= f.left_s / 3600 < high])
    account("all", found)


if __name__ == "__main__":
    main()
