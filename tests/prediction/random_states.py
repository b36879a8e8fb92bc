"""Random states of many kinds, and what a prediction must be whatever it is of."""

import math

import numpy as np
from shapely.geometry import Polygon

from tocsin.earth.ellipsoid import enu_axes, geodetic_to_ecef
from tocsin.prediction.forecast import COMES_DOWN, IN_A_WINDOW, ORIGINS

FAMILIES = ("cut-off", "lofted", "flat", "entry", "orbit", "slow", "anything")


def random_states(count, seed):
    """States, and arguments of `predict_state`.

    Cut-offs like those of a first stage (60 to 80 km, 1.5 to 2.5 km/s, 15 to 35 degrees up), lofted and flat flights
    of 150 to 10,000 km (speeds up to 7.3 km/s), entries, orbits, what falls slowly, and anything up to 60 km/s; a third
    each at the poles, at the antimeridian, and anywhere.
    """
    rng = np.random.default_rng(seed)
    for i in range(count):
        family = FAMILIES[i % len(FAMILIES)]
        where = rng.integers(3)
        latitude = math.asin(rng.uniform(-1, 1))
        longitude = rng.uniform(-math.pi, math.pi)
        if where == 0:
            latitude = math.copysign(math.pi / 2 - abs(rng.normal(0.0, 0.05)), rng.uniform(-1, 1))
        elif where == 1:
            longitude = math.pi + rng.normal(0.0, 0.03)
        height, speed, climb = {
            "cut-off": (rng.uniform(60e3, 80e3), rng.uniform(1500, 2500), rng.uniform(15, 35)),
            "lofted": (rng.uniform(80e3, 300e3), rng.uniform(1200, 7300), rng.uniform(45, 85)),
            "flat": (rng.uniform(40e3, 200e3), rng.uniform(1200, 7300), rng.uniform(-5, 30)),
            "entry": (rng.uniform(60e3, 130e3), rng.uniform(3000, 30e3), rng.uniform(-60, -1)),
            "orbit": (rng.uniform(80e3, 900e3), rng.uniform(7200, 11500), rng.normal(0, 2)),
            "slow": (rng.uniform(0.0, 40e3), rng.uniform(0, 400), rng.uniform(-90, 30)),
            "anything": (10 ** rng.uniform(0, 7), 10 ** rng.uniform(0, 4.8), rng.uniform(-90, 90)),
        }[family]
        heading, climb = rng.uniform(0, 2 * math.pi), math.radians(climb)
        local = speed * np.array(
            [math.sin(heading) * math.cos(climb), math.cos(heading) * math.cos(climb), math.sin(climb)]
        )
        state = np.concatenate(
            [geodetic_to_ecef(latitude, longitude, height), local @ enu_axes(latitude, longitude)]
        )
        more = {}
        if rng.random() < 0.7:
            more["covariance"] = 10 ** rng.uniform([1, -1], [3.5, 2])
        chance = rng.random()
        if chance < 0.3:
            more["ballistic_coefficient"] = math.exp(rng.uniform(math.log(5), math.log(15e3)))
            more["ballistic_coefficient_sigma"] = rng.choice([0.0, 0.05, 0.3, 1.0])
        elif chance < 0.7:
            more["origin"] = ORIGINS[rng.integers(len(ORIGINS))]
        yield state, more


def faults(made):
    """What is wrong with a prediction, none where it is what it must be."""
    wrong = [] if made.window is None else window_faults(made.window)
    if made.status != COMES_DOWN:
        if (made.status == IN_A_WINDOW) != (made.window is not None):
            wrong.append(f"status {made.status}, window {made.window}")
        return [
            *wrong,
            *([] if made.sentence.endswith(".") and not made.areas else ["no sentence, or areas"]),
        ]
    for share, area, size in zip(made.shares, made.areas, made.areas_km2, strict=True):
        parts = getattr(area, "geoms", [area])
        west, south, east, north = area.bounds
        if not (area.is_valid and len(parts) and all(isinstance(part, Polygon) for part in parts)):
            wrong.append(f"the area of {share} is not valid")
        if any(len(part.interiors) for part in parts):
            wrong.append(f"the area of {share} has holes")
        if not (-180.0 <= west < east <= 180.0 and -90.0 <= south < north <= 90.0):
            wrong.append(f"the area of {share} leaves the map: {area.bounds}")
        total = 0.0
        for part in parts:  # on a sphere: the integral of sin(latitude) over longitude
            lon, lat = np.radians(np.asarray(part.exterior.segmentize(0.1).coords)).T
            total += abs(np.sum(np.diff(lon) * np.sin(0.5 * (lat[1:] + lat[:-1])))) * 6371.0**2
        if not abs(total / size - 1.0) < 0.1 + 2e-4 / size:
            wrong.append(f"the area of {share} is {total:.6g} km2, and told as {size:.6g} km2")
    if not (np.diff(made.areas_km2) > 0.0).all():
        wrong.append(f"areas do not grow: {made.areas_km2}")
    rising = np.diff(made.time_quantiles_s) > 0.0
    if not (rising | (made.time_quantiles_s[1:] == 0.0)).all() or made.time_quantiles_s[0] < 0.0:
        wrong.append(f"times do not rise: {made.time_quantiles_s}")
    if not (math.isfinite(made.time_s) and np.isfinite(made.covariance).all()):
        wrong.append("a number is not finite")
    return wrong


def window_faults(window):
    """What is wrong with a window."""
    wrong = []
    latitude, longitude, at = window.track.T
    if not (
        np.isfinite(window.track).all()
        and (np.abs(latitude) <= 0.5 * np.pi).all()
        and (np.diff(at) > 0.0).all()
    ):
        wrong.append("the track leaves the map, or its times do not rise")
    if not (np.abs(longitude) <= np.pi).all():
        wrong.append("a longitude is beyond 180 degrees")
    for name, late in (("entry", window.entry_quantiles_s), ("ground", window.ground_quantiles_s)):
        known = late[np.isfinite(late)]
        if not (len(known) and (np.diff(known) >= 0.0).all() and known[0] > 0.0):
            wrong.append(f"quantiles of {name}: {late}")
        if not (np.isfinite(late[:4]).all() or window.within < 0.5):
            wrong.append(f"no median of {name}, within {window.within}")
    if not 0.5 <= window.within <= 1.0:
        wrong.append(f"within {window.within}")
    chance = window.stretches[:, 2]
    if not ((chance >= 0.0).all() and abs(chance.sum() - (min(window.within, 0.995) - 0.005)) < 0.03):
        wrong.append(f"pieces sum to {chance.sum()}, within {window.within}")
    if not (window.swath_m > 0.0 and window.revolutions >= 0.0):
        wrong.append(f"swath {window.swath_m} m, {window.revolutions} revolutions")
    return wrong
