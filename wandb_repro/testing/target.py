"""A training function that another process can find by its module, file and name."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import FunctionType, MethodType, ModuleType
from typing import Any, cast

from wandb_repro.errors import UsageError
from wandb_repro.manifest.base import ExecutionRecord
from wandb_repro.manifest.canonical import JSON

Train = Callable[..., object]


class Target(ExecutionRecord):
    """Where a function is, and its arguments."""

    module: str
    file: str
    """Absolute path of the module's source."""
    name: str
    """Within the module, with dots: ``Trainer.train``."""
    arguments: list[JSON]
    keywords: dict[str, JSON]

    def __str__(self) -> str:
        return f"{self.module}:{self.name}"

    def load(self) -> Train:
        """Return the function, its module imported, with its arguments bound.

        Raises:
            UsageError: the module no longer has the function.
        """
        found: Any = _imported(self.module, self.file)
        for part in self.name.split("."):
            found = getattr(found, part, None)
        if not callable(found):
            raise UsageError(f"{self.module} has no function {self.name} in a fresh process.")
        return functools.partial(found, *self.arguments, **self.keywords)


def _imported(name: str, file: str) -> ModuleType:
    """Import a module by its name if that finds this file, else from the file itself.

    pytest gives test modules names that ``import`` may not find, or finds elsewhere.
    """
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        spec = None
    if spec is not None and spec.origin is not None and _is_same(spec.origin, file):
        return importlib.import_module(name)
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise UsageError(f"{file} cannot be imported.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _is_same(first: str, second: str) -> bool:
    return Path(first).resolve() == Path(second).resolve()


def target_of(train: object) -> Target:
    """Return where a function is, so that a fresh process can import it.

    Args:
        train: a function at the top of a module, or in a class there; or a ``functools.partial``
            of one, whose arguments JSON can hold.

    Raises:
        UsageError: a fresh process cannot import it or take its arguments.
    """
    __tracebackhide__ = True
    function, arguments, keywords = _unbound(train)
    name = getattr(function, "__qualname__", type(function).__name__)
    if not isinstance(function, FunctionType | MethodType):
        raise UsageError(
            f"{name} is not a function but an object, which a fresh process cannot import. "
            "Give a function at the top of a module."
        )
    if name.endswith("<lambda>"):
        raise UsageError(
            "A lambda has no name by which a fresh process could import it. "
            "Write it as a function at the top of a module."
        )
    if "<locals>" in name:
        raise UsageError(
            f"{name} is defined inside another function, from where a fresh process cannot import "
            "it. Move it to the top of its module, and pass the values that it uses by "
            "functools.partial(train, name=value)."
        )
    module = sys.modules.get(function.__module__)
    file = getattr(module, "__file__", None)
    if module is None or file is None:
        raise UsageError(
            f"{name} was not read from a file (but typed, or executed in a notebook), so a fresh "
            "process cannot import it. Write it into a module."
        )
    if _found(module, name) != function:
        raise UsageError(
            f"{function.__module__} holds something else under the name {name}: a decorator or a "
            "later line replaced it, and a fresh process would train that. Give that function, "
            "or rename it."
        )
    return Target(
        module=Path(file).stem if function.__module__ == "__main__" else function.__module__,
        file=str(Path(file).resolve()),
        name=name,
        arguments=[_plain(value, f"argument {place}") for place, value in enumerate(arguments, 1)],
        keywords={key: _plain(value, f"argument {key}") for key, value in keywords.items()},
    )


def _unbound(train: object) -> tuple[object, tuple[object, ...], dict[str, object]]:
    if not isinstance(train, functools.partial):
        return train, (), {}
    partial = cast("functools.partial[object]", train)
    return partial.func, partial.args, partial.keywords


def _found(module: ModuleType, name: str) -> object:
    found: object = module
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


def _plain(value: object, what: str) -> JSON:
    """Return a value that a file can carry to another process, bit for bit.

    Raises:
        UsageError: JSON does not return it unchanged.
    """
    __tracebackhide__ = True
    try:
        back: object = json.loads(json.dumps(value))
    except (TypeError, ValueError):
        back = None
    if back != value or type(back) is not type(value):
        raise UsageError(
            f"The training's {what} is a {type(value).__name__}, which cannot be passed to a fresh "
            "process unchanged. Pass numbers, strings, lists or dicts, and let the function make "
            "or load the rest."
        )
    return cast("JSON", back)
