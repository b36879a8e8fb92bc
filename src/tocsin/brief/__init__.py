"""The account after the fact: what was seen, what was decided, who was warned, what came down."""
