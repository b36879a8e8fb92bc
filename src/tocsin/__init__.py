"""Tocsin: early warning for things that fall from the sky.

It turns plots into tracks, tracks into predicted impact areas, and those into
public warnings. It warns people and does nothing else.
"""

__version__ = "0.1.0"
