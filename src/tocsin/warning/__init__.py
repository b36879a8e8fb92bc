"""From impact areas to public warnings."""
