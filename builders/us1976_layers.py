"""Writes src/tocsin/earth/us1976_layers.py: polynomials of the US Standard Atmosphere 1976 for flights.

The standard's own equations (tocsin.earth.us1976) take integrals above 86 km; the layers that every flight needs
are fitted to them once, here. Run from the root: python builders/us1976_layers.py
"""

from pathlib import Path

import numpy as np

from tocsin.earth.air import fit_layers
from tocsin.earth.us1976 import LAYER_HEIGHT_M, RADIUS_M, standard_air

# its own layers to 86 km, in geometric height; above them where its equations change
KNOTS_M = [
    -5e3, *(RADIUS_M * h / (RADIUS_M - h) for h in LAYER_HEIGHT_M[1:]),
    86e3, 91e3, 100e3, 110e3, 120e3, 160e3, 400e3, 1000e3,
]  # fmt: skip

HEAD = '''"""The US Standard Atmosphere 1976 in layers for flights; written by builders/us1976_layers.py, do not edit."""

import numpy as np

from tocsin.earth.air import Layers

# fmt: off
'''


def air_at(height_m):
    """Density and speed of sound at heights."""
    air = standard_air(height_m)
    return air.density_kg_m3, air.sound_speed_m_s


def rows(name, values):
    """An array as text."""
    lines = [", ".join(repr(float(v)) for v in np.atleast_1d(row)) for row in values]
    if np.ndim(values) == 1:
        return f"{name} = np.array([\n" + "".join(f"    {line},\n" for line in lines) + "])\n"
    return f"{name} = np.array([\n" + "".join(f"    [{line}],\n" for line in lines) + "])\n"


if __name__ == "__main__":
    layers = fit_layers(KNOTS_M, air_at)
    h = np.linspace(KNOTS_M[0], KNOTS_M[-1], 200_001)[1:-1]
    layer = np.searchsorted(layers.knots_m, h) - 1
    low, high = layers.knots_m[layer], layers.knots_m[layer + 1]
    t = (2.0 * h - low - high) / (high - low)
    ln = sum(layers.density[layer, c] * t**c for c in range(layers.density.shape[1]))
    miss = np.abs(ln - np.log(air_at(h)[0]))
    for i in range(len(layers.density)):
        print(
            f"{layers.knots_m[i]:9.0f} to {layers.knots_m[i + 1]:9.0f} m: within {miss[layer == i].max():.1e}"
        )
    text = HEAD + rows("_KNOTS_M", layers.knots_m) + rows("_DENSITY", layers.density)
    text += rows("_SOUND", layers.sound) + "\nUS1976_LAYERS = Layers(_KNOTS_M, _DENSITY, _SOUND)\n"
    (Path(__file__).parents[1] / "src/tocsin/earth/us1976_layers.py").write_text(text)
