#!/bin/sh
# Print every Python that Tocsin can use (3.11 or later, with venv), one a line: "3.12 /path/to/python".
# One of each version; the python3 of the PATH comes first. A pyenv shim whose Python is not switched
# on answers with an error and is passed over; the Pythons behind it are looked at themselves.
set -u
seen=" "
for python in ${PYTHON:-} python3 python3.11 python3.12 python3.13 python3.14 python3.15 \
    "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.*/bin/python3 /usr/bin/python3 /usr/local/bin/python3; do
    version=$("$python" -c '
import sys
if sys.version_info >= (3, 11) and sys.implementation.name == "cpython":
    import ensurepip, venv
    print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue
    [ -n "$version" ] || continue
    case "$seen" in *" $version "*) continue ;; esac
    seen="$seen$version "
    echo "$version $(command -v "$python")"
done
