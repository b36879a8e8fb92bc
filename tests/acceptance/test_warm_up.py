"""After the warm-up nothing is left to compile or to load: no decision waits for it."""

import json
import subprocess
import sys

import pytest

from tocsin.formats.observed import read_lines
from tocsin.formats.orekit import observed, read_setup
from tocsin.formats.recording import write_recording

from .conftest import SHARED

W3B = SHARED / "real" / "w3b"

# "degraded-16" has radar, infrared, separations, late plots and crowds; "dnipro-2024" an ascent that radars see, and
# bodies of a crowd that are split; "fireball-14" angles alone
PROGRAM = """
import json, sys
from pathlib import Path
from numba.core.dispatcher import Dispatcher
from tocsin.formats.gazetteer import shipped_gazetteer
from tocsin.formats.recording import read_recording
from tocsin.record.replay import replay_events
from tocsin.record.warm_up import warm_up

def called():
    kernels = {
        f"{name}.{key}": value
        for name, module in list(sys.modules.items()) if name.startswith("tocsin.")
        for key, value in vars(module).items() if isinstance(value, Dispatcher)
    }
    return {f"{name}{signature}" for name, kernel in kernels.items() for signature in kernel.signatures}

gazetteer = shipped_gazetteer()
warm_up()
before = called()
for folder in sys.argv[1:]:
    recording = read_recording(Path(folder))
    for _ in replay_events(recording.sensors, recording.plots, gazetteer, 0.0):
        pass
print(json.dumps([len(before), sorted(called() - before)]))
"""


def test_nothing_is_compiled_after_the_warm_up():
    nothing_is_compiled(
        [SHARED / "recordings" / name for name in ("degraded-16", "dnipro-2024", "fireball-14")]
    )


@pytest.mark.real
def test_nor_where_an_orbit_begins_from_few_plots(tmp_path):
    if not W3B.is_dir():
        pytest.skip("the observations of W3B are not beside the checkout")
    path = W3B / "od_test_W3.in"
    sensors, plots, _ = observed(read_setup(path, read_lines(path)))
    write_recording(tmp_path / "w3b", sensors, {}, plots)
    nothing_is_compiled([tmp_path / "w3b"])


def nothing_is_compiled(paths):
    """Fail where the replay of one of some recordings compiles anything."""
    folders = [str(path) for path in paths]
    done = subprocess.run([sys.executable, "-c", PROGRAM, *folders], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    count, late = json.loads(done.stdout)
    assert count > 10
    assert late == []
