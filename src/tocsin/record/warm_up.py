"""Have every kernel of the line compiled, or loaded, before the clock of a measured run starts.

A kernel is compiled when it is first called, for a minute or so in all, once a machine; after that it is
loaded from a cache on disk. A decision that waits for this would count it as its computing time. So
a small made recording goes through the line first: a radar that sees a body, and another one part
from it, and two cameras that see a meteor.
"""

from __future__ import annotations

import math

import numpy as np

from tocsin.earth.ellipsoid import enu_axes, geodetic_to_ecef
from tocsin.earth.gravity import gravity
from tocsin.record.replay import replay_events
from tocsin.sensors.plots import Floats, Plots, Sensor
from tocsin.units import DEGREE_RAD
from tocsin.warning.gazetteer import Gazetteer

RADAR_SCANS, CAMERA_SCANS = 40, 30
CAMERA_PERIOD_S = 0.1
PARTED_S, PARTING_M_S = 12.0, 40.0


def warm_up() -> None:
    """Put the small recording through the line. Nothing of it is kept."""
    nowhere = Gazetteer((), np.zeros((0, 3)))
    for _ in replay_events(*small_recording(), nowhere, 0.0):
        pass


def small_recording() -> tuple[tuple[Sensor, ...], Plots]:
    """Sensors and plots, without noise and false plots."""
    radar = _sensor("radar", 45.0, 0.0, [20.0, 1e-3, 1e-3, 5.0], 1.0)
    cameras = [
        _sensor("optical", 45.0, lon, [math.nan, 3e-4, 3e-4, math.nan], CAMERA_PERIOD_S) for lon in (0.0, 1.0)
    ]
    rows = []
    for scan in range(RADAR_SCANS):
        time_s = float(scan)
        body = _flown(45.3, 1.0, 60e3, (-1500.0, 0.0, 200.0), time_s)
        rows.append((time_s, 0, scan, _measured(radar, *body)))
        if time_s > PARTED_S:
            # a little way off to the north
            ...
    return (radar, *cameras), rows
