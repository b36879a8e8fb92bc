"""A small recording to spoil, one fault a test."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.warning.synthetic import NOON_S, forecast, replay
from tocsin.formats.gazetteer import shipped_gazetteer
from tocsin.formats.recording import write_recording
from tocsin.sensors.plots import Plots, Sensor
from tocsin.warning.alert import Message

START_S = 1_732_157_657.25  # 2024-11-21T02:54:17.25Z


def sensors() -> tuple[Sensor, Sensor]:
    radar = Sensor(
        "radar-1",
        "radar",
        math.radians(49.3),
        math.radians(29.6),
        37.0,
        np.array([30.0, 0.002, 0.002, 8.0]),
        0.9,
        8.0,
        5.0,
        np.array([[6e4, 1.5e6], [0.5, 2.5], [0.03, 1.5], [-8000.0, 8000.0]]),
        np.zeros(4),
    )
    infrared = Sensor(
        "ir-1",
        "infrared",
        0.02,
        0.26,
        35785872.5,
        np.array([np.nan, 0.0003, 0.00003, np.nan]),
        0.93,
        2.0,
        2.0,
        np.array([[3e5, 5e7], [0.0, 2 * math.pi], [-1.5, -1.4], [np.nan, np.nan]]),
        np.array([0.0, 0.001, 0.0, 0.0]),
    )
    return radar, infrared


def plots(n: int = 10) -> Plots:
    """Plots of the radar and the satellite by turns, a second apart."""
    time_s = START_S + np.arange(n)
    measured = np.tile([4e5, 1.25, 0.75, 100.0], (n, 1))
    measured[1::2, [0, 3]] = np.nan
    none = np.full(n, math.nan)
    return Plots(time_s, time_s + 0.5, np.arange(n) % 2, np.arange(n), measured, np.zeros((n, 3)), none)


def platforms() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    time_s = START_S + np.array([0.0, 20.0])
    return {"ir-1": (time_s, np.array([[4.2e7, 0.0, 0.0], [4.2e7, 200.0, 0.0]]))}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A good recording as CSV."""
    out = tmp_path / "sample"
    write_recording(out, sensors(), platforms(), plots(), csv=True)
    return out


@pytest.fixture
def parquet_folder(tmp_path: Path) -> Path:
    """The same as Parquet."""
    out = tmp_path / "sample"
    write_recording(out, sensors(), platforms(), plots())
    return out


@pytest.fixture
def spoil(folder: Path) -> Callable[[int, str, str], None]:
    """Put a text into one field of one line (as a person counts) of plots.csv."""

    def change(line: int, field: str, value: str) -> None:
        lines = (folder / "plots.csv").read_text().splitlines()
        heading, values = lines[0].split(","), lines[line - 1].split(",")
        values[heading.index(field)] = value
        lines[line - 1] = ",".join(values)
        (folder / "plots.csv").write_text("\n".join(lines) + "\n")

    return change


@pytest.fixture
def spoil_sensor(folder: Path) -> Callable[[Callable[[dict], None]], None]:
    """Change the first sensor's feature."""

    def change(how: Callable[[dict], None]) -> None:
        path = folder / "sensors.geojson"
        document = json.loads(path.read_text())
        how(document["features"][0])
        path.write_text(json.dumps(document))

    return change


@pytest.fixture(scope="session")
def messages() -> list[Message]:
    """Alerts, Updates, an all-clear and a Cancel: three incidents, one across the antimeridian, one at the pole."""

    def make(t: int):
        area_km2 = max(1.0, 600.0 * 0.5 ** (t / 30.0))
        later_s = NOON_S + 250.0
        return [
            forecast("1", NOON_S + t, later_s, area_km2=area_km2),
            forecast("1a", NOON_S + t, later_s, 48.8, 35.5, area_km2=area_km2, parent="1"),
            forecast("2", NOON_S + t, later_s, -17.0, 179.99, area_km2=area_km2),
            forecast("3", NOON_S + t, later_s, 89.99, 5.0, area_km2=math.nan if t > 100 else area_km2),
        ]

    return replay([(NOON_S + t + 0.37, make(t)) for t in range(160)], shipped_gazetteer())[1]
