"""Marks what is too slow where the kernels run as plain Python (NUMBA_DISABLE_JIT=1)."""

import numba
import pytest

compiled = pytest.mark.skipif(
    bool(numba.config.DISABLE_JIT), reason="too slow with the kernels as plain Python (NUMBA_DISABLE_JIT=1)"
)
