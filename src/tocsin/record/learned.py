"""What the tracker learned of the sensors, as plain values by name."""

from __future__ import annotations

import math
from typing import Any

from tocsin.record.history import History
from tocsin.tracking.learning import LOG_PRIOR

KEYS = ("range_m", "azimuth_deg", "elevation_deg", "range_rate_m_s")
UNITS = ("m", "deg", "deg", "m/s")
SENSES = (  # what an offset below and above 0 means: a sensor reads so
    ("too near", "too far"),
    ("to the left", "to the right"),
    ("too low", "too high"),
    ("too low", "too high"),
)


def learned(history: History) -> list[dict[str, Any]]:
    """Of each sensor: offsets, noise over that stated, and plots that came late, at the end of a run.

    A quantity that the sensor does not measure is left out, and so are offsets of one that states none.
    """
    state = history.state
    offsets, scale, most = state.belief.offsets, state.belief.scale, state.belief.most
    out = []
    for s, sensor in enumerate(history.sensors):
        found: dict[str, Any] = {}
        for q, key in enumerate(KEYS):
            if math.isnan(sensor.sigma[q]):
                continue
            found[key] = {
                "noise_learned": bool((state.belief.noise[s, q] != LOG_PRIOR).any()),
                "noise_ratio": round(math.sqrt(scale[s, q]), 2),
                "noise_ratio_at_most": round(math.sqrt(most[s, q]), 2),
            }
            if (column := int(state.columns[s, q])) >= 0:
                values = (float(offsets.mean[column]), math.sqrt(float(offsets.P[column, column])))
                mean, sigma = (math.degrees(v) if UNITS[q] == "deg" else v for v in values)
                found[key] |= {"offset": round(mean, 4), "offset_sigma": round(sigma, 4)}
        late = {"plots_late": history.late[s], "plots_too_late": history.too_late[s]}
        out.append({"sensor": sensor.name, **found, **late})
    return out
