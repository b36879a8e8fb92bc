"""The file of populated places that comes with the program."""

from __future__ import annotations

from functools import cache
from importlib import resources

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tocsin.errors import DataError
from tocsin.warning.gazetteer import Gazetteer

COLUMNS = ("name", "name_uk", "admin1", "latitude_1e4_deg", "longitude_1e4_deg", "population", "part_of")


def read_gazetteer(data: bytes) -> Gazetteer:
    """Bytes as builders/gazetteer.py writes them -> places. Raises DataError where they are something else."""
    try:
        table = pq.read_table(pa.BufferReader(data))
    except pa.ArrowInvalid as why:
        raise DataError(f"gazetteer: cannot be read as Parquet: {why}") from None
    lacking = [name for name in COLUMNS if name not in table.column_names]
    if lacking:
        raise DataError(f"gazetteer: lacks column {', '.join(lacking)}")
    text = {name: table[name].to_numpy() for name in COLUMNS[:3]}
    number = {name: table[name].to_numpy() for name in COLUMNS[3:]}
    latitude_deg = number["latitude_1e4_deg"] / 1e4
    longitude_deg = number["longitude_1e4_deg"] / 1e4
    if (np.diff(latitude_deg) < 0.0).any():
        raise DataError("gazetteer: places do not stand from south to north")
    lat, lon = np.radians(latitude_deg), np.radians(longitude_deg)
    return Gazetteer(
        name=text["name"],
        name_uk=text["name_uk"],
        country=pc.utf8_slice_codeunits(table["admin1"], 0, 2).to_numpy(),
        latitude_deg=latitude_deg,
        longitude_deg=longitude_deg,
        population=number["population"].astype(np.int64),
        part_of=number["part_of"].astype(np.int64),
        direction=np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)]),
        admin1=text["admin1"],
    )


@cache
def shipped_gazetteer() -> Gazetteer:
    """The places that come with the program: 500 people and more, all countries (GeoNames, CC BY 4.0)."""
    return read_gazetteer(resources.files("tocsin.warning").joinpath("data", "places.parquet").read_bytes())
