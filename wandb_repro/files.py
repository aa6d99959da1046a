"""Where the user's caches lie: rebuilt environments, and what is known of files of data."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["CACHE_VARIABLE", "cache_folder"]

CACHE_VARIABLE = "WANDB_REPRO_CACHE"
"""Moves the caches to another folder."""


def cache_folder() -> Path:
    """Return the folder of all caches, absolute; it need not be there."""
    told = os.environ.get(CACHE_VARIABLE)
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return (Path(told) if told else Path(home, "wandb-repro")).absolute()
