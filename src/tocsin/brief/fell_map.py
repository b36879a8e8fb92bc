"""Maps of what came down: a small one for the first page, and one with every object numbered and its last 99 % area."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from tocsin.brief.bodies import Body
from tocsin.brief.cover import Extent, at, parts
from tocsin.brief.evidence import Evidence
from tocsin.brief.ground import View, edge, fitting, ground, outlined, place, scale_bar, towns, view
from tocsin.brief.incidents import Incident
from tocsin.brief.svg import ALERT, INK, PAPER, READY, SOFT, WIDTH, Box, beside, dot, drawing
from tocsin.sensors.plots import Floats

LOW, HIGH = 290.0, 480.0
LEAST_M = 10e3
WIDE = 0.4  # share of the width from which an area is drawn as an outline alone
DEGREE_M = 111_195.0  # of latitude, on the mean sphere
FEW, MANY = 3, 16  # bodies from which the map has no room to spare
ROOM = 0.35  # share of the width around what came down


def fell_map(
    evidence: Evidence, incident: Incident, found: tuple[Body, ...], numbered: Mapping[str, int]
) -> str:
    """The numbered figure of some bodies, at least one."""
    points = _points(found)
    shown = points
    if len(found) <= FEW:  # so few that their areas are the map
        areas = [p for b in found if b.forecast is not None for p in parts(b.forecast.area)]
        shown = np.concatenate([points, *(np.asarray(p.exterior.coords)[:, :2] for p in areas)])
    high = fitting(shown, WIDTH, 340.0, 560.0 if len(found) > FEW else 400.0)
    seen = view(
        shown, Box(0.5, 0.5, WIDTH - 0.5, high - 0.5), ROOM if FEW < len(points) < MANY else 0.06, LEAST_M
    )
    out = ground(seen)
    now = _at_zero(incident)
    for polygon in now.polygons if now is not None else ():
        out += outlined(seen, polygon, ALERT, ALERT, 1.5, 0.08)
    widest_deg = (
        WIDE * WIDTH / seen.pixels_per_m / DEGREE_M / max(math.cos(math.radians(points[:, 1].mean())), 0.05)
    )
    for body in found:
        for part in parts(None if body.forecast is None else body.forecast.area):
            wide = (
                part.bounds[2] - part.bounds[0] > widest_deg and len(found) > FEW
            )  # filled, it would lie over all else
            out += outlined(seen, part, "none" if wide else READY, READY, 0.9, 0.16)
    taken: list[Box] = []
    bar = scale_bar(seen, taken)
    marks = _marks(seen, found, taken)
    inside = Box(4, 4, WIDTH - 4, high - 4)
    for body, (x, y) in zip(found, place(seen, points).tolist(), strict=True):
        words, bold = str(numbered[body.name]), body.dangerous
        marks.append(
            beside(x, y, words, 11.0, 6.5, taken, inside, bold=bold)
            or beside(x, y, words, 8.5, 5.5, taken, inside, bold=bold)
        )
    marks += towns(seen, evidence.gazetteer, taken, 14, 10.0, districts=True)
    return drawing(WIDTH, high, [*out, *marks, *bar, edge(seen)], "Map of where objects came down")


def at_a_glance(evidence: Evidence, incident: Incident) -> str:
    """The map of the first page: what was told first (dashed), at the first impact, and what came down."""
    real = [e for e in incident.extents if e.messages]
    first, now = (real[0] if real else None), _at_zero(incident) or (real[-1] if real else None)
    told = [p for e in (first, now) if e is not None for p in e.polygons]
    corners = [np.asarray(p.exterior.coords)[:, :2] for p in told]
    points = np.concatenate([_points(incident.bodies), *corners])
    high = fitting(
        points, WIDTH, LOW, HIGH if not incident.extents or not incident.extents[0].places else LOW
    )
    seen = view(points, Box(0.5, 0.5, WIDTH - 0.5, high - 0.5), 0.05, LEAST_M)
    out = ground(seen)
    for polygon in now.polygons if now is not None else ():
        out += outlined(seen, polygon, ALERT, ALERT, 1.5, 0.13)
    for polygon in first.polygons if first is not None else ():
        out += outlined(seen, polygon, "none", ALERT, 1.2, 0.0, "5 3")
    taken: list[Box] = []
    bar = scale_bar(seen, taken)
    marks = _marks(seen, incident.bodies, taken)
    marks += towns(seen, evidence.gazetteer, taken, 12, 10.5)
    words = "Map of what was told to take cover and of what came down"
    return drawing(WIDTH, high, [*out, *marks, *bar, edge(seen)], words)


def _at_zero(incident: Incident) -> Extent | None:
    zero_s = incident.zero_s
    return at(incident.extents, zero_s) if zero_s is not None else None


def _points(found: tuple[Body, ...] | list[Body]) -> Floats:
    return np.array([(b.longitude_deg, b.latitude_deg) for b in found], float).reshape(-1, 2)


def _marks(seen: View, found: tuple[Body, ...] | list[Body], taken: list[Box]) -> list[str]:
    out = []
    for body, (x, y) in zip(found, place(seen, _points(found)).tolist(), strict=True):
        taken.append(Box(x - 4, y - 4, x + 4, y + 4))
        out.append(dot(x, y, 3.6 if body.dangerous else 3.0, INK if body.dangerous else SOFT, PAPER, 1.2))
    return out
