"""An index of messages for whoever polls: an Atom feed (RFC 4287) of links to CAP documents.

A feed is a snapshot: all that stands, and what has ended of late, so that a reader who missed some is right after
the next. It carries the elements of CAP by which a reader chooses, as the feeds of weather services do. The
warning itself is the linked, signed document.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import quote

from lxml import etree

from tocsin.formats.cap import NAMESPACE, CapInfo, CapMessage, cap_time, read_cap

ATOM = "http://www.w3.org/2005/Atom"
LARGEST_BYTES = 100_000  # what readers of feeds take
KEEP_S = 48 * 3600.0  # how long a message stays that was replaced, cancelled or has lapsed

NAMESPACES = f' xmlns="{ATOM}" xmlns:cap="{NAMESPACE}"'  # once in a feed, and in each entry that stands alone


class Indexed(NamedTuple):
    """A message and where it is."""

    href: str
    message: CapMessage


def feed_of(cap: Sequence[bytes]) -> bytes:
    """The feed of a replay's messages, in the order sent, as it stood when the last one was; empty without any."""
    index = [Indexed(f"alerts/{i:04d}.xml", read_cap(text)) for i, text in enumerate(cap, start=1)]
    return feed_xml(index, index[-1].message.sent_s) if index else b""


def feed_xml(
    messages: Sequence[Indexed], now_s: float, *, title: str = "Tocsin: messages", language: str = "en"
) -> bytes:
    """The feed at a moment, newest message first, at most LARGEST_BYTES long whatever there is to tell.

    messages: all there were, in the order sent; those sent after now_s are left out. language: that of the texts shown,
    where a message has it, else the message's first. Where not all fit, those go first that ended longest ago; if
    even those that stand do not fit, the oldest of them, and the subtitle says how many.
    """
    sent = [one for one in messages if one.message.sent_s <= now_s]
    end_s = _ends(sent)
    kept = [one for one in sent if now_s < end_s[one.message.identifier] + KEEP_S]

    def standing(one: Indexed) -> bool:
        return end_s[one.message.identifier] > now_s

    order = {one.message.identifier: number for number, one in enumerate(kept)}

    def dearness(one: Indexed) -> tuple[float, int]:
        name = one.message.identifier
        return math.inf if standing(one) else end_s[name], order[name]

    room = LARGEST_BYTES - len(_bytes(_head(title, now_s, len(kept))))
    shown: dict[str, etree._Element] = {}
    for one in sorted(kept, key=dearness, reverse=True):
        entry = _entry(one, language)
        room -= len(etree.tostring(entry, encoding="UTF-8", xml_declaration=False)) - len(NAMESPACES)
        if room < 0:
            break
        shown[one.message.identifier] = entry
    left_out = sum(1 for one in kept if standing(one) and one.message.identifier not in shown)
    feed = _head(title, now_s, left_out)
    for one in reversed(kept):
        if one.message.identifier in shown:
            feed.append(shown[one.message.identifier])
    return _bytes(feed)


def _bytes(feed: etree._Element) -> bytes:
    out: bytes = etree.tostring(feed, xml_declaration=True, encoding="UTF-8")
    return out


def _ends(messages: Sequence[Indexed]) -> dict[str, float]:
    """When each message ended: lapsed, or was replaced or cancelled by one that refers to it."""
    end_s: dict[str, float] = {}
    for _, message in messages:
        for _, identifier, _ in message.references:
            if identifier in end_s:
                end_s[identifier] = min(end_s[identifier], message.sent_s)
        lapses = [info.expires_s for info in message.infos if not math.isnan(info.expires_s)]
        end_s[message.identifier] = max(lapses, default=math.inf)
    return end_s


def _head(title: str, now_s: float, left_out: int) -> etree._Element:
    feed = etree.Element(f"{{{ATOM}}}feed", nsmap={None: ATOM, "cap": NAMESPACE})
    _add(feed, "id", "tag:tocsin.invalid,2026:feed")
    _add(feed, "title", title)
    _add(feed, "updated", cap_time(math.floor(now_s)))
    if left_out:
        _add(feed, "subtitle", f"{left_out} older messages that stand are left out: the feed is full")
    return feed


def _entry(one: Indexed, language: str) -> etree._Element:
    message = one.message
    entry = etree.Element(f"{{{ATOM}}}entry", nsmap={None: ATOM, "cap": NAMESPACE})
    year = dt.datetime.fromtimestamp(message.sent_s, dt.UTC).year
    _add(entry, "id", f"tag:{quote(message.sender, safe='@')},{year}:{quote(message.identifier)}")
    info = _told(message, language)
    _add(entry, "title", info.text.headline or info.text.event if info else message.identifier)
    _add(entry, "updated", cap_time(message.sent_s))
    author = etree.SubElement(entry, f"{{{ATOM}}}author")
    _add(author, "name", message.sender)
    link = etree.SubElement(entry, f"{{{ATOM}}}link", rel="alternate", type="application/cap+xml")
    link.set("href", one.href)
    for name, value in (
        ("identifier", message.identifier),
        ("sent", cap_time(message.sent_s)),
        ("status", message.status),
        ("msgType", message.kind),
    ):
        _add(entry, name, value, NAMESPACE)
    if info:
        entry.set("{http://www.w3.org/XML/1998/namespace}lang", info.text.language)
        _add(entry, "summary", info.text.description)
        for name, value in (
            ("event", info.text.event),
            ("urgency", info.urgency),
            ("severity", info.severity),
            ("certainty", info.certainty),
            ("areaDesc", info.text.area_description),
        ):
            _add(entry, name, value, NAMESPACE)
        if not math.isnan(info.expires_s):
            _add(entry, "expires", cap_time(info.expires_s), NAMESPACE)
    return entry


def _told(message: CapMessage, language: str) -> CapInfo | None:
    """The info of a message in a language, or its first."""
    wanted = [info for info in message.infos if info.text.language.split("-")[0] == language]
    return next(iter((*wanted, *message.infos)), None)


def _add(parent: etree._Element, name: str, text: str, namespace: str = ATOM) -> None:
    etree.SubElement(parent, f"{{{namespace}}}{name}").text = text
