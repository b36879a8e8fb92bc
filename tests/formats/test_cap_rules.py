"""Each rule that the CAP schema lacks finds its fault, and nothing else."""

from __future__ import annotations

import pytest
from lxml import etree

from tests.warning.synthetic import NOON_S
from tocsin.formats.cap import NAMESPACE, cap_time, cap_xml, read_cap
from tocsin.formats.cap_rules import LARGEST_BYTES, SIGNATURE_BYTES, check_cap
from tocsin.formats.signature import new_key, read_certificates, read_key, sign
from tocsin.warning.alert import Message

SQUARE = "48.4,35.0 48.4,35.1 48.5,35.1 48.5,35.0 48.4,35.0"


def changed(message: Message, tag: str, text: str | None) -> bytes:
    """The message as CAP with all elements of a name changed, or left out."""
    root = etree.fromstring(cap_xml(message))
    for found in list(root.iter(f"{{{NAMESPACE}}}{tag}")):
        if text is None:
            found.getparent().remove(found)
        else:
            found.text = text
    return etree.tostring(root)


def parameter(message: Message, name: str, value: str) -> bytes:
    """The message as CAP with a parameter changed."""
    root = etree.fromstring(cap_xml(message))
    for one in root.iter(f"{{{NAMESPACE}}}parameter"):
        if one[0].text == name:
            one[1].text = value
    return etree.tostring(root)


@pytest.fixture(scope="module")
def update(messages):
    """An Update of the first message, near Dnipro, and what was sent before it."""
    first = messages[0].identifier
    number = next(n for n, one in enumerate(messages) if first in {name for name, _ in one.references})
    assert messages[number].kind == "Update"
    return messages[number], [read_cap(cap_xml(message)) for message in messages[:number]]


@pytest.mark.parametrize(
    ("tag", "text", "problem"),
    [
        ("identifier", "a b", "identifier 'a b' has a space"),
        ("identifier", None, "alert lacks identifier"),
        ("sender", "x<y", "sender 'x<y' has a space, comma, < or &"),
        ("incidents", "a,b", "incidents 'a,b' has a space, comma, < or &"),
        ("incidents", None, "belongs to no incident"),
        ("incidents", "another", "which is of another incident"),
        ("status", "System", "status is 'System', not Actual, Exercise or Test"),
        ("status", "Actual", "can be no real sender"),
        ("status", "Test", "headline does not say test"),
        ("msgType", "Ack", "msgType is 'Ack', not Alert, Update or Cancel"),
        ("msgType", "Alert", "Alert with references"),
        ("msgType", "Cancel", "msgType is Cancel; take-cover is said by Alert or Update"),
        ("scope", "Private", "scope is 'Private'"),
        ("sent", "2027-01-15T08:00:00", "has no offset"),
        ("sent", "yesterday", "is not a date and time"),
        ("sent", "2027-01-15T08:00:09Z", "sent '2027-01-15T08:00:09Z' is not a time as CAP writes it"),
        ("sent", "2027-01-15T08:00:09.5+00:00", "is not a time as CAP writes it"),
        ("sent", "2027-01-15 08:00:09+00:00", "is not a time as CAP writes it"),
        ("onset", "2027-01-15T08:04:09.25+00:00", "onset '2027-01-15T08:04:09.25+00:00' is not a time"),
        ("expires", "20270115T080409+0000", "is not a time as CAP writes it"),
        ("sent", "2020-01-15T08:00:00+00:00", "is before the last message"),
        ("references", None, "Update without references"),
        ("references", "a,b", "is not sender,identifier,sent"),
        ("references", "a,b,c", "reference to 'b', which was not sent before"),
        ("references", "a,b,2027-01-15T08:00:09Z", "references '2027-01-15T08:00:09Z' is not a time"),
        ("event", "", "info lacks event"),
        ("headline", "Take cover now", "headline does not say exercise"),
        ("headline", "", "headline is empty"),
        ("description", "Exercise: {place}", "description holds a {, left over from a template"),
        ("instruction", "Take \u202ecover", "instruction holds the character U+202E"),
        ("instruction", " ", "instruction is empty"),
        ("areaDesc", "Dnipro\ufffd", "area_description holds the character U+FFFD"),
        ("expires", None, "has no expires"),
        ("expires", "2020-01-15T08:00:00+00:00", "expires before it is sent"),
        ("onset", "2028-01-15T08:00:00+00:00", "onset after expires"),
        ("language", "xx", "no word for exercise is known"),
        ("language", "en", "2 infos in the language 'en'"),
        ("category", "Met", "categories is Met; take-cover has Safety"),
        ("responseType", "Monitor", "response is Monitor; take-cover has Shelter"),
        ("responseType", None, "response is nothing; take-cover has Shelter"),
        ("urgency", "Expected", "urgency is Expected; take-cover has Immediate"),
        ("severity", "Minor", "severity is Minor; take-cover has Extreme"),
        ("certainty", "Possible", "certainty is Possible; take-cover has Likely"),
        ("polygon", "1,2 3,4 5,6", "3 points, fewer than 4"),
        ("polygon", "1,2 3,4 5,6 7,9", "is not closed"),
        ("polygon", "1,120 1,121 2,121 120,2 1,120", "is not a latitude and a longitude"),
        ("polygon", "1,190 1,191 2,191 1,190", "is not a latitude and a longitude"),
        ("polygon", "nan,1 1,1 2,2 nan,1", "is not a latitude and a longitude"),
        ("polygon", "120,1 120,2 121,2 120,1", "they seem to be swapped"),
        (
            "polygon",
            "35.0,48.4 35.1,48.4 35.1,48.5 35.0,48.4",
            "latitude and longitude seem to be swapped: the areas",
        ),
        ("polygon", "0,0 1,1 0,1 1,0 0,0", "crosses itself"),
        ("polygon", "0,0 1,1 2,2 0,0", "crosses itself"),
        ("polygon", "1,179 1,-179 2,-179 2,179 1,179", "cut it at the antimeridian"),
        ("polygon", "here", "is not a list of lat,lon pairs"),
        ("polygon", None, "has no polygon"),
        ("info", None, "has no info"),
        ("valueName", "other", "has no sequence number"),
    ],
)
def test_each_rule_finds_its_fault(update, tag, text, problem):
    message, earlier = update
    assert check_cap(cap_xml(message), earlier) == []
    found = check_cap(changed(message, tag, text), earlier)
    assert any(problem in one for one in found), found


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("tocsin:sequence", "0", "has no sequence number"),
        ("tocsin:sequence", "1", "sequence number 1 does not follow"),
        ("tocsin:stage", "alarm", "stage is 'alarm', not one of prepare, take-cover"),
        ("tocsin:stage", "prepare", "response is Shelter; prepare has Prepare and Monitor"),
        ("tocsin:stage", "all-clear", "urgency is Immediate; all-clear has Past"),
        ("tocsin:probability", "0.2", "certainty is Likely; take-cover has Possible"),
        ("tocsin:probability", "98", "has no probability from 0 to 1"),
        ("tocsin:probability", "high", "has no probability from 0 to 1"),
    ],
)
def test_each_parameter(update, name, value, problem):
    message, earlier = update
    found = check_cap(parameter(message, name, value), earlier)
    assert any(problem in one for one in found), found


@pytest.mark.parametrize(
    ("tag", "text"),
    [
        ("onset", cap_time(NOON_S + 10.0)),
        ("expires", cap_time(NOON_S + 5000.0)),
        ("urgency", "Past"),
        ("severity", "Minor"),
        ("certainty", "Observed"),
        ("responseType", "None"),
        ("polygon", SQUARE),
        ("value", "9"),
    ],
)
def test_languages_of_a_message_say_the_same(update, tag, text):
    message, earlier = update
    root = etree.fromstring(cap_xml(message))
    list(root.iter(f"{{{NAMESPACE}}}{tag}"))[-1].text = text
    assert any(
        "info uk:" in one and "differs from info en" in one
        for one in check_cap(etree.tostring(root), earlier)
    )


def test_order_and_names(messages, update):
    message, earlier = update
    data = cap_xml(message)
    assert any("used before" in one for one in check_cap(cap_xml(messages[0]), earlier))
    late = [one._replace(sent_s=one.sent_s + 99.0) for one in earlier]
    assert any("before the last message" in one for one in check_cap(data, late))
    other = [one._replace(sender="someone@else.invalid") for one in earlier]
    assert any("it was someone@else.invalid" in one for one in check_cap(data, other))
    real = [one._replace(status="Actual") for one in earlier]
    assert any("to which it refers, was Actual" in one for one in check_cap(data, real))
    twice = message._replace(references=message.references * 2)
    assert any("two references to one message" in one for one in check_cap(cap_xml(twice), earlier))


def test_references_to_all_predecessors_that_stand(messages):
    """A message that names one of its line names all of it that has not lapsed, older and younger."""
    sent, whole = [], 0
    for message in messages:
        assert check_cap(cap_xml(message), sent) == []
        if len(message.references) > 1:
            whole += 1
            for left_out in message.references:
                others = tuple(one for one in message.references if one != left_out)
                found = check_cap(cap_xml(message._replace(references=others)), sent)
                assert any(f"leaves out {left_out[0]!r}, a predecessor" in one for one in found), found
        sent.append(read_cap(cap_xml(message)))
    assert whole > 2


def test_what_has_lapsed_need_not_be_named(update):
    message, earlier = update
    first = earlier[0]
    lapsed = first._replace(
        identifier="older",
        references=((first.sender, first.identifier, cap_time(first.sent_s)),),
        infos=tuple(info._replace(expires_s=message.sent_s - 1.0) for info in first.infos),
        incidents=("another",),
    )
    assert message.references[0][0] == first.identifier
    assert check_cap(cap_xml(message), [*earlier, lapsed]) == []
    stands = lapsed._replace(infos=first.infos)
    assert any("leaves out 'older'" in one for one in check_cap(cap_xml(message), [*earlier, stands]))


def test_nothing_is_asked_of_messages_that_are_not_known(update):
    message, _ = update
    assert check_cap(cap_xml(message), None) == []
    assert check_cap(cap_xml(message), []) != []


def test_size_leaves_room_for_the_signature(messages):
    # without codes, which would go first where there is no room
    prints = tuple(one._replace(places=()) for one in messages[0].footprints)
    message = messages[0]._replace(footprints=prints)
    short = len(cap_xml(message))
    english = message.texts[0]
    rest = LARGEST_BYTES - SIGNATURE_BYTES - short

    def padded(count: int) -> bytes:
        text = english._replace(instruction=english.instruction + "x" * count)
        return cap_xml(message._replace(texts=(text, *message.texts[1:])))

    private, certificate = new_key("Drill centre with quite a long name of its own", NOON_S, 30.0)
    key, trusted = read_key(private), read_certificates(certificate)[0]
    assert check_cap(padded(rest)) == []
    signed = sign(padded(rest), key, trusted, NOON_S)
    assert len(signed) <= LARGEST_BYTES
    assert check_cap(signed) == []
    assert check_cap(padded(rest + 1)) == ["30001 bytes, more than 30000, which leaves room to sign it"]
    assert "bytes, more than 32000" in check_cap(sign(padded(rest + 1000), key, trusted, NOON_S))[0]
