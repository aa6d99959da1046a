"""Seeds and determinism: what was set, its value, and when.

What a model is and how it is trained: what ``compile`` and ``fit`` were given, as JSON.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Discriminator, Tag

from wandb_repro.manifest.base import Record, Unavailable
from wandb_repro.manifest.canonical import JSON

__all__ = ["Config", "Determinism", "FitSettings", "Seed", "Seeds", "Switch"]


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


def _config_or_not(value: object) -> str:
    """Tell a config, an object of anything, from the reason why there is none."""
    if isinstance(value, Unavailable):
        return "Unavailable"
    return "Unavailable" if isinstance(value, dict) and set(value) == {"unavailable"} else "Config"  # pyright: ignore[reportUnknownArgumentType]


Config: TypeAlias = Annotated[
    Annotated[dict[str, JSON], Tag("Config")] | Annotated[Unavailable, Tag("Unavailable")],
    Discriminator(_config_or_not),
]
"""Without its own way of telling, a reason would be read back as a config of one entry."""


class FitSettings(Record):
    """One ``fit``: what it trained, and how. Written where it is not as the ``fit`` before.

    Objects are as Keras serialises them: ``class_name`` and ``config``. A part of a config that
    does not serialise is an object with the one key ``unavailable``, the reason.
    """

    fit: int
    """Number of the ``fit`` call, from 1."""
    optimizer: Config
    loss: Config
    """``loss`` and ``loss_weights``."""
    metrics: Config
    """``metrics`` and ``weighted_metrics``; the weights do not depend on them."""
    architecture: Config
    """The model: its ``class_name`` and a ``config`` that holds its ``layers``."""
    dtype_policy: str | Unavailable
    """Of the model, such as ``mixed_float16``."""
    jit_compile: bool | Unavailable
    """As the model resolved it."""
    arguments: Config
    """Of ``fit``: numbers and switches, such as ``batch_size``."""
