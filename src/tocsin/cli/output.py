"""What every command shares: examples in help, warnings, progress bars."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tocsin.formats.tables import Rejection

MAX_SHOWN = 5  # skipped rows told one by one; summary.json has more


def example(*commands: str) -> str:
    """The end of a help text."""
    lines = "\n".join(f"  {command}" for command in commands)
    return f"example:\n{lines}" if len(commands) == 1 else f"examples:\n{lines}"


def warn(text: str) -> None:
    """One line on stderr that does not end the command."""
    print(f"tocsin: warning: {text}", file=sys.stderr)


def warn_of_rows(rejected: Sequence[Rejection], count: int) -> None:
    """Tell of the first skipped rows, and how many there are."""
    for rejection in rejected[:MAX_SHOWN]:
        warn(rejection.text)
    if count:
        more = f" (the first {MAX_SHOWN} are named above)" if count > MAX_SHOWN else ""
        warn(f"{count} row{'s' * (count > 1)} skipped{more}; the rest is used")


@contextmanager
def progress(text: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on stderr while the block runs, nothing where stderr is no terminal.

    Yields a function that takes what is done and all there is to do.
    """
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(text, total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)


@contextmanager
def getting_ready(kernels: int) -> Iterator[None]:
    """A progress bar while the block has its functions compiled, so many of them, about, on a machine that has none."""
    from tocsin.kernel import compiling

    with (
        progress("getting ready (the first time takes a minute)") as advance,
        compiling(lambda made, name: advance(made, max(made, kernels))),
    ):
        yield
