"""Random generators of the script's own, whose state a checkpoint takes along."""

from __future__ import annotations

import random
from types import ModuleType
from typing import NamedTuple, TypeVar

from wandb_repro.errors import UsageError
from wandb_repro.recording.process_state import process

__all__ = ["Registered", "check_registrable", "register", "registered"]

T = TypeVar("T")

_STATES = ("bit_generator", "get_state", "getstate", "state")
"""What a generator has whose state can be read, one of these."""


class Registered(NamedTuple):
    """A generator and the name it was registered under."""

    name: str
    generator: object


def check_registrable(generator: object) -> None:
    """Check that the state of a generator can be kept.

    Raises:
        UsageError: it is a module, draws from the system, or is no generator.
    """
    stateless = isinstance(generator, (ModuleType, random.SystemRandom))
    if stateless or not any(hasattr(generator, state) for state in _STATES):
        kind = type(generator).__name__
        raise UsageError(
            f"register() takes a random generator, and the state of a {kind} cannot be kept.",
            hint="Register the generator itself, such as the one that "
            "numpy.random.default_rng(seed) returns.",
        )


def register(generator: T, name: str | None) -> T:
    """Keep a generator; one that is registered already keeps its place."""
    known = process.generators
    if not any(one.generator is generator for one in known):
        chosen = name or f"{type(generator).__name__} {len(known) + 1}"
        known[:] = [one for one in known if one.name != chosen]
        known.append(Registered(chosen, generator))
    return generator


def registered() -> tuple[Registered, ...]:
    """Return what was registered, in order."""
    return tuple(process.generators)
