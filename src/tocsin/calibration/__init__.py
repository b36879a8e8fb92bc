"""Campaigns of drawn flights: whether impact areas and times hold as much as they say.

A state is drawn and flown on by the simulator's richer motion; what the predictor says of it on the way is counted
against where it came down. Nothing is solved for: no flight has a place to reach.
"""

from __future__ import annotations
