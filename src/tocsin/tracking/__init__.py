"""From plots to tracks."""
