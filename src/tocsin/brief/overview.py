"""The map of the whole event: paths over the ground, sensors, and what was told."""

from __future__ import annotations

import numpy as np

from tocsin.brief.evidence import Evidence
from tocsin.brief.ground import drawn, edge, fitting, ground, place, scale_bar, towns, view
from tocsin.brief.incidents import Incident
from tocsin.brief.svg import ALERT, INK, PAPER, WIDTH, Box, beside, clear, dot, drawing, line, shape
from tocsin.earth.ellipsoid import ecef_to_geodetic
from tocsin.sensors.plots import Floats
from tocsin.units import DEGREE_RAD

LOW, HIGH = 340.0, 440.0
EACH_SENSOR = 17.0  # pixels less for each line of a long table of sensors beside the map
ORBIT_M = 100e3  # a sensor above this height is not on the map
PATH = "#1b4a9c"
MOST_NAMED = 5  # tracks with their names
LEAST_M = 60e3


def overview(evidence: Evidence, incident: Incident) -> str:
    """The figure."""
    paths = _paths(evidence, incident)
    sensors = [s for s in evidence.recording.sensors if s.height_m < ORBIT_M] if evidence.recording else []
    sites = np.degrees([(s.longitude_rad, s.latitude_rad) for s in sensors]).reshape(-1, 2)
    told = [p for e in incident.extents for p in e.polygons]
    corners = [np.asarray(p.exterior.coords)[:, :2] for p in told]
    points = np.concatenate([*paths.values(), sites, *corners, np.zeros((0, 2))])
    if not len(points):
        points = np.zeros((1, 2))
    height = fitting(points, WIDTH, LOW, max(HIGH - EACH_SENSOR * max(len(sites) - 4, 0), LOW))
    seen = view(points, Box(0.5, 0.5, WIDTH - 0.5, height - 0.5), 0.08, LEAST_M)
    parts = ground(seen)
    for polygon in told:
        parts.append(shape(drawn(seen, polygon), ALERT))
    lines = {name: place(seen, path) for name, path in paths.items()}
    parts += [line(path, PATH, 1.3, opacity=0.75) for path in lines.values()]
    taken: list[Box] = []
    bar = scale_bar(seen, taken)
    inside = Box(4, 4, WIDTH - 4, height - 4)
    marks = []
    for sensor, (x, y) in zip(sensors, place(seen, sites).tolist(), strict=True):
        taken.append(Box(x - 6, y - 6, x + 6, y + 6))
        triangle = np.array([[x, y - 6], [x + 5.5, y + 4.5], [x - 5.5, y + 4.5]])
        marks.append(shape([triangle], INK, PAPER, 0.8))
        marks.append(beside(x, y, sensor.name, 11.0, 8.0, taken, inside, bold=True))
    for path in lines.values():  # names keep off the paths
        for x, y in path[:: max(1, len(path) // 60)].tolist():
            box = Box(x - 1.5, y - 1.5, x + 1.5, y + 1.5)
            if clear(box, (), inside):
                taken.append(box)
    longest = sorted(lines, key=lambda name: (-len(lines[name]), name))[:MOST_NAMED]
    for name in longest:
        x, y = lines[name][0].tolist()
        label = beside(x, y, name, 10.0, 7.0, taken, inside, PATH)
        if label:
            marks += [dot(x, y, 2.6, PATH, PAPER, 0.8), label]
    marks += towns(seen, evidence.gazetteer, taken, 16, 10.0, least_people=2000)
    words = "Map of the tracks over the ground, the sensors, and the area told to take cover"
    return drawing(WIDTH, height, [*parts, *marks, *bar, edge(seen)], words)


def _paths(evidence: Evidence, incident: Incident) -> dict[str, Floats]:
    """Longitudes and latitudes (n, 2) of the tracks of an incident, from their first report on."""
    rows: dict[str, list[tuple[float, Floats]]] = {}
    for row in evidence.results.rows:
        if row.track in incident.tracks and np.isfinite(row.state[:3]).all():
            rows.setdefault(row.track, []).append((row.time_s, row.state[:3]))
    out = {}
    for name, own in sorted(rows.items()):
        own.sort(key=lambda pair: pair[0])
        latitude, longitude, _ = ecef_to_geodetic(np.array([p for _, p in own]))
        out[name] = np.column_stack([longitude, latitude]) / DEGREE_RAD
    return out
