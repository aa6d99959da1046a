"""Seeds and determinism: what was set, its value, and when."""

from __future__ import annotations

from typing import Literal

from wandb_repro.manifest.base import Record, Unavailable

__all__ = ["Determinism", "Seed", "Seeds", "Switch"]


class Seed(Record):
    """One random generator's seed."""

    generator: str
    """``python``, ``numpy``, ``tensorflow``, ``keras`` or ``torch``."""
    value: str | Unavailable
    """Decimal, as text: W&B rounds large integers."""
    set_by: str
    """Who set it."""
    when: Literal["before import", "before first use", "after first use", "unknown", "never"]
    """Relative to the generator's first use. A seed that is set late does nothing."""


class Seeds(Record):
    """The seeds of a run."""

    seed: str | Unavailable
    """The one number that ``init`` was given or drew; decimal text."""
    drawn: bool
    """True when nobody gave a seed and ``init`` drew one."""
    generators: tuple[Seed, ...]


class Switch(Record):
    """One switch that trades speed for repeatable bits."""

    name: str
    value: str | Unavailable
    when: str
    """When it took its value: ``as found``, ``by init``, ``before TensorFlow's import``."""


class Determinism(Record):
    """Whether repeatable operations were asked for. On and off give different bits."""

    asked: bool | None
    """What ``deterministic=`` was; None leaves the switches as they are."""
    switches: tuple[Switch, ...]
