#!/bin/sh
# Says whether the committed map page matches its source: builds it again in a temporary folder and compares.
# Needs Node 20.19 or later; installs the packages of package-lock.json where they are absent.
set -eu
cd "$(dirname "$0")"
committed=../src/tocsin/formats/data
[ -d node_modules ] || npm ci --no-audit --no-fund
temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT
npm run --silent types
npx vite build --logLevel warn --outDir "$temporary"
node same.js "$committed/map.html" "$temporary/map.html"
if ! cmp -s "$committed/map.licences.txt" "$temporary/map.licences.txt"; then
  echo "map.licences.txt does not match the packages in package-lock.json; run: npm --prefix web run build" >&2
  exit 1
fi
echo "The committed map page matches its source."
