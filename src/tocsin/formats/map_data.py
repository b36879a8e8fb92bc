"""The data block of the map page: small, quantised, in the shape that ``web/src/data.ts`` reads.

Times are whole tenths of a second since ``start``; longitudes and latitudes whole
1e-4 degrees (11 m); heights whole tens of metres. Runs of numbers are stored as
differences, which gzip and the eye both like.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry

from tocsin.earth.ellipsoid import ecef_to_geodetic
from tocsin.prediction.forecast import Forecast
from tocsin.sensors.plots import AZIMUTH, ELEVATION, RANGE, Floats, Sensor
from tocsin.tracking.tracks import PHASES, TrackRow
from tocsin.units import DEGREE_RAD
from tocsin.warning.alert import Message

TIME_UNITS = 10.0  # per second
DEGREE_UNITS = 1e4  # per degree
HEIGHT_UNITS = 0.1  # per metre

# Caps that keep the page near 2 MB at most, whatever the recording: about 12 bytes a point, 300 an area.
MAX_TRACK_POINTS = 60_000
MAX_AREAS = 600
MIN_STEP_S = 1.0  # between points of one track
MIN_AREA_STEP_S = 4.0  # between areas of one track: the eye does not follow more
MAX_RING_POINTS = 40

EARTH_MEAN_RADIUS_M = 6371008.8  # IUGG mean radius; fields of view are drawn, not computed with
VIEW_STEP_RAD = 4.0 * DEGREE_RAD
# A platform above this is drawn as the point below it, without its view: it sees a third of the Earth.
ORBIT_HEIGHT_M = 100e3
# A last area stays on the map until its impact is this many sigmas old.
LINGER_SIGMAS = 3.0
# ... if its track was believed in to the end; one that was given up takes its area with it.
BELIEVED = 0.9
AFTERWARDS_S = 30.0  # how much the clock goes on after the last message


class Impact(NamedTuple):
    """Where and when an object came down in truth."""

    name: str
    time_s: float
    latitude_deg: float
    longitude_deg: float


def map_data(
    sensors: Sequence[Sensor],
    rows: Sequence[TrackRow],
    forecasts: Sequence[Forecast],
    messages: Sequence[Message],
    impacts: Sequence[Impact],
    start_s: float,
    end_s: float,
) -> dict[str, Any]:
    """Everything that the globe draws, as values that JSON knows."""
    tracks, ends = _tracks(rows, start_s)
    reference = first_impact_s(messages, impacts)
    until = in_force_until_s(messages)
    return {
        "start": round(start_s, 3),
        # an all-clear may come after the last plot
        "end": round(max([end_s, start_s, *(m.sent_s + AFTERWARDS_S for m in messages)]), 3),
        "impact": None if reference is None else round(reference, 1),
        "sensors": [_sensor(s) for s in sensors],
        "tracks": tracks,
        "areas": _areas(forecasts, ends, start_s),
        "messages": [_message(m, u, start_s) for m, u in zip(messages, until, strict=True)],
        "impacts": [
            [i.name, _tenths(i.time_s - start_s), _degrees(i.longitude_deg), _degrees(i.latitude_deg)]
            for i in impacts
        ],
    }


def first_impact_s(messages: Sequence[Message], impacts: Sequence[Impact]) -> float | None:
    """The moment that the page counts from: the first true impact, else the first one last warned of."""
    if impacts:
        return min(i.time_s for i in impacts)
    # what people took cover from counts before what they were ready for
    stages = ("prepare", "take-cover")
    last = {m.incident: m for stage in stages for m in messages if m.stage == stage and m.footprints}
    times = [f.impact_time_s for m in last.values() for f in m.footprints if math.isfinite(f.impact_time_s)]
    return min(times, default=None)


def in_force_until_s(messages: Sequence[Message]) -> list[float]:
    """When each message stops being the word: its expiry, or the next one that refers to it if that is earlier."""
    replaced_s: dict[str, float] = {}
    for message in messages:
        for identifier, _ in message.references:
            replaced_s[identifier] = min(message.sent_s, replaced_s.get(identifier, math.inf))
    return [min(m.expires_s, replaced_s.get(m.identifier, math.inf)) for m in messages]


def _tenths(seconds: float) -> int:
    return round(seconds * TIME_UNITS)


def _degrees(angle_deg: float) -> int:
    return round(angle_deg * DEGREE_UNITS)


def _differences(values: Iterable[int]) -> list[int]:
    listed = list(values)
    return listed[:1] + [b - a for a, b in pairwise(listed)]


def _unwrapped(longitude_deg: Floats) -> Floats:
    """Longitudes without the jump at the antimeridian, so that lines and rings stay in one piece."""
    return np.asarray(np.unwrap(longitude_deg, period=360.0), float)


def _thinned(times_s: Floats, step_s: float) -> list[int]:
    """Indices that keep the first, the last, and between them nothing closer than step_s."""
    kept = [0]
    for i in range(1, len(times_s)):
        if times_s[i] - times_s[kept[-1]] >= step_s:
            kept.append(i)
    if kept[-1] != len(times_s) - 1:
        kept.append(len(times_s) - 1)
    return kept


def _thinned_together(times_s: list[Floats], step_s: float, most: int) -> list[list[int]]:
    """Thin every series with one step, doubled until all of them together hold no more than ``most``."""
    while True:
        kept = [_thinned(t, step_s) for t in times_s]
        if sum(map(len, kept)) <= max(most, 2 * len(times_s)):
            return kept
        step_s *= 2.0


def _tracks(rows: Sequence[TrackRow], start_s: float) -> tuple[list[dict[str, Any]], dict[str, TrackRow]]:
    by_name: dict[str, list[TrackRow]] = {}
    for row in rows:
        if np.isfinite(row.state[:3]).all():
            by_name.setdefault(row.track, []).append(row)
    for own in by_name.values():
        own.sort(key=lambda row: row.time_s)
    kept = _thinned_together(
        [np.array([r.time_s for r in own]) for own in by_name.values()], MIN_STEP_S, MAX_TRACK_POINTS
    )
    tracks = []
    for (name, own), indices in zip(by_name.items(), kept, strict=True):
        chosen = [own[i] for i in indices]
        latitude, longitude, height = ecef_to_geodetic(np.array([r.state[:3] for r in chosen]))
        phases = [PHASES.index(r.phase) for r in chosen]
        tracks.append({
            "name": name,
            "t": _differences(_tenths(r.time_s - start_s) for r in chosen),
            "x": _differences(_degrees(v) for v in _unwrapped(longitude / DEGREE_RAD)),
            "y": _differences(_degrees(v) for v in latitude / DEGREE_RAD),
            "z": _differences(round(v * HEIGHT_UNITS) for v in height),
            # (index of the first point, phase) where the phase changes
            "phase": [[i, p] for i, p in enumerate(phases) if i == 0 or p != phases[i - 1]],
        })  # fmt: skip
    return tracks, {name: own[-1] for name, own in by_name.items()}


def _areas(forecasts: Sequence[Forecast], ends: dict[str, TrackRow], start_s: float) -> list[list[Any]]:
    """One row an area: track, from, until (tenths), rings."""
    by_track: dict[str, list[Forecast]] = {}
    for forecast in forecasts:
        if forecast.track in ends:
            by_track.setdefault(forecast.track, []).append(forecast)
    for own in by_track.values():
        own.sort(key=lambda f: f.issued_s)
    kept = _thinned_together(
        [np.array([f.issued_s for f in own]) for own in by_track.values()], MIN_AREA_STEP_S, MAX_AREAS
    )
    numbers = {name: i for i, name in enumerate(ends)}
    areas: list[list[Any]] = []
    for (track, own), indices in zip(by_track.items(), kept, strict=True):
        for k, i in enumerate(indices):
            forecast = own[i]
            if forecast.area is None or forecast.area.is_empty or not math.isfinite(forecast.impact_time_s):
                continue
            spread_s = LINGER_SIGMAS * forecast.impact_time_sigma_s
            over_s = forecast.impact_time_s + (spread_s if math.isfinite(spread_s) else 0.0)
            if k + 1 < len(indices):
                until_s = own[indices[k + 1]].issued_s
            elif ends[track].existence >= BELIEVED:
                until_s = max(over_s, forecast.issued_s)
            else:
                until_s = max(ends[track].time_s, forecast.issued_s)
            areas.append([
                numbers[track],
                _tenths(forecast.issued_s - start_s),
                _tenths(until_s - start_s),
                _rings(forecast.area),
            ])  # fmt: skip
    return areas


def _rings(area: BaseGeometry) -> list[list[int]]:
    """Outer rings as differences of lon, lat, lon, lat...; simplified where there are too many corners."""
    parts = [p for p in getattr(area, "geoms", [area]) if isinstance(p, Polygon) and not p.is_empty]
    rings = []
    for part in parts:
        tolerance = 1e-4 * max(part.bounds[2] - part.bounds[0], part.bounds[3] - part.bounds[1])
        ring = part.exterior
        while len(ring.coords) > MAX_RING_POINTS and tolerance < 1.0:
            tolerance *= 3.0
            ring = part.exterior.simplify(tolerance)
        corners = np.round(np.array(ring.coords)[:, :2] * DEGREE_UNITS).astype(int)
        steps = np.vstack([corners[:1], np.diff(corners, axis=0)])
        rings.append([int(v) for v in steps.ravel()])
    return rings


def _message(message: Message, until_s: float, start_s: float) -> dict[str, Any]:
    return {
        "id": message.identifier,
        "sent": _tenths(message.sent_s - start_s),
        "until": _tenths(until_s - start_s),
        "stage": message.stage,
        "rings": [ring for f in message.footprints for ring in _rings(f.polygon)],
        "places": [
            [p.name, _degrees(p.longitude_deg), _degrees(p.latitude_deg), p.population, dict(p.names)]
            for f in message.footprints for p in f.places
        ],
    }  # fmt: skip


def _sensor(sensor: Sensor) -> dict[str, Any]:
    in_orbit = sensor.height_m > ORBIT_HEIGHT_M
    return {
        "name": sensor.name,
        "orbit": in_orbit,
        "at": [_degrees(sensor.longitude_rad / DEGREE_RAD), _degrees(sensor.latitude_rad / DEGREE_RAD)],
        "view": None if in_orbit else _view(sensor),
    }


def _view(sensor: Sensor) -> list[int] | None:
    """The field of view on the ground: the farthest range at the lowest elevation, over the azimuths.

    None where the range is not limited, or where the outline would go round a pole.
    """
    range_m = float(sensor.field_of_view[RANGE, 1])
    if not math.isfinite(range_m) or range_m <= 0.0:
        return None
    low = float(sensor.field_of_view[ELEVATION, 0])
    elevation = max(low, 0.0) if math.isfinite(low) else 0.0
    # central angle between the sensor and the point below the far end of the beam, on a sphere
    reach = math.atan2(range_m * math.cos(elevation), EARTH_MEAN_RADIUS_M + range_m * math.sin(elevation))
    latitude, longitude = sensor.latitude_rad, sensor.longitude_rad
    if abs(latitude) + reach >= math.pi / 2.0:
        return None
    first, last = (float(v) for v in sensor.field_of_view[AZIMUTH])
    whole = not (math.isfinite(first) and math.isfinite(last))
    width = 2.0 * math.pi if whole else last - first
    if not whole and width <= 0.0:
        width += 2.0 * math.pi
    whole = whole or width >= 2.0 * math.pi - 1e-6
    azimuth = (0.0 if whole else first) + np.linspace(
        0.0, width, max(2, math.ceil(width / VIEW_STEP_RAD)) + 1
    )
    # direct problem on a sphere (Snyder 1987, equations 5-5 and 5-6)
    lat = np.arcsin(
        math.sin(latitude) * math.cos(reach) + math.cos(latitude) * math.sin(reach) * np.cos(azimuth)
    )
    lon = longitude + np.arctan2(
        math.sin(reach) * np.sin(azimuth),
        math.cos(latitude) * math.cos(reach) - math.sin(latitude) * math.sin(reach) * np.cos(azimuth),
    )
    ring = np.stack([_unwrapped(lon / DEGREE_RAD), lat / DEGREE_RAD], axis=1)
    if not whole:
        here = np.array([[longitude / DEGREE_RAD, latitude / DEGREE_RAD]])
        ring = np.vstack([here, ring, here])
    corners = np.round(ring * DEGREE_UNITS).astype(int)
    steps = np.vstack([corners[:1], np.diff(corners, axis=0)])
    return [int(v) for v in steps.ravel()]
