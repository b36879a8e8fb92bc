"""What may still be released, and what a track is by its drag, in words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tocsin.formats.given import Given
    from tocsin.prediction.forecast import MayRelease
    from tocsin.record.history import History

# What kinds of priors are called in a sentence; others go by their own names.
NAMES = {
    "body": "a dense body", "stage": "a spent stage", "debris": "light debris", "any": "something else",
    "hull": "a hull", "stone": "a stone", "sheet": "a sheet or shell", "engine": "an engine",
}  # fmt: skip
TOLD = 0.005  # share of a kind from which on it is named


def may_release_lines(given: Given, may: MayRelease) -> list[str]:
    """What a state may still let go."""
    from tocsin.cli.predict import place_words, time_words
    from tocsin.formats.predictions import RELEASE_SHARES

    q = may.time_quantiles_s
    sizes = "; ".join(
        f"{100 * share:g} % {size:,.4g} km2"
        for share, size in zip(RELEASE_SHARES, may.areas_km2, strict=True)
    )
    return [
        f"  may still release  with a chance of {100 * may.chance:.2g} %, until {time_words(given, may.until_s)}; "
        f"if so some {may.bodies:.2g}",
        f"    each comes down  {place_words(may.latitude_rad, may.longitude_rad)} in the median, "
        f"{time_words(given, float(q[0]))} to {time_words(given, float(q[-1]))}",
        f"    areas for each   {sizes}",
        "    Spent stages and light debris among these come down elsewhere and later: short of the dense ones.",
    ]


def of_track(history: History, number: int) -> dict[str, Any]:
    """Of a track as it was when last held: what it is by origin and drag, and what it may still release."""
    from tocsin.earth.motion import BALLISTIC, LEVEL
    from tocsin.formats.predictions import may_release_json
    from tocsin.prediction.kinds import kinds_of, learned_by
    from tocsin.prediction.predictor import predict
    from tocsin.prediction.priors import PRIORS
    from tocsin.prediction.release import of_track as released_by
    from tocsin.prediction.what import lands, shares
    from tocsin.tracking import life

    none: dict[str, Any] = {"broken_up": None, "meteor": None, "may_be": None, "may_release": None}
    if not history.seen:
        return none
    table, states, offsets = (
        history.seen.belief.table,
        history.seen.belief.states,
        history.seen.belief.offsets,
    )
    row = table.name.tolist().index(number)
    track = life.track_at(table, states, row, offsets.P, history.seen.now_s)
    if track.mu[LEVEL] > 0.5 or not track.fallen:
        return none
    kinds = kinds_of(track, track.x[BALLISTIC, :6])
    may_be = {name: round(share, 4) for name, share in shares(kinds, learned_by(track)).items()}
    forecast = predict(track, history.seen.now_s)
    released = released_by(track)
    known = {"broken_up": track.burst, "meteor": track.meteor, "may_be": may_be, "may_release": None}
    if forecast.may_release is None or released is None:
        return known
    each = [
        {
            "kind": one.name,
            "lat_deg": round(math.degrees(one.latitude_rad), 5),
            "lon_deg": round(math.degrees(one.longitude_rad), 5),
            "impact_after_s": round(one.time_s, 1),
            "short_km": round(one.short_m / 1e3, 1),
        }
        for one in lands(released[0], PRIORS.kinds.child)
        if one.name in NAMES and one.name != "any"
    ]
    return known | {"may_release": may_release_json(0.0, forecast.may_release) | {"kinds": each}}


def track_lines(found: dict[str, Any]) -> list[str]:
    """The same in sentences."""
    lines = []
    if found["broken_up"]:
        lines.append("  it broke up, or is a piece of what did: so much came apart at once")
    if found["meteor"]:
        lines.append(
            "  a meteor: it, or what it has left, came faster than anything from the Earth; it loses mass"
        )
    if found["may_be"]:
        listed = ", ".join(
            f"{NAMES.get(name, name)} ({100 * share:.2g} %)"
            for name, share in sorted(found["may_be"].items(), key=lambda item: -item[1])
            if share >= TOLD
        )
        lines.append(f"  by its origin and its drag it is {listed}")
    may = found["may_release"]
    if may is None:
        return lines
    q = may["impact_after_quantiles_s"]
    half, _, most = (area["area_km2"] for area in may["areas"])
    lines += [
        f"  with a chance of {100 * may['chance']:.2g} % it still releases bodies until {may['until'][11:19]}, "
        f"if so some {may['bodies']:.2g};",
        f"    bodies that it may still release would come down within {most:,.4g} km2 (99 %; half within {half:,.3g})",
        f"    about {may['lat_deg']:.3f}, {may['lon_deg']:.3f}, from {_clock(q['0.005'])} to {_clock(q['0.995'])}",
    ]
    first = may["kinds"][0]
    for one in may["kinds"][1:]:
        lines.append(
            f"    {NAMES[one['kind']]} among them {one['short_km']:,.0f} km short of {NAMES[first['kind']]}, "
            f"{one['impact_after_s'] - first['impact_after_s']:,.0f} s later"
        )
    return lines


def _clock(time_s: float) -> str:
    from tocsin.formats.geojson import moment

    return moment(time_s)[11:19]
