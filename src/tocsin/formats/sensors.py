"""sensors.geojson: what each sensor is, where it stands and what it measures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tocsin.errors import DataError
from tocsin.sensors.plots import KINDS, Floats, Sensor
from tocsin.units import DEGREE_RAD

# name in files, factor to SI, in the order of sensors.plots
QUANTITIES = ("range_m", "azimuth_deg", "elevation_deg", "range_rate_m_s")
TO_SI: Floats = np.array([1.0, DEGREE_RAD, DEGREE_RAD, 1.0])

MAX_RANGE_M = 5e8  # a little beyond the Moon: nothing farther is tracked
MAX_RANGE_RATE_M_S = 1e5  # the fastest meteors of the solar system meet the Earth at 72 km/s
# what can be measured, in the units of files
LIMITS = {
    "range_m": (0.0, MAX_RANGE_M),
    "azimuth_deg": (-180.0, 360.0),
    "elevation_deg": (-90.0, 90.0),
    "range_rate_m_s": (-MAX_RANGE_RATE_M_S, MAX_RANGE_RATE_M_S),
}
# a tenth of a turn, 100 km, 10 km/s: noise above that measures nothing
MAX_SIGMA = {"range_m": 1e5, "azimuth_deg": 36.0, "elevation_deg": 36.0, "range_rate_m_s": 1e4}
MIN_HEIGHT_M = -1000.0  # the lowest dry land is 430 m below the sea; a mine shaft is no place for a sensor
MAX_FALSE_PLOTS = 1e6
MAX_SCAN_PERIOD_S = 86400.0


def read_sensors(path: Path) -> tuple[Sensor, ...]:
    """Read a sensors.geojson. Raises DataError that names file, feature, property, value and limit."""
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise DataError(f"{path}: is not JSON ({where}: {error.msg})") from error
    except RecursionError as error:
        raise DataError(f"{path}: is not JSON of a FeatureCollection (nested too deep)") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: is not UTF-8 text (byte {error.start})") from error
    if not isinstance(document, dict) or document.get("type") != "FeatureCollection":
        raise DataError(f"{path}: is not a GeoJSON FeatureCollection")
    features = document.get("features")
    if not isinstance(features, list):
        raise DataError(f"{path}: features must be a list, not {_show(features)}")
    if not features:
        raise DataError(f"{path}: has no sensors; a recording needs at least one")
    sensors = [_sensor(feature, f"{path}: features[{i}]") for i, feature in enumerate(features)]
    seen: set[str] = set()
    for i, sensor in enumerate(sensors):
        if sensor.name in seen:
            raise DataError(f"{path}: features[{i}].properties.id {sensor.name!r} is there twice")
        seen.add(sensor.name)
    return tuple(sensors)


def _show(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _object(value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise DataError(f"{where} must be an object, not {_show(value)}")
    return value


def _number(value: Any, where: str, low: float, high: float, above: bool = False) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number and (low < value if above else low <= value) and value <= high:
        return float(value)
    lower = f"above {low:g}" if above else f"at least {low:g}"
    raise DataError(f"{where} is {_show(value)}, must be a number {lower} and at most {high:g}")


def _quantities(value: object, where: str) -> dict[str, Any]:
    found = _object(value, where)
    for key in found:
        if key not in QUANTITIES:
            raise DataError(f"{where}.{key} is not a quantity; known are {', '.join(QUANTITIES)}")
    return found


def _sensor(feature: object, where: str) -> Sensor:
    feature = _object(feature, where)
    geometry = _object(feature.get("geometry"), f"{where}.geometry")
    if geometry.get("type") != "Point":
        raise DataError(f"{where}.geometry.type is {_show(geometry.get('type'))}, must be Point")
    place = geometry.get("coordinates")
    at = f"{where}.geometry.coordinates"
    if not isinstance(place, list) or len(place) != 3:
        raise DataError(f"{at} is {_show(place)}, must be [lon, lat, height_m]")
    longitude = _number(place[0], f"{at}[0] (lon)", -180.0, 180.0)
    latitude = _number(place[1], f"{at}[1] (lat)", -90.0, 90.0)
    height = _number(place[2], f"{at}[2] (height_m)", MIN_HEIGHT_M, MAX_RANGE_M)

    properties = _object(feature.get("properties"), f"{where}.properties")
    name = properties.get("id")
    if not isinstance(name, str) or not name.strip() or name != name.strip():
        raise DataError(f"{where}.properties.id is {_show(name)}, must be text without blanks around it")
    where = f"{where} ({name})"
    kind = properties.get("kind")
    if kind not in KINDS:
        raise DataError(f"{where}.kind is {_show(kind)}, must be one of {', '.join(KINDS)}")
    return Sensor(
        name=name,
        kind=kind,
        latitude_rad=latitude * DEGREE_RAD,
        longitude_rad=longitude * DEGREE_RAD,
        height_m=height,
        sigma=_sigma(properties.get("sigma"), f"{where}.sigma", kind),
        detection_probability=_number(
            properties.get("detection_probability"), f"{where}.detection_probability", 0.0, 1.0, above=True
        ),
        false_plots_per_scan=_number(
            properties.get("false_plots_per_scan"), f"{where}.false_plots_per_scan", 0.0, MAX_FALSE_PLOTS
        ),
        scan_period_s=_number(
            properties.get("scan_period_s"), f"{where}.scan_period_s", 0.0, MAX_SCAN_PERIOD_S, above=True
        ),
        field_of_view=_field_of_view(properties.get("field_of_view"), f"{where}.field_of_view"),
        bias_sigma=_bias_sigma(properties.get("bias_sigma", {}), f"{where}.bias_sigma"),
    )


def _sigma(value: object, where: str, kind: str) -> Floats:
    found = _quantities(value, where)
    sigma = np.full(4, np.nan)
    for i, key in enumerate(QUANTITIES):
        if key in found:
            sigma[i] = _number(found[key], f"{where}.{key}", 0.0, MAX_SIGMA[key], above=True)
    if not found:
        raise DataError(f"{where} is empty: the sensor measures nothing")
    if kind != "radar" and set(found) != {"azimuth_deg", "elevation_deg"}:
        have = ", ".join(found)
        raise DataError(f"{where} has {have}; a sensor of kind {kind} measures azimuth_deg and elevation_deg")
    si: Floats = sigma * TO_SI
    return si


def _bias_sigma(value: object, where: str) -> Floats:
    found = _quantities(value, where)
    bias = [_number(found.get(key, 0.0), f"{where}.{key}", 0.0, 10 * MAX_SIGMA[key]) for key in QUANTITIES]
    si: Floats = np.array(bias) * TO_SI
    return si


def _field_of_view(value: object, where: str) -> Floats:
    found = _quantities(value, where)
    view = np.full((4, 2), np.nan)
    for i, key in enumerate(QUANTITIES):
        if key not in found:
            continue
        pair = found[key]
        if not isinstance(pair, list) or len(pair) != 2:
            raise DataError(f"{where}.{key} is {_show(pair)}, must be [min, max]")
        view[i] = [_number(end, f"{where}.{key}[{j}]", *LIMITS[key]) for j, end in enumerate(pair)]
        if key != "azimuth_deg" and not view[i, 0] < view[i, 1]:
            raise DataError(f"{where}.{key} is {_show(pair)}, its first value must be the smaller one")
    si: Floats = view * TO_SI[:, None]
    return si


def sensors_text(sensors: Sequence[Sensor]) -> str:
    """The text of a sensors.geojson."""
    features = []
    for s in sensors:
        properties: dict[str, Any] = {
            "id": s.name,
            "kind": s.kind,
            "sigma": _named(s.sigma / TO_SI),
            "detection_probability": s.detection_probability,
            "false_plots_per_scan": s.false_plots_per_scan,
            "scan_period_s": s.scan_period_s,
            "field_of_view": _named(s.field_of_view / TO_SI[:, None]),
        }
        if np.any(s.bias_sigma > 0):
            properties["bias_sigma"] = _named(np.where(s.bias_sigma > 0, s.bias_sigma / TO_SI, np.nan))
        place = [_tidy(s.longitude_rad / DEGREE_RAD), _tidy(s.latitude_rad / DEGREE_RAD), s.height_m]
        geometry = {"type": "Point", "coordinates": place}
        features.append({"type": "Feature", "geometry": geometry, "properties": properties})
    return json.dumps({"type": "FeatureCollection", "features": features}, indent=1) + "\n"


def _tidy(value: float) -> float:
    """Undo the last bit of a conversion (12 decimals of a degree are 0.1 micrometres on the ground)."""
    return round(float(value), 12)


def _named(values: Any) -> dict[str, Any]:
    named = {}
    for key, value in zip(QUANTITIES, values, strict=True):
        if not np.isnan(value).any():
            named[key] = [_tidy(v) for v in value] if np.ndim(value) else _tidy(value)
    return named
