"""The settings of the warning policy, as a TOML file: read, checked, and the one that comes with the program."""

from __future__ import annotations

import difflib
import math
import tomllib
from importlib import resources
from typing import Any

from tocsin.errors import SettingsError
from tocsin.warning.settings import Settings

# Table -> key -> least and greatest value; True and False where it is a choice.
LIMITS: dict[str, dict[str, tuple[float, float]]] = {
    "decide": {
        "cost_loss_per_km2": (1e-9, 1.0),
        "light_loss": (0.0, 1.0),
        "hold": (0.0, 0.9999),
        "shelter_s": (0.0, 3600.0),
        "within_s": (60.0, 86_400.0),
        "existence": (0.5, 0.9999),
        "forecasts": (1, 20),
        "prepare_public": (False, True),
    },
    "area": {
        "scale": (1.0, 3.0),
        "margin_m": (0.0, 50_000.0),
        "max_area_km2": (1.0, 1e6),
        "least_held": (0.0, 1.0),
        "corners": (8, 100),
        "united_corners": (8, 200),
        "message_corners": (48, 1000),
        "least_corners": (4, 24),
    },
    "change": {
        "poke": (0.0, 0.2),
        "slack_scale": (1.0, 2.0),
        "agree_forecasts": (1, 20),
        "agree_s": (0.0, 600.0),
        "silence_s": (1.0, 600.0),
        "settle": (0.1, 1.0),
        "shrink": (0.1, 1.0),
        "arrival_s": (1.0, 3600.0),
        "onset_s": (0.0, 600.0),
        "stay_s": (0.0, 600.0),
        "urgent_interval_s": (1.0, 60.0),
        "interval_s": (1.0, 600.0),
    },
    "end": {
        "sigmas": (1.0, 10.0),
        "debris_s": (0.0, 3600.0),
        "unseen_s": (0.0, 86_400.0),
        "slack_s": (10.0, 3600.0),
        "all_clear_s": (60.0, 86_400.0),
    },
    "together": {
        "adjoin_m": (0.0, 200_000.0),
        "wave_s": (10.0, 3600.0),
        "succeed_s": (0.0, 3600.0),
    },
}


def read_policy(text: str, where: str, base: Settings = Settings()) -> Settings:  # noqa: B008
    """Settings of a policy file; what it leaves out is as in ``base``.

    where: what messages begin with, the name of the file. Raises SettingsError that names table, key, value and limits.
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{where}: is not TOML: {error}") from None
    found: dict[str, Any] = {}
    for name, table in tables.items():
        if name not in LIMITS or not isinstance(table, dict):
            raise SettingsError(f"{where}: {_unknown(name, LIMITS)}")
        for key, value in table.items():
            if key not in LIMITS[name]:
                raise SettingsError(f"{where}: [{name}] {_unknown(key, LIMITS[name])}")
            found[key] = _checked(value, *LIMITS[name][key], f"{where}: [{name}] {key}")
    settings = base._replace(**found)
    if settings.urgent_interval_s > settings.interval_s:
        raise SettingsError(
            f"{where}: [change] urgent_interval_s is {settings.urgent_interval_s:g}, must be at most interval_s,"
            f" {settings.interval_s:g}"
        )
    return settings


def shipped_policy() -> str:
    """The text of the policy file that comes with the program: the defaults, and what each is for."""
    return resources.files("tocsin.warning").joinpath("data", "policy.toml").read_text(encoding="utf-8")


def _checked(value: Any, low: float, high: float, where: str) -> Any:
    if isinstance(low, bool):
        if not isinstance(value, bool):
            raise SettingsError(f"{where} is {value!r}, must be true or false")
        return value
    kind = "a whole number" if isinstance(low, int) else "a number"
    right = isinstance(value, int if isinstance(low, int) else int | float) and not isinstance(value, bool)
    if not right or not math.isfinite(value) or not low <= value <= high:
        raise SettingsError(f"{where} is {value!r}, must be {kind} from {low:g} to {high:g}")
    return value if isinstance(low, int) else float(value)


def _unknown(name: str, known: Any) -> str:
    near = difflib.get_close_matches(name, list(known), 1)
    hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(known)}"
    return f"{name} is not known{hint}"
