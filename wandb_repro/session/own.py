"""A rerun is a W&B run of its own: what its script says of an identity is left out."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, cast

__all__ = ["of_its_own"]

_NEVER = ("id", "run_id", "resume", "fork_from", "resume_from")
"""What names or continues another run: with it a rerun would write into its original."""


def of_its_own(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return what ``wandb.init`` gets in a rerun, for what the script gave it."""
    kept = {name: value for name, value in kwargs.items() if name not in _NEVER}
    if kept.get("settings") is not None:
        kept["settings"] = _settings(kept["settings"])
    return {**kept, "job_type": "rerun"}


def _settings(given: object) -> object:
    """Return a copy of a dict of settings, or of a ``wandb.Settings``, that names no run."""
    if isinstance(given, Mapping):
        told = cast("Mapping[str, object]", given)
        return {name: value for name, value in told.items() if name not in _NEVER}
    mine = copy.copy(given)
    for name in _NEVER:
        if getattr(mine, name, None) is not None:
            setattr(mine, name, None)
    return mine
