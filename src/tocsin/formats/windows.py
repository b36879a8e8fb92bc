"""Windows of decaying orbits in the results: ``windows.parquet``, read back, and in plain words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa

from tocsin.errors import DataError
from tocsin.formats.files import known, parquet_bytes, timestamps
from tocsin.formats.tables import Table, numbers, read_table, seconds, texts
from tocsin.prediction.forecast import DecayWindow, Window
from tocsin.sensors.plots import Floats
from tocsin.units import DEGREE_RAD

FILE = "windows.parquet"
DECIMALS = 4  # of a degree: 11 m, of a line that is tens of kilometres wide
FIRST, MIDDLE, LAST = 1, 3, 5  # of `forecast.QUANTILES`: 5, 50 and 95 %
LISTS = ("entry_quantiles", "ground_quantiles", "line_lat_deg", "line_lon_deg", "line_after_s", "line_chance")
NUMBERS = (
    "passes", "perigee_m", "apogee_m", "drag_sigma", "within", "revolutions", "swath_m", "ln_beta", "ln_beta_sigma",
)  # fmt: skip


def windows_parquet(told: Sequence[DecayWindow]) -> bytes:
    """The file, a row for each window and for each end of one, in the order told."""

    def of(name: str) -> pa.Array:
        return known([math.nan if t.window is None else float(getattr(t.window, name)) for t in told])

    def lists(values: list[Floats | None]) -> pa.Array:
        plain = [None if v is None else [None if math.isnan(x) else x for x in v.tolist()] for v in values]
        return pa.array(plain, pa.list_(pa.float64()))

    def line(column: int) -> pa.Array:
        tracks = [None if t.window is None else t.window.track[:, column] for t in told]
        if column == 2:
            return lists([None if t is None else np.round(t, 1) for t in tracks])
        return lists([None if t is None else np.round(t / DEGREE_RAD, DECIMALS) for t in tracks])

    windows = [t.window for t in told]
    table = pa.table(
        {
            "issued": timestamps([t.issued_s for t in told]),
            "body": pa.array([t.body for t in told], pa.string()),
            "tracks": pa.array([list(t.tracks) for t in told], pa.list_(pa.string())),
            "passes": pa.array([t.passes for t in told], pa.int64()),
            "state_time": timestamps([t.state_s for t in told]),
            "perigee_m": known([t.perigee_m for t in told]),
            "apogee_m": known([t.apogee_m for t in told]),
            "drag_sigma": known([t.drag_sigma for t in told]),
            "entry_quantiles": lists([None if w is None else w.entry_quantiles_s for w in windows]),
            "ground_quantiles": lists([None if w is None else w.ground_quantiles_s for w in windows]),
            "within": of("within"),
            "revolutions": of("revolutions"),
            "swath_m": of("swath_m"),
            "ln_beta": of("ln_beta"),
            "ln_beta_sigma": of("ln_beta_sigma"),
            "line_lat_deg": line(0),
            "line_lon_deg": line(1),
            "line_after_s": line(2),
            "line_chance": lists([None if w is None else w.stretches[:, 2] for w in windows]),
            "ended": pa.array([t.reason for t in told], pa.string()),
            "text": pa.array([sentence(t) for t in told], pa.string()),
        }
    )
    return parquet_bytes(table)


def read_windows(folder: Path) -> tuple[DecayWindow, ...]:
    """The windows of a folder of results; none where it has no such file. Raises DataError that names it."""
    path = folder / FILE
    if not path.is_file():
        return ()
    table = read_table(path, ("issued", "body", "tracks", "state_time", "ended", *NUMBERS, *LISTS))
    issued, state = seconds(table, "issued").tolist(), seconds(table, "state_time").tolist()
    body, ended = texts(table, "body").to_pylist(), texts(table, "ended").to_pylist()
    number = {name: numbers(table, name).tolist() for name in NUMBERS}
    found = {name: _lists(table, name) for name in LISTS}
    tracks = table.columns["tracks"].to_pylist()
    out = []
    for i in range(len(issued)):
        n = {name: values[i] for name, values in number.items()}
        out.append(
            DecayWindow(
                issued[i], body[i] or "", tuple(tracks[i] or ()), int(n["passes"]), state[i], n["perigee_m"],
                n["apogee_m"], n["drag_sigma"], _window(n, {name: values[i] for name, values in found.items()}),
                ended[i] or "",
            )
        )  # fmt: skip
    return tuple(out)


def _lists(table: Table, name: str) -> list[Floats | None]:
    """Lists of numbers, NaN for null ones; None where there is no list."""
    try:
        plain = table.columns[name].to_pylist()
        return [
            None if v is None else np.array([math.nan if x is None else x for x in v], float) for v in plain
        ]
    except (TypeError, ValueError) as error:
        raise DataError(f"{table.path}: column {name} must hold lists of numbers") from error


def _window(n: dict[str, float], lists: dict[str, Floats | None]) -> Window | None:
    entry, ground, lat, lon, after, chance = (lists[name] for name in LISTS)
    if entry is None or ground is None or lat is None or lon is None or after is None or chance is None:
        return None
    track = np.column_stack([lat * DEGREE_RAD, lon * DEGREE_RAD, after])
    edges = np.linspace(0, max(len(track) - 1, 0), len(chance) + 1)
    stretches = np.column_stack([edges[:-1], edges[1:], chance])
    latitudes = np.array([track[:, 0].min(), track[:, 0].max()]) if len(track) else np.full(2, math.nan)
    return Window(
        entry, ground, n["within"], n["revolutions"], latitudes, n["swath_m"], track, stretches, n["ln_beta"],
        n["ln_beta_sigma"],
    )  # fmt: skip


def last_of_each(told: Sequence[DecayWindow]) -> list[tuple[DecayWindow, DecayWindow | None]]:
    """Of each body the last window that stood, and what ended it, None where it stands; in the order first told."""
    last: dict[str, tuple[DecayWindow, DecayWindow | None]] = {}
    for one in told:
        if one.window is not None:
            last[one.body] = one, None
        elif one.body in last:
            last[one.body] = last[one.body][0], one
    return list(last.values())


def span_s(told: DecayWindow) -> tuple[float, float, float]:
    """When it comes down: the times of 5, 50 and 95 %, seconds since 1970 UTC; NaN where later than is looked ahead."""
    if told.window is None:
        return math.nan, math.nan, math.nan
    late = told.state_s + told.window.ground_quantiles_s
    return float(late[FIRST]), float(late[MIDDLE]), float(late[LAST])


def sentence(told: DecayWindow) -> str:
    """What a window says, for operators."""
    if told.window is None:
        return f"The window of {told.body} has ended: {told.reason}."
    where = f" {belt(told)}" if belt(told) else ""
    return f"{told.body} {between(told)}, somewhere along its ground track{where}. That is not a warning."


def between(told: DecayWindow) -> str:
    """When it comes down, in words: comes down some time between 14:10 and 19:30 UTC on 11 June (90 %)."""
    first, _, last = span_s(told)
    if not math.isfinite(last):
        return f"comes down some time after {minute(first, True)} UTC, maybe in more than a week (95 %)"
    same = _day(first) == _day(last)
    day = f" on {_day(first)}" if same else ""
    return (
        f"comes down some time between {minute(first, not same)} and {minute(last, not same)} UTC{day} (90 %)"
    )


def belt(told: DecayWindow) -> str:
    """Between which latitudes, and how many times round."""
    if told.window is None:
        return ""
    part = part_of(told)
    if len(part) < 2:
        return ""
    ends = (part[:, 0].min() / DEGREE_RAD, part[:, 0].max() / DEGREE_RAD)
    south, north = (f"{abs(v):.0f}° {'N' if v >= 0 else 'S'}" for v in ends)
    turns = turns_of(told)
    round_ = (
        f"{turns:.1f} times round the Earth"
        if turns >= 0.95
        else f"{100 * turns:.0f} % of the way round the Earth"
    )
    return f"between {south} and {north}, {round_}"


def turns_of(told: DecayWindow) -> float:
    """How many times round the Earth its track of 5 to 95 % goes; NaN where it has none."""
    part = part_of(told)
    if told.window is None or not told.window.revolutions > 0.0 or len(part) < 2:
        return math.nan
    at = told.window.track[:, 2]
    return float((part[-1, 2] - part[0, 2]) / (at[-1] - at[0])) * told.window.revolutions


def part_of(told: DecayWindow) -> Floats:
    """Points (m, 3) of the track of 5 to 95 %: latitude, longitude (rad), seconds after the state."""
    if told.window is None:
        return np.zeros((0, 3))
    at = told.window.track[:, 2]
    first, last = told.window.ground_quantiles_s[[FIRST, LAST]].tolist()
    inside = (at >= first) & ((at <= last) | math.isnan(last))
    return np.asarray(told.window.track[inside])


def _day(time_s: float) -> str:
    moment = datetime.fromtimestamp(time_s, UTC)
    return f"{moment.day} {moment:%B}"


def minute(time_s: float, day: bool) -> str:
    """A time of day to the minute, with its day where that is wanted."""
    moment = datetime.fromtimestamp(round(time_s / 60.0) * 60.0, UTC)
    return f"{_day(moment.timestamp())} {moment:%H:%M}" if day else f"{moment:%H:%M}"
