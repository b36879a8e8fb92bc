"""What a terminal of 80 columns is told."""

import pytest
from shapely.geometry import box

from tocsin.cli.telling import before_impact, message_line, message_table, outcome_lines, places, span
from tocsin.warning.alert import Footprint, Message, Place

SENT_S = 1_732_157_881.4  # 2024-11-21T02:58:01.4Z


def place(name, population):
    return Place(name=name, country="UA", latitude_deg=48.5, longitude_deg=35.0, population=population)


def footprint(impact_s, found=(), population=0):
    return Footprint(
        box(35.0, 48.4, 35.2, 48.6), ("T1",), SENT_S + impact_s, SENT_S + impact_s, found, population
    )


def message(stage="take-cover", footprints=(), kind="Alert", **more):
    fields = dict.fromkeys(Message._fields)
    fields |= {"stage": stage, "footprints": footprints, "kind": kind, "sent_s": SENT_S}
    fields |= {"expires_s": SENT_S + 9000.0, "references": ()}
    return Message(**(fields | more))


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (59.6, "1 min 00 s"), (711.0, "11 min 51 s"), (37, "37 s")]
)
def test_spans(seconds, text):
    assert span(seconds) == text


def test_the_next_impact_counts():
    assert before_impact(message(footprints=(footprint(700.0), footprint(600.0)))) == "10 min 00 s"
    assert before_impact(message(footprints=(footprint(-5.0), footprint(90.0)))) == "1 min 30 s"
    assert before_impact(message(footprints=(footprint(-5.0),))) == "after impact"
    assert before_impact(message(stage="all-clear", footprints=(footprint(-5.0),))) == ""
    assert before_impact(message()) == ""


def test_as_many_places_as_fit_largest_first():
    found = (place("Ihren", 40_000), place("Dnipro", 968_000), place("Prydniprovsk", 21_000))
    told = message(footprints=(footprint(60.0, found), footprint(60.0, found[:1])))
    assert places(told, 40) == "Dnipro, Ihren, Prydniprovsk"
    assert places(told, 20) == "Dnipro, Ihren +1"
    assert places(told, 3) == "Dnipro +2"
    assert places(message()) == "no known place"


def test_lines_fit_80_columns():
    found = tuple(place(f"Settlement number {i}", 1000 - i) for i in range(40))
    refers = (("a", SENT_S),)
    told = [message(footprints=(footprint(3599.0, found, 12_345_678),), identifier="a")]
    told.append(message("all-clear", kind="Update", identifier="b", references=refers))
    told.append(message("prepare", footprints=(footprint(900.0),), identifier="c", references=refers))
    lines = list(message_table(told))
    assert len(lines) == 4
    assert lines[3].split()[1:5] == ["Prepare", "15", "min", "00"]
    assert max(map(len, lines)) <= 80
    assert lines[1].startswith("02:58:01  Alert ")
    assert "12,345,678" in lines[1]
    assert "All clear" in lines[2]
    assert list(message_table([])) == []


def test_several_alerts_at_a_time_are_told_apart():
    def told(identifier, *references, stage="take-cover", sent_s=SENT_S):
        return message(
            stage, (footprint(3599.0),), "Update" if references else "Alert", identifier=identifier,
            references=tuple((one, SENT_S) for one in references), expires_s=SENT_S + 9000.0, sent_s=sent_s,
        )  # fmt: skip

    a, b = told("a"), told("b")
    assert [line.split()[1] for line in list(message_table([a, told("c", "a")]))[1:]] == ["Alert", "Update"]
    lines = list(
        message_table([a, b, told("c", "b"), told("d", "c", "a"), told("e", "d", stage="all-clear")])
    )
    kinds = [line[10:20].strip() for line in lines[1:]]
    assert kinds == ["Alert 1", "Alert 2", "Update 2", "Update 1", "All clear"]
    assert max(map(len, lines)) <= 80


def test_a_message_as_it_is_issued():
    told = message(footprints=(footprint(90.0, (place("Dnipro", 968_000),), 968_000),))
    assert (
        message_line(told) == "02:58:01 Alert (take cover): 1 min 30 s before impact; Dnipro; 968,000 people"
    )


def test_nothing_to_warn_of():
    counts = {"plots": 12, "tracks": 0, "tracks_coming_down": 0, "alerts": 0}
    timing = {"loop_s": 0.1, "times_real_time": 50.0, "paced": False}
    lines = list(outcome_lines({"recording": "quiet", "counts": counts, "timing": timing}))
    assert lines[-1] == "Nothing to warn of"
