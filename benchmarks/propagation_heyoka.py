"""Flights to the ground by heyoka (adaptive Taylor series), with our forces, as fast as we could make it.

What we found, so that the comparison is fair to it:
- A step of heyoka in vacuum does not see drag begin: its series at 300 km knows nothing of an exponential. An event at
  120 km, or the bounds of the layers, stops the step there.
- It does not see kinks of the atmosphere either, and a `select` in the force at the bound itself may take the
  wrong side. So the layer's numbers are parameters, set by an event at each bound; this is also cheaper.
- In batch mode an ending event of one lane would end all; so a landed lane is parked, and the last to land ends the
  batch. Flights are given in the order of their duration, so that the lanes of a batch end together.
"""

from __future__ import annotations

import time

import heyoka as hy
import numpy as np

from tocsin.earth.ellipsoid import ecef_to_geodetic
from tocsin.earth.forces import STANDARD
from tocsin.earth.us1976 import GAS_CONSTANT_J_KMOL_K as GAS_CONSTANT
from tocsin.earth.us1976 import (
    GRAVITY_M_S2,
    LAYER_HEIGHT_M,
    LAYER_LAPSE_K_M,
    MOLAR_MASS_KG_KMOL,
    RADIUS_M,
    standard_air,
)

LONGEST_S = 8000.0
SURFACE_KG_M3, SCALE_M = 1.4, 7000.0  # of the exponential atmosphere
PARKED_M, PARKED_M_S = 5e7, 2000.0
NO_LAPSE_K_M = 1e-7  # for an isothermal layer: heyoka's one formula has a lapse in the denominator


def exponential(height_m):
    """Density (kg/m3) of the exponential atmosphere."""
    return SURFACE_KG_M3 * np.exp(-np.asarray(height_m) / SCALE_M)


def layers():
    """Bounds (m) of the layers of US 1976, and parameters p of density exp(p0 + p1 ln(1 + p2 (H - p3))) in each.

    Above 86 km one exponential of geopotential height a layer, through the standard's densities at its bounds.
    """
    bounds = np.array([-1e9, *STANDARD.air_knots_m[1:]])
    weight = GRAVITY_M_S2 * MOLAR_MASS_KG_KMOL / GAS_CONSTANT
    p = []
    for height, lapse in zip(LAYER_HEIGHT_M, LAYER_LAPSE_K_M, strict=True):
        air = standard_air(RADIUS_M * height / (RADIUS_M - height))
        slope = lapse if lapse != 0.0 else NO_LAPSE_K_M
        p.append((np.log(air.density_kg_m3), -weight / slope - 1.0, slope / air.temperature_k, height))
    high = RADIUS_M * bounds[7:] / (RADIUS_M + bounds[7:])
    density = np.log(standard_air(np.minimum(bounds[7:], 999_999.0)).density_kg_m3)
    slopes = np.diff(density) / np.diff(high)
    p += [(density[i], slopes[i] * 1e9, 1e-9, high[i]) for i in range(len(slopes))]
    p.append((-80.0, 0.0, 0.0, 0.0))
    return bounds, np.array([[float(np.squeeze(v)) for v in row] for row in p])


def polynomials():
    """Bounds (m) of our layers, and parameters of each: eleven coefficients, middle (m) and scale (1/m)."""
    f = STANDARD
    bounds = np.array([-1e9, *f.air_knots_m[1:]])
    low, high = f.air_knots_m[:-1], f.air_knots_m[1:]
    rows = np.column_stack([f.air, 0.5 * (low + high), 2.0 / (high - low)])
    nothing = np.array([-80.0, *[0.0] * (rows.shape[1] - 1)])
    return bounds, np.vstack([rows, nothing])


def system(air):
    """Equations of motion and height for an atmosphere of `ATMOSPHERES`."""
    x, y, z, u, v, w = hy.make_vars("x", "y", "z", "u", "v", "w")
    f = STANDARD
    second = 1.0 / (1.0 - f.flattening) ** 2 - 1.0
    r2 = x * x + y * y + z * z
    r = hy.sqrt(r2)
    s = z / r
    s2 = s * s
    e = second * s2
    surface = f.semi_major_axis_m * (
        1.0 + e * (-0.5 + e * (0.375 + e * (-0.3125 + e * (0.2734375 - e * 0.24609375))))
    )
    height = (r - surface) * (1.0 - 0.5 * e * (second - e) * (1.0 - 2.0 * e) * surface / r)
    if air == "exponential":
        density = SURFACE_KG_M3 * hy.exp(-height / SCALE_M)
    elif air == "us1976":
        scaled = (height - hy.par[12]) * hy.par[13]
        log = hy.par[11]
        for c in range(10, 0, -1):
            log = log * scaled + hy.par[c]
        density = hy.exp(log)
    else:
        level = RADIUS_M * height / (RADIUS_M + height)
        density = hy.exp(hy.par[1] + hy.par[2] * hy.log(1.0 + hy.par[3] * (level - hy.par[4])))
    drag = 0.5 * density * hy.par[0] * hy.sqrt(u * u + v * v + w * w)
    q = f.radius_m / r
    q2, q3, q4 = 1.5 * f.j2 * q * q, 0.5 * f.j3 * q * q * q, 0.125 * f.j4 * q * q * q * q
    p3, p4, p5 = 5.0 * s2 - 1.0, (35.0 * s2 - 15.0) * s, (315.0 * s2 - 210.0) * s2 + 15.0
    pull = f.gm_m3_s2 / r2
    radial = -pull / r * (1.0 - q2 * p3 - q3 * p4 - q4 * p5)
    axial = -pull * (2.0 * q2 * s + 3.0 * q3 * p3 + 4.0 * q4 * p4)
    rate = f.rate_rad_s
    return [
        (x, u),
        (y, v),
        (z, w),
        (u, (radial + rate**2) * x + 2.0 * rate * v - drag * u),
        (v, (radial + rate**2) * y - 2.0 * rate * u - drag * v),
        (w, radial * z + axial - drag * w),
    ], height


# "us1976": our polynomials, so that the forces are the same to rounding. "us1976 by formula": those of the standard
# itself to 86 km, which are cheaper for heyoka, and exponentials above.
ATMOSPHERES = {
    "us1976": polynomials,
    "us1976 by formula": layers,
    "exponential": lambda: (np.array([-1e9, 120e3]), None),
}


def fly(states, beta, air, tol, lanes):
    """Impact times (n,), states (n, 6), and seconds without compilation. lanes 1: scalar; else heyoka's batch mode."""
    hy.set_logger_level_error()
    equations, height = system(air)
    bounds, table = ATMOSPHERES[air]()
    start_layer = np.searchsorted(bounds, ecef_to_geodetic(states[:, :3])[2]) - 1
    count = len(states) // lanes * lanes
    times, ends = np.full(count, np.nan), np.full((count, 6), np.nan)
    pars = 1 if table is None else 1 + table.shape[1]
    falling = hy.event_direction.negative
    if lanes == 1:

        def enter(i):
            def callback(integrator, sign):
                if table is not None:
                    integrator.pars[1:] = table[i if sign > 0 else i - 1]
                return True

            return callback

        events = [hy.t_event(height, direction=falling)]
        events += [hy.t_event(height - float(bounds[i]), callback=enter(i)) for i in range(1, len(bounds))]
        flight = hy.taylor_adaptive(equations, states[0], pars=[1.0] * pars, t_events=events, tol=tol)
        begin = time.perf_counter()
        for i in range(count):
            flight.time = 0.0
            flight.state[:] = states[i]
            flight.pars[0] = 1.0 / beta[i]
            if table is not None:
                flight.pars[1:] = table[start_layer[i]]
            flight.reset_cooldowns()
            flight.propagate_until(LONGEST_S)
            times[i], ends[i] = flight.time, flight.state
        return times, ends, time.perf_counter() - begin

    flying = np.zeros(lanes, bool)
    first = 0

    def land(integrator, sign, lane):
        if flying[lane]:
            times[first + lane] = integrator.time[lane]
            ends[first + lane] = integrator.state[:, lane]
            flying[lane] = False
            integrator.state[:, lane] = (PARKED_M, 0.0, 0.0, 0.0, PARKED_M_S, 0.0)
            integrator.pars[0, lane] = 0.0
            if table is not None:
                integrator.pars[1:, lane] = table[-1]
        return bool(flying.any())

    def enter_lane(i):
        def callback(integrator, sign, lane):
            if table is not None and flying[lane]:
                integrator.pars[1:, lane] = table[i if sign > 0 else i - 1]
            return True

        return callback

    events = [hy.t_event_batch(height, direction=falling, callback=land)]
    events += [
        hy.t_event_batch(height - float(bounds[i]), callback=enter_lane(i)) for i in range(1, len(bounds))
    ]
    flights = hy.taylor_adaptive_batch(
        equations,
        np.tile(states[0][:, None], (1, lanes)),
        pars=np.ones((pars, lanes)),
        t_events=events,
        tol=tol,
    )
    begin = time.perf_counter()
    for first in range(0, count, lanes):
        some = slice(first, first + lanes)
        flying[:] = True
        flights.set_time(0.0)
        flights.state[:] = states[some].T
        flights.pars[0] = 1.0 / beta[some]
        if table is not None:
            flights.pars[1:] = table[start_layer[some]].T
        flights.reset_cooldowns()
        flights.propagate_until(LONGEST_S)
    return times, ends, time.perf_counter() - begin
