"""The scene of the throughput benchmark is what it says, and our side of it runs."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

from tocsin.earth.ellipsoid import ecef_to_geodetic
from tocsin.earth.measurements import ecef_to_look

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
pytestmark = pytest.mark.skipif(not BENCHMARKS.is_dir(), reason="the benchmarks are not beside the tests")


@pytest.fixture(scope="module")
def throughput():
    sys.path.insert(0, str(BENCHMARKS))
    try:
        return importlib.import_module("throughput_scene"), importlib.import_module("throughput")
    finally:
        sys.path.remove(str(BENCHMARKS))


def test_plots_are_of_the_bodies_and_of_nothing(throughput):
    scene_of, _ = throughput
    scene = scene_of.make(40, 3, 4, 1.0)
    again = scene_of.make(40, 3, 4, 1.0)
    assert all((a == b).all() for a, b in zip(scene.measured, again.measured, strict=True))
    assert scene.sensor == [0, 1, 2] * 4
    true = 0
    for k, state in enumerate(scene.truth):
        plots = scene_of.plots_of(scene, k)
        real = ecef_to_look(state, plots.position_m[0])
        apart = (plots.measured[:, None] - real) / scene_of.SIGMA
        true += int((np.abs(apart).max(axis=2) < 5.0).any(axis=1).sum())
        view = scene.sensors[scene.sensor[k]].field_of_view
        assert (plots.measured[:, 2] <= view[2, 1] + 5e-3).all()
    assert 0.85 * 480 < true < 0.95 * 480  # 40 bodies in 12 scans, seen nine times in ten
    assert sum(map(len, scene.measured)) == pytest.approx(
        true + 12 * 20, abs=60
    )  # half as many false ones, Poisson
    assert (ecef_to_geodetic(scene.truth[..., :3])[2] > 50e3).all()


def test_a_track_is_right_beside_a_body_of_its_own(throughput):
    scene_of, _ = throughput
    truth = np.zeros((3, 6))
    truth[:, 0] = 0.0, 5e3, 90e3
    tracks = np.array([[100.0, 0, 0], [200.0, 0, 0], [5.9e3, 0, 0], [60e3, 0, 0]])
    assert scene_of.right(truth, tracks) == 2
    assert scene_of.right(truth, np.zeros((0, 3))) == 0


def test_our_tracker_finds_the_bodies_before_it_is_timed(throughput):
    _, benchmark = throughput
    found = benchmark.ours(5, 1, 10, 3, 1.0)
    assert found["right"] == 5
    assert found["plots_per_s"] > 0.0
