"""The feed: what stands is in it, what ended goes first, and it is never too long."""

from __future__ import annotations

import math

import pytest
from lxml import etree

from tests.warning.synthetic import NOON_S
from tocsin.formats.cap import NAMESPACE, cap_time, cap_xml, read_cap
from tocsin.formats.feed import ATOM, KEEP_S, LARGEST_BYTES, Indexed, feed_of, feed_xml

NAMES = {"a": ATOM, "cap": NAMESPACE}


@pytest.fixture(scope="module")
def index(messages):
    return [
        Indexed(f"alerts/{number:04d}.xml", read_cap(cap_xml(message)))
        for number, message in enumerate(messages, start=1)
    ]


def shown(feed: bytes) -> list[str]:
    return etree.fromstring(feed).xpath("//a:entry/cap:identifier/text()", namespaces=NAMES)


def test_an_entry_says_what_the_message_says(index):
    now_s = index[-1].message.sent_s
    feed = etree.fromstring(feed_xml(index, now_s))
    assert feed.findtext("a:updated", namespaces=NAMES) == cap_time(now_s)
    assert feed.find("a:subtitle", NAMES) is None
    entries = feed.findall("a:entry", NAMES)
    assert len(entries) == len(index)
    for entry, (href, message) in zip(reversed(entries), index, strict=True):
        assert entry.find("a:link", NAMES).get("href") == href
        assert entry.get("{http://www.w3.org/XML/1998/namespace}lang") == "en"
        for tag, value in (
            ("a:id", f"tag:exercise@tocsin.invalid,2027:{message.identifier}"),
            ("a:title", message.infos[0].text.headline),
            ("a:summary", message.infos[0].text.description),
            ("a:updated", cap_time(message.sent_s)),
            ("a:author/a:name", message.sender),
            ("cap:status", "Exercise"),
            ("cap:msgType", message.kind),
            ("cap:event", "EXERCISE. Falling objects"),
            ("cap:severity", message.infos[0].severity),
            ("cap:expires", cap_time(message.infos[0].expires_s)),
        ):
            assert entry.findtext(tag, namespaces=NAMES) == value, tag


def test_texts_in_a_language_or_the_first(index):
    feed = feed_xml(index, index[-1].message.sent_s, language="uk").decode()
    assert "НАВЧАННЯ" in feed
    assert "EXERCISE" not in feed
    assert "EXERCISE" in feed_xml(index, index[-1].message.sent_s, language="xx").decode()


def test_at_each_moment_what_was_sent_and_has_not_long_ended(index):
    assert shown(feed_xml(index, index[0].message.sent_s - 1.0)) == []
    first = index[0].message
    assert first.identifier in shown(feed_xml(index, first.sent_s))
    replaced_s = min(
        one.sent_s for _, one in index if first.identifier in [reference[1] for reference in one.references]
    )
    assert first.identifier in shown(feed_xml(index, replaced_s + KEEP_S - 1.0))
    assert first.identifier not in shown(feed_xml(index, replaced_s + KEEP_S))
    last_s = max(one.infos[0].expires_s for _, one in index)
    assert len(shown(feed_xml(index, last_s + KEEP_S - 1.0))) >= 1
    assert shown(feed_xml(index, last_s + KEEP_S)) == []


def test_the_feed_of_a_replay(messages, index):
    feed = feed_of([cap_xml(message) for message in messages])
    assert feed == feed_xml(index, index[-1].message.sent_s)
    assert shown(feed)[0] == messages[-1].identifier
    assert feed_of([]) == b""


def many(message, count: int, lasting_s: float, chained: bool) -> list[Indexed]:
    """Messages a second apart, each replacing the one before if chained."""
    made = []
    for n in range(count):
        sent_s = NOON_S + n
        before = made[-1].message if chained and made else None
        references = ((before.sender, before.identifier, cap_time(before.sent_s)),) if before else ()
        infos = tuple(info._replace(expires_s=sent_s + lasting_s) for info in message.infos)
        made.append(
            Indexed(
                f"{n}.xml",
                message._replace(identifier=f"m-{n}", sent_s=sent_s, references=references, infos=infos),
            )
        )
    return made


@pytest.mark.parametrize("count", [1, 50, 80, 5000])
@pytest.mark.parametrize("chained", [True, False])
@pytest.mark.parametrize("lasting_s", [10.0, 1e5])
def test_never_too_long_and_what_stands_comes_first(index, count, chained, lasting_s):
    made = many(index[0].message, count, lasting_s, chained)
    now_s = NOON_S + count - 1
    feed = feed_xml(made, now_s)
    assert len(feed) <= LARGEST_BYTES
    found = shown(feed)
    ends = [NOON_S + n + (1.0 if chained and n < count - 1 else lasting_s) for n in range(count)]
    stand = [f"m-{n}" for n in range(count) if ends[n] > now_s]
    left_out = [name for name in stand if name not in found]
    assert found == [
        f"m-{n}" for n in range(count - 1, count - 1 - len(found), -1)
    ]  # the newest, without a gap
    assert len(found) == count or len(feed) > LARGEST_BYTES - 3000  # and as many as fit
    subtitle = etree.fromstring(feed).findtext("a:subtitle", namespaces=NAMES)
    assert subtitle == (
        f"{len(left_out)} older messages that stand are left out: the feed is full" if left_out else None
    )


def test_one_that_stands_outlasts_all_that_ended_after_it(index):
    old = many(index[0].message, 1, 1e6, False)[0]
    made = [
        Indexed("old.xml", old.message._replace(identifier="old")),
        *many(index[0].message, 500, 10.0, True),
    ]
    found = shown(feed_xml(made, NOON_S + 499.0))
    assert "old" in found
    assert found[0] == "m-499"
    assert len(found) < 501


def test_the_same_gives_the_same(index):
    now_s = math.floor(index[-1].message.sent_s)
    assert feed_xml(index, now_s) == feed_xml(list(index), now_s + 0.5)
