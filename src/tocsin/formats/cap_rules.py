"""What the CAP 1.2 schema lets through and this program does not send.

Here the message and its place among those before it; its infos and areas are in cap_info_rules.py, what
status and texts say of an exercise in cap_status.py.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence

from lxml import etree

from tocsin.errors import DataError
from tocsin.formats.cap import NAMESPACE, CapMessage, cap_time, parse_cap, read_cap
from tocsin.formats.cap_info_rules import info_problems, swapped
from tocsin.formats.cap_status import contradictions

LARGEST_BYTES = 32_000
SIGNATURE_BYTES = 2_000  # of them, left for the signature of a message that has none yet
LEGAL = re.compile(r"[^\s,<&]+")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d")
TIMES = ("sent", "effective", "onset", "expires")
KINDS = ("Alert", "Update", "Cancel")


def check_cap(data: bytes, earlier: Sequence[CapMessage] | None = ()) -> list[str]:
    """What is wrong with a CAP document, given the messages sent before it; an empty list if nothing is.

    earlier: the messages before it in the order sent, of all incidents; None where they are not known, and
    nothing is asked of them.
    """
    try:
        root, message = parse_cap(data), read_cap(data)
    except DataError as why:
        return [str(why)]
    problems = [*_size(data, root), *_spelling(root, message)]
    problems += contradictions(
        message.status, message.sender, message.note, [info.text for info in message.infos]
    )
    if message.kind not in KINDS:
        problems.append(f"msgType is {message.kind!r}, not {', '.join(KINDS[:-1])} or {KINDS[-1]}")
    if message.scope != "Public":
        problems.append(f"scope is {message.scope!r}, not 'Public'")
    if message.kind in ("Update", "Cancel") and not message.references:
        problems.append(f"{message.kind} without references")
    if message.kind == "Alert" and message.references:
        problems.append("Alert with references")
    if not message.incidents:
        problems.append("belongs to no incident")
    problems += info_problems(message)
    known = [] if earlier is None else list(earlier)
    if earlier is not None:
        problems += [*_order(message, known), *_references(message, known)]
    return problems + swapped(message, known)


def _size(data: bytes, root: etree._Element) -> Iterator[str]:
    signed = root.find("{http://www.w3.org/2000/09/xmldsig#}Signature") is not None
    largest = LARGEST_BYTES if signed else LARGEST_BYTES - SIGNATURE_BYTES
    if len(data) > largest:
        yield f"{len(data)} bytes, more than {largest}" + ("" if signed else ", which leaves room to sign it")


def _spelling(root: etree._Element, message: CapMessage) -> Iterator[str]:
    """Names and times as CAP wants them written."""
    names = [("identifier", message.identifier), ("sender", message.sender)]
    for name, value in names + [("incidents", one) for one in message.incidents]:
        if not LEGAL.fullmatch(value):
            yield f"{name} {value!r} has a space, comma, < or &"
    written = [(tag, one.text or "") for tag in TIMES for one in root.iter(f"{{{NAMESPACE}}}{tag}")]
    for tag, value in written + [("references", one[2]) for one in message.references]:
        if not TIME.fullmatch(value):
            yield f"{tag} {value!r} is not a time as CAP writes it, 2026-01-31T12:00:00+00:00"


def _order(message: CapMessage, earlier: Sequence[CapMessage]) -> Iterator[str]:
    """Names are new, time and numbers go on."""
    if any(one.identifier == message.identifier for one in earlier):
        yield f"identifier {message.identifier!r} was used before"
    latest_s = max((one.sent_s for one in earlier), default=-math.inf)
    if message.sent_s < latest_s:
        yield f"sent {cap_time(message.sent_s)} is before the last message, {cap_time(latest_s)}"
    number = sequence(message)
    last = max((sequence(one) for one in earlier if one.incidents[:1] == message.incidents[:1]), default=0)
    if 0 < number <= last:
        yield f"sequence number {number} does not follow {last} of its incident"


def sequence(message: CapMessage) -> int:
    """Number of a message within its incident; 0 where it has none."""
    given = message.infos[0].parameters.get("tocsin:sequence", "") if message.infos else ""
    return int(given) if re.fullmatch(r"\d{1,9}", given) else 0


def expires_s(message: CapMessage) -> float:
    """When the last of a message's infos lapses; -inf where none says."""
    return max((one.expires_s for one in message.infos if not math.isnan(one.expires_s)), default=-math.inf)


def _references(message: CapMessage, earlier: Sequence[CapMessage]) -> Iterator[str]:
    """References are to messages that were sent, of the same incident and status, and leave none out that stands."""
    known = {one.identifier: one for one in earlier}
    named = {identifier for _, identifier, _ in message.references}
    if len(named) < len(message.references):
        yield "two references to one message"
    for sender, identifier, sent in message.references:
        one = known.get(identifier)
        if one is None:
            yield f"reference to {identifier!r}, which was not sent before"
            continue
        if (sender, sent) != (one.sender, cap_time(one.sent_s)):
            was = f"{one.sender},{cap_time(one.sent_s)}"
            yield f"reference to {identifier!r} gives {sender},{sent}; it was {was}"
        if one.status != message.status:
            yield f"status is {message.status}, but that of {identifier!r}, to which it refers, was {one.status}"
        if not set(one.incidents) & set(message.incidents):
            yield f"reference to {identifier!r}, which is of another incident"
    for one in earlier:
        line = {identifier for _, identifier, _ in one.references}
        follows = line & named or any(one.identifier in _named(known.get(name)) for name in named)
        if one.identifier not in named and follows and expires_s(one) > message.sent_s:
            yield (
                f"leaves out {one.identifier!r}, a predecessor that stands until {cap_time(expires_s(one))}"
            )


def _named(message: CapMessage | None) -> set[str]:
    return {identifier for _, identifier, _ in message.references} if message else set()
