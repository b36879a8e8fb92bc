"""From files to the values that scoring takes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tocsin.errors import DataError
from tocsin.formats.cap import read_cap
from tocsin.formats.recording import read_recording
from tocsin.formats.results import Results
from tocsin.formats.truth import Oracle, read_truth
from tocsin.metrics.coverage import Predictions
from tocsin.metrics.follow import Tracks
from tocsin.metrics.lead import Notice
from tocsin.metrics.paths import Bound, Impact, Truth
from tocsin.prediction.forecast import QUANTILES, Forecast
from tocsin.sensors.plots import Floats
from tocsin.units import DEGREE_RAD
from tocsin.warning.alert import ALL_CLEAR, Message


def read_truth_of(folder: str | Path) -> Truth:
    """The truth of a recording, with its sensors and its span of time. Raises DataError."""
    recording = read_recording(folder)
    flown, fallen, oracle = read_truth(folder)
    kind, time_s, state = {}, {}, {}
    names = np.array(flown.name)
    for name in sorted(set(flown.name)):
        rows = np.flatnonzero(names == name)
        moments, first = np.unique(flown.time_s[rows], return_index=True)
        if len(moments) >= 2:  # between them there is nothing to compare with
            kind[name] = flown.kind[rows[0]]
            time_s[name], state[name] = moments, flown.state[rows[first]]
    if not recording.plots.count:
        raise DataError(f"{folder}: has no plots; there is nothing to score")
    start_s = float(recording.plots.time_s.min())
    end_s = max([float(recording.plots.time_s.max()), *(rows[-1] for rows in time_s.values())])
    impacts = tuple(Impact(*row) for row in fallen)
    return Truth(start_s, end_s, kind, time_s, state, impacts, _bounds(oracle), recording.sensors)


def _bounds(oracle: Oracle | None) -> dict[str, Bound]:
    if oracle is None:
        return {}
    names, out = np.array(oracle.name), {}
    for name in sorted(set(oracle.name)):
        rows = np.flatnonzero(names == name)
        rows = rows[np.argsort(oracle.time_s[rows], kind="stable")]
        out[name] = Bound(
            oracle.time_s[rows],
            oracle.pos_sigma_m[rows],
            oracle.impact_area99_km2[rows],
            oracle.in_view[rows],
            oracle.plots_so_far[rows],
        )
    return out


def rows_of(results: Results) -> tuple[Tracks, Predictions]:
    """Tracks and forecasts of a replay as columns."""
    rows, forecasts = results.rows, results.forecasts
    tracks = Tracks(
        tuple(r.track for r in rows),
        np.array([r.time_s for r in rows], float),
        np.array([r.state for r in rows], float).reshape(-1, 6),
        np.array([r.covariance for r in rows], float).reshape(-1, 6, 6),
        tuple(r.phase for r in rows),
        np.array([r.existence for r in rows], float),
    )
    told = any(f.time_quantiles_s is not None for f in forecasts)

    def late_s(f: Forecast) -> Floats:
        return np.full(len(QUANTILES), np.nan) if f.time_quantiles_s is None else f.time_quantiles_s

    predictions = Predictions(
        np.array([f.issued_s for f in forecasts], float),
        tuple(f.track for f in forecasts),
        np.array([f.impact_time_s for f in forecasts], float),
        np.array([f.impact_time_sigma_s for f in forecasts], float),
        np.array([f.latitude_rad for f in forecasts], float) / DEGREE_RAD,
        np.array([f.longitude_rad for f in forecasts], float) / DEGREE_RAD,
        np.array([f.covariance_m2 for f in forecasts], float).reshape(-1, 2, 2),
        tuple(f.area for f in forecasts),
        (tuple(f.area_50 for f in forecasts), tuple(f.area_90 for f in forecasts)) if told else (),
        np.array([late_s(f) for f in forecasts], float).reshape(-1, len(QUANTILES)) if told else None,
    )
    return tracks, predictions


def read_notices(cap: Sequence[tuple[str, bytes]]) -> list[Notice]:
    """What counts of CAP messages, in the order sent. Raises DataError that names the file."""
    notices = []
    for name, data in cap:
        try:
            message = read_cap(data)
        except DataError as error:
            raise DataError(f"alerts/{name}: {error}") from error
        expires = [info.expires_s for info in message.infos if not math.isnan(info.expires_s)]
        # once for all languages
        rings = dict.fromkeys(ring for info in message.infos for ring in info.polygons)
        notices.append(
            Notice(
                message.identifier,
                message.kind,
                message.sent_s,
                min(expires, default=math.inf),
                bool(message.infos) and all(info.response == ("AllClear",) for info in message.infos),
                tuple(identifier for _, identifier, _ in message.references),
                tuple(np.array(ring, float).reshape(-1, 2) for ring in rings),
            )
        )
    return notices


def notices_of(messages: Sequence[Message]) -> list[Notice]:
    """What counts of messages, in the order sent: the same as what is read of their CAP."""
    return [
        Notice(
            message.identifier,
            message.kind,
            float(math.ceil(message.sent_s - 1e-6)),
            float(math.ceil(message.expires_s)),
            message.stage == ALL_CLEAR,
            tuple(identifier for identifier, _ in message.references),
            tuple(
                np.asarray(footprint.polygon.exterior.coords)[:, 1::-1] for footprint in message.footprints
            ),
        )
        for message in messages
    ]
