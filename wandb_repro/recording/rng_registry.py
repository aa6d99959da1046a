"""Random generators of the script's own, whose state a checkpoint takes along."""

from __future__ import annotations

from typing import NamedTuple, TypeVar

__all__ = ["Registered", "forget_registered", "register", "registered"]

T = TypeVar("T")


class Registered(NamedTuple):
    """A generator that was named."""

    name: str
    generator: object


_known: list[Registered] = []


def register(generator: T, name: str | None) -> T:
    """Keep a generator; one that is registered already keeps its place."""
    if not any(known.generator is generator for known in _known):
        told = name or f"{type(generator).__name__} {len(_known) + 1}"
        _known[:] = [one for one in _known if one.name != told]
        _known.append(Registered(told, generator))
    return generator


def registered() -> tuple[Registered, ...]:
    """Return what was registered, in order."""
    return tuple(_known)


def forget_registered() -> None:
    """Forget them all, as a new process would."""
    _known.clear()
