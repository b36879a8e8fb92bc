"""What is told of bodies, as footprints: those that touch united, and what was told lately kept beside them.

A place that was told to take cover stays in the area for a while (`Settings.stay_s`), so that nobody at its edge is
told again and again.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import shapely
from shapely.geometry import Polygon

from tocsin.warning.bodies import LEAP_COSINE, Body
from tocsin.warning.chains import GRID_M, Fresh, Standing
from tocsin.warning.outline import closed, parts_of, simplified
from tocsin.warning.plane import Outline, centre_of, filled, moved, near_each_other, radius_m
from tocsin.warning.settings import Settings

# What is further apart than this stays apart, if it fits in a message.
GAPS_M = (0.0, 500.0, 1e3, 2e3, 5e3, 10e3, 20e3, 50e3, 100e3)
JOIN = 0.6  # of a gap: gaps so much narrower than twice this are filled, so that what stands so far apart is joined
POLYGON_CORNERS = 2  # a polygon takes the room of so many corners more: its tags, and the first corner again
LEAST_WIDTH_M = 5.0  # of what is told anew; narrower is the rounding of corners to 11 m


def footprints(
    bodies: Sequence[Body], settings: Settings, kept: Sequence[Fresh] = ()
) -> tuple[Standing, ...]:
    """The outlines of bodies, those that touch united, in as few corners as a message has room for.

    kept: places that stay told beside them, each with the nearest.
    """
    most = settings.message_corners // (settings.least_corners + POLYGON_CORNERS)
    for gap_m in GAPS_M:
        groups = _clusters(bodies, gap_m)
        if len(groups) > most and gap_m < GAPS_M[-1]:
            continue
        wholes = [
            _whole(group, gap_m, beside, settings)
            for group, beside in zip(groups, _shared(kept, groups), strict=True)
        ]
        if sum(len(parts_of(whole)) for whole in wholes) <= most:
            break
    else:
        wholes = [filled(whole.convex_hull) for whole in wholes]
    limits = iter(_shares([len(p.exterior.coords) - 1 for w in wholes for p in parts_of(w)], settings))
    out: list[Standing] = []
    for group, whole in zip(groups, wholes, strict=True):
        tracks = tuple(body.track for body in group)
        for part in parts_of(whole):
            most = next(limits)
            # what is one body's is simple already
            fewer = part if len(part.exterior.coords) - 1 <= most else simplified(part, most)
            out.extend(Standing(group[0].plane, one, tracks) for one in parts_of(fewer))
    return tuple(out)


def _shares(counts: Sequence[int], settings: Settings) -> list[int]:
    """How many corners each polygon may have, of so many that it has: what one leaves is there for the others."""
    left = settings.message_corners - POLYGON_CORNERS * len(counts)
    out = [0] * len(counts)
    for done, i in enumerate(sorted(range(len(counts)), key=lambda i: counts[i])):
        share = left // (len(counts) - done)
        out[i] = max(settings.least_corners, min(settings.united_corners, share))
        left -= min(counts[i], out[i])
    return out


def _whole(group: Sequence[Body], gap_m: float, kept: Sequence[Fresh], settings: Settings) -> Outline:
    """What is told for bodies near each other, in the plane of the first."""
    plane = group[0].plane
    shapes = [moved(body.outline, body.plane, plane) for body in group if body.outline is not None]
    whole = filled(shapely.union_all(shapes))
    if kept:
        whole = filled(
            shapely.union_all(
                [whole, *(moved(one.polygon, one.plane, plane) for one in kept)], grid_size=GRID_M
            )
        )
    several = len(group) + len(kept) > 1 or (gap_m > 0.0 and len(parts_of(whole)) > 1)
    return closed(whole, max(settings.margin_m, JOIN * gap_m)) if several else whole


def _shared(kept: Sequence[Fresh], groups: Sequence[Sequence[Body]]) -> list[list[Fresh]]:
    """What is kept, by the group of bodies nearest to it; what no plane shows together with any is let go."""
    out: list[list[Fresh]] = [[] for _ in groups]
    for one in kept:
        apart_m = [
            min(
                one.polygon.distance(moved(body.outline, body.plane, one.plane))
                if body.outline is not None
                and float(np.dot(body.plane.axes[2], one.plane.axes[2])) > LEAP_COSINE
                else math.inf
                for body in group
            )
            for group in groups
        ]
        if math.isfinite(nearest := min(apart_m)):
            out[apart_m.index(nearest)].append(one)
    return out


def entered(before: Sequence[Standing], after: Sequence[Standing], now_s: float) -> tuple[Fresh, ...]:
    """What is in force after a message that was not before it."""
    out: list[Fresh] = []
    for one in after:
        old = [
            moved(was.polygon, was.plane, one.plane)
            for was in before
            if near_each_other(one.plane, one.polygon, was.plane, was.polygon, 0.0)
        ]
        new = one.polygon.difference(shapely.union_all(old)) if old else one.polygon
        wide = new.buffer(-LEAST_WIDTH_M / 2.0, quad_segs=2).buffer(LEAST_WIDTH_M / 2.0, quad_segs=2)
        out.extend(
            Fresh(now_s, one.plane, part, one.tracks)
            for part in shapely.get_parts(wide)
            if isinstance(part, Polygon) and part.area
        )
    return tuple(out)


def area_km2(standing: Sequence[Standing]) -> float:
    """Together."""
    return float(sum(one.polygon.area for one in standing)) / 1e6


def _clusters(bodies: Sequence[Body], gap_m: float) -> list[list[Body]]:
    """Bodies in groups whose outlines are within a distance of each other."""
    shapes = [(body.plane, body.outline) for body in bodies if body.outline is not None]
    centres = np.array([centre_of(plane, outline) for plane, outline in shapes])
    radii_m = np.array([radius_m(outline) for _, outline in shapes])
    apart_m = shapes[0][0].radius_m * np.arccos(np.clip(centres @ centres.T, -1.0, 1.0))
    group = list(range(len(shapes)))
    for i, j in np.argwhere(np.triu(apart_m <= radii_m[:, None] + radii_m + gap_m, 1)).tolist():
        if group[i] == group[j]:
            continue
        (plane, outline), (other_plane, other) = shapes[i], shapes[j]
        if outline.distance(moved(other, other_plane, plane)) <= gap_m:
            low, high = sorted((group[i], group[j]))
            group = [low if one == high else one for one in group]
    return [
        [body for body, one in zip(bodies, group, strict=True) if one == number]
        for number in dict.fromkeys(group)
    ]
