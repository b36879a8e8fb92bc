"""The Murrili meteorite: predicted from the end of its fireball, mass and shape unknown, and where it was found.

The state and its errors are those of the Desert Fireball Network's example, the wind is its profile of the hour. Found
at 29.26089 S, 137.53765 E (Meteoritical Bulletin). Nothing is fitted to the fall.
"""

import configparser
import math
from pathlib import Path

import numpy as np
import pytest
from shapely.geometry import Point

from tocsin.formats.given import state_of
from tocsin.predict import predict_state, read_winds

FOLDER = Path(__file__).parents[3] / "shared" / "real" / "murrili"
FIND = Point(137.53765, -29.26089)

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not FOLDER.is_dir(), reason="the fall of Murrili is not beside the checkout"),
]


@pytest.fixture(scope="module")
def fall():
    settings = configparser.ConfigParser()
    settings.read(FOLDER / "example_murrili.cfg")
    met = settings["met"]
    return state_of(
        [
            *(
                f"{name}={met[key]}"
                for name, key in (("lat_deg", "lat0"), ("lon_deg", "lon0"), ("height_m", "z0"))
            ),
            f"speed_m_s={met['vtot0']}",
            f"heading_deg={met['azimuth0']}",
            f"climb_deg={float(met['zenangle']) - 90.0}",
            *(f"sigma_{name}={met[key]}" for name, key in (("lat_deg", "dlat"), ("lon_deg", "dlon"))),
            f"sigma_height_m={met['dz']}",
            f"sigma_speed_m_s={met['dvtot']}",
            f"sigma_heading_deg={met['dazimuth0']}",
            f"sigma_climb_deg={met['dzenith']}",
        ]
    )


def predicted(fall, **more):
    return predict_state(
        fall.state, covariance=fall.covariance, origin="meteoroid", shares=[0.5, 0.9, 0.95, 0.99],
        ground_m=-15.0, **more,
    )  # fmt: skip


def test_the_find_is_inside_the_95_percent_area_of_the_wind_of_the_hour(fall):
    winds, _ = read_winds(FOLDER / "example_murrili_wind_profile.csv")
    made = predicted(fall, winds=winds)
    assert made.areas[2].covers(FIND)
    # the shares are worth nothing if the area is as large as a county: 6.2 km2
    assert made.areas_km2[2] < 15.0
    # the fall line at the mass found, 1.68 kg, passes the find: 410 m at 1 kg, 280 m at 10 kg
    line = made.fall_line
    near = np.hypot(
        (np.degrees(line.latitude_rad) - FIND.y) * 110.9e3,
        (np.degrees(line.longitude_rad) - FIND.x) * 111.3e3 * math.cos(math.radians(FIND.y)),
    )
    assert near[2:4].min() < 600.0
    # the file's own error of the wind
    assert predicted(fall, winds=winds, wind_sigma_m_s=5.0).areas[2].covers(FIND)


def test_without_a_wind_the_find_is_inside_too_and_the_area_says_why_a_wind_is_worth_having(fall):
    made = predicted(fall)
    assert made.areas[2].covers(FIND)
    assert made.areas_km2[2] > 30.0
