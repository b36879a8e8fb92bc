"""Warnings as CAP 1.2 (OASIS Common Alerting Protocol, 1 July 2010): messages to bytes and back.

What the schema misses is in cap_rules.py.
"""

from __future__ import annotations

import datetime as dt
import math
from typing import NamedTuple

from lxml import etree
from shapely.geometry import Polygon

from tocsin.errors import DataError
from tocsin.warning.alert import Message, Text

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
SENDER = "exercise@tocsin.invalid"  # RFC 2606: a name that can never be real
DRILLS = ("Exercise", "Test")

# stage -> responseType, urgency, severity
MEANING = {
    "take-cover": ("Shelter", "Immediate", "Extreme"),
    "all-clear": ("AllClear", "Past", "Minor"),
    "withdrawn": ("AllClear", "Past", "Minor"),
}
NOTE = "Exercise: not a real warning. No action is to be taken on it."
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
    polygons: tuple[tuple[tuple[float, float], ...], ...]  # rings of (lat, lon) in degrees, as they stand
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


def cap_xml(message: Message, sender: str = SENDER) -> bytes:
    """A message as a CAP 1.2 document. Raises DataError unless its status is that of a drill.

    Where the codes of its area make it larger than ROOM_BYTES, blanks between elements go first, and then codes from
    the end of the list; a parameter then says how many. The polygons always stand, and say all.
    """
    codes = geocodes(message)
    out = _document(message, sender, codes)
    if not codes or len(out) <= ROOM_BYTES:
        return out
    out = _document(message, sender, codes, indent=False)
    kept = len(codes)
    while kept and len(out) > ROOM_BYTES:
        each = (len(out) - len(_document(message, sender, (), indent=False))) / kept
        kept -= min(kept, max(1, math.ceil((len(out) - ROOM_BYTES) / each)))
        out = _document(message, sender, codes[:kept], left_out=len(codes) - kept, indent=False)
    return out


def _document(
    message: Message,
    sender: str,
    codes: tuple[tuple[str, str], ...],
    *,
    left_out: int = 0,
    indent: bool = True,
) -> bytes:
    if message.status not in DRILLS:
        raise DataError(
            f"{message.identifier}: status {message.status!r}; this version writes {' or '.join(DRILLS)}"
        )
    alert = etree.Element(f"{{{NAMESPACE}}}alert", nsmap={None: NAMESPACE})
    _add(alert, "identifier", message.identifier)
    _add(alert, "sender", sender)
    _add(alert, "sent", cap_sent(message.sent_s))
    _add(alert, "status", message.status)
    _add(alert, "msgType", message.kind)
    _add(alert, "scope", "Public")
    _add(alert, "note", NOTE)
    if message.references:
        _add(
            alert,
            "references",
            " ".join(
                f"{sender},{identifier},{cap_sent(sent_s)}" for identifier, sent_s in message.references
            ),
        )
    _add(alert, "incidents", " ".join((message.incident, *message.merged)))
    for text in message.texts:
        _info(alert, message, text, codes, left_out)
    out: bytes = etree.tostring(alert, xml_declaration=True, encoding="UTF-8", pretty_print=indent)
    return out


def _info(
    alert: etree._Element, message: Message, text: Text, codes: tuple[tuple[str, str], ...], left_out: int
) -> None:
    response, urgency, severity = MEANING[message.stage]
    over = math.isnan(message.probability)
    certainty = "Observed" if message.stage == "all-clear" else _certainty(message.probability)
    info = etree.SubElement(alert, f"{{{NAMESPACE}}}info")
    _add(info, "language", text.language)
    _add(info, "category", "Safety")
    _add(info, "event", text.event)
    _add(info, "responseType", response)
    _add(info, "urgency", urgency)
    _add(info, "severity", severity)
    _add(info, "certainty", certainty)
    # onset down, expires up: no one is told too little. CAP allows an onset before sent.
    _add(info, "onset", cap_time(math.floor(message.onset_s)))
    _add(info, "expires", cap_time(math.ceil(message.expires_s)))
    _add(info, "headline", text.headline)
    _add(info, "description", text.description)
    _add(info, "instruction", text.instruction)
    _named(info, "parameter", "tocsin:sequence", str(message.sequence))
    _named(info, "parameter", "tocsin:stage", message.stage)
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
    for footprint in message.footprints:
        _add(area, "polygon", _ring(footprint.polygon))
    for name, value in codes:
        _named(area, "geocode", name, value)


def _certainty(probability: float) -> str:
    if math.isnan(probability):
        return "Unlikely"
    return "Likely" if probability >= 0.5 else "Possible"


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


def read_cap(data: bytes) -> CapMessage:
    """A CAP 1.2 document -> what it says. Raises DataError where it is not one, or lacks what CAP requires."""
    try:
        root = etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError as why:
        raise DataError(f"CAP: not well-formed XML: {why}") from None
    if root.tag != f"{{{NAMESPACE}}}alert":
        raise DataError(f"CAP: root element is {root.tag}, not an alert of CAP 1.2")
    references = tuple(tuple(one.split(",")) for one in (_text(root, "references") or "").split())
    wrong = [",".join(one) for one in references if len(one) != 3]
    if wrong:
        raise DataError(f"CAP: reference {wrong[0]!r} is not sender,identifier,sent")
    return CapMessage(
        identifier=_needed(root, "identifier"),
        sender=_needed(root, "sender"),
        sent_s=_seconds(_needed(root, "sent")),
        status=_needed(root, "status"),
        kind=_needed(root, "msgType"),
        scope=_needed(root, "scope"),
        references=tuple((one[0], one[1], one[2]) for one in references),
        incidents=tuple((_text(root, "incidents") or "").split()),
        infos=tuple(_read_info(info) for info in root.findall(f"{{{NAMESPACE}}}info")),
    )


def _read_info(info: etree._Element) -> CapInfo:
    def optional_time(tag: str) -> float:
        found = _text(info, tag)
        return math.nan if found is None else _seconds(found)

    areas = info.findall(f"{{{NAMESPACE}}}area")
    return CapInfo(
        text=Text(
            language=_text(info, "language") or "en-US",  # the schema's default
            event=_needed(info, "event"),
            headline=_text(info, "headline") or "",
            description=_text(info, "description") or "",
            instruction=_text(info, "instruction") or "",
            area_description="; ".join(_needed(area, "areaDesc") for area in areas),
        ),
        response=tuple(one.text or "" for one in info.findall(f"{{{NAMESPACE}}}responseType")),
        urgency=_needed(info, "urgency"),
        severity=_needed(info, "severity"),
        certainty=_needed(info, "certainty"),
        onset_s=optional_time("onset"),
        expires_s=optional_time("expires"),
        parameters={
            _needed(one, "valueName"): _text(one, "value") or ""
            for one in info.findall(f"{{{NAMESPACE}}}parameter")
        },
        polygons=tuple(
            _read_ring(one.text or "") for area in areas for one in area.findall(f"{{{NAMESPACE}}}polygon")
        ),
        geocodes=tuple(
            (_needed(one, "valueName"), _needed(one, "value"))
            for area in areas
            for one in area.findall(f"{{{NAMESPACE}}}geocode")
        ),
    )


def _read_ring(text: str) -> tuple[tuple[float, float], ...]:
    try:
        pairs = [tuple(float(number) for number in pair.split(",")) for pair in text.split()]
        return tuple((lat, lon) for lat, lon in pairs)
    except ValueError:
        raise DataError(f"CAP: polygon {text[:40]!r} is not a list of lat,lon pairs") from None


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
