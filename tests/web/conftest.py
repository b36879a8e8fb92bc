"""An invented event of real values: three bodies on lofted arcs, shrinking areas, a warning, updates, an all-clear."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from shapely import affinity
from shapely.geometry import Point, Polygon

from tocsin.earth.ellipsoid import geodetic_to_ecef
from tocsin.prediction.forecast import Forecast, MayRelease, Spread
from tocsin.sensors.plots import Sensor
from tocsin.tracking.tracks import TrackRow
from tocsin.units import DEGREE_RAD
from tocsin.warning.alert import Footprint, Message, Place, Text

START_S = 1_767_225_600.0  # 2026-01-01 00:00 UTC
FLIGHT_S = 600.0
END_S = START_S + 700.0
ORIGIN = (40.0, 47.0)
TARGETS = ((34.4, 48.6), (34.8, 48.3), (35.3, 48.8))
APOGEE_M = 300e3
FIRST_SEEN_S = 90.0
PLACES = (
    Place("Synelnykove", "UA", 48.32, 35.52, 30_000, (("uk", "Синельникове"),)),
    Place("Dnipro", "UA", 48.45, 34.98, 968_502, (("uk", "Дніпро"),)),
    Place("Kamianske", "UA", 48.51, 34.61, 226_845),
    Place("Novomoskovsk", "UA", 48.63, 35.22, 69_855),
)


def on_arc(target: tuple[float, float], part: float) -> np.ndarray[Any, Any]:
    """ECEF position on a parabola over the straight line from ORIGIN; enough for a picture."""
    lon = ORIGIN[0] + (target[0] - ORIGIN[0]) * part
    lat = ORIGIN[1] + (target[1] - ORIGIN[1]) * part
    return geodetic_to_ecef(lat * DEGREE_RAD, lon * DEGREE_RAD, 4.0 * APOGEE_M * part * (1.0 - part))


def track_rows() -> list[TrackRow]:
    rows = []
    for i, target in enumerate(TARGETS):
        impact_s = FLIGHT_S + 4.0 * i
        for time_s in np.arange(FIRST_SEEN_S + 20 * i, impact_s, 0.5):
            part = time_s / impact_s
            velocity = (on_arc(target, part + 1e-4) - on_arc(target, part)) / (1e-4 * impact_s)
            phase = "boost" if time_s < 130 else "coast" if part < 0.9 else "reentry"
            rows.append(
                TrackRow(START_S + time_s, f"T{i + 1}", "T1" if i else None, phase, 0.99,
                         np.concatenate([on_arc(target, part), velocity]), np.eye(6), time_s + 0.5 >= impact_s)
            )  # fmt: skip
    return sorted(rows, key=lambda row: row.time_s)


def ellipse(lon: float, lat: float, half_width_km: float) -> Polygon:
    circle = Point(lon, lat).buffer(half_width_km / 111.2, quad_segs=12)
    return affinity.scale(circle, 1.0 / math.cos(lat * DEGREE_RAD), 0.6)


RELEASES_UNTIL_S = 250.0  # of the first


def released(issued_s: float, at: tuple[float, float], impact_s: float) -> MayRelease:
    lon, lat = at
    wide = 80.0 * (RELEASES_UNTIL_S - issued_s) / RELEASES_UNTIL_S
    nothing = Spread(np.zeros(0), np.zeros((0, 2)), np.zeros((0, 2, 2)))
    return MayRelease(
        0.4, 7.5, START_S + RELEASES_UNTIL_S, START_S + impact_s, lat * DEGREE_RAD, lon * DEGREE_RAD,
        tuple(ellipse(lon, lat, wide * part) for part in (0.2, 0.5, 1.0)), np.array([1.0, 2.0, 3.0]),
        START_S + impact_s + np.arange(-3.0, 4.0), nothing, math.nan, math.nan, math.nan,
    )  # fmt: skip


def forecasts() -> list[Forecast]:
    out = []
    for i, (lon, lat) in enumerate(TARGETS):
        impact_s = FLIGHT_S + 4.0 * i
        for issued_s in np.arange(150.0, impact_s, 2.0):
            half_width_km = 4.0 + 60.0 * ((impact_s - issued_s) / FLIGHT_S) ** 2
            area = ellipse(lon, lat, half_width_km)
            out.append(
                Forecast(START_S + issued_s, f"T{i + 1}", START_S + impact_s, 2.0, lat * DEGREE_RAD,
                         lon * DEGREE_RAD, np.eye(2) * 1e6, area, math.pi * half_width_km**2 * 0.6,
                         "coast", None, 0.99, 100, "",
                         may_release=released(issued_s, (lon, lat), impact_s)
                         if i == 0 and issued_s < RELEASES_UNTIL_S else None)
            )  # fmt: skip
    return sorted(out, key=lambda forecast: forecast.issued_s)


def message(sequence: int, kind: str, stage: str, sent_s: float, half_width_km: float) -> Message:
    footprints = tuple(
        Footprint(ellipse(lon, lat, half_width_km), (f"T{i + 1}",), START_S + FLIGHT_S + 4.0 * i,
                  START_S + FLIGHT_S + 60.0, PLACES[i::3], sum(p.population for p in PLACES[i::3]))
        for i, (lon, lat) in enumerate(TARGETS)
    )  # fmt: skip
    calm = stage == "all-clear"
    texts = (
        Text("en", "Falling objects", "EXERCISE: All clear" if calm else "EXERCISE: Objects will fall near Dnipro",
             "EXERCISE. Objects are falling towards this area.", "You may leave shelter." if calm else
             "Go to shelter now. Stay there until the all clear.", "Around Dnipro and Kamianske"),
        Text("uk", "Падіння об'єктів", "НАВЧАННЯ: Відбій" if calm else "НАВЧАННЯ: Об'єкти впадуть поблизу Дніпра",
             "НАВЧАННЯ. До цієї території падають об'єкти.", "Можна виходити." if calm else
             "Негайно в укриття. Лишайтеся там до відбою.", "Навколо Дніпра і Кам'янського"),
    )  # fmt: skip
    before = tuple((f"tocsin-incident-1-{number}", START_S) for number in range(1, sequence))
    return Message(
        "incident-1", sequence, f"tocsin-incident-1-{sequence}", kind, stage, "Exercise", START_S + sent_s,
        START_S + sent_s, START_S + sent_s + 1800.0, before, footprints, texts, "",
    )  # fmt: skip


def sensors() -> tuple[Sensor, ...]:
    nan = math.nan
    view = np.array([[6e4, 1.2e6], [30 * DEGREE_RAD, 150 * DEGREE_RAD], [0.03, 1.5], [nan, nan]])
    sky = np.array([[3e5, 5e7], [0.0, 2 * math.pi], [-1.6, -1.4], [nan, nan]])
    still = np.zeros(4)
    sigma = np.array([50.0, 1e-3, 1e-3, nan])
    return (
        Sensor(
            "radar-1", "radar", 49.3 * DEGREE_RAD, 30.0 * DEGREE_RAD, 40.0, sigma, 0.9, 1.0, 5.0, view, still
        ),
        Sensor(
            "radar-2", "radar", 47.2 * DEGREE_RAD, 31.4 * DEGREE_RAD, 90.0, sigma, 0.9, 1.0, 5.0, view, still
        ),
        Sensor("ir-1", "infrared", 0.02, 0.26, 35.8e6, sigma, 0.9, 1.0, 5.0, sky, still),
    )


@pytest.fixture(scope="session")
def event() -> dict[str, Any]:
    """The arguments of map_html for the invented event."""
    return {
        "title": "Invented event",
        "sensors": sensors(),
        "rows": track_rows(),
        "forecasts": forecasts(),
        "messages": [
            message(1, "Alert", "take-cover", 200.0, 35.0),
            message(2, "Update", "take-cover", 350.0, 20.0),
            message(3, "Update", "take-cover", 500.0, 10.0),
            message(4, "Update", "all-clear", 660.0, 10.0),
        ],
        "impacts": [
            (f"body-{i + 1}", START_S + FLIGHT_S + 4.0 * i, lat, lon) for i, (lon, lat) in enumerate(TARGETS)
        ],
        "start_s": START_S,
        "end_s": END_S,
    }
