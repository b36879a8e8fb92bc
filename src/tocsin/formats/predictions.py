"""Predictions of states as JSON and as GeoJSON (RFC 7946)."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from shapely.geometry import mapping

from tocsin.formats.geojson import moment
from tocsin.formats.given import Given
from tocsin.prediction.forecast import COMES_DOWN, QUANTILES, FallLine, MayRelease, Pieces, Prediction, Window
from tocsin.sensors.plots import Floats
from tocsin.units import DEGREE_RAD

DECIMALS = 5  # of a degree: a metre
RELEASE_SHARES = (0.5, 0.9, 0.99)  # of the areas of what may still be released


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
    if made.may_release is not None:
        found["may_release"] = may_release_json(given.time_s, made.may_release)
    if made.fall_line is not None:
        found["fall_line"] = _line(made.fall_line)
    if made.pieces is not None:
        found["pieces"] = _pieces(made.pieces)
    if made.window is not None:
        found["window"] = window_json(given.time_s, made.window)
    return found


def may_release_json(time_s: float, may: MayRelease) -> dict[str, Any]:
    """What may still be released by what has a state at a time: all but the outlines of areas."""
    return {
        "chance": _plain(may.chance, 4),
        "bodies": _plain(may.bodies, 2),
        "until": _time(time_s + may.until_s),
        "until_after_s": _plain(may.until_s),
        "lat_deg": _degrees(may.latitude_rad),
        "lon_deg": _degrees(may.longitude_rad),
        "impact_time": _time(time_s + may.impact_time_s),
        "impact_after_s": _plain(may.impact_time_s),
        "impact_after_quantiles_s": {
            f"{q:g}": _plain(t) for q, t in zip(QUANTILES, may.time_quantiles_s, strict=True)
        },
        "areas": [
            {"share": share, "area_km2": _plain(size, 6)}
            for share, size in zip(RELEASE_SHARES, may.areas_km2, strict=True)
        ],
    }


def window_json(time_s: float, window: Window) -> dict[str, Any]:
    """A window: its times, and its track piece by piece, each from a place and a time on; null for what is later."""

    def quantiles(values_s: Floats) -> dict[str, float | None]:
        return {f"{q:g}": _plain(t) for q, t in zip(QUANTILES, values_s, strict=True)}

    return {
        "entry_after_quantiles_s": quantiles(window.entry_quantiles_s),
        "impact_after_quantiles_s": quantiles(window.ground_quantiles_s),
        "within": _plain(window.within, 6),
        "revolutions": _plain(window.revolutions, 2),
        "south_lat_deg": _degrees(window.latitude_rad[0]),
        "north_lat_deg": _degrees(window.latitude_rad[1]),
        "swath_m": _plain(window.swath_m, 0),
        "acting_ballistic_coefficient_kg_m2": _plain(math.exp(window.ln_beta)),
        "acting_ballistic_coefficient_sigma": _plain(window.ln_beta_sigma, 4),
        "track": [
            {
                "lat_deg": _degrees(window.track[first, 0]),
                "lon_deg": _degrees(window.track[first, 1]),
                **_stretch(time_s, window, first, last, chance),
            }
            for first, last, chance in _stretches(window)
        ],
    }


def _stretches(window: Window) -> list[tuple[int, int, float]]:
    return [(int(first), int(last), float(chance)) for first, last, chance in window.stretches]


def _stretch(time_s: float, window: Window, first: int, last: int, chance: float) -> dict[str, Any]:
    """When something comes down along a piece of a track, and the chance that it does."""
    from_s, to_s = float(window.track[first, 2]), float(window.track[last, 2])
    return {
        "from": _time(time_s + from_s),
        "to": _time(time_s + to_s),
        "from_after_s": _plain(from_s),
        "to_after_s": _plain(to_s),
        "chance": _plain(chance, 6),
    }


def lines(latitude_rad: Floats, longitude_rad: Floats) -> list[list[list[float]]]:
    """A track (n,) as lines of longitude and latitude in degrees, cut at the antimeridian."""
    out: list[list[list[float]]] = [[]]
    before: tuple[float, float] | None = None
    for latitude, longitude in zip(np.degrees(latitude_rad), np.degrees(longitude_rad), strict=True):
        if before is not None and abs(longitude - before[1]) > 180.0:
            side = math.copysign(180.0, before[1])
            far = longitude + 2.0 * side - before[1]
            share = (side - before[1]) / far if far else 0.0
            there = before[0] + share * (latitude - before[0])
            out[-1].append([side, there])
            out.append([[-side, there]])
        out[-1].append([float(longitude), float(latitude)])
        before = float(latitude), float(longitude)
    return [[[round(lon, DECIMALS), round(lat, DECIMALS)] for lon, lat in line] for line in out]


def predictions_geojson(pairs: Sequence[tuple[Given, Prediction]]) -> bytes:
    """Areas, median places, fall lines, tracks of windows; a state with none has a feature without geometry."""
    features: list[dict[str, Any]] = []
    for given, made in pairs:
        common = {
            "name": given.name,
            "time": _time(given.time_s),
            "status": made.status,
            "sentence": made.sentence,
        }
        if made.status != COMES_DOWN and made.window is None:
            features.append(_feature(None, common | {"what": "none"}))
        for share, size, area in zip(made.shares, made.areas_km2, made.areas, strict=False):
            told = {"what": "area", "share": _plain(share, 6), "area_km2": _plain(size, 6)}
            features.append(_feature(_rounded(mapping(area)), common | told))
        if made.may_release is not None:
            features += _may_release(given, made.may_release, common)
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
        if made.window is not None:
            width = {"what": "track", "swath_m": _plain(made.window.swath_m, 0)}
            for first, last, chance in _stretches(made.window):
                some = made.window.track[first : last + 1]
                shape = {"type": "MultiLineString", "coordinates": lines(some[:, 0], some[:, 1])}
                features.append(
                    _feature(shape, common | width | _stretch(given.time_s, made.window, first, last, chance))
                )
    document = {"type": "FeatureCollection", "features": features}
    return (json.dumps(document, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _may_release(given: Given, may: MayRelease, common: dict[str, Any]) -> list[dict[str, Any]]:
    """The areas of what may still be released."""
    told = {
        "what": "may release",
        "chance": _plain(may.chance, 4),
        "until": _time(given.time_s + may.until_s),
        "until_after_s": _plain(may.until_s),
        "from_after_s": _plain(may.time_quantiles_s[0]),
        "to_after_s": _plain(may.time_quantiles_s[-1]),
    }
    return [
        _feature(
            _rounded(mapping(area)), common | told | {"share": share, "area_km2": _plain(float(size), 6)}
        )
        for share, size, area in zip(RELEASE_SHARES, may.areas_km2, may.areas, strict=True)
    ]


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
