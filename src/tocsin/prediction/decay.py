"""When and where a low orbit decays: a window of time, and the ground track under it.

How long a body stays up hangs on one number, the drag that slows it: density over ballistic coefficient. It is known to
some tens of percent at best, so the time left is known to as much of itself, and a body goes round the Earth many times
meanwhile. The answer is a distribution of that one number, flown at many values of it (docs/decisions/0021):
each flight enters the air at its own time and place, and the places of neighbours in time are joined along the orbit.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr

from tocsin.earth.ellipsoid import ecef_to_geodetic, height_m
from tocsin.earth.orbit import energy_and_perigee
from tocsin.prediction.decay_flights import ENTRY_M, LONGEST_DECAY_S, Ends, Fall, ends
from tocsin.prediction.decay_track import joined, swath_m
from tocsin.prediction.forecast import QUANTILES, Window
from tocsin.prediction.kinds import NOTHING, Learned
from tocsin.prediction.priors import Kind
from tocsin.sensors.plots import Floats
from tocsin.units import EARTH_GM_M3_S2, SEMI_MAJOR_AXIS_M

# Orbits that a window is made for: nothing higher comes down in a week, and what goes far out enters at its perigees
# alone, hours or days apart, and is moved by the Moon and the Sun.
HIGHEST_PERIGEE_M, HIGHEST_APOGEE_M = 500e3, 2000e3
LOWEST_PERIGEE_M = 0.0  # what goes deeper comes down on this pass
# One sigma of ln of drag on the way that is left, from what it was so far: air, attitude, all. Of 316 predictions in 20
# campaigns of the IADC a window of 90 % took 20 to 25 % of the time left to each side, one of 95 % took 30 % (Pardini
# and Anselmo, "Assessing the risk and the uncertainty affecting the uncontrolled re-entry of manmade space objects").
AHEAD_SIGMA = 0.15
# The level of the air against the standard of 1976: mean and one sigma of ln of density along an orbit, of 120
# days of NRLMSIS 2.1 over a cycle of the Sun (F10.7 from 60 to 180), at heights (m). benchmarks/decay.py has it made.
LEVEL_M = np.array([100e3, 120e3, 140e3, 160e3, 180e3, 200e3, 225e3, 250e3, 300e3, 350e3, 400e3])
LEVEL_LN = np.array([-0.13, -0.29, -0.28, -0.24, -0.21, -0.20, -0.21, -0.23, -0.30, -0.37, -0.44])
LEVEL_SIGMA = np.array([0.08, 0.06, 0.06, 0.09, 0.13, 0.17, 0.24, 0.30, 0.41, 0.51, 0.60])
MODEL_SIGMA = 0.1  # of a model of the air itself, low down
WIDEST_SIGMA = 1.0  # of ln of drag that the state may add; beyond, it is no orbit that is known
REACH = 3.5  # sigmas of a kind that are flown
COARSE, FEWEST, MOST = 32, 32, 512  # flights
A_TURN = 12  # flights that enter on each revolution of the window
TAIL = 1e-3  # of the distribution, beyond which no flights are flown
LEAST_SHARE = 0.5  # that must come down within LONGEST_DECAY_S
TOLD = 0.005  # a chance of that that is worth telling
LOOKED_AHEAD = f"{LONGEST_DECAY_S / 86400:.0f} days"
HALF_TURN_S = 2700.0  # what comes down sooner has an area that says all


class Drag(NamedTuple):
    """What is believed of ln of the ballistic coefficient over the density factor: a sum of normal distributions."""

    share: Floats  # (k,) summing to 1
    mean: Floats  # (k,)
    sigma: Floats  # (k,)
    limits: tuple[float, float]


class Orbit(NamedTuple):
    """The osculating orbit of a state, against the sky."""

    energy_m2_s2: float
    perigee_m: float  # over the equator's radius
    apogee_m: float
    turn_s: float  # of a revolution; NaN where it leaves the Earth


def orbit_of(x: Floats) -> Orbit:
    """The osculating orbit of a state (6,) in ECEF."""
    energy, lowest_m = energy_and_perigee(x)
    perigee = lowest_m - SEMI_MAJOR_AXIS_M
    if energy >= 0.0:
        return Orbit(energy, perigee, math.inf, math.nan)
    a = -0.5 * EARTH_GM_M3_S2 / energy
    return Orbit(
        energy, perigee, 2.0 * a - 2.0 * SEMI_MAJOR_AXIS_M - perigee, 2.0 * math.pi * math.sqrt(a**3 / EARTH_GM_M3_S2)
    )  # fmt: skip


def is_low(x: Floats) -> bool:
    """Whether a state (6,) is on an orbit that a window can be made for."""
    orbit = orbit_of(x)
    return bool(
        orbit.apogee_m < HIGHEST_APOGEE_M
        and LOWEST_PERIGEE_M < orbit.perigee_m < HIGHEST_PERIGEE_M
        and float(height_m(x[0], x[1], x[2])) > ENTRY_M
    )


def level(x: Floats) -> tuple[float, float]:
    """ln of what the air is against the standard where the orbit of a state is lowest, of any day; and its sigma."""
    perigee_m = orbit_of(x).perigee_m
    known = math.hypot(float(np.interp(perigee_m, LEVEL_M, LEVEL_SIGMA)), MODEL_SIGMA)
    return float(np.interp(perigee_m, LEVEL_M, LEVEL_LN)), known


def drag_of(
    kinds: tuple[Kind, ...], limits: tuple[float, float], air: tuple[float, float], learned: Learned = NOTHING
) -> Drag:
    """What is believed of drag: kinds of bodies, ln of a density factor with its sigma, and what decay has told."""
    ln_density, sigma = air
    share = np.array([kind.share for kind in kinds])
    mean = np.array([kind.ln_beta for kind in kinds]) - ln_density
    variance = np.array([kind.sigma for kind in kinds]) ** 2 + sigma**2
    if learned.precision > 0.0:
        off2 = (mean - learned.ln_beta) ** 2 / (variance + 1.0 / learned.precision)
        both = np.log(share) - 0.5 * off2 - 0.5 * np.log(variance + 1.0 / learned.precision)
        share = np.exp(both - both.max())
        precision = 1.0 / np.maximum(variance, 1e-12) + learned.precision
        mean = (mean / np.maximum(variance, 1e-12) + learned.ln_beta * learned.precision) / precision
        variance = 1.0 / precision
    return Drag(
        share / share.sum(), mean, np.sqrt(variance), (limits[0] - ln_density, limits[1] - ln_density)
    )


def wider(drag: Drag, sigma: float) -> Drag:
    """The same, less well known."""
    return drag._replace(sigma=np.sqrt(drag.sigma**2 + sigma**2))


def chance_below(drag: Drag, at: Floats) -> Floats:
    """The chance that ln of the coefficient is below values (n,), within the limits."""

    def below(x: Floats) -> Floats:
        z = (x[:, None] - drag.mean) / np.maximum(drag.sigma, 1e-9)
        return np.asarray(ndtr(z) @ drag.share)

    low, high = below(np.array(drag.limits))
    if not high - low > 1e-9:  # next to nothing of it is within the limits
        low, high = 0.0, 1.0
    return np.asarray(np.clip((below(at) - low) / (high - low), 0.0, 1.0))


def window(x: Floats, P: Floats, drag: Drag, fall: Fall) -> Window | float:
    """When and where a state (6,) with a covariance (6, 6) comes down, of an orbit that `is_low`.

    drag: what is believed of it, without what may change on the way that is left. A float is the chance (less than
    LEAST_SHARE) that it comes down within LONGEST_DECAY_S; NaN where the state is known so badly that no time can be
    told.
    """
    believed = wider(drag, AHEAD_SIGMA)
    at, times, share = _coarse(x, believed, fall)
    if share < LEAST_SHARE or not np.isfinite(times).any():
        return share
    middle = min(float(np.interp(0.5, chance_below(believed, at), at)), float(at[np.isfinite(times)][-1]))
    sigma = _of_state(x, P, at, times, middle, fall)
    if sigma > WIDEST_SIGMA:
        return math.nan
    if sigma > 0.0:
        believed = wider(believed, sigma)
        at, times, share = _coarse(x, believed, fall)
        if share < LEAST_SHARE or not np.isfinite(times).any():
            return share
    return _told(x, P, believed, at, times, share, fall)


def _coarse(x: Floats, drag: Drag, fall: Fall) -> tuple[Floats, Floats, float]:
    """Some flights over all that is believed: ln of the coefficient, times of entry, and the chance to come down."""
    at = _grid(drag, COARSE)
    times = _entries(x, at, fall)
    return at, times, _share_within(drag, at, times)


def _told(
    x: Floats, P: Floats, believed: Drag, at: Floats, times: Floats, within: float, fall: Fall
) -> Window | float:
    """The window, of coarse flights and what is believed."""
    fine, chance = _refined(x, believed, at, times)
    found = ends(x, fine, fall)
    down = np.isfinite(found.ground_s)
    if down.sum() < 2:
        return math.nan
    fine, chance = fine[down], chance[down]
    found = Ends(*(field[down] for field in found))
    order = np.arange(len(fine))  # the lighter the sooner; what step errors turn round is put in order
    entry_s = np.maximum.accumulate(found.entry_s) + 1e-3 * order
    ground_s = np.maximum.accumulate(found.ground_s) + 1e-3 * order
    early, late = np.interp(QUANTILES, chance, entry_s), np.interp(QUANTILES, chance, ground_s)
    beyond = within < QUANTILES  # of these all that is known is that they are later than the limit
    early[beyond], late[beyond] = np.nan, np.nan
    first, last = float(late[0]), float(np.nanmax(late)) if not beyond.any() else float(ground_s[-1])
    track, stretches, turns = joined(
        x, ground_s, entry_s, found.entry_state, found.place, chance, first, last
    )
    middle = int(np.argmin(np.abs(chance - 0.5)))
    wide_m = swath_m(x, P, float(entry_s[middle]), found.entry_state[middle], fall)
    mean = float(believed.share @ believed.mean)
    spread = math.sqrt(float(believed.share @ (believed.sigma**2 + (believed.mean - mean) ** 2)))
    return Window(
        early, late, within, turns, np.array([track[:, 0].min(), track[:, 0].max()]), wide_m, track, stretches,
        mean, spread,
    )  # fmt: skip


def sentence(told: Window) -> str:
    """What a window says, in one sentence or two."""
    first, last = told.ground_quantiles_s[1], told.ground_quantiles_s[5]
    from_s = f"from {duration(first)}"
    until = f"to {duration(last)}" if math.isfinite(last) else f"to more than {LOOKED_AHEAD}"
    text = f"It comes down within a window: with a chance of 90 % {from_s} {until} after the state."
    if told.within < 1.0 - TOLD:
        text += (
            f" It stays up for longer than {LOOKED_AHEAD} with a chance of {100 * (1.0 - told.within):.2g} %."
        )
    return text


def duration(time_s: float) -> str:
    """A duration in the unit that suits it."""
    for unit, size_s in (("d", 86400.0), ("h", 3600.0)):
        if time_s >= 2.0 * size_s:
            return f"{time_s / size_s:.1f} {unit}"
    return f"{time_s / 60:.0f} min"


def _entries(x: Floats, ln_beta: Floats, fall: Fall) -> Floats:
    """Times of entry (n,), infinite of what stays up longer than is looked ahead."""
    return np.asarray(np.maximum.accumulate(ends(x, ln_beta, fall).entry_s))


def _grid(drag: Drag, count: int) -> Floats:
    """Values (count,) of ln of the coefficient that reach over all that is believed."""
    some = drag.share > TAIL
    low = float((drag.mean - REACH * drag.sigma)[some].min())
    high = float((drag.mean + REACH * drag.sigma)[some].max())
    low, high = max(low, drag.limits[0]), min(high, drag.limits[1])
    if not low < high:
        low, high = float(drag.mean.min()) - 0.1, float(drag.mean.max()) + 0.1
    return np.linspace(low, high, count)


def _time_at(at: Floats, times: Floats, value: float) -> float:
    """Time of entry at a value of ln of the coefficient, between the coarse flights; infinite beyond the last."""
    down = np.isfinite(times)
    if not down.any() or value > at[down][-1]:
        return math.inf
    return float(np.exp(np.interp(value, at[down], np.log(np.maximum(times[down], 1.0)))))


def _share_within(drag: Drag, at: Floats, times: Floats) -> float:
    """The chance to come down in the time that is looked ahead."""
    down = np.isfinite(times)
    if not down.any():
        return float(chance_below(drag, at[:1])[0])
    if down.all():
        return 1.0
    last = at[down][-1]
    if down.sum() > 1:  # on to the limit, as the last two go
        slope = math.log(times[down][-1] / times[down][-2]) / (at[1] - at[0])
        if slope > 0.0:
            last += min(math.log(LONGEST_DECAY_S / times[down][-1]) / slope, at[1] - at[0])
    return float(chance_below(drag, np.array([last]))[0])


def _of_state(x: Floats, P: Floats, at: Floats, times: Floats, middle: float, fall: Fall) -> float:
    """What is not known of the state as a sigma of ln of drag: what changes the time left as much.

    Flights one sigma to either side along the principal axes of the covariance. The air thins by a factor e with each
    scale height, so that ln of the time goes with the height of the orbit as it goes with ln of drag.
    """
    size = np.sqrt(np.maximum(np.diag(P), 0.0))
    size = np.where(size > 0.0, size, 1.0)
    values, vectors = np.linalg.eigh(P / np.outer(size, size))
    some = values > 1e-9
    if not some.any():
        return 0.0
    aside = ((size[:, None] * vectors) * np.sqrt(np.maximum(values, 0.0)))[:, some].T
    starts = np.concatenate([x + aside, x - aside])
    if not (ecef_to_geodetic(starts[:, :3])[2] > ENTRY_M).all():
        return math.inf
    late = ends(starts, np.full(len(starts), middle), fall).entry_s
    ln = np.where(np.isfinite(late), np.log(np.maximum(late, 1.0)), np.nan)
    here = math.log(_time_at(at, times, middle))
    up, down = ln[: len(aside)] - here, here - ln[len(aside) :]
    each = (
        np.nanmean([up, down], axis=0) if np.isfinite([up, down]).any(axis=0).all() else np.array([math.inf])
    )
    finite = np.isfinite(times)
    step = 0.5 * (at[1] - at[0])
    low, high = max(middle - step, float(at[0])), min(middle + step, float(at[finite][-1]))
    slope = (
        math.log(_time_at(at, times, high) / _time_at(at, times, low)) / (high - low) if high > low else 1.0
    )
    return float(np.linalg.norm(each)) / max(slope, 0.1)


def _refined(x: Floats, drag: Drag, at: Floats, times: Floats) -> tuple[Floats, Floats]:
    """Values of ln of the coefficient that enter one after the other in even steps of time; the chance to be below."""
    down = np.isfinite(times)
    chance = chance_below(drag, at)
    low = float(np.interp(TAIL, chance, at))
    high = min(float(np.interp(1.0 - TAIL, chance, at)), float(at[down][-1]) + float(at[1] - at[0]))
    first_s, last_s = _time_at(at, times, low), _time_at(at, times, min(high, float(at[down][-1])))
    turns = (last_s - first_s) / orbit_of(x).turn_s
    count = int(min(max(A_TURN * turns, FEWEST), MOST))
    ln_times = np.log(np.maximum(times[down], 1.0)) + 1e-9 * np.arange(int(down.sum()))
    wanted = np.log(np.linspace(first_s, last_s, count))
    fine = np.interp(wanted, ln_times, at[down])
    if high > at[down][-1]:  # the last that come down lie between two coarse flights
        fine = np.concatenate([fine, np.linspace(float(at[down][-1]), high, A_TURN + 1)[1:]])
    fine = np.unique(np.clip(fine, low, high))
    return fine, chance_below(drag, fine)
