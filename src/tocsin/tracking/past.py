"""Scans of the last while, and the beliefs before them: where late plots are put in their place.

A late plot takes up the belief before its scan, or before an earlier one, from where the scans are then taken again.
Where beliefs are of thousands of tracks, the fewer are kept the farther back: the scans between two of them are few
beside those that are to be taken again anyway. So there are some twenty of them, and not one for every scan.
"""

from __future__ import annotations

from collections.abc import Sequence

from tocsin.tracking.belief import Belief, Past
from tocsin.tracking.waiting import LATEST_S

PLENTY = 20_000  # tracks, in all beliefs together, up to which all are kept: some 60 MB
APART = 0.25  # of its age: a belief with one on either side of it so near to each other is let go


def thinned(past: Sequence[Past]) -> list[Past]:
    """The scans that a late plot may belong to as of the last one, the first of them with the belief before it."""
    if len(past) == 0:
        return []
    now_s = past[-1].at_s
    out = list(past[resumed(past, sum(p.at_s <= now_s - LATEST_S for p in past))[0] :])
    held = [(k, p.before) for k, p in enumerate(out) if p.before is not None]
    if sum(len(before.table.number) for _, before in held) <= PLENTY:
        return out
    last = 0  # of those that stay, the one before
    for i in range(1, len(held) - 1):
        k, after = held[i][0], held[i + 1][0]
        if out[after].at_s - out[last].at_s <= APART * (now_s - out[k].at_s):
            out[k] = out[k]._replace(before=None)
        else:
            last = k
    return out


def resumed(past: Sequence[Past], place: int) -> tuple[int, Belief]:
    """The last scan up to a place that the belief before is kept of, and that belief."""
    while (before := past[place].before) is None:
        place -= 1
    return place, before
