"""One drawing of all that happened over time: plots, stages, messages, the area told, and what came down."""

from __future__ import annotations

import math

import numpy as np

from tocsin.brief.incidents import Incident, Stage
from tocsin.brief.seen import SensorSeen, TrackSeen
from tocsin.brief.svg import (
    ALERT,
    CLEAR,
    INK,
    LINE,
    READY,
    SOFT,
    WATCH,
    WIDTH,
    Box,
    dot,
    drawing,
    line,
    rect,
    text,
)
from tocsin.brief.words import STAGES, clock, relative
from tocsin.sensors.plots import Floats

LEFT, RIGHT = 104.0, WIDTH - 10.0  # of the axis
LANE, STRIP = 26.0, 20.0  # height of a lane, and of what is drawn in it
BIN = 3.0  # pixels
TONES = {"watch": WATCH, "prepare": READY, "take-cover": ALERT, "all-clear": CLEAR, "withdrawn": CLEAR}
STEPS_S = (5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400)
MOST_TRACKS, FEW_SENSORS = 14, 5
LIGHT, DARK = "#c3ccd6", "#1b4a9c"
AREA_HIGH = 58.0


def timeline(incident: Incident, gave: tuple[SensorSeen, ...], tracks: tuple[TrackSeen, ...]) -> str:
    """The figure. An incident without stages: of plots alone."""
    first_s, last_s = _limits(incident, gave, tracks)

    def x(time_s: float) -> float:
        return LEFT + (time_s - first_s) / (last_s - first_s) * (RIGHT - LEFT)

    parts: list[str] = []
    top = 16.0
    if gave:
        strip = STRIP if len(gave) <= FEW_SENSORS else STRIP - 8.0
        for sensor in gave:
            parts += _strip(sensor, x, top, strip)
            top += strip + LANE - STRIP
    else:
        for track in tracks[:MOST_TRACKS]:
            box = Box(x(track.first_s), top + 6, max(x(track.last_s), x(track.first_s) + 2), top + 14)
            parts += [_name(track.name, top), rect(box, DARK, opacity=0.75)]
            top += 18.0
    if incident.stages:
        top += 4.0
        parts += [_name("Stage", top), *_stages(incident, x, top, last_s)]
        top += LANE
    if incident.sent:
        parts += [_name("Messages", top), *_messages(incident, x, top)]
        top += LANE + 2
    if incident.extents:
        parts += [*_area(incident, x, top, last_s)]
        top += AREA_HIGH + 8
    if incident.bodies:
        parts += [_name("Impacts", top), *_impacts(incident, x, top)]
        top += LANE - 4
    axis = _axis(incident.zero_s, x, first_s, last_s, top)
    return drawing(
        WIDTH, top + 34.0, [*axis, *parts], "Timeline of plots, stages, messages, areas and impacts"
    )


def _limits(
    incident: Incident, gave: tuple[SensorSeen, ...], tracks: tuple[TrackSeen, ...]
) -> tuple[float, float]:
    starts = [s.first.time_s for s in gave if s.first is not None] + [t.first_s for t in tracks]
    starts += [s.time_s for s in incident.stages]
    ends = (
        [m.sent_s for m in incident.sent] + [b.time_s for b in incident.bodies] + [t.last_s for t in tracks]
    )
    ends += [s.time_s for s in incident.stages]
    if not incident.stages and not tracks:
        starts += [float(s.time_s[0]) for s in gave if len(s.time_s)]
        ends += [float(s.time_s[-1]) for s in gave if len(s.time_s)]
    first_s, last_s = min(starts, default=0.0), max(ends, default=1.0)
    room_s = 0.015 * max(last_s - first_s, 1.0)
    return first_s - room_s, last_s + room_s


def _name(words: str, top: float) -> str:
    return text(LEFT - 8, top + 14, words if len(words) <= 17 else words[:16] + "…", 11, anchor="end")


def _strip(sensor: SensorSeen, x, top: float, high: float) -> list[str]:  # type: ignore[no-untyped-def]
    """The plots of a sensor in bins of time; heights go by the root of the number, so that few are seen beside many."""
    edges = np.arange(LEFT, RIGHT + BIN, BIN)
    every, own = (np.histogram([x(t) for t in times], edges)[0] for times in (sensor.time_s, sensor.taken_s))
    most = math.sqrt(max(int(every.max()), 1))
    base = top + high + 1
    out = [_name(sensor.name, top + high - 17), line(np.array([[LEFT, base], [RIGHT, base]]), LINE, 0.8)]
    for counts, tone in ((every, LIGHT), (own, DARK)):
        d = "".join(
            f"M{edges[i]:.0f} {base:.0f}v{-high * math.sqrt(c) / most:.1f}h{BIN - 0.5}V{base:.0f}Z"
            for i, c in enumerate(counts.tolist()) if c
        )  # fmt: skip
        if d:
            out.append(f'<path d="{d}" fill="{tone}"/>')
    return out


def _stages(incident: Incident, x, top: float, last_s: float) -> list[str]:  # type: ignore[no-untyped-def]
    out = []
    ordered: list[Stage] = sorted(incident.stages, key=lambda s: s.time_s)
    for i, stage in enumerate(ordered):
        end_s = ordered[i + 1].time_s if i + 1 < len(ordered) else last_s
        left, right = x(stage.time_s), x(end_s)
        tone = TONES.get(stage.name, SOFT)
        out.append(rect(Box(left, top + 2, max(right, left + 2), top + 18), tone))
        words = STAGES.get(stage.name, stage.name)
        if right - left > 6.3 * len(words) + 6:
            out.append(text(left + 5, top + 14, words, 11, "#ffffff", bold=True))
    return out


def _messages(incident: Incident, x, top: float) -> list[str]:  # type: ignore[no-untyped-def]
    out = []
    for message in incident.sent:
        at, tone = x(message.sent_s), TONES.get(message.stage, SOFT)
        high = 16.0 if message.kind == "Alert" or message.stage != "take-cover" else 9.0
        out.append(line(np.array([[at, top + 18], [at, top + 18 - high]]), tone, 1.6))
        if message.kind == "Alert":
            out.append(dot(at, top + 18 - high, 2.4, tone))
    return out


def _area(incident: Incident, x, top: float, last_s: float) -> list[str]:  # type: ignore[no-untyped-def]
    """The area told, as steps on a logarithmic scale."""
    sizes = [e.km2 for e in incident.extents if e.km2 > 0.0]
    low = math.floor(math.log10(max(min(sizes, default=1.0), 0.1)))
    high = max(math.ceil(math.log10(max(sizes, default=10.0))), low + 1)

    def y(km2: float) -> float:
        part = (math.log10(km2) - low) / (high - low) if km2 > 0.0 else 0.0
        return top + 4 + AREA_HIGH * (1.0 - min(max(part, 0.0), 1.0))

    out = [text(LEFT - 8, top + 12, "Area told, km²", 11, anchor="end")] if high - low < 1 else []
    for power in range(low, high + 1):
        level = y(10.0**power)
        out.append(line(np.array([[LEFT, level], [RIGHT, level]]), LINE, 0.7))
        out.append(
            text(LEFT - 8, level + 3.5, f"{10.0**power:,.10g} km²".replace(",", "\u00a0"), 10, SOFT, "end")
        )
    points: list[tuple[float, float]] = []
    base = top + 4 + AREA_HIGH
    for i, extent in enumerate(incident.extents):
        end_s = incident.extents[i + 1].start_s if i + 1 < len(incident.extents) else extent.start_s
        level = y(extent.km2) if extent.messages else base
        points += [(x(extent.start_s), level), (min(x(end_s), RIGHT), level)]
    if points:
        ring: Floats = np.array([(points[0][0], base), *points, (points[-1][0], base)])
        out.append(
            f'<path d="M{"L".join(f"{a:.1f} {b:.1f}" for a, b in ring)}Z" fill="{ALERT}" fill-opacity="0.16"/>'
        )
        out.append(line(np.array(points), ALERT, 1.4))
    return out


def _impacts(incident: Incident, x, top: float) -> list[str]:  # type: ignore[no-untyped-def]
    return [
        dot(x(b.time_s), top + 10, 3.2 if b.dangerous else 2.6, INK if b.dangerous else SOFT, "#ffffff", 0.8)
        for b in incident.bodies
    ]


def _axis(zero_s: float | None, x, first_s: float, last_s: float, top: float) -> list[str]:  # type: ignore[no-untyped-def]
    step_s = next((s for s in STEPS_S if (last_s - first_s) / s <= 8.5), STEPS_S[-1])
    out = [line(np.array([[LEFT, top], [RIGHT, top]]), INK, 0.9)]
    for tick in range(math.ceil(first_s / step_s), math.floor(last_s / step_s) + 1):
        at = x(tick * step_s)
        out.append(line(np.array([[at, 12], [at, top]]), "#e3e7eb", 0.7))
        out.append(line(np.array([[at, top], [at, top + 4]]), INK, 0.9))
        anchor = "end" if at > RIGHT - 24 else "middle"
        out.append(text(at, top + 14, clock(tick * step_s), 10, anchor=anchor))
    if zero_s is not None:
        for tick in range(math.ceil((first_s - zero_s) / step_s), math.floor((last_s - zero_s) / step_s) + 1):
            at = x(zero_s + tick * step_s)
            out.append(line(np.array([[at, top + 18], [at, top + 21]]), SOFT, 0.8))
            anchor = "end" if at > RIGHT - 16 else "middle"
            out.append(
                text(
                    at, top + 30, relative(zero_s + tick * step_s, zero_s) if tick else "T", 9.5, SOFT, anchor
                )
            )
    if zero_s is not None and first_s <= zero_s <= last_s:
        at = x(zero_s)
        out.append(line(np.array([[at, 12], [at, top]]), ALERT, 1.0, "3 2"))
        out.append(
            text(
                at + (4 if at < RIGHT - 90 else -4),
                9,
                f"T: first impact, {clock(zero_s)}",
                10,
                ALERT,
                "start" if at < RIGHT - 90 else "end",
            )
        )
    return out
