"""After the warm-up nothing is left to compile or to load: no decision waits for it."""

import json
import subprocess
import sys

from .conftest import SHARED

# "degraded-16" has radar, infrared, separations, late plots and crowds; "fireball-14" angles alone
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
    folders = [str(SHARED / "recordings" / name) for name in ("degraded-16", "fireball-14")]
    done = subprocess.run([sys.executable, "-c", PROGRAM, *folders], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    count, late = json.loads(done.stdout)
    assert count > 10
    assert late == []
