"""Exceptions that a user can meet.

    TocsinError
    ├── DataError      the data cannot be used (exit code 1)
    ├── SettingsError  a settings or scenario file says something impossible (exit code 1)
    └── UsageError     the call itself is wrong (exit code 2)

Each message names what is wrong, where (file, row, field), the value and the limit.
"""

from __future__ import annotations


class TocsinError(Exception):
    """Anything that Tocsin refuses to do, with a sentence that says why."""


class DataError(TocsinError):
    """Input that cannot be used."""


class SettingsError(TocsinError):
    """A settings or scenario file that cannot be used."""


class UsageError(TocsinError):
    """A call that makes no sense, whatever the data."""
