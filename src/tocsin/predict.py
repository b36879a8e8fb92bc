"""Where one body comes down: the public functions behind ``tocsin predict``, for scripts and notebooks.

    from tocsin.predict import plot, predict_state
    impact = predict_state(state, covariance=covariance)
    plot(impact)

What is listed here keeps its name and meaning: docs/prediction.md.
"""

from __future__ import annotations

from tocsin.formats.figure import plot
from tocsin.formats.priors_file import read_priors
from tocsin.formats.winds import read_winds
from tocsin.prediction.decay_fit import learn as learn_decay
from tocsin.prediction.forecast import ORIGINS, FallLine, MayRelease, Pieces, Prediction, Window
from tocsin.prediction.kinds import Learned
from tocsin.prediction.meteoroids import fall_line, meteoroid
from tocsin.prediction.priors import Kind, Kinds, Priors, Release, Speed
from tocsin.prediction.states import predict_state
from tocsin.prediction.winds import Winds, profile

__all__ = [
    "ORIGINS",
    "FallLine",
    "Kind",
    "Kinds",
    "Learned",
    "MayRelease",
    "Pieces",
    "Prediction",
    "Priors",
    "Release",
    "Speed",
    "Window",
    "Winds",
    "fall_line",
    "learn_decay",
    "meteoroid",
    "plot",
    "predict_state",
    "profile",
    "read_priors",
    "read_winds",
]
