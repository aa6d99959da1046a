"""The script's own random generators, whose state is saved in checkpoints."""

from __future__ import annotations

import random
from types import ModuleType
from typing import TypeVar

from wandb_repro.errors import UsageError
from wandb_repro.recording.process_state import Registered, process

T = TypeVar("T")

_STATES = ("bit_generator", "get_state", "getstate", "state")
"""Attributes that hold a generator's state; each generator has one of them."""


def check_registrable(generator: object) -> None:
    """Check that the state of a generator can be saved.

    Raises:
        UsageError: it is a module, draws from the operating system, or is not a generator.
    """
    stateless = isinstance(generator, (ModuleType, random.SystemRandom))
    if stateless or not any(hasattr(generator, state) for state in _STATES):
        kind = type(generator).__name__
        raise UsageError(
            f"register() takes a random generator; the state of a {kind} cannot be saved.",
            hint="Register the generator itself, such as the one that "
            "numpy.random.default_rng(seed) returns.",
        )


def register(generator: T, name: str | None) -> T:
    """Register a generator; a registered one keeps its name and position."""
    known = process.generators
    if not any(each.generator is generator for each in known):
        chosen = name or f"{type(generator).__name__} {len(known) + 1}"
        known[:] = [each for each in known if each.name != chosen]
        known.append(Registered(chosen, generator))
    return generator


def registered() -> tuple[Registered, ...]:
    """Return the registered generators, in order."""
    return tuple(process.generators)


def registered_by_name() -> dict[str, object]:
    """Return the registered generators by name, in order."""
    return {entry.name: entry.generator for entry in process.generators}
