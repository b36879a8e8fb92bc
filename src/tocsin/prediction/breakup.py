"""Break-ups: what the pieces of a launch failure or a re-entry may be, and where they come down from heel to toe.

A piece is light or dense (`kinds.DEFAULT.breakup`: sheets and shells, engines and pumps; orders of magnitude, as the
other kinds), is thrown by some metres a second into any direction, and goes with the wind. The area of a break-up is
that of one piece drawn from all: a share of it is a share of the pieces.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from tocsin.earth.ellipsoid import ecef_to_geodetic
from tocsin.earth.flights import to_ground
from tocsin.earth.forces import Forces
from tocsin.earth.status import LANDED
from tocsin.prediction.departures import TUMBLING_LN_BETA
from tocsin.prediction.forecast import Pieces
from tocsin.prediction.impact import LONGEST_FLIGHT_S
from tocsin.sensors.plots import Floats

# What a piece is thrown by, one sigma of each axis: NASA's model of explosions has a speed of 28 m/s in the median for
# pieces of 0.01 m2/kg, log-normal with 0.4 decades (Johnson et al. 2001, Advances in Space Research 28, 1377-1384), so
# a root mean square of 43 m/s.
THROWN_M_S = 25.0
LINE_KG_M2 = (10.0, 30.0, 100.0, 300.0, 1000.0)


def line_of(x: ArrayLike, steady: Forces, tumbling: Forces, ground_m: float) -> Pieces:
    """Where pieces of LINE_KG_M2 come down from a state (6,), thrown nowhere, in the wind of the forces.

    steady, tumbling: what acts on what keeps its attitude, and on what does not.
    """
    beta = np.array(LINE_KG_M2)
    place = np.full((2, len(beta)), np.nan)
    time_s: Floats = np.full(len(beta), np.nan)
    for k, one in enumerate(beta):
        forces = tumbling if math.log(one) < TUMBLING_LN_BETA else steady
        flown = to_ground(
            np.asarray(x, float)[None], one, forces, ground_m=ground_m, longest_s=LONGEST_FLIGHT_S
        )
        if flown.status[0] == LANDED:
            place[:, k] = ecef_to_geodetic(flown.state[0, :3])[:2]
            time_s[k] = flown.time_s[0]
    return Pieces(beta, place[0], place[1], time_s)
