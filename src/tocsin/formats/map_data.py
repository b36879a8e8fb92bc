"""The data block of the map page: small, quantised, in the shape that ``web/src/data.ts`` reads.

Units and forms: `map_units`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from tocsin.earth.ellipsoid import ecef_to_geodetic
from tocsin.formats.map_areas import areas, releases
from tocsin.formats.map_units import (
    DEGREE_UNITS,
    HEIGHT_UNITS,
    degrees,
    differences,
    rings,
    tenths,
    thinned_together,
    unwrapped,
)
from tocsin.prediction.forecast import Forecast
from tocsin.sensors.plots import AZIMUTH, ELEVATION, RANGE, Sensor
from tocsin.tracking.tracks import PHASES, TrackRow
from tocsin.units import DEGREE_RAD
from tocsin.warning.alert import Message

# Caps that keep the page near 2 MB at most, whatever the recording: about 12 bytes a point, 300 an area.
MAX_TRACK_POINTS = 60_000
MIN_STEP_S = 1.0  # between points of one track

EARTH_MEAN_RADIUS_M = 6371008.8  # IUGG mean radius; fields of view are drawn, not computed with
VIEW_STEP_RAD = 4.0 * DEGREE_RAD
# A platform above this is drawn as the point below it, without its view: it sees a third of the Earth.
ORBIT_HEIGHT_M = 100e3
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
        "areas": areas(forecasts, ends, start_s),
        "releases": releases(forecasts, ends, start_s),
        "messages": [_message(m, u, start_s) for m, u in zip(messages, until, strict=True)],
        "impacts": [
            [i.name, tenths(i.time_s - start_s), degrees(i.longitude_deg), degrees(i.latitude_deg)]
            for i in impacts
        ],
    }


def first_impact_s(messages: Sequence[Message], impacts: Sequence[Impact]) -> float | None:
    """The moment that the page counts from: the first true impact, else the first one last warned of."""
    if impacts:
        return min(i.time_s for i in impacts)
    for stage in ("take-cover", "prepare"):  # what people took cover from before what they were ready for
        told = [
            f for m in messages if m.stage == stage for f in m.footprints if math.isfinite(f.impact_time_s)
        ]
        last = {track: f.impact_time_s for f in told for track in f.tracks}  # as it was last told of each
        if last:
            return min(last.values())
    return None


def in_force_until_s(messages: Sequence[Message]) -> list[float]:
    """When each message stops being the word: its expiry, or the next one that refers to it if that is earlier."""
    replaced_s: dict[str, float] = {}
    for message in messages:
        for identifier, _ in message.references:
            replaced_s[identifier] = min(message.sent_s, replaced_s.get(identifier, math.inf))
    return [min(m.expires_s, replaced_s.get(m.identifier, math.inf)) for m in messages]


def _tracks(rows: Sequence[TrackRow], start_s: float) -> tuple[list[dict[str, Any]], dict[str, TrackRow]]:
    by_name: dict[str, list[TrackRow]] = {}
    for row in rows:
        if np.isfinite(row.state[:3]).all():
            by_name.setdefault(row.track, []).append(row)
    for own in by_name.values():
        own.sort(key=lambda row: row.time_s)
    kept = thinned_together(
        [np.array([r.time_s for r in own]) for own in by_name.values()], MIN_STEP_S, MAX_TRACK_POINTS
    )
    tracks = []
    for (name, own), indices in zip(by_name.items(), kept, strict=True):
        chosen = [own[i] for i in indices]
        latitude, longitude, height = ecef_to_geodetic(np.array([r.state[:3] for r in chosen]))
        phases = [PHASES.index(r.phase) for r in chosen]
        tracks.append({
            "name": name,
            "t": differences(tenths(r.time_s - start_s) for r in chosen),
            "x": differences(degrees(v) for v in unwrapped(longitude / DEGREE_RAD)),
            "y": differences(degrees(v) for v in latitude / DEGREE_RAD),
            "z": differences(round(v * HEIGHT_UNITS) for v in height),
            # (index of the first point, phase) where the phase changes
            "phase": [[i, p] for i, p in enumerate(phases) if i == 0 or p != phases[i - 1]],
        })  # fmt: skip
    return tracks, {name: own[-1] for name, own in by_name.items()}


def _message(message: Message, until_s: float, start_s: float) -> dict[str, Any]:
    return {
        "id": message.identifier,
        "sent": tenths(message.sent_s - start_s),
        "until": tenths(until_s - start_s),
        "stage": message.stage,
        "due": tenths(min((f.impact_time_s for f in message.footprints), default=message.sent_s) - start_s),
        "rings": [ring for f in message.footprints for ring in rings(f.polygon)],
        "places": [
            [p.name, degrees(p.longitude_deg), degrees(p.latitude_deg), p.population, dict(p.names)]
            for f in message.footprints for p in f.places
        ],
    }  # fmt: skip


def _sensor(sensor: Sensor) -> dict[str, Any]:
    in_orbit = sensor.height_m > ORBIT_HEIGHT_M
    return {
        "name": sensor.name,
        "orbit": in_orbit,
        "at": [degrees(sensor.longitude_rad / DEGREE_RAD), degrees(sensor.latitude_rad / DEGREE_RAD)],
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
    ring = np.stack([unwrapped(lon / DEGREE_RAD), lat / DEGREE_RAD], axis=1)
    if not whole:
        here = np.array([[longitude / DEGREE_RAD, latitude / DEGREE_RAD]])
        ring = np.vstack([here, ring, here])
    corners = np.round(ring * DEGREE_UNITS).astype(int)
    steps = np.vstack([corners[:1], np.diff(corners, axis=0)])
    return [int(v) for v in steps.ravel()]
