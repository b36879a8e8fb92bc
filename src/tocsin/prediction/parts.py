"""What one body may be: its kinds, and what acts on each."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from tocsin.earth.drag import drag_coefficient, hypersonic_coefficient, with_shape
from tocsin.earth.ellipsoid import height_m
from tocsin.earth.forces import STANDARD, Forces
from tocsin.earth.motion import sound_speed_m_s
from tocsin.prediction import meteoroids
from tocsin.prediction.departures import STEADY, TUMBLING
from tocsin.prediction.impact import ln_by_mach
from tocsin.prediction.kinds import LIMITS, kinds_alone
from tocsin.prediction.priors import Kind, Kinds
from tocsin.sensors.plots import Floats

GIVEN_LIMITS = (0.0, math.log(1e6))  # of ln beta, where it is given


class Part(NamedTuple):
    """Some of what a body may be: its share, kinds, and what acts on it."""

    share: float
    kinds: tuple[Kind, ...]
    limits: tuple[float, float]  # of ln beta
    steady: Forces
    tumbling: Forces


def speed_m_s(x: Floats) -> float:
    """Speed of a state (6,) over the turning ground."""
    return float(np.linalg.norm(x[3:]))


def _mach_factor(x: Floats, shape: str) -> float:
    """Drag coefficient of a shape at a state's speed over its hypersonic one."""
    sound = sound_speed_m_s(float(height_m(x[0], x[1], x[2])), STANDARD)
    return float(drag_coefficient(shape, speed_m_s(x) / sound)) / hypersonic_coefficient(shape)


def _shaped(x: Floats, forces: Forces, shape: str) -> Forces:
    """Forces with the drag of a shape over that at the speed of a state."""
    shaped = with_shape(forces, shape)
    return shaped._replace(curve=shaped.curve / _mach_factor(x, shape))


def parts_of(
    x: Floats,
    believed: tuple[Kind, ...] | None,
    origin: str | None,
    shape: str | None,
    priors: Kinds,
    base: Forces,
) -> list[Part]:
    """All that a body may be. origin: None where it follows from the state. priors: of origins."""
    limits = LIMITS if believed is None else GIVEN_LIMITS
    if origin == "meteoroid":
        burning = meteoroids.ablating(base)
        parts = []
        for name, (share, _, _) in meteoroids.SHAPES.items():
            taken = shape or name
            f = _shaped(x, burning, taken)
            own = believed or meteoroids.meteoroid(
                name,
                meteoroids.MASS_KG * meteoroids.mass_before(speed_m_s(x)),
                ln_by_mach=math.log(_mach_factor(x, name)),
            )
            parts.append(Part(share, own, limits, f, f))
        return parts
    kinds = believed or (kinds_alone(x, priors) if origin is None else getattr(priors, origin))
    if shape is not None:
        f = _shaped(x, base, shape)
        return [Part(1.0, kinds, limits, f, f)]
    steady, tumbling = (base._replace(curve=f.curve / math.exp(ln_by_mach(x, f))) for f in (STEADY, TUMBLING))
    return [Part(1.0, kinds, limits, steady, tumbling)]
