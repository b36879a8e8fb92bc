"""tocsin replay: a recording to tracks, impact areas, warnings and a map."""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path

from tocsin.cli.output import example, progress, warn_of_rows
from tocsin.cli.zones import add_zone_options, tell_unreached, zones_and_roll
from tocsin.errors import UsageError
from tocsin.warning.settings import Settings

DEFAULTS = Settings()


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "replay",
        help="a recording to tracks, impact areas, warnings and a map",
        description="Replay a recording: follow what it holds, predict where it comes down, write the\n"
        "warnings as they would have been sent (as an exercise) and a map to look at.\n"
        "With zones of your own the messages name them; with subscribers it is written down what\n"
        "each would have heard, and a subscriber whose zone is not there makes the exit code 1.",
        epilog=example(
            "tocsin replay recording --out results",
            "tocsin replay recording --out results --latency 0    the same bytes every time",
            "tocsin replay recording --out results --speed 10     ten times as fast as it happened",
            "tocsin replay recording --out results --languages uk,pl --time-zone Europe/Kyiv",
            "tocsin replay recording --out results --zones zones.geojson --subscribers subscribers.csv",
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("recording", metavar="RECORDING", type=Path, help="folder of the recording")
    parser.add_argument("--out", metavar="RESULTS", type=Path, required=True, help="folder to write")
    parser.add_argument(
        "--speed",
        metavar="X",
        type=float,
        help="pace it at X times the recording's clock (as fast as it can)",
    )
    parser.add_argument(
        "--latency",
        metavar="S",
        type=float,
        help="take every decision to need S seconds (the time it really took)",
    )
    parser.add_argument(
        "--policy",
        metavar="FILE",
        type=Path,
        help="settings of the warnings (tocsin policy --default prints them)",
    )
    parser.add_argument(
        "--priors",
        metavar="FILE",
        type=Path,
        help="what is believed of bodies and releases beforehand (tocsin predict --default-priors prints it)",
    )
    parser.add_argument(
        "--languages",
        metavar="TAGS",
        default=",".join(DEFAULTS.languages),
        help="languages of the warnings, as en,uk,pl,de,fr,ar (%(default)s)",
    )
    parser.add_argument(
        "--words",
        metavar="FOLDER",
        type=Path,
        help="own words of warnings, a file TAG.toml a language, beside or in place of the shipped ones",
    )
    parser.add_argument(
        "--time-zone",
        metavar="ZONE",
        default="UTC",
        help="zone of the times in warnings, as Europe/Kyiv (%(default)s)",
    )
    add_zone_options(parser)
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Replay, and say what came of it."""
    if args.speed is not None and not (math.isfinite(args.speed) and args.speed > 0.0):
        raise UsageError(f"replay: --speed is {args.speed:g}, must be above 0")
    if args.latency is not None and not 0.0 <= args.latency <= 3600.0:
        raise UsageError(f"replay: --latency is {args.latency:g}, must be from 0 to 3600 seconds")

    zones, roll = zones_and_roll(args)

    from tocsin.cli.line import run_line
    from tocsin.cli.policy import read_settings
    from tocsin.cli.priors import priors_of
    from tocsin.cli.telling import message_line, message_table, outcome_lines
    from tocsin.formats.recording import read_recording
    from tocsin.formats.words import chosen, read_words, shipped_words, time_zone

    zone = time_zone(args.time_zone)
    words = shipped_words(zone) if args.words is None else read_words(args.words, zone)
    priors = priors_of(args.priors)
    settings = read_settings(args.policy)._replace(languages=chosen(args.languages, words))
    with progress(f"reading {args.recording}") as advance:
        recording = read_recording(args.recording, advance)
    warn_of_rows(
        recording.rejected, recording.counts["rejected"] + recording.counts["platform_rows_rejected"]
    )
    live = args.speed is not None and not args.json
    outcome = run_line(
        recording,
        args.recording,
        args.out,
        args.latency,
        settings,
        args.speed,
        (lambda message: print(message_line(message), flush=True)) if live else None,
        words,
        zones,
        roll,
        priors,
    )
    code = 0 if roll is None else tell_unreached(roll)  # once more, behind all else
    if args.json:
        print(json.dumps(outcome.summary, indent=1))
        return code
    if not live and outcome.messages:
        print(*message_table(outcome.messages), sep="\n")
    for line in outcome_lines(outcome.summary):
        print(line)
    print(f"Map: {args.out / 'map.html'}")
    return code
