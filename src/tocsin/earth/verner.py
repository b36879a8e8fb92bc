"""One step of Verner's explicit Runge-Kutta pair of orders 7 and 6 for many columns at once.

Source of the coefficients: Verner, J. H. (2010), "Numerically optimal Runge-Kutta pairs with
interpolants", Numerical Algorithms 53, 383-396: the "most efficient" pair of ten stages, as printed
on its author's pages (to 17 digits here). Why this pair: docs/decisions/0008.

The columns are whatever the caller integrates side by side, each with a step of its own: flights, or
one flight and the columns of its transition matrix. The arrays are flat: state y (rows * columns), slopes K
(10 * rows * columns), steps h (columns). The coefficients stand in the formulas as constants, and so do the sizes, so
that the compiler sees that nothing overlaps and makes vector code of the inner loops.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tocsin.kernel import jit_lanes

Kernel = Callable[..., None]

Floats = NDArray[np.float64]

STAGES = 10

A21 = 0.005
A31, A32 = -1.07679012345679, 1.185679012345679
A41, A43 = 0.04083333333333333, 0.1225
A51, A53, A54 = 0.6389139236255726, -2.455672638223657, 2.272258714598084
A61, A63, A64, A65 = -2.6615773750187572, 10.804513886456137, -8.3539146573962, 0.820487594956657
A71, A73, A74, A75, A76 = (
    6.067741434696772, -24.711273635911088, 20.427517930788895, -1.9061579788166472, 1.006172249242068,
)  # fmt: skip
A81, A83, A84, A85, A86, A87 = (
    12.054670076253203, -49.75478495046899, 41.142888638604674, -4.461760149974004, 2.042334822239175,
    -0.09834843665406107,
)  # fmt: skip
A91, A93, A94, A95, A96, A97, A98 = (
    10.138146522881808, -42.6411360317175, 35.76384003992257, -4.3480228403929075, 2.0098622683770357,
    0.3487490460338272, -0.27143900510483127,
)  # fmt: skip
A101, A103, A104, A105, A106, A107 = (
    -45.030072034298676, 187.3272437654589, -154.02882369350186, 18.56465306347536, -7.141809679295079,
    1.3088085781613787,
)  # fmt: skip
B1, B4, B5, B6, B7, B8, B9 = (
    0.04715561848627222, 0.25750564298434153, 0.26216653977412624, 0.15216092656738558, 0.4939969170032485,
    -0.29430311714032503, 0.08131747232495111,
)  # fmt: skip
# the seventh-order weights less the sixth-order ones
E1, E4, E5, E6, E7, E8, E9, E10 = (
    0.002547011879931045, -0.00965839487279575, 0.04206470975639691, -0.0666822437469301, 0.2650097464621281,
    -0.29430311714032503, 0.08131747232495111, -0.02029518466335628,
)  # fmt: skip


def stepper(rows: int, columns: int) -> tuple[Kernel, Kernel, Kernel]:
    """The kernels of a step of ``rows`` numbers in each of ``columns``.

    ``stage_state(stage, y, h, K, out)`` makes the state at which a stage (1 to 9) takes its slope,
    ``end_state(y, h, K, out)`` that at the end, ``step_error(h, K, out)`` the squares of the estimated errors of the
    first three rows and of the next three, out (2 * columns).
    """
    n = rows * columns

    def stage_state(stage: int, y: Floats, h: Floats, K: Floats, out: Floats) -> None:
        for c in range(0, n, columns):
            if stage == 1:
                for i in range(columns):
                    j = c + i
                    out[j] = y[j] + h[i] * (A21 * K[j])
            elif stage == 2:
                for i in range(columns):
                    j = c + i
                    out[j] = y[j] + h[i] * (A31 * K[j] + A32 * K[n + j])
            elif stage == 3:
                for i in range(columns):
                    j = c + i
                    out[j] = y[j] + h[i] * (A41 * K[j] + A43 * K[2 * n + j])
            elif stage == 4:
                for i in range(columns):
                    j = c + i
                    out[j] = y[j] + h[i] * (A51 * K[j] + A53 * K[2 * n + j] + A54 * K[3 * n + j])
            elif stage == 5:
                for i in range(columns):
                    j = c + i
                    out[j] = y[j] + h[i] * (
                        A61 * K[j] + A63 * K[2 * n + j] + A64 * K[3 * n + j] + A65 * K[4 * n + j]
                    )
            elif stage == 6:
                for i in range(columns):
                    j = c + i
                    out[j] = y[j] + h[i] * (
                        A71 * K[j]
                        + A73 * K[2 * n + j]
                        + A74 * K[3 * n + j]
                        + A75 * K[4 * n + j]
                        + A76 * K[5 * n + j]
                    )
            elif stage == 7:
                for i in range(columns):
                    j = c + i
                    out[j] = y[j] + h[i] * (
                        A81 * K[j]
                        + A83 * K[2 * n + j]
                        + A84 * K[3 * n + j]
                        + A85 * K[4 * n + j]
                        + A86 * K[5 * n + j]
                        + A87 * K[6 * n + j]
                    )
            elif stage == 8:
                for i in range(columns):
                    j = c + i
                    out[j] = y[j] + h[i] * (
                        A91 * K[j]
                        + A93 * K[2 * n + j]
                        + A94 * K[3 * n + j]
                        + A95 * K[4 * n + j]
                        + A96 * K[5 * n + j]
                        + A97 * K[6 * n + j]
                        + A98 * K[7 * n + j]
                    )
            else:
                for i in range(columns):
                    j = c + i
                    out[j] = y[j] + h[i] * (
                        A101 * K[j]
                        + A103 * K[2 * n + j]
                        + A104 * K[3 * n + j]
                        + A105 * K[4 * n + j]
                        + A106 * K[5 * n + j]
                        + A107 * K[6 * n + j]
                    )

    def end_state(y: Floats, h: Floats, K: Floats, out: Floats) -> None:
        for c in range(0, n, columns):
            for i in range(columns):
                j = c + i
                out[j] = y[j] + h[i] * (
                    B1 * K[j]
                    + B4 * K[3 * n + j]
                    + B5 * K[4 * n + j]
                    + B6 * K[5 * n + j]
                    + B7 * K[6 * n + j]
                    + B8 * K[7 * n + j]
                    + B9 * K[8 * n + j]
                )

    def step_error(h: Floats, K: Floats, out: Floats) -> None:
        for i in range(2 * columns):
            out[i] = 0.0
        for part in range(2):
            for c in range(3 * part * columns, 3 * (part + 1) * columns, columns):
                for i in range(columns):
                    j = c + i
                    error = h[i] * (
                        E1 * K[j]
                        + E4 * K[3 * n + j]
                        + E5 * K[4 * n + j]
                        + E6 * K[5 * n + j]
                        + E7 * K[6 * n + j]
                        + E8 * K[7 * n + j]
                        + E9 * K[8 * n + j]
                        + E10 * K[9 * n + j]
                    )
                    out[part * columns + i] += error * error

    return (
        _of(stage_state, rows, columns),
        _of(end_state, rows, columns),
        _of(step_error, rows, columns),
    )


def backstepper(columns: int) -> Kernel:
    """The kernel that carries a derivative back through a stage (the chain rule: discrete adjoint).

    ``stage_back(stage, end, h, M, out)``: out (columns) is the derivative of some numbers after the step by the slope
    of a stage (0 to 8), from those by the state after it, end (columns), and those by the states of the later stages,
    M (9 * columns). h: length of the step.
    """
    n = columns

    def stage_back(stage: int, end: Floats, h: float, M: Floats, out: Floats) -> None:
        if stage == 8:
            for i in range(n):
                out[i] = h * (B9 * end[i])
        elif stage == 7:
            for i in range(n):
                out[i] = h * (B8 * end[i] + A98 * M[8 * n + i])
        elif stage == 6:
            for i in range(n):
                out[i] = h * (B7 * end[i] + A87 * M[7 * n + i] + A97 * M[8 * n + i])
        elif stage == 5:
            for i in range(n):
                out[i] = h * (B6 * end[i] + A76 * M[6 * n + i] + A86 * M[7 * n + i] + A96 * M[8 * n + i])
        elif stage == 4:
            for i in range(n):
                out[i] = h * (
                    B5 * end[i]
                    + A65 * M[5 * n + i]
                    + A75 * M[6 * n + i]
                    + A85 * M[7 * n + i]
                    + A95 * M[8 * n + i]
                )
        elif stage == 3:
            for i in range(n):
                out[i] = h * (
                    B4 * end[i]
                    + A54 * M[4 * n + i]
                    + A64 * M[5 * n + i]
                    + A74 * M[6 * n + i]
                    + A84 * M[7 * n + i]
                    + A94 * M[8 * n + i]
                )
        elif stage == 2:
            for i in range(n):
                out[i] = h * (
                    A43 * M[3 * n + i]
                    + A53 * M[4 * n + i]
                    + A63 * M[5 * n + i]
                    + A73 * M[6 * n + i]
                    + A83 * M[7 * n + i]
                    + A93 * M[8 * n + i]
                )
        elif stage == 1:
            for i in range(n):
                out[i] = h * (A32 * M[2 * n + i])
        else:
            for i in range(n):
                out[i] = h * (
                    B1 * end[i]
                    + A21 * M[n + i]
                    + A31 * M[2 * n + i]
                    + A41 * M[3 * n + i]
                    + A51 * M[4 * n + i]
                    + A61 * M[5 * n + i]
                    + A71 * M[6 * n + i]
                    + A81 * M[7 * n + i]
                    + A91 * M[8 * n + i]
                )

    return _of(stage_back, 1, columns)


def _of(function: Kernel, rows: int, columns: int) -> Kernel:
    """Compile under a name of its own: Numba's cache takes functions of one name, made for other sizes, for one."""
    function.__name__ = function.__qualname__ = f"{function.__name__}_{rows}_by_{columns}"
    return jit_lanes(function)
