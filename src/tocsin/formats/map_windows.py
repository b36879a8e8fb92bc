"""Windows of decaying orbits on the map page: lines of the globe, and a list in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np

from tocsin.formats.map_words import clock
from tocsin.formats.windows import part_of, sentence, turn_s
from tocsin.prediction.forecast import DecayWindow
from tocsin.units import DEGREE_RAD

DEGREE_UNITS, TIME_UNITS = 1e4, 10.0  # as in `map_data`
MOST_TURNS = 12.0  # of a line that is drawn: with more the globe is full of it and says nothing
MOST_LISTED = 40


def window_lines(told: Sequence[DecayWindow], start_s: float, end_s: float) -> list[list[Any]]:
    """One row a window: from, until (tenths of a second), its track of 5 to 95 % as differences of lon, lat."""
    rows: list[list[Any]] = []
    for i, one in enumerate(told):
        part = part_of(one)
        turns = float(part[-1, 2] - part[0, 2]) / turn_s(one) if len(part) > 1 else math.inf
        if not turns <= MOST_TURNS:
            continue
        until_s = next((t.issued_s for t in told[i + 1 :] if t.body == one.body), max(end_s, one.issued_s))
        longitude = np.unwrap(part[:, 1] / DEGREE_RAD, period=360.0)
        points = np.round(np.column_stack([longitude, part[:, 0] / DEGREE_RAD]) * DEGREE_UNITS).astype(int)
        steps = np.vstack([points[:1], np.diff(points, axis=0)])
        times = [round((t - start_s) * TIME_UNITS) for t in (one.issued_s, until_s)]
        rows.append([*times, [int(v) for v in steps.ravel()]])
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
