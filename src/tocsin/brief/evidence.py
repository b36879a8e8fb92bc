"""All that an account may rest on, as values. Whoever calls reads the files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from tocsin.formats.recording import Recording
from tocsin.formats.results import Results
from tocsin.formats.sent import Happened, Sent
from tocsin.formats.truth import Fallen
from tocsin.metrics.follow import Following
from tocsin.record.history import History
from tocsin.warning.gazetteer import Gazetteer


class Source(NamedTuple):
    """A file that was read."""

    name: str
    size: int  # bytes
    sha256: str


class Evidence(NamedTuple):
    """What is known after the fact."""

    results: Results
    sent: tuple[Sent, ...]  # in the order sent
    happened: tuple[Happened, ...] | None  # None: the results hold no events
    gazetteer: Gazetteer
    sources: tuple[Source, ...]
    recording: Recording | None = None
    history: History | None = None  # of the tracker, run over the recording once more
    learned: tuple[
        Mapping[str, Any], ...
    ] = ()  # what the tracker learned of each sensor, as `record.learned` has it
    fallen: tuple[Fallen, ...] | None = None  # where things truly came down; None: not known
    following: Following | None = None  # which track followed which object; None: no truth


class Ref(NamedTuple):
    """What a statement rests on."""

    kind: str  # one of REFERENCES
    ident: str


class Fact(NamedTuple):
    """A statement, and what it rests on."""

    text: str
    refs: tuple[Ref, ...] = ()


# kinds of references, in the order in which the appendix lists them, and the letter of each
REFERENCES = {
    "event": "E",
    "message": "M",
    "track": "",
    "forecast": "F",
    "impact": "I",
    "plot": "P",
    "file": "D",
}


def message_ref(message: Sent) -> Ref:
    """To a message."""
    return Ref("message", str(message.number))


def event_ref(event: Happened) -> Ref:
    """To a line of events.jsonl."""
    return Ref("event", str(event.number))
