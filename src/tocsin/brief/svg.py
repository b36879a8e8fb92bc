"""Drawing as SVG text: marks, lines and labels that keep out of each other's way. Coordinates are pixels, y down."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

import numpy as np

from tocsin.sensors.plots import Floats

WIDTH = 720.0  # of a figure as wide as the text: a pixel is 0.236 mm on paper
INK, SOFT, LINE, PAPER = "#14181d", "#5a6470", "#c9ced4", "#ffffff"
ALERT, READY, CLEAR, WATCH = "#b80d28", "#d98200", "#0a6b42", "#6d7c8c"
FONT = "Libertinus Serif, Georgia, serif"
CHARACTER = 0.57  # mean width of a character over its size, in the widest of the fonts that may be there


class Box(NamedTuple):
    """A rectangle that is taken."""

    left: float
    top: float
    right: float
    bottom: float


def n(value: float) -> str:
    """A coordinate, to a tenth of a pixel."""
    text = f"{value:.1f}"
    return text[:-2] if text.endswith(".0") else text


def drawing(width: float, height: float, parts: Sequence[str], words: str) -> str:
    """The whole drawing; words say what it shows to those who do not see it."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {n(width)} {n(height)}" width="{n(width)}" '
        f'height="{n(height)}" role="img" aria-label="{escape(words)}" font-family="{FONT}">'
    )
    return head + "".join(parts) + "</svg>"


def text(
    x: float, y: float, words: str, size: float = 11.0, fill: str = INK, anchor: str = "start",
    bold: bool = False, halo: bool = False, italic: bool = False,
) -> str:  # fmt: skip
    """Words; x, y: of the baseline."""
    more = ' font-weight="bold"' if bold else ""
    more += ' font-style="italic"' if italic else ""
    if halo:
        more += f' stroke="{PAPER}" stroke-width="2.6" stroke-linejoin="round" paint-order="stroke"'
    where = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return (
        f'<text x="{n(x)}" y="{n(y)}" font-size="{n(size)}" fill="{fill}"{where}{more}>{escape(words)}</text>'
    )


def rect(box: Box, fill: str, stroke: str = "none", width: float = 1.0, opacity: float = 1.0) -> str:
    """A rectangle."""
    seen = "" if opacity == 1.0 else f' fill-opacity="{opacity:g}"'
    edge = "" if stroke == "none" else f' stroke="{stroke}" stroke-width="{n(width)}"'
    return (
        f'<rect x="{n(box.left)}" y="{n(box.top)}" width="{n(box.right - box.left)}" '
        f'height="{n(box.bottom - box.top)}" fill="{fill}"{seen}{edge}/>'
    )


def line(points: Floats, stroke: str, width: float = 1.0, dash: str = "", opacity: float = 1.0) -> str:
    """A line through points (n, 2)."""
    more = f' stroke-dasharray="{dash}"' if dash else ""
    more += "" if opacity == 1.0 else f' stroke-opacity="{opacity:g}"'
    joined = ' stroke-linejoin="round" stroke-linecap="round"'
    return (
        f'<path d="{_path(points)}" fill="none" stroke="{stroke}" stroke-width="{n(width)}"{joined}{more}/>'
    )


def shape(
    rings: Sequence[Floats],
    fill: str,
    stroke: str = "none",
    width: float = 1.0,
    opacity: float = 1.0,
    dash: str = "",
) -> str:
    """Rings (n, 2) filled by the even-odd rule."""
    d = "".join(f"{_path(ring)}Z" for ring in rings)
    if not d:
        return ""
    seen = "" if opacity == 1.0 else f' fill-opacity="{opacity:g}"'
    edge = "" if stroke == "none" else f' stroke="{stroke}" stroke-width="{n(width)}" stroke-linejoin="round"'
    edge += f' stroke-dasharray="{dash}"' if dash else ""
    return f'<path d="{d}" fill="{fill}" fill-rule="evenodd"{seen}{edge}/>'


def dot(x: float, y: float, radius: float, fill: str, stroke: str = "none", width: float = 1.0) -> str:
    """A disc."""
    edge = "" if stroke == "none" else f' stroke="{stroke}" stroke-width="{n(width)}"'
    return f'<circle cx="{n(x)}" cy="{n(y)}" r="{n(radius)}" fill="{fill}"{edge}/>'


def _path(points: Floats) -> str:
    rounded = np.round(np.asarray(points, float), 1)
    kept = rounded[np.concatenate([[True], (np.diff(rounded, axis=0) != 0.0).any(axis=1)])]
    return "M" + "L".join(f"{n(x)} {n(y)}" for x, y in kept.tolist())


def words_box(x: float, y: float, words: str, size: float, anchor: str = "start") -> Box:
    """The room that words take."""
    wide = CHARACTER * size * len(words)
    left = x - (wide if anchor == "end" else wide / 2.0 if anchor == "middle" else 0.0)
    return Box(left, y - 0.8 * size, left + wide, y + 0.25 * size)


def clear(box: Box, taken: Sequence[Box], within: Box) -> bool:
    """Whether a box lies inside and touches none."""
    inside = (
        box.left >= within.left
        and box.right <= within.right
        and box.top >= within.top
        and box.bottom <= within.bottom
    )
    return inside and not any(
        box.left < other.right
        and other.left < box.right
        and box.top < other.bottom
        and other.top < box.bottom
        for other in taken
    )


def beside(
    x: float, y: float, words: str, size: float, gap: float, taken: list[Box], within: Box,
    fill: str = INK, bold: bool = False,
) -> str:  # fmt: skip
    """Words beside a mark, on the first side where there is room, which is then taken; nothing where there is none."""
    for dx, dy, anchor in (
        (gap, 0.32 * size, "start"), (-gap, 0.32 * size, "end"),
        (0.0, -gap, "middle"), (0.0, gap + 0.8 * size, "middle"),
        (0.7 * gap, -0.7 * gap, "start"), (0.7 * gap, 0.7 * gap + 0.7 * size, "start"),
        (-0.7 * gap, -0.7 * gap, "end"), (-0.7 * gap, 0.7 * gap + 0.7 * size, "end"),
    ):  # fmt: skip
        box = words_box(x + dx, y + dy, words, size, anchor)
        if clear(box, taken, within):
            taken.append(box)
            return text(x + dx, y + dy, words, size, fill, anchor, bold, halo=True)
    return ""
