"""One body each: what its forecasts have said, what is to be done about it, and the outline that it needs.

The outline grows at once and shrinks only after several forecasts agree.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import shapely

from tocsin.prediction.forecast import Area, Forecast
from tocsin.warning.outline import enlarged, enlarged_area_m2, pokes_out, simplified
from tocsin.warning.plane import Outline, Plane, draw, from_lonlat, moved, plane_at
from tocsin.warning.risk import comes_down, risk
from tocsin.warning.settings import Settings

# Stages of a body. Watched: it comes down. Prepared: the chance that it does so on some place is above C/L. Alerted:
# people take cover from it. Light: it comes down, but too slowly to take cover from. Then it is over: passed,
# withdrawn, or its track goes on under another name.
WATCHED, PREPARED, ALERTED, LIGHT = "watched", "prepared", "alerted", "light"
PASSED, WITHDRAWN, SUCCEEDED = "passed", "withdrawn", "succeeded"
OPEN = (WATCHED, PREPARED, ALERTED, LIGHT)

KEEP_S = 2.0  # of the forecasts to agree, one in so much time is kept
MISSED = (
    3.0  # times between its last forecasts without one, after which a body counts as silent (decision 0020)
)
LAST_WORDS = 2  # forecasts that stand alone when nothing more is heard of a body (decision 0020)
RECENTRE_M = 300e3  # a forecast further than this from the point of contact gets a new plane
LEAP_COSINE = 0.5  # a forecast further than 60 degrees from it has nothing in common with those before
BOOST = "boost"  # the phase of a track under thrust
EMPTY = shapely.Polygon()
DOUBTFUL = 0.5  # forecasts of a track less likely than this change no alert


class Seen(NamedTuple):
    """What one forecast said."""

    issued_s: float
    area: Outline | None  # the places above C/L, in the body's plane; None: there are none
    earliest_s: float
    latest_s: float  # latest credible arrival


class Body(NamedTuple):
    """A track that may come down."""

    track: str
    parent: str | None
    incident: str  # "" until it belongs to one
    stage: str
    chain: str  # of messages that it belongs to; "" until people are told of it
    plane: Plane
    first_s: float  # issue of its first forecast that comes down
    last_s: float  # and of its last
    streak: int  # forecasts in a row, up to the last, that are credible
    denials: tuple[float, ...]  # when forecasts in a row, up to the last, said that it does not come down
    doubts: tuple[
        float, ...
    ]  # when forecasts in a row, up to the last, were vaguer than what people were told, or called it light
    recent: tuple[
        Seen, ...
    ]  # oldest first; the last is the latest; empty while nothing is known of an impact
    impact_s: float
    sigma_s: float
    existence: float
    plots: int  # that its track has taken
    held: float  # share of where it comes down that the places above C/L hold, by the latest forecast
    peak_per_km2: float  # and the greatest chance that it comes down on a square kilometre
    area_km2: float  # of the latest forecast's 99 % area
    point: tuple[float, float]  # latest impact point, lon and lat in degrees
    shelter_s: float  # time to shelter where it may come down
    outline: Outline | None  # what should be told, in the plane; None: nothing
    succeeded_by: str

    @property
    def earliest_s(self) -> float:
        """Earliest credible arrival, by the forecasts that must agree; infinite where none says."""
        return min((seen.earliest_s for seen in self.recent), default=math.inf)

    @property
    def latest_s(self) -> float:
        """Latest credible arrival, by the forecasts that must agree; where none says, when it was last heard of."""
        return max((seen.latest_s for seen in self.recent), default=self.last_s)


def observed(body: Body | None, forecast: Forecast, settings: Settings) -> Body | None:
    """A body (None: not known yet) after one more forecast. None: nothing to watch."""
    credible = forecast.existence >= settings.existence
    if not comes_down(forecast):
        if body is not None:
            return _denied(body, forecast, settings)
        return _new(forecast, settings) if credible and forecast.phase == BOOST else None
    if body is None:
        if not credible:
            return None
        body = _new(forecast, settings)
    if body.stage == ALERTED and forecast.existence < DOUBTFUL:
        return body
    if body.stage not in OPEN:  # starts anew
        body = _new(forecast, settings)._replace(incident=body.incident)
    found = risk(forecast, settings.cost_loss_per_km2, settings.light_loss)
    light = forecast.light and not settings.light_loss > 0.0
    if body.chain and found.area is None and not light:
        return body._replace(last_s=forecast.issued_s, denials=())  # too vague to say where
    vaguer = body.stage == ALERTED and found.held < min(settings.least_held, body.held)
    if body.chain and (light or vaguer):
        doubts = (*body.doubts, forecast.issued_s)  # lighter or vaguer than before: only if it stays so
        if not _agreed(doubts, settings):
            return body._replace(last_s=forecast.issued_s, denials=(), doubts=_kept(doubts, settings))
    if light:
        body = body if body.stage == LIGHT else body._replace(stage=LIGHT, chain="", recent=(), outline=None)
    elif body.stage == LIGHT:
        body = body._replace(stage=WATCHED)
    body = _centred(body, forecast)
    body = body._replace(
        parent=forecast.parent or body.parent,
        last_s=forecast.issued_s,
        streak=body.streak + 1 if credible and not light else 0,
        denials=(),
        doubts=(),
        recent=_recent(body, forecast, found.area, settings),
        impact_s=forecast.impact_time_s,
        sigma_s=forecast.impact_time_sigma_s,
        existence=forecast.existence,
        plots=forecast.plots,
        held=found.held,
        peak_per_km2=found.peak_per_km2,
        area_km2=forecast.area_km2,
        point=(math.degrees(forecast.longitude_rad), math.degrees(forecast.latitude_rad)),
    )
    return body._replace(outline=_outline(body, settings))


def preparable(body: Body, settings: Settings) -> bool:
    """Whether a watched body is sure enough, and some place likely enough to be hit, to prepare for it."""
    return body.stage == WATCHED and told_where(body, settings)


def alertable(body: Body, now_s: float, settings: Settings) -> bool:
    """Whether people should take cover from a body that they were not told to take cover from yet.

    That is when the places above C/L hold nearly all of where it comes down, or when waiting for a better forecast
    would leave less than the time to shelter.
    """
    return act_s(body, settings) <= now_s


def act_s(body: Body, settings: Settings) -> float:
    """When people must take cover from a body of which nothing more is heard; infinite where that is not due."""
    if body.stage not in (WATCHED, PREPARED) or not told_where(body, settings):
        return math.inf
    return body.earliest_s - (settings.within_s if body.held >= settings.hold else body.shelter_s)


def told_where(body: Body, settings: Settings) -> bool:
    """Whether enough forecasts in a row have said where a body comes down."""
    return body.streak >= settings.forecasts and bool(body.recent) and body.recent[-1].area is not None


def outlined(body: Body, now_s: float, settings: Settings) -> Body:
    """A body of which people are told from now on; it may have been silent for long."""
    outline = enlarged(reach(body), settings.scale, settings.margin_m, settings.corners)
    return settled(body._replace(outline=outline), now_s, settings)


def settle_s(body: Body, settings: Settings) -> float:
    """When the last forecasts of a body of which nothing more is heard may stand alone; infinite where they do."""
    if body.outline is None or len(body.recent) <= LAST_WORDS:
        return math.inf
    return silent_s(body, settings)


def silent_s(body: Body, settings: Settings) -> float:
    """When a body counts as silent, if no more is heard of it: one that is rarely heard of, later."""
    last = body.recent[-LAST_WORDS:]
    apart_s = last[-1].issued_s - last[0].issued_s if last else 0.0
    return body.last_s + max(settings.silence_s, MISSED * apart_s)


def settled(body: Body, now_s: float, settings: Settings) -> Body:
    """A body at a moment without a forecast of it: what its last forecasts agree on holds when none has come since."""
    if body.outline is None or settle_s(body, settings) > now_s:
        return body
    body = body._replace(recent=body.recent[-LAST_WORDS:])
    return body._replace(outline=_shrunk(body, body.outline, settings))


def over_s(body: Body, settings: Settings) -> float:
    """When the danger from a body is over, if no more is heard of it."""
    return body.latest_s + (settings.debris_s if body.recent else settings.unseen_s)


def reach(body: Body) -> Outline:
    """The places that the latest forecast which says so puts above C/L, in the body's plane."""
    return next((seen.area for seen in reversed(body.recent) if seen.area is not None), EMPTY)


def succeeds(new: Body, old: Body, settings: Settings) -> bool:
    """Whether a track may be what became of a lost one: found about then, bound for the same place and time."""
    if old.outline is None or (new.first_s < old.last_s - settings.succeed_s and new.parent != old.track):
        return False
    if new.first_s > old.last_s + settings.succeed_s:
        return False
    spread_s = max(settings.sigmas * math.hypot(new.sigma_s, old.sigma_s), 10.0)
    if not abs(new.impact_s - old.impact_s) <= spread_s:
        return False
    x_m, y_m = draw(old.plane, np.array([new.point]))[0]
    return bool(old.outline.covers(shapely.Point(x_m, y_m)))


def _new(forecast: Forecast, settings: Settings) -> Body:
    known = comes_down(forecast)
    latitude, longitude = (forecast.latitude_rad, forecast.longitude_rad) if known else (0.0, 0.0)
    body = unheard(forecast.track, plane_at(latitude, longitude), forecast.issued_s)
    return body._replace(
        parent=forecast.parent,
        impact_s=forecast.impact_time_s,
        sigma_s=forecast.impact_time_sigma_s,
        existence=forecast.existence,
        plots=forecast.plots,
        area_km2=forecast.area_km2,
        point=(math.degrees(longitude), math.degrees(latitude)),
        shelter_s=settings.shelter_s,
    )


def unheard(track: str, plane: Plane, at_s: float) -> Body:
    """A watched body of which no forecast has said anything yet."""
    return Body(
        track=track,
        parent=None,
        incident="",
        stage=WATCHED,
        chain="",
        plane=plane,
        first_s=at_s,
        last_s=at_s,
        streak=0,
        denials=(),
        doubts=(),
        recent=(),
        impact_s=math.nan,
        sigma_s=math.nan,
        existence=0.0,
        plots=0,
        held=0.0,
        peak_per_km2=0.0,
        area_km2=math.nan,
        point=(0.0, 0.0),
        shelter_s=0.0,
        outline=None,
        succeeded_by="",
    )


def _denied(body: Body, forecast: Forecast, settings: Settings) -> Body:
    if (
        forecast.phase == BOOST and body.stage != ALERTED
    ):  # where it comes down is not known, which denies nothing
        return body._replace(streak=0, denials=(), last_s=forecast.issued_s, plots=forecast.plots)
    if body.stage not in OPEN:
        return body
    denials = (*body.denials, forecast.issued_s)
    if _agreed(denials, settings):
        return body._replace(stage=WITHDRAWN, streak=0, denials=(), outline=None)
    return body._replace(streak=0, denials=_kept(denials, settings))


def _agreed(moments: tuple[float, ...], settings: Settings) -> bool:
    """Whether forecasts in a row at these moments are enough, over long enough."""
    return len(moments) >= settings.agree_forecasts and moments[-1] - moments[0] >= settings.agree_s


def _kept(moments: tuple[float, ...], settings: Settings) -> tuple[float, ...]:
    """Of a long row of moments the first and the latest matter."""
    return moments if len(moments) <= settings.agree_forecasts else (*moments[:-2], moments[-1])


def _centred(body: Body, forecast: Forecast) -> Body:
    """The body in a plane that touches near its forecast."""
    fresh = plane_at(forecast.latitude_rad, forecast.longitude_rad)
    cosine = float(np.dot(fresh.axes[2], body.plane.axes[2]))
    if cosine >= math.cos(RECENTRE_M / body.plane.radius_m):
        return body
    if cosine < LEAP_COSINE:  # no plane shows both; the latest forecast knows more
        return body._replace(plane=fresh, recent=(), outline=None)
    return body._replace(
        plane=fresh,
        recent=tuple(
            seen._replace(area=None if seen.area is None else moved(seen.area, body.plane, fresh))
            for seen in body.recent
        ),
        outline=None if body.outline is None else moved(body.outline, body.plane, fresh),
    )


def _recent(body: Body, forecast: Forecast, area: Area | None, settings: Settings) -> tuple[Seen, ...]:
    """The forecasts that must agree before the outline shrinks: enough of them, over long enough."""
    spread_s = settings.sigmas * (
        forecast.impact_time_sigma_s if math.isfinite(forecast.impact_time_sigma_s) else 0.0
    )
    earliest_s, latest_s = forecast.earliest_s, forecast.latest_s
    seen = Seen(
        forecast.issued_s,
        None if area is None else from_lonlat(body.plane, area),
        earliest_s if math.isfinite(earliest_s) else forecast.impact_time_s - spread_s,
        latest_s if math.isfinite(latest_s) else forecast.impact_time_s + spread_s,
    )
    recent = body.recent
    if len(recent) >= 2 and recent[-1].issued_s - recent[-2].issued_s < KEEP_S:
        recent = recent[:-1]
    recent = (*recent, seen)
    while len(recent) > settings.agree_forecasts and recent[1].issued_s <= seen.issued_s - settings.agree_s:
        recent = recent[1:]
    return recent


def _outline(body: Body, settings: Settings) -> Outline | None:
    """What should be told of a body after its latest forecast; None where people are not told of it."""
    area, old = body.recent[-1].area, body.outline
    if area is None or not body.chain:
        return None
    if old is None:  # it has leapt to where no outline could be moved to
        return enlarged(area, settings.scale, settings.margin_m, settings.corners)
    if pokes_out(area, old, settings.poke):
        # by a little more than is needed now, so that the next forecast need not change it again
        new = enlarged(area, settings.scale * settings.slack_scale, settings.margin_m, settings.corners)
        grown = simplified(old.union(new), settings.corners)
        # where both together would alert too much, the latest forecast knows more
        return grown if grown.area <= max(settings.max_area_km2 * 1e6, 1.2 * new.area) else new
    recent = body.recent
    if len(recent) < settings.agree_forecasts or recent[-1].issued_s - recent[0].issued_s < settings.agree_s:
        return old
    return _shrunk(body, old, settings)


def _shrunk(body: Body, old: Outline, settings: Settings) -> Outline:
    """The outline that the forecasts that must agree need together, where it is enough smaller than the old one."""
    most_m2 = settings.settle * old.area
    areas = [seen.area for seen in body.recent if seen.area is not None]
    if len(areas) < len(body.recent):
        return old
    # the latest and the oldest first: most often one of them says no
    for area in (areas[-1], *areas[:-1]):
        if enlarged_area_m2(area, settings.scale, settings.margin_m) > most_m2:
            return old
    together = shapely.union_all(areas)
    if enlarged_area_m2(together, settings.scale, settings.margin_m) > most_m2:
        return old
    agreed = enlarged(together, settings.scale, settings.margin_m, settings.corners)
    return agreed if agreed.area <= most_m2 else old
