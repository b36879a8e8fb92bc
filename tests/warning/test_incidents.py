"""Incidents: watch, prepare, take cover, all clear, withdrawn; and the failures of others, by name."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import shapely

from tests.warning.synthetic import NOON_S, covered, forecast, in_force, start
from tests.warning.test_policy import check_chains, every_second, shrinking
from tocsin.formats.cap import cap_xml
from tocsin.formats.cap_rules import check_cap
from tocsin.warning.alert import Change, Merged, Message
from tocsin.warning.hearing import hear_all
from tocsin.warning.incidents import FOLLOWS
from tocsin.warning.policy import next_deadline, step
from tocsin.warning.settings import Settings
from tocsin.warning.zones import make_zones

NAN = math.nan


def log_of(batches, gazetteer, settings=None, live=None):
    """All that happens: forecasts in batches, then the wait until nothing is open."""
    state, log = start(settings or Settings()), []

    def go(at_s, forecasts, alive):
        nonlocal state
        state, said = step(state, at_s, forecasts, alive, gazetteer)
        log.extend((*said.changes, *said.messages))

    for at_s, forecasts in batches:
        while (due_s := next_deadline(state)) is not None and due_s < at_s:
            go(due_s, (), ())
        go(at_s, forecasts, {one.track for one in forecasts} if live is None else live(at_s))
    while (due_s := next_deadline(state)) is not None:
        go(due_s, (), ())
    assert not state.chains
    assert not state.incidents
    return log


def messages_of(log):
    return [one for one in log if isinstance(one, Message)]


def stages(log):
    changes = [one for one in log if isinstance(one, Change)]
    gone = {one.incident for one in log if isinstance(one, Merged)}
    by_incident = {}
    for one in changes:
        assert one.before == by_incident.get(one.incident, [""])[-1]
        assert one.after in FOLLOWS[one.before]
        by_incident.setdefault(one.incident, []).append(one.after)
    for incident, names in by_incident.items():
        assert names[-1] in ("all-clear", "withdrawn") or incident in gone
    return list(by_incident.values())


def falling(t, sizes, **other):
    """A forecast whose 99 % area shrinks through the sizes, one a minute."""
    return [forecast("1", NOON_S + t, area_km2=sizes[min(t // 60, len(sizes) - 1)], **other)]


def test_from_suspicion_to_all_clear(gazetteer):
    sizes = (1e6, 1e4, 300.0)
    log = log_of(every_second(590, lambda t: falling(t, sizes)), gazetteer)
    assert stages(log) == [["watch", "prepare", "take-cover", "all-clear"]]
    watch, prepare, cover, clear = (one for one in log if isinstance(one, Change))
    assert watch.at_s == NOON_S + 0.2
    assert prepare.at_s == NOON_S + 60.2
    # 99 % area of 10,000 km2: 2 pi sigma^2 is a 4.605th of it, and the greatest density its inverse
    assert prepare.peak_per_km2 == pytest.approx(0.99 * 4.605 / 1e4, rel=0.01)
    assert cover.at_s == NOON_S + 120.2
    assert cover.held > 0.95
    assert cover.time_left_s == pytest.approx(480.0, abs=1.0)
    assert cover.plots == 20
    assert "C/L 0.00025" in cover.reason
    assert clear.time_left_s is None
    # people hear of it from take cover on
    assert messages_of(log)[0].stage == "take-cover"
    check_chains(messages_of(log))


def test_something_under_thrust_is_watched_and_one_that_stays_up_is_withdrawn(gazetteer):
    def make(t):
        if t < 60:
            return [forecast("1", NOON_S + t, area_km2=NAN, phase="boost")]
        return [forecast("1", NOON_S + t, area_km2=NAN, stays_up=True)]

    log = log_of(every_second(120, make), gazetteer)
    assert stages(log) == [["watch", "withdrawn"]]
    assert not messages_of(log)
    assert "under thrust" in log[0].reason
    assert log[1].at_s == pytest.approx(NOON_S + 70.2, abs=1.1)  # denied for 10 s


def test_something_lost_under_thrust_is_watched_until_it_must_have_come_down(gazetteer):
    make = every_second(30, lambda t: [forecast("1", NOON_S + t, area_km2=NAN, phase="boost")])
    log = log_of(make, gazetteer)
    assert stages(log) == [["watch", "withdrawn"]]
    assert log[1].at_s == pytest.approx(NOON_S + 29.0 + 1800.0, abs=1.1)
    # seen again minutes later, it is the same incident
    again = [(NOON_S + 400.2 + t, falling(400 + t, (300.0,))) for t in range(10)]
    log = log_of([*make, *again], gazetteer)
    assert stages(log) == [["watch", "take-cover", "all-clear"]]


def test_waiting_ends_at_the_time_to_shelter(gazetteer):
    """An area too vague to hide from goes out when no more than the time to shelter is left."""
    log = log_of(every_second(600, lambda t: falling(t, (3000.0,))), gazetteer)
    first = messages_of(log)[0]
    # the first credible arrival is three sigmas of 4 s before 600 s
    assert first.sent_s == pytest.approx(NOON_S + 588.0 - 90.0, abs=1.1)
    assert first.stage == "take-cover"
    longer = log_of(every_second(600, lambda t: falling(t, (3000.0,))), gazetteer, Settings(shelter_s=300.0))
    assert messages_of(longer)[0].sent_s == pytest.approx(NOON_S + 288.0, abs=1.1)


def test_waiting_ends_at_the_time_to_shelter_even_if_the_track_is_lost(gazetteer):
    log = log_of(every_second(60, lambda t: falling(t, (3000.0,))), gazetteer)
    assert stages(log) == [["watch", "prepare", "take-cover", "all-clear"]]
    assert messages_of(log)[0].sent_s == pytest.approx(NOON_S + 498.0, abs=1.1)


def test_nothing_takes_cover_hours_ahead(gazetteer):
    log = log_of(
        every_second(600, lambda t: [forecast("1", NOON_S + t, NOON_S + 3900.0, area_km2=50.0)]), gazetteer
    )
    assert messages_of(log)[0].sent_s == pytest.approx(NOON_S + 288.0, abs=1.1)


@pytest.mark.parametrize("value", [1e-5, 1e-3])
def test_c_over_l_says_who_is_told(gazetteer, value):
    log = log_of(
        every_second(30, lambda t: falling(t, (100.0,))),
        gazetteer,
        Settings(cost_loss_per_km2=value, margin_m=0.0),
    )
    (first, *_) = messages_of(log)
    # a normal distribution: s ln(p0 / level), with s = 2 pi sigma^2 a 4.605th of its 99 % area, and p0 = 1 / s
    spread = 100.0 / 4.605
    assert first.area_km2 == pytest.approx(spread * math.log(0.99 / spread / value), rel=0.04)
    assert first.probability == pytest.approx(0.99 - value * spread, abs=0.01)


def test_nobody_takes_cover_from_a_light_piece(gazetteer):
    def make(light):
        return lambda t: [forecast("1", NOON_S + t, area_km2=400.0, light=light)]

    assert messages_of(log_of(every_second(30, make(False)), gazetteer))
    log = log_of(every_second(30, make(True)), gazetteer)
    assert stages(log) == [["watch", "all-clear"]]
    assert not messages_of(log)


def test_a_light_piece_counts_for_less_where_the_settings_say_so(gazetteer):
    def make(t):
        return [forecast("1", NOON_S + t, area_km2=400.0, light=True)]

    # its places above C/L hold 91 %: it waits for the time to shelter, here none
    log = log_of(every_second(30, make), gazetteer, Settings(light_loss=0.1, shelter_s=0.0))
    assert stages(log) == [["watch", "prepare", "take-cover", "all-clear"]]
    assert messages_of(log)[0].sent_s == pytest.approx(NOON_S + 588.0, abs=0.5)


def test_what_turns_out_to_be_light_is_let_go_after_agreement(gazetteer):
    """It falls on for twenty minutes; nobody must stay in a cellar for it, nor is told that nothing falls."""

    def make(t):
        if t < 100:
            return [forecast("1", NOON_S + t, area_km2=100.0)]
        return [forecast("1", NOON_S + t, NOON_S + 1800.0, lat_deg=48.7, area_km2=2000.0, light=True)]

    log = log_of(every_second(200, make), gazetteer)
    assert stages(log) == [["watch", "take-cover", "watch", "all-clear"]]
    assert "1 light piece coming down" in [one for one in log if isinstance(one, Change)][2].reason
    alert, end = messages_of(log)
    check_chains([alert, end])
    assert (end.kind, end.stage) == ("Cancel", "withdrawn")
    assert NOON_S + 110.0 <= end.sent_s <= NOON_S + 111.0
    assert end.expires_s == NOON_S + 1812.0
    assert (
        end.texts[0].headline
        == "EXERCISE. Main danger over: Dnipro area. Light pieces may still fall until 08:31 UTC."
    )
    assert "nothing" not in end.texts[0].description.lower()
    assert "but light pieces" in end.reason


def test_the_all_clear_of_the_dense_tells_of_the_light(gazetteer):
    def make(t):
        dense = [forecast("1", NOON_S + t, area_km2=100.0)] if t < 580 else []
        return [*dense, forecast("2", NOON_S + t, NOON_S + 900.0, area_km2=900.0, light=True, parent="1")]

    log = log_of(every_second(700, make), gazetteer)
    assert stages(log) == [["watch", "take-cover", "watch", "all-clear"]]
    end = messages_of(log)[-1]
    assert (end.kind, end.stage, end.sent_s) == ("Update", "all-clear", NOON_S + 672.0)
    assert "Light pieces may still fall until 08:16 UTC" in end.texts[0].headline


def test_one_forecast_that_calls_it_light_changes_nothing_and_dense_again_is_alerted_again(gazetteer):
    def make(t):
        return [forecast("1", NOON_S + t, area_km2=100.0, light=t == 50 or 100 <= t < 200)]

    log = log_of(every_second(590, make), gazetteer)
    assert stages(log) == [["watch", "take-cover", "watch", "take-cover", "all-clear"]]
    moments = [round(message.sent_s - NOON_S) for message in messages_of(log)]
    assert moments == [2, 110, 202, 672]
    messages = messages_of(log)
    for t in (*range(3, 110), *range(203, 600)):
        assert covered(messages, NOON_S + t, 48.45, 35.05)


def test_the_last_forecasts_of_a_track_that_ends_stand_alone(gazetteer):
    """A fireball goes dark after eight seconds, known best at the end, which is told twenty seconds later."""

    def make(t):
        sure = {"area_km2": 800.0 / 1.5**t, "latest_s": NOON_S + 900.0 - 35.0 * t}
        return [forecast("1", NOON_S + t, **sure)] if t <= 8 else []

    log = log_of(every_second(9, make), gazetteer)
    messages = messages_of(log)
    check_chains(messages)
    # the last but one says 690 s
    assert [round(message.sent_s - NOON_S) for message in messages] == [2, 28, 750]
    assert messages[1].texts[0].headline.startswith("EXERCISE. Smaller area")
    assert messages[1].area_km2 < 0.6 * messages[0].area_km2
    for t in range(3, 750):
        assert covered(messages, NOON_S + t, 48.45, 35.05)


def test_a_silent_body_that_is_due_leaves_no_deadline_in_the_past(gazetteer):
    """Told of long after its last forecast: by then its last forecasts stand alone already."""
    state = start()
    for t in (0.0, 2.0, 4.0):
        one = forecast("1", NOON_S + t, NOON_S + 160.0, area_km2=3000.0)
        state, _ = step(state, NOON_S + t, [one], {"1"}, gazetteer)
    due_s = next_deadline(state)
    state, said = step(state, due_s, [], set(), gazetteer)
    assert [one.stage for one in said.messages] == ["take-cover"]
    assert due_s > NOON_S + 4.0 + state.settings.silence_s
    assert next_deadline(state) > due_s


def test_some_of_it_is_over_others_are_still_watched(gazetteer):
    """Reassessed: nobody need hide any more, but the incident goes on."""

    def make(t):
        near = [forecast("1", NOON_S + t, NOON_S + 100.0, area_km2=20.0, parent="p")] if t < 100 else []
        return [*near, forecast("2", NOON_S + t, NOON_S + 900.0, area_km2=1e6, parent="p")]

    log = log_of(every_second(890, make), gazetteer)
    assert stages(log) == [["watch", "take-cover", "watch", "all-clear"]]
    assert messages_of(log)[-1].stage == "all-clear"
    back = [one for one in log if isinstance(one, Change)][2]
    assert back.reason.startswith("nothing left to take cover from; 1 track coming down")


# --- failures of others, replayed ---


def test_a_track_lost_just_after_detection(gazetteer):
    """Japan 2023: what was told stays in force until its time, and ends as over, not as a correction."""
    log = log_of(every_second(4, lambda t: falling(t, (300.0,))), gazetteer)
    messages = messages_of(log)
    check_chains(messages)
    assert stages(log) == [["watch", "take-cover", "all-clear"]]
    assert [message.stage for message in messages] == ["take-cover", "all-clear"]
    for t in range(5, 660, 5):
        assert covered(messages, NOON_S + t, 48.45, 35.05)


def test_a_false_trigger_withdrawn_within_a_minute(gazetteer):
    """A glitch cleared after seconds: told that it was no threat, not that it is over."""

    def make(t):
        return falling(t, (50.0,)) if t < 10 else [forecast("1", NOON_S + t, area_km2=NAN)]

    log = log_of(every_second(60, make), gazetteer)
    messages = messages_of(log)
    assert stages(log) == [["watch", "take-cover", "withdrawn"]]
    assert [(message.kind, message.stage) for message in messages] == [
        ("Alert", "take-cover"),
        ("Cancel", "withdrawn"),
    ]
    assert messages[-1].sent_s - messages[0].sent_s < 60.0
    assert not in_force(messages, messages[-1].sent_s)


def test_the_all_clear_for_one_place_while_another_is_under_threat(gazetteer):
    """Two towns, one launch: the first's all-clear comes by an Update that keeps the second in force."""

    def make(t):
        near = [forecast("1", NOON_S + t, NOON_S + 300.0, area_km2=20.0, parent="p")] if t < 300 else []
        return [*near, forecast("2", NOON_S + t, NOON_S + 420.0, lat_deg=50.4, area_km2=20.0, parent="p")]

    messages = messages_of(log_of(every_second(420, make), gazetteer))
    check_chains(messages)
    at_s = NOON_S + 400.0
    assert not covered(messages, at_s, 48.45, 35.05)
    assert covered(messages, at_s, 50.4, 35.05)
    assert [message.stage for message in messages].count("all-clear") == 1
    assert messages[-1].stage == "all-clear"
    assert messages[-1].sent_s > NOON_S + 480.0


def test_an_update_must_not_sound_the_siren_again(gazetteer):
    """A place enters take cover once, however often messages sharpen the area round it."""
    messages = messages_of(log_of(every_second(590, shrinking(half_s=40.0)), gazetteer))
    inside = [
        covered(messages, message.sent_s, 48.45, 35.05)
        for message in messages
        if message.stage == "take-cover"
    ]
    assert len(inside) > 5
    assert all(inside)
    for one, other in itertools.pairwise(messages):
        assert other.sent_s <= one.expires_s


def test_the_antimeridian(gazetteer):
    def make(t):
        return [forecast("1", NOON_S + t, lat_deg=-17.0, lon_deg=179.99, area_km2=300.0)]

    messages = messages_of(log_of(every_second(60, make), gazetteer))
    check_chains(messages)
    for lon_deg in (179.97, -179.97):
        assert covered(messages, NOON_S + 300.0, -17.0, lon_deg)
    assert len(messages[0].footprints) == 2


def test_the_time_to_shelter_is_that_of_the_zone(gazetteer):
    """The longest of the zones in which it may come down."""
    boxes = [
        shapely.box(34.0, 48.0, 35.06, 49.0),
        shapely.box(35.06, 48.0, 36.0, 49.0),
        shapely.box(0, 0, 1, 1),
    ]
    zones = make_zones(
        "1", "zone", ("A", "B", "C"), ((), (), ()), boxes, {}, np.array([200.0, 300.0, 3000.0])
    )  # fmt: skip
    log = log_of(every_second(600, lambda t: falling(t, (3000.0,))), gazetteer._replace(zones=zones))
    assert messages_of(log)[0].sent_s == pytest.approx(NOON_S + 288.0, abs=1.1)


@pytest.mark.parametrize("sizes", [(1e4, 300.0), (1e4, 1e4)])
def test_people_are_told_to_prepare_where_that_is_wanted(gazetteer, sizes):
    """By messages of their own, which go on as take cover, and end as over where nothing came of it."""
    settings = Settings(prepare_public=True, shelter_s=0.0)
    log = log_of(every_second(120, lambda t: falling(t, sizes)), gazetteer, settings)
    messages = messages_of(log)
    check_chains(messages)
    for message in messages:
        assert check_cap(cap_xml(message), None) == []
    assert (messages[0].kind, messages[0].stage) == ("Alert", "prepare")
    assert (
        "prepare" in messages[0].texts[0].headline.lower() or "ready" in messages[0].texts[0].headline.lower()
    )
    told = [message.stage for message in messages]
    assert told[-1] == "all-clear"
    cover = [one for one in log if isinstance(one, Change) and one.after == "take-cover"]
    if sizes[-1] == 300.0:
        first = messages[told.index("take-cover")]
        assert (first.kind, first.sent_s) == ("Update", NOON_S + 60.2)
        assert messages[0].identifier in {name for name, _ in first.references}
        assert cover[0].at_s == NOON_S + 60.2
    else:  # lost while vague: take cover at the last moment
        assert cover[0].at_s == pytest.approx(NOON_S + 588.0, abs=0.5)


def test_one_is_to_be_prepared_for_while_another_is_over(gazetteer):
    settings = Settings(prepare_public=True)

    def make(t):
        near = [forecast("1", NOON_S + t, NOON_S + 100.0, area_km2=20.0, parent="p")] if t < 100 else []
        return [*near, forecast("2", NOON_S + t, NOON_S + 900.0, lat_deg=50.4, area_km2=1e4, parent="p")]

    log = log_of(every_second(400, make), gazetteer, settings)
    messages = messages_of(log)
    check_chains(messages)
    clear = next(message for message in messages if message.stage == "all-clear")
    # the town that is over is told so, and the other is told to prepare all the time
    assert clear.sent_s < NOON_S + 200.0
    standing = [one for one in messages if one.stage == "prepare" and one.sent_s < clear.sent_s]
    assert all(identifier not in {one.identifier for one in standing} for identifier, _ in clear.references)
    assert messages[-1].stage == "all-clear"
    assert messages[-1].sent_s > NOON_S + 900.0


def test_a_zone_hears_to_be_ready_without_a_siren_and_of_the_alert_with_one(gazetteer):
    box = shapely.Polygon([(34.9, 48.3), (35.2, 48.3), (35.2, 48.6), (34.9, 48.6)])
    zones = make_zones("1", "zone", ("town",), ((),), [box], {}, np.array([0.0]))
    settings = Settings(prepare_public=True, shelter_s=0.0)

    def make(t):
        one = forecast("1", NOON_S + t, NOON_S + 600.0, area_km2=1e4 if t < 60 else 300.0, parent="p")
        return [one, forecast("2", NOON_S + t, NOON_S + 620.0, area_km2=1e4, parent="p")]

    log = log_of(every_second(120, make), gazetteer._replace(zones=zones), settings)
    told = [one for one in hear_all(messages_of(log)) if one.what != "update"]
    assert [(one.what, one.siren) for one in told] == [
        ("prepare", False),
        ("take-cover", True),
        ("all-clear", False),
    ]


def test_nobody_in_cover_is_told_to_be_ready(gazetteer):
    """A second body over the same town is the operators' alone until it is to be taken cover from."""
    settings = Settings(prepare_public=True, shelter_s=0.0)

    def make(t):
        sure = forecast("1", NOON_S + t, NOON_S + 600.0, area_km2=20.0, parent="p")
        vague = forecast(
            "2", NOON_S + t, NOON_S + 620.0, lat_deg=48.6, area_km2=1e4 if t < 60 else 20.0, parent="p"
        )
        return [sure, vague] if t >= 20 else [sure]

    log = log_of(every_second(120, make), gazetteer, settings)
    messages = messages_of(log)
    check_chains(messages)
    assert {one.stage for one in messages} == {"take-cover", "all-clear"}
    assert covered(messages, NOON_S + 90.0, 48.6, 35.05)


def test_who_was_to_be_ready_is_told_by_the_alert_that_overtakes_it(gazetteer):
    """No all-clear of the first message and no second one beside the alert: it ends in the alert's first Update."""
    settings = Settings(prepare_public=True, shelter_s=0.0)

    def make(t):
        vague = forecast("1", NOON_S + t, NOON_S + 600.0, area_km2=1e4, parent="p")
        sure = forecast("2", NOON_S + t, NOON_S + 620.0, lat_deg=48.6, area_km2=20.0, parent="p")
        return [vague, sure] if t >= 20 else [vague]

    messages = messages_of(log_of(every_second(60, make), gazetteer, settings))
    check_chains(messages)
    stages = [one.stage for one in messages]
    ready, cover = messages[0], messages[stages.index("take-cover")]
    assert (ready.stage, cover.kind) == ("prepare", "Update")
    assert ready.identifier in {name for name, _ in cover.references}
    assert "prepare" not in stages[stages.index("take-cover") :]
    assert stages.count("all-clear") == 1


def test_who_is_let_out_of_cover_is_told_to_be_ready_where_another_may_come(gazetteer):
    """The alert is withdrawn while a vaguer body is still due there: no word of an end, but to be ready."""
    settings = Settings(prepare_public=True, shelter_s=0.0)

    def make(t):
        sure = forecast("1", NOON_S + t, NOON_S + 600.0, area_km2=20.0 if t < 30 else NAN, parent="p")
        return [sure, forecast("2", NOON_S + t, NOON_S + 620.0, area_km2=1e4, parent="p")]

    messages = messages_of(log_of(every_second(90, make), gazetteer, settings))
    check_chains(messages)
    at_s = next(one.sent_s for one in messages if one.stage == "prepare" and one.sent_s > NOON_S + 30.0)
    assert NOON_S + 40.0 < at_s < NOON_S + 60.0
    assert not [one for one in messages if one.stage in ("all-clear", "withdrawn") and one.sent_s <= at_s]
    let_out = next(one for one in messages if one.sent_s == at_s)
    assert let_out.kind == "Update"
    # those in cover hear that they may leave it, and why they should stay near
    assert let_out.texts[0].headline.startswith("EXERCISE. You can leave cover: ")
    assert "Be ready: other objects may fall" in let_out.texts[0].headline


@pytest.mark.parametrize("prepare", [False, True])
def test_a_body_that_is_due_without_a_forecast_joins_what_is_in_force_at_once(gazetteer, prepare):
    """Vague and lost, it is to be taken cover from at the last moment: the alert nearby says so then."""
    settings = Settings(prepare_public=prepare)

    def make(t):
        one = forecast("1", NOON_S + t, NOON_S + 900.0, area_km2=20.0, parent="p")
        return [one, forecast("2", NOON_S + t, NOON_S + 850.0, lat_deg=48.6, area_km2=1e4, parent="p")]

    log = log_of(every_second(10, make), gazetteer, settings, live=lambda _: {"1", "2"})
    messages = messages_of(log)
    check_chains(messages)
    assert not covered(messages, NOON_S + 740.0, 48.7, 35.05)
    assert covered(messages, NOON_S + 750.0, 48.7, 35.05)


def test_a_track_told_of_again_leaves_the_others_of_its_first_chain_alone(gazetteer):
    """Two bodies share a chain; one is withdrawn and comes again, due much later: both are in force."""

    def make(t):
        one = forecast("1", NOON_S + t, area_km2=20.0) if t < 20 or t > 60 else None
        if 20 <= t <= 60:
            one = forecast("1", NOON_S + t, area_km2=NAN)
        elif t > 60:
            one = forecast("1", NOON_S + t, NOON_S + 1500.0, lat_deg=49.5, area_km2=20.0)
        return [one, forecast("2", NOON_S + t, NOON_S + 610.0, lat_deg=48.5, area_km2=20.0)]

    messages = messages_of(log_of(every_second(100, make), gazetteer))
    check_chains(messages)
    for t in range(70, 600, 10):
        assert covered(messages, NOON_S + t, 48.5, 35.05)
        assert covered(messages, NOON_S + t, 49.5, 35.05)
    assert covered(messages, NOON_S + 1490.0, 49.5, 35.05)
    assert not covered(messages, NOON_S + 700.0, 48.5, 35.05)  # ended when it was over, not by running out
