"""windows.parquet: a round trip, the same bytes, and what it says in words."""

import math
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from tocsin.errors import DataError
from tocsin.formats.results import read_results, write_results
from tocsin.formats.windows import (
    FILE,
    between,
    last_of_each,
    part_of,
    read_windows,
    sentence,
    span_s,
    windows_parquet,
)

from ..decaying import START_S, told


def test_windows_round_trip(tmp_path):
    (tmp_path / FILE).write_bytes(windows_parquet(told()))
    again = read_windows(tmp_path)
    assert len(again) == 4
    for before, after in zip(told(), again, strict=True):
        assert after[1:4] == before[1:4]
        assert (after.issued_s, after.state_s) == pytest.approx((before.issued_s, before.state_s), abs=1e-6)
        assert after[5:8] == pytest.approx(before[5:8], nan_ok=True)
        assert after.reason == before.reason
        if before.window is None:
            assert after.window is None
            continue
        for name, value in before.window._asdict().items():
            # degrees to 1e-4, seconds of the line to 0.1
            assert np.asarray(getattr(after.window, name)) == pytest.approx(
                np.asarray(value), abs=0.06 if name == "track" else 1e-5, nan_ok=True
            ), name
        assert sentence(after) == sentence(before)


def test_the_same_windows_are_the_same_bytes():
    assert windows_parquet(told()) == windows_parquet(told())


def test_results_have_the_file_only_where_there_are_windows(tmp_path):
    write_results(tmp_path / "r", [], [], [], [], [], {"counts": {}}, windows=told())
    assert len(read_results(tmp_path / "r").windows) == 4
    columns = set(pq.read_schema(tmp_path / "r" / FILE).names)
    assert {"issued", "body", "tracks", "ground_quantiles", "line_lat_deg", "ended", "text"} <= columns
    page = (Path(__file__).parents[2] / "docs" / "recording.md").read_text(encoding="utf-8")
    assert [name for name in columns if f"`{name}`" not in page] == []
    write_results(tmp_path / "r", [], [], [], [], [], {"counts": {}})
    assert not (tmp_path / "r" / FILE).exists()
    assert read_results(tmp_path / "r").windows == ()


def test_a_file_of_another_kind_is_named(tmp_path):
    (tmp_path / FILE).write_bytes(b"no parquet")
    with pytest.raises(DataError, match=r"windows\.parquet"):
        read_windows(tmp_path)


def test_words_are_for_operators_and_no_warning():
    first, second, other, end = told()
    assert second.tracks == ("T00003", "T00005")
    assert second.passes == 2
    for one in (first, second, other):
        assert sentence(one).startswith(f"{one.body} comes down some time ")
        assert sentence(one).endswith("That is not a warning.")
    assert "(90 %)" in between(second)
    assert " UTC" in between(second)
    assert sentence(end) == "The window of T00003 has ended: its time has passed, and it was not seen again."


def test_times_are_those_of_the_quantiles():
    one = told()[1]
    early_s, middle_s, late_s = span_s(one)
    assert START_S + 5400.0 < early_s < middle_s < late_s
    part = part_of(one)
    assert part[0, 2] >= one.window.ground_quantiles_s[1]
    assert part[-1, 2] <= one.window.ground_quantiles_s[5]
    assert "some time between " in between(one)
    quantiles = one.window.ground_quantiles_s.copy()
    quantiles[5:] = math.nan
    open_end = one._replace(window=one.window._replace(ground_quantiles_s=quantiles))
    assert "some time after 1 January" in between(open_end)
    assert "more than a week" in between(open_end)


def test_the_last_of_each_and_what_ended_it():
    _, second, other, end = told()
    assert last_of_each(told()) == [(second, end), (other, None)]
