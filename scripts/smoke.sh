#!/bin/sh
# Build the wheel, install it where nothing but its own dependencies is, and use it.
set -eu
echo
echo "== The wheel, in an environment of its own"
rm -rf build/wheel .venv-wheel/lib/python*/site-packages/tocsin*
.venv/bin/python -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation -w build/wheel .
if ! .venv-wheel/bin/python -c "" 2>/dev/null; then
    .venv/bin/python -c "import sys; print(sys._base_executable)" > build/wheel/python
    "$(cat build/wheel/python)" -m venv .venv-wheel
fi
.venv-wheel/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
.venv-wheel/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-index build/wheel/tocsin-*.whl
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tocsin=$PWD/.venv-wheel/bin/tocsin
cd "$work"
$tocsin --version
$tocsin --help > /dev/null
$tocsin demo > demo.txt
grep -q "^Open this file in a browser: " demo.txt
$tocsin score demo/dnipro-2024 demo/results > score.txt
for file in tracks.parquet predictions.parquet alerts.geojson feed.xml summary.json map.html; do
    [ -s "demo/results/$file" ] || { echo "smoke: demo/results/$file is missing or empty" >&2; exit 1; }
done
$tocsin brief demo/results --out brief.pdf > /dev/null
$tocsin policy --default | grep -q cost_loss_per_km2
$tocsin key keys > /dev/null
$tocsin sign demo/results/alerts/*.xml --key keys/key.pem --certificate keys/certificate.pem --out signed
$tocsin verify signed/*.xml --certificate keys/certificate.pem > verified.txt
if $tocsin replay nowhere --out results 2> error.txt; then
    echo "smoke: a missing recording went unnoticed" >&2
    exit 1
fi
grep -q "^tocsin: nowhere: no such folder" error.txt
echo "The wheel works."
