"""Warnings as GeoJSON (RFC 7946): one feature a message, with what it alerted."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Sequence
from typing import Any

from tocsin.warning.alert import Message


def alerts_geojson(messages: Sequence[Message]) -> bytes:
    """All messages in the order sent. ``sent`` is the moment of the decision, to the millisecond.

    CAP's ``sent`` is the same, rounded up to the whole second.
    """
    collection = {"type": "FeatureCollection", "features": [_feature(message) for message in messages]}
    return (json.dumps(collection, ensure_ascii=False, separators=(",", ":")) + "\n").encode()


def _feature(message: Message) -> dict[str, Any]:
    return {
        "type": "Feature",
        "geometry": {
            "type": "MultiPolygon",
            "coordinates": [
                [[[round(lon, 4), round(lat, 4)] for lon, lat, *_ in footprint.polygon.exterior.coords]]
                for footprint in message.footprints
            ],
        },
        "properties": {
            "identifier": message.identifier,
            "msgType": message.kind,
            "sent": moment(message.sent_s),
            "onset": moment(message.onset_s),
            "expires": moment(message.expires_s),
            "event": message.texts[0].event if message.texts else "",
            "status": message.status,
            "stage": message.stage,
            "incident": message.incident,
            "sequence": message.sequence,
            "references": [identifier for identifier, _ in message.references],
            "probability": None if math.isnan(message.probability) else round(message.probability, 4),
            "tracks": sorted({track for footprint in message.footprints for track in footprint.tracks}),
            "headline": {text.language: text.headline for text in message.texts},
            "area": {text.language: text.area_description for text in message.texts},
            "zones": list(message.zones),
            "reason": message.reason,
        },
    }


def moment(time_s: float) -> str:
    """ISO 8601 in UTC, to the millisecond."""
    moment = dt.datetime.fromtimestamp(round(time_s * 1000.0) / 1000.0, dt.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
