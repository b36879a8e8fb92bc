"""How often places enter an alert, and how often again within a minute: every entry is a siren.

    python benchmarks/sirens.py RECORDING ... [--stay 0 60]

Each recording is followed by tracker and predictor once; then the policy decides over it with each `stay_s`. Places
are a grid of 60 by 60 over all that was ever alerted.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import shapely

from tocsin.formats.gazetteer import shipped_gazetteer
from tocsin.formats.recording import read_recording
from tocsin.formats.words import shipped_words
from tocsin.record.campaign import decide, observations
from tocsin.warning.alert import TAKE_COVER, Message
from tocsin.warning.settings import Settings

LATENCY_S, SIDE, SOON_S = 0.5, 60, 60.0


def entries(messages: Sequence[Message]) -> tuple[int, int, int]:
    """Entries of places into alerts, those of places that had been in one, and those within a minute of the last."""
    area = {
        m.identifier: shapely.union_all([f.polygon for f in m.footprints])
        for m in messages
        if m.stage == TAKE_COVER
    }
    if not area:
        return 0, 0, 0
    west, south, east, north = shapely.union_all(list(area.values())).bounds
    places = shapely.points(*np.meshgrid(np.linspace(west, east, SIDE), np.linspace(south, north, SIDE)))
    force: dict[str, np.ndarray] = {}
    inside, last_s = np.zeros(places.shape, bool), np.full(places.shape, -np.inf)
    total = again = soon = 0
    for message in messages:
        for identifier, _ in message.references:
            force.pop(identifier, None)
        if message.identifier in area:
            force[message.identifier] = shapely.contains(area[message.identifier], places)
        now = np.any(list(force.values()), axis=0) if force else np.zeros_like(inside)
        new = now & ~inside
        total += int(new.sum())
        again += int((new & np.isfinite(last_s)).sum())
        soon += int((new & (message.sent_s < last_s + SOON_S)).sum())
        last_s[new], inside = message.sent_s, now
    return total, again, soon


def main() -> None:
    """Count each recording, and all together."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recordings", nargs="+", type=Path, metavar="RECORDING")
    parser.add_argument("--stay", nargs="+", type=float, default=[0.0, Settings().stay_s], metavar="S")
    args = parser.parse_args()
    gazetteer, words = shipped_gazetteer(), shipped_words()
    sums = {stay_s: np.zeros(3, int) for stay_s in args.stay}
    print(f"{'recording':<24} {'stay_s':>6} {'entries':>8} {'again':>7} {'in a minute':>12}")
    for path in args.recordings:
        recording = read_recording(path)
        seen = list(observations(recording.sensors, recording.plots, LATENCY_S))
        for stay_s in args.stay:
            messages = decide(seen, gazetteer, words, LATENCY_S, Settings(stay_s=stay_s)).messages
            found = entries(messages)
            sums[stay_s] += found
            print(f"{path.name:<24} {stay_s:>6g} {found[0]:>8,} {found[1]:>7,} {found[2]:>12,}", flush=True)
    for stay_s, found in sums.items():
        print(f"{'all':<24} {stay_s:>6g} {found[0]:>8,} {found[1]:>7,} {found[2]:>12,}")


if __name__ == "__main__":
    main()
