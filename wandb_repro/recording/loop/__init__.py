"""A training loop of one's own being recorded, in any framework."""
