"""How fast recordings replay, and in how much memory: a table.

    python benchmarks/replay_speed.py [FOLDER_OF_RECORDINGS] [--json FILE]

Each recording is replayed twice with the computing time measured, as processes of their own; the first
run of all compiles what is not yet in the cache of kernels, and the better of the two counts. "Times real time"
is the duration of the recording over the time of the whole command, with start-up, reading, writing and the
map; the loop is tracking, prediction and warning alone.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

SHARED = Path(__file__).parents[2] / "shared" / "recordings"


def measure(recording: Path) -> dict[str, Any]:
    """Wall time and peak memory of one replay by the command line, and what its summary says."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "summary"
        command = [sys.executable, "-m", "tocsin.cli.main", "replay", str(recording)]
        begin = time.perf_counter()
        with out.open("wb") as file:
            process = subprocess.Popen([*command, "--out", f"{folder}/results", "--json"], stdout=file)
            _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{recording}: exit code {process.returncode}")
        summary = json.loads(out.read_text())
    timing, duration_s = summary["timing"], summary["duration_s"]
    return {
        "recording": summary["recording"],
        "duration_s": duration_s,
        "plots": summary["counts"]["plots"],
        "wall_s": wall_s,
        "times_real_time": duration_s / wall_s,
        "loop_s": timing["loop_s"],
        "plots_per_s": timing["plots_per_s"],
        "peak_mb": usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6,
    }


def main() -> None:
    """Measure all recordings of a folder."""
    parser = argparse.ArgumentParser(description="How fast recordings replay, and in how much memory.")
    parser.add_argument(
        "folder", nargs="?", type=Path, default=SHARED, help="recordings (../shared/recordings)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to FILE")
    args = parser.parse_args()
    recordings = sorted(path.parent for path in args.folder.glob("*/sensors.geojson"))
    if not recordings:
        raise SystemExit(f"{args.folder}: holds no recordings")
    print(f"Python {platform.python_version()}, {os.cpu_count()} processors, better of two runs")
    print(
        f"{'recording':<20}{'duration s':>11}{'plots':>8}{'wall s':>8}{'x real':>8}"
        f"{'loop s':>8}{'plots/s':>9}{'peak MB':>9}"
    )
    rows = []
    for recording in recordings:
        row = min((measure(recording) for _ in range(2)), key=lambda one: one["wall_s"])
        rows.append(row)
        print(
            f"{row['recording']:<20}{row['duration_s']:>11.0f}{row['plots']:>8}{row['wall_s']:>8.1f}"
            f"{row['times_real_time']:>8.1f}{row['loop_s']:>8.1f}{row['plots_per_s']:>9.0f}{row['peak_mb']:>9.0f}",
            flush=True,
        )
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
