"""The one decorator for compiled kernels.

Numba's own cache does not notice a change in a function that a kernel calls, or in a constant, so
the cache lives in a folder named after the sources of all modules with kernels, and of all that
these import: any change of one of them starts a fresh one. Set ``NUMBA_DISABLE_JIT=1`` to run the
kernels as plain Python (one test run does), and ``NUMBA_CACHE_DIR`` to choose the
place of the cache.

A kernel is compiled when it is first called, some seconds once a machine. Meanwhile a line on stderr tells so where
that is a terminal; `compiling` gives the news to a caller instead.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba.core import event

F = TypeVar("F", bound=Callable[..., Any])


# LLVM's second level: kernels as fast as by the third, and compiled in three quarters of the time (all of the line 43 s
# for 56 s, `python benchmarks/compile.py`).
if not os.environ.get("NUMBA_OPT"):
    numba.config.OPT = type(numba.config.OPT)(2)  # type: ignore[attr-defined]  # set by name at run time


# At the start of a line: what a function imports is no constant of a kernel.
IMPORT = re.compile(rb"^from tocsin(\.[\w.]+)? import (\([^)]*\)|.*)", re.MULTILINE)
WORD = re.compile(rb"\w+")


def sources(package: Path) -> list[Path]:
    """The files of a folder ``tocsin`` that kernels depend on: those that import this one, and what they import."""
    texts = {path: path.read_bytes() for path in package.rglob("*.py")}
    waiting = [path for path, text in texts.items() if b"\nfrom tocsin.kernel import" in b"\n" + text]
    reached: set[Path] = set()
    while waiting:
        path = waiting.pop()
        if path not in texts or path in reached:
            continue
        reached.add(path)
        for room, names in IMPORT.findall(texts[path]):
            base = package.joinpath(*room.decode().split("."))
            waiting += [
                base.with_suffix(".py"),
                *(base / f"{name.decode()}.py" for name in WORD.findall(names)),
            ]
    return sorted(reached)


def _cache_folder() -> str:
    digest = hashlib.sha256(f"{numba.__version__} {int(numba.config.OPT)}".encode())  # type: ignore[attr-defined]
    for source in sources(Path(__file__).parent):
        digest.update(source.read_bytes())
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    folder = os.path.join(home, "tocsin", f"kernels-{digest.hexdigest()[:16]}")
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError:
        folder = tempfile.mkdtemp(prefix="tocsin-kernels-")
    return folder


if not os.environ.get("NUMBA_CACHE_DIR"):
    numba.config.CACHE_DIR = _cache_folder()  # type: ignore[attr-defined]  # set by name at run time


class _Watch(event.Listener):
    """Hears of every function that Numba compiles, and tells of those that our kernels need."""

    def __init__(self) -> None:
        self.tell: Callable[[int, str], None] | None = None
        self.count, self.since_s = 0, 0.0
        self.open: list[str] = []  # what is being compiled, outermost first

    def on_start(self, news: event.Event) -> None:
        function = news.data["dispatcher"].py_func
        if not self.open:
            self.since_s = time.perf_counter()
        self.open.append(f"{function.__module__}.{function.__name__}")

    def on_end(self, news: event.Event) -> None:
        name = self.open.pop()
        if not (self.open or [name])[0].startswith("tocsin."):
            return
        self.count += 1
        if self.tell is not None:
            self.tell(self.count, name)
        elif sys.stderr.isatty():
            took_s = time.perf_counter() - self.since_s
            many = "s" * (self.count > 1)
            text = f"tocsin: compiling for this machine, once: {self.count} function{many}, {took_s:.0f} s"
            sys.stderr.write(f"\r{text}" + ("" if self.open else "\n"))
            sys.stderr.flush()


_watch = _Watch()
event.register("numba:compile", _watch)  # type: ignore[no-untyped-call]


@contextmanager
def compiling(tell: Callable[[int, str], None]) -> Iterator[None]:
    """Call ``tell`` for each function that is compiled in the block: how many there were so far, and its name."""
    before, _watch.tell, _watch.count = _watch.tell, tell, 0
    try:
        yield
    finally:
        _watch.tell = before


def jit(function: F) -> F:
    """Compile ``function`` with Numba, cached on disk, IEEE division (no exception on 0)."""
    return cast(F, numba.njit(cache=True, error_model="numpy", nogil=True)(function))


def jit_lanes(function: F) -> F:
    """Like `jit`, for loops over many things side by side.

    Products and sums may be joined into fused operations, so that the compiler makes vector code; the
    interpreter is let go, so that threads run side by side.
    """
    compiled = numba.njit(cache=True, error_model="numpy", nogil=True, fastmath={"contract"})
    return cast(F, compiled(function))


def jit_inline(function: F) -> F:
    """A piece of a kernel that is put in its place at each call, so that the loop around it stays vector code."""
    return cast(F, numba.njit(error_model="numpy", inline="always")(function))
