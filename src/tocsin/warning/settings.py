"""What the policy goes by. Each default gives its reason; docs/warnings.md explains them at length."""

from __future__ import annotations

from typing import NamedTuple

# Bytes of a CAP message as measured, rounded up: without its languages; a language with its texts, on the mean of
# the six; a corner in one language; a reference. tests/warning/test_size.py holds them to it.
FRAME_BYTES, LANGUAGE_BYTES, CORNER_BYTES, REFERENCE_BYTES = 1_000, 3_200, 21, 110
MESSAGE_BYTES = 29_000  # 32 kB less what a signature needs
LEAST_FOOTPRINTS = 2  # for which there is always room


class Settings(NamedTuple):
    """Thresholds of the warning policy."""

    status: str = "Exercise"  # or Test; Actual only under an authority that may send it
    languages: tuple[str, ...] = ("en", "uk")

    # when to speak
    cost_loss_per_km2: float = 2.5e-4  # C/L: places are told where the chance on a km2 is above it
    light_loss: float = 0.0  # loss where what falls slower than 30 m/s comes down, over that of the rest
    hold: float = 0.95  # take cover when the places above C/L hold this share of where it comes down,
    shelter_s: float = 90.0  # or when no more than the time to shelter is left before it may arrive
    within_s: float = 3600.0  # nothing is told to take cover that comes down later than this
    existence: float = 0.95  # least probability that the track is a real object
    forecasts: int = 3  # this many in a row must say that it comes down
    prepare_public: bool = False  # whether people are told to prepare, or operators alone

    # how large
    scale: float = 1.0  # alerted outline over that of the places above C/L
    margin_m: float = 100.0  # added all round: what an impact throws about, and rounding
    max_area_km2: float = 1000.0  # a growing outline beyond it is replaced by the latest forecast's
    least_held: float = (
        0.95  # forecasts whose places hold less, and less than before, change nothing until they agree
    )
    corners: int = 24  # of one body's outline
    united_corners: int = 40  # of one footprint, where few stand in a message
    message_corners: int = 480  # of all footprints of a message, if there is room: corners_left()
    least_corners: int = 8  # of a footprint, however many there are

    # when to change
    poke: float = 0.02  # share of a new area that may lie outside the alerted one
    slack_scale: float = 1.1  # an outline that grows does so by this much more
    agree_forecasts: int = 3  # so many forecasts,
    agree_s: float = 10.0  # over so long, agree before an area shrinks or a threat is withdrawn
    silence_s: float = (
        20.0  # without a forecast of a body for so long at the least, its last ones stand alone
    )
    settle: float = 0.9  # a body's outline follows when it would shrink to this share
    shrink: float = 0.7  # an Update is worth sending when a footprint shrinks to this share
    arrival_s: float = 60.0  # an Update is worth sending when the first arrival moves by this much
    onset_s: float = 10.0  # or may come this much before the announced onset
    urgent_interval_s: float = 2.0  # least time between messages when the area grows
    stay_s: float = (
        60.0  # a place that is told to take cover stays told so long: no more than one siren a minute
    )
    interval_s: float = 20.0  # least time between messages otherwise

    # when to end
    sigmas: float = (
        3.0  # latest credible arrival, where the forecast gives none: so many standard deviations on
    )
    debris_s: float = 60.0  # after it, until what was thrown up has come down
    unseen_s: float = (
        1800.0  # how long a track is watched that was lost under thrust, before it was known where to
    )
    slack_s: float = 120.0  # expires lies this much beyond, so that small changes need no Update
    all_clear_s: float = 600.0  # how long an all-clear or a withdrawal stays

    # what belongs together
    adjoin_m: float = 10_000.0  # footprints no further apart than this,
    wave_s: float = 120.0  # and due within this time of each other, are one incident, told of by that time
    succeed_s: float = 120.0  # a track found within this time of another's loss may be the same body


def corners_left(settings: Settings, references: int) -> int:
    """Corners that a message has room for: every language repeats them, and references take room too."""
    languages = len(settings.languages)
    left = MESSAGE_BYTES - FRAME_BYTES - LANGUAGE_BYTES * languages - REFERENCE_BYTES * references
    least = LEAST_FOOTPRINTS * settings.least_corners
    return max(least, min(settings.message_corners, left // (CORNER_BYTES * languages)))
