"""Whether predicted impact areas hold the impact as often as they say, and how large they are."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import shapely
from pyproj import Geod

from tocsin.metrics.bounds import HOLDS_99
from tocsin.metrics.lead import plane
from tocsin.metrics.paths import BALLISTIC, Impact, Mask, Truth, in_view
from tocsin.sensors.plots import Floats, Ints

LEADS_S = (300, 240, 180, 120, 90, 60, 45, 30, 15)
OLDEST_S = 60.0  # a forecast older than this no longer says anything about a moment
LEVELS = (50, 90, 95, 99)
PARTS = (50, 90)
TIMES = {50: (2, 4), 90: (1, 5), 99: (0, 6)}  # places of the two quantiles between which so much lies
AREAS_KM2 = (100, 1000)
GEOD = Geod(ellps="WGS84")


class Predictions(NamedTuple):
    """Forecasts, n of them, in any order; NaN where a track does not come down."""

    issued_s: Floats
    track: tuple[str, ...]
    impact_time_s: Floats
    impact_time_sigma_s: Floats
    latitude_deg: Floats
    longitude_deg: Floats
    covariance_m2: Floats  # (n, 2, 2) east, north
    area: tuple[shapely.Geometry | None, ...]  # lon, lat in degrees; 99 %
    # areas that hold PARTS %, and quantiles (n, 7) of the time less impact_time_s; none where not told
    parts: tuple[tuple[shapely.Geometry | None, ...], ...] = ()
    late_quantiles_s: Floats | None = None


class Judged(NamedTuple):
    """The forecasts of one object, k of them in order of issue, against its impact."""

    impact: Impact
    issued_s: Floats
    distance_m: Floats
    squared: Floats  # in the metric of the covariance
    late_s: Floats
    late_sigmas: Floats
    inside: Mask  # of the 99 % area
    area_km2: Floats  # NaN where there is none
    ellipse_km2: Floats
    bound_km2: Floats  # the oracle's 99 % area then; NaN where there is none
    inside_parts: tuple[Mask, ...]  # of the areas of PARTS %; empty where they are not told
    in_time: tuple[Mask, ...]  # between the quantiles of TIMES %; empty where they are not told


def judge(
    truth: Truth, predictions: Predictions, object_of: Callable[[str, float], str | None]
) -> tuple[list[Judged], int, int]:
    """Forecasts by object, how many denied a true impact, and how many followed no object.

    ``object_of(track, issued_s)`` says which object a track followed then.
    """
    impacts = {h.name: h for h in truth.impacts if h.kind in BALLISTIC and _ever_seen(truth, h.name)}
    rows: dict[str, list[int]] = {}
    lost = denied = 0
    for i, (issued_s, track) in enumerate(zip(predictions.issued_s, predictions.track, strict=True)):
        name = object_of(track, float(issued_s))
        if name is None:
            lost += 1
        elif name in impacts and issued_s <= impacts[name].time_s:
            rows.setdefault(name, []).append(i)
    out = []
    for name, its in rows.items():
        order: Ints = np.array(its)[np.argsort(predictions.issued_s[its], kind="stable")]
        denied += int(np.isnan(predictions.impact_time_s[order]).sum())
        known = np.isfinite(predictions.impact_time_s[order]) & np.isfinite(predictions.latitude_deg[order])
        if known.any():
            out.append(_judged(truth, predictions, impacts[name], order[known]))
    return out, denied, lost


def _ever_seen(truth: Truth, name: str) -> bool:
    return first_seen_s(truth, name) is not None


def first_seen_s(truth: Truth, name: str) -> float | None:
    """When an object first came into view, to the second."""
    if name not in truth.time_s:
        return None
    rows = truth.time_s[name]
    moments = np.arange(rows[0], rows[-1], 1.0)
    seen = in_view(truth, name, moments) if len(moments) else np.zeros(0, bool)
    return float(moments[np.argmax(seen)]) if seen.any() else None


def _judged(truth: Truth, p: Predictions, impact: Impact, i: Ints) -> Judged:
    n = len(i)
    azimuth, _, distance = GEOD.inv(
        p.longitude_deg[i],
        p.latitude_deg[i],
        np.full(n, impact.longitude_deg),
        np.full(n, impact.latitude_deg),
    )
    east, north = distance * np.sin(np.radians(azimuth)), distance * np.cos(np.radians(azimuth))
    miss = np.stack([east, north], -1)
    det = np.linalg.det(p.covariance_m2[i])
    squared = np.full(n, np.inf)
    good = det > 0.0
    squared[good] = np.einsum(
        "ni,ni->n", miss[good], np.linalg.solve(p.covariance_m2[i][good], miss[good][..., None])[..., 0]
    )
    frame = plane(impact.latitude_deg, impact.longitude_deg)

    def local(points: Floats) -> Floats:
        return np.column_stack(frame.transform(points[:, 0], points[:, 1]))

    def held(shapes: tuple[shapely.Geometry | None, ...]) -> tuple[Mask, Floats]:
        """Which areas hold the impact, and their sizes (km2; NaN where there is none)."""
        inside, area = np.zeros(n, bool), np.full(n, np.nan)
        for k, row in enumerate(i):
            shape = shapes[row]
            if shape is not None:
                flat = shapely.make_valid(shapely.transform(shape, local))
                inside[k] = shapely.covers(flat, shapely.Point(0.0, 0.0))
                area[k] = flat.area / 1e6
        return inside, area

    inside, area = held(p.area)
    late = p.impact_time_s[i] - impact.time_s
    in_time: tuple[Mask, ...] = ()
    if p.late_quantiles_s is not None:
        q = p.late_quantiles_s[i]
        in_time = tuple((q[:, a] <= -late) & (-late <= q[:, b]) for a, b in TIMES.values())
    bound = truth.bounds.get(impact.name)
    best = np.full(n, np.nan)
    if bound is not None:
        best = np.interp(p.issued_s[i], bound.time_s, bound.impact_area99_km2, left=np.nan, right=np.nan)
    with np.errstate(all="ignore"):
        late_sigmas = late / p.impact_time_sigma_s[i]
    ellipse = math.pi * HOLDS_99 * np.sqrt(np.maximum(det, 0.0)) / 1e6
    return Judged(
        impact, p.issued_s[i], distance, squared, late, late_sigmas, inside, area, ellipse, best,
        tuple(held(shapes)[0] for shapes in p.parts), in_time,
    )  # fmt: skip


def shares(parts: Sequence[Mask]) -> dict[str, float]:
    """A share over all rows, and averaged over objects."""
    return {
        "rows": float(np.concatenate(parts).mean()),
        "objects": float(np.mean([part.mean() for part in parts])),
    }


def summary(truth: Truth, judged: Sequence[Judged]) -> dict[str, object]:
    """Coverage of areas and ellipses, and how near forecasts were some time before the impact."""
    if not judged:
        return {"impacts_predicted": 0}
    return {
        "impacts_predicted": len(judged),
        "rows_without_area": int(sum(np.isnan(j.area_km2).sum() for j in judged)),
        "inside_area": shares([j.inside for j in judged]),
        "inside_ellipse": {
            str(level): shares([j.squared <= -2.0 * math.log(1.0 - level / 100.0) for j in judged])
            for level in LEVELS
        },
        "impact_time_inside_99": float(
            np.concatenate([np.abs(j.late_sigmas) <= 2.5758 for j in judged]).mean()
        ),
        "inside_part": {
            str(part): shares([j.inside_parts[k] for j in judged])
            for k, part in enumerate(PARTS)
            if judged[0].inside_parts
        },
        "impact_time_inside": {
            str(level): shares([j.in_time[k] for j in judged])
            for k, level in enumerate(TIMES)
            if judged[0].in_time
        },
        "before_impact": {str(lead): _before(truth, judged, lead) for lead in LEADS_S},
        "lead_to_area": {str(limit): _lead_to_area(truth, judged, limit) for limit in AREAS_KM2},
    }


def _before(truth: Truth, judged: Sequence[Judged], lead: int) -> dict[str, float | int | None]:
    """The newest forecasts at some time before the impact, at most a minute old."""
    eligible = 0
    for impact in truth.impacts:
        seen_s = first_seen_s(truth, impact.name) if impact.kind in BALLISTIC else None
        eligible += seen_s is not None and seen_s <= impact.time_s - lead
    rows = []
    for j in judged:
        k = int(np.searchsorted(j.issued_s, j.impact.time_s - lead, "right")) - 1
        if k >= 0 and j.issued_s[k] >= j.impact.time_s - lead - OLDEST_S:
            ratio = j.area_km2[k] / j.bound_km2[k] if j.bound_km2[k] > 0 else np.nan
            rows.append((j.distance_m[k], j.area_km2[k], abs(j.late_s[k]), j.inside[k], ratio))
    out: dict[str, float | int | None] = {"objects": len(rows), "of": eligible}
    if rows:
        table = np.array(rows, float)
        out |= {
            "distance_median_m": float(np.median(table[:, 0])),
            "distance_90_m": float(np.percentile(table[:, 0], 90)),
            "area_median_km2": median(table[:, 1]),
            "time_error_median_s": float(np.median(table[:, 2])),
            "inside_area": float(table[:, 3].mean()),
            "area_over_bound_median": median(table[:, 4]),
        }
    return out


def median(values: Floats) -> float | None:
    """The median of what is finite; None if nothing is."""
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if len(finite) else None


def _lead_to_area(truth: Truth, judged: Sequence[Judged], limit_km2: float) -> dict[str, float | int]:
    """From when on an area was so small and held the impact, against the bound."""
    rows = []
    for j in judged:
        good = np.flatnonzero((j.area_km2 <= limit_km2) & j.inside)
        best_s = bound_lead_s(truth, j.impact, limit_km2)
        if len(good) and best_s is not None:
            rows.append((j.impact.time_s - j.issued_s[good[0]], best_s))
    if not rows:
        return {"objects": 0}
    table = np.array(rows)
    return {
        "objects": len(rows),
        "achieved_median_s": float(np.median(table[:, 0])),
        "bound_median_s": float(np.median(table[:, 1])),
        "achieved_over_bound_median": float(np.median(table[:, 0] / table[:, 1])),
    }


def bound_lead_s(truth: Truth, impact: Impact, limit_km2: float) -> float | None:
    """How long before the impact the bound's area first was at most so large; None: never."""
    bound = truth.bounds.get(impact.name)
    if bound is None:
        return None
    with np.errstate(invalid="ignore"):
        small = np.flatnonzero(bound.impact_area99_km2 <= limit_km2)
    return float(impact.time_s - bound.time_s[small[0]]) if len(small) else None
