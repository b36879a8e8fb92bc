"""Warning time: since when messages in force have held an impact without a break, and alarm around nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import shapely
from pyproj import Transformer

from tocsin.earth.ellipsoid import geodetic_to_ecef
from tocsin.metrics.paths import DANGEROUS, Impact
from tocsin.sensors.plots import Floats

GAP_S = 1.0  # of broken cover that does not break a lead time
AFTERMATH_S = 120.0  # after an impact, during which an alert around it is not false
BEFORE_S = 60.0  # before an impact, when it counts how sharp the message in force is
LONGEST_S = 86400.0  # at most so much of a message counts as false


class Notice(NamedTuple):
    """What counts of one public message."""

    identifier: str
    kind: str  # Alert, Update or Cancel
    start_s: float
    expires_s: float  # infinity where it says none
    clear: bool  # an all-clear: warns of nothing
    references: tuple[str, ...]
    polygons: tuple[Floats, ...]  # rings (n, 2) of lat, lon in degrees


class Cover(NamedTuple):
    """A message in force over an impact."""

    start_s: float
    end_s: float
    area_km2: float
    holds: int  # dangerous impacts inside


class Lead(NamedTuple):
    """How a dangerous impact was warned of."""

    impact: Impact
    lead_s: float | None  # None: missed
    first_covered_s: float | None
    area_at_impact_km2: float | None
    lead_100_s: float  # by messages of at most 100 km2 an impact inside; 0 where none
    lead_1000_s: float
    area_before_km2: (
        float | None
    )  # an impact inside, of the sharpest message in force BEFORE_S before; None: none was


class Warned(NamedTuple):
    """All leads of a recording, and what was false."""

    leads: tuple[Lead, ...]
    false_km2_min: float
    around_nothing: int  # messages that hold no impact of any kind
    chains: int
    chains_around_nothing: int
    alerted_km2: float  # union of all that was ever alerted
    in_force_at_end: int


def plane(latitude_deg: float, longitude_deg: float) -> Transformer:
    """To metres east and north of a place (azimuthal equidistant), from (lon, lat) in degrees."""
    # written out: from two systems PROJ looks for a way between them for 10 ms, and finds this one
    return Transformer.from_pipeline(
        "+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad "
        f"+step +proj=aeqd +lat_0={latitude_deg:.9f} +lon_0={longitude_deg:.9f} +ellps=WGS84"
    )


def numbered(notices: Sequence[Notice]) -> list[int]:
    """Of each message the number of the alert that it begins, from 1, or goes on with: of several, the oldest."""
    numbers: dict[str, int] = {}
    begun = 0
    for notice in notices:
        before = [numbers[one] for one in notice.references if one in numbers]
        begun += not before
        numbers[notice.identifier] = min(before, default=begun)
    return [numbers[notice.identifier] for notice in notices]


def in_force(notices: Sequence[Notice]) -> tuple[list[float], list[str]]:
    """When each message ends, and the first message of its chain.

    It ends at its ``expires``, or when an Update or Cancel refers to it or to any message of
    its chain.
    """
    ends = [n.expires_s for n in notices]
    chain: dict[str, str] = {}
    index = {n.identifier: i for i, n in enumerate(notices)}
    for notice in notices:
        roots = {chain[r] for r in notice.references if r in chain}
        root = notice.identifier
        if notice.kind != "Alert" and roots:
            root = min(roots)
            for name in [n for n, r in chain.items() if r in roots]:
                ends[index[name]] = min(ends[index[name]], notice.start_s)
                chain[name] = root
        chain[notice.identifier] = root
    return ends, [chain[n.identifier] for n in notices]


def warned(notices: Sequence[Notice], impacts: Sequence[Impact], end_s: float) -> Warned:
    """Judge the messages of a replay, in the order sent, by where things came down."""
    ends, chains = in_force(notices)
    live = [i for i, n in enumerate(notices) if n.kind != "Cancel" and n.polygons and not n.clear]
    shapes, frames = {}, {}
    for i in live:
        corners = np.concatenate(notices[i].polygons)
        middle = geodetic_to_ecef(np.radians(corners[:, 0]), np.radians(corners[:, 1]), 0.0).mean(axis=0)
        latitude = math.degrees(math.atan2(middle[2], math.hypot(middle[0], middle[1])))
        frames[i] = plane(latitude, math.degrees(math.atan2(middle[1], middle[0])))
        shapes[i] = _united(notices[i].polygons, frames[i])
    held = {i: [h for h in impacts if _holds(shapes[i], frames[i], h)] for i in live}
    covers = {
        i: Cover(notices[i].start_s, ends[i], shapes[i].area / 1e6, sum(h.kind in DANGEROUS for h in held[i]))
        for i in live
    }
    leads = []
    for impact in impacts:
        if impact.kind in DANGEROUS:
            over = [covers[i] for i in live if impact in held[i] and ends[i] > notices[i].start_s]
            leads.append(_lead(impact, over))
    false, alone = 0.0, []
    for i in live:
        start_s = notices[i].start_s
        just_s = max((h.time_s + AFTERMATH_S for h in held[i]), default=-math.inf)
        false += (
            covers[i].area_km2 * max(0.0, min(ends[i], start_s + LONGEST_S) - max(start_s, just_s)) / 60.0
        )
        if just_s < start_s:
            alone.append(i)
    good = {chains[i] for i in live if i not in alone}
    all_chains = {chains[i] for i in live}
    return Warned(
        tuple(leads),
        false,
        len(alone),
        len(all_chains),
        len(all_chains - good),
        _alerted_km2([notices[i] for i in live], [frames[i] for i in live]),
        sum(ends[i] > end_s and notices[i].start_s <= end_s for i in live),
    )


def _united(polygons: Sequence[Floats], frame: Transformer) -> shapely.Geometry:
    rings = [np.column_stack(frame.transform(p[:, 1], p[:, 0])) for p in polygons]
    return shapely.union_all([shapely.make_valid(shapely.Polygon(r)) for r in rings])


def _holds(shape: shapely.Geometry, frame: Transformer, impact: Impact) -> bool:
    east, north = frame.transform(impact.longitude_deg, impact.latitude_deg)
    if not (math.isfinite(east) and math.isfinite(north)):
        return False
    return bool(shapely.covers(shape, shapely.Point(east, north)))


def _lead(impact: Impact, covers: list[Cover]) -> Lead:
    start_s, area = _unbroken(covers, impact.time_s)
    first = min((c.start_s for c in covers), default=math.inf)
    by_area = []
    for limit in (100.0, 1000.0):
        sharp, _ = _unbroken([c for c in covers if c.area_km2 <= limit * c.holds], impact.time_s)
        by_area.append(0.0 if sharp is None else impact.time_s - sharp)
    return Lead(
        impact,
        None if start_s is None else impact.time_s - start_s,
        impact.time_s - first if first < impact.time_s else None,
        area,
        by_area[0],
        by_area[1],
        min(
            (c.area_km2 / max(c.holds, 1) for c in covers if c.start_s <= impact.time_s - BEFORE_S < c.end_s),
            default=None,
        ),
    )


def _unbroken(covers: list[Cover], end_s: float) -> tuple[float | None, float | None]:
    """Since when some cover held without a break up to the end, and the area of the last one."""
    now = [c for c in covers if c.start_s < end_s <= c.end_s]
    if not now:
        return None, None
    last = min(now, key=lambda c: c.start_s)
    since = last.start_s
    while earlier := [c for c in covers if c.start_s < since and c.end_s >= since - GAP_S - 1e-6]:
        since = min(c.start_s for c in earlier)
    return since, last.area_km2


def _alerted_km2(notices: Sequence[Notice], frames: Sequence[Transformer]) -> float:
    """Area of the union of all messages, in planes that each reach some 1,500 km."""
    todo = list(zip(notices, frames, strict=True))
    total = 0.0
    while todo:
        frame = todo[0][1]
        near: list[tuple[Notice, Transformer]] = []
        far: list[tuple[Notice, Transformer]] = []
        for one in todo:
            corners = np.concatenate(one[0].polygons)
            east, north = frame.transform(corners[:, 1], corners[:, 0])
            close = np.hypot(np.mean(east), np.mean(north)) < 1.5e6
            (near if close else far).append(one)
        total += _united([p for one in near for p in one[0].polygons], frame).area / 1e6
        todo = far if near else []
    return total
