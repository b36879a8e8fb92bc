"""Windows of a decaying orbit, made by what makes them in a replay: two bodies, one of which is seen twice and ends."""

from functools import cache

import numpy as np

from tocsin.earth.flights import to_time
from tocsin.prediction import decay_watch
from tocsin.prediction.decay_watch import Body, Orbits, Pass
from tocsin.prediction.forecast import DecayWindow

from .prediction.decay_truth import over

START_S = 1_767_225_600.0  # 2026-01-01 00:00 UTC
P = np.diag([60.0**2] * 3 + [0.3**2] * 3)
BETA = 120.0


def going(number: int, time_s: float, x: np.ndarray) -> Body:
    """A body whose pass is over at the time of its last state."""
    return Body((number,), (), Pass(time_s, x, P, number), time_s, -np.inf, np.inf, np.inf)


@cache
def told() -> tuple[DecayWindow, ...]:
    """Three windows and an end, in order: T00003 twice, T00008 once, the end of T00003."""
    x = over(20.0, 170.0, 145e3, 60.0)
    later_s = 5400.0
    orbits, first = decay_watch.step(Orbits((going(3, START_S, x),)), START_S)
    second = going(5, START_S + later_s, to_time(x, BETA, later_s).state[0])
    other = going(8, START_S + later_s, over(-10.0, -50.0, 180e3, 80.0))
    orbits, more = decay_watch.step(Orbits((*orbits.bodies, second, other)), START_S + later_s)
    end_s = min(body.until_s for body in orbits.bodies)
    _, end = decay_watch.step(orbits, end_s)
    return (*first, *more, *end)
