"""Predictions of states as JSON and as GeoJSON (RFC 7946)."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

from shapely.geometry import mapping

from tocsin.formats.geojson import moment
from tocsin.formats.given import Given
from tocsin.prediction.forecast import COMES_DOWN, QUANTILES, FallLine, Pieces, Prediction
from tocsin.units import DEGREE_RAD

DECIMALS = 5  # of a degree: a metre


def prediction_json(given: Given, made: Prediction) -> dict[str, Any]:
    """All that was found of one state but the outlines of its areas; null for what is not known.

    Times are ISO 8601 where the state has one, and seconds after the state.
    """
    found: dict[str, Any] = {
        "name": given.name,
        "time": _time(given.time_s),
        "status": made.status,
        "sentence": made.sentence,
        "notes": list(made.notes),
        "origin": made.origin,
    }
    if made.status == COMES_DOWN:
        found |= {
            "lat_deg": _degrees(made.latitude_rad),
            "lon_deg": _degrees(made.longitude_rad),
            "impact_time": _time(given.time_s + made.time_s),
            "impact_after_s": _plain(made.time_s),
            "impact_after_quantiles_s": {
                f"{q:g}": _plain(t) for q, t in zip(QUANTILES, made.time_quantiles_s, strict=True)
            },
            "covariance": [[_plain(v) for v in row] for row in made.covariance],
            "stays_up": _plain(made.stays_up, 6),
            "areas": [
                {"share": _plain(share, 6), "area_km2": _plain(size, 6)}
                for share, size in zip(made.shares, made.areas_km2, strict=True)
            ],
            "flights": [
                {
                    "lat_deg": _degrees(row[0]),
                    "lon_deg": _degrees(row[1]),
                    "after_s": _plain(row[2]),
                    "ballistic_coefficient_kg_m2": _plain(math.exp(row[3])),
                    "weight": _plain(row[4], 6),
                }
                for row in made.flights
            ],
        }
    if made.fall_line is not None:
        found["fall_line"] = _line(made.fall_line)
    if made.pieces is not None:
        found["pieces"] = _pieces(made.pieces)
    return found


def predictions_geojson(pairs: Sequence[tuple[Given, Prediction]]) -> bytes:
    """Areas, median places and fall lines; a state without an impact is a feature without geometry."""
    features: list[dict[str, Any]] = []
    for given, made in pairs:
        common = {
            "name": given.name,
            "time": _time(given.time_s),
            "status": made.status,
            "sentence": made.sentence,
        }
        if made.status != COMES_DOWN:
            features.append(_feature(None, common | {"what": "none"}))
        for share, size, area in zip(made.shares, made.areas_km2, made.areas, strict=False):
            told = {"what": "area", "share": _plain(share, 6), "area_km2": _plain(size, 6)}
            features.append(_feature(_rounded(mapping(area)), common | told))
        if made.status == COMES_DOWN:
            told = {
                "what": "median",
                "impact_time": _time(given.time_s + made.time_s),
                "after_s": _plain(made.time_s),
            }
            features.append(_feature(_point(made.longitude_rad, made.latitude_rad), common | told))
        rows = [("fall line", row) for row in (_line(made.fall_line) if made.fall_line is not None else ())]
        rows += [("piece", row) for row in (_pieces(made.pieces) if made.pieces is not None else ())]
        for what, row in rows:
            if row["lat_deg"] is not None:
                place = {"type": "Point", "coordinates": [row["lon_deg"], row["lat_deg"]]}
                told = {k: v for k, v in row.items() if not k.endswith("_deg")}
                features.append(_feature(place, common | {"what": what} | told))
    document = {"type": "FeatureCollection", "features": features}
    return (json.dumps(document, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _line(line: FallLine) -> list[dict[str, Any]]:
    return [
        {
            "mass_kg": _plain(line.mass_kg[i], 6),
            "start_mass_kg": _plain(line.start_mass_kg[i], 6),
            "lat_deg": _degrees(line.latitude_rad[i]),
            "lon_deg": _degrees(line.longitude_rad[i]),
            "after_s": _plain(line.time_s[i]),
            "density_kg_m3": line.density_kg_m3,
            "shape": line.shape,
        }
        for i in range(len(line.mass_kg))
    ]


def _pieces(pieces: Pieces) -> list[dict[str, Any]]:
    return [
        {
            "ballistic_coefficient_kg_m2": _plain(beta),
            "lat_deg": _degrees(latitude),
            "lon_deg": _degrees(longitude),
            "after_s": _plain(time_s),
        }
        for beta, latitude, longitude, time_s in zip(*pieces, strict=True)
    ]


def _feature(geometry: dict[str, Any] | None, properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def _point(longitude_rad: float, latitude_rad: float) -> dict[str, Any]:
    return {"type": "Point", "coordinates": [_degrees(longitude_rad), _degrees(latitude_rad)]}


def _rounded(geometry: dict[str, Any]) -> dict[str, Any]:
    def of(value: Any) -> Any:
        return [of(v) for v in value] if isinstance(value, list | tuple) else round(value, DECIMALS)

    return {"type": geometry["type"], "coordinates": of(geometry["coordinates"])}


def _degrees(angle_rad: float) -> float | None:
    return _plain(angle_rad / DEGREE_RAD, DECIMALS)


def _plain(value: float, places: int = 3) -> float | None:
    return round(float(value), places) if math.isfinite(value) else None


def _time(time_s: float) -> str | None:
    return moment(time_s) if math.isfinite(time_s) else None
