"""How a flight ended: codes of the kernels, and a sentence for each."""

from __future__ import annotations

ARRIVED = 0
LANDED = 1
STILL_UP = 2
STARTS_BELOW = 3
NOT_FINITE = 4
TOO_MANY_STEPS = 5

SENTENCES = {
    ARRIVED: "The flight reached the time, or the perigee, that it was asked for.",
    LANDED: "The flight came down to the ground; state and time are those of the impact.",
    STILL_UP: "The flight had not reached its end within the longest time; give it more if it is to come down.",
    STARTS_BELOW: "The flight starts below the ground; state and time are those of the start.",
    NOT_FINITE: "The start holds a number that is not finite, or the flight grew beyond all numbers "
    "(drag backwards in time does that); there is no result.",
    TOO_MANY_STEPS: "The flight took more steps than are allowed; ask for a larger error, or fly it in parts.",
}


def sentence(status: int) -> str:
    """What a status code means, and what to do about it."""
    return SENTENCES[int(status)]
