"""Columns of predictions.parquet: areas, quantiles, and what a track may still release (docs/recording.md)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import shapely

from tocsin.errors import DataError
from tocsin.formats.files import known, timestamps
from tocsin.formats.tables import Table, numbers, seconds
from tocsin.prediction.forecast import QUANTILES, Area, MayRelease, Spread
from tocsin.sensors.plots import Floats
from tocsin.units import DEGREE_RAD

AREAS = ("release_area_50", "release_area_90", "release_area")
SIZES = ("release_area_50_km2", "release_area_90_km2", "release_area_km2")
RELEASES = (
    "release_chance", "release_bodies", "release_until", "release_impact_time", "release_lat_deg", "release_lon_deg",
    *AREAS, *SIZES, "release_impact_time_quantiles",
)  # fmt: skip
# results hold areas, and no distribution
NOWHERE = Spread(np.zeros(0), np.zeros((0, 2)), np.zeros((0, 2, 2)))


def wkb(areas: Sequence[Area | None]) -> pa.Array:
    """Areas as WKB, null for none."""
    return pa.array([a and shapely.to_wkb(a, output_dimension=2, byte_order=1) for a in areas], pa.binary())


def releases_table(found: Sequence[MayRelease | None]) -> dict[str, pa.Array]:
    """The columns of what may still be released; null where there is nothing."""
    nan = float("nan")
    late_s = [None if m is None else (m.time_quantiles_s - m.impact_time_s).tolist() for m in found]
    out = {
        "release_chance": known([nan if m is None else m.chance for m in found]),
        "release_bodies": known([nan if m is None else m.bodies for m in found]),
        "release_until": timestamps([nan if m is None else m.until_s for m in found]),
        "release_impact_time": timestamps([nan if m is None else m.impact_time_s for m in found]),
        "release_lat_deg": known([nan if m is None else m.latitude_rad / DEGREE_RAD for m in found]),
        "release_lon_deg": known([nan if m is None else m.longitude_rad / DEGREE_RAD for m in found]),
    }
    for k, (area, size) in enumerate(zip(AREAS, SIZES, strict=True)):
        out[area] = wkb([None if m is None else m.areas[k] for m in found])
        out[size] = known([nan if m is None else m.areas_km2[k] for m in found])
    return out | {"release_impact_time_quantiles": pa.array(late_s, pa.list_(pa.float64()))}


def read_releases(table: Table, n: int) -> list[MayRelease | None]:
    """What each row of a table may still release; None where it holds nothing, or has not all of the columns.

    The distribution of dangerous bodies and their arrivals are in no table: they are empty, and NaN.
    """
    if any(name not in table.columns for name in RELEASES):
        return [None] * n
    chance, bodies, latitude, longitude = (
        numbers(table, name)
        for name in ("release_chance", "release_bodies", "release_lat_deg", "release_lon_deg")
    )
    until_s, impact_s = seconds(table, "release_until"), seconds(table, "release_impact_time")
    areas = [areas_of(table, name, n) for name in AREAS]
    sizes = np.array([numbers(table, name) for name in SIZES])
    late_s = quantiles_of(table, "release_impact_time_quantiles", n)
    out: list[MayRelease | None] = []
    for i in range(n):
        own = tuple(a for column in areas if (a := column[i]) is not None)
        quantiles_s = late_s[i]
        if not np.isfinite(chance[i]) or len(own) < len(AREAS) or quantiles_s is None:
            out.append(None)
            continue
        out.append(
            MayRelease(
                float(chance[i]), float(bodies[i]), float(until_s[i]), float(impact_s[i]),
                float(latitude[i]) * DEGREE_RAD, float(longitude[i]) * DEGREE_RAD, own, sizes[:, i],
                float(impact_s[i]) + quantiles_s, NOWHERE, float("nan"), float("nan"), float("nan"),
            )
        )  # fmt: skip
    return out


def areas_of(table: Table, name: str, n: int) -> list[Area | None]:
    """The areas of a column of WKB; none where it is not there."""
    if name not in table.columns:
        return [None] * n
    out: list[Area | None] = []
    for i, wkb in enumerate(table.columns[name].to_pylist()):
        try:
            out.append(None if wkb is None else shapely.from_wkb(wkb))
        except (shapely.errors.ShapelyError, TypeError) as error:
            raise DataError(f"{table.path}, row {i + 1}: {name} is not WKB ({error})") from error
    return out


def quantiles_of(table: Table, name: str, n: int) -> list[Floats | None]:
    """Seven quantiles of a time, less that time; none where they are not there."""
    if name not in table.columns:
        return [None] * n
    out: list[Floats | None] = []
    for i, row in enumerate(table.columns[name].to_pylist()):
        try:
            values = None if row is None else np.array(row, float)
        except (TypeError, ValueError) as error:
            raise DataError(f"{table.path}, row {i + 1}: {name} are not numbers ({error})") from error
        if values is not None and values.shape != QUANTILES.shape:
            raise DataError(f"{table.path}, row {i + 1}: {name} must be {len(QUANTILES)} numbers, are {row}")
        out.append(values)
    return out
