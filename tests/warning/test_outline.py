"""Outlines lose nothing, have no holes, and few corners."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tocsin.warning.bodies import unheard
from tocsin.warning.chains import Fresh
from tocsin.warning.footprints import POLYGON_CORNERS, footprints
from tocsin.warning.outline import closed, enlarged, enlarged_area_m2, parts_of, pokes_out, simplified
from tocsin.warning.plane import filled, moved, plane_at
from tocsin.warning.settings import Settings


@st.composite
def stars(draw):
    """Star-shaped polygons, many of them far from convex."""
    count = draw(st.integers(5, 60))
    radii = draw(st.lists(st.floats(0.1, 1.0), min_size=count, max_size=count))
    angle = np.linspace(0.0, 2.0 * math.pi, count, endpoint=False)
    size_m = draw(st.floats(50.0, 30_000.0))
    stretch = draw(st.floats(1.0, 20.0))
    ring = np.column_stack([stretch * np.cos(angle), np.sin(angle)]) * np.array(radii)[:, None] * size_m
    polygon = shapely.Polygon(ring)
    assume(polygon.is_valid)
    assume(polygon.area > 100.0)
    return polygon


@settings(deadline=None)
@given(stars(), st.integers(4, 40))
def test_simplified_covers_what_it_was_given(polygon, corners):
    out = simplified(polygon, corners)
    assert out.buffer(0.02).covers(polygon)
    assert out.is_valid
    for part in parts_of(out):
        assert not part.interiors
        assert len(part.exterior.coords) - 1 <= corners


@pytest.mark.parametrize("seed", range(30))
def test_bays_between_many_areas_are_kept(seed):
    """Forty areas of a break-up that touch: cutting corners, an outline may cross itself in a bay."""
    rng = np.random.default_rng(seed)
    ellipses = [
        shapely.affinity.rotate(
            shapely.affinity.scale(shapely.Point(place).buffer(1.0, quad_segs=4), *size), turn
        )
        for place, size, turn in zip(
            rng.uniform(-15e3, 15e3, (40, 2)),
            rng.uniform(800.0, 4000.0, (40, 2)),
            rng.uniform(0.0, 180.0, 40),
            strict=True,
        )
    ]
    polygon = max(parts_of(filled(shapely.union_all(ellipses))), key=lambda part: part.area)
    out = simplified(polygon, 40)
    assert out.buffer(0.02).covers(polygon)
    assert out.area <= 1.23 * polygon.area


def test_corners_that_small_areas_leave_are_there_for_a_large_one():
    """Twenty small areas of four corners beside one of ninety: as many corners each would leave it twelve."""
    plane = plane_at(0.8, 0.6)
    small = [shapely.box(x, 0.0, x + 1000.0, 1000.0) for x in 5000.0 * np.arange(20)]
    angle = np.linspace(0.0, 2.0 * math.pi, 90, endpoint=False)
    star = np.column_stack([np.cos(angle), np.sin(angle)]) * (20e3 + 4e3 * np.cos(9.0 * angle))[:, None]
    shapes = [*small, shapely.Polygon(star - np.array([0.0, 60e3]))]
    bodies = [unheard(str(n), plane, 0.0)._replace(outline=shape) for n, shape in enumerate(shapes)]
    standing = footprints(bodies, Settings(message_corners=300))
    assert len(standing) == 21
    large = max((one.polygon for one in standing), key=lambda polygon: polygon.area)
    assert 12 < len(large.exterior.coords) - 1 <= Settings().united_corners
    assert sum(len(one.polygon.exterior.coords) - 1 + POLYGON_CORNERS for one in standing) <= 300


@settings(deadline=None)
@given(stars(), stars(), st.floats(1.0, 1.5), st.floats(10.0, 500.0))
def test_enlarged_holds_the_area_with_its_margin(one, other, scale, margin_m):
    area = shapely.MultiPolygon([one, shapely.transform(other, lambda xy: xy + np.array([1e6, 0.0]))])
    out = enlarged(area, scale, margin_m, 24)
    # a mitred corner is no nearer than the margin, but for the parts that were replaced by their hull
    assert out.covers(area.buffer(0.98 * margin_m))
    assert not any(part.interiors for part in parts_of(out))


@pytest.mark.parametrize("ratio", [1.0, 2.0, 5.0])
def test_circles_and_ellipses_take_few_corners_and_little_more_area(ratio):
    circle = shapely.affinity.scale(shapely.Point(0.0, 0.0).buffer(10_000.0, quad_segs=16), ratio, 1.0)
    out = simplified(circle, 24)
    assert len(out.exterior.coords) - 1 <= 16
    assert out.area <= 1.03 * circle.area
    wide = enlarged(circle, 1.15, 300.0, 24)
    assert wide.area == pytest.approx(enlarged_area_m2(circle, 1.15, 300.0), rel=0.04)


def test_closed_fills_notches():
    comb = shapely.union_all(
        [shapely.box(0, 0, 5000, 1000), *(shapely.box(x, 0, x + 300, 4000) for x in (0, 600, 1200))]
    )
    out = closed(comb, 300.0)
    assert out.covers(comb)
    assert out.covers(shapely.box(300, 1000, 1200, 3900))
    assert len(out.exterior.coords) < len(comb.exterior.coords)


def swarm(seed):
    """Up to thirty areas of a break-up, each a star that may cross itself, united on a grid of a metre."""
    rng = np.random.default_rng(seed)
    stars = []
    for _ in range(rng.integers(2, 30)):
        angle = np.sort(rng.uniform(0.0, 2.0 * np.pi, rng.integers(3, 12)))
        radius = rng.uniform(300.0, 2500.0, len(angle))
        ring = rng.normal(0.0, 4000.0, 2) + np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
        stars.append(shapely.make_valid(shapely.Polygon(ring)))
    return filled(shapely.union_all(stars, grid_size=1.0)), rng


# of 12,000 seeds those in which the drawn-in outline crosses itself so that nothing can be united with it
@pytest.mark.parametrize("seed", [2106, 2495, 4034, 6148, 6536])
def test_closed_where_rounding_makes_it_cross_itself(seed):
    whole, _ = swarm(seed)
    out = closed(whole, 300.0)
    assert out.is_valid
    assert out.buffer(0.02).covers(whole)


@pytest.mark.parametrize("seed", [88, 211, 441, 663, *range(20)])
def test_moved_outlines_can_be_united(seed):
    """In the first four, corners of a narrow place come to lie across each other in the other plane."""
    whole, rng = swarm(seed)
    outline = simplified(closed(whole, 300.0), 40)
    here = plane_at(0.9, 0.3)
    for _ in range(3):
        there = plane_at(0.9 + rng.uniform(-0.04, 0.04), 0.3 + rng.uniform(-0.04, 0.04))
        out = moved(outline, here, there)
        assert out.is_valid
        back = moved(out, there, here)
        assert back.is_valid
        assert shapely.symmetric_difference(back, outline).area < 1.0


def test_slivers_that_stay_told_make_no_hull_of_all():
    """Two areas 60 km apart, and sixty strips beside them that were told lately: more than a message has room for."""
    plane = plane_at(0.8, 0.6)
    areas = [shapely.box(x, 0.0, x + 15e3, 10e3) for x in (0.0, 60e3)]
    bodies = [unheard(str(n), plane, 0.0)._replace(outline=area) for n, area in enumerate(areas)]
    strips = [
        shapely.box(x, 12e3 + y, x + 150.0, 13e3 + y) for x in 1000.0 * np.arange(30) for y in (0.0, 5e3)
    ]
    kept = [Fresh(0.0, plane, strip, ("0",)) for strip in strips]
    standing = footprints(bodies, Settings(), kept)
    told = shapely.union_all([one.polygon for one in standing])
    assert len(standing) <= 48
    assert told.buffer(0.02).covers(shapely.union_all([*areas, *strips]))
    assert told.area < 1.2 * (sum(area.area for area in areas) + shapely.union_all(strips).convex_hull.area)
    assert not told.covers(shapely.Point(7e3, 15e3))  # between the two rows of strips


def test_bodies_of_two_areas_each_are_joined_within_themselves_first():
    """Thirty bodies 30 km apart, each with two areas 600 m apart: more parts than a message has room for."""
    plane = plane_at(0.8, 0.6)
    pair = shapely.union_all([shapely.box(0.0, 0.0, 2e3, 2e3), shapely.box(2.6e3, 0.0, 4.6e3, 2e3)])
    outlines = [
        shapely.affinity.translate(pair, x, y) for x in 30e3 * np.arange(6) for y in 30e3 * np.arange(5)
    ]
    bodies = [unheard(str(n), plane, 0.0)._replace(outline=one) for n, one in enumerate(outlines)]
    standing = footprints(bodies, Settings())
    assert len(standing) == 30
    assert sum(one.polygon.area for one in standing) < 1.3 * sum(one.area for one in outlines)


def test_more_areas_than_a_message_has_room_for_however_far_apart():
    plane = plane_at(0.8, 0.6)
    areas = [shapely.box(x, y, x + 2e3, y + 2e3) for x in 150e3 * np.arange(8) for y in 150e3 * np.arange(8)]
    bodies = [unheard(str(n), plane, 0.0)._replace(outline=area) for n, area in enumerate(areas)]
    standing = footprints(bodies, Settings())
    told = shapely.union_all([one.polygon for one in standing])
    assert told.buffer(0.02).covers(shapely.union_all(areas))


def test_a_trifle_outside_is_no_poke():
    outline = shapely.box(0, 0, 1000, 1000)
    assert not pokes_out(shapely.box(10, 10, 1000.5, 990), outline, 0.01)
    assert pokes_out(shapely.box(10, 10, 1100, 990), outline, 0.01)
