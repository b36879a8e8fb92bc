"""Stone Soup on the plots of throughput.py (pip install stonesoup rtree).

An extended Kalman filter and global nearest neighbours with a TPR-tree, its tracks given. Its states are east, north
and up of the first radar: so its measurement model needs no rotation, and its numerical Jacobian no large
coordinates.
"""

from __future__ import annotations

import math
import time
from datetime import datetime, timedelta

import numpy as np
import stonesoup
from stonesoup.base import Property
from stonesoup.dataassociator.tree import TPRTreeGNN2D
from stonesoup.hypothesiser.distance import DistanceHypothesiser
from stonesoup.measures import Mahalanobis
from stonesoup.models.base import TimeVariantModel
from stonesoup.models.measurement.nonlinear import CartesianToElevationBearingRangeRate
from stonesoup.models.transition.nonlinear import GaussianTransitionModel
from stonesoup.predictor.kalman import ExtendedKalmanPredictor
from stonesoup.types.angle import Bearing, Elevation
from stonesoup.types.array import CovarianceMatrix, StateVector, StateVectors
from stonesoup.types.detection import Detection
from stonesoup.types.state import GaussianState
from stonesoup.types.track import Track
from stonesoup.updater.kalman import ExtendedKalmanUpdater
from throughput_scene import SIGMA, SITES_DEG, Scene, right

from tocsin.earth.ellipsoid import enu_axes, geodetic_to_ecef
from tocsin.record.warm_up import settle as settle_memory
from tocsin.units import EARTH_GM_M3_S2, EARTH_RATE_RAD_S, J2, SEMI_MAJOR_AXIS_M

# what it is told of a body at the beginning: one sigma of position, velocity, ln of the ballistic coefficient
TOLD = np.array([300.0] * 3 + [30.0] * 3 + [0.3])
AIR_KG_M3, AIR_HEIGHT_M = 1.225, 7200.0
SITE_M = geodetic_to_ecef(*np.radians(SITES_DEG[0]), 0.0)
AXES = enu_axes(*np.radians(SITES_DEG[0]))
SURFACE_M = np.linalg.norm(SITE_M)
SPIN = np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
CORIOLIS = AXES @ (2.0 * EARTH_RATE_RAD_S * SPIN) @ AXES.T


def rate(x: np.ndarray) -> np.ndarray:
    """Slopes (7, n): gravity with J2, rotation, drag of one exponential of air."""
    r = SITE_M[:, None] + AXES.T @ x[:3]
    square = np.sum(r * r, axis=0)
    radius = np.sqrt(square)
    flat = 1.5 * J2 * SEMI_MAJOR_AXIS_M**2 / square
    high = 5.0 * r[2] ** 2 / square
    pull = -EARTH_GM_M3_S2 / (square * radius) * r * (1.0 + flat * (np.array([[1.0], [1.0], [3.0]]) - high))
    pull[:2] += EARTH_RATE_RAD_S**2 * r[:2]
    speed = np.sqrt(np.sum(x[3:6] ** 2, axis=0))
    drag = 0.5 * AIR_KG_M3 * np.exp(-(radius - SURFACE_M) / AIR_HEIGHT_M - x[6]) * speed
    return np.concatenate(
        [x[3:6], AXES @ pull + CORIOLIS @ x[3:6] - drag * x[3:6], np.zeros((1, x.shape[1]))]
    )


class Ballistic(GaussianTransitionModel, TimeVariantModel):
    """Free flight: position, velocity, ln of the ballistic coefficient."""

    density: float = Property(default=0.25, doc="of white acceleration, m2/s3")

    @property
    def ndim_state(self) -> int:
        """Size of the state."""
        return 7

    def function(self, state, noise=False, **kwargs):
        """The state a time later, by one Runge-Kutta step of order 4."""
        h = kwargs["time_interval"].total_seconds()
        x = np.asarray(state.state_vector, float)
        a = rate(x)
        b = rate(x + 0.5 * h * a)
        c = rate(x + 0.5 * h * b)
        x = x + h / 6.0 * (a + 2.0 * (b + c) + rate(x + h * c))
        return x.view(StateVector if x.shape[1] == 1 else StateVectors)

    def covar(self, time_interval, **kwargs):
        """Process noise of that time."""
        h = time_interval.total_seconds()
        noise = np.zeros((7, 7))
        noise[:6, :6] = self.density * np.kron([[h**3 / 3.0, h * h / 2.0], [h * h / 2.0, h]], np.eye(3))
        noise[6, 6] = 1e-4 * h
        return CovarianceMatrix(noise)


def run(scene: Scene, settle: int, period_s: float) -> dict[str, float]:
    """Take the scans after the first ones, with tracks that are told at the last of these."""
    model = CartesianToElevationBearingRangeRate(
        ndim_state=7, mapping=(0, 1, 2), velocity_mapping=(3, 4, 5),
        noise_covar=np.diag(SIGMA[[2, 1, 0, 3]]) ** 2, translation_offset=StateVector(np.zeros(3)),
    )  # fmt: skip
    predictor, updater = ExtendedKalmanPredictor(Ballistic()), ExtendedKalmanUpdater(model)
    hypothesiser = DistanceHypothesiser(predictor, updater, Mahalanobis(), missed_distance=4)
    associator = TPRTreeGNN2D(hypothesiser, model, timedelta(seconds=2.0 * period_s), (0, 1, 2), (3, 4, 5))
    rng = np.random.default_rng(7)
    begin_k = settle - 1
    first = datetime(2026, 1, 1)
    known = scene.truth[begin_k]
    local = np.hstack([(known[:, :3] - SITE_M) @ AXES.T, known[:, 3:] @ AXES.T, np.log(scene.beta)[:, None]])
    told = local + TOLD * rng.normal(size=local.shape)
    at = first + timedelta(seconds=float(scene.time_s[begin_k] - scene.time_s[0]))
    tracks = {Track([GaussianState(StateVector(x), CovarianceMatrix(np.diag(TOLD**2)), at)]) for x in told}
    settle_memory()
    plots, spent = 0, []
    for k in range(settle, len(scene.time_s)):
        now = first + timedelta(seconds=float(scene.time_s[k] - scene.time_s[0]))
        sights = [[Elevation(z[2]), Bearing(math.pi / 2.0 - z[1]), z[0], z[3]] for z in scene.measured[k]]
        detections = {Detection(StateVector(sight), now, measurement_model=model) for sight in sights}
        begin = time.perf_counter(), time.process_time()
        for track, hypothesis in associator.associate(tracks, detections, now).items():
            track.append(updater.update(hypothesis) if hypothesis.measurement else hypothesis.prediction)
        spent.append((time.perf_counter() - begin[0], time.process_time() - begin[1]))
        plots += len(detections)
    position = SITE_M + np.array([np.asarray(t.state_vector, float)[:3, 0] for t in tracks]) @ AXES
    busy_s, processor_s = np.sum(spent, axis=0)
    return {
        "plots": plots,
        "seconds": busy_s,
        "plots_per_s": plots / busy_s,
        "slowest_scan_s": np.max(spent, axis=0)[0],
        "times_real_time": (scene.time_s[-1] - scene.time_s[begin_k]) / busy_s,
        "tracks": len(tracks),
        "right": right(scene.truth[-1], position),
        "processors": processor_s / busy_s,
        "version": stonesoup.__version__,
    }
