"""One scan of one sensor: the tracks that it shows, and those that it should have shown."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tocsin.earth.ellipsoid import ecef_to_geodetic, enu_axes
from tocsin.earth.motion import BALLISTIC, LEVEL
from tocsin.sensors.coverage import sparse
from tocsin.sensors.plots import Floats, Ints
from tocsin.tracking.association import assign
from tocsin.tracking.fusion import loosen
from tocsin.tracking.gating import have_neighbours
from tocsin.tracking.learning import flown, off_sights
from tocsin.tracking.misses import heights, misses
from tocsin.tracking.modes import LEVEL_HEIGHT_M, LEVEL_SPEED_M_S
from tocsin.tracking.pairs import Offsets, Pairs, Scan, pairs_of
from tocsin.tracking.separation import BROOD_KEPT, NO_OFFSPRING, Offspring, offspring
from tocsin.tracking.tracks import MOST_EXISTENCE, Bools, States, Table
from tocsin.tracking.unresolved import cell_of, groups, seen, shared, together

# A plot tells of its sensor where it is a track's so surely, of one with so many plots, so surely in free flight.
SURE_BELIEF, SURE_HITS, SURE_MODE = 0.99, 8, 0.99
ASKEW_SHARE = 0.1  # of the latest plot, in the average of how plots lie beside a track
FALLEN_HITS = 4  # plots before a track is believed to be no aircraft
# What is faster was not launched from the Earth, nor fell from an orbit about it.
ESCAPE_SPEED_M_S, SPEED_SIGMAS = 11.2e3, 3.0
SHOWN_EXISTENCE = 0.9
FEWEST_HITS = 3  # plots of a track before it is shown


class Told(NamedTuple):
    """Tracks in free flight at the plots that they took, before they took them: k rows."""

    mine: Ints  # (k,) rows of the table
    theirs: Ints  # (k,) plots
    x: Floats  # (k, 9)
    P: Floats  # (k, 9, 9)
    A: Floats  # (k, 9, offsets)
    sure: Ints  # (s,) rows of these, whose plots are surely theirs


class Taken(NamedTuple):
    """What a scan did to the tracks."""

    table: Table
    states: States
    left: Ints  # plots that no track claims
    touched: Ints  # rows of tracks that took a plot
    told: Told
    new: Offspring  # what may have left a body
    new_belief: Floats  # (c,)


def take_scan(table: Table, h: States, scan: Scan, offsets: Offsets, gate_scale: float, gone: Bools) -> Taken:
    """All tracks after a scan. gone (n,): tracks that take none of its plots."""
    plots = len(scan.looks.time_s)
    tracks = len(table.number)
    nothing = np.zeros(0, np.int64)
    if tracks == 0:
        told = _told(h, scan, nothing, nothing, np.zeros(0, np.bool_))
        return Taken(table, h, np.arange(plots), nothing, told, NO_OFFSPRING, np.zeros(0))
    fallen = table.fallen.astype(np.int64)
    idle = (gone | ((table.only >= 0) & (table.only != scan.sensor))).astype(np.int64)
    pairs = pairs_of(h, fallen, scan, np.arange(plots), offsets, gate_scale, idle)
    contested = _contested(pairs.mine, pairs.theirs, plots)
    new = offspring(table, h, scan, np.flatnonzero(contested), offsets, gate_scale, gone | table.steady)
    latitude, longitude, _ = ecef_to_geodetic(scan.position_m)
    local = enu_axes(latitude, longitude)
    chance, left_mu = misses(
        h.time_s, h.x, h.mu, idle, scan.time_s, scan.position_m, local, scan.of.field_of_view,
        scan.of.detection_probability, scan.heat,
    )  # fmt: skip
    if sparse(scan.of):  # it shows one thing, and that another was not there is not said
        chance, left_mu = np.zeros(tracks), h.mu.copy()
    beside = _beside(table, h, idle, scan, local)
    before = np.log(table.existence) - np.log1p(-table.existence)
    # without a plot it is hidden in that of another, or just not seen
    missed = np.log1p(-chance * (1.0 - _hidden(beside, np.ones(tracks, np.bool_))))
    gain = np.concatenate([pairs.gain - missed[pairs.mine], new.gain])
    owner = np.concatenate([pairs.mine, tracks + np.arange(len(new.plots))])
    found = assign(owner, np.concatenate([pairs.theirs, new.plots]), gain)
    pair = found[found < len(pairs.mine)]
    born = found[found >= len(pairs.mine)] - len(pairs.mine)
    mine, theirs = pairs.mine[pair], pairs.theirs[pair]
    took = np.full(tracks, -1)
    took[mine] = theirs
    hit = took >= 0
    odds = before + np.log1p(-chance * (1.0 - _hidden(beside, hit)))
    odds[mine] = before[mine] + pairs.gain[pair]
    existence = np.minimum(_sure(odds), MOST_EXISTENCE)
    new_belief = np.zeros(len(new.plots))
    new_belief[born] = _sure(new.gain[born])

    after = _after(h, scan, pairs, pair, left_mu)
    hit_s = np.where(hit, np.maximum(table.hit_s, after.time_s), table.hit_s)
    with_others = _share(after, table, h, beside, took, scan, local, offsets)
    if scan.of.kind == "radar":
        # a plot in their gate may be another's, or there are more than one
        crowded = np.bincount(pairs.mine, contested[pairs.theirs], tracks) > 0
        loosen(table, after.P, crowded, scan.of.scan_period_s)
    hit_s[with_others] = np.maximum(hit_s[with_others], after.time_s[with_others])
    hits = table.hits + hit
    likeliest = after.x[np.arange(tracks), after.mu.argmax(1)]
    fast = heights(after.x, after.mu) > LEVEL_HEIGHT_M
    speed = np.linalg.norm(likeliest[:, 3:6], axis=1)
    fast |= speed > LEVEL_SPEED_M_S
    escaping = np.flatnonzero((hits >= FALLEN_HITS) & (speed > ESCAPE_SPEED_M_S))
    meteor = table.meteor.copy()
    meteor[escaping] |= speed[escaping] - _unsure_m_s(after, escaping) > ESCAPE_SPEED_M_S
    brood = table.brood
    if not scan.heat:
        brood = np.where(idle == 1, brood, BROOD_KEPT * brood)
        np.add.at(brood, new.parent, new_belief)
    now_fallen = (hits >= FALLEN_HITS) & (after.mu[:, LEVEL] < 0.5) & fast
    table = table._replace(
        existence=existence, hits=hits, hit_s=hit_s, fallen=table.fallen | now_fallen, brood=brood,
        meteor=meteor,
        shown=table.shown | ((hits >= FEWEST_HITS) & (existence > SHOWN_EXISTENCE)),
    )  # fmt: skip
    sure = (existence[mine] > SURE_BELIEF) & ~contested[theirs] & (hits[mine] >= SURE_HITS)
    told = _told(h, scan, mine, theirs, sure)
    if scan.of.kind == "radar":
        table = table._replace(askew=_askew(table, scan, told, offsets))
    claimed = np.zeros(plots)
    claimed[theirs] = existence[mine]
    claimed[new.plots[born]] = new_belief[born]
    return Taken(
        table, after, np.flatnonzero(claimed < 0.5), np.flatnonzero(hit), told, new, new_belief,
    )  # fmt: skip


def _unsure_m_s(h: States, rows: Ints) -> Floats:
    """By how much (k,) the speed of tracks in free flight, rows (k,), may be off; without bound of others."""
    variance = np.trace(h.P[rows, BALLISTIC, 3:6, 3:6], axis1=1, axis2=2)
    return np.where(h.mu[rows, BALLISTIC] > 0.5, SPEED_SIGMAS * np.sqrt(np.maximum(variance, 0.0)), np.inf)


def _sure(odds: Floats) -> Floats:
    """Probability of what has such ln of the odds."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(odds, -50.0, 50.0))))


def _after(h: States, scan: Scan, pairs: Pairs, taken: Ints, left_mu: Floats) -> States:
    """The states with the plots that they took, rows taken (k,) of the pairs; left_mu (n, 3) of those without.

    Their arrays are new.
    """
    mine, theirs = pairs.mine[taken], pairs.theirs[taken]
    time_s = h.time_s.copy()
    time_s[mine] = np.maximum(time_s[mine], scan.looks.time_s[theirs])
    place = np.full(len(time_s), -1)
    place[mine] = taken
    x, P, A, mu = (
        _put_together(old, new, place)
        for old, new in ((h.x, pairs.x), (h.P, pairs.P), (h.A, pairs.A), (left_mu, pairs.mu))
    )
    claims, recent = h.claims.copy(), h.recent.copy()
    claims[mine, scan.sensor] = scan.numbers[theirs]
    recent[mine, 1:] = h.recent[mine, :-1]
    recent[mine, 0] = scan.numbers[theirs]
    return States(time_s, x, P, A, mu, claims, recent)


def _put_together(old: Floats, new: Floats, place: Ints) -> Floats:
    """A fresh array with rows (n, ...) of new ones, at their place (n,) there, and of old ones where that is -1."""
    if len(new) == 0:
        return old.copy()
    out, kept = new[place], place < 0
    out[kept] = old[kept]
    return out


def _told(h: States, scan: Scan, mine: Ints, theirs: Ints, sure: Bools) -> Told:
    """Of tracks and the plots that they took (k,), of which some are surely theirs, those in free flight."""
    free = h.mu[mine, BALLISTIC] > SURE_MODE
    mine, theirs = mine[free], theirs[free]
    states = flown(mine, theirs, h.time_s, h.x, h.P, h.A, scan.looks.time_s)
    return Told(mine, theirs, *states, np.flatnonzero(sure[free]))


def _askew(table: Table, scan: Scan, told: Told, offsets: Offsets) -> Floats:
    """How plots lie beside tracks that follow all sensors, with those that tracks took of a radar."""
    which, looks = np.flatnonzero(table.only[told.mine] < 0), scan.looks
    off = off_sights(
        which, told.theirs, told.x, told.P, told.A, looks.position_m, looks.axes, looks.measured, looks.variance,
        looks.column, looks.lever, offsets.mean, offsets.P,
    )  # fmt: skip
    askew, mine = table.askew.copy(), told.mine[which]
    askew[mine, scan.sensor] += ASKEW_SHARE * (off - askew[mine, scan.sensor])
    return askew


def _contested(track: Ints, plot: Ints, plots: int) -> Bools:
    """Which plots do not pair off with one track each: pairs of track (k,) and plot (k,), no two alike."""
    plots_of = np.bincount(track)[track] if len(track) else track
    sole = np.bincount(plot[plots_of == 1], minlength=plots)
    return np.asarray((np.bincount(plot, minlength=plots) != 1) | (sole != 1))


class Beside(NamedTuple):
    """Tracks that may be one to a sensor: k pairs."""

    tracks: Ints  # (n,) rows of the table, of which the pairs speak
    pairs: tuple[Ints, Ints, Floats]  # as from `unresolved.together`
    existence: Floats  # (rows of the table,)


def _beside(table: Table, h: States, idle: Ints, scan: Scan, local: Floats) -> Beside:
    tracks, cell = np.flatnonzero(idle == 0), cell_of(scan)
    if np.isfinite(cell[:3]).all():  # else those in line may be far from each other
        tracks = tracks[
            have_neighbours(
                tracks,
                h.time_s,
                h.x,
                h.P,
                h.mu,
                scan.time_s,
                scan.position_m,
                float(cell[2]),
                float(cell[:2].sum()),
            )
        ]
    value, variance, _ = seen(tracks, h.time_s, h.x, h.P, h.A, h.mu, scan.time_s, scan.position_m, local)
    return Beside(tracks, together(value, variance, cell), table.existence)


def _hidden(beside: Beside, seen_now: Bools) -> Floats:
    """Probability (n,) that a track is one with another that is seen, to the sensor."""
    out = np.zeros(len(seen_now))
    i, j = beside.tracks[beside.pairs[0]], beside.tracks[beside.pairs[1]]
    for mine, other in ((i, j), (j, i)):
        np.maximum.at(out, mine, beside.pairs[2] * beside.existence[other] * seen_now[other])
    return out


def _share(
    after: States,
    table: Table,
    h: States,
    beside: Beside,
    took: Ints,
    scan: Scan,
    local: Floats,
    offsets: Offsets,
) -> Ints:
    """Correct tracks that have part in one plot together, after in place; returns those that had none of their own."""
    found = groups(beside.tracks, beside.pairs, took)
    out: list[int] = []
    for plot, members in sorted(found.items()):
        rows = np.array(members)
        inside, *new = shared(rows, plot, h, table.fallen.astype(np.int64), scan, local, offsets)
        to = rows[inside]
        for column, values in zip((after.x, after.P, after.A, after.mu), new, strict=True):
            column[to] = values
        after.time_s[to] = np.maximum(h.time_s[to], scan.looks.time_s[plot])
        out += to[inside > 0].tolist()
    return np.array(out, np.int64)
