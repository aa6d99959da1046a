"""Verdicts and records as text and data for people and programs. Pure."""
