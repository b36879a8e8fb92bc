"""What ``tocsin inspect`` says of orbits that decay."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tocsin.prediction.forecast import DecayWindow

MOST = 12  # windows of a body told one by one, the newest
WIDTH = 100


def decays(told: Sequence[DecayWindow]) -> dict[str, Any]:
    """The windows of some bodies as plain values, in order; nothing where there are none."""
    return {"windows": [_plain(one) for one in told]} if told else {}


def _plain(told: DecayWindow) -> dict[str, Any]:
    from tocsin.formats.geojson import moment
    from tocsin.formats.windows import sentence, span_s

    first, middle, last = (moment(t) if math.isfinite(t) else None for t in span_s(told))
    return {
        "issued": moment(told.issued_s),
        "body": told.body,
        "tracks": list(told.tracks),
        "passes": told.passes,
        "state_time": moment(told.state_s),
        "down_05": first,
        "down_50": middle,
        "down_95": last,
        "drag_known_to": None if math.isnan(told.drag_sigma) else round(told.drag_sigma, 3),
        "perigee_km": None if math.isnan(told.perigee_m) else round(told.perigee_m / 1e3, 1),
        "apogee_km": None if math.isnan(told.apogee_m) else round(told.apogee_m / 1e3, 1),
        "ended": told.reason or None,
        "text": sentence(told),
    }


def decay_lines(found: dict[str, Any]) -> list[str]:
    """The same for a person; nothing where there are none."""
    lines: list[str] = []
    windows = found.get("windows", [])
    for body in dict.fromkeys(one["body"] for one in windows):
        own = [one for one in windows if one["body"] == body]
        tracks = own[-1]["tracks"]
        lines.append(f"Orbit of {body} that decays ({_tracks(tracks)}), windows for operators")
        if len(own) > MOST:
            lines.append(f"  {len(own) - MOST} earlier ones left out")
        for one in own[-MOST:]:
            lines += textwrap.wrap(
                f"  {one['issued'][11:16]}  {one['text']}{_from(one)}", WIDTH, subsequent_indent=" " * 9
            )
    return lines


def _tracks(names: list[str]) -> str:
    return "seen once" if len(names) == 1 else f"its {len(names)} tracks: {', '.join(names)}"


def _from(one: dict[str, Any]) -> str:
    """What a window was made from."""
    if one["ended"]:
        return ""
    passes = f"{one['passes']} pass{'es' * (one['passes'] > 1)}"
    drag = one["drag_known_to"]
    told = "which tell nothing of its drag yet" if one["passes"] > 1 else "which tells nothing of its drag"
    if drag is not None:
        told = f"which tell its drag to {100 * drag:.0f} %"
    return f" From {passes}, {told}; orbit {one['perigee_km']:.0f} x {one['apogee_km']:.0f} km."
