"""The Runge-Kutta pair: its order conditions, and the order that it shows."""

import numpy as np
import pytest

from tocsin.earth import verner
from tocsin.earth.verner import STAGES, stepper


def tableau():
    """Matrix A (10, 10), weights b of order 7, and their difference from those of order 6."""
    A, b, e = np.zeros((STAGES, STAGES)), np.zeros(STAGES), np.zeros(STAGES)
    for name, value in vars(verner).items():
        if name[0] in "AEB" and name[1:].isdigit():
            row, column = (int(name[1:-1]), int(name[-1])) if name[0] == "A" else (1, int(name[1:]))
            if name[0] == "A":
                A[row - 1, column - 1] = value
            else:
                (b if name[0] == "B" else e)[column - 1] = value
    return A, b, e


def test_order_conditions():
    """Quadrature to order 7, trees with one branch, and the stages' own order (Hairer, Norsett, Wanner 1993, II.2)."""
    A, b, e = tableau()
    c = A.sum(axis=1)
    for k in range(7):
        assert b @ c**k == pytest.approx(1.0 / (k + 1), abs=1e-14)
    for k in range(6):
        assert (b - e) @ c**k == pytest.approx(1.0 / (k + 1), abs=1e-13)
    for k in range(1, 6):
        for m in range(6 - k):  # b c^m A c^k = 1 / ((k + 1)(k + m + 2))
            assert (b * c**m) @ A @ c**k == pytest.approx(1.0 / ((k + 1) * (k + m + 2)), abs=1e-13)
    for k in range(1, 5):
        assert b @ A @ A @ c**k == pytest.approx(1.0 / ((k + 1) * (k + 2) * (k + 3)), abs=1e-13)
    assert c[-2:] == pytest.approx([1.0, 1.0], abs=1e-13)


def test_a_step_has_the_order_it_claims():
    """Pendulums of several lengths side by side, each with a step of its own."""
    rows, columns = 6, 5
    stage_state, end_state, step_error = stepper(rows, columns)
    n = rows * columns
    rate = np.linspace(0.5, 1.5, columns)

    def slope(y):
        q = y.reshape(rows, columns)
        return np.concatenate([q[3:], -(rate**2) * np.sin(q[:3])]).ravel()

    def advance(y, h):
        K, trial, errors = np.zeros(STAGES * n), np.zeros(n), np.zeros(2 * columns)
        K[:n] = slope(y)
        for stage in range(1, STAGES):
            stage_state(stage, y, h, K, trial)
            K[stage * n : (stage + 1) * n] = slope(trial)
        after = np.zeros(n)
        end_state(y, h, K, after)
        step_error(h, K, errors)
        return after, np.sqrt(errors)

    y = np.concatenate([np.full(3 * columns, 1.0), np.full(3 * columns, 0.3)])
    steps, misses, guesses = (0.4, 0.2), [], []
    for h in steps:
        once, guess = advance(y, np.full(columns, h))
        fine = y
        for _ in range(64):
            fine, _ = advance(fine, np.full(columns, h / 64))
        misses.append(np.abs(once - fine).max())
        guesses.append(guess.max())
    assert np.log2(misses[0] / misses[1]) == pytest.approx(8.0, abs=0.7)  # of one step: order 7 and one more
    assert np.log2(guesses[0] / guesses[1]) == pytest.approx(
        7.0, abs=0.7
    )  # of the pair's lower order and one more
