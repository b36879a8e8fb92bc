"""Where and when one state comes down: the areas of a single body, without a track.

    from tocsin.predict import plot, predict_state
    impact = predict_state(state, covariance=covariance)
    plot(impact)

What cannot come down, or is no state of a body at all, has a status and a sentence; only a call that makes no sense
raises an exception.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

import numpy as np
import shapely
from numpy.typing import ArrayLike

from tocsin.earth.drag import SHAPES
from tocsin.earth.ellipsoid import ecef_to_geodetic, enu_axes, height_m
from tocsin.earth.flights import to_ground
from tocsin.earth.forces import STANDARD, Forces
from tocsin.earth.motion import density_kg_m3
from tocsin.earth.status import LANDED, STARTS_BELOW
from tocsin.errors import UsageError
from tocsin.prediction import breakup, decay, meteoroids, release
from tocsin.prediction.arguments import air_of, believed_of, covariance_of, within
from tocsin.prediction.decay_flights import Fall
from tocsin.prediction.departures import TUMBLING_LN_BETA
from tocsin.prediction.forecast import (
    COMES_DOWN,
    IN_A_WINDOW,
    LEAVES,
    NOT_FINITE,
    QUANTILES,
    STAYS_UP,
    STILL_FLYING,
    TOO_FAR,
    TOO_FAST,
    TOO_WIDE,
    UNDER_GROUND,
    FallLine,
    MayRelease,
    Pieces,
    Prediction,
    Window,
)
from tocsin.prediction.impact import LONGEST_FLIGHT_S, WIND_SIGMA_M_S
from tocsin.prediction.kinds import NOTHING, Learned, chance_of_orbit, nodes
from tocsin.prediction.landings import GROUND_M, SHARES, Landings, free, told
from tocsin.prediction.parts import Part, parts_of, speed_m_s
from tocsin.prediction.priors import PRIORS, Kind, Priors
from tocsin.prediction.winds import FAR_M, Winds, wind_at
from tocsin.sensors.plots import Floats
from tocsin.units import EARTH_GM_M3_S2, EARTH_RATE_RAD_S

# What stays unknown of a wind that is given, each axis at 11 km: an analysis of the hour is off by so much.
GIVEN_WIND_SIGMA_M_S = 3.0
BETA_SIGMA = 0.1  # of a ballistic coefficient that is given, relative
LOWEST_GROUND_M, HIGHEST_GROUND_M = -500.0, 9000.0
BELOW_M = 1.0  # the ground, by no more than which a state has just landed
# Nothing of the Solar System is faster here (the speed of escape from the Sun, the Earth's own, and its pull: 73 km/s),
# nor flown from farther away.
FASTEST_M_S, FARTHEST_M = 80e3, 1e9
STRONGEST_PA = 1e9  # twice what steel yields at
AIR_TOP_M = 90e3  # what never was lower hardly felt air
# Beyond, an area has no meaning: the linear spread of a flight, and the distance between flights of one state.
WIDEST_SIGMA_M, WIDEST_M = 1000e3, 6000e3
FEW = 2e-3  # weight of flights that may be so, and are left out then
NEGLIGIBLE = 1e-3  # of what stays up
BENT = 0.3  # sigmas: a variance is then short by a fifth (2 b^2)


def predict_state(
    state: ArrayLike,
    *,
    covariance: ArrayLike | None = None,
    ballistic_coefficient: float | None = None,
    ballistic_coefficient_sigma: float = BETA_SIGMA,
    origin: str | None = None,
    kinds: Sequence[Kind] | None = None,
    winds: Winds | None = None,
    wind_sigma_m_s: float | None = None,
    shape: str | None = None,
    thrown_m_s: float | None = None,
    shares: ArrayLike = SHARES,
    ground_m: float = GROUND_M,
    density_factor: float | None = None,
    density_sigma: float | None = None,
    decayed: Learned = NOTHING,
    priors: Priors = PRIORS,
) -> Prediction:
    """Where and when a state (6,) comes down, ECEF (WGS 84) in m and m/s.

    covariance: (6, 6), or sigmas: (6,) of each component, (2,) of each axis of position and of velocity; None: the
    state is exact. It goes along with the flight linearly.

    What is believed of the ballistic coefficient m / (Cd A), in kg/m2, at the speed of the state, is one of these:
    ballistic_coefficient with its sigma relative to itself (log-normal); kinds, any sum of log-normals; or the prior of
    an origin: "whole", "child", "orbit" and "breakup" as in `prediction.kinds`, "meteoroid" as in
    `prediction.meteoroids`. With none given it is "orbit" or "whole", as the state is on an orbit or not.

    winds: known (`prediction.winds`); of a grid the profile at the place of impact is taken, which is found by a
    flight of its own. wind_sigma_m_s: of what is not known of the wind, each axis at 11 km (3 with winds, 15 without).
    shape: one of `earth.drag.SHAPES`, whose drag by Mach number the body has; None: that of `departures.TUMBLING` below
    1,200 kg/m2, and of `departures.STEADY` above. thrown_m_s: one sigma of each axis of what is added to the velocity
    at this moment (25 for a break-up, else 0); the areas of a break-up hold shares of its pieces. shares (n,): of the
    impact, that areas hold, each between 0 and 1. ground_m: height of the ground over the ellipsoid. A meteoroid
    ablates above 3 km/s.

    On a low orbit a body may stay up for days (`prediction.decay`), and what decides is density over the coefficient.
    density_factor: of the air against the standard at the height of the orbit, with density_sigma relative to itself
    (0.15); None: that of any day of a cycle of the Sun. decayed: what earlier states of the same body told of both
    together (`prediction.decay_fit.learn`). Neither bears on the areas.

    priors: of origins, and of what may still be released by what is taken to be "whole" and is above the air.

    The areas are regions of highest density (`prediction.region`) of flights over what the coefficient may be
    (`prediction.impact`). Raises `UsageError` for an argument of a wrong shape or beyond its limits, and no exception
    for what no flight can be made of: see `Prediction`.
    """
    x = np.asarray(state, float)
    if x.shape != (6,):
        raise UsageError(f"state must have the shape (6,), has {x.shape}")
    P = covariance_of(covariance)
    wanted = np.atleast_1d(np.asarray(shares, float))
    if wanted.ndim != 1 or not len(wanted) or not ((wanted > 0.0) & (wanted < 1.0)).all():
        raise UsageError(f"shares must lie between 0 and 1, are {wanted.tolist()}")
    within("ground_m", ground_m, LOWEST_GROUND_M, HIGHEST_GROUND_M, "m")
    if wind_sigma_m_s is None:
        wind_sigma_m_s = WIND_SIGMA_M_S if winds is None else GIVEN_WIND_SIGMA_M_S
    within("wind_sigma_m_s", wind_sigma_m_s, 0.0, 100.0, "m/s")
    if thrown_m_s is None:
        thrown_m_s = breakup.THROWN_M_S if origin == "breakup" else 0.0
    within("thrown_m_s", thrown_m_s, 0.0, 1000.0, "m/s")
    P = P + np.diag([0.0, 0.0, 0.0, *[thrown_m_s**2] * 3])
    if shape is not None and shape not in SHAPES:
        raise UsageError(f"shape is {shape!r}, must be one of {', '.join(SHAPES)}")
    believed, taken_for = believed_of(ballistic_coefficient, ballistic_coefficient_sigma, origin, kinds)
    air = air_of(density_factor, density_sigma)

    def nothing(
        status: int, sentence: str, fall_line: FallLine | None = None, pieces: Pieces | None = None
    ) -> Prediction:
        nan, none = math.nan, np.full(len(wanted), math.nan)
        return Prediction(
            status, sentence, nan, nan, nan, np.full((3, 3), nan), wanted, (), none,
            np.full(len(QUANTILES), nan), taken_for, 1.0 if status in (STAYS_UP, LEAVES) else nan,
            np.zeros((0, 5)), fall_line, pieces, (),
        )  # fmt: skip

    wrong = _unphysical(x, ground_m)
    if wrong is not None:
        return nothing(*wrong)
    taken_for = taken_for or ("orbit" if chance_of_orbit(x) > 0.5 else "whole")
    notes: list[str] = []
    base, may_be = (
        STANDARD,
        partial(parts_of, x, believed, taken_for if origin else None, shape, priors.kinds),
    )
    if winds is not None:
        base = _blown(x, may_be(STANDARD), winds, ground_m, notes)
    parts = may_be(base)
    if taken_for == "meteoroid" and speed_m_s(x) > meteoroids.DARK_M_S:
        notes.append(
            f"It is faster than {meteoroids.DARK_M_S / 1000:g} km/s: until it is not, it is taken to ablate as a stone "
            f"does ({meteoroids.ABLATION_S2_M2 * 1e6:g} s2/km2)."
        )
    landings, stays_up, lowest_m = _landings(x, P, parts, wind_sigma_m_s, ground_m)
    later: Window | float | None = None
    latest_s = math.inf if landings is None or stays_up > NEGLIGIBLE else float(landings.point[:, 3].max())
    if taken_for not in ("meteoroid", "breakup") and latest_s > decay.HALF_TURN_S and decay.is_low(x):
        calm = may_be(STANDARD)[0]
        fall = Fall(calm.kinds, calm.limits, wind_sigma_m_s, calm.steady, calm.tumbling, ground_m)
        drag = decay.drag_of(calm.kinds, calm.limits, air or decay.level(x), decayed)
        later = decay.window(x, P, drag, fall)
        if decayed.precision > 0.0 and isinstance(later, Window):
            notes.append(
                f"By its earlier states it is braked as {math.exp(decayed.ln_beta):.3g} kg/m2 are by standard air, "
                f"within {100 * decayed.precision**-0.5:.2g} %: the window follows that."
            )
    line = meteoroids.fall_line(x, forces=base, ground_m=ground_m) if taken_for == "meteoroid" else None
    pieces = (
        breakup.line_of(x, parts[0].steady, parts[0].tumbling, ground_m) if taken_for == "breakup" else None
    )

    def no_area(status: int, sentence: str) -> Prediction:
        if isinstance(later, Window):
            made = nothing(IN_A_WINDOW, decay.sentence(later), line, pieces)
            return made._replace(window=later, stays_up=1.0 - later.within, notes=tuple(notes))
        if later is not None and math.isnan(later):
            sentence += " It is known too badly to tell when it comes down."
        elif later is not None and later >= decay.TOLD:
            sentence += f" It comes down within {decay.LOOKED_AHEAD} with a chance of {100 * later:.2g} %."
        return nothing(status, sentence, line, pieces)

    if landings is None:
        return no_area(*_why_not(x, lowest_m))
    landings = _drawable(landings)
    if landings is None:
        lies = float(height_m(x[0], x[1], x[2])) < ground_m
        return no_area(TOO_WIDE, _LIES if lies else _WIDE)
    impact = told(landings, wanted)
    if not all(_drawn(area) for area in impact.areas):
        return no_area(TOO_WIDE, _WIDE)
    if stays_up > NEGLIGIBLE:
        notes.append(
            f"{100 * stays_up:.2g} % of what it may be does not come down within {LONGEST_FLIGHT_S / 60:.0f} min; "
            "the areas are for the rest."
        )
    notes += _bent(x, P, parts[0], landings, ground_m)
    latitude, longitude, _ = ecef_to_geodetic(landings.point[:, :3])
    flights = np.column_stack([latitude, longitude, landings.point[:, 3], landings.ln_beta, landings.weight])
    return Prediction(
        COMES_DOWN, "It comes down.", impact.time_s, impact.latitude_rad, impact.longitude_rad, impact.covariance,
        wanted, tuple(impact.areas), impact.areas_km2, np.maximum(impact.time_s + impact.late_s, 0.0), taken_for,
        max(stays_up, 0.0),
        flights[np.argsort(landings.ln_beta, kind="stable")], line, pieces, tuple(notes),
        later if isinstance(later, Window) else None,
        _may_release(x, P, base, wind_sigma_m_s, ground_m, priors) if taken_for == "whole" else None,
    )  # fmt: skip


_LIES = "It lies on the ground or moves along it: it is down where it is, and no area can be drawn."
_WIDE = "It is known so badly that its impact may be almost anywhere: no area can be drawn."


def _unphysical(x: Floats, ground_m: float) -> tuple[int, str] | None:
    """Status and sentence of what is no state of a body above the ground."""
    if not np.isfinite(x).all():
        return NOT_FINITE, f"The state holds a number that is not finite: {x.tolist()}."
    if np.abs(x[:3]).max() > FARTHEST_M:
        return TOO_FAR, f"It is {np.abs(x[:3]).max():.3g} m away; flights begin within {FARTHEST_M:g} m."
    v = x[3:] + np.cross([0.0, 0.0, EARTH_RATE_RAD_S], x[:3])
    speed = min(float(np.linalg.norm(np.minimum(np.abs(c), 1e150))) for c in (v, x[3:]))
    if speed > FASTEST_M_S:
        return TOO_FAST, f"It has {speed:.3g} m/s; no body is faster than {FASTEST_M_S:g} m/s here."
    height = float(height_m(x[0], x[1], x[2]))
    if height < ground_m - BELOW_M:
        return UNDER_GROUND, f"It is at a height of {height:.0f} m, under the ground ({ground_m:g} m)."
    pressure = 0.5 * density_kg_m3(height, STANDARD) * speed_m_s(x) ** 2
    if pressure > STRONGEST_PA:
        return TOO_FAST, (
            f"It has {speed_m_s(x):.0f} m/s at a height of {height:.0f} m, where the air presses with "
            f"{pressure / 1e9:.1f} GPa: no body withstands {STRONGEST_PA / 1e9:g} GPa."
        )
    return None


def _landings(
    x: Floats, P: Floats, parts: list[Part], wind_sigma_m_s: float, ground_m: float
) -> tuple[Landings | None, float, float]:
    """Flights of all parts, None where none comes down; the share that does not; the lowest height of that (m)."""
    start, known = np.zeros(9), np.zeros((9, 9))
    start[:6] = x
    known[:6, :6] = P
    known[6, 6] = 1.0  # free of the rest: `impact` puts each node's own in its place
    found, stays_up, lowest_m = [], 0.0, math.inf
    for part in parts:
        at, weight, _ = nodes(part.kinds, limits=part.limits)
        start[6] = at[int(np.argmax(weight))]
        landings = free(
            start, known, part.kinds, wind_sigma_m_s=wind_sigma_m_s, steady=part.steady, tumbling=part.tumbling,
            ground_m=ground_m, limits=part.limits,
        )  # fmt: skip
        if isinstance(landings, float):
            stays_up += part.share
            lowest_m = min(lowest_m, landings)
            continue
        down = float(weight[np.isin(at, landings.ln_beta)].sum())
        stays_up += part.share * (1.0 - down)
        found.append(landings._replace(weight=landings.weight * part.share * down))
    if not found:
        return None, 1.0, lowest_m
    together = Landings(*(np.concatenate(c) for c in zip(*found, strict=True)))
    return together._replace(weight=together.weight / together.weight.sum()), stays_up, lowest_m


def _blown(x: Floats, parts: list[Part], winds: Winds, ground_m: float, notes: list[str]) -> Forces:
    """The forces with the wind where the state would come down, or where it is if it does not."""
    place = x[:3]
    if len(winds.place_m):
        landings, _, _ = _landings(x, np.zeros((6, 6)), parts[:1], 0.0, ground_m)
        if landings is not None:
            place = landings.point[int(np.argmax(landings.weight)), :3]
    table, far_m = wind_at(winds, place)
    if far_m > FAR_M:
        notes.append(f"The nearest profile of wind is {far_m / 1000:.0f} km from the impact.")
    return STANDARD._replace(wind=table)


def _may_release(
    x: Floats, P: Floats, base: Forces, wind_sigma_m_s: float, ground_m: float, priors: Priors
) -> MayRelease | None:
    """Where bodies would come down that a state may still release."""
    kinds = priors.kinds.child
    (part,) = parts_of(x, kinds, None, None, priors.kinds, base)
    found = release.of_state(
        x, P, priors.release, kinds, steady=part.steady, tumbling=part.tumbling, wind_sigma_m_s=wind_sigma_m_s,
        ground_m=ground_m,
    )  # fmt: skip
    landings = None if found is None else _drawable(found[0])
    if found is None or landings is None:
        return None
    impact = told(landings, release.ASKED)
    if not all(_drawn(area) for area in impact.areas):
        return None
    return release.told_of(impact, found[1], release.bodies_of(priors.release), found[2])


def _why_not(x: Floats, lowest_m: float) -> tuple[int, str]:
    """Status and sentence of what did not come down in time."""
    v = x[3:] + np.cross([0.0, 0.0, EARTH_RATE_RAD_S], x[:3])
    energy = 0.5 * float(v @ v) - EARTH_GM_M3_S2 / float(np.linalg.norm(x[:3]))
    lowest = f"{lowest_m / 1000:.0f} km"
    if lowest_m > AIR_TOP_M and energy > 0.0:
        return LEAVES, f"It is faster than escape and comes no lower than {lowest}: it leaves the Earth."
    if lowest_m > AIR_TOP_M and chance_of_orbit(x) > 0.5:
        return STAYS_UP, f"It stays above {lowest}: an orbit."
    return STILL_FLYING, (
        f"It has not come down after {LONGEST_FLIGHT_S / 60:.0f} min, the longest flight (lowest until then: {lowest})."
    )


def _drawable(landings: Landings) -> Landings | None:
    """The flights of which areas can be made; None where more than a few end too far off, or are known too badly."""
    point, spread = landings.point[:, :3], landings.covariance
    middle = point[int(np.argmax(landings.weight))]
    good = np.isfinite(point).all(axis=1) & np.isfinite(spread).all(axis=(1, 2))
    good &= np.trace(spread[:, :3, :3], axis1=1, axis2=2) < WIDEST_SIGMA_M**2
    good &= spread[:, 3, 3] < LONGEST_FLIGHT_S**2
    good &= np.linalg.norm(point - middle, axis=1) < WIDEST_M
    weight = landings.weight[good]
    if weight.sum() < 1.0 - FEW:
        return None
    return Landings(landings.point[good], spread[good], weight / weight.sum(), landings.ln_beta[good])


def _drawn(area: shapely.Geometry) -> bool:
    """Whether an area is one of polygons without holes."""
    parts = getattr(area, "geoms", [area])
    return bool(not area.is_empty and area.is_valid and all(not len(part.interiors) for part in parts))


def _bent(x: Floats, P: Floats, part: Part, landings: Landings, ground_m: float) -> list[str]:
    """What to say where the spread of the state is far from linear.

    Flights one sigma to either side along each principal axis tell how much the place of impact, a z + b z^2 of a
    normal z, bends: all b together, over the spread of the likeliest flight.
    """
    values, vectors = np.linalg.eigh(_scaled(P))
    some = values > 1e-9
    if not some.any():
        return []
    aside = ((np.sqrt(np.maximum(np.diag(P), 0.0))[:, None] * vectors) * np.sqrt(np.maximum(values, 0.0)))[
        :, some
    ].T
    k = int(np.argmax(landings.weight))
    forces = part.tumbling if landings.ln_beta[k] < TUMBLING_LN_BETA else part.steady
    starts = np.concatenate([x + aside, x - aside, x[None]])
    beta = math.exp(landings.ln_beta[k])
    flown = to_ground(starts, beta, forces, ground_m=ground_m, longest_s=LONGEST_FLIGHT_S)
    bend = math.inf
    if np.isin(flown.status, (LANDED, STARTS_BELOW)).all():
        latitude, longitude, _ = ecef_to_geodetic(flown.state[-1, :3])
        axes = enu_axes(latitude, longitude)[:2]
        off = (flown.state[:-1, :3] - flown.state[-1, :3]) @ axes.T
        b = 0.5 * (off[: len(aside)] + off[len(aside) :])
        C = axes @ landings.covariance[k, :3, :3] @ axes.T + np.eye(2)
        bend = math.sqrt(float(np.einsum("ki,ij,kj->", b, np.linalg.inv(C), b)))
    if bend < BENT:
        return []
    return [
        f"The areas take the spread of the state as linear, and it bends by {bend:.2g} sigma: they may be too small."
        if math.isfinite(bend)
        else "One sigma off, the state does not come down: the areas are too small."
    ]


def _scaled(P: Floats) -> Floats:
    """A covariance as correlations; 0 where a variance is 0."""
    size = np.sqrt(np.maximum(np.diag(P), 0.0))
    size = np.where(size > 0.0, size, 1.0)
    return np.asarray(P / np.outer(size, size))
