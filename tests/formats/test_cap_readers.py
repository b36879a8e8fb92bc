"""Our messages in the hands of programs that others wrote: a CAP parser, and an XML signature library in Rust."""

from __future__ import annotations

import pybergshamra
import pytest
from cap_tools.models import Alert, Reference, Status
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree
from xsdata.formats.dataclass.parsers import XmlParser
from xsdata.formats.dataclass.parsers.config import ParserConfig

from tests.warning.synthetic import NOON_S
from tocsin.formats.cap import CapInfo, CapMessage, cap_xml, read_cap
from tocsin.formats.signature import new_key, read_certificates, read_key, sign, verify
from tocsin.warning.alert import Text


@pytest.fixture(scope="module")
def keys():
    private, certificate = new_key("Drill centre", NOON_S, 30.0)
    return read_key(private), read_certificates(certificate)[0]


@pytest.fixture(scope="module")
def signed(messages, keys):
    return [sign(cap_xml(message), *keys, message.sent_s) for message in messages]


def by_others(data: bytes) -> Alert:
    """cap-tools: data classes made of the schema, by way of xsdata. It refuses what it does not know."""
    parser = XmlParser(config=ParserConfig(fail_on_unknown_properties=True, fail_on_converter_warnings=True))
    return parser.from_bytes(data, Alert)


def as_read_by_others(alert: Alert) -> CapMessage:
    """What the others read, as what we read."""
    references = alert.references_to_list()
    return CapMessage(
        identifier=alert.identifier,
        sender=alert.sender,
        sent_s=alert.sent.to_datetime().timestamp(),
        status=alert.status.value,
        kind=alert.msg_type.value,
        scope=alert.scope.value,
        references=tuple(
            (one.sender, one.identifier, str(one.sent).replace("Z", "+00:00")) for one in references
        ),
        incidents=tuple(alert.incidents_to_list()),
        infos=tuple(
            CapInfo(
                text=Text(
                    info.language,
                    info.event,
                    info.headline,
                    info.description,
                    info.instruction,
                    "; ".join(area.area_desc for area in info.areas),
                    *(
                        next(one.value.value for one in info.parameters if one.value_name.value == name)
                        for name in ("tocsin:text-90", "tocsin:text-600")
                    ),
                ),
                response=tuple(one.value for one in info.response_types),
                urgency=info.urgency.value,
                severity=info.severity.value,
                certainty=info.certainty.value,
                onset_s=info.onset.to_datetime().timestamp(),
                expires_s=info.expires.to_datetime().timestamp(),
                parameters={one.value_name.value: one.value.value for one in info.parameters},
                polygons=tuple(
                    tuple(tuple(map(float, pair.split(","))) for pair in ring.split())
                    for area in info.areas
                    for ring in area.polygons
                ),
                categories=tuple(one.value for one in info.categories),
                geocodes=tuple(
                    (one.value_name.value, one.value.value) for area in info.areas for one in area.geocodes
                ),
            )
            for info in alert.infos
        ),
        note=alert.note,
    )


def test_a_parser_of_others_reads_the_same(messages, signed):
    for message, data in zip(messages, signed, strict=True):
        for form in (cap_xml(message), data):
            alert = by_others(form)
            assert alert.status is Status.EXERCISE
            assert as_read_by_others(alert) == read_cap(form)
            assert [info.headline for info in alert.infos] == [text.headline for text in message.texts]


def test_a_reader_of_others_drops_what_a_message_replaces(signed):
    """The last message of each line alone is left, as a reader reckons who goes by references."""
    standing: dict[Reference, Alert] = {}
    for data in signed:
        alert = by_others(data)
        for reference in alert.references_to_list():
            standing.pop(reference, None)
        standing[Reference.from_alert(alert)] = alert
    left = {one.identifier for one in standing.values()}
    ended = [read_cap(data) for data in signed if b"AllClear" in data]
    assert left == {message.identifier for message in ended}


def checked(data: bytes, certificate) -> pybergshamra.VerifyResult:
    manager = pybergshamra.KeysManager()
    manager.add_key(pybergshamra.load_x509_cert_pem(certificate.public_bytes(Encoding.PEM)))
    context = pybergshamra.DsigContext(manager)
    context.trusted_keys_only = True
    context.strict_verification = True
    return pybergshamra.verify(context, data.decode())


def test_a_library_of_others_verifies_our_signatures(signed, keys):
    for data in signed:
        result = checked(data, keys[1])
        assert result.is_valid
        assert result.key_info.algorithm == "EC-P256"
        assert [(one.uri, one.digest_verified) for one in result.references] == [("", True)]
        assert not checked(data.replace(b"Exercise<", b"Actual<", 1), keys[1]).is_valid


def test_the_canonical_form_is_that_of_others(messages, signed, keys):
    for message, data in zip(messages, signed, strict=True):
        content = verify(data, [keys[1]], message.sent_s).content
        assert pybergshamra.canonicalize(content.decode(), pybergshamra.C14nMode.Exclusive) == content
        ours = etree.tostring(etree.fromstring(cap_xml(message)), method="c14n", exclusive=True)
        assert pybergshamra.canonicalize(cap_xml(message).decode(), pybergshamra.C14nMode.Exclusive) == ours
