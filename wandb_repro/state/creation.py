"""Adds models, optimizers, variables and tables to a registry as they are made.

A wrapped constructor calls the real one first and changes nothing of its result.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

from wandb_repro.state.functional import (
    watch_gradients_of_torch,
    watch_stateless_apply,
)
from wandb_repro.state.living_objects import living_objects
from wandb_repro.state.registry import Kind, Registry


def watch_keras(registry: Registry, keras: ModuleType) -> None:
    """Add Keras' models, optimizers and metrics, from now on and those that exist."""
    library: Any = keras
    optimizer = library.optimizers.Optimizer
    _after_new(library.Model, lambda model: registry.add("model", model))
    _after_init(optimizer, lambda made: _add_optimizer(registry, made, found=False))
    _after_init(library.metrics.Metric, lambda metric: registry.add("metric", metric))
    watch_stateless_apply(registry, optimizer)
    kinds: dict[Any, Kind] = {
        library.Model: "model",
        optimizer: "optimizer",
        library.metrics.Metric: "metric",
    }
    registry.searches.append(partial(_search, registry, kinds))


def _add_optimizer(registry: Registry, optimizer: Any, *, found: bool) -> None:
    registry.add("optimizer", optimizer, found=found)
    registry.count_steps(optimizer, getattr(optimizer, "iterations", None))


def watch_tensorflow(registry: Registry, tensorflow: ModuleType) -> None:
    """Add TensorFlow's variables and lookup tables, from now on and those that exist."""
    del tensorflow  # a lazy loader in some versions; its modules are in sys.modules
    variables: Any = sys.modules["tensorflow.python.ops.resource_variable_ops"]
    tables: Any = sys.modules["tensorflow.python.ops.lookup_ops"]
    variable, table = variables.BaseResourceVariable, tables.LookupInterface
    _after_init(variable, lambda made: registry.add("variable", made))
    _after_init(table, lambda made: registry.add("table", made))
    kinds: dict[Any, Kind] = {variable: "variable", table: "table"}
    registry.searches.append(partial(_search, registry, kinds))


def watch_torch(registry: Registry, torch: ModuleType) -> None:
    """Add PyTorch's modules and optimizers, from now on and those that exist."""
    library: Any = torch
    if not hasattr(library, "nn") or not hasattr(library, "optim"):
        return  # a module of the script that has PyTorch's name
    module, optimizer = library.nn.Module, library.optim.Optimizer
    kinds: dict[Any, Kind] = {module: "module", optimizer: "optimizer"}
    for kind, name in kinds.items():
        _after_init(kind, partial(registry.add, name))
        # Copies and what is unpickled: no ``__init__`` is called for them.
        _after_init(kind, partial(registry.add, name), "__setstate__")
    watch_gradients_of_torch(registry, torch)
    registry.searches.append(partial(_search, registry, kinds))


def _after_init(kind: Any, add: Callable[[Any], None], method: str = "__init__") -> None:
    """Call ``add`` with each new object of a class and its subclasses."""
    init = getattr(kind, method)

    @functools.wraps(init)
    def wrapped(self: Any, *positional: Any, **options: Any) -> None:
        init(self, *positional, **options)
        add(self)

    setattr(kind, method, wrapped)


def _after_new(kind: Any, add: Callable[[Any], None]) -> None:
    """Call ``add`` with each new object, also of subclasses that skip this ``__init__``."""
    new = kind.__new__

    @functools.wraps(new)
    def wrapped(cls: Any, *positional: Any, **options: Any) -> Any:
        made = new(cls, *positional, **options)
        add(made)
        return made

    kind.__new__ = staticmethod(wrapped)


def _search(registry: Registry, kinds: dict[Any, Kind]) -> None:
    """Add existing objects, sorted by class and name: the collector's order is not fixed."""
    found: list[tuple[str, str, Kind, Any]] = []
    for each, thing in living_objects(kinds):
        kind = kinds[each]
        # A variable whose constructor failed exists as long as its error's traceback does.
        is_whole = kind != "variable" or hasattr(thing, "handle")
        if is_whole and registry.number_of(kind, thing) == 0:
            name = str(getattr(thing, "path", "") or getattr(thing, "name", ""))
            found.append((type(thing).__qualname__, name, kind, thing))
    for _, _, kind, thing in sorted(found, key=lambda each: each[:3]):
        if kind == "optimizer":
            _add_optimizer(registry, thing, found=True)
        else:
            registry.add(kind, thing, found=True)
