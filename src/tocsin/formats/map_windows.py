"""Windows of decaying orbits on the map page: lines of the globe, and a list in words."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np

from tocsin.formats.map_units import DEGREE_UNITS, tenths, unwrapped
from tocsin.formats.map_words import clock
from tocsin.formats.windows import part_of, sentence, turns_of
from tocsin.prediction.forecast import DecayWindow
from tocsin.units import DEGREE_RAD

MOST_TURNS = 12.0  # of a line that is drawn: with more the globe is full of it and says nothing
MOST_LISTED = 40


def window_lines(told: Sequence[DecayWindow], start_s: float, end_s: float) -> list[list[Any]]:
    """One row a window: from, until (tenths of a second), its track of 5 to 95 % as differences of lon, lat."""
    rows: list[list[Any]] = []
    for i, one in enumerate(told):
        part = part_of(one)
        if not turns_of(one) <= MOST_TURNS:
            continue
        until_s = next((t.issued_s for t in told[i + 1 :] if t.body == one.body), max(end_s, one.issued_s))
        longitude = unwrapped(part[:, 1] / DEGREE_RAD)
        points = np.round(np.column_stack([longitude, part[:, 0] / DEGREE_RAD]) * DEGREE_UNITS).astype(int)
        steps = np.vstack([points[:1], np.diff(points, axis=0)])
        rows.append(
            [tenths(one.issued_s - start_s), tenths(until_s - start_s), [int(v) for v in steps.ravel()]]
        )
    return rows


def window_list(told: Sequence[DecayWindow]) -> str:
    """The windows in words, the newest first; nothing where there are none."""
    if not told:
        return ""
    newest = list(reversed(told))
    items = [
        f"<li><time>{clock(one.issued_s)}</time> {escape(sentence(one))}</li>" for one in newest[:MOST_LISTED]
    ]
    more = len(newest) - len(items)
    rest = f"<li>{more} earlier ones stand in windows.parquet.</li>" if more else ""
    return (
        '<section class="windows" lang="en"><h2>Orbits that decay (for operators)</h2>'
        f"<ul>{''.join(items)}{rest}</ul></section>"
    )
