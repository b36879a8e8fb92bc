"""NASA NESC atmospheric check cases: dropped spheres and cannonballs by an independent simulator.

Constants: real/README.md beside the checkout. A body of 1 slug, 0.1963495 ft2, drag coefficient 0.1; gravity with J2
alone; 04 and 05 over a sphere with inverse-square gravity, which does not turn in 04; 01 without drag.
"""

import csv
from pathlib import Path

import numpy as np
import pytest

from tocsin.earth.ellipsoid import enu_axes, geodetic_to_ecef
from tocsin.earth.flights import to_time
from tocsin.earth.forces import STANDARD, wind_table

FOLDER = Path(__file__).parents[3] / "shared" / "real" / "nesc"
FOOT_M = 0.3048
SLUG_KG = 4.4482216152605 / FOOT_M  # one pound-force second squared a foot
BETA_KG_M2 = SLUG_KG / (0.1 * 0.1963495 * FOOT_M**2)
SPHERE_M = 6_371_007.0
HEIGHTS_M = np.arange(0.0, 12e3, 100.0)

ELLIPSOID = STANDARD._replace(j3=0.0, j4=0.0)
SPHERE = ELLIPSOID._replace(j2=0.0, semi_major_axis_m=SPHERE_M, radius_m=SPHERE_M, flattening=0.0)


def blowing(east_m_s):
    """The forces with a wind toward the east by height."""
    return ELLIPSOID._replace(wind=wind_table(HEIGHTS_M, east_m_s(HEIGHTS_M), 0.0 * HEIGHTS_M))


CASES = {  # forces, and whether there is drag
    "01": (ELLIPSOID, False),
    "04": (SPHERE._replace(rate_rad_s=0.0), True),
    "05": (SPHERE, True),
    "06": (ELLIPSOID, True),
    "07": (blowing(lambda h: 20.0 * FOOT_M + 0.0 * h), True),
    "08": (blowing(lambda h: 0.003 * h - 20.0 * FOOT_M), True),
    "09": (ELLIPSOID, True),
    "10": (ELLIPSOID, True),
}

pytestmark = [
    pytest.mark.compiled,
    pytest.mark.real,
    pytest.mark.skipif(not FOLDER.is_dir(), reason="the NESC check cases are not beside the checkout"),
]


def column(rows, name):
    return np.array([float(row[name]) for row in rows])


@pytest.mark.parametrize("transition", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_check_case(case, transition):
    forces, drag = CASES[case]
    with (FOLDER / f"Atmos_{case}_sim_04.csv").open() as file:
        rows = list(csv.DictReader(file))[:: 10 if transition else 1]
    time_s = column(rows, "time")
    latitude, longitude = (np.radians(column(rows, f"{name}_deg")) for name in ("latitude", "longitude"))
    height = column(rows, "altitudeMsl_ft") * FOOT_M
    if forces.flattening == 0.0:
        level = (forces.semi_major_axis_m + height) * np.cos(latitude)
        up = (forces.semi_major_axis_m + height) * np.sin(latitude)
        place = np.stack([level * np.cos(longitude), level * np.sin(longitude), up], -1)
    else:
        place = geodetic_to_ecef(latitude, longitude, height)
    north, east, down = (column(rows[:1], f"feVelocity_ft_s_{axis}")[0] * FOOT_M for axis in "XYZ")
    start = np.concatenate([place[0], np.array([east, north, -down]) @ enu_axes(latitude[0], longitude[0])])
    flown = to_time(
        np.tile(start, (len(rows), 1)), BETA_KG_M2 if drag else 1e30, time_s, forces, transition=transition
    )
    assert (flown.status == 0).all()
    print(
        case,
        np.round(flown.state[-1, :3] - place[-1], 5),
        (flown.state[-1, 3:] - start[3:]) @ enu_axes(0, 0).T,
    )
    off_m = np.linalg.norm(flown.state[:, :3] - place, axis=1)
    assert time_s[-1] >= 29.0
    assert off_m.max() < 0.005, (case, off_m.max())
