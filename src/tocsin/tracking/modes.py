"""The motion modes of a track: free flight, thrust, level flight; each by itself. `imm` joins them.

State of a mode: position m and velocity m/s (ECEF), then what only this mode has:

    BALLISTIC  ln of the ballistic coefficient (kg/m2): 7 components; coast, re-entry, dark flight
    THRUST     an own acceleration (3, m/s2), nearly constant: 9 components; boost
    LEVEL      nothing more: 6 components; an aircraft that holds its height
"""

from __future__ import annotations

import math

import numpy as np

from tocsin.earth.ellipsoid import up_and_height
from tocsin.earth.forces import STANDARD, Forces
from tocsin.earth.motion import BALLISTIC, LEVEL, THRUST, acceleration, density_kg_m3, layer_at
from tocsin.kernel import jit
from tocsin.sensors.plots import Floats
from tocsin.units import STANDARD_GRAVITY_M_S2

MODES = 3
SIZE = 9
USED = np.array([7, 9, 6])  # components of each mode

# Priors of ln of the ballistic coefficient in kg/m2, in the filter (forecasts have their own, `prediction.kinds`): what
# flies whole, from a spent stage of 200 to a dense body of 20,000 within about two sigma; and of what has left another
# body, which may be anything from a flake of 25 on.
LN_BETA_MEAN = math.log(2000.0)
LN_BETA_SIGMA = 1.2
CHILD_LN_BETA_MEAN = math.log(600.0)
CHILD_LN_BETA_SIGMA = 1.35
# And of pieces of a break-up: mean and variance of `prediction.priors`, breakup.
PIECE_LN_BETA_MEAN = math.log(75.0)
PIECE_LN_BETA_SIGMA = 1.2
# No flight is computed with a coefficient beyond these: a crumpled sheet, and more than any solid body.
LEAST_LN_BETA = math.log(10.0)
MOST_LN_BETA = math.log(200e3)
# Prior of a thrust acceleration, each axis: launchers leave with 3 and burn out with 60 m/s2.
THRUST_SIGMA_M_S2 = 25.0

# An aircraft is slower and lower than this; what falls faster than FALLING_M_S no longer thrusts.
LEVEL_SPEED_M_S = 700.0
FALLING_M_S = 100.0
LEVEL_HEIGHT_M = 30e3

# Spectral densities of the process noise.
COAST_M2_S3 = 1e-4  # what the force model leaves out in vacuum (m/s2)2 s
DRAG_SHARE = 0.04  # density and attitude: this share of the drag
GUST_M_S = 12.0  # wind, which moves what falls slowly: drag changes by its share of the speed
GUST_HEIGHT_M = 5e3  # over which density and wind are correlated
SETTLING_TIMES = 3.0  # of a fall at terminal speed, v / g, beyond which longer correlation is not felt
JERK_M2_S5 = 16.0  # thrust that turns and grows, (m/s3)2 s
LEVEL_ACROSS_M2_S3 = 100.0  # turns: 5 m/s2, a bank of 27 degrees, held for 4 s
LEVEL_UP_M2_S3 = 1.0  # climb and descent
LN_BETA_1_S = 1e-4  # ln beta walks by 0.01 in 1 s where drag is felt
# A body that ablates loses mass at a rate of its ablation coefficient times drag times speed, above some speed, and ln
# beta a third of that (`earth.motion`). The coefficient is not known, and changes with every crack: up to
# ABLATION_S2_M2 (fireballs of type II, Ceplecha et al. 1998), for ABLATION_MEMORY_S at a time (decision 0029).
ABLATION_S2_M2, ABLATION_MEMORY_S, ABLATION_SPEED_M_S = 4.2e-8, 10.0, 3e3
LN_BETA_ABLATION_1_S = 4e-2  # and never more than 0.2 in 1 s
# and by 0.03 where it passes the speed of sound: the drag coefficient of shapes without an attitude falls by a third to
# a half (`earth.drag`) in the minute or so that they take from Mach 2 down
LN_BETA_SONIC_1_S, SONIC_M_S = 1e-3, 600.0
# What comes down need not be what went up: above the air ln beta is forgotten at this rate, until no more is known of
# it than at first.
LN_BETA_FORGET_1_S = 2e-2
NO_DRAG_M_S2 = 1e-3
FELT_DRAG_M_S2 = 0.1

COLD_DETECTION = 0.02  # share of its detection probability with which a heat sensor sees a cold object
GLOW_W_M2 = 1e6  # of the heating rate rho v3 / 2 above which an object may glow

MOST_SPEED_LOST = 0.5  # share of its speed that drag takes from a body between a late plot and now

# Steps of a motion: this share of the time in which drag or the density changes, and at most so long. Then a step of a
# scan is right to a metre or better, where sensors measure tens (tests/tracking/test_modes.py).
STEP_SHARE = 0.25
LONGEST_STEP_S = 20.0
DRAG_AHEAD = 30.0  # the density that counts lies up to some scale heights further down
MOST_MOVES = 200
WORK = (10, 9)  # shape of what a flight works in


@jit
def heating_w_m2(x: Floats) -> float:
    """Free-stream energy flux rho v3 / 2 (W/m2) on an object."""
    height = up_and_height(x[0], x[1], x[2])[4]
    speed2 = x[3] * x[3] + x[4] * x[4] + x[5] * x[5]
    return float(0.5 * density_kg_m3(height, STANDARD) * speed2 * math.sqrt(speed2))


@jit
def detection(mode: int, x: Floats, stated: float, heat: bool) -> tuple[float, float]:
    """Probability to be seen in a scan: for a plot that is there, and for a plot that is not.

    A sensor of heat or light (heat True) sees thrust and glow. Whether an object glows is not known
    well, so a plot is believed and its lack means little.
    """
    if not heat or mode == THRUST:
        return stated, stated
    if mode == BALLISTIC and heating_w_m2(x) > GLOW_W_M2:
        return 0.5 * stated, 0.1 * stated
    return COLD_DETECTION * stated, 0.0


@jit
def drag_m_s2(x: Floats) -> float:
    """Size of the drag (m/s2) of a BALLISTIC state in still air."""
    height = up_and_height(x[0], x[1], x[2])[4]
    speed2 = x[3] * x[3] + x[4] * x[4] + x[5] * x[5]
    return float(0.5 * density_kg_m3(height, STANDARD) * speed2 * math.exp(-x[6]))


@jit
def add_noise(mode: int, x: Floats, P: Floats, dt: float) -> None:
    """Add the process noise of a time |dt| (s) to a covariance (9, 9), in place."""
    t = abs(dt)
    if mode == THRUST:
        q = JERK_M2_S5
        for i in range(3):
            P[i, i] += q * t**5 / 20.0
            P[i, 3 + i] += q * t**4 / 8.0
            P[3 + i, i] += q * t**4 / 8.0
            P[i, 6 + i] += q * t**3 / 6.0
            P[6 + i, i] += q * t**3 / 6.0
            P[3 + i, 3 + i] += q * t**3 / 3.0
            P[3 + i, 6 + i] += q * t * t / 2.0
            P[6 + i, 3 + i] += q * t * t / 2.0
            P[6 + i, 6 + i] += q * t
        return
    if mode == BALLISTIC:
        drag = drag_m_s2(x)
        speed2 = x[3] * x[3] + x[4] * x[4] + x[5] * x[5]
        share2 = DRAG_SHARE**2 + GUST_M_S**2 / (speed2 + GUST_M_S**2)
        speed = math.sqrt(speed2) + 1.0
        memory = min(2.0 * GUST_HEIGHT_M / speed, SETTLING_TIMES * speed / STANDARD_GRAVITY_M_S2)
        q = COAST_M2_S3 + share2 * drag * drag * memory
        if drag > FELT_DRAG_M_S2:
            rate = LN_BETA_1_S
            if speed2 > ABLATION_SPEED_M_S**2:
                loss = ABLATION_S2_M2 / 3.0 * drag * (speed2 - ABLATION_SPEED_M_S**2) / speed
                rate += min(2.0 * ABLATION_MEMORY_S * loss * loss, LN_BETA_ABLATION_1_S)
            elif speed2 < SONIC_M_S**2:
                rate = LN_BETA_SONIC_1_S
            P[6, 6] += rate * t
        elif drag < NO_DRAG_M_S2:
            P[6, 6] += max(min(LN_BETA_FORGET_1_S * t, LN_BETA_SIGMA**2 - P[6, 6]), 0.0)
        for i in range(3):
            P[i, i] += q * t**3 / 3.0
            P[i, 3 + i] += q * t * t / 2.0
            P[3 + i, i] += q * t * t / 2.0
            P[3 + i, 3 + i] += q * t
        return
    sin_lat, cos_lat, sin_lon, cos_lon, _ = up_and_height(x[0], x[1], x[2])
    up = (cos_lat * cos_lon, cos_lat * sin_lon, sin_lat)
    for i in range(3):
        for m in range(3):
            q = (LEVEL_UP_M2_S3 - LEVEL_ACROSS_M2_S3) * up[i] * up[m]
            if i == m:
                q += LEVEL_ACROSS_M2_S3
            P[i, m] += q * t**3 / 3.0
            P[i, 3 + m] += q * t * t / 2.0
            P[3 + i, m] += q * t * t / 2.0
            P[3 + i, 3 + m] += q * t


@jit
def _step_matrix(A: Floats, h: float, n: int, F: Floats) -> None:
    """Fill F, of which the rows from 6 on are one's, with the matrix of a step of h seconds; A as in `_by_matrix`.

    The exponential of the system matrix to the third order in h, without the rate of ln beta.
    """
    h2, h3 = 0.5 * h * h, h * h * h / 6.0
    for c in range(n):
        for i in range(3):
            jerk = A[i, c - 3] if 3 <= c < 6 else 0.0
            for m in range(3):
                jerk += A[i, 3 + m] * A[m, c]
            F[i, c] = h2 * A[i, c] + h3 * jerk
            F[3 + i, c] = h * A[i, c] + h2 * jerk
    for i in range(3):
        F[i, i] += 1.0
        F[i, 3 + i] += h
        F[3 + i, 3 + i] += 1.0


@jit
def _by_matrix(A: Floats, h: float, n: int, F: Floats, work: Floats) -> None:
    """F <- step matrix F, in place: A (4, 9) partials of acceleration (rows 0 to 2) held over h seconds.

    As `_step_matrix`, which makes the matrix of the first step.
    """
    h2, h3 = 0.5 * h * h, h * h * h / 6.0
    for c in range(n):
        for i in range(n):
            work[0, i] = F[i, c]
        for i in range(3):
            first, second = 0.0, 0.0  # acceleration and its rate, of this column
            for m in range(n):
                first += A[i, m] * work[0, m]
            for m in range(3):
                second += A[i, m] * work[0, 3 + m]
            work[1, i], work[1, 3 + i] = first, second
        for i in range(3):
            jerk = work[1, 3 + i]
            for m in range(3):
                jerk += A[i, 3 + m] * work[1, m]
            F[i, c] = work[0, i] + h * work[0, 3 + i] + h2 * work[1, i] + h3 * jerk
            F[3 + i, c] = work[0, 3 + i] + h * work[1, i] + h2 * jerk


@jit
def move_into(mode: int, x: Floats, dt: float, f: Forces, y: Floats, F: Floats, work: Floats) -> None:
    """State y (9,) and transition F (9, 9) of a mode dt seconds from x (9,), forward or back, without noise.

    Runge and Kutta's classical method (Hairer, Norsett and Wanner 1993, section II.1), in steps short against
    the time in which drag or density change. work (WORK,) is overwritten.
    """
    for i in range(SIZE):
        y[i] = x[i]
        for c in range(SIZE):
            F[i, c] = 1.0 if i == c else 0.0
    if dt == 0.0:
        return
    if mode == LEVEL:  # follows the curve of the Earth: the velocity turns toward its centre
        r = math.sqrt(x[0] * x[0] + x[1] * x[1] + x[2] * x[2])
        speed2 = x[3] * x[3] + x[4] * x[4] + x[5] * x[5]
        for i in range(3):
            turn = -x[i] * speed2 / (r * r)
            y[i] += x[3 + i] * dt + 0.5 * turn * dt * dt
            y[3 + i] += turn * dt
            F[i, 3 + i] = dt
        return
    n = 7 if mode == BALLISTIC else 9
    partials, none, trial, k, sums, v, rest = work[:4], work[:0], work[4], work[5], work[6], work[7], work[8:]
    if mode == BALLISTIC:
        y[6] = min(max(y[6], LEAST_LN_BETA), MOST_LN_BETA)
        if dt < 0.0:
            # Drag makes a flight back in time grow without bound. A plot is at most a scan old: no body
            # has lost more than this in it, and a mode that says so is wrong and only must not break.
            speed = math.sqrt(x[3] * x[3] + x[4] * x[4] + x[5] * x[5])
            excess = drag_m_s2(y) * -dt / (MOST_SPEED_LOST * speed + 1e-9)
            if excess > 1.0:
                y[6] += math.log(excess)
    held = y[6]
    left = dt
    tries = 0
    while left != 0.0:
        tries += 1
        layer, rate = 0, 0.0
        if mode == BALLISTIC:
            height = up_and_height(y[0], y[1], y[2])[4]
            r = math.sqrt(y[0] * y[0] + y[1] * y[1] + y[2] * y[2])
            rate = (y[0] * y[3] + y[1] * y[4] + y[2] * y[5]) / r
            layer = layer_at(height, rate if dt > 0.0 else -rate, f.air_knots_m)
        h = left
        for i in range(SIZE):
            trial[i] = y[i]
        for i in range(6):
            sums[i] = 0.0
        for stage in range(4):  # one place that calls the force: it is large, and compiled where it is called
            k[0], k[1], k[2], _, drag, slope, airspeed = acceleration(
                mode, trial, layer, f, partials if stage == 2 else none
            )
            if stage == 0:
                quick = drag + abs(slope * rate) * min(1.0, DRAG_AHEAD * drag * airspeed)
                longest = min(STEP_SHARE / (quick + 1e-9), LONGEST_STEP_S)
                if abs(left) > longest and tries < MOST_MOVES:
                    h = left / math.ceil(abs(left) / longest)
            elif stage == 2:
                if tries == 1:
                    _step_matrix(partials, h, n, F)
                else:
                    _by_matrix(partials, h, n, F, rest)
            share = 1.0 if stage == 0 or stage == 3 else 2.0
            ahead = h if stage == 2 else 0.5 * h
            for i in range(3):
                v[i] = trial[3 + i]
                sums[i] += share * v[i]
                sums[3 + i] += share * k[i]
            for i in range(3):
                trial[i] = y[i] + ahead * v[i]
                trial[3 + i] = y[3 + i] + ahead * k[i]
        for i in range(6):
            y[i] += h / 6.0 * sums[i]
        left = 0.0 if h == left else left - h
    if mode == BALLISTIC:
        y[6] = x[6] if held == x[6] else held


@jit
def move(mode: int, x: Floats, dt: float) -> tuple[Floats, Floats]:
    """State (9,) and transition (9, 9) of a mode after dt seconds (forward or back), without noise."""
    y, F = np.empty(SIZE), np.empty((SIZE, SIZE))
    move_into(mode, x, dt, STANDARD, y, F, np.empty(WORK))
    return y, F


@jit
def predict(mode: int, x: Floats, P: Floats, dt: float) -> tuple[Floats, Floats, Floats]:
    """State, covariance and transition (9, 9) of a mode after dt seconds, forward or back."""
    y, F = move(mode, x, dt)
    Q = F @ P @ F.T
    add_noise(mode, y, Q, dt)
    return y, Q, F


@jit
def too_fast_or_high(x: Floats) -> bool:
    """True for a state (9,) that no aircraft has."""
    height = up_and_height(x[0], x[1], x[2])[4]
    return height > LEVEL_HEIGHT_M or x[3] ** 2 + x[4] ** 2 + x[5] ** 2 > LEVEL_SPEED_M_S**2


@jit
def comes_down(x: Floats) -> bool:
    """True for a state (9,) that descends fast: what does so no longer thrusts."""
    r = math.sqrt(x[0] * x[0] + x[1] * x[1] + x[2] * x[2])
    return bool((x[0] * x[3] + x[1] * x[4] + x[2] * x[5]) / r < -FALLING_M_S)
