"""The command line on the recordings beside the checkout, and the referee's opinion of what comes of it."""

import importlib.util
import json
import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest

from tocsin.formats.cap import CapMessage, read_cap

SHARED = Path(__file__).parents[3] / "shared"
TOCSIN = (sys.executable, "-m", "tocsin.cli.main")
PLACE = Path(__file__).parent


class Replayed(NamedTuple):
    """A replay by the command line, as a process of its own."""

    recording: Path
    results: Path
    summary: dict[str, Any]
    errors: str  # what it said on stderr
    peak_bytes: int  # largest resident set

    def cap(self) -> list[tuple[str, bytes, CapMessage]]:
        """Name, bytes and content of each message, in the order sent."""
        found = [(path.name, path.read_bytes()) for path in sorted((self.results / "alerts").glob("*.xml"))]
        return [(name, data, read_cap(data)) for name, data in found]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of this folder is the acceptance suite, and skips where the recordings are absent."""
    absent = pytest.mark.skip(reason="the sample recordings are not beside the checkout (../shared)")
    for item in items:
        if PLACE in item.path.parents:
            item.add_marker(pytest.mark.acceptance)
            if not SHARED.is_dir():
                item.add_marker(absent)


def replay(recording: Path, results: Path) -> Replayed:
    """Replay with latency 0; the test fails where the exit code is not 0."""
    command = [*TOCSIN, "replay", str(recording), "--out", str(results), "--latency", "0", "--json"]
    said, complained = results.with_suffix(".out"), results.with_suffix(".err")
    with said.open("wb") as out, complained.open("wb") as err:
        process = subprocess.Popen(command, stdout=out, stderr=err)
        _, status, usage = os.wait4(process.pid, 0)  # the usage of this process alone
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, complained.read_text()
    unit = 1 if sys.platform == "darwin" else 1024
    return Replayed(
        recording, results, json.loads(said.read_text()), complained.read_text(), usage.ru_maxrss * unit
    )


@pytest.fixture(scope="session")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Replayed]:
    """Replay a recording of ../shared once a session, by name."""
    folder = tmp_path_factory.mktemp("replayed")
    return cache(lambda name: replay(SHARED / "recordings" / name, folder / name))


@pytest.fixture(scope="session")
def referee() -> ModuleType:
    """The referee's program as a module."""
    spec = importlib.util.spec_from_file_location("referee_score", SHARED / "referee" / "score.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def scored(replayed: Callable[[str], Replayed], referee: ModuleType) -> Callable[[str], dict[str, Any]]:
    """All that the referee says of a recording of ../shared, by name."""

    @cache
    def score(name: str) -> dict[str, Any]:
        one = replayed(name)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the referee's own, on means of nothing
            return referee.clean(referee.score(str(one.recording), str(one.results)))

    return score
