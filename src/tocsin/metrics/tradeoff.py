"""What a threshold costs: misses, warning time and alerted area over many incidents, and where the curve bends."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tocsin.sensors.plots import Floats


class Trial(NamedTuple):
    """What one recording came to at one threshold. Leads of k dangerous impacts; NaN: never warned of, no bound."""

    recording: str
    cost_loss_per_km2: float
    lead_s: Floats  # (k,) by messages of any size
    lead_1000_s: Floats  # (k,) by messages of at most 1,000 km2 an impact
    best_s: Floats  # (k,) that the bound allows at 1,000 km2
    alerted_km2: float  # of all that was ever alerted
    false_km2_min: float
    messages: int  # that warn
    around_nothing: int


class Point(NamedTuple):
    """All recordings together at one threshold."""

    cost_loss_per_km2: float
    recordings: int
    impacts: int  # dangerous ones
    missed: float  # share of them that no message held at the end
    too_late: float  # share with less than the time to shelter, missed ones too
    lead_s: float  # median, a missed one counts as 0
    lead_over_best: float  # mean of lead_1000_s over the best, at most 1 each; NaN where no bound is known
    area_km2: float  # alerted, an impact
    false_km2_min: float  # a recording
    around_nothing: float  # share of messages


def curve(trials: Sequence[Trial], shelter_s: float) -> list[Point]:
    """One point for each threshold, the lowest first."""
    points = []
    for value in sorted({trial.cost_loss_per_km2 for trial in trials}):
        mine = [trial for trial in trials if trial.cost_loss_per_km2 == value]
        lead = np.nan_to_num(np.concatenate([trial.lead_s for trial in mine]))
        missed = np.concatenate([np.isnan(trial.lead_s) for trial in mine])
        sharp = np.nan_to_num(np.concatenate([trial.lead_1000_s for trial in mine]))
        best = np.concatenate([trial.best_s for trial in mine])
        known = best > 0.0
        n, messages = len(lead), sum(trial.messages for trial in mine)
        points.append(
            Point(
                value,
                len(mine),
                n,
                float(missed.mean()) if n else math.nan,
                float((lead < shelter_s).mean()) if n else math.nan,
                float(np.median(lead)) if n else math.nan,
                float(np.minimum(sharp[known] / best[known], 1.0).mean()) if known.any() else math.nan,
                sum(trial.alerted_km2 for trial in mine) / max(n, 1),
                sum(trial.false_km2_min for trial in mine) / len(mine),
                sum(trial.around_nothing for trial in mine) / max(messages, 1),
            )
        )
    return points


def knee(cost: Floats, gain: Floats) -> int:
    """The point (of n) of a curve of gain over cost that lies farthest above the line between its ends.

    Both are brought to 0 to 1 first (Satopaa et al. 2011, "Finding a Kneedle in a Haystack", section III). cost (n,),
    gain (n,), in any order. Raises ValueError for fewer than three points.
    """
    if len(cost) < 3:
        raise ValueError(f"{len(cost)} points have no knee")
    span, height = np.ptp(cost), np.ptp(gain)
    x = (cost - cost.min()) / (span if span > 0.0 else 1.0)
    y = (gain - gain.min()) / (height if height > 0.0 else 1.0)
    return int(np.argmax(y - x))
