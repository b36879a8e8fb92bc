"""The policy under forecasts that make little sense: nothing breaks, nothing is dropped, all ends."""

from __future__ import annotations

import itertools
import math

import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.warning.synthetic import NOON_S, forecast, start
from tests.warning.test_policy import check_chains
from tocsin.formats.cap import cap_xml, read_cap
from tocsin.formats.cap_rules import check_cap
from tocsin.warning.bodies import ALERTED
from tocsin.warning.chains import change, endangering
from tocsin.warning.plane import to_lonlat
from tocsin.warning.policy import next_deadline, step

PLACES = ((48.45, 35.05), (48.6, 35.3), (-17.0, 179.99), (89.98, 10.0))


@st.composite
def batches(draw):
    """A minute or two of forecasts of five tracks that come, go, jump, change their minds and their times."""
    out = []
    t = 0.0
    for _ in range(draw(st.integers(5, 40))):
        t += draw(st.floats(0.01, 8.0))
        forecasts = []
        for track in draw(st.lists(st.sampled_from("ABCDE"), max_size=5, unique=True)):
            lat, lon = PLACES[
                draw(st.integers(0, 3)) if draw(st.integers(0, 9)) == 0 else "ABCDE".index(track) % 4
            ]
            down = draw(st.integers(0, 7)) > 0
            forecasts.append(
                forecast(
                    track,
                    NOON_S + t,
                    NOON_S + draw(st.floats(-20.0, 500.0)),
                    lat + draw(st.floats(0.0, 0.05)) * (1 if lat < 89 else 0),
                    lon,
                    draw(st.floats(0.01, 3000.0)) if down else math.nan,
                    ratio=draw(st.floats(1.0, 30.0)),
                    existence=draw(st.sampled_from([0.99, 0.99, 0.99, 0.96, 0.9, 0.3])),
                    parent=draw(st.sampled_from([None, None, "A", "B", "Z"])),
                    impact_time_sigma_s=draw(st.floats(0.1, 60.0)),
                )
            )
        live = set(draw(st.lists(st.sampled_from("ABCDE"), max_size=5, unique=True)))
        out.append((NOON_S + t, forecasts, live | {one.track for one in forecasts}))
    return out


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches())
def test_whatever_comes(gazetteer, sequence):
    state, messages, at_s = start(), [], []

    def advance(now_s, forecasts, live):
        nonlocal state
        state, new = step(state, now_s, forecasts, live, gazetteer)
        messages.extend(new.messages)
        at_s.append(now_s)
        for chain in state.chains.values():
            # in force never lapses while danger lasts, but for the two seconds that an urgent Update may wait
            alerted = [
                body for body in state.bodies.values() if body.chain == chain.name and body.stage == ALERTED
            ]
            assert alerted
            assert chain.expires_s > now_s or chain.due_s <= now_s + 2.0
            if change(chain, endangering(chain, state.bodies), now_s, state.settings) is None:
                held = shapely.union_all([one.polygon for one in chain.footprints]).buffer(2e-4)
                for body in alerted:
                    parts = to_lonlat(body.plane, body.recent[-1].area.convex_hull, decimals=6)
                    area = shapely.MultiPolygon(parts)  # of the whole, also where the antimeridian cuts it
                    outside = sum(part.difference(held).area for part in parts)
                    assert outside <= 0.03 * area.area or area.bounds[3] > 89.0

    for now_s, forecasts, live in sequence:
        while (due_s := next_deadline(state)) is not None and due_s < now_s:
            advance(due_s, (), live)
        advance(now_s, forecasts, live)
    steps = 0
    while (due_s := next_deadline(state)) is not None:
        advance(due_s, (), ())
        steps += 1
        assert steps < 200
    assert not state.chains
    check_chains(messages)
    assert all(before <= after for before, after in itertools.pairwise(at_s))
    earlier = []
    for message in messages:
        data = cap_xml(message)
        assert check_cap(data, earlier) == []
        earlier.append(read_cap(data))
    ended = [message for message in messages if message.stage != "take-cover"]
    assert bool(ended) == bool(messages)
