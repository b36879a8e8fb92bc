"""The results of a replay: tracks, forecasts, public messages and a summary, as a folder.

The contract stands in docs/recording.md. The same results always make the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from tocsin.errors import DataError
from tocsin.formats.events import events_jsonl
from tocsin.formats.files import known, parquet_bytes, staged, timestamps
from tocsin.formats.geojson import alerts_geojson
from tocsin.formats.releases import (
    RELEASES,
    areas_of,
    quantiles_of,
    read_releases,
    releases_table,
    wkb,
)
from tocsin.formats.tables import Table, find_table, numbers, read_table, seconds, texts
from tocsin.formats.windows import FILE, read_windows, windows_parquet
from tocsin.prediction.forecast import DecayWindow, Forecast
from tocsin.sensors.plots import Floats
from tocsin.tracking.tracks import TrackRow
from tocsin.units import DEGREE_RAD
from tocsin.warning.alert import Change, Merged, Message

STATE = ("x_m", "y_m", "z_m", "vx_m_s", "vy_m_s", "vz_m_s")
OWNED = (
    "tracks.parquet", "predictions.parquet", "alerts/*.xml", "alerts.geojson", "events.jsonl", "feed.xml",
    "subscribers.jsonl", FILE, "summary.json",
)  # fmt: skip


class Results(NamedTuple):
    """What a folder of results holds."""

    rows: tuple[TrackRow, ...]
    forecasts: tuple[Forecast, ...]
    cap: tuple[tuple[str, bytes], ...]  # file name and CAP message, in the order sent
    summary: dict[str, Any]
    windows: tuple[DecayWindow, ...] = ()  # of orbits that decay, in the order told


def write_results(
    folder: str | Path,
    rows: Sequence[TrackRow],
    forecasts: Sequence[Forecast],
    messages: Sequence[Message],
    cap: Sequence[bytes],
    happenings: Sequence[Change | Merged | Message],
    summary: dict[str, Any],
    feed: bytes = b"",
    subscribers: bytes | None = None,
    windows: Sequence[DecayWindow] = (),
) -> None:
    """Write the results of a replay to ``folder``, all or nothing.

    ``cap`` holds the CAP text of each of ``messages``, both in the order sent; ``happenings`` is all that happened to
    incidents, messages too; ``feed`` is the feed of the messages, empty where there is none; ``subscribers`` what each
    subscriber was told, None where there are none; ``windows`` those of decaying orbits, without which there is no file
    of them. Results of an earlier replay there are replaced. Raises DataError if the folder cannot be written.
    """
    with staged(Path(folder), OWNED) as out:
        out.write("tracks.parquet", parquet_bytes(_track_table(rows)))
        out.write("predictions.parquet", parquet_bytes(_prediction_table(forecasts)))
        (out.folder / "alerts").mkdir()
        for i, text in enumerate(cap, start=1):
            out.write(f"alerts/{i:04d}.xml", text)
        out.write("alerts.geojson", alerts_geojson(messages))
        if feed:
            out.write("feed.xml", feed)
        out.write("events.jsonl", events_jsonl(happenings))
        if windows:
            out.write(FILE, windows_parquet(windows))
        if subscribers is not None:
            out.write("subscribers.jsonl", subscribers)
        # the last: where it stands, all the others do
        out.write("summary.json", (json.dumps(summary, indent=1, allow_nan=False) + "\n").encode())
    (Path(folder) / "alerts").mkdir(exist_ok=True)


def _track_table(rows: Sequence[TrackRow]) -> pa.Table:
    state = np.array([row.state for row in rows], float).reshape(-1, 6)
    covariance = np.array([row.covariance for row in rows], float).reshape(-1)
    columns = {
        "time": timestamps([row.time_s for row in rows]),
        "track": pa.array([row.track for row in rows], pa.string()),
        "parent": pa.array([row.parent for row in rows], pa.string()),
        "phase": pa.array([row.phase for row in rows], pa.string()),
        "existence": pa.array([row.existence for row in rows], pa.float64()),
    }
    columns |= {name: pa.array(state[:, i]) for i, name in enumerate(STATE)}
    columns["covariance"] = pa.FixedSizeListArray.from_arrays(pa.array(covariance), 36)
    columns["last"] = pa.array([row.last for row in rows], pa.bool_())
    return pa.table(columns)


def _prediction_table(forecasts: Sequence[Forecast]) -> pa.Table:
    covariance = np.array([f.covariance_m2 for f in forecasts], float).reshape(-1, 2, 2)

    late_s = [None if f.time_quantiles_s is None else f.time_quantiles_s.tolist() for f in forecasts]
    return pa.table(
        {
            "issued": timestamps([f.issued_s for f in forecasts]),
            "track": pa.array([f.track for f in forecasts], pa.string()),
            "impact_time": timestamps([f.impact_time_s for f in forecasts]),
            "impact_time_sigma_s": known([f.impact_time_sigma_s for f in forecasts]),
            "lat_deg": known([f.latitude_rad / DEGREE_RAD for f in forecasts]),
            "lon_deg": known([f.longitude_rad / DEGREE_RAD for f in forecasts]),
            "east_var_m2": known(covariance[:, 0, 0]),
            "east_north_cov_m2": known(covariance[:, 0, 1]),
            "north_var_m2": known(covariance[:, 1, 1]),
            "area": wkb([f.area for f in forecasts]),
            "area_50": wkb([f.area_50 for f in forecasts]),
            "area_90": wkb([f.area_90 for f in forecasts]),
            "impact_time_quantiles": pa.array(late_s, pa.list_(pa.float64())),
            "area_km2": known([f.area_km2 for f in forecasts]),
            "phase": pa.array([f.phase for f in forecasts], pa.string()),
            "parent": pa.array([f.parent for f in forecasts], pa.string()),
            "existence": pa.array([f.existence for f in forecasts], pa.float64()),
            "plots": pa.array([f.plots for f in forecasts], pa.int64()),
            "status": pa.array([f.status for f in forecasts], pa.string()),
            **releases_table([f.may_release for f in forecasts]),
        }
    )


def read_results(folder: str | Path) -> Results:
    """Read what ``write_results`` wrote. Raises DataError that names the file at fault."""
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder")
    path = folder / "summary.json"
    try:
        summary = json.loads(path.read_text(encoding="utf-8"))
        cap = tuple((file.name, file.read_bytes()) for file in sorted((folder / "alerts").glob("*.xml")))
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); was the replay cut short?") from error
    except ValueError as error:
        raise DataError(f"{path}: is not JSON ({error})") from error
    return Results(_read_tracks(folder), _read_predictions(folder), cap, summary, read_windows(folder))


def _table(folder: Path, stem: str, needed: Sequence[str], optional: Sequence[str]) -> Table:
    path = find_table(folder, stem)
    if path is None or path.suffix != ".parquet":
        raise DataError(f"{folder}: has no {stem}.parquet")
    return read_table(path, needed, optional)


def _read_tracks(folder: Path) -> tuple[TrackRow, ...]:
    needed = ("time", "track", "parent", "phase", "existence", *STATE, "covariance")
    table = _table(folder, "tracks", needed, ("last",))
    n = len(table.row)
    time_s, existence = seconds(table, "time").tolist(), numbers(table, "existence").tolist()
    state = np.column_stack([numbers(table, name) for name in STATE]).reshape(n, 6)
    covariance = _covariance(table)
    track, parent, phase = (texts(table, name).to_pylist() for name in ("track", "parent", "phase"))
    last = table.columns["last"].to_pylist() if "last" in table.columns else [False] * n
    zipped = zip(time_s, track, parent, phase, existence, state, covariance, last, strict=True)
    return tuple(TrackRow(*row) for row in zipped)


def _covariance(table: Table) -> Floats:
    column = table.columns["covariance"]
    n = len(table.row)
    try:
        flat = np.asarray(column.flatten().cast(pa.float64()), float)
        return flat.reshape(n, 6, 6)
    except (AttributeError, ValueError, pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise DataError(f"{table.path}: column covariance must hold lists of 36 numbers") from error


def _read_predictions(folder: Path) -> tuple[Forecast, ...]:
    spread = ("east_var_m2", "east_north_cov_m2", "north_var_m2")
    needed = ("issued", "track", "impact_time", "impact_time_sigma_s", "lat_deg", "lon_deg", *spread, "area")
    extra = (
        "area_50",
        "area_90",
        "impact_time_quantiles",
        "area_km2",
        "phase",
        "parent",
        "existence",
        "plots",
        "status",
        *RELEASES,
    )
    table = _table(folder, "predictions", needed, extra)
    n = len(table.row)

    def number(name: str) -> Floats:
        return numbers(table, name) if name in table.columns else np.full(n, np.nan)

    def text(name: str) -> list[str | None]:
        return texts(table, name).to_pylist() if name in table.columns else [None] * n

    east, cross, north = (number(name) for name in spread)
    covariance_m2 = np.stack([east, cross, cross, north], axis=-1).reshape(n, 2, 2)
    time_s, impact_s = seconds(table, "issued"), seconds(table, "impact_time")
    sigma_s, area_km2, existence = number("impact_time_sigma_s"), number("area_km2"), number("existence")
    latitude, longitude = number("lat_deg") * DEGREE_RAD, number("lon_deg") * DEGREE_RAD
    plots = np.nan_to_num(number("plots")).astype(int)
    track, phase, parent, status = (text(name) for name in ("track", "phase", "parent", "status"))
    area, area_50, area_90 = (areas_of(table, name, n) for name in ("area", "area_50", "area_90"))
    late_s = quantiles_of(table, "impact_time_quantiles", n)
    released = read_releases(table, n)
    forecasts = []
    for i in range(n):
        forecasts.append(
            Forecast(
                issued_s=float(time_s[i]),
                track=track[i] or "",
                impact_time_s=float(impact_s[i]),
                impact_time_sigma_s=float(sigma_s[i]),
                latitude_rad=float(latitude[i]),
                longitude_rad=float(longitude[i]),
                covariance_m2=covariance_m2[i],
                area=area[i],
                area_km2=float(area_km2[i]),
                phase=phase[i] or "",
                parent=parent[i],
                existence=float(existence[i]),
                plots=int(plots[i]),
                status=status[i] or "",
                area_50=area_50[i],
                area_90=area_90[i],
                time_quantiles_s=late_s[i],
                may_release=released[i],
            )
        )
    return tuple(forecasts)
