"""Sensors: what they measure, how well, and where they can see."""
