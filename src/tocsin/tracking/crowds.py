"""When tracks become a crowd, what a scan does to it, and when each goes its own way again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from tocsin.earth.ellipsoid import ecef_to_geodetic, enu_axes, up_and_height
from tocsin.earth.motion import BALLISTIC
from tocsin.sensors.coverage import in_view
from tocsin.sensors.plots import Floats, Ints
from tocsin.tracking import crowd as one
from tocsin.tracking import modes
from tocsin.tracking.crowd import Crowd
from tocsin.tracking.crowd_moves import solved
from tocsin.tracking.crowd_tells import members, of_noise, of_offsets, positions
from tocsin.tracking.fusion import CROWDED, PROVEN_HITS
from tocsin.tracking.learning import KINDS, scales
from tocsin.tracking.life import sharp
from tocsin.tracking.pairs import Offsets, Scan
from tocsin.tracking.separation import BURST
from tocsin.tracking.tracks import RECENT, Bools, States, Table, begun, join, keep
from tocsin.tracking.update import FEWEST_HITS, SHOWN_EXISTENCE

LOWEST_M = 130e3  # drag is felt below (2e-3 m/s2 on 100 kg/m2 at 7 km/s): a crowd that comes down ends there
BACK = np.argsort(KINDS)  # to the order of `Sensor.sigma`
SORTED_S = 60.0  # before which what is whose is too open to tell of the sensors
CREDIBLE = 4.0  # squared sigmas an offset, beyond which rather the plots are shared out wrongly
LEAST_EXISTENCE = 0.3  # of a member, which ends when its crowd says so
# A crowd begins about a body that is known so well (with so many plots, m, m/s), that what flies with it is known to.
PARENT_HITS, PARENT_M, PARENT_M_S = 10, 3e3, 30.0
# What flies apart faster than this was not released but blown apart, and is soon far from each other.
BLOWN_APART_M_S = 60.0
READY = 0.9  # probability of free flight of its members


class Taken(NamedTuple):
    """What a scan did to the crowds."""

    crowds: tuple[Crowd, ...]
    table: Table
    states: States
    offsets: Offsets
    noise: Floats  # (sensors, 4, grid) as in the tracker
    left: Ints  # plots that are no crowd's
    touched: Ints  # numbers of tracks that took a plot


def inside(crowds: tuple[Crowd, ...], table: Table) -> Bools:
    """Which tracks (n,) are in a crowd."""
    if not crowds:
        return np.zeros(len(table.number), np.bool_)
    return np.isin(table.number, np.concatenate([c.number for c in crowds]))


def renamed(crowd: Crowd, new: Mapping[int, int]) -> Crowd:
    """The crowd with other numbers for some tracks."""
    number = np.array([new.get(n, n) for n in crowd.number.tolist()], np.int64)
    return crowd._replace(number=number, family=new.get(crowd.family, crowd.family))


def step(
    crowds: tuple[Crowd, ...], table: Table, h: States, scan: Scan, offsets: Offsets, noise: Floats, made_with: Floats,
    left: Ints, scan_of: int, name: Callable[[int], int],
) -> Taken:  # fmt: skip
    """All crowds after a scan, of which plots left (m,) are no other track's.

    noise (sensors, 4, grid): ln of the weights of `learning.RATIOS`; made_with (4,): the squared ratios that the
    variances of the scan were made with. scan_of: the scan of a plot is its number over this; name: a number for a
    track that begins with a plot of the scan.
    """
    touched: list[Ints] = []
    after = []
    looks = scan.looks
    whole = ~np.isnan(looks.measured[left, 0]) & ~np.isnan(looks.variance[left, :2]).any(axis=1)
    for crowd in crowds:
        crowd = one.kept(crowd, np.isin(crowd.number, table.number))
        if scan.of.kind == "radar" and len(crowd.number):
            before, chance = crowd.number, _chance(crowd, scan)
            rows = _kin(crowd, crowds, table, h)
            crowd = one.joined(crowd, table, h, rows, offsets.mean)
            table = _released(table, np.isin(np.arange(len(table.number)), rows))
            crowd, gate_scale = _scaled(crowd, noise, offsets, scan.sensor)
            crowd, mine = one.with_scan(
                crowd, scan, offsets, left[whole], chance, made_with[KINDS], gate_scale
            )
            crowd = solved(crowd, offsets.mean, lambda plot: name(plot - int(scan.numbers[0])))
            if (~np.isin(crowd.number, before)).sum() > BURST:
                continue  # each goes its own way, with what it was before
            crowd, offsets, h = _learned(crowd, offsets, h)
            crowd = one.trimmed(crowd, offsets.mean)
            given_up = before[~np.isin(before, crowd.number)]
            table, h = keep(table, h, ~np.isin(table.number, given_up))
            table, h, seen = _told(crowd, table, h, offsets)
            touched.append(seen)
            other = ~np.isin(left, mine)
            left, whole = left[other], whole[other]
        if len(crowd.number) > 1 and _high(crowd, offsets.mean):
            after.append(crowd)
        elif len(crowd.number) and crowd.time_s > crowd.epoch_s + SORTED_S:
            noise = noise + of_noise(crowd, offsets.mean)[:, BACK]
    crowds = tuple(after)
    if scan.of.kind == "radar":
        new, table, h = _opened(crowds, table, h, offsets, scan_of)
        crowds += new
    return Taken(
        crowds, table, h, offsets, noise, left, np.concatenate(touched) if touched else np.zeros(0, np.int64)
    )


def _scaled(crowd: Crowd, noise: Floats, offsets: Offsets, sensor: int) -> tuple[Crowd, float]:
    """The crowd with how noisy the sensors are by all plots, and how much wider than usual the gates of one are."""
    mean, most = scales(noise + of_noise(crowd, offsets.mean)[:, BACK])
    return crowd._replace(ratio2=mean[:, KINDS]), float((most / mean)[sensor].max())


def _learned(crowd: Crowd, offsets: Offsets, h: States) -> tuple[Crowd, Offsets, States]:
    """The offsets with what a crowd tells of them now in place of what it told before; the states, moved with them."""
    if len(offsets.mean) == 0 or crowd.time_s < crowd.epoch_s + SORTED_S:
        return crowd, offsets, h
    G, g = of_offsets(crowd)
    before = np.linalg.inv(offsets.P)
    total = before + G - crowd.told_info
    if np.linalg.eigvalsh(total)[0] <= 0.0:
        return crowd, offsets, h
    P = np.linalg.inv(total)
    mean = P @ (before @ offsets.mean + g - crowd.told_vector)
    moved = mean - crowd.at_first.mean
    if float(moved @ np.linalg.solve(crowd.at_first.P, moved)) > CREDIBLE * len(mean):
        return crowd, offsets, h
    h = h._replace(x=h.x + h.A @ (mean - offsets.mean))
    return crowd._replace(told_info=G, told_vector=g), Offsets(mean, 0.5 * (P + P.T)), h


def _kin(crowd: Crowd, crowds: tuple[Crowd, ...], table: Table, h: States) -> Ints:
    """Tracks (j,) of a crowd's family that are not in it yet."""
    mine = _ready(table, h) & ~inside(crowds, table) & ~np.isin(table.number, crowd.number)
    return np.flatnonzero(
        mine & (table.family == crowd.family) & (table.hits >= PROVEN_HITS) & sharp(table, h, crowd.time_s)
    )


def _ready(table: Table, h: States) -> Bools:
    return np.asarray(table.fallen & (h.mu[:, BALLISTIC] > READY) & ~table.orbit)


def _released(table: Table, which: Bools) -> Table:
    """Tracks, which (n,), that follow no sensor alone any more."""
    return table._replace(
        only=np.where(which, -1, table.only), partner=np.where(which, 0, table.partner),
        brood=np.where(which, 0.0, table.brood),
    )  # fmt: skip


def _high(crowd: Crowd, offset: Floats) -> bool:
    """Whether it goes on above the air."""
    x = crowd.reference
    if float(x[:3] @ x[3:6]) > 0.0:
        return True
    return min(float(up_and_height(*at)[4]) for at in positions(crowd, offset)) > LOWEST_M


def _chance(crowd: Crowd, scan: Scan) -> float:
    there, _ = modes.move(BALLISTIC, crowd.reference, scan.time_s - crowd.time_s)
    latitude, longitude, _ = ecef_to_geodetic(scan.position_m)
    local = enu_axes(latitude, longitude)
    seen = in_view(there[:3], scan.position_m, local, scan.of.field_of_view)
    return min(scan.of.detection_probability, 1.0 - 1e-3) if seen else 0.0


def _opened(
    crowds: tuple[Crowd, ...], table: Table, h: States, offsets: Offsets, scan_of: int
) -> tuple[tuple[Crowd, ...], Table, States]:
    """New crowds: of families above the air of which something has surely parted."""
    out: list[Crowd] = []
    free = ~inside(crowds, table)
    ready = free & _ready(table, h)
    parted = ready & table.shown & (table.brood > CROWDED)
    gone = np.zeros(len(free), np.bool_)
    if not parted.any():
        return (), table, h
    for i in np.flatnonzero(parted).tolist():
        family = ready & (table.family == table.family[i])
        kin = family & (table.hits >= PROVEN_HITS) & ~gone
        if (
            not kin[i]
            or table.burst[family].any()
            or any(c.family == table.family[i] for c in (*crowds, *out))
        ):
            continue
        others = kin.copy()
        others[i] = False
        mine, theirs = h.recent[i][h.recent[i] >= 0], h.recent[others]
        if not np.isin(theirs[theirs >= 0] // scan_of, mine // scan_of).any():
            continue
        rows = np.flatnonzero(kin & sharp(table, h, float(h.time_s[i])))
        if i not in rows.tolist():
            continue
        eldest = int(rows[table.hits[rows].argmax()])
        variance = np.diagonal(h.P[eldest, BALLISTIC])[:6]
        if (
            table.hits[eldest] < PARENT_HITS
            or variance[:3].sum() > PARENT_M**2
            or variance[3:].sum() > PARENT_M_S**2
        ):
            continue
        away = h.x[rows, BALLISTIC, 3:6] - h.x[eldest, BALLISTIC, 3:6]
        if np.linalg.norm(away, axis=1).max() > BLOWN_APART_M_S:
            continue
        crowd = one.opened(table, h, rows, eldest, offsets, h.claims.shape[1])
        if not _high(crowd, offsets.mean) or modes.drag_m_s2(crowd.reference) > modes.NO_DRAG_M_S2:
            continue
        out.append(crowd)
        gone |= family & ~kin
        table = _released(table, kin)
    if gone.any():
        table, h = keep(table, h, ~gone)
    return tuple(out), table, h


def _told(crowd: Crowd, table: Table, h: States, offsets: Offsets) -> tuple[Table, States, Ints]:
    """Tracks as their crowd has them, and the numbers of those that have a plot of the scan."""
    was = members(crowd, offsets.mean)
    new = ~np.isin(crowd.number, table.number)
    sensors = h.claims.shape[1]
    x0 = np.zeros((modes.MODES, modes.SIZE))
    P0 = np.tile(np.eye(modes.SIZE), (modes.MODES, 1, 1))
    x0[BALLISTIC, 6], P0[BALLISTIC, 6, 6] = modes.CHILD_LN_BETA_MEAN, modes.CHILD_LN_BETA_SIGMA**2
    A0 = np.zeros((modes.MODES, modes.SIZE, len(offsets.mean)))
    mu0 = np.eye(modes.MODES)[BALLISTIC]
    born = []
    for k in np.flatnonzero(new).tolist():
        t, s = begun(
            int(crowd.number[k]), crowd.family, LEAST_EXISTENCE, 0, crowd.time_s, crowd.time_s, x0, P0, A0, mu0, [],
            sensors, True,
        )  # fmt: skip
        born.append((t._replace(family=np.array([crowd.family])), s))
    table, h = join([(table, h), *born])
    row = {n: i for i, n in enumerate(table.number.tolist())}
    time_s, x, P, A, mu = h.time_s.copy(), h.x.copy(), h.P.copy(), h.A.copy(), h.mu.copy()
    claims, recent = h.claims.copy(), h.recent.copy()
    existence, hits = table.existence.copy(), table.hits.copy()
    hit_s, shown = table.hit_s.copy(), table.shown.copy()
    for k, n in enumerate(crowd.number.tolist()):
        i = row[n]
        time_s[i] = crowd.time_s
        # above the air nothing tells what each of them weighs, nor which of them was there before
        x[i, BALLISTIC, :6], x[i, BALLISTIC, 6] = was.x[k], modes.CHILD_LN_BETA_MEAN
        P[i, BALLISTIC] = 0.0
        P[i, BALLISTIC, :6, :6], P[i, BALLISTIC, 6, 6] = was.P[k], modes.CHILD_LN_BETA_SIGMA**2
        A[i, BALLISTIC] = 0.0
        A[i, BALLISTIC, :6] = was.A[k]
        mu[i] = mu0
        existence[i], hits[i] = max(was.existence[k], LEAST_EXISTENCE), was.hits[k]
        if was.seen[k]:
            hit_s[i] = max(hit_s[i], crowd.time_s)
        plots = was.latest[k]
        if len(plots):
            recent[i] = -1
            recent[i, : min(RECENT, len(plots))] = plots[:RECENT, 1]
            for sensor in np.unique(plots[:, 0]).tolist():
                claims[i, sensor] = plots[plots[:, 0] == sensor, 1].max()
        shown[i] |= bool(hits[i] >= FEWEST_HITS and existence[i] > SHOWN_EXISTENCE)
    table = table._replace(existence=existence, hits=hits, hit_s=hit_s, shown=shown)
    h = States(time_s, x, P, A, mu, claims, recent)
    return table, h, crowd.number[was.seen]
