"""``tocsin predict``: where and when a state, or each of a file, comes down."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tocsin.cli.output import MAX_SHOWN, example, progress, warn, warn_of_rows
from tocsin.cli.priors import DefaultPriors, priors_of
from tocsin.errors import DataError, UsageError

if TYPE_CHECKING:
    from tocsin.formats.given import Given, States
    from tocsin.prediction.forecast import Prediction, Window
    from tocsin.prediction.kinds import Learned
    from tocsin.prediction.priors import Priors
    from tocsin.prediction.winds import Winds

BLOCKS = 3  # states told of at length; more are a table
ORIGINS = ("whole", "child", "orbit", "meteoroid", "breakup")
SHARES = (0.5, 0.9, 0.99)

EPILOG = """\
Names of a state, in a call or as columns of a CSV file (time and name may be left out):
  place     x_m y_m z_m, or lat_deg lon_deg height_m (WGS 84)
  velocity  vx_m_s vy_m_s vz_m_s (ECEF), or east_m_s north_m_s up_m_s,
            or speed_m_s heading_deg climb_deg
  spread    sigma_NAME of any of these, or sigma_position_m sigma_velocity_m_s for all axes,
            or cov_x_x cov_y_x cov_y_y ... cov_vz_vz (ECEF, m and m/s); none: exact
  body      ballistic_coefficient_kg_m2 ballistic_coefficient_sigma (relative), or
            origin: whole, child, orbit, meteoroid, breakup
"""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "predict",
        help="where and when a state, or each of a file, comes down",
        description="Tell where and when a body comes down: the median place and time, the areas that hold\n"
        "the impact with given probabilities, and for a meteoroid or a break-up the places of pieces.\n"
        "A state is given as name=value, as rows of a CSV file, or as a CCSDS orbit ephemeris\n"
        "message (OEM, KVN). What does not come down, or is no state of a body, is told of in\n"
        "a sentence. Without a wind file the wind is taken as unknown, not as calm. A low orbit\n"
        "that decays within days has a window: times, and the ground track under them. Earlier\n"
        "states of the same name tell its drag.",
        epilog=EPILOG
        + "\n"
        + example(
            "tocsin predict lat_deg=48 lon_deg=35 height_m=80e3 speed_m_s=3000 heading_deg=80 climb_deg=-40",
            "tocsin predict states.csv --share 0.5 --share 0.95 --json",
            "tocsin predict decay.oem --origin orbit --geojson areas.geojson",
            "tocsin predict fireball.csv --origin meteoroid --wind profile.csv",
            "tocsin predict failure.csv --origin breakup --thrown 40 --geojson footprint.geojson",
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("state", metavar="STATE", nargs="+", help="a file, or name=value of one state")
    parser.add_argument(
        "--beta", metavar="KG_M2", type=float, help="ballistic coefficient m / (Cd A) of all states"
    )
    parser.add_argument(
        "--beta-sigma", metavar="SHARE", type=float, help="its sigma, relative to itself (0.1)"
    )
    parser.add_argument(
        "--origin",
        metavar="ORIGIN",
        help="whole, child, orbit, meteoroid or breakup (orbit or whole, by the state)",
    )
    parser.add_argument(
        "--thrown",
        metavar="M_S",
        type=float,
        help="added to the velocity at this moment, one sigma of each axis (25 for breakup, else 0)",
    )
    parser.add_argument(
        "--wind", metavar="FILE", type=Path, help="CSV of a profile of wind, or of a grid of them"
    )
    parser.add_argument(
        "--wind-sigma",
        metavar="M_S",
        type=float,
        help="what is not known of the wind at 11 km (3 with --wind, else 15)",
    )
    parser.add_argument(
        "--shape", metavar="SHAPE", help="drag by Mach number: sphere, fragment, blunt or slender"
    )
    parser.add_argument(
        "--ground", metavar="M", type=float, default=0.0, help="height of the ground, WGS 84 (0)"
    )
    parser.add_argument(
        "--density",
        metavar="FACTOR",
        type=float,
        help="air at the height of an orbit against the standard of 1976",
    )
    parser.add_argument(
        "--density-sigma", metavar="SHARE", type=float, help="its sigma, relative to itself (0.15)"
    )
    parser.add_argument(
        "--priors", metavar="FILE", type=Path, help="what is believed of bodies and releases beforehand"
    )
    parser.add_argument(
        "--default-priors",
        action=DefaultPriors,
        help="print that as it comes with the program, to edit, and end",
    )
    parser.add_argument(
        "--share",
        metavar="P",
        type=float,
        action="append",
        help="probability of an area; again for more (0.5 0.9 0.99)",
    )
    parser.add_argument("--geojson", metavar="FILE", type=Path, help="write areas and places as GeoJSON")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Predict, and tell."""
    from tocsin.formats.files import write_file
    from tocsin.formats.predictions import prediction_json, predictions_geojson

    states = _states(args.state)
    winds, priors = _winds(args.wind), priors_of(args.priors)
    pairs: list[tuple[Given, Prediction]] = []
    named: dict[str, list[Given]] = {}
    with progress("predicting") as advance:
        for number, given in enumerate(states.given):
            same = named.setdefault(given.name, [])
            same.append(given)
            pairs.append((given, _predicted(same, args, winds, priors)))
            advance(number + 1, len(states.given))
    warn_of_rows(states.rejected, states.skipped)
    for note in states.notes:
        warn(note)
    if args.geojson is not None:
        write_file(args.geojson, predictions_geojson(pairs))
    if args.json:
        found = {
            "predictions": [prediction_json(given, made) for given, made in pairs],
            "rejected": [rejection._asdict() for rejection in states.rejected],
        }
        print(json.dumps(found, indent=1, allow_nan=False))
        return 0
    if len(pairs) > BLOCKS:
        print("\n".join(_table(pairs)))
    else:
        print("\n\n".join("\n".join(_block(given, made)) for given, made in pairs))
    return 0


def _states(words: list[str]) -> States:
    from tocsin.formats.given import States, read_states, state_of
    from tocsin.formats.observed import read_lines
    from tocsin.formats.oem import is_oem, read_oem

    if "=" in words[0] and not Path(words[0]).exists():
        return States((state_of(words),), ())
    if len(words) > 1:
        raise UsageError(f"predict: {words[1]!r}: give one file, or name=value of one state")
    path = Path(words[0])
    if not path.is_file():
        raise DataError(f"{path}: is no file" if path.exists() else f"{path}: no such file")
    lines = read_lines(path)
    return read_oem(path, lines) if is_oem(lines) else read_states(path)


def _winds(path: Path | None) -> Winds | None:
    if path is None:
        return None
    from tocsin.formats.winds import read_winds

    winds, rejected = read_winds(path)
    warn_of_rows(rejected, len(rejected))
    return winds


def _decayed(same: Sequence[Given]) -> Learned:
    """What states of one name tell of the drag of the last, as far as they are earlier."""
    import numpy as np

    from tocsin.prediction.decay_fit import learn

    rows = {one.time_s: one for one in same if one.time_s <= same[-1].time_s}
    some = [rows[time_s] for time_s in sorted(rows)]
    covariances = [np.zeros((6, 6)) if one.covariance is None else one.covariance for one in some]
    states = np.array([one.state for one in some]).reshape(-1, 6)
    return learn([one.time_s for one in some], states, np.array(covariances).reshape(-1, 6, 6))


def _predicted(
    same: Sequence[Given], args: argparse.Namespace, winds: Winds | None, priors: Priors
) -> Prediction:
    """The prediction of the last of states of one name."""
    from tocsin.prediction.states import BETA_SIGMA, predict_state

    given = same[-1]
    coefficient = given.ballistic_coefficient if args.beta is None else args.beta
    sigma = given.ballistic_coefficient_sigma if args.beta_sigma is None else args.beta_sigma
    return predict_state(
        given.state,
        covariance=given.covariance,
        ballistic_coefficient=coefficient,
        ballistic_coefficient_sigma=BETA_SIGMA if sigma is None else sigma,
        origin=args.origin or given.origin,
        winds=winds,
        wind_sigma_m_s=args.wind_sigma,
        shape=args.shape,
        thrown_m_s=args.thrown,
        shares=args.share or SHARES,
        ground_m=args.ground,
        density_factor=args.density,
        density_sigma=args.density_sigma,
        decayed=_decayed(same),
        priors=priors,
    )


def time_words(given: Given, after_s: float) -> str:
    """A time as ISO 8601 to the second, or as seconds after the state."""
    from tocsin.formats.geojson import moment

    if math.isnan(given.time_s):
        return f"{after_s:.1f} s after the state"
    return f"{moment(given.time_s + after_s)[:19]}Z"


def place_words(latitude_rad: float, longitude_rad: float) -> str:
    """A place in degrees."""
    latitude, longitude = math.degrees(latitude_rad), math.degrees(longitude_rad)
    return f"{abs(latitude):8.4f} {'S' if latitude < 0 else 'N'} {abs(longitude):8.4f} {'W' if longitude < 0 else 'E'}"


def _block(given: Given, made: Prediction) -> list[str]:
    """One state at length."""
    from tocsin.prediction.forecast import COMES_DOWN, QUANTILES

    lines = [f"{given.name}: {made.sentence}"]
    if made.status == COMES_DOWN:
        late = dict(zip((float(q) for q in QUANTILES), made.time_quantiles_s.tolist(), strict=True))
        first, last = time_words(given, late[0.005]), time_words(given, late[0.995])
        flight = "" if math.isnan(given.time_s) else f", {made.time_s:.0f} s after the state"
        lines += [
            f"  median place   {place_words(made.latitude_rad, made.longitude_rad)}",
            f"  median time    {time_words(given, made.time_s)}{flight}",
            f"  99 % of times  {first} to {last}",
            f"  taken to be    {made.origin}",
        ]
        for share, size in zip(made.shares, made.areas_km2, strict=True):
            lines.append(f"  {100 * share:5g} % area   {size:,.4g} km2")
    if made.may_release is not None:
        from tocsin.cli.releases import may_release_lines

        lines += may_release_lines(given, made.may_release)
    if made.window is not None:
        lines += _window(given, made.window)
    line = made.fall_line
    if line is not None:
        lines.append(f"  pieces of {line.density_kg_m3:g} kg/m3 ({line.shape}):")
        for i in range(len(line.mass_kg)):
            place = place_words(line.latitude_rad[i], line.longitude_rad[i])
            known = not math.isnan(line.latitude_rad[i])
            told = f"{place}   {line.time_s[i]:6.0f} s of flight" if known else "does not come down"
            lines.append(f"    {line.mass_kg[i]:8g} kg {told}")
    pieces = made.pieces
    if pieces is not None:
        lines.append("  pieces from heel to toe, by ballistic coefficient:")
        for beta, latitude, longitude, time_s in zip(*pieces, strict=True):
            told = "does not come down"
            if not math.isnan(latitude):
                told = f"{place_words(latitude, longitude)}   {time_s:6.0f} s of flight"
            lines.append(f"    {beta:8g} kg/m2 {told}")
    return lines + [f"  Note: {note}" for note in made.notes]


def _window(given: Given, window: Window) -> list[str]:
    """A window in words."""
    from tocsin.prediction.decay import LOOKED_AHEAD, duration

    def when(after_s: float) -> str:
        if not math.isfinite(after_s):
            return f"later than in {LOOKED_AHEAD}"
        return f"after {duration(after_s)}" if math.isnan(given.time_s) else time_words(given, after_s)

    def band(latitude_rad: float) -> str:
        return f"{abs(math.degrees(latitude_rad)):.1f} {'S' if latitude_rad < 0 else 'N'}"

    entry, ground = window.entry_quantiles_s, window.ground_quantiles_s
    south, north = window.latitude_rad
    return [
        f"  enters at 80 km  {when(entry[3])} in the median",
        f"  comes down       {when(ground[3])} in the median",
        f"  50 % of times    {when(ground[2])} to {when(ground[4])}",
        f"  90 % of times    {when(ground[1])} to {when(ground[5])}",
        f"  99 % of times    {when(ground[0])} to {when(ground[6])}",
        f"  somewhere along  {window.revolutions:.1f} revolutions, from {band(south)} to {band(north)}, "
        f"within {0.5e-3 * window.swath_m:.0f} km of the track",
        f"  drag as of       {math.exp(window.ln_beta):.3g} kg/m2 in standard air, to a factor of "
        f"{math.exp(window.ln_beta_sigma):.2g}",
    ]


def _table(pairs: list[tuple[Given, Prediction]]) -> list[str]:
    """Many states, one a line."""
    from tocsin.prediction.forecast import COMES_DOWN

    shares = pairs[0][1].shares
    heading = "".join(f"{100 * share:>9g} %" for share in shares)
    lines = [f"{'State':<12}{'Median place':<24}{'Median time':<22}{heading} km2"]
    for given, made in pairs:
        if made.status != COMES_DOWN:
            lines.append(f"{given.name[:11]:<12}{made.sentence}")
            continue
        time = f"{made.time_s:.0f} s" if math.isnan(given.time_s) else time_words(given, made.time_s)
        sizes = "".join(f"{size:>11,.4g}" for size in made.areas_km2)
        lines.append(
            f"{given.name[:11]:<12}{place_words(made.latitude_rad, made.longitude_rad):<24}{time:<22}{sizes}"
        )
    notes = [f"Note: {given.name}: {note}" for given, made in pairs for note in made.notes]
    lines += notes[:MAX_SHOWN]
    if len(notes) > MAX_SHOWN:
        lines.append(f"{len(notes) - MAX_SHOWN} more notes: --json has them")
    return lines
