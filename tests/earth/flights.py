"""A second integrator: the same forces written anew for scipy, at its tightest tolerance."""

import numpy as np
from pyproj import Transformer
from scipy.integrate import solve_ivp

from tocsin.earth.atmosphere import density_kg_m3
from tocsin.earth.motion import wind_share
from tocsin.units import EARTH_GM_M3_S2, EARTH_RATE_RAD_S, J2, SEMI_MAJOR_AXIS_M

PROJ = Transformer.from_crs(4978, 4979)
TURN = np.array([0.0, 0.0, EARTH_RATE_RAD_S])


def geodetic(position):
    return PROJ.transform(*position)  # latitude, longitude (deg), height (m)


def slope(state, beta, wind, thrust):
    """Time derivative of position and velocity in ECEF."""
    p, v = state[:3], state[3:]
    r = np.sqrt(p @ p)
    j = 1.5 * J2 * (SEMI_MAJOR_AXIS_M / r) ** 2
    s = 5.0 * (p[2] / r) ** 2
    pull = -EARTH_GM_M3_S2 / r**3 * p * np.array([1 + j * (1 - s), 1 + j * (1 - s), 1 + j * (3 - s)])
    pull -= 2.0 * np.cross(TURN, v) + np.cross(TURN, np.cross(TURN, p))
    if thrust is not None:
        return np.concatenate([v, pull + thrust])
    latitude, longitude, height = geodetic(p)
    if wind.any():
        lat, lon = np.radians(latitude), np.radians(longitude)
        east = np.array([-np.sin(lon), np.cos(lon), 0.0])
        north = np.array([-np.sin(lat) * np.cos(lon), -np.sin(lat) * np.sin(lon), np.cos(lat)])
        v_air = v - wind_share(height) * (wind[0] * east + wind[1] * north)
    else:
        v_air = v
    drag = -0.5 * density_kg_m3(height) / beta * np.sqrt(v_air @ v_air) * v_air
    return np.concatenate([v, pull + drag])


def fly(state, duration_s, beta=np.inf, wind=(0.0, 0.0), thrust=None):
    """State after a time."""
    wind = np.asarray(wind)
    done = solve_ivp(
        lambda t, y: slope(y, beta, wind, thrust),
        (0.0, duration_s),
        state,
        method="DOP853",
        rtol=1e-12,
        atol=1e-6,
    )
    return done.y[:, -1]


def fall(state, beta, wind=(0.0, 0.0), ground_m=0.0):
    """Time (s) and state where a flight meets the ground."""
    wind = np.asarray(wind)

    def above(t, y):
        return geodetic(y[:3])[2] - ground_m

    above.terminal = True
    above.direction = -1.0
    done = solve_ivp(
        lambda t, y: slope(y, beta, wind, None),
        (0.0, 5400.0), state, method="DOP853", rtol=1e-12, atol=1e-6, events=above,
    )  # fmt: skip
    return float(done.t_events[0][0]), done.y_events[0][0]


def start(latitude_deg, longitude_deg, height_m, speed_m_s, heading_deg, climb_deg):
    """Position and velocity (6,) in ECEF."""
    from tocsin.earth.ellipsoid import enu_axes, geodetic_to_ecef

    latitude, longitude = np.radians([latitude_deg, longitude_deg])
    heading, climb = np.radians([heading_deg, climb_deg])
    local = speed_m_s * np.array(
        [np.sin(heading) * np.cos(climb), np.cos(heading) * np.cos(climb), np.sin(climb)]
    )
    return np.concatenate(
        [geodetic_to_ecef(latitude, longitude, height_m), local @ enu_axes(latitude, longitude)]
    )
