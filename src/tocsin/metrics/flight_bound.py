"""The bound of one object from its first moment to its last: boost, free flight, what left another object.

In free flight the unknowns are the state at its start, the logarithm of the ballistic coefficient (prior sigma 1), two
wind components (15 m/s at 11 km) and the biases of the sensors; there is no process noise. While it thrusts: nearly
constant acceleration with white jerk. A child starts from its parent's bound plus the spread of velocities.

The simulator's oracle and the bound of a recording's truth are this same `flight_bound`: the one takes its derivatives
from flights in the simulated weather, the other from `sensitivity`.

Shapes: n looks, b unknown biases, k moments. Covariances of states have 6 + b components, those of a free flight's
unknowns 9 + b.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tocsin.earth.ellipsoid import enu_axes
from tocsin.earth.measurements import ecef_to_look, ecef_to_look_jacobian
from tocsin.metrics.bounds import Information, covariance_at, ellipse_km2, maneuvering
from tocsin.metrics.paths import Mask, interpolate
from tocsin.sensors.plots import Floats, Sensor

LOG_BETA_SIGMA = 1.0
WIND_SIGMA_M_S = 15.0  # at 11 km
JERK_DENSITY_M2_S5 = 1.0
# one sigma per axis before the first plot: wide enough to say next to nothing. A launch
# begins at rest and thrusts; what enters the air is already under way
PRIOR_POSITION_M, PRIOR_ACCELERATION_M_S2 = 50e3, 50.0
PRIOR_LAUNCH_VELOCITY_M_S, PRIOR_ENTRY_VELOCITY_M_S = 300.0, 3e3


class Seen(NamedTuple):
    """Looks of all sensors at one object, in order of time."""

    time_s: Floats  # (n,)
    received_s: Floats  # (n,) when the plot arrives, or would
    jacobian: Floats  # (n, 4, 6) of what is measured by the state
    weight: Floats  # (n, 4) detection probability over noise variance; 0 where not measured
    bias: Floats  # (n, 4, b) which bias enters which measurement

    def part(self, which: Mask) -> Seen:
        """Some of the looks."""
        return Seen(*(column[which] for column in self))


class Course(NamedTuple):
    """How a free flight hangs on its start."""

    time_s: Floats  # (m,)
    slope: Floats  # (m, 6, 9) of the state by position, velocity, ln beta, wind east and north at 11 km

    def at(self, time_s: Floats) -> Floats:
        """Derivatives (k, 6, 9) at moments between the rows: each column is a state of its own."""
        columns = [interpolate(self.time_s, self.slope[:, :, c], time_s) for c in range(self.slope.shape[2])]
        return np.stack(columns, axis=-1)


class Leg(NamedTuple):
    """One object's life, as far as its bound goes."""

    start_s: float
    thrust_end_s: float | None  # None: it never thrusts
    end_s: float
    course: Course | None  # of its free flight; None where it has none
    ground: (
        Floats | None
    )  # (2, 6) east and north of the impact by the state there; None where it does not come down


class Bounded(NamedTuple):
    """The bound of one object at k moments."""

    pos_sigma_m: Floats  # (k,) root of the trace of the position's covariance
    impact_area99_km2: Floats  # (k,) NaN while it thrusts and where it does not come down
    last: Floats  # (6 + b, 6 + b) covariance of state and biases at its end


def biases_of(sensors: Sequence[Sensor]) -> list[tuple[int, int]]:
    """The unknown biases of sensors: (sensor, quantity)."""
    return [(s, int(q)) for s, sensor in enumerate(sensors) for q in np.flatnonzero(sensor.bias_sigma > 0.0)]


def looks_at(
    sensors: Sequence[Sensor],
    which: int,
    position_m: Floats,
    velocity_m_s: Floats,
    time_s: Floats,
    received_s: Floats,
    state: Floats,
) -> Seen:
    """Looks (n,) of one of the sensors, at ECEF positions and velocities (n, 3), at an object with states (n, 6).

    A quantity that the sensor does not measure weighs nothing.
    """
    sensor, places = sensors[which], biases_of(sensors)
    measured = np.isfinite(sensor.sigma)
    weight = np.zeros(4)
    weight[measured] = sensor.detection_probability / sensor.sigma[measured] ** 2
    jacobian = ecef_to_look_jacobian(state, position_m, velocity_m_s)
    jacobian[:, ~measured] = 0.0
    bias = np.zeros((len(time_s), 4, len(places)))
    for column, (s, quantity) in enumerate(places):
        if s == which and measured[quantity]:
            bias[:, quantity, column] = 1.0
    return Seen(time_s, received_s, jacobian, np.broadcast_to(weight, (len(time_s), 4)), bias)


def in_field(sensor: Sensor, position_m: Floats, velocity_m_s: Floats, state: Floats) -> Mask:
    """Whether states (n, 6) lie in the field of view of a sensor at positions and velocities (n, 3)."""
    inside = np.ones(len(state), bool)
    measured = ecef_to_look(state, position_m, velocity_m_s)
    for quantity, (low, high) in enumerate(sensor.field_of_view):
        value = measured[:, quantity]
        if math.isnan(low):
            continue
        if quantity == 1:  # azimuth, clockwise from its first to its second value
            inside &= (value - low) % (2.0 * math.pi) <= ((high - low) % (2.0 * math.pi) or 2.0 * math.pi)
        else:
            inside &= (low <= value) & (value <= high)
    return inside


def joined(parts: Sequence[Seen]) -> Seen:
    """Looks of several sensors in order of time."""
    whole = Seen(*(np.concatenate(column) for column in zip(*parts, strict=True)))
    return Seen(*(column[np.argsort(whole.time_s, kind="stable")] for column in whole))


def first_prior(thrusts: bool, bias_sigma: Floats) -> Floats:
    """Covariance of state and biases (b,) before the first plot, of what starts by itself."""
    speed = PRIOR_LAUNCH_VELOCITY_M_S if thrusts else PRIOR_ENTRY_VELOCITY_M_S
    return np.diag(np.concatenate([[PRIOR_POSITION_M**2] * 3, [speed**2] * 3, bias_sigma**2]))


def child_prior(parent: Floats, speed_m_s: float) -> Floats:
    """Covariance of what leaves a parent with that bound, at one sigma an axis of relative velocity."""
    prior = parent.copy()
    prior[range(3, 6), range(3, 6)] += speed_m_s**2
    return prior


def impact_plane(state: Floats, latitude_rad: float, longitude_rad: float) -> Floats:
    """East and north (2, 6) on the ground by the state at an impact: a body that is late comes down farther on."""
    axes = enu_axes(latitude_rad, longitude_rad)
    along = np.outer(state[3:], axes[2]) / (axes[2] @ state[3:])
    return np.hstack([axes[:2] @ (np.eye(3) - along), np.zeros((2, 3))])


def thrusting(prior: Floats, start_s: float, seen: Seen, time_s: Floats) -> Floats:
    """Covariances (k, 6 + b, 6 + b) under thrust, by what was received by moments in order."""
    d, n = len(prior), len(seen.time_s)
    keep = np.r_[0:6, 9 : d + 3]
    wide = np.zeros((d + 3, d + 3))
    wide[np.ix_(keep, keep)] = prior
    wide[range(6, 9), range(6, 9)] = PRIOR_ACCELERATION_M_S2**2
    sensitivity = np.concatenate([seen.jacobian, np.zeros((n, 4, 3)), seen.bias], axis=2)
    looks = Information(seen.received_s, sensitivity, seen.weight)
    found = maneuvering(wide, start_s, looks, seen.time_s, time_s, JERK_DENSITY_M2_S5)
    return found[:, keep[:, None], keep]


def falling(prior: Floats, seen: Seen, course: Course, time_s: Floats) -> tuple[Floats, Floats]:
    """Covariances of a free flight that begins with a prior, by what was received by moments (k,).

    Of its unknowns (k, 9 + b, 9 + b), and of state and biases at these moments (k, 6 + b, 6 + b).
    """
    b = len(prior) - 6
    keep = np.r_[0:6, 9 : 9 + b]
    full = np.zeros((9 + b, 9 + b))
    full[np.ix_(keep, keep)] = prior
    full[6, 6], full[7, 7], full[8, 8] = LOG_BETA_SIGMA**2, WIND_SIGMA_M_S**2, WIND_SIGMA_M_S**2
    sensitivity = np.concatenate([seen.jacobian @ course.at(seen.time_s), seen.bias], axis=2)
    found = covariance_at(full, Information(seen.received_s, sensitivity, seen.weight), time_s)
    moved = np.zeros((len(time_s), 6 + b, 9 + b))
    moved[:, :6, :9] = course.at(time_s)
    moved[:, range(6, 6 + b), range(9, 9 + b)] = 1.0
    return found, moved @ found @ moved.transpose(0, 2, 1)


def flight_bound(prior: Floats, seen: Seen, leg: Leg, time_s: Floats, *, late_counts: bool = True) -> Bounded:
    """The bound of an object at moments (k,) in order.

    prior: covariance of state and biases at its start, see `first_prior` and `child_prior`. late_counts: a look that is
    still under way when the object comes to its end counts for what comes after it.
    """
    sigma, area = np.full(len(time_s), np.nan), np.full(len(time_s), np.nan)
    rising = np.zeros(len(time_s), bool)
    free_s = leg.start_s
    if leg.thrust_end_s is not None:
        free_s = leg.thrust_end_s
        rising = time_s <= free_s
        made = seen.part(seen.time_s <= free_s)
        found = thrusting(prior, leg.start_s, made, time_s[rising])
        sigma[rising] = _position_sigma(found)
        # at its end all of its looks count: what is still under way arrives within moments
        whole = made._replace(received_s=np.minimum(made.received_s, free_s))
        prior = thrusting(prior, leg.start_s, whole, np.array([free_s]))[0]
    if leg.course is None:
        return Bounded(sigma, area, prior)
    made = seen.part(seen.time_s > free_s)
    unknowns, states = falling(prior, made, leg.course, time_s[~rising])
    sigma[~rising] = _position_sigma(states)
    if leg.ground is not None:
        ground = np.zeros((2, unknowns.shape[1]))
        ground[:, :9] = leg.ground @ leg.course.slope[-1]
        area[~rising] = ellipse_km2(ground @ unknowns @ ground.T)
    if late_counts:
        made = made._replace(received_s=np.full(len(made.time_s), -math.inf))
    _, last = falling(prior, made, leg.course, np.array([leg.end_s]))
    return Bounded(sigma, area, last[0])


def _position_sigma(covariance: Floats) -> Floats:
    return np.asarray(np.sqrt(np.trace(covariance[:, :3, :3], axis1=1, axis2=2)))
