"""The one decorator for compiled kernels.

Numba's own cache does not notice a change in a function that a kernel calls, so
the cache lives in a folder named after the sources of all modules with kernels, and of
the constants: any change of one of them starts a fresh one. Set ``NUMBA_DISABLE_JIT=1`` to run the
kernels as plain Python (one test run does), and ``NUMBA_CACHE_DIR`` to choose the
place of the cache.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])


def _cache_folder() -> str:
    digest = hashlib.sha256(f"{numba.__version__}".encode())
    for source in sorted(Path(__file__).parent.rglob("*.py")):
        text = source.read_bytes()
        if b"tocsin.kernel" in text or source.name == "units.py":
            digest.update(text)
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    folder = os.path.join(home, "tocsin", f"kernels-{digest.hexdigest()[:16]}")
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError:
        folder = tempfile.mkdtemp(prefix="tocsin-kernels-")
    return folder


if not os.environ.get("NUMBA_CACHE_DIR"):
    numba.config.CACHE_DIR = _cache_folder()  # type: ignore[attr-defined]  # set by name at run time


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
