"""Recordings: what is read, what is refused, and what is left out with a word about it."""

import json
import os
import re
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.errors import DataError
from tocsin.formats.recording import read_recording, write_recording
from tocsin.sensors.plots import Plots

from .conftest import START_S, platforms, plots, sensors

SHARED = Path(__file__).parents[3] / "shared" / "recordings"


@pytest.mark.parametrize("csv", [False, True])
def test_reads_what_was_written(tmp_path, csv):
    write_recording(tmp_path / "one", sensors(), platforms(), plots(), csv=csv)
    recording = read_recording(tmp_path / "one")
    assert recording.name == "one"
    assert recording.rejected == ()
    assert recording.counts["plots"] == recording.counts["rows"] == 10
    assert recording.start_s == START_S
    assert recording.end_s == START_S + 9.5
    np.testing.assert_array_equal(recording.plots.time_s, plots().time_s)
    np.testing.assert_array_equal(recording.plots.received_s, plots().received_s)
    np.testing.assert_array_equal(recording.plots.sensor, plots().sensor)
    np.testing.assert_array_equal(recording.plots.scan, plots().scan)
    np.testing.assert_allclose(recording.plots.measured, plots().measured, rtol=1e-15)
    for got, want in zip(recording.sensors, sensors(), strict=True):
        assert (got.name, got.kind) == (want.name, want.kind)
        for a, b in zip(got[2:], want[2:], strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)


def test_fixed_and_moving_sensors_have_positions(folder):
    recording = read_recording(folder)
    # 49.3 N, 29.6 E, 37 m, reckoned with pyproj (EPSG:4979 to EPSG:4978)
    pyproj = pytest.importorskip("pyproj")
    to_ecef = pyproj.Transformer.from_crs("EPSG:4979", "EPSG:4978", always_xy=True)
    want = to_ecef.transform(29.6, 49.3, 37.0)
    np.testing.assert_allclose(recording.plots.position_m[0], want, atol=1e-6)
    # the satellite moves 10 m/s along y: linear between the rows
    np.testing.assert_allclose(recording.plots.position_m[1], [4.2e7, 10.0, 0.0], atol=1e-6)
    np.testing.assert_allclose(recording.plots.position_m[3], [4.2e7, 30.0, 0.0], atol=1e-6)
    np.testing.assert_array_equal(recording.platforms["ir-1"].time_s, START_S + np.array([0.0, 20.0]))


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_round_trip_of_any_plots(tmp_path_factory, data):
    n = data.draw(st.integers(0, 12))

    def draw(low, high):
        return np.array(data.draw(st.lists(st.floats(low, high), min_size=n, max_size=n)), float)

    sensor = np.array(data.draw(st.lists(st.integers(0, 1), min_size=n, max_size=n)), np.int64)
    measured = np.column_stack([draw(1.0, 4e8), draw(0.0, 6.28), draw(-1.57, 1.57), draw(-9e4, 9e4)])
    measured[np.ix_(sensor == 1, [0, 3])] = np.nan
    time_s = np.rint(draw(0.0, 20.0) * 1e6) / 1e6 + START_S
    received_s = np.maximum.accumulate(time_s + draw(0.0, 30.0))
    scan = np.array(data.draw(st.lists(st.integers(-(2**40), 2**40), min_size=n, max_size=n)), np.int64)
    told = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)), bool)
    height_m = np.where(told, draw(-1000.0, 30000.0), np.nan)
    before = Plots(time_s, received_s, sensor, scan, measured, np.zeros((n, 3)), height_m)
    folder = tmp_path_factory.mktemp("round")
    write_recording(folder, sensors(), platforms(), before, csv=data.draw(st.booleans()))
    after = read_recording(folder).plots
    assert after.count == n
    # half a microsecond of rounding, and float64 seconds of our days are 0.24 microseconds apart
    np.testing.assert_allclose(after.time_s, before.time_s, rtol=0, atol=0.8e-6)
    np.testing.assert_allclose(after.received_s, before.received_s, rtol=0, atol=0.8e-6)
    np.testing.assert_array_equal(after.scan, before.scan)
    np.testing.assert_array_equal(after.sensor, before.sensor)
    np.testing.assert_allclose(after.measured, before.measured, rtol=1e-14, atol=1e-300)
    np.testing.assert_allclose(after.height_m, before.height_m, rtol=1e-14, atol=1e-300)


def test_plots_come_in_the_order_of_arrival_and_doubled_ones_stay(tmp_path):
    made = plots(6).rows(np.array([5, 0, 3, 3, 1]))
    write_recording(tmp_path, sensors(), platforms(), made)
    recording = read_recording(tmp_path)
    assert recording.plots.scan.tolist() == [0, 1, 3, 3, 5]
    assert recording.counts["out_of_order"] == 2


def test_equal_arrivals_keep_the_order_of_the_file(tmp_path):
    made = plots(4)._replace(received_s=np.full(4, START_S + 60.0))
    write_recording(tmp_path, sensors(), platforms(), made)
    assert read_recording(tmp_path).plots.scan.tolist() == [0, 1, 2, 3]


def test_without_received_a_plot_arrives_when_it_is_made(folder):
    path = folder / "plots.csv"
    path.write_text("\n".join(line.rsplit(",", 1)[0] for line in path.read_text().splitlines()))
    recording = read_recording(folder)
    np.testing.assert_array_equal(recording.plots.received_s, recording.plots.time_s)


def test_an_empty_received_is_the_time(folder, spoil):
    spoil(4, "received", "")
    recording = read_recording(folder)
    assert recording.rejected == ()
    assert START_S + 2.0 in recording.plots.received_s


@pytest.mark.parametrize("csv", [False, True])
def test_no_plots_is_a_recording_too(tmp_path, csv):
    write_recording(tmp_path, sensors(), platforms(), plots(0), csv=csv)
    recording = read_recording(tmp_path)
    assert recording.plots.count == 0
    assert recording.plots.measured.shape == (0, 4)
    assert recording.start_s == recording.end_s == 0.0


def test_progress_runs_to_the_end(folder):
    steps = []
    read_recording(folder, progress=lambda done, total: steps.append((done, total)))
    assert steps[0][0] == 0
    assert steps[-1][0] == steps[-1][1]


BAD_ROWS = [
    ("azimuth_deg", "400", "from -180 to 360"),
    ("azimuth_deg", "-181", "from -180 to 360"),
    ("azimuth_deg", "nan", "must be a number"),
    ("azimuth_deg", "inf", "must be a number"),
    ("azimuth_deg", "-inf", "must be a number"),
    ("azimuth_deg", "east", "must be a number"),
    ("azimuth_deg", "1_0", "must be a number"),
    ("azimuth_deg", "", "is missing"),
    ("elevation_deg", "95", "from -90 to 90"),
    ("range_m", "-5", "above 0"),
    ("range_m", "0", "above 0"),
    ("range_m", "1e12", r"at most 5e\+08"),
    ("range_m", "1e400", "must be a number"),
    ("range_rate_m_s", "2e5", "to 100000"),
    ("elevation_deg", "", "is missing"),
    ("scan", "1.5", "whole number"),
    ("scan", "", "is missing"),
    ("scan", "1e300", "whole number"),
    ("time", "yesterday", "is not a time"),
    ("time", "2024-13-01T00:00:00Z", "is not a time"),
    ("time", "2024-11-21", "is not a time"),
    ("time", "1732157660", "is not a time"),
    ("time", "", "is missing"),
    ("time", "1970-01-01T00:00:00Z", "is more than"),
    ("received", "later", "is not a time"),
    ("received", "2024-11-21T02:00:00Z", "before the time of the measurement"),
    ("received", "2024-11-21T09:00:00Z", "after the time of the measurement"),
    ("sensor", "", "is missing"),
    ("azimuth_deg", "\ufffd", "must be a number"),
]


@pytest.mark.parametrize(("field", "value", "reason"), BAD_ROWS)
def test_one_bad_row_is_named_and_left_out(folder, spoil, field, value, reason):
    spoil(4, field, value)
    recording = read_recording(folder)
    (rejection,) = recording.rejected
    assert (rejection.file, rejection.row, rejection.field) == ("plots.csv", 4, field)
    assert rejection.value == value
    assert re.search(reason, rejection.reason)
    assert "plots.csv, line 4: " + field in rejection.text
    assert recording.counts["rejected"] == recording.counts[f"rejected_{field}"] == 1
    assert recording.plots.scan.tolist() == [0, 1, 3, 4, 5, 6, 7, 8, 9]


def test_a_look_may_lack_some_of_what_its_sensor_measures(folder, spoil):
    spoil(4, "range_m", "")
    spoil(6, "range_rate_m_s", "")
    for angle in ("azimuth_deg", "elevation_deg"):
        spoil(8, angle, "")
    recording = read_recording(folder)
    assert recording.rejected == ()
    lacks = np.isnan(recording.plots.measured[[2, 4, 6]])
    assert lacks.tolist() == [
        [True, False, False, False],
        [False, False, False, True],
        [False, True, True, False],
    ]


def test_a_look_of_nothing_is_left_out(folder, spoil):
    for field in ("range_m", "azimuth_deg", "elevation_deg", "range_rate_m_s"):
        spoil(4, field, "")
    for angle in ("azimuth_deg", "elevation_deg"):  # of a sensor that has only these
        spoil(5, angle, "")
    recording = read_recording(folder)
    assert [r.text for r in recording.rejected] == [
        "plots.csv, line 4: range_m is missing",
        "plots.csv, line 5: azimuth_deg is missing",
    ]


def test_a_quantity_that_a_sensor_does_not_measure_is_not_looked_at(folder, spoil):
    spoil(3, "range_m", "nonsense")
    recording = read_recording(folder)
    assert recording.rejected == ()
    assert np.isnan(recording.plots.measured[1, 0])


@pytest.fixture
def with_heights(tmp_path):
    out = tmp_path / "sample"  # where the fixture folder is, for spoil
    told = plots()._replace(height_m=np.array([10668.0, *[np.nan] * 7, -12.5, 0.0]))
    write_recording(out, sensors(), platforms(), told, csv=True)
    return out


def test_a_reported_height_is_read_where_one_is_given(folder, with_heights, tmp_path):
    assert "height_m" in (with_heights / "plots.csv").read_text().splitlines()[0]
    recording = read_recording(with_heights)
    assert recording.rejected == ()
    np.testing.assert_array_equal(recording.plots.height_m, [10668.0, *[np.nan] * 7, -12.5, 0.0])
    # and no column where no object reported any
    write_recording(tmp_path / "none", sensors(), platforms(), plots())
    assert "height_m" not in pq.read_schema(tmp_path / "none" / "plots.parquet").names
    assert np.isnan(read_recording(tmp_path / "none").plots.height_m).all()


@pytest.mark.parametrize("value", ["-1001", "30001", "nan", "inf", "FL350"])
def test_a_reported_height_that_cannot_be_is_named(folder, with_heights, spoil, value):
    spoil(4, "height_m", value)
    recording = read_recording(folder)
    (rejection,) = recording.rejected
    assert rejection.text == f"plots.csv, line 4: height_m {value!r} must be a number from -1000 to 30000"
    assert recording.counts["rejected_height_m"] == 1
    assert recording.plots.scan.tolist() == [0, 1, 3, 4, 5, 6, 7, 8, 9]


def test_lines_torn_short_or_long_are_named_and_left_out(folder):
    path = folder / "plots.csv"
    lines = path.read_text().splitlines()
    lines[3] = "2024-11-21T02:54"
    lines[5] += ",1,2"
    lines.insert(7, "")
    path.write_text("\n".join(lines))
    recording = read_recording(folder)
    assert [(r.row, r.field) for r in recording.rejected] == [(4, "values"), (6, "values")]
    assert recording.counts["rows"] == 10
    assert recording.plots.scan.tolist() == [0, 1, 3, 5, 6, 7, 8, 9]


def test_a_line_number_counts_blank_lines(folder, spoil):
    spoil(9, "azimuth_deg", "999")
    path = folder / "plots.csv"
    lines = path.read_text().splitlines()
    lines.insert(3, "")
    path.write_text("\r\n".join(lines))
    assert [r.row for r in read_recording(folder).rejected] == [10]


def test_bytes_that_are_no_text_cost_one_row(folder):
    path = folder / "plots.csv"
    lines = path.read_bytes().splitlines()
    lines[4] = lines[4].replace(b"2024", b"20\xff4")
    path.write_bytes(b"\n".join(lines))
    recording = read_recording(folder)
    assert [(r.row, r.field) for r in recording.rejected] == [(5, "time")]


def test_azimuth_west_of_north_may_be_negative(folder, spoil):
    spoil(2, "azimuth_deg", "-10")
    assert read_recording(folder).plots.measured[0, 1] == pytest.approx(np.radians(350.0))


@pytest.mark.parametrize(
    "text",
    [
        "2024-11-21T02:54:17.25Z",
        "2024-11-21T02:54:17.250000+00:00",
        "2024-11-21T04:54:17.25+02:00",
        "2024-11-21 02:54:17.25Z",
        "2024-11-21T02:54:17.25",
        "2024-11-21t02:54:17.25z",
        "20241121T025417.25Z",
        "2024-11-21T02:54:17,250Z",
        " 2024-11-21T02:54:17.2500001Z ",
        "2024-11-20T23:54:17.25-0300",
    ],
)
def test_a_time_may_have_any_iso_form(folder, spoil, text):
    spoil(2, "time", f'"{text}"')
    recording = read_recording(folder)
    assert recording.rejected == ()
    assert recording.plots.time_s[0] == START_S


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Kyiv"])
def test_parquet_times_of_any_unit_and_zone(parquet_folder, unit, zone):
    path = parquet_folder / "plots.parquet"
    table = pq.read_table(path)
    moments = table["time"].cast(pa.timestamp(unit, tz="UTC"), safe=False)
    moments = moments.cast(pa.timestamp(unit, tz=zone)) if zone else moments.cast(pa.timestamp(unit))
    pq.write_table(table.set_column(0, "time", moments), path)
    got = read_recording(parquet_folder).plots.time_s
    np.testing.assert_array_equal(got, START_S + np.arange(10) - (0.25 if unit == "s" else 0.0))


def test_a_bad_parquet_row_is_named_by_its_number(parquet_folder):
    path = parquet_folder / "plots.parquet"
    table = pq.read_table(path).to_pylist()
    table[2]["azimuth_deg"] = 400.0
    table[4]["elevation_deg"] = float("nan")
    table[6]["range_m"] = float("inf")
    table[8]["time"] = None
    pq.write_table(pa.Table.from_pylist(table), path)
    recording = read_recording(parquet_folder)
    assert [(r.row, r.field, r.value) for r in recording.rejected] == [
        (3, "azimuth_deg", "400.0"),
        (5, "elevation_deg", "nan"),
        (7, "range_m", "inf"),
        (9, "time", ""),
    ]
    assert "plots.parquet, row 3: azimuth_deg '400.0' must be" in recording.rejected[0].text


def test_text_columns_may_be_dictionaries_or_large(parquet_folder):
    path = parquet_folder / "plots.parquet"
    table = pq.read_table(path)
    for column in (table["sensor"].dictionary_encode(), table["sensor"].cast(pa.large_string())):
        pq.write_table(table.set_column(1, "sensor", column), path)
        assert read_recording(parquet_folder).plots.sensor.tolist() == [0, 1] * 5


def refuses(folder, *words):
    with pytest.raises(DataError) as caught:
        read_recording(folder)
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message, message


def test_refuses_what_is_not_there(folder, tmp_path):
    refuses(tmp_path / "nowhere", "nowhere", "no such folder")
    refuses(folder / "plots.csv", "is not a folder")
    (folder / "plots.csv").unlink()
    refuses(folder, "neither plots.parquet nor plots.csv")
    (folder / "sensors.geojson").unlink()
    refuses(folder, "sensors.geojson")


@pytest.mark.parametrize("column", ["time", "sensor", "scan", "range_m", "azimuth_deg"])
def test_refuses_a_missing_column(folder, column):
    path = folder / "plots.csv"
    path.write_text(path.read_text().replace(column, "other", 1))
    refuses(folder, "plots.csv", f"lacks column {column}")


def test_a_column_that_no_sensor_measures_may_be_missing(folder, spoil_sensor):
    spoil_sensor(lambda feature: feature["properties"]["sigma"].pop("range_rate_m_s"))
    path = folder / "plots.csv"
    path.write_text(path.read_text().replace("range_rate_m_s", "other", 1))
    assert np.isnan(read_recording(folder).plots.measured[:, 3]).all()


def test_refuses_a_plot_of_an_unknown_sensor(folder, spoil):
    spoil(6, "sensor", "radar-9")
    refuses(folder, "plots.csv, line 6", "'radar-9'", "radar-1, ir-1")


def test_refuses_a_platform_of_an_unknown_sensor(folder):
    path = folder / "platforms.csv"
    path.write_text(path.read_text().replace("ir-1", "ir-7", 1))
    refuses(folder, "platforms.csv, line 2", "'ir-7'")


@pytest.mark.parametrize("cut", [0, 3, 100, -4])
def test_refuses_a_truncated_parquet_file(parquet_folder, cut):
    path = parquet_folder / "plots.parquet"
    path.write_bytes(path.read_bytes()[:cut])
    refuses(parquet_folder, "plots.parquet", "not a whole Parquet file")


def test_refuses_parquet_spoiled_in_the_middle(parquet_folder):
    path = parquet_folder / "plots.parquet"
    raw = bytearray(path.read_bytes())
    raw[200:600] = os.urandom(400)
    path.write_bytes(bytes(raw))
    refuses(parquet_folder, "plots.parquet")


@settings(max_examples=60, deadline=None)
@given(st.data(), st.booleans())
def test_whatever_is_damaged_is_a_clear_error_or_a_skipped_row(tmp_path_factory, data, csv):
    folder = tmp_path_factory.mktemp("damaged")
    write_recording(folder, sensors(), platforms(), plots(30), csv=csv)
    path = data.draw(st.sampled_from(sorted(folder.iterdir())))
    raw = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(raw)
    try:
        recording = read_recording(folder)
    except DataError as error:
        assert path.name in str(error)  # noqa: PT017
    else:
        assert recording.plots.count + recording.counts["rejected"] == recording.counts["rows"]
        assert all(rejection.text for rejection in recording.rejected)


@pytest.mark.parametrize(
    ("column", "values", "words"),
    [
        ("time", pa.array(np.arange(10.0)), "timestamp"),
        ("time", pa.array([True] * 10), "timestamp"),
        ("sensor", pa.array(np.arange(10)), "must be text"),
        ("azimuth_deg", pa.array(["12"] * 10), "must be a number"),
        ("azimuth_deg", pa.array([[1.0]] * 10), "must be a number"),
        ("scan", pa.array([True] * 10), "must be a number"),
        ("height_m", pa.array(["FL350"] * 10), "must be a number"),
    ],
)
def test_refuses_columns_of_a_wrong_type(parquet_folder, column, values, words):
    path = parquet_folder / "plots.parquet"
    table = pq.read_table(path)
    if column not in table.column_names:  # optional
        table = table.append_column(column, values)
    pq.write_table(table.set_column(table.column_names.index(column), column, values), path)
    refuses(parquet_folder, "plots.parquet", f"column {column}", words)


def test_refuses_an_empty_file_and_a_double_column(folder):
    path = folder / "plots.csv"
    text = path.read_text()
    path.write_text(text.replace("scan", "time", 1).replace("received", "scan", 1))
    refuses(folder, "column time more than once")
    path.write_text("")
    refuses(folder, "plots.csv", "is empty")


def test_refuses_a_recording_without_one_good_row(folder):
    path = folder / "plots.csv"
    path.write_text(path.read_text().replace("2024-", "2024/"))
    refuses(folder, "none of its 10 plots", "plots.csv, line 2: time")


def test_a_quote_that_never_closes_costs_nothing(folder):
    path = folder / "plots.csv"
    path.write_text(path.read_text().replace("ir-1", '"ir-1', 1))
    assert read_recording(folder).plots.count == 10


def test_plots_outside_the_platform_rows(folder):
    path = folder / "platforms.csv"
    # satellite rows end at START + 2: plots 3 to 7 take the nearest position, 9 is too late
    path.write_text(path.read_text().replace("02:54:37.25", "02:54:19.25"))
    recording = read_recording(folder)
    assert [(r.row, r.field) for r in recording.rejected] == [(11, "time")]
    assert "5 s outside the platform rows of ir-1" in recording.rejected[0].text
    np.testing.assert_allclose(recording.plots.position_m[7], [4.2e7, 200.0, 0.0])


def test_bad_platform_rows_are_left_out(folder):
    with (folder / "platforms.csv").open("a") as file:
        file.write("2024-11-21T02:54:30Z,ir-1,nan,0,0\n")
        file.write("2024-11-21T02:54:30Z,ir-1,100,0,0\n")
        file.write("soon,ir-1,4.2e7,0,0\n")
    recording = read_recording(folder)
    assert [(r.file, r.row, r.field) for r in recording.rejected] == [
        ("platforms.csv", 4, "x_m"),
        ("platforms.csv", 5, "x_m"),
        ("platforms.csv", 6, "time"),
    ]
    assert recording.counts["platform_rows_rejected"] == 3
    assert len(recording.platforms["ir-1"].time_s) == 2


def test_refuses_a_moving_sensor_without_a_good_row(folder):
    path = folder / "platforms.csv"
    path.write_text(path.read_text().replace("42000000", "nan").replace("4.2e7", "nan"))
    refuses(folder, "platforms.csv", "no row of ir-1")


def test_truth_impacts_and_oracle_are_written_as_the_contract_says(tmp_path):
    moments = START_S + np.array([0.0, 1.0])
    truth = {"time": moments, "object": ["a", "a"], "kind": ["body", "body"], "x_m": [1.0, 2.0]}
    impacts = {"object": ["a"], "kind": ["body"], "time": moments[:1], "lat_deg": [1.5], "lon_deg": [2.0]}
    oracle = {"time": moments, "object": ["a", "a"], "in_view": [True, False]}
    write_recording(
        tmp_path, sensors(), {}, plots(2), truth=truth, impacts=impacts, oracle=oracle, snr_db=[13.0, np.nan]
    )
    assert pq.read_table(tmp_path / "truth.parquet").schema.field("time").type == pa.timestamp("us", tz="UTC")
    assert pq.read_table(tmp_path / "oracle.parquet")["in_view"].to_pylist() == [True, False]
    assert pq.read_table(tmp_path / "plots.parquet")["snr_db"].to_pylist() == [13.0, None]
    assert (tmp_path / "impacts.csv").read_text().splitlines() == [
        "object,kind,time,lat_deg,lon_deg",
        "a,body,2024-11-21T02:54:17.250000Z,1.5,2",
    ]
    assert not (tmp_path / "platforms.parquet").exists()


def test_writing_again_leaves_nothing_of_the_old(tmp_path):
    write_recording(tmp_path, sensors(), platforms(), plots(), csv=True, truth={"time": [START_S]})
    write_recording(tmp_path, sensors(), {}, plots(0))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["plots.parquet", "sensors.geojson"]


def test_writing_twice_gives_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        write_recording(tmp_path / name, sensors(), platforms(), plots())
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes()


def test_sensor_names_with_commas_survive_csv(tmp_path):
    odd = (sensors()[0]._replace(name='radar "north", old'), sensors()[1])
    write_recording(tmp_path, odd, {}, plots(), csv=True)
    recording = read_recording(tmp_path)
    assert recording.sensors[0].name == 'radar "north", old'
    assert recording.plots.sensor.tolist() == [0, 1] * 5


def test_a_million_rows_take_seconds(tmp_path):
    n = 1_000_000
    few = plots(2)
    index = np.arange(n) % 2
    time_s = START_S + np.arange(n) * 20e-6
    many = Plots(
        time_s, time_s, index, np.arange(n), few.measured[index], np.zeros((n, 3)), few.height_m[index]
    )
    write_recording(tmp_path, sensors(), platforms(), many)
    start = time.perf_counter()
    assert read_recording(tmp_path).plots.count == n
    assert time.perf_counter() - start < 5.0  # 0.5 s on an idle machine of 2026


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="the sample recordings are not beside the checkout")
def test_sample_recordings_are_read_whole():
    for folder in sorted(path for path in SHARED.iterdir() if path.is_dir()):
        recording = read_recording(folder)
        assert recording.rejected == ()
        assert recording.plots.count == pq.read_metadata(folder / "plots.parquet").num_rows
        features = json.loads((folder / "sensors.geojson").read_text())["features"]
        assert [s.name for s in recording.sensors] == [f["properties"]["id"] for f in features]
