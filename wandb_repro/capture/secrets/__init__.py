"""Credentials: where they are found, and how they are cut out."""
