"""tocsin zones: is a file of zones fit for use, what has changed, and whom would it lose."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tocsin.cli.output import example, warn
from tocsin.errors import UsageError

if TYPE_CHECKING:
    from tocsin.warning.hearing import Roll
    from tocsin.warning.zone_versions import Fate
    from tocsin.warning.zones import Zones

NAME_WIDTH = 30  # characters that a line of 80 has left for names
OFF = 0.5  # a renamed zone of which less than this share lies in its successor is pointed out


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "zones",
        help="check a file of your own zones, and whom it would lose",
        description="Check a GeoJSON file of zones and list them: people inside, area, time to shelter.\n"
        "With --against say what was renamed, split and removed since an older version; with\n"
        "--subscribers who would no longer hear anything: then the exit code is 1.",
        epilog=example(
            "tocsin zones zones.geojson",
            "tocsin zones zones.geojson --against zones-2025.geojson --subscribers subscribers.csv",
            "tocsin zones zones.geojson --zones-crs EPSG:5564      coordinates that are no degrees",
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", metavar="FILE", type=Path, help="GeoJSON file of zones")
    parser.add_argument("--against", metavar="OLD_FILE", type=Path, help="an older version of the file")
    _add_more(parser)
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    parser.set_defaults(run=run)


def add_zone_options(parser: argparse.ArgumentParser) -> None:
    """The options of a command that warns."""
    parser.add_argument("--zones", metavar="FILE", type=Path, help="GeoJSON file of your own zones (none)")
    _add_more(parser)


def _add_more(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--zones-crs", metavar="CRS", help="reference system of the zones, as EPSG:5564 (as the file says)"
    )
    parser.add_argument(
        "--subscribers",
        metavar="FILE",
        type=Path,
        help="CSV file with columns name and zone: who hears of which",
    )


def zones_and_roll(args: argparse.Namespace) -> tuple[Zones | None, Roll | None]:
    """The zones and subscribers that a call names. Whoever is lost is told on stderr at once."""
    if args.zones is None:
        for option, value in (("--zones-crs", args.zones_crs), ("--subscribers", args.subscribers)):
            if value is not None:
                raise UsageError(f"replay: {option} needs --zones")
        return None, None
    from tocsin.formats.zones import read_zones

    zones = read_zones(args.zones, args.zones_crs)
    return zones, None if args.subscribers is None else _roll(args.subscribers, zones)


def _roll(path: Path, zones: Zones, hints: dict[str, str] | None = None) -> Roll:
    """The subscribers of a file; whose zones were renamed or are gone is said on stderr."""
    from tocsin.formats.subscribers import read_subscribers
    from tocsin.warning.hearing import roll_call
    from tocsin.warning.zones import called

    roll = roll_call(read_subscribers(path), zones)
    for one in roll.renamed:
        warn(f"{one.subscriber}: zone {one.code} is now {called(zones, one.now)}; it is followed")
    tell_unreached(roll, hints)
    return roll


def tell_unreached(roll: Roll, hints: dict[str, str] | None = None) -> int:
    """Say loudly which subscriptions lead nowhere. Returns the exit code."""
    for one in roll.unreached:
        near = f"; like it are {', '.join(one.nearest)}" if one.nearest else "; none is like it"
        hint = (hints or {}).get(one.code, "")
        print(
            f"tocsin: NOT WARNED: {one.subscriber} subscribes to zone {one.code!r}, which version {one.version} of the "
            f"zones does not have{hint}{near}",
            file=sys.stderr,
        )
    return 1 if roll.unreached else 0


def run(args: argparse.Namespace) -> int:
    """Check, list and compare."""
    from tocsin.formats.gazetteer import shipped_gazetteer
    from tocsin.formats.zones import read_zones
    from tocsin.warning.places import people_in
    from tocsin.warning.zone_versions import fates

    zones = read_zones(args.file, args.zones_crs)
    old = None if args.against is None else read_zones(args.against, args.zones_crs)
    changes = () if old is None else fates(old, zones)
    gazetteer = shipped_gazetteer()
    people = [people_in(shape, gazetteer) for shape in zones.shapes]
    if args.json:
        found = _found(zones, people, None if old is None else old.version, changes)
        print(json.dumps(found, indent=1, ensure_ascii=False))
    else:
        print(*_table(zones, people), sep="\n")
        if old is not None:
            print("", *_change_lines(old.version, zones.version, changes), sep="\n")
    if args.subscribers is None:
        return 0
    hints = {fate.code: f" (it was {_into(fate)})" for fate in changes if fate.what != "new"}
    roll = _roll(args.subscribers, zones, hints)
    if not args.json:
        lost = len({one.subscriber for one in roll.unreached})
        print(f"\n{len(roll.subscribers)} subscribers; zones renamed {len(roll.renamed)}; not reached {lost}")
    return 1 if roll.unreached else 0


def _found(
    zones: Zones, people: Sequence[int], against: str | None, changes: Sequence[Fate]
) -> dict[str, Any]:
    rows = zip(
        zones.codes, zones.names, people, zones.area_km2.tolist(), zones.shelter_s.tolist(), strict=True
    )
    found: dict[str, Any] = {
        "version": zones.version,
        "geocode_name": zones.geocode_name,
        "zones": [
            {
                "code": code,
                "names": dict(names),
                "people": inside,
                "area_km2": round(area_km2, 3),
                "shelter_s": None if math.isnan(shelter_s) else shelter_s,
            }
            for code, names, inside, area_km2, shelter_s in rows
        ],
    }
    if against is not None:
        found["against"] = against
        found["changes"] = [
            {"code": one.code, "what": one.what, "into": {code: round(part, 4) for code, part in one.into}}
            for one in changes
        ]
    return found


def _table(zones: Zones, people: Sequence[int]) -> Iterator[str]:
    from tocsin.warning.zones import zone_name

    count = len(zones.codes)
    yield f"Version {zones.version}: {count} zone{'s' * (count != 1)}, in CAP as {zones.geocode_name}"
    wide = max(4, *(len(code) for code in zones.codes))
    yield f"{'Code':<{wide}}  {'Name':<{NAME_WIDTH}}{'People':>12}{'km2':>12}{'Shelter':>9}"
    for row, code in enumerate(zones.codes):
        name = zone_name(zones, code)
        name = name if len(name) < NAME_WIDTH else name[: NAME_WIDTH - 4] + "..."
        time_s = float(zones.shelter_s[row])
        shelter = "-" if math.isnan(time_s) else f"{time_s:g} s"
        yield f"{code:<{wide}}  {name:<{NAME_WIDTH}}{people[row]:>12,}{zones.area_km2[row]:>12,.1f}{shelter:>9}"
    empty = sum(1 for inside in people if inside == 0)
    if empty:
        yield f"{empty} without a known place inside; are latitude and longitude in their order?"


def _change_lines(old: str, new: str, changes: Sequence[Fate]) -> Iterator[str]:
    told = [one for one in changes if one.what != "kept"]
    kept = len(changes) - len(told)
    yield f"From version {old} to {new}: {kept} zone{'s' * (kept != 1)} as before" + (":" if told else "")
    for one in told:
        yield f"  {one.code}: {_into(one)}"


def _into(fate: Fate) -> str:
    parts = ", ".join(f"{share:.0%} in {code}" for code, share in fate.into)
    if fate.what == "renamed":
        (code, share), *_ = fate.into
        off = f", but only {share:.0%} of it lies there" if share < OFF else ""
        return f"renamed {code}{off}"
    if fate.what == "unnamed":
        (code, share), *_ = fate.into
        return f"removed, {share:.0%} of it lies in {code}, which does not name it as an alias"
    return {
        "kept": "kept",
        "moved": f"has other borders: {parts} as before",
        "split": f"removed, now {parts}",
        "removed": "removed, no zone lies there now",
        "new": "new",
    }[fate.what]
