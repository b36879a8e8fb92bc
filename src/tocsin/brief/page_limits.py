"""What went wrong, what the account cannot say, and what it was made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import shapely

from tocsin.brief.bodies import Body, lost, source
from tocsin.brief.cover import notice
from tocsin.brief.document import Block, Bullets, Column, Heading, Paragraph, Table
from tocsin.brief.evidence import Evidence, Fact, Ref, message_ref
from tocsin.brief.incidents import Incident
from tocsin.brief.page_seen import silences
from tocsin.brief.seen import SensorSeen, same_tracks
from tocsin.brief.words import count, listed, plural, span
from tocsin.formats.sent import Sent
from tocsin.metrics.lead import AFTERMATH_S, warned
from tocsin.metrics.paths import Impact
from tocsin.record.learned import KEYS, SENSES

MOST_REJECTED = 5
FEW = 8  # names in a sentence
CERTAIN_SIGMAS = 3.0  # an offset of less than so many sigmas may be nothing
NOISE = 1.25  # a ratio of true to stated noise beyond which it is worth telling, either way
SHORT = ("ranges", "azimuths", "elevations", "range rates")
FORMS = ("{:.0f}\u00a0m", "{:.3f}°", "{:.3f}°", "{:.2f}\u00a0m/s")


def limits(
    evidence: Evidence, found: Sequence[Incident], outside: Sequence[Body], gave: tuple[SensorSeen, ...]
) -> list[Block]:
    """The section on faults and limits."""
    wrong = [*_warnings(evidence, found, outside), *silences(gave), *_rows(evidence), *_sensors(evidence)]
    blocks: list[Block] = [
        Heading(1, "What went wrong, and what is not known"),
        Heading(2, "What went wrong"),
    ]
    blocks.append(Bullets(tuple(wrong)) if wrong else Paragraph((Fact("Nothing that the data show."),)))
    blocks += [Heading(2, "What this account does not say"), Bullets(tuple(_not_said(evidence)))]
    return blocks


def _warnings(evidence: Evidence, found: Sequence[Incident], outside: Sequence[Body]) -> list[Fact]:
    """Missed impacts and false alerts, where the truth is known."""
    gone = [(t, one) for one in found for t in lost(evidence, one.heard)]
    facts = []
    if gone:
        names = [t for t, _ in gone]
        facts.append(
            Fact(
                f"{plural(len(names), 'track')} that people were told of ended in flight, lost or given up: "
                f"{_few(names)}. What is told of a lost track stays until it would be down.",
                tuple(Ref("track", t) for t in names[:FEW]),
            )
        )
    fell = [*(b for i in found for b in i.bodies), *outside]
    if evidence.fallen is None:
        return facts
    for body in fell:
        if body.dangerous and body.held is None:
            facts.append(Fact(f"Nobody was told to take cover where {body.name} came down.", source(body)))
    beyond = [b for b in fell if b.inside is False]
    if beyond:
        facts.append(
            Fact(
                f"{plural(len(beyond), 'object')} came down outside the 99 % area of the last forecast before: "
                f"{_few([b.name for b in beyond])}.",
                tuple(r for b in beyond[:FEW] for r in source(b)),
            )
        )
    impacts = [Impact(b.name, b.kind, b.time_s, b.latitude_deg, b.longitude_deg) for b in fell]
    end_s = max([b.time_s for b in fell] + [m.sent_s for m in evidence.sent], default=0.0)
    verdict = warned([notice(m) for m in evidence.sent], impacts, end_s)
    chains = verdict.chains_around_nothing and plural(
        verdict.chains_around_nothing, "chain of messages", "chains"
    )
    empty = [m for m in evidence.sent if m.stage == "take-cover" and not _meets(m, fell)]
    if empty:
        facts.append(
            Fact(
                f"{plural(len(empty), 'message')} of {count(len(evidence.sent))} told to take cover where nothing "
                f"came down afterwards{f'; {chains} did so from first to last' if chains else ''}.",
                tuple(message_ref(m) for m in empty[:FEW]),
            )
        )
    if evidence.following is not None:
        alerted = {t for i in found for m in i.sent if m.stage == "take-cover" for t in m.tracks}
        real = {evidence.following.tracks[k] for k, _ in evidence.following.pairs}
        ghosts = sorted(alerted - real)
        if ghosts:
            facts.append(
                Fact(
                    f"{plural(len(ghosts), 'track')} that messages went by followed no object that is known: "
                    f"{_few(ghosts)}.",
                    tuple(Ref("track", t) for t in ghosts[:FEW]),
                )
            )
    for one in found:
        if one.sent and one.sent[-1].stage not in ("all-clear", "withdrawn"):
            facts.append(Fact(f"Incident {one.ident} has no message that ends it."))
    return facts


def _meets(message: Sent, fell: Sequence[Body]) -> bool:
    """Whether something came down where a message told to take cover, no more than AFTERMATH_S before it."""
    inside = [
        b for b in fell
        if any(p.covers(shapely.Point(b.longitude_deg, b.latitude_deg)) for p in message.polygons)
    ]  # fmt: skip
    return any(b.time_s + AFTERMATH_S >= message.sent_s for b in inside)


def _few(names: list[str]) -> str:
    return listed(names) if len(names) <= FEW else f"{', '.join(names[:FEW])} and others"


def _was(number: int) -> str:
    return "was" if number == 1 else "were"


def _rows(evidence: Evidence) -> list[Fact]:
    """Rows that could not be used, and plots that came late or twice."""
    summary = evidence.results.summary
    known = (Ref("file", "summary.json"),)
    facts = []
    rejected = int(summary.get("counts", {}).get("rejected", 0))
    if rejected:
        first = [
            f"{r['file']}, row {r['row']}: {r['field']} {r['value']!r} {r['reason']}"
            for r in summary.get("rejected", ())[:MOST_REJECTED]
        ]
        more = f" The first: {'; '.join(first)}." if first else ""
        facts.append(
            Fact(
                f"{plural(rejected, 'row')} of the recording could not be used and {_was(rejected)} left out.{more}",
                known,
            )
        )
    history = evidence.history
    if history is not None:
        late = [
            (s.name, a + b)
            for s, a, b in zip(history.sensors, history.late, history.too_late, strict=True)
            if a + b
        ]
        if late:
            many, lost = sum(n for _, n in late), sum(history.too_late)
            each = (
                f"{late[0][0]} alone"
                if len(late) == 1
                else listed([f"{count(n)} of {name}" for name, n in late])
            )
            facts.append(
                Fact(
                    f"{plural(many, 'plot')} came after {'its' if many == 1 else 'their'} scan was over ({each})"
                    f"{f'; {count(lost)} of them too late to be used' if lost else ''}."
                )
            )
        if history.state.doubles:
            facts.append(
                Fact(
                    f"{plural(history.state.doubles, 'plot')} came twice and "
                    f"{_was(history.state.doubles)} counted once."
                )
            )
        if not same_tracks(evidence):
            facts.append(
                Fact(
                    "The tracker, run over the recording again, found other tracks than the results hold: another "
                    "version or another recording. What is said of plots is of the second run."
                )
            )
    return facts


def _sensors(evidence: Evidence) -> list[Fact]:
    """Sensors that were found to be off or worse than stated."""
    return [fact for sensor in evidence.learned for fact in _sensor(sensor)]


def _sensor(sensor: Mapping[str, Any]) -> list[Fact]:
    facts = []
    for key, short, form, senses in zip(KEYS, SHORT, FORMS, SENSES, strict=True):
        about = sensor.get(key)
        if about is None:
            continue
        offset, sigma = about.get("offset", 0.0), about.get("offset_sigma", 0.0)
        if abs(offset) > CERTAIN_SIGMAS * sigma > 0.0:
            facts.append(
                Fact(
                    f"{sensor['sensor']} gave {short} {form.format(abs(offset))} {senses[offset > 0]} "
                    f"(sigma {form.format(sigma)}); the tracker allowed for it."
                )
            )
        ratio = about["noise_ratio"]
        if about["noise_learned"] and not 1.0 / NOISE <= ratio <= NOISE:
            facts.append(
                Fact(
                    f"The noise of the {short} of {sensor['sensor']} was {ratio:.2f} times what is stated of it; "
                    "the tracker allowed for it."
                )
            )
    return facts


def _not_said(evidence: Evidence) -> list[Fact]:
    latency = evidence.results.summary.get("latency_s")
    facts = [
        Fact(
            "What the objects were, what they carried and who sent them: nothing of that was measured, and nothing is "
            "guessed."
        ),
        Fact(
            "How many people were inside: the numbers are those of known places of 500 people and more whose middle "
            "lay in the area, to two digits. Villages below that are missing, and a city counts as a whole or not "
            "at all."
        ),
        Fact(
            "Whether a message reached anyone: what stands here is when it was issued, not when it was heard."
        ),
        Fact("How high the ground is: objects are taken to come down on the WGS 84 ellipsoid."),
    ]
    if latency is not None:
        facts.append(
            Fact(
                f"How long decisions take: each was taken to need {latency:g} s.",
                (Ref("file", "summary.json"),),
            )
        )
    if evidence.happened is None:
        facts.append(Fact("What operators saw before the first message: the results hold no events.jsonl."))
    if evidence.recording is None:
        facts.append(Fact("Which sensor saw what: the recording was not given."))
    if evidence.fallen is None:
        facts.append(Fact("Where things truly came down, and so what was missed or false."))
    return facts


def sources(evidence: Evidence) -> list[Block]:
    """The section on what it was made from."""
    summary = evidence.results.summary
    versions = summary.get("versions", {})
    made = ", ".join(f"{name} {text}" for name, text in versions.items())
    rows = tuple((Fact(s.name), Fact(f"{count(s.size)}"), Fact(s.sha256)) for s in evidence.sources)
    columns = (Column("File", 0.3), Column("Bytes", 0.12, True), Column("SHA-256", 0.58))
    method = [
        Fact(f"The results are those of a replay of {summary.get('recording', 'a recording')} with {made}."),
        Fact(
            "Every number of this account is computed from the files below and from nothing else; the same files give "
            "the same bytes. Areas and distances are geodetic (WGS 84). A lead is the time from the message that first "
            "told a place, without a break since, to what came down."
        ),
    ]
    if evidence.history is not None:
        method.append(
            Fact(
                "Which plot belongs to which track was found by running the tracker over the recording once more."
            )
        )
    if evidence.following is not None:
        method.append(
            Fact(
                "A track is set beside the object that it followed: the one-to-one choice with the least mean square "
                "distance over 30 s before and after."
            )
        )
    return [Heading(1, "Sources and method"), Paragraph(tuple(method)), Table("Files read", columns, rows)]


def quiet_span(evidence: Evidence) -> str:
    """How long the recording lasts."""
    return span(float(evidence.results.summary.get("duration_s", 0.0)))
