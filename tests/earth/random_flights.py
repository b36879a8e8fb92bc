"""Random flights of two kinds: any that come down 100 to 10,000 km away, and grazing ones."""

import numpy as np

from tocsin.earth.ellipsoid import enu_axes, geodetic_to_ecef
from tocsin.earth.flights import to_ground
from tocsin.earth.status import LANDED


def random_flights(count, seed, lowest_deg=-5.0, highest_deg=80.0):
    """States (n, 6) and ballistic coefficients (n,) of flights of 100 to 10,000 km that land within 7,000 s.

    Over all the Earth; heights 35 to 300 km, 800 to 7,500 m/s, directions between two elevations, 50 to 15,000 kg/m2.
    """
    rng = np.random.default_rng(seed)
    states, betas = [], []
    while sum(map(len, betas)) < count:
        n = 2 * count
        latitude, longitude = np.arcsin(rng.uniform(-1, 1, n)), rng.uniform(-np.pi, np.pi, n)
        height = np.exp(rng.uniform(np.log(35e3), np.log(300e3), n))
        speed, elevation = rng.uniform(800, 7500, n), np.radians(rng.uniform(lowest_deg, highest_deg, n))
        azimuth = rng.uniform(0, 2 * np.pi, n)
        beta = np.exp(rng.uniform(np.log(50), np.log(15000), n))
        local = np.stack(
            [np.cos(elevation) * np.sin(azimuth), np.cos(elevation) * np.cos(azimuth), np.sin(elevation)], -1
        )
        velocity = speed[:, None] * np.einsum("ni,nij->nj", local, enu_axes(latitude, longitude))
        state = np.hstack([geodetic_to_ecef(latitude, longitude, height), velocity])
        landing = to_ground(state, beta, longest_s=7000.0)
        a, b = state[:, :3], landing.state[:, :3]
        cosine = np.sum(a * b, 1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
        distance = 6371e3 * np.arccos(np.clip(cosine, -1, 1))
        fits = (landing.status == LANDED) & (distance > 100e3) & (distance < 10e6)
        states.append(state[fits])
        betas.append(beta[fits])
    return np.concatenate(states)[:count], np.concatenate(betas)[:count]
