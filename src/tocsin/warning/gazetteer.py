"""The value that holds the populated places, and the user's zones."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tocsin.sensors.plots import Floats, Ints
from tocsin.warning.zones import Zones


class Gazetteer(NamedTuple):
    """Populated places, south to north; n rows."""

    name: NDArray[np.object_]  # (n,) main name, Latin letters
    name_uk: NDArray[np.object_]  # (n,) Ukrainian name, empty where unknown
    country: NDArray[np.object_]  # (n,) ISO 3166-1 alpha-2
    latitude_deg: Floats  # (n,) ascending
    longitude_deg: Floats  # (n,)
    population: Ints  # (n,) 0 where unknown
    part_of: Ints  # (n,) row of the larger city whose population counts this place already, else -1
    direction: Floats  # (n, 3) unit vectors normal to the ellipsoid
    admin1: NDArray[np.object_]  # (n,) GeoNames code of the first-level unit, as UA.04; else the country
    zones: Zones | None = None  # the user's own
