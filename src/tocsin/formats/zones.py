"""The user's own zones: a GeoJSON FeatureCollection in any coordinate reference system (CRS).

RFC 7946 means WGS 84, longitude first; its predecessor of 2008 lets a member ``crs`` name another CRS, and so does
the caller. A file with a fault is refused as a whole, with all its faults: a zone that is left out without a word is
a place that is not warned.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tocsin.errors import DataError, RefusedError
from tocsin.formats.cap import UNITS
from tocsin.formats.zone_shapes import LONLAT, Faulty, Frame, Shape, frame_of, shape_of
from tocsin.warning.zones import Zones, make_zones

GEOCODE_NAME = "tocsin:zone"
MAX_TEXT = 200  # characters of a name or an alias
MAX_CODE = 100
MAX_SHELTER_S = 3600.0  # nothing that falls gives more than an hour's notice
CODE = re.compile(r"[^\s,<&]+")  # as identifiers in CAP: it stands in lists
NAME_KEY = re.compile(r"name(?::([A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*))?")
SLIPS = {
    "alias": "aliases",
    "shelter": "shelter_s",
    "names": "name",
}  # what is easily written for what is meant


def read_zones(path: Path, crs: str | None = None) -> Zones:
    """Read a file of zones. ``crs`` names the CRS of its coordinates, as EPSG:5564, where the file does not.

    Raises DataError where the file is no GeoJSON at all, and RefusedError with all that is wrong in it:
    file, feature, field, value and limit.
    """
    document = _document(path)
    problems: list[str] = []
    version = _text(document.get("version"), f"{path}: version", MAX_CODE, problems)
    geocode_name = GEOCODE_NAME
    if "geocode_name" in document:
        geocode_name = _code(document["geocode_name"], f"{path}: geocode_name", problems)
        if geocode_name == UNITS:
            problems.append(f"{path}: geocode_name is {UNITS!r}, which stands for GeoNames' units")
    frame: Frame | None = LONLAT
    try:
        frame = frame_of(document.get("crs"), crs)
    except Faulty as why:
        problems.append(f"{path}: {why}")
        frame = None
    features = document["features"]
    if not features:
        problems.append(f"{path}: has no zones; features is empty")
    rows = [_feature(one, f"{path}: features[{i}]", frame, problems) for i, one in enumerate(features)]
    codes = [row[0] for row in rows]
    _each_once(codes, path, problems)
    aliases = _aliases([row[2] for row in rows], codes, path, problems)
    if problems:
        raise RefusedError(problems)
    shapes = [row[3] for row in rows if row[3] is not None]
    return make_zones(
        version,
        geocode_name,
        codes,
        [row[1] for row in rows],
        shapes,
        aliases,
        np.array([row[4] for row in rows]),
    )


Row = tuple[str, tuple[tuple[str, str], ...], list[str], Shape | None, float]


def _document(path: Path) -> dict[str, Any]:
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
    if not isinstance(document.get("features"), list):
        raise DataError(f"{path}: features must be a list, not {shown(document.get('features'))}")
    return document


def shown(value: object) -> str:
    """A value for an error, cut short."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."


def _feature(feature: object, where: str, frame: Frame | None, problems: list[str]) -> Row:
    """Code, names, aliases, shape and time to shelter of one feature; what is wrong goes to ``problems``."""
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        problems.append(f"{where} must be a Feature, not {shown(feature)}")
        return "", (), [], None, math.nan
    properties = feature.get("properties")
    if not isinstance(properties, dict):
        problems.append(f"{where}.properties must be an object, not {shown(properties)}")
        properties = {}
        code = ""
    else:
        code = _code(properties.get("code"), f"{where}.properties.code", problems)
    where = f"{where} ({code})" if code else where
    for slip, meant in SLIPS.items():
        if slip in properties and meant not in properties:
            problems.append(f"{where}.properties.{slip} is not known; {meant} may be meant")
    shape = None
    if frame is not None:
        try:
            shape = shape_of(feature.get("geometry"), frame)
        except Faulty as why:
            problems.append(f"{where}.geometry{why}")
    return (
        code,
        _names(properties, f"{where}.properties", problems),
        _list(properties.get("aliases", []), f"{where}.properties.aliases", problems),
        shape,
        _shelter(properties.get("shelter_s"), f"{where}.properties.shelter_s", problems),
    )


def _text(value: object, where: str, longest: int, problems: list[str]) -> str:
    if (
        isinstance(value, str)
        and value.strip() == value
        and 0 < len(value) <= longest
        and value.isprintable()
    ):
        return value
    problems.append(
        f"{where} is {shown(value)}, must be text of 1 to {longest} printable characters without blanks around it"
    )
    return ""


def _code(value: object, where: str, problems: list[str]) -> str:
    code = _text(value, where, MAX_CODE, problems)
    if code and not CODE.fullmatch(code):
        problems.append(f"{where} is {shown(code)}, must be without blanks, comma, < and &: it stands in CAP")
        return ""
    return code


def _names(properties: Mapping[str, Any], where: str, problems: list[str]) -> tuple[tuple[str, str], ...]:
    found = []
    for key, value in properties.items():
        match = NAME_KEY.fullmatch(key)
        if match and value is not None:
            found.append((match[1] or "", _text(value, f"{where}.{key}", MAX_TEXT, problems)))
    return tuple(found)


def _list(value: object, where: str, problems: list[str]) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list):
        problems.append(f"{where} is {shown(value)}, must be a list of codes or names")
        return []
    found = [_text(one, f"{where}[{i}]", MAX_TEXT, problems) for i, one in enumerate(value)]
    return [one for one in found if one]


def _shelter(value: object, where: str, problems: list[str]) -> float:
    if value is None:
        return math.nan
    if isinstance(value, int | float) and not isinstance(value, bool) and 0.0 <= value <= MAX_SHELTER_S:
        return float(value)
    problems.append(f"{where} is {shown(value)}, must be a number of seconds from 0 to {MAX_SHELTER_S:g}")
    return math.nan


def _each_once(codes: list[str], path: Path, problems: list[str]) -> None:
    first: dict[str, int] = {}
    for i, code in enumerate(codes):
        if code and first.setdefault(code, i) != i:
            problems.append(
                f"{path}: features[{i}].properties.code {code!r} is that of features[{first[code]}], too"
            )


def _aliases(lists: list[list[str]], codes: list[str], path: Path, problems: list[str]) -> dict[str, int]:
    """Alias -> row. An alias must lead to one zone, and to no other than a code does."""
    row_of = {code: row for row, code in enumerate(codes) if code}
    found: dict[str, int] = {}
    for row, aliases in enumerate(lists):
        where = f"{path}: features[{row}] ({codes[row]}).properties.aliases"
        for alias in aliases:
            if alias in row_of and row_of[alias] != row:
                problems.append(
                    f"{where} has {alias!r}, the code of features[{row_of[alias]}]: that zone still exists"
                )
            elif found.setdefault(alias, row) != row:
                problems.append(
                    f"{where} has {alias!r}, as features[{found[alias]}] does: it must lead to one zone"
                )
    return found
