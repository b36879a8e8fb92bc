"""Warnings as CAP 1.2 (OASIS Common Alerting Protocol, 1 July 2010): messages to bytes and back.

What the schema misses is in cap_rules.py.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from typing import NamedTuple

from lxml import etree
from shapely.geometry import Polygon

from tocsin.errors import DataError
from tocsin.formats.cap_status import contradictions
from tocsin.warning.alert import DRILL_AUTHORITY, Authority, Message, Text, status_refused

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"

# stage -> responseType, urgency, severity; certainty follows from the probability. The table of docs/warnings.md.
MEANING = {
    "prepare": (("Prepare", "Monitor"), "Expected", "Severe"),
    "take-cover": (("Shelter",), "Immediate", "Extreme"),
    "all-clear": (("AllClear",), "Past", "Minor"),
    "withdrawn": (("AllClear",), "Past", "Minor"),
}
LIKELY = 0.5  # probability from which the certainty is Likely (CAP 1.2: p > ~50 %)
NOTE = {
    "Exercise": "Exercise: not a real warning. No action is to be taken on it.",
    "Test": "Test of the channel: not a real warning. No action is to be taken on it.",
}


Ring = tuple[tuple[float, float], ...]  # (lat, lon) in degrees
# valueName of first-level administrative units: the source, and its feature code for such a unit. CAP leaves the name
# of a code to the sender (3.2.4, geocode); the value is the key of the unit in GeoNames' list admin1CodesASCII
UNITS = "GeoNames-ADM1"
# a document with codes is kept this small, so that a signature and the rest of a feed's envelope fit into 32 kB
ROOM_BYTES = 28_000
LEFT_OUT = "tocsin:geocodes-left-out"


class CapInfo(NamedTuple):
    """One language of a CAP message."""

    text: Text
    response: tuple[str, ...]
    urgency: str
    severity: str
    certainty: str
    onset_s: float  # NaN where absent
    expires_s: float
    parameters: dict[str, str]
    polygons: tuple[Ring, ...]  # as they stand
    categories: tuple[str, ...]
    geocodes: tuple[tuple[str, str], ...] = ()  # (valueName, value), as they stand


class CapMessage(NamedTuple):
    """What a CAP message says."""

    identifier: str
    sender: str
    sent_s: float
    status: str
    kind: str  # msgType
    scope: str
    references: tuple[tuple[str, str, str], ...]  # sender, identifier, sent, as they stand
    incidents: tuple[str, ...]
    infos: tuple[CapInfo, ...]
    note: str


def cap_time(time_s: float) -> str:
    """A time in the form that CAP 1.2 demands: whole seconds, numeric offset. The time must be a whole second."""
    return f"{dt.datetime.fromtimestamp(time_s, dt.UTC):%Y-%m-%dT%H:%M:%S}+00:00"


def cap_sent(message_sent_s: float) -> str:
    """The sent of a message: rounded up, never before the decision."""
    return cap_time(math.ceil(message_sent_s - 1e-6))


def geocodes(message: Message) -> tuple[tuple[str, str], ...]:
    """Codes (valueName, value) of a message's area: first-level units with a place inside, then the user's zones."""
    units = {place.admin1 for footprint in message.footprints for place in footprint.places if place.admin1}
    return (
        *((UNITS, unit) for unit in sorted(units)),
        *((message.geocode_name, code) for code in message.zones),
    )


def cap_xml(message: Message, authority: Authority = DRILL_AUTHORITY) -> bytes:
    """A message as a CAP 1.2 document.

    Where the codes of its area make it larger than ROOM_BYTES, blanks between elements go first, and then codes from
    the end of the list; a parameter then says how many. The polygons always stand, and say all. Raises DataError where
    the authority may not send messages of its status, or a text says otherwise than the status: an exercise that does
    not say so in each text of each language, a live warning that speaks of one.
    """
    why = status_refused(message.status, authority)
    note = NOTE.get(message.status, "")
    problems = [why] if why else contradictions(message.status, authority.sender, note, message.texts)
    if problems:
        raise DataError(f"{message.identifier}: {problems[0]}")
    codes = geocodes(message)
    out = _document(message, authority, codes)
    if not codes or len(out) <= ROOM_BYTES:
        return out
    out = _document(message, authority, codes, indent=False)
    kept = len(codes)
    while kept and len(out) > ROOM_BYTES:
        each = (len(out) - len(_document(message, authority, (), indent=False))) / kept
        kept -= min(kept, max(1, math.ceil((len(out) - ROOM_BYTES) / each)))
        out = _document(message, authority, codes[:kept], left_out=len(codes) - kept, indent=False)
    return out


def _document(
    message: Message,
    authority: Authority,
    codes: tuple[tuple[str, str], ...],
    *,
    left_out: int = 0,
    indent: bool = True,
) -> bytes:
    sender, note = authority.sender, NOTE.get(message.status, "")
    alert = etree.Element(f"{{{NAMESPACE}}}alert", nsmap={None: NAMESPACE})
    _add(alert, "identifier", message.identifier)
    _add(alert, "sender", sender)
    _add(alert, "sent", cap_sent(message.sent_s))
    _add(alert, "status", message.status)
    _add(alert, "msgType", message.kind)
    _add(alert, "scope", "Public")
    if note:
        _add(alert, "note", note)
    if message.references:
        _add(
            alert,
            "references",
            " ".join(
                f"{sender},{identifier},{cap_sent(sent_s)}" for identifier, sent_s in message.references
            ),
        )
    _add(alert, "incidents", " ".join((message.incident, *message.merged)))
    rings = [_ring(footprint.polygon) for footprint in message.footprints]  # the same in each language
    for text in message.texts:
        _info(alert, message, text, authority, rings, codes, left_out)
    out: bytes = etree.tostring(alert, xml_declaration=True, encoding="UTF-8", pretty_print=indent)
    return out


def _info(
    alert: etree._Element,
    message: Message,
    text: Text,
    authority: Authority,
    rings: Sequence[str],
    codes: tuple[tuple[str, str], ...],
    left_out: int,
) -> None:
    responses, urgency, severity = MEANING[message.stage]
    over = math.isnan(message.probability)
    info = etree.SubElement(alert, f"{{{NAMESPACE}}}info")
    _add(info, "language", text.language)
    _add(info, "category", "Safety")
    _add(info, "event", text.event)
    for response in responses:
        _add(info, "responseType", response)
    _add(info, "urgency", urgency)
    _add(info, "severity", severity)
    _add(info, "certainty", certainty(message.stage, round(message.probability, 3)))  # as it is written below
    # onset down, expires up: no one is told too little. CAP allows an onset before sent.
    _add(info, "onset", cap_time(math.floor(message.onset_s)))
    _add(info, "expires", cap_time(math.ceil(message.expires_s)))
    if authority.name:
        _add(info, "senderName", authority.name)
    _add(info, "headline", text.headline)
    _add(info, "description", text.description)
    _add(info, "instruction", text.instruction)
    if authority.web:
        _add(info, "web", authority.web)
    if authority.contact:
        _add(info, "contact", authority.contact)
    _named(info, "parameter", "tocsin:sequence", str(message.sequence))
    _named(info, "parameter", "tocsin:stage", message.stage)
    _named(info, "parameter", "tocsin:text-90", text.text_90)
    _named(info, "parameter", "tocsin:text-600", text.text_600)
    if not over:
        _named(info, "parameter", "tocsin:probability", f"{message.probability:.3f}")
        _named(
            info,
            "parameter",
            "tocsin:first-arrival",
            cap_time(round(min(one.impact_time_s for one in message.footprints))),
        )
    if left_out:
        _named(info, "parameter", LEFT_OUT, str(left_out))
    area = etree.SubElement(info, f"{{{NAMESPACE}}}area")
    _add(area, "areaDesc", text.area_description)
    for ring in rings:
        _add(area, "polygon", ring)
    for name, value in codes:
        _named(area, "geocode", name, value)


def certainty(stage: str, probability: float) -> str:
    """CAP's certainty of a message: by its stage when the danger is over, else by its probability."""
    if stage == "all-clear":
        return "Observed"
    if stage == "withdrawn":
        return "Unlikely"
    return "Likely" if probability >= LIKELY else "Possible"


def _ring(polygon: Polygon) -> str:
    """Latitude,longitude pairs, closed."""
    return " ".join(f"{lat:.4f},{lon:.4f}" for lon, lat, *_ in polygon.exterior.coords)


def _add(parent: etree._Element, tag: str, text: str) -> None:
    etree.SubElement(parent, f"{{{NAMESPACE}}}{tag}").text = text


def _named(parent: etree._Element, tag: str, name: str, value: str) -> None:
    """A parameter or a geocode: a name and its value."""
    pair = etree.SubElement(parent, f"{{{NAMESPACE}}}{tag}")
    _add(pair, "valueName", name)
    _add(pair, "value", value)


def parse_cap(data: bytes) -> etree._Element:
    """The alert element of a CAP 1.2 document. Raises DataError where it is not one."""
    try:
        root = etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError as why:
        raise DataError(f"CAP: not well-formed XML: {why}") from None
    if root.getroottree().docinfo.doctype:
        raise DataError("CAP: has a document type declaration, which no message needs")
    if root.tag != f"{{{NAMESPACE}}}alert":
        raise DataError(f"CAP: root element is {root.tag}, not an alert of CAP 1.2")
    return root


def read_cap(data: bytes) -> CapMessage:
    """A CAP 1.2 document -> what it says. Raises DataError where it is not one, or lacks what CAP requires."""
    root = parse_cap(data)
    references = tuple(tuple(one.split(",")) for one in (_text(root, "references") or "").split())
    wrong = [",".join(one) for one in references if len(one) != 3]
    if wrong:
        raise DataError(f"CAP: reference {wrong[0]!r} is not sender,identifier,sent")
    rings: dict[str, Ring] = {}  # by their text: the languages of a message have the same
    return CapMessage(
        identifier=_needed(root, "identifier"),
        sender=_needed(root, "sender"),
        sent_s=_seconds(_needed(root, "sent")),
        status=_needed(root, "status"),
        kind=_needed(root, "msgType"),
        scope=_needed(root, "scope"),
        references=tuple((one[0], one[1], one[2]) for one in references),
        incidents=tuple((_text(root, "incidents") or "").split()),
        infos=tuple(_read_info(info, rings) for info in root.findall(f"{{{NAMESPACE}}}info")),
        note=_text(root, "note") or "",
    )


def _read_info(info: etree._Element, rings: dict[str, Ring]) -> CapInfo:
    def optional_time(tag: str) -> float:
        found = _text(info, tag)
        return math.nan if found is None else _seconds(found)

    areas = info.findall(f"{{{NAMESPACE}}}area")
    parameters = {
        _needed(one, "valueName"): _text(one, "value") or ""
        for one in info.findall(f"{{{NAMESPACE}}}parameter")
    }
    return CapInfo(
        text=Text(
            language=_text(info, "language") or "en-US",  # the schema's default
            event=_needed(info, "event"),
            headline=_text(info, "headline") or "",
            description=_text(info, "description") or "",
            instruction=_text(info, "instruction") or "",
            area_description="; ".join(_needed(area, "areaDesc") for area in areas),
            text_90=parameters.get("tocsin:text-90", ""),
            text_600=parameters.get("tocsin:text-600", ""),
        ),
        response=tuple(one.text or "" for one in info.findall(f"{{{NAMESPACE}}}responseType")),
        urgency=_needed(info, "urgency"),
        severity=_needed(info, "severity"),
        certainty=_needed(info, "certainty"),
        onset_s=optional_time("onset"),
        expires_s=optional_time("expires"),
        parameters=parameters,
        polygons=tuple(
            _read_ring(one.text or "", rings)
            for area in areas
            for one in area.findall(f"{{{NAMESPACE}}}polygon")
        ),
        categories=tuple(one.text or "" for one in info.findall(f"{{{NAMESPACE}}}category")),
        geocodes=tuple(
            (_needed(one, "valueName"), _needed(one, "value"))
            for area in areas
            for one in area.findall(f"{{{NAMESPACE}}}geocode")
        ),
    )


def _read_ring(text: str, known: dict[str, Ring]) -> Ring:
    if text not in known:
        try:
            pairs = [pair.split(",") for pair in text.split()]
            known[text] = tuple((float(lat), float(lon)) for lat, lon in pairs)
        except ValueError:
            raise DataError(f"CAP: polygon {text[:40]!r} is not a list of lat,lon pairs") from None
    return known[text]


def _text(element: etree._Element, tag: str) -> str | None:
    found = element.find(f"{{{NAMESPACE}}}{tag}")
    return None if found is None or found.text is None else str(found.text).strip()


def _needed(element: etree._Element, tag: str) -> str:
    found = _text(element, tag)
    if not found:
        raise DataError(f"CAP: {etree.QName(element).localname} lacks {tag}")
    return found


def _seconds(text: str) -> float:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise DataError(f"CAP: time {text!r} is not a date and time") from None
    if moment.tzinfo is None:
        raise DataError(f"CAP: time {text!r} has no offset from UTC")
    return moment.timestamp()
