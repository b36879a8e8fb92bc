"""CCSDS tracking data messages: what is taken, what is refused and why."""

import re
from pathlib import Path

import numpy as np
import pytest

from tocsin.errors import DataError
from tocsin.formats.observed import LIGHT_M_S, read_lines
from tocsin.formats.recording import read_recording, write_recording
from tocsin.formats.tdm import is_tdm, observed

from .conftest import sensors

EXAMPLES = Path(__file__).parents[3] / "shared" / "real" / "tdm"
START_S = 1188367202.0  # 2007-08-29T06:00:02Z

MESSAGE = """\
CCSDS_TDM_VERS = 2.0
COMMENT made for this test
CREATION_DATE = 2007-08-30T12:01:44.749
ORIGINATOR = TEST
META_START
\tTIME_SYSTEM = UTC
\tPARTICIPANT_1 = radar-1
\tPARTICIPANT_2 = SAT
\tMODE = SEQUENTIAL
\tPATH = 1,2,1
\tRANGE_UNITS = km
\tANGLE_TYPE = AZEL
META_STOP
DATA_START
\tCOMMENT all four
\tRANGE                 = 2007-08-29T06:00:02.000 1.5E+03
\tANGLE_1               = 2007-08-29T06:00:02.000 -10.5
\tANGLE_2               = 2007-08-29T06:00:02.000 30.25
\tDOPPLER_INSTANTANEOUS = 2007-08-29T06:00:02.000 -4.5
\tDOPPLER_INTEGRATED    = 2007-08-29T06:00:02.000 -4.4

\tRANGE                 = 2007-241T06:00:12Z 1450
\tANGLE_1               = 2007-241T06:00:13 12
\tANGLE_2               = 2007-241T06:00:13 34
DATA_STOP
"""


def read(text, path=Path("pass.tdm")):
    return observed([(path, text.splitlines())], sensors())


def test_data_of_one_moment_are_one_look():
    done = read(MESSAGE)
    assert done.unused == ("DOPPLER_INTEGRATED",)
    (radar,), plots, rejected = done.observed
    assert (radar.name, rejected) == ("radar-1", ())
    want = [[1500e3, 349.5, 30.25, -4500.0], [1450e3, np.nan, np.nan, np.nan], [np.nan, 12.0, 34.0, np.nan]]
    np.testing.assert_allclose(plots.measured / [1, np.radians(1), np.radians(1), 1], want, rtol=1e-14)
    assert plots.sensor.tolist() == [0, 0, 0]
    assert plots.scan.tolist() == [1, 2, 3]
    # a range is true when the signal turned, its light time before it was received
    want_s = START_S + np.array([-1500e3 / LIGHT_M_S, 10.0 - 1450e3 / LIGHT_M_S, 11.0])
    np.testing.assert_allclose(plots.time_s, want_s, rtol=0, atol=1e-6)


def test_what_is_converted_can_be_read(tmp_path):
    seen, plots, _ = read(MESSAGE).observed
    write_recording(tmp_path, seen, {}, plots)
    recording = read_recording(tmp_path)
    assert recording.rejected == ()
    np.testing.assert_allclose(recording.plots.measured, plots.measured, rtol=1e-14)


def test_units_tags_and_corrections():
    text = MESSAGE.replace("RANGE_UNITS = km", "RANGE_UNITS = s\n\tTIMETAG_REF = TRANSMIT").replace(
        "1.5E+03", "0.005"
    )
    text = text.replace("META_STOP", "CORRECTION_ANGLE_1 = 0.5\nCORRECTIONS_APPLIED = NO\nMETA_STOP")
    plots = read(text.replace(" 1450", " 0.004")).observed.plots
    assert plots.measured[0, 0] == pytest.approx(0.005 * LIGHT_M_S)
    assert plots.time_s[0] == pytest.approx(START_S + 0.005, abs=1e-6)
    assert np.degrees(plots.measured[0, 1]) == pytest.approx(350.0)


def test_messages_of_several_stations_and_files_come_together():
    one = MESSAGE.replace("RANGE", "OTHER_RANGE").replace("DOPPLER_INSTANTANEOUS", "OTHER_DOPPLER")
    two = one.replace("PARTICIPANT_1 = radar-1", "PARTICIPANT_1 = ir-1").replace("06:00:02", "05:59:02")
    both = [(Path("one.tdm"), one.splitlines()), (Path("two.tdm"), two.splitlines())]
    seen, plots, _ = observed(both, sensors()).observed
    assert [sensor.name for sensor in seen] == ["radar-1", "ir-1"]
    assert plots.sensor.tolist() == [1, 0, 0, 1]
    assert (np.diff(plots.time_s) >= 0.0).all()


def test_two_objects_of_one_moment_are_two_looks():
    body = MESSAGE[MESSAGE.index("META_START") :]
    plots = read(MESSAGE + body.replace("= SAT", "= OTHER").replace("1.5E+03", "1.6E+03")).observed.plots
    assert plots.count == 6
    assert sorted(plots.measured[~np.isnan(plots.measured[:, 3]), 0]) == [1500e3, 1600e3]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("TIME_SYSTEM = UTC", "TIME_SYSTEM = GPS", "pass.tdm, line 6: TIME_SYSTEM is 'GPS', must be UTC"),
        ("MODE = SEQUENTIAL", "MODE = SINGLE_DIFF", "line 9: MODE is 'SINGLE_DIFF', must be SEQUENTIAL"),
        (
            "PATH = 1,2,1",
            "PATH = 1,2,3",
            "line 10: PATH is '1,2,3', must lead from a station to the object and back",
        ),
        ("PATH = 1,2,1", "PATH = 1,2,3,2,1", "line 10: PATH is '1,2,3,2,1', must lead"),
        (
            "_1 = radar-1",
            "_1 = DSS-25",
            "line 7: PARTICIPANT_1 is 'DSS-25', must be a station of the sensors file",
        ),
        ("RANGE_UNITS = km", "RANGE_UNITS = RU", "line 11: RANGE_UNITS is 'RU', must be km or s"),
        ("ANGLE_TYPE = AZEL", "ANGLE_TYPE = RADEC", "line 12: ANGLE_TYPE is 'RADEC'; only AZEL"),
        ("ANGLE_TYPE = AZEL", "ANGLE_TYPE = XEYN", "line 12: ANGLE_TYPE is 'XEYN'; only AZEL"),
        ("ANGLE_TYPE = AZEL", "COMMENT", "line 17: ANGLE_TYPE is missing; only AZEL"),
        (
            "_1 = radar-1",
            "_1 = ir-1",
            "line 16: has RANGE of ir-1, whose sigma in the sensors file lacks range_m",
        ),
        ("DATA_START", "DATA_BEGIN", "pass.tdm: has no data that can be used"),
    ],
)
def test_a_message_that_cannot_be_converted_says_why(old, new, words):
    with pytest.raises(DataError, match=re.escape(words)):
        read(MESSAGE.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            "T06:00:02.000 1.5E+03",
            "T06:00:02.000 far",
            "RANGE '2007-08-29T06:00:02.000 far' does not end with a number",
        ),
        (
            "T06:00:02.000 1.5E+03",
            "T06:00:02.000",
            "RANGE '2007-08-29T06:00:02.000' does not end with a number",
        ),
        (
            "2007-08-29T06:00:02.000 1.5E+03",
            "then 4",
            "RANGE 'then 4' does not begin with a date and time (UTC)",
        ),
        ("2007-08-29T06:00:02.000 1.5E+03", "2007-400Tx 4", "does not begin with a date and time (UTC)"),
        ("1.5E+03", "-3", "is -3000 as range_m, must be from 0 to 5e+08"),
        ("1.5E+03", "4e12", "is 4e+15 as range_m, must be from 0 to 5e+08"),
        ("-4.5", "-450", "is -450000 as range_rate_m_s, must be from -100000 to 100000"),
    ],
)
def test_a_line_that_cannot_be_used_is_named_and_left_out(old, new, words):
    done = read(MESSAGE.replace(old, new)).observed
    (rejection,) = done.rejected
    assert rejection.text.startswith(f"pass.tdm, line {19 if old == '-4.5' else 16}: ")
    assert words in rejection.text
    assert done.plots.count == 3


def test_half_a_sight_is_left_out():
    done = read(MESSAGE.replace("ANGLE_2               = 2007-241", "OTHER = 2007-241")).observed
    assert [r.text for r in done.rejected] == [
        "pass.tdm, line 23: ANGLE_2 of radar-1 is missing at this time"
    ]
    assert done.plots.count == 2


@pytest.mark.real
@pytest.mark.skipif(not EXAMPLES.is_dir(), reason="the examples of the standard are not beside the checkout")
@pytest.mark.parametrize(
    ("name", "station", "words"),
    [
        ("TDMExample2.txt", "DSS-25", "has no data that can be used"),  # received frequencies alone
        ("TDMExample4.txt", "DSS-24", "RANGE_UNITS is 'RU', must be km or s"),
        ("TDMExample6.txt", "NORTH", "PATH is '1,2,3,2,1', must lead from a station to the object and back"),
        ("TDMExample8.txt", "HBSTK", "ANGLE_TYPE is 'XSYE'; only AZEL"),
        ("TDMExample15.txt", "DSS-10", "PARTICIPANT_1 is 'DSS-40', must be a station"),
    ],
)
def test_examples_of_the_standard_that_no_plot_can_hold_are_refused_in_a_sentence(name, station, words):
    lines = read_lines(EXAMPLES / name)
    assert is_tdm(lines)
    radar = sensors()[0]._replace(name=station)
    with pytest.raises(DataError, match=re.escape(words)):
        observed([(EXAMPLES / name, lines)], (radar,))


@pytest.mark.real
@pytest.mark.skipif(not EXAMPLES.is_dir(), reason="the examples of the standard are not beside the checkout")
def test_examples_of_the_standard_with_azimuth_and_elevation():
    radar = sensors()[0]
    # a relay seen from one station: its way as if it went to one satellite and back
    lines = [line.replace("1,2,3,2,1", "1,2,1") for line in read_lines(EXAMPLES / "TDMExample6.txt")]
    done = observed([(Path("six"), lines)], (radar._replace(name="NORTH"),))
    assert done.observed.rejected == ()
    assert done.unused == ("RECEIVE_FREQ", "TRANSMIT_FREQ_1")
    plots = done.observed.plots
    assert plots.count == 4
    np.testing.assert_allclose(plots.measured[:, 0], [80452754.2, 80452736.8, 80452719.7, 80452633.1])
    np.testing.assert_allclose(np.degrees(plots.measured[0, 1:3]), [256.64002393, 13.38100016])
    # kilometres called seconds: each line says what it would come to
    lines = read_lines(EXAMPLES / "TDMExample8.txt")
    second = lines[lines.index("DATA_STOP") :]
    done = observed([(Path("eight"), second)], (radar._replace(name="WHM1"),))
    assert done.observed.plots.count == 3
    assert [r.field for r in done.observed.rejected] == ["RANGE"] * 3
    assert "1.19967e+13 as range_m" in done.observed.rejected[0].text
