"""Every module can be the first one imported, and the rooms are those of the import rules."""

import os
import pkgutil
import subprocess
import sys

import tocsin

CODE = """
import importlib, sys
for name in sys.argv[1:]:
    for loaded in [m for m in sys.modules if m.startswith("tocsin")]:
        del sys.modules[loaded]
    try:
        importlib.import_module(name)
    except Exception as error:
        sys.exit(f"{name}: {error!r}")
"""


def test_each_module_imports_alone(tmp_path):
    names = [module.name for module in pkgutil.walk_packages(tocsin.__path__, "tocsin.")]
    assert len(names) > 50
    # every module is loaded dozens of times: from bytecode, and without the compiler's preparations
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONDONTWRITEBYTECODE": ""}
    command = [sys.executable, "-W", "error", "-X", f"pycache_prefix={tmp_path}", "-c", CODE, *names]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
