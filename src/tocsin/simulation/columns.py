"""A run as columns by name, the way that recordings hold truth, impacts and bounds."""

from __future__ import annotations

from typing import Any

import numpy as np

from tocsin.simulation.run import Run
from tocsin.units import DEGREE_RAD

STATE = ("x_m", "y_m", "z_m", "vx_m_s", "vy_m_s", "vz_m_s")
STATE_PLACES = 4  # after the point: tenths of a millimetre


def _each(values: list[Any], counts: list[int]) -> list[Any]:
    return [value for value, count in zip(values, counts, strict=True) for _ in range(count)]


def truth_columns(run: Run) -> dict[str, Any]:
    """time, object, kind and state of every object, object by object."""
    counts = [len(p.time_s) for p in run.paths]
    state = np.concatenate([p.state for p in run.paths]) if run.paths else np.zeros((0, 6))
    columns: dict[str, Any] = {
        "time": np.concatenate([p.time_s for p in run.paths]) if run.paths else np.zeros(0),
        "object": np.array(_each([p.name for p in run.paths], counts), str),
        "kind": np.array(_each([p.kind for p in run.paths], counts), str),
    }
    return columns | {key: np.round(state[:, i], STATE_PLACES) for i, key in enumerate(STATE)}


def impact_columns(run: Run) -> dict[str, Any]:
    """Where each object came down, in order of time."""
    down = sorted(
        ((p.impact, p.name, p.kind) for p in run.paths if p.impact is not None), key=lambda x: x[0].time_s
    )
    return {
        "object": np.array([name for _, name, _ in down], str),
        "kind": np.array([kind for _, _, kind in down], str),
        "time": np.array([impact.time_s for impact, _, _ in down], float),
        "lat_deg": np.array([round(i.latitude_rad / DEGREE_RAD, 7) for i, _, _ in down], float),
        "lon_deg": np.array([round(_half_turn(i.longitude_rad) / DEGREE_RAD, 7) for i, _, _ in down], float),
    }


def _half_turn(angle_rad: float) -> float:
    return (angle_rad + np.pi) % (2.0 * np.pi) - np.pi


def oracle_columns(run: Run) -> dict[str, Any] | None:
    """The bound of every ballistic object; None where there is none."""
    if not run.bounds:
        return None
    counts = [len(b.time_s) for b in run.bounds]
    return {
        "time": np.concatenate([b.time_s for b in run.bounds]),
        "object": np.array(_each([b.name for b in run.bounds], counts), str),
        "pos_sigma_m": np.concatenate([b.pos_sigma_m for b in run.bounds]),
        "impact_area99_km2": np.concatenate([b.impact_area99_km2 for b in run.bounds]),
        "in_view": np.concatenate([b.in_view for b in run.bounds]),
        "plots_so_far": np.concatenate([b.plots_so_far for b in run.bounds]).astype(np.int32),
    }
