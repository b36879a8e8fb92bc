"""Results: what is written can be read, is as the contract says, and is all there or not at all."""

import json
import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tocsin.errors import DataError
from tocsin.formats.files import staged, write_file
from tocsin.formats.results import read_results, write_results
from tocsin.prediction.forecast import Forecast, MayRelease, Spread
from tocsin.tracking.tracks import PHASES, TrackRow

from .conftest import START_S

AREA = shapely.Polygon([(35.0, 48.0), (35.1, 48.0), (35.1, 48.1), (35.0, 48.0)])
FLIES = Forecast(
    START_S, "T1", START_S + 300.125, 2.5, 0.84, 0.61, np.array([[9.0, 1.0], [1.0, 4.0]]), AREA, 41.5,
    "coast", None, 0.99, 12, "",
)  # fmt: skip
STAYS = FLIES._replace(
    track="T2",
    impact_time_s=math.nan,
    impact_time_sigma_s=math.nan,
    latitude_rad=math.nan,
    longitude_rad=math.nan,
    covariance_m2=np.full((2, 2), math.nan),
    area=None,
    area_km2=math.nan,
    phase="other",
    parent="T1",
    status="flies level",
)


def row(time_s=START_S, track="T1", parent=None, phase="boost", existence=0.5, last=False, scale=1.0):
    return TrackRow(time_s, track, parent, phase, existence, np.arange(6.0) * scale, np.eye(6) * scale, last)


def write(folder, rows=(), forecasts=(), cap=()):
    write_results(folder, rows, forecasts, (), cap, (), {"counts": {"plots": 3}})


def same(got, want):
    for a, b in zip(got, want, strict=True):
        if isinstance(b, np.ndarray):
            np.testing.assert_array_equal(a, b)
        elif isinstance(b, float):
            assert a == pytest.approx(b, rel=1e-14, abs=0.8e-6, nan_ok=True)
        else:
            assert a == b


numbers = st.floats(-1e9, 1e9)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.builds(
            TrackRow,
            st.floats(0, 4e9),
            st.text(min_size=1),
            st.none() | st.text(),
            st.sampled_from(PHASES),
            st.floats(0, 1),
            arrays(float, 6, elements=numbers),
            arrays(float, (6, 6), elements=numbers),
            st.booleans(),
        ),
        max_size=5,
    )
)
def test_tracks_round_trip(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("results")
    write(folder, rows)
    for got, want in zip(read_results(folder).rows, rows, strict=True):
        same(got, want)


def test_forecasts_round_trip(tmp_path):
    write(tmp_path, forecasts=[FLIES, STAYS])
    for got, want in zip(read_results(tmp_path).forecasts, [FLIES, STAYS], strict=True):
        same(got, want)


def test_what_may_be_released_round_trips_but_for_its_distribution(tmp_path):
    may = MayRelease(
        0.4, 7.5, START_S + 90.0, START_S + 200.0, 0.84, 0.62, (AREA.buffer(-0.01), AREA, AREA.buffer(0.5)),
        np.array([1.0, 20.0, 300.0]), START_S + 200.0 + np.arange(-3.0, 4.0),
        Spread(np.ones(1), np.zeros((1, 2)), np.eye(2)[None]), 0.8, START_S + 190.0, START_S + 250.0,
    )  # fmt: skip
    write(tmp_path, forecasts=[FLIES._replace(may_release=may), STAYS])
    first, second = read_results(tmp_path).forecasts
    assert second.may_release is None
    got = first.may_release
    assert got[:4] == pytest.approx(may[:4])
    assert got[4:6] == pytest.approx(may[4:6], rel=1e-12)
    assert all(a.equals(b) for a, b in zip(got.areas, may.areas, strict=True))
    np.testing.assert_array_equal(got.areas_km2, may.areas_km2)
    np.testing.assert_allclose(got.time_quantiles_s, may.time_quantiles_s)
    assert len(got.danger.weight) == 0
    table = pq.read_table(tmp_path / "predictions.parquet")
    pq.write_table(table.drop_columns(["release_chance"]), tmp_path / "predictions.parquet")
    assert read_results(tmp_path).forecasts[0].may_release is None  # of an older version


def test_columns_are_those_of_the_contract(tmp_path):
    write(tmp_path, [row(parent="T0")], [FLIES, STAYS])
    tracks = pq.read_table(tmp_path / "tracks.parquet")
    moment = pa.timestamp("us", tz="UTC")
    assert tracks.column_names[:12] == [
        *("time", "track", "parent", "phase", "existence"),
        *("x_m", "y_m", "z_m", "vx_m_s", "vy_m_s", "vz_m_s", "covariance"),
    ]
    assert tracks.schema.field("time").type == moment
    assert tracks["covariance"].to_pylist() == [np.eye(6).ravel().tolist()]
    predictions = pq.read_table(tmp_path / "predictions.parquet")
    assert predictions.column_names[:10] == [
        *("issued", "track", "impact_time", "impact_time_sigma_s", "lat_deg", "lon_deg"),
        *("east_var_m2", "east_north_cov_m2", "north_var_m2", "area"),
    ]
    assert predictions.schema.field("impact_time").type == moment
    first, second = predictions.to_pylist()
    assert first["lat_deg"] == pytest.approx(math.degrees(0.84))
    assert shapely.from_wkb(first["area"]).equals(AREA)
    assert [second[name] for name in predictions.column_names[2:10]] == [None] * 8


def test_empty_results_are_results(tmp_path):
    write(tmp_path)
    results = read_results(tmp_path)
    assert results.rows == results.forecasts == results.cap == ()
    assert results.summary == {"counts": {"plots": 3}}
    assert (tmp_path / "alerts").is_dir()
    assert json.loads((tmp_path / "alerts.geojson").read_text())["features"] == []


def test_messages_stand_in_the_order_sent(tmp_path):
    texts = [f"<alert>{i}</alert>".encode() for i in range(12)]
    write(tmp_path, cap=texts)
    assert [text for _, text in read_results(tmp_path).cap] == texts
    assert (tmp_path / "alerts" / "0012.xml").read_bytes() == texts[11]


def test_the_same_results_are_the_same_bytes(tmp_path):
    rows = [row(START_S + i, scale=i) for i in range(100)]
    for name in ("a", "b"):
        write(tmp_path / name, rows, [FLIES, STAYS], [b"<alert/>"])
    files = [path for path in sorted((tmp_path / "a").rglob("*")) if path.is_file()]
    assert len(files) == 6
    for file in files:
        assert file.read_bytes() == (tmp_path / "b" / file.relative_to(tmp_path / "a")).read_bytes()


def test_a_new_run_replaces_the_old_and_leaves_strangers(tmp_path):
    write(tmp_path, [row()], cap=[b"<a/>", b"<b/>"])
    (tmp_path / "notes.txt").write_text("mine")
    write(tmp_path, [], cap=[b"<c/>"])
    assert [name for name, _ in read_results(tmp_path).cap] == ["0001.xml"]
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_an_interrupted_write_leaves_everything_as_it_was(tmp_path):
    write(tmp_path, [row()])
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(KeyboardInterrupt), staged(tmp_path, ("summary.json",)) as out:
        out.write("summary.json", b"half")
        raise KeyboardInterrupt
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    with pytest.raises(KeyboardInterrupt), staged(tmp_path / "new", ()) as out:
        out.write("x", b"half")
        raise KeyboardInterrupt
    assert not (tmp_path / "new").exists()


def test_a_summary_that_is_no_json_stops_before_anything_is_replaced(tmp_path):
    write(tmp_path, [row()])
    with pytest.raises(ValueError, match="JSON"):
        write_results(tmp_path, (), (), (), (), (), {"x": math.nan})
    assert len(read_results(tmp_path).rows) == 1


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"file/results: cannot be written"):
        write(tmp_path / "file" / "results")
    with pytest.raises(DataError, match=r"file/map\.html: cannot be written"):
        write_file(tmp_path / "file" / "map.html", b"")


def spoil(path: Path, column: str, values):
    table = pq.read_table(path)
    pq.write_table(table.set_column(table.column_names.index(column), column, values), path)


def test_names_the_file_at_fault(tmp_path):
    with pytest.raises(DataError, match="nowhere: no such folder"):
        read_results(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"summary\.json: cannot be read .*cut short"):
        read_results(tmp_path)
    write(tmp_path, [row()], [FLIES])
    spoil(tmp_path / "tracks.parquet", "covariance", pa.array([[1.0, 2.0]]))
    with pytest.raises(DataError, match=r"tracks\.parquet: column covariance must hold lists of 36"):
        read_results(tmp_path)
    write(tmp_path, [row()], [FLIES])
    spoil(tmp_path / "predictions.parquet", "area", pa.array([b"nonsense"]))
    with pytest.raises(DataError, match=r"predictions\.parquet, row 1: area is not WKB"):
        read_results(tmp_path)
    (tmp_path / "predictions.parquet").unlink()
    with pytest.raises(DataError, match=r"has no predictions\.parquet"):
        read_results(tmp_path)
    (tmp_path / "summary.json").write_text("{")
    with pytest.raises(DataError, match=r"summary\.json: is not JSON"):
        read_results(tmp_path)
