"""A real fireball: three cameras of the Desert Fireball Network, 25 November 2014, against the published solution.

Observations and solution: desertfireballnetwork/dtf_triangulation (MIT), read where they lie.
"""

import csv
import datetime as dt
import json
import subprocess

import numpy as np
import pyarrow.parquet as pq
import pytest
import shapely
from scipy.interpolate import CubicHermiteSpline

from .conftest import SHARED, TOCSIN, replay

FIREBALL = SHARED / "real" / "fireball-dn141125"
MEDIAN_M = 500.0
pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def fireball(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fireball")
    command = [*TOCSIN, "convert", str(FIREBALL), "--out", str(folder / "recording"), "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert len(told["cameras"]) == 3
    assert all(camera["errors_given"] for camera in told["cameras"])
    assert told["rejected"] == []
    return replay(folder / "recording", folder / "results")


@pytest.fixture(scope="module")
def solution():
    """Times (s) and ECEF positions (n, 3) of the published solution while all three cameras see it."""
    with (FIREBALL / "DTF_solution.ecsv").open() as file:
        rows = [
            (
                dt.datetime.fromisoformat(row["datetime"]).replace(tzinfo=dt.UTC).timestamp(),
                [float(row[key]) for key in ("X_geo", "Y_geo", "Z_geo")],
            )
            for row in csv.DictReader(line for line in file if not line.startswith("#"))
            if row["no_cams"] == "3"
        ]
    return np.array([time_s for time_s, _ in rows]), np.array([position_m for _, position_m in rows])


def test_one_track_near_the_published_solution(fireball, solution):
    table = pq.read_table(fireball.results / "tracks.parquet")
    assert len(set(table["track"].to_pylist())) == 1
    time_s = np.array([time.timestamp() for time in table["time"].to_pylist()])
    state = np.column_stack(
        [table[name].to_numpy() for name in ("x_m", "y_m", "z_m", "vx_m_s", "vy_m_s", "vz_m_s")]
    )
    time_s, first = np.unique(time_s, return_index=True)
    track = CubicHermiteSpline(time_s, state[first, :3], state[first, 3:])
    at_s, position_m = solution
    followed = (at_s >= time_s[0]) & (at_s <= time_s[-1])
    assert followed.mean() > 0.9
    distance_m = np.linalg.norm(track(at_s[followed]) - position_m[followed], axis=1)
    assert np.median(distance_m) < MEDIAN_M


def test_there_is_an_area_where_something_left_would_come_down(fireball, solution):
    row = pq.read_table(fireball.results / "predictions.parquet").to_pylist()[-1]
    area = shapely.from_wkb(row["area"])
    assert area.is_valid
    assert area.covers(shapely.Point(row["lon_deg"], row["lat_deg"]))
    assert row["impact_time"].timestamp() > solution[0][-1]
