"""One flight with its matrix against many side by side, thrust, and every derivative of the forces by complex steps."""

import math

import numpy as np
import pytest

from tocsin.earth import status
from tocsin.earth.drag import with_shape
from tocsin.earth.ellipsoid import ecef_to_geodetic
from tocsin.earth.flights import to_ground, to_time
from tocsin.earth.forces import MACH_STEP, STANDARD, WIND_STEP_M, wind_table
from tocsin.earth.freefall import base
from tocsin.earth.freefall import slopes as freefall_slopes
from tocsin.earth.integrate import FEW_STEPS, NO_GROUND, back, flight, fly, new_tape
from tocsin.earth.lanes import BY_WIND, KEPT, LANES, LOSS_BY_POSITION, PARTIALS, SIZE
from tocsin.earth.motion import BALLISTIC, THRUST, acceleration, layer_at, sound_and_slope

from .flights import fly as exact
from .flights import start

WIND = wind_table([0.0, 11e3, 60e3], [3.0, 40.0, 20.0], [5.0, -20.0, 5.0])
BURNING = {"ablation_s2_m2": 1.2e-8, "ablation_speed_m_s": 100.0}
FORCES = {
    "calm": STANDARD,
    "wind": STANDARD._replace(wind=WIND),
    "shape": with_shape(STANDARD, "sphere"),
    "all": with_shape(STANDARD._replace(wind=WIND, **BURNING), "fragment"),
}


def carrying(state, *rest):
    return np.concatenate([state, rest])


# the forces written anew for complex numbers ------------------------------------------------------


def gravity(p, f):
    """Zonal gravity by Legendre polynomials, whose gradient tests/earth/test_gravity.py takes from the potential."""
    r = np.sqrt(p[0] * p[0] + p[1] * p[1] + p[2] * p[2])
    s, q = p[2] / r, f.radius_m / r
    p3, p4 = 7.5 * s**2 - 1.5, 17.5 * s**3 - 7.5 * s  # derivatives of the polynomials of degree 3 and 4
    p5 = 39.375 * s**4 - 26.25 * s**2 + 1.875
    radial = -f.gm_m3_s2 / r**3 * (1.0 - f.j2 * q**2 * p3 - f.j3 * q**3 * p4 - f.j4 * q**4 * p5)
    axial = -f.gm_m3_s2 / r**2 * (f.j2 * q**2 * 3.0 * s + f.j3 * q**3 * p3 + f.j4 * q**4 * p4)
    return np.array([radial * p[0], radial * p[1], radial * p[2] + axial])


def up_and_height(p, f):
    """Sine and cosine of the geodetic latitude, and height, by a fixed point: valid for complex components."""
    e2 = f.flattening * (2.0 - f.flattening)
    level = np.sqrt(p[0] * p[0] + p[1] * p[1])
    up = p[2] / (1.0 - e2)
    for _ in range(30):
        size = np.sqrt(level * level + up * up)
        sine, cosine = up / size, level / size
        across = f.semi_major_axis_m / np.sqrt(1.0 - e2 * sine * sine)
        up = p[2] + e2 * across * sine
    height = level * cosine + p[2] * sine - f.semi_major_axis_m * np.sqrt(1.0 - e2 * sine * sine)
    return sine, cosine, height


def slopes(x, f, layer):
    """Accelerations and rate of ln beta of x (9,): position, velocity, ln beta, unknown wind."""
    p, v = x[:3], x[3:6]
    w = f.rate_rad_s
    a = gravity(p, f) + np.array([w * w * p[0] + 2 * w * v[1], w * w * p[1] - 2 * w * v[0], 0.0 * p[2]])
    sine, cosine, height = up_and_height(p, f)
    level = np.sqrt(p[0] * p[0] + p[1] * p[1])
    sin_lon, cos_lon = p[1] / level, p[0] / level
    east = np.array([-sin_lon, cos_lon, 0.0 * sin_lon])
    north = np.array([-sine * cos_lon, -sine * sin_lon, cosine])
    real = float(np.real(height))
    blow = np.zeros(2, complex)
    if len(f.wind):
        k = int(real / WIND_STEP_M)
        blow = f.wind[k] + (height / WIND_STEP_M - k) * (f.wind[k + 1] - f.wind[k])
    share = height / 11e3 if real < 11e3 else (1.0 if real < 30e3 else (60e3 - height) / 30e3)
    share = share if real < 60e3 else 0.0
    u = v - (blow[0] + share * x[7]) * east - (blow[1] + share * x[8]) * north
    speed = np.sqrt(u[0] * u[0] + u[1] * u[1] + u[2] * u[2])
    t = (2.0 * height - f.air_knots_m[layer] - f.air_knots_m[layer + 1]) / np.diff(f.air_knots_m)[layer]
    density = np.exp(sum(c * t**k for k, c in enumerate(f.air[layer])))
    factor = 1.0
    if len(f.curve):
        mach = speed / np.sqrt(sum(c * t**k for k, c in enumerate(f.sound[layer])))
        k = min(int(np.real(mach) / MACH_STEP), len(f.curve) - 1)
        d = mach / MACH_STEP - k if np.real(mach) / MACH_STEP < len(f.curve) else 1.0
        factor = sum(c * d**i for i, c in enumerate(f.curve[k]))
    drag = 0.5 * density * factor * np.exp(-x[6]) * speed
    burn = f.ablation_s2_m2 / 3.0 if np.real(speed) > f.ablation_speed_m_s else 0.0
    return np.append(a - drag * u, -burn * drag * speed * speed)


def by_complex_step(function, x):
    columns = []
    for c in range(len(x)):
        moved = x.astype(complex)
        moved[c] += 1e-25j
        columns.append(np.imag(function(moved)) / 1e-25)
    return np.stack(columns, -1)


PLACES = [
    (latitude, longitude, height, heading)
    for latitude, longitude in ((35, 20), (-35, 110), (70, -100), (-70, -20), (0.5, 179.9), (89.9, 45))
    for height, heading in ((5.05e3, 60), (24.3e3, 200), (47.02e3, 330), (95.7e3, 10))
]


@pytest.mark.parametrize("name", FORCES)
def test_derivatives_of_the_forces(name):
    f = FORCES[name]
    for latitude, longitude, height, heading in PLACES:
        x = carrying(
            start(latitude, longitude, height, 900.0 + height / 20.0, heading, -35), math.log(700.0), 0.0, 0.0
        )
        layer = layer_at(height, 0.0, f.air_knots_m)
        ours = np.empty((4, 9))
        a = acceleration(BALLISTIC, x, layer, f, ours)
        np.testing.assert_allclose(a[:4], np.real(slopes(x, f, layer)), rtol=0, atol=2e-9)
        exact_slopes = by_complex_step(lambda z, layer=layer: slopes(z, f, layer), x)
        for wind in ((0.0, 0.0), (5.0, -7.0)):
            check_freefall(np.append(x[:7], wind), layer, f)
        lanes = side_by_side(x, layer, f)
        for columns in (slice(0, 3), slice(3, 6), slice(6, 7), slice(7, 9)):
            size = np.abs(exact_slopes[:3, columns]).max()
            np.testing.assert_allclose(ours[:3, columns], exact_slopes[:3, columns], rtol=0, atol=1e-7 * size)
            # its height is a series, and its wind blows along axes that are off by up to 4e-5
            rough = 1e-6 if name in ("calm", "shape") else 2e-4
            np.testing.assert_allclose(
                lanes[:3, columns], exact_slopes[:3, columns], rtol=0, atol=rough * size
            )
            burn = np.abs(exact_slopes[3, columns]).max()
            np.testing.assert_allclose(ours[3, columns], exact_slopes[3, columns], rtol=0, atol=1e-7 * burn)
            np.testing.assert_allclose(lanes[3, columns], exact_slopes[3, columns], rtol=0, atol=rough * burn)


def check_freefall(x, layer, f):
    """The quick kernel of one flight says what the plain one does; its heights are off by micrometres."""
    plain, quick, out = np.empty((4, 9)), np.empty((4, 9)), np.empty(7)
    a = acceleration(BALLISTIC, x, layer, f, plain)
    half = base(x[6] + 0.3, layer, f)  # as reckoned at another ln beta: a burning body
    felt = freefall_slopes(x[:7], *x[7:], x[6] + 0.3, half, layer, f, quick, out)
    np.testing.assert_allclose(out, [*x[3:6], *a[:4]], rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(felt[:3], a[4:], rtol=1e-7)
    height = float(ecef_to_geodetic(x[:3])[2])
    assert felt[3] == pytest.approx(height, abs=1e-2)
    sound = math.sqrt(sound_and_slope(height, layer, f)[0])
    assert felt[4] == pytest.approx(felt[2] / sound if len(f.curve) else 0.0, rel=1e-6)
    for columns in (slice(0, 3), slice(3, 6), slice(6, 7), slice(7, 9)):
        for rows in (slice(0, 3), slice(3, 4)):
            size = np.abs(plain[rows, columns]).max()
            np.testing.assert_allclose(quick[rows, columns], plain[rows, columns], rtol=0, atol=1e-7 * size)


def test_derivatives_above_the_air_in_free_flight():
    x, layer = carrying(start(-40, 200, 1500e3, 3000, 60, 20), 3.0, 4.0, 7.0), len(STANDARD.air)
    plain, quick, out = np.empty((4, 9)), np.empty((4, 9)), np.empty(7)
    a = acceleration(BALLISTIC, x, layer, STANDARD, plain)
    assert freefall_slopes(x[:7], 4.0, 7.0, 3.0, 0.0, layer, STANDARD, quick, out) == (0.0,) * 5
    np.testing.assert_allclose(out, [*x[3:6], *a[:4]], rtol=1e-14)
    np.testing.assert_allclose(quick, plain, rtol=0, atol=1e-18)


def side_by_side(x, layer, f):
    """The same derivatives (4, 9) by the kernels of `lanes`."""
    from tocsin.earth.batch import enter_layer
    from tocsin.earth.lanes import FACTOR, feel, push
    from tocsin.earth.lanes import slopes as lane_slopes

    y, kept, K = np.repeat(x[:7], LANES), np.zeros(KEPT * LANES), np.zeros(SIZE)
    kept[FACTOR * LANES : (FACTOR + 1) * LANES] = 1.0
    for i in range(LANES):
        enter_layer(i, layer, 0.5 * math.exp(-x[6]), -math.inf, kept, f)
    feel(y, kept, np.full(LANES, x[6]), f)
    push(y, kept, K, f)
    part = np.zeros(PARTIALS * LANES)
    lane_slopes(y, kept, part, np.empty((3, 3)), f)
    p = part.reshape(PARTIALS, LANES)[:, 3]
    out = np.zeros((4, 9))
    out[:3, :3] = p[:9].reshape(3, 3)
    out[:3, 3:6] = p[[9, 10, 11, 10, 12, 13, 11, 13, 14]].reshape(3, 3)
    out[0, 4] += 2.0 * f.rate_rad_s
    out[1, 3] -= 2.0 * f.rate_rad_s
    out[:3, 6] = p[15:18]
    out[:3, 7:] = p[BY_WIND : BY_WIND + 6].reshape(3, 2)
    out[3] = p[LOSS_BY_POSITION:]
    return out


@pytest.mark.parametrize("kind", [BALLISTIC, THRUST])
def test_derivatives_above_the_air_and_under_thrust(kind):
    x = carrying(start(-40, 200, 1500e3, 3000, 60, 20), 3.0, -2.0, 7.0)
    ours = np.empty((4, 9))
    a = acceleration(kind, x, len(STANDARD.air), STANDARD, ours)
    own = np.array([3.0, -2.0, 7.0]) if kind == THRUST else np.zeros(3)

    def free(z):
        w = STANDARD.rate_rad_s
        turn = np.array([w * w * z[0] + 2 * w * z[4], w * w * z[1] - 2 * w * z[3], 0.0 * z[2]])
        return gravity(z[:3], STANDARD) + turn + (z[6:9] if kind == THRUST else 0.0 * z[6:9])

    np.testing.assert_allclose(a[:3], np.real(free(x.astype(complex))), rtol=0, atol=1e-12)
    assert np.linalg.norm(np.array(a[:3]) - own) == pytest.approx(6.4, abs=1.0)
    exact_slopes = by_complex_step(free, x)
    for columns in (slice(0, 3), slice(3, 6), slice(6, 9)):
        size = np.abs(exact_slopes[:, columns]).max()
        np.testing.assert_allclose(ours[:3, columns], exact_slopes[:, columns], rtol=0, atol=1e-12 * size)


# flights ------------------------------------------------------------------------------------------

MOVES = [
    (start(48, 35, 300e3, 4000, 80, 20), 5000.0, 120.0),
    (start(-48, 135, 40e3, 3000, 200, -40), 2000.0, 12.0),
    (start(70, -35, 15e3, 900, 80, -40), 500.0, -8.0),
]


@pytest.mark.parametrize("name", FORCES)
@pytest.mark.parametrize("move", range(3))
def test_one_flight_is_one_of_many(move, name):
    state, beta, duration_s = MOVES[move]
    x = carrying(state, math.log(beta), 0.0, 0.0)
    code, time_s, there, matrix, _, _ = fly(BALLISTIC, x, duration_s, NO_GROUND, 1e-3, FORCES[name])
    many = to_time(state, beta, duration_s, FORCES[name], error_m=1e-3, transition=True)
    assert (code, time_s) == (status.ARRIVED, duration_s)
    np.testing.assert_allclose(there[:6], many.state[0], rtol=0, atol=0.01)
    scale = np.array([1.0] * 3 + [0.01] * 3 + [1e-4])[:, None] / np.array(
        [1e3] * 3 + [10.0] * 3 + [1.0, 10.0, 10.0]
    )
    size = np.abs(matrix / scale).max()
    np.testing.assert_allclose(matrix / scale, many.transition[0] / scale, rtol=0, atol=1e-4 * size)


def test_to_the_ground_and_how_low_it_came():
    state = start(48, 35, 300e3, 4000, 80, 20)
    code, time_s, there, _, lowest, _ = fly(
        BALLISTIC, carrying(state, 8.0, 0.0, 0.0), 5e3, 250.0, 0.1, STANDARD
    )
    many = to_ground(state, math.exp(8.0), ground_m=250.0)
    assert code == status.LANDED
    assert time_s == pytest.approx(many.time_s[0], abs=1e-3)
    np.testing.assert_allclose(there[:3], many.state[0, :3], rtol=0, atol=0.5)
    assert lowest == pytest.approx(250.0, abs=1e-3)
    up = carrying(start(0, 0, 400e3, 7180, 90, 0), math.log(100.0), 0.0, 0.0)
    code, time_s, _, _, lowest, _ = fly(BALLISTIC, up, 1500.0, 0.0, 0.1, STANDARD)
    assert (code, time_s) == (status.STILL_UP, 1500.0)
    assert 300e3 < lowest <= 400e3


def test_a_tape_grows_and_serves_many_flights():
    x = carrying(start(48, 35, 200e3, 2000, 80, 20), math.log(20.0), 0.0, 0.0)
    code, time_s, there, matrix, lowest, tries = fly(BALLISTIC, x, 5e3, 0.0, 1e-3, FORCES["shape"])
    *first, steps, tape = flight(BALLISTIC, x, 5e3, 0.0, 1e-3, FORCES["shape"], new_tape())
    assert code == status.LANDED
    assert steps > 2 * FEW_STEPS
    assert len(tape.lengths_s) > steps
    assert tape.lengths_s[:steps].sum() == pytest.approx(time_s)
    again = flight(BALLISTIC, x, 5e3, 0.0, 1e-3, FORCES["shape"], tape)
    for flown in (first, again):
        assert (flown[0], flown[1], flown[3], flown[4]) == (code, time_s, lowest, tries)
        assert (flown[2] == there).all()
    ends = np.zeros((7, 4))
    ends[:3, :3], ends[5, 3] = np.eye(3), 1.0
    np.testing.assert_array_equal(back(steps, tape, False, ends).T, matrix[[0, 1, 2, 5]])


def test_derivatives_of_a_landing_are_those_of_flights_beside_it():
    x = carrying(MOVES[1][0], math.log(700.0), 0.0, 0.0)
    f = FORCES["all"]
    code, time_s, _, matrix, _, _ = fly(BALLISTIC, x, 300.0, 0.0, 1e-6, f)
    assert code == status.LANDED
    for c, off in enumerate((10.0, 10.0, 10.0, 0.1, 0.1, 0.1, 1e-3, 0.1, 0.1)):
        moved = np.zeros(9)
        moved[c] = off
        ends = [fly(BALLISTIC, x + way * moved, time_s, NO_GROUND, 1e-6, f)[2] for way in (1.0, -1.0)]
        beside = (ends[0] - ends[1])[:7] / (2.0 * off)
        # of the three components together: one of them may hardly depend on it. The speed at the end hardly depends on
        # anything, and air and drag curve are of pieces: flights beside it tell its derivatives to some per cent alone
        np.testing.assert_allclose(matrix[:3, c], beside[:3], rtol=0, atol=3e-3 * np.linalg.norm(beside[:3]))


@pytest.mark.parametrize("name", ["shape", "all"])
def test_derivatives_by_drag_along_the_way(name):
    x, f = carrying(MOVES[1][0], math.log(700.0), 0.0, 0.0), FORCES[name]
    *_, steps, tape = flight(BALLISTIC, x, 25.0, NO_GROUND, 1e-5, f, new_tape())
    ends = np.zeros((7, 4))
    ends[:3, :3], ends[5, 3] = np.eye(3), 1.0
    whole = back(steps, tape, f.ablation_s2_m2 > 0.0, ends)
    felt, braked = tape.felt[:steps], tape.braked[:steps]
    # a departure that is always the same is another ballistic coefficient
    np.testing.assert_allclose(braked.sum((0, 1)), whole[6], rtol=1e-9, atol=1e-12)
    # one that goes with the drag curve is another power of it, whose drag at the start is the same
    k = np.minimum(felt[:, :, 1] / MACH_STEP, len(f.curve) - 1e-9)
    c = f.curve[k.astype(int)]
    ln_factor = np.log(np.einsum("sni,sni->sn", c, (k % 1.0)[..., None] ** np.arange(4.0)))
    ours = -np.einsum("sn,snq->q", ln_factor, braked)
    beside = []
    for power in (1e-2, -1e-2):
        rows = np.append(f.curve[:, 0], f.curve[-1].sum()) ** (1.0 + power)
        bent = f._replace(curve=np.column_stack([rows[:-1], np.diff(rows), 0 * rows[1:], 0 * rows[1:]]))
        beside.append(flight(BALLISTIC, x, 25.0, NO_GROUND, 1e-5, bent, new_tape())[2])
    moved = (beside[0] - beside[1]) / 2e-2
    np.testing.assert_allclose(ours[:3], moved[:3], rtol=0, atol=1e-3 * np.linalg.norm(moved[:3]))


def test_thrust():
    state, own = start(10, 20, 10e3, 500, 70, 60), np.array([20.0, -5.0, 10.0])
    _, _, there, matrix, _, _ = fly(THRUST, carrying(state, *own), 40.0, NO_GROUND, 1e-3, STANDARD)
    np.testing.assert_allclose(there[:6], exact(state, 40.0, thrust=own), rtol=0, atol=1e-3)
    assert (there[6:] == own).all()
    # v = a t and x = a t^2 / 2, but for gravity's change over what that moves
    np.testing.assert_allclose(matrix[:3, 6:], 800.0 * np.eye(3), rtol=0, atol=3.0)
    np.testing.assert_allclose(matrix[3:6, 6:], 40.0 * np.eye(3), rtol=0, atol=0.3)


def test_no_time_changes_nothing():
    x = carrying(MOVES[0][0], 8.0, 0.0, 0.0)
    code, time_s, there, matrix, _, tries = fly(BALLISTIC, x, 0.0, NO_GROUND, 0.1, STANDARD)
    assert (code, time_s, tries) == (status.ARRIVED, 0.0, 0)
    assert (there == x).all()
    assert (matrix == np.eye(7, 9)).all()


def test_numbers_that_are_none_are_told():
    x = carrying(MOVES[0][0], np.nan, 0.0, 0.0)
    code, time_s, there, matrix, _, _ = fly(BALLISTIC, x, 10.0, NO_GROUND, 0.1, STANDARD)
    assert code == status.NOT_FINITE
    assert np.isnan([time_s, *there, *matrix.ravel()]).all()
