"""Signed CAP messages: enveloped XML signatures, ECDSA over P-256 with SHA-256, strict to the byte.

W3C XML Signature 1.1 with exclusive canonicalisation. The signature is the last child of ``alert``, as
CAP 1.2 asks (section 3.3.4.1). A signed message has one form only: an XML declaration and the canonical
XML of the whole. ``verify`` takes nothing else, so that whatever byte was changed, the message is refused,
even where XML would read the same. A signature holds random numbers: it is put on at delivery, never by a replay.
"""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
from signxml.exceptions import SignXMLException
from signxml.signer import XMLSigner
from signxml.verifier import SignatureConfiguration, XMLVerifier

from tocsin.errors import DataError
from tocsin.formats.cap import NAMESPACE, parse_cap

XMLDSIG = "http://www.w3.org/2000/09/xmldsig#"
SIGNATURE = f"{{{XMLDSIG}}}Signature"
DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>\n'
EXERCISES_ONLY = "exercises only"  # organizational unit of a certificate that signs nothing else
DAY_S = 86_400.0

# (depth, name, attributes) of a signature's elements, in their order
SHAPE: tuple[tuple[int, str, dict[str, str]], ...] = (
    (0, "Signature", {}),
    (1, "SignedInfo", {}),
    (2, "CanonicalizationMethod", {"Algorithm": "http://www.w3.org/2001/10/xml-exc-c14n#"}),
    (2, "SignatureMethod", {"Algorithm": "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"}),
    (2, "Reference", {"URI": ""}),  # the whole document
    (3, "Transforms", {}),
    (4, "Transform", {"Algorithm": "http://www.w3.org/2000/09/xmldsig#enveloped-signature"}),
    (4, "Transform", {"Algorithm": "http://www.w3.org/2001/10/xml-exc-c14n#"}),
    (3, "DigestMethod", {"Algorithm": "http://www.w3.org/2001/04/xmlenc#sha256"}),
    (3, "DigestValue", {}),
    (1, "SignatureValue", {}),
    (1, "KeyInfo", {}),
    (2, "X509Data", {}),
    (3, "X509Certificate", {}),
)
WITH_TEXT = ("DigestValue", "SignatureValue", "X509Certificate")


class Verified(NamedTuple):
    """What may be trusted of a signed message."""

    content: bytes  # canonical XML of the alert without its signature: that which was signed
    certificate: x509.Certificate  # of who signed


def new_key(name: str, from_s: float, days: float) -> tuple[bytes, bytes]:
    """A new private key and a certificate of it for exercises, signed by itself, both as PEM.

    name: common name of who signs; from_s: seconds since 1970 UTC from which the certificate holds, for so
    many days. Raises DataError where the name cannot stand in a certificate.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    begin = dt.datetime.fromtimestamp(from_s // 1.0, dt.UTC)
    try:
        subject = x509.Name(
            [
                x509.NameAttribute(x509.NameOID.COMMON_NAME, name),
                x509.NameAttribute(x509.NameOID.ORGANIZATIONAL_UNIT_NAME, EXERCISES_ONLY),
            ]
        )
    except ValueError as why:
        raise DataError(f"name {name!r} cannot stand in a certificate ({why})") from None
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + dt.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_signing_only(), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private, certificate.public_bytes(serialization.Encoding.PEM)


def _signing_only() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def read_key(pem: bytes) -> ec.EllipticCurvePrivateKey:
    """A private key as PEM, not encrypted. Raises DataError where it is none over P-256."""
    try:
        key = serialization.load_pem_private_key(pem, None)
    except TypeError:
        raise DataError("the private key is encrypted; give one that is not") from None
    except ValueError:
        raise DataError("is no private key in PEM") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        raise DataError("is no private key over the curve P-256")
    return key


def read_certificates(pem: bytes) -> tuple[x509.Certificate, ...]:
    """The certificates of a PEM file, in order. Raises DataError where there is none, or one not of P-256."""
    try:
        found = tuple(x509.load_pem_x509_certificates(pem))
    except ValueError:
        raise DataError("holds no certificate in PEM") from None
    for certificate in found:
        public = certificate.public_key()
        if not isinstance(public, ec.EllipticCurvePublicKey) or public.curve.name != "secp256r1":
            raise DataError(f"certificate of {signer(certificate)} is not of a key over the curve P-256")
    return found


def signer(certificate: x509.Certificate) -> str:
    """Who a certificate says that it is of, as in CN=Tocsin drill,OU=exercises only."""
    return certificate.subject.rfc4514_string()


def sign(data: bytes, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate, at_s: float) -> bytes:
    """A CAP message with its signature: other bytes each time, all of which verify.

    at_s: seconds since 1970 UTC, when it is signed. Raises DataError where data is no CAP message or is signed
    already, the certificate is not of the key or does not hold at the time, or is for exercises only and the
    message is not.
    """
    alert = parse_cap(data)
    if next(alert.iter(SIGNATURE), None) is not None:
        raise DataError("is signed already")
    if certificate.public_key() != key.public_key():
        raise DataError(f"the certificate of {signer(certificate)} is not of this private key")
    _check_time(certificate, at_s)
    _check_status(certificate, alert)
    # from canonical form: comments are not signed, so none goes out. No indentation: readers that drop it verify too
    alert = etree.fromstring(_canonical(alert), etree.XMLParser(remove_blank_text=True))
    xml_signer = XMLSigner(
        signature_algorithm=SignatureMethod.ECDSA_SHA256,
        digest_algorithm=DigestAlgorithm.SHA256,
        c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    )
    return DECLARATION + _canonical(xml_signer.sign(alert, key=key, cert=[certificate]))


def verify(data: bytes, trusted: Sequence[x509.Certificate], at_s: float) -> Verified:
    """What a signed message says, if one of the trusted certificates vouches for it at a time.

    at_s: seconds since 1970 UTC at which the certificate must hold. Trusted are these certificates themselves, not
    what they have signed. Raises DataError, saying why, where the message is unsigned, is signed by anyone
    else or otherwise than ``sign`` does, or differs in any byte from what was signed.
    """
    alert = parse_cap(data)
    signatures = list(alert.iter(SIGNATURE))
    if not signatures:
        raise DataError("is not signed")
    if len(signatures) > 1:
        raise DataError(f"holds {len(signatures)} signatures, not one")
    signature = signatures[0]
    if signature.getparent() is not alert or signature.getnext() is not None:
        raise DataError("the signature is not the last child of alert")
    values = _shaped(signature)
    certificate = _vouching(values["X509Certificate"], trusted)
    _check_time(certificate, at_s)
    _check_status(certificate, alert)
    if data != DECLARATION + _canonical(alert):
        raise DataError("is not byte for byte as a signed message is written: it was changed after signing")
    value = values["SignatureValue"]
    try:
        if base64.b64encode(base64.b64decode(value, validate=True)).decode() != value:
            raise ValueError
        result = XMLVerifier().verify(
            alert,
            x509_cert=certificate,
            validate_schema=False,  # _shaped is stricter
            expect_config=SignatureConfiguration(
                location="./",
                signature_methods=frozenset({SignatureMethod.ECDSA_SHA256}),
                digest_algorithms=frozenset({DigestAlgorithm.SHA256}),
                verification_time=_moment(at_s),
            ),
        )
    except (SignXMLException, ValueError):
        raise DataError(
            f"the signature is not that of {signer(certificate)} on this message:"
            " the message was changed after signing, or someone else signed"
        ) from None
    return Verified(bytes(result.signed_data), certificate)  # type: ignore[union-attr]


def _canonical(element: etree._Element) -> bytes:
    out: bytes = etree.tostring(element, method="c14n", exclusive=True, with_comments=False)
    return out


def _shaped(signature: etree._Element) -> dict[str, str]:
    """The values in a signature that is built as ``sign`` builds it; raises DataError where it differs."""
    found = [
        (sum(1 for _ in element.iterancestors()) - 1, element) for element in signature.iter()
    ]  # a comment counts, and differs
    values = {}
    for number, (depth, name, attributes) in enumerate(SHAPE):
        where, element = found[number] if number < len(found) else (0, None)
        if element is None or where != depth or element.tag != f"{{{XMLDSIG}}}{name}":
            raise DataError(f"the signature is built otherwise than expected: {name} is missing")
        if dict(element.attrib) != attributes:
            has = ", ".join(f"{key} {value!r}" for key, value in element.attrib.items()) or "nothing"
            wants = ", ".join(f"{key} {value!r}" for key, value in attributes.items()) or "nothing"
            raise DataError(f"the signature's {name} says {has}, and must say {wants}")
        if name in WITH_TEXT:
            values[name] = element.text or ""
        if element.prefix != "ds" or element.tail or (element.text and name not in WITH_TEXT):
            raise DataError(f"the signature's {name} is written otherwise than expected")
    if len(found) > len(SHAPE):
        raise DataError(f"the signature holds {len(found)} elements, not {len(SHAPE)}")
    return values


def _vouching(text: str, trusted: Sequence[x509.Certificate]) -> x509.Certificate:
    """The trusted certificate that stands, as signxml writes it, in a signature."""
    for certificate in trusted:
        lines = certificate.public_bytes(serialization.Encoding.PEM).decode().splitlines()[1:-1]
        if text == "\n".join(lines) + "\n":
            return certificate
    names = "; ".join(signer(one) for one in trusted) or "no one"
    raise DataError(f"is signed by a certificate that is not among the trusted ones ({names})")


def _check_time(certificate: x509.Certificate, at_s: float) -> None:
    moment = _moment(at_s)
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not begin <= moment <= end:
        state, bound = ("not valid before", begin) if moment < begin else ("expired at", end)
        raise DataError(
            f"the certificate of {signer(certificate)} is {state} {bound:%Y-%m-%d %H:%M:%S} UTC;"
            f" it is needed at {moment:%Y-%m-%d %H:%M:%S} UTC"
        )


def _check_status(certificate: x509.Certificate, alert: etree._Element) -> None:
    """Refuse a live message under a certificate for exercises only."""
    units = certificate.subject.get_attributes_for_oid(x509.NameOID.ORGANIZATIONAL_UNIT_NAME)
    status = alert.findtext(f"{{{NAMESPACE}}}status")
    if any(one.value == EXERCISES_ONLY for one in units) and status not in ("Exercise", "Test"):
        raise DataError(
            f"status is {status!r}; the certificate of {signer(certificate)} is for exercises only"
        )


def _moment(time_s: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(time_s, dt.UTC)
