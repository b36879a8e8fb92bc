"""What became of the zones of one version in the next: a zone that changes its name must not lose its people."""

from __future__ import annotations

from typing import NamedTuple

from tocsin.warning.zones import Zones, touches

TRIFLE = 0.01  # borders redrawn by less than this share of a zone are the same
MOST = 0.9  # a zone with this share of an old one is its successor, and not one of several parts


class Fate(NamedTuple):
    """What became of one zone."""

    code: str  # in the old version; in the new one where ``what`` is new
    # kept, moved (same code, other borders), renamed, unnamed (renamed without an alias), split, removed, new
    what: str
    into: tuple[tuple[str, float], ...]  # zones of the new version and the share of the old zone in them


def fates(old: Zones, new: Zones) -> tuple[Fate, ...]:
    """What became of each zone of ``old``, in its order, and then the zones of ``new`` that come from none of them."""
    out = [_fate(row, old, new) for row in range(len(old.codes))]
    heirs = {code for fate in out if fate.what in ("renamed", "unnamed", "split") for code, _ in fate.into}
    fresh = [code for code in new.codes if code not in old.rows and code not in heirs]
    return (*out, *(Fate(code, "new", ()) for code in fresh))


def _fate(row: int, old: Zones, new: Zones) -> Fate:
    code, area_km2 = old.codes[row], float(old.area_km2[row])
    found = touches([old.shapes[row]], new)
    share = {touch.code: min(1.0, touch.overlap_km2 / area_km2) for touch in found}
    if code in new.rows:
        now_km2 = float(new.area_km2[new.rows[code]])
        held = share.get(code, 0.0)
        same = held >= 1.0 - TRIFLE and abs(now_km2 - area_km2) <= TRIFLE * area_km2
        return Fate(code, "kept" if same else "moved", ((code, held),))
    if code in new.aliases:
        heir = new.codes[new.aliases[code]]
        return Fate(code, "renamed", ((heir, share.get(heir, 0.0)),))
    parts = tuple((heir, part) for heir, part in share.items() if part >= TRIFLE)
    if not parts:
        return Fate(code, "removed", ())
    return Fate(code, "unnamed", parts[:1]) if parts[0][1] >= MOST else Fate(code, "split", parts)
