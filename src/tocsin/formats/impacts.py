"""impacts.csv: where the objects of a recording truly came down, for the map and for scoring alone."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from tocsin.formats.tables import Sieve, numbers, read_table, seconds, texts


class TrueImpact(NamedTuple):
    """One object's end."""

    name: str
    time_s: float
    latitude_deg: float
    longitude_deg: float


def read_impacts(folder: Path) -> tuple[TrueImpact, ...]:
    """The impacts of a recording, none where it does not tell; rows that say nothing usable are left out."""
    path = folder / "impacts.csv"
    if not path.is_file():
        return ()
    table = read_table(path, ["object", "time", "lat_deg", "lon_deg"])
    time_s, latitude, longitude = seconds(table, "time"), numbers(table, "lat_deg"), numbers(table, "lon_deg")
    sieve = Sieve(table)
    sieve.drop(~(time_s >= 0.0), "time", "is not a time")
    sieve.drop(~(abs(latitude) <= 90.0), "lat_deg", "must be from -90 to 90")
    sieve.drop(~(abs(longitude) <= 180.0), "lon_deg", "must be from -180 to 180")
    names = texts(table, "object").to_pylist()
    return tuple(
        TrueImpact(names[i] or "", float(time_s[i]), float(latitude[i]), float(longitude[i]))
        for i in range(len(names))
        if sieve.good[i]
    )
