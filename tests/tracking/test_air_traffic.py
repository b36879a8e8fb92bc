"""Air traffic is no missile: ten minutes of a radar that turns among aircraft, without elevation or range rate."""

import numpy as np
import pytest

from ..air_traffic import traffic
from .scenes import run

# As plain Python, fits that diverge warn of overflow, which is an error here; and they take minutes.
pytestmark = pytest.mark.compiled


@pytest.mark.parametrize("seed", [1, 2])
def test_aircraft_are_never_said_to_fall_or_to_boost(seed):
    sensors, plots, truth = traffic(seed, minutes=10, aircraft=40)
    assert np.sum(truth.owner >= 0) > 2000
    rows, _, state = run(sensors, plots)
    assert {row.phase for row in rows} == {"other"}
    assert len({row.track for row in rows}) >= 25  # of 40, some of which are hardly ever in range
    assert state.too_late == 0
