"""What a campaign flies: families of invented bodies as ranges, and the draws from them.

The ranges are wide and no body of them is a vehicle. Ballistic coefficients are not those of the predictor's priors
(`prediction.kinds`): they are log-uniform where those are log-normal, in other shares and about other means, since what
really flies is not what was expected either.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from tocsin.earth.ellipsoid import enu_axes, geodetic_to_ecef
from tocsin.sensors.plots import Floats
from tocsin.simulation.flight import BLUNT, SLENDER
from tocsin.units import DEGREE_RAD, EARTH_RATE_RAD_S


class Span(NamedTuple):
    """A range to draw from: uniform, or uniform in the logarithm."""

    low: float
    high: float
    by_ratio: bool = False

    def draw(self, rng: np.random.Generator) -> float:
        """One value."""
        if self.by_ratio:
            return math.exp(rng.uniform(math.log(self.low), math.log(self.high)))
        return rng.uniform(self.low, self.high)


class Body(NamedTuple):
    """One kind of body in a family."""

    name: str
    share: float
    beta_kg_m2: Span  # hypersonic ballistic coefficient
    curve: int  # of drag by Mach number, see `simulation.flight`


class Family(NamedTuple):
    """States to begin with, and what is in them. Directions of flight are drawn from the whole circle."""

    name: str
    words: str
    height_m: Span
    speed_m_s: Span  # over the ground; of an orbit: not turning with the Earth
    elevation_deg: Span
    bodies: tuple[Body, ...]
    child: bool = False  # known to have left another body
    orbit: bool = False
    lost_m_s: float = 0.0  # speed that it had lost to drag, under watch, before the start
    ablation_s2_m2: Span = Span(0.0, 0.0)


LEVEL = Span(0.0, 0.0)  # the apex
WHOLE = (Body("body", 1.0, Span(1800.0, 9000.0, True), SLENDER),)
FAMILIES = (
    Family("short", "whole, 150 to 500 km", Span(40e3, 120e3), Span(800.0, 1500.0), LEVEL, WHOLE),
    Family("medium", "whole, 600 to 3,000 km", Span(150e3, 600e3), Span(1500.0, 3800.0), LEVEL, WHOLE),
    Family("long", "whole, to 10,000 km", Span(600e3, 1400e3), Span(3800.0, 5600.0), LEVEL, WHOLE),
    Family("lofted", "whole, steep and high", Span(800e3, 4000e3), Span(200.0, 1500.0), LEVEL, WHOLE),
    Family("flat", "whole, fast and low", Span(40e3, 90e3), Span(1800.0, 4000.0), LEVEL, WHOLE),
    Family(
        "carried", "what a carrier has let go", Span(150e3, 900e3), Span(1000.0, 4500.0), LEVEL,
        (
            Body("body", 0.4, Span(2500.0, 9000.0, True), SLENDER),
            Body("stage", 0.25, Span(100.0, 600.0, True), BLUNT),
            Body("debris", 0.35, Span(4.0, 150.0, True), BLUNT),
        ),
        child=True,
    ),
    Family(
        "pieces", "pieces of a break-up", Span(20e3, 120e3), Span(500.0, 5000.0), Span(-50.0, 40.0),
        (Body("piece", 1.0, Span(10.0, 1000.0, True), BLUNT),), child=True,
    ),
    Family(
        "reentry", "from orbit, whole", Span(118e3, 122e3), Span(7740.0, 7840.0), Span(-2.2, -0.6),
        (Body("hull", 1.0, Span(60.0, 500.0, True), BLUNT),), orbit=True,
    ),
    Family(
        "fireball", "dark flight of a meteorite", Span(15e3, 35e3), Span(1500.0, 4000.0), Span(-85.0, -15.0),
        (Body("stone", 1.0, Span(80.0, 1500.0, True), BLUNT),),
        lost_m_s=5000.0, ablation_s2_m2=Span(0.5e-8, 2e-8),
    ),
)  # fmt: skip

# Of the starts, this share each is near a pole and near the antimeridian; the others anywhere on the globe.
SEAM_SHARE = 0.125
POLAR_LATITUDE_DEG = Span(86.0, 90.0)
FROM_ANTIMERIDIAN_DEG = Span(-3.0, 3.0)
# The weather of a flight: wind at 11 km, its ripple, and the departure of density (1: 2 % low down, 10 % at 80 km).
WIND_M_S = Span(0.0, 45.0)
RIPPLE_M_S, RIPPLE_SHARE = 0.5, 0.08
DENSITY = Span(0.5, 1.5)


class Drawn(NamedTuple):
    """One flight to be flown."""

    family: Family
    body: Body
    start: Floats  # (7,) as `simulation.flight` has it
    weather: Floats  # (8,)
    ablation_s2_m2: float


def family_of(name: str) -> Family | None:
    """The family of a name."""
    return next((family for family in FAMILIES if family.name == name), None)


def draw(family: Family, rng: np.random.Generator) -> Drawn:
    """A flight of a family, in weather of its own."""
    body = family.bodies[int(rng.choice(len(family.bodies), p=[b.share for b in family.bodies]))]
    latitude, longitude = _place(rng)
    position = geodetic_to_ecef(latitude, longitude, family.height_m.draw(rng))
    heading, elevation = rng.uniform(0.0, 2.0 * math.pi), family.elevation_deg.draw(rng) * DEGREE_RAD
    level = math.cos(elevation)
    local = np.array([level * math.sin(heading), level * math.cos(heading), math.sin(elevation)])
    velocity = family.speed_m_s.draw(rng) * local @ enu_axes(latitude, longitude)
    if family.orbit:
        velocity -= EARTH_RATE_RAD_S * np.array([-position[1], position[0], 0.0])
    start = np.concatenate([position, velocity, [math.log(body.beta_kg_m2.draw(rng))]])
    return Drawn(family, body, start, _weather(rng), family.ablation_s2_m2.draw(rng))


def _place(rng: np.random.Generator) -> tuple[float, float]:
    """Latitude and longitude (rad) of a start."""
    seam = rng.random() / SEAM_SHARE
    latitude, longitude = math.asin(rng.uniform(-1.0, 1.0)), rng.uniform(-math.pi, math.pi)
    if seam < 1.0:
        latitude = math.copysign(POLAR_LATITUDE_DEG.draw(rng) * DEGREE_RAD, latitude)
    elif seam < 2.0:
        longitude = math.pi + FROM_ANTIMERIDIAN_DEG.draw(rng) * DEGREE_RAD
    return latitude, longitude


def _weather(rng: np.random.Generator) -> Floats:
    speed, toward = WIND_M_S.draw(rng), rng.uniform(0.0, 2.0 * math.pi)
    jet = (speed * math.sin(toward), speed * math.cos(toward))
    ripple = rng.normal(size=2) * (RIPPLE_M_S + RIPPLE_SHARE * speed)
    phases = rng.uniform(0.0, 2.0 * math.pi, 3)
    return np.array([*jet, *ripple, phases[0], DENSITY.draw(rng), phases[1], phases[2]])
