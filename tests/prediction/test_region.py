"""Regions of highest density: the share that they hold, their size, and what they must be whatever the distribution."""

import math

import numpy as np
import pytest
from scipy.stats import norm
from shapely import contains_xy
from shapely.geometry import Polygon
from shapely.ops import unary_union

from tocsin.prediction.region import above, outlines, quantiles

SHARES = np.array([0.5, 0.9, 0.95, 0.99])


def regions(weight, centre, covariance, shares=SHARES):
    """Regions as shapes in the plane, and their sizes."""
    weight = np.asarray(weight, float)
    corners, parts, sizes = outlines(
        weight / weight.sum(), np.asarray(centre, float), np.asarray(covariance, float), shares
    )
    found, begin = [[] for _ in shares], 0
    for region, many in parts.astype(int).tolist():
        found[region].append(Polygon(corners[begin : begin + many]))
        begin += many
    for region in found:
        for part in region:
            assert part.is_valid
            assert not part.interiors
    return [unary_union(region) for region in found], sizes


def held(shapes, weight, centre, covariance, count=60_000, seed=1):
    """Share of draws from the distribution inside each region."""
    rng = np.random.default_rng(seed)
    which = rng.choice(len(weight), count, p=np.asarray(weight) / np.sum(weight))
    root = np.linalg.cholesky(np.asarray(covariance, float))
    draws = np.asarray(centre, float)[which] + np.einsum(
        "nij,nj->ni", root[which], rng.normal(size=(count, 2))
    )
    return np.array([contains_xy(shape, *draws.T).mean() for shape in shapes])


def turned(along, across, angle_deg):
    c, s = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
    turn = np.array([[c, -s], [s, c]])
    return turn @ np.diag([along**2, across**2]) @ turn.T


@pytest.mark.parametrize("ratio", [1.0, 3.0, 30.0, 1000.0])
@pytest.mark.parametrize("angle_deg", [0.0, 30.0, 90.0, 135.0])
def test_one_normal_distribution_has_the_exact_ellipse(ratio, angle_deg):
    C = turned(100.0 * ratio, 100.0, angle_deg)
    shapes, sizes = regions([1.0], [[5.0, -7.0]], [C])
    # -2 ln(1 - p) is the square of the radius of an ellipse that holds p
    exact = -2.0 * np.log(1.0 - SHARES) * math.pi * math.sqrt(np.linalg.det(C))
    np.testing.assert_allclose(sizes, exact, rtol=0.03)  # the grid
    # corners are left out
    np.testing.assert_allclose([shape.area for shape in shapes], sizes, rtol=0.025)
    np.testing.assert_allclose(held(shapes, [1.0], [[5.0, -7.0]], [C]), SHARES, atol=0.01)


def chain(count, bend, grow):
    """A row of distributions along an arc, each wider than the one before."""
    at = np.linspace(0.0, 1.0, count)
    weight = np.exp(-0.5 * ((at - 0.4) / 0.25) ** 2)
    centre = np.column_stack([30e3 * at, bend * at**2])
    covariance = [turned(30e3 * 0.7 / count, 300.0 * grow**t, 90.0 * bend / 30e3 * t / 2) for t in at]
    return weight / weight.sum(), centre, np.array(covariance)


@pytest.mark.parametrize(("bend", "grow"), [(0.0, 1.0), (0.0, 8.0), (4e3, 2.0), (8e3, 1.0)])
def test_chains_hold_their_share_and_are_the_smallest_that_do(bend, grow):
    given = chain(15, bend, grow)
    shapes, sizes = regions(*given)
    np.testing.assert_allclose(held(shapes, *given), SHARES, atol=0.012)
    # the smallest: cells of a grid of a fifth of the least sigma, the densest first
    weight, centre, covariance = given
    east, north = np.meshgrid(np.linspace(-15e3, 45e3, 1000), np.linspace(-12e3, 20e3, 600))
    density = np.zeros_like(east)
    for w, m, C in zip(weight, centre, covariance, strict=True):
        d = np.stack([east - m[0], north - m[1]], -1)
        z2 = np.einsum("...i,ij,...j", d, np.linalg.inv(C), d)
        density += w * np.exp(-0.5 * z2) / (2.0 * math.pi * math.sqrt(np.linalg.det(C)))
    cell = (east[0, 1] - east[0, 0]) * (north[1, 0] - north[0, 0])
    sums = np.cumsum(np.sort(density.ravel())[::-1]) * cell
    least = (np.searchsorted(sums, SHARES) + 1) * cell
    assert (sizes > 0.97 * least).all()
    # along the row exact; across, one normal distribution stands for the sum, which costs most where the row is bent
    assert (sizes < 1.15 * least).all()


def test_two_far_parts_are_two_polygons():
    weight, centre = [0.6, 0.4], [[0.0, 0.0], [100e3, 20e3]]
    covariance = [turned(500.0, 200.0, 10.0), turned(900.0, 400.0, 80.0)]
    shapes, _ = regions(weight, centre, covariance)
    assert [len(getattr(shape, "geoms", [shape])) for shape in shapes[1:]] == [2, 2, 2]
    np.testing.assert_allclose(held(shapes, weight, centre, covariance), SHARES, atol=0.012)


def test_a_part_that_hardly_counts_is_left_out_and_made_up_for():
    weight, centre = [0.997, 0.003], [[0.0, 0.0], [100e3, 0.0]]
    covariance = [turned(500.0, 200.0, 0.0)] * 2
    shapes, _ = regions(weight, centre, covariance)
    assert all(shape.geom_type == "Polygon" for shape in shapes)
    np.testing.assert_allclose(held(shapes, weight, centre, covariance), SHARES, atol=0.01)


def row(seed, jagged):
    """A row of distributions: smooth, as flights of neighbouring ballistic coefficients are, or not."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(2 if jagged else 6, 20))
    step = rng.uniform(500.0, 5e3)
    aside = rng.normal(0.0, 0.1 * step, count) if jagged else rng.normal(0.0, 15.0, count)
    centre = np.cumsum(np.column_stack([step * rng.uniform(0.3, 1.0, count), aside]), axis=0)
    across = rng.uniform(50.0, 500.0, count)
    if not jagged:
        across = np.exp(np.linspace(*np.log(rng.uniform(50.0, 500.0, 2)), count))
    angles_deg = rng.normal(0.0, 5.0 if jagged else 0.5, count)
    sigmas = zip(step * rng.uniform(0.5, 1.0, count), across, angles_deg, strict=True)
    return rng.uniform(0.1, 1.0, count), centre, [turned(*sigma) for sigma in sigmas]


@pytest.mark.parametrize("seed", range(40))
def test_any_row_gives_valid_parts_that_hold_about_their_share(seed):
    for jagged, off in ((False, [0.07, 0.015, 0.015, 0.01]), (True, [0.08, 0.03, 0.03, 0.02])):
        given = row(seed, jagged)
        shapes, sizes = regions(*given)
        assert (np.diff(sizes) > 0.0).all()
        # 20,000 draws know a half to 0.0035; across a jagged row the sum is not a normal distribution
        assert (abs(held(shapes, *given, 20_000, seed) - SHARES) < off).all()


def test_quantiles_of_one_and_of_sums():
    shares = np.array([0.005, 0.05, 0.25, 0.5, 0.75, 0.95, 0.995])
    one = quantiles(np.ones(1), np.array([3.0]), np.array([4.0]), shares)
    # linear between places of the grid, 0.15 sigma apart
    np.testing.assert_allclose(one, norm.ppf(shares, 3.0, 2.0), atol=0.02 * 2.0)
    weight, middle, sigma = np.array([0.2, 0.5, 0.3]), np.array([0.0, 10.0, 40.0]), np.array([1.0, 3.0, 8.0])
    found = quantiles(weight, middle, sigma**2, shares)
    below = (weight * norm.cdf((found[:, None] - middle) / sigma)).sum(1)
    np.testing.assert_allclose(below, shares, atol=0.004)
    # nine of them, 0.5 sigma apart in the grid
    weight, middle = np.full(9, 1.0 / 9.0), 4.0 * np.arange(9.0)
    found = quantiles(weight, middle, np.full(9, 9.0), shares)
    below = (weight * norm.cdf((found[:, None] - middle) / 3.0)).sum(1)
    np.testing.assert_allclose(below, shares, atol=0.004)


@pytest.mark.parametrize(
    ("wide", "seed"), [(0.05, 14), (0.1, 9), (0.11, 51), (0.13, 5), (0.15, 14), (0.5, 1)]
)
def test_a_sharp_distribution_on_many_wide_ones_holds_its_shares(wide, seed):
    """As of a body in free flight that may be under thrust: parts that hold little, together, what a share needs."""
    rng = np.random.default_rng(seed)
    sharp, many = int(rng.integers(1, 12)), int(rng.integers(2, 48))
    at = np.geomspace(30e3, 10 ** rng.uniform(5.5, 6.5), many)
    sigma = 0.25 * np.gradient(at)
    centre = np.concatenate([np.outer(np.linspace(0.0, 5e3, sharp), [1.0, 0.2]), np.outer(at, [1.0, 0.1])])
    centre[sharp:] += rng.normal(size=(many, 2)) * sigma[:, None]
    covariance = [turned(400.0, 300.0, 20.0)] * sharp + [
        turned(s, 0.7 * s, rng.uniform(0, 180)) for s in sigma
    ]
    weight = np.concatenate([np.full(sharp, (1.0 - wide) / sharp), np.full(many, wide / many)])
    shares = np.array([0.5, 0.9, 0.99])
    shapes, _ = regions(weight, centre, covariance, shares)
    np.testing.assert_allclose(held(shapes, weight, centre, covariance), shares, atol=0.03)


@pytest.mark.parametrize("wide", [0.02, 0.05, 0.1, 0.11, 0.12, 0.15])
@pytest.mark.parametrize("seed", range(20))
def test_no_region_is_empty_or_smaller_than_that_of_a_lesser_share(wide, seed):
    rng = np.random.default_rng(seed)
    sharp, many, size = int(rng.integers(1, 14)), int(rng.integers(1, 48)), 10 ** rng.uniform(1.0, 3.7)
    at = np.geomspace(1e5, 10 ** rng.uniform(5.1, 6.6), many)
    sigma = 0.3 * np.gradient(at) if many > 1 else np.array([1e5])
    row = np.outer(np.linspace(0.0, 10 ** rng.uniform(2.0, 5.0), sharp), [0.8, 0.6])
    centre = np.concatenate([row, np.outer(at, [0.8, 0.6])])
    centre += rng.normal(size=centre.shape) * np.append(np.full(sharp, 0.1 * size), sigma)[:, None]
    weight = np.append((1.0 - wide) * np.full(sharp, 1.0 / sharp), wide * np.full(many, 1.0 / many))
    covariance = [turned(s, 0.6 * s, rng.uniform(0.0, 180.0)) for s in [*[size] * sharp, *sigma]]
    shapes, sizes = regions(weight, centre, covariance, np.array([0.5, 0.9, 0.99]))
    assert sizes[0] > 0.0
    assert (np.diff(sizes) > 0.0).all()
    assert not any(shape.is_empty for shape in shapes)


@pytest.mark.parametrize(("density", "ratio"), [(1e-9, 1.0), (3e-8, 4.0), (1e-7, 30.0)])
def test_what_is_denser_than_so_much_has_the_exact_ellipse(density, ratio):
    wide = 1000.0 * math.sqrt(ratio)
    covariance = turned(wide, wide / ratio, 37.0)[None]
    corners, parts, area, held, greatest = above(np.ones(1), np.zeros((1, 2)), covariance, density)
    most = 1.0 / (2.0 * math.pi * 1000.0**2)  # ratio or not: sqrt(det) is 1e6
    assert greatest == pytest.approx(most, rel=2e-3)
    assert held == pytest.approx(1.0 - density / most, abs=4e-3)  # of the grid along
    # the ellipse of r^2 = 2 ln(most / density) sigmas
    assert area == pytest.approx(2.0 * math.pi * 1e6 * math.log(most / density), rel=0.02)
    assert Polygon(corners).area == pytest.approx(area, rel=0.02)
    assert parts.tolist() == [[0.0, len(corners)]]


def test_nowhere_so_dense_is_no_region():
    corners, parts, area, held, greatest = above(
        np.ones(1), np.zeros((1, 2)), turned(5e4, 5e4, 0.0)[None], 1e-9
    )
    assert (len(corners), len(parts), area, held) == (0, 0, 0.0, 0.0)
    assert greatest < 1e-9


@pytest.mark.parametrize("seed", range(6))
def test_a_region_above_the_density_of_a_share_is_the_region_of_that_share(seed):
    rng = np.random.default_rng(seed)
    count = 5
    weight = rng.dirichlet(np.ones(count))
    centre = np.column_stack([np.linspace(0.0, 20e3, count), rng.normal(0.0, 500.0, count)])
    covariance = np.array(
        [turned(*rng.uniform(500.0, 4e3, 2), rng.uniform(0.0, 180.0)) for _ in range(count)]
    )
    # the share that a density cuts out, and the region of that share, by the other way
    *_, area, held, greatest = above(weight, centre, covariance, 3e-9)
    assert 0.2 < held < 1.0
    _, _, areas = outlines(weight, centre, covariance, np.array([held]))
    assert areas[0] == pytest.approx(area, rel=0.03)
    assert greatest > 3e-9
