"""Drag curves of generic shapes: values of their sources, smoothness, and the kernel that uses them."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from tocsin.earth.drag import (
    SHAPES,
    TABLES,
    ballistic_coefficient,
    drag_coefficient,
    drag_curve,
    hypersonic_coefficient,
    ln_curve,
    mixed_curve,
    with_shape,
)
from tocsin.earth.flights import to_ground
from tocsin.earth.forces import MACH_STEP, STANDARD
from tocsin.earth.motion import mach_factor
from tocsin.earth.us1976 import standard_air
from tocsin.errors import UsageError

shapes = pytest.mark.parametrize("shape", SHAPES)

# Miller and Bailey (1979), figure 4, Reynolds numbers of 2e5 to 5e5, and Hoerner (1965), chapter 16: read off to 0.03
SPHERE = [
    (0.3, 0.48),
    (0.6, 0.53),
    (0.8, 0.62),
    (1.0, 0.83),
    (1.2, 0.93),
    (1.8, 0.98),
    (3.0, 0.94),
    (10.0, 0.92),
]
# Hoerner (1965), figure 16-17, lower curve of cubes
CUBE = [
    (0.17, 0.77),
    (0.48, 0.815),
    (0.72, 0.90),
    (1.03, 1.11),
    (1.34, 1.22),
    (1.56, 1.24),
    (2.27, 1.21),
    (8.7, 1.14),
]


@pytest.mark.parametrize(("shape", "rows"), [("sphere", SPHERE), ("fragment", CUBE)])
def test_values_of_the_sources(shape, rows):
    mach, value = np.transpose(rows)
    assert drag_coefficient(shape, mach) == pytest.approx(value, abs=0.03)


def carter(mach, low, power, amplitude, end, join):
    """After Carter, Jandir and Kress (2009), 40th Lunar and Planetary Science Conference, 2059.

    The constants are those that the Desert Fireball Network's DFN_darkflight takes from them.
    """
    fast = (
        amplitude[0] * np.exp(-power[0] * (mach + 0.35))
        - amplitude[1] * np.exp(-power[1] * (mach + 0.35))
        + end
    )
    return np.where(mach < join, low[0] + low[1] * mach**2, fast)


def test_sphere_and_cube_after_another_author():
    mach = np.linspace(0.0, 8.0, 161)
    sphere = carter(mach, (0.424, 0.45), (1.2, 2.2), (2.1, 8.9), 0.92, 0.722)
    # theirs starts to rise at a Mach number lower by 0.1
    assert drag_coefficient("sphere", mach) == pytest.approx(sphere, rel=0.2)
    assert drag_coefficient("sphere", mach[mach > 1.0]) == pytest.approx(sphere[mach > 1.0], rel=0.06)
    # theirs is a cube that keeps its face ahead: one that does not has less drag, the sphere less still
    face_on = carter(mach, (1.04, 0.60), (1.16, 2.23), (2.1, 6.5), 1.67, 1.15)
    assert (drag_coefficient("fragment", mach) < face_on).all()
    assert (drag_coefficient("fragment", mach) > drag_coefficient("sphere", mach)).all()


def rayleigh(mach):
    """Stagnation pressure coefficient behind a normal shock, and of isentropic flow below Mach 1 (NACA Report 1135)."""
    m2 = mach * mach
    isentropic = (1.0 + 0.2 * m2) ** 3.5
    ratio = isentropic if mach < 1.0 else (1.2 * m2) ** 3.5 * (6.0 / (7.0 * m2 - 1.0)) ** 2.5
    return (ratio - 1.0) / (0.7 * m2)


@pytest.mark.parametrize("mach", [1.5, 2.0, 3.0, 4.0, 6.0, 8.0])
def test_a_flat_face_has_nine_tenths_of_the_stagnation_pressure(mach):
    vacuum = 1.0 / (0.7 * mach**2)  # no base can have more drag
    base = drag_coefficient("blunt", mach) - 0.9 * rayleigh(mach)
    assert -0.01 < base < vacuum


def test_a_flat_face_at_low_speed():
    mach = np.array([0.3, 0.6, 0.8])
    stagnation = np.array([rayleigh(m) for m in mach])
    assert drag_coefficient("blunt", mach) == pytest.approx(0.85 * stagnation, rel=0.02)


def cone_pressure(mach, half_angle):
    """Pressure coefficient on a cone: Taylor and Maccoll (1933), from the shock inwards, the shock found by halving."""
    low, high = np.arcsin(1.0 / mach) + 1e-6, np.radians(60.0)

    def surface(shock):
        """Angle of the cone that has this shock, and the speed on it over the greatest."""
        deflection = np.arctan(
            2.0
            / np.tan(shock)
            * ((mach * np.sin(shock)) ** 2 - 1.0)
            / (mach**2 * (1.4 + np.cos(2 * shock)) + 2.0)
        )
        normal = (mach * np.sin(shock)) ** 2
        behind = np.sqrt((1.0 + 0.2 * normal) / (1.4 * normal - 0.2)) / np.sin(shock - deflection)
        speed = (1.0 + 5.0 / behind**2) ** -0.5

        def slope(angle, v):
            u, w = v
            c = 0.2 * (1.0 - u * u - w * w)
            return [w, (w * w * u - c * (2.0 * u + w / np.tan(angle))) / (c - w * w)]

        def at_the_cone(_, v):
            return v[1]

        at_the_cone.terminal = True
        start = [speed * np.cos(shock - deflection), -speed * np.sin(shock - deflection)]
        flow = solve_ivp(slope, (shock, 1e-3), start, events=at_the_cone, rtol=1e-9, atol=1e-12)
        return flow.t[-1], flow.y[0, -1], normal

    for _ in range(40):
        shock = 0.5 * (low + high)
        angle, speed, normal = surface(shock)
        if angle < half_angle:
            low = shock
        else:
            high = shock
    on_cone = 5.0 * speed**2 / (1.0 - speed**2)  # Mach number squared
    stagnation_loss = (6.0 * normal / (normal + 5.0)) ** 3.5 * (6.0 / (7.0 * normal - 1.0)) ** 2.5
    ratio = stagnation_loss * ((1.0 + 0.2 * mach**2) / (1.0 + 0.2 * on_cone)) ** 3.5
    return (ratio - 1.0) / (0.7 * mach**2)


def test_taylor_and_maccoll_as_printed():
    # NACA Report 1135, chart 6 (cone of 10 degrees at Mach 2: 0.104), and Newton's limit 2 sin^2 with 5 % for the layer
    assert cone_pressure(2.0, np.radians(10.0)) == pytest.approx(0.104, abs=0.002)
    assert cone_pressure(40.0, np.radians(10.0)) == pytest.approx(
        2.09 * np.sin(np.radians(10.0)) ** 2, rel=0.05
    )


@pytest.mark.parametrize("mach", [1.5, 2.0, 3.0, 5.0, 10.0, 20.0])
def test_a_slender_cone_has_its_pressure_its_base_and_its_friction(mach):
    vacuum = 1.0 / (0.7 * mach**2)
    rest = drag_coefficient("slender", mach) - cone_pressure(mach, np.radians(10.0))
    assert 0.005 < rest < min(0.25 / mach, vacuum) + 0.021


@shapes
def test_the_tables(shape):
    mach, value = np.transpose(TABLES[shape])
    assert drag_coefficient(shape, mach) == pytest.approx(value, rel=1e-14)
    assert mach[0] == 0.0
    assert (np.diff(mach) > 0.0).all()
    assert np.abs(mach / MACH_STEP - np.round(mach / MACH_STEP)).max() < 1e-9  # a step has one cubic
    assert value[-1] == value[-2] == hypersonic_coefficient(shape)
    peak = value.argmax()
    fine = drag_coefficient(shape, np.arange(0.0, mach[-1] + 1e-9, 0.005))
    assert fine.max() == pytest.approx(value[peak], rel=1e-12)  # no overshoot
    at_peak = fine.argmax()
    assert (np.diff(fine[: at_peak + 1]) >= -1e-12).all()
    assert (np.diff(fine[at_peak:]) <= 1e-12).all()


def kernel(shape, mach, height=20e3):
    """Factor of the drag kernel and its slope by Mach number at a height."""
    sound = float(standard_air(height).sound_speed_m_s)
    forces = with_shape(STANDARD, shape)
    layer = int(np.searchsorted(forces.air_knots_m, height)) - 1
    factor, by_speed, by_height = mach_factor(mach * sound, height, layer, forces)
    return factor, factor * by_speed * sound, factor * by_height


@shapes
def test_the_kernel_has_the_table(shape):
    for mach in np.concatenate(
        [np.linspace(0.001, 6.0, 487), [1.0, 2.0, 19.99, 20.0, 24.999, 25.0, 26.0, 300.0]]
    ):
        expected = drag_coefficient(shape, mach) / hypersonic_coefficient(shape)
        assert kernel(shape, mach)[0] == pytest.approx(expected, rel=1e-12), mach


@shapes
def test_no_step_in_value_or_slope(shape):
    curve = drag_curve(shape)
    ends = np.vstack([curve.sum(axis=1), curve @ [0.0, 1.0, 2.0, 3.0]])
    assert ends[0, :-1] == pytest.approx(curve[1:, 0], rel=1e-12)
    assert ends[1, :-1] == pytest.approx(curve[1:, 1], abs=1e-12)
    assert ends[:, -1] == pytest.approx([1.0, 0.0], abs=1e-12)  # and none where it becomes constant


@shapes
def test_slopes_by_differences(shape):
    for mach in np.concatenate([np.linspace(0.03, 5.3, 61), [24.9, 30.0]]):
        step = 1e-5
        ahead, behind = kernel(shape, mach + step)[0], kernel(shape, mach - step)[0]
        assert kernel(shape, mach)[1] == pytest.approx((ahead - behind) / (2.0 * step), abs=1e-6), mach
    # 25 km: a layer with a lapse rate, so that the speed of sound changes with height
    forces, speed = with_shape(STANDARD, shape), 330.0
    layer = int(np.searchsorted(forces.air_knots_m, 25e3)) - 1
    factor, _, by_height = mach_factor(speed, 25e3, layer, forces)
    ahead, behind = (mach_factor(speed, h, layer, forces)[0] for h in (25.1e3, 24.9e3))
    assert factor * by_height == pytest.approx((ahead - behind) / 200.0, rel=1e-3, abs=1e-10)


def at(curve, mach):
    """Values of cubics at Mach numbers (n,); constant beyond."""
    place = np.minimum(mach / MACH_STEP, len(curve) - 1e-12)
    return np.einsum("ni,ni->n", curve[place.astype(int)], (place % 1.0)[:, None] ** np.arange(4.0))


@shapes
def test_a_mix_of_one_shape_is_that_shape(shape):
    np.testing.assert_allclose(mixed_curve({shape: 1.0}), drag_curve(shape), rtol=1e-9, atol=1e-12)
    assert mixed_curve({shape: 0.0})[:, 0] == pytest.approx(1.0)


def test_a_mix_has_the_product_of_powers():
    mixed, rows = (
        mixed_curve({"slender": 0.3, "sphere": 0.8}),
        np.array([0.3, 0.8, 1.0, 1.2, 2.0, 4.0, 6.0, 25.0]),
    )
    ratio = {s: drag_coefficient(s, rows) / hypersonic_coefficient(s) for s in ("slender", "sphere")}
    np.testing.assert_allclose(at(mixed, rows), ratio["slender"] ** 0.3 * ratio["sphere"] ** 0.8, rtol=1e-9)


@shapes
def test_logarithms_are_those_of_the_curve(shape):
    mach = np.linspace(0.0, 26.0, 131)
    # between the rows each is a cubic of its own
    np.testing.assert_allclose(np.exp(at(ln_curve(shape), mach)), at(drag_curve(shape), mach), rtol=0.01)


@pytest.mark.parametrize("most", [4.0, 8.0])
def test_a_coefficient_that_is_held_from_a_mach_number_on(most):
    held = mixed_curve({"slender": 1.0}, most)
    mach = np.array([0.5, 1.1, 3.0, most])
    there = drag_coefficient("slender", mach) / drag_coefficient("slender", most)
    np.testing.assert_allclose(at(held, mach), there, rtol=1e-9)
    assert at(held, np.array([most + 0.7, 20.0, 30.0])) == pytest.approx(1.0)
    assert held[-1] @ [0.0, 1.0, 2.0, 3.0] == pytest.approx(0.0, abs=1e-12)  # it ends level
    assert np.abs(np.diff(held.sum(axis=1)[:-1]) - np.diff(held[1:, 0])).max() < 1e-12
    np.testing.assert_allclose(at(ln_curve("slender", most), mach), np.log(there), atol=1e-9)


def test_flights_with_a_shape():
    # a body that has fallen for long: drag is its weight, and what slows it down as the air grows denser, v^2 / 2 H
    area, mass = np.pi * 0.05**2, 1.8
    start = [6378137.0 + 8e3, 0.0, 0.0, -30.0, 0.0, 0.0]
    flown = to_ground(start, ballistic_coefficient("sphere", mass, area), with_shape(STANDARD, "sphere"))
    speed = np.linalg.norm(flown.state[0, 3:])
    drag = 0.5 * 1.225 * speed**2 * area * drag_coefficient("sphere", speed / 340.3)
    assert drag == pytest.approx(mass * (9.78 + speed**2 / (2.0 * 10.4e3)), rel=0.005)


def test_ballistic_coefficients():
    assert ballistic_coefficient("sphere", 0.92, 2.0) == pytest.approx(0.5)
    assert ballistic_coefficient("fragment", [1.14, 2.28], 1.0) == pytest.approx([1.0, 2.0])


def test_arrays_of_any_shape():
    assert drag_coefficient("blunt", np.ones((2, 3))).shape == (2, 3)
    assert drag_coefficient("blunt", 1.0).shape == ()
    assert drag_coefficient("blunt", np.inf) == hypersonic_coefficient("blunt")


def test_a_caller_cannot_spoil_the_curve():
    drag_curve("sphere")[:] = 0.0
    assert drag_curve("sphere")[-1, 0] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: with_shape(STANDARD, "brick"), "'brick'; there are sphere, fragment, blunt, slender"),
        (lambda: drag_curve("Sphere"), "'Sphere'"),
        (lambda: mixed_curve({"sphere": 0.5, "egg": 0.5}), "'egg'"),
        (lambda: drag_coefficient("cone", 1.0), "'cone'"),
        (lambda: drag_coefficient("sphere", [0.5, -0.1]), "a Mach number must be 0 or more, is -0.1"),
        (lambda: drag_coefficient("sphere", np.nan), "a Mach number must be 0 or more, is nan"),
        (lambda: ballistic_coefficient("sphere", [1.0, 0.0], 1.0), "mass_kg must be above 0 kg, is 0.0"),
        (lambda: ballistic_coefficient("sphere", 1.0, np.nan), "area_m2 must be above 0 m2, is nan"),
    ],
)
def test_errors_name_what_is_wrong(call, sentence):
    with pytest.raises(UsageError, match=sentence):
        call()
