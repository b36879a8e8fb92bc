#!/bin/sh
# All that has to hold before a change goes in. "make test" runs it; so does the build server.
set -eu
bin=.venv/bin
# tests start this program dozens of times, and load each module of it hundreds of times: from bytecode
export PYTHONDONTWRITEBYTECODE=
step() { echo; echo "== $(date +%H:%M:%S) $*"; }
# tests of the compiled kernels, run once more as plain Python
kernels=$(ls -d tests/earth tests/sensors tests/tracking)
sh scripts/venv.sh .venv requirements-dev.txt

style() {
    step "Style (ruff), types (mypy), import rules (import-linter)"
    $bin/ruff check . && $bin/ruff format --check . && $bin/mypy && $bin/lint-imports --no-cache
}
fast() { # FOLDER: the fast suite by the Python in it; the map in a browser is tested once
    step "Fast suite on $("$1/bin/python" --version)"
    case $1 in .venv) which="not acceptance" ;; *) which="not acceptance and not browser" ;; esac
    "$1/bin/python" -m pytest -q -m "$which" < /dev/null
}
acceptance() {
    step "Acceptance: the recordings beside the checkout, through the command line"
    $bin/python -m pytest -q -m acceptance
}
plain() {
    step "Kernels without compiler (NUMBA_DISABLE_JIT=1)"
    # shellcheck disable=SC2086
    NUMBA_DISABLE_JIT=1 $bin/python -m pytest -q -m "not acceptance and not compiled" $kernels
}
documentation() {
    step "Documentation builds (mkdocs --strict)"
    NO_MKDOCS_2_WARNING=1 $bin/mkdocs build --quiet --strict --site-dir build/site
}
map() {
    if command -v node > /dev/null && command -v npm > /dev/null; then
        step "The map's bundle matches its source (web/check.sh)"
        sh web/check.sh
    else
        step "Node is not here: that the map's bundle matches its source is not checked"
    fi
}
others() { # the fast suite by the oldest and the newest Python here: what holds on both holds between them
    sort -t. -k2n .venv/pythons | sed -n '1p;$p' | grep -v "^$have " > .venv/others || true
    while read -r version python; do
        sh scripts/venv.sh ".venv-$version" requirements-dev.txt "$python" < /dev/null || return 1
        fast ".venv-$version" || return 1
    done < .venv/others
}
# Two rows of jobs side by side, as most machines have two cores and a test uses one. A row ends with the first job
# that fails. The second row's output comes after the first one's.
first() { fast .venv && acceptance && plain; }
second() { style && others && documentation && sh scripts/smoke.sh && map; }

have=$($bin/python -c 'import sys; print("%d.%d" % sys.version_info[:2])')
sh scripts/pythons.sh > .venv/pythons
{ second > .venv/second.log 2>&1 && echo passed > .venv/second.end || echo failed > .venv/second.end; } &
end=passed
first || end=failed
wait
cat .venv/second.log
if [ "$end $(cat .venv/second.end)" != "passed passed" ]; then
    echo "== First row of jobs: $end; second: $(cat .venv/second.end)" >&2
    exit 1
fi
step "All passed, on Python $have $(cut -d ' ' -f 1 .venv/others | xargs)"
