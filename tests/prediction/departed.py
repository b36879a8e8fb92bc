"""The forces of a body whose drag departs on its way: by other tables than the kernel's, for the tests of it."""

import numpy as np

from tocsin.earth.drag import mixed_curve
from tocsin.earth.ellipsoid import ecef_to_geodetic
from tocsin.prediction.departures import (
    AIR_DEPTH_M,
    MOST_MACH,
    STEADY,
    STEADY_SIGMAS,
    TUMBLING,
    TUMBLING_SIGMAS,
    air_sigma,
)


def departed(x, tumbles, shares):
    """Forces with the curve and the air of departures of so many sigmas: of cone, cube and air.

    The air at the height of x (9,) is the standard. The curve is another one at the Mach number of x too: what is known
    is the drag of now, so ln beta must follow it (`impact.ln_by_mach`).
    """
    f, sigmas = (TUMBLING, TUMBLING_SIGMAS) if tumbles else (STEADY, STEADY_SIGMAS)
    powers = {"slender": 0.0, "fragment": 1.2} if tumbles else {"slender": 0.2, "fragment": 0.8}
    powers["slender"] += sigmas[0] * shares[0]
    powers["fragment"] += sigmas[1] * shares[1]
    height = float(ecef_to_geodetic(x[:3])[2])
    air, knots = f.air.copy(), f.air_knots_m
    t = np.linspace(-1.0, 1.0, 40)
    for k in range(len(air)):
        at = 0.5 * (knots[k] + knots[k + 1]) + 0.5 * t * (knots[k + 1] - knots[k])
        far = np.abs(at - height)
        sigma = np.hypot(air_sigma(height), [air_sigma(h) for h in at])
        degree = air.shape[1] - 1
        air[k] += shares[2] * np.polynomial.polynomial.polyfit(t, sigma * far / (AIR_DEPTH_M + far), degree)
    return f._replace(curve=mixed_curve(powers, MOST_MACH), air=air)
