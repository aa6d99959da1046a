"""How the run trained: seeds, determinism, and the arguments of ``compile`` and ``fit``."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Discriminator, Tag

from wandb_repro.manifest.base import Record, Unavailable
from wandb_repro.manifest.canonical import JSON


class Seed(Record):
    """One random generator's seed."""

    generator: str
    """``python``, ``numpy``, ``tensorflow``, ``keras`` or ``torch``."""
    value: str | Unavailable
    """Decimal text, since W&B rounds large integers."""
    set_by: str
    """What set it, in words."""
    when: Literal["before import", "before first use", "after first use", "unknown", "never"]
    """Relative to the generator's first use. A seed that is set after it comes too late."""


class Seeds(Record):
    """The seeds of a run."""

    seed: str | Unavailable
    """The seed that ``init`` was given or drew; decimal text."""
    drawn: bool
    """Whether ``init`` drew the seed because none was given."""
    generators: tuple[Seed, ...]


class Switch(Record):
    """One switch that trades speed for deterministic bits."""

    name: str
    value: str | Unavailable
    when: str
    """When it got its value: ``as found``, ``by init``, ``before TensorFlow's import``."""


class Determinism(Record):
    """Whether deterministic operations were requested. On and off give different bits."""

    asked: bool | None
    """Value of ``deterministic=``; None leaves the switches as they are."""
    switches: tuple[Switch, ...]


def _config_or_not(value: object) -> str:
    """Tell a config, an object with any keys, from the reason why there is none."""
    if isinstance(value, Unavailable):
        return "Unavailable"
    return "Unavailable" if isinstance(value, dict) and set(value) == {"unavailable"} else "Config"  # pyright: ignore[reportUnknownArgumentType]


Config: TypeAlias = Annotated[
    Annotated[dict[str, JSON], Tag("Config")] | Annotated[Unavailable, Tag("Unavailable")],
    Discriminator(_config_or_not),
]
"""A config or the reason why there is none. Without the discriminator a reason would be read back
as a config with one entry."""


class FitSettings(Record):
    """What one ``fit`` trained, and how. Written if it differs from the ``fit`` before.

    Objects are as Keras serialises them: ``class_name`` and ``config``. A part that Keras cannot
    serialise is an object with the single key ``unavailable``, the reason.
    """

    fit: int
    """Number of the ``fit`` call, from 1."""
    optimizer: Config
    loss: Config
    """``loss`` and ``loss_weights``."""
    metrics: Config
    """``metrics`` and ``weighted_metrics``; they do not affect the weights."""
    architecture: Config
    """The model: its ``class_name`` and a ``config`` with its ``layers``."""
    dtype_policy: str | Unavailable
    """Of the model, such as ``mixed_float16``."""
    jit_compile: bool | Unavailable
    """As the model resolved it."""
    arguments: Config
    """Arguments of ``fit`` that are numbers or switches, such as ``batch_size``."""
