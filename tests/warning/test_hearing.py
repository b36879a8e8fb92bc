"""What a subscriber to a zone hears; the failures of other systems by their names."""

from __future__ import annotations

import itertools
import math

import shapely
from hypothesis import given
from hypothesis import strategies as st

from tests.warning.made_zones import said, zones_of
from tests.warning.synthetic import NOON_S, forecast, replay
from tocsin.warning.hearing import (
    SILENCE,
    SIREN_S,
    Renamed,
    Subscriber,
    Unreached,
    hear,
    hear_all,
    next_due_s,
    pass_time,
    roll_call,
)


def heard(messages):
    """(seconds after noon, zone, what, siren) of all that is told."""
    return [(round(t.time_s - NOON_S, 3), t.zone, t.what, t.siren) for t in hear_all(messages)]


def test_from_alert_to_all_clear():
    alert = said(1, 0.0, "AB")
    update = said(2, 20.0, "BC", after=[alert])
    clear = said(3, 90.0, "BC", "all-clear", after=[alert, update])
    assert heard([alert, update, clear]) == [
        (0.0, "A", "take-cover", True),
        (0.0, "B", "take-cover", True),
        (20.0, "B", "update", False),
        (20.0, "C", "take-cover", True),
        (20.0, "A", "left", False),
        (90.0, "B", "all-clear", False),
        (90.0, "C", "all-clear", False),
    ]


def test_a_zone_renamed():
    """Who subscribed by the old code is told under the new one; whom no zone reaches is found out."""
    zones = zones_of(
        {"A-1": shapely.box(0, 0, 1, 1), "A-2": shapely.box(1, 0, 2, 1)},
        aliases={"OLD": "A-2"},
        names={"A-1": (("", "North"),)},
    )
    roll = roll_call([Subscriber("school", ("OLD",)), Subscriber("train", ("A1", "A-2", "OLD"))], zones)
    assert roll.subscribers == (Subscriber("school", ("A-2",)), Subscriber("train", ("A-2",)))
    assert roll.renamed == (Renamed("school", "OLD", "A-2"), Renamed("train", "OLD", "A-2"))
    assert roll.unreached == (Unreached("train", "A1", "2026-10", ("A-1 (North)",)),)


def test_all_clear_for_one_zone_while_another_is_under_threat():
    one, other = said(1, 0.0, ["A", "both"]), said(1, 5.0, ["B", "both"], incident="other")
    clear = said(2, 100.0, ["A"], "all-clear", after=[one])  # as the policy sends it: "both" is not named
    named = clear._replace(zones=("A", "both"))  # and as another sender might
    over = said(2, 300.0, ["B", "both"], "all-clear", after=[other], incident="other")
    for first in (clear, named):
        told = heard([one, other, first, over])
        assert [t for t in told if t[0] == 100.0] == [
            (100.0, "A", "all-clear", False),
            (100.0, "both", "stay", False),
        ]
        assert [t for t in told if t[0] == 300.0] == [
            (300.0, "B", "all-clear", False),
            (300.0, "both", "all-clear", False),
        ]


def test_an_update_must_not_sound_the_siren_again():
    messages = [said(1, 0.0, "A")]
    for number in range(2, 40):
        messages.append(said(number, 10.0 * number, "A", after=messages[-1:]))
    told = heard(messages)
    assert [what for _, _, what, _ in told[:-1]] == ["take-cover", *["update"] * 38]
    assert sum(siren for *_, siren in told) == 1
    # the same over again: nothing new
    assert heard([one for one in messages for _ in range(2)]) == told


def test_one_siren_a_minute():
    """In cover, all clear, in cover again within the minute: told at once, the siren when the minute is over."""
    first = said(1, 0.0, "A")
    clear = said(2, 20.0, "A", "all-clear", after=[first])
    again = said(3, 30.0, "A")
    assert heard([first, clear, again, said(4, 100.0, "A", "all-clear", after=[again])]) == [
        (0.0, "A", "take-cover", True),
        (20.0, "A", "all-clear", False),
        (30.0, "A", "take-cover", False),
        (60.0, "A", "take-cover", True),
        (100.0, "A", "all-clear", False),
    ]
    # over before the minute: no siren is left behind
    assert heard([first, clear, again, said(4, 50.0, "A", "all-clear", after=[again])])[2:] == [
        (30.0, "A", "take-cover", False),
        (50.0, "A", "all-clear", False),
    ]


def test_an_area_that_flickers_over_a_zone():
    messages, last = [], []
    for number in range(1, 61):
        messages.append(said(number, 2.0 * number, "AB" if number % 2 else "B", after=last))
        last = [messages[-1]]
    told = heard(messages)
    sirens_s = [at_s for at_s, zone, _, siren in told if siren and zone == "A"]
    assert sirens_s == [2.0, 62.0]


def test_a_false_trigger_withdrawn_within_a_minute():
    alert = said(1, 0.0, "A")
    assert heard([alert, said(2, 4.0, "A", "withdrawn", after=[alert])]) == [
        (0.0, "A", "take-cover", True),
        (4.0, "A", "withdrawn", False),
    ]


def test_prepare_comes_before_and_sounds_nothing():
    ready = said(1, 0.0, "AB", "prepare")
    alert = said(2, 60.0, "A", after=[ready])
    eased = said(3, 90.0, "A", "prepare", after=[ready, alert])
    assert heard([ready, alert, eased, said(4, 120.0, "A", "withdrawn", after=[eased])]) == [
        (0.0, "A", "prepare", False),
        (0.0, "B", "prepare", False),
        (60.0, "A", "take-cover", True),
        (60.0, "B", "left", False),
        (90.0, "A", "prepare", False),
        (120.0, "A", "withdrawn", False),
    ]
    # one that says prepare where another has people in cover changes nothing there
    other = said(1, 70.0, "A", "prepare", incident="other")
    assert all(at_s != 70.0 for at_s, *_ in heard([ready, alert, other]))


def test_incidents_that_turn_out_to_be_one():
    one, other = said(1, 0.0, "AB"), said(1, 5.0, "CD", incident="other")
    both = said(2, 30.0, "BCE", after=[one, other])
    clear = said(3, 90.0, "BCE", "all-clear", after=[one, other, both])
    assert heard([one, other, both, clear])[4:] == [
        (30.0, "B", "update", False),
        (30.0, "C", "update", False),
        (30.0, "E", "take-cover", True),
        (30.0, "A", "left", False),
        (30.0, "D", "left", False),
        (90.0, "B", "all-clear", False),
        (90.0, "C", "all-clear", False),
        (90.0, "E", "all-clear", False),
    ]


def test_silence_is_no_all_clear():
    """An alert that runs out says so; its all-clear is told when it comes at last."""
    alert = said(1, 0.0, "A", lasts_s=50.0)
    late = said(2, 80.0, "A", "all-clear")
    assert heard([alert, late]) == [
        (0.0, "A", "take-cover", True),
        (50.0, "A", "lapsed", False),
        (80.0, "A", "all-clear", False),
    ]
    assert heard([alert]) == [(0.0, "A", "take-cover", True), (50.0, "A", "lapsed", False)]


def test_only_the_all_clear_arrives_or_the_alert_comes_late():
    alert = said(1, 0.0, "A")
    update = said(2, 10.0, "A", after=[alert])
    clear = said(3, 90.0, "A", "all-clear", after=[alert, update])
    assert heard([clear]) == []
    assert heard([update, alert, clear]) == [(10.0, "A", "take-cover", True), (90.0, "A", "all-clear", False)]
    assert heard([clear, alert, update]) == []


def test_time_passes_without_messages():
    alert = said(1, 0.0, "A", lasts_s=100.0)
    assert next_due_s(SILENCE) == math.inf
    state, _ = hear(SILENCE, alert)
    assert next_due_s(state) == NOON_S + 100.0
    state, told = pass_time(state, NOON_S + 99.0)
    assert told == ()
    state, told = pass_time(state, NOON_S + 101.0)
    assert [(t.time_s, t.what) for t in told] == [(NOON_S + 100.0, "lapsed")]
    # a clock that goes back does not undo it
    assert pass_time(state, NOON_S) == (state, ())


@st.composite
def streams(draw):
    """Messages of up to three chains, each replacing the last of its chain or those of two, in order of time."""
    messages, chains, at_s = [], {}, 0.0
    for number in range(1, draw(st.integers(1, 14)) + 1):
        at_s += draw(st.sampled_from([0.0, 1.0, 7.0, 29.0, 31.0, 60.0, 200.0]))
        name = draw(st.sampled_from("xyz"))
        after = [chains[one] for one in {name, draw(st.sampled_from("xyz"))} if one in chains]
        if name not in chains:
            after = []
        stage = draw(st.sampled_from(["take-cover", "take-cover", "prepare", "all-clear", "withdrawn"]))
        zones = sorted(draw(st.sets(st.sampled_from("ABCD"), min_size=1)))
        lasts_s = draw(st.sampled_from([40.0, 3600.0]))
        message = said(number, at_s, zones, stage, after=after, lasts_s=lasts_s)
        for one in [key for key, value in chains.items() if value in after]:
            del chains[one]
        chains[name] = message
        messages.append(message)
    return messages


def level(messages, zone, time_s):
    """0 nothing, 1 prepare, 2 take cover: from all messages up to a moment, in the plainest way."""
    sent = [one for one in messages if one.sent_s <= time_s]
    replaced = {identifier for one in sent for identifier, _ in one.references}
    force = [one for one in sent if one.identifier not in replaced and one.expires_s > time_s]
    ranks = [
        ("prepare", "take-cover").index(one.stage) + 1
        for one in force
        if one.stage in ("prepare", "take-cover") and zone in one.zones
    ]
    return max(ranks, default=0)


@given(streams())
def test_whatever_comes_each_zone_is_told_what_is_in_force_there(messages):
    told = hear_all(messages)
    assert [t.time_s for t in told] == sorted(t.time_s for t in told)
    ends = (0.0, *(t.time_s for t in told))
    for zone in "ABCD":
        sirens_s = [t.time_s for t in told if t.zone == zone and t.siren]
        assert all(b - a >= SIREN_S for a, b in itertools.pairwise(sirens_s))
        for moment in {*ends, *(one.sent_s for one in messages), *(one.expires_s for one in messages)}:
            so_far = [t for t in told if t.zone == zone and t.time_s <= moment]
            now = level(messages, zone, moment)
            last = [t.what for t in so_far if t.what not in ("update", "stay")][-1:]
            believed = {"take-cover": 2, "prepare": 1}.get(last[0], 0) if last else 0
            assert believed == now, (zone, moment - NOON_S, so_far)
            # whoever is in cover heard a siren since entering it, or is still within a minute of the last one
            if now == 2 and not any(t.siren for t in so_far[_entered(so_far) :]):
                assert sirens_s
                assert moment < max(s for s in sirens_s if s <= moment) + SIREN_S


def _entered(so_far):
    """Where the last stay in cover of one zone begins."""
    calm = [i for i, t in enumerate(so_far) if t.what not in ("take-cover", "update", "stay")]
    return calm[-1] + 1 if calm else 0


@given(streams(), st.randoms(use_true_random=False))
def test_repetitions_change_nothing(messages, chance):
    again = list(messages)
    for message in messages:
        again.insert(chance.randint(again.index(message) + 1, len(again)), message)
    assert hear_all(again) == hear_all(messages)


def test_what_zones_hear_of_a_whole_replay(gazetteer):
    """Two bodies, one lost from sight: every zone in the areas is called into cover once and let out once."""
    zones = zones_of(
        {
            "near": shapely.box(34.9, 48.3, 35.2, 48.6),
            "far": shapely.box(35.9, 48.3, 36.2, 48.6),
            "off": shapely.box(30.0, 48.0, 31.0, 49.0),
        }
    )

    def make(t):
        first = forecast("1", NOON_S + t, NOON_S + 200.0, 48.45, 35.05, area_km2=max(2.0, 90.0 - t))
        return (
            [first]
            if t > 50
            else [first, forecast("2", NOON_S + t, NOON_S + 400.0, 48.45, 36.05, area_km2=30.0)]
        )

    _, messages = replay([(NOON_S + t + 0.37, make(t)) for t in range(150)], gazetteer._replace(zones=zones))
    told = hear_all(messages)
    for zone in ("near", "far"):
        what = [t.what for t in told if t.zone == zone and t.what != "update"]
        assert what == ["take-cover", "all-clear"]
    assert {t.zone for t in told} == {"near", "far"}
    ends_s = {t.zone: t.time_s - NOON_S for t in told if t.what == "all-clear"}
    assert 200.0 < ends_s["near"] < 400.0 < ends_s["far"]
