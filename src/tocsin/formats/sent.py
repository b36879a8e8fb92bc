"""What a replay said to the public and decided, read back: CAP messages with alerts.geojson, and events.jsonl."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from shapely.geometry import Polygon

from tocsin.errors import DataError
from tocsin.formats.cap import CapInfo, CapMessage, read_cap
from tocsin.warning.alert import Text


class Sent(NamedTuple):
    """One message, as it stands in the files."""

    number: int  # from 1, in the order sent
    file: str  # alerts/0001.xml
    identifier: str
    kind: str  # Alert, Update or Cancel
    stage: str  # prepare, take-cover, all-clear or withdrawn
    status: str
    sent_s: float  # to the millisecond where alerts.geojson tells
    expires_s: float  # NaN where it says none
    incidents: tuple[str, ...]  # the first is its own, the others turned out to be the same
    references: tuple[str, ...]
    polygons: tuple[Polygon, ...]  # lon, lat in degrees
    probability: float  # NaN where it says none
    first_arrival_s: float  # NaN where it says none
    tracks: tuple[str, ...]
    reason: str
    text: Text  # the English one, else the first
    languages: tuple[str, ...]


class Happened(NamedTuple):
    """One line of events.jsonl."""

    number: int  # of the line, from 1
    time_s: float
    incident: str
    kind: str  # stage, message or merged
    values: Mapping[str, Any]  # all that the line says


def read_sent(folder: Path, cap: Sequence[tuple[str, bytes]]) -> tuple[Sent, ...]:
    """The messages of a folder of results, in the order sent.

    ``cap``: name and text of each, as `read_results` has them. Raises DataError that names the file at fault.
    """
    more = _properties(folder / "alerts.geojson")
    return tuple(_sent(i, name, data, more) for i, (name, data) in enumerate(cap, start=1))


def _properties(path: Path) -> dict[str, Mapping[str, Any]]:
    """By identifier what alerts.geojson says beyond CAP; nothing where it is not there."""
    if not path.is_file():
        return {}
    try:
        features = json.loads(path.read_text(encoding="utf-8"))["features"]
        return {feature["properties"]["identifier"]: feature["properties"] for feature in features}
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path}: is not a collection of messages ({error!r})") from error


def _sent(number: int, name: str, data: bytes, more: Mapping[str, Mapping[str, Any]]) -> Sent:
    file = f"alerts/{name}"
    try:
        message = read_cap(data)
    except DataError as error:
        raise DataError(f"{file}: {error}") from error
    if not message.infos:
        raise DataError(f"{file}: has no info: nothing is said to anyone")
    info = _english(message)
    extra = more.get(message.identifier, {})
    rings = dict.fromkeys(ring for one in message.infos for ring in one.polygons)  # once for all languages
    arrival = info.parameters.get("tocsin:first-arrival")
    try:
        return Sent(
            number=number,
            file=file,
            identifier=message.identifier,
            kind=message.kind,
            stage=info.parameters.get("tocsin:stage") or _stage(message, info),
            status=message.status,
            sent_s=_time(str(extra["sent"])) if "sent" in extra else message.sent_s,
            expires_s=info.expires_s,
            incidents=message.incidents or (message.identifier,),
            references=tuple(identifier for _, identifier, _ in message.references),
            polygons=tuple(Polygon([(lon, lat) for lat, lon in ring]) for ring in rings),
            probability=float(info.parameters.get("tocsin:probability", math.nan)),
            first_arrival_s=math.nan if arrival is None else _time(arrival),
            tracks=tuple(extra.get("tracks", ())),
            reason=str(extra.get("reason", "")),
            text=info.text,
            languages=tuple(one.text.language for one in message.infos),
        )
    except ValueError as error:
        raise DataError(f"{file}: {error}") from error


def _english(message: CapMessage) -> CapInfo:
    return next((one for one in message.infos if one.text.language.startswith("en")), message.infos[0])


def _stage(message: CapMessage, info: CapInfo) -> str:
    """The stage of a message that does not name it."""
    if message.kind == "Cancel":
        return "withdrawn"
    if "AllClear" in info.response:
        return "all-clear"
    return "prepare" if "Prepare" in info.response else "take-cover"


def _time(text: str) -> float:
    found = datetime.fromisoformat(text)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def read_happened(folder: Path) -> tuple[Happened, ...] | None:
    """The events of a folder of results in their order; None where it has no events.jsonl. Raises DataError."""
    path = folder / "events.jsonl"
    if not path.is_file():
        return None
    out = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            values = json.loads(line)
            time_s = _time(values["time"])
            out.append(Happened(number, time_s, str(values["incident"]), str(values["kind"]), values))
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"{path}, line {number}: is not an event ({error!r})") from error
    return tuple(out)
