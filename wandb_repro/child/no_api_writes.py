"""While a rerun trains, ``wandb.Api`` only reads: calls that may change a server are held back."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from functools import cached_property
from types import ModuleType
from typing import Any

from wandb_repro.child.allowed_calls import API, API_PRIVATE_WRITES

_RETURNS_ITS_ARTIFACT = ("log_artifact", "use_artifact")


def hold_back_api(wandb: ModuleType, say: Callable[[str], None]) -> None:
    """Replace every method of the public API's classes that is not known to only read.

    They are never restored: the process only serves the rerun. ``say`` gets the name of the call
    that was held back, such as ``Run.delete``.
    """
    for owner in api_classes(wandb):
        for name in held_methods(owner):
            setattr(owner, name, _held_back(f"{owner.__name__}.{name.lstrip('_')}", name, say))


def api_classes(wandb: ModuleType) -> Iterator[type]:
    """Yield each public class that is defined in the package of ``wandb.Api``.

    All modules of the package are imported: a module imported later would not be patched.
    """
    # Read from the class, so that a W&B that moves its package is held back, too.
    package = str(wandb.Api.__module__).rpartition(".")[0]
    folders = importlib.import_module(package).__path__
    for found in pkgutil.walk_packages(folders, f"{package}."):
        if _is_public(found.name.removeprefix(package)):
            yield from _classes_of(found.name)


def held_methods(owner: type) -> list[str]:
    """Return the methods that a class of the public API defines and a rerun may not call."""
    private = API_PRIVATE_WRITES.get(owner.__name__, ())
    return [
        name
        for name, member in vars(owner).items()
        if not isinstance(member, cached_property)
        and inspect.isroutine(member)
        and (name in private if name.startswith("_") else not _is_allowed(owner, name))
    ]


def _is_allowed(owner: type, name: str) -> bool:
    return name in API or f"{owner.__name__}.{name}" in API


def _is_public(module: str) -> bool:
    parts = module.strip(".").split(".")
    return not any(part.startswith(("_", "test")) for part in parts)


def _classes_of(module: str) -> Iterator[type]:
    try:
        members = vars(importlib.import_module(module))
    except ImportError:
        return  # a module that cannot be imported cannot publish
    for name, member in members.items():
        if inspect.isclass(member) and member.__module__ == module and not name.startswith("_"):
            yield member


def _held_back(shown: str, name: str, say: Callable[[str], None]) -> Callable[..., object]:
    # `self` may be missing: a class method is replaced by a plain function.
    def held_back(self: object = None, *arguments: Any, **options: Any) -> object:
        del self
        say(shown)
        if name in _RETURNS_ITS_ARTIFACT:
            return next(iter((*arguments, *options.values())), None)
        return None

    return held_back
