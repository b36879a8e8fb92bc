"""What came down where: known afterwards, or as last predicted; and how those below were warned."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import numpy as np
import shapely

from tocsin.brief.cover import Span, Word, holding, spans
from tocsin.brief.evidence import Evidence, Ref
from tocsin.metrics.lead import plane
from tocsin.metrics.paths import DANGEROUS
from tocsin.prediction.forecast import Forecast
from tocsin.units import DEGREE_RAD
from tocsin.warning.alert import Place
from tocsin.warning.gazetteer import Gazetteer
from tocsin.warning.places import MEAN_RADIUS_KM

GIVEN_UP = 0.9  # existence below which a track that ended was no body
# A track that ended above the air so long before its impact, and before the recording, was lost, or another's.
LOST_S, END_S = 60.0, 30.0


class Near(NamedTuple):
    """The nearest known place."""

    place: Place
    distance_m: float
    octant: int  # direction from the place: 0 north, 1 north-east, clockwise


class Body(NamedTuple):
    """One thing that came down."""

    name: str  # of the object where it is known, else of the track
    kind: str  # as in the recording; empty where it is not known
    row: int  # of impacts.csv, from 1; 0: not known
    dangerous: bool
    time_s: float
    latitude_deg: float
    longitude_deg: float
    near: Near | None
    track: str | None  # that followed it to the end
    forecast: Forecast | None  # the last one of this track before
    off_m: float  # from the place of that forecast; NaN where it is not known
    inside: bool | None  # its 99 % area
    held: Span | None  # told to take cover there, without a break until it came down


def source(body: Body) -> tuple[Ref, ...]:
    """What says that it came down there: a row of impacts.csv, else a forecast."""
    return (Ref("impact", str(body.row)),) if body.row else foreseen(body)


def foreseen(body: Body) -> tuple[Ref, ...]:
    """To the last forecast of the track that followed it."""
    f = body.forecast
    return () if f is None else (Ref("forecast", f"{f.track}/{f.issued_s:.6f}"),)


def bodies(evidence: Evidence, heard: Sequence[Word]) -> tuple[Body, ...]:
    """All that came down, in order of time: the known impacts, or else where the tracks were last predicted."""
    by_track: dict[str, list[Forecast]] = {}
    for forecast in evidence.results.forecasts:
        if math.isfinite(forecast.impact_time_s) and forecast.area is not None:
            by_track.setdefault(forecast.track, []).append(forecast)
    for own in by_track.values():
        own.sort(key=lambda f: f.issued_s)
    found = (
        _predicted(evidence, heard, by_track)
        if evidence.fallen is None
        else _known(evidence, heard, by_track)
    )
    return tuple(sorted(found, key=lambda b: (b.time_s, b.name)))


def _known(evidence: Evidence, heard: Sequence[Word], by_track: Mapping[str, list[Forecast]]) -> list[Body]:
    out = []
    for row, one in enumerate(evidence.fallen or (), start=1):
        track = follower(evidence, one.name)
        before = [f for f in by_track.get(track or "", []) if f.issued_s <= one.time_s]
        forecast = before[-1] if before else None
        lon, lat = one.longitude_deg, one.latitude_deg
        out.append(
            Body(
                name=one.name,
                kind=one.kind,
                row=row,
                dangerous=one.kind in DANGEROUS,
                time_s=one.time_s,
                latitude_deg=lat,
                longitude_deg=lon,
                near=nearest(evidence.gazetteer, lon, lat),
                track=track,
                forecast=forecast,
                off_m=math.nan if forecast is None else _apart_m(forecast, lon, lat),
                inside=None
                if forecast is None
                else bool(shapely.covers(forecast.area, shapely.Point(lon, lat))),
                held=holding(spans(heard, lon, lat), one.time_s),
            )
        )
    return out


def follower(evidence: Evidence, name: str) -> str | None:
    """The track that followed an object last; None where there was none, or no truth tells."""
    following = evidence.following
    if following is None or name not in following.names:
        return None
    rows = following.followers[following.names.index(name)]
    return following.tracks[rows[-1][1]] if rows else None


def _predicted(
    evidence: Evidence, heard: Sequence[Word], by_track: Mapping[str, list[Forecast]]
) -> list[Body]:
    """Where the tracks of the messages would come down by their last forecasts, if they were followed to the end."""
    out = []
    gone = lost(evidence, heard)
    denied = {f.track: f.area is None for f in evidence.results.forecasts}  # the last one speaks
    for track in sorted(_told(heard) & set(by_track)):
        if track in gone or denied[track]:
            continue
        last = by_track[track][-1]
        lon, lat = last.longitude_rad / DEGREE_RAD, last.latitude_rad / DEGREE_RAD
        held = holding(spans(heard, lon, lat), last.impact_time_s)
        near = nearest(evidence.gazetteer, lon, lat)
        out.append(
            Body(track, "", 0, True, last.impact_time_s, lat, lon, near, track, last, math.nan, None, held)
        )
    return out


def _told(heard: Sequence[Word]) -> set[str]:
    """Tracks that messages to take cover went by."""
    return {t for word in heard if word.message.stage == "take-cover" for t in word.message.tracks}


def lost(evidence: Evidence, heard: Sequence[Word]) -> tuple[str, ...]:
    """Tracks that people were told of and that ended in flight: given up, or lost above the air long before impact."""
    end = evidence.results.summary.get("end")
    end_s = datetime.fromisoformat(end).timestamp() if end else math.inf
    due = {f.track: f.impact_time_s for f in evidence.results.forecasts if math.isfinite(f.impact_time_s)}
    ends = {row.track: row for row in sorted(evidence.results.rows, key=lambda r: r.time_s)}
    out = []
    for track in sorted(_told(heard) & set(due) & set(ends)):
        row = ends[track]
        early = row.time_s < min(due[track] - LOST_S, end_s - END_S)
        if early and (row.existence < GIVEN_UP or row.phase in ("boost", "coast")):
            out.append(track)
    return tuple(out)


def _apart_m(forecast: Forecast, longitude_deg: float, latitude_deg: float) -> float:
    frame = plane(forecast.latitude_rad / DEGREE_RAD, forecast.longitude_rad / DEGREE_RAD)
    return math.hypot(*frame.transform(longitude_deg, latitude_deg))


def nearest(gazetteer: Gazetteer, longitude_deg: float, latitude_deg: float) -> Near | None:
    """The known place nearest to a point, on the sphere of normals; None where the gazetteer is empty."""
    if not len(gazetteer.name):
        return None
    lon, lat = math.radians(longitude_deg), math.radians(latitude_deg)
    point = np.array([math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat)])
    row = int(np.argmax(gazetteer.direction @ point))
    at = gazetteer.direction[row]
    from_lat = math.radians(float(gazetteer.latitude_deg[row]))
    from_lon = math.radians(float(gazetteer.longitude_deg[row]))
    east = point @ [-math.sin(from_lon), math.cos(from_lon), 0.0]
    north = point @ [
        -math.sin(from_lat) * math.cos(from_lon), -math.sin(from_lat) * math.sin(from_lon), math.cos(from_lat)
    ]  # fmt: skip
    octant = round(math.atan2(east, north) / (math.pi / 4.0)) % 8
    chord = float(np.linalg.norm(point - at))
    local = str(gazetteer.name_uk[row])
    place = Place(
        str(gazetteer.name[row]), str(gazetteer.country[row]), float(gazetteer.latitude_deg[row]),
        float(gazetteer.longitude_deg[row]), int(gazetteer.population[row]), (("uk", local),) if local else (),
    )  # fmt: skip
    return Near(place, 2e3 * MEAN_RADIUS_KM * math.asin(min(1.0, chord / 2.0)), octant)
