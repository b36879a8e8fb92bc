"""The looks of a sample recording's sensors, as its simulator must have made them.

`referee/README.md` counts every look at an object, those that gave no plot too. When a look took place is told by its
plot; of a look without one only the scan is known. The samples' timing, read off their plots: a sector radar looks at
each object at a moment of its own within 0.9 of the scan, a turning one as it passes the azimuth, infrared sensors
and cameras at everything at once. Latency is a least time and an exponential one more.
"""

import math
from typing import NamedTuple

import numpy as np

from tocsin.cli.scored import read_truth_of
from tocsin.earth.ellipsoid import geodetic_to_ecef
from tocsin.earth.measurements import ecef_to_look
from tocsin.formats.recording import read_recording
from tocsin.metrics.flight_bound import in_field, joined, looks_at
from tocsin.metrics.paths import BALLISTIC, interpolate
from tocsin.metrics.sensitivity import thrust_end_s

SECTOR_SHARE = 0.9
NEAR = 5.5  # a plot is of an object that it misses by less than this many sigma in all numbers together
PLUME_MARGIN_S = 0.05
LONGEST_GAP = 12  # scans without any plot, true or false: an outage


class Sample(NamedTuple):
    """A recording with its truth, and the looks at each ballistic object."""

    truth: object
    order: list  # names of the ballistic objects, parents first
    parent: dict
    thrust_end_s: dict
    seen: dict


def _true_noise(sensor, factors):
    return sensor._replace(sigma=sensor.sigma * factors.get(sensor.name, 1.0))


def _where(sensor, platforms, time_s):
    """Positions and velocities of a sensor at moments."""
    rows = platforms.get(sensor.name)
    if rows is None:
        at = geodetic_to_ecef(sensor.latitude_rad, sensor.longitude_rad, sensor.height_m)
        return np.broadcast_to(at, (len(time_s), 3)), np.zeros((len(time_s), 3))
    before, here, after = (
        np.stack([np.interp(time_s + s, rows.time_s, rows.position_m[:, i]) for i in range(3)], -1)
        for s in (-0.5, 0.0, 0.5)
    )
    return here, after - before


def _measure(sensor, platforms, time_s, state):
    return ecef_to_look(state, *_where(sensor, platforms, time_s))


def _scans(sensor, plots, start_s, end_s, swept):
    """Numbers and beginnings of all scans, from plots true and false."""
    offset = plots.time_s - plots.scan * sensor.scan_period_s
    if swept:
        offset = offset - (plots.measured[:, 1] % (2.0 * math.pi)) / (2.0 * math.pi) * sensor.scan_period_s
    first = float(np.median(offset) if swept or sensor.kind != "radar" else offset.min())
    scan = np.arange(
        math.floor((start_s - first) / sensor.scan_period_s) - 1,
        math.ceil((end_s - first) / sensor.scan_period_s) + 1,
    )
    return scan, first + scan * sensor.scan_period_s


def _own_plots(sensor, platforms, plots, path_s, path):
    """Rows of plots that lie where the object was."""
    alive = np.flatnonzero((plots.time_s >= path_s[0]) & (plots.time_s <= path_s[-1]))
    time_s = plots.time_s[alive]
    apart = plots.measured[alive] - _measure(sensor, platforms, time_s, interpolate(path_s, path, time_s))
    apart[:, 1] = (apart[:, 1] + math.pi) % (2.0 * math.pi) - math.pi
    spread = np.sqrt(sensor.sigma**2 + sensor.bias_sigma**2)
    return alive[np.nansum((apart / spread) ** 2, axis=1) < NEAR**2]


def _looks(sensors, which, platforms, plots, truth, name, rng):
    """Times, arrivals and positions of all looks of a sensor at an object's place, lit or not, with its plots."""
    sensor = sensors[which]
    mine = plots.rows(plots.sensor == which)
    path_s, path = truth.time_s[name], truth.state[name]
    view = sensor.field_of_view[1]
    swept = sensor.kind == "radar" and (view[1] - view[0]) % (2.0 * math.pi) == 0.0
    scan, begin_s = _scans(sensor, mine, truth.start_s, truth.end_s, swept)
    time_s = begin_s.copy()
    if swept:
        for _ in range(4):  # it moves while the antenna turns
            inside = np.clip(time_s, path_s[0], path_s[-1])
            azimuth = _measure(sensor, platforms, inside, interpolate(path_s, path, inside))[:, 1]
            time_s = begin_s + azimuth % (2.0 * math.pi) / (2.0 * math.pi) * sensor.scan_period_s
    elif sensor.kind == "radar":
        time_s += SECTOR_SHARE * sensor.scan_period_s * rng.random(len(scan))
    latency = mine.received_s - mine.time_s
    least = latency.min()
    received_s = time_s + least + rng.exponential(max(latency.mean() - least, 1e-9), len(scan))
    own = _own_plots(sensor, platforms, mine, path_s, path)
    for row in own[np.argsort(-mine.received_s[own])]:  # of doubles the first to arrive counts
        i = int(mine.scan[row] - scan[0])
        time_s[i], received_s[i] = mine.time_s[row], mine.received_s[row]
    return time_s, received_s, mine.time_s[own]


def _lit(sensor, own_s, burnout_s):
    """From when to when a sensor of heat or light saw an object, from its plots."""
    if sensor.kind == "infrared":
        own_s = own_s[own_s <= burnout_s + PLUME_MARGIN_S] if burnout_s is not None else own_s[:0]
    if not len(own_s):
        return math.inf, -math.inf
    return own_s.min() - PLUME_MARGIN_S, own_s.max() + PLUME_MARGIN_S if burnout_s is None else burnout_s


def _outage(sensor, plots, which):
    """The longest silence of a radar, if it is one."""
    time_s = np.sort(plots.time_s[plots.sensor == which])
    gap = int(np.argmax(np.diff(time_s)))
    if sensor.kind != "radar" or time_s[gap + 1] - time_s[gap] < LONGEST_GAP * sensor.scan_period_s:
        return math.inf, -math.inf
    return time_s[gap], time_s[gap + 1]


def read_sample(folder, noise_factors=None, most=None, seed=0):
    """Read a sample. noise_factors: true noise over stated noise, by name of sensor. most: so many objects, by name."""
    recording, truth = read_recording(folder), read_truth_of(folder)
    plots, platforms = recording.plots, recording.platforms
    sensors = [_true_noise(sensor, noise_factors or {}) for sensor in recording.sensors]
    names = sorted(name for name, kind in truth.kind.items() if kind in BALLISTIC)[:most]
    burnout = {name: thrust_end_s(truth.time_s[name], truth.state[name]) for name in names}
    parent = {
        child: name
        for child in names
        for name in names
        if name != child and abs(truth.time_s[name][-1] - truth.time_s[child][0]) < 0.01
        if np.linalg.norm(truth.state[name][-1, :3] - truth.state[child][0, :3]) < 1.0
    }
    rng = np.random.default_rng(seed)
    found = {name: [_looks(sensors, s, platforms, plots, truth, name, rng) for s in range(len(sensors))]
             for name in names}  # fmt: skip
    seen = {}
    for name in names:
        parts = []
        path_s, path = truth.time_s[name], truth.state[name]
        glow = [
            own for sensor, (_, _, own) in zip(sensors, found[name], strict=True) if sensor.kind == "optical"
        ]
        for s, (sensor, (time_s, received_s, own_s)) in enumerate(zip(sensors, found[name], strict=True)):
            alive = (time_s >= path_s[0]) & (time_s <= path_s[-1])
            if sensor.kind != "radar":
                of = np.concatenate(glow) if sensor.kind == "optical" else own_s
                low, high = _lit(sensor, of, burnout[name])
                alive &= (low <= time_s) & (time_s <= high)
            silent = _outage(sensor, plots, s)
            alive &= (time_s <= silent[0]) | (time_s >= silent[1])
            state = interpolate(path_s, path, time_s[alive])
            position, velocity = _where(sensor, platforms, time_s[alive])
            view = in_field(sensor, position, velocity, state)
            parts.append(
                looks_at(sensors, s, position[view], velocity[view],
                         time_s[alive][view], received_s[alive][view], state[view])
            )  # fmt: skip
        seen[name] = joined(parts)
    order = sorted(names, key=lambda name: (name in parent, name))
    return Sample(truth, order, parent, burnout, seen), sensors
