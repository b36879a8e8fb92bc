"""CCSDS Orbit Ephemeris Messages (502.0-B-2 and later) as keyword = value text: states, with covariances where given.

Every line of an ephemeris is a state; accelerations behind it are left out. Where a segment has covariances, only its
states of the same moments are taken: the others would look exact. Frames that turn with the Earth are taken as they
are, those of the sky by `earth.sky`, which says what it leaves out.
"""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tocsin.earth.frames import SPIN
from tocsin.earth.sky import FRAMES, sky_to_ecef_jacobian
from tocsin.errors import DataError
from tocsin.formats.given import TIME_LIMIT_S, Given, States, not_a_covariance
from tocsin.formats.tables import MAX_LISTED, VALUE_LENGTH, Rejection, time_from_text
from tocsin.sensors.plots import Floats

EARTH_FIXED = re.compile(r"ITRF.*|WGS-?84|EARTH_?FIXED|ECEF")
SAME_FRAME = {"J2000": "EME2000"}  # as some programs write it
LOCAL = {"RSW": "RTN", "RTN": "RTN", "RIC": "RTN", "TNW": "TNW"}
# Seconds ahead of UTC. Atomic time has been 37 s ahead since 2017.
AHEAD_S = {"UTC": 0.0, "TAI": 37.0, "TT": 69.184, "GPS": 18.0}
STEADY_SINCE_S = 1_483_228_800.0  # 2017-01-01
DAY_OF_YEAR = re.compile(r"(\d{4})-(\d{3})T(.*)")
KM = 1e3
MOST = 1e300  # so that it stays a number in metres
SAME_MOMENT_S = 1e-3
LINES = 6  # of a covariance


class _Segment(NamedTuple):
    """What the metadata before an ephemeris say."""

    name: str
    frame: str
    time_system: str


class _Covariance(NamedTuple):
    """A covariance (6, 6) in m and m/s, and the line that it begins at."""

    line: int
    frame: str
    matrix: Floats


_Key = tuple[int, int]  # segment, and time in milliseconds


def is_oem(lines: Sequence[str]) -> bool:
    """Whether lines are a message in keywords (the XML form is not read)."""
    return any(re.match(r"\s*CCSDS_OEM_VERS\s*=", line) for line in lines[:50])


def read_oem(path: Path, lines: Sequence[str]) -> States:
    """States of a message. Lines that cannot be used are told of.

    Raises DataError, with line, field, value and what is allowed, for a frame, centre or time system that cannot be
    used, and where no state is left.
    """
    segments: list[_Segment] = []
    found: dict[_Key, tuple[int, float, Floats]] = {}
    covariances: dict[_Key, _Covariance] = {}
    rejected: list[Rejection] = []

    def reject(number: int, field: str, value: str, reason: str) -> None:
        rejected.append(Rejection(path.name, number, field, value[:VALUE_LENGTH], reason))

    meta: dict[str, tuple[int, str]] = {}
    inside, rows = "", iter(enumerate(lines, 1))
    head: dict[str, tuple[int, str]] = {}
    for number, line in rows:
        text = line.strip()
        word, equals, value = (part.strip() for part in text.partition("="))
        if not text or text.startswith("COMMENT"):
            continue
        if text == "META_START":
            meta, inside = {}, "meta"
        elif text == "META_STOP":
            segments.append(_segment(path, number, meta))
            inside = "data"
        elif text == "COVARIANCE_START":
            if not segments:
                raise DataError(
                    f"{path}, line {number}: COVARIANCE_START stands before any metadata; META_START to META_STOP must "
                    "come first"
                )
            inside, head = "covariance", {}
        elif text == "COVARIANCE_STOP":
            inside = "data"
        elif inside == "meta" and equals:
            meta[word] = (number, value)
        elif inside == "covariance":
            if equals:
                head[word] = (number, value)
                continue
            rest = [text, *_next_lines(rows, LINES - 1)]
            moment, one, wrong = _covariance_of(path, number, head, rest, segments[-1])
            if one is None:
                reject(number, "covariance", rest[0], wrong)
            else:
                covariances[len(segments) - 1, round(moment / SAME_MOMENT_S)] = one
            head.pop("EPOCH", None)
        elif inside == "data" and not equals:
            time_s, state, field, wrong = _state(text, segments[-1].time_system)
            if wrong:
                reject(number, field, text, wrong)
            else:
                found.setdefault((len(segments) - 1, round(time_s / SAME_MOMENT_S)), (number, time_s, state))
    return _states(path, segments, found, covariances, rejected)


def _next_lines(rows: Iterator[tuple[int, str]], count: int) -> list[str]:
    """The next lines that are no comment."""
    out: list[str] = []
    for _, line in rows:
        if line.strip() and not line.strip().startswith("COMMENT"):
            out.append(line.strip())
        if len(out) == count or "COVARIANCE_STOP" in line:
            break
    return out


def _states(
    path: Path, segments: list[_Segment], found: dict[_Key, tuple[int, float, Floats]],
    covariances: dict[_Key, _Covariance], rejected: list[Rejection],
) -> States:  # fmt: skip
    with_covariance = {segment for segment, _ in covariances}
    given: list[Given] = []
    left_out = 0
    for key, (_, time_s, state) in found.items():
        segment = segments[key[0]]
        if key[0] in with_covariance and key not in covariances:
            left_out += 1
            continue
        turn = _to_ecef(time_s, segment.frame)
        P = None
        if key in covariances:
            one = covariances[key]
            axes = turn if not one.frame else _covariance_turn(state, time_s, one.frame, segment.frame)
            if axes is None:
                why = f"is in {one.frame}, and the state has no plane of motion to turn it by"
                rejected.append(Rejection(path.name, one.line, "covariance", "", why))
                continue
            P = axes @ one.matrix @ axes.T
        given.append(Given(segment.name, time_s, turn @ state, P, None, None, None))
    rejected.sort(key=lambda rejection: rejection.row)
    if not given:
        first = f"; the first: {rejected[0].text}" if rejected else ""
        if left_out:
            first = "; its covariances are of other moments than its states" + first
        raise DataError(f"{path}: has no state that can be used{first}")
    notes = []
    if left_out:
        notes.append(
            f"{path.name}: {left_out} states without a covariance left out, beside {len(given)} with one"
        )
    if any(segment.frame in FRAMES for segment in segments):
        notes.append(
            f"{path.name}: UT1 is taken as UTC and the pole as fixed: places are off by up to 0.4 km"
        )
    return States(tuple(given), tuple(rejected[:MAX_LISTED]), tuple(notes), len(rejected))


def _segment(path: Path, number: int, meta: dict[str, tuple[int, str]]) -> _Segment:
    """Metadata that end at a line."""

    def wanted(key: str, allowed: str, known: bool, text: str) -> str:
        line = meta.get(key, (number, ""))[0]
        if not known:
            raise DataError(
                f"{path}, line {line}: {key} is {repr(text) if text else 'missing'}, must be {allowed}"
            )
        return text

    def get(key: str) -> str:
        return meta.get(key, (number, ""))[1].upper()

    wanted("CENTER_NAME", "EARTH", get("CENTER_NAME") == "EARTH", get("CENTER_NAME"))
    frame = SAME_FRAME.get(get("REF_FRAME"), get("REF_FRAME"))
    wanted("REF_FRAME", _FRAMES, frame in FRAMES or bool(EARTH_FIXED.fullmatch(frame)), frame)
    system = wanted("TIME_SYSTEM", ", ".join(AHEAD_S), get("TIME_SYSTEM") in AHEAD_S, get("TIME_SYSTEM"))
    name = (
        meta.get("OBJECT_NAME", (0, ""))[1]
        or meta.get("OBJECT_ID", (0, ""))[1]
        or f"segment before line {number}"
    )
    return _Segment(name, frame, system)


_FRAMES = f"ITRF (of any year), WGS84, {', '.join(FRAMES)}"


def _time(text: str, system: str) -> tuple[float, str]:
    """Seconds since 1970 UTC, and what is wrong with it; a date may be a month and day, or a day of the year."""
    if found := DAY_OF_YEAR.fullmatch(text):
        try:
            day = datetime.date(int(found[1]), 1, 1) + datetime.timedelta(days=int(found[2]) - 1)
        except (ValueError, OverflowError):
            return math.nan, "is not a date and time"
        text = f"{day.isoformat()}T{found[3]}"
    time_s = time_from_text(text) - AHEAD_S[system]
    if math.isnan(time_s):
        return time_s, "is not a date and time"
    if time_s >= TIME_LIMIT_S:
        return math.nan, "must be before the year 9999"
    if system != "UTC" and time_s < STEADY_SINCE_S:
        return (
            math.nan,
            f"is before 2017, when the leap seconds between {system} and UTC were others; give UTC",
        )
    return time_s, ""


def _numbers(words: Sequence[str]) -> Floats | None:
    try:
        values = np.array([float(word) for word in words])
    except ValueError:
        return None
    return values if (np.abs(values) < MOST).all() else None


def _state(text: str, system: str) -> tuple[float, Floats, str, str]:
    """Time and state (6,) in m and m/s of a line; the field that is wrong, and why."""
    words = text.split()
    time_s, wrong = _time(words[0], system)
    if wrong:
        return time_s, np.zeros(6), "epoch", wrong
    if len(words) not in (7, 10):
        return (
            time_s,
            np.zeros(6),
            "state",
            f"has {len(words) - 1} numbers, must have 6, or 9 with an acceleration",
        )
    state = _numbers(words[1:7])
    if state is None:
        return time_s, np.zeros(6), "state", "must be numbers (km, km/s)"
    return time_s, state * KM, "", ""


def _covariance_of(
    path: Path, number: int, head: dict[str, tuple[int, str]], lines: Sequence[str], segment: _Segment
) -> tuple[float, _Covariance | None, str]:
    """Time and covariance of six lines of a lower triangle, and what is wrong with it."""
    epoch = head.get("EPOCH", (number, ""))[1]
    time_s, wrong = _time(epoch, segment.time_system)
    if wrong:
        return time_s, None, f"its EPOCH {epoch!r} {wrong}" if epoch else "has no EPOCH before it"
    line, frame = head.get("COV_REF_FRAME", (number, ""))
    frame = SAME_FRAME.get(frame.upper(), frame.upper())
    if frame and frame not in FRAMES and frame not in LOCAL and not EARTH_FIXED.fullmatch(frame):
        allowed = f"{', '.join(LOCAL)}, {_FRAMES}"
        raise DataError(f"{path}, line {line}: COV_REF_FRAME is {frame!r}, must be {allowed}")
    rows = [_numbers(text.split()) for text in lines]
    if len(rows) != LINES or any(row is None or len(row) != i + 1 for i, row in enumerate(rows)):
        return time_s, None, "must be six lines of 1 to 6 numbers: a lower triangle (km2, km2/s, km2/s2)"
    P = np.zeros((6, 6))
    P[np.tril_indices(6)] = np.concatenate([row for row in rows if row is not None]) * KM * KM
    P = P + np.tril(P, -1).T
    reason = not_a_covariance(P)
    return time_s, None if reason else _Covariance(number, frame, P), reason or ""


def _to_ecef(time_s: float, frame: str) -> Floats:
    """Derivative (6, 6) of an ECEF state by one of a frame; states are linear in each other."""
    return sky_to_ecef_jacobian(time_s, frame) if frame in FRAMES else np.eye(6)


def _covariance_turn(state: Floats, time_s: float, frame: str, of_state: str) -> Floats | None:
    """Derivative (6, 6) of the ECEF state by a deviation in the frame of a covariance; state (6,) in its own frame.

    None where the state moves straight to or from the Earth's centre, or not at all: it has no plane.
    """
    if frame not in LOCAL:
        return _to_ecef(time_s, frame)
    # along the orbit, as it stands still at this moment against the sky
    still = np.eye(6)
    if of_state not in FRAMES:
        still[3:, :3] = SPIN
    sky = still @ state
    r, v = sky[:3], sky[3:]
    h = np.cross(r, v)
    if not h.any():
        return None
    w = h / np.linalg.norm(h)
    first = r / np.linalg.norm(r) if LOCAL[frame] == "RTN" else v / np.linalg.norm(v)
    axes = np.array([first, np.cross(w, first), w])
    both = np.zeros((6, 6))
    both[:3, :3] = both[3:, 3:] = axes.T
    return np.asarray(_to_ecef(time_s, of_state) @ np.linalg.inv(still) @ both)
