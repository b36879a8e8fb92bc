"""Take coastlines, borders and country names out of the built map page, for maps that Python draws.

    python builders/basemap.py [--check]

Reads src/tocsin/formats/data/map.html, whose program holds what web/basemap.js made of Natural Earth 1:50m, and writes
src/tocsin/formats/data/basemap.json: land (rings) and borders (lines) as differences of lon, lat in 1/units degrees,
base 36, and names with points. --check compares with the file that is there and writes nothing.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import json
import re
import sys
from pathlib import Path

DATA = Path(__file__).parents[1] / "src" / "tocsin" / "formats" / "data"
BUNDLE = re.compile(r'id="bundle">\s*([A-Za-z0-9+/=]+)')
PACKED = re.compile(r"""[`'"](\{\\?"units\\?":.*?\})[`'"][;,)]""", re.DOTALL)


def basemap() -> bytes:
    """The file, as taken out of the page."""
    page = (DATA / "map.html").read_text(encoding="utf-8")
    bundle = BUNDLE.search(page)
    program = gzip.decompress(base64.b64decode(bundle[1])).decode() if bundle else ""
    found = PACKED.search(program)
    if found is None:
        sys.exit("map.html: its program holds no basemap; has web/basemap.js changed?")
    values = json.loads(found[1].replace('\\"', '"'))
    return (json.dumps(values, ensure_ascii=False, separators=(",", ":")) + "\n").encode()


def main() -> None:
    """Write or check."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    made, path = basemap(), DATA / "basemap.json"
    if args.check:
        sys.exit(0 if path.read_bytes() == made else "basemap.json is not what map.html holds")
    path.write_bytes(made)
    print(f"{path}: {len(made):,} bytes")


if __name__ == "__main__":
    main()
