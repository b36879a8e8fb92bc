"""tocsin demo: the shipped example from scenario to map."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from tocsin.cli.output import example

SCENARIO = "dnipro-2024"
SEED = 1
LATENCY_S = 0.5  # a constant, so that every demo gives the same


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "demo",
        help="simulate and replay the shipped example",
        description="Simulate the example that comes with Tocsin (after what was publicly reported of\n"
        "Dnipro, 21 November 2024), replay it, print the warnings as they would have come\n"
        "and write a map to look at. All messages are an exercise.",
        epilog=example("tocsin demo", "tocsin demo --out /somewhere/else"),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--out", metavar="FOLDER", type=Path, default=Path("demo"), help="folder to write (demo)"
    )
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Simulate, replay, and show."""
    from tocsin.cli.line import run_line
    from tocsin.cli.simulate import simulate_to
    from tocsin.cli.telling import message_table, outcome_lines
    from tocsin.formats.recording import read_recording
    from tocsin.simulation.scenario import read_scenario

    source, results = args.out / SCENARIO, args.out / "results"
    scenario = read_scenario(SCENARIO)
    if not args.json:
        print(f"Simulating: {scenario.title}", flush=True)
    simulate_to(scenario, SEED, str(source))
    outcome = run_line(read_recording(source), source, results, LATENCY_S)
    if args.json:
        print(json.dumps(outcome.summary, indent=1))
        return 0
    print("Exercise: the warnings as they would have come\n")
    print(*message_table(outcome.messages), "", sep="\n")
    for line in outcome_lines(outcome.summary):
        print(line)
    print(f"\nOpen this file in a browser: {(results / 'map.html').resolve()}")
    return 0
