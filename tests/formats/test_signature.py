"""Signed messages: what is signed is trusted, all else refused; read by hand and byte by byte."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import math
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from signxml import SignatureMethod, XMLSigner

from tests.warning.synthetic import NOON_S
from tocsin.errors import DataError
from tocsin.formats.cap import cap_xml, read_cap
from tocsin.formats.cap_rules import check_cap
from tocsin.formats.signature import (
    DECLARATION,
    SIGNATURE,
    new_key,
    read_certificates,
    read_key,
    sign,
    signer,
    verify,
)

DS = {"ds": "http://www.w3.org/2000/09/xmldsig#"}
DAYS = 30.0


def pair(name: str = "Drill centre"):
    """A private key and its certificate, from noon on."""
    private, certificate = new_key(name, NOON_S, DAYS)
    return read_key(private), read_certificates(certificate)[0]


@pytest.fixture(scope="module")
def keys():
    return pair()


@pytest.fixture(scope="module")
def unsigned(messages):
    return cap_xml(messages[0])


@pytest.fixture(scope="module")
def signed(unsigned, keys):
    return sign(unsigned, *keys, NOON_S + 1.0)


def refused(data: bytes, certificate: x509.Certificate, at_s: float = NOON_S + 2.0) -> str:
    with pytest.raises(DataError) as error:
        verify(data, [certificate], at_s)
    return str(error.value)


def test_what_was_signed_comes_back(messages, keys):
    for message in messages:
        data = cap_xml(message)
        signed = sign(data, *keys, message.sent_s)
        assert len(signed) < len(data) + 2000
        found = verify(signed, [pair("Other")[1], keys[1]], message.sent_s)
        assert found.certificate == keys[1]
        assert SIGNATURE.encode() not in found.content
        assert read_cap(found.content) == read_cap(data) == read_cap(signed)
        plain = etree.fromstring(data, etree.XMLParser(remove_blank_text=True))
        assert found.content == etree.tostring(plain, method="c14n", exclusive=True)
        assert etree.fromstring(signed)[-1].tag == SIGNATURE


XML_TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cn"), exclude_characters="\ufffe\uffff").filter(
        lambda one: one in "\t\n\r" or ord(one) >= 32
    ),
    max_size=30,
)


@given(headline=XML_TEXT, instruction=XML_TEXT)
def test_whatever_a_text_holds(messages, keys, headline, instruction):
    """Carriage returns, ]]>, entities, letters beyond the first plane: signed, verified, read as they were."""
    english = messages[0].texts[0]
    text = english._replace(headline=f"EXERCISE {headline}", instruction=f"x {instruction} y")
    message = messages[0]._replace(texts=(text,))
    found = verify(sign(cap_xml(message), *keys, NOON_S), [keys[1]], NOON_S)
    told = read_cap(found.content).infos[0].text
    assert told.instruction == text.instruction
    assert told.headline == text.headline.strip()


def test_a_reader_that_drops_white_space_between_elements_verifies_too(signed, keys):
    """As the validator of the WMO does before it verifies."""
    stripped = etree.fromstring(signed, etree.XMLParser(remove_blank_text=True))
    assert DECLARATION + etree.tostring(stripped, method="c14n", exclusive=True) == signed


def test_two_signatures_of_a_message_differ_and_both_hold(unsigned, signed, keys):
    other = sign(unsigned, *keys, NOON_S + 1.0)
    assert other != signed
    assert verify(other, [keys[1]], NOON_S).content == verify(signed, [keys[1]], NOON_S).content


def test_digest_and_signature_by_hand(signed, keys):
    """A second opinion: canonical XML by lxml, SHA-256 by hashlib, ECDSA by cryptography, as the standard tells."""
    root = etree.fromstring(signed)
    signature = root[-1]
    info = signature.find("ds:SignedInfo", DS)
    r_and_s = base64.b64decode(signature.findtext("ds:SignatureValue", namespaces=DS))
    keys[1].public_key().verify(
        encode_dss_signature(*(int.from_bytes(half) for half in (r_and_s[:32], r_and_s[32:]))),
        etree.tostring(info, method="c14n", exclusive=True),
        ec.ECDSA(hashes.SHA256()),
    )
    digest = base64.b64decode(info.findtext("ds:Reference/ds:DigestValue", namespaces=DS))
    root.remove(signature)
    assert digest == hashlib.sha256(etree.tostring(root, method="c14n", exclusive=True)).digest()


def test_any_one_byte_changed_left_out_or_put_in_is_refused(messages, keys):
    """Every position of a message of one language: a bit, a byte left out or put in; all of it in the signature."""
    signed = sign(cap_xml(messages[0]._replace(texts=messages[0].texts[:1])), *keys, NOON_S)
    trusted = [keys[1]]
    begin = signed.index(b"<ds:Signature ")
    accepted = []
    for i, byte in enumerate(signed):
        changes = [signed[:i] + bytes([byte ^ bit]) + signed[i + 1 :] for bit in (1, 4, 32)]
        changes += [
            signed[:i] + signed[i + 1 :],
            signed[:i] + b" " + signed[i:],
            signed[:i] + b"\n" + signed[i:],
        ]
        for change in changes if i >= begin else (changes[i % 3], changes[3 + i % 3]):
            try:
                verify(change, trusted, NOON_S + 2.0)
            except DataError:
                continue
            if change != signed:
                accepted.append(i)
    assert accepted == []


def test_the_last_digit_of_the_signature_has_no_twin(signed, keys):
    """Four bits of the last base64 digit before == say nothing: a decoder takes all sixteen."""
    end = signed.index(b"==</ds:SignatureValue>")
    for digit in b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/":
        if digit != signed[end - 1]:
            assert "changed after signing" in refused(
                signed[: end - 1] + bytes([digit]) + signed[end:], keys[1]
            )


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (b"?>\n<alert", b"?>\n<!-- --><alert", "not byte for byte"),
        (b"</alert>", b"<!-- seen --></alert>", "not the last child"),
        (b"<ds:SignedInfo>", b"<!-- --><ds:SignedInfo>", "SignedInfo is missing"),
        (b"<ds:SignedInfo>", b" <ds:SignedInfo>", "Signature is written otherwise"),
        (b"</ds:Signature></alert>", b"</ds:Signature>\n</alert>", "Signature is written otherwise"),
        (b"</ds:Signature></alert>", b"</ds:Signature><info/></alert>", "not the last child"),
        (b"?>\n<alert", b'?>\n<!DOCTYPE a [<!ENTITY b "c">]><alert', "document type"),
        (b"ecdsa-sha256", b"ecdsa-sha1", "SignatureMethod says"),
        (b"xmldsig-more#ecdsa-sha256", b"xmldsig-more#rsa-sha256", "SignatureMethod says"),
        (b"xmlenc#sha256", b"xmlenc#sha512", "DigestMethod says"),
        (b'URI=""', b'URI="#part"', "Reference says URI '#part'"),
        (b'URI=""', b'URI="" Type="x"', "Reference says"),
        (b"</ds:SignedInfo>", b'<ds:Reference URI=""/></ds:SignedInfo>', "SignatureValue is missing"),
        (b"</ds:KeyInfo>", b"<ds:KeyName>x</ds:KeyName></ds:KeyInfo>", "15 elements, not 14"),
        (b"xmldsig#enveloped-signature", b"xmldsig#base64", "Transform says"),
        (b"ds:", b"dx:", "not well-formed"),
        (b"Exercise<", b"Actual<", "for exercises only"),
        (b"take-cover<", b"all-clear<", "changed after signing"),
    ],
)
def test_why_it_is_refused(signed, keys, old, new, why):
    assert old in signed
    assert why in refused(signed.replace(old, new, 1), keys[1])


def test_another_prefix_is_refused(signed, keys):
    other = signed.replace(b"ds:", b"dx:").replace(b"xmlns:ds", b"xmlns:dx")
    assert "written otherwise" in refused(other, keys[1])


def test_no_signature_and_two(unsigned, signed, keys):
    assert refused(unsigned, keys[1]) == "is not signed"
    begin, end = signed.index(b"<ds:Signature "), signed.index(b"</alert>")
    assert "holds 2 signatures" in refused(signed[:end] + signed[begin:end] + b"</alert>", keys[1])
    with pytest.raises(DataError, match="is signed already"):
        sign(signed, *keys, NOON_S)


def test_a_signed_part_wrapped_in_another_message_is_refused(signed, keys):
    """XML signature wrapping: the signed alert inside another one."""
    inner = signed[signed.index(b"<alert") :]
    outer = inner[: inner.index(b">") + 1] + inner + b"</alert>"
    assert "not the last child" in refused(signed[: signed.index(b"<alert")] + outer, keys[1])


def test_only_trusted_certificates_count(unsigned, signed, keys):
    stranger = pair()  # the same name, another key
    assert "not among the trusted ones" in refused(signed, stranger[1])
    assert "no one" in _refused_by_none(signed)
    # a stranger's signature that shows the trusted certificate
    forged = sign(unsigned, *stranger, NOON_S + 1.0)
    begin, end = (signed.index(mark) for mark in (b"<ds:KeyInfo>", b"</ds:KeyInfo>"))
    cut, rest = forged.index(b"<ds:KeyInfo>"), forged.index(b"</ds:KeyInfo>")
    assert "someone else signed" in refused(forged[:cut] + signed[begin:end] + forged[rest:], keys[1])


def _refused_by_none(data: bytes) -> str:
    with pytest.raises(DataError) as error:
        verify(data, [], NOON_S)
    return str(error.value)


@pytest.mark.parametrize(
    ("at_s", "why"), [(NOON_S - 1.0, "not valid before"), (NOON_S + 86_400 * 31, "expired at")]
)
def test_a_certificate_holds_for_its_time(unsigned, signed, keys, at_s, why):
    assert why in refused(signed, keys[1], at_s)
    with pytest.raises(DataError, match=why):
        sign(unsigned, *keys, at_s)


def test_key_and_certificate_must_belong_together(unsigned, keys):
    with pytest.raises(DataError, match="is not of this private key"):
        sign(unsigned, keys[0], pair()[1], NOON_S)


def test_other_signers_are_refused(unsigned, keys):
    """What signxml signs by another algorithm, or with another canonical form, under the trusted certificate."""
    for options in (
        {"signature_algorithm": SignatureMethod.ECDSA_SHA512},
        {"signature_algorithm": SignatureMethod.ECDSA_SHA256, "digest_algorithm": "sha512"},
        {"signature_algorithm": SignatureMethod.ECDSA_SHA256},  # inclusive canonical XML
    ):
        alert = XMLSigner(**options).sign(etree.fromstring(unsigned), key=keys[0], cert=[keys[1]])
        assert "and must say" in refused(etree.tostring(alert, method="c14n"), keys[1])


@pytest.mark.parametrize("data", [b"", b"<alert/>", b"<alert", b"\xff", b'<!DOCTYPE a><a xmlns="x"/>'])
def test_what_is_no_message(keys, data):
    assert refused(data, keys[1])
    with pytest.raises(DataError):
        sign(data, *keys, NOON_S)


def test_keys_and_certificates_that_cannot_be_used(keys):
    def pem(key, encryption=None):
        return key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            encryption or serialization.NoEncryption(),
        )

    for data, why in (
        (b"", "no private key in PEM"),
        (pem(ec.generate_private_key(ec.SECP384R1())), "P-256"),
        (pem(rsa.generate_private_key(65537, 2048)), "P-256"),
        (pem(keys[0], serialization.BestAvailableEncryption(b"secret")), "is encrypted"),
    ):
        with pytest.raises(DataError, match=why):
            read_key(data)
    with pytest.raises(DataError, match="no certificate in PEM"):
        read_certificates(pem(keys[0]))
    with pytest.raises(DataError, match="not of a key over the curve P-256"):
        read_certificates(_other_certificate().public_bytes(serialization.Encoding.PEM))


def _other_certificate() -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP384R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "other")])
    begin = dt.datetime.fromtimestamp(NOON_S, dt.UTC)
    return (
        x509.CertificateBuilder(name, name, key.public_key(), 1, begin, begin + dt.timedelta(days=1))
    ).sign(key, hashes.SHA256())


def test_a_new_certificate(keys):
    certificate = keys[1]
    assert signer(certificate) == "OU=exercises only,CN=Drill centre"
    assert certificate.not_valid_before_utc.timestamp() == math.floor(NOON_S)
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc == dt.timedelta(days=DAYS)
    certificate.verify_directly_issued_by(certificate)
    with pytest.raises(DataError, match="cannot stand in a certificate"):
        new_key("", NOON_S, DAYS)


def test_built_checked_and_signed_in_ten_milliseconds(messages, keys):
    """Of processor time, the median; docs/warnings.md says what it takes."""
    message, took_s = max(messages, key=lambda one: len(one.footprints)), []
    for _ in range(21):
        begin = time.process_time()
        data = cap_xml(message)
        assert check_cap(data, None) == []
        sign(data, *keys, message.sent_s)
        took_s.append(time.process_time() - begin)
    assert sorted(took_s)[10] < 0.010
