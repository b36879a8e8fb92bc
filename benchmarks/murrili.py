"""Where would we have looked for the Murrili meteorite? The dark flight of a real fall, against where it was found.

    python benchmarks/murrili.py [FOLDER] [--samples 5000] [--seed 1]

FOLDER (default: real/murrili in the folder "shared" beside the checkout) holds the terminal state of the fireball of
27 November 2015 with its uncertainties and the modelled wind of the hour, both of the Desert Fireball Network
(example_murrili.cfg and example_murrili_wind_profile.csv of DFN_darkflight). The meteorite lay at 29.26089 S,
137.53765 E (Meteoritical Bulletin). Nothing here is fitted to this fall.

What is drawn. Position, height, speed, angles, mass and density as the file states them, taken as standard
deviations. Shape: one half rounded bodies, with the drag of a sphere and a cross-section of 1.21 (a sphere; Bronshten
1983, Physics of Meteoric Phenomena) to 1.5 times (mass / density)^(2/3); one half angular ones, with the drag of cubes
and 1.5 to 1.8: what tumbles shows a quarter of its surface in the mean (Cauchy 1841), 1.50 for a cube, 1.61 for a brick
of 2:3:5, 1.75 for one of 1:2:4.
Wind: the profile, and an error of 5 m/s (one standard deviation of each component, the file's dwind) that is the same
at all heights; eight flights share one. The file does not say what its 5 m/s are. This is the careful reading: errors
that differ from height to height cancel, and the table shows how much the region shrinks then.

The region of 95 % is that of the highest density of a Gaussian kernel estimate (scipy, Scott's rule), which takes the
cloud as it is: two shapes and a skewed mass make no ellipse of it. The kernel widens it a little. The level of the find
is the share of samples in places of higher density.
"""

from __future__ import annotations

import argparse
import configparser
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.stats import gaussian_kde

from tocsin.earth.air import fit_layers
from tocsin.earth.drag import ballistic_coefficient, with_shape
from tocsin.earth.ellipsoid import enu_axes, geodetic_to_ecef
from tocsin.earth.flights import to_ground
from tocsin.earth.forces import NO_WIND, STANDARD, wind_table, with_air
from tocsin.earth.status import LANDED
from tocsin.earth.us1976 import standard_air

FOLDER = Path(__file__).parents[2] / "shared" / "real" / "murrili"
FIND_RAD = np.radians([-29.26089, 137.53765])
GAS_J_KG_K = 287.053  # of dry air
SHAPES = {"sphere": (1.21, 1.5), "fragment": (1.5, 1.8)}  # cross-section over (mass / density)^(2/3)
LEAST_MASS_KG = 0.05
TOGETHER = 8  # flights that share the error of the wind, and fly together
LEVEL = 0.95


class Fall(NamedTuple):
    """The fall as the files have it: numbers of the configuration by name, and rows of the profile.

    profile (k, 6): height (m), temperature (K), pressure (Pa), humidity (%), wind (m/s), direction (degrees) it
    comes from.
    """

    value: dict[str, float]
    profile: np.ndarray


class Region(NamedTuple):
    """A cloud of impacts (n, 2) east and north of the find (m), its region, and where in it the find lies."""

    impact_m: np.ndarray
    mean_off_m: float  # distance of the mean from the find
    area_km2: float
    level: float  # share of the cloud in places of higher density than the find's


def read(folder=FOLDER):
    """The fall of a folder."""
    settings = configparser.ConfigParser()
    settings.read(folder / "example_murrili.cfg")
    value = {}
    for section in settings.sections():
        for name, text in settings[section].items():
            try:
                value[name] = float(text)
            except ValueError:
                continue  # names and times
    profile = np.genfromtxt(folder / "example_murrili_wind_profile.csv", delimiter=",", comments="#")
    return Fall(value, profile)


def winds(profile):
    """East and north components (k,) of the profile's wind: the direction is that from which it blows."""
    speed, direction = profile[:, 4], np.radians(profile[:, 5])
    return -speed * np.sin(direction), -speed * np.cos(direction)


def air(profile):
    """Layers of the profile's air to its top, and of the US Standard Atmosphere 1976 above."""
    height, kelvin, pressure = profile[:, 0], profile[:, 1], profile[:, 2]
    density = CubicSpline(height, np.log(pressure / (GAS_J_KG_K * kelvin)))
    sound = CubicSpline(height, np.sqrt(1.4 * GAS_J_KG_K * kelvin))

    def air_at(h):
        top = standard_air(h)
        here = h < height[-1]
        within = np.minimum(h, height[-1])
        return (
            np.where(here, np.exp(density(within)), top.density_kg_m3),
            np.where(here, sound(within), top.sound_speed_m_s),
        )

    return fit_layers([-200.0, *np.arange(2e3, 30e3, 2e3), height[-1], 47350.0, 86e3], air_at)


def starts(fall, count, rng):
    """States (n, 6) of the end of the fireball; rng None: as stated, without errors."""
    v = fall.value

    def drawn(name, error):
        return np.full(count, v[name]) if rng is None else rng.normal(v[name], v[error], count)

    latitude, longitude = np.radians(drawn("lat0", "dlat")), np.radians(drawn("lon0", "dlon"))
    height, speed = drawn("z0", "dz"), drawn("vtot0", "dvtot")
    zenith = np.radians(drawn("zenangle", "dzenith"))
    azimuth = np.radians(drawn("azimuth0", "dazimuth0"))
    local = np.stack(
        [np.sin(zenith) * np.sin(azimuth), np.sin(zenith) * np.cos(azimuth), -np.cos(zenith)], -1
    )
    velocity = speed[:, None] * np.einsum("ni,nij->nj", local, enu_axes(latitude, longitude))
    return np.hstack([geodetic_to_ecef(latitude, longitude, height), velocity])


def from_find(position_m):
    """East and north (n, 2) of the find in metres."""
    offset = position_m - geodetic_to_ecef(*FIND_RAD, 0.0)
    return offset @ enu_axes(*FIND_RAD)[:2].T


def plain(fall, wind=True, shape="sphere"):
    """East and north (2,) of the find in metres where the fall as stated lands, the roundest body of a shape."""
    v = fall.value
    area = SHAPES[shape][0] * (v["mass0"] / v["rdens0"]) ** (2.0 / 3.0)
    table = wind_table(fall.profile[:, 0], *winds(fall.profile)) if wind else NO_WIND
    forces = with_shape(with_air(STANDARD, air(fall.profile)), shape)._replace(wind=table)
    flown = to_ground(
        starts(fall, 1, None), ballistic_coefficient(shape, v["mass0"], area), forces, ground_m=v["gndlvl"]
    )
    return from_find(flown.state[:, :3])[0]


def cloud(fall, count, rng, wind="error of the profile"):
    """Impacts (n, 2) east and north of the find (m).

    wind: "error of the profile" (the same at all heights), "errors of the heights" (of each row for itself), or
    "none" (calm).
    """
    v = fall.value
    state = starts(fall, count, rng)
    mass = np.maximum(rng.normal(v["mass0"], v["dmass"], count), LEAST_MASS_KG)
    density = rng.normal(v["rdens0"], v["drdens"], count)
    form = rng.uniform(size=count)
    base = with_air(STANDARD, air(fall.profile))
    east, north = winds(fall.profile)
    rows = 1 if wind == "error of the profile" else len(east)
    out = np.empty((count, 2))
    for number, (shape, (least, most)) in enumerate(SHAPES.items()):
        forces = with_shape(base, shape)
        which = np.arange(number, count, len(SHAPES))
        area = (least + (most - least) * form[which]) * (mass[which] / density[which]) ** (2.0 / 3.0)
        beta = ballistic_coefficient(shape, mass[which], area)
        size = len(which) if wind == "none" else TOGETHER
        for first in range(0, len(which), size):
            group = slice(first, first + size)
            if wind != "none":
                error = rng.normal(0.0, v["dwind"], (2, rows))
                table = wind_table(fall.profile[:, 0], east + error[0], north + error[1])
                forces = forces._replace(wind=table)
            flown = to_ground(state[which[group]], beta[group], forces, ground_m=v["gndlvl"])
            if not (flown.status == LANDED).all():
                raise RuntimeError("a body of the fall did not come down")
            out[which[group]] = from_find(flown.state[:, :3])
    return out


def region(impact_m, cells=120):
    """The region of highest density of a cloud of impacts (n, 2), and where in it the find lies."""
    estimate = gaussian_kde(impact_m.T)
    at_samples = estimate(impact_m.T)
    threshold = np.quantile(at_samples, 1.0 - LEVEL)
    spread = 3.0 * impact_m.std(axis=0)
    axes = [
        np.linspace(c.min() - s / 3.0, c.max() + s / 3.0, cells)
        for c, s in zip(impact_m.T, spread, strict=True)
    ]
    grid = estimate(np.array([a.ravel() for a in np.meshgrid(*axes)]))
    cell = np.prod([a[1] - a[0] for a in axes])
    return Region(
        impact_m,
        float(np.hypot(*impact_m.mean(axis=0))),
        float(1e-6 * cell * np.count_nonzero(grid > threshold)),
        float((at_samples > estimate([0.0, 0.0])).mean()),
    )


def main():
    """Print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    parser.add_argument("--samples", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    choice = parser.parse_args()
    fall = read(choice.folder)
    print("one flight as stated, without errors:        east of the find   north   distance")
    for shape in SHAPES:
        for wind in (True, False):
            east, north = plain(fall, wind, shape)
            name = f"{shape}, {'wind of the hour' if wind else 'calm'}"
            print(f"  {name:42s} {east:10.0f} m {north:8.0f} m {np.hypot(east, north):8.0f} m")
    print(f"{choice.samples} flights, mass 1.68 +- 0.5 kg:     mean off   region of 95 %   the find lies at")
    for wind in ("error of the profile", "errors of the heights", "none"):
        begin = time.perf_counter()
        impacts = cloud(fall, choice.samples, np.random.default_rng(choice.seed), wind)
        seconds = time.perf_counter() - begin
        found = region(impacts)
        name = {"none": "calm"}.get(wind, f"wind, {wind}")
        print(
            f"  {name:34s} {found.mean_off_m:8.0f} m {found.area_km2:10.2f} km2 {100.0 * found.level:14.1f} %"
            f"  {'inside' if found.level <= LEVEL else 'outside'}   ({seconds:.1f} s)"
        )


if __name__ == "__main__":
    main()
