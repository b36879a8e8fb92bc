"""After a restart: what is in force stays, is referred to, and ends."""

from __future__ import annotations

import math

import pytest

from tests.warning.synthetic import NOON_S, WORDS, covered, forecast, in_force, start
from tests.warning.test_policy import check_chains
from tocsin.warning.alert import ENDS, Change, Merged, Message
from tocsin.warning.policy import next_deadline, step
from tocsin.warning.resume import resumed
from tocsin.warning.settings import Settings


def run(state, batches, gazetteer, log, end_s=math.inf):
    """Feed batches of (moment, forecasts), then wait; everything that happens goes into the log."""

    def go(at_s, forecasts):
        nonlocal state
        state, said = step(state, at_s, forecasts, {one.track for one in forecasts}, gazetteer)
        log.extend((*said.changes, *said.messages))

    for at_s, forecasts in batches:
        while (due_s := next_deadline(state)) is not None and due_s < at_s:
            go(due_s, ())
        go(at_s, forecasts)
    while (due_s := next_deadline(state)) is not None and due_s < end_s:
        go(due_s, ())
    return state


def pair(t, one="1", two="2", **other):
    return [
        forecast(one, NOON_S + t, area_km2=100.0, **other),
        forecast(two, NOON_S + t, lat_deg=48.6, impact_s=NOON_S + 640.0, area_km2=80.0, **other),
    ]


def messages_of(log):
    return [one for one in log if isinstance(one, Message)]


def last_stage(log):
    merged = {one.incident for one in log if isinstance(one, Merged)}
    return {one.incident: one.after for one in log if isinstance(one, Change) and one.incident not in merged}


@pytest.mark.parametrize("again", [False, True])
def test_what_is_in_force_is_held_until_its_time(gazetteer, again):
    log = []
    run(start(), [(NOON_S + t, pair(t)) for t in range(20)], gazetteer, log, NOON_S + 20.0)
    before = in_force(messages_of(log), NOON_S + 20.0)
    assert len(before) == 1
    state = resumed(log, NOON_S + 300.0, WORDS)
    # the tracker begins anew: other objects bear the old names, or nothing is seen any more
    new = [
        (NOON_S + t, [forecast("1", NOON_S + t, lat_deg=10.0, area_km2=50.0)] if again else [])
        for t in range(300, 320)
    ]
    run(state, new, gazetteer, log)
    check_chains(messages_of(log))
    for t in range(20, 700, 20):
        assert covered(messages_of(log), NOON_S + t, 48.45, 35.05) or t > 600 + 60
    assert covered(messages_of(log), NOON_S + 690.0, 48.6, 35.05)
    first = [one for one in messages_of(log) if one.incident == before[0].incident]
    assert first[-1].stage == "all-clear"
    assert {identifier for identifier, _ in first[-1].references} >= {before[0].identifier}
    assert set(last_stage(log).values()) == {"all-clear"}


def test_tracks_found_again_take_over_and_the_area_sharpens(gazetteer):
    log = []
    run(start(), [(NOON_S + t, pair(t)) for t in range(20)], gazetteer, log, NOON_S + 20.0)
    state = resumed(log, NOON_S + 30.0, WORDS)
    sharp = [
        (
            NOON_S + t,
            [
                forecast("7", NOON_S + t, area_km2=2.0),
                forecast("8", NOON_S + t, lat_deg=48.6, impact_s=NOON_S + 640.0, area_km2=2.0),
            ],
        )
        for t in range(31, 80)
    ]
    run(state, sharp, gazetteer, log)
    messages = messages_of(log)
    check_chains(messages)
    assert len({message.incident for message in messages}) == 1
    assert [message.kind for message in messages].count("Alert") == 1
    told = [message for message in messages if message.stage == "take-cover"]
    assert told[-1].area_km2 < 0.3 * told[0].area_km2
    assert covered(messages, NOON_S + 590.0, 48.45, 35.05)
    assert covered(messages, NOON_S + 630.0, 48.6, 35.05)


def test_one_of_two_found_again_frees_nothing_of_the_other(gazetteer):
    log = []
    near = [
        (
            NOON_S + t,
            [
                forecast(name, NOON_S + t, lat_deg=48.45 + 0.02 * n, area_km2=100.0)
                for n, name in enumerate("12")
            ],
        )
        for t in range(20)
    ]
    run(start(), near, gazetteer, log, NOON_S + 20.0)
    assert len(messages_of(log)[-1].footprints) == 1
    state = resumed(log, NOON_S + 30.0, WORDS)
    run(
        state,
        [(NOON_S + t, [forecast("7", NOON_S + t, area_km2=2.0)]) for t in range(31, 80)],
        gazetteer,
        log,
    )
    check_chains(messages_of(log))
    # the other is still out there
    assert covered(messages_of(log), NOON_S + 590.0, 48.52, 35.05)


def test_a_watch_ends_too(gazetteer):
    log = []
    vague = [(NOON_S + t, [forecast("1", NOON_S + t, area_km2=1e6)]) for t in range(20)]
    run(start(), vague, gazetteer, log, NOON_S + 20.0)
    assert last_stage(log) == {"20270115T080000Z": "watch"}
    run(resumed(log, NOON_S + 30.0, WORDS), [], gazetteer, log)
    assert list(last_stage(log).values()) == ["withdrawn"]
    assert not messages_of(log)


def test_names_and_numbers_go_on(gazetteer):
    log = []
    run(start(), [(NOON_S + t, pair(t)) for t in range(20)], gazetteer, log)
    assert messages_of(log)[-1].stage in ENDS
    state = resumed(log, NOON_S + 2000.0, WORDS)
    assert (state.bodies, state.chains, state.incidents) == ({}, {}, {})
    # the same moment again gets another name
    later = [(NOON_S + t, [forecast("1", NOON_S + t, impact_s=NOON_S + 3000.0)]) for t in range(20)]
    run(state, later, gazetteer, log)
    check_chains(messages_of(log))


def test_nothing_happened():
    assert resumed((), NOON_S, WORDS).now_s == NOON_S
    assert resumed((), NOON_S, WORDS, Settings(hold=0.9)).settings.hold == 0.9
