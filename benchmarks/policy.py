"""What a step of the warning policy costs, on recordings.

    python benchmarks/policy.py RECORDING ...

Each is followed by tracker and predictor once; then the policy alone decides over what was observed, three times.
Prints the least processor time of a moment in milliseconds, with the number of moments and of tracks at once.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from tocsin.formats.gazetteer import shipped_gazetteer
from tocsin.formats.recording import read_recording
from tocsin.formats.words import shipped_words
from tocsin.record.campaign import decide, observations

LATENCY_S = 0.5


def main() -> None:
    """Measure each recording."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recordings", nargs="+", type=Path, metavar="RECORDING")
    gazetteer, words = shipped_gazetteer(), shipped_words()
    print(f"{'recording':<24} {'moments':>8} {'tracks':>7} {'messages':>9} {'ms a moment':>12}")
    for path in parser.parse_args().recordings:
        recording = read_recording(path)
        seen = list(observations(recording.sensors, recording.plots, LATENCY_S))
        took_s, messages = [], 0
        for _ in range(3):
            begin_s = time.process_time()
            messages = len(decide(seen, gazetteer, words, LATENCY_S).messages)
            took_s.append(time.process_time() - begin_s)
        most = max(len(one.live) for one in seen)
        print(
            f"{path.name:<24} {len(seen):>8,} {most:>7} {messages:>9} {1e3 * min(took_s) / len(seen):>12.2f}"
        )


if __name__ == "__main__":
    main()
