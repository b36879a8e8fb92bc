"""What happened to incidents, one JSON object a line: changes of stage, messages, merges.

The contract stands in docs/recording.md.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

from tocsin.formats.geojson import moment
from tocsin.warning.alert import Change, Merged, Message


def events_jsonl(happenings: Sequence[Change | Merged | Message]) -> bytes:
    """All that happened, in order, as JSON Lines."""
    rows = (json.dumps(_row(one), ensure_ascii=False, allow_nan=False) + "\n" for one in happenings)
    return "".join(rows).encode()


def _row(one: Change | Merged | Message) -> dict[str, Any]:
    at_s = one.sent_s if isinstance(one, Message) else one.at_s
    common = {"time": moment(at_s).replace("Z", "+00:00"), "incident": one.incident}
    if isinstance(one, Merged):
        return {**common, "kind": "merged", "into": one.into}
    if isinstance(one, Message):
        tracks = sorted({track for footprint in one.footprints for track in footprint.tracks})
        return {
            **common,
            "kind": "message",
            "identifier": one.identifier,
            "msgType": one.kind,
            "stage": one.stage,
            "reason": one.reason,
            "area_km2": _rounded(one.area_km2, 3),
            "people": sum(footprint.population for footprint in one.footprints),
            "tracks": tracks,
        }
    return {
        **common,
        "kind": "stage",
        "from": one.before or None,
        "to": one.after,
        "reason": one.reason,
        "probability": _rounded(one.probability, 4),
        "held": _rounded(one.held, 4),
        "peak_per_km2": None if one.peak_per_km2 is None else float(f"{one.peak_per_km2:.4g}"),
        "time_left_s": _rounded(one.time_left_s, 1),
        "plots": one.plots,
        "tracks": list(one.tracks),
        "area_km2": _rounded(one.area_km2, 3),
    }


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None or not math.isfinite(value) else round(value, digits)
