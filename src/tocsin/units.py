"""Constants with their sources, and conversions at the edges.

SI inside, radians inside; degrees only in files and in text.
"""

from __future__ import annotations

import math

# WGS 84 (NGA.STND.0036, 2014, tables 3.1 and 3.5)
SEMI_MAJOR_AXIS_M = 6378137.0
FLATTENING = 1.0 / 298.257223563
ECCENTRICITY_SQUARED = FLATTENING * (2.0 - FLATTENING)
SEMI_MINOR_AXIS_M = SEMI_MAJOR_AXIS_M * (1.0 - FLATTENING)
EARTH_GM_M3_S2 = 3.986004418e14
EARTH_RATE_RAD_S = 7.292115e-5
# EGM96/WGS 84 second zonal harmonic, unnormalised: -sqrt(5) * C20 of EGM96 (-0.484165371736e-3)
J2 = 1.082626683e-3

STANDARD_GRAVITY_M_S2 = 9.80665  # CGPM 1901

DEGREE_RAD = math.pi / 180.0
