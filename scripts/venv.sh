#!/bin/sh
# venv.sh FOLDER LOCK [PYTHON]: make the virtual environment FOLDER with what LOCK pins and Tocsin itself,
# in editable form. Does nothing where that has been done and neither lock nor pyproject.toml has changed.
set -eu
folder=$1 lock=$2 python=${3:-}
want=$(cat "$lock" pyproject.toml | cksum)
stamp=$folder/.tocsin-$(basename "$lock")
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$want" ] && "$folder/bin/python" -c "import tocsin" 2>/dev/null; then
    exit 0
fi
if [ -z "$python" ]; then
    python=$(sh scripts/pythons.sh | head -n 1 | cut -d ' ' -f 2-)
fi
if [ -z "$python" ]; then
    echo "No Python 3.11 or later with venv was found. Install one (on Debian and Ubuntu: apt install python3 python3-venv)" >&2
    echo "or name it: make PYTHON=/path/to/python3 ..." >&2
    exit 1
fi
if ! "$folder/bin/python" -c "import sys; sys.exit(sys.version_info < (3, 11))" 2>/dev/null; then
    echo "== Making $folder with $("$python" --version) ($python)"
    rm -rf "$folder"
    "$python" -m venv "$folder"
fi
echo "== Installing what $lock pins into $folder"
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock"
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
# what the smaller lock holds, the larger one holds as well, in the same versions
if [ "$lock" = requirements-dev.txt ]; then
    cat requirements.txt pyproject.toml | cksum > "$folder/.tocsin-requirements.txt"
fi
echo "$want" > "$stamp"
