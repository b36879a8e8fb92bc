"""One whole scan: what the belief is after it.

Association and update of the tracks that there are, separations, families that are not told apart, new tracks of what
is left, twins and ends.
"""

from __future__ import annotations

import math

import numpy as np

from tocsin.earth.motion import LEVEL
from tocsin.sensors.coverage import sparse
from tocsin.sensors.models import looks, some
from tocsin.sensors.plots import ELEVATION, Floats, Ints, Plots, Sensor
from tocsin.tracking import crowds, initiation, launches, life, steady, unclaimed
from tocsin.tracking.belief import PLOTS_OF_A_SCAN, Belief, Names, TrackerState
from tocsin.tracking.fusion import LEADING_SCANS, dissolve, fuse, inherit, release, restrict
from tocsin.tracking.initiation import Known
from tocsin.tracking.learning import RATIOS, learn, learned, scales
from tocsin.tracking.modes import MODES
from tocsin.tracking.pairs import Offsets, Scan, blur2
from tocsin.tracking.reported import which_speak
from tocsin.tracking.separation import broken_up, children, parent_of
from tocsin.tracking.sparse import Sought, search
from tocsin.tracking.tracks import Bools, States, Table, begun, join, keep
from tocsin.tracking.unclaimed import Pool
from tocsin.tracking.update import Told, take_scan
from tocsin.tracking.waiting import Key

# Plots that no track claims are kept for this many scans, those of cameras a little longer (they scan
# many times a second), and all for at most so long.
POOL_SCANS = 3.5
POOL_OPTICAL_S = 1.5
POOL_S = 28.0
POOL_INFRARED_S = 24.0  # lines of one sensor alone, that a launch is told from a fire by
SHOWN_AT_ONCE = 0.98  # existence of a new track that is reported with its first three plots


def take(
    state: TrackerState,
    belief: Belief,
    key: Key,
    plots: Plots,
    known: Names,
    at_s: float,
) -> tuple[Belief, Ints]:
    """Take one whole scan: the belief after it, and the rows of the tracks that took a plot."""
    sensor = key[0]
    mean, most = belief.scale, belief.most
    seen = looks(plots, state.sensors, mean, state.columns)
    numbers = belief.scans * PLOTS_OF_A_SCAN + np.arange(plots.count)
    scan = Scan(
        sensor, state.sensors[sensor], seen, numbers, plots.position_m[0], float(np.median(plots.time_s))
    )
    measured = ~np.isnan(state.sensors[sensor].sigma)
    gate_scale = float((most / mean)[sensor][measured].max())
    belief = belief._replace(states=steady.moved(belief.table, belief.states, float(plots.time_s.min())))
    gone = life.lost(belief.table, belief.states, scan.time_s) | crowds.inside(belief.crowds, belief.table)
    taken = take_scan(belief.table, belief.states, scan, belief.offsets, gate_scale, gone)
    left = taken.left
    table, h = broken_up(taken.table, taken.states, scan.time_s)
    offsets, noise = belief.offsets, belief.noise
    if len(taken.told.sure):
        offsets, noise, h = _learn(belief, h, scan, taken.told, mean)
        mean, most = _scales(state, noise)
    touched = taken.touched
    names_of_touched = table.number[touched]
    unclaimed_plots = left
    # without an azimuth, and an elevation or a range, nothing begins
    angles = ~np.isnan(scan.looks.variance[left, :2])
    left = left[angles[:, 0] & (angles[:, 1] | ~np.isnan(scan.looks.measured[left, 0]))]

    def name(plot: int) -> int:
        seed = (float(seen.time_s[plot]), float(sensor), float(seen.axes[plot, 0, 0]))
        return known.of([seed], np.concatenate([belief.table.number, belief.table.name]))

    if len(taken.new.plots):
        parents = belief.table._replace(burst=table.burst)
        young = children(parents, belief.states, scan, taken.new, taken.new_belief, belief.offsets, name)
        table, h = join([(table, h), *young])
    found = crowds.step(
        belief.crowds, table, h, scan, offsets, noise, belief.scale[sensor], left, PLOTS_OF_A_SCAN, name
    )
    table, h, left, offsets, noise = found.table, found.states, found.left, found.offsets, found.noise
    mean, most = _scales(state, noise)
    names_of_touched = np.concatenate([names_of_touched, found.touched])
    table, h = dissolve(table, h, np.array([s.scan_period_s for s in state.sensors]))
    table, h = restrict(table, h, sensor, scan.of.kind == "radar", PLOTS_OF_A_SCAN)
    if (table.only >= 0).any():
        unseen = _unseen(state, table, scan.time_s)
        table, h = fuse(table, h, sensor, offsets.P, unseen, which_speak(state, table, h, scan.time_s))
        table = release(table, sensor, _unseen(state, table, scan.time_s))
    h = _level(h, state.sensors)
    of_sensors = Known(offsets.mean, offsets.P, gate_scale)
    before, sought, pools = table.number, belief.sought, belief.pools
    if sparse(scan.of):
        now = table, h, sought
        table, h, sought, offsets = _search(state, now, scan, key, unclaimed_plots, of_sensors, known)
    else:
        table, h, pools = _initiate(
            state, (table, h, pools), scan, key, left, plots.height_m, of_sensors, known
        )
    begun_now = table.number[np.asarray(table.shown & ~np.isin(table.number, before))]
    alone = ~crowds.inside(found.crowds, table)
    doubled, existence = life.twins(table, h, offsets.P, PLOTS_OF_A_SCAN, scan.time_s, alone)
    table, h = keep(table._replace(existence=existence), h, ~(life.over(table, h, at_s) | doubled))
    table = inherit(table, which_speak(state, table, h, scan.time_s))
    belief = Belief(table, h, pools, noise, mean, most, offsets, belief.scans + 1, found.crowds, sought)
    return belief, np.flatnonzero(np.isin(table.number, np.concatenate([names_of_touched, begun_now])))


def _level(h: States, sensors: tuple[Sensor, ...]) -> States:
    """What radars without elevation have seen alone is air traffic, whatever a turn looks like."""
    tall = np.array([not math.isnan(s.sigma[ELEVATION]) for s in sensors])
    if tall.all() or len(h.mu) == 0:
        return h
    flat = (h.claims[:, tall] < 0).all(axis=1, keepdims=True)
    return h._replace(mu=np.where(flat, np.eye(MODES)[LEVEL], h.mu))


def _scales(state: TrackerState, noise: Floats) -> tuple[Floats, Floats]:
    """As `learning.scales`, but of sensors that do not scan the sky never below what they state.

    What such an antenna is off changes slowly: its plots scatter less than they are wrong.
    """
    mean, most = scales(noise)
    slow = np.array([sparse(s) for s in state.sensors], np.bool_)
    mean[slow], most[slow] = np.maximum(mean[slow], 1.0), np.maximum(most[slow], 1.0)
    return mean, most


def _learn(belief: Belief, h: States, scan: Scan, told: Told, mean: Floats) -> tuple[Offsets, Floats, States]:
    """What plots that surely belong to tracks tell of their sensor; the states, moved with its offsets."""
    seen, offsets = scan.looks, belief.offsets
    noise = belief.noise.copy()
    information, vector = np.zeros_like(offsets.P), np.zeros_like(offsets.mean)
    learn(
        told.sure, told.theirs, told.x, told.P, told.A,
        seen.position_m, seen.axes, seen.measured, seen.variance, seen.column, seen.lever,
        offsets.mean, offsets.P, mean[scan.sensor], RATIOS**2, noise[scan.sensor], information, vector,
    )  # fmt: skip
    if len(vector) and information.any():
        after, P, moved = learned(offsets.mean, offsets.P, information, vector)
        offsets = Offsets(after, P)
        h = h._replace(x=h.x + h.A @ moved)
    return offsets, noise, h


def _initiate(
    state: TrackerState,
    now: tuple[Table, States, tuple[Pool, ...]],
    scan: Scan,
    key: Key,
    left: Ints,
    height_m: Floats,
    known: Known,
    known_names: Names,
) -> tuple[Table, States, tuple[Pool, ...]]:
    """Try to make new tracks of the plots that nothing claimed, then keep them for a while."""
    table, h, pools = now
    sensors = state.sensors
    kind = scan.of.kind
    more_s = [POOL_OPTICAL_S if s.kind == "optical" else 0.0 for s in sensors]
    few_s = np.array(
        [min(POOL_SCANS * s.scan_period_s + m, POOL_S) for s, m in zip(sensors, more_s, strict=True)]
    )
    keep_s = np.where([s.kind == "infrared" for s in sensors], np.maximum(few_s, POOL_INFRARED_S), few_s)
    young = [p.looks.time_s > scan.time_s - keep_s[p.sensor] for p in pools]
    if pools:
        pools = unclaimed.picked(pools, np.concatenate(young))
    if len(left) == 0:
        return table, h, pools
    flat = math.isnan(scan.of.sigma[ELEVATION])
    mine = some(scan.looks, left)
    if flat:
        mine = unclaimed.raised(mine, height_m[left])
    offsets = Offsets(known.offset, known.offset_cov)
    blurred = blur2(mine, offsets) * known.gate_scale
    fresh = unclaimed.make_pool(mine, *key, scan.numbers[left], blurred, flat)
    pools = unclaimed.added(pools, fresh)
    pool = unclaimed.whole(pools)
    family, old = pool, len(pool.sensor) - len(left)
    if kind == "radar":
        starts = initiation.from_ranges(pool, old, sensors, known)
    else:
        same = np.array([s.kind == kind for s in sensors])[pool.sensor]
        same &= pool.looks.time_s > scan.time_s - few_s[pool.sensor]
        family = unclaimed.keep(pool, same)
        starts = initiation.from_angles(family, int(same[:old].sum()), sensors, known)
        if kind == "infrared" and not starts:
            same = pool.sensor == key[0]
            family = unclaimed.keep(pool, same)
            starts = launches.from_one_sensor(family, int(same[:old].sum()), sensors, known)
    if not starts:
        return table, h, pools
    new: list[tuple[Table, States]] = []
    used: set[int] = set()
    gone = life.lost(table, h, scan.time_s)
    dropped = np.zeros(len(gone), np.bool_)
    for begin in starts:
        parent = parent_of(begin.time_s, begin.x, begin.P, begin.A, begin.mu, table, h, offsets)
        plots = [(int(family.sensor[r]), int(family.number[r])) for r in begin.plots]
        seeds = [
            (float(family.looks.time_s[r]), float(family.sensor[r]), float(family.looks.axes[r, 0, 0]))
            for r in begin.plots
        ]
        again = life.found_again(begin.time_s, begin.x, begin.P, begin.A, begin.mu, table, h, gone, offsets.P)
        if again >= 0:
            number, parent = int(table.number[again]), int(table.parent[again])
            gone[again], dropped[again] = False, True
            known_names.known.update(dict.fromkeys(seeds, number))
        else:
            taken = np.concatenate([table.number, table.name, *(t.number for t, _ in new)])
            number = known_names.of(seeds, taken)
        new.append(
            begun(
                number, parent, begin.existence, len(plots), begin.time_s, begin.time_s,
                begin.x, begin.P, begin.A, begin.mu, plots, len(sensors), False,
            )
        )  # fmt: skip
        if again >= 0:
            new[-1] = (new[-1][0]._replace(name=table.name[[again]], told=table.told[[again]]), new[-1][1])
        if begin.existence > SHOWN_AT_ONCE or again >= 0:
            new[-1] = (new[-1][0]._replace(shown=np.array([True])), new[-1][1])
        used |= {n for _, n in plots}
    table, h = join([keep(table, h, ~dropped), *new])
    return table, h, unclaimed.picked(pools, ~np.isin(pool.number, list(used)))


def _search(
    state: TrackerState,
    now: tuple[Table, States, Sought],
    scan: Scan,
    key: Key,
    left: Ints,
    known: Known,
    known_names: Names,
) -> tuple[Table, States, Sought, Offsets]:
    """Look for an orbit with the plots of a sensor that does not scan the sky, those that nothing claimed."""
    table, h, sought = now
    offsets = Offsets(known.offset, known.offset_cov)
    if len(left) == 0:
        return table, h, sought, offsets
    mine = some(scan.looks, left)
    fresh = unclaimed.make_pool(mine, *key, scan.numbers[left], blur2(mine, offsets))
    sought, found = search(sought, fresh, state.sensors, offsets, known.gate_scale)
    if found is None:
        return table, h, sought, offsets
    h = h._replace(x=h.x + h.A @ (found.offsets.mean - offsets.mean))
    number = known_names.of(found.seeds, np.concatenate([table.number, table.name]))
    born, its = begun(
        number, 0, found.existence, len(found.plots), found.time_s, found.time_s, found.x, found.P, found.A,
        found.mu, list(found.plots), len(state.sensors), True,
    )  # fmt: skip
    yes = np.array([True])
    table, h = join([(table, h), (born._replace(shown=yes, orbit=yes, steady=yes), its)])
    return table, h, sought, found.offsets


def _unseen(state: TrackerState, table: Table, now_s: float) -> Bools:
    """Which tracks that follow one sensor alone that sensor sees no longer."""
    periods = np.array([s.scan_period_s for s in state.sensors])
    return np.asarray((table.only >= 0) & (now_s - table.hit_s > LEADING_SCANS * periods[table.only]))
