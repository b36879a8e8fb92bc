"""One scan of one sensor: the tracks that it shows, and those that it should have shown."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from tocsin.earth.ellipsoid import ecef_to_geodetic, enu_axes
from tocsin.earth.motion import BALLISTIC, LEVEL
from tocsin.sensors.plots import Floats, Ints
from tocsin.tracking.association import MOST_GAIN, beliefs, best_together, shared_plots
from tocsin.tracking.growth import MOST_HYPOTHESES, branches, grow, heights
from tocsin.tracking.modes import LEVEL_HEIGHT_M, LEVEL_SPEED_M_S
from tocsin.tracking.pairs import Offsets, Scan, pairs_of
from tocsin.tracking.separation import BROOD_KEPT, NO_OFFSPRING, Offspring, offspring
from tocsin.tracking.tracks import MOST_EXISTENCE, Bools, Hypotheses, Table
from tocsin.tracking.unresolved import cell_of, groups, seen, shared, together

# A plot tells of its sensor where it is a track's so surely, of one with so many plots, so surely in free flight.
SURE_BELIEF, SURE_HITS, SURE_MODE = 0.99, 8, 0.99
FALLEN_HITS = 4  # plots before a track is believed to be no aircraft
SHOWN_EXISTENCE = 0.9
FEWEST_HITS = 3  # plots of a track before it is shown

METHODS = ("gnn", "jipda", "pmb", "mht")


class Taken(NamedTuple):
    """What a scan did to the tracks."""

    table: Table
    hypotheses: Hypotheses
    left: Ints  # plots that no track claims
    touched: Ints  # rows of tracks that took a plot
    sure: Ints  # (2, s) hypotheses before, and the plots that are surely theirs
    new: Offspring  # what may have left a body
    new_belief: Floats  # (c,)
    crowded: Bools  # (n,) tracks that had a plot in their gate which may be another's, or more than one


def take_scan(
    table: Table, h: Hypotheses, scan: Scan, offsets: Offsets, gate_scale: float, method: str, gone: Bools
) -> Taken:
    """All tracks after a scan. gone (n,): tracks that take none of its plots."""
    plots = len(scan.looks.time_s)
    tracks = len(table.number)
    nothing = np.zeros(0, np.int64)
    if tracks == 0:
        none, no = np.zeros((2, 0), np.int64), np.zeros(0, np.bool_)
        return Taken(table, h, np.arange(plots), nothing, none, NO_OFFSPRING, np.zeros(0), no)
    fallen = table.fallen.astype(np.int64)
    owner = np.repeat(np.arange(tracks), np.diff(h.first))
    idle = (gone | ((table.only >= 0) & (table.only != scan.sensor))).astype(np.int64)
    pairs = pairs_of(h, fallen[owner], scan, np.arange(plots), offsets, gate_scale, idle[owner])
    contested = _contested(owner[pairs.mine], pairs.theirs, plots)
    new = offspring(table, h, scan, np.flatnonzero(contested), offsets, gate_scale)
    latitude, longitude, _ = ecef_to_geodetic(scan.position_m)
    local = enu_axes(latitude, longitude)
    begin, source, pair, weight, claimed, missed = branches(
        h.first, h.time_s, h.x, h.mu, h.log_weight, h.claims, pairs.mine, pairs.theirs, pairs.gain,
        scan.numbers, scan.sensor, idle, scan.time_s, scan.position_m, local, scan.of.field_of_view,
        scan.of.detection_probability, scan.heat,
    )  # fmt: skip
    beside = _beside(table, h, idle, scan, local)
    whose = np.repeat(np.arange(tracks), np.diff(begin))
    taking = pair >= 0
    missed_log = np.where(taking, 0.0, weight - h.log_weight[source])
    weight = weight + _excused(missed_log, _hidden(beside, np.ones(tracks, np.bool_))[whose])
    known = len(whose)
    begin_all = np.concatenate([begin, known + 1 + np.arange(len(new.plots))])
    weight_all = np.concatenate([weight, new.gain])
    if method == "gnn":
        belief = _nearest(
            begin_all,
            np.concatenate([pair, len(pairs.theirs) + np.arange(len(new.plots))]),
            np.concatenate([pairs.theirs, new.plots]),
            weight_all,
        )
        took = np.full(tracks, -1)
        took[whose[taking & (belief[:known] > 0.0)]] = pairs.theirs[pair[taking & (belief[:known] > 0.0)]]
        excused = h.log_weight[source] + missed_log + _excused(missed_log, _hidden(beside, took >= 0)[whose])
        weight = np.where(taking, weight, excused)
        lost = ~taking & (belief[:known] > 0.0)
        belief[:known][lost] = 1.0 / (1.0 + np.exp(-weight[lost]))
    else:
        claims = claimed
        if method != "mht":
            claims = np.where(taking, claimed[:, scan.sensor], -1)[:, None]
        claims_new = np.full((len(new.plots), claims.shape[1]), -1)
        claims_new[:, scan.sensor if method == "mht" else 0] = scan.numbers[new.plots]
        whose_all = np.concatenate([whose, tracks + np.arange(len(new.plots))])
        belief = beliefs(begin_all, weight_all, shared_plots(whose_all, np.concatenate([claims, claims_new])))
    belief, new_belief = belief[:known], belief[known:]
    existence = np.minimum(np.bincount(whose, belief, tracks).astype(float), MOST_EXISTENCE)
    if method != "mht":  # what the plots of this scan say is in the weights from now on
        weight = np.log(np.maximum(belief, 1e-300)) - np.log1p(-existence)[whose]
    most = 1 if method in ("gnn", "jipda") else MOST_HYPOTHESES
    columns = grow(
        begin, source, pair, weight, claimed, belief, missed, h.time_s, h.x, h.P, h.A, h.mu, h.claims, h.recent,
        fallen, pairs.theirs, pairs.x, pairs.P, pairs.A, pairs.mu, scan.looks.time_s, scan.numbers, most,
        method == "jipda",
    )  # fmt: skip
    grown, after = Hypotheses(*columns[:9]), columns[9]
    new_owner = np.repeat(np.arange(tracks), np.diff(grown.first))
    chosen = best_together(grown.first, after, shared_plots(new_owner, grown.claims)) - grown.first[:-1]

    taken = np.bincount(whose[taking], belief[taking], tracks)
    hit = taken > 0.5 * existence
    best = grown.first[:-1] + chosen
    hit_s = np.where(hit, np.maximum(table.hit_s, grown.time_s[best]), table.hit_s)
    if method == "gnn":
        grown, with_others = _share(grown, table, h, beside, took, scan, local, offsets)
        hit_s[with_others] = np.maximum(hit_s[with_others], grown.time_s[best[with_others]])
    hits = table.hits + hit
    height = heights(grown.x[best], grown.mu[best])
    likeliest = grown.x[best, grown.mu[best].argmax(1)]
    fast = (height > LEVEL_HEIGHT_M) | (np.linalg.norm(likeliest[:, 3:6], axis=1) > LEVEL_SPEED_M_S)
    now_fallen = table.fallen | ((hits >= FALLEN_HITS) & (grown.mu[best, LEVEL] < 0.5) & fast)
    shown = table.shown | ((hits >= FEWEST_HITS) & (existence > SHOWN_EXISTENCE))
    brood = table.brood
    if not scan.heat:
        brood = np.where(idle == 1, brood, BROOD_KEPT * brood)
        np.add.at(brood, new.parent, new_belief)
    table = table._replace(
        existence=existence,
        chosen=chosen,
        hits=hits,
        hit_s=hit_s,
        fallen=now_fallen,
        shown=shown,
        brood=brood,
    )
    claimed_plots = np.zeros(plots)
    np.add.at(claimed_plots, pairs.theirs[pair[taking]], belief[taking])
    np.add.at(claimed_plots, new.plots, new_belief)
    surely = np.flatnonzero(taking)
    surely = surely[(belief[surely] > SURE_BELIEF) & ~contested[pairs.theirs[pair[surely]]]]
    surely = surely[(hits[whose[surely]] >= SURE_HITS) & (h.mu[source[surely], BALLISTIC] > SURE_MODE)]
    left = np.flatnonzero(claimed_plots < 0.5)
    sure = np.stack([source[surely], pairs.theirs[pair[surely]]])
    crowded = np.bincount(owner[pairs.mine], contested[pairs.theirs], tracks) > 0
    return Taken(table, grown, left, np.flatnonzero(hit), sure, new, new_belief, crowded)


def _contested(track: Ints, plot: Ints, plots: int) -> Bools:
    """Which plots do not pair off with one track each: pairs of track (k,) and plot (k,)."""
    both = np.unique(np.stack([track, plot]), axis=1) if len(track) else np.zeros((2, 0), np.int64)
    tracks_of = np.bincount(both[1], minlength=plots)
    plots_of = np.bincount(both[0])
    sole = np.zeros(plots, np.int64)
    np.add.at(sole, both[1], plots_of[both[0]] == 1)
    return np.asarray(~((tracks_of == 1) & (sole == 1)))


def _nearest(begin: Ints, pair: Ints, theirs: Ints, weight: Floats) -> Floats:
    """Belief (c,) of global nearest neighbours: all in the branches of the best assignment, none in the others."""
    tracks = len(begin) - 1
    whose = np.repeat(np.arange(tracks), np.diff(begin))
    taking = np.flatnonzero(pair >= 0)
    plots = np.unique(theirs)
    column = np.searchsorted(plots, theirs[pair[taking]])
    none = np.where(pair[begin[:-1]] < 0, weight[begin[:-1]], 0.0)  # the first branch of a track is its miss
    cost = np.full((tracks, len(plots) + tracks), MOST_GAIN * 10.0)
    cost[whose[taking], column] = none[whose[taking]] - weight[taking]
    cost[np.arange(tracks), len(plots) + np.arange(tracks)] = 0.0
    rows, columns = linear_sum_assignment(cost)
    chosen = np.where(pair[begin[:-1]] < 0, begin[:-1], -1)
    where = {(int(i), int(c)): int(k) for i, c, k in zip(whose[taking], column, taking, strict=True)}
    for i, c in zip(rows.tolist(), columns.tolist(), strict=True):
        if c < len(plots):
            chosen[i] = where[i, c]
    belief = np.zeros(len(weight))
    chosen = chosen[chosen >= 0]
    belief[chosen] = 1.0 / (1.0 + np.exp(-np.clip(weight[chosen], -50.0, 50.0)))
    return belief


class Beside(NamedTuple):
    """Tracks that may be one to a sensor: k pairs."""

    tracks: Ints  # (n,) rows of the table, of which the pairs speak
    pairs: tuple[Ints, Ints, Floats]  # as from `unresolved.together`
    existence: Floats  # (rows of the table,)


def _beside(table: Table, h: Hypotheses, idle: Ints, scan: Scan, local: Floats) -> Beside:
    tracks = np.flatnonzero(idle == 0)
    rows = h.first[tracks] + table.chosen[tracks]
    value, variance = seen(rows, h.time_s, h.x, h.P, h.mu, scan.time_s, scan.position_m, local)
    return Beside(tracks, together(value, variance, cell_of(scan)), table.existence)


def _hidden(beside: Beside, seen_now: Bools) -> Floats:
    """Probability (n,) that a track is one with another that is seen, to the sensor."""
    out = np.zeros(len(seen_now))
    i, j = beside.tracks[beside.pairs[0]], beside.tracks[beside.pairs[1]]
    for mine, other in ((i, j), (j, i)):
        np.maximum.at(out, mine, beside.pairs[2] * beside.existence[other] * seen_now[other])
    return out


def _excused(missed_log: Floats, hidden: Floats) -> Floats:
    """What to add to ln of the chance of a miss, where a track may be hidden in the plot of another."""
    return np.where(missed_log < 0.0, np.log(hidden + (1.0 - hidden) * np.exp(missed_log)) - missed_log, 0.0)


def _share(
    grown: Hypotheses, table: Table, h: Hypotheses, beside: Beside, took: Ints, scan: Scan, local: Floats,
    offsets: Offsets,
) -> tuple[Hypotheses, Ints]:  # fmt: skip
    """Tracks that have part in one plot, corrected by it together; and the rows of those that had none of their own."""
    found = groups(beside.tracks, beside.pairs, took)
    if not found:
        return grown, np.zeros(0, np.int64)
    time_s, x, P, A, mu = (c.copy() for c in grown[1:6])
    out = []
    for plot, members in sorted(found.items()):
        rows = h.first[members] + table.chosen[members]
        inside, *after = shared(rows, plot, h, table.fallen[members].astype(np.int64), scan, local, offsets)
        to = grown.first[np.array(members)[inside]]
        for column, values in zip((x, P, A, mu), after, strict=True):
            column[to] = values
        time_s[to] = np.maximum(h.time_s[rows[inside]], scan.looks.time_s[plot])
        out += [members[k] for k in inside.tolist() if k > 0]
    return grown._replace(time_s=time_s, x=x, P=P, A=A, mu=mu), np.array(out, np.int64)
