"""Rebuilds a recorded run in a new folder and starts it again."""
