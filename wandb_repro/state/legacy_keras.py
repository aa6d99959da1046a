"""Notices trainings by Keras 2, the package ``tf_keras``: its ``fit`` is not recorded."""

from __future__ import annotations

import functools
import gc
from types import ModuleType
from typing import Any

from wandb_repro.state.registry import Registry

NOTE = (
    "Keras 2 (tf_keras, TF_USE_LEGACY_KERAS=1) is not supported: what its fit trains is not "
    "recorded, except the variables that still exist at the end; train with Keras 3, or in a loop "
    "with wandb_repro.watch"
)


def watch_legacy_keras(registry: Registry, tf_keras: ModuleType) -> None:
    """Note each training by a model of Keras 2, so that no verdict on it is identical.

    ``fit`` and ``train_on_batch`` call ``make_train_function``, which a subclass may override and
    extend. It returns before the training begins: no frame of ours is in a traceback.
    """
    model: Any = getattr(tf_keras, "Model", None)
    real = getattr(model, "make_train_function", None)
    if real is None:
        return  # a module of the script that has this name

    @functools.wraps(real)
    def make_train_function(self: Any, *positional: Any, **options: Any) -> Any:
        registry.notes[NOTE] = None
        return real(self, *positional, **options)

    model.make_train_function = make_train_function
    registry.searches.append(functools.partial(_search, registry, model))


def _search(registry: Registry, model: type) -> None:
    """Note models that trained before this package watched them."""
    # Not isinstance: it calls a proxy's ``__class__``, which may import or compute something.
    models: list[Any] = [thing for thing in gc.get_objects() if issubclass(type(thing), model)]
    if any(getattr(thing, "train_function", None) is not None for thing in models):
        registry.notes[NOTE] = None
