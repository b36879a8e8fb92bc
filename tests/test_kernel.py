"""What the compiler tells while it works, and that a cached kernel is the right one."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

import tocsin
from tocsin.kernel import sources

PROGRAM = """
import sys
from tocsin.kernel import compiling, jit

@jit
def twice(x):
    return 2.0 * x

@jit
def four_times(x):
    return twice(twice(x))

if sys.argv[1] == "told":
    with compiling(lambda count, name: print(count, name)):
        four_times(1.5)
else:
    four_times(1.5)
print(four_times(2.5))
"""

no_compiler = pytest.mark.skipif(
    os.environ.get("NUMBA_DISABLE_JIT") == "1", reason="nothing is compiled in this run"
)


def run(tmp_path, how, **more):
    script = tmp_path / "tocsin_script.py"
    script.write_text(PROGRAM)
    env = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    code = f"import runpy, sys; sys.argv = ['x', {how!r}]; runpy.run_path({str(script)!r}, run_name='tocsin.made')"
    return subprocess.run([sys.executable, "-c", code], env=env, text=True, **more)


@no_compiler
def test_a_caller_is_told(tmp_path):
    first = run(tmp_path, "told", capture_output=True)
    assert first.stdout.splitlines() == ["1 tocsin.made.twice", "2 tocsin.made.four_times", "10.0"], (
        first.stderr
    )
    assert first.stderr == ""


@no_compiler
def test_a_terminal_is_told_in_one_line_and_nothing_else_is(tmp_path):
    quiet = run(tmp_path, "silent", capture_output=True)
    assert (quiet.stdout, quiet.stderr) == ("10.0\n", "")
    for left in (tmp_path / "cache").rglob("*.nb?"):
        left.unlink()
    reader, writer = pty.openpty()
    run(tmp_path, "silent", stdout=subprocess.DEVNULL, stderr=writer)
    os.close(writer)
    said = os.read(reader, 10_000).decode()
    os.close(reader)
    assert said.startswith("\rtocsin: compiling for this machine, once: 1 function,")
    assert said.count("\n") == 1


def test_the_cache_hangs_on_what_kernels_hang_on(tmp_path):
    files = {
        "kernel.py": "",
        "earth/loops.py": "from tocsin.kernel import jit\nfrom tocsin.earth.air import (\n    LOW,\n)\n",
        "earth/air.py": "from tocsin.earth import layers as of, status\nfrom tocsin import units\n",
        "earth/layers.py": "TOP = 1.0\n",
        "earth/status.py": "",
        "units.py": "",
        "cli/run.py": "from tocsin.earth.loops import fly\n\ndef f():\n    from tocsin.kernel import compiling\n",
        "words.py": "# tocsin.kernel compiles\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert [str(path.relative_to(tmp_path)) for path in sources(tmp_path)] == [
        "earth/air.py", "earth/layers.py", "earth/loops.py", "earth/status.py", "kernel.py", "units.py",
    ]  # fmt: skip


def test_constants_of_our_own_kernels_are_in_it():
    package = Path(tocsin.__file__).parent
    found = {str(path.relative_to(package)) for path in sources(package)}
    assert {"units.py", "kernel.py", "earth/drag.py", "earth/us1976_layers.py", "tracking/imm.py"} <= found
    assert found.isdisjoint({"cli/output.py", "tracking/tracker.py", "warning/policy.py"})
