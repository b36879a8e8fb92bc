"""Replaying recordings through the core."""
