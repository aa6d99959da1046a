"""Finds and redacts credentials."""
