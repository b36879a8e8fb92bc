"""Orbit ephemeris messages: states and covariances in their frames, and what is refused or told of."""

import math
from pathlib import Path

import numpy as np
import pytest

from tocsin.earth.frames import SPIN
from tocsin.earth.sky import sky_to_ecef, sky_to_ecef_jacobian
from tocsin.errors import DataError
from tocsin.formats.oem import is_oem, read_oem

HEAD = """\
CCSDS_OEM_VERS = 2.0
CREATION_DATE = 2026-05-01T00:00:00
ORIGINATOR = TEST

META_START
OBJECT_NAME = STAGE
OBJECT_ID = 2026-001A
CENTER_NAME = EARTH
REF_FRAME = {frame}
TIME_SYSTEM = {system}
START_TIME = 2026-05-01T12:00:00
STOP_TIME = 2026-05-01T12:02:00
META_STOP
COMMENT one state a line
"""
# km, km/s
LINES = """\
2026-05-01T12:00:00.000 6500.0 100.0 200.0 -0.5 7.3 0.2
2026-05-01T12:01:00 6490.0 537.0 212.0 -0.9 7.25 0.19 0.0 0.0 0.0
2026-121T12:02:00 6460.0 970.0 223.0 -1.3 7.2 0.18
"""
SIGMA = np.array([0.1, 0.2, 0.3, 1e-4, 2e-4, 3e-4])
START_S = 1777636800.0


def lower(P):
    return "\n".join(" ".join(f"{v:.12e}" for v in P[i, : i + 1]) for i in range(6))


def message(frame="ITRF2000", system="UTC", lines=LINES, covariance=""):
    return (HEAD.format(frame=frame, system=system) + lines + covariance).splitlines()


def covariance(P=None, frame=None, epoch="2026-05-01T12:01:00.000"):
    P = np.diag(SIGMA**2) if P is None else P
    axes = f"COV_REF_FRAME = {frame}\n" if frame else ""
    return f"COVARIANCE_START\nEPOCH = {epoch}\n{axes}{lower(P)}\nCOVARIANCE_STOP\n"


def read(*args, **more):
    return read_oem(Path("decay.oem"), message(*args, **more))


def test_states_of_a_frame_that_turns_with_the_earth():
    assert is_oem(message())
    states = read()
    assert [one.time_s - START_S for one in states.given] == [0.0, 60.0, 120.0]
    assert states.given[0].name == "STAGE"
    np.testing.assert_allclose(states.given[0].state, [6500e3, 100e3, 200e3, -500.0, 7300.0, 200.0])
    assert states.given[0].covariance is None
    assert states.notes == ()


@pytest.mark.parametrize("frame", ["EME2000", "J2000", "GCRF", "ICRF", "TEME", "TOD"])
def test_states_of_the_sky(frame):
    states = read(frame)
    sky = np.array([6500e3, 100e3, 200e3, -500.0, 7300.0, 200.0])
    name = "EME2000" if frame == "J2000" else frame
    np.testing.assert_allclose(states.given[0].state, sky_to_ecef(sky, START_S, name))
    assert "UT1 is taken as UTC" in states.notes[0]


@pytest.mark.parametrize(("system", "ahead_s"), [("TAI", 37.0), ("TT", 69.184), ("GPS", 18.0)])
def test_other_clocks(system, ahead_s):
    assert read(system=system).given[0].time_s == pytest.approx(START_S - ahead_s, abs=1e-6)
    early = read(system=system, lines="2015-01-01T00:00:00 6500 0 0 0 7 0\n" + LINES)
    assert len(early.given) == 3
    assert "is before 2017" in early.rejected[0].text


def test_only_states_with_a_covariance_where_there_are_any():
    states = read(covariance=covariance())
    (one,) = states.given
    assert one.time_s == START_S + 60.0
    np.testing.assert_allclose(one.covariance, np.diag((1e3 * SIGMA) ** 2))
    assert "2 states without a covariance left out" in states.notes[0]


@pytest.mark.parametrize("frame", ["ITRF2000", "TEME"])
@pytest.mark.parametrize("axes", ["RTN", "RSW", "TNW"])
def test_covariances_along_the_orbit(frame, axes):
    (one,) = read(frame, covariance=covariance(frame=axes)).given
    # by hand: the deviation along each axis, carried over one by one
    state = 1e3 * np.array([6490.0, 537.0, 212.0, -0.9, 7.25, 0.19])
    if frame == "ITRF2000":
        state = np.concatenate([state[:3], state[3:] + SPIN @ state[:3]])
    r, v = state[:3], state[3:]
    w = np.cross(r, v) / np.linalg.norm(np.cross(r, v))
    first = (v if axes == "TNW" else r) / np.linalg.norm(v if axes == "TNW" else r)
    local = np.array([first, np.cross(w, first), w])
    P = np.zeros((6, 6))
    for i in range(3):
        for part in (0, 3):
            off = np.zeros(6)
            off[part : part + 3] = local[i] * 1e3 * SIGMA[part + i]
            if frame == "TEME":
                off = sky_to_ecef_jacobian(START_S + 60.0, "TEME") @ off
            else:
                off[3:] -= SPIN @ off[:3]
            P += np.outer(off, off)
    np.testing.assert_allclose(one.covariance, P, rtol=1e-9, atol=1e-6)


def test_two_covariances_in_one_block_and_comments():
    block = covariance().replace("COVARIANCE_STOP\n", "COMMENT the next\n")
    block += covariance(4 * np.diag(SIGMA**2), epoch="2026-05-01T12:02:00").replace("COVARIANCE_START\n", "")
    one, two = read(covariance=block).given
    np.testing.assert_allclose(two.covariance, 4 * one.covariance)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("2026-05-01T12:03:00 1 2 3", "line 18: state"),
        ("2026-05-01T12:03:00 1 2 3 a 5 6", "must be numbers (km, km/s)"),
        ("2026-05-01T12:03:00 1 2 3 nan 5 6", "must be numbers (km, km/s)"),
        ("2026-05-01T12:03:00 1e308 2 3 4 5 6", "must be numbers (km, km/s)"),
        ("soon 1 2 3 4 5 6", "line 18: epoch 'soon 1 2 3 4 5 6' is not a date and time"),
        ("9999-12-31T23:59:59 1 2 3 4 5 6", "must be before the year 9999"),
    ],
)
def test_bad_lines_are_told_of_and_good_ones_used(line, words):
    states = read(lines=LINES + line + "\n")
    assert len(states.given) == 3
    (rejection,) = states.rejected
    assert words in rejection.text


@pytest.mark.parametrize(
    ("block", "words"),
    [
        (covariance(np.diag([-1.0, 1, 1, 1, 1, 1])), "negative variance"),
        (covariance(np.eye(6) * 4 - 3), "not positive semi-definite"),
        (covariance(np.diag([1e290, 1, 1, 1, 1, 1])), "a number beyond 1e+24"),
        (covariance().replace("EPOCH = 2026-05-01T12:01:00.000\n", ""), "has no EPOCH before it"),
        (covariance(epoch="noon"), "its EPOCH 'noon' is not a date and time"),
        (covariance().replace("0.000000000000e+00", "x", 1), "must be six lines of 1 to 6 numbers"),
    ],
)
def test_bad_covariances_are_told_of(block, words):
    states = read(covariance=block)
    assert words in states.rejected[0].text


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("CENTER_NAME = EARTH", "CENTER_NAME = MOON", "line 8: CENTER_NAME is 'MOON', must be EARTH"),
        (
            "REF_FRAME = ITRF2000",
            "REF_FRAME = MARS_IAU",
            "line 9: REF_FRAME is 'MARS_IAU', must be ITRF (of any year)",
        ),
        ("REF_FRAME = ITRF2000", "COMMENT", "REF_FRAME is missing, must be ITRF"),
        (
            "TIME_SYSTEM = UTC",
            "TIME_SYSTEM = MRT",
            "line 10: TIME_SYSTEM is 'MRT', must be UTC, TAI, TT, GPS",
        ),
        ("EPOCH =", "COV_REF_FRAME = X\nEPOCH =", "COV_REF_FRAME is 'X', must be RSW, RTN, RIC, TNW, ITRF"),
    ],
)
def test_what_cannot_be_read_is_refused_with_line_value_and_limit(old, new, words):
    lines = "\n".join(message(covariance=covariance())).replace(old, new).splitlines()
    with pytest.raises(DataError, match=r"decay\.oem") as error:
        read_oem(Path("decay.oem"), lines)
    assert words in str(error.value)


def test_a_covariance_before_any_metadata_is_refused():
    lines = ["CCSDS_OEM_VERS = 2.0", *covariance().splitlines()]
    with pytest.raises(DataError, match=r"decay\.oem, line 2: COVARIANCE_START stands before any metadata"):
        read_oem(Path("decay.oem"), lines)


def test_a_covariance_along_an_orbit_that_is_none_is_told_of():
    still = "2026-05-01T12:01:00 0 0 6400 0 0 -1\n2026-05-01T12:02:00 6500 100 200 -0.5 7.3 0.2\n"
    both = covariance(frame="RTN") + covariance(frame="RTN", epoch="2026-05-01T12:02:00")
    states = read(lines=still, covariance=both)
    assert len(states.given) == 1
    assert "line 20: covariance is in RTN, and the state has no plane of motion" in states.rejected[0].text


def test_no_state_at_all_is_refused():
    with pytest.raises(DataError, match="has no state that can be used"):
        read(lines="")
    with pytest.raises(DataError, match="covariances are of other moments"):
        read(covariance=covariance(epoch="2026-05-01T12:00:30"))


def test_the_name_falls_back():
    lines = "\n".join(message()).replace("OBJECT_NAME = STAGE\n", "").splitlines()
    assert read_oem(Path("a.oem"), lines).given[0].name == "2026-001A"
    assert math.isfinite(read_oem(Path("a.oem"), lines).given[0].time_s)
