"""How often places enter an alert, how often again within a minute (every entry is a siren), and how sharp alerts are.

Besides: messages, and told, how many of them cover a place, the mean of the places that ever were in an alert.

    python benchmarks/sirens.py RECORDING ... [--stay 0 60] [--policy FILE]

Each recording is followed by tracker and predictor once; then the policy decides over it with each `stay_s`. Places
are a grid of 60 by 60 over all that was ever alerted. Sharp: 60 s before an impact, the area an impact of the message
in force over what may be asked, four times the 99 % area of the forecast nearest by or 20 km2, whichever is more; the
median over dangerous impacts.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import shapely

from tocsin.cli.policy import read_settings
from tocsin.cli.scored import notices_of, read_truth_of
from tocsin.formats.gazetteer import shipped_gazetteer
from tocsin.formats.recording import read_recording
from tocsin.formats.words import shipped_words
from tocsin.metrics.lead import BEFORE_S, warned
from tocsin.metrics.paths import Impact, Truth
from tocsin.prediction.forecast import Forecast
from tocsin.record.campaign import decide, observations
from tocsin.record.replay import Observation
from tocsin.warning.alert import TAKE_COVER, Message
from tocsin.warning.settings import Settings

LATENCY_S, SIDE, SOON_S = 0.5, 60, 60.0
LEAST_KM2, TIMES = 20.0, 4.0
OLDEST_S, APART_S, APART_KM, DEGREE_KM = (
    60.0,
    40.0,
    50.0,
    111.0,
)  # of a forecast that is taken for an impact's


def entries(messages: Sequence[Message]) -> tuple[int, int, int, int, int, int]:
    """Entries of places into alerts, those of places that had been in one, and those within a minute of the last.

    Then messages, how often they cover a place together, and places that were ever covered.
    """
    area = {
        m.identifier: shapely.union_all([f.polygon for f in m.footprints])
        for m in messages
        if m.stage == TAKE_COVER
    }
    if not area:
        return 0, 0, 0, len(messages), 0, 0
    west, south, east, north = shapely.union_all(list(area.values())).bounds
    places = shapely.points(*np.meshgrid(np.linspace(west, east, SIDE), np.linspace(south, north, SIDE)))
    force: dict[str, np.ndarray] = {}
    inside, last_s = np.zeros(places.shape, bool), np.full(places.shape, -np.inf)
    covered = np.zeros(places.shape, int)
    total = again = soon = 0
    for message in messages:
        for identifier, _ in message.references:
            force.pop(identifier, None)
        if message.identifier in area:
            force[message.identifier] = shapely.contains(area[message.identifier], places)
            covered += force[message.identifier]
        now = np.any(list(force.values()), axis=0) if force else np.zeros_like(inside)
        new = now & ~inside
        total += int(new.sum())
        again += int((new & np.isfinite(last_s)).sum())
        soon += int((new & (message.sent_s < last_s + SOON_S)).sum())
        last_s[new], inside = message.sent_s, now
    return total, again, soon, len(messages), int(covered.sum()), int((covered > 0).sum())


def asked_km2(impact: Impact, seen: Sequence[Observation]) -> float:
    """What may be asked of the message in force before an impact; NaN where no forecast was near it."""
    moment_s = impact.time_s - BEFORE_S
    known = [one for one in seen if moment_s - OLDEST_S <= one.at_s <= moment_s]
    latest = {forecast.track: forecast for one in known for forecast in one.forecasts}
    near = [one for one in latest.values() if abs(one.impact_time_s - impact.time_s) <= APART_S]

    def apart_km(one: Forecast) -> float:
        north = math.degrees(one.latitude_rad) - impact.latitude_deg
        east = math.degrees(one.longitude_rad) - impact.longitude_deg
        return DEGREE_KM * math.hypot(north, east * math.cos(one.latitude_rad))

    best = min(near, key=apart_km, default=None)
    if best is None or apart_km(best) > APART_KM:
        return math.nan
    return max(LEAST_KM2, TIMES * best.area_km2)


def sharp(truth: Truth, seen: Sequence[Observation], messages: Sequence[Message]) -> list[float]:
    """Of each dangerous impact that was warned of by then: area over what may be asked."""
    leads = warned(notices_of(messages), truth.impacts, truth.end_s).leads
    found = [(lead.area_before_km2, asked_km2(lead.impact, seen)) for lead in leads]
    return [area / asked for area, asked in found if area is not None and math.isfinite(asked)]


def main() -> None:
    """Count each recording, and all together."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recordings", nargs="+", type=Path, metavar="RECORDING")
    parser.add_argument("--stay", nargs="+", type=float, default=[0.0, Settings().stay_s], metavar="S")
    parser.add_argument("--policy", metavar="FILE", type=Path, help="settings of the policy (the default)")
    args = parser.parse_args()
    settings = read_settings(args.policy)
    gazetteer, words = shipped_gazetteer(), shipped_words()
    sums = {stay_s: np.zeros(6, int) for stay_s in args.stay}
    ratios: dict[float, list[float]] = {stay_s: [] for stay_s in args.stay}

    def line(name: str, stay_s: float, found: Sequence[int], over: Sequence[float]) -> None:
        middle = f"{np.median(over):>6.2f}" if over else "     –"
        counts = f"{found[0]:>8,} {found[1]:>7,} {found[2]:>12,}"
        told = found[4] / max(found[5], 1)
        print(f"{name:<24} {stay_s:>6g} {counts} {middle} {found[3]:>8,} {told:>6.1f}", flush=True)

    columns = f"{'entries':>8} {'again':>7} {'in a minute':>12} {'sharp':>6} {'messages':>8} {'told':>6}"
    print(f"{'recording':<24} {'stay_s':>6} {columns}")
    for path in args.recordings:
        recording = read_recording(path)
        seen = list(observations(recording.sensors, recording.plots, LATENCY_S))
        for stay_s in args.stay:
            tried = settings._replace(stay_s=stay_s)
            messages = decide(seen, gazetteer, words, LATENCY_S, tried).messages
            found, over = entries(messages), sharp(read_truth_of(path), seen, messages)
            sums[stay_s] += found
            ratios[stay_s] += over
            line(path.name, stay_s, found, over)
    for stay_s, found in sums.items():
        line("all", stay_s, found, ratios[stay_s])


if __name__ == "__main__":
    main()
