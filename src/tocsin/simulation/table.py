"""Checked reading of one TOML table: every complaint names file, key, value and limit."""

from __future__ import annotations

import datetime
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from tocsin.errors import SettingsError


class Spread(NamedTuple):
    """A value that a scenario leaves open: drawn uniformly between two limits (equal: fixed)."""

    low: float
    high: float

    def draw(self, rng: np.random.Generator) -> float:
        """One value. Draws once even where both limits agree, so that other draws stay as they are."""
        return self.low + (self.high - self.low) * float(rng.random())


class Table:
    """One TOML table under its path in the file; `done` complains of keys that nobody asked for."""

    def __init__(self, values: dict[str, Any], where: str) -> None:
        """``where`` is what messages begin with: the file, then the path of the table."""
        self.values = values
        self.where = where
        self.asked: set[str] = set()

    def fail(self, key: str, what: str) -> SettingsError:
        """An error about one key."""
        return SettingsError(f"{self.where}{key} {what}")

    def has(self, key: str) -> bool:
        """Whether the table holds a key."""
        return key in self.values

    def get(self, key: str, default: Any = None) -> Any:
        """The raw value. Raises SettingsError if it is missing and there is no default."""
        self.asked.add(key)
        if key in self.values:
            return self.values[key]
        if default is None:
            raise self.fail(key, "is missing")
        return default

    def number(self, key: str, low: float, high: float, default: float | None = None) -> float:
        """A number within limits."""
        return self._number(self.get(key, default), key, low, high)

    def spread(self, key: str, low: float, high: float, default: float | None = None) -> Spread:
        """A number, or [lowest, highest] to draw from, within limits."""
        value = self.get(key, default)
        if isinstance(value, list):
            if len(value) != 2:
                raise self.fail(key, f"is {value}, must be a number or [lowest, highest]")
            first, second = (self._number(v, key, low, high) for v in value)
            if first > second:
                raise self.fail(key, f"is {value}, its first value must not be the larger one")
            return Spread(first, second)
        fixed = self._number(value, key, low, high)
        return Spread(fixed, fixed)

    def count(self, key: str, low: int, high: int, default: int | None = None) -> int:
        """A whole number within limits."""
        value = self.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise self.fail(key, f"is {value!r}, must be a whole number from {low} to {high}")
        return value

    def flag(self, key: str, default: bool) -> bool:
        """True or false."""
        value = self.get(key, default)
        if not isinstance(value, bool):
            raise self.fail(key, f"is {value!r}, must be true or false")
        return value

    def text(self, key: str, choices: Sequence[str] = (), default: str | None = None) -> str:
        """Text, one of the choices if there are any."""
        value = self.get(key, default)
        if not isinstance(value, str) or not value.strip():
            raise self.fail(key, f"is {value!r}, must be text")
        if choices and value not in choices:
            raise self.fail(key, f"is {value!r}, must be one of {', '.join(choices)}")
        return value

    def time_s(self, key: str) -> float:
        """A moment, as seconds since 1970 UTC."""
        value = self.get(key)
        if not isinstance(value, datetime.datetime) or value.tzinfo is None:
            raise self.fail(key, f"is {value!r}, must be a time with a zone, such as 2025-03-01T12:00:00Z")
        return value.timestamp()

    def table(self, key: str) -> Table | None:
        """A table within this one, or None where there is none."""
        self.asked.add(key)
        if key not in self.values:
            return None
        value = self.values[key]
        if not isinstance(value, dict):
            raise self.fail(key, f"is {value!r}, must be a table")
        return Table(value, f"{self.where}{key}.")

    def tables(self, key: str) -> list[Table]:
        """The tables of an array of tables; empty where there is none."""
        self.asked.add(key)
        values = self.values.get(key, [])
        if not isinstance(values, list) or not all(isinstance(v, dict) for v in values):
            raise self.fail(key, f"must be a list of tables, written [[{key}]]")
        return [Table(v, f"{self.where}{key}[{i}].") for i, v in enumerate(values)]

    def done(self) -> None:
        """Raise SettingsError if the table holds a key that was never asked for."""
        for key in self.values:
            if key not in self.asked:
                known = ", ".join(sorted(self.asked))
                raise self.fail(key, f"is not a known key; known here are: {known}")

    def _number(self, value: Any, key: str, low: float, high: float) -> float:
        ok = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if not ok or not low <= value <= high:
            raise self.fail(key, f"is {value!r}, must be a number from {low:g} to {high:g}")
        return float(value)
