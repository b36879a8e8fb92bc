"""The made air traffic of `tests.air_traffic` is what it says it is."""

import numpy as np
import pytest

from tocsin.earth.ellipsoid import ecef_to_geodetic
from tocsin.earth.measurements import ecef_to_look
from tocsin.formats.recording import read_recording, write_recording

from .air_traffic import PERIOD_S, SIGMA, traffic


@pytest.fixture(scope="module")
def made():
    return traffic(seed=5, minutes=20, aircraft=60)


def test_aircraft_fly_as_aircraft_do(made):
    _, _, truth = made
    about = ~np.isnan(truth.state[:, :, 0])
    height = ecef_to_geodetic(truth.state[about][:, :3])[2]
    speed = np.linalg.norm(truth.state[about][:, 3:], axis=1)
    assert height.min() > 290.0
    assert height.max() < 12.05e3
    assert speed.min() > 59.0
    assert speed.max() < 261.0
    turn, climb = np.degrees(np.abs(truth.turn_rad_s[about])), np.abs(truth.climb_m_s[about])
    assert 1.0 <= turn[turn > 0.0].min() <= turn.max() <= 3.0
    assert 8.0 <= climb[climb > 0.0].min() <= climb.max() <= 12.0
    assert 0.04 < np.mean(turn > 0.0) < 0.2
    assert 0.08 < np.mean(climb > 0.0) < 0.35
    # some come, some go
    assert 0.5 < about[:, 0].mean() < 0.7
    assert about[:, -1].mean() < about.any(axis=1).mean()
    # positions move with the velocities: at worst a corner, half of it in the two seconds around
    moved = 0.5 * (truth.state[:, 2:, :3] - truth.state[:, :-2, :3]) - truth.state[:, 1:-1, 3:]
    assert np.nanmedian(np.linalg.norm(moved, axis=-1)) < 0.01
    assert np.nanmax(np.linalg.norm(moved, axis=-1)) < 15.0


def test_plots_are_those_of_a_turning_radar_without_elevation(made):
    (radar,), plots, truth = made
    assert np.isnan(plots.measured[:, 2:]).all()
    assert (np.diff(plots.time_s) >= 0.0).all()
    assert plots.measured[:, 0].min() > 5e3 - 300.0
    assert plots.measured[:, 0].max() < 300.3e3
    begin_s = truth.time_s[0] + plots.scan * PERIOD_S
    beam = (plots.time_s - begin_s) / PERIOD_S * 2.0 * np.pi
    off = (plots.measured[:, 1] - beam + np.pi) % (2.0 * np.pi) - np.pi
    assert np.abs(off).max() < np.radians(1.3)  # 1/128 s is 0.6 degrees, half a split plot 0.5
    false = np.sum(truth.owner < 0) / (20 * 60 / PERIOD_S)
    assert false == pytest.approx(radar.false_plots_per_scan, rel=0.05)


def test_noise_heights_and_doubled_plots(made):
    _, plots, truth = made
    errors, told, off_m, times, scans = [], [], [], [], 0
    for k in range(truth.state.shape[0]):
        its = truth.owner == k
        if not its.any():
            continue
        state = truth.at(k, plots.time_s[its])
        look = ecef_to_look(state, plots.position_m[its])
        error = plots.measured[its, :2] - look[:, :2]
        error[:, 1] = (error[:, 1] + np.pi) % (2.0 * np.pi) - np.pi
        errors.append(error / SIGMA[:2])
        height = plots.height_m[its]
        told.append(np.isfinite(height))
        off_m.append((height - ecef_to_geodetic(state[:, :3])[2])[np.isfinite(height)])
        times.append(np.unique(plots.scan[its], return_counts=True)[1])
        scans += len(times[-1])
    errors = np.concatenate(errors)
    near = np.abs(errors[:, 1]) < 3.0  # split plots lie 3 to 6 sigma beside
    assert errors[near].std(axis=0) == pytest.approx([1.0, 1.0], abs=0.08)
    assert 0.76 < np.concatenate(told).mean() < 0.86
    off_m = np.concatenate(off_m)
    assert np.std(off_m) < 45.0  # altimeters and steps of 100 ft; the weather's share is alike for all
    assert abs(np.mean(off_m)) < 400.0
    twice = np.concatenate(times)
    assert twice.max() == 2
    assert np.mean(twice == 2) == pytest.approx(0.025, abs=0.012)


def test_the_same_seed_makes_the_same_traffic():
    one, two, other = (traffic(seed, 2, 10)[1] for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.measured, two.measured)
    assert one.count != other.count or one.measured[0, 0] != other.measured[0, 0]


def test_it_is_a_recording_too(tmp_path):
    sensors, plots, _ = traffic(seed=2, minutes=2, aircraft=20)
    write_recording(tmp_path, sensors, {}, plots)
    recording = read_recording(tmp_path)
    assert recording.rejected == ()
    np.testing.assert_allclose(recording.plots.measured, plots.measured, rtol=1e-12)
    np.testing.assert_array_equal(recording.plots.height_m, plots.height_m)
    assert np.isnan(recording.sensors[0].sigma).tolist() == [False, False, True, True]
