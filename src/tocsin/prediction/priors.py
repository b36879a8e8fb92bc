"""What is believed beforehand: priors of what bodies are, by where they come from, and of what they may release.

Values alone; they can be replaced, by arguments and by a file (`formats.priors_file`, data/priors.toml).

The numbers of kinds are orders of magnitude, wide on purpose, reckoned from mass over drag area; none is fitted to
recordings. A tumbling sheet of aluminium of 2 mm has 10 kg/m2, a plate of 10 mm 50, a shell of 5 mm three metres wide
35 and with an engine in it some hundreds; a ball of iron as big as a football 1,300; a dense body with a sharp nose,
whose drag coefficient is a tenth of a ball's, several thousand. How often each comes is a guess.

Those of releases are a statement of ignorance, and nobody's hardware. Whether: as likely as not. How many: a number n
of up to 30 in proportion to 1 / n, as of a quantity of which not even the order of magnitude is known (Jeffreys 1946,
Proc. R. Soc. Lond. A 186, 453-461). When: at any time of the coast as likely as at any other, until it falls through
80 km. How fast: 2, 7 or 26 m/s (one sigma of each axis), the middles of three equal steps in ln of 1 to 50 m/s. What
is let go gently parts with the order of a metre a second; what bursts throws pieces of 0.01 m2/kg with 28 m/s in the
median (Johnson et al. 2001, Advances in Space Research 28, 1377-1384). Which way: any. What: as `Kinds.child`.
"""

from __future__ import annotations

import math
from typing import NamedTuple


class Kind(NamedTuple):
    """One kind of body."""

    name: str
    share: float  # of the bodies of this origin
    ln_beta: float  # mean of ln of the ballistic coefficient in kg/m2
    sigma: float


class Kinds(NamedTuple):
    """Priors of ln beta by origin."""

    whole: tuple[Kind, ...]  # what flies as it was launched
    child: tuple[Kind, ...]  # what has left another body, or was left by others
    orbit: tuple[Kind, ...]  # what comes in from an orbit, or from farther away
    breakup: tuple[Kind, ...]  # pieces of what breaks up here and now


# Something quite different is never ruled out.
ANYTHING = (math.log(500.0), 2.0)
BODY, STAGE = (math.log(4500.0), 0.55), (math.log(400.0), 0.6)
DEFAULT = Kinds(
    whole=(Kind("body", 0.985, *BODY), Kind("any", 0.015, *ANYTHING)),
    child=(
        Kind("body", 0.60, *BODY),
        Kind("stage", 0.12, *STAGE),
        Kind("debris", 0.26, math.log(40.0), 1.0),
        Kind("any", 0.02, *ANYTHING),
    ),
    orbit=(
        Kind("hull", 0.48, math.log(150.0), 0.8),
        Kind("stone", 0.50, math.log(400.0), 0.9),
        Kind("any", 0.02, *ANYTHING),
    ),
    breakup=(
        Kind("sheet", 0.80, math.log(50.0), 0.9),
        Kind("engine", 0.17, math.log(300.0), 0.7),
        Kind("any", 0.03, *ANYTHING),
    ),
)


class Speed(NamedTuple):
    """One kind of release: its share, and one sigma of each axis of the velocity against the carrier."""

    share: float
    sigma_m_s: float


class Release(NamedTuple):
    """What is believed beforehand of releases from a body in coast."""

    chance: float = 0.5  # that it ever lets something go
    most_bodies: int = 30  # that it lets go: a number n of up to these has a chance in proportion to 1 / n
    until_height_m: float = 80e3  # releases end where it comes down through this height
    speeds: tuple[Speed, ...] = (Speed(1.0, 2.0), Speed(1.0, 7.0), Speed(1.0, 26.0))  # shares as ratios


RELEASE = Release()


class Priors(NamedTuple):
    """All that is believed beforehand."""

    kinds: Kinds = DEFAULT
    release: Release = RELEASE


PRIORS = Priors()
