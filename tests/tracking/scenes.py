"""Small scenes for the tracker: bodies in free flight, an aircraft, false plots, and a run through it all."""

import math

import numpy as np

from tocsin.earth.ellipsoid import ecef_to_geodetic, enu_axes, geodetic_to_ecef
from tocsin.earth.flights import to_time
from tocsin.earth.motion import THRUST
from tocsin.sensors.plots import Plots
from tocsin.tracking import modes, tracker

from ..sensors.geometry import place, plots_of, sensor, state_at

FIELD = np.array([[5e3, 600e3], [0.0, 2 * math.pi], [math.radians(0.5), math.radians(89.0)], [-8e3, 8e3]])
PERIOD_S = 2.0


def radar(name="s", **more):
    given = {"field": FIELD, "period_s": PERIOD_S, "false_plots": 5.0, **more}
    return sensor((20.0, 5e-4, 5e-4, 2.0), name=name, **given)


def freely(x, duration_s):
    """State (9,) after a time of free flight."""
    after = x.copy()
    after[:6] = to_time(x[:6], math.exp(x[6]), duration_s, error_m=1e-4).state[0]
    return after


def body(start, beta, times_s):
    """States (n, 9) of a free flight from a state at the first of some times."""
    x = start.copy()
    x[6:] = [math.log(beta), 0.0, 0.0]
    out, before = [], times_s[0]
    for t in times_s:
        x = freely(x, float(t - before))
        out.append(x)
        before = t
    return np.stack(out)


def falling_body(
    of, times_s, velocity_enu=(-500.0, -1600.0, -700.0), range_m=250e3, azimuth_deg=20.0, beta=4000.0
):
    return body(state_at(of, range_m, azimuth_deg, 30.0, velocity_enu), beta, times_s)


def aircraft(of, times_s):
    """States (n, 9) of level flight at 10 km."""
    latitude, longitude = of.latitude_rad + 0.01, of.longitude_rad - 0.012
    out = []
    for t in times_s:
        east = longitude + 1.3e-5 * 2.4 * (t - times_s[0])
        x = np.zeros(9)
        x[:3] = geodetic_to_ecef(latitude, east, 10e3)
        x[3:6] = (geodetic_to_ecef(latitude, east + 1e-7, 10e3) - x[:3]) / 1e-7 * 1.3e-5 * 2.4
        out.append(x)
    return np.stack(out)


def scans(of, objects, count, rng, *, index=0, start_s=0.0):
    """Plots of ``count`` scans: objects maps nothing to names, but is a list of (times (n,), states (n, 9))."""
    parts = []
    for times_s, states in objects:
        ours = plots_of(
            of, states, times_s, rng=rng, index=index, scan=np.round((times_s - start_s) / of.scan_period_s)
        )
        above = measured_elevation(ours) > FIELD[2, 0]
        parts.append(ours.rows(above & (rng.random(len(times_s)) < of.detection_probability)))
    number = np.repeat(np.arange(count), rng.poisson(of.false_plots_per_scan, count))
    low, high = of.field_of_view.T
    values = low + (high - low) * rng.random((len(number), 4))
    time_s = start_s + number * of.scan_period_s + 0.9 * of.scan_period_s * rng.random(len(number))
    parts.append(
        Plots(
            time_s,
            time_s,
            np.full(len(number), index),
            number,
            values,
            np.tile(place(of), (len(number), 1)),
            np.full(len(number), math.nan),
        )
    )
    return in_order(Plots(*(np.concatenate(c) for c in zip(*parts, strict=True))))


STEP = PERIOD_S * np.arange(60)  # times of a launch that breaks up


def breaking(pieces, speed_m_s, at=20):
    """A radar, its plots of a launch that breaks, after some scans, into pieces of 50 kg/m2, and all these objects."""
    rng = np.random.default_rng(8)
    of = radar(false_plots=1.0)
    x = state_at(of, 200e3, 20.0, 15.0, (-400.0, 300.0, 900.0))
    x[6:] = 25.0 * x[:3] / np.linalg.norm(x[:3])  # m/s2 upwards
    whole = [x]
    for _ in range(1, at):
        whole.append(modes.move(THRUST, whole[-1], PERIOD_S)[0])
    objects = [(STEP[:at], np.stack(whole))]
    for _ in range(pieces):
        x = whole[-1].copy()
        x[3:6] += speed_m_s * rng.normal(size=3)
        objects.append((STEP[at:], body(x, 50.0, STEP[at - 1 :])[1:]))
    return of, scans(of, objects, len(STEP), rng), objects


def measured_elevation(plots):
    return plots.measured[:, 2]


def in_order(plots):
    plots = plots._replace(sensor=plots.sensor.astype(np.int64), scan=plots.scan.astype(np.int64))
    return plots.rows(np.lexsort((plots.measured[:, 1], plots.received_s)))


def together(*parts):
    return in_order(Plots(*(np.concatenate(c) for c in zip(*parts, strict=True))))


def run(sensors, plots, *, batch_s=0.0, shuffle=None, end_s=None):
    """All rows and outputs of a tracker, and its last state; time moves as in a replay.

    batch_s: plots received within one such time come together, in an order drawn from ``shuffle``.
    """
    state = tracker.start(sensors)
    rows, shown = [], []
    moments = plots.received_s if batch_s == 0.0 else np.ceil(plots.received_s / batch_s) * batch_s

    def advance(batch, now):
        nonlocal state
        state, output = tracker.step(state, batch, now)
        if output is not None:
            rows.extend(output.rows)
            shown.append((now, output.shown))

    for moment in np.unique(moments):
        while tracker.next_deadline(state) < moment:
            advance(None, tracker.next_deadline(state))
        which = np.flatnonzero(moments == moment)
        if shuffle is not None:
            which = shuffle.permutation(which)
        advance(plots.rows(which), float(moment))
    while tracker.next_deadline(state) < math.inf:
        advance(None, tracker.next_deadline(state))
    if end_s is not None:
        advance(None, end_s)
    return rows, shown, state


def state_then(times_s, states, when_s):
    """True state (6,) at a moment, from its rows."""
    k = int(np.searchsorted(times_s, when_s, side="right")) - 1
    return freely(states[max(k, 0)], float(when_s - times_s[max(k, 0)]))[:6]


def height_and_climb(x):
    latitude, longitude, height = ecef_to_geodetic(x[:3])
    return float(height), float(enu_axes(latitude, longitude)[2] @ x[3:6])
