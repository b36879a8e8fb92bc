"""Which places a forecast makes worth warning: those where the chance of an impact is above C/L.

Warning a place costs C whether or not something comes down there; not warning it loses L if something does. It is
worth warning where the chance is above C/L (the cost-loss rule: Murphy 1977, Monthly Weather Review 105, 803-816). A
place here is a square kilometre, so C/L is a chance per square kilometre, and the places above it are a region of
highest density.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from tocsin.prediction.area import polygons
from tocsin.prediction.forecast import Area, Forecast
from tocsin.prediction.region import above

M2_IN_KM2 = 1e6


class Risk(NamedTuple):
    """What one forecast means for the places below."""

    area: Area | None  # lon, lat in degrees: where the chance is above C/L; None: nowhere
    area_km2: float
    held: float  # share of where it comes down that these places hold
    peak_per_km2: float  # the greatest chance that it comes down on a square kilometre


def comes_down(forecast: Forecast) -> bool:
    """Whether a forecast has an impact. What the tracker calls other (aircraft, satellites) has none."""
    return (
        forecast.phase != "other"
        and forecast.danger is not None
        and len(forecast.danger.weight) > 0
        and math.isfinite(forecast.impact_time_s)
        and math.isfinite(forecast.latitude_rad + forecast.longitude_rad)
    )


def risk(forecast: Forecast, cost_loss_per_km2: float, light_loss: float) -> Risk:
    """Where the chance that a track is real, and comes down there as a dangerous body, is above C/L.

    light_loss: what is lost where a light body comes down, over what is lost where a dangerous one does.
    """
    chance = forecast.existence * (light_loss if forecast.light else forecast.danger_share)
    if forecast.danger is None or not chance > 0.0:
        return Risk(None, 0.0, 0.0, 0.0)
    corners, parts, area_m2, held, greatest = above(*forecast.danger, cost_loss_per_km2 / M2_IN_KM2 / chance)
    peak = chance * min(greatest * M2_IN_KM2, 1.0)
    if not len(parts):
        return Risk(None, 0.0, 0.0, peak)
    (area,) = polygons(forecast.latitude_rad, forecast.longitude_rad, corners, parts, 1)
    return Risk(area, area_m2 / M2_IN_KM2, held, peak)
