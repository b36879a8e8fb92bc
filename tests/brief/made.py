"""A folder of results made by hand: two bodies near Dnipro, and an hour later one at sea."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from shapely.geometry import Polygon

from tocsin.earth.ellipsoid import geodetic_to_ecef
from tocsin.formats.cap import cap_xml
from tocsin.formats.results import write_results
from tocsin.prediction.forecast import Forecast, MayRelease, Spread
from tocsin.tracking.tracks import TrackRow
from tocsin.warning.alert import Change, Footprint, Message, Text

ZERO_S = datetime(2026, 3, 1, 12, 0, tzinfo=UTC).timestamp()  # the first impact
DNIPRO, SEA = (35.04, 48.46), (30.0, -46.0)  # lon, lat


def square(at: tuple[float, float], half_deg: float) -> Polygon:
    (x, y), h = at, half_deg
    return Polygon([(x - h, y - h), (x + h, y - h), (x + h, y + h), (x - h, y + h)])


def message(
    incident: str, sequence: int, kind: str, stage: str, sent_s: float, impact_s: float, shape: Polygon,
    tracks: tuple[str, ...], before: tuple[Message, ...] = (),
) -> Message:  # fmt: skip
    over = stage != "take-cover"
    words = Text(
        "en",
        "EXERCISE: falling objects",
        f"EXERCISE. {stage} <now>",
        "An exercise: what & where.",
        "Do this.",
        "An area",
    )
    return Message(
        incident=incident,
        sequence=sequence,
        identifier=f"tocsin-{incident}-{sequence:04d}",
        kind=kind,
        stage=stage,
        status="Exercise",
        sent_s=sent_s,
        onset_s=sent_s,
        expires_s=impact_s + 300.0,
        references=tuple((m.identifier, m.sent_s) for m in before),
        footprints=(Footprint(shape, tracks, impact_s, impact_s + 30.0, (), 0),),
        texts=(
            words,
            words._replace(language="uk", event="Навчання", headline="НАВЧАННЯ", description="Навчання."),
        ),
        reason="first alert; 1 footprints of 100.0 km2",
        probability=math.nan if over else 0.98,
    )


def messages() -> list[Message]:
    a, b = "20260301T115500Z-4828N03502E", "20260301T125500Z-4600S03000E"
    first = message(
        a, 1, "Alert", "take-cover", ZERO_S - 300.5, ZERO_S, square(DNIPRO, 0.1), ("T00001", "T00002")
    )
    wider = message(
        a,
        2,
        "Update",
        "take-cover",
        ZERO_S - 200.0,
        ZERO_S,
        square(DNIPRO, 0.2),
        ("T00001", "T00002"),
        (first,),
    )
    over = message(
        a, 3, "Update", "all-clear", ZERO_S + 180.0, ZERO_S, square(DNIPRO, 0.2), (), (first, wider)
    )
    late_s = ZERO_S + 3600.0
    sea = message(b, 1, "Alert", "take-cover", late_s - 60.0, late_s, square(SEA, 0.1), ("T00003",))
    gone = message(b, 2, "Cancel", "withdrawn", late_s - 10.0, late_s, square(SEA, 0.1), (), (sea,))
    return [first, wider, over, sea, gone]


def forecast(track: str, issued_s: float, impact_s: float, at: tuple[float, float] | None) -> Forecast:
    shape = None if at is None else square(at, 0.02)
    lon, lat = at or (math.nan, math.nan)
    return Forecast(
        issued_s=issued_s,
        track=track,
        impact_time_s=impact_s if at else math.nan,
        impact_time_sigma_s=2.0,
        latitude_rad=math.radians(lat),
        longitude_rad=math.radians(lon),
        covariance_m2=np.eye(2) * 1e4,
        area=shape,
        area_km2=13.0 if at else math.nan,
        phase="coast",
        parent=None,
        existence=0.99,
        plots=12,
        status="" if at else "it stays up",
    )


def released(until_s: float, impact_s: float, at: tuple[float, float], half_deg: float) -> MayRelease:
    """What may still be released, its areas squares."""
    areas = tuple(square(at, half_deg * part) for part in (0.2, 0.5, 1.0))
    nothing = Spread(np.zeros(0), np.zeros((0, 2)), np.zeros((0, 2, 2)))
    return MayRelease(
        0.48, 7.5, until_s, impact_s, math.radians(at[1]), math.radians(at[0]), areas, np.array([8.0, 50.0, 200.0]),
        impact_s + np.arange(-3.0, 4.0), nothing, math.nan, math.nan, math.nan,
    )  # fmt: skip


def rows(
    track: str, parent: str | None, begin_s: float, end_s: float, at: tuple[float, float]
) -> list[TrackRow]:
    out = []
    times = np.linspace(begin_s, end_s, 20)
    for i, time_s in enumerate(times.tolist()):
        away = (len(times) - 1 - i) / len(times) * 5.0
        place = geodetic_to_ecef(math.radians(at[1]), math.radians(at[0] + away), 4e4 * away)
        phase = "coast" if i < 15 else "reentry"
        state = np.concatenate([place, [0.0, 0.0, -2e3]])
        out.append(TrackRow(time_s, track, parent, phase, 0.99, state, np.eye(6), i == len(times) - 1))
    return out


def changes(sent: list[Message]) -> list[Change]:
    def change(at_s: float, incident: str, before: str, after: str, tracks: tuple[str, ...] = ()) -> Change:
        known = (0.98, 0.97, 0.01, 300.0) if tracks else (None,) * 4
        why = f"why {after}: 99 % in 12 km2"
        return Change(at_s, incident, before, after, why, *known, 9, tracks, 240.0 if tracks else None)

    a, b = sent[0].incident, sent[3].incident
    return [
        change(ZERO_S - 400.0, a, "", "watch", ("T00001",)),
        change(sent[0].sent_s, a, "watch", "take-cover", ("T00001", "T00002")),
        change(sent[2].sent_s, a, "take-cover", "all-clear"),
        change(sent[3].sent_s - 20.0, b, "", "watch", ("T00003",)),
        change(sent[3].sent_s, b, "watch", "take-cover", ("T00003",)),
        change(sent[4].sent_s, b, "take-cover", "withdrawn"),
    ]


def results(folder: Path, which: slice = slice(None)) -> Path:
    """Write it; which: of the five messages."""
    sent = messages()
    kept = sent[which]
    tracked = [
        *rows("T00001", None, ZERO_S - 450.0, ZERO_S - 1.0, DNIPRO),
        *rows("T00002", "T00001", ZERO_S - 350.0, ZERO_S + 5.0, DNIPRO),
        *rows("T00003", None, ZERO_S + 3500.0, ZERO_S + 3595.0, SEA),
    ]
    foreseen = [
        forecast("T00001", ZERO_S - 420.0, ZERO_S + 1.0, DNIPRO)._replace(
            may_release=released(ZERO_S - 40.0, ZERO_S, DNIPRO, 0.3)
        ),
        forecast("T00001", ZERO_S - 320.0, ZERO_S + 1.0, DNIPRO),
        forecast("T00001", ZERO_S - 5.0, ZERO_S + 0.5, DNIPRO),
        forecast("T00002", ZERO_S - 5.0, ZERO_S + 9.0, (35.08, 48.44)),
        forecast("T00003", ZERO_S + 3540.0, ZERO_S + 3600.0, SEA),
        forecast("T00003", ZERO_S + 3585.0, ZERO_S + 3600.0, None),
    ]
    counts = {"sensors": 2, "plots": 900, "rejected": 1, "tracks": 3, "tracks_coming_down": 3 if kept else 0}
    summary = {
        "recording": "made",
        "status": "Exercise",
        "start": datetime.fromtimestamp(ZERO_S - 500.0, UTC).isoformat(),
        "end": datetime.fromtimestamp(ZERO_S + 3600.0, UTC).isoformat(),
        "duration_s": 4100.0,
        "latency_s": 0.5,
        "counts": counts,
        "rejected": [
            {"file": "plots.csv", "row": 7, "field": "range_m", "value": "-1", "reason": "must be above 0"}
        ],
        "versions": {"tocsin": "0.1.0"},
    }
    incidents = {m.incident for m in kept}
    happened = [*(c for c in changes(sent) if c.incident in incidents), *kept]
    happened.sort(key=lambda one: one.sent_s if isinstance(one, Message) else one.at_s)
    write_results(folder, tracked, foreseen, kept, [cap_xml(m) for m in kept], happened, summary)
    return folder
