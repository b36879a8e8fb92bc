"""Long campaigns in a folder: what it is of, and processes that share the work."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any


def claim(folder: Path, this: Mapping[str, Any]) -> None:
    """Note in a folder what the campaign is, or check that the one that is there is this one. Raises DataError."""
    import json

    from tocsin.errors import DataError
    from tocsin.formats.files import write_file

    path = folder / "campaign.json"
    if not path.exists():
        write_file(path, (json.dumps(this, indent=1) + "\n").encode())
        return
    try:
        before = json.loads(path.read_text(encoding="utf-8"))
        differs = [key for key, value in this.items() if before.get(key) != value]
    except (ValueError, AttributeError) as error:
        raise DataError(f"{path}: is not the note of a campaign; choose another --out") from error
    if differs:
        what = ", ".join(f"{key} {before.get(key)} and not {this[key]}" for key in differs)
        raise DataError(f"{path}: the campaign in this folder has {what}; choose another --out, or delete it")


def digest(parts: Sequence[str]) -> str:
    """What tells apart code that may give other rows: of files and folders under src/tocsin."""
    import hashlib

    import tocsin

    home = Path(tocsin.__file__).parent
    found = hashlib.sha256()
    for part in parts:
        for source in sorted((home / part).rglob("*.py")) if (home / part).is_dir() else [home / part]:
            found.update(source.read_bytes())
    return found.hexdigest()[:16]


@contextmanager
def workers(made: Callable[[Any], Any], processes: int) -> Iterator[Callable[[Sequence[Any]], Iterator[Any]]]:
    """A function from tasks to what ``made`` makes of them, in any order, by so many processes."""
    if processes == 1:
        yield partial(map, made)
        return
    from multiprocessing import get_context

    # ends them all at its end
    with get_context("spawn").Pool(processes, _leave_interrupts_to_the_first) as pool:
        yield partial(pool.imap_unordered, made)


def _leave_interrupts_to_the_first() -> None:
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
