"""Files of subscribers, and what each was told."""

from __future__ import annotations

import json

import pytest

from tests.warning.made_zones import said
from tests.warning.synthetic import NOON_S
from tocsin.errors import DataError, RefusedError
from tocsin.formats.subscribers import read_subscribers, subscribers_jsonl
from tocsin.warning.hearing import Renamed, Roll, Subscriber, Unreached, hear_all


@pytest.fixture
def read(tmp_path):
    def write_and_read(text, encoding="utf-8"):
        path = tmp_path / "s.csv"
        path.write_bytes(text.encode(encoding))
        return read_subscribers(path)

    return write_and_read


@pytest.mark.parametrize(
    "text",
    [
        "name,zone\nHospital 7,A\nHospital 7,B\nШкола,A\n",
        "\ufeffname;zone\r\nHospital 7;A\r\nHospital 7;B\r\nШкола;A\r\n",
        'phone,zone,name\n1,A,"Hospital 7"\n2, B ,Hospital 7\n\n3,A,Школа\n4,A,Школа\n',
    ],
)
def test_rows_by_name(read, text):
    assert read(text) == (Subscriber("Hospital 7", ("A", "B")), Subscriber("Школа", ("A",)))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "has no column name and zone; a heading name,zone comes first"),
        ("Name,zone\nx,A\n", "has no column name"),
        ("x,A\n", "has no column name and zone"),
        ("name,zone\n", "has no subscribers"),
        ('name,zone\n"x,A\n', "is not CSV"),
    ],
)
def test_what_is_no_such_file(read, text, problem):
    with pytest.raises(DataError, match=r"s\.csv") as caught:
        read(text)
    assert problem in str(caught.value)


def test_a_file_in_another_encoding_or_none(read, tmp_path):
    with pytest.raises(DataError, match="is not UTF-8 text"):
        read("name,zone\nШкола,A\n", "cp1251")
    with pytest.raises(DataError, match="cannot be read"):
        read_subscribers(tmp_path / "none.csv")


def test_every_bad_row_is_told(read):
    with pytest.raises(RefusedError) as caught:
        read("name,zone\nx,A\n,A\ny,\nz,A,B\n")
    assert [line.partition("s.csv, ")[2] for line in str(caught.value).splitlines()] == [
        "line 3: name is empty",
        "line 4: zone is empty",
        "line 5: has more values than the heading",
    ]


def test_what_each_was_told():
    alert = said(1, 0.0, "AB")
    told = hear_all([alert, said(2, 30.25, "AB", "all-clear", after=[alert])])
    roll = Roll(
        (Subscriber("x", ("A",)), Subscriber("y", ("A", "B")), Subscriber("z", ())),
        (Renamed("x", "OLD", "A"),),
        (Unreached("z", "C", "2026", ("A (North)",)),),
    )
    lines = [json.loads(line) for line in subscribers_jsonl(roll, told).splitlines()]
    assert lines[0] == {
        "time": None,
        "subscriber": "z",
        "zone": "C",
        "told": "unreached",
        "siren": False,
        "version": "2026",
        "nearest": ["A (North)"],
    }
    assert lines[1] == {
        "time": None,
        "subscriber": "x",
        "zone": "A",
        "told": "renamed",
        "siren": False,
        "was": "OLD",
    }
    assert [(one["subscriber"], one["zone"], one["told"], one["siren"]) for one in lines[2:]] == [
        ("x", "A", "take-cover", True),
        ("y", "A", "take-cover", True),
        ("y", "B", "take-cover", True),
        ("x", "A", "all-clear", False),
        ("y", "A", "all-clear", False),
        ("y", "B", "all-clear", False),
    ]
    assert NOON_S == 1_800_000_000.0
    assert lines[-1]["time"] == "2027-01-15T08:00:30.250+00:00"
    assert lines[-1]["status"] == "Exercise"
    assert lines[-1]["identifier"] == "tocsin-one-0002"
    assert lines[-1]["incident"] == "one"
