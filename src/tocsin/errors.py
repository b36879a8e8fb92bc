"""Exceptions that a user can meet.

    TocsinError
    ├── DataError      the data cannot be used (exit code 1)
    │   └── RefusedError   a whole file, with all that is wrong in it
    ├── SettingsError  a settings or scenario file says something impossible (exit code 1)
    └── UsageError     the call itself is wrong (exit code 2)

Each message names what is wrong, where (file, row, field), the value and the limit.
"""

from __future__ import annotations

from collections.abc import Sequence


class TocsinError(Exception):
    """Anything that Tocsin refuses to do, with a sentence that says why."""


class DataError(TocsinError):
    """Input that cannot be used."""


class RefusedError(DataError):
    """A file that is refused as a whole: each problem is a sentence of its own."""

    MOST = 20  # problems that are told; the rest are counted

    def __init__(self, problems: Sequence[str]) -> None:
        more = len(problems) - self.MOST
        told = [*problems[: self.MOST], *([f"and {more} more problem{'s' * (more > 1)}"] if more > 0 else [])]
        super().__init__("\n".join(told))


class SettingsError(TocsinError):
    """A settings or scenario file that cannot be used."""


class UsageError(TocsinError):
    """A call that makes no sense, whatever the data."""
