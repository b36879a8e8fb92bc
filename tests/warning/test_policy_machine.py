"""A model of what people were told, against any order of forecasts, losses, jumps of the clock and restarts."""

from __future__ import annotations

import math

import shapely
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.warning.synthetic import NOON_S, WORDS, forecast, start
from tocsin.formats.gazetteer import shipped_gazetteer
from tocsin.warning.alert import ENDS, Change, Merged, Message
from tocsin.warning.bodies import ALERTED
from tocsin.warning.incidents import FOLLOWS
from tocsin.warning.outline import parts_of
from tocsin.warning.plane import filled, to_lonlat
from tocsin.warning.policy import next_deadline, step
from tocsin.warning.resume import resumed
from tocsin.warning.settings import Settings

PLACES = {"A": (48.45, 35.05), "B": (48.6, 35.3), "C": (-17.0, 179.99), "D": (48.5, 35.1), "E": (89.98, 10.0)}
GAZETTEER = shipped_gazetteer()


class Receiver:
    """What a receiver of messages holds in force, by CAP's own rules alone."""

    def __init__(self):
        self.chain = {}  # identifier -> chain
        self.last = {}  # chain -> last message
        self.sent = {}  # identifier -> message

    def hear(self, message):
        assert message.identifier not in self.sent
        assert message.sent_s >= max((one.sent_s for one in self.sent.values()), default=-math.inf)
        assert (message.kind == "Alert") == (not message.references)
        chains = {self.chain[name] for name, _ in message.references}
        for name, sent_s in message.references:
            assert self.sent[name].sent_s == sent_s
        # all unexpired predecessors are referred to
        for chain in chains:
            for name, of in self.chain.items():
                if of == chain and self.sent[name].expires_s > message.sent_s:
                    assert name in dict(message.references)
        new = min(chains, default=message.identifier)
        for chain in chains:
            self.last.pop(chain, None)
        self.chain = {name: new if of in chains else of for name, of in self.chain.items()}
        self.chain[message.identifier] = new
        self.last[new] = message
        self.sent[message.identifier] = message
        assert all(one.polygon.is_valid and not one.polygon.interiors for one in message.footprints)
        assert message.footprints

    def open(self):
        return [one for one in self.last.values() if one.stage not in ENDS]


class Policy(RuleBasedStateMachine):
    """Forecasts of five tracks, losses, waits, jumps and restarts."""

    @initialize(prepare=st.booleans())
    def begin(self, prepare):
        self.settings = Settings(prepare_public=prepare)
        self.state = start(self.settings)
        self.now_s = NOON_S
        self.log = []
        self.receiver = Receiver()
        self.stage = {}
        self.live = set()

    def advance(self, at_s, forecasts):
        self.state, said = step(self.state, at_s, forecasts, set(self.live), GAZETTEER)
        for one in (*said.changes, *said.messages):
            self.log.append(one)
            if isinstance(one, Message):
                self.receiver.hear(one)
            elif isinstance(one, Merged):
                assert self.stage.pop(one.incident, None) not in ENDS
            elif isinstance(one, Change):
                assert one.after in FOLLOWS[one.before]
                assert self.stage.get(one.incident, "") == one.before
                assert one.reason
                self.stage[one.incident] = one.after
        self.nobody_is_called_out_of_cover(said.messages)

    def nobody_is_called_out_of_cover(self, sent):
        """Where people are in cover no message says to be ready or that all is over, but that of their own alert."""
        now_s = self.state.now_s
        cover = [
            (one.identifier, shapely.union_all([footprint.polygon for footprint in one.footprints]))
            for one in self.receiver.open()
            if one.stage == "take-cover" and one.expires_s > now_s
        ]
        waits = {
            chain.sent[-1].identifier
            for chain in self.state.chains.values()
            if chain.sent and chain.due_s < math.inf
        }
        ready = [
            one for one in self.receiver.open() if one.stage == "prepare" and one.identifier not in waits
        ]
        for one in (*ready, *(one for one in sent if one.stage in ENDS)):
            for footprint in one.footprints:
                for identifier, area in cover:
                    assert not footprint.polygon.intersects(area), (one.identifier, identifier)

    @rule(
        data=st.data(),
        wait_s=st.floats(0.01, 8.0),
        tracks=st.lists(st.sampled_from("ABCDE"), min_size=1, max_size=3, unique=True),
    )
    def see(self, data, wait_s, tracks):
        """Some tracks are forecast, three times in a row."""
        for _ in range(3):
            self.now_s += wait_s
            made = []
            for track in tracks:
                self.live.add(track)
                lat, lon = PLACES[track]
                down = data.draw(st.integers(0, 7)) > 0
                made.append(
                    forecast(
                        track,
                        self.now_s,
                        NOON_S + data.draw(st.floats(-20.0, 500.0)),
                        lat + (data.draw(st.floats(0.0, 0.05)) if lat < 89.0 else 0.0),
                        lon,
                        10.0 ** data.draw(st.floats(-1.0, 5.0)) if down else math.nan,
                        ratio=data.draw(st.sampled_from([1.0, 3.0, 30.0])),
                        existence=data.draw(st.sampled_from([0.99, 0.99, 0.99, 0.9, 0.3])),
                        parent=data.draw(st.sampled_from([None, None, "A", "Z"])),
                        phase=data.draw(st.sampled_from(["coast", "coast", "boost", "other"])),
                        light=data.draw(st.booleans()),
                    )
                )
            self.advance(self.now_s, made)

    @rule(
        track=st.sampled_from("ABD"),
        area_km2=st.sampled_from([20.0, 3000.0, 2e4]),
        due_s=st.sampled_from([200.0, 500.0, 900.0]),
        parent=st.sampled_from([None, "Z"]),
    )
    def follow(self, track, area_km2, due_s, parent):
        """One track is forecast well enough to take cover from, or to prepare for."""
        self.live.add(track)
        for _ in range(3):
            self.now_s += 1.0
            lat, lon = PLACES[track]
            one = forecast(track, self.now_s, NOON_S + due_s, lat, lon, area_km2, parent=parent)
            self.advance(self.now_s, [one])

    @rule(track=st.sampled_from("ABCDE"))
    def lose(self, track):
        self.live.discard(track)

    @rule(seconds=st.sampled_from([1.0, 30.0, 200.0]))
    def wait(self, seconds):
        """Time goes by; the policy is called when it asks for it."""
        self.now_s += seconds
        while (due_s := next_deadline(self.state)) is not None and due_s < self.now_s:
            self.advance(due_s, ())

    @rule(seconds=st.floats(-100.0, 400.0))
    def jump(self, seconds):
        """The clock jumps, and nobody was called in between."""
        self.now_s = max(self.now_s, self.state.now_s)
        self.advance(self.now_s + seconds, ())
        self.now_s = max(self.now_s, self.state.now_s)

    @rule(gap_s=st.sampled_from([0.0, 5.0, 300.0]))
    def restart(self, gap_s):
        """Nothing is left but the record."""
        before = {one.identifier for one in self.receiver.open()}
        self.now_s += gap_s
        self.live.clear()
        self.state = resumed(self.log, self.now_s, WORDS, self.settings)
        spoken = {sent.identifier for chain in self.state.chains.values() for sent in chain.sent}
        assert before <= spoken
        assert {name for name, stage in self.stage.items() if stage not in ENDS} == set(self.state.incidents)

    @invariant()
    def nothing_is_forgotten(self):
        """What is in force covers what each body threatens, but for an Update that is due within seconds."""
        open_chains = {one.identifier for one in self.receiver.open()}
        for chain in self.state.chains.values():
            alerted = [
                body
                for body in self.state.bodies.values()
                if body.chain == chain.name and body.stage == ALERTED and body.recent[-1].area is not None
            ]
            if not chain.sent:
                assert chain.due_s <= self.state.now_s + 2.0
                continue
            assert chain.sent[-1].identifier in open_chains
            if chain.due_s == math.inf:
                held = shapely.union_all([one.polygon for one in chain.footprints]).buffer(2e-4)
                for body in alerted:
                    areas = [filled(part) for part in parts_of(body.recent[-1].area)]
                    for part in (one for area in areas for one in to_lonlat(body.plane, area, decimals=6)):
                        outside = part.difference(held).area
                        assert outside <= 0.03 * part.area or part.bounds[3] > 89.0

    @invariant()
    def the_record_and_the_state_agree(self):
        assert {name: one.stage for name, one in self.state.incidents.items()} == {
            name: stage for name, stage in self.stage.items() if stage not in ENDS
        }
        spoken = {chain.sent[-1].identifier for chain in self.state.chains.values() if chain.sent}
        assert spoken == {one.identifier for one in self.receiver.open()}

    def teardown(self):
        """Whatever happened, all ends with a message that says so, also after a restart from any beginning of it."""
        if not hasattr(self, "log"):
            return
        for cut in {len(self.log), len(self.log) // 2, max(len(self.log) - 1, 0)}:
            receiver, stage = Receiver(), {}
            part = self.log[:cut]
            for one in part:
                if isinstance(one, Message):
                    receiver.hear(one)
                elif isinstance(one, Change):
                    stage[one.incident] = one.after
                else:
                    stage.pop(one.incident, None)
            state = self.state if cut == len(self.log) else resumed(part, self.now_s, WORDS, self.settings)
            steps = 0
            while (due_s := next_deadline(state)) is not None:
                state, said = step(state, due_s, (), (), GAZETTEER)
                for one in (*said.changes, *said.messages):
                    if isinstance(one, Message):
                        receiver.hear(one)
                    elif isinstance(one, Change):
                        stage[one.incident] = one.after
                    else:
                        stage.pop(one.incident, None)
                steps += 1
                assert steps < 300
            assert not state.chains
            assert not state.incidents
            assert receiver.open() == []
            assert set(stage.values()) <= set(ENDS)


TestPolicy = Policy.TestCase
TestPolicy.settings = settings(
    max_examples=12, stateful_step_count=14, deadline=None, suppress_health_check=list(HealthCheck)
)
