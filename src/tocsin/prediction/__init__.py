"""From tracks to impact areas."""
