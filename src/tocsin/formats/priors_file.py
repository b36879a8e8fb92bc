"""Priors of forecasts, as a TOML file: read, checked, and the one that comes with the program."""

from __future__ import annotations

import difflib
import math
import tomllib
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

from tocsin.errors import SettingsError
from tocsin.prediction.priors import PRIORS, Kind, Kinds, Priors, Release, Speed

Limits = Mapping[str, tuple[float, float]]  # least and greatest; whole numbers where both are
RELEASE: Limits = {"chance": (0.0, 1.0), "most_bodies": (1, 1000), "until_height_m": (50e3, 200e3)}
SPEED: Limits = {"share": (0.0, 1e6), "sigma_m_s": (0.0, 1000.0)}
KIND: Limits = {
    "share": (0.0, 1e6),
    "ballistic_coefficient_kg_m2": (1.0, 1e6),
    "ln_sigma": (0.01, 5.0),
}
MOST = 12  # kinds of one origin, and kinds of release


def read_priors(text: str, where: str, base: Priors = PRIORS) -> Priors:
    """Priors of a file; what it leaves out is as in ``base``: each origin, and each value of a release, as a whole.

    where: what messages begin with, the name of the file. Raises SettingsError that names table, key, value and limits.
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{where}: is not TOML: {error}") from None
    kinds: dict[str, tuple[Kind, ...]] = {}
    release = base.release
    for name, table in tables.items():
        if name == "release":
            release = _release(table, f"{where}: [release]", release)
        elif name in Kinds._fields:
            kinds[name] = _kinds(table, f"{where}: [[{name}]]")
        else:
            raise SettingsError(f"{where}: {_unknown(name, ('release', *Kinds._fields))}")
    return Priors(base.kinds._replace(**kinds), release)


def shipped_priors() -> str:
    """The text of the file that comes with the program: the defaults, and what each is for."""
    return resources.files("tocsin.prediction").joinpath("data", "priors.toml").read_text(encoding="utf-8")


def _release(table: Any, where: str, base: Release) -> Release:
    if not isinstance(table, dict):
        raise SettingsError(f"{where} must be a table")
    found: dict[str, Any] = {}
    for key, value in table.items():
        if key == "speed":
            rows = [_numbers(row, SPEED, f"{where} speed[{i}]") for i, row in _rows(value, f"{where} speed")]
            _some_share(rows, f"{where} speed")
            found["speeds"] = tuple(Speed(row["share"], row["sigma_m_s"]) for row in rows)
        elif key in RELEASE:
            found[key] = _checked(value, *RELEASE[key], f"{where} {key}")
        else:
            raise SettingsError(f"{where} {_unknown(key, (*RELEASE, 'speed'))}")
    return base._replace(**found)


def _kinds(table: Any, where: str) -> tuple[Kind, ...]:
    names, rows = [], []
    for i, row in _rows(table, where):
        here = f"{where} {i + 1}"
        row = dict(row) if isinstance(row, dict) else row
        name = row.pop("name", "") if isinstance(row, dict) else ""
        if not isinstance(name, str) or not name:
            raise SettingsError(f"{here}: name is {name!r}, must be a text")
        names.append(name)
        rows.append(_numbers(row, KIND, f"{here} ({name}):"))
    total = _some_share(rows, where)
    return tuple(
        Kind(name, row["share"] / total, math.log(row["ballistic_coefficient_kg_m2"]), row["ln_sigma"])
        for name, row in zip(names, rows, strict=True)
        if row["share"] > 0.0
    )


def _rows(value: Any, where: str) -> list[tuple[int, Any]]:
    if not isinstance(value, list) or not 1 <= len(value) <= MOST:
        raise SettingsError(f"{where} must be a list of 1 to {MOST} tables")
    return list(enumerate(value))


def _some_share(rows: Sequence[Mapping[str, float]], where: str) -> float:
    total = sum(row["share"] for row in rows)
    if not total > 0.0:
        raise SettingsError(f"{where}: the shares are all 0, one must be above")
    return total


def _numbers(row: Any, limits: Limits, where: str) -> dict[str, float]:
    """The values of a table that must have all of some keys, and no other."""
    if not isinstance(row, dict):
        raise SettingsError(f"{where} must be a table")
    for key in row:
        if key not in limits:
            raise SettingsError(f"{where} {_unknown(key, tuple(limits))}")
    for key in limits:
        if key not in row:
            raise SettingsError(f"{where} {key} is missing")
    return {key: _checked(row[key], *limits[key], f"{where} {key}") for key in limits}


def _checked(value: Any, low: float, high: float, where: str) -> Any:
    whole = isinstance(low, int)
    right = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
    if not right or not math.isfinite(value) or not low <= value <= high:
        kind = "a whole number" if whole else "a number"
        raise SettingsError(f"{where} is {value!r}, must be {kind} from {low:g} to {high:g}")
    return value if whole else float(value)


def _unknown(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, 1)
    hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(known)}"
    return f"{name} is not known{hint}"
