"""Winds from CSV: profiles, grids, and what is wrong with them."""

from pathlib import Path

import numpy as np
import pytest

from tocsin.earth.ellipsoid import geodetic_to_ecef
from tocsin.errors import DataError
from tocsin.formats.winds import read_winds
from tocsin.prediction.winds import wind_at

MURRILI = Path(__file__).parents[3] / "shared" / "real" / "murrili" / "example_murrili_wind_profile.csv"


def written(tmp_path, text):
    path = tmp_path / "wind.csv"
    path.write_text(text)
    return path


def at(winds, height_m, place_m=None):
    table, _ = wind_at(winds, np.zeros(3) if place_m is None else place_m)
    return table[int(height_m / 100.0)]


def test_a_profile_of_components(tmp_path):
    winds, rejected = read_winds(
        written(tmp_path, "height_m,east_m_s,north_m_s\n10000,20,-4\n0,10,0\n")
    )  # in any order
    assert rejected == ()
    np.testing.assert_allclose(at(winds, 5000.0), [15.0, -2.0])
    np.testing.assert_allclose(at(winds, 50000.0), [20.0, -4.0])


def test_a_direction_is_that_from_which_it_blows(tmp_path):
    winds, _ = read_winds(written(tmp_path, "height_m,speed_m_s,from_deg\n0,10,270\n1000,10,0\n"))
    np.testing.assert_allclose(at(winds, 0.0), [10.0, 0.0], atol=1e-9)
    np.testing.assert_allclose(at(winds, 1000.0), [0.0, -10.0], atol=1e-9)


@pytest.mark.real
@pytest.mark.skipif(not MURRILI.is_file(), reason="the fall of Murrili is not beside the checkout")
def test_the_profile_of_a_fireball_network():
    winds, rejected = read_winds(MURRILI)
    assert rejected == ()
    # 48.6 m/s from 284 degrees at 14.3 km
    np.testing.assert_allclose(at(winds, 14300.0), [47.2, -11.5], atol=0.5)


def test_a_grid(tmp_path):
    text = "lat_deg,lon_deg,height_m,east_m_s,north_m_s\n"
    for lat, lon, east in ((0, 179, 10), (0, 181, 20)):
        text += f"{lat},{lon},0,{east},0\n{lat},{lon},20000,{east},5\n"
    winds, _ = read_winds(written(tmp_path, text))
    assert winds.table.shape[0] == 2
    here = geodetic_to_ecef(0.0, np.pi, 0.0)
    np.testing.assert_allclose(at(winds, 0.0, here), [15.0, 0.0], atol=1e-6)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("high,1,1", "line 3: height_m 'high' must be from -500 to 100000"),
        ("100,500,1", "line 3: east_m_s '500' must be from -300 to 300"),
        ("100,,1", "line 3: east_m_s is missing"),
        ("100,1", "line 3: values '100,1' has 2 values, the heading 3"),
    ],
)
def test_bad_rows_are_told_of(tmp_path, row, words):
    _, rejected = read_winds(written(tmp_path, f"height_m,east_m_s,north_m_s\n0,1,1\n{row}\n900,1,1\n"))
    assert words in rejected[0].text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "lacks columns height_m"),
        ("height_m,east_m_s\n0,1\n", "lacks columns north_m_s"),
        ("height_m,speed_m_s,from_deg,lat_deg\n0,1,1,1\n", "lacks columns lon_deg"),
        ("height_m,east_m_s,north_m_s\n", "has no row of wind"),
        ("height_m,east_m_s,north_m_s\n0,1,1\n0,2,2\n", "line 3: height_m 0 stands twice"),
    ],
)
def test_files_that_cannot_be_used(tmp_path, text, words):
    with pytest.raises(DataError) as error:
        read_winds(written(tmp_path, text))
    assert words in str(error.value)
