"""WGS 84, frames, gravity, air and motion."""
