"""One body each: what its forecasts have said, and the outline that it needs.

The outline grows at once and shrinks only after several forecasts agree.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import shapely

from tocsin.prediction.forecast import Forecast
from tocsin.warning.outline import enlarged, enlarged_area_m2, pokes_out, simplified
from tocsin.warning.plane import Outline, Plane, draw, from_lonlat, moved, plane_at
from tocsin.warning.settings import Settings

# stages of a body: watched until alerted; passed, withdrawn or succeeded when its danger is over
WATCHED, ALERTED, PASSED, WITHDRAWN, SUCCEEDED = "watched", "alerted", "passed", "withdrawn", "succeeded"

KEEP_S = 2.0  # of the forecasts to agree, one in so much time is kept
RECENTRE_M = 300e3  # a forecast further than this from the point of contact gets a new plane
LEAP_COSINE = 0.5  # a forecast further than 60 degrees from it has nothing in common with those before
DOUBTFUL = 0.5  # forecasts of a track less likely than this change no alert


class Seen(NamedTuple):
    """What one forecast said."""

    issued_s: float
    area: Outline  # in the body's plane
    earliest_s: float
    latest_s: float  # latest credible arrival


class Body(NamedTuple):
    """A track that may come down."""

    track: str
    parent: str | None
    stage: str
    chain: str  # of messages that it belongs to; "" until alerted
    plane: Plane
    first_s: float  # issue of its first forecast that comes down
    last_s: float  # and of its last
    streak: int  # forecasts in a row, up to the last, that are credible
    denials: tuple[float, ...]  # when forecasts in a row, up to the last, said that it does not come down
    recent: tuple[Seen, ...]  # oldest first; the last is the latest
    impact_s: float
    sigma_s: float
    existence: float
    area_km2: float  # of the latest forecast's 99 % area
    point: tuple[float, float]  # latest impact point, lon and lat in degrees
    outline: Outline | None  # what should be alerted, in the plane; None: nothing
    succeeded_by: str

    @property
    def earliest_s(self) -> float:
        """Earliest credible arrival, by the forecasts that must agree."""
        return min(seen.earliest_s for seen in self.recent)

    @property
    def latest_s(self) -> float:
        """Latest credible arrival, by the forecasts that must agree."""
        return max(seen.latest_s for seen in self.recent)


def comes_down(forecast: Forecast) -> bool:
    """Whether a forecast has an impact. What the tracker calls other (aircraft, satellites) has none."""
    return (
        forecast.phase != "other"
        and forecast.area is not None
        and not forecast.area.is_empty
        and math.isfinite(forecast.impact_time_s)
        and math.isfinite(forecast.area_km2)
    )


def observed(body: Body | None, forecast: Forecast, settings: Settings) -> Body | None:
    """A body (None: not known yet) after one more forecast. None: nothing to watch."""
    if not comes_down(forecast):
        return None if body is None else _denied(body, forecast, settings)
    credible = forecast.existence >= settings.existence
    if body is None:
        if not credible:
            return None
        body = _new(forecast)
    if body.stage == ALERTED and forecast.existence < DOUBTFUL:
        return body
    if forecast.area_km2 > settings.max_held_area_km2:
        # too vague to say where: what is alerted stays as it is
        if body.stage == ALERTED:
            return body._replace(last_s=forecast.issued_s, denials=())
        return body._replace(streak=body.streak + 1 if credible else 0, denials=(), last_s=forecast.issued_s)
    if body.stage in (PASSED, WITHDRAWN, SUCCEEDED):  # starts anew
        body = body._replace(stage=WATCHED, chain="", outline=None, recent=(), streak=0, succeeded_by="")
    body = _centred(body, forecast)
    body = body._replace(
        parent=forecast.parent or body.parent,
        last_s=forecast.issued_s,
        streak=body.streak + 1 if credible else 0,
        denials=(),
        recent=_recent(body, forecast, settings),
        impact_s=forecast.impact_time_s,
        sigma_s=forecast.impact_time_sigma_s,
        existence=forecast.existence,
        area_km2=forecast.area_km2,
        point=(math.degrees(forecast.longitude_rad), math.degrees(forecast.latitude_rad)),
    )
    return body._replace(outline=_outline(body, settings))


def alertable(body: Body, settings: Settings) -> bool:
    """Whether a watched body is sure enough, and its place known well enough, to alert people."""
    return (
        body.stage == WATCHED
        and body.streak >= settings.forecasts
        and body.outline is not None
        and body.outline.area <= settings.max_area_km2 * 1e6
    )


def over_s(body: Body, settings: Settings) -> float:
    """When the danger from a body is over, if no more is heard of it."""
    return body.latest_s + settings.debris_s


def reach(body: Body) -> Outline:
    """The latest forecast's area, in the body's plane."""
    return body.recent[-1].area


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


def _new(forecast: Forecast) -> Body:
    return Body(
        track=forecast.track,
        parent=forecast.parent,
        stage=WATCHED,
        chain="",
        plane=plane_at(forecast.latitude_rad, forecast.longitude_rad),
        first_s=forecast.issued_s,
        last_s=forecast.issued_s,
        streak=0,
        denials=(),
        recent=(),
        impact_s=forecast.impact_time_s,
        sigma_s=forecast.impact_time_sigma_s,
        existence=forecast.existence,
        area_km2=forecast.area_km2,
        point=(math.degrees(forecast.longitude_rad), math.degrees(forecast.latitude_rad)),
        outline=None,
        succeeded_by="",
    )


def _denied(body: Body, forecast: Forecast, settings: Settings) -> Body:
    denials = (*body.denials, forecast.issued_s)
    if body.stage != ALERTED:
        return body._replace(streak=0, denials=(), recent=(), outline=None)
    agreed = len(denials) >= settings.agree_forecasts and denials[-1] - denials[0] >= settings.agree_s
    if agreed:
        return body._replace(stage=WITHDRAWN, streak=0, denials=(), outline=None)
    # of a long row the first and the latest matter
    kept = denials if len(denials) <= settings.agree_forecasts else (*denials[:-2], denials[-1])
    return body._replace(streak=0, denials=kept)


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
        recent=tuple(seen._replace(area=moved(seen.area, body.plane, fresh)) for seen in body.recent),
        outline=None if body.outline is None else moved(body.outline, body.plane, fresh),
    )


def _recent(body: Body, forecast: Forecast, settings: Settings) -> tuple[Seen, ...]:
    """The forecasts that must agree before the outline shrinks: enough of them, over long enough."""
    if forecast.area is None:
        return body.recent
    spread_s = settings.sigmas * (
        forecast.impact_time_sigma_s if math.isfinite(forecast.impact_time_sigma_s) else 0.0
    )
    area = from_lonlat(body.plane, forecast.area)
    earliest_s, latest_s = forecast.earliest_s, forecast.latest_s
    seen = Seen(
        forecast.issued_s,
        area,
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
    """What should be alerted for a body after its latest forecast; None while that is too vague to alert."""
    latest, old = body.recent[-1], body.outline
    about_m2 = enlarged_area_m2(latest.area, settings.scale, settings.margin_m)
    limit_m2 = settings.max_area_km2 * 1e6
    if body.stage == WATCHED:
        # the outline is worked out only when it may be used at once
        if body.streak < settings.forecasts or about_m2 > limit_m2:
            return None
        return enlarged(latest.area, settings.scale, settings.margin_m, settings.corners)
    if old is None or pokes_out(latest.area, old, settings.poke):
        new = enlarged(latest.area, settings.scale, settings.margin_m, settings.corners)
        grown = new if old is None else simplified(old.union(new), settings.corners)
        # where both together would alert too much, the latest forecast knows more
        return grown if grown.area <= max(limit_m2, 1.2 * new.area) else new
    most_m2 = settings.settle * old.area
    if about_m2 > most_m2:
        return old
    if (
        len(body.recent) < settings.agree_forecasts
        or latest.issued_s - body.recent[0].issued_s < settings.agree_s
    ):
        return old
    if enlarged_area_m2(body.recent[0].area, settings.scale, settings.margin_m) > most_m2:
        return old  # the oldest is the largest, most often
    together = shapely.union_all([seen.area for seen in body.recent])
    if enlarged_area_m2(together, settings.scale, settings.margin_m) > most_m2:
        return old
    agreed = enlarged(together, settings.scale, settings.margin_m, settings.corners)
    return agreed if agreed.area <= most_m2 else old
