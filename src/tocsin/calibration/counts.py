"""What is counted over the forecasts of a family: how often areas and times held, against what they say."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tocsin.calibration.campaign import Columns
from tocsin.calibration.flights import LEADS_S, START
from tocsin.metrics.calibration import BANDS, held_by_level, share
from tocsin.sensors.plots import Floats

LEADS = (START, *LEADS_S)
SAID = np.array(
    [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99, 0.995]
)


class Cell(NamedTuple):
    """Forecasts of one family, of one lead: how often they held, against what they say."""

    family: str
    body: str  # "": all of the family
    lead: int  # s before the impact; 0: the first forecast
    of: str  # area or time
    said: float
    forecasts: int
    held: int
    share: float
    low: float  # interval of the share, see `metrics.calibration`
    high: float
    size: float  # median: km2 of areas, s of intervals of time


class Curve(NamedTuple):
    """Shares held (n,) at probabilities of `SAID`."""

    family: str
    lead: int
    of: str
    held: Floats


def count(family: str, columns: Columns) -> tuple[list[Cell], list[Curve]]:
    """What is counted over the forecasts of a family."""
    cells: list[Cell] = []
    curves: list[Curve] = []
    bodies = [str(name) for name in np.unique(columns["body"])]
    for lead in LEADS:
        at = columns["lead"] == lead
        if not at.any():
            continue
        groups = [("", at)] + [(body, at & (columns["body"] == body)) for body in bodies if len(bodies) > 1]
        for body, mask in groups:
            for of, inside, size in (("area", "inside_{}", "area_{}_km2"), ("time", "time_{}", "wide_{}_s")):
                for said in BANDS:
                    percent = round(100 * said)
                    found = share(said, columns[inside.format(percent)][mask])
                    sizes = np.asarray(columns[size.format(percent)][mask], float)
                    middle = (
                        float(np.median(sizes[np.isfinite(sizes)])) if np.isfinite(sizes).any() else np.nan
                    )
                    cells.append(Cell(family, body, lead, of, said, *found[1:], middle))
        level = np.asarray(columns["level"][at], float)
        between = np.abs(2.0 * np.asarray(columns["time_level"][at], float) - 1.0)
        curves.append(Curve(family, lead, "area", held_by_level(level, SAID)))
        curves.append(Curve(family, lead, "time", held_by_level(between, SAID)))
    return cells, curves
