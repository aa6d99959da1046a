"""Combines the layers below into what a command does."""
