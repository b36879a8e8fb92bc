"""What tracks of an incident might still have released, and what came of it."""

from __future__ import annotations

import shapely

from tocsin.brief.document import Block, Bullets, Heading
from tocsin.brief.evidence import Evidence, Fact, Ref
from tocsin.brief.incidents import Incident
from tocsin.brief.words import area, clock, listed, of_all, plural, span
from tocsin.prediction.forecast import Forecast, MayRelease

MOST_CARRIERS = 6  # tracks told of; the rest is in predictions.parquet
LATER = ("stage", "debris")  # kinds of impacts.csv that come down elsewhere and later


def releases(evidence: Evidence, incident: Incident) -> list[Block]:
    """The paragraphs, none where nothing was reckoned with."""
    by_track: dict[str, list[tuple[Forecast, MayRelease]]] = {}
    for forecast in sorted(evidence.results.forecasts, key=lambda f: f.issued_s):
        if forecast.track in incident.tracks and forecast.may_release is not None:
            by_track.setdefault(forecast.track, []).append((forecast, forecast.may_release))
    if not by_track:
        return []
    facts = []
    chosen = sorted(by_track, key=lambda t: -by_track[t][0][1].chance)[:MOST_CARRIERS]
    for track in sorted(chosen):
        facts += _carrier(evidence, incident, track, by_track[track])
    if len(by_track) > MOST_CARRIERS:
        others = plural(len(by_track) - MOST_CARRIERS, "further track")
        facts.append(Fact(f"The same was reckoned with of {others}: in predictions.parquet."))
    return [Heading(2, "What might still have come off"), Bullets((*facts, *_later(incident)))]


def _carrier(
    evidence: Evidence, incident: Incident, track: str, said: list[tuple[Forecast, MayRelease]]
) -> list[Fact]:
    (first, may), (last, at_last) = said[0], said[-1]
    when = f"From {clock(first.issued_s)} to {clock(last.issued_s)}"
    if first is last:
        when = f"At {clock(first.issued_s)}"
    facts = [
        Fact(
            f"{when} bodies were reckoned with that {track} might "
            f"still release, at first with a chance of {100 * may.chance:.0f}\u00a0% until {clock(may.until_s)}. Each "
            f"would have come down within {area(float(may.areas_km2[-1]))} (99\u00a0%); at last within "
            f"{area(float(at_last.areas_km2[-1]))}.",
            _ref(first) if first is last else (*_ref(first), *_ref(last)),
        )
    ]
    born: dict[str, float] = {}
    for row in evidence.results.rows:
        if row.parent == track:
            born[row.track] = min(row.time_s, born.get(row.track, row.time_s))
    if not born:
        return facts
    text = f"{plural(len(born), 'track')} separated from {track}."
    judged = []
    for body in incident.bodies:
        if body.row and body.track in born:
            before = [m for f, m in said if f.issued_s < born[body.track]]
            if before:
                place = shapely.Point(body.longitude_deg, body.latitude_deg)
                judged.append(bool(shapely.covers(before[-1].areas[-1], place)))
    if judged:
        text += (
            f" Of what these turned out to be, {of_all(sum(judged), len(judged))} came down within the area that had "
            "been told last before."
        )
    return [*facts, Fact(text, (Ref("track", track),))]


def _later(incident: Incident) -> list[Fact]:
    """Spent stages and debris: when they came down, against the rest."""
    late = [b for b in incident.bodies if b.kind in LATER]
    rest = [b for b in incident.bodies if b.row and b.kind not in LATER]
    if not late or not rest:
        return []
    names = listed(sorted({{"stage": "spent stages", "debris": "light debris"}[b.kind] for b in late}))
    verb = "comes" if all(b.kind == "debris" for b in late) else "come"
    first, last = min(b.time_s for b in late), max(b.time_s for b in late)
    until = max(b.time_s for b in rest)
    after = f", the last of it {span(last - until)} after all else" if last > until else ""
    return [
        Fact(
            f"{names[0].upper()}{names[1:]} {verb} down elsewhere and later than what is dense: here from "
            f"{clock(first)} to {clock(last)}{after}.",
            tuple(Ref("impact", str(b.row)) for b in late if b.time_s in (first, last))[:2],
        )
    ]


def _ref(forecast: Forecast) -> tuple[Ref, ...]:
    return (Ref("forecast", f"{forecast.track}/{forecast.issued_s:.6f}"),)
