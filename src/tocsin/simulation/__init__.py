"""Scenarios in, recordings with truth out.

It draws wide paths to make plots and truth; it solves nothing for how to reach a place.
"""

from __future__ import annotations
