"""The interacting motion modes of a track: free flight, thrust, level flight.

State of a mode: position m and velocity m/s (ECEF), then what only this mode has:

    BALLISTIC  ln of the ballistic coefficient (kg/m2): 7 components; coast, re-entry, dark flight
    THRUST     an own acceleration (3, m/s2), nearly constant: 9 components; boost
    LEVEL      nothing more: 6 components; an aircraft that holds its height

Method: interacting multiple model filter (Blom and Bar-Shalom 1988, IEEE TAC 33, 780-783), with
modes of unequal states: a component that a mode lacks enters the mixing with its prior mean and
covariance (Granstrom, Willett and Bar-Shalom 2015, "Systematic approach to IMM mixing for unequal
dimension states").
"""

from __future__ import annotations

import math

import numpy as np

from tocsin.earth.atmosphere import density_kg_m3
from tocsin.earth.ellipsoid import up_and_height
from tocsin.earth.integrate import propagate
from tocsin.earth.motion import BALLISTIC, LEVEL, THRUST
from tocsin.kernel import jit
from tocsin.sensors.models import residual_and_row, update
from tocsin.sensors.plots import Floats
from tocsin.units import STANDARD_GRAVITY_M_S2

MODES = 3
SIZE = 9
USED = np.array([7, 9, 6])  # components of each mode

# Priors of ln of the ballistic coefficient in kg/m2 (docs/decisions/0005): of what flies whole, from a
# spent stage of 200 to a dense body of 20,000 within about two sigma; and of what has left another
# body, which may be anything from a flake of 25 on.
LN_BETA_MEAN = math.log(2000.0)
LN_BETA_SIGMA = 1.2
CHILD_LN_BETA_MEAN = math.log(600.0)
CHILD_LN_BETA_SIGMA = 1.35
# No flight is computed with a coefficient beyond these: a crumpled sheet, and more than any solid body.
LEAST_LN_BETA = math.log(10.0)
MOST_LN_BETA = math.log(200e3)
# Prior of a thrust acceleration, each axis: launchers leave with 3 and burn out with 60 m/s2.
THRUST_SIGMA_M_S2 = 25.0

# Rates of change between modes (1/s): row from, column to. What was once too fast or too high for an
# aircraft is none, ever after.
RATES_1_S = np.array([[0.0, 3e-4, 1e-2], [2e-2, 0.0, 1e-2], [1e-5, 1e-5, 0.0]])
RATES_FALLEN_1_S = np.array([[0.0, 3e-4, 0.0], [2e-2, 0.0, 0.0], [1.0, 0.0, 0.0]])
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
LN_BETA_ABLATION_1_S = 4e-2  # and by 0.2 where a body ablates
ABLATION_SPEED_M_S = 5e3
FELT_DRAG_M_S2 = 0.1

COLD_DETECTION = 0.02  # share of its detection probability with which a heat sensor sees a cold object
GLOW_W_M2 = 1e6  # of the heating rate rho v3 / 2 above which an object may glow

MOST_SPEED_LOST = 0.5  # share of its speed that drag takes from a body between a late plot and now

NO_WIND = np.zeros(2)


@jit
def heating_w_m2(x: Floats) -> float:
    """Free-stream energy flux rho v3 / 2 (W/m2) on an object."""
    height = up_and_height(x[0], x[1], x[2])[4]
    speed2 = x[3] * x[3] + x[4] * x[4] + x[5] * x[5]
    return float(0.5 * density_kg_m3(height) * speed2 * math.sqrt(speed2))


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
    return float(0.5 * density_kg_m3(height) * speed2 * math.exp(-x[6]))


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
            fast = speed2 > ABLATION_SPEED_M_S**2
            P[6, 6] += (LN_BETA_ABLATION_1_S if fast else LN_BETA_1_S) * t
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
def move(mode: int, x: Floats, dt: float) -> tuple[Floats, Floats]:
    """State (9,) and transition (9, 9) of a mode after dt seconds (forward or back), without noise."""
    F = np.eye(SIZE)
    if mode != LEVEL:
        start = x
        if mode == BALLISTIC and dt < 0.0:
            # Drag makes a flight back in time grow without bound. A plot is at most a scan old: no body
            # has lost more than this in it, and a mode that says so is wrong and only must not break.
            speed = math.sqrt(x[3] * x[3] + x[4] * x[4] + x[5] * x[5])
            excess = drag_m_s2(x) * -dt / (MOST_SPEED_LOST * speed + 1e-9)
            if excess > 1.0:
                start = x.copy()
                start[6] += math.log(excess)
        y, transition = propagate(mode, start, dt, NO_WIND)
        if mode == BALLISTIC:
            y[6] = x[6]
        F[:6] = transition
        return y, F
    # level flight follows the curve of the Earth: the velocity turns toward its centre
    y = x.copy()
    r = math.sqrt(x[0] * x[0] + x[1] * x[1] + x[2] * x[2])
    speed2 = x[3] * x[3] + x[4] * x[4] + x[5] * x[5]
    for i in range(3):
        turn = -x[i] * speed2 / (r * r)
        y[i] += x[3 + i] * dt + 0.5 * turn * dt * dt
        y[3 + i] += turn * dt
        F[i, 3 + i] = dt
    return y, F


@jit
def predict(mode: int, x: Floats, P: Floats, dt: float) -> tuple[Floats, Floats, Floats]:
    """State, covariance and transition (9, 9) of a mode after dt seconds, forward or back."""
    y, F = move(mode, x, dt)
    Q = F @ P @ F.T
    add_noise(mode, y, Q, dt)
    return y, Q, F


@jit
def _prior(mode: int, extra: int) -> tuple[float, float]:
    """Mean and variance of component 6 + extra of a mode, for a track that comes from another mode."""
    if mode == BALLISTIC:
        return LN_BETA_MEAN, LN_BETA_SIGMA**2
    return 0.0, THRUST_SIGMA_M_S2**2


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


@jit
def mix(x: Floats, P: Floats, mu: Floats, dt: float, fallen: bool) -> tuple[Floats, Floats, Floats]:
    """Mix the modes over a time dt >= 0. x (3, 9), P (3, 9, 9), mu (3,) -> the same, mixed.

    fallen: the object was once too fast or too high for an aircraft.
    """
    no_aircraft = fallen or too_fast_or_high(x[np.argmax(mu)])
    rates = RATES_FALLEN_1_S if no_aircraft else RATES_1_S
    falling = comes_down(x[BALLISTIC])
    # one jump at most in a time: left with 1 - exp(-sum of rates * dt), to each in the share of its rate
    change = np.zeros((MODES, MODES))
    for i in range(MODES):
        away = 0.0
        for j in range(MODES):
            if not (falling and j == THRUST):
                change[i, j] = rates[i, j]
                away += rates[i, j]
        if away > 0.0:
            left = 1.0 - math.exp(-away * dt)
            for j in range(MODES):
                change[i, j] *= left / away
            change[i, i] = 1.0 - left
        else:
            change[i, i] = 1.0
    mixed_x, mixed_P, mixed_mu = np.zeros((MODES, SIZE)), np.zeros((MODES, SIZE, SIZE)), np.zeros(MODES)
    for j in range(MODES):
        for i in range(MODES):
            mixed_mu[j] += change[i, j] * mu[i]
    for j in range(MODES):
        n = USED[j]
        if mixed_mu[j] < 1e-12:  # a dead mode keeps its own state
            mixed_x[j] = x[j]
            mixed_P[j] = P[j]
            continue
        entering = np.empty((MODES, SIZE))
        for i in range(MODES):
            w = change[i, j] * mu[i] / mixed_mu[j]
            entering[i] = x[i]
            for k in range(6, n):
                if i != j:
                    entering[i, k] = _prior(j, k - 6)[0]
            for k in range(n):
                mixed_x[j, k] += w * entering[i, k]
        for i in range(MODES):
            w = change[i, j] * mu[i] / mixed_mu[j]
            if w == 0.0:
                continue
            for k in range(n):
                dk = entering[i, k] - mixed_x[j, k]
                for m in range(n):
                    p = dk * (entering[i, m] - mixed_x[j, m])
                    if i == j or (k < 6 and m < 6):
                        p += P[i, k, m]
                    elif k == m:
                        p += _prior(j, k - 6)[1]
                    mixed_P[j, k, m] += w * p
    return mixed_x, mixed_P, mixed_mu


@jit
def take_plot(
    x: Floats,
    P: Floats,
    mu: Floats,
    dt: float,
    position: Floats,
    axes: Floats,
    measured: Floats,
    variance: Floats,
    stated_detection: float,
    heat: bool,
    fallen: bool,
) -> tuple[Floats, Floats, Floats, float, float]:
    """All modes corrected by one plot taken dt seconds after the track's time (or before it).

    x (3, 9), P (3, 9, 9), mu (3,); position to variance as in `sensors.models.update`. Returns the
    corrected modes, ln of the detection probability times likelihood (in the units of `update`), and
    the squared normalised innovation of the best mode per number measured.

    A plot older than the track corrects the state at the track's own time: exact where there is no
    process noise between, else with the covariance between the two times (Bar-Shalom, Li and
    Kirubarajan 2001, section 8.3, the past state smoothed by one step).
    """
    if dt > 0.0:
        x, P, mu = mix(x, P, mu, dt, fallen)
    out_x, out_P, logs = x.copy(), P.copy(), np.full(MODES, -np.inf)
    nis = np.full(MODES, np.inf)
    for j in range(MODES):
        if mu[j] < 1e-9:
            continue
        n = USED[j]
        y, Q, F = predict(j, x[j], P[j], dt)
        seen, _ = detection(j, y, stated_detection, heat)
        before_x, before_P = y.copy(), Q.copy()
        likelihood, squares, count = update(y, Q, n, position, axes, measured, variance)
        if likelihood == -np.inf or count == 0:
            continue
        logs[j] = likelihood + math.log(seen * mu[j])
        nis[j] = squares / count
        if j == BALLISTIC:
            y[6] = min(max(y[6], LEAST_LN_BETA), MOST_LN_BETA)
        if dt >= 0.0:
            out_x[j], out_P[j] = y, Q
        else:
            # G = cov(now, then) cov(then)^-1, over the components in use
            C = np.ascontiguousarray((P[j] @ F.T)[:n, :n])
            then = np.ascontiguousarray(before_P[:n, :n])
            scale = 1.0 / np.sqrt(np.diag(then))
            A = then * np.outer(scale, scale)
            G = np.linalg.solve(A, (C * scale).T).T * scale
            shift = np.ascontiguousarray(y[:n] - before_x[:n])
            out_x[j, :n] = x[j, :n] + G @ shift
            out_P[j, :n, :n] = P[j, :n, :n] + G @ (np.ascontiguousarray(Q[:n, :n]) - then) @ G.T
            for k in range(n):
                for m in range(k):
                    mean = 0.5 * (out_P[j, k, m] + out_P[j, m, k])
                    out_P[j, k, m] = mean
                    out_P[j, m, k] = mean
    top = logs.max()
    if top == -np.inf:
        return x, P, mu, -np.inf, np.inf
    weights = np.exp(logs - top)
    total = weights.sum()
    return out_x, out_P, weights / total, top + math.log(total), nis[np.argmax(logs)]


@jit
def forecast(x: Floats, P: Floats, mu: Floats, dt: float, fallen: bool) -> tuple[Floats, Floats, Floats]:
    """All modes dt >= 0 seconds later, without a plot."""
    x, P, mu = mix(x, P, mu, dt, fallen)
    for j in range(MODES):
        if mu[j] >= 1e-9:
            x[j], P[j], _ = predict(j, x[j], P[j], dt)
    return x, P, mu


@jit
def miss(x: Floats, mu: Floats, stated_detection: float, heat: bool) -> tuple[Floats, float]:
    """Mode probabilities after a scan without a plot, and the probability that there would have been one."""
    left = np.empty(MODES)
    seen = 0.0
    for j in range(MODES):
        p = detection(j, x[j], stated_detection, heat)[1]
        seen += mu[j] * p
        left[j] = mu[j] * (1.0 - p)
    return left / left.sum(), seen


@jit
def combine(x: Floats, P: Floats, mu: Floats) -> tuple[Floats, Floats]:
    """Mean (6,) and covariance (6, 6) of position and velocity over the modes."""
    mean = np.zeros(6)
    for j in range(MODES):
        mean += mu[j] * x[j, :6]
    covariance = np.zeros((6, 6))
    for j in range(MODES):
        d = x[j, :6] - mean
        covariance += mu[j] * (P[j, :6, :6] + np.outer(d, d))
    return mean, covariance


@jit
def blend(x: Floats, P: Floats, mu: Floats, weights: Floats) -> tuple[Floats, Floats, Floats]:
    """One set of modes for k hypotheses of one track: x (k, 3, 9), P (k, 3, 9, 9), mu (k, 3), weights (k,).

    Mode by mode, the mean and covariance of the mixture (probabilistic data association; Bar-Shalom
    and Li 1995, Multitarget-Multisensor Tracking, section 3.4). weights sum to 1.
    """
    count = len(weights)
    out_x, out_P, out_mu = np.zeros((MODES, SIZE)), np.zeros((MODES, SIZE, SIZE)), np.zeros(MODES)
    for j in range(MODES):
        for k in range(count):
            out_mu[j] += weights[k] * mu[k, j]
        if out_mu[j] < 1e-9:
            likeliest = np.argmax(weights)
            out_x[j], out_P[j] = x[likeliest, j], P[likeliest, j]
            continue
        for k in range(count):
            out_x[j] += weights[k] * mu[k, j] / out_mu[j] * x[k, j]
        for k in range(count):
            w = weights[k] * mu[k, j] / out_mu[j]
            if w > 0.0:
                d = x[k, j] - out_x[j]
                out_P[j] += w * (P[k, j] + np.outer(d, d))
    return out_x, out_P, out_mu


@jit
def angle_surprise(
    x: Floats,
    P: Floats,
    mu: Floats,
    dt: float,
    position: Floats,
    axes: Floats,
    measured: Floats,
    variance: Floats,
) -> tuple[float, float]:
    """Normalised innovations of the two angles of a plot, in the likeliest mode."""
    best = int(np.argmax(mu))
    y, Q, _ = predict(best, x[best], P[best], dt)
    H = np.zeros(6)
    out = np.zeros(2)
    for q in range(2):
        residual, _ = residual_and_row(q, y, position, axes, measured, H)
        S = variance[q]
        for i in range(6):
            for m in range(6):
                S += H[i] * Q[i, m] * H[m]
        out[q] = residual / math.sqrt(S)
    return out[0], out[1]
