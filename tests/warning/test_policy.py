"""When warnings are sent, changed and ended."""

from __future__ import annotations

import itertools
import math
import time

import numpy as np
import pytest
import shapely

from tests.warning.synthetic import NOON_S, covered, ellipse, forecast, in_force, replay, start
from tocsin.errors import SettingsError
from tocsin.formats.cap import cap_xml
from tocsin.warning.alert import Authority
from tocsin.warning.bodies import settled, silent_s
from tocsin.warning.policy import next_deadline, step
from tocsin.warning.settings import Settings

NAN = math.nan
IMPACT_S = NOON_S + 600.0


def every_second(seconds, make):
    """One batch a second: make(t) returns the forecasts of that second."""
    return [(NOON_S + t + 0.2, make(t)) for t in range(seconds)]


def shrinking(
    track="1", lat_deg=48.45, lon_deg=35.05, start_km2=900.0, half_s=60.0, impact_s=IMPACT_S, **other
):
    def make(t):
        area_km2 = max(0.5, start_km2 * 0.5 ** (t / half_s))
        return [forecast(track, NOON_S + t, impact_s, lat_deg, lon_deg, area_km2, **other)]

    return make


def kinds(messages):
    return [(message.kind, message.stage) for message in messages]


def check_chains(messages):
    """What holds for every replay: order, references, no two messages with one name, all ends."""
    sent = {}
    for message in messages:
        assert message.status == "Exercise"
        assert message.identifier not in sent
        assert all(sent[identifier] == sent_s for identifier, sent_s in message.references)
        assert (message.kind == "Alert") == (not message.references)
        assert message.sent_s >= max(sent.values(), default=-math.inf)
        assert message.expires_s > message.sent_s
        assert message.footprints
        for footprint in message.footprints:
            assert footprint.polygon.is_valid
            assert not footprint.polygon.interiors
        sent[message.identifier] = message.sent_s
    by_incident = {}
    for message in messages:
        assert message.sequence == by_incident.get(message.incident, 0) + 1
        by_incident[message.incident] = message.sequence
    assert in_force(messages, math.inf) == []
    last = messages[-1] if messages else None
    assert last is None or last.stage in ("all-clear", "withdrawn")
    if last:
        assert in_force(messages, last.sent_s) == []


def test_one_body_from_alert_to_all_clear(gazetteer):
    state, messages = replay(every_second(600, shrinking()), gazetteer)
    check_chains(messages)
    assert kinds(messages)[0] == ("Alert", "take-cover")
    assert kinds(messages)[-1] == ("Update", "all-clear")
    assert len(messages) <= 14
    assert next_deadline(state) is None
    assert not state.chains
    # the alert came with the third forecast below the limit; nothing before
    first = messages[0]
    assert first.sent_s <= NOON_S + 40.0
    # held without a break until the impact
    for t in np.arange(first.sent_s, IMPACT_S, 1.0):
        assert covered(messages, t, 48.45, 35.05)
    # latest credible arrival (3 sigma of 4 s), a minute for debris
    assert messages[-1].sent_s == pytest.approx(IMPACT_S + 12.0 + 60.0)
    # nothing lapses while it matters
    assert all(message.expires_s > IMPACT_S + 72.0 for message in messages[:-1])
    # the area shrank
    assert messages[-2].footprints[0].polygon.area < 0.1 * first.footprints[0].polygon.area


def test_same_input_same_bytes(gazetteer):
    batches = every_second(600, shrinking())
    _, one = replay(batches, gazetteer)
    _, other = replay(batches, gazetteer)
    assert [cap_xml(message) for message in one] == [cap_xml(message) for message in other]


def test_what_came_before_does_not_hang_on_what_comes_after(gazetteer):
    batches = every_second(600, shrinking())
    _, whole = replay(batches, gazetteer)
    state, seen = start(), []
    for now_s, forecasts in batches[:300]:
        state, new = step(state, now_s, forecasts, {"1"}, gazetteer)
        seen += new.messages
    assert seen == whole[: len(seen)]
    assert seen


def test_state_is_not_changed_in_place(gazetteer):
    state = start()
    for t in range(5):
        state, _ = step(state, NOON_S + t, shrinking(start_km2=300.0)(t), {"1"}, gazetteer)
    before = repr(state)
    _, first = step(state, NOON_S + 6, shrinking(start_km2=30_000.0)(6), {"1"}, gazetteer)
    _, second = step(state, NOON_S + 6, shrinking(start_km2=30_000.0)(6), {"1"}, gazetteer)
    assert repr(state) == before
    assert first == second


@pytest.mark.parametrize(
    "other",
    [
        {"existence": 0.9},
        {"phase": "other"},
        {"area_km2": 60_000.0},
        {"area_km2": NAN},
        {"impact_s": NOON_S - 500.0},
    ],
    ids=str,
)
def test_no_alert(gazetteer, other):
    values = {"area_km2": 50.0, **other}
    _, messages = replay(every_second(60, lambda t: [forecast("1", NOON_S + t, **values)]), gazetteer)
    assert messages == []


def test_no_alert_before_several_forecasts_in_a_row_agree(gazetteer):
    def make(t):
        return [forecast("1", NOON_S + t, area_km2=NAN if t % 3 == 2 else 50.0)]

    assert replay(every_second(60, make), gazetteer)[1] == []
    _, messages = replay(every_second(3, lambda t: [forecast("1", NOON_S + t, area_km2=50.0)]), gazetteer)
    assert messages[0].sent_s == NOON_S + 2.2


def test_lost_track_is_held_until_its_time(gazetteer):
    _, messages = replay(every_second(30, shrinking(start_km2=300.0)), gazetteer)
    check_chains(messages)
    assert kinds(messages)[-1] == ("Update", "all-clear")
    assert messages[-1].sent_s == pytest.approx(IMPACT_S + 72.0)
    assert covered(messages, IMPACT_S + 60.0, 48.45, 35.05)


def test_growing_area_is_followed_at_once(gazetteer):
    def make(t):
        return [forecast("1", NOON_S + t, area_km2=100.0 if t < 30 else 400.0)]

    _, messages = replay(every_second(120, make), gazetteer)
    check_chains(messages)
    assert messages[1].sent_s == NOON_S + 30.2
    assert "outside" in messages[1].reason
    assert messages[1].footprints[0].polygon.buffer(1e-6).covers(ellipse(48.45, 35.05, 400.0))
    assert len(messages) == 3


def test_shrinking_waits_for_agreement(gazetteer):
    """One narrow forecast among wide ones changes nothing; ten seconds of narrow ones do."""

    def make(t):
        return [forecast("1", NOON_S + t, area_km2=20.0 if t == 80 or t >= 100 else 500.0)]

    _, messages = replay(every_second(150, make), gazetteer)
    check_chains(messages)
    assert kinds(messages) == [("Alert", "take-cover"), ("Update", "take-cover"), ("Update", "all-clear")]
    assert NOON_S + 110.0 <= messages[1].sent_s <= NOON_S + 113.0


def test_who_is_told_to_take_cover_stays_told_for_a_minute(gazetteer):
    """What was needed for two seconds stays in the area until its minute is over, and goes then, unasked."""

    def make(t):
        return [forecast("1", NOON_S + t, area_km2=500.0 if t < 4 else 20.0)]

    _, messages = replay(every_second(70, make), gazetteer)
    check_chains(messages)
    first, second, _ = messages
    assert second.sent_s == pytest.approx(first.sent_s + 60.0, abs=0.1)
    assert second.area_km2 < 0.2 * first.area_km2
    at_once = replay(every_second(70, make), gazetteer, Settings(stay_s=0.0))[1][1]
    assert at_once.sent_s < NOON_S + 25.0


def test_where_no_forecast_comes_any_more_nobody_stays_for_fear_of_the_next(gazetteer):
    def make(t):
        return [forecast("1", NOON_S + t, area_km2=500.0 if t < 4 else 20.0)] if t < 30 else []

    _, messages = replay(every_second(30, make), gazetteer)
    check_chains(messages)
    first, second, _ = messages
    assert second.sent_s == pytest.approx(NOON_S + 29.0 + Settings().silence_s, abs=0.1)
    assert second.area_km2 < 0.2 * first.area_km2


def test_who_is_heard_of_every_ten_seconds_is_silent_after_thirty(gazetteer):
    """A radar that turns slowly misses a body twice: what was told of it a while ago is still not let go."""

    def make(t):
        seen = t % 10 == 0 and t <= 40
        return [forecast("1", NOON_S + t, area_km2=500.0 if t < 30 else 20.0)] if seen else []

    _, messages = replay(every_second(41, make), gazetteer, live=lambda _: {"1"})
    check_chains(messages)
    first, second, _ = messages
    assert first.sent_s < NOON_S + 21.0
    assert second.sent_s == pytest.approx(NOON_S + 40.0 + 30.0, abs=0.1)


def test_when_a_body_is_silent_does_not_hang_on_forecasts_let_go(gazetteer):
    state = start()
    for t in (0.0, 2.0, 4.0, 6.0, 21.0):
        one = forecast("1", NOON_S + t, area_km2=500.0 if t < 21.0 else 20.0)
        state, _ = step(state, NOON_S + t, [one], {"1"}, gazetteer)
    before = state.bodies["1"]
    silent = silent_s(before, state.settings)
    assert silent == pytest.approx(NOON_S + 21.0 + 3.0 * 15.0)
    after = settled(before, silent, state.settings)
    assert len(after.recent) < len(before.recent)
    assert silent_s(after, state.settings) == silent


def test_no_place_enters_an_alert_twice_within_a_minute(gazetteer):
    rng = np.random.default_rng(5)

    def make(t):
        area_km2 = 150.0 * math.exp(0.5 * rng.standard_normal())
        return [forecast("1", NOON_S + t, lat_deg=48.45 + 0.02 * rng.standard_normal(), area_km2=area_km2)]

    _, messages = replay(every_second(400, make), gazetteer)
    places = shapely.points(*np.meshgrid(np.linspace(34.7, 35.4, 60), np.linspace(48.2, 48.7, 60)))
    inside, entered_s, entries, again = np.zeros(places.shape, bool), np.full(places.shape, -np.inf), 0, 0
    for message in messages:
        now = shapely.contains(shapely.union_all([one.polygon for one in message.footprints]), places)
        new = now & ~inside if message.stage == "take-cover" else np.zeros_like(now)
        entries += new.sum()
        again += (new & (message.sent_s < entered_s + 60.0)).sum()
        entered_s[new], inside = message.sent_s, now
    assert entries > 1000
    assert again <= 0.0005 * entries  # corners are rounded to 11 m: what is narrower may come and go


def test_flicker_is_bounded(gazetteer):
    """An area that jumps about at random within its noise gives few messages, and no break."""
    rng = np.random.default_rng(3)

    def make(t):
        return [
            forecast(
                "1",
                NOON_S + t,
                lat_deg=48.45 + 0.01 * rng.standard_normal(),
                lon_deg=35.05 + 0.015 * rng.standard_normal(),
                area_km2=200.0 * math.exp(0.3 * rng.standard_normal()),
                existence=0.6 if rng.random() < 0.2 else 0.99,
            )
        ]

    _, messages = replay(every_second(590, make), gazetteer)
    check_chains(messages)
    # 590 forecasts that jump by a third: one message for thirteen of them (decision 0019 on sharpness against flicker)
    assert len(messages) <= 45
    for t in np.arange(messages[0].sent_s, IMPACT_S, 1.0):
        assert covered(messages, t, 48.45, 35.05)


def test_reassessed_is_withdrawn_after_agreement(gazetteer):
    """One denial is no withdrawal; several over ten seconds are a Cancel."""

    def make(t):
        return [forecast("1", NOON_S + t, area_km2=NAN if t == 20 or t >= 40 else 100.0)]

    _, messages = replay(every_second(100, make), gazetteer)
    check_chains(messages)
    assert kinds(messages) == [("Alert", "take-cover"), ("Cancel", "withdrawn")]
    assert NOON_S + 50.0 <= messages[1].sent_s <= NOON_S + 51.0
    assert "withdrawn" in messages[1].texts[0].headline


def test_one_of_two_reassessed_leaves_the_other(gazetteer):
    def make(t):
        return [
            forecast("1", NOON_S + t, area_km2=100.0),
            forecast("2", NOON_S + t, lat_deg=48.8, area_km2=NAN if t >= 60 else 100.0, parent="1"),
        ]

    _, messages = replay(every_second(100, make), gazetteer)
    check_chains(messages)
    assert [len(message.footprints) for message in messages] == [2, 1, 1]
    assert kinds(messages)[-1] == ("Update", "all-clear")


def test_arrival_moves(gazetteer):
    """Later than announced: told. Possibly earlier than the announced onset: told at once."""

    def later(t):
        return [forecast("1", NOON_S + t, IMPACT_S if t < 30 else IMPACT_S + 100.0, area_km2=50.0)]

    _, messages = replay(every_second(60, later), gazetteer)
    check_chains(messages)
    assert messages[1].sent_s == NOON_S + 30.2
    assert "first arrival +100 s" in messages[1].reason
    assert covered(messages, IMPACT_S + 150.0, 48.45, 35.05)

    def earlier(t):
        return [forecast("1", NOON_S + t, IMPACT_S if t < 30 else IMPACT_S - 40.0, area_km2=50.0)]

    _, messages = replay(every_second(60, earlier), gazetteer)
    assert "before the announced onset" in messages[1].reason
    assert messages[1].onset_s == pytest.approx(IMPACT_S - 52.0)


def test_lopsided_arrival(gazetteer):
    """Where the forecast says how early and how late, three standard deviations count for nothing."""

    def make(t):
        times = {"impact_time_sigma_s": 60.0, "earliest_s": IMPACT_S - 5.0, "latest_s": IMPACT_S + 90.0}
        return [forecast("1", NOON_S + t, area_km2=50.0, **times)]

    _, messages = replay(every_second(30, make), gazetteer)
    check_chains(messages)
    assert messages[0].onset_s == IMPACT_S - 5.0
    assert messages[-1].sent_s == IMPACT_S + 90.0 + 60.0


def test_danger_that_lasts_is_extended_before_it_lapses(gazetteer):
    def make(t):
        return [forecast("1", NOON_S + t, NOON_S + 100.0 + t, area_km2=50.0)]

    _, messages = replay(every_second(600, make), gazetteer)
    check_chains(messages)
    for one, other in itertools.pairwise(messages):
        assert other.sent_s < one.expires_s


def test_six_bodies_of_one_parent_are_one_incident(gazetteer):
    def make(t):
        return [
            forecast(
                str(n),
                NOON_S + t,
                IMPACT_S + n,
                48.30 + 0.06 * n,
                35.05,
                max(1.0, 60.0 * 0.5 ** (t / 60.0)),
                parent="carrier",
            )
            for n in range(6)
        ]

    _, messages = replay(every_second(600, make), gazetteer)
    check_chains(messages)
    assert len({message.incident for message in messages}) == 1
    assert len(messages) <= 30
    last = [message for message in messages if message.stage == "take-cover" and message.sent_s < IMPACT_S][
        -1
    ]
    assert len(last.footprints) == 6
    assert {track for footprint in last.footprints for track in footprint.tracks} == {
        str(n) for n in range(6)
    }
    for n in range(6):
        for t in np.arange(messages[0].sent_s, IMPACT_S + n, 5.0):
            assert covered(messages, t, 48.30 + 0.06 * n, 35.05)
    # overlapping at first: one polygon; never two that overlap
    for message in messages:
        shapes = [footprint.polygon for footprint in message.footprints]
        assert shapely.union_all(shapes).area == pytest.approx(sum(shape.area for shape in shapes), rel=1e-3)


def test_each_body_passes_by_itself(gazetteer):
    """The first body's footprint goes when its time is over; the second is held on."""

    def make(t):
        return [
            forecast("1", NOON_S + t, NOON_S + 200.0, 48.4, area_km2=20.0),
            forecast("2", NOON_S + t, NOON_S + 350.0, 48.7, area_km2=20.0, parent="1"),
        ]

    _, messages = replay(every_second(190, make), gazetteer)
    check_chains(messages)
    assert covered(messages, NOON_S + 270.0, 48.4, 35.05)
    assert not covered(messages, NOON_S + 275.0, 48.4, 35.05)
    assert covered(messages, NOON_S + 421.0, 48.7, 35.05)
    assert kinds(messages)[-1] == ("Update", "all-clear")
    assert messages[-1].sent_s == pytest.approx(NOON_S + 422.0)


@pytest.mark.parametrize(("later_s", "said"), [(30.0, 0), (110.0, 1)])
def test_when_all_arrivals_are_over_the_end_says_it_for_all(gazetteer, later_s, said):
    """While something may still arrive, who is out of it is let go; after that nobody is told but of the end."""

    def make(t):
        return [
            forecast("1", NOON_S + t, NOON_S + 240.0, 48.4, area_km2=20.0),
            forecast("2", NOON_S + t, NOON_S + 240.0 + later_s, 48.7, area_km2=20.0, parent="1"),
        ]

    _, messages = replay(every_second(230, make), gazetteer)
    check_chains(messages)
    after = [message for message in messages if message.sent_s > NOON_S + 260.0]
    assert kinds(after) == [*[("Update", "take-cover")] * said, ("Update", "all-clear")]
    # 12 s and a minute after the last impact
    assert after[-1].sent_s == pytest.approx(NOON_S + 240.0 + later_s + 72.0)


def test_far_apart_and_unrelated_are_two_incidents(gazetteer):
    def make(t):
        return [
            forecast("1", NOON_S + t, area_km2=20.0),
            forecast("2", NOON_S + t, lat_deg=52.0, lon_deg=5.0, area_km2=20.0),
        ]

    _, messages = replay(every_second(30, make), gazetteer)
    check_chains(messages)
    assert len({message.incident for message in messages}) == 2
    assert sum(message.kind == "Alert" for message in messages) == 2
    assert sum(message.stage == "all-clear" for message in messages) == 2


def test_incidents_that_turn_out_to_adjoin_merge(gazetteer):
    """Two salvos whose areas drift together: one chain goes on, and refers to both."""

    def make(t):
        return [
            forecast("1", NOON_S + t, area_km2=50.0),
            forecast("2", NOON_S + t, lat_deg=max(48.45, 49.2 - 0.02 * t), area_km2=50.0),
        ]

    _, messages = replay(every_second(200, make), gazetteer)
    check_chains(messages)
    merged = next(message for message in messages if message.merged)
    assert {identifier.rsplit("-", 1)[0] for identifier, _ in merged.references} == {
        f"tocsin-{name}" for name in (merged.incident, *merged.merged)
    }
    assert sum(message.stage == "all-clear" for message in messages) == 1


def test_what_comes_much_later_has_a_chain_of_its_own_and_one_all_clear(gazetteer):
    """Light debris falls eight minutes after the body: another alert, but no all-clear in between."""

    def make(t):
        return [
            forecast("1", NOON_S + t, IMPACT_S, area_km2=20.0),
            forecast("2", NOON_S + t, IMPACT_S + 480.0, area_km2=600.0, parent="1"),
        ]

    _, messages = replay(every_second(100, make), gazetteer)
    check_chains(messages)
    assert len({message.incident for message in messages}) == 1
    assert sum(message.kind == "Alert" for message in messages) == 2
    assert [message.sent_s for message in messages if message.stage == "all-clear"] == [
        IMPACT_S + 480.0 + 72.0
    ]
    small = [message for message in in_force(messages, IMPACT_S) if message.footprints[0].tracks == ("1",)]
    assert len(small) == 1
    for t in np.arange(messages[0].sent_s, IMPACT_S + 530.0, 5.0):
        assert covered(messages, t, 48.45, 35.05)


def test_a_body_that_turns_out_to_be_late_parts_without_a_break(gazetteer):
    def make(t):
        return [
            forecast("1", NOON_S + t, IMPACT_S, area_km2=20.0),
            forecast("2", NOON_S + t, IMPACT_S + max(0.0, 5.0 * (t - 60)), 48.7, area_km2=50.0, parent="1"),
        ]

    _, messages = replay(every_second(200, make), gazetteer)
    check_chains(messages)
    assert sum(message.kind == "Alert" for message in messages) == 2
    for t in np.arange(messages[0].sent_s, IMPACT_S, 1.0):
        assert covered(messages, t, 48.45, 35.05)
        assert covered(messages, t, 48.7, 35.05)


def test_pieces_that_come_down_for_minutes_are_told_of_by_the_time_at_which_they_do(gazetteer):
    """Thirty pieces in ten minutes: who is told what is due in a minute is not told of what is due in six."""
    due_s = [IMPACT_S + 20.0 * n for n in range(30)]

    def make(t):
        return [
            forecast(
                f"{n:02d}", NOON_S + t, due_s[n], 48.0, 30.0 + 0.15 * n, parent="launcher",
                area_km2=max(2.0, 400.0 * 0.5 ** (t / 100.0)), impact_time_sigma_s=2.0,
            )
            for n in range(30)
            if t < due_s[n] - NOON_S
        ]  # fmt: skip

    _, messages = replay(every_second(1300, make)[::5], gazetteer)
    check_chains(messages)
    assert len({message.incident for message in messages}) == 1
    assert sum(message.kind == "Alert" for message in messages) >= 4
    assert [message.stage for message in messages].count("all-clear") == 1
    for n in range(30):
        place = shapely.Point(30.0 + 0.15 * n, 48.0)
        for t in np.arange(messages[0].sent_s + 60.0, due_s[n], 20.0):
            assert covered(messages, t, 48.0, 30.0 + 0.15 * n)
        sharpest = min(
            (
                message
                for message in in_force(messages, due_s[n] - 60.0)
                if any(one.polygon.covers(place) for one in message.footprints)
            ),
            key=lambda message: message.area_km2,
        )
        told_of = [int(track) for one in sharpest.footprints for track in one.tracks]
        assert max(abs(due_s[k] - due_s[n]) for k in told_of) <= 1.5 * Settings().wave_s


def test_nobody_is_told_to_leave_cover_whom_another_alert_has_in_it(gazetteer):
    """Two alerts about two times and the same place: the first gets smaller, the second does not."""

    def made(later_deg):
        def make(t):
            first_km2 = 400.0 if t < 100 else 20.0
            return [
                forecast("1", NOON_S + t, IMPACT_S, area_km2=first_km2),
                forecast("2", NOON_S + t, IMPACT_S + 400.0, 48.45 + later_deg, area_km2=900.0, parent="1"),
            ]

        _, messages = replay(every_second(250, make), gazetteer)
        check_chains(messages)
        return [
            message.texts[0].instruction
            for message in messages
            if message.kind == "Update" and message.stage == "take-cover" and message.sent_s < IMPACT_S
        ]

    assert any("leave cover" in told for told in made(2.0))  # nobody else is in cover there
    assert made(0.0)
    assert not any("leave cover" in told for told in made(0.0))


def test_a_body_whose_time_wavers_stays_in_its_alert(gazetteer):
    """Two that are minutes apart, and one that may be with either: it stays in the alert of one of them."""
    rng = np.random.default_rng(2)

    def make(t):
        wavers_s = IMPACT_S + 80.0 + 8.0 * rng.standard_normal()
        return [
            forecast("1", NOON_S + t, IMPACT_S, area_km2=20.0),
            forecast("2", NOON_S + t, IMPACT_S + 200.0, 48.7, area_km2=20.0, parent="1"),
            forecast("3", NOON_S + t, wavers_s, 48.9, area_km2=20.0, parent="1"),
        ]

    state = start()
    seen = set()
    for now_s, forecasts in every_second(300, make):
        state, _ = step(state, now_s, forecasts, {"1", "2", "3"}, gazetteer)
        seen.add(tuple(state.bodies[track].chain for track in "123"))
    told = {chains for chains in seen if all(chains)}
    assert len(told) == 1
    ((first, second, third),) = told
    assert first != second
    assert third in (first, second)


def test_track_found_again_under_another_name_takes_over(gazetteer):
    """What is held for the lost track goes once its heir is alerted; a second body's would stay."""

    def make(t):
        if t < 30:
            return [forecast("1", NOON_S + t, area_km2=600.0)]
        return [forecast("2", NOON_S + t, area_km2=10.0)] if t >= 40 else []

    _, messages = replay(every_second(120, make), gazetteer)
    check_chains(messages)
    last = messages[-2]
    assert last.footprints[0].tracks == ("2",)
    assert last.footprints[0].polygon.area < 0.1 * messages[0].footprints[0].polygon.area
    assert len({message.incident for message in messages}) == 1


def test_antimeridian(gazetteer):
    batches = every_second(100, shrinking(lat_deg=-17.0, lon_deg=179.98, start_km2=400.0))
    _, messages = replay(batches, gazetteer)
    check_chains(messages)
    assert len(messages[0].footprints) == 2
    for lon_deg in (179.97, -179.97):
        assert covered(messages, NOON_S + 60.0, -17.0, lon_deg)


@pytest.mark.parametrize("lat", [89.99, -89.97, 85.0])
def test_polar(gazetteer, lat):
    _, messages = replay(
        every_second(100, shrinking(lat_deg=lat, lon_deg=-120.0, start_km2=400.0)), gazetteer
    )
    check_chains(messages)
    for lon_deg in (-120.0, -119.9) if abs(lat) < 89.0 else (-179.0, -120.0, 3.0, 77.0, 150.0):
        assert covered(messages, NOON_S + 60.0, math.copysign(min(abs(lat), 89.99), lat), lon_deg)


def test_forty_eight_pieces(gazetteer):
    """A launch that breaks up: one incident, bounded messages, each below 32 kB, each impact held."""
    rng = np.random.default_rng(8)
    east_deg = np.sort(rng.uniform(0.0, 3.0, 48))
    north_deg = 48.0 + 0.1 * rng.standard_normal(48)
    impact_s = NOON_S + 300.0 + 60.0 * east_deg
    # errors that shrink as the areas do
    error = rng.standard_normal((48, 2))
    took_s, largest_s = [], 0.0

    def make(t):
        return [
            forecast(
                f"{n:02d}",
                NOON_S + t,
                impact_s[n],
                north_deg[n] + 0.02 * error[n, 0] * 0.5 ** (t / 100.0),
                30.0 + east_deg[n] + 0.03 * error[n, 1] * 0.5 ** (t / 100.0),
                max(0.3, (300.0 + 10.0 * n) * 0.5 ** (t / 50.0)),
                parent="launcher",
            )
            for n in range(48)
            if t < 200
        ]

    state, messages = start(), []
    for now_s, forecasts in every_second(201, make)[::4]:
        began = time.perf_counter()
        state, new = step(state, now_s, forecasts, {one.track for one in forecasts}, gazetteer)
        took_s.append(time.perf_counter() - began)
        messages += new.messages
    while (due_s := next_deadline(state)) is not None:
        state, new = step(state, due_s, (), (), gazetteer)
        messages += new.messages
    check_chains(messages)
    largest_s = max(took_s)
    assert len({message.incident for message in messages}) == 1
    assert len(messages) <= 100
    assert max(len(cap_xml(message)) for message in messages) < 32_000
    for n in range(48):
        assert covered(messages, impact_s[n], north_deg[n], 30.0 + east_deg[n])
    assert largest_s < 5.0  # generous: a machine under load; docs/warnings.md says what it takes


def test_many_scattered_pieces_still_fit_into_a_message(gazetteer):
    def make(t):
        return [
            forecast(
                f"{n:03d}",
                NOON_S + t,
                lat_deg=48.0 + 0.12 * (n % 20),
                lon_deg=30.0 + 0.2 * (n // 20),
                area_km2=2.0,
                parent="p",
            )
            for n in range(200)
        ]

    _, messages = replay(every_second(4, make), gazetteer)
    check_chains(messages)
    assert max(len(cap_xml(message)) for message in messages) < 32_000
    for n in range(200):
        assert covered(messages, NOON_S + 60.0, 48.0 + 0.12 * (n % 20), 30.0 + 0.2 * (n // 20))


def test_time_never_runs_backwards(gazetteer):
    state = start()
    sent = []
    for t in (0, 1, 2, 1, 3, 40, 20, 60):
        state, new = step(
            state, NOON_S + t, [forecast("1", NOON_S + t, area_km2=20.0 + t * 20)], {"1"}, gazetteer
        )
        sent += [message.sent_s for message in new.messages]
    assert sent == sorted(sent)


def test_nothing_at_all(gazetteer):
    state, said = step(start(), NOON_S, (), (), gazetteer)
    assert said == ((), ())
    assert next_deadline(state) is None


@pytest.mark.parametrize("status", ["Actual", "System", "exercise", ""])
def test_live_warnings_are_refused_without_authority(status):
    with pytest.raises(SettingsError, match=r"no authority|there are Exercise, Test and Actual"):
        start(Settings(status=status))


def test_an_authority_sends_either_real_warnings_or_drills():
    live = Authority("duty@centre.gov", "Centre", "https://centre.gov", "112", live=True)
    assert start(Settings(status="Actual"), live).settings.status == "Actual"
    assert start(Settings(status="Test"), live).settings.status == "Test"
    assert start(Settings(), live._replace(live=False)).settings.status == "Exercise"
    with pytest.raises(SettingsError, match="a drill needs a sender of its own"):
        start(Settings(), live)


def test_unknown_language_is_refused():
    with pytest.raises(SettingsError, match="texts in ar, de, en, fr, pl, uk"):
        start(Settings(languages=("en", "xx")))


@pytest.mark.parametrize(("lat", "lon"), [(-17.0, 100.0), (-48.0, -144.5), (-48.45, -144.95)])
def test_a_forecast_that_leaps_half_round_the_earth_is_warned_of_there(gazetteer, lat, lon):
    """Antipodes and all: no plane shows both places, and nothing is taken for held, or alerted, that is not."""
    batches = []
    for t in range(40):
        place = (48.45, 35.05) if t < 20 else (lat, lon)
        batches.append((NOON_S + t, [forecast("A", NOON_S + t, NOON_S + 400.0, *place, area_km2=100.0)]))
    messages = replay(batches, gazetteer)[1]
    first = next(message for message in messages if message.sent_s >= NOON_S + 20.0)
    assert first.kind == "Update"
    assert first.sent_s == NOON_S + 20.0
    (footprint,) = first.footprints
    centre = footprint.polygon.centroid
    assert (centre.y, centre.x) == pytest.approx((lat, lon), abs=0.1)  # degrees; the area is 10 km wide
