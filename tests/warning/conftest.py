"""The places of the world, read once."""

from __future__ import annotations

import pytest

from tocsin.formats.gazetteer import shipped_gazetteer
from tocsin.warning.gazetteer import Gazetteer


@pytest.fixture(scope="session")
def gazetteer() -> Gazetteer:
    return shipped_gazetteer()
