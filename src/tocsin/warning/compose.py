"""From what must be said to the message that says it."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Collection, Sequence

import shapely
from shapely.geometry import Polygon

from tocsin.warning.alert import ALL_CLEAR, TAKE_COVER, WITHDRAWN, Footprint, Message, Text
from tocsin.warning.bodies import Body, over_s
from tocsin.warning.chains import Chain, Change, Fresh, Sent, Standing, lately, let_out_s
from tocsin.warning.footprints import POLYGON_CORNERS, area_km2, entered, footprints
from tocsin.warning.gazetteer import Gazetteer
from tocsin.warning.outline import parts_of
from tocsin.warning.phrases import Words
from tocsin.warning.places import Surroundings, places_in, surroundings
from tocsin.warning.plane import BEND_M, Outline, filled, moved, near_each_other, to_lonlat
from tocsin.warning.settings import LEAST_FOOTPRINTS, Settings, corners_left
from tocsin.warning.wording import Times, texts
from tocsin.warning.zones import Zones, touched, zone_name

MOST_BEND_M = 50e3  # beyond the width of what has so long edges
Drawn = tuple[Standing, tuple[Polygon, ...]]  # a footprint, and as a map draws it: lon and lat in degrees

NAMED_ZONES = 6  # of the user's zones in the description of an area; the others are counted


def incident_name(body: Body, taken: Collection[str]) -> str:
    """Name of an incident: the moment of the first suspicion, as in 20241121T021203Z; a number if it is taken."""
    name = base = f"{dt.datetime.fromtimestamp(math.floor(body.first_s), dt.UTC):%Y%m%dT%H%M%SZ}"
    count = 1
    while name in taken:
        count += 1
        name = f"{base}-{count}"
    return name


def updated(
    chain: Chain,
    bodies: Sequence[Body],
    now_s: float,
    sequence: int,
    why: Change,
    settings: Settings,
    gazetteer: Gazetteer,
    words: Words,
    others: Sequence[Standing] = (),
) -> tuple[Chain, Message]:
    """The Alert or Update that puts in force all that a chain's bodies endanger now, and what stands then.

    others: where other chains have people in cover: to them it must not say that they can leave it.
    """
    unexpired = sum(sent.expires_s > now_s for sent in chain.sent)
    room = settings._replace(message_corners=corners_left(settings, unexpired))
    cover = chain.stage == TAKE_COVER
    kept = lately(chain, bodies, now_s, settings) if cover else ()
    drawn = _fitting(bodies, room, kept)
    standing = tuple(one for one, _ in drawn)
    before = chain.standing if chain.said == TAKE_COVER else ()
    fresh = (*kept, *entered(before, standing, now_s)) if cover else ()
    if why.reduced and _elsewhere(before, standing, others):
        why = why._replace(reduced=False)
    prints = tuple(
        footprint
        for one, polygons in drawn
        for footprint in _footprints(one, polygons, _members(one, bodies), gazetteer)
    )
    impact_s = min(body.impact_s for body in bodies)
    last_s = max(body.latest_s for body in bodies)
    over = max(over_s(body, settings) for body in bodies)
    onset_s = max(now_s, min(body.earliest_s for body in bodies))
    expires_s = over + settings.slack_s
    around = surroundings(prints, gazetteer)
    message = _message(
        chain,
        sequence,
        kind="Update" if chain.sent else "Alert",
        stage=chain.stage,
        said=_said(chain, why),
        now_s=now_s,
        onset_s=onset_s,
        expires_s=expires_s,
        prints=prints,
        settings=settings,
        words=words,
        around=around,
        impact_s=impact_s,
        last_s=last_s,
        over=over,
        reason=f"{why.reason}; {_numbers(bodies, standing)}",
    )._replace(probability=max(body.existence * body.held for body in bodies), area_km2=area_km2(standing))
    message = _zoned(message, gazetteer.zones)
    return (
        _told(chain, message)._replace(
            said=chain.stage,
            standing=standing,
            footprints=prints,
            fresh=fresh,
            told=tuple(body.track for body in bodies),
            onset_s=onset_s,
            expires_s=expires_s,
            impact_s=impact_s,
            sent_s=now_s,
            due_s=let_out_s(fresh, settings),
        ),
        message,
    )


def ended(
    chain: Chain,
    now_s: float,
    sequence: int,
    settings: Settings,
    gazetteer: Gazetteer,
    words: Words,
    held: Collection[str] = (),
    light_s: float = -math.inf,
) -> tuple[Chain, Message]:
    """The message that ends a chain: all-clear where something came down, else the alert is withdrawn.

    held: zones in which another chain still has people in cover; the end of this one is none to them. light_s: until
    when light pieces of the incident may come down.
    """
    over, light = chain.came_down, light_s > now_s
    message = _message(
        chain,
        sequence,
        kind="Update" if over else "Cancel",
        stage=ALL_CLEAR if over else WITHDRAWN,
        said="light" if light else ALL_CLEAR if over else WITHDRAWN,
        now_s=now_s,
        onset_s=now_s,
        expires_s=max(now_s + settings.all_clear_s, light_s),
        prints=chain.footprints,
        settings=settings,
        words=words,
        around=surroundings(chain.footprints, gazetteer),
        impact_s=chain.impact_s,
        last_s=max(light_s, now_s),
        over=now_s,
        reason=(
            "the last arrival and its debris time have passed" if over else "reassessed: nothing comes down"
        )
        + ("" if not light else ", but light pieces"),
    )
    message = message._replace(area_km2=area_km2(chain.standing))
    message = _zoned(message, gazetteer.zones, held)
    return _told(chain, message)._replace(standing=(), due_s=math.inf), message


def _message(
    chain: Chain,
    sequence: int,
    *,
    kind: str,
    stage: str,
    said: str,
    now_s: float,
    onset_s: float,
    expires_s: float,
    prints: tuple[Footprint, ...],
    settings: Settings,
    words: Words,
    around: Surroundings,
    impact_s: float,
    last_s: float,
    over: float,
    reason: str,
) -> Message:
    return Message(
        incident=chain.incident,
        sequence=sequence,
        identifier=f"tocsin-{chain.incident}-{sequence:04d}",
        kind=kind,
        stage=stage,
        status=settings.status,
        sent_s=now_s,
        onset_s=onset_s,
        expires_s=expires_s,
        references=_references(chain, now_s),
        footprints=prints,
        texts=texts(
            said,
            settings.status,
            settings.languages,
            words,
            around,
            Times(now_s, impact_s, last_s, over),
            settings.shelter_s,
        ),
        reason=reason,
        merged=chain.merged,
    )


def _references(chain: Chain, now_s: float) -> tuple[tuple[str, float], ...]:
    """All unexpired messages of a chain, and what has expired, as after a long break, without one that replaced it."""
    return tuple(
        (sent.identifier, sent.sent_s) for sent in chain.sent if sent.expires_s > now_s or not sent.replaced
    )


def _said(chain: Chain, why: Change) -> str:
    """What people read: those who were told to take cover already are told what has changed."""
    if chain.said != TAKE_COVER:
        return chain.stage
    if chain.stage != TAKE_COVER:
        return "eased"
    return "reduced" if why.reduced else "update"


def _zoned(message: Message, zones: Zones | None, held: Collection[str] = ()) -> Message:
    """A message with the user's zones that it concerns; its areas are described by their names first."""
    codes = dict.fromkeys(code for one in message.footprints for code in one.zones if code not in held)
    if zones is None or not codes:
        return message
    return message._replace(
        zones=tuple(codes),
        geocode_name=zones.geocode_name,
        texts=tuple(_naming(text, tuple(codes), zones) for text in message.texts),
    )


def _naming(text: Text, codes: Sequence[str], zones: Zones) -> Text:
    names = ", ".join(zone_name(zones, code, text.language) for code in codes[:NAMED_ZONES])
    more = f" +{len(codes) - NAMED_ZONES}" if len(codes) > NAMED_ZONES else ""
    return text._replace(area_description=f"{names}{more}; {text.area_description}")


def _told(chain: Chain, message: Message) -> Chain:
    sent = Sent(message.identifier, message.sent_s, message.expires_s)
    before = (one if one.replaced else one._replace(replaced=True) for one in chain.sent)
    return chain._replace(sent=(*before, sent))


def _fitting(bodies: Sequence[Body], room: Settings, kept: Sequence[Fresh]) -> list[Drawn]:
    """The footprints of bodies, each with its polygons in degrees.

    Long edges take corners of their own there. Where a message has no room for them, the outlines are in fewer corners;
    then further out, by what a map may leave of them.
    """
    drawn = _drawn(footprints(bodies, room, kept), BEND_M)
    over = _corners(drawn) - room.message_corners
    if over <= 0:
        return drawn
    least = LEAST_FOOTPRINTS * (room.least_corners + POLYGON_CORNERS)
    plain = footprints(bodies, room._replace(message_corners=max(least, room.message_corners - over)), kept)
    drawn, bend_m = _drawn(plain, BEND_M), BEND_M
    while _corners(drawn) > room.message_corners and bend_m < MOST_BEND_M:
        bend_m *= 2.0
        drawn = _drawn([wider for one in plain for wider in _wider(one, bend_m)], bend_m)
    return drawn


def _drawn(standing: Sequence[Standing], bend_m: float) -> list[Drawn]:
    return [(one, to_lonlat(one.plane, one.polygon, bend_m=bend_m)) for one in standing]


def _elsewhere(before: Sequence[Standing], after: Sequence[Standing], others: Sequence[Standing]) -> bool:
    """Whether a place that is let go is held by another chain."""

    def near(one: Standing, some: Sequence[Standing]) -> Outline:
        found = [
            moved(other.polygon, other.plane, one.plane)
            for other in some
            if near_each_other(one.plane, one.polygon, other.plane, other.polygon, 0.0)
        ]
        return filled(shapely.union_all(found))

    return any(one.polygon.difference(near(one, after)).intersects(near(one, others)) for one in before)


def _wider(standing: Standing, margin_m: float) -> tuple[Standing, ...]:
    wide = filled(standing.polygon.buffer(margin_m, join_style="mitre", mitre_limit=2.0))
    return tuple(standing._replace(polygon=part) for part in parts_of(wide))


def _corners(drawn: Sequence[Drawn]) -> int:
    """Corners for which a message needs room."""
    return sum(len(part.exterior.coords) - 1 + POLYGON_CORNERS for _, parts in drawn for part in parts)


def _members(standing: Standing, bodies: Sequence[Body]) -> tuple[Body, ...]:
    return tuple(body for body in bodies if body.track in standing.tracks)


def _footprints(
    standing: Standing, polygons: Sequence[Polygon], bodies: Sequence[Body], gazetteer: Gazetteer
) -> tuple[Footprint, ...]:
    out = []
    for polygon in polygons:
        places, population = places_in(polygon, gazetteer)
        out.append(
            Footprint(
                polygon=polygon,
                tracks=standing.tracks,
                impact_time_s=min(body.impact_s for body in bodies),
                last_impact_time_s=max(body.latest_s for body in bodies),
                places=places,
                population=population,
                zones=touched((polygon,), gazetteer.zones),
            )
        )
    return tuple(out)


def _numbers(bodies: Sequence[Body], standing: Sequence[Standing]) -> str:
    largest = max(bodies, key=lambda body: body.area_km2)
    first = min(bodies, key=lambda body: body.impact_s)
    moment = dt.datetime.fromtimestamp(round(first.impact_s), dt.UTC)
    return (
        f"{len(bodies)} tracks, {len(standing)} footprints of {area_km2(standing):.1f} km2, "
        f"largest 99 % area {largest.area_km2:.1f} km2 (track {largest.track}), least existence "
        f"{min(body.existence for body in bodies):.3f}, first arrival {moment:%H:%M:%S} UTC "
        f"sigma {first.sigma_s:.1f} s (track {first.track})"
    )
