"""The curve of ``tocsin policy`` as SVG: misses and warning time over alerted area, a point for each threshold."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tocsin.metrics.tradeoff import Point

WIDTH, PANEL_W, PANEL_H, LEFT, TOP, GAP = 860, 340, 250, 64, 92, 84
LABEL_W = 36  # of a number beside a point
BLUE, RED, GREY = "#2166ac", "#c51b3a", "#555"


def threshold(per_km2: float) -> str:
    """A threshold as it is written: 1e-04, 2.5e-04."""
    return f"{per_km2:.1e}".replace(".0e", "e")


def picture(points: Sequence[Point], best: int | None, chosen: float, shelter_s: float) -> str:
    """The plot. best: the knee; chosen: the threshold of the policy."""
    shown = [point for point in points if point.area_km2 > 0.0]
    height = TOP + PANEL_H + 64
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        'font-family="Helvetica, Arial, sans-serif" font-size="11" fill="#222">',
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        f'<text x="{LEFT}" y="24" font-size="15" font-weight="bold">What C/L costs: {points[0].recordings} recordings, '
        f"{points[0].impacts} dangerous impacts</text>",
        f'<text x="{LEFT}" y="42" fill="{GREY}">Each point is a threshold: the chance on a square kilometre above '
        "which places are told (numbers beside it). To the left less is alerted.</text>",
        f'<text x="{LEFT}" y="57" fill="{GREY}">Ring: the policy. Square: the knee, beyond which more area brings '
        "little more time.</text>",
    ]
    if not shown:
        return "\n".join([*out, f'<text x="{LEFT}" y="{TOP + 30}">Nothing was alerted.</text>', "</svg>", ""])
    knee = points[best].cost_loss_per_km2 if best is not None else math.nan
    panels: tuple[tuple[str, Callable[[Point], float], str], ...] = (
        (
            f"Told less than {shelter_s:g} s before, or never: share of impacts",
            lambda point: point.too_late,
            RED,
        ),
        ("Warning time over the best possible: mean", lambda point: point.lead_over_best, BLUE),
    )
    for i, (title, value, colour) in enumerate(panels):
        out += _panel(LEFT + i * (PANEL_W + GAP), title, shown, value, colour, knee, chosen)
    return "\n".join([*out, "</svg>", ""])


def _panel(
    x0: float,
    title: str,
    points: Sequence[Point],
    value: Callable[[Point], float],
    colour: str,
    knee: float,
    chosen: float,
) -> list[str]:
    low = math.floor(math.log10(min(point.area_km2 for point in points)))
    high = max(math.ceil(math.log10(max(point.area_km2 for point in points))), low + 1)

    def across(km2: float) -> float:
        return x0 + PANEL_W * (math.log10(km2) - low) / (high - low)

    def up(share: float) -> float:
        return TOP + PANEL_H * (1.0 - share)

    out = [
        f'<text x="{x0}" y="{TOP - 10}" font-size="12" font-weight="bold">{title}</text>',
        f'<rect x="{x0}" y="{TOP}" width="{PANEL_W}" height="{PANEL_H}" fill="none" stroke="#999"/>',
        f'<text x="{x0 + PANEL_W / 2:.1f}" y="{TOP + PANEL_H + 34}" text-anchor="middle">alerted area an impact, '
        "km²</text>",
    ]
    for decade in range(low, high + 1):
        x = across(10.0**decade)
        out.append(f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{TOP + PANEL_H}" stroke="#e5e5e5"/>')
        out.append(
            f'<text x="{x:.1f}" y="{TOP + PANEL_H + 16}" text-anchor="middle">{10.0**decade:,.6g}</text>'
        )
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        out.append(
            f'<line x1="{x0}" y1="{up(share)}" x2="{x0 + PANEL_W}" y2="{up(share)}" stroke="#e5e5e5"/>'
        )
        out.append(f'<text x="{x0 - 6}" y="{up(share) + 4}" text-anchor="end">{share:g}</text>')
    known = [point for point in points if math.isfinite(value(point))]
    line = " ".join(f"{across(point.area_km2):.1f},{up(value(point)):.1f}" for point in known)
    out.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-opacity="0.5"/>')
    for point in known:
        x, y = across(point.area_km2), up(value(point))
        if point.cost_loss_per_km2 == knee:
            out.append(
                f'<rect x="{x - 8:.1f}" y="{y - 8:.1f}" width="16" height="16" fill="none" stroke="#222"/>'
            )
        if point.cost_loss_per_km2 == chosen:
            out.append(
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="6.5" fill="none" stroke="#222" stroke-width="1.5"/>'
            )
        out.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.2" fill="{colour}"/>')
        beside = (one for one in known if one is not point and one.cost_loss_per_km2 in (knee, chosen))
        if point.cost_loss_per_km2 != chosen and any(
            abs(x - across(one.area_km2)) < LABEL_W for one in beside
        ):
            continue  # its number would stand on that of one that matters more
        under = value(point) > 0.9
        out.append(
            f'<text x="{x:.1f}" y="{y + (20 if under else -11):.1f}" font-size="9.5" text-anchor="middle" '
            f'fill="{GREY}">{threshold(point.cost_loss_per_km2)}</text>'
        )
    return out
