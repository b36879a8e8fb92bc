"""The calibration plot as SVG: what areas and times hold against what they say, by family and lead."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from scipy.stats import norm

from tocsin.calibration.counts import LEADS, SAID, Cell, Curve
from tocsin.calibration.families import family_of
from tocsin.metrics.calibration import BANDS

# Both axes are in sigmas: how far a normal distribution reaches to both sides to hold a probability.
HIGHEST = 0.999
MOST = float(norm.ppf(0.5 + 0.5 * HIGHEST))
SIDE, GAP_X, GAP_Y, LEFT, TOP, ACROSS = 180, 22, 52, 44, 96, 5
COLOURS = ("#222222", "#7b3294", "#2166ac", "#1b9e77", "#e08214", "#c51b3a")  # of `LEADS`
TICKS = (0.0, 0.2, 0.5, 0.7, 0.9, 0.99, 0.999)
WORDS = {"area": "Areas: share of impacts inside", "time": "Time of arrival: share inside the interval"}
SPREAD = 0.085  # sigmas, by which the leads stand beside each other at what is said


def picture(cells: Sequence[Cell], curves: Sequence[Curve], title: str) -> str:
    """The plot of cells and curves; families in the order that they come in."""
    families = list(dict.fromkeys(cell.family for cell in cells))
    rows = math.ceil(len(families) / ACROSS)
    block = rows * (SIDE + GAP_Y) + 34
    width = LEFT + min(len(families), ACROSS) * (SIDE + GAP_X) + 8
    width = max(width, 640)
    height = TOP + 2 * block + 16
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'font-family="Helvetica, Arial, sans-serif" font-size="11" fill="#222">',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        f'<text x="{LEFT}" y="24" font-size="15" font-weight="bold">{escape(title)}</text>',
        f'<text x="{LEFT}" y="42" fill="#555">held (upwards) against said; on the diagonal all is right, above it '
        "too much is held, below it too little.</text>",
        f'<text x="{LEFT}" y="57" fill="#555">Grey: the bands to be in. Bars: 99.9 % intervals. Lines: by the '
        "distribution itself, points: by the areas and times that are told.</text>",
        *_legend(74),
    ]
    for b, of in enumerate(("area", "time")):
        y = TOP + b * block
        out.append(f'<text x="{LEFT}" y="{y + 14}" font-size="13" font-weight="bold">{WORDS[of]}</text>')
        for i, family in enumerate(families):
            at = LEFT + (i % ACROSS) * (SIDE + GAP_X), y + 44 + (i // ACROSS) * (SIDE + GAP_Y)
            mine = [c for c in cells if c.family == family and c.of == of and c.body == ""]
            lines = [c for c in curves if c.family == family and c.of == of]
            out += _panel(*at, family, mine, lines, i % ACROSS == 0)
    return "\n".join([*out, "</svg>", ""])


def sigmas(p: float) -> float:
    """The place of a probability on an axis, from 0 to `MOST`."""
    return float(norm.ppf(0.5 + 0.5 * min(p, HIGHEST)))


def _legend(y: float) -> list[str]:
    out, x = [], float(LEFT)
    for lead, colour in zip(LEADS, COLOURS, strict=True):
        label = f"{lead} s before impact" if lead else "first forecast"
        out.append(f'<circle cx="{x + 5:.1f}" cy="{y}" r="4" fill="{colour}"/>')
        out.append(f'<text x="{x + 13:.1f}" y="{y + 4}">{label}</text>')
        x += 26.0 + 5.6 * len(label)
    return out


def _panel(
    x0: float, y0: float, family: str, cells: Sequence[Cell], curves: Sequence[Curve], labelled: bool
) -> list[str]:
    def across(v: float) -> float:
        return x0 + SIDE * v / MOST

    def up(p: float) -> float:
        return y0 + SIDE * (1.0 - sigmas(p) / MOST)

    known = family_of(family)
    words = f": {known.words}" if known else ""
    most = max((c.forecasts for c in cells), default=0)
    out = [
        f'<text x="{x0}" y="{y0 - 6:.1f}"><tspan font-weight="bold">{escape(family)}</tspan>'
        f'<tspan fill="#555" font-size="9.5">{escape(words)}</tspan></text>',
        f'<text x="{x0 + 6}" y="{y0 + 14}" fill="#555" font-size="9.5">{most:,} flights</text>',
        f'<rect x="{x0}" y="{y0}" width="{SIDE}" height="{SIDE}" fill="none" stroke="#999"/>',
    ]
    for said, (low, high) in BANDS.items():
        left, right = across(sigmas(said) - 3.1 * SPREAD), across(sigmas(said) + 3.1 * SPREAD)
        out.append(
            f'<rect x="{left:.1f}" y="{up(high):.1f}" width="{right - left:.1f}" '
            f'height="{up(low) - up(high):.1f}" fill="#d9d9d9"/>'
        )
    out.append(
        f'<line x1="{x0}" y1="{y0 + SIDE}" x2="{x0 + SIDE}" y2="{y0}" stroke="#999" stroke-dasharray="3 3"/>'
    )
    for p in TICKS:
        label = f"{100 * p:g}"
        anchor = "end" if p == TICKS[-1] else "middle"
        out.append(
            f'<text x="{across(sigmas(p)):.1f}" y="{y0 + SIDE + 13}" text-anchor="{anchor}">{label}</text>'
        )
        if labelled:
            out.append(f'<text x="{x0 - 5}" y="{up(p) + 4:.1f}" text-anchor="end">{label}</text>')
    for curve in curves:
        colour = COLOURS[LEADS.index(curve.lead)]
        points = " ".join(
            f"{across(sigmas(s)):.1f},{up(h):.1f}" for s, h in zip(SAID, curve.held, strict=True)
        )
        out.append(
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-opacity="0.55" stroke-width="1.1"/>'
        )
    for cell in cells:
        k = LEADS.index(cell.lead)
        x = across(sigmas(cell.said) + SPREAD * (k - 0.5 * (len(LEADS) - 1)))
        out.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{up(cell.low):.1f}" y2="{up(cell.high):.1f}" '
            f'stroke="{COLOURS[k]}" stroke-width="1.6"/>'
        )
        out.append(f'<circle cx="{x:.1f}" cy="{up(cell.share):.1f}" r="2.6" fill="{COLOURS[k]}"/>')
    return out
