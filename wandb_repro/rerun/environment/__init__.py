"""Selects, builds, compares and caches the environment of a rerun."""
