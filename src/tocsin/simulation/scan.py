"""Truth to plots: misses, clutter, noise, biases, outages, merged, late and doubled plots.

Timing of a scan: a sector radar looks at each object at its own random moment within 90 %
of the period; one that turns through 360 degrees meets an azimuth at its share of the
period; infrared sensors and cameras look at everything at once.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from tocsin.metrics.paths import interpolate
from tocsin.sensors.plots import AZIMUTH, ELEVATION, Floats, Ints, Plots
from tocsin.simulation.objects import Path
from tocsin.simulation.scenario import TO_SI
from tocsin.simulation.station import Mask, Station, in_field, look, sees, station_position

SECTOR_SHARE = 0.9  # of the period, over which a sector radar spreads its looks
# places after the point of range_m, azimuth_deg, elevation_deg, range_rate_m_s in a plot
PLACES = (2, 6, 6, 3)


class Looks(NamedTuple):
    """Looks of one sensor at objects that it could see; n of them."""

    path: Ints  # (n,) index of the object
    scan: Ints  # (n,)
    time_s: Floats  # (n,)
    received_s: Floats  # (n,) when its plot arrived, or would have
    detected: Mask  # (n,)


def scan_sensor(
    station: Station, paths: list[Path], end_s: float, rng: np.random.Generator
) -> tuple[Plots, Looks, int]:
    """All plots of one sensor (index 0), true and false, in order of time; its looks; the true plots."""
    plan = station.plan
    start_s = station.start_s + station.scan_offset_s
    scans = np.arange(max(0, math.ceil((end_s - start_s) / plan.scan_period_s)))
    scan_s = np.asarray(start_s + scans * plan.scan_period_s, float)
    looks, true = _true_plots(station, paths, scan_s, rng)
    false = _false_plots(station, scan_s, rng)
    time_s, received_s, number, values = (np.concatenate(pair) for pair in zip(true, false, strict=True))
    twice = np.flatnonzero(rng.random(len(time_s)) < plan.doubled_fraction)
    again_s = received_s[twice] + 0.05 + rng.exponential(1.0, len(twice))
    pick = np.concatenate([np.arange(len(time_s)), twice])
    time_s = np.round(time_s[pick] * 1e6) / 1e6
    received_s = np.round(np.concatenate([received_s, again_s]) * 1e6) / 1e6
    order = np.lexsort((received_s, time_s))
    plots = Plots(
        time_s,
        received_s,
        np.zeros(len(time_s), np.int64),
        number[pick] + station.first_scan,
        _rounded(values[pick], plan.sigma),
        np.array(station_position(station, time_s)),
        np.full(len(time_s), math.nan),
    )
    return plots.rows(order), looks, len(true[0])


Columns = tuple[Floats, Floats, Ints, Floats]  # time_s, received_s, scan, measured


def _latency(station: Station, count: int, rng: np.random.Generator) -> Floats:
    plan = station.plan
    delay = plan.latency_s + rng.exponential(plan.latency_mean_s, count)
    late = rng.random(count) < plan.late_fraction
    return np.asarray(delay + late * rng.exponential(plan.late_mean_s, count))


def _rounded(measured: Floats, sigma: Floats) -> Floats:
    """In the digits of the file, with NaN for what is not measured."""
    out = measured / TO_SI
    out[:, AZIMUTH] %= 360.0
    for i, places in enumerate(PLACES):
        out[:, i] = np.round(out[:, i], places)
    out[:, AZIMUTH] %= 360.0
    out[:, np.isnan(sigma)] = np.nan
    return np.asarray(out * TO_SI)


def _moment(station: Station, scan_s: Floats, azimuth: Floats, share: Floats) -> Floats:
    """When looks of scans that begin at scan_s take place."""
    period, timing = station.plan.scan_period_s, station.plan.timing
    if timing == "sweep":
        return np.asarray(scan_s + azimuth / (2.0 * math.pi) * period)
    if timing == "sector":
        return np.asarray(scan_s + share * SECTOR_SHARE * period)
    return scan_s


def _true_plots(
    station: Station, paths: list[Path], scan_s: Floats, rng: np.random.Generator
) -> tuple[Looks, Columns]:
    """Looks at objects, and the plots that came of them."""
    plan = station.plan
    who, scan, share, begin = [], [], [], []
    for i, path in enumerate(paths):
        # drawn for every scan, so that one object's draws do not hang on another's life
        draws = rng.random(len(scan_s))
        alive = np.flatnonzero((scan_s >= path.time_s[0]) & (scan_s <= path.time_s[-1]))
        geometry = look(station, scan_s[alive], interpolate(path.time_s, path.state, scan_s[alive]))
        near = np.full(len(alive), True)
        if plan.timing == "instant":
            near = in_field(station, geometry.measured)
        who.append(np.full(int(near.sum()), i))
        scan.append(alive[near])
        share.append(draws[alive[near]])
        begin.append(geometry.measured[near])
    if not sum(map(len, who)):
        none = np.zeros(0, np.int64)
        empty = np.zeros(0)
        return Looks(none, none, empty, empty, np.zeros(0, bool)), (empty, empty, none, np.zeros((0, 4)))
    path_of, scan_of, share_of, at_begin = (np.concatenate(x) for x in (who, scan, share, begin))
    group = _unresolved(station, scan_of, at_begin)
    share_of = share_of[group]  # the same dwell meets them all
    time_s, measured, seen = np.empty(len(path_of)), np.empty((len(path_of), 4)), np.zeros(len(path_of), bool)
    for i, path in enumerate(paths):
        mine = np.flatnonzero(path_of == i)
        if len(mine):
            time_s[mine], measured[mine], seen[mine] = _look_at(
                station, path, scan_s[scan_of[mine]], share_of[mine], at_begin[mine, AZIMUTH]
            )
    detected = (rng.random(len(path_of)) < plan.detection_probability)[group] & seen
    received_s = time_s + _latency(station, len(path_of), rng)[group]
    looks = Looks(path_of[seen], scan_of[seen], time_s[seen], received_s[seen], detected[seen])

    hit = np.flatnonzero(detected)
    _, first, member = np.unique(group[hit], return_index=True, return_inverse=True)
    lead = hit[first]  # the first of each group; its plot lies at the mean of all members
    apart = measured[hit] - measured[lead][member]
    apart[:, AZIMUTH] = (apart[:, AZIMUTH] + math.pi) % (2.0 * math.pi) - math.pi
    total = np.zeros((len(lead), 4))
    np.add.at(total, member, apart)
    values = measured[lead] + total / np.bincount(member, minlength=len(lead))[:, None]
    noise = rng.normal(size=values.shape) * np.nan_to_num(plan.sigma) * plan.sigma_factor
    values = values + noise + station.bias
    over = values[:, ELEVATION] > math.pi / 2  # past the zenith: seen from the other side
    values[over, ELEVATION] = math.pi - values[over, ELEVATION]
    values[over, AZIMUTH] += math.pi
    return looks, (time_s[lead], received_s[lead], scan_of[lead], values)


def _look_at(
    station: Station, path: Path, scan_s: Floats, share: Floats, azimuth: Floats
) -> tuple[Floats, Floats, Mask]:
    """Times (n,), true measurements (n, 4) and visibility (n,) of one object in scans."""
    time_s = _moment(station, scan_s, azimuth, share)
    for _ in range(2 if station.plan.timing == "sweep" else 0):  # it moves while the beam turns
        inside = np.minimum(time_s, path.time_s[-1])
        geometry = look(station, inside, interpolate(path.time_s, path.state, inside))
        time_s = _moment(station, scan_s, geometry.measured[:, AZIMUTH], share)
    alive = time_s <= path.time_s[-1]
    inside = np.minimum(time_s, path.time_s[-1])
    state = interpolate(path.time_s, path.state, inside)
    geometry = look(station, inside, state)
    return time_s, geometry.measured, alive & sees(station, inside, state, geometry, path)


def _unresolved(station: Station, scan: Ints, measured: Floats) -> Ints:
    """For each of n rows the first row of its group: objects of one scan too close together for the sensor.

    Two objects are one if all that is measured differs by less than the resolution.
    """
    cell = station.plan.sigma * station.plan.resolution_sigmas
    if len(scan) < 2 or station.plan.resolution_sigmas == 0.0:
        return np.arange(len(scan))
    columns = [scan * 10.0]
    for i in np.flatnonzero(~np.isnan(cell)):
        value = measured[:, i]
        parts = [np.cos(value), np.sin(value)] if i == AZIMUTH else [value]  # a chord knows no north
        columns += [part / cell[i] for part in parts]
    pairs = cKDTree(np.stack(columns, -1)).query_pairs(1.0, p=np.inf, output_type="ndarray")
    links = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(scan), len(scan)))
    _, label = connected_components(links, directed=False)
    _, first = np.unique(label, return_index=True)
    return np.asarray(first[label])


def _false_plots(station: Station, scan_s: Floats, rng: np.random.Generator) -> Columns:
    """Clutter: Poisson in number, uniform in the measured coordinates over the field of view."""
    plan = station.plan
    count = rng.poisson(plan.false_plots_per_scan, len(scan_s))
    for start, end in plan.outages_s:
        count[(scan_s >= station.start_s + start) & (scan_s <= station.start_s + end)] = 0
    scan = np.repeat(np.arange(len(scan_s)), count)
    view = np.nan_to_num(plan.field_of_view)
    low, width = view[:, 0], view[:, 1] - view[:, 0]
    width[AZIMUTH] = width[AZIMUTH] % (2.0 * math.pi) or 2.0 * math.pi
    values = low + width * rng.random((len(scan), 4))
    time_s = _moment(station, scan_s[scan], values[:, AZIMUTH] % (2.0 * math.pi), rng.random(len(scan)))
    return time_s, time_s + _latency(station, len(scan), rng), scan, values
