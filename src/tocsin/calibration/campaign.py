"""Campaigns in chunks: flights of one family.

A chunk follows from the campaign's seed, its family and its number alone. So it does not matter in which order chunks
are made, by how many processes, or whether others were there before.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import get_type_hints

import numpy as np
from numpy.typing import NDArray

from tocsin.calibration.families import Family
from tocsin.calibration.flights import Row, flight
from tocsin.prediction.priors import DEFAULT, Kinds

Columns = dict[str, NDArray[np.generic]]  # fields of `Row`, each (n,)


def chunk(family: Family, number: int, seed: int, flights: int, kinds: Kinds = DEFAULT) -> Columns:
    """All forecasts of the flights of a chunk."""
    rng = np.random.default_rng([seed, zlib.crc32(family.name.encode()), number])
    rows: list[Row] = []
    for i, own in enumerate(rng.spawn(flights)):
        rows += flight(family, number * flights + i, own, kinds)
    kind = get_type_hints(Row)
    return {name: np.array([getattr(row, name) for row in rows], kind[name]) for name in Row._fields}


def joined(parts: Iterable[Columns]) -> Columns:
    """Chunks as one."""
    parts = list(parts)
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
