"""Yardsticks: how good tracks, areas and warnings are."""
