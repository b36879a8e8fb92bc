"""States as people give them: rows of a CSV file, or ``name=value`` of a command line, under the same names."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tocsin.earth.ellipsoid import ecef_to_geodetic, enu_axes, geodetic_to_ecef
from tocsin.errors import DataError, UsageError
from tocsin.formats.observed import read_lines
from tocsin.formats.tables import MAX_LISTED, VALUE_LENGTH, Rejection, read_table, texts, time_from_text
from tocsin.prediction.forecast import ORIGINS
from tocsin.sensors.plots import Floats

PLACES = (("x_m", "y_m", "z_m"), ("lat_deg", "lon_deg", "height_m"))
VELOCITIES = (
    ("vx_m_s", "vy_m_s", "vz_m_s"),
    ("east_m_s", "north_m_s", "up_m_s"),
    ("speed_m_s", "heading_deg", "climb_deg"),
)
# the lower triangle, row by row, in m and m/s
AXES = ("x", "y", "z", "vx", "vy", "vz")
COVARIANCE = tuple(f"cov_{a}_{b}" for i, a in enumerate(AXES) for b in AXES[: i + 1])
BODY = ("ballistic_coefficient_kg_m2", "ballistic_coefficient_sigma")
ALL_AXES = ("sigma_position_m", "sigma_velocity_m_s")
LIMITS = {
    "lat_deg": (-90.0, 90.0), "lon_deg": (-180.0, 360.0), "heading_deg": (-360.0, 360.0), "climb_deg": (-90.0, 90.0),
    "speed_m_s": (0.0, math.inf), "ballistic_coefficient_kg_m2": (2.0, 100e3),
    "ballistic_coefficient_sigma": (0.0, 3.0),
}  # fmt: skip
WORDS = ("name", "time", "origin")
OF_STATE = tuple(name for group in (*PLACES, *VELOCITIES) for name in group)
KNOWN = (*WORDS, *OF_STATE, *(f"sigma_{name}" for name in OF_STATE), *ALL_AXES, *COVARIANCE, *BODY)
SMALL = 1e-3  # of a sigma, for differences
WIDEST = 1e12  # a sigma, of which the square must stay a number; beyond, it tells nothing
TIME_LIMIT_S = 253_370_764_800.0  # year 9999: times of impact after the last date cannot be written


class Given(NamedTuple):
    """One state to predict."""

    name: str
    time_s: float  # seconds since 1970 UTC; NaN where none was given
    state: Floats  # (6,) ECEF in m, m/s
    covariance: Floats | None  # (6, 6)
    ballistic_coefficient: float | None
    ballistic_coefficient_sigma: float | None
    origin: str | None


class States(NamedTuple):
    """States of a file, and its rows that could not be used."""

    given: tuple[Given, ...]
    rejected: tuple[Rejection, ...]  # MAX_LISTED at the most
    notes: tuple[str, ...] = ()
    skipped: int = 0  # rows that could not be used, all of them


class _Wrong(Exception):  # noqa: N818  # never leaves this module
    """A field that cannot be used."""

    def __init__(self, field: str, value: str, reason: str) -> None:
        super().__init__(field, value, reason)
        self.field, self.value, self.reason = field, value, reason


def read_states(path: Path) -> States:
    """States of a CSV file. Rows that cannot be used are told of. Raises DataError where none can, or for the file."""
    lines = read_lines(path)
    have = [name.strip() for name in lines[0].split(",")] if lines else []
    if not set(have) & set(KNOWN):
        raise DataError(f"{path}: has no column of a state; its heading must name {_wanted()}")
    place, velocity = _which(have, PLACES), _which(have, VELOCITIES)
    if place is None or velocity is None:
        raise DataError(
            f"{path}: lacks columns; its heading must name {_wanted()} (it has: {', '.join(have)})"
        )
    table = read_table(path, [*place, *velocity], [name for name in KNOWN if name not in (*place, *velocity)])
    columns = {name: texts(table, name).to_pylist() for name in table.columns}
    given: list[Given] = []
    rejected = list(table.ragged)
    for i, row in enumerate(table.row.tolist()):
        try:
            given.append(_given({k: v[i] or "" for k, v in columns.items()}, f"line {row}"))
        except _Wrong as wrong:
            rejected.append(
                Rejection(
                    path.name, row, wrong.field, wrong.value, wrong.reason if wrong.value else "is missing"
                )
            )
    rejected.sort(key=lambda rejection: rejection.row)
    if not given:
        first = f"; the first: {rejected[0].text}" if rejected else ""
        raise DataError(f"{path}: has no state that can be used{first}")
    unused = [name for name in have if name not in KNOWN]
    notes = (f"{path.name}: not used: {', '.join(unused)}",) if unused else ()
    return States(tuple(given), tuple(rejected[:MAX_LISTED]), notes, len(rejected))


def state_of(pairs: Sequence[str]) -> Given:
    """A state of ``name=value`` texts, under the names of the columns of a file. Raises UsageError."""
    fields: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or name not in KNOWN:
            raise UsageError(
                f"{pair!r} is neither a file nor one of a state's name=value; names are {', '.join(KNOWN)}"
            )
        if name in fields:
            raise UsageError(f"{name} is given twice")
        fields[name] = value
    for groups in (PLACES, VELOCITIES):
        if _which(list(fields), groups) is None:
            raise UsageError(f"the state is not whole; give {_wanted()} (given: {', '.join(fields)})")
    try:
        return _given(fields, "state")
    except _Wrong as wrong:
        raise UsageError(f"{wrong.field} is {wrong.value!r}: {wrong.reason}") from None


def _wanted() -> str:
    places, velocities = (" or ".join(",".join(group) for group in groups) for groups in (PLACES, VELOCITIES))
    return f"{places}; and {velocities}"


def _which(have: Sequence[str], groups: Sequence[tuple[str, ...]]) -> tuple[str, ...] | None:
    return next((group for group in groups if set(group) <= set(have)), None)


def _given(fields: Mapping[str, str], name: str) -> Given:
    """A state of texts. Raises _Wrong."""
    place, velocity = _which(list(fields), PLACES), _which(list(fields), VELOCITIES)
    if place is None or velocity is None:
        raise ValueError("the caller has seen to it that both are there")
    names = (*place, *velocity)
    values = np.array([_number(fields, field, needed=True) for field in names])
    to_ecef = _way(place, velocity)
    time_s = time_from_text(fields.get("time", "")) if fields.get("time") else math.nan
    if fields.get("time") and math.isnan(time_s):
        raise _Wrong("time", fields["time"][:VALUE_LENGTH], "is not a date and time (ISO 8601, UTC)")
    if time_s >= TIME_LIMIT_S:
        raise _Wrong("time", fields["time"][:VALUE_LENGTH], "must be before the year 9999")
    origin = fields.get("origin") or None
    if origin is not None and origin not in ORIGINS:
        raise _Wrong("origin", origin[:VALUE_LENGTH], f"must be one of {', '.join(ORIGINS)}")
    coefficient, sigma = (_number(fields, field) for field in BODY)
    return Given(
        fields.get("name") or name, time_s, to_ecef(values), _covariance(fields, names, values, to_ecef),
        None if math.isnan(coefficient) else coefficient, None if math.isnan(sigma) else sigma, origin,
    )  # fmt: skip


def _number(fields: Mapping[str, str], name: str, needed: bool = False) -> float:
    """A number, NaN where none is given."""
    text = fields.get(name, "").strip()
    if not text:
        if needed:
            raise _Wrong(name, "", "is missing")
        return math.nan
    try:
        value = float(text.replace("_", "no number"))
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise _Wrong(name, text[:VALUE_LENGTH], "must be a number")
    low, high = (0.0, math.inf) if name.startswith("sigma_") else LIMITS.get(name, (-math.inf, math.inf))
    if not low <= value <= high:
        limits = f"from {low:g} to {high:g}" if math.isfinite(high) else f"{low:g} or more"
        raise _Wrong(name, text[:VALUE_LENGTH], f"must be {limits}")
    if name.startswith("sigma_") and value > WIDEST:
        raise _Wrong(name, text[:VALUE_LENGTH], f"must be at most {WIDEST:g}")
    return value


def _way(place: tuple[str, ...], velocity: tuple[str, ...]) -> Callable[[Floats], Floats]:
    """From the six numbers of a row to ECEF."""

    def to_ecef(v: Floats) -> Floats:
        if place == PLACES[0]:
            position = v[:3]
            latitude, longitude, _ = ecef_to_geodetic(position)
        else:
            latitude, longitude = np.radians(v[:2])
            position = geodetic_to_ecef(latitude, longitude, v[2])
        if velocity == VELOCITIES[0]:
            return np.concatenate([position, v[3:]])
        local = v[3:]
        if velocity == VELOCITIES[2]:
            heading, climb = np.radians(v[4:])
            local = v[3] * np.array(
                [math.sin(heading) * math.cos(climb), math.cos(heading) * math.cos(climb), math.sin(climb)]
            )
        return np.concatenate([position, local @ enu_axes(latitude, longitude)])

    return to_ecef


def _covariance(
    fields: Mapping[str, str], names: tuple[str, ...], values: Floats, to_ecef: Callable[[Floats], Floats]
) -> Floats | None:
    """Covariance (6, 6) in ECEF of the columns that tell one, None where none does."""
    lower = [_number(fields, name) for name in COVARIANCE]
    if any(math.isfinite(value) for value in lower):
        missing = next(
            (name for name, value in zip(COVARIANCE, lower, strict=True) if math.isnan(value)), None
        )
        if missing is not None:
            raise _Wrong(missing, "", "is missing")
        P = np.zeros((6, 6))
        P[np.tril_indices(6)] = lower
        P = P + np.tril(P, -1).T
        if (reason := not_a_covariance(P)) is not None:
            raise _Wrong(COVARIANCE[0], f"{P[0, 0]:g}", reason)
        return P
    own = np.array([_number(fields, f"sigma_{name}") for name in names])
    axes = np.array([_number(fields, name) for name in ALL_AXES])
    if not (np.isfinite(own).any() or np.isfinite(axes).any()):
        return None
    sigma = np.nan_to_num(own)
    # one sigma for all axes is for where no column has its own
    alone = np.isfinite(own).reshape(2, 3).any(axis=1)
    P = np.diag(np.repeat(np.where(alone, 0.0, np.nan_to_num(axes)), 3) ** 2)
    for i in np.flatnonzero(sigma > 0.0):
        step = np.zeros(6)
        step[i] = SMALL * sigma[i]
        slope = (to_ecef(values + step) - to_ecef(values - step)) / (2.0 * SMALL)
        P += np.outer(slope, slope)
    return P


def not_a_covariance(P: Floats) -> str | None:
    """Why a symmetric matrix (6, 6) is no covariance."""
    if (np.diag(P) < 0.0).any():
        return "belongs to a covariance with a negative variance"
    if not (np.abs(P) <= WIDEST**2).all():
        return f"belongs to a covariance with a number beyond {WIDEST**2:g}"
    size = np.sqrt(np.where(np.diag(P) > 0.0, np.diag(P), 1.0))
    least = float(np.linalg.eigvalsh(P / np.outer(size, size))[0])
    if least < -1e-6:
        return (
            f"belongs to a covariance that is not positive semi-definite: as correlations its least eigenvalue is "
            f"{least:.3g}, must be above -1e-06"
        )
    return None
