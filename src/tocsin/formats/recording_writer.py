"""Write a recording, for the simulator and for converters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import ArrayLike

from tocsin.formats.files import Staged, csv_bytes, parquet_bytes, staged, timestamps
from tocsin.formats.sensors import QUANTITIES, TO_SI, sensors_text
from tocsin.sensors.plots import Floats, Plots, Sensor

Columns = Mapping[str, ArrayLike]


def write_recording(
    folder: str | Path,
    sensors: Sequence[Sensor],
    platforms: Mapping[str, tuple[Floats, Floats]],
    plots: Plots,
    *,
    truth: Columns | None = None,
    impacts: Columns | None = None,
    oracle: Columns | None = None,
    snr_db: ArrayLike | None = None,
    csv: bool = False,
) -> None:
    """Write a recording to ``folder``, which is made if need be; older files of a recording there go.

    platforms: by the name of a moving sensor, time_s (m,) and ECEF position_m (m, 3).
    truth, impacts, oracle: columns by name as in docs/recording.md, with ``time`` as
    seconds since 1970 UTC. Times are written to the microsecond. ``csv`` writes plots,
    platforms and truth as CSV; impacts are always CSV and the oracle always Parquet.
    """
    table = csv_bytes if csv else parquet_bytes
    suffix = "csv" if csv else "parquet"
    with staged(Path(folder), _owned()) as out:
        out.write("sensors.geojson", sensors_text(sensors).encode())
        out.write(f"plots.{suffix}", table(_plot_table(sensors, plots, snr_db)))
        if platforms:
            out.write(f"platforms.{suffix}", table(_platform_table(platforms)))
        _extra(out, f"truth.{suffix}", truth, csv)
        _extra(out, "impacts.csv", impacts, True)
        _extra(out, "oracle.parquet", oracle, False)


def _owned() -> list[str]:
    stems = ("plots", "platforms", "truth")
    return [f"{stem}.{suffix}" for stem in stems for suffix in ("parquet", "csv")] + [
        "impacts.csv",
        "oracle.parquet",
    ]


def _extra(out: Staged, name: str, columns: Columns | None, csv: bool) -> None:
    if columns is None:
        return
    table = pa.table(
        {k: timestamps(v) if k == "time" else pa.array(np.asarray(v)) for k, v in columns.items()}
    )
    out.write(name, csv_bytes(table) if csv else parquet_bytes(table))


def _plot_table(sensors: Sequence[Sensor], plots: Plots, snr_db: ArrayLike | None) -> pa.Table:
    names = pa.array([sensor.name for sensor in sensors], pa.string())
    columns = {
        "time": timestamps(plots.time_s),
        "sensor": names.take(pa.array(plots.sensor, pa.int64())),
        "scan": pa.array(plots.scan, pa.int64()),
    }
    for i, quantity in enumerate(QUANTITIES):
        columns[quantity] = _optional(plots.measured[:, i] / TO_SI[i])
    columns["received"] = timestamps(plots.received_s)
    if np.isfinite(plots.height_m).any():
        columns["height_m"] = _optional(plots.height_m)
    if snr_db is not None:
        columns["snr_db"] = _optional(snr_db)
    return pa.table(columns)


def _optional(values: ArrayLike) -> pa.Array:
    """Numbers, with null for NaN."""
    return pc.if_else(pa.array(np.isfinite(values)), pa.array(np.asarray(values, float)), None)


def _platform_table(platforms: Mapping[str, tuple[Floats, Floats]]) -> pa.Table:
    time_s = np.concatenate([path[0] for path in platforms.values()])
    position_m = np.concatenate([path[1] for path in platforms.values()])
    names = [name for name, path in platforms.items() for _ in range(len(path[0]))]
    columns = {"time": timestamps(time_s), "sensor": pa.array(names, pa.string())}
    columns |= {axis: pa.array(position_m[:, i]) for i, axis in enumerate(("x_m", "y_m", "z_m"))}
    return pa.table(columns)
