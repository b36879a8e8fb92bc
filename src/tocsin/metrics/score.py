"""One verdict on a replay: its tracks, forecasts and messages against the truth of the recording."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from tocsin.metrics.consistency import nees
from tocsin.metrics.coverage import Predictions, bound_lead_s, judge, summary
from tocsin.metrics.existence import EDGES, reliability
from tocsin.metrics.follow import HOLD_S, Following, Tracks, follow, moment_of
from tocsin.metrics.gospa import CUT_OFF_M
from tocsin.metrics.lead import Notice, Warned, warned
from tocsin.metrics.paths import BALLISTIC, DANGEROUS, Truth, interpolate
from tocsin.sensors.plots import Ints

NEES_BLOCK_S = 20.0  # one row of a track in so many seconds is taken: rows close together are alike
MANY_OBJECTS, STEP_S, COARSE_STEP_S = 300, 1.0, 5.0
WARNABLE_S = 30.0


def score(
    truth: Truth, tracks: Tracks, predictions: Predictions, notices: Sequence[Notice]
) -> dict[str, Any]:
    """All figures, as plain numbers, lists and tables by name; None where there is nothing to count."""
    step_s = STEP_S if len(truth.kind) <= MANY_OBJECTS else COARSE_STEP_S
    following = follow(truth, tracks, step_s)

    def object_of(track: str, time_s: float) -> str | None:
        j = int((time_s - truth.start_s) / step_s + 1e-9)
        return following.object_at(track, j, j + 1, j - 1)

    judged, denied, lost = judge(truth, predictions, object_of)
    verdict = warned(notices, truth.impacts, truth.end_s)
    return {
        "duration_s": truth.end_s - truth.start_s,
        "objects": len(truth.kind),
        "impacts": len(truth.impacts),
        "tracking": _tracking(truth, tracks, following),
        "prediction": {
            "rows": len(predictions.track),
            "rows_of_tracks_without_object": lost,
            "rows_denying_a_true_impact": denied,
            **summary(truth, judged),
        },
        "warning": _warning(truth, notices, verdict),
    }


def _tracking(truth: Truth, tracks: Tracks, following: Following) -> dict[str, Any]:
    each = following.moments
    half = CUT_OFF_M**2 / 2.0
    out: dict[str, Any] = {
        "step_s": following.step_s,
        "tracks": len(following.tracks),
        "gospa_m": float(np.mean([g.total_m() for g in each])),
        "gospa_localisation_m": float(np.mean([np.sqrt(g.localisation_m2) for g in each])),
        "gospa_missed_m": float(np.mean([np.sqrt(half * g.missed) for g in each])),
        "gospa_false_m": float(np.mean([np.sqrt(half * g.false) for g in each])),
        "missed_per_moment": float(np.mean([g.missed for g in each])),
        "false_per_moment": float(np.mean([g.false for g in each])),
    }
    out["existence"] = _existence(truth, tracks, following)
    mine = _rows_of_objects(truth, tracks, following)
    objects = {
        name: _object(truth, tracks, following, name, mine) for name in truth.kind if _ballistic(truth, name)
    }
    errors, covariances, squares = [], [], []
    for name, rows in mine.items():
        if not _ballistic(truth, name):
            continue
        e = tracks.state[rows] - interpolate(truth.time_s[name], truth.state[name], tracks.time_s[rows])
        squares.append(np.stack([np.sum(e[:, :3] ** 2, axis=1), np.sum(e[:, 3:] ** 2, axis=1)], -1))
        block = np.floor((tracks.time_s[rows] - truth.start_s) / NEES_BLOCK_S)
        _, first = np.unique(
            [f"{tracks.track[r]} {b}" for r, b in zip(rows, block, strict=True)], return_index=True
        )
        errors.append(e[first])
        covariances.append(tracks.covariance[rows[first]])
    if squares:
        both = np.concatenate(squares)
        out["position_rmse_m"], out["velocity_rmse_m_s"] = np.sqrt(both.mean(axis=0)).tolist()
        out["position_error_median_m"] = float(np.median(np.sqrt(both[:, 0])))
        found = nees(np.concatenate(errors), np.concatenate(covariances))
        out["bad_covariances"] = sum(map(len, errors)) - found.samples
        out["nees"] = {
            "mean": found.mean,
            "median": found.median,
            "samples": found.samples,
            "interval95": [found.low, found.high],
        }
    seen = [o for o in objects.values() if o["in_view_s"] > 0.0]
    out["objects_in_view"] = len(seen)
    out["objects_never_tracked"] = sum(o["tracked_s"] == 0.0 for o in seen)
    if seen:
        out["tracked_fraction_mean"] = float(np.mean([o["tracked_s"] / o["in_view_s"] for o in seen]))
        ids = [o["track_ids"] for o in seen if o["track_ids"]]
        out["track_ids_per_tracked_object"] = float(np.mean(ids)) if ids else None
        out["switches"] = sum(o["switches"] for o in seen)
    ratios = [o["position_over_bound"] for o in objects.values() if o["position_over_bound"] is not None]
    out["position_error_over_bound_median"] = float(np.median(ratios)) if ratios else None
    delays = [o["first_track_delay_s"] for o in objects.values() if o["first_track_delay_s"] is not None]
    out["first_track_delay_median_s"] = float(np.median(delays)) if delays else None
    out["first_track_delay_max_s"] = max(delays, default=None)
    out["by_object"] = objects
    return out


def _existence(truth: Truth, tracks: Tracks, following: Following) -> dict[str, Any]:
    """Stated probabilities of existence against whether the track followed an object, whatever kind of one.

    One row of a track in `NEES_BLOCK_S`. A track whose object has just ended is left out: it cannot know yet.
    """
    stated, real = [], []
    for track, rows in following.rows.items():
        taken, last = -1, -math.inf
        for row in rows.tolist():
            time_s = float(tracks.time_s[row])
            j = moment_of(following, time_s)
            follows = following.object_at(track, j, j + 1, j - 1) is not None
            last = time_s if follows else last
            block = math.floor((time_s - truth.start_s) / NEES_BLOCK_S)
            if block == taken or (not follows and time_s - last <= HOLD_S):
                continue
            taken = block
            stated.append(tracks.existence[row])
            real.append(follows)
    found = reliability(stated, real)
    return {
        "stated": _or_none(found.stated),
        "real": _or_none(found.true),
        "brier": _or_none(found.brier),
        "samples": found.samples,
        "edges": list(EDGES),
        "bins": [{key: _or_none(value) for key, value in b._asdict().items()} for b in found.bins],
    }


def _or_none(value: float) -> float | None:
    return None if math.isnan(value) else value


def _ballistic(truth: Truth, name: str) -> bool:
    return truth.kind[name] in BALLISTIC


def _rows_of_objects(truth: Truth, tracks: Tracks, following: Following) -> dict[str, Ints]:
    """Rows of tracks by the object that they are about, within its life."""
    found: dict[str, list[int]] = {}
    for track, rows in following.rows.items():
        for row in rows.tolist():
            j = moment_of(following, float(tracks.time_s[row]))
            name = following.object_at(track, j, j + 1)
            if name is not None and np.isfinite(tracks.state[row]).all():
                life = truth.time_s[name]
                if life[0] <= tracks.time_s[row] <= life[-1]:
                    found.setdefault(name, []).append(row)
    return {name: np.array(rows) for name, rows in found.items()}


def _object(
    truth: Truth, tracks: Tracks, following: Following, name: str, mine: dict[str, Ints]
) -> dict[str, Any]:
    """How one object was followed."""
    i = following.names.index(name)
    by_moment = following.followers[i]
    ids = [k for _, k in by_moment]
    tracked = sum(bool(following.counted[i, j]) for j, _ in by_moment)
    rows, bound = mine.get(name), truth.bounds.get(name)
    ratio = delay = None
    if rows is not None and bound is not None:
        e = tracks.state[rows] - interpolate(truth.time_s[name], truth.state[name], tracks.time_s[rows])
        sigma = np.interp(tracks.time_s[rows], bound.time_s, bound.pos_sigma_m, left=np.nan, right=np.nan)
        with np.errstate(invalid="ignore"):
            known = sigma > 0.0
        if known.sum() >= 3:
            ratio = float(np.sqrt(np.mean(np.sum(e[known, :3] ** 2, axis=1) / sigma[known] ** 2)))
        plots = np.flatnonzero(bound.plots_so_far > 0)
        if len(plots):
            delay = float(tracks.time_s[rows].min() - bound.time_s[plots[0]])
    return {
        "kind": truth.kind[name],
        "in_view_s": float(following.counted[i].sum() * following.step_s),
        "tracked_s": tracked * following.step_s,
        "track_ids": len(set(ids)),
        "switches": sum(a != b for a, b in pairwise(ids)),
        "position_over_bound": ratio,
        "first_track_delay_s": delay,
    }


def _warning(truth: Truth, notices: Sequence[Notice], verdict: Warned) -> dict[str, Any]:
    number = Counter(n.kind for n in notices)
    dangerous = [h for h in truth.impacts if h.kind in DANGEROUS]
    got = [lead.lead_s for lead in verdict.leads if lead.lead_s is not None]
    each: list[dict[str, Any]] = []
    for lead in verdict.leads:
        best = {str(limit): bound_lead_s(truth, lead.impact, limit) for limit in (100.0, 1000.0)}
        each.append(
            {
                "object": lead.impact.name,
                "kind": lead.impact.kind,
                "lead_s": lead.lead_s,
                "first_covered_s": lead.first_covered_s,
                "area_at_impact_km2": lead.area_at_impact_km2,
                "lead_100_s": lead.lead_100_s,
                "lead_1000_s": lead.lead_1000_s,
                "area_60s_before_km2": lead.area_before_km2,
                "bound_lead_100_s": best["100.0"],
                "bound_lead_1000_s": best["1000.0"],
                "warnable": (best["1000.0"] or 0.0) >= WARNABLE_S,
            }
        )
    out: dict[str, Any] = {
        "alerts": number["Alert"],
        "updates": number["Update"],
        "cancels": number["Cancel"],
        "dangerous_impacts": len(dangerous),
        "warned": len(got),
        "missed": len(dangerous) - len(got),
        "lead_min_s": min(got, default=None),
        "lead_median_s": float(np.median(got)) if got else None,
        "lead_max_s": max(got, default=None),
        "warnable": sum(e["warnable"] for e in each),
        "warnable_missed": sum(e["warnable"] and e["lead_s"] is None for e in each),
        "false_area_time_km2_min": verdict.false_km2_min,
        "alerts_around_nothing": verdict.around_nothing,
        "chains": verdict.chains,
        "chains_around_nothing": verdict.chains_around_nothing,
        "alerted_area_km2": verdict.alerted_km2,
        "in_force_at_end": verdict.in_force_at_end,
    }
    for limit in (100, 1000):
        ratios = [e[f"lead_{limit}_s"] / best for e in each if (best := e[f"bound_lead_{limit}_s"])]
        out[f"lead_over_bound_{limit}km2_median"] = float(np.median(ratios)) if ratios else None
        out[f"lead_over_bound_{limit}km2_p10"] = float(np.percentile(ratios, 10)) if ratios else None
    sharp = [lead.area_before_km2 for lead in verdict.leads if lead.area_before_km2 is not None]
    out["area_60s_before_median_km2"] = float(np.median(sharp)) if sharp else None
    out["impacts"] = each
    return out
