"""Three maps side by side: what was told to take cover first, at its largest, and at the first impact."""

from __future__ import annotations

import numpy as np

from tocsin.brief.cover import Extent, at
from tocsin.brief.evidence import Evidence
from tocsin.brief.ground import View, edge, ground, outlined, scale_bar, towns, view
from tocsin.brief.incidents import Incident
from tocsin.brief.svg import ALERT, READY, SOFT, WIDTH, Box, drawing, text
from tocsin.brief.words import area, clock, inhabited, listed, relative
from tocsin.prediction.forecast import Forecast

GAP, HEAD = 12.0, 32.0  # pixels between the maps, and above them
MOST_HIGH = 270.0
LEAST_M = 20e3  # no map is narrower


def areas(evidence: Evidence, incident: Incident) -> str:
    """The figure."""
    chosen = moments(incident)
    if not chosen:
        return drawing(WIDTH, 30.0, [text(0, 18, "No area was told to take cover.", 11)], "No area")
    wide = (WIDTH - (max(len(chosen), 2) - 1) * GAP) / max(len(chosen), 2)
    high = min(wide, MOST_HIGH)
    corners = np.concatenate([np.asarray(p.exterior.coords)[:, :2] for _, e in chosen for p in e.polygons])
    parts: list[str] = []
    for k, (word, extent) in enumerate(chosen):
        left = k * (wide + GAP)
        seen = view(corners, Box(left, HEAD, left + wide, HEAD + high), 0.06, LEAST_M)
        moment = f"{clock(extent.start_s)} ({relative(extent.start_s, incident.zero_s)})"
        parts.append(text(left, 12, f"{word}: {moment}", 11.5, bold=True))
        parts.append(text(left, 26, f"{area(extent.km2)}, {inhabited(extent.people)}", 11, SOFT))
        parts += _map(evidence, incident, extent, seen)
    return drawing(WIDTH, HEAD + high + 1, parts, "Three maps of the areas that were told to take cover")


def moments(incident: Incident) -> list[tuple[str, Extent]]:
    """What to show: each once, with its names."""
    real = [e for e in incident.extents if e.messages]
    if not real:
        return []
    most = max(real, key=lambda e: e.km2)
    zero_s = incident.zero_s
    now = at(real, zero_s) if zero_s is not None else None
    last = now if now is not None else real[-1]
    out: list[tuple[list[str], Extent]] = []
    for word, extent in (
        ("First", real[0]),
        ("Largest", most),
        ("At first impact" if now is not None else "Last", last),
    ):
        if out and out[-1][1] is extent:
            out[-1][0].append(word.lower())
        else:
            out.append(([word], extent))
    return [(listed(words), extent) for words, extent in out]


def _map(evidence: Evidence, incident: Incident, extent: Extent, seen: View) -> list[str]:
    parts = ground(seen)
    for forecast in latest(
        evidence, extent.messages[-1].sent_s, {t for m in extent.messages for t in m.tracks}
    ):
        if forecast.area is not None:
            parts += outlined(seen, forecast.area, READY, READY, 0.9, 0.07)
    for polygon in extent.polygons:
        parts += outlined(seen, polygon, ALERT, ALERT, 1.5, 0.15)
    taken: list[Box] = []
    bar = scale_bar(seen, taken)
    parts += [*towns(seen, evidence.gazetteer, taken, 7, 10.0), *bar, edge(seen)]
    return parts


def latest(evidence: Evidence, moment_s: float, tracks: set[str]) -> list[Forecast]:
    """The last forecast of each of some tracks at a moment."""
    found: dict[str, Forecast] = {}
    for forecast in sorted(evidence.results.forecasts, key=lambda f: f.issued_s):
        if forecast.track in tracks and forecast.issued_s <= moment_s:
            found[forecast.track] = forecast
    return [found[name] for name in sorted(found)]
