"""Outlines of alerted areas: enlarged, united, and simplified outward only.

All in a plane, metres (plane.py). No result has holes.
"""

from __future__ import annotations

import math

import shapely
from shapely import affinity
from shapely.geometry import MultiPolygon, Polygon

from tocsin.warning.plane import Outline, filled

Point = tuple[float, float]

SOLID = 0.8  # an area that fills this share of its convex hull is replaced by the hull
TRIFLE = 0.02  # corners go as long as all that they add is less than this share of the area
MOST_CORNERS = 100  # of a united outline, before it is fitted to its message
MOST_PARTS = 4  # an area in more pieces than this is replaced by its convex hull


def enlarged(area: Outline, scale: float, margin_m: float, corners: int) -> Outline:
    """An area, scaled about its middle, with a margin all round, in few corners."""
    hull = area.convex_hull
    base: Outline = hull if isinstance(hull, Polygon) and area.area >= SOLID * hull.area else filled(area)
    if isinstance(base, MultiPolygon) and len(base.geoms) > MOST_PARTS and isinstance(hull, Polygon):
        base = hull
    wide = affinity.scale(base, scale, scale, origin=base.centroid)
    if not isinstance(base, Polygon) or base is not hull:
        wide = wide.union(base)  # what is not convex may poke out of its own scaled image
    return simplified(filled(wide.buffer(margin_m, join_style="mitre", mitre_limit=2.0)), corners)


def enlarged_area_m2(area: Outline, scale: float, margin_m: float) -> float:
    """About what enlarged() will cover: exact for a convex area with round corners (Steiner's formula)."""
    hull = area.convex_hull
    base = hull if area.area >= SOLID * hull.area else area
    return float(scale**2 * base.area + scale * base.length * margin_m + math.pi * margin_m**2)


def parts_of(outline: Outline) -> tuple[Polygon, ...]:
    """The polygons of an outline."""
    return tuple(outline.geoms) if isinstance(outline, MultiPolygon) else (outline,)


def closed(outline: Outline, gap_m: float) -> Outline:
    """An outline without notches and gaps narrower than twice a distance; covers the given one."""
    wide = outline.buffer(gap_m, join_style="mitre", mitre_limit=2.0)
    # what is drawn in with mitred corners may cross itself by rounding, and nothing can be united with that
    narrow = shapely.make_valid(wide.buffer(-gap_m, join_style="mitre", mitre_limit=2.0))
    return simplified(filled(narrow.union(outline)), MOST_CORNERS)


def simplified(outline: Outline, corners: int) -> Outline:
    """An outline of at most so many corners a part that covers the given one.

    Corners go one at a time, the one that adds least area first: a corner that points inward is left
    out; an edge between two outward corners goes and its neighbours are drawn on until they meet.
    Where the outline then crosses itself, it is done again without the steps that make it so. Where that
    leaves too many corners, a mitred buffer round a Douglas-Peucker line does it, and at the last the
    smallest rotated rectangle.
    """
    whole = [_simplified(part, corners) for part in parts_of(outline)]
    return whole[0] if len(whole) == 1 else filled(shapely.union_all(whole))


def _simplified(polygon: Polygon, corners: int) -> Polygon:
    ring = _corners(shapely.orient_polygons(shapely.Polygon(polygon.exterior)))
    for careful in (False, True):
        out = shapely.Polygon(_fewer(ring, polygon.area, corners, careful))
        if _serves(out, polygon, corners):
            return out
    tolerance_m = 0.01 * math.sqrt(polygon.area)
    for _ in range(6):
        line = polygon.simplify(tolerance_m)
        out = filled(line.buffer(1.001 * tolerance_m, join_style="mitre", mitre_limit=2.0))
        if isinstance(out, Polygon) and len(out.exterior.coords) - 1 <= corners and out.covers(polygon):
            return out
        tolerance_m *= 2.0
    hull = shapely.orient_polygons(polygon.convex_hull)
    out = shapely.Polygon(_fewer(_corners(hull), hull.area, corners))
    if _serves(out, polygon, corners):
        return out
    box: Polygon = shapely.minimum_rotated_rectangle(polygon).buffer(0.01, join_style="mitre")
    return box


def _corners(polygon: Polygon) -> list[Point]:
    return [(x, y) for x, y, *_ in polygon.exterior.coords][:-1]


def _serves(out: Polygon, polygon: Polygon, corners: int) -> bool:
    """Whether a polygon is valid, has few enough corners and covers another."""
    few = len(out.exterior.coords) - 1 <= corners
    # the pad is larger than the rounding of a drawn-on corner
    return few and out.is_valid and bool(out.buffer(0.01, quad_segs=1).covers(polygon))


def _fewer(ring: list[Point], area_m2: float, corners: int, careful: bool = False) -> list[Point]:
    """Counter-clockwise ring with fewer corners, nothing lost; careful: no step after which it crosses itself."""
    steps = [_step(ring, i) for i in range(len(ring))]
    added = 0.0
    while len(ring) > 3:
        best = min(range(len(ring)), key=lambda i: steps[i][0])
        cost, corner = steps[best]
        if math.isinf(cost) or (len(ring) <= corners and added + cost > TRIFLE * area_m2):
            break
        n = len(ring)
        if corner is None:
            new, gone = ring[:best] + ring[best + 1 :], best
        else:
            gone = (best + 1) % n
            new = [corner if i == best else ring[i] for i in range(n) if i != gone]
        if careful and not shapely.Polygon(new).is_valid:
            steps[best] = (math.inf, None)
            continue
        added += cost
        ring = new
        del steps[gone]
        if corner is not None:
            best -= gone < best
        n = len(ring)
        for i in range(best - 2, best + 2):
            steps[i % n] = _step(ring, i % n)
    return ring


def _step(ring: list[Point], i: int) -> tuple[float, Point | None]:
    """What removing corner i (inward), or the edge from corner i to the next (outward), adds, and the new corner."""
    n = len(ring)
    a, b, c, d = ring[i - 1], ring[i], ring[(i + 1) % n], ring[(i + 2) % n]
    turn = _cross(a, b, c)
    if turn <= 0.0:
        return -turn / 2.0, None
    if _cross(b, c, d) <= 0.0 or n < 4:
        return math.inf, None
    # a + s (b - a) meets d + t (c - d)
    ux, uy, vx, vy = b[0] - a[0], b[1] - a[1], c[0] - d[0], c[1] - d[1]
    determinant = ux * -vy + uy * vx
    # converging only if the two turns together are less than half a turn
    if determinant <= 1e-12 * math.hypot(ux, uy) * math.hypot(vx, vy):
        return math.inf, None
    wx, wy = c[0] - b[0], c[1] - b[1]
    s = (wx * -vy + wy * vx) / determinant
    corner = (b[0] + s * ux, b[1] + s * uy)
    added = abs(_cross(b, corner, c)) / 2.0
    if 2.0 * added > wx * wx + wy * wy:  # higher than the edge is long: a spike
        return math.inf, None
    return added, corner


def _cross(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - b[1]) - (b[1] - a[1]) * (c[0] - b[0])


def pokes_out(area: Outline, outline: Outline, share: float) -> bool:
    """Whether more than a share of an area lies outside an outline."""
    if outline.covers(area):
        return False
    return bool(area.difference(outline).area > share * area.area)
