#!/bin/sh
# All that has to hold before a change goes in. "make test" runs it; so does the build server.
set -eu
bin=.venv/bin
step() { echo; echo "== $(date +%H:%M:%S) $*"; }
# tests of the compiled kernels, run once more as plain Python
kernels=$(ls -d tests/earth tests/sensors tests/tracking)
sh scripts/venv.sh .venv requirements-dev.txt

step "Style (ruff), types (mypy), import rules (import-linter)"
$bin/ruff check .
$bin/ruff format --check .
$bin/mypy
$bin/lint-imports --no-cache

step "Fast suite on $($bin/python --version)"
$bin/python -m pytest -q -m "not acceptance"

step "Acceptance: the recordings beside the checkout, through the command line"
$bin/python -m pytest -q -m acceptance

have=$($bin/python -c 'import sys; print("%d.%d" % sys.version_info[:2])')
tested="$have"
sh scripts/pythons.sh > .venv/pythons
while read -r version python; do
    [ "$version" != "$have" ] || continue
    sh scripts/venv.sh ".venv-$version" requirements-dev.txt "$python" < /dev/null
    step "Fast suite on $(".venv-$version/bin/python" --version)"
    ".venv-$version/bin/python" -m pytest -q -m "not acceptance and not browser" < /dev/null
    tested="$tested $version"
done < .venv/pythons

step "Kernels without compiler (NUMBA_DISABLE_JIT=1)"
# shellcheck disable=SC2086
NUMBA_DISABLE_JIT=1 $bin/python -m pytest -q -m "not acceptance and not compiled" $kernels

step "Documentation builds (mkdocs --strict)"
NO_MKDOCS_2_WARNING=1 $bin/mkdocs build --quiet --strict --site-dir build/site

sh scripts/smoke.sh

if command -v node > /dev/null && command -v npm > /dev/null; then
    step "The map's bundle matches its source (web/check.sh)"
    sh web/check.sh
else
    step "Node is not here: that the map's bundle matches its source is not checked"
fi

step "All passed, on Python $tested"
