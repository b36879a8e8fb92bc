"""``tocsin simulate``: a scenario to a recording with its truth."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from tocsin.cli.output import progress

if TYPE_CHECKING:
    from tocsin.simulation.plans import Scenario

EPILOG = """\
SCENARIO.toml may also be the name of a scenario that comes with Tocsin; --list shows them.
The same scenario and seed always make the same recording. The places, paths and sensors
of simulated recordings are invented, but for events as publicly reported.

example:
  tocsin simulate dnipro-2024 --seed 1 --out dnipro
  tocsin replay dnipro --out dnipro-results
  tocsin score dnipro dnipro-results
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "simulate",
        help="make a recording, with truth, from a scenario",
        description="Make a recording, with truth and the bound that no estimator can beat, from a scenario.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("scenario", nargs="?", metavar="SCENARIO.toml", help="file, or name of a shipped one")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="what chance follows from (1)")
    parser.add_argument("--out", metavar="RECORDING", help="folder to write")
    parser.add_argument("--csv", action="store_true", help="write plots, platforms and truth as CSV")
    parser.add_argument("--list", action="store_true", help="list the shipped scenarios and stop")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Simulate and write. Returns the exit code."""
    import json

    from tocsin.errors import UsageError
    from tocsin.simulation.scenario import parse_scenario, read_scenario, shipped

    if args.list:
        titles = {name: parse_scenario(text, name).title for name, text in shipped().items()}
        if args.json:
            print(json.dumps(titles, indent=1))
        else:
            for name, title in titles.items():
                print(f"{name:<20} {title}")
        return 0
    if args.scenario is None:
        raise UsageError("simulate: name a scenario file or a shipped scenario (--list shows them)")
    if args.out is None:
        raise UsageError("simulate: say with --out which folder to write")
    if not 0 <= args.seed < 2**63:
        raise UsageError(f"simulate: --seed is {args.seed}, must be from 0 to {2**63 - 1}")

    scenario = read_scenario(args.scenario)
    summary = simulate_to(scenario, args.seed, args.out, csv=args.csv)
    if args.json:
        print(json.dumps(summary, indent=1))
    else:
        print(f"{scenario.title} (seed {args.seed}): {summary['duration_s']:.0f} s")
        print(
            f"{summary['plots']} plots of {summary['sensors']} sensors, {summary['true_plots']} of them true;"
        )
        print(f"{summary['objects']} objects, {summary['impacts']} impacts. Written to {args.out}")
    return 0


def simulate_to(scenario: Scenario, seed: int, folder: str, *, csv: bool = False) -> dict[str, Any]:
    """Simulate a scenario into a recording folder, with a progress bar on a terminal; a summary."""
    from tocsin.formats.recording_writer import write_recording
    from tocsin.simulation.columns import impact_columns, oracle_columns, truth_columns
    from tocsin.simulation.run import simulate

    with progress("simulating") as tell:
        made = simulate(scenario, seed, progress=tell)
        write_recording(
            folder,
            made.sensors,
            {p.sensor: (p.time_s, p.position_m) for p in made.platforms},
            made.plots,
            truth=truth_columns(made),
            impacts=impact_columns(made),
            oracle=oracle_columns(made),
            csv=csv,
        )
    return {
        "scenario": scenario.name,
        "seed": seed,
        "recording": folder,
        "duration_s": round(made.end_s - scenario.start_s, 3),
        "sensors": len(made.sensors),
        "plots": made.plots.count,
        "true_plots": made.true_plots,
        "objects": len(made.paths),
        "impacts": sum(p.impact is not None for p in made.paths),
    }
