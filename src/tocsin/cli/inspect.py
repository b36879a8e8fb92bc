"""``tocsin inspect``: why a track is what it is."""

from __future__ import annotations

import argparse
import json
import math
import re
import textwrap
from typing import TYPE_CHECKING, Any

from tocsin.cli.inspect_windows import decay_lines, decays
from tocsin.cli.output import example, progress, warn_of_rows
from tocsin.errors import DataError, UsageError

if TYPE_CHECKING:
    from tocsin.formats.recording import Recording
    from tocsin.record.history import History, Story

LAST_PLOTS = 12
NAMED = 10  # tracks named in a message
SHORT = ("range", "azimuth", "elevation", "range rate")
PLACES = (1, 3, 3, 2)  # decimals


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "inspect",
        help="why a track of a recording is what it is",
        description="Run the tracker over a recording again and tell of all tracks, or of one: where it came\n"
        "from, its phases, the plots that it took, what competes with it, and how the tracker\n"
        "sees the sensors; and the windows of orbits that decay. Tracks have the same numbers as in\n"
        "a replay.",
        epilog=example(
            "tocsin inspect recording                            all tracks",
            "tocsin inspect recording T00007                     one of them",
            "tocsin inspect recording T00007 --at 95             as it was 95 s after the first plot",
            "tocsin inspect recording --at 2026-05-01T12:00:00Z  or at a time",
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("recording", metavar="RECORDING", help="folder of the recording")
    parser.add_argument("track", metavar="TRACK", nargs="?", help="name of a track (all)")
    parser.add_argument(
        "--at", metavar="TIME", help="stop at a time: ISO 8601, or seconds after the first plot (the end)"
    )
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Track, and tell."""
    from tocsin.formats.recording import read_recording
    from tocsin.record.history import follow, windows

    with progress(f"reading {args.recording}") as advance:
        recording = read_recording(args.recording, advance)
    warn_of_rows(
        recording.rejected, recording.counts["rejected"] + recording.counts["platform_rows_rejected"]
    )
    at_s = math.inf if args.at is None else _time(args.at, recording)
    number = _number(args.track)
    with progress("tracking") as advance:
        history = follow(recording.sensors, recording.plots, at_s, number, advance)
    with progress("windows of orbits") as advance:
        told = windows(history, recording.plots, at_s, advance)
    found: dict[str, Any] = {
        "recording": recording.name,
        "at": _iso(history.state.now_s if math.isinf(at_s) else at_s),
    }
    if args.track is None:
        found |= {"tracks": [_row(history, s) for _, s in sorted(history.stories.items())]}
        found |= decays(told)
        lines = _table(found)
    else:
        story = _story(args.track, number, history, recording, args.at)
        bodies = {one.body for one in told if story.name in one.tracks}
        found |= _one(history, story) | decays([one for one in told if one.body in bodies])
        lines = _text(found)
    print(json.dumps(found, indent=1) if args.json else "\n".join(lines))
    return 0


def _time(text: str, recording: Recording) -> float:
    """A time, given as ISO 8601 or as seconds after the first plot."""
    from tocsin.formats.tables import time_from_text

    try:
        at_s = recording.start_s + float(text)
    except ValueError:
        at_s = time_from_text(text)
    span = f"{_iso(recording.start_s)} to {_iso(recording.end_s)}"
    if not math.isfinite(at_s):
        raise UsageError(
            f"inspect: --at is {text!r}, must be a time such as {_iso(recording.start_s)}, or seconds after "
            f"the first plot (0 to {recording.end_s - recording.start_s:.0f})"
        )
    if not recording.start_s <= at_s <= recording.end_s:
        raise UsageError(f"inspect: --at is {text!r}, must lie within the recording ({span})")
    return at_s


def _number(text: str | None) -> int:
    found = re.fullmatch(r"[Tt]?0*([0-9]{1,9})", text or "")
    return int(found[1]) if found else 0


def _story(text: str, number: int, history: History, recording: Recording, at: str | None) -> Story:
    """The story of the track that is asked for."""
    from tocsin.tracking.tracks import track_name

    story = history.stories.get(track_name(number))
    if story is not None:
        return story
    names = sorted(history.stories)
    there = ", ".join(names) if len(names) <= NAMED else f"{', '.join(names[:NAMED])} ... {names[-1]}"
    other = history.known_as.get(number, number)
    why = f"{text!r} is no track that was reported"
    if other != number:
        why = f"{text!r} was reported only as part of {track_name(other)}"
    elif number in history.known_as:
        why = f"{text!r} was never sure enough to be reported"
    when = f" up to {at}" if at else ""
    raise DataError(f"{recording.name}: {why}{when}; there are {there or 'none'}")


def _iso(time_s: float) -> str:
    import datetime

    if not math.isfinite(time_s):
        return "-"
    moment = datetime.datetime.fromtimestamp(round(time_s * 1000.0) / 1000.0, datetime.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _row(history: History, story: Story) -> dict[str, Any]:
    """What the table of tracks says of one."""
    from tocsin.record.history import alive

    taken = [history.sensors[plot.sensor].name for plot in story.plots.values()]
    return {
        "track": story.name,
        "parent": story.parent,
        "first": _iso(story.first_s),
        "last": _iso(story.last_s),
        "ended": not alive(history, story),
        "phases": [change.phase for change in story.phases],
        "plots": {s.name: taken.count(s.name) for s in history.sensors if s.name in taken},
        "existence": round(story.existence, 4),
    }


def _measured(values: tuple[float, ...]) -> list[float | None]:
    shown = (values[0], math.degrees(values[1]), math.degrees(values[2]), values[3])
    return [None if math.isnan(v) else round(v, p) for v, p in zip(shown, PLACES, strict=True)]


def _one(history: History, story: Story) -> dict[str, Any]:
    """All that is known of one track."""
    from tocsin.cli.releases import of_track
    from tocsin.record.history import rivals, standing
    from tocsin.record.learned import KEYS, learned
    from tocsin.tracking.tracks import track_name

    number = int(story.name[1:])
    family = history.family[number]
    others = [s for s in history.stories.values() if s is not story]
    state = history.seen or history.state
    plots = sorted(story.plots.values(), key=lambda plot: plot.time_s)
    near = rivals(state, number) if history.seen else []
    return _row(history, story) | {
        "born": _iso(history.born_s[number]),
        "siblings": sorted(s.name for s in others if s.parent and s.parent == story.parent),
        "children": sorted(s.name for s in others if s.parent == story.name),
        "family": sorted(s.name for s in others if history.family.get(int(s.name[1:])) == family),
        "timeline": [
            {
                "time": _iso(change.time_s),
                "phase": change.phase,
                "free_flight_thrust_level": change.mu and [round(p, 3) for p in change.mu],
            }
            for change in story.phases
        ],
        "follows": [
            {
                "time": _iso(since_s),
                "only": history.sensors[only].name if only >= 0 else None,
                "partner": track_name(partner) if partner else None,
            }
            for since_s, only, partner in story.follows
        ],
        "last_plots": [
            {
                "time": _iso(plot.time_s),
                "sensor": history.sensors[plot.sensor].name,
                "scan": plot.scan,
                "measured": dict(zip(KEYS, _measured(plot.measured), strict=True)),
                "sigmas_off": plot.sigmas
                and {
                    k: None if math.isnan(v) else round(v, 1) for k, v in zip(KEYS, plot.sigmas, strict=True)
                },
            }
            for plot in plots[-LAST_PLOTS:]
        ],
        "seen_at": _iso(state.now_s),
        "stood": {k: round(v, 1) for k, v in standing(state, number)._asdict().items()}
        if history.seen
        else None,
        **of_track(history, number),
        "competes_with": [
            {
                "track": r.name,
                "reported": r.reported,
                "sigmas": round(r.sigmas, 2),
                "distance_m": round(r.distance_m, 1),
                "speed_m_s": round(r.speed_m_s, 2),
                "existence": round(r.existence, 4),
            }
            for r in near
        ],
        "sensors": learned(history),
        "plots_double": history.state.doubles,
        "plots_too_late": history.state.too_late,
    }


def _table(found: dict[str, Any]) -> list[str]:
    """All tracks, for a person."""
    count = len(found["tracks"])
    lines = [f"{found['recording']} up to {found['at']}: {count} track{'s' * (count != 1)}"]
    if found["tracks"]:
        lines.append(
            f"{'track':<7} {'parent':<7} {'first':<8} {'last':<9} {'exists':>6}  phases; plots taken"
        )
    for row in found["tracks"]:
        plots = ", ".join(f"{n} {name}" for name, n in row["plots"].items())
        lines.append(
            f"{row['track']:<7} {row['parent'] or '-':<7} {row['first'][11:19]} {row['last'][11:19]}"
            f"{'*' if row['ended'] else ' '} {row['existence']:>6.3f}  {' > '.join(row['phases'])}; {plots or 'none'}"
        )
    if any(row["ended"] for row in found["tracks"]):
        lines.append("* ended")
    return [*lines, *decay_lines(found)]


def _text(found: dict[str, Any]) -> list[str]:
    """One track, for a person."""
    from tocsin.cli.releases import track_lines

    ended = " (ended)" if found["ended"] else ""
    lines = [
        f"{found['track']} of {found['recording']}, as known at {found['at']}",
        f"  born {found['born'][11:23]}" + (f" from {found['parent']}" if found["parent"] else ", from no other track")
        + f"; reported from {found['first'][11:19]} to {found['last'][11:19]}{ended}",
        f"  existence {found['existence']:.4f}; plots taken: "
        + (", ".join(f"{n} of {name}" for name, n in found["plots"].items()) or "none"),
    ]  # fmt: skip
    if (stood := found["stood"]) is not None:
        fall = "climbing" if stood["climb_m_s"] > 0.0 else "falling"
        lines.append(
            f"  at {found['seen_at'][11:19]}{', the last that is known of it' if found['ended'] else ''}: "
            f"{stood['height_m'] / 1e3:,.1f} km high, {fall} with {abs(stood['climb_m_s']):,.0f} of "
            f"{stood['speed_m_s']:,.0f} m/s;\n  known to {stood['sigma_m']:,.0f} m; "
            f"last plot {stood['unseen_s']:.1f} s before"
        )
    lines += track_lines(found)
    near = {found["parent"], *found["siblings"], *found["children"]}
    kin = found | {"others of the family": [name for name in found["family"] if name not in near]}
    for key in ("siblings", "children", "others of the family"):
        if kin[key]:
            lines += textwrap.wrap(f"  {key}: {', '.join(kin[key])}", 100, subsequent_indent="    ")
    lines.append("Phases (probability of free flight, thrust, level flight)")
    for change in found["timeline"]:
        mu = change["free_flight_thrust_level"]
        shown = " ".join(f"{p:6.3f}" for p in mu) if mu else "-"
        lines.append(f"  {change['time'][11:21]}  {change['phase']:<8} {shown}")
    if len(found["follows"]) > 1 or any(f["only"] for f in found["follows"]):
        lines.append("Sensors that it follows")
        for i, f in enumerate(found["follows"]):
            lines.append(f"  {f['time'][11:21]}  {_followed(f, found['follows'][i - 1] if i else f)}")
    lines += _plot_lines(found["last_plots"])
    lines.append(
        f"Competes with (other tracks within 5 sigmas of position and velocity at {found['seen_at'][11:19]})"
    )
    for r in found["competes_with"]:
        lines.append(
            f"  {r['track']}  {r['sigmas']:.1f} sigmas, {r['distance_m']:,.0f} m, {r['speed_m_s']:,.1f} m/s apart; "
            f"existence {r['existence']:.3f}{'' if r['reported'] else ', not reported'}"
        )
    if not found["competes_with"]:
        lines.append("  none")
    lines.append(f"Sensors, as the tracker sees them at {found['at'][11:19]}")
    for sensor in found["sensors"]:
        lines += _sensor_lines(sensor)
    lines.append(
        f"  left out: {found['plots_double']} double plots, {found['plots_too_late']} that came too late"
    )
    return [*lines, *decay_lines(found)]


def _followed(now: dict[str, Any], before: dict[str, Any]) -> str:
    if now["only"] is None:
        return "all sensors" + (f", as one with {before['partner']}" if before["partner"] else "")
    partner = now["partner"]
    return f"{now['only']} alone" + (
        f"; probably one body with {partner}, reported as one" if partner else ""
    )


def _plot_lines(plots: list[dict[str, Any]]) -> list[str]:
    """The last plots as a table; in brackets by how many sigmas each number was off."""
    from tocsin.record.learned import KEYS

    if not plots:
        return []
    wide = max(len(plot["sensor"]) for plot in plots)
    heads = ("range m", "azimuth deg", "elevation deg", "range rate m/s")
    lines = ["Last plots taken (in brackets: sigmas off the prediction; none where the track began with it)"]
    lines.append(f"  {'time':<12} {'sensor':<{wide}} {'scan':>6}" + "".join(f" {head:>19}" for head in heads))
    for plot in plots:
        cells = []
        for key, places in zip(KEYS, PLACES, strict=True):
            value, off = plot["measured"][key], (plot["sigmas_off"] or {}).get(key)
            text = "-" if value is None else f"{value:,.{places}f}"
            cells.append(f" {text:>12} {'' if off is None else f'({off:+.1f})':>6}")
        lines.append(
            f"  {plot['time'][11:23]} {plot['sensor']:<{wide}} {plot['scan']:>6}{''.join(cells)}".rstrip()
        )
    return lines


def _sensor_lines(sensor: dict[str, Any]) -> list[str]:
    """One sensor in words."""
    from tocsin.record.learned import KEYS, SENSES, UNITS

    noise, lines = [], []
    for key, short, unit, senses in zip(KEYS, SHORT, UNITS, SENSES, strict=True):
        if key not in sensor:
            continue
        about = sensor[key]
        if about["noise_learned"]:
            noise.append(f"{short} {about['noise_ratio']:.2f}")
        if "offset" in about:
            value, sigma = about["offset"], about["offset_sigma"]
            places = 3 if unit == "deg" else 1
            lines.append(
                f"    {short} {abs(value):.{places}f} {unit} {senses[value > 0]} (sigma {sigma:.{places}f})"
                + ("" if abs(value) > 2.0 * sigma else ", which may be nothing")
            )
    late = (
        f"; {sensor['plots_late']} plot{'s' * (sensor['plots_late'] > 1)} late"
        if sensor["plots_late"]
        else ""
    )
    late += f", {sensor['plots_too_late']} too late" if sensor["plots_too_late"] else ""
    told = f"noise over that stated: {', '.join(noise)}" if noise else "nothing learned of its noise"
    return [f"  {sensor['sensor']}: {told}{late}", *lines]
