"""A prediction as a figure, by matplotlib (``pip install tocsin[plot]``)."""

from __future__ import annotations

from typing import Any

import numpy as np

from tocsin.errors import UsageError
from tocsin.formats.predictions import lines
from tocsin.prediction.forecast import COMES_DOWN, Area, FallLine, Pieces, Prediction, Window
from tocsin.units import DEGREE_RAD

WIDEST_DEG = 180.0  # an area wider than this lies across the antimeridian


def plot(impact: Prediction, axes: Any = None) -> Any:
    """Draw areas, median place and fall line over longitude and latitude (degrees), or the track of a window.

    Returns the axes.

    axes: of matplotlib, to draw into; None: of a new figure. Across the antimeridian longitudes go on beyond 180.
    Raises `UsageError` where there is no impact to draw, and where axes are None and matplotlib is not installed.
    """
    if impact.status != COMES_DOWN and impact.window is None:
        raise UsageError(f"plot: there is no impact to draw. {impact.sentence}")
    if axes is None:
        try:
            from matplotlib import pyplot
        except ImportError as error:
            raise UsageError("plot needs matplotlib: pip install tocsin[plot], or give axes") from error
        _, axes = pyplot.subplots()
    if impact.status != COMES_DOWN and impact.window is not None:
        return _track(impact.window, axes)
    drawn_areas = [*impact.areas, *(impact.may_release.areas if impact.may_release is not None else ())]
    bounds = np.array([area.bounds for area in drawn_areas])
    across = bool(len(bounds) and bounds[:, 2].max() - bounds[:, 0].min() > WIDEST_DEG)

    def lon(degrees: Any) -> Any:
        return np.mod(degrees, 360.0) if across else degrees

    def rings(area: Area) -> list[tuple[Any, Any]]:
        corners = [np.asarray(part.exterior.coords) for part in getattr(area, "geoms", [area])]
        return [(c[:, 0] + (360.0 if across and c[:, 0].mean() < 0.0 else 0.0), c[:, 1]) for c in corners]

    for i in np.argsort(-impact.shares):  # the largest below
        for number, (east, north) in enumerate(rings(impact.areas[i])):
            label = f"{100 * impact.shares[i]:g} %: {impact.areas_km2[i]:,.3g} km²" if number == 0 else None
            axes.fill(east, north, alpha=0.25, color="tab:red", label=label)
    if impact.may_release is not None:
        told = f"99 % of what it may still release ({100 * impact.may_release.chance:.2g} %)"
        for number, (east, north) in enumerate(rings(impact.may_release.areas[-1])):
            label = None if number else told
            axes.plot(east, north, "--", color="tab:purple", linewidth=0.8, label=label)
    axes.plot(lon(impact.longitude_rad / DEGREE_RAD), impact.latitude_rad / DEGREE_RAD, "k+", label="median")
    drawn: list[tuple[str, FallLine | Pieces, list[str]]] = []
    if impact.fall_line is not None:
        drawn.append(("fall line", impact.fall_line, [f" {mass:g} kg" for mass in impact.fall_line.mass_kg]))
    if impact.pieces is not None:
        names = [f" {beta:g} kg/m²" for beta in impact.pieces.ballistic_coefficient_kg_m2]
        drawn.append(("heel to toe", impact.pieces, names))
    for label, line, names in drawn:
        if not np.isfinite(line.latitude_rad).any():
            continue
        east, north = lon(line.longitude_rad / DEGREE_RAD), line.latitude_rad / DEGREE_RAD
        axes.plot(east, north, "k.-", linewidth=0.8, label=label)
        for name, x, y in zip(names, east, north, strict=True):
            if np.isfinite(y):
                axes.annotate(name, (x, y))
    axes.set_xlabel("longitude, degrees")
    axes.set_ylabel("latitude, degrees")
    middle = np.cos(impact.latitude_rad)
    axes.set_aspect(1.0 / max(float(middle), 0.05))
    axes.legend()
    return axes


def _track(window: Window, axes: Any) -> Any:
    """Draw a ground track over the whole Earth, the darker the likelier."""
    likeliest = float(window.stretches[:, 2].max())
    for first, last, chance in window.stretches:
        some = window.track[int(first) : int(last) + 1]
        for line in lines(some[:, 0], some[:, 1]):
            axes.plot(*np.array(line).T, color="tab:red", alpha=max(float(chance) / likeliest, 0.05))
    axes.set_xlim(-180.0, 180.0)
    axes.set_ylim(-90.0, 90.0)
    axes.set_xlabel("longitude, degrees")
    axes.set_ylabel("latitude, degrees")
    axes.set_aspect(1.0)
    return axes
