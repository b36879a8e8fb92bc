"""Forecasts made for tests, and a replay of them through the policy."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import shapely

from tocsin.formats.words import shipped_words
from tocsin.prediction.forecast import Forecast, Spread
from tocsin.warning import policy
from tocsin.warning.alert import DRILL_AUTHORITY, Authority, Message
from tocsin.warning.gazetteer import Gazetteer
from tocsin.warning.plane import plane_at, to_lonlat
from tocsin.warning.policy import State, next_deadline, step
from tocsin.warning.settings import Settings

NOON_S = 1_800_000_000.0  # a moment in 2027
WORDS = shipped_words()


def start(settings: Settings = policy.DEFAULTS, authority: Authority = DRILL_AUTHORITY) -> State:
    """The policy with the words that come with the program."""
    return policy.start(WORDS, settings, authority)


def ellipse(lat_deg: float, lon_deg: float, area_km2: float, ratio: float = 2.0, bearing_deg: float = 30.0):
    """An elliptic area in lon/lat degrees, cut at the antimeridian, 48 corners."""
    small_m = math.sqrt(area_km2 * 1e6 / math.pi / ratio)
    angle = np.linspace(0.0, 2.0 * math.pi, 48, endpoint=False)
    x, y = ratio * small_m * np.cos(angle), small_m * np.sin(angle)
    turn = math.radians(90.0 - bearing_deg)
    ring = np.column_stack([x * math.cos(turn) - y * math.sin(turn), x * math.sin(turn) + y * math.cos(turn)])
    parts = to_lonlat(
        plane_at(math.radians(lat_deg), math.radians(lon_deg)), shapely.Polygon(ring), decimals=7
    )
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(list(parts))


def spread(area_km2: float, ratio: float = 2.0, bearing_deg: float = 30.0) -> Spread:
    """One normal distribution of which an ellipse of so much area holds 0.99: 9.21 = -2 ln 0.01 in sigmas squared."""
    across_m2 = area_km2 * 1e6 / math.pi / ratio / 9.21
    turn = math.radians(90.0 - bearing_deg)
    axes = np.array([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]])
    covariance = axes.T @ np.diag([ratio**2 * across_m2, across_m2]) @ axes
    return Spread(np.ones(1), np.zeros((1, 2)), covariance[None])


def forecast(
    track: str = "1",
    at_s: float = NOON_S,
    impact_s: float = NOON_S + 600.0,
    lat_deg: float = 48.45,
    lon_deg: float = 35.05,
    area_km2: float = 400.0,
    **other,
) -> Forecast:
    """A forecast of an impact; with area_km2 NaN one that says that the track does not come down."""
    down = not math.isnan(area_km2)
    ratio = other.pop("ratio", 2.0)
    area = ellipse(lat_deg, lon_deg, area_km2, ratio) if down else None
    values = {
        "issued_s": at_s,
        "track": track,
        "impact_time_s": impact_s if down else math.nan,
        "impact_time_sigma_s": 4.0 if down else math.nan,
        "latitude_rad": math.radians(lat_deg),
        "longitude_rad": math.radians(lon_deg),
        "covariance_m2": np.eye(2) * 1e6,
        "area": area,
        "danger": spread(area_km2, ratio) if down else None,
        "area_km2": area_km2,
        "phase": "coast",
        "parent": None,
        "existence": 0.99,
        "plots": 20,
        "status": "" if down else "does not come down",
    }
    return Forecast(**{**values, **other})


def replay(
    batches: Sequence[tuple[float, Sequence[Forecast]]],
    gazetteer: Gazetteer,
    settings: Settings | None = None,
    live: Callable[[float], set[str]] | None = None,
) -> tuple[State, list[Message]]:
    """Feed forecasts through the policy as a replay does, and then wait until all is over."""
    state, messages = start(settings or Settings()), []
    seen: dict[str, float] = {}

    def run_until(time_s: float) -> None:
        nonlocal state
        while (due := next_deadline(state)) is not None and due < time_s:
            state, new = step(state, due, (), alive(due), gazetteer)
            messages.extend(new.messages)

    def alive(time_s: float) -> set[str]:
        return live(time_s) if live else {track for track, last_s in seen.items() if time_s - last_s < 15.0}

    for now_s, forecasts in batches:
        run_until(now_s)
        seen.update({one.track: now_s for one in forecasts})
        state, new = step(state, now_s, forecasts, alive(now_s), gazetteer)
        messages.extend(new.messages)
    run_until(math.inf)
    return state, messages


def in_force(messages: Sequence[Message], time_s: float) -> list[Message]:
    """The messages in force at a moment, as a receiver reckons it."""
    found: dict[str, Message] = {}
    for message in messages:
        if message.sent_s > time_s:
            break
        for identifier, _ in message.references:
            found.pop(identifier, None)
        if message.kind != "Cancel" and message.stage == "take-cover":
            found[message.identifier] = message
    return [message for message in found.values() if message.expires_s > time_s]


def covered(messages: Sequence[Message], time_s: float, lat_deg: float, lon_deg: float) -> bool:
    """Whether a place is inside what is alerted at a moment."""
    point = shapely.Point(lon_deg, lat_deg)
    return any(
        one.polygon.covers(point) for message in in_force(messages, time_s) for one in message.footprints
    )
