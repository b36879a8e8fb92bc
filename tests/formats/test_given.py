"""States from CSV files and from name=value: every form is the same state, and what is wrong is told of."""

import math

import numpy as np
import pytest

from tocsin.earth.ellipsoid import enu_axes
from tocsin.errors import DataError, UsageError
from tocsin.formats.given import COVARIANCE, read_states, state_of

from ..earth.flights import start

STATE = start(48.0, 35.0, 80e3, 3000.0, 80.0, -40.0)
X = dict(zip(("x_m", "y_m", "z_m"), STATE[:3], strict=True))
V = dict(zip(("vx_m_s", "vy_m_s", "vz_m_s"), STATE[3:], strict=True))
PLACE = {"lat_deg": 48.0, "lon_deg": 35.0, "height_m": 80e3}
LOCAL = enu_axes(*np.radians([48.0, 35.0])) @ STATE[3:]
EAST = dict(zip(("east_m_s", "north_m_s", "up_m_s"), LOCAL, strict=True))
SPEED = {"speed_m_s": 3000.0, "heading_deg": 80.0, "climb_deg": -40.0}


def written(tmp_path, *rows):
    """A CSV file of rows (dicts)."""
    path = tmp_path / "states.csv"
    lines = [",".join(rows[0]), *(",".join(str(v) for v in row.values()) for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize("place", [X, PLACE])
@pytest.mark.parametrize("velocity", [V, EAST, SPEED])
def test_every_form_is_the_same_state(tmp_path, place, velocity):
    (one,) = read_states(written(tmp_path, place | velocity)).given
    np.testing.assert_allclose(one.state, STATE, rtol=1e-12, atol=1e-6)
    assert one.name == "line 2"
    assert math.isnan(one.time_s)
    assert one.covariance is None
    two = state_of([f"{k}={v}" for k, v in (place | velocity).items()])
    np.testing.assert_allclose(two.state, one.state, atol=1e-9)


def test_what_a_row_says_of_the_body(tmp_path):
    more = {
        "name": "piece", "time": "2026-05-01T12:00:00Z", "ballistic_coefficient_kg_m2": 120,
        "ballistic_coefficient_sigma": 0.2, "origin": "child",
    }  # fmt: skip
    (one,) = read_states(written(tmp_path, PLACE | SPEED | more)).given
    assert one.name == "piece"
    assert one.time_s == 1777636800.0
    assert (one.ballistic_coefficient, one.ballistic_coefficient_sigma, one.origin) == (120.0, 0.2, "child")


def test_sigmas_of_columns_are_turned_into_the_axes(tmp_path):
    sigma = {"sigma_height_m": 100.0, "sigma_speed_m_s": 30.0, "sigma_heading_deg": 0.1}
    (one,) = read_states(written(tmp_path, PLACE | SPEED | sigma)).given
    axes = enu_axes(*np.radians([48.0, 35.0]))
    P = np.kron(np.eye(2), axes) @ one.covariance @ np.kron(np.eye(2), axes).T
    assert math.sqrt(P[2, 2]) == pytest.approx(100.0)
    assert np.diag(P)[:2] == pytest.approx(0.0, abs=1e-6)
    along = LOCAL / 3000.0
    across = np.array([math.cos(math.radians(80.0)), -math.sin(math.radians(80.0)), 0.0])
    assert math.sqrt(along @ P[3:, 3:] @ along) == pytest.approx(30.0)
    level = 3000.0 * math.cos(math.radians(40.0)) * math.radians(0.1)
    assert math.sqrt(across @ P[3:, 3:] @ across) == pytest.approx(level, rel=1e-6)


def test_one_sigma_for_all_axes(tmp_path):
    sigma = {"sigma_position_m": 50.0, "sigma_velocity_m_s": 2.0}
    (one,) = read_states(written(tmp_path, PLACE | SPEED | sigma)).given
    np.testing.assert_allclose(one.covariance, np.diag([2500.0] * 3 + [4.0] * 3))
    # a column of its own goes before it
    (one,) = read_states(written(tmp_path, X | V | sigma | {"sigma_vx_m_s": 1.0})).given
    np.testing.assert_allclose(np.diag(one.covariance), [2500.0] * 3 + [1.0, 0.0, 0.0], atol=1e-6)


def test_a_covariance_in_columns(tmp_path):
    A = np.random.default_rng(1).normal(size=(6, 6))
    P = A @ A.T
    columns = dict(zip(COVARIANCE, P[np.tril_indices(6)], strict=True))
    assert list(columns)[:3] == ["cov_x_x", "cov_y_x", "cov_y_y"]
    (one,) = read_states(written(tmp_path, X | V | columns)).given
    np.testing.assert_allclose(one.covariance, P, rtol=1e-12)


GOOD = {**PLACE, **SPEED, "time": "2026-05-01T12:00:00Z", "origin": "", "sigma_position_m": "10"}


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("lat_deg", "98", "line 3: lat_deg '98' must be from -90 to 90"),
        ("lat_deg", "", "line 3: lat_deg is missing"),
        ("height_m", "high", "line 3: height_m 'high' must be a number"),
        ("height_m", "inf", "line 3: height_m 'inf' must be a number"),
        ("height_m", "1_000", "line 3: height_m '1_000' must be a number"),
        ("speed_m_s", "-5", "line 3: speed_m_s '-5' must be 0 or more"),
        ("climb_deg", "-91", "line 3: climb_deg '-91' must be from -90 to 90"),
        ("time", "yesterday", "line 3: time 'yesterday' is not a date and time"),
        ("origin", "mars", "line 3: origin 'mars' must be one of whole, child, orbit, meteoroid"),
        ("sigma_position_m", "-1", "line 3: sigma_position_m '-1' must be 0 or more"),
        ("sigma_position_m", "1e300", "line 3: sigma_position_m '1e300' must be at most 1e+12"),
        ("time", "9999-12-31T23:59:59Z", "line 3: time '9999-12-31T23:59:59Z' must be before the year 9999"),
    ],
)
def test_bad_rows_are_told_of_and_good_ones_used(tmp_path, field, value, words):
    states = read_states(written(tmp_path, GOOD, GOOD | {field: value}, GOOD))
    assert [one.name for one in states.given] == ["line 2", "line 4"]
    (rejection,) = states.rejected
    assert rejection.text.startswith(f"states.csv, {words}")


def test_a_covariance_that_is_none_is_told_of(tmp_path):
    columns = dict.fromkeys(COVARIANCE, 1.0) | {"cov_vz_vz": -4.0}
    part = dict.fromkeys(COVARIANCE, 1.0) | {"cov_y_x": ""}
    curved = dict(
        zip(COVARIANCE, (np.eye(6) + 3 * (np.ones((6, 6)) - np.eye(6)))[np.tril_indices(6)], strict=True)
    )
    good = dict(zip(COVARIANCE, np.eye(6)[np.tril_indices(6)], strict=True))
    vast = good | {"cov_y_y": 1e300}
    states = read_states(written(tmp_path, *(X | V | c for c in (columns, part, curved, vast, good))))
    assert [one.name for one in states.given] == ["line 6"]
    words = [
        "negative variance", "cov_y_x is missing", "not positive semi-definite", "a number beyond 1e+24",
    ]  # fmt: skip
    for rejection, word in zip(states.rejected, words, strict=True):
        assert word in rejection.text


def test_ragged_rows_and_unknown_columns_are_told_of(tmp_path):
    path = written(tmp_path, PLACE | SPEED | {"colour": "red"})
    path.write_text(path.read_text() + "1,2,3\n")
    states = read_states(path)
    assert len(states.given) == 1
    assert "has 3 values, the heading 7" in states.rejected[0].text
    assert states.notes == ("states.csv: not used: colour",)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "has no column of a state; its heading must name x_m,y_m,z_m or lat_deg"),
        ("a,b\n1,2\n", "has no column of a state"),
        ("lat_deg,lon_deg,height_m\n1,2,3\n", "lacks columns; its heading must name"),
        ("lat_deg,lon_deg,height_m,speed_m_s,heading_deg,climb_deg\n", "has no state that can be used"),
        (
            "lat_deg,lon_deg,height_m,speed_m_s,heading_deg,climb_deg\n1,2,3,4,5,99\n",
            "the first: states.csv, line 2",
        ),
    ],
)
def test_files_without_a_state_are_refused(tmp_path, text, words):
    path = tmp_path / "states.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=r"states\.csv") as error:
        read_states(path)
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        (["lat_deg=1"], "the state is not whole; give x_m,y_m,z_m or lat_deg,lon_deg,height_m"),
        (["latitude=1"], "'latitude=1' is neither a file nor one of a state's name=value"),
        (["lat_deg"], "is neither a file"),
        (["lat_deg=1", "lat_deg=2"], "lat_deg is given twice"),
        (
            [f"{k}={v}" for k, v in (PLACE | SPEED | {"lon_deg": 999}).items()],
            "lon_deg is '999': must be from",
        ),
    ],
)
def test_wrong_words_are_refused(pairs, words):
    with pytest.raises(UsageError) as error:
        state_of(pairs)
    assert words in str(error.value)
