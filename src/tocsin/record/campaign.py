"""One recording decided upon in many ways: observed once, then the policy alone, again and again."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Iterator
from functools import partial
from typing import NamedTuple

from tocsin.record.replay import LONGEST_END_S, Observation, arriving, begin, observe, watch_deadline
from tocsin.sensors.plots import Plots, Sensor
from tocsin.warning import policy
from tocsin.warning.alert import Message
from tocsin.warning.gazetteer import Gazetteer
from tocsin.warning.phrases import Words
from tocsin.warning.policy import Happening
from tocsin.warning.settings import Settings


class Decided(NamedTuple):
    """All that a policy did about a recording."""

    messages: tuple[Message, ...]
    changes: tuple[Happening, ...]


def observations(sensors: tuple[Sensor, ...], plots: Plots, latency_s: float) -> Iterator[Observation]:
    """What tracker and predictor make of a recording, each moment of it a constant time after its plots were received.

    plots stand in the order of arrival.
    """
    watch = begin(sensors)
    i = 0
    while True:
        moment, batch, i = arriving(plots, i, watch_deadline(watch))
        if math.isinf(moment):
            return
        watch, seen = observe(watch, batch, moment, partial(operator.add, moment, latency_s))
        if seen is not None:
            yield seen


def decide(
    seen: Iterable[Observation],
    gazetteer: Gazetteer,
    words: Words,
    latency_s: float,
    settings: Settings = policy.DEFAULTS,
) -> Decided:
    """What a policy does about observations of this latency: the same as in a replay."""
    state = policy.start(words, settings)
    messages: list[Message] = []
    changes: list[Happening] = []
    live: tuple[str, ...] = ()
    last_s = -math.inf

    def wait(until_s: float) -> None:
        nonlocal state
        while (due := policy.next_deadline(state)) is not None and due + latency_s < until_s:
            state, said = policy.step(state, due + latency_s, (), live, gazetteer)
            messages.extend(said.messages)
            changes.extend(said.changes)

    for one in seen:
        wait(one.at_s)
        state, said = policy.step(state, one.at_s, one.forecasts, one.live, gazetteer)
        messages.extend(said.messages)
        changes.extend(said.changes)
        live, last_s = one.live, one.at_s
    wait(last_s + LONGEST_END_S)
    return Decided(tuple(messages), tuple(changes))
