"""One flight of a campaign: flown, forecast on the way, and judged by where it came down."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import shapely

from tocsin.calibration.estimate import estimate, felt
from tocsin.calibration.families import Family, draw
from tocsin.calibration.levels import POINTS, level_of_place, level_of_time
from tocsin.earth.ellipsoid import ecef_to_geodetic, enu_axes
from tocsin.prediction.area import offsets_m
from tocsin.prediction.forecast import Area
from tocsin.prediction.impact import LONGEST_FLIGHT_S
from tocsin.prediction.landings import SHARES, Landings, areas_of, told
from tocsin.prediction.predictor import Reason, landings_of_track
from tocsin.prediction.priors import DEFAULT, Kinds
from tocsin.sensors.plots import Floats
from tocsin.simulation.flight import fly

ROW_S = 1.0
LEADS_S = (300, 120, 60, 30, 15)  # before the impact, besides the start
START = 0  # stands for the start among leads


class Row(NamedTuple):
    """One forecast against the impact. Where none was made, `told` is False and areas and times are NaN."""

    flight: int
    body: str
    lead: int  # of `LEADS_S`; START: the first forecast
    lead_s: float  # as it was
    latitude_deg: float  # of the impact
    longitude_deg: float
    ln_beta: float  # hypersonic, at the start
    ln_beta_felt: float  # of the drag when forecast, by a coefficient that does not change with speed
    precision: float  # 1 / sigma of ln beta that drag had told
    position_sigma_m: float
    velocity_sigma_m_s: float
    height_m: float
    speed_m_s: float
    told: bool
    miss_m: float  # from the reported point
    late_s: float  # behind the reported time
    inside_50: bool
    inside_90: bool
    inside_99: bool
    inside_danger: bool
    area_50_km2: float
    area_90_km2: float
    area_99_km2: float
    danger_km2: float
    level: float  # share of the distribution of places that is likelier than the impact
    time_50: bool
    time_90: bool
    time_99: bool
    wide_50_s: float
    wide_90_s: float
    wide_99_s: float
    time_level: float  # probability of an earlier time


def flight(family: Family, number: int, rng: np.random.Generator, kinds: Kinds = DEFAULT) -> list[Row]:
    """All forecasts of one drawn flight; none if it does not come down."""
    drawn = draw(family, rng)
    curve = drawn.body.curve
    time_s, states, down = fly(
        drawn.start[None], drawn.weather[None], curve, drawn.ablation_s2_m2, ROW_S, 0.0, LONGEST_FLIGHT_S
    )
    if not down:
        return []
    states = np.ascontiguousarray(states[:, 0])
    lost_m_s, ln_beta = felt(time_s, states, drawn.weather, curve)
    end = states[-1, :3]
    latitude, longitude, _ = (float(v) for v in ecef_to_geodetic(end))
    heights = ecef_to_geodetic(states[:, :3])[2]
    rows = []
    for lead, i in _moments(time_s):
        lost = family.lost_m_s + float(lost_m_s[i])
        known = estimate(states[i, :6], lost, float(ln_beta[i]), family.child, rng)
        left_s = float(time_s[-1] - time_s[i])
        found = _judged(landings_of_track(known.track, kinds), end, left_s)
        rows.append(
            Row(
                number, drawn.body.name, lead, left_s, math.degrees(latitude), math.degrees(longitude),
                float(drawn.start[6]), float(ln_beta[i]), known.precision, known.position_sigma_m,
                known.velocity_sigma_m_s, float(heights[i]), float(np.linalg.norm(states[i, 3:6])), *found,
            )
        )  # fmt: skip
    return rows


def _moments(time_s: Floats) -> list[tuple[int, int]]:
    """Leads and the rows nearest to them, of times (n,) of which the last is the impact."""
    found = [(START, 0)]
    for lead in LEADS_S:
        i = int(np.argmin(np.abs(time_s - (time_s[-1] - lead))))
        if i > 0 and i < len(time_s) - 1:
            found.append((lead, i))
    return found


NOT_TOLD = (
    False, *[math.nan] * 2, *[False] * 4, *[math.nan] * 5, *[False] * 3, *[math.nan] * 4
)  # fmt: skip


def _judged(landings: Landings | Reason, end: Floats, left_s: float) -> tuple[Any, ...]:
    """The fields of a `Row` from `told` on, of an impact at a point (3,) after so many seconds."""
    if isinstance(landings, Reason):
        return NOT_TOLD
    impact = told(landings)
    latitude, longitude = impact.latitude_rad, impact.longitude_rad
    turn = enu_axes(latitude, longitude)[:2]
    offset = offsets_m(latitude, longitude, landings.point[:, :3])
    spread = turn @ landings.covariance[:, :3, :3] @ turn.T
    (miss,) = offsets_m(latitude, longitude, end[None])
    point = [math.degrees(float(v)) for v in ecef_to_geodetic(end)[:2]]
    (danger,), (danger_km2,) = areas_of(latitude, longitude, impact.danger, SHARES[-1:])
    inside = [holds(area, *point) for area in (*impact.areas, danger)]
    late_s = left_s - impact.time_s
    q = impact.late_s
    within = [bool(q[i] <= late_s <= q[6 - i]) for i in (2, 1, 0)]
    wide = [float(q[6 - i] - q[i]) for i in (2, 1, 0)]
    place = level_of_place(landings.weight, offset, np.ascontiguousarray(spread), miss, POINTS)
    before = level_of_time(
        landings.weight, landings.point[:, 3].copy(), landings.covariance[:, 3, 3].copy(), left_s
    )
    return (
        True, float(np.hypot(*miss)), late_s, *inside, *(float(a) for a in impact.areas_km2), float(danger_km2),
        float(place), *within, *wide, float(before),
    )  # fmt: skip


def holds(area: Area, latitude_deg: float, longitude_deg: float) -> bool:
    """Whether an area holds a place; longitudes from -180 to 180."""
    return bool(shapely.intersects_xy(area, longitude_deg, latitude_deg))
