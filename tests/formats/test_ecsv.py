"""Fireball observations: the exchange form, the Desert Fireball Network's, and what is neither."""

import math
from pathlib import Path

import numpy as np
import pytest

from tocsin.errors import DataError
from tocsin.formats.ecsv import DEFAULT_SIGMA_DEG, is_observation, merged, observation, read_ecsv
from tocsin.formats.recording import read_recording, write_recording

REAL = Path(__file__).parents[3] / "shared" / "real" / "fireball-dn141125"

# our own invention: a camera at 10 N, 20 E
PLAIN = """\
# %ECSV 0.9
# ---
# datatype:
# - {name: datetime, datatype: string}
# - {name: azimuth, unit: deg, datatype: float64}
# - {name: altitude, unit: deg, datatype: float64}
# delimiter: ','
# meta: !!omap
# - {obs_latitude: 10.5}
# - {obs_longitude: 20.25}
# - {obs_elevation: 300.0}
# - {camera_id: CAM01}
# schema: astropy-2.0
datetime,azimuth,altitude
2026-01-02T03:04:05.000,359.5,40.0
2026-01-02T03:04:05.040,0.5,39.0
2026-01-02T03:04:05.120,1.5,38.0
"""
BLANKS = """\
# %ECSV 1.0
# ---
# datatype:
# - {name: altitude, datatype: float64}
# - {name: datetime, datatype: string}
# - {name: azimuth, datatype: float64}
# - {name: err_minus_azimuth, datatype: float64}
# - {name: err_plus_azimuth, datatype: float64}
# - {name: err_minus_altitude, datatype: float64}
# - {name: comment, datatype: string}
# meta:
#   obs_latitude: '-30.5'
#   obs_longitude: 134
#   obs_elevation: 149.1
#   location: Somewhere
#   calibrated: !astropy.time.Time {format: isot}
# schema: astropy-2.0
altitude datetime azimuth err_minus_azimuth err_plus_azimuth err_minus_altitude comment
30.5  "2026-01-02 03:04:05.5" 120.25 0.02 0.04 0.05 "two words"
30.25 2026-01-02T03:04:05.6Z 120.5 0.02 0.04 0.07 ""
"""


def write(tmp_path, text, name="cam.ecsv"):
    path = tmp_path / name
    path.write_text(text)
    return path


def seen(tmp_path, text):
    return observation(read_ecsv(write(tmp_path, text)))


def test_the_exchange_form(tmp_path):
    one = seen(tmp_path, PLAIN)
    assert (one.sensor.name, one.sensor.kind, one.sensor.height_m) == ("CAM01", "optical", 300.0)
    assert math.degrees(one.sensor.latitude_rad) == pytest.approx(10.5)
    assert math.degrees(one.sensor.longitude_rad) == pytest.approx(20.25)
    np.testing.assert_allclose(np.degrees(one.azimuth_rad), [359.5, 0.5, 1.5])
    np.testing.assert_allclose(np.degrees(one.elevation_rad), [40.0, 39.0, 38.0])
    # 2026-01-02T03:04:05Z is 1767323045 s after 1970
    np.testing.assert_allclose(one.time_s - 1767323045.0, [0.0, 0.04, 0.12], atol=1e-6)
    assert one.sensor.scan_period_s == pytest.approx(0.06)
    np.testing.assert_allclose(np.degrees(one.sensor.sigma[1:3]), DEFAULT_SIGMA_DEG)
    assert not one.errors_given
    assert one.rejected == ()


def test_blanks_as_delimiter_quotes_errors_and_a_plain_mapping(tmp_path):
    one = seen(tmp_path, BLANKS)
    assert one.sensor.name == "Somewhere"
    np.testing.assert_allclose(np.degrees(one.azimuth_rad), [120.25, 120.5])
    np.testing.assert_allclose(one.time_s - 1767323045.0, [0.5, 0.6], atol=1e-6)
    np.testing.assert_allclose(np.degrees(one.sensor.sigma[1:3]), [0.03, 0.06])
    assert one.errors_given


def test_errors_that_say_nothing_give_way_to_the_default(tmp_path):
    text = BLANKS.replace(" 0.02 0.04 ", " nan 0 ").replace(" 0.05 ", " nan ").replace(" 0.07 ", " -1 ")
    one = seen(tmp_path, text)
    assert math.degrees(one.sensor.sigma[1]) == pytest.approx(DEFAULT_SIGMA_DEG)
    assert math.degrees(one.sensor.sigma[2]) == pytest.approx(1.0)  # the size of an error, whatever its sign


def test_angles_in_radians(tmp_path):
    text = PLAIN.replace("azimuth, unit: deg", "azimuth, unit: rad").replace("359.5,", "1.5,")
    assert seen(tmp_path, text).azimuth_rad[0] == pytest.approx(1.5)


@pytest.mark.parametrize(
    ("old", "new", "field", "words"),
    [
        ("2026-01-02T03:04:05.040", "noon", "datetime", "is not a date and time"),
        ("2026-01-02T03:04:05.040", "", "datetime", "is missing"),
        ("0.5,39.0", "nan,39.0", "azimuth", "is missing"),
        ("0.5,39.0", "400,39.0", "azimuth", "from -180 to 360"),
        ("0.5,39.0", "0.5,inf", "altitude", "from -90 to 90"),
        ("0.5,39.0", "0.5,95", "altitude", "from -90 to 90"),
        ("0.5,39.0", "0.5", "values", "has 2 values, the heading 3"),
    ],
)
def test_a_pick_without_time_or_angles_is_named_and_left_out(tmp_path, old, new, field, words):
    one = seen(tmp_path, PLAIN.replace(old, new))
    (rejection,) = one.rejected
    assert (rejection.file, rejection.row, rejection.field) == ("cam.ecsv", 16, field)
    assert words in rejection.reason
    assert len(one.time_s) == 2


def test_a_pick_whose_time_is_not_known_is_left_out(tmp_path):
    text = PLAIN.replace("datetime,azimuth", "timing,datetime,azimuth").replace("\n2026", "\nTrue,2026")
    text = text.replace("True,2026-01-02T03:04:05.040", "False,2026-01-02T03:04:05.040")
    one = seen(tmp_path, text)
    assert [(r.row, r.field, r.value) for r in one.rejected] == [(16, "timing", "False")]


def test_picks_come_in_order_of_time(tmp_path):
    lines = PLAIN.splitlines()
    one = seen(tmp_path, "\n".join(lines[:-3] + lines[:-4:-1]))
    assert (np.diff(one.time_s) > 0).all()


def refuses(tmp_path, text, *words):
    with pytest.raises(DataError) as caught:
        table = read_ecsv(write(tmp_path, text))
        observation(table)
    for word in ("cam.ecsv", *words):
        assert word in str(caught.value)


def test_refuses_with_file_field_value_and_limit(tmp_path):
    refuses(tmp_path, "", "is not ECSV")
    refuses(tmp_path, "datetime,azimuth\n", "is not ECSV")
    refuses(tmp_path, PLAIN.replace("- {name: azimuth,", "- {name: [azimuth,"), "line", "is not YAML")
    refuses(tmp_path, "# %ECSV 0.9\n# ---\n# meta: 3\n", "lacks the list datatype")
    refuses(tmp_path, PLAIN.replace("delimiter: ','", "delimiter: '|'"), "delimiter is '|'")
    refuses(tmp_path, PLAIN.split("datetime,azimuth")[0], "has no line of column names")
    refuses(tmp_path, PLAIN.replace("altitude", "elevation"), "lacks column altitude")
    refuses(tmp_path, PLAIN.replace("# - {obs_elevation: 300.0}\n", ""), "obs_elevation is missing")
    refuses(tmp_path, PLAIN.replace("10.5}", "100}"), "obs_latitude is 100", "from -90 to 90")
    refuses(tmp_path, PLAIN.replace("20.25}", "east}"), "obs_longitude is 'east'")
    refuses(tmp_path, PLAIN.replace("azimuth, unit: deg", "azimuth, unit: pix"), "has unit 'pix'")
    refuses(tmp_path, PLAIN.replace("2026-", "then-"), "none of its 3 picks can be used", "line 15")
    refuses(tmp_path, PLAIN.split("2026")[0], "has no picks")


def test_a_solution_is_no_observation(tmp_path):
    text = PLAIN.replace("# - {obs_", "# - {x_").replace("azimuth", "latitude").replace("altitude", "height")
    assert not is_observation(read_ecsv(write(tmp_path, text)))


def test_cameras_make_one_recording(tmp_path):
    cameras = [seen(tmp_path, PLAIN), seen(tmp_path, BLANKS), seen(tmp_path, PLAIN)]
    sensors, plots = merged(cameras)
    assert [sensor.name for sensor in sensors] == ["CAM01", "Somewhere", "CAM01-2"]
    assert (np.diff(plots.received_s) >= 0).all()
    for i in range(3):
        scans = plots.scan[plots.sensor == i]
        assert scans.tolist() == list(range(1, len(scans) + 1))
    write_recording(tmp_path / "out", sensors, {}, plots)
    recording = read_recording(tmp_path / "out")
    assert recording.rejected == ()
    np.testing.assert_allclose(recording.plots.measured, plots.measured, rtol=1e-12)
    np.testing.assert_allclose(recording.plots.position_m, plots.position_m, atol=1e-6)


@pytest.mark.real
@pytest.mark.skipif(not REAL.is_dir(), reason="the real observations are not beside the checkout")
def test_fireball_dn141125_points_at_its_published_solution():
    """The picks, drawn as lines, pass the positions that the same files state for each pick."""
    cameras = [observation(read_ecsv(REAL / f"{name}.ecsv")) for name in ("36", "38", "40")]
    assert [len(one.time_s) for one in cameras] == [186, 123, 150]
    assert [one.sensor.name for one in cameras] == ["DFNSMALL36", "DFNSMALL38", "DFNSMALL40"]
    assert all(one.errors_given and not one.rejected for one in cameras)
    assert not is_observation(read_ecsv(REAL / "DTF_solution.ecsv"))
    sensors, plots = merged(cameras)
    solution = read_ecsv(REAL / "DTF_solution.ecsv").columns
    axes = ("X_geo", "Y_geo", "Z_geo")
    where = dict(zip(solution["datetime"], zip(*(solution[axis] for axis in axes), strict=True), strict=True))
    for i, name in enumerate(("36", "38", "40")):
        one, lat, lon = cameras[i], sensors[i].latitude_rad, sensors[i].longitude_rad
        texts = read_ecsv(REAL / f"{name}.ecsv").columns["datetime"]
        truth = np.array([where[text] for text in texts], float)
        east = np.array([-math.sin(lon), math.cos(lon), 0.0])
        up = np.array([math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat)])
        level = np.cos(one.elevation_rad)[:, None]
        sight = level * np.sin(one.azimuth_rad)[:, None] * east
        sight = sight + level * np.cos(one.azimuth_rad)[:, None] * np.cross(up, east)
        sight = sight + np.sin(one.elevation_rad)[:, None] * up
        line = truth - plots.position_m[plots.sensor == i][0]
        miss_m = np.linalg.norm(line - np.sum(line * sight, axis=1)[:, None] * sight, axis=1)
        assert np.median(miss_m) < 300.0  # 4 arcminutes at 250 km
