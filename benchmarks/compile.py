"""How long the kernels take to compile on a machine that has none yet, and to load on one that has.

    python benchmarks/compile.py

Each line is a new process: flights alone, then all of a replay, first with an empty cache and then with the one
it has filled. NUMBA_OPT=3 python benchmarks/compile.py shows the third level of LLVM.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

FLIGHTS = """
import time
import numpy as np
from tocsin.earth.flights import to_ground
begin = time.perf_counter()
to_ground(np.array([7e6, 0.0, 0.0, 0.0, 1000.0, 1000.0]), 1000.0, transition=True)
print(f"{time.perf_counter() - begin:.2f}")
"""

LINE = """
import time
from tocsin.formats.gazetteer import shipped_gazetteer
from tocsin.record.warm_up import warm_up
shipped_gazetteer()  # read once
begin = time.perf_counter()
warm_up()
print(f"{time.perf_counter() - begin:.2f}")
"""


def main():
    """Print the seconds after the imports."""
    for name, program in (("first flight", FLIGHTS), ("a replay's warm-up", LINE)):
        with tempfile.TemporaryDirectory() as folder:
            for state in ("empty", "full"):
                environment = {**os.environ, "NUMBA_CACHE_DIR": folder}
                command = [sys.executable, "-c", program]
                done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
                print(f"{name:20s} cache {state:6s} {done.stdout.strip():>6s} s", flush=True)


if __name__ == "__main__":
    main()
