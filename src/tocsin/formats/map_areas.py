"""Areas of the map page: where tracks come down, and where what they may still release would."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tocsin.formats.map_units import rings, tenths, thinned_together
from tocsin.prediction.forecast import Forecast
from tocsin.tracking.tracks import TrackRow

# Caps that keep the page small: about 300 bytes an area.
MAX_AREAS = 600
MAX_RELEASES = 300  # areas of what may still be released
MIN_AREA_STEP_S = 4.0  # between areas of one track: the eye does not follow more
# A last area stays on the map until its impact is this many sigmas old.
LINGER_SIGMAS = 3.0
# ... if its track was believed in to the end; one that was given up takes its area with it.
BELIEVED = 0.9


def areas(forecasts: Sequence[Forecast], ends: dict[str, TrackRow], start_s: float) -> list[list[Any]]:
    """One row an area: track, from, until (tenths), rings."""
    by_track: dict[str, list[Forecast]] = {}
    for forecast in forecasts:
        if forecast.track in ends:
            by_track.setdefault(forecast.track, []).append(forecast)
    for own in by_track.values():
        own.sort(key=lambda f: f.issued_s)
    kept = thinned_together(
        [np.array([f.issued_s for f in own]) for own in by_track.values()], MIN_AREA_STEP_S, MAX_AREAS
    )
    numbers = {name: i for i, name in enumerate(ends)}
    found: list[list[Any]] = []
    for (track, own), indices in zip(by_track.items(), kept, strict=True):
        for k, i in enumerate(indices):
            forecast = own[i]
            if forecast.area is None or forecast.area.is_empty or not math.isfinite(forecast.impact_time_s):
                continue
            spread_s = LINGER_SIGMAS * forecast.impact_time_sigma_s
            over_s = forecast.impact_time_s + (spread_s if math.isfinite(spread_s) else 0.0)
            if k + 1 < len(indices):
                until_s = own[indices[k + 1]].issued_s
            elif ends[track].existence >= BELIEVED:
                until_s = max(over_s, forecast.issued_s)
            else:
                until_s = max(ends[track].time_s, forecast.issued_s)
            found.append([
                numbers[track],
                tenths(forecast.issued_s - start_s),
                tenths(until_s - start_s),
                rings(forecast.area),
            ])  # fmt: skip
    return found


def releases(forecasts: Sequence[Forecast], ends: dict[str, TrackRow], start_s: float) -> list[list[Any]]:
    """Areas of what tracks may still release, as `areas`: each until the next, or until nothing more can be."""
    by_track: dict[str, list[Forecast]] = {}
    for forecast in sorted(forecasts, key=lambda f: f.issued_s):
        if forecast.track in ends:
            by_track.setdefault(forecast.track, []).append(forecast)
    by_track = {name: own for name, own in by_track.items() if any(f.may_release for f in own)}
    kept = thinned_together(
        [np.array([f.issued_s for f in own]) for own in by_track.values()], MIN_AREA_STEP_S, MAX_RELEASES
    )
    numbers = {name: i for i, name in enumerate(ends)}
    found: list[list[Any]] = []
    for (track, own), indices in zip(by_track.items(), kept, strict=True):
        for k, i in enumerate(indices):
            may = own[i].may_release
            if may is None or may.areas[-1].is_empty:
                continue
            after_s = own[indices[k + 1]].issued_s if k + 1 < len(indices) else ends[track].time_s
            until_s = max(min(after_s, may.until_s), own[i].issued_s)
            found.append([
                numbers[track],
                tenths(own[i].issued_s - start_s),
                tenths(until_s - start_s),
                rings(may.areas[-1]),
            ])  # fmt: skip
    return found
