#!/bin/sh
# Pin all dependencies, with hashes and without the address of any registry, for every Python from 3.11.
set -eu
uv=.venv/bin/uv
[ -x "$uv" ] || .venv/bin/python -m pip install --quiet uv
compile="$uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header"
$compile --upgrade --group build pyproject.toml -o requirements.txt
# the same versions, and the tools of the developers
$compile --upgrade --group build --group dev --group docs -c requirements.txt pyproject.toml -o requirements-dev.txt
if grep -nE 'https?://|--index|--find-links' requirements.txt requirements-dev.txt; then
    echo "lock: a lock file names a registry" >&2
    exit 1
fi
