"""Options of priors: a file of one's own, and the shipped one to edit."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tocsin.errors import DataError

if TYPE_CHECKING:
    from tocsin.prediction.priors import Priors


class DefaultPriors(argparse.Action):
    """Print the shipped priors, and end; as `--version` does, without asking for anything else."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str | None = None) -> None:
        super().__init__(option_strings, dest=argparse.SUPPRESS, nargs=0, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """Print them."""
        from tocsin.formats.priors_file import shipped_priors

        print(shipped_priors(), end="")
        parser.exit()


def priors_of(path: Path | None) -> Priors:
    """The priors of a file; the default ones without a file. Raises DataError and SettingsError."""
    from tocsin.formats.priors_file import read_priors
    from tocsin.prediction.priors import PRIORS

    if path is None:
        return PRIORS
    try:
        return read_priors(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read ({error})") from error
