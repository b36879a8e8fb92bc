"""Zones and messages made for tests."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import shapely

from tests.warning.synthetic import NOON_S
from tocsin.warning.alert import Message
from tocsin.warning.zones import Zones, make_zones


def zones_of(
    shapes: dict[str, object],
    aliases: dict[str, str] | None = None,
    shelter_s: dict[str, float] | None = None,
    names: dict[str, tuple[tuple[str, str], ...]] | None = None,
    version: str = "2026-10",
) -> Zones:
    """Zones from shapes by code; aliases lead to codes."""
    codes = list(shapes)
    return make_zones(
        version,
        "tocsin:zone",
        codes,
        [(names or {}).get(code, ()) for code in codes],
        list(shapes.values()),
        {alias: codes.index(code) for alias, code in (aliases or {}).items()},
        np.array([(shelter_s or {}).get(code, math.nan) for code in codes]),
    )


def grid(west: float, south: float, columns: int, rows: int, step: float = 0.2) -> dict[str, object]:
    """Square zones, Z-COLUMN-ROW."""
    return {
        f"Z-{i}-{j}": shapely.box(
            west + i * step, south + j * step, west + (i + 1) * step, south + (j + 1) * step
        )
        for i in range(columns)
        for j in range(rows)
    }


def said(
    number: int,
    at_s: float,
    zones: Sequence[str],
    stage: str = "take-cover",
    after: Sequence[Message] = (),
    lasts_s: float = 3600.0,
    incident: str = "one",
) -> Message:
    """A message about zones, ``after`` those that it replaces; times from noon."""
    kind = {"withdrawn": "Cancel"}.get(stage, "Update" if after else "Alert")
    return Message(
        incident=incident,
        sequence=number,
        identifier=f"tocsin-{incident}-{number:04d}",
        kind=kind,
        stage=stage,
        status="Exercise",
        sent_s=NOON_S + at_s,
        onset_s=NOON_S + at_s,
        expires_s=NOON_S + at_s + lasts_s,
        references=tuple((one.identifier, one.sent_s) for one in after),
        footprints=(),
        texts=(),
        reason="",
        zones=tuple(zones),
        geocode_name="tocsin:zone",
    )
