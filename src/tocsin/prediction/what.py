"""What a track may be by its drag, and where each kind of what may be released would come down."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from tocsin.earth.ellipsoid import ecef_to_geodetic
from tocsin.prediction.kinds import Learned
from tocsin.prediction.landings import Landings
from tocsin.prediction.priors import Kind


class Lands(NamedTuple):
    """Where and when the middle one of a kind comes down."""

    name: str
    latitude_rad: float
    longitude_rad: float
    time_s: float  # after the state
    short_m: float  # from where the densest kind comes down


def shares(kinds: tuple[Kind, ...], learned: Learned) -> dict[str, float]:
    """How likely each kind is, by what was believed beforehand and what drag has told."""
    if learned.precision <= 0.0:
        weight = np.array([kind.share for kind in kinds])
    else:
        variance = np.array([kind.sigma**2 for kind in kinds]) + 1.0 / learned.precision
        off = np.array([kind.ln_beta for kind in kinds]) - learned.ln_beta
        log = np.log([kind.share for kind in kinds]) - 0.5 * off**2 / variance - 0.5 * np.log(variance)
        weight = np.exp(log - log.max())
    total = float(weight.sum())
    found: dict[str, float] = {}
    for kind, w in zip(kinds, weight.tolist(), strict=True):
        found[kind.name] = found.get(kind.name, 0.0) + w / total
    return found


def lands(landings: Landings, kinds: tuple[Kind, ...]) -> tuple[Lands, ...]:
    """The middle one of each kind, the densest first, between flights of other ballistic coefficients."""
    at, first = np.unique(landings.ln_beta, return_index=True)
    point = landings.point[first]
    out: list[Lands] = []
    origin = None
    for kind in sorted(kinds, key=lambda kind: -kind.ln_beta):
        place = np.array([np.interp(kind.ln_beta, at, point[:, c]) for c in range(4)])
        origin = place[:3] if origin is None else origin
        latitude, longitude, _ = ecef_to_geodetic(place[:3])
        short_m = math.dist(place[:3], origin)
        out.append(Lands(kind.name, float(latitude), float(longitude), float(place[3]), short_m))
    return tuple(out)
