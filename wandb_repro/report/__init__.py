"""Formats records and verdicts as text, HTML and JSON. Pure."""
